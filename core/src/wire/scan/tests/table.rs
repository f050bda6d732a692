//! What is JSON here, case by case: the ground that the well-known test suites for JSON parsers
//! cover, in inputs of our own. Every input is tried in each place where foreign JSON is met: as a
//! whole document, as the value of an unknown key in a frame and in its data, and what is a string
//! as a key, too.
//!
//! The referee is `serde_json`. Where RFC 8259 leaves the decision to the reader, `FREE` says what
//! ours is, and why; the other deliberate difference is the depth.

use std::format;
use std::string::{String, ToString};
use std::vec::Vec;

use serde_json::Value as Json;
use serde_json::value::RawValue;

use super::{MAX_DEPTH, scan};
use crate::error::WireError;
use crate::wire::{Contracts, Delta, Execution, Frame, Snapshot, Ticker, TickerV2};

type Inputs = &'static [&'static [u8]];

/// The grammar allows these.
#[rustfmt::skip] // one a line would be a thousand lines
const ACCEPT: &[(&str, Inputs)] = &[
    ("arrays", &[
        b"[]", b"[[]]", b"[[] ]", b"[ ]", b"[\"\"]", b"[\"a\"]", b"[false]", b"[null]",
        b"[null, 1, \"1\", {}]", b"[1\n]", b" [1]", b"[1,null,null,null,2]", b"[2] ",
        b"[[],[],[[]]]", b"[{},{\"a\":[]}]", b"[[[[[[[[[[]]]]]]]]]]",
    ]),
    ("objects", &[
        b"{}", b"{ }", b"{\"a\":1}", b"{\"a\":1,\"b\":2}", b"{\"a\":{\"a\":{}}}", b"{\"\":0}",
        b"{\"a\\u0000b\":1}", b"{\"a\":\"b\",\"a\":\"c\"}", b"{\"a\":\"b\",\"a\":\"b\"}",
        b"{\"min\":-1.0e+28,\"max\":1.0e+28}",
        b"{\"x\":[{\"id\":\"zzzzzzzzzzzzzzzzzzzz\"}],\"y\":\"\"}", b"{\"a\":[]}",
        b"{\"\\u041f\\u043e\":\"\\u0437\"}", b"{\n\"a\" : \"b\"\r\n}", b"{\"\\\"\":\"\\\\\"}",
    ]),
    ("numbers", &[
        b"0", b"-0", b"1", b"-1", b"20", b"123", b"-123", b"123.456789", b"0.1", b"-0.1", b"0e1",
        b"0e+1", b"0E-0", b"1e0", b"20e1", b"1E22", b"1E-2", b"1E+2", b"123e45", b"123e65",
        b"123.456e78", b"0.0000000000000000000000000000001", b"1e-2", b"1e+2", b"-0.0", b"1.0",
        b"9007199254740993", b"18446744073709551615", b"-9223372036854775808", b"1e0000001",
        b"-0.000000000000000000000000000000000000000000000000000000000000000000000000000001",
        b"1.00000000000000000000000000000000000000000000000000000000000000000000000000001",
    ]),
    ("strings", &[
        b"\"\"", b"\" \"", b"\"abc\"", b"\"\\\"\"", b"\"\\\\\"", b"\"\\/\"", b"\"\\b\\f\\n\\r\\t\"",
        b"\"/\"", b"\"'\"", b"\"\\u0060\\u012a\\u12AB\"", b"\"\\u0061\\u0062\"", b"\"\\\\u0000\"",
        b"\"\\\\n\"", b"\"\\\\a\"", b"\"\\u0012\"", b"\"\\uFFFF\"", b"\"\\uFDD0\"", b"\"\\u0000\"",
        b"\"\\u002c\"", b"\"\\u0022\\u005C\"", b"\"\\u200B\\u2064\\u2028\\u00A0\"",
        b"\"\\uD801\\udc37\"", b"\"\\ud83d\\ude39\\ud83d\\uDC8D\"", b"\"\\uDBFF\\uDFFF\"",
        b"\"\\uDBFF\\uDFFE\"", b"\"a/*b*/c/*d//e\"", b"\"new\\u000Aline\"", b"\"\x7f\"",
        b"\"a\x7fa\"", b"\"\xc3\xa9\"", b"\"\xcf\x80\"", b"\"\xe2\x82\xac\"",
        b"\"\xe2\x80\xa8\xe2\x80\xa9\"", b"\"\xef\xbf\xbf\"", b"\"\xef\xbb\xbf\"",
        b"\"\xf0\x9d\x84\x9e\"", b"\"\xf4\x8f\xbf\xbf\"", b"\"\xed\x9f\xbf\"", b"\"\xee\x80\x80\"",
        b"\"\xf0\x9b\xbf\xbf\"", b"\"\xc2\x80\"", b"\"{[,:]}\"",
    ]),
    ("literals", &[
        b"true", b"false", b"null", b"[true,false,null]",
    ]),
    ("white space", &[
        b" 1", b"1 ", b"\t1\n", b"\r\n1\r\n", b"[\n\t 1\r,\n2 ]",
        b" {\t\"a\"\n:\r1 , \"b\" : [ ] } ", b" true ", b" \"\" ",
    ]),
];

