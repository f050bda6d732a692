//! Mark against index, and the estimate of the funding rate against what was charged: see [`FundingDivergence`].
//!
//! ```text
//!              next - before     next                next + after     estimate of after that
//!  ──Comparable─────┼──Settling───┼──────Settling─────────┼──────Waiting─────┼──Comparable────>
//!                                 │   funding.end: the rate that was charged │
//!                                 └ the estimate still is that of the interval before
//! ```

mod rate;

use core::time::Duration;

use kucoin_futures_proto::wire::{FundingRate, FundingSettlement, MarkPrice};
use kucoin_futures_proto::{Decimal, UnixNanos};

use crate::indicator::{Indicator, ParameterError};
use crate::reading::Reading;
use crate::valuation::lined_up;
use rate::Rates;
pub use rate::{Comparison, RateState, Waiting};

/// What is told of a contract's funding.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum FundingInput {
    /// Mark and index price.
    Mark(MarkPrice),
    /// An estimate, or a settled rate; which one it says itself.
    Rate(FundingRate),
    /// The end of a settlement, `funding.end`. The begin says no more than the end, and is not needed.
    Settled(FundingSettlement),
}

/// How long things take and last.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct FundingConfig {
    /// A mark price that is older is stale. 5 s: one comes each second.
    pub mark_timeout: Duration,
    /// An estimate that is older is not compared. 3 min: one comes each minute.
    pub estimate_timeout: Duration,
    /// So long before a settlement the estimate is not compared any more. 1 min: what the exchange shows in the last
    /// minute was seen to differ from what it then charged.
    pub before: Duration,
    /// Estimates of so long after a settlement are not compared yet. 90 s: for up to 20 s the old estimate was seen to
    /// stand, and the settled rate in its place for about a minute more.
    pub after: Duration,
}

impl Default for FundingConfig {
    fn default() -> Self {
        Self {
            mark_timeout: Duration::from_secs(5),
            estimate_timeout: Duration::from_secs(180),
            before: Duration::from_secs(60),
            after: Duration::from_secs(90),
        }
    }
}

/// What is said of a contract's funding.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Funding {
    /// (mark - index) / index, cut after 18 decimals.
    pub premium: Decimal,
    /// The estimate beside the last settled rate, or why they are not comparable now.
    pub rate: RateState,
    /// When funding is settled next; `None` before any settlement was told.
    pub next_settlement: Option<UnixNanos>,
    /// From the latest time told until then.
    pub to_settlement: Option<Duration>,
}

/// Where a perpetual contract's price and its funding stand apart.
///
/// The premium is that of the last mark price: mark less index, by index. The estimate of the rate that will be
/// charged is set beside the rate that was charged last, both as they are and per year. Around a settlement the two
/// are not comparable, and [`RateState`] says so instead: what the exchange shows then is of the interval that ends, or
/// settled already. Exact throughout.
///
/// Warm-up: one mark price with an index above zero. The premium is stale after a gap until the next mark price,
/// and without any for [`FundingConfig::mark_timeout`], which [`on_time`](Indicator::on_time) notices. That the mark
/// equals the last trade, or does not move, is no sign of age: on a quiet contract it is so for minutes. After a gap an
/// estimate is awaited. A settlement that a gap has swallowed is not missed, because when it was due is known.
///
/// ```
/// use core::time::Duration;
/// use kucoin_futures_analytics::funding::{FundingConfig, FundingDivergence, FundingInput, RateState, Waiting};
/// use kucoin_futures_analytics::Indicator;
/// use kucoin_futures_proto::UnixNanos;
/// use kucoin_futures_proto::wire::MarkPrice;
///
/// let eight_hours = Duration::from_secs(8 * 3600);
/// let mut funding = FundingDivergence::new(eight_hours, FundingConfig::default())?;
/// let mark = br#"{"markPrice":63063,"indexPrice":63000.0,"granularity":1000,"timestamp":1790000000000}"#;
/// let at = UnixNanos::from_millis(1_790_000_000_000).unwrap();
/// let said = funding.push(at, FundingInput::Mark(MarkPrice::parse(mark)?));
/// let said = said.valid().unwrap();
/// assert_eq!(said.premium.to_string(), "0.001");
/// assert_eq!(said.rate, RateState::Waiting(Waiting::SettledRate));
/// let later = UnixNanos::from_millis(1_790_000_006_000).unwrap();
/// assert!(funding.on_time(later).is_stale());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct FundingDivergence {
    config: FundingConfig,
    mark: Option<Mark>,
    /// The last gap since that mark.
    gap: Option<UnixNanos>,
    rates: Rates,
    now: UnixNanos,
}

#[derive(Clone, Copy, Debug)]
struct Mark {
    at: UnixNanos,
    premium: Decimal,
}

