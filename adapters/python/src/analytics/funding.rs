//! Mark against index, and the estimate of the funding rate against what was charged.

use std::time::Duration;

use kucoin_futures_analytics::funding::{self, FundingConfig, FundingInput};
use kucoin_futures_proto::wire::{FundingRate, FundingSettlement, MarkPrice};
use kucoin_futures_proto::{ChannelKind, Decimal, Symbol, WireError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyType;

use super::kept::{Kept, Told, indicator_class};
use super::numbers::{nanos, span};
use super::reading::Reading;
use super::source::Source;
use crate::fault::Fault;
use crate::to_py::FromPy as _;

indicator_class! {
    /// Where a perpetual contract's price and its funding stand apart.
    FundingDivergence { kept: Kept<funding::FundingDivergence>, source: Source }

    #[new]
    #[pyo3(signature = (
        interval=None,
        *,
        symbol=None,
        mark_timeout=None,
        estimate_timeout=None,
        before=None,
        after=None,
    ))]
    fn new(
        interval: Option<&Bound<'_, PyAny>>,
        symbol: Option<&str>,
        mark_timeout: Option<&Bound<'_, PyAny>>,
        estimate_timeout: Option<&Bound<'_, PyAny>>,
        before: Option<&Bound<'_, PyAny>>,
        after: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let interval = interval.map_or(Ok(EIGHT_HOURS), span)?;
        let mut config = FundingConfig::default();
        for (given, place) in [
            (mark_timeout, &mut config.mark_timeout),
            (estimate_timeout, &mut config.estimate_timeout),
            (before, &mut config.before),
            (after, &mut config.after),
        ] {
            if let Some(given) = given {
                *place = span(given)?;
            }
        }
        let wrong = |_| {
            let text = "funding is settled every 8, 4 or 1 h: a year is a multiple of the interval";
            Fault::Misuse(text.into())
        };
        let made = funding::FundingDivergence::new(interval, config).map_err(wrong)?;
        Ok(Self {
            shown: format!("FundingDivergence interval={interval:?}"),
            kept: Kept::new(made),
            source: Source::new(ChannelKind::Instrument, symbol)?,
        })
    }

    fn take(&self, event: &Bound<'_, PyAny>) -> PyResult<Reading> {
        if self.source.is_gap(event) {
            return Ok(self.kept.tell(Told::Gap(None)));
        }
        let Some(heard) = heard(event)? else { return Ok(self.kept.reading()) };
        let is_ours = heard.symbol.map(|symbol| self.source.wants(symbol)).transpose()?;
        if is_ours == Some(false) {
            return Ok(self.kept.reading());
        }
        Ok(self.kept.tell(Told::Input(heard.at, heard.input)))
    }

    /// When funding is settled next, from the contract list.
    fn on_schedule(&self, next_ns: u64) -> Reading {
        self.kept.act(|funding| funding.on_schedule(nanos(next_ns)))
    }
}

const EIGHT_HOURS: Duration = Duration::from_secs(8 * 3600);

/// A message that says something of funding.
struct Heard {
    symbol: Option<Symbol>,
    at: Option<u64>,
    input: FundingInput,
}

/// `None` for any other event.
fn heard(event: &Bound<'_, PyAny>) -> PyResult<Option<Heard>> {
    static MARK: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    static RATE: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    static END: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    let py = event.py();
    let is = |class: &'static PyOnceLock<Py<PyType>>, name| {
        event.is_instance(class.import(py, "kucoin_futures.messages", name)?)
    };
    let input = if is(&MARK, "MarkPrice")? {
        FundingInput::Mark(mark(event)?)
    } else if is(&RATE, "FundingRate")? {
        FundingInput::Rate(rate(event)?)
    } else if is(&END, "FundingEnd")? {
        FundingInput::Settled(settled(event)?)
    } else {
        return Ok(None);
    };
    let symbol = Option::<Symbol>::from_py(&event.getattr("symbol")?)?;
    let at = event.getattr("ts_ns")?.extract()?;
    Ok(Some(Heard { symbol, at, input }))
}

fn mark(event: &Bound<'_, PyAny>) -> PyResult<MarkPrice> {
    let (mark, index) = (number(event, "mark_price")?, number(event, "index_price")?);
    let text = format!(r#"{{"markPrice":{mark},"indexPrice":{index}}}"#);
    again(MarkPrice::parse(text.as_bytes()))
}

fn rate(event: &Bound<'_, PyAny>) -> PyResult<FundingRate> {
    let rate = number(event, "funding_rate")?;
    let interval: Option<u64> = event.getattr("interval_ms")?.extract()?;
    let interval = interval.map(|ms| format!(r#","granularity":{ms}"#)).unwrap_or_default();
    let text = format!(r#"{{"fundingRate":{rate}{interval}}}"#);
    again(FundingRate::parse(text.as_bytes()))
}

fn settled(event: &Bound<'_, PyAny>) -> PyResult<FundingSettlement> {
    let rate = number(event, "funding_rate")?;
    let due: Option<u64> = event.getattr("funding_time_ns")?.extract()?;
    let due = due.map(|ns| format!(r#""fundingTime":{},"#, ns / 1_000_000)).unwrap_or_default();
    let text = format!(r#"{{{due}"fundingRate":{rate}}}"#);
    again(FundingSettlement::parse(text.as_bytes()))
}

fn number(event: &Bound<'_, PyAny>, name: &str) -> PyResult<Decimal> {
    Decimal::from_py(&event.getattr(name)?)
}

/// The core makes these messages of the exchange's words only.
fn again<T>(parsed: Result<T, WireError>) -> PyResult<T> {
    parsed.map_err(|error| Fault::Misuse(format!("this message cannot be: {error}")).into())
}
