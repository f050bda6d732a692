//! Between the lines that carry a topic and its book: of each delta the first copy is taken.
//!
//! A line may have a hole that another one fills, or bring its first words before another one has brought
//! what came before them: what lies beyond is held for a moment. Only what no line brings in time is a gap.

mod frames;

use alloc::collections::VecDeque;
use alloc::vec;
use alloc::vec::Vec;
use core::time::Duration;

use crate::ids::{LineId, Sequence};
use crate::time::Instant;
use crate::wire::Delta;
use frames::Frames;

/// So many deltas are remembered to hold the copies of other lines against: at a hundred deltas a second, those
/// of a line that is two and a half seconds behind.
const MEMORY: usize = 256;

/// What the copies of one topic have shown.
#[derive(Clone, Debug, Default)]
pub(super) struct Arbiter {
    /// Beyond a hole; in order, each sequence once.
    held: VecDeque<Delta>,
    /// The newest deltas and when they came, each at the place of its sequence. Empty while one line carries
    /// the topic.
    recent: Vec<Option<(Delta, Instant)>>,
    /// The bytes of some of them.
    frames: Frames,
    records: Vec<Record>,
}

/// One of several lines that carry a topic.
#[derive(Clone, Debug)]
struct Record {
    line: LineId,
    share: LineShare,
    /// What it was when lines were last compared.
    compared: LineShare,
}

/// What one of several lines has brought of a topic.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct LineShare {
    /// Deltas that it brought first.
    pub first: u64,
    /// Copies that came after another line's.
    pub later: u64,
    /// Deltas that it left out, and another line brought.
    pub missed: u64,
    /// How late its copies were.
    pub lag: LagHistogram,
}

/// How late copies were, in powers of two.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct LagHistogram([u32; Self::BUCKETS]);

impl LagHistogram {
    /// How many ranges there are.
    pub const BUCKETS: usize = 16;

    /// The end of a range, which begins where the one before ends: 64 µs, 128 µs .. 1.05 s; the last one has
    /// none.
    #[must_use]
    pub const fn bound(bucket: usize) -> Option<Duration> {
        if bucket + 1 < Self::BUCKETS { Some(Duration::from_micros(64 << bucket)) } else { None }
    }

    /// Copies in each range.
    #[must_use]
    pub const fn counts(&self) -> &[u32; Self::BUCKETS] {
        &self.0
    }

    /// Copies that were as late as `lag` or later, as far as the ranges tell: those of the range that it lies in
    /// are among them.
    #[must_use]
    pub fn at_least(&self, lag: Duration) -> u64 {
        self.0.iter().skip(bucket(nanos(lag))).map(|count| u64::from(*count)).sum()
    }

    /// What has been counted since then.
    fn since(&self, before: &Self) -> Self {
        let mut counts = self.0;
        counts.iter_mut().zip(before.0).for_each(|(count, was)| *count = count.saturating_sub(was));
        Self(counts)
    }

    #[inline]
    fn add(&mut self, nanos: u64) {
        if let Some(count) = self.0.get_mut(bucket(nanos)) {
            *count = count.saturating_add(1);
        }
    }
}

/// The range that a lag lies in.
#[inline]
const fn bucket(nanos: u64) -> usize {
    let bucket = match (nanos / 64_000).checked_ilog2() {
        Some(steps) => steps as usize + 1,
        None => 0,
    };
    if bucket < LagHistogram::BUCKETS { bucket } else { LagHistogram::BUCKETS - 1 }
}

fn nanos(lag: Duration) -> u64 {
    u64::try_from(lag.as_nanos()).unwrap_or(u64::MAX)
}

impl LineShare {
    /// Sums what was brought of several topics.
    pub(crate) fn add(&mut self, other: &Self) {
        self.first = self.first.saturating_add(other.first);
        self.later = self.later.saturating_add(other.later);
        self.missed = self.missed.saturating_add(other.missed);
        for (count, more) in self.lag.0.iter_mut().zip(other.lag.0) {
            *count = count.saturating_add(more);
        }
    }

    /// What has been brought since then.
    pub(crate) fn since(&self, before: &Self) -> Self {
        Self {
            first: self.first.saturating_sub(before.first),
            later: self.later.saturating_sub(before.later),
            missed: self.missed.saturating_sub(before.missed),
            lag: self.lag.since(&before.lag),
        }
    }

    /// Deltas that it brought, first or not.
    pub(crate) const fn brought(&self) -> u64 {
        self.first.saturating_add(self.later)
    }
}

impl Arbiter {
    /// Another line carries the topic, too: from now on copies are told apart. `others` have carried it before.
    pub(super) fn begin(&mut self, others: impl Iterator<Item = LineId>) {
        if self.recent.is_empty() {
            self.recent = vec![None; MEMORY];
            others.for_each(|line| _ = self.share(line));
        }
    }

    /// Whether something is held.
    #[inline]
    pub(super) fn holds(&self) -> bool {
        !self.held.is_empty()
    }

