//! Candles by the clock.

use std::sync::{Mutex, MutexGuard, PoisonError};

use kucoin_futures_analytics::candle::{CandleBuilder, CandleEvent, Grid, Seed};
use kucoin_futures_analytics::{Tick, Valuation};
use kucoin_futures_proto::{ChannelKind, Decimal, Price, Sequence};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyList;

use super::candle_events::{RunningCandle, list};
use super::numbers::{a_month, interval, nanos, span};
use super::source::Source;
use crate::events::Trade;
use crate::fault::Fault;
use crate::to_py::FromPy as _;

/// Puts trades together to candles of one length, and says what it does not know.
#[pyclass(module = "kucoin_futures.analytics", frozen)]
#[derive(Debug)]
pub(crate) struct Candles {
    is_valued: bool,
    source: Source,
    builder: Mutex<CandleBuilder>,
}

#[pymethods]
impl Candles {
    #[new]
    #[pyo3(signature = (every, *, symbol=None, lot=None, inverse=None, fill_empty=false))]
    fn new(
        every: &Bound<'_, PyAny>,
        symbol: Option<&str>,
        lot: Option<&Bound<'_, PyAny>>,
        inverse: Option<bool>,
        fill_empty: bool,
    ) -> PyResult<Self> {
        let source = Source::new(ChannelKind::Execution, symbol)?;
        let valued = lot.map(|lot| valuation(lot, inverse)).transpose()?;
        let builder = CandleBuilder::new(grid(every)?, valued.map_or_else(unvalued, Ok)?);
        let builder = if fill_empty { builder.filling_empty() } else { builder };
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

    fn on_complete_since(&self, at_ns: u64) {
        self.lock().on_complete_since(nanos(at_ns));
    }

    fn on_time<'py>(&self, py: Python<'py>, at_ns: u64) -> PyResult<Bound<'py, PyList>> {
        let mut told = Vec::new();
        self.lock().on_time(nanos(at_ns), &mut told);
        list(py, &told, None, self.is_valued)
    }

    #[pyo3(signature = (row, *, through))]
    fn seed(&self, row: &Bound<'_, PyAny>, through: u64) -> PyResult<()> {
        let seed = seed(row, through)?;
        let done = self.lock().seed(&seed);
        Ok(done.map_err(|error| Fault::Misuse(format!("this candle is no begin: {error}")))?)
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

impl Candles {
    fn lock(&self) -> MutexGuard<'_, CandleBuilder> {
        self.builder.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add<'py>(&self, py: Python<'py>, trade: &Trade) -> PyResult<Bound<'py, PyList>> {
        let told = self.told(&trade.tick());
        list(py, &told, Some(trade), self.is_valued)
    }

    fn told(&self, tick: &Tick) -> Vec<CandleEvent> {
        let mut told = Vec::new();
        self.lock().push(tick, &mut told);
        told
    }
}

/// Intervals by the exchange's name, or of any length.
pub(crate) fn grid(every: &Bound<'_, PyAny>) -> PyResult<Grid> {
    if let Ok(name) = every.extract::<String>() {
        return Ok(Grid::of(interval(&name)?).ok_or_else(a_month)?);
    }
    Ok(Grid::every(span(every)?).map_err(Fault::from)?)
}

/// What a lot is worth: an amount, or that of a contract as the contract list has it.
pub(crate) fn valuation(lot: &Bound<'_, PyAny>, inverse: Option<bool>) -> PyResult<Valuation> {
    let py = lot.py();
    let (lot, listed) = match lot.getattr_opt(intern!(py, "multiplier"))? {
        // The list has it below zero for inverse contracts.
        Some(multiplier) => {
            let multiplier = multiplier.call_method0(intern!(py, "__abs__"))?;
            (multiplier, lot.getattr(intern!(py, "is_inverse"))?.extract()?)
        }
        None => (lot.clone(), false),
    };
    let lot = Decimal::from_py(&lot)?;
    let made =
        if inverse.unwrap_or(listed) { Valuation::inverse(lot) } else { Valuation::linear(lot) };
    Ok(made.map_err(Fault::from)?)
}

/// Of lots that nobody asks the worth of.
pub(crate) fn unvalued() -> Result<Valuation, Fault> {
    Ok(Valuation::linear(Decimal::new(1, 0).unwrap_or_default())?)
}

/// A row of `feed.query.klines`, or whatever has its fields.
fn seed(row: &Bound<'_, PyAny>, through: u64) -> PyResult<Seed> {
    let py = row.py();
    let price = |name| Price::from_py(&row.getattr(name)?);
    let lots: Option<u64> = row.getattr(intern!(py, "volume"))?.extract()?;
    let turnover = row.getattr(intern!(py, "turnover"))?;
    Ok(Seed {
        start: nanos(row.getattr(intern!(py, "start_ns"))?.extract()?),
        open: price(intern!(py, "open"))?,
        high: price(intern!(py, "high"))?,
        low: price(intern!(py, "low"))?,
        close: price(intern!(py, "close"))?,
        lots: lots.map(u128::from).ok_or_else(|| Fault::Misuse("this row says no lots".into()))?,
        turnover: Option::<Decimal>::from_py(&turnover)?,
        through: Sequence::new(through),
    })
}
