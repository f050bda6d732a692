//! Sizes by number, sparse, with the highest numbers at hand.
//!
//! Thirty-two neighbouring numbers share a page: one bit each says who is there, and the sizes lie
//! side by side. The pages are in order, the highest last, and the last of them have consecutive
//! page numbers, with empty ones in between where need be. In that *dense* part a page is found by
//! subtraction; where the market is, there is nothing to search. Further down pages are sparse and
//! found by halving.
//!
//! The dense part needs no centre: it ends at the highest page, wherever that goes. A jump upwards
//! starts a new one, a fall shortens it, and what is used below it is taken in, a few at a time. No
//! size is ever moved for that. What a delta can cost at most: sixteen bridges of 64 empty pages, the
//! shift of the list of pages (16 bytes each) for a sparse one, and in a fall a look at each empty page
//! that is dropped.
//!
//! ```text
//!   page   3   90  91 | 204 205 206 207 208      204 to 208 are dense, 207 is empty
//!   levels 1    3   2 |  14  20   9   0   5
//! ```

mod fill;

use alloc::vec::Vec;

pub(super) use fill::Fill;

/// Numbers that share a page.
const SHARED: u32 = u32::BITS;
/// No more empty pages than this are put in at once.
const BRIDGE: u64 = 64;
/// No more pages than this are taken in at once.
const TAKE_IN: usize = 16;
/// Pages that there may be, empty ones included: so many, and so many for each level. Half of that
/// may come to be by bridging, so that the rest is left for levels.
const PAGES: usize = 64;
const PAGES_PER_LEVEL: usize = 4;

/// What a slot holds.
type Sizes = [u64; SHARED as usize];
static NO_SIZES: Sizes = [0; SHARED as usize];

#[derive(Clone, Copy, Debug)]
struct Page {
    number: u64,
    /// Where its sizes are; anywhere, while it is empty.
    slot: u32,
    /// One bit for each number that is there, the lowest for the highest: the best comes first, and
    /// the lowest bit is the one that is found and cleared in the fewest steps.
    taken: u32,
}

/// Numbers and their sizes, which are never zero.
#[derive(Clone, Debug, Default)]
pub(super) struct Pages {
    /// Lowest first. The last one is never empty.
    pages: Vec<Page>,
    /// The last so many have consecutive numbers.
    dense: usize,
    /// The number of the last page.
    top: u64,
    slots: Vec<Sizes>,
    /// Slots that no page uses.
    free: Vec<u32>,
    len: usize,
    #[cfg(test)]
    pub(super) moved: usize,
}

/// Whether a number was there before, and is there now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Change {
    pub(super) was: bool,
    pub(super) is: bool,
}

impl Pages {
    /// How many numbers there are.
    pub(super) const fn len(&self) -> usize {
        self.len
    }

    /// The highest number and its size.
    #[inline]
    pub(super) fn highest(&self) -> Option<(u64, u64)> {
        let page = self.pages.last()?;
        let bit = page.taken.trailing_zeros();
        Some((page.key(bit), self.size_in(*page, bit)))
    }

    /// The lowest number.
    pub(super) fn lowest(&self) -> Option<u64> {
        let page = self.pages.iter().find(|page| page.taken != 0)?;
        Some(page.key(page.taken.checked_ilog2()?))
    }

    /// The size at a number; zero if it is not there.
    pub(super) fn get(&self, key: u64) -> u64 {
        let page = self.find(key / u64::from(SHARED)).ok().and_then(|at| self.pages.get(at));
        let bit = bit_of(key);
        match page {
            Some(page) if page.taken >> bit & 1 == 1 => self.size_in(*page, bit),
            _ => 0,
        }
    }

