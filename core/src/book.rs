//! An exact order book that knows how far it can see.
//!
//! A snapshot is cut at 1000 levels a side, so a book is complete only from the touch to its
//! *horizon*, the worst price of that snapshot. Deltas never move the horizon; the market moves
//! relative to it. A level beyond is exact, but its neighbours may be unknown.

mod age;
mod arbiter;
mod audit;
mod buffer;
mod decode_failures;
mod level;
mod lineage;
mod reads;
mod request;
mod resting;
mod restore;
mod side;
pub(crate) mod sync;

use core::fmt;

use sha2::{Digest, Sha256};

use crate::error::WireError;
use crate::ids::Sequence;
use crate::num::{Lots, Price};
use crate::time::UnixNanos;
use crate::wire::{Delta, LevelSink, Side, SideSink, Snapshot, SnapshotHead};
pub use age::BookAge;
pub use arbiter::{LagHistogram, LineShare};
pub use level::{Best, Coverage, Level, Scope};
pub use lineage::Evidence;
pub use reads::{KnownLots, Sweep, SweepEnd};
pub use resting::{OthersBook, Resting};
pub use restore::SideParts;
use side::{BookSide, Loading};

/// What [`Book::apply`] did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use = "a gap must not be ignored: the book is no longer the exchange's"]
#[non_exhaustive]
pub enum Apply {
    /// It was the next one; the book is at its sequence now.
    Applied,
    /// It is contained already (`sequence <= book's`); nothing changed.
    Repeat,
    /// Something before it is missing; nothing changed, and nothing can any more.
    Gap {
        /// The sequence that had to come.
        expected: Sequence,
    },
}

/// The levels of one contract at one sequence.
///
/// ```
/// use kucoin_futures_proto::book::{Apply, Best, Book};
/// use kucoin_futures_proto::wire::{Delta, Snapshot};
///
/// let body = br#"{"code":"200000","data":{"sequence":41,"symbol":"ETHUSDTM",
///     "bids":[[2417.3,8]],"asks":[[2417.9,5]],"ts":1790000000000000000}}"#;
/// let mut book = Book::new(1000, usize::MAX);
/// book.load(&Snapshot::parse(body)?);
/// let delta = Delta::parse(br#"{"sequence":42,"change":"2417.55,buy,2","timestamp":1790000000001}"#)?;
/// assert_eq!(book.apply(&delta), Apply::Applied);
/// let Best::Level(best) = book.best_bid() else { panic!() };
/// assert_eq!(best.price.to_string(), "2417.55");
/// # Ok::<(), kucoin_futures_proto::WireError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Book {
    sequence: Sequence,
    ts_event: Option<UnixNanos>,
    /// Bids and asks, by [`Side`]: the market picks one without a branch.
    sides: [BookSide; 2],
    snapshot_levels: usize,
}

impl Book {
    /// An empty book that knows nothing yet.
    ///
    /// A side of a snapshot with `snapshot_levels` levels or more is taken to be cut there (the
    /// exchange cuts at 1000). More than `max_levels_per_side` levels of a side are never kept:
    /// the worst go first, and the horizon comes in with them. Zero is taken for one, of either.
    #[must_use]
    pub fn new(snapshot_levels: usize, max_levels_per_side: usize) -> Self {
        Self {
            sequence: Sequence::new(0),
            ts_event: None,
            // A side without room for its best level could not even say that it is cut.
            sides: [Side::Bid, Side::Ask]
                .map(|side| BookSide::new(side, max_levels_per_side.max(1))),
            snapshot_levels: snapshot_levels.max(1),
        }
    }

