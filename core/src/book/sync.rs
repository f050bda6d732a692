//! From a stream of deltas and a snapshot to a live book, and out of it again when in doubt.
//!
//! ```text
//!           ack or delta           snapshot fits            run replayed
//!   Idle ----------------> Buffering ----------> Replaying ------------> Live
//!    ^                      ^  |  ^                                       |
//!    | stop (from anywhere) |  |  +--- gap, poison, restart, horizon, ----+
//!                           |  |       crossed
//!        ack or delta       |  |  all lines down                          |
//!   Stale ------------------+  +-----> Stale <----------------------------+
//! ```
//!
//! The book is readable in `Live` only, and leaves it before anything else is said.

use alloc::vec::Vec;
use core::time::Duration;

use super::pending::{Pending, Pushed};
use super::watch::{Verdict, Watch};
use super::{Apply, Book};
use crate::backoff::Backoff;
use crate::config::Config;
use crate::error::WireError;
use crate::ids::{Epoch, LineId, RequestId, Sequence, TopicId};
use crate::output::{Delay, Event, ResyncReason};
use crate::shared::Shared;
use crate::time::Instant;
use crate::timers::{Timer, TopicTimer};
use crate::wire::{Delta, Snapshot};

/// Where a book stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(clippy::exhaustive_enums, reason = "the states of the table above")]
pub enum BookStatus {
    /// Not subscribed, or nothing heard of it yet.
    Idle,
    /// Deltas are collected until a snapshot fits them.
    Buffering,
    /// The snapshot is there; collected deltas are being applied to it.
    Replaying,
    /// Equal to the exchange's book at its sequence.
    Live,
    /// There was a feed, and it is down.
    Stale,
}

/// What moves a book from state to state.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Cause {
    /// A line carries the topic: its ack or a delta arrived.
    Fed,
    /// A snapshot came that the buffered run continues.
    SnapshotFits,
    /// The run was applied to it.
    Replayed,
    /// The book cannot be vouched for any more.
    Doubted,
    /// No line carries the topic any more.
    FeedLost,
    /// Nobody wants it.
    Stopped,
}

/// The whole table. Everything that changes the state goes through it.
const fn next(state: BookStatus, cause: Cause) -> BookStatus {
    use BookStatus::{Buffering, Idle, Live, Replaying, Stale};
    match (cause, state) {
        (Cause::Stopped, _) => Idle,
        (Cause::FeedLost, Idle) => Idle,
        (Cause::FeedLost, _) => Stale,
        (Cause::Fed, Idle | Stale) => Buffering,
        (Cause::SnapshotFits, Buffering) => Replaying,
        (Cause::Replayed, Replaying) => Live,
        (Cause::Doubted, Replaying | Live) => Buffering,
        (Cause::Fed | Cause::SnapshotFits | Cause::Replayed | Cause::Doubted, same) => same,
    }
}

/// How long a snapshot may be ahead of the stream. A live book whose stream stays behind it for
/// longer was loaded from before a restart of the exchange's counter.
const CATCH_UP: Duration = Duration::from_secs(5);

/// One book and all that keeps it honest.
#[derive(Clone)]
pub(crate) struct BookSync {
    topic: TopicId,
    status: BookStatus,
    book: Book,
    pending: Pending,
    /// The lines that carry the topic, each with its own last sequence.
    feeds: Vec<(LineId, Watch)>,
    /// An ack has come since the feed began.
    confirmed: bool,
    /// A delta came with or after the ack.
    moving: bool,
    /// The highest sequence this symbol has shown; a snapshot below is from the past.
    reached: Option<Sequence>,
    epoch: u32,
    live_since: Instant,
    crossed: bool,
    /// It is time to ask for a snapshot; the desk does so when the budgets allow.
    wants_snapshot: bool,
    request: Option<RequestId>,
    last_asked: Option<Instant>,
    too_old_in_a_row: u32,
    retry: Backoff,
    /// When the last undecodable deltas came, oldest first.
    poisonings: [Option<Instant>; 3],
    paused_until: Instant,
}

