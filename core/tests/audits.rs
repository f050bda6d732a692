//! A live book is held against snapshots, and stays live.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    dead_code,
    reason = "tests"
)]

mod common;
mod willing;

use std::time::Duration;

use common::{Rig, events, fetches, level2, plain_snapshot, snapshot, snapshot_request};
use kucoin_futures_proto::book::{Best, Coverage, Scope};
use kucoin_futures_proto::wire::Side;
use kucoin_futures_proto::{
    BookDelayReason, BookEvent, Channel, Config, Event, Input, Misuse, Sequence, TopicId,
    TransportError,
};
use willing::Willing;

const MS: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);
const LINK: &str = "LINKUSDTM";

fn verified(topic: TopicId, sequence: u64, is_wider: bool) -> Event {
    Event::Book(topic, BookEvent::Verified { sequence: Sequence::new(sequence), is_wider })
}

/// A live book at 500 (bids 14.2*5 14.1*7, asks 14.3*6 14.4*8) whose verification was asked for.
fn asked() -> (Rig, TopicId, kucoin_futures_proto::RequestId) {
    let (mut rig, topic) = Rig::live(Config::default());
    rig.pass(SECOND);
    rig.client.verify(rig.now, topic).unwrap();
    let request = snapshot_request(&rig.pass(MS));
    (rig, topic, request)
}

const BIDS: &str = "[14.2,5],[14.1,7]";
const ASKS: &str = "[14.3,6],[14.4,8]";

#[test]
fn a_snapshot_of_the_same_sequence_is_a_verdict_at_once() {
    let (mut rig, topic, request) = asked();
    assert_eq!(events(&rig.reply(request, &plain_snapshot(500))), [verified(topic, 500, false)]);
    assert!(rig.shown(topic).is_some());
    assert_eq!(fetches(&rig.pass(SECOND * 30)).len(), 0, "once");
}

/// What was applied since it was asked for is applied to the snapshot, too.
#[test]
fn a_snapshot_that_is_behind_is_brought_up() {
    for (size, is_equal) in [(9, true), (8, false)] {
        let (mut rig, topic, request) = asked();
        rig.change(501, "14.2,buy,9");
        rig.change(502, "14.3,sell,0");
        let bids = format!("[14.2,{size}],[14.1,7]");
        let out = events(&rig.reply(request, &snapshot(LINK, 501, &bids, ASKS)));
        if is_equal {
            assert_eq!(out, [verified(topic, 502, false)]);
        } else {
            let [Event::Book(_, BookEvent::Lost { reason, .. })] = out[..] else {
                panic!("{out:?}")
            };
            let text = reason.to_string();
            assert_eq!(text, "the exchange has 8 lots at 14.2 on the bid side, not 9");
        }
        assert_eq!(rig.shown(topic).is_some(), is_equal);
    }
}

#[test]
fn a_snapshot_that_is_ahead_waits_for_the_stream() {
    for (size, is_equal) in [(9, true), (8, false)] {
        let (mut rig, topic, request) = asked();
        let bids = format!("[14.2,{size}],[14.1,7]");
        assert_eq!(events(&rig.reply(request, &snapshot(LINK, 502, &bids, ASKS))), []);
        rig.change(501, "14.2,buy,9");
        let out = rig.change(502, "13,sell,0");
        assert_eq!(out.contains(&verified(topic, 502, false)), is_equal, "{out:?}");
        assert_eq!(rig.shown(topic).is_some(), is_equal);
        assert_eq!(rig.change(503, "14.1,buy,3").len(), usize::from(is_equal));
    }
}

#[test]
fn a_service_that_lags_is_asked_again_and_what_is_recorded_goes_on() {
    let (mut rig, topic, request) = asked();
    rig.change(501, "14.2,buy,9");
    assert_eq!(
        events(&rig.reply(request, &plain_snapshot(499))),
        [],
        "older than what is recorded"
    );
    rig.change(502, "14.2,buy,10");
    let request = snapshot_request(&rig.pass(SECOND * 2));
    rig.change(503, "14.2,buy,11");
    assert_eq!(events(&rig.reply(request, &plain_snapshot(500))), [verified(topic, 503, false)]);
}

#[test]
fn five_snapshots_of_no_use_are_no_verdict_and_the_book_stays_live() {
    let (mut rig, topic, mut request) = asked();
    let mut sequence = 500;
    for n in 1..=5 {
        sequence += 1;
        rig.change(sequence, "14.2,buy,9");
        let out = events(&rig.input(Input::Failed { request, error: TransportError::Reset }));
        let not = |event: &Event| {
            matches!(
                event,
                Event::Book(_, BookEvent::NotVerified(BookDelayReason::SnapshotFailed(_)))
            )
        };
        assert_eq!(out.iter().any(not), n == 5, "{out:?}");
        if n < 5 {
            request = snapshot_request(&rig.pass(SECOND * 8));
        }
    }
    assert_eq!(fetches(&rig.pass(SECOND * 30)).len(), 0);
    assert!(rig.shown(topic).is_some());
}

