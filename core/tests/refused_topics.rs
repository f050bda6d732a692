//! A refused subscription: the end of a topic that never said anything, and a pause for one that has. During
//! an upgrade of the exchange every symbol "does not exist".

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "tests"
)]

mod common;
mod willing;

use std::time::Duration;

use common::*;
use kucoin_futures_proto::{
    BookEvent, BookLostReason, BookStatus, Channel, Config, Event, Output, TimeoutReason,
    TopicEvent, TopicId, TopicStatus, TransportError,
};

const NONE: &str = "topic does not exist";
const NO_REQUEST: [u64; 0] = [];
const HOUR: Duration = Duration::from_secs(3600);

fn topic_events(outputs: &[Output<'_>]) -> Vec<TopicEvent> {
    let of_topic = |event: &Event| match event {
        Event::Topic(_, event) => Some(*event),
        _ => None,
    };
    events(outputs).iter().filter_map(of_topic).collect()
}

/// The exchange refuses this request; says for how long the client waits, which must be all it says.
fn refuse(rig: &mut Rig, topic: TopicId, id: u64) -> Duration {
    let told = events(&rig.text(&error(&id.to_string(), 404, NONE)));
    let [Event::Topic(of, TopicEvent::Refused { code: 404, delay, .. })] = told[..] else {
        panic!("{told:?}")
    };
    assert_eq!((of, rig.client.status(topic)), (topic, TopicStatus::Refused { code: 404 }));
    delay
}

fn is_rejected(told: &[Event], topic: TopicId, with: u32) -> bool {
    told.iter().any(|event| {
        matches!(event, Event::Topic(of, TopicEvent::Rejected { code, .. }) if (*of, *code) == (topic, with))
    })
}

/// Lets time pass; the ids of the requests to subscribe that were made.
fn asked(rig: &mut Rig, time: Duration) -> Vec<u64> {
    let sent = sent(&rig.pass(time));
    sent.iter().filter(|sent| sent.kind == "subscribe").map(|sent| sent.id).collect()
}

/// Loses the line and comes back; the ids of the requests that were made.
fn come_back(rig: &mut Rig) -> Vec<u64> {
    rig.lose(TransportError::Eof);
    sent(&reconnected(rig)).iter().map(|sent| sent.id).collect()
}

/// Waits as long as the line does, and lets it come back at once.
fn reconnected(rig: &mut Rig) -> Vec<Output<'static>> {
    loop {
        let outputs = rig.pass(10 * MS);
        if !fetches(&outputs).is_empty() {
            return rig.reconnect(bullet_request(&outputs));
        }
    }
}

/// A book that was live, on a new line that has asked for it.
fn asked_anew() -> (Rig, TopicId, u64) {
    asked_anew_on(Config::default())
}

fn asked_anew_on(config: Config) -> (Rig, TopicId, u64) {
    let (mut rig, link) = Rig::live(config);
    rig.change(501, "14.2,buy,1");
    let ids = come_back(&mut rig);
    (rig, link, ids[0])
}

#[test]
fn a_book_that_was_live_is_asked_for_again_with_growing_pauses() {
    let (mut rig, link, mut id) = asked_anew();
    let mut pauses = Vec::new();
    for _ in 0..12 {
        let pause = refuse(&mut rig, link, id);
        assert_eq!(asked(&mut rig, pause - MS), NO_REQUEST, "not before the pause is over");
        let again = asked(&mut rig, MS);
        assert_eq!((again.len(), rig.client.status(link)), (1, TopicStatus::Pending));
        (id, _) = (again[0], pauses.push(pause));
    }
    let bounds = (0..12).map(|n| (1_u32 << n).min(60) * SECOND);
    assert!(pauses.iter().zip(bounds).all(|(pause, bound)| *pause <= bound), "{pauses:?}");
    assert!(pauses[6..].iter().any(|pause| *pause > 16 * SECOND), "they grow: {pauses:?}");
    assert_eq!(rig.ack(id), [Event::Topic(link, TopicEvent::Confirmed)]);
    let request = snapshot_request(&rig.pass(SECOND));
    rig.reply(request, &plain_snapshot(502));
    assert_eq!(rig.client.book_status(link), Some(BookStatus::Live));

    let id = come_back(&mut rig)[0];
    assert!(refuse(&mut rig, link, id) <= SECOND, "it was confirmed in between");
}

