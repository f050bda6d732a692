//! Budgets as sliding windows over injected time.
//!
//! Not token buckets: a bucket of 100 that refills 10 a second lets 200 messages through in the
//! first ten seconds, and the exchange counts.

use alloc::collections::VecDeque;
use core::time::Duration;

use crate::ids::LineId;
use crate::time::Instant;

/// How much of a budget is in use at a moment: see [`Client::budgets`](crate::Client::budgets).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct BudgetUse {
    /// Which.
    pub kind: BudgetKind,
    /// What was used within the window that ends now: weight, or how many.
    pub used: u32,
    /// What may be used within any window of that length, as [`Budgets`](crate::config::Budgets) has it.
    pub limit: u32,
    /// The exchange has asked us to leave the pool alone for so long yet (429); zero if it has not.
    pub held_for: Duration,
}

impl BudgetUse {
    /// What may be used now: nothing while the exchange has asked for a pause.
    #[must_use]
    pub const fn left(&self) -> u32 {
        if self.held_for.is_zero() { self.limit.saturating_sub(self.used) } else { 0 }
    }
}

/// What a budget is for. Those that are counted by address or by account are shared with other programs there, whose
/// use is not known.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[non_exhaustive]
pub enum BudgetKind {
    /// Weight of public REST requests, of 30 s.
    PublicWeight,
    /// Weight of signed REST requests, of 30 s.
    SignedWeight,
    /// Tokens, of a minute.
    Tokens,
    /// Attempts to connect, of a minute.
    Connects,
    /// Messages that were sent on the present connection of a line, of 11 s: the exchange counts over 10 s as they
    /// arrive, and two bursts may arrive closer together than they went out.
    Messages(LineId),
}

impl BudgetKind {
    /// Its name: `public_weight`, `signed_weight`, `tokens`, `connects` or `messages`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::PublicWeight => "public_weight",
            Self::SignedWeight => "signed_weight",
            Self::Tokens => "tokens",
            Self::Connects => "connects",
            Self::Messages(_) => "messages",
        }
    }
}

/// At most `limit` in any window of `span`.
#[derive(Clone, Debug)]
pub(crate) struct SlidingWindow {
    span: Duration,
    limit: u32,
    used: u32,
    entries: VecDeque<(Instant, u32)>,
}

impl SlidingWindow {
    pub(crate) const fn new(limit: u32, span: Duration) -> Self {
        Self { span, limit, used: 0, entries: VecDeque::new() }
    }

    /// When `weight` fits while `reserve` stays free: `now`, or later. Never, if it is more than
    /// the whole window: then the whole window is waited for.
    pub(crate) fn ready_at(&mut self, now: Instant, weight: u32, reserve: u32) -> Instant {
        self.forget(now);
        let room = self.limit.saturating_sub(reserve).saturating_sub(weight);
        let mut used = self.used;
        let mut ready = now;
        for &(at, weight) in &self.entries {
            if used <= room {
                break;
            }
            used = used.saturating_sub(weight);
            ready = at + self.span;
        }
        ready
    }

    pub(crate) fn record(&mut self, now: Instant, weight: u32) {
        self.forget(now);
        self.used = self.used.saturating_add(weight);
        self.entries.push_back((now, weight));
    }

    /// How much is in use at a moment. A read: what counts no more is left to the next request to forget.
    pub(crate) fn in_use(&self, now: Instant, kind: BudgetKind) -> BudgetUse {
        let gone = self.entries.iter().take_while(|(at, _)| *at + self.span <= now);
        let gone = gone.fold(0_u32, |sum, (_, weight)| sum.saturating_add(*weight));
        let used = self.used.saturating_sub(gone);
        BudgetUse { kind, used, limit: self.limit, held_for: Duration::ZERO }
    }

    /// What was recorded a whole span ago counts no more.
    fn forget(&mut self, now: Instant) {
        while let Some(&(at, weight)) = self.entries.front() {
            // planted: half-span
            if at + self.span > now {
                break;
            }
            self.entries.pop_front();
            self.used = self.used.saturating_sub(weight);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use proptest::prelude::*;

    use super::*;

    const SPAN: Duration = Duration::from_secs(10);

    proptest! {
        /// A bucket fails this: it lets `limit` through at once and refills meanwhile.
        #[test]
        fn no_window_ever_holds_more_than_the_limit(
            limit in 1_u32..20,
            steps in prop::collection::vec((0_u64..3_000_000_000, 1_u32..4), 1..200),
        ) {
            let mut window = SlidingWindow::new(limit, SPAN);
            let mut sent: Vec<(Instant, u32)> = Vec::new();
            let mut now = Instant::ZERO;
            for (pause, weight) in steps {
                now = now + Duration::from_nanos(pause);
                let weight = weight.min(limit);
                now = window.ready_at(now, weight, 0);
                prop_assert_eq!(window.ready_at(now, weight, 0), now, "ready means ready");
                window.record(now, weight);
                sent.push((now, weight));
                let inside = sent.iter().filter(|(at, _)| *at + SPAN > now);
                let inside: u32 = inside.map(|(_, weight)| weight).sum();
                prop_assert!(inside <= limit);
                prop_assert_eq!(window.in_use(now, BudgetKind::Tokens).used, inside);
                // A look ahead sees what will count no more, and changes nothing.
                let later = now + SPAN / 2;
                let inside = sent.iter().filter(|(at, _)| *at + SPAN > later);
                let inside: u32 = inside.map(|(_, weight)| weight).sum();
                prop_assert_eq!(window.in_use(later, BudgetKind::Tokens).used, inside);
            }
        }
    }

    #[test]
    fn the_reserve_is_left_to_others() {
        let mut window = SlidingWindow::new(3, SPAN);
        let now = Instant::from_nanos(5);
        window.record(now, 1);
        window.record(now, 1);
        assert_eq!(window.ready_at(now, 1, 0), now);
        assert_eq!(window.ready_at(now, 1, 1), now + SPAN);
    }
}
