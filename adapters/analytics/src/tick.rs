//! A trade, as far as candles and averages need it.

use kucoin_futures_proto::wire::{Execution, RestTrade, TakerSide};
use kucoin_futures_proto::{Lots, Price, Sequence, UnixNanos};

/// One trade.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(clippy::exhaustive_structs, reason = "made by callers, out of whatever they have")]
pub struct Tick {
    /// When, by the exchange; `None` if that could not be read.
    pub time: Option<UnixNanos>,
    /// Its place among the trades of its contract. Rises, by one or by more.
    pub sequence: Sequence,
    /// Who took.
    pub taker_side: TakerSide,
    /// In quote currency.
    pub price: Price,
    /// Lots traded.
    pub size: Lots,
}

impl From<&Execution<'_>> for Tick {
    fn from(trade: &Execution<'_>) -> Self {
        Self {
            time: trade.ts_event,
            sequence: trade.sequence,
            taker_side: trade.taker_side,
            price: trade.price,
            size: trade.size,
        }
    }
}

impl From<&RestTrade<'_>> for Tick {
    fn from(trade: &RestTrade<'_>) -> Self {
        Self {
            time: trade.time,
            sequence: trade.sequence,
            taker_side: trade.taker_side,
            price: trade.price,
            size: trade.size,
        }
    }
}
