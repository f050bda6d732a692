//! The simple moving average.

use kucoin_futures_proto::{Price, UnixNanos};

use crate::indicator::{Formula, Guarded, ParameterError};
use crate::window::Ring;

/// The arithmetic mean of the last `n` prices: an exact sum, divided once and rounded down to 12 decimals. So it never
/// drifts, however long it runs. Warm-up: `n`.
///
/// ```
/// use kucoin_futures_analytics::{Indicator, Reading, Sma};
/// use kucoin_futures_proto::UnixNanos;
///
/// let mut sma = Sma::new(3)?;
/// let mut said = Vec::new();
/// for (second, price) in ["1", "2", "4", "8"].into_iter().enumerate() {
///     said.push(sma.push(UnixNanos::from_nanos(second as u64), price.parse()?));
/// }
/// assert_eq!(said[1], Reading::Warming { needed: 1 });
/// assert_eq!(said[2].valid().unwrap().to_string(), "2.333333333333");
/// sma.on_gap(UnixNanos::from_nanos(4));
/// assert!(sma.reading().is_stale());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Sma {
    last: Ring<i64>,
    sum: i128,
}

impl Sma {
    /// Of the last `n` prices, 1 to 65 536.
    ///
    /// # Errors
    /// [`ParameterError`] for another number.
    pub fn new(n: u32) -> Result<Guarded<Self>, ParameterError> {
        Ok(Guarded::new(Self { last: Ring::new(n)?, sum: 0 }))
    }
}

impl Formula for Sma {
    type Input = Price;
    type Output = Price;

    #[inline]
    fn push(&mut self, _: UnixNanos, price: Price) {
        let gone = self.last.push(price.scaled()).unwrap_or(0);
        // 65 536 numbers below 2^63 stay below 2^79.
        self.sum = self.sum.wrapping_add(i128::from(price.scaled())).wrapping_sub(i128::from(gone));
    }

    #[inline]
    fn value(&self) -> Option<Price> {
        if !self.last.is_full() {
            return None;
        }
        let n = self.last.len();
        // Usually the sum fits into a word, and a division of words takes a third of the time.
        let mean = match u64::try_from(self.sum) {
            Ok(sum) => i64::try_from(sum.checked_div(u64::from(n))?).ok()?,
            Err(_) => i64::try_from(self.sum.checked_div(i128::from(n))?).ok()?,
        };
        Price::from_scaled(mean)
    }

    fn warm_up(&self) -> u32 {
        self.last.capacity()
    }

    fn taken(&self) -> u32 {
        self.last.len()
    }

    fn reset(&mut self) {
        self.last.clear();
        self.sum = 0;
    }
}
