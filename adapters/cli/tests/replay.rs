//! `kcf replay`: files in, digests out.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs, reason = "tests")]

mod common;

use std::fs;
use std::path::PathBuf;

use common::{kcf, lines, of_type};
use kucoin_futures_proto::book::Reach;
use kucoin_futures_proto::wire::Side;
use kucoin_futures_proto::{Instant, Sequence, Symbol};
use kucoin_futures_sim::{Exchange, ExchangeConfig, Outgoing, Request, SessionId};

/// Two symbols, snapshots after the first thousand changes, frames from before them on.
#[test]
fn a_recording_replays_to_the_exchanges_books() {
    let files = Files::new("whole");
    let (exchange, frames) = files.record();
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
            let digest = market.truth().digest(Reach::All, Reach::All);
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
    let (_, mut frames) = files.record();
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
    let (_, mut frames) = files.record();
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
    files.record();
    for frames in [&[][..], &["junk".to_owned()]] {
        files.write_frames(frames);
        let output = kcf(&["replay", &files.snapshot(), &files.frames()]);
        assert_eq!(output.status.code(), Some(5));
        assert!(String::from_utf8_lossy(&output.stderr).contains("nothing was replayed"));
    }
}

#[test]
fn lines_that_are_no_frames_are_counted_and_passed_over() {
    let files = Files::new("malformed");
    let (_, mut frames) = files.record();
    let clean = frames.len();
    frames.insert(10, "<html>".into());
    frames.insert(20, String::new());
    frames.insert(30, r#"{"id":"1","type":"pong"}"#.into());
    frames.push(format!("[{}", "[".repeat(5_000)));
    files.write_frames(&frames);
    let output = kcf(&["replay", &files.snapshot(), &files.frames(), "--json"]);
    assert!(output.status.success());
    let total = of_type(&lines(&output), "replay_total")[0].clone();
    assert_eq!(total["malformed"], 2);
    assert_eq!(total["frames"], clean + 3, "an empty line is no frame");
}

#[test]
fn files_that_are_not_there_or_not_snapshots_are_told_apart() {
    let files = Files::new("errors");
    files.record();
    let missing = kcf(&["replay", "/nonexistent", &files.frames()]);
    assert_eq!(missing.status.code(), Some(2));
    fs::write(files.snapshot(), r#"{"code":"200003","msg":"Invalid symbol."}"#).unwrap();
    files.write_frames(&[]);
    assert_eq!(kcf(&["replay", &files.snapshot(), &files.frames()]).status.code(), Some(5));
}

/// A folder that is removed in the end.
struct Files(PathBuf);

impl Files {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("kcf-replay-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn snapshot(&self) -> String {
        self.0.join("snapshot.json").to_str().unwrap().to_owned()
    }

    fn frames(&self) -> String {
        self.0.join("frames.ndjson").to_str().unwrap().to_owned()
    }

    fn write_frames(&self, frames: &[String]) {
        fs::write(self.frames(), frames.join("\n")).unwrap();
    }

    /// Subscribes to two markets, takes snapshots in the middle, returns all frames.
    fn record(&self) -> (Exchange, Vec<String>) {
        let mut now = Instant::ZERO;
        let mut exchange = Exchange::new(now, 11, {
            let mut config = ExchangeConfig::default();
            config.rate = 0.0;
            config
        });
        let symbols: [Symbol; 2] = ["XBTUSDTM", "CHRUSDTM"].map(|symbol| symbol.parse().unwrap());
        let body = exchange.http(now, &Request::new("POST", "/api/v1/bullet-public")).body;
        let body: serde_json::Value = serde_json::from_str(&body).unwrap();
        let query = format!("token={}", body["data"]["token"].as_str().unwrap());
        assert!(exchange.connect(now, SessionId(1), &query));
        let topic =
            r#"{"id":"1","type":"subscribe","topic":"/contractMarket/level2:XBTUSDTM,CHRUSDTM"}"#;
        exchange.receive(now, SessionId(1), topic);
        let (mut frames, mut snapshots) = (Vec::new(), Vec::new());
        for step in 0..3_000 {
            now = now + std::time::Duration::from_millis(1);
            symbols.iter().for_each(|&symbol| exchange.change(symbol, now));
            if step == 1_000 {
                for symbol in symbols {
                    let target = format!("/api/v1/level2/snapshot?symbol={symbol}");
                    snapshots.push(exchange.http(now, &Request::new("GET", &target)).body);
                }
            }
        }
        while let Some(outgoing) = exchange.poll_output() {
            if let Outgoing::Send(_, text, _) = outgoing {
                frames.push(text.to_string());
            }
        }
        assert!(exchange.market(symbols[0]).unwrap().sequence() > Sequence::new(0));
        fs::write(self.snapshot(), format!("[{}]", snapshots.join(","))).unwrap();
        (exchange, frames)
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
