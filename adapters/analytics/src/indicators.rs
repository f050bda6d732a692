//! The formulas. Each says its source, its warm-up and how exact it is; what happens at a gap [`Guarded`](crate::Guarded)
//! says for all.

mod atr;
mod bollinger;
mod ema;
mod macd;
mod order_flow;
mod rsi;
mod session_vwap;
mod sma;
mod volatility;
mod vwap;

pub use atr::{Atr, TrueRangeInput};
pub use bollinger::{Bands, Bollinger};
pub use ema::Ema;
pub use macd::{Macd, MacdValue};
pub use order_flow::{Microprice, OrderFlowImbalance};
pub use rsi::Rsi;
pub use session_vwap::SessionVwap;
pub use sma::Sma;
pub use volatility::RealisedVolatility;
pub use vwap::{Fill, RollingVwap, Traded};
