//! A stream that says nothing is a still market or one that the exchange does not push any more: a snapshot
//! tells which.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    dead_code,
    reason = "tests"
)]

mod common;

use std::time::Duration;

use common::{Rig, Sent, events, fetches, plain_snapshot, sent, snapshot, snapshot_request};
use kucoin_futures_proto::wire::Side;
use kucoin_futures_proto::{
    BookEvent, BookLostReason, Channel, Config, Event, Evidence, Lots, Output, Sequence,
    TopicEvent, TopicId, TransportError,
};
use kucoin_futures_sim::{Contract, ExchangeConfig, Fault, Target, World};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

fn lost(events: &[Event]) -> Option<BookLostReason> {
    events.iter().find_map(|event| match event {
        Event::Book(_, BookEvent::Lost { reason, .. }) => Some(*reason),
        _ => None,
    })
}

fn requests(outputs: &[Output<'_>]) -> Vec<Sent> {
    sent(outputs).into_iter().filter(|sent| sent.kind != "ping").collect()
}

/// A live book at 500 whose stream has been silent, and the request that follows from it.
fn audited() -> (Rig, TopicId, kucoin_futures_proto::RequestId) {
    let (mut rig, topic) = Rig::live(Config::default());
    let out = rig.pass(MINUTE);
    assert!(events(&out).contains(&Event::Topic(topic, TopicEvent::Idle)));
    (rig, topic, snapshot_request(&out))
}

#[test]
fn a_book_that_the_exchange_is_ahead_of_is_not_live_and_is_subscribed_again() {
    let (mut rig, topic, request) = audited();
    assert_eq!(events(&rig.reply(request, &plain_snapshot(510))), []);
    let out = rig.pass(SECOND * 2);
    let exchange = Sequence::new(510);
    assert_eq!(lost(&events(&out)), Some(BookLostReason::LeftBehind { exchange }));
    let again = &requests(&out)[0];
    assert_eq!((&*again.kind, &*again.topic), ("subscribe", "/contractMarket/level2:LINKUSDTM"));
    // Not before the ack: deltas between the snapshot and the new subscription would be missing.
    assert_eq!(fetches(&rig.pass(SECOND * 3)).len(), 0);
    rig.ack(again.id);
    let request = snapshot_request(&rig.pass(SECOND * 2));
    rig.reply(request, &plain_snapshot(512));
    assert_eq!(rig.change(513, "14.2,buy,9").len(), 1);
    assert!(rig.shown(topic).is_some());
}

#[test]
fn a_stream_that_comes_after_the_exchange_costs_nothing() {
    let (mut rig, topic, request) = audited();
    rig.reply(request, &plain_snapshot(510));
    rig.pass(SECOND);
    rig.change(501, "14.2,buy,9");
    assert_eq!(lost(&events(&rig.pass(SECOND * 5))), None);
    assert!(rig.shown(topic).is_some());
}

#[test]
fn a_stream_that_speaks_while_the_snapshot_is_on_its_way_is_held_against_it_where_it_is_then() {
    let diverged = BookLostReason::Diverged {
        side: Side::Bid,
        price: "14.2".parse().unwrap(),
        held: Lots::new(8),
        exchange: Lots::new(9),
    };
    for (size, reason) in [(9, None), (8, Some(diverged))] {
        let (mut rig, topic, request) = audited();
        rig.change(501, &format!("14.2,buy,{size}"));
        let body = snapshot("LINKUSDTM", 501, "[14.2,9],[14.1,7]", "[14.3,6],[14.4,8]");
        assert_eq!(lost(&events(&rig.reply(request, &body))), reason);
        assert_eq!(rig.shown(topic).is_some(), reason.is_none());
    }
}

/// Every minute, for as long as it is still.
#[test]
fn a_still_market_is_looked_into_and_stays_live() {
    let (mut rig, topic, mut request) = audited();
    for minute in 1..20 {
        let verified = BookEvent::Verified { sequence: Sequence::new(500), is_wider: false };
        let told = events(&rig.reply(request, &plain_snapshot(500)));
        assert_eq!(told, [Event::Book(topic, verified)], "minute {minute}");
        let out = rig.pass(MINUTE);
        assert_eq!(events(&out), [], "minute {minute}");
        request = snapshot_request(&out);
        assert_eq!(rig.client.stats().audits, minute);
    }
    assert!(rig.shown(topic).is_some());
    assert_eq!(rig.client.stats().resyncs, 0);
    // One that speaks again is left alone for a minute.
    rig.reply(request, &plain_snapshot(500));
    assert!(rig.change(501, "14.2,buy,9").contains(&Event::Topic(topic, TopicEvent::Active)));
    assert_eq!(fetches(&rig.pass(MINUTE - SECOND)).len(), 0);
    assert_eq!(fetches(&rig.pass(SECOND)).len(), 1);
}

#[test]
fn a_snapshot_of_the_same_sequence_that_says_otherwise_ends_the_book() {
    for (bids, asks, at) in [
        ("[14.2,6],[14.1,7]", "[14.3,6],[14.4,8]", (Side::Bid, "14.2", 5, 6)),
        ("[14.2,5]", "[14.3,6],[14.4,8]", (Side::Bid, "14.1", 7, 0)),
        ("[14.2,5],[14.1,7]", "[14.3,6],[14.4,8],[14.5,1]", (Side::Ask, "14.5", 0, 1)),
    ] {
        let (mut rig, topic, request) = audited();
        let out = rig.reply(request, &snapshot("LINKUSDTM", 500, bids, asks));
        let reason = lost(&events(&out));
        let Some(BookLostReason::Diverged { side, price, held, exchange }) = reason else {
            panic!("{reason:?}")
        };
        let found = (side, price.to_string(), held.get(), exchange.get());
        assert_eq!(found, (at.0, at.1.to_owned(), at.2, at.3));
        let request = snapshot_request(&rig.pass(SECOND));
        rig.reply(request, &snapshot("LINKUSDTM", 500, bids, asks));
        assert!(rig.shown(topic).is_some(), "the exchange's word counts");
    }
}

/// An exchange that was restarted, and pushes nothing.
#[test]
fn snapshots_that_move_behind_a_silent_book_mean_that_the_counter_was_set_back() {
    let (mut rig, topic, request) = audited();
    assert_eq!(events(&rig.reply(request, &plain_snapshot(100))), [], "a service that lags");
    let request = snapshot_request(&rig.pass(MINUTE));
    let out = rig.reply(request, &plain_snapshot(130));
    let reason = BookLostReason::SequenceReset(Evidence::SnapshotsStayBehind);
    assert_eq!(lost(&events(&out)), Some(reason));
    assert_eq!(requests(&out)[0].kind, "subscribe");
    assert!(rig.shown(topic).is_none());
}

#[test]
fn a_snapshot_that_stays_behind_a_silent_book_is_believed_the_tenth_time() {
    let (mut rig, topic, mut request) = audited();
    for _ in 1..10 {
        assert_eq!(events(&rig.reply(request, &plain_snapshot(100))), []);
        request = snapshot_request(&rig.pass(MINUTE));
    }
    assert!(lost(&events(&rig.reply(request, &plain_snapshot(100)))).is_some());
    assert!(rig.shown(topic).is_none());
}

/// Behind where the book was in another silence says nothing.
#[test]
fn a_service_that_lags_now_and_then_costs_nothing() {
    let (mut rig, topic, mut request) = audited();
    for sequence in 501..520 {
        assert_eq!(events(&rig.reply(request, &plain_snapshot(sequence - 10))), []);
        rig.change(sequence, &format!("14.2,buy,{sequence}"));
        let out = rig.pass(MINUTE);
        request = snapshot_request(&out);
    }
    assert!(rig.shown(topic).is_some());
}

#[test]
fn an_audit_that_has_no_answer_is_asked_for_again_at_the_next_silence() {
    let (mut rig, topic, request) = audited();
    let error = TransportError::Eof;
    rig.input(kucoin_futures_proto::Input::Failed { request, error });
    assert!(rig.shown(topic).is_some());
    let request = snapshot_request(&rig.pass(MINUTE));
    assert_eq!(events(&rig.reply(request, "<html>")), []);
    snapshot_request(&rig.pass(MINUTE));
    assert!(rig.shown(topic).is_some());
}

#[test]
fn a_topic_that_is_not_wanted_any_more_is_not_subscribed_again() {
    let (mut rig, topic, request) = audited();
    rig.reply(request, &plain_snapshot(510));
    rig.client.unsubscribe(rig.now, topic).unwrap();
    let out = rig.pass(SECOND * 3);
    let kinds: Vec<_> = requests(&out).into_iter().map(|sent| sent.kind).collect();
    assert_eq!(kinds, ["unsubscribe"]);
}

/// The subscription is lost at the exchange and pings go on: a minute, an answer and two seconds later the book
/// is not live any more, and a few seconds later it is again.
#[test]
fn a_subscription_that_the_exchange_loses_is_noticed_and_made_anew() {
    let symbol = "CHRUSDTM".parse().unwrap();
    let mut exchange = ExchangeConfig::default();
    exchange.contracts = vec![Contract::named(symbol)];
    exchange.rate = 50.0;
    let mut world = World::new(7, World::client_config(), exchange, SECOND / 50);
    let topic = world.subscribe(Channel::level2(symbol)).unwrap().unwrap();
    world.run_for(SECOND * 10).unwrap();
    assert!(world.client().book(topic).is_some());
    world.inject(Fault::Mute { target: Target::All, span: SECOND * 86_400 }).unwrap();
    let start = world.now();
    assert!(world.run_until(SECOND * 70, |w| w.client().book(topic).is_none()).unwrap());
    let noticed = world.now().since(start);
    assert!(noticed < SECOND * 63, "{noticed:?}");
    assert!(world.run_until(SECOND * 5, |w| w.client().book(topic).is_some()).unwrap());
    let behind = |w: &World| w.client().book(topic).unwrap().sequence();
    let before = behind(&world);
    world.run_for(SECOND * 10).unwrap();
    assert!(behind(&world) > before, "and goes on");
}

/// A service that lags once, is right once and lags again: no reset, whichever of its snapshots is the newer.
#[test]
fn a_snapshot_that_agrees_ends_what_those_before_it_have_begun() {
    let (mut rig, topic, mut request) = audited();
    for sequence in [498, 500, 499, 500, 497] {
        rig.reply(request, &plain_snapshot(sequence));
        assert!(rig.shown(topic).is_some(), "after {sequence}");
        request = snapshot_request(&rig.pass(MINUTE));
    }
    // One that moves on and is behind all the same, twice in a row, knows another run.
    rig.reply(request, &plain_snapshot(498));
    assert!(rig.shown(topic).is_none());
}
