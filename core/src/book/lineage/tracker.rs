//! The sequences that one line brings for one topic.

use super::evidence::Evidence;
use crate::ids::Sequence;
use crate::wire::Delta;

/// A step back this far is never a repeat: repeats come from a queue that is shorter.
const RESTART_STEP: u64 = 1024;
/// Repeats in a row, with nothing new between them, that are a new run of the counter.
const RESTART_REPEATS: u8 = 3;

const RECENT: usize = RESTART_REPEATS as usize - 1;

/// The last sequence that one line has brought for one topic, and its last deltas.
///
/// The exchange's counter may start lower after a maintenance. Taking that for duplicates would freeze
/// the book for good, or put two different streams together.
#[derive(Clone, Copy, Debug)]
pub(in crate::book) struct SequenceTracker {
    last: Option<Sequence>,
    repeats: u8,
    /// One of the repeats is not among the newest deltas: what it said before is not known.
    is_unsure: bool,
    /// The newest deltas, in a ring. A counter set back further than these reach brings enough
    /// repeats in a row to be told by their number.
    recent: [Option<Delta>; RECENT],
    /// Where the newest one is.
    newest: usize,
}

/// Where a delta stands among what the line has brought.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Place {
    /// Higher than any before.
    New,
    /// Not higher than what was known.
    Old {
        /// The line has brought something itself. Otherwise it is held against what was known of the
        /// topic when the line began.
        is_own: bool,
        /// What shows it to be of a new run of the counter.
        evidence: Option<Evidence>,
    },
}

impl SequenceTracker {
    /// Starts where the topic's known sequence stands: a new line is held against the book.
    pub(super) const fn starting_at(last: Option<Sequence>) -> Self {
        Self { last, repeats: 0, is_unsure: false, recent: [None; RECENT], newest: 0 }
    }

    /// Whether a repeat came last: it may be the first sign of a new run.
    pub(super) const fn is_in_doubt(&self) -> bool {
        self.repeats > 0
    }

    /// Whether a repeat came last of which nobody can say that it is one.
    #[inline]
    pub(in crate::book) const fn is_unsure(&self) -> bool {
        self.is_unsure
    }

    /// The newest delta.
    pub(super) fn newest(&self) -> Option<Delta> {
        self.recent.get(self.newest).copied()?
    }

    /// The sequence that follows the last one.
    #[inline]
    pub(in crate::book) fn expected(&self) -> Option<Sequence> {
        self.last.and_then(Sequence::next)
    }

    /// Whether this sequence follows the last one.
    #[inline]
    pub(in crate::book) fn is_next(&self, sequence: Sequence) -> bool {
        self.expected() == Some(sequence)
    }

    /// Places a delta, and takes it in if it is new.
    pub(super) fn place(&mut self, delta: &Delta) -> Place {
        let Some(last) = self.last.filter(|&last| delta.sequence <= last) else {
            self.accept(delta);
            return Place::New;
        };
        self.repeats = self.repeats.saturating_add(1);
        // planted: first-words-are-repeats
        let is_own = self.newest().is_some();
        let known = self.recent.iter().flatten().find(|known| known.sequence == delta.sequence);
        let differs = known.is_some_and(|known| known != delta);
        self.is_unsure |= known.is_none();
        // planted: restart-unseen
        let evidence = self.evidence(last, delta.sequence, differs);
        Place::Old { is_own, evidence }
    }

    fn evidence(&self, last: Sequence, sequence: Sequence, differs: bool) -> Option<Evidence> {
        if last.get().saturating_sub(sequence.get()) >= RESTART_STEP {
            Some(Evidence::LongStepBack)
        } else if self.repeats >= RESTART_REPEATS {
            Some(Evidence::ThreeRepeats)
        } else if differs {
            Some(Evidence::RepeatDiffers)
        } else {
            None
        }
    }

    /// What the line has said at a sequence, if it was a moment ago.
    pub(super) fn said(&self, sequence: Sequence) -> Option<Delta> {
        self.recent.iter().flatten().find(|known| known.sequence == sequence).copied()
    }

    /// Starts anew with this delta.
    pub(super) fn restart(&mut self, delta: &Delta) {
        *self = Self::starting_at(None);
        self.accept(delta);
    }

