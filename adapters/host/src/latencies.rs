//! How long changes of books were on their way: to us, and through us.
//!
//! ```text
//!  exchange ── `timestamp` ─────────────> read from the socket ─────────> in the book, effects performed
//!             to_received: each delta           │  to_applied: each frame        │
//!             of a live book                    └ clock, once a read             └ clock, once a read
//! ```

use std::time::Duration;

use kucoin_futures_proto::{Instant, UnixNanos};

use crate::clock::unix_now;

/// How long what a feed was told was on its way: see [`Feed::latencies`](crate::Feed::latencies). Counted since the
/// feed was made; nothing is allocated for it, and the clock is read twice for all frames of a read.
#[derive(Clone, Debug)]
pub struct Latencies {
    to_received: LatencyHistogram,
    to_applied: LatencyHistogram,
    from_future: u64,
    batch: Batch,
    wall: Wall,
}

/// What one read from a socket has brought.
#[derive(Clone, Copy, Debug, Default)]
struct Batch {
    /// Just before the read; `None` between two.
    begun: Option<Instant>,
    /// Frames of it that the client has taken.
    frames: u64,
}

/// Where the wall clock stands beside the feed's own.
#[derive(Clone, Copy, Debug)]
struct Wall {
    at: Instant,
    unix: UnixNanos,
}

/// The wall clock may be set: it is looked at again after so long.
const WALL_AGE: Duration = Duration::from_secs(1);

impl Latencies {
    /// Nothing was read yet.
    #[must_use]
    pub fn new(now: Instant) -> Self {
        Self {
            to_received: LatencyHistogram::new(&TO_RECEIVED),
            to_applied: LatencyHistogram::new(&TO_APPLIED),
            from_future: 0,
            batch: Batch::default(),
            wall: Wall { at: now, unix: unix_now() },
        }
    }

    /// From the exchange's `timestamp` of each change of a live book (milliseconds, so up to 1 ms too much) to when it
    /// was read, by the wall clock of this machine. **Not corrected**: what that clock and the exchange's are apart by
    /// is in it. Of several lines the first copy counts; a change that had to wait for another line counts with that.
    #[must_use]
    pub const fn to_received(&self) -> &LatencyHistogram {
        &self.to_received
    }

    /// From just before the read from the socket that brought a frame to when the client had taken it and its effects
    /// were performed. All frames of a read count with its last one, so that each took no longer than is said; what
    /// the caller does between two updates of a read is in it, because what is left of it waits for that.
    #[must_use]
    pub const fn to_applied(&self) -> &LatencyHistogram {
        &self.to_applied
    }

    /// Changes that are later than our own wall clock: they count as zero, and say that it is behind the exchange's.
    #[must_use]
    pub const fn from_future(&self) -> u64 {
        self.from_future
    }

    /// Whether something that was read waits still: the clock need not be looked at for the next frame.
    #[inline]
    pub(crate) const fn is_within_read(&self) -> bool {
        self.batch.begun.is_some()
    }

    /// Sockets are about to be read, at this time.
    #[inline]
    pub(crate) fn on_read(&mut self, now: Instant) {
        self.batch = Batch { begun: Some(now), frames: 0 };
        if now.since(self.wall.at) >= WALL_AGE {
            self.wall = Wall { at: now, unix: unix_now() };
        }
    }

    /// The client has taken a frame.
    #[inline]
    pub(crate) const fn on_frame(&mut self) {
        self.batch.frames += 1;
    }

    /// A delta went into a live book.
    #[inline]
    pub(crate) fn on_delta(&mut self, ts_event: Option<UnixNanos>) {
        let (Some(event), Some(begun)) = (ts_event, self.batch.begun) else { return };
        let passed = u64::try_from(begun.since(self.wall.at).as_nanos()).unwrap_or(u64::MAX);
        let received = self.wall.unix.as_nanos().saturating_add(passed);
        let late = received.checked_sub(event.as_nanos());
        self.from_future += u64::from(late.is_none());
        self.to_received.add(late.unwrap_or(0), 1);
    }

    /// Whether frames of a read have been taken, and it is over unless there are more.
    #[inline]
    pub(crate) const fn has_frames(&self) -> bool {
        self.batch.frames > 0
    }

    /// Nothing is left of what was read.
    pub(crate) fn on_read_over(&mut self, now: Instant) {
        let Batch { begun, frames } = std::mem::take(&mut self.batch);
        if let Some(begun) = begun.filter(|_| frames > 0) {
            let took = u64::try_from(now.since(begun).as_nanos()).unwrap_or(u64::MAX);
            self.to_applied.add(took, frames);
        }
    }
}

/// Counts of how long something took, in ranges that each end at a [`bound`](Self::bounds).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LatencyHistogram {
    bounds: &'static [u64; BOUNDS],
    counts: [u64; BOUNDS + 1],
    sum_nanos: u64,
}

