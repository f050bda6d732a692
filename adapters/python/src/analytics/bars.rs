//! Bars that are over when something is full.

use std::sync::{Mutex, MutexGuard, PoisonError};

use kucoin_futures_analytics::bar::{BarBuilder, BarRule, ImbalanceConfig};
use kucoin_futures_proto::{ChannelKind, Decimal};
use pyo3::prelude::*;
use pyo3::types::PyList;

use super::candle_events::{RunningCandle, list};
use super::candles::{unvalued, valuation};
use super::source::Source;
use crate::events::Trade;
use crate::fault::Fault;
use crate::to_py::FromPy as _;

/// Puts trades together to bars by count, lots, value or imbalance.
#[pyclass(module = "kucoin_futures.analytics", frozen)]
#[derive(Debug)]
pub(crate) struct Bars {
    is_valued: bool,
    source: Source,
    builder: Mutex<BarBuilder>,
}

/// What is expected of a bar at first: the fields of `Imbalance`.
#[derive(FromPyObject)]
pub(crate) struct Expected {
    expected_ticks: u32,
    expected_imbalance: f64,
    bars: u32,
    least_ticks: u32,
    most_ticks: u32,
}

#[pymethods]
impl Bars {
    #[new]
    #[pyo3(signature = (
        *, ticks=None, lots=None, value=None, imbalance=None, symbol=None, lot=None, inverse=None
    ))]
    #[allow(clippy::too_many_arguments, reason = "keywords of Python's")]
    fn new(
        ticks: Option<u64>,
        lots: Option<u128>,
        value: Option<&Bound<'_, PyAny>>,
        imbalance: Option<Expected>,
        symbol: Option<&str>,
        lot: Option<&Bound<'_, PyAny>>,
        inverse: Option<bool>,
    ) -> PyResult<Self> {
        let valued = lot.map(|lot| valuation(lot, inverse)).transpose()?;
        let value = value.map(Decimal::from_py).transpose()?;
        let rule = match (ticks, lots, value, imbalance) {
            (Some(ticks), None, None, None) => BarRule::Ticks(ticks),
            (None, Some(lots), None, None) => BarRule::Lots(lots),
            (None, None, Some(value), None) if valued.is_some() => BarRule::Value(value),
            (None, None, Some(_), None) => {
                let text = "bars by value need lot=: what a lot is worth, or the contract";
                return Err(Fault::Misuse(text.into()).into());
            }
            (None, None, None, Some(expected)) => BarRule::Imbalance(expected.config()?),
            _ => {
                let text = "say when a bar is over: one of ticks=, lots=, value= and imbalance=";
                return Err(Fault::Misuse(text.into()).into());
            }
        };
        let source = Source::new(ChannelKind::Execution, symbol)?;
        let worth = valued.map_or_else(unvalued, Ok)?;
        let builder = BarBuilder::new(rule, worth).map_err(Fault::from)?;
        Ok(Self { is_valued: valued.is_some(), source, builder: Mutex::new(builder) })
    }

    fn push<'py>(&self, py: Python<'py>, trade: &Trade) -> PyResult<Bound<'py, PyList>> {
        self.source.takes(trade.symbol)?;
        self.add(py, trade)
    }

    fn take<'py>(
        &self,
        py: Python<'py>,
        event: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyList>> {
        if let Ok(trade) = event.cast::<Trade>() {
            let trade = trade.get();
            let is_ours = self.source.wants(trade.symbol)?;
            return if is_ours { self.add(py, trade) } else { Ok(PyList::empty(py)) };
        }
        if self.source.is_gap(event) {
            self.on_gap();
        }
        Ok(PyList::empty(py))
    }

    fn on_gap(&self) {
        self.lock().on_gap();
    }

    #[getter]
    fn running(&self) -> Option<RunningCandle> {
        let running = self.lock().running();
        running.map(|candle| RunningCandle::of(&candle, self.is_valued))
    }

    #[getter]
    fn symbol(&self) -> Option<String> {
        self.source.symbol().map(|symbol| symbol.to_string())
    }
}

impl Bars {
    fn lock(&self) -> MutexGuard<'_, BarBuilder> {
        self.builder.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add<'py>(&self, py: Python<'py>, trade: &Trade) -> PyResult<Bound<'py, PyList>> {
        let mut told = Vec::new();
        self.lock().push(&trade.tick(), &mut told);
        list(py, &told, Some(trade), self.is_valued)
    }
}

impl Expected {
    fn config(&self) -> Result<ImbalanceConfig, Fault> {
        let Self { expected_ticks, expected_imbalance, bars, least_ticks, most_ticks } = *self;
        if !(least_ticks..=most_ticks).contains(&expected_ticks) {
            let text = "expected_ticks has to be between least_ticks and most_ticks";
            return Err(Fault::Misuse(text.into()));
        }
        Ok(ImbalanceConfig { expected_ticks, expected_imbalance, bars, least_ticks, most_ticks })
    }
}
