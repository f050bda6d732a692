//! Clients of a served recording, over real sockets: what they are shown is what was recorded.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]

mod listener;
mod simulated;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use kucoin_futures_data::Sink;
use kucoin_futures_data::serve::{ReplayServer, ServeOptions, Speed, Tape, serve};
use kucoin_futures_host::{Clock, Roots};
use kucoin_futures_proto::{BookLostReason, Query, UnixNanos};
use kucoin_futures_sim::{Authority, Plan};

use listener::{Listener, get, post, serve_at, serve_paused, verify};
use simulated::Session;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const XBT: &str = "XBTUSDTM";
const ETH: &str = "ETHUSDTM";

fn ten() -> Speed {
    Speed::times(10).unwrap()
}

fn later(server: &ReplayServer, seconds: u64) -> UnixNanos {
    UnixNanos::from_nanos(server.status().began.as_nanos() + seconds * 1_000_000_000)
}

#[test]
fn two_clients_have_the_recorded_books_at_ten_times_the_pace() {
    let session = Session::of(&[XBT, ETH], 5 * MINUTE);
    let server = serve_at(&session, ten());
    let mut one = Listener::new(&server, &[XBT]);
    let mut both = Listener::new(&server, &[XBT, ETH]);
    one.until_live();
    both.until_live();
    for _ in 0..5 {
        one.run_for(SECOND / 2);
        both.run_for(SECOND / 2);
    }
    for listener in [&one, &both] {
        assert_eq!(listener.lost, [], "nothing was missed");
        listener.check_digest(&server);
    }
    // 20 changes a second of each book, ten times as fast.
    assert!(one.deltas > 400, "{}", one.deltas);
    assert_eq!((server.status().violations, server.dropped()), (0, 0));
    let compared = verify(&session, [one.samples, both.samples].concat());
    assert!(compared > 60, "{compared}");
}

#[test]
fn a_pause_is_one_and_a_new_pace_holds_at_once() {
    let session = Session::of(&[XBT], 10 * MINUTE);
    let server = serve_at(&session, ten());
    let mut listener = Listener::new(&server, &[XBT]);
    listener.until_live();
    post(&server, "pause");
    listener.run_for(SECOND / 4);
    let (deltas, at) = (listener.deltas, server.status().position);
    listener.run_for(SECOND);
    assert_eq!((listener.deltas, server.status().position), (deltas, at));
    assert_eq!(listener.rest_sequence(&server), listener.book(XBT).sequence().get());
    listener.check_digest(&server);
    post(&server, "speed?x=0.5");
    post(&server, "resume");
    listener.run_for(2 * SECOND);
    let moved = server.status().position.as_nanos() - at.as_nanos();
    assert!((900_000_000..2_000_000_000).contains(&moved), "{moved}");
    assert!(listener.deltas > deltas + 5, "{}", listener.deltas);
    assert_eq!(listener.lost, []);
    verify(&session, listener.samples);
}

#[test]
fn a_seek_forward_shows_a_hole_and_the_book_comes_again() {
    let session = Session::of(&[XBT], 60 * MINUTE);
    let server = serve_at(&session, ten());
    let mut listener = Listener::new(&server, &[XBT]);
    listener.until_live();
    let before = listener.book(XBT).sequence().get();
    let to = later(&server, 1800);
    post(&server, &format!("seek?to={}", to.as_millis()));
    listener.until_lost();
    assert!(matches!(listener.lost[..], [BookLostReason::Gap { .. }]), "{:?}", listener.lost);
    assert!(server.status().position >= to);
    listener.until_live();
    listener.run_for(SECOND);
    // 20 a second for half an hour, less what had passed.
    assert!(listener.book(XBT).sequence().get() > before + 30_000);
    listener.check_digest(&server);
    verify(&session, listener.samples);
}

#[test]
fn a_seek_backward_closes_connections_and_begins_anew() {
    let session = Session::of(&[XBT], 30 * MINUTE);
    let server = serve_at(&session, ten());
    server.seek(later(&server, 600));
    let mut listener = Listener::new(&server, &[XBT]);
    listener.until_live();
    listener.run_for(SECOND);
    let ahead = listener.book(XBT).sequence();
    server.seek(later(&server, 60));
    listener.until_lost();
    assert_eq!(listener.lost, [BookLostReason::LineDown]);
    // The client that is still there, and one that never knew better.
    let mut fresh = Listener::new(&server, &[XBT]);
    for listener in [&mut fresh, &mut listener] {
        listener.until_live();
        listener.run_for(SECOND);
        assert!(listener.book(XBT).sequence() < ahead);
        listener.check_digest(&server);
    }
    verify(&session, [fresh.samples, listener.samples].concat());
}

