//! Certificates: a good chain is believed, and nothing else is.

use kucoin_futures_host::Roots;
use kucoin_futures_proto::{Event, LineEvent, RestError, TransportError};
use kucoin_futures_sim::Flaw;

use crate::case::{Case, cases};
use crate::feed::Feed;
use crate::rig::*;

pub(crate) fn cases<F: Feed>() -> Vec<Case> {
    cases![TLS:
        an_expired_certificate_is_refused,
        a_certificate_for_another_host_is_refused,
        an_unknown_authority_is_refused,
        a_socket_with_another_certificate_than_rest_is_refused,
    ]
}

fn an_expired_certificate_is_refused<F: Feed>(wire: Wire) {
    let rig = Rig::with_flaw(wire, 0.0, Some(Flaw::Expired));
    is_refused::<F>(&rig, rig.roots());
}

fn a_certificate_for_another_host_is_refused<F: Feed>(wire: Wire) {
    let rig = Rig::with_flaw(wire, 0.0, Some(Flaw::WrongHost));
    is_refused::<F>(&rig, rig.roots());
}

fn an_unknown_authority_is_refused<F: Feed>(wire: Wire) {
    let rig = Rig::new(wire, 0.0);
    is_refused::<F>(&rig, Rig::new(wire, 0.0).roots());
    is_refused::<F>(&rig, Roots::Public);
}

/// REST would be believed, but the token leads to a socket that is not.
fn a_socket_with_another_certificate_than_rest_is_refused<F: Feed>(wire: Wire) {
    let rig = Rig::new(wire, 0.0);
    let expired = Rig::with_flaw(wire, 0.0, Some(Flaw::Expired));
    let endpoint = format!("wss://{}/", expired.server.addr());
    rig.server.with(|exchange, _| exchange.set_endpoint(endpoint));
    let (mut feed, _) = rig.book_feed::<F>();
    wait_for(&mut feed, "refused", |event| down_by(event) == Some(TransportError::Tls));
    assert_eq!(expired.server.with(|exchange, _| exchange.counts().connects), 0);
}

pub(crate) fn down_by(event: &Event) -> Option<TransportError> {
    match event {
        Event::Line(
            _,
            LineEvent::Down { reason: kucoin_futures_proto::DisconnectReason::Lost(error), .. },
        ) => Some(*error),
        _ => None,
    }
}

/// Refused in the class that says so, before any byte of the protocol.
fn is_refused<F: Feed>(rig: &Rig, roots: Roots) {
    let mut options = rig.options();
    options.roots = roots;
    let (mut feed, _) = book_feed::<F>(options);
    let tls = RestError::Lost(TransportError::Tls);
    wait_for(
        &mut feed,
        "refused",
        |event| matches!(event, Event::Line(_, LineEvent::TokenFailed(reason)) if *reason == tls),
    );
    assert_eq!(rig.server.with(|exchange, _| exchange.counts().requests), 0);
}
