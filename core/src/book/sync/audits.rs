//! A live book and the snapshots that it is held against.

use core::time::Duration;

use super::{BookSync, State};
use crate::book::audit::{Cause, first_difference};
use crate::book::buffer::Pushed;
use crate::book::lineage::Evidence;
use crate::book::request::Request;
use crate::book::{Apply, Book};
use crate::context::Context;
use crate::event::{BookDelayReason, BookEvent, BookLostReason, Event};
use crate::timers::{Timer, TopicTimer};
use crate::wire::{Delta, SnapshotHead};

/// From an audit that found the exchange ahead, for so long the stream may come after it: longer than a frame is
/// on its way on a line that answers its pings.
const GRACE: Duration = Duration::from_secs(2);

/// Snapshots of no use after which a user is told that there is no verdict.
const TRIES: u32 = 5;

impl BookSync {
    /// The stream of a topic has said nothing for long.
    pub(crate) fn on_silence(&mut self, cx: &mut Context) {
        self.audit(cx, Cause::Silence);
    }

    /// It is time to look at the book again.
    pub(crate) fn on_audit_due(&mut self, cx: &mut Context) {
        self.audit(cx, Cause::Schedule);
        self.schedule_audit(cx);
    }

    /// The user wants to know whether the book is right. False if it is not live.
    pub(crate) fn verify(&mut self, cx: &mut Context) -> bool {
        self.audit(cx, Cause::Asked);
        self.is_live()
    }

    /// Asks for a snapshot to hold the live book against.
    pub(super) fn audit(&mut self, cx: &mut Context, cause: Cause) {
        if self.is_live() && self.audit.start(cause) {
            self.pacing.schedule(cx, Duration::ZERO);
        }
    }

    /// Sets the time of the next regular audit. Spread over the books, so that they do not all ask at once.
    pub(super) fn schedule_audit(&self, cx: &mut Context) {
        let every = cx.config.book.audit_every;
        if every > Duration::ZERO {
            let part = every / 128 * (self.topic.get() % 64);
            cx.timers.set(self.audit_timer(), cx.now + (every - part));
        }
    }

    pub(super) const fn audit_timer(&self) -> Timer {
        Timer::Topic(self.topic, TopicTimer::Audit)
    }

    /// A delta was applied while an audit is under way.
    #[cold]
    pub(super) fn on_recorded(&mut self, cx: &mut Context, delta: &Delta) {
        if self.buffer.push(*delta, cx.config.book.max_pending_deltas) != Pushed::Kept {
            // No verdict. One that is needed is asked for again.
            let cause = self.audit.cause();
            self.end_audit(cx);
            cause
                .filter(|cause| *cause >= Cause::Asked)
                .into_iter()
                .for_each(|cause| self.audit(cx, cause));
            return;
        }
        if let Some(snapshot) = self.audit.take_reached(self.book.sequence()) {
            self.compare(cx, snapshot);
        }
    }

    /// The snapshot that the live book is to be held against was loaded into another one.
    pub(super) fn on_audit(&mut self, cx: &mut Context, mut other: Book, head: &SnapshotHead) {
        cx.stats.audits = cx.stats.audits.saturating_add(1);
        let at = self.book.sequence();
        if head.sequence > at {
            self.audit.on_ahead(other, at);
            let timer = Timer::Topic(self.topic, TopicTimer::LeftBehind);
            return cx.timers.set(timer, cx.now + GRACE);
        }
        let applied = self.buffer.iter().filter(|delta| delta.sequence > head.sequence);
        let is_whole =
            applied.map(|delta| other.apply(delta)).all(|applied| applied == Apply::Applied);
        if is_whole && other.sequence() == at {
            return self.compare(cx, other);
        }
        // Older than what is recorded.
        if self.audit.stays_behind(at, head, cx.config.book.snapshot_patience) {
            self.on_new_run(cx, Evidence::SnapshotsStayBehind);
            return self.await_renewal(cx);
        }
        self.on_no_audit(cx, BookDelayReason::SnapshotTooOld { snapshot: head.sequence });
    }

    /// Holds the live book against a snapshot that has been brought to its sequence.
    fn compare(&mut self, cx: &mut Context, snapshot: Book) {
        cx.timers.clear(Timer::Topic(self.topic, TopicTimer::LeftBehind));
        if let Some(found) = first_difference(&self.book, &snapshot) {
            let reason = BookLostReason::Diverged {
                side: found.side,
                price: found.price,
                held: found.held,
                exchange: found.exchange,
            };
            return self.resync(cx, reason);
        }
        let is_wider = self.book.learn(snapshot);
        self.audit.reset();
        self.end_audit(cx);
        self.agreed_at = cx.now;
        let sequence = self.book.sequence();
        cx.event(Event::Book(self.topic, BookEvent::Verified { sequence, is_wider }));
    }

    /// There was no snapshot to hold the book against, or one that was of no use.
    pub(super) fn on_no_audit(&mut self, cx: &mut Context, reason: BookDelayReason) {
        let tries = self.audit.on_useless();
        match self.audit.cause() {
            // Without it the book would not know its best before long.
            Some(Cause::Horizon) => {}
            Some(Cause::Asked) if tries < TRIES => {}
            Some(Cause::Asked) => {
                cx.event(Event::Book(self.topic, BookEvent::NotVerified(reason)));
                return self.end_audit(cx);
            }
            // The next one will do.
            Some(Cause::Schedule | Cause::Silence) | None => return self.end_audit(cx),
        }
        self.audit.retry();
        self.pacing.schedule_retry(cx);
    }

    fn end_audit(&mut self, cx: &mut Context) {
        self.audit.end();
        self.buffer.clear();
        self.pacing.cancel(cx);
        self.pacing.on_loaded();
    }

    /// The time is over in which the stream of a live book could come after the exchange.
    pub(crate) fn on_left_behind(&mut self, cx: &mut Context) {
        match self.audit.give_up_waiting(&self.book) {
            Some((exchange, true)) => {
                self.leave(cx, State::Idle, BookLostReason::LeftBehind { exchange });
                self.await_renewal(cx);
            }
            Some((snapshot, false)) => {
                self.on_no_audit(cx, BookDelayReason::SnapshotAhead { snapshot });
            }
            None => {}
        }
    }

    /// No snapshot before the exchange has confirmed the topic anew: it would be older than the first delta.
    fn await_renewal(&mut self, cx: &mut Context) {
        self.pacing.cancel(cx);
        self.state = State::Buffering(Request::NotConfirmed);
        self.needs_renewal = true;
    }

    /// Whether the topic is to be subscribed once more; asked once.
    pub(crate) const fn poll_renewal(&mut self) -> bool {
        core::mem::replace(&mut self.needs_renewal, false)
    }
}
