//! `kcf soak`: virtual worlds, and what is said of them.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs, reason = "tests")]

mod common;

use std::path::PathBuf;

use common::{kcf, lines};
use serde_json::Value;

/// A file that is gone when the test is over.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str, text: &str) -> Self {
        let path = std::env::temp_dir().join(format!("kcf-{}-{name}", std::process::id()));
        std::fs::write(&path, text).unwrap();
        Self(path)
    }

    fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// No line comes back within a millisecond.
const HOPELESS: &str = "seed 3\nspan_ms 4000\nclients 2\nsymbols 2\ndepth 20\nrate_per_ks 5000\n\
    latency_us 5000\nsnapshot_levels 1000\nstale_by 5\nping_interval_ms 2000\n\
    ping_timeout_ms 1500\nlifetime_ms 86400000\nmax_pending 100\nmax_queued 65536\n\
    backoff_cap_ms 1000\nsymbols_per_frame 100\nliveness_ms 1\nat 1s drop *\nat 3990ms close 1001\n";

/// The one object that is printed.
fn one(args: &[&str], code: i32) -> Value {
    let output = kcf(args);
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{told}");
    let lines = lines(&output);
    assert_eq!(lines.len(), 1);
    lines[0].clone()
}

#[test]
fn a_few_seeds_are_one_object_that_says_what_was_done() {
    let told = one(&["soak", "--seeds", "3", "--json"], 0);
    let mut keys: Vec<&str> = told.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    let known = "books broken deltas events evidence failures faults kinds live_seconds messages profile recovery_ms \
        runs seconds trace type virtual_seconds wanted_seconds";
    assert_eq!(keys, known.split(' ').collect::<Vec<_>>());
    assert_eq!((&told["type"], &told["profile"]), (&"soak".into(), &"swarm".into()));
    assert_eq!((&told["runs"], &told["broken"]), (&3.into(), &0.into()));
    assert_eq!(told["failures"], Value::Array(vec![]));
    for count in ["events", "faults", "deltas", "books"] {
        assert!(told[count].as_u64().unwrap() > 0, "{count}: {told}");
    }
    assert!(told["virtual_seconds"].as_u64().unwrap() >= 60, "three runs of 20 s and more");
    let [wanted, live] = ["wanted_seconds", "live_seconds"].map(|key| told[key].as_f64().unwrap());
    assert!(0.0 < live && live < wanted, "{live} of {wanted}");
    let evidence = told["evidence"].as_object().unwrap();
    assert!(evidence.contains_key("BelowHighWater") && evidence.values().all(Value::is_u64));
    let kinds = told["kinds"].as_object().unwrap();
    assert!(!kinds.is_empty());
    assert!(kinds.values().all(|kind| kind["struck"].is_u64() && kind["seen"].is_u64()));
}

