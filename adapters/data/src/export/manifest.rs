//! What a data set says of itself: `manifest.json` beside it.
//!
//! Times are nanoseconds since 1970 by the clock of the machine that received, as numbers: a reader that keeps numbers
//! as 64-bit floats loses their last digits. Prices are text.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;

use kucoin_futures_proto::{Channel, UnixNanos};
use serde::{Deserialize, Serialize};

/// The version of the manifest and of all tables. It goes up when a reader of the one before could be misled.
pub const SCHEMA: u32 = 1;

/// The manifest's name in the folder of a data set.
pub const MANIFEST: &str = "manifest.json";

/// What is known of a data set.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Manifest {
    /// [`SCHEMA`].
    pub schema: u32,
    /// Program and version.
    pub software: String,
    /// `kucoin-futures`.
    pub exchange: String,
    /// `parquet`, `tardis`, `hftbacktest` or `ndjson`.
    pub format: String,
    /// The export came to its end. As long as this is false, files and intervals may be missing, and what ends in
    /// `.partial` is not finished.
    pub complete: bool,
    /// Where recordings end before their time, and why: what came later is not in the data, and no gap tells of it.
    #[serde(default)]
    pub torn: Vec<String>,
    /// When the first input was received.
    pub from_ns: Option<u64>,
    /// When the last one was.
    pub to_ns: Option<u64>,
    /// A client began: nothing was known any more.
    pub starts: Vec<Note>,
    /// What happened to lines: up, down and why.
    pub lines: Vec<Note>,
    /// Jumps of the receiving machine's wall clock against its monotonic one.
    pub clock_steps: Vec<ClockStep>,
    /// Deltas that the client did not report because nobody took them. Each ends the intervals of all books.
    pub lagged: Vec<Lagged>,
    /// Messages that could not be decoded, and so are not here.
    pub undecodable: u64,
    /// Numbers that their column cannot hold exactly, and that are empty for that reason.
    pub unrepresentable: u64,
    /// Times that were moved because the format asks for an order that the clocks did not keep.
    pub moved_times: u64,
    /// Messages that have no place in this format, by the first part of their topic.
    pub left_out: BTreeMap<String, u64>,
    /// What contracts are worth, if their terms were asked for.
    pub contracts: BTreeMap<String, Terms>,
    /// Books, by symbol.
    pub books: BTreeMap<String, BookHistory>,
    /// Topics, by name. Messages are counted for those without a book.
    pub channels: BTreeMap<String, ChannelHistory>,
    /// The files that are complete, in the order in which they became so.
    pub files: Vec<FileEntry>,
}

/// Something that happened at a time.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Note {
    /// When.
    pub received_ns: u64,
    /// What.
    pub what: String,
}

/// The wall clock was set.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ClockStep {
    /// The wall clock's time after the step.
    pub received_ns: u64,
    /// The monotonic clock's.
    pub now_ns: u64,
    /// By how much; negative if it went back.
    pub by_ns: i64,
}

/// Deltas were dropped before they were shown.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Lagged {
    /// When that was told.
    pub received_ns: u64,
    /// How many.
    pub dropped: u32,
}

/// The terms of a contract.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Terms {
    /// Base coins per lot; -1 for inverse contracts.
    pub multiplier: String,
    /// Smallest price step.
    pub tick_size: String,
    /// Smallest size step, in lots.
    pub lot_size: String,
}

/// What became of a book.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct BookHistory {
    /// When it was live.
    pub intervals: Vec<Interval>,
    /// When it was not, between two intervals or after the last one.
    pub gaps: Vec<Gap>,
    /// A snapshot reached further than the book did, within an interval: it is in the data as rows of a snapshot.
    pub widened: Vec<Widened>,
    /// Digests of the book at places in the data.
    pub digests: Vec<Digest>,
}

/// A place in a book's stream.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Point {
    /// When it was received.
    pub received_ns: u64,
    /// The sequence that the book is at.
    pub sequence: u64,
}

/// How far a book is complete.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Horizon {
    /// Bids are complete down to this price, inclusive; `None`: all of them.
    pub bids_to: Option<String>,
    /// Asks are complete up to this price, inclusive; `None`: all of them.
    pub asks_to: Option<String>,
}

/// A time in which every change of a book is in the data: as a row, or in a snapshot that widened the book.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Interval {
    /// The client's number of this run of the book; begins anew with each client, and two intervals have the same
    /// if outputs were missing within a run.
    pub epoch: u32,
    /// The snapshot that it begins with.
    pub from: Point,
    /// The last change; `None` as long as it goes on.
    pub to: Option<Point>,
    /// How far the snapshot reached.
    pub horizon: Horizon,
    /// Rows of changes.
    pub deltas: u64,
    /// Why it ended.
    pub ended: Option<String>,
}

