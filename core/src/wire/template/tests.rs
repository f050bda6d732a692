//! A template says what the scanner says, read once or twice, and the scanner what serde_json says.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::book::Level;
use crate::channel::ChannelKind;
use crate::ids::{Sequence, Symbol};
use crate::num::Price;
use crate::time::UnixNanos;
use crate::wire::damage::{damage, damaged};
use crate::wire::exchange_time::EARLIEST;
use crate::wire::message::Named;
use crate::wire::values::Trade;

/// How a connection writes the frames of a channel.
#[derive(Clone, Debug)]
struct Style {
    kind: ChannelKind,
    outer: Vec<&'static str>,
    inner: Vec<&'static str>,
    comma: &'static str,
    colon: &'static str,
    /// Prices are numbers, as in 2021.
    bare: bool,
}

/// What a frame says.
#[derive(Clone, Debug)]
struct Said {
    topic: String,
    symbol: String,
    sequence: u64,
    ts: u64,
    side: &'static str,
    prices: [String; 3],
    sizes: [String; 3],
    ids: [String; 3],
}

const OUTER: [&str; 5] = ["topic", "type", "subject", "sn", "data"];
const V2: [&str; 7] =
    ["symbol", "sequence", "bestBidSize", "bestBidPrice", "bestAskPrice", "bestAskSize", "ts"];
const V1: [&str; 11] = [
    "symbol",
    "sequence",
    "side",
    "size",
    "price",
    "bestBidSize",
    "bestBidPrice",
    "bestAskPrice",
    "tradeId",
    "bestAskSize",
    "ts",
];
const TRADE: [&str; 9] = [
    "symbol",
    "sequence",
    "side",
    "size",
    "price",
    "takerOrderId",
    "makerOrderId",
    "tradeId",
    "ts",
];
const KINDS: [ChannelKind; 3] =
    [ChannelKind::TickerV2, ChannelKind::Ticker, ChannelKind::Execution];

impl Style {
    fn usual(kind: ChannelKind) -> Self {
        let inner = if kind == ChannelKind::Ticker {
            V1.to_vec()
        } else if kind == ChannelKind::Execution {
            TRADE.to_vec()
        } else {
            V2.to_vec()
        };
        Self { kind, outer: OUTER.to_vec(), inner, comma: ",", colon: ":", bare: false }
    }

    fn write(&self, said: &Said) -> Vec<u8> {
        let object = |keys: &[&str], data: &str| {
            let field = |key: &&str| {
                let value = if *key == "data" { data.to_string() } else { self.value(key, said) };
                format!("\"{key}\"{}{value}", self.colon)
            };
            format!("{{{}}}", keys.iter().map(field).collect::<Vec<_>>().join(self.comma))
        };
        object(&self.outer, &object(&self.inner, "")).into_bytes()
    }

    fn value(&self, key: &str, said: &Said) -> String {
        let quoted = |text: &str| format!("\"{text}\"");
        let price =
            |at: usize| if self.bare { said.prices[at].clone() } else { quoted(&said.prices[at]) };
        match key {
            "topic" => quoted(&format!("{}:{}", self.kind.prefix(), said.topic)),
            "type" => quoted("message"),
            "subject" if self.kind == ChannelKind::TickerV2 => quoted("tickerV2"),
            "subject" if self.kind == ChannelKind::Ticker => quoted("ticker"),
            "subject" => quoted("match"),
            "symbol" => quoted(&said.symbol),
            "sn" | "sequence" => said.sequence.to_string(),
            "ts" => said.ts.to_string(),
            "side" => quoted(said.side),
            "price" => price(0),
            "bestBidPrice" => price(1),
            "bestAskPrice" => price(2),
            "size" => said.sizes[0].clone(),
            "bestBidSize" => said.sizes[1].clone(),
            "bestAskSize" => said.sizes[2].clone(),
            "tradeId" => quoted(&said.ids[0]),
            "takerOrderId" => quoted(&said.ids[1]),
            "makerOrderId" => quoted(&said.ids[2]),
            "more" => "[{\"x\":null},\"]\",-1.5e3]".to_string(),
            "userId" => quoted(&said.ids[1]),
            _ => "null".to_string(),
        }
    }
}

