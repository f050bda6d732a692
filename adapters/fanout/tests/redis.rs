//! What others do to a Redis that books go through: the server is real, and so is what is done.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    clippy::disallowed_methods,
    missing_docs,
    reason = "tests"
)]

mod servers;

use std::collections::BTreeMap;
use std::time::Duration;

use kucoin_futures_fanout::engine::redis::{RedisEngine, RedisSource};
use kucoin_futures_fanout::message::{Body, Heartbeat, Message, PublisherId, Snapshot};
use kucoin_futures_fanout::outbox::OutboxLimits;
use kucoin_futures_fanout::share::Group;
use kucoin_futures_fanout::{Address, Encoding, Engine, Publisher, PublisherOptions, Source};
use kucoin_futures_host::Clock;
use kucoin_futures_proto::book::{Coverage, SideParts};
use kucoin_futures_proto::{Book, Instant, Sequence, Symbol, UnixNanos};
use redis::{Connection, cmd};
use servers::EngineServer;

fn symbol() -> Symbol {
    "XBTUSDTM".parse().unwrap()
}

fn message(number: u64, body: Body) -> Message {
    Message { symbol: symbol(), publisher: PublisherId::new(7), number, epoch: 1, body }
}

fn beat(number: u64) -> Message {
    let sent = UnixNanos::from_nanos(1);
    message(number, Body::Heartbeat(Heartbeat { sequence: None, age_ms: 0, sent }))
}

fn snapshot(number: u64) -> Message {
    let mut book = Book::new(10, 10);
    let side = SideParts { levels: &[], reach: Coverage::All };
    assert!(book.restore(Sequence::new(100), None, side, side));
    message(number, Body::Snapshot(Box::new(Snapshot::of(&book))))
}

struct Ends {
    server: EngineServer,
    engine: RedisEngine,
    source: RedisSource,
    /// Somebody else's.
    other: Connection,
}

/// A publisher's end, a consumer's that follows, and one of somebody else.
fn ends() -> Option<Ends> {
    let Some(server) = EngineServer::start("redis") else {
        eprintln!("SKIPPED: no redis-server in PATH");
        assert!(std::env::var_os("KCF_NEED_ALL").is_none(), "KCF_NEED_ALL is set");
        return None;
    };
    let address = Address::new(&server.url(), "kcf", 1000).unwrap();
    let (mut engine, mut source) =
        (RedisEngine::new(&address).unwrap(), RedisSource::new(&address).unwrap());
    engine.connect().unwrap();
    source.connect().unwrap();
    source.follow(&[symbol()]).unwrap();
    let other = redis::Client::open(server.url()).unwrap().get_connection().unwrap();
    Some(Ends { server, engine, source, other })
}

/// The numbers of what comes within so many ms.
fn poll(source: &mut RedisSource, ms: u64) -> Vec<u64> {
    let mut numbers = Vec::new();
    let mut note = |bytes: &[u8]| numbers.push(Message::decode(bytes).unwrap().number);
    source.poll(Duration::from_millis(ms), &mut |arrived| note(arrived.bytes)).unwrap();
    numbers
}

#[test]
fn an_entry_of_somebody_else_is_passed_over() {
    let Some(mut it) = ends() else { return };
    let key = "kcf:book:XBTUSDTM";
    cmd("XADD").arg(key).arg("*").arg("foreign").arg("x").exec(&mut it.other).unwrap();
    it.engine.publish(&[beat(1)], Encoding::Binary).unwrap();
    cmd("XADD").arg(key).arg("*").arg("foreign").arg("y").exec(&mut it.other).unwrap();
    assert_eq!(poll(&mut it.source, 1000), [1]);
    // It is behind: nothing comes, and that takes as long as it is waited for.
    let clock = Clock::new();
    assert!(poll(&mut it.source, 300).is_empty());
    assert!(clock.now().since(Instant::ZERO) >= Duration::from_millis(250), "it spins");
}

