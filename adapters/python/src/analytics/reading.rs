//! What an indicator says, as Python has it.

use kucoin_futures_analytics::funding::{self, RateState};
use kucoin_futures_analytics::{self as analytics, Reading as Said};
use kucoin_futures_proto::{Decimal, Price};
use pyo3::prelude::*;
use pyo3::types::{PyFloat, PyString, PyTuple, PyType};
use pyo3::{IntoPyObjectExt as _, intern};

use super::numbers::{Float, nanos};
use crate::event_class::event_class;
use crate::fault::Fault;
use crate::to_py::{FromPy, ToPy, float};

event_class! {
    /// Bands around a mean.
    Bands in "kucoin_futures.analytics" {
        upper: Float,
        middle: Float,
        lower: Float,
        deviation: Float,
    }
}

event_class! {
    /// The two lines of a MACD, and what is between them.
    MacdValue in "kucoin_futures.analytics" { macd: Float, signal: Float, histogram: Float }
}

event_class! {
    /// Means of a book over a span of time.
    BookMean in "kucoin_futures.analytics" { spread: Decimal, bid_lots: Float, ask_lots: Float }
}

event_class! {
    /// What is said of a contract's funding.
    Funding in "kucoin_futures.analytics" {
        premium: Decimal,
        state: String,
        settlement_ns: Option<u64>,
        estimate: Option<Decimal>,
        settled: Option<Decimal>,
        difference: Option<Decimal>,
        estimate_per_year: Option<Decimal>,
        settled_per_year: Option<Decimal>,
        next_settlement_ns: Option<u64>,
        to_settlement_ns: Option<u64>,
    }
    more {
        /// Whether estimate and settled rate are of two intervals in a row.
        #[getter]
        const fn is_comparable(&self) -> bool {
            self.difference.is_some()
        }
    }
}

/// The number of a reading.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Value {
    Price(Price),
    Float(Float),
    Lots(i128),
    Bands(Bands),
    Macd(MacdValue),
    Book(BookMean),
    Funding(Funding),
}

impl Value {
    /// A price as the nearest float; everything else as it is.
    pub(crate) fn rough<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        match self {
            Self::Price(price) => float(&price.to_string()).into_bound_py_any(py),
            exact => exact.to_py(py),
        }
    }
}

impl ToPy for Value {
    fn to_py<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        match self {
            Self::Price(it) => it.to_py(py),
            Self::Float(it) => it.to_py(py),
            Self::Lots(it) => it.to_py(py),
            Self::Bands(it) => it.clone().into_bound_py_any(py),
            Self::Macd(it) => it.clone().into_bound_py_any(py),
            Self::Book(it) => it.clone().into_bound_py_any(py),
            Self::Funding(it) => it.clone().into_bound_py_any(py),
        }
    }
}

impl FromPy for Value {
    fn from_py(given: &Bound<'_, PyAny>) -> PyResult<Self> {
        if given.is_instance_of::<PyFloat>() {
            return Float::from_py(given).map(Self::Float);
        }
        if let Ok(lots) = given.extract::<i128>() {
            return Ok(Self::Lots(lots));
        }
        if let Ok(it) = given.cast::<Bands>() {
            return Ok(Self::Bands(it.get().clone()));
        }
        if let Ok(it) = given.cast::<MacdValue>() {
            return Ok(Self::Macd(it.get().clone()));
        }
        if let Ok(it) = given.cast::<BookMean>() {
            return Ok(Self::Book(it.get().clone()));
        }
        if let Ok(it) = given.cast::<Funding>() {
            return Ok(Self::Funding(it.get().clone()));
        }
        Price::from_py(given).map(Self::Price)
    }
}

impl From<Price> for Value {
    fn from(price: Price) -> Self {
        Self::Price(price)
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Self::Float(value.into())
    }
}

impl From<i128> for Value {
    fn from(lots: i128) -> Self {
        Self::Lots(lots)
    }
}

impl From<analytics::Bands> for Value {
    fn from(it: analytics::Bands) -> Self {
        Self::Bands(Bands {
            upper: it.upper.into(),
            middle: it.middle.into(),
            lower: it.lower.into(),
            deviation: it.deviation.into(),
        })
    }
}

impl From<analytics::MacdValue> for Value {
    fn from(it: analytics::MacdValue) -> Self {
        let (macd, signal, histogram) = (it.macd.into(), it.signal.into(), it.histogram.into());
        Self::Macd(MacdValue { macd, signal, histogram })
    }
}

impl From<analytics::BookMean> for Value {
    fn from(it: analytics::BookMean) -> Self {
        let (bid_lots, ask_lots) = (it.bid_lots.into(), it.ask_lots.into());
        Self::Book(BookMean { spread: it.spread, bid_lots, ask_lots })
    }
}