fn said() -> Said {
    Said {
        topic: "XBTUSDTM".into(),
        symbol: "XBTUSDTM".into(),
        sequence: 1_700_000_000_000,
        ts: 1_790_000_000_123_000_000,
        side: "buy",
        prices: ["63000.5", "63000.4", "63000.6"].map(String::from),
        sizes: ["2", "17", "9123"].map(String::from),
        ids: ["52", "235919387779985408", "235919387779985409"].map(String::from),
    }
}

fn style() -> impl Strategy<Value = Style> {
    let outer = prop_oneof![
        2 => Just(OUTER.to_vec()),
        1 => Just(vec!["topic", "type", "subject", "data"]),
        1 => Just(vec!["topic", "subject", "sn", "data", "more", "userId"]),
    ];
    let more = prop_oneof![2 => Just(vec![]), 1 => Just(vec!["more", "userId", "small"])];
    let space = prop_oneof![Just((",", ":")), Just((", ", ": ")), Just((" ,\n\t", "\r : "))];
    let kind = prop::sample::select(&KINDS[..]);
    (kind, outer.prop_shuffle(), more, any::<bool>(), space, any::<bool>()).prop_flat_map(
        |(kind, outer, more, shuffled, (comma, colon), bare)| {
            let usual = Style { outer, comma, colon, bare, ..Style::usual(kind) };
            let inner = [usual.inner.clone(), more].concat();
            let keys = Just(inner.clone()).prop_shuffle();
            keys.prop_map(move |keys| {
                let inner = if shuffled { keys } else { inner.clone() };
                Style { inner, ..usual.clone() }
            })
        },
    )
}

fn price() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => (0_u32..1_000_000, 0_u32..100).prop_map(|(whole, part)| format!("{whole}.{part}")),
        2 => (0_u64..10_000_000).prop_map(|whole| whole.to_string()),
        2 => (0_u64..1_000_000_000_000).prop_map(|part| format!("0.{part:012}")),
        2 => "[1-9][0-9]{0,8}\\.[0-9]{1,14}",
        1 => "[1-9][0-9]{0,3}(\\.[0-9]{1,3})?(e[+-]?[0-9])?",
    ]
}

fn another() -> impl Strategy<Value = Said> {
    let size = prop_oneof![
        4 => (0_u64..100_000).prop_map(|size| size.to_string()),
        1 => any::<u64>().prop_map(|size| size.to_string()),
        1 => "[1-9][0-9]{0,9}(\\.0)?",
    ];
    let id = prop_oneof![4 => "[0-9]{1,24}", 1 => "[0-9a-f]{24}", 1 => "[ -~é\\\\n]{0,20}"];
    let (sequence, ts) = (0_u64..10_000_000_000_000_000, 0..u64::MAX);
    let sides = prop::sample::select(&["buy", "sell"][..]);
    let [prices, sizes, ids] = [price().boxed(), size.boxed(), id.boxed()]
        .map(|text| prop::collection::vec(text, 3).prop_map(|texts| texts.try_into().unwrap()));
    let symbol = "[A-Z]{3,4}USD[TC]?M|[0-9A-Z]{1,18}USDTM";
    (symbol, sequence, ts, sides, prices, sizes, ids).prop_map(
        |(symbol, sequence, ts, side, prices, sizes, ids)| Said {
            topic: symbol.clone(),
            symbol,
            sequence,
            ts,
            side,
            prices,
            sizes,
            ids,
        },
    )
}

/// What the scanner says, which reads envelope and data apart.
fn scanned(frame: &[u8]) -> Result<Values, WireError> {
    read_message(frame).map(|message| Values::of(&message, frame).unwrap())
}

