//! CSV as tardis.dev documents it, so that what loads their files loads these.
//!
//! The rules that matter (docs.tardis.dev, "Downloadable CSV files" and "Order books", 2026):
//!
//! * Times are microseconds. `timestamp` is the exchange's; where it says none, it is `local_timestamp`.
//! * Rows of one `local_timestamp` belong together.
//! * An `amount` of 0 removes the level.
//! * A row with `is_snapshot` after one without: forget every level.
//! * Each file of a book begins with a snapshot.
//!
//! What these rules cannot say is said by rows that remove: a snapshot right after another one is no reason to forget,
//! and an empty snapshot has no row. The levels that went away are then removed one by one, with the time of the
//! snapshot. That a book is not known for a while cannot be said at all: the manifest does.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufWriter, Write};

use flate2::Compression;
use flate2::write::GzEncoder;
use kucoin_futures_proto::wire::{Side, TakerSide};
use kucoin_futures_proto::{Lots, Price, Symbol, UnixNanos};

use super::EXCHANGE;
use super::file::{Counts, RowWriter};
use super::manifest::Terms;
use super::row::{
    CLEAR, InstrumentRow, LAST, LOST, LevelRow, Row, SNAPSHOT, Stamp, Table, TradeRow,
};

const LEVEL2_HEAD: &str = "exchange,symbol,timestamp,local_timestamp,is_snapshot,side,price,amount";
const TRADES_HEAD: &str = "exchange,symbol,timestamp,local_timestamp,id,side,price,amount";
const DERIVATIVE_HEAD: &str = "exchange,symbol,timestamp,local_timestamp,funding_timestamp,funding_rate,\
     predicted_funding_rate,open_interest,last_price,index_price,mark_price";

type Out = GzEncoder<BufWriter<File>>;

pub(super) struct TardisWriter {
    symbol: Symbol,
    out: Out,
    rows: u64,
    loader: Loader,
    /// A snapshot that is not whole yet.
    snapshot: Vec<(Side, Price, Lots)>,
}

/// What a reader who keeps to the rules has by now.
#[derive(Default)]
struct Loader {
    levels: BTreeSet<(Side, Price)>,
    /// Whether the last row was one of a snapshot.
    after_snapshot: bool,
}

impl TardisWriter {
    pub(super) fn new(file: File, symbol: Symbol, table: Table) -> io::Result<Self> {
        let mut out = GzEncoder::new(BufWriter::new(file), Compression::default());
        let head = match table {
            Table::Trades => TRADES_HEAD,
            Table::Instrument => DERIVATIVE_HEAD,
            _ => LEVEL2_HEAD,
        };
        writeln!(out, "{head}")?;
        let (loader, snapshot) = (Loader::default(), Vec::new());
        Ok(Self { symbol, out, rows: 0, loader, snapshot })
    }

    /// What all rows begin with.
    fn begin(&mut self, stamp: Stamp) -> io::Result<()> {
        self.rows += 1;
        let [at, local] = micros(stamp);
        write!(self.out, "{EXCHANGE},{},{at},{local},", self.symbol)
    }

    fn level(
        &mut self,
        stamp: Stamp,
        is_snapshot: bool,
        (side, price, size): (Side, Price, Lots),
    ) -> io::Result<()> {
        self.begin(stamp)?;
        self.loader.take(is_snapshot, side, price, size);
        writeln!(self.out, "{is_snapshot},{side},{price},{size}")
    }

    fn on_level(&mut self, row: &LevelRow) -> io::Result<()> {
        if row.flags & LOST != 0 {
            return Ok(());
        }
        if row.flags & CLEAR != 0 {
            self.snapshot.clear();
        }
        match row.level {
            Some(level) if row.flags & SNAPSHOT != 0 => self.snapshot.push(level),
            Some(level) => return self.level(row.stamp, false, level),
            None => {}
        }
        if row.flags & LAST != 0 { self.on_snapshot(row.stamp) } else { Ok(()) }
    }

    fn on_snapshot(&mut self, stamp: Stamp) -> io::Result<()> {
        let snapshot = core::mem::take(&mut self.snapshot);
        if self.loader.after_snapshot || snapshot.is_empty() {
            let new: BTreeSet<_> =
                snapshot.iter().map(|(side, price, _)| (*side, *price)).collect();
            let gone: Vec<_> = self.loader.levels.difference(&new).copied().collect();
            for (side, price) in gone {
                self.level(stamp, false, (side, price, Lots::ZERO))?;
            }
        }
        snapshot.into_iter().try_for_each(|level| self.level(stamp, true, level))
    }

    fn on_trade(&mut self, row: &TradeRow<'_>) -> io::Result<()> {
        self.begin(row.stamp)?;
        let side = if row.taker == TakerSide::Buy { "buy" } else { "sell" };
        writeln!(self.out, "{},{side},{},{}", quoted(row.id), row.price, row.size)
    }

    fn on_instrument(&mut self, row: &InstrumentRow) -> io::Result<()> {
        self.begin(row.stamp)?;
        let known = row.known;
        let [funding, last, index, mark] = [
            known.funding_estimate.map(|number| number.to_string()),
            known.last_price.map(|price| price.to_string()),
            known.index.map(|number| number.to_string()),
            known.mark.map(|number| number.to_string()),
        ]
        .map(Option::unwrap_or_default);
        // The stream says neither when funding is settled next, nor what it will be after that, nor open interest.
        writeln!(self.out, ",{funding},,,{last},{index},{mark}")
    }
}

impl Loader {
    fn take(&mut self, is_snapshot: bool, side: Side, price: Price, size: Lots) {
        if is_snapshot && !self.after_snapshot {
            self.levels.clear();
        }
        self.after_snapshot = is_snapshot;
        if size == Lots::ZERO {
            self.levels.remove(&(side, price));
        } else {
            self.levels.insert((side, price));
        }
    }
}

