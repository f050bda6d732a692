//! Tables in memory, as [Arrow](https://arrow.apache.org) has them: for polars, pandas, DuckDB and whatever else reads
//! record batches.
//!
//! The columns are those of the files of a [data set](crate::export), with one more for all tables but `level2`:
//!
//! * `gap_before`: nothing shows that no row of this contract is missing between the one before and this one. It is so
//!   in the first row of each contract (of each interval of its candles), and after whatever interrupted its channel.
//!   Rows of `instrument` are of several kinds: look at it before some are left out.
//!
//! `level2` says it by its flags: a row with [`LOST`] ends what is known of a book, and what follows begins with a row
//! with [`CLEAR`].
//!
//! [`TableBuilder`] is given messages one by one, by whoever has a feed. [`Batches`] looks on while a recording is
//! replayed.
//!
//! ```
//! use kucoin_futures_data::batch::{Table, TableBuilder};
//! use kucoin_futures_proto::wire::Execution;
//! use kucoin_futures_proto::{Message, UnixNanos};
//!
//! let mut trades = TableBuilder::new(Table::Trades);
//! let symbol = "XBTUSDTM".parse()?;
//! let received = UnixNanos::from_millis(1_790_000_000_200).unwrap();
//! let trade = Execution::parse(
//!     br#"{"symbol":"XBTUSDTM","sequence":52,"side":"buy","size":2,"price":"63000.6",
//!     "tradeId":"52","ts":1790000000123000000}"#,
//! )?;
//! assert!(trades.push(symbol, received, &Message::Execution(trade)));
//! let batch = trades.finish();
//! assert_eq!((batch.num_rows(), batch.num_columns()), (1, 9));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use arrow_array::{RecordBatch, RecordBatchReader};
use arrow_schema::{ArrowError, SchemaRef};
use kucoin_futures_proto::book::Book;
use kucoin_futures_proto::wire::Delta;
use kucoin_futures_proto::{
    Channel, ChannelKind, Epoch, Event, Message, Output, Sequence, Symbol, TopicEvent, UnixNanos,
};

use super::columns::{Columns, LeftOut};
use super::manifest::Manifest;
use super::message;
use super::row::{Cell, Column, Derivative, Kind, LevelRow, Row, Stamp, snapshot};
use super::set::DataSet;
use super::{Exporter, Options};
use crate::error::RecordingError;
use crate::reader::{Recording, Session};
use crate::replayer::Replayer;
use crate::sink::{Moment, Sink};

pub use super::row::{CLEAR, LAST, LOST, SNAPSHOT, Table};

/// Of all tables but `level2`.
const MORE: [Column; 1] = [Column { name: "gap_before", kind: Kind::Flag, optional: false }];

/// Collects rows of one table, of any number of contracts.
#[derive(Debug)]
pub struct TableBuilder {
    table: Table,
    columns: Columns,
    known: BTreeMap<Symbol, Derivative>,
    /// Contracts, and of candles their intervals, whose rows go on without a doubt.
    unbroken: BTreeSet<(Symbol, Option<&'static str>)>,
    unrepresentable: u64,
}

impl TableBuilder {
    /// An empty one.
    #[must_use]
    pub fn new(table: Table) -> Self {
        let more: &[Column] = if table == Table::Level2 { &[] } else { &MORE };
        Self {
            table,
            columns: Columns::new(table, more),
            known: BTreeMap::new(),
            unbroken: BTreeSet::new(),
            unrepresentable: 0,
        }
    }

    /// What it collects.
    #[must_use]
    pub const fn table(&self) -> Table {
        self.table
    }

    /// The columns of all its batches.
    #[must_use]
    pub fn schema(&self) -> SchemaRef {
        self.columns.schema()
    }

    /// Rows that wait to be taken.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.columns.rows()
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Numbers that their column cannot hold exactly, so far: they are null, and a row that cannot be without one is left
    /// out.
    #[must_use]
    pub const fn unrepresentable(&self) -> u64 {
        self.unrepresentable
    }

    /// Adds a message, received then; false, and nothing is added, if this is not its table. The contract is that of
    /// its topic: not every message says it.
    pub fn push(&mut self, symbol: Symbol, received: UnixNanos, message: &Message<'_>) -> bool {
        let (known, mut text) = (self.known.entry(symbol).or_default(), String::new());
        let Some(row) = message::row(known, received, message, &mut text) else { return false };
        let is_ours = row.table() == self.table;
        if is_ours {
            self.push_row(symbol, &row);
        }
        is_ours
    }

    /// Rows of a contract may be missing from here on, as
    /// [`MayHaveMissed`](kucoin_futures_proto::TopicEvent::MayHaveMissed) has it: the next one of it says so.
    pub fn on_may_have_missed(&mut self, symbol: Symbol) {
        self.unbroken.retain(|(of, _)| *of != symbol);
    }

