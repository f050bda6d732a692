//! Candles and indicators out of KuCoin Futures market data, none of which hides what it does not know.
//!
//! A stream of trades has holes: lines break, and what happened meanwhile is gone or comes later by REST. A moving
//! average over a hole is a number like any other, unless somebody says that it is not. Here each does: a [`Reading`]
//! is [`Warming`](Reading::Warming), [`Valid`](Reading::Valid) or [`Stale`](Reading::Stale), and a valid one is exactly
//! its formula over all inputs since the last gap. A [`Candle`](candle::Candle) says whether it is whole.
//!
//! * [`candle`]: candles by the clock, of any length. [`bar`]: bars by count, lots, value or imbalance.
//! * Of prices: [`Sma`], [`Ema`], [`Macd`], [`Rsi`], [`Bollinger`], [`RealisedVolatility`]; of candles: [`Atr`]; of
//!   fills: [`RollingVwap`], [`SessionVwap`].
//! * Of best bid and best ask: [`OrderFlowImbalance`], [`Microprice`]; of whole books: [`BookMeans`], which never takes
//!   what is beyond the horizon for nothing.
//! * [`funding`]: mark against index, and the estimate of the funding rate against the last one that was charged.
//!
//! **What it never does:** I/O, reading a clock, guessing, panicking, allocating once it is warm. A tick costs O(1).
//!
//! **Numbers.** What is money is exact: [`Price`](kucoin_futures_proto::Price),
//! [`Lots`](kucoin_futures_proto::Lots), [`Decimal`](kucoin_futures_proto::Decimal), rounded down once where it has to be
//! divided. What is a statistic is an `f64`, and its indicator says how far off it may be. No rolling sum drifts: those
//! sums are integers.
//!
//! # From trades to a decision
//!
//! Trades become candles, candles an indicator; and what may be missing in the first is a gap of the second.
//!
//! ```
//! use kucoin_futures_analytics::candle::{Candle, CandleBuilder, CandleEvent, Grid};
//! use kucoin_futures_analytics::{Indicator, Reading, Sma, Tick, Valuation};
//! use kucoin_futures_proto::wire::TakerSide;
//! use kucoin_futures_proto::{Interval, Lots, Price, Sequence, UnixNanos};
//!
//! let valuation = Valuation::linear("0.001".parse()?)?;
//! let mut candles = CandleBuilder::new(Grid::of(Interval::Min1).ok_or("a month")?, valuation);
//! let mut average = Sma::new(2)?;
//!
//! // Of a client: `Tick::from(&execution)`, and `on_gap` at `MayHaveMissed`.
//! let mut events = Vec::new();
//! let mut trade = |candles: &mut CandleBuilder, second: u64, price: &str| -> Result<(), Box<dyn std::error::Error>> {
//!     let price = price.parse()?;
//!     let time = UnixNanos::from_millis(1_790_000_040_000 + second * 1_000);
//!     let (sequence, taker_side, size) = (Sequence::new(second), TakerSide::Buy, Lots::new(1));
//!     candles.push(&Tick { time, sequence, taker_side, price, size }, &mut events);
//!     Ok(())
//! };
//! trade(&mut candles, 10, "63000")?;
//! trade(&mut candles, 70, "63001")?; // the first whole minute
//! trade(&mut candles, 130, "63002")?; // the second
//! trade(&mut candles, 190, "63003")?;
//! candles.on_gap(); // the line was down
//! trade(&mut candles, 200, "63004")?;
//! trade(&mut candles, 250, "63005")?;
//!
//! let mut said: Vec<Reading<Price>> = Vec::new();
//! for event in events {
//!     said.push(match event {
//!         CandleEvent::Closed(candle @ Candle { is_whole: true, .. }) => average.push(candle.end, candle.close),
//!         CandleEvent::Closed(Candle { end, .. }) | CandleEvent::Unknown { to: end, .. } => {
//!             average.on_gap(end);
//!             average.reading()
//!         }
//!         other => panic!("{other:?}"),
//!     });
//! }
//! assert!(matches!(said[..2], [Reading::Warming { needed: 2 }, Reading::Warming { needed: 1 }]));
//! assert_eq!(said[2].valid(), Some(&"63001.5".parse()?));
//! // Something may be missing in the minute of the gap: the same number, and it says so.
//! assert!(said[3].is_stale() && said[3].value() == said[2].value());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Features
//!
//! None. `no_std` with `alloc`; `unsafe` is forbidden. Roots and logarithms come from `libm`, so that a run is the same
//! on every machine.

#![no_std]
#![forbid(unsafe_code)]
#![warn(
    clippy::alloc_instead_of_core,
    clippy::exhaustive_enums,
    clippy::exhaustive_structs,
    clippy::std_instead_of_alloc,
    clippy::std_instead_of_core
)]

extern crate alloc;

pub mod bar;
mod book_mean;
pub mod candle;
mod float;
pub mod funding;
mod indicator;
mod indicators;
mod reading;
mod tick;
mod touch;
mod valuation;
mod window;

pub use book_mean::{BookMean, BookMeans, BookSample, Unknown};
pub use indicator::{Formula, Guarded, Indicator, ParameterError};
pub use indicators::{
    Atr, Bands, Bollinger, Ema, Fill, Macd, MacdValue, Microprice, OrderFlowImbalance,
    RealisedVolatility, RollingVwap, Rsi, SessionVwap, Sma, Traded, TrueRangeInput,
};
pub use reading::Reading;
pub use tick::Tick;
pub use touch::Touch;
pub use valuation::Valuation;
