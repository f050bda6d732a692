//! A NumPy archive with one array of events, as hftbacktest (2.x in Python, 0.9 in Rust) reads it.
//!
//! * `px` is the double nearest to the price, made of its decimal text; `qty` is lots. `ival` is the row's sequence:
//!   of the book, or of the trades' own counter.
//! * A snapshot is one `DEPTH_CLEAR_EVENT` without a side, and a `DEPTH_SNAPSHOT_EVENT` for each level. A book that is
//!   not known any more is cleared, too: a back test sees no book until the next snapshot.
//! * Changes of a book are in order by both clocks. An exchange's time that steps back (neighbours do, by 1 ms), and
//!   one that is an hour ahead of the local clock, is moved to the nearest that keeps the order; so is a local time
//!   after the clock was set back. Times are not made positive differences: where the local clock is behind the
//!   exchange's, `hftbacktest.data.correct_local_timestamp` is for that.
//! * Trades have their own times. Rows come in the order that hftbacktest's `correct_event_order` makes: one whose places
//!   by the two clocks differ is there twice, once for each.
//!
//! In memory are the rows of the last [`WINDOW`](super::merger::WINDOW) by the exchange's clock, and never more than [`MOST`](super::merger::MOST) of 64 bytes and
//! some: 200 MB at worst, some 2 MB for 1,000 rows a second. What comes later than that is moved, too. Until a file is complete its
//! rows lie beside it, compressed: the header of the array says how many there are.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use kucoin_futures_proto::wire::{Side, TakerSide};
use kucoin_futures_proto::{Price, UnixNanos};
use zip::CompressionMethod;
use zip::write::{SimpleFileOptions, ZipWriter};

use super::file::{Counts, RowWriter};
use super::manifest::Terms;
use super::merger::{Event, Merger};
use super::row::{CLEAR, LOST, LevelRow, Row, SNAPSHOT, Stamp, TradeRow};

const DEPTH: u64 = 1;
const TRADE: u64 = 2;
const DEPTH_CLEAR: u64 = 3;
const DEPTH_SNAPSHOT: u64 = 4;
const BUY: u64 = 1 << 29;
const SELL: u64 = 1 << 28;

/// An exchange's time that is further ahead of the local clock is none, in nanoseconds.
const AHEAD: i64 = 3_600_000_000_000;

type Rows = zstd::stream::write::Encoder<'static, BufWriter<File>>;

pub(super) struct HftWriter {
    file: File,
    rows_path: PathBuf,
    rows: Rows,
    merger: Merger,
    counts: Counts,
    text: String,
    last_local: i64,
    /// The exchange's time of the book's last change.
    last_depth: i64,
}

impl HftWriter {
    pub(super) fn new(file: File, partial: &Path) -> io::Result<Self> {
        let rows_path = partial.with_extension("rows.partial");
        let rows = BufWriter::new(File::create_new(&rows_path)?);
        Ok(Self {
            file,
            rows_path,
            rows: Rows::new(rows, 1)?,
            merger: Merger::default(),
            counts: Counts::default(),
            text: String::new(),
            last_local: i64::MIN,
            last_depth: i64::MIN,
        })
    }

    /// A price as the format wants it: the double nearest to its text.
    fn double(&mut self, price: Price) -> io::Result<f64> {
        self.text.clear();
        write!(self.text, "{price}").map_err(io::Error::other)?;
        self.text.parse().map_err(io::Error::other)
    }

    /// Both times of a row.
    fn times(&mut self, stamp: Stamp) -> (i64, i64) {
        let nanos = |at: UnixNanos| i64::try_from(at.as_nanos()).unwrap_or(i64::MAX);
        let local = self.last_local.max(nanos(stamp.received));
        self.last_local = local;
        self.counts.moved += u64::from(local != nanos(stamp.received));
        let said = stamp.exchange.map(nanos);
        let is_sane = |at: &i64| *at <= local.saturating_add(AHEAD);
        self.counts.moved += u64::from(said.is_some_and(|at| !is_sane(&at)));
        (said.filter(is_sane).unwrap_or(local), local)
    }

