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

use core::time::Duration;

use super::feeds::Feeds;
use super::overlap::Overlap;
use super::pending::{Pending, Pushed};
use super::poison::Poison;
use super::watch::{Verdict, Watch};
use super::{Apply, Book};
use crate::backoff::Backoff;
use crate::config::Config;
use crate::error::WireError;
use crate::ids::{Epoch, LineId, RequestId, Sequence, Symbol, TopicId};
use crate::output::{Delay, Event, ResyncReason};
use crate::shared::Shared;
use crate::time::{Instant, UnixNanos};
use crate::timers::{Timer, TopicTimer};
use crate::wire::{Delta, SnapshotHead};

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
/// longer was loaded from before a restart of the counter.
const CATCH_UP: Duration = Duration::from_secs(5);

/// A longer pause between two deltas counts as this.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// How often in a row a snapshot is refused on mere suspicion. The exchange's clocks may disagree,
/// and a repeat may be a repeat: suspicion costs time, never the book.
const SUSPICIONS: u8 = 3;

/// How far the exchange's own times may be apart where one should not be later than the other.
const TIME_SLACK: Duration = Duration::from_secs(1);

/// The same where two runs of the counter are more likely than two clocks that disagree, or where a
/// moment of patience settles it. The times of deltas are cut to milliseconds, and neighbours step
/// back by one.
const TIME_STEP: Duration = Duration::from_millis(5);

/// One book and all that keeps it honest. In this order in memory: what every delta needs lies
/// together, and the rest behind it.
#[derive(Clone)]
#[repr(C)]
pub(crate) struct BookSync {
    status: BookStatus,
    crossed: bool,
    /// Suspicions in a row; facts reset it.
    suspicions: u8,
    topic: TopicId,
    /// How long the stream has been behind the live book, and when that was last added to.
    behind: Duration,
    /// What the stream said of what the snapshot contains; `None` once a delta has followed it.
    overlap: Option<Overlap>,
    feeds: Feeds,
    book: Book,
    behind_at: Instant,
    pending: Pending,
    /// An ack has come since the feed began.
    confirmed: bool,
    /// A delta came with or after the ack.
    moving: bool,
    /// The counter was set back: only what the stream has passed since is surely of the new run.
    restarted: bool,
    /// It is time to ask for a snapshot; the desk does so when the budgets allow.
    wants_snapshot: bool,
    epoch: u32,
    /// The highest sequence this symbol has shown; a snapshot below is from the past.
    reached: Option<Sequence>,
    /// The time that the snapshot said, if it said one.
    loaded_ts: Option<UnixNanos>,
    request: Option<RequestId>,
    /// The snapshot in `book` may be of the old run of a restarted counter, until the stream has
    /// passed it.
    held: Option<SnapshotHead>,
    last_asked: Option<Instant>,
    too_old_in_a_row: u32,
    /// Where the buffered run ended when the last useless snapshot came.
    silent_at: Option<Sequence>,
    retry: Backoff,
    poison: Poison,
}

