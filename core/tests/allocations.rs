//! The whole client with 200 symbols takes frames in, reports deltas, and has its books read without
//! allocating: counted, not claimed. What is sent (a ping, a request for a snapshot) is composed in
//! memory of its own, and a snapshot is read into some; both happen outside of what is counted.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test"
)]

use std::ops::Range;
use std::time::Duration;

use allocation_counter::measure;
use kucoin_futures_proto::book::{Best, Scope};
use kucoin_futures_proto::wire::{Levels, Side};
use kucoin_futures_proto::{
    BookEvent, Channel, Client, Config, ConnId, Event, Input, Instant, Interval, Message, Output,
    RequestId, ResponseHead, SplitMix64, TopicId,
};

const SYMBOLS: usize = 200;
/// Frames of a run; each run has a million in release builds, where it takes seconds.
const FRAMES: usize = if cfg!(debug_assertions) { 200_000 } else { 1_000_000 };
const TICKS: usize = 64;

/// One symbol's market: sizes by tick, bids below the middle and asks above it.
struct Market {
    name: String,
    sequence: u64,
    bids: [u64; TICKS],
    asks: [u64; TICKS],
}

impl Market {
    fn snapshot(&self) -> String {
        let side = |sizes: &[u64; TICKS], sign: i64| {
            let held = sizes.iter().enumerate().filter(|(_, size)| **size > 0);
            let level = |(at, size): (usize, &u64)| {
                format!("[{}.5,{size}]", 5_000 + sign * (at as i64 + 1))
            };
            held.map(level).collect::<Vec<_>>().join(",")
        };
        format!(
            r#"{{"code":"200000","data":{{"sequence":{},"symbol":"{}","bids":[{}],"asks":[{}],"ts":1791500000251000000}}}}"#,
            self.sequence,
            self.name,
            side(&self.bids, -1),
            side(&self.asks, 1)
        )
    }

    /// Makes a change and says it.
    fn change(&mut self, rng: &mut SplitMix64) -> (u64, String) {
        self.sequence += 1;
        let (at, size) = (rng.below(TICKS as u64) as usize, rng.below(3) * rng.below(5_000));
        let bid = rng.below(2) == 0;
        let (sizes, sign, side) =
            if bid { (&mut self.bids, -1, "buy") } else { (&mut self.asks, 1, "sell") };
        sizes[at] = size;
        let price = 5_000 + sign * (at as i64 + 1);
        (self.sequence, format!("{price}.5,{side},{size}"))
    }
}

/// How frames are written.
#[derive(Clone, Copy)]
enum Style {
    Usual,
    Other,
}

struct Rig {
    client: Client,
    now: Instant,
    /// One for each line.
    conns: Vec<ConnId>,
    markets: Vec<Market>,
    topics: Vec<TopicId>,
    rng: SplitMix64,
    style: Style,
    /// By so many frames every line but the first is behind.
    lag: usize,
    /// Frames between two looks at the time.
    chunk: usize,
    bytes: Vec<u8>,
    frames: Vec<Range<usize>>,
    /// What is to be answered outside of what is counted.
    requests: Vec<Output<'static>>,
    deltas: u64,
}

impl Rig {
    fn live() -> Self {
        Self::on_lines(1)
    }

    fn on_lines(per_topic: u8) -> Self {
        let name = |n: usize| format!("S{n}USDTM");
        let market = |n| Market {
            name: name(n),
            sequence: 1_700_000_000_000 + 1_000 * n as u64,
            bids: [5; TICKS],
            asks: [7; TICKS],
        };
        let mut config = Config::default();
        config.lines.per_topic = per_topic;
        let mut client = Client::new(Instant::ZERO, 1, config);
        let markets: Vec<Market> = (0..SYMBOLS).map(market).collect();
        let subscribe = |market: &Market| {
            let channel = Channel::level2(market.name.parse().unwrap());
            client.subscribe(Instant::ZERO, channel).unwrap()
        };
        let topics = markets.iter().map(subscribe).collect();
        let mut rig = Self {
            client,
            now: Instant::ZERO,
            conns: Vec::new(),
            markets,
            topics,
            rng: SplitMix64::new(1),
            style: Style::Usual,
            lag: 0,
            chunk: 20_000,
            bytes: Vec::new(),
            frames: Vec::new(),
            requests: Vec::with_capacity(10_000),
            deltas: 0,
        };
        rig.wait(Duration::from_secs(100));
        assert!(rig.all_live());
        assert_eq!(rig.conns.len(), usize::from(per_topic));
        rig
    }

