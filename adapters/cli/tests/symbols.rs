//! Which contracts are meant, and what is said of those that cannot be had: real processes.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs, reason = "tests")]

#[path = "common/between.rs"]
mod between;
mod common;

use std::collections::BTreeSet;

use between::Between;
use common::{Sim, kcf, lines, of_type};
use serde_json::Value;

const LIST: &str = "/api/v1/contracts/active";

#[test]
fn a_coin_alone_is_answered_with_a_question() {
    let sim = Sim::start(&["--symbols", "XBTUSDTM,XBTUSDM,ETHUSDTM"]);
    for command in ["book", "ticker", "candles", "depth"] {
        let output = kcf(&[command, "btc", "--url", &sim.url, "--for", "5s"]);
        assert_eq!(output.status.code(), Some(2));
        let error = String::from_utf8(output.stderr).unwrap();
        let question = "`btc`: did you mean XBTUSDTM (perpetual, USDT) or XBTUSDM (inverse)?";
        assert!(error.contains(question), "{error}");
    }
    let output = kcf(&["stats", "qqqqqq", "--url", &sim.url, "--for", "5s"]);
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains("no contract has a name like this"), "{error}");
}

#[test]
fn what_can_mean_one_contract_only_is_taken_for_it() {
    let sim = Sim::start(&["--symbols", "XBTUSDTM,XBTUSDM", "--rate", "300"]);
    let output = kcf(&["ticker", "btc/usdt", "--bbo", "--url", &sim.url, "--json", "--for", "3s"]);
    let lines = lines(&output);
    let resolved = &of_type(&lines, "resolved")[0];
    assert_eq!((&resolved["typed"], &resolved["symbol"]), (&"btc/usdt".into(), &"XBTUSDTM".into()));
    let tickers = of_type(&lines, "ticker");
    assert!(!tickers.is_empty() && tickers.iter().all(|line| line["symbol"] == "XBTUSDTM"));
}

#[test]
fn the_list_of_contracts_is_asked_for_only_if_need_be() {
    let sim = Sim::start(&["--symbols", "XBTUSDTM", "--rate", "100"]);
    for (typed, asks) in [("XBTUSDTM", false), ("btc-usdt", true)] {
        let between = Between::start(&sim.url, "nothing");
        let output = kcf(&["book", typed, "--url", &between.url, "--for", "3s"]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let heard = between.heard();
        assert!(heard.contains("/api/v1/bullet-public") && heard.contains("level2/snapshot"));
        assert_eq!(heard.contains(LIST), asks, "{typed}");
    }
}

#[test]
fn a_symbol_that_was_refused_gets_a_hint() {
    let sim = Sim::start(&["--symbols", "XBTUSDTM,XBTUSDM", "--rate", "100"]);
    let args = ["book", "BTCUSDTM", "XBTUSDTM", "--url", &sim.url, "--for", "6s"];
    let output = kcf(&[&args[..], &["--json"]].concat());
    assert!(output.status.success());
    let told = lines(&output);
    let hints = of_type(&told, "did_you_mean");
    assert_eq!(hints.len(), 1, "{told:?}");
    assert_eq!(
        (&hints[0]["symbol"], &hints[0]["suggestions"][0]["symbol"]),
        (&"BTCUSDTM".into(), &"XBTUSDTM".into())
    );
    assert!(of_type(&told, "book").iter().all(|line| line["symbol"] == "XBTUSDTM"));

    let output = kcf(&["book", "BTCUSDTM", "--url", &sim.url, "--for", "20s"]);
    assert_eq!(output.status.code(), Some(2), "alone: there is nothing to wait for");
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains("BTCUSDTM: did you mean XBTUSDTM"), "{error}");
}

#[test]
fn all_contracts_are_those_of_the_list_and_parts_are_even() {
    let sim = Sim::start(&["--symbols", "XBTUSDTM,ETHUSDTM,CHRUSDTM", "--rate", "50"]);
    let confirmed = |part: &[&str]| -> BTreeSet<String> {
        let args = ["ticker", "--all", "--url", &sim.url, "--json", "--for", "3s"];
        let lines = lines(&kcf(&[&args[..], part].concat()));
        let confirmed = lines.iter().filter(|line| line["state"] == "confirmed");
        confirmed.map(|line| line["symbol"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(confirmed(&[]).len(), 3);
    let parts = ["1/2", "2/2"].map(|part| confirmed(&["--part", part]));
    assert!(parts[0].is_disjoint(&parts[1]) && parts[0].len() + parts[1].len() == 3, "{parts:?}");
    for wrong in ["0/2", "3/2", "x", "1/0"] {
        let output = kcf(&["ticker", "--all", "--part", wrong, "--url", &sim.url]);
        assert_eq!(output.status.code(), Some(2), "{wrong}");
    }
}

/// 4800 on 16 lines; what one line has no room for goes to another.
#[test]
fn more_topics_than_lines_carry_is_said_with_what_to_do() {
    let names: Vec<String> = (0..4801).map(|n| format!("C{n:04}USDTM")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    // Named one by one: the list of so many is longer than any answer that is taken. Nobody is asked.
    let output = kcf(&[&["stats", "--url", "http://127.0.0.1:1"], &names[..]].concat());
    assert_eq!(output.status.code(), Some(2));
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains("4801 topics") && error.contains("carry 4800"), "{error}");
    assert!(error.contains("--all --part 1/2"), "{error}");
}

/// A frame of a hundred names with one that the exchange refuses, and one that it does not list: the exchange
/// refuses the frame for the one, and confirms the other and is silent.
#[test]
fn two_wrong_ones_of_a_hundred_are_named_and_the_others_are_live() {
    let mut names: Vec<String> = (0..99).map(|n| format!("C{n:02}USDTM")).collect();
    let (refused, unlisted) = ("C57USDTM", "NOPEUSDTM");
    let sim = Sim::start(&["--symbols", &names.join(","), "--rate", "2"]);
    let between = Between::start(&sim.url, refused);
    names.insert(31, unlisted.into());
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let args = ["--url", &between.url, "--json", "--levels", "1", "--for", "20s"];
    let output = kcf(&[&["book"], &names[..], &args[..]].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = lines(&output);
    let of_state = |state: &str| -> BTreeSet<&str> {
        let lines = lines.iter().filter(|line| line["state"] == state);
        lines.map(|line| line["symbol"].as_str().unwrap()).collect()
    };
    assert_eq!(of_state("rejected"), BTreeSet::from([refused, unlisted]));
    assert_eq!(of_state("live").len(), 98);
    assert!(of_state("lost").is_empty(), "nobody else is harmed");
    let code = |symbol: &str| -> &Value {
        let rejected = |line: &&Value| line["state"] == "rejected" && line["symbol"] == symbol;
        &lines.iter().find(rejected).unwrap()["code"]
    };
    assert_eq!((code(refused), code(unlisted)), (&404.into(), &200_003.into()));
    assert_eq!(of_type(&lines, "did_you_mean").len(), 2);
}
