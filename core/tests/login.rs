//! The private line: signed tokens, the exchange's clock, refusals that are final.

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
    Channel, Config, Event, Input, LineEvent, LineId, LineRole, LoginError, Misuse, Output, Query,
    RequestId, ResponseHead, RestError, RestRequest, Sign, TopicEvent, TopicId, TopicStatus,
    TransportError,
};

const PRIVATE: LineId = LineId::new(0);

fn want_orders(rig: &mut Rig) -> (TopicId, Vec<Output<'static>>) {
    let orders = rig.client.subscribe(rig.now, Channel::orders()).unwrap();
    (orders, rig.drain())
}

/// The one request of a path.
fn asked<'a>(outputs: &'a [Output<'_>], path: &str) -> &'a RestRequest {
    let fetches = fetches(outputs);
    let [fetch] = fetches.as_slice() else { panic!("one request expected in {outputs:?}") };
    assert_eq!(fetch.path(), path);
    fetch
}

fn refuse(rig: &mut Rig, request: RequestId, code: u32) -> Vec<Output<'static>> {
    let body = format!(r#"{{"code":"{code}","msg":"no"}}"#);
    rig.reply_with(request, ResponseHead::new(400), &body)
}

#[test]
fn private_topics_have_a_line_of_their_own_with_a_signed_token() {
    let (mut rig, link) = Rig::live(Config::default());
    let public = rig.conn;
    let (orders, outputs) = want_orders(&mut rig);
    let token = asked(&outputs, "/api/v1/bullet-private");
    assert_eq!(token.sign(), Sign::WallClock);
    let request = token.request();
    rig.grant(request);
    assert_ne!(rig.conn, public);
    rig.opened();
    let outputs = rig.welcome();
    let line = rig.client.lines().find(|line| line.role == LineRole::Private).unwrap();
    assert_eq!((line.conn, line.topics), (Some(rig.conn), 1));
    assert!(events(&outputs).contains(&Event::Line(line.id, LineEvent::Up { conn: rig.conn })));
    let texts: Vec<_> = outputs
        .iter()
        .filter_map(|o| if let Output::Send { conn, text } = o { Some((conn, text)) } else { None })
        .collect();
    let [(conn, text)] = texts[..] else { panic!("{texts:?}") };
    assert_eq!(*conn, rig.conn);
    assert_eq!(
        **text,
        *r#"{"id":"1","type":"subscribe","topic":"/contractMarket/tradeOrders","privateChannel":true,"response":true}"#
    );
    assert_eq!(rig.ack(1), [Event::Topic(orders, TopicEvent::Confirmed)]);
    // The one that ends leaves the other alone.
    let outputs = rig.lose(TransportError::Eof);
    assert!(rig.client.book(link).is_some());
    assert!(matches!(rig.client.status(orders), TopicStatus::Wanted), "{outputs:?}");
    assert!(matches!(rig.client.status(link), TopicStatus::Confirmed { .. }));
}

#[test]
fn who_wants_nothing_private_asks_for_no_private_token() {
    let (mut rig, _) = Rig::live(Config::default());
    let outputs = rig.pass(600 * SECOND);
    assert!(fetches(&outputs).iter().all(|fetch| fetch.sign() == Sign::No));
}

#[test]
fn each_refusal_of_an_account_is_final_and_has_a_type_of_its_own() {
    for (code, error) in [
        (400_001, LoginError::HeadersMissing),
        (400_003, LoginError::UnknownKey),
        (400_004, LoginError::WrongPassphrase),
        (400_005, LoginError::WrongSignature),
        (400_006, LoginError::AddressNotAllowed),
        (400_007, LoginError::PermissionMissing),
        (400_008, LoginError::WrongKeyVersion),
        (400_009, LoginError::WrongKeyVersion),
        (411_100, LoginError::AccountFrozen),
    ] {
        let mut rig = Rig::new();
        let (orders, outputs) = want_orders(&mut rig);
        let request = asked(&outputs, "/api/v1/bullet-private").request();
        let outputs = refuse(&mut rig, request, code);
        let told = events(&outputs);
        let words = told.iter().find_map(|event| match event {
            Event::Line(PRIVATE, LineEvent::LoginRefused { error: of, words }) => {
                assert_eq!(*of, error);
                let refusal = event.refusal().unwrap();
                assert_eq!((refusal.code, refusal.words), (Some(error.code()), *words));
                *words
            }
            _ => None,
        });
        assert_eq!(words.and_then(|words| rig.client.words(words)), Some("no"), "{told:?}");
        let rejected = told.iter().find_map(|event| match event {
            Event::Topic(topic, TopicEvent::Rejected { code, words }) => {
                Some((*topic, *code, words.is_some()))
            }
            _ => None,
        });
        assert_eq!(rejected, Some((orders, error.code(), true)));
        assert_eq!(rig.client.status(orders), TopicStatus::Rejected { code: error.code() });
        let day = rig.pass(86_400 * SECOND);
        assert_eq!(fetches(&day).len(), 0, "{code}: asked again");
        // Until somebody wants it anew.
        let (_, outputs) = want_orders(&mut rig);
        asked(&outputs, "/api/v1/bullet-private");
    }
}

#[test]
fn an_adapter_without_credentials_is_final_too() {
    let mut rig = Rig::new();
    let (orders, outputs) = want_orders(&mut rig);
    let request = asked(&outputs, "/api/v1/bullet-private").request();
    let outputs = rig.input(Input::Failed { request, error: TransportError::NoCredentials });
    let error = LoginError::NoCredentials;
    let refused = Event::Line(PRIVATE, LineEvent::LoginRefused { error, words: None });
    assert!(events(&outputs).contains(&refused));
    assert_eq!(refused.refusal(), None, "nobody was asked");
    assert!(matches!(rig.client.status(orders), TopicStatus::Rejected { .. }));
    assert_eq!(fetches(&rig.pass(3600 * SECOND)).len(), 0);
}

#[test]
fn a_refused_account_takes_nothing_from_public_topics() {
    let (mut rig, link) = Rig::live(Config::default());
    let (_, outputs) = want_orders(&mut rig);
    let request = asked(&outputs, "/api/v1/bullet-private").request();
    refuse(&mut rig, request, 400_005);
    assert!(rig.client.book(link).is_some());
}

/// The times that requests are signed with.
fn signed_at(request: &RestRequest) -> u64 {
    let Sign::At { unix_ms } = request.sign() else { panic!("{:?}", request.sign()) };
    unix_ms
}

#[test]
fn a_time_that_is_off_is_answered_by_one_look_at_the_exchanges_clock_and_one_retry() {
    let mut rig = Rig::new();
    let (orders, outputs) = want_orders(&mut rig);
    let request = asked(&outputs, "/api/v1/bullet-private").request();
    let outputs = refuse(&mut rig, request, 400_002);
    assert_eq!(events(&outputs), [], "no failure yet");
    let clock = asked(&outputs, "/api/v1/timestamp");
    assert_eq!(clock.sign(), Sign::No);
    let clock = clock.request();
    rig.now = rig.now + 200 * MS;
    let outputs = rig.reply(clock, r#"{"code":"200000","data":1791500000000}"#);
    let again = asked(&outputs, "/api/v1/bullet-private");
    assert_eq!(signed_at(again), 1_791_500_000_100, "half of the way back has passed");
    // The second one is an answer like any other: backed off, and not final.
    let request = again.request();
    let outputs = refuse(&mut rig, request, 400_002);
    let told = events(&outputs);
    assert!(told.iter().any(|event| matches!(
        event,
        Event::Line(PRIVATE, LineEvent::TokenFailed(RestError::Api { code: 400_002, .. }))
    )));
    assert!(matches!(rig.client.status(orders), TopicStatus::Wanted));
    let outputs = rig.pass(3 * SECOND);
    let later = asked(&outputs, "/api/v1/bullet-private");
    assert!(signed_at(later) > 1_791_500_000_100, "by the clock that was learned");
}

#[test]
fn queries_that_were_refused_for_their_time_are_asked_once_more_under_the_users_name() {
    let mut rig = Rig::new();
    let ours = rig.client.fetch(rig.now, Query::Positions).unwrap();
    let outputs = rig.drain();
    let first = asked(&outputs, "/api/v1/positions");
    assert_eq!((first.sign(), first.request()), (Sign::WallClock, ours));
    let outputs = refuse(&mut rig, ours, 400_002);
    let clock = asked(&outputs, "/api/v1/timestamp").request();
    let outputs = rig.reply(clock, r#"{"code":"200000","data":1791500000000}"#);
    let again = asked(&outputs, "/api/v1/positions");
    assert_eq!(signed_at(again), 1_791_500_000_000);
    let again = again.request();
    assert_ne!(again, ours, "another request");
    let body = br#"{"code":"200000","data":[]}"#;
    let head = ResponseHead::new(200);
    let turn = rig.client.handle(rig.now, Input::Reply { request: again, head, body });
    assert_eq!(turn.into_message().unwrap().request(), Some(ours), "answered as it was asked");
}

#[test]
fn without_the_exchanges_clock_what_was_refused_for_its_time_has_failed() {
    let mut rig = Rig::new();
    let ours = rig.client.fetch(rig.now, Query::Positions).unwrap();
    rig.drain();
    let outputs = refuse(&mut rig, ours, 400_002);
    let clock = asked(&outputs, "/api/v1/timestamp").request();
    let outputs = rig.input(Input::Failed { request: clock, error: TransportError::TimedOut });
    let [Event::QueryFailed { request, reason: RestError::Api { code: 400_002, .. } }] =
        events(&outputs)[..]
    else {
        panic!("{outputs:?}")
    };
    assert_eq!(request, ours);
}

#[test]
fn a_close_ends_what_waits_for_the_clock() {
    let mut rig = Rig::new();
    let ours = rig.client.fetch(rig.now, Query::Positions).unwrap();
    rig.drain();
    refuse(&mut rig, ours, 400_002);
    rig.client.close(rig.now);
    let closed = Event::QueryFailed { request: ours, reason: RestError::Closed };
    assert_eq!(events(&rig.drain()), [closed]);
    assert_eq!(rig.client.subscribe(rig.now, Channel::wallet()), Err(Misuse::Closed));
}

#[test]
fn what_is_pushed_of_one_contract_reaches_who_asked_for_all() {
    let mut rig = Rig::new();
    let positions = rig.client.subscribe(rig.now, Channel::positions()).unwrap();
    let outputs = rig.drain();
    let request = asked(&outputs, "/api/v1/bullet-private").request();
    rig.grant(request);
    rig.opened();
    rig.welcome();
    rig.ack(1);
    let frame = r#"{"topic":"/contract/position:LINKUSDTM","type":"message","subject":"position.settlement","channelType":"private","userId":"u7","data":{"fundingTime":1791500000000,"qty":-3,"markPrice":14.5,"fundingRate":1.0E-4,"fundingFee":0.00435,"ts":1791500000251000000,"settleCurrency":"USDT"}}"#;
    let tag = rig.pushed(frame).unwrap();
    assert_eq!(tag.on(frame.as_bytes()).topic(), Some(positions));
}
