//! A book that several lines feed: the first copy of each delta is taken, holes wait for another line.

use super::{BookSync, LineShare, State};
use crate::book::Apply;
use crate::context::Context;
use crate::event::BookLostReason;
use crate::ids::{LineId, Sequence};
use crate::stats::Disposition;
use crate::time::Instant;
use crate::timers::{Timer, TopicTimer};
use crate::wire::{Delta, NOT_KEPT};

impl BookSync {
    /// A frame of a topic that other lines carry, too. True if it is byte by byte one that was taken, and the next
    /// one of its line: then it would be read as a copy, and is one without being read.
    #[inline]
    pub(crate) fn take_same(&mut self, now: Instant, line: LineId, frame: &[u8]) -> bool {
        if !self.lineage.is_shared() || !matches!(self.state, State::Live) {
            return false;
        }
        if let Some(tracker) = self.lineage.present(line)
            && !tracker.is_unsure()
            && let Some(next) = tracker.expected()
            && next <= self.book.sequence()
            && let Some((delta, came)) = self.arbiter.same(next, frame)
        {
            tracker.accept(delta);
            self.arbiter.on_copy_of(now, line, Some(came));
            return true;
        }
        false
    }

    /// A delta of a topic that other lines carry, too.
    pub(super) fn take_copy(
        &mut self,
        cx: &mut Context,
        line: LineId,
        delta: &Delta,
        frame: &[u8],
    ) -> Disposition {
        // Nearly always it is the next one of the book, or a copy of one that was the next.
        if matches!(self.state, State::Live)
            && let Some(tracker) = self.lineage.present(line)
            && tracker.is_next(delta.sequence)
            && !tracker.is_unsure()
        {
            if delta.sequence <= self.book.sequence() {
                if self.arbiter.at(delta.sequence) == Some(*delta) {
                    tracker.accept(delta);
                    self.arbiter.on_copy(cx.now, line, delta.sequence);
                    return Disposition::Repeat;
                }
            } else if !self.arbiter.holds() && self.book.apply(delta) == Apply::Applied {
                tracker.accept(delta);
                self.arbiter.on_first(cx.now, line, delta, frame);
                return self.on_applied(cx, delta);
            }
        }
        self.take(cx, line, *delta)
    }

    /// How far the stream has come.
    fn reached(&self) -> Option<Sequence> {
        if self.is_live() { Some(self.book.sequence()) } else { self.buffer.last() }
    }

    /// A delta that is no repeat on its own line: the next one, a copy of another line's, or beyond a hole.
    pub(super) fn arbitrate(
        &mut self,
        cx: &mut Context,
        line: LineId,
        delta: Delta,
        is_unsure: bool,
    ) -> Disposition {
        // A line that is left over still brings copies of what the one that ended was ahead by.
        let is_alone = !self.lineage.is_shared() && !self.arbiter.holds();
        if is_alone && self.arbiter.at(delta.sequence).is_none() {
            return self.take_in(cx, line, delta, is_unsure);
        }
        match self.reached() {
            Some(reached) if delta.sequence <= reached => self.on_old_copy(cx, line, &delta),
            Some(reached) if reached.next() != Some(delta.sequence) => self.hold(cx, line, delta),
            Some(_) => {
                if self.arbiter.holds() {
                    self.count_missed(line, delta.sequence);
                }
                let disposition = self.take_in(cx, line, delta, is_unsure);
                self.release(cx);
                disposition
            }
            None => self.take_in(cx, line, delta, is_unsure),
        }
    }

    /// The next delta goes into the book, or into the buffer.
    pub(super) fn take_in(
        &mut self,
        cx: &mut Context,
        line: LineId,
        delta: Delta,
        is_unsure: bool,
    ) -> Disposition {
        self.arbiter.on_first(cx.now, line, &delta, NOT_KEPT);
        if self.is_live() { self.apply(cx, delta, is_unsure) } else { self.buffer(cx, delta) }
    }

    /// What is not beyond the book is a copy, or among the first words of a line, which the snapshot contains.
    fn on_old_copy(&mut self, cx: &mut Context, line: LineId, delta: &Delta) -> Disposition {
        if self.arbiter.at(delta.sequence).is_some() || !self.is_live() {
            self.arbiter.on_copy(cx.now, line, delta.sequence);
            return Disposition::Repeat;
        }
        if let State::Provisional(check) = &self.state
            && !check.is_beyond(delta)
        {
            return Disposition::Covered;
        }
        if self.arbiter.has_joined(line) {
            self.arbiter.on_late_copy(line);
        } else {
            self.arbiter.on_first(cx.now, line, delta, NOT_KEPT);
        }
        self.on_covered(cx, delta)
    }

