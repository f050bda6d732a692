//! `kcf verify` against `kcf sim`: equal, different, or no verdict, each with its words and exit code.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs, reason = "tests")]

mod common;

use common::{Sim, kcf, lines};
use serde_json::Value;

const RUNTIMES: [&str; 2] = ["blocking", "smol"];

/// Exit code, stdout and stderr.
fn verify(args: &[&str]) -> (Option<i32>, String, String) {
    let output = kcf(&[&["verify"], args].concat());
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn books_that_are_the_exchanges_are_said_to_be_equal_and_how_far() {
    let sim = Sim::start(&["--symbols", "XBTUSDTM,ETHUSDTM", "--rate", "200"]);
    for runtime in RUNTIMES {
        let args = ["XBTUSDTM", "ETHUSDTM", "--url", &sim.url, "--runtime", runtime];
        let (code, text, problem) = verify(&args);
        assert_eq!((code, problem.as_str()), (Some(0), ""), "{text}");
        let mut lines: Vec<&str> = text.lines().collect();
        lines.sort_unstable();
        assert_eq!(lines.len(), 2);
        for (line, symbol) in lines.iter().zip(["ETHUSDTM", "XBTUSDTM"]) {
            let rest = line.strip_prefix(&format!("{symbol} equal at sequence ")).unwrap();
            assert!(rest.contains(" bids to ") && rest.contains(" asks to "), "{rest}");
        }
        let output = kcf(&[&["verify", "--all", "--json"], &args[2..]].concat());
        assert_eq!(output.status.code(), Some(0));
        for line in common::lines(&output) {
            assert_eq!((&line["type"], &line["verdict"]), (&"verify".into(), &"equal".into()));
            for side in ["bid", "ask"] {
                assert!(line[format!("{side}s")].as_u64() > Some(500), "{line}");
                assert!(line[format!("{side}_horizon")].is_string(), "{line}");
            }
            assert!(is_known(&sim.url, line["sequence"].as_u64().unwrap(), &line), "{line}");
        }
    }
}

/// The exchange has had this sequence.
fn is_known(url: &str, sequence: u64, line: &Value) -> bool {
    let symbol = line["symbol"].as_str().unwrap();
    let url = format!("{url}/_sim/digest?symbol={symbol}&sequence={sequence}");
    ureq::get(&url).call().is_ok()
}

/// The first snapshot is what the book is made of: one level of it is wrong.
#[test]
fn a_book_that_is_not_the_exchanges_is_said_to_differ_and_where() {
    for runtime in RUNTIMES {
        let sim = ["--symbols", "XBTUSDTM,ETHUSDTM", "--faults", "at 0s lie XBTUSDTM 1"];
        let sim = Sim::start(&sim);
        let args = ["XBTUSDTM", "ETHUSDTM", "--url", &sim.url, "--runtime", runtime];
        let (code, text, problem) = verify(&args);
        assert_eq!(code, Some(5), "{text}");
        assert!(problem.contains("1 of 2 books are not the exchange's"), "{problem}");
        let line = text.lines().find(|line| line.starts_with("XBTUSDTM")).unwrap();
        let says = line.strip_prefix("XBTUSDTM differs: the exchange has ").unwrap();
        let numbers: Vec<&str> = says.split([' ', ',']).collect();
        let (exchange, held) = (numbers[0], numbers.last().unwrap());
        assert_eq!(held.parse::<u64>().unwrap(), exchange.parse::<u64>().unwrap() + 1, "{line}");
        assert!(line.contains(" on the bid side, not "), "{line}");
        assert!(text.contains("ETHUSDTM equal at sequence "), "{text}");
        // It was made anew, of a snapshot that is true.
        assert_eq!(verify(&args).0, Some(0));
    }
    let sim = Sim::start(&["--symbols", "XBTUSDTM", "--faults", "at 0s lie * 1"]);
    let output = kcf(&["verify", "XBTUSDTM", "--json", "--url", &sim.url]);
    assert_eq!(output.status.code(), Some(5));
    let line = &lines(&output)[0];
    assert_eq!((&line["verdict"], &line["side"]), (&"differs".into(), &"bid".into()));
    let size = |key: &str| line[key].as_u64().unwrap();
    assert!(size("held") == size("exchange") + 1 && line["price"].is_string(), "{line}");
}

#[test]
fn what_cannot_be_told_is_said_with_why() {
    let (code, text, problem) =
        verify(&["XBTUSDTM", "--url", "http://127.0.0.1:1", "--timeout", "1s"]);
    assert_eq!(code, Some(4));
    assert!(text.starts_with("XBTUSDTM no verdict: not live"), "{text}");
    assert!(problem.contains("no token: connection refused"), "{problem}");

    let sim = Sim::start(&["--symbols", "XBTUSDTM"]);
    let (code, text, _) = verify(&["XBTUSDTM", "NOPEUSDTM", "--url", &sim.url]);
    assert_eq!(code, Some(1), "{text}");
    assert!(
        text.contains("NOPEUSDTM no verdict: rejected: code 200003: Invalid symbol."),
        "{text}"
    );
    assert!(text.contains("XBTUSDTM equal"), "{text}");
    assert_eq!(verify(&["NOPEUSDTM", "--url", &sim.url]).0, Some(2), "nothing is left");
    assert_eq!(verify(&["--url", &sim.url]).0, Some(2), "whose?");

    // No snapshot to make a book of.
    let sim =
        Sim::start(&["--symbols", "XBTUSDTM,ETHUSDTM", "--faults", "at 0s other-snapshot * 1000"]);
    let (code, text, _) = verify(&["XBTUSDTM", "--url", &sim.url, "--timeout", "3s"]);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.starts_with("XBTUSDTM no verdict: not live; none in time"), "{text}");

    let sim = Sim::start(&["--symbols", "XBTUSDTM", "--faults", "at 0ms expire-token 1000"]);
    let (code, text, _) = verify(&["XBTUSDTM", "--url", &sim.url, "--timeout", "2s"]);
    assert_eq!(code, Some(3), "{text}");
}
