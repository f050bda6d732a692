use std::format;
use std::string::{String, ToString as _};
use std::vec::Vec;

use proptest::prelude::*;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::*;
use crate::book::{Book, Scope};

/// The same by serde, as the reference.
#[derive(Deserialize)]
struct Body<'a> {
    code: String,
    #[serde(borrow)]
    data: Data<'a>,
}

#[derive(Deserialize)]
struct Data<'a> {
    symbol: String,
    sequence: u64,
    #[serde(borrow)]
    bids: Option<Vec<[&'a RawValue; 2]>>,
    #[serde(borrow)]
    asks: Option<Vec<[&'a RawValue; 2]>>,
    ts: Option<u64>,
}

fn by_serde(body: &[u8]) -> Option<Snapshot> {
    // What serde passes over it does not look at: that all of it is text is our rule.
    let body: Body<'_> = serde_json::from_str(core::str::from_utf8(body).ok()?).ok()?;
    let data = (body.code == "200000").then_some(body.data)?;
    let unquoted = |text: &'_ str| match text.strip_prefix('"') {
        Some(rest) => rest.strip_suffix('"').map(str::to_string),
        None => Some(text.to_string()),
    };
    let levels = |side: &Option<Vec<[&RawValue; 2]>>| {
        let levels = side.iter().flatten().map(|[price, size]| {
            let price = Price::parse(unquoted(price.get())?.as_bytes(), "").ok()?;
            let size = Lots::parse(unquoted(size.get())?.as_bytes(), "").ok()?;
            (price != Price::ZERO && size != Lots::ZERO).then_some(Level { price, size })
        });
        levels.collect::<Option<Vec<Level>>>()
    };
    let (bids, asks) = (levels(&data.bids)?, levels(&data.asks)?);
    let in_order = bids.is_sorted_by(|a, b| a.price > b.price)
        && asks.is_sorted_by(|a, b| a.price < b.price)
        && (data.bids.is_some() || data.asks.is_some());
    in_order.then_some(Snapshot {
        symbol: Symbol::new(&data.symbol).ok()?,
        sequence: Sequence::new(data.sequence),
        bids,
        asks,
        ts_event: data.ts.map(UnixNanos::from_nanos),
    })
}

/// A level as it may stand on the wire.
fn level((units, size): (i64, u64), form: u8) -> String {
    let price = Price::from_scaled(units).unwrap();
    match form {
        0..200 => format!("[{price},{size}]"),
        200..220 => format!("[\"{price}\",{size}]"),
        220..230 => format!("[ {price} , {size} ]"),
        230..235 => format!("[{price},\"{size}\"]"),
        235..240 => format!("[{price}0,{size}]"),
        240 => format!("[0{price},{size}]"),
        241 => format!("[{price},0{size}]"),
        242 => format!("[{price},{size},1]"),
        243 => format!("[{price}]"),
        244 => format!("[{price},-{size}]"),
        245 => format!("[{price}.,{size}]"),
        246 => format!("[{price},{size}e0]"),
        247 => format!("[{price},{size}.0]"),
        _ => format!("[{price},\t{size}]"),
    }
}

fn side() -> impl Strategy<Value = Vec<((i64, u64), u8)>> {
    const TICK: i64 = 50_000_000_000;
    let price = prop_oneof![
        20 => (1_259_900_i64..1_260_100).prop_map(|ticks| ticks * TICK),
        4 => (1_i64..2_000_000).prop_map(|ticks| ticks * TICK),
        1 => 1_i64..1_000_000,
        1 => 1_i64..=i64::MAX,
    ];
    let size = prop_oneof![8 => 1_u64..5_000, 1 => 0_u64..2, 1 => any::<u64>()];
    // Most sides are all in the usual form.
    let form = prop_oneof![60 => Just(0_u8), 1 => any::<u8>()];
    let levels = prop::collection::btree_map(price, (size, form), 0..60);
    levels.prop_map(|levels| levels.into_iter().map(|(p, (s, form))| ((p, s), form)).collect())
}

