//! What a change costs on its way through an engine, beside the bare client with the same bytes: one run, one machine.
//!
//! ```text
//! redis-server --port 6399 &  nats-server --addr 127.0.0.1 --port 4299 &
//! cargo run --release -p kucoin-futures-fanout --example throughput -- redis://127.0.0.1:6399 nats://127.0.0.1:4299
//! ```
//!
//! *ours*: `Outbox`, encoding, `Engine::publish`; then `Source::poll` and `Consumer::take`, which keeps an exact book.
//! *bare*: the same bytes, encoded before, by the crate `redis` (pipelines of `XADD`, `XREAD`), or by a plain socket that
//! writes `PUB` and counts what comes (for NATS no kept client runs without tokio). One change is one message in both;
//! *ours, as it goes* lets changes that wait go out together, as a publisher does when its engine is busy.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a measurement"
)]

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use kucoin_futures_fanout::consumer::{Consumer, Event, Limits};
use kucoin_futures_fanout::engine::Kind;
use kucoin_futures_fanout::message::{Message, PublisherId};
use kucoin_futures_fanout::outbox::{BookView, Outbox, OutboxLimits};
use kucoin_futures_fanout::{Address, Encoding};
use kucoin_futures_host::Clock;
use kucoin_futures_proto::book::{Coverage, Level, SideParts};
use kucoin_futures_proto::wire::{Delta, Side};
use kucoin_futures_proto::{Book, Instant, Lots, Price, Sequence, Symbol, UnixNanos};

const CHANGES: u64 = 200_000;
const BATCH: usize = 512;

fn symbol() -> Symbol {
    "XBTUSDTM".parse().unwrap()
}

fn price(ticks: u64) -> Price {
    Price::from_scaled(i64::try_from(ticks).unwrap() * 100_000_000_000).unwrap()
}

/// A book of 1000 levels a side, as the exchange's are.
fn book() -> Book {
    let size = Lots::new(1);
    let bids: Vec<Level> = (0..1000).map(|at| Level { price: price(630_000 - at), size }).collect();
    let asks: Vec<Level> =
        (1..=1000).map(|at| Level { price: price(630_000 + at), size }).collect();
    let [bids, asks] = [&bids, &asks].map(|levels| SideParts { levels, reach: Coverage::All });
    let mut book = Book::new(usize::MAX, usize::MAX);
    assert!(book.restore(Sequence::new(1000), None, bids, asks));
    book
}

/// The nth change: around the touch, as most are.
fn delta(at: u64) -> Delta {
    let side = if at.is_multiple_of(2) { Side::Bid } else { Side::Ask };
    let away = at.wrapping_mul(0x9e37_79b9) % 40;
    let ticks = if side == Side::Bid { 630_000 - away } else { 630_001 + away };
    Delta::new(Sequence::new(1001 + at), side, price(ticks), Lots::new(at * 31 % 5000))
}

/// What a publisher says of all changes: one a message, or as many as wait.
fn messages(one_by_one: bool, now: Instant) -> Vec<Message> {
    let (book, symbol) = (book(), symbol());
    let limits = OutboxLimits { bytes: usize::MAX, ..OutboxLimits::default() };
    let mut outbox = Outbox::new(PublisherId::random(), limits);
    outbox.add(symbol);
    outbox.live(symbol, 1);
    let view = BookView { book: &book, epoch: 1, age: Duration::ZERO };
    outbox.beat(now, UnixNanos::from_nanos(0), |_| Some(view));
    let mut taken = Vec::new();
    for at in 0..CHANGES {
        outbox.change(symbol, &delta(at));
        if one_by_one {
            outbox.take(usize::MAX, &mut taken);
        }
    }
    outbox.take(usize::MAX, &mut taken);
    taken
}

/// Changes a second.
fn rate(clock: &Clock, since: Instant) -> f64 {
    CHANGES as f64 / clock.now().since(since).as_secs_f64()
}

/// Published and consumed, changes a second. NATS keeps nothing: there the reader runs beside the writer, and what the
/// two cost is in both rates.
fn measure(is_kept: bool, write: impl FnOnce(), read: impl FnOnce() + Send + 'static) -> [f64; 2] {
    let clock = Clock::new();
    let start = clock.now();
    if is_kept {
        write();
        let (written, then) = (rate(&clock, start), clock.now());
        read();
        return [written, rate(&clock, then)];
    }
    let reader = std::thread::spawn(read);
    write();
    let written = rate(&clock, start);
    reader.join().unwrap();
    [written, rate(&clock, start)]
}

fn ours(url: &str, prefix: &str, one_by_one: bool) -> [f64; 2] {
    let address = Address::new(url, prefix, 1 << 30).unwrap();
    let clock = Clock::new();
    let (mut engine, mut source) = (address.engine().unwrap(), address.source().unwrap());
    engine.connect().unwrap();
    source.connect().unwrap();
    let limits = Limits { silence: Duration::from_secs(600), ..Limits::default() };
    let mut consumer = Consumer::new(limits);
    consumer.follow(symbol());
    let is_kept = address.kind() == Kind::Redis;
    if !is_kept {
        source.follow(&[symbol()]).unwrap();
    }
    let write = || {
        for batch in messages(one_by_one, clock.now()).chunks(BATCH) {
            engine.publish(batch, Encoding::Binary).unwrap();
        }
    };
    let read = move || {
        source.follow(&[symbol()]).unwrap();
        let mut changes = 0;
        let mut count = |_: Symbol, event: &Event, _: Option<&Book>| match event {
            Event::Change(_) => changes += 1,
            Event::Lost { reason, .. } => panic!("{reason}"),
            _ => {}
        };
        let mut take = |consumer: &mut Consumer| {
            let taken = source.poll(Duration::from_secs(1), &mut |arrived| {
                consumer.take(clock.now(), arrived.age, arrived.bytes, &mut count).unwrap();
            });
            taken.unwrap();
        };
        while consumer.stats().changes < CHANGES {
            take(&mut consumer);
        }
        assert_eq!(changes, CHANGES);
    };
    measure(is_kept, write, read)
}