/// The grammar forbids these.
#[rustfmt::skip] // one a line would be a thousand lines
const REFUSE: &[(&str, Inputs)] = &[
    ("no value", &[
        b"", b" ", b"\n\t\r ", b"\x00", b"\xef\xbb\xbf", b",", b":", b"*", b"&", b"<.>", b"<null>",
    ]),
    ("arrays", &[
        b"[", b"]", b"[[", b"[]]", b"[[]", b"[,", b"[,]", b"[,1]", b"[1,]", b"[1,,]", b"[1,,2]",
        b"[\"\",]", b"[\"a\",,\"b\"]", b"[1 true]", b"[1 000.0]", b"[3[4]]", b"[\"x\"]]", b"[x",
        b"[x]", b"[1", b"[1,", b"[1,\n1\n,1", b"[1:2]", b"[\"\": 1]", b"[-]", b"[   , \"\"]",
        b"[{}", b"[\"a\"", b"[\"a\"\n,4\n,1,", b"[\"\x0ba\"\\f]", b"[\xff]", b"[\xe5]", b"[*]",
        b"[\"a", b"[\"a\" \"b\"]", b"[}", b"[1}", b"[{]", b"[{}}", b"[}]", b"[][]", b"[]{}",
        b"[1]2", b"[false", b"[true", b"[null", b"[\\n]", b"[\0]", b"[0,",
    ]),
    ("objects", &[
        b"{", b"}", b"{{", b"{}}", b"{,}", b"{,\"a\":1}", b"{\"a\":1,}", b"{\"a\":1,,}",
        b"{\"a\":1,,\"b\":2}", b"{\"a\" 1}", b"{\"a\"::1}", b"{\"a\":}", b"{\"a\"", b"{\"a\":",
        b"{\"a\":1", b"{\"a\":1,", b"{\"a\"}", b"{\"a\",\"b\"}", b"{\"a\":\"b\" \"c\":1}",
        b"{\"a\":1 2}", b"{\"a\":1:2}", b"{a:1}", b"{'a':1}", b"{1:1}", b"{9999E9999:1}",
        b"{null:null}", b"{true:1}", b"{[]:1}", b"{{}:1}", b"{:1}", b"{:}", b"{\"x\"}:1",
        b"{\"a\":\"a", b"{\"a\":'b'}", b"{\"a\":b}", b"{\"a\":1]", b"{\"a\":{}", b"{\"a\":1}}",
        b"{\"a\":1}#", b"{\"a\":1}//", b"{\"a\":1}/**/", b"{\"a\":/*c*/1}", b"{/*c*/\"a\":1}",
        b"{}#", b"{}{}", b"{\"a\":true} \"x\"", b"{\"a\":1}\xef\xbb\xbf", b"{\"a\":1\xa0}",
        b"{\"\xb9\":\"0\",}", b"{\"a\\\":1}", b"{\"a\"\0:1}", b"{\"a\"=1}", b"{\"a\":1;\"b\":2}",
        b"{\"a\":+1}", b"{\xf0\x9f\x87\xa8}", b"({})", b"{\"id\":0,,,,,}", b"{a: b}",
        b"{\"a\":\"b\",", b"{[", b"[{", b"{\"a\":[}", b"{\"a\":[}]",
    ]),
    ("numbers", &[
        b"00", b"01", b"-01", b"-00", b"012", b"-012", b"2.", b"-2.", b"0.", b"1.e1", b"2.e+3",
        b"2.e-3", b"2.e3", b".5", b"-.5", b".-1", b".2e-3", b"+.5", b"1e", b"1E", b"1e+", b"1e-",
        b"1.0e", b"1.0e+", b"1.0e-", b"0e", b"0E", b"0e+", b"0E+", b"0.3e", b"0.3e+", b"9.e+",
        b"1eE2", b"1e1.5", b"1e 1", b"+1", b"++1", b"--1", b"-", b"- 1", b"-1x", b"-x", b"-+1",
        b"0.1.2", b"1.8011670033376514H-308", b"1.2a-3", b"1ea", b"1_000", b"1 000", b"1,000",
        b"0x1", b"0x42", b"0X1", b"0b1", b"0o7", b"1f", b"1L", b"1n", b"NaN", b"nan", b"-NaN",
        b"Infinity", b"-Infinity", b"Inf", b"inf", b"+Inf", b"1e\xe5", b"1\xe5", b"123\xe5",
        b"0\xe5", b"\xef\xbc\x91", b"1\xef\xbc\x91", b"\xd9\xa1", b"1.\xd9\xa1", b"-foo", b"2@",
        b"2..3", b"\\u0031", b"1\0", b"1/2", b"1e0x2", b"0e-", b"1-1", b"1+1", b"$1", b"(1)",
        b"1.5.",
    ]),
    ("strings", &[
        b"\"", b"\"a", b"\"\\", b"\"\\\"", b"\"\\\\\\\"", b"'a'", b"'", b"`a`", b"a", b"\"\\a\"",
        b"\"\\x00\"", b"\"\\0\"", b"\"\\v\"", b"\"\\'\"", b"\"\\ \"", b"\"\\\n\"", b"\"\\\t\"",
        b"\"\\\0\"", b"\"\\U0041\"", b"\"\\u\"", b"\"\\u0\"", b"\"\\u00\"", b"\"\\u00A\"",
        b"\"\\u00A", b"\"\\u12g4\"", b"\"\\u 041\"", b"\"\\u+041\"", b"\"\\u-041\"",
        b"\"\\u\xc2\xb200\"", b"\"\\u\xef\xbc\x91000\"", b"\"\\\xe5\"", b"\"\\u\xe5\"",
        b"\"\\u1\xe5\"", b"\"\\\xf0\x9f\x8c\x80\"", b"\\u0020\"a\"", b"\"a\"\"b\"", b"\"a\" \"b\"",
        b"\"\n\"", b"\"\r\"", b"\"\t\"", b"\"\0\"", b"\"a\0a\"", b"\"\x1f\"", b"\"\x08\"",
        b"\"\x0c\"", b"\"\x01", b"\"a\nb\"", b"\xc3\xa9", b"\"a\"x", b"\"a\"\"", b"\"\\\"",
        b"\"\\{[\"\\{[\"", b"\xe2\x80\x9ca\xe2\x80\x9d", b"\"\\uD834\\Dd\"", b"\"\\uD800\\u\"",
        b"\"\\uD800\\u1\"", b"\"\\uD800\\u1x\"", b"\"\\uD800\\", b"\"\\&\"",
    ]),
    ("literals", &[
        b"True", b"TRUE", b"tRue", b"tru", b"truth", b"truee", b"true1", b"t", b"nul", b"nulll",
        b"n", b"None", b"Null", b"fals", b"False", b"falsee", b"f", b"undefined", b"true false",
        b"truefalse", b"nul\xe5", b"tru\0", b"yes", b"true.", b"null,null", b"-true", b"\\u0074rue",
    ]),
    ("white space", &[
        b"\x0c1", b"1\x0c", b"\x0b1", b"[\x0c]", b"\xc2\xa01", b"1\xc2\xa0", b"[\xc2\xa0]",
        b"\xe2\x81\xa01", b"[\xe2\x81\xa0]", b"\xe2\x80\x83[]", b"\xe2\x80\xa8[]", b"\xc2\x85[]",
        b"\x00[]", b"[]\x00", b"\x08[]", b"\x1a", b"[]\x1a", b"{\x0b}", b"\x7f1", b"\\n1",
        b"\xe3\x80\x80[]",
    ]),
    ("byte order marks", &[
        b"\xef\xbb\xbf[]", b"\xef\xbb\xbf1", b"\xef\xbb\xbf{}", b"\xef\xbb[]", b"\xef\xbb{}",
        b"\xbb\xbf1", b"\xfe\xff[]", b"\xff\xfe[]", b"[]\xef\xbb\xbf", b"[\xef\xbb\xbf1]",
        b"\xef\xbb\xbf\"\"",
    ]),
    ("what is no JSON", &[
        b"<html><body>502</body></html>", b"// c\n1", b"/* c */1", b"1 // c", b"# c\n1", b"1;",
        b"1//", b"[1]x", b"1]", b"1}", b"[][", b"1 1", b"2,3", b"\"a\",\"b\"", b"{}1", b"\\", b"/",
        b"\xff", b"\xe2\x28", b"[open", b"[\"<!--\"-->", b"<![CDATA[1]]>", b"%7B%7D", b")]}',\n{}",
        b"while(1);{}", b"cb({})",
    ]),
];

