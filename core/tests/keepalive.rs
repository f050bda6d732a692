//! Pings on schedule, and a silent peer noticed in time.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "tests"
)]

mod common;

use std::time::Duration;

use common::*;
use kucoin_futures_proto::{
    BookEvent, BookLostReason, Channel, Config, DisconnectReason, Event, Input, LineEvent, Output,
    TopicStatus, TransportError,
};
use proptest::prelude::*;

#[test]
fn a_ping_is_one_small_message_every_18_seconds() {
    let mut rig = Rig::live(Config::default()).0;
    let ready = rig.now;
    let mut seconds = Vec::new();
    for _ in 0..180 {
        for output in rig.pass(SECOND) {
            let Output::Send { text, .. } = output else { continue };
            let id = seconds.len() + 2;
            assert_eq!(*text, *format!(r#"{{"id":"{id}","type":"ping"}}"#), "ids count on");
            seconds.push(rig.now.since(ready).as_secs());
        }
    }
    // The line was welcomed a second before its book was live.
    assert_eq!(seconds, [17, 35, 53, 71, 89, 107, 125, 143, 161, 179]);
    assert_eq!((rig.client.stats().pings, rig.client.stats().pongs), (10, 10));
}

/// The classic mistake: pinging when a read times out, which it never does in a busy market.
#[test]
fn a_ping_does_not_wait_for_quiet() {
    let (mut rig, link) = Rig::live(Config::default());
    let mut at = Vec::new();
    for sequence in 501..1_001 {
        rig.now = rig.now + 100 * MS;
        let change = format!("14.1,buy,{sequence}");
        let outputs = rig.text(&level2(LINK, sequence, &change));
        assert_eq!(events(&outputs).len(), 1);
        at.extend(pings(&outputs).iter().map(|_| (sequence - 500) / 10));
    }
    assert_eq!(at, [17, 35], "seconds, and nobody ever said Timeout");
    assert!(rig.client.book(link).is_some());
}

/// The classic mistake: waiting for one particular pong, or taking any pong for it.
#[test]
fn only_the_pong_with_the_id_of_the_ping_counts() {
    let (mut rig, _) = Rig::live(Config::default());
    rig.answers_pings = false;
    let [ping] = pings(&rig.pass(17 * SECOND))[..] else { panic!() };
    for other in [
        pong(ping + 1),
        pong(0),
        r#"{"type":"pong"}"#.into(),
        format!(r#"{{"id":"0{ping}","type":"pong"}}"#),
    ] {
        assert_eq!(rig.text(&other), []);
    }
    assert_eq!(rig.client.stats().unsolicited, 4);
    let outputs = rig.pass(10 * SECOND);
    assert_eq!(downs(&outputs), [DisconnectReason::PongTimeout]);
}

#[test]
fn a_pong_may_say_its_id_as_a_number_and_nothing_of_the_time() {
    let (mut rig, _) = Rig::live(Config::default());
    rig.answers_pings = false;
    let [ping] = pings(&rig.pass(17 * SECOND))[..] else { panic!() };
    rig.text(&format!(r#"{{"type":"pong","id":{ping}}}"#));
    rig.text(&pong(ping));
    assert_eq!((rig.client.stats().pongs, rig.client.stats().unsolicited), (1, 1));
    assert_eq!(downs(&rig.pass(17 * SECOND)), []);
}

/// Incoming data does not count: the server may have given us up already.
#[test]
fn a_line_without_a_pong_is_down_within_interval_and_timeout_and_its_book_is_gone() {
    let (mut rig, link) = Rig::live(Config::default());
    rig.answers_pings = false;
    let quiet = rig.pass(27 * SECOND - MS);
    assert_eq!((downs(&quiet), pings(&quiet).len()), (vec![], 1));
    rig.change(501, "14.1,buy,9");
    assert!(rig.client.book(link).is_some());
    let (conn, line) = (rig.conn, kucoin_futures_proto::LineId::new(0));
    let outputs = rig.pass(MS);
    assert_eq!(
        events(&outputs)[..2],
        [
            Event::Line(line, LineEvent::Down { conn, reason: DisconnectReason::PongTimeout }),
            Event::Book(
                link,
                BookEvent::Lost {
                    epoch: kucoin_futures_proto::Epoch::new(1),
                    reason: BookLostReason::LineDown
                }
            ),
        ]
    );
    assert_eq!(shuts(&outputs), 1);
    assert!(rig.client.book(link).is_none());
    assert_eq!(rig.client.status(link), TopicStatus::Wanted);
    assert_eq!(pings(&rig.pass(100 * MS)).len(), 0);
}

/// Bytes that wait in the socket while nobody looks may hold the pong.
#[test]
fn a_deadline_found_late_is_put_off_once() {
    let late = |by: Duration| {
        let mut rig = Rig::live(Config::default()).0;
        rig.answers_pings = false;
        let ping = pings(&rig.pass(17 * SECOND))[0];
        let outputs = rig.sleep(10 * SECOND + by);
        (rig, ping, downs(&outputs))
    };
    let (_, _, in_time) = late(SECOND);
    assert_eq!(in_time, [DisconnectReason::PongTimeout], "this late is no excuse");
    let (mut answered, ping, down) = late(SECOND + MS);
    assert_eq!(down, []);
    answered.text(&pong(ping));
    assert_eq!(downs(&answered.pass(5 * SECOND)), []);
    let (mut silent, _, down) = late(19 * SECOND);
    assert_eq!(down, []);
    assert_eq!(downs(&silent.pass(SECOND - MS)), []);
    assert_eq!(downs(&silent.pass(MS)), [DisconnectReason::PongTimeout]);
}

#[test]
fn a_pong_that_comes_with_the_late_call_counts() {
    let mut rig = Rig::live(Config::default()).0;
    rig.answers_pings = false;
    let ping = pings(&rig.pass(17 * SECOND))[0];
    rig.now = rig.now + 12 * SECOND;
    rig.answers_pings = true;
    assert_eq!(downs(&rig.text(&pong(ping))), []);
    assert_eq!(downs(&rig.pass(30 * SECOND)), []);
}

#[test]
fn after_a_long_sleep_the_line_is_given_up_at_once() {
    let wake_ups: [fn(&mut Rig) -> Vec<Output<'static>>; 3] = [
        |rig| rig.input(Input::Timeout),
        // What had been in the socket when the machine fell asleep.
        |rig| rig.text(&level2(LINK, 501, "14.1,buy,9")),
        |rig| rig.text(r#"{"id":"3","type":"pong"}"#),
    ];
    for wake_up in wake_ups {
        let (mut rig, link) = Rig::live(Config::default());
        rig.now = rig.now + 3600 * SECOND;
        assert_eq!(downs(&wake_up(&mut rig)), [DisconnectReason::Suspended]);
        assert!(rig.client.book(link).is_none());
        let mut waiting_for_pong = Rig::live(Config::default()).0;
        waiting_for_pong.answers_pings = false;
        waiting_for_pong.pass(17 * SECOND);
        waiting_for_pong.now = waiting_for_pong.now + 40 * SECOND;
        assert_eq!(downs(&wake_up(&mut waiting_for_pong)), [DisconnectReason::Suspended]);
    }
}

#[test]
fn a_short_sleep_is_no_reason_to_give_up() {
    let (mut rig, link) = Rig::live(Config::default());
    assert_eq!(downs(&rig.sleep(37 * SECOND)), [], "20 s past the ping's time");
    assert!(rig.client.book(link).is_some());
    assert_eq!(
        downs(&rig.sleep(38 * SECOND + MS)),
        [DisconnectReason::Suspended],
        "and a little more"
    );
}

#[test]
fn there_is_never_more_than_one_ping_to_be_answered() {
    let mut rig = with_rhythm("2000", "15000");
    rig.answers_pings = false;
    let [ping] = pings(&rig.pass(14 * SECOND))[..] else { panic!("one ping in 14 s") };
    rig.text(&pong(ping));
    assert_eq!(pings(&rig.pass(2 * SECOND)).len(), 1, "back on schedule");
}

#[test]
fn pings_have_a_share_of_the_budget_that_nothing_else_may_use() {
    let mut rig = Rig::live(Config::default()).0;
    rig.pass(16 * SECOND);
    let avax = Channel::ticker_v2("AVAXUSDTM".parse().unwrap());
    let mut frames = 0;
    for _ in 0..200 {
        let topic = rig.client.subscribe(rig.now, avax).unwrap();
        let outputs = rig.drain();
        let requests = sent(&outputs);
        frames += requests.len();
        requests.iter().for_each(|request| drop(rig.ack(request.id)));
        rig.client.unsubscribe(rig.now, topic).unwrap();
        let outputs = rig.drain();
        let requests = sent(&outputs);
        frames += requests.len();
        requests.iter().for_each(|request| drop(rig.ack(request.id)));
    }
    assert_eq!(frames, 90, "in an instant");
    assert_eq!(pings(&rig.pass(SECOND)).len(), 1, "not a moment late");
}

#[test]
fn a_ping_timeout_reported_by_the_server_ends_the_connection() {
    let (mut rig, link) = Rig::live(Config::default());
    let outputs = rig.text(r#"{"type":"error","code":400,"data":"ping timeout"}"#);
    assert!(matches!(downs(&outputs)[..], [DisconnectReason::Refused { code: 400, .. }]));
    assert!(rig.client.book(link).is_none());
}

#[test]
fn a_new_connection_has_a_schedule_of_its_own() {
    let mut rig = Rig::live(Config::default()).0;
    rig.answers_pings = false;
    assert_eq!(pings(&rig.pass(17 * SECOND)), [2]);
    rig.lose(TransportError::Eof);
    let outputs = rig.pass(2 * SECOND);
    rig.reconnect(bullet_request(&outputs));
    rig.ack(3);
    rig.answers_pings = true;
    let outputs = rig.pass(18 * SECOND - MS);
    assert_eq!((pings(&outputs), downs(&outputs)), (vec![], vec![]), "the old ping is forgotten");
    assert_eq!(pings(&rig.pass(MS)).len(), 1);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Calls that come late by up to a second, as they do: no line is lost, no ping is far off.
    #[test]
    fn lateness_does_not_add_up(late_ms in prop::collection::vec(0_u32..=1000, 50)) {
        let (mut rig, link) = Rig::live(Config::default());
        let start = rig.now;
        let mut count = 0_u32;
        for late in late_ms {
            let due = rig.client.poll_timeout().unwrap().at;
            rig.now = rig.now.max(due + late * MS);
            let outputs = rig.input(Input::Timeout);
            prop_assert_eq!(downs(&outputs), []);
            for _ in pings(&outputs) {
                count += 1;
                let since = rig.now.since(start) + SECOND;
                let on_time = count * 18 * SECOND;
                prop_assert!(since >= on_time && since <= on_time + SECOND);
            }
        }
        prop_assert!(rig.client.book(link).is_some());
        prop_assert!(count > 5);
    }

    /// Whatever the rhythm: a peer that falls silent is noticed within interval and timeout.
    #[test]
    fn a_silent_peer_is_noticed_in_time(
        interval in 1_000_u32..60_000,
        timeout in 1_000_u32..60_000,
        heard_for in 0_u32..100_000,
    ) {
        let mut rig = with_rhythm(&interval.to_string(), &timeout.to_string());
        rig.pass(heard_for * MS);
        rig.answers_pings = false;
        let silent_since = rig.now;
        let mut outputs = Vec::new();
        while downs(&outputs).is_empty() {
            let due = rig.client.poll_timeout().unwrap().at;
            outputs = rig.pass(due.since(rig.now));
            prop_assert!(rig.now.since(silent_since) <= (interval + timeout) * MS);
        }
    }
}

fn with_rhythm(interval: &str, timeout: &str) -> Rig {
    let (mut rig, request) = Rig::waiting_for_token(Config::default());
    rig.reply(request, &bullet_of("t", &[("wss://w.kucoin.com/", interval, timeout)]));
    rig.opened();
    rig.welcome();
    rig.ack(1);
    rig
}

fn downs(outputs: &[Output<'_>]) -> Vec<DisconnectReason> {
    let down = |event| {
        if let Event::Line(_, LineEvent::Down { reason, .. }) = event { Some(reason) } else { None }
    };
    events(outputs).into_iter().filter_map(down).collect()
}

/// More pings than the exchange takes: the budget for messages holds for them, too.
#[test]
fn pings_keep_to_the_budget_of_messages() {
    let mut config = Config::default();
    config.budgets.sends_per_10s = 3;
    let (mut rig, request) = Rig::waiting_for_token(config);
    rig.reply(request, &bullet_of("t0ken", &[("wss://ws-7.kucoin.com/", "1000", "1000")]));
    rig.opened();
    rig.welcome();
    let mut at = Vec::new();
    for second in 1..=22 {
        at.extend(pings(&rig.pass(SECOND)).iter().map(|_| second));
    }
    // The first message was the subscribe frame.
    assert_eq!(at, [1, 2, 11, 12, 13, 22]);
}
