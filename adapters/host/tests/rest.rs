//! Real HTTP requests, most of them against the simulated exchange.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs, reason = "tests")]

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use kucoin_futures_host::{Clock, Rest, RestOutcome, Roots, tls_config, unix_now};
use kucoin_futures_proto::auth::{Credentials, KeyVersion};
use kucoin_futures_proto::{RequestId, RestBase, RestRequest, Sign, TransportError};
use kucoin_futures_sim::{ExchangeConfig, Server};

const PATIENCE: Duration = Duration::from_secs(5);

#[test]
fn a_signed_request_is_believed() {
    let server = start_server();
    let rest = Rest::new(&Roots::Public, Some(keys("sim-secret")));
    let server_ms = server.with(|exchange, now| exchange.unix(now).as_millis());
    for sign in [Sign::WallClock, Sign::At { unix_ms: server_ms }] {
        let (status, body) = reply(&rest, &private_token(&server.url(), sign));
        assert!(status == 200 && body.contains(r#""code":"200000""#), "{sign:?}: {body}");
    }
}

#[test]
fn a_wrong_secret_or_clock_is_refused_with_its_code() {
    let server = start_server();
    let refused = |secret, sign| {
        let rest = Rest::new(&Roots::Public, Some(keys(secret)));
        reply(&rest, &private_token(&server.url(), sign))
    };
    assert!(refused("wrong", Sign::WallClock).1.contains("400004"));
    assert!(refused("sim-secret", Sign::At { unix_ms: 1 }).1.contains("400002"));
    assert!(refused("sim-secret", Sign::No).1.contains("400001"));
}

#[test]
fn without_credentials_nothing_is_sent() {
    let fetch = private_token("http://127.0.0.1:1", Sign::WallClock);
    failed(&Rest::new(&Roots::Public, None), &fetch, TransportError::NoCredentials);
}

#[test]
fn a_closed_port_is_refused() {
    let fetch = private_token("http://127.0.0.1:1", Sign::No);
    failed(&Rest::new(&Roots::Public, None), &fetch, TransportError::Refused);
}

#[test]
fn redirects_are_not_followed() {
    let url = serve_once(
        b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
    );
    let rest = Rest::new(&Roots::Public, None);
    assert_eq!(reply(&rest, &private_token(&url, Sign::No)).0, 302);
}

#[test]
fn a_body_beyond_the_cap_is_cut_off() {
    let mut response = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n".to_vec();
    response.resize(response.len() + 100_000, b' ');
    let url = serve_once(&response);
    let fetch = private_token(&url, Sign::No);
    assert_eq!(fetch.max_body(), 64 << 10);
    failed(&Rest::new(&Roots::Public, None), &fetch, TransportError::TooLarge);
}

#[test]
fn a_server_that_says_nothing_costs_the_time_of_the_request_and_no_more() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let base = RestBase::new(&url).unwrap();
    let timeout = Duration::from_millis(300);
    let fetch = RestRequest::bullet_private(RequestId::new(1), &base, timeout, Sign::No);
    let clock = Clock::new();
    failed(&Rest::new(&Roots::Public, None), &fetch, TransportError::TimedOut);
    let took = Duration::from_nanos(clock.now().as_nanos());
    assert!(took >= timeout && took < PATIENCE, "{took:?}");
}

#[test]
fn tls_needs_no_process_wide_provider() {
    // The defaults of rustls and of what builds on it fail where none is installed.
    assert!(tls_config(&Roots::Public).is_ok());
    assert!(rustls_default_is_absent(), "nothing here may install a process-wide provider");
    assert!(Roots::from_pem(b"").is_err());
}

fn rustls_default_is_absent() -> bool {
    rustls::crypto::CryptoProvider::get_default().is_none()
}

fn start_server() -> Server {
    let mut config = ExchangeConfig::default();
    config.unix_start = unix_now();
    let clock = Clock::new();
    Server::start(([127, 0, 0, 1], 0).into(), 1, config, Arc::new(move || clock.now())).unwrap()
}

fn keys(secret: &str) -> Credentials {
    let (key, passphrase) = ("sim-key".into(), "sim-passphrase".into());
    Credentials::new(key, secret.into(), passphrase, KeyVersion::V3)
}

fn private_token(url: &str, sign: Sign) -> RestRequest {
    RestRequest::bullet_private(RequestId::new(1), &RestBase::new(url).unwrap(), PATIENCE, sign)
}

fn reply(rest: &Rest, fetch: &RestRequest) -> (u16, String) {
    match rest.perform(fetch) {
        RestOutcome::Reply(head, body) => (head.status(), String::from_utf8(body).unwrap()),
        RestOutcome::Failed(error) => panic!("{error}"),
    }
}

fn failed(rest: &Rest, fetch: &RestRequest, expected: TransportError) {
    match rest.perform(fetch) {
        RestOutcome::Failed(error) => assert_eq!(error, expected),
        RestOutcome::Reply(head, _) => panic!("{head:?}"),
    }
}

/// Answers one request with these bytes.
fn serve_once(response: &[u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let response = response.to_vec();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = [0; 4096];
        let _ = stream.read(&mut request).unwrap();
        // The client may hang up in the middle.
        let _ = stream.write_all(&response);
    });
    url
}
