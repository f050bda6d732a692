//! What one line does not show: several lines feed one book. Everything else is tested through the
//! client, from outside.

#![allow(unused_must_use, reason = "what became of a delta is looked at where it matters")]

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
        let disposition = book.on_delta(&mut cx, line, delta(sequence, sequence), b"");
        cx.stats.count(disposition);
        events(&mut cx).len()
    };
    assert_eq!([applied(a, 501), applied(b, 501)], [1, 0]);
    assert_eq!([applied(b, 502), applied(b, 503), applied(a, 502), applied(a, 503)], [1, 1, 0, 0]);
    assert_eq!(book.book().unwrap().sequence().get(), 503);
    assert_eq!((cx.stats.deltas, cx.stats.covered, cx.stats.repeats), (3, 0, 3));
}

/// Found by the swarm: what the first line had said before the second one came was not remembered, so that the first
/// words of the second one, which were of a new run, were taken for old ones.
#[test]
fn the_first_words_of_a_second_line_are_held_against_what_the_first_has_just_said() {
    let (mut cx, mut book) = live();
    book.on_line_lost(&mut cx, LINES[1]);
    book.arbiter = Arbiter::default();
    for sequence in [501, 502] {
        book.on_delta(&mut cx, LINES[0], delta(sequence, sequence), b"");
    }
    book.on_confirmed(&mut cx, LINES[1]);
    events(&mut cx);
    book.on_delta(&mut cx, LINES[1], delta(501, 77), b"");
    let reason = BookLostReason::SequenceReset(Evidence::RepeatDiffers);
    assert!(
        matches!(events(&mut cx)[..], [Event::Book(_, BookEvent::Lost { reason: r, .. })] if r == reason)
    );
}

/// Found by the swarm: a line that had carried the book alone was waited for as one that has just joined.
#[test]
fn a_hole_of_a_line_that_was_there_before_the_other_waits_no_longer_than_usual() {
    let (mut cx, mut book) = live();
    book.on_line_lost(&mut cx, LINES[1]);
    book.arbiter = Arbiter::default();
    book.on_delta(&mut cx, LINES[0], delta(501, 1), b"");
    book.on_confirmed(&mut cx, LINES[1]);
    book.on_delta(&mut cx, LINES[0], delta(503, 1), b"");
    let due = cx.timers.get(Timer::Topic(TopicId::new(0), TopicTimer::Hole));
    assert_eq!(due, Some(cx.now + cx.config.lines.hole_grace));
}

/// Found by the swarm: each copy of what is held was counted as one more that waits.
#[test]
fn a_copy_of_what_is_held_is_a_repeat() {
    let (mut cx, mut book) = live();
    book.on_confirmed(&mut cx, LineId::new(2));
    let held = [0, 1].map(|line| book.on_delta(&mut cx, LineId::new(line), delta(502, 1), b""));
    assert_eq!(held, [Disposition::Buffered, Disposition::Repeat], "501 may come on the third");
    book.on_delta(&mut cx, LineId::new(2), delta(501, 1), b"");
    assert_eq!(book.book().unwrap().sequence().get(), 502);
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
    let _ = book.on_delta(&mut cx, LINES[0], delta(501, 1), b"");
    assert_eq!(cx.timers.earliest(), None);
}

// Several lines.

fn bring(cx: &mut Context, book: &mut BookSync, line: LineId, sequence: u64) -> Disposition {
    book.on_delta(cx, line, delta(sequence, sequence), b"")
}

fn at(book: &BookSync) -> Option<u64> {
    book.book().map(|book| book.sequence().get())
}

/// A live book at 502 that both lines have brought something for.
fn joined() -> (Context, BookSync) {
    let (mut cx, mut book) = live();
    for sequence in [501, 502] {
        LINES.iter().for_each(|&line| {
            bring(&mut cx, &mut book, line, sequence);
        });
    }
    events(&mut cx);
    (cx, book)
}