#[test]
fn a_topic_that_never_spoke_is_rejected_at_once() {
    let (mut rig, link) = Rig::asked(Config::default());
    let told = events(&rig.text(&error("1", 404, NONE)));
    assert!(is_rejected(&told, link, 404), "{told:?}");
    assert_eq!(told.len(), 1);
    assert_eq!(asked(&mut rig, HOUR), NO_REQUEST);
    assert_eq!(rig.client.status(link), TopicStatus::Rejected { code: 404 });
}

/// A contract that has ended says nothing for ever.
#[test]
fn a_topic_that_has_said_nothing_for_a_day_is_rejected() {
    let (mut rig, link) = Rig::live(Config::default());
    rig.change(501, "14.2,buy,1");
    let spoke = rig.now;
    let mut id = come_back(&mut rig)[0];
    for tries in 0.. {
        assert!(tries < 10_000, "for ever");
        let told = topic_events(&rig.text(&error(&id.to_string(), 404, NONE)));
        match told[..] {
            [TopicEvent::Refused { delay, .. }] => id = asked(&mut rig, delay)[0],
            [TopicEvent::Rejected { code: 404, .. }] => break,
            _ => panic!("{told:?}"),
        }
    }
    let silent = rig.now.since(spoke);
    assert!(silent >= 24 * HOUR && silent < 24 * HOUR + 120 * SECOND, "{silent:?}");
    assert_eq!(asked(&mut rig, HOUR), NO_REQUEST);
    assert_eq!(rig.client.status(link), TopicStatus::Rejected { code: 404 });
}

#[test]
fn unsubscribed_meanwhile_it_ends_and_says_so_once() {
    let (mut rig, link, id) = asked_anew();
    refuse(&mut rig, link, id);
    let reason = |rig: &Rig| rig.client.poll_timeout().map(|deadline| deadline.reason);
    assert_eq!(reason(&rig), Some(TimeoutReason::Subscribe));
    rig.client.unsubscribe(rig.now, link).unwrap();
    let outputs = rig.drain();
    assert_eq!(topic_events(&outputs), [], "its stream may go on: not before the answer");
    let end = sent(&outputs)[0].clone();
    assert_eq!(end.kind, "unsubscribe");
    let told = topic_events(&rig.text(&error(&end.id.to_string(), 404, NONE)));
    assert_eq!(told, [TopicEvent::Unsubscribed]);
    assert_eq!(reason(&rig), Some(TimeoutReason::Ping), "there is no pause any more");
    assert_eq!(asked(&mut rig, HOUR), NO_REQUEST);
    assert_eq!(rig.client.status(link), TopicStatus::Unsubscribed);

    rig.want(LINK);
    assert_eq!(sent(&rig.drain())[0].kind, "subscribe", "a new wish does not wait");
}

#[test]
fn unsubscribed_while_the_line_is_down_it_ends_at_once() {
    let (mut rig, link, id) = asked_anew();
    refuse(&mut rig, link, id);
    rig.lose(TransportError::Eof);
    rig.client.unsubscribe(rig.now, link).unwrap();
    assert_eq!(topic_events(&rig.drain()), [TopicEvent::Unsubscribed]);
    let again = sent(&reconnected(&mut rig));
    assert!(again.is_empty(), "{again:?}");
}

/// A reconnect asks for all that is wanted. That is a try like any other: it neither comes on top of the
/// pause, nor begins the pauses anew.
#[test]
fn a_reconnect_in_between_is_a_try() {
    let (mut rig, link, mut id) = asked_anew();
    let (mut tries, mut longest) = (0, Duration::ZERO);
    for _ in 0..8 {
        longest = longest.max(refuse(&mut rig, link, id));
        rig.lose(TransportError::Eof);
        assert_eq!(rig.client.status(link), TopicStatus::Wanted);
        let again = sent(&reconnected(&mut rig));
        assert_eq!((again.len(), &*again[0].kind), (1, "subscribe"));
        (id, tries) = (again[0].id, tries + 1);
    }
    assert!(longest > 8 * SECOND, "{longest:?} after {tries} refusals");
    let pause = refuse(&mut rig, link, id);
    let again = asked(&mut rig, pause);
    assert_eq!(again.len(), 1);
    rig.ack(again[0]);
    assert_eq!(asked(&mut rig, HOUR), NO_REQUEST, "nothing is left of earlier pauses");
}

