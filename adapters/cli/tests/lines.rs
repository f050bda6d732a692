//! Several lines against `kcf sim`: two for a topic, the change-over before a token's life ends, and what is told of
//! them. Real processes and sockets.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs, reason = "tests")]

mod common;

use common::{Sim, command, kcf, lines, of_type};
use serde_json::Value;

/// What `kcf book --json` says, besides books.
fn book(runtime: &str, sim: &Sim, args: &[&str]) -> Vec<Value> {
    let book = ["book", "XBTUSDTM", "ETHUSDTM", "--json", "--url", &sim.url, "--runtime", runtime];
    let output = kcf(&[&book[..], args].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    lines(&output)
}

fn states<'a>(lines: &'a [Value], name: &str) -> Vec<&'a Value> {
    lines.iter().filter(|line| line["state"] == name).collect()
}

#[test]
fn on_threads_one_of_two_lines_may_end_and_no_book_leaves_live() {
    one_of_two_lines_may_end("blocking");
}

#[test]
fn on_smol_one_of_two_lines_may_end_and_no_book_leaves_live() {
    one_of_two_lines_may_end("smol");
}

fn one_of_two_lines_may_end(runtime: &str) {
    let faults = ["--rate", "100", "--faults", "every 2s close-one"];
    let sim = Sim::start(&faults);
    let two = book(runtime, &sim, &["--lines", "2", "--for", "10s"]);
    let summary = of_type(&two, "summary")[0];
    assert_eq!((&summary["not_live_ms"], &summary["gaps"]), (&0.into(), &0.into()), "{summary}");
    assert!(summary["reconnects"].as_u64() >= Some(3), "{summary}");
    assert_eq!(states(&two, "lost"), [] as [&Value; 0]);
    assert_eq!(states(&two, "live").len(), 2);
    let told = of_type(&two, "lines");
    assert!((8..=10).contains(&told.len()), "once a second: {}", told.len());
    let last = told.last().unwrap()["lines"].as_array().unwrap();
    let mut roles: Vec<_> = last.iter().map(|line| line["role"].as_str().unwrap()).collect();
    roles.sort_unstable();
    assert_eq!(roles, ["public", "spare"]);
    let count = |line: &Value, key: &str| line[key].as_u64().unwrap();
    for moment in &told {
        for line in moment["lines"].as_array().unwrap() {
            let (copies, lag) = (count(line, "later"), line["lag_p50_us"].as_u64());
            assert!(copies == 0 || lag >= Some(64), "{line}");
            assert!(line["lag_p99_us"].as_u64() >= lag, "{line}");
            assert!(copies > 0 || lag.is_none(), "{line}");
            let at = moment["at_ns"].as_u64().unwrap() / 1_000_000;
            let is_up = |since| (at - 11_000..=at).contains(&since);
            assert!(line["up_since_ms"].as_u64().is_none_or(is_up), "{line} at {at}");
        }
    }
    let copies = |key| {
        told.iter()
            .flat_map(|moment| moment["lines"].as_array().unwrap())
            .map(move |line| count(line, key))
            .max()
    };
    assert!(copies("first") > Some(50) && copies("later") > Some(50), "{told:?}");

    // What the second line is good for: without it each close is a book that is lost.
    let sim = Sim::start(&faults);
    let one = book(runtime, &sim, &["--for", "6s"]);
    let summary = of_type(&one, "summary")[0];
    assert!(summary["not_live_ms"].as_u64() > Some(100), "{summary}");
    assert!(states(&one, "lost").len() >= 2);
    let lone = &of_type(&one, "lines").last().unwrap()["lines"][0];
    assert_eq!((&lone["first"], &lone["lag_p50_us"]), (&0.into(), &Value::Null), "{lone}");
}

#[test]
fn on_threads_a_line_is_replaced_before_its_token_ends_and_no_book_leaves_live() {
    a_line_is_replaced_in_time("blocking");
}

#[test]
fn on_smol_a_line_is_replaced_before_its_token_ends_and_no_book_leaves_live() {
    a_line_is_replaced_in_time("smol");
}

fn a_line_is_replaced_in_time(runtime: &str) {
    let sim = Sim::start(&["--rate", "100", "--token-life", "20s"]);
    let lines = book(runtime, &sim, &["--line-life", "15s", "--for", "45s"]);
    let summary = of_type(&lines, "summary")[0];
    assert!(summary["change_overs"].as_u64() >= Some(1), "{summary}");
    let zero = Value::from(0);
    assert_eq!((&summary["not_live_ms"], &summary["reconnects"]), (&zero, &zero), "{summary}");
    assert_eq!(states(&lines, "lost"), [] as [&Value; 0]);
    let replacing = states(&lines, "replacing")[0];
    assert_eq!(replacing["reason"], "line 1 takes its place: it is old");
    assert_eq!(replacing["line_id"], 0);
    let down = states(&lines, "line_down")[0];
    assert_eq!((&down["reason"], &down["line_id"]), (&replaced(), &zero));
    let by_two = of_type(&lines, "lines").into_iter().find(|line| line["lines"][1].is_object());
    assert_eq!(by_two.unwrap()["lines"][1]["replaces"], 0, "{by_two:?}");
}

