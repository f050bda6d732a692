//! How old what is known of a book is: quiet is not cut off.

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

use common::{MS, Rig, SECOND, error, plain_snapshot, sent, snapshot_request};

use kucoin_futures_proto::{
    BookAge, BookStatus, Channel, Client, Config, Instant, TopicId, TopicStatus, TransportError,
};
use willing::Willing;

fn age(rig: &Rig, topic: TopicId) -> BookAge {
    rig.client.book_age(rig.now, topic).unwrap()
}

#[test]
fn a_pong_proves_a_quiet_book_and_does_not_make_it_heard() {
    let (mut rig, link) = Rig::live(Config::default());
    assert_eq!(age(&rig, link).since_delta, None, "nothing has been pushed yet");
    rig.change(501, "14.2,buy,9");
    let first = age(&rig, link);
    assert_eq!((first.since_delta, first.since_proof), (Some(Duration::ZERO), Duration::ZERO));
    let begun = rig.now;
    let mut proofs = Vec::new();
    for _ in 0..50 {
        rig.pass(SECOND);
        let age = age(&rig, link);
        assert_eq!(age.since_delta, Some(rig.now.since(begun)));
        assert_eq!(age.since_snapshot, rig.now.since(begun), "it became live at the same time");
        proofs.push(age.since_proof);
    }
    let oldest = proofs.iter().max().unwrap();
    assert!((16 * SECOND..=18 * SECOND).contains(oldest), "a ping every 18 s: {proofs:?}");
}

/// The promise of its page.
#[test]
fn without_an_answer_the_proof_is_28_s_old_at_most_and_then_the_book_is_not_live() {
    let (mut rig, link) = Rig::live(Config::default());
    rig.answers_pings = false;
    let mut oldest = Duration::ZERO;
    while let Some(age) = rig.client.book_age(rig.now, link) {
        oldest = oldest.max(age.since_proof);
        rig.pass(SECOND / 4);
    }
    assert!((25 * SECOND..=28 * SECOND).contains(&oldest), "{oldest:?}");
    assert_eq!(rig.client.book_status(link), Some(BookStatus::Stale));
}

#[test]
fn an_audit_that_finds_it_equal_is_a_proof_and_one_under_way_is_not() {
    let (mut rig, link) = Rig::live(Config::default());
    rig.pass(5 * SECOND);
    rig.client.verify(rig.now, link).unwrap();
    let request = snapshot_request(&rig.pass(MS));
    let before = age(&rig, link);
    assert!(before.since_snapshot > 5 * SECOND && before.since_proof > 5 * SECOND, "{before:?}");
    rig.reply(request, &plain_snapshot(500));
    rig.now = rig.now + 3 * MS;
    let after = age(&rig, link);
    assert_eq!((after.since_snapshot, after.since_proof), (3 * MS, 3 * MS));
    assert_eq!(after.since_delta, None);
}

/// While its symbol is refused nothing says that a line that answers would push it.
#[test]
fn a_line_that_has_not_confirmed_the_topic_proves_nothing() {
    let (mut rig, link) = Rig::live(Config::default());
    rig.change(501, "14.2,buy,1");
    rig.lose(TransportError::Eof);
    let outputs = loop {
        let outputs = rig.pass(10 * MS);
        if let [fetch] = common::fetches(&outputs)[..] {
            break rig.reconnect(fetch.request());
        }
    };
    let mut asked: Vec<u64> = sent(&outputs).iter().map(|sent| sent.id).collect();
    // Its stream goes on all the same.
    rig.change(502, "14.2,buy,5");
    let (mut live_at, mut pongs) = (None, 0);
    for _ in 0..600 {
        for id in asked.drain(..) {
            rig.text(&error(&id.to_string(), 404, "no such topic"));
        }
        assert!(matches!(rig.client.status(link), TopicStatus::Refused { .. }));
        let outputs = rig.pass(SECOND / 20);
        if let [fetch] = common::fetches(&outputs)[..] {
            rig.reply(fetch.request(), &plain_snapshot(502));
            live_at = Some(rig.now);
        }
        pongs += common::pings(&outputs).len();
        let requests = sent(&outputs).into_iter().filter(|sent| sent.kind == "subscribe");
        asked.extend(requests.map(|sent| sent.id));
        if let Some(at) = live_at {
            assert_eq!(age(&rig, link).since_proof, rig.now.since(at));
        }
    }
    assert!(live_at.is_some() && pongs > 0);
}

/// A line that does not carry it proves nothing; of two that do, either.
#[test]
fn what_counts_is_a_line_that_carries_the_book() {
    let channels =
        ["LINKUSDTM", "AVAXUSDTM"].map(|symbol| Channel::level2(symbol.parse().unwrap()));
    for per_topic in [1, 2] {
        let mut config = Config::default();
        config.lines.per_topic = per_topic;
        config.budgets.topics_per_line = if per_topic == 1 { 1 } else { 300 };
        config.timeouts.silence = 3600 * SECOND;
        let mut world = Willing::new(config, 300);
        let [first, second] =
            channels.map(|channel| world.client.subscribe(world.now, channel).unwrap());
        world.pass(3 * SECOND);
        let conns: Vec<_> = world.conns.keys().copied().collect();
        assert_eq!(conns.len(), 2);
        world.pass(5 * SECOND);
        // An answer to no question at all is one that has come, too.
        world.say(conns[0], r#"{"id":"x","type":"pong"}"#);
        let proofs = [first, second]
            .map(|topic| world.client.book_age(world.now, topic).unwrap().since_proof < SECOND);
        assert_eq!(proofs, if per_topic == 1 { [true, false] } else { [true, true] });
    }
}

#[test]
fn what_is_not_a_live_book_has_no_age() {
    let now = Instant::ZERO + SECOND;
    let mut client = Client::new(now, 1, Config::default());
    let book = client.subscribe(now, Channel::level2("LINKUSDTM".parse().unwrap())).unwrap();
    let ticker = client.subscribe(now, Channel::ticker_v2("LINKUSDTM".parse().unwrap())).unwrap();
    for topic in [book, ticker, TopicId::new(99)] {
        assert_eq!(client.book_age(now, topic), None);
    }
    let (mut rig, link) = Rig::live(Config::default());
    rig.lose(TransportError::Eof);
    assert_eq!(rig.client.book_age(rig.now, link), None);
}
