//! Events of a feed as columns: many at once, without an object for each.

use std::collections::BTreeMap;

use kucoin_futures_blocking::Item;
use kucoin_futures_data::batch::{Table, TableBuilder};
use kucoin_futures_host::unix_now;
use kucoin_futures_proto::wire::Delta;
use kucoin_futures_proto::{
    BookEvent, Channel, ChannelKind, Epoch, Event, Sequence, Symbol, TopicEvent, TopicId, UnixNanos,
};
use pyo3::prelude::*;
use pyo3::types::PyList;

use crate::arrow::Batch;
use crate::fault::Fault;
use crate::feed::shown;
use crate::shared::{Out, Shared};

/// Everything that is told by rows.
const TABLES: [Table; 6] =
    [Table::Level2, Table::Trades, Table::Tickers, Table::Instrument, Table::Candles, Table::Stats];

/// The table of this name.
pub(crate) fn named(name: &str) -> Result<Table, Fault> {
    let table = TABLES.iter().find(|table| table.name() == name);
    table.copied().ok_or_else(|| {
        let names = TABLES.map(Table::name).join(", ");
        Fault::Misuse(format!("there is no table `{name}`: there are {names}"))
    })
}

/// Makes rows of what is handed out.
#[derive(Debug)]
pub(crate) struct Collector {
    builders: [TableBuilder; 6],
    /// The run of each live book, and how far its rows have come.
    live: BTreeMap<Symbol, (Epoch, Sequence)>,
    /// What has no rows.
    others: Vec<Out>,
}

impl Default for Collector {
    fn default() -> Self {
        let builders = TABLES.map(TableBuilder::new);
        Self { builders, live: BTreeMap::new(), others: Vec::new() }
    }
}

impl Collector {
    /// Rows and other events that wait to be taken.
    pub(crate) fn len(&self) -> usize {
        self.builders.iter().map(TableBuilder::len).sum::<usize>() + self.others.len()
    }

    fn builder(&mut self, table: Table) -> Option<&mut TableBuilder> {
        self.builders.iter_mut().find(|builder| builder.table() == table)
    }

    /// Takes an event that was handed out: the mirrors are where it is.
    pub(crate) fn take(&mut self, shared: &Shared, out: Out) {
        let received = unix_now();
        let symbol = out.channel.and_then(|channel| channel.symbol());
        match (&out.item, symbol) {
            (Item::Delta(topic, delta), Some(symbol)) => {
                return self.on_delta(shared, *topic, symbol, received, delta);
            }
            (Item::Push(message), Some(symbol)) => match message.push().decode() {
                Ok(message) => {
                    if self.builders.iter_mut().any(|it| it.push(symbol, received, &message)) {
                        return;
                    }
                }
                // It is told as a state, too.
                Err(_) => self.on_may_have_missed(out.channel),
            },
            // Also where a topic begins once more: what was before it was not followed.
            (
                Item::State(
                    Event::Topic(
                        _,
                        TopicEvent::MayHaveMissed
                        | TopicEvent::Confirmed
                        | TopicEvent::Rejected { .. }
                        | TopicEvent::Unsubscribed,
                    ),
                    _,
                ),
                _,
            ) => self.on_may_have_missed(out.channel),
            (Item::State(Event::Book(topic, event), _), Some(symbol)) => {
                self.on_book(shared, *topic, symbol, received, event);
            }
            (Item::State(Event::Lagged { .. }, _), _) => self.on_lagged(shared, received),
            _ => {}
        }
        self.others.push(out);
    }

    fn on_delta(
        &mut self,
        shared: &Shared,
        topic: TopicId,
        symbol: Symbol,
        received: UnixNanos,
        delta: &Delta,
    ) {
        match self.live.get_mut(&symbol) {
            // What the book had already when it was written down.
            Some((_, last)) if delta.sequence <= *last => {}
            Some((epoch, last)) if last.next() == Some(delta.sequence) => {
                *last = delta.sequence;
                let epoch = *epoch;
                if let Some(builder) = self.builder(Table::Level2) {
                    builder.push_delta(symbol, received, epoch, delta, true);
                }
            }
            // The rows are not where the change belongs. The mirror is, and has it already.
            _ => self.write_anew(shared, topic, symbol, received),
        }
    }

