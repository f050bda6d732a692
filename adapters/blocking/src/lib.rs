//! KuCoin Futures market data on plain threads.
//!
//! ```no_run
//! use kucoin_futures_blocking::{Feed, Update};
//! use kucoin_futures_proto::{Channel, Config};
//!
//! let mut feed = Feed::new(Config::default())?;
//! feed.subscribe(Channel::Level2("XBTUSDTM".parse()?))?;
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
//! The feed runs only inside [`Feed::next`] and [`Feed::next_within`]: whoever stays away for longer
//! than the server's `pingTimeout` (10 s) may lose the line, and after that, a ping interval and
//! the same again (38 s) surely does: is told so, and gets it back.
//!
//! [`Feed::spawn`] puts a feed on a thread of its own and keeps the line for a reader who may be slow;
//! `for item in feed` yields owned items.
//!
//! All logic is in the core, [`kucoin_futures_proto`]; this crate carries bytes.

mod conn;
mod feed;
mod items;
mod mail;
mod pump;
mod registered;

pub use feed::{Feed, Waker};
pub use items::Items;
pub use kucoin_futures_host::{
    BookUpdate, FeedError, Item, Message, Next, Options, Roots, Taken, Update,
};
pub use pump::Pump;
