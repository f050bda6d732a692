//! What a NATS server does to books: the server is real, and so is what becomes of it.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    missing_docs,
    reason = "tests"
)]

mod servers;

use std::time::Duration;

use kucoin_futures_fanout::engine::nats::{NatsEngine, NatsSource};
use kucoin_futures_fanout::message::{Body, Heartbeat, Message, PublisherId, Snapshot};
use kucoin_futures_fanout::{Address, Encoding, Engine, Source};
use kucoin_futures_host::Clock;
use kucoin_futures_proto::book::{Coverage, Level, SideParts};
use kucoin_futures_proto::wire::Side;
use kucoin_futures_proto::{Book, Instant, Lots, Price, Sequence, Symbol, UnixNanos};
use servers::EngineServer;

fn symbol(name: &str) -> Symbol {
    name.parse().unwrap()
}

fn beat(name: &str, number: u64) -> Message {
    let body =
        Body::Heartbeat(Heartbeat { sequence: None, age_ms: 0, sent: UnixNanos::from_nanos(1) });
    let publisher = PublisherId::new(7);
    Message { symbol: symbol(name), publisher, number, epoch: 1, body }
}

fn server(config: Option<&str>) -> Option<EngineServer> {
    let server = EngineServer::start_with("nats", config);
    if server.is_none() {
        eprintln!("SKIPPED: no nats-server in PATH");
        assert!(std::env::var_os("KCF_NEED_ALL").is_none(), "KCF_NEED_ALL is set");
    }
    server
}

fn ends(url: &str, symbols: &[Symbol]) -> (NatsEngine, NatsSource) {
    let address = Address::new(url, "kcf", 1000).unwrap();
    let (mut engine, mut source) = (NatsEngine::new(&address), NatsSource::new(&address));
    engine.connect().unwrap();
    source.connect().unwrap();
    source.follow(symbols).unwrap();
    // Subscribed by the time that this is answered.
    source.connect().unwrap();
    (engine, source)
}

/// What comes within so many ms, each with its age.
fn poll(source: &mut NatsSource, ms: u64) -> Vec<(Message, Duration)> {
    let mut messages = Vec::new();
    let clock = Clock::new();
    while clock.now().since(Instant::ZERO) < Duration::from_millis(ms) {
        let mut note = |bytes: &[u8], age| messages.push((Message::decode(bytes).unwrap(), age));
        source.poll(Duration::from_millis(20), &mut |it| note(it.bytes, it.age)).unwrap();
    }
    messages
}

#[test]
fn a_server_that_hangs_is_noticed_in_time() {
    let Some(server) = server(None) else { return };
    let (_engine, mut source) = ends(&server.url(), &[symbol("A")]);
    assert!(poll(&mut source, 2500).is_empty(), "while it is there nothing need come");
    server.hang();
    let clock = Clock::new();
    while source.poll(Duration::from_millis(100), &mut |_| {}).is_ok() {
        assert!(clock.now().since(Instant::ZERO) < Duration::from_secs(5), "it waits for ever");
    }
}

#[test]
fn what_lay_with_the_server_for_long_is_said_to_be_old() {
    let Some(server) = server(None) else { return };
    let (mut engine, mut source) = ends(&server.url(), &[symbol("A")]);
    poll(&mut source, 1200);
    engine.publish(&[beat("A", 1)], Encoding::Binary).unwrap();
    let (_keep, never) = std::sync::mpsc::channel::<()>();
    let _ = never.recv_timeout(Duration::from_secs(3));
    let old = poll(&mut source, 200);
    assert!(old.len() == 1 && old[0].1 >= Duration::from_secs(3), "{old:?}");
    engine.publish(&[beat("A", 2)], Encoding::Binary).unwrap();
    let new = poll(&mut source, 200);
    assert!(new.len() == 1 && new[0].1 < Duration::from_millis(1500), "{new:?}");
}

