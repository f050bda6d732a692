//! What a market was at some time: what messages that arrive later are held against.
//!
//! A push and a trade may fall into one instant, and which came first is not written down. So what was
//! at a time is a short list: one answer for each order in which they may have come.

use std::collections::VecDeque;

use kucoin_futures_proto::{Sequence, UnixNanos};

use super::bar::{Bar, Candle, DayFigures};
use super::record::DAY;
use super::{Change, Market};
use crate::interval::Interval;
use crate::trade::Trade;
use crate::truth::Touch;

/// Fills remembered per market: days of a quiet one, minutes of one that trades all the time.
const KEPT: usize = 1 << 15;

/// A trade, with best bid and offer right after it.
#[derive(Clone, Debug)]
pub(crate) struct Fill {
    pub(crate) trade: Trade,
    /// `None`: a side was empty.
    pub(crate) touch: Option<Touch>,
}

/// The latest fills, oldest first.
#[derive(Debug, Default)]
pub(super) struct Fills {
    list: VecDeque<Fill>,
    /// Older ones were forgotten.
    is_cut: bool,
}

impl Fills {
    pub(super) fn add(&mut self, trade: Trade, touch: Option<Touch>) {
        if self.list.len() == KEPT {
            self.list.pop_front();
            self.is_cut = true;
        }
        self.list.push_back(Fill { trade, touch });
    }

    /// Those of before a time.
    fn until(&self, at: UnixNanos) -> usize {
        self.list.partition_point(|fill| fill.trade.at < at)
    }

    /// How many fills there may have been at a time.
    fn counts_at(&self, at: UnixNanos) -> core::ops::RangeInclusive<usize> {
        self.until(at)..=self.list.partition_point(|fill| fill.trade.at <= at)
    }
}

impl Market {
    /// The fill of this sequence; `None` if there was none, or too long ago.
    pub(crate) fn fill_of(&self, sequence: Sequence) -> Option<&Fill> {
        let list = &self.fills.list;
        let at = list.binary_search_by_key(&sequence, |fill| fill.trade.sequence).ok()?;
        list.get(at)
    }

    /// The candle that begins at `start`, in seconds since the epoch, as it stood at `at`; none if nothing was
    /// traded. `None`: that is too long ago.
    pub(crate) fn candles_at(
        &self,
        interval: Interval,
        start: u64,
        at: UnixNanos,
    ) -> Option<Vec<Candle>> {
        let second = |seconds: u64| UnixNanos::from_nanos(seconds.saturating_mul(1_000_000_000));
        let first = self.fills.until(second(start));
        let end = self.fills.until(second(start + interval.minutes() * 60));
        if self.fills.is_cut && first == 0 {
            return None;
        }
        let minute = start / 60;
        let mut bar: Option<Bar> = None;
        let past = self.record.past_bars(&self.contract, interval);
        let from = past.partition_point(|bar| bar.minute < minute);
        let until = past.partition_point(|bar| bar.minute < minute + interval.minutes());
        let own = past.get(from..until).unwrap_or_default();
        own.iter().for_each(|past| absorb(&mut bar, past));
        let (least, most) = self.fills.counts_at(at).into_inner();
        let of_it = least.clamp(first, end)..=most.clamp(first, end);
        let mut candles = Vec::new();
        for done in first..=*of_it.end() {
            if of_it.contains(&done) {
                let candle = |bar: &Bar| Candle::new(&self.contract, &Bar { minute, ..*bar });
                candles.extend(bar.as_ref().map(candle));
            }
            if let Some(fill) = self.fills.list.get(done) {
                absorb(&mut bar, &self.bar_of(fill));
            }
        }
        Some(candles)
    }

    /// The figures of the 24 hours until `at`. `None`: that is too long ago.
    pub(crate) fn days_at(&self, at: UnixNanos) -> Option<Vec<DayFigures>> {
        let from = (at.as_millis() / 60_000 + 1).saturating_sub(DAY);
        if self.fills.is_cut {
            return None;
        }
        let past = self.record.past_bars(&self.contract, Interval::Min1);
        let days = self.fills.counts_at(at).map(|count| {
            let own = self.fills.list.iter().take(count).map(|fill| self.bar_of(fill));
            DayFigures::of(&self.contract, from, past.iter().copied().chain(own))
        });
        Some(days.collect())
    }

