//! A client of a served recording, and what it is held against.

#![allow(dead_code, reason = "not every test file uses everything")]

use std::collections::BTreeMap;
use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use kucoin_futures_blocking::Feed;
use kucoin_futures_data::serve::{ReplayServer, ServeOptions, Speed, Tape as _, serve};
use kucoin_futures_data::{Moment, Sink};
use kucoin_futures_host::{Clock, Next, Options, Roots, Update};
use kucoin_futures_proto::book::{Coverage, Scope};
use kucoin_futures_proto::wire::Side;
use kucoin_futures_proto::{
    Book, BookEvent, BookLostReason, Channel, Config, Event, Output, Symbol, TopicId,
};
use serde_json::Value;

use crate::simulated::{Session, SimulatedTape};

/// Longer than a client waits before it tries again.
const PATIENCE: Duration = Duration::from_secs(40);
/// A book is kept for comparison once in so many changes.
const EVERY: usize = 10;

pub(crate) fn serve_at(session: &Session, speed: Speed) -> ReplayServer {
    let server = serve_paused(session, speed);
    server.resume();
    server
}

/// The same, and it stands at its beginning.
pub(crate) fn serve_paused(session: &Session, speed: Speed) -> ReplayServer {
    let clock = Clock::new();
    let mut options = ServeOptions::new(Arc::new(move || clock.now()));
    options.speed = speed;
    options.is_paused = true;
    serve(SimulatedTape::new(session.clone()), "127.0.0.1:0".parse().unwrap(), &options).unwrap()
}

/// Status and body of a request.
pub(crate) fn get(server: &ReplayServer, target: &str) -> (u16, Value) {
    request(server, "GET", target)
}

/// A command to the replay.
pub(crate) fn post(server: &ReplayServer, command: &str) -> Value {
    let (status, body) = request(server, "POST", &format!("/_replay/{command}"));
    assert_eq!(status, 200, "{body}");
    body
}

pub(crate) fn request(server: &ReplayServer, method: &str, target: &str) -> (u16, Value) {
    let url = server.url();
    let mut socket = TcpStream::connect(url.strip_prefix("http://").unwrap()).unwrap();
    let head = "Host: x\r\nContent-Length: 0\r\nConnection: close";
    write!(socket, "{method} {target} HTTP/1.1\r\n{head}\r\n\r\n").unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, serde_json::from_str(body).unwrap())
}

/// Waits until a seek is over.
pub(crate) fn settle(server: &ReplayServer) {
    let clock = Clock::new();
    while server.status().is_seeking {
        assert!(clock.now().as_nanos() < PATIENCE.as_nanos() as u64, "{:?}", server.status());
    }
}

/// A book of a contract, as a client had it.
pub(crate) type Sample = (Symbol, Book);

/// A client, and what it has seen.
pub(crate) struct Listener {
    feed: Feed,
    topics: Vec<(TopicId, Symbol)>,
    pub(crate) deltas: usize,
    pub(crate) lost: Vec<BookLostReason>,
    pub(crate) samples: Vec<Sample>,
}

impl Listener {
    pub(crate) fn new(server: &ReplayServer, symbols: &[&str]) -> Self {
        Self::with_roots(server, symbols, Roots::Public)
    }

    pub(crate) fn with_roots(server: &ReplayServer, symbols: &[&str], roots: Roots) -> Self {
        let mut options = Options::default();
        options.roots = roots;
        options.config = Config::with_rest(&server.url()).unwrap();
        options.config.backoff.base = Duration::from_millis(100);
        let mut feed = Feed::with_options(options).unwrap();
        let want = |symbol: &&str| {
            let symbol: Symbol = symbol.parse().unwrap();
            (feed.subscribe(Channel::level2(symbol)).unwrap(), symbol)
        };
        let topics = symbols.iter().map(want).collect();
        Self { feed, topics, deltas: 0, lost: Vec::new(), samples: Vec::new() }
    }

    /// Takes what comes for at most so long; false if it was in vain.
    fn run(&mut self, limit: Duration, mut is_done: impl FnMut(&Self) -> bool) -> bool {
        let clock = Clock::new();
        let end = clock.now() + limit;
        while clock.now() < end {
            if is_done(self) {
                return true;
            }
            let Self { feed, topics, deltas, lost, samples } = self;
            match feed.next_within(end.since(clock.now()).min(Duration::from_millis(100))) {
                Next::Update(Update::Book(update)) => {
                    *deltas += 1;
                    if deltas.is_multiple_of(EVERY)
                        && let Some(book) = update.book
                    {
                        let (_, symbol) =
                            topics.iter().find(|(topic, _)| *topic == update.topic).unwrap();
                        samples.push((*symbol, book.clone()));
                    }
                }
                Next::Update(Update::State(Event::Book(_, BookEvent::Lost { reason, .. }))) => {
                    lost.push(reason);
                }
                Next::Update(_) | Next::Quiet => {}
                Next::Ended => panic!("nobody has closed it"),
            }
        }
        is_done(self)
    }

