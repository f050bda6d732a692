//! Two lines for every topic, for as long as people run a feed: whatever ends one of them, every book stays live.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "tests"
)]

use std::time::Duration;

use kucoin_futures_proto::{BookStatus, Channel, Stats, TopicId};
use kucoin_futures_sim::{Contract, ExchangeConfig, Fault, World};

const SYMBOLS: [&str; 2] = ["XBTUSDTM", "CHRUSDTM"];
const DAY: Duration = Duration::from_secs(86_400);
/// The load balancer of the exchange cuts a connection once or twice a week.
const BETWEEN_CUTS: u64 = 5;

/// Lines that live a day and are cut every few days by somebody else, one at a time; looked at every minute.
fn run(days: u64) -> Stats {
    let mut config = World::client_config();
    config.lines.per_topic = 2;
    let mut exchange = ExchangeConfig::default();
    exchange.contracts = SYMBOLS.map(|symbol| Contract::named(symbol.parse().unwrap())).into();
    exchange.rate = 0.05;
    let mut world = World::new(1, config, exchange, Duration::from_millis(80));
    world.forget_happenings();
    let topics: Vec<TopicId> = SYMBOLS
        .map(|symbol| world.subscribe(Channel::level2(symbol.parse().unwrap())).unwrap().unwrap())
        .into();
    let is_live = |world: &World| {
        topics.iter().all(|&topic| world.client().book_status(topic) == Some(BookStatus::Live))
    };
    assert!(world.run_until(Duration::from_secs(10), is_live).unwrap());
    for day in 0..days {
        if day % BETWEEN_CUTS == 3 {
            world.inject(Fault::CloseOne { code: 1001 }).unwrap();
        }
        let ended = world.run_until(DAY, |world| !is_live(world)).unwrap();
        assert!(!ended, "day {day}: a book is not live: {:?}", world.client().stats());
    }
    world.check_all().unwrap();
    assert_eq!(world.exchange().counts().violations, 0);
    let stats = *world.client().stats();
    println!("{days} days: {stats:?}");
    let cuts = (days + 1) / BETWEEN_CUTS;
    assert_eq!((stats.gaps, stats.resyncs, stats.reconnects), (0, 0, cuts));
    assert_eq!(stats.snapshots, 2, "those at the start; all others are audits");
    assert!(stats.change_overs >= 2 * (days - cuts) - 2, "{stats:?}");
    stats
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
