//! The exchange stamps snapshots and deltas by two clocks. That they are apart costs nothing; that they are
//! apart by something else than before is a doubt.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    dead_code,
    reason = "tests"
)]

mod common;

use std::time::Duration;

use common::{LINK, Rig, edited, events, fetches, level2, plain_snapshot, snapshot_request};
use kucoin_futures_proto::{
    BookDelayReason, BookEvent, BookLostReason, Config, Event, Evidence, Sequence, TopicId,
};
use kucoin_futures_sim::{Clocks, Contract, ExchangeConfig, Fault, Target, World};

const SECOND: Duration = Duration::from_secs(1);
/// Milliseconds in 2026.
const BASE: i64 = 1_791_500_000_000;

/// When snapshots are taken, in ms after [`BASE`]: not a time that may have been cut to more than that.
const SNAPSHOT: i64 = 1_003;

/// A delta of `LINK` that was made so many ms after [`BASE`]; neighbours differ.
fn delta(sequence: u64, ms: i64) -> String {
    let change = format!("14.1,buy,{}", sequence % 7 + 100);
    edited(&level2(LINK, sequence, &change), "1791500000250", &(BASE + ms).to_string())
}

/// A snapshot of `LINK` that was taken so many ms after [`BASE`], and says what [`delta`] says.
fn snapshot_at(sequence: u64, ms: i64) -> String {
    let level = format!("[14.1,{}]", sequence % 7 + 100);
    let text = edited(&plain_snapshot(sequence), "[14.1,7]", &level);
    edited(&text, "1791500000251000000", &format!("{}000000", BASE + ms))
}

/// Deltas from `from` on, each at its time.
fn deltas(rig: &mut Rig, from: u64, times: &[i64]) -> Vec<Event> {
    (from..)
        .zip(times)
        .flat_map(|(sequence, ms)| events(&rig.text(&delta(sequence, *ms))))
        .collect()
}

/// What becomes of a book that knows as much of clocks as `rig`: three deltas from `from` on at these times, and
/// a snapshot at the second of them. It says [`SNAPSHOT`].
fn outcome(rig: &mut Rig, from: u64, times: [i64; 3]) -> Vec<Event> {
    deltas(rig, from, &times);
    let request = snapshot_request(&rig.pass(SECOND * 2));
    events(&rig.reply(request, &snapshot_at(from + 1, SNAPSHOT)))
}

/// A book whose clocks are known to be right within 111 ms: it was live for long, and has a gap.
fn known() -> (Rig, TopicId) {
    let (mut rig, topic) = Rig::confirmed(Config::default());
    let live = outcome(&mut rig, 510, [981, 991, 1001]);
    assert!(matches!(live[..], [Event::Book(_, BookEvent::Live { .. }), ..]), "{live:?}");
    rig.pass(SECOND * 6);
    (rig, topic)
}

fn is_live(rig: &Rig, topic: TopicId) -> bool {
    rig.shown(topic).is_some()
}

fn told(events: &[Event]) -> Option<Evidence> {
    events.iter().find_map(|event| match event {
        Event::Book(_, BookEvent::Delayed(
            BookDelayReason::SnapshotDoubted { evidence, .. }
            | BookDelayReason::SnapshotDeferred { evidence, .. },
        ))
        | Event::Book(_, BookEvent::Lost { reason: BookLostReason::SequenceReset(evidence), .. }) => {
            Some(*evidence)
        }
        _ => None,
    })
}

/// The clock of the snapshots is ahead or behind, times are cut: a book with gaps is live as long as with clocks
/// that agree, and no snapshot is asked for twice.
#[test]
fn clocks_that_are_apart_by_a_constant_cost_nothing() {
    let run = |clocks: Clocks| {
        let symbol = "CHRUSDTM".parse().unwrap();
        let mut exchange = ExchangeConfig::default();
        exchange.contracts = vec![Contract::named(symbol)];
        exchange.rate = 50.0;
        exchange.clocks = clocks;
        let mut world = World::new(7, World::client_config(), exchange, SECOND / 50);
        let topic =
            world.subscribe(kucoin_futures_proto::Channel::level2(symbol)).unwrap().unwrap();
        let mut live = 0;
        for tenth in 0..600 {
            if tenth % 100 == 50 {
                world.inject(Fault::Drop { target: Target::All, count: 1 }).unwrap();
            }
            world.run_for(SECOND / 10).unwrap();
            live += u32::from(world.client().book(topic).is_some());
        }
        let stats = *world.client().stats();
        (live, stats.resyncs, stats.snapshots, stats.snapshots_too_old)
    };
    let usual = run(Clocks::default());
    assert_eq!((usual.1, usual.2, usual.3), (6, 7, 0));
    let ms = Duration::from_millis;
    for (ahead, behind, delta_step, snapshot_step) in [
        (50, 0, 1, 1),
        (0, 50, 1, 1),
        (2_000, 0, 1, 1),
        (0, 2_000, 1, 1),
        (0, 0, 1_000, 1),
        (0, 0, 1, 1_000),
        (300, 0, 1_000, 1_000),
        (0, 7_000, 100, 10),
    ] {
        let mut clocks = Clocks::default();
        (clocks.ahead, clocks.behind) = (ms(ahead), ms(behind));
        (clocks.delta_step, clocks.snapshot_step) = (ms(delta_step), ms(snapshot_step));
        assert_eq!(run(clocks), usual, "{clocks:?}");
    }
}

