//! Objects whose keys are known. Nearly all have them in one order, and no others: each value is then read in its
//! place. Otherwise one walk finds the values, and each is read as what it is, or said to be wrong.
//!
//! For all channels but level2, tickers, trades and depths, whose keys are shared ([`Fields`](super::fields)).

use super::exchange_time::{Time, Unit};
use super::scan::Scanner;
use super::swar;
use super::text::Text;
use super::usual;
use super::walk::{self, Kind, Token};
use crate::error::WireError;
use crate::ids::{Sequence, Symbol};
use crate::num::{Decimal, Lots, Price};
use crate::time::UnixNanos;

/// No value: one that is there does not begin with the object.
const NONE: Token = Token { start: 0, end: 0, kind: Kind::Other };

// A walk over an object whose keys stand in the order of a table, some of them left out perhaps. It only ever
// succeeds: whatever else there is ends the walk, and is for `find`. Where it stands is handed on by value, as in
// `walk`: at the brace or the comma before the next key, or at the brace that ends the object.

/// The object that begins there.
#[inline]
pub(super) fn enter(bytes: &[u8], at: usize) -> Option<usize> {
    (bytes.get(at) == Some(&b'{')).then_some(at)
}

/// Where the value of this key begins, if it is the next; the key as it is written, colon and all.
#[inline(always)]
#[allow(clippy::inline_always, reason = "the key is known when it is compiled; measured")]
pub(super) fn behind_key(bytes: &[u8], at: usize, key: &'static str) -> Option<usize> {
    let (&before, rest) = bytes.get(at..)?.split_first()?;
    let is_it = rest.starts_with(key.as_bytes()) && before != b'}';
    is_it.then(|| at.wrapping_add(1).wrapping_add(key.len()))
}

/// The value that stands there, and where the walk stands behind it.
#[inline]
pub(super) fn value<'a, T: Read<'a>>(bytes: &'a [u8], at: usize) -> Option<(T, usize)> {
    let (value, end) = T::usual(bytes, at)?;
    Some((value, behind_value(bytes, end)?))
}

/// The same by a reader of its own.
#[inline]
pub(super) fn value_by<R: ReadBy>(bytes: &[u8], at: usize) -> Option<(R::Value, usize)> {
    let (value, end) = R::usual(bytes, at)?;
    Some((value, behind_value(bytes, end)?))
}

/// Past the value that stands there, whatever it is.
#[inline(never)]
pub(super) fn pass(bytes: &[u8], at: usize) -> Option<usize> {
    let (_, end) = walk::value(bytes, at, DEPTH)?;
    behind_value(bytes, end)
}

#[inline]
fn behind_value(bytes: &[u8], end: usize) -> Option<usize> {
    matches!(bytes.get(end)?, b',' | b'}').then_some(end)
}

/// Behind the object, if it has ended.
#[inline]
pub(super) fn leave(bytes: &[u8], at: usize) -> Option<usize> {
    (bytes.get(at) == Some(&b'}')).then(|| at.wrapping_add(1))
}

/// The same past whatever keys are left.
#[inline]
pub(super) fn leave_rest(bytes: &[u8], at: usize) -> Option<usize> {
    leave(bytes, at).or_else(|| walk::skip_members(bytes, at.wrapping_add(1), DEPTH))
}

/// How deep the data of a message stands.
const DEPTH: u32 = 2;