#[test]
fn all_symbols_are_read_once_whatever_was_followed_before() {
    let Some(server) = server(None) else { return };
    let (mut engine, mut source) = ends(&server.url(), &[symbol("A")]);
    source.published().unwrap();
    poll(&mut source, 100);
    for is_reconnected in [false, true] {
        if is_reconnected {
            source.connect().unwrap();
        }
        engine.publish(&[beat("A", 1), beat("B", 1)], Encoding::Binary).unwrap();
        let names: Vec<Symbol> =
            poll(&mut source, 200).iter().map(|(message, _)| message.symbol).collect();
        assert_eq!(names, [symbol("A"), symbol("B")], "{is_reconnected}");
    }
    assert_eq!(source.published().unwrap(), [symbol("A"), symbol("B")]);
}

/// `levels` of each side.
fn book(levels: i64) -> Book {
    let level = |price: i64| {
        let price = Price::from_scaled(price * 1_000_000).unwrap();
        Level { price, size: Lots::new(7) }
    };
    let [bids, asks]: [Vec<Level>; 2] =
        [-1, 1].map(|sign| (1..=levels).map(|at| level(10_000 + sign * at)).collect());
    let [bids, asks] = [&bids, &asks].map(|levels| SideParts { levels, reach: Coverage::All });
    let mut book = Book::new(usize::MAX, usize::MAX);
    assert!(book.restore(Sequence::new(100), None, bids, asks));
    book
}

#[test]
fn a_book_that_is_too_large_for_the_server_is_told_as_far_as_it_fits() {
    let Some(server) = server(Some("max_payload: 4096\n")) else { return };
    let (mut engine, mut source) = ends(&server.url(), &[symbol("A"), symbol("B")]);
    for encoding in [Encoding::Binary, Encoding::Ndjson] {
        let body = Body::Snapshot(Box::new(Snapshot::of(&book(2000))));
        let large = Message { body, ..beat("A", 1) };
        engine.publish(&[large, beat("B", 1)], encoding).unwrap();
        let came = poll(&mut source, 300);
        let (of_a, _) = came.iter().find(|(it, _)| it.symbol == symbol("A")).unwrap();
        let Body::Snapshot(told) = &of_a.body else { unreachable!() };
        let told = told.book().unwrap();
        for side in [Side::Bid, Side::Ask] {
            let count = told.complete_levels(side);
            assert!((50..2000).contains(&count), "{count}");
            let scope = kucoin_futures_proto::book::Scope::Complete;
            assert!(told.levels(side, scope).eq(book(2000).levels(side, scope).take(count)));
            assert_ne!(told.reach(side), Coverage::All);
        }
        assert!(came.iter().any(|(it, _)| it.symbol == symbol("B")), "others go on");
    }
}

#[test]
fn a_want_that_is_forbidden_costs_no_connection() {
    let rules = "authorization { users = [ { user: me, password: pw, permissions: {
        publish: [\"kcf.book.*\"], subscribe: [\"kcf.book.*\"] } } ] }\n";
    let Some(server) = server(Some(rules)) else { return };
    let url = server.url().replace("nats://", "nats://me:pw@");
    let (mut engine, mut source) = ends(&url, &[symbol("A")]);
    source.want(&[symbol("A")]).unwrap();
    assert_eq!(engine.wanted().unwrap(), []);
    engine.publish(&[beat("A", 1)], Encoding::Binary).unwrap();
    assert_eq!(poll(&mut source, 300).len(), 1);
    // What cannot be done without is an error as before.
    source.follow(&[symbol("A.B")]).unwrap();
    let other = Address::new(&url, "other", 1000).unwrap();
    let mut other = NatsSource::new(&other);
    other.connect().unwrap();
    other.follow(&[symbol("A")]).unwrap();
    let polls = (0..50).map(|_| other.poll(Duration::from_millis(20), &mut |_| {}));
    assert!(polls.into_iter().any(|polled| polled.is_err()));
}
