//! Candles and what is computed of them, as lines.

use kucoin_futures_analytics::Reading;
use kucoin_futures_data::join::{Candle, Source};
use kucoin_futures_proto::{Decimal, Interval, Price, Symbol, UnixNanos};
use serde_json::{Map, Value, json};

use super::contract::{Contract, Told};
use super::study::{Number, Shown};
use crate::numbers;
use crate::out::{BAD, DIM, GOOD};
use crate::words;

/// For machines: what is over. A candle that still grows is told when it is.
pub(super) fn json(
    symbol: Symbol,
    interval: Interval,
    contract: &Contract,
    told: &Told,
) -> Option<Value> {
    let span = |kind: &str, from: UnixNanos, to: UnixNanos| {
        json!({
            "type": kind,
            "symbol": symbol.as_str(),
            "interval": interval.as_str(),
            "from_ns": from.as_nanos(),
            "to_ns": to.as_nanos(),
        })
    };
    let mut line = match *told {
        Told::Growing(_) => return None,
        Told::Closed(candle) => closed(symbol, interval, &candle),
        Told::Empty { from, to } => span("empty", from, to),
        Told::Hole { from, to } => span("hole", from, to),
    };
    if let Some(fields) = line.as_object_mut() {
        let said = contract.shown().map(|(name, shown)| (name.to_string(), reading(&shown)));
        fields.insert("indicators".into(), said.collect::<Map<_, _>>().into());
    }
    Some(line)
}

fn closed(symbol: Symbol, interval: Interval, candle: &Candle) -> Value {
    json!({
        "type": "candle",
        "symbol": symbol.as_str(),
        "interval": interval.as_str(),
        "start_ns": candle.start.as_nanos(),
        "open": words::exact(candle.open),
        "high": words::exact(candle.high),
        "low": words::exact(candle.low),
        "close": words::exact(candle.close),
        "volume_lots": candle.volume.map(|lots| lots.get()),
        "turnover": words::exact_if_any(candle.turnover),
        "source": if candle.source == Source::History { "history" } else { "stream" },
    })
}

fn reading(shown: &Shown) -> Value {
    match shown {
        Reading::Warming { needed } => json!({ "state": "warming", "needed": needed }),
        Reading::Valid { value, valid_since } => json!({
            "state": "valid",
            "value": number(value),
            "valid_since_ns": valid_since.as_nanos(),
        }),
        Reading::Stale { value, gap } => {
            json!({ "state": "stale", "value": number(value), "gap_ns": gap.as_nanos() })
        }
    }
}

/// Prices exactly, as text; statistics as numbers.
fn number(number: &Number) -> Value {
    match number {
        Number::Price(price) => words::exact(price),
        Number::Float(number) => (*number).into(),
        Number::Bands(bands) => json!({
            "upper": bands.upper,
            "middle": bands.middle,
            "lower": bands.lower,
        }),
        Number::Macd(lines) => json!({
            "macd": lines.macd,
            "signal": lines.signal,
            "histogram": lines.histogram,
        }),
    }
}

/// For people: the last candle, the way of its closes, and what everything comes to. Where lines are written one below
/// the other, only what is over.
pub(super) fn row(
    symbol: Symbol,
    contract: &Contract,
    told: &Told,
    in_place: bool,
) -> Option<String> {
    let (start, close) = match *told {
        Told::Growing(candle) if in_place => (candle.start, Some(candle)),
        Told::Growing(_) => return None,
        Told::Closed(candle) => (candle.start, Some(candle)),
        Told::Empty { .. } if in_place => return None,
        Told::Empty { from, .. } | Told::Hole { from, .. } => (from, None),
    };
    let at = words::time_of_day(start);
    let at = at.get(..8).unwrap_or_default();
    let close = match (close, told) {
        (Some(candle), _) => {
            let style = if candle.close < candle.open { BAD } else { GOOD };
            format!("{style}{:>14}{style:#}", candle.close.to_string())
        }
        (None, Told::Hole { .. }) => format!("{BAD}{:>14}{BAD:#}", "missing"),
        (None, _) => format!("{DIM}{:>14}{DIM:#}", "no trades"),
    };
    let said: Vec<_> =
        contract.shown().map(|(name, shown)| said(&name.to_string(), &shown)).collect();
    // A narrow terminal cuts what is last.
    Some(format!(
        "{symbol:<12} {DIM}{at}{DIM:#} {close}  {}  {}",
        said.join("  "),
        contract.spark()
    ))
}

/// `rsi 54.2`; dim and with a word behind it if something may be missing in it.
fn said(name: &str, shown: &Shown) -> String {
    match shown {
        Reading::Warming { needed } => format!("{DIM}{name} in {needed}{DIM:#}"),
        Reading::Valid { value, .. } => format!("{DIM}{name}{DIM:#} {}", short(value)),
        Reading::Stale { value, .. } => format!("{DIM}{name} {} stale{DIM:#}", short(value)),
    }
}

fn short(value: &Number) -> String {
    match value {
        Number::Price(price) => numbers::rounded(decimal(*price), 4),
        Number::Float(number) => float(*number),
        Number::Bands(bands) => {
            format!("{} {} {}", float(bands.lower), float(bands.middle), float(bands.upper))
        }
        Number::Macd(lines) => {
            format!("{} {} {}", float(lines.macd), float(lines.signal), float(lines.histogram))
        }
    }
}

fn decimal(price: Price) -> Decimal {
    Decimal::from(price)
}

/// Five digits, or all before the point.
fn float(number: f64) -> String {
    let places = match number.abs() {
        size if size >= 10_000.0 || size == 0.0 => 1,
        size => (4 - size.log10().floor() as i32).clamp(1, 9),
    };
    format!("{number:.*}", usize::try_from(places).unwrap_or(1))
}
