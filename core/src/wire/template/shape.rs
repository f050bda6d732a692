//! A template: literals, and what kind of hole is behind each.

use alloc::boxed::Box;

use super::hole;
use crate::channel::ChannelKind;

/// What the frames of a channel have in common.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Template {
    pub(super) kind: ChannelKind,
    pub(super) steps: Box<[Step]>,
    /// The literals of all steps, each in blocks of its own.
    pub(super) blocks: Box<[Block]>,
}

/// A literal and the hole behind it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Step {
    pub(super) literal_len: u16,
    pub(super) blocks: u8,
    pub(super) hole: Hole,
}

/// Sixteen bytes of a literal, in words; fewer at its end.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) struct Block {
    want: [u64; 2],
    /// All ones where the literal has a byte.
    mask: [u64; 2],
}

/// What stands between two literals.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Hole {
    /// The frame's end.
    End,
    Symbol,
    Sequence,
    Ts,
    Side,
    /// A price between quotes.
    Price(Which),
    /// A price as a number.
    BarePrice(Which),
    Size(Which),
    Id(Id),
    /// A text that is not used.
    Text,
    /// A whole number that is not used.
    Number,
}

/// Whose price or size it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Which {
    Trade,
    Bid,
    Ask,
}

/// Which id it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Id {
    Trade,
    TakerOrder,
    MakerOrder,
}

impl Block {
    /// Of at most sixteen bytes.
    pub(super) fn of(bytes: &[u8]) -> Self {
        let mut block = Self::default();
        for (offset, &byte) in bytes.iter().enumerate() {
            let (at, shift) = (offset / 8, offset % 8 * 8);
            if let (Some(want), Some(mask)) = (block.want.get_mut(at), block.mask.get_mut(at)) {
                *want |= u64::from(byte) << shift;
                *mask |= 0xff << shift;
            }
        }
        block
    }

    #[inline]
    pub(super) const fn differ(&self, pair: [u64; 2]) -> u64 {
        (pair[0] ^ self.want[0]) & self.mask[0] | (pair[1] ^ self.want[1]) & self.mask[1]
    }

    /// The same where the frame may end before the block does. What is not there is no byte of a literal,
    /// which has no zeros.
    #[inline(never)]
    pub(super) fn differ_near_end(&self, frame: &[u8], at: usize) -> u64 {
        let word = |at: usize| hole::word(frame, at).unwrap_or(0);
        self.differ([word(at), word(at.wrapping_add(8))])
    }
}
