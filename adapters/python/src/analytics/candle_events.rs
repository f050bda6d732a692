//! What candles and bars tell: values, like all events.

use kucoin_futures_analytics::candle::{Candle, CandleEvent};
use kucoin_futures_proto::{Decimal, Price, UnixNanos};
use pyo3::prelude::*;
use pyo3::types::{PyList, PyTuple, PyType};

use crate::event_class::event_class;
use crate::events::Trade;
use crate::to_py::{FromPy, ToPy, float};

/// The two candles there are: one that is over, and one that still grows.
macro_rules! candle_class {
    ($(#[doc = $doc:literal])* $name:ident) => {
        event_class! {
            $(#[doc = $doc])*
            $name in "kucoin_futures.analytics" {
                start_ns: u64,
                end_ns: u64,
                open: Price,
                high: Price,
                low: Price,
                close: Price,
                lots: u128,
                turnover: Option<Decimal>,
                trades: Option<u64>,
                taker_buy_lots: Option<u128>,
                first_sequence: Option<u64>,
                last_sequence: Option<u64>,
                is_whole: bool,
            }
            more {
                #[getter]
                fn open_float(&self) -> f64 {
                    float(&self.open.to_string())
                }

                #[getter]
                fn high_float(&self) -> f64 {
                    float(&self.high.to_string())
                }

                #[getter]
                fn low_float(&self) -> f64 {
                    float(&self.low.to_string())
                }

                #[getter]
                fn close_float(&self) -> f64 {
                    float(&self.close.to_string())
                }

                #[getter]
                fn turnover_float(&self) -> Option<f64> {
                    self.turnover.map(|turnover| float(&turnover.to_string()))
                }
            }
        }

        impl $name {
            /// Without a turnover if nobody has said what a lot is worth.
            pub(crate) fn of(candle: &Candle, is_valued: bool) -> Self {
                Self {
                    start_ns: candle.start.as_nanos(),
                    end_ns: candle.end.as_nanos(),
                    open: candle.open,
                    high: candle.high,
                    low: candle.low,
                    close: candle.close,
                    lots: candle.lots,
                    turnover: candle.turnover.filter(|_| is_valued),
                    trades: candle.trades,
                    taker_buy_lots: candle.taker_buy_lots,
                    first_sequence: candle.first_sequence.map(|sequence| sequence.get()),
                    last_sequence: candle.last_sequence.map(|sequence| sequence.get()),
                    is_whole: candle.is_whole,
                }
            }
        }
    };
}

candle_class! {
    /// A candle or bar that is over.
    ClosedCandle
}

candle_class! {
    /// A candle or bar that still grows.
    RunningCandle
}

event_class! {
    /// Nothing was traded in these intervals.
    EmptyCandles in "kucoin_futures.analytics" { start_ns: u64, end_ns: u64 }
}

event_class! {
    /// There is no candle of these intervals, and something may have been missed in them.
    UnknownCandles in "kucoin_futures.analytics" { start_ns: u64, end_ns: u64 }
}

event_class! {
    /// A trade of a candle that was told already: it is in none.
    LateTrade in "kucoin_futures.analytics" { trade: Trade, candle_start_ns: Option<u64> }
}

event_class! {
    /// A trade without a time: it is in no candle.
    TimelessTrade in "kucoin_futures.analytics" { trade: Trade }
}

impl ToPy for Trade {
    fn to_py<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Ok(Bound::new(py, self.clone())?.into_any())
    }
}

impl FromPy for Trade {
    fn from_py(given: &Bound<'_, PyAny>) -> PyResult<Self> {
        Ok(given.cast::<Self>()?.get().clone())
    }
}

/// What a builder has told, as Python has it. `of` is the trade that it told it of.
pub(crate) fn list<'py>(
    py: Python<'py>,
    told: &[CandleEvent],
    of: Option<&Trade>,
    is_valued: bool,
) -> PyResult<Bound<'py, PyList>> {
    let list = PyList::empty(py);
    for event in told {
        match (event, of) {
            (CandleEvent::Closed(candle), _) => {
                list.append(Bound::new(py, ClosedCandle::of(candle, is_valued))?)?;
            }
            (CandleEvent::Empty { from, to }, _) => {
                let (start_ns, end_ns) = (from.as_nanos(), to.as_nanos());
                list.append(Bound::new(py, EmptyCandles { start_ns, end_ns })?)?;
            }
            (CandleEvent::Unknown { from, to }, _) => {
                let (start_ns, end_ns) = (from.as_nanos(), to.as_nanos());
                list.append(Bound::new(py, UnknownCandles { start_ns, end_ns })?)?;
            }
            (CandleEvent::Late { candle_start, .. }, Some(trade)) => {
                let candle_start_ns = candle_start.map(UnixNanos::as_nanos);
                let late = LateTrade { trade: trade.clone(), candle_start_ns };
                list.append(Bound::new(py, late)?)?;
            }
            (CandleEvent::Timeless { .. }, Some(trade)) => {
                list.append(Bound::new(py, TimelessTrade { trade: trade.clone() })?)?;
            }
            // Both are told of the trade that was just taken, and there are no others.
            _ => {}
        }
    }
    Ok(list)
}
