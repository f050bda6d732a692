//! Whatever becomes of two publishers' messages on their way, a book that is said to be live is the exchange's.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "tests"
)]

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use kucoin_futures_fanout::consumer::{Consumer, Event, Limits, LostReason};
use kucoin_futures_fanout::message::{
    Body, Deltas, Encoding, Heartbeat, Lost, Message, PublisherId, Snapshot,
};
use kucoin_futures_proto::book::{Apply, Coverage, Level, Scope, SideParts};
use kucoin_futures_proto::wire::{Delta, Side};
use kucoin_futures_proto::{Book, Instant, Lots, Price, Sequence, Symbol, UnixNanos};
use proptest::prelude::*;

const SIDES: [Side; 2] = [Side::Bid, Side::Ask];
/// Levels of a side in a publisher's snapshot, and so its horizon.
const CUT: usize = 6;

/// A publisher's epochs say here which run of the exchange's counter they are of: the rest of a division by this.
const RUNS: u32 = 1000;

fn symbol() -> Symbol {
    "XBTUSDTM".parse().unwrap()
}

/// One run of the exchange's counter: the whole book at each of its sequences.
struct Run {
    first: u64,
    truths: Vec<Book>,
    deltas: Vec<Delta>,
}

/// The exchange: all runs there were, the last one going on.
struct Exchange {
    runs: Vec<Run>,
    random: u64,
}

impl Exchange {
    fn new(seed: u64) -> Self {
        let mut exchange = Self { runs: Vec::new(), random: seed };
        exchange.begin(1000);
        exchange
    }

    /// SplitMix64.
    fn draw(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.random;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn begin(&mut self, first: u64) {
        let mut side = |from: i64, step: i64| -> Vec<Level> {
            let price = |at| Price::from_scaled((from + at * step) * 1_000_000).unwrap();
            let mut level =
                |at| Level { price: price(at), size: Lots::new(1 + (self.draw() >> 20)) };
            (0..12).map(&mut level).collect()
        };
        let (bids, asks) = (side(1000, -1), side(1001, 1));
        let [bids, asks] = [&bids, &asks].map(|levels| SideParts { levels, reach: Coverage::All });
        let mut book = Book::new(usize::MAX, usize::MAX);
        assert!(book.restore(Sequence::new(first), None, bids, asks));
        self.runs.push(Run { first, truths: vec![book], deltas: Vec::new() });
    }

    fn step(&mut self) {
        let [which, price, size, zero] = [0; 4].map(|_: i32| self.draw());
        let run = self.runs.last_mut().unwrap();
        let mut book = run.truths.last().unwrap().clone();
        let (side, price) = match which % 2 {
            0 => (Side::Bid, 1000 - (price % 14) as i64),
            _ => (Side::Ask, 1001 + (price % 14) as i64),
        };
        let price = Price::from_scaled(price * 1_000_000).unwrap();
        let size = if zero % 4 == 0 { 0 } else { 1 + (size >> 20) };
        let sequence = book.sequence().next().unwrap();
        let delta = Delta::new(sequence, side, price, Lots::new(size));
        assert_eq!(book.apply(&delta), Apply::Applied);
        run.truths.push(book);
        run.deltas.push(delta);
    }

    /// The counter begins anew, somewhere below.
    fn reset(&mut self) {
        let last = self.runs.last().unwrap().truths.last().unwrap().sequence().get();
        let first = last - self.draw() % (last - 900).min(40);
        self.begin(first);
    }

    fn is_true(&self, book: &Book) -> bool {
        self.runs.iter().any(|run| {
            let at = book.sequence().get().checked_sub(run.first);
            let truth = at.and_then(|at| run.truths.get(at as usize));
            truth.is_some_and(|truth| is_part(book, truth))
        })
    }
}

/// Whether a book has all levels of the truth inside its reach, and no others.
fn is_part(book: &Book, truth: &Book) -> bool {
    SIDES.into_iter().all(|side| {
        let within = |level: &Level| match (book.reach(side), side) {
            (Coverage::All, _) => true,
            (Coverage::To(to), Side::Bid) => level.price >= to,
            (Coverage::To(to), Side::Ask) => level.price <= to,
        };
        book.levels(side, Scope::Complete)
            .eq(truth.levels(side, Scope::Complete).take_while(within))
    })
}

fn cut(truth: &Book, at: usize) -> Book {
    let sides = SIDES.map(|side| truth.levels(side, Scope::Complete).take(at).collect::<Vec<_>>());
    let [bids, asks] = sides.each_ref().map(|levels| {
        let reach = levels.last().map_or(Coverage::All, |last| Coverage::To(last.price));
        SideParts { levels, reach }
    });
    let mut book = Book::new(usize::MAX, usize::MAX);
    assert!(book.restore(truth.sequence(), None, bids, asks));
    book
}

/// A publisher that keeps its promise, and what is on its way from it.
struct Publisher {
    id: PublisherId,
    number: u64,
    epoch: u32,
    /// The run, and its own book, while that is live.
    live: Option<(usize, Book)>,
    /// The run that it told last, and up to where.
    told: Option<(usize, Sequence)>,
    sent: VecDeque<Message>,
}

impl Publisher {
    const fn new(id: u64) -> Self {
        let id = PublisherId::new(id);
        Self { id, number: 0, epoch: 0, live: None, told: None, sent: VecDeque::new() }
    }

