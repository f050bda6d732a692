//! From the bytes around a symbol to what is known of it.

#![allow(clippy::inline_always, reason = "a part of the fast way, in files of its own; measured")]

use alloc::vec::Vec;

/// An open hash table that is at most half full.
#[derive(Clone, Debug, Default)]
pub(super) struct Table {
    slots: Vec<Slot>,
    /// How many more keys there is room for.
    room: usize,
    /// How far a hash is shifted to be a place: the highest bits are the best mixed.
    shift: u32,
}

#[derive(Clone, Copy, Debug)]
struct Slot {
    key: [u64; 2],
    /// A position; nothing has the highest one.
    at: u32,
}

const FREE: Slot = Slot { key: [0; 2], at: u32::MAX };

impl Table {
    /// The position of a key.
    #[inline(always)]
    pub(super) fn find(&self, key: [u64; 2]) -> Option<usize> {
        let mut place = self.place(key);
        loop {
            let slot = self.slots.get(place)?;
            if slot.key == key {
                return Some(slot.at as usize);
            }
            if slot.at == u32::MAX {
                return None;
            }
            // Nothing stands behind the last slot: the search ends there, too.
            place = place.wrapping_add(1);
        }
    }

    /// Replaces all keys; each has the position it comes at.
    pub(super) fn fill(&mut self, keys: impl ExactSizeIterator<Item = Option<[u64; 2]>>) {
        let places = keys.len().saturating_mul(2).next_power_of_two().saturating_mul(2);
        self.shift = 64_u32.saturating_sub(places.trailing_zeros());
        self.room = places / 2;
        // The first keys of a run may be the table's last; they go on behind it.
        self.slots.clear();
        self.slots.resize(places.saturating_add(self.room), FREE);
        for (at, key) in keys.enumerate() {
            if let Some(key) = key {
                self.insert(key, at);
            }
        }
    }

    /// Puts a key, or gives it another position. False if there is no room.
    pub(super) fn insert(&mut self, key: [u64; 2], at: usize) -> bool {
        let (Some(room), Ok(at)) = (self.room.checked_sub(1), u32::try_from(at)) else {
            return false;
        };
        let first = self.place(key);
        let mut rest = self.slots.iter_mut().skip(first);
        let Some(slot) = rest.find(|slot| slot.at == u32::MAX || slot.key == key) else {
            return false;
        };
        if slot.at == u32::MAX {
            self.room = room;
        }
        *slot = Slot { key, at };
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