impl BookSync {
    pub(crate) fn new(topic: TopicId, config: &Config) -> Self {
        Self {
            topic,
            status: BookStatus::Idle,
            book: Book::new(config.snapshot_levels, config.max_levels_per_side),
            pending: Pending::default(),
            feeds: Vec::new(),
            confirmed: false,
            moving: false,
            reached: None,
            epoch: 0,
            live_since: Instant::ZERO,
            crossed: false,
            wants_snapshot: false,
            request: None,
            last_asked: None,
            too_old_in_a_row: 0,
            retry: Backoff::new(config.snapshot_spacing / 4, config.snapshot_backoff_cap),
            poisonings: [None; 3],
            paused_until: Instant::ZERO,
        }
    }

    pub(crate) const fn status(&self) -> BookStatus {
        self.status
    }

    pub(crate) const fn book(&self) -> Option<&Book> {
        if matches!(self.status, BookStatus::Live) { Some(&self.book) } else { None }
    }

    pub(crate) const fn wants_snapshot(&self) -> bool {
        self.wants_snapshot
    }

    pub(crate) fn pending_len(&self) -> usize {
        self.pending.len()
    }

    /// A line's subscription was confirmed.
    pub(crate) fn on_confirmed(&mut self, cx: &mut Shared, line: LineId) {
        self.feed(line);
        self.confirmed = true;
        if self.status == BookStatus::Buffering {
            let delay = cx.config.snapshot_quiet_delay;
            self.schedule_snapshot(cx, delay);
        }
    }

    /// A delta arrived on a line.
    pub(crate) fn on_delta(&mut self, cx: &mut Shared, line: LineId, delta: Delta) {
        match self.feed(line).judge(delta.sequence) {
            Verdict::Repeat => cx.stats.repeats = cx.stats.repeats.saturating_add(1),
            Verdict::Restarted => {
                self.on_restart(cx);
                self.buffer(cx, delta);
            }
            Verdict::New if self.status == BookStatus::Live => self.apply(cx, delta),
            Verdict::New => self.buffer(cx, delta),
        }
    }

    /// A frame of this topic could not be decoded: whatever it said is missing now.
    pub(crate) fn on_poison(&mut self, cx: &mut Shared, line: LineId, error: WireError) {
        cx.stats.poisoned = cx.stats.poisoned.saturating_add(1);
        self.feed(line);
        self.poisonings.rotate_left(1);
        if let Some(latest) = self.poisonings.last_mut() {
            *latest = Some(cx.now);
        }
        let pause = cx.config.poison_pause;
        if self.poisonings.iter().all(|at| at.is_some_and(|at| cx.now.since(at) <= pause)) {
            self.paused_until = cx.now + pause;
        }
        self.pending.clear();
        self.doubt(cx, ResyncReason::Poisoned(error), Delay::Poisoned(error));
        self.schedule_after_delta(cx);
    }

    /// A line is down, or does not carry the topic any more.
    pub(crate) fn on_feed_lost(&mut self, cx: &mut Shared, line: LineId) {
        self.feeds.retain(|(feed, _)| *feed != line);
        if self.feeds.is_empty() && self.status != BookStatus::Idle {
            self.leave(cx, Cause::FeedLost, ResyncReason::LineDown);
            self.unfeed(cx);
        }
    }

    /// Nobody wants the book, or it cannot be had.
    pub(crate) fn stop(&mut self, cx: &mut Shared) {
        self.leave(cx, Cause::Stopped, ResyncReason::Unsubscribed);
        self.unfeed(cx);
        self.feeds.clear();
        self.reached = None;
    }

    /// The time to ask for a snapshot has come.
    pub(crate) fn on_snapshot_due(&mut self) {
        self.wants_snapshot = self.status == BookStatus::Buffering && self.request.is_none();
    }

    /// The desk has asked.
    pub(crate) fn on_asked(&mut self, now: Instant, request: RequestId) {
        self.wants_snapshot = false;
        self.request = Some(request);
        self.last_asked = Some(now);
    }

    /// Whether the answer to `request` is still of use.
    pub(crate) fn awaits(&self, request: RequestId) -> bool {
        self.request == Some(request)
    }

