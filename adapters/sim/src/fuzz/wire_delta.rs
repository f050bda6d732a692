//! The fast path of the wire against a general reader.

use kucoin_futures_proto::WireError;
use kucoin_futures_proto::wire::{Delta, DeltaParser, Frame, Side};

use super::json::{Json, units};

/// Any bytes as the data of a level2 frame: [`Delta::parse`] and serde_json agree on whether it is
/// one, and on every value in it; and so does [`DeltaParser`], whatever it learned before.
///
/// # Panics
/// A promise is broken.
pub fn wire_delta(bytes: &[u8]) {
    let json = Json::read(bytes);
    let ours = Delta::parse(bytes);
    learned(bytes, ours);
    let shown = String::from_utf8_lossy(bytes);
    if json.as_ref().is_some_and(Json::is_object) {
        let blamed = matches!(ours, Err(WireError::NotJson { .. } | WireError::TooDeep));
        assert!(!blamed, "{ours:?} of good JSON: {shown}");
    }
    let ours = ours.ok().map(|delta| {
        let ts = delta.ts_event.map(|ts| ts.as_nanos());
        let price = delta.price.scaled().unsigned_abs();
        (delta.sequence.get(), delta.side, price, delta.size.get(), ts)
    });
    assert_eq!(ours, json.and_then(|json| reference(&json)), "{shown}");
}

/// Frames with this data, after one with some other, on connections that write it in various ways;
/// and again once it was seen itself.
fn learned(data: &[u8], expected: Result<Delta, WireError>) {
    const KNOWN: &[u8] =
        br#"{"sequence":1709400450243,"change":"90631.2,sell,2","timestamp":1731897467182}"#;
    const ENVELOPES: [[&[u8]; 2]; 2] = [
        [br#"{"topic":"/contractMarket/level2:XBTUSDTM","type":"message","sn":1709400450243,"data":"#, b"}"],
        [br#"{"data": "#, br#", "type": "message", "topic": "/contractMarket/level2:XBTUSDTM"}"#],
    ];
    for [head, tail] in ENVELOPES {
        let frame = |data: &[u8]| [head, data, tail].concat();
        let mut parser = DeltaParser::new();
        assert!(parser.parse(&frame(KNOWN)).is_ok());
        let frame = frame(data);
        // What closes the data early makes another frame of it.
        let expected = match Frame::parse(&frame) {
            Ok(Frame::Message(message)) if message.data.trim_ascii() == data.trim_ascii() => {
                expected
            }
            _ => continue,
        };
        for _ in 0..2 {
            let read = parser.parse(&frame).map(|frame| frame.delta);
            assert_eq!(read, expected, "{}", String::from_utf8_lossy(&frame));
        }
    }
}

/// Sequence, side, price in units of 1e-12, size, and time in nanoseconds.
type Parts = (u64, Side, u64, u64, Option<u64>);

/// What a delta is, said once more. Beyond what JSON and the types ask for, deliberately:
///
/// * a key that is used must not stand twice, in whatever spelling; any other may;
/// * an integer is plain digits, also as a text: neither `1.0` nor `1e3`;
/// * a `timestamp` that is no time is none;
/// * a `change` that is written with escapes has 128 bytes at most; without any, no limit.
fn reference(json: &Json) -> Option<Parts> {
    let sequence = json.one("sequence")?.integer()?;
    let ts = match json.all("timestamp")[..] {
        [] => None,
        [ts] => ts.time(1_000_000),
        _ => return None,
    };
    let Json::Text { meant, escaped } = json.one("change")? else { return None };
    if *escaped && meant.len() > 128 {
        return None;
    }
    let parts: Vec<&str> = meant.split(',').collect();
    let [price, side, size] = parts[..] else { return None };
    let side = match side {
        "buy" => Side::Bid,
        "sell" => Side::Ask,
        _ => return None,
    };
    Some((sequence, side, units(price, 12, i64::MAX as u64)?, units(size, 0, u64::MAX)?, ts))
}