    fn on_level(&mut self, row: &LevelRow) -> io::Result<()> {
        let is_word = row.flags & (CLEAR | LOST) != 0;
        let (said, local_ts) = self.times(row.stamp);
        // A book that is lost is so by the local clock: the exchange knows nothing of it.
        let is_lost = row.flags & LOST != 0 && self.last_depth != i64::MIN;
        let said = if is_lost { self.last_depth } else { said };
        let exch_ts = said.max(self.last_depth);
        self.counts.moved += u64::from(exch_ts != said);
        self.last_depth = exch_ts;
        let kind = if row.flags & SNAPSHOT != 0 { DEPTH_SNAPSHOT } else { DEPTH };
        let (ev, px, qty) = match row.level {
            _ if is_word => (DEPTH_CLEAR, 0.0, 0.0),
            Some((side, price, size)) => {
                let side = if side == Side::Bid { BUY } else { SELL };
                (kind | side, self.double(price)?, size.get() as f64)
            }
            None => return Ok(()),
        };
        let ival = i64::try_from(row.sequence.get()).unwrap_or(i64::MAX);
        self.add(Event { ev, exch_ts, local_ts, px, qty, ival })
    }

    fn on_trade(&mut self, row: &TradeRow<'_>) -> io::Result<()> {
        let (exch_ts, local_ts) = self.times(row.stamp);
        let side = if row.taker == TakerSide::Buy { BUY } else { SELL };
        let px = self.double(row.price)?;
        let ival = i64::try_from(row.sequence.get()).unwrap_or(i64::MAX);
        let qty = row.size.get() as f64;
        self.add(Event { ev: TRADE | side, exch_ts, local_ts, px, qty, ival })
    }

    fn add(&mut self, event: Event) -> io::Result<()> {
        self.counts.moved += u64::from(self.merger.add(event));
        self.put_out(false)
    }

    fn put_out(&mut self, is_end: bool) -> io::Result<()> {
        while let Some((event, flags)) = self.merger.next(is_end) {
            self.counts.rows += 1;
            event.write(flags, &mut self.rows)?;
        }
        Ok(())
    }
}

impl RowWriter for HftWriter {
    fn write(&mut self, row: &Row<'_>) -> io::Result<()> {
        match row {
            Row::Level(row) => self.on_level(row),
            Row::Trade(row) => self.on_trade(row),
            Row::Ticker(_) | Row::Instrument(_) | Row::Candle(_) | Row::Stats(_) => Ok(()),
        }
    }

    fn counts(&self) -> Counts {
        self.counts
    }

    fn finish(mut self: Box<Self>, _: Option<&Terms>) -> io::Result<Counts> {
        self.put_out(true)?;
        let Self { file, rows_path, rows, counts, .. } = *self;
        rows.finish()?.flush()?;
        let mut archive = ZipWriter::new(BufWriter::new(file));
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .large_file(counts.rows.saturating_mul(Event::SIZE) >= u64::from(u32::MAX) / 2);
        archive.start_file("data.npy", options)?;
        archive.write_all(&head(counts.rows))?;
        let mut rows = zstd::stream::read::Decoder::new(BufReader::new(File::open(&rows_path)?))?;
        let copied = io::copy(&mut rows, &mut archive)?;
        if copied != counts.rows.saturating_mul(Event::SIZE) {
            return Err(io::Error::other("rows that were laid aside are not all there"));
        }
        archive.finish()?.flush()?;
        std::fs::remove_file(rows_path)?;
        Ok(counts)
    }
}

