//! The fast way says what the scanner says, and the scanner what a general JSON reader says.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

#[path = "../../../tests/common/edited.rs"]
mod edited;

use edited::{edited, edited_times};
use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::num::Lots;
use crate::num::Price;
use crate::time::UnixNanos;
use crate::wire::Side;
use crate::wire::damage::{damage, damaged};
use crate::wire::exchange_time::EARLIEST;

/// How a connection writes its frames.
#[derive(Clone, Debug)]
struct Style {
    outer: Vec<&'static str>,
    inner: Vec<&'static str>,
    comma: &'static str,
    colon: &'static str,
}

const USUAL: [&str; 5] = ["topic", "type", "subject", "sn", "data"];
const DATA: [&str; 3] = ["sequence", "change", "timestamp"];

impl Style {
    fn usual() -> Self {
        Self { outer: USUAL.into(), inner: DATA.into(), comma: ",", colon: ":" }
    }

    fn write(&self, symbol: &str, sequence: u64, change: &str, timestamp: u64) -> String {
        let value = |key: &str| match key {
            "topic" => format!("\"/contractMarket/level2:{symbol}\""),
            "type" => "\"message\"".to_string(),
            "subject" => "\"level2\"".to_string(),
            "change" => format!("\"{change}\""),
            "sn" | "sequence" => sequence.to_string(),
            "timestamp" => timestamp.to_string(),
            "more" => "[{\"x\":null},\"]\",-1.5e3]".to_string(),
            _ => "7".to_string(),
        };
        let object = |keys: &[&str], data: &str| {
            let field = |key: &&str| {
                let value = if *key == "data" { data.to_string() } else { value(key) };
                format!("\"{key}\"{}{value}", self.colon)
            };
            format!("{{{}}}", keys.iter().map(field).collect::<Vec<_>>().join(self.comma))
        };
        object(&self.outer, &object(&self.inner, ""))
    }
}

fn style() -> impl Strategy<Value = Style> {
    let outer = prop_oneof![
        2 => Just(USUAL.to_vec()),
        1 => Just(vec!["topic", "type", "subject", "data"]),
        1 => Just(vec!["topic", "type", "subject", "sn", "data", "more", "small"]),
    ];
    let inner = prop_oneof![
        2 => Just(DATA.to_vec()),
        1 => Just(vec!["sequence", "change", "timestamp", "more", "small"]),
    ];
    let space = prop_oneof![Just((",", ":")), Just((", ", ": ")), Just((" ,\n\t", "\r : "))];
    let keys = (outer.prop_shuffle(), inner.prop_shuffle());
    (keys, space).prop_map(|((outer, inner), (comma, colon))| Style { outer, inner, comma, colon })
}

fn price() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => (0_u32..1_000_000, 0_u32..100).prop_map(|(whole, part)| format!("{whole}.{part}")),
        2 => (0_u64..10_000_000).prop_map(|whole| whole.to_string()),
        2 => (0_u64..1_000_000_000_000).prop_map(|part| format!("0.{part:012}")),
        2 => "[0-9]{1,9}\\.[0-9]{1,14}",
        1 => "[0-9]{0,3}[.]{0,2}[0-9]{0,3}(e[+-]?[0-9])?",
    ]
}

fn change() -> impl Strategy<Value = String> {
    let side = prop_oneof![8 => Just("buy"), 8 => Just("sell"), 1 => Just("SELL"), 1 => Just("")];
    let size = prop_oneof![
        4 => (0_u64..100_000).prop_map(|size| size.to_string()),
        2 => (1_u32..17).prop_flat_map(|digits| 0..10_u64.pow(digits)).prop_map(|size| size.to_string()),
        2 => Just("0".to_string()),
        1 => any::<u64>().prop_map(|size| size.to_string()),
        1 => "[0-9]{0,9}(\\.0)?",
    ];
    (price(), side, size).prop_map(|(price, side, size)| format!("{price},{side},{size}"))
}

fn scanned(frame: &[u8]) -> Result<DeltaFrame, WireError> {
    DeltaParser::new().scan(frame)
}

/// A general reader's opinion. It lets keys stand twice, and refuses numbers that no double can hold.
fn by_serde(frame: &Value) -> Option<(String, u64, String, Option<u64>)> {
    let symbol = frame.get("topic")?.as_str()?.strip_prefix("/contractMarket/level2:")?;
    let data = frame.get("data")?;
    let number =
        |value: &Value| value.as_str().map_or_else(|| value.as_u64(), |text| text.parse().ok());
    let change = data.get("change")?.as_str()?;
    // One that is no time is none.
    let time = data.get("timestamp").and_then(number).and_then(UnixNanos::from_millis);
    let millis = time.filter(|time| *time >= EARLIEST).map(UnixNanos::as_millis);
    Some((symbol.to_string(), number(data.get("sequence")?)?, change.to_string(), millis))
}

