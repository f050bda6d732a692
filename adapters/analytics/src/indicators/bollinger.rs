//! Bollinger bands.

use ethnum::U256;
use kucoin_futures_proto::{Price, UnixNanos};

use crate::float::{UNITS, of_wide};
use crate::indicator::{Formula, Guarded, ParameterError};
use crate::window::Ring;

/// Bands around a mean, in quote currency.
#[derive(Clone, Copy, PartialEq, Debug)]
#[non_exhaustive]
pub struct Bands {
    /// The middle and so many standard deviations.
    pub upper: f64,
    /// The arithmetic mean.
    pub middle: f64,
    /// The middle less so many standard deviations.
    pub lower: f64,
    /// One standard deviation.
    pub deviation: f64,
}

/// Mean and standard deviation of the last `n` prices (J. Bollinger, *Bollinger on Bollinger Bands*, 2001), the
/// deviation that of a population as in TA-Lib: `sqrt(n x sum of p^2 - (sum of p)^2) / n`. Warm-up: `n`.
///
/// Both sums and their difference are integers, of 256 bits where it takes them, so that nothing cancels out and nothing
/// drifts: deviation and middle err by 3 units in the last place, whatever came before. (They are sums of differences
/// to the first price, which changes neither, and lets 128 bits do as a rule.)
#[derive(Clone, Debug)]
pub struct Bollinger {
    last: Ring<i64>,
    width: f64,
    /// What all sums are relative to.
    first: Option<i64>,
    sum: i128,
    squares: U256,
}

impl Bollinger {
    /// Of the last `n` prices, 1 to 65 536, with bands at so many standard deviations. Usual is (20, 2).
    ///
    /// # Errors
    /// [`ParameterError`] for another number, or a width that is not above zero.
    pub fn new(n: u32, width: f64) -> Result<Guarded<Self>, ParameterError> {
        if !(width > 0.0 && width.is_finite()) {
            return Err(ParameterError::NotPositive);
        }
        Ok(Guarded::new(Self {
            last: Ring::new(n)?,
            width,
            first: None,
            sum: 0,
            squares: U256::ZERO,
        }))
    }
}

/// The square of a difference of two prices, which is below 2^63: below 2^126.
#[inline]
const fn square(difference: i64) -> U256 {
    let size = difference.unsigned_abs() as u128;
    U256::new(size.wrapping_mul(size))
}

/// `n x squares - sum^2`: never below zero, and below 2^16 x 2^142.
#[inline]
fn spread(n: u32, squares: U256, sum: i128) -> f64 {
    let size = sum.unsigned_abs();
    if let (0, squares) = squares.into_words()
        && let (Some(left), Some(right)) =
            (squares.checked_mul(u128::from(n)), size.checked_mul(size))
    {
        return left.wrapping_sub(right) as f64;
    }
    let size = U256::new(size);
    of_wide(U256::from(n).wrapping_mul(squares).wrapping_sub(size.wrapping_mul(size)))
}

impl Formula for Bollinger {
    type Input = Price;
    type Output = Bands;

    #[inline]
    fn push(&mut self, _: UnixNanos, price: Price) {
        let price = price.scaled();
        // Neither is below zero, so that the difference fits.
        let new = price.wrapping_sub(*self.first.get_or_insert(price));
        // Before the window is full nothing leaves it: a difference of zero.
        let gone = self.last.push(new).unwrap_or(0);
        self.sum = self.sum.wrapping_add(i128::from(new)).wrapping_sub(i128::from(gone));
        self.squares = self.squares.wrapping_add(square(new)).wrapping_sub(square(gone));
    }

    #[inline]
    fn value(&self) -> Option<Bands> {
        if !self.last.is_full() {
            return None;
        }
        let n = self.last.len();
        let scale = f64::from(n) * UNITS;
        let deviation = libm::sqrt(spread(n, self.squares, self.sum)) / scale;
        let all = i128::from(self.first?).wrapping_mul(i128::from(n)).wrapping_add(self.sum);
        let middle = all as f64 / scale;
        let width = self.width * deviation;
        Some(Bands { upper: middle + width, middle, lower: middle - width, deviation })
    }

    fn warm_up(&self) -> u32 {
        self.last.capacity()
    }

    fn taken(&self) -> u32 {
        self.last.len()
    }

    fn reset(&mut self) {
        self.last.clear();
        (self.first, self.sum, self.squares) = (None, 0, U256::ZERO);
    }
}
