//! Whether two things that the exchange said are of the same run of its counter.
//!
//! The exchange's sequences start anew after a maintenance, anywhere below where they were. What the
//! old run and the new one say fits together by number, and not by content. This component is shown
//! deltas, snapshots and the time, names the [`Evidence`] that it sees in them, and has [`decide`] say
//! what follows from it. Nothing else judges whether the counter was set back.

mod carriers;
mod evidence;
mod skew;
mod snapshot_check;
mod tracker;

use core::time::Duration;

use super::Book;
use super::buffer::DeltaBuffer;
use crate::ids::{LineId, Sequence};
use crate::num::Price;
use crate::time::{Instant, UnixNanos};
use crate::wire::{Delta, SnapshotHead};
use carriers::Carriers;
pub use evidence::Evidence;
use evidence::{Ruling, Stage, decide};
use skew::{Skew, Times};
pub(in crate::book) use snapshot_check::SnapshotCheck;
use tracker::{Place, SequenceTracker};

/// Doubts in a row that have a consequence. An applied delta gives them back.
const DOUBTS: u8 = 3;

/// For so long at most a line may bring what is of the run before: by then it has answered a ping that was sent
/// after another line had shown the reset, or is down.
const FORMER: Duration = Duration::from_secs(30);

/// How long a snapshot may be ahead of the stream. A book whose stream stays behind it for longer was
/// loaded from before a reset of the counter.
pub(super) const CATCH_UP: Duration = Duration::from_secs(5);

/// A pause between two deltas counts as this at most: the caller may have been away, and what comes
/// then is old for that reason.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// What was made later than something else by the same clock is later by more than this: times of deltas are
/// cut to milliseconds, and neighbours step back by one.
const TIME_STEP: Duration = Duration::from_millis(5);

/// What is known of the counter's present run. In this order in memory: what each delta needs first.
#[derive(Clone)]
#[repr(C)]
pub(super) struct Lineage {
    doubts: u8,
    /// The counter was set back: only what the stream has passed since is surely of the new run.
    after_reset: bool,
    /// For how long the stream has been behind the book.
    behind: Duration,
    carriers: Carriers,
    /// When `behind` was last added to.
    behind_at: Instant,
    /// The highest sequence that the book has shown: a snapshot below is from the past.
    high_water: Option<Sequence>,
    /// When the book last went live.
    live_at: Instant,
    /// How far the clocks of snapshots and deltas are apart.
    skew: Skew,
    /// Useless snapshots in a row.
    refused: u32,
    /// Where the buffer ended when a snapshot was last asked for.
    known_when_asked: Option<Sequence>,
    /// The last snapshot was not older than that: its service does not lag.
    is_served_fresh: bool,
    /// Where the buffer ended when the last useless snapshot came.
    silent_at: Option<Sequence>,
}

/// What a delta is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Heard {
    /// The next one, or further on.
    New {
        /// What came before it on this line is a repeat by its number, and nobody knows whether it says
        /// what it said before: it may be the first of a new run.
        is_unsure: bool,
    },
    /// Nothing new.
    Repeat,
    /// Old, but the line has said nothing newer itself: to be held against the snapshot.
    Before,
    /// The first that is known of a new run.
    NewRun(Evidence),
    /// Of the run before, most likely: another line has shown that the counter was set back, and this one has
    /// not.
    Former,
}

/// What a snapshot is.
#[derive(Debug)]
pub(super) enum Judgement {
    /// The buffered deltas continue it. The check goes on if none of them follows it yet.
    Fits(Option<SnapshotCheck>),
    /// What the stream says next settles it.
    Wait(Evidence),
    /// Deltas are missing between it and the buffer (`None`), or it may be of another run.
    Retry(Option<Evidence>),
    /// It and the buffered deltas are of two runs of the counter.
    NewRun(Evidence),
}

impl Lineage {
    pub(super) fn new() -> Self {
        Self {
            doubts: 0,
            after_reset: false,
            behind: Duration::ZERO,
            carriers: Carriers::default(),
            behind_at: Instant::ZERO,
            high_water: None,
            live_at: Instant::ZERO,
            skew: Skew::new(),
            refused: 0,
            known_when_asked: None,
            is_served_fresh: false,
            silent_at: None,
        }
    }

    // Lines.

    /// The tracker of a line, if no other line carries the topic.
    #[inline]
    pub(super) fn only(&mut self, line: LineId) -> Option<&mut SequenceTracker> {
        self.carriers.only(line)
    }

