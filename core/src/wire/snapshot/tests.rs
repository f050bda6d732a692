use std::format;
use std::string::{String, ToString as _};
use std::vec::Vec;

use proptest::prelude::*;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::*;
use crate::book::{Book, Coverage, Scope};
use crate::wire::exchange_time::EARLIEST;

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
    #[serde(borrow)]
    sequence: &'a RawValue,
    #[serde(borrow, default, deserialize_with = "there")]
    bids: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "there")]
    asks: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "there")]
    ts: Option<&'a RawValue>,
}

/// Null is something, too.
fn there<'de, D: serde::Deserializer<'de>>(value: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(value).map(Some)
}

/// What stands between quotes, or a bare number.
fn digits(text: &str) -> Option<&str> {
    match text.strip_prefix('"') {
        Some(rest) => rest.strip_suffix('"').filter(|text| !text.contains('\\')),
        None => {
            Some(text).filter(|text| text.starts_with(|c: char| c == '-' || c.is_ascii_digit()))
        }
    }
}

fn whole(text: &str) -> Option<u64> {
    let plain = |digits: &&str| digits.bytes().all(|byte| byte.is_ascii_digit());
    digits(text).filter(plain)?.parse().ok()
}

fn by_serde(body: &[u8]) -> Option<Snapshot> {
    // What serde passes over it does not look at: that all of it is text is our rule.
    let body: Body<'_> = serde_json::from_str(core::str::from_utf8(body).ok()?).ok()?;
    let data = (body.code == "200000").then_some(body.data)?;
    data.bids.or(data.asks)?;
    let (bids, bids_are_cut) = levels(data.bids, |better, worse| better > worse)?;
    let (asks, asks_are_cut) = levels(data.asks, |better, worse| better < worse)?;
    let ts = data.ts.and_then(|ts| whole(ts.get())).map(UnixNanos::from_nanos);
    Some(Snapshot {
        symbol: Symbol::new(&data.symbol).ok()?,
        sequence: Sequence::new(whole(data.sequence.get())?),
        bids,
        asks,
        ts_event: ts.filter(|ts| *ts >= EARLIEST),
        bids_are_cut,
        asks_are_cut,
    })
}

