//! When to ask for a snapshot: not before the ack, not too soon after the last one, later and later
//! while they are of no use.

use core::time::Duration;

use super::decode_failures::DecodeFailures;
use crate::backoff::Backoff;
use crate::config::Config;
use crate::context::Context;
use crate::ids::{RequestId, TopicId};
use crate::time::Instant;
use crate::timers::{Timer, TopicTimer};

/// How far the request for a snapshot is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Request {
    /// No line has confirmed the topic: a snapshot might be older than what the line will bring.
    NotConfirmed,
    /// The timer `Snapshot` is set.
    Scheduled {
        /// No delta has come with or after the ack: the first one brings the request forward.
        is_still: bool,
    },
    /// The scheduler asks when the budgets allow.
    Due,
    /// It was asked for.
    InFlight(RequestId),
}

/// What spaces the requests of one book.
#[derive(Clone)]
pub(super) struct Pacing {
    topic: TopicId,
    last_asked: Option<Instant>,
    retry: Backoff,
    pub(super) failures: DecodeFailures,
}

impl Pacing {
    pub(super) fn new(topic: TopicId, config: &Config) -> Self {
        Self {
            topic,
            last_asked: None,
            retry: Backoff::new(config.book.snapshot_spacing / 4, config.book.snapshot_backoff_cap),
            failures: DecodeFailures::new(),
        }
    }

    /// Sets the time of the next request: after `delay`, but not too soon after the last one.
    pub(super) fn schedule(&self, cx: &mut Context, delay: Duration) {
        // planted: snapshots-at-once
        let spaced =
            self.last_asked.map_or(Instant::ZERO, |at| at + cx.config.book.snapshot_spacing);
        let at = (cx.now + delay).max(spaced).max(self.failures.paused_until());
        cx.timers.set(self.timer(), at);
    }

    /// The time of the next request after a snapshot that was of no use.
    pub(super) fn schedule_retry(&mut self, cx: &mut Context) {
        let delay = cx.config.book.snapshot_spacing.saturating_add(self.retry.next(&mut cx.rng));
        self.schedule(cx, delay);
    }

    pub(super) fn cancel(&self, cx: &mut Context) {
        cx.timers.clear(self.timer());
    }

    pub(super) const fn on_asked(&mut self, now: Instant) {
        self.last_asked = Some(now);
    }

    pub(super) const fn on_loaded(&mut self) {
        self.retry.reset();
    }

    const fn timer(&self) -> Timer {
        Timer::Topic(self.topic, TopicTimer::Snapshot)
    }
}