impl RowWriter for TardisWriter {
    fn write(&mut self, row: &Row<'_>) -> io::Result<()> {
        match row {
            Row::Level(row) => self.on_level(row),
            Row::Trade(row) => self.on_trade(row),
            Row::Instrument(row) => self.on_instrument(row),
            Row::Ticker(_) | Row::Candle(_) | Row::Stats(_) => Ok(()),
        }
    }

    fn counts(&self) -> Counts {
        Counts { rows: self.rows, in_order: true, ..Counts::default() }
    }

    fn finish(self: Box<Self>, _: Option<&Terms>) -> io::Result<Counts> {
        let counts = self.counts();
        self.out.finish()?.flush()?;
        Ok(counts)
    }
}

/// A name of the exchange's, which is digits today, as a field of CSV.
fn quoted(text: &str) -> Cow<'_, str> {
    if text.contains([',', '"', '\n', '\r']) {
        Cow::Owned(format!("\"{}\"", text.replace('"', "\"\"")))
    } else {
        Cow::Borrowed(text)
    }
}

/// The exchange's time and the local one.
fn micros(stamp: Stamp) -> [u64; 2] {
    let micros = |at: UnixNanos| at.as_nanos() / 1_000;
    [micros(stamp.exchange.unwrap_or(stamp.received)), micros(stamp.received)]
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

    use std::io::Read as _;

    use kucoin_futures_proto::{Epoch, Sequence};

    use super::*;

    type Levels = Vec<(Side, &'static str, u64)>;

    /// Writes snapshots and changes; says what rows there are, by side, price, amount and whether of a snapshot, and
    /// what a reader who keeps to the rules has in the end.
    fn rows(name: &str, parts: &[(bool, Levels)]) -> (Vec<String>, Vec<(String, String)>) {
        let path = std::env::temp_dir().join(format!("kcf-tardis-{}-{name}", std::process::id()));
        let symbol = "XBTUSDTM".parse().unwrap();
        let file = File::create(&path).unwrap();
        let mut writer = Box::new(TardisWriter::new(file, symbol, Table::Level2).unwrap());
        for (number, (is_snapshot, levels)) in parts.iter().enumerate() {
            let at = UnixNanos::from_nanos(1_000 * (number as u64 + 1));
            let stamp = Stamp { received: at, exchange: None };
            let mut write = |flags, level| {
                let (sequence, epoch) = (Sequence::new(1), Epoch::new(1));
                let row = LevelRow { stamp, sequence, epoch, flags, level };
                writer.write(&Row::Level(row)).unwrap();
            };
            if *is_snapshot {
                let last = if levels.is_empty() { LAST } else { 0 };
                write(CLEAR | SNAPSHOT | last, None);
            }
            for (left, (side, price, size)) in levels.iter().rev().enumerate().rev() {
                let last = if left == 0 { LAST } else { 0 };
                let flags = if *is_snapshot { SNAPSHOT | last } else { LAST };
                let level = (*side, price.parse().unwrap(), Lots::new(*size));
                write(flags, Some(level));
            }
        }
        writer.finish(None).unwrap();
        let mut text = String::new();
        let file = File::open(&path).unwrap();
        flate2::read::GzDecoder::new(file).read_to_string(&mut text).unwrap();
        std::fs::remove_file(path).unwrap();
        let rows: Vec<_> = text.lines().skip(1).map(str::to_owned).collect();
        let held = load(&rows);
        (rows, held)
    }

    fn load(rows: &[String]) -> Vec<(String, String)> {
        let (mut held, mut after_snapshot) = (std::collections::BTreeMap::new(), false);
        for row in rows {
            let fields: Vec<_> = row.split(',').collect();
            let is_snapshot = fields[4] == "true";
            if is_snapshot && !after_snapshot {
                held.clear();
            }
            after_snapshot = is_snapshot;
            let place = format!("{} {}", fields[5], fields[6]);
            if fields[7] == "0" {
                held.remove(&place);
            } else {
                held.insert(place, fields[7].to_owned());
            }
        }
        held.into_iter().collect()
    }

    fn held(levels: &[(&str, &str)]) -> Vec<(String, String)> {
        levels.iter().map(|(place, size)| ((*place).to_owned(), (*size).to_owned())).collect()
    }

    use Side::{Ask, Bid};

    #[test]
    fn rows_are_as_they_are_documented() {
        let parts =
            [(true, vec![(Bid, "10.5", 3), (Ask, "10.60", 4)]), (false, vec![(Ask, "10.6", 0)])];
        let (rows, _) = rows("documented", &parts);
        assert_eq!(
            rows,
            [
                "kucoin-futures,XBTUSDTM,1,1,true,bid,10.5,3",
                "kucoin-futures,XBTUSDTM,1,1,true,ask,10.6,4",
                "kucoin-futures,XBTUSDTM,2,2,false,ask,10.6,0",
            ]
        );
    }

    #[test]
    fn a_snapshot_right_after_another_one_replaces_it() {
        let parts = [
            (true, vec![(Bid, "10", 3), (Bid, "9", 2), (Ask, "11", 4)]),
            (true, vec![(Bid, "9", 1), (Ask, "12", 5)]),
        ];
        let (_, found) = rows("twice", &parts);
        assert_eq!(found, held(&[("ask 12", "5"), ("bid 9", "1")]));
    }

    #[test]
    fn an_empty_snapshot_empties_the_book() {
        let parts =
            [(true, vec![(Bid, "10", 3)]), (false, vec![(Ask, "11", 4)]), (true, Vec::new())];
        let (_, found) = rows("empty", &parts);
        assert_eq!(found, held(&[]));
    }
}
