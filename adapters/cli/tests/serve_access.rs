//! Whom `kcf serve` tells nothing: pages of other sites, other machines, whoever does not know the token.

#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::disallowed_methods,
    missing_docs,
    reason = "tests"
)]

mod common;

#[path = "common/served.rs"]
mod served;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use common::kcf;
use served::{Served, exchange};

const XBT: &str = "XBTUSDTM";

/// Also of what is refused.
#[test]
fn whatever_is_answered_is_not_kept_framed_sniffed_or_read_by_other_pages() {
    let exchange = exchange(&[XBT], 0.0);
    let served = Served::start(&exchange, &[XBT], &[]);
    let mut answers: Vec<_> =
        ["/", "/main.js", "/health", "/metrics", "/state", "/nothing", "/health?x=y"]
            .map(|path| served.get(path))
            .into();
    answers.push(served.ask("PUT", "/", &[], ""));
    answers.push(served.ask("GET", "/", &[("Origin", "https://evil.example")], ""));
    answers.push(served.send("GET", "/", &[("Host", "evil.example")], ""));
    for answer in answers {
        for (name, value) in [
            ("cache-control", "no-store"),
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
            ("cross-origin-opener-policy", "same-origin"),
        ] {
            assert_eq!(answer.header(name), Some(value), "{answer:?}");
        }
        let policy = answer.header("content-security-policy").unwrap();
        let mut parts = policy.split("; ");
        assert_eq!(parts.next(), Some("default-src 'none'"));
        for unsafe_word in ["unsafe", "*", "http:", "https:", "data:", "blob:"] {
            assert!(!policy.contains(unsafe_word), "{policy}");
        }
        assert!(policy.contains("frame-ancestors 'none'") && policy.contains("script-src 'self'"));
        assert_eq!(answer.header("access-control-allow-origin"), None);
        assert_eq!(answer.header("set-cookie"), None);
    }
    // With that policy nothing in the text itself would run.
    let page = served.get("/").body;
    assert!(!page.contains("<style") && !page.contains("style=") && !page.contains("onclick"));
    assert_eq!(
        page.matches("<script").count(),
        page.matches("<script type=\"module\" src=\"/").count()
    );
}

/// A name of the web that resolves to 127.0.0.1, and a page of the web that asks across origins.
#[test]
fn other_pages_of_a_browser_on_this_machine_are_told_nothing() {
    let exchange = exchange(&[XBT], 0.0);
    let served = Served::start(&exchange, &[XBT, "--host", "dash.example.org"], &[]);
    served.until_healthy("/health", true);
    let port = served.addr.port();
    let at = |host: &str| host.replace("PORT", &port.to_string());
    for path in ["/", "/health", "/metrics", "/state", "/stream", "/main.js"] {
        for host in [
            "evil.example:PORT",
            "evil.example",
            "127.0.0.1",
            "127.0.0.1:1",
            "0.0.0.0:PORT",
            "192.168.0.1:PORT",
            "localhost.evil.example:PORT",
            "127.0.0.1.nip.io:PORT",
        ] {
            let answer = served.send("GET", path, &[("Host", &at(host))], "");
            assert_eq!(answer.status, 421, "{path} of {host}: {answer:?}");
            assert!(!answer.body.contains(XBT));
        }
        for origin in [
            "https://evil.example",
            "http://evil.example:PORT",
            "null",
            "http://127.0.0.1:1",
            "https://127.0.0.1:PORT",
        ] {
            let answer = served.ask("GET", path, &[("Origin", &at(origin))], "");
            assert_eq!(answer.status, 403, "{path} for {origin}");
            assert!(!answer.body.contains(XBT));
        }
        let script = [("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Mode", "no-cors")];
        assert_eq!(
            served.ask("GET", path, &script, "").status,
            403,
            "{path} as a script elsewhere"
        );
    }
    assert_eq!(served.send("GET", "/health", &[], "").status, 421, "no host at all");
    assert_eq!(served.ask("GET", "http://evil.example/health", &[], "").status, 421);
    for host in ["127.0.0.1:PORT", "localhost:PORT", "[::1]:PORT", "dash.example.org"] {
        assert_eq!(served.send("GET", "/health", &[("Host", &at(host))], "").status, 200, "{host}");
    }
    for origin in ["http://localhost:PORT", "http://127.0.0.1:PORT", "https://dash.example.org"] {
        let own = [("Origin", at(origin)), ("Sec-Fetch-Site", "same-origin".into())];
        let own: Vec<_> = own.iter().map(|(name, value)| (*name, value.as_str())).collect();
        assert_eq!(served.ask("GET", "/health", &own, "").status, 200, "{origin}");
    }
    let link = [
        ("Sec-Fetch-Site", "cross-site"),
        ("Sec-Fetch-Mode", "navigate"),
        ("Sec-Fetch-Dest", "document"),
    ];
    assert_eq!(served.ask("GET", "/", &link, "").status, 200, "a link is followed");
    for path in ["/state", "/stream", "/metrics"] {
        assert_eq!(served.ask("GET", path, &link, "").status, 403, "a link to {path} is not");
    }
}