/// The old pause ends while the new line waits for its ack.
#[test]
fn a_pause_that_outlives_its_line_asks_nobody_twice() {
    let (mut rig, link, mut id) = asked_anew();
    loop {
        let pause = refuse(&mut rig, link, id);
        if pause > 4 * SECOND {
            break;
        }
        id = asked(&mut rig, pause)[0];
    }
    rig.lose(TransportError::Eof);
    let again = sent(&reconnected(&mut rig));
    assert_eq!(again.len(), 1);
    assert_eq!(asked(&mut rig, SECOND), NO_REQUEST, "asked by the reconnect");
    assert_eq!(rig.ack(again[0].id), [Event::Topic(link, TopicEvent::Confirmed)]);
    let outputs = rig.pass(59 * SECOND);
    assert!(sent(&outputs).iter().all(|sent| sent.kind == "ping"), "{outputs:?}");
    assert_eq!(topic_events(&outputs), [], "confirmed once");
}

#[test]
fn one_of_many_is_put_off_and_the_others_do_not_suffer() {
    let mut rig = Rig::greeting(Config::default());
    let topics: Vec<TopicId> = (0..50_u32).map(|n| rig.want(&format!("S{n}USDTM"))).collect();
    let first = sent(&rig.welcome())[0].id;
    rig.ack(first);
    for n in 0..50 {
        rig.text(&level2(&format!("S{n}USDTM"), 501, "14.2,buy,1"));
    }
    rig.lose(TransportError::Eof);
    let mut waiting = sent(&reconnected(&mut rig));
    let (mut confirmed, mut others, mut frames) = (0, Vec::new(), 0);
    while let Some(request) = waiting.pop() {
        let id = request.id;
        // With LINK they are 51.
        let is_bad = request.topic.split([':', ',']).any(|symbol| symbol == "S23USDTM");
        let ack = format!(r#"{{"id":"{id}","type":"ack"}}"#);
        let outputs = rig.text(&if is_bad { error(&id.to_string(), 404, NONE) } else { ack });
        for event in events(&outputs) {
            match event {
                Event::Topic(_, TopicEvent::Confirmed) => confirmed += 1,
                other => others.push(other),
            }
        }
        waiting.extend(sent(&outputs));
        frames += 1;
    }
    let [Event::Topic(topic, TopicEvent::Refused { code: 404, delay, .. })] = others[..] else {
        panic!("{others:?}")
    };
    assert_eq!((topic, confirmed), (topics[23], 50));
    assert!(frames <= 13, "halved: {frames}");
    let again = sent(&rig.pass(delay));
    assert_eq!((again.len(), &*again[0].topic), (1, "/contractMarket/level2:S23USDTM"));
}

/// The first request was obeyed, and its ack was lost: the second one is refused while deltas come.
#[test]
fn a_stream_that_goes_on_carries_its_book_whatever_is_refused() {
    let (mut rig, link, _) = asked_anew();
    let mut id = asked(&mut rig, 5 * SECOND)[0];
    rig.change(502, "14.2,buy,2");
    assert_eq!(rig.client.book_status(link), Some(BookStatus::Buffering));
    let pause = refuse(&mut rig, link, id);
    rig.change(503, "14.2,buy,3");
    let outputs = rig.pass(2 * SECOND);
    let request = snapshot_request(&outputs);
    rig.reply(request, &snapshot(LINK, 503, "[14.2,3]", "[14.3,6]"));
    assert_eq!(rig.client.book_status(link), Some(BookStatus::Live));
    assert!(pause <= SECOND, "it was asked for again meanwhile");
    id = sent(&outputs)[0].id;
    for sequence in 504..510 {
        let pause = refuse(&mut rig, link, id);
        rig.change(sequence, "14.2,buy,4");
        assert_eq!(rig.client.book(link).unwrap().sequence().get(), sequence, "it goes on");
        id = asked(&mut rig, pause)[0];
    }
    refuse(&mut rig, link, id);
    let lost = events(&rig.lose(TransportError::Eof));
    let is_lost = |event: &Event| {
        let reason = BookLostReason::LineDown;
        matches!(event, Event::Book(of, BookEvent::Lost { reason: why, .. })
            if *of == link && *why == reason)
    };
    assert!(lost.iter().any(is_lost), "{lost:?}");
    assert_eq!(rig.client.book_status(link), Some(BookStatus::Stale));
}

/// That there is no room for it says nothing about the symbol.
#[test]
fn a_topic_without_room_is_rejected_whatever_it_has_said() {
    let mut config = Config::default();
    config.lines.at_most = 1;
    let (mut rig, link, id) = asked_anew_on(config);
    let text = "exceed max subscription count limitation of 300 per session";
    let told = events(&rig.text(&error(&id.to_string(), 509, text)));
    assert!(is_rejected(&told, link, 509), "{told:?}");
    assert_eq!(rig.client.status(link), TopicStatus::Rejected { code: 509 });
}

/// One that has no book says besides, once it is carried again, that something may be missing.
#[test]
fn trades_are_asked_for_again_as_books_are() {
    let mut rig = Rig::with(Config::default());
    let channel = Channel::execution(LINK.parse().unwrap());
    let trades = rig.client.subscribe(rig.now, channel).unwrap();
    let request = bullet_request(&rig.drain());
    let id = sent(&rig.reconnect(request))[0].id;
    rig.ack(id);
    let text = format!(
        r#"{{"topic":"{channel}","type":"message","subject":"match","data":{{"symbol":"{LINK}","sequence":9,"side":"buy","size":2,"price":"14.3","tradeId":"9","ts":1791500000461000000}}}}"#
    );
    assert!(rig.pushed(&text).is_some());
    let id = come_back(&mut rig)[0];
    let pause = refuse(&mut rig, trades, id);
    let id = asked(&mut rig, pause)[0];
    let told = rig.ack(id);
    let [confirmed, missed] = [TopicEvent::Confirmed, TopicEvent::MayHaveMissed];
    assert_eq!(told, [Event::Topic(trades, confirmed), Event::Topic(trades, missed)]);
}

/// Found by the swarm: where the second line of a topic came up, the first one was asked again, too.
#[test]
fn a_second_line_that_comes_up_does_not_cut_the_pause_of_the_first_short() {
    let mut waited = 0;
    for seed in 0..40 {
        let mut config = Config::default();
        config.lines.per_topic = 2;
        let mut world = willing::Willing::with_seed(seed, config, 300);
        let channel = Channel::level2(LINK.parse().unwrap());
        let topic = world.client.subscribe(world.now, channel).unwrap();
        world.pass(3 * SECOND);
        let conns: Vec<_> = world.conns.keys().copied().collect();
        let frame = world.change(LINK);
        conns.iter().for_each(|&conn| world.say(conn, &frame));
        // It is wanted anew while its second line is down, and the first one is refused it.
        world.lose(conns[1]);
        world.client.unsubscribe(world.now, topic).unwrap();
        world.serve();
        world.told.clear();
        world.refuses = Some(conns[0]);
        world.client.subscribe(world.now, channel).unwrap();
        world.pass(20 * SECOND);
        let pauses = world.told.iter().filter_map(|event| match event {
            Event::Topic(_, TopicEvent::Refused { delay, .. }) => Some(*delay),
            _ => None,
        });
        for (times, pause) in world.refused.windows(2).zip(pauses) {
            assert!(times[1].since(times[0]) >= pause, "seed {seed}");
            waited += 1;
        }
        assert_eq!(world.conns.len(), 2, "the second line carries it");
    }
    assert!(waited > 100, "{waited}");
}
