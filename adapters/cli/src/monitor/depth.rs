//! What a book looks like around its touch, and a trade.

use kucoin_futures_proto::book::{Coverage, Level, Scope};
use kucoin_futures_proto::wire::{Execution, Side, TakerSide};
use kucoin_futures_proto::{Book, Lots, Price, Sequence, UnixNanos};

/// The levels around the touch, best first, and how far the book knows all of them.
#[derive(Clone, Debug)]
pub(crate) struct Depth {
    pub(crate) sequence: Sequence,
    pub(crate) bids: Ladder,
    pub(crate) asks: Ladder,
}

/// One side.
#[derive(Clone, Debug)]
pub(crate) struct Ladder {
    pub(crate) levels: Vec<Level>,
    /// The horizon: to here every level is known.
    pub(crate) reach: Coverage,
    /// How many levels that is.
    pub(crate) complete: usize,
}

impl Depth {
    /// The best `most` levels of each side, and none beyond the horizon.
    pub(crate) fn of(book: &Book, most: usize) -> Self {
        let ladder = |side| Ladder {
            levels: book.levels(side, Scope::Complete).take(most).collect(),
            reach: book.reach(side),
            complete: book.complete_levels(side),
        };
        Self { sequence: book.sequence(), bids: ladder(Side::Bid), asks: ladder(Side::Ask) }
    }
}

/// A trade.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct TradeRow {
    /// When, by the exchange.
    pub(crate) at: Option<UnixNanos>,
    /// Who took.
    pub(crate) side: TakerSide,
    pub(crate) price: Price,
    pub(crate) size: Lots,
}

impl From<&Execution<'_>> for TradeRow {
    fn from(trade: &Execution<'_>) -> Self {
        let Execution { ts_event: at, taker_side: side, price, size, .. } = *trade;
        Self { at, side, price, size }
    }
}
