//! Real servers, real sockets: what a publisher tells by Redis or NATS, consumers have, or say that they have not.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    missing_docs,
    reason = "tests"
)]

mod servers;

use std::sync::Arc;
use std::time::Duration;

use kucoin_futures_blocking::Feed;
use kucoin_futures_fanout::consumer::{Consumer, Event, Limits, LostReason};
use kucoin_futures_fanout::outbox::{BookView, OutboxLimits};
use kucoin_futures_fanout::{Address, Encoding, Publisher, PublisherOptions, Source};
use kucoin_futures_host::{Clock, Next, Update, unix_now};
use kucoin_futures_proto::book::Scope;
use kucoin_futures_proto::wire::Side;
use kucoin_futures_proto::{Book, BookEvent, Channel, Config, Event as FeedEvent, Symbol, TopicId};
use kucoin_futures_sim::{Contract, ExchangeConfig, Server};
use servers::EngineServer;

const SYMBOLS: [&str; 2] = ["XBTUSDTM", "CHRUSDTM"];

fn symbols() -> [Symbol; 2] {
    SYMBOLS.map(|symbol| symbol.parse().unwrap())
}

fn exchange(faults: &str, rate: f64) -> Server {
    let clock = Clock::new();
    let mut config = ExchangeConfig::default();
    config.contracts = symbols().map(Contract::named).into();
    config.rate = rate;
    config.unix_start = unix_now();
    config.faults = faults.parse().unwrap();
    Server::start(([127, 0, 0, 1], 0).into(), 7, config, Arc::new(move || clock.now())).unwrap()
}

/// A feed whose books are published, driven by the test's thread.
struct Publishing {
    feed: Feed,
    publisher: Publisher,
    topics: [(Symbol, TopicId); 2],
}

fn view(feed: &Feed, topic: TopicId) -> Option<BookView<'_>> {
    let (book, epoch) = (feed.book(topic)?, feed.book_epoch(topic)?);
    Some(BookView { book, epoch: epoch.get(), age: feed.book_age(topic)?.since_proof })
}

impl Publishing {
    fn start(exchange: &Server, address: &Address, limits: OutboxLimits) -> Self {
        let mut feed = Feed::new(Config::with_rest(&exchange.url()).unwrap()).unwrap();
        let encoding = if address.prefix() == "json" { Encoding::Ndjson } else { Encoding::Binary };
        let options = PublisherOptions { encoding, limits, group: None };
        let publisher = Publisher::start(address.engine().unwrap(), options).unwrap();
        let topics = symbols().map(|symbol| {
            publisher.add(symbol);
            (symbol, feed.subscribe(Channel::level2(symbol)).unwrap())
        });
        Self { feed, publisher, topics }
    }

    fn symbol(&self, topic: TopicId) -> Symbol {
        self.topics.iter().find(|(_, its)| *its == topic).unwrap().0
    }

    /// Drives the feed for so long.
    fn run(&mut self, span: Duration) {
        let clock = Clock::new();
        while clock.now().since(kucoin_futures_proto::Instant::ZERO) < span {
            self.turn();
        }
    }

    fn turn(&mut self) {
        let topics = self.topics;
        let symbol = |topic| topics.iter().find(|(_, its)| *its == topic).unwrap().0;
        match self.feed.next_within(Duration::from_millis(5)) {
            Next::Update(Update::Book(change)) => {
                self.publisher.change(symbol(change.topic), &change.delta);
            }
            Next::Update(Update::State(FeedEvent::Book(topic, BookEvent::Live { epoch, .. }))) => {
                self.publisher.live(self.symbol(topic), epoch.get());
            }
            Next::Update(Update::State(FeedEvent::Book(topic, BookEvent::Delayed(reason)))) => {
                self.publisher.delayed(self.symbol(topic), &reason);
            }
            Next::Update(Update::State(FeedEvent::Book(topic, BookEvent::Lost { reason, .. }))) => {
                self.publisher.lost(self.symbol(topic), &reason);
            }
            _ => {}
        }
        let feed = &self.feed;
        self.publisher
            .beat(|symbol| view(feed, topics.iter().find(|(its, _)| *its == symbol).unwrap().1));
    }
}

/// A consumer on the test's thread, and what is demanded of it at each event: the exchange's truth.
struct Consuming<'a> {
    exchange: &'a Server,
    source: Box<dyn Source>,
    consumer: Consumer,
    clock: Clock,
    is_connected: bool,
    compared: u64,
    changes: u64,
    lost: Vec<LostReason>,
    live: u32,
}

