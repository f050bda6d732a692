//! `kcf demo`: what a newcomer runs first.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs, reason = "tests")]

mod common;

use common::{kcf, lines, of_type};

#[test]
fn on_threads_every_fault_is_seen_and_healed_and_every_book_is_equal() {
    all_is_well("blocking");
}

#[test]
fn on_smol_every_fault_is_seen_and_healed_and_every_book_is_equal() {
    all_is_well("smol");
}

fn all_is_well(runtime: &str) {
    let args = ["demo", "--json", "--for", "17s", "--seed", "3", "--runtime", runtime];
    let output = kcf(&args);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = lines(&output);
    let healed = of_type(&lines, "healed");
    assert_eq!(healed.len(), 5);
    assert!(healed.iter().all(|act| act["live_after_ms"].is_u64()), "{healed:?}");
    let verdicts = of_type(&lines, "verdict");
    assert_eq!(verdicts.len(), 3);
    assert!(verdicts.iter().all(|verdict| verdict["equal"] == true), "{verdicts:?}");
}

#[test]
fn output_that_nobody_reads_ends_quietly() {
    use std::process::{Command, Stdio};
    let mut child = Command::new(env!("CARGO_BIN_EXE_kcf"))
        .args(["demo", "--json", "--for", "60s"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let clock = kucoin_futures_host::Clock::new();
    let output = child.wait_with_output().unwrap();
    assert!(clock.now().as_nanos() < 20_000_000_000, "it does not play to an empty house");
    assert!(output.status.success(), "{output:?}");
    assert!(output.stderr.is_empty(), "{output:?}");
}

#[test]
fn too_short_a_demo_is_a_usage_error_that_says_what_to_do() {
    let output = kcf(&["demo", "--for", "1s"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("--for 10s"));
}

#[test]
fn without_a_terminal_the_show_is_lines_without_colour() {
    let output = kcf(&["demo", "--for", "5s"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(!text.contains('\u{1b}'), "no escape sequences: {text}");
    for part in
        ["BROKEN       a delta is lost", "HEALED ", "\nVerdict\n", "equal to the exchange's"]
    {
        assert!(text.contains(part), "{part} is missing:\n{text}");
    }
}

#[test]
fn the_last_screen_can_be_had_as_a_picture() {
    let path = std::env::temp_dir().join(format!("kcf-screen-{}.svg", std::process::id()));
    let output = kcf(&["demo", "--for", "5s", "--json", "--svg", path.to_str().unwrap()]);
    assert!(output.status.success());
    let picture = std::fs::read_to_string(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    assert!(picture.starts_with("<svg ") && picture.trim_end().ends_with("</svg>"));
    assert!(picture.contains("broken 3 of 3, healed 3"), "{picture}");
}
