use kucoin_futures_proto::book::{Coverage, SideParts};
use kucoin_futures_proto::wire::Side;
use kucoin_futures_proto::{Lots, Price};

use super::*;
use crate::consumer::{Consumer, Event, Limits};
use crate::message::Encoding;

const NOW: Instant = Instant::from_nanos(1_000_000_000);

fn symbol(name: &str) -> Symbol {
    name.parse().unwrap()
}

/// A live book that a feed would have.
struct Feed {
    book: Book,
}

impl Feed {
    fn new() -> Self {
        let mut book = Book::new(1000, usize::MAX);
        let side = SideParts { levels: &[], reach: Coverage::All };
        assert!(book.restore(Sequence::new(100), None, side, side));
        Self { book }
    }

    fn step(&mut self) -> Delta {
        let sequence = self.book.sequence().next().unwrap();
        let price = Price::from_scaled(1_000_000 + (sequence.get() % 50) as i64).unwrap();
        let delta = Delta::new(sequence, Side::Bid, price, Lots::new(sequence.get()));
        let _ = self.book.apply(&delta);
        delta
    }

    fn view(&self) -> BookView<'_> {
        BookView { book: &self.book, epoch: 1, age: Duration::ZERO }
    }
}

fn outbox(limits: OutboxLimits, names: &[&str]) -> Outbox {
    let mut outbox = Outbox::new(PublisherId::new(9), limits);
    names.iter().for_each(|name| outbox.add(symbol(name)));
    outbox
}

fn taken(outbox: &mut Outbox) -> Vec<Message> {
    let mut taken = Vec::new();
    outbox.take(usize::MAX, &mut taken);
    taken
}

fn names(messages: &[Message]) -> Vec<&'static str> {
    let name = |message: &Message| match &message.body {
        Body::Snapshot(_) => "snapshot",
        Body::Deltas(_) => "deltas",
        Body::Lost(_) => "lost",
        Body::Lagged { .. } => "lagged",
        Body::Heartbeat(_) => "heartbeat",
        Body::End => "end",
    };
    messages.iter().map(name).collect()
}

#[test]
fn changes_that_wait_go_out_together() {
    let (mut outbox, mut feed) = (outbox(OutboxLimits::default(), &["A"]), Feed::new());
    outbox.live(NOW, symbol("A"), feed.view());
    for _ in 0..5 {
        let delta = feed.step();
        outbox.change(NOW, symbol("A"), &delta, Some(&feed.book));
    }
    let messages = taken(&mut outbox);
    assert_eq!(names(&messages), ["snapshot", "deltas"]);
    assert_eq!(messages.iter().map(|message| message.number).collect::<Vec<_>>(), [1, 2]);
    assert!(!outbox.is_waiting());
}

#[test]
fn an_engine_that_takes_nothing_costs_one_symbol_and_it_is_said() {
    let limits = OutboxLimits { bytes: 4000, ..OutboxLimits::default() };
    let (mut outbox, mut feed) = (outbox(limits, &["A", "B"]), Feed::new());
    let other = Feed::new();
    outbox.live(NOW, symbol("A"), feed.view());
    outbox.live(NOW, symbol("B"), other.view());
    // In turns with one change of B, so that it is not only A's that is dropped by chance.
    for _ in 0..200 {
        let delta = feed.step();
        outbox.change(NOW, symbol("A"), &delta, None);
        assert!(outbox.used <= limits.bytes);
    }
    let messages = taken(&mut outbox);
    assert_eq!(names(&messages), ["snapshot"], "B's: what waits of A is dropped whole");
    assert_eq!(messages[0].symbol, symbol("B"));
    // There is room again: what is missing is said, then the whole book.
    let delta = feed.step();
    outbox.change(NOW, symbol("A"), &delta, Some(&feed.book));
    let messages = taken(&mut outbox);
    assert_eq!(names(&messages), ["lagged", "snapshot"]);
    assert_eq!(messages[0].body, Body::Lagged { count: 201 });
    let Body::Snapshot(snapshot) = &messages[1].body else { panic!() };
    assert_eq!(snapshot.sequence.get(), 301);
    assert_eq!(outbox.stats().lagged, 201);
}