    /// Takes a delta that is new.
    #[inline]
    pub(in crate::book) fn accept(&mut self, delta: &Delta) {
        self.last = Some(delta.sequence);
        self.repeats = 0;
        self.is_unsure = false;
        self.newest = self.newest.wrapping_add(1) % RECENT;
        if let Some(newest) = self.recent.get_mut(self.newest) {
            *newest = Some(*delta);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::num::{Lots, Price};
    use crate::wire::Side;

    const REPEAT: Place = Place::Old { is_own: true, evidence: None };
    const BEFORE: Place = Place::Old { is_own: false, evidence: None };

    fn delta(sequence: u64, size: u64) -> Delta {
        Delta::new(Sequence::new(sequence), Side::Bid, Price::ZERO, Lots::new(size))
    }

    fn place(tracker: &mut SequenceTracker, sequence: u64) -> Place {
        tracker.place(&delta(sequence, sequence))
    }

    fn evidence(tracker: &mut SequenceTracker, sequence: u64, size: u64) -> Option<Evidence> {
        match tracker.place(&delta(sequence, size)) {
            Place::New => None,
            Place::Old { evidence, .. } => evidence,
        }
    }

    #[test]
    fn a_few_repeats_are_repeats() {
        let mut tracker = SequenceTracker::starting_at(None);
        assert_eq!(place(&mut tracker, 10_000), Place::New);
        assert_eq!(place(&mut tracker, 10_000), REPEAT);
        assert!(tracker.is_in_doubt());
        assert_eq!(place(&mut tracker, 9_999), REPEAT);
        assert_eq!(place(&mut tracker, 10_001), Place::New, "something new resets the count");
        assert!(!tracker.is_in_doubt());
        assert_eq!(place(&mut tracker, 10_000), REPEAT);
        assert_eq!(place(&mut tracker, 10_001), REPEAT);
        assert_eq!(place(&mut tracker, 10_002), Place::New);
    }

    #[test]
    fn three_repeats_in_a_row_are_evidence() {
        let mut tracker = SequenceTracker::starting_at(None);
        assert_eq!(place(&mut tracker, 10_000), Place::New);
        let found =
            [9_500, 9_501, 9_502].map(|sequence| evidence(&mut tracker, sequence, sequence));
        assert_eq!(found, [None, None, Some(Evidence::ThreeRepeats)]);
        tracker.restart(&delta(9_502, 9_502));
        assert_eq!(place(&mut tracker, 9_503), Place::New, "counted from the new start");
    }

    #[test]
    fn a_long_step_back_is_evidence_at_once() {
        let start = SequenceTracker::starting_at(Some(Sequence::new(10_000)));
        let far = 10_000 - 1024;
        assert_eq!(evidence(&mut start.clone(), far, far), Some(Evidence::LongStepBack));
        assert_eq!(place(&mut start.clone(), far + 1), BEFORE);
    }

    #[test]
    fn a_line_repeats_only_what_it_has_brought_itself() {
        let mut tracker = SequenceTracker::starting_at(Some(Sequence::new(10_000)));
        assert_eq!(place(&mut tracker, 9_999), BEFORE);
        assert_eq!(place(&mut tracker, 10_000), BEFORE);
        let third = evidence(&mut tracker.clone(), 10_000, 10_000);
        assert_eq!(third, Some(Evidence::ThreeRepeats));
        assert_eq!(place(&mut tracker, 10_001), Place::New);
        assert_eq!(place(&mut tracker, 10_000), REPEAT, "the line is ahead of it now");
    }

    /// A counter set back by one or two brings too few repeats to be told by their number.
    #[test]
    fn a_sequence_with_another_content_is_evidence_at_once() {
        for back in [0, 1] {
            let mut tracker = SequenceTracker::starting_at(None);
            (100..200).for_each(|sequence| assert_eq!(place(&mut tracker, sequence), Place::New));
            let sequence = 199 - back;
            assert_eq!(evidence(&mut tracker, sequence, 7), Some(Evidence::RepeatDiffers));
            tracker.restart(&delta(sequence, 7));
            assert_eq!(evidence(&mut tracker, sequence, 7), None, "of the new run");
        }
    }
}
