//! Books that are doubted, and how they come back. When snapshots are asked for is in
//! `snapshots.rs`.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "tests"
)]

mod common;

use common::*;
use kucoin_futures_proto::book::{Best, Coverage};
use kucoin_futures_proto::wire::Side;
use kucoin_futures_proto::{
    BookDelayReason, BookEvent, BookLostReason, BookStatus, Config, Epoch, Event, Evidence,
    Sequence, TopicEvent, TopicId, TransportError, WireError,
};

const AVAX: &str = "AVAXUSDTM";

#[test]
fn each_delta_is_reported_once_and_in_order() {
    let (mut rig, link) = Rig::live(Config::default());
    for sequence in 501..505 {
        let change = format!("14.1,buy,{}", sequence - 501);
        let [Event::Book(topic, BookEvent::Delta(delta))] = rig.change(sequence, &change)[..]
        else {
            panic!("one event for one delta")
        };
        assert_eq!((topic, delta.sequence.get()), (link, sequence));
        assert_eq!(rig.client.book(link).unwrap().sequence(), delta.sequence);
        assert_eq!(rig.change(sequence, &change), [], "a repeat is nothing");
    }
    assert_eq!(rig.shown(link).unwrap(), "504: 14.2*5 14.1*3 | 14.3*6 14.4*8");
    assert_eq!((rig.client.stats().deltas, rig.client.stats().repeats), (4, 4));
}

/// The classic mistake: going on over a gap.
#[test]
fn a_gap_takes_the_book_away_before_anything_else_is_said() {
    let (mut rig, link) = Rig::live(Config::default());
    rig.change(501, "14.1,buy,3");
    let (expected, got) = (Sequence::new(502), Sequence::new(503));
    let reason = BookLostReason::Gap { expected, got };
    assert_eq!(rig.change(503, "14.1,buy,4"), [lost(link, 1, reason)]);
    assert_eq!(rig.shown(link), None);
    assert_eq!(rig.client.book_status(link), Some(BookStatus::Buffering));
    assert_eq!(rig.client.book_epoch(link), None, "the first run is over");

    rig.change(504, "14.4,sell,0");
    let request = snapshot_request(&rig.pass(SECOND));
    let back = rig.reply(request, &plain_snapshot(502));
    assert_eq!(events(&back), [live(link, 2, 504)], "with all that came meanwhile");
    assert_eq!(rig.client.book_epoch(link).map(Epoch::get), Some(2));
    assert_eq!(rig.shown(link).unwrap(), "504: 14.2*5 14.1*4 | 14.3*6");
}

#[test]
fn a_gap_concerns_one_book_and_no_other() {
    let (mut rig, link, avax) = two_live_books();
    rig.change(503, "14.1,buy,4");
    assert_eq!((rig.shown(link), rig.client.book(avax).is_some()), (None, true));
    let outputs = rig.text(&level2(AVAX, 701, "31.5,sell,1"));
    assert!(
        matches!(events(&outputs)[..], [Event::Book(topic, BookEvent::Delta(_))] if topic == avax)
    );
    assert_eq!(fetches(&rig.pass(SECOND)).len(), 1, "one snapshot is fetched");
}

/// The classic mistake: a book that survives a reconnect has ghosts in it.
#[test]
fn a_new_connection_begins_with_no_book() {
    let (mut rig, link, avax) = two_live_books();
    let outputs = rig.lose(TransportError::Eof);
    let losses = [lost(link, 1, BookLostReason::LineDown), lost(avax, 1, BookLostReason::LineDown)];
    assert_eq!(events(&outputs)[1..3], losses);
    assert_eq!((rig.shown(link), rig.shown(avax)), (None, None));
    assert_eq!(rig.client.book_status(link), Some(BookStatus::Stale));

    let request = bullet_request(&rig.pass(SECOND));
    let asked = sent(&rig.reconnect(request));
    rig.ack(asked[0].id);
    rig.change(600, "13,buy,1");
    assert_eq!(rig.shown(link), None, "not before a new snapshot");
    let requests: Vec<_> = fetches(&rig.pass(SECOND)).iter().map(|f| f.request()).collect();
    rig.reply(requests[0], &snapshot(LINK, 600, "[13,1]", ""));
    assert_eq!(rig.shown(link).unwrap(), "600: 13*1 | ", "nothing of the old one");
}