fn hole_due(cx: &Context) -> Option<Duration> {
    let due = cx.timers.get(Timer::Topic(TopicId::new(0), TopicTimer::Hole))?;
    Some(due.since(cx.now))
}

#[test]
fn what_one_line_leaves_out_another_one_brings_and_the_book_stays_live() {
    let (mut cx, mut book) = joined();
    let [a, b] = LINES;
    assert_eq!(bring(&mut cx, &mut book, a, 504), Disposition::Buffered);
    assert_eq!(bring(&mut cx, &mut book, a, 505), Disposition::Buffered);
    assert_eq!((at(&book), hole_due(&cx)), (Some(502), Some(cx.config.lines.hole_grace)));
    assert_eq!(bring(&mut cx, &mut book, b, 503), Disposition::Applied);
    assert_eq!((at(&book), hole_due(&cx)), (Some(505), None));
    assert_eq!(events(&mut cx).len(), 3, "a delta each");
    assert_eq!(bring(&mut cx, &mut book, b, 504), Disposition::Repeat);
    let missed: Vec<_> = book.shares().map(|(line, share)| (line, share.missed)).collect();
    assert!(missed.contains(&(a, 1)) && missed.contains(&(b, 0)), "{missed:?}");
}

/// Found over sockets: they were held against the snapshot's time, as if that contained them.
#[test]
fn what_the_line_that_ended_was_ahead_by_is_no_news_of_the_other_one() {
    let (mut cx, mut book) = joined();
    let [a, b] = LINES;
    (503..=506).for_each(|sequence| {
        assert_eq!(bring(&mut cx, &mut book, a, sequence), Disposition::Applied)
    });
    book.on_line_lost(&mut cx, a);
    events(&mut cx);
    for sequence in 503..=506 {
        let disposition = bring(&mut cx, &mut book, b, sequence);
        assert!(matches!(disposition, Disposition::Repeat), "{sequence}: {disposition:?}");
    }
    assert_eq!((events(&mut cx), at(&book)), (Vec::new(), Some(506)));
    assert_eq!(bring(&mut cx, &mut book, b, 507), Disposition::Applied);
}

#[test]
fn what_all_lines_leave_out_is_a_gap_at_once() {
    let (mut cx, mut book) = joined();
    bring(&mut cx, &mut book, LINES[0], 504);
    assert_eq!(at(&book), Some(502));
    bring(&mut cx, &mut book, LINES[1], 504);
    let (expected, got) = (Sequence::new(503), Sequence::new(504));
    let reason = BookLostReason::Gap { expected, got };
    let lost = events(&mut cx);
    assert!(matches!(lost[..], [Event::Book(_, BookEvent::Lost { reason: r, .. })] if r == reason));
    assert_eq!((cx.stats.gaps, hole_due(&cx)), (1, None));
    assert_eq!(book.buffer.last(), Some(got), "what came after it begins the buffer");
}

#[test]
fn a_hole_that_nobody_fills_in_time_is_a_gap() {
    let (mut cx, mut book) = joined();
    [504, 505, 507].map(|sequence| bring(&mut cx, &mut book, LINES[0], sequence));
    cx.advance(cx.now + cx.config.lines.hole_grace);
    book.on_hole_due(&mut cx);
    assert_eq!(
        (book.status(), book.buffer.last()),
        (BookStatus::Buffering, Some(Sequence::new(505)))
    );
    // The next hole has its own time.
    assert_eq!(hole_due(&cx), Some(cx.config.lines.hole_grace));
    bring(&mut cx, &mut book, LINES[1], 506);
    assert_eq!(book.buffer.last(), Some(Sequence::new(507)));
}

