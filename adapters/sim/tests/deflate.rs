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

mod raw;

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress};
use kucoin_futures_sim::{ExchangeConfig, Server};
use raw::{frame, say, upgraded};

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
    raw::server(ExchangeConfig::default())
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
