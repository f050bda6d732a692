//! The data of `level2Depth5` and `level2Depth50` frames: the best levels of both sides, whole in each message.

use super::change::read_price;
use super::fields::{Fields, Key};
use super::scan::{Scanner, Value};
use super::swar::{self, Digits};
use crate::book::Level;
use crate::error::WireError;
use crate::ids::Sequence;
use crate::num::{Lots, Price};
use crate::time::UnixNanos;

/// The best levels of both sides. Comes apart from the book and does not say that a book is live; its
/// contract is that of its topic.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Depth<'a> {
    /// The same counter as level2's: what this shows is the book at that sequence. Absent in the oldest
    /// documentation.
    pub sequence: Option<Sequence>,
    /// Bids, the highest first. A side that is absent, null or `""` is empty, if the other is there.
    pub bids: Levels<'a>,
    /// Asks, the lowest first.
    pub asks: Levels<'a>,
    /// When; from milliseconds, or from nanoseconds as the oldest documentation has it.
    /// One that cannot be read is none.
    pub ts_event: Option<UnixNanos>,
}

/// Levels as they stand in a frame, each checked when the frame was read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Levels<'a>(&'a [u8]);

/// The same without the frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct DepthPlaces {
    pub(super) sequence: Option<Sequence>,
    pub(super) bids: LevelsPlace,
    pub(super) asks: LevelsPlace,
    pub(super) ts_event: Option<UnixNanos>,
}

/// Where checked levels stand in a frame; from nowhere to nowhere if there are none.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct LevelsPlace {
    start: u32,
    end: u32,
}

pub(crate) const KEYS: [Key; 4] = [Key::Bids, Key::Asks, Key::Sequence, Key::Ts];

impl<'a> Depth<'a> {
    /// Reads the `data` object of a `level2Depth5` frame, for example
    /// `{"bids":[["63000.5",7]],"asks":[["63000.6",9]],"sequence":41,"timestamp":1790000000123,
    /// "ts":1790000000123}`.
    ///
    /// # Errors
    /// A repeated or ill-typed key, neither side, a level that is none, or a number that its type cannot hold.
    pub fn parse(data: &'a [u8]) -> Result<Self, WireError> {
        Fields::parse(data, &KEYS, Self::assemble)
    }

    pub(crate) fn assemble(fields: &Fields<'a>) -> Result<Self, WireError> {
        // planted: absent-side-swaps
        let (bids, asks) = (fields.array_if_any(Key::Bids)?, fields.array_if_any(Key::Asks)?);
        // How an empty side is written is not known; but nothing at all is no depth.
        bids.or(asks).ok_or(WireError::Missing { field: Key::Bids.name() })?;
        let side = |levels: Option<&'a [u8]>, key| match levels {
            Some(levels) => Levels::checked(levels, key),
            None => Ok(Levels::NONE),
        };
        Ok(Self {
            sequence: fields.sequence_if_any()?,
            bids: side(bids, Key::Bids)?,
            asks: side(asks, Key::Asks)?,
            ts_event: fields.time_in_either(Key::Ts),
        })
    }
}

impl DepthPlaces {
    /// Of a depth that was read out of these bytes.
    pub(super) fn of(depth: &Depth<'_>, bytes: &[u8]) -> Option<Self> {
        let (bids, asks) = (depth.bids.place(bytes)?, depth.asks.place(bytes)?);
        Some(Self { sequence: depth.sequence, bids, asks, ts_event: depth.ts_event })
    }

    /// The depth, out of the same bytes; `None` if they have nothing there.
    pub(super) fn on(self, bytes: &[u8]) -> Option<Depth<'_>> {
        let side = |place: LevelsPlace| match place {
            LevelsPlace { end: 0, .. } => Some(Levels::NONE),
            place => bytes.get(place.start as usize..place.end as usize).map(Levels),
        };
        let (bids, asks) = (side(self.bids)?, side(self.asks)?);
        Some(Depth { sequence: self.sequence, bids, asks, ts_event: self.ts_event })
    }
}

impl<'a> Levels<'a> {
    const NONE: Self = Self(b"[]");

