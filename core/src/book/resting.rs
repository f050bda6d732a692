//! A book as it would be without one's own orders.

use alloc::collections::BTreeMap;

use super::{Best, Book, Coverage, Level, Scope};
use crate::num::{Lots, Price};
use crate::wire::Side;

/// What rests of one's own in a book: lots by side and price.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Resting([BTreeMap<Price, Lots>; 2]);

impl Resting {
    /// Adds what rests of an order.
    pub fn add(&mut self, side: Side, price: Price, size: Lots) {
        let [bids, asks] = &mut self.0;
        let levels = if side == Side::Bid { bids } else { asks };
        let lots = levels.entry(price).or_default();
        *lots = Lots::new(lots.get().saturating_add(size.get()));
    }

    /// What rests at a price.
    #[must_use]
    pub fn at(&self, side: Side, price: Price) -> Lots {
        let [bids, asks] = &self.0;
        let levels = if side == Side::Bid { bids } else { asks };
        levels.get(&price).copied().unwrap_or_default()
    }

    /// Whether nothing rests.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(BTreeMap::is_empty)
    }
}

/// What others offer: a book less one's own orders.
///
/// Streams of orders and of books are not in step: for a moment one may know of an order what the other does
/// not. A level that would be less than nothing is nothing.
#[derive(Clone, Copy, Debug)]
pub struct OthersBook<'a> {
    book: &'a Book,
    own: &'a Resting,
}

impl Book {
    /// This book less what rests of one's own, as [`Account::resting`](crate::Account::resting) says it.
    ///
    /// ```
    /// use kucoin_futures_proto::book::{Best, Book, Resting};
    /// use kucoin_futures_proto::wire::{Side, Snapshot};
    /// use kucoin_futures_proto::Lots;
    ///
    /// let body = br#"{"code":"200000","data":{"sequence":41,"symbol":"ETHUSDTM",
    ///     "bids":[[2417.3,8],[2417.2,3]],"asks":[[2417.9,5]],"ts":1790000000000000000}}"#;
    /// let mut book = Book::new(1000, usize::MAX);
    /// book.load(&Snapshot::parse(body)?);
    /// let mut own = Resting::default();
    /// own.add(Side::Bid, "2417.3".parse()?, Lots::new(8));
    /// let Best::Level(best) = book.without(&own).best(Side::Bid) else { panic!() };
    /// assert_eq!(best.price.to_string(), "2417.2");
    /// # Ok::<(), kucoin_futures_proto::WireError>(())
    /// ```
    #[must_use]
    pub const fn without<'a>(&'a self, own: &'a Resting) -> OthersBook<'a> {
        OthersBook { book: self, own }
    }
}

impl<'a> OthersBook<'a> {
    /// The levels of `side` at which others offer something, best first.
    pub fn levels(&self, side: Side, scope: Scope) -> impl Iterator<Item = Level> + use<'a> {
        let own = self.own;
        let levels = self.book.levels(side, scope).map(move |level| {
            let rest = level.size.get().saturating_sub(own.at(side, level.price).get());
            Level { price: level.price, size: Lots::new(rest) }
        });
        levels.filter(|level| level.size != Lots::ZERO)
    }

    /// The best of `side`; unknown if all that is complete is one's own and the book reaches no further.
    #[must_use]
    pub fn best(&self, side: Side) -> Best {
        let whole = if side == Side::Bid { self.book.best_bid() } else { self.book.best_ask() };
        let others = self.levels(side, Scope::Complete).next();
        match (whole, others) {
            (_, Some(level)) => Best::Level(level),
            (Best::Level(_), None) if self.book.reach(side) != Coverage::All => Best::Unknown,
            (Best::Level(_), None) => Best::Empty,
            (none, None) => none,
        }
    }
}
