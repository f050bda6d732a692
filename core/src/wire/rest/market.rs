//! What the market did, by REST.

use core::time::Duration;

use super::object::{self, elements, object};
use super::rows::{Row, parse_object, rows, sealed};
use crate::book::Level;
use crate::error::WireError;
use crate::ids::{Sequence, Symbol};
use crate::num::{Decimal, Lots, Price};
use crate::time::UnixNanos;
use crate::wire::TakerSide;
use crate::wire::scan::Value;
use crate::wire::text::Text;

/// The last trade of a contract, and its best bid and offer: `GET /api/v1/ticker`, and a row of
/// `GET /api/v1/allTickers`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct RestTicker<'a> {
    /// The contract.
    pub symbol: Symbol,
    /// Where its book was: the same counter as level2's.
    pub sequence: Option<Sequence>,
    /// Who took, in the last trade; this and what follows of it is `None` before the first one.
    pub taker_side: Option<TakerSide>,
    /// Its price, in quote currency.
    pub price: Option<Price>,
    /// Lots traded.
    pub size: Option<Lots>,
    /// The exchange's name for it; decimal digits today.
    pub trade_id: Option<Text<'a>>,
    /// Highest bid; `None` if there is none.
    pub best_bid: Option<Level>,
    /// Lowest ask; `None` if there is none.
    pub best_ask: Option<Level>,
    /// When the last trade was, not when this was said; from nanoseconds.
    pub traded: Option<UnixNanos>,
}

object! {
    struct TickerData<'a> {
        sequence: Option<Sequence> = sequence_if_any("sequence"),
        symbol: Symbol = symbol("symbol"),
        taker_side: Option<TakerSide> = taker_side_if_any("side"),
        size: Option<Lots> = lots_if_any("size"),
        trade_id: Option<Text<'a>> = text_if_any("tradeId"),
        price: Option<Price> = price_if_any("price"),
        bid: Option<Price> = price_if_any("bestBidPrice"),
        bid_size: Option<Lots> = lots_if_any("bestBidSize"),
        ask: Option<Price> = price_if_any("bestAskPrice"),
        ask_size: Option<Lots> = lots_if_any("bestAskSize"),
        traded: Option<UnixNanos> = nanos_if_any("ts"),
    }
}

impl<'a> From<TickerData<'a>> for RestTicker<'a> {
    fn from(data: TickerData<'a>) -> Self {
        // Zero is no price and no size of a level.
        let level = |price: Option<Price>, size: Option<Lots>| {
            let level = Level { price: price?, size: size? };
            (level.price > Price::ZERO && level.size > Lots::ZERO).then_some(level)
        };
        Self {
            symbol: data.symbol,
            sequence: data.sequence,
            taker_side: data.taker_side,
            price: data.price,
            size: data.size,
            trade_id: data.trade_id,
            best_bid: level(data.bid, data.bid_size),
            best_ask: level(data.ask, data.ask_size),
            traded: data.traded,
        }
    }
}

impl sealed::Row for RestTicker<'_> {}

impl<'a> Row<'a> for RestTicker<'a> {
    fn read(row: &'a [u8]) -> Result<Self, WireError> {
        object::read::<TickerData<'a>>(row).map(Self::from)
    }
}

impl<'a> RestTicker<'a> {
    /// Reads the body of `GET /api/v1/ticker`, envelope included.
    ///
    /// # Errors
    /// Not JSON, an error body ([`WireError::Unexpected`]), or no symbol.
    pub fn parse(body: &'a [u8]) -> Result<Self, WireError> {
        parse_object::<TickerData<'a>>(body).map(Self::from)
    }
}

object! {
    /// A trade of the last 100, the newest first: a row of `GET /api/v1/trade/history`. It does not say of
    /// which contract: of the one that was asked for.
    pub struct RestTrade<'a> {
        /// The counter of [`Execution`](crate::wire::Execution): rises by one or by more.
        sequence: Sequence = sequence("sequence"),
        /// The exchange's name for the trade.
        trade_id: Option<Text<'a>> = text_if_any("tradeId"),
        /// The order that was taken.
        maker_order_id: Option<Text<'a>> = text_if_any("makerOrderId"),
        /// The order that took.
        taker_order_id: Option<Text<'a>> = text_if_any("takerOrderId"),
        /// When; from nanoseconds.
        time: Option<UnixNanos> = nanos_if_any("ts"),
        /// Lots traded.
        size: Lots = lots("size"),
        /// In quote currency.
        price: Price = price("price"),
        /// Who took.
        taker_side: TakerSide = taker_side("side"),
    }
}

