//! Which half of a book something is of.

use core::fmt;

use serde::Serialize;

/// A side of the book. Exhaustive: there is no third.
#[allow(clippy::exhaustive_enums, reason = "a book has two sides")]
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
pub enum Side {
    /// Buyers; best is highest. `buy` on the wire.
    Bid,
    /// Sellers; best is lowest. `sell` on the wire.
    Ask,
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bid => "bid",
            Self::Ask => "ask",
        })
    }
}
