//! The data of an `execution` frame: one trade.

use super::exchange_time::Unit;
use super::fields::{Fields, Key, TakerSide};
use super::text::Text;
use crate::error::WireError;
use crate::ids::{Sequence, Symbol};
use crate::num::{Lots, Price};
use crate::time::UnixNanos;

/// One trade: a taker's order met one maker's. An order that meets several makes several.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Execution<'a> {
    /// The contract.
    pub symbol: Symbol,
    /// Rises from trade to trade, by one or by more; another counter than level2's.
    pub sequence: Sequence,
    /// Who took.
    pub taker_side: TakerSide,
    /// Of the trade.
    pub price: Price,
    /// Lots traded. The documentation calls this the unfilled size; every capture shows the filled.
    pub size: Lots,
    /// The exchange's name for the trade; decimal digits today, 24 hex digits until 2022.
    pub trade_id: Text<'a>,
    /// The order that took.
    pub taker_order_id: Option<Text<'a>>,
    /// The order that was taken.
    pub maker_order_id: Option<Text<'a>>,
    /// When, from nanoseconds; often with millisecond resolution.
    /// One that cannot be read is none.
    pub ts_event: Option<UnixNanos>,
}

impl<'a> Execution<'a> {
    /// Reads the `data` object of an `execution` frame (its subject is `match`), for example
    /// `{"symbol":"XBTUSDTM","sequence":52,"side":"buy","size":2,"price":"63000.6",
    /// "takerOrderId":"9001","makerOrderId":"9000","tradeId":"52","ts":1790000000123000000}`.
    /// The price may be a number, as it was in 2021.
    ///
    /// # Errors
    /// A missing, repeated or ill-typed key, or a number that its type cannot hold.
    pub fn parse(data: &'a [u8]) -> Result<Self, WireError> {
        Fields::parse(data, &KEYS, Self::assemble)
    }

    pub(crate) fn assemble(fields: &Fields<'a>) -> Result<Self, WireError> {
        Ok(Self {
            symbol: fields.symbol()?,
            sequence: fields.sequence()?,
            taker_side: fields.taker_side()?,
            price: fields.price(Key::Price)?,
            size: fields.size(Key::Size)?,
            trade_id: fields.text(Key::TradeId)?,
            taker_order_id: fields.text_if_any(Key::TakerOrderId)?,
            maker_order_id: fields.text_if_any(Key::MakerOrderId)?,
            ts_event: fields.time(Key::Ts, Unit::Nanos),
        })
    }
}

pub(crate) const KEYS: [Key; 9] = [
    Key::Symbol,
    Key::Sequence,
    Key::Side,
    Key::Price,
    Key::Size,
    Key::TradeId,
    Key::TakerOrderId,
    Key::MakerOrderId,
    Key::Ts,
];
