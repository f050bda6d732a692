//! How far the clock that stamps snapshots is ahead of the one that stamps deltas.
//!
//! A snapshot at S was taken after delta S was made and before delta S + 1. With two clocks the times that
//! are stated need not say so; but whatever the clocks are apart by is one number for all snapshots. Each
//! snapshot that turned out to be of the stream's run narrows it down, and only what no such number explains
//! speaks against a snapshot.

use core::time::Duration;

use crate::time::UnixNanos;

/// What clocks may be apart by before anything is known. Chosen: two seconds were reported of exchanges, and
/// five times that is no clock that anybody keeps.
const PLAUSIBLE: Duration = Duration::from_secs(10);

/// A snapshot is stamped when it is answered, not when it is taken. Chosen, not measured: what a busy service may
/// take in between.
const JITTER: Duration = Duration::from_millis(100);

/// Two clocks drift apart by one part in so many: 200 ppm, four times what a cheap quartz does.
const DRIFT: i64 = 5_000;

/// Nanoseconds from `least` to `most`, both included; nothing if `least` is greater.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Range {
    least: i64,
    most: i64,
}

impl Range {
    const ANY: Self = Self { least: i64::MIN, most: i64::MAX };

    fn around_zero(most: Duration) -> Self {
        let most = nanos(most);
        Self { least: most.saturating_neg(), most }
    }

    fn and(self, other: Self) -> Self {
        Self { least: self.least.max(other.least), most: self.most.min(other.most) }
    }

    const fn is_empty(self) -> bool {
        self.least > self.most
    }

    const fn widened(self, by: i64) -> Self {
        Self { least: self.least.saturating_sub(by), most: self.most.saturating_add(by) }
    }
}

/// What the times of one clock are cut to: the coarsest step that all of them are multiples of. A time
/// stands for the whole step that begins with it.
#[derive(Clone, Copy, Debug)]
struct Resolution(u64);

impl Resolution {
    const COARSEST: Self = Self(1_000_000_000);
    /// Finer than what neighbours may step back by, it makes no difference.
    const FINEST: u64 = 1_000_000;

    const fn learn(&mut self, time: UnixNanos) {
        while self.0 > Self::FINEST && !time.as_nanos().is_multiple_of(self.0) {
            self.0 /= 10;
        }
    }
}

/// What is known of the two clocks of one book.
#[derive(Clone, Debug)]
pub(super) struct Skew {
    /// By how much snapshots are ahead of deltas, negative if they are behind; `None` before there was a
    /// snapshot that proved to be of the stream's run.
    known: Option<Range>,
    /// When that was so, by a snapshot's own time.
    known_at: UnixNanos,
    /// What the present snapshot says, which has not proved itself yet.
    latest: Range,
    /// The time of the present snapshot.
    snapshot: Option<UnixNanos>,
    deltas: Resolution,
    snapshots: Resolution,
}

/// A snapshot's time and those of the deltas around it, as far as they are stated.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Times {
    pub(super) snapshot: Option<UnixNanos>,
    /// Of a delta that the snapshot contains.
    pub(super) contained: Option<UnixNanos>,
    /// Of a delta that it does not contain.
    pub(super) follower: Option<UnixNanos>,
}

impl Skew {
    pub(super) const fn new() -> Self {
        Self {
            known: None,
            known_at: UnixNanos::from_nanos(0),
            latest: Range::ANY,
            snapshot: None,
            deltas: Resolution::COARSEST,
            snapshots: Resolution::COARSEST,
        }
    }

    /// Takes in what the time of a delta is cut to.
    pub(super) fn see_delta(&mut self, time: Option<UnixNanos>) {
        time.into_iter().for_each(|time| self.deltas.learn(time));
    }

    /// Takes in what the time of a snapshot is cut to.
    pub(super) fn see_snapshot(&mut self, time: Option<UnixNanos>) {
        time.into_iter().for_each(|time| self.snapshots.learn(time));
    }

    /// Whether the snapshot was taken before a delta that it contains was made, whatever the clocks are
    /// apart by within what is known.
    pub(super) fn is_too_early(&self, times: Times) -> bool {
        self.implied_by(times).most < self.expected(times.snapshot).least
    }

    /// Whether the snapshot was taken after a delta was made that it does not contain. The same.
    pub(super) fn is_too_late(&self, times: Times) -> bool {
        self.implied_by(times).least > self.expected(times.snapshot).most
    }

    /// Whether the snapshot was surely taken before a delta was made that it does not contain, whatever the clocks
    /// are apart by within what is known.
    pub(super) fn is_surely_before(&self, times: Times) -> bool {
        let (Some(snapshot), Some(follower)) = (times.snapshot, times.follower) else {
            return false;
        };
        let latest = difference(snapshot, follower).saturating_add(self.snapshots.0.cast_signed());
        self.known.is_some() && latest < self.expected(times.snapshot).least
    }

    /// The book is live with a snapshot.
    pub(super) fn load(&mut self, times: Times) {
        self.snapshot = times.snapshot;
        self.latest = self.implied_by(times);
    }

    /// A delta has come that the present snapshot contains, or the first one that it does not.
    pub(super) fn narrow(&mut self, times: Times) {
        self.latest = self.latest.and(self.implied_by(times));
    }

    /// The time of the present snapshot.
    pub(super) const fn snapshot(&self) -> Option<UnixNanos> {
        self.snapshot
    }

    /// The book is not live any more. What its snapshot says of the clocks is known from now on, if it was
    /// of the stream's run: that is not sure before the book has been live for a while.
    pub(super) fn unload(&mut self, is_proven: bool) {
        let latest = core::mem::replace(&mut self.latest, Range::ANY);
        if !is_proven || latest == Range::ANY || latest.is_empty() {
            return;
        }
        let both = latest.and(self.expected(self.snapshot));
        // Otherwise a clock was set.
        self.known = Some(if both.is_empty() { latest } else { both });
        self.known_at = self.snapshot.unwrap_or(self.known_at);
    }

    /// What clocks may be apart by at the time of a snapshot.
    fn expected(&self, at: Option<UnixNanos>) -> Range {
        let known = self.known.map(|known| {
            let since = at.map_or(0, |at| difference(at, self.known_at));
            known.widened(since.saturating_abs() / DRIFT)
        });
        let known = known.unwrap_or_else(|| Range::around_zero(PLAUSIBLE));
        let both = known.and(self.latest);
        if both.is_empty() { known } else { both }
    }

    /// What clocks must be apart by if the snapshot was taken between the two deltas.
    fn implied_by(&self, times: Times) -> Range {
        let Some(snapshot) = times.snapshot else { return Range::ANY };
        let (jitter, cut) = (nanos(JITTER), |of: Resolution| of.0.cast_signed());
        let most = times.contained.map(|contained| {
            difference(snapshot, contained)
                .saturating_add(jitter.saturating_add(cut(self.snapshots)))
        });
        let least = times.follower.map(|follower| {
            difference(snapshot, follower).saturating_sub(jitter.saturating_add(cut(self.deltas)))
        });
        Range { least: least.unwrap_or(i64::MIN), most: most.unwrap_or(i64::MAX) }
    }
}

/// `a` minus `b`, in nanoseconds.
const fn difference(a: UnixNanos, b: UnixNanos) -> i64 {
    // Both are later than 1973 and earlier than 2554: the difference fits.
    a.as_nanos().wrapping_sub(b.as_nanos()).cast_signed()
}

fn nanos(span: Duration) -> i64 {
    i64::try_from(span.as_nanos()).unwrap_or(i64::MAX)
}