/// A time in which nothing is known of a book.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Gap {
    /// The epoch before.
    pub after_epoch: u32,
    /// The last change before it.
    pub last: Point,
    /// When the book was lost.
    pub lost_ns: u64,
    /// Why.
    pub reason: String,
    /// The epoch after it; `None` if there is none.
    pub next_epoch: Option<u32>,
    /// Where the next snapshot is.
    pub first: Option<Point>,
    /// The sequences whose changes are not in the data, first and last: the next snapshot holds what came of them.
    /// `None` if there are none, or if the counter was set back and nobody knows. Between two clients these are the
    /// numbers alone: nobody saw whether the counter was set back meanwhile. `None` as well if the next client began
    /// earlier than this one ended.
    pub missing: Option<(u64, u64)>,
    /// What shows that the exchange's counter was set back: sequences on both sides have nothing to do with each
    /// other.
    pub counter_restarted: Option<String>,
}

/// A book that knows more than before.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Widened {
    /// Where.
    pub at: Point,
    /// How far it reaches from here on.
    pub horizon: Horizon,
}

/// What a book looked like.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Digest {
    /// After this change.
    pub at: Point,
    /// In this epoch.
    pub epoch: u32,
    /// How far it was complete.
    pub horizon: Horizon,
    /// SHA-256 in hexadecimal of the complete part, as `Book::digest` has it: a line `b <price> <size>` for each bid,
    /// best first, then `a <price> <size>` for each ask, each line ended by a line feed.
    pub sha256: String,
    /// In this file: its [`number`](FileEntry::number).
    pub file: u64,
    /// After so many rows of that file. `None` where rows are put into another order: after those that
    /// were received by then, unless the book was lost at the very same time.
    pub file_rows: Option<u64>,
    /// Why it is here.
    pub place: Place,
}

/// Where a digest stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Place {
    /// After some time, within an interval.
    Checkpoint,
    /// At the end of an interval.
    IntervalEnd,
    /// At the end of a file, within an interval.
    FileEnd,
}

/// What became of a topic.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ChannelHistory {
    /// Messages.
    pub messages: u64,
    /// When the first one was received.
    pub from_ns: Option<u64>,
    /// When the last one was.
    pub to_ns: Option<u64>,
    /// Messages may be missing before each of these times, and nothing says how many.
    pub may_have_missed_ns: Vec<u64>,
    /// What became of the subscription.
    pub notes: Vec<Note>,
}

/// A file that is complete.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FileEntry {
    /// Files are numbered in the order in which they began.
    pub number: u64,
    /// From the folder of the data set, with `/` in between.
    pub path: String,
    /// What it holds: the first part of its path.
    pub table: String,
    /// Of which contract.
    pub symbol: String,
    /// The UTC day in which it was received.
    pub day: String,
    /// Rows, as a reader of the format counts them.
    pub rows: u64,
    /// When the first of them was received.
    pub from_ns: u64,
    /// When the last was.
    pub to_ns: u64,
    /// Length.
    pub bytes: u64,
    /// SHA-256 in hexadecimal.
    pub sha256: String,
}

impl Manifest {
    /// The manifest of the data set in a folder.
    ///
    /// # Errors
    /// There is none, or it is not what it should be.
    pub fn read(folder: &Path) -> io::Result<Self> {
        serde_json::from_slice(&std::fs::read(folder.join(MANIFEST))?).map_err(io::Error::from)
    }

    /// Puts it into the folder, at once or not at all.
    pub(super) fn write(&self, folder: &Path) -> io::Result<()> {
        let partial = folder.join("manifest.json.partial");
        let mut file = File::create(&partial)?;
        serde_json::to_writer_pretty(&mut file, self)?;
        file.write_all(b"\n")?;
        file.sync_all()?;
        std::fs::rename(partial, folder.join(MANIFEST))
    }

    /// What became of a topic.
    pub(super) fn channel(&mut self, channel: Channel) -> &mut ChannelHistory {
        self.channels.entry(channel.to_string()).or_default()
    }

    /// A message has no place in this format.
    pub(super) fn leave_out(&mut self, channel: Channel) {
        let topic = channel.to_string();
        let kind = topic.split(':').next().unwrap_or_default().to_owned();
        *self.left_out.entry(kind).or_default() += 1;
    }
}

impl ChannelHistory {
    /// A message came.
    pub(super) fn count(&mut self, received: UnixNanos) {
        self.messages += 1;
        self.from_ns.get_or_insert(received.as_nanos());
        self.to_ns = Some(received.as_nanos());
    }
}

impl Note {
    pub(super) fn new(received: UnixNanos, what: impl Into<String>) -> Self {
        Self { received_ns: received.as_nanos(), what: what.into() }
    }
}
