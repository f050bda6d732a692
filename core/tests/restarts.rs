//! The exchange's counter is set back: two streams must never be put together, and none lost for good.

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

use common::{
    LINK, Rig, edited, events, fetches, level2, plain_snapshot, sent, snapshot, snapshot_request,
};
use kucoin_futures_proto::{
    BookDelayReason, BookEvent, BookLostReason, Channel, Config, Event, Evidence, Input, Query,
    ResponseHead, RestError, Sequence, TopicEvent, TransportError,
};
use kucoin_futures_sim::{Contract, ExchangeConfig, Fault, Target, World};

const SECOND: Duration = Duration::from_secs(1);

/// Too few repeats to be told by their number: their content gives them away.
#[test]
fn a_counter_set_back_by_one_or_two_is_seen() {
    for (step, seed) in (1..=3).flat_map(|step| (0..20).map(move |seed| (step, seed))) {
        let symbol = "CHRUSDTM".parse().unwrap();
        let mut exchange = ExchangeConfig::default();
        exchange.contracts = vec![Contract::named(symbol)];
        exchange.rate = 50.0;
        let mut world = World::new(seed, World::client_config(), exchange, SECOND / 50);
        world
            .command(|client, now| client.subscribe(now, Channel::level2(symbol)))
            .unwrap()
            .unwrap();
        world.run_for(SECOND * 5).unwrap();
        world.inject(Fault::StepBack { target: Target::All, step }).unwrap();
        world
            .run_for(SECOND * 10)
            .unwrap_or_else(|wrong| panic!("{step} back, seed {seed}: {wrong}"));
        assert_eq!(world.client().stats().resyncs, 1, "{step} back, seed {seed}");
    }
}

/// Found by the swarm: a book that a snapshot made live on a new line, in a market too still to bring a
/// delta, and a counter set back by one or two. What the line brings then is no repeat: the line has
/// said nothing yet.
#[test]
fn a_counter_set_back_before_a_new_line_has_said_anything_is_seen() {
    for back in 1..=2 {
        let (mut rig, topic) = back_on_a_new_line();
        let request = snapshot_request(&rig.pass(SECOND));
        rig.reply(request, &plain_snapshot(500));
        assert!(rig.shown(topic).is_some());
        (501 - back..=500).for_each(|sequence| drop(rig.change(sequence, "14.2,buy,9")));
        let lost = rig.change(501, "14.1,buy,8");
        assert!(
            matches!(
                lost[..],
                [Event::Book(
                    _,
                    BookEvent::Lost {
                        reason: BookLostReason::SequenceReset(Evidence::SnapshotDiffers),
                        ..
                    }
                )]
            ),
            "{back} back: {lost:?}"
        );
        assert_eq!(rig.shown(topic), None);
    }
}

/// The same while the snapshot is on its way: it was taken before the counter was set back.
#[test]
fn what_a_new_line_says_of_the_past_is_compared_with_the_snapshot() {
    for back in 1..=2 {
        let (mut rig, topic) = back_on_a_new_line();
        let request = snapshot_request(&rig.pass(SECOND));
        (501 - back..=500).for_each(|sequence| drop(rig.change(sequence, "14.2,buy,9")));
        rig.change(501, "14.1,buy,8");
        let out = events(&rig.reply(request, &plain_snapshot(500)));
        assert!(
            !out.iter().any(|e| matches!(e, Event::Book(_, BookEvent::Live { .. }))),
            "{back} back: {out:?}"
        );
        assert_eq!(rig.shown(topic), None);
    }
}

