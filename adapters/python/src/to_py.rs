//! Values of the core as Python's own, and back: prices and amounts become `Decimal`, made of exact text.

use std::time::Duration;

use kucoin_futures_proto::book::Level as CoreLevel;
use kucoin_futures_proto::wire::{
    ChangeReason, FeeType, IndexComponent, Liquidity, MarginMode, OrderChange, OrderSide,
    OrderStatus, OrderType, PositionSide, Rows, Side, StopDirection, StopOrderChange,
    StopPriceType, Strings, TakerSide, Text, TradeType,
};
use kucoin_futures_proto::{Currency, Decimal, Interval, Lots, Price, Sequence, Symbol, UnixNanos};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyString, PyTuple, PyType};
use pyo3::{IntoPyObjectExt as _, intern};

use crate::level::Level;
use crate::records::Record as _;

/// Something of the core's as Python has it.
pub(crate) trait ToPy {
    fn to_py<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>>;
}

/// Something of Python's as the core has it.
pub(crate) trait FromPy: Sized {
    fn from_py(given: &Bound<'_, PyAny>) -> PyResult<Self>;
}

/// A `Decimal` of this text.
pub(crate) fn decimal<'py>(py: Python<'py>, text: &str) -> PyResult<Bound<'py, PyAny>> {
    static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    CLASS.import(py, "decimal", "Decimal")?.call1((text,))
}

/// The float that is nearest to an exact text. Only where it was asked for.
pub(crate) fn float(text: &str) -> f64 {
    text.parse().unwrap_or(f64::NAN)
}

macro_rules! to_py {
    ($($type:ty => |$it:ident, $py:ident| $value:expr;)*) => {
        $(impl ToPy for $type {
            fn to_py<'py>(&self, $py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
                let $it = self;
                $value
            }
        })*
    };
}

to_py! {
    bool => |it, py| (*it).into_bound_py_any(py);
    u16 => |it, py| (*it).into_bound_py_any(py);
    u32 => |it, py| (*it).into_bound_py_any(py);
    u64 => |it, py| (*it).into_bound_py_any(py);
    i64 => |it, py| (*it).into_bound_py_any(py);
    usize => |it, py| (*it).into_bound_py_any(py);
    String => |it, py| it.into_bound_py_any(py);
    Box<str> => |it, py| (**it).into_bound_py_any(py);
    Lots => |it, py| it.get().into_bound_py_any(py);
    Sequence => |it, py| it.get().into_bound_py_any(py);
    UnixNanos => |it, py| it.as_nanos().into_bound_py_any(py);
    Duration => |it, py| it.as_millis().into_bound_py_any(py);
    Price => |it, py| decimal(py, &it.to_string());
    Decimal => |it, py| decimal(py, &it.to_string());
    Symbol => |it, py| it.as_str().into_bound_py_any(py);
    Currency => |it, py| it.as_str().into_bound_py_any(py);
    Text<'_> => |it, py| it.to_string().into_bound_py_any(py);
    Interval => |it, py| it.to_string().into_bound_py_any(py);
    Level => |it, py| Bound::new(py, *it).map(Bound::into_any);
    CoreLevel => |it, py| Level::from(*it).to_py(py);
    Vec<Level> => |it, py| levels(py, it.iter().copied());
    Side => |it, py| Ok(match it {
        Side::Bid => intern!(py, "bid"),
        Side::Ask => intern!(py, "ask"),
    }.clone().into_any());
    TakerSide => |it, py| Ok(match it {
        TakerSide::Buy => intern!(py, "buy"),
        TakerSide::Sell => intern!(py, "sell"),
    }.clone().into_any());
    Strings<'_> => |it, py| it.iter().map(|text| text.to_string()).collect::<Vec<_>>().into_bound_py_any(py);
    Rows<'_, IndexComponent<'_>> => |it, py| {
        let rows = it.iter().flatten().map(|row| row.record(py)).collect::<PyResult<Vec<_>>>()?;
        rows.into_bound_py_any(py)
    };
}

macro_rules! words_to_py {
    ($($type:ty),*) => {
        $(impl ToPy for $type {
            fn to_py<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
                Ok(PyString::intern(py, self.as_str()).into_any())
            }
        })*
    };
}