    /// The highest of them, so many at most, the highest first; all bits of the numbers the other way
    /// round where `mirror` is one.
    #[inline]
    pub(super) fn highest_of(&self, most: usize, mirror: u64) -> Iter<'_> {
        let (pages, slots, left) = (self.pages.iter(), &self.slots, most.min(self.len));
        Iter { pages, slots, mirror, base: 0, sizes: &NO_SIZES, taken: 0, left }
    }

    /// Sets the size at a number; zero removes it.
    #[inline]
    pub(super) fn set(&mut self, key: u64, size: u64) -> Change {
        let (number, bit) = (key / u64::from(SHARED), bit_of(key));
        let below = self.top.wrapping_sub(number);
        if below >= self.dense as u64 {
            return self.set_elsewhere(number, bit, size);
        }
        let at = self.pages.len().wrapping_sub(1).wrapping_sub(below as usize);
        self.set_in(at, bit, size)
    }

    /// Sets a size in a page that is there.
    #[inline]
    fn set_in(&mut self, at: usize, bit: u32, size: u64) -> Change {
        let Some(page) = self.pages.get_mut(at) else { return Change::NONE };
        let mask = 1_u32.wrapping_shl(bit);
        // planted: removal-adds
        let (was, is) = (page.taken & mask != 0, size != 0);
        if page.taken == 0 {
            if !is {
                return Change::NONE;
            }
            page.slot = take_slot(&mut self.free, &mut self.slots);
        }
        // Without a branch: whether a level comes or goes is the market's to decide.
        page.taken = page.taken & !mask | mask.wrapping_mul(u32::from(is));
        let sizes = self.slots.get_mut(page.slot as usize);
        if let Some(place) = sizes.and_then(|sizes| sizes.get_mut((bit % SHARED) as usize)) {
            *place = size;
        }
        self.len = self.len.wrapping_add(usize::from(is)).wrapping_sub(usize::from(was));
        if page.taken == 0 {
            self.free.push(page.slot);
            self.on_emptied(at);
        }
        Change { was, is }
    }

    /// A page that is not in the dense part, or not there.
    #[cold]
    fn set_elsewhere(&mut self, number: u64, bit: u32, size: u64) -> Change {
        if size != 0 && self.pages.len() >= self.room() {
            self.settle();
        }
        let at = match self.find(number) {
            Ok(at) => at,
            Err(_) if size == 0 => return Change::NONE,
            Err(at) if at == self.pages.len() => self.put_above(number),
            Err(at) => self.put_below(at, number),
        };
        let change = self.set_in(at, bit, size);
        self.take_in();
        change
    }

    /// Where a page is, or would be.
    fn find(&self, number: u64) -> Result<usize, usize> {
        let below = self.top.wrapping_sub(number);
        if below < self.dense as u64 {
            return Ok(self.pages.len().wrapping_sub(1).wrapping_sub(below as usize));
        }
        if self.dense > 0 && number > self.top {
            return Err(self.pages.len());
        }
        let sparse = self.pages.get(..self.sparse()).unwrap_or_default();
        sparse.binary_search_by_key(&number, |page| page.number)
    }

    /// How many pages are not dense.
    const fn sparse(&self) -> usize {
        self.pages.len().saturating_sub(self.dense)
    }

    /// A new highest page, reached over empty ones if it is near. Otherwise the dense part begins
    /// anew with it.
    fn put_above(&mut self, number: u64) -> usize {
        let gap = number.wrapping_sub(self.top).wrapping_sub(1);
        if self.dense > 0 && self.may_bridge(gap) {
            self.pages.extend((1..=gap).map(|step| Page::empty(self.top.wrapping_add(step))));
            self.dense = self.dense.saturating_add(gap as usize);
            self.count_moved(gap as usize);
        } else {
            self.dense = 0;
        }
        self.pages.push(Page::empty(number));
        self.dense = self.dense.saturating_add(1);
        self.top = number;
        self.pages.len().saturating_sub(1)
    }

    /// A new page among the sparse ones.
    fn put_below(&mut self, at: usize, number: u64) -> usize {
        self.pages.insert(at, Page::empty(number));
        at
    }

    /// Makes the dense part longer where sparse pages follow it closely.
    fn take_in(&mut self) {
        for _ in 0..TAKE_IN {
            let start = self.sparse();
            let first = self.pages.get(start);
            let next = start.checked_sub(1).and_then(|at| self.pages.get(at));
            let (Some(first), Some(next)) = (first, next) else { return };
            let next = next.number;
            let gap = first.number.wrapping_sub(next).wrapping_sub(1);
            if !self.may_bridge(gap) {
                return;
            }
            if gap > 0 {
                let bridge = (1..=gap).map(|step| Page::empty(next.wrapping_add(step)));
                self.pages.splice(start..start, bridge);
            }
            self.dense = self.dense.saturating_add(gap as usize).saturating_add(1);
            self.count_moved(gap as usize);
        }
    }

    fn may_bridge(&self, gap: u64) -> bool {
        self.may_bridge_with(self.len, gap)
    }

    /// Whether so many more empty pages are allowed, with so many numbers.
    fn may_bridge_with(&self, len: usize, gap: u64) -> bool {
        gap <= BRIDGE && self.pages.len().saturating_add(gap as usize) <= room(len) / 2
    }

    /// The most pages there may be.
    const fn room(&self) -> usize {
        room(self.len)
    }

    /// Drops all empty pages. What is dense has to be found anew, a few pages at a time.
    fn settle(&mut self) {
        self.pages.retain(|page| page.taken != 0);
        self.dense = self.pages.len().min(1);
        self.count_moved(self.pages.len());
    }

    /// Empty pages at either end go; the others stay, for what comes back.
    #[inline]
    fn on_emptied(&mut self, at: usize) {
        if at.wrapping_add(1) == self.pages.len() {
            self.on_top_emptied();
        } else if at == 0 {
            let used = self.pages.iter().position(|page| page.taken != 0).unwrap_or(0);
            self.pages.drain(..used);
            self.dense = self.dense.min(self.pages.len());
        }
    }

    #[cold]
    fn on_top_emptied(&mut self) {
        let last = self.pages.iter().rposition(|page| page.taken != 0);
        let kept = last.map_or(0, |last| last.saturating_add(1));
        let gone = self.pages.len().saturating_sub(kept);
        self.pages.truncate(kept);
        self.dense = self.dense.saturating_sub(gone).max(1).min(kept);
        self.count_moved(gone);
        if let Some(last) = self.pages.last() {
            self.top = last.number;
            self.take_in();
        }
    }

    /// Pages and slots.
    #[cfg(test)]
    pub(super) const fn used(&self) -> (usize, usize) {
        (self.pages.len(), self.slots.len())
    }

    #[cfg(test)]
    fn count_moved(&mut self, pages: usize) {
        self.moved += pages;
    }

    #[cfg(not(test))]
    #[allow(clippy::needless_pass_by_ref_mut, clippy::unused_self, reason = "for tests only")]
    const fn count_moved(&mut self, _pages: usize) {}

    pub(super) fn clear(&mut self) {
        let used = self.pages.iter().filter(|page| page.taken != 0).map(|page| page.slot);
        self.free.extend(used);
        self.pages.clear();
        self.dense = 0;
        self.len = 0;
    }

    #[inline]
    fn size_in(&self, page: Page, bit: u32) -> u64 {
        let sizes = self.slots.get(page.slot as usize);
        sizes.and_then(|sizes| sizes.get(bit as usize)).copied().unwrap_or(0)
    }
}

