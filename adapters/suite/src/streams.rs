//! What a feed brings when all goes well, and when a delta or a line is lost.

use std::time::Duration;

use kucoin_futures_host::{Clock, Item, Next, Update, unix_now};
use kucoin_futures_proto::{
    BookEvent, BookLostReason, Channel, DisconnectReason, Event, Instant, LineEvent, Message,
    Query, Sequence, TopicEvent, TopicStatus, TransportError, WordsId,
};
use kucoin_futures_sim::{Fault, Refusal, Target};

use crate::case::{Case, cases};
use crate::feed::Feed;
use crate::rig::*;

pub(crate) fn cases<F: Feed>() -> Vec<Case> {
    cases![BOTH:
        a_book_streams_survives_a_kill_and_comes_back_equal,
        a_lost_delta_costs_one_resync_and_no_connection,
        tickers_and_trades_are_lent_and_decode,
        trades_say_after_a_reconnect_that_some_may_be_missing,
        a_message_that_comes_with_an_event_is_not_lost,
        queries_are_answered,
        a_hundred_subscriptions_share_a_frame,
        a_symbol_that_is_not_listed_is_rejected,
        a_topic_that_is_refused_after_a_reconnect_comes_back,
        a_waker_ends_a_wait,
        a_feed_that_is_closed_tells_what_it_knows_and_ends,
        items_are_owned_and_the_book_is_beside_them,
    ]
}

fn a_book_streams_survives_a_kill_and_comes_back_equal<F: Feed>(wire: Wire) {
    let rig = Rig::new(wire, 200.0);
    let (mut feed, topic) = rig.live::<F>();
    let (mut seen, mut count) = (None, 0);
    wait(&mut feed, "100 deltas", |update| {
        let Update::Book(change) = update else { return false };
        let sequence = change.delta.sequence.get();
        assert!(seen.is_none_or(|seen| seen + 1 == sequence), "each change once, in order");
        assert_eq!(change.book.unwrap().sequence(), change.delta.sequence);
        assert!(rig.is_equal(change.book.unwrap()));
        count += 1;
        seen = Some(sequence);
        count == 100
    });
    rig.inject(Fault::Close { code: 1006 });
    wait_for(&mut feed, "down", |event| {
        matches!(
            event,
            Event::Line(
                _,
                LineEvent::Down { reason: DisconnectReason::Lost(TransportError::Eof), .. }
            )
        )
    });
    wait_for(&mut feed, "lost", |event| {
        matches!(event, Event::Book(_, BookEvent::Lost { reason: BookLostReason::LineDown, .. }))
    });
    assert!(feed.book(topic).is_none());
    until_live(&mut feed);
    assert!(rig.is_equal(feed.book(topic).unwrap()));
    assert_eq!((feed.stats().reconnects, feed.stats().tokens), (1, 2));
}

fn a_lost_delta_costs_one_resync_and_no_connection<F: Feed>(wire: Wire) {
    let rig = Rig::new(wire, 200.0);
    let (mut feed, topic) = rig.live::<F>();
    rig.inject(Fault::Drop { target: Target::All, count: 1 });
    wait_for(&mut feed, "gap", |event| {
        matches!(event, Event::Book(_, BookEvent::Lost { reason: BookLostReason::Gap { .. }, .. }))
    });
    until_live(&mut feed);
    assert!(rig.is_equal(feed.book(topic).unwrap()));
    assert_eq!((feed.stats().gaps, feed.stats().reconnects), (1, 0));
}

fn tickers_and_trades_are_lent_and_decode<F: Feed>(wire: Wire) {
    let rig = Rig::new(wire, 500.0);
    let mut feed: F = rig.feed();
    let channels = [Channel::ticker_v2, Channel::ticker, Channel::execution].map(|of| of(symbol()));
    let topics = channels.map(|channel| feed.subscribe(channel).unwrap());
    let (mut counts, mut last) = ([0; 3], None::<Sequence>);
    wait(&mut feed, "20 of each", |update| {
        let Update::Push(push) = update else { return false };
        let at = topics.iter().position(|topic| push.topic() == Some(*topic)).unwrap();
        match push.decode().unwrap() {
            Message::TickerV2(ticker) => {
                assert!(at == 0 && ticker.best_bid.unwrap().price < ticker.best_ask.unwrap().price);
            }
            Message::Ticker(ticker) => assert!(at == 1 && ticker.size.get() > 0),
            Message::Execution(trade) => {
                assert!(at == 2 && trade.symbol == symbol());
                assert!(last < Some(trade.sequence), "each once, in order");
                last = Some(trade.sequence);
            }
            other => panic!("{other:?}"),
        }
        counts[at] += 1;
        counts.iter().all(|count| *count >= 20)
    });
}

