//! A book for those who have sockets of their own: a snapshot, then frames.

use std::sync::{Arc, Mutex, PoisonError};

use kucoin_futures_proto::book::Apply;
use kucoin_futures_proto::wire::DeltaParser;
use kucoin_futures_proto::{Book as CoreBook, WireError};
use pyo3::prelude::*;

use crate::book::Book;
use crate::events::Delta;
use crate::fault::Fault;
use crate::mirror::Mirror;

/// A book made of a snapshot's body and level2 frames, as they come from the exchange. It is exact or it raises.
#[pyclass(module = "kucoin_futures", frozen)]
#[derive(Debug)]
pub(crate) struct Replica {
    mirror: Arc<Mirror>,
    parser: Mutex<DeltaParser>,
}

/// At so many levels a side the exchange cuts a snapshot.
const SNAPSHOT_LEVELS: usize = 1000;

#[pymethods]
impl Replica {
    #[new]
    fn new(snapshot: &[u8]) -> PyResult<Self> {
        let mut book = CoreBook::new(SNAPSHOT_LEVELS, usize::MAX);
        let head = book.read(snapshot).map_err(Fault::from)?;
        Ok(Self { mirror: Mirror::of(head.symbol, 1, book), parser: Mutex::default() })
    }

    /// Takes a frame. The change, or none if the book has it already.
    fn apply(&self, frame: &[u8]) -> PyResult<Option<Delta>> {
        Ok(self.take(frame)?)
    }

    #[getter]
    fn book(&self) -> Book {
        Book { mirror: Arc::clone(&self.mirror) }
    }

    fn __repr__(&self) -> String {
        format!("<Replica of {}>", self.mirror.symbol())
    }
}

impl Replica {
    fn take(&self, frame: &[u8]) -> Result<Option<Delta>, Fault> {
        let symbol = self.mirror.symbol();
        let read = self.parser.lock().unwrap_or_else(PoisonError::into_inner).parse(frame);
        let read = match read {
            Ok(read) => read,
            Err(WireError::Unexpected) => {
                return Err(Fault::Misuse("this is no level2 frame: give it to others".into()));
            }
            Err(error) => {
                self.mirror.lock().lose(format!("a frame could not be read: {error}"));
                return Err(error.into());
            }
        };
        if read.symbol != symbol {
            let text = format!("a frame of {}, and the book is that of {symbol}", read.symbol);
            return Err(Fault::Misuse(text));
        }
        let mut held = self.mirror.lock();
        let Some(book) = held.book_mut() else {
            let text =
                format!("the book of {symbol} is lost: make a new Replica of a new snapshot");
            return Err(Fault::NotLive(text));
        };
        let expected = match book.apply(&read.delta) {
            Apply::Applied => return Ok(Some(Delta::of(symbol, &read.delta))),
            Apply::Repeat => return Ok(None),
            Apply::Gap { expected } => expected.to_string(),
            _ => "another".into(),
        };
        let why = format!("gap: expected {expected}, got {}", read.delta.sequence);
        held.lose(why.clone());
        Err(Fault::Loss(format!("{symbol}: {why}. Ask for a new snapshot and make a new Replica")))
    }
}
