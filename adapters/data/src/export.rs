//! Data sets made of what a client puts out, with a manifest of what is in them and what is not.
//!
//! An [`Exporter`] is shown the outputs of a client, as they come or from a recording, and writes files:
//!
//! ```text
//! FOLDER/manifest.json                                             see Manifest
//! FOLDER/level2/XBTUSDTM/2026-11-30/131807.123Z--235959.998Z.parquet
//!        table  symbol   UTC day    first row    last row, both as received
//! ```
//!
//! A file is of one contract and one UTC day of the local clock; one that is set back begins another. While it is written its name ends in `.partial`. The
//! manifest is there from the start; [`Manifest::complete`] is false until [`Sink::on_end`].
//!
//! What is said of a book is said so that each file can be read alone and so that nothing is guessed:
//!
//! * A file of a book begins with a snapshot: the client's book where it becomes live, or where the day begins.
//! * After it each row is one change with the sequence one higher than that of the row before.
//! * When the client's book is lost, a row says so ([`LOST`]); what follows begins with a snapshot again ([`CLEAR`]).
//!   Where the format has no word for that, the manifest alone says it.
//! * Rows of a snapshot are all levels that are held. How far they are complete is the horizon, in the manifest.
//!
//! What each format is:
//!
//! | format | tables | notes |
//! |---|---|---|
//! | [`Parquet`](Format::Parquet) | `level2`, `trades`, `tickers`, `instrument`, `candles`, `stats` | prices `decimal128(38, 12)`, other numbers `decimal128(38, 18)`, times `timestamp[ns, UTC]`, Zstandard |
//! | [`Ndjson`](Format::Ndjson) | the same, with the same columns | prices and numbers are strings, times are numbers, Zstandard |
//! | [`Tardis`](Format::Tardis) | `incremental_book_L2`, `trades`, `derivative_ticker` | CSV, gzip, as tardis.dev documents it |
//! | [`Hftbacktest`](Format::Hftbacktest) | `events`: books and trades | a NumPy archive for hftbacktest |
//!
//! Sizes are lots everywhere.
//!
//! There is an open file for each table and contract of the day (two for hftbacktest). In memory are the books that are
//! live, once more than the client has them, and of each file what is not encoded yet: 65,536 rows for Parquet, the
//! room of the compressor otherwise, and what has to be sorted for hftbacktest. A Parquet file that is not complete
//! cannot be read: what must not be lost is recorded, and exported from the recording.

#[cfg(feature = "arrow")]
pub mod batch;
mod book;
#[cfg(feature = "arrow")]
mod columns;
mod file;
mod hftbacktest;
pub mod manifest;
mod merger;
mod message;
mod ndjson;
#[cfg(feature = "parquet")]
mod parquet;
mod row;
mod set;
mod tardis;

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::Path;
use std::time::Duration;

use kucoin_futures_proto::{
    Event, LineEvent, LineId, Output, Symbol, TopicEvent, TopicId, UnixNanos,
};

use crate::error::Tear;
use crate::sink::{Moment, Sink};
use book::{At, BookTrack};
use file::day_of;
use manifest::{ClockStep, Lagged, Note};
use message::Messages;
use set::DataSet;

pub use manifest::Manifest;
pub use row::{CLEAR, LAST, LOST, SNAPSHOT, Table};

/// As manifests and files name what wrote them.
const SOFTWARE: &str = concat!("kucoin-futures-data ", env!("CARGO_PKG_VERSION"));
/// As manifests and files name the exchange.
const EXCHANGE: &str = "kucoin-futures";

/// A clock that was set back by more than this begins new files: rows of a file are in the order of time, but for this
/// much.
const SET_BACK: Duration = Duration::from_secs(1);

/// What files are written in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Format {
    /// Parquet files.
    #[cfg(feature = "parquet")]
    Parquet,
    /// CSV as tardis.dev documents it.
    Tardis,
    /// Arrays of events for hftbacktest.
    Hftbacktest,
    /// A JSON object in each line.
    Ndjson,
}