/// Whether a template read it. All three ways agree, and serde_json with them.
fn check(parser: &mut MessageParser, frame: &[u8]) -> bool {
    let shown = String::from_utf8_lossy(frame);
    if let Ok(unknown @ Message::Unknown(_)) = read_message(frame) {
        let later = parser.parse(frame);
        assert_eq!(format!("{later:?}"), format!("{:?}", Ok::<_, WireError>(unknown)), "{shown}");
        return false;
    }
    let slow = scanned(frame);
    agrees_with_serde(&slow, frame);
    if let Some((Named { channel, .. }, content, _)) = Content::read(frame, |_| None)
        && channel.kind() != ChannelKind::Level2
    {
        let Content::Message(position, Some(once)) = content else { panic!("{shown}") };
        assert_eq!((position, Ok(once)), (once.position(), slow), "read once: {shown}");
    }
    let fast = parser.read(frame, |_| Some(7));
    if let Some((tag, values)) = fast {
        assert_eq!((tag, Ok(values)), (7, slow), "by template: {shown}");
        assert_eq!(format!("{:?}", values.message(frame)), format!("{:?}", read_message(frame)));
    }
    fast.is_some()
}

fn agrees_with_serde(slow: &Result<Values, WireError>, frame: &[u8]) {
    let shown = String::from_utf8_lossy(frame);
    let general = serde_json::from_slice::<Value>(frame);
    let refused = matches!(slow, Err(WireError::NotJson { .. }));
    assert!(!refused || general.is_err(), "{slow:?}, {general:?}: {shown}");
    // Numbers beyond a double are good JSON, and no numbers to it.
    let (Ok(values), Ok(general)) = (slow, general) else { return };
    let data = &general["data"];
    let number =
        |key: &str| data[key].as_str().map_or_else(|| data[key].as_u64(), |text| text.parse().ok());
    let same_number = |key: &str, ours: u64| assert_eq!(number(key), Some(ours), "{shown}");
    let same_time = |ours: Option<UnixNanos>| {
        let time = number("ts").map(UnixNanos::from_nanos).filter(|ts| *ts >= EARLIEST);
        assert_eq!(time, ours, "{shown}");
    };
    let same_price = |key: &str, ours: Price| match data[key].as_str() {
        Some(text) => assert_eq!(text.parse(), Ok(ours), "{shown}"),
        // A double does not hold every price.
        None => assert!(data[key].is_number(), "{shown}"),
    };
    let same_best = |key: &str, ours: Option<Level>| match ours {
        Some(level) => same_price(key, level.price),
        None => {
            let is_zero = |text: &str| text.is_empty() || text.parse() == Ok(Price::ZERO);
            let is_text = data[key].as_str().is_some_and(is_zero);
            let is_none = data[key].is_null() || data[key].as_f64() == Some(0.0);
            assert!(is_none || is_text, "{shown}");
        }
    };
    let trade = |trade: &Trade| {
        assert_eq!(data["symbol"].as_str(), Some(trade.symbol.as_str()), "{shown}");
        same_time(trade.ts_event);
        same_number("sequence", trade.sequence.get());
        same_price("price", trade.price);
        assert_eq!(data["side"].as_str(), Some(&*trade.taker_side.to_string()), "{shown}");
    };
    match values {
        Values::Depth5(_) | Values::Depth50(_) | Values::Kept(_) | Values::Later(_) => {
            panic!("only what is kept is learned")
        }
        Values::TickerV2(ticker) => {
            assert_eq!(data["symbol"].as_str(), Some(ticker.symbol.as_str()), "{shown}");
            assert_eq!(number("sequence"), ticker.sequence.map(Sequence::get), "{shown}");
            same_time(ticker.ts_event);
            same_best("bestBidPrice", ticker.best_bid);
            same_best("bestAskPrice", ticker.best_ask);
        }
        Values::Ticker(last, touch) => {
            trade(last);
            same_best("bestBidPrice", touch.bid);
            same_best("bestAskPrice", touch.ask);
        }
        Values::Execution(last, _) => trade(last),
    }
    let Ok(Message::Execution(execution)) = values.message(frame) else { return };
    assert_eq!(data["tradeId"].as_str(), Some(&*execution.trade_id.to_string()), "{shown}");
    let taker = execution.taker_order_id.map(|id| id.to_string());
    let said = data["takerOrderId"].as_str().filter(|id| !id.is_empty());
    assert_eq!(said, taker.as_deref(), "{shown}");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2_000) })]

    #[test]
    fn all_ways_say_the_same(
        style in style(),
        frames in prop::collection::vec(another(), 4),
        damages in prop::collection::vec((any::<prop::sample::Index>(), damage()), 24),
    ) {
        let mut parser = MessageParser::new();
        let first = style.write(&said());
        prop_assert!(parser.parse(&first).is_ok(), "{}", String::from_utf8_lossy(&first));
        prop_assert!(check(&mut parser, &first), "not learned: {}", String::from_utf8_lossy(&first));
        for said in frames.iter().chain([&said()]) {
            let frame = style.write(said);
            check(&mut parser, &frame);
            for (at, damage) in &damages {
                check(&mut parser, &damaged(&frame, *at, *damage));
            }
        }
    }
}