#[test]
fn a_hole_that_only_the_lost_line_could_fill_is_a_gap() {
    let (mut cx, mut book) = joined();
    bring(&mut cx, &mut book, LINES[0], 504);
    let mut other = book.clone();
    other.on_line_lost(&mut cx, LINES[1]);
    assert_eq!(other.status(), BookStatus::Buffering);
    // The line that is beyond it ends: the other one may bring it yet.
    book.on_line_lost(&mut cx, LINES[0]);
    assert_eq!(book.status(), BookStatus::Live);
    [503, 504, 505].map(|sequence| bring(&mut cx, &mut book, LINES[1], sequence));
    assert_eq!(at(&book), Some(505));
}

/// What came before the first words of a new line is on its way on the old one.
#[test]
fn the_first_words_of_a_line_wait_longer() {
    let (mut cx, mut book) = joined();
    let new = LineId::new(2);
    book.on_confirmed(&mut cx, new);
    bring(&mut cx, &mut book, new, 510);
    assert_eq!(hole_due(&cx), Some(cx.config.lines.join_grace));
    (503..=509).for_each(|sequence| {
        bring(&mut cx, &mut book, LINES[0], sequence);
    });
    assert_eq!((at(&book), hole_due(&cx)), (Some(510), None));
}

#[test]
fn copies_that_differ_are_of_two_runs_of_the_counter() {
    let (mut cx, mut book) = joined();
    bring(&mut cx, &mut book, LINES[0], 503);
    events(&mut cx);
    let _ = book.on_delta(&mut cx, LINES[1], delta(503, 9), b"");
    let reason = BookLostReason::SequenceReset(Evidence::RepeatDiffers);
    let lost = events(&mut cx);
    assert!(matches!(lost[..], [Event::Book(_, BookEvent::Lost { reason: r, .. })] if r == reason));
}

#[test]
fn copies_that_differ_in_their_times_alone_are_copies() {
    let (mut cx, mut book) = joined();
    let mut copy = delta(503, 503);
    let _ = book.on_delta(&mut cx, LINES[0], copy, b"");
    copy.ts_event = crate::time::UnixNanos::from_millis(1_790_000_000_000);
    assert_eq!(book.on_delta(&mut cx, LINES[1], copy, b""), Disposition::Repeat);
    assert_eq!(at(&book), Some(503));
}

/// The counter is set back. One line shows it, the other one still brings what was before.
#[test]
fn a_line_that_is_behind_a_reset_is_not_heard_until_it_shows_it_too() {
    let (mut cx, mut book) = live();
    let [a, b] = LINES;
    for sequence in 3_000..3_010 {
        let _ = book.on_delta(&mut cx, a, delta(sequence, sequence), b"");
    }
    (501..=2_999).for_each(|sequence| {
        bring(&mut cx, &mut book, b, sequence);
    });
    assert_eq!(at(&book), Some(3_009));
    [10, 11, 12].map(|sequence| bring(&mut cx, &mut book, a, sequence));
    assert_eq!(book.buffer.first(), Some(Sequence::new(10)));
    for sequence in 3_000..3_020 {
        assert_eq!(bring(&mut cx, &mut book, b, sequence), Disposition::Repeat);
    }
    assert_eq!(book.buffer.last(), Some(Sequence::new(12)));
    // It shows the reset: no second one.
    events(&mut cx);
    [10, 11, 12, 13].map(|sequence| bring(&mut cx, &mut book, b, sequence));
    assert_eq!((events(&mut cx), book.buffer.last()), (Vec::new(), Some(Sequence::new(13))));
}

/// A frame that says this delta and no other.
fn frame(delta: &Delta) -> Vec<u8> {
    std::format!("{} {}", delta.sequence.get(), delta.size.get()).into_bytes()
}

