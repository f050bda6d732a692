//! Parquet: one schema for each table, exact numbers as decimals.

use std::fs::File;
use std::io;

use kucoin_futures_proto::Symbol;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::schema::types::ColumnPath;

use super::columns::{Columns, LeftOut};
use super::file::{Counts, RowWriter};
use super::manifest::{SCHEMA, Terms};
use super::row::{Kind, Row, Table};
use super::{EXCHANGE, SOFTWARE};

/// Rows that are collected before they are encoded.
const BATCH: usize = 8192;
/// Rows of a group: what a reader reads at least, and what is in memory at most, encoded.
const GROUP: usize = 1 << 16;

pub(super) struct ParquetWriter {
    symbol: Symbol,
    out: ArrowWriter<File>,
    columns: Columns,
    counts: Counts,
}

impl ParquetWriter {
    pub(super) fn new(file: File, symbol: Symbol, table: Table) -> io::Result<Self> {
        let columns = Columns::new(table, &[]);
        let properties = properties(symbol, table);
        let out = ArrowWriter::try_new(file, columns.schema(), Some(properties))?;
        let counts = Counts { in_order: true, ..Counts::default() };
        Ok(Self { symbol, out, columns, counts })
    }

    fn flush(&mut self) -> io::Result<()> {
        let batch = self.columns.finish().map_err(io::Error::other)?;
        Ok(self.out.write(&batch)?)
    }
}

impl RowWriter for ParquetWriter {
    fn write(&mut self, row: &Row<'_>) -> io::Result<()> {
        match self.columns.append(self.symbol, row) {
            Ok(numbers) => {
                self.counts.unrepresentable += numbers;
                self.counts.rows += 1;
            }
            Err(LeftOut) => self.counts.unrepresentable += 1,
        }
        if self.columns.rows() == BATCH { self.flush() } else { Ok(()) }
    }

    fn counts(&self) -> Counts {
        self.counts
    }

    fn finish(mut self: Box<Self>, terms: Option<&Terms>) -> io::Result<Counts> {
        self.flush()?;
        if let Some(terms) = terms {
            for (key, value) in [
                ("multiplier", &terms.multiplier),
                ("tick_size", &terms.tick_size),
                ("lot_size", &terms.lot_size),
            ] {
                self.out.append_key_value_metadata(KeyValue::new(key.to_owned(), value.clone()));
            }
        }
        self.out.close()?;
        Ok(self.counts)
    }
}

/// Sequences and times rise in small steps: as differences they need a quarter of the room.
fn properties(symbol: Symbol, table: Table) -> WriterProperties {
    let about = [
        ("software", SOFTWARE.to_owned()),
        ("exchange", EXCHANGE.to_owned()),
        ("symbol", symbol.to_string()),
        ("table", table.name().to_owned()),
        ("schema", SCHEMA.to_string()),
    ];
    let about = about.map(|(key, value)| KeyValue::new(key.to_owned(), value));
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_created_by(SOFTWARE.to_owned())
        .set_max_row_group_row_count(Some(GROUP))
        .set_key_value_metadata(Some(about.to_vec()));
    for column in table.columns() {
        if matches!(column.kind, Kind::Time) || column.name == "sequence" {
            let path = ColumnPath::from(column.name);
            properties = properties
                .set_column_dictionary_enabled(path.clone(), false)
                .set_column_encoding(path, Encoding::DELTA_BINARY_PACKED);
        }
    }
    properties.build()
}
