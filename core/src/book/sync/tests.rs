//! What one line does not show: several lines feed one book. Everything else is tested through the
//! client, from outside.

use std::vec::Vec;

use core::time::Duration;

use super::*;
use crate::error::TransportError;
use crate::event::{BookEvent, RestError};
use crate::ids::{Sequence, Symbol};
use crate::num::{Lots, Price};
use crate::output::Output;
use crate::time::Instant;
use crate::wire::Side;

const LINES: [LineId; 2] = [LineId::new(0), LineId::new(1)];
const REQUEST: RequestId = RequestId::new(1);

fn events(cx: &mut Context) -> Vec<Event> {
    let outputs = core::iter::from_fn(|| cx.outbox.pop());
    outputs.filter_map(|o| if let Output::Event(event) = o { Some(event) } else { None }).collect()
}

fn delta(sequence: u64, size: u64) -> Delta {
    let price = Price::from_scaled(14_000_000_000_000).unwrap();
    Delta::new(Sequence::new(sequence), Side::Bid, price, Lots::new(size))
}

const SNAPSHOT: &[u8] =
    br#"{"code":"200000","data":{"sequence":500,"symbol":"LINKUSDTM","bids":[],"asks":[]}}"#;

/// A live book at sequence 500 that two lines feed.
fn live() -> (Context, BookSync) {
    let mut cx = Context::new(Instant::ZERO, 1, Config::default().in_order());
    let mut book = BookSync::new(TopicId::new(0), &cx.config);
    LINES.iter().for_each(|&line| book.on_confirmed(&mut cx, line));
    book.on_snapshot_due();
    book.on_asked(&cx, REQUEST);
    book.on_snapshot(&mut cx, Symbol::new("LINKUSDTM").unwrap(), SNAPSHOT).unwrap();
    assert!(matches!(events(&mut cx)[..], [Event::Book(_, BookEvent::Live { .. })]));
    (cx, book)
}

#[test]
fn each_line_brings_what_the_other_has_not_brought_yet() {
    let (mut cx, mut book) = live();
    let [a, b] = LINES;
    let mut applied = |line, sequence| {
        let disposition = book.on_delta(&mut cx, line, delta(sequence, sequence));
        cx.stats.count(disposition);
        events(&mut cx).len()
    };
    assert_eq!([applied(a, 501), applied(b, 501)], [1, 0]);
    assert_eq!([applied(b, 502), applied(b, 503), applied(a, 502), applied(a, 503)], [1, 1, 0, 0]);
    assert_eq!(book.book().unwrap().sequence().get(), 503);
    assert_eq!((cx.stats.deltas, cx.stats.covered, cx.stats.repeats), (3, 3, 0));
}

#[test]
fn a_book_outlives_one_line_of_two() {
    let (mut cx, mut book) = live();
    book.on_line_lost(&mut cx, LINES[0]);
    assert_eq!((events(&mut cx), book.status()), (Vec::new(), BookStatus::Live));
    book.on_line_lost(&mut cx, LINES[1]);
    let reason = BookLostReason::LineDown;
    assert!(
        matches!(events(&mut cx)[..], [Event::Book(_, BookEvent::Lost { reason: r, .. })] if r == reason)
    );
    assert_eq!(book.status(), BookStatus::Stale);
}

#[test]
fn a_line_that_carried_nothing_takes_nothing_away() {
    let mut cx = Context::new(Instant::ZERO, 1, Config::default().in_order());
    let mut book = BookSync::new(TopicId::new(0), &cx.config);
    book.on_line_lost(&mut cx, LINES[0]);
    assert_eq!((events(&mut cx), book.status()), (Vec::new(), BookStatus::Idle));
}

/// The second line's ack comes while the first one's snapshot is on its way.
#[test]
fn a_snapshot_on_its_way_is_waited_for() {
    let mut cx = Context::new(Instant::ZERO, 1, Config::default().in_order());
    let mut book = BookSync::new(TopicId::new(0), &cx.config);
    book.on_confirmed(&mut cx, LINES[0]);
    book.on_snapshot_due();
    assert!(book.wants_snapshot());
    book.on_confirmed(&mut cx, LINES[1]);
    book.on_asked(&cx, REQUEST);
    book.on_snapshot_due();
    assert!(!book.wants_snapshot() && book.awaits(REQUEST));
    let failure = RestError::Lost(TransportError::Eof);
    book.on_no_snapshot(&mut cx, BookDelayReason::SnapshotFailed(failure));
    book.on_snapshot_due();
    assert!(book.wants_snapshot() && !book.awaits(REQUEST));
}

/// A poison in a book that is not live: a request that is put off stays put off, and before the ack
/// there is none.
#[test]
fn a_poison_neither_hurries_nor_puts_off_a_request() {
    let poison = WireError::TooDeep;
    let mut cx = Context::new(Instant::ZERO, 1, Config::default().in_order());
    let mut book = BookSync::new(TopicId::new(0), &cx.config);
    let _ = book.on_undecodable(&mut cx, LINES[0], poison);
    assert_eq!(cx.timers.earliest(), None, "not confirmed");
    book.on_confirmed(&mut cx, LINES[0]);
    let due = cx.timers.earliest();
    assert_eq!(due.map(|(at, _)| at), Some(Instant::ZERO + cx.config.book.snapshot_quiet_delay));
    for at in [0, 900] {
        cx.advance(Instant::ZERO + Duration::from_millis(at));
        let _ = book.on_undecodable(&mut cx, LINES[0], poison);
        assert_eq!(cx.timers.earliest(), due, "at {at} ms");
    }
}

#[test]
fn a_book_that_is_not_crossed_any_more_is_not_doubted() {
    let (mut cx, mut book) = live();
    book.on_crossed_for_long(&mut cx);
    assert_eq!((events(&mut cx), book.status()), (Vec::new(), BookStatus::Live));
}

#[test]
fn nothing_is_scheduled_while_a_snapshot_is_on_its_way() {
    let mut cx = Context::new(Instant::ZERO, 1, Config::default().in_order());
    let mut book = BookSync::new(TopicId::new(0), &cx.config);
    book.on_confirmed(&mut cx, LINES[0]);
    while let Some((_, timer)) = cx.timers.earliest() {
        cx.timers.clear(timer);
    }
    book.on_snapshot_due();
    book.on_asked(&cx, REQUEST);
    let _ = book.on_delta(&mut cx, LINES[0], delta(501, 1));
    assert_eq!(cx.timers.earliest(), None);
}