/// Version 1.0 of the array format: a dictionary as Python writes it, padded so that data begin at a multiple of 64.
fn head(rows: u64) -> Vec<u8> {
    const MAGIC: &[u8] = b"\x93NUMPY\x01\x00";
    const ALIGN: usize = 64;
    let mut text =
        format!("{{'descr': {}, 'fortran_order': False, 'shape': ({rows},), }}", Event::FIELDS);
    // Magic, two bytes of length, and a line feed at the end.
    let used = MAGIC.len() + 2 + text.len() + 1;
    text.extend(std::iter::repeat_n(' ', used.next_multiple_of(ALIGN) - used));
    text.push('\n');
    let mut head = MAGIC.to_vec();
    head.extend_from_slice(&(text.len() as u16).to_le_bytes());
    head.extend_from_slice(text.as_bytes());
    head
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

    use super::super::merger::EXCH;
    use super::*;

    /// The rows of a file as the exchange's processor is told them: kind, time, sequence.
    fn told_to_exchange(path: &Path) -> Vec<(u64, u64, u64)> {
        use std::io::Read as _;
        let mut archive = zip::ZipArchive::new(File::open(path).unwrap()).unwrap();
        let mut bytes = Vec::new();
        archive.by_name("data.npy").unwrap().read_to_end(&mut bytes).unwrap();
        let word = |row: &[u8], n: usize| u64::from_le_bytes(row[8 * n..][..8].try_into().unwrap());
        let rows = bytes[10 + usize::from(bytes[8])..].chunks(64);
        let rows = rows.map(|row| (word(row, 0), word(row, 1), word(row, 6)));
        rows.filter(|(ev, ..)| ev & EXCH != 0).map(|(ev, at, n)| (ev & 0xff, at, n)).collect()
    }

    #[test]
    fn changes_of_a_book_keep_their_order_where_the_exchanges_clock_does_not() {
        use kucoin_futures_proto::{Epoch, Lots, Sequence};
        let path = std::env::temp_dir().join(format!("kcf-hft-{}.npz", std::process::id()));
        let mut writer = Box::new(HftWriter::new(File::create(&path).unwrap(), &path).unwrap());
        let at = |ms: u64| UnixNanos::from_millis(1_000_000 + ms).unwrap();
        // The exchange's times, in ms: one steps back, one is two hours ahead, and a book that is lost has none.
        let hours = 7_200_000;
        let rows = [(0, CLEAR | SNAPSHOT), (5, 0), (4, 0), (hours, 0), (6, 0), (0, LOST), (9, 0)];
        for (number, (said, flags)) in rows.into_iter().enumerate() {
            let exchange = (flags & LOST == 0).then(|| at(said));
            let stamp = Stamp { received: at(7 + number as u64), exchange };
            let level = (flags & (CLEAR | LOST) == 0)
                .then(|| (Side::Bid, "10.1".parse().unwrap(), Lots::new(number as u64)));
            let (sequence, epoch) = (Sequence::new(number as u64), Epoch::new(1));
            let row = LevelRow { stamp, sequence, epoch, flags, level };
            writer.write(&Row::Level(row)).unwrap();
        }
        let counts = writer.finish(None).unwrap();
        let told = told_to_exchange(&path);
        std::fs::remove_file(&path).unwrap();
        let sequences: Vec<_> = told.iter().map(|(.., sequence)| *sequence).collect();
        assert_eq!(sequences, [0, 1, 2, 3, 4, 5, 6]);
        let kinds: Vec<_> = told.iter().map(|(kind, ..)| *kind).collect();
        assert_eq!(kinds, [DEPTH_CLEAR, DEPTH, DEPTH, DEPTH, DEPTH, DEPTH_CLEAR, DEPTH]);
        let times: Vec<_> = told.iter().map(|(_, at, _)| at / 1_000_000 - 1_000_000).collect();
        // That of the fourth is when it was received.
        assert_eq!(times, [0, 5, 5, 10, 10, 10, 10]);
        assert_eq!(counts.moved, 4, "4, two hours, 6, and 9");
    }
}