    fn on_book(
        &mut self,
        shared: &Shared,
        topic: TopicId,
        symbol: Symbol,
        received: UnixNanos,
        event: &BookEvent,
    ) {
        match event {
            BookEvent::Live { .. } | BookEvent::Verified { is_wider: true, .. } => {
                self.write_down(shared, topic, symbol, received);
            }
            BookEvent::Lost { .. } => self.lose(symbol, received),
            _ => {}
        }
    }

    /// A book as it is now, if it is live.
    fn write_down(&mut self, shared: &Shared, topic: TopicId, symbol: Symbol, received: UnixNanos) {
        let mirror = shared.lock().topics.mirror(topic).cloned();
        let Some(mirror) = mirror else { return };
        let held = mirror.lock();
        let Some(book) = held.book() else { return };
        let epoch = Epoch::new(held.epoch());
        self.live.insert(symbol, (epoch, book.sequence()));
        if let Some(builder) = self.builder(Table::Level2) {
            builder.push_book(symbol, received, epoch, book);
        }
    }

    /// The rows of a book end here, and it goes on from where it is now.
    fn write_anew(&mut self, shared: &Shared, topic: TopicId, symbol: Symbol, received: UnixNanos) {
        self.lose(symbol, received);
        self.write_down(shared, topic, symbol, received);
    }

    fn lose(&mut self, symbol: Symbol, received: UnixNanos) {
        let Some((epoch, last)) = self.live.remove(&symbol) else { return };
        if let Some(builder) = self.builder(Table::Level2) {
            builder.push_lost(symbol, received, epoch, last);
        }
    }

    fn on_may_have_missed(&mut self, channel: Option<Channel>) {
        let Some(channel) = channel else { return };
        let builder = Table::of(channel.kind()).and_then(|table| self.builder(table));
        match (builder, channel.symbol()) {
            (Some(builder), Some(symbol)) => builder.on_may_have_missed(symbol),
            (Some(builder), None) => builder.on_lagged(),
            (None, _) => {}
        }
    }

    /// Events are missing: of every table, and books go on from where they are now.
    fn on_lagged(&mut self, shared: &Shared, received: UnixNanos) {
        self.builders.iter_mut().for_each(TableBuilder::on_lagged);
        for symbol in self.live.keys().copied().collect::<Vec<_>>() {
            self.lose(symbol, received);
        }
        let books: Vec<_> = shared
            .lock()
            .topics
            .mirrors()
            .map(|(topic, mirror)| (topic, mirror.symbol()))
            .collect();
        for (topic, symbol) in books {
            self.write_down(shared, topic, symbol, received);
        }
    }

    /// Events that rows are made of were handed out elsewhere.
    pub(crate) fn on_passed(&mut self, shared: &Shared, passed: Passed) {
        if passed.0 == 0 {
            return;
        }
        let received = unix_now();
        if passed.0 == Passed::ALL {
            return self.on_lagged(shared, received);
        }
        let topics: Vec<_> = shared.lock().topics.channels().collect();
        for (topic, channel) in topics.into_iter().filter(|(topic, _)| passed.has(*topic)) {
            match channel.symbol().filter(|_| channel.kind() == ChannelKind::Level2) {
                Some(symbol) => self.write_anew(shared, topic, symbol, received),
                None => self.on_may_have_missed(Some(channel)),
            }
        }
    }

    /// What has come.
    pub(crate) fn finish(&mut self) -> Taken {
        Taken {
            batches: self.builders.each_mut().map(|builder| builder.finish()).map(Batch::new),
            others: std::mem::take(&mut self.others),
        }
    }
}

