//! The body of `GET /api/v1/level2/snapshot`, read once from its first byte to its last.

use alloc::vec::Vec;

use super::Side;
use super::exchange_time::{Time, Unit};
use super::level2::LevelReader;
use super::rest::api_data;
use super::scan::{Scanner, Value, once};
use crate::book::Level;
use crate::error::WireError;
use crate::ids::{Sequence, Symbol};
use crate::num::{Decimal, Lots, Price};
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
    /// When the exchange took it, from nanoseconds (a delta's time comes from milliseconds). `None` if it
    /// does not say so, or in a way that cannot be read.
    pub ts_event: Option<UnixNanos>,
    /// The bids go on behind the last one, with prices that cannot be held.
    pub bids_are_cut: bool,
    /// The asks go on behind the last one, with prices that cannot be held.
    pub asks_are_cut: bool,
}

/// What a snapshot says besides its levels.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct SnapshotHead {
    /// The contract.
    pub symbol: Symbol,
    /// The last delta that is contained; the next one to apply is this plus one.
    pub sequence: Sequence,
    /// When the exchange took it, from nanoseconds. `None` if it does not say so, or in a way that cannot be
    /// read.
    pub ts_event: Option<UnixNanos>,
    /// It says when, and that cannot be read.
    pub has_odd_time: bool,
}

/// Takes the levels of a snapshot as they are read.
pub(crate) trait LevelSink {
    type Side: SideSink;

    fn side(&mut self, side: Side) -> &mut Self::Side;
}

/// Takes the levels of a side, best first, none of them zero.
pub(crate) trait SideSink {
    /// False if the level is not worse than all before: then it is left out.
    fn take(&mut self, level: Level) -> bool;
    /// Whether none was taken yet.
    fn is_empty(&self) -> bool;
    /// What was said of the same price right before.
    fn said_last(&self, price: Price) -> Option<Lots>;
    /// More follows that cannot be held.
    fn cut(&mut self);
}

impl Snapshot {
    /// Reads a whole response body, envelope included, for example `{"code":"200000","data":
    /// {"sequence":41,"symbol":"XBTUSDTM","bids":[[63000.5,7]],"asks":[[63000.6,9]],"ts":1790000000123000000}}`.
    ///
    /// Prices and sizes may be numbers or strings, and a row may have further columns. A side may be null,
    /// meaning empty, and one of them absent. A row of size or price zero is no level, and a row that comes
    /// twice is one. A price that cannot be held ends its side there: what follows is unknown.
    ///
    /// # Errors
    /// Not JSON, an error body ([`WireError::Unexpected`]), levels out of order ([`WireError::Disordered`]),
    /// two sizes for one price ([`WireError::Contradiction`]), numbers that their types cannot hold.
    pub fn parse(body: &[u8]) -> Result<Self, WireError> {
        let [bids, asks] =
            [Side::Bid, Side::Ask].map(|side| List { side, levels: Vec::new(), is_cut: false });
        let mut sides = Sides { bids, asks };
        let head = read(body, &mut sides)?;
        Ok(Self {
            symbol: head.symbol,
            sequence: head.sequence,
            bids: sides.bids.levels,
            asks: sides.asks.levels,
            ts_event: head.ts_event,
            bids_are_cut: sides.bids.is_cut,
            asks_are_cut: sides.asks.is_cut,
        })
    }
}

struct Sides {
    bids: List,
    asks: List,
}

struct List {
    side: Side,
    levels: Vec<Level>,
    is_cut: bool,
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
        if in_order {
            self.levels.push(level);
        }
        in_order
    }

    fn is_empty(&self) -> bool {
        self.levels.is_empty()
    }

    fn said_last(&self, price: Price) -> Option<Lots> {
        self.levels.last().filter(|last| last.price == price).map(|last| last.size)
    }

    fn cut(&mut self) {
        self.is_cut = true;
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
            once(&mut sequence, read_sequence(scanner.value()?)?, "sequence")?;
        } else if key.is("symbol") {
            once(&mut symbol, read_symbol(scanner.value()?)?, "symbol")?;
        } else if key.is("ts") {
            once(&mut ts, Time::of(scanner.value()?, Unit::Nanos), "ts")?;
        } else {
            scanner.value()?;
        }
    }
    // One that says nothing of either side says nothing of the book.
    bids.or(asks).ok_or(WireError::Missing { field: "bids" })?;
    let ts = ts.unwrap_or(Time::Absent);
    Ok(SnapshotHead {
        symbol: symbol.ok_or(WireError::Missing { field: "symbol" })?,
        sequence: Sequence::new(sequence.ok_or(WireError::Missing { field: "sequence" })?),
        ts_event: ts.known(),
        has_odd_time: ts == Time::Odd,
    })
}

