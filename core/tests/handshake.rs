//! From nothing to a connection that may be used, and what can go wrong on the way.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "tests"
)]

mod common;

use std::time::Duration;

use common::*;
use kucoin_futures_proto::{
    Config, DisconnectReason, Event, Input, LineEvent, LineId, Output, ResponseHead, RestError,
    TopicStatus, TransportError, WireError, WordsId,
};
use proptest::prelude::*;

const LINE: LineId = LineId::new(0);

#[test]
fn a_token_is_asked_for_when_something_is_wanted_and_not_before() {
    let mut rig = Rig::new();
    assert_eq!(rig.pass(3600 * SECOND), []);
    assert_eq!(rig.client.poll_timeout(), None);
    let link = rig.want(LINK);
    let outputs = rig.drain();
    let fetch = fetches(&outputs)[0];
    assert_eq!(fetch.url(), "https://api-futures.kucoin.com/api/v1/bullet-public");
    assert_eq!((fetch.method().as_str(), fetch.max_body()), ("POST", 64 << 10));
    assert_eq!((outputs.len(), rig.client.status(link)), (1, TopicStatus::Wanted));
}

#[test]
fn the_endpoint_gets_token_and_connect_id() {
    let (mut rig, request) = Rig::waiting_for_token(Config::default());
    let outputs = rig.reply(request, &bullet("aB3_-.c+/=="));
    let [endpoint] = opens(&outputs)[..] else { panic!("{outputs:?}") };
    let connect_id = rig.connect_id.as_str();
    let url = format!("wss://ws-7.kucoin.com/?token=aB3_-.c%2B%2F%3D%3D&connectId={connect_id}");
    assert_eq!(endpoint.secret_url(), url);
    assert_eq!((endpoint.host(), endpoint.port()), ("ws-7.kucoin.com", 443));
    assert_eq!(connect_id.len(), 16);
}

#[test]
fn a_token_reply_may_be_laid_out_in_any_way() {
    let pretty = r#"
        {
            "data" : {
                "instanceServers" : [ {
                    "pingTimeout" : 9000, "region" : null, "protocol" : "websocket",
                    "pingInterval" : 21000, "encrypt" : true,
                    "endpoint" : "wss:\/\/ws-8.kucoin.com\/endpoint"
                } ],
                "ttl" : {"hours" : 24}, "token" : "T.\u0061"
            },
            "msg" : "", "code" : "200000"
        }
    "#;
    let (mut rig, request) = Rig::waiting_for_token(Config::default());
    let outputs = rig.reply(request, pretty);
    let [endpoint] = opens(&outputs)[..] else { panic!("{outputs:?}") };
    assert!(endpoint.secret_url().starts_with("wss://ws-8.kucoin.com/endpoint?token=T.a&"));
    rig.opened();
    rig.welcome();
    rig.ack(1);
    assert_eq!(pings(&rig.pass(20_999 * MS)).len(), 0);
    assert_eq!(pings(&rig.pass(MS)).len(), 1, "by the reply's own interval");
}

#[test]
fn the_first_server_that_may_be_used_is_used() {
    let (mut rig, request) = Rig::waiting_for_token(Config::default());
    let servers = [
        ("ws://ws-1.kucoin.com/", "1", "1"),
        ("wss://kucoin.com.evil.io/", "1", "1"),
        ("wss://ws-3.kucoin.com/", "30000", "10000"),
        ("wss://ws-4.kucoin.com/", "1", "1"),
    ];
    let outputs = rig.reply(request, &bullet_of("t", &servers));
    assert_eq!(opens(&outputs)[0].host(), "ws-3.kucoin.com");
    rig.opened();
    rig.welcome();
    rig.ack(1);
    assert_eq!(pings(&rig.pass(29 * SECOND)).len(), 0, "and the rhythm is the one of that server");
}

