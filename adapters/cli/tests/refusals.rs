//! What the exchange says when it refuses something, as `kcf` shows it: real processes.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs, reason = "tests")]

mod common;

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::process::Output;

use common::{Sim, kcf, lines, of_type};
use serde_json::Value;

const RUNTIMES: [&str; 2] = ["blocking", "smol"];
const COUNTRY: &str = "This service is not available in your country.";

/// A server that answers every request so; its address.
fn refusing(status: &'static str, body: &str) -> String {
    let length = body.len();
    let answer = format!(
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\
         Connection: close\r\n\r\n{body}"
    );
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            // Who has gone away is not answered.
            let _ = stream.read(&mut [0; 4096]).and_then(|_| stream.write_all(answer.as_bytes()));
        }
    });
    url
}

fn ticker(url: &str, runtime: &str, more: &[&str]) -> Output {
    kcf(&[&["ticker", "XBTUSDTM", "--url", url, "--for", "2s", "--runtime", runtime], more]
        .concat())
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn a_country_that_is_not_served_reads_as_what_it_is_everywhere() {
    let url = refusing("403 Forbidden", &format!(r#"{{"code":"400302","msg":"{COUNTRY}"}}"#));
    for runtime in RUNTIMES {
        let output = ticker(&url, runtime, &["--json"]);
        assert_eq!(output.status.code(), Some(4), "{runtime}");
        let lines = lines(&output);
        let refused: Vec<&Value> = of_type(&lines, "state")
            .into_iter()
            .filter(|line| line["state"] == "no_token")
            .collect();
        assert!(!refused.is_empty());
        for line in refused {
            assert_eq!((&line["status"], &line["code"]), (&403.into(), &400_302.into()), "{line}");
            assert_eq!(line["message"], COUNTRY);
            assert_eq!(line["reason"], "refused with code 400302 (HTTP 403)");
            assert!(line["advice"].as_str().unwrap().contains("no setting helps"), "{line}");
        }
        let waits = lines.iter().find(|line| line["state"] == "line_waiting").unwrap();
        assert!(waits.get("message").is_none() && waits.get("status").is_none(), "{waits}");

        let output = ticker(&url, runtime, &[]);
        let (shown, error) = (text(&output.stdout), text(&output.stderr));
        let told = format!("no token: refused with code 400302 (HTTP 403): {COUNTRY}");
        assert!(shown.contains(&told) && error.contains(&told), "{shown}\n{error}");
        assert_eq!(shown.matches("no setting helps").count(), 1, "once, however often: {shown}");
        assert!(error.contains("no setting helps"), "{error}");
    }
}

#[test]
fn words_are_harmless_and_short_wherever_they_are_printed() {
    let token = "2neAiuYvAU61ZDXANAGAsiL4".repeat(8);
    let words = format!(r"\u001b[31m\u202etoken {token} \u5f53\u524d {}", "no ".repeat(500));
    let url = refusing("200 OK", &format!(r#"{{"code":"400100","msg":"{words}"}}"#));
    let output = ticker(&url, "blocking", &[]);
    let (shown, error) = (text(&output.stdout), text(&output.stderr));
    for text in [&shown, &error] {
        assert!(text.contains(r"\u{1b}[31m\u{202e}token *** 当前 no no"), "{text}");
        assert!(!text.contains(['\u{1b}', '\u{202e}']) && !text.contains("2neAiuYv"), "{text}");
        assert!(text.lines().all(|line| line.len() < 400), "{text}");
    }
}

#[test]
fn an_exchange_that_is_down_is_waited_for_and_keys_are_an_auth_error() {
    let url = refusing("503 Service Unavailable", r#"{"msg":"under maintenance"}"#);
    let output = ticker(&url, "blocking", &[]);
    let error = text(&output.stderr);
    assert_eq!(output.status.code(), Some(4));
    assert!(
        error.contains("HTTP 503: under maintenance") && error.contains("goes on trying"),
        "{error}"
    );

    let url = refusing("400 Bad Request", r#"{"code":"400003","msg":"KC-API-KEY not exists"}"#);
    let output = ticker(&url, "blocking", &[]);
    assert_eq!(output.status.code(), Some(3), "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("KC-API-KEY not exists"));

    let url = refusing("429 Too Many Requests", "error code: 1015");
    let output = ticker(&url, "blocking", &["--json"]);
    let lines = lines(&output);
    let limited = lines.iter().find(|line| line["state"] == "no_token").unwrap();
    assert_eq!((&limited["status"], &limited["code"]), (&429.into(), &1015.into()), "{limited}");
    assert!(limited.get("message").is_none() && limited["advice"].is_string(), "{limited}");
}

#[test]
fn a_symbol_and_a_topic_that_cannot_be_had_are_explained() {
    let sim = Sim::start(&["--symbols", "XBTUSDTM", "--rate", "100"]);
    let output = kcf(&["book", "NOPEUSDTM", "--url", &sim.url, "--for", "10s"]);
    let (shown, error) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(2));
    for text in [shown, error] {
        assert!(text.contains("rejected: code 200003: Invalid symbol."), "{text}");
        assert!(text.contains("there is no such contract"), "{text}");
    }
    for runtime in RUNTIMES {
        let faults = "at 0ms refuse-request 404 1";
        let sim = Sim::start(&["--symbols", "XBTUSDTM", "--rate", "100", "--faults", faults]);
        let output = ticker(&sim.url, runtime, &["--json"]);
        assert_eq!(output.status.code(), Some(2), "{runtime}");
        let lines = lines(&output);
        let rejected = lines.iter().find(|line| line["state"] == "rejected").unwrap();
        assert_eq!(rejected["message"], "topic does not exist", "{rejected}");
        assert_eq!((rejected["code"].as_u64(), rejected.get("status")), (Some(404), None));
        assert!(rejected["advice"].as_str().unwrap().contains("no such topic"), "{rejected}");
    }
}
