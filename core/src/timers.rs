//! All deadlines of a client in one place, the earliest one cached.

use alloc::collections::{BTreeMap, BTreeSet};

use crate::ids::{LineId, RequestId, TopicId};
use crate::time::Instant;

/// Whose deadline, and what for. One deadline a key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Timer {
    Line(LineId, LineTimer),
    Topic(TopicId, TopicTimer),
    Request(RequestId),
    /// A budget for REST requests frees up.
    Desk,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum LineTimer {
    /// The present phase ends: a connect or welcome times out, a backoff is over.
    Phase,
    /// The next ping is due.
    Ping,
    /// The pong is overdue.
    Pong,
    /// The oldest unanswered request is overdue.
    Ack,
    /// The budget for client messages frees up.
    Send,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum TopicTimer {
    /// Time to ask for a snapshot.
    Snapshot,
    /// The book has been crossed for too long.
    Crossed,
    /// The topic may have fallen silent.
    Silence,
}

/// Setting and clearing cost O(log n) and belong to the control plane; the earliest is free.
#[derive(Clone, Debug, Default)]
pub(crate) struct Timers {
    by_key: BTreeMap<Timer, Instant>,
    by_time: BTreeSet<(Instant, Timer)>,
    earliest: Option<(Instant, Timer)>,
}

impl Timers {
    /// Sets the deadline of `timer`, in place of any earlier one. The end of the clock's range,
    /// where times saturate, never comes: what was due there would be due again at once.
    pub(crate) fn set(&mut self, timer: Timer, at: Instant) {
        if at == Instant::from_nanos(u64::MAX) {
            return self.clear(timer);
        }
        if let Some(old) = self.by_key.insert(timer, at) {
            self.by_time.remove(&(old, timer));
        }
        self.by_time.insert((at, timer));
        self.cache();
    }

    pub(crate) fn clear(&mut self, timer: Timer) {
        if let Some(at) = self.by_key.remove(&timer) {
            self.by_time.remove(&(at, timer));
            self.cache();
        }
    }

    pub(crate) fn is_set(&self, timer: Timer) -> bool {
        self.by_key.contains_key(&timer)
    }

    pub(crate) fn clear_all(&mut self) {
        *self = Self::default();
    }

    /// The earliest deadline. O(1).
    pub(crate) const fn earliest(&self) -> Option<(Instant, Timer)> {
        self.earliest
    }

    /// Takes one deadline that has come, with the time it was meant for.
    pub(crate) fn take_due(&mut self, now: Instant) -> Option<(Instant, Timer)> {
        let (at, timer) = self.earliest.filter(|(at, _)| *at <= now)?;
        self.clear(timer);
        Some((at, timer))
    }

    fn cache(&mut self) {
        self.earliest = self.by_time.first().copied();
    }
}
