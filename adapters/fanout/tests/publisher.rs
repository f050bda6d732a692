//! A publisher's thread, with engines that no server is as bad as.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, missing_docs, reason = "tests")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use kucoin_futures_fanout::message::{Body, Message, PublisherId};
use kucoin_futures_fanout::outbox::{BookView, OutboxLimits};
use kucoin_futures_fanout::{Encoding, Engine, EngineError, Publisher, PublisherOptions};
use kucoin_futures_host::Clock;
use kucoin_futures_proto::book::{Coverage, Level, SideParts};
use kucoin_futures_proto::{Book, Lots, Price, Sequence, Symbol};

/// Lets everybody in, and takes what it is given as it is told to.
struct Odd {
    publish: fn(&[Message]) -> Result<(), EngineError>,
    connects: Arc<AtomicU64>,
    ends: Arc<AtomicU64>,
}

impl Engine for Odd {
    fn connect(&mut self) -> Result<(), EngineError> {
        self.connects.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    fn publish(&mut self, messages: &[Message], _: Encoding) -> Result<(), EngineError> {
        let ends = messages.iter().filter(|message| matches!(message.body, Body::End)).count();
        self.ends.fetch_add(ends as u64, Ordering::Relaxed);
        (self.publish)(messages)
    }

    fn wanted(&mut self) -> Result<Vec<Symbol>, EngineError> {
        Ok(Vec::new())
    }

    fn announce(
        &mut self,
        _: &str,
        _: PublisherId,
        _: Duration,
        _: bool,
    ) -> Result<Vec<PublisherId>, EngineError> {
        Ok(Vec::new())
    }
}

/// A publisher, how often it has connected, and how many streams it has ended.
fn publisher(
    publish: fn(&[Message]) -> Result<(), EngineError>,
) -> (Publisher, Arc<AtomicU64>, Arc<AtomicU64>) {
    let (connects, ends) = <(Arc<AtomicU64>, Arc<AtomicU64>)>::default();
    let engine = Odd { publish, connects: Arc::clone(&connects), ends: Arc::clone(&ends) };
    let (encoding, limits) = (Encoding::Binary, OutboxLimits::default());
    let options = PublisherOptions { encoding, limits, group: None };
    (Publisher::start(Box::new(engine), options).unwrap(), connects, ends)
}

/// A book of so many levels a side.
fn book(levels: i64) -> Book {
    let price = |at| Price::from_scaled(at * 1_000_000_000_000).unwrap();
    let level = |at| Level { price: price(at), size: Lots::new(1) };
    let bids: Vec<Level> = (1..=levels).rev().map(level).collect();
    let asks: Vec<Level> = (levels + 1..=levels * 2).map(level).collect();
    let [bids, asks] = [&bids, &asks].map(|levels| SideParts { levels, reach: Coverage::All });
    let mut book = Book::new(usize::MAX, usize::MAX);
    assert!(book.restore(Sequence::new(1), None, bids, asks));
    book
}

#[test]
fn an_engine_that_lets_in_and_takes_nothing_is_tried_less_and_less_often() {
    let refuse = |_: &[Message]| {
        Err(EngineError::Protocol { engine: "odd".into(), why: "out of memory".into() })
    };
    let (publisher, connects, _) = publisher(refuse);
    let (symbol, book) = ("XBTUSDTM".parse().unwrap(), book(10));
    publisher.add(symbol);
    publisher.live(symbol, 1);
    for _ in 0..50 {
        publisher.beat(|_| Some(BookView { book: &book, epoch: 1, age: Duration::ZERO }));
        std::thread::sleep(Duration::from_millis(50));
    }
    // After 0.1, 0.2, 0.4, 0.8 and 1.6 s, and what a beat takes to come.
    let connects = connects.load(Ordering::Relaxed);
    assert!((2..=6).contains(&connects), "{connects}");
}

#[test]
fn what_waits_for_a_slow_engine_does_not_hold_up_the_end() {
    let slow = |_: &[Message]| {
        std::thread::sleep(Duration::from_millis(700));
        Ok(())
    };
    let (publisher, _, ends) = publisher(slow);
    let book = book(1000);
    let symbols: Vec<Symbol> = (0..300).map(|at| format!("C{at}USDTM").parse().unwrap()).collect();
    while !publisher.status().is_connected {
        std::thread::sleep(Duration::from_millis(10));
    }
    for symbol in &symbols {
        publisher.add(*symbol);
        publisher.live(*symbol, 1);
    }
    publisher.beat(|_| Some(BookView { book: &book, epoch: 1, age: Duration::ZERO }));
    let (clock, status) = (Clock::new(), publisher.status());
    let start = clock.now();
    drop(publisher);
    let took = clock.now().since(start);
    assert!(took < Duration::from_secs(6), "{took:?}: {status:?}");
    assert_eq!(ends.load(Ordering::Relaxed), 300, "each stream has its end");
}
