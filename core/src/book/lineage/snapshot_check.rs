//! What the stream said and the snapshot must therefore say, too.
//!
//! A snapshot contains every delta up to its sequence. Where the stream and the snapshot are of
//! different runs of the exchange's counter, sequences fit all the same; sizes do not.

use alloc::collections::BTreeMap;

use crate::book::Book;
use crate::book::buffer::DeltaBuffer;
use crate::ids::Sequence;
use crate::num::{Lots, Price};
use crate::wire::{Delta, Side};

/// The last word of the stream on each level, among the deltas that a snapshot contains.
#[derive(Clone, Debug, Default)]
pub(in crate::book) struct SnapshotCheck {
    last: BTreeMap<(Side, Price), Lots>,
    /// Where the unbroken run of deltas ends that is noted here.
    end: Option<Sequence>,
}

impl SnapshotCheck {
    /// What a buffer says of the levels that a snapshot at `sequence` contains; of at most `cap`.
    pub(in crate::book) fn of(buffer: &DeltaBuffer, sequence: Sequence, cap: usize) -> Self {
        let mut check = Self::default();
        for delta in buffer.iter().take_while(|delta| delta.sequence <= sequence) {
            check.note(delta, cap);
        }
        check
    }

    /// Notes a delta that the snapshot contains; of at most `cap` levels.
    pub(in crate::book) fn note(&mut self, delta: &Delta, cap: usize) {
        if self.end.replace(delta.sequence).and_then(Sequence::next) != Some(delta.sequence) {
            // What is missing in between may have said otherwise.
            self.last.clear();
        }
        // A price of zero is no level.
        if delta.price == Price::ZERO {
            return;
        }
        let key = (delta.side, delta.price);
        if self.last.len() < cap || self.last.contains_key(&key) {
            self.last.insert(key, delta.size);
        }
    }

    /// Whether a delta lies beyond all that is noted.
    pub(in crate::book) fn is_beyond(&self, delta: &Delta) -> bool {
        self.end.is_none_or(|end| delta.sequence > end)
    }

    /// Whether the book, loaded and not moved on yet, says the same where it says anything.
    pub(in crate::book) fn agrees_with(&self, book: &Book) -> bool {
        let complete = self.end == Some(book.sequence());
        !complete
            || self.last.iter().all(|(&(side, price), &size)| {
                book.size_at(side, price).is_none_or(|known| known == size)
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_levels_are_noted_than_there_is_room_for() {
        let delta = |sequence, price: &str, size| {
            let price = price.parse().unwrap();
            Delta::new(Sequence::new(sequence), Side::Bid, price, Lots::new(size))
        };
        let mut check = SnapshotCheck::default();
        check.note(&delta(1, "14", 1), 1);
        check.note(&delta(2, "15", 1), 1);
        check.note(&delta(3, "14", 2), 1);
        let noted: alloc::vec::Vec<_> = check.last.values().map(|size| size.get()).collect();
        assert_eq!(noted, [2], "the second level had no room, the first goes on");
    }
}
