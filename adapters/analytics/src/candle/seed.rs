//! A candle that history has begun.

use core::fmt;

use kucoin_futures_proto::wire::Kline;
use kucoin_futures_proto::{Decimal, Price, Sequence, UnixNanos};

use crate::valuation::price;

/// The candle of the present interval as history has it, and the last trade in it.
///
/// What goes on from it is exact if two things are: that `through` is the last trade which history has counted (a row
/// of candles does not say; compare the lots that the trades of the interval add up to), and the turnover, which
/// history may have rounded. How many trades there were and who took is not known of such a candle.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(clippy::exhaustive_structs, reason = "made by callers, out of whatever they have")]
pub struct Seed {
    /// When its interval begins.
    pub start: UnixNanos,
    /// First price.
    pub open: Price,
    /// Highest price.
    pub high: Price,
    /// Lowest price.
    pub low: Price,
    /// Last price.
    pub close: Price,
    /// Lots traded.
    pub lots: u128,
    /// In quote currency, in coins of an inverse contract; `None` if not said.
    pub turnover: Option<Decimal>,
    /// The last trade that is in it.
    pub through: Sequence,
}

impl Seed {
    /// Of a row that REST has answered. `None` if the row says no lots, or a price that is none.
    #[must_use]
    pub fn new(row: &Kline, through: Sequence) -> Option<Self> {
        Some(Self {
            start: row.start,
            open: price(row.open)?,
            high: price(row.high)?,
            low: price(row.low)?,
            close: price(row.close)?,
            lots: u128::from(row.volume?.get()),
            turnover: row.turnover,
            through,
        })
    }
}

/// Why a candle cannot be seeded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum SeedError {
    /// No interval begins at its start.
    OffGrid,
    /// That interval was told already.
    Told,
    /// Intervals before it were not told yet: [`on_time`](super::CandleBuilder::on_time) first.
    Ahead,
    /// Trades after the last one in it were taken already: seed first, then push them.
    Behind,
    /// Its low is above its high, or its open or close is outside of them.
    Impossible,
}

impl fmt::Display for SeedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OffGrid => "no interval begins then: take the candle of an interval of this length",
            Self::Told => "that interval was told already: take the present one",
            Self::Ahead => "intervals before it were not told yet: on_time first, with its start",
            Self::Behind => "later trades were taken already: seed first, then push them",
            Self::Impossible => "prices that no trades can have: its low is above another of them, or its high below",
        })
    }
}

impl core::error::Error for SeedError {}
