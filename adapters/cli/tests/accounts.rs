//! Accounts of `kcf sim`: real processes, real HTTP.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs, reason = "tests")]

mod common;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use common::{Sim, kcf};
use kucoin_futures_proto::auth::{Credentials, KeyVersion};
use serde_json::Value;

/// A GET of somebody with this key, at the exchange's time.
fn get(sim: &Sim, [key, secret, passphrase]: [&str; 3], path: &str) -> Value {
    let ms = ask(sim, "GET /api/v1/timestamp HTTP/1.1\r\n")["data"].as_u64().unwrap();
    let [key, secret, passphrase] = [key, secret, passphrase].map(str::to_owned);
    let signed =
        Credentials::new(key, secret, passphrase, KeyVersion::V3).sign(ms, "GET", path, "");
    let headers: String =
        signed.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    ask(sim, &format!("GET {path} HTTP/1.1\r\n{headers}"))
}

fn ask(sim: &Sim, head: &str) -> Value {
    let address = sim.url.strip_prefix("http://").unwrap().trim_end_matches('/');
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    write!(stream, "{head}Host: {address}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    serde_json::from_str(answer.split("\r\n\r\n").nth(1).unwrap()).unwrap()
}

#[test]
fn accounts_that_are_named_may_sign_and_trade_by_themselves() {
    let one = ["one", "secret-1", "pass:with:colons"];
    let two = ["two", "secret-2", "pass"];
    let [first, second] = [one, two].map(|parts| parts.join(":"));
    let args = ["--account", &first, "--account", &second, "--activity", "6000"];
    let sim = Sim::start(&[&args[..], &["--symbols", "XBTUSDTM", "--rate", "50"]].concat());
    for keys in [one, two] {
        let overview = get(&sim, keys, "/api/v1/account-overview?currency=USDT");
        assert_eq!(overview["code"], "200000", "{overview}");
    }
    assert_eq!(get(&sim, ["one", "secret-2", "pass"], "/api/v1/positions")["code"], "400004");
    let usual = ["sim-key", "sim-secret", "sim-passphrase"];
    assert_eq!(
        get(&sim, usual, "/api/v1/positions")["code"],
        "400003",
        "only those that are named"
    );
    let (_keep, never) = std::sync::mpsc::channel::<()>();
    let done = (0..100).any(|_| {
        let _ = never.recv_timeout(Duration::from_millis(100));
        let orders = get(&sim, two, "/api/v1/orders?status=done");
        orders["data"]["totalNum"].as_u64() > Some(3)
    });
    assert!(done, "a hundred actions a second");
}

#[test]
fn a_secret_that_cannot_be_read_is_not_repeated() {
    for (texts, problem) in [
        (&["hush-hush"][..], "KEY:SECRET:PASSPHRASE"),
        (&["key:hush-hush"], "KEY:SECRET:PASSPHRASE"),
        (&["key:hush-hush:"], "KEY:SECRET:PASSPHRASE"),
        (&["key:hush-hush:a", "key:hush-hush:b"], "the same key"),
    ] {
        let args: Vec<&str> = texts.iter().flat_map(|text| ["--account", *text]).collect();
        let output = kcf(&[&["sim"], &args[..]].concat());
        let shown = [output.stdout, output.stderr].map(|b| String::from_utf8(b).unwrap()).concat();
        assert_eq!(output.status.code(), Some(2), "{shown}");
        assert!(shown.contains(problem) && !shown.contains("hush"), "{shown}");
    }
}
