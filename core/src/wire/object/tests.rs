//! The walk over an object and the reader of what is unusual say the same; a general parser is the referee.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use proptest::prelude::*;
use serde_json::Value;
use serde_json::value::RawValue;

use super::*;
use crate::ids::{Sequence, Symbol};
use crate::num::{Decimal, Lots, Price};
use crate::time::UnixNanos;
use crate::wire::Text;
use crate::wire::damage::{damage, damaged};
use crate::wire::order::TradeType;

const NAMES: &[&[&str]; 4] = &[&["a"], &["price"], &["oldSize", "oldSize "], &["text"]];

/// Any JSON value, as text.
fn json_value() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "-?(0|[1-9][0-9]{0,20})([.][0-9]{1,12})?([eE][+-]?[0-9]{1,3})?",
        3 => "\"[0-9.]{0,22}\"",
        2 => "\"[a-zA-Z \u{e9}\u{1f600}/]{0,10}\"",
        1 => prop::sample::select(&["\"\\u0061\\\\\\\"\"", "true", "false", "null", "{}", "[]"][..])
            .prop_map(String::from),
        1 => "\\[(1|\"x\"|\\{\"b\":null\\})(,\\[[0-9]\\]){0,3}\\]",
    ]
}

fn key() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => prop::sample::select(&["a", "price", "oldSize", "oldSize ", "text"][..])
            .prop_map(String::from),
        1 => prop::sample::select(&["\\u0061", "pric\\u0065", "A", "", "other", "t\\text"][..])
            .prop_map(String::from),
        1 => "[a-z]{1,12}",
    ]
}

fn space() -> impl Strategy<Value = String> {
    prop_oneof![6 => Just(String::new()), 1 => "[ \t\r\n]{1,3}"]
}

fn object_text() -> impl Strategy<Value = String> {
    let entry = (key(), json_value(), space(), space());
    prop::collection::vec(entry, 0..7).prop_map(|entries| {
        let entry = |(key, value, a, b): &(String, String, String, String)| {
            format!("{a}\"{key}\"{b}:{a}{value}{b}")
        };
        format!("{{{}}}", entries.iter().map(entry).collect::<Vec<_>>().join(","))
    })
}

/// What both say of some bytes, and each kind of value read out of them.
fn check(data: &[u8]) -> Result<(), TestCaseError> {
    let (fast, slow) = (find(data, NAMES), find_unusual(data, NAMES));
    prop_assert_eq!(&fast, &slow, "{}", String::from_utf8_lossy(data));
    let Ok(tokens) = fast else { return Ok(()) };
    // Numbers may be larger than the referee's.
    let json: BTreeMap<String, Box<RawValue>> = serde_json::from_slice(data)
        .map_err(|error| TestCaseError::fail(format!("accepted, and {error}")))?;
    for (names, token) in NAMES.iter().zip(tokens) {
        let entry = Entry::new(data, token, names[0]);
        let raw = names.iter().find_map(|name| json.get(*name));
        let truth = raw.and_then(|raw| serde_json::from_str::<Value>(raw.get()).ok());
        let truth = truth.as_ref();
        let text = Text::read(entry);
        let truth_text = truth.and_then(Value::as_str).map(String::from);
        prop_assert_eq!(text.ok().map(|text| text.to_string()), truth_text);
        prop_assert_eq!(bool::read(entry).is_ok(), is_bool(truth));
        let is_nothing = raw.is_none_or(|raw| raw.get() == "null");
        prop_assert_eq!(entry.there().is_err(), is_nothing);
        if let Ok(whole) = i64::read(entry) {
            prop_assert_eq!(Decimal::read(entry).ok(), Decimal::new(i128::from(whole), 0));
            prop_assert_eq!(u64::read(entry).ok(), u64::try_from(whole).ok());
        }
        if let Some(Value::Number(number)) = truth {
            let (ours, theirs) = (i64::read(entry).ok(), number.as_i64());
            prop_assert!(theirs.is_none() || ours == theirs, "{:?} {:?}", ours, theirs);
        }
    }
    Ok(())
}

