//! Readers that know the formats' rules and nothing of their writers, and books made of what they read.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufReader, Read as _};
use std::path::Path;

use kucoin_futures_data::export::manifest::{Digest, FileEntry};
use kucoin_futures_data::export::{CLEAR, LOST, Manifest, SNAPSHOT};
use kucoin_futures_proto::Price;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// What a row of a book says.
#[derive(Clone, PartialEq, Debug)]
pub enum Word {
    /// Forget every level.
    Forget,
    /// `size` stands there now; 0 removes the level.
    Level { is_bid: bool, price: Price, size: u64 },
}

/// A row, and when it was received.
#[derive(Clone, PartialEq, Debug)]
pub struct Line {
    pub received: u64,
    pub exchange: u64,
    pub sequence: Option<u64>,
    pub is_snapshot: bool,
    pub words: Vec<Word>,
}

/// The rows of one contract's book, file by file.
pub struct Rebuilt(pub Vec<(FileEntry, Vec<Line>)>);

impl Rebuilt {
    /// The digest of the book where the manifest has one.
    pub fn digest(&self, wanted: &Digest) -> Option<String> {
        let at = wanted.at.received_ns;
        let (file, lines) = self.0.iter().find(|(file, _)| file.number == wanted.file)?;
        assert!((file.from_ns..=file.to_ns).contains(&at), "{wanted:?}");
        let mut book = BTreeMap::new();
        let is_before = |(number, line): &(usize, &Line)| match wanted.file_rows {
            Some(rows) => (*number as u64) < rows,
            None => line.received <= at,
        };
        let lines = lines.iter().enumerate().take_while(is_before);
        for word in lines.flat_map(|(_, line)| &line.words) {
            apply(&mut book, word);
        }
        Some(digest(&book, wanted))
    }

    pub fn lines(&self) -> impl Iterator<Item = &Line> {
        self.0.iter().flat_map(|(_, lines)| lines)
    }
}

/// Levels by side and price; bids first.
pub type Levels = BTreeMap<(bool, Price), u64>;

fn apply(book: &mut Levels, word: &Word) {
    match *word {
        Word::Forget => book.clear(),
        Word::Level { is_bid, price, size: 0 } => {
            book.remove(&(!is_bid, price));
        }
        Word::Level { is_bid, price, size } => {
            book.insert((!is_bid, price), size);
        }
    }
}

/// As the manifest describes it.
fn digest(book: &Levels, wanted: &Digest) -> String {
    let to = |text: &Option<String>| text.as_ref().map(|text| text.parse::<Price>().unwrap());
    let (bids_to, asks_to) = (to(&wanted.horizon.bids_to), to(&wanted.horizon.asks_to));
    let mut hash = Sha256::new();
    let bids = book.iter().filter(|((is_ask, _), _)| !is_ask).rev();
    for ((_, price), size) in bids.filter(|((_, price), _)| bids_to.is_none_or(|to| *price >= to)) {
        hash.update(format!("b {price} {size}\n"));
    }
    let asks = book.iter().filter(|((is_ask, _), _)| *is_ask);
    for ((_, price), size) in asks.filter(|((_, price), _)| asks_to.is_none_or(|to| *price <= to)) {
        hash.update(format!("a {price} {size}\n"));
    }
    hex(&hash.finalize())
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The files of a table and a contract, in the order of time.
pub fn files(manifest: &Manifest, table: &str, symbol: &str) -> Vec<FileEntry> {
    let is_it = |file: &&FileEntry| file.table == table && file.symbol == symbol;
    let mut files: Vec<_> = manifest.files.iter().filter(is_it).cloned().collect();
    files.sort_by_key(|file| file.from_ns);
    files
}

/// All files are there, are what the manifest says of them, and there is nothing else.
pub fn check_files(folder: &Path, manifest: &Manifest) {
    let mut found = Vec::new();
    collect(folder, &mut found);
    assert_eq!(found.len(), manifest.files.len() + 1, "{found:?}");
    for file in &manifest.files {
        let bytes = fs::read(folder.join(&file.path)).unwrap();
        assert_eq!(bytes.len() as u64, file.bytes);
        assert_eq!(hex(&Sha256::digest(&bytes)), file.sha256, "{}", file.path);
        assert!(file.path.contains(&format!("/{}/{}/", file.symbol, file.day)), "{}", file.path);
    }
}

fn collect(folder: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            collect(&entry.path(), found);
        } else {
            found.push(entry.file_name().into_string().unwrap());
        }
    }
}

