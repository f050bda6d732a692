//! When takers of one side outnumber the other.

use kucoin_futures_proto::wire::TakerSide;

use crate::indicator::ParameterError;

/// What is expected of a bar at first, and how fast one learns.
///
/// Lopez de Prado 2018, 2.3.2.1: with `b` of a trade +1 if the taker bought and -1 if it sold (the exchange says it;
/// the tick rule is not needed), a bar is over at the first trade at which `|sum of b| >= E[T] x |E[b]|`, and never
/// below one. After each whole bar of `T` trades both expectations move by `2 / (bars + 1)` towards that bar's: `T`, and
/// the mean of `b`. `E[T]` is held between [`least_ticks`](Self::least_ticks) and
/// [`most_ticks`](Self::most_ticks): without a bound the rule is known to run away to bars of one trade, or without an
/// end. A bar with a gap teaches nothing.
#[derive(Clone, Copy, PartialEq, Debug)]
#[allow(clippy::exhaustive_structs, reason = "made by callers, who have to choose each")]
pub struct ImbalanceConfig {
    /// Trades of a bar that are expected at first.
    pub expected_ticks: u32,
    /// Share of one side less that of the other that is expected at first: above 0, to 1.
    pub expected_imbalance: f64,
    /// Bars that the expectations are averaged over, exponentially.
    pub bars: u32,
    /// The fewest trades to expect.
    pub least_ticks: u32,
    /// The most trades to expect.
    pub most_ticks: u32,
}

#[derive(Clone, Debug)]
pub(super) struct Imbalance {
    config: ImbalanceConfig,
    ticks: f64,
    imbalance: f64,
    /// Of the running bar.
    sum: i64,
    count: u64,
}

impl Imbalance {
    pub(super) fn new(config: ImbalanceConfig) -> Result<Self, ParameterError> {
        let ImbalanceConfig { expected_ticks, expected_imbalance, bars, least_ticks, most_ticks } =
            config;
        if [expected_ticks, bars, least_ticks].contains(&0) {
            return Err(ParameterError::Zero);
        }
        if !(expected_imbalance > 0.0 && expected_imbalance <= 1.0) {
            return Err(ParameterError::NotPositive);
        }
        if !(least_ticks..=most_ticks).contains(&expected_ticks) {
            return Err(ParameterError::Order);
        }
        let ticks = f64::from(expected_ticks);
        Ok(Self { config, ticks, imbalance: expected_imbalance, sum: 0, count: 0 })
    }

    pub(super) fn is_full(&mut self, side: TakerSide) -> bool {
        let sign = match side {
            TakerSide::Buy => 1,
            TakerSide::Sell => -1,
        };
        self.sum = self.sum.saturating_add(sign);
        self.count = self.count.saturating_add(1);
        let threshold = (self.ticks * libm::fabs(self.imbalance)).max(1.0);
        self.sum.unsigned_abs() as f64 >= threshold
    }

    pub(super) fn on_bar(&mut self, is_whole: bool) {
        let (sum, count) = (core::mem::take(&mut self.sum), core::mem::take(&mut self.count));
        if !is_whole || count == 0 {
            return;
        }
        let alpha = 2.0 / (f64::from(self.config.bars) + 1.0);
        let bounds = [self.config.least_ticks, self.config.most_ticks].map(f64::from);
        let count = count as f64;
        let [least, most] = bounds;
        self.ticks = (self.ticks + alpha * (count - self.ticks)).clamp(least, most);
        self.imbalance += alpha * (sum as f64 / count - self.imbalance);
    }
}
