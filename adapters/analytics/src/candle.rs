//! Candles out of trades, by the clock: see [`CandleBuilder`].
//!
//! ```text
//!  first trade   trade                     trade        later trade     on_gap      trade
//!      │           │                         │               │            ┊           │
//!  ├───┴───────────┴──┼──────────────────┼───┴──────────┼────┴────────────┊────┼──────┴──────┼──
//!   Closed,            Empty              Closed,        Closed,           (no trade:         Closed,
//!   not whole                             whole          not whole          Unknown)          not whole
//! ```

mod builder;
mod grid;
mod running;
mod seed;

use kucoin_futures_proto::{Decimal, Price, Sequence, UnixNanos};

use crate::tick::Tick;
pub use builder::{CandleBuilder, MOST_FILLED};
pub use grid::Grid;
pub(crate) use running::{Order, Running, Trail};
pub use seed::{Seed, SeedError};

/// What was traded in one stretch of time, or until something was full.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Candle {
    /// When it begins: of an interval its begin, of a bar the time of its first trade.
    pub start: UnixNanos,
    /// When it ends: of an interval the begin of the next one, of a bar the time of its last trade so far.
    pub end: UnixNanos,
    /// Price of the first trade.
    pub open: Price,
    /// Highest price.
    pub high: Price,
    /// Lowest price.
    pub low: Price,
    /// Price of the last trade.
    pub close: Price,
    /// Lots traded.
    pub lots: u128,
    /// In quote currency, in coins of an inverse contract; how exact [`Valuation`](crate::Valuation) says. `None` if
    /// it has more than 38 digits, or history has not said it.
    pub turnover: Option<Decimal>,
    /// How many trades; `None` if part of it is history, which does not say.
    pub trades: Option<u64>,
    /// Lots that a taker bought; `None` if part of it is history, which does not say.
    pub taker_buy_lots: Option<u128>,
    /// The lowest sequence of its trades; `None` if there are none, or part of it is history.
    pub first_sequence: Option<Sequence>,
    /// The highest sequence of its trades; `None` if there are none.
    pub last_sequence: Option<Sequence>,
    /// Whether it is over.
    pub is_closed: bool,
    /// Whether nothing may be missing in it: all trades from before its begin to its end were taken.
    pub is_whole: bool,
}

impl Candle {
    /// Of an interval in which nothing was traded.
    pub(crate) const fn empty(start: UnixNanos, end: UnixNanos, price: Price) -> Self {
        Self {
            start,
            end,
            open: price,
            high: price,
            low: price,
            close: price,
            lots: 0,
            turnover: Some(Decimal::ZERO),
            trades: Some(0),
            taker_buy_lots: Some(0),
            first_sequence: None,
            last_sequence: None,
            is_closed: true,
            is_whole: true,
        }
    }
}

/// One word of a builder, in the order of time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum CandleEvent {
    /// A candle is over.
    Closed(Candle),
    /// Nothing was traded in these intervals.
    Empty {
        /// When the first one begins.
        from: UnixNanos,
        /// When the last one ends.
        to: UnixNanos,
    },
    /// There is no candle of these intervals, and something may have been missed in them.
    Unknown {
        /// When the first one begins.
        from: UnixNanos,
        /// When the last one ends.
        to: UnixNanos,
    },
    /// A trade of a candle that was told already. It is in none: what was said of that candle is not whole any more.
    Late {
        /// The trade.
        trade: Tick,
        /// When its candle began; `None` for bars, whose places depend on what came before.
        candle_start: Option<UnixNanos>,
    },
    /// A trade without a time: nobody knows which candle it belongs to. It is in none, and neither the running candle
    /// nor that of the next trade is whole.
    Timeless {
        /// The trade.
        trade: Tick,
    },
}
