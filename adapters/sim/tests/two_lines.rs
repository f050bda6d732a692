//! Two lines for every topic, for as long as people run a feed: whatever ends one of them, every book stays live.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "tests"
)]

use std::time::Duration;

use kucoin_futures_proto::{BookStatus, Channel, TopicId};
use kucoin_futures_sim::{Contract, ExchangeConfig, Fault, World};

const SYMBOLS: [&str; 2] = ["XBTUSDTM", "CHRUSDTM"];
const DAY: Duration = Duration::from_secs(86_400);
/// The load balancer of the exchange cuts a connection once or twice a week.
const BETWEEN_CUTS: u64 = 5;

/// Two live books, each on two lines.
fn live(seed: u64, rate: f64) -> (World, [TopicId; 2]) {
    let mut config = World::client_config();
    config.lines.per_topic = 2;
    let mut exchange = ExchangeConfig::default();
    exchange.contracts = SYMBOLS.map(|symbol| Contract::named(symbol.parse().unwrap())).into();
    exchange.rate = rate;
    let mut world = World::new(seed, config, exchange, Duration::from_millis(80));
    world.forget_happenings();
    let topics = SYMBOLS
        .map(|symbol| world.subscribe(Channel::level2(symbol.parse().unwrap())).unwrap().unwrap());
    assert!(world.run_until(Duration::from_secs(20), |world| are_live(world, topics)).unwrap());
    (world, topics)
}

fn are_live(world: &World, topics: [TopicId; 2]) -> bool {
    topics.into_iter().all(|topic| world.client().book_status(topic) == Some(BookStatus::Live))
}

/// Lines that live a day and are cut every few days by somebody else, one at a time; looked at all the time.
fn run(days: u64) {
    let (mut world, topics) = live(1, 0.05);
    for day in 0..days {
        if day % BETWEEN_CUTS == 3 {
            world.inject(Fault::CloseOne { code: 1001 }).unwrap();
        }
        let ended = world.run_until(DAY, |world| !are_live(world, topics)).unwrap();
        assert!(!ended, "day {day}: a book is not live: {:?}", world.client().stats());
    }
    world.check_all().unwrap();
    assert_eq!(world.exchange().counts().violations, 0);
    let stats = world.client().stats();
    println!("{days} days: {stats:?}");
    let cuts = (days + 1) / BETWEEN_CUTS;
    assert_eq!((stats.gaps, stats.resyncs, stats.reconnects), (0, 0, cuts));
    assert_eq!(stats.snapshots, 2, "those at the start; all others are audits");
    assert!(stats.change_overs >= 2 * (days - cuts) - 2, "{stats:?}");
}

#[test]
fn one_line_ends_every_ten_seconds_and_no_book_leaves_live() {
    for seed in 0..4 {
        let (mut world, topics) = live(seed, 20.0);
        for turn in 0..40 {
            let code = [1000, 1001, 1006][turn % 3];
            world.inject(Fault::CloseOne { code }).unwrap();
            let pause = Duration::from_secs(10);
            let ended = world.run_until(pause, |world| !are_live(world, topics)).unwrap();
            assert!(!ended, "seed {seed}, end {turn}: {:?}", world.client().stats());
        }
        world.check_all().unwrap();
        let stats = world.client().stats();
        assert_eq!((stats.gaps, stats.resyncs, stats.reconnects), (0, 0, 40));
    }
}

#[test]
fn for_ten_days_no_book_leaves_live() {
    run(10);
}

#[test]
#[ignore = "takes minutes: cargo test --release -p kucoin-futures-sim --test two_lines -- --ignored"]
fn for_a_thousand_days_no_book_leaves_live() {
    run(1_000);
}
