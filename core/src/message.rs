//! What a message says, once it is decoded.

use crate::ids::Symbol;
use crate::time::UnixNanos;
use crate::wire::{Contracts, Depth, Execution, Ticker, TickerV2};

/// A decoded message.
#[derive(Debug)]
#[non_exhaustive]
pub enum Message<'a> {
    /// Best bid and offer.
    TickerV2(TickerV2),
    /// Last trade with best bid and offer.
    Ticker(Ticker<'a>),
    /// The best five levels of both sides.
    Depth5(Depth<'a>),
    /// A trade.
    Execution(Execution<'a>),
    /// The answer to [`Query::ServerTime`](crate::Query::ServerTime).
    ServerTime(UnixNanos),
    /// The answer to [`Query::Contracts`](crate::Query::Contracts).
    Contracts(Contracts<'a>),
}

impl Message<'_> {
    /// The contract that it is about, if it is about one.
    #[must_use]
    pub const fn symbol(&self) -> Option<Symbol> {
        match self {
            Self::TickerV2(ticker) => Some(ticker.symbol),
            Self::Ticker(ticker) => Some(ticker.symbol),
            Self::Execution(execution) => Some(execution.symbol),
            // Of whatever topic it came with.
            Self::Depth5(_) | Self::ServerTime(_) | Self::Contracts(_) => None,
        }
    }
}