#[test]
fn a_hole_in_the_recording_is_seen_and_healed() {
    let mut session = Session::of(&[XBT, ETH], 5 * MINUTE);
    session.exchange.faults = "at 40s drop XBTUSDTM 3; at 80s close 1001".parse::<Plan>().unwrap();
    let server = serve_at(&session, ten());
    let mut listener = Listener::new(&server, &[XBT, ETH]);
    listener.until_live();
    listener.until_lost();
    assert!(matches!(listener.lost[..], [BookLostReason::Gap { .. }]), "{:?}", listener.lost);
    listener.until_live();
    listener.check_digest(&server);
    // Both books miss what happened while the recorder was not connected.
    listener.until_lost();
    listener.until_live();
    let at = server.status().position;
    assert!(at > later(&server, 80) && at < later(&server, 140), "{at:?}");
    listener.run_for(SECOND);
    assert_eq!(listener.lost.len(), 3, "{:?}", listener.lost);
    let gaps = listener.lost.iter().filter(|lost| matches!(lost, BookLostReason::Gap { .. }));
    assert_eq!(gaps.count(), 3, "{:?}", listener.lost);
    listener.check_digest(&server);
    verify(&session, listener.samples);
}

/// The recorded snapshot was wrong, and the recorded client found out by another one: its book is made anew where it
/// is. The numbers of the changes show no hole.
#[test]
fn who_has_a_book_that_was_found_wrong_is_cut_off() {
    let mut session = Session::of(&[XBT], 5 * MINUTE);
    session.exchange.rate = 0.05;
    session.exchange.faults = "at 0s lie XBTUSDTM 1".parse::<Plan>().unwrap();
    session.config.book.audit_every = MINUTE;
    let server = serve_at(&session, ten());
    let mut listener = Listener::new(&server, &[XBT]);
    listener.until_live();
    listener.until_lost();
    assert_eq!(listener.lost, [BookLostReason::LineDown], "closed, and not a gap");
    listener.until_live();
    listener.run_for(2 * SECOND);
    listener.check_digest(&server);
    assert_eq!(listener.lost.len(), 1, "once is enough");
    verify(&session, listener.samples);
}

#[test]
fn as_fast_as_it_goes_nothing_is_lost_and_the_end_is_quiet() {
    // More frames than a server keeps for a slow reader.
    let session = Session::of(&[XBT, ETH], 40 * MINUTE);
    let server = serve_at(&session, ten());
    let mut listener = Listener::new(&server, &[XBT, ETH]);
    listener.until_live();
    let before = server.status().position;
    server.set_speed(Speed::MAX);
    listener.until(|_| server.status().has_ended);
    listener.run_for(SECOND);
    assert_eq!((&listener.lost[..], server.dropped()), (&[][..], 0));
    let status = server.status();
    let seconds = (status.position.as_nanos() - before.as_nanos()) / 1_000_000_000;
    assert!(seconds > 2000 && listener.deltas as u64 > 35 * seconds, "{seconds}");
    // Open and quiet: pings are answered, requests too.
    let deltas = listener.deltas;
    listener.run_for(2 * SECOND);
    assert_eq!((listener.deltas, &listener.lost[..]), (deltas, &[][..]));
    assert_eq!(server.status().connections, 1);
    assert_eq!(listener.rest_sequence(&server), listener.book(XBT).sequence().get());
    assert_eq!(status.position, server.status().position);
    listener.check_digest(&server);
    verify(&session, listener.samples);
}

