//! The body of `GET /api/v1/level2/snapshot`, read once from its first byte to its last.

use alloc::vec::Vec;

use super::Side;
use super::level2::LevelReader;
use super::rest::api_data;
use super::scan::{Scanner, Value, once};
use crate::book::Level;
use crate::error::WireError;
use crate::ids::{Sequence, Symbol};
use crate::num::{Lots, Price};
use crate::time::UnixNanos;

/// A whole book as REST gives it: at most 1000 levels a side, so not always the whole book.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Snapshot {
    /// The contract.
    pub symbol: Symbol,
    /// The last delta that is contained; the next one to apply is this plus one.
    pub sequence: Sequence,
    /// Best (highest) first.
    pub bids: Vec<Level>,
    /// Best (lowest) first.
    pub asks: Vec<Level>,
    /// When the exchange took it, from nanoseconds (a delta's time comes from milliseconds).
    pub ts_event: Option<UnixNanos>,
}

/// What a snapshot says besides its levels.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct SnapshotHead {
    /// The contract.
    pub symbol: Symbol,
    /// The last delta that is contained; the next one to apply is this plus one.
    pub sequence: Sequence,
    /// When the exchange took it, from nanoseconds.
    pub ts_event: Option<UnixNanos>,
}

/// Takes the levels of a snapshot as they are read.
pub(crate) trait LevelSink {
    type Side: SideSink;

    fn side(&mut self, side: Side) -> &mut Self::Side;
}

/// Takes the levels of a side, best first, none of them zero.
pub(crate) trait SideSink {
    /// False if the level is not worse than all before.
    fn take(&mut self, level: Level) -> bool;
}

impl Snapshot {
    /// Reads a whole response body, envelope included, for example `{"code":"200000","data":
    /// {"sequence":41,"symbol":"XBTUSDTM","bids":[[63000.5,7]],"asks":[[63000.6,9]],"ts":1790000000123000000}}`.
    ///
    /// Prices may be numbers or strings. One side may be absent or null, meaning empty; not both.
    ///
    /// # Errors
    /// Not JSON, an error body ([`WireError::Unexpected`]), levels out of order or of size zero,
    /// numbers that their types cannot hold.
    pub fn parse(body: &[u8]) -> Result<Self, WireError> {
        let [bids, asks] = [Side::Bid, Side::Ask].map(|side| List { side, levels: Vec::new() });
        let mut sides = Sides { bids, asks };
        let SnapshotHead { symbol, sequence, ts_event } = read(body, &mut sides)?;
        let (bids, asks) = (sides.bids.levels, sides.asks.levels);
        Ok(Self { symbol, sequence, bids, asks, ts_event })
    }

    /// What it says besides its levels.
    #[must_use]
    pub const fn head(&self) -> SnapshotHead {
        SnapshotHead { symbol: self.symbol, sequence: self.sequence, ts_event: self.ts_event }
    }
}

struct Sides {
    bids: List,
    asks: List,
}

struct List {
    side: Side,
    levels: Vec<Level>,
}

impl LevelSink for Sides {
    type Side = List;

    fn side(&mut self, side: Side) -> &mut List {
        match side {
            Side::Bid => &mut self.bids,
            Side::Ask => &mut self.asks,
        }
    }
}

impl SideSink for List {
    fn take(&mut self, level: Level) -> bool {
        let in_order = self.levels.last().is_none_or(|last| match self.side {
            Side::Bid => last.price > level.price,
            Side::Ask => last.price < level.price,
        });
        self.levels.push(level);
        in_order
    }
}

/// Reads a body as [`Snapshot::parse`] does, its levels into `levels`; some of them also if the rest
/// turns out to be wrong.
pub(crate) fn read(body: &[u8], levels: &mut impl LevelSink) -> Result<SnapshotHead, WireError> {
    read_body(body, levels).map_err(|error| match api_data(body) {
        // What else is wrong with it says less than this.
        Ok(Err(_code)) => WireError::Unexpected,
        Ok(Ok(_)) | Err(_) => error,
    })
}

