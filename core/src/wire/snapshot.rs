//! The body of `GET /api/v1/level2/snapshot`.

use alloc::vec::Vec;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::rest::{FromJson, api_data};
use super::scan::Scanner;
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

#[derive(Deserialize)]
struct Body<'a> {
    sequence: u64,
    #[serde(borrow)]
    symbol: alloc::borrow::Cow<'a, str>,
    #[serde(borrow)]
    bids: Option<&'a RawValue>,
    #[serde(borrow)]
    asks: Option<&'a RawValue>,
    ts: Option<u64>,
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
        let data = api_data(body)?.map_err(|_| WireError::Unexpected)?;
        let body = Body::from_json(data.get().as_bytes(), "data")?;
        if body.bids.is_none() && body.asks.is_none() {
            return Err(WireError::Missing { field: "bids" });
        }
        let symbol = Symbol::new(&body.symbol);
        Ok(Self {
            symbol: symbol.map_err(|_| WireError::Malformed { field: "symbol" })?,
            sequence: Sequence::new(body.sequence),
            bids: parse_levels(body.bids, "bids", |better, worse| better > worse)?,
            asks: parse_levels(body.asks, "asks", |better, worse| better < worse)?,
            ts_event: body.ts.map(UnixNanos::from_nanos),
        })
    }
}

fn parse_levels(
    raw: Option<&RawValue>,
    field: &'static str,
    ordered: fn(Price, Price) -> bool,
) -> Result<Vec<Level>, WireError> {
    let mut levels: Vec<Level> = Vec::new();
    let Some(raw) = raw else { return Ok(levels) };
    let mut scanner = Scanner::new(raw.get().as_bytes());
    scanner.array()?;
    let mut first = true;
    while scanner.element(&mut first)? {
        let level = parse_level(&mut scanner, field)?;
        let in_order = levels.last().is_none_or(|last| ordered(last.price, level.price));
        if !in_order || level.size == Lots::ZERO || level.price == Price::ZERO {
            return Err(WireError::Disordered { field });
        }
        levels.push(level);
    }
    Ok(levels)
}

/// `[price, size]`.
fn parse_level(scanner: &mut Scanner<'_>, field: &'static str) -> Result<Level, WireError> {
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
