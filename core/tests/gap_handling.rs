//! How a user may put an exact order book to the test: a state machine against a tiny exchange.
//!
//! Copy this file. It needs the crates `proptest`, `proptest-state-machine` and `serde_json`, nothing
//! else of this project's tests, and drives the client by its public interface only. To see it
//! fail, spoil one check in the core: let a gap, an old snapshot or an undecodable frame pass.
//!
//! * [`Exchange`] is the *reference*: one market, its whole past, and nothing about clients. It says
//!   what may happen next ([`Step`]), and what is true.
//! * [`Rig`] is the *system under test*: a [`Client`] and the least adapter that there can be. What
//!   a real one does with sockets, it answers on the spot.
//! * After each step the client is held against the exchange: a live book equals the exchange's at
//!   its sequence, as far as it says that it can see; and once a hole in the stream can be seen, the
//!   book is not live.
//! * After the last step the exchange is as good as gold, and the book must come back within
//!   [`BOUND`]. Without this, a client that never shows a book would pass.
//!
//! A failure is shrunk to the few steps that it takes, and printed.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "tests"
)]

use std::collections::BTreeMap;
use std::time::Duration;

use kucoin_futures_proto::book::{Best, Book, Coverage, Level, Scope};
use kucoin_futures_proto::wire::Side;
use kucoin_futures_proto::{
    BookEvent, Channel, Client, Config, ConnId, Event, Input, Instant, Lots, Output, Price,
    RequestId, ResponseHead, Sequence, Stats, TopicId, TransportError,
};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest, prop_state_machine};

prop_state_machine! {
    #![proptest_config(ProptestConfig {
        cases: 3000,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_live_book_is_the_exchanges_whatever_happens(sequential 1..120 => GapHandling);
}

const SYMBOL: &str = "XBTUSDTM";
/// Levels of a side that a snapshot shows. Few, so that books reach the end of what they can see.
const LEVELS: usize = 5;
/// Once all faults are over, a book is live after this at the latest: a reconnect that backs off, or
/// a pause for a poisoned stream (60 s each), and at worst the ten snapshots, ever more seldom, that
/// it takes to believe that a counter was set back when there was no delta to tell it by.
const BOUND: Duration = Duration::from_secs(240);

// The reference: what may happen, and what is true.

/// What happens next.
#[derive(Clone, Debug)]
enum Step {
    /// A level changes, and the frame that says so arrives.
    Change(Change),
    /// A level changes, and the frame is lost.
    Lost(Change),
    /// A level changes, and the frame cannot be understood.
    Malformed(Change, Damage),
    /// The frame of so many changes ago comes (again).
    Repeated(usize),
    /// If a snapshot was asked for: here is one.
    Snapshot(Served),
    /// The connection breaks. When the client asks for another one, it gets it.
    LineLost(TransportError),
    /// The exchange restarts: its counter is lower by so much, the book is what it was. By enough to
    /// tell the two runs apart: if both had the same sequences within a second, and frames were lost
    /// besides, nothing that is said on this wire would contradict the old one.
    SetBack(u64),
    /// So many milliseconds pass.
    Pass(u32),
    Subscribe,
    Unsubscribe,
}

/// The size of one price level becomes another one; zero removes the level.
#[derive(Clone, Copy, Debug)]
struct Change {
    side: Side,
    price: u64,
    size: u64,
}

/// What makes a frame one that cannot be understood.
#[derive(Clone, Copy, Debug)]
enum Damage {
    FractionalSize,
    NoSequence,
}

/// What a request for a snapshot gets.
#[derive(Clone, Copy, Debug)]
enum Served {
    Now,
    /// From a cache: what was true so many changes ago.
    Past(usize),
    TimeOut,
    TooManyRequests,
    Html,
}

/// The book at one sequence.
#[derive(Clone, Debug)]
struct Moment {
    sequence: u64,
    at: Instant,
    bids: BTreeMap<u64, u64>,
    asks: BTreeMap<u64, u64>,
    /// The frame that told of the change that led here.
    frame: String,
}

