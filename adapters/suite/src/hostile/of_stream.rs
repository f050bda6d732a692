//! What can be wrong with a WebSocket that is up.

use std::time::Duration;

use kucoin_futures_proto::{DisconnectReason, TransportError};

use super::frames::*;
use super::guest::End;
use super::row::{Class, Row};
use crate::rig::{MS, stay_away};

const TOO_LARGE: TransportError = TransportError::TooLarge;
const PROTOCOL: TransportError = TransportError::Protocol;
const EOF: TransportError = TransportError::Eof;

/// Longest message.
const MESSAGE: usize = 1 << 20;
/// A ping a second, to be answered within a second, and what follows from that.
const DEAD: Duration = Duration::from_secs(2);
/// Marks of frames that are compressed or worse.
const RSV1: u8 = 0x40;
const RSV2: u8 = 0x20;
const RSV3: u8 = 0x10;

const fn closed(code: u16) -> TransportError {
    TransportError::Closed { code: Some(code) }
}

/// A row that sends this, and waits.
macro_rules! sends {
    ($name:literal, $error:expr, $bytes:expr) => {
        Row::stream($name, $error, |guest| {
            guest.send($bytes)?;
            Ok(End::Held)
        })
    };
}

/// A row that sends this over and over.
macro_rules! floods {
    ($name:literal, $error:expr, $begin:expr, $piece:expr) => {
        Row::stream($name, $error, |guest| {
            guest.send($begin)?;
            guest.flood($piece)?;
            Ok(End::Held)
        })
    };
}

/// What is too large.
pub(super) const SIZES: &[Row] = &[
    sends!("frame_of_2_63", TOO_LARGE, header(TEXT, u64::MAX / 2)).closes_with(1009),
    sends!("frame_of_2_64", TOO_LARGE, header(TEXT, u64::MAX)).closes_with(1009),
    sends!("frame_of_4_gib", TOO_LARGE, header(BINARY, 1 << 32)).closes_with(1009),
    floods!("frame_beyond_1_mib", TOO_LARGE, header(TEXT, MESSAGE as u64 + 1), "a")
        .closes_with(1009),
    // The library makes room for a frame that may be taken when it is announced.
    sends!("frame_of_1_mib_that_never_comes", EOF, header(TEXT, MESSAGE as u64))
        .ends(DisconnectReason::PongTimeout)
        .within(DEAD)
        .cap(MESSAGE + (128 << 10)),
    floods!(
        "fragments_of_1_kib_without_end",
        TOO_LARGE,
        frame(BEGINS, b"a"),
        frame(GOES_ON, &[b'a'; 1024])
    )
    .closes_with(1009)
    .cap(MESSAGE * 3 / 2),
    floods!(
        "fragments_of_a_byte_without_end",
        TOO_LARGE,
        frame(BEGINS, b"a"),
        frame(GOES_ON, b"a")
    )
    .closes_with(1009)
    .cap(MESSAGE * 3 / 2),
    floods!("binary_fragments_without_end", TOO_LARGE, frame(0x02, b"a"), frame(GOES_ON, b"a"))
        .closes_with(1009)
        .cap(MESSAGE * 3 / 2),
    floods!("empty_fragments_without_end", TOO_LARGE, frame(BEGINS, b""), frame(GOES_ON, b""))
        .closes_with(1009),
    Row::stream("empty_fragments_now_and_then", EOF, |guest| {
        guest.send(frame(BEGINS, b""))?;
        for _ in 0..1000 {
            guest.send(frame(GOES_ON, b""))?;
            stay_away(10 * MS);
        }
        Ok(End::Held)
    })
    .ends(DisconnectReason::PongTimeout)
    .within(DEAD),
    Row::stream("ten_thousand_fragments", EOF, |guest| {
        let parts = frame(GOES_ON, b" ").repeat(10_000);
        guest.send([frame(BEGINS, b"{"), parts, frame(ENDS, b"}")].concat())?;
        Ok(End::Held)
    })
    .ends(DisconnectReason::PongTimeout)
    .within(DEAD),
];

