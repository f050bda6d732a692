//! The ten laws of the crate's documentation, over arbitrary histories.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm,
    missing_docs,
    reason = "tests"
)]

mod world;

use std::collections::BTreeSet;

use kucoin_futures_proto::{Config, Event, Output};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use world::market::Change;
use world::step::{Step, steps};
use world::{Drain, Noise, World};

fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(cases(1000))]

    /// Laws 1, 2, 5 and 6, the promise about books, and the sums of the counters; the judge and
    /// the market check them after every step.
    #[test]
    fn whatever_happens_the_laws_hold_and_no_book_lies(steps in steps(200), bits: u64) {
        for drain in [Drain::Always, Drain::Sometimes(bits)] {
            let world = run(&steps, drain, Noise::None);
            world.check_live();
        }
    }

    /// Law 3: after a call at or past the deadline, the next one is later.
    #[test]
    fn nobody_is_made_to_spin(
        mut steps in steps(120),
        end in prop::option::of((any::<Index>(), 0_u32..100)),
    ) {
        if let Some((at, seconds)) = end {
            steps.insert(at.index(steps.len()), Step::ClockEnd(seconds));
        }
        let mut world = World::new(config());
        for step in &steps {
            world.run(std::slice::from_ref(step), Drain::Always, Noise::None);
            world.run(&[Step::Due(0)], Drain::Always, Noise::None);
            prop_assert!(!world.is_overdue(), "after {step:?}");
        }
    }

    /// Law 4: calls that come early, or twice, change nothing.
    #[test]
    fn a_timeout_too_many_is_harmless(steps in steps(120)) {
        let plain = run(&steps, Drain::Always, Noise::None);
        let noisy = run(&steps, Drain::Always, Noise::EarlyTimeouts);
        prop_assert_eq!(&noisy.log, &plain.log);
        prop_assert_eq!(noisy.client.stats(), plain.client.stats());
        prop_assert_eq!(noisy.client.poll_timeout(), plain.client.poll_timeout());
    }

    /// Law 7: what belongs to a dead connection or request is counted, and nothing else.
    #[test]
    fn the_dead_do_not_speak(steps in steps(120)) {
        let plain = run(&steps, Drain::Always, Noise::None);
        let noisy = run(&steps, Drain::Always, Noise::Stale);
        prop_assert_eq!(&noisy.log, &plain.log);
        prop_assert_eq!(&noisy.pushes, &plain.pushes);
        let mut stats = *noisy.client.stats();
        let known = plain.client.stats();
        stats.messages -= stats.stale - known.stale;
        (stats.stale, stats.stale_inputs) = (known.stale, known.stale_inputs);
        stats.binary = known.binary;
        prop_assert_eq!(&stats, known);
    }

    /// Law 8: nothing but config, seed and inputs decides what comes out.
    #[test]
    fn the_same_history_has_the_same_outputs(steps in steps(120), bits: u64) {
        let [one, other] = [(); 2].map(|()| run(&steps, Drain::Sometimes(bits), Noise::None));
        prop_assert_eq!(&one.log, &other.log);
        prop_assert_eq!(&one.pushes, &other.pushes);
        prop_assert_eq!(one.client.stats(), other.client.stats());
    }

    /// Law 9: nobody drains; deltas fold into one `Lagged`, effects and changes of state stay.
    #[test]
    fn undrained_deltas_are_folded_and_nothing_else_is(
        steps in steps(200),
        cap in 1_usize..6,
        from: Index,
    ) {
        let from = from.index(steps.len());
        let undrained = |max_queued_events: usize| {
            let mut config = config();
            config.max_queued_events = max_queued_events;
            let mut world = World::new(config);
            world.run(&steps[..from], Drain::Always, Noise::None);
            let drained = world.log.len();
            world.run(&steps[from..], Drain::Never, Noise::None);
            let queued = world.log.split_off(drained);
            let (folding, kept): (Vec<_>, Vec<_>) = queued.into_iter().partition(|output| {
                matches!(output, Output::Event(Event::Delta { .. } | Event::Lagged { .. }))
            });
            (world, folding, kept)
        };
        let (_, _, expected) = undrained(usize::MAX);
        let (world, folding, kept) = undrained(cap);
        prop_assert_eq!(kept, expected);
        let lagged = folding.iter().filter(|o| matches!(o, Output::Event(Event::Lagged { .. })));
        let lagged = lagged.count();
        prop_assert!(lagged <= 1 && folding.len() - lagged <= cap);
        let stats = world.client.stats();
        prop_assert_eq!(world.judge.lagged, stats.lagged);
        prop_assert_eq!(world.judge.deltas + world.judge.lagged, stats.deltas);
        world.check_live();
    }

    /// Law 10: after closing and draining there is nothing any more.
    #[test]
    fn the_end_is_the_end(steps in steps(120), at: Index, drain: bool) {
        let at = at.index(steps.len());
        let drain = if drain { Drain::Always } else { Drain::Never };
        let mut world = World::new(config());
        world.run(&steps[..at], drain, Noise::None);
        world.run(&[Step::Close], Drain::Always, Noise::None);
        prop_assert!(world.judge.all_over());
        let (said, pushed) = (world.log.len(), world.pushes.len());
        world.run(&steps[at..], Drain::Always, Noise::None);
        prop_assert_eq!((world.log.len(), world.pushes.len()), (said, pushed));
        prop_assert_eq!(world.client.poll_timeout(), None);
    }
}

