//! Candles, as they are put together from trades and from each other.

use kucoin_futures_proto::{Decimal, Lots, Price};

use crate::contract::Contract;
use crate::interval::Interval;

/// What was traded in one stretch of time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Bar {
    /// The minute since the epoch in which it begins.
    pub(crate) minute: u64,
    pub(crate) open: Price,
    pub(crate) high: Price,
    pub(crate) low: Price,
    pub(crate) close: Price,
    pub(crate) lots: u128,
    /// In the units of [`Contract::value`].
    pub(crate) value: i128,
}

impl Bar {
    pub(crate) fn of_trade(contract: &Contract, minute: u64, price: Price, size: Lots) -> Self {
        let (lots, value) = (u128::from(size.get()), contract.value(price, size));
        Self { minute, open: price, high: price, low: price, close: price, lots, value }
    }

    /// Takes in what came later.
    pub(crate) fn absorb(&mut self, later: &Self) {
        self.high = self.high.max(later.high);
        self.low = self.low.min(later.low);
        self.close = later.close;
        self.lots = self.lots.saturating_add(later.lots);
        self.value = self.value.saturating_add(later.value);
    }
}

/// Puts bars, oldest first, together to longer ones.
pub(crate) fn grouped(bars: impl Iterator<Item = Bar>, interval: Interval) -> Vec<Bar> {
    let mut groups: Vec<Bar> = Vec::new();
    for bar in bars {
        let minute = interval.start_of(bar.minute);
        match groups.last_mut().filter(|last| last.minute == minute) {
            Some(last) => last.absorb(&bar),
            None => groups.push(Bar { minute, ..bar }),
        }
    }
    groups
}

/// A candle: exactly what the trades of its time add up to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Candle {
    /// When it begins, in seconds since the epoch.
    pub start: u64,
    /// Price of the first trade.
    pub open: Price,
    /// Highest price.
    pub high: Price,
    /// Lowest price.
    pub low: Price,
    /// Price of the last trade so far.
    pub close: Price,
    /// Lots traded.
    pub lots: u128,
    /// In quote currency; in coins for an inverse contract.
    pub turnover: Decimal,
}

impl Candle {
    pub(crate) fn new(contract: &Contract, bar: &Bar) -> Self {
        let Bar { minute, open, high, low, close, lots, value } = *bar;
        Self {
            start: minute * 60,
            open,
            high,
            low,
            close,
            lots,
            turnover: contract.turnover(value),
        }
    }
}

/// The last 24 hours, of trades.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct DayFigures {
    /// Price of the last trade, whenever that was.
    pub last: Price,
    /// Highest price.
    pub high: Price,
    /// Lowest price.
    pub low: Price,
    /// Price of the last trade before.
    pub before: Price,
    /// In coins; in lots for an inverse contract.
    pub volume: Decimal,
    /// In quote currency; in coins for an inverse contract.
    pub turnover: Decimal,
    /// `last` less `before`.
    pub change: Decimal,
    /// The same as a part of `before`, cut to four decimals.
    pub change_part: Decimal,
}

impl DayFigures {
    /// Of bars, oldest first: those from the minute `from` on, and the last price of before.
    pub(crate) fn of(contract: &Contract, from: u64, bars: impl Iterator<Item = Bar>) -> Self {
        let mut before = contract.start;
        let mut day: Option<Bar> = None;
        for bar in bars {
            if bar.minute < from {
                before = bar.close;
            } else if let Some(day) = &mut day {
                day.absorb(&bar);
            } else {
                day = Some(bar);
            }
        }
        let last = day.map_or(before, |day| day.close);
        let change = i128::from(last.scaled()) - i128::from(before.scaled());
        let part = change * 10_000 / i128::from(before.scaled()).max(1);
        let (lots, value) = day.map_or((0, 0), |day| (day.lots, day.value));
        Self {
            last,
            high: day.map_or(last, |day| day.high),
            low: day.map_or(last, |day| day.low),
            before,
            volume: contract.volume(lots),
            turnover: contract.turnover(value),
            change: Decimal::new(change, -12).unwrap_or_default(),
            change_part: Decimal::new(part, -4).unwrap_or_default(),
        }
    }
}