/// And what a new line repeats truly costs nothing.
#[test]
fn what_a_new_line_truly_repeats_of_the_past_does_no_harm() {
    let (mut rig, topic) = back_on_a_new_line();
    let request = snapshot_request(&rig.pass(SECOND));
    rig.reply(request, &plain_snapshot(500));
    assert_eq!(rig.change(500, "14.2,buy,5"), []);
    assert_eq!(rig.change(500, "14.2,buy,5"), []);
    assert!(matches!(rig.change(501, "14.1,buy,8")[..], [Event::Book(_, BookEvent::Delta(_))]));
    assert!(rig.shown(topic).is_some());
    let (mut rig, topic) = back_on_a_new_line();
    let request = snapshot_request(&rig.pass(SECOND));
    assert_eq!(rig.change(499, "14.1,buy,7"), []);
    assert_eq!(rig.change(500, "14.2,buy,5"), []);
    assert_eq!(rig.change(501, "14.1,buy,8"), []);
    rig.reply(request, &plain_snapshot(500));
    assert!(rig.shown(topic).unwrap().starts_with("501: "));
}

/// A book that was live at 500, lost its line, and is carried again.
fn back_on_a_new_line() -> (Rig, kucoin_futures_proto::TopicId) {
    let (mut rig, topic) = Rig::live(Config::default());
    rig.lose(TransportError::Eof);
    let out = rig.pass(SECOND * 2);
    let out = rig.reconnect(common::bullet_request(&out));
    rig.ack(sent(&out)[0].id);
    (rig, topic)
}

#[test]
fn a_snapshot_of_the_old_run_is_not_put_under_the_new_one() {
    let (mut rig, topic) = Rig::live(Config::default());
    rig.change(501, "14.2,buy,5");
    (491..=493).for_each(|sequence| drop(rig.change(sequence, "14.2,buy,5")));
    let request = snapshot_request(&rig.pass(SECOND * 2));
    // The service lags: it has not heard of the restart.
    let (snapshot, evidence) = (Sequence::new(501), Evidence::AheadAfterReset);
    let deferred = BookDelayReason::SnapshotDeferred { snapshot, evidence };
    let told = events(&rig.reply(request, &plain_snapshot(501)));
    assert_eq!(told, [Event::Book(topic, BookEvent::Delayed(deferred))]);
    assert_eq!(rig.shown(topic), None, "it may be of either run until the stream has been there");
    // At the time it states, the new run had not been there yet.
    let later =
        |sequence| edited(&level2(LINK, sequence, "14.1,buy,77"), "1791500000250", "1791500009250");
    (494..=501).for_each(|sequence| drop(rig.text(&later(sequence))));
    assert_eq!(rig.shown(topic), None);
}

#[test]
fn a_snapshot_ahead_of_a_restarted_stream_waits_for_it() {
    let (mut rig, topic) = Rig::live(Config::default());
    rig.change(501, "14.2,buy,5");
    (491..=493).for_each(|sequence| drop(rig.change(sequence, "14.2,buy,5")));
    let request = snapshot_request(&rig.pass(SECOND * 2));
    rig.reply(request, &plain_snapshot(495));
    assert_eq!(rig.change(494, "14.2,buy,5"), []);
    let live = rig.change(495, "14.2,buy,5");
    assert!(matches!(live[..], [Event::Book(_, BookEvent::Live { .. })]), "{live:?}");
    assert!(rig.shown(topic).is_some());
}

/// Found over real sockets: a snapshot ahead of the stream, then nobody drives the client for five
/// seconds. What comes then is as old as it always was.
#[test]
fn a_caller_who_was_away_while_the_stream_was_behind_loses_nothing() {
    let (mut rig, topic) = Rig::live(Config::default());
    rig.sleep(SECOND * 6);
    (495..=500).for_each(|sequence| assert_eq!(rig.change(sequence, "14.2,buy,5"), []));
    assert_eq!(rig.client.stats().covered, 6);
    assert!(matches!(rig.change(501, "14.2,buy,6")[..], [Event::Book(_, BookEvent::Delta(_))]));
    assert!(rig.shown(topic).is_some());
}