impl FundingDivergence {
    /// Of a contract with this interval from settlement to settlement: 8, 4 or 1 h; see
    /// [`ContractSpec::funding_interval`](kucoin_futures_proto::ContractSpec::funding_interval).
    ///
    /// # Errors
    /// [`ParameterError::Zero`] for no interval, [`ParameterError::Order`] for one that a year of 365 days is no
    /// multiple of.
    pub fn new(interval: Duration, config: FundingConfig) -> Result<Self, ParameterError> {
        let rates = Rates::new(interval)?;
        Ok(Self { config, mark: None, gap: None, rates, now: UnixNanos::from_nanos(0) })
    }

    /// When funding is settled next, from the contract list or a REST answer. Grids are each contract's own, and need
    /// not go through midnight.
    pub fn on_schedule(&mut self, next: UnixNanos) {
        self.rates.on_schedule(next);
    }

    /// A rate that was charged, from REST: whoever starts between two settlements need not wait for the next.
    pub fn on_charged(&mut self, settlement: UnixNanos, rate: Decimal) {
        self.rates.on_settled(settlement, rate);
    }

    /// It is this time now. If that is long before what was said to be now, one of both is wrong: everything begins
    /// anew, because with a time from far ahead nothing would ever be stale.
    fn move_to(&mut self, at: UnixNanos) {
        if since(self.now, at) > SET_BACK {
            (self.mark, self.gap, self.now) = (None, None, at);
            self.rates.forget();
        }
        self.now = self.now.max(at);
    }

    fn on_mark(&mut self, at: UnixNanos, mark: &MarkPrice) {
        if self.mark.is_some_and(|last| at < last.at) {
            return;
        }
        let premium = premium(mark.mark_price, mark.index_price);
        self.mark = premium.map(|premium| Mark { at, premium });
        self.gap = None;
    }

    /// What the mark is too old for.
    fn stale_since(&self, mark: &Mark) -> Option<UnixNanos> {
        self.gap.or_else(|| {
            let is_old = since(self.now, mark.at) > self.config.mark_timeout;
            is_old.then_some(mark.at)
        })
    }
}

impl Indicator for FundingDivergence {
    type Input = FundingInput;
    type Output = Funding;

    /// `at` is the time that the message states; one without is of when it came, by the exchange's clock.
    fn push(&mut self, at: UnixNanos, input: FundingInput) -> Reading<Funding> {
        self.move_to(at);
        match input {
            FundingInput::Mark(mark) => self.on_mark(at, &mark),
            FundingInput::Rate(rate) if rate.is_estimate() => {
                self.rates.on_estimate(at, rate.funding_rate);
            }
            FundingInput::Rate(rate) => {
                self.rates.on_rate(at, rate.funding_rate, rate.interval, &self.config);
            }
            FundingInput::Settled(end) => {
                self.rates.on_settled(end.funding_time.unwrap_or(at), end.funding_rate);
            }
        }
        self.rates.on_time(self.now);
        self.reading()
    }

    fn on_gap(&mut self, at: UnixNanos) {
        self.gap = Some(at);
        self.rates.on_gap();
    }

    fn on_time(&mut self, at: UnixNanos) -> Reading<Funding> {
        self.move_to(at);
        self.rates.on_time(self.now);
        self.reading()
    }

    fn reading(&self) -> Reading<Funding> {
        let Some(mark) = &self.mark else { return Reading::Warming { needed: 1 } };
        let next_settlement = self.rates.next();
        let value = Funding {
            premium: mark.premium,
            rate: self.rates.state(self.now, &self.config),
            next_settlement,
            to_settlement: next_settlement.map(|next| since(next, self.now)),
        };
        match self.stale_since(mark) {
            Some(gap) => Reading::Stale { value, gap },
            None => Reading::Valid { value, valid_since: mark.at },
        }
    }

    fn warm_up(&self) -> u32 {
        1
    }
}

/// Messages of several channels overtake each other by less.
const SET_BACK: Duration = Duration::from_secs(60);

/// Zero if it is not later.
const fn since(later: UnixNanos, earlier: UnixNanos) -> Duration {
    Duration::from_nanos(later.as_nanos().saturating_sub(earlier.as_nanos()))
}

/// `(mark - index) / index`, cut after 18 decimals; `None` for an index that is not above zero, or too many digits.
fn premium(mark: Decimal, index: Decimal) -> Option<Decimal> {
    const DECIMALS: i8 = 18;
    if index <= Decimal::ZERO {
        return None;
    }
    let ([mark, index], _) = lined_up(mark, index)?;
    let scaled = mark.checked_sub(index)?.checked_mul(10_i128.pow(DECIMALS as u32))?;
    Decimal::new(scaled.checked_div(index)?, -DECIMALS)
}