    fn place(self, bytes: &[u8]) -> Option<LevelsPlace> {
        if self == Self::NONE {
            return Some(LevelsPlace { start: 0, end: 0 });
        }
        let start = self.0.as_ptr().addr().checked_sub(bytes.as_ptr().addr())?;
        let end = u32::try_from(start.checked_add(self.0.len())?).ok()?;
        Some(LevelsPlace { start: u32::try_from(start).ok()?, end })
    }

    fn checked(text: &'a [u8], key: Key) -> Result<Self, WireError> {
        let mut reader = Reader::new(text, key)?;
        while reader.next()?.is_some() {}
        Ok(Self(text))
    }

    /// The levels, in the order in which they stand.
    pub fn iter(&self) -> impl Iterator<Item = Level> + use<'a> {
        // It was read before, without an error.
        let mut reader = Reader::new(self.0, Key::Bids).ok();
        core::iter::from_fn(move || reader.as_mut()?.next().ok()?)
    }
}

impl core::fmt::Debug for Levels<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// Reads an array of levels, one by one.
struct Reader<'a> {
    scanner: Scanner<'a>,
    first: bool,
    field: &'static str,
}

impl<'a> Reader<'a> {
    fn new(text: &'a [u8], key: Key) -> Result<Self, WireError> {
        let mut scanner = Scanner::new(text);
        scanner.array()?;
        Ok(Self { scanner, first: true, field: key.name() })
    }

    /// `["63000.5",7]`; both may be numbers or strings.
    fn next(&mut self) -> Result<Option<Level>, WireError> {
        if !self.scanner.element(&mut self.first)? {
            return Ok(None);
        }
        if let Some((level, len)) = usual(self.scanner.rest()) {
            self.scanner.skip(len);
            return Ok(Some(level));
        }
        self.scanner.array()?;
        let mut first = true;
        let (price, size) = (self.column(&mut first)?, self.column(&mut first)?);
        if self.scanner.element(&mut first)? {
            return Err(WireError::Malformed { field: self.field });
        }
        let price = Price::parse(price.digits(self.field)?, self.field)?;
        Ok(Some(Level { price, size: Lots::parse(size.digits(self.field)?, self.field)? }))
    }

    fn column(&mut self, first: &mut bool) -> Result<Value<'a>, WireError> {
        if self.scanner.element(first)? {
            self.scanner.value()
        } else {
            Err(WireError::Malformed { field: self.field })
        }
    }
}

/// The price of a level that is too long for words that must not reach behind the last level.
#[inline(never)]
fn any_price(text: &[u8]) -> Option<(Price, usize)> {
    let rest = text.get(2..)?;
    let len = swar::text_len(rest);
    Some((swar::usual_price(rest.get(..len)?)?, len.wrapping_add(2)))
}

/// A level as nearly all are written, at the beginning of a text, and how long that is.
#[inline]
fn usual(text: &[u8]) -> Option<(Level, usize)> {
    text.strip_prefix(b"[\"")?;
    // Where no digit stands at all, what comes behind the price is taken for its end.
    let usual = read_price::<b'"'>(text, 2).filter(|(_, end)| *end > 2);
    let (price, end) = usual.or_else(|| any_price(text))?;
    let size_at = end.wrapping_add(2);
    if text.get(end..size_at)? != b"\"," {
        return None;
    }
    let (size, end) = short_size(text, size_at).or_else(|| any_size(text, size_at))?;
    let level = Level { price, size: Lots::new(size) };
    (text.get(end) == Some(&b']')).then(|| (level, end.wrapping_add(1)))
}

/// A size of up to seven digits, and where it ends.
#[inline]
fn short_size(text: &[u8], at: usize) -> Option<(u64, usize)> {
    let word = swar::word_at(text, at)?;
    let digits = Digits::of(word);
    let non_digits = digits.non_digits();
    let mark = non_digits.trailing_zeros();
    let len = mark as usize / 8;
    let is_padded = word as u8 == b'0' && len > 1;
    let is_usual = non_digits != 0 && len > 0 && !is_padded;
    is_usual.then(|| (digits.before(mark).value(), at.wrapping_add(len)))
}

/// Any other, or one that is followed by few bytes.
#[inline(never)]
fn any_size(text: &[u8], at: usize) -> Option<(u64, usize)> {
    let rest = text.get(at..)?;
    let digits = rest.get(..swar::digits_len(rest))?;
    Some((swar::whole_number(digits)?, at.wrapping_add(digits.len())))
}
