//! What the exchange says when it refuses something reaches whoever asks for it.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "tests"
)]

mod common;

use common::*;
use kucoin_futures_proto::{
    Client, Config, DisconnectReason, Event, LineEvent, Output, Query, RequestId, ResponseHead,
    TopicEvent, TransportError,
};

/// Status, code and words of the one refusal among outputs.
fn refusal<'a>(
    client: &'a Client,
    outputs: &[Output<'_>],
) -> (Option<u16>, Option<u32>, Option<&'a str>) {
    let refusals: Vec<_> = events(outputs).iter().filter_map(Event::refusal).collect();
    let [refusal] = refusals[..] else { panic!("one refusal expected in {outputs:?}") };
    let words = refusal.words.map(|words| client.words(words).unwrap());
    (refusal.status, refusal.code, words)
}

fn queried(rig: &mut Rig) -> RequestId {
    let request = rig.client.fetch(rig.now, Query::ServerTime).unwrap();
    rig.drain();
    request
}

#[test]
fn the_words_of_rest_and_its_status_are_told_whatever_was_asked_for() {
    const COUNTRY: &str = "This service is not available in your country.";
    let body = format!(r#"{{"code":"400302","msg":"{COUNTRY}"}}"#);
    let told = (Some(403), Some(400_302), Some(COUNTRY));

    let (mut rig, request) = Rig::waiting_for_token(Config::default());
    let outputs = rig.reply_with(request, ResponseHead::new(403), &body);
    assert_eq!(refusal(&rig.client, &outputs), told, "a token");

    let (mut rig, _) = Rig::confirmed(Config::default());
    let request = snapshot_request(&rig.pass(SECOND));
    let outputs = rig.reply_with(request, ResponseHead::new(403), &body);
    assert_eq!(refusal(&rig.client, &outputs), told, "a snapshot");

    let request = queried(&mut rig);
    let outputs = rig.reply_with(request, ResponseHead::new(403), &body);
    assert_eq!(refusal(&rig.client, &outputs), told, "a query");
}

#[test]
fn words_are_found_in_every_kind_of_body() {
    let mut rig = Rig::new();
    for (status, body, code, words) in [
        (
            200,
            r#"{"msg":"Invalid symbol.","code":"200003"}"#,
            Some(200_003),
            Some("Invalid symbol."),
        ),
        (
            200,
            r#"{"code":400302,"msg":"\u5f53\u524d\u001b[2J"}"#,
            Some(400_302),
            Some(r"当前\u{1b}[2J"),
        ),
        (
            429,
            r#"{"code":"429000","msg":"Too Many Requests"}"#,
            Some(429_000),
            Some("Too Many Requests"),
        ),
        (503, r#"{"msg":"under maintenance"}"#, None, Some("under maintenance")),
        (403, r#"{"msg":"no \"code\" here"}"#, None, Some(r#"no "code" here"#)),
        (404, r#"{"code":"404","msg":"Not Found","retry":false}"#, Some(404), Some("Not Found")),
        (400, r#"{"code":"400100","msg":""}"#, Some(400_100), None),
        (400, r#"{"code":"400100","msg":null}"#, Some(400_100), None),
        (400, r#"{"code":"400100","msg":["a"]}"#, Some(400_100), None),
        (400, r#"{"code":"400100"}"#, Some(400_100), None),
        (429, "error code: 1015", Some(1015), None),
        (451, "<html>", None, None),
    ] {
        let request = queried(&mut rig);
        let outputs = rig.reply_with(request, ResponseHead::new(status), body);
        assert_eq!(refusal(&rig.client, &outputs), (Some(status), code, words), "{body}");
    }
    let request = queried(&mut rig);
    let outputs = rig.reply(request, r#"{"code":"200000","msg":"fine","data":1790000000123}"#);
    assert_eq!(events(&outputs), [], "a success that says something is none");
}

#[test]
fn the_words_of_the_stream_are_told_for_topics_and_for_connections() {
    let (mut rig, link) = Rig::asked(Config::default());
    let outputs =
        rig.text(&error("1", 404, "topic /contractMarket/level2:LINKUSDTM does not exist"));
    let [Event::Topic(topic, TopicEvent::Rejected { code: 404, .. })] = events(&outputs)[..] else {
        panic!("{outputs:?}")
    };
    assert_eq!(topic, link);
    let words = "topic /contractMarket/level2:LINKUSDTM does not exist";
    assert_eq!(refusal(&rig.client, &outputs), (None, Some(404), Some(words)));

    for (code, text) in
        [(509, "exceed max session count limitation of 50"), (401, "token is expired")]
    {
        let mut rig = Rig::greeting(Config::default());
        let outputs = rig.text(&error("x", code, text));
        assert_eq!(refusal(&rig.client, &outputs), (None, Some(code), Some(text)));
    }
    let mut rig = Rig::greeting(Config::default());
    let outputs = rig.text(r#"{"type":"error","code":500}"#);
    assert_eq!(refusal(&rig.client, &outputs), (None, Some(500), None));

    let mut rig = Rig::greeting(Config::default());
    let outputs = rig.lose(TransportError::Upgrade { status: 451, retry_after: None });
    assert_eq!(refusal(&rig.client, &outputs), (Some(451), None, None), "of the upgrade");
}

#[test]
fn what_is_no_refusal_has_no_words() {
    let (mut rig, _) = Rig::live(Config::default());
    let mut outputs = rig.lose(TransportError::Eof);
    outputs.extend(rig.pass(60 * SECOND));
    let told = events(&outputs);
    assert!(told.iter().any(|event| matches!(
        event,
        Event::Line(_, LineEvent::Down { reason: DisconnectReason::Lost(_), .. })
    )));
    assert!(told.iter().all(|event| event.refusal().is_none()), "{told:?}");
}

/// A storm of the same refusals is one text; each of many different ones has its own, the latest 32.
#[test]
fn an_event_names_its_own_words_until_32_newer_ones_have_come() {
    let mut rig = Rig::new();
    let mut refuse = |text: &str| {
        let request = queried(&mut rig);
        let body = format!(r#"{{"code":"400100","msg":"{text}"}}"#);
        let outputs = rig.reply(request, &body);
        events(&outputs)[0].refusal().unwrap().words.unwrap()
    };
    let first = refuse("first");
    assert!((0..100).all(|_| refuse("first") == first));
    let later: Vec<_> = (0..31).map(|n| refuse(&format!("no. {n}"))).collect();
    let kept = |rig: &Rig, words| rig.client.words(words).map(str::to_owned);
    let last = later[30];
    let told = [first, later[0], last].map(|words| kept(&rig, words));
    assert_eq!(told, ["first", "no. 0", "no. 30"].map(|text| Some(text.to_owned())));
    let request = queried(&mut rig);
    rig.reply(request, r#"{"code":"400100","msg":"one more"}"#);
    assert_eq!([first, last].map(|words| kept(&rig, words)), [None, Some("no. 30".to_owned())]);
}

/// The token of the connection, which an error of the exchange might quote.
#[test]
fn a_token_that_is_quoted_is_not_told() {
    let token = format!("{}==.{}", "2neAiuYvAU61ZDXANAGAsiL4".repeat(6), "WNQmhZQeUKIkh97K");
    let (mut rig, request) = Rig::waiting_for_token(Config::default());
    rig.reply(request, &bullet(&token));
    rig.opened();
    let outputs = rig.text(&error("x", 401, &format!("token {token} is expired")));
    assert_eq!(refusal(&rig.client, &outputs).2, Some("token *** is expired"));
}
