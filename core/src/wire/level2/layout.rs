//! How the frames of a connection look, apart from what differs.

#![allow(clippy::inline_always, reason = "a part of the fast way, in files of its own; measured")]

use alloc::boxed::Box;

use crate::ids::Symbol;
use crate::wire::swar::{Digits, find_text, pair_at, pair_before, words};

/// Everything but the symbol, the change, and the digits of three numbers: the same for all symbols
/// that fit into a key and whose frames have numbers of the same lengths.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Layout {
    pub(super) anchor: Anchor,
    /// What stands before the symbol and the change, from the frame's start on.
    pub(super) head: Box<[Block]>,
    /// What stands between them, and where that begins, as seen from the symbol's edge: there or before
    /// it, as a wrapped difference.
    pub(super) inner: Box<[Block]>,
    pub(super) inner_at: usize,
    /// What stands behind them, up to the frame's end.
    pub(super) tail: Box<[Block]>,
    /// Where the change begins and ends.
    pub(super) change: [Place; 2],
    pub(super) sequence: Number,
    pub(super) timestamp: Number,
    /// Another number that differs, such as `sn`; the sequence again if there is none.
    pub(super) other: Number,
}

/// Bytes compared at a time.
pub(super) const BLOCK: usize = 32;

/// Bytes of a frame, in words.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
#[repr(align(64))]
pub(super) struct Block {
    pub(super) want: [u64; BLOCK / 8],
    /// All ones where they are the same in every frame.
    pub(super) mask: [u64; BLOCK / 8],
}

impl Layout {
    /// Whether a frame begins like this: a first look at a frame that is likely to be another one's.
    pub(super) fn begins(&self, frame: &[u8]) -> bool {
        let mut differ = [0; BLOCK / 8];
        let (Some(block), Some(bytes)) = (self.head.first(), frame.first_chunk()) else {
            return false;
        };
        block.compare(bytes, &mut differ);
        differ == [0; BLOCK / 8]
    }

    /// Whether a frame looks like this.
    #[inline(always)]
    pub(super) fn fits(&self, frame: &[u8], edge: usize) -> bool {
        let inner_at = edge.wrapping_add(self.inner_at);
        let tail_at = frame.len().wrapping_sub(self.tail.len().wrapping_mul(BLOCK));
        let mut differ = [0; BLOCK / 8];
        // As many blocks as the exchange's frames have, without a loop; any other number in one.
        compare::<1>(frame, 0, &self.head, &mut differ)
            && compare::<4>(frame, inner_at, &self.inner, &mut differ)
            && compare::<1>(frame, tail_at, &self.tail, &mut differ)
            && (differ[0] | differ[1]) | (differ[2] | differ[3]) == 0
    }
}

/// Gathers the bits that differ; false if the frame is too short.
#[inline(always)]
fn compare<const USUAL: usize>(
    frame: &[u8],
    at: usize,
    blocks: &[Block],
    differ: &mut [u64; BLOCK / 8],
) -> bool {
    let Some(bytes) = frame.get(at..) else { return false };
    let bytes = bytes.as_chunks().0;
    if let Ok(blocks) = <&[Block; USUAL]>::try_from(blocks) {
        let Some(bytes) = bytes.first_chunk::<USUAL>() else { return false };
        for (bytes, block) in bytes.iter().zip(blocks) {
            block.compare(bytes, differ);
        }
    } else {
        let Some(bytes) = bytes.get(..blocks.len()) else { return false };
        for (bytes, block) in bytes.iter().zip(blocks) {
            block.compare(bytes, differ);
        }
    }
    true
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

/// A place that is found from the frame's start, from its end, or from the symbol's edge that looks
/// towards the change: so neither the symbol's length matters nor that of the change.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) struct Place {
    /// All ones where the frame's length is to be added, or the place of the edge.
    from_end: usize,
    from_edge: usize,
    offset: usize,
}

/// What a place is found from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Base {
    Start,
    Edge,
    End,
}

