//! A file on its way: written under another name, and given its own when all of it is there.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use kucoin_futures_proto::{Symbol, UnixNanos};
use sha2::{Digest as _, Sha256};

use super::manifest::{FileEntry, Terms};
use super::row::Row;

/// Writes rows of one contract into one file.
pub(super) trait RowWriter: Send {
    /// Adds a row. Rows come in the order in which they were received.
    fn write(&mut self, row: &Row<'_>) -> io::Result<()>;

    /// What it has written so far.
    fn counts(&self) -> Counts;

    /// Completes the file. `terms`: those of the contract, where they are known by now.
    fn finish(self: Box<Self>, terms: Option<&Terms>) -> io::Result<Counts>;
}

/// What a writer has written.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    /// As a reader counts them.
    pub(super) rows: u64,
    /// Whether rows stand in the order in which they were added: if not, the last ones may still be on their way.
    pub(super) in_order: bool,
    /// Numbers that had no room in their column.
    pub(super) unrepresentable: u64,
    /// Times that were moved because the format asks for an order.
    pub(super) moved: u64,
}

/// Where a file belongs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Address<'a> {
    pub(super) number: u64,
    pub(super) folder: &'a Path,
    /// The first part of the path.
    pub(super) table: &'static str,
    pub(super) symbol: Symbol,
    /// As files of the format end.
    pub(super) ending: &'static str,
}

pub(super) struct PartFile {
    number: u64,
    folder: PathBuf,
    /// From the folder of the data set to the file's own.
    inner: String,
    partial: PathBuf,
    ending: &'static str,
    table: &'static str,
    symbol: Symbol,
    first: UnixNanos,
    last: UnixNanos,
    writer: Box<dyn RowWriter>,
}

impl PartFile {
    /// Begins a file whose first row was received then.
    pub(super) fn create(
        address: Address<'_>,
        first: UnixNanos,
        open: impl FnOnce(File, &Path) -> io::Result<Box<dyn RowWriter>>,
    ) -> io::Result<Self> {
        let Address { number, folder, table, symbol, ending } = address;
        let inner = format!("{table}/{}/{}", part(symbol), Calendar::of(first).day);
        let home = folder.join(&inner);
        fs::create_dir_all(&home)?;
        let name = format!("{}.{ending}", Calendar::of(first).time);
        let partial = free(|more| home.join(format!("{name}{more}.partial")))?;
        let file = File::create_new(&partial)?;
        let writer = open(file, &partial)?;
        Ok(Self {
            number,
            folder: folder.to_owned(),
            inner,
            partial,
            ending,
            table,
            symbol,
            first,
            last: first,
            writer,
        })
    }

    pub(super) fn write(&mut self, row: &Row<'_>) -> io::Result<()> {
        let received = row.stamp().received;
        self.first = self.first.min(received);
        self.last = self.last.max(received);
        self.writer.write(row)
    }

    pub(super) const fn number(&self) -> u64 {
        self.number
    }

    pub(super) fn counts(&self) -> Counts {
        self.writer.counts()
    }

    /// Gives the file its name. What is said of it, and what had to be counted.
    pub(super) fn finish(self, terms: Option<&Terms>) -> io::Result<(FileEntry, Counts)> {
        let counts = self.writer.finish(terms)?;
        let (from, to) = (Calendar::of(self.first), Calendar::of(self.last));
        let ending = self.ending;
        let name = |more: &str| format!("{}--{}{more}.{ending}", from.time, to.time);
        let home = self.folder.join(&self.inner);
        let path = free(|more| home.join(name(more)))?;
        let file = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        let (bytes, sha256) = hash(&self.partial)?;
        fs::rename(&self.partial, &path)?;
        let entry = FileEntry {
            number: self.number,
            path: format!("{}/{file}", self.inner),
            table: self.table.to_owned(),
            symbol: self.symbol.to_string(),
            day: from.day,
            rows: counts.rows,
            from_ns: self.first.as_nanos(),
            to_ns: self.last.as_nanos(),
            bytes,
            sha256,
        };
        Ok((entry, counts))
    }
}

/// A symbol as part of a path: no contract is called `..`, and none is taken at its word.
fn part(symbol: Symbol) -> String {
    let name = symbol.as_str();
    if name.starts_with('.') { format!("_{name}") } else { name.to_owned() }
}

/// The first path that is not taken yet: two files of one span are possible after the clock was set back.
fn free(path: impl Fn(&str) -> PathBuf) -> io::Result<PathBuf> {
    let first = path("");
    if !first.try_exists()? {
        return Ok(first);
    }
    for number in 2..=u16::MAX {
        let next = path(&format!("-{number}"));
        if !next.try_exists()? {
            return Ok(next);
        }
    }
    Err(io::Error::from(io::ErrorKind::AlreadyExists))
}

/// Length and SHA-256 of what is on the disk.
fn hash(path: &Path) -> io::Result<(u64, String)> {
    let mut file = File::open(path)?;
    file.sync_all()?;
    let (mut hash, mut room, mut length) = (Sha256::new(), vec![0; 1 << 16], 0);
    loop {
        let read = file.read(&mut room)?;
        if read == 0 {
            return Ok((length, hex(&hash.finalize())));
        }
        length += read as u64;
        hash.update(room.get(..read).unwrap_or_default());
    }
}

/// In hexadecimal, lower case.
pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// A time as names of files have it, UTC.
pub(super) struct Calendar {
    /// `2026-11-30`.
    pub(super) day: String,
    /// `131807.123Z`.
    pub(super) time: String,
}

impl Calendar {
    pub(super) fn of(at: UnixNanos) -> Self {
        let at = UNIX_EPOCH + Duration::from_nanos(at.as_nanos());
        let text = humantime::format_rfc3339_millis(at).to_string();
        let (day, time) = text.split_once('T').unwrap_or((&text, ""));
        Self { day: day.to_owned(), time: time.replace(':', "") }
    }
}

/// The number of the UTC day since 1970.
pub(super) const fn day_of(at: UnixNanos) -> u64 {
    const DAY: u64 = 86_400 * 1_000_000_000;
    at.as_nanos() / DAY
}
