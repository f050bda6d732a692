//! `kcf ticker` and `kcf trades` against `kcf sim`, TLS, completions, the version: real processes.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs, reason = "tests")]

mod common;

use std::path::PathBuf;

use common::{Sim, command, kcf, lines, of_type};
use serde_json::Value;

const RUNTIMES: [&str; 2] = ["blocking", "smol"];

#[test]
fn trades_come_once_and_a_reconnect_says_that_some_may_be_missing() {
    let sim =
        Sim::start(&["--rate", "300", "--symbols", "XBTUSDTM", "--faults", "at 2s close 1001"]);
    for runtime in RUNTIMES {
        let args = ["trades", "XBTUSDTM", "--url", &sim.url, "--json", "--for", "4s"];
        let output = kcf(&[&args[..], &["--runtime", runtime]].concat());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let lines = lines(&output);
        let trades = of_type(&lines, "trade");
        let sequences: Vec<u64> =
            trades.iter().map(|trade| trade["sequence"].as_u64().unwrap()).collect();
        assert!(sequences.len() > 20 && sequences.is_sorted_by(|a, b| a < b), "{sequences:?}");
        let trade = trades[0];
        assert_eq!(trade["symbol"], "XBTUSDTM");
        assert!(["buy", "sell"].contains(&trade["taker_side"].as_str().unwrap()));
        assert!(trade["price"].is_string() && trade["size"].as_u64() > Some(0));
        assert!(trade["ts_ns"].as_u64() > Some(1_700_000_000_000_000_000));
        assert_eq!(of_type(&lines, "summary").len(), 1);
        let went_down = lines.iter().any(|line| line["state"] == "line_down");
        let missed = lines.iter().any(|line| line["state"] == "may_have_missed");
        assert_eq!(went_down, missed, "{runtime}");
        assert_eq!(went_down, runtime == RUNTIMES[0], "the fault comes once");
    }
}

/// The program goes on, and says why nothing comes for a while.
#[test]
fn a_topic_that_is_refused_after_a_reconnect_is_said_and_comes_back() {
    let faults = "at 2s refuse-request 404 2; at 2s close 1001";
    for (command, runtime) in ["book", "trades"].into_iter().zip(RUNTIMES) {
        let sim = Sim::start(&["--rate", "300", "--symbols", "XBTUSDTM", "--faults", faults]);
        let args = [command, "XBTUSDTM", "--url", &sim.url, "--for", "10s", "--runtime", runtime];
        let output = kcf(&[&args[..], &["--json"]].concat());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let lines = lines(&output);
        let at = |state: &str| lines.iter().rposition(|line| line["state"] == state);
        let refused: Vec<&Value> = lines.iter().filter(|l| l["state"] == "refused").collect();
        assert_eq!(refused.len(), 2, "{command}");
        for line in refused {
            let reason = line["reason"].as_str().unwrap();
            assert!(reason.starts_with("code 404; asked again in "), "{reason}");
            assert_eq!(line["symbol"], "XBTUSDTM");
        }
        assert!(at("confirmed") > at("refused"), "{command}");
        let data = if command == "book" { "book" } else { "trade" };
        let last = lines.iter().rposition(|line| line["type"] == data);
        assert!(last > at("confirmed") && at("rejected").is_none(), "{command}");
    }
    let sim = Sim::start(&["--rate", "300", "--symbols", "XBTUSDTM", "--faults", faults]);
    let output = kcf(&["ticker", "XBTUSDTM", "--url", &sim.url, "--for", "5s"]);
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("refused: code 404; asked again in "), "{text}");
    assert!(output.status.success());
}

#[test]
fn a_ticker_is_a_trade_and_the_touch_or_the_touch_alone() {
    let sim = Sim::start(&["--rate", "300", "--symbols", "XBTUSDTM"]);
    for runtime in RUNTIMES {
        let args = ["ticker", "XBTUSDTM", "--url", &sim.url, "--json", "--for", "2s"];
        let args = [&args[..], &["--runtime", runtime]].concat();
        let whole = lines(&kcf(&args));
        let ticker = of_type(&whole, "ticker")[0];
        assert!(ticker["taker_side"].is_string() && ticker["bid"][0].is_string(), "{ticker}");
        let touch = lines(&kcf(&[&args[..], &["--bbo"]].concat()));
        let ticker = of_type(&touch, "ticker")[0];
        assert!(ticker["taker_side"].is_null() && ticker["ask"][1].is_u64(), "{ticker}");
    }
}

#[test]
fn what_the_environment_says_of_proxies_is_ignored() {
    let sim = Sim::start(&["--rate", "300", "--symbols", "XBTUSDTM"]);
    for runtime in RUNTIMES {
        let args = ["ticker", "XBTUSDTM", "--url", &sim.url, "--json", "--for", "2s"];
        let mut kcf = command(&[&args[..], &["--runtime", runtime]].concat());
        for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
            // Nobody listens there.
            kcf.env(name, "http://127.0.0.1:1").env(name.to_lowercase(), "http://127.0.0.1:1");
        }
        let whole = lines(&kcf.output().unwrap());
        assert!(!of_type(&whole, "ticker").is_empty(), "{runtime}: {whole:?}");
    }
}

