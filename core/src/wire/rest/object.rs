//! Objects of a reply as tables: one line for each key, with the reader of its value.

use core::time::Duration;

use super::rows::Rows;
use crate::currency::Currency;
use crate::error::WireError;
use crate::ids::{Sequence, Symbol};
use crate::num::{Decimal, Lots, Price};
use crate::time::UnixNanos;
use crate::wire::scan::{Scanner, Value, once};
use crate::wire::text::Text;
use crate::wire::{Side, TakerSide};

/// Declares a structure whose fields are the values of an object's keys, and how it is read. The keys
/// stand in the order of the wire, where they are found first.
macro_rules! object {
    (
        $(#[$doc:meta])*
        $visibility:vis struct $name:ident $(<$life:lifetime>)? {
            $($(#[$field_doc:meta])* $field:ident: $type:ty = $read:ident($key:literal),)*
        }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        #[non_exhaustive]
        $visibility struct $name $(<$life>)? {
            $($(#[$field_doc])* pub $field: $type,)*
        }

        impl<'a> $crate::wire::rest::object::FromObject<'a> for $name $(<$life>)? {
            const KEYS: &'static [&'static str] = &[$($key),*];

            fn from_values(
                values: &[Option<$crate::wire::scan::Value<'a>>],
            ) -> Result<Self, $crate::error::WireError> {
                use $crate::wire::scan::Value;
                let mut values = values.iter().map(|value| value.unwrap_or(Value::Null));
                Ok(Self {
                    $($field: $crate::wire::rest::object::$read(
                        values.next().unwrap_or(Value::Null),
                        $key,
                    )?,)*
                })
            }
        }
    };
}
pub(super) use object;

/// What is read out of an object.
pub(super) trait FromObject<'a>: Sized {
    /// The keys that are used.
    const KEYS: &'static [&'static str];

    /// Puts their values together, which come in the same order.
    fn from_values(values: &[Option<Value<'a>>]) -> Result<Self, WireError>;
}

/// Most keys of an object that are used: a contract's.
pub(super) const MOST_KEYS: usize = 96;

/// Reads an object.
pub(super) fn read<'a, T: FromObject<'a>>(object: &'a [u8]) -> Result<T, WireError> {
    const { assert!(T::KEYS.len() <= MOST_KEYS, "there is room for each") };
    if !object.starts_with(b"{") {
        return Err(WireError::WrongType { field: "row" });
    }
    let mut values = [None; MOST_KEYS];
    let mut scanner = Scanner::of_text(object);
    let (mut first, mut expected) = (true, 0_usize);
    scanner.object()?;
    while let Some(name) = scanner.key(&mut first)? {
        let value = scanner.value()?;
        // The one after the last first: mostly it is that.
        let later = T::KEYS.iter().enumerate().skip(expected);
        let mut keys = later.chain(T::KEYS.iter().enumerate().take(expected));
        if let Some((at, key)) = keys.find(|(_, key)| name.is(key))
            && let Some(slot) = values.get_mut(at)
        {
            once(slot, value, key)?;
            expected = at.wrapping_add(1);
        }
    }
    scanner.end()?;
    T::from_values(&values)
}

// Readers: of what must be there, and of what need not.

type Read<T> = Result<T, WireError>;

/// What must be there, and not be null or empty.
fn some<'a>(value: Value<'a>, field: &'static str) -> Read<Value<'a>> {
    let empty = Value::Text(Text::unescaped(""));
    if value == Value::Null || value == empty {
        return Err(WireError::Missing { field });
    }
    Ok(value)
}

/// A string that says something.
pub(super) fn text<'a>(value: Value<'a>, field: &'static str) -> Read<Text<'a>> {
    some(value, field)?.text(field)
}

/// A string that may say nothing.
pub(super) fn text_or_empty<'a>(value: Value<'a>, field: &'static str) -> Read<Text<'a>> {
    if value == Value::Null { Ok(Text::default()) } else { value.text(field) }
}

pub(super) fn symbol(value: Value<'_>, field: &'static str) -> Read<Symbol> {
    name(value, field, |name| Symbol::new(name).ok())
}

pub(super) fn currency(value: Value<'_>, field: &'static str) -> Read<Currency> {
    name(value, field, |name| Currency::new(name).ok())
}

fn name<T>(value: Value<'_>, field: &'static str, make: impl Fn(&str) -> Option<T>) -> Read<T> {
    // Longer than any name.
    let mut room = [0; 64];
    let name = text(value, field)?.resolve(&mut room).and_then(make);
    name.ok_or(WireError::Malformed { field })
}

pub(super) fn number(value: Value<'_>, field: &'static str) -> Read<Decimal> {
    let digits = some(value, field)?.digits(field)?;
    Decimal::parse(digits).ok_or(WireError::OutOfRange { field })
}

pub(super) fn price(value: Value<'_>, field: &'static str) -> Read<Price> {
    Price::parse(some(value, field)?.digits(field)?, field)
}

pub(super) fn lots(value: Value<'_>, field: &'static str) -> Read<Lots> {
    Lots::parse(some(value, field)?.digits(field)?, field)
}

pub(super) fn sequence(value: Value<'_>, field: &'static str) -> Read<Sequence> {
    count(value, field).map(Sequence::new)
}

/// A whole number, zero or more.
pub(super) fn count(value: Value<'_>, field: &'static str) -> Read<u64> {
    lots(value, field).map(Lots::get)
}

/// A whole number.
pub(super) fn integer(value: Value<'_>, field: &'static str) -> Read<i64> {
    let decimal = number(value, field)?;
    if decimal.exponent() < 0 {
        return Err(WireError::NotWhole { field });
    }
    let integer = decimal.scaled(0).and_then(|integer| i64::try_from(integer).ok());
    integer.ok_or(WireError::OutOfRange { field })
}

pub(super) fn flag(value: Value<'_>, field: &'static str) -> Read<bool> {
    match some(value, field)? {
        Value::Bool(flag) => Ok(flag),
        Value::Text(_) | Value::Number(_) | Value::Null | Value::Object(_) | Value::Array(_) => {
            Err(WireError::WrongType { field })
        }
    }
}

/// `buy` and `sell`.
pub(super) fn side(value: Value<'_>, field: &'static str) -> Read<Side> {
    match text(value, field)? {
        side if side.is("buy") => Ok(Side::Bid),
        side if side.is("sell") => Ok(Side::Ask),
        _ => Err(WireError::Malformed { field }),
    }
}

/// `buy` and `sell`, of a trade.
pub(super) fn taker_side(value: Value<'_>, field: &'static str) -> Read<TakerSide> {
    side(value, field).map(|side| match side {
        Side::Bid => TakerSide::Buy,
        Side::Ask => TakerSide::Sell,
    })
}

/// A time in milliseconds since 1970.
pub(super) fn millis(value: Value<'_>, field: &'static str) -> Read<UnixNanos> {
    time(value, field, 6)
}

/// A time in nanoseconds since 1970.
pub(super) fn nanos(value: Value<'_>, field: &'static str) -> Read<UnixNanos> {
    time(value, field, 0)
}

/// By decimals, so that no digit is lost. 1970 itself is no time of the exchange: so it says "none".
fn time(value: Value<'_>, field: &'static str, scale: u8) -> Read<UnixNanos> {
    let nanos = number(value, field)?.scaled(scale).and_then(|nanos| u64::try_from(nanos).ok());
    match nanos {
        Some(0) => Err(WireError::Missing { field }),
        Some(nanos) => Ok(UnixNanos::from_nanos(nanos)),
        None => Err(WireError::OutOfRange { field }),
    }
}

/// A length of time in milliseconds.
pub(super) fn interval(value: Value<'_>, field: &'static str) -> Read<Duration> {
    count(value, field).map(Duration::from_millis)
}

/// Whatever it is.
pub(super) fn any<'a>(value: Value<'a>, _field: &'static str) -> Read<Value<'a>> {
    Ok(value)
}

/// Rows in an array; absent, null or anything else means none.
pub(super) fn list<'a, T>(value: Value<'a>, _field: &'static str) -> Read<Rows<'a, T>> {
    Ok(Rows::of(array_or_empty(value)))
}

/// Strings in an array; absent, null or anything else means none.
pub(super) fn strings<'a>(value: Value<'a>, _field: &'static str) -> Read<Strings<'a>> {
    Ok(Strings(array_or_empty(value)))
}

/// The bytes of an array; of an empty one if it is absent, null or anything else.
pub(super) fn array_or_empty(value: Value<'_>) -> &[u8] {
    if let Value::Array(array) = value { array } else { b"[]" }
}

/// The readers of what need not be there: what cannot be read is none.
macro_rules! if_any {
    ($($name:ident: $read:ident -> $type:ty;)*) => {
        $(pub(super) fn $name<'a>(value: Value<'a>, field: &'static str) -> Read<Option<$type>> {
            Ok($read(value, field).ok())
        })*
    };
}

if_any! {
    text_if_any: text -> Text<'a>;
    symbol_if_any: symbol -> Symbol;
    taker_side_if_any: taker_side -> TakerSide;
    currency_if_any: currency -> Currency;
    number_if_any: number -> Decimal;
    price_if_any: price -> Price;
    lots_if_any: lots -> Lots;
    sequence_if_any: sequence -> Sequence;
    count_if_any: count -> u64;
    flag_if_any: flag -> bool;
    millis_if_any: millis -> UnixNanos;
    nanos_if_any: nanos -> UnixNanos;
    interval_if_any: interval -> Duration;
}

/// The strings of an array, as they stand in a reply.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Strings<'a>(&'a [u8]);

impl<'a> Strings<'a> {
    /// Each of them; what is no string is left out.
    pub fn iter(&self) -> impl Iterator<Item = Text<'a>> + use<'a> {
        elements(self.0).filter_map(|value| value.text("").ok())
    }
}

impl core::fmt::Debug for Strings<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// The elements of an array that was read before as a whole: so there is no error in it.
pub(super) fn elements<'a>(array: &'a [u8]) -> impl Iterator<Item = Value<'a>> + use<'a> {
    let mut scanner = Scanner::of_text(array);
    let mut is_open = scanner.array().is_ok();
    let mut first = true;
    core::iter::from_fn(move || {
        is_open = is_open && scanner.element(&mut first).unwrap_or(false);
        if is_open { scanner.value().ok() } else { None }
    })
}