impl<'a> Consuming<'a> {
    fn start(exchange: &'a Server, address: &Address) -> Self {
        let mut consumer = Consumer::new(Limits::default());
        symbols().into_iter().for_each(|symbol| consumer.follow(symbol));
        Self {
            exchange,
            source: address.source().unwrap(),
            consumer,
            clock: Clock::new(),
            is_connected: false,
            compared: 0,
            changes: 0,
            lost: Vec::new(),
            live: 0,
        }
    }

    /// Takes what comes within a short time.
    fn turn(&mut self) {
        if let Err(error) = self.try_turn() {
            eprintln!("{error}");
            self.is_connected = false;
            let Self { consumer, lost, .. } = self;
            consumer.disconnected(&mut |_: Symbol, event: &Event, _: Option<&Book>| {
                if let Event::Lost { reason, .. } = event {
                    lost.push(reason.clone());
                }
            });
        }
    }

    fn try_turn(&mut self) -> Result<(), kucoin_futures_fanout::EngineError> {
        let Self { exchange, source, consumer, clock, compared, changes, lost, live, .. } = self;
        if !self.is_connected {
            source.connect()?;
            source.follow(&symbols())?;
            self.is_connected = true;
        }
        let wanting: Vec<Symbol> = consumer.wanting(clock.now()).collect();
        if !wanting.is_empty() {
            source.want(&wanting)?;
        }
        let mut judge = |symbol: Symbol, event: &Event, book: Option<&Book>| match event {
            Event::Live { .. } | Event::Widened { .. } => {
                *live += u32::from(matches!(event, Event::Live { .. }));
                *compared += 1;
                compare(exchange, symbol, book.unwrap());
            }
            Event::Change(_) => {
                *changes += 1;
                // Each would take the exchange's time.
                if *changes % 50 == 0 {
                    *compared += 1;
                    compare(exchange, symbol, book.unwrap());
                }
            }
            Event::Lost { reason, .. } => lost.push(reason.clone()),
        };
        source.poll(Duration::from_millis(20), &mut |arrived| {
            consumer.take(clock.now(), arrived.age, arrived.bytes, &mut judge).unwrap();
        })?;
        consumer.handle_timeout(clock.now(), &mut judge);
        Ok(())
    }

    fn all_live(&self) -> bool {
        let now = self.clock.now();
        symbols().into_iter().all(|symbol| self.consumer.book(symbol, now).is_some())
    }

    fn none_live(&self) -> bool {
        let now = self.clock.now();
        symbols().into_iter().all(|symbol| self.consumer.book(symbol, now).is_none())
    }
}

/// At its sequence the book is the exchange's, in one of the runs of its counter.
fn compare(exchange: &Server, symbol: Symbol, book: &Book) {
    let digest: String =
        book.digest(Scope::Complete).iter().map(|byte| format!("{byte:02x}")).collect();
    let [bids, asks] = [Side::Bid, Side::Ask].map(|side| book.reach(side));
    let is_equal = exchange.with(|exchange, _| {
        let mut truths = exchange.market(symbol).unwrap().truths_at(book.sequence());
        truths.any(|truth| truth.digest(bids, asks) == digest)
    });
    assert!(is_equal, "{symbol} at {}", book.sequence());
}

