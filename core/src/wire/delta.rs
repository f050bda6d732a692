//! The data of a level2 frame: one absolute change of one price level.

use super::change;
use super::exchange_time::Unit;
use super::fields::{Fields, Key};
use super::side::Side;
use super::text::Text;
use serde::Serialize;

use crate::error::WireError;
use crate::ids::Sequence;
use crate::num::{Lots, Price};
use crate::time::UnixNanos;

/// One change: at `sequence`, the level at `price` has `size` lots. Zero removes the level;
/// removing one that is not there is normal (it lay beyond the snapshot).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[non_exhaustive]
pub struct Delta {
    /// Position in the symbol's stream; the next delta has the next number.
    pub sequence: Sequence,
    /// Price of the level. Zero occurs on the spot feed and changes nothing.
    pub price: Price,
    /// Absolute new size in lots, not a difference.
    pub size: Lots,
    /// When the exchange made the change, from milliseconds. Neighbours may step back by 1 ms;
    /// the documentation's worked example has none. One that cannot be read is none.
    pub ts_event: Option<UnixNanos>,
    /// Side of the level.
    pub side: Side,
}

/// In place of the frame of a delta whose copies are not to be known by their bytes.
pub(crate) const NOT_KEPT: &[u8] = &[];

/// Longest `change` that is unescaped; an unescaped one may be of any length.
const ESCAPED_CHANGE: usize = 128;

impl Delta {
    /// A delta of these parts, without an exchange time.
    #[must_use]
    pub const fn new(sequence: Sequence, side: Side, price: Price, size: Lots) -> Self {
        Self { sequence, price, size, ts_event: None, side }
    }

    /// Reads the `data` object of a level2 frame, for example
    /// `{"sequence":41,"change":"63000.5,buy,7","timestamp":1790000000123}`.
    ///
    /// # Errors
    /// Anything that is not exactly one change: a part too many, a side other than `buy` and
    /// `sell`, a negative or too fine price, a fractional size, a sequence that is not an integer.
    pub fn parse(data: &[u8]) -> Result<Self, WireError> {
        Self::parse_with_time(data).map(|(delta, _)| delta)
    }

    /// The same, and whether it has a time that cannot be read.
    pub(super) fn parse_with_time(data: &[u8]) -> Result<(Self, bool), WireError> {
        Fields::parse_with_time(data, &KEYS, Self::assemble)
    }

    pub(super) fn assemble(fields: &Fields<'_>) -> Result<Self, WireError> {
        let sequence = fields.sequence()?;
        let usual = fields.usual_text(Key::Change);
        let usual = usual.and_then(|change| change::read(change, 0, change.len()));
        let change = || parse_change(fields.text(Key::Change)?);
        let (price, side, size) = usual.map_or_else(change, Ok)?;
        Ok(Self {
            sequence,
            price,
            size,
            ts_event: fields.time(Key::Timestamp, Unit::Millis),
            side,
        })
    }
}

const KEYS: [Key; 3] = [Key::Sequence, Key::Change, Key::Timestamp];

/// `price,side,size`, in this order, whatever the prose of the documentation says.
fn parse_change(change: Text<'_>) -> Result<(Price, Side, Lots), WireError> {
    const MALFORMED: WireError = WireError::Malformed { field: "change" };
    let mut room = [0; ESCAPED_CHANGE];
    let change = change.resolve(&mut room).ok_or(WireError::TooLong { field: "change" })?;
    let mut parts = change.as_bytes().split(|&b| b == b',');
    let mut part = || parts.next().ok_or(MALFORMED);
    let (price, side, size) = (part()?, part()?, part()?);
    if parts.next().is_some() {
        return Err(MALFORMED);
    }
    let side = match side {
        b"buy" => Side::Bid,
        b"sell" => Side::Ask,
        _ => return Err(MALFORMED),
    };
    Ok((Price::parse(price, "price")?, side, Lots::parse(size, "size")?))
}
