//! A JSON reader that pulls: any key order, white space, escapes, unknown keys of any type.
//!
//! It never allocates and never recurses: what is skipped is walked with one bit per open
//! container. Strict where RFC 8259 is strict (numbers, escapes, control characters, UTF-8, lone
//! surrogates, a byte order mark), and bounded: 16 levels.

use super::swar;
use super::text::Text;
use crate::error::WireError;

/// Deepest nesting accepted, the outermost object included. Real frames have 4.
pub(crate) const MAX_DEPTH: u32 = 16;

/// Any JSON value: scalars as they stand, containers as their checked bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Value<'a> {
    Text(Text<'a>),
    Number(&'a str),
    Bool(bool),
    Null,
    Object(&'a [u8]),
    Array(&'a [u8]),
}

impl<'a> Value<'a> {
    pub(crate) fn text(self, field: &'static str) -> Result<Text<'a>, WireError> {
        let Self::Text(text) = self else { return Err(WireError::WrongType { field }) };
        Ok(text)
    }

    /// The digits of a number, or of a string that should hold one: both occur for prices.
    pub(crate) fn digits(self, field: &'static str) -> Result<&'a [u8], WireError> {
        match self {
            Self::Number(text) => Ok(text.as_bytes()),
            Self::Text(text) => {
                text.plain().map(str::as_bytes).ok_or(WireError::WrongType { field })
            }
            Self::Bool(_) | Self::Null | Self::Object(_) | Self::Array(_) => {
                Err(WireError::WrongType { field })
            }
        }
    }
}

/// Stores the value of a key that must not stand twice.
pub(crate) fn once<T>(
    slot: &mut Option<T>,
    value: T,
    field: &'static str,
) -> Result<(), WireError> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(WireError::Duplicate { field }),
    }
}

/// The reader: a place in the bytes.
///
/// What it does by itself says no more than that it went wrong: the place and the depth say the rest
/// ([`Scanner::error`]).
#[derive(Clone, Debug)]
pub(crate) struct Scanner<'a> {
    bytes: &'a [u8],
    /// The same, if it was looked at and found to be UTF-8.
    whole: Option<&'a str>,
    at: usize,
    depth: u32,
}

/// What kind of value was passed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text { escaped: bool },
    Number,
    Bool(bool),
    Null,
    Object,
    Array,
}

impl<'a> Scanner<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, whole: None, at: 0, depth: 0 }
    }

    /// For short texts, of which most is strings: looks at their encoding once and not for each.
    pub(crate) fn of_text(bytes: &'a [u8]) -> Self {
        Self { whole: core::str::from_utf8(bytes).ok(), ..Self::new(bytes) }
    }

    /// From a place on, inside of so many open containers.
    pub(super) const fn inside(bytes: &'a [u8], at: usize, depth: u32) -> Self {
        Self { bytes, whole: None, at, depth }
    }

    /// Opens an object.
    pub(crate) fn object(&mut self) -> Result<(), WireError> {
        self.open(b'{').ok_or_else(|| self.error())
    }

    /// Opens an array.
    pub(crate) fn array(&mut self) -> Result<(), WireError> {
        self.open(b'[').ok_or_else(|| self.error())
    }

    /// The next key of the open object with its colon; `None` once it is closed. `first` starts
    /// out true.
    pub(crate) fn key(&mut self, first: &mut bool) -> Result<Option<Text<'a>>, WireError> {
        self.try_key(first).ok_or_else(|| self.error())
    }

    /// Whether the open array has another element; `first` starts out true.
    pub(crate) fn element(&mut self, first: &mut bool) -> Result<bool, WireError> {
        self.more(b']', first).ok_or_else(|| self.error())
    }

    /// The next value, whatever it is.
    pub(crate) fn value(&mut self) -> Result<Value<'a>, WireError> {
        self.try_value().ok_or_else(|| self.error())
    }

    /// Whether the next value is null; reads it if so.
    pub(crate) fn null(&mut self) -> Result<bool, WireError> {
        self.space();
        let is_null = self.peek() == Some(b'n');
        if is_null {
            self.word(b"null").ok_or_else(|| self.error())?;
        }
        Ok(is_null)
    }

    /// What has not been read yet.
    #[inline]
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    /// Goes on behind what somebody else has read of the rest.
    #[inline]
    pub(crate) const fn skip(&mut self, len: usize) {
        self.at = self.at.wrapping_add(len);
    }

    /// How far it has come.
    pub(crate) const fn at(&self) -> usize {
        self.at
    }

    /// Nothing but white space is left.
    pub(crate) fn end(&mut self) -> Result<(), WireError> {
        self.space();
        if self.peek().is_none() { Ok(()) } else { Err(self.error()) }
    }

    fn try_key(&mut self, first: &mut bool) -> Option<Option<Text<'a>>> {
        if !self.more(b'}', first)? {
            return Some(None);
        }
        let start = self.at;
        let escaped = self.string()?;
        let name = self.between_quotes(start);
        self.colon()?;
        Some(Some(Text::checked(name, escaped)))
    }

    fn try_value(&mut self) -> Option<Value<'a>> {
        self.space();
        let start = self.at;
        Some(match self.any()? {
            Kind::Text { escaped } => {
                Value::Text(Text::checked(self.between_quotes(start), escaped))
            }
            Kind::Number => Value::Number(self.text(start, self.at)),
            Kind::Bool(value) => Value::Bool(value),
            Kind::Null => Value::Null,
            Kind::Object => Value::Object(self.bytes.get(start..self.at)?),
            Kind::Array => Value::Array(self.bytes.get(start..self.at)?),
        })
    }

    fn open(&mut self, bracket: u8) -> Option<()> {
        self.space();
        self.expect(bracket)?;
        self.deeper()
    }

    #[inline]
    fn more(&mut self, close: u8, first: &mut bool) -> Option<bool> {
        self.space();
        if self.take(close) {
            self.depth = self.depth.saturating_sub(1);
            return Some(false);
        }
        if !core::mem::replace(first, false) {
            self.expect(b',')?;
            self.space();
        }
        Some(true)
    }

    #[inline]
    fn colon(&mut self) -> Option<()> {
        self.space();
        self.expect(b':')
    }

    #[inline]
    fn any(&mut self) -> Option<Kind> {
        match self.peek()? {
            b'"' => self.string().map(|escaped| Kind::Text { escaped }),
            b'{' => self.container().map(|()| Kind::Object),
            b'[' => self.container().map(|()| Kind::Array),
            _ => self.bare(),
        }
    }

    /// A value without quotes or brackets.
    #[inline]
    fn bare(&mut self) -> Option<Kind> {
        match self.peek()? {
            b't' => self.word(b"true").map(|()| Kind::Bool(true)),
            b'f' => self.word(b"false").map(|()| Kind::Bool(false)),
            b'n' => self.word(b"null").map(|()| Kind::Null),
            _ => self.number().map(|()| Kind::Number),
        }
    }

    #[inline]
    fn number(&mut self) -> Option<()> {
        let digits = swar::digits_len(self.rest());
        let end = self.at.wrapping_add(digits);
        let may_stand = digits == 1 || (digits > 1 && self.peek() != Some(b'0'));
        if may_stand && !matches!(self.bytes.get(end), Some(b'.' | b'e' | b'E')) {
            self.at = end;
            return Some(());
        }
        self.any_number()
    }

    /// A number with a sign, a point or an exponent, or none at all.
    fn any_number(&mut self) -> Option<()> {
        self.take(b'-');
        if !self.take(b'0') {
            self.digits()?;
        }
        if self.take(b'.') {
            self.digits()?;
        }
        if self.take(b'e') || self.take(b'E') {
            if !self.take(b'+') {
                self.take(b'-');
            }
            self.digits()?;
        }
        Some(())
    }

    fn digits(&mut self) -> Option<()> {
        let digits = swar::digits_len(self.rest());
        self.skip(digits);
        (digits > 0).then_some(())
    }

    /// Passes a string with its quotes, and says whether there is an escape in it.
    #[inline]
    fn string(&mut self) -> Option<bool> {
        self.expect(b'"')?;
        let start = self.at;
        self.skip(swar::plain_len(self.rest()));
        let escaped = self.peek() != Some(b'"');
        if escaped {
            self.escapes()?;
        }
        if self.whole.is_none() {
            self.encoding(start)?;
        }
        self.advance();
        Some(escaped)
    }

    /// The rest of a string that has escapes, up to its quote.
    #[cold]
    fn escapes(&mut self) -> Option<()> {
        loop {
            match self.peek()? {
                b'"' => return Some(()),
                b'\\' => self.escape()?,
                _ => return None,
            }
            self.skip(swar::plain_len(self.rest()));
        }
    }

    /// Whether what was read since `start` is UTF-8; if not, goes back to where that ends.
    fn encoding(&mut self, start: usize) -> Option<()> {
        let text = self.bytes.get(start..self.at)?;
        if let Err(error) = core::str::from_utf8(text) {
            self.at = start.wrapping_add(error.valid_up_to());
            return None;
        }
        Some(())
    }

    /// The string that was passed since `start`, without its quotes.
    #[inline]
    fn between_quotes(&self, start: usize) -> &'a str {
        self.text(start.wrapping_add(1), self.at.wrapping_sub(1))
    }

    /// Something that was passed, and so is UTF-8.
    #[inline]
    fn text(&self, start: usize, end: usize) -> &'a str {
        match self.whole {
            Some(whole) => whole.get(start..end).unwrap_or_default(),
            None => {
                let text = self.bytes.get(start..end).unwrap_or_default();
                core::str::from_utf8(text).unwrap_or_default()
            }
        }
    }

    fn escape(&mut self) -> Option<()> {
        self.advance();
        match self.peek()? {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => self.advance(),
            b'u' => match self.unit()? {
                0xdc00..0xe000 => return None,
                0xd800..0xdc00 => {
                    self.expect(b'\\')?;
                    if !(0xdc00..0xe000).contains(&self.unit()?) {
                        return None;
                    }
                }
                _ => {}
            },
            _ => return None,
        }
        Some(())
    }

    /// `uXXXX`.
    fn unit(&mut self) -> Option<u32> {
        self.expect(b'u')?;
        let mut unit = 0;
        for _ in 0..4 {
            unit = (unit << 4) | char::from(self.peek()?).to_digit(16)?;
            self.advance();
        }
        Some(unit)
    }

    /// Walks over an object or array. One bit per open container says which of the two it is.
    fn container(&mut self) -> Option<()> {
        let outer = self.depth;
        let mut objects: u32 = 0;
        loop {
            self.space();
            let opened = match self.peek()? {
                b'{' => Some(1),
                b'[' => Some(0),
                _ => None,
            };
            if let Some(object) = opened {
                self.advance();
                self.deeper()?;
                objects = (objects << 1) | object;
                self.space();
                let close = if object == 1 { b'}' } else { b']' };
                if self.peek() != Some(close) {
                    if object == 1 {
                        self.string()?;
                        self.colon()?;
                    }
                    continue;
                }
            } else if self.peek() == Some(b'"') {
                self.string()?;
            } else {
                self.bare()?;
            }
            if self.close_all(&mut objects, outer)? {
                return Some(());
            }
        }
    }

    /// After a value: closes what ends here. True when the outermost container did; otherwise a
    /// comma was read and another value follows.
    fn close_all(&mut self, objects: &mut u32, outer: u32) -> Option<bool> {
        loop {
            self.space();
            let object = *objects & 1 == 1;
            if self.take(if object { b'}' } else { b']' }) {
                *objects >>= 1;
                self.depth = self.depth.saturating_sub(1);
                if self.depth == outer {
                    return Some(true);
                }
                continue;
            }
            self.expect(b',')?;
            if object {
                self.space();
                self.string()?;
                self.colon()?;
            }
            return Some(false);
        }
    }

    fn deeper(&mut self) -> Option<()> {
        self.depth = self.depth.saturating_add(1);
        (self.depth <= MAX_DEPTH).then_some(())
    }

    fn word(&mut self, word: &[u8]) -> Option<()> {
        word.iter().try_for_each(|&byte| self.expect(byte))
    }

    /// Walks over white space, of which there is mostly none.
    #[inline]
    pub(crate) fn space(&mut self) {
        if self.peek().is_some_and(|byte| byte <= b' ') {
            self.some_space();
        }
    }

    #[cold]
    fn some_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.advance();
        }
    }

    #[inline]
    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        if found {
            self.advance();
        }
        found
    }

    #[inline]
    fn expect(&mut self, byte: u8) -> Option<()> {
        self.take(byte).then_some(())
    }

    #[inline]
    const fn advance(&mut self) {
        self.at = self.at.wrapping_add(1);
    }

    #[inline]
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// Why it did not go on.
    #[cold]
    fn error(&self) -> WireError {
        if self.depth > MAX_DEPTH {
            return WireError::TooDeep;
        }
        WireError::NotJson { at: u32::try_from(self.at).unwrap_or(u32::MAX) }
    }
}

#[cfg(test)]
mod tests;
