//! What can be wrong with TLS, at either door.

use std::io::Read as _;
use std::time::Duration;

use kucoin_futures_proto::{DisconnectReason, RestError, TransportError};
use kucoin_futures_sim::Flaw;

use super::gate::Door;
use super::guest::End;
use super::row::{Act, Class, PATIENCE, Row};

const DRIP: Duration = Duration::from_millis(100);

/// How it ends if nothing comes in time.
const fn late(door: Door) -> Class {
    match door {
        Door::Rest => Class::Token(RestError::Lost(TransportError::TimedOut)),
        Door::Socket => Class::Line(DisconnectReason::ConnectTimeout),
    }
}

const fn lost(door: Door, error: TransportError) -> Class {
    match door {
        Door::Rest => Class::Token(RestError::Lost(error)),
        Door::Socket => Class::Line(DisconnectReason::Lost(error)),
    }
}

/// The beginning of a record that announces more than a record may have.
const TOO_LONG: [u8; 5] = [0x16, 0x03, 0x03, 0xff, 0xff];
/// Fatal: the handshake failed.
const ALERT: [u8; 7] = [0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x28];

const PLAIN: Act = |guest| {
    guest.send("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")?;
    Ok(End::Held)
};

/// A row at each door.
macro_rules! doors {
    ($rest:literal, $socket:literal: |$door:ident, $name:ident| $row:expr) => {
        [
            {
                const fn row($door: Door, $name: &'static str) -> Row {
                    $row
                }
                row(Door::Rest, $rest)
            },
            {
                const fn row($door: Door, $name: &'static str) -> Row {
                    $row
                }
                row(Door::Socket, $socket)
            },
        ]
    };
}

pub(super) const CERTIFICATES: &[[Row; 2]] = &[
    doors!("rest_certificate_expired", "socket_certificate_expired":
        |door, name| Row::certificate(name, door, Some(Flaw::Expired))),
    doors!("rest_certificate_not_yet_valid", "socket_certificate_not_yet_valid":
        |door, name| Row::certificate(name, door, Some(Flaw::NotYetValid))),
    doors!("rest_certificate_for_another_host", "socket_certificate_for_another_host":
        |door, name| Row::certificate(name, door, Some(Flaw::WrongHost))),
    doors!("rest_certificate_without_names", "socket_certificate_without_names":
        |door, name| Row::certificate(name, door, Some(Flaw::NoNames))),
    doors!("rest_certificate_for_clients", "socket_certificate_for_clients":
        |door, name| Row::certificate(name, door, Some(Flaw::ForClients))),
    doors!("rest_certificate_by_a_server", "socket_certificate_by_a_server":
        |door, name| Row::certificate(name, door, Some(Flaw::ByAServer))),
    doors!("rest_certificate_self_signed", "socket_certificate_self_signed":
        |door, name| Row::certificate(name, door, Some(Flaw::SelfSigned))),
    doors!("rest_certificate_of_an_unknown_authority", "socket_certificate_of_an_unknown_authority":
        |door, name| Row::certificate(name, door, None)),
];

pub(super) const GREETINGS: &[[Row; 2]] = &[
    doors!("rest_tls_never_answered", "socket_tls_never_answered":
        |door, name| Row::greeting(name, door, |_| Ok(End::Held)).is(late(door)).within(PATIENCE)),
    doors!("rest_tls_drips", "socket_tls_drips":
        |door, name| Row::greeting(name, door, |guest| {
            guest.drip([[0x16, 0x03, 0x03, 0x01, 0x00], [0; 5]].concat().repeat(30), DRIP)?;
            Ok(End::Held)
        }).is(late(door)).within(PATIENCE)),
    doors!("rest_plain_http_where_tls_belongs", "socket_plain_http_where_tls_belongs":
        |door, name| Row::greeting(name, door, PLAIN)),
    doors!("rest_tls_record_too_long", "socket_tls_record_too_long":
    |door, name| Row::greeting(name, door, |guest| {
        guest.send(TOO_LONG)?;
        guest.flood([0])?;
        Ok(End::Held)
    })),
    doors!("rest_tls_alert", "socket_tls_alert":
        |door, name| Row::greeting(name, door, |guest| { guest.send(ALERT)?; Ok(End::Held) })),
    doors!("rest_tls_cut_off", "socket_tls_cut_off":
        |door, name| Row::greeting(name, door, |guest| {
            // What lies unread when a socket is closed makes a reset of it.
            let _ = guest.io.read(&mut [0; 4096])?;
            Ok(End::Cut)
        }).is(lost(door, TransportError::Eof))),
    doors!("rest_tls_empty_records_without_end", "socket_tls_empty_records_without_end":
    |door, name| Row::greeting(name, door, |guest| {
        guest.flood([0x16, 0x03, 0x03, 0x00, 0x00])?;
        Ok(End::Held)
    })),
];
