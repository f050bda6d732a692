//! A price and a size.

use std::hash::{Hash, Hasher};

use kucoin_futures_proto::Price;
use kucoin_futures_proto::book::Level as CoreLevel;
use pyo3::exceptions::PyIndexError;
use pyo3::prelude::*;
use pyo3::types::{PyTuple, PyType};

use crate::to_py::{FromPy as _, ToPy as _, float};

/// A level of a book: `price, size = level`. The price becomes a `Decimal` when it is looked at.
#[pyclass(module = "kucoin_futures", frozen, eq, hash, ord)]
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Level {
    pub(crate) price: Price,
    pub(crate) size: u64,
}

impl Hash for Level {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.price, self.size).hash(state);
    }
}

impl From<CoreLevel> for Level {
    fn from(level: CoreLevel) -> Self {
        Self { price: level.price, size: level.size.get() }
    }
}

#[pymethods]
impl Level {
    #[new]
    fn new(price: &Bound<'_, PyAny>, size: u64) -> PyResult<Self> {
        Ok(Self { price: Price::from_py(price)?, size })
    }

    #[classattr]
    #[pyo3(name = "__match_args__")]
    const fn match_args() -> (&'static str, &'static str) {
        ("price", "size")
    }

    #[getter]
    fn price<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.price.to_py(py)
    }

    #[getter]
    const fn price_scaled(&self) -> i64 {
        self.price.scaled()
    }

    #[getter]
    fn price_float(&self) -> f64 {
        float(&self.price.to_string())
    }

    #[getter]
    const fn size(&self) -> u64 {
        self.size
    }

    const fn __len__(&self) -> usize {
        2
    }

    fn __getitem__<'py>(&self, py: Python<'py>, index: isize) -> PyResult<Bound<'py, PyAny>> {
        match index {
            0 | -2 => self.price.to_py(py),
            1 | -1 => self.size.to_py(py),
            _ => Err(PyIndexError::new_err("a level is a price and a size")),
        }
    }

    fn __repr__(&self) -> String {
        format!("Level(price=Decimal('{}'), size={})", self.price, self.size)
    }

    fn __reduce__<'py>(
        slf: &Bound<'py, Self>,
    ) -> PyResult<(Bound<'py, PyType>, Bound<'py, PyTuple>)> {
        let (py, this) = (slf.py(), slf.get());
        let parts = [this.price.to_py(py)?, this.size.to_py(py)?];
        Ok((slf.get_type(), PyTuple::new(py, parts)?))
    }
}