/// One market and its past.
#[derive(Clone, Debug)]
struct Exchange {
    now: Instant,
    /// Every moment there has been, oldest first.
    past: Vec<Moment>,
    /// Where the moments of the present counter begin.
    run: usize,
}

impl ReferenceStateMachine for Exchange {
    type State = Self;
    type Transition = Step;

    fn init_state() -> BoxedStrategy<Self> {
        let now = Instant::ZERO + Duration::from_secs(1_790_000_000);
        let bids = (80..100).map(|price| (price, price)).collect();
        let asks = (100..103).map(|price| (price, price)).collect();
        let moment =
            Moment { sequence: 1_650_000_100_000, at: now, bids, asks, frame: String::new() };
        Just(Self { now, past: vec![moment], run: 0 }).boxed()
    }

    fn transitions(_: &Self) -> BoxedStrategy<Step> {
        let side = prop_oneof![Just(Side::Bid), Just(Side::Ask)];
        let size = prop_oneof![2 => Just(0), 3 => 1..50_u64];
        let change = (side, 85..115_u64, size);
        let change = change.prop_map(|(side, price, size)| Change { side, price, size });
        let damage = prop_oneof![Just(Damage::FractionalSize), Just(Damage::NoSequence)];
        let served = prop_oneof![
            8 => Just(Served::Now),
            4 => (0..8_usize).prop_map(Served::Past),
            1 => Just(Served::TimeOut),
            1 => Just(Served::TooManyRequests),
            1 => Just(Served::Html),
        ];
        let error = prop_oneof![
            Just(TransportError::Eof),
            Just(TransportError::Closed { code: Some(1001) })
        ];
        let back = prop_oneof![Just(1000), Just(50_000)];
        let time = prop_oneof![5 => 0..1500_u32, 1 => 0..20_000_u32];
        prop_oneof![
            30 => change.clone().prop_map(Step::Change),
            5 => change.clone().prop_map(Step::Lost),
            2 => (change, damage).prop_map(|(change, damage)| Step::Malformed(change, damage)),
            3 => (0..4_usize).prop_map(Step::Repeated),
            20 => served.prop_map(Step::Snapshot),
            2 => error.prop_map(Step::LineLost),
            1 => back.prop_map(Step::SetBack),
            20 => time.prop_map(Step::Pass),
            2 => Just(Step::Subscribe),
            1 => Just(Step::Unsubscribe),
        ]
        .boxed()
    }

    fn apply(mut exchange: Self, step: &Step) -> Self {
        match *step {
            Step::Change(change) | Step::Lost(change) | Step::Malformed(change, _) => {
                exchange.change(change);
            }
            Step::SetBack(by) => exchange.set_back(by),
            Step::Pass(ms) => exchange.now = exchange.now + Duration::from_millis(ms.into()),
            Step::Repeated(_)
            | Step::Snapshot(_)
            | Step::LineLost(_)
            | Step::Subscribe
            | Step::Unsubscribe => {}
        }
        exchange
    }
}

impl Exchange {
    fn present(&self) -> &Moment {
        self.past.last().unwrap()
    }

    /// Some moment of the present run, so many changes ago.
    fn moment(&self, back: usize) -> &Moment {
        let run = &self.past[self.run..];
        &run[run.len().saturating_sub(1 + back)]
    }

    fn change(&mut self, change: Change) {
        let mut next = self.present().clone();
        next.sequence += 1;
        next.at = self.now;
        let (name, levels) = match change.side {
            Side::Bid => ("buy", &mut next.bids),
            Side::Ask => ("sell", &mut next.asks),
        };
        if change.size == 0 {
            levels.remove(&change.price);
        } else {
            levels.insert(change.price, change.size);
        }
        let Change { price, size, .. } = change;
        next.frame = format!(
            r#"{{"topic":"/contractMarket/level2:{SYMBOL}","type":"message","subject":"level2","data":{{"sequence":{},"change":"{price},{name},{size}","timestamp":{}}}}}"#,
            next.sequence,
            self.now.as_nanos() / 1_000_000,
        );
        self.past.push(next);
    }

