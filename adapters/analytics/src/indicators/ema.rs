//! The exponential moving average.

use kucoin_futures_proto::{Price, UnixNanos};

use crate::float;
use crate::indicator::{Formula, Guarded, ParameterError, length};

/// `ema += 2 / (n + 1) x (price - ema)`, begun with the arithmetic mean of the first `n` prices, as TA-Lib does it (R. G.
/// Brown, *Statistical Forecasting for Inventory Control*, 1959, for the recursion). Warm-up: `n`.
///
/// A step errs by 2 units in the last place at most, and older errors fade with the prices they came with: together
/// `n + 1` units in the last place of the largest price seen.
#[derive(Clone, Debug)]
pub struct Ema(Smoothed);

impl Ema {
    /// Of a length of `n` prices, 1 to 65 536.
    ///
    /// # Errors
    /// [`ParameterError`] for another number.
    pub fn new(n: u32) -> Result<Guarded<Self>, ParameterError> {
        Ok(Guarded::new(Self(Smoothed::exponential(n)?)))
    }
}

impl Formula for Ema {
    type Input = Price;
    type Output = f64;

    #[inline]
    fn push(&mut self, _: UnixNanos, price: Price) {
        self.0.push(float::of_price(price));
    }

    #[inline]
    fn value(&self) -> Option<f64> {
        self.0.value()
    }

    fn warm_up(&self) -> u32 {
        self.0.n
    }

    fn taken(&self) -> u32 {
        self.0.taken
    }

    fn reset(&mut self) {
        self.0.reset();
    }
}

/// A recursive mean of numbers that begins with the mean of the first `n`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Smoothed {
    n: u32,
    step: Step,
    taken: u32,
    /// The sum of the first `n`, the mean from then on.
    value: f64,
}

/// How the mean moves.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// By so much of the way: where it is there, it stays.
    Exponential(f64),
    /// To the mean of `n` of which all but one are the mean before. Nothing is subtracted, so that a mean of numbers
    /// above zero keeps its digits however far it falls.
    Wilder,
}

impl Smoothed {
    /// `alpha = 2 / (n + 1)`.
    pub(super) fn exponential(n: u32) -> Result<Self, ParameterError> {
        let n = length(n)?;
        let step = Step::Exponential(2.0 / (f64::from(n) + 1.0));
        Ok(Self { n, step, taken: 0, value: 0.0 })
    }

    /// `alpha = 1 / n`: Wilder's.
    pub(super) fn wilder(n: u32) -> Result<Self, ParameterError> {
        Ok(Self { n: length(n)?, step: Step::Wilder, taken: 0, value: 0.0 })
    }

    #[inline]
    pub(super) fn push(&mut self, x: f64) {
        if self.taken == self.n {
            let n = f64::from(self.n);
            self.value = match self.step {
                Step::Exponential(alpha) => self.value + alpha * (x - self.value),
                Step::Wilder => (self.value * (n - 1.0) + x) / n,
            };
            return;
        }
        self.taken = self.taken.saturating_add(1);
        self.value += x;
        if self.taken == self.n {
            self.value /= f64::from(self.n);
        }
    }

    #[inline]
    pub(super) const fn value(&self) -> Option<f64> {
        if self.taken == self.n { Some(self.value) } else { None }
    }

    pub(super) const fn warm_up(&self) -> u32 {
        self.n
    }

    pub(super) const fn taken(&self) -> u32 {
        self.taken
    }

    pub(super) const fn reset(&mut self) {
        (self.taken, self.value) = (0, 0.0);
    }
}
