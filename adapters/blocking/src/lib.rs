//! KuCoin Futures market data on plain threads.
//!
//! ```no_run
//! use kucoin_futures_blocking::{Feed, Update};
//! use kucoin_futures_proto::{Channel, Config};
//!
//! let mut feed = Feed::new(Config::default())?;
//! feed.subscribe(Channel::level2("XBTUSDTM".parse()?))?;
//! while let Some(update) = feed.next() {
//!     match update {
//!         Update::Book(change) => {
//!             if let Some(book) = change.book {
//!                 println!("{:?} / {:?}", book.best_bid(), book.best_ask());
//!             }
//!         }
//!         Update::State(event) => eprintln!("{event:?}"),
//!         Update::Push(push) => println!("{:?}", push.decode()?),
//!     }
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The feed runs only inside [`Feed::next`] and [`Feed::next_within`]: a caller who stays away for longer
//! than the server's `pingTimeout` (10 s) may lose the line, and after that, a ping interval and
//! the same again (38 s) surely does: is told so, and gets it back.
//!
//! [`Feed::spawn`] puts a feed on a thread of its own and keeps the line for a reader who may be slow;
//! its books are read between two updates:
//!
//! ```no_run
//! # fn show(pump: &kucoin_futures_blocking::Pump, topic: kucoin_futures_proto::TopicId)
//! # -> Result<(), kucoin_futures_proto::Misuse> {
//! let touch = pump.with(move |feed| {
//!     feed.book(topic).map(|book| (book.sequence(), book.best_bid(), book.best_ask()))
//! })?;
//! # Ok(()) }
//! ```
//!
//! `for item in feed` yields owned items.
//!
//! With two lines for each topic either may end without a book leaving live, and a live book can be held against a
//! snapshot at any time:
//!
//! ```no_run
//! use kucoin_futures_blocking::{Feed, Update};
//! use kucoin_futures_proto::{BookEvent, Channel, Config, Event};
//!
//! let mut config = Config::default();
//! config.lines.per_topic = 2;
//! let mut feed = Feed::new(config)?;
//! feed.subscribe(Channel::level2("XBTUSDTM".parse()?))?;
//! while let Some(update) = feed.next() {
//!     let Update::State(Event::Book(topic, event)) = update else { continue };
//!     match event {
//!         BookEvent::Live { .. } => feed.verify(topic)?,
//!         BookEvent::Verified { sequence, .. } => {
//!             println!("equal at {sequence}");
//!             for line in feed.lines() {
//!                 println!("line {}: {} first", line.id.get(), line.share.first);
//!             }
//!         }
//!         event => println!("{event:?}"),
//!     }
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! All logic is in the core, [`kucoin_futures_proto`], the loop in [`kucoin_futures_host`]; this crate
//! carries bytes.

mod conn;
mod registered;
mod sockets;

pub use kucoin_futures_host::{
    BookUpdate, FeedError, Item, Message, Next, Options, Resolve, Roots, Taken, Update, Waker,
};
pub use sockets::Sockets;

/// Market data, pulled by [`Feed::next`], which blocks.
pub type Feed = kucoin_futures_host::Feed<Sockets>;

/// The reader's end of a [`Feed`] that runs on a thread of its own.
pub type Pump = kucoin_futures_host::Pump<Sockets>;

/// A [`Feed`] as an iterator of owned items.
pub type Items = kucoin_futures_host::Items<Sockets>;
