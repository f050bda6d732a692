//! The lines that carry a topic, and what each has brought.

use alloc::vec::Vec;

use super::tracker::SequenceTracker;
use crate::ids::{LineId, Sequence};

/// Each line with its own last sequence. One line nearly always: so the first one lies where it is
/// used, and the others, if there are any, elsewhere.
#[derive(Clone, Default)]
pub(super) struct Carriers {
    first: Option<(LineId, SequenceTracker)>,
    others: Vec<(LineId, SequenceTracker)>,
}

impl Carriers {
    /// The line, if it is the only one.
    #[inline]
    pub(super) fn only(&mut self, line: LineId) -> Option<&mut SequenceTracker> {
        let (known, tracker) = self.first.as_mut()?;
        (*known == line && self.others.is_empty()).then_some(tracker)
    }

    /// The line, which is judged against what is known if it is new.
    pub(super) fn of(&mut self, line: LineId, known: Option<Sequence>) -> &mut SequenceTracker {
        let new = || (line, SequenceTracker::starting_at(known));
        if self.first.is_none_or(|(first, _)| first == line) {
            return &mut self.first.get_or_insert_with(new).1;
        }
        let at = self.others.iter().position(|(other, _)| *other == line);
        let at = at.unwrap_or_else(|| {
            self.others.push(new());
            self.others.len().saturating_sub(1)
        });
        #[allow(clippy::indexing_slicing, reason = "the position was just found or made")]
        &mut self.others[at].1
    }

    /// The line carries the topic no more.
    pub(super) fn remove(&mut self, line: LineId) {
        self.others.retain(|(other, _)| *other != line);
        if self.first.is_some_and(|(first, _)| first == line) {
            self.first = self.others.pop();
        }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Takes anything for new that comes next, on any line.
    pub(super) fn forget(&mut self) {
        let all = self.first.iter_mut().chain(&mut self.others);
        all.for_each(|(_, tracker)| *tracker = SequenceTracker::starting_at(None));
    }

    /// Whether a repeat came last on any of them.
    pub(super) fn are_in_doubt(&self) -> bool {
        self.first.iter().chain(&self.others).any(|(_, tracker)| tracker.is_in_doubt())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::num::{Lots, Price};
    use crate::wire::{Delta, Side};

    #[test]
    fn each_line_has_its_own_sequence_whichever_goes_first() {
        let lines = [0, 1, 2].map(LineId::new);
        for gone in lines {
            let mut carriers = Carriers::default();
            for (line, sequence) in lines.into_iter().zip(1..) {
                let sequence = Sequence::new(sequence);
                let delta = Delta::new(sequence, Side::Bid, Price::ZERO, Lots::ZERO);
                carriers.of(line, None).accept(&delta);
            }
            assert!(lines.iter().all(|&line| carriers.only(line).is_none()), "there are three");
            carriers.remove(gone);
            for (line, sequence) in lines.into_iter().zip(2..) {
                let is_next = carriers.of(line, None).is_next(Sequence::new(sequence));
                assert_eq!(is_next, line != gone);
            }
            lines.iter().skip(1).for_each(|&line| carriers.remove(line));
            assert!(carriers.only(LineId::new(0)).is_some());
            carriers.remove(LineId::new(0));
            assert!(carriers.is_empty());
        }
    }
}
