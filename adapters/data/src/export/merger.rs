//! Rows of an array of events in the order of two clocks.

use std::collections::{BTreeMap, VecDeque};
use std::io::{self, Write};

/// The row is for who follows the exchange's clock.
pub(super) const EXCH: u64 = 1 << 31;
/// The row is for who follows the local clock.
pub(super) const LOCAL: u64 = 1 << 30;

/// For so long a row may be overtaken by others of the exchange's clock, in nanoseconds.
pub(super) const WINDOW: i64 = 10_000_000_000;
/// Rows that wait at most, whatever clocks say.
pub(super) const MOST: usize = 1_000_000;
/// A row of the array, as the format lays it out: eight numbers of eight bytes.
#[derive(Clone, Copy)]
pub(super) struct Event {
    pub(super) ev: u64,
    pub(super) exch_ts: i64,
    pub(super) local_ts: i64,
    pub(super) px: f64,
    pub(super) qty: f64,
    pub(super) ival: i64,
}

impl Event {
    pub(super) const SIZE: u64 = 64;
    pub(super) const FIELDS: &str = "[('ev', '<u8'), ('exch_ts', '<i8'), ('local_ts', '<i8'), ('px', '<f8'), \
         ('qty', '<f8'), ('order_id', '<u8'), ('ival', '<i8'), ('fval', '<f8')]";

    pub(super) fn write(&self, flags: u64, out: &mut impl Write) -> io::Result<()> {
        let order_id = 0_u64;
        let fval = 0_f64;
        for part in [
            (self.ev | flags).to_le_bytes(),
            self.exch_ts.to_le_bytes(),
            self.local_ts.to_le_bytes(),
            self.px.to_le_bytes(),
            self.qty.to_le_bytes(),
            order_id.to_le_bytes(),
            self.ival.to_le_bytes(),
            fval.to_le_bytes(),
        ] {
            out.write_all(&part)?;
        }
        Ok(())
    }
}

/// Rows in the order of the local clock, made into the order of both.
#[derive(Default)]
pub(super) struct Merger {
    /// Rows whose place by the local clock has not come.
    local: VecDeque<(u64, Event)>,
    /// Rows whose place by the exchange's clock has not come, by that and by their number.
    exchange: BTreeMap<(i64, u64), Event>,
    added: u64,
    newest: i64,
    /// The exchange's time of the last row that was put out for it.
    put_out: i64,
}

impl Merger {
    /// Adds a row; true if it had to be moved.
    pub(super) fn add(&mut self, mut event: Event) -> bool {
        let is_late = event.exch_ts < self.put_out;
        event.exch_ts = event.exch_ts.max(self.put_out);
        self.newest = self.newest.max(event.exch_ts);
        self.exchange.insert((event.exch_ts, self.added), event);
        self.local.push_back((self.added, event));
        self.added += 1;
        is_late
    }

    /// The next row and for whom it is. Until the end, only what nothing can overtake any more.
    pub(super) fn next(&mut self, is_end: bool) -> Option<(Event, u64)> {
        let Some((&(at, number), _)) = self.exchange.first_key_value() else {
            return self.local.pop_front().map(|(_, event)| (event, LOCAL));
        };
        let is_settled = at <= self.newest.saturating_sub(WINDOW);
        if !is_settled && !is_end && self.local.len() <= MOST && self.exchange.len() <= MOST {
            return None;
        }
        let for_local = self.local.front().map(|(number, event)| (*number, event.exch_ts));
        match for_local {
            Some((first, _)) if first == number => {
                self.local.pop_front();
                self.pop_exchange(EXCH | LOCAL)
            }
            Some((_, other)) if other < at => {
                self.local.pop_front().map(|(_, event)| (event, LOCAL))
            }
            _ => self.pop_exchange(EXCH),
        }
    }

    fn pop_exchange(&mut self, flags: u64) -> Option<(Event, u64)> {
        let (_, event) = self.exchange.pop_first()?;
        self.put_out = event.exch_ts;
        Some((event, flags))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

    use super::*;
    use kucoin_futures_proto::SplitMix64;

    const MS: i64 = 1_000_000;

    /// A row of these times, in ms, that is known by its number.
    fn event(number: usize, exch_ts: i64, local_ts: i64) -> Event {
        let (exch_ts, local_ts) = (exch_ts * MS, local_ts * MS);
        Event { ev: 1, exch_ts, local_ts, px: 0.0, qty: 0.0, ival: number as i64 }
    }

    /// The rows' numbers, with who they are for, as the merger puts them out while they come.
    fn merged(rows: &[Event]) -> Vec<(i64, u64)> {
        let mut merger = Merger::default();
        let mut out = Vec::new();
        for row in rows {
            merger.add(*row);
            out.extend(std::iter::from_fn(|| merger.next(false)));
        }
        out.extend(std::iter::from_fn(|| merger.next(true)));
        out.into_iter().map(|(event, flags)| (event.ival, flags)).collect()
    }

    /// The same with all rows at hand: sorted by either clock, and the two orders laid into each other.
    fn sorted(rows: &[Event]) -> Vec<(i64, u64)> {
        let mut exchange: Vec<_> = rows.to_vec();
        exchange.sort_by_key(|row| row.exch_ts);
        let (mut exchange, mut local) = (exchange.iter().peekable(), rows.iter().peekable());
        let mut out = Vec::new();
        loop {
            match (exchange.peek(), local.peek()) {
                (None, None) => return out,
                (Some(one), Some(other)) if one.ival == other.ival => {
                    out.push((one.ival, EXCH | LOCAL));
                    exchange.next();
                    local.next();
                }
                (Some(one), other) if other.is_none_or(|other| one.exch_ts <= other.exch_ts) => {
                    out.push((one.ival, EXCH));
                    exchange.next();
                }
                (_, Some(other)) => {
                    out.push((other.ival, LOCAL));
                    local.next();
                }
                _ => unreachable!(),
            }
        }
    }

    #[test]
    fn rows_that_come_one_by_one_are_ordered_as_if_all_were_at_hand() {
        for seed in 0..200 {
            let mut rng = SplitMix64::new(seed);
            let mut local = 100_000;
            let rows: Vec<_> = (0..400)
                .map(|number| {
                    local += rng.below(200) as i64;
                    event(number, local - rng.below(8_000) as i64, local)
                })
                .collect();
            assert!(merged(&rows) == sorted(&rows), "seed {seed}");
        }
    }

    #[test]
    fn a_row_later_than_the_window_is_moved_and_the_rest_does_not_wait_for_it() {
        let mut merger = Merger::default();
        assert!(!merger.add(event(0, 5, 5)));
        assert!(!merger.add(event(1, 10_005, 10_005)));
        let (first, flags) = merger.next(false).unwrap();
        assert_eq!((first.ival, flags), (0, EXCH | LOCAL), "nothing can overtake it any more");
        assert!(merger.next(false).is_none(), "something can overtake this one");
        assert!(!merger.add(event(2, 6, 10_006)), "late, and in time");
        assert!(merger.add(event(3, 4, 10_007)), "too late");
        let rest: Vec<_> = std::iter::from_fn(|| merger.next(true)).collect();
        let moved = rest.iter().find(|(event, _)| event.ival == 3).unwrap();
        assert_eq!(moved.0.exch_ts, 5 * MS);
    }
}