/// How a data set is made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Options {
    /// How often a digest of each book is noted, besides where intervals and files end, and how often the manifest is
    /// written. Default 10 min.
    pub checkpoint_every: Duration,
    /// The wall clock is said to have been set if it moves by more than this against the monotonic one from one input
    /// to the next. Default 10 ms.
    pub clock_step: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self { checkpoint_every: Duration::from_secs(600), clock_step: Duration::from_millis(10) }
    }
}

/// Writes a data set.
pub struct Exporter {
    set: DataSet,
    options: Options,
    books: BTreeMap<Symbol, BookTrack>,
    messages: Messages,
    /// The UTC day of the files that are open.
    day: Option<u64>,
    /// What the wall clock is ahead of the monotonic one, in nanoseconds.
    offset: Option<i128>,
    /// When the last input was received.
    last: Option<UnixNanos>,
    /// When the manifest was last written.
    saved: Option<UnixNanos>,
}

impl Exporter {
    /// Begins a data set in a folder, which is made if need be.
    ///
    /// # Errors
    /// Those of the file system; [`AlreadyExists`](io::ErrorKind::AlreadyExists) if there is a data set already.
    pub fn new(folder: &Path, format: Format, options: Options) -> io::Result<Self> {
        Ok(Self::of(DataSet::create(folder, format)?, options))
    }

    /// A recording ends before its time, which its data set has to say.
    ///
    /// # Errors
    /// The manifest cannot be written.
    pub fn note_tear(&mut self, tear: &Tear) -> io::Result<()> {
        self.set.manifest.torn.push(tear.to_string());
        self.set.write_manifest()
    }

    fn of(set: DataSet, options: Options) -> Self {
        Self {
            set,
            options,
            books: BTreeMap::new(),
            messages: Messages::default(),
            day: None,
            offset: None,
            last: None,
            saved: None,
        }
    }

    /// What is known of the data set so far.
    #[must_use]
    pub const fn manifest(&self) -> &Manifest {
        &self.set.manifest
    }

    /// Looks at the clocks, and begins new files where a day begins, or time once more.
    fn on_moment(&mut self, moment: &Moment<'_>) -> io::Result<()> {
        let received = moment.received;
        let manifest = &mut self.set.manifest;
        manifest.from_ns.get_or_insert(received.as_nanos());
        manifest.to_ns = Some(received.as_nanos());
        let last = self.last.replace(received).unwrap_or(received).as_nanos();
        let set_back = Duration::from_nanos(last.saturating_sub(received.as_nanos()));
        self.note_clock(moment);
        let day = day_of(received);
        let is_new = self.day.replace(day).is_some_and(|before| before != day);
        if is_new || set_back > SET_BACK {
            return self.on_new_files(received);
        }
        let saved = *self.saved.get_or_insert(received);
        let pause = Duration::from_nanos(received.as_nanos().saturating_sub(saved.as_nanos()));
        if pause >= self.options.checkpoint_every { self.save(received) } else { Ok(()) }
    }

    fn save(&mut self, received: UnixNanos) -> io::Result<()> {
        self.saved = Some(received);
        self.set.write_manifest()
    }

    fn note_clock(&mut self, moment: &Moment<'_>) {
        let (wall, now) = (moment.received.as_nanos(), moment.now.as_nanos());
        let offset = i128::from(wall) - i128::from(now);
        let Some(before) = self.offset.replace(offset) else { return };
        let by = offset - before;
        if by.unsigned_abs() > self.options.clock_step.as_nanos() {
            let by_ns = i64::try_from(by).unwrap_or(if by < 0 { i64::MIN } else { i64::MAX });
            let step = ClockStep { received_ns: wall, now_ns: now, by_ns };
            self.set.manifest.clock_steps.push(step);
        }
    }

    fn on_new_files(&mut self, received: UnixNanos) -> io::Result<()> {
        self.books.values().for_each(|book| book.on_file_end(&mut self.set));
        self.set.finish_files()?;
        for book in self.books.values_mut() {
            book.on_new_files(&mut self.set, received)?;
        }
        self.save(received)
    }

