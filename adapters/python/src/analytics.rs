//! Candles and indicators for Python: `kucoin_futures.analytics`.
//!
//! ```text
//!   event ──> Source: a trade, a gap, or nothing of ours ──> Candles, Bars ──> candle events
//!   candle event, price, touch, .. ──> Told: an input, a gap ──> Kept<indicator> ──> Reading
//! ```
//!
//! What Python gives is read first and then told; nothing is locked while Python runs.

pub(crate) mod bars;
pub(crate) mod candle_events;
pub(crate) mod candles;
pub(crate) mod funding;
mod kept;
mod numbers;
pub(crate) mod prices;
pub(crate) mod reading;
mod source;
pub(crate) mod touch;
pub(crate) mod vwap;
