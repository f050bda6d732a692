//! The newest frames of a topic as they came: a copy in the same bytes need not be read.

use alloc::vec::Vec;

use crate::ids::Sequence;
use crate::num::{Lots, Price};
use crate::time::Instant;
use crate::wire::{Delta, Side};

/// So many frames are kept: at a hundred deltas a second, those of a line that is a sixth of a second behind.
const KEPT: usize = 16;

/// Longest frame that is kept. A usual one has 190 bytes.
const LONGEST: usize = 256;

/// Each at the place of its sequence.
#[derive(Clone, Debug, Default)]
pub(super) struct Frames(Vec<Kept>);

/// A frame, what it says, and when it came.
#[derive(Clone, Debug)]
#[repr(C)]
struct Kept {
    delta: Delta,
    came: Instant,
    /// How many of the bytes it has; 0 if nothing is kept here.
    len: usize,
    bytes: [u8; LONGEST],
}

impl Kept {
    const NOTHING: Self = Self {
        delta: Delta::new(Sequence::new(0), Side::Bid, Price::ZERO, Lots::ZERO),
        came: Instant::ZERO,
        len: 0,
        bytes: [0; LONGEST],
    };
}

impl Frames {
    /// A delta was taken: its frame is kept in place of an older one, if it is not empty and not too long.
    #[inline]
    pub(super) fn keep(&mut self, came: Instant, delta: &Delta, frame: &[u8]) {
        let Some(kept) = self.0.get_mut(place(delta.sequence)) else {
            return self.begin(came, delta, frame);
        };
        (kept.delta, kept.came, kept.len) = (*delta, came, 0);
        if let Some(bytes) = kept.bytes.get_mut(..frame.len()) {
            bytes.copy_from_slice(frame);
            kept.len = frame.len();
        }
    }

    /// The first frame that is to be kept makes room: where there is one line, there is none.
    #[cold]
    fn begin(&mut self, came: Instant, delta: &Delta, frame: &[u8]) {
        if !frame.is_empty() {
            self.0.resize(KEPT, Kept::NOTHING);
            self.keep(came, delta, frame);
        }
    }

    /// What the frame at this sequence said, and when it came, if it was the same.
    #[inline]
    pub(super) fn find(&self, sequence: Sequence, frame: &[u8]) -> Option<(&Delta, Instant)> {
        let kept = self.0.get(place(sequence))?;
        let is_same = kept.delta.sequence == sequence
            && !frame.is_empty()
            && kept.bytes.get(..kept.len) == Some(frame);
        is_same.then_some((&kept.delta, kept.came))
    }

    /// What was kept is of another run of the counter.
    pub(super) fn clear(&mut self) {
        self.0.iter_mut().for_each(|kept| kept.len = 0);
    }
}

/// Where a sequence is kept.
const fn place(sequence: Sequence) -> usize {
    (sequence.get() % KEPT as u64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delta(sequence: u64) -> Delta {
        Delta::new(Sequence::new(sequence), Side::Bid, Price::ZERO, Lots::new(sequence))
    }

    fn is_found(frames: &Frames, sequence: u64, frame: &[u8]) -> bool {
        let found = frames.find(Sequence::new(sequence), frame);
        assert!(found.is_none_or(|(found, _)| *found == delta(sequence)));
        found.is_some()
    }

    #[test]
    fn a_frame_is_found_by_all_of_its_bytes_and_its_sequence() {
        let mut frames = Frames::default();
        assert!(!is_found(&frames, 0, b""), "nothing is kept");
        frames.keep(Instant::ZERO, &delta(5), b"five");
        assert!(is_found(&frames, 5, b"five"));
        for other in [b"five.".as_slice(), b"fiv", b"fivE", b""] {
            assert!(!is_found(&frames, 5, other));
        }
        assert!(!is_found(&frames, 5 + KEPT as u64, b"five"), "another sequence, the same place");
        assert!(!is_found(&frames, 0, b""), "an empty place is no empty frame");
    }

    #[test]
    fn a_frame_that_another_delta_has_followed_or_that_is_of_another_run_is_not_found() {
        let mut kept = Frames::default();
        kept.keep(Instant::ZERO, &delta(5), b"five");
        let mut frames = kept.clone();
        frames.keep(Instant::ZERO, &delta(5 + KEPT as u64), b"later");
        assert!(!is_found(&frames, 5, b"five") && is_found(&frames, 5 + KEPT as u64, b"later"));
        let mut frames = kept.clone();
        frames.keep(Instant::ZERO, &delta(5 + KEPT as u64), b"");
        assert!(!is_found(&frames, 5, b"five") && !is_found(&frames, 5 + KEPT as u64, b""));
        let mut frames = kept.clone();
        frames.clear();
        assert!(!is_found(&frames, 5, b"five"));
    }

    #[test]
    fn a_frame_too_long_is_not_kept_and_nor_is_what_was_there() {
        let mut frames = Frames::default();
        frames.keep(Instant::ZERO, &delta(5), b"five");
        frames.keep(Instant::ZERO, &delta(5), &[b'5'; LONGEST + 1]);
        assert!(!is_found(&frames, 5, b"five") && !is_found(&frames, 5, &[b'5'; LONGEST + 1]));
        frames.keep(Instant::ZERO, &delta(6), &[b'6'; LONGEST]);
        assert!(is_found(&frames, 6, &[b'6'; LONGEST]));
    }
}