fn trades_say_after_a_reconnect_that_some_may_be_missing<F: Feed>(wire: Wire) {
    let rig = Rig::new(wire, 200.0);
    let mut feed: F = rig.feed();
    let topic = feed.subscribe(Channel::execution(symbol())).unwrap();
    wait(&mut feed, "a trade", |update| matches!(update, Update::Push(_)));
    rig.inject(Fault::Close { code: 1001 });
    let mut order = Vec::new();
    wait(&mut feed, "a trade again", |update| {
        match update {
            Update::State(Event::Line(_, LineEvent::Down { .. })) => order.push("down"),
            Update::State(Event::Topic(of, TopicEvent::MayHaveMissed)) if *of == topic => {
                order.push("missed")
            }
            Update::Push(_) => return order.contains(&"missed"),
            _ => {}
        }
        false
    });
    assert_eq!(order, ["down", "missed"]);
}

/// Found in review: a message that came with an event was dropped while the event was handed out.
fn a_message_that_comes_with_an_event_is_not_lost<F: Feed>(wire: Wire) {
    let rig = Rig::new(wire, 0.0);
    let mut options = rig.options();
    options.config.timeouts.silence = 200 * MS;
    let mut feed = F::with_options(options).unwrap();
    feed.subscribe(Channel::ticker_v2(symbol())).unwrap();
    wait_for(&mut feed, "silence", |event| matches!(event, Event::Topic(_, TopicEvent::Idle)));
    let pushed = rig.server.with(|exchange, now| {
        let before = exchange.counts().pushed;
        while exchange.counts().pushed == before {
            exchange.change(symbol(), now);
        }
        exchange.counts().pushed - before
    });
    assert_eq!(pushed, 1);
    wait_for(&mut feed, "heard", |event| matches!(event, Event::Topic(_, TopicEvent::Active)));
    wait(&mut feed, "the message", |update| matches!(update, Update::Push(_)));
}

fn queries_are_answered<F: Feed>(wire: Wire) {
    let rig = Rig::new(wire, 0.0);
    let mut feed: F = rig.feed();
    let time = feed.fetch(Query::ServerTime).unwrap();
    let list = feed.fetch(Query::Contracts).unwrap();
    let mut answers = 0;
    wait(&mut feed, "both answers", |update| {
        let Update::Push(push) = update else { return false };
        match push.decode().unwrap() {
            Message::ServerTime(at) => {
                assert_eq!(push.request(), Some(time));
                assert!(at.as_millis().abs_diff(unix_now().as_millis()) < 5_000);
            }
            Message::Contracts(contracts) => {
                assert_eq!(push.request(), Some(list));
                assert!(contracts.iter().any(|row| row.unwrap().symbol.as_str() == "XBTUSDTM"));
            }
            other => panic!("{other:?}"),
        }
        answers += 1;
        answers == 2
    });
}

fn a_hundred_subscriptions_share_a_frame<F: Feed>(wire: Wire) {
    let rig = Rig::new(wire, 0.0);
    let (mut feed, _) = rig.live::<F>();
    let before = rig.server.with(|exchange, _| exchange.counts().received);
    for number in 0..100 {
        feed.subscribe(Channel::ticker_v2(format!("S{number}USDTM").parse().unwrap())).unwrap();
    }
    let mut confirmed = 0;
    wait_for(&mut feed, "all confirmed", |event| {
        confirmed += u32::from(matches!(event, Event::Topic(_, TopicEvent::Confirmed)));
        confirmed == 100
    });
    assert_eq!(rig.server.with(|exchange, _| exchange.counts().received) - before, 1);
}

fn a_symbol_that_is_not_listed_is_rejected<F: Feed>(wire: Wire) {
    let rig = Rig::new(wire, 0.0);
    let mut feed: F = rig.feed();
    let topic = feed.subscribe(Channel::level2("NOPEUSDTM".parse().unwrap())).unwrap();
    let words = Some(WordsId::new(1));
    let rejected = Event::Topic(topic, TopicEvent::Rejected { code: 200_003, words });
    wait_for(&mut feed, "rejected", |event| *event == rejected);
    assert_eq!(feed.status(topic), TopicStatus::Rejected { code: 200_003 });
}