/// Nothing is known of the clocks of a book that was never live: less than ten seconds are no evidence.
#[test]
fn the_first_snapshot_may_be_seconds_early_or_late() {
    for (times, why) in [
        ([981, 991, 1001], "nothing is odd"),
        ([-8_000, -7_500, -7_000], "all was made seconds before it"),
        ([8_000, 8_500, 9_000], "what it contains was made seconds later"),
    ] {
        let (mut rig, topic) = Rig::confirmed(Config::default());
        let out = outcome(&mut rig, 510, times);
        assert_eq!(told(&out), None, "{why}");
        assert!(is_live(&rig, topic), "{why}");
    }
    for (times, evidence) in [
        ([-12_000, -11_500, -11_000], Evidence::StreamIsEarlier),
        ([11_000, 11_500, 12_000], Evidence::ContainedIsLater),
    ] {
        let (mut rig, topic) = Rig::confirmed(Config::default());
        assert_eq!(told(&outcome(&mut rig, 510, times)), Some(evidence));
        assert!(!is_live(&rig, topic));
    }
}

#[test]
fn once_the_clocks_are_known_a_snapshot_before_what_it_contains_is_refused() {
    let (mut rig, topic) = known();
    let out = outcome(&mut rig, 600, [1_200, 1_300, 1_400]);
    assert_eq!(told(&out), Some(Evidence::ContainedIsLater));
    assert!(!is_live(&rig, topic));
    let (mut rig, topic) = known();
    outcome(&mut rig, 600, [1_000, 1_200, 1_300]);
    assert!(is_live(&rig, topic), "within what the clocks may be apart by");
}

/// Found by the simulation (swarm seed 10434): the stream stands still, the counter is set back by
/// two, and a snapshot of the new run overtakes the news.
#[test]
fn once_the_clocks_are_known_a_snapshot_after_all_that_follows_it_waits_for_the_stream() {
    let (mut rig, topic) = known();
    let out = outcome(&mut rig, 600, [500, 600, 700]);
    assert_eq!(told(&out), Some(Evidence::StreamIsEarlier));
    assert!(!is_live(&rig, topic), "the stream will tell");
    let out = deltas(&mut rig, 603, &[1_100]);
    assert_eq!(told(&out), Some(Evidence::FollowerIsEarlier), "and has: it was taken later");
}

#[test]
fn once_the_clocks_are_known_a_snapshot_after_what_follows_it_is_refused() {
    let (mut rig, topic) = known();
    deltas(&mut rig, 600, &[500, 600, 700, 1_100]);
    let request = snapshot_request(&rig.pass(SECOND * 2));
    let out = events(&rig.reply(request, &snapshot_at(601, SNAPSHOT)));
    assert_eq!(told(&out), Some(Evidence::FollowerIsEarlier));
    assert!(!is_live(&rig, topic));
}

/// Found by the simulation (swarm seed 18503): a snapshot ahead of the stream. What comes next is still of the
/// run before.
#[test]
fn a_delta_made_before_the_snapshot_that_it_follows_takes_the_book_away() {
    for (later, evidence) in [(1_010, None), (600, Some(Evidence::FollowerIsEarlier))] {
        let (mut rig, topic) = known();
        deltas(&mut rig, 600, &[500, 510]);
        let request = snapshot_request(&rig.pass(SECOND * 2));
        rig.reply(request, &snapshot_at(602, SNAPSHOT));
        deltas(&mut rig, 602, &[520]);
        assert!(is_live(&rig, topic));
        assert_eq!(told(&deltas(&mut rig, 603, &[later])), evidence);
        assert_eq!(is_live(&rig, topic), evidence.is_none());
    }
}