    /// Becomes the snapshot that a response body of `GET /api/v1/level2/snapshot` holds, in one pass
    /// over its bytes; what was held before is forgotten. For what to expect of the body see
    /// [`Snapshot::parse`]. Whose book it is stands in what is returned, to be compared.
    ///
    /// ```
    /// use kucoin_futures_proto::book::{Book, Scope};
    /// use kucoin_futures_proto::wire::Side;
    ///
    /// let mut book = Book::new(1000, usize::MAX);
    /// let head = book.read(
    ///     br#"{"code":"200000","data":{"sequence":41,"symbol":"ETHUSDTM",
    ///     "bids":[[2417.3,8],[2417.25,1]],"asks":[],"ts":1790000000000000000}}"#,
    /// )?;
    /// assert_eq!(head.symbol.as_str(), "ETHUSDTM");
    /// assert_eq!(book.levels(Side::Bid, Scope::Complete).count(), 2);
    /// # Ok::<(), kucoin_futures_proto::WireError>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`Snapshot::parse`]. The book is as new then: empty, and knowing nothing.
    pub fn read(&mut self, body: &[u8]) -> Result<SnapshotHead, WireError> {
        let cut_at = self.snapshot_levels;
        let mut filling = Filling(self.sides.each_mut().map(Loading::begin));
        let head = crate::wire::read_snapshot(body, &mut filling);
        filling.0.into_iter().for_each(|side| {
            side.finish(cut_at);
        });
        match head {
            Ok(SnapshotHead { sequence, ts_event, .. }) => {
                self.sequence = sequence;
                self.ts_event = ts_event;
            }
            Err(_) => {
                self.sequence = Sequence::new(0);
                self.ts_event = None;
                self.sides.iter_mut().for_each(BookSide::clear);
            }
        }
        head
    }

    /// Becomes the snapshot; what was held before is forgotten. Levels that [`Snapshot::parse`] would
    /// refuse, out of order or zero, are left out.
    pub fn load(&mut self, snapshot: &Snapshot) {
        self.sequence = snapshot.sequence;
        self.ts_event = snapshot.ts_event;
        let cut_at = self.snapshot_levels;
        Loading::load(self.half_mut(Side::Bid), &snapshot.bids, cut_at, snapshot.bids_are_cut);
        Loading::load(self.half_mut(Side::Ask), &snapshot.asks, cut_at, snapshot.asks_are_cut);
    }

    /// Applies one delta if it is the next one.
    #[inline]
    pub fn apply(&mut self, delta: &Delta) -> Apply {
        // planted: last-of-snapshot-again
        if delta.sequence <= self.sequence {
            return Apply::Repeat;
        }
        let expected = self.sequence.next();
        // planted: gap-unseen
        if expected != Some(delta.sequence) {
            return Apply::Gap { expected: expected.unwrap_or(self.sequence) };
        }
        self.sequence = delta.sequence;
        self.ts_event = delta.ts_event.or(self.ts_event);
        self.half_mut(delta.side).set(delta.price, delta.size);
        Apply::Applied
    }

    /// The last delta that is contained.
    #[must_use]
    pub const fn sequence(&self) -> Sequence {
        self.sequence
    }

    /// The exchange's time of the last change, if it said one.
    #[must_use]
    pub const fn ts_event(&self) -> Option<UnixNanos> {
        self.ts_event
    }

    /// Highest bid.
    #[inline]
    #[must_use]
    pub fn best_bid(&self) -> Best {
        self.half(Side::Bid).best()
    }

    /// Lowest ask.
    #[inline]
    #[must_use]
    pub fn best_ask(&self) -> Best {
        self.half(Side::Ask).best()
    }

    /// How far `side` is complete.
    #[must_use]
    pub const fn reach(&self, side: Side) -> Coverage {
        self.half(side).reach()
    }