#[test]
fn a_repeat_of_what_is_buffered_with_another_content_is_a_restart() {
    let (mut rig, _) = Rig::confirmed(Config::default());
    (510..=560).for_each(|sequence| drop(rig.change(sequence, "14.1,buy,7")));
    assert_eq!(rig.change(530, "14.1,buy,7"), [], "a true repeat");
    let restarted = rig.change(521, "14.2,buy,5");
    assert!(matches!(
        restarted[..],
        [Event::Book(
            _,
            BookEvent::Delayed(BookDelayReason::SequenceReset(Evidence::RepeatDiffers))
        )]
    ));
}

#[test]
fn a_snapshot_is_not_trusted_while_a_repeat_is_in_doubt() {
    let (mut rig, topic) = Rig::confirmed(Config::default());
    (510..=560).for_each(|s| drop(rig.change(s, &format!("14.1,buy,{}", (s + 6) % 10 + 1))));
    let request = snapshot_request(&rig.pass(SECOND * 2));
    rig.change(505, "14.1,buy,2");
    // It says what the deltas up to it say.
    let doubted = events(&rig.reply(request, &plain_snapshot(520)));
    let evidence = Evidence::RepeatInDoubt;
    let reason = BookDelayReason::SnapshotDoubted { snapshot: Sequence::new(520), evidence };
    assert_eq!(doubted, [Event::Book(topic, BookEvent::Delayed(reason))]);
    assert_eq!(rig.shown(topic), None);
}

#[test]
fn a_request_of_before_the_restart_is_waited_for_before_the_next() {
    let (mut rig, topic) = Rig::confirmed(Config::default());
    (510..=520).for_each(|sequence| drop(rig.change(sequence, "14.1,buy,7")));
    let old = snapshot_request(&rig.pass(SECOND * 2));
    rig.change(515, "14.3,sell,6");
    assert_eq!(fetches(&rig.pass(SECOND * 3)).len(), 0, "one at a time");
    let out = rig.reply(old, &plain_snapshot(520));
    assert_eq!(rig.shown(topic), None, "of no use any more");
    let request = snapshot_request(&out);
    rig.reply(request, &plain_snapshot(515));
    assert!(rig.shown(topic).is_some());
}

/// The exchange's clocks are data: one that is wrong for good may cost time, never the book.
#[test]
fn clocks_that_disagree_and_a_lasting_doubt_do_not_keep_a_book_from_going_live() {
    for (from, to) in [("1791500000251", "1791400000251"), ("1791500000251", "1791600000251")] {
        let (mut rig, topic) = Rig::confirmed(Config::default());
        let mut refused = 0;
        for sequence in 510..540 {
            rig.change(sequence, "14.1,buy,7");
            let out = rig.pass(SECOND);
            for request in fetches(&out).iter().map(|fetch| fetch.request()).collect::<Vec<_>>() {
                rig.reply(request, &edited(&plain_snapshot(sequence - 1), from, to));
                refused += u32::from(rig.client.book(topic).is_none());
            }
        }
        assert!(rig.client.book(topic).is_some() && refused <= 6, "{refused} refused");
    }
    let (mut rig, topic) = Rig::confirmed(Config::default());
    rig.change(510, "14.1,buy,7");
    rig.change(510, "14.1,buy,7");
    for _ in 0..20 {
        let out = rig.pass(SECOND);
        for request in fetches(&out).iter().map(|fetch| fetch.request()).collect::<Vec<_>>() {
            rig.reply(request, &plain_snapshot(510));
        }
    }
    assert!(rig.client.book(topic).is_some(), "one duplicate, then a still market");
}

#[test]
fn a_poison_before_the_snapshot_makes_an_earlier_snapshot_too_old() {
    let (mut rig, topic) = Rig::confirmed(Config::default());
    (510..=520).for_each(|sequence| drop(rig.change(sequence, "14.1,buy,7")));
    let request = snapshot_request(&rig.pass(SECOND * 2));
    rig.change(521, "14.1,bid,11");
    rig.reply(request, &plain_snapshot(500));
    assert_eq!(rig.shown(topic), None, "520 has been seen");
    let request = snapshot_request(&rig.pass(SECOND * 2));
    rig.reply(request, &plain_snapshot(519));
    assert_eq!(rig.shown(topic), None);
    let request = snapshot_request(&rig.pass(SECOND * 3));
    rig.reply(request, &plain_snapshot(521));
    assert!(rig.shown(topic).is_some());
}

