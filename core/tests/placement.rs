//! Topics find lines, and stay there.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "tests"
)]

mod willing;

use std::collections::BTreeSet;
use std::time::Duration;

use kucoin_futures_proto::{Channel, Config, Input, Misuse, TopicId, TopicStatus, TransportError};
use willing::Willing;

const SECOND: Duration = Duration::from_secs(1);

/// Wants so many topics, of four channels.
fn want(world: &mut Willing, topics: usize) {
    for n in 0..topics {
        let symbol = format!("C{}USDTM", n / 4).parse().unwrap();
        let channel =
            [Channel::ticker_v2, Channel::execution, Channel::instrument, Channel::depth5][n % 4](
                symbol,
            );
        world.client.subscribe(world.now, channel).unwrap();
    }
}

#[test]
fn the_whole_market_is_spread_evenly_over_as_many_lines_as_it_takes() {
    let mut world = Willing::new(Config::default(), 300);
    want(&mut world, 2_800);
    world.pass(SECOND);
    assert_eq!(world.loads(), [280; 10]);
    assert_eq!(world.sent, 40, "frames of up to a hundred of a channel");
    let topics: BTreeSet<_> = world.conns.values().flatten().collect();
    assert_eq!(topics.len(), 2_800, "each once");
    assert!(world.client.lines().all(|line| line.topics == 280 && line.conn.is_some()));
}

#[test]
fn a_line_that_ends_touches_only_what_it_carried() {
    let mut world = Willing::new(Config::default(), 300);
    want(&mut world, 700);
    world.pass(SECOND);
    let before: Vec<_> = world.conns.clone().into_values().collect();
    let (&conn, carried) = world.conns.iter().nth(1).unwrap();
    let (carried, sent) = (carried.clone(), world.sent);
    world.conns.remove(&conn);
    world.give(Input::Lost { conn, error: TransportError::Reset });
    let wanted = world.client.lines().filter(|line| line.conn.is_none()).count();
    assert_eq!(wanted, 1);
    world.pass(2 * SECOND);
    let again = world.conns.last_key_value().unwrap().1;
    assert_eq!(*again, carried, "the same topics come back, on a line of the same number");
    let after: Vec<_> = world.conns.clone().into_values().collect();
    assert_eq!(after.iter().collect::<BTreeSet<_>>(), before.iter().collect());
    assert!(world.sent - sent <= 4, "nothing was asked for elsewhere");
}

#[test]
fn a_limit_that_a_509_teaches_moves_what_has_no_room() {
    let mut world = Willing::new(Config::default(), 70);
    want(&mut world, 200);
    world.pass(5 * SECOND);
    assert!(world.loads().iter().all(|load| *load <= 70), "{:?}", world.loads());
    assert_eq!(world.loads().iter().sum::<usize>(), 200);
    assert_eq!(world.conns.values().flatten().collect::<BTreeSet<_>>().len(), 200);
}

#[test]
fn what_comes_later_goes_where_there_is_room() {
    let mut world = Willing::new(Config::default(), 300);
    want(&mut world, 310);
    world.pass(SECOND);
    assert_eq!(world.loads(), [155, 155]);
    want(&mut world, 420);
    world.pass(SECOND);
    assert_eq!(world.loads(), [210, 210]);
}

#[test]
fn beyond_the_room_of_all_lines_is_a_misuse_and_without_room_a_rejection() {
    let mut config = Config::default();
    (config.lines.at_most, config.budgets.topics_per_line) = (2, 50);
    let mut world = Willing::new(config, 40);
    want(&mut world, 100);
    let one_more = world.client.subscribe(world.now, Channel::announcements());
    assert_eq!(one_more, Err(Misuse::TooManyTopics));
    world.pass(5 * SECOND);
    assert_eq!(world.loads(), [40, 40]);
    let status = |n: u32| world.client.status(TopicId::new(n));
    let rejected = (0..100).filter(|&n| status(n) == TopicStatus::Rejected { code: 509 });
    assert_eq!(rejected.count(), 20);
}

#[test]
fn a_topic_is_not_heard_on_a_line_that_does_not_carry_it() {
    let mut config = Config::default();
    config.budgets.topics_per_line = 1;
    let mut world = Willing::new(config, 1);
    want(&mut world, 2);
    world.pass(SECOND);
    let ticker = r#"{"topic":"/contractMarket/tickerV2:C0USDTM","type":"message","subject":"tickerV2","data":{"symbol":"C0USDTM","sequence":9,"bestBidSize":1,"bestBidPrice":"1.0","bestAskPrice":"1.1","bestAskSize":2,"ts":1791500000461000000}}"#;
    let carries = |topics: &BTreeSet<String>| topics.iter().any(|topic| topic.contains("tickerV2"));
    let lines: Vec<_> = world.conns.iter().map(|(conn, topics)| (*conn, carries(topics))).collect();
    assert_eq!(lines.len(), 2);
    for (conn, is_its) in lines {
        let input = Input::Text { conn, bytes: ticker.as_bytes() };
        let message = world.client.handle(world.now, input).into_message();
        assert_eq!(message.is_some(), is_its);
    }
    assert_eq!(world.client.stats().unwanted, 1);
}