    fn say(&mut self, body: Body) {
        self.number += 1;
        if let (Body::Snapshot(_) | Body::Deltas(_), Some((run, book))) = (&body, &self.live) {
            self.told = Some((*run, book.sequence()));
        }
        let (publisher, number, epoch) = (self.id, self.number, self.epoch);
        self.sent.push_back(Message { symbol: symbol(), publisher, number, epoch, body });
    }

    fn snapshot(&mut self) {
        if let Some((_, book)) = &self.live {
            let snapshot = Snapshot::of(book);
            self.say(Body::Snapshot(Box::new(snapshot)));
        }
    }

    /// Live in the present run, `late` sequences ago, knowing a bit more or less.
    fn go_live(&mut self, exchange: &Exchange, late: usize, levels: usize) {
        if self.live.is_some() {
            self.lose(false);
        }
        let run = exchange.runs.last().unwrap();
        let truth = &run.truths[(run.truths.len() - 1).saturating_sub(late)];
        let run = exchange.runs.len() - 1;
        // Another run of the counter is a doubt about what was told. A book of before needs no word for that.
        if let Some((_, told)) = self.told.filter(|(before, _)| *before != run)
            && (truth.sequence() >= told || late.is_multiple_of(2))
        {
            self.say(Body::Lost(Lost::new("reset", true)));
        }
        self.epoch = (self.epoch / RUNS + 1) * RUNS + run as u32;
        self.live = Some((run, cut(truth, CUT + levels)));
        self.snapshot();
    }

    fn follow(&mut self, exchange: &Exchange, most: usize) {
        let Some((run, book)) = &mut self.live else { return };
        let run = &exchange.runs[*run];
        let at = (book.sequence().get() - run.first) as usize;
        let deltas: Vec<Delta> = run.deltas[at..].iter().take(most).copied().collect();
        for delta in &deltas {
            assert_eq!(book.apply(delta), Apply::Applied);
        }
        if let Some(deltas) = Deltas::of(&deltas) {
            self.say(Body::Deltas(deltas));
        }
    }

    fn lose(&mut self, is_doubt: bool) {
        if self.live.take().is_some() {
            self.say(Body::Lost(Lost::new("test", is_doubt)));
        }
    }

