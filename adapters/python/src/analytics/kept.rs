//! An indicator that Python holds, and what it is told.

use std::sync::{Mutex, MutexGuard, PoisonError};

use kucoin_futures_analytics::{Indicator, Reading as Said};
use pyo3::prelude::*;
use pyo3::types::PyList;

use super::candle_events::{ClosedCandle, EmptyCandles, LateTrade, TimelessTrade, UnknownCandles};
use super::numbers::nanos;
use super::reading::{Reading, Value};
use crate::fault::Fault;

/// Something that an indicator is told. A time that was not said is the latest one so far.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Told<T> {
    /// An input.
    Input(Option<u64>, T),
    /// An input that may be wrong itself: of a candle that is not whole. The formula goes on with it as if it were right,
    /// and no number counts as valid that it is in.
    Doubtful(u64, T),
    /// Something may be missing.
    Gap(Option<u64>),
    /// Nothing of it.
    Nothing,
}

impl<T> Told<T> {
    /// What a candle event means, with what is taken of a candle. `None`: it is none.
    pub(crate) fn of_candles(
        event: &Bound<'_, PyAny>,
        of: impl FnOnce(&ClosedCandle) -> T,
    ) -> Option<Self> {
        if let Ok(candle) = event.cast::<ClosedCandle>() {
            let candle = candle.get();
            let (end, input) = (candle.end_ns, of(candle));
            return Some(if candle.is_whole {
                Self::Input(Some(end), input)
            } else {
                Self::Doubtful(end, input)
            });
        }
        if let Ok(unknown) = event.cast::<UnknownCandles>() {
            return Some(Self::Gap(Some(unknown.get().start_ns)));
        }
        if event.is_instance_of::<LateTrade>() || event.is_instance_of::<TimelessTrade>() {
            return Some(Self::Gap(None));
        }
        event.is_instance_of::<EmptyCandles>().then_some(Self::Nothing)
    }
}

/// Why an event is none that candles tell.
pub(crate) fn no_candle_event() -> Fault {
    Fault::Misuse(
        "this takes what Candles and Bars tell: give it each event of `candles.take(event)`".into(),
    )
}

/// An indicator behind a lock, which is never held while Python runs.
#[derive(Debug)]
pub(crate) struct Kept<I>(Mutex<Clocked<I>>);

#[derive(Clone, Debug)]
struct Clocked<I> {
    indicator: I,
    /// The latest time that was said; 0 for none.
    now: u64,
    /// Nothing was taken yet, so that nothing can be missing in it.
    is_new: bool,
}

impl<I: Indicator> Clocked<I> {
    fn at(&mut self, at: Option<u64>) -> u64 {
        let at = at.unwrap_or(self.now);
        self.now = self.now.max(at);
        at
    }

    fn tell(&mut self, told: Told<I::Input>) {
        if let (true, Told::Gap(None) | Told::Nothing) = (self.is_new, &told) {
            return;
        }
        self.is_new = false;
        match told {
            Told::Input(at, input) => {
                let at = self.at(at);
                self.indicator.push(nanos(at), input);
            }
            Told::Doubtful(at, input) => {
                let at = nanos(self.at(Some(at)));
                self.indicator.push(at, input);
                self.indicator.on_gap(at);
            }
            Told::Gap(at) => {
                let at = self.at(at);
                self.indicator.on_gap(nanos(at));
            }
            Told::Nothing => {}
        }
    }
}

impl<I: Indicator> Kept<I>
where
    Value: From<I::Output>,
{
    pub(crate) const fn new(indicator: I) -> Self {
        Self(Mutex::new(Clocked { indicator, now: 0, is_new: true }))
    }

    fn lock(&self) -> MutexGuard<'_, Clocked<I>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What it says after that.
    pub(crate) fn tell(&self, told: Told<I::Input>) -> Reading {
        let mut kept = self.lock();
        kept.tell(told);
        kept.indicator.reading().into()
    }

    pub(crate) fn on_time(&self, at: u64) -> Reading {
        let mut kept = self.lock();
        let at = kept.at(Some(at));
        kept.indicator.on_time(nanos(at)).into()
    }

    pub(crate) fn reading(&self) -> Reading {
        self.lock().indicator.reading().into()
    }

    pub(crate) fn warm_up(&self) -> u32 {
        self.lock().indicator.warm_up()
    }

    /// Does something that not every indicator can.
    pub(crate) fn act(&self, act: impl FnOnce(&mut I)) -> Reading {
        let mut kept = self.lock();
        kept.is_new = false;
        act(&mut kept.indicator);
        kept.indicator.reading().into()
    }

    /// Asks what not every indicator knows.
    pub(crate) fn ask<R>(&self, ask: impl FnOnce(&I) -> R) -> R {
        ask(&self.lock().indicator)
    }
}

/// What a new indicator says of a whole series: the number at each place, where it is valid. Computed without the
/// interpreter's lock.
pub(crate) fn over<'py, I>(
    py: Python<'py>,
    indicator: I,
    series: &Bound<'py, PyAny>,
    mut told: impl FnMut(&Bound<'py, PyAny>) -> PyResult<Told<I::Input>>,
) -> PyResult<Bound<'py, PyList>>
where
    I: Indicator + Send,
    I::Input: Send,
    Value: From<I::Output>,
{
    let series = series.try_iter()?.map(|item| told(&item?)).collect::<PyResult<Vec<_>>>()?;
    let said = py.detach(move || {
        let mut kept = Clocked { indicator, now: 0, is_new: true };
        let each = series.into_iter().map(|told| {
            kept.tell(told);
            match kept.indicator.reading() {
                Said::Valid { value, .. } => Some(Value::from(value)),
                Said::Warming { .. } | Said::Stale { .. } => None,
            }
        });
        each.collect::<Vec<_>>()
    });
    let list = PyList::empty(py);
    for value in said {
        match value {
            Some(value) => list.append(value.rough(py)?)?,
            None => list.append(py.None())?,
        }
    }
    Ok(list)
}

/// The methods that all indicators have: `kept` is their [`Kept`]. `more` are methods of its own.
macro_rules! indicator_class {
    (
        $(#[doc = $doc:literal])*
        $name:ident { $($field:ident: $type:ty),* $(,)? }
        $($more:tt)*
    ) => {
        $(#[doc = $doc])*
        #[pyclass(module = "kucoin_futures.analytics", frozen)]
        #[derive(Debug)]
        pub(crate) struct $name {
            shown: String,
            $($field: $type),*
        }

        #[pymethods]
        impl $name {
            #[pyo3(signature = (at_ns=None))]
            fn on_gap(&self, at_ns: Option<u64>) -> Reading {
                self.kept.tell(Told::Gap(at_ns))
            }

            fn on_time(&self, at_ns: u64) -> Reading {
                self.kept.on_time(at_ns)
            }

            #[getter]
            fn reading(&self) -> Reading {
                self.kept.reading()
            }

            #[getter]
            fn warm_up(&self) -> u32 {
                self.kept.warm_up()
            }

            fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
                let reading = Bound::new(py, self.kept.reading())?.repr()?;
                Ok(format!("<{} {}>", self.shown, reading.to_string_lossy()))
            }

            $($more)*
        }
    };
}

pub(crate) use indicator_class;