/// Times saturate at the end of the clock's range: what is due there is due for ever.
#[test]
fn nothing_is_waited_for_at_the_end_of_the_clock() {
    let mut world = World::new(config());
    let change = Change { bid: true, tick: 9, size: 1 };
    world.run(&[Step::ClockEnd(30)], Drain::Always, Noise::None);
    world.run(&vec![Step::GoOn(change); 20], Drain::Always, Noise::None);
    assert!(world.judge.seen.contains("LineUp"));
    world.run(&[Step::ClockEnd(0), Step::Timeout, Step::Timeout], Drain::Always, Noise::None);
    assert_eq!(world.client.poll_timeout(), None);
}

/// A property is worth what its histories reach.
#[test]
fn the_histories_reach_what_matters() {
    let mut runner = TestRunner::deterministic();
    let mut seen = BTreeSet::new();
    for _ in 0..600 {
        let steps = steps(200).new_tree(&mut runner).unwrap().current();
        seen.append(&mut run(&steps, Drain::Always, Noise::None).judge.seen);
    }
    for name in [
        "LineUp",
        "LineWaiting",
        "Confirmed",
        "Rejected",
        "Unsubscribed",
        "Silent",
        "Heard",
        "BookLive",
        "Delta",
        "QueryFailed",
        "LineDown Lost",
        "LineDown WrongWelcome",
        "LineDown Unauthorized",
        "LineDown PongTimeout",
        "LineDown AckTimeout",
        "LineDown Suspended",
        "LineDown Refused",
        "LineDown ConnectTimeout",
        "LineDown WelcomeTimeout",
        "BookLost Gap",
        "BookLost Poisoned",
        "BookLost Regressed",
        "BookLost Horizon",
        "BookLost Crossed",
        "BookLost LineDown",
        "BookLost Unsubscribed",
        "BookDelayed SnapshotTooOld",
        "BookDelayed SnapshotFailed",
        "BookDelayed SnapshotMalformed",
        "BookDelayed Gap",
        "BookDelayed Poisoned",
        "BookDelayed Regressed",
        "BookDelayed Overflow",
        "NoToken Wire",
        "NoToken RateLimited",
        "NoToken Api",
        "NoToken Lost",
    ] {
        assert!(seen.contains(name), "{name} is not in {seen:?}");
    }
}

/// Small limits, so that they are met.
fn config() -> Config {
    let mut config = Config::default();
    (config.snapshot_levels, config.refresh_below, config.max_levels_per_side) = (5, 2, 12);
    (config.max_pending_deltas, config.symbols_per_frame) = (6, 2);
    (config.topics_per_line, config.snapshots_in_flight) = (5, 2);
    config
}

fn run(steps: &[Step], drain: Drain, noise: Noise) -> World {
    let mut world = World::new(config());
    world.run(steps, drain, noise);
    world
}