#[test]
fn a_knob_is_set_in_every_run() {
    // No fault of a chain changes a book.
    let chain = ["soak", "--profile", "chain", "--seeds", "3", "--json"];
    assert!(one(&chain, 0)["deltas"].as_u64() > Some(0));
    let still = [&chain[..], &["--knob", "rate_per_ks=0"]].concat();
    assert_eq!(one(&still, 0)["deltas"], 0, "a still market");
    let output = kcf(&["soak", "--seeds", "1", "--knob", "nothing=1"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("nothing 1"));
}

#[test]
fn the_order_in_which_runs_end_changes_nothing() {
    let [one, two] = ["1", "2"]
        .map(|jobs| one(&["soak", "--seeds", "4", "--seed", "20", "--jobs", jobs, "--json"], 0));
    for key in ["trace", "events", "deltas", "kinds"] {
        assert_eq!(one[key], two[key], "{key}");
    }
}

#[test]
fn a_run_can_be_had_again_up_to_a_step() {
    let run = |seed, steps| one(&["soak", "--seed", seed, "--steps", steps, "--json"], 0);
    let (first, again) = (run("17", "100"), run("17", "100"));
    assert_eq!(first["trace"], again["trace"]);
    assert_eq!(first["events"], again["events"]);
    assert_ne!(first["trace"], run("17", "200")["trace"]);
    assert_ne!(first["trace"], run("18", "100")["trace"]);
}

#[test]
fn a_broken_promise_is_told_with_a_line_that_shows_it_again() {
    let file = Scratch::new("hopeless", HOPELESS);
    let output = kcf(&["soak", "--scenario", file.path()]);
    assert_eq!(output.status.code(), Some(5));
    let (text, told) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(told.contains("1 of 1 runs broke a promise"), "{told}");
    assert!(text.contains("not well 1ms after the faults"), "{text}");
    assert!(!text.contains("no promise was broken"), "{text}");

    let line = text.lines().find_map(|line| line.trim().strip_prefix("to see it again: kcf "));
    let again: Vec<&str> = line.unwrap().split(' ').collect();
    assert_eq!(again[..3], ["soak", "--scenario", file.path()]);
    assert_eq!(again[3], "--steps");
    assert_eq!(kcf(&again).status.code(), Some(5), "{again:?}");

    // What is printed below it is a scenario, a smaller one, and fails as well.
    let smallest: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("    ")).collect();
    assert!(smallest.contains(&"at 3990ms close 1001"), "{text}");
    assert!(!smallest.iter().any(|line| line.contains("drop")), "{text}");
    let smallest = Scratch::new("smallest", &smallest.join("\n"));
    let told = one(&["soak", "--scenario", smallest.path(), "--no-shrink", "--json"], 5);
    assert_eq!(told["broken"], 1);
    assert_eq!(told["failures"][0]["scenario"], Value::Null);
    let repro = told["failures"][0]["repro"].as_str().unwrap();
    assert!(repro.starts_with("kcf soak --scenario "), "{repro}");
}

#[test]
fn a_scenario_that_is_none_is_a_usage_error_that_names_the_line() {
    let file = Scratch::new("bad", "seed 1\nspeed 9\n");
    let output = kcf(&["soak", "--scenario", file.path()]);
    assert_eq!(output.status.code(), Some(2));
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(told.contains("`speed 9` is neither") && told.contains("span_ms"), "{told}");

    let output = kcf(&["soak", "--scenario", "/nowhere/at/all"]);
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn a_crowd_is_one_object_with_a_row_for_each_schedule() {
    let told = one(&["soak", "--crowd", "200", "--seed", "5", "--json"], 0);
    assert_eq!((&told["type"], &told["clients"]), (&"crowd".into(), &200.into()));
    assert_eq!((&told["per_second"], &told["seed"]), (&50.into(), &5.into()));
    let rows = told["schedules"].as_array().unwrap();
    let names: Vec<&str> = rows.iter().map(|row| row["schedule"].as_str().unwrap()).collect();
    let known = "core fixed immediate exponential exponential-10 full-jitter";
    assert_eq!(names, known.split(' ').collect::<Vec<_>>());
    for row in rows {
        let count = |key: &str| row[key].as_u64().unwrap();
        assert_eq!(count("attempts") - count("refused"), 200, "{row}");
        assert!(count("median_ms") <= count("all_live_ms") && count("all_live_ms") > 3000, "{row}");
    }
    assert_eq!(rows[0]["over_limit"], 0);
    assert_eq!(one(&["soak", "--crowd", "200", "--seed", "5", "--json"], 0), told);
    assert_ne!(one(&["soak", "--crowd", "200", "--seed", "6", "--json"], 0), told);
}

#[test]
fn a_crowd_is_a_table_for_people_and_takes_no_profile() {
    let output = kcf(&["soak", "--crowd", "60"]);
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(text.lines().count(), 2 + 6, "{text}");
    assert!(text.contains("this core") && text.contains("full jitter"), "{text}");
    for wrong in [&["--crowd", "0"][..], &["--crowd", "9", "--profile", "storm"]] {
        assert_eq!(kcf(&[&["soak"], wrong].concat()).status.code(), Some(2), "{wrong:?}");
    }
}