    /// The same of all contracts, as [`Lagged`](kucoin_futures_proto::Event::Lagged) has it.
    pub fn on_lagged(&mut self) {
        self.unbroken.clear();
    }

    /// Adds a change of a live book. `is_last`: no other change came with the same frame.
    pub fn push_delta(
        &mut self,
        symbol: Symbol,
        received: UnixNanos,
        epoch: Epoch,
        delta: &Delta,
        is_last: bool,
    ) {
        let stamp = Stamp { received, exchange: delta.ts_event };
        let flags = if is_last { LAST } else { 0 };
        let level = Some((delta.side, delta.price, delta.size));
        self.push_level(symbol, LevelRow { stamp, sequence: delta.sequence, epoch, flags, level });
    }

    /// Adds a book as a whole: where it becomes live, or knows more than its rows so far.
    pub fn push_book(&mut self, symbol: Symbol, received: UnixNanos, epoch: Epoch, book: &Book) {
        let stamp = Stamp { received, exchange: book.ts_event() };
        for (flags, level) in snapshot(book) {
            let sequence = book.sequence();
            self.push_level(symbol, LevelRow { stamp, sequence, epoch, flags, level });
        }
    }

    /// Adds that a book is lost, after the change with that sequence.
    pub fn push_lost(
        &mut self,
        symbol: Symbol,
        received: UnixNanos,
        epoch: Epoch,
        sequence: Sequence,
    ) {
        let stamp = Stamp { received, exchange: None };
        let row = LevelRow { stamp, sequence, epoch, flags: LOST | LAST, level: None };
        self.push_level(symbol, row);
    }

    fn push_level(&mut self, symbol: Symbol, row: LevelRow) {
        if self.table == Table::Level2 {
            self.push_row(symbol, &Row::Level(row));
        }
    }

    /// Adds a row of this table.
    pub(super) fn push_row(&mut self, symbol: Symbol, row: &Row<'_>) {
        let interval = if let Row::Candle(candle) = row { candle.interval } else { None };
        let key = (symbol, interval);
        let appended = if self.table == Table::Level2 {
            self.columns.append(symbol, row)
        } else {
            let flag = Cell::Flag(!self.unbroken.contains(&key));
            self.columns.append_with(symbol, row, &[flag])
        };
        match appended {
            Ok(numbers) => {
                self.unrepresentable += numbers;
                self.unbroken.insert(key);
            }
            Err(LeftOut) => {
                self.unrepresentable += 1;
                self.unbroken.remove(&key);
            }
        }
    }

    /// What was added since the last time.
    #[must_use]
    pub fn finish(&mut self) -> RecordBatch {
        let schema = self.schema();
        // Columns of one length and of the schema's types, and full where they have to be: there is nothing to fail.
        self.columns.finish().unwrap_or_else(|_| RecordBatch::new_empty(schema))
    }
}

/// Collects tables of what a client puts out, while it runs or a recording is replayed
/// ([`Replayer::step`](crate::Replayer::step)). Take a batch when there are enough rows. [`TableReader`] does that for
/// one table of a recording.
///
/// ```no_run
/// use std::path::Path;
/// use kucoin_futures_data::batch::{Batches, Table};
/// use kucoin_futures_data::{Recording, Replayer};
///
/// for session in &Recording::open(Path::new("yesterday"))?.sessions {
///     let mut replayer = Replayer::new(session);
///     let mut trades = Batches::new([Table::Trades]);
///     while replayer.step(&mut trades)? {
///         if let Some(batch) = trades.take(Table::Trades, 65_536) {
///             println!("{} trades", batch.num_rows());
///         }
///     }
///     println!("{:?} are left", trades.take(Table::Trades, 1));
/// }
/// # Ok::<(), kucoin_futures_data::RecordingError>(())
/// ```
#[derive(Debug)]
pub struct Batches {
    exporter: Exporter,
}

impl Batches {
    /// Of these tables.
    #[must_use]
    pub fn new(tables: impl IntoIterator<Item = Table>) -> Self {
        let options = Options::default();
        Self { exporter: Exporter::of(DataSet::in_memory(tables), options) }
    }

    /// What is known of the data so far: where books are live and how far they see, gaps, what was left out.
    #[must_use]
    pub const fn manifest(&self) -> &Manifest {
        self.exporter.manifest()
    }

    /// The rows of a table, once there are so many, at least one.
    #[must_use]
    pub fn take(&mut self, table: Table, at_least: usize) -> Option<RecordBatch> {
        let mut tables = self.exporter.set.tables();
        let builder = tables.find(|builder| builder.table() == table)?;
        (builder.len() >= at_least.max(1)).then(|| builder.finish())
    }

