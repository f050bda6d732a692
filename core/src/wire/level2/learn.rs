//! What can be remembered of a frame that the scanner has accepted.

use alloc::boxed::Box;
use core::ops::Range;

use super::entry::SymbolEntry;
use super::layout::{Anchor, BLOCK, Base, Block, KEY, Layout, Number, Place};
use crate::channel::ChannelKind;
use crate::ids::Symbol;
use crate::time::UnixNanos;
use crate::wire::Delta;
use crate::wire::exchange_time::EARLIEST;
use crate::wire::scan::{Scanner, Value};
use crate::wire::text::Text;

/// What a frame teaches.
pub(super) struct Learned {
    pub(super) layout: Layout,
    /// Of its symbol; the layout, the entry and the tag are yet to be said.
    pub(super) known: SymbolEntry,
}

/// So many digits at the end of a number are expected to differ; at least one before them has to
/// stay, so that what differs cannot begin with a zero. A sequence or a time in milliseconds
/// changes the others after days.
const DIFFERING: usize = 8;
const MODULUS: u64 = 100_000_000;
/// Longest number: sixteen digits fit wherever they are used.
const LONGEST: usize = 16;
/// Longest frame to learn from, the change included. A usual one has 190 bytes.
const LONGEST_FRAME: usize = 1024;

impl Learned {
    /// From a frame that the scanner has accepted. `None` if it has something that a layout cannot
    /// express, or no time.
    pub(super) fn from(frame: &[u8]) -> Option<Self> {
        let places = Places::find(frame)?;
        let (symbol, change) = (places.symbol.as_ref()?, places.change.as_ref()?);
        let is_behind = symbol.start > change.start;
        // From the colon before it on: what is before that are 32 bytes, as the exchange writes it.
        let key_at =
            if is_behind { symbol.end.checked_sub(KEY)? } else { symbol.start.checked_sub(1)? };
        let key_end = key_at.checked_add(KEY)?;
        let anchor = Anchor::new(key_at, is_behind, frame.len());
        let (key, edge) = anchor.find(frame)?;
        let (outer, inner) = if is_behind {
            ([0..change.start, key_end..frame.len()], change.end..symbol.start.max(key_at))
        } else {
            ([0..key_at, change.end..frame.len()], symbol.end.min(key_end)..change.start)
        };
        if edge != if is_behind { inner.end } else { inner.start } {
            return None;
        }
        let [head, tail] = outer;
        let place = |at: usize| {
            let base = match at {
                at if at <= head.end => Base::Start,
                at if at >= tail.start => Base::End,
                _ => Base::Edge,
            };
            Place::new(at, base, frame.len(), edge)
        };
        let part = |start: usize, bytes: &Range<usize>| {
            let len = bytes.len().next_multiple_of(BLOCK);
            blocks(frame, start..start.checked_add(len)?, bytes, &places)
        };
        // Those that do not begin with the frame end where their bytes end.
        let start =
            |bytes: &Range<usize>| bytes.end.checked_sub(bytes.len().next_multiple_of(BLOCK));
        let (inner_at, tail_at) = (start(&inner)?, start(&tail)?);
        let number = |span: Span| Number { end: place(span.end), first: span.first() };
        let (sequence, timestamp) = (places.sequence?, places.timestamp?);
        let layout = Layout {
            anchor,
            head: part(0, &head)?,
            inner: part(inner_at, &inner)?,
            inner_at: inner_at.wrapping_sub(edge),
            tail: part(tail_at, &tail)?,
            change: [change.start, change.end].map(place),
            sequence: number(sequence),
            timestamp: number(timestamp),
            other: number(places.other.unwrap_or(sequence)),
        };
        let known = known(&layout, key, edge, frame)?;
        Some(Self { layout, known })
    }
}

/// What a frame teaches of its symbol if it is laid out like those of others, without a look by the
/// scanner: as in these, every byte is what the scanner has accepted there. What may be anything, a
/// symbol and digits that do not begin with a zero, is looked at here.
pub(super) fn met(layout: &Layout, frame: &[u8]) -> Option<(Symbol, SymbolEntry, Delta)> {
    if !layout.begins(frame) {
        return None;
    }
    let (key, edge) = layout.anchor.find(frame)?;
    let symbol = layout.anchor.symbol(frame, edge)?;
    let known = known(layout, key, edge, frame)?;
    // Whether all the rest is as it should be is seen here.
    Some((symbol, known, known.read(layout, frame, edge)?))
}

/// What is to be remembered of a symbol whose frames are laid out like this.
fn known(layout: &Layout, key: [u64; 2], edge: usize, frame: &[u8]) -> Option<SymbolEntry> {
    let numbers = [&layout.sequence, &layout.timestamp, &layout.other];
    let firsts = numbers.map(|number| Some(number.digits(frame, edge)?.1));
    let [Some(sequence), Some(timestamp), Some(other)] = firsts else { return None };
    layout.other.first_value(other)?;
    let millis = layout.timestamp.first_value(timestamp)?.checked_mul(MODULUS)?;
    // Whatever the last digits become, it fits, and it is a time.
    UnixNanos::from_millis(millis.checked_add(MODULUS)?)?;
    UnixNanos::from_millis(millis).filter(|first| *first >= EARLIEST)?;
    Some(SymbolEntry {
        key,
        sequence: layout.sequence.first_value(sequence)?.checked_mul(MODULUS)?,
        ts_nanos: UnixNanos::from_millis(millis)?.as_nanos(),
        firsts: [sequence, timestamp, other],
        ..SymbolEntry::NOBODY
    })
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
    sequence: Option<Span>,
    timestamp: Option<Span>,
    other: Option<Span>,
}

/// Where a number of 9 to 16 digits stands.
#[derive(Clone, Copy)]
struct Span {
    len: usize,
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
                    let symbol = topic
                        .plain()?
                        .strip_prefix(ChannelKind::Level2.prefix())?
                        .strip_prefix(':')?;
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
                    self.sequence = Some(Span::new(digits, &span)?);
                }
                Value::Number(digits) if key.is("timestamp") => {
                    self.timestamp = Some(Span::new(digits, &span)?);
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
        self.other = self.other.or_else(|| Span::new(digits, span));
    }

    fn differs(&self, at: usize) -> bool {
        let numbers = [self.sequence, self.timestamp, self.other];
        numbers.iter().flatten().any(|number| number.differs(at))
    }
}

impl Span {
    fn new(digits: &str, span: &Range<usize>) -> Option<Self> {
        let is_plain = digits.bytes().all(|byte| byte.is_ascii_digit());
        let fits = (DIFFERING + 1..=LONGEST).contains(&digits.len());
        (is_plain && fits).then_some(Self { len: digits.len(), end: span.end })
    }

    const fn differs(self, at: usize) -> bool {
        at < self.end && self.end - at <= self.len
    }

    /// All ones for what is not among the last digits, in the eight bytes before them.
    const fn first(self) -> u64 {
        u64::MAX.wrapping_shl((LONGEST as u32).wrapping_sub(self.len as u32).wrapping_mul(8))
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
