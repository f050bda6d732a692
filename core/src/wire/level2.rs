//! Whole level2 frames: the fast way first, the scanner for everything else.
//!
//! The frames of one symbol on one connection differ in the change and in the last digits of a few
//! numbers; every other byte is the same. So the first frame of a symbol is read by the scanner and
//! remembered: its bytes, and the places of what differs. From then on a frame is looked up by the
//! sixteen bytes around its symbol, compared with what is remembered, and only what differs is read.
//! Nothing is assumed about the order of keys, white space or further keys: whatever the connection
//! does is learned.
//!
//! ```text
//! {"topic":"/contractMarket/level2:XBTUSDTM","type":"message","subject":"level2","sn":17094........,
//!  "data":{"sequence":17094........,"change":"..............","timestamp":17318........}}
//! ```
//!
//! Why both ways say the same: all bytes but the change and those digits are bytes of a frame that
//! the scanner has accepted, where they are now. Digits have taken the place of digits behind at
//! least one other, and the change is read only if it is three words without quote or escape. So the
//! tokens are the same in the same order, and what differs is read by the same rules. Everything else
//! is a surprise, and left to the scanner.

mod change;
mod learn;
mod level;
mod shape;
mod table;

use alloc::vec::Vec;

use super::delta::Delta;
use super::frame::Frame;
use crate::channel::Channel;
use crate::error::WireError;
use crate::ids::{Sequence, Symbol};
use crate::time::UnixNanos;
use learn::Learned;
pub(super) use level::LevelReader;
use shape::{Anchor, Shape};
use table::Table;

/// A delta and whose it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct DeltaFrame {
    /// The contract, from the topic.
    pub symbol: Symbol,
    /// What changed.
    pub delta: Delta,
}

/// Reads the level2 frames of one connection, and learns how that connection writes them.
///
/// Says what [`Frame::parse`] and [`Delta::parse`] say, about ten times as fast once it has seen a
/// symbol. A connection that changes its mind is learned anew; one that writes every frame
/// differently is read by the scanner. Remembers at most 1024 symbols, about 600 bytes each.
///
/// ```
/// use kucoin_futures_proto::wire::DeltaParser;
///
/// let mut parser = DeltaParser::new();
/// let frame = parser.parse(
///     br#"{"topic":"/contractMarket/level2:ETHUSDTM","type":"message","subject":"level2","sn":41,
///     "data":{"sequence":41,"change":"2417.55,buy,2","timestamp":1790000000001}}"#,
/// )?;
/// assert_eq!(frame.symbol.as_str(), "ETHUSDTM");
/// assert_eq!(frame.delta.size.get(), 2);
/// # Ok::<(), kucoin_futures_proto::WireError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct DeltaParser {
    known: Vec<Known>,
    /// Where the symbol stands, in the frames that were learned last.
    anchor: Anchor,
    /// Those of `known` whose symbol stands there.
    table: Table,
}

/// A symbol and how its frames look.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    symbol: Symbol,
    tag: u32,
    shape: Shape,
    key: [u64; 2],
    anchor: Anchor,
    /// The sequence and the time that the digits that differ are added to.
    sequence: u64,
    ts_nanos: u64,
    patience: Patience,
}

/// When to learn a symbol again that is known, but looked otherwise.
#[derive(Clone, Copy, Debug)]
struct Patience {
    learned_at: Sequence,
    /// Frames of this symbol that the scanner has read since.
    scanned: u32,
    /// So many must be read before the next attempt.
    wait: u32,
}

/// Symbols remembered; the exchange lists some 700 contracts.
const MAX_KNOWN: usize = 1024;
/// Longest wait before a symbol is learned again, in frames read by the scanner.
const LONGEST_WAIT: u32 = 1024;
/// A symbol has been read the fast way if its sequence has gone on so much further than the frames
/// that the scanner has read.
const PAID_OFF: u64 = 8;

impl DeltaParser {
    /// Knows nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads a whole frame.
    ///
    /// # Errors
    /// [`WireError::Unexpected`] for a frame of another kind, otherwise those of [`Frame::parse`] and
    /// [`Delta::parse`].
    #[inline]
    pub fn parse(&mut self, frame: &[u8]) -> Result<DeltaFrame, WireError> {
        if let Some((known, delta)) = self.read(frame) {
            return Ok(DeltaFrame { symbol: known.symbol, delta });
        }
        self.scan(frame)
    }

