//! The relative strength index.

use kucoin_futures_proto::{Price, UnixNanos};

use super::ema::Smoothed;
use crate::float;
use crate::indicator::{Formula, Guarded, ParameterError};

/// `100 x gain / (gain + loss)`, 0 to 100: means of the rises and of the falls from price to price, first of `n` of them
/// and then with 1/n of each next one (J. W. Wilder, *New Concepts in Technical Trading Systems*, 1978). Warm-up:
/// `n + 1`, and at least one price that differs from the one before: where nothing has moved there is no number (TA-Lib
/// says 0 there).
///
/// Differences are exact; each mean errs by some `2 n` units in its last place.
#[derive(Clone, Debug)]
pub struct Rsi {
    last: Option<Price>,
    gain: Smoothed,
    loss: Smoothed,
}

impl Rsi {
    /// Of `n` changes, 1 to 65 536; Wilder's own is 14.
    ///
    /// # Errors
    /// [`ParameterError`] for another number.
    pub fn new(n: u32) -> Result<Guarded<Self>, ParameterError> {
        let mean = Smoothed::wilder(n)?;
        Ok(Guarded::new(Self { last: None, gain: mean, loss: mean }))
    }
}

impl Formula for Rsi {
    type Input = Price;
    type Output = f64;

    #[inline]
    fn push(&mut self, _: UnixNanos, price: Price) {
        let Some(last) = self.last.replace(price) else { return };
        // Both are zero or more.
        let change = float::of_units(price.scaled().wrapping_sub(last.scaled()));
        self.gain.push(change.max(0.0));
        self.loss.push((-change).max(0.0));
    }

    #[inline]
    fn value(&self) -> Option<f64> {
        let (gain, loss) = (self.gain.value()?, self.loss.value()?);
        let both = gain + loss;
        if both > 0.0 { Some(100.0 * (gain / both)) } else { None }
    }

    fn warm_up(&self) -> u32 {
        self.gain.warm_up().saturating_add(1)
    }

    fn taken(&self) -> u32 {
        self.gain.taken().saturating_add(u32::from(self.last.is_some()))
    }

    fn reset(&mut self) {
        self.last = None;
        self.gain.reset();
        self.loss.reset();
    }
}