/// A row of a table with one value for each column.
pub type Record = BTreeMap<String, Value>;

pub fn ndjson(path: &Path) -> Vec<Record> {
    let text = zstd::stream::decode_all(File::open(path).unwrap()).unwrap();
    let text = String::from_utf8(text).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// A table as records; numbers with a point as text, as NDJSON has them.
#[cfg(feature = "parquet")]
pub fn parquet(path: &Path) -> (Vec<Record>, BTreeMap<String, String>) {
    use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

    let builder = ParquetRecordBatchReaderBuilder::try_new(File::open(path).unwrap()).unwrap();
    let metadata = builder.metadata().file_metadata().key_value_metadata().unwrap();
    let metadata = metadata.iter().map(|pair| (pair.key.clone(), pair.value.clone().unwrap()));
    let metadata = metadata.collect();
    let batches = builder.build().unwrap();
    (batches.flat_map(|batch| batch_records(&batch.unwrap())).collect(), metadata)
}

#[cfg(feature = "arrow")]
pub fn batch_records(batch: &arrow_array::RecordBatch) -> Vec<Record> {
    let schema = batch.schema();
    let record = |row| {
        let cell = |(n, field): (usize, &arrow_schema::FieldRef)| {
            (field.name().clone(), cell(batch.column(n), row))
        };
        schema.fields().iter().enumerate().map(cell).collect()
    };
    (0..batch.num_rows()).map(record).collect()
}

#[cfg(feature = "arrow")]
fn cell(column: &arrow_array::ArrayRef, row: usize) -> Value {
    use arrow_array::Array as _;
    use arrow_array::cast::AsArray as _;
    use arrow_array::types::{Decimal128Type, Int32Type, Int64Type, TimestampNanosecondType};
    use arrow_schema::DataType;

    if column.is_null(row) {
        return Value::Null;
    }
    match column.data_type() {
        DataType::Int32 => column.as_primitive::<Int32Type>().value(row).into(),
        DataType::Int64 => column.as_primitive::<Int64Type>().value(row).into(),
        DataType::Timestamp(..) => {
            column.as_primitive::<TimestampNanosecondType>().value(row).into()
        }
        DataType::Boolean => column.as_boolean().value(row).into(),
        DataType::Utf8 => column.as_string::<i32>().value(row).into(),
        DataType::Decimal128(38, scale) => {
            let units = column.as_primitive::<Decimal128Type>().value(row);
            let number = kucoin_futures_proto::Decimal::new(units, -scale).unwrap();
            number.to_string().into()
        }
        other => panic!("{other:?}"),
    }
}

/// The book's rows of a table that has words for everything.
pub fn table_lines(records: &[Record]) -> Vec<Line> {
    records.iter().map(table_line).collect()
}

fn table_line(record: &Record) -> Line {
    let flags = record["flags"].as_i64().unwrap() as i32;
    let word = if flags & (CLEAR | LOST) != 0 {
        assert!(record["side"].is_null() && record["price"].is_null());
        Word::Forget
    } else {
        Word::Level {
            is_bid: record["side"].as_str().unwrap() == "bid",
            price: record["price"].as_str().unwrap().parse().unwrap(),
            size: record["size"].as_u64().unwrap(),
        }
    };
    assert!(flags & SNAPSHOT != 0 || flags & CLEAR == 0);
    Line {
        received: record["received_ns"].as_u64().unwrap(),
        exchange: record["exchange_ns"].as_u64().unwrap_or_default(),
        sequence: record["sequence"].as_u64(),
        is_snapshot: flags & SNAPSHOT != 0,
        words: vec![word],
    }
}

/// The fields of a file of CSV, and its head.
pub fn csv(path: &Path) -> (String, Vec<Vec<String>>) {
    let mut text = String::new();
    let file = File::open(path).unwrap();
    flate2::read::GzDecoder::new(file).read_to_string(&mut text).unwrap();
    assert!(text.ends_with('\n') && !text.contains('\r'));
    let mut lines = text.lines();
    let head = lines.next().unwrap().to_owned();
    let fields = |line: &str| line.split(',').map(str::to_owned).collect();
    (head, lines.map(fields).collect())
}

/// As tardis.dev says: a row of a snapshot after one that is none makes a reader forget all.
pub fn tardis_lines(rows: &[Vec<String>]) -> Vec<Line> {
    let mut after_snapshot = false;
    let line = |row: &Vec<String>| {
        let [exchange, _, at, local, is_snapshot, side, price, amount] = row.as_slice() else {
            panic!("{row:?}")
        };
        assert_eq!(exchange, "kucoin-futures");
        let is_snapshot: bool = is_snapshot.parse().unwrap();
        let forgets = is_snapshot && !after_snapshot;
        after_snapshot = is_snapshot;
        let level = Word::Level {
            is_bid: side == "bid",
            price: price.parse().unwrap(),
            size: amount.parse().unwrap(),
        };
        Line {
            received: local.parse::<u64>().unwrap() * 1000,
            exchange: at.parse::<u64>().unwrap() * 1000,
            sequence: None,
            is_snapshot,
            words: forgets.then_some(Word::Forget).into_iter().chain([level]).collect(),
        }
    };
    rows.iter().map(line).collect()
}

/// A row of an array of events.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct HftEvent {
    pub ev: u64,
    pub exch_ts: i64,
    pub local_ts: i64,
    pub px: f64,
    pub qty: f64,
    pub ival: i64,
}

