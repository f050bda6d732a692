//! Books on trial: those of the example, and what a trial counts.

#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

use std::time::Duration;

use kucoin_futures_proto::Symbol;
use kucoin_futures_sim::trial::{Ask, Contender, View, try_book};
use kucoin_futures_sim::{Plan, Profile, Scenario, soak};

#[allow(dead_code, reason = "its `main`")]
#[path = "../examples/your_own_book.rs"]
mod your_own_book;

use your_own_book::{Careful, Tutorial, try_all, turns_the_counter};

/// One calm book, but for the faults.
fn calm(faults: &str) -> Scenario {
    let mut scenario = Scenario::from_seed(Profile::Storm, 5);
    (scenario.symbols, scenario.depth, scenario.span_ms) = (1, 20, 60_000);
    scenario.plan = faults.parse::<Plan>().unwrap();
    scenario
}

#[test]
fn the_tutorials_book_is_caught_within_a_few_seeds() {
    let sum = try_all::<Tutorial>(8, |_| true);
    assert!(sum.caught > 0 && sum.first_lie.is_some(), "{sum:?}");
}

#[test]
fn a_careful_book_is_not_caught_and_always_comes_back() {
    let sum = try_all::<Careful>(80, |scenario| !turns_the_counter(scenario));
    assert!(sum.trials >= 30, "{sum:?}");
    assert_eq!((sum.caught, sum.lies), (0, 0), "{sum:?}");
    assert_eq!(sum.recovered, sum.trials, "{sum:?}");
    assert!(sum.resyncs > 50 && sum.compared > 10_000 && sum.struck.len() > 20, "{sum:?}");
}

/// The deltas of the new run have sequences that the book has passed: it takes them for repeats, and
/// goes on with the first that is new. That they say something else it does not look at.
#[test]
fn by_sequences_alone_nobody_notices_that_a_counter_was_set_back_a_little() {
    let trial = try_book(&calm("at 20s step-back * 3"), &mut Careful::default());
    assert!(trial.first_lie.as_ref().unwrap().after.unwrap().1 == "step-back", "{trial:?}");
    let trial = try_book(&calm("at 20s step-ahead * 3"), &mut Careful::default());
    assert_eq!((trial.lies, trial.resyncs), (0, 1), "{trial:?}");
}

#[test]
fn without_faults_even_the_tutorial_comes_close() {
    let mut scenario = calm("");
    scenario.latency_us = 1;
    let trial = try_book(&scenario, &mut Tutorial::default());
    assert_eq!((trial.lies, trial.losses, trial.recovered), (0, 0, 1), "{trial:?}");
    assert!(trial.behind < Duration::from_secs(1) && trial.blind < Duration::from_secs(2));
    let trial = try_book(&calm("at 30s drop * 5"), &mut Tutorial::default());
    assert!(trial.lies > 100, "{trial:?}");
}

#[test]
fn the_same_scenario_is_the_same_trial() {
    let scenario = Scenario::from_seed(Profile::Swarm, 3);
    let trial = || try_book(&scenario, &mut Careful::default());
    assert_eq!(trial(), trial());
}

#[test]
fn what_catches_a_book_is_made_small() {
    let fails = |scenario: &Scenario| try_book(scenario, &mut Tutorial::default()).lies > 0;
    let mut scenario =
        calm("at 5s repeat * 2; at 10s drop * 30; at 12s error 500; at 20s cross * 1s");
    // So that it takes a fault to catch it.
    scenario.latency_us = 1;
    let smallest = soak::shrink_while(&scenario, fails, |_, _| {});
    assert_eq!(smallest.plan.to_string(), "at 10000ms drop * 30");
}

/// Says what it is told to.
struct Parrot(Option<View>);

impl Contender for Parrot {
    fn on_connected(&mut self, _: Symbol) -> Ask {
        Ask::Snapshot
    }

    fn on_frame(&mut self, _: &str) -> Ask {
        // However often it asks: there is a market to be looked at.
        Ask::Snapshot
    }

    fn on_snapshot(&mut self, _: &str) -> Ask {
        Ask::Snapshot
    }

    fn on_disconnected(&mut self) {}

    fn view(&self) -> Option<View> {
        self.0.clone()
    }
}

#[test]
fn who_says_nothing_does_not_lie_and_does_not_recover() {
    let mut scenario = calm("at 10s close 1006; at 20s http-429 5s 3; at 30s freeze 3s");
    scenario.liveness_ms = 5_000;
    scenario.latency_us = 0;
    let trial = try_book(&scenario, &mut Parrot(None));
    assert_eq!((trial.compared, trial.lies, trial.recovered, trial.losses), (0, 0, 0, 1));
    assert!(trial.live.is_zero() && trial.blind == Duration::from_secs(65), "{trial:?}");
    assert!(trial.snapshots > 100 && trial.struck.contains_key("http-429"), "{trial:?}");
}

#[test]
fn a_lie_is_told_in_words() {
    for (view, words) in [
        (View::at(7), "the exchange never was there"),
        (View::at(7).bid("1,5", 1), "`1,5` is no price"),
    ] {
        let trial = try_book(&calm(""), &mut Parrot(Some(view)));
        let lie = trial.first_lie.unwrap();
        assert_eq!(lie.problem, words);
        assert!(lie.to_string().contains("live at sequence 7: "), "{lie}");
        assert_eq!((trial.lies, trial.caught), (trial.compared, 1));
    }
}

/// Remembers where the last snapshot stood, and shows as much of it as it is told to.
#[derive(Default)]
struct Shows {
    bid: Option<(String, u64)>,
    sequence: Option<u64>,
    is_incomplete: bool,
}

impl Contender for Shows {
    fn on_connected(&mut self, _: Symbol) -> Ask {
        Ask::SnapshotAfter(Duration::from_secs(1))
    }

    fn on_frame(&mut self, _: &str) -> Ask {
        Ask::Nothing
    }

    fn on_snapshot(&mut self, body: &str) -> Ask {
        let body: serde_json::Value = serde_json::from_str(body).unwrap();
        let data = body.get("data").unwrap();
        let best = data.pointer("/bids/0/0").zip(data.pointer("/bids/0/1"));
        self.bid = best.map(|(price, size)| (price.to_string(), size.as_u64().unwrap()));
        self.sequence = data.get("sequence").unwrap().as_u64();
        Ask::Nothing
    }

    fn on_disconnected(&mut self) {}

    fn view(&self) -> Option<View> {
        let (price, size) = self.bid.as_ref()?;
        let view = View::at(self.sequence?).bid(price, *size);
        Some(if self.is_incomplete { view.incomplete() } else { view })
    }
}

#[test]
fn what_is_not_shown_counts_only_as_far_as_it_is_claimed() {
    let mut short = calm("");
    (short.span_ms, short.liveness_ms) = (5_000, 0);
    let trial = try_book(&short, &mut Shows::default());
    assert!(trial.lies > 0 && trial.first_lie.unwrap().problem.ends_with("shows none"));
    let mut incomplete = Shows { is_incomplete: true, ..Shows::default() };
    let trial = try_book(&calm(""), &mut incomplete);
    assert_eq!((trial.lies, trial.snapshots), (0, 1));
    assert!(trial.behind > Duration::from_secs(50), "true, and old: {:?}", trial.behind);
}