fn check(parser: &mut DeltaParser, frame: &[u8]) -> bool {
    let shown = String::from_utf8_lossy(frame);
    let slow = scanned(frame);
    let general = serde_json::from_slice::<Value>(frame);
    let refused = matches!(slow, Err(WireError::NotJson { .. }));
    assert!(!refused || general.is_err(), "{slow:?}, {general:?}: {shown}");
    if let Ok(DeltaFrame { symbol, delta }) = slow {
        let general = general.as_ref().ok().map(|general| by_serde(general).expect(&shown));
        let Some((name, sequence, change, millis)) = general else {
            return fast_agrees(parser, frame, slow);
        };
        assert_eq!((name.as_str(), sequence), (symbol.as_str(), delta.sequence.get()), "{shown}");
        assert_eq!(millis, delta.ts_event.map(UnixNanos::as_millis), "{shown}");
        let parts: Vec<_> = change.split(',').collect();
        let side = if parts[1] == "buy" { Side::Bid } else { Side::Ask };
        let (price, size): (Price, Lots) = (parts[0].parse().unwrap(), parts[2].parse().unwrap());
        assert_eq!((price, side, size), (delta.price, delta.side, delta.size), "{shown}");
    }
    fast_agrees(parser, frame, slow)
}

/// Whether the fast way read it, and then as the scanner did.
fn fast_agrees(
    parser: &mut DeltaParser,
    frame: &[u8],
    slow: Result<DeltaFrame, WireError>,
) -> bool {
    if let Some((met, delta)) = parser.match_layout(frame) {
        let shown = String::from_utf8_lossy(frame);
        assert_eq!(Ok(DeltaFrame { symbol: met.symbol, delta }), slow, "{shown}");
    }
    let fast = parser.read(frame);
    if let Some((known, delta)) = fast {
        let shown = String::from_utf8_lossy(frame);
        assert_eq!(
            Ok(DeltaFrame { symbol: parser.entries[usize::from(known.entry)].symbol, delta }),
            slow,
            "{shown}"
        );
    }
    fast.is_some()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(3_000) })]

    #[test]
    fn both_ways_say_the_same(
        style in style(),
        symbols in prop::collection::vec("[A-Z]{3,4}USD[TC]?M|[0-9A-Z]{5,18}USDTM", 1..4),
        start in 1_000_000_000_u64..2_000_000_000_000,
        step in prop_oneof![Just(1_u64), 0_u64..100_000_000, Just(1_000_000_000_000)],
        changes in prop::collection::vec(change(), 8),
        damages in prop::collection::vec((any::<prop::sample::Index>(), damage()), 24),
    ) {
        let mut parser = DeltaParser::new();
        for symbol in &symbols {
            let first = style.write(symbol, start, "60000.5,buy,1", 1_731_897_467_182);
            prop_assert!(parser.parse(first.as_bytes()).is_ok(), "{}", first);
            prop_assert!(check(&mut parser, first.as_bytes()), "not learned: {}", first);
        }
        for (change, symbol) in changes.iter().zip(symbols.iter().cycle()) {
            let frame = style.write(symbol, start + step, change, 1_731_897_467_183);
            check(&mut parser, frame.as_bytes());
            for (at, damage) in &damages {
                check(&mut parser, &damaged(frame.as_bytes(), *at, *damage));
            }
        }
    }
}

#[test]
fn usual_prices_and_sizes_take_the_fast_way() {
    let style = Style::usual();
    let mut parser = DeltaParser::new();
    parser
        .parse(style.write("XBTUSDTM", 1_700_000_000_000, "1,buy,1", 1_731_897_467_182).as_bytes())
        .unwrap();
    let prices = [
        "84474",
        "84474.5",
        "110224.75",
        "0.21506",
        "0.00001234",
        "0.000000001234",
        "1",
        "0",
        "9223371.5",
    ];
    for price in prices {
        for rest in ["buy,0", "sell,1", "buy,1234567", "sell,12345678", "buy,123456789012345"] {
            let change = format!("{price},{rest}");
            let frame = style.write("XBTUSDTM", 1_700_000_000_001, &change, 1_731_897_467_183);
            assert!(check(&mut parser, frame.as_bytes()), "{change}");
        }
    }
}

