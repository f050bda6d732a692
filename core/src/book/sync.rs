//! From a stream of deltas and a snapshot to a live book, and out of it again when in doubt.

mod audits;
mod lines;
mod snapshots;

use super::arbiter::{Arbiter, LineShare};
use super::audit::{Audit, Cause};
use super::buffer::{DeltaBuffer, Pushed};
use super::lineage::{Evidence, Heard, Lineage, SnapshotCheck};
use super::request::{Pacing, Request};
use super::{Apply, Book};
use crate::config::Config;
use crate::context::Context;
use crate::error::WireError;
use crate::event::{BookDelayReason, BookEvent, BookLostReason, Event};
use crate::ids::{Epoch, LineId, RequestId, Sequence, TopicId};
use crate::scheduler::Urgency;
use crate::stats::Disposition;
use crate::time::Instant;
use crate::timers::{Timer, TopicTimer};
use crate::wire::{Delta, SnapshotHead};

/// Where a book stands.
///
/// ```text
///             ack or delta              a snapshot fits the buffered deltas
///   Idle --------------------> Buffering ----------------------------------> Live
///    ^                          ^  |  ^                                       |
///    | unsubscribe              |  |  +-- gap, undecodable delta, counter ----+
///    | (from anywhere)          |  |      reset, crossed for long,            |
///    |                          |  |      left behind, diverged               |
///                ack or delta   |  | all lines down                           |
///   Stale ----------------------+  +--------> Stale <-------------------------+
/// ```
///
/// The book can be read in `Live` only, and leaves it before anything else is said.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(clippy::exhaustive_enums, reason = "the states of the picture above")]
pub enum BookStatus {
    /// Not subscribed, or no line has confirmed it or brought anything for it.
    Idle,
    /// Deltas are buffered until a snapshot fits them.
    Buffering,
    /// Equal to the exchange's book at its sequence.
    Live,
    /// Lines carried it, and all of them are down.
    Stale,
}

/// The state, with what belongs to it alone.
#[derive(Clone)]
enum State {
    Idle,
    Stale,
    /// Without a snapshot; one is or will be asked for.
    Buffering(Request),
    /// The snapshot in the book may be of another run of the counter: what the stream says next settles
    /// it, or the time [`CATCH_UP`] runs out.
    Deferred(SnapshotHead),
    /// Live, and no delta has come yet that follows the snapshot: what comes at or below it is noted, to
    /// be compared when the first one does.
    Provisional(SnapshotCheck),
    Live,
}

/// One book and all that keeps it honest. In this order in memory: what every delta needs lies
/// together, and the rest after it.
#[derive(Clone)]
#[repr(C)]
pub(crate) struct BookSync {
    state: State,
    crossed: bool,
    topic: TopicId,
    lineage: Lineage,
    book: Book,
    buffer: DeltaBuffer,
    epoch: u32,
    pacing: Pacing,
    audit: Audit,
    arbiter: Arbiter,
    /// Where the snapshot was that the live book began with.
    loaded: Sequence,
    /// When the live book was last found to be equal to a snapshot.
    agreed_at: Instant,
    /// The exchange does not push it any more: to be subscribed again.
    needs_renewal: bool,
}

impl BookSync {
    pub(crate) fn new(topic: TopicId, config: &Config) -> Self {
        Self {
            state: State::Idle,
            crossed: false,
            topic,
            lineage: Lineage::new(),
            book: Book::new(config.book.snapshot_levels, config.book.max_levels_per_side),
            buffer: DeltaBuffer::new(),
            epoch: 0,
            pacing: Pacing::new(topic, config),
            audit: Audit::default(),
            arbiter: Arbiter::default(),
            loaded: Sequence::new(0),
            agreed_at: Instant::ZERO,
            needs_renewal: false,
        }
    }

    // Reading.

    pub(crate) const fn status(&self) -> BookStatus {
        match self.state {
            State::Idle => BookStatus::Idle,
            State::Stale => BookStatus::Stale,
            State::Buffering(_) | State::Deferred(_) => BookStatus::Buffering,
            State::Provisional(_) | State::Live => BookStatus::Live,
        }
    }

    pub(crate) const fn book(&self) -> Option<&Book> {
        if self.is_live() { Some(&self.book) } else { None }
    }

    /// The run of the book; `None` while it is not live.
    pub(crate) const fn live_epoch(&self) -> Option<Epoch> {
        if self.is_live() { Some(Epoch::new(self.epoch)) } else { None }
    }