#[test]
fn other_machines_are_let_in_only_on_request_and_with_a_token() {
    let exchange = exchange(&[XBT], 0.0);
    let refused = kcf(&["serve", XBT, "--url", &exchange.url(), "--listen", "0.0.0.0:0"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("--public"));

    let served = Served::start(&exchange, &[XBT, "--public"], &[("RUST_LOG", "debug")]);
    let token = served.token.clone().unwrap();
    assert_eq!(token.len(), 64);
    for path in ["/health", "/metrics", "/state", "/stream", "/nothing"] {
        let answer = served.get(path);
        assert_eq!(answer.status, 401, "{path}");
        assert!(answer.header("www-authenticate").unwrap().starts_with("Bearer"));
    }
    for wrong in [
        ("Authorization", "Bearer"),
        ("Authorization", "Bearer "),
        ("Authorization", "Bearer 0"),
        ("Authorization", &format!("Bearer {token}0")),
        ("Authorization", &format!("Basic {token}")),
        ("Cookie", &format!("kcf-{}={token}", served.addr.port())),
    ] {
        let asked = Instant::now();
        assert_eq!(served.ask("GET", "/health", &[wrong], "").status, 401, "{wrong:?}");
        // As at the form.
        assert!(asked.elapsed() >= Duration::from_millis(500), "whoever guesses waits: {wrong:?}");
    }
    let bearer = format!("Bearer {token}");
    assert_eq!(served.ask("GET", "/metrics", &[("Authorization", &bearer)], "").status, 200);

    // A browser is asked for it, and has a cookie then.
    let page = served.get("/");
    assert_eq!(page.status, 401);
    assert!(page.body.contains("action=\"/login\"") && !page.body.contains("/main.js"));
    let form = [("Content-Type", "application/x-www-form-urlencoded")];
    let wrong = served.ask("POST", "/login", &form, "token=0123");
    assert_eq!((wrong.status, wrong.header("set-cookie")), (401, None));
    assert!(wrong.body.contains("That is not the token."));
    let foreign = [form[0], ("Origin", "https://evil.example")];
    assert_eq!(served.ask("POST", "/login", &foreign, &format!("token={token}")).status, 403);
    assert_eq!(
        served.ask("POST", "/login", &form, &format!("token={}", "x".repeat(5000))).status,
        413
    );
    let right = served.ask("POST", "/login", &form, &format!("token={token}"));
    assert_eq!((right.status, right.header("location")), (303, Some("/")));
    let cookie = right.header("set-cookie").unwrap();
    assert!(cookie.ends_with("; Path=/; HttpOnly; SameSite=Strict") && !cookie.contains(&token));
    let cookie = cookie.split(';').next().unwrap();
    for path in ["/", "/state", "/metrics"] {
        assert_eq!(served.ask("GET", path, &[("Cookie", cookie)], "").status, 200, "{path}");
    }
    let session = cookie.split_once('=').unwrap().1;
    let said = served.said();
    assert!(!said.contains(&token) && !said.contains(session), "behind the first line: {said}");
}

#[test]
fn a_token_of_the_environment_is_asked_for_on_loopback_too_and_never_shown() {
    let exchange = exchange(&[XBT], 0.0);
    let (token, key) = ("a-token-of-32-letters-0123456789", "c0ffee-secret-of-an-account");
    let env = [
        ("KCF_TOKEN", token),
        ("RUST_LOG", "debug"),
        ("KUCOIN_API_KEY", key),
        ("KUCOIN_API_SECRET", key),
        ("KUCOIN_API_PASSPHRASE", key),
    ];
    let served = Served::start(&exchange, &[XBT], &env);
    assert_eq!(served.token, None);
    assert_eq!(served.get("/health").status, 401);
    let bearer = format!("Bearer {token}");
    let ask = |path: &str| served.ask("GET", path, &[("Authorization", &bearer)], "");
    let end = Instant::now() + Duration::from_secs(20);
    while ask("/health").status != 200 {
        assert!(Instant::now() < end);
        std::thread::sleep(Duration::from_millis(50));
    }
    let mut all = String::new();
    for path in [
        "/",
        "/login",
        "/main.js",
        "/stream.js",
        "/health",
        "/metrics",
        "/state",
        "/nothing",
        "/health?x",
    ] {
        all.push_str(&format!("{:?}", ask(path)));
        all.push_str(&format!("{:?}", served.get(path)));
    }
    all.push_str(&served.said());
    assert!(
        all.contains("bid_horizon") && all.contains("kucoin_futures_gaps_total"),
        "there is something to look through"
    );
    for secret in [token, key, "token=", "connectId", "KC-API"] {
        assert!(!all.contains(secret), "{secret}");
    }
    let short =
        common::command(&["serve", XBT, "--url", &exchange.url(), "--listen", "127.0.0.1:0"])
            .env("KCF_TOKEN", "too-short")
            .output()
            .unwrap();
    assert_eq!(short.status.code(), Some(2));
    let said = String::from_utf8_lossy(&short.stderr);
    assert!(said.contains("KCF_TOKEN") && !said.contains("too-short"), "{said}");
}

/// Whoever sends the head of a form and no more keeps neither a connection for ever nor others from coming in.
#[test]
fn a_form_that_does_not_come_is_given_up() {
    let exchange = exchange(&[XBT], 0.0);
    let served = Served::start(&exchange, &[XBT, "--public"], &[]);
    let begin = || {
        let mut stream = served.connect();
        let host = served.addr;
        write!(stream, "POST /login HTTP/1.1\r\nHost: {host}\r\nContent-Length: 40\r\n\r\ntoken=")
            .unwrap();
        stream
    };
    let answer = |mut stream: TcpStream| {
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        text.split("\r\n").next().unwrap().to_owned()
    };
    let begun = Instant::now();
    let slow: Vec<_> = (0..16).map(|_| begin()).collect();
    // Their heads are read by then.
    std::thread::sleep(Duration::from_secs(1));
    let form = [("Content-Type", "application/x-www-form-urlencoded")];
    assert_eq!(served.ask("POST", "/login", &form, "token=0").status, 503);
    assert_eq!(served.get("/").status, 401, "whoever comes without a form is answered");
    for stream in slow {
        assert_eq!(answer(stream), "HTTP/1.1 408 Request Timeout");
    }
    assert!(begun.elapsed() > Duration::from_secs(8), "they had some time");
    assert_eq!(served.ask("POST", "/login", &form, "token=0").status, 401);
}
