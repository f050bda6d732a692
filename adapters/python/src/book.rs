//! A book, as it is at the event that was handed out last.

use std::sync::Arc;

use kucoin_futures_proto::book::{Best, Coverage, Scope, SweepEnd};
use kucoin_futures_proto::wire::Side;
use kucoin_futures_proto::{Book as CoreBook, Decimal, Lots, Price, UnixNanos};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyList;

use crate::arrow::Batch;
use crate::events::Sweep;
use crate::fault::Fault;
use crate::level::Level;
use crate::mirror::Mirror;
use crate::to_py::{FromPy as _, ToPy as _, float};

/// The book of a contract. It goes on with the events that its feed hands out; `copy()` stands still.
///
/// Whatever is read of a book that is not live raises `NotLive`.
#[pyclass(module = "kucoin_futures", frozen)]
#[derive(Debug)]
pub(crate) struct Book {
    pub(crate) mirror: Arc<Mirror>,
}

/// Decimals of a price.
const PRICE_EXPONENT: i8 = -12;

impl Book {
    fn read<R>(&self, look: impl FnOnce(&CoreBook) -> R) -> PyResult<R> {
        Ok(self.mirror.read(look)?)
    }

    fn levels<'py>(
        &self,
        py: Python<'py>,
        side: Side,
        count: Option<usize>,
        held: bool,
    ) -> PyResult<Bound<'py, PyList>> {
        let levels = self.read(|book| taken(book, side, count, held))?;
        let levels = levels.into_iter().map(|level| Bound::new(py, level));
        PyList::new(py, levels.collect::<PyResult<Vec<_>>>()?)
    }
}

/// So many levels of a side, the best first.
fn taken(book: &CoreBook, side: Side, count: Option<usize>, held: bool) -> Vec<Level> {
    let scope = if held { Scope::Held } else { Scope::Complete };
    book.levels(side, scope).take(count.unwrap_or(usize::MAX)).map(Level::from).collect()
}

#[pymethods]
impl Book {
    #[getter]
    fn symbol(&self) -> &str {
        self.mirror.symbol_text()
    }

    #[getter]
    fn is_live(&self) -> bool {
        self.mirror.lock().book().is_some()
    }

    /// This run of the book: one more after each loss.
    #[getter]
    fn epoch(&self) -> PyResult<u32> {
        Ok(self.mirror.read_run(|epoch, _| epoch)?)
    }

    #[getter]
    fn sequence(&self) -> PyResult<u64> {
        self.read(|book| book.sequence().get())
    }

    #[getter]
    fn ts_ns(&self) -> PyResult<Option<u64>> {
        self.read(|book| book.ts_event().map(UnixNanos::as_nanos))
    }

    #[getter]
    fn best_bid(&self) -> PyResult<Option<Level>> {
        known(self.read(CoreBook::best_bid)?, "best bid")
    }

    #[getter]
    fn best_ask(&self) -> PyResult<Option<Level>> {
        known(self.read(CoreBook::best_ask)?, "best ask")
    }

    /// Best bid and best ask in one look.
    #[getter]
    fn touch(&self) -> PyResult<(Option<Level>, Option<Level>)> {
        let (bid, ask) = self.read(|book| (book.best_bid(), book.best_ask()))?;
        Ok((known(bid, "best bid")?, known(ask, "best ask")?))
    }

