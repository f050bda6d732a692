//! `kcf replay` vouches for nothing that it has not read.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs, reason = "tests")]

mod common;

use common::{Files, delta, edited, eth_snapshot, kcf};

const BAD: Option<&str> = Some("malformed");

fn eth(sequence: u64) -> String {
    delta("ETHUSDTM", sequence)
}

/// Snapshots of two books at 40.
fn two(name: &str) -> Files {
    let files = Files::new(name);
    files.write_snapshots(&["ADAUSDTM", "ETHUSDTM"].map(eth_snapshot));
    files
}

#[test]
fn a_last_delta_that_cannot_be_read_ends_its_book() {
    let files = two("last");
    let bad = edited(&eth(42), "buy,42", "buy,");
    files.write_frames(&[delta("ADAUSDTM", 41), eth(41), bad]);
    let replayed = files.replay();
    assert_eq!((replayed.code, replayed.ends()), (Some(5), vec![(41, None), (41, BAD)]));
    assert!(replayed.complaint.contains("ETHUSDTM ended at 41: line 3 cannot be read: `size`"));
    let (book, total) = (&replayed.books[1], &replayed.total);
    for of in [book, total] {
        assert_eq!((&of["malformed"], &of["first_malformed"]["line"]), (&1.into(), &3.into()));
        assert!(of["first_malformed"]["reason"].as_str().unwrap().contains("`size`"), "{of}");
    }
    assert_eq!((&total["ended"], &total["books"]), (&1.into(), &2.into()));
}

#[test]
fn people_are_told_the_same() {
    let files = two("words");
    files.write_frames(&[eth(41), edited(&eth(42), "buy,42", "buy,4.2")]);
    let output = kcf(&["replay", &files.snapshot(), &files.frames()]);
    assert_eq!(output.status.code(), Some(5));
    let text = String::from_utf8(output.stdout).unwrap();
    let verdict = "ended with a frame that cannot be read, unbroken to 41: 2 frames, 1 applied, 0 \
                   repeats, 1 malformed";
    let why = "line 2 cannot be read: `size` is not whole: {\"topic\":\"/contract";
    for words in [verdict, why, "1 of 2 books ended; 2 frames, 1 malformed"] {
        assert!(text.contains(words), "{words:?} in {text}");
    }
}

#[test]
fn a_last_line_that_is_cut_off_ends_the_book_that_it_names() {
    let files = two("cut");
    let cut = &eth(42)[..100];
    let replayed = files.replay_bytes([&delta("ADAUSDTM", 41), &eth(41), cut].join("\n"));
    assert_eq!((replayed.code, replayed.ends()), (Some(5), vec![(41, None), (41, BAD)]));
    assert!(replayed.complaint.contains("cut off after byte 100"), "{}", replayed.complaint);
}

#[test]
fn a_line_that_does_not_say_whose_it_is_ends_every_book() {
    let torn = eth(42).replace(r#","type"#, &delta("ADAUSDTM", 42));
    let no_topic = edited(&eth(42), r#""topic":"/contractMarket/level2:ETHUSDTM","#, "");
    let no_symbol = edited(&eth(42), "ETHUSDTM", "ETH USDTM").replace("change", "chnge");
    let deep = "[".repeat(5_000);
    let lines = [&eth(42)[..36], &torn, &no_topic, &no_symbol, "<html>", "1790000000", &deep];
    for line in lines {
        let files = two("nobody");
        let replayed = files.replay_bytes([&eth(41), line, &eth(42)].join("\n"));
        assert_eq!(
            (replayed.code, replayed.ends()),
            (Some(5), vec![(40, BAD), (41, BAD)]),
            "{line}"
        );
        let complaint = &replayed.complaint;
        assert!(complaint.contains("2 of 2 books ended, as it is not said whose this is: line 2"));
        assert!(complaint.len() < 400, "{complaint}");
    }
}

/// One level is looked into. What lies deeper is not read, and not taken for something else.
#[test]
fn a_delta_too_deep_in_an_object_ends_its_book() {
    let files = two("nested");
    let nested = format!(r#"{{"ts":1,"batch":{{"frames":[{}]}}}}"#, eth(42));
    let replayed = files.replay_bytes([&eth(41), &nested, &eth(42)].map(String::as_str).join("\n"));
    assert_eq!((replayed.code, replayed.ends()), (Some(5), vec![(40, None), (41, BAD)]));
    assert!(replayed.complaint.contains("a delta in a form that is not known"));
}

/// What comes for the second time may be read, and the sequence goes on; the live client has given the
/// book up by then.
#[test]
fn a_delta_that_comes_again_does_not_mend_its_book() {
    let files = two("again");
    files.write_frames(&[eth(41), edited(&eth(42), "buy,42", "buy,x"), eth(42), eth(43)]);
    let replayed = files.replay();
    assert_eq!((replayed.code, replayed.ends()), (Some(5), vec![(40, None), (41, BAD)]));
    assert_eq!((&replayed.books[1]["frames"], &replayed.books[1]["gaps"]), (&4.into(), &0.into()));
}

#[test]
fn a_line_of_another_channel_ends_no_book() {
    let files = two("ticker");
    let cut = r#"{"topic":"/contractMarket/tickerV2:ETHUSDTM","type":"mess"#;
    let replayed = files.replay_bytes([&eth(41), cut].join("\n"));
    assert_eq!((replayed.code, replayed.ends()), (Some(0), vec![(40, None), (41, None)]));
    assert_eq!(replayed.total["first_malformed"]["line"], 2);
}

#[test]
fn what_is_shown_of_a_line_moves_no_terminal() {
    let files = two("escapes");
    let replayed = files.replay_bytes("\u{1b}[2J\u{7}\u{202e}junk");
    assert_eq!(replayed.total["first_malformed"]["text"], r"\u{1b}[2J\u{7}\u{202e}junk");
    assert!(!replayed.complaint.contains('\u{7}') && replayed.complaint.contains("line 1"));
}