fn replaced() -> Value {
    "another line has taken its place".into()
}

/// What was planned is no alarm; what was not is one.
#[test]
fn a_line_that_is_replaced_is_shown_calmly_and_one_that_is_cut_in_red() {
    let shown = |sim: &[&str], args: &[&str], text: &str| {
        let sim = Sim::start(&[&["--symbols", "XBTUSDTM"], sim].concat());
        let args = [&["book", "XBTUSDTM", "--url", &sim.url], args].concat();
        let output = command(&args).env("CLICOLOR_FORCE", "1").output().unwrap();
        let shown = String::from_utf8(output.stdout).unwrap();
        let line = shown.lines().find(|line| line.contains(text)).map(str::to_owned);
        (line.unwrap_or_default(), shown.lines().last().unwrap().to_owned())
    };
    let (line, last) = shown(&[], &["--line-life", "10s", "--for", "14s"], "line down");
    assert!(line.contains("\u{1b}[2mline down: another line has taken its place"), "{line:?}");
    assert!(last.contains("1 lines replaced") && last.contains("no book was lost"), "{last}");
    let (line, last) = shown(&["--faults", "at 2s close-one"], &["--for", "6s"], "line down");
    assert!(line.contains("\u{1b}[31mline down: "), "{line:?}");
    assert!(last.contains("; a book was not live for "), "{last}");
}

/// The market walks away from what the first snapshot knew: a second one tells more, and no delta does.
#[test]
fn a_book_that_has_learned_more_is_told_anew() {
    let sim = Sim::start(&["--rate", "500", "--faults", "at 2s rally XBTUSDTM 2000"]);
    let lines = book("blocking", &sim, &["--for", "6s", "--levels", "5"]);
    assert_eq!(states(&lines, "lost"), [] as [&Value; 0]);
    let mut wider = 0;
    for (at, line) in lines.iter().enumerate().filter(|(_, line)| line["why"] == "wider") {
        wider += 1;
        assert_eq!((&line["type"], &line["epoch"]), (&"book".into(), &1.into()));
        assert_eq!(line["bids"].as_array().unwrap().len(), 5);
        let state = &lines[at - 1];
        assert_eq!((&state["state"], &state["symbol"]), (&"verified".into(), &line["symbol"]));
        let is_first =
            |first: &&Value| first["type"] == "book" && first["symbol"] == line["symbol"];
        let first = lines.iter().find(is_first).unwrap();
        let reach = |line: &Value| [line["bid_horizon"].clone(), line["ask_horizon"].clone()];
        assert_ne!(reach(first), reach(line), "it reaches further");
    }
    assert!(wider > 0 && wider == states(&lines, "verified").len(), "{wider}");
    assert!(states(&lines, "verified")[0]["reason"].as_str().unwrap().ends_with("than before"));
}

#[test]
fn every_stream_of_contracts_takes_lines_and_all() {
    for stream in ["book", "ticker", "trades", "depth", "candles", "instrument", "stats"] {
        let help = String::from_utf8(kcf(&[stream, "--help"]).stdout).unwrap();
        for option in ["--lines <1|2>", "--all", "--line-life <TIME>"] {
            assert!(help.contains(option), "{stream} has no {option}");
        }
    }
    // Farther apart than the first waits of a line are long.
    let sim = Sim::start(&["--rate", "100", "--faults", "every 3s close-one"]);
    let args = ["ticker", "--all", "--lines", "2", "--json", "--for", "8s", "--url", &sim.url];
    let lines = lines(&kcf(&args));
    assert_eq!(states(&lines, "stale"), [] as [&Value; 0], "one line is always there");
    assert!(states(&lines, "line_down").len() >= 2 && !of_type(&lines, "ticker").is_empty());
    let summary = of_type(&lines, "summary")[0];
    assert!(summary.get("not_live_ms").is_none(), "no book is wanted: {summary}");
    for wrong in [["--lines", "3"], ["--lines", "0"], ["--line-life", "9s"]] {
        assert_eq!(kcf(&[&["book", "XBTUSDTM"], &wrong[..]].concat()).status.code(), Some(2));
    }
}
