//! What a market's trades add up to: candles, the last 24 hours, open interest.

use std::collections::VecDeque;

use kucoin_futures_proto::{Price, UnixNanos};

use super::bar::{Bar, Candle, DayFigures, grouped};
use super::past::{Opening, Past};
use crate::contract::Contract;
use crate::interval::Interval;
use crate::trade::Trade;

/// Candles of a minute that are kept: a page of REST of 30 minutes, and more.
const MINUTES: usize = 8_192;
/// The same for hours: a page of 12 hours.
const HOURS: usize = 3_072;
/// Years of them.
const DAYS: usize = 8_192;
/// Last prices that are kept, one for each second that had trades.
const SECONDS: usize = 3_600;
/// The window of 24 hours, in minutes.
pub(super) const DAY: u64 = 1_440;

/// What was traded since the exchange opened, and what is told of before.
#[derive(Debug, Default)]
pub(crate) struct Record {
    minutes: VecDeque<Bar>,
    hours: VecDeque<Bar>,
    days: VecDeque<Bar>,
    /// Seconds since the epoch, with the price of the last trade in each.
    seconds: VecDeque<(u64, Price)>,
    last: Option<(UnixNanos, Price)>,
    /// In lots.
    open_interest: u64,
    least_interest: u64,
    past: Past,
}

impl Record {
    /// Empty, with a past that ends where the market opens.
    pub(crate) fn opened_at(contract: &Contract, seed: u64, opening: Opening) -> Self {
        let digits = contract.size_digits.clamp(1, 12);
        let open_interest = 10_u64.pow(digits) * (20 + seed % 60);
        Self {
            open_interest,
            least_interest: open_interest / 2,
            past: Past::new(seed, opening),
            ..Self::default()
        }
    }

    pub(crate) fn on_trade(&mut self, contract: &Contract, trade: &Trade) {
        let second = trade.at.as_millis() / 1_000;
        let bar = Bar::of_trade(contract, second / 60, trade.price, trade.size);
        add(&mut self.minutes, bar, Interval::Min1, MINUTES);
        add(&mut self.hours, bar, Interval::Hour1, HOURS);
        add(&mut self.days, bar, Interval::Day1, DAYS);
        match self.seconds.back_mut().filter(|last| last.0 == second) {
            Some(last) => last.1 = trade.price,
            None => self.seconds.push_back((second, trade.price)),
        }
        if self.seconds.len() > SECONDS {
            self.seconds.pop_front();
        }
        self.last = Some((trade.at, trade.price));
        // Who opens and who closes is not told by a trade: it is by its number.
        self.open_interest = match trade.sequence.get() % 3 {
            0 => self.open_interest.saturating_add(trade.size.get()),
            1 => self.open_interest.saturating_sub(trade.size.get()).max(self.least_interest),
            _ => self.open_interest,
        };
    }

    /// The last trades before the opening, oldest first.
    pub(crate) fn past_trades(&self, contract: &Contract) -> &[Trade] {
        self.past.trades(contract)
    }

    /// In lots.
    pub(crate) const fn open_interest(&self) -> u64 {
        self.open_interest
    }

    /// The last trade since the opening, and when that was.
    pub(crate) const fn last(&self) -> Option<(UnixNanos, Price)> {
        self.last
    }

    /// The price of the last trade before this second began, as far back as is remembered.
    pub(crate) fn last_before(&self, contract: &Contract, second: u64) -> Price {
        let later = self.seconds.partition_point(|(at, _)| *at < second);
        let before = later.checked_sub(1).and_then(|at| self.seconds.get(at));
        // After an hour the oldest price is not the first one any more.
        let oldest = self.seconds.front().filter(|_| self.seconds.len() == SECONDS);
        before.or(oldest).map_or(contract.start, |(_, price)| *price)
    }

    /// Finest bars from which candles of this interval can be made, oldest first.
    fn bars(&self, contract: &Contract, interval: Interval) -> (&[Bar], &VecDeque<Bar>) {
        match interval.minutes() {
            ..60 => (self.past.minutes(contract), &self.minutes),
            60..1440 => (self.past.hours(contract), &self.hours),
            _ => (self.past.days(contract), &self.days),
        }
    }

    /// All candles of an interval, oldest first; stretches without trades have none.
    pub(crate) fn candles(&self, contract: &Contract, interval: Interval) -> Vec<Candle> {
        let (past, own) = self.bars(contract, interval);
        let bars = grouped(past.iter().chain(own).copied(), interval);
        bars.iter().map(|bar| Candle::new(contract, bar)).collect()
    }

    /// The candle of the last trade since the opening.
    pub(crate) fn last_candle(&self, contract: &Contract, interval: Interval) -> Option<Candle> {
        let (past, own) = self.bars(contract, interval);
        let start = interval.start_of(own.back()?.minute);
        let of_it = |bars: &mut dyn Iterator<Item = &Bar>, all: &mut Vec<Bar>| {
            all.extend(bars.take_while(|bar| bar.minute >= start).copied());
        };
        let mut all = Vec::new();
        of_it(&mut own.iter().rev(), &mut all);
        of_it(&mut past.iter().rev(), &mut all);
        let bars = grouped(all.into_iter().rev(), interval);
        bars.last().map(|bar| Candle::new(contract, bar))
    }

    /// The finest bars of before the opening from which candles of this interval can be made, oldest first.
    pub(super) fn past_bars(&self, contract: &Contract, interval: Interval) -> &[Bar] {
        self.bars(contract, interval).0
    }

    /// The last 24 hours: the minute of `at` as far as it has come, and the 1439 before.
    pub(crate) fn day(&self, contract: &Contract, at: UnixNanos) -> DayFigures {
        let from = (at.as_millis() / 60_000 + 1).saturating_sub(DAY);
        let bars = self.past.minutes(contract).iter().chain(&self.minutes);
        DayFigures::of(contract, from, bars.copied())
    }
}

fn add(bars: &mut VecDeque<Bar>, bar: Bar, interval: Interval, most: usize) {
    let minute = interval.start_of(bar.minute);
    match bars.back_mut().filter(|last| last.minute == minute) {
        Some(last) => last.absorb(&bar),
        None => bars.push_back(Bar { minute, ..bar }),
    }
    if bars.len() > most {
        bars.pop_front();
    }
}