const BOUNDS: usize = 15;
const US: u64 = 1_000;
const MS: u64 = 1_000 * US;
const S: u64 = 1_000 * MS;

/// From a neighbour of the exchange to a line that answers its pings so late that it is about to be given up.
const TO_RECEIVED: [u64; BOUNDS] = [
    MS,
    2 * MS,
    5 * MS,
    10 * MS,
    20 * MS,
    50 * MS,
    100 * MS,
    200 * MS,
    500 * MS,
    S,
    2 * S,
    5 * S,
    10 * S,
    30 * S,
    60 * S,
];

/// From a single frame to a caller who is elsewhere.
const TO_APPLIED: [u64; BOUNDS] = [
    US,
    2 * US,
    5 * US,
    10 * US,
    20 * US,
    50 * US,
    100 * US,
    200 * US,
    500 * US,
    MS,
    2 * MS,
    5 * MS,
    10 * MS,
    100 * MS,
    S,
];

impl LatencyHistogram {
    const fn new(bounds: &'static [u64; BOUNDS]) -> Self {
        Self { bounds, counts: [0; BOUNDS + 1], sum_nanos: 0 }
    }

    /// The longest time of each range, ascending: 1 ms to 60 s of [`Latencies::to_received`], 1 µs to 1 s of
    /// [`Latencies::to_applied`]. One more range has no end.
    pub fn bounds(&self) -> impl Iterator<Item = Duration> + '_ {
        self.bounds.iter().map(|nanos| Duration::from_nanos(*nanos))
    }

    /// How many took longer than the range before says, and no longer than its own; one more than there are bounds.
    #[must_use]
    pub const fn counts(&self) -> &[u64] {
        &self.counts
    }

    /// How many there were.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// How long they took together.
    #[must_use]
    pub const fn sum(&self) -> Duration {
        Duration::from_nanos(self.sum_nanos)
    }

    #[inline]
    fn add(&mut self, nanos: u64, times: u64) {
        let range = self.bounds.partition_point(|bound| *bound < nanos);
        if let Some(count) = self.counts.get_mut(range) {
            *count = count.saturating_add(times);
        }
        self.sum_nanos = self.sum_nanos.saturating_add(nanos.saturating_mul(times));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(nanos: u64) -> Instant {
        Instant::from_nanos(nanos)
    }

    #[test]
    fn a_time_is_in_the_range_that_ends_at_it_or_after_it() {
        let mut histogram = LatencyHistogram::new(&TO_APPLIED);
        for (nanos, range) in [(0, 0), (US, 0), (US + 1, 1), (S, 14), (S + 1, 15), (u64::MAX, 15)] {
            let before = histogram.counts[range];
            histogram.add(nanos, 3);
            assert_eq!(histogram.counts[range], before + 3, "{nanos}");
        }
        assert_eq!(histogram.count(), 18);
        for bounds in [TO_RECEIVED, TO_APPLIED] {
            assert!(bounds.is_sorted_by(|a, b| a < b));
        }
    }

    #[test]
    fn all_frames_of_a_read_count_with_its_last() {
        let mut latencies = Latencies::new(at(0));
        latencies.on_read(at(100));
        latencies.on_read(at(5_000));
        (0..3).for_each(|_| latencies.on_frame());
        assert!(latencies.is_within_read() && latencies.has_frames());
        latencies.on_read_over(at(5_000 + 40 * US));
        assert!(!latencies.is_within_read() && !latencies.has_frames());
        let applied = latencies.to_applied();
        assert_eq!((applied.counts[5], applied.count()), (3, 3));
        assert_eq!(applied.sum(), Duration::from_micros(120));
        latencies.on_read(at(S));
        latencies.on_read_over(at(2 * S));
        assert_eq!(latencies.to_applied().count(), 3, "a read that brought nothing");
    }

    #[test]
    fn a_delta_is_as_late_as_the_wall_clock_says_and_one_from_the_future_is_counted() {
        let mut latencies = Latencies::new(at(0));
        let unix = latencies.wall.unix.as_nanos();
        latencies.on_delta(Some(UnixNanos::from_nanos(unix)));
        assert_eq!(latencies.to_received().count(), 0, "nothing was read");
        latencies.on_read(at(30 * MS));
        for event in [unix + 10 * MS, unix + 29 * MS, unix + 31 * MS] {
            latencies.on_delta(Some(UnixNanos::from_nanos(event)));
        }
        latencies.on_delta(None);
        let received = latencies.to_received();
        assert_eq!((received.counts[4], received.counts[0], received.count()), (1, 2, 3));
        assert_eq!((received.sum(), latencies.from_future()), (Duration::from_millis(21), 1));
        // The machine was asleep, or its clock was set.
        latencies.on_read(at(3_600 * S));
        assert_eq!(latencies.wall.at, at(3_600 * S));
    }
}
