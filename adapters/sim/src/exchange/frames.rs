//! The frames of books and tickers, as the exchange writes them, and spoiled.

use kucoin_futures_proto::wire::Side;
use kucoin_futures_proto::{Sequence, SplitMix64, Symbol, UnixNanos};

use crate::topic::Feed;
use crate::truth::{Change, Touch};

/// `time`: what the frame says of when, in ms.
pub(super) fn delta_frame(
    symbol: Symbol,
    sequence: Sequence,
    change: Change,
    time: Option<u64>,
) -> String {
    let side = match change.side {
        Side::Bid => "buy",
        Side::Ask => "sell",
    };
    let time = time.map(|ms| format!(r#","timestamp":{ms}"#)).unwrap_or_default();
    format!(
        concat!(
            r#"{{"topic":"{}:{}","type":"message","subject":"level2","sn":{},"#,
            r#""data":{{"sequence":{},"change":"{},{},{}"{}}}}}"#
        ),
        Feed::Level2.prefix(),
        symbol,
        sequence,
        sequence,
        change.price,
        side,
        change.after,
        time
    )
}

pub(super) fn ticker_frame(
    symbol: Symbol,
    sequence: Sequence,
    [bid, ask]: Touch,
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