impl BookSync {
    pub(crate) fn new(topic: TopicId, config: &Config) -> Self {
        Self {
            topic,
            status: BookStatus::Idle,
            book: Book::new(config.snapshot_levels, config.max_levels_per_side),
            pending: Pending::new(),
            feeds: Feeds::default(),
            confirmed: false,
            moving: false,
            reached: None,
            restarted: false,
            suspicions: 0,
            epoch: 0,
            behind: Duration::ZERO,
            behind_at: Instant::ZERO,
            loaded_ts: None,
            overlap: None,
            crossed: false,
            wants_snapshot: false,
            request: None,
            held: None,
            last_asked: None,
            too_old_in_a_row: 0,
            silent_at: None,
            retry: Backoff::new(config.snapshot_spacing / 4, config.snapshot_backoff_cap),
            poison: Poison::new(),
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
    #[inline]
    pub(crate) fn on_delta(&mut self, cx: &mut Shared, line: LineId, delta: Delta) {
        // Nearly always it is the next one of a live book with one line, and there is nothing to judge.
        if self.status == BookStatus::Live
            && self.overlap.is_none()
            && let Some(watch) = self.feeds.only(line)
            && watch.is_next(delta.sequence)
            && self.book.apply(&delta) == Apply::Applied
        {
            watch.accept(delta.sequence, delta);
            return self.on_applied(cx, delta);
        }
        self.judge(cx, line, delta);
    }

    /// A delta that may be anything.
    fn judge(&mut self, cx: &mut Shared, line: LineId, delta: Delta) {
        // A run that is still buffered knows what its sequences said, however far back.
        let known = self.pending.at(delta.sequence);
        let differs = known.is_some_and(|known| known != delta);
        let watch = self.feed(line);
        let mut verdict = watch.judge(delta.sequence, delta);
        if matches!(verdict, Verdict::Repeat | Verdict::Before) {
            // Whatever is repeated was made before the newest delta.
            let newest = watch.newest().and_then(|newest| newest.ts_event);
            if differs || is_later(delta.ts_event, newest, TIME_STEP) {
                verdict = watch.restart(delta.sequence, delta);
            }
        }
        match verdict {
            // planted: repeats-uncounted
            Verdict::Repeat => cx.stats.repeats = cx.stats.repeats.saturating_add(1),
            Verdict::Before if known.is_some() => {
                cx.stats.repeats = cx.stats.repeats.saturating_add(1);
            }
            Verdict::Restarted => {
                self.on_restart(cx);
                self.buffer(cx, delta);
            }
            Verdict::New | Verdict::Before if self.status == BookStatus::Live => {
                self.apply(cx, delta);
            }
            Verdict::New | Verdict::Before => self.buffer(cx, delta),
        }
    }

    /// A frame of this topic could not be decoded: whatever it said is missing now.
    pub(crate) fn on_poison(&mut self, cx: &mut Shared, line: LineId, error: WireError) {
        cx.stats.poisoned = cx.stats.poisoned.saturating_add(1);
        self.feed(line);
        self.poison.count(cx.now, cx.config.poison_pause);
        // A snapshot that was asked for before may not contain what was missed.
        self.reached = self.reached.max(self.pending.last());
        self.pending.clear();
        self.request = None;
        self.held = None;
        // planted: poison-skipped
        self.doubt(cx, ResyncReason::Poisoned(error), Delay::Poisoned(error));
    }

    /// A line is down, or does not carry the topic any more.
    pub(crate) fn on_feed_lost(&mut self, cx: &mut Shared, line: LineId) {
        self.feeds.remove(line);
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
        if self.held.take().is_some() {
            self.suspect();
        }
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
        // planted: other-request
        self.request == Some(request)
    }

    /// The snapshot that was asked for could not be had, or is of no use.
    pub(crate) fn on_no_snapshot(&mut self, cx: &mut Shared, reason: Delay) {
        self.request = None;
        cx.event(Event::BookDelayed { topic: self.topic, reason });
        let delay = cx.config.snapshot_spacing.saturating_add(self.retry.next(&mut cx.rng));
        self.schedule_snapshot(cx, delay);
    }

    /// The snapshot that was asked for is here: it goes into the book as it is read, which nobody
    /// can see before it is live.
    pub(crate) fn on_snapshot(
        &mut self,
        cx: &mut Shared,
        symbol: Symbol,
        body: &[u8],
    ) -> Result<(), WireError> {
        debug_assert!(self.status == BookStatus::Buffering, "it was asked for");
        let snapshot = self.book.read(body)?;
        // planted: other-symbol
        if snapshot.symbol != symbol {
            return Err(WireError::Mismatch { field: "symbol" });
        }
        if self.is_early(&snapshot) {
            self.request = None;
            self.held = Some(snapshot);
            self.schedule_snapshot(cx, CATCH_UP);
        } else {
            self.try_snapshot(cx, &snapshot);
        }
        Ok(())
    }

    /// Whether what the stream will say next may show the snapshot to be of another run of the
    /// counter.
    fn is_early(&self, snapshot: &SnapshotHead) -> bool {
        let Some(last) = self.pending.last() else { return false };
        // After a restart, what the stream has not passed may be of the run before.
        let ahead = self.restarted && snapshot.sequence > last;
        // What follows the snapshot was made before it was taken: its service lags behind the
        // stream, or the counter was set back and the stream does not know yet.
        let ts = |sequence: Option<Sequence>| self.pending.at(sequence?)?.ts_event;
        let outdated = is_later(snapshot.ts_event, ts(snapshot.sequence.next()), TIME_STEP)
            && is_later(snapshot.ts_event, ts(Some(last)), TIME_STEP);
        // A stream that has fallen silent settles neither.
        // planted: ahead-for-ever
        (ahead || outdated) && self.suspicions < SUSPICIONS
    }

    /// The snapshot that is in the book: whether it fits what the stream says.
    fn try_snapshot(&mut self, cx: &mut Shared, snapshot: &SnapshotHead) {
        if !self.fits(snapshot) || self.suspects(snapshot) {
            cx.stats.snapshots_too_old = cx.stats.snapshots_too_old.saturating_add(1);
            self.lose_patience(cx, snapshot);
            let reason = Delay::SnapshotTooOld { snapshot: snapshot.sequence };
            return self.on_no_snapshot(cx, reason);
        }
        let (overlap, passed) = self.overlap_with(cx, snapshot.sequence);
        if passed && !overlap.agrees_with(&self.book) {
            // One of the two is of another run of the counter, and nobody can say which.
            return self.on_restart(cx);
        }
        cx.stats.snapshots = cx.stats.snapshots.saturating_add(1);
        cx.timers.clear(Timer::Topic(self.topic, TopicTimer::Snapshot));
        self.wants_snapshot = false;
        self.request = None;
        self.too_old_in_a_row = 0;
        self.restarted = false;
        self.retry.reset();
        self.status = next(self.status, Cause::SnapshotFits);
        self.loaded_ts = snapshot.ts_event;
        self.overlap = (self.pending.last() <= Some(snapshot.sequence)).then_some(overlap);
        let book = &mut self.book;
        let gap = self.pending.drain().find_map(|delta| match book.apply(&delta) {
            Apply::Gap { expected } => Some(ResyncReason::Gap { expected, got: delta.sequence }),
            Apply::Applied | Apply::Repeat => None,
        });
        debug_assert!(gap.is_none(), "the run is unbroken and starts at or before the snapshot");
        match gap {
            None => self.go_live(cx),
            Some(reason) => self.resync(cx, reason),
        }
    }

    /// What the buffered run says of the levels that a snapshot at `sequence` contains, and whether
    /// the run has come that far.
    fn overlap_with(&self, cx: &Shared, sequence: Sequence) -> (Overlap, bool) {
        let mut overlap = Overlap::default();
        for delta in self.pending.iter().take_while(|delta| delta.sequence <= sequence) {
            overlap.note(delta, cx.config.max_pending_deltas);
        }
        (overlap, self.pending.last().is_some_and(|last| last >= sequence))
    }

    /// Ten useless snapshots, and nothing but our own past speaks against them: the counter was set
    /// back while we were away, or before the line had brought a delta to tell it by.
    fn lose_patience(&mut self, cx: &mut Shared, snapshot: &SnapshotHead) {
        let is_before_run = self.is_before_run(snapshot);
        let run = self.pending.last();
        if is_before_run && self.contradicts_run(snapshot, run) {
            self.too_old_in_a_row = 0;
            return;
        }
        self.too_old_in_a_row = self.too_old_in_a_row.saturating_add(1);
        if self.too_old_in_a_row >= cx.config.snapshot_patience {
            if self.is_before_past(snapshot) || is_before_run {
                cx.event(Event::BookDelayed { topic: self.topic, reason: Delay::Regressed });
            }
            self.reached = None;
            self.restarted = false;
            // A run that is buffered is the new one's already, if it continues the snapshots.
            if is_before_run {
                self.pending.clear();
            }
            if self.pending.len() == 0 {
                self.feeds.forget();
            }
        }
    }

    /// Whether what is buffered speaks against a snapshot that it does not continue: its stream goes
    /// on, or the snapshot is no later than the end of it. A stream that fell silent and snapshots
    /// that are later than all it has said are of two runs of the counter.
    fn contradicts_run(&mut self, snapshot: &SnapshotHead, run: Option<Sequence>) -> bool {
        let goes_on = core::mem::replace(&mut self.silent_at, run) != run;
        let end = run.and_then(|last| self.pending.at(last)).and_then(|last| last.ts_event);
        let told = snapshot.ts_event.is_some() && end.is_some();
        // planted: silent-run-for-ever
        goes_on || (told && !is_later(snapshot.ts_event, end, TIME_SLACK))
    }

    /// A book that was crossed a second ago is crossed still, or again.
    pub(crate) fn on_crossed_for_long(&mut self, cx: &mut Shared) {
        // planted: crossed-unseen
        if self.status == BookStatus::Live && self.crossed {
            self.resync(cx, ResyncReason::Crossed);
        }
    }

    fn feed(&mut self, line: LineId) -> &mut Watch<Delta> {
        self.status = next(self.status, Cause::Fed);
        self.feeds.of(line, self.reached)
    }

    fn apply(&mut self, cx: &mut Shared, delta: Delta) {
        if delta.sequence > self.book.sequence()
            && let Some(overlap) = self.overlap.take()
        {
            let outdated = is_later(self.loaded_ts, delta.ts_event, TIME_STEP);
            // planted: overlap-unseen
            if !overlap.agrees_with(&self.book) || (outdated && self.suspect()) {
                self.on_restart(cx);
                return self.buffer(cx, delta);
            }
        }
        match self.book.apply(&delta) {
            Apply::Applied => self.on_applied(cx, delta),
            Apply::Repeat => {
                cx.stats.covered = cx.stats.covered.saturating_add(1);
                if let Some(overlap) = &mut self.overlap {
                    overlap.note(&delta, cx.config.max_pending_deltas);
                }
                let behind = self.is_behind_for_long(cx.now);
                let later = is_later(delta.ts_event, self.loaded_ts, TIME_SLACK);
                if behind || (later && self.suspect()) {
                    self.on_restart(cx);
                }
            }
            Apply::Gap { expected } => {
                cx.stats.gaps = cx.stats.gaps.saturating_add(1);
                // planted: gap-ignored
                self.resync(cx, ResyncReason::Gap { expected, got: delta.sequence });
                self.buffer(cx, delta);
            }
        }
    }

    // Not into its callers: there the event is put together in one more place and copied from it.
    #[inline(never)]
    fn on_applied(&mut self, cx: &mut Shared, delta: Delta) {
        cx.stats.deltas = cx.stats.deltas.wrapping_add(1);
        self.suspicions = 0;
        self.behind = Duration::ZERO;
        // planted: told-twice
        cx.delta_event(self.topic, delta);
        // planted: horizon-unseen
        let is_short = self.book.short_side(cx.config.refresh_below).is_some();
        if is_short || self.crossed || self.book.is_crossed_by(&delta) {
            self.check(cx);
        }
    }

    /// Adds up the time that the stream has been behind. A pause between two deltas counts little:
    /// whoever drives the client may have been away, and what comes then is old for that reason.
    fn is_behind_for_long(&mut self, now: Instant) -> bool {
        self.behind = self.behind.saturating_add(now.since(self.behind_at).min(LONGEST_PAUSE));
        self.behind_at = now;
        self.behind > CATCH_UP
    }

    fn buffer(&mut self, cx: &mut Shared, delta: Delta) {
        // A stream that stays behind what the book had reached shows that this was of another run.
        if self.reached.is_some_and(|reached| delta.sequence < reached) {
            if self.is_behind_for_long(cx.now) {
                self.on_restart(cx);
            }
        } else {
            self.behind = Duration::ZERO;
        }
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
        if self.held.as_ref().is_some_and(|held| !self.is_early(held))
            && let Some(held) = self.held.take()
        {
            self.try_snapshot(cx, &held);
        }
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
        self.held = None;
        // planted: restart-untold
        self.doubt(cx, ResyncReason::Regressed, Delay::Regressed);
        self.reached = None;
        self.restarted = true;
    }

    fn doubt(&mut self, cx: &mut Shared, if_live: ResyncReason, if_not: Delay) {
        if self.status == BookStatus::Live {
            self.resync(cx, if_live);
        } else {
            cx.event(Event::BookDelayed { topic: self.topic, reason: if_not });
            // A request that is due already, or put off, stays as it is.
            let timer = Timer::Topic(self.topic, TopicTimer::Snapshot);
            if !self.wants_snapshot && !cx.timers.is_set(timer) {
                let delay = cx.config.snapshot_delay;
                self.schedule_snapshot(cx, delay);
            }
        }
    }

    /// Checks what every applied delta can break.
    #[cold]
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
        // planted: same-epoch
        self.epoch = self.epoch.saturating_add(1);
        self.behind = Duration::ZERO;
        self.behind_at = cx.now;
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
        self.overlap = None;
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
        self.too_old_in_a_row = 0;
        self.restarted = false;
        self.confirmed = false;
        self.moving = false;
        self.request = None;
        self.held = None;
        self.wants_snapshot = false;
        cx.timers.clear(Timer::Topic(self.topic, TopicTimer::Snapshot));
    }

    /// Sets the time of the next request, not too soon after the last one. Requests in flight are
    /// waited for.
    fn schedule_snapshot(&self, cx: &mut Shared, delay: Duration) {
        if self.request.is_some() || !self.confirmed {
            return;
        }
        // planted: snapshots-at-once
        let spaced = self.last_asked.map_or(Instant::ZERO, |at| at + cx.config.snapshot_spacing);
        let at = (cx.now + delay).max(spaced).max(self.poison.paused_until());
        cx.timers.set(Timer::Topic(self.topic, TopicTimer::Snapshot), at);
    }

    /// Whether the buffered run continues the snapshot, as far as can be told.
    fn fits(&self, snapshot: &SnapshotHead) -> bool {
        // After a restart both runs may have been at this sequence. What the stream has said since is
        // of the new one; anything before and after may be the old one's.
        let sequence = Some(snapshot.sequence);
        let is_seen = self.pending.first().is_some_and(|first| Some(first) <= sequence)
            && sequence <= self.pending.last();
        // planted: unproven-accepted
        let is_unproven = self.restarted && !is_seen;
        // planted: stale-snapshot
        !(self.is_before_run(snapshot) || self.is_before_past(snapshot) || is_unproven)
    }

    /// Whether deltas are missing between the snapshot and the buffered run.
    fn is_before_run(&self, snapshot: &SnapshotHead) -> bool {
        // planted: one-missing-behind-snapshot
        let next = snapshot.sequence.next();
        self.pending.first().is_some_and(|first| next.is_some_and(|next| next < first))
    }

    /// Whether the book had reached further than the snapshot.
    fn is_before_past(&self, snapshot: &SnapshotHead) -> bool {
        self.reached.is_some_and(|reached| snapshot.sequence < reached)
    }

    /// Whether the snapshot and the run may be of different runs of the counter; a few times only.
    fn suspects(&mut self, snapshot: &SnapshotHead) -> bool {
        // planted: doubt-unspent
        (self.feeds.are_in_doubt() || self.contradicts(snapshot)) && self.suspect()
    }

    /// Spends a suspicion, if one is left.
    const fn suspect(&mut self) -> bool {
        let left = self.suspicions < SUSPICIONS;
        self.suspicions = self.suspicions.saturating_add(1);
        left
    }

    /// What a snapshot contains is not later than the snapshot; what follows it is not much earlier.
    /// Otherwise the two are of different runs of the counter.
    fn contradicts(&self, snapshot: &SnapshotHead) -> bool {
        let ts = |sequence: Option<Sequence>| self.pending.at(sequence?)?.ts_event;
        let contained = ts(Some(snapshot.sequence));
        let following = ts(snapshot.sequence.next());
        let slack = if self.restarted { TIME_STEP } else { TIME_SLACK };
        is_later(contained, snapshot.ts_event, slack)
            || is_later(snapshot.ts_event, following, slack)
    }
}

/// Whether `a` is later than `b` by more than `slack`; never, if one is not known.
fn is_later(a: Option<UnixNanos>, b: Option<UnixNanos>, slack: Duration) -> bool {
    let (Some(a), Some(b)) = (a, b) else { return false };
    let ahead = a.as_nanos().saturating_sub(b.as_nanos());
    Duration::from_nanos(ahead) > slack
}

#[cfg(test)]
mod tests;
