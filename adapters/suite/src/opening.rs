//! The way to a connection, and what can lie in it: each trouble has its class and its deadline.

use std::net::TcpListener;
use std::time::Duration;

use kucoin_futures_proto::{
    DisconnectReason, Event, LineEvent, RestError, TransportError, WireError, WordsId,
};
use kucoin_futures_sim::Fault;

use crate::case::{Case, cases};
use crate::feed::Feed;
use crate::peer::Peer;
use crate::rig::*;
use crate::tls::down_by;

pub(crate) fn cases<F: Feed>() -> Vec<Case> {
    let mut cases = cases![BOTH:
        a_refused_upgrade_is_tried_again,
        nobody_listening_is_refused,
        a_host_that_is_not_known_is_dns,
        a_rest_host_that_is_not_known_is_dns,
        a_slow_upgrade_is_given_up_in_time,
        a_server_that_accepts_and_says_nothing_is_given_up_in_time,
        a_welcome_that_does_not_come_is_given_up_in_time,
        an_answer_that_drips_is_cut_off_in_time,
        a_web_page_and_a_rate_limit_are_told_apart,
        an_expired_token_is_replaced_at_once,
    ];
    cases.extend(cases![PLAIN:
        a_frame_that_claims_to_be_endless_is_refused,
        an_answer_that_is_no_upgrade_is_a_broken_protocol,
    ]);
    cases
}

fn a_refused_upgrade_is_tried_again<F: Feed>(wire: Wire) {
    let rig = Rig::new(wire, 50.0);
    rig.inject(Fault::Refuse { span: 300 * MS });
    let (mut feed, _) = rig.book_feed::<F>();
    wait_for(&mut feed, "refused", |event| {
        matches!(down_by(event), Some(TransportError::Upgrade { status: 503, .. }))
    });
    until_live(&mut feed);
}

/// REST is answered by the simulation; its tokens lead elsewhere.
fn led_to(wire: Wire, endpoint: String) -> Rig {
    let rig = Rig::new(wire, 0.0);
    rig.server.with(|exchange, _| exchange.set_endpoint(endpoint));
    rig
}

/// Where nobody listens: a port that was just given back.
fn nobodys_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn scheme(wire: Wire) -> &'static str {
    match wire {
        Wire::Plain => "ws",
        Wire::Tls => "wss",
    }
}

fn nobody_listening_is_refused<F: Feed>(wire: Wire) {
    let rig = led_to(wire, format!("{}://127.0.0.1:{}/", scheme(wire), nobodys_port()));
    let (mut feed, _) = rig.book_feed::<F>();
    let took =
        wait_for(&mut feed, "refused", |event| down_by(event) == Some(TransportError::Refused));
    assert!(took < SLACK, "{took:?}");
    let refused = RestError::Lost(TransportError::Refused);
    let mut options = rig.options();
    options.config = config_of(&format!("http://127.0.0.1:{}", nobodys_port()));
    let (mut feed, _) = book_feed::<F>(options);
    let no_token = |event: &Event| matches!(event, Event::Line(_, LineEvent::TokenFailed(reason)) if *reason == refused);
    wait_for(&mut feed, "no token", no_token);
}

/// A name may have 253 characters: a longer one is refused by the resolver before it asks anybody.
fn no_such_host() -> String {
    format!("{}kucoin.com", format!("{}.", "x".repeat(60)).repeat(5))
}

fn a_host_that_is_not_known_is_dns<F: Feed>(wire: Wire) {
    let rig = led_to(wire, format!("wss://{}/", no_such_host()));
    let (mut feed, _) = rig.book_feed::<F>();
    let took = wait_for(&mut feed, "dns", |event| down_by(event) == Some(TransportError::Dns));
    assert!(took < SLACK, "{took:?}");
}

fn a_rest_host_that_is_not_known_is_dns<F: Feed>(wire: Wire) {
    let mut options = Rig::new(wire, 0.0).options();
    options.config = config_of(&format!("https://{}", no_such_host()));
    let (mut feed, _) = book_feed::<F>(options);
    let dns = RestError::Lost(TransportError::Dns);
    wait_for(
        &mut feed,
        "dns",
        |event| matches!(event, Event::Line(_, LineEvent::TokenFailed(reason)) if *reason == dns),
    );
}

fn config_of(rest: &str) -> kucoin_futures_proto::Config {
    kucoin_futures_proto::Config::with_rest(rest).unwrap()
}

/// Waits for a line that goes down for that reason, within that time.
fn goes_down<F: Feed>(feed: &mut F, reason: DisconnectReason, within: Duration) {
    let took = wait_for(
        feed,
        "down",
        |event| matches!(event, Event::Line(_, LineEvent::Down { reason: why, .. }) if *why == reason),
    );
    assert!(took < within + SLACK, "{reason:?} after {took:?}");
}