    /// The positions at which the book may have stood in a millisecond since the epoch, by run of the counter: before
    /// the first change of that millisecond, after the last one, and in between.
    pub(crate) fn positions_at(&self, ms: u64) -> Vec<(usize, Sequence)> {
        let runs = self.runs.iter().enumerate().rev();
        runs.flat_map(|(number, run)| {
            let len = run.log.len();
            let before = run.log.partition_point(|change| change.at.as_millis() < ms);
            let after = run.log.partition_point(|change| change.at.as_millis() <= ms);
            let at = move |done: usize| {
                let back = len.saturating_sub(done) as u64;
                (number, Sequence::new(run.last.get().saturating_sub(back)))
            };
            (before..=after).map(at)
        })
        .collect()
    }

    /// The change that made the book what it was at this position, and the next one.
    pub(crate) fn changes_around(&self, run: usize, sequence: Sequence) -> [Option<Change>; 2] {
        let next = sequence.next().and_then(|next| self.change_of(run, next));
        [self.change_of(run, sequence), next]
    }

    fn bar_of(&self, Fill { trade, .. }: &Fill) -> Bar {
        Bar::of_trade(&self.contract, trade.at.as_millis() / 60_000, trade.price, trade.size)
    }
}

fn absorb(bar: &mut Option<Bar>, later: &Bar) {
    match bar {
        Some(bar) => bar.absorb(later),
        None => *bar = Some(*later),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::Contract;

    const START: u64 = 1_790_000_000;

    fn at(ms: u64) -> UnixNanos {
        UnixNanos::from_nanos((START * 1_000 + ms) * 1_000_000)
    }

    /// A market that changes every 10 ms for two minutes.
    fn market() -> Market {
        let contract = Contract { depth: 20, ..Contract::named("SOLUSDTM".parse().unwrap()) };
        let mut market = Market::new(contract, 5, Sequence::new(1_000)).opened_at(at(0));
        for n in 0..12_000 {
            let (_, change) = market.step(at(n * 10));
            market.take(&change);
        }
        market
    }

    #[test]
    fn what_is_made_of_fills_is_what_the_market_shows() {
        let market = market();
        let (now, last) = (at(120_000), market.last_candle(Interval::Min15).unwrap());
        assert_eq!(market.candles_at(Interval::Min15, last.start, now).unwrap(), [last]);
        for candle in market.candles(Interval::Min1).iter().rev().take(6) {
            let told = market.candles_at(Interval::Min1, candle.start, now).unwrap();
            assert_eq!(told, [*candle], "closed, or of before the opening");
        }
        assert_eq!(market.days_at(now).unwrap(), [market.day(now)]);
        let nothing = market.candles_at(Interval::Min1, START / 60 * 60 + 300, now).unwrap();
        assert_eq!(nothing, []);
    }

    #[test]
    fn trades_of_the_instant_may_be_in_or_not() {
        let market = market();
        let trade = market.trades().next_back().unwrap().clone();
        let start = Interval::Min1.start_of(trade.at.as_millis() / 60_000) * 60;
        let told = market.candles_at(Interval::Min1, start, trade.at).unwrap();
        assert!(told.len() > 1 && told.is_sorted_by_key(|candle| candle.lots), "{told:?}");
        let same = market.trades().filter(|other| other.at == trade.at).count();
        assert_eq!(told.len(), same + 1);
    }

    #[test]
    fn the_book_of_a_millisecond_is_before_or_after_its_change() {
        let mut market = market();
        let sequence = market.sequence();
        assert_eq!(market.positions_at(START * 1_000 + 119_990).len(), 2);
        assert_eq!(market.positions_at(START * 1_000 + 119_995), [(0, sequence)]);
        market.step_back(500);
        let runs = market.positions_at(START * 1_000 + 119_995);
        assert_eq!(runs, [(1, Sequence::new(sequence.get() - 500)), (0, sequence)]);
    }
}
