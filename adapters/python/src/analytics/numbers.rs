//! What Python gives and gets as numbers: exact prices, floats that are compared bit by bit, spans of time.

use std::hash::{Hash, Hasher};
use std::time::Duration;

use kucoin_futures_analytics::ParameterError;
use kucoin_futures_proto::{Interval, Price, UnixNanos};
use pyo3::IntoPyObjectExt as _;
use pyo3::prelude::*;
use pyo3::types::PyFloat;

use crate::fault::Fault;
use crate::to_py::{FromPy, ToPy};

/// A statistic. Equal to another if all bits are; zero has no sign.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Float(f64);

impl From<f64> for Float {
    fn from(value: f64) -> Self {
        Self(value + 0.0)
    }
}

impl PartialEq for Float {
    fn eq(&self, other: &Self) -> bool {
        self.0.to_bits() == other.0.to_bits()
    }
}

impl Eq for Float {}

impl Hash for Float {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.to_bits().hash(state);
    }
}

impl ToPy for Float {
    fn to_py<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.0.into_bound_py_any(py)
    }
}

impl FromPy for Float {
    fn from_py(given: &Bound<'_, PyAny>) -> PyResult<Self> {
        given.extract::<f64>().map(Self::from)
    }
}

macro_rules! wide {
    ($($type:ty),*) => {$(
        impl ToPy for $type {
            fn to_py<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
                (*self).into_bound_py_any(py)
            }
        }

        impl FromPy for $type {
            fn from_py(given: &Bound<'_, PyAny>) -> PyResult<Self> {
                given.extract()
            }
        }
    )*};
}

wide!(i128, u128);

/// Decimals of a price.
const DECIMALS: usize = 12;

/// A price of a `Decimal`, an int or a text, exactly; of a float its shortest decimal text, rounded to 12 decimals.
pub(crate) fn price(given: &Bound<'_, PyAny>) -> PyResult<Price> {
    let Ok(float) = given.cast::<PyFloat>() else { return Price::from_py(given) };
    let float: f64 = float.extract()?;
    if !float.is_finite() || float < 0.0 {
        return Err(Fault::Misuse(format!("{float} is no price")).into());
    }
    let mut text = format!("{float}");
    let decimals = text.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    if decimals > DECIMALS {
        text = format!("{float:.DECIMALS$}");
    }
    text.parse().map_err(|_| Fault::Misuse(format!("{float} is too large for a price")).into())
}

/// A span of time: seconds, a `timedelta`, or the name of an interval such as `"15min"`.
pub(crate) fn span(given: &Bound<'_, PyAny>) -> PyResult<Duration> {
    if let Ok(name) = given.extract::<String>() {
        return interval(&name)?.duration().ok_or_else(|| a_month().into());
    }
    let wrong =
        || Fault::Misuse("a time is seconds, a timedelta or a name such as \"1min\"".into());
    if let Ok(seconds) = given.extract::<u64>() {
        return Ok(Duration::from_secs(seconds));
    }
    if let Ok(seconds) = given.extract::<f64>() {
        return Ok(Duration::try_from_secs_f64(seconds).map_err(|_| wrong())?);
    }
    given.extract::<Duration>().map_err(|_| wrong().into())
}

/// An interval by the exchange's name.
pub(crate) fn interval(name: &str) -> Result<Interval, Fault> {
    Ok(name.parse::<Interval>()?)
}

/// Why there are no candles of a month.
pub(crate) fn a_month() -> Fault {
    Fault::Misuse("months are not of one length: give weeks, days or less".into())
}

pub(crate) const fn nanos(at: u64) -> UnixNanos {
    UnixNanos::from_nanos(at)
}

/// What is wrong with a parameter, and what to give in its place.
impl From<ParameterError> for Fault {
    fn from(error: ParameterError) -> Self {
        let advice = match error {
            ParameterError::Zero => "give 1 or more",
            ParameterError::TooLarge => "windows hold 65536 inputs, spans 584 years (36 of a book)",
            ParameterError::Order => "the smaller one comes first",
            _ => "give more than zero",
        };
        Self::Misuse(format!("{error}: {advice}"))
    }
}