#[test]
fn after_a_failure_the_next_server_has_its_turn() {
    let servers = ["wss://ws-1.kucoin.com/", "wss://ws-2.kucoin.com/", "wss://evil.example/"];
    let body = bullet_of("t", &servers.map(|server| (server, "18000", "10000")));
    let (mut rig, mut request) = Rig::waiting_for_token(Config::default());
    let mut hosts = Vec::new();
    for _ in 0..4 {
        let outputs = rig.reply(request, &body);
        hosts.push(String::from(opens(&outputs)[0].host()));
        let lost = rig.lose(TransportError::Refused);
        request = bullet_request(&rig.pass(waiting(&lost)));
    }
    let (one, two) = ("ws-1.kucoin.com", "ws-2.kucoin.com");
    assert_eq!(hosts, [one, two, one, one], "the third is none, so its turn is the first's");
}

#[test]
fn absurd_rhythms_are_cut_and_absent_ones_replaced() {
    for (interval, seconds) in [
        ("0", 1),
        ("1", 1),
        ("-18000", 1),
        ("18446744073709551616", 60),
        ("1e300", 18),
        ("\"25000\"", 25),
        ("2.5e4", 25),
        ("null", 18),
        ("\"soon\"", 18),
        ("{}", 18),
    ] {
        let (mut rig, request) = Rig::waiting_for_token(Config::default());
        rig.reply(request, &bullet_of("t", &[("wss://w.kucoin.com/", interval, "10000")]));
        rig.opened();
        rig.welcome();
        rig.ack(1);
        let before = Duration::from_secs(seconds) - MS;
        assert_eq!(pings(&rig.pass(before)).len(), 0, "{interval}");
        assert_eq!(pings(&rig.pass(MS)).len(), 1, "{interval}");
    }
}

#[test]
fn nothing_is_sent_before_the_welcome() {
    let mut rig = Rig::greeting(Config::default());
    rig.want("AVAXUSDTM");
    assert_eq!(sent(&rig.pass(9 * SECOND)), []);
    assert_eq!(sent(&rig.text(&level2(LINK, 1, "14,buy,1"))), []);
    let welcomed = rig.welcome();
    assert_eq!(events(&welcomed), [Event::Line(LINE, LineEvent::Up { conn: rig.conn })]);
    let topic = "/contractMarket/level2:LINKUSDTM,AVAXUSDTM".into();
    assert_eq!(sent(&welcomed), [Sent { id: 1, kind: "subscribe".into(), topic }]);
}

