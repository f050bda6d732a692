//! From the bytes around a symbol to what is known of it.

#![allow(clippy::inline_always, reason = "a part of the fast way, in files of its own; measured")]

use alloc::vec::Vec;

use super::entry::SymbolEntry;

/// An open hash table that is at most half full.
#[derive(Clone, Debug, Default)]
pub(super) struct Table {
    slots: Vec<SymbolEntry>,
    /// How many more there is room for.
    room: usize,
    /// How far a hash is shifted to be a place: the highest bits are the best mixed.
    shift: u32,
}

impl Table {
    /// What is known under a key.
    #[inline(always)]
    pub(super) fn find(&self, key: [u64; 2]) -> Option<&SymbolEntry> {
        let mut place = self.place(key);
        loop {
            let known = self.slots.get(place)?;
            if known.key == key {
                return Some(known);
            }
            if known.is_nobody() {
                return None;
            }
            // Nothing stands behind the last slot: the search ends there, too.
            place = place.wrapping_add(1);
        }
    }

    /// Replaces everything.
    pub(super) fn fill(&mut self, all: impl ExactSizeIterator<Item = Option<SymbolEntry>>) {
        let places = all.len().saturating_mul(2).next_power_of_two().saturating_mul(2);
        self.shift = 64_u32.saturating_sub(places.trailing_zeros());
        self.room = places / 2;
        // The first keys of a run may be the table's last; they go on behind it.
        self.slots.clear();
        self.slots.resize(places.saturating_add(self.room), SymbolEntry::NOBODY);
        for known in all.flatten() {
            self.insert(known);
        }
    }

    /// Puts what is known under its key. False if there is no room.
    pub(super) fn insert(&mut self, known: SymbolEntry) -> bool {
        let Some(room) = self.room.checked_sub(1) else { return false };
        let first = self.place(known.key);
        let mut rest = self.slots.iter_mut().skip(first);
        let Some(slot) = rest.find(|slot| slot.is_nobody() || slot.key == known.key) else {
            return false;
        };
        if slot.is_nobody() {
            self.room = room;
        }
        *slot = known;
        true
    }

    #[inline(always)]
    fn place(&self, key: [u64; 2]) -> usize {
        /// 2^64 over the golden ratio: spreads whatever differs into the highest bits.
        const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;
        let mixed = (key[0] ^ key[1].rotate_left(32)).wrapping_mul(SPREAD);
        mixed.wrapping_shr(self.shift) as usize
    }
}
