//! Indicators of prices, and the one of whole candles.

use kucoin_futures_analytics::{self as analytics, Guarded, TrueRangeInput};
use kucoin_futures_proto::Price;
use pyo3::prelude::*;
use pyo3::types::PyList;

use super::candle_events::ClosedCandle;
use super::kept::{Kept, Told, indicator_class, no_candle_event, over};
use super::numbers::{price, span};
use super::reading::Reading;
use crate::fault::Fault;

/// A class of an indicator of prices: how it is made of its arguments, and how those are shown.
macro_rules! of_prices {
    (
        $(#[doc = $doc:literal])*
        $name:ident: $formula:ty,
        ($($signature:tt)*), |$($arg:ident: $type:ty),*| $made:expr
    ) => {
        indicator_class! {
            $(#[doc = $doc])*
            $name { kept: Kept<Guarded<$formula>>, blank: Guarded<$formula> }

            #[new]
            #[pyo3(signature = ($($signature)*))]
            fn new($($arg: $type),*) -> PyResult<Self> {
                let mut shown = String::from(stringify!($name));
                $(shown.push_str(&format!(" {}={:?}", stringify!($arg), $arg));)*
                let blank: Guarded<$formula> = $made;
                Ok(Self { shown, kept: Kept::new(blank.clone()), blank })
            }

            #[pyo3(signature = (value, *, at_ns=None))]
            fn push(&self, value: &Bound<'_, PyAny>, at_ns: Option<u64>) -> PyResult<Reading> {
                Ok(self.kept.tell(close(value, at_ns)?))
            }

            fn take(&self, event: &Bound<'_, PyAny>) -> PyResult<Reading> {
                let told = Told::of_candles(event, |candle| candle.close);
                Ok(self.kept.tell(told.ok_or_else(no_candle_event)?))
            }

            fn over<'py>(
                &self,
                py: Python<'py>,
                prices: &Bound<'py, PyAny>,
            ) -> PyResult<Bound<'py, PyList>> {
                over(py, self.blank.clone(), prices, |price| close(price, None))
            }
        }
    };
}

/// A price, or the close of a candle at its end.
fn close(value: &Bound<'_, PyAny>, at_ns: Option<u64>) -> PyResult<Told<Price>> {
    match Told::of_candles(value, |candle| candle.close) {
        Some(told) => Ok(told),
        None => Ok(Told::Input(at_ns, price(value)?)),
    }
}

of_prices! {
    /// The arithmetic mean of the last prices.
    Sma: analytics::Sma, (n), |n: u32| analytics::Sma::new(n).map_err(Fault::from)?
}

of_prices! {
    /// The exponential moving average.
    Ema: analytics::Ema, (n), |n: u32| analytics::Ema::new(n).map_err(Fault::from)?
}

of_prices! {
    /// Wilder's relative strength index.
    Rsi: analytics::Rsi, (n=14), |n: u32| analytics::Rsi::new(n).map_err(Fault::from)?
}

of_prices! {
    /// Mean and standard deviation, as bands.
    Bollinger: analytics::Bollinger, (n=20, width=2.0),
    |n: u32, width: f64| analytics::Bollinger::new(n, width).map_err(Fault::from)?
}

of_prices! {
    /// Moving average convergence and divergence.
    Macd: analytics::Macd, (fast=12, slow=26, signal=9),
    |fast: u32, slow: u32, signal: u32| analytics::Macd::new(fast, slow, signal).map_err(Fault::from)?
}

of_prices! {
    /// The root of the sum of squared logarithmic returns.
    Volatility: analytics::RealisedVolatility, (n, *, every=None),
    |n: u32, every: Option<&Bound<'_, PyAny>>| match every {
        None => analytics::RealisedVolatility::new(n),
        Some(every) => analytics::RealisedVolatility::annualised(n, span(every)?),
    }
    .map_err(Fault::from)?
}

indicator_class! {
    /// Wilder's average true range.
    Atr { kept: Kept<Guarded<analytics::Atr>>, blank: Guarded<analytics::Atr> }

    #[new]
    #[pyo3(signature = (n=14))]
    fn new(n: u32) -> PyResult<Self> {
        let blank = analytics::Atr::new(n).map_err(Fault::from)?;
        Ok(Self { shown: format!("Atr n={n}"), kept: Kept::new(blank.clone()), blank })
    }

    #[pyo3(signature = (candle, *, at_ns=None))]
    fn push(&self, candle: &Bound<'_, PyAny>, at_ns: Option<u64>) -> PyResult<Reading> {
        Ok(self.kept.tell(range(candle, at_ns)?))
    }

    fn take(&self, event: &Bound<'_, PyAny>) -> PyResult<Reading> {
        let told = Told::of_candles(event, of_candle);
        Ok(self.kept.tell(told.ok_or_else(no_candle_event)?))
    }

    fn over<'py>(
        &self,
        py: Python<'py>,
        candles: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyList>> {
        over(py, self.blank.clone(), candles, |candle| range(candle, None))
    }
}

const fn of_candle(candle: &ClosedCandle) -> TrueRangeInput {
    TrueRangeInput { high: candle.high, low: candle.low, close: candle.close }
}

/// A candle, or its high, low and close.
fn range(given: &Bound<'_, PyAny>, at_ns: Option<u64>) -> PyResult<Told<TrueRangeInput>> {
    if let Some(told) = Told::of_candles(given, of_candle) {
        return Ok(told);
    }
    let wrong = |_| Fault::Misuse("give a candle, or (high, low, close)".into());
    let [high, low, close]: [Bound<'_, PyAny>; 3] = given.extract().map_err(wrong)?;
    let (high, low, close) = (price(&high)?, price(&low)?, price(&close)?);
    if low > high || close < low || close > high {
        return Err(
            Fault::Misuse("the low has to be the lowest, and the high the highest".into()).into()
        );
    }
    Ok(Told::Input(at_ns, TrueRangeInput { high, low, close }))
}
