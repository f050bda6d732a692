//! One side of a book: what is at each price, and how far that is complete.

mod grid;
mod loading;
mod pages;

use alloc::vec::Vec;

use super::level::{Best, Coverage, Level, Scope};
use crate::num::{Lots, Price};
use crate::wire::Side;
use grid::Grid;
pub(super) use loading::Loading;
use pages::{Fill, Pages};

/// The levels of one side, by the number of their price on a grid of ticks.
#[derive(Clone)]
pub(super) struct BookSide {
    grid: Grid,
    pages: Pages,
    reach: Coverage,
    /// The rank of the horizon: what is not below it is complete.
    horizon: u64,
    /// Of the best level, if there is one: read far more often than it moves, and without a look at
    /// any page.
    best_price: Price,
    /// Levels that are inside `reach`. Stands between the two because what lies side by side is read
    /// in one piece, which has to wait if it has just been written in two.
    complete: usize,
    best_size: Lots,
    max_levels: usize,
}

impl BookSide {
    pub(super) fn new(side: Side, max_levels: usize) -> Self {
        Self {
            grid: Grid::new(side),
            pages: Pages::default(),
            reach: Coverage::All,
            horizon: 0,
            best_price: Price::ZERO,
            complete: 0,
            best_size: Lots::ZERO,
            max_levels,
        }
    }

    /// Empties the side.
    pub(super) fn clear(&mut self) {
        self.pages.clear();
        self.reach = Coverage::All;
        self.horizon = 0;
        self.complete = 0;
        self.find_best();
    }

    /// Looks for the best level. After every change, whether it was one of the best or not: that is the
    /// market's to decide, and a wrong guess costs more than to look.
    #[inline]
    fn find_best(&mut self) {
        let (price, size) = match self.pages.highest() {
            Some((key, size)) => (self.grid.price(key), size),
            None => (Price::ZERO, 0),
        };
        self.best_price = price;
        self.best_size = Lots::new(size);
    }

    fn reach_to(&mut self, horizon: Price) {
        self.reach = Coverage::To(horizon);
        self.horizon = self.grid.rank(horizon);
    }

    /// The size at a price; `None` if that is beyond the horizon and not held.
    pub(super) fn size_at(&self, price: Price) -> Option<Lots> {
        match self.grid.key(price).map_or(0, |key| self.pages.get(key)) {
            0 => self.is_complete_at(price).then_some(Lots::ZERO),
            size => Some(Lots::new(size)),
        }
    }

    /// Sets a level, or removes it with a size of zero. A price of zero is no level.
    #[inline]
    pub(super) fn set(&mut self, price: Price, size: Lots) {
        if price == Price::ZERO {
            return;
        }
        let Some(key) = self.grid.key(price).filter(|_| self.pages.len() > 0) else {
            return self.set_between(price, size);
        };
        let change = self.pages.set(key, size.get());
        let complete = usize::from(self.is_complete_at(price));
        self.complete = self
            .complete
            .wrapping_add(usize::from(change.is) & complete)
            .wrapping_sub(usize::from(change.was) & complete);
        self.find_best();
        if self.pages.len() > self.max_levels {
            self.drop_worst();
        }
    }

    /// Takes over what another side knows besides, which agrees with this one where both know: it is complete as far
    /// as one of the two is, and has all levels that one of them has.
    pub(super) fn learn(&mut self, mut other: Self) {
        if other.reaches_beyond(self) {
            core::mem::swap(self, &mut other);
        }
        for level in other.levels(Scope::Held) {
            if self.size_at(level.price).is_none() {
                self.set(level.price, level.size);
            }
        }
    }

    /// Whether it is complete further than another one.
    fn reaches_beyond(&self, other: &Self) -> bool {
        match (self.reach, other.reach) {
            (_, Coverage::All) => false,
            (Coverage::All, Coverage::To(_)) => true,
            (Coverage::To(mine), Coverage::To(its)) => self.grid.rank(mine) < self.grid.rank(its),
        }
    }

    /// A price between ticks: the grid becomes finer first, and every level gets a new number. The
    /// first price of all is the tick.
    #[cold]
    fn set_between(&mut self, price: Price, size: Lots) {
        if size == Lots::ZERO {
            return;
        }
        let levels: Vec<Level> = self.levels(Scope::Held).collect();
        self.grid = match levels.first() {
            Some(_) => self.grid.joined_by(price),
            None => self.grid.with_tick(price),
        };
        let grid = self.grid;
        let numbered = |level: &Level| Some((grid.key(level.price)?, level.size.get()));
        Fill::refill(&mut self.pages, levels.iter().filter_map(numbered));
        if let Some((key, size)) = numbered(&Level { price, size }) {
            self.pages.set(key, size);
        }
        self.complete = self.complete.saturating_add(usize::from(self.is_complete_at(price)));
        self.find_best();
        if self.pages.len() > self.max_levels {
            self.drop_worst();
        }
    }

    /// What was dropped is no longer known: a horizon behind it comes in to the last level kept.
    #[cold]
    fn drop_worst(&mut self) {
        let Some(worst) = self.pages.lowest() else { return };
        let dropped = self.grid.price(worst);
        self.pages.set(worst, 0);
        if self.is_complete_at(dropped) {
            self.complete = self.complete.saturating_sub(1);
            let worst = self.pages.lowest().map_or(dropped, |worst| self.grid.price(worst));
            // planted: dropped-silently
            self.reach_to(worst);
        }
    }

    #[inline]
    pub(super) fn best(&self) -> Best {
        match self.reach {
            _ if self.complete > 0 => {
                Best::Level(Level { price: self.best_price, size: self.best_size })
            }
            Coverage::All => Best::Empty,
            Coverage::To(_) => Best::Unknown,
        }
    }

    pub(super) const fn reach(&self) -> Coverage {
        self.reach
    }

    pub(super) const fn complete_len(&self) -> usize {
        self.complete
    }

    pub(super) const fn held_len(&self) -> usize {
        self.pages.len()
    }

    #[inline]
    pub(super) fn levels(&self, scope: Scope) -> impl Iterator<Item = Level> + '_ {
        let count = match scope {
            Scope::Held => self.pages.len(),
            Scope::Complete => self.complete,
        };
        let (mirror, price) = self.grid.ticks();
        let level = move |(ticks, size)| Level { price: price(ticks), size: Lots::new(size) };
        self.pages.highest_of(count, mirror).map(level)
    }

    #[inline]
    const fn is_complete_at(&self, price: Price) -> bool {
        self.grid.rank(price) >= self.horizon
    }
}

/// The same levels and the same reach, wherever they lie.
impl PartialEq for BookSide {
    fn eq(&self, other: &Self) -> bool {
        self.reach == other.reach && self.levels(Scope::Held).eq(other.levels(Scope::Held))
    }
}

impl Eq for BookSide {}

#[cfg(test)]
mod tests;