#[test]
fn every_book_is_looked_at_regularly_and_not_all_at_once() {
    let mut config = Config::default();
    config.book.audit_every = SECOND * 50;
    let (mut rig, topic) = Rig::live(config);
    let mut sequence = 500;
    let mut audits = 0;
    for _ in 0..600 {
        sequence += 1;
        rig.change(sequence, "14.2,buy,9");
        for fetch in
            fetches(&rig.pass(SECOND)).iter().map(|fetch| fetch.request()).collect::<Vec<_>>()
        {
            let body = snapshot(LINK, sequence, "[14.2,9],[14.1,7]", ASKS);
            assert_eq!(events(&rig.reply(fetch, &body)), [verified(topic, sequence, false)]);
            audits += 1;
        }
    }
    assert!((11..=12).contains(&audits), "{audits}");
    assert_eq!(rig.client.stats().resyncs, 0);
}

/// The market walks up: the asks are widened by the snapshot, and what is known of the bids is kept.
#[test]
fn a_walking_market_widens_the_book_and_it_stays_live() {
    let mut config = Config::default();
    (config.book.snapshot_levels, config.book.refresh_below) = (10, 4);
    let (mut rig, topic) = Rig::confirmed(config);
    let side = |from: u64, up: bool| {
        let price = |n: u64| if up { from + n } else { from - n };
        (0..10).map(|n| format!("[{},{}]", price(n), price(n))).collect::<Vec<_>>().join(",")
    };
    let request = snapshot_request(&rig.pass(SECOND));
    rig.reply(request, &snapshot(LINK, 500, &side(999, false), &side(1000, true)));
    let (mut sequence, mut touch, mut widened) = (500, 1000, 0);
    for _ in 0..100 {
        // The best ask is taken, and a bid stands there now.
        let mut out = Vec::new();
        for change in [format!("{touch},sell,0"), format!("{touch},buy,{touch}")] {
            sequence += 1;
            out.extend(rig.text(&level2(LINK, sequence, &change)));
        }
        touch += 1;
        out.extend(rig.pass(SECOND * 2));
        for fetch in fetches(&out) {
            let body = snapshot(LINK, sequence, &side(touch - 1, false), &side(touch, true));
            let told = events(&rig.reply(fetch.request(), &body));
            assert_eq!(told, [verified(topic, sequence, true)]);
            widened += 1;
        }
        let is_lost = |event: &Event| matches!(event, Event::Book(_, BookEvent::Lost { .. }));
        assert!(!events(&out).iter().any(is_lost));
    }
    assert!(widened > 10, "{widened}");
    let book = rig.client.book(topic).unwrap();
    assert_eq!(book.reach(Side::Bid), Coverage::To("990".parse().unwrap()), "as far as ever");
    let bids: Vec<_> =
        book.levels(Side::Bid, Scope::Complete).map(|level| level.size.get()).collect();
    assert_eq!(bids, (990..1100).rev().collect::<Vec<u64>>());
    assert_eq!(rig.client.stats().snapshots, 1);
}

/// 63,000 up by a fifth in an hour, 35 ticks a second: the window of a snapshot is behind the market within half a
/// minute.
#[test]
fn a_market_that_climbs_a_fifth_in_an_hour_is_followed_without_a_resync() {
    let mut world = Willing::new(Config::default(), 300);
    world.dense = Some(630_000);
    let channel = Channel::level2("XBTUSDTM".parse().unwrap());
    let topic = world.client.subscribe(world.now, channel).unwrap();
    world.pass(SECOND * 3);
    let mut longest_lead = 0;
    for _ in 0..3600 {
        let conn = *world.conns.keys().next().unwrap();
        for _ in 0..35 {
            world.climb("XBTUSDTM").iter().for_each(|frame| world.say(conn, frame));
        }
        world.pass(SECOND);
        let book = world.client.book(topic).expect("live");
        let best = world.dense.unwrap() - 1;
        let Best::Level(level) = book.best_bid() else { panic!("{:?}", book.best_bid()) };
        assert_eq!(
            level.price.to_string(),
            format!("{}.{}", best / 10, best % 10).replace(".0", "")
        );
        longest_lead = longest_lead.max(book.levels(Side::Ask, Scope::Complete).count());
    }
    let stats = world.client.stats();
    assert_eq!((stats.resyncs, stats.gaps), (0, 0));
    assert!(stats.audits > 120, "{} audits", stats.audits);
    assert!(longest_lead > 900);
    assert!(
        !world.told.iter().any(|event| matches!(event, Event::Book(_, BookEvent::Lost { .. })))
    );
}

#[test]
fn only_a_live_book_can_be_verified() {
    let (mut rig, topic) = Rig::confirmed(Config::default());
    assert_eq!(rig.client.verify(rig.now, topic), Err(Misuse::NotLive));
    assert_eq!(rig.client.verify(rig.now, TopicId::new(9)), Err(Misuse::UnknownTopic));
}

/// More deltas than are recorded: no verdict, and no harm.
#[test]
fn an_audit_that_overflows_begins_anew() {
    let mut config = Config::default();
    config.book.max_pending_deltas = 5;
    let (mut rig, topic) = Rig::live(config);
    rig.pass(SECOND);
    rig.client.verify(rig.now, topic).unwrap();
    let request = snapshot_request(&rig.pass(MS));
    (501..=510).for_each(|sequence| drop(rig.change(sequence, "14.2,buy,9")));
    assert_eq!(events(&rig.reply(request, &plain_snapshot(500))), []);
    let request = snapshot_request(&rig.pass(SECOND * 2));
    let body = snapshot(LINK, 510, "[14.2,9],[14.1,7]", ASKS);
    assert_eq!(events(&rig.reply(request, &body)), [verified(topic, 510, false)]);
}
