//! `kcf bench`: small, for its shape and its honesty; what it measures is for idle machines.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs, reason = "tests")]

mod common;

use common::{kcf, lines, of_type};

#[test]
fn every_reader_is_measured_and_every_book_is_the_exchanges() {
    let output = kcf(&["bench", "--frames", "20000", "--symbols", "12", "--rounds", "1", "--json"]);
    // A book that differs is an exit code of 5.
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = lines(&output);
    let readers = of_type(&lines, "reader");
    let names: Vec<&str> = readers.iter().map(|row| row["reader"].as_str().unwrap()).collect();
    assert_eq!(names, ["tungstenite", "blocking", "async-tungstenite", "smol"]);
    for row in readers {
        let number = |key: &str| row[key].as_f64().unwrap();
        assert!(number("cpu_ns_per_message") > 0.0 && number("messages_per_second") > 0.0);
        let bare = row["reader"].as_str().unwrap().contains("tungstenite");
        assert_eq!(row["settings"].is_string(), bare);
        assert!(!bare || number("over_bare") == 1.0);
    }
    let total = of_type(&lines, "bench")[0];
    assert_eq!((&total["messages"], &total["symbols"]), (&20_000.into(), &12.into()));
    assert_eq!(total["books_equal"], true);
}

#[test]
fn a_message_per_write_and_the_last_write_short_end_at_the_same_books() {
    for per_write in ["1", "7"] {
        let call = ["bench", "--frames", "1000", "--rounds", "1", "--per-write", per_write];
        let output = kcf(&call);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains("every book is the exchange's"), "{text}");
    }
}

#[test]
fn calls_that_make_no_sense_are_refused() {
    for call in [["--frames", "0"], ["--per-write", "0"], ["--symbols", "301"], ["--rounds", "x"]] {
        let output = kcf(&[&["bench"][..], &call].concat());
        assert_eq!(output.status.code(), Some(2), "{call:?}");
    }
}
