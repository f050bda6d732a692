//! Hosts with many addresses, most of them dead: one costs a tenth of a second, and only once.

use std::time::Duration;

use kucoin_futures_host::{Clock, Rest, RestOutcome, Roots};
use kucoin_futures_proto::{
    Config, DisconnectReason, Event, Instant, LineEvent, RequestId, RestBase, RestRequest, Sign,
};
use kucoin_futures_sim::Fault;

use crate::black_hole::{BlackHole, localhost_at};
use crate::case::{Case, PLAIN, cases};
use crate::feed::Feed;
use crate::peer::Peer;
use crate::rig::*;

pub(crate) fn cases<F: Feed>() -> Vec<Case> {
    cases![BOTH:
        a_socket_reaches_the_one_good_address_of_ten,
        a_socket_tries_last_what_was_dead_for_rest,
        a_host_of_dead_addresses_is_given_up_in_time,
    ]
}

/// The same for REST alone, which needs no runtime.
pub(crate) fn rest_cases() -> Vec<Case> {
    let name = "rest_reaches_the_one_good_address_of_ten";
    vec![Case { name, run: rest_reaches_the_one_good_address_of_ten, wires: PLAIN }]
}

/// For nine dead addresses: one after the other, but not long.
const SOON: Duration = Duration::from_secs(2);
/// The ninth begins after 0.8 s, and the good one 0.1 s later.
const NINE: Duration = Duration::from_millis(900);
/// For the good one alone, on a busy machine.
const AT_ONCE: Duration = Duration::from_millis(600);

fn until_up<F: Feed>(feed: &mut F) -> Duration {
    wait_for(feed, "up", |event| matches!(event, Event::Line(_, LineEvent::Up { .. })))
}

fn a_socket_reaches_the_one_good_address_of_ten<F: Feed>(wire: Wire) {
    let (rig, holes) = (Rig::new(wire, 0.0), BlackHole::many(9));
    // REST has an address without a name.
    rig.server.with(|exchange, _| exchange.set_endpoint(format!("{}://localhost:1/", rig.ws())));
    let mut options = rig.options();
    options.resolve = localhost_at(&holes, Some(rig.server.addr()));
    let (mut feed, _) = book_feed::<F>(options);
    let took = until_up(&mut feed);
    println!("first: {took:?}");
    assert!(took >= NINE && took < SOON, "{took:?}");
    rig.inject(Fault::Reset {});
    let down = |event: &Event| matches!(event, Event::Line(_, LineEvent::Down { .. }));
    wait_for(&mut feed, "down", down);
    let took = until_up(&mut feed);
    println!("second: {took:?}");
    assert!(took < AT_ONCE, "{took:?}");
}

fn a_socket_tries_last_what_was_dead_for_rest<F: Feed>(wire: Wire) {
    let (rig, holes) = (Rig::new(wire, 0.0), BlackHole::many(14));
    rig.server.with(|exchange, _| exchange.set_endpoint(format!("{}://localhost:1/", rig.ws())));
    let mut options = rig.options();
    options.config = Config::with_rest(&format!("{}://localhost:1", rig.http())).unwrap();
    options.resolve = localhost_at(&holes, Some(rig.server.addr()));
    let (mut feed, _) = book_feed::<F>(options);
    let (took, once) = (until_up(&mut feed), 1400 * MS);
    assert!(took >= once && took < once + 2 * AT_ONCE, "{took:?}: twice would be 2.8 s");
}

fn a_host_of_dead_addresses_is_given_up_in_time<F: Feed>(wire: Wire) {
    let (rig, holes) = (Rig::new(wire, 0.0), BlackHole::many(2));
    rig.server.with(|exchange, _| exchange.set_endpoint(format!("{}://localhost:1/", rig.ws())));
    let mut options = rig.options();
    options.config.timeouts.connect = 500 * MS;
    options.resolve = localhost_at(&holes, None);
    let (mut feed, _) = book_feed::<F>(options);
    let took = wait_for(&mut feed, "given up", |event| {
        let reason = DisconnectReason::ConnectTimeout;
        matches!(event, Event::Line(_, LineEvent::Down { reason: why, .. }) if *why == reason)
    });
    assert!(took < 500 * MS + SLACK, "{took:?}");
}

fn rest_reaches_the_one_good_address_of_ten(_: Wire) {
    let holes = BlackHole::many(9);
    // No connection is kept: each request makes one.
    let peer = Peer::answering("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    let resolve = localhost_at(&holes, Some(peer.addr()));
    let rest = Rest::with_resolve(&Roots::Public, None, resolve);
    let base = RestBase::new("http://localhost:1").unwrap();
    let fetch = RestRequest::bullet_private(RequestId::new(1), &base, PATIENCE, Sign::No);
    let took = || {
        let clock = Clock::new();
        let outcome = rest.perform(&fetch);
        assert!(matches!(outcome, RestOutcome::Reply(..)), "{outcome:?}");
        clock.now().since(Instant::ZERO)
    };
    let (first, second) = (took(), took());
    println!("first: {first:?}, second: {second:?}");
    assert!(first >= NINE && first < SOON, "{first:?}");
    assert!(second < AT_ONCE, "{second:?}");
}
