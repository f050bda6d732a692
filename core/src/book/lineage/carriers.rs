//! The lines that carry a topic, and what each has brought.

use alloc::vec::Vec;

use super::tracker::SequenceTracker;
use crate::ids::{LineId, Sequence};
use crate::time::Instant;
use crate::wire::Delta;

/// Each line with its own last sequence. One line nearly always: so the first one lies where it is
/// used, and the others, if there are any, elsewhere.
#[derive(Clone, Default)]
pub(super) struct Carriers {
    first: Option<Carrier>,
    others: Vec<Carrier>,
}

/// A line, and what it has brought.
#[derive(Clone, Copy, Debug)]
pub(super) struct Carrier {
    line: LineId,
    pub(super) tracker: SequenceTracker,
    /// Another line has shown that the counter was set back, and this one has not: what it brings is of the run
    /// before, until it shows that, too, or this time is over.
    pub(super) former_until: Option<Instant>,
}

impl Carriers {
    /// The line, if it is the only one.
    #[inline]
    pub(super) fn only(&mut self, line: LineId) -> Option<&mut SequenceTracker> {
        let first = self.first.as_mut()?;
        (first.line == line && self.others.is_empty()).then_some(&mut first.tracker)
    }

    /// The tracker of a line that carries the topic, and is of the present run as far as is known.
    #[inline]
    pub(super) fn present(&mut self, line: LineId) -> Option<&mut SequenceTracker> {
        let carrier = self.first.iter_mut().chain(&mut self.others).find(|c| c.line == line)?;
        carrier.former_until.is_none().then_some(&mut carrier.tracker)
    }

    /// Whether several lines carry the topic.
    pub(super) const fn are_several(&self) -> bool {
        !self.others.is_empty()
    }

    /// The line, which is judged against what is known if it is new.
    pub(super) fn of(&mut self, line: LineId, known: Option<Sequence>) -> &mut Carrier {
        let new =
            || Carrier { line, tracker: SequenceTracker::starting_at(known), former_until: None };
        if self.first.is_none_or(|first| first.line == line) {
            return self.first.get_or_insert_with(new);
        }
        let at = self.others.iter().position(|other| other.line == line);
        let at = at.unwrap_or_else(|| {
            self.others.push(new());
            self.others.len().saturating_sub(1)
        });
        #[allow(clippy::indexing_slicing, reason = "the position was just found or made")]
        &mut self.others[at]
    }

    /// A line has shown that the counter was set back: what the others bring is of the run before, for now.
    pub(super) fn leave_behind(&mut self, line: LineId, until: Instant) {
        let all = self.first.iter_mut().chain(&mut self.others);
        for carrier in all.filter(|carrier| carrier.line != line) {
            carrier.former_until = Some(until);
        }
    }

    /// What another line than this one has said at a sequence, as far as its tracker knows.
    pub(super) fn said_beside(&self, line: LineId, sequence: Sequence) -> Option<Delta> {
        let others = self.first.iter().chain(&self.others);
        let mut present = others.filter(|c| c.line != line && c.former_until.is_none());
        present.find_map(|carrier| carrier.tracker.said(sequence))
    }

    /// The lines of the present run that have brought nothing beyond `reached`, and those that have.
    pub(super) fn beyond(&self, reached: Sequence) -> impl Iterator<Item = (LineId, bool)> {
        let present = self.first.iter().chain(&self.others).filter(|c| c.former_until.is_none());
        present.map(move |carrier| {
            let is_beyond =
                carrier.tracker.newest().is_some_and(|newest| newest.sequence > reached);
            (carrier.line, is_beyond)
        })
    }

    /// The line carries the topic no more.
    pub(super) fn remove(&mut self, line: LineId) {
        self.others.retain(|other| other.line != line);
        if self.first.is_some_and(|first| first.line == line) {
            self.first = self.others.pop();
        }
        // Of one alone nothing says that it is behind.
        if let Some(first) = self.first.as_mut().filter(|_| self.others.is_empty()) {
            first.former_until = None;
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
        for carrier in all {
            (carrier.tracker, carrier.former_until) = (SequenceTracker::starting_at(None), None);
        }
    }

    /// Whether a repeat came last on any of them.
    pub(super) fn are_in_doubt(&self) -> bool {
        self.first.iter().chain(&self.others).any(|carrier| carrier.tracker.is_in_doubt())
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
                carriers.of(line, None).tracker.accept(&delta);
            }
            assert!(lines.iter().all(|&line| carriers.only(line).is_none()), "there are three");
            carriers.remove(gone);
            for (line, sequence) in lines.into_iter().zip(2..) {
                let is_next = carriers.of(line, None).tracker.is_next(Sequence::new(sequence));
                assert_eq!(is_next, line != gone);
            }
            lines.iter().skip(1).for_each(|&line| carriers.remove(line));
            assert!(carriers.only(LineId::new(0)).is_some());
            carriers.remove(LineId::new(0));
            assert!(carriers.is_empty());
        }
    }
}