#[test]
fn what_cannot_be_said_is_refused_as_something_that_passes() {
    let mut session = Session::of(&[XBT], 5 * MINUTE);
    session.queries.push(Query::ServiceStatus);
    session.exchange.faults = "at 60s close 1001".parse::<Plan>().unwrap();
    let server = serve_paused(&session, ten());
    let snapshot = |symbol: &str| get(&server, &format!("/api/v1/level2/snapshot?symbol={symbol}"));
    assert_eq!(snapshot(XBT).0, 503, "nothing has come yet");
    assert_eq!(get(&server, "/api/v1/contracts/active").0, 503);
    server.seek(later(&server, 10));
    listener::settle(&server);
    assert_eq!(snapshot(XBT).0, 200);
    // The connection of the recorded client has just been closed: what its book was is over.
    server.seek(UnixNanos::from_nanos(later(&server, 60).as_nanos() + 100_000_000));
    listener::settle(&server);
    assert_eq!(snapshot(XBT).0, 503);
    assert_eq!(get(&server, "/api/v1/level2/depth20?symbol=XBTUSDTM").0, 503);
    assert_eq!(get(&server, "/_replay/digest?symbol=XBTUSDTM").0, 400);
    server.seek(later(&server, 70));
    listener::settle(&server);
    assert_eq!(snapshot(XBT).0, 200, "and it has come again");
    let (status, body) = snapshot("NOPEUSDTM");
    assert_eq!((status, body["code"].as_str()), (200, Some("200003")), "not listed");
    let (_, contracts) = get(&server, "/api/v1/contracts/active");
    let (_, contract) = get(&server, "/api/v1/contracts/XBTUSDTM");
    assert_eq!(contracts["data"][0], contract["data"]);
    assert_eq!(get(&server, "/api/v1/contracts/NOPEUSDTM").1["code"], "404000");
    let (_, time) = get(&server, "/api/v1/timestamp");
    assert_eq!(time["data"], later(&server, 70).as_millis());
    assert_eq!(get(&server, "/api/v1/status").1["data"]["status"], "open");
    assert_eq!(get(&server, "/api/v1/index/query?symbol=.KXBTUSDT").0, 503, "not recorded");
    assert_eq!(get(&server, "/api/v1/nothing").0, 404);
    let (status, body) = get(&server, "/api/v1/orders");
    assert_eq!((status, body["code"].as_str()), (400, Some("400001")));
}

/// A tape that is damaged somewhere.
struct Damaged(simulated::SimulatedTape, usize);

impl Tape for Damaged {
    fn next_at(&self) -> Option<UnixNanos> {
        self.0.next_at()
    }

    fn step(&mut self, sink: &mut dyn Sink) -> io::Result<()> {
        self.1 = self.1.checked_sub(1).ok_or_else(|| io::Error::other("torn"))?;
        self.0.step(sink)
    }

    fn rewind(&mut self) -> io::Result<()> {
        self.0.rewind()
    }
}

#[test]
fn a_damaged_recording_ends_there_and_says_so() {
    let tape = simulated::SimulatedTape::new(Session::of(&[XBT], MINUTE));
    let clock = Clock::new();
    let mut options = ServeOptions::new(Arc::new(move || clock.now()));
    options.speed = Speed::MAX;
    let server = serve(Damaged(tape, 200), "127.0.0.1:0".parse().unwrap(), &options).unwrap();
    let wait = Clock::new();
    while !server.status().has_ended {
        assert!(wait.now().as_nanos() < 20 * SECOND.as_nanos() as u64);
    }
    let (_, status) = get(&server, "/_replay/status");
    assert_eq!((&status["ended"], &status["error"]), (&true.into(), &"torn".into()));
    assert_eq!(get(&server, "/api/v1/level2/snapshot?symbol=XBTUSDTM").0, 200, "as far as it came");
}

#[test]
fn over_tls_it_is_the_same() {
    let session = Session::of(&[XBT], 5 * MINUTE);
    let (authority, clock) = (Authority::new().unwrap(), Clock::new());
    let mut options = ServeOptions::new(Arc::new(move || clock.now()));
    (options.speed, options.tls) = (ten(), Some(authority.server(None).unwrap()));
    let tape = simulated::SimulatedTape::new(session.clone());
    let server = serve(tape, "127.0.0.1:0".parse().unwrap(), &options).unwrap();
    assert!(server.url().starts_with("https://"));
    let roots = Roots::from_pem(authority.pem().as_bytes()).unwrap();
    let mut listener = Listener::with_roots(&server, &[XBT], roots);
    listener.until_live();
    listener.run_for(SECOND);
    assert!(verify(&session, listener.samples) > 10);
}

#[test]
fn others_than_this_machine_are_not_served() {
    let session = Session::of(&[XBT], MINUTE);
    let clock = Clock::new();
    let options = ServeOptions::new(Arc::new(move || clock.now()));
    let tape = simulated::SimulatedTape::new(session);
    let refused = serve(tape, "0.0.0.0:0".parse().unwrap(), &options).unwrap_err();
    assert!(refused.to_string().contains("127.0.0.1"), "{refused}");
}