fn a_slow_upgrade_is_given_up_in_time<F: Feed>(wire: Wire) {
    let rig = Rig::new(wire, 50.0);
    rig.inject(Fault::SlowConnect { delay: 30 * SECOND, count: 1 });
    let mut options = rig.options();
    options.config.timeouts.connect = 500 * MS;
    let (mut feed, topic) = book_feed::<F>(options);
    goes_down(&mut feed, DisconnectReason::ConnectTimeout, 500 * MS);
    until_live(&mut feed);
    assert!(rig.is_equal(feed.book(topic).unwrap()));
}

fn a_server_that_accepts_and_says_nothing_is_given_up_in_time<F: Feed>(wire: Wire) {
    let mute = TcpListener::bind("127.0.0.1:0").unwrap();
    let rig = led_to(wire, format!("{}://{}/", scheme(wire), mute.local_addr().unwrap()));
    let mut options = rig.options();
    options.config.timeouts.connect = 500 * MS;
    let (mut feed, _) = book_feed::<F>(options);
    goes_down(&mut feed, DisconnectReason::ConnectTimeout, 500 * MS);
}

fn a_welcome_that_does_not_come_is_given_up_in_time<F: Feed>(wire: Wire) {
    // The upgrade is answered, then nothing is: a frozen exchange that thaws for a moment.
    let rig = Rig::new(wire, 50.0);
    let peer = Peer::mute();
    rig.server.with(|exchange, _| exchange.set_endpoint(peer.endpoint()));
    let mut options = rig.options();
    options.config.timeouts.welcome = 500 * MS;
    let (mut feed, _) = book_feed::<F>(options);
    goes_down(&mut feed, DisconnectReason::WelcomeTimeout, 500 * MS);
}

fn an_answer_that_drips_is_cut_off_in_time<F: Feed>(wire: Wire) {
    let rig = Rig::new(wire, 50.0);
    rig.inject(Fault::Drip { pause: 100 * MS, count: 1 });
    let mut options = rig.options();
    options.config.timeouts.fetch = SECOND;
    let (mut feed, topic) = book_feed::<F>(options);
    let slow = RestError::Lost(TransportError::TimedOut);
    let took = wait_for(
        &mut feed,
        "cut off",
        |event| matches!(event, Event::Line(_, LineEvent::TokenFailed(reason)) if *reason == slow),
    );
    assert!(took < SECOND + SLACK, "for the whole, not for each read: {took:?}");
    until_live(&mut feed);
    assert!(rig.is_equal(feed.book(topic).unwrap()));
}

fn a_web_page_and_a_rate_limit_are_told_apart<F: Feed>(wire: Wire) {
    let rig = Rig::new(wire, 50.0);
    rig.inject(Fault::Html { count: 1 });
    let (mut feed, _) = rig.book_feed::<F>();
    wait_for(&mut feed, "a page", |event| {
        let page = RestError::Wire(WireError::NotJson { at: 1 });
        matches!(event, Event::Line(_, LineEvent::TokenFailed(reason)) if *reason == page)
    });
    rig.inject(Fault::TooManyRequests { reset: SECOND, count: 1 });
    wait_for(&mut feed, "a limit", |event| {
        let limited = |reason| {
            matches!(reason, RestError::RateLimited { retry_after: Some(SECOND), status: 429, .. })
        };
        matches!(event, Event::Line(_, LineEvent::TokenFailed(reason)) if limited(*reason))
    });
    let took = until_live(&mut feed);
    assert!(took >= SECOND - 50 * MS, "the server's reset is a floor: {took:?}");
}

fn an_expired_token_is_replaced_at_once<F: Feed>(wire: Wire) {
    let rig = Rig::new(wire, 50.0);
    let mut options = rig.options();
    // Whoever backs off here is found out.
    options.config.backoff.base = 60 * SECOND;
    rig.inject(Fault::ExpireToken { count: 1 });
    let (mut feed, _) = book_feed::<F>(options);
    let words = Some(WordsId::new(1));
    goes_down(&mut feed, DisconnectReason::Unauthorized { words }, Duration::ZERO);
    until_live(&mut feed);
    assert_eq!((feed.stats().tokens, feed.stats().unauthorized), (2, 1));
}

fn a_frame_that_claims_to_be_endless_is_refused<F: Feed>(wire: Wire) {
    let peer = Peer::saying(vec![0x81, 127, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);
    let rig = led_to(wire, peer.endpoint());
    let (mut feed, _) = rig.book_feed::<F>();
    let took =
        wait_for(&mut feed, "too large", |event| down_by(event) == Some(TransportError::TooLarge));
    assert!(took < SLACK, "{took:?}");
}

fn an_answer_that_is_no_upgrade_is_a_broken_protocol<F: Feed>(wire: Wire) {
    let peer = Peer::answering(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: wrong\r\n\r\n",
    );
    let rig = led_to(wire, peer.endpoint());
    let (mut feed, _) = rig.book_feed::<F>();
    wait_for(&mut feed, "protocol", |event| down_by(event) == Some(TransportError::Protocol));
}