words_to_py!(
    ChangeReason,
    FeeType,
    Liquidity,
    MarginMode,
    OrderChange,
    OrderSide,
    OrderStatus,
    OrderType,
    PositionSide,
    StopDirection,
    StopOrderChange,
    StopPriceType,
    TradeType
);

impl<T: ToPy> ToPy for Option<T> {
    fn to_py<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.as_ref().map_or_else(|| Ok(py.None().into_bound(py)), |it| it.to_py(py))
    }
}

fn levels<'py>(
    py: Python<'py>,
    levels: impl ExactSizeIterator<Item = Level>,
) -> PyResult<Bound<'py, PyAny>> {
    let levels = levels.map(|level| Bound::new(py, level)).collect::<PyResult<Vec<_>>>()?;
    Ok(PyTuple::new(py, levels)?.into_any())
}

macro_rules! from_py {
    ($($type:ty),*) => {
        $(impl FromPy for $type {
            fn from_py(given: &Bound<'_, PyAny>) -> PyResult<Self> {
                given.extract()
            }
        })*
    };
}

from_py!(bool, u8, u16, u32, u64, String);

impl<T: FromPy> FromPy for Option<T> {
    fn from_py(given: &Bound<'_, PyAny>) -> PyResult<Self> {
        if given.is_none() { Ok(None) } else { T::from_py(given).map(Some) }
    }
}

impl FromPy for Symbol {
    fn from_py(given: &Bound<'_, PyAny>) -> PyResult<Self> {
        let text: String = given.extract()?;
        Self::new(&text).map_err(|error| PyValueError::new_err(error.to_string()))
    }
}

/// Of a `Decimal`, an int or a text. A float is refused: it is not what the exchange wrote.
impl FromPy for Price {
    fn from_py(given: &Bound<'_, PyAny>) -> PyResult<Self> {
        let text = exact_text(given)?;
        let price = text.parse::<Self>();
        price.map_err(|error| PyValueError::new_err(format!("not a price: {error}")))
    }
}

impl FromPy for Decimal {
    fn from_py(given: &Bound<'_, PyAny>) -> PyResult<Self> {
        let text = exact_text(given)?;
        let number = text.parse::<Self>();
        number.map_err(|error| PyValueError::new_err(format!("not a number: {error}")))
    }
}

fn exact_text(given: &Bound<'_, PyAny>) -> PyResult<String> {
    if given.is_instance_of::<pyo3::types::PyFloat>() {
        let text = "a price is exact: give it as Decimal, int or str, and not as float";
        return Err(PyTypeError::new_err(text));
    }
    // Without an exponent, whatever the size.
    let text = given.call_method1(intern!(given.py(), "__format__"), (format_of(given),))?;
    text.extract()
}

fn format_of(given: &Bound<'_, PyAny>) -> &'static str {
    if given.hasattr(intern!(given.py(), "as_tuple")).unwrap_or(false) { "f" } else { "" }
}

impl FromPy for Side {
    fn from_py(given: &Bound<'_, PyAny>) -> PyResult<Self> {
        match given.extract::<String>()?.as_str() {
            "bid" => Ok(Self::Bid),
            "ask" => Ok(Self::Ask),
            _ => Err(PyValueError::new_err("a side is \"bid\" or \"ask\"")),
        }
    }
}

impl FromPy for TakerSide {
    fn from_py(given: &Bound<'_, PyAny>) -> PyResult<Self> {
        match given.extract::<String>()?.as_str() {
            "buy" => Ok(Self::Buy),
            "sell" => Ok(Self::Sell),
            _ => Err(PyValueError::new_err("a taker's side is \"buy\" or \"sell\"")),
        }
    }
}

impl FromPy for Level {
    fn from_py(given: &Bound<'_, PyAny>) -> PyResult<Self> {
        if let Ok(level) = given.cast::<Self>() {
            return Ok(*level.get());
        }
        let (price, size): (Bound<'_, PyAny>, u64) = given.extract()?;
        Ok(Self { price: Price::from_py(&price)?, size })
    }
}

impl FromPy for Vec<Level> {
    fn from_py(given: &Bound<'_, PyAny>) -> PyResult<Self> {
        given.try_iter()?.map(|level| Level::from_py(&level?)).collect()
    }
}
