//! What can be remembered of a frame that the scanner has accepted.

use alloc::boxed::Box;
use core::ops::Range;

use super::shape::{Anchor, BLOCK, Block, Place, Shape};
use crate::channel::LEVEL2;
use crate::time::UnixNanos;
use crate::wire::Delta;
use crate::wire::scan::{Scanner, Text, Value};

pub(super) struct Learned {
    pub(super) shape: Shape,
    pub(super) anchor: Anchor,
    pub(super) key: [u64; 2],
    /// What the last digits are added to.
    pub(super) sequence: u64,
    pub(super) ts_nanos: u64,
}

/// So many digits at the end of a number are expected to differ; at least one before them has to
/// stay, so that what differs cannot begin with a zero. A sequence or a time in milliseconds
/// changes the others after days.
const DIFFERING: usize = 8;
const MODULUS: u64 = 100_000_000;
/// Longest number: sixteen digits fit wherever they are used.
const LONGEST: usize = 16;
/// Longest frame, the change included. A usual one has 190 bytes.
const LONGEST_FRAME: usize = 1024;
/// Bytes that tell a symbol from others, from its start or up to its end.
const KEY: usize = 16;

impl Learned {
    /// `None` if the frame has something that a shape cannot express, or no time.
    pub(super) fn from(frame: &[u8], delta: Delta) -> Option<Self> {
        let places = Places::find(frame)?;
        let (symbol, change) = (places.symbol.as_ref()?, places.change.as_ref()?);
        let (sequence, timestamp) = (places.sequence?, places.timestamp?);
        let place = |at: usize| Place::new(at, at >= change.end, frame.len());
        // Bytes that are the same in all frames of a symbol: those behind its start, or, where it
        // stands behind the change, those before its end.
        let key_at =
            if symbol.start < change.start { symbol.start } else { symbol.end.checked_sub(KEY)? };
        let anchor = Anchor(Place::new(key_at, symbol.start > change.start, frame.len()));
        let before = 0..change.start;
        let edge = change.start.saturating_sub(BLOCK);
        let edge = blocks(frame, edge..edge + BLOCK, &before, &places)?;
        let tail = frame.len().checked_sub(change.end)?.next_multiple_of(BLOCK);
        let tail = frame.len().checked_sub(tail)?;
        let shape = Shape {
            before: change.start,
            behind: frame.len().checked_sub(change.end)?,
            head: blocks(frame, 0..change.start - change.start % BLOCK, &before, &places)?,
            edge: *edge.first()?,
            tail: blocks(frame, tail..frame.len(), &(change.end..frame.len()), &places)?,
            sequence: place(sequence.end),
            timestamp: place(timestamp.end),
            other: place(places.other.unwrap_or(sequence).end),
        };
        let sequence = delta.sequence.get();
        let millis = delta.ts_event?.as_millis();
        let (sequence, millis) = (sequence - sequence % MODULUS, millis - millis % MODULUS);
        // Whatever the last digits become, it fits.
        UnixNanos::from_millis(millis.checked_add(MODULUS)?)?;
        let ts_nanos = UnixNanos::from_millis(millis)?.as_nanos();
        Some(Self { shape, anchor, key: anchor.key(frame)?, sequence, ts_nanos })
    }
}

/// Whole blocks. What differs does not matter, nor what stands outside of `part`.
fn blocks(
    frame: &[u8],
    range: Range<usize>,
    part: &Range<usize>,
    places: &Places,
) -> Option<Box<[Block]>> {
    let (blocks, _) = frame.get(range.clone())?.as_chunks::<BLOCK>();
    let starts = range.step_by(BLOCK);
    let block = |(bytes, start): (&[u8; BLOCK], usize)| {
        let mut block = Block::default();
        for (offset, &byte) in bytes.iter().enumerate() {
            let at = start.saturating_add(offset);
            if part.contains(&at) && !places.differs(at) {
                block.remember(offset, byte);
            }
        }
        block
    };
    Some(blocks.iter().zip(starts).map(block).collect())
}

/// What differs from frame to frame, and where.
#[derive(Default)]
struct Places {
    symbol: Option<Range<usize>>,
    change: Option<Range<usize>>,
    sequence: Option<Number>,
    timestamp: Option<Number>,
    other: Option<Number>,
}

/// A number of 9 to 16 digits; the last eight differ.
#[derive(Clone, Copy)]
struct Number {
    end: usize,
}

impl Places {
    fn find(frame: &[u8]) -> Option<Self> {
        if frame.len() > LONGEST_FRAME {
            return None;
        }
        let mut places = Self::default();
        let mut scanner = Scanner::new(frame);
        scanner.object().ok()?;
        let mut first = true;
        while let Some(key) = scanner.key(&mut first).ok()? {
            if key.is("data") {
                places.find_in_data(&mut scanner)?;
                continue;
            }
            let (value, span) = value_at(&mut scanner)?;
            match value {
                Value::Text(topic) if key.is("topic") => {
                    let symbol = topic.plain()?.strip_prefix(LEVEL2)?.strip_prefix(':')?;
                    let text = inside(topic, &span)?;
                    places.symbol = Some(text.end.checked_sub(symbol.len())?..text.end);
                }
                Value::Number(digits) => places.note(digits, &span),
                Value::Text(_) | Value::Bool(_) | Value::Null => {}
                Value::Object(_) | Value::Array(_) => {}
            }
        }
        Some(places)
    }

    fn find_in_data(&mut self, scanner: &mut Scanner<'_>) -> Option<()> {
        scanner.object().ok()?;
        let mut first = true;
        while let Some(key) = scanner.key(&mut first).ok()? {
            let (value, span) = value_at(scanner)?;
            match value {
                Value::Text(change) if key.is("change") => {
                    self.change = Some(inside(change, &span)?);
                }
                Value::Number(digits) if key.is("sequence") => {
                    self.sequence = Some(Number::new(digits, &span)?);
                }
                Value::Number(digits) if key.is("timestamp") => {
                    self.timestamp = Some(Number::new(digits, &span)?);
                }
                Value::Number(digits) => self.note(digits, &span),
                Value::Text(_) | Value::Bool(_) | Value::Null => {}
                Value::Object(_) | Value::Array(_) => {}
            }
        }
        Some(())
    }

    /// One further number may differ; any others have to stay the same.
    fn note(&mut self, digits: &str, span: &Range<usize>) {
        self.other = self.other.or_else(|| Number::new(digits, span));
    }

    fn differs(&self, at: usize) -> bool {
        let numbers = [self.sequence, self.timestamp, self.other];
        numbers.iter().flatten().any(|number| number.differs(at))
    }
}

impl Number {
    fn new(digits: &str, span: &Range<usize>) -> Option<Self> {
        let is_plain = digits.bytes().all(|byte| byte.is_ascii_digit());
        let fits = (DIFFERING + 1..=LONGEST).contains(&digits.len());
        (is_plain && fits).then_some(Self { end: span.end })
    }

    const fn differs(&self, at: usize) -> bool {
        at < self.end && self.end - at <= DIFFERING
    }
}

/// Where a text stands without its quotes, if it has no escapes.
fn inside(text: Text<'_>, span: &Range<usize>) -> Option<Range<usize>> {
    text.plain()?;
    Some(span.start.checked_add(1)?..span.end.checked_sub(1)?)
}

/// The next value, and from where to where it stands.
fn value_at<'a>(scanner: &mut Scanner<'a>) -> Option<(Value<'a>, Range<usize>)> {
    scanner.space();
    let start = scanner.at();
    let value = scanner.value().ok()?;
    Some((value, start..scanner.at()))
}