    /// The tracker of a line that is of the present run.
    #[inline]
    pub(super) fn present(&mut self, line: LineId) -> Option<&mut SequenceTracker> {
        self.carriers.present(line)
    }

    /// Whether several lines carry the topic.
    #[inline]
    pub(super) const fn is_shared(&self) -> bool {
        self.carriers.are_several()
    }

    /// The lines that are of the present run, and which of them have brought something beyond `reached`.
    pub(super) fn beyond(&self, reached: Sequence) -> impl Iterator<Item = (LineId, bool)> {
        self.carriers.beyond(reached)
    }

    /// What another line than this one has said at a sequence a moment ago.
    pub(super) fn said_beside(&self, line: LineId, sequence: Sequence) -> Option<Delta> {
        self.carriers.said_beside(line, sequence)
    }

    /// The newest that a line has brought.
    pub(super) fn newest(&mut self, line: LineId) -> Option<Sequence> {
        Some(self.carriers.present(line)?.newest()?.sequence)
    }

    /// A line carries the topic: a new one is held against what the book had reached.
    pub(super) fn carry(&mut self, line: LineId) {
        self.carriers.of(line, self.high_water);
    }

    /// A line does not carry the topic any more; true if none is left.
    pub(super) fn drop_line(&mut self, line: LineId) -> bool {
        self.carriers.remove(line);
        self.carriers.is_empty()
    }

    // Deltas.

    /// What a delta of a line is; `known` is what was said at its sequence, by this line or another.
    pub(super) fn hear(
        &mut self,
        now: Instant,
        line: LineId,
        delta: Delta,
        known: Option<Delta>,
    ) -> Heard {
        let is_shared = self.carriers.are_several();
        let carrier = self.carriers.of(line, self.high_water);
        if carrier.former_until.is_some_and(|until| now < until) {
            let is_same = known.is_some_and(|known| says_same(&known, &delta));
            let is_back =
                matches!(carrier.tracker.place(&delta), Place::Old { evidence: Some(_), .. });
            if !is_same && !is_back {
                return Heard::Former;
            }
            carrier.former_until = None;
            carrier.tracker.restart(&delta);
            return Heard::New { is_unsure: false };
        }
        carrier.former_until = None;
        let tracker = &mut carrier.tracker;
        let is_unsure = tracker.is_unsure();
        let (is_own, evidence) = match tracker.place(&delta) {
            // What another line has said at this sequence it says, too, or they are of two runs.
            Place::New if known.is_none_or(|known| says_same(&known, &delta)) => {
                return Heard::New { is_unsure };
            }
            Place::New => (true, Some(Evidence::RepeatDiffers)),
            Place::Old { is_own, evidence } => (is_own, evidence),
        };
        let differs = known.is_some_and(|known| match is_shared {
            true => !says_same(&known, &delta),
            false => known != delta,
        });
        let newest = tracker.newest().and_then(|newest| newest.ts_event);
        let found = [
            evidence,
            differs.then_some(Evidence::RepeatDiffers),
            is_later(delta.ts_event, newest, TIME_STEP).then_some(Evidence::RepeatIsNewer),
        ];
        for evidence in found.into_iter().flatten() {
            if self.rule(Stage::Stream, evidence) == Ruling::NewRun {
                self.carriers.of(line, None).tracker.restart(&delta);
                self.carriers.leave_behind(line, now + FORMER);
                return Heard::NewRun(evidence);
            }
        }
        if is_own || known.is_some() { Heard::Repeat } else { Heard::Before }
    }

    /// A delta goes into the buffer.
    pub(super) fn on_buffered(&mut self, now: Instant, delta: &Delta) -> Option<Evidence> {
        if self.high_water.is_none_or(|reached| delta.sequence >= reached) {
            self.behind = Duration::ZERO;
            return None;
        }
        let behind = self.stays_behind(now);
        self.new_run_if(behind, Evidence::StreamStaysBehind)
    }

    /// The live book took a delta: one run, as far as can be told.
    #[inline]
    pub(super) const fn on_applied(&mut self) {
        self.doubts = 0;
        self.behind = Duration::ZERO;
    }

    /// A delta came that the live book has passed; `is_contained` if the snapshot that it began with had.
    pub(super) fn on_covered(
        &mut self,
        now: Instant,
        delta: &Delta,
        is_contained: bool,
    ) -> Option<Evidence> {
        let behind = self.stays_behind(now);
        if !is_contained {
            return self.new_run_if(behind, Evidence::StreamStaysBehind);
        }
        let times = Times { contained: delta.ts_event, ..self.loaded() };
        self.skew.see_delta(delta.ts_event);
        let later = self.skew.is_too_early(times);
        self.skew.narrow(times);
        self.new_run_if(behind, Evidence::StreamStaysBehind)
            .or_else(|| self.new_run_if(later, Evidence::ContainedIsLater))
    }

