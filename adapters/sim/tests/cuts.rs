//! Connections that the exchange ends one by one, or because their time is up: on real sockets.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    missing_docs,
    reason = "tests"
)]
#![cfg(feature = "server")]

mod raw;

use std::net::TcpStream;
use std::time::{Duration, Instant};

use kucoin_futures_sim::{ExchangeConfig, Fault, Server};
use raw::{frame, say, server, token, upgraded, upgraded_with};

const TEXT: u8 = 0x81;
const CLOSE: u8 = 0x88;

#[test]
fn close_one_ends_exactly_one_of_several_and_each_has_its_turn() {
    let server = server(still());
    let [mut first, mut second] = [(); 2].map(|()| welcomed(&server));
    server.inject(Fault::CloseOne { code: 1012 });
    assert_eq!(close_code(&mut first), 1012);
    assert!(answers(&mut second), "the other one stays");
    let mut third = welcomed(&server);
    server.inject(Fault::CloseOne { code: 1001 });
    assert_eq!(close_code(&mut second), 1001, "the one that came back is the youngest");
    assert!(answers(&mut third));
    assert_eq!(server.with(|exchange, _| exchange.sessions()), 1);
}

#[test]
fn without_any_connection_close_one_meets_nothing() {
    let server = server(still());
    server.inject(Fault::CloseOne { code: 1000 });
    assert!(answers(&mut welcomed(&server)), "nor is the next one closed");
}

/// The time runs from the grant of the token, not from the connection.
#[test]
fn a_connection_ends_so_long_after_its_token_was_granted() {
    const LIFE: Duration = Duration::from_millis(1200);
    const SLACK: Duration = Duration::from_millis(600);
    let mut config = still();
    config.token_lifetime = LIFE;
    config.session_lifetime = LIFE;
    let server = server(config);
    let before = Instant::now();
    let early = token(&server);
    let granted = Instant::now();
    std::thread::sleep(LIFE / 2);
    let mut socket = upgraded_with(&server, &early, None).0;
    assert_eq!(frame(&mut socket).0, TEXT, "the welcome");
    assert_eq!(close_code(&mut socket), 1000);
    assert!(before.elapsed() >= LIFE, "cut after {:?}", before.elapsed());
    assert!(granted.elapsed() < LIFE + SLACK, "cut only after {:?}", granted.elapsed());
    let mut late = upgraded_with(&server, &early, None).0;
    let (_, answer) = frame(&mut late);
    let answer = String::from_utf8(answer).unwrap();
    assert!(answer.contains("token is expired"), "{answer}");
    assert!(answers(&mut welcomed(&server)), "with a fresh token all is well");
}

/// An exchange that pushes nothing by itself.
fn still() -> ExchangeConfig {
    let mut config = ExchangeConfig::default();
    config.rate = 0.0;
    config
}

fn welcomed(server: &Server) -> TcpStream {
    let mut socket = upgraded(server, None).0;
    let (first, welcome) = frame(&mut socket);
    assert_eq!((first, welcome.as_slice()), (TEXT, &br#"{"id":"me","type":"welcome"}"#[..]));
    socket
}

/// Whether a ping is still answered.
fn answers(socket: &mut TcpStream) -> bool {
    say(socket, TEXT, br#"{"id":"7","type":"ping"}"#);
    let (first, pong) = frame(socket);
    first == TEXT && pong.starts_with(br#"{"id":"7","type":"pong""#)
}

/// The code of the close frame that comes next.
fn close_code(socket: &mut TcpStream) -> u16 {
    let (first, payload) = frame(socket);
    assert_eq!(first, CLOSE, "{}", String::from_utf8_lossy(&payload));
    u16::from_be_bytes([payload[0], payload[1]])
}