    /// When the book was last found to be equal to a snapshot; `None` while it is not live.
    pub(crate) const fn agreed_at(&self) -> Option<Instant> {
        if self.is_live() { Some(self.agreed_at) } else { None }
    }

    const fn is_live(&self) -> bool {
        matches!(self.state, State::Live | State::Provisional(_))
    }

    /// How urgently a snapshot is to be asked for; `None` if it is not.
    pub(crate) fn urgency(&self) -> Option<Urgency> {
        if self.audit.is_due() {
            let is_pressing = self.audit.cause() == Some(Cause::Horizon);
            Some(if is_pressing { Urgency::Refresh } else { Urgency::Audit })
        } else if matches!(self.state, State::Buffering(Request::Due)) {
            let kept = self.buffer.len();
            Some(if self.epoch == 0 { Urgency::First(kept) } else { Urgency::Again(kept) })
        } else {
            None
        }
    }

    /// Whether a snapshot is to be asked for as soon as the budgets allow.
    pub(crate) fn wants_snapshot(&self) -> bool {
        self.urgency().is_some()
    }

    /// Whether the answer to `request` is still of use.
    pub(crate) fn awaits(&self, request: RequestId) -> bool {
        // planted: other-request
        let fits =
            matches!(self.state, State::Buffering(Request::InFlight(asked)) if asked == request);
        fits || self.audit.awaits(request)
    }

    // What lines say.

    /// A line's subscription was confirmed.
    pub(crate) fn on_confirmed(&mut self, cx: &mut Context, line: LineId) {
        self.carry(line);
        if matches!(self.state, State::Buffering(Request::NotConfirmed)) {
            self.schedule(cx, true);
        }
    }

    /// A delta arrived on a line, in this frame.
    #[inline]
    pub(crate) fn on_delta(
        &mut self,
        cx: &mut Context,
        line: LineId,
        delta: Delta,
        frame: &[u8],
    ) -> Disposition {
        // Nearly always it is the next one of a live book with one line, and there is nothing to judge.
        if matches!(self.state, State::Live)
            && let Some(tracker) = self.lineage.only(line)
            && tracker.is_next(delta.sequence)
            && !tracker.is_unsure()
            && !self.arbiter.holds()
            && self.book.apply(&delta) == Apply::Applied
        {
            tracker.accept(&delta);
            return self.on_applied(cx, &delta);
        }
        if self.lineage.is_shared() {
            self.take_copy(cx, line, &delta, frame)
        } else {
            self.take(cx, line, delta)
        }
    }

    /// A delta that may be anything.
    fn take(&mut self, cx: &mut Context, line: LineId, delta: Delta) -> Disposition {
        self.carry(line);
        // A buffer knows what its sequences said, however far back.
        let known = self.buffer.at(delta.sequence).or_else(|| self.arbiter.at(delta.sequence));
        // What a line said before another came is in no other memory.
        let known = known.or_else(|| self.lineage.said_beside(line, delta.sequence));
        let before = self.lineage.newest(line);
        match self.lineage.hear(cx.now, line, delta, known) {
            Heard::Repeat | Heard::Former => Disposition::Repeat,
            Heard::NewRun(evidence) => {
                self.on_new_run(cx, evidence);
                self.take_in(cx, line, delta, false)
            }
            Heard::New { is_unsure } => {
                self.arbiter.on_step(line, before, delta.sequence);
                self.arbitrate(cx, line, delta, is_unsure)
            }
            Heard::Before => self.arbitrate(cx, line, delta, false),
        }
    }

    /// A delta of this topic could not be decoded: what it said is missing now.
    pub(crate) fn on_undecodable(
        &mut self,
        cx: &mut Context,
        line: LineId,
        error: WireError,
    ) -> Disposition {
        self.carry(line);
        self.pacing.failures.count(cx.now, cx.config.book.poison_pause);
        // A snapshot that was asked for before may not contain what was missed.
        self.lineage.reach(self.buffer.last());
        self.buffer.clear();
        self.drop_held(cx);
        // planted: poison-skipped
        self.invalidate(cx, BookLostReason::Poisoned(error), BookDelayReason::Poisoned(error));
        Disposition::Poisoned
    }

    /// A line is down, or does not carry the topic any more.
    pub(crate) fn on_line_lost(&mut self, cx: &mut Context, line: LineId) {
        let is_last = self.lineage.drop_line(line);
        if is_last && !matches!(self.state, State::Idle) {
            self.leave(cx, State::Stale, BookLostReason::LineDown);
            self.on_lines_lost(cx);
        }
        self.arbiter.forget_line(line);
        // What it might have filled, nobody may fill now.
        self.check_hole(cx);
    }

