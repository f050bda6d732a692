//! A JSON object in each line, compressed with Zstandard.

use std::fs::File;
use std::io::{self, BufWriter, Write};

use kucoin_futures_proto::Symbol;
use zstd::stream::write::Encoder;

use super::file::{Counts, RowWriter};
use super::manifest::Terms;
use super::row::{Cell, Column, Row, Table};

/// The fastest one: there may be thousands of these, and each has room of its own, which grows with the level.
const LEVEL: i32 = 1;

pub(super) struct NdjsonWriter {
    symbol: Symbol,
    columns: &'static [Column],
    out: Encoder<'static, BufWriter<File>>,
    line: Vec<u8>,
    rows: u64,
}

impl NdjsonWriter {
    pub(super) fn new(file: File, symbol: Symbol, table: Table) -> io::Result<Self> {
        let out = Encoder::new(BufWriter::new(file), LEVEL)?;
        Ok(Self { symbol, columns: table.columns(), out, line: Vec::new(), rows: 0 })
    }
}

impl RowWriter for NdjsonWriter {
    fn write(&mut self, row: &Row<'_>) -> io::Result<()> {
        let symbol = self.symbol;
        let mut cells = Vec::with_capacity(self.columns.len());
        row.cells(&symbol, &mut cells);
        self.line.clear();
        for (column, cell) in self.columns.iter().zip(&cells) {
            let before = if self.line.is_empty() { '{' } else { ',' };
            write!(self.line, "{before}\"{}\":", column.name)?;
            write_value(&mut self.line, cell)?;
        }
        self.line.extend_from_slice(b"}\n");
        self.rows += 1;
        self.out.write_all(&self.line)
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

/// Prices and other numbers with a point are strings: a reader's floats would round them.
fn write_value(line: &mut Vec<u8>, cell: &Cell<'_>) -> io::Result<()> {
    match cell {
        Cell::None => write!(line, "null"),
        Cell::Time(at) => write!(line, "{}", at.as_nanos()),
        Cell::Whole(number) => write!(line, "{number}"),
        Cell::Small(number) => write!(line, "{number}"),
        Cell::Price(price) => write!(line, "\"{price}\""),
        Cell::Number(number) => write!(line, "\"{number}\""),
        Cell::Flag(flag) => write!(line, "{flag}"),
        Cell::Text(text) => serde_json::to_writer(line, text).map_err(io::Error::from),
    }
}
