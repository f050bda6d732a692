//! What an index, an interest rate or a premium was, point by point.

use core::time::Duration;

use super::object::{array_or_empty, object};
use super::rows::{Row, Rows, parse_object, rows};
use crate::error::WireError;
use crate::ids::Symbol;
use crate::num::Decimal;
use crate::time::UnixNanos;
use crate::wire::scan::Value;
use crate::wire::text::Text;

/// A part of a series, the newest point first unless it was asked for otherwise. An unknown symbol has an
/// empty one.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Series<'a, T: Row<'a>> {
    /// The points.
    pub rows: Rows<'a, T>,
    /// Whether there are more behind the last one: ask again with its time as the offset.
    pub has_more: bool,
}

object! {
    struct SeriesData<'a> {
        list: Value<'a> = any("dataList"),
        has_more: Option<bool> = flag_if_any("hasMore"),
    }
}

impl<'a, T: Row<'a>> Series<'a, T> {
    /// Reads a whole response body, envelope included. One without points may leave the list out.
    ///
    /// # Errors
    /// Not JSON, an error body ([`WireError::Unexpected`]), or `data` is not an object.
    pub fn parse(body: &'a [u8]) -> Result<Self, WireError> {
        let SeriesData { list, has_more } = parse_object(body)?;
        Ok(Self { rows: Rows::of(array_or_empty(list)), has_more: has_more.unwrap_or(false) })
    }
}

object! {
    /// An interest rate or a premium at a time.
    pub struct SeriesPoint {
        /// Of the series, such as `.XBTINT` or `.XBTUSDTMPI`.
        symbol: Symbol = symbol("symbol"),
        /// What a point stands for; from milliseconds.
        granularity: Option<Duration> = interval_if_any("granularity"),
        /// When; from milliseconds.
        time: UnixNanos = millis("timePoint"),
        /// The rate as a fraction of one, often below zero.
        value: Decimal = number("value"),
    }
}

object! {
    /// An index at a time, and what it was made of.
    pub struct IndexPrice<'a> {
        /// Of the index, such as `.KXBTUSDT`.
        symbol: Symbol = symbol("symbol"),
        /// What a point stands for; from milliseconds, 1 s today.
        granularity: Option<Duration> = interval_if_any("granularity"),
        /// When; from milliseconds.
        time: UnixNanos = millis("timePoint"),
        /// The index, in quote currency.
        value: Decimal = number("value"),
        /// The exchanges that it was made of; none where the exchange does not say. The key is misspelled
        /// on the wire.
        components: Rows<'a, IndexComponent<'a>> = list("decomposionList"),
    }
}

object! {
    /// What one exchange adds to an index.
    pub struct IndexComponent<'a> {
        /// Its code, such as `okex`.
        exchange: Text<'a> = text("exchange"),
        /// Its name for people.
        exchange_name: Option<Text<'a>> = text_if_any("exchangeName"),
        /// The price there, in quote currency.
        price: Option<Decimal> = number_if_any("price"),
        /// Its share of the index, as a fraction of one.
        weight: Option<Decimal> = number_if_any("weight"),
    }
}

rows!(SeriesPoint, IndexPrice<'a>, IndexComponent<'a>);
