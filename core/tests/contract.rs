//! The ten laws of the crate's documentation, over arbitrary histories.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm,
    missing_docs,
    reason = "tests"
)]

#[path = "common/edited.rs"]
mod edited;
mod world;

use std::time::Duration;

use kucoin_futures_proto::{
    BookEvent, Client, Config, Event, Input, Instant, Misuse, Output, Query,
};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use world::market::Change;
use world::seen::Seen;
use world::step::{Step, frame, steps};
use world::{Drain, Noise, World};

fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(cases(1000))]

    /// Laws 1, 2, 5, 6 and 9 (snapshots), the promise about books, and the sums of the counters; the checker and
    /// the market check them after every step.
    #[test]
    fn whatever_happens_the_laws_hold_and_no_book_lies(
        steps in steps(200),
        bits: u64,
        lines in 1_u8..=2,
    ) {
        for drain in [Drain::Always, Drain::Sometimes(bits)] {
            let mut world = World::new(on_lines(lines));
            world.run(&steps, drain, Noise::None);
            world.check_live();
        }
    }

    /// Laws 3 and 4: after a call at the deadline, or late by any time, the next one is later.
    #[test]
    fn nobody_is_made_to_spin(
        mut steps in steps(120),
        late in prop_oneof![Just(0_u32), 1_u32..100, 1_u32..200_000],
        end in prop::option::of((any::<Index>(), 0_u32..100)),
        lines in 1_u8..=2,
    ) {
        if let Some((at, seconds)) = end {
            steps.insert(at.index(steps.len()), Step::ClockEnd(seconds));
        }
        let mut world = World::new(on_lines(lines));
        for step in &steps {
            world.run(std::slice::from_ref(step), Drain::Always, Noise::None);
            world.run(&[Step::Due(late)], Drain::Always, Noise::None);
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

    /// Law 6 again: contradictions and absurdities of the config are brought in order.
    #[test]
    fn no_config_is_too_strange(steps in steps(120), picks in prop::collection::vec(0_usize..4, 37)) {
        let mut world = World::new(strange_config(&picks));
        world.run(&steps, Drain::Always, Noise::None);
    }

    /// Law 8: nothing but config, seed and inputs decides what comes out.
    #[test]
    fn the_same_history_has_the_same_outputs(steps in steps(120), bits: u64) {
        let [one, other] = [(); 2].map(|()| run(&steps, Drain::Sometimes(bits), Noise::None));
        prop_assert_eq!(&one.log, &other.log);
        prop_assert_eq!(&one.pushes, &other.pushes);
        prop_assert_eq!(one.client.stats(), other.client.stats());
    }

    /// Law 9: nobody drains; deltas and delays fold into one `Lagged`, effects and changes of state
    /// stay.
    #[test]
    fn undrained_deltas_are_folded_and_nothing_else_is(
        steps in steps(200),
        cap in 1_usize..6,
        from: Index,
    ) {
        let from = from.index(steps.len());
        let undrained = |max_queued_events: usize| {
            let mut config = config();
            config.queues.events = max_queued_events;
            let mut world = World::new(config);
            world.run(&steps[..from], Drain::Always, Noise::None);
            let drained = world.log.len();
            world.run(&steps[from..], Drain::Never, Noise::None);
            let queued = world.log.split_off(drained);
            let (foldable, kept): (Vec<_>, Vec<_>) = queued.into_iter().partition(is_foldable);
            (world, foldable.len(), kept)
        };
        let (_, in_all, mut expected) = undrained(usize::MAX);
        let (world, reported, kept) = undrained(cap);
        // That a counter was set back is kept, once for each book.
        prop_assert!(reported <= cap.max(world.topics() + 1));
        let mut lagged = 0;
        for (at, output) in kept.iter().enumerate() {
            if let Output::Event(Event::Lagged { dropped }) = output {
                prop_assert_eq!(lagged, 0, "one for all");
                lagged = *dropped as usize;
                expected.insert(at, output.clone());
            }
        }
        prop_assert_eq!(kept, expected);
        prop_assert_eq!(reported + lagged, in_all);
        world.check_live();
    }

    /// Law 9: whatever the other side sends, it cannot fill the queue of one who does not drain.
    #[test]
    fn no_frames_fill_the_queue(
        steps in steps(120),
        frames in prop::collection::vec(frame(), 1..300),
        cap in 1_usize..6,
    ) {
        let mut config = config();
        config.queues.events = cap;
        let mut world = World::new(config);
        world.run(&steps, Drain::Always, Noise::None);
        let drained = world.log.len();
        world.run(&frames, Drain::Never, Noise::None);
        // What is not folded happens once to a topic, or to the connection.
        let most = cap + 1 + 6 * world.topics() + 5;
        prop_assert!(world.log.len() - drained <= most, "{:?}", &world.log[drained..]);
    }

    /// Law 10: after closing and draining there is nothing any more.
    #[test]
    fn the_end_is_the_end(steps in steps(120), at: Index, drain: bool) {
        let at = at.index(steps.len());
        let drain = if drain { Drain::Always } else { Drain::Never };
        let mut world = World::new(config());
        world.run(&steps[..at], drain, Noise::None);
        world.run(&[Step::Close], Drain::Always, Noise::None);
        world.checker.check_end().unwrap();
        let (said, pushed) = (world.log.len(), world.pushes.len());
        world.run(&steps[at..], Drain::Always, Noise::None);
        prop_assert_eq!((world.log.len(), world.pushes.len()), (said, pushed));
        prop_assert_eq!(world.client.poll_timeout(), None);
    }
}

/// Law 9: the user's own queries are limited, too, while the budget lets none out.
#[test]
fn queries_wait_up_to_a_number_and_no_more() {
    let mut config = Config::default();
    (config.budgets.rest_weight_per_30s, config.queues.queries) = (10, 3);
    let (now, second) = (Instant::ZERO, Duration::from_secs(1));
    let mut client = Client::new(now, 1, config);
    let ask = |client: &mut Client| client.fetch(now, Query::ServerTime);
    let asked = [(); 8].map(|()| ask(&mut client).unwrap());
    assert_eq!(ask(&mut client), Err(Misuse::TooManyQueries), "five went out, three wait");
    let sent = |client: &mut Client| {
        let outputs = std::iter::from_fn(|| client.poll_output());
        outputs.filter(|output| matches!(output, Output::Fetch(_))).count()
    };
    assert_eq!(sent(&mut client), 5);
    let _ = client.handle(now + 30 * second, Input::Timeout);
    assert_eq!(sent(&mut client), 3);
    assert!(!asked.contains(&client.fetch(now, Query::ServerTime).unwrap()), "there is room again");
}

/// Times saturate at the end of the clock's range: what is due there is due for ever.
#[test]
fn nothing_is_waited_for_at_the_end_of_the_clock() {
    let mut world = World::new(config());
    let change = Change { bid: true, tick: 9, size: 1 };
    world.run(&[Step::ClockEnd(30)], Drain::Always, Noise::None);
    world.run(&vec![Step::GoOn(change); 20], Drain::Always, Noise::None);
    assert!(world.seen.has("Line Up"));
    world.run(&[Step::ClockEnd(0), Step::Timeout, Step::Timeout], Drain::Always, Noise::None);
    assert_eq!(world.client.poll_timeout(), None);
}

/// A property is worth what its histories reach.
#[test]
fn the_histories_reach_what_matters() {
    let mut runner = TestRunner::deterministic();
    let mut seen = Seen::default();
    for _ in 0..600 {
        let steps = steps(200).new_tree(&mut runner).unwrap().current();
        seen.add(run(&steps, Drain::Always, Noise::None).seen);
    }
    for name in [
        "Line Up",
        "Line Waiting",
        "Topic Confirmed",
        "Topic Refused",
        "Topic Rejected",
        "Topic Unsubscribed",
        "Topic Idle",
        "Topic Active",
        "Topic MayHaveMissed",
        "Book Live",
        "Book Delta",
        "QueryFailed",
        "Line Down Lost",
        "Line Down WrongWelcome",
        "Line Down Unauthorized",
        "Line Down PongTimeout",
        "Line Down AckTimeout",
        "Line Down Suspended",
        "Line Down Refused",
        "Line Down ConnectTimeout",
        "Line Down WelcomeTimeout",
        "Book Lost Gap",
        "Book Lost Poisoned",
        "Book Lost SequenceReset",
        "Book Lost Horizon",
        "Book Lost Crossed",
        "Book Lost LineDown",
        "Book Lost Unsubscribed",
        "Book Delayed SnapshotTooOld",
        "Book Delayed SnapshotFailed",
        "Book Delayed SnapshotMalformed",
        "Book Delayed Gap",
        "Book Delayed Poisoned",
        "Book Delayed SequenceReset",
        "Book Delayed Overflow",
        "Line TokenFailed Wire",
        "Line TokenFailed RateLimited",
        "Line TokenFailed Api",
        "Line TokenFailed Lost",
    ] {
        assert!(seen.has(name), "{name} is not in {seen:?}");
    }
}

/// Small limits, so that they are met.
fn config() -> Config {
    let mut config = Config::default();
    (config.book.snapshot_levels, config.book.refresh_below, config.book.max_levels_per_side) =
        (5, 2, 6);
    (config.book.max_pending_deltas, config.budgets.symbols_per_frame) = (6, 2);
    (config.budgets.topics_per_line, config.budgets.snapshots_in_flight) = (5, 2);
    config
}

/// Each topic on so many lines.
fn on_lines(per_topic: u8) -> Config {
    let mut config = config();
    config.lines.per_topic = per_topic;
    config
}

fn is_foldable(output: &Output<'_>) -> bool {
    matches!(output, Output::Event(Event::Book(_, BookEvent::Delta(_) | BookEvent::Delayed(_))))
}

fn strange_config(picks: &[usize]) -> Config {
    let mut c = Config::default();
    let mut picks = picks.iter().copied();
    let mut pick = || picks.next().unwrap();
    let durations =
        [Duration::ZERO, Duration::from_nanos(1), Duration::from_secs(1), Duration::MAX];
    for duration in [
        &mut c.timeouts.connect,
        &mut c.timeouts.welcome,
        &mut c.timeouts.fetch,
        &mut c.timeouts.ping_interval,
        &mut c.timeouts.pong,
        &mut c.timeouts.ack,
        &mut c.backoff.base,
        &mut c.backoff.cap,
        &mut c.backoff.reset_after,
        &mut c.book.snapshot_delay,
        &mut c.book.snapshot_quiet_delay,
        &mut c.book.snapshot_spacing,
        &mut c.book.snapshot_backoff_cap,
        &mut c.book.crossed_for,
        &mut c.book.poison_pause,
        &mut c.timeouts.silence,
        &mut c.lines.hole_grace,
        &mut c.lines.join_grace,
        &mut c.lines.compare_every,
        &mut c.lines.most_lag,
    ] {
        *duration = durations[pick()];
    }
    for count in [
        &mut c.budgets.sends_per_10s,
        &mut c.budgets.sends_kept_for_pings,
        &mut c.budgets.tokens_per_min,
        &mut c.budgets.connects_per_min,
        &mut c.budgets.rest_weight_per_30s,
        &mut c.book.snapshot_patience,
    ] {
        *count = [0, 1, 100, u32::MAX][pick()];
    }
    // The exchange counts, whatever the client is told.
    c.budgets.sends_per_10s = c.budgets.sends_per_10s.min(100);
    for count in [
        &mut c.budgets.snapshots_in_flight,
        &mut c.budgets.topics_per_line,
        &mut c.budgets.symbols_per_frame,
        &mut c.queues.queries,
        &mut c.book.snapshot_levels,
        &mut c.book.refresh_below,
        &mut c.book.max_levels_per_side,
        &mut c.book.max_pending_deltas,
        &mut c.queues.events,
        &mut c.lines.at_most,
    ] {
        *count = [0, 1, 3, usize::MAX][pick()];
    }
    c.lines.per_topic = [0, 1, 2, u8::MAX][pick()];
    c
}

fn run(steps: &[Step], drain: Drain, noise: Noise) -> World {
    let mut world = World::new(config());
    world.run(steps, drain, noise);
    world
}
