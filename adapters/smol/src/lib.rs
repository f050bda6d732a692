//! KuCoin Futures market data on smol.
//!
//! ```no_run
//! use kucoin_futures_proto::{Channel, Config};
//! use kucoin_futures_smol::{Feed, Update};
//!
//! smol::block_on(async {
//!     let mut feed = Feed::new(Config::default())?;
//!     feed.subscribe(Channel::level2("XBTUSDTM".parse()?))?;
//!     while let Some(update) = feed.next().await {
//!         match update {
//!             Update::Book(change) => {
//!                 if let Some(book) = change.book {
//!                     println!("{:?} / {:?}", book.best_bid(), book.best_ask());
//!                 }
//!             }
//!             Update::State(event) => eprintln!("{event:?}"),
//!             Update::Push(push) => println!("{:?}", push.decode()?),
//!         }
//!     }
//!     Ok::<(), Box<dyn std::error::Error>>(())
//! })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`Feed::next`] may be dropped at any time and called again: nothing is lost. The feed runs only
//! inside it: a caller who stays away for longer than the server's `pingTimeout` (10 s) may lose the
//! line, and after a ping interval and twice that (38 s) surely does: is told so, and gets it back.
//! [`Feed::spawn`] puts a feed on a task of its own and keeps the line for a reader who may be slow;
//! [`Feed::into_stream`] yields owned items.
//!
//! With two lines for each topic either may end without a book leaving live, and a live book can be held against a
//! snapshot at any time:
//!
//! ```
//! use std::sync::Arc;
//!
//! use kucoin_futures_host::Clock;
//! use kucoin_futures_proto::{BookEvent, Channel, Config, Event};
//! use kucoin_futures_sim::{ExchangeConfig, Server};
//! use kucoin_futures_smol::{Feed, Update};
//!
//! // In place of the real exchange.
//! let clock = Clock::new();
//! let (addr, exchange) = (([127, 0, 0, 1], 0).into(), ExchangeConfig::default());
//! let server = Server::start(addr, 1, exchange, Arc::new(move || clock.now()))?;
//!
//! let mut config = Config::with_rest(&server.url())?;
//! config.lines.per_topic = 2;
//! smol::block_on(async {
//!     let mut feed = Feed::new(config)?;
//!     feed.subscribe(Channel::level2("XBTUSDTM".parse()?))?;
//!     while let Some(update) = feed.next().await {
//!         match update {
//!             Update::State(Event::Book(topic, BookEvent::Live { .. })) => feed.verify(topic)?,
//!             Update::State(Event::Book(_, BookEvent::Verified { sequence, .. })) => {
//!                 println!("equal at {sequence}");
//!                 break;
//!             }
//!             _ => {}
//!         }
//!     }
//!     assert_eq!(feed.lines().count(), 2);
//!     Ok::<(), Box<dyn std::error::Error>>(())
//! })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! **Other executors.** Sockets and timers come from `async-io`, which brings a thread of its own
//! where nobody else drives it, and REST requests and the resolver run on the `blocking` pool: a feed can be polled by
//! any executor. Only `spawn` needs smol's; [`Feed::pump`] gives the same as a future to be spawned
//! elsewhere.
//!
//! All logic is in the core, [`kucoin_futures_proto`], the loop in [`kucoin_futures_host`]; this crate
//! carries bytes.

#![forbid(unsafe_code)]

mod conn;
mod dial;
mod open;
mod socket;
mod sockets;

pub use kucoin_futures_host::{
    BookUpdate, FeedError, Item, Message, Next, Options, Resolve, Roots, Update, Waker,
};
pub use open::connect;
pub use socket::Socket;
pub use sockets::Sockets;

/// Market data, pulled by [`Feed::next`], which is awaited.
pub type Feed = kucoin_futures_host::Feed<Sockets>;

/// The reader's end of a [`Feed`] that runs on a task of its own; a stream of owned items.
pub type Pump = kucoin_futures_host::Pump<Sockets>;

/// A [`Feed`] as a stream of owned items.
pub type Items = kucoin_futures_host::Items<Sockets>;