/// Plain digits, also as a string.
fn read_sequence(value: Value<'_>) -> Result<u64, WireError> {
    const FIELD: &str = "sequence";
    let digits = core::str::from_utf8(value.digits(FIELD)?).unwrap_or_default();
    // Digits alone: `parse` takes a plus sign, too.
    let plain =
        Some(digits).filter(|digits| digits.starts_with(|first: char| first.is_ascii_digit()));
    plain.and_then(|digits| digits.parse().ok()).ok_or(WireError::OutOfRange { field: FIELD })
}

fn read_symbol(value: Value<'_>) -> Result<Symbol, WireError> {
    const FIELD: &str = "symbol";
    // Longer than any symbol.
    let mut room = [0; 64];
    let name = value.text(FIELD)?.resolve(&mut room).and_then(|name| Symbol::new(name).ok());
    name.ok_or(WireError::Malformed { field: FIELD })
}

/// Reads the levels of a side; null means none.
fn read_side(
    scanner: &mut Scanner<'_>,
    field: &'static str,
    levels: &mut impl SideSink,
) -> Result<(), WireError> {
    let mut first = true;
    if scanner.null()? {
        return Ok(());
    }
    scanner.array()?;
    if !scanner.element(&mut first)? {
        return Ok(());
    }
    let mut reader = LevelReader::new();
    loop {
        let (rest, mut fits) = (scanner.rest(), true);
        let len = reader.read_run(rest, |level| {
            fits = levels.take(level);
            fits
        });
        if !fits {
            // The last row of the run, once more.
            let run = rest.get(..len).unwrap_or_default();
            let start = run.iter().rposition(|&byte| byte == b'[').unwrap_or_default();
            let mut again = Scanner::new(run.get(start..).unwrap_or_default());
            read_row(&mut again, field, levels)?
                .map_or(Ok(()), |row| excuse(row, levels, field))?;
        }
        scanner.skip(len);
        if len == 0 {
            let Some(level) = read_row(scanner, field, levels)? else {
                return skip_rest(scanner, &mut first);
            };
            if level.is_nothing() || !levels.take(level) {
                excuse(level, levels, field)?;
            }
        }
        if !scanner.element(&mut first)? {
            return Ok(());
        }
    }
}

/// A row that cannot be taken: no level at all, or the last one again.
#[cold]
fn excuse(row: Level, levels: &impl SideSink, field: &'static str) -> Result<(), WireError> {
    match levels.said_last(row.price) {
        _ if row.is_nothing() => Ok(()),
        Some(size) if size == row.size => Ok(()),
        Some(_) => Err(WireError::Contradiction { field }),
        None => Err(WireError::Disordered { field }),
    }
}

/// `[price, size]` and perhaps more, in whatever form. `None`, and the side is cut, if its price cannot be
/// held: a better one is known.
fn read_row(
    scanner: &mut Scanner<'_>,
    field: &'static str,
    levels: &mut impl SideSink,
) -> Result<Option<Level>, WireError> {
    const SHAPE: WireError = WireError::Malformed { field: "level" };
    let mut first = true;
    scanner.array()?;
    if !scanner.element(&mut first)? {
        return Err(SHAPE);
    }
    let digits = scanner.value()?.digits(field)?;
    let price = Price::parse(digits, field);
    if !scanner.element(&mut first)? {
        return Err(SHAPE);
    }
    let size = Lots::parse(scanner.value()?.digits(field)?, field)?;
    skip_rest(scanner, &mut first)?;
    match price {
        Ok(price) => Ok(Some(Level { price, size })),
        Err(_) if !levels.is_empty() && is_beyond(digits) => {
            levels.cut();
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Whether digits that are no price of a level are a number that is above zero all the same.
fn is_beyond(digits: &[u8]) -> bool {
    Decimal::parse(digits).is_some_and(|price| price.mantissa() > 0)
}

/// Passes what an array holds besides.
fn skip_rest(scanner: &mut Scanner<'_>, first: &mut bool) -> Result<(), WireError> {
    while scanner.element(first)? {
        scanner.value()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
