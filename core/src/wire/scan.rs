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
    /// An unsigned integer in plain digits. `1.0`, `1e3` and `"1"` are not that.
    pub(crate) fn integer(self, field: &'static str) -> Result<u64, WireError> {
        let Self::Number(text) = self else { return Err(WireError::WrongType { field }) };
        swar::whole_number(text.as_bytes())
            .or_else(|| text.parse().ok())
            .ok_or(WireError::OutOfRange { field })
    }

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
#[derive(Clone, Debug)]
pub(crate) struct Scanner<'a> {
    bytes: &'a [u8],
    /// The same, if it was looked at and found to be UTF-8.
    whole: Option<&'a str>,
    at: usize,
    depth: u32,
}

impl<'a> Scanner<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, whole: None, at: 0, depth: 0 }
    }

    /// For short texts, of which most is strings: looks at their encoding once and not for each.
    pub(crate) fn of_text(bytes: &'a [u8]) -> Self {
        Self { whole: core::str::from_utf8(bytes).ok(), ..Self::new(bytes) }
    }

    /// Opens an object.
    pub(crate) fn object(&mut self) -> Result<(), WireError> {
        self.open(b'{')
    }

    /// Opens an array.
    pub(crate) fn array(&mut self) -> Result<(), WireError> {
        self.open(b'[')
    }

    /// The next key of the open object with its colon; `None` once it is closed. `first` starts
    /// out true.
    #[inline]
    pub(crate) fn key(&mut self, first: &mut bool) -> Result<Option<Text<'a>>, WireError> {
        if !self.more(b'}', first)? {
            return Ok(None);
        }
        self.colon_key().map(Some)
    }

    /// Whether the open array has another element; `first` starts out true.
    pub(crate) fn element(&mut self, first: &mut bool) -> Result<bool, WireError> {
        self.more(b']', first)
    }

    /// The next value, whatever it is.
    #[inline]
    pub(crate) fn value(&mut self) -> Result<Value<'a>, WireError> {
        self.space();
        let start = self.at;
        let container = |end| self.bytes.get(start..end).unwrap_or_default();
        Ok(match self.peek() {
            Some(b'{') => {
                let end = self.skip_container()?;
                Value::Object(container(end))
            }
            Some(b'[') => {
                let end = self.skip_container()?;
                Value::Array(container(end))
            }
            _ => self.scalar()?,
        })
    }

    /// Whether the next value is null; reads it if so.
    pub(crate) fn null(&mut self) -> Result<bool, WireError> {
        self.space();
        let is_null = self.peek() == Some(b'n');
        if is_null {
            self.word("null")?;
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
        if self.peek().is_none() { Ok(()) } else { Err(self.broken()) }
    }

    fn open(&mut self, bracket: u8) -> Result<(), WireError> {
        self.space();
        self.expect(bracket)?;
        self.deeper()
    }

    #[inline]
    fn more(&mut self, close: u8, first: &mut bool) -> Result<bool, WireError> {
        self.space();
        if self.take(close) {
            self.depth = self.depth.saturating_sub(1);
            return Ok(false);
        }
        if !core::mem::replace(first, false) {
            self.expect(b',')?;
            self.space();
        }
        Ok(true)
    }

    #[inline]
    fn colon_key(&mut self) -> Result<Text<'a>, WireError> {
        let key = self.string()?;
        if !self.take(b':') {
            self.space();
            self.expect(b':')?;
        }
        Ok(key)
    }

    #[inline]
    fn scalar(&mut self) -> Result<Value<'a>, WireError> {
        match self.peek() {
            Some(b'"') => self.string().map(Value::Text),
            Some(b't') => self.word("true").map(|()| Value::Bool(true)),
            Some(b'f') => self.word("false").map(|()| Value::Bool(false)),
            Some(b'n') => self.word("null").map(|()| Value::Null),
            _ => self.number().map(Value::Number),
        }
    }

    #[inline]
    fn number(&mut self) -> Result<&'a str, WireError> {
        let start = self.at;
        let digits = swar::digits_len(self.rest());
        let end = start.saturating_add(digits);
        let may_stand = digits == 1 || (digits > 1 && self.peek() != Some(b'0'));
        if may_stand && !matches!(self.bytes.get(end), Some(b'.' | b'e' | b'E')) {
            self.at = end;
            return self.text(start);
        }
        self.any_number()
    }

    /// A number with a sign, a point or an exponent, or none at all.
    fn any_number(&mut self) -> Result<&'a str, WireError> {
        let start = self.at;
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
        self.text(start)
    }

    fn digits(&mut self) -> Result<(), WireError> {
        let digits = swar::digits_len(self.rest());
        self.skip(digits);
        if digits == 0 { Err(self.broken()) } else { Ok(()) }
    }

    #[inline]
    fn string(&mut self) -> Result<Text<'a>, WireError> {
        self.expect(b'"')?;
        let start = self.at;
        self.skip(swar::plain_len(self.rest()));
        let mut escaped = false;
        if self.peek() != Some(b'"') {
            escaped = true;
            self.escapes()?;
        }
        let raw = self.text(start)?;
        self.advance();
        Ok(Text::checked(raw, escaped))
    }

    /// The rest of a string that has escapes, up to its quote.
    #[cold]
    fn escapes(&mut self) -> Result<(), WireError> {
        loop {
            match self.peek() {
                Some(b'"') => return Ok(()),
                Some(b'\\') => self.escape()?,
                _ => return Err(self.broken()),
            }
            self.skip(swar::plain_len(self.rest()));
        }
    }

    /// What was read since `start`.
    #[inline]
    fn text(&self, start: usize) -> Result<&'a str, WireError> {
        if let Some(text) = self.whole.and_then(|whole| whole.get(start..self.at)) {
            return Ok(text);
        }
        let text = self.bytes.get(start..self.at).unwrap_or_default();
        core::str::from_utf8(text).map_err(|e| not_json(start, e.valid_up_to()))
    }

    fn escape(&mut self) -> Result<(), WireError> {
        self.advance();
        match self.peek() {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.advance(),
            Some(b'u') => {
                let unit = self.unit()?;
                if (0xdc00..0xe000).contains(&unit) {
                    return Err(self.broken());
                }
                if (0xd800..0xdc00).contains(&unit) {
                    self.expect(b'\\')?;
                    if !(0xdc00..0xe000).contains(&self.unit()?) {
                        return Err(self.broken());
                    }
                }
            }
            _ => return Err(self.broken()),
        }
        Ok(())
    }

    /// `uXXXX`.
    fn unit(&mut self) -> Result<u32, WireError> {
        self.expect(b'u')?;
        let mut unit = 0;
        for _ in 0..4 {
            let digit = self.peek().and_then(|b| char::from(b).to_digit(16));
            unit = (unit << 4) | digit.ok_or_else(|| self.broken())?;
            self.advance();
        }
        Ok(unit)
    }

    /// Walks over an object or array and returns where it ends. One bit per open container says
    /// which of the two it is.
    fn skip_container(&mut self) -> Result<usize, WireError> {
        let outer = self.depth;
        let mut objects: u32 = 0;
        loop {
            self.space();
            let opened = match self.peek() {
                Some(b'{') => Some(1),
                Some(b'[') => Some(0),
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
                        self.colon_key()?;
                    }
                    continue;
                }
            } else {
                self.scalar()?;
            }
            if self.close_all(&mut objects, outer)? {
                return Ok(self.at);
            }
        }
    }

    /// After a value: closes what ends here. True when the outermost container did; otherwise a
    /// comma was read and another value follows.
    fn close_all(&mut self, objects: &mut u32, outer: u32) -> Result<bool, WireError> {
        loop {
            self.space();
            let object = *objects & 1 == 1;
            if self.take(if object { b'}' } else { b']' }) {
                *objects >>= 1;
                self.depth = self.depth.saturating_sub(1);
                if self.depth == outer {
                    return Ok(true);
                }
                continue;
            }
            self.expect(b',')?;
            if object {
                self.space();
                self.colon_key()?;
            }
            return Ok(false);
        }
    }

    fn deeper(&mut self) -> Result<(), WireError> {
        self.depth = self.depth.saturating_add(1);
        if self.depth > MAX_DEPTH { Err(WireError::TooDeep) } else { Ok(()) }
    }

    fn word(&mut self, word: &str) -> Result<(), WireError> {
        word.bytes().try_for_each(|b| self.expect(b))
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
    fn expect(&mut self, byte: u8) -> Result<(), WireError> {
        if self.take(byte) { Ok(()) } else { Err(self.broken()) }
    }

    #[inline]
    const fn advance(&mut self) {
        self.at = self.at.wrapping_add(1);
    }

    #[inline]
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn broken(&self) -> WireError {
        not_json(self.at, 0)
    }
}

fn not_json(start: usize, further: usize) -> WireError {
    WireError::NotJson { at: u32::try_from(start.saturating_add(further)).unwrap_or(u32::MAX) }
}

#[cfg(test)]
mod tests;
