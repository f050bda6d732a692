//! The other side of the KuCoin Futures market data protocol.
//!
//! * [`Exchange`] is the exchange as a pure, seeded state machine: tokens, sessions, limits and their
//!   error texts, REST, and living markets deeper than a snapshot shows, with their true history.
//! * [`World`] puts an exchange, a network and a client under one virtual clock; an [`Oracle`] compares
//!   every event of the client with the truth. Years of bad network run in minutes.
//! * [`small`] goes through every short history of a tiny market and asks of every claim of the client
//!   whether anything can justify it.
//! * [`crowd`] lets a thousand clients lose their lines at once, and compares how they come back.
//! * [`OutputChecker`] holds the outputs of a client to the core's laws, whatever it goes through.
//! * [`trial`] puts anybody's order book and gap handling to the test, not only this project's.
//! * [`Scenario`] draws a run with its faults from a seed, [`soak`] runs it and makes what fails small.
//! * [`Server`] serves an exchange on loopback, HTTP and WebSocket on one port, for any client; a [`Venue`] is what it
//!   can serve.
//!
//! Faults are scripted with a [`Plan`], whose text form the module [`fault`] describes.

#![forbid(unsafe_code)]
#![allow(
    clippy::cast_possible_truncation,
    reason = "the model counts in small numbers; the client's core does not get this freedom"
)]

mod account;
mod config;
mod contract;
pub mod crowd;
mod exchange;
pub mod fault;
#[cfg(feature = "fuzz")]
pub mod fuzz;
mod gateway;
mod interval;
mod judge;
mod ledger;
mod market;
mod oracle;
mod output_checker;
mod quota;
mod rest;
mod scenario;
#[cfg(feature = "server")]
mod server;
mod session;
pub mod small;
pub mod soak;
#[cfg(feature = "server")]
mod stream;
#[cfg(feature = "server")]
mod tls;
mod token;
mod topic;
mod trace;
mod trade;
pub mod trial;
mod trouble;
mod truth;
mod world;

pub use account::{
    Account, AccountChange, AccountConfig, AccountState, Balance, Fill, MarginMode, Money, Order,
    OrderId, Permission, Position, Settlement, StopEnd, StopOrder, StopPriceType, Terms,
    TimeInForce, TradeType, Trigger,
};
pub use config::{Clocks, ExchangeConfig, Limits};
pub use contract::{Contract, java_number};
pub use exchange::{
    About, Counts, Exchange, FaultHit, Outgoing, PushForm, SessionId, delta_frame, depth_frame,
    ticker_frame,
};
pub use fault::{Fault, Plan, Refusal, Target};
pub use gateway::Gateway;
pub use interval::Interval;
pub use ledger::{Ledger, Tally};
pub use market::{Candle, DayFigures, FundingShown, Market, Marks};
pub use oracle::{Oracle, Violation, compare};
pub use output_checker::{BrokenLaw, Law, OutputChecker};
pub use rest::{Request, Response, ResponseFate};
pub use scenario::{Profile, Scenario, ScenarioError, Source};
#[cfg(feature = "server")]
pub use server::{Clock, Flood, QUEUE, Server, ServerError, TlsConfig, Venue};
#[cfg(feature = "server")]
pub use tls::{Authority, AuthorityError, Flaw};
pub use topic::{Topic, TopicError};
pub use trade::Trade;
pub use truth::{Change, Truth};
pub use world::{Taps, World, WorldEvent};

/// The page's examples compile.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/test-your-gap-handling.md")]
struct Page;
