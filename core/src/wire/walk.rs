//! A walk over an object without a look back: what nearly every frame consists of is read in few steps.
//!
//! Strings in printable ASCII without an escape, numbers without an exponent and levels are read here; every
//! other value by the [`Scanner`], in its place. An unusual key ends the walk. Where it comes to its end the scanner would
//! have come to the same one; where it does not, that says nothing.
//!
//! Places are handed on by value: kept in a structure they are written and read back for every byte.
#![allow(clippy::inline_always, reason = "called twice, in the loops of the hot path; measured")]

use super::scan::{MAX_DEPTH, Scanner, Value};
use super::swar;

/// Where a value stands: a text without its quotes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Token {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) kind: Kind,
}

/// What kind of value it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Text,
    /// A text with an escape in it.
    Escaped,
    Number,
    /// A word, an object, an array.
    Other,
}

impl Token {
    /// Of what the scanner has read from here to there.
    pub(super) const fn of(value: Value<'_>, start: usize, end: usize) -> Self {
        let kind = match value {
            Value::Text(text) => {
                let kind = if text.is_escaped() { Kind::Escaped } else { Kind::Text };
                return Self { start: start.wrapping_add(1), end: end.wrapping_sub(1), kind };
            }
            Value::Number(_) => Kind::Number,
            Value::Bool(_) | Value::Null | Value::Object(_) | Value::Array(_) => Kind::Other,
        };
        Self { start, end, kind }
    }
}

/// Walks over the object that begins at `at` and says where it ends. `visit` is told each key and where its
/// value begins, and says where that ends.
#[inline(always)]
pub(super) fn object<'a>(
    bytes: &'a [u8],
    at: usize,
    visit: impl FnMut(&'a [u8], usize) -> Option<usize>,
) -> Option<usize> {
    let at = space(bytes, expect(bytes, at, b'{')?);
    if bytes.get(at) == Some(&b'}') {
        return Some(at.wrapping_add(1));
    }
    members(bytes, at, visit)
}

/// Where the first key of an object that nothing but white space stands before begins; that one stands there
/// has to be looked at.
#[inline]
pub(super) fn first_key(bytes: &[u8]) -> Option<usize> {
    Some(space(bytes, expect(bytes, space(bytes, 0), b'{')?))
}

/// As [`object`], from one of its keys on.
#[inline(always)]
pub(super) fn members<'a>(
    bytes: &'a [u8],
    mut at: usize,
    mut visit: impl FnMut(&'a [u8], usize) -> Option<usize>,
) -> Option<usize> {
    loop {
        let start = expect(bytes, at, b'"')?;
        let name = bytes.get(start..)?;
        let name = name.get(..swar::text_len(name))?;
        let end = expect(bytes, start.wrapping_add(name.len()), b'"')?;
        let value = space(bytes, expect(bytes, space(bytes, end), b':')?);
        at = space(bytes, visit(name, value)?);
        match bytes.get(at)? {
            b',' => at = space(bytes, at.wrapping_add(1)),
            b'}' => return Some(at.wrapping_add(1)),
            _ => return None,
        }
    }
}

/// The value that begins at `at`, in an object of this depth, and where what follows it begins.
#[inline(always)]
pub(super) fn value(bytes: &[u8], at: usize, depth: u32) -> Option<(Token, usize)> {
    let rest = bytes.get(at..)?;
    let (&first, behind) = rest.split_first()?;
    if first == b'"' {
        let start = at.wrapping_add(1);
        let end = start.wrapping_add(swar::text_len(behind));
        if bytes.get(end) == Some(&b'"') {
            return Some((Token { start, end, kind: Kind::Text }, end.wrapping_add(1)));
        }
    } else if first.wrapping_sub(b'0') <= 9 {
        let len = swar::digits_len(rest);
        let mut end = at.wrapping_add(len);
        if bytes.get(end) == Some(&b'.') {
            let places = bytes.get(end.wrapping_add(1)..)?;
            end = end.wrapping_add(1).wrapping_add(swar::digits_len(places));
        }
        let last = bytes.get(end.wrapping_sub(1));
        let is_padded = first == b'0' && len > 1;
        if matches!(bytes.get(end), Some(b',' | b'}')) && last != Some(&b'.') && !is_padded {
            return Some((Token { start: at, end, kind: Kind::Number }, end));
        }
    }
    match first {
        b'-' => match number(bytes, at.wrapping_add(1)) {
            Some(end) => Some((Token { start: at, end, kind: Kind::Number }, end)),
            None => unusual(bytes, at, depth),
        },
        b'[' if depth.wrapping_add(2) <= MAX_DEPTH => {
            other(bytes, at, depth, levels(bytes, at).or_else(|| texts(bytes, at)))
        }
        b't' | b'f' | b'n' => other(bytes, at, depth, word(bytes, at)),
        _ => unusual(bytes, at, depth),
    }
}

