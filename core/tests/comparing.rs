//! Of two lines that carry the same, one that brings less is told of and replaced; a stream that is lost is asked for
//! anew, and then its line is replaced.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "tests"
)]

mod willing;

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use kucoin_futures_proto::{
    BookEvent, BookLostReason, BookStatus, Channel, Config, ConnId, Event, LineEvent,
    ReplaceReason, TopicEvent, TopicId,
};
use willing::Willing;

const MS: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);
const SYMBOL: &str = "LINKUSDTM";

/// A live book on so many lines.
fn live(per_topic: u8) -> (Willing, TopicId) {
    let mut config = Config::default();
    config.lines.per_topic = per_topic;
    let mut world = Willing::new(config, 300);
    let channel = Channel::level2(SYMBOL.parse().unwrap());
    let book = world.client.subscribe(world.now, channel).unwrap();
    world.pass(3 * SECOND);
    assert_eq!(world.client.book_status(book), Some(BookStatus::Live));
    assert_eq!(world.conns.len(), usize::from(per_topic));
    (world, book)
}

/// What happens to the copy of a delta on the second connection.
#[derive(Clone, Copy)]
enum Copy {
    Comes,
    Late(Duration),
    Never,
}

/// Five deltas a second, until one of the connections is not there any more; `copy` says what becomes of each on the
/// bad one.
fn stream(world: &mut Willing, bad: ConnId, seconds: u32, copy: impl Fn(u32) -> Copy) {
    let mut late = VecDeque::new();
    for n in 0..seconds * 5 {
        let frame = world.change(SYMBOL);
        let good: Vec<_> = world.conns.keys().copied().filter(|conn| *conn != bad).collect();
        good.into_iter().for_each(|conn| world.say(conn, &frame));
        let pause = match copy(n) {
            _ if !world.conns.contains_key(&bad) => 200 * MS,
            Copy::Comes => {
                world.say(bad, &frame);
                200 * MS
            }
            Copy::Late(lag) => {
                late.push_back((world.now + lag, frame));
                200 * MS
            }
            Copy::Never => 200 * MS,
        };
        world.pass(pause);
        while let Some((_, frame)) = late.front().filter(|(at, _)| *at <= world.now).cloned() {
            world.say(bad, &frame);
            late.pop_front();
        }
    }
}

fn replaced(world: &Willing) -> Vec<ReplaceReason> {
    let reason = |event: &Event| match event {
        Event::Line(_, LineEvent::Replacing { reason, .. }) => Some(*reason),
        _ => None,
    };
    world.told.iter().filter_map(reason).collect()
}

fn behind(world: &Willing) -> Vec<(u64, u64, u64)> {
    let of = |event: &Event| match event {
        Event::Line(_, LineEvent::Behind { brought, late, missed }) => {
            Some((*brought, *late, *missed))
        }
        _ => None,
    };
    world.told.iter().filter_map(of).collect()
}

fn renewed(world: &Willing) -> usize {
    let is = |event: &&Event| matches!(event, Event::Topic(_, TopicEvent::Renewed { .. }));
    world.told.iter().filter(is).count()
}

fn second(world: &Willing) -> ConnId {
    *world.conns.keys().nth(1).unwrap()
}

