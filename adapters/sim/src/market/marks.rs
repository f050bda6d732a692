//! What a contract is worth beside its last trade: index and mark.

use kucoin_futures_proto::{Price, UnixNanos};

use super::funding::Funding;
use super::noise::Noise;
use super::record::Record;
use crate::contract::Contract;

/// The index is made of trades elsewhere, and a little behind ours.
const BEHIND: u64 = 2;
/// How far it strays from the last trade: slowly, faster, and from second to second, in millionths.
const SLOW: (u64, i64) = (300, 800);
const FAST: (u64, i64) = (10, 100);
const JITTER: (u64, i64) = (1, 20);
/// The basis is averaged over so many seconds, looking every so often.
const BASIS_SPAN: u64 = 300;
const BASIS_STEP: u64 = 10;

/// Mark and index price of one second.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Marks {
    /// When: a whole second.
    pub at: UnixNanos,
    /// The median of the index with the funding that is still to come, the index with the average basis
    /// of five minutes, and the last trade; cut to the tick of the index.
    pub mark: Price,
    /// A multiple of a tenth of the contract's tick.
    pub index: Price,
    /// The last trade before that second.
    pub last: Price,
}

/// The view of one market that marks are made from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reference<'a> {
    pub(crate) contract: &'a Contract,
    pub(crate) record: &'a Record,
    pub(crate) funding: Funding,
    pub(crate) seed: u64,
}

impl Reference<'_> {
    /// Of this second since the epoch; made of what was traded before it.
    pub(crate) fn marks(&self, second: u64) -> Marks {
        let index = self.index(second);
        let last = self.record.last_before(self.contract, second).scaled();
        let left = i128::from(index) * self.funding_left(second) / 1_000_000_000_000;
        let [a, b, c] =
            [i128::from(index) + left, i128::from(index) + self.basis(second), i128::from(last)];
        let median = a.max(b).min(a.min(b).max(c));
        let price = |scaled: i64| Price::from_scaled(scaled.max(1)).unwrap_or_default();
        let mark = self.cut(i64::try_from(median).unwrap_or(index));
        Marks { at: unix(second), mark: price(mark), index: price(index), last: price(last) }
    }

    /// In units of 1e-12.
    fn index(&self, second: u64) -> i64 {
        let anchor = self.record.last_before(self.contract, second.saturating_sub(BEHIND));
        let noise = |salt: u64, (period, reach): (u64, i64)| {
            Noise { seed: self.seed ^ salt, period, reach }.at(second)
        };
        let away = noise(1, SLOW) + noise(2, FAST) + noise(3, JITTER);
        let anchor = i128::from(anchor.scaled());
        let index = anchor + anchor * i128::from(away) / 1_000_000;
        self.cut(i64::try_from(index).unwrap_or(i64::MAX))
    }

    /// What the contract costs above the index, on average. In units of 1e-12.
    fn basis(&self, second: u64) -> i128 {
        let seconds = (0..BASIS_SPAN).step_by(BASIS_STEP as usize);
        let basis = |back: u64| {
            let second = second.saturating_sub(back);
            let last = self.record.last_before(self.contract, second).scaled();
            i128::from(last) - i128::from(self.index(second))
        };
        seconds.map(basis).sum::<i128>() / i128::from(BASIS_SPAN / BASIS_STEP)
    }

    /// The part of the price that funding will still move: rate times the time left, in 1e-12.
    fn funding_left(&self, second: u64) -> i128 {
        let Some(hours) = self.funding.hours() else { return 0 };
        let ms = second * 1_000;
        let left = self.funding.next_settlement(ms).unwrap_or(ms) - ms;
        let rate = i128::from(self.funding.estimate(ms / 60_000));
        rate * 1_000_000 * i128::from(left) / i128::from(hours * 3_600_000)
    }

    fn cut(&self, scaled: i64) -> i64 {
        let tick = self.contract.index_tick().scaled().max(1);
        (scaled - scaled % tick).max(tick)
    }
}

const fn unix(second: u64) -> UnixNanos {
    UnixNanos::from_nanos(second * 1_000_000_000)
}
