//! permessage-deflate over a real socket, by a client that is written here and knows nothing of the
//! server's code.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    missing_docs,
    reason = "tests"
)]
#![cfg(feature = "server")]

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress};
use kucoin_futures_proto::Instant;
use kucoin_futures_sim::{ExchangeConfig, Server};

const OFFER: &str = "permessage-deflate; client_max_window_bits";

#[test]
fn what_is_offered_is_accepted_and_messages_are_compressed() {
    let server = server();
    let (mut socket, head) = upgraded(&server, Some(OFFER));
    let agreed = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
    assert!(head.contains(agreed), "{head}");
    let (first, welcome) = frame(&mut socket);
    assert_eq!(first, 0xc1, "a whole text frame with the mark");
    assert_eq!(inflated(&welcome), r#"{"id":"me","type":"welcome"}"#);
    say(&mut socket, 0xc1, &deflated(r#"{"id":"1","type":"ping"}"#));
    assert!(inflated(&frame(&mut socket).1).starts_with(r#"{"id":"1","type":"pong""#));
    // A message may come uncompressed all the same, and in parts.
    say(&mut socket, 0x01, br#"{"id":"2","#);
    say(&mut socket, 0x80, br#""type":"ping"}"#);
    assert!(inflated(&frame(&mut socket).1).starts_with(r#"{"id":"2","type":"pong""#));
    let topic = "/contractMarket/level2Depth50:XBTUSDTM";
    let ask = format!(r#"{{"id":"3","type":"subscribe","topic":"{topic}","response":true}}"#);
    say(&mut socket, 0xc1, &deflated(&ask));
    assert_eq!(inflated(&frame(&mut socket).1), r#"{"id":"3","type":"ack"}"#);
    let (_, depth) = frame(&mut socket);
    let text = inflated(&depth);
    assert!(text.contains(topic) && depth.len() * 2 < text.len(), "it is smaller");
    say(&mut socket, 0x89, b"are you there");
    loop {
        let (first, payload) = frame(&mut socket);
        if first == 0x8a {
            assert_eq!(payload, b"are you there");
            break;
        }
    }
    say(&mut socket, 0x88, &[0x03, 0xe8]);
    while frame(&mut socket).0 != 0x88 {}
}

#[test]
fn without_an_offer_nothing_is_compressed() {
    let server = server();
    for offer in [None, Some("permessage-deflate; server_max_window_bits=9")] {
        let (mut socket, head) = upgraded(&server, offer);
        assert!(!head.to_ascii_lowercase().contains("sec-websocket-extensions"), "{head}");
        let (first, welcome) = frame(&mut socket);
        assert_eq!(first, 0x81);
        assert_eq!(welcome, br#"{"id":"me","type":"welcome"}"#);
    }
}

fn server() -> Server {
    let start = std::time::Instant::now();
    let clock = Arc::new(move || Instant::from_nanos(1 + start.elapsed().as_nanos() as u64));
    Server::start("127.0.0.1:0".parse().unwrap(), 1, ExchangeConfig::default(), clock).unwrap()
}

/// A socket after its upgrade, and the head that answered it.
fn upgraded(server: &Server, offer: Option<&str>) -> (TcpStream, String) {
    let connect = || {
        let socket = TcpStream::connect(server.addr()).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        socket
    };
    let mut rest = connect();
    let request = "POST /api/v1/bullet-public HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n";
    write!(rest, "{request}Connection: close\r\n\r\n").unwrap();
    let mut body = String::new();
    rest.read_to_string(&mut body).unwrap();
    let (_, token) = body.split_once(r#""token":""#).unwrap();
    let (token, _) = token.split_once('"').unwrap();
    let mut socket = connect();
    let offer = offer.map(|offer| format!("Sec-WebSocket-Extensions: {offer}\r\n"));
    write!(
        socket,
        "GET /?token={token}&connectId=me HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n\
         Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{}\r\n",
        offer.unwrap_or_default()
    )
    .unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        socket.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    (socket, String::from_utf8(head).unwrap())
}

/// The first byte of a frame, and its payload.
fn frame(socket: &mut TcpStream) -> (u8, Vec<u8>) {
    let mut head = [0; 2];
    socket.read_exact(&mut head).unwrap();
    let len = match head[1] {
        126 => {
            let mut len = [0; 2];
            socket.read_exact(&mut len).unwrap();
            usize::from(u16::from_be_bytes(len))
        }
        127 => panic!("nothing is that long"),
        len => usize::from(len),
    };
    let mut payload = vec![0; len];
    socket.read_exact(&mut payload).unwrap();
    (head[0], payload)
}

fn say(socket: &mut TcpStream, first: u8, payload: &[u8]) {
    let mask = [7, 99, 200, 13];
    let mut bytes = vec![first, 0x80 | u8::try_from(payload.len()).unwrap().min(126)];
    if payload.len() >= 126 {
        bytes.extend((payload.len() as u16).to_be_bytes());
    }
    bytes.extend(mask);
    bytes.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    socket.write_all(&bytes).unwrap();
}

fn deflated(text: &str) -> Vec<u8> {
    let mut packed = Vec::with_capacity(1 << 12);
    let mut deflate = Compress::new(Compression::best(), false);
    deflate.compress_vec(text.as_bytes(), &mut packed, FlushCompress::Sync).unwrap();
    packed.truncate(packed.len() - 4);
    packed
}

fn inflated(payload: &[u8]) -> String {
    let packed = [payload, &[0, 0, 0xff, 0xff]].concat();
    let mut text = Vec::with_capacity(1 << 16);
    Decompress::new(false).decompress_vec(&packed, &mut text, FlushDecompress::Sync).unwrap();
    String::from_utf8(text).unwrap()
}
