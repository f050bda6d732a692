//! Rows as columns in memory: one schema for each table, exact numbers as decimals.

use std::sync::Arc;

use arrow_array::builder::{
    BooleanBuilder, Decimal128Builder, Int32Builder, Int64Builder, StringBuilder,
    TimestampNanosecondBuilder,
};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef, TimeUnit};
use kucoin_futures_proto::{Decimal, Price, Symbol};

use super::row::{Cell, Column, Kind, Row, Table};

/// Decimals of a number that is no price of the book: 20 digits stand before the point.
const NUMBER_SCALE: u8 = 18;
const DIGITS: u8 = 38;

/// Rows of one table, until they are taken as a batch.
#[derive(Debug)]
pub(crate) struct Columns {
    schema: SchemaRef,
    builders: Vec<Builder>,
    rows: usize,
}

/// A row that was left out, because a number that has to be there has no room in its column.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct LeftOut;

impl Columns {
    /// Those of the table, and after them `more`.
    pub(crate) fn new(table: Table, more: &[Column]) -> Self {
        let columns = || table.columns().iter().chain(more);
        let schema = Arc::new(Schema::new(columns().map(field).collect::<Vec<_>>()));
        let builders = columns().map(|column| Builder::new(column.kind)).collect();
        Self { schema, builders, rows: 0 }
    }

    pub(crate) fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    pub(crate) const fn rows(&self) -> usize {
        self.rows
    }

    /// Adds a row of the table. How many of its numbers have no room in their columns, and are null.
    pub(crate) fn append(&mut self, symbol: Symbol, row: &Row<'_>) -> Result<u64, LeftOut> {
        self.append_with(symbol, row, &[])
    }

    /// The same, with what stands in the columns after the table's.
    pub(crate) fn append_with(
        &mut self,
        symbol: Symbol,
        row: &Row<'_>,
        more: &[Cell<'_>],
    ) -> Result<u64, LeftOut> {
        let mut cells = Vec::with_capacity(self.builders.len());
        row.cells(&symbol, &mut cells);
        cells.extend_from_slice(more);
        let mut required =
            self.schema.fields().iter().zip(&cells).filter(|(of, _)| !of.is_nullable());
        if required.any(|(_, cell)| !has_room(cell)) {
            return Err(LeftOut);
        }
        self.rows += 1;
        let appended = self.builders.iter_mut().zip(&cells);
        Ok(appended.map(|(column, cell)| u64::from(!column.append(cell))).sum())
    }

    /// What was added since the last time.
    pub(crate) fn finish(&mut self) -> Result<RecordBatch, ArrowError> {
        self.rows = 0;
        let columns = self.builders.iter_mut().map(Builder::finish).collect();
        RecordBatch::try_new(self.schema(), columns)
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
        Kind::Flag => DataType::Boolean,
    };
    Field::new(column.name, kind, column.optional)
}

#[derive(Debug)]
enum Builder {
    Time(TimestampNanosecondBuilder),
    Whole(Int64Builder),
    Small(Int32Builder),
    /// With its scale.
    Decimal(Decimal128Builder, u8),
    Text(StringBuilder),
    Flag(BooleanBuilder),
}

impl Builder {
    fn new(kind: Kind) -> Self {
        let decimal = |scale: u8| {
            let kind = DataType::Decimal128(DIGITS, scale as i8);
            Self::Decimal(Decimal128Builder::new().with_data_type(kind), scale)
        };
        match kind {
            Kind::Time => Self::Time(TimestampNanosecondBuilder::new().with_timezone("UTC")),
            Kind::Whole => Self::Whole(Int64Builder::new()),
            Kind::Small => Self::Small(Int32Builder::new()),
            Kind::Price => decimal(Price::SCALE),
            Kind::Number => decimal(NUMBER_SCALE),
            Kind::Text => Self::Text(StringBuilder::new()),
            Kind::Flag => Self::Flag(BooleanBuilder::new()),
        }
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
            (Self::Flag(builder), Cell::Flag(flag)) => {
                builder.append_value(*flag);
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
            Self::Flag(builder) => builder.append_null(),
        }
    }

    fn finish(&mut self) -> ArrayRef {
        match self {
            Self::Time(builder) => Arc::new(builder.finish()),
            Self::Whole(builder) => Arc::new(builder.finish()),
            Self::Small(builder) => Arc::new(builder.finish()),
            Self::Decimal(builder, _) => Arc::new(builder.finish()),
            Self::Text(builder) => Arc::new(builder.finish()),
            Self::Flag(builder) => Arc::new(builder.finish()),
        }
    }
}

/// Whether a column holds it. Numbers with a point are never required.
fn has_room(cell: &Cell<'_>) -> bool {
    match cell {
        Cell::Whole(number) => i64::try_from(*number).is_ok(),
        Cell::Time(at) => i64::try_from(at.as_nanos()).is_ok(),
        Cell::None
        | Cell::Small(_)
        | Cell::Price(_)
        | Cell::Number(_)
        | Cell::Text(_)
        | Cell::Flag(_) => true,
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
