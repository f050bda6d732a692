//! Objects whose keys are known. Nearly all have them in one order, and no others: each value is then read in its
//! place. Otherwise one walk finds the values, and each is read as what it is, or said to be wrong.
//!
//! For all channels but level2, tickers, trades and depths, whose keys are shared ([`Fields`](super::fields)).

mod read;

use super::scan::Scanner;
use super::walk::{self, Kind, Token};
use crate::error::WireError;
pub(super) use read::{Either, Entry, Millis, Nanos, Read, ReadBy};

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
