//! `kcf replay`: files in, digests out.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs, reason = "tests")]

mod common;

use std::fs;

use common::{Files, edited, kcf, lines, listen, of_type, snapshot};
use kucoin_futures_proto::book::Coverage;
use kucoin_futures_proto::wire::Side;
use kucoin_futures_proto::{Instant, Sequence, Symbol};
use kucoin_futures_sim::{Exchange, ExchangeConfig, Outgoing};

/// Two symbols, snapshots after the first thousand changes, frames from before them on.
#[test]
fn a_recording_replays_to_the_exchanges_books() {
    let files = Files::new("whole");
    let (exchange, frames) = record(&files);
    files.write_frames(&frames);
    let output = kcf(&["replay", &files.snapshot(), &files.frames(), "--json"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = lines(&output);
    let rows = of_type(&lines, "replay");
    assert_eq!(rows.len(), 2);
    for row in rows {
        let symbol: Symbol = row["symbol"].as_str().unwrap().parse().unwrap();
        let market = exchange.market(symbol).unwrap();
        let number = |key: &str| row[key].as_u64().unwrap();
        assert_eq!(number("sequence"), market.sequence().get());
        assert_eq!(number("frames"), number("applied") + number("repeats"));
        assert!(number("applied") > 1_000 && number("repeats") > 500);
        let best = market.truth().levels(Side::Bid).next().unwrap();
        assert_eq!(row["top_bids"][0][0].as_str().unwrap(), best.price.to_string());
        assert_eq!(row["top_bids"].as_array().unwrap().len(), 20);
        if symbol.as_str() == "CHRUSDTM" {
            // Thin enough for the snapshot to hold all of it.
            let digest = market.truth().digest(Coverage::All, Coverage::All);
            assert_eq!(row["sha256"].as_str().unwrap(), digest);
        }
    }
    let total = of_type(&lines, "replay_total")[0];
    assert_eq!(total["frames"].as_u64().unwrap(), frames.len() as u64);
    assert_eq!(total["malformed"], 0);
}

#[test]
fn a_gap_ends_its_symbol_says_so_and_exits_5() {
    let files = Files::new("gap");
    let (_, mut frames) = record(&files);
    let last = frames.iter().rposition(|frame| frame.contains("level2:CHRUSDTM")).unwrap();
    let middle = frames[..last - 900].iter().rposition(|frame| frame.contains("level2:CHRUSDTM"));
    frames.remove(middle.unwrap());
    files.write_frames(&frames);
    let output = kcf(&["replay", &files.snapshot(), &files.frames(), "--json"]);
    assert_eq!(output.status.code(), Some(5));
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(complaint.contains("CHRUSDTM ended with a gap: expected"), "{complaint}");
    let lines = lines(&output);
    let gaps: Vec<_> = of_type(&lines, "replay")
        .iter()
        .map(|row| (row["symbol"].clone(), row["gaps"].clone()))
        .collect();
    assert_eq!(gaps, [("CHRUSDTM".into(), 1.into()), ("XBTUSDTM".into(), 0.into())]);
}

#[test]
fn a_counter_that_is_set_back_ends_its_symbol_and_exits_5() {
    let files = Files::new("set-back");
    let (_, mut frames) = record(&files);
    let of_chr = |frame: &&String| frame.contains("level2:CHRUSDTM");
    let all: Vec<String> = frames.iter().filter(of_chr).cloned().collect();
    frames.extend_from_slice(&all[all.len() - 9..]);
    files.write_frames(&frames);
    let output = kcf(&["replay", &files.snapshot(), &files.frames(), "--json"]);
    assert_eq!(output.status.code(), Some(5));
    assert!(String::from_utf8_lossy(&output.stderr).contains("CHRUSDTM ended: its counter"));
    let lines = lines(&output);
    let rows = of_type(&lines, "replay");
    let set_back: Vec<bool> = rows.iter().map(|row| row["set_back"] == true).collect();
    assert_eq!(set_back, [true, false]);
}

#[test]
fn a_recording_without_a_frame_of_its_symbols_is_no_success() {
    let files = Files::new("empty");
    record(&files);
    for frames in [&[][..], &["junk".to_owned()]] {
        files.write_frames(frames);
        let output = kcf(&["replay", &files.snapshot(), &files.frames()]);
        assert_eq!(output.status.code(), Some(5));
        assert!(String::from_utf8_lossy(&output.stderr).contains("nothing was replayed"));
    }
}

#[test]
fn objects_that_are_no_frames_are_counted_and_passed_over() {
    let files = Files::new("others");
    let (_, mut frames) = record(&files);
    let clean = frames.len();
    frames.insert(10, r#"{"event":"connected","level":"info"}"#.into());
    frames.insert(15, r#"{"msg":"asked for /contractMarket/level2:XBTUSDTM"}"#.into());
    frames.insert(20, String::new());
    frames.insert(30, r#"{"id":"1","type":"pong"}"#.into());
    files.write_frames(&frames);
    let output = kcf(&["replay", &files.snapshot(), &files.frames(), "--json"]);
    assert!(output.status.success());
    let total = of_type(&lines(&output), "replay_total")[0].clone();
    assert_eq!((&total["malformed"], &total["not_frames"]), (&0.into(), &2.into()));
    assert_eq!(total["frames"], clean + 3, "an empty line is no frame");
}

/// Of a symbol that has no snapshot nothing is said, and so nothing is asked.
#[test]
fn changes_that_cannot_be_read_are_counted_and_end_a_book_that_there_is() {
    let files = Files::new("unreadable");
    let (_, mut frames) = record(&files);
    let last = frames.iter().rposition(|frame| frame.contains("level2:CHRUSDTM")).unwrap();
    for at in [last - 200, last - 100, last] {
        frames[at] = edited(&frames[at], "sequence\":", "sequence\":-");
        assert!(frames[at].contains("CHRUSDTM"));
    }
    frames.push(edited(&frames[last], "CHRUSDTM", "ETHUSDTM"));
    files.write_frames(&frames);
    let output = kcf(&["replay", &files.snapshot(), &files.frames(), "--json"]);
    assert_eq!(output.status.code(), Some(5));
    let lines = lines(&output);
    assert_eq!(of_type(&lines, "replay_total")[0]["malformed"], 3);
    let rows = of_type(&lines, "replay");
    let counts = rows.iter().map(|row| {
        ["malformed", "gaps", "frames", "applied"].map(|key| row[key].as_u64().unwrap())
    });
    assert_eq!(counts.collect::<Vec<_>>(), [[3, 0, 3_000, 1_898], [0, 0, 3_000, 1_999]]);
    assert_eq!(rows[0]["first_malformed"]["line"], last - 200 + 1);
}

#[test]
fn files_that_are_not_there_or_not_snapshots_are_told_apart() {
    let files = Files::new("errors");
    record(&files);
    let missing = kcf(&["replay", "/nonexistent", &files.frames()]);
    assert_eq!(missing.status.code(), Some(2));
    fs::write(files.snapshot(), r#"{"code":"200003","msg":"Invalid symbol."}"#).unwrap();
    files.write_frames(&[]);
    assert_eq!(kcf(&["replay", &files.snapshot(), &files.frames()]).status.code(), Some(5));
}

/// Two markets, snapshots in the middle, all frames.
fn record(files: &Files) -> (Exchange, Vec<String>) {
    let mut now = Instant::ZERO;
    let mut exchange = Exchange::new(now, 11, {
        let mut config = ExchangeConfig::default();
        config.rate = 0.0;
        config
    });
    let symbols: [Symbol; 2] = ["XBTUSDTM", "CHRUSDTM"].map(|symbol| symbol.parse().unwrap());
    listen(&mut exchange, now, &symbols);
    let (mut frames, mut snapshots) = (Vec::new(), Vec::new());
    for step in 0..3_000 {
        now = now + std::time::Duration::from_millis(1);
        symbols.iter().for_each(|&symbol| exchange.change(symbol, now));
        if step == 1_000 {
            snapshots = symbols.map(|symbol| snapshot(&mut exchange, now, symbol)).into();
        }
    }
    while let Some(outgoing) = exchange.poll_output() {
        if let Outgoing::Send(_, text, _) = outgoing {
            frames.push(text.to_string());
        }
    }
    assert!(exchange.market(symbols[0]).unwrap().sequence() > Sequence::new(0));
    files.write_snapshots(&snapshots);
    (exchange, frames)
}
