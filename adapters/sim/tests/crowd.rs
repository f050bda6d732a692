//! How a thousand clients come back that lost their lines at once.

#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

use std::time::Duration;

use kucoin_futures_proto::TransportError;
use kucoin_futures_sim::crowd::{self, Crowd, Outcome, Schedule};

/// Twenty seconds are needed at least: a thousand, fifty a second. The longest of twenty seeds was 77 s.
const BOUND: Duration = Duration::from_secs(90);
/// Where nothing tells clients to stay away for longer. The longest of twenty seeds was 34 s.
const BOUND_OF_RESETS: Duration = Duration::from_secs(40);

fn run(seed: u64, schedule: Schedule) -> Outcome {
    let mut crowd = Crowd::default();
    crowd.seed = seed;
    let outcome = crowd::run(&crowd, schedule);
    assert_eq!(outcome.lost, crowd.clients, "{outcome:?}");
    outcome
}

#[test]
fn a_crowd_of_the_core_is_live_again_in_time_and_within_its_limits() {
    for seed in 0..5 {
        let core = run(seed, Schedule::Core);
        assert!(core.all_live.unwrap() < BOUND, "{core:?}");
        assert_eq!(core.over_limit, 0, "{core:?}");
        assert_eq!(core.attempts - core.refused, 1000, "each got in once, and stayed: {core:?}");
        for other in [Schedule::Fixed, Schedule::Immediate, Schedule::Exponential, Schedule::Tenth]
        {
            let other = run(seed, other);
            assert!(core.attempts < other.attempts, "{core:?} {other:?}");
            assert!(core.median < other.median || other.over_limit > 0, "{core:?} {other:?}");
        }
    }
}

#[test]
fn a_crowd_that_is_only_reset_is_back_sooner() {
    for seed in 0..5 {
        let mut crowd = Crowd::default();
        crowd.seed = seed;
        crowd.refusals = vec![TransportError::Reset];
        let core = crowd::run(&crowd, Schedule::Core);
        assert!(core.all_live.unwrap() < BOUND_OF_RESETS && core.over_limit == 0, "{core:?}");
    }
}

/// The model is one of limits: who tries at once gets in as soon as there is room, and goes over them.
#[test]
fn who_tries_at_once_goes_over_limits_and_who_draws_no_lots_waits_for_minutes() {
    let at_once = run(0, Schedule::Immediate);
    assert!(
        at_once.all_live.unwrap() < Duration::from_secs(21),
        "no room is left unused: {at_once:?}"
    );
    assert!(at_once.over_limit > 500 && at_once.refused > 40_000, "{at_once:?}");
    let together = run(0, Schedule::Exponential);
    // Twenty rounds of fifty each, the last fourteen of them a minute apart.
    let rounds = Duration::from_secs(1 + 2 + 4 + 8 + 16 + 32 + 14 * 60);
    let took = together.all_live.unwrap();
    assert!(took > rounds && took < rounds + Duration::from_secs(6), "{together:?}");
    assert_eq!((together.most_attempts, together.attempts), (20, 50 * (1..=20).sum::<u64>()));
}

#[test]
fn the_same_seed_is_the_same_crowd() {
    for schedule in [Schedule::Core, Schedule::FullJitter] {
        assert_eq!(run(3, schedule), run(3, schedule));
        assert_ne!(run(3, schedule), run(4, schedule));
    }
}