    /// The first delta came that follows the snapshot in the book.
    pub(super) fn on_follower(
        &mut self,
        delta: &Delta,
        check: &SnapshotCheck,
        book: &Book,
    ) -> Option<Evidence> {
        let times = Times { follower: delta.ts_event, ..self.loaded() };
        self.skew.see_delta(delta.ts_event);
        let earlier = self.skew.is_too_late(times);
        self.skew.narrow(times);
        // planted: overlap-unseen
        if !check.agrees_with(book) {
            return self.new_run_if(true, Evidence::SnapshotDiffers);
        }
        self.new_run_if(earlier, Evidence::FollowerIsEarlier)
            .or_else(|| self.on_doubtful(delta, book))
    }

    /// A delta came for the live book that may be of a new run, for all its number says.
    pub(super) fn on_doubtful(&mut self, delta: &Delta, book: &Book) -> Option<Evidence> {
        self.new_run_if(changes_nothing(delta, book), Evidence::ChangesNothing)
    }

    // Snapshots.

    /// A snapshot is asked for while the buffer ends here.
    pub(super) const fn on_asked(&mut self, last: Option<Sequence>) {
        self.known_when_asked = last;
    }

    /// Judges the snapshot that was loaded into `book`. At most `cap` levels are compared.
    pub(super) fn judge(
        &mut self,
        snapshot: &SnapshotHead,
        buffer: &DeltaBuffer,
        book: &Book,
        cap: usize,
    ) -> Judgement {
        buffer.iter().for_each(|delta| self.skew.see_delta(delta.ts_event));
        self.skew.see_snapshot(snapshot.ts_event);
        if let Some(ruled) = self.rule_any(self.early_evidence(snapshot, buffer)) {
            return ruled;
        }
        if is_before(snapshot, buffer) {
            return Judgement::Retry(None);
        }
        if let Some(ruled) = self.rule_any(self.evidence(snapshot, buffer)) {
            return ruled;
        }
        if let Some(ruled) = self.rule_any(self.late_evidence(snapshot, buffer)) {
            self.is_served_fresh = false;
            return ruled;
        }
        let check = SnapshotCheck::of(buffer, snapshot.sequence, cap);
        let is_passed = buffer.last().is_some_and(|last| last >= snapshot.sequence);
        let follower = snapshot.sequence.next().and_then(|next| buffer.at(next));
        let is_no_change = follower.is_some_and(|follower| changes_nothing(&follower, book));
        let found = [
            (Evidence::SnapshotDiffers, is_passed && !check.agrees_with(book)),
            (Evidence::ChangesNothing, is_no_change),
        ];
        if let Some(ruled) = self.rule_any(found) {
            return ruled;
        }
        self.refused = 0;
        self.after_reset = false;
        self.is_served_fresh =
            self.known_when_asked.is_some_and(|known| snapshot.sequence >= known);
        self.skew.load(times_around(snapshot, buffer));
        Judgement::Fits((buffer.last() <= Some(snapshot.sequence)).then_some(check))
    }

    /// Whether a snapshot that waits for the stream still does.
    pub(super) fn still_waits(&self, snapshot: &SnapshotHead, buffer: &DeltaBuffer) -> bool {
        let left = self.doubts < DOUBTS;
        self.early_evidence(snapshot, buffer).into_iter().any(|(evidence, holds)| {
            holds && matches!(decide(Stage::Snapshot, evidence, left), Ruling::Wait)
        })
    }

    /// The stream has not settled in time what a snapshot waited for.
    pub(super) const fn give_up_waiting(&mut self) {
        self.doubts = self.doubts.saturating_add(1);
    }

    /// What the stream will say next may show this snapshot to be of another run.
    fn early_evidence(
        &self,
        snapshot: &SnapshotHead,
        buffer: &DeltaBuffer,
    ) -> [(Evidence, bool); 2] {
        let Some(last) = buffer.last() else {
            return [(Evidence::AheadAfterReset, false), (Evidence::StreamIsEarlier, false)];
        };
        // After a reset, what the stream has not passed may be of the run before.
        let ahead = self.after_reset && snapshot.sequence > last;
        // What follows the snapshot was made before it was taken: its service lags behind the stream,
        // or the counter was set back and the stream does not know yet.
        let follower = follower_time(snapshot, buffer);
        let earlier = [follower, time_at(buffer, Some(last))].into_iter().all(|follower| {
            let times = Times { snapshot: snapshot.ts_event, follower, contained: None };
            self.skew.is_too_late(times)
        });
        [(Evidence::AheadAfterReset, ahead), (Evidence::StreamIsEarlier, earlier)]
    }