/// A copy in the same bytes is not read; one whose time cannot be read is, and counted again.
#[test]
fn an_odd_time_is_counted_on_each_line_that_says_it() {
    let (mut world, _) = live(2);
    let conns: Vec<_> = world.conns.keys().copied().collect();
    for n in 1..=6 {
        let frame = world.change(SYMBOL);
        let (head, tail) = frame.rsplit_once(r#""timestamp":"#).unwrap();
        let frame = if n % 2 == 0 { frame.clone() } else { format!("{head}\"timestamp\":-{tail}") };
        conns.iter().for_each(|conn| world.say(*conn, &frame));
        let stats = world.client.stats();
        assert_eq!((stats.deltas, stats.repeats), (n, n));
        assert_eq!(stats.odd_times, n.div_ceil(2) * 2);
    }
}

#[test]
fn lines_that_bring_the_same_are_left_alone() {
    let (mut world, _) = live(2);
    let bad = second(&world);
    // A little late, one in two hundred left out, and a minute at its worst.
    stream(&mut world, bad, 60, |n| if n % 200 == 7 { Copy::Never } else { Copy::Late(100 * MS) });
    stream(&mut world, bad, 60, |_| Copy::Late(700 * MS));
    stream(&mut world, bad, 180, |_| Copy::Comes);
    assert_eq!((replaced(&world), renewed(&world)), (Vec::new(), 0));
}

#[test]
fn a_line_that_lags_for_two_minutes_is_replaced_and_the_next_not_for_ten() {
    let (mut world, book) = live(2);
    let bad = second(&world);
    stream(&mut world, bad, 170, |_| Copy::Late(700 * MS));
    assert_eq!(replaced(&world), [ReplaceReason::Behind]);
    let told = behind(&world);
    assert!(told.iter().all(|&(brought, late, missed)| late > brought / 2 && missed == 0));
    assert_eq!(told.len(), 2, "{told:?}");
    world.pass(5 * SECOND);
    assert!(!world.conns.contains_key(&bad));
    let next = second(&world);
    stream(&mut world, next, 150, |_| Copy::Late(700 * MS));
    assert_eq!((replaced(&world).len(), behind(&world).len() > 3), (1, true), "told, and left");
    assert!(
        !world.told.iter().any(|event| matches!(event, Event::Book(_, BookEvent::Lost { .. })))
    );
    assert_eq!(world.client.book_status(book), Some(BookStatus::Live));
}

#[test]
fn a_line_that_leaves_out_what_the_other_brings_is_replaced() {
    let (mut world, _) = live(2);
    let bad = second(&world);
    stream(&mut world, bad, 190, |n| if n % 20 == 7 { Copy::Never } else { Copy::Comes });
    assert_eq!(replaced(&world), [ReplaceReason::Behind]);
    let told = behind(&world);
    assert!(told.iter().all(|&(brought, late, missed)| missed > brought / 100 && late == 0));
}

#[test]
fn a_topic_that_one_line_alone_brings_is_asked_for_anew_on_the_other_which_is_then_replaced() {
    let (mut world, _) = live(2);
    let bad = second(&world);
    stream(&mut world, bad, 30, |_| Copy::Comes);
    stream(&mut world, bad, 100, |_| Copy::Never);
    assert_eq!((renewed(&world), replaced(&world)), (1, Vec::new()));
    stream(&mut world, bad, 60, |_| Copy::Never);
    assert_eq!(replaced(&world), [ReplaceReason::Silent]);
    world.pass(5 * SECOND);
    assert!(!world.conns.contains_key(&bad));
}

/// The exchange moves on and pushes nothing: seen by the audit, subscribed anew, and when that is of no use the line
/// is replaced.
#[test]
fn a_stream_that_is_lost_again_costs_its_line() {
    let (mut world, _) = live(1);
    let old = *world.conns.keys().next().unwrap();
    let mut told = BTreeSet::new();
    for _ in 0..200 {
        world.change(SYMBOL);
        world.pass(SECOND);
        if !replaced(&world).is_empty() {
            break;
        }
        told.insert(renewed(&world));
    }
    assert_eq!(replaced(&world), [ReplaceReason::Silent]);
    assert!(told.contains(&1), "first it is asked for anew");
    let is_left_behind = |event: &&Event| {
        let Event::Book(_, BookEvent::Lost { reason, .. }) = event else { return false };
        matches!(reason, BookLostReason::LeftBehind { .. })
    };
    assert_eq!(world.told.iter().filter(is_left_behind).count(), 2);
    world.pass(5 * SECOND);
    assert!(!world.conns.contains_key(&old));
}

/// A book that moves ten times a second is looked at after ten seconds of silence, and not after sixty.
#[test]
fn a_fast_stream_that_falls_silent_is_looked_at_soon() {
    for (pause, within) in [(100 * MS, 12), (5 * SECOND, 62)] {
        let (mut world, book) = live(1);
        let conn = *world.conns.keys().next().unwrap();
        let end = world.now + 200 * SECOND;
        while world.now < end {
            let frame = world.change(SYMBOL);
            world.say(conn, &frame);
            world.pass(pause);
        }
        assert!(!world.told.contains(&Event::Topic(book, TopicEvent::Idle)));
        let idle = |world: &Willing| world.told.contains(&Event::Topic(book, TopicEvent::Idle));
        let silent = (1..100).find(|_| {
            world.pass(SECOND);
            idle(&world)
        });
        assert!(silent.is_some_and(|silent| (within - 7..=within).contains(&silent)), "{silent:?}");
        assert_eq!(world.client.book_status(book), Some(BookStatus::Live), "a still market");
    }
}
