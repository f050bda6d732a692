//! The value of a key as what it is: in its place if it is usual, and from its [`Entry`] otherwise.

use super::NONE;
use crate::error::WireError;
use crate::ids::{Sequence, Symbol};
use crate::num::{Decimal, Lots, Price};
use crate::time::UnixNanos;
use crate::wire::exchange_time::{Time, Unit};
use crate::wire::text::Text;
use crate::wire::walk::{Kind, Token};
use crate::wire::{swar, usual};

/// The value of a key, where it stands.
#[derive(Clone, Copy, Debug)]
pub(in crate::wire) struct Entry<'a> {
    field: &'static str,
    text: &'a [u8],
    kind: Kind,
    is_there: bool,
}

impl<'a> Entry<'a> {
    pub(in crate::wire) fn new(data: &'a [u8], token: Token, field: &'static str) -> Self {
        let text = data.get(token.start..token.end).unwrap_or_default();
        let is_null = token.kind == Kind::Other && text == b"null";
        Self { field, text, kind: token.kind, is_there: token != NONE && !is_null }
    }

    /// Of a key that is not there.
    pub(in crate::wire) const fn absent(field: &'static str) -> Self {
        Self { field, text: &[], kind: Kind::Other, is_there: false }
    }

    /// The value of an element that stands by itself.
    pub(super) fn there(self) -> Result<Self, WireError> {
        if self.is_there { Ok(self) } else { Err(WireError::Missing { field: self.field }) }
    }

    const fn is_nothing(self) -> bool {
        !self.is_there || matches!(self.kind, Kind::Text) && self.text.is_empty()
    }

    const fn wrong_type(self) -> WireError {
        WireError::WrongType { field: self.field }
    }

    const fn out_of_range(self) -> WireError {
        WireError::OutOfRange { field: self.field }
    }

    /// The digits of a number, or of a string that should hold one.
    fn digits(self) -> Result<&'a [u8], WireError> {
        match self.there()?.kind {
            Kind::Text | Kind::Number => Ok(self.text),
            Kind::Escaped | Kind::Other => Err(self.wrong_type()),
        }
    }

    /// A whole number, also as `12.0` and `1.2E1`.
    fn integer(self) -> Result<i128, WireError> {
        let digits = self.digits()?;
        let plain = swar::whole_number(digits).map(i128::from);
        let value = plain.or_else(|| Decimal::parse(digits)?.scaled(0));
        value.ok_or_else(|| self.out_of_range())
    }

    pub(in crate::wire) fn text(self) -> Result<Text<'a>, WireError> {
        let is_escaped = match self.there()?.kind {
            Kind::Text => false,
            Kind::Escaped => true,
            Kind::Number | Kind::Other => return Err(self.wrong_type()),
        };
        let text = core::str::from_utf8(self.text).map_err(|_| self.wrong_type())?;
        Ok(Text::checked(text, is_escaped))
    }

    /// The bytes of an object or an array.
    pub(in crate::wire) fn nested(self, opening: u8) -> Result<&'a [u8], WireError> {
        let is_that = self.there()?.kind == Kind::Other && self.text.first() == Some(&opening);
        if is_that { Ok(self.text) } else { Err(self.wrong_type()) }
    }

    fn time(self, unit: Unit) -> Option<UnixNanos> {
        if self.is_nothing() {
            return None;
        }
        match self.kind {
            Kind::Text | Kind::Number => Time::of_digits(self.text, unit).known(),
            Kind::Escaped | Kind::Other => None,
        }
    }
}

/// How a value is read whose type does not say that.
pub(in crate::wire) trait ReadBy {
    /// What it becomes.
    type Value;