impl Place {
    /// Of a place in this frame, whose symbol has its edge there.
    pub(super) const fn new(at: usize, base: Base, frame_len: usize, edge: usize) -> Self {
        let (from_edge, from_end, base) = match base {
            Base::Start => (0, 0, 0),
            Base::Edge => (usize::MAX, 0, edge),
            Base::End => (0, usize::MAX, frame_len),
        };
        Self { from_end, from_edge, offset: at.wrapping_sub(base) }
    }

    #[inline(always)]
    pub(super) const fn of(self, frame: &[u8], edge: usize) -> usize {
        let base = (frame.len() & self.from_end).wrapping_add(edge & self.from_edge);
        base.wrapping_add(self.offset)
    }
}

/// A number of 9 to 16 digits. Its last eight differ from frame to frame, the others from symbol to
/// symbol.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Number {
    pub(super) end: Place,
    /// All ones for the first digits, in the eight bytes before the last digits.
    pub(super) first: u64,
}

impl Number {
    /// Its last eight digits, and its first ones as they stand in a word.
    #[inline(always)]
    pub(super) fn digits(&self, frame: &[u8], edge: usize) -> Option<(Digits, u64)> {
        let [first, last] = pair_before(frame, self.end.of(frame, edge))?;
        Some((Digits::of(last), first & self.first))
    }

    /// The number that first digits spell, as they stand in a word; `None` if they are none, or begin
    /// with a zero.
    pub(super) fn first_value(&self, first: u64) -> Option<u64> {
        let digits = Digits::of(first).under(self.first);
        let least = 10_u64.checked_pow((self.first.count_ones() / 8).checked_sub(1)?)?;
        (digits.non_digits() == 0 && digits.value() >= least).then(|| digits.value())
    }
}

/// Where the bytes are that tell a symbol from others: those from the one before it on or, where it
/// stands behind the change, those up to its end.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) struct Anchor {
    at: Place,
    is_behind: bool,
}

/// So many they are.
pub(super) const KEY: usize = 16;

impl Anchor {
    /// Of bytes from there on, before the change, found from the frame's start, or behind it, found from
    /// its end.
    pub(super) const fn new(at: usize, is_behind: bool, frame_len: usize) -> Self {
        let base = if is_behind { Base::End } else { Base::Start };
        Self { at: Place::new(at, base, frame_len, 0), is_behind }
    }

    /// The bytes, and the edge of the symbol that looks towards the change, or where they end if it
    /// is further on.
    ///
    /// Whatever edge this is, it depends on nothing but these bytes: if it was right when they were
    /// learned, it is right whenever they come again. For other bytes [`symbol`](Self::symbol) has to
    /// see whether it is.
    #[inline(always)]
    pub(super) fn find(self, frame: &[u8]) -> Option<([u64; 2], usize)> {
        let at = self.at.of(frame, 0);
        let key = pair_at(frame, at)?;
        let [first, second] = key;
        let edge = if self.is_behind {
            let (near, far) = (find_text(second, b':'), find_text(first, b':'));
            let (near, far) = (near.leading_zeros() / 8, far.leading_zeros() / 8);
            at.wrapping_add(KEY - near as usize).wrapping_sub(if near < 8 {
                0
            } else {
                far as usize
            })
        } else {
            let (near, far) = (find_text(first, b'"'), find_text(second, b'"'));
            let (near, far) = (near.trailing_zeros() / 8, far.trailing_zeros() / 8);
            at.wrapping_add(near as usize).wrapping_add(if near < 8 { 0 } else { far as usize })
        };
        Some((key, edge))
    }

    /// The symbol of a frame with this edge; `None` if it is not all before the edge or behind it.
    pub(super) fn symbol(self, frame: &[u8], edge: usize) -> Option<Symbol> {
        let at = self.at.of(frame, 0);
        let (text, before, behind) = if self.is_behind {
            let end = at.checked_add(KEY)?;
            (frame.get(edge..end)?, edge.checked_sub(1)?, end)
        } else {
            (frame.get(at.checked_add(1)?..edge)?, at, edge)
        };
        let stands_alone = frame.get(before) == Some(&b':') && frame.get(behind) == Some(&b'"');
        Symbol::new(core::str::from_utf8(text).ok()?).ok().filter(|_| stands_alone)
    }
}