    /// The snapshot that was asked for could not be had, or is of no use.
    pub(crate) fn on_no_snapshot(&mut self, cx: &mut Shared, reason: Delay) {
        self.request = None;
        cx.event(Event::BookDelayed { topic: self.topic, reason });
        let delay = cx.config.snapshot_spacing + self.retry.next(&mut cx.rng);
        self.schedule_snapshot(cx, delay);
    }

    /// The snapshot that was asked for is here.
    pub(crate) fn on_snapshot(&mut self, cx: &mut Shared, snapshot: &Snapshot) {
        if self.is_too_old(snapshot.sequence) {
            cx.stats.snapshots_too_old = cx.stats.snapshots_too_old.saturating_add(1);
            self.too_old_in_a_row = self.too_old_in_a_row.saturating_add(1);
            if self.too_old_in_a_row >= cx.config.snapshot_patience && self.pending.len() == 0 {
                // Nothing contradicts it but our own past: the counter was set back meanwhile.
                self.reached = None;
            }
            let reason = Delay::SnapshotTooOld { snapshot: snapshot.sequence };
            return self.on_no_snapshot(cx, reason);
        }
        cx.stats.snapshots = cx.stats.snapshots.saturating_add(1);
        self.request = None;
        self.too_old_in_a_row = 0;
        self.retry.reset();
        self.status = next(self.status, Cause::SnapshotFits);
        self.book.load(snapshot);
        let book = &mut self.book;
        let gap = self.pending.drain().find_map(|delta| match book.apply(&delta) {
            Apply::Gap { expected } => Some(ResyncReason::Gap { expected, got: delta.sequence }),
            Apply::Applied | Apply::Repeat => None,
        });
        debug_assert!(gap.is_none(), "the run is unbroken and starts at or before the snapshot");
        self.go_live(cx);
    }

    /// Never waits for the ack or the first delta any more: time is up for a crossed book.
    pub(crate) fn on_crossed_for_long(&mut self, cx: &mut Shared) {
        if self.status == BookStatus::Live && self.crossed {
            self.resync(cx, ResyncReason::Crossed);
        }
    }

    fn feed(&mut self, line: LineId) -> &mut Watch {
        self.status = next(self.status, Cause::Fed);
        let known = self.feeds.iter().position(|(feed, _)| *feed == line);
        let at = known.unwrap_or_else(|| {
            self.feeds.push((line, Watch::starting_at(self.reached)));
            self.feeds.len().saturating_sub(1)
        });
        #[allow(clippy::indexing_slicing, reason = "the position was just found or made")]
        &mut self.feeds[at].1
    }

    fn apply(&mut self, cx: &mut Shared, delta: Delta) {
        match self.book.apply(&delta) {
            Apply::Applied => {
                cx.stats.deltas = cx.stats.deltas.saturating_add(1);
                cx.event(Event::Delta { topic: self.topic, delta });
                self.check(cx);
            }
            Apply::Repeat => {
                cx.stats.covered = cx.stats.covered.saturating_add(1);
                if cx.now.since(self.live_since) > CATCH_UP {
                    self.on_restart(cx);
                }
            }
            Apply::Gap { expected } => {
                cx.stats.gaps = cx.stats.gaps.saturating_add(1);
                self.resync(cx, ResyncReason::Gap { expected, got: delta.sequence });
                self.buffer(cx, delta);
            }
        }
    }

    fn buffer(&mut self, cx: &mut Shared, delta: Delta) {
        cx.stats.buffered = cx.stats.buffered.saturating_add(1);
        match self.pending.push(delta, cx.config.max_pending_deltas) {
            Pushed::Kept => {}
            Pushed::Restarted => {
                cx.stats.gaps = cx.stats.gaps.saturating_add(1);
                cx.event(Event::BookDelayed { topic: self.topic, reason: Delay::Gap });
            }
            Pushed::Overflowed => {
                cx.event(Event::BookDelayed { topic: self.topic, reason: Delay::Overflow });
            }
        }
        self.schedule_after_delta(cx);
    }