fn read_body(body: &[u8], levels: &mut impl LevelSink) -> Result<SnapshotHead, WireError> {
    let mut scanner = Scanner::new(body);
    let (mut code, mut head) = (None, None);
    let mut first = true;
    scanner.object()?;
    while let Some(key) = scanner.key(&mut first)? {
        if key.is("code") {
            once(&mut code, scanner.value()?.digits("code")? == b"200000", "code")?;
        } else if key.is("data") {
            once(&mut head, read_data(&mut scanner, levels)?, "data")?;
        } else {
            scanner.value()?;
        }
    }
    scanner.end()?;
    match code {
        Some(true) => head.ok_or(WireError::Missing { field: "data" }),
        Some(false) => Err(WireError::Unexpected),
        None => Err(WireError::Missing { field: "code" }),
    }
}

fn read_data(
    scanner: &mut Scanner<'_>,
    levels: &mut impl LevelSink,
) -> Result<SnapshotHead, WireError> {
    let (mut sequence, mut symbol, mut ts) = (None, None, None);
    let (mut bids, mut asks) = (None, None);
    let mut first = true;
    scanner.object()?;
    while let Some(key) = scanner.key(&mut first)? {
        if key.is("bids") {
            once(&mut bids, read_side(scanner, "bids", levels.side(Side::Bid))?, "bids")?;
        } else if key.is("asks") {
            once(&mut asks, read_side(scanner, "asks", levels.side(Side::Ask))?, "asks")?;
        } else if key.is("sequence") {
            once(&mut sequence, scanner.value()?.integer("sequence")?, "sequence")?;
        } else if key.is("symbol") {
            once(&mut symbol, read_symbol(scanner.value()?)?, "symbol")?;
        } else if key.is("ts") {
            once(&mut ts, read_ts(scanner.value()?)?, "ts")?;
        } else {
            scanner.value()?;
        }
    }
    if !(bids == Some(true) || asks == Some(true)) {
        return Err(WireError::Missing { field: "bids" });
    }
    Ok(SnapshotHead {
        symbol: symbol.ok_or(WireError::Missing { field: "symbol" })?,
        sequence: Sequence::new(sequence.ok_or(WireError::Missing { field: "sequence" })?),
        ts_event: ts.flatten(),
    })
}

fn read_ts(value: Value<'_>) -> Result<Option<UnixNanos>, WireError> {
    if value == Value::Null {
        return Ok(None);
    }
    Ok(Some(UnixNanos::from_nanos(value.integer("ts")?)))
}

fn read_symbol(value: Value<'_>) -> Result<Symbol, WireError> {
    const FIELD: &str = "symbol";
    // Longer than any symbol.
    let mut room = [0; 64];
    let name = value.text(FIELD)?.resolve(&mut room).and_then(|name| Symbol::new(name).ok());
    name.ok_or(WireError::Malformed { field: FIELD })
}

/// Reads the levels of a side; false if there is none, not even an empty one.
fn read_side(
    scanner: &mut Scanner<'_>,
    field: &'static str,
    levels: &mut impl SideSink,
) -> Result<bool, WireError> {
    if scanner.null()? {
        return Ok(false);
    }
    let mut first = true;
    scanner.array()?;
    if !scanner.element(&mut first)? {
        return Ok(true);
    }
    let mut reader = LevelReader::new();
    let mut in_order = true;
    loop {
        let len = reader.read_run(scanner.rest(), |level| {
            in_order = levels.take(level);
            in_order
        });
        scanner.skip(len);
        if len == 0 {
            let level = read_level(scanner, field)?;
            in_order = level.size != Lots::ZERO && level.price != Price::ZERO && levels.take(level);
        }
        if !in_order {
            return Err(WireError::Disordered { field });
        }
        if !scanner.element(&mut first)? {
            return Ok(true);
        }
    }
}

/// `[price, size]`, in whatever form.
fn read_level(scanner: &mut Scanner<'_>, field: &'static str) -> Result<Level, WireError> {
    const SHAPE: WireError = WireError::Malformed { field: "level" };
    let mut first = true;
    scanner.array()?;
    if !scanner.element(&mut first)? {
        return Err(SHAPE);
    }
    let price = Price::parse(scanner.value()?.digits(field)?, field)?;
    if !scanner.element(&mut first)? {
        return Err(SHAPE);
    }
    let size = Lots::parse(scanner.value()?.digits(field)?, field)?;
    if scanner.element(&mut first)? {
        return Err(SHAPE);
    }
    Ok(Level { price, size })
}

#[cfg(test)]
mod tests;
