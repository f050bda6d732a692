//! Whoever drives a client: hands it the time, calls it at its deadlines, drains it. Badly, if told to.

use std::time::Duration;

use kucoin_futures_proto::{Client, Deadline, Instant, TimeoutReason};

/// How one client is driven at present; the default is as it should be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Driver {
    /// How far the client's clock has leapt ahead of the world's.
    leap: Duration,
    /// For so many inputs the clock is behind by so much.
    back: (u32, Duration),
    /// The latest call was one of those.
    is_back: bool,
    /// The latest time that the client was told.
    told: Instant,
    pub(super) asleep_until: Instant,
    /// Nobody drains for so many inputs, or until then.
    undrained: u32,
    slow_until: Instant,
    /// Deadlines are met late by up to so much, until then.
    late: (Duration, Instant),
    lateness: Duration,
    /// Outputs were left lying.
    pub(super) left_lying: bool,
}

/// Nobody forgets to drain for longer than this.
const LONGEST_UNDRAINED: Duration = Duration::from_secs(5);
/// A clock that went back has come to itself after so many inputs.
const BACK_FOR: u32 = 3;

impl Default for Driver {
    fn default() -> Self {
        Self {
            leap: Duration::ZERO,
            back: (0, Duration::ZERO),
            is_back: false,
            told: Instant::ZERO,
            asleep_until: Instant::ZERO,
            undrained: 0,
            slow_until: Instant::ZERO,
            late: (Duration::ZERO, Instant::ZERO),
            lateness: Duration::ZERO,
            left_lying: false,
        }
    }
}

impl Driver {
    /// From now on it is done as it should be. Time never becomes undone.
    pub(super) fn heal(&mut self) {
        *self = Self {
            leap: self.leap,
            is_back: self.is_back,
            told: self.told,
            left_lying: self.left_lying,
            ..Self::default()
        };
    }

    pub(super) const fn clock_back(&mut self, by: Duration) {
        self.back = (BACK_FOR, by);
    }

    pub(super) fn clock_leap(&mut self, by: Duration) {
        self.leap = self.leap.saturating_add(by);
    }

    pub(super) fn undrained(&mut self, now: Instant, inputs: u32) {
        self.undrained = inputs;
        self.slow_until = now + LONGEST_UNDRAINED;
    }

    pub(super) fn slow_consumer(&mut self, now: Instant, span: Duration) {
        self.undrained = u32::MAX;
        self.slow_until = now + span;
    }

    pub(super) fn late_timeouts(&mut self, now: Instant, by: Duration, span: Duration) {
        self.late = (by, now + span);
        self.lateness = by;
    }

    /// The time for the next call, by the client's clock, and whether that has just caught up after
    /// having gone back.
    pub(super) fn tell(&mut self, now: Instant) -> (Instant, bool) {
        let mut time = now + self.leap;
        let (left, by) = self.back;
        if left > 0 {
            self.back = (left - 1, by);
            time = Instant::from_nanos(time.as_nanos().saturating_sub(by.as_nanos() as u64));
        }
        let caught_up = core::mem::replace(&mut self.is_back, left > 0) && left == 0;
        self.told = self.told.max(time);
        (time, caught_up)
    }

    /// The present as the client would count it: its clock never goes back.
    pub(super) fn clock(&self, now: Instant) -> Instant {
        self.told.max(now + self.leap)
    }

    /// The latest time that the client knows.
    pub(super) const fn told(&self) -> Instant {
        self.told
    }

    /// An input was given: is the client drained now?
    pub(super) fn may_drain(&mut self, now: Instant) -> bool {
        if self.undrained == 0 || now >= self.slow_until {
            self.undrained = 0;
            return true;
        }
        self.undrained -= 1;
        self.left_lying = true;
        false
    }

    /// When the client is called next without any input, by the world's clock.
    pub(super) fn wakes(&self, client: &Client, now: Instant) -> Option<Instant> {
        let Deadline { at, reason, .. } = client.poll_timeout()?;
        let due = if reason == TimeoutReason::Outputs {
            self.slow_until
        } else {
            let due = at.as_nanos().saturating_sub(self.leap.as_nanos() as u64);
            let due = Instant::from_nanos(due);
            if due <= self.late.1 { due + self.lateness } else { due }
        };
        Some(due.max(self.asleep_until).max(now))
    }

    /// How late the next deadline is met.
    pub(super) fn draw_lateness(&mut self, now: Instant, chance: bool) {
        let (by, until) = self.late;
        self.lateness = if now < until && chance { by } else { Duration::ZERO };
    }
}