/// What breaks the rules of RFC 6455.
pub(super) const RULES: &[Row] = &[
    sends!("frame_compressed", PROTOCOL, frame(TEXT | RSV1, b"\xaa\x56\x2a")).closes_with(1002),
    sends!("frame_with_rsv2", PROTOCOL, frame(TEXT | RSV2, b"{}")).closes_with(1002),
    sends!("frame_with_rsv3", PROTOCOL, frame(TEXT | RSV3, b"{}")).closes_with(1002),
    sends!("ping_with_rsv1", PROTOCOL, frame(PING | RSV1, b"")).closes_with(1002),
    sends!("frame_masked", PROTOCOL, [TEXT, 0x82, 0, 0, 0, 0, b'{', b'}']).closes_with(1002),
    sends!("opcode_3", PROTOCOL, frame(0x83, b"{}")).closes_with(1002),
    sends!("opcode_7", PROTOCOL, frame(0x87, b"{}")).closes_with(1002),
    sends!("opcode_11", PROTOCOL, frame(0x8b, b"")).closes_with(1002),
    sends!("opcode_15", PROTOCOL, frame(0x8f, b"")).closes_with(1002),
    sends!("ping_of_126", PROTOCOL, frame(PING, &[0; 126])).closes_with(1002),
    sends!("pong_of_126", PROTOCOL, frame(PONG, &[0; 126])).closes_with(1002),
    sends!("ping_in_parts", PROTOCOL, frame(PING & !0x80, b"")).closes_with(1002),
    sends!("part_without_a_beginning", PROTOCOL, frame(ENDS, b"{}")).closes_with(1002),
    sends!("text_inside_a_text", PROTOCOL, [frame(BEGINS, b"{"), frame(TEXT, b"{}")].concat())
        .closes_with(1002),
    sends!("binary_inside_a_text", PROTOCOL, [frame(BEGINS, b"{"), frame(BINARY, b"{}")].concat())
        .closes_with(1002),
    sends!("text_no_utf_8", PROTOCOL, frame(TEXT, b"{\"a\":\"\xc3\x28\"}")).closes_with(1007),
    sends!("text_with_a_surrogate", PROTOCOL, frame(TEXT, b"\xed\xa0\x80")).closes_with(1007),
    sends!("text_cut_inside_a_letter", PROTOCOL, frame(TEXT, b"{\"a\":\"\xe2\x82"))
        .closes_with(1007),
    sends!("parts_no_utf_8", PROTOCOL, [frame(BEGINS, b"\xe2"), frame(GOES_ON, b"\x28")].concat())
        .closes_with(1007),
    sends!("close_of_a_byte", PROTOCOL, frame(CLOSE, b"\x03")).closes_with(1002),
    sends!("close_of_126", PROTOCOL, frame(CLOSE, &[0x03; 126])).closes_with(1002),
    sends!("close_reason_no_utf_8", PROTOCOL, frame(CLOSE, b"\x03\xe8\xc3\x28")).closes_with(1007),
    // The library answers a code that may not be said as a violation, and hands that on.
    sends!("close_999", closed(1002), close(999)).closes_with(1002),
    sends!("close_1005", closed(1002), close(1005)).closes_with(1002),
    sends!("close_1006", closed(1002), close(1006)).closes_with(1002),
];