    /// How many deltas are held.
    pub(super) fn held(&self) -> usize {
        self.held.len()
    }

    /// What was said at a sequence, as far as it is remembered.
    pub(super) fn at(&self, sequence: Sequence) -> Option<Delta> {
        let taken = self.taken(sequence).map(|(delta, _)| delta);
        taken.or_else(|| self.held.iter().rev().find(|held| held.sequence == sequence).copied())
    }

    fn taken(&self, sequence: Sequence) -> Option<(Delta, Instant)> {
        let entry = *self.recent.get(place(sequence))?;
        entry.filter(|(delta, _)| delta.sequence == sequence)
    }

    /// A line brought a delta first, or filled a hole with it. `frame` is what says it, if copies are to be known by
    /// that.
    #[inline]
    pub(super) fn on_first(&mut self, now: Instant, line: LineId, delta: &Delta, frame: &[u8]) {
        if !self.recent.is_empty() {
            self.remember(now, delta, frame);
            let share = self.share(line);
            share.first = share.first.saturating_add(1);
        }
    }

    /// A delta was taken.
    #[inline]
    pub(super) fn remember(&mut self, now: Instant, delta: &Delta, frame: &[u8]) {
        if let Some(entry) = self.recent.get_mut(place(delta.sequence)) {
            *entry = Some((*delta, now));
            self.frames.keep(now, delta, frame);
        }
    }

    /// The delta at this sequence that was taken, and when, if it was in the same frame.
    #[inline]
    pub(super) fn same(&self, sequence: Sequence, frame: &[u8]) -> Option<(&Delta, Instant)> {
        self.frames.find(sequence, frame)
    }

    /// A line brought a copy of what another one had brought.
    #[inline]
    pub(super) fn on_copy(&mut self, now: Instant, line: LineId, sequence: Sequence) {
        let came = self.taken(sequence).map(|(_, came)| came);
        self.on_copy_of(now, line, came);
    }

    /// A line brought a copy of what had come then.
    #[inline]
    pub(super) fn on_copy_of(&mut self, now: Instant, line: LineId, came: Option<Instant>) {
        let share = self.share(line);
        share.later = share.later.saturating_add(1);
        if let Some(came) = came {
            // In nanoseconds: a duration has its seconds apart, and to divide by them takes as long as the rest.
            share.lag.add(now.as_nanos().saturating_sub(came.as_nanos()));
        }
    }

    /// A line brought a copy of what is not remembered any more: longer ago than any range tells.
    pub(super) fn on_late_copy(&mut self, line: LineId) {
        let share = self.share(line);
        share.later = share.later.saturating_add(1);
        share.lag.add(u64::MAX);
    }

    /// A line goes from one sequence to another: it has left out what others had brought in between.
    pub(super) fn on_step(&mut self, line: LineId, from: Option<Sequence>, to: Sequence) {
        let Some(from) = from.filter(|_| !self.recent.is_empty()) else { return };
        let between = (from.get().saturating_add(1)..to.get()).rev().take(MEMORY);
        let brought = between.filter(|at| self.at(Sequence::new(*at)).is_some()).count();
        self.on_missed(line, brought as u64);
    }

    /// A line has left out so much that another one has brought; one that has just joined has left nothing out.
    pub(super) fn on_missed(&mut self, line: LineId, count: u64) {
        if let Some(record) = self.records.iter_mut().find(|record| record.line == line) {
            record.share.missed = record.share.missed.saturating_add(count);
        }
    }

    /// Whether what a line brings has met what others bring.
    pub(super) fn has_joined(&self, line: LineId) -> bool {
        self.records.iter().any(|record| record.line == line)
    }

    #[inline]
    fn share(&mut self, line: LineId) -> &mut LineShare {
        let known = self.records.iter().position(|record| record.line == line);
        let at = known.unwrap_or_else(|| self.begin_share(line));
        #[allow(clippy::indexing_slicing, reason = "the position was just found or made")]
        &mut self.records[at].share
    }

    #[cold]
    fn begin_share(&mut self, line: LineId) -> usize {
        let nothing = LineShare::default();
        self.records.push(Record { line, share: nothing, compared: nothing });
        self.records.len().saturating_sub(1)
    }

    /// What each line has brought since it carries the topic beside another.
    pub(super) fn shares(&self) -> impl Iterator<Item = (LineId, &LineShare)> {
        self.records.iter().map(|record| (record.line, &record.share))
    }

    /// The same, since lines were last compared.
    pub(super) fn lately(&self) -> impl Iterator<Item = (LineId, LineShare)> {
        self.records.iter().map(|record| (record.line, record.share.since(&record.compared)))
    }

    /// Lines were compared.
    pub(super) fn on_compared(&mut self) {
        self.records.iter_mut().for_each(|record| record.compared = record.share);
    }

    /// A line carries the topic no more.
    pub(super) fn forget_line(&mut self, line: LineId) {
        self.records.retain(|record| record.line != line);
    }

