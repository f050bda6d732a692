//! The frames that come by the clock, as the exchange writes them.

use std::fmt::Write as _;

use kucoin_futures_proto::wire::Side;
use kucoin_futures_proto::{Decimal, Price, Sequence, SplitMix64, Symbol, UnixNanos};

use crate::market::{Candle, DayFigures, Market, decimal};
use crate::session::server_id;
use crate::topic::Topic;
use crate::truth::Truth;

/// The members `bids` and `asks` of a depth: prices are text, sizes numbers. How the exchange writes a side that
/// is empty is not known: as an empty list, as null, or not at all, each has its turn while there is the other.
pub(super) fn levels(truth: &Truth, most: usize, sequence: Sequence) -> String {
    let sides = [("bids", Side::Bid), ("asks", Side::Ask)];
    let is_nothing = sides.iter().all(|(_, side)| truth.levels(*side).next().is_none());
    let members = sides.into_iter().filter_map(|(name, side)| {
        let mut levels = truth.levels(side).take(most).peekable();
        match (levels.peek().is_none() && !is_nothing, sequence.get() % 3) {
            (true, 1) => return Some(format!(r#""{name}":null"#)),
            (true, 2) => return None,
            _ => {}
        }
        let mut text = format!(r#""{name}":["#);
        for (at, level) in levels.enumerate() {
            let comma = if at == 0 { "" } else { "," };
            // A string takes everything.
            let _ = write!(text, r#"{comma}["{}",{}]"#, level.price, level.size);
        }
        text.push(']');
        Some(text)
    });
    members.collect::<Vec<_>>().join(",")
}

/// The frame of a depth, as the exchange writes it: its `sn` is the time of the push, and not the sequence. `levels`:
/// the members `bids` and `asks`, whose prices are text and sizes numbers.
#[must_use]
pub fn depth_frame(topic: Topic, sequence: Sequence, levels: &str, at: UnixNanos) -> String {
    let ms = at.as_millis();
    format!(
        concat!(
            r#"{{"topic":"{topic}","type":"message","subject":"level2","sn":{ms},"#,
            r#""data":{{{levels},"sequence":{sequence},"timestamp":{ms},"ts":{ms}}}}}"#
        ),
        topic = topic,
        ms = ms,
        levels = levels,
        sequence = sequence
    )
}

pub(super) fn mark_frame(topic: Topic, market: &Market, at: UnixNanos) -> String {
    let marks = market.marks(at);
    let tick = market.contract().index_tick();
    format!(
        concat!(
            r#"{{"topic":"{}","type":"message","subject":"mark.index.price","data":{{"#,
            r#""markPrice":{},"indexPrice":{},"granularity":1000,"timestamp":{}}}}}"#
        ),
        topic,
        fixed(marks.mark, tick),
        fixed(marks.index, tick),
        at.as_millis()
    )
}

pub(super) fn estimate_frame(topic: Topic, rate: i64, ms: u64) -> String {
    format!(
        concat!(
            r#"{{"topic":"{}","type":"message","subject":"funding.rate","data":{{"period":1,"#,
            r#""granularity":60000,"fundingRate":{},"timestamp":{}}}}}"#
        ),
        topic,
        decimal(rate),
        ms
    )
}

pub(super) fn settled_frame(topic: Topic, rate: i64, interval: u64, ms: u64) -> String {
    format!(
        concat!(
            r#"{{"topic":"{}","type":"message","subject":"funding.rate","data":{{"#,
            r#""granularity":{},"fundingRate":{},"timestamp":{}}}}}"#
        ),
        topic,
        interval,
        decimal(rate),
        ms
    )
}

/// `settled`: when funding fell due; `now`: when it is said. Both in ms.
pub(super) fn announcement_frame(
    topic: Topic,
    subject: &str,
    symbol: Symbol,
    (settled, now): (u64, u64),
    rate: i64,
) -> String {
    format!(
        concat!(
            r#"{{"topic":"{}","type":"message","subject":"{}","data":{{"symbol":"{}","#,
            r#""fundingTime":{},"fundingRate":{},"timestamp":{}}}}}"#
        ),
        topic,
        subject,
        symbol,
        settled,
        decimal(rate),
        now
    )
}

pub(super) fn snapshot_frame(topic: Topic, market: &Market, at: UnixNanos) -> String {
    let contract = market.contract();
    let price = |price: Price| fixed(price, contract.tick);
    let DayFigures { last, high, low, before, volume, turnover, change, change_part } =
        market.day(at);
    let rate = market.funding_at(at).map(|shown| format!(r#","fundingRate":{}"#, shown.rate));
    // Of its own making: what faults draw must not depend on who listens.
    let id = server_id(&mut SplitMix64::new(at.as_nanos()));
    format!(
        concat!(
            r#"{{"topic":"{}","type":"message","subject":"snapshot.24h","id":"{}","data":{{"#,
            r#""highPrice":{},"lastPrice":{},"lowPrice":{},"price24HoursBefore":{},"#,
            r#""priceChg":{},"priceChgPct":{},"symbol":"{}","ts":{},"turnover":{},"volume":{}{}}}}}"#
        ),
        topic,
        id,
        price(high),
        price(last),
        price(low),
        price(before),
        change,
        change_part,
        contract.symbol,
        at.as_nanos(),
        turnover,
        volume,
        rate.unwrap_or_default()
    )
}

/// Start in seconds, open, close, high, low, turnover, lots: all text, and not in the order of REST.
pub(super) fn candle_frame(topic: Topic, candle: &Candle, at: UnixNanos) -> String {
    let Candle { start, open, high, low, close, lots, turnover } = candle;
    let symbol = topic.symbol().map(|symbol| symbol.to_string()).unwrap_or_default();
    format!(
        concat!(
            r#"{{"topic":"{}","type":"message","data":{{"symbol":"{}","candles":["{}","{}","{}","#,
            r#""{}","{}","{}","{}"],"time":{}}},"subject":"candle.stick"}}"#
        ),
        topic,
        symbol,
        start,
        open,
        close,
        high,
        low,
        turnover,
        lots,
        at.as_millis()
    )
}

/// With as many decimals as the tick has, zeros at the end included: so the stream writes prices.
fn fixed(price: Price, tick: Price) -> String {
    let decimals = Decimal::from(tick).exponent().min(0).unsigned_abs();
    let mut text = price.to_string();
    if decimals == 0 {
        return text;
    }
    let has = text.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    if has == 0 {
        text.push('.');
    }
    text.extend(core::iter::repeat_n('0', usize::from(decimals).saturating_sub(has)));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_side_is_written_in_each_way_and_never_both_not_at_all() {
        let mut truth = Truth::default();
        let write = |truth: &Truth| [3, 4, 5].map(|at| levels(truth, 5, Sequence::new(at)));
        assert_eq!(write(&truth), [r#""bids":[],"asks":[]"#; 3]);
        truth.set(Side::Ask, "1.5".parse().unwrap(), 7);
        let asks = r#""asks":[["1.5",7]]"#;
        let ways = [format!(r#""bids":[],{asks}"#), format!(r#""bids":null,{asks}"#), asks.into()];
        assert_eq!(write(&truth), ways);
    }

    #[test]
    fn prices_have_the_decimals_of_their_tick() {
        for (price, tick, text) in [
            ("110110.1", "0.01", "110110.10"),
            ("63000", "0.1", "63000.0"),
            ("5200", "1", "5200"),
            ("0.000121", "0.000000001", "0.000121000"),
        ] {
            assert_eq!(fixed(price.parse().unwrap(), tick.parse().unwrap()), text);
        }
    }
}
