//! Rivals that hold a book.

#[cfg(feature = "rivals")]
mod rivals;

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;

use crate::corpus::{Level, Market, Units};
use crate::number::Number;

#[cfg(feature = "rivals")]
pub use rivals::{Barter, Hft, HftBTree, HftHashMap, HftRoi, Nautilus};

/// A book of one contract.
pub trait Book: Sized {
    /// Name in tables.
    const NAME: &'static str;
    /// How it wants prices.
    type Price: Number;

    /// A book without levels; some want to know tick and price range in advance.
    fn empty(market: &Market) -> Self;

    /// Sets the size at a price; zero removes the level.
    fn set(&mut self, bid: bool, price: Self::Price, size: u64);

    /// Best bid and best ask with their sizes, in whatever types it has.
    fn best(&self) -> impl Sized + use<Self>;

    /// Looks at price and size of the best 10 levels of each side, and returns some sum of them.
    fn top(&self) -> u64;

    /// All levels: bids, then asks, each best first. For checks, not for measuring.
    fn held(&self) -> [Vec<Level>; 2];

    /// The book of a market before its first change.
    fn load(market: &Market) -> Self {
        let mut book = Self::empty(market);
        let [bids, asks] = &market.before;
        for (bid, levels) in [(true, bids), (false, asks)] {
            for &(price, size) in levels {
                if let Some(price) = Self::Price::read(&market.price_text(price)) {
                    book.set(bid, price, size);
                }
            }
        }
        book
    }
}

/// How many levels of each side [`Book::top`] looks at.
pub const TOP: usize = 10;

/// Anything as a sum that the optimiser cannot drop and that costs no more than looking at it.
#[must_use]
pub const fn mix(price: u64, size: u64) -> u64 {
    price.wrapping_mul(size)
}

/// Two `BTreeMap`s from price to size.
#[derive(Clone, Default, Debug)]
pub struct Tree<N> {
    bids: BTreeMap<N, u64>,
    asks: BTreeMap<N, u64>,
}

impl<N: Number + Ord> Tree<N> {
    fn set_level(&mut self, bid: bool, price: N, size: u64) {
        let side = if bid { &mut self.bids } else { &mut self.asks };
        if size == 0 {
            side.remove(&price);
        } else {
            side.insert(price, size);
        }
    }

    fn best_levels(&self) -> [Option<(N, u64)>; 2] {
        let [bid, ask] = [self.bids.last_key_value(), self.asks.first_key_value()];
        [bid, ask].map(|level| level.map(|(&price, &size)| (price, size)))
    }

    fn sum_top(&self, raw: fn(N) -> u64) -> u64 {
        let bids = self.bids.iter().rev().take(TOP);
        let levels = bids.chain(self.asks.iter().take(TOP));
        levels.fold(0, |sum, (&price, &size)| sum.wrapping_add(mix(raw(price), size)))
    }

    fn all(&self, units: fn(N) -> Units) -> [Vec<Level>; 2] {
        let level = |(&price, &size): (&N, &u64)| (units(price), size);
        [self.bids.iter().rev().map(level).collect(), self.asks.iter().map(level).collect()]
    }
}

impl Book for Tree<Units> {
    const NAME: &'static str = "BTreeMap of i64";
    type Price = Units;

    fn empty(_: &Market) -> Self {
        Self { bids: BTreeMap::new(), asks: BTreeMap::new() }
    }

    fn set(&mut self, bid: bool, price: Units, size: u64) {
        self.set_level(bid, price, size);
    }

    fn best(&self) -> impl Sized + use<> {
        self.best_levels()
    }

    fn top(&self) -> u64 {
        self.sum_top(|price| price as u64)
    }

    fn held(&self) -> [Vec<Level>; 2] {
        self.all(|price| price)
    }
}

impl Book for Tree<Decimal> {
    const NAME: &'static str = "BTreeMap of Decimal";
    type Price = Decimal;

    fn empty(_: &Market) -> Self {
        Self { bids: BTreeMap::new(), asks: BTreeMap::new() }
    }

    fn set(&mut self, bid: bool, price: Decimal, size: u64) {
        self.set_level(bid, price, size);
    }

    fn best(&self) -> impl Sized + use<> {
        self.best_levels()
    }

    fn top(&self) -> u64 {
        self.sum_top(|price| price.mantissa() as u64)
    }

    fn held(&self) -> [Vec<Level>; 2] {
        self.all(units)
    }
}

/// An exact decimal in the corpus' units; -1 if it does not fit, which no level has.
pub(crate) fn units(price: Decimal) -> Units {
    let units = price.checked_mul(Decimal::from(1_000_000_000_000_i64));
    units.and_then(|units| units.to_i64()).unwrap_or(-1)
}

/// Two vectors, best level last, found by binary search.
#[derive(Clone, Default, Debug)]
pub struct SortedVec {
    bids: Vec<Level>,
    asks: Vec<Level>,
}

impl Book for SortedVec {
    const NAME: &'static str = "sorted Vec";
    type Price = Units;

    fn empty(_: &Market) -> Self {
        Self::default()
    }

    fn set(&mut self, bid: bool, price: Units, size: u64) {
        let (side, place) = if bid {
            let place = self.bids.binary_search_by(|level| level.0.cmp(&price));
            (&mut self.bids, place)
        } else {
            let place = self.asks.binary_search_by(|level| price.cmp(&level.0));
            (&mut self.asks, place)
        };
        match (place, size) {
            (Ok(at), 0) => {
                side.remove(at);
            }
            (Ok(at), _) => {
                if let Some(level) = side.get_mut(at) {
                    level.1 = size;
                }
            }
            (Err(_), 0) => {}
            (Err(at), _) => side.insert(at, (price, size)),
        }
    }

    fn best(&self) -> impl Sized + use<> {
        [self.bids.last().copied(), self.asks.last().copied()]
    }

    fn top(&self) -> u64 {
        let levels = self.bids.iter().rev().take(TOP).chain(self.asks.iter().rev().take(TOP));
        levels.fold(0, |sum, &(price, size)| sum.wrapping_add(mix(price as u64, size)))
    }

    fn held(&self) -> [Vec<Level>; 2] {
        [&self.bids, &self.asks].map(|side| side.iter().rev().copied().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::{Book, Decimal, SortedVec, Tree, Units};
    use crate::corpus::{Corpus, Shape, Spread};
    use crate::number::Number as _;

    fn follows<B: Book>() {
        for symbols in [1, 6] {
            let shape =
                Shape { symbols, levels: 100, changes: 3000, spread: Spread::Touch, seed: 3 };
            let corpus = Corpus::new(shape);
            let mut books: Vec<B> = corpus.markets.iter().map(B::load).collect();
            for change in &corpus.changes {
                let price = corpus.markets[change.market].price_text(change.price);
                let price = B::Price::read(&price).unwrap();
                books[change.market].set(change.bid, price, change.size);
            }
            for (book, market) in books.iter().zip(&corpus.markets) {
                assert_eq!(book.held(), market.after(), "{} {}", B::NAME, market.symbol);
            }
        }
    }

    #[test]
    fn every_rival_follows_the_market() {
        follows::<Tree<Units>>();
        follows::<Tree<Decimal>>();
        follows::<SortedVec>();
        #[cfg(feature = "rivals")]
        {
            follows::<super::HftRoi>();
            follows::<super::HftBTree>();
            follows::<super::HftHashMap>();
            follows::<super::Barter>();
            follows::<super::Nautilus>();
        }
    }
}
