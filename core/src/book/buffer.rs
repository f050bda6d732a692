//! Deltas that wait for a snapshot: always one unbroken run of sequences.

use alloc::collections::VecDeque;
use alloc::collections::vec_deque::Drain;

use crate::ids::Sequence;
use crate::wire::Delta;

/// Deltas of a usual wait: with room for them from the start, a gap in a busy market costs no allocation.
const ROOM: usize = 64;

/// A bounded run of deltas, each one the successor of the one before.
#[derive(Clone, Debug)]
pub(super) struct DeltaBuffer {
    run: VecDeque<Delta>,
}

/// What [`DeltaBuffer::push`] did with a delta.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Pushed {
    /// It continued the run.
    Kept,
    /// It did not continue the run, which was of no further use: the run starts anew with it.
    Restarted,
    /// The cap was reached. Dropping the oldest would hide a gap, so the whole run went; it
    /// starts anew with this delta.
    Overflowed,
}

impl DeltaBuffer {
    /// Without any room.
    pub(super) const fn new() -> Self {
        Self { run: VecDeque::new() }
    }

    /// Makes room for a usual wait.
    pub(super) fn make_room(&mut self) {
        self.run.reserve(ROOM);
    }

    /// Appends a delta. A run with a hole in it could never be replayed beyond the hole, and a
    /// snapshot that reaches past the hole does not need what is before it.
    pub(super) fn push(&mut self, delta: Delta, cap: usize) -> Pushed {
        let continues = self.run.back().is_none_or(|b| b.sequence.next() == Some(delta.sequence));
        // planted: endless-buffer
        let is_full = self.run.len() >= cap;
        let pushed = if !continues {
            Pushed::Restarted
        } else if is_full {
            Pushed::Overflowed
        } else {
            Pushed::Kept
        };
        if pushed != Pushed::Kept {
            self.run.clear();
        }
        self.run.push_back(delta);
        pushed
    }

    pub(super) fn clear(&mut self) {
        self.run.clear();
    }

    pub(super) fn len(&self) -> usize {
        self.run.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.run.is_empty()
    }

    /// Whether the delta at a sequence is in it.
    pub(super) fn spans(&self, sequence: Sequence) -> bool {
        self.at(sequence).is_some()
    }

    pub(super) fn first(&self) -> Option<Sequence> {
        self.run.front().map(|delta| delta.sequence)
    }

    pub(super) fn last(&self) -> Option<Sequence> {
        self.run.back().map(|delta| delta.sequence)
    }

    /// What the run says at a sequence. O(1): the run is unbroken.
    pub(super) fn at(&self, sequence: Sequence) -> Option<Delta> {
        let offset = sequence.get().checked_sub(self.first()?.get())?;
        self.run.get(usize::try_from(offset).ok()?).copied()
    }

    /// The run, oldest first.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Delta> {
        self.run.iter()
    }

    /// Takes the run out.
    pub(super) fn drain(&mut self) -> Drain<'_, Delta> {
        self.run.drain(..)
    }
}
