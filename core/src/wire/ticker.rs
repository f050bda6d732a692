//! The data of a `tickerV2` frame: best bid and offer as the exchange sees them.

use super::scan::{Scanner, Value, once};
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
    /// Highest bid.
    pub best_bid_price: Price,
    /// Lots at the highest bid.
    pub best_bid_size: Lots,
    /// Lowest ask.
    pub best_ask_price: Price,
    /// Lots at the lowest ask.
    pub best_ask_size: Lots,
    /// When, from nanoseconds; often with millisecond resolution.
    pub ts_event: UnixNanos,
}

/// The sequence alone, where there is one: enough to tell a repeat.
pub(crate) fn peek_sequence(data: &[u8]) -> Option<Sequence> {
    let mut scanner = Scanner::new(data);
    scanner.object().ok()?;
    let mut first = true;
    while let Some(key) = scanner.key(&mut first).ok()? {
        let value = scanner.value().ok()?;
        if key.is("sequence") {
            return value.integer("sequence").ok().map(Sequence::new);
        }
    }
    None
}

#[derive(Default)]
struct Fields {
    symbol: Option<Symbol>,
    sequence: Option<u64>,
    bid_price: Option<Price>,
    bid_size: Option<Lots>,
    ask_price: Option<Price>,
    ask_size: Option<Lots>,
    ts: Option<u64>,
}

impl TickerV2 {
    /// Reads the `data` object of a `tickerV2` frame, for example
    /// `{"symbol":"XBTUSDTM","sequence":41,"bestBidSize":7,"bestBidPrice":"63000.5",
    /// "bestAskPrice":"63000.6","bestAskSize":9,"ts":1790000000123000000}`.
    ///
    /// # Errors
    /// A missing, repeated or ill-typed key, or a number that its type cannot hold.
    pub fn parse(data: &[u8]) -> Result<Self, WireError> {
        let mut fields = Fields::default();
        let mut scanner = Scanner::new(data);
        scanner.object()?;
        let mut first = true;
        while let Some(key) = scanner.key(&mut first)? {
            let value = scanner.value()?;
            if let Some(key) = KEYS.iter().find(|known| key.is(known)) {
                fields.read(key, value)?;
            }
        }
        scanner.end()?;
        fields.finish()
    }
}

const KEYS: [&str; 7] =
    ["symbol", "sequence", "bestBidPrice", "bestBidSize", "bestAskPrice", "bestAskSize", "ts"];

impl Fields {
    fn read(&mut self, key: &'static str, value: Value<'_>) -> Result<(), WireError> {
        let price = |value: Value<'_>| Price::parse(value.digits(key)?, key);
        let size = |value: Value<'_>| Lots::parse(value.digits(key)?, key);
        match key {
            "symbol" => once(&mut self.symbol, parse_symbol(value)?, key),
            "sequence" => once(&mut self.sequence, value.integer(key)?, key),
            "bestBidPrice" => once(&mut self.bid_price, price(value)?, key),
            "bestBidSize" => once(&mut self.bid_size, size(value)?, key),
            "bestAskPrice" => once(&mut self.ask_price, price(value)?, key),
            "bestAskSize" => once(&mut self.ask_size, size(value)?, key),
            _ => once(&mut self.ts, value.integer(key)?, key),
        }
    }

    fn finish(self) -> Result<TickerV2, WireError> {
        Ok(TickerV2 {
            symbol: self.symbol.ok_or(WireError::Missing { field: "symbol" })?,
            sequence: self.sequence.map(Sequence::new),
            best_bid_price: self.bid_price.ok_or(WireError::Missing { field: "bestBidPrice" })?,
            best_bid_size: self.bid_size.ok_or(WireError::Missing { field: "bestBidSize" })?,
            best_ask_price: self.ask_price.ok_or(WireError::Missing { field: "bestAskPrice" })?,
            best_ask_size: self.ask_size.ok_or(WireError::Missing { field: "bestAskSize" })?,
            ts_event: UnixNanos::from_nanos(self.ts.ok_or(WireError::Missing { field: "ts" })?),
        })
    }
}

fn parse_symbol(value: Value<'_>) -> Result<Symbol, WireError> {
    let mut room = [0; Symbol::MAX_LEN];
    let text = value.text("symbol")?.resolve(&mut room);
    text.and_then(|text| Symbol::new(text).ok()).ok_or(WireError::Malformed { field: "symbol" })
}