#[test]
fn a_poison_now_and_then_does_not_stop_a_book_for_good() {
    let (mut rig, topic) = Rig::live(Config::default());
    let mut live = 0;
    for second in 0..600 {
        let sequence = 501 + second;
        rig.change(sequence, if second % 20 == 0 { "14.1,bid,11" } else { "14.1,buy,7" });
        let out = rig.pass(SECOND);
        for request in fetches(&out).iter().map(|fetch| fetch.request()).collect::<Vec<_>>() {
            rig.reply(request, &snapshot(LINK, sequence, "[14.2,5],[14.1,7]", "[14.3,6]"));
        }
        live += u32::from(rig.client.book(topic).is_some());
    }
    assert!(live > 200, "live in {live} of 600 s; every third poison costs a minute");
}

/// A book that a snapshot made live in a still market, so that the line has brought no delta yet to
/// tell the restart by; and it is lost before the deltas of the new run can.
#[test]
fn a_restart_that_the_line_has_no_delta_to_tell_by_does_not_stop_a_book_for_good() {
    let (mut rig, topic) = Rig::live(Config::default());
    let lost = rig.change(101, "14.2,buy,0.5");
    assert!(matches!(
        lost[..],
        [Event::Book(_, BookEvent::Lost { reason: BookLostReason::Poisoned(_), .. })]
    ));
    let mut sequence = 101;
    while rig.shown(topic).is_none() {
        assert!(sequence < 101 + 180, "no book in three minutes");
        if sequence > 101 {
            assert_eq!(rig.change(sequence, "14.2,buy,5"), [], "a repeat is a repeat");
        }
        sequence += 1;
        rig.change(sequence, "14.2,buy,5");
        let out = rig.pass(SECOND);
        for request in fetches(&out).iter().map(|fetch| fetch.request()).collect::<Vec<_>>() {
            rig.reply(request, &plain_snapshot(sequence));
        }
    }
    assert!(rig.client.stats().snapshots_too_old < 10, "the stream speaks against the old run");
    assert!(matches!(
        rig.change(sequence + 1, "14.2,buy,6")[..],
        [Event::Book(_, BookEvent::Delta(_))]
    ));
    assert_eq!(rig.change(sequence + 1, "14.2,buy,6"), [], "still");
    assert!(rig.shown(topic).is_some());
}

#[test]
fn patience_with_old_snapshots_begins_anew_with_a_line() {
    let (mut rig, topic) = Rig::confirmed(Config::default());
    (510..=520).for_each(|sequence| drop(rig.change(sequence, "14.1,buy,7")));
    let stale = |rig: &mut Rig, wanted: u32| {
        let mut served = 0;
        while served < wanted {
            let out = rig.pass(SECOND);
            for request in fetches(&out).iter().map(|fetch| fetch.request()).collect::<Vec<_>>() {
                rig.reply(request, &plain_snapshot(500));
                served += 1;
            }
        }
    };
    stale(&mut rig, 11);
    let told = rig.change(520, "14.1,buy,7");
    let is_quiet = |event: &Event| matches!(event, Event::Topic(_, TopicEvent::Active));
    assert!(told.iter().all(is_quiet), "what was heard speaks against them: {told:?}");
    let out = rig.lose(TransportError::Eof);
    assert_eq!(fetches(&out).len(), 0);
    let out = rig.pass(SECOND * 3);
    let out = rig.reconnect(common::bullet_request(&out));
    rig.ack(sent(&out)[0].id);
    stale(&mut rig, 9);
    assert_eq!(
        rig.shown(topic),
        None,
        "520 has been seen, and nothing spoke against it nine times"
    );
    stale(&mut rig, 2);
    assert!(rig.shown(topic).is_some(), "the counter must have been set back meanwhile");
    let goes_on = rig.change(501, "14.1,buy,11");
    assert!(
        matches!(
            goes_on[..],
            [Event::Topic(_, TopicEvent::Active), Event::Book(_, BookEvent::Delta(_))]
        ),
        "{goes_on:?}"
    );
}

