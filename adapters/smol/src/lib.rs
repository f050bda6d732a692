//! KuCoin Futures market data on smol.
//!
//! ```no_run
//! use kucoin_futures_proto::{Channel, Config};
//! use kucoin_futures_smol::{Feed, Update};
//!
//! smol::block_on(async {
//!     let mut feed = Feed::new(Config::default())?;
//!     feed.subscribe(Channel::Level2("XBTUSDTM".parse()?))?;
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
//! inside it: whoever stays away for longer than the server's `pingTimeout` (10 s) may lose the
//! line, and after a ping interval and twice that (38 s) surely does: is told so, and gets it back. [`Feed::spawn`] puts a
//! feed on a task of its own and keeps the line for a reader who may be slow;
//! [`Feed::into_stream`] yields owned items.
//!
//! **Other executors.** Sockets and timers come from `async-io`, which brings a thread of its own
//! where nobody else drives it, and REST requests run on the `blocking` pool: a feed can be polled by
//! any executor. Only `spawn` needs smol's; [`Feed::pump`] gives the same as a future to be spawned
//! elsewhere.
//!
//! All logic is in the core, [`kucoin_futures_proto`]; this crate carries bytes.

#![forbid(unsafe_code)]

mod conn;
mod feed;
mod items;
mod open;
mod pump;
mod socket;

pub use feed::{Feed, Waker};
pub use items::Items;
pub use kucoin_futures_host::{BookUpdate, FeedError, Item, Message, Next, Options, Roots, Update};
pub use pump::Pump;
