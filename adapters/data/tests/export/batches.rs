//! Tables in memory of the same day.

use std::collections::BTreeMap;
use std::io;

use arrow_array::RecordBatch;
use kucoin_futures_data::batch::{Batches, Table, TableBuilder};
use kucoin_futures_data::{Moment, Sink};
use kucoin_futures_proto::wire::Execution;
use kucoin_futures_proto::{Message, Output, Symbol, UnixNanos};

use crate::common::symbol;
use crate::day::Day;
use crate::read::{self, Record};

const TABLES: [Table; 6] =
    [Table::Level2, Table::Trades, Table::Tickers, Table::Instrument, Table::Candles, Table::Stats];

/// Takes batches while the client runs.
pub struct Taken {
    batches: Batches,
    taken: BTreeMap<Table, Vec<RecordBatch>>,
}

impl Taken {
    pub fn new() -> Self {
        Self { batches: Batches::new(TABLES), taken: BTreeMap::new() }
    }

    fn take(&mut self, at_least: usize) {
        for table in TABLES {
            let batch = self.batches.take(table, at_least);
            self.taken.entry(table).or_default().extend(batch);
        }
    }

    pub fn into_held(self) -> Held {
        let records = |batches: &Vec<RecordBatch>| -> Vec<_> {
            batches.iter().flat_map(read::batch_records).collect()
        };
        Held {
            batches: self.taken.values().map(Vec::len).sum(),
            books: self.batches.manifest().books.len(),
            tables: self.taken.iter().map(|(table, batches)| (*table, records(batches))).collect(),
        }
    }
}

/// What was taken.
pub struct Held {
    batches: usize,
    books: usize,
    tables: BTreeMap<Table, Vec<Record>>,
}

impl Held {
    fn records(&self, table: Table, of: Symbol) -> Vec<Record> {
        let records = self.tables[&table].iter();
        records.filter(|record| record["symbol"] == of.as_str()).cloned().collect()
    }
}

impl Sink for Taken {
    fn on_start(&mut self, moment: &Moment<'_>) -> io::Result<()> {
        self.batches.on_start(moment)
    }

    fn on_output(&mut self, moment: &Moment<'_>, output: &Output<'_>) -> io::Result<()> {
        self.batches.on_output(moment, output)?;
        self.take(1000);
        Ok(())
    }

    fn on_end(&mut self, moment: &Moment<'_>) -> io::Result<()> {
        self.batches.on_end(moment)?;
        self.take(1);
        Ok(())
    }
}

#[test]
fn tables_in_memory_hold_what_the_files_hold() {
    let day = Day::get();
    let (folder, manifest) = day.manifest("ndjson");
    for table in TABLES {
        for name in ["XBTUSDTM", "ETHUSDTM"] {
            let files = read::files(&manifest, table.name(), name).into_iter();
            let written: Vec<_> =
                files.flat_map(|file| read::ndjson(&folder.join(&file.path))).collect();
            let mut held = day.batches.records(table, symbol(name));
            held.iter_mut().for_each(|record| drop(record.remove("gap_before")));
            assert_eq!(written, held, "{name} {table:?}");
            assert!(!held.is_empty() || name == "ETHUSDTM");
        }
    }
    assert_eq!(day.batches.books, 2);
    assert!(day.batches.batches > 20, "{} pieces", day.batches.batches);
}

#[test]
fn a_number_without_room_leaves_its_row_out_and_no_other() {
    let trade = |size: u64, sequence| {
        format!(
            r#"{{"symbol":"XBTUSDTM","sequence":{sequence},"side":"buy","size":{size},"price":"63000.6","tradeId":"52","ts":1790000000123000000}}"#
        )
    };
    let mut builder = TableBuilder::new(Table::Trades);
    let received = UnixNanos::from_nanos(5);
    for (sequence, size) in [(1, 7), (2, u64::MAX), (3, 8)] {
        let text = trade(size, sequence);
        let trade = Message::Execution(Execution::parse(text.as_bytes()).unwrap());
        assert!(builder.push(symbol("XBTUSDTM"), received, &trade));
    }
    assert_eq!((builder.len(), builder.unrepresentable()), (2, 1));
    let records = read::batch_records(&builder.finish());
    let said: Vec<_> = records.iter().map(|row| (&row["size"], &row["gap_before"])).collect();
    assert_eq!(said, [(&7.into(), &true.into()), (&8.into(), &true.into())]);
}

#[test]
fn the_first_row_after_an_interruption_says_so() {
    let day = Day::get();
    let (_, manifest) = day.manifest("ndjson");
    let channel = &manifest.channels["/contractMarket/execution:XBTUSDTM"];
    let starts = manifest.starts.iter().map(|start| start.received_ns);
    let mut broken: Vec<u64> = channel.may_have_missed_ns.iter().copied().chain(starts).collect();
    broken.sort_unstable();
    assert!(channel.may_have_missed_ns.len() >= 2 && manifest.starts.len() == 2);

    let (mut left, mut marked) = (broken.into_iter().peekable(), 0);
    for record in day.batches.records(Table::Trades, symbol("XBTUSDTM")) {
        let received = record["received_ns"].as_u64().unwrap();
        let mut is_after = false;
        while left.next_if(|&at| at <= received).is_some() {
            is_after = true;
        }
        assert_eq!(record["gap_before"], is_after, "{record:?}");
        marked += u32::from(is_after);
    }
    assert!(marked >= 3, "{marked}");
}