    pub(crate) fn until(&mut self, is_done: impl FnMut(&Self) -> bool) {
        assert!(self.run(PATIENCE, is_done), "in vain; lost: {:?}", self.lost);
    }

    pub(crate) fn until_live(&mut self) {
        self.until(|me| me.topics.iter().all(|(topic, _)| me.feed.book(*topic).is_some()));
    }

    /// Until another book is lost.
    pub(crate) fn until_lost(&mut self) {
        let before = self.lost.len();
        self.until(|me| me.lost.len() > before);
    }

    pub(crate) fn run_for(&mut self, span: Duration) {
        self.run(span, |_| false);
    }

    pub(crate) fn book(&self, symbol: &str) -> &Book {
        let (topic, _) = self.topics.iter().find(|(_, own)| own.as_str() == symbol).unwrap();
        self.feed.book(*topic).unwrap()
    }

    /// The sequence of the snapshot that would be served now.
    pub(crate) fn rest_sequence(&self, server: &ReplayServer) -> u64 {
        let (_, symbol) = self.topics[0];
        let (_, body) = get(server, &format!("/api/v1/level2/snapshot?symbol={symbol}"));
        body["data"]["sequence"].as_u64().unwrap()
    }

    /// Holds each book against what the replay says of it.
    pub(crate) fn check_digest(&self, server: &ReplayServer) {
        for (topic, symbol) in &self.topics {
            let book = self.feed.book(*topic).unwrap();
            let horizon = |side| match book.reach(side) {
                Coverage::All => String::new(),
                Coverage::To(price) => price.to_string(),
            };
            let target = format!(
                "/_replay/digest?symbol={symbol}&sequence={}&bid_horizon={}&ask_horizon={}",
                book.sequence(),
                horizon(Side::Bid),
                horizon(Side::Ask)
            );
            let (status, answer) = get(server, &target);
            assert_eq!(status, 200, "{answer}");
            let digest = book.digest(Scope::Complete);
            let own: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(answer["sha256"], own, "{symbol} at {}", book.sequence());
        }
    }
}

/// Drives the recorded client once more, and holds what others had against its books. Says how many were compared:
/// all, or it fails.
pub(crate) fn verify(session: &Session, samples: Vec<Sample>) -> usize {
    let count = samples.len();
    let mut witness = Witness::default();
    for (symbol, book) in samples {
        witness.open.entry((symbol, book.sequence().get())).or_default().push(book);
    }
    let mut tape = SimulatedTape::new(session.clone());
    while !witness.open.is_empty() && tape.next_at().is_some() {
        tape.step(&mut witness).unwrap();
    }
    let open: Vec<_> = witness.open.keys().collect();
    assert!(open.is_empty(), "at no such place was the recorded client: {open:?}");
    count
}

#[derive(Default)]
struct Witness {
    /// What was not compared yet.
    open: BTreeMap<(Symbol, u64), Vec<Book>>,
}

impl Sink for Witness {
    fn on_start(&mut self, _: &Moment<'_>) -> io::Result<()> {
        Ok(())
    }

    fn on_output(&mut self, moment: &Moment<'_>, output: &Output<'_>) -> io::Result<()> {
        let Output::Event(Event::Book(topic, _)) = output else { return Ok(()) };
        let symbol = moment.client.channel(*topic).unwrap().symbol().unwrap();
        let Some(truth) = moment.client.book(*topic) else { return Ok(()) };
        let same = self.open.remove(&(symbol, truth.sequence().get())).unwrap_or_default();
        same.iter().for_each(|book| assert_same(book, truth));
        Ok(())
    }

    fn on_end(&mut self, _: &Moment<'_>) -> io::Result<()> {
        Ok(())
    }
}

/// All that a book claims to know, the recorded one knows, too, and says the same.
fn assert_same(book: &Book, truth: &Book) {
    for side in [Side::Bid, Side::Ask] {
        let is_better_or_equal = |price, horizon| match side {
            Side::Bid => price >= horizon,
            Side::Ask => price <= horizon,
        };
        let is_claimed = |price| match book.reach(side) {
            Coverage::All => true,
            Coverage::To(horizon) => is_better_or_equal(price, horizon),
        };
        if let Coverage::To(horizon) = truth.reach(side) {
            let Coverage::To(own) = book.reach(side) else {
                panic!("{side:?} at {}: known to {horizon}, said to be whole", truth.sequence())
            };
            assert!(is_better_or_equal(own, horizon), "{side:?}: {own} is beyond {horizon}");
        }
        let known = truth.levels(side, Scope::Complete).filter(|level| is_claimed(level.price));
        assert!(book.levels(side, Scope::Complete).eq(known), "{side:?} at {}", truth.sequence());
    }
}
