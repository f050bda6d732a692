//! The average true range.

use kucoin_futures_proto::{Price, UnixNanos};

use super::ema::Smoothed;
use crate::candle::Candle;
use crate::float;
use crate::indicator::{Formula, Guarded, ParameterError};

/// What a true range is made of: three prices of a candle.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(clippy::exhaustive_structs, reason = "made by callers, out of whatever they have")]
pub struct TrueRangeInput {
    /// Highest price.
    pub high: Price,
    /// Lowest price.
    pub low: Price,
    /// Last price.
    pub close: Price,
}

impl From<&Candle> for TrueRangeInput {
    fn from(candle: &Candle) -> Self {
        Self { high: candle.high, low: candle.low, close: candle.close }
    }
}

/// The mean of true ranges in quote currency, first of `n` of them and then with 1/n of each next one (J. W. Wilder,
/// *New Concepts in Technical Trading Systems*, 1978). A true range is the largest of high less low, and the ways from
/// the close before to high and to low, exactly. Warm-up: `n + 1` candles, because the first has no close before it.
///
/// The mean errs by some `2 n` units in its last place.
#[derive(Clone, Debug)]
pub struct Atr {
    close: Option<Price>,
    mean: Smoothed,
}

impl Atr {
    /// Of `n` candles, 1 to 65 536; Wilder's own is 14.
    ///
    /// # Errors
    /// [`ParameterError`] for another number.
    pub fn new(n: u32) -> Result<Guarded<Self>, ParameterError> {
        Ok(Guarded::new(Self { close: None, mean: Smoothed::wilder(n)? }))
    }
}

impl Formula for Atr {
    type Input = TrueRangeInput;
    type Output = f64;

    #[inline]
    fn push(&mut self, _: UnixNanos, candle: TrueRangeInput) {
        let TrueRangeInput { high, low, close } = candle;
        let Some(before) = self.close.replace(close) else { return };
        let top = high.scaled().max(before.scaled());
        let bottom = low.scaled().min(before.scaled());
        self.mean.push(float::of_units(top.wrapping_sub(bottom)));
    }

    #[inline]
    fn value(&self) -> Option<f64> {
        self.mean.value()
    }

    fn warm_up(&self) -> u32 {
        self.mean.warm_up().saturating_add(1)
    }

    fn taken(&self) -> u32 {
        self.mean.taken().saturating_add(u32::from(self.close.is_some()))
    }

    fn reset(&mut self) {
        self.close = None;
        self.mean.reset();
    }
}
