//! When a snapshot is asked for, and which one is used.

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
    BookDelayReason, BookEvent, BookStatus, Config, Epoch, Event, Input, Output, RequestId,
    ResponseHead, RestError, Sequence, TopicEvent, TopicId, TopicStatus, TransportError, WireError,
    WordsId,
};

/// The classic mistake: a snapshot first and the subscription afterwards; what happens between the
/// two is lost, and the book is wrong but plausible.
#[test]
fn a_snapshot_is_asked_for_only_once_the_subscription_is_confirmed() {
    let (mut rig, link) = Rig::asked(Config::default());
    rig.change(499, "14.2,buy,5");
    rig.change(500, "14.2,buy,2");
    assert_eq!(fetches(&rig.pass(4 * SECOND)).len(), 0);
    assert_eq!(rig.client.book_status(link), Some(BookStatus::Buffering));
    rig.ack(1);
    assert_eq!(fetches(&rig.pass(SECOND - MS)).len(), 0, "the ack alone: a second of patience");
    let request = snapshot_request(&rig.pass(MS));
    assert_eq!(events(&rig.reply(request, &plain_snapshot(499))), [live(link, 500)]);
    assert_eq!(
        rig.shown(link).unwrap(),
        "500: 14.2*2 14.1*7 | 14.3*6 14.4*8",
        "with what came before"
    );
}

#[test]
fn the_first_delta_after_the_ack_brings_the_snapshot_forward() {
    let mut rig = Rig::confirmed(Config::default()).0;
    rig.pass(100 * MS);
    rig.change(500, "14.2,buy,2");
    rig.pass(150 * MS);
    rig.change(501, "14.2,buy,3");
    assert_eq!(fetches(&rig.pass(50 * MS - MS)).len(), 0);
    snapshot_request(&rig.pass(MS));
}

/// The classic mistake: throwing the buffer away along with a snapshot that is too old.
#[test]
fn a_snapshot_that_is_too_old_is_asked_for_again_and_the_buffer_kept() {
    let (mut rig, link) = Rig::confirmed(Config::default());
    rig.change(510, "14.2,buy,2");
    let request = snapshot_request(&rig.pass(SECOND));
    let snapshot = Sequence::new(508);
    let too_old = delayed(link, BookDelayReason::SnapshotTooOld { snapshot });
    let asked_at = rig.now;
    assert_eq!(events(&rig.reply(request, &plain_snapshot(508))), [too_old]);
    rig.change(511, "14.1,buy,0");
    let (request, waited) = next_request(&mut rig);
    assert!(waited >= SECOND - MS && rig.now.since(asked_at) >= SECOND / 5, "{waited:?}");
    assert_eq!(events(&rig.reply(request, &plain_snapshot(509))), [live(link, 511)]);
    assert_eq!(rig.shown(link).unwrap(), "511: 14.2*2 | 14.3*6 14.4*8");
    assert_eq!(rig.client.stats().snapshots_too_old, 1);
}

#[test]
fn snapshots_that_stay_too_old_are_asked_for_ever_more_slowly() {
    let (mut rig, _) = Rig::confirmed(Config::default());
    rig.change(510, "14.2,buy,2");
    let mut request = snapshot_request(&rig.pass(SECOND));
    for _ in 0..40 {
        rig.reply(request, &plain_snapshot(508));
        let waited;
        (request, waited) = next_request(&mut rig);
        assert!(waited >= SECOND && waited <= 31 * SECOND, "{waited:?}");
    }
    assert_eq!(rig.client.stats().snapshots_too_old, 40);
}

/// Otherwise a counter that was set back while nobody listened would stop a still market's book.
#[test]
fn a_past_that_nothing_but_old_snapshots_contradict_is_forgotten_in_the_end() {
    let (mut rig, link) = Rig::live(Config::default());
    rig.lose(TransportError::Eof);
    let request = bullet_request(&rig.pass(SECOND));
    rig.reconnect(request);
    rig.ack(2);
    let mut request = snapshot_request(&rig.pass(SECOND));
    for _ in 0..10 {
        rig.reply(request, &plain_snapshot(90));
        assert_eq!(rig.shown(link), None);
        request = next_request(&mut rig).0;
    }
    rig.reply(request, &plain_snapshot(90));
    assert!(rig.shown(link).unwrap().starts_with("90:"));
}

