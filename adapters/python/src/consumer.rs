//! Books that somebody else publishes over Redis or NATS, for one reader: events in order, and books that keep step with
//! them.
//!
//! ```text
//!   Python's reader ── next ──> Queue ──  a thread of its own: engine ── Consumer (the machine)
//!                                └ mirrors: books at the event handed out last
//! ```

mod driver;
mod queue;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use kucoin_futures_fanout::Address;
use kucoin_futures_proto::{Instant, Symbol};
use pyo3::prelude::*;
use pyo3::sync::MutexExt as _;

use self::driver::Driver;
use self::queue::{Item, Queue, Ready, State};
use crate::book::Book;
use crate::events::{self, BookLive, BookLost, BookVerified, Delta, Lagged};
use crate::fault::Fault;
use crate::feed::{SLICE, span};
use crate::records::Record as _;
use crate::shared::Reading;

/// What `kucoin_futures.Consumer` is made of.
#[pyclass(module = "kucoin_futures._native", frozen)]
pub(crate) struct Consumer {
    queue: Arc<Queue>,
    /// The engine's address as it may be shown.
    shown: String,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl std::fmt::Debug for Consumer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Consumer").field("engine", &self.shown).finish_non_exhaustive()
    }
}

/// What is forgotten without being closed is closed, and others run while that takes its time.
impl Drop for Consumer {
    fn drop(&mut self) {
        let _ = Python::try_attach(|py| py.detach(|| self.end()));
    }
}

/// What waiting for an event came to.
enum Next<'py> {
    Event(Bound<'py, PyAny>),
    Quiet,
    Ended,
}

impl Consumer {
    /// Waits for the next event, and hands it out. Ctrl-C ends the wait.
    fn advance<'py>(&self, py: Python<'py>, until: Option<Instant>) -> PyResult<Next<'py>> {
        let _reading = Reading::begin(self.queue.is_read(), "consumer")?;
        loop {
            let ready = self.state(py).next();
            match ready {
                Ready::Item(item) => return Ok(Next::Event(shown(py, item)?)),
                Ready::Ended => return Ok(Next::Ended),
                Ready::Nothing => {}
            }
            let left = until.map_or(SLICE, |until| until.since(self.queue.now()));
            if left.is_zero() {
                return Ok(Next::Quiet);
            }
            py.detach(|| self.queue.wait(left.min(SLICE)));
            py.check_signals()?;
        }
    }

    /// Others run while this has to be waited for.
    fn state(&self, py: Python<'_>) -> MutexGuard<'_, State> {
        self.queue.state().lock_py_attached(py).unwrap_or_else(PoisonError::into_inner)
    }

    fn end(&self) {
        self.queue.close();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            // Calls of engines end; a panic over there was printed already.
            let _ = thread.join();
        }
    }
}

/// An event as Python has it: the same as a feed's.
fn shown(py: Python<'_>, item: Item) -> PyResult<Bound<'_, PyAny>> {
    Ok(match item {
        Item::Change(symbol, delta) => Bound::new(py, Delta::of(symbol, &delta))?.into_any(),
        Item::Live(symbol, epoch, book) => {
            let sequence = book.sequence().get();
            Bound::new(py, BookLive { symbol, epoch: epoch.get(), sequence })?.into_any()
        }
        Item::Wider(symbol, book) => {
            let sequence = book.sequence().get();
            Bound::new(py, BookVerified { symbol, sequence, is_wider: true })?.into_any()
        }
        Item::Lost(symbol, epoch, reason) => {
            Bound::new(py, BookLost { symbol, epoch, reason })?.into_any()
        }
        Item::Lagged(dropped, _) => Bound::new(py, Lagged { dropped })?.into_any(),
        Item::Engine(kind, text) => {
            let state = events::State {
                kind: kind.into(),
                text,
                topic: None,
                symbol: None,
                line: None,
                status: None,
                code: None,
                words: None,
            };
            Bound::new(py, state)?.into_any()
        }
    })
}

#[pymethods]
impl Consumer {
    /// `symbols`: none is all that are published.
    #[new]
    #[pyo3(signature = (url, symbols, prefix, queue))]
    fn new(
        py: Python<'_>,
        url: &str,
        symbols: Option<Vec<String>>,
        prefix: &str,
        queue: usize,
    ) -> PyResult<Self> {
        let misuse = |error: kucoin_futures_fanout::EngineError| Fault::Misuse(error.to_string());
        let address = Address::new(url, prefix, 0).map_err(misuse)?;
        let parsed = symbols.iter().flatten().map(|symbol| symbol.parse().map_err(Fault::from));
        let wanted = parsed.collect::<Result<Vec<Symbol>, Fault>>()?;
        let source = address.source().map_err(misuse)?;
        let shown = address.to_string();
        let is_all = symbols.is_none();
        let queue = Arc::new(Queue::new(queue, &wanted, is_all));
        let driver = Driver::new(Arc::clone(&queue), source, shown.clone(), &wanted, is_all);
        let started = py.detach(|| driver.start());
        let thread = started.map_err(|error| Fault::Misuse(format!("no thread: {error}")))?;
        Ok(Self { queue, shown, thread: Mutex::new(Some(thread)) })
    }

    fn __iter__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        Ok(match self.advance(py, None)? {
            Next::Event(event) => Some(event),
            Next::Quiet | Next::Ended => None,
        })
    }

    /// The next event, or none in that time; `Closed` after the last one.
    #[pyo3(signature = (timeout=None))]
    fn next<'py>(
        &self,
        py: Python<'py>,
        timeout: Option<f64>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let until = timeout.map(span).transpose()?.map(|span| self.queue.now() + span);
        match self.advance(py, until)? {
            Next::Event(event) => Ok(Some(event)),
            Next::Quiet => Ok(None),
            Next::Ended => Err(Fault::Closed.into()),
        }
    }

    /// Waits until there is something to hand out. What comes is kept. For a thread beside the reader's.
    fn wait(&self, py: Python<'_>, timeout: f64) -> PyResult<bool> {
        let span = span(timeout)?;
        Ok(py.detach(|| self.queue.wait(span)))
    }

    /// The book of a contract if it is live at the event that was handed out last.
    fn book(&self, py: Python<'_>, symbol: &str) -> PyResult<Option<Book>> {
        let symbol: Symbol = symbol.parse().map_err(Fault::from)?;
        let mirror = self.state(py).mirror(symbol)?;
        let live = mirror.filter(|mirror| mirror.lock().book().is_some());
        Ok(live.map(|mirror| Book { mirror }))
    }

    /// What is followed by now.
    #[getter]
    fn symbols(&self, py: Python<'_>) -> Vec<String> {
        self.state(py).symbols().map(|symbol| symbol.to_string()).collect()
    }

    fn stats<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let stats = self.state(py).stats();
        stats.record(py)
    }

    fn close(&self, py: Python<'_>) {
        py.detach(|| self.end());
    }

    fn __repr__(&self) -> String {
        format!("<Consumer of {}>", self.shown)
    }
}