#[test]
fn lagged_stands_where_the_deltas_are_missing() {
    let mut config = Config::default();
    config.queues.events = 3;
    let (mut rig, _) = Rig::confirmed(config);
    let request = snapshot_request(&rig.pass(SECOND));
    let body = plain_snapshot(500);
    let _ = rig.client.handle(
        rig.now,
        Input::Reply { request, head: ResponseHead::new(200), body: body.as_bytes() },
    );
    for sequence in 501..=505 {
        let text = level2(LINK, sequence, "14.1,buy,1");
        let _ = rig.client.handle(rig.now, Input::Text { conn: rig.conn, bytes: text.as_bytes() });
    }
    let told = events(&rig.drain());
    let [Event::Book(_, BookEvent::Live { .. }), Event::Lagged { dropped: 3 }, rest @ ..] =
        &told[..]
    else {
        panic!("{told:?}");
    };
    assert_eq!(rest.len(), 2, "504 and 505");
}

/// Found by the swarm: the book came back below where it had been, and the reason was among what was dropped.
#[test]
fn a_counter_that_was_set_back_is_told_also_to_who_does_not_drain() {
    let mut config = Config::default();
    config.queues.events = 1;
    let (mut rig, link) = Rig::confirmed(config);
    for sequence in [5000, 100, 110, 120, 130] {
        let text = level2(LINK, sequence, "14.1,buy,1");
        let _ = rig.client.handle(rig.now, Input::Text { conn: rig.conn, bytes: text.as_bytes() });
    }
    let reset = BookDelayReason::SequenceReset(Evidence::LongStepBack);
    let told = events(&rig.drain());
    let [first, Event::Lagged { dropped: 2 }, last] = told[..] else { panic!("{told:?}") };
    let delayed = |reason| Event::Book(link, BookEvent::Delayed(reason));
    assert_eq!((first, last), (delayed(reset), delayed(BookDelayReason::Gap)));
}

#[test]
fn closing_answers_the_queries_that_wait() {
    let (mut rig, _) = Rig::live(Config::default());
    let query = rig.client.fetch(rig.now, Query::ServerTime).unwrap();
    rig.client.close(rig.now);
    let failed = Event::QueryFailed { request: query, reason: RestError::Closed };
    assert!(events(&rig.drain()).contains(&failed));
}

#[test]
fn an_end_is_told_also_when_the_connection_or_an_error_brings_it() {
    let (mut rig, topic) = Rig::live(Config::default());
    rig.client.unsubscribe(rig.now, topic).unwrap();
    rig.drain();
    assert!(
        events(&rig.lose(TransportError::Eof))
            .contains(&Event::Topic(topic, TopicEvent::Unsubscribed))
    );
    let (mut rig, topic) = Rig::asked(Config::default());
    rig.client.unsubscribe(rig.now, topic).unwrap();
    rig.drain();
    let out = rig.text(&common::error("1", 404, "topic does not exist"));
    assert_eq!(events(&out), [Event::Topic(topic, TopicEvent::Unsubscribed)]);
}

