//! Average prices by volume.

use kucoin_futures_analytics::{self as analytics, Fill, Guarded, Traded};
use kucoin_futures_proto::{ChannelKind, ContractKind, Lots};
use pyo3::prelude::*;

use super::candles::grid;
use super::kept::{Kept, Told, indicator_class};
use super::numbers::{nanos, price, span};
use super::reading::Reading;
use super::source::Source;
use crate::events::Trade;
use crate::fault::Fault;

indicator_class! {
    /// The average price of the last trades, or of those of a span of time.
    RollingVwap {
        kept: Kept<Guarded<analytics::RollingVwap>>,
        source: Source,
        needs_time: bool,
    }

    #[new]
    #[pyo3(signature = (*, last=None, span=None, symbol=None, inverse=false))]
    fn new(
        last: Option<u32>,
        span: Option<&Bound<'_, PyAny>>,
        symbol: Option<&str>,
        inverse: bool,
    ) -> PyResult<Self> {
        let kind = kind(inverse);
        let (vwap, shown) = match (last, span) {
            (Some(n), None) => (analytics::RollingVwap::of_last(kind, n), format!("last={n}")),
            (None, Some(given)) => {
                let span = self::span(given)?;
                (analytics::RollingVwap::of_span(kind, span), format!("span={span:?}"))
            }
            _ => return Err(one_window().into()),
        };
        Ok(Self {
            shown: format!("RollingVwap {shown}"),
            kept: Kept::new(vwap.map_err(Fault::from)?),
            source: Source::new(ChannelKind::Execution, symbol)?,
            needs_time: last.is_none(),
        })
    }

    #[pyo3(signature = (trade, *, at_ns=None))]
    fn push(&self, trade: &Bound<'_, PyAny>, at_ns: Option<u64>) -> PyResult<Reading> {
        let told = pushed(&self.source, trade, at_ns)?;
        if let (true, Told::Input(None, _)) = (self.needs_time, &told) {
            return Err(no_time().into());
        }
        Ok(self.kept.tell(told))
    }

    fn take(&self, event: &Bound<'_, PyAny>) -> PyResult<Reading> {
        Ok(self.kept.tell(taken(&self.source, event)?))
    }
}

indicator_class! {
    /// The average price of all trades since a session began.
    SessionVwap { kept: Kept<analytics::SessionVwap>, source: Source }

    #[new]
    #[pyo3(signature = (every=None, *, symbol=None, inverse=false))]
    fn new(every: Option<&Bound<'_, PyAny>>, symbol: Option<&str>, inverse: bool) -> PyResult<Self> {
        let vwap = match every {
            Some(every) => analytics::SessionVwap::of_grid(kind(inverse), grid(every)?),
            None => analytics::SessionVwap::anchored(kind(inverse)),
        };
        Ok(Self {
            shown: format!("SessionVwap every={every:?}"),
            kept: Kept::new(vwap),
            source: Source::new(ChannelKind::Execution, symbol)?,
        })
    }

    #[pyo3(signature = (trade, *, at_ns=None))]
    fn push(&self, trade: &Bound<'_, PyAny>, at_ns: Option<u64>) -> PyResult<Reading> {
        match pushed(&self.source, trade, at_ns)? {
            Told::Input(None, _) => Err(no_time().into()),
            told => Ok(self.kept.tell(told)),
        }
    }

    fn take(&self, event: &Bound<'_, PyAny>) -> PyResult<Reading> {
        Ok(self.kept.tell(taken(&self.source, event)?))
    }

    /// A session begins now.
    fn anchor(&self, at_ns: u64) -> Reading {
        self.kept.act(|vwap| vwap.anchor(nanos(at_ns)))
    }

    #[getter]
    fn session_ns(&self) -> Option<u64> {
        self.kept.ask(|vwap| vwap.session()).map(|at| at.as_nanos())
    }
}

const fn kind(inverse: bool) -> ContractKind {
    if inverse { ContractKind::Inverse } else { ContractKind::Linear }
}

/// Why there is no such window.
pub(crate) fn one_window() -> Fault {
    Fault::Misuse("say what it is of: one of last= (so many) and span= (a time)".into())
}

/// Why a window of time cannot take it.
pub(crate) fn no_time() -> Fault {
    Fault::Misuse("a window of time has to know when: give at_ns=".into())
}

/// A trade, or a price and its lots.
fn pushed(source: &Source, given: &Bound<'_, PyAny>, at_ns: Option<u64>) -> PyResult<Told<Traded>> {
    if let Ok(trade) = given.cast::<Trade>() {
        let trade = trade.get();
        source.takes(trade.symbol)?;
        return Ok(traded(trade));
    }
    let wrong = |_| Fault::Misuse("give a Trade, or (price, lots)".into());
    let (at, lots): (Bound<'_, PyAny>, u64) = given.extract().map_err(wrong)?;
    let fill = Fill { price: price(&at)?, size: Lots::new(lots) };
    Ok(Told::Input(at_ns, fill.into()))
}

/// What an event of a feed means.
fn taken(source: &Source, event: &Bound<'_, PyAny>) -> PyResult<Told<Traded>> {
    if let Ok(trade) = event.cast::<Trade>() {
        let trade = trade.get();
        let is_ours = source.wants(trade.symbol)?;
        return Ok(if is_ours { traded(trade) } else { Told::Nothing });
    }
    Ok(if source.is_gap(event) { Told::Gap(None) } else { Told::Nothing })
}

/// One without a time belongs to no window that is known.
fn traded(trade: &Trade) -> Told<Traded> {
    match trade.ts_ns {
        Some(at) => Told::Input(Some(at), Traded::from(&trade.tick())),
        None => Told::Gap(None),
    }
}