#[test]
fn a_stream_that_begins_anew_below_is_read_from_its_beginning() {
    let Some(mut it) = ends() else { return };
    it.engine.publish(&[snapshot(1), beat(2)], Encoding::Binary).unwrap();
    assert_eq!(poll(&mut it.source, 1000), [1, 2]);
    for is_reconnect in [false, true] {
        // As after a failover to a server whose clock is behind.
        cmd("FLUSHALL").exec(&mut it.other).unwrap();
        let bytes = beat(9).encode(Encoding::Binary);
        let mut add = cmd("XADD");
        add.arg("kcf:book:XBTUSDTM").arg("5-1").arg("m").arg(bytes).exec(&mut it.other).unwrap();
        if is_reconnect {
            it.source.connect().unwrap();
            assert_eq!(poll(&mut it.source, 500), [9]);
        } else {
            let clock = Clock::new();
            let mut got = Vec::new();
            while got.is_empty() && clock.now().since(Instant::ZERO) < Duration::from_secs(6) {
                got = poll(&mut it.source, 500);
            }
            assert_eq!(got, [9]);
            it.engine.publish(&[beat(3)], Encoding::Binary).unwrap();
            assert_eq!(poll(&mut it.source, 1000), [3]);
        }
    }
}

#[test]
fn what_was_added_before_the_servers_clock_was_set_back_is_not_new() {
    let Some(mut it) = ends() else { return };
    let mut add = |number: u64| {
        let (id, bytes) =
            (format!("99999999999999-{number}"), beat(number).encode(Encoding::Binary));
        cmd("XADD")
            .arg("kcf:book:XBTUSDTM")
            .arg(id)
            .arg("m")
            .arg(bytes)
            .exec(&mut it.other)
            .unwrap();
    };
    let age = |source: &mut RedisSource| {
        let mut ages = Vec::new();
        source.poll(Duration::from_millis(300), &mut |arrived| ages.push(arrived.age)).unwrap();
        ages
    };
    (1..=20).for_each(&mut add);
    // In two parts, none of which is known to be new.
    for _ in 0..2 {
        assert!(age(&mut it.source).iter().all(|age| *age > Duration::from_secs(60)));
    }
    assert_eq!(age(&mut it.source), []);
    // As whoever follows all symbols does time and again.
    it.source.follow(&[symbol()]).unwrap();
    add(21);
    let new = age(&mut it.source);
    assert!(new.len() == 1 && new[0] < Duration::from_secs(1), "{new:?}");
}

#[test]
fn what_is_marked_is_of_publishers_that_live_and_comes_back_after_a_flush() {
    let Some(mut it) = ends() else { return };
    let key = "kcf:snapshots:XBTUSDTM";
    it.engine.publish(&[snapshot(1)], Encoding::Binary).unwrap();
    let own: BTreeMap<String, String> = cmd("HGETALL").arg(key).query(&mut it.other).unwrap();
    let id = &own[&PublisherId::new(7).to_string()];
    for dead in 100..140 {
        cmd("HSET").arg(key).arg(dead).arg(format!("{dead}-0")).exec(&mut it.other).unwrap();
    }
    cmd("HSET").arg(key).arg("living").arg(id).exec(&mut it.other).unwrap();
    it.engine.publish(&[snapshot(2)], Encoding::Binary).unwrap();
    let marks: BTreeMap<String, String> = cmd("HGETALL").arg(key).query(&mut it.other).unwrap();
    assert_eq!(marks.len(), 2, "{marks:?}");
    assert_eq!(it.engine.sharing(), 2, "so many share the stream");
    cmd("FLUSHALL").exec(&mut it.other).unwrap();
    it.engine.publish(&[snapshot(3)], Encoding::Binary).unwrap();
    assert_eq!(it.source.published().unwrap(), [symbol()]);
}