impl From<funding::Funding> for Value {
    fn from(it: funding::Funding) -> Self {
        let (state, settlement) = match it.rate {
            RateState::Comparable(_) => ("comparable", None),
            RateState::Settling { settlement } => ("settling", Some(settlement)),
            RateState::Waiting(funding::Waiting::SettledRate) => ("no_settled_rate", None),
            RateState::Waiting(_) => ("no_estimate", None),
            _ => ("unknown", None),
        };
        let rates = match it.rate {
            RateState::Comparable(rates) => Some(rates),
            _ => None,
        };
        let to_settlement = it.to_settlement.map(|span| span.as_nanos());
        Self::Funding(Funding {
            premium: it.premium,
            state: state.into(),
            settlement_ns: settlement.map(|at| at.as_nanos()),
            estimate: rates.map(|rates| rates.estimate),
            settled: rates.map(|rates| rates.settled),
            difference: rates.map(|rates| rates.difference),
            estimate_per_year: rates.map(|rates| rates.estimate_per_year),
            settled_per_year: rates.map(|rates| rates.settled_per_year),
            next_settlement_ns: it.next_settlement.map(|at| at.as_nanos()),
            to_settlement_ns: to_settlement.and_then(|nanos| u64::try_from(nanos).ok()),
        })
    }
}

/// What an indicator says, and how far it can be believed.
#[pyclass(module = "kucoin_futures.analytics", frozen, eq)]
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Reading(Said<Value>);

impl<T> From<Said<T>> for Reading
where
    Value: From<T>,
{
    fn from(said: Said<T>) -> Self {
        Self(said.map(Value::from))
    }
}

#[pymethods]
impl Reading {
    #[new]
    #[pyo3(signature = (state, value=None, valid_since_ns=None, gap_ns=None, needed=0))]
    fn new(
        state: &str,
        value: Option<&Bound<'_, PyAny>>,
        valid_since_ns: Option<u64>,
        gap_ns: Option<u64>,
        needed: u32,
    ) -> PyResult<Self> {
        let value = value.map(Value::from_py).transpose()?;
        let at = |time: Option<u64>| nanos(time.unwrap_or(0));
        Ok(Self(match (state, value) {
            ("warming", None) if needed > 0 => Said::Warming { needed },
            ("valid", Some(value)) => Said::Valid { value, valid_since: at(valid_since_ns) },
            ("stale", Some(value)) => Said::Stale { value, gap: at(gap_ns) },
            _ => {
                let text =
                    "a reading is \"warming\" with needed=, or \"valid\" or \"stale\" with a value";
                return Err(Fault::Misuse(text.into()).into());
            }
        }))
    }

    #[classattr]
    #[pyo3(name = "__match_args__")]
    const fn match_args() -> (&'static str, &'static str) {
        ("state", "value")
    }

    #[getter]
    fn state<'py>(&self, py: Python<'py>) -> Bound<'py, PyString> {
        match self.0 {
            Said::Warming { .. } => intern!(py, "warming"),
            Said::Valid { .. } => intern!(py, "valid"),
            Said::Stale { .. } => intern!(py, "stale"),
        }
        .clone()
    }

    #[getter]
    fn value<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.0.value().map(|value| value.to_py(py)).transpose()
    }

    /// The number, if nothing may be missing in it.
    #[getter]
    fn valid<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.0.valid().map(|value| value.to_py(py)).transpose()
    }

    /// A price as the nearest float, and cheaper; everything else as `value` has it.
    #[getter]
    fn value_float<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.0.value().map(|value| value.rough(py)).transpose()
    }

    /// `None` if no input had a time.
    #[getter]
    fn valid_since_ns(&self) -> Option<u64> {
        self.0.valid_since().map(|at| at.as_nanos()).filter(|at| *at > 0)
    }

    /// `None` if no input had a time.
    #[getter]
    const fn gap_ns(&self) -> Option<u64> {
        match self.0 {
            Said::Stale { gap, .. } if gap.as_nanos() > 0 => Some(gap.as_nanos()),
            _ => None,
        }
    }

    #[getter]
    const fn needed(&self) -> u32 {
        match self.0 {
            Said::Warming { needed } => needed,
            Said::Valid { .. } | Said::Stale { .. } => 0,
        }
    }

    #[getter]
    const fn is_valid(&self) -> bool {
        matches!(self.0, Said::Valid { .. })
    }

    const fn __bool__(&self) -> bool {
        self.is_valid()
    }

    /// `Reading[float]` is for type checkers.
    #[classmethod]
    fn __class_getitem__<'py>(
        class: &Bound<'py, PyType>,
        _of: &Bound<'py, PyAny>,
    ) -> Bound<'py, PyType> {
        class.clone()
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let shown = |value: &Value| -> PyResult<String> {
            Ok(value.to_py(py)?.repr()?.to_string_lossy().into_owned())
        };
        let time = |at: Option<u64>| at.map_or_else(|| "None".into(), |at| at.to_string());
        Ok(match &self.0 {
            Said::Warming { needed } => format!("Reading('warming', needed={needed})"),
            Said::Valid { value, .. } => {
                let since = time(self.valid_since_ns());
                format!("Reading('valid', {}, valid_since_ns={since})", shown(value)?)
            }
            Said::Stale { value, .. } => {
                format!("Reading('stale', {}, gap_ns={})", shown(value)?, time(self.gap_ns()))
            }
        })
    }

    fn __reduce__<'py>(
        slf: &Bound<'py, Self>,
    ) -> PyResult<(Bound<'py, PyType>, Bound<'py, PyTuple>)> {
        let (py, this) = (slf.py(), slf.get());
        let fields =
            (this.state(py), this.value(py)?, this.valid_since_ns(), this.gap_ns(), this.needed());
        Ok((slf.get_type(), fields.into_pyobject(py)?))
    }
}
