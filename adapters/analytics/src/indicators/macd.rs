//! Moving average convergence and divergence.

use kucoin_futures_proto::{Price, UnixNanos};

use super::ema::Smoothed;
use crate::float;
use crate::indicator::{Formula, Guarded, ParameterError};

/// The two lines and what is between them, in quote currency.
#[derive(Clone, Copy, PartialEq, Debug)]
#[non_exhaustive]
pub struct MacdValue {
    /// The fast average less the slow one.
    pub macd: f64,
    /// The average of that.
    pub signal: f64,
    /// The first less the second.
    pub histogram: f64,
}

/// A fast exponential average less a slow one, and the exponential average of that (G. Appel, 1979; *Technical
/// Analysis: Power Tools for Active Investors*, 2005). Aligned as in TA-Lib: each average begins with the arithmetic mean
/// of its first inputs, and the fast one passes over so many prices that it begins together with the slow one. Warm-up:
/// `slow + signal - 1`, 34 for the usual (12, 26, 9).
///
/// The lines are differences of averages that err by `slow + 1` units in the last place of a *price*: near zero that is
/// all they can be right to.
#[derive(Clone, Debug)]
pub struct Macd {
    /// Prices that the fast average passes over.
    head_start: u32,
    passed: u32,
    fast: Smoothed,
    slow: Smoothed,
    signal: Smoothed,
    macd: f64,
}

impl Macd {
    /// Of these lengths, 1 to 65 536 each.
    ///
    /// # Errors
    /// [`ParameterError`] for others, or a fast length that is not below the slow one.
    pub fn new(fast: u32, slow: u32, signal: u32) -> Result<Guarded<Self>, ParameterError> {
        let head_start = slow.checked_sub(fast).filter(|ahead| *ahead > 0);
        Ok(Guarded::new(Self {
            head_start: head_start.ok_or(ParameterError::Order)?,
            passed: 0,
            fast: Smoothed::exponential(fast)?,
            slow: Smoothed::exponential(slow)?,
            signal: Smoothed::exponential(signal)?,
            macd: 0.0,
        }))
    }
}

impl Formula for Macd {
    type Input = Price;
    type Output = MacdValue;

    #[inline]
    fn push(&mut self, _: UnixNanos, price: Price) {
        let price = float::of_price(price);
        self.slow.push(price);
        if self.passed < self.head_start {
            self.passed = self.passed.saturating_add(1);
        } else {
            self.fast.push(price);
        }
        if let Some((fast, slow)) = self.fast.value().zip(self.slow.value()) {
            self.macd = fast - slow;
            self.signal.push(self.macd);
        }
    }

    #[inline]
    fn value(&self) -> Option<MacdValue> {
        let (macd, signal) = (self.macd, self.signal.value()?);
        Some(MacdValue { macd, signal, histogram: macd - signal })
    }

    fn warm_up(&self) -> u32 {
        self.slow.warm_up().saturating_add(self.signal.warm_up()).saturating_sub(1)
    }

    fn taken(&self) -> u32 {
        // The price that makes the slow average makes the first of the signal's, too.
        let both = u32::from(self.signal.taken() > 0);
        self.slow.taken().saturating_add(self.signal.taken()).saturating_sub(both)
    }

    fn reset(&mut self) {
        self.fast.reset();
        self.slow.reset();
        self.signal.reset();
        (self.passed, self.macd) = (0, 0.0);
    }
}
