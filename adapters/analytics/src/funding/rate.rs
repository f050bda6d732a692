//! The estimate, the settled rate, and when the two can be compared.

use core::time::Duration;

use kucoin_futures_proto::{Decimal, UnixNanos};

use super::{FundingConfig, since};
use crate::indicator::ParameterError;
use crate::valuation::lined_up;
use crate::window::nanos;

/// The estimate beside the last settled rate, or why they are not comparable now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum RateState {
    /// Both are known, and are of two intervals in a row.
    Comparable(Comparison),
    /// A settlement is near, or has just been: what is shown as the estimate is none of the next interval.
    Settling {
        /// When it is due, or was.
        settlement: UnixNanos,
    },
    /// Something was not told yet, or too long ago.
    Waiting(Waiting),
}

/// What is missing for a comparison.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Waiting {
    /// An estimate of this interval.
    Estimate,
    /// The rate of the last settlement.
    SettledRate,
}

/// Two rates: parts of a position's value for one funding interval, paid by longs if positive.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Comparison {
    /// What will be charged next, as it is estimated now.
    pub estimate: Decimal,
    /// What was charged last.
    pub settled: Decimal,
    /// The estimate less the settled rate.
    pub difference: Decimal,
    /// The estimate times the intervals of 365 days, without compounding.
    pub estimate_per_year: Decimal,
    /// The settled rate, likewise.
    pub settled_per_year: Decimal,
}

#[derive(Clone, Copy, Debug)]
struct Rate {
    at: UnixNanos,
    rate: Decimal,
}

/// What is known of a contract's rates.
#[derive(Clone, Debug)]
pub(super) struct Rates {
    interval: u64,
    per_year: u32,
    estimate: Option<Rate>,
    /// The rate of a settlement, by when that was due.
    settled: Option<Rate>,
    /// The last settlement that was due, heard of or not.
    last: Option<UnixNanos>,
    next: Option<UnixNanos>,
}

/// Of 365 days.
const YEAR: u64 = 365 * 86_400 * 1_000_000_000;

/// How often it is in a year.
fn per_year(interval: Duration) -> Result<(u64, u32), ParameterError> {
    let interval = nanos(interval)?;
    let times = YEAR.checked_div(interval).and_then(|times| u32::try_from(times).ok());
    if YEAR.checked_rem(interval) != Some(0) {
        return Err(ParameterError::Order);
    }
    Ok((interval, times.ok_or(ParameterError::TooLarge)?))
}

impl Rates {
    pub(super) fn new(interval: Duration) -> Result<Self, ParameterError> {
        let (interval, per_year) = per_year(interval)?;
        let (estimate, settled, last, next) = (None, None, None, None);
        Ok(Self { interval, per_year, estimate, settled, last, next })
    }

    /// Nothing is known but how long an interval is.
    pub(super) const fn forget(&mut self) {
        (self.estimate, self.settled) = (None, None);
        (self.last, self.next) = (None, None);
    }

    pub(super) const fn next(&self) -> Option<UnixNanos> {
        self.next
    }

    pub(super) fn on_schedule(&mut self, next: UnixNanos) {
        let before = next.as_nanos().checked_sub(self.interval).map(UnixNanos::from_nanos);
        self.next = Some(next);
        self.last = self.last.max(before);
    }

    pub(super) fn on_estimate(&mut self, at: UnixNanos, rate: Decimal) {
        if self.estimate.is_none_or(|last| at >= last.at) {
            self.estimate = Some(Rate { at, rate });
        }
    }

    /// A settled rate that does not say of which settlement.
    pub(super) fn on_rate(
        &mut self,
        at: UnixNanos,
        rate: Decimal,
        interval: Option<Duration>,
        config: &FundingConfig,
    ) {
        if let Some(Ok((interval, per_year))) = interval.map(per_year) {
            (self.interval, self.per_year) = (interval, per_year);
        }
        self.on_time(at);
        // It comes a little after it was due, or with the time that it was due; rarely before.
        let is_next = self.next.is_some_and(|next| since(next, at) <= config.before);
        let due = if is_next { self.next } else { self.last };
        let due = due.filter(|due| since(at, *due) < Duration::from_nanos(self.interval));
        self.on_settled(due.unwrap_or(at), rate);
    }

    pub(super) fn on_settled(&mut self, settlement: UnixNanos, rate: Decimal) {
        // Within half an interval it is the same one, told more exactly.
        let same = Duration::from_nanos(self.interval / 2);
        if self.settled.is_some_and(|last| since(last.at, settlement) > same) {
            return;
        }
        self.settled = Some(Rate { at: settlement, rate });
        if self.last.is_none_or(|last| since(last, settlement) <= same) {
            self.last = Some(settlement);
            let next = settlement.as_nanos().saturating_add(self.interval);
            self.next = Some(UnixNanos::from_nanos(next));
        }
    }

    /// Settlements that were due by now have been.
    pub(super) fn on_time(&mut self, now: UnixNanos) {
        let Some(next) = self.next.filter(|next| *next <= now) else { return };
        let passed = since(now, next).as_nanos() as u64 / self.interval;
        let last = next.as_nanos().saturating_add(passed.saturating_mul(self.interval));
        self.last = Some(UnixNanos::from_nanos(last));
        self.next = Some(UnixNanos::from_nanos(last.saturating_add(self.interval)));
    }

    /// Messages may have been missed. What was charged is still known, if nothing was due since.
    pub(super) const fn on_gap(&mut self) {
        self.estimate = None;
        if self.next.is_none() {
            self.settled = None;
        }
    }

    pub(super) fn state(&self, now: UnixNanos, config: &FundingConfig) -> RateState {
        if let Some(settlement) = self.next.filter(|next| since(*next, now) <= config.before) {
            return RateState::Settling { settlement };
        }
        if let Some(settlement) = self.last.filter(|last| since(now, *last) < config.after) {
            return RateState::Settling { settlement };
        }
        let Some(settled) = self.settled.filter(|settled| Some(settled.at) == self.last) else {
            return RateState::Waiting(Waiting::SettledRate);
        };
        let is_current = |estimate: &Rate| {
            since(estimate.at, settled.at) >= config.after
                && since(now, estimate.at) <= config.estimate_timeout
        };
        let comparison =
            self.estimate.filter(is_current).map(|estimate| self.compare(estimate, settled));
        match comparison {
            Some(Some(comparison)) => RateState::Comparable(comparison),
            // Rates of more digits than can be counted with are none.
            Some(None) | None => RateState::Waiting(Waiting::Estimate),
        }
    }

    fn compare(&self, estimate: Rate, settled: Rate) -> Option<Comparison> {
        let (estimate, settled) = (estimate.rate, settled.rate);
        let ([a, b], unit) = lined_up(estimate, settled)?;
        let per_year = |rate: Decimal| {
            Decimal::new(rate.mantissa().checked_mul(i128::from(self.per_year))?, rate.exponent())
        };
        Some(Comparison {
            estimate,
            settled,
            difference: Decimal::new(a.checked_sub(b)?, unit)?,
            estimate_per_year: per_year(estimate)?,
            settled_per_year: per_year(settled)?,
        })
    }
}
