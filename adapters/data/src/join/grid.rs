//! When candles begin.

use std::fmt;
use std::time::Duration;

use super::clock::nanos;
use kucoin_futures_proto::{Granularity, Interval, UnixNanos};

/// Candles of a length, one after the other.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Grid {
    /// In nanoseconds; never zero.
    length: u64,
    /// Of the first one after 1970.
    offset: u64,
}

/// Months are not all of one length: which ones are missing cannot be told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct NoGrid;

impl fmt::Display for NoGrid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("months are not all of one length: join weeks or days")
    }
}

impl std::error::Error for NoGrid {}

const DAY: Duration = Duration::from_secs(86_400);

impl Grid {
    /// Of this length: multiples of it since 1970. 1970 began on a Thursday, and weeks begin on Mondays.
    pub(super) fn new(interval: Interval) -> Result<Self, NoGrid> {
        let length = interval.duration().map(nanos).filter(|length| *length > 0);
        let length = length.ok_or(NoGrid)?;
        let offset = if interval == Interval::Week1 { nanos(DAY * 4) } else { 0 };
        Ok(Self { length, offset })
    }

    /// One of the candles begins here.
    pub(super) fn move_to(&mut self, start: UnixNanos) {
        self.offset = start.as_nanos().checked_rem(self.length).unwrap_or_default();
    }

    pub(super) fn is_start(self, at: UnixNanos) -> bool {
        self.start_of(at) == at
    }

    /// When the candle began that this time lies in.
    pub(super) fn start_of(self, at: UnixNanos) -> UnixNanos {
        let since = at.as_nanos().saturating_sub(self.offset);
        let into = since.checked_rem(self.length).unwrap_or_default();
        UnixNanos::from_nanos(at.as_nanos().saturating_sub(into))
    }

    /// So many candles later.
    pub(super) fn after(self, start: UnixNanos, candles: u64) -> UnixNanos {
        let by = self.length.saturating_mul(candles);
        UnixNanos::from_nanos(start.as_nanos().saturating_add(by))
    }

    /// So many candles earlier.
    pub(super) fn before(self, start: UnixNanos, candles: u64) -> UnixNanos {
        let by = self.length.saturating_mul(candles);
        UnixNanos::from_nanos(start.as_nanos().saturating_sub(by))
    }
}

/// As REST counts it.
pub(super) const fn granularity(interval: Interval) -> Option<Granularity> {
    Some(match interval {
        Interval::Min1 => Granularity::Min1,
        Interval::Min3 => Granularity::Min3,
        Interval::Min5 => Granularity::Min5,
        Interval::Min15 => Granularity::Min15,
        Interval::Min30 => Granularity::Min30,
        Interval::Hour1 => Granularity::Hour1,
        Interval::Hour2 => Granularity::Hour2,
        Interval::Hour4 => Granularity::Hour4,
        Interval::Hour8 => Granularity::Hour8,
        Interval::Hour12 => Granularity::Hour12,
        Interval::Day1 => Granularity::Day1,
        Interval::Week1 => Granularity::Week1,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_have_one_name_for_a_length() {
        for interval in Interval::ALL {
            let Some(granularity) = granularity(*interval) else {
                assert_eq!((*interval, Grid::new(*interval)), (Interval::Month1, Err(NoGrid)));
                continue;
            };
            assert_eq!(interval.to_string(), granularity.to_string());
            assert!(Grid::new(*interval).is_ok());
        }
    }

    #[test]
    fn weeks_begin_on_mondays_until_one_says_otherwise() {
        let mut grid = Grid::new(Interval::Week1).unwrap();
        // 2026-09-21, a Monday.
        let monday = UnixNanos::from_nanos(20_717 * 86_400 * 1_000_000_000);
        assert_eq!(grid.start_of(UnixNanos::from_nanos(monday.as_nanos() + 5)), monday);
        assert!(grid.is_start(monday) && grid.is_start(grid.after(monday, 3)));
        let sunday = UnixNanos::from_nanos(monday.as_nanos() - 86_400 * 1_000_000_000);
        grid.move_to(sunday);
        assert!(grid.is_start(sunday) && !grid.is_start(monday));
        assert_eq!(grid.before(grid.after(sunday, 2), 2), sunday);
    }
}
