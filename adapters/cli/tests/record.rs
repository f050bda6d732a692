//! `kcf record`, `info`, `replay` and `export` against `kcf sim`: real processes, sockets and files.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::disallowed_methods,
    missing_docs,
    reason = "tests"
)]

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use common::{Sim, command, kcf, lines, of_type};
use serde_json::Value;

/// A folder that is removed in the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("kcf-record-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn json(args: &[&str]) -> Vec<Value> {
    let output = kcf(args);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{args:?}: {said}");
    lines(&output)
}

fn number(line: &Value, key: &str) -> u64 {
    line[key].as_u64().unwrap_or_else(|| panic!("{key} in {line}"))
}

#[test]
fn on_threads_what_was_recorded_replays_and_states_its_gaps() {
    recorded_and_replayed("blocking");
}

#[test]
fn on_smol_what_was_recorded_replays_and_states_its_gaps() {
    recorded_and_replayed("smol");
}

fn recorded_and_replayed(runtime: &str) {
    let folder = Folder::new(runtime);
    let data = folder.path("data");
    let sim = Sim::start(&["--rate", "100", "--faults", "at 4s drop XBTUSDTM; at 7s close"]);
    let record = ["record", "XBTUSDTM", "ETHUSDTM", "--url", &sim.url, "--to", &data, "--json"];
    let said = json(&[&record[..], &["--for", "10s", "--runtime", runtime]].concat());
    let recorded = of_type(&said, "recorded")[0];
    assert!(number(recorded, "inputs") > 1000, "{recorded}");
    assert_eq!(number(recorded, "lost"), 0, "{recorded}");
    let states = of_type(&said, "recording");
    assert!((8..=10).contains(&states.len()), "once a second: {}", states.len());

    let replayed = json(&["replay", &data, "--json"]);
    let replayed = replayed.last().unwrap();
    assert_eq!(replayed["type"], "replayed");
    assert_eq!(replayed["equal"], true, "{replayed}");
    assert_eq!(replayed["sha256"], replayed["recorded_sha256"]);
    assert_eq!(number(replayed, "inputs"), number(recorded, "inputs"));

    let info = json(&["info", &data, "--json"]);
    let session = of_type(&info, "session")[0];
    assert_eq!((&session["end"], &session["tear"]), (&"finished".into(), &Value::Null));
    let lost = of_type(&said, "state").iter().filter(|line| line["state"] == "lost").count();
    let gaps = of_type(&info, "gap");
    assert_eq!(gaps.len(), lost, "a drop and a close: {gaps:?}");
    assert!(gaps.len() >= 3, "{gaps:?}");

    for format in ["ndjson", "tardis", "hftbacktest", "parquet"] {
        let to = folder.path(format);
        let said = json(&["export", &data, "--format", format, "--to", &to, "--json"]);
        assert!(number(&said[0], "rows") > 500, "{format}: {}", said[0]);
        assert_eq!(number(&said[0], "gaps"), gaps.len() as u64, "{format}");
        let manifest = fs::read(Path::new(&to).join("manifest.json")).unwrap();
        let manifest: Value = serde_json::from_slice(&manifest).unwrap();
        assert_eq!(manifest["complete"], true, "{format}");
    }
    // A data set is not written over.
    let again = kcf(&["export", &data, "--format", "ndjson", "--to", &folder.path("ndjson")]);
    assert_eq!(again.status.code(), Some(2));
}

#[test]
fn a_recorder_that_is_killed_loses_nothing_that_was_said_to_be_written() {
    let folder = Folder::new("killed");
    let data = folder.path("data");
    let sim = Sim::start(&["--rate", "200"]);
    let args = ["record", "XBTUSDTM", "--url", &sim.url, "--to", &data, "--json"];
    for _ in 0..3 {
        let mut child = command(&args).stdout(Stdio::piped()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(3700));
        child.kill().unwrap();
        let said = lines(&child.wait_with_output().unwrap());
        let written = number(of_type(&said, "recording").last().unwrap(), "written");
        assert!(written > 300, "{written}");
        let info = json(&["info", &data, "--json"]);
        let session = *of_type(&info, "session").last().unwrap();
        assert!(number(session, "inputs") >= written, "{session}: {written} were written");
        assert!(session["tear"].is_string(), "{session}");
    }
    let replayed = json(&["replay", &data, "--json"]);
    assert_eq!(of_type(&replayed, "session").len(), 3);
    let total = replayed.last().unwrap();
    assert_eq!((&total["equal"], number(total, "sessions")), (&true.into(), 3));
}

#[test]
fn a_folder_that_cannot_be_written_to_is_said_at_once() {
    let folder = Folder::new("file");
    let file = folder.path("file");
    fs::write(&file, "not a folder").unwrap();
    let output = kcf(&["record", "XBTUSDTM", "--url", "http://127.0.0.1:9", "--to", &file]);
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("--to"), "{said}");
}

/// A disk of its own, with so many KiB; `None` where it cannot be had.
fn small_disk(at: &str, kib: u32) -> Option<Mount> {
    fs::create_dir_all(at).unwrap();
    let size = format!("size={kib}k");
    let mount =
        Command::new("mount").args(["-t", "tmpfs", "-o", &size, "kcf", at]).output().ok()?;
    mount.status.success().then(|| Mount(at.to_owned()))
}