/// RFC 8259 leaves these to the reader: the input, what we decide, what `serde_json` does, and why
/// we decide so.
const FREE: &[(&[u8], bool, bool, &str)] = &[
    // No number is read that nobody uses: one that is used is held against its own type.
    (b"123.456e-789", true, true, DIGITS),
    (
        b"0.4e00669999999999999999999999999999999999999999999999999999969999999006",
        true,
        false,
        DIGITS,
    ),
    (b"-1e+9999", true, false, DIGITS),
    (b"1.5e+9999", true, false, DIGITS),
    (b"-123123e100000", true, false, DIGITS),
    (b"123123e100000", true, false, DIGITS),
    (b"123e-10000000", true, true, DIGITS),
    (b"-123123123123123123123123123123", true, true, DIGITS),
    (b"100000000000000000000", true, true, DIGITS),
    (b"-237462374673276894279832749832423479823246327846", true, true, DIGITS),
    (b"1e309", true, false, DIGITS),
    (b"[1e309,{\"a\":-1e309}]", true, false, DIGITS),
    // What cannot be a text cannot be handed out as one.
    (b"\"\\uDADA\"", false, false, SURROGATE),
    (b"\"\\uD888\\u1234\"", false, false, SURROGATE),
    (b"\"\\uD800\\n\"", false, false, SURROGATE),
    (b"\"\\uDd1ea\"", false, false, SURROGATE),
    (b"\"\\uD800\\uD800\\n\"", false, false, SURROGATE),
    (b"\"\\ud800\"", false, false, SURROGATE),
    (b"\"\\ud800abc\"", false, false, SURROGATE),
    (b"\"\\uDd1e\\uD834\"", false, false, SURROGATE),
    (b"\"\\uDFAA\"", false, false, SURROGATE),
    (b"{\"\\uDFAA\":0}", false, false, SURROGATE),
    (b"[\"\\uD834\\uD834\\uDD1E\"]", false, false, SURROGATE),
    (b"\"\xff\"", false, false, UTF8),
    (b"\"\xe9\"", false, false, UTF8),
    (b"\"\x81\"", false, false, UTF8),
    (b"\"\xf4\xbf\xbf\xbf\"", false, false, UTF8),
    (b"\"\xf4\x90\x80\x80\"", false, false, UTF8),
    (b"\"\xc0\xaf\"", false, false, UTF8),
    (b"\"\xc0\x80\"", false, false, UTF8),
    (b"\"\xc1\xbf\"", false, false, UTF8),
    (b"\"\xe0\x80\xaf\"", false, false, UTF8),
    (b"\"\xf0\x80\x80\xaf\"", false, false, UTF8),
    (b"\"\xfc\x83\xbf\xbf\xbf\xbf\"", false, false, UTF8),
    (b"\"\xfc\x80\x80\x80\x80\x80\"", false, false, UTF8),
    (b"\"\xe0\xff\"", false, false, UTF8),
    (b"\"\xe2\x82\"", false, false, UTF8),
    (b"\"\xc3\"", false, false, UTF8),
    (b"\"\xed\xa0\x80\"", false, false, UTF8),
    (b"\"\xed\xbf\xbf\"", false, false, UTF8),
    (b"\"\xe6\x97\xa5\xd1\x88\xfa\"", false, false, UTF8),
    (b"{\"\xff\":0}", false, false, UTF8),
    (b"\xff\xfe[\0\"\0\xe9\0\"\0]\0", false, false, UTF8),
    (b"\0[\0\"\0\xe9\0\"\0]", false, false, UTF8),
    (b"[\0\"\0\xe9\0\"\0]\0", false, false, UTF8),
];

