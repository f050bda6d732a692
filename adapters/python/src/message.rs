//! Messages of streams and answers to queries, as Python has them.

use kucoin_futures_proto::book::Level as CoreLevel;
use kucoin_futures_proto::wire::{
    DeltaParser, Depth as CoreDepth, Execution, Frame, MessageParser, Page, Row, Rows, Series,
    Snapshot, Ticker as CoreTicker, TickerV2 as CoreTickerV2,
};
use kucoin_futures_proto::{Channel, ChannelKind, Message, Push, Symbol, WireError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

use crate::events::{Delta, Depth, State, Ticker, TickerV2, Trade};
use crate::fault::Fault;
use crate::level::Level;
use crate::records::Record;
use crate::records::messages::{FundingBegin, FundingEnd};
use crate::to_py::ToPy;

impl Delta {
    pub(crate) fn of(symbol: Symbol, delta: &kucoin_futures_proto::wire::Delta) -> Self {
        Self {
            symbol,
            sequence: delta.sequence.get(),
            side: delta.side,
            price: delta.price,
            size: delta.size.get(),
            ts_ns: delta.ts_event.map(|at| at.as_nanos()),
        }
    }
}

/// What one frame says, whatever connection it came by.
pub(crate) fn of_frame<'py>(py: Python<'py>, frame: &[u8]) -> PyResult<Bound<'py, PyAny>> {
    let raise = |error: WireError| match error {
        WireError::Unexpected => {
            Fault::Misuse("this frame holds no message: give it to whoever keeps the line".into())
        }
        error => error.into(),
    };
    let Frame::Message(envelope) = Frame::parse(frame).map_err(raise)? else {
        return Err(raise(WireError::Unexpected).raise(py));
    };
    let topic = envelope.topic.to_string();
    let channel: Channel = topic.parse().map_err(Fault::from)?;
    if channel.kind() == ChannelKind::Level2 {
        let read = DeltaParser::new().parse(frame).map_err(raise)?;
        return Ok(Bound::new(py, Delta::of(read.symbol, &read.delta))?.into_any());
    }
    let message = MessageParser::new().parse(frame).map_err(raise)?;
    of_message(py, Some(channel), &message)
}

/// A message of a stream. One that cannot be read is told as a state, and the stream goes on.
pub(crate) fn event<'py>(
    py: Python<'py>,
    channel: Option<Channel>,
    push: &Push<'_>,
) -> PyResult<Bound<'py, PyAny>> {
    match push.decode() {
        Ok(message) => of_message(py, channel, &message),
        Err(error) => malformed(py, channel, error),
    }
}

fn malformed(
    py: Python<'_>,
    channel: Option<Channel>,
    error: WireError,
) -> PyResult<Bound<'_, PyAny>> {
    state(py, "malformed", format!("a message cannot be read: {error}"), channel)
}

/// What the client does not tell itself.
pub(crate) fn state<'py>(
    py: Python<'py>,
    kind: &'static str,
    text: String,
    channel: Option<Channel>,
) -> PyResult<Bound<'py, PyAny>> {
    let state = State {
        kind: kind.into(),
        text,
        topic: channel.map(|channel| channel.to_string()),
        symbol: channel.and_then(|channel| channel.symbol()),
        line: None,
        status: None,
        code: None,
        words: None,
    };
    Ok(Bound::new(py, state)?.into_any())
}

/// What a query was answered with.
pub(crate) fn answer<'py>(py: Python<'py>, push: &Push<'_>) -> PyResult<Bound<'py, PyAny>> {
    let message = push.decode().map_err(|error| Fault::from(error).raise(py))?;
    of_message(py, None, &message)
}