#[test]
fn the_same_bytes_are_a_copy_only_where_they_are_the_next_of_their_line() {
    let (mut cx, mut book) = joined();
    let [a, b] = LINES;
    let [first, second] = [503, 504].map(|sequence| delta(sequence, sequence));
    assert!(!book.take_same(cx.now, a, &frame(&first)), "nobody has said it");
    for said in [first, second] {
        assert_eq!(book.on_delta(&mut cx, a, said, &frame(&said)), Disposition::Applied);
    }
    assert!(!book.take_same(cx.now, a, &frame(&second)), "said again on its own line");
    assert!(!book.take_same(cx.now, b, &frame(&second)), "one was left out");
    assert!(!book.take_same(cx.now, b, b"503 9"), "something else");
    assert!(book.take_same(cx.now, b, &frame(&first)));
    assert!(!book.take_same(cx.now, b, &frame(&first)), "once");
    assert!(book.take_same(cx.now, b, &frame(&second)));
}

#[test]
fn nothing_is_a_copy_of_what_was_said_before_a_reset_or_while_the_book_is_not_live() {
    let (mut cx, mut book) = joined();
    let [a, b] = LINES;
    let said = delta(503, 503);
    let _ = book.on_delta(&mut cx, a, said, &frame(&said));
    let mut reset = book.clone();
    reset.on_new_run(&mut cx, Evidence::ThreeRepeats);
    assert!(!reset.take_same(cx.now, b, &frame(&said)));
    let mut alone = book.clone();
    alone.on_line_lost(&mut cx, a);
    assert!(!alone.take_same(cx.now, b, &frame(&said)), "one line is judged as one line");
    assert!(book.take_same(cx.now, b, &frame(&said)));
}

/// What is not read comes to the same as what is, whatever two lines bring in whatever order.
#[test]
fn a_book_that_knows_copies_by_their_bytes_becomes_what_one_that_reads_them_does() {
    let (mut known, mut live_steps) = (0, 0);
    for seed in 0..300 {
        let mut rng = crate::rng::SplitMix64::new(seed);
        let (mut cx, mut book) = live();
        let (mut other_cx, mut other) = (cx.clone(), book.clone());
        let (mut at, mut size) = ([500_u64; 2], 1_u64);
        for _ in 0..400 {
            let line = usize::from(rng.below(2) == 1);
            let step = rng.below(100);
            match step {
                // Said again, left out, set back, said otherwise.
                0 => at[line] = at[line].saturating_sub(1 + rng.below(4)),
                1 if rng.below(4) == 0 => at[line] += 1 + rng.below(3),
                2 if rng.below(12) == 0 => {
                    (at, size) = ([at[line].saturating_sub(300); 2], size + 1)
                }
                3 if rng.below(12) == 0 => size += 1,
                4 if rng.below(8) == 0 => {
                    book.on_line_lost(&mut cx, LINES[line]);
                    other.on_line_lost(&mut other_cx, LINES[line]);
                    book.on_confirmed(&mut cx, LINES[line]);
                    other.on_confirmed(&mut other_cx, LINES[line]);
                }
                _ => {}
            }
            at[line] += 1;
            let said = delta(at[line], at[line] * 100 + size);
            cx.now = cx.now + Duration::from_micros(rng.below(300_000));
            other_cx.now = cx.now;
            let bytes = if rng.below(10) == 0 { Vec::new() } else { frame(&said) };
            let disposition = if book.take_same(cx.now, LINES[line], &bytes) {
                known += 1;
                Disposition::Repeat
            } else {
                book.on_delta(&mut cx, LINES[line], said, &bytes)
            };
            let read = other.on_delta(&mut other_cx, LINES[line], said, b"");
            assert_eq!(disposition, read, "seed {seed}, {said:?}");
            assert_eq!(events(&mut cx), events(&mut other_cx), "seed {seed}, {said:?}");
            assert_eq!(hole_due(&cx), hole_due(&other_cx));
            assert!(book.shares().eq(other.shares()), "seed {seed}, {said:?}");
            live_steps += u32::from(book.is_live());
        }
        assert_eq!(book.buffer.last(), other.buffer.last());
        assert_eq!(book.status(), other.status());
    }
    assert!(known > 10_000 && live_steps > 40_000, "{known} of {live_steps}");
}