    fn evidence(&self, snapshot: &SnapshotHead, buffer: &DeltaBuffer) -> [(Evidence, bool); 5] {
        // planted: stale-snapshot
        let is_below = self.is_below_high_water(snapshot);
        let is_unproven = self.after_reset && !buffer.spans(snapshot.sequence);
        let times = times_around(snapshot, buffer);
        let is_too_early = self.skew.is_too_early(times);
        let is_too_late = self.skew.is_too_late(times);
        let is_in_doubt = self.carriers.are_in_doubt();
        [
            (Evidence::BelowHighWater, is_below),
            (Evidence::UnprovenAfterReset, is_unproven),
            (Evidence::RepeatInDoubt, is_in_doubt),
            (Evidence::ContainedIsLater, is_too_early),
            (Evidence::FollowerIsEarlier, is_too_late),
        ]
    }

    /// What the next snapshot settles: by then the stream has shown a restart, if there was one.
    fn late_evidence(
        &self,
        snapshot: &SnapshotHead,
        buffer: &DeltaBuffer,
    ) -> [(Evidence, bool); 1] {
        let is_vouched_for = self.skew.is_surely_before(times_around(snapshot, buffer));
        let is_odd = self.is_served_fresh && self.is_older_than_asked(snapshot);
        [(Evidence::OlderThanAsked, is_odd && !is_vouched_for)]
    }

    fn is_older_than_asked(&self, snapshot: &SnapshotHead) -> bool {
        self.known_when_asked.is_some_and(|known| snapshot.sequence < known)
    }

    /// A snapshot was refused. True when patience is at its end: `patience` in a row, and nothing but
    /// our own past speaks against them. The counter was set back while no line carried the topic, or
    /// before the line had brought a delta to tell it by; the past is forgotten.
    pub(super) fn on_refused(
        &mut self,
        snapshot: &SnapshotHead,
        buffer: &mut DeltaBuffer,
        patience: u32,
    ) -> Option<Evidence> {
        let is_before = is_before(snapshot, buffer);
        if is_before && self.contradicts(snapshot, buffer) {
            self.refused = 0;
            return None;
        }
        self.refused = self.refused.saturating_add(1);
        if self.refused < patience {
            return None;
        }
        let is_behind = is_before || self.is_below_high_water(snapshot);
        self.high_water = None;
        self.after_reset = false;
        // A run that is buffered is the new one's already, if it continues the snapshots.
        if is_before {
            buffer.clear();
        }
        if buffer.is_empty() {
            self.carriers.forget();
        }
        self.new_run_if(is_behind, Evidence::SnapshotsStayBehind)
    }

    /// Whether the buffer speaks against a snapshot that it does not continue: its stream goes on, or
    /// the snapshot is no later than the end of it. A stream that fell silent and snapshots that are
    /// later than all it has said are of two runs of the counter.
    fn contradicts(&mut self, snapshot: &SnapshotHead, buffer: &DeltaBuffer) -> bool {
        let last = buffer.last();
        let goes_on = core::mem::replace(&mut self.silent_at, last) != last;
        let end = time_at(buffer, last);
        let told = snapshot.ts_event.is_some() && end.is_some();
        let times = Times { snapshot: snapshot.ts_event, follower: end, contained: None };
        // planted: silent-run-for-ever
        goes_on || (told && !self.skew.is_too_late(times))
    }

    fn is_below_high_water(&self, snapshot: &SnapshotHead) -> bool {
        self.high_water.is_some_and(|reached| snapshot.sequence < reached)
    }

    // The run.

    /// The book is live.
    pub(super) const fn on_live(&mut self, now: Instant) {
        self.behind = Duration::ZERO;
        self.behind_at = now;
        self.live_at = now;
    }

    /// The book is not live any more; it had come this far.
    pub(super) fn on_left(&mut self, now: Instant, sequence: Sequence) {
        self.reach(Some(sequence));
        let has_passed_it = self.behind.is_zero();
        self.skew.unload(has_passed_it && now.since(self.live_at) > CATCH_UP);
    }

