//! How the frames of one symbol look, apart from what differs.

#![allow(clippy::inline_always, reason = "a part of the fast way, in files of its own; measured")]

use alloc::boxed::Box;

use crate::wire::swar::{Digits, pair_at, word_before, words};

/// Everything but the change: what is before it is found from the frame's start, what is behind it
/// from the frame's end, so that its length does not matter.
#[derive(Clone, Debug)]
pub(super) struct Shape {
    /// How many bytes there are before the change.
    pub(super) before: usize,
    /// How many there are behind it.
    pub(super) behind: usize,
    /// Whole blocks from the start on, as many as there are before the change.
    pub(super) head: Box<[Block]>,
    /// The block that ends where the change begins; the first one if the change is in it.
    pub(super) edge: Block,
    /// Whole blocks up to the end, at least from the change on.
    pub(super) tail: Box<[Block]>,
    pub(super) sequence: Place,
    pub(super) timestamp: Place,
    /// Another number that differs, such as `sn`; the sequence again if there is none.
    pub(super) other: Place,
}

/// Bytes compared at a time.
pub(super) const BLOCK: usize = 32;

/// Bytes of a frame, in words.
#[derive(Clone, Copy, Default, Debug)]
#[repr(align(64))]
pub(super) struct Block {
    pub(super) want: [u64; BLOCK / 8],
    /// All ones where they are the same in every frame.
    pub(super) mask: [u64; BLOCK / 8],
}

impl Shape {
    /// Whether a frame looks like this.
    #[inline(always)]
    pub(super) fn fits(&self, frame: &[u8]) -> bool {
        let head = frame.get(..self.head.len().wrapping_mul(BLOCK));
        let edge = frame.get(self.before.saturating_sub(BLOCK)..).and_then(<[u8]>::first_chunk);
        let tail = frame.len().wrapping_sub(self.tail.len().wrapping_mul(BLOCK));
        let (Some(head), Some(edge), Some(tail)) = (head, edge, frame.get(tail..)) else {
            return false;
        };
        let mut differ = [0; BLOCK / 8];
        self.edge.compare(edge, &mut differ);
        compare(head, &self.head, &mut differ);
        compare(tail, &self.tail, &mut differ);
        (differ[0] | differ[1]) | (differ[2] | differ[3]) == 0
    }
}

#[inline(always)]
fn compare(bytes: &[u8], blocks: &[Block], differ: &mut [u64; BLOCK / 8]) {
    for (bytes, block) in bytes.as_chunks().0.iter().zip(blocks) {
        block.compare(bytes, differ);
    }
}

impl Block {
    /// This byte is the same in every frame.
    pub(super) fn remember(&mut self, offset: usize, byte: u8) {
        let (at, shift) = (offset / 8, offset % 8 * 8);
        if let (Some(want), Some(mask)) = (self.want.get_mut(at), self.mask.get_mut(at)) {
            *want |= u64::from(byte) << shift;
            *mask |= 0xff << shift;
        }
    }

    /// Gathers the bits that differ.
    #[inline(always)]
    fn compare(&self, bytes: &[u8; BLOCK], differ: &mut [u64; BLOCK / 8]) {
        let parts = differ.iter_mut().zip(words(bytes)).zip(self.want).zip(self.mask);
        for (((differ, word), want), mask) in parts {
            *differ |= (word ^ want) & mask;
        }
    }
}

/// A place that is found from the frame's start or from its end.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) struct Place {
    /// All ones where the frame's length is to be added.
    from_end: usize,
    offset: usize,
}

impl Place {
    /// `at` is one of the places before the change, or behind it, of a frame of this length.
    pub(super) const fn new(at: usize, is_behind: bool, frame_len: usize) -> Self {
        if is_behind {
            Self { from_end: usize::MAX, offset: at.wrapping_sub(frame_len) }
        } else {
            Self { from_end: 0, offset: at }
        }
    }

    #[inline(always)]
    const fn of(self, frame: &[u8]) -> usize {
        (frame.len() & self.from_end).wrapping_add(self.offset)
    }

    /// The eight digits that end here.
    #[inline(always)]
    pub(super) fn digits(self, frame: &[u8]) -> Option<Digits> {
        word_before(frame, self.of(frame)).map(Digits::of)
    }
}

/// Where the bytes are that tell a symbol from others.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) struct Anchor(pub(super) Place);

impl Anchor {
    #[inline(always)]
    pub(super) fn key(self, frame: &[u8]) -> Option<[u64; 2]> {
        pair_at(frame, self.0.of(frame))
    }
}
