//! A book that is carried from one program to another: its parts, and the book that they make.

use super::side::Loading;
use super::{Book, Coverage, Level};
use crate::ids::Sequence;
use crate::time::UnixNanos;
use crate::wire::Side;

/// A side of a book that is to be restored.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(clippy::exhaustive_structs, reason = "levels, and how far they are all")]
pub struct SideParts<'a> {
    /// Those inside the reach, best first: what [`Book::levels`] gives with
    /// [`Scope::Complete`](super::Scope::Complete).
    pub levels: &'a [Level],
    /// How far they are all there are: what [`Book::reach`] says.
    pub reach: Coverage,
}

impl Book {
    /// Becomes what another book was at `sequence`: the same levels inside the same reach, and so the same
    /// [`digest`](Self::digest) of them. What was held before is forgotten. Of more levels than this book may keep
    /// the best are, and the reach comes in with them.
    ///
    /// ```
    /// use kucoin_futures_proto::book::{Book, Coverage, Level, Scope, SideParts};
    /// use kucoin_futures_proto::wire::Side;
    /// use kucoin_futures_proto::{Lots, Sequence};
    ///
    /// let bids = [Level { price: "2417.3".parse()?, size: Lots::new(8) }];
    /// let reach = Coverage::To("2417".parse()?);
    /// let mut book = Book::new(1000, usize::MAX);
    /// let asks = SideParts { levels: &[], reach: Coverage::All };
    /// assert!(book.restore(Sequence::new(41), None, SideParts { levels: &bids, reach }, asks));
    /// assert_eq!(book.reach(Side::Bid), reach);
    /// assert_eq!(book.levels(Side::Bid, Scope::Complete).count(), 1);
    /// # Ok::<(), kucoin_futures_proto::WireError>(())
    /// ```
    ///
    /// False if the parts are not those of a book: levels out of order, twice, of price or size zero, or beyond the
    /// reach. The book is as new then: empty, and knowing nothing.
    #[must_use = "what is no book must not be taken for an empty one"]
    pub fn restore(
        &mut self,
        sequence: Sequence,
        ts_event: Option<UnixNanos>,
        bids: SideParts<'_>,
        asks: SideParts<'_>,
    ) -> bool {
        let parts = [(Side::Bid, bids), (Side::Ask, asks)];
        let is_sound = parts
            .into_iter()
            .all(|(side, parts)| Loading::restore(self.half_mut(side), parts.levels, parts.reach));
        (self.sequence, self.ts_event) = (sequence, ts_event);
        if !is_sound {
            (self.sequence, self.ts_event) = (Sequence::new(0), None);
            self.sides.iter_mut().for_each(super::BookSide::clear);
        }
        is_sound
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;
    use crate::book::{Apply, Scope};
    use crate::num::{Lots, Price};
    use crate::wire::Delta;

    fn level(price: &str, size: u64) -> Level {
        Level { price: price.parse().unwrap(), size: Lots::new(size) }
    }

    fn to(price: &str) -> Coverage {
        Coverage::To(price.parse().unwrap())
    }

    /// A book of bids that is cut at 97, where nothing stands any more, and of two asks that are all.
    fn cut() -> Book {
        let mut book = Book::new(3, usize::MAX);
        let body = br#"{"code":"200000","data":{"sequence":40,"symbol":"ETHUSDTM",
            "bids":[[99.5,1],[98,2],[97,3]],"asks":[[100,4],[101.25,5]],"ts":1790000000000000000}}"#;
        book.read(body).unwrap();
        let price: Price = "97".parse().unwrap();
        let delta = Delta::new(Sequence::new(41), Side::Bid, price, Lots::ZERO);
        assert_eq!(book.apply(&delta), Apply::Applied);
        book
    }

    fn copy(of: &Book, max_levels: usize) -> Book {
        let levels = [Side::Bid, Side::Ask].map(|side| {
            let levels: Vec<Level> = of.levels(side, Scope::Complete).collect();
            (levels, of.reach(side))
        });
        let [bids, asks] =
            levels.each_ref().map(|(levels, reach)| SideParts { levels, reach: *reach });
        let mut book = Book::new(3, max_levels);
        assert!(book.restore(of.sequence(), of.ts_event(), bids, asks));
        book
    }

    #[test]
    fn a_restored_book_is_the_same_and_goes_on_alike() {
        let mut book = cut();
        let mut restored = copy(&book, usize::MAX);
        assert_eq!(restored, book);
        assert_eq!(restored.reach(Side::Bid), to("97"));
        // At the horizon, beyond it, and between ticks.
        for (sequence, (price, size)) in
            (42..).zip([("97", 7), ("96", 8), ("99.125", 9), ("98", 0)])
        {
            let price: Price = price.parse().unwrap();
            let delta = Delta::new(Sequence::new(sequence), Side::Bid, price, Lots::new(size));
            assert_eq!(restored.apply(&delta), Apply::Applied);
            assert_eq!(book.apply(&delta), Apply::Applied);
            assert_eq!(restored, book, "after {sequence}");
            assert_eq!(restored.digest(Scope::Complete), book.digest(Scope::Complete));
        }
    }

    #[test]
    fn a_smaller_book_keeps_the_best_and_says_how_far() {
        let restored = copy(&cut(), 1);
        assert_eq!(restored.reach(Side::Bid), to("99.5"));
        assert_eq!(restored.reach(Side::Ask), to("100"));
        assert_eq!(restored.levels(Side::Bid, Scope::Held).count(), 1);
    }

    #[test]
    fn what_is_no_side_is_refused() {
        let (all, none) = (Coverage::All, SideParts { levels: &[], reach: Coverage::All });
        let bad: [(&[Level], Coverage); 5] = [
            (&[level("98", 1), level("99", 1)], all),
            (&[level("99", 1), level("99", 2)], all),
            (&[level("99", 0)], all),
            (&[level("0", 1)], all),
            (&[level("99", 1), level("98", 1)], to("98.5")),
        ];
        for (levels, reach) in bad {
            let mut book = cut();
            let bids = SideParts { levels, reach };
            assert!(!book.restore(Sequence::new(50), None, bids, none), "{levels:?} {reach:?}");
            assert_eq!(book, Book::new(3, usize::MAX), "{levels:?}");
        }
    }
}
