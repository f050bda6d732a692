//! Realised volatility.

use core::time::Duration;

use kucoin_futures_proto::{Price, UnixNanos};

use crate::indicator::{Formula, Guarded, ParameterError};
use crate::window::{Ring, nanos};

/// The square root of the sum of the last `n` squared logarithmic returns (T. G. Andersen and T. Bollerslev,
/// *Answering the Skeptics*, 1998), on request per year. No mean is taken off. Warm-up: `n + 1` prices.
///
/// Squares are added up as integers of 2^-96: the sum is the same in whatever order it came about, and never drifts. A
/// square is 4 units in the last place off at most, or 2^-96 if that is more; the root of the sum half as much.
///
/// A price of zero has no logarithm: everything begins anew after it.
#[derive(Clone, Debug)]
pub struct RealisedVolatility {
    last: Option<Price>,
    squares: Ring<u128>,
    sum: u128,
    scale: f64,
}

/// Of the units in which squares are counted. A return is below 44, a square below 2^11, 2^16 of them below 2^27.
const ONE: f64 = 79_228_162_514_264_337_593_543_950_336.0;
/// Markets are open on all days.
const YEAR: Duration = Duration::from_secs(365 * 86_400);

impl RealisedVolatility {
    /// Of the last `n` returns, 1 to 65 536, as it is.
    ///
    /// # Errors
    /// [`ParameterError`] for another number.
    pub fn new(n: u32) -> Result<Guarded<Self>, ParameterError> {
        Ok(Guarded::new(Self { last: None, squares: Ring::new(n)?, sum: 0, scale: 1.0 }))
    }

    /// The same per year of 365 days, if a return comes every so often: times `sqrt(year / (n x every))`.
    ///
    /// # Errors
    /// As for [`new`](Self::new), or if `every` is zero.
    pub fn annualised(n: u32, every: Duration) -> Result<Guarded<Self>, ParameterError> {
        let (squares, every) = (Ring::new(n)?, nanos(every)? as f64);
        let scale = libm::sqrt(YEAR.as_nanos() as f64 / (f64::from(n) * every));
        Ok(Guarded::new(Self { last: None, squares, sum: 0, scale }))
    }
}

impl Formula for RealisedVolatility {
    type Input = Price;
    type Output = f64;

    #[inline]
    fn push(&mut self, _: UnixNanos, price: Price) {
        if price == Price::ZERO {
            self.reset();
            return;
        }
        let Some(last) = self.last.replace(price) else { return };
        // The difference is exact: a small return keeps all its digits.
        let change = price.scaled().wrapping_sub(last.scaled()) as f64;
        let log = libm::log1p(change / last.scaled() as f64);
        let square = (log * log * ONE) as u128;
        let gone = self.squares.push(square).unwrap_or(0);
        self.sum = self.sum.wrapping_add(square).wrapping_sub(gone);
    }

    #[inline]
    fn value(&self) -> Option<f64> {
        self.squares.is_full().then(|| libm::sqrt(self.sum as f64 / ONE) * self.scale)
    }

    fn warm_up(&self) -> u32 {
        self.squares.capacity().saturating_add(1)
    }

    fn taken(&self) -> u32 {
        self.squares.len().saturating_add(u32::from(self.last.is_some()))
    }

    fn reset(&mut self) {
        self.last = None;
        self.squares.clear();
        self.sum = 0;
    }
}
