//! `kcf replay` reads recordings as people keep them.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs, reason = "tests")]

mod common;

use std::fs;
use std::io::Write as _;

use common::{Files, delta, eth_snapshot};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;

const BAD: Option<&str> = Some("malformed");

fn eth(sequence: u64) -> String {
    delta("ETHUSDTM", sequence)
}

/// A snapshot of one book at 40.
fn files(name: &str) -> Files {
    let files = Files::new(name);
    files.write_eth();
    files
}

/// Three lines, each made of a delta.
fn each(form: impl Fn(&str) -> String) -> String {
    [41, 42, 43].map(|sequence| form(&eth(sequence))).join("\n")
}

fn plain() -> String {
    each(str::to_owned)
}

fn utf16(text: &str, order: fn(u16) -> [u8; 2]) -> Vec<u8> {
    format!("\u{feff}{text}").encode_utf16().flat_map(order).collect()
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

fn zstd(text: &str) -> Vec<u8> {
    zstd::encode_all(text.as_bytes(), 1).unwrap()
}

#[test]
fn a_byte_order_mark_costs_no_line() {
    let files = files("bom");
    files.replay_bytes(format!("\u{feff}{}", plain())).is_sound(43, "in front");
    // Two files in one.
    let two = format!("{}\n\u{feff}{}", eth(41), eth(42));
    files.replay_bytes(two).is_sound(42, "in between");
}

#[test]
fn utf_16_is_read_in_both_orders() {
    let files = files("utf16");
    files.replay_bytes(utf16(&plain(), u16::to_le_bytes)).is_sound(43, "little");
    files.replay_bytes(utf16(&plain(), u16::to_be_bytes)).is_sound(43, "big");
}

#[test]
fn half_a_character_is_not_made_up_for() {
    let files = files("surrogate");
    let odd = plain().replacen(r#""subject":"level2""#, "\"subject\":\"level2?\"", 1);
    let mut text = utf16(&odd, u16::to_le_bytes);
    let at = text.iter().position(|&byte| byte == b'?').unwrap();
    text[at..at + 2].copy_from_slice(&0xd800_u16.to_le_bytes());
    assert_eq!(files.replay_bytes(text).ends(), [(40, BAD)]);
    // And the last byte of a file is half a unit.
    let text = utf16(&plain(), u16::to_le_bytes);
    assert_eq!(files.replay_bytes(&text[..text.len() - 1]).ends(), [(42, BAD)]);
}

#[test]
fn snapshots_come_in_the_same_forms() {
    let files = files("snapshot");
    let body = eth_snapshot("ETHUSDTM");
    let forms = [
        ("mark", format!("\u{feff}{body}").into_bytes()),
        ("marked list", format!("\u{feff}[{body}]").into_bytes()),
        ("little", utf16(&body, u16::to_le_bytes)),
        ("big", utf16(&body, u16::to_be_bytes)),
        ("gzip", gzip(&body)),
        ("zstd", zstd(&body)),
    ];
    for (name, bytes) in forms {
        fs::write(files.snapshot(), bytes).unwrap();
        files.replay_bytes(plain()).is_sound(43, name);
    }
    let cut = gzip(&body);
    fs::write(files.snapshot(), &cut[..cut.len() / 2]).unwrap();
    assert_eq!(files.replay().code, Some(5));
}

#[test]
fn line_ends_may_have_a_carriage_return() {
    files("crlf").replay_bytes(plain().replace('\n', "\r\n") + "\r\n").is_sound(43, "crlf");
}

#[test]
fn a_time_may_stand_in_front() {
    let files = files("stamps");
    let stamps = [
        "1790000000.123 ",
        "2026-10-03T00:00:00.100Z ",
        "1790000000123\t",
        "[2026-10-03 00:00:00,100] INFO ws: ",
    ];
    for stamp in stamps {
        files.replay_bytes(each(|frame| format!("{stamp}{frame}"))).is_sound(43, stamp);
    }
}

#[test]
fn a_frame_may_be_a_value_of_an_object() {
    let files = files("wrapped");
    let text = |frame: &str| serde_json::Value::from(frame).to_string();
    let topic = "/contractMarket/level2:ETHUSDTM";
    let forms = [
        ("object", each(|frame| format!(r#"{{"ts":1,"data":{frame},"host":{{"name":"a"}}}}"#))),
        ("text", each(|frame| format!(r#"{{"msg":{},"ts":1}}"#, text(frame)))),
        ("typed", each(|frame| format!(r#"{{"type":"ws","dir":"in","raw":{}}}"#, text(frame)))),
        ("topic", each(|frame| format!(r#"{{"topic":"{topic}","data":{frame}}}"#))),
        ("stamped", each(|frame| format!("17.5 {{\"msg\":{frame}}}"))),
        ("quoted", each(text)),
    ];
    for (name, frames) in forms {
        files.replay_bytes(frames).is_sound(43, name);
    }
    // Of two with one key, a map would keep one.
    let both = format!(r#"{{"m":{},"m":{}}}"#, eth(41), eth(42));
    files.replay_bytes(both).is_sound(42, "two");
}

#[test]
fn an_object_around_hides_no_bad_frame() {
    let files = files("wrapped-bad");
    let bad = eth(42).replace("buy,42", "buy,x");
    let cut = json!({ "ts": 1, "msg": &eth(42)[..100] }).to_string();
    for bad in [format!(r#"{{"ts":1,"msg":{bad}}}"#), cut] {
        let replayed = files.replay_bytes([eth(41), bad, eth(42)].join("\n"));
        assert_eq!((replayed.code, replayed.ends()), (Some(5), vec![(41, BAD)]));
    }
}

#[test]
fn frames_may_be_one_array() {
    let files = files("array");
    let frames = [41, 42, 43].map(eth);
    files.replay_bytes(format!("[{}]", frames.join(","))).is_sound(43, "on one line");
    files.replay_bytes(format!(" [\n  {}\n]\n", frames.join(",\n  "))).is_sound(43, "on many");
    files.replay_bytes(json!(frames).to_string()).is_sound(43, "of texts");
    files.replay_bytes(format!("[{}]\n[{},{}]", eth(41), eth(42), eth(43))).is_sound(43, "two");
}

#[test]
fn an_array_that_is_no_array_ends_every_book() {
    let files = files("array-bad");
    let (one, two) = (eth(41), eth(42));
    let cases = [
        (
            format!("[{one},\n{}", &two[..50]),
            41,
            "element 2 (line 2) cannot be read: the array is cut",
        ),
        (format!("[{one}"), 41, "element 2 (line 1) cannot be read: the array is cut off"),
        (format!("[{one} {two}]"), 41, "element 2 (line 1) cannot be read: no array"),
        (format!("[{one}] {two}"), 41, "cannot be read: no array of frames from here on: {\"topic"),
    ];
    for (frames, sequence, words) in cases {
        let replayed = files.replay_bytes(frames);
        assert_eq!((replayed.code, replayed.ends()), (Some(5), vec![(sequence, BAD)]), "{words}");
        assert!(replayed.complaint.contains(words), "{words} in {}", replayed.complaint);
    }
}

#[test]
fn recordings_may_be_packed_and_are_known_by_their_first_bytes() {
    let files = files("packed");
    files.replay_bytes(gzip(&plain())).is_sound(43, "gzip");
    files.replay_bytes(zstd(&plain())).is_sound(43, "zstd");
    let first = eth(41) + "\n";
    files.replay_bytes([gzip(&first), gzip(&eth(42))].concat()).is_sound(42, "two gzips");
    files.replay_bytes([zstd(&first), zstd(&eth(42))].concat()).is_sound(42, "two zstds");
    files.replay_bytes(gzip(&format!("[{}]", eth(41)))).is_sound(41, "an array");
}

#[test]
fn a_packed_file_that_is_cut_off_ends_every_book() {
    let files = files("packed-cut");
    let long = [41, 42, 43].map(eth).join("\n") + "\n";
    for whole in [gzip(&long), zstd(&long)] {
        // The last bytes are a sum, without which nothing is proven.
        for len in [whole.len() - 1, whole.len() / 2, 6] {
            let replayed = files.replay_bytes(&whole[..len]);
            assert_eq!((replayed.code, replayed.ends()[0].1), (Some(5), BAD), "{len}");
            assert!(replayed.complaint.contains("the packed file is broken"));
        }
    }
}
