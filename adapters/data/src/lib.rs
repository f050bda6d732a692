//! KuCoin Futures market data on disk: recordings that replay byte for byte, and data sets that state their own gaps.

pub mod export;
pub mod join;

mod sink;

pub use sink::{Moment, Sink};
