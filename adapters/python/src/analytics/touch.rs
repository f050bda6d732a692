//! Indicators of best bid and best ask, and of whole books.

use kucoin_futures_analytics::{self as analytics, BookSample, Guarded, Touch};
use kucoin_futures_proto::book::Level as CoreLevel;
use kucoin_futures_proto::{ChannelKind, Lots};
use pyo3::prelude::*;

use super::kept::{Kept, Told, indicator_class};
use super::numbers::span;
use super::reading::Reading;
use super::source::Source;
use super::vwap::{no_time, one_window};
use crate::book::Book;
use crate::events::TickerV2;
use crate::fault::Fault;
use crate::level::Level;
use crate::to_py::FromPy as _;

indicator_class! {
    /// Lots by which buyers have pressed more than sellers.
    OrderFlowImbalance {
        kept: Kept<Guarded<analytics::OrderFlowImbalance>>,
        source: Source,
        needs_time: bool,
    }

    #[new]
    #[pyo3(signature = (*, last=None, span=None, symbol=None))]
    fn new(
        last: Option<u32>,
        span: Option<&Bound<'_, PyAny>>,
        symbol: Option<&str>,
    ) -> PyResult<Self> {
        let (flow, shown) = match (last, span) {
            (Some(n), None) => (analytics::OrderFlowImbalance::of_last(n), format!("last={n}")),
            (None, Some(given)) => {
                let span = self::span(given)?;
                (analytics::OrderFlowImbalance::of_span(span), format!("span={span:?}"))
            }
            _ => return Err(one_window().into()),
        };
        Ok(Self {
            shown: format!("OrderFlowImbalance {shown}"),
            kept: Kept::new(flow.map_err(Fault::from)?),
            source: Source::new(ChannelKind::TickerV2, symbol)?,
            needs_time: last.is_none(),
        })
    }

    #[pyo3(signature = (touch, *, at_ns=None))]
    fn push(&self, touch: &Bound<'_, PyAny>, at_ns: Option<u64>) -> PyResult<Reading> {
        let told = pushed(&self.source, touch, at_ns)?;
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
    /// The price between best bid and best ask that is nearer to the side with fewer lots.
    Microprice { kept: Kept<Guarded<analytics::Microprice>>, source: Source }

    #[new]
    #[pyo3(signature = (*, symbol=None))]
    fn new(symbol: Option<&str>) -> PyResult<Self> {
        Ok(Self {
            shown: "Microprice".into(),
            kept: Kept::new(analytics::Microprice::new()),
            source: Source::new(ChannelKind::TickerV2, symbol)?,
        })
    }

    #[pyo3(signature = (touch, *, at_ns=None))]
    fn push(&self, touch: &Bound<'_, PyAny>, at_ns: Option<u64>) -> PyResult<Reading> {
        Ok(self.kept.tell(pushed(&self.source, touch, at_ns)?))
    }

    fn take(&self, event: &Bound<'_, PyAny>) -> PyResult<Reading> {
        Ok(self.kept.tell(taken(&self.source, event)?))
    }
}

indicator_class! {
    /// Spread and depth of a book, over time.
    BookMeans { kept: Kept<Guarded<analytics::BookMeans>>, levels: usize }

    #[new]
    #[pyo3(signature = (span, levels=5))]
    fn new(span: &Bound<'_, PyAny>, levels: usize) -> PyResult<Self> {
        let span = self::span(span)?;
        let means = analytics::BookMeans::new(span, levels).map_err(Fault::from)?;
        let shown = format!("BookMeans span={span:?} levels={levels}");
        Ok(Self { shown, kept: Kept::new(means), levels })
    }

    #[pyo3(signature = (book, *, at_ns))]
    fn push(&self, book: &Book, at_ns: u64) -> Reading {
        // Of a book that is not live nothing is known from here on.
        let sample = book.mirror.read(|book| BookSample::new(Some(book), self.levels));
        match sample {
            Ok(Ok(sample)) => self.kept.tell(Told::Input(Some(at_ns), sample)),
            Ok(Err(_)) | Err(_) => {
                self.kept.on_time(at_ns);
                self.kept.tell(Told::Gap(Some(at_ns)))
            }
        }
    }
}

/// A ticker, a book, or best bid and best ask. Where one of both is missing, or not known, there is a gap.
fn pushed(source: &Source, given: &Bound<'_, PyAny>, at_ns: Option<u64>) -> PyResult<Told<Touch>> {
    if let Ok(ticker) = given.cast::<TickerV2>() {
        let ticker = ticker.get();
        source.takes(ticker.symbol)?;
        return Ok(of_ticker(ticker));
    }
    if let Ok(book) = given.cast::<Book>() {
        let mirror = &book.get().mirror;
        source.takes(mirror.symbol())?;
        let touch = mirror.read(Touch::of_book).ok().flatten();
        return Ok(touch.map_or(Told::Gap(at_ns), |touch| Told::Input(at_ns, touch)));
    }
    let wrong = |_| Fault::Misuse("give a TickerV2, a book, or (bid, ask) as levels".into());
    let (bid, ask): (Bound<'_, PyAny>, Bound<'_, PyAny>) = given.extract().map_err(wrong)?;
    let touch = touch(Level::from_py(&bid)?, Level::from_py(&ask)?);
    Ok(touch.map_or(Told::Gap(at_ns), |touch| Told::Input(at_ns, touch)))
}

/// What an event of a feed means.
fn taken(source: &Source, event: &Bound<'_, PyAny>) -> PyResult<Told<Touch>> {
    if let Ok(ticker) = event.cast::<TickerV2>() {
        let ticker = ticker.get();
        let is_ours = source.wants(ticker.symbol)?;
        return Ok(if is_ours { of_ticker(ticker) } else { Told::Nothing });
    }
    Ok(if source.is_gap(event) { Told::Gap(None) } else { Told::Nothing })
}

fn of_ticker(ticker: &TickerV2) -> Told<Touch> {
    let touch = ticker.best_bid.zip(ticker.best_ask).and_then(|(bid, ask)| touch(bid, ask));
    touch.map_or(Told::Gap(ticker.ts_ns), |touch| Told::Input(ticker.ts_ns, touch))
}

/// `None` if one of both has no lots.
fn touch(bid: Level, ask: Level) -> Option<Touch> {
    let level = |level: Level| {
        let size = Lots::new(level.size);
        (level.size > 0).then_some(CoreLevel { price: level.price, size })
    };
    Some(Touch { bid: level(bid)?, ask: level(ask)? })
}
