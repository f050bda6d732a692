//! The frames of books and tickers, as the exchange writes them, and spoiled.

use kucoin_futures_proto::book::Level;
use kucoin_futures_proto::wire::{Delta, Side};
use kucoin_futures_proto::{Sequence, SplitMix64, Symbol, UnixNanos};

use crate::topic::Feed;

/// The frame of a change of a book, as the exchange writes it.
#[must_use]
pub fn delta_frame(symbol: Symbol, delta: &Delta) -> String {
    let time = delta.ts_event.map(|at| format!(r#","timestamp":{}"#, at.as_millis()));
    format!(
        concat!(
            r#"{{"topic":"{}:{}","type":"message","subject":"level2","sn":{},"#,
            r#""data":{{"sequence":{},"change":"{},{},{}"{}}}}}"#
        ),
        Feed::Level2.prefix(),
        symbol,
        delta.sequence,
        delta.sequence,
        delta.price,
        side_word(delta.side),
        delta.size,
        time.unwrap_or_default()
    )
}

const fn side_word(side: Side) -> &'static str {
    match side {
        Side::Bid => "buy",
        Side::Ask => "sell",
    }
}

/// The frame of a change of best bid and best ask, as the exchange writes it. `unix`: when that was.
#[must_use]
pub fn ticker_frame(
    symbol: Symbol,
    sequence: Sequence,
    [bid, ask]: [Level; 2],
    unix: UnixNanos,
) -> String {
    format!(
        concat!(
            r#"{{"topic":"{}:{}","type":"message","subject":"tickerV2","sn":{},"#,
            r#""data":{{"symbol":"{}","sequence":{},"bestBidSize":{},"bestBidPrice":"{}","#,
            r#""bestAskPrice":"{}","bestAskSize":{},"ts":{}000000}}}}"#
        ),
        Feed::TickerV2.prefix(),
        symbol,
        sequence,
        symbol,
        sequence,
        bid.size,
        bid.price,
        ask.price,
        ask.size,
        unix.as_millis()
    )
}

/// What stands in a sound frame, and what in its place makes it unsound.
const SPOILS: [(&str, &str); 6] = [
    (",sell,", ","),
    (",sell,", ",SELL,"),
    (r#"","timestamp":"#, r#".5","timestamp":"#),
    (r#""change":""#, r#""change":"-"#),
    (r#""change":""#, r#""change":"1e999"#),
    (r#""data":{"sequence":"#, r#""data":{"sequence":-"#),
];

/// Makes a frame say nothing that could be understood.
pub(super) fn spoil(rng: &mut SplitMix64, frame: &str) -> String {
    let at = rng.below(SPOILS.len() as u64) as usize;
    let drawn = SPOILS.get(at).filter(|(sound, _)| frame.contains(sound));
    let (sound, spoiled) = drawn.copied().unwrap_or((",sell,", ","));
    let frame = if sound == ",sell," { frame.replace(",buy,", ",sell,") } else { frame.into() };
    frame.replacen(sound, spoiled, 1)
}