#[test]
fn a_snapshot_ahead_of_all_that_came_is_fine() {
    let (mut rig, link) = Rig::confirmed(Config::default());
    rig.change(510, "14.2,buy,2");
    let request = snapshot_request(&rig.pass(SECOND));
    assert_eq!(events(&rig.reply(request, &plain_snapshot(513))), [live(link, 513)]);
    for (covered, change) in [(511, "14.2,buy,99"), (512, "14,buy,0"), (513, "14.2,buy,5")] {
        assert_eq!(rig.change(covered, change), [], "contained");
    }
    assert!(matches!(rig.change(514, "14.2,buy,8")[..], [Event::Book(_, BookEvent::Delta(_))]));
    assert_eq!(rig.shown(link).unwrap(), "514: 14.2*8 14.1*7 | 14.3*6 14.4*8");
}

#[test]
fn a_snapshot_of_another_symbol_is_of_no_use() {
    let (mut rig, link) = Rig::confirmed(Config::default());
    let request = snapshot_request(&rig.pass(SECOND));
    let error = WireError::Mismatch { field: "symbol" };
    let outputs = rig.reply(request, &snapshot("AVAXUSDTM", 500, "[14.2,5]", ""));
    assert_eq!(events(&outputs), [delayed(link, BookDelayReason::SnapshotMalformed(error))]);
    assert_eq!(rig.client.book_status(link), Some(BookStatus::Buffering));
    let request = next_request(&mut rig).0;
    assert_eq!(events(&rig.reply(request, &plain_snapshot(500))), [live(link, 500)]);
}

#[test]
fn a_snapshot_that_is_none_is_of_no_use() {
    for body in [
        "",
        "<html>",
        r#"{"code":"200000","data":null}"#,
        r#"{"code":"200000","data":{"sequence":1,"symbol":"LINKUSDTM"}}"#,
        &edited(&plain_snapshot(500), ":500,", ":\"5e2\","),
        &edited(&plain_snapshot(500), ":500,", ":-500,"),
        &edited(&plain_snapshot(500), "14.1,7", "14.1"),
        &edited(&plain_snapshot(500), "14.1,7", "14.1,0.5"),
        &edited(&plain_snapshot(500), "14.1,7", "14.2,7"),
        &edited(&plain_snapshot(500), "14.1,7", "14.9,7"),
        &edited(&plain_snapshot(500), "14.3,6", "-1,6"),
        &edited(&plain_snapshot(500), "14.4,8", "14.2,8"),
        &plain_snapshot(500)[..90],
    ] {
        let (mut rig, link) = Rig::confirmed(Config::default());
        let request = snapshot_request(&rig.pass(SECOND));
        let events = events(&rig.reply(request, body));
        assert!(
            matches!(events[..], [Event::Book(_, BookEvent::Delayed(_))]),
            "{body}: {events:?}"
        );
        assert_eq!(rig.shown(link), None);
        next_request(&mut rig);
    }
}

#[test]
fn an_answer_to_an_earlier_request_is_nothing() {
    let (mut rig, link) = Rig::confirmed(Config::default());
    let early = snapshot_request(&rig.pass(SECOND));
    let failure = BookDelayReason::SnapshotFailed(RestError::Lost(TransportError::TimedOut));
    assert_eq!(events(&rig.pass(11 * SECOND)), [delayed(link, failure)]);
    let late = next_request(&mut rig).0;
    assert_eq!(rig.reply(early, &plain_snapshot(400)), []);
    assert_eq!(rig.reply(RequestId::new(99), &plain_snapshot(400)), []);
    assert_eq!(rig.shown(link), None);
    assert_eq!(events(&rig.reply(late, &plain_snapshot(500))), [live(link, 500)]);
    assert_eq!(rig.client.stats().stale_inputs, 2);
}

#[test]
fn a_gap_in_the_buffer_restarts_it_and_a_snapshot_past_the_gap_still_fits() {
    let (mut rig, link) = Rig::confirmed(Config::default());
    rig.change(510, "14.2,buy,2");
    let request = snapshot_request(&rig.pass(SECOND));
    assert_eq!(rig.change(512, "14.2,buy,4"), [delayed(link, BookDelayReason::Gap)]);
    assert_eq!(events(&rig.reply(request, &plain_snapshot(511))), [live(link, 512)]);
    assert_eq!(rig.shown(link).unwrap(), "512: 14.2*4 14.1*7 | 14.3*6 14.4*8");
}