#[test]
fn a_snapshot_from_before_the_reconnect_is_too_old() {
    let (mut rig, link) = Rig::live(Config::default());
    rig.change(501, "14.1,buy,3");
    rig.lose(TransportError::Eof);
    let request = bullet_request(&rig.pass(SECOND));
    rig.reconnect(request);
    rig.ack(2);
    let request = snapshot_request(&rig.pass(SECOND));
    let old = rig.reply(request, &plain_snapshot(500));
    let (snapshot, evidence) = (Sequence::new(500), Evidence::BelowHighWater);
    let doubted = BookDelayReason::SnapshotDoubted { snapshot, evidence };
    assert_eq!(events(&old), [delayed(link, doubted)]);
    let request = snapshot_request(&rig.pass(2 * SECOND));
    assert_eq!(events(&rig.reply(request, &plain_snapshot(501))), [live(link, 2, 501)]);
}

/// The classic mistake: sequences look like times in milliseconds, and are compared with them.
#[test]
fn order_is_by_sequence_and_never_by_time() {
    let (mut rig, link) = Rig::live(Config::default());
    let at = |sequence: u64, time: u64| {
        edited(&level2(LINK, sequence, "14.1,buy,3"), "1791500000250", &time.to_string())
    };
    for (sequence, time) in
        [(501, 1_791_500_000_300), (502, 1_791_500_000_299), (503, 1_700_000_000_000), (504, 0)]
    {
        let outputs = rig.text(&at(sequence, time));
        assert!(
            matches!(events(&outputs)[..], [.., Event::Book(_, BookEvent::Delta(_))]),
            "{sequence} at {time}"
        );
    }
    assert_eq!(rig.text(&at(504, 0)), [], "a repeat");
    assert!(
        matches!(events(&rig.text(&at(506, 505)))[..], [Event::Book(_, BookEvent::Lost { .. })]),
        "a gap"
    );
    assert_eq!(rig.shown(link), None);
}