pub fn npz(path: &Path) -> Vec<HftEvent> {
    let mut archive = zip::ZipArchive::new(BufReader::new(File::open(path).unwrap())).unwrap();
    assert_eq!(archive.len(), 1);
    let mut bytes = Vec::new();
    archive.by_name("data.npy").unwrap().read_to_end(&mut bytes).unwrap();
    assert_eq!(&bytes[..8], b"\x93NUMPY\x01\x00");
    let length = usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    assert_eq!((10 + length) % 64, 0, "hftbacktest reads nothing else");
    let head = str::from_utf8(&bytes[10..10 + length]).unwrap();
    let rows = &bytes[10 + length..];
    assert_eq!(rows.len() % 64, 0);
    assert!(head.contains(&format!("'shape': ({},)", rows.len() / 64)), "{head}");
    assert!(head.ends_with('\n') && head.contains("'fortran_order': False"));
    let word = |row: &[u8], n: usize| -> [u8; 8] { row[8 * n..8 * n + 8].try_into().unwrap() };
    let event = |row: &[u8]| HftEvent {
        ev: u64::from_le_bytes(word(row, 0)),
        exch_ts: i64::from_le_bytes(word(row, 1)),
        local_ts: i64::from_le_bytes(word(row, 2)),
        px: f64::from_le_bytes(word(row, 3)),
        qty: f64::from_le_bytes(word(row, 4)),
        ival: i64::from_le_bytes(word(row, 6)),
    };
    rows.chunks(64).map(event).collect()
}

pub const EXCH: u64 = 1 << 31;
pub const LOCAL: u64 = 1 << 30;
pub const BUY: u64 = 1 << 29;

/// What either processor of a back test makes of the events that are for it.
pub fn hft_lines(events: &[HftEvent], of: u64) -> Vec<Line> {
    let is_for = |event: &&HftEvent| event.ev & of != 0 && event.ev & 0xff != 2;
    events.iter().filter(is_for).map(hft_line).collect()
}

fn hft_line(event: &HftEvent) -> Line {
    let word = match event.ev & 0xff {
        3 => Word::Forget,
        1 | 4 => Word::Level {
            is_bid: event.ev & BUY != 0,
            // The shortest text that means this double is the text that it was made of.
            price: event.px.to_string().parse().unwrap(),
            size: event.qty as u64,
        },
        other => panic!("{other}"),
    };
    Line {
        received: u64::try_from(event.local_ts).unwrap(),
        exchange: u64::try_from(event.exch_ts).unwrap(),
        sequence: u64::try_from(event.ival).ok(),
        is_snapshot: event.ev & 0xff == 4,
        words: vec![word],
    }
}