/// What ends it, by right or not.
pub(super) const ENDINGS: &[Row] = &[
    sends!("close_1000", closed(1000), close(1000)).closes_with(1000),
    sends!("close_1001", closed(1001), close(1001)).closes_with(1001),
    sends!("close_1011", closed(1011), close(1011)).closes_with(1011),
    sends!("close_1012", closed(1012), close(1012)).closes_with(1012),
    sends!("close_1013", closed(1013), close(1013)).closes_with(1013),
    sends!("close_4999", closed(4999), close(4999)).closes_with(4999),
    sends!("close_without_a_code", TransportError::Closed { code: None }, frame(CLOSE, b"")),
    Row::stream("data_after_close", closed(1000), |guest| {
        guest.send([close(1000), frame(TEXT, b"{\"type\":\"pong\"}").repeat(1000)].concat())?;
        guest.flood(frame(TEXT, b"{\"type\":\"pong\"}"))?;
        Ok(End::Held)
    }),
    Row::stream("cut_off_between_frames", EOF, |_| Ok(End::Cut)),
    Row::stream("cut_off_inside_a_frame", EOF, |guest| {
        guest.send([0x81, 126, 0x01, 0x00, b'{'])?;
        Ok(End::Cut)
    }),
    Row::stream("reset_inside_a_frame", TransportError::Reset, |guest| {
        guest.send([0x81, 126, 0x01, 0x00, b'{'])?;
        stay_away(50 * MS);
        Ok(End::Reset)
    }),
    Row::stream("noise_inside_tls", TransportError::Tls, |guest| {
        guest.send_raw(b"HTTP/1.1 400 Bad Request\r\n\r\n")?;
        Ok(End::Held)
    })
    .over_tls(),
    Row::stream("record_that_was_changed", TransportError::Tls, |guest| {
        guest.send_raw(&[0x17, 0x03, 0x03, 0x00, 0x20])?;
        guest.send_raw(&[0x55; 0x20])?;
        Ok(End::Held)
    })
    .over_tls(),
];

/// What goes on, and leads nowhere.
pub(super) const CHATTER: &[Row] = &[
    Row::stream("never_reading", EOF, |_| {
        stay_away(Duration::from_secs(5));
        Ok(End::Held)
    })
    .ends(DisconnectReason::PongTimeout)
    .within(DEAD),
    // Pongs fill what the system takes, and then what we keep: the next ping of ours finds no room. Over TLS the peer's own
    // library reads.
    Row::stream("pings_without_end_from_one_who_never_reads", TransportError::Clogged, |guest| {
        guest.flood(frame(PING, &[b'p'; 125]))?;
        Ok(End::Held)
    })
    .or(Class::Line(DisconnectReason::PongTimeout))
    .within(DEAD)
    .cap(640 << 10)
    .without_tls(),
    floods!("pongs_without_end", EOF, "", frame(PONG, b"unasked"))
        .ends(DisconnectReason::PongTimeout)
        .within(DEAD),
    floods!("noise_without_end", EOF, "", frame(TEXT, b"no json at all"))
        .ends(DisconnectReason::PongTimeout)
        .within(DEAD),
    floods!("messages_of_1_mib_without_end", EOF, "", frame(TEXT, &[b'['; MESSAGE]))
        .ends(DisconnectReason::PongTimeout)
        .within(DEAD)
        .cap(4 * MESSAGE),
    floods!("unknown_topics_without_end", EOF, "", frame(TEXT, UNKNOWN))
        .ends(DisconnectReason::PongTimeout)
        .within(DEAD),
    floods!("binary_without_end", EOF, "", frame(BINARY, &[0; 1024]))
        .ends(DisconnectReason::Binary),
    Row::stream("two_binary_messages", EOF, |guest| {
        guest.send(frame(BINARY, b"\0").repeat(2))?;
        Ok(End::Held)
    })
    .ends(DisconnectReason::PongTimeout)
    .within(DEAD),
    Row::stream("three_binary_messages", EOF, |guest| {
        guest.send(frame(BINARY, b"\0").repeat(3))?;
        Ok(End::Held)
    })
    .ends(DisconnectReason::Binary),
];

const UNKNOWN: &[u8] = br#"{"topic":"/contractMarket/level2:NOPEUSDTM","type":"message","subject":"level2","data":{"sequence":1,"change":"1,buy,1","timestamp":1}}"#;
