//! Books of KuCoin Futures over engines that exist: many publishers, many consumers, exact or said not to be.
//!
//! ```text
//!   feed ──> Publisher ══ bounded ══> engine's thread ──> Redis | NATS ──> Source ──> Consumer ──> books
//!            never waits                                                              no I/O
//! ```
//!
//! * [`message`]: what is said, and how it is written.
//! * [`consumer`]: books out of messages, without I/O, and when they are live.
//! * [`outbox`]: what waits for an engine, without I/O; [`publisher`]: the same with the engine's thread.
//! * [`share`]: who of several publishers publishes what.
//! * [`engine`]: Redis Streams and NATS (features `redis` and `nats`), and two traits for others.
//!
//! **What is promised**: a consumer's book that says that it is live equals the exchange's book at its sequence, exactly,
//! at every price inside its reach. It is late by what the engine takes; it is not live when its publishers are not
//! heard of for 5 s; and whatever an engine loses, repeats or mixes up is seen by the numbers in the messages.
//!
//! ```no_run
//! use std::time::Duration;
//! use kucoin_futures_fanout::consumer::{Event, Limits};
//! use kucoin_futures_fanout::{Address, Consumer};
//! use kucoin_futures_host::Clock;
//! use kucoin_futures_proto::{Book, Symbol};
//!
//! let (clock, symbol) = (Clock::new(), "XBTUSDTM".parse()?);
//! let mut source = Address::new("redis://127.0.0.1:6379", "kcf", 0)?.source()?;
//! let mut consumer = Consumer::new(Limits::default());
//! consumer.follow(symbol);
//! let mut show = |symbol: Symbol, event: &Event, book: Option<&Book>| {
//!     println!("{symbol}: {event:?}, best bid {:?}", book.map(Book::best_bid));
//! };
//! source.connect()?;
//! source.follow(&[symbol])?;
//! loop {
//!     source.poll(Duration::from_millis(100), &mut |arrived| {
//!         // What is no message is counted, and missed by its number.
//!         let _ = consumer.take(clock.now(), arrived.age, arrived.bytes, &mut show);
//!     })?;
//!     consumer.handle_timeout(clock.now(), &mut show);
//! #   if false { break }
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! There is no policy of the exchange here, and no async runtime: engines are blocking sockets with limits.

#![forbid(unsafe_code)]

pub mod consumer;
pub mod engine;
pub mod message;
pub mod outbox;
pub mod publisher;
pub mod share;

pub use consumer::Consumer;
pub use engine::{Address, Engine, EngineError, Source};
pub use message::Encoding;
pub use publisher::{Publisher, PublisherOptions};
