//! The data of `tickerV2` and `ticker` frames: best bid and offer as the exchange sees them.

use super::exchange_time::Unit;
use super::fields::{Fields, Key, TakerSide};
use super::text::Text;
use crate::book::Level;
use crate::error::WireError;
use crate::ids::{Sequence, Symbol};
use crate::num::{Lots, Price};
use crate::time::UnixNanos;

/// Best bid and offer. Comes in real time, apart from the book; it does not say that a book is live.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct TickerV2 {
    /// The contract.
    pub symbol: Symbol,
    /// The same counter as level2's, with gaps; absent in the oldest documentation.
    pub sequence: Option<Sequence>,
    /// Highest bid; `None` if there is none.
    pub best_bid: Option<Level>,
    /// Lowest ask; `None` if there is none.
    pub best_ask: Option<Level>,
    /// When, from nanoseconds; often with millisecond resolution.
    /// One that cannot be read is none.
    pub ts_event: Option<UnixNanos>,
}

/// The last trade with the best bid and offer: `ticker`, the older channel. The exchange advises
/// [`TickerV2`] for the touch and [`Execution`](super::Execution) for trades; this has both in one
/// message, once per trade.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Ticker<'a> {
    /// The contract.
    pub symbol: Symbol,
    /// Rises from trade to trade, by one or by more; another counter than level2's.
    pub sequence: Sequence,
    /// Who took.
    pub taker_side: TakerSide,
    /// Of the trade.
    pub price: Price,
    /// Lots traded.
    pub size: Lots,
    /// The exchange's name for the trade; decimal digits today.
    pub trade_id: Text<'a>,
    /// Highest bid; `None` if there is none.
    pub best_bid: Option<Level>,
    /// Lowest ask; `None` if there is none.
    pub best_ask: Option<Level>,
    /// When, from nanoseconds; often with millisecond resolution.
    /// One that cannot be read is none.
    pub ts_event: Option<UnixNanos>,
}

impl TickerV2 {
    /// Reads the `data` object of a `tickerV2` frame, for example
    /// `{"symbol":"XBTUSDTM","sequence":41,"bestBidSize":7,"bestBidPrice":"63000.5",
    /// "bestAskPrice":"63000.6","bestAskSize":9,"ts":1790000000123000000}`.
    ///
    /// # Errors
    /// A missing, repeated or ill-typed key, or a number that its type cannot hold.
    pub fn parse(data: &[u8]) -> Result<Self, WireError> {
        Fields::parse(data, &V2_KEYS, Self::assemble)
    }

    pub(crate) fn assemble(fields: &Fields<'_>) -> Result<Self, WireError> {
        Ok(Self {
            symbol: fields.symbol()?,
            sequence: fields.sequence_if_any()?,
            best_bid: fields.best(Key::BidPrice, Key::BidSize)?,
            best_ask: fields.best(Key::AskPrice, Key::AskSize)?,
            ts_event: fields.time(Key::Ts, Unit::Nanos),
        })
    }
}

impl<'a> Ticker<'a> {
    /// Reads the `data` object of a `ticker` frame, for example
    /// `{"symbol":"XBTUSDTM","sequence":52,"side":"sell","size":3,"price":"63000.5",
    /// "bestBidSize":7,"bestBidPrice":"63000.5","bestAskPrice":"63000.6","tradeId":"52",
    /// "bestAskSize":9,"ts":1790000000123000000}`.
    ///
    /// # Errors
    /// A missing, repeated or ill-typed key, or a number that its type cannot hold.
    pub fn parse(data: &'a [u8]) -> Result<Self, WireError> {
        Fields::parse(data, &V1_KEYS, Self::assemble)
    }

    pub(crate) fn assemble(fields: &Fields<'a>) -> Result<Self, WireError> {
        Ok(Self {
            symbol: fields.symbol()?,
            sequence: fields.sequence()?,
            taker_side: fields.taker_side()?,
            price: fields.price(Key::Price)?,
            size: fields.size(Key::Size)?,
            trade_id: fields.text(Key::TradeId)?,
            best_bid: fields.best(Key::BidPrice, Key::BidSize)?,
            best_ask: fields.best(Key::AskPrice, Key::AskSize)?,
            ts_event: fields.time(Key::Ts, Unit::Nanos),
        })
    }
}

pub(crate) const V2_KEYS: [Key; 7] =
    [Key::Symbol, Key::Sequence, Key::BidPrice, Key::BidSize, Key::AskPrice, Key::AskSize, Key::Ts];

pub(crate) const V1_KEYS: [Key; 11] = [
    Key::Symbol,
    Key::Sequence,
    Key::Side,
    Key::Price,
    Key::Size,
    Key::TradeId,
    Key::BidPrice,
    Key::BidSize,
    Key::AskPrice,
    Key::AskSize,
    Key::Ts,
];
