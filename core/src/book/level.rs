//! What a book says of a side: its levels, its best one, and how far it is known.

use crate::num::{Lots, Price};

/// One price level.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(clippy::exhaustive_structs, reason = "a level is a price and a size")]
pub struct Level {
    /// The price; never zero in a book.
    pub price: Price,
    /// Whole lots at that price; never zero in a book.
    pub size: Lots,
}

impl Level {
    /// A row that is no level: nothing stands there.
    pub(crate) fn is_nothing(&self) -> bool {
        self.price == Price::ZERO || self.size == Lots::ZERO
    }
}

/// How far a side of a book is known completely, from the touch outwards.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(clippy::exhaustive_enums, reason = "a side is complete or it ends somewhere")]
pub enum Coverage {
    /// The snapshot held the whole side: complete without limit.
    All,
    /// Complete to this price, inclusive.
    To(Price),
}

/// The best of a side, as far as it is known.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(clippy::exhaustive_enums, reason = "known, known to be none, or not known")]
pub enum Best {
    /// The best level, inside the horizon.
    Level(Level),
    /// The side is empty, and known completely.
    Empty,
    /// The market has left the horizon: the best of this side is not known.
    Unknown,
}

/// Whether to look at all held levels or only at those inside the horizon.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(clippy::exhaustive_enums, reason = "all or the complete part")]
pub enum Scope {
    /// Every level held: each is exact, gaps between those beyond the horizon are possible.
    Held,
    /// Only what is complete: from the touch to the horizon.
    Complete,
}