const DIGITS: &str = "a number is digits until somebody wants it";
const SURROGATE: &str = "half a surrogate pair is no character";
const UTF8: &str = "JSON on the wire is UTF-8";

#[test]
fn every_case_is_decided_as_the_table_says_in_every_place() {
    let listed = |list: &'static [(&str, Inputs)], ours: bool| {
        list.iter().flat_map(move |(_, inputs)| inputs.iter().map(move |&i| (i, ours, ours)))
    };
    let free = FREE.iter().map(|&(input, ours, theirs, _)| (input, ours, theirs));
    for (input, ours, theirs) in listed(ACCEPT, true).chain(listed(REFUSE, false)).chain(free) {
        let shown = || String::from_utf8_lossy(input);
        assert_eq!(referee(input), theirs, "the referee on {:?}", shown());
        for (place, decision) in in_every_place(input) {
            assert_eq!(decision, ours, "{place}: {:?}", shown());
        }
    }
}

/// The decision on a text, by the place where it stands.
fn in_every_place(text: &[u8]) -> Vec<(&'static str, bool)> {
    let within = |before: &str, after: &str| [before.as_bytes(), text, after.as_bytes()].concat();
    let pong =
        |bytes: &[u8]| matches!(Frame::parse(bytes), Ok(Frame::Pong(p)) if p.timestamp.is_some());
    let data = within(r#"{"sequence":7,"x":"#, r#","change":"1,buy,1"}"#);
    let message = [&br#"{"topic":"/contractMarket/level2:M","data":"#[..], &data, b"}"].concat();
    let first = within(r#"{"x":"#, r#","type":"pong","timestamp":1790000000000000}"#);
    let last = within(r#"{"type":"pong","timestamp":1790000000000000,"x":"#, "}");
    let nested =
        within(r#"{"type":"pong","timestamp":1790000000000000,"x":[{"a":0,"b":"#, r#","c":0}]}"#);
    let mut places = Vec::from([
        ("document", scan(text).is_ok()),
        ("first in a frame", pong(&first)),
        ("last in a frame", pong(&last)),
        ("nested", pong(&nested)),
        ("in data", matches!(Frame::parse(&message), Ok(Frame::Message(_)))),
        ("data", Delta::parse(&data).is_ok()),
    ]);
    if text.first() == Some(&b'"') {
        let key = within(r#"{"type":"pong","#, r#":0,"timestamp":1790000000000000}"#);
        let nested_key = within(r#"{"type":"pong","timestamp":1790000000000000,"x":{"#, ":0}}");
        places.extend([("key", pong(&key)), ("nested key", pong(&nested_key))]);
    }
    places
}

fn referee(text: &[u8]) -> bool {
    serde_json::from_slice::<Json>(text).is_ok()
}

/// Deliberately less than `serde_json`'s 128: real frames have 4, and one word holds the state.
#[test]
fn sixteen_levels_are_accepted_and_not_one_more() {
    let nested = |open: &str, close: &str, depth: u32| {
        let depth = depth as usize;
        format!("{}0{}", open.repeat(depth), close.repeat(depth))
    };
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        for (outside, before, after) in
            [(1, r#"{"type":"pong","x":"#, "}"), (2, r#"{"type":"pong","x":["#, "]}")]
        {
            let with = |depth| format!("{before}{}{after}", nested(open, close, depth));
            let most = with(MAX_DEPTH - outside);
            assert!(matches!(Frame::parse(most.as_bytes()), Ok(Frame::Pong(_))), "{most}");
            let over = with(MAX_DEPTH - outside + 1);
            assert_eq!(Frame::parse(over.as_bytes()), Err(WireError::TooDeep));
            assert!(referee(over.as_bytes()), "it has more patience");
        }
        // The data of a message stand one level deeper in the frame than by themselves.
        let data = |depth| {
            let x = nested(open, close, depth);
            format!(r#"{{"sequence":7,"change":"1,buy,1","x":{x}}}"#)
        };
        let message = |depth| format!(r#"{{"topic":"/a:B","data":{}}}"#, data(depth));
        assert!(Frame::parse(message(MAX_DEPTH - 2).as_bytes()).is_ok());
        assert_eq!(Frame::parse(message(MAX_DEPTH - 1).as_bytes()), Err(WireError::TooDeep));
        assert!(Delta::parse(data(MAX_DEPTH - 1).as_bytes()).is_ok());
        assert_eq!(Delta::parse(data(MAX_DEPTH).as_bytes()), Err(WireError::TooDeep));
    }
    for open in ["[", "{\"a\":", "[{\"a\":", "{\"a\":[[{},"] {
        let endless = format!(r#"{{"type":"pong","x":{}"#, open.repeat(100_000));
        assert_eq!(Frame::parse(endless.as_bytes()), Err(WireError::TooDeep));
    }
    // REST bodies are read by serde_json, which has a limit of its own.
    for body in ["[".repeat(100_000), format!(r#"{{"data":{}"#, "[".repeat(100_000))] {
        assert!(
            Snapshot::parse(body.as_bytes()).is_err() && Contracts::parse(body.as_bytes()).is_err()
        );
    }
}

/// One text of each kind that is read.
const FRAMES: [&str; 7] = [
    r#"{"id":"hQvf8jkno","type":"welcome"}"#,
    r#"{"id":"1545910590801","type":"pong","timestamp":1791500000250999} "#,
    "{\"id\":17,\"type\":\"ack\"}\r\n",
    r#"{"id":"17","type":"error","code":404,"data":"topic \u0022x\" does not exist","x":[null,-1.5e-3]}"#,
    r#"{"topic":"/contractMarket/level2:XBTUSDTM","type":"message","subject":"level2","sn":41,"data":{"sequence":41,"change":"63000.5,buy,7","timestamp":1790000000123}}"#,
    r#"{ "type" : "message", "topic":"/contractMarket/tickerV2:XBTUSDTM", "data":{"symbol":"XBTUSDTM","sequence":9,"bestBidSize":7,"bestBidPrice":"9.5","bestAskPrice":"10","bestAskSize":3,"ts":1791500000250000000}}"#,
    r#"{"type":"notice","x":{"é":["😀",true,false,{}],"":[[]]}}	"#,
];

#[test]
fn a_frame_that_is_cut_short_anywhere_is_refused() {
    for frame in FRAMES {
        let whole = frame.trim_end().len();
        for end in 0..=frame.len() {
            let cut = frame.as_bytes().get(..end).unwrap();
            assert_eq!(Frame::parse(cut).is_ok(), end >= whole, "{frame} cut at {end}");
            assert_eq!(scan(cut).is_ok(), end >= whole);
        }
    }
    type Reader = fn(&[u8]) -> bool;
    let data: [(&str, Reader); 5] = [
        (r#"{"sequence":41,"change":"63000.5,buy,7","timestamp":1790000000123}"#, |b| {
            Delta::parse(b).is_ok()
        }),
        (TICKER_V2, |b| TickerV2::parse(b).is_ok()),
        (TICKER, |b| Ticker::parse(b).is_ok()),
        (EXECUTION, |b| Execution::parse(b).is_ok()),
        (SNAPSHOT, |b| Snapshot::parse(b).is_ok()),
    ];
    for (text, reads) in data {
        for end in 0..=text.len() {
            let cut = text.as_bytes().get(..end).unwrap();
            assert_eq!(reads(cut), end == text.len(), "{text} cut at {end}");
        }
    }
}

const TICKER_V2: &str = r#"{"symbol":"XBTUSDTM","sequence":9,"bestBidSize":7,"bestBidPrice":"9.5","bestAskPrice":"10","bestAskSize":3,"ts":1791500000250000000}"#;
const TICKER: &str = r#"{"symbol":"XBTUSDTM","sequence":9,"side":"buy","price":"9.5","size":1,"tradeId":"5cd","bestBidSize":7,"bestBidPrice":"9.5","bestAskPrice":"10","bestAskSize":3,"ts":1791500000250000000}"#;
const EXECUTION: &str = r#"{"symbol":"XBTUSDTM","sequence":9,"side":"sell","price":"9.5","size":1,"tradeId":"5cd","takerOrderId":"1","makerOrderId":"2","ts":1791500000250000000}"#;
const SNAPSHOT: &str = r#"{"code":"200000","data":{"sequence":41,"symbol":"XBTUSDTM","bids":[[63000.5,7]],"asks":[["63000.6",9],[63001,1]],"ts":1790000000123000000}}"#;

/// A frame in which one byte is another one is decided as the referee does. (What is JSON but not
/// the frame it was, the frame's own reader may refuse.)
#[test]
fn a_frame_with_a_flipped_byte_is_decided_as_the_referee_does() {
    for frame in FRAMES {
        let mut bytes = Vec::from(frame.as_bytes());
        for at in 0..bytes.len() {
            let was = bytes[at];
            let others = b"\0\t \"\\{}[],:.-+01eEntu/\x7f\x80\xc3\xe2\xff".iter().copied();
            for other in others.chain([was ^ 1, was ^ 0x20, was ^ 0x80]) {
                bytes[at] = other;
                let shown = || String::from_utf8_lossy(&bytes);
                let theirs = match serde_json::from_slice::<Json>(&bytes) {
                    // Stopped at a number beyond a double: no verdict on the rest.
                    Err(e) if e.to_string().starts_with("number out of range") => continue,
                    verdict => verdict.is_ok(),
                };
                assert_eq!(scan(&bytes).is_ok(), theirs, "{}", shown());
                match Frame::parse(&bytes) {
                    Ok(_) => assert!(theirs, "{}", shown()),
                    Err(WireError::NotJson { .. } | WireError::TooDeep) => {
                        assert!(!theirs, "{}", shown())
                    }
                    // A known key with a value of another kind: the rest is not looked at.
                    Err(_) => {}
                }
            }
            bytes[at] = was;
        }
    }
}

/// The bodies that `serde_json` reads for us: whatever the damage, an answer.
#[test]
fn a_body_with_a_flipped_byte_is_an_answer_or_an_error() {
    for text in [SNAPSHOT, TICKER_V2, TICKER, EXECUTION] {
        let mut bytes = Vec::from(text.as_bytes());
        for at in 0..bytes.len() {
            let was = bytes[at];
            for other in b"\0 \"\\{}[],:-0e\x80\xff" {
                bytes[at] = *other;
                let read = [
                    Snapshot::parse(&bytes).is_ok(),
                    TickerV2::parse(&bytes).is_ok(),
                    Ticker::parse(&bytes).is_ok(),
                    Execution::parse(&bytes).is_ok(),
                ];
                // A number beyond a double is good JSON, and no time.
                let whole = || serde_json::from_slice::<&RawValue>(&bytes).is_ok();
                assert!(!read.contains(&true) || whole());
            }
            bytes[at] = was;
        }
    }
}
