//! One side of a book as a sorted `Vec`: what the pages are held against. It was the book until they
//! came, and it is simple enough to be seen to be right.

use alloc::vec::Vec;

use super::{Best, Coverage, Level, Scope};
use crate::num::{Lots, Price};
use crate::wire::Side;

/// The levels of one side, worst first, and how far they are complete.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Sorted {
    side: Side,
    levels: Vec<Level>,
    reach: Coverage,
    /// Levels at the end of `levels` that are inside `reach`.
    complete: usize,
    max_levels: usize,
}

impl Sorted {
    pub(super) const fn new(side: Side, max_levels: usize) -> Self {
        Self { side, levels: Vec::new(), reach: Coverage::All, complete: 0, max_levels }
    }

    /// Takes over a snapshot's side, best first. If it may have been cut, it is complete to its
    /// last level only.
    pub(super) fn load(&mut self, best_first: &[Level], cut_at: usize) {
        let kept = best_first.len().min(self.max_levels);
        let whole = best_first.len() < cut_at && kept == best_first.len();
        self.levels.clear();
        self.levels.extend(best_first.iter().take(kept).rev());
        self.complete = kept;
        self.reach = match self.levels.first() {
            Some(worst) if !whole => Coverage::To(worst.price),
            _ => Coverage::All,
        };
    }

    /// Where a price is, or would be.
    fn place_of(&self, price: Price) -> Result<usize, usize> {
        self.levels.binary_search_by(|level| match self.side {
            Side::Bid => level.price.cmp(&price),
            Side::Ask => price.cmp(&level.price),
        })
    }

    /// The size at a price; `None` if that is beyond the horizon and not held.
    pub(super) fn size_at(&self, price: Price) -> Option<Lots> {
        match self.place_of(price) {
            Ok(at) => self.levels.get(at).map(|level| level.size),
            Err(_) => self.is_complete_at(price).then_some(Lots::ZERO),
        }
    }

    /// Sets a level, or removes it with a size of zero. A price of zero is no level.
    pub(super) fn set(&mut self, price: Price, size: Lots) {
        if price == Price::ZERO {
            return;
        }
        match self.place_of(price) {
            Ok(at) if size == Lots::ZERO => {
                self.levels.remove(at);
                if self.is_complete_at(price) {
                    self.complete = self.complete.saturating_sub(1);
                }
            }
            Ok(at) => {
                if let Some(level) = self.levels.get_mut(at) {
                    level.size = size;
                }
            }
            Err(_) if size == Lots::ZERO => {}
            Err(at) => self.insert(at, Level { price, size }),
        }
    }

    fn insert(&mut self, at: usize, level: Level) {
        self.levels.insert(at, level);
        if self.is_complete_at(level.price) {
            self.complete = self.complete.saturating_add(1);
        }
        if self.levels.len() > self.max_levels {
            self.drop_worst();
        }
    }

    /// What was dropped is no longer known: a horizon behind it comes in to the last level kept.
    fn drop_worst(&mut self) {
        let dropped = self.levels.remove(0);
        if self.is_complete_at(dropped.price) {
            self.complete = self.complete.saturating_sub(1);
            self.reach =
                Coverage::To(self.levels.first().map_or(dropped.price, |worst| worst.price));
        }
    }

    pub(super) fn best(&self) -> Best {
        match (self.levels.last(), self.reach) {
            (Some(level), _) if self.complete > 0 => Best::Level(*level),
            (_, Coverage::All) => Best::Empty,
            (_, Coverage::To(_)) => Best::Unknown,
        }
    }

    pub(super) const fn reach(&self) -> Coverage {
        self.reach
    }

    pub(super) const fn complete_len(&self) -> usize {
        self.complete
    }

    pub(super) const fn held_len(&self) -> usize {
        self.levels.len()
    }

    pub(super) fn levels(&self, scope: Scope) -> impl Iterator<Item = Level> + '_ {
        let count = match scope {
            Scope::Held => self.levels.len(),
            Scope::Complete => self.complete,
        };
        self.levels.iter().rev().take(count).copied()
    }

    fn is_complete_at(&self, price: Price) -> bool {
        match self.reach {
            Coverage::All => true,
            Coverage::To(horizon) => match self.side {
                Side::Bid => price >= horizon,
                Side::Ask => price <= horizon,
            },
        }
    }
}
