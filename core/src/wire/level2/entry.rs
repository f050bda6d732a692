//! What is known of a symbol, and how a frame is read by it.

#![allow(clippy::inline_always, reason = "a part of the fast way, in files of its own; measured")]

use super::layout::Layout;
use crate::ids::Sequence;
use crate::time::UnixNanos;
use crate::wire::change;
use crate::wire::delta::Delta;

/// A symbol and how its frames look: all that is needed of it to read one, in one line of the cache.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
pub(crate) struct SymbolEntry {
    pub(super) key: [u64; 2],
    /// What the last digits of the sequence and of the time are added to.
    pub(super) sequence: u64,
    pub(super) ts_nanos: u64,
    /// The first digits of the numbers, as they stand in the frame.
    pub(super) firsts: [u64; 3],
    pub(super) layout: u16,
    pub(super) entry: u16,
    pub(super) tag: u32,
}

const _: () = assert!(size_of::<SymbolEntry>() == 64, "one line");

impl SymbolEntry {
    pub(super) const NOBODY: Self = Self {
        key: [0; 2],
        sequence: 0,
        ts_nanos: 0,
        firsts: [0; 3],
        // There is no such layout: a key of zeros finds this one, and nothing is read by it.
        layout: u16::MAX,
        entry: u16::MAX,
        tag: 0,
    };

    pub(super) const fn is_of(&self, layout: u16) -> bool {
        !self.is_nobody() && self.layout == layout
    }

    pub(super) const fn is_nobody(&self) -> bool {
        self.entry == u16::MAX
    }

    pub(crate) const fn tag(&self) -> u32 {
        self.tag
    }

    /// Reads a frame of this symbol that is laid out like this.
    #[inline(always)]
    pub(super) fn read(&self, layout: &Layout, frame: &[u8], edge: usize) -> Option<Delta> {
        if !layout.fits(frame, edge) {
            return None;
        }
        let (sequence, first) = layout.sequence.digits(frame, edge)?;
        let differ = first ^ self.firsts[0];
        let (timestamp, first) = layout.timestamp.digits(frame, edge)?;
        let differ = differ | first ^ self.firsts[1];
        let (other, first) = layout.other.digits(frame, edge)?;
        let differ = differ | first ^ self.firsts[2];
        if differ | sequence.non_digits() | timestamp.non_digits() | other.non_digits() != 0 {
            return None;
        }
        let [start, end] = layout.change.map(|place| place.of(frame, edge));
        let (price, side, size) = change::read(frame, start, end)?;
        let sequence = Sequence::new(self.sequence.wrapping_add(sequence.value()));
        let nanos = timestamp.value().wrapping_mul(1_000_000);
        let ts_event = Some(UnixNanos::from_nanos(self.ts_nanos.wrapping_add(nanos)));
        Some(Delta { sequence, price, size, ts_event, side })
    }
}