fn body() -> impl Strategy<Value = Vec<u8>> {
    let order = Just([0, 1, 2, 3, 4, 5]).prop_shuffle();
    let damage = prop::option::weighted(0.5, (any::<prop::sample::Index>(), any::<u8>()));
    let spaced = prop::bool::weighted(0.2);
    (side(), side(), order, damage, spaced).prop_map(|(bids, asks, order, damage, spaced)| {
        let space = if spaced { " " } else { "" };
        let comma = format!(",{space}");
        let list = |levels: Vec<String>| format!("[{}]", levels.join(&comma));
        let bids = list(bids.into_iter().rev().map(|(l, form)| level(l, form)).collect());
        let asks = list(asks.into_iter().map(|(l, form)| level(l, form)).collect());
        let parts = [
            format!("\"bids\":{space}{bids}"),
            format!("\"asks\":{space}{asks}"),
            format!("\"sequence\":{space}41"),
            format!("\"symbol\":{space}\"XBTUSDTM\""),
            format!("\"ts\":{space}1790000000123000000"),
            format!("\"more\":{space}[{{\"deep\":[1.5e3,null]}}]"),
        ];
        let parts: Vec<_> = order.iter().map(|&at: &usize| parts[at].as_str()).collect();
        let data = format!("\"data\":{space}{{{}}}", parts.join(&comma));
        let code = format!("\"code\":{space}\"200000\"");
        let halves = if order[0] < 3 { [code, data] } else { [data, code] };
        let mut bytes = format!("{{{}}}", halves.join(&comma)).into_bytes();
        if let Some((at, byte)) = damage {
            let at = at.index(bytes.len());
            bytes[at] = match byte {
                0..100 => b"0123456789"[byte as usize % 10],
                100..200 => b",.[]{}\":- e"[byte as usize % 11],
                other => other,
            };
        }
        bytes
    })
}

/// Whichever way a body is read, it says the same or is refused.
fn check(body: &[u8]) {
    let shown = || String::from_utf8_lossy(body);
    let parsed = Snapshot::parse(body);
    assert_eq!(parsed.clone().ok(), by_serde(body), "{}", shown());
    let (mut book, mut loaded) = (Book::new(50, 45), Book::new(50, 45));
    assert_eq!(book.read(body), parsed.clone().map(|snapshot| snapshot.head()), "{}", shown());
    if let Ok(snapshot) = parsed {
        loaded.load(&snapshot);
        let held = |side| book.levels(side, Scope::Held).collect::<Vec<_>>();
        assert!(held(Side::Bid).iter().eq(snapshot.bids.iter().take(45)));
        assert!(held(Side::Ask).iter().eq(snapshot.asks.iter().take(45)));
    }
    assert!(book == loaded, "{}", shown());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(3000) })]

    #[test]
    fn a_body_says_what_serde_says(body in body()) {
        check(&body);
    }
}

#[test]
fn a_key_that_is_used_must_not_stand_twice() {
    let once = r#"{"code":"200000","data":{"sequence":41,"symbol":"XBTUSDTM","bids":[[9,7]],"asks":[],"ts":1}}"#;
    check(once.as_bytes());
    for key in ["code", "data", "sequence", "symbol", "bids", "asks", "ts"] {
        let start = once.find(&format!("\"{key}\"")).unwrap();
        let twice = match key {
            "code" => format!("{{\"code\":\"200000\",{}", &once[1..]),
            "data" => format!("{{\"data\":{{}},{}", &once[1..]),
            _ => format!("{}\"{key}\":[],{}", &once[..start], &once[start..]),
        };
        assert!(Snapshot::parse(twice.as_bytes()).is_err(), "{twice}");
        check(twice.as_bytes());
    }
}

/// Eight digits leave no bracket in the word of the size, and even ones looked like seven others.
#[test]
fn sizes_of_any_length_are_read_as_they_stand() {
    for digit in 1..10 {
        for len in 1..=20 {
            let size = "2468642".repeat(3)[..len].replace('2', &digit.to_string());
            let body = format!(
                r#"{{"code":"200000","data":{{"sequence":41,"symbol":"XBTUSDTM","bids":[[63000.5,{size}],[62999.5,{size}]],"asks":[],"ts":1}}}}"#
            );
            check(body.as_bytes());
        }
    }
}
