//! A book and the snapshots that it asks for.

use super::{BookSync, State};
use crate::book::lineage::{CATCH_UP, Evidence, Judgement, SnapshotCheck};
use crate::book::request::Request;
use crate::book::{Apply, Book};
use crate::context::Context;
use crate::error::WireError;
use crate::event::{BookDelayReason, BookEvent, Event, TimePlace};
use crate::ids::{Epoch, RequestId, Symbol};
use crate::wire::SnapshotHead;

impl BookSync {
    /// The time to ask for a snapshot has come: whether to ask.
    pub(crate) fn on_snapshot_due(&mut self) -> bool {
        match self.state {
            State::Buffering(Request::Scheduled { .. }) => {}
            // planted: ahead-for-ever
            State::Deferred(_) => self.lineage.give_up_waiting(),
            State::Provisional(_) | State::Live => return self.audit.on_due(),
            State::Buffering(_) | State::Idle | State::Stale => return false,
        }
        self.state = State::Buffering(Request::Due);
        true
    }

    /// The scheduler has asked.
    pub(crate) fn on_asked(&mut self, cx: &Context, request: RequestId) {
        debug_assert!(self.wants_snapshot(), "asked for a snapshot that was not due");
        self.pacing.on_asked(cx.now);
        if self.is_live() {
            self.audit.on_asked(request);
        } else {
            self.state = State::Buffering(Request::InFlight(request));
            self.lineage.on_asked(self.buffer.last());
        }
    }

    /// The snapshot that was asked for could not be had, or is of no use.
    pub(crate) fn on_no_snapshot(&mut self, cx: &mut Context, reason: BookDelayReason) {
        if self.is_live() {
            return self.on_no_audit(cx, reason);
        }
        cx.event(Event::Book(self.topic, BookEvent::Delayed(reason)));
        self.state = State::Buffering(Request::Scheduled { is_still: false });
        self.pacing.schedule_retry(cx);
    }

    /// The snapshot that was asked for is here. It goes into the book as it is read, where it cannot be
    /// seen before the book is live.
    pub(crate) fn on_snapshot(
        &mut self,
        cx: &mut Context,
        symbol: Symbol,
        body: &[u8],
    ) -> Result<(), WireError> {
        if self.is_live() {
            let mut other =
                Book::new(cx.config.book.snapshot_levels, cx.config.book.max_levels_per_side);
            let snapshot = read_of(cx, &mut other, symbol, body)?;
            self.on_audit(cx, other, &snapshot);
        } else {
            let snapshot = read_of(cx, &mut self.book, symbol, body)?;
            self.judge(cx, snapshot);
        }
        Ok(())
    }

    /// Acts on what the snapshot in the book turns out to be.
    pub(super) fn judge(&mut self, cx: &mut Context, snapshot: SnapshotHead) {
        let cap = cx.config.book.max_pending_deltas;
        match self.lineage.judge(&snapshot, &self.buffer, &self.book, cap) {
            Judgement::Fits(check) => self.go_live(cx, check),
            Judgement::Wait(evidence) => {
                self.state = State::Deferred(snapshot);
                self.pacing.schedule(cx, CATCH_UP);
                let snapshot = snapshot.sequence;
                let reason = BookDelayReason::SnapshotDeferred { snapshot, evidence };
                cx.event(Event::Book(self.topic, BookEvent::Delayed(reason)));
            }
            Judgement::Retry(evidence) => self.refuse(cx, &snapshot, evidence),
            // One of the two is of another run of the counter, and nothing says which.
            Judgement::NewRun(evidence) => self.on_new_run(cx, evidence),
        }
    }

    fn refuse(&mut self, cx: &mut Context, snapshot: &SnapshotHead, evidence: Option<Evidence>) {
        cx.stats.snapshots_too_old = cx.stats.snapshots_too_old.saturating_add(1);
        let patience = cx.config.book.snapshot_patience;
        if let Some(evidence) = self.lineage.on_refused(snapshot, &mut self.buffer, patience) {
            let reason = BookDelayReason::SequenceReset(evidence);
            cx.event(Event::Book(self.topic, BookEvent::Delayed(reason)));
        }
        let snapshot = snapshot.sequence;
        let reason = match evidence {
            None => BookDelayReason::SnapshotTooOld { snapshot },
            Some(evidence) => BookDelayReason::SnapshotDoubted { snapshot, evidence },
        };
        self.on_no_snapshot(cx, reason);
    }

    /// The buffered deltas continue the snapshot in the book.
    fn go_live(&mut self, cx: &mut Context, check: Option<SnapshotCheck>) {
        let book = &mut self.book;
        let loaded = book.sequence();
        let is_whole =
            self.buffer.drain().all(|delta| !matches!(book.apply(&delta), Apply::Gap { .. }));
        debug_assert!(is_whole, "the buffer is unbroken, and starts at or before the snapshot");
        cx.stats.snapshots = cx.stats.snapshots.saturating_add(1);
        self.pacing.cancel(cx);
        self.pacing.on_loaded();
        self.state = check.map_or(State::Live, State::Provisional);
        // planted: same-epoch
        self.epoch = self.epoch.saturating_add(1);
        self.lineage.on_live(cx.now);
        (self.loaded, self.agreed_at) = (loaded, cx.now);
        self.schedule_audit(cx);
        let (topic, sequence) = (self.topic, self.book.sequence());
        cx.event(Event::Book(topic, BookEvent::Live { epoch: Epoch::new(self.epoch), sequence }));
        self.check(cx);
        self.release(cx);
    }
}

/// Reads a snapshot of this symbol into a book.
fn read_of(
    cx: &mut Context,
    book: &mut Book,
    symbol: Symbol,
    body: &[u8],
) -> Result<SnapshotHead, WireError> {
    let snapshot = book.read(body)?;
    // planted: other-symbol
    if snapshot.symbol != symbol {
        return Err(WireError::Mismatch { field: "symbol" });
    }
    if snapshot.has_odd_time {
        cx.on_odd_time(TimePlace::Snapshot);
    }
    Ok(snapshot)
}