/// What `XREAD` says of one message: its name, and its fields.
type Entry = (String, Vec<Vec<u8>>);

fn bare_redis(url: &str, key: &str, payloads: &[Vec<u8>]) -> [f64; 2] {
    let client = redis::Client::open(url).unwrap();
    let connect = || client.get_connection().unwrap();
    let (mut writer, mut reader) = (connect(), connect());
    let count = payloads.len();
    let write = || {
        for batch in payloads.chunks(BATCH) {
            let mut pipe = redis::pipe();
            for payload in batch {
                pipe.cmd("XADD").arg(key).arg("MAXLEN").arg("~").arg(1 << 30);
                pipe.arg("*").arg("m").arg(payload);
            }
            pipe.query::<Vec<String>>(&mut writer).unwrap();
        }
    };
    let key = key.to_owned();
    let read = move || {
        let (mut seen, mut place) = (0, "0-0".to_owned());
        while seen < count {
            let mut command = redis::cmd("XREAD");
            command
                .arg("COUNT")
                .arg(500)
                .arg("BLOCK")
                .arg(1000)
                .arg("STREAMS")
                .arg(&key)
                .arg(&place);
            let reply: Vec<(String, Vec<Entry>)> = command.query(&mut reader).unwrap();
            let Some((_, entries)) = reply.into_iter().next() else { continue };
            seen += entries.len();
            if let Some((id, _)) = entries.last() {
                place.clone_from(id);
            }
        }
    };
    measure(true, write, read)
}

/// A plain socket that speaks just enough.
fn nats_socket(url: &str, hello: &str) -> TcpStream {
    let mut socket = TcpStream::connect(url.trim_start_matches("nats://")).unwrap();
    socket.set_nodelay(true).unwrap();
    socket
        .write_all(format!("CONNECT {{\"verbose\":false}}\r\n{hello}PING\r\n").as_bytes())
        .unwrap();
    read_until_pong(&mut socket);
    socket
}

fn read_until_pong(socket: &mut TcpStream) {
    let (mut bytes, mut chunk) = (Vec::new(), [0; 4096]);
    while !bytes.ends_with(b"PONG\r\n") {
        let count = socket.read(&mut chunk).unwrap();
        assert!(count > 0);
        bytes.extend_from_slice(&chunk[..count]);
    }
}

fn bare_nats(url: &str, payloads: &[Vec<u8>]) -> [f64; 2] {
    let mut writer = nats_socket(url, "");
    let mut reader = nats_socket(url, "SUB bare 1\r\n");
    let frame =
        |payload: &Vec<u8>| format!("MSG bare 1 {}\r\n", payload.len()).len() + payload.len() + 2;
    let expected: usize = payloads.iter().map(frame).sum();
    let write = || {
        for batch in payloads.chunks(BATCH) {
            let mut bytes = Vec::new();
            for payload in batch {
                bytes.extend_from_slice(format!("PUB bare {}\r\n", payload.len()).as_bytes());
                bytes.extend_from_slice(payload);
                bytes.extend_from_slice(b"\r\n");
            }
            bytes.extend_from_slice(b"PING\r\n");
            writer.write_all(&bytes).unwrap();
            read_until_pong(&mut writer);
        }
    };
    let read = move || {
        let (mut seen, mut chunk) = (0, vec![0; 64 * 1024]);
        while seen < expected {
            seen += reader.read(&mut chunk).unwrap();
        }
    };
    measure(false, write, read)
}

fn main() {
    let clock = Clock::new();
    let payloads: Vec<Vec<u8>> = messages(true, clock.now())
        .iter()
        .map(|message| message.encode(Encoding::Binary))
        .collect();
    let bytes: usize = payloads.iter().map(Vec::len).sum();
    println!("{CHANGES} changes, {} bytes a message", bytes / payloads.len());
    // Redis keeps what an earlier run wrote.
    let run = PublisherId::random();
    for url in std::env::args().skip(1) {
        let bare = match url.starts_with("redis") {
            true => bare_redis(&url, &format!("bare-{run}"), &payloads),
            false => bare_nats(&url, &payloads),
        };
        let single = ours(&url, &format!("one-{run}"), true);
        let merged = ours(&url, &format!("all-{run}"), false);
        println!("{url}");
        for (name, rates) in [("bare", bare), ("ours", single), ("ours, as it goes", merged)] {
            let [written, read] = rates;
            let [by_written, by_read] = [written / bare[0], read / bare[1]];
            println!(
                "  {name:<17} published {written:>9.0}/s ({by_written:.2})  consumed {read:>9.0}/s ({by_read:.2})"
            );
        }
    }
}
