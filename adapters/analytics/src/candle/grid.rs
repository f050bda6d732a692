//! Where intervals begin.

use core::time::Duration;

use kucoin_futures_proto::{Interval, UnixNanos};

use crate::indicator::ParameterError;

/// Intervals of one length, side by side.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Grid {
    /// Above zero.
    length: u64,
    /// When the first interval began that is not cut off by 1970.
    offset: u64,
}

/// 1970 began on a Thursday, and weeks begin on Mondays.
const FIRST_MONDAY: u64 = 4 * 86_400_000_000_000;

impl Grid {
    /// Multiples of any length since 1970, whether or not it divides a day. A week begins on a Thursday here; for the
    /// exchange's see [`Grid::of`].
    ///
    /// # Errors
    /// [`ParameterError::Zero`]; [`ParameterError::TooLarge`] for more than 584 years.
    pub fn every(length: Duration) -> Result<Self, ParameterError> {
        match u64::try_from(length.as_nanos()) {
            Ok(0) => Err(ParameterError::Zero),
            Ok(length) => Ok(Self { length, offset: 0 }),
            Err(_) => Err(ParameterError::TooLarge),
        }
    }

    /// The exchange's own: multiples of the length since 1970, weeks from Monday. `None` for months, which are not of
    /// one length.
    #[must_use]
    pub fn of(interval: Interval) -> Option<Self> {
        let length = u64::try_from(interval.duration()?.as_nanos()).ok()?;
        let offset = if interval == Interval::Week1 { FIRST_MONDAY } else { 0 };
        Some(Self { length, offset })
    }

    /// How long an interval is.
    #[must_use]
    pub const fn length(self) -> Duration {
        Duration::from_nanos(self.length)
    }

    pub(crate) const fn length_nanos(self) -> u64 {
        self.length
    }

    /// When the interval began that a time is in.
    #[must_use]
    pub fn start_of(self, time: UnixNanos) -> UnixNanos {
        let since = match time.as_nanos().checked_sub(self.offset) {
            Some(since) => since.checked_rem(self.length).unwrap_or(0),
            // Cut off by 1970.
            None => time.as_nanos(),
        };
        UnixNanos::from_nanos(time.as_nanos().saturating_sub(since))
    }

    /// When the interval ends that begins at `start`.
    #[must_use]
    pub fn end_of(self, start: UnixNanos) -> UnixNanos {
        let length = if start.as_nanos() < self.offset { self.offset } else { self.length };
        UnixNanos::from_nanos(start.as_nanos().saturating_add(length))
    }

    /// How many intervals there are between two begins.
    pub(crate) fn count(self, from: UnixNanos, to: UnixNanos) -> u64 {
        to.as_nanos().saturating_sub(from.as_nanos()).checked_div(self.length).unwrap_or(0)
    }
}
