//! A side that is filled from a snapshot, best level first.

#![allow(clippy::inline_always, reason = "for every level of a snapshot; measured")]

use alloc::vec::Vec;

use super::BookSide;
use super::pages::Fill;
use crate::book::level::{Coverage, Level, Scope};
use crate::num::{Lots, Price};

/// Fills a side. The tick is found on the way: whenever a price lies between ticks, what is there
/// gets new numbers. The tick is at least halved by that, so it happens a few times near the touch and
/// then no more.
pub(in crate::book) struct Loading<'a> {
    half: &'a mut BookSide,
    fill: Fill,
    /// The rank of the last level's price, and its size.
    last_rank: u64,
    last_size: Lots,
    /// Levels that came after them.
    left_out: usize,
}

impl<'a> Loading<'a> {
    /// Takes over a snapshot's side, best first. If it may have been cut, it is complete to its
    /// last level only.
    pub(in crate::book) fn load(
        half: &'a mut BookSide,
        best_first: &[Level],
        cut_at: usize,
        is_cut: bool,
    ) {
        let mut loading = Self::begin(half);
        for level in best_first.iter().filter(|level| !level.is_nothing()) {
            loading.push(*level);
        }
        if is_cut {
            loading.cut();
        }
        loading.finish(cut_at);
    }

    /// Takes over a side of another book, best first, that is complete as far as `reach` says. False, and the side is
    /// not to be used, if these levels cannot be that: out of order, nothing, or beyond the reach.
    pub(in crate::book) fn restore(
        half: &'a mut BookSide,
        best_first: &[Level],
        reach: Coverage,
    ) -> bool {
        let mut loading = Self::begin(half);
        let mut levels = best_first.iter();
        let is_sound = levels.all(|level| !level.is_nothing() && loading.push(*level));
        let (last_rank, is_cut) = (loading.last_rank, loading.left_out > 0);
        let half = loading.finish(usize::MAX);
        let Coverage::To(horizon) = reach else { return is_sound };
        // One that had to be cut reaches to the last level that is kept.
        if !is_cut {
            half.reach_to(horizon);
        }
        is_sound && last_rank >= half.grid.rank(horizon)
    }

    /// Forgets what was there.
    pub(in crate::book) fn begin(half: &'a mut BookSide) -> Self {
        half.clear();
        // The first price lies between these ticks, whatever it is.
        half.grid = half.grid.with_tick(Price::MAX);
        let fill = Fill::begin(&mut half.pages, half.max_levels);
        Self { half, fill, last_rank: u64::MAX, last_size: Lots::ZERO, left_out: 0 }
    }

    /// Takes the next level; neither price nor size is zero. False if it is not worse than all before:
    /// then it is left out.
    #[inline(always)]
    pub(in crate::book) fn push(&mut self, level: Level) -> bool {
        let rank = self.half.grid.rank(level.price);
        if rank >= self.last_rank {
            return false;
        }
        self.last_rank = rank;
        self.last_size = level.size;
        match self.half.grid.key(level.price) {
            Some(key) => self.put(key, level),
            None => self.push_between(level),
        }
        true
    }

    /// Whether no level was taken yet.
    pub(in crate::book) const fn is_empty(&self) -> bool {
        self.last_rank == u64::MAX
    }

    /// What the last level said of the same price.
    pub(in crate::book) fn said_last(&self, price: Price) -> Option<Lots> {
        (self.half.grid.rank(price) == self.last_rank).then_some(self.last_size)
    }

    /// More follows that cannot be held.
    pub(in crate::book) const fn cut(&mut self) {
        self.left_out = self.left_out.saturating_add(1);
    }

    #[inline(always)]
    fn put(&mut self, key: u64, level: Level) {
        if !self.fill.put(&mut self.half.pages, key, level.size.get()) {
            self.left_out = self.left_out.saturating_add(1);
        }
    }

    /// The first price is the tick; one between ticks makes them finer.
    #[cold]
    fn push_between(&mut self, level: Level) {
        let half = &mut *self.half;
        self.fill.finish(&mut half.pages);
        let known: Vec<Level> = half.levels(Scope::Held).collect();
        half.grid = match known.first() {
            Some(_) => half.grid.joined_by(level.price),
            None => half.grid.with_tick(level.price),
        };
        self.fill = Fill::begin(&mut half.pages, half.max_levels);
        for level in known.into_iter().chain([level]) {
            if let Some(key) = self.half.grid.key(level.price) {
                self.put(key, level);
            }
        }
    }

    /// All levels have come. A side of `cut_at` levels or more may go on behind the last one.
    pub(in crate::book) fn finish(self, cut_at: usize) -> &'a mut BookSide {
        let half = self.half;
        self.fill.finish(&mut half.pages);
        half.pages.give_back();
        half.complete = half.pages.len();
        half.find_best();
        // planted: cut-is-whole
        let whole = half.complete < cut_at && self.left_out == 0;
        match half.pages.lowest() {
            Some(worst) if !whole => half.reach_to(half.grid.price(worst)),
            _ => {}
        }
        half
    }
}