    /// Lines that are beyond a delta have left it out.
    fn count_missed(&mut self, line: LineId, sequence: Sequence) {
        let Self { lineage, arbiter, .. } = self;
        for (other, is_beyond) in lineage.beyond(sequence) {
            if other != line && is_beyond {
                arbiter.on_missed(other, 1);
            }
        }
    }

    // Holes.

    /// Something is missing before a delta: another line may bring it.
    fn hold(&mut self, cx: &mut Context, line: LineId, delta: Delta) -> Disposition {
        // What is held and what is buffered wait together.
        let room = cx.config.book.max_pending_deltas.saturating_sub(self.buffer.len());
        let is_known = self.arbiter.at(delta.sequence).is_some();
        if !self.arbiter.hold(delta, room) {
            if !self.arbiter.holds() {
                return self.take_in(cx, line, delta, false);
            }
            self.give_up_hole(cx);
            return self.arbitrate(cx, line, delta, false);
        }
        let has_joined = self.arbiter.has_joined(line);
        let grace =
            if has_joined { cx.config.lines.hole_grace } else { cx.config.lines.join_grace };
        let timer = Timer::Topic(self.topic, TopicTimer::Hole);
        let at = cx.now + grace;
        if cx.timers.get(timer).is_none_or(|due| at < due) {
            cx.timers.set(timer, at);
        }
        self.check_hole(cx);
        if is_known { Disposition::Repeat } else { Disposition::Buffered }
    }

    /// A hole that no line can fill is a gap.
    pub(super) fn check_hole(&mut self, cx: &mut Context) {
        while let Some(reached) = self.reached().filter(|_| self.arbiter.holds()) {
            if self.lineage.beyond(reached).any(|(_, is_beyond)| !is_beyond) {
                return;
            }
            self.give_up_hole(cx);
        }
    }

    /// The time is over in which a line could fill a hole.
    pub(crate) fn on_hole_due(&mut self, cx: &mut Context) {
        self.give_up_hole(cx);
        if self.arbiter.holds() {
            let at = cx.now + cx.config.lines.hole_grace;
            cx.timers.set(Timer::Topic(self.topic, TopicTimer::Hole), at);
        }
    }

    /// What is missing before the first that is held is a gap: it is all that there is, up to the next hole.
    fn give_up_hole(&mut self, cx: &mut Context) {
        let Some(first) = self.arbiter.take_first() else { return };
        if let Some(expected) = self.reached().filter(|_| self.is_live()).and_then(Sequence::next) {
            cx.stats.gaps = cx.stats.gaps.saturating_add(1);
            self.resync(cx, BookLostReason::Gap { expected, got: first.sequence });
        }
        let _ = self.buffer(cx, first);
        self.release_all(cx);
    }

    /// What was held follows what has come.
    pub(super) fn release(&mut self, cx: &mut Context) {
        if self.arbiter.holds() {
            self.release_all(cx);
        }
    }

    fn release_all(&mut self, cx: &mut Context) {
        while let Some(delta) = self.arbiter.take_next(self.reached()) {
            self.arbiter.remember(cx.now, &delta, NOT_KEPT);
            let _ =
                if self.is_live() { self.apply(cx, delta, false) } else { self.buffer(cx, delta) };
        }
        if !self.arbiter.holds() {
            cx.timers.clear(Timer::Topic(self.topic, TopicTimer::Hole));
        }
    }

    pub(super) fn drop_held(&mut self, cx: &mut Context) {
        self.arbiter.drop_held();
        cx.timers.clear(Timer::Topic(self.topic, TopicTimer::Hole));
    }

    /// Whether nothing is missing between what lines have brought.
    pub(crate) fn is_caught_up(&self) -> bool {
        !self.arbiter.holds()
    }

    /// What each line has brought beside others.
    pub(crate) fn shares(&self) -> impl Iterator<Item = (LineId, &LineShare)> {
        self.arbiter.shares()
    }

    /// The same, since lines were last compared.
    pub(crate) fn lately(&self) -> impl Iterator<Item = (LineId, LineShare)> {
        self.arbiter.lately()
    }

    /// Lines were compared.
    pub(crate) fn on_compared(&mut self) {
        self.arbiter.on_compared();
    }
}
