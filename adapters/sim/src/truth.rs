//! A book as it truly is, and what changes it.

use std::collections::BTreeMap;

use kucoin_futures_proto::book::{Coverage, Level};
use kucoin_futures_proto::wire::Side;
use kucoin_futures_proto::{Lots, Price, UnixNanos};
use sha2::{Digest as _, Sha256};

/// What one sequence did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Change {
    /// Side of the level.
    pub side: Side,
    /// Its price.
    pub price: Price,
    /// Its size before, in lots; 0 if it was not there.
    pub before: u64,
    /// Its size after; 0 if it was removed.
    pub after: u64,
    /// When the exchange made it.
    pub at: UnixNanos,
}

/// Best bid and best ask.
pub(crate) type Touch = [Level; 2];

/// The whole truth at one sequence: every level, however deep.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct Truth {
    /// Sizes by price.
    pub bids: BTreeMap<Price, u64>,
    /// Sizes by price.
    pub asks: BTreeMap<Price, u64>,
}

impl Truth {
    /// The levels of a side, best first.
    pub fn levels(&self, side: Side) -> Box<dyn Iterator<Item = Level> + '_> {
        let level = |(&price, &size): (&Price, &u64)| Level { price, size: Lots::new(size) };
        match side {
            Side::Bid => Box::new(self.bids.iter().rev().map(level)),
            Side::Ask => Box::new(self.asks.iter().map(level)),
        }
    }

    /// The best of both sides, if both have one.
    pub(crate) fn touch(&self) -> Option<Touch> {
        let best = |side| self.levels(side).next();
        Some([best(Side::Bid)?, best(Side::Ask)?])
    }

    /// Those from the best to the reach, inclusive.
    pub fn levels_within(&self, side: Side, reach: Coverage) -> impl Iterator<Item = Level> + '_ {
        self.levels(side).take_while(move |level| match (reach, side) {
            (Coverage::All, _) => true,
            (Coverage::To(horizon), Side::Bid) => level.price >= horizon,
            (Coverage::To(horizon), Side::Ask) => level.price <= horizon,
        })
    }

    /// The size at a price; 0 if there is no level.
    #[must_use]
    pub fn size(&self, side: Side, price: Price) -> u64 {
        let levels = match side {
            Side::Bid => &self.bids,
            Side::Ask => &self.asks,
        };
        levels.get(&price).copied().unwrap_or(0)
    }

    /// SHA-256, as lower-case hex, over one line per level: `b <price> <size>` for the bids, best
    /// first, then `a <price> <size>` for the asks.
    #[must_use]
    pub fn digest(&self, bids: Coverage, asks: Coverage) -> String {
        let mut hash = Sha256::new();
        for (tag, side, reach) in [("b", Side::Bid, bids), ("a", Side::Ask, asks)] {
            for level in self.levels_within(side, reach) {
                hash.update(format!("{tag} {} {}\n", level.price, level.size));
            }
        }
        hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    pub(crate) fn set(&mut self, side: Side, price: Price, size: u64) {
        let levels = match side {
            Side::Bid => &mut self.bids,
            Side::Ask => &mut self.asks,
        };
        if size == 0 {
            levels.remove(&price);
        } else {
            levels.insert(price, size);
        }
    }
}