    #[cold]
    fn scan(&mut self, frame: &[u8]) -> Result<DeltaFrame, WireError> {
        let Frame::Message(message) = Frame::parse(frame)? else {
            return Err(WireError::Unexpected);
        };
        let Some(Channel::Level2(symbol)) = message.channel() else {
            return Err(WireError::Unexpected);
        };
        let delta = Delta::parse(message.data)?;
        self.learn(frame, symbol, delta, 0);
        Ok(DeltaFrame { symbol, delta })
    }

    /// Reads a frame that looks like an earlier one of its symbol. `None`: leave it to the scanner.
    #[inline]
    pub(crate) fn read(&self, frame: &[u8]) -> Option<(&Known, Delta)> {
        let known = self.known.get(self.table.find(self.anchor.key(frame)?)?)?;
        let shape = &known.shape;
        if !shape.fits(frame) {
            return None;
        }
        let sequence = shape.sequence.digits(frame)?;
        let timestamp = shape.timestamp.digits(frame)?;
        let other = shape.other.digits(frame)?;
        if sequence.flaw() | timestamp.flaw() | other.flaw() != 0 {
            return None;
        }
        let end = frame.len().wrapping_sub(shape.behind);
        let (price, side, size) = change::read(frame, shape.before, end)?;
        let sequence = known.sequence.wrapping_add(sequence.value());
        let nanos = timestamp.value().wrapping_mul(1_000_000);
        let ts_event = Some(UnixNanos::from_nanos(known.ts_nanos.wrapping_add(nanos)));
        let sequence = Sequence::new(sequence);
        Some((known, Delta { sequence, price, size, ts_event, side }))
    }

    /// Learns from a frame that the scanner has read as this delta. The tag comes with what is
    /// [read](Self::read) of this symbol from now on.
    pub(crate) fn learn(&mut self, frame: &[u8], symbol: Symbol, delta: Delta, tag: u32) {
        let old = self.known.iter().position(|known| known.symbol == symbol);
        if old.is_none() && self.known.len() >= MAX_KNOWN {
            return;
        }
        let wait = match old.and_then(|old| self.known.get_mut(old)) {
            None => Some(1),
            Some(known) => known.patience.after_another(delta.sequence),
        };
        let Some(wait) = wait else { return };
        let patience = Patience { learned_at: delta.sequence, scanned: 0, wait };
        let Some(Learned { shape, anchor, key, sequence, ts_nanos }) = Learned::from(frame, delta)
        else {
            return;
        };
        let known = Known { symbol, tag, shape, key, anchor, sequence, ts_nanos, patience };
        let at = old.unwrap_or(self.known.len());
        let before = old.and_then(|old| self.known.get_mut(old));
        let is_first_key = before.as_ref().is_none_or(|before| before.key == key);
        match before {
            Some(before) => *before = known,
            None => self.known.push(known),
        }
        // Nearly always the others' symbols stand where this one's does, and stay where they are.
        if self.anchor == anchor && is_first_key && self.table.insert(key, at) {
            return;
        }
        self.anchor = anchor;
        let keys = self.known.iter().map(|known| (known.anchor == anchor).then_some(known.key));
        self.table.fill(keys);
    }
}

impl Known {
    pub(crate) const fn tag(&self) -> u32 {
        self.tag
    }
}

impl Patience {
    /// After one more frame that the scanner had to read: whether it is time to learn again, and how
    /// long to wait the next time.
    fn after_another(&mut self, at: Sequence) -> Option<u32> {
        self.scanned = self.scanned.saturating_add(1);
        if self.scanned < self.wait {
            return None;
        }
        let gone_on = at.get().abs_diff(self.learned_at.get());
        let paid_off = gone_on > PAID_OFF.saturating_mul(u64::from(self.scanned));
        Some(if paid_off { 1 } else { self.wait.saturating_mul(2).min(LONGEST_WAIT) })
    }
}

#[cfg(test)]
mod tests;