    /// The book is not wanted any more, or cannot be had. Its memory is freed.
    pub(crate) fn stop(&mut self, cx: &mut Context) {
        self.leave(cx, State::Idle, BookLostReason::Unsubscribed);
        self.on_lines_lost(cx);
        self.lineage.forget();
        self.book = Book::new(cx.config.book.snapshot_levels, cx.config.book.max_levels_per_side);
        self.buffer = DeltaBuffer::new();
        self.arbiter = Arbiter::default();
    }

    fn carry(&mut self, line: LineId) {
        self.lineage.carry(line);
        if self.lineage.is_shared() {
            let lines = self.lineage.beyond(Sequence::new(0)).map(|(other, _)| other);
            self.arbiter.begin(lines.filter(|other| *other != line));
        }
        if matches!(self.state, State::Idle | State::Stale) {
            self.state = State::Buffering(Request::NotConfirmed);
            self.buffer.make_room();
        }
    }

    fn on_lines_lost(&mut self, cx: &mut Context) {
        self.lineage.reach(self.buffer.last());
        self.lineage.on_lines_lost();
        self.buffer.clear();
        self.drop_held(cx);
        self.pacing.cancel(cx);
    }

    // Deltas.

    fn apply(&mut self, cx: &mut Context, delta: Delta, is_unsure: bool) -> Disposition {
        if let Some(evidence) = self.doubt(&delta, is_unsure) {
            self.on_new_run(cx, evidence);
            return self.buffer(cx, delta);
        }
        match self.book.apply(&delta) {
            Apply::Applied => self.on_applied(cx, &delta),
            Apply::Repeat => self.on_covered(cx, &delta),
            Apply::Gap { expected } => {
                cx.stats.gaps = cx.stats.gaps.saturating_add(1);
                // planted: gap-ignored
                self.resync(cx, BookLostReason::Gap { expected, got: delta.sequence });
                self.buffer(cx, delta)
            }
        }
    }

    /// What speaks against a delta that is new to the live book, if its run is in doubt.
    fn doubt(&mut self, delta: &Delta, is_unsure: bool) -> Option<Evidence> {
        if delta.sequence <= self.book.sequence() {
            return None;
        }
        if let State::Provisional(check) = &self.state {
            let evidence = self.lineage.on_follower(delta, check, &self.book);
            self.state = State::Live;
            return evidence;
        }
        if is_unsure { self.lineage.on_doubtful(delta, &self.book) } else { None }
    }

    // Not into its callers: there the event is put together in one more place and copied from it.
    #[inline(never)]
    fn on_applied(&mut self, cx: &mut Context, delta: &Delta) -> Disposition {
        self.lineage.on_applied();
        // planted: told-twice
        cx.delta_event(self.topic, *delta);
        if self.audit.is_recording() {
            self.on_recorded(cx, delta);
        }
        // planted: horizon-unseen
        let is_short = self.book.short_side(cx.config.book.refresh_below).is_some();
        if is_short || self.crossed || self.book.is_crossed_by(delta) {
            self.check(cx);
        }
        Disposition::Applied
    }

    /// The live book has passed it.
    fn on_covered(&mut self, cx: &mut Context, delta: &Delta) -> Disposition {
        // What another line had brought after the snapshot, that one does not contain.
        let is_contained = delta.sequence <= self.loaded;
        if let State::Provisional(check) = &mut self.state {
            check.note(delta, cx.config.book.max_pending_deltas);
        }
        if let Some(evidence) = self.lineage.on_covered(cx.now, delta, is_contained) {
            self.on_new_run(cx, evidence);
        }
        if is_contained { Disposition::Covered } else { Disposition::Repeat }
    }

    fn buffer(&mut self, cx: &mut Context, delta: Delta) -> Disposition {
        if let Some(evidence) = self.lineage.on_buffered(cx.now, &delta) {
            self.on_new_run(cx, evidence);
        }
        // What is held waits with it.
        let room = cx.config.book.max_pending_deltas.saturating_sub(self.arbiter.held());
        let delay = match self.buffer.push(delta, room.max(1)) {
            Pushed::Kept => None,
            Pushed::Restarted => {
                cx.stats.gaps = cx.stats.gaps.saturating_add(1);
                Some(BookDelayReason::Gap)
            }
            Pushed::Overflowed => Some(BookDelayReason::Overflow),
        };
        if let Some(reason) = delay {
            cx.event(Event::Book(self.topic, BookEvent::Delayed(reason)));
        }
        match &self.state {
            State::Buffering(Request::Scheduled { is_still: true }) => self.schedule(cx, false),
            State::Deferred(head) if !self.lineage.still_waits(head, &self.buffer) => {
                let head = *head;
                self.judge(cx, head);
            }
            State::Buffering(_) | State::Deferred(_) | State::Idle | State::Stale => {}
            State::Provisional(_) | State::Live => {}
        }
        Disposition::Buffered
    }