struct Mount(String);

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).output();
    }
}

#[test]
fn a_full_disk_stops_no_feed_and_loses_nothing_that_was_said_to_be_written() {
    let folder = Folder::new("full");
    let data = folder.path("data");
    let Some(_mount) = small_disk(&data, 2048) else {
        println!("skipped: no small disk can be mounted here");
        return;
    };
    let sim = Sim::start(&["--rate", "400"]);
    // What fills the disk until it is taken away.
    let ballast = Path::new(&data).join("ballast");
    let args = ["record", "XBTUSDTM", "ETHUSDTM", "--url", &sim.url, "--to", &data, "--json"];
    let mut child =
        command(&[&args[..], &["--for", "14s"]].concat()).stdout(Stdio::piped()).spawn().unwrap();
    std::thread::sleep(Duration::from_secs(4));
    let mut size = 2 << 20;
    while fs::write(&ballast, vec![1; size]).is_err() && size > 4096 {
        let _ = fs::remove_file(&ballast);
        size -= 4096;
    }
    // What is left over, too.
    let _ = fs::write(Path::new(&data).join("rest"), vec![1; 64 << 10]);
    std::thread::sleep(Duration::from_secs(4));
    fs::remove_file(&ballast).unwrap();
    let _ = fs::remove_file(Path::new(&data).join("rest"));
    let deadline = Instant::now() + Duration::from_secs(20);
    while child.try_wait().unwrap().is_none() && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(100));
    }
    let said = lines(&child.wait_with_output().unwrap());
    let states = of_type(&said, "recording");
    let full: Vec<_> = states.iter().filter(|state| state["error"].is_string()).collect();
    assert!(full.len() >= 2, "{states:?}");
    assert!(full.iter().all(|state| number(state, "lost") == 0), "it waits in memory");
    let last = states.last().unwrap();
    assert_eq!((&last["error"], number(last, "lost")), (&Value::Null, 0), "{last}");
    let summary = of_type(&said, "summary")[0];
    assert_eq!(number(summary, "not_live_ms"), 0, "{summary}");
    let replayed = json(&["replay", &data, "--json"]);
    let total = replayed.last().unwrap();
    assert_eq!(total["equal"], true, "{total}");
    assert_eq!(number(total, "inputs"), number(of_type(&said, "recorded")[0], "inputs"));
}

#[test]
fn a_disk_that_stays_full_ends_the_session_and_says_what_is_not_in_it() {
    let folder = Folder::new("stays-full");
    let data = folder.path("data");
    let Some(_mount) = small_disk(&data, 128) else {
        println!("skipped: no small disk can be mounted here");
        return;
    };
    let sim = Sim::start(&["--rate", "1000"]);
    let args = ["record", "XBTUSDTM", "ETHUSDTM", "--url", &sim.url, "--to", &data, "--json"];
    let output = kcf(&[&args[..], &["--for", "15s", "--queue", "600KiB"]].concat());
    // It could not be finished.
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    let said = lines(&output);
    let states = of_type(&said, "recording");
    let written = number(states.last().unwrap(), "written");
    assert!(number(of_type(&said, "recorded")[0], "lost") > 0, "{said:?}");
    let replayed = json(&["replay", &data, "--json"]);
    let total = replayed.last().unwrap();
    assert_eq!(total["equal"], true, "{total}");
    assert!(number(total, "inputs") >= written, "{total}: {written}");
}

#[test]
fn a_simulated_run_becomes_a_recording() {
    let folder = Folder::new("soak");
    let data = folder.path("data");
    json(&["record", "--from-soak", "3", "--to", &data, "--json"]);
    let replayed = json(&["replay", &data, "--json"]);
    assert_eq!(replayed.last().unwrap()["equal"], true);
    // What is shown of it are the states that its books went through.
    let shown = json(&["replay", &data, "--show", "--json"]);
    assert!(of_type(&shown, "state").iter().any(|line| line["state"] == "live"));
    assert!(of_type(&shown, "book").len() > 20);
}

#[test]
fn a_spoiled_recording_is_an_integrity_failure() {
    let folder = Folder::new("spoiled");
    let data = folder.path("data");
    json(&["record", "--from-soak", "3", "--to", &data, "--json"]);
    let file = fs::read_dir(&data).unwrap().next().unwrap().unwrap().path();
    let mut bytes = fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&file, bytes).unwrap();
    let output = kcf(&["replay", &data]);
    assert_eq!(output.status.code(), Some(5));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("damaged behind byte"), "{said}");
    // What lies behind the damage is in no gap.
    let set = folder.path("set");
    let output = kcf(&["export", &data, "--format", "ndjson", "--to", &set]);
    let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert_eq!(output.status.code(), Some(5), "{said}");
    assert!(said.contains("damaged behind byte") && !said.contains("no gap"), "{said}");
    let manifest = fs::read(folder.path("set/manifest.json")).unwrap();
    let manifest: Value = serde_json::from_slice(&manifest).unwrap();
    assert!(manifest["torn"][0].as_str().unwrap().contains("damaged behind byte"), "{manifest}");
}