    fn set_back(&mut self, by: u64) {
        let mut moment = self.present().clone();
        moment.sequence -= by;
        moment.frame.clear();
        self.run = self.past.len();
        self.past.push(moment);
    }

    /// Whether a book that says it is live says nothing but the truth: some moment with its
    /// sequence had just these levels. (There may be two, of two runs of the counter.)
    fn vouches_for(&self, book: &Book) -> bool {
        let sequence = book.sequence().get();
        let mut moments = self.past.iter().filter(|moment| moment.sequence == sequence);
        moments.any(|moment| {
            let bids = moment.bids.iter().rev().map(level).collect::<Vec<_>>();
            let asks = moment.asks.iter().map(level).collect::<Vec<_>>();
            is_true(book, Side::Bid, &bids) && is_true(book, Side::Ask, &asks)
        })
    }
}

/// Whether one side of a book is true: complete inside of its horizon, right beyond it.
fn is_true(book: &Book, side: Side, truth: &[Level]) -> bool {
    let reach = book.reach(side);
    let inside = |level: &&Level| match (reach, side) {
        (Coverage::All, _) => true,
        (Coverage::To(horizon), Side::Bid) => level.price >= horizon,
        (Coverage::To(horizon), Side::Ask) => level.price <= horizon,
    };
    let known: Vec<Level> = truth.iter().filter(inside).copied().collect();
    let best = match (known.first(), reach) {
        (Some(level), _) => Best::Level(*level),
        (None, Coverage::All) => Best::Empty,
        (None, Coverage::To(_)) => Best::Unknown,
    };
    let says = if side == Side::Bid { book.best_bid() } else { book.best_ask() };
    says == best
        && book.levels(side, Scope::Complete).eq(known)
        && book.levels(side, Scope::Held).all(|level| truth.contains(&level))
}

fn level((price, size): (&u64, &u64)) -> Level {
    Level { price: price.to_string().parse::<Price>().unwrap(), size: Lots::new(*size) }
}

// The system under test: a client, and the least adapter that there can be.

struct Rig {
    client: Client,
    now: Instant,
    topic: TopicId,
    conn: Option<ConnId>,
    /// A snapshot that was asked for.
    asked: Option<RequestId>,
    /// Where the book is, by what the events have said.
    live: Option<Sequence>,
}

impl Rig {
    fn new(now: Instant) -> Self {
        let mut config = Config::default();
        config.book.snapshot_levels = LEVELS;
        config.book.refresh_below = 2;
        config.book.max_levels_per_side = 8;
        config.book.max_pending_deltas = 20;
        let mut client = Client::new(now, 1, config);
        let topic = client.subscribe(now, Channel::level2(SYMBOL.parse().unwrap())).unwrap();
        let mut rig = Self { client, now, topic, conn: None, asked: None, live: None };
        rig.perform();
        rig
    }

    fn input(&mut self, input: Input<'_>) {
        let _ = self.client.handle(self.now, input);
    }