    // Out of live.

    /// The counter starts anew: nothing that was known or is on its way fits it.
    fn on_new_run(&mut self, cx: &mut Context, evidence: Evidence) {
        self.buffer.clear();
        self.drop_held(cx);
        self.arbiter.on_new_run();
        let (lost, delayed) =
            (BookLostReason::SequenceReset(evidence), BookDelayReason::SequenceReset(evidence));
        // planted: restart-untold
        self.invalidate(cx, lost, delayed);
        self.lineage.on_new_run();
    }

    /// The book or the buffer is not to be believed any more, nor is a snapshot that is on its way.
    fn invalidate(&mut self, cx: &mut Context, if_live: BookLostReason, if_not: BookDelayReason) {
        if self.is_live() {
            return self.resync(cx, if_live);
        }
        cx.event(Event::Book(self.topic, BookEvent::Delayed(if_not)));
        match self.state {
            State::Buffering(Request::InFlight(_)) => self.schedule(cx, false),
            // Its time stays what it is.
            State::Deferred(_) => {
                self.state = State::Buffering(Request::Scheduled { is_still: false });
            }
            State::Buffering(_) | State::Idle | State::Stale => {}
            State::Provisional(_) | State::Live => {}
        }
    }

    /// A book that was crossed a second ago is crossed still, or again.
    pub(crate) fn on_crossed_for_long(&mut self, cx: &mut Context) {
        // planted: crossed-unseen
        if self.is_live() && self.crossed {
            self.resync(cx, BookLostReason::Crossed);
        }
    }

    /// Checks what every applied delta can break.
    #[cold]
    fn check(&mut self, cx: &mut Context) {
        if !self.is_live() {
            return;
        }
        let below = cx.config.book.refresh_below;
        if let Some(side) = self.book.short_side(below.min(1)) {
            return self.resync(cx, BookLostReason::Horizon(side));
        }
        if self.book.short_side(below).is_some() {
            self.audit(cx, Cause::Horizon);
        }
        let crossed = self.book.is_crossed();
        if crossed != self.crossed {
            self.crossed = crossed;
            let timer = Timer::Topic(self.topic, TopicTimer::Crossed);
            if crossed {
                cx.timers.set(timer, cx.now + cx.config.book.crossed_for);
            } else {
                cx.timers.clear(timer);
            }
        }
    }

    /// Out of live and into a new search for a snapshot.
    fn resync(&mut self, cx: &mut Context, reason: BookLostReason) {
        self.leave(cx, State::Buffering(Request::Scheduled { is_still: false }), reason);
        self.schedule(cx, false);
    }

    /// Goes to a state that is not live. A live book is reported lost before anything else is said.
    fn leave(&mut self, cx: &mut Context, to: State, reason: BookLostReason) {
        let was_live = self.is_live();
        self.state = to;
        debug_assert!(!self.is_live(), "leaving live is for other states");
        if !was_live {
            return;
        }
        self.lineage.on_left(cx.now, self.book.sequence());
        self.crossed = false;
        self.audit.reset();
        // What was recorded for the audit; nothing waits for a snapshot yet.
        self.buffer.clear();
        for timer in [TopicTimer::Crossed, TopicTimer::LeftBehind, TopicTimer::Audit] {
            cx.timers.clear(Timer::Topic(self.topic, timer));
        }
        if reason != BookLostReason::Unsubscribed {
            cx.stats.resyncs = cx.stats.resyncs.saturating_add(1);
        }
        let epoch = Epoch::new(self.epoch);
        cx.event(Event::Book(self.topic, BookEvent::Lost { epoch, reason }));
    }

    /// Sets the time of the next request: soon, or later while nothing moves.
    fn schedule(&mut self, cx: &mut Context, is_still: bool) {
        self.state = State::Buffering(Request::Scheduled { is_still });
        let config = &cx.config;
        let delay =
            if is_still { config.book.snapshot_quiet_delay } else { config.book.snapshot_delay };
        self.pacing.schedule(cx, delay);
    }
}

#[cfg(test)]
mod tests;