fn learned(style: &Style) -> MessageParser {
    let mut parser = MessageParser::new();
    assert!(parser.parse(&style.write(&said())).is_ok());
    parser
}

#[test]
fn usual_values_are_read_by_template() {
    for kind in KINDS {
        for bare in [false, true] {
            let style = Style { bare, ..Style::usual(kind) };
            let mut parser = learned(&style);
            for price in ["0.00001234", "84474", "1", "110224.75", "0.000000001234"] {
                for (size, symbol) in
                    [("0", "ETHUSDTM"), ("7.0", "M"), ("12345678901", "A.B_C-DUSDTM123456789012")]
                {
                    let symbol = &symbol[..symbol.len().min(Symbol::MAX_LEN)];
                    let said = Said {
                        topic: symbol.into(),
                        symbol: symbol.into(),
                        side: "sell",
                        sequence: size.len() as u64,
                        prices: [price; 3].map(String::from),
                        sizes: [size; 3].map(String::from),
                        ids: ["", "5ce24c16b210233c36eexxxx", "~"].map(String::from),
                        ..said()
                    };
                    let frame = style.write(&said);
                    assert!(check(&mut parser, &frame), "{}", String::from_utf8_lossy(&frame));
                }
            }
        }
    }
}

#[test]
fn what_only_looks_usual_is_left_to_the_scanner() {
    let style = Style::usual(ChannelKind::Execution);
    let mut parser = learned(&style);
    let usual = String::from_utf8(style.write(&said())).unwrap();
    for (from, to) in [
        ("\"symbol\":\"XBTUSDTM", "\"symbol\":\"ETHUSDTM"),
        ("XBTUSDTM", "XBT\0USDTM"),
        ("XBTUSDTM", "XBT,USDTM"),
        ("XBTUSDTM", ""),
        ("XBTUSDTM", "X\\u0042TUSDTM"),
        ("XBTUSDTM", "ALONGERSYMBOLTHANTHEREISUSDTM"),
        ("\"buy\"", "\"BUY\""),
        ("\"buy\"", "\"bu\\u0079\""),
        ("\"52\"", "\"5\\u0032\""),
        ("\"52\"", "\"é\""),
        ("\"52\"", "52"),
        ("\"63000.5\"", "\"063000.5\""),
        ("\"63000.5\"", "\"63000.\""),
        ("\"63000.5\"", "\"-1\""),
        ("\"63000.5\"", "\"63000.5 \""),
        ("\"63000.5\"", "\"0.0000000000001\""),
        ("\"63000.5\"", "63000.5"),
        ("\"size\":2", "\"size\":02"),
        ("\"size\":2", "\"size\":2.5"),
        ("\"size\":2", "\"size\":-2"),
        ("\"size\":2", "\"size\":18446744073709551616"),
        (":1700000000000,\"side", ":01700000000000,\"side"),
        (":1700000000000,\"side", ":18446744073709551616,\"side"),
        ("}}", "}} x"),
        ("}}", "}"),
        ("\"match\"", "\"trade\""),
        ("\"tradeId\"", "\"tradeID\""),
    ] {
        let frame = usual.replace(from, to);
        assert_ne!(frame, usual, "{from}");
        assert!(!check(&mut parser, frame.as_bytes()), "{frame}");
    }
}

