//! `kcf doctor` names what is broken, says what to do, and ends with the code of it: real processes.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "tests"
)]

mod common;

use std::net::TcpListener;

use common::{Sim, command, lines, of_type};
use serde_json::Value;

struct Told {
    code: Option<i32>,
    checks: Vec<Value>,
    verdict: Value,
}

impl Told {
    fn check(&self, name: &str) -> &Value {
        let mut found = self.checks.iter().filter(|check| check["check"] == name);
        let check = found.next().unwrap_or_else(|| panic!("no {name} in {:?}", self.checks));
        assert!(found.next().is_none(), "{name} twice");
        check
    }

    /// The first check that is bad, and what it says.
    fn first_bad(&self) -> Option<(&str, &str, &str)> {
        let bad = self.checks.iter().find(|check| check["verdict"] == "bad")?;
        let text = |key: &str| bad[key].as_str().unwrap();
        Some((text("check"), text("text"), text("advice")))
    }
}

fn doctor(args: &[&str], keys: &[(&str, &str)]) -> Told {
    let mut command = command(&[&["doctor", "--json", "--timeout", "6s"], args].concat());
    for name in ["KEY", "SECRET", "PASSPHRASE", "KEY_VERSION"] {
        command.env_remove(format!("KUCOIN_API_{name}"));
    }
    let output = command.envs(keys.iter().copied()).output().unwrap();
    let lines = lines(&output);
    let verdict = of_type(&lines, "verdict");
    assert_eq!(verdict.len(), 1, "{lines:?}");
    Told {
        code: output.status.code(),
        checks: of_type(&lines, "check").into_iter().cloned().collect(),
        verdict: verdict[0].clone(),
    }
}

#[test]
fn all_is_well_on_either_runtime() {
    let sim = Sim::start(&["--rate", "100", "--symbols", "XBTUSDTM"]);
    for runtime in ["blocking", "smol"] {
        let told = doctor(&["--url", &sim.url, "--runtime", runtime], &[]);
        assert_eq!(
            (told.code, &told.verdict["verdict"]),
            (Some(0), &"well".into()),
            "{:?}",
            told.checks
        );
        assert_eq!(told.checks.len(), 16);
        for check in [
            "dns",
            "tcp",
            "rest",
            "clock",
            "token",
            "socket",
            "welcome",
            "subscription",
            "book",
            "change",
        ] {
            assert_eq!(told.check(check)["verdict"], "ok", "{check}");
        }
        assert_eq!(told.check("account")["verdict"], "skipped");
    }
}

#[test]
fn a_certificate_is_read_and_one_of_a_stranger_is_not_believed() {
    let ca = std::env::temp_dir().join(format!("kcf-doctor-{}.pem", std::process::id()));
    let sim =
        Sim::start(&["--rate", "100", "--symbols", "XBTUSDTM", "--tls", ca.to_str().unwrap()]);
    let told = doctor(&["--url", &sim.url, "--ca", ca.to_str().unwrap()], &[]);
    assert_eq!(told.code, Some(0), "{:?}", told.checks);
    let text = told.check("tls")["text"].as_str().unwrap().to_owned();
    assert!(text.contains("TLSv1_3") && text.contains(" days"), "{text}");

    let told = doctor(&["--url", &sim.url], &[]);
    let (check, _, advice) = told.first_bad().unwrap();
    assert_eq!((told.code, check), (Some(4), "tls"));
    assert!(advice.contains("--ca"), "{advice}");
    assert_eq!(told.check("book")["verdict"], "skipped");

    // TLS to a server that has none.
    let plain = Sim::start(&["--symbols", "XBTUSDTM"]);
    let url = plain.url.replace("http://", "https://");
    let told = doctor(&["--url", &url], &[]);
    assert_eq!((told.code, told.first_bad().unwrap().0), (Some(4), "tls"));
    let _ = std::fs::remove_file(ca);
}

#[test]
fn each_fault_is_named_where_it_is_and_the_exit_code_is_its_class() {
    let closed = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    };
    let told = doctor(&["--url", &closed], &[]);
    assert_eq!((told.code, told.first_bad().unwrap().0), (Some(4), "tcp"));
    let told = doctor(&["--url", "http://no-such-host.invalid"], &[]);
    assert_eq!((told.code, told.first_bad().unwrap().0), (Some(4), "dns"));

    let table = [
        ("http-5xx 900", "rest", "HTTP 50"),
        ("http-html 900", "rest", ""),
        ("only-bad-servers 900", "token", ""),
        ("refuse 60s", "socket", "line down"),
        ("no-welcome 900", "welcome", ""),
        ("no-ack 900", "subscription", ""),
        ("stale-snapshot XBTUSDTM 900", "book", ""),
    ];
    // Each waits for as long as it is told to.
    std::thread::scope(|scope| {
        for (fault, check, words) in table {
            scope.spawn(move || {
                let fault = format!("at 0s {fault}");
                let sim =
                    Sim::start(&["--rate", "100", "--symbols", "XBTUSDTM", "--faults", &fault]);
                let told = doctor(&["--url", &sim.url], &[]);
                let bad = told.first_bad();
                let (bad, text, advice) =
                    bad.unwrap_or_else(|| panic!("{fault}: {:?}", told.checks));
                assert_eq!((told.code, bad), (Some(4), check), "{fault}: {text}");
                assert!(text.contains(words) && advice.len() > 10, "{fault}: {text} ({advice})");
                assert_eq!(told.verdict["check"], check);
            });
        }
    });
}

#[test]
fn a_wrong_contract_and_wrong_keys_have_classes_of_their_own() {
    let sim = Sim::start(&["--rate", "100", "--symbols", "XBTUSDTM"]);
    let told = doctor(&["NOSUCHUSDTM", "--url", &sim.url], &[]);
    let (check, _, advice) = told.first_bad().unwrap();
    assert_eq!((told.code, check), (Some(2), "book"));
    assert!(advice.contains("no such contract"), "{advice}");

    let right = ["sim-key", "sim-secret", "sim-passphrase"];
    let names = ["KUCOIN_API_KEY", "KUCOIN_API_SECRET", "KUCOIN_API_PASSPHRASE"];
    let keys: Vec<_> = names.into_iter().zip(right).collect();
    let told = doctor(&["--url", &sim.url], &keys);
    assert_eq!(told.code, Some(0), "{:?}", told.checks);
    assert_eq!(told.check("account")["verdict"], "ok");

    for (wrong, code) in [(0, "400003"), (1, "40000"), (2, "400004")] {
        let mut keys = keys.clone();
        keys[wrong].1 = "wrong";
        let told = doctor(&["--url", &sim.url], &keys);
        let (check, text, _) = told.first_bad().unwrap();
        assert_eq!((told.code, check), (Some(3), "account"));
        assert!(text.contains(code), "{text}");
        assert!(!text.contains("wrong") || text.contains("Invalid"), "{text}");
    }
    let told = doctor(&["--url", &sim.url], &keys[..1]);
    assert_eq!((told.code, told.first_bad().unwrap().0), (Some(3), "account"));
}