    fn read(entry: Entry<'_>) -> Result<Self::Value, WireError>;

    /// What stands there and where that ends, if it is usual: the same that [`read`](Self::read) says of it.
    fn usual(bytes: &[u8], at: usize) -> Option<(Self::Value, usize)>;
}

macro_rules! times {
    ($($(#[$doc:meta])* $name:ident = $unit:ident $(or $other:ident)?;)*) => {$(
        $(#[$doc])*
        pub(in crate::wire) struct $name;

        impl ReadBy for $name {
            type Value = Option<UnixNanos>;

            fn read(entry: Entry<'_>) -> Result<Self::Value, WireError> {
                Ok(entry.time(Unit::$unit)$(.or_else(|| entry.time(Unit::$other)))?)
            }

            fn usual(bytes: &[u8], at: usize) -> Option<(Self::Value, usize)> {
                let (number, end) = usual::integer(bytes, at)?;
                let time = Time::of_number(number, Unit::$unit);
                Some((time$(.or_else(|| Time::of_number(number, Unit::$other)))?, end))
            }
        }
    )*};
}

times! {
    /// A time in milliseconds; one that cannot be read is none.
    Millis = Millis;
    /// A time in nanoseconds; one that cannot be read is none.
    Nanos = Nanos;
    /// A time in milliseconds or nanoseconds: documented as one, seen as the other.
    Either = Millis or Nanos;
}

/// What a value can be read as.
pub(in crate::wire) trait Read<'a>: Sized {
    fn read(entry: Entry<'a>) -> Result<Self, WireError>;

    /// What stands there and where that ends, if it is usual: the same that [`read`](Self::read) says of it.
    fn usual(data: &'a [u8], at: usize) -> Option<(Self, usize)>;

    /// What it is if it is not there; `None` if it has to be.
    #[inline]
    fn absent() -> Option<Self> {
        None
    }
}

impl<'a, T: Read<'a>> Read<'a> for Option<T> {
    fn read(entry: Entry<'a>) -> Result<Self, WireError> {
        if entry.is_nothing() { Ok(None) } else { T::read(entry).map(Some) }
    }

    #[inline]
    fn usual(data: &'a [u8], at: usize) -> Option<(Self, usize)> {
        match usual::nothing(data, at) {
            Some(end) => Some((None, end)),
            None => T::usual(data, at).map(|(value, end)| (Some(value), end)),
        }
    }

    #[inline]
    fn absent() -> Option<Self> {
        Some(None)
    }
}

impl Read<'_> for Decimal {
    fn read(entry: Entry<'_>) -> Result<Self, WireError> {
        let digits = entry.digits()?;
        let usual = swar::usual_decimal(digits).or_else(|| Self::parse(digits));
        usual.ok_or_else(|| entry.out_of_range())
    }

    #[inline]
    fn usual(data: &[u8], at: usize) -> Option<(Self, usize)> {
        usual::decimal(data, at)
    }
}

impl Read<'_> for Price {
    fn read(entry: Entry<'_>) -> Result<Self, WireError> {
        let digits = entry.digits()?;
        swar::usual_price(digits).map_or_else(|| Self::parse(digits, entry.field), Ok)
    }

    #[inline]
    fn usual(data: &[u8], at: usize) -> Option<(Self, usize)> {
        usual::price(data, at)
    }
}

impl Read<'_> for Lots {
    fn read(entry: Entry<'_>) -> Result<Self, WireError> {
        let digits = entry.digits()?;
        let lots = swar::whole_number(digits).map(Self::new);
        lots.map_or_else(|| Self::parse(digits, entry.field), Ok)
    }

    #[inline]
    fn usual(data: &[u8], at: usize) -> Option<(Self, usize)> {
        usual::integer(data, at).map(|(lots, end)| (Self::new(lots), end))
    }
}

impl Read<'_> for u64 {
    fn read(entry: Entry<'_>) -> Result<Self, WireError> {
        Self::try_from(entry.integer()?).map_err(|_| entry.out_of_range())
    }

    #[inline]
    fn usual(data: &[u8], at: usize) -> Option<(Self, usize)> {
        usual::integer(data, at)
    }
}

impl Read<'_> for i64 {
    fn read(entry: Entry<'_>) -> Result<Self, WireError> {
        Self::try_from(entry.integer()?).map_err(|_| entry.out_of_range())
    }

    #[inline]
    fn usual(data: &[u8], at: usize) -> Option<(Self, usize)> {
        let is_negative = data.get(at) == Some(&b'-');
        let (value, end) = usual::integer(data, at.wrapping_add(usize::from(is_negative)))?;
        let value = Self::try_from(value).ok()?;
        // A sign stands between the quotes.
        let is_usual = !is_negative || data.get(at.wrapping_add(1)) != Some(&b'"');
        is_usual.then_some((if is_negative { value.wrapping_neg() } else { value }, end))
    }
}

impl Read<'_> for Sequence {
    fn read(entry: Entry<'_>) -> Result<Self, WireError> {
        u64::read(entry).map(Self::new)
    }

    #[inline]
    fn usual(data: &[u8], at: usize) -> Option<(Self, usize)> {
        usual::integer(data, at).map(|(sequence, end)| (Self::new(sequence), end))
    }
}

impl Read<'_> for bool {
    fn read(entry: Entry<'_>) -> Result<Self, WireError> {
        match (entry.there()?.kind, entry.text) {
            (Kind::Other | Kind::Text, b"true") => Ok(true),
            (Kind::Other | Kind::Text, b"false") => Ok(false),
            _ => Err(entry.wrong_type()),
        }
    }

    #[inline]
    fn usual(data: &[u8], at: usize) -> Option<(Self, usize)> {
        match data.get(at..)? {
            [b't', b'r', b'u', b'e', ..] => Some((true, at.wrapping_add(4))),
            [b'f', b'a', b'l', b's', b'e', ..] => Some((false, at.wrapping_add(5))),
            _ => None,
        }
    }
}

impl<'a> Read<'a> for Text<'a> {
    fn read(entry: Entry<'a>) -> Result<Self, WireError> {
        entry.text()
    }

    #[inline]
    fn usual(data: &'a [u8], at: usize) -> Option<(Self, usize)> {
        let (text, end) = usual::text(data, at)?;
        Some((Text::checked(core::str::from_utf8(text).ok()?, false), end))
    }
}

impl Read<'_> for Symbol {
    fn read(entry: Entry<'_>) -> Result<Self, WireError> {
        let malformed = WireError::Malformed { field: entry.field };
        if entry.is_there && entry.kind == Kind::Text {
            return Self::of_bytes(entry.text).ok_or(malformed);
        }
        let mut room = [0; Self::MAX_LEN];
        let text = entry.text()?.resolve(&mut room);
        text.and_then(|text| Self::new(text).ok()).ok_or(malformed)
    }

    #[inline]
    fn usual(data: &[u8], at: usize) -> Option<(Self, usize)> {
        let (text, end) = usual::text(data, at)?;
        Some((Self::of_bytes(text)?, end))
    }
}