    /// Something of a channel may be missing from here on.
    fn on_may_have_missed(&mut self, channel: Channel) {
        let (table, symbol) = (Table::of(channel.kind()), channel.symbol());
        for builder in self.exporter.set.tables() {
            match symbol {
                _ if table != Some(builder.table()) => {}
                Some(symbol) => builder.on_may_have_missed(symbol),
                None => builder.on_lagged(),
            }
        }
    }
}

/// One table of a recording, batch by batch, while it is replayed: sessions one after the other. An iterator, and what
/// Arrow's own consumers take.
///
/// ```no_run
/// use std::path::Path;
/// use kucoin_futures_data::batch::{Table, TableReader};
/// use kucoin_futures_data::Recording;
///
/// let recording = Recording::open(Path::new("yesterday"))?;
/// for batch in TableReader::new(&recording, Table::Trades, 65_536) {
///     println!("{} trades", batch?.num_rows());
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct TableReader {
    table: Table,
    at_least: usize,
    schema: SchemaRef,
    batches: Batches,
    replayer: Option<Replayer>,
    left: std::vec::IntoIter<Session>,
}

impl TableReader {
    /// Batches have at least so many rows, but for the last one: those of one input are not torn apart.
    #[must_use]
    pub fn new(recording: &Recording, table: Table, at_least: usize) -> Self {
        Self::of_sessions(recording.sessions.clone(), table, at_least)
    }

    /// The same of these sessions.
    #[must_use]
    pub fn of_sessions(sessions: Vec<Session>, table: Table, at_least: usize) -> Self {
        Self {
            table,
            at_least: at_least.max(1),
            schema: TableBuilder::new(table).schema(),
            batches: Batches::new([table]),
            replayer: None,
            left: sessions.into_iter(),
        }
    }

    /// What is known of the data so far: where books are live and how far they see, gaps, what was left out.
    #[must_use]
    pub const fn manifest(&self) -> &Manifest {
        self.batches.manifest()
    }

    fn read(&mut self) -> Result<Option<RecordBatch>, RecordingError> {
        loop {
            let Some(replayer) = &mut self.replayer else {
                let Some(session) = self.left.next() else { return Ok(self.take(1)) };
                self.replayer = Some(Replayer::new(&session));
                continue;
            };
            if !replayer.step(&mut self.batches)? {
                self.replayer = None;
            }
            if let Some(batch) = self.take(self.at_least) {
                return Ok(Some(batch));
            }
        }
    }

    fn take(&mut self, at_least: usize) -> Option<RecordBatch> {
        self.batches.take(self.table, at_least)
    }
}

impl Iterator for TableReader {
    type Item = Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.read() {
            Ok(batch) => batch.map(Ok),
            Err(error) => {
                // Once: what is behind a place that cannot be read is not known.
                (self.replayer, self.left) = (None, Vec::new().into_iter());
                Some(Err(ArrowError::ExternalError(Box::new(error))))
            }
        }
    }
}

impl RecordBatchReader for TableReader {
    fn schema(&self) -> SchemaRef {
        SchemaRef::clone(&self.schema)
    }
}

impl Table {
    /// Where messages of a channel go, if anywhere.
    #[must_use]
    pub const fn of(channel: ChannelKind) -> Option<Self> {
        Some(match channel {
            ChannelKind::Level2 => Self::Level2,
            ChannelKind::Execution => Self::Trades,
            ChannelKind::TickerV2 => Self::Tickers,
            ChannelKind::Instrument | ChannelKind::Announcements | ChannelKind::AnnouncementsOf => {
                Self::Instrument
            }
            ChannelKind::Candles => Self::Candles,
            ChannelKind::Stats24h => Self::Stats,
            _ => return None,
        })
    }
}

impl Sink for Batches {
    /// Another client knows nothing of what was before it.
    fn on_start(&mut self, moment: &Moment<'_>) -> io::Result<()> {
        self.exporter.set.tables().for_each(TableBuilder::on_lagged);
        self.exporter.on_start(moment)
    }

    fn on_output(&mut self, moment: &Moment<'_>, output: &Output<'_>) -> io::Result<()> {
        let missed = match output {
            // Also where a topic begins once more: what was before it was not followed.
            Output::Event(Event::Topic(
                topic,
                TopicEvent::MayHaveMissed
                | TopicEvent::Confirmed
                | TopicEvent::Rejected { .. }
                | TopicEvent::Unsubscribed,
            )) => Some(*topic),
            _ => None,
        };
        let unread = self.exporter.set.manifest.undecodable;
        self.exporter.on_output(moment, output)?;
        // One that cannot be read makes no row: the next one says so.
        let missed = match output {
            Output::Push(push) if self.exporter.set.manifest.undecodable > unread => push.topic(),
            _ => missed,
        };
        if let Some(channel) = missed.and_then(|topic| moment.client.channel(topic)) {
            self.on_may_have_missed(channel);
        }
        Ok(())
    }

    fn on_end(&mut self, moment: &Moment<'_>) -> io::Result<()> {
        self.exporter.on_end(moment)
    }
}