object! {
    /// What positions are valued at: `GET /api/v1/mark-price/{symbol}/current`. 0.4 to 1.6 s old on arrival.
    pub struct RestMarkPrice {
        /// The contract.
        symbol: Symbol = symbol("symbol"),
        /// How often it is made; from milliseconds, 1 s today.
        granularity: Option<Duration> = interval_if_any("granularity"),
        /// When it was made; from milliseconds.
        time: UnixNanos = millis("timePoint"),
        /// In quote currency.
        value: Decimal = number("value"),
        /// The index at that time, in quote currency.
        index_price: Option<Decimal> = number_if_any("indexPrice"),
    }
}

object! {
    /// The estimate of the funding rate that will be charged next:
    /// `GET /api/v1/funding-rate/{symbol}/current`. Rates are fractions of one; a positive one is paid by who
    /// is long.
    pub struct RestFundingRate {
        /// Of the rate, not of the contract: such as `.XBTUSDTMFPI8H`.
        rate_symbol: Symbol = symbol("symbol"),
        /// From one settlement to the next; from milliseconds.
        interval: Option<Duration> = interval_if_any("granularity"),
        /// When the interval began; from milliseconds.
        interval_start: UnixNanos = millis("timePoint"),
        /// The estimate.
        value: Decimal = number("value"),
        /// The next estimate; documented, and absent since 2026.
        predicted_value: Option<Decimal> = number_if_any("predictedValue"),
        /// Interest that is contained, a day.
        daily_interest_rate: Option<Decimal> = number_if_any("dailyInterestRate"),
        /// Highest rate.
        cap: Option<Decimal> = number_if_any("fundingRateCap"),
        /// Lowest rate.
        floor: Option<Decimal> = number_if_any("fundingRateFloor"),
        /// 1 where funding is charged for the period that ends.
        period: Option<u64> = count_if_any("period"),
        /// When it will be charged; from milliseconds.
        next_settlement: Option<UnixNanos> = millis_if_any("fundingTime"),
        /// The rate that was charged last.
        last_rate: Option<Decimal> = number_if_any("lastTimeFundingRate"),
    }
}

object! {
    /// A rate that was charged: a row of `GET /api/v1/contract/funding-rates`, the newest first.
    pub struct SettledFunding {
        /// The contract.
        symbol: Symbol = symbol("symbol"),
        /// A fraction of one; a positive one was paid by who was long.
        rate: Decimal = number("fundingRate"),
        /// When; from milliseconds.
        time: UnixNanos = millis("timepoint"),
    }
}

object! {
    /// Whether there is trading at all: `GET /api/v1/status`.
    pub struct ServiceStatus<'a> {
        /// Why not, for people.
        message: Text<'a> = text_or_empty("msg"),
        /// `open`, `close` or `cancelonly`.
        status: Text<'a> = text("status"),
    }
}

rows!(RestTrade<'a>, SettledFunding);

/// A candle: a row of `GET /api/v1/kline/query`, the oldest first. Of an index or a premium, too: then the
/// prices are its values, which may be below zero, and nothing is traded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Kline {
    /// When it began; from milliseconds.
    pub start: UnixNanos,
    /// First price, in quote currency.
    pub open: Decimal,
    /// Highest price.
    pub high: Decimal,
    /// Lowest price.
    pub low: Decimal,
    /// Last price.
    pub close: Decimal,
    /// Lots traded.
    pub volume: Option<Lots>,
    /// Traded, in quote currency (in the coin for inverse contracts); since 2025-09-12.
    pub turnover: Option<Decimal>,
}

impl sealed::Row for Kline {}

impl Row<'_> for Kline {
    /// `[start, open, high, low, close, lots, turnover]`; more columns are passed over.
    fn read(row: &[u8]) -> Result<Self, WireError> {
        if !row.starts_with(b"[") {
            return Err(WireError::WrongType { field: "candle" });
        }
        let mut columns = elements(row);
        let mut next = || columns.next().unwrap_or(Value::Null);
        Ok(Self {
            start: object::millis(next(), "time")?,
            open: object::number(next(), "open")?,
            high: object::number(next(), "high")?,
            low: object::number(next(), "low")?,
            close: object::number(next(), "close")?,
            volume: object::lots_if_any(next(), "volume")?,
            turnover: object::number_if_any(next(), "turnover")?,
        })
    }
}

/// The bodies that hold one of something.
macro_rules! replies {
    ($($name:ident $(<$life:lifetime>)?),* $(,)?) => {
        $(impl $(<$life>)? $name $(<$life>)? {
            /// Reads a whole response body, envelope included.
            ///
            /// # Errors
            /// Not JSON, an error body ([`WireError::Unexpected`]), or a field that must be there is not, stands
            /// twice, or is not what it should be.
            pub fn parse(body: & $($life)? [u8]) -> Result<Self, WireError> {
                parse_object(body)
            }
        })*
    };
}

replies!(RestMarkPrice, RestFundingRate, ServiceStatus<'a>);