impl Page {
    const fn empty(number: u64) -> Self {
        Self { number, slot: 0, taken: 0 }
    }

    const fn key(self, bit: u32) -> u64 {
        (self.number.wrapping_mul(SHARED as u64) | (SHARED as u64 - 1)) ^ bit as u64
    }
}

impl Change {
    const NONE: Self = Self { was: false, is: false };
}

/// Which bit stands for a number in its page.
#[inline]
const fn bit_of(key: u64) -> u32 {
    !(key as u32) % SHARED
}

/// The most pages there may be for so many numbers.
const fn room(len: usize) -> usize {
    len.saturating_mul(PAGES_PER_LEVEL).saturating_add(PAGES)
}

fn take_slot(free: &mut Vec<u32>, slots: &mut Vec<Sizes>) -> u32 {
    free.pop().unwrap_or_else(|| {
        slots.push(NO_SIZES);
        // Whatever is given back later finds room.
        free.reserve(slots.capacity());
        // More than 2^32 pages would not fit into any memory.
        u32::try_from(slots.len().saturating_sub(1)).unwrap_or(u32::MAX)
    })
}

/// Numbers with their sizes, the highest first.
#[derive(Clone, Debug)]
pub(super) struct Iter<'a> {
    pages: core::slice::Iter<'a, Page>,
    slots: &'a [Sizes],
    mirror: u64,
    /// Of the page we are in: its highest number, mirrored, its sizes, and who has not come yet.
    base: u64,
    sizes: &'a Sizes,
    taken: u32,
    /// How many come, those of this page included; never more than there are.
    left: usize,
}

impl Iter<'_> {
    /// Goes on to the next page.
    #[inline]
    fn turn(&mut self) -> Option<()> {
        let page = self.pages.next_back()?;
        self.base = page.key(0) ^ self.mirror;
        self.taken = page.taken;
        self.sizes = self.slots.get(page.slot as usize).unwrap_or(&NO_SIZES);
        Some(())
    }
}

impl Iterator for Iter<'_> {
    type Item = (u64, u64);

    #[inline]
    fn next(&mut self) -> Option<(u64, u64)> {
        if self.left == 0 {
            return None;
        }
        while self.taken == 0 {
            self.turn()?;
        }
        let bit = self.taken.trailing_zeros() % SHARED;
        self.taken &= self.taken.wrapping_sub(1);
        self.left = self.left.wrapping_sub(1);
        let size = self.sizes.get(bit as usize).copied().unwrap_or(0);
        Some((self.base ^ u64::from(bit), size))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}
