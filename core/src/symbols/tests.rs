use std::format;
use std::string::{String, ToString};
use std::vec::Vec;

use super::*;
use crate::wire::Contracts;

/// Symbol, base, quote, settle; dated ones settle at Christmas of 2026.
const LISTED: [[&str; 4]; 13] = [
    ["XBTMZ26", "XBT", "USD", "XBT"],
    ["XBTMH27", "XBT", "USD", "XBT"],
    ["XBTUSDM", "XBT", "USD", "XBT"],
    ["XBTUSDCM", "XBT", "USDC", "USDC"],
    ["XBTUSDTM", "XBT", "USDT", "USDT"],
    ["ETHUSDTM", "ETH", "USDT", "USDT"],
    ["ETHUSDCM", "ETH", "USDC", "USDC"],
    ["ETHWUSDTM", "ETHW", "USDT", "USDT"],
    ["10PEPEUSDTM", "10PEPE", "USDT", "USDT"],
    ["SOLUSDTM", "SOL", "USDT", "USDT"],
    ["BTCDOMUSDTM", "BTCDOM", "USDT", "USDT"],
    ["DOGEUSDTM", "DOGE", "USDT", "USDT"],
    ["TUSDTM", "T", "USDT", "USDT"],
];

fn body() -> String {
    let row = |[symbol, base, quote, settle]: [&str; 4]| {
        let kind = match symbol {
            "XBTMZ26" => r#""FFICSX","settleDate":1798185600000"#,
            "XBTMH27" => r#""FFICSX","settleDate":1806048000000"#,
            _ => r#""FFWCSX""#,
        };
        let inverse = quote == "USD";
        let multiplier = if inverse { "-1.0" } else { "0.1" };
        format!(
            r#"{{"symbol":"{symbol}","type":{kind},"status":"Open","baseCurrency":"{base}","quoteCurrency":"{quote}","settleCurrency":"{settle}","multiplier":{multiplier},"tickSize":0.1,"lotSize":1,"isInverse":{inverse}}}"#
        )
    };
    format!(r#"{{"code":"200000","data":[{}]}}"#, LISTED.map(row).join(","))
}

fn resolved(typed: &str) -> Resolution {
    let body = body();
    let contracts: Vec<_> =
        Contracts::parse(body.as_bytes()).unwrap().iter().map(Result::unwrap).collect();
    resolve_symbol(typed, contracts.iter().copied())
}

fn exact(typed: &str) -> String {
    let Resolution::Exact(symbol) = resolved(typed) else { panic!("{typed}") };
    symbol.to_string()
}

fn meant(typed: &str) -> String {
    let Resolution::DidYouMean(list) = resolved(typed) else { panic!("{typed}") };
    list.iter().map(|suggestion| suggestion.symbol.to_string()).collect::<Vec<_>>().join(" ")
}

#[test]
fn a_pair_is_a_contract_however_it_is_written() {
    for typed in
        ["XBTUSDTM", "xbtusdtm", "BTCUSDT", "BTC-USDT", "btc/usdt", "xbt_usdt", " btc usdt "]
    {
        assert_eq!(exact(typed), "XBTUSDTM", "{typed}");
    }
    assert_eq!(exact("XBTUSD"), "XBTUSDM");
    assert_eq!(exact("btc-usdc"), "XBTUSDCM");
    assert_eq!(exact("xbtmz26"), "XBTMZ26");
    assert_eq!(exact("10pepe-usdt"), "10PEPEUSDTM");
    assert_eq!(exact("BTCDOMUSDT"), "BTCDOMUSDTM", "not everything with BTC is Bitcoin");
}

#[test]
fn a_coin_is_a_question_with_the_usual_contract_first() {
    for typed in ["btc", "BTC", "xbt"] {
        let list = meant(typed);
        assert!(list.starts_with("XBTUSDTM XBTUSDCM XBTUSDM XBTMZ26 XBTMH27"), "{typed}: {list}");
    }
    assert_eq!(meant("eth"), "ETHUSDTM ETHUSDCM ETHWUSDTM");
    assert_eq!(meant("pepe"), "10PEPEUSDTM");
    assert_eq!(meant("pepe-usdt"), "10PEPEUSDTM");
    assert_eq!(meant("SOL"), "SOLUSDTM");
    assert_eq!(meant("T"), "TUSDTM");
}

#[test]
fn slips_and_other_quotes_are_guessed() {
    assert_eq!(meant("dgoe"), "DOGEUSDTM", "two letters swapped");
    assert_eq!(meant("doge2"), "DOGEUSDTM");
    assert_eq!(meant("SOLUSDMT"), "SOLUSDTM");
    assert_eq!(meant("ETHUSTM"), "ETHUSDTM ETHUSDCM");
    assert!(meant("BTC-EUR").starts_with("XBTUSDTM"));
    assert!(meant("btceur").starts_with("XBTUSDTM"));
    for typed in ["", "  ", "--", "zzzzzz", "é", &"x".repeat(1000)] {
        assert_eq!(meant(typed), "", "{typed}");
    }
}

#[test]
fn suggestions_say_what_they_are() {
    let Resolution::DidYouMean(list) = resolved("btc") else { panic!() };
    let shown: Vec<_> = list.iter().take(4).map(ToString::to_string).collect();
    assert_eq!(
        shown,
        [
            "XBTUSDTM (perpetual, USDT)",
            "XBTUSDCM (perpetual, USDC)",
            "XBTUSDM (inverse)",
            "XBTMZ26 (dated, inverse, settles 2026-12-25)",
        ]
    );
    let ends = UnixNanos::from_millis(1_798_185_600_000);
    let delisted = Suggestion { ends, ..list[0] };
    assert_eq!(delisted.to_string(), "XBTUSDTM (perpetual, USDT, ends 2026-12-25)");
}

#[test]
fn dates_are_those_of_the_calendar() {
    for (days, expected) in [
        (0, [1970, 1, 1]),
        (58, [1970, 2, 28]),
        (59, [1970, 3, 1]),
        (11_016, [2000, 2, 29]),
        (11_017, [2000, 3, 1]),
        (20_819, [2027, 1, 1]),
        (47_540, [2100, 2, 28]),
        (47_541, [2100, 3, 1]),
    ] {
        let time = UnixNanos::from_millis(days * 86_400_000 + 86_399_999).unwrap();
        assert_eq!(date(time), expected);
    }
}

#[test]
fn a_distance_counts_slips() {
    for (a, b, slips) in [
        ("DOGE", "DOGE", 0),
        ("DOGE", "DGOE", 1),
        ("DOGE", "DOG", 1),
        ("DOG", "DOGE", 1),
        ("SOL", "SUI", 2),
    ] {
        assert_eq!(distance(a, b, 2), Some(slips), "{a} {b}");
        assert_eq!(distance(b, a, 2), Some(slips), "{b} {a}");
    }
    assert_eq!(distance("SOL", "XRP", 2), None);
    assert_eq!((distance("", "AB", 2), distance("AB", "", 2)), (Some(2), Some(2)));
}
