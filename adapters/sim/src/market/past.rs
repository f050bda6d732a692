//! What was traded before the exchange opened: drawn backwards from where the market starts, and only
//! when somebody asks.

use std::sync::OnceLock;

use kucoin_futures_proto::{Price, SplitMix64};

use super::bar::{Bar, grouped};
use crate::contract::Contract;
use crate::interval::Interval;
use crate::trade::Trade;
pub(crate) use trades::Opening;

mod trades;

/// Minutes that are drawn one by one: 200 candles of 30 minutes.
const MINUTES: u64 = 6_000;
/// Before them so many hours: 200 candles of 12 hours.
const HOURS: u64 = 2_400;
/// Before them so many days: 200 candles of a month.
const DAYS: u64 = 6_000;

/// How far the price may move within a minute, an hour, a day: millionths.
const MINUTE_STEP: u64 = 500;
const HOUR_STEP: u64 = 4_000;
const DAY_STEP: u64 = 20_000;

/// A market with fewer levels than this has minutes without trades.
const THIN: usize = 100;

/// The past of one market.
#[derive(Debug, Default)]
pub(crate) struct Past {
    seed: u64,
    /// `None`: there is no past.
    opening: Option<Opening>,
    trades: OnceLock<Vec<Trade>>,
    minutes: OnceLock<Vec<Bar>>,
    hours: OnceLock<Vec<Bar>>,
    days: OnceLock<Vec<Bar>>,
}

impl Past {
    pub(crate) fn new(seed: u64, opening: Opening) -> Self {
        Self { seed, opening: Some(opening), ..Self::default() }
    }

    /// The minute in which the exchange opened.
    fn until(&self) -> u64 {
        self.opening.map_or(0, |opening| trades::minute(opening.at))
    }

    /// The last trades, oldest first: all that there were since the first of them.
    pub(crate) fn trades(&self, contract: &Contract) -> &[Trade] {
        self.trades.get_or_init(|| {
            let opening = self.opening;
            opening.map(|opening| trades::before(opening, self.seed, contract)).unwrap_or_default()
        })
    }

    pub(crate) fn minutes(&self, contract: &Contract) -> &[Bar] {
        self.minutes.get_or_init(|| {
            // The last ones are what the trades that can still be seen add up to.
            let last = trades::minutes(self.trades(contract), contract);
            let walk = Walk {
                rng: SplitMix64::new(self.seed),
                from: Interval::Hour1.start_of(self.until().saturating_sub(MINUTES)),
                until: last.first().map_or_else(|| self.until(), |bar| bar.minute),
                interval: Interval::Min1,
                step: MINUTE_STEP,
            };
            let mut minutes = walk.back_from(contract, first_open(&last, contract));
            minutes.extend(last);
            minutes
        })
    }

    pub(crate) fn hours(&self, contract: &Contract) -> &[Bar] {
        self.hours.get_or_init(|| {
            let minutes = self.minutes(contract);
            let until = Interval::Hour1.start_of(self.until().saturating_sub(MINUTES));
            let walk = Walk {
                rng: SplitMix64::new(self.seed ^ 1),
                from: Interval::Day1.start_of(until.saturating_sub(HOURS * 60)),
                until,
                interval: Interval::Hour1,
                step: HOUR_STEP,
            };
            let mut hours = walk.back_from(contract, first_open(minutes, contract));
            hours.extend(grouped(minutes.iter().copied(), Interval::Hour1));
            hours
        })
    }

    pub(crate) fn days(&self, contract: &Contract) -> &[Bar] {
        self.days.get_or_init(|| {
            let hours = self.hours(contract);
            let until = Interval::Hour1.start_of(self.until().saturating_sub(MINUTES));
            let until = Interval::Day1.start_of(until.saturating_sub(HOURS * 60));
            let walk = Walk {
                rng: SplitMix64::new(self.seed ^ 2),
                from: until.saturating_sub(DAYS * 1440),
                until,
                interval: Interval::Day1,
                step: DAY_STEP,
            };
            let mut days = walk.back_from(contract, first_open(hours, contract));
            days.extend(grouped(hours.iter().copied(), Interval::Day1));
            days
        })
    }
}

fn first_open(bars: &[Bar], contract: &Contract) -> Price {
    bars.first().map_or(contract.start, |bar| bar.open)
}

/// A walk backwards: bars of one length, from `from` to before `until`.
struct Walk {
    rng: SplitMix64,
    from: u64,
    until: u64,
    interval: Interval,
    step: u64,
}

impl Walk {
    fn back_from(mut self, contract: &Contract, close: Price) -> Vec<Bar> {
        let minutes = self.interval.minutes();
        let mut bars =
            Vec::with_capacity((self.until.saturating_sub(self.from) / minutes) as usize);
        let tick = contract.tick.scaled().unsigned_abs().max(1);
        let middle = contract.start.scaled().unsigned_abs() / tick;
        let mut close = close.scaled().unsigned_abs() / tick;
        let mut minute = self.until;
        while minute >= self.from + minutes {
            minute -= minutes;
            if self.interval == Interval::Min1 && contract.depth < THIN && self.rng.below(3) == 0 {
                continue;
            }
            let open = self.move_from(close, middle);
            let (top, bottom) = (open.max(close), open.min(close));
            let reach = top * self.step / 2_000_000 + 2;
            let (high, low) =
                (top + self.rng.below(reach), bottom - self.rng.below(reach).min(bottom - 1));
            let digits = u64::from(contract.size_digits.clamp(1, 12));
            let trades = 1 + self.rng.below(20 * minutes);
            let lots = trades * (1 + self.rng.below(10_u64.pow(digits as u32 - 1)));
            let lots = kucoin_futures_proto::Lots::new(lots);
            let price = |ticks: u64| {
                let scaled = i64::try_from(ticks.saturating_mul(tick)).unwrap_or(i64::MAX);
                Price::from_scaled(scaled).unwrap_or_default()
            };
            // All at the middle of the candle: that is a turnover that its prices allow.
            let mut bar = Bar::of_trade(contract, minute, price(u64::midpoint(high, low)), lots);
            (bar.open, bar.high, bar.low, bar.close) =
                (price(open), price(high), price(low), price(close));
            bars.push(bar);
            close = open;
        }
        bars.reverse();
        bars
    }

    /// Where the bar began that ended at `close`: a step up or down, and not too far from the middle.
    fn move_from(&mut self, close: u64, middle: u64) -> u64 {
        let step = self.rng.below(close * self.step / 1_000_000 + 2);
        let up = match close {
            _ if close < middle / 2 + 2 => true,
            _ if close > middle * 2 => false,
            _ => self.rng.below(2) == 0,
        };
        if up { close + step } else { close - step.min(close - 1) }
    }
}
