//! Lines as the bits of a word.

use crate::ids::LineId;

/// A set of lines, by their numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct LineSet(u128);

/// Lines that a set of them tells apart, and so that a client has at most.
pub(crate) const MOST_LINES: usize = 128;

impl LineSet {
    pub(crate) const EMPTY: Self = Self(0);

    #[inline]
    pub(crate) const fn has(self, line: LineId) -> bool {
        // In one word: a shift of two is ten steps, for each frame.
        let word = if line.get() & u64::BITS == 0 { self.0 } else { self.0 >> u64::BITS } as u64;
        word.wrapping_shr(line.get()) & 1 != 0
    }

    pub(crate) const fn insert(&mut self, line: LineId) {
        self.0 |= Self::bit(line);
    }

    pub(crate) const fn remove(&mut self, line: LineId) {
        self.0 &= !Self::bit(line);
    }

    #[inline]
    const fn bit(line: LineId) -> u128 {
        1_u128.wrapping_shl(line.get())
    }
}
