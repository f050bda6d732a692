//! What is to be drawn, and what comes out of it.

use kucoin_futures_proto::SplitMix64;

/// A price in units of 1e-12, as `kucoin_futures_proto::Price` has it.
pub type Units = i64;

/// A price and a size.
pub type Level = (Units, u64);

/// Where in the book changes fall.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Spread {
    /// 93 % inside the best 20 levels.
    Touch,
    /// Anywhere: every level as likely as any other.
    Flat,
}

/// What is to be drawn. The same shape is the same corpus.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Shape {
    /// Contracts, each with a book of its own.
    pub symbols: usize,
    /// Levels on each side of each book at the beginning, and about as many at the end.
    pub levels: usize,
    /// Changes, over all books.
    pub changes: usize,
    /// Where they fall.
    pub spread: Spread,
    /// Decides everything else.
    pub seed: u64,
}

/// One change of one level, decoded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Change {
    /// Index of the market.
    pub market: usize,
    /// Its position in that market's stream.
    pub sequence: u64,
    /// Milliseconds since 1970.
    pub timestamp: u64,
    /// Price of the level.
    pub price: Units,
    /// New size; zero removes the level.
    pub size: u64,
    /// Side of the level.
    pub bid: bool,
}

/// When the first change happens: 2024-11-18 in milliseconds.
pub(super) const START_MS: u64 = 1_731_897_467_000;

/// A number in `0.0..1.0`.
pub(super) fn unit(rng: &mut SplitMix64) -> f64 {
    (rng.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
}
