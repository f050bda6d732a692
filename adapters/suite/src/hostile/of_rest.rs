//! What can be wrong with an answer to a request for a token or a snapshot.

use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use kucoin_futures_proto::{BookDelayReason, RestError, TransportError, WireError};

use super::guest::{End, Guest};
use super::row::{Class, PATIENCE, Row};
use crate::rig::MS;

const TOO_LARGE: RestError = RestError::Lost(TransportError::TooLarge);
const TIMED_OUT: RestError = RestError::Lost(TransportError::TimedOut);
const PROTOCOL: RestError = RestError::Lost(TransportError::Protocol);
const EOF: RestError = RestError::Lost(TransportError::Eof);

const OK: &str = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: application/json\r\n";
const CHUNKED: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
const HEADER: &str = "X-Pad: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n";
const PORTAL: &str = "<!doctype html><html><head><title>Welcome to our lobby</title></head><body>Log in</body></html>";
/// Slower than a second for what there is to say.
const DRIP: Duration = Duration::from_millis(100);

/// A whole answer with this body.
fn answer(guest: &mut Guest<'_>, body: impl AsRef<[u8]>) -> std::io::Result<End> {
    let head = format!("{OK}Content-Length: {}\r\n\r\n", body.as_ref().len());
    guest.send([head.as_bytes(), body.as_ref()].concat())?;
    Ok(End::Held)
}

fn redirect(guest: &mut Guest<'_>, status: u16) -> std::io::Result<End> {
    // To where nobody listens: whoever follows is refused there, or comes back.
    guest.send(format!(
        "HTTP/1.1 {status} Elsewhere\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"
    ))?;
    Ok(End::Held)
}