/// Topics of which events were handed out that no rows were made of: a bit for each, and the last one for all further
/// ones, so that telling it costs next to nothing.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Passed(u64);

impl Passed {
    const ALL: u64 = u64::MAX;

    pub(crate) const fn of_bits(bits: u64) -> Self {
        Self(bits)
    }

    /// What rows would have been made of this.
    pub(crate) fn bits(item: &Item) -> u64 {
        let topic = match item {
            Item::Delta(topic, _) => Some(*topic),
            Item::Push(message) => message.push().topic(),
            Item::State(Event::Lagged { .. }, _) => return Self::ALL,
            Item::State(
                Event::Book(
                    topic,
                    BookEvent::Live { .. }
                    | BookEvent::Lost { .. }
                    | BookEvent::Verified { is_wider: true, .. },
                )
                | Event::Topic(topic, TopicEvent::MayHaveMissed),
                _,
            ) => Some(*topic),
            Item::State(..) => None,
        };
        topic.map_or(0, Self::bit)
    }

    fn bit(topic: TopicId) -> u64 {
        1 << topic.get().min(63)
    }

    fn has(self, topic: TopicId) -> bool {
        self.0 & Self::bit(topic) != 0
    }
}

/// Rows and other events, out of the collector.
pub(crate) struct Taken {
    batches: [Batch; 6],
    others: Vec<Out>,
}

impl Taken {
    /// As Python has them.
    pub(crate) fn shown(self, py: Python<'_>) -> PyResult<Tables> {
        let events = PyList::empty(py);
        for out in &self.others {
            events.append(shown(py, out)?)?;
        }
        Ok(Tables { batches: self.batches, events: events.unbind() })
    }
}

/// What a feed has told in a while, by table.
#[pyclass(module = "kucoin_futures", frozen)]
#[derive(Debug)]
pub(crate) struct Tables {
    batches: [Batch; 6],
    /// In order, all that has no rows.
    events: Py<PyList>,
}

impl Tables {
    /// Whether there is neither a row nor an event.
    pub(crate) fn is_empty(&self, py: Python<'_>) -> bool {
        self.batches.iter().all(|batch| batch.rows() == 0) && self.events.bind(py).is_empty()
    }

    fn batch(&self, table: Table) -> Option<Batch> {
        let batches = TABLES.into_iter().zip(&self.batches);
        batches.into_iter().find(|(of, _)| *of == table).map(|(_, batch)| batch.clone())
    }
}

#[pymethods]
impl Tables {
    #[getter]
    fn level2(&self) -> Option<Batch> {
        self.batch(Table::Level2)
    }

    #[getter]
    fn trades(&self) -> Option<Batch> {
        self.batch(Table::Trades)
    }

    #[getter]
    fn tickers(&self) -> Option<Batch> {
        self.batch(Table::Tickers)
    }

    #[getter]
    fn instrument(&self) -> Option<Batch> {
        self.batch(Table::Instrument)
    }

    #[getter]
    fn candles(&self) -> Option<Batch> {
        self.batch(Table::Candles)
    }

    #[getter]
    fn stats(&self) -> Option<Batch> {
        self.batch(Table::Stats)
    }

    #[getter]
    fn events(&self, py: Python<'_>) -> Py<PyList> {
        self.events.clone_ref(py)
    }

    /// Rows in all.
    fn __len__(&self) -> usize {
        self.batches.iter().map(Batch::rows).sum()
    }

    fn __repr__(&self, py: Python<'_>) -> String {
        let rows = TABLES.iter().zip(&self.batches).filter(|(_, batch)| batch.rows() > 0);
        let rows = rows.map(|(table, batch)| format!("{} {}", table.name(), batch.rows()));
        let events = format!("events {}", self.events.bind(py).len());
        let all: Vec<_> = rows.chain([events]).collect();
        format!("<Tables: {}>", all.join(", "))
    }
}