    /// The topic has come this far, as far as was told.
    pub(super) fn reach(&mut self, sequence: Option<Sequence>) {
        self.high_water = self.high_water.max(sequence);
    }

    /// A new run of the counter has begun: how far the old one came means nothing.
    pub(super) const fn on_new_run(&mut self) {
        self.high_water = None;
        self.known_when_asked = None;
        self.after_reset = true;
    }

    /// No line carries the topic any more.
    pub(super) const fn on_lines_lost(&mut self) {
        self.refused = 0;
        self.after_reset = false;
    }

    /// The book is not wanted any more: nothing is known of its counter.
    pub(super) fn forget(&mut self) {
        self.carriers.clear();
        self.high_water = None;
    }

    /// The time of the snapshot in the book.
    fn loaded(&self) -> Times {
        Times { snapshot: self.skew.snapshot(), ..Times::default() }
    }

    // Rulings.

    /// What follows from evidence; spends a doubt where it is one.
    const fn rule(&mut self, stage: Stage, evidence: Evidence) -> Ruling {
        let ruling = decide(stage, evidence, self.doubts < DOUBTS);
        if evidence.is_doubt() && matches!(ruling, Ruling::Retry | Ruling::NewRun) {
            self.doubts = self.doubts.saturating_add(1);
        }
        ruling
    }

    /// What follows from the first evidence that has a consequence for a snapshot.
    fn rule_any<const N: usize>(&mut self, found: [(Evidence, bool); N]) -> Option<Judgement> {
        let holding = found.into_iter().filter(|(_, holds)| *holds);
        for (evidence, _) in holding {
            match self.rule(Stage::Snapshot, evidence) {
                Ruling::Accept => {}
                Ruling::Wait => return Some(Judgement::Wait(evidence)),
                Ruling::Retry => return Some(Judgement::Retry(Some(evidence))),
                Ruling::NewRun => return Some(Judgement::NewRun(evidence)),
            }
        }
        None
    }

    /// The evidence, if it holds and a live book's or a buffer's run is over by it.
    fn new_run_if(&mut self, holds: bool, evidence: Evidence) -> Option<Evidence> {
        (holds && self.rule(Stage::Loaded, evidence) == Ruling::NewRun).then_some(evidence)
    }

    /// Adds up the time that the stream has been behind; true once that is too long.
    fn stays_behind(&mut self, now: Instant) -> bool {
        self.behind = self.behind.saturating_add(now.since(self.behind_at).min(LONGEST_PAUSE));
        self.behind_at = now;
        self.behind > CATCH_UP
    }
}

/// Whether deltas are missing between the snapshot and the buffer.
fn is_before(snapshot: &SnapshotHead, buffer: &DeltaBuffer) -> bool {
    let next = snapshot.sequence.next();
    buffer.first().is_some_and(|first| next.is_some_and(|next| next < first))
}

/// Whether two lines say the same at a sequence. The times of the copies are not compared: whether the exchange
/// makes them once for all connections is not known.
fn says_same(one: &Delta, other: &Delta) -> bool {
    (one.side, one.price, one.size) == (other.side, other.price, other.size)
}

/// Whether the delta that comes next sets a level to the size that the book has there.
fn changes_nothing(next: &Delta, book: &Book) -> bool {
    let is_next = book.sequence().next() == Some(next.sequence);
    // planted: no-change-believed
    is_next && next.price != Price::ZERO && book.size_at(next.side, next.price) == Some(next.size)
}

/// The times of a snapshot, of the last delta that it contains and of the first that it does not.
fn times_around(snapshot: &SnapshotHead, buffer: &DeltaBuffer) -> Times {
    Times {
        snapshot: snapshot.ts_event,
        contained: time_at(buffer, Some(snapshot.sequence)),
        follower: follower_time(snapshot, buffer),
    }
}

fn follower_time(snapshot: &SnapshotHead, buffer: &DeltaBuffer) -> Option<UnixNanos> {
    time_at(buffer, snapshot.sequence.next())
}

fn time_at(buffer: &DeltaBuffer, sequence: Option<Sequence>) -> Option<UnixNanos> {
    buffer.at(sequence?)?.ts_event
}

/// Whether `a` is later than `b` by more than `slack`; never, if one is not known.
fn is_later(a: Option<UnixNanos>, b: Option<UnixNanos>, slack: Duration) -> bool {
    let (Some(a), Some(b)) = (a, b) else { return false };
    let ahead = a.as_nanos().saturating_sub(b.as_nanos());
    Duration::from_nanos(ahead) > slack
}

#[cfg(test)]
mod tests;