/// Found by the simulation (swarm seed 738): the counter is set back by two while a fresh book waits
/// for its snapshot, so that numbers fit which do not belong together.
#[test]
fn a_snapshot_that_says_otherwise_than_the_deltas_it_contains_is_refused() {
    let (mut rig, topic) = Rig::confirmed(Config::default());
    (510..=512).for_each(|sequence| drop(rig.change(sequence, "14.1,buy,11")));
    let request = snapshot_request(&rig.pass(SECOND));
    let refused = events(&rig.reply(request, &plain_snapshot(511)));
    let reason = BookDelayReason::SequenceReset(Evidence::SnapshotDiffers);
    assert_eq!(
        refused,
        [Event::Book(topic, BookEvent::Delayed(reason))],
        "14.1 has 7 there, not 11"
    );
    assert_eq!(rig.shown(topic), None);
    rig.change(513, "14.1,buy,7");
    let request = snapshot_request(&rig.pass(SECOND * 2));
    rig.reply(request, &plain_snapshot(513));
    assert!(rig.shown(topic).is_some());
}

/// The same with a snapshot that is ahead of the stream: the stream shows it when it gets there.
#[test]
fn a_live_book_whose_stream_says_otherwise_when_it_gets_there_is_lost() {
    let (mut rig, topic) = Rig::confirmed(Config::default());
    rig.change(510, "14.2,buy,5");
    let request = snapshot_request(&rig.pass(SECOND));
    rig.reply(request, &plain_snapshot(512));
    assert!(rig.shown(topic).is_some(), "nothing speaks against it yet");
    rig.change(511, "14.1,buy,11");
    rig.change(512, "14.4,sell,8");
    let lost = rig.change(513, "14.2,buy,6");
    assert!(
        matches!(
            lost[..],
            [Event::Book(
                _,
                BookEvent::Lost {
                    reason: BookLostReason::SequenceReset(Evidence::SnapshotDiffers),
                    ..
                }
            )]
        ),
        "{lost:?}"
    );
}

/// What is missing among the deltas may have said the last word.
#[test]
fn deltas_before_a_hole_do_not_speak_against_a_snapshot() {
    let (mut rig, topic) = Rig::confirmed(Config::default());
    rig.change(510, "14.1,buy,11");
    let request = snapshot_request(&rig.pass(SECOND));
    rig.reply(request, &plain_snapshot(513));
    rig.change(512, "14.2,buy,5");
    rig.change(513, "14.4,sell,8");
    assert!(matches!(rig.change(514, "14.2,buy,6")[..], [Event::Book(_, BookEvent::Delta(_))]));
    assert!(rig.shown(topic).is_some());
}

/// Found by the simulation (swarm seed 8646): a snapshot of before the restart that ends just where
/// the new run begins fits it without having anything to do with it.
#[test]
fn after_a_restart_a_snapshot_must_contain_something_that_was_seen() {
    let (mut rig, topic) = Rig::live(Config::default());
    (501..=504).for_each(|sequence| drop(rig.change(sequence, "14.1,buy,7")));
    rig.change(504, "14.2,buy,5");
    let request = snapshot_request(&rig.pass(SECOND * 2));
    rig.reply(request, &plain_snapshot(503));
    assert_eq!(rig.shown(topic), None);
    let request = snapshot_request(&rig.pass(SECOND * 3));
    rig.reply(request, &plain_snapshot(504));
    assert!(rig.shown(topic).is_some());
}

/// Found by the simulation (swarm seed 5059): a snapshot of before a restart made the book live at a
/// sequence that the stream will not reach for hours, and was lost again. What it had reached then
/// kept every right snapshot out.
#[test]
fn what_a_book_had_reached_is_void_when_the_stream_stays_behind_it() {
    let (mut rig, topic) = Rig::confirmed(Config::default());
    rig.change(510, "14.2,buy,5");
    let request = snapshot_request(&rig.pass(SECOND));
    rig.reply(request, &plain_snapshot(900));
    rig.change(511, "14.2,BUY,5");
    assert_eq!(rig.shown(topic), None, "lost to a poison");
    for sequence in 512..530 {
        rig.change(sequence, "14.1,buy,7");
        let out = rig.pass(SECOND);
        for request in fetches(&out).iter().map(|fetch| fetch.request()).collect::<Vec<_>>() {
            rig.reply(request, &plain_snapshot(sequence));
        }
    }
    assert!(rig.shown(topic).is_some());
}

