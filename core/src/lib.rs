//! The KuCoin Futures market data protocol as pure functions of bytes and time.
//!
//! This crate holds the whole logic of a client: the token handshake, the session with its pings and
//! deadlines, subscriptions, reconnects with backoff, request budgets, and exact order books that
//! say how far they can see. It is driven by an *adapter*, a few dozen lines around sockets of any
//! kind. There are adapters for blocking I/O and for smol; another runtime needs another loop and
//! nothing else.
//!
//! **What it never does:** I/O, reading a clock, the environment or a random source, spawning,
//! blocking, panicking on input, touching a float for a price, guessing.
//!
//! # The laws
//!
//! 1. Drain the [`Turn`] of every input, and [`Client::poll_output`] after every command. Several calls
//!    before draining are legal, too; only a message has to be taken at once, because it lies in the
//!    caller's bytes.
//! 2. While outputs are queued, [`Client::poll_timeout`] is due now.
//! 3. After `Timeout` at or past the deadline and a drain, the deadline is `None` or later.
//! 4. `Timeout` early, twice or late is harmless; `poll_timeout` is pure and O(1).
//! 5. Outputs come in the order of their causes. Each connection has one `Open` and one `Down`.
//! 6. [`Client::handle`] never fails and never panics, whatever the bytes.
//! 7. Inputs of connections and requests that are gone change nothing but a counter.
//! 8. Same config, seed and inputs: same outputs, byte for byte.
//! 9. Every queue that the other side can fill has a cap in [`Config`]. Effects are never dropped;
//!    undrained deltas and delays are folded into one [`Event::Lagged`].
//! 10. After [`Client::close`], drain; then `poll_output` and `poll_timeout` are `None` for good.
//!
//! And the promise they serve: **while [`Client::book`] returns a book, it equals the exchange's at
//! its [`sequence`](Book::sequence), at every price inside the horizon it states, and every level
//! held beyond is right.** Otherwise it returns `None`, and an event has said why.
//!
//! # The loop
//!
//! ```
//! use kucoin_futures_proto::{Channel, Client, Config, Input, Instant, Output};
//!
//! # struct Io; impl Io {
//! #   fn now(&self) -> Instant { Instant::ZERO }
//! #   fn perform(&mut self, _: Output<'_>) {}
//! #   fn wait(&mut self, _: Option<Instant>) -> Option<Input<'static>> { None }
//! # }
//! # let mut io = Io;
//! let mut client = Client::new(io.now(), 42, Config::default());
//! let topic = client.subscribe(io.now(), Channel::level2("XBTUSDTM".parse()?))?;
//! let mut input = Input::Timeout;
//! loop {
//!     let mut turn = client.handle(io.now(), input);
//!     while let Some(output) = turn.next() {
//!         match output {
//!             Output::Event(event) => println!("{event:?}"),
//!             Output::Push(push) => println!("{:?}", push.decode()),
//!             effect => io.perform(effect), // open, send, close, fetch
//!         }
//!     }
//!     if let Some(book) = client.book(topic) {
//!         println!("{:?} {:?}", book.best_bid(), book.best_ask());
//!     }
//!     let deadline = client.poll_timeout().map(|deadline| deadline.at);
//!     input = match io.wait(deadline) {
//!         Some(input) => input,
//!         None => break,
//!     };
//! }
//! # Ok::<(), kucoin_futures_proto::Misuse>(())
//! ```
//!
//! # Features
//!
//! None. `no_std` with `alloc`; `unsafe` is forbidden.
//!
//! # Where the facts come from
//!
//! KuCoin's documentation of the classic futures interface, its official SDKs, and captures of the
//! live service between 2024 and 2026. Every number in [`Config`] names its origin.

#![no_std]
#![forbid(unsafe_code)]
#![warn(
    clippy::alloc_instead_of_core,
    clippy::exhaustive_enums,
    clippy::float_arithmetic,
    clippy::std_instead_of_alloc,
    clippy::std_instead_of_core,
    clippy::wildcard_enum_match_arm
)]
#![cfg_attr(
    test,
    allow(clippy::std_instead_of_alloc, clippy::std_instead_of_core, reason = "tests have std")
)]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod account;
pub mod auth;
mod backoff;
pub mod book;
mod channel;
mod client;
mod command;
pub mod config;
mod context;
mod contract;
mod currency;
mod deduplicator;
mod endpoint;
mod error;
mod event;
mod hand_over;
mod ids;
mod input;
mod keepalive;
mod limiter;
mod line;
mod line_set;
mod message;
mod num;
mod output;
mod pace;
mod placement;
mod push;
mod query;
mod refusal;
mod rest_request;
mod rng;
mod scheduler;
mod server_clock;
mod session;
mod stats;
mod subscription;
mod symbols;
mod tap;
mod text_serde;
mod time;
mod timers;
mod topics;
pub mod wire;

pub use account::{
    Account, AccountFill, AccountPart, AccountStatus, Balance, OpenOrder, Position, StopOrder,
};
pub use book::sync::BookStatus;
pub use book::{Book, BookAge, Evidence};
pub use channel::{Channel, ChannelKey, ChannelKind};
pub use client::{Client, Turn};
pub use command::Command;
pub use config::Config;
pub use contract::{ContractError, ContractKind, ContractSpec, ExpectedFill};
pub use currency::Currency;
pub use endpoint::{Endpoint, RestBase};
pub use error::{Misuse, TransportError, WireError};
pub use event::{
    AccountDelayReason, AccountEvent, AccountLostReason, BookDelayReason, BookEvent,
    BookLostReason, DisconnectReason, Event, LineEvent, LoginError, ReplaceReason, RestError,
    TimePlace, TopicEvent,
};
pub use ids::{ConnId, Epoch, LineId, RequestId, Sequence, Symbol, TopicId, WordsId};
pub use input::{Input, ResponseHead};
pub use limiter::{BudgetKind, BudgetUse};
pub use line::LineStatus;
pub use message::{Message, UnknownMessage};
pub use num::{Decimal, Lots, Price};
pub use output::{Deadline, Output, TimeoutReason};
pub use placement::LineRole;
pub use push::{Push, PushTag};
pub use query::{Granularity, PageNumber, Query, SeriesPart, TimeRange};
pub use refusal::Refusal;
pub use rest_request::{Method, RestRequest, Sign};
pub use rng::SplitMix64;
pub use stats::Stats;
pub use symbols::{Resolution, Suggestion, resolve_symbol};
pub use tap::Tap;
pub use time::{Instant, UnixNanos};
pub use topics::TopicStatus;
pub use wire::Interval;