    fn on_event(&mut self, moment: &Moment<'_>, event: &Event) -> io::Result<()> {
        match *event {
            Event::Book(topic, ref event) => {
                let Some(symbol) = symbol_of(moment, topic) else { return Ok(()) };
                let track = self.books.entry(symbol).or_insert_with(|| BookTrack::new(symbol));
                track.on_event(&mut self.set, &self.options.at(moment, topic), event)
            }
            Event::Topic(topic, event) => {
                self.on_topic(moment, topic, event);
                Ok(())
            }
            Event::Line(line, event) => {
                self.on_line(moment, line, event);
                Ok(())
            }
            Event::Lagged { dropped } => self.on_lagged(moment, dropped),
            _ => Ok(()),
        }
    }

    fn on_topic(&mut self, moment: &Moment<'_>, topic: TopicId, event: TopicEvent) {
        let Some(channel) = moment.client.channel(topic) else { return };
        let received = moment.received;
        let history = self.set.manifest.channel(channel);
        let what = match event {
            TopicEvent::MayHaveMissed => {
                history.may_have_missed_ns.push(received.as_nanos());
                return;
            }
            TopicEvent::Confirmed => "confirmed".to_owned(),
            TopicEvent::Refused { code, .. } => format!("refused with code {code}"),
            TopicEvent::Rejected { code, .. } => format!("rejected with code {code}"),
            TopicEvent::Unsubscribed => "unsubscribed".to_owned(),
            _ => return,
        };
        history.notes.push(Note::new(received, what));
    }

    fn on_line(&mut self, moment: &Moment<'_>, line: LineId, event: LineEvent) {
        let what = match event {
            LineEvent::Up { .. } => "up".to_owned(),
            LineEvent::Down { reason, .. } => format!("down: {reason}"),
            LineEvent::Replacing { by, reason } => {
                format!("replaced by line {}: {reason}", by.get())
            }
            _ => return,
        };
        let what = format!("line {}: {what}", line.get());
        self.set.manifest.lines.push(Note::new(moment.received, what));
    }

    fn on_lagged(&mut self, moment: &Moment<'_>, dropped: u32) -> io::Result<()> {
        let received_ns = moment.received.as_nanos();
        self.set.manifest.lagged.push(Lagged { received_ns, dropped });
        for track in self.books.values_mut() {
            let why = "the client was not drained";
            track.on_outputs_missing(&mut self.set, moment.received, why)?;
        }
        Ok(())
    }
}

impl Options {
    fn at<'a>(&self, moment: &Moment<'a>, topic: TopicId) -> At<'a> {
        let (received, client) = (moment.received, moment.client.book(topic));
        At { received, client, checkpoint_every: self.checkpoint_every }
    }
}

impl Sink for Exporter {
    fn on_start(&mut self, moment: &Moment<'_>) -> io::Result<()> {
        // The client before knew its books to its last input, and not until another one begins.
        let lost = self.last.unwrap_or(moment.received);
        for track in self.books.values_mut() {
            track.end(&mut self.set, lost, "another client began")?;
        }
        // It may have lived earlier, or at the same time: rows of a file are in the order of time.
        if moment.received < lost {
            self.set.finish_files()?;
        }
        // Another machine may have recorded it: its monotonic clock begins anew.
        self.offset = None;
        self.on_moment(moment)?;
        self.set.manifest.starts.push(Note::new(moment.received, "a client began"));
        Ok(())
    }

    fn on_output(&mut self, moment: &Moment<'_>, output: &Output<'_>) -> io::Result<()> {
        self.on_moment(moment)?;
        match output {
            Output::Event(event) => self.on_event(moment, event),
            Output::Push(push) => self.messages.on_push(&mut self.set, moment, push),
            Output::Send { .. } | Output::Open { .. } | Output::Close { .. } | Output::Fetch(_) => {
                Ok(())
            }
        }
    }

    fn on_end(&mut self, moment: &Moment<'_>) -> io::Result<()> {
        self.on_moment(moment)?;
        for track in self.books.values_mut() {
            track.close(&mut self.set);
        }
        self.set.finish_files()?;
        self.set.manifest.complete = true;
        self.set.write_manifest()
    }
}

impl fmt::Debug for Exporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exporter").field("options", &self.options).finish_non_exhaustive()
    }
}

fn symbol_of(moment: &Moment<'_>, topic: TopicId) -> Option<Symbol> {
    moment.client.channel(topic)?.symbol()
}