/// What stood behind the change within its first block was remembered at a fixed place.
#[test]
fn a_change_near_the_start_may_become_longer() {
    let mut style = Style::usual();
    style.outer = vec!["data", "type", "topic"];
    style.inner = vec!["change", "sequence", "timestamp"];
    let mut parser = DeltaParser::new();
    let first = style.write("XBTUSDTM", 1_700_000_000_000, "1,buy,1", 1_731_897_467_182);
    parser.parse(first.as_bytes()).unwrap();
    for change in ["1,buy,2", "84474.5,sell,1234"] {
        let frame = style.write("XBTUSDTM", 1_700_000_000_001, change, 1_731_897_467_183);
        assert!(check(&mut parser, frame.as_bytes()), "{change}");
    }
}

#[test]
fn what_only_looks_usual_is_left_to_the_scanner() {
    let style = Style::usual();
    let mut parser = DeltaParser::new();
    parser
        .parse(style.write("XBTUSDTM", 1_700_000_000_000, "1,buy,1", 1_731_897_467_182).as_bytes())
        .unwrap();
    for change in [
        "01.5,buy,1",
        "00,buy,1",
        ".5,buy,1",
        "5.,buy,1",
        "1..5,buy,1",
        "1.5.5,buy,1",
        "1.5,buy,01",
        "1.5,buy,",
        "1.5,buy",
        "1.5,,1",
        ",buy,1",
        "1.5,bu,1",
        "1.5,sel,1",
        "1.5,sell,1,",
        "1.5,buy,1,1",
        "1.5-buy,1",
        "1.5,buy-1",
        "1/5,buy,1",
        "1.5,buy,-1",
        "-1.5,buy,1",
        "+1,buy,1",
        "1e3,buy,1",
        "9223372.9,buy,1",
        "00000001.5,buy,1",
        "12345678901.5,buy,1",
        "0.0000000000001,buy,1",
        "1.5,buy,01234567",
        "1.5,buy,00000000",
        "1.5,buy,012345678",
        "1.5,buy,1234567a",
        "1.5,buy,a2345678",
        "1.5,buy,1a2345678",
        "1.5,buy12345678",
        "1.5,buy,1234567890123456",
        "1.5,buy,1.0",
    ] {
        let frame = style.write("XBTUSDTM", 1_700_000_000_001, change, 1_731_897_467_183);
        assert!(!check(&mut parser, frame.as_bytes()), "{change}");
    }
}

#[test]
fn a_sequence_that_carries_into_the_remembered_digits_is_learned_anew() {
    let (style, mut parser) = (Style::usual(), DeltaParser::new());
    for sequence in [1_700_099_999_998, 1_700_099_999_999, 1_700_100_000_000, 1_700_100_000_001] {
        let frame = style.write("XBTUSDTM", sequence, "5,buy,1", 1_731_897_467_183);
        let read = check(&mut parser, frame.as_bytes());
        assert_eq!(read, sequence % 10 == 9 || sequence % 10 == 1, "{sequence}");
        assert_eq!(parser.parse(frame.as_bytes()).unwrap().delta.sequence.get(), sequence);
    }
}

#[test]
fn a_connection_that_changes_its_mind_is_learned_anew_and_one_without_a_mind_is_not_for_long() {
    let mut other = Style::usual();
    other.outer.reverse();
    let styles = [Style::usual(), other];
    let mut parser = DeltaParser::new();
    let mut fast = |from: u64, style: fn(u64) -> usize| {
        let reads = (from..from + 10_000).filter(|&n| {
            let frame = styles[style(n)].write("XBTUSDTM", n, "5,buy,1", 1_731_897_467_183);
            let fast = check(&mut parser, frame.as_bytes());
            parser.parse(frame.as_bytes()).unwrap();
            fast
        });
        reads.count()
    };
    assert_eq!(fast(1_700_000_000_000, |_| 0), 9_999);
    assert_eq!(fast(1_700_000_010_000, |_| 1), 9_999, "after the first");
    // Alternating, what is known of the symbol is always of the other one: half are met.
    assert!(fast(1_700_000_020_000, |n| (n % 2) as usize) < 5_010);
    for style in styles {
        let frame = style.write("XBTUSDTM", 1_700_000_030_000, "5,buy,1", 1_731_897_467_183);
        assert!(parser.match_layout(frame.as_bytes()).is_some(), "not left to the scanner");
    }
}

#[test]
fn a_table_of_many_symbols_finds_each_and_no_other() {
    let (style, mut parser) = (Style::usual(), DeltaParser::new());
    let symbol = |n: u64| format!("A{n}USDTM");
    let frame = |n: u64, sequence| style.write(&symbol(n), sequence, "5,buy,1", 1_731_897_467_183);
    for n in 0..1_100 {
        parser.parse(frame(n, 1_700_000_000_000 + n).as_bytes()).unwrap();
    }
    for n in 0..1_100 {
        let known = check(&mut parser, frame(n, 1_700_000_000_500).as_bytes());
        assert_eq!(known, n < MAX_KNOWN as u64, "{n}");
    }
}