#[test]
fn what_people_read_has_a_line_for_each_trade() {
    let sim = Sim::start(&["--rate", "300", "--symbols", "XBTUSDTM"]);
    for command in [&["trades"][..], &["ticker"], &["ticker", "--bbo"]] {
        let output = kcf(&[command, &["XBTUSDTM", "--url", &sim.url, "--for", "2s"]].concat());
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(text.contains("line         line up") && text.contains("confirmed"), "{text}");
        assert!(text.lines().filter(|line| line.contains(" x ")).count() > 10, "{text}");
        assert!(!text.contains('\u{1b}'));
    }
}

#[test]
fn a_private_root_is_believed_where_it_is_named_and_nowhere_else() {
    let file = File(std::env::temp_dir().join(format!("kcf-ca-{}.pem", std::process::id())));
    let sim = Sim::start(&["--tls", file.path(), "--rate", "100", "--symbols", "XBTUSDTM"]);
    assert!(sim.url.starts_with("https://"));
    for runtime in RUNTIMES {
        let book = ["book", "XBTUSDTM", "--url", &sim.url, "--json", "--for", "2s"];
        let args = [&book[..], &["--runtime", runtime]].concat();
        let output = kcf(&[&args[..], &["--ca", file.path()]].concat());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert!(of_type(&lines(&output), "book").len() > 50);
        let output = kcf(&args);
        assert_eq!(output.status.code(), Some(4), "nobody knows this authority");
        let refused = |line: &Value| line["state"] == "no_token" && line["reason"] == "TLS failed";
        assert!(lines(&output).iter().any(refused));
    }
    let bad = kcf(&["book", "XBTUSDTM", "--ca", "/nonexistent"]);
    assert_eq!(bad.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&bad.stderr).contains("--ca /nonexistent"));
    std::fs::write(file.path(), "no certificate").unwrap();
    assert_eq!(kcf(&["book", "XBTUSDTM", "--ca", file.path()]).status.code(), Some(2));
}

#[test]
fn completions_know_the_commands() {
    for (shell, part) in [("bash", "_kcf()"), ("zsh", "#compdef kcf"), ("fish", "complete -c kcf")]
    {
        let output = kcf(&["completions", shell]);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(
            output.status.success() && text.contains(part) && text.contains("trades"),
            "{shell}"
        );
    }
    assert_eq!(kcf(&["completions", "tcsh"]).status.code(), Some(2));
}

#[test]
fn a_log_filter_that_is_none_is_said() {
    let args = ["book", "XBTUSDTM", "--url", "http://127.0.0.1:1", "--for", "10ms"];
    let output = command(&args).env("RUST_LOG", "kcf=loud").output().unwrap();
    assert!(String::from_utf8_lossy(&output.stderr).contains("RUST_LOG: use error, warn"));
}

#[test]
fn a_fault_for_a_contract_that_is_not_listed_is_a_usage_error() {
    let output = kcf(&["sim", "--symbols", "XBTUSDTM", "--faults", "at 1s drop NOPEUSDTM"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("NOPEUSDTM is not listed here"));
}

#[test]
fn the_version_says_what_is_compiled_in() {
    let text = String::from_utf8_lossy(&kcf(&["--version"]).stdout).into_owned();
    for part in [env!("CARGO_PKG_VERSION"), "blocking", "smol", "rustls", "execution"] {
        assert!(text.contains(part), "{part} is missing:\n{text}");
    }
    let short = String::from_utf8_lossy(&kcf(&["-V"]).stdout).into_owned();
    assert_eq!(short.trim(), format!("kcf {}", env!("CARGO_PKG_VERSION")));
}

#[test]
fn the_manual_has_examples_for_every_command() {
    let manual = String::from_utf8_lossy(&kcf(&["--help"]).stdout).into_owned();
    assert!(manual.contains("Environment:") && manual.contains("Exit codes:"), "{manual}");
    for command in ["demo", "book", "ticker", "trades", "sim", "replay", "completions"] {
        let help = String::from_utf8_lossy(&kcf(&[command, "--help"]).stdout).into_owned();
        assert!(help.contains("Example") && help.contains(&format!("kcf {command}")), "{help}");
    }
}

#[test]
fn tokens_live_as_long_as_the_command_line_says_and_one_connection_may_end() {
    for (args, least) in [
        (&["--token-life", "1s"][..], 2),
        (&["--faults", "every 1s close-one"], 2),
        (&["--token-life", "1h"], 0),
    ] {
        let sim = Sim::start(&[&["--symbols", "XBTUSDTM"], args].concat());
        let output = kcf(&["ticker", "XBTUSDTM", "--url", &sim.url, "--json", "--for", "6s"]);
        let lines = lines(&output);
        let summary = of_type(&lines, "summary")[0];
        let reconnects = summary["reconnects"].as_u64().unwrap();
        assert!(reconnects >= least && (least > 0 || reconnects == 0), "{args:?}: {summary}");
    }
    for nonsense in ["999us", "0s", "soon"] {
        let output = kcf(&["sim", "--token-life", nonsense]);
        assert_eq!(output.status.code(), Some(2), "{nonsense}");
    }
}

/// Removed in the end.
struct File(PathBuf);

impl File {
    fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}
