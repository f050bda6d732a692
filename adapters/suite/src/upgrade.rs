//! The ways in which a server may answer the upgrade.
//!
//! Each answer has the welcome in the same packet: the line is up only if that was not lost.

use std::time::Duration;

use kucoin_futures_proto::{Event, LineEvent, TransportError};

use crate::case::{Case, cases};
use crate::feed::Feed;
use crate::peer::Peer;
use crate::rig::*;
use crate::tls::down_by;

pub(crate) fn cases<F: Feed>() -> Vec<Case> {
    cases![PLAIN:
        an_upgrade_beside_keep_alive_is_taken,
        an_upgrade_in_other_letters_is_taken,
        an_upgrade_after_early_hints_is_taken,
        an_upgrade_says_what_it_is,
        an_upgrade_without_the_right_key_is_refused,
        an_upgrade_that_hints_without_end_is_refused,
        an_upgrade_that_is_put_off_is_put_off,
    ]
}

const RIGHT: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\
    Connection: Upgrade\r\nSec-WebSocket-Accept: ACCEPT\r\n\r\n";

/// A feed whose upgrades are answered with what this makes of the request, and the welcome.
fn answered<F: Feed>(answer: fn(&str) -> String) -> (Rig, F) {
    let rig = Rig::new(Wire::Plain, 0.0);
    let peer = Peer::upgrading(answer);
    rig.server.with(|exchange, _| exchange.set_endpoint(peer.endpoint()));
    let (feed, _) = rig.book_feed::<F>();
    (rig, feed)
}

fn is_up<F: Feed>(answer: fn(&str) -> String) {
    let (_rig, mut feed) = answered::<F>(answer);
    let mut first = None;
    let took = wait_for(&mut feed, "up or down", |event| {
        first = Some(*event);
        matches!(event, Event::Line(_, LineEvent::Up { .. } | LineEvent::Down { .. }))
    });
    assert!(matches!(first, Some(Event::Line(_, LineEvent::Up { .. }))), "{first:?}");
    assert!(took < SLACK, "{took:?}");
}

fn is_refused<F: Feed>(answer: fn(&str) -> String, error: TransportError) {
    let (_rig, mut feed) = answered::<F>(answer);
    let took: Duration = wait_for(&mut feed, "refused", |event| down_by(event) == Some(error));
    assert!(took < SLACK, "{took:?}");
}

fn an_upgrade_beside_keep_alive_is_taken<F: Feed>(_: Wire) {
    is_up::<F>(|_| RIGHT.replace("Connection: Upgrade", "Connection: keep-alive, Upgrade"));
}

fn an_upgrade_in_other_letters_is_taken<F: Feed>(_: Wire) {
    is_up::<F>(|_| {
        RIGHT
            .replace("Connection: Upgrade", "CONNECTION:upgrade")
            .replace("Upgrade: websocket", "upgrade: WebSocket")
            .replace("Sec-WebSocket-Accept", "sec-websocket-accept")
    });
}

fn an_upgrade_after_early_hints_is_taken<F: Feed>(_: Wire) {
    let hints = |_: &str| {
        let early = "HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n";
        format!("HTTP/1.1 100 Continue\r\n\r\n{early}{RIGHT}")
    };
    is_up::<F>(hints);
}

/// As a firewall in front of an exchange has it.
fn an_upgrade_says_what_it_is<F: Feed>(_: Wire) {
    is_up::<F>(|request| {
        let named = request.contains("\r\nUser-Agent: kucoin-futures/");
        if named { RIGHT.into() } else { "HTTP/1.1 403 Forbidden\r\n\r\n".into() }
    });
}

fn an_upgrade_without_the_right_key_is_refused<F: Feed>(_: Wire) {
    is_refused::<F>(|_| RIGHT.replace("ACCEPT", "x"), TransportError::Protocol);
    let without = |_: &str| RIGHT.replace("Sec-WebSocket-Accept: ACCEPT\r\n", "");
    is_refused::<F>(without, TransportError::Protocol);
}

fn an_upgrade_that_hints_without_end_is_refused<F: Feed>(_: Wire) {
    let hints = |_: &str| "HTTP/1.1 103 Early Hints\r\n\r\n".repeat(10) + RIGHT;
    is_refused::<F>(hints, TransportError::Protocol);
}

/// Until a date of the server's own clock, which is years off.
fn an_upgrade_that_is_put_off_is_put_off<F: Feed>(_: Wire) {
    let (_rig, mut feed) = answered::<F>(|_| {
        "HTTP/1.1 503 Service Unavailable\r\nDate: Wed, 01 Jan 2020 00:00:00 GMT\r\n\
         Retry-After: Wed, 01 Jan 2020 00:00:09 GMT\r\n\r\n"
            .into()
    });
    let mut waits = None;
    wait_for(&mut feed, "waiting", |event| {
        if let Event::Line(_, LineEvent::Waiting { delay, failures }) = event {
            waits = Some((*delay, *failures));
        }
        waits.is_some()
    });
    let (delay, failures) = waits.unwrap();
    assert!(delay >= Duration::from_secs(9) && delay <= Duration::from_secs(10), "{delay:?}");
    assert_eq!(failures, 0, "who names a wait works");
}
