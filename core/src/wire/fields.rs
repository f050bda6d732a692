//! The fields that tickers and trades have in common, read in any order.

use super::scan::{Scanner, Text, Value, once};
use crate::error::WireError;
use crate::ids::{Sequence, Symbol};
use crate::num::{Lots, Price};
use crate::time::UnixNanos;

/// Who came to take what was offered.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[allow(clippy::exhaustive_enums, reason = "there is no third")]
pub enum TakerSide {
    /// The taker bought: the price is one that was asked. `buy` on the wire.
    Buy,
    /// The taker sold: the price is one that was bid. `sell` on the wire.
    Sell,
}

impl core::fmt::Display for TakerSide {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Buy => "buy",
            Self::Sell => "sell",
        })
    }
}

/// Where a message of a channel other than level2 stands: enough to tell a repeat.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Position {
    pub(crate) sequence: Sequence,
    pub(crate) ts: UnixNanos,
}

impl Position {
    /// Reads nothing else; `None` if either is missing or malformed.
    pub(crate) fn peek(data: &[u8]) -> Option<Self> {
        let fields = Fields::parse(data, &["sequence", "ts"]).ok()?;
        Some(Self { sequence: Sequence::new(fields.sequence?), ts: fields.ts().ok()? })
    }
}

#[derive(Default)]
pub(super) struct Fields<'a> {
    symbol: Option<Symbol>,
    sequence: Option<u64>,
    side: Option<TakerSide>,
    price: Option<Price>,
    size: Option<Lots>,
    bid_price: Option<Price>,
    bid_size: Option<Lots>,
    ask_price: Option<Price>,
    ask_size: Option<Lots>,
    trade_id: Option<Text<'a>>,
    taker_order_id: Option<Text<'a>>,
    maker_order_id: Option<Text<'a>>,
    ts: Option<u64>,
}

/// A getter that insists.
macro_rules! required {
    ($($name:ident: $type:ty = $key:literal;)*) => {$(
        pub(super) fn $name(&self) -> Result<$type, WireError> {
            self.$name.ok_or(WireError::Missing { field: $key })
        }
    )*};
}

impl<'a> Fields<'a> {
    /// Reads those `keys` of an object; the others are only walked over.
    pub(super) fn parse(data: &'a [u8], keys: &[&'static str]) -> Result<Self, WireError> {
        let mut fields = Self::default();
        let mut scanner = Scanner::of_text(data);
        scanner.object()?;
        let mut first = true;
        while let Some(key) = scanner.key(&mut first)? {
            let value = scanner.value()?;
            if let Some(key) = keys.iter().find(|known| key.is(known)) {
                fields.read(key, value)?;
            }
        }
        scanner.end()?;
        Ok(fields)
    }

    fn read(&mut self, key: &'static str, value: Value<'a>) -> Result<(), WireError> {
        let price = |value: Value<'_>| Price::parse(value.digits(key)?, key);
        let size = |value: Value<'_>| Lots::parse(value.digits(key)?, key);
        match key {
            "symbol" => once(&mut self.symbol, parse_symbol(value)?, key),
            "sequence" => once(&mut self.sequence, value.integer(key)?, key),
            "side" => once(&mut self.side, parse_side(value)?, key),
            "price" => once(&mut self.price, price(value)?, key),
            "size" => once(&mut self.size, size(value)?, key),
            "bestBidPrice" => once(&mut self.bid_price, price(value)?, key),
            "bestBidSize" => once(&mut self.bid_size, size(value)?, key),
            "bestAskPrice" => once(&mut self.ask_price, price(value)?, key),
            "bestAskSize" => once(&mut self.ask_size, size(value)?, key),
            "tradeId" => once(&mut self.trade_id, value.text(key)?, key),
            "takerOrderId" => once(&mut self.taker_order_id, value.text(key)?, key),
            "makerOrderId" => once(&mut self.maker_order_id, value.text(key)?, key),
            _ => once(&mut self.ts, value.integer(key)?, key),
        }
    }

    required! {
        symbol: Symbol = "symbol";
        side: TakerSide = "side";
        price: Price = "price";
        size: Lots = "size";
        bid_price: Price = "bestBidPrice";
        bid_size: Lots = "bestBidSize";
        ask_price: Price = "bestAskPrice";
        ask_size: Lots = "bestAskSize";
        trade_id: Text<'a> = "tradeId";
    }

    pub(super) fn sequence(&self) -> Result<Sequence, WireError> {
        self.sequence_if_any().ok_or(WireError::Missing { field: "sequence" })
    }

    pub(super) fn sequence_if_any(&self) -> Option<Sequence> {
        self.sequence.map(Sequence::new)
    }

    pub(super) const fn taker_order_id(&self) -> Option<Text<'a>> {
        self.taker_order_id
    }

    pub(super) const fn maker_order_id(&self) -> Option<Text<'a>> {
        self.maker_order_id
    }

    /// Nanoseconds on the wire.
    pub(super) fn ts(&self) -> Result<UnixNanos, WireError> {
        self.ts.map(UnixNanos::from_nanos).ok_or(WireError::Missing { field: "ts" })
    }
}

fn parse_symbol(value: Value<'_>) -> Result<Symbol, WireError> {
    let mut room = [0; Symbol::MAX_LEN];
    let text = value.text("symbol")?.resolve(&mut room);
    text.and_then(|text| Symbol::new(text).ok()).ok_or(WireError::Malformed { field: "symbol" })
}

fn parse_side(value: Value<'_>) -> Result<TakerSide, WireError> {
    let text = value.text("side")?;
    match () {
        () if text.is("buy") => Ok(TakerSide::Buy),
        () if text.is("sell") => Ok(TakerSide::Sell),
        () => Err(WireError::Malformed { field: "side" }),
    }
}
