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
use std::sync::atomic::{AtomicUsize, Ordering};

use common::{Sim, command, lines, of_type};
use kucoin_futures_sim::Fault;
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
    let mut command = command(&[&["doctor", "--json", "--timeout", "8s"], args].concat());
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
        assert_eq!(told.checks.len(), 18);
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
            "steady",
            "verify",
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
fn what_is_before_the_exchange_is_named_first() {
    let closed = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    };
    let told = doctor(&["--url", &closed], &[]);
    assert_eq!((told.code, told.first_bad().unwrap().0), (Some(4), "tcp"));
    let told = doctor(&["--url", "http://no-such-host.invalid"], &[]);
    assert_eq!((told.code, told.first_bad().unwrap().0), (Some(4), "dns"));
}

/// What doctor says of a fault: the exit code, the check that has the word for it, and some of that word.
type Row = (&'static str, i32, &'static str, &'static str);

/// Of each fault that a server has: what a client can tell of it.
const FAULTS: &[Row] = &[
    ("every 2s drop XBTUSDTM 1", 0, "steady", "lost: gap"),
    ("every 500ms repeat XBTUSDTM 2", 0, "steady", "repeated messages"),
    ("every 2s step-back XBTUSDTM 500", 0, "steady", "set back"),
    ("every 2s step-ahead XBTUSDTM 500", 0, "steady", "lost: gap"),
    ("every 1s malformed XBTUSDTM 1", 5, "steady", "changes that cannot be read"),
    ("every 2s hold-back XBTUSDTM 1s", 0, "steady", "ms late"),
    ("at 1s mute XBTUSDTM 60s", 0, "steady", "nothing came any more"),
    ("every 1s one-sided XBTUSDTM", 0, "steady", "side left its horizon"),
    ("every 1s hollow XBTUSDTM", 0, "steady", "side left its horizon"),
    ("at 0s stale-snapshot XBTUSDTM 900", 0, "steady", "snapshots that were too old"),
    ("at 0s other-snapshot XBTUSDTM 900", 4, "book", "not the one asked for"),
    ("at 0s lie XBTUSDTM 1", 5, "verify", "the exchange has"),
    ("every 500ms push-repeat XBTUSDTM 1", 0, "steady", "repeated messages"),
    ("every 1s push-malformed XBTUSDTM 1", 5, "steady", "messages that"),
    ("every 1s push-subject XBTUSDTM 1", 0, "steady", "unknown subject"),
    ("at 0s late-welcome 3s 900", 0, "welcome", "welcome"),
    ("at 0s no-welcome 900", 4, "welcome", "nothing came in time"),
    ("at 0s two-welcomes 900", 0, "steady", "answers to nothing"),
    ("at 0s wrong-welcome 900", 4, "welcome", "meant for another connection"),
    ("at 0s late-ack 2s 900", 0, "subscription", "confirmed"),
    ("at 0s no-ack 900", 4, "subscription", "nothing came in time"),
    ("at 0s two-acks 900", 0, "steady", "answers to nothing"),
    ("at 0s strange-ack 900", 0, "steady", "answers to nothing"),
    ("at 0s refuse-request 404 900", 2, "subscription", "code 404"),
    ("every 1s error 500", 0, "steady", "errors"),
    ("at 0s withhold-pongs 60s", 0, "steady", "no pong in time"),
    ("at 0s wrong-pong 900", 0, "steady", "no pong in time"),
    ("at 0s expire-token 900", 3, "welcome", "token is expired"),
    ("every 4s close 1001", 0, "steady", "1001"),
    ("every 4s close-one 1006", 0, "steady", "without a close"),
    ("every 4s reset", 0, "steady", "connection reset"),
    ("at 0s refuse 60s", 4, "socket", "HTTP 503"),
    ("at 0s flap 60s", 4, "book", "closed by the server"),
    ("at 0s slow-connect 3s 900", 0, "socket", "connected"),
    ("at 0s freeze 60s", 4, "socket", "nothing came in time"),
    ("at 0s http-429 30s 900", 4, "rest", "rate limited for 30000 ms"),
    ("at 0s http-429-bare 900", 4, "rest", "rate limited"),
    ("at 0s http-403 900", 4, "rest", "HTTP 403"),
    ("at 0s http-1015 900", 4, "rest", "code 1015"),
    ("at 0s http-5xx 900", 4, "rest", "HTTP 50"),
    ("at 0s http-code 900", 4, "rest", "HTTP 200"),
    ("at 0s http-html 900", 4, "rest", "not JSON"),
    ("at 0s http-empty 900", 4, "rest", "not JSON"),
    ("at 0s http-cut 900", 4, "rest", "ended without a close"),
    ("at 0s http-giant 900", 4, "rest", "more bytes than allowed"),
    ("at 0s http-drip 50ms 900", 4, "token", "nothing came in time"),
    ("at 0s http-late 2s 900", 0, "rest", "within 20"),
    ("at 0s http-never 900", 4, "rest", "timed out"),
    ("at 0s http-refused 900", 4, "rest", "ended without a close"),
    ("at 0s only-bad-servers 900", 4, "token", "no server that may be connected to"),
];

/// What a market may do, what is within what is allowed, and what cannot be seen: all is well.
const UNSEEN: &[&str] = &[
    "every 1s cross XBTUSDTM 200ms",
    "every 1s rally XBTUSDTM 20",
    "every 500ms push-drop XBTUSDTM 1",
    "every 500ms push-old XBTUSDTM 1",
    "at 0s swap-acks 900",
    "at 0s late-pong 5s 900",
    "at 0s bad-servers 900",
    "at 0s absurd-pings 900",
];

/// What a server cannot do to its client.
const OF_THE_WORLD: &[&str] = &[
    "stall-up",
    "stall-down",
    "lag",
    "clock-back",
    "clock-leap",
    "sleep",
    "late-timeouts",
    "early-timeouts",
    "undrained",
    "slow-consumer",
    "toggle",
    "close-client",
];

#[test]
fn every_fault_has_a_row() {
    let word = |plan: &str| plan.split(' ').nth(2).unwrap().to_owned();
    let mut known: Vec<String> = FAULTS.iter().map(|row| word(row.0)).collect();
    known.extend(UNSEEN.iter().map(|plan| word(plan)));
    known.extend(OF_THE_WORLD.iter().map(ToString::to_string));
    known.sort();
    let mut all: Vec<String> = Fault::WORDS.iter().map(ToString::to_string).collect();
    all.sort();
    assert_eq!(known, all);
}

fn with_fault(fault: &str) -> Told {
    let sim = Sim::start(&["--rate", "100", "--symbols", "XBTUSDTM,ETHUSDTM", "--faults", fault]);
    // A pong that is missing is missed after 28 s.
    let watch = if fault.contains("pong") { "32s" } else { "5s" };
    doctor(&["--url", &sim.url, "--watch", watch], &[])
}

#[test]
fn each_fault_is_named_where_it_can_be_seen_and_the_exit_code_is_its_class() {
    let next = AtomicUsize::new(0);
    // They wait most of the time.
    let work = || {
        while let Some(row) = FAULTS.get(next.fetch_add(1, Ordering::Relaxed)) {
            judge(row);
        }
    };
    std::thread::scope(|scope| (0..10).for_each(|_| drop(scope.spawn(work))));
}

fn judge(&(fault, code, check, words): &Row) {
    let told = with_fault(fault);
    assert_eq!(told.code, Some(code), "{fault}: {:?}", told.checks);
    let found = told.check(check);
    let (verdict, text) = (&found["verdict"], found["text"].as_str().unwrap());
    assert_eq!(verdict, if code == 0 { "note" } else { "bad" }, "{fault}: {text}");
    assert!(text.contains(words), "{fault}: {text}");
    assert!(found["advice"].as_str().unwrap().len() > 10, "{fault}: {text}");
    if code != 0 {
        assert_eq!(told.verdict["check"], check, "{fault}");
    }
}

#[test]
fn what_cannot_be_seen_is_not_made_up() {
    let judge = |fault: &str| {
        let told = with_fault(fault);
        assert_eq!(told.code, Some(0), "{fault}: {:?}", told.checks);
        assert_eq!(told.check("steady")["verdict"], "ok", "{fault}: {:?}", told.checks);
    };
    std::thread::scope(|scope| UNSEEN.iter().for_each(|fault| drop(scope.spawn(|| judge(fault)))));
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