/// Found by the property above: with nothing before it, the bracket was taken for the end of a price.
#[test]
fn a_number_that_is_not_there_is_none() {
    for last in ["bestBidPrice", "bestAskPrice", "bestBidSize", "ts", "sequence"] {
        let mut style = Style { bare: true, ..Style::usual(ChannelKind::TickerV2) };
        style.outer = vec!["type", "subject", "data", "topic"];
        style.inner.retain(|key| *key != last);
        style.inner.push(last);
        let mut parser = learned(&style);
        let usual = String::from_utf8(style.write(&said())).unwrap();
        let (data, topic) = usual.split_once("},").unwrap();
        let (before, number) = data.rsplit_once(':').unwrap();
        assert!(before.ends_with(&format!("\"{last}\"")) && !number.is_empty(), "{usual}");
        let frame = format!("{before}:}},{topic}");
        assert!(!check(&mut parser, frame.as_bytes()), "{frame}");
        assert!(parser.parse(frame.as_bytes()).is_err(), "{frame}");
    }
}

/// A key that is used twice, an escaped key, a key that another channel uses: read in two goes.
#[test]
fn odd_keys_are_decided_as_they_were() {
    let usual = String::from_utf8(Style::usual(ChannelKind::TickerV2).write(&said())).unwrap();
    for (to, error) in [
        ("\"ts\":1,\"ts\":2", Some(WireError::Duplicate { field: "ts" })),
        ("\"t\\u0073\":1", None),
        ("\"price\":[],\"price\":{},\"ts\":1", None),
        ("\"ts\":\"1\"", None),
        ("\"ts\":{}", None),
        ("\"bestAskPrice\":\"1\"", Some(WireError::Duplicate { field: "bestAskPrice" })),
    ] {
        let frame = usual.replace("\"ts\":1790000000123000000", to);
        check(&mut MessageParser::new(), frame.as_bytes());
        assert_eq!(MessageParser::new().parse(frame.as_bytes()).err(), error, "{frame}");
    }
}

#[test]
fn a_connection_without_a_mind_is_not_learned_for_long_and_does_not_fill_the_memory() {
    let mut parser = MessageParser::new();
    for n in 0..20_000_usize {
        let mut style = Style::usual(KINDS[n % 3]);
        style.outer.rotate_left(n / 3 % 5);
        let keys = style.inner.len();
        style.inner.rotate_left(n / 15 % keys);
        if n % 2 == 0 {
            style.inner.swap(0, 2);
        }
        assert!(parser.parse(&style.write(&said())).is_ok());
    }
    assert_eq!((parser.known.len(), parser.wait), (MAX_TEMPLATES, LONGEST_WAIT));
}

#[test]
fn a_connection_that_changes_its_mind_is_learned_anew() {
    let mut other = Style::usual(ChannelKind::Execution);
    other.inner.reverse();
    let mut parser = MessageParser::new();
    for style in [Style::usual(ChannelKind::Execution), other] {
        let frame = style.write(&said());
        let by_template = (0..1_000).filter(|_| {
            let read = check(&mut parser, &frame);
            assert!(parser.parse(&frame).is_ok());
            read
        });
        assert_eq!(by_template.count(), 999);
    }
}

#[test]
fn a_symbol_has_the_tag_of_its_channel() {
    let mut parser = MessageParser::new();
    let frame = |kind: ChannelKind, n: usize| {
        let symbol = format!("A{n}USDTM");
        Style::usual(kind).write(&Said { topic: symbol.clone(), symbol, ..said() })
    };
    for _ in 0..4 {
        KINDS.iter().for_each(|&kind| assert!(parser.parse(&frame(kind, 0)).is_ok()));
    }
    let mut parser = MessageParser { symbols: Symbols::default(), ..parser };
    for _ in 0..2 {
        for (kind, n) in KINDS.iter().flat_map(|kind| (0..1_000).map(move |n| (*kind, n))) {
            let tag = |channel: Channel| {
                assert_eq!(
                    (channel.kind(), &*channel.symbol().unwrap().to_string()),
                    (kind, &*format!("A{n}USDTM"))
                );
                Some(n as u32 * 3 + kind as u32)
            };
            let (read, _) = parser.read(&frame(kind, n), tag).unwrap();
            assert_eq!(read, n as u32 * 3 + kind as u32);
        }
    }
    let unwanted = frame(ChannelKind::Ticker, 5_000);
    assert!(parser.read(&unwanted, |_| None).is_none());
}