/// Finds the values of these keys; a key has one name or several.
pub(super) fn find<const N: usize>(
    data: &[u8],
    names: &[&[&'static str]; N],
) -> Result<[Token; N], WireError> {
    let mut tokens = [NONE; N];
    let mut expected = 0;
    let end = walk::object(data, walk::space(data, 0), |name, at| {
        let (token, end) = walk::value(data, at, 1)?;
        if let Some(slot) = slot_of(names, &mut expected, name) {
            let slot = tokens.get_mut(slot).filter(|slot| **slot == NONE)?;
            *slot = token;
        }
        Some(end)
    });
    match end {
        Some(end) if walk::is_end(data, end) => Ok(tokens),
        _ => find_unusual(data, names),
    }
}

/// Which key this is. Keys mostly stand in the order of the table, one behind the other.
#[inline]
fn slot_of<const N: usize>(
    names: &[&[&str]; N],
    expected: &mut usize,
    name: &[u8],
) -> Option<usize> {
    let is = |known: &[&str]| known.iter().any(|known| known.as_bytes() == name);
    let slot = match names.get(*expected).filter(|known| is(known)) {
        Some(_) => *expected,
        None => names.iter().position(|known| is(known))?,
    };
    *expected = slot.wrapping_add(1);
    Some(slot)
}

/// The same of an object in which something is unusual or wrong.
#[cold]
fn find_unusual<const N: usize>(
    data: &[u8],
    names: &[&[&'static str]; N],
) -> Result<[Token; N], WireError> {
    let mut tokens = [NONE; N];
    let mut scanner = Scanner::of_text(data);
    scanner.object()?;
    let mut first = true;
    while let Some(name) = scanner.key(&mut first)? {
        scanner.space();
        let start = scanner.at();
        let value = scanner.value()?;
        let mut known = names.iter().zip(&mut tokens);
        let Some((names, slot)) = known.find(|(names, _)| names.iter().any(|n| name.is(n))) else {
            continue;
        };
        if *slot != NONE {
            return Err(WireError::Duplicate { field: names.first().copied().unwrap_or_default() });
        }
        *slot = Token::of(value, start, scanner.at());
    }
    scanner.end()?;
    Ok(tokens)
}

/// The value of a key, where it stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry<'a> {
    field: &'static str,
    text: &'a [u8],
    kind: Kind,
    is_there: bool,
}

impl<'a> Entry<'a> {
    pub(super) fn new(data: &'a [u8], token: Token, field: &'static str) -> Self {
        let text = data.get(token.start..token.end).unwrap_or_default();
        let is_null = token.kind == Kind::Other && text == b"null";
        Self { field, text, kind: token.kind, is_there: token != NONE && !is_null }
    }

    /// Of a key that is not there.
    pub(super) const fn absent(field: &'static str) -> Self {
        Self { field, text: &[], kind: Kind::Other, is_there: false }
    }

    /// The value of an element that stands by itself.
    fn there(self) -> Result<Self, WireError> {
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

    pub(super) fn text(self) -> Result<Text<'a>, WireError> {
        let is_escaped = match self.there()?.kind {
            Kind::Text => false,
            Kind::Escaped => true,
            Kind::Number | Kind::Other => return Err(self.wrong_type()),
        };
        let text = core::str::from_utf8(self.text).map_err(|_| self.wrong_type())?;
        Ok(Text::checked(text, is_escaped))
    }

    /// The bytes of an object or an array.
    pub(super) fn nested(self, opening: u8) -> Result<&'a [u8], WireError> {
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
pub(super) trait ReadBy {
    /// What it becomes.
    type Value;

    fn read(entry: Entry<'_>) -> Result<Self::Value, WireError>;

    /// What stands there and where that ends, if it is usual: the same that [`read`](Self::read) says of it.
    fn usual(bytes: &[u8], at: usize) -> Option<(Self::Value, usize)>;
}

/// A time in milliseconds; one that cannot be read is none.
pub(super) struct Millis;
/// A time in nanoseconds; one that cannot be read is none.
pub(super) struct Nanos;
/// A time in milliseconds or nanoseconds: documented as one, seen as the other.
pub(super) struct Either;

impl ReadBy for Millis {
    type Value = Option<UnixNanos>;

    fn read(entry: Entry<'_>) -> Result<Self::Value, WireError> {
        Ok(entry.time(Unit::Millis))
    }

    fn usual(bytes: &[u8], at: usize) -> Option<(Self::Value, usize)> {
        let (number, end) = usual::integer(bytes, at)?;
        Some((Time::of_number(number, Unit::Millis), end))
    }
}

impl ReadBy for Nanos {
    type Value = Option<UnixNanos>;

    fn read(entry: Entry<'_>) -> Result<Self::Value, WireError> {
        Ok(entry.time(Unit::Nanos))
    }

    fn usual(bytes: &[u8], at: usize) -> Option<(Self::Value, usize)> {
        let (number, end) = usual::integer(bytes, at)?;
        Some((Time::of_number(number, Unit::Nanos), end))
    }
}

impl ReadBy for Either {
    type Value = Option<UnixNanos>;

    fn read(entry: Entry<'_>) -> Result<Self::Value, WireError> {
        Ok(entry.time(Unit::Millis).or_else(|| entry.time(Unit::Nanos)))
    }

    fn usual(bytes: &[u8], at: usize) -> Option<(Self::Value, usize)> {
        let (number, end) = usual::integer(bytes, at)?;
        let of = |unit| Time::of_number(number, unit);
        Some((of(Unit::Millis).or_else(|| of(Unit::Nanos)), end))
    }
}

/// What a value can be read as.
pub(super) trait Read<'a>: Sized {
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

/// A struct whose fields are the values of an object, in the order in which they mostly stand.
///
/// A field is read by its type, or by the reader behind `by`.
macro_rules! object {
    (
        $(#[$doc:meta])*
        $vis:vis struct $name:ident $(<$life:lifetime>)? {
            $($(#[$field_doc:meta])* $field:ident: $type:ty = $key:literal $(| $alias:literal)* $(by $reader:path)?;)*
        }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        #[non_exhaustive]
        $vis struct $name $(<$life>)? {
            $($(#[$field_doc])* $vis $field: $type,)*
        }

        impl $(<$life>)? $name $(<$life>)? {
            /// Reads the `data` object of such a message.
            ///
            /// # Errors
            /// A missing, repeated or ill-typed key, or a number that its type cannot hold.
            $vis fn parse(data: & $($life)? [u8]) -> Result<Self, $crate::error::WireError> {
                match Self::in_place(data, 0) {
                    Some((usual, end)) if end == data.len() => Ok(usual),
                    _ => Self::parse_any(data),
                }
            }

            /// Reads the object that begins there and says where it ends, if it is written as nearly all are, the keys
            /// in the order of the fields; `None` says nothing.
            pub(crate) fn in_place(bytes: & $($life)? [u8], at: usize) -> Option<(Self, usize)> {
                let at = $crate::wire::object::enter(bytes, at)?;
                $(let ($field, at) = match $crate::wire::object::behind!(bytes, at, $key $(, $alias)*) {
                    Some(at) => $crate::wire::object::usual_as!(bytes, at, $key $(, $reader)?)?,
                    None => ($crate::wire::object::absent_as!($key $(, $reader)?), at),
                };)*
                let end = $crate::wire::object::leave(bytes, at)?;
                Some((Self { $($field),* }, end))
            }

            /// Walks over such an object, or any other, and says where it ends; `None` says nothing.
            pub(crate) fn skip(bytes: &[u8], at: usize) -> Option<usize> {
                let at = $crate::wire::object::enter(bytes, at)?;
                $(let at = match $crate::wire::object::behind!(bytes, at, $key $(, $alias)*) {
                    Some(at) => $crate::wire::object::pass(bytes, at)?,
                    None => at,
                };)*
                $crate::wire::object::leave_rest(bytes, at)
            }

            /// The same however it is written.
            fn parse_any(data: & $($life)? [u8]) -> Result<Self, $crate::error::WireError> {
                const NAMES: &[&[&str]; [$($key),*].len()] = &[$(&[$key $(, $alias)*]),*];
                let tokens = $crate::wire::object::find(data, NAMES)?;
                let [$($field),*] = tokens;
                Ok(Self {
                    $($field: $crate::wire::object::read_as!(
                        $crate::wire::object::Entry::new(data, $field, $key) $(, $reader)?
                    ),)*
                })
            }
        }
    };
}

/// A value by its type, or by a reader.
macro_rules! read_as {
    ($entry:expr) => {
        $crate::wire::object::Read::read($entry)?
    };
    ($entry:expr, $reader:path) => {
        <$reader as $crate::wire::object::ReadBy>::read($entry)?
    };
}

/// Behind a key, by whichever of its names.
macro_rules! behind {
    ($bytes:ident, $at:ident, $($key:literal),+) => {
        None$(.or_else(|| {
            $crate::wire::object::behind_key($bytes, $at, concat!("\"", $key, "\":"))
        }))+
    };
}

/// A value in its place, by its type or by a reader.
macro_rules! usual_as {
    ($bytes:ident, $at:ident, $key:literal) => {
        $crate::wire::object::value($bytes, $at)
    };
    ($bytes:ident, $at:ident, $key:literal, $reader:path) => {{ $crate::wire::object::value_by::<$reader>($bytes, $at) }};
}

/// What a value is that is not there.
macro_rules! absent_as {
    ($key:literal) => {
        $crate::wire::object::Read::absent()?
    };
    ($key:literal, $reader:path) => {
        <$reader as $crate::wire::object::ReadBy>::read($crate::wire::object::Entry::absent($key))
            .ok()?
    };
}

/// An enum of words, as the exchange writes them; any other word is `Other`.
macro_rules! words {
    (
        $(#[$doc:meta])*
        pub enum $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal $(| $alias:literal)*,)* }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)*
            /// A word that this version does not know.
            Other,
        }

        impl $name {
            /// The word as the exchange writes it; `other` for one that this version does not know.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* Self::Other => "other" }
            }

            /// What a word means.
            pub(crate) fn of(text: $crate::wire::Text<'_>) -> Self {
                match () {
                    $(() if text.is($word) $(|| text.is($alias))* => Self::$variant,)*
                    () => Self::Other,
                }
            }
        }

        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl $crate::wire::object::Read<'_> for $name {
            fn read(entry: $crate::wire::object::Entry<'_>) -> Result<Self, $crate::error::WireError> {
                entry.text().map(Self::of)
            }

            #[inline]
            fn usual(data: &[u8], at: usize) -> Option<(Self, usize)> {
                let (text, end) = $crate::wire::usual::text(data, at)?;
                let word = match () {
                    $(() if text == $word.as_bytes() $(|| text == $alias.as_bytes())* => Self::$variant,)*
                    () => Self::Other,
                };
                Some((word, end))
            }
        }
    };
}

pub(super) use {absent_as, behind, object, read_as, usual_as, words};

#[cfg(test)]
mod tests;