    #[getter]
    fn mid<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.read(CoreBook::mid)?.to_py(py)
    }

    #[getter]
    fn mid_scaled(&self) -> PyResult<Option<i64>> {
        Ok(self.read(CoreBook::mid)?.map(Price::scaled))
    }

    #[getter]
    fn mid_float(&self) -> PyResult<Option<f64>> {
        Ok(self.read(CoreBook::mid)?.map(|mid| float(&mid.to_string())))
    }

    #[getter]
    fn microprice<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.read(CoreBook::microprice)?.to_py(py)
    }

    /// Best ask less best bid; below zero while the book is crossed.
    #[getter]
    fn spread<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let spread = self.read(|book| match (book.best_bid(), book.best_ask()) {
            (Best::Level(bid), Best::Level(ask)) => {
                let units = i128::from(ask.price.scaled()) - i128::from(bid.price.scaled());
                Decimal::new(units, PRICE_EXPONENT)
            }
            _ => None,
        })?;
        spread.to_py(py)
    }

    #[getter]
    fn is_crossed(&self) -> PyResult<bool> {
        self.read(CoreBook::is_crossed)
    }

    #[pyo3(signature = (n=None, *, held=false))]
    fn bids<'py>(
        &self,
        py: Python<'py>,
        n: Option<usize>,
        held: bool,
    ) -> PyResult<Bound<'py, PyList>> {
        self.levels(py, Side::Bid, n, held)
    }

    #[pyo3(signature = (n=None, *, held=false))]
    fn asks<'py>(
        &self,
        py: Python<'py>,
        n: Option<usize>,
        held: bool,
    ) -> PyResult<Bound<'py, PyList>> {
        self.levels(py, Side::Ask, n, held)
    }

    fn imbalance<'py>(&self, py: Python<'py>, n: usize) -> PyResult<Bound<'py, PyAny>> {
        self.read(|book| book.imbalance(n))?.to_py(py)
    }

    fn sweep(&self, side: &str, lots: u64) -> PyResult<Sweep> {
        let side = taken_side(side)?;
        let sweep = self.read(|book| book.sweep(side, Lots::new(lots)))?;
        let end = match sweep.end {
            SweepEnd::Filled => "filled",
            SweepEnd::Exhausted => "exhausted",
            SweepEnd::Horizon => "horizon",
        };
        Ok(Sweep {
            side,
            lots: sweep.lots.get(),
            worst: sweep.worst,
            average: sweep.average(),
            notional: sweep.notional(),
            end: end.into(),
        })
    }

    fn lots_to(&self, side: &str, price: &Bound<'_, PyAny>) -> PyResult<(u64, bool)> {
        let (side, price) = (taken_side(side)?, Price::from_py(price)?);
        let lots = self.read(|book| book.lots_to(side, price))?;
        Ok((lots.at_least().get(), lots.exactly().is_some()))
    }

    /// How far each side is known; `None` is without limit.
    #[getter]
    fn horizon<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyAny>)> {
        let reach = self.read(|book| [Side::Bid, Side::Ask].map(|side| book.reach(side)))?;
        let [bid, ask] = reach.map(|reach| match reach {
            Coverage::All => None,
            Coverage::To(price) => Some(price),
        });
        Ok((bid.to_py(py)?, ask.to_py(py)?))
    }

    /// SHA-256 of all levels within the horizon, in hex.
    fn digest(&self) -> PyResult<String> {
        let digest = self.read(|book| book.digest(Scope::Complete))?;
        Ok(digest.iter().map(|byte| format!("{byte:02x}")).collect())
    }

    #[pyo3(signature = (n=None, *, held=false))]
    fn to_arrow(&self, n: Option<usize>, held: bool) -> PyResult<Batch> {
        // In one look: another thread may be reading on.
        let (bids, asks) =
            self.read(|book| (taken(book, Side::Bid, n, held), taken(book, Side::Ask, n, held)))?;
        Ok(Batch::of_levels(&bids, &asks)?)
    }

    fn copy(&self) -> PyResult<Self> {
        let (epoch, book) = self.mirror.read_run(|epoch, book| (epoch, book.clone()))?;
        Ok(Self { mirror: Mirror::of(self.mirror.symbol(), epoch, book) })
    }

    fn __repr__(&self) -> String {
        let symbol = self.mirror.symbol();
        let shown = |best: Best| match best {
            Best::Level(level) => format!("{} x {}", level.price, level.size),
            Best::Empty => "empty".into(),
            Best::Unknown => "beyond the horizon".into(),
        };
        let text = self.mirror.read(|book| {
            let (bid, ask) = (shown(book.best_bid()), shown(book.best_ask()));
            format!("<Book {symbol} at {}: {bid} | {ask}>", book.sequence())
        });
        text.unwrap_or_else(|_| format!("<Book {symbol}, not live>"))
    }
}

/// The best level, or none; an error if it is not known which.
fn known(best: Best, name: &'static str) -> PyResult<Option<Level>> {
    match best {
        Best::Level(level) => Ok(Some(level.into())),
        Best::Empty => Ok(None),
        Best::Unknown => Err(Fault::BeyondHorizon(name).into()),
    }
}

/// Which side is taken by whoever does this.
fn taken_side(side: &str) -> PyResult<Side> {
    match side {
        "buy" | "ask" => Ok(Side::Ask),
        "sell" | "bid" => Ok(Side::Bid),
        _ => Err(PyValueError::new_err("a side is \"buy\" (takes asks) or \"sell\" (takes bids)")),
    }
}