/// What is neither a text nor a number, and ends there if it is usual.
#[inline]
fn other(bytes: &[u8], at: usize, depth: u32, end: Option<usize>) -> Option<(Token, usize)> {
    match end {
        Some(end) => Some((Token { start: at, end, kind: Kind::Other }, end)),
        None => unusual(bytes, at, depth),
    }
}

/// Walks over the data of a message, whatever keys it has, and says where it ends.
pub(crate) fn skip_object(bytes: &[u8], at: usize) -> Option<usize> {
    object(bytes, at, |_, at| value(bytes, at, 2).map(|(_, end)| end))
}

/// Walks over the rest of an object from one of its keys on, and says where it ends. Which keys it has, and
/// whether one twice, is not looked at.
#[inline(never)]
pub(super) fn skip_members(bytes: &[u8], at: usize, depth: u32) -> Option<usize> {
    members(bytes, space(bytes, at), |_, at| value(bytes, at, depth).map(|(_, end)| end))
}

/// The end of a number without its sign, before a comma or a brace.
#[inline(never)]
fn number(bytes: &[u8], start: usize) -> Option<usize> {
    let mut end = digits(bytes, start)?;
    if bytes.get(start) == Some(&b'0') && end.wrapping_sub(start) > 1 {
        return None;
    }
    if bytes.get(end) == Some(&b'.') {
        end = digits(bytes, end.wrapping_add(1))?;
    }
    matches!(bytes.get(end), Some(b',' | b'}')).then_some(end)
}

/// The end of an array of arrays of a text and a whole number: levels, as nearly all are written.
#[inline(never)]
fn levels(bytes: &[u8], at: usize) -> Option<usize> {
    let mut at = expect(bytes, at, b'[')?;
    loop {
        at = expect(bytes, expect(bytes, at, b'[')?, b'"')?;
        at = at.wrapping_add(swar::text_len(bytes.get(at..)?));
        at = expect(bytes, expect(bytes, at, b'"')?, b',')?;
        let end = digits(bytes, at)?;
        if bytes.get(at) == Some(&b'0') && end.wrapping_sub(at) > 1 {
            return None;
        }
        at = expect(bytes, end, b']')?;
        match bytes.get(at)? {
            b',' => at = at.wrapping_add(1),
            b']' => return Some(at.wrapping_add(1)),
            _ => return None,
        }
    }
}

/// The end of an array of texts: a candle, as all are written.
#[inline(never)]
fn texts(bytes: &[u8], at: usize) -> Option<usize> {
    let mut at = expect(bytes, at, b'[')?;
    loop {
        at = expect(bytes, at, b'"')?;
        at = at.wrapping_add(swar::text_len(bytes.get(at..)?));
        at = expect(bytes, at, b'"')?;
        match bytes.get(at)? {
            b',' => at = at.wrapping_add(1),
            b']' => return Some(at.wrapping_add(1)),
            _ => return None,
        }
    }
}

/// The end of a word, before a comma or a brace.
#[inline(never)]
fn word(bytes: &[u8], at: usize) -> Option<usize> {
    let rest = bytes.get(at..)?;
    let len = match rest.first_chunk()? {
        b"true" | b"null" => 4,
        b"fals" if rest.get(4) == Some(&b'e') => 5,
        _ => return None,
    };
    matches!(rest.get(len), Some(b',' | b'}')).then_some(at.wrapping_add(len))
}

/// Behind the digits that begin at `at`; `None` if there are none.
#[inline]
fn digits(bytes: &[u8], at: usize) -> Option<usize> {
    let digits = swar::digits_len(bytes.get(at..)?);
    (digits > 0).then_some(at.wrapping_add(digits))
}

#[cold]
fn unusual(bytes: &[u8], at: usize, depth: u32) -> Option<(Token, usize)> {
    let mut scanner = Scanner::inside(bytes, at, depth);
    let value = scanner.value().ok()?;
    let end = scanner.at();
    Some((Token::of(value, at, end), end))
}

/// Whether nothing but white space is left.
pub(super) fn is_end(bytes: &[u8], at: usize) -> bool {
    space(bytes, at) == bytes.len()
}

/// Where what begins at `at` begins without white space.
#[inline(always)]
pub(super) fn space(bytes: &[u8], at: usize) -> usize {
    match bytes.get(at) {
        Some(&byte) if byte <= b' ' => some_space(bytes, at),
        _ => at,
    }
}

#[inline(never)]
fn some_space(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    let is_space = |byte: &&u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
    at.wrapping_add(rest.iter().take_while(is_space).count())
}

#[inline(always)]
fn expect(bytes: &[u8], at: usize, byte: u8) -> Option<usize> {
    (bytes.get(at) == Some(&byte)).then_some(at.wrapping_add(1))
}