/// Otherwise a line with symbols of all lengths would guess wrong at every other frame.
#[test]
fn symbols_of_all_lengths_share_a_layout() {
    let longest = Symbol::MAX_LEN;
    for (outer, whole) in [(USUAL.to_vec(), 15), (vec!["data", "type", "topic"], 16)] {
        let style = Style { outer, ..Style::usual() };
        let mut parser = DeltaParser::new();
        for len in 1..=longest {
            let symbol = "A".repeat(len);
            let first = style.write(&symbol, 1_700_000_000_000, "5,buy,1", 1_731_897_467_182);
            check(&mut parser, first.as_bytes());
            let is_met = parser.match_layout(first.as_bytes()).is_some();
            assert_eq!(is_met, (2..=whole).contains(&len), "{symbol}: met without a scan");
            parser.parse(first.as_bytes()).unwrap();
            let next =
                style.write(&symbol, 1_700_000_000_001, "60000.5,sell,22", 1_731_897_467_183);
            assert!(check(&mut parser, next.as_bytes()), "{symbol}");
        }
        // Those that are longer than a key have what is left of them in layouts of their own.
        assert!(parser.others.len() <= longest - 14, "{}", parser.others.len());
    }
}

#[test]
fn a_connection_of_many_layouts_does_not_fill_the_memory() {
    let mut parser = DeltaParser::new();
    let mut fast = 0;
    for n in 0..10 * MAX_LAYOUTS as u64 {
        let style = Style { comma: [",", ", ", " ,", " , "][n as usize % 4], ..Style::usual() };
        let symbol = format!("LONGESTSYMBOLS{}USDTM", n / 4 % 100);
        let frame = style.write(&symbol, 1_700_000_000_000 + n, "5,buy,1", 1_731_897_467_182);
        parser.parse(frame.as_bytes()).unwrap();
        fast += usize::from(check(&mut parser, frame.as_bytes()));
        assert!(parser.others.len() <= MAX_LAYOUTS);
    }
    assert!(fast > MAX_LAYOUTS, "{fast}");
}

/// The layout was the one learned first, and the place of the symbol that of the frame learned last:
/// what stood between the two was not looked at.
#[test]
fn a_symbol_is_looked_for_where_its_layout_has_it() {
    let style = Style::usual();
    let usual = |symbol: &str| style.write(symbol, 1_700_000_000_000, "5,buy,1", 1_731_897_467_182);
    for strange in ["ABCDE:SOLUSDTM", "\"\"\"\"\":SOLUSDTM", "\0\0\0\0\0:SOLUSDTM"] {
        let mut parser = DeltaParser::new();
        parser.parse(usual("XBTUSDTM").as_bytes()).unwrap();
        parser.parse(format!("      {}", usual("ETHUSDTM")).as_bytes()).unwrap();
        let frame = usual(strange);
        check(&mut parser, frame.as_bytes());
        assert_eq!(parser.parse(frame.as_bytes()), scanned(frame.as_bytes()));
    }
}

/// A key of zeros is that of a free slot.
#[test]
fn nobody_is_found_by_a_key_of_zeros() {
    let (style, mut parser) = (Style::usual(), DeltaParser::new());
    let first = style.write("XBTUSDTM", 1_700_000_000_000, "5,buy,1", 1_731_897_467_182);
    parser.parse(first.as_bytes()).unwrap();
    let zeros = format!("{}\",\"type", "\0".repeat(16));
    let mut frame = edited(&first, ":XBTUSDTM\",\"type", &zeros);
    for (times, number) in [(2, "17000"), (1, "17318")] {
        frame = edited_times(times, &frame, number, &"\0".repeat(5));
    }
    assert!(parser.read(frame.as_bytes()).is_none());
}

/// Every other frame was learned anew, which costs memory each time.
#[test]
fn a_symbol_that_alternates_between_layouts_is_not_learned_each_time() {
    let data = vec!["timestamp", "sequence", "change"];
    let styles = [Style::usual(), Style { inner: data, ..Style::usual() }];
    let mut parser = DeltaParser::new();
    for n in 0..10_000 {
        let sequence = 1_700_000_000_000 + n;
        let style = &styles[n as usize % 2];
        let frame = style.write("XBTUSDTM", sequence, "5,buy,1", 1_731_897_467_183);
        parser.parse(frame.as_bytes()).unwrap();
    }
    assert!(parser.entries[0].patience.wait > 100, "{:?}", parser.entries[0].patience);
}
