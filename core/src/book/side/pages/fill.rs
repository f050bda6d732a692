//! Pages that are filled from the highest number to the lowest.
#![allow(clippy::inline_always, reason = "for every level of a snapshot; measured")]

use super::{BRIDGE, Page, Pages, SHARED, bit_of};

/// On the way from the highest number down. The pages lie the other way round meanwhile, in slots of
/// consecutive numbers, with room for the next one; nothing else may be asked of them.
#[derive(Clone, Copy, Debug)]
pub(in crate::book::side) struct Fill {
    /// The page that is being filled: its number, its numbers so far, its place and its slot.
    number: u64,
    taken: u32,
    at: usize,
    slot: usize,
    /// How many more numbers there may be, and how many at the beginning.
    room: usize,
    most: usize,
    /// How many pages are dense, once that has come to an end.
    dense: Option<usize>,
}

/// Places and slots that are made at a time.
const MADE: usize = 16;

impl Fill {
    /// Forgets what is there.
    pub(in crate::book::side) fn begin(pages: &mut Pages, most: usize) -> Self {
        pages.clear();
        // One before the first, of each; no page has this number.
        let number = u64::MAX;
        let (at, slot) = (usize::MAX, usize::MAX);
        Self { number, taken: 0, at, slot, room: most, most, dense: None }
    }

    /// Starts anew with these, which come highest first.
    pub(in crate::book::side) fn refill(
        pages: &mut Pages,
        highest_first: impl Iterator<Item = (u64, u64)>,
    ) {
        let mut fill = Self::begin(pages, usize::MAX);
        highest_first.for_each(|(key, size)| {
            fill.put(pages, key, size);
        });
        fill.finish(pages);
    }

    /// Puts a number that is lower than all before it; false if there are as many as there may be.
    #[inline(always)]
    pub(in crate::book::side) fn put(&mut self, pages: &mut Pages, key: u64, size: u64) -> bool {
        let Some(room) = self.room.checked_sub(1) else { return false };
        self.room = room;
        if !self.put_near(pages, key, size) {
            self.put_anywhere(pages, key, size);
        }
        true
    }

    /// How many numbers there are.
    const fn len(&self) -> usize {
        self.most.saturating_sub(self.room)
    }

    /// False if its page is neither the last one nor the next below, or if there is no place for it.
    #[inline(always)]
    fn put_near(&mut self, pages: &mut Pages, key: u64, size: u64) -> bool {
        let (number, bit) = (key / u64::from(SHARED), bit_of(key));
        let next = self.number.wrapping_sub(number);
        let at = self.at.wrapping_add(next as usize);
        let slot = self.slot.wrapping_add(next as usize);
        let (Some(page), Some(sizes)) = (pages.pages.get_mut(at), pages.slots.get_mut(slot)) else {
            return false;
        };
        if next > 1 {
            return false;
        }
        // Without a branch: whether a page is full is the market's to decide.
        let before = u64::from(self.taken).wrapping_shr(next as u32 * u32::BITS) as u32;
        self.taken = before | 1 << bit;
        *page = Page { number, slot: slot as u32, taken: self.taken };
        if let Some(place) = sizes.get_mut(bit as usize) {
            *place = size;
        }
        (self.at, self.slot, self.number) = (at, slot, number);
        true
    }

    #[cold]
    fn put_anywhere(&mut self, pages: &mut Pages, key: u64, size: u64) {
        self.make_way(pages, key / u64::from(SHARED));
        self.put_near(pages, key, size);
    }

    /// Makes this page the same as the last one or the next below, and room for it.
    fn make_way(&mut self, pages: &mut Pages, number: u64) {
        let gap = self.number.wrapping_sub(number).wrapping_sub(1);
        if self.slot == usize::MAX {
            pages.top = number;
            self.number = number.wrapping_add(1);
        } else if self.number > number {
            let count = self.at.wrapping_add(1);
            pages.pages.truncate(count);
            if self.dense.is_none() && pages.may_bridge_with(self.len(), gap) {
                let last = self.number;
                pages.pages.extend((1..=gap).map(|step| Page::empty(last.wrapping_sub(step))));
                self.at = self.at.wrapping_add(gap as usize);
            } else {
                self.dense.get_or_insert(count);
            }
            self.number = number.wrapping_add(1);
        }
        let (places, slots) = (self.at.wrapping_add(2), self.slot.wrapping_add(2));
        if pages.pages.len() < places {
            pages.pages.resize(places.saturating_add(MADE), Page::empty(0));
        }
        if pages.slots.len() < slots {
            pages.slots.resize(slots.saturating_add(MADE), super::NO_SIZES);
        }
    }

    /// All numbers have come.
    pub(in crate::book::side) fn finish(self, pages: &mut Pages) {
        let count = self.at.wrapping_add(1);
        pages.pages.truncate(count);
        pages.pages.reverse();
        pages.dense = self.dense.unwrap_or(count);
        pages.len = self.len();
        // Room for what comes soon, so that no delta waits for memory: the book is loaded anyway.
        let used = self.slot.wrapping_add(1);
        if pages.slots.len() < slots_for(used) {
            pages.slots.resize(slots_for(used), super::NO_SIZES);
        }
        pages.pages.reserve(spare_pages(count));
        // The lowest slot is the next to be taken.
        pages.free.clear();
        pages.free.reserve(pages.slots.capacity());
        pages.free.extend((used as u32..pages.slots.len() as u32).rev());
    }
}

/// Slots for so many that are used, and for what comes soon.
const fn slots_for(used: usize) -> usize {
    used.saturating_add(used / 4).saturating_add(MADE)
}

/// Room for pages behind so many.
const fn spare_pages(count: usize) -> usize {
    (count / 4).saturating_add(2 * BRIDGE as usize)
}

impl Pages {
    /// Gives back what was needed by what was there before. To be called after a fill: then the slots that are used come
    /// first. A little more than is needed is kept, or each load would give back what the next one takes.
    pub(in crate::book::side) fn give_back(&mut self) {
        let slots = slots_for(self.slots.len().saturating_sub(self.free.len()));
        if self.slots.len() > slots.saturating_add(slots / 2) {
            self.slots.truncate(slots);
            self.slots.shrink_to_fit();
            self.free.retain(|slot| (*slot as usize) < slots);
            self.free.shrink_to(slots);
        }
        let pages = self.pages.len().saturating_add(spare_pages(self.pages.len()));
        if self.pages.capacity() > pages.saturating_add(pages / 2) {
            self.pages.shrink_to(pages);
        }
    }
}