    fn beat(&mut self) {
        let sequence = self.live.as_ref().map(|(_, book)| book.sequence());
        let sent = UnixNanos::from_nanos(0);
        self.say(Body::Heartbeat(Heartbeat { sequence, age_ms: 0, sent }));
    }
}

#[derive(Clone, Copy, Debug)]
enum Op {
    /// The exchange makes changes.
    Step(u8),
    Reset,
    GoLive(usize, u8, u8),
    Follow(usize, u8),
    Snapshot(usize),
    Lose(usize, bool),
    Beat(usize),
    Restart(usize),
    /// The next messages arrive, said so many ms ago.
    Deliver(usize, u8, u16),
    DeliverAll,
    Drop(usize),
    Twice(usize),
    Swap(usize),
    Pass(u16),
    Disconnect,
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let who = || 0..2_usize;
    let op = prop_oneof![
        6 => (1..8_u8).prop_map(Op::Step),
        1 => Just(Op::Reset),
        3 => (who(), 0..6_u8, 0..4_u8).prop_map(|(who, late, levels)| Op::GoLive(who, late, levels)),
        8 => (who(), 1..6_u8).prop_map(|(who, most)| Op::Follow(who, most)),
        3 => who().prop_map(Op::Snapshot),
        1 => (who(), any::<bool>()).prop_map(|(who, doubt)| Op::Lose(who, doubt)),
        2 => who().prop_map(Op::Beat),
        1 => who().prop_map(Op::Restart),
        8 => (who(), 1..5_u8, prop_oneof![4 => Just(0), 1 => 0..9000_u16])
            .prop_map(|(who, count, age)| Op::Deliver(who, count, age)),
        3 => Just(Op::DeliverAll),
        2 => who().prop_map(Op::Drop),
        1 => who().prop_map(Op::Twice),
        1 => who().prop_map(Op::Swap),
        2 => (0..4000_u16).prop_map(Op::Pass),
        1 => Just(Op::Disconnect),
    ];
    prop::collection::vec(op, 1..120)
}

/// The consumer, and what is demanded of it.
struct Witness {
    consumer: Consumer,
    now: Instant,
    /// The live run that was told, and where it is.
    live: Option<(u32, Sequence)>,
    epochs: u32,
    events: u32,
    heard: BTreeMap<PublisherId, Heard>,
}

/// What the consumer has heard of a publisher.
#[derive(Default)]
struct Heard {
    number: u64,
    /// The run of its last book.
    run: Option<usize>,
    /// Which live run of the consumer's there was when it last told of that.
    live: Option<u32>,
}

impl Heard {
    /// What was live with a publisher's word of one run of the counter has ended before it tells of another run.
    fn on(&mut self, message: &Message, live: Option<u32>) {
        if message.number <= self.number {
            return;
        }
        self.number = message.number;
        let is_book = match &message.body {
            Body::Snapshot(_) => true,
            Body::Deltas(_) => self.run.is_some(),
            _ => false,
        };
        if is_book {
            let run = (message.epoch % RUNS) as usize;
            if self.run.replace(run).is_some_and(|before| before != run) {
                assert!(self.live.is_none() || self.live != live, "{message:?}");
            }
            self.live = live;
        }
    }
}

impl Witness {
    fn new() -> Self {
        let limits = Limits { recent: 8, pending: 6, ..Limits::default() };
        let mut consumer = Consumer::new(limits);
        consumer.follow(symbol());
        Self {
            consumer,
            now: Instant::from_nanos(1_000_000_000_000),
            live: None,
            epochs: 0,
            events: 0,
            heard: BTreeMap::new(),
        }
    }

    fn deliver(&mut self, exchange: &Exchange, age: u16, message: &Message) {
        let Self { consumer, now, live, epochs, events, .. } = self;
        let age = Duration::from_millis(age.into());
        let bytes = message.encode(Encoding::Binary);
        let mut judge = |_, event: &Event, book: Option<&Book>| {
            *events += 1;
            judge(exchange, live, epochs, event, book);
        };
        consumer.take(*now, age, &bytes, &mut judge).unwrap();
        let live = self.live.map(|(epoch, _)| epoch);
        self.heard.entry(message.publisher).or_default().on(message, live);
        self.look(exchange);
    }