#[allow(clippy::too_many_lines, reason = "one line for each kind there is")]
fn of_message<'py>(
    py: Python<'py>,
    channel: Option<Channel>,
    message: &Message<'_>,
) -> PyResult<Bound<'py, PyAny>> {
    match message {
        Message::Execution(it) => Ok(Bound::new(py, trade(it))?.into_any()),
        Message::Ticker(it) => Ok(Bound::new(py, ticker(it))?.into_any()),
        Message::TickerV2(it) => Ok(Bound::new(py, ticker_v2(it))?.into_any()),
        Message::Depth5(it) => depth(py, channel, 5, it),
        Message::Depth50(it) => depth(py, channel, 50, it),
        Message::MarkPrice(it) => it.record(py),
        Message::FundingRate(it) => it.record(py),
        Message::FundingBegin(it) => FundingBegin(it).record(py),
        Message::FundingEnd(it) => FundingEnd(it).record(py),
        Message::Stats24h(it) => it.record(py),
        Message::Candle(it) => it.record(py),
        Message::Order(it) => it.record(py),
        Message::StopOrder(it) => it.record(py),
        Message::Wallet(it) => it.record(py),
        Message::Balance(it) => it.record(py),
        Message::Position(it) => it.record(py),
        Message::PositionSettlement(it) => it.record(py),
        Message::RiskLimit(it) => it.record(py),
        Message::MarginModes(it) => by_symbol(py, "MarginModes", "modes", it.iter()),
        Message::CrossLeverages(it) => by_symbol(py, "CrossLeverages", "leverages", it.iter()),
        Message::Unknown(it) => {
            let fields = PyDict::new(py);
            fields.set_item("topic", it.channel.to_string())?;
            fields.set_item("subject", it.subject.map(|text| text.to_string()))?;
            fields.set_item("data", String::from_utf8_lossy(it.data))?;
            made(py, "messages", "UnknownMessage", &fields)
        }
        Message::ServerTime(at) => at.to_py(py),
        Message::Contracts(it) => rows(py, it),
        Message::Contract(it) => it.record(py),
        Message::RestTicker(it) => it.record(py),
        Message::AllTickers(it) => rows(py, it),
        Message::PartialBook(it) => partial_book(py, it),
        Message::Trades(it) => rows(py, it),
        Message::Klines(it) => rows(py, it),
        Message::RestMarkPrice(it) => it.record(py),
        Message::RestFundingRate(it) => it.record(py),
        Message::FundingHistory(it) => rows(py, it),
        Message::IndexPrices(it) => series(py, it),
        Message::InterestRates(it) | Message::Premiums(it) => series(py, it),
        Message::ServiceStatus(it) => it.record(py),
        Message::Orders(it) | Message::StopOrders(it) => page(py, it),
        Message::Positions(it) => rows(py, it),
        Message::AccountOverview(it) => it.record(py),
        Message::RecentFills(it) => rows(py, it),
        Message::Fills(it) => page(py, it),
        other => {
            let text = format!("a message that this version does not hand on: {other:?}");
            Err(Fault::Wire(text).raise(py))
        }
    }
}

fn trade(it: &Execution<'_>) -> Trade {
    Trade {
        symbol: it.symbol,
        sequence: it.sequence.get(),
        side: it.taker_side,
        price: it.price,
        size: it.size.get(),
        trade_id: it.trade_id.to_string(),
        taker_order_id: it.taker_order_id.map(|text| text.to_string()),
        maker_order_id: it.maker_order_id.map(|text| text.to_string()),
        ts_ns: it.ts_event.map(|at| at.as_nanos()),
    }
}

fn ticker(it: &CoreTicker<'_>) -> Ticker {
    Ticker {
        symbol: it.symbol,
        sequence: it.sequence.get(),
        side: it.taker_side,
        price: it.price,
        size: it.size.get(),
        trade_id: it.trade_id.to_string(),
        best_bid: it.best_bid.map(Level::from),
        best_ask: it.best_ask.map(Level::from),
        ts_ns: it.ts_event.map(|at| at.as_nanos()),
    }
}

fn ticker_v2(it: &CoreTickerV2) -> TickerV2 {
    TickerV2 {
        symbol: it.symbol,
        sequence: it.sequence.map(|sequence| sequence.get()),
        best_bid: it.best_bid.map(Level::from),
        best_ask: it.best_ask.map(Level::from),
        ts_ns: it.ts_event.map(|at| at.as_nanos()),
    }
}