    /// The levels of `side`, best first.
    #[inline]
    pub fn levels(&self, side: Side, scope: Scope) -> impl Iterator<Item = Level> + '_ {
        self.half(side).levels(scope)
    }

    /// How many levels of `side` are inside the horizon. O(1).
    #[must_use]
    pub const fn complete_levels(&self, side: Side) -> usize {
        self.half(side).complete_len()
    }

    /// How many levels of `side` are held. O(1).
    #[must_use]
    pub const fn held_levels(&self, side: Side) -> usize {
        self.half(side).held_len()
    }

    /// Whether the best bid is at or above the best ask: legal for moments, suspicious for longer.
    #[must_use]
    pub fn is_crossed(&self) -> bool {
        match (self.best_bid(), self.best_ask()) {
            (Best::Level(bid), Best::Level(ask)) => bid.price >= ask.price,
            _ => false,
        }
    }

    /// SHA-256 over one ASCII line per level, each ended by a line feed: bids best first
    /// (`b <price> <size>`), then asks best first (`a <price> <size>`), prices in shortest form.
    #[must_use]
    pub fn digest(&self, scope: Scope) -> [u8; 32] {
        let mut hash = Lines(Sha256::new());
        let sides = [('b', Side::Bid), ('a', Side::Ask)];
        for (tag, side) in sides {
            for level in self.levels(side, scope) {
                // Writing to a hash cannot fail.
                let _ = fmt::Write::write_fmt(
                    &mut hash,
                    format_args!("{tag} {} {}\n", level.price, level.size),
                );
            }
        }
        hash.0.finalize().into()
    }

    /// Whether a delta that was just applied made the book crossed, if it was not crossed before.
    #[inline]
    pub(crate) fn is_crossed_by(&self, delta: &Delta) -> bool {
        let opposite = match delta.side {
            Side::Bid => self.best_ask(),
            Side::Ask => self.best_bid(),
        };
        let Best::Level(best) = opposite else { return false };
        let reaches = match delta.side {
            Side::Bid => delta.price >= best.price,
            Side::Ask => delta.price <= best.price,
        };
        reaches & (delta.size != Lots::ZERO)
    }

    /// The size at a price; `None` if that is beyond the horizon and not held.
    pub(crate) fn size_at(&self, side: Side, price: Price) -> Option<Lots> {
        self.half(side).size_at(price)
    }

    /// Takes over what another book of the same sequence knows besides; the two agree where both know. True if one
    /// of the sides reaches further than before.
    pub(crate) fn learn(&mut self, other: Self) -> bool {
        let before = self.sides.each_ref().map(BookSide::reach);
        self.sides.iter_mut().zip(other.sides).for_each(|(side, other)| side.learn(other));
        before != self.sides.each_ref().map(BookSide::reach)
    }

    /// A side whose complete part has become short: its name.
    #[inline]
    pub(crate) fn short_side(&self, below: usize) -> Option<Side> {
        [Side::Bid, Side::Ask].into_iter().find(|&side| {
            let half = self.half(side);
            matches!(half.reach(), Coverage::To(_)) && half.complete_len() < below
        })
    }

    #[inline]
    const fn half(&self, side: Side) -> &BookSide {
        let [bids, asks] = &self.sides;
        match side {
            Side::Bid => bids,
            Side::Ask => asks,
        }
    }

    #[allow(clippy::indexing_slicing, reason = "there are two sides")]
    #[inline]
    const fn half_mut(&mut self, side: Side) -> &mut BookSide {
        &mut self.sides[side as usize]
    }
}

/// Both sides of a book, on their way from the bytes of a snapshot.
struct Filling<'a>([Loading<'a>; 2]);

impl<'a> LevelSink for Filling<'a> {
    type Side = Loading<'a>;

    #[allow(clippy::indexing_slicing, reason = "there are two sides")]
    fn side(&mut self, side: Side) -> &mut Loading<'a> {
        &mut self.0[side as usize]
    }
}

impl SideSink for Loading<'_> {
    #[allow(clippy::inline_always, reason = "for every level of a snapshot; measured")]
    #[inline(always)]
    fn take(&mut self, level: Level) -> bool {
        self.push(level)
    }

    fn is_empty(&self) -> bool {
        Loading::is_empty(self)
    }

    fn said_last(&self, price: Price) -> Option<Lots> {
        Loading::said_last(self, price)
    }

    fn cut(&mut self) {
        Loading::cut(self);
    }
}

struct Lines(Sha256);

impl fmt::Write for Lines {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.update(text.as_bytes());
        Ok(())
    }
}

impl fmt::Debug for Book {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Book")
            .field("sequence", &self.sequence)
            .field("best_bid", &self.best_bid())
            .field("best_ask", &self.best_ask())
            .field("bids", &self.held_levels(Side::Bid))
            .field("asks", &self.held_levels(Side::Ask))
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
