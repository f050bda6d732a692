//! What can be wrong with the answer to an upgrade.

use std::time::Duration;

use kucoin_futures_proto::{DisconnectReason, TransportError};

use super::guest::{End, Guest};
use super::row::{PATIENCE, Row};

const fn status(status: u16) -> TransportError {
    TransportError::Upgrade { status, retry_after: None }
}

fn answer(guest: &mut Guest<'_>, status: &str) -> std::io::Result<End> {
    guest.send(format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n"))?;
    Ok(End::Held)
}

const SWITCHING: &str = "HTTP/1.1 101 Switching Protocols\r\n";
const DRIP: Duration = Duration::from_millis(100);

pub(super) const UPGRADES: &[Row] = &[
    Row::upgrade("upgrade_200", status(200), |guest| answer(guest, "200 OK")),
    Row::upgrade("upgrade_redirect_301", status(301), |guest| {
        answer(guest, "301 Moved Permanently\r\nLocation: ws://127.0.0.1:1/")
    }),
    Row::upgrade("upgrade_404", status(404), |guest| answer(guest, "404 Not Found")),
    Row::upgrade("upgrade_426", status(426), |guest| answer(guest, "426 Upgrade Required")),
    Row::upgrade("upgrade_500_with_a_page_without_end", status(500), |guest| {
        guest.send("HTTP/1.1 500 Internal Server Error\r\nContent-Type: text/html\r\n\r\n")?;
        guest.flood("<p>sorry</p>")?;
        Ok(End::Held)
    }),
    Row::upgrade("upgrade_captive_portal", status(200), |guest| {
        guest.send("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html>Log in</html>")?;
        Ok(End::Cut)
    }),
    Row::upgrade("upgrade_headers_without_end", TransportError::TooLarge, |guest| {
        guest.send(SWITCHING)?;
        guest.flood(format!("X-Pad: {}\r\n", "a".repeat(2000)))?;
        Ok(End::Held)
    }),
    Row::upgrade("upgrade_headers_beyond_count", TransportError::Protocol, |guest| {
        guest.send(SWITCHING)?;
        guest.flood("a: b\r\n")?;
        Ok(End::Held)
    }),
    Row::upgrade("upgrade_header_without_end", TransportError::TooLarge, |guest| {
        guest.send(SWITCHING)?;
        guest.flood("X-Pad-")?;
        Ok(End::Held)
    }),
    Row::upgrade("upgrade_drips", TransportError::Eof, |guest| {
        guest.drip(SWITCHING.repeat(2), DRIP)?;
        Ok(End::Held)
    })
    .ends(DisconnectReason::ConnectTimeout)
    .within(PATIENCE),
    Row::upgrade("upgrade_never_answered", TransportError::Eof, |_| Ok(End::Held))
        .ends(DisconnectReason::ConnectTimeout)
        .within(PATIENCE),
    Row::upgrade("upgrade_hints_without_end", TransportError::Protocol, |guest| {
        guest.flood("HTTP/1.1 103 Early Hints\r\n\r\n")?;
        Ok(End::Held)
    }),
    Row::upgrade("upgrade_with_a_wrong_key", TransportError::Protocol, |guest| {
        guest.head = guest.head.replace("Sec-WebSocket-Key: ", "Sec-WebSocket-Key: x");
        guest.upgrade("")?;
        Ok(End::Held)
    }),
    Row::upgrade("upgrade_with_compression_not_offered", TransportError::Protocol, |guest| {
        guest.upgrade("Sec-WebSocket-Extensions: permessage-deflate\r\n")?;
        guest.welcome()?;
        Ok(End::Held)
    }),
    Row::upgrade("upgrade_with_a_protocol_not_offered", TransportError::Protocol, |guest| {
        guest.upgrade("Sec-WebSocket-Protocol: chat\r\n")?;
        guest.welcome()?;
        Ok(End::Held)
    }),
    Row::upgrade("upgrade_of_http_1_0", TransportError::Protocol, |guest| {
        guest.send(SWITCHING.replace("1.1", "1.0"))?;
        guest.send("Upgrade: websocket\r\nConnection: Upgrade\r\n\r\n")?;
        Ok(End::Held)
    }),
    Row::upgrade("upgrade_of_another_protocol", TransportError::Protocol, |guest| {
        guest.send("SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n")?;
        Ok(End::Held)
    }),
    Row::upgrade("upgrade_noise", TransportError::Protocol, |guest| {
        guest.send((0..4096_u32).map(|at| (at * 167 % 251) as u8).collect::<Vec<_>>())?;
        Ok(End::Held)
    }),
    Row::upgrade("upgrade_cut_off_at_once", TransportError::Eof, |_| Ok(End::Cut)),
    Row::upgrade("upgrade_cut_off_inside", TransportError::Eof, |guest| {
        guest.send(SWITCHING)?;
        Ok(End::Cut)
    }),
    Row::upgrade("upgrade_reset", TransportError::Reset, |_| Ok(End::Reset)),
];
