//! Parquet: one schema for each table, exact numbers as decimals.

use std::fs::File;
use std::io;
use std::sync::Arc;

use arrow_array::builder::{
    Decimal128Builder, Int32Builder, Int64Builder, StringBuilder, TimestampNanosecondBuilder,
};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{DataType, Field, Schema, TimeUnit};
use kucoin_futures_proto::{Decimal, Price, Symbol};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::schema::types::ColumnPath;

use super::file::{Counts, RowWriter};
use super::manifest::{SCHEMA, Terms};
use super::row::{Cell, Column, Kind, Row, Table};
use super::{EXCHANGE, SOFTWARE};

/// Decimals of a number that is no price of the book: 20 digits stand before the point.
const NUMBER_SCALE: u8 = 18;
const DIGITS: u8 = 38;

/// Rows that are collected before they are encoded.
const BATCH: u64 = 8192;
/// Rows of a group: what a reader reads at least, and what is in memory at most, encoded.
const GROUP: usize = 1 << 16;

pub(super) struct ParquetWriter {
    symbol: Symbol,
    out: ArrowWriter<File>,
    schema: Arc<Schema>,
    columns: Vec<Builder>,
    waiting: u64,
    counts: Counts,
}

impl ParquetWriter {
    pub(super) fn new(file: File, symbol: Symbol, table: Table) -> io::Result<Self> {
        let fields: Vec<_> = table.columns().iter().map(field).collect();
        let schema = Arc::new(Schema::new(fields));
        let properties = properties(symbol, table);
        let out = ArrowWriter::try_new(file, Arc::clone(&schema), Some(properties))?;
        let columns = table.columns().iter().map(Builder::new).collect::<io::Result<_>>()?;
        let counts = Counts { in_order: true, ..Counts::default() };
        Ok(Self { symbol, out, schema, columns, waiting: 0, counts })
    }

    fn flush(&mut self) -> io::Result<()> {
        self.waiting = 0;
        let columns = self.columns.iter_mut().map(Builder::finish).collect();
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), columns);
        Ok(self.out.write(&batch.map_err(io::Error::other)?)?)
    }
}

impl RowWriter for ParquetWriter {
    fn write(&mut self, row: &Row<'_>) -> io::Result<()> {
        let symbol = self.symbol;
        let mut cells = Vec::with_capacity(self.columns.len());
        row.cells(&symbol, &mut cells);
        for (column, cell) in self.columns.iter_mut().zip(&cells) {
            self.counts.unrepresentable += u64::from(!column.append(cell));
        }
        self.counts.rows += 1;
        self.waiting += 1;
        if self.waiting == BATCH { self.flush() } else { Ok(()) }
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

fn field(column: &Column) -> Field {
    let kind = match column.kind {
        Kind::Time => DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into())),
        Kind::Whole => DataType::Int64,
        Kind::Small => DataType::Int32,
        Kind::Price => DataType::Decimal128(DIGITS, Price::SCALE as i8),
        Kind::Number => DataType::Decimal128(DIGITS, NUMBER_SCALE as i8),
        Kind::Text => DataType::Utf8,
    };
    Field::new(column.name, kind, column.optional)
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

enum Builder {
    Time(TimestampNanosecondBuilder),
    Whole(Int64Builder),
    Small(Int32Builder),
    /// With its scale.
    Decimal(Decimal128Builder, u8),
    Text(StringBuilder),
}

impl Builder {
    fn new(column: &Column) -> io::Result<Self> {
        let decimal = |scale: u8| {
            let builder = Decimal128Builder::new().with_precision_and_scale(DIGITS, scale as i8);
            builder.map(|builder| Self::Decimal(builder, scale)).map_err(io::Error::other)
        };
        Ok(match column.kind {
            Kind::Time => Self::Time(TimestampNanosecondBuilder::new().with_timezone("UTC")),
            Kind::Whole => Self::Whole(Int64Builder::new()),
            Kind::Small => Self::Small(Int32Builder::new()),
            Kind::Price => decimal(Price::SCALE)?,
            Kind::Number => decimal(NUMBER_SCALE)?,
            Kind::Text => Self::Text(StringBuilder::new()),
        })
    }

    /// Whether there was room for it: if not, it is empty.
    fn append(&mut self, cell: &Cell<'_>) -> bool {
        match (self, cell) {
            (Self::Time(builder), Cell::Time(at)) => {
                let at = i64::try_from(at.as_nanos()).ok();
                builder.append_option(at);
                at.is_some()
            }
            (Self::Whole(builder), Cell::Whole(number)) => {
                let number = i64::try_from(*number).ok();
                builder.append_option(number);
                number.is_some()
            }
            (Self::Small(builder), Cell::Small(number)) => {
                builder.append_value(*number);
                true
            }
            // The unit of a price is the column's.
            (Self::Decimal(builder, Price::SCALE), Cell::Price(price)) => {
                builder.append_value(i128::from(price.scaled()));
                true
            }
            (Self::Decimal(builder, scale), Cell::Price(price)) => {
                append_decimal(builder, Decimal::from(*price), *scale)
            }
            (Self::Decimal(builder, scale), Cell::Number(number)) => {
                append_decimal(builder, *number, *scale)
            }
            (Self::Text(builder), Cell::Text(text)) => {
                builder.append_value(text);
                true
            }
            (column, cell) => {
                column.append_null();
                matches!(cell, Cell::None)
            }
        }
    }

    fn append_null(&mut self) {
        match self {
            Self::Time(builder) => builder.append_null(),
            Self::Whole(builder) => builder.append_null(),
            Self::Small(builder) => builder.append_null(),
            Self::Decimal(builder, _) => builder.append_null(),
            Self::Text(builder) => builder.append_null(),
        }
    }

    fn finish(&mut self) -> ArrayRef {
        match self {
            Self::Time(builder) => Arc::new(builder.finish()),
            Self::Whole(builder) => Arc::new(builder.finish()),
            Self::Small(builder) => Arc::new(builder.finish()),
            Self::Decimal(builder, _) => Arc::new(builder.finish()),
            Self::Text(builder) => Arc::new(builder.finish()),
        }
    }
}

fn append_decimal(builder: &mut Decimal128Builder, number: Decimal, scale: u8) -> bool {
    let value = scaled(number, scale);
    builder.append_option(value);
    value.is_some()
}

/// A number times so many powers of ten, if that is whole and has room.
fn scaled(number: Decimal, scale: u8) -> Option<i128> {
    if number.mantissa() == 0 {
        return Some(0);
    }
    let power = i16::from(number.exponent()).checked_add(i16::from(scale))?;
    let factor = 10_i128.checked_pow(u32::try_from(power).ok()?)?;
    // A decimal of 38 digits holds less than the type does.
    let value = number.mantissa().checked_mul(factor)?;
    (value.unsigned_abs() < 10_u128.pow(DIGITS.into())).then_some(value)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn a_number_that_has_no_room_is_none() {
        let of = |text: &str| scaled(text.parse().unwrap(), NUMBER_SCALE);
        assert_eq!(of("-0.000123"), Some(-123_000_000_000_000));
        assert_eq!(of("0.000000000000000001"), Some(1));
        assert_eq!(of("0.0000000000000000001"), None, "too fine");
        assert_eq!(of("99999999999999999999"), Some(99_999_999_999_999_999_999 * 10_i128.pow(18)));
        assert_eq!(of("100000000000000000000"), None, "too large");
        assert_eq!(of("0e-30"), Some(0));
    }
}