/// The message itself does not say whose it is.
fn depth<'py>(
    py: Python<'py>,
    channel: Option<Channel>,
    levels: u32,
    it: &CoreDepth<'_>,
) -> PyResult<Bound<'py, PyAny>> {
    let Some(symbol) = channel.and_then(|channel| channel.symbol()) else {
        return malformed(py, channel, WireError::Missing { field: "topic" });
    };
    let depth = Depth {
        symbol,
        levels,
        sequence: it.sequence.map(|sequence| sequence.get()),
        bids: it.bids.iter().map(Level::from).collect(),
        asks: it.asks.iter().map(Level::from).collect(),
        ts_ns: it.ts_event.map(|at| at.as_nanos()),
    };
    Ok(Bound::new(py, depth)?.into_any())
}

fn partial_book<'py>(py: Python<'py>, it: &Snapshot) -> PyResult<Bound<'py, PyAny>> {
    let side = |levels: &[CoreLevel]| {
        let levels = levels.iter().map(|level| level.to_py(py)).collect::<PyResult<Vec<_>>>()?;
        PyList::new(py, levels)
    };
    let fields = PyDict::new(py);
    fields.set_item("symbol", it.symbol.to_py(py)?)?;
    fields.set_item("sequence", it.sequence.to_py(py)?)?;
    fields.set_item("bids", side(&it.bids)?)?;
    fields.set_item("asks", side(&it.asks)?)?;
    fields.set_item("ts_ns", it.ts_event.to_py(py)?)?;
    made(py, "replies", "PartialBook", &fields)
}

/// Rows that cannot be read are an error: a list that lacks some would be taken for whole.
fn list<'py, 'a, T: Record + Row<'a>>(
    py: Python<'py>,
    rows: &Rows<'a, T>,
) -> PyResult<Bound<'py, PyList>> {
    let list = PyList::empty(py);
    for row in rows.iter() {
        list.append(row.map_err(|error| Fault::from(error).raise(py))?.record(py)?)?;
    }
    Ok(list)
}

fn rows<'py, 'a, T: Record + Row<'a>>(
    py: Python<'py>,
    rows: &Rows<'a, T>,
) -> PyResult<Bound<'py, PyAny>> {
    list(py, rows).map(Bound::into_any)
}

fn series<'py, 'a, T: Record + Row<'a>>(
    py: Python<'py>,
    it: &Series<'a, T>,
) -> PyResult<Bound<'py, PyAny>> {
    let fields = PyDict::new(py);
    fields.set_item("points", list(py, &it.rows)?)?;
    fields.set_item("has_more", it.has_more)?;
    made(py, "replies", "Series", &fields)
}

fn page<'py, 'a, T: Record + Row<'a>>(
    py: Python<'py>,
    it: &Page<'a, T>,
) -> PyResult<Bound<'py, PyAny>> {
    let fields = PyDict::new(py);
    fields.set_item("rows", list(py, &it.rows)?)?;
    fields.set_item("number", it.number)?;
    fields.set_item("size", it.size)?;
    fields.set_item("total_rows", it.total_rows)?;
    fields.set_item("total_pages", it.total_pages)?;
    made(py, "signed", "Page", &fields)
}

fn by_symbol<'py, T: ToPy>(
    py: Python<'py>,
    class: &str,
    field: &str,
    settings: impl Iterator<Item = (Symbol, T)>,
) -> PyResult<Bound<'py, PyAny>> {
    let each = PyDict::new(py);
    for (symbol, setting) in settings {
        each.set_item(symbol.as_str(), setting.to_py(py)?)?;
    }
    let fields = PyDict::new(py);
    fields.set_item(field, each)?;
    made(py, "messages", class, &fields)
}

/// A dataclass that is no [`Record`], of these fields.
pub(crate) fn made<'py>(
    py: Python<'py>,
    module: &str,
    class: &str,
    fields: &Bound<'py, PyDict>,
) -> PyResult<Bound<'py, PyAny>> {
    let module = py.import(format!("kucoin_futures.{module}"))?;
    module.getattr(class)?.call((), Some(fields))
}
