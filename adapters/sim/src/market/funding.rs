//! Funding: when it is settled, what it will be, and what it was. Rates are in millionths.

use kucoin_futures_proto::Decimal;

use super::noise::Noise;

const HOUR_MS: u64 = 3_600_000;
/// What rates stray around: 0.01 %.
const USUAL: i64 = 100;
/// How estimates stray: over so many minutes, by so many millionths.
const SLOW: (u64, i64) = (240, 300);
const FAST: (u64, i64) = (7, 40);
/// What is charged is off the last estimate by 1 to this.
const OFF: i64 = 20;
/// After a settlement the list of contracts has the old estimate for so long, and then the settled rate
/// until this. Seen in 2026: 5 to 20 s, then about a minute.
const OLD_FOR_MS: u64 = 12_000;
const SETTLED_UNTIL_MS: u64 = 72_000;

/// The funding of one contract: a pure function of time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Funding {
    pub(crate) seed: u64,
    /// From one settlement to the next; 0: there is none, the contract is dated.
    pub(crate) every: u64,
    /// The grid of settlements begins so many hours after midnight, UTC.
    pub(crate) offset: u64,
}

/// What the list of contracts shows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct FundingShown {
    /// The estimate, or for about a minute after a settlement what was charged.
    pub rate: Decimal,
    /// What was charged the last time, once that is shown.
    pub last_charged: Decimal,
    /// The next settlement, in ms since the epoch.
    pub next_ms: u64,
    /// From one settlement to the next, in ms.
    pub interval_ms: u64,
}

impl Funding {
    pub(crate) const fn hours(self) -> Option<u64> {
        if self.every == 0 { None } else { Some(self.every) }
    }

    pub(crate) fn interval_ms(self) -> Option<u64> {
        self.hours().map(|hours| hours * HOUR_MS)
    }

    /// The latest settlement that is not after this.
    pub(crate) fn last_settlement(self, ms: u64) -> Option<u64> {
        let (interval, offset) = (self.interval_ms()?, self.offset * HOUR_MS);
        Some(ms - ms.saturating_sub(offset) % interval)
    }

    /// The first settlement after this.
    pub(crate) fn next_settlement(self, ms: u64) -> Option<u64> {
        Some(self.last_settlement(ms)? + self.interval_ms()?)
    }

    /// The running estimate in this minute since the epoch.
    pub(crate) fn estimate(self, minute: u64) -> i64 {
        let noise = |salt: u64, (period, reach): (u64, i64)| {
            Noise { seed: self.seed ^ salt, period, reach }.at(minute)
        };
        USUAL + noise(11, SLOW) + noise(12, FAST)
    }

    /// What is charged at a settlement: near the last estimate, and never equal to it.
    pub(crate) fn charged(self, settlement_ms: u64) -> i64 {
        let off = Noise { seed: self.seed ^ 13, period: 1, reach: OFF }.at(settlement_ms / 60_000);
        let last = self.estimate((settlement_ms / 60_000).saturating_sub(1));
        last + if off == 0 { 1 } else { off }
    }

    /// What the list of contracts shows at this time.
    pub(crate) fn shown(self, ms: u64) -> Option<FundingShown> {
        let (settled, interval_ms) = (self.last_settlement(ms)?, self.interval_ms()?);
        let (charged, before) = (self.charged(settled), self.charged(settled - interval_ms));
        let (rate, last_charged) = match ms - settled {
            ..OLD_FOR_MS => (self.estimate(settled / 60_000 - 1), before),
            OLD_FOR_MS..SETTLED_UNTIL_MS => (charged, charged),
            _ => (self.estimate(ms / 60_000), charged),
        };
        let (rate, last_charged) = (decimal(rate), decimal(last_charged));
        Some(FundingShown { rate, last_charged, next_ms: settled + interval_ms, interval_ms })
    }
}

/// Of millionths.
pub(crate) fn decimal(millionths: i64) -> Decimal {
    Decimal::new(i128::from(millionths), -6).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const EIGHT: Funding = Funding { seed: 5, every: 8, offset: 0 };

    #[test]
    fn grids_may_begin_anywhere_in_the_day() {
        let four = Funding { seed: 5, every: 4, offset: 3 };
        let midnight = 20_700 * 24 * HOUR_MS;
        assert_eq!(four.next_settlement(midnight), Some(midnight + 3 * HOUR_MS));
        assert_eq!(four.last_settlement(midnight), Some(midnight - HOUR_MS));
        assert_eq!(EIGHT.next_settlement(midnight), Some(midnight + 8 * HOUR_MS));
        assert_eq!(Funding { every: 0, ..EIGHT }.shown(midnight), None);
    }

    #[test]
    fn around_a_settlement_the_list_is_late() {
        let settled = 20_700 * 24 * HOUR_MS;
        let at = |ms: u64| EIGHT.shown(ms).unwrap();
        let before = at(settled - 1);
        assert_eq!(before.next_ms, settled);
        let late = at(settled + 5_000);
        assert_eq!((late.rate, late.last_charged), (before.rate, before.last_charged));
        assert_eq!(late.next_ms, settled + 8 * HOUR_MS, "it names the next one already");
        let shown = at(settled + 30_000);
        assert_eq!(shown.rate, decimal(EIGHT.charged(settled)));
        assert_eq!(shown.rate, shown.last_charged);
        assert_ne!(shown.rate, before.rate, "an estimate is not what is charged");
        let after = at(settled + 100_000);
        assert_eq!(after.rate, decimal(EIGHT.estimate(settled / 60_000 + 1)));
        assert_eq!(after.last_charged, shown.rate);
    }
}
