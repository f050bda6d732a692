//! What is odd and costs nothing: strict about what a book says, forgiving about all it does not need.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "tests"
)]

mod common;

use common::*;
use kucoin_futures_proto::{
    BookEvent, BookStatus, Channel, Config, Event, Input, LineEvent, Message, Output, TimePlace,
};

/// What has been seen where a time should stand: text, null, a fraction, another unit, something else.
const ODD: [&str; 7] = ["\"soon\"", "1.5", "1.79E18", "1791500000", "true", "[]", "{\"t\":1}"];

fn odd_times(events: &[Event]) -> Vec<TimePlace> {
    let place = |event: &Event| match event {
        Event::OddTime(place) => Some(*place),
        _ => None,
    };
    events.iter().filter_map(place).collect()
}

#[test]
fn a_delta_without_a_readable_time_is_a_delta() {
    let (mut rig, link) = Rig::live(Config::default());
    for (sequence, odd) in (501..).zip(ODD) {
        let text = edited(&level2(LINK, sequence, "14.1,buy,3"), "1791500000250", odd);
        let told = events(&rig.text(&text));
        let place: &[_] = if sequence == 501 { &[TimePlace::Delta] } else { &[] };
        assert_eq!(odd_times(&told), place, "told once: {odd}");
        assert!(
            matches!(told[..], [.., Event::Book(_, BookEvent::Delta(d))] if d.ts_event.is_none())
        );
    }
    assert_eq!(rig.client.stats().odd_times, ODD.len() as u64);
    for (sequence, nothing) in (501 + ODD.len() as u64..).zip(["null", "\"\""]) {
        rig.text(&edited(&level2(LINK, sequence, "14.1,buy,3"), "1791500000250", nothing));
    }
    assert_eq!(rig.client.stats().odd_times, ODD.len() as u64, "nothing is not odd");
    assert_eq!(rig.client.book(link).unwrap().sequence().get(), 502 + ODD.len() as u64);
}

/// A pong is a pong by its id: a line lost every 28 s would be a book lost every 28 s.
#[test]
fn a_pong_without_a_readable_time_is_a_pong() {
    let (mut rig, link) = Rig::live(Config::default());
    rig.answers_pings = false;
    for (at, odd) in ODD.iter().enumerate() {
        let ping = pings(&rig.pass(18 * SECOND))[0];
        let told = events(&rig.text(&edited(&pong(ping), "1791500000250999", odd)));
        assert_eq!(odd_times(&told).len(), usize::from(at == 0), "{odd}");
        assert!(!told.iter().any(|event| matches!(event, Event::Line(_, LineEvent::Down { .. }))));
    }
    assert_eq!(rig.client.book_status(link), Some(BookStatus::Live));
}

#[test]
fn a_snapshot_without_a_readable_time_is_a_snapshot() {
    for odd in ODD {
        let (mut rig, link) = Rig::confirmed(Config::default());
        let request = snapshot_request(&rig.pass(SECOND));
        let body = edited(&plain_snapshot(500), "1791500000251000000", odd);
        assert_eq!(odd_times(&events(&rig.reply(request, &body))), [TimePlace::Snapshot], "{odd}");
        assert_eq!(rig.client.book_status(link), Some(BookStatus::Live));
    }
}

/// Milliseconds where nanoseconds belong are told, and not shown as 1970.
#[test]
fn a_trade_without_a_readable_time_is_a_trade() {
    for odd in ODD.into_iter().chain(["1791500000461"]) {
        let mut rig = Rig::with(Config::default());
        let channel = Channel::execution(LINK.parse().unwrap());
        rig.client.subscribe(rig.now, channel).unwrap();
        let request = bullet_request(&rig.drain());
        rig.reconnect(request);
        rig.ack(1);
        let text = format!(
            r#"{{"topic":"{channel}","type":"message","subject":"match","data":{{"symbol":"{LINK}","sequence":9,"side":"buy","size":2,"price":"14.3","tradeId":"9","ts":{odd}}}}}"#
        );
        let mut turn =
            rig.client.handle(rig.now, Input::Text { conn: rig.conn, bytes: text.as_bytes() });
        assert_eq!(turn.next(), Some(Output::Event(Event::OddTime(TimePlace::Message))), "{odd}");
        let Some(Output::Push(push)) = turn.next() else { panic!("{odd}") };
        let Message::Execution(trade) = push.decode().unwrap() else { panic!("{odd}") };
        assert_eq!((trade.ts_event, trade.sequence.get()), (None, 9), "{odd}");
        assert_eq!(rig.pushed(&text), None, "seen before");
    }
}