/// Found by the simulation (swarm seed 3637): set back by three, and of the new run the first delta
/// alone arrives before the sequence fits again. What is repeated cannot be younger than the newest.
#[test]
fn a_repeat_that_was_made_after_the_newest_delta_is_a_restart() {
    let (mut rig, topic) = Rig::live(Config::default());
    (501..=506).for_each(|s| drop(rig.change(s, &format!("14.1,buy,{}", s - 490))));
    let later = edited(&level2(LINK, 504, "14.1,buy,14"), "1791500000250", "1791500000290");
    let lost = events(&rig.text(&later));
    assert!(
        matches!(
            lost[..],
            [Event::Book(
                _,
                BookEvent::Lost {
                    reason: BookLostReason::SequenceReset(Evidence::RepeatIsNewer),
                    ..
                }
            )]
        ),
        "{lost:?}"
    );
    assert_eq!(rig.shown(topic), None);
}

/// Found by the small world: set back by two and one delta lost, the next one has the right number. It
/// sets a level to what the book says it is: the exchange has changed something else before.
#[test]
fn a_delta_after_the_snapshot_that_changes_nothing_is_a_restart() {
    let (mut rig, topic) = Rig::live(Config::default());
    assert_eq!(rig.change(499, "14.1,buy,9"), []);
    let lost = rig.change(501, "14.1,buy,7");
    let reason = BookLostReason::SequenceReset(Evidence::ChangesNothing);
    assert!(
        matches!(lost[..], [Event::Book(_, BookEvent::Lost { reason: r, .. })] if r == reason),
        "{lost:?}"
    );
    // The same before the book is live.
    let request = snapshot_request(&rig.pass(SECOND * 2));
    let doubted = events(&rig.reply(request, &plain_snapshot(500)));
    let snapshot = Sequence::new(500);
    let reason =
        BookDelayReason::SnapshotDoubted { snapshot, evidence: Evidence::UnprovenAfterReset };
    assert_eq!(doubted, [Event::Book(topic, BookEvent::Delayed(reason))]);
}

/// The same on a line that has brought something itself: what it repeats is not remembered.
#[test]
fn a_delta_after_an_unsure_repeat_that_changes_nothing_is_a_restart() {
    let (mut rig, _) = Rig::live(Config::default());
    (501..=510).for_each(|s| drop(rig.change(s, &format!("14.1,buy,{s}"))));
    assert_eq!(rig.change(510, "14.1,buy,510"), [], "a repeat for sure");
    assert!(
        matches!(rig.change(511, "14.1,buy,510")[..], [Event::Book(_, BookEvent::Delta(_))]),
        "no doubt"
    );
    assert_eq!(rig.change(505, "14.2,buy,505"), []);
    let lost = rig.change(512, "14.1,buy,510");
    let reason = BookLostReason::SequenceReset(Evidence::ChangesNothing);
    assert!(
        matches!(lost[..], [Event::Book(_, BookEvent::Lost { reason: r, .. })] if r == reason),
        "{lost:?}"
    );
}

/// Doubts are spent: a stream that is like that does not keep a book from going live for long.
#[test]
fn a_snapshot_before_a_delta_that_changes_nothing_is_refused_three_times() {
    let (mut rig, topic) = Rig::confirmed(Config::default());
    (509..=510).for_each(|sequence| drop(rig.change(sequence, "14.1,buy,7")));
    for _ in 0..3 {
        let request = snapshot_request(&rig.pass(SECOND * 4));
        let doubted = events(&rig.reply(request, &plain_snapshot(509)));
        let evidence = Evidence::ChangesNothing;
        let reason = BookDelayReason::SnapshotDoubted { snapshot: Sequence::new(509), evidence };
        assert_eq!(doubted, [Event::Book(topic, BookEvent::Delayed(reason))]);
    }
    let request = snapshot_request(&rig.pass(SECOND * 4));
    rig.reply(request, &plain_snapshot(509));
    assert!(rig.shown(topic).is_some());
}
