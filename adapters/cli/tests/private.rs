//! `kcf private` against accounts of a `kcf sim`, and what of their secrets can be seen: nothing.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs, reason = "tests")]

#[path = "common/between.rs"]
mod between;
mod common;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::process::Output;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use between::Between;
use common::{Sim, command, lines, of_type};
use kucoin_futures_host::Options;
use kucoin_futures_proto::auth::{Credentials, KeyVersion};
use serde_json::Value;

const RUNTIMES: [&str; 2] = ["blocking", "smol"];
const KEY: &str = "canary-key+1/=";
const SECRET: &str = "canary secret%2";
const PASSPHRASE: &str = "canary:pass&phrase~3";

fn account(activity: &str) -> Sim {
    let account = format!("{KEY}:{SECRET}:{PASSPHRASE}");
    Sim::start(&[
        "--account",
        &account,
        "--activity",
        activity,
        "--symbols",
        "XBTUSDTM",
        "--rate",
        "100",
    ])
}

/// `kcf private` with these in its environment.
fn private(url: &str, [key, secret, passphrase]: [&str; 3], more: &[&str]) -> Output {
    let mut kcf = command(&[&["private", "--url", url], more].concat());
    for (name, value) in [
        ("KUCOIN_API_KEY", key),
        ("KUCOIN_API_SECRET", secret),
        ("KUCOIN_API_PASSPHRASE", passphrase),
    ] {
        kcf.env_remove(format!("{name}_FILE")).env(name, value);
    }
    kcf.env_remove("KUCOIN_API_KEY_VERSION").env("RUST_LOG", "trace").output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn an_account_is_shown_whole_and_then_as_it_changes() {
    let sim = account("600");
    for runtime in RUNTIMES {
        let more = ["--json", "--for", "8s", "--runtime", runtime];
        let output = private(&sim.url, [KEY, SECRET, PASSPHRASE], &more);
        assert!(output.status.success(), "{}", text(&output.stderr));
        let lines = lines(&output);
        let state = |name: &str| lines.iter().position(|line| line["state"] == name);
        let up = lines.iter().find(|line| line["state"] == "line_up").unwrap();
        assert_eq!(up["line"], "private");
        // That of orders is asked for once more: behind its ack nothing of before is on its way. That is no news.
        let confirmed = lines.iter().filter(|line| line["state"] == "confirmed");
        let all: Vec<_> = confirmed.filter_map(|line| line["topic"].as_str()).collect();
        let topics: BTreeSet<_> = all.iter().collect();
        assert_eq!((topics.len(), all.len()), (6, 6), "{all:?}");
        assert!(state("account_live").is_some(), "{runtime}");
        let whole = of_type(&lines, "account")[0];
        assert_eq!(whole["epoch"], 1);
        let balances = whole["balances"].as_array().unwrap();
        let usdt = balances.iter().find(|balance| balance["currency"] == "USDT").unwrap();
        assert!(usdt["available_balance"].is_string(), "exact: {usdt}");
        let stops = whole["stop_orders"].as_array().unwrap();
        assert!(stops.iter().all(|stop| stop["stop_price"].is_string()), "{stops:?}");
        let orders = of_type(&lines, "order");
        assert!(orders.len() > 5, "ten actions a second: {}", orders.len());
        for order in orders {
            assert!(order["order_id"].is_string() && order["status"].is_string(), "{order}");
            assert!(order["ts_ns"].is_u64() && order["at_ns"].is_u64(), "{order}");
            let sizes = ["size_lots", "filled_size_lots"].map(|key| order[key].as_u64());
            assert!(sizes[0] >= sizes[1], "{order}");
        }
        assert!(!of_type(&lines, "wallet").is_empty() || !of_type(&lines, "balance").is_empty());
    }
    let output = private(&sim.url, [KEY, SECRET, PASSPHRASE], &["--for", "5s", "--only", "orders"]);
    let shown = text(&output.stdout);
    assert!(shown.contains("private line line up") && shown.contains(" order "), "{shown}");
    assert!(!shown.contains("account live"), "orders are not all of it");
}

#[test]
fn a_login_that_is_refused_is_final_and_says_what_to_do() {
    let sim = account("0");
    for (keys, code, advice) in [
        (["nobody", SECRET, PASSPHRASE], 400_003, "the API key is not known"),
        ([KEY, "wrong", PASSPHRASE], 400_004, "the secret is wrong: it signs that, too"),
        ([KEY, SECRET, "wrong"], 400_004, "the passphrase is not the one"),
    ] {
        let output = private(&sim.url, keys, &["--json", "--for", "20s"]);
        let error = text(&output.stderr);
        assert_eq!(output.status.code(), Some(3), "{error}");
        let told = lines(&output);
        let refused = told.iter().find(|line| line["state"] == "login_refused").unwrap();
        assert_eq!((&refused["code"], &refused["line"]), (&code.into(), &"private".into()));
        assert!(refused["advice"].as_str().unwrap().contains(advice), "{refused}");
        let rejected = told.iter().find(|line| line["state"] == "rejected").unwrap();
        assert!(rejected["message"].is_string() && rejected["advice"].is_string(), "{rejected}");
        assert!(error.contains("the login was refused") && error.contains(advice), "{error}");
    }
}

#[test]
fn without_credentials_nobody_is_asked() {
    let output = private("http://127.0.0.1:1", ["", "", ""], &["--json"]);
    assert_eq!(output.status.code(), Some(3));
    assert!(text(&output.stderr).contains("KUCOIN_API_SECRET"), "{}", text(&output.stderr));
    let output = private("http://127.0.0.1:1", [KEY, "", PASSPHRASE], &[]);
    assert_eq!(output.status.code(), Some(3));
    assert!(text(&output.stderr).contains("KUCOIN_API_SECRET is not set"));
}

/// What a secret looks like on its way.
fn disguises(secret: &str) -> Vec<String> {
    let (mut hex, mut percent, mut strict) = (String::new(), String::new(), String::new());
    for byte in secret.bytes() {
        let _ = write!(hex, "{byte:02x}");
        let c = char::from(byte);
        let is_plain = c.is_ascii_alphanumeric() || "-_.~".contains(c);
        let escaped = format!("%{byte:02X}");
        percent.push_str(&if is_plain { c.to_string() } else { escaped.clone() });
        strict.push_str(&escaped);
    }
    let base64 = STANDARD.encode(secret).trim_end_matches('=').to_owned();
    let url = base64.replace('+', "-").replace('/', "_");
    let spaced = hex.as_bytes().chunks(4).map(text).collect::<Vec<_>>().join(" ");
    let debugged = secret.escape_debug().to_string();
    vec![secret.into(), hex.to_uppercase(), hex, percent, strict, base64, url, spaced, debugged]
}

fn holds_none(text: &str, secrets: &[String], place: &str) {
    for secret in secrets {
        assert!(secret.len() > 8, "too short to be looked for: {secret}");
        for disguise in disguises(secret) {
            let at = text.find(&disguise);
            let near = at.map(|at| text[..at].lines().last().unwrap_or_default());
            assert!(at.is_none(), "{place} holds {disguise}: {near:?}");
        }
    }
}

/// The headers that were heard, and the tokens.
fn secrets_in(heard: &str) -> Vec<String> {
    let header = |line: &str| {
        let (name, value) = line.split_once(": ")?;
        let is_secret = ["kc-api-sign", "kc-api-passphrase"].contains(&&*name.to_lowercase());
        is_secret.then(|| value.to_owned())
    };
    let tokens = heard.split(r#""token":""#).skip(1).map(|rest| rest.split('"').next().unwrap());
    heard.lines().filter_map(header).chain(tokens.map(str::to_owned)).collect()
}

#[test]
fn no_secret_is_ever_shown_in_any_disguise() {
    let sim = account("600");
    let mut secrets = [KEY, SECRET, PASSPHRASE].map(str::to_owned).to_vec();
    let mut runs = Vec::new();
    for (runtime, more) in RUNTIMES.into_iter().zip([&["--json"][..], &[]]) {
        let between = Between::start(&sim.url, "nothing");
        let more = [&["--for", "4s", "--runtime", runtime], more].concat();
        runs.push(private(&between.url, [KEY, SECRET, PASSPHRASE], &more));
        let heard = secrets_in(&between.heard());
        assert!(heard.len() > 4, "tokens, signatures and passphrases passed by");
        secrets.extend(heard);
        // The same with a passphrase that is refused.
        let wrong = Between::start(&sim.url, "nothing");
        runs.push(private(&wrong.url, [KEY, SECRET, "another canary"], &more));
        secrets.push("another canary".into());
        secrets.extend(secrets_in(&wrong.heard()));
    }
    for run in &runs {
        let (out, log) = (text(&run.stdout), text(&run.stderr));
        assert!(log.contains("bullet-private"), "the log does speak of it: {log}");
        holds_none(&out, &secrets, "stdout");
        holds_none(&log, &secrets, "stderr");
    }
    // The check can fail.
    let leak =
        std::panic::catch_unwind(|| holds_none(&STANDARD.encode(SECRET), &[SECRET.into()], ""));
    assert!(leak.is_err());

    let [key, secret, passphrase] = [KEY, SECRET, PASSPHRASE].map(str::to_owned);
    let credentials = Credentials::new(key, secret, passphrase, KeyVersion::V3);
    let signed = credentials.sign(1_790_000_000_000, "GET", "/api/v1/positions", "");
    let signature: Vec<String> = signed.iter().map(|(_, value)| value.to_owned()).collect();
    secrets.extend(signature.into_iter().filter(|value| value.len() > 20));
    let mut options = Options::default();
    options.credentials = Some(credentials.clone());
    let shown: Value =
        [format!("{credentials:#?}"), format!("{signed:#?}"), format!("{options:#?}")].into();
    holds_none(&shown.to_string(), &secrets, "Debug");
}