fn is_bool(value: Option<&Value>) -> bool {
    match value {
        Some(Value::Bool(_)) => true,
        Some(Value::String(text)) => text == "true" || text == "false",
        _ => false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn both_ways_say_the_same_of_any_object(text in object_text()) {
        check(text.as_bytes())?;
    }

    #[test]
    fn and_of_what_is_damaged_or_cut(
        text in object_text(),
        at in any::<prop::sample::Index>(),
        damage in damage(),
    ) {
        let bytes = damaged(text.as_bytes(), at, damage);
        check(&bytes)?;
        check(&bytes[..at.index(bytes.len() + 1)])?;
    }
}

#[test]
fn a_key_that_stands_twice_is_an_error_and_one_that_is_not_asked_for_is_none() {
    let twice = WireError::Duplicate { field: "oldSize" };
    assert_eq!(find(br#"{"oldSize":1,"oldSize ":1}"#, NAMES), Err(twice));
    assert_eq!(find(br#"{"oldSize":1,"\u006fldSize":1}"#, NAMES), Err(twice));
    assert_eq!(find(br#"{"x":1,"x":2}"#, NAMES), Ok([NONE; 4]));
}

object! {
    /// A value of each kind.
    struct Everything<'a> {
        /// Text.
        text: Text<'a> = "text";
        /// Symbol.
        symbol: Option<Symbol> = "symbol";
        /// Decimal.
        rate: Decimal = "rate";
        /// Perhaps.
        cost: Option<Decimal> = "cost" | "cost ";
        /// Price.
        price: Option<Price> = "price";
        /// Size.
        size: Option<Lots> = "size";
        /// Number.
        version: Option<u64> = "version";
        /// With a sign.
        qty: Option<i64> = "qty";
        /// Flag.
        flag: Option<bool> = "flag";
        /// Word.
        word: Option<TradeType> = "word";
        /// Time.
        at: Option<UnixNanos> = "at" by Millis;
        /// Position.
        sequence: Option<Sequence> = "sequence";
    }
}

const KEYS: [&str; 13] = [
    "text", "symbol", "rate", "cost", "cost ", "price", "size", "version", "qty", "flag", "word",
    "at", "sequence",
];

/// A value such as most are, and how it stands there.
fn usual_value() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "(0|[1-9][0-9]{0,9})([.][0-9]{1,5})?",
        4 => "\"(0|[1-9][0-9]{0,9})([.][0-9]{1,5})?\"",
        3 => "\"?-?[0-9]{1,19}([.][0-9]{0,13})?\"?",
        2 => prop::sample::select(&["\"trade\"", "\"liquidation\"", "\"three\"", "true", "false", "null", "\"\"",
            "1790000000123", "\"-\"", "-\"5\"", "1.0E-5"][..]).prop_map(String::from),
        1 => "\"[A-Z0-9]{0,24}\"",
        1 => json_value(),
    ]
}

fn in_order(values: &[(bool, String)]) -> String {
    let entries = KEYS.iter().zip(values).filter(|(_, (is_there, _))| *is_there);
    let entries: Vec<_> = entries.map(|(key, (_, value))| format!("\"{key}\":{value}")).collect();
    format!("{{{}}}", entries.join(","))
}

fn check_usual(data: &[u8]) -> Result<(), TestCaseError> {
    if let Some((usual, end)) = Everything::in_place(data, 0) {
        let shown = String::from_utf8_lossy(data);
        prop_assert_eq!(Ok(usual), Everything::parse_any(&data[..end]), "{}", shown);
        prop_assert_eq!(Everything::skip(data, 0), Some(end), "{}", shown);
    }
    if let Some(end) = Everything::skip(data, 0) {
        prop_assert!(serde_json::from_slice::<&RawValue>(&data[..end]).is_ok());
        prop_assert_eq!(data[0], b'{');
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(20_000) })]

    #[test]
    fn what_is_read_in_place_is_what_is_there(
        values in prop::collection::vec((prop::bool::weighted(0.7), usual_value()), KEYS.len()),
        at in any::<prop::sample::Index>(),
        damage in damage(),
    ) {
        let text = in_order(&values);
        check_usual(text.as_bytes())?;
        check_usual(&damaged(text.as_bytes(), at, damage))?;
    }

    #[test]
    fn one_value_of_each_kind_in_place(value in usual_value(), behind in "[,}]{1,2}[ 0-9\"]{0,9}") {
        for key in KEYS {
            let base = if key == "text" { "" } else { "\"text\":\"t\"," };
            let rate = if key == "rate" { "" } else { ",\"rate\":0.5" };
            let (before, after) = if key == "text" || key == "symbol" { ("", rate) } else { (rate, "") };
            let before = before.trim_start_matches(',');
            let comma = if before.is_empty() { "" } else { "," };
            let text = format!("{{{base}{before}{comma}\"{key}\":{value}{after}}}");
            check_usual(text.as_bytes())?;
            check_usual(format!("{{{base}{before}{comma}\"{key}\":{value}{behind}").as_bytes())?;
        }
    }
}

#[test]
fn what_is_written_as_usual_is_read_in_place() {
    let data = br#"{"text":"t","symbol":"XBTUSDTM","rate":-0.000125,"cost ":"91.25","price":"63000.5","size":7,"version":"12","qty":-5,"flag":true,"word":"liquidation","at":1790000000123,"sequence":1790000000123456789}"#;
    let (everything, _) = Everything::in_place(data, 0).expect("usual");
    assert_eq!(Ok(everything), Everything::parse_any(data));
    assert_eq!(Ok(everything), Everything::parse(data));
    assert_eq!((everything.qty, everything.word), (Some(-5), Some(TradeType::Liquidation)));
    let few = Everything::in_place(br#" {"text":"","rate":"0","cost":null},7"#, 1);
    assert_eq!(few.map(|(few, _)| (few.rate, few.cost)), Some((Decimal::ZERO, None)));
}
