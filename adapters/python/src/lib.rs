//! KuCoin Futures market data for Python: what `python/kucoin_futures` is made of.
//!
//! ```text
//!   Python's reader ── next ──> Shared ── queue ──  the feed's own thread ── Client (the core)
//!                                └ mirrors: books at the event handed out last
//! ```
//!
//! No call crosses threads for an event. No price passes through a float unless one is asked for. What takes long is
//! done without the interpreter's lock.

#![forbid(unsafe_code)]

mod analytics;
mod arrow;
mod backlog;
mod book;
mod consumer;
mod credentials;
mod event_class;
mod events;
mod fault;
mod feed;
mod level;
mod message;
mod mirror;
mod news;
mod query;
mod recording;
mod records;
mod replica;
mod shared;
mod tables;
mod to_py;

use pyo3::prelude::*;

/// The part of `kucoin_futures` that is written in Rust.
#[pymodule]
mod _native {
    #[pymodule_export]
    use super::{decode, is_symbol, topic};
    #[pymodule_export]
    use crate::analytics::bars::Bars;
    #[pymodule_export]
    use crate::analytics::candle_events::{
        ClosedCandle, EmptyCandles, LateTrade, RunningCandle, TimelessTrade, UnknownCandles,
    };
    #[pymodule_export]
    use crate::analytics::candles::Candles;
    #[pymodule_export]
    use crate::analytics::funding::FundingDivergence;
    #[pymodule_export]
    use crate::analytics::prices::{Atr, Bollinger, Ema, Macd, Rsi, Sma, Volatility};
    #[pymodule_export]
    use crate::analytics::reading::{Bands, BookMean, Funding, MacdValue, Reading};
    #[pymodule_export]
    use crate::analytics::touch::{BookMeans, Microprice, OrderFlowImbalance};
    #[pymodule_export]
    use crate::analytics::vwap::{RollingVwap, SessionVwap};
    #[pymodule_export]
    use crate::arrow::{ArrowSchema, Batch, BatchReader};
    #[pymodule_export]
    use crate::book::Book;
    #[pymodule_export]
    use crate::consumer::Consumer;
    #[pymodule_export]
    use crate::credentials::Credentials;
    #[pymodule_export]
    use crate::events::{
        AccountLive, AccountLost, BookLive, BookLost, BookVerified, Delta, Depth, Lagged,
        MayHaveMissed, State, Sweep, Ticker, TickerV2, Trade,
    };
    #[pymodule_export]
    use crate::feed::Feed;
    #[pymodule_export]
    use crate::level::Level;
    #[pymodule_export]
    use crate::recording::{Recording, Replay};
    #[pymodule_export]
    use crate::replica::Replica;
    #[pymodule_export]
    use crate::tables::Tables;
}

/// The topic of a channel, such as `/contractMarket/level2:XBTUSDTM`.
#[pyfunction]
#[pyo3(signature = (kind, symbol=None, interval=None))]
fn topic(kind: &str, symbol: Option<&str>, interval: Option<&str>) -> PyResult<String> {
    Ok(query::channel(kind, symbol, interval)?.to_string())
}

/// Whether it is a contract's name as the exchange writes it.
#[pyfunction]
fn is_symbol(typed: &str) -> bool {
    query::is_symbol(typed)
}

/// What one frame says: an event, without a feed.
#[pyfunction]
fn decode<'py>(py: Python<'py>, frame: &[u8]) -> PyResult<Bound<'py, PyAny>> {
    message::of_frame(py, frame)
}