#[test]
fn a_restart_right_after_going_live_is_not_taken_for_what_the_snapshot_contains() {
    for (later, evidence) in [(990, None), (1_300, Some(Evidence::ContainedIsLater))] {
        let (mut rig, topic) = known();
        deltas(&mut rig, 600, &[500, 510]);
        let request = snapshot_request(&rig.pass(SECOND * 2));
        rig.reply(request, &snapshot_at(610, SNAPSHOT));
        assert!(is_live(&rig, topic));
        assert_eq!(told(&deltas(&mut rig, 602, &[later])), evidence);
        assert_eq!(is_live(&rig, topic), evidence.is_none());
    }
}

/// A clock is set: three snapshots are doubted, the fourth is believed, and that is what is known from then on.
#[test]
fn a_clock_that_is_set_costs_three_snapshots_once() {
    let (mut rig, topic) = known();
    let resync = |rig: &mut Rig, from: u64| {
        deltas(rig, from, &[5_000, 5_010, 5_020]);
        let mut asked = 0;
        while !is_live(rig, topic) {
            let out = rig.pass(SECOND);
            for request in fetches(&out).iter().map(|fetch| fetch.request()).collect::<Vec<_>>() {
                asked += 1;
                assert!(asked <= 9, "for good");
                rig.reply(request, &snapshot_at(from + 1, SNAPSHOT));
            }
        }
        // Others than the one that follows, or nothing is given back.
        deltas(rig, from + 3, &[5_030]);
        rig.pass(SECOND * 6);
        asked
    };
    assert_eq!([resync(&mut rig, 600), resync(&mut rig, 700), resync(&mut rig, 800)], [4, 1, 1]);
}

/// What a snapshot of another run says of clocks is not kept.
#[test]
fn a_book_that_was_live_for_a_moment_teaches_nothing() {
    let (mut rig, topic) = Rig::confirmed(Config::default());
    outcome(&mut rig, 510, [7_000, 7_010, 7_020]);
    assert!(is_live(&rig, topic));
    rig.pass(SECOND);
    let out = outcome(&mut rig, 600, [981, 991, 1001]);
    assert_eq!(told(&out), None);
    assert!(is_live(&rig, topic));
}

#[test]
fn a_stream_that_stays_older_than_its_snapshots_keeps_a_book_from_going_live_three_times() {
    let (mut rig, topic) = known();
    deltas(&mut rig, 600, &[100, 101, 102]);
    let mut asked = 0;
    while !is_live(&rig, topic) {
        let out = rig.pass(SECOND);
        for request in fetches(&out).iter().map(|fetch| fetch.request()).collect::<Vec<_>>() {
            asked += 1;
            assert!(asked <= 4, "for good");
            rig.reply(request, &snapshot_at(601, SNAPSHOT));
        }
    }
    assert_eq!(asked, 4);
    assert_eq!(rig.client.book(topic).unwrap().sequence(), Sequence::new(602));
}

/// Found by the simulation (swarm seed 830001585): nothing is known of the clocks, the counter was set back, and
/// the snapshot of the new run is here before the news. All that follows it by number was known already when it
/// was asked for.
#[test]
fn a_snapshot_older_than_what_was_known_when_it_was_asked_for_is_asked_for_once_more() {
    let sync = |rig: &mut Rig, from: u64, at: u64| {
        deltas(rig, from, &[980, 990, 1_001, 1_005]);
        let request = snapshot_request(&rig.pass(SECOND * 2));
        told(&events(&rig.reply(request, &snapshot_at(at, SNAPSHOT))))
    };
    let (mut rig, topic) = Rig::confirmed(Config::default());
    assert_eq!(sync(&mut rig, 510, 511), None, "the first one: a service that lags");
    assert_eq!(sync(&mut rig, 600, 601), None, "as before");
    assert_eq!(sync(&mut rig, 700, 703), None, "it does not, now");
    rig.text(&delta(704, 1_010));
    assert_eq!(sync(&mut rig, 800, 801), Some(Evidence::OlderThanAsked));
    assert!(!is_live(&rig, topic));
    let request = snapshot_request(&rig.pass(SECOND * 2));
    rig.reply(request, &snapshot_at(802, SNAPSHOT));
    assert!(is_live(&rig, topic), "the stream goes on: it lags again");
}

#[test]
fn a_snapshot_that_times_vouch_for_may_lag() {
    let (mut rig, topic) = Rig::confirmed(Config::default());
    deltas(&mut rig, 510, &[981, 991, 1_002]);
    let request = snapshot_request(&rig.pass(SECOND * 2));
    rig.reply(request, &snapshot_at(512, SNAPSHOT));
    deltas(&mut rig, 513, &[1_005]);
    rig.pass(SECOND * 6);
    deltas(&mut rig, 600, &[100, 500, 2_001, 2_005]);
    let request = snapshot_request(&rig.pass(SECOND * 2));
    rig.reply(request, &snapshot_at(601, SNAPSHOT));
    assert!(is_live(&rig, topic));
}
