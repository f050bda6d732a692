//! What is broken at present: the lasting part of the faults.

use std::collections::BTreeMap;
use std::time::Duration;

use kucoin_futures_proto::{Instant, Symbol};

/// So many of the next ones, each spoiled by so much.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Next {
    left: u32,
    by: Duration,
}

impl Next {
    pub(crate) const fn new(left: u32, by: Duration) -> Self {
        Self { left, by }
    }

    /// Spoils one, if one is left.
    pub(crate) const fn take(&mut self) -> Option<Duration> {
        if self.left == 0 {
            return None;
        }
        self.left -= 1;
        Some(self.by)
    }
}

/// So many of the next ones, per symbol.
#[derive(Debug, Default)]
pub(crate) struct PerSymbol(BTreeMap<Symbol, u32>);

impl PerSymbol {
    pub(crate) fn add(&mut self, symbols: impl Iterator<Item = Symbol>, count: u32) {
        self.0.extend(symbols.filter(|_| count > 0).map(|symbol| (symbol, count)));
    }

    /// Spoils one, if one is left.
    pub(crate) fn take(&mut self, symbol: Symbol) -> bool {
        let Some(left) = self.0.get_mut(&symbol) else { return false };
        *left -= 1;
        if *left == 0 {
            self.0.remove(&symbol);
        }
        true
    }
}

/// Everything that is not as it should be; the default is health.
#[derive(Debug)]
pub(crate) struct Troubles {
    /// Deltas still to be held back.
    pub(crate) held_back: PerSymbol,
    /// Snapshots still to be served from the past.
    pub(crate) stale: PerSymbol,
    pub(crate) no_pongs_until: Instant,
    pub(crate) refused_until: Instant,
    pub(crate) frozen_until: Instant,
    /// Requests that get a 429, with its reset.
    pub(crate) too_many: Next,
    /// Requests that get a web page.
    pub(crate) html: Next,
    /// Answers that trickle, with the pause between two bytes.
    pub(crate) drip: Next,
    /// Upgrades that are answered late.
    pub(crate) slow_connects: Next,
}

impl Default for Troubles {
    fn default() -> Self {
        Self {
            held_back: PerSymbol::default(),
            stale: PerSymbol::default(),
            no_pongs_until: Instant::ZERO,
            refused_until: Instant::ZERO,
            frozen_until: Instant::ZERO,
            too_many: Next::default(),
            html: Next::default(),
            drip: Next::default(),
            slow_connects: Next::default(),
        }
    }
}