    /// Holds a delta that lies beyond a hole. False if there is no room for it.
    pub(super) fn hold(&mut self, delta: Delta, cap: usize) -> bool {
        let after = self.held.iter().rposition(|held| held.sequence <= delta.sequence);
        let is_known = after
            .and_then(|at| self.held.get(at))
            .is_some_and(|held| held.sequence == delta.sequence);
        if is_known {
            return true;
        }
        if self.held.len() >= cap {
            return false;
        }
        self.held.insert(after.map_or(0, |at| at.saturating_add(1)), delta);
        true
    }

    /// The next one that is held, if it is the one after `reached`; what is not beyond that is dropped.
    pub(super) fn take_next(&mut self, reached: Option<Sequence>) -> Option<Delta> {
        while let Some(first) = self.held.front() {
            let is_old = reached.is_some_and(|reached| first.sequence <= reached);
            if !is_old {
                let is_next = reached.is_none_or(|last| last.next() == Some(first.sequence));
                return if is_next { self.held.pop_front() } else { None };
            }
            self.held.pop_front();
        }
        None
    }

    /// The first that is held, whatever is missing before it.
    pub(super) fn take_first(&mut self) -> Option<Delta> {
        self.held.pop_front()
    }

    /// What is held is of no use any more.
    pub(super) fn drop_held(&mut self) {
        self.held.clear();
    }

    /// What was said before is of another run of the counter.
    pub(super) fn on_new_run(&mut self) {
        self.held.clear();
        self.recent.fill(None);
        self.frames.clear();
    }
}

/// Where a sequence is remembered.
const fn place(sequence: Sequence) -> usize {
    (sequence.get() % MEMORY as u64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::num::{Lots, Price};
    use crate::wire::Side;

    fn delta(sequence: u64) -> Delta {
        Delta::new(Sequence::new(sequence), Side::Bid, Price::ZERO, Lots::new(sequence))
    }

    #[test]
    fn what_is_held_is_in_order_and_each_once_however_it_comes() {
        let mut arbiter = Arbiter::default();
        for sequence in [107, 105, 109, 105, 108, 107] {
            assert!(arbiter.hold(delta(sequence), 4));
        }
        assert!(!arbiter.hold(delta(110), 4), "no room");
        assert_eq!(arbiter.take_next(Some(Sequence::new(103))), None, "104 is missing");
        assert_eq!(arbiter.take_next(Some(Sequence::new(106))), Some(delta(107)), "105 is covered");
        assert_eq!(arbiter.take_next(Some(Sequence::new(107))), Some(delta(108)));
        assert_eq!(arbiter.take_next(None), Some(delta(109)));
        assert!(!arbiter.holds());
    }

    #[test]
    fn who_was_first_and_by_how_much_is_counted() {
        let (one, other) = (LineId::new(0), LineId::new(1));
        let mut arbiter = Arbiter::default();
        arbiter.begin([].into_iter());
        let at = |ms| Instant::ZERO + Duration::from_millis(ms);
        arbiter.on_first(at(0), one, &delta(5), b"");
        arbiter.on_copy(at(3), other, Sequence::new(5));
        arbiter.on_first(at(4), other, &delta(6), b"");
        arbiter.on_copy(at(2_004), one, Sequence::new(6));
        let shares: Vec<_> = arbiter.shares().map(|(line, share)| (line, *share)).collect();
        let [(_, a), (_, b)] = shares[..] else { panic!("{shares:?}") };
        assert_eq!((a.first, a.later, b.first, b.later), (1, 1, 1, 1));
        assert_eq!(
            (a.lag.at_least(Duration::from_secs(1)), b.lag.at_least(Duration::from_secs(1))),
            (1, 0)
        );
        assert_eq!(b.lag.at_least(Duration::from_millis(2)), 1);
    }

    #[test]
    fn each_lag_lies_within_the_bounds_of_its_range() {
        for us in [0, 1, 63, 64, 65, 127, 128, 1_000, 999_999, 1_048_575, 1_048_576, 9_000_000] {
            let lag = Duration::from_micros(us);
            let at = bucket(nanos(lag));
            assert!(LagHistogram::bound(at).is_none_or(|end| lag < end), "{lag:?} in {at}");
            let begin = at.checked_sub(1).and_then(LagHistogram::bound);
            assert!(begin.is_none_or(|begin| lag >= begin), "{lag:?} in {at}");
        }
    }

    #[test]
    fn only_what_was_said_lately_is_remembered() {
        let mut arbiter = Arbiter::default();
        arbiter.begin([].into_iter());
        (1..=300).for_each(|n| arbiter.on_first(Instant::ZERO, LineId::new(0), &delta(n), b""));
        assert_eq!(arbiter.at(Sequence::new(300)), Some(delta(300)));
        assert_eq!(arbiter.at(Sequence::new(45)), Some(delta(45)));
        assert_eq!(arbiter.at(Sequence::new(44)), None);
        arbiter.on_new_run();
        assert_eq!(arbiter.at(Sequence::new(300)), None);
    }
}