    fn pass(&mut self, exchange: &Exchange, ms: u16) {
        self.now = self.now + Duration::from_millis(ms.into());
        // Before it looks at the clock, too.
        if let Some(book) = self.consumer.book(symbol(), self.now) {
            assert!(exchange.is_true(book));
        }
        let Self { consumer, now, live, epochs, .. } = self;
        let mut judge =
            |_, event: &Event, book: Option<&Book>| judge(exchange, live, epochs, event, book);
        consumer.handle_timeout(*now, &mut judge);
        assert!(consumer.poll_timeout().is_none_or(|due| due > *now), "it would spin");
        self.look(exchange);
    }

    fn disconnect(&mut self, exchange: &Exchange) {
        let Self { consumer, live, epochs, .. } = self;
        let mut judge =
            |_, event: &Event, book: Option<&Book>| judge(exchange, live, epochs, event, book);
        consumer.disconnected(&mut judge);
        assert_eq!(self.live, None);
        self.look(exchange);
    }

    fn look(&self, exchange: &Exchange) {
        let book = self.consumer.book(symbol(), self.now);
        assert_eq!(
            book.map(Book::sequence),
            self.live.map(|(_, at)| at),
            "told is what can be read"
        );
        if let Some(book) = book {
            assert!(exchange.is_true(book), "{book:?}");
        }
    }
}

fn judge(
    exchange: &Exchange,
    live: &mut Option<(u32, Sequence)>,
    epochs: &mut u32,
    event: &Event,
    book: Option<&Book>,
) {
    if let Some(book) = book {
        assert!(exchange.is_true(book), "{event:?}: {book:?}");
    }
    match event {
        Event::Live { epoch, sequence } => {
            assert_eq!((*live, *epoch), (None, *epochs + 1));
            *epochs = *epoch;
            *live = Some((*epoch, *sequence));
            assert_eq!(book.unwrap().sequence(), *sequence);
        }
        Event::Change(delta) => {
            let (_, at) = live.as_mut().unwrap();
            assert_eq!(at.next(), Some(delta.sequence), "each one more than the one before");
            *at = delta.sequence;
            assert_eq!(book.unwrap().sequence(), *at);
        }
        Event::Widened { sequence } => assert_eq!(live.unwrap().1, *sequence),
        Event::Lost { epoch, .. } => {
            assert_eq!(live.take().unwrap().0, *epoch);
            assert!(book.is_none());
        }
    }
}

fn play(seed: u64, ops: &[Op]) -> Witness {
    let mut exchange = Exchange::new(seed);
    let mut publishers = [Publisher::new(1), Publisher::new(2)];
    let mut witness = Witness::new();
    let mut next_id = 3;
    for op in ops {
        match *op {
            Op::Step(steps) => (0..steps).for_each(|_| exchange.step()),
            Op::Reset => exchange.reset(),
            Op::GoLive(who, late, levels) => {
                publishers[who].go_live(&exchange, late.into(), levels.into());
            }
            Op::Follow(who, most) => publishers[who].follow(&exchange, most.into()),
            Op::Snapshot(who) => publishers[who].snapshot(),
            Op::Lose(who, is_doubt) => publishers[who].lose(is_doubt),
            Op::Beat(who) => publishers[who].beat(),
            Op::Restart(who) => {
                let sent = std::mem::take(&mut publishers[who].sent);
                publishers[who] = Publisher { sent, ..Publisher::new(next_id) };
                next_id += 1;
            }
            Op::Deliver(who, count, age) => {
                for _ in 0..count {
                    let Some(message) = publishers[who].sent.pop_front() else { break };
                    witness.deliver(&exchange, age, &message);
                }
            }
            Op::DeliverAll => deliver_all(&mut witness, &exchange, &mut publishers),
            Op::Drop(who) => drop(publishers[who].sent.pop_front()),
            Op::Twice(who) => {
                if let Some(message) = publishers[who].sent.front().cloned() {
                    witness.deliver(&exchange, 0, &message);
                }
            }
            Op::Swap(who) if publishers[who].sent.len() > 1 => publishers[who].sent.swap(0, 1),
            Op::Swap(_) => {}
            Op::Pass(ms) => witness.pass(&exchange, ms),
            Op::Disconnect => witness.disconnect(&exchange),
        }
    }
    // All is well from here on: the book becomes live, at what was said last.
    deliver_all(&mut witness, &exchange, &mut publishers);
    witness.pass(&exchange, 6000);
    for publisher in &mut publishers {
        publisher.go_live(&exchange, 3, 0);
    }
    deliver_all(&mut witness, &exchange, &mut publishers);
    // One of them may have gone back by that: then both are asked for their books.
    publishers.iter_mut().for_each(Publisher::snapshot);
    deliver_all(&mut witness, &exchange, &mut publishers);
    publishers[0].follow(&exchange, usize::MAX);
    deliver_all(&mut witness, &exchange, &mut publishers);
    let told = publishers[0].live.as_ref().unwrap().1.sequence();
    assert_eq!(witness.live.map(|(_, at)| at), Some(told), "not live though all agree");
    witness
}

fn deliver_all(witness: &mut Witness, exchange: &Exchange, publishers: &mut [Publisher; 2]) {
    // In turns, as from one engine.
    while publishers.iter().any(|publisher| !publisher.sent.is_empty()) {
        for publisher in publishers.iter_mut() {
            if let Some(message) = publisher.sent.pop_front() {
                witness.deliver(exchange, 0, &message);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_live_book_is_always_the_exchanges(seed: u64, ops in ops()) {
        play(seed, &ops);
    }
}

fn both_live() -> (Exchange, [Publisher; 2], Witness) {
    let (mut exchange, mut publishers) = (Exchange::new(1), [Publisher::new(1), Publisher::new(2)]);
    let mut witness = Witness::new();
    (0..20).for_each(|_| exchange.step());
    publishers.iter_mut().for_each(|publisher| publisher.go_live(&exchange, 5, 0));
    deliver_all(&mut witness, &exchange, &mut publishers);
    assert_eq!(witness.epochs, 1);
    (exchange, publishers, witness)
}

#[test]
fn one_of_two_publishers_ends_and_the_book_never_leaves_live() {
    let (mut exchange, mut publishers, mut witness) = both_live();
    for round in 0..50 {
        (0..3).for_each(|_| exchange.step());
        // The one is first in one round, the other in the next; the first ends without a word.
        let order = if round % 2 == 0 { [0, 1] } else { [1, 0] };
        for who in order.into_iter().filter(|who| *who == 1 || round < 25) {
            publishers[who].follow(&exchange, usize::MAX);
            publishers[who].beat();
            deliver_all(&mut witness, &exchange, &mut publishers);
        }
        witness.pass(&exchange, 1000);
    }
    let last = exchange.runs[0].truths.last().unwrap().sequence();
    assert_eq!(witness.live, Some((1, last)));
    assert!(witness.consumer.stats().copies > 60, "{:?}", witness.consumer.stats());
}

#[test]
fn a_publisher_that_is_killed_is_noticed_in_time() {
    let (exchange, mut publishers, mut witness) = both_live();
    publishers[1].lose(false);
    deliver_all(&mut witness, &exchange, &mut publishers);
    witness.pass(&exchange, 5000);
    assert_eq!(witness.live.map(|(epoch, _)| epoch), Some(1));
    assert_eq!(witness.consumer.poll_timeout(), Some(witness.now + Duration::from_nanos(1)));
    witness.pass(&exchange, 1);
    assert_eq!(witness.live, None);
    let replica = witness.consumer.replica(symbol()).unwrap();
    assert_eq!(replica.why(), Some(&LostReason::Silent));
    // It was only held up: it goes on where it was, as another run.
    publishers[0].follow(&exchange, 2);
    deliver_all(&mut witness, &exchange, &mut publishers);
    assert_eq!(witness.live.map(|(epoch, _)| epoch), Some(2));
}

#[test]
fn what_lies_in_the_engine_since_long_ago_is_not_live() {
    let mut exchange = Exchange::new(1);
    let (mut publisher, mut witness) = (Publisher::new(1), Witness::new());
    (0..20).for_each(|_| exchange.step());
    publisher.go_live(&exchange, 10, 0);
    publisher.follow(&exchange, 5);
    for message in std::mem::take(&mut publisher.sent) {
        witness.deliver(&exchange, 60_000, &message);
    }
    assert_eq!((witness.live, witness.events), (None, 0));
    publisher.follow(&exchange, 5);
    let message = publisher.sent.pop_front().unwrap();
    witness.deliver(&exchange, 100, &message);
    assert_eq!(witness.live.map(|(_, at)| at.get()), Some(1020), "and with the tail it is");
}

#[test]
fn publishers_that_differ_are_not_believed_before_they_agree() {
    let (mut exchange, mut publishers, mut witness) = both_live();
    let other = Exchange::new(2);
    exchange.step();
    // The second one says something else at the same sequence: what another exchange has.
    publishers[1].live = None;
    publishers[1].epoch += 1;
    publishers[1].live = Some((0, cut(&other.runs[0].truths[0], CUT)));
    let sequence = publishers[0].live.as_ref().unwrap().1.sequence();
    let snapshot = Snapshot { sequence, ..Snapshot::of(&publishers[1].live.as_ref().unwrap().1) };
    publishers[1].say(Body::Snapshot(Box::new(snapshot)));
    deliver_all(&mut witness, &exchange, &mut publishers);
    let replica = witness.consumer.replica(symbol()).unwrap();
    assert_eq!(replica.why(), Some(&LostReason::Conflict { sequence }));
    // One of them alone does not decide it.
    publishers[0].snapshot();
    publishers[1].say(Body::Heartbeat(Heartbeat {
        sequence: Some(sequence),
        age_ms: 0,
        sent: UnixNanos::from_nanos(0),
    }));
    deliver_all(&mut witness, &exchange, &mut publishers);
    assert_eq!(witness.live, None);
    assert_eq!(witness.consumer.wanting(witness.now).count(), 1);
    publishers[1].go_live(&exchange, 0, 0);
    publishers[0].follow(&exchange, 5);
    deliver_all(&mut witness, &exchange, &mut publishers);
    assert_eq!(witness.live.map(|(epoch, _)| epoch), Some(2));
}

#[test]
fn more_publishers_than_are_told_apart_are_left_alone() {
    let (exchange, mut publishers, mut witness) = both_live();
    for id in 10..100 {
        let mut another = Publisher::new(id);
        another.go_live(&exchange, 0, 0);
        let message = another.sent.pop_front().unwrap();
        witness.deliver(&exchange, 0, &message);
    }
    let replica = witness.consumer.replica(symbol()).unwrap();
    assert_eq!(replica.publishers(witness.now).count(), 8);
    publishers[0].follow(&exchange, 5);
    deliver_all(&mut witness, &exchange, &mut publishers);
    assert_eq!(witness.epochs, 1);
}

#[test]
fn a_snapshot_that_knows_more_widens_the_book() {
    let (exchange, mut publishers, mut witness) = both_live();
    let before = witness.consumer.book(symbol(), witness.now).unwrap().complete_levels(Side::Bid);
    publishers[1].go_live(&exchange, 5, 3);
    deliver_all(&mut witness, &exchange, &mut publishers);
    let book = witness.consumer.book(symbol(), witness.now).unwrap();
    assert!(book.complete_levels(Side::Bid) > before);
    assert_eq!(witness.epochs, 1);
}

#[test]
fn a_hole_in_the_numbers_is_a_loss_whatever_was_in_it() {
    let (exchange, mut publishers, mut witness) = both_live();
    publishers[1].lose(false);
    deliver_all(&mut witness, &exchange, &mut publishers);
    // A sign of life alone is missing: for all that can be known it was more.
    publishers[0].beat();
    publishers[0].sent.clear();
    publishers[0].follow(&exchange, 2);
    deliver_all(&mut witness, &exchange, &mut publishers);
    assert_eq!(witness.live, None);
    let replica = witness.consumer.replica(symbol()).unwrap();
    assert_eq!(replica.why(), Some(&LostReason::Hole { expected: 2, got: 3 }));
    publishers[0].snapshot();
    deliver_all(&mut witness, &exchange, &mut publishers);
    assert_eq!(witness.live.map(|(epoch, _)| epoch), Some(2));
}

#[test]
fn a_change_that_another_publisher_told_otherwise_is_a_conflict() {
    let (exchange, mut publishers, mut witness) = both_live();
    publishers[0].follow(&exchange, 1);
    deliver_all(&mut witness, &exchange, &mut publishers);
    let sequence = publishers[0].live.as_ref().unwrap().1.sequence();
    let price = Price::from_scaled(999_000_000).unwrap();
    let other = Delta::new(sequence, Side::Bid, price, Lots::new(7));
    publishers[1].say(Body::Deltas(Deltas::of(&[other]).unwrap()));
    deliver_all(&mut witness, &exchange, &mut publishers);
    assert_eq!(witness.live, None);
    let replica = witness.consumer.replica(symbol()).unwrap();
    assert_eq!(replica.why(), Some(&LostReason::Conflict { sequence }));
}

#[test]
fn publishers_that_are_gone_make_room_whether_they_had_joined_or_not() {
    let (exchange, mut publishers, mut witness) = both_live();
    for id in 10..40 {
        // Each one is killed after it has joined, and another run of it begins.
        let mut another = Publisher::new(id);
        another.go_live(&exchange, 0, 0);
        let message = another.sent.pop_front().unwrap();
        witness.deliver(&exchange, 0, &message);
        witness.pass(&exchange, 6000);
    }
    publishers[0].go_live(&exchange, 0, 0);
    deliver_all(&mut witness, &exchange, &mut publishers);
    assert!(witness.live.is_some());
    assert_eq!(witness.consumer.stats().crowded_out, 0);
}

#[test]
fn a_publisher_that_goes_back_has_its_word_of_before_doubted() {
    for has_hole in [false, true] {
        let (mut exchange, mut publishers, mut witness) = both_live();
        publishers.iter_mut().for_each(|publisher| publisher.follow(&exchange, usize::MAX));
        deliver_all(&mut witness, &exchange, &mut publishers);
        exchange.begin(if has_hole { 1030 } else { 1010 });
        publishers[1].lose(false);
        deliver_all(&mut witness, &exchange, &mut publishers);
        if has_hole {
            publishers[1].beat();
            publishers[1].sent.clear();
        }
        publishers[1].told = None;
        publishers[1].go_live(&exchange, 1, 0);
        deliver_all(&mut witness, &exchange, &mut publishers);
        // The first one has not noticed yet, and alone it would be believed.
        assert_eq!(witness.live, None, "{has_hole}");
        publishers[0].lose(true);
        publishers[0].go_live(&exchange, 0, 0);
        deliver_all(&mut witness, &exchange, &mut publishers);
        publishers[1].snapshot();
        deliver_all(&mut witness, &exchange, &mut publishers);
        let at = exchange.runs[1].truths.last().unwrap().sequence();
        assert_eq!(witness.live, Some((2, at)), "{has_hole}");
    }
}

#[test]
fn snapshots_are_asked_for_less_and_less_often() {
    let mut consumer = Consumer::new(Limits::default());
    consumer.follow(symbol());
    let at = |seconds| Instant::from_nanos(1) + Duration::from_secs(seconds);
    let asked: Vec<u64> =
        (0..200).filter(|seconds| consumer.wanting(at(*seconds)).count() == 1).collect();
    assert_eq!(asked, [0, 1, 3, 7, 15, 31, 63, 123, 183]);
}