/// The classic mistake: `84474.0` and `84474` as two levels.
#[test]
fn prices_are_numbers_however_they_are_written() {
    let (mut rig, link) = Rig::confirmed(Config::default());
    let request = snapshot_request(&rig.pass(SECOND));
    rig.reply(request, &snapshot(LINK, 500, "[84474.0,5],[8.4E4,2]", r#"["84475.50",6]"#));
    rig.change(501, "84474,buy,0");
    rig.change(502, "84000.00,buy,0");
    rig.change(503, "84475.5,sell,0");
    assert_eq!(rig.shown(link).unwrap(), "503:  | ");
}

#[test]
fn three_repeats_in_a_row_mean_that_the_counter_was_set_back() {
    let (mut rig, link) = Rig::live(Config::default());
    for sequence in 501..=900 {
        rig.change(sequence, "14.1,buy,3");
    }
    assert_eq!((rig.change(300, "14,buy,1"), rig.change(301, "14,buy,2")), (vec![], vec![]));
    assert_eq!(
        rig.change(302, "14,buy,3"),
        [lost(link, 1, BookLostReason::SequenceReset(Evidence::ThreeRepeats))]
    );
    rig.change(303, "14.1,buy,4");
    let request = snapshot_request(&rig.pass(SECOND));
    let lower = snapshot(LINK, 303, "[14.2,5],[14.1,4],[14,3]", "[14.3,6],[14.4,8]");
    let back = rig.reply(request, &lower);
    assert_eq!(events(&back), [live(link, 2, 303)], "a lower snapshot is right now");
    assert_eq!(rig.shown(link).unwrap(), "303: 14.2*5 14.1*4 14*3 | 14.3*6 14.4*8");
}

#[test]
fn a_long_step_back_means_the_same_at_once() {
    let (mut rig, link) = Rig::live(Config::default());
    let request = {
        rig.change(502, "14.1,buy,3");
        snapshot_request(&rig.pass(SECOND))
    };
    rig.reply(request, &plain_snapshot(5000));
    rig.change(5001, "14.1,buy,3");
    assert_eq!(rig.change(5001 - 1023, "14.1,buy,4"), [], "a repeat, for all we know");
    let events = rig.change(5001 - 1024, "14.1,buy,4");
    assert_eq!(events, [lost(link, 2, BookLostReason::SequenceReset(Evidence::LongStepBack))]);
}

#[test]
fn a_snapshot_that_was_on_its_way_when_the_counter_was_set_back_is_not_used() {
    let (mut rig, link) = Rig::live(Config::default());
    rig.change(5000, "14.1,buy,3");
    let before = snapshot_request(&rig.pass(SECOND));
    assert_eq!(
        rig.change(20, "14.1,buy,7"),
        [delayed(link, BookDelayReason::SequenceReset(Evidence::LongStepBack))]
    );
    assert_eq!(rig.reply(before, &plain_snapshot(5000)), [], "of another counter");
    let after = snapshot_request(&rig.pass(SECOND));
    assert_eq!(events(&rig.reply(after, &plain_snapshot(20))), [live(link, 2, 20)]);
}

/// Loaded ahead of a stream that never gets there: the snapshot was of another counter.
#[test]
fn a_book_that_its_stream_does_not_reach_in_time_is_given_up() {
    let (mut rig, link) = Rig::live(Config::default());
    rig.change(502, "14.1,buy,3");
    let request = snapshot_request(&rig.pass(SECOND));
    assert_eq!(events(&rig.reply(request, &plain_snapshot(900))), [live(link, 2, 900)]);
    for sequence in 503..513 {
        assert_eq!(rig.change(sequence, "14.1,buy,4"), [], "covered by the snapshot");
        rig.pass(SECOND / 2);
    }
    let events = rig.change(513, "14.1,buy,4");
    assert_eq!(events, [], "after five seconds, but not after more");
    rig.pass(MS);
    assert_eq!(
        rig.change(514, "14.1,buy,4"),
        [lost(link, 2, BookLostReason::SequenceReset(Evidence::StreamStaysBehind))]
    );
    assert_eq!(rig.client.stats().covered, 12);
}

#[test]
fn a_delta_that_cannot_be_read_takes_the_book_away() {
    let (mut rig, link) = Rig::live(Config::default());
    let error = WireError::Malformed { field: "change" };
    assert_eq!(rig.change(501, "14.1,BUY,3"), [lost(link, 1, BookLostReason::Poisoned(error))]);
    let request = snapshot_request(&rig.pass(SECOND));
    assert_eq!(events(&rig.reply(request, &plain_snapshot(501))), [live(link, 2, 501)]);
    assert_eq!(rig.client.stats().poisoned, 1);
}

#[test]
fn a_symbol_with_three_such_deltas_in_a_minute_waits_a_minute_and_no_other_does() {
    let (mut rig, link, avax) = two_live_books();
    for sequence in 501..504 {
        rig.change(sequence, "14.1,buy,0.5");
        rig.pass(SECOND / 10);
    }
    rig.text(&level2(AVAX, 702, "31,buy,1"));
    let outputs = rig.pass(58 * SECOND);
    let paths: Vec<_> = fetches(&outputs).iter().map(|fetch| fetch.path().to_owned()).collect();
    assert!(paths.iter().all(|path| path.ends_with(AVAX)), "{paths:?}");
    assert_eq!((rig.shown(link), paths.is_empty()), (None, false));
    assert!(rig.client.book(avax).is_none(), "nobody answered");
    let paths = rig.pass(3 * SECOND);
    assert!(fetches(&paths).iter().any(|fetch| fetch.path().ends_with(LINK)));
}

#[test]
fn a_book_crossed_for_a_second_is_doubted() {
    let (mut rig, link) = Rig::live(Config::default());
    rig.change(501, "14.3,buy,1");
    assert!(rig.client.book(link).unwrap().is_crossed(), "shown as it is");
    assert_eq!(rig.pass(SECOND - MS), []);
    assert_eq!(events(&rig.pass(MS)), [lost(link, 1, BookLostReason::Crossed)]);
}

#[test]
fn a_book_crossed_for_a_moment_is_not() {
    let (mut rig, link) = Rig::live(Config::default());
    for n in 0..5 {
        rig.change(501 + 2 * n, "14.3,buy,1");
        rig.pass(SECOND - MS);
        rig.change(502 + 2 * n, "14.3,buy,0");
        rig.pass(SECOND / 10);
    }
    assert_eq!(rig.shown(link).unwrap(), "510: 14.2*5 14.1*7 | 14.3*6 14.4*8");
}

/// The classic mistake: taking a cut snapshot for the whole book.
#[test]
fn the_end_of_a_cut_snapshot_is_known_and_never_walked_over() {
    let mut config = Config::default();
    (config.book.snapshot_levels, config.book.refresh_below) = (2, 0);
    let (mut rig, link) = Rig::live(config);
    rig.change(501, "14,buy,9");
    rig.change(502, "14.2,buy,0");
    rig.change(503, "14.1,buy,0");
    let book = rig.client.book(link).unwrap();
    assert_eq!(book.reach(Side::Bid), Coverage::To("14.1".parse().unwrap()));
    assert_eq!(book.best_bid(), Best::Unknown, "14 is held, but 14.05 may stand before it");
}

#[test]
fn a_book_that_comes_near_its_horizon_is_widened() {
    let mut config = Config::default();
    (config.book.snapshot_levels, config.book.refresh_below) = (4, 2);
    let (mut rig, link) = Rig::confirmed(config);
    let request = snapshot_request(&rig.pass(SECOND));
    let asks = "[14.3,1],[14.4,1],[14.5,1],[14.6,1]";
    rig.reply(request, &snapshot(LINK, 500, "[14.2,5]", asks));
    rig.change(501, "14.3,sell,0");
    rig.change(502, "14.4,sell,0");
    rig.change(503, "14.2,buy,0");
    assert!(rig.client.book(link).is_some(), "the other side is known whole, however short");
    let out = rig.text(&level2(LINK, 504, "14.5,sell,0"));
    assert!(matches!(events(&out)[..], [Event::Book(_, BookEvent::Delta(_))]), "it stays live");
    let request = snapshot_request(&rig.pass(SECOND));
    rig.change(505, "14.5,sell,3");
    let asks = "[14.5,3],[14.6,1],[14.7,1],[14.8,1]";
    let told = events(&rig.reply(request, &snapshot(LINK, 505, "", asks)));
    let verified = BookEvent::Verified { sequence: Sequence::new(505), is_wider: true };
    assert_eq!(told, [Event::Book(link, verified)]);
    assert_eq!(rig.shown(link).unwrap(), "505:  | 14.5*3 14.6*1 14.7*1 14.8*1");
}

/// Where the market runs away faster than a snapshot can be had, the book says so before its best is unknown.
#[test]
fn a_book_that_leaves_its_horizon_is_not_live() {
    let mut config = Config::default();
    (config.book.snapshot_levels, config.book.refresh_below) = (4, 2);
    let (mut rig, link) = Rig::confirmed(config);
    let request = snapshot_request(&rig.pass(SECOND));
    let asks = "[14.3,1],[14.4,1],[14.5,1],[14.6,1]";
    rig.reply(request, &snapshot(LINK, 500, "[14.2,5]", asks));
    for (sequence, price) in [(501, "14.3"), (502, "14.4"), (503, "14.5")] {
        assert_eq!(rig.change(sequence, &format!("{price},sell,0")).len(), 1);
    }
    // Nobody answers in time.
    let told = rig.change(504, "14.6,sell,0");
    assert_eq!(told[1..], [lost(link, 1, BookLostReason::Horizon(Side::Ask))]);
    snapshot_request(&rig.pass(SECOND));
}

#[test]
fn a_book_nobody_wants_is_gone_at_once_and_frames_of_it_are_nothing() {
    let (mut rig, link) = Rig::live(Config::default());
    rig.client.unsubscribe(rig.now, link).unwrap();
    assert_eq!(rig.shown(link), None);
    let outputs = rig.drain();
    assert_eq!(events(&outputs), [lost(link, 1, BookLostReason::Unsubscribed)]);
    assert_eq!(rig.change(501, "14.1,buy,1"), []);
    assert_eq!(rig.ack(sent(&outputs)[0].id), [Event::Topic(link, TopicEvent::Unsubscribed)]);
    assert_eq!((rig.client.stats().unwanted, rig.client.stats().resyncs), (1, 0));
    assert_eq!(fetches(&rig.pass(30 * SECOND)).len(), 0);
}

#[test]
fn a_topic_wanted_again_gets_a_new_book() {
    let (mut rig, link) = Rig::live(Config::default());
    rig.client.unsubscribe(rig.now, link).unwrap();
    let ended = sent(&rig.drain());
    assert_eq!(rig.want(LINK), link, "the same id");
    let ack = format!(r#"{{"id":"{}","type":"ack"}}"#, ended[0].id);
    let asked = sent(&rig.text(&ack));
    assert_eq!((asked.len(), asked[0].kind.as_str()), (1, "subscribe"));
    assert_eq!(fetches(&rig.pass(2 * SECOND)).len(), 0, "no snapshot before the new ack");
    assert_eq!(rig.ack(asked[0].id), [Event::Topic(link, TopicEvent::Confirmed)]);
    let request = snapshot_request(&rig.pass(SECOND));
    let outputs = rig.reply(request, &plain_snapshot(90));
    assert_eq!(events(&outputs), [live(link, 2, 90)], "the past does not count any more");
}

fn two_live_books() -> (Rig, TopicId, TopicId) {
    let (mut rig, link) = Rig::live(Config::default());
    let avax = rig.want(AVAX);
    let asked = sent(&rig.drain());
    rig.ack(asked[0].id);
    let outputs = rig.pass(SECOND);
    let request = fetches(&outputs)[0].request();
    rig.reply(request, &snapshot(AVAX, 700, "[31,1]", "[32,1]"));
    assert!(rig.client.book(avax).is_some());
    (rig, link, avax)
}

fn live(topic: TopicId, epoch: u32, sequence: u64) -> Event {
    Event::Book(
        topic,
        BookEvent::Live { epoch: Epoch::new(epoch), sequence: Sequence::new(sequence) },
    )
}

fn lost(topic: TopicId, epoch: u32, reason: BookLostReason) -> Event {
    Event::Book(topic, BookEvent::Lost { epoch: Epoch::new(epoch), reason })
}

fn delayed(topic: TopicId, reason: BookDelayReason) -> Event {
    Event::Book(topic, BookEvent::Delayed(reason))
}