    /// After the ack, the first delta brings the request for a snapshot forward, once.
    fn schedule_after_delta(&mut self, cx: &mut Shared) {
        if self.confirmed && !core::mem::replace(&mut self.moving, true) {
            let delay = cx.config.snapshot_delay;
            self.schedule_snapshot(cx, delay);
        }
    }

    /// The counter starts anew: nothing that was known or is on its way fits it.
    fn on_restart(&mut self, cx: &mut Shared) {
        self.pending.clear();
        self.request = None;
        self.doubt(cx, ResyncReason::Regressed, Delay::Regressed);
        self.reached = None;
    }

    fn doubt(&mut self, cx: &mut Shared, if_live: ResyncReason, if_not: Delay) {
        if self.status == BookStatus::Live {
            self.resync(cx, if_live);
        } else {
            cx.event(Event::BookDelayed { topic: self.topic, reason: if_not });
            self.moving = false;
        }
    }

    /// Checks what every applied delta can break.
    fn check(&mut self, cx: &mut Shared) {
        if let Some(side) = self.book.short_side(cx.config.refresh_below) {
            return self.resync(cx, ResyncReason::Horizon(side));
        }
        let crossed = self.book.is_crossed();
        if crossed != self.crossed {
            self.crossed = crossed;
            let timer = Timer::Topic(self.topic, TopicTimer::Crossed);
            if crossed {
                cx.timers.set(timer, cx.now + cx.config.crossed_for);
            } else {
                cx.timers.clear(timer);
            }
        }
    }

    fn go_live(&mut self, cx: &mut Shared) {
        self.status = next(self.status, Cause::Replayed);
        self.epoch = self.epoch.saturating_add(1);
        self.live_since = cx.now;
        let sequence = self.book.sequence();
        cx.event(Event::BookLive { topic: self.topic, epoch: Epoch::new(self.epoch), sequence });
        self.check(cx);
    }

    /// Out of `Live` and into a new search for a snapshot.
    fn resync(&mut self, cx: &mut Shared, reason: ResyncReason) {
        self.leave(cx, Cause::Doubted, reason);
        let delay = cx.config.snapshot_delay;
        self.schedule_snapshot(cx, delay);
    }

    /// Takes the state along; a live book is reported lost before anything else is said.
    fn leave(&mut self, cx: &mut Shared, cause: Cause, reason: ResyncReason) {
        let was_live = self.status == BookStatus::Live;
        self.status = next(self.status, cause);
        if !was_live {
            return;
        }
        self.reached = self.reached.max(Some(self.book.sequence()));
        self.crossed = false;
        cx.timers.clear(Timer::Topic(self.topic, TopicTimer::Crossed));
        if reason != ResyncReason::Unsubscribed {
            cx.stats.resyncs = cx.stats.resyncs.saturating_add(1);
        }
        let epoch = Epoch::new(self.epoch);
        cx.event(Event::BookLost { topic: self.topic, epoch, reason });
    }

    /// Forgets all that hangs on a feed.
    fn unfeed(&mut self, cx: &mut Shared) {
        self.reached = self.reached.max(self.pending.last());
        self.pending.clear();
        self.confirmed = false;
        self.moving = false;
        self.request = None;
        self.wants_snapshot = false;
        cx.timers.clear(Timer::Topic(self.topic, TopicTimer::Snapshot));
    }

    /// Sets the time of the next request, not too soon after the last one. Requests in flight are
    /// waited for.
    fn schedule_snapshot(&self, cx: &mut Shared, delay: Duration) {
        if self.request.is_some() || !self.confirmed {
            return;
        }
        let spaced = self.last_asked.map_or(Instant::ZERO, |at| at + cx.config.snapshot_spacing);
        let at = (cx.now + delay).max(spaced).max(self.paused_until);
        cx.timers.set(Timer::Topic(self.topic, TopicTimer::Snapshot), at);
    }

    fn is_too_old(&self, snapshot: Sequence) -> bool {
        let before_run =
            self.pending.first().is_some_and(|first| snapshot.next().is_some_and(|n| n < first));
        let before_past = self.reached.is_some_and(|reached| snapshot < reached);
        before_run || before_past
    }
}