#[test]
fn of_a_quiet_contract_the_past_goes_with_each_snapshot() {
    let Some(mut it) = ends() else { return };
    let key = "kcf:book:XBTUSDTM";
    let bytes = snapshot(1).encode(Encoding::Binary);
    for at in 1..=500 {
        cmd("XADD")
            .arg(key)
            .arg(format!("{at}-0"))
            .arg("m")
            .arg(&bytes)
            .exec(&mut it.other)
            .unwrap();
    }
    let mut len = |number| {
        it.engine.publish(&[snapshot(number)], Encoding::Binary).unwrap();
        cmd("XLEN").arg(key).query::<u64>(&mut it.other).unwrap()
    };
    assert_eq!(len(1), 501, "fewer than are kept");
    // Redis takes whole nodes of a hundred away.
    assert!(len(2) < 150);
    assert!((3..20).all(|number| len(number) < 150 && len(number) > 2), "and nothing that is new");
    let left: i64 = cmd("TTL").arg(key).query(&mut it.other).unwrap();
    assert!(left > 3600, "a contract that is traded no more goes in a day: {left}");
}

#[test]
fn what_waits_for_a_slow_reader_grows_older() {
    let Some(mut it) = ends() else { return };
    it.engine.publish(&[beat(1), beat(2), beat(3)], Encoding::Binary).unwrap();
    let mut ages = Vec::new();
    let mut slow = |age| {
        ages.push(age);
        std::thread::sleep(Duration::from_millis(200));
    };
    it.source.poll(Duration::from_secs(1), &mut |arrived| slow(arrived.age)).unwrap();
    assert!(ages.len() == 3 && ages[2] >= Duration::from_millis(400), "{ages:?}");
}

#[test]
fn a_want_that_is_forbidden_costs_no_connection() {
    let Some(mut it) = ends() else { return };
    let rules = ["on", ">pw", "~*", "+@all", "-zadd", "-zrangebyscore"];
    cmd("ACL").arg("SETUSER").arg("me").arg(&rules).exec(&mut it.other).unwrap();
    let url = it.server.url().replace("redis://", "redis://me:pw@");
    let address = Address::new(&url, "kcf", 1000).unwrap();
    let mut source = RedisSource::new(&address).unwrap();
    source.connect().unwrap();
    source.follow(&[symbol()]).unwrap();
    source.want(&[symbol()]).unwrap();
    it.engine.publish(&[beat(1)], Encoding::Binary).unwrap();
    assert_eq!(poll(&mut source, 1000), [1]);
    let mut engine = RedisEngine::new(&address).unwrap();
    engine.connect().unwrap();
    assert_eq!(engine.wanted().unwrap(), []);
    engine.publish(&[beat(2)], Encoding::Binary).unwrap();
    assert_eq!(poll(&mut source, 1000), [2]);
    // What cannot be done without is an error as before.
    let mut none = cmd("ACL");
    none.arg("SETUSER").arg("me").arg("-xread").exec(&mut it.other).unwrap();
    assert!(source.poll(Duration::from_millis(50), &mut |_| {}).is_err());
}

#[test]
fn a_worker_is_there_while_its_feed_is() {
    let Some(mut it) = ends() else { return };
    let address = Address::new(&it.server.url(), "kcf", 1000).unwrap();
    let group = Some(Group { life: Duration::from_millis(600), ..Group::new("g".into(), 1) });
    let (encoding, limits) = (Encoding::Binary, OutboxLimits::default());
    let options = PublisherOptions { encoding, limits, group };
    let publisher =
        Publisher::start(Box::new(RedisEngine::new(&address).unwrap()), options).unwrap();
    let mut others = RedisEngine::new(&address).unwrap();
    others.connect().unwrap();
    let mut count_after = |beats: u64, quiet: u64| {
        for _ in 0..beats {
            publisher.beat(|_| None);
            poll(&mut it.source, 100);
        }
        (0..quiet).for_each(|_| drop(poll(&mut it.source, 100)));
        let (life, me) = (Duration::from_millis(600), PublisherId::new(1));
        others.announce("g", me, life, true).unwrap().len()
    };
    assert_eq!(count_after(0, 10), 0, "its feed has not begun");
    assert_eq!(count_after(10, 0), 1);
    assert_eq!(count_after(0, 20), 0, "its feed hangs");
    assert_eq!(count_after(10, 0), 1);
}