/// The classic mistake: dropping the oldest of a full buffer, which hides a gap.
#[test]
fn a_buffer_that_overflows_is_emptied_and_not_thinned() {
    let (mut rig, link) = Rig::confirmed(with(|config| config.book.max_pending_deltas = 3));
    for sequence in 510..513 {
        rig.change(sequence, "14.2,buy,2");
    }
    assert_eq!(rig.change(513, "14.2,buy,3"), [delayed(link, BookDelayReason::Overflow)]);
    let request = snapshot_request(&rig.pass(SECOND));
    let snapshot = Sequence::new(511);
    let too_old = delayed(link, BookDelayReason::SnapshotTooOld { snapshot });
    assert_eq!(events(&rig.reply(request, &plain_snapshot(511))), [too_old]);
    let request = next_request(&mut rig).0;
    assert_eq!(events(&rig.reply(request, &plain_snapshot(512))), [live(link, 513)]);
}

/// The first that a client hears.
const FIRST_WORDS: Option<WordsId> = Some(WordsId::new(1));

const fn rejected() -> TopicEvent {
    TopicEvent::Rejected { code: 200_003, words: FIRST_WORDS }
}

/// The stream confirms any symbol, and then says nothing for ever.
#[test]
fn a_symbol_unknown_to_rest_is_rejected_and_ended() {
    let (mut rig, link) = Rig::confirmed(Config::default());
    let request = snapshot_request(&rig.pass(SECOND));
    let outputs = rig.reply(request, r#"{"msg":"Invalid symbol.","code":"200003"}"#);
    assert_eq!(events(&outputs), [Event::Topic(link, rejected())]);
    let asked = sent(&outputs);
    assert_eq!(
        (asked[0].kind.as_str(), asked[0].topic.as_str()),
        ("unsubscribe", "/contractMarket/level2:LINKUSDTM")
    );
    assert_eq!(rig.client.status(link), TopicStatus::Rejected { code: 200_003 });
    rig.ack(asked[0].id);
    assert_eq!(fetches(&rig.pass(60 * SECOND)).len(), 0);
    assert_eq!(rig.want(LINK), link, "it may be tried again");
    assert_eq!(sent(&rig.drain())[0].kind, "subscribe");
}

/// During an upgrade of the exchange REST knows no symbol at all, and the streams go on.
#[test]
fn a_symbol_that_speaks_is_not_unknown_because_rest_says_so_once() {
    let (mut rig, link) = Rig::live(Config::default());
    rig.change(501, "14.2,buy,1");
    rig.change(503, "14.2,buy,1");
    let mut pauses = Vec::new();
    for _ in 0..8 {
        let (request, pause) = next_request(&mut rig);
        let outputs = rig.reply(request, r#"{"msg":"Invalid symbol.","code":"200003"}"#);
        let failed = BookDelayReason::SnapshotFailed(RestError::Api {
            code: 200_003,
            status: 200,
            words: FIRST_WORDS,
        });
        assert_eq!(events(&outputs), [delayed(link, failed)]);
        pauses.push(pause);
    }
    assert!(pauses[7] > 3 * pauses[0] && pauses[7] <= 31 * SECOND, "they grow: {pauses:?}");
    let request = next_request(&mut rig).0;
    rig.reply(request, &plain_snapshot(502));
    assert_eq!(rig.client.book_status(link), Some(BookStatus::Live));
}

/// Whatever it said long ago.
#[test]
fn a_symbol_that_has_said_nothing_for_a_day_is_unknown_if_rest_says_so() {
    let (mut rig, link) = Rig::live(Config::default());
    rig.change(501, "14.2,buy,1");
    for _ in 0..25 {
        rig.pass(3600 * SECOND);
    }
    // The last request about its silence has come to its end.
    rig.pass(30 * SECOND);
    rig.lose(TransportError::Eof);
    let request = bullet_request(&rig.pass(2 * SECOND));
    let id = sent(&rig.reconnect(request))[0].id;
    rig.ack(id);
    let request = snapshot_request(&rig.pass(SECOND));
    let outputs = rig.reply(request, r#"{"msg":"Invalid symbol.","code":"200003"}"#);
    assert_eq!(events(&outputs), [Event::Topic(link, rejected())]);
}

#[test]
fn one_symbol_is_asked_for_no_more_than_once_a_second() {
    let (mut rig, _) = Rig::live(Config::default());
    let mut last = None;
    for gap in 1..20 {
        let behind = 500 + 10 * gap;
        rig.change(behind + 1, "14.2,buy,1");
        let (request, _) = next_request(&mut rig);
        if let Some(last) = last.replace(rig.now) {
            assert!(rig.now.since(last) >= SECOND);
        }
        rig.reply(request, &plain_snapshot(behind));
    }
}

#[test]
fn eight_snapshots_are_in_flight_at_most_and_the_fullest_buffer_goes_first() {
    let (mut rig, topics) = confirmed(12);
    for (n, &topic) in (0..).zip(&topics) {
        // The last topics have the fullest buffers.
        for sequence in 500..=500 + n {
            rig.text(&level2(&symbol(n), sequence, "14.2,buy,1"));
        }
        assert_eq!(rig.client.book_status(topic), Some(BookStatus::Buffering));
    }
    let outputs = rig.pass(SECOND);
    assert_eq!(symbols_of(&outputs), (4..12).rev().map(symbol).collect::<Vec<_>>());
    let first = fetches(&outputs)[0].request();
    let next = rig.reply(first, &snapshot(&symbol(11), 499, "[14.1,1]", ""));
    assert_eq!(symbols_of(&next), [symbol(3)], "one comes, one goes");
}

/// A budget in weight, shared by all requests: 3 for a snapshot, 10 for the token.
#[test]
fn snapshots_stay_within_the_budget_of_the_address() {
    let (mut rig, topics) =
        confirmed_with(30, with(|config| config.budgets.rest_weight_per_30s = 40));
    let mut outputs = rig.pass(SECOND);
    let mut asked = Vec::new();
    while asked.len() < topics.len() {
        let fetch = fetches(&outputs).first().map(|f| (f.request(), f.path().to_owned()));
        outputs = if let Some((request, path)) = fetch {
            asked.push(rig.now);
            let recent = asked.iter().filter(|at| rig.now.since(**at) < 30 * SECOND).count();
            assert!(recent * 3 <= 40);
            let symbol = path.split_once('=').unwrap().1;
            let rest = outputs.split_off(1);
            let more = rig.reply(request, &snapshot(symbol, 500, "[14.1,1]", ""));
            rest.into_iter().chain(more).filter(|o| matches!(o, Output::Fetch(_))).collect()
        } else {
            let due = rig.client.poll_timeout().unwrap().at;
            rig.pass(due.since(rig.now))
                .into_iter()
                .filter(|o| matches!(o, Output::Fetch(_)))
                .collect()
        };
    }
    assert!(topics.iter().all(|topic| rig.client.book(*topic).is_some()));
}

/// Found on sockets: of 700 books one was lost while the others came, and was out for half a minute, until the budget
/// was free again.
#[test]
fn a_book_that_was_live_does_not_wait_for_those_that_never_were() {
    let (mut rig, topics) =
        confirmed_with(90, with(|config| config.budgets.rest_weight_per_30s = 200));
    let answer = |rig: &mut Rig, outputs: &[Output<'_>]| {
        let asked: Vec<_> = fetches(outputs).iter().map(|fetch| fetch.request()).collect();
        let symbols = symbols_of(outputs);
        let answered = asked
            .into_iter()
            .zip(&symbols)
            .map(|(request, symbol)| rig.reply(request, &snapshot(symbol, 500, "[14.1,1]", "")));
        (symbols.len(), answered.collect::<Vec<_>>().concat())
    };
    let (mut asked, mut outputs) = (0, rig.pass(SECOND));
    while !fetches(&outputs).is_empty() {
        let (now, more) = answer(&mut rig, &outputs);
        (asked, outputs) = (asked + now, more);
    }
    assert_eq!(asked, 60, "a token of 10, 60 snapshots of 3, and 10 are left");
    let live = topics.iter().position(|topic| rig.client.book(*topic).is_some()).unwrap();
    rig.text(&level2(&symbol(live as u64), 507, "14.2,buy,1"));
    assert_eq!(symbols_of(&rig.pass(2 * SECOND)), [symbol(live as u64)]);
}

#[test]
fn a_429_that_names_a_time_stops_all_requests_until_then() {
    let (mut rig, topics) = confirmed(9);
    let outputs = rig.pass(SECOND);
    let requests: Vec<_> = fetches(&outputs).iter().map(|fetch| fetch.request()).collect();
    let mut head = ResponseHead::new(429);
    head.header("gw-ratelimit-reset", "7300");
    let limited = rig.reply_with(requests[0], head, r#"{"code":"429000","msg":"x"}"#);
    let retry_after = Some(Duration::from_millis(7300));
    let failure = RestError::RateLimited {
        retry_after,
        status: 429,
        code: Some(429_000),
        words: FIRST_WORDS,
    };
    let reason = BookDelayReason::SnapshotFailed(failure);
    assert!(matches!(events(&limited)[..], [Event::Book(_, BookEvent::Delayed(r))] if r == reason));
    for (n, request) in requests.iter().enumerate().skip(1) {
        rig.reply(*request, &snapshot(&symbol(n as u64), 500, "[14.1,1]", ""));
    }
    rig.client.fetch(rig.now, kucoin_futures_proto::Query::ServerTime).unwrap();
    assert_eq!(fetches(&rig.pass(7300 * MS - MS)).len(), 0, "neither snapshots nor queries");
    assert_eq!(fetches(&rig.pass(2 * SECOND)).len(), 3, "the two that are left, and the query");
    assert_eq!(topics.len(), 9);
}

#[test]
fn a_429_without_a_time_concerns_the_one_request() {
    let (mut rig, link) = Rig::confirmed(Config::default());
    let request = snapshot_request(&rig.pass(SECOND));
    let failure =
        RestError::RateLimited { retry_after: None, status: 429, code: None, words: None };
    let outputs = rig.reply_with(request, ResponseHead::new(429), "<html>");
    assert_eq!(events(&outputs), [delayed(link, BookDelayReason::SnapshotFailed(failure))]);
    rig.client.fetch(rig.now, kucoin_futures_proto::Query::ServerTime).unwrap();
    assert_eq!(
        fetches(&rig.drain()).len(),
        1,
        "the server is overloaded, the quota is not used up"
    );
    let outputs = rig.input(Input::Timeout);
    assert_eq!(outputs, []);
}

/// The first answer in the list of `events` that asks for a snapshot, and how long it took.
fn next_request(rig: &mut Rig) -> (RequestId, Duration) {
    let start = rig.now;
    for _ in 0..100 {
        let due = rig.client.poll_timeout().unwrap().at;
        let outputs = rig.pass(due.since(rig.now));
        if !fetches(&outputs).is_empty() {
            return (snapshot_request(&outputs), rig.now.since(start));
        }
    }
    panic!("no request in all that time")
}

fn with(change: impl Fn(&mut Config)) -> Config {
    let mut config = Config::default();
    change(&mut config);
    config
}

fn symbol(n: u64) -> String {
    format!("T{n:02}USDTM")
}

fn confirmed(count: u64) -> (Rig, Vec<TopicId>) {
    confirmed_with(count, Config::default())
}

fn confirmed_with(count: u64, config: Config) -> (Rig, Vec<TopicId>) {
    let mut rig = Rig::with(config);
    let topics = (0..count).map(|n| rig.want(&symbol(n))).collect();
    let request = bullet_request(&rig.drain());
    rig.reconnect(request);
    assert_eq!(rig.ack(1).len() as u64, count);
    (rig, topics)
}

fn symbols_of(outputs: &[Output<'_>]) -> Vec<String> {
    let paths = fetches(outputs).into_iter().map(|fetch| fetch.path());
    paths.map(|path| path.split_once("?symbol=").unwrap().1.into()).collect()
}

fn live(topic: TopicId, sequence: u64) -> Event {
    Event::Book(topic, BookEvent::Live { epoch: Epoch::new(1), sequence: Sequence::new(sequence) })
}

fn delayed(topic: TopicId, reason: BookDelayReason) -> Event {
    Event::Book(topic, BookEvent::Delayed(reason))
}