    /// Performs all that the client wants done. Only snapshots have to wait for their step.
    fn perform(&mut self) {
        while let Some(output) = self.client.poll_output() {
            match output {
                Output::Event(event) => self.take_note(&event),
                Output::Push(_) => {}
                Output::Fetch(fetch) if fetch.path().contains("/level2/snapshot?") => {
                    self.asked = Some(fetch.request());
                }
                Output::Fetch(fetch) => {
                    let token = br#"{"code":"200000","data":{"token":"t","instanceServers":[{"endpoint":"wss://ws.kucoin.com/"}]}}"#;
                    self.input(Input::Reply {
                        request: fetch.request(),
                        head: ResponseHead::new(200),
                        body: token,
                    });
                }
                Output::Open { conn, to } => {
                    self.conn = Some(conn);
                    self.input(Input::Opened { conn });
                    let (_, id) = to.secret_url().split_once("connectId=").unwrap();
                    self.text(&format!(r#"{{"id":"{id}","type":"welcome"}}"#));
                }
                Output::Close { conn } => {
                    self.conn.take_if(|open| *open == conn);
                }
                Output::Send { text, .. } => {
                    let request: serde_json::Value = serde_json::from_str(&text).unwrap();
                    let kind = if request["type"] == "ping" { "pong" } else { "ack" };
                    self.text(&format!(r#"{{"id":{},"type":"{kind}"}}"#, request["id"]));
                }
            }
        }
    }

    fn text(&mut self, text: &str) {
        if let Some(conn) = self.conn {
            self.input(Input::Text { conn, bytes: text.as_bytes() });
        }
    }

    /// Within a run of a book, each delta has the next sequence.
    fn take_note(&mut self, event: &Event) {
        match *event {
            Event::Book(_, BookEvent::Live { sequence, .. }) => {
                assert_eq!(self.live.replace(sequence), None, "live twice");
            }
            Event::Book(_, BookEvent::Delta(delta)) => {
                let expected = self.live.and_then(Sequence::next);
                assert_eq!(Some(delta.sequence), expected, "a step that is not one");
                self.live = expected;
            }
            Event::Book(_, BookEvent::Lost { .. }) => {
                assert!(self.live.take().is_some(), "lost twice")
            }
            _ => {}
        }
    }

    /// Lets the client have its deadlines until it is `end`.
    fn pass(&mut self, end: Instant) {
        while let Some(deadline) = self.client.poll_timeout().filter(|d| d.at <= end) {
            self.now = self.now.max(deadline.at);
            self.input(Input::Timeout);
            self.perform();
        }
        self.now = end;
    }

    /// Answers the request for a snapshot, if there is one.
    fn serve(&mut self, exchange: &Exchange, served: Served) {
        let Some(request) = self.asked.take() else { return };
        let ok = ResponseHead::new(200);
        match served {
            Served::Now => self.reply(request, ok, &snapshot(exchange.present())),
            Served::Past(back) => self.reply(request, ok, &snapshot(exchange.moment(back))),
            Served::TimeOut => {
                self.input(Input::Failed { request, error: TransportError::TimedOut })
            }
            Served::TooManyRequests => self.reply(request, ResponseHead::new(429), ""),
            Served::Html => self.reply(request, ResponseHead::new(502), "<html>Bad gateway</html>"),
        }
    }

    fn reply(&mut self, request: RequestId, head: ResponseHead, body: &str) {
        self.input(Input::Reply { request, head, body: body.as_bytes() });
    }
}

/// A snapshot of a moment, cut as the exchange cuts it.
fn snapshot(moment: &Moment) -> String {
    let side = |levels: Vec<(&u64, &u64)>| {
        let levels = levels.into_iter().take(LEVELS).map(|(p, s)| format!("[{p},{s}]"));
        levels.collect::<Vec<_>>().join(",")
    };
    let (bids, asks) = (moment.bids.iter().rev().collect(), moment.asks.iter().collect());
    format!(
        r#"{{"code":"200000","data":{{"sequence":{},"symbol":"{SYMBOL}","bids":[{}],"asks":[{}],"ts":{}}}}}"#,
        moment.sequence,
        side(bids),
        side(asks),
        moment.at.as_nanos(),
    )
}

// The two together.

struct GapHandling;

impl StateMachineTest for GapHandling {
    type SystemUnderTest = Rig;
    type Reference = Exchange;

    fn init_test(exchange: &Exchange) -> Rig {
        Rig::new(exchange.now)
    }

    /// The exchange has taken the step already; now the client hears of it.
    fn apply(mut rig: Rig, exchange: &Exchange, step: Step) -> Rig {
        let before = rig.live;
        match step {
            Step::Change(_) => {
                rig.text(&exchange.present().frame);
                rig.perform();
                let hole = before.is_some_and(|s| s.get() + 1 < exchange.present().sequence);
                assert!(!hole || rig.live.is_none(), "live after a gap");
            }
            Step::Malformed(_, damage) => {
                let frame = &exchange.present().frame;
                let (right, wrong) = match damage {
                    Damage::FractionalSize => (r#"","timestamp"#, r#".5","timestamp"#),
                    Damage::NoSequence => (r#""sequence""#, r#""sequins""#),
                };
                assert_eq!(frame.matches(right).count(), 1, "nothing to damage in {frame}");
                rig.text(&frame.replace(right, wrong));
                rig.perform();
                let heard = rig.conn.is_some();
                assert!(!heard || rig.live.is_none(), "live after a frame that was not understood");
            }
            Step::Repeated(back) => rig.text(&exchange.moment(back).frame),
            Step::Snapshot(served) => rig.serve(exchange, served),
            Step::LineLost(error) => {
                if let Some(conn) = rig.conn.take() {
                    rig.input(Input::Lost { conn, error });
                    assert!(rig.client.book(rig.topic).is_none(), "live without a line");
                }
            }
            Step::Pass(_) => rig.pass(exchange.now),
            Step::Subscribe => {
                let channel = Channel::level2(SYMBOL.parse().unwrap());
                assert_eq!(rig.client.subscribe(rig.now, channel), Ok(rig.topic));
            }
            Step::Unsubscribe => {
                rig.client.unsubscribe(rig.now, rig.topic).unwrap();
                assert!(rig.client.book(rig.topic).is_none(), "live and not wanted");
            }
            Step::Lost(_) | Step::SetBack(_) => {}
        }
        rig.perform();
        rig
    }

    /// The promise.
    fn check_invariants(rig: &Rig, exchange: &Exchange) {
        let book = rig.client.book(rig.topic);
        assert_eq!(book.map(Book::sequence), rig.live, "readable just when the events say so");
        if let Some(book) = book {
            assert!(exchange.vouches_for(book), "the exchange was never like {book:?}");
        }
    }

    /// All faults are over: the book must come back.
    fn teardown(mut rig: Rig, mut exchange: Exchange) {
        rig = Self::apply(rig, &exchange, Step::Subscribe);
        let end = exchange.now + BOUND;
        let mut size = 1;
        let is_back = |rig: &Rig, exchange: &Exchange| {
            let present = exchange.present().sequence;
            rig.live.is_some_and(|sequence| sequence.get() == present)
        };
        while !is_back(&rig, &exchange) {
            assert!(exchange.now < end, "not live again: {:?}", rig.client.book_status(rig.topic));
            let change = Change { side: Side::Bid, price: 90, size };
            size += 1;
            for step in [Step::Pass(250), Step::Change(change), Step::Snapshot(Served::Now)] {
                exchange = <Exchange as ReferenceStateMachine>::apply(exchange, &step);
                rig = Self::apply(rig, &exchange, step);
                Self::check_invariants(&rig, &exchange);
            }
        }
    }
}

/// A property is worth what its histories reach.
#[test]
fn the_histories_reach_what_matters() {
    let mut runner = TestRunner::deterministic();
    let mut reached = Vec::new();
    for _ in 0..200 {
        let strategy = Exchange::sequential_strategy(120);
        let (mut exchange, steps, _) = strategy.new_tree(&mut runner).unwrap().current();
        let mut rig = GapHandling::init_test(&exchange);
        for step in steps {
            exchange = <Exchange as ReferenceStateMachine>::apply(exchange, &step);
            rig = GapHandling::apply(rig, &exchange, step);
        }
        reached.push(*rig.client.stats());
    }
    let sum = |counter: fn(&Stats) -> u64| reached.iter().map(counter).sum::<u64>();
    let counts = [
        ("deltas", sum(|s| s.deltas)),
        ("buffered", sum(|s| s.buffered)),
        ("gaps", sum(|s| s.gaps)),
        ("repeats", sum(|s| s.repeats)),
        ("poisoned", sum(|s| s.poisoned)),
        ("resyncs", sum(|s| s.resyncs)),
        ("snapshots", sum(|s| s.snapshots)),
        ("snapshots_too_old", sum(|s| s.snapshots_too_old)),
        ("failed_fetches", sum(|s| s.failed_fetches)),
        ("reconnects", sum(|s| s.reconnects)),
    ];
    println!("{counts:?}");
    for (name, count) in counts {
        assert!(count > 100, "{name}: {count}");
    }
}