#[test]
fn after_an_engine_failed_books_are_told_anew_and_consumers_see_what_is_missing() {
    let (mut outbox, mut feed) = (outbox(OutboxLimits::default(), &["A"]), Feed::new());
    let mut consumer = Consumer::new(Limits::default());
    consumer.follow(symbol("A"));
    let mut told = Vec::new();
    let mut hear = |messages: Vec<Message>| {
        for message in messages {
            let bytes = message.encode(Encoding::Binary);
            let mut note = |_, event: &Event, _: Option<&Book>| told.push(event.clone());
            consumer.take(NOW, Duration::ZERO, &bytes, &mut note).unwrap();
        }
        std::mem::take(&mut told)
    };
    outbox.live(NOW, symbol("A"), feed.view());
    assert!(matches!(hear(taken(&mut outbox))[..], [Event::Live { epoch: 1, .. }]));
    let delta = feed.step();
    outbox.change(NOW, symbol("A"), &delta, Some(&feed.book));
    let unsure = taken(&mut outbox);
    let delta = feed.step();
    outbox.change(NOW, symbol("A"), &delta, Some(&feed.book));
    outbox.engine_failed(&unsure);
    outbox.beat(NOW, UnixNanos::from_nanos(1), |_| Some(feed.view()));
    let messages = taken(&mut outbox);
    assert_eq!(names(&messages), ["lagged", "snapshot", "heartbeat"]);
    assert_eq!(messages[0].body, Body::Lagged { count: 2 });
    let events = hear(messages);
    assert!(
        matches!(events[..], [Event::Lost { epoch: 1, .. }, Event::Live { epoch: 2, .. }]),
        "{events:?}"
    );
}

#[test]
fn a_book_is_told_whole_by_time_by_messages_and_when_asked_for() {
    let limits = OutboxLimits { snapshot_messages: 3, ..OutboxLimits::default() };
    let (mut outbox, mut feed) = (outbox(limits, &["A"]), Feed::new());
    let view = |outbox: &mut Outbox, feed: &Feed, ms| {
        let now = NOW + Duration::from_millis(ms);
        outbox.beat(now, UnixNanos::from_nanos(1), |_| Some(feed.view()));
        names(&taken(outbox))
    };
    outbox.live(NOW, symbol("A"), feed.view());
    assert_eq!(view(&mut outbox, &feed, 0), ["snapshot", "heartbeat"]);
    assert!(view(&mut outbox, &feed, 900).is_empty());
    outbox.ask(symbol("A"));
    assert!(view(&mut outbox, &feed, 950).is_empty(), "not more often than once a second");
    assert_eq!(view(&mut outbox, &feed, 1000), ["snapshot", "heartbeat"]);
    assert_eq!(view(&mut outbox, &feed, 2000), ["heartbeat"], "it was answered");
    for _ in 0..3 {
        let delta = feed.step();
        outbox.change(NOW, symbol("A"), &delta, None);
        taken(&mut outbox);
    }
    // What the feed has not handed out yet is not told: the snapshot waits for its place in the stream.
    let delta = feed.step();
    assert!(view(&mut outbox, &feed, 2100).is_empty());
    outbox.change(NOW, symbol("A"), &delta, Some(&feed.book));
    assert_eq!(names(&taken(&mut outbox)), ["deltas", "snapshot"]);
    assert_eq!(view(&mut outbox, &feed, 20_000), ["snapshot", "heartbeat"]);
}

#[test]
fn a_lost_book_and_an_end_are_said_even_where_there_is_no_room() {
    let limits = OutboxLimits { bytes: 1000, ..OutboxLimits::default() };
    let (mut outbox, mut feed) = (outbox(limits, &["A"]), Feed::new());
    outbox.live(NOW, symbol("A"), feed.view());
    taken(&mut outbox);
    for _ in 0..15 {
        let delta = feed.step();
        outbox.change(NOW, symbol("A"), &delta, None);
    }
    outbox.lost(symbol("A"), "gap", false);
    outbox.engine_failed(&[]);
    outbox.end(symbol("A"));
    outbox.end(symbol("A"));
    assert_eq!(names(&taken(&mut outbox)), ["lost", "end"]);
    assert_eq!(outbox.symbols().count(), 0);
    assert!(outbox.streams.is_empty(), "nothing of it is kept");
}