/// Turns of everybody until something is so, within a limit.
#[track_caller]
fn until(
    publishers: &mut [&mut Publishing],
    consumer: &mut Consuming<'_>,
    seconds: u64,
    is: impl Fn(&Consuming<'_>) -> bool,
) {
    let clock = Clock::new();
    while !is(consumer) {
        publishers.iter_mut().for_each(|publisher| {
            (0..50).for_each(|_| publisher.turn());
        });
        consumer.turn();
        let passed = clock.now().since(kucoin_futures_proto::Instant::ZERO);
        assert!(
            passed < Duration::from_secs(seconds),
            "not within {seconds} s: {:?}",
            consumer.lost
        );
    }
}

fn on_all(test: impl Fn(&mut EngineServer, &Address)) {
    for name in ["redis", "nats"] {
        let Some(mut server) = EngineServer::start(name) else {
            eprintln!("SKIPPED: no {name}-server in PATH");
            assert!(std::env::var_os("KCF_NEED_ALL").is_none(), "KCF_NEED_ALL is set");
            continue;
        };
        let prefix = if name == "redis" { "kcf" } else { "json" };
        let address = Address::new(&server.url(), prefix, 2000).unwrap();
        test(&mut server, &address);
    }
}

#[test]
fn with_faults_at_the_exchange_every_book_that_is_live_is_the_exchanges() {
    on_all(|_, address| {
        let faults = "every 2s drop *; at 3s close 1001; at 4s step-back CHRUSDTM 7000; every 3s repeat XBTUSDTM 2";
        let exchange = exchange(faults, 300.0);
        let mut publisher = Publishing::start(&exchange, address, OutboxLimits::default());
        let mut consumer = Consuming::start(&exchange, address);
        until(&mut [&mut publisher], &mut consumer, 30, |it| it.changes > 4000 && it.live > 6);
        let stats = consumer.consumer.stats();
        eprintln!(
            "{address}: {} compared, lost {}, {stats:?}",
            consumer.compared,
            consumer.lost.len()
        );
        assert!(consumer.compared > 80 && consumer.lost.len() > 3);
        assert_eq!((stats.holes, stats.malformed, stats.bad_snapshots), (0, 0, 0));
    });
}

#[test]
fn an_engine_that_is_killed_and_comes_back_costs_no_wrong_book() {
    on_all(|server, address| {
        let exchange = exchange("", 300.0);
        let mut publisher = Publishing::start(&exchange, address, OutboxLimits::default());
        let mut consumer = Consuming::start(&exchange, address);
        until(&mut [&mut publisher], &mut consumer, 20, |it| it.all_live());
        for _ in 0..2 {
            server.kill();
            until(&mut [&mut publisher], &mut consumer, 20, |it| it.none_live());
            assert!(consumer.lost.contains(&LostReason::Disconnected));
            server.restart();
            until(&mut [&mut publisher], &mut consumer, 20, |it| it.all_live());
        }
        let before = consumer.changes;
        until(&mut [&mut publisher], &mut consumer, 20, |it| it.changes > before + 500);
        assert!(publisher.publisher.status().connects >= 3);
    });
}

#[test]
fn a_consumer_that_was_away_for_longer_than_is_kept_says_so_and_comes_back() {
    on_all(|_, address| {
        let exchange = exchange("", 600.0);
        let mut publisher = Publishing::start(&exchange, address, OutboxLimits::default());
        let mut consumer = Consuming::start(&exchange, address);
        until(&mut [&mut publisher], &mut consumer, 20, |it| it.all_live());
        // More than what Redis keeps here; and by then all that it knew is old.
        publisher.run(Duration::from_secs(8));
        assert!(consumer.none_live(), "what was heard 8 s ago is not live");
        until(&mut [&mut publisher], &mut consumer, 20, |it| it.all_live());
        assert!(!consumer.lost.is_empty());
        assert_eq!(consumer.consumer.stats().conflicts, 0);
    });
}

#[test]
fn of_two_publishers_one_is_killed_and_no_book_leaves_live() {
    on_all(|_, address| {
        let exchange = exchange("", 200.0);
        let mut one = Publishing::start(&exchange, address, OutboxLimits::default());
        let mut two = Publishing::start(&exchange, address, OutboxLimits::default());
        let mut consumer = Consuming::start(&exchange, address);
        let joined = |it: &Consuming<'_>| {
            let all = symbols()
                .into_iter()
                .flat_map(|symbol| it.consumer.replica(symbol).unwrap().publishers(it.clock.now()));
            all.filter(|publisher| publisher.has_joined).count() == 4
        };
        until(&mut [&mut one, &mut two], &mut consumer, 20, joined);
        let lost = consumer.lost.len();
        // As if its process was killed: no End, no heartbeat, nothing.
        std::mem::forget(one);
        let before = consumer.changes;
        let clock = Clock::new();
        let passed = || clock.now().since(kucoin_futures_proto::Instant::ZERO).as_secs();
        until(&mut [&mut two], &mut consumer, 30, |it| it.changes > before + 1000 && passed() >= 7);
        assert_eq!(consumer.lost.len(), lost, "{:?}", consumer.lost);
        assert_eq!(consumer.consumer.stats().conflicts, 0);
        drop(two);
        until(&mut [], &mut consumer, 3, |it| it.none_live());
        assert!(consumer.lost.contains(&LostReason::Ended));
    });
}

#[test]
fn a_publisher_that_goes_without_a_word_is_noticed_within_the_deadline() {
    on_all(|_, address| {
        let exchange = exchange("", 50.0);
        let mut publisher = Publishing::start(&exchange, address, OutboxLimits::default());
        let mut consumer = Consuming::start(&exchange, address);
        until(&mut [&mut publisher], &mut consumer, 20, |it| it.all_live());
        std::mem::forget(publisher);
        until(&mut [], &mut consumer, 7, |it| it.none_live());
        assert!(consumer.lost.contains(&LostReason::Silent), "{:?}", consumer.lost);
        // What lies in the engine does not look alive to somebody who comes later, either.
        let mut later = Consuming::start(&exchange, address);
        (0..50).for_each(|_| later.turn());
        assert_eq!(later.live, 0);
        // Another run of it begins.
        let mut again = Publishing::start(&exchange, address, OutboxLimits::default());
        until(&mut [&mut again], &mut consumer, 20, |it| it.all_live());
    });
}