fn levels(
    side: Option<&RawValue>,
    ordered: fn(Price, Price) -> bool,
) -> Option<(Vec<Level>, bool)> {
    let rows: Option<Vec<&RawValue>> = match side {
        Some(side) => serde_json::from_str(side.get()).ok()?,
        None => None,
    };
    let mut levels: Vec<Level> = Vec::new();
    for row in rows.iter().flatten() {
        let row: Vec<&RawValue> = serde_json::from_str(row.get()).ok()?;
        let [price, size, ..] = row[..] else { return None };
        let (price, size) = (digits(price.get())?, digits(size.get())?);
        let size = Lots::parse(size.as_bytes(), "").ok()?;
        let Ok(price) = Price::parse(price.as_bytes(), "") else {
            let is_cut = !levels.is_empty() && is_beyond(price.as_bytes());
            return is_cut.then_some((levels, true));
        };
        match levels.last() {
            _ if price == Price::ZERO || size == Lots::ZERO => {}
            Some(last) if *last == (Level { price, size }) => {}
            Some(last) if !ordered(last.price, price) => return None,
            _ => levels.push(Level { price, size }),
        }
    }
    Some((levels, false))
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
    let head = book.read(body);
    assert_eq!(head.as_ref().err(), parsed.as_ref().err(), "{}", shown());
    if let Ok(snapshot) = parsed {
        let SnapshotHead { symbol, sequence, ts_event, .. } = head.unwrap();
        let said = (snapshot.symbol, snapshot.sequence, snapshot.ts_event);
        assert_eq!((symbol, sequence, ts_event), said, "{}", shown());
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

fn body_of(rest: &str) -> String {
    format!(r#"{{"code":"200000","data":{{"sequence":16,"symbol":"XBTUSDTM",{rest}}}}}"#)
}

/// Seen for hours at another exchange.
#[test]
fn a_row_without_a_size_or_a_price_is_no_level() {
    for row in ["[9.5,0]", "[0,7]", "[\"9.5\",\"0\"]", "[9.5,0.0]"] {
        let body = body_of(&format!(r#""bids":[[10,1],{row},[9,2]],"asks":[]"#));
        check(body.as_bytes());
        assert_eq!(Snapshot::parse(body.as_bytes()).unwrap().bids.len(), 2, "{row}");
    }
}

#[test]
fn a_row_that_comes_twice_is_one_and_one_that_contradicts_is_refused_in_words() {
    let parse = |asks| Snapshot::parse(body_of(&format!(r#""bids":[],"asks":{asks}"#)).as_bytes());
    for asks in [
        "[[10,3],[10,3],[11,9]]",
        "[[\"10\",3],[10.0,3],[11,9,\"more\"]]",
        "[[10,3],[11,9],[11,9]]",
    ] {
        assert_eq!(parse(asks).unwrap().asks.len(), 2, "{asks}");
        check(body_of(&format!(r#""bids":[],"asks":{asks}"#)).as_bytes());
    }
    assert_eq!(parse("[[10,3],[10,4]]"), Err(WireError::Contradiction { field: "asks" }));
    assert_eq!(parse("[[10,3],[11,3],[10,3]]"), Err(WireError::Disordered { field: "asks" }));
}

/// Seen on the spot side: an order at a price that nobody will ever pay.
#[test]
fn a_price_that_cannot_be_held_ends_its_side_there() {
    for beyond in ["999999999999999999", "\"999999999999999999.9\"", "9300000", "12.0000000000001"]
    {
        let asks = format!("[[10,3],[12,9],[{beyond},1],[{beyond},\"?\"],null]");
        let body = body_of(&format!(r#""bids":[[9,1]],"asks":{asks}"#));
        check(body.as_bytes());
        let mut book = Book::new(1000, 1000);
        book.read(body.as_bytes()).unwrap();
        let reach = [Side::Ask, Side::Bid].map(|side| book.reach(side));
        assert_eq!(reach, [Coverage::To("12".parse().unwrap()), Coverage::All], "{beyond}");
        // With nothing before it there would be nothing to say.
        let body = body_of(&format!(r#""bids":[[{beyond},1]],"asks":[]"#));
        assert!(Snapshot::parse(body.as_bytes()).is_err(), "{beyond}");
    }
    for wrong in ["-12", "\"x\"", "null", "\"\""] {
        let body = body_of(&format!(r#""bids":[],"asks":[[10,3],[{wrong},1]]"#));
        assert!(Snapshot::parse(body.as_bytes()).is_err(), "{wrong}");
    }
}

#[test]
fn a_time_decides_nothing_and_a_sequence_may_be_a_text() {
    let times = [
        ("\"1790000000000000000\"", true),
        ("1790000000000000000", true),
        ("1.79E18", false),
        ("1790000000000", false),
        ("{}", false),
    ];
    for (ts, is_known) in times {
        let body = body_of(&format!(r#""bids":[],"asks":[],"ts":{ts}"#)).replace("16", "\"16\"");
        let head = Book::new(1000, 1000).read(body.as_bytes()).unwrap();
        assert_eq!((head.ts_event.is_some(), head.has_odd_time), (is_known, !is_known), "{ts}");
        assert_eq!(head.sequence, Sequence::new(16));
    }
    for nothing in ["null", "\"\""] {
        let body = body_of(&format!(r#""bids":[],"asks":[],"ts":{nothing}"#));
        let head = Book::new(1000, 1000).read(body.as_bytes()).unwrap();
        assert_eq!((head.ts_event, head.has_odd_time), (None, false), "{nothing}");
    }
}

#[test]
fn sides_may_be_null_and_one_that_says_nothing_of_either_is_none() {
    for sides in [r#""bids":null,"asks":null"#, r#""bids":[],"asks":[]"#, r#""asks":[[10,1]]"#] {
        check(body_of(sides).as_bytes());
        assert!(Snapshot::parse(body_of(sides).as_bytes()).is_ok(), "{sides}");
    }
    assert_eq!(
        Snapshot::parse(body_of(r#""ts":null"#).as_bytes()),
        Err(WireError::Missing { field: "bids" })
    );
}