/// During an upgrade of the exchange every symbol does not exist, and one that never spoke never will.
fn a_topic_that_is_refused_after_a_reconnect_comes_back<F: Feed>(wire: Wire) {
    let rig = Rig::new(wire, 200.0);
    let (mut feed, topic) = rig.live::<F>();
    rig.inject(Fault::RefuseRequest { error: Refusal::UnknownTopic, count: 3 });
    rig.inject(Fault::Close { code: 1001 });
    let mut pauses = Vec::new();
    wait_for(&mut feed, "confirmed", |event| {
        match event {
            Event::Topic(_, TopicEvent::Refused { code: 404, delay, .. }) => pauses.push(*delay),
            Event::Topic(_, TopicEvent::Rejected { .. }) => panic!("{event:?}"),
            _ => {}
        }
        matches!(event, Event::Topic(_, TopicEvent::Confirmed))
    });
    assert_eq!(pauses.len(), 3);
    assert!(pauses.iter().all(|pause| *pause <= 400 * MS), "{pauses:?}");
    until_live(&mut feed);
    assert!(rig.is_equal(feed.book(topic).unwrap()));

    rig.inject(Fault::RefuseRequest { error: Refusal::UnknownTopic, count: 1 });
    let other = feed.subscribe(Channel::level2("ETHUSDTM".parse().unwrap())).unwrap();
    wait_for(
        &mut feed,
        "rejected",
        |event| matches!(event, Event::Topic(of, TopicEvent::Rejected { code: 404, .. }) if *of == other),
    );
    assert!(feed.book(topic).is_some());
}

fn a_waker_ends_a_wait<F: Feed>(wire: Wire) {
    let rig = Rig::new(wire, 0.0);
    let mut feed: F = rig.feed();
    let wake = feed.waker();
    let thread = std::thread::spawn(move || {
        stay_away(50 * MS);
        wake();
    });
    let clock = Clock::new();
    assert!(matches!(feed.next_within(PATIENCE), Next::Quiet));
    assert!(clock.now() < Instant::ZERO + PATIENCE, "it was the waker that ended it");
    thread.join().unwrap();
    feed.waker()();
    let clock = Clock::new();
    assert!(matches!(feed.next_within(PATIENCE), Next::Quiet), "also one that came before");
    assert!(clock.now() < Instant::ZERO + PATIENCE);
    let clock = Clock::new();
    assert!(matches!(feed.next_within(50 * MS), Next::Quiet));
    assert!(clock.now() >= Instant::ZERO + 50 * MS, "nothing was left of the wake-up");
}

fn a_feed_that_is_closed_tells_what_it_knows_and_ends<F: Feed>(wire: Wire) {
    let rig = Rig::new(wire, 0.0);
    let (mut feed, _) = rig.live::<F>();
    feed.close();
    let mut rest = Vec::new();
    loop {
        match feed.next_within(Duration::ZERO) {
            Next::Update(update) => rest.push(format!("{update:?}")),
            Next::Quiet => panic!("it has nothing to wait for"),
            Next::Ended => break,
        }
    }
    assert!(rest.iter().any(|update| update.contains("Closed")), "{rest:?}");
    assert!(matches!(feed.next_within(PATIENCE), Next::Ended));
    assert!(feed.subscribe(Channel::level2(symbol())).is_err());
}

fn items_are_owned_and_the_book_is_beside_them<F: Feed>(wire: Wire) {
    let rig = Rig::new(wire, 200.0);
    let mut feed: F = rig.feed();
    let topic = feed.subscribe(Channel::level2(symbol())).unwrap();
    feed.subscribe(Channel::execution(symbol())).unwrap();
    let (mut kept, mut deltas, mut trades) = (Vec::new(), 0, 0);
    feed.items(
        topic,
        |book| book.map(|book| book.sequence()),
        |item, sequence| {
            match &item {
                Item::Delta(of, delta) => {
                    assert_eq!((*of, sequence), (topic, Some(delta.sequence)));
                    deltas += 1;
                }
                Item::Push(message) => {
                    assert!(matches!(message.push().decode().unwrap(), Message::Execution(_)));
                    trades += 1;
                }
                Item::State(..) => {}
            }
            kept.push(item);
            deltas < 100 || trades < 5
        },
    );
    let messages = kept.iter().filter_map(|item| match item {
        Item::Push(message) => Some(message.push().decode().unwrap()),
        Item::Delta(..) | Item::State(..) => None,
    });
    assert!(messages.count() >= 5, "items outlive the feed");
}
