//! All deadlines of a client in one place, the earliest one at hand.

use alloc::vec::Vec;
use core::cmp::Reverse;
use core::mem;

use crate::ids::{LineId, RequestId, TopicId};
use crate::output::TimeoutReason;
use crate::time::Instant;

/// Whose deadline, and what for. One deadline a key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Timer {
    Line(LineId, LineTimer),
    Topic(TopicId, TopicTimer),
    Request(RequestId),
    /// A budget for REST requests frees up.
    RestScheduler,
    /// The account is to be asked for anew.
    Account,
    /// Lines that carry the same are to be compared.
    Comparison,
}

impl Timer {
    /// What the caller is told of it.
    pub(crate) const fn reason(self) -> TimeoutReason {
        match self {
            Self::Line(_, LineTimer::Phase) => TimeoutReason::Phase,
            Self::Line(_, LineTimer::Ping) => TimeoutReason::Ping,
            Self::Line(_, LineTimer::Pong) => TimeoutReason::Pong,
            Self::Line(_, LineTimer::Ack) => TimeoutReason::Ack,
            Self::Line(_, LineTimer::Send) | Self::RestScheduler => TimeoutReason::Budget,
            Self::Line(_, LineTimer::Age | LineTimer::ChangeOver) => TimeoutReason::ChangeOver,
            Self::Topic(_, TopicTimer::Snapshot) => TimeoutReason::Snapshot,
            Self::Topic(_, TopicTimer::Crossed) => TimeoutReason::Crossed,
            Self::Topic(_, TopicTimer::Silence | TopicTimer::LeftBehind) => TimeoutReason::Silence,
            Self::Topic(_, TopicTimer::Subscribe) => TimeoutReason::Subscribe,
            Self::Topic(_, TopicTimer::Hole) => TimeoutReason::Hole,
            Self::Topic(_, TopicTimer::Audit) => TimeoutReason::Audit,
            Self::Request(_) => TimeoutReason::Fetch,
            Self::Account => TimeoutReason::Account,
            Self::Comparison => TimeoutReason::Comparison,
        }
    }
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
    /// It is old: another one is to take its place.
    Age,
    /// It is about to take the place of another: to be looked at.
    ChangeOver,
}

impl LineTimer {
    /// Every kind there is.
    pub(crate) const ALL: [Self; 7] =
        [Self::Phase, Self::Ping, Self::Pong, Self::Ack, Self::Send, Self::Age, Self::ChangeOver];
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum TopicTimer {
    /// Time to ask for a snapshot.
    Snapshot,
    /// The book has been crossed for too long.
    Crossed,
    /// The topic may have fallen silent.
    Silence,
    /// The stream has not come after the exchange.
    LeftBehind,
    /// No other line has filled a hole of one.
    Hole,
    /// A live book is to be held against a snapshot again.
    Audit,
    /// The topic was refused, and is to be asked for again.
    Subscribe,
}

/// Setting and clearing cost O(log n) steps and a short move, and belong to the control plane; the
/// earliest is free. Lists that keep their room, so that nothing is allocated once all have been set.
#[derive(Clone, Debug, Default)]
pub(crate) struct Timers {
    /// In order.
    by_key: Vec<(Timer, Instant)>,
    /// Latest first.
    by_time: Vec<Reverse<(Instant, Timer)>>,
}

impl Timers {
    /// Sets the deadline of `timer`, in place of any earlier one. The end of the clock's range,
    /// where times saturate, never comes: what was due there would be due again at once.
    pub(crate) fn set(&mut self, timer: Timer, at: Instant) {
        if at == Instant::from_nanos(u64::MAX) {
            return self.clear(timer);
        }
        match self.place(timer) {
            Ok(known) => {
                let known = self.by_key.get_mut(known).map(|(_, known)| mem::replace(known, at));
                known.inspect(|old| self.forget(*old, timer));
            }
            Err(new) => self.by_key.insert(new, (timer, at)),
        }
        let entry = Reverse((at, timer));
        let (Ok(place) | Err(place)) = self.by_time.binary_search(&entry);
        self.by_time.insert(place, entry);
    }

    /// When a timer is due, if it is set.
    pub(crate) fn get(&self, timer: Timer) -> Option<Instant> {
        let at = self.by_key.binary_search_by_key(&timer, |(key, _)| *key).ok()?;
        self.by_key.get(at).map(|(_, at)| *at)
    }

    pub(crate) fn clear(&mut self, timer: Timer) {
        if let Ok(known) = self.place(timer) {
            let (_, at) = self.by_key.remove(known);
            self.forget(at, timer);
        }
    }

    fn place(&self, timer: Timer) -> Result<usize, usize> {
        self.by_key.binary_search_by_key(&timer, |(known, _)| *known)
    }

    fn forget(&mut self, at: Instant, timer: Timer) {
        if let Ok(place) = self.by_time.binary_search(&Reverse((at, timer))) {
            self.by_time.remove(place);
        }
    }

    pub(crate) fn clear_all(&mut self) {
        *self = Self::default();
    }

    /// The earliest deadline. O(1).
    #[inline]
    pub(crate) fn earliest(&self) -> Option<(Instant, Timer)> {
        self.by_time.last().map(|Reverse(earliest)| *earliest)
    }

    /// Takes one deadline that has come, with the time it was meant for.
    pub(crate) fn take_due(&mut self, now: Instant) -> Option<(Instant, Timer)> {
        let (at, timer) = self.earliest().filter(|(at, _)| *at <= now)?;
        self.clear(timer);
        Some((at, timer))
    }
}
