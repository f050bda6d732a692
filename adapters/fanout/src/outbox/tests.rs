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

/// A book that is live, and told whole.
fn live(outbox: &mut Outbox, name: &str, feed: &Feed) {
    outbox.live(symbol(name), 1);
    tell(outbox, name, feed);
}

fn tell(outbox: &mut Outbox, name: &str, feed: &Feed) {
    let view = |its| (its == symbol(name)).then(|| feed.view());
    outbox.due(NOW, &view).into_iter().for_each(|due| {
        outbox.tell(NOW, due.symbol, due.epoch, due.snapshot());
    });
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
    live(&mut outbox, "A", &feed);
    for _ in 0..5 {
        let delta = feed.step();
        outbox.change(symbol("A"), &delta);
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
    live(&mut outbox, "A", &feed);
    live(&mut outbox, "B", &other);
    // In turns with one change of B, so that it is not only A's that is dropped by chance.
    for _ in 0..200 {
        let delta = feed.step();
        outbox.change(symbol("A"), &delta);
        assert!(outbox.used <= limits.bytes);
    }
    let messages = taken(&mut outbox);
    assert_eq!(names(&messages), ["snapshot"], "B's: what waits of A is dropped whole");
    assert_eq!(messages[0].symbol, symbol("B"));
    // There is room again: what is missing is said, then the whole book.
    let delta = feed.step();
    outbox.change(symbol("A"), &delta);
    tell(&mut outbox, "A", &feed);
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
    live(&mut outbox, "A", &feed);
    assert!(matches!(hear(taken(&mut outbox))[..], [Event::Live { epoch: 1, .. }]));
    let delta = feed.step();
    outbox.change(symbol("A"), &delta);
    let unsure = taken(&mut outbox);
    let delta = feed.step();
    outbox.change(symbol("A"), &delta);
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
    live(&mut outbox, "A", &feed);
    assert_eq!(view(&mut outbox, &feed, 0), ["snapshot", "heartbeat"]);
    assert!(view(&mut outbox, &feed, 900).is_empty());
    outbox.ask(symbol("A"));
    assert!(view(&mut outbox, &feed, 950).is_empty(), "not more often than once a second");
    assert_eq!(view(&mut outbox, &feed, 1000), ["snapshot", "heartbeat"]);
    assert_eq!(view(&mut outbox, &feed, 2000), ["heartbeat"], "it was answered");
    for _ in 0..3 {
        let delta = feed.step();
        outbox.change(symbol("A"), &delta);
        taken(&mut outbox);
    }
    // What the feed has not handed out yet is not told: the snapshot waits for its place in the stream.
    let delta = feed.step();
    assert!(view(&mut outbox, &feed, 2100).is_empty());
    outbox.change(symbol("A"), &delta);
    assert_eq!(view(&mut outbox, &feed, 2100), ["deltas", "snapshot"]);
    assert_eq!(view(&mut outbox, &feed, 20_000), ["snapshot", "heartbeat"]);
}

#[test]
fn a_lost_book_and_an_end_are_said_even_where_there_is_no_room() {
    let limits = OutboxLimits { bytes: 1000, ..OutboxLimits::default() };
    let (mut outbox, mut feed) = (outbox(limits, &["A"]), Feed::new());
    live(&mut outbox, "A", &feed);
    taken(&mut outbox);
    for _ in 0..15 {
        let delta = feed.step();
        outbox.change(symbol("A"), &delta);
    }
    outbox.lost(symbol("A"), "gap", false);
    outbox.engine_failed(&[]);
    outbox.end(symbol("A"));
    outbox.end(symbol("A"));
    assert_eq!(names(&taken(&mut outbox)), ["lost", "end"]);
    assert_eq!(outbox.symbols().count(), 0);
}

#[test]
fn a_symbol_that_is_given_up_and_taken_again_goes_on_with_its_numbers() {
    let (mut outbox, feed) = (outbox(OutboxLimits::default(), &["A"]), Feed::new());
    live(&mut outbox, "A", &feed);
    outbox.end(symbol("A"));
    assert_eq!(names(&taken(&mut outbox)), ["snapshot", "end"]);
    outbox.engine_failed(&[]);
    assert!(!outbox.is_waiting(), "its end is not said for ever");
    outbox.add(symbol("A"));
    live(&mut outbox, "A", &feed);
    let messages = taken(&mut outbox);
    assert_eq!((names(&messages), messages[0].number), (vec!["snapshot"], 3));
}

fn is_doubt(message: &Message) -> bool {
    matches!(&message.body, Body::Lost(lost) if lost.is_doubt)
}

#[test]
fn a_doubt_is_said_whatever_is_dropped() {
    let limits = OutboxLimits { bytes: 2000, ..OutboxLimits::default() };
    for is_carried in [false, true] {
        for is_lost_again in [false, true] {
            let (mut outbox, mut feed) = (outbox(limits, &["A"]), Feed::new());
            live(&mut outbox, "A", &feed);
            taken(&mut outbox);
            outbox.lost(symbol("A"), "reset", true);
            let unsure = if is_carried { taken(&mut outbox) } else { Vec::new() };
            live(&mut outbox, "A", &feed);
            if is_lost_again {
                outbox.lost(symbol("A"), "gap", false);
            } else {
                for _ in 0..200 {
                    outbox.change(symbol("A"), &feed.step());
                }
            }
            outbox.engine_failed(&unsure);
            // As a driver does that cannot connect anew.
            outbox.engine_failed(&[]);
            outbox.live(symbol("A"), 1);
            outbox.beat(NOW, UnixNanos::from_nanos(1), |_| Some(feed.view()));
            let messages = taken(&mut outbox);
            assert!(is_doubt(&messages[0]), "{is_carried} {is_lost_again}: {messages:?}");
            assert!(matches!(names(&messages)[..], [.., "snapshot", "heartbeat"]), "{messages:?}");
            assert_eq!(messages.iter().filter(|it| is_doubt(it)).count(), 1);
        }
    }
}

#[test]
fn a_doubt_about_a_book_that_is_not_live_is_said() {
    let (mut outbox, feed) = (outbox(OutboxLimits::default(), &["A"]), Feed::new());
    live(&mut outbox, "A", &feed);
    outbox.lost(symbol("A"), "line down", false);
    for _ in 0..3 {
        outbox.doubt(symbol("A"), "set back");
    }
    let messages = taken(&mut outbox);
    assert_eq!(names(&messages), ["snapshot", "lost", "lost"]);
    assert!(is_doubt(&messages[2]) && !is_doubt(&messages[1]));
    live(&mut outbox, "A", &feed);
    outbox.lost(symbol("A"), "set back", true);
    outbox.doubt(symbol("A"), "set back");
    assert_eq!(names(&taken(&mut outbox)), ["snapshot", "lost"], "once of each book");
}

#[test]
fn a_book_of_a_later_run_is_not_told_in_the_stream_of_an_earlier_one() {
    let (mut outbox, mut feed) = (outbox(OutboxLimits::default(), &["A"]), Feed::new());
    outbox.live(symbol("A"), 1);
    let first = feed.step();
    outbox.change(symbol("A"), &first);
    // The feed has gone on: its second run is live at once, and what it saw of the first waits yet.
    let of_second = |_| Some(BookView { epoch: 2, ..feed.view() });
    outbox.beat(NOW, UnixNanos::from_nanos(1), of_second);
    assert_eq!(names(&taken(&mut outbox)), ["heartbeat"]);
    outbox.lost(symbol("A"), "gap", false);
    outbox.live(symbol("A"), 2);
    outbox.beat(NOW, UnixNanos::from_nanos(1), of_second);
    let messages = taken(&mut outbox);
    assert_eq!(names(&messages), ["lost", "snapshot"]);
    assert_eq!(messages[1].epoch, 2);
}

#[test]
fn what_is_dropped_twice_is_counted_once_and_said() {
    let (mut outbox, mut feed) = (outbox(OutboxLimits::default(), &["A"]), Feed::new());
    live(&mut outbox, "A", &feed);
    taken(&mut outbox);
    (0..3).for_each(|_| outbox.change(symbol("A"), &feed.step()));
    outbox.engine_failed(&[]);
    tell(&mut outbox, "A", &feed);
    // What says so is dropped, and then may be lost.
    outbox.engine_failed(&[]);
    tell(&mut outbox, "A", &feed);
    let unsure = taken(&mut outbox);
    outbox.engine_failed(&unsure);
    tell(&mut outbox, "A", &feed);
    assert_eq!(taken(&mut outbox)[0].body, Body::Lagged { count: 3 });
    assert_eq!(outbox.stats().lagged, 3);
}

#[test]
fn all_symbols_are_taken_in_turn() {
    let (mut outbox, mut feed) = (outbox(OutboxLimits::default(), &["A", "B", "C"]), Feed::new());
    let mut order = String::new();
    for _ in 0..6 {
        // There is always something of each.
        feed.step();
        for name in ["A", "B", "C"] {
            outbox.live(symbol(name), 1);
            outbox.lost(symbol(name), "gap", false);
        }
        let mut taken = Vec::new();
        outbox.take(1, &mut taken);
        order += taken[0].symbol.as_str();
    }
    assert_eq!(order, "ABCABC");
}

#[test]
fn a_batch_has_bounds_and_a_stream_that_is_shared_is_told_whole_more_often() {
    let limits = OutboxLimits { snapshot_messages: 4, ..OutboxLimits::default() };
    let (mut outbox, mut feed) = (outbox(limits, &["A", "B"]), Feed::new());
    live(&mut outbox, "A", &feed);
    live(&mut outbox, "B", &feed);
    let mut batch = Vec::new();
    outbox.take_bytes(512, 1, &mut batch);
    assert_eq!(batch.len(), 1);
    taken(&mut outbox);
    for (publishers, messages) in [(1, 4), (2, 2)] {
        outbox.share(publishers);
        for message in 1..=messages {
            let view = |its| (its == symbol("A")).then(|| feed.view());
            assert!(outbox.due(NOW, &view).is_empty(), "{message}");
            outbox.change(symbol("A"), &feed.step());
            taken(&mut outbox);
        }
        tell(&mut outbox, "A", &feed);
        assert_eq!(names(&taken(&mut outbox)), ["snapshot"], "{publishers}");
    }
}

#[test]
fn a_symbol_that_is_taken_again_does_not_claim_its_book_of_before() {
    let (mut outbox, feed) = (outbox(OutboxLimits::default(), &["A"]), Feed::new());
    live(&mut outbox, "A", &feed);
    outbox.end(symbol("A"));
    outbox.add(symbol("A"));
    taken(&mut outbox);
    outbox.say(NOW, UnixNanos::from_nanos(1), |_| None);
    let said = taken(&mut outbox).pop().map(|message| message.body);
    let is_live =
        |body: &Body| matches!(body, Body::Heartbeat(Heartbeat { sequence: Some(_), .. }));
    assert!(said.as_ref().is_some_and(|body| !is_live(body)), "{said:?}");
}