    fn all_live(&self) -> bool {
        let is_book = |topic: &&TopicId| self.client.book_status(**topic).is_some();
        let mut books = self.topics.iter().filter(is_book);
        books.all(|topic| self.client.book(*topic).is_some())
    }

    fn input(&mut self, input: Input<'_>) {
        let _ = self.client.handle(self.now, input);
    }

    fn pass(&mut self, time: Duration) {
        self.now = self.now + time;
        self.input(Input::Timeout);
        drain(&mut self.client, &mut self.requests, &mut self.deltas);
        while let Some(output) = self.requests.pop() {
            self.perform(output);
            drain(&mut self.client, &mut self.requests, &mut self.deltas);
        }
    }

    fn wait(&mut self, time: Duration) {
        let step = Duration::from_millis(50);
        for _ in 0..time.as_millis() / step.as_millis() {
            self.pass(step);
        }
    }

    /// What an exchange and a network do.
    fn perform(&mut self, output: Output<'static>) {
        match output {
            Output::Push(_) => {}
            Output::Fetch(fetch) => self.answer(fetch.request(), fetch.path()),
            Output::Open { conn, to } => {
                self.conns.push(conn);
                self.input(Input::Opened { conn });
                let id = to.secret_url().split_once("connectId=").unwrap().1.to_string();
                let welcome = format!(r#"{{"id":"{id}","type":"welcome"}}"#);
                self.input(Input::Text { conn, bytes: welcome.as_bytes() });
            }
            Output::Send { conn, text } => {
                let text: serde_json::Value = serde_json::from_str(&text).unwrap();
                let kind = if text["type"] == "ping" { "pong" } else { "ack" };
                let reply = format!(r#"{{"id":{},"type":"{kind}"}}"#, text["id"]);
                self.input(Input::Text { conn, bytes: reply.as_bytes() });
            }
            Output::Close { .. } | Output::Event(_) => panic!("{output:?}"),
        }
    }

    fn answer(&mut self, request: RequestId, path: &str) {
        let body = match path.split_once("symbol=") {
            None => r#"{"code":"200000","data":{"token":"t","instanceServers":[{"endpoint":"wss://ws-api-futures.kucoin.com/","encrypt":true,"protocol":"websocket","pingInterval":18000,"pingTimeout":10000}]}}"#.into(),
            Some((_, name)) => {
                let market = self.markets.iter().find(|market| market.name == name);
                market.unwrap().snapshot()
            }
        };
        self.input(Input::Reply { request, head: ResponseHead::new(200), body: body.as_bytes() });
    }

    fn add(&mut self, frame: &str) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(frame.as_bytes());
        self.frames.push(start..self.bytes.len());
    }

    /// The next deltas of all symbols, some of them more often than others.
    fn compose(&mut self, mut also: impl FnMut(&mut Self, usize, &str)) {
        self.bytes.clear();
        self.frames.clear();
        while self.frames.len() < self.chunk {
            let at = (self.rng.below(SYMBOLS as u64) * self.rng.below(SYMBOLS as u64)
                / SYMBOLS as u64) as usize;
            let (sequence, change) = self.markets[at].change(&mut self.rng);
            let frame = self.write(at, sequence, &change);
            also(self, at, &frame);
        }
    }

    fn write(&self, at: usize, sequence: u64, change: &str) -> String {
        let name = &self.markets[at].name;
        let millis = 1_791_500_000_250 + self.now.as_nanos() / 1_000_000;
        match self.style {
            Style::Usual => format!(
                r#"{{"topic":"/contractMarket/level2:{name}","type":"message","subject":"level2","sn":{sequence},"data":{{"sequence":{sequence},"change":"{change}","timestamp":{millis}}}}}"#
            ),
            Style::Other => format!(
                r#"{{"data": {{"timestamp": {millis}, "change": "{change}", "sequence": {sequence}}}, "sn": {sequence}, "subject": "level2", "topic": "/contractMarket/level2:{name}", "type": "message"}}"#
            ),
        }
    }

    /// Takes in what was composed, and says how often something was allocated meanwhile.
    fn feed(&mut self) -> u64 {
        let Self { client, conns, topics, bytes, frames, requests, deltas, now, lag, .. } = self;
        let counted = measure(|| {
            let mut sum = 0_u128;
            for (n, frame) in frames.iter().enumerate() {
                *now = *now + Duration::from_micros(1);
                // What is behind brings its copies at the end of the chunk, too.
                let is_last = n + 1 == frames.len();
                let behind = n.saturating_sub(*lag)..if is_last {
                    n + 1
                } else {
                    (n + 1).saturating_sub(*lag)
                };
                let copies = conns
                    .iter()
                    .skip(1)
                    .flat_map(|conn| behind.clone().map(|at| (*conn, &frames[at])));
                for (conn, frame) in core::iter::once((conns[0], frame)).chain(copies) {
                    let text = Input::Text { conn, bytes: &bytes[frame.clone()] };
                    let push = client.handle(*now, text).into_message();
                    if let Some(push) = push {
                        sum += lots(&push.decode().unwrap());
                    }
                    drain(client, requests, deltas);
                }
                let Some(book) = client.book(topics[n % SYMBOLS]) else { continue };
                let age = client.book_age(*now, topics[n % SYMBOLS]).unwrap();
                sum += age.since_proof.as_nanos();
                sum += client.budgets(*now).map(|budget| u128::from(budget.used)).sum::<u128>();
                if let (Best::Level(bid), Best::Level(ask)) = (book.best_bid(), book.best_ask()) {
                    sum += u128::from(bid.size.get() + ask.size.get());
                }
                for side in [Side::Bid, Side::Ask] {
                    let top = book.levels(side, Scope::Complete).take(10);
                    sum += top.map(|level| level.price.scaled() as u128).sum::<u128>();
                }
            }
            assert!(sum > 0);
        });
        counted.count_total
    }
}

/// The sizes that stand in a message, one by one.
fn lots(message: &Message<'_>) -> u128 {
    let (Message::Depth5(depth) | Message::Depth50(depth)) = message else { return 0 };
    [depth.bids, depth.asks].iter().flat_map(Levels::iter).map(|l| u128::from(l.size.get())).sum()
}

fn drain(client: &mut Client, requests: &mut Vec<Output<'static>>, deltas: &mut u64) {
    while let Some(output) = client.poll_output() {
        match output {
            Output::Event(Event::Book(_, BookEvent::Delta(_))) => *deltas += 1,
            Output::Event(_) => {}
            effect => requests.push(effect),
        }
    }
}

/// Composes and feeds frames, one run to get warm, one that counts.
fn run(name: &str, rig: &mut Rig, mut also: impl FnMut(&mut Rig, usize, &str)) -> u64 {
    let mut count = |rig: &mut Rig| {
        let mut allocated = 0;
        for _ in 0..FRAMES / rig.chunk {
            rig.compose(&mut also);
            allocated += rig.feed();
            rig.pass(Duration::ZERO);
            if !rig.all_live() {
                rig.wait(Duration::from_secs(5));
            }
        }
        allocated
    };
    count(rig);
    let warm = count(rig);
    rig.wait(Duration::from_secs(30));
    println!("{name}: {FRAMES} frames, {warm} allocations");
    assert!(rig.all_live(), "{name}");
    warm
}

#[test]
fn frames_are_taken_in_and_books_are_read_without_allocating() {
    let rig = &mut Rig::live();
    let plain = |rig: &mut Rig, _: usize, frame: &str| rig.add(frame);
    assert_eq!(run("deltas", rig, plain), 0);

    let twice = |rig: &mut Rig, _: usize, frame: &str| {
        rig.add(frame);
        if rig.frames.len().is_multiple_of(10) {
            rig.add(frame);
        }
    };
    assert_eq!(run("duplicates", rig, twice), 0);
    assert!(rig.client.stats().repeats > 10_000);

    rig.style = Style::Other;
    assert_eq!(run("another key order, with white space", rig, plain), 0);
    rig.style = Style::Usual;
    assert_eq!(run("back again", rig, plain), 0);
    assert!(rig.deltas > 7 * FRAMES as u64, "{} deltas", rig.deltas);

    rig.chunk = 500;
    let before = rig.client.stats().gaps;
    let lossy = |rig: &mut Rig, _: usize, frame: &str| {
        if rig.rng.below(2_000) > 0 {
            rig.add(frame);
        }
    };
    assert_eq!(run("lost deltas, books refilled", rig, lossy), 0);
    let gaps = rig.client.stats().gaps - before;
    assert!(gaps > FRAMES as u64 / 3_000, "{gaps} gaps");
}

/// Every frame comes twice, the second time at once, soon, or after its symbol has gone on too far to be known by
/// its bytes.
#[test]
fn what_comes_on_two_lines_is_taken_in_without_allocating() {
    let rig = &mut Rig::on_lines(2);
    let plain = |rig: &mut Rig, _: usize, frame: &str| rig.add(frame);
    for (name, lag) in [("two lines", 0), ("one behind", 16), ("one far behind", 5_000)] {
        rig.lag = lag;
        let before = rig.client.stats().repeats;
        assert_eq!(run(name, rig, plain), 0);
        assert_eq!(rig.client.stats().repeats - before, 2 * FRAMES as u64, "{name}");
    }
    assert_eq!(rig.client.stats().deltas, 6 * FRAMES as u64);
}

#[test]
fn tickers_and_trades_are_decoded_without_allocating() {
    let rig = &mut Rig::live();
    for market in &rig.markets[..30] {
        let symbol = market.name.parse().unwrap();
        for channel in
            [Channel::ticker_v2(symbol), Channel::ticker(symbol), Channel::execution(symbol)]
        {
            rig.client.subscribe(rig.now, channel).unwrap();
        }
    }
    rig.wait(Duration::from_secs(30));
    let mixed = |rig: &mut Rig, at: usize, frame: &str| {
        rig.add(frame);
        let Market { name, sequence, .. } = &rig.markets[at % 30];
        let nanos =
            1_791_500_000_251_000_000 + rig.frames.len() as u64 * 1_000 + rig.now.as_nanos();
        let ticker = format!(
            r#"{{"topic":"/contractMarket/tickerV2:{name}","type":"message","subject":"tickerV2","sn":{sequence},"data":{{"symbol":"{name}","sequence":{sequence},"bestBidSize":7,"bestBidPrice":"4999.5","bestAskPrice":"5001.5","bestAskSize":9,"ts":{nanos}}}}}"#
        );
        let trade = format!(
            r#"{{"topic":"/contractMarket/execution:{name}","type":"message","subject":"match","sn":{sequence},"data":{{"symbol":"{name}","sequence":{sequence},"side":"buy","size":2,"price":"5001.5","takerOrderId":"9001","makerOrderId":"9000","tradeId":"{sequence}","ts":{nanos}}}}}"#
        );
        let last = format!(
            r#"{{"topic":"/contractMarket/ticker:{name}","type":"message","subject":"ticker","sn":{sequence},"data":{{"symbol":"{name}","sequence":{sequence},"side":"sell","size":2,"price":"5001.5","bestBidSize":7,"bestBidPrice":"4999.5","bestAskPrice":"5001.5","tradeId":"{sequence}","bestAskSize":9,"ts":{nanos}}}}}"#
        );
        // Another key order, as a scanner reads it.
        let odd =
            ticker.replace("\"bestBidSize\":7,", "").replace("\"ts\"", "\"bestBidSize\":7,\"ts\"");
        rig.add(if rig.frames.len().is_multiple_of(7) { &odd } else { &ticker });
        rig.add(&last);
        rig.add(&trade);
    };
    assert_eq!(run("with tickers and trades", rig, mixed), 0);
    assert!(rig.client.stats().pushes > FRAMES as u64, "{}", rig.client.stats().pushes);
}

/// Every other public channel; what is lent out is read to its end.
#[test]
fn every_other_public_channel_is_decoded_without_allocating() {
    let rig = &mut Rig::live();
    for market in &rig.markets[..15] {
        let symbol = market.name.parse().unwrap();
        for channel in [
            Channel::depth5(symbol),
            Channel::depth50(symbol),
            Channel::instrument(symbol),
            Channel::announcements_of(symbol),
            Channel::stats_24h(symbol),
            Channel::candles(symbol, Interval::Min1),
        ] {
            rig.client.subscribe(rig.now, channel).unwrap();
        }
    }
    rig.client.subscribe(rig.now, Channel::announcements()).unwrap();
    rig.wait(Duration::from_secs(30));
    let mixed = |rig: &mut Rig, at: usize, frame: &str| {
        rig.add(frame);
        let n = rig.frames.len();
        let Market { name, sequence, .. } = &rig.markets[at % 15];
        let millis = 1_791_500_000_251 + n as u64 + rig.now.as_nanos() / 1_000_000;
        let frame = others(name, *sequence, millis, n);
        rig.add(&frame);
    };
    let before = rig.client.stats().pushes;
    assert_eq!(run("with other channels", rig, mixed), 0);
    let pushes = rig.client.stats().pushes - before;
    assert!(pushes > FRAMES as u64 / 2, "{pushes}");
}

/// A frame of one channel after the other, now and then in another layout.
fn others(name: &str, sequence: u64, millis: u64, n: usize) -> String {
    let levels = |count: u64, first: u64| {
        let level = |at: u64| format!("[\"{}.5\",{}]", first + at, at + 3);
        (0..count).map(level).collect::<Vec<_>>().join(",")
    };
    let depth = |count: u64| {
        format!(
            r#"{{"topic":"/contractMarket/level2Depth{count}:{name}","type":"message","subject":"level2","sn":{millis},"data":{{"bids":[{}],"sequence":{sequence},"timestamp":{millis},"ts":{millis},"asks":[{}]}}}}"#,
            levels(count, 4_900),
            levels(count, 5_000)
        )
    };
    let text = match n / 2 % 8 {
        0 => depth(5),
        1 => depth(50),
        2 => format!(
            r#"{{"topic":"/contract/instrument:{name}","type":"message","subject":"mark.index.price","data":{{"markPrice":5000.25,"indexPrice":5000.5,"granularity":1000,"timestamp":{millis}}}}}"#
        ),
        3 => format!(
            r#"{{"topic":"/contract/instrument:{name}","type":"message","subject":"funding.rate","data":{{"period":1,"granularity":60000,"fundingRate":-7.7E-5,"timestamp":{millis}}}}}"#
        ),
        4 => format!(
            r#"{{"topic":"/contract/announcement:{name}","subject":"funding.begin","data":{{"symbol":"{name}","fundingTime":{millis},"fundingRate":0.0001,"timestamp":{millis}}}}}"#
        ),
        5 => format!(
            r#"{{"topic":"/contractMarket/snapshot:{name}","type":"message","subject":"snapshot.24h","id":"69","data":{{"highPrice":5010.5,"lastPrice":5000.5,"priceChg":-1.25,"symbol":"{name}","ts":{millis}000000,"turnover":526928331.0482177734,"volume":5834.46}}}}"#
        ),
        6 => format!(
            r#"{{"topic":"/contractMarket/limitCandle:{name}_1min","type":"message","data":{{"symbol":"{name}","candles":["1791489600","5000.5","5001","5002.5","4999","30210.5","2131"],"time":{millis}}},"subject":"candle.stick"}}"#
        ),
        _ => format!(
            r#"{{"topic":"/contract/announcement","type":"message","subject":"something.new","data":{{"text":"{millis}"}}}}"#
        ),
    };
    if n.is_multiple_of(7) { text.replace("\"data\"", " \"d\\u0061ta\"") } else { text }
}

/// A scanner looks at a contract for a while and goes on to the next: what is left of it is its name.
#[test]
fn a_book_that_is_not_wanted_any_more_frees_its_memory() {
    let rig = &mut Rig::live();
    let topics = rig.topics.clone();
    let freed = measure(|| {
        for topic in topics {
            rig.client.unsubscribe(rig.now, topic).unwrap();
        }
        while rig.client.poll_output().is_some() {}
    });
    let each = -freed.bytes_current / SYMBOLS as i64;
    println!("{each} bytes a book are freed");
    assert!(each > 5_000, "{freed:?}");
}