fn servers(each: &str, count: usize) -> String {
    let servers = vec![each; count].join(",");
    format!(r#"{{"code":"200000","data":{{"token":"t","instanceServers":[{servers}]}}}}"#)
}

/// A table that is long because it is a table.
#[allow(clippy::too_many_lines, reason = "a row each")]
pub(super) const TOKENS: &[Row] = &[
    Row::token("token_headers_without_end", TOO_LARGE, |guest| {
        guest.send(OK)?;
        guest.flood(format!("X-Pad: {}\r\n", "a".repeat(2000)))?;
        Ok(End::Held)
    })
    .cap(256 << 10),
    Row::token("token_headers_beyond_count", PROTOCOL, |guest| {
        guest.send(OK)?;
        guest.flood(HEADER)?;
        Ok(End::Held)
    })
    .cap(256 << 10),
    Row::token("token_header_without_end", TOO_LARGE, |guest| {
        guest.send(OK)?;
        guest.flood("X-Pad-")?;
        Ok(End::Held)
    })
    .cap(256 << 10),
    Row::token("token_head_drips", TIMED_OUT, |guest| {
        guest.drip(OK.repeat(2), DRIP)?;
        Ok(End::Held)
    })
    .within(PATIENCE),
    Row::token("token_body_drips", TIMED_OUT, |guest| {
        guest.send(format!("{OK}Content-Length: 1000\r\n\r\n"))?;
        guest.drip([b' '; 1000], DRIP)?;
        Ok(End::Held)
    })
    .within(PATIENCE),
    Row::token("token_never_answered", TIMED_OUT, |_| Ok(End::Held)).within(PATIENCE),
    // Passed over as they come, unless they come faster.
    Row::token("token_hints_without_end", TIMED_OUT, |guest| {
        guest.flood("HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n")?;
        Ok(End::Held)
    })
    .or(Class::Token(TOO_LARGE))
    .within(PATIENCE),
    Row::token("token_body_without_end", TOO_LARGE, |guest| {
        guest.send(format!("{OK}\r\n"))?;
        guest.flood(" ")?;
        Ok(End::Held)
    })
    .cap(192 << 10),
    Row::token("token_body_of_8_mib", TOO_LARGE, |guest| {
        guest.send(format!("{OK}Content-Length: {}\r\n\r\n", 8 << 20))?;
        guest.flood(" ")?;
        Ok(End::Held)
    })
    .cap(192 << 10),
    Row::token("token_length_of_2_63", TIMED_OUT, |guest| {
        guest.send(format!("{OK}Content-Length: {}\r\n\r\n{{", u64::MAX / 2))?;
        Ok(End::Held)
    })
    .within(PATIENCE),
    Row::token("token_length_beyond_2_64", PROTOCOL, |guest| {
        guest.send(format!("{OK}Content-Length: 99999999999999999999999999\r\n\r\n{{"))?;
        Ok(End::Held)
    }),
    Row::token("token_two_lengths", PROTOCOL, |guest| {
        guest.send(format!("{OK}Content-Length: 2\r\nContent-Length: 5\r\n\r\n{{}}{{}}{{}}"))?;
        Ok(End::Held)
    }),
    Row::token("token_chunks_without_end", TOO_LARGE, |guest| {
        guest.send(CHUNKED)?;
        guest.flood("5\r\n     \r\n")?;
        Ok(End::Held)
    })
    .cap(192 << 10),
    Row::token("token_chunk_of_2_63", TIMED_OUT, |guest| {
        guest.send(format!("{CHUNKED}7fffffffffffffff\r\n{{"))?;
        Ok(End::Held)
    })
    .within(PATIENCE),
    Row::token("token_chunk_of_no_number", PROTOCOL, |guest| {
        guest.send(format!("{CHUNKED}five\r\n     \r\n"))?;
        Ok(End::Held)
    }),
    Row::token("token_chunk_extension_without_end", PROTOCOL, |guest| {
        guest.send(format!("{CHUNKED}5;"))?;
        guest.flood("a")?;
        Ok(End::Held)
    }),
    Row::token("token_redirect_301", http(301), |guest| redirect(guest, 301)),
    Row::token("token_redirect_302", http(302), |guest| redirect(guest, 302)),
    Row::token("token_redirect_307", http(307), |guest| redirect(guest, 307)),
    Row::token("token_redirect_308", http(308), |guest| redirect(guest, 308)),
    Row::token("token_gzip_not_asked_for", not_json(1), |guest| {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
        std::io::Write::write_all(&mut gzip, servers("{}", 1).as_bytes())?;
        let body = gzip.finish()?;
        let length = body.len();
        guest.send(format!("{OK}Content-Encoding: gzip\r\nContent-Length: {length}\r\n\r\n"))?;
        guest.send(body)?;
        Ok(End::Held)
    }),
    Row::token("token_captive_portal", not_json(1), |guest| answer(guest, PORTAL)),
    Row::token("token_empty", not_json(0), |guest| answer(guest, "")),
    Row::token("token_cut_off_inside_json", not_json(30), |guest| {
        answer(guest, r#"{"code":"200000","data":{"toke"#)
    }),
    Row::token("token_cut_off_inside_body", EOF, |guest| {
        guest.send(format!("{OK}Content-Length: 1000\r\n\r\n{{\"code\""))?;
        Ok(End::Cut)
    }),
    // The library takes a reset for the end.
    Row::token("token_reset_inside_body", EOF, |guest| {
        guest.send(format!("{OK}Content-Length: 1000\r\n\r\n{{\"code\""))?;
        // What was sent is read before a reset is noticed, or lost with it.
        crate::rig::stay_away(50 * MS);
        Ok(End::Reset)
    }),
    Row::token("token_cut_off_at_once", EOF, |_| Ok(End::Cut)),
    Row::token("token_of_another_protocol", PROTOCOL, |guest| {
        guest.send("SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n")?;
        Ok(End::Held)
    }),
    Row::token("token_noise", PROTOCOL, |guest| {
        guest.send((0..4096_u32).map(|at| (at * 167 % 251) as u8).collect::<Vec<_>>())?;
        Ok(End::Held)
    }),
    // What is passed over is passed over without recursion.
    Row::token("token_nested_deeply", not_json(60_000), |guest| answer(guest, "[".repeat(60_000)))
        .cap(256 << 10),
    Row::token("token_ten_thousand_servers", no_server(), |guest| {
        answer(guest, servers(r#"{"endpoint":"wss://1"}"#, 2_500))
    })
    .cap(512 << 10),
    Row::token("token_for_another_host", no_server(), |guest| {
        answer(guest, servers(r#"{"endpoint":"wss://kucoin.com.evil.example/"}"#, 16))
    }),
    Row::token("token_a_byte_at_a_time", EOF, |guest| {
        guest.forward(1)?;
        Ok(End::Held)
    })
    .does_no_harm(),
    Row::token("token_with_a_forged_answer_behind", EOF, |guest| {
        // In the same packet, so that it may lie in a buffer when the connection is used again.
        let real = guest.fetch()?.replace("connection: close\r\n", "");
        let forged = r#"{"code":"200000","data":{"forged":true}}"#;
        let head = OK.replace("Connection: close\r\n", "");
        let length = forged.len();
        guest.send(format!("{real}{head}Content-Length: {length}\r\n\r\n{forged}"))?;
        Ok(End::Held)
    })
    .does_no_harm(),
];

const fn http(status: u16) -> RestError {
    RestError::Http { status, words: None }
}

const fn not_json(at: u32) -> RestError {
    RestError::Wire(WireError::NotJson { at })
}

const fn no_server() -> RestError {
    RestError::Wire(WireError::NoUsableServer)
}

const fn failed(error: RestError) -> BookDelayReason {
    BookDelayReason::SnapshotFailed(error)
}

/// Most bytes of a snapshot.
const SNAPSHOT: usize = 8 << 20;

pub(super) const SNAPSHOTS: &[Row] = &[
    Row::snapshot("snapshot_without_end", failed(TOO_LARGE), |guest| {
        guest.send(format!("{OK}\r\n"))?;
        guest.flood(" ")?;
        Ok(End::Held)
    })
    // Its buffer is copied to one of twice the size when it is full.
    .cap(3 * SNAPSHOT + (128 << 10)),
    Row::snapshot("snapshot_drips", failed(TIMED_OUT), |guest| {
        guest.send(format!("{OK}Content-Length: 1000\r\n\r\n"))?;
        guest.drip([b' '; 1000], DRIP)?;
        Ok(End::Held)
    })
    .within(Duration::from_secs(2)),
    Row::snapshot("snapshot_captive_portal", failed(not_json(1)), |guest| answer(guest, PORTAL)),
    Row::snapshot("snapshot_reset_inside_body", failed(EOF), |guest| {
        guest.send(format!("{OK}Content-Length: 1000\r\n\r\n{{\"code\""))?;
        crate::rig::stay_away(50 * MS);
        Ok(End::Reset)
    }),
    Row::snapshot(
        "snapshot_of_another_contract",
        BookDelayReason::SnapshotMalformed(WireError::Mismatch { field: "symbol" }),
        |guest| {
            answer(
                guest,
                r#"{"code":"200000","data":{"sequence":9,"symbol":"ETHUSDTM","bids":[],"asks":[],"ts":1}}"#,
            )
        },
    ),
    Row::snapshot(
        "snapshot_out_of_order",
        BookDelayReason::SnapshotMalformed(WireError::Disordered { field: "asks" }),
        |guest| {
            let real = guest.fetch()?;
            let sequence =
                real.split_once(r#""sequence":"#).and_then(|(_, rest)| rest.split_once(','));
            let (sequence, _) = sequence.unwrap_or_default();
            let levels = vec!["[1.0,1],[3.0,1],[2.0,1]"; 30_000].join(",");
            let rest = format!(r#""symbol":"XBTUSDTM","bids":[],"asks":[{levels}]"#);
            let data = format!(r#"{{"sequence":{sequence},{rest},"ts":1}}"#);
            answer(guest, format!(r#"{{"code":"200000","data":{data}}}"#))
        },
    )
    .cap(4 << 20),
];
