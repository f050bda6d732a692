//! A candle of either side, and what is handed out of candles.

use kucoin_futures_proto::wire::{CandleUpdate, Kline};
use kucoin_futures_proto::{Decimal, Lots, UnixNanos};

use super::joined::Source;

/// What was traded in one interval.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Candle {
    /// When it begins.
    pub start: UnixNanos,
    /// First price, in quote currency, as are the next three.
    pub open: Decimal,
    /// Highest price.
    pub high: Decimal,
    /// Lowest price.
    pub low: Decimal,
    /// Last price.
    pub close: Decimal,
    /// Lots traded; the stream says it always.
    pub volume: Option<Lots>,
    /// Value traded, in quote currency (coins for inverse contracts); the stream says it always.
    pub turnover: Option<Decimal>,
    /// Who has said so.
    pub source: Source,
}

/// One word of [`CandleJoin`](super::CandleJoin). Of each interval exactly one of the closed, the empty and the hole
/// is told, in their order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum JoinedCandle {
    /// The interval is over, and this is its candle.
    Closed(Candle),
    /// The candle of the present interval, as it stands. May run ahead of closed ones that are waited for.
    Growing(Candle),
    /// Nothing was traded in these intervals: history is past them, or the stream went on all the while, and neither
    /// has a candle.
    Empty {
        /// When the first one begins.
        from: UnixNanos,
        /// When the last one ends.
        to: UnixNanos,
    },
    /// Neither side has a candle of these intervals, and nothing says that there is none.
    Hole {
        /// When the first one begins.
        from: UnixNanos,
        /// When the last one ends.
        to: UnixNanos,
    },
}

/// Where a [`CandleJoin`](super::CandleJoin) stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum CandleState {
    /// The exchange's time is not known yet.
    Clockless,
    /// All intervals that are over are told.
    Following,
    /// History is asked for, or to be asked for again.
    Filling,
}

impl From<&CandleUpdate> for Candle {
    fn from(candle: &CandleUpdate) -> Self {
        let CandleUpdate { start, open, close, high, low, turnover, volume, .. } = *candle;
        let (volume, turnover) = (Some(volume), Some(turnover));
        Self { start, open, high, low, close, volume, turnover, source: Source::Stream }
    }
}

impl From<&Kline> for Candle {
    fn from(candle: &Kline) -> Self {
        let Kline { start, open, high, low, close, volume, turnover, .. } = *candle;
        Self { start, open, high, low, close, volume, turnover, source: Source::History }
    }
}
