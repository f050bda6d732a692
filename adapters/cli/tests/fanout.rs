//! `kcf publish` and `kcf consume` over real servers, against `kcf sim`: processes, sockets, kills.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    missing_docs,
    reason = "tests"
)]

mod common;
#[path = "../../fanout/tests/servers/mod.rs"]
mod servers;

use std::process::{Child, Output, Stdio};
use std::thread::JoinHandle;
use std::time::Duration;

use common::{Sim, command, kcf, of_type};
use serde_json::Value;
use servers::EngineServer;

/// A process that is ended when it is dropped.
struct Process(Option<Child>);

/// A consumer that ends by itself. It is read all the time: who does not read stops it.
fn consume(args: &[&str]) -> JoinHandle<Output> {
    let mut command = command(&[&["consume"], args].concat());
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    std::thread::spawn(move || child.wait_with_output().unwrap())
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Some(mut child) = self.0.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn publish(engine: &str, sim: &Sim, more: &[&str]) -> Process {
    let args = [&["publish", "--to", engine, "--url", &sim.url], more].concat();
    let mut command = command(&args);
    // Nobody reads it: it must not wait for that.
    Process(Some(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()))
}

fn on_all(test: impl Fn(&EngineServer, &str)) {
    for name in ["redis", "nats"] {
        match EngineServer::start(name) {
            Some(server) => test(&server, &server.url()),
            None => eprintln!("SKIPPED: no {name}-server in PATH"),
        }
    }
}

fn lines(output: &Output) -> Vec<Value> {
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    common::lines(output)
}

fn wait(seconds: u64) {
    let (_keep, never) = std::sync::mpsc::channel::<()>();
    let _ = never.recv_timeout(Duration::from_secs(seconds));
}

fn states(lines: &[Value], symbol: &str) -> Vec<String> {
    let of_symbol = lines.iter().filter(|line| line["type"] == "state" && line["symbol"] == symbol);
    of_symbol.map(|line| line["state"].as_str().unwrap().to_owned()).collect()
}

fn is_truth(sim: &Sim, digest: &Value) -> bool {
    let text = |key: &str| match &digest[key] {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    };
    let query = ["symbol", "sequence", "bid_horizon", "ask_horizon"]
        .map(|key| format!("{key}={}", text(key)))
        .join("&");
    let mut reply = ureq::get(format!("{}/_sim/digest?{query}", sim.url)).call().unwrap();
    let truth: Value = serde_json::from_str(&reply.body_mut().read_to_string().unwrap()).unwrap();
    let earlier = truth["earlier_runs"].as_array().unwrap();
    truth["sha256"] == digest["sha256"] || earlier.contains(&digest["sha256"])
}

#[test]
fn what_is_consumed_is_the_exchanges_whatever_becomes_of_publishers() {
    on_all(|_, engine| {
        let faults = "at 2s drop *; at 4s drop CHRUSDTM; at 5s close 1001; at 8s step-back CHRUSDTM 7000; at 17s drop *";
        let symbols = ["XBTUSDTM", "CHRUSDTM"];
        let sim =
            Sim::start(&["--symbols", "XBTUSDTM,CHRUSDTM", "--rate", "400", "--faults", faults]);
        let first = publish(engine, &sim, &symbols);
        let common = ["--from", engine, "--json", "--digest-every", "100", "--for", "24s"];
        let consumer = consume(&[&common[..], &symbols].concat());
        wait(7);
        drop(first);
        wait(7);
        let _second = publish(engine, &sim, &[&symbols[..], &["--encoding", "ndjson"]].concat());
        let lines = lines(&consumer.join().unwrap());
        let digests = of_type(&lines, "digest");
        for digest in &digests {
            assert!(is_truth(&sim, digest), "{digest}");
        }
        let summary = of_type(&lines, "summary")[0];
        eprintln!("{engine}: {} digests equal; {summary}", digests.len());
        assert!(digests.len() > 40, "{summary}");
        let silent =
            lines.iter().filter(|line| line["reason"] == "no publisher is heard of").count();
        assert!(silent >= 1, "killed, and nobody noticed");
        let not_live = summary["not_live_ms"].as_u64().unwrap();
        assert!((1000..9000).contains(&not_live), "{summary}");
        for symbol in symbols {
            assert_eq!(states(&lines, symbol).last().unwrap(), "live");
        }
    });
}

#[test]
fn of_two_publishers_one_is_killed_and_no_book_leaves_live() {
    on_all(|_, engine| {
        let sim = Sim::start(&["--symbols", "XBTUSDTM", "--rate", "300"]);
        let first = publish(engine, &sim, &["XBTUSDTM"]);
        let _second = publish(engine, &sim, &["XBTUSDTM"]);
        wait(2);
        let args =
            ["XBTUSDTM", "--from", engine, "--json", "--digest-every", "100", "--for", "20s"];
        let consumer = consume(&args);
        // Both have told their books whole by then.
        wait(12);
        drop(first);
        let lines = lines(&consumer.join().unwrap());
        let summary = of_type(&lines, "summary")[0];
        eprintln!("{engine}: {summary}");
        assert_eq!(states(&lines, "XBTUSDTM"), ["live"], "{summary}");
        assert!(summary["copies"].as_u64().unwrap() > 1000, "both were heard: {summary}");
        assert_eq!(summary["conflicts"], 0);
        let digests = of_type(&lines, "digest");
        assert!(digests.len() > 40 && digests.iter().all(|digest| is_truth(&sim, digest)));
    });
}

#[test]
fn a_groups_symbols_move_from_a_worker_that_is_killed() {
    on_all(|_, engine| {
        // Of 12 one of two workers has none, or all, once in 2048 runs.
        let names = [
            "XBTUSDTM", "ETHUSDTM", "SOLUSDTM", "XRPUSDTM", "CHRUSDTM", "YFIUSDTM", "XBTUSDCM",
            "AAAUSDTM", "BBBUSDTM", "CCCUSDTM", "DDDUSDTM", "EEEUSDTM",
        ];
        let sim = Sim::start(&["--symbols", &names.join(","), "--rate", "50"]);
        let args = [&names[..], &["--group", "books"]].concat();
        let first = publish(engine, &sim, &args);
        let _second = publish(engine, &sim, &args);
        let args = ["--all", "--from", engine, "--json", "--digest-every", "20", "--for", "32s"];
        let consumer = consume(&args);
        wait(16);
        drop(first);
        let lines = lines(&consumer.join().unwrap());
        for symbol in names {
            assert_eq!(states(&lines, symbol).last().map(String::as_str), Some("live"), "{symbol}");
        }
        // Some were the dead one's alone: they were lost for a moment, and the others never.
        let lost = names
            .iter()
            .filter(|symbol| states(&lines, symbol).contains(&"lost".to_owned()))
            .count();
        eprintln!("{engine}: {lost} of {} moved; {}", names.len(), of_type(&lines, "summary")[0]);
        let whys: Vec<&Value> = of_type(&lines, "state").into_iter().collect();
        assert!((1..names.len()).contains(&lost), "{lost} were lost: {whys:?}");
        let digests = of_type(&lines, "digest");
        assert!(digests.len() > 100 && digests.iter().all(|digest| is_truth(&sim, digest)));
    });
}

#[cfg(unix)]
#[test]
fn a_consumer_that_was_stopped_for_a_moment_goes_on() {
    use rustix::process::{Pid, Signal, kill_process};
    on_all(|_, engine| {
        let sim = Sim::start(&["--symbols", "XBTUSDTM", "--rate", "1"]);
        let _publisher = publish(engine, &sim, &["XBTUSDTM"]);
        let args = ["consume", "XBTUSDTM", "--from", engine, "--json", "--for", "9s"];
        let mut command = command(&args);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let pid = Pid::from_raw(child.id().cast_signed()).unwrap();
        wait(5);
        // A call that waits is cut short by that.
        for signal in [Signal::STOP, Signal::CONT, Signal::STOP, Signal::CONT] {
            kill_process(pid, signal).unwrap();
            wait(1);
        }
        let lines = lines(&child.wait_with_output().unwrap());
        assert_eq!(states(&lines, "XBTUSDTM"), ["live"], "{engine}");
    });
}

#[test]
fn engines_that_cannot_be_used_have_exit_codes_and_passwords_are_not_shown() {
    let sim = Sim::start(&["--symbols", "XBTUSDTM"]);
    for (engine, code) in [
        ("redis://me:s3cret@127.0.0.1:1", 4),
        ("nats://me:s3cret@127.0.0.1:1", 4),
        ("rediss://me:s3cret@127.0.0.1:1", 2),
        ("ftp://me:s3cret@127.0.0.1", 2),
    ] {
        let publish = format!("publish XBTUSDTM --url {} --to", sim.url);
        for call in ["consume XBTUSDTM --from", &publish] {
            let mut args: Vec<&str> = call.split(' ').collect();
            args.extend([engine, "--for", "1s"]);
            let output = command(&args).env("RUST_LOG", "debug").output().unwrap();
            let text = [&output.stdout[..], &output.stderr].concat();
            let text = String::from_utf8_lossy(&text);
            assert_eq!(output.status.code(), Some(code), "{call} {engine}: {text}");
            assert!(!text.contains("s3cret"), "{text}");
        }
    }
    assert_eq!(kcf(&["consume", "XBTUSDTM", "--for", "1s"]).status.code(), Some(2));
}