#[test]
fn a_welcome_for_somebody_else_ends_the_connection() {
    let mut rig = Rig::greeting(Config::default());
    let outputs = rig.text(r#"{"id":"somebody-else","type":"welcome"}"#);
    assert_eq!(down(&outputs), DisconnectReason::WrongWelcome);
    assert_eq!((shuts(&outputs), sent(&outputs).len()), (1, 0));
}

#[test]
fn a_second_welcome_changes_nothing() {
    let (mut rig, link) = Rig::live(Config::default());
    assert_eq!(rig.welcome(), []);
    assert_eq!(rig.text(r#"{"id":"somebody-else","type":"welcome"}"#), []);
    assert_eq!((rig.client.stats().unsolicited, rig.client.book(link).is_some()), (2, true));
}

/// The classic mistake: a connection URL that is kept, and refused for ever after.
#[test]
fn every_attempt_gets_a_token_of_its_own() {
    let (mut rig, mut request) = Rig::waiting_for_token(Config::default());
    let mut tokens = Vec::new();
    for error in [
        TransportError::Refused,
        TransportError::Eof,
        TransportError::Closed { code: Some(1000) },
        TransportError::Reset,
    ] {
        rig.grant(request);
        assert!(!tokens.contains(&rig.token));
        tokens.push(rig.token.clone());
        rig.opened();
        let lost = rig.lose(error);
        request = bullet_request(&rig.pass(waiting(&lost)));
    }
}

#[test]
fn a_401_in_place_of_the_welcome_is_answered_by_a_new_token_at_once_but_only_once() {
    let refused = r#"{"type":"error","code":401,"data":"token is expired"}"#;
    let mut rig = Rig::greeting(Config::default());
    let first = rig.text(refused);
    let unauthorized = |words| DisconnectReason::Unauthorized { words };
    assert_eq!((down(&first), shuts(&first)), (unauthorized(Some(WordsId::new(1))), 1));
    rig.grant(bullet_request(&first));
    rig.opened();
    let second = rig.text(&error("5e1f00aa91b2c3d4e5f60718", 401, "token is invalid"));
    assert_eq!(down(&second), unauthorized(Some(WordsId::new(2))));
    assert_eq!(fetches(&second).len(), 0, "no faster than any other failure");
    assert!(waiting(&second) > Duration::ZERO);
    let request = bullet_request(&rig.pass(waiting(&second)));
    rig.reconnect(request);
    let after_a_welcome = rig.text(refused);
    assert_eq!(fetches(&after_a_welcome).len(), 1, "a welcome proves that the tokens were good");
    assert_eq!(rig.client.stats().unauthorized, 3);
}

#[test]
fn a_401_of_the_upgrade_is_a_refused_token_too() {
    let (mut rig, request) = Rig::waiting_for_token(Config::default());
    rig.grant(request);
    let outputs = rig.lose(TransportError::Upgrade { status: 401, retry_after: None });
    assert_eq!(down(&outputs), DisconnectReason::Unauthorized { words: None });
    rig.grant(bullet_request(&outputs));
    let again = rig.lose(TransportError::Upgrade { status: 401, retry_after: None });
    assert_eq!(fetches(&again).len(), 0);
}

#[test]
fn an_attempt_has_ten_seconds_to_connect() {
    let (mut rig, request) = Rig::waiting_for_token(Config::default());
    rig.grant(request);
    assert_eq!(rig.pass(10 * SECOND - MS), []);
    let outputs = rig.pass(MS);
    assert_eq!((down(&outputs), shuts(&outputs)), (DisconnectReason::ConnectTimeout, 1));
    let dead = rig.conn;
    assert_eq!(rig.input(Input::Opened { conn: dead }), [], "too late");
}

#[test]
fn the_server_has_ten_seconds_to_say_welcome() {
    let mut rig = Rig::greeting(Config::default());
    assert_eq!(rig.pass(10 * SECOND - MS), []);
    let outputs = rig.pass(MS);
    assert_eq!((down(&outputs), shuts(&outputs)), (DisconnectReason::WelcomeTimeout, 1));
    assert_eq!(rig.welcome(), [], "too late");
}

#[test]
fn a_token_reply_that_is_none_is_reported_and_waited_out() {
    let huge = bullet(&"x".repeat(4097));
    let largest = bullet(&"x".repeat(4096));
    let nowhere = bullet_of("t", &[("wss://evil.example/", "1", "1")]);
    let not_json = |at| RestError::Wire(WireError::NotJson { at });
    let wire = RestError::Wire;
    let words = Some(WordsId::new(1));
    let api = |code, status| RestError::Api { code, status, words };
    let http = |status| RestError::Http { status, words: None };
    let limited =
        |status, code| RestError::RateLimited { retry_after: None, status, code, words: None };
    for (status, body, failure) in [
        (200, "<html><body>Sign in to the hotel's network</body></html>", not_json(1)),
        (200, "", not_json(0)),
        (200, r#"{"code":"200000","data":{"tok"#, not_json(29)),
        (200, r#"{"msg":"Invalid symbol.","code":"200003"}"#, api(200_003, 200)),
        (400, r#"{"code":"400100","msg":"no"}"#, api(400_100, 400)),
        (503, "<html>", http(503)),
        (301, "", http(301)),
        (500, r#"{"code":"200000","data":{}}"#, http(500)),
        (403, "<html>", limited(403, None)),
        (429, "", limited(429, None)),
        (429, "error code: 1015\n", limited(429, Some(1015))),
        (200, r#"{"code":"429000"}"#, limited(200, Some(429_000))),
        (200, r#"{"code":"200000"}"#, wire(WireError::Missing { field: "data" })),
        (200, r#"{"data":{}}"#, wire(WireError::WrongType { field: "code" })),
        (200, r#"{"code":"OK","data":{}}"#, wire(WireError::OutOfRange { field: "code" })),
        (200, &bullet(""), wire(WireError::Missing { field: "token" })),
        (200, &huge, wire(WireError::TooLong { field: "token" })),
        (200, &bullet_of("t", &[]), wire(WireError::NoUsableServer)),
        (200, &nowhere, wire(WireError::NoUsableServer)),
    ] {
        let (mut rig, request) = Rig::waiting_for_token(Config::default());
        let outputs = rig.reply_with(request, ResponseHead::new(status), body);
        assert_eq!(no_token(&outputs), failure, "{status} {body}");
        assert_eq!(opens(&outputs).len(), 0);
        bullet_request(&rig.pass(waiting(&outputs)));
    }
    let (mut rig, request) = Rig::waiting_for_token(Config::default());
    assert_eq!(opens(&rig.reply(request, &largest)).len(), 1, "4 KiB are enough for any token");
}

#[test]
fn only_sixteen_servers_are_looked_at() {
    let mut servers = vec![("wss://evil.example/", "1", "1"); 16];
    servers.push(("wss://ws-1.kucoin.com/", "1", "1"));
    for (skip, usable) in [(0, 0), (1, 1)] {
        let (mut rig, request) = Rig::waiting_for_token(Config::default());
        let outputs = rig.reply(request, &bullet_of("t", &servers[skip..]));
        assert_eq!(opens(&outputs).len(), usable);
    }
}

#[test]
fn a_transport_that_fails_is_waited_out_and_bad_certificates_longer() {
    for error in [
        TransportError::Dns,
        TransportError::Refused,
        TransportError::TimedOut,
        TransportError::TooLarge,
        TransportError::Tls,
    ] {
        let (mut rig, request) = Rig::waiting_for_token(Config::default());
        let outputs = rig.input(Input::Failed { request, error });
        assert_eq!(no_token(&outputs), RestError::Lost(error));
        let failures = if error == TransportError::Tls { 5 } else { 1 };
        assert!(matches!(
            events(&outputs)[1],
            Event::Line(_, LineEvent::Waiting { failures: f, .. }) if f == failures
        ));
    }
}

#[test]
fn an_adapter_that_never_answers_is_not_waited_for() {
    let (mut rig, request) = Rig::waiting_for_token(Config::default());
    assert_eq!(rig.pass(11 * SECOND - MS), [], "a second more than the request may take");
    assert_eq!(no_token(&rig.pass(MS)), RestError::Lost(TransportError::TimedOut));
    assert_eq!(rig.reply(request, &bullet("late")), []);
    assert_eq!(rig.client.stats().stale_inputs, 1);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// What a 429 asks for is a floor, within reason.
    #[test]
    fn nobody_knocks_before_the_time_that_a_429_names(reset_ms in 0_u64..400_000) {
        let (mut rig, request) = Rig::waiting_for_token(Config::default());
        let mut head = ResponseHead::new(429);
        head.header("GW-RATELIMIT-RESET", &reset_ms.to_string());
        let outputs = rig.reply_with(request, head, r#"{"code":"429000","msg":"x"}"#);
        let retry_after = Some(Duration::from_millis(reset_ms));
        let words = Some(WordsId::new(1));
        let limited = RestError::RateLimited { retry_after, status: 429, code: Some(429_000), words };
        prop_assert_eq!(no_token(&outputs), limited);
        let floor = Duration::from_millis(reset_ms.clamp(1000, 300_000));
        prop_assert_eq!(rig.pass(floor - MS), []);
        prop_assert_eq!(fetches(&rig.pass(2 * SECOND)).len(), 1, "and not much later");
    }

    /// The exchange allows 30 connections a minute. Even without any backoff, tokens and attempts
    /// stay below, whatever it is that fails.
    #[test]
    fn tokens_and_attempts_stay_within_twenty_a_minute(
        failures in prop::collection::vec(0..4, 1..300),
    ) {
        let mut config = Config::default();
        (config.backoff.base, config.backoff.cap) = (Duration::ZERO, Duration::ZERO);
        let mut rig = Rig::with(config);
        rig.want(LINK);
        let mut outputs = rig.drain();
        let (mut tokens, mut attempts) = (Vec::new(), Vec::new());
        for failure in failures {
            outputs = if let Some(fetch) = fetches(&outputs).first() {
                tokens.push(rig.now);
                if failure == 0 { rig.reply(fetch.request(), "<html>") } else { rig.grant(fetch.request()) }
            } else if !opens(&outputs).is_empty() {
                attempts.push(rig.now);
                rig.lose(if failure < 2 { TransportError::Upgrade { status: 401, retry_after: None } } else { TransportError::Eof })
            } else {
                let deadline = rig.client.poll_timeout().unwrap();
                rig.pass(deadline.at.since(rig.now))
            };
            for times in [&tokens, &attempts] {
                let recent = times.iter().filter(|at| rig.now.since(**at) < 60 * SECOND);
                prop_assert!(recent.count() <= 20);
            }
        }
    }
}

/// Whatever is printed for a log: the token is not in it.
#[test]
fn no_token_is_ever_shown() {
    const CANARY: &str = "c4nary-T0KEN.tail";
    let (mut rig, request) = Rig::waiting_for_token(Config::default());
    let mut shown = Vec::new();
    for body in [bullet(CANARY), edited(&bullet(CANARY), "kucoin", "evil"), bullet(CANARY) + "x"] {
        let (mut other, _) = Rig::waiting_for_token(Config::default());
        let input = Input::Reply { request, head: ResponseHead::new(200), body: body.as_bytes() };
        shown.push(format!("{input:?} {input:#?} {:?}", other.input(input)));
    }
    let opened = rig.reply(request, &bullet(CANARY));
    assert_eq!(rig.token, CANARY, "it is where it belongs");
    rig.opened();
    let refused = rig.text(&error(CANARY, 401, CANARY));
    shown.push(format!("{opened:?} {opened:#?} {refused:?} {:?} {:#?}", rig.client, rig.client));
    let shown = shown.join(" ");
    assert!(!shown.contains("c4nary") && !shown.contains("T0KEN"), "{shown}");
    assert!(shown.contains("wss://ws-7.kucoin.com/.."), "the rest is");
}

fn down(outputs: &[Output<'_>]) -> DisconnectReason {
    let down = |event| {
        if let Event::Line(_, LineEvent::Down { reason, .. }) = event { Some(reason) } else { None }
    };
    let downs: Vec<_> = events(outputs).into_iter().filter_map(down).collect();
    let [reason] = downs[..] else { panic!("one end expected in {outputs:?}") };
    reason
}

fn no_token(outputs: &[Output<'_>]) -> RestError {
    let [
        Event::Line(LINE, LineEvent::TokenFailed(reason)),
        Event::Line(LINE, LineEvent::Waiting { .. }),
    ] = events(outputs)[..]
    else {
        panic!("{outputs:?}")
    };
    reason
}

fn waiting(outputs: &[Output<'_>]) -> Duration {
    let wait = |event| {
        if let Event::Line(_, LineEvent::Waiting { delay, .. }) = event {
            Some(delay)
        } else {
            None
        }
    };
    events(outputs).into_iter().find_map(wait).unwrap()
}

#[test]
fn a_connection_opens_once_and_a_client_closes_once() {
    let mut rig = Rig::greeting(Config::default());
    assert_eq!((rig.opened(), rig.client.stats().stale_inputs), (vec![], 1));
    assert!(!rig.welcome().is_empty(), "welcome all the same");
    rig.client.close(rig.now);
    assert!(!rig.drain().is_empty());
    rig.client.close(rig.now);
    assert_eq!((rig.drain(), rig.client.poll_timeout()), (vec![], None));
}

#[test]
fn the_edge_may_say_in_seconds_how_long_to_stay_away() {
    let head = |headers: &[(&str, &str)]| {
        let mut head = ResponseHead::new(429);
        headers.iter().for_each(|(name, value)| head.header(name, value));
        head.retry_after()
    };
    assert_eq!(head(&[("Retry-After", " 7 ")]), Some(7 * SECOND));
    assert_eq!(head(&[("retry-after", "7"), ("GW-RATELIMIT-RESET", "1500")]), Some(1500 * MS));
    assert_eq!(head(&[("retry-after", "Fri, 31 Dec 1999 23:59:59 GMT"), ("age", "7")]), None);
}
