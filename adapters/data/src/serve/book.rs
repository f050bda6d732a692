//! The recorded book of a contract, as it is shown: its snapshots, its depths, and what it was a moment ago.

use std::collections::VecDeque;
use std::fmt::Write as _;

use kucoin_futures_proto::book::{Apply, Book, Coverage, Level, Scope};
use kucoin_futures_proto::wire::{Delta, Side};
use kucoin_futures_proto::{Decimal, Price, Sequence, Symbol};
use kucoin_futures_sim::java_number;
use sha2::{Digest as _, Sha256};

/// A full snapshot is cut at so many levels a side, and taken to be cut by whoever counts as many.
const CUT: usize = 1000;
/// A book can be asked for what it was so many changes ago.
const KEPT: usize = 4096;

/// A copy of a book that is live in the recording.
#[derive(Debug)]
pub(super) struct RecordedBook {
    now: Book,
    /// What it was, and all changes since.
    past: Book,
    since: VecDeque<Delta>,
}

/// Why it cannot be said what a book was.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Unknown {
    /// It was not that yet, or too long ago.
    Sequence,
    /// It is not known as far.
    Horizon,
}

impl RecordedBook {
    pub(super) fn new(book: &Book) -> Self {
        Self { now: book.clone(), past: book.clone(), since: VecDeque::new() }
    }

    pub(super) const fn sequence(&self) -> Sequence {
        self.now.sequence()
    }

    /// Takes a change; false if something before it is missing.
    pub(super) fn apply(&mut self, delta: &Delta) -> bool {
        match self.now.apply(delta) {
            Apply::Applied => {}
            // It was copied when it had this already.
            Apply::Repeat => return true,
            _ => return false,
        }
        self.since.push_back(*delta);
        if self.since.len() > KEPT
            && let Some(oldest) = self.since.pop_front()
        {
            let _ = self.past.apply(&oldest);
        }
        true
    }

    /// The data of a snapshot with at most so many levels a side; `None` if not even the best one is known.
    ///
    /// A side that goes on behind its last level is ended by a row of size zero, a hair beyond it: nothing rests
    /// there, and a reader who knows the format sees that the price can be none, and takes the side for cut. Without
    /// that, a side of less than 1000 levels would be said to be whole.
    pub(super) fn snapshot(&self, symbol: Symbol, most: usize) -> Option<String> {
        let mut body = format!(r#"{{"sequence":{},"symbol":"{symbol}""#, self.sequence());
        for (side, name) in [(Side::Bid, "bids"), (Side::Ask, "asks")] {
            let is_cut = self.now.reach(side) != Coverage::All;
            let known = self.now.complete_levels(side);
            if is_cut && known == 0 {
                return None;
            }
            let row = |level: Level| format!("[{},{}]", number(level.price), level.size);
            let mut rows: Vec<String> =
                self.now.levels(side, Scope::Complete).take(most).map(row).collect();
            let last = self.now.levels(side, Scope::Complete).last();
            if let Some(last) = last.filter(|_| is_cut && known < most) {
                rows.push(format!("[{},0]", beyond(side, last.price)));
            }
            let _ = write!(body, r#","{name}":[{}]"#, rows.join(","));
        }
        if let Some(at) = self.now.ts_event() {
            let _ = write!(body, r#","ts":{}"#, at.as_nanos());
        }
        body.push('}');
        Some(body)
    }

    /// A snapshot as it is asked for when a book is made.
    pub(super) fn full(&self, symbol: Symbol) -> Option<String> {
        self.snapshot(symbol, CUT)
    }

    /// The members of a depth of so many levels a side: prices are text, sizes numbers. `None` if they are not all
    /// known.
    pub(super) fn depth(&self, most: usize) -> Option<String> {
        let side = |side, name| {
            let is_whole = self.now.reach(side) == Coverage::All;
            let is_known = is_whole || self.now.complete_levels(side) >= most;
            let row = |level: Level| format!(r#"["{}",{}]"#, level.price, level.size);
            let levels = self.now.levels(side, Scope::Complete).take(most);
            let rows: Vec<String> = levels.map(row).collect();
            is_known.then(|| format!(r#""{name}":[{}]"#, rows.join(",")))
        };
        Some(format!("{},{}", side(Side::Bid, "bids")?, side(Side::Ask, "asks")?))
    }

    /// Best bid and best ask, as far as there are any; `None` if that is not known.
    pub(super) fn touch(&self) -> Option<[Option<Level>; 2]> {
        let best = |side| {
            let best = self.now.levels(side, Scope::Complete).next();
            (best.is_some() || self.now.reach(side) == Coverage::All).then_some(best)
        };
        Some([best(Side::Bid)?, best(Side::Ask)?])
    }

    /// SHA-256, as hex, over what the book held at a sequence from the touch to these reaches, bids and asks: the
    /// lines of [`Book::digest`].
    pub(super) fn digest(
        &self,
        sequence: Sequence,
        reaches: [Coverage; 2],
    ) -> Result<String, Unknown> {
        let then = self.at(sequence).ok_or(Unknown::Sequence)?;
        let mut hash = Sha256::new();
        for ((tag, side), reach) in [('b', Side::Bid), ('a', Side::Ask)].into_iter().zip(reaches) {
            if !is_within(side, reach, then.reach(side)) {
                return Err(Unknown::Horizon);
            }
            let inside = |level: &Level| is_within(side, Coverage::To(level.price), reach);
            for level in then.levels(side, Scope::Complete).take_while(inside) {
                hash.update(format!("{tag} {} {}\n", level.price, level.size));
            }
        }
        Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// The book at a sequence.
    fn at(&self, sequence: Sequence) -> Option<Book> {
        if sequence > self.sequence() || sequence < self.past.sequence() {
            return None;
        }
        if sequence == self.sequence() {
            return Some(self.now.clone());
        }
        let mut then = self.past.clone();
        for delta in self.since.iter().take_while(|delta| delta.sequence <= sequence) {
            let _ = then.apply(delta);
        }
        (then.sequence() == sequence).then_some(then)
    }
}

/// Whether a reach goes no further than another.
fn is_within(side: Side, reach: Coverage, other: Coverage) -> bool {
    match (reach, other) {
        (_, Coverage::All) => true,
        (Coverage::All, Coverage::To(_)) => false,
        (Coverage::To(reach), Coverage::To(other)) => match side {
            Side::Bid => reach >= other,
            Side::Ask => reach <= other,
        },
    }
}

fn number(price: Price) -> String {
    java_number(Decimal::from(price))
}

/// A price behind this one, nearer than any that can be traded at: a tenth of the smallest difference between two.
fn beyond(side: Side, price: Price) -> String {
    let tenths = i128::from(price.scaled()) * 10;
    let price = match side {
        Side::Bid => tenths - 1,
        Side::Ask => tenths + 1,
    };
    Decimal::new(price, -13).unwrap_or_default().to_string()
}

#[cfg(test)]
mod tests;
