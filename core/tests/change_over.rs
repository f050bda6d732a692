//! Lines end, by plan or by surprise, and nothing is missed.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "tests"
)]

mod willing;

use std::collections::BTreeSet;
use std::time::Duration;

use kucoin_futures_proto::{
    BookEvent, BookStatus, Channel, Config, ConnId, DisconnectReason, Event, Input, LineEvent,
    LineRole, Message, ReplaceReason, TopicEvent, TopicId,
};
use willing::Willing;

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3600);
const SYMBOL: &str = "LINKUSDTM";

fn config(per_topic: u8) -> Config {
    let mut config = Config::default();
    config.lines.per_topic = per_topic;
    config
}

/// A live book.
fn live(config: Config) -> (Willing, TopicId) {
    let mut world = Willing::new(config, 300);
    let channel = Channel::level2(SYMBOL.parse().unwrap());
    let book = world.client.subscribe(world.now, channel).unwrap();
    world.pass(3 * SECOND);
    assert_eq!(world.client.book_status(book), Some(BookStatus::Live));
    (world, book)
}

/// The book changes, and every connection that was asked for it brings that.
fn change(world: &mut Willing) -> String {
    let frame = world.change(SYMBOL);
    let conns: Vec<_> = world.conns.keys().copied().collect();
    conns.into_iter().for_each(|conn| world.say(conn, &frame));
    world.serve();
    frame
}

fn at(world: &Willing, book: TopicId) -> Option<u64> {
    world.client.book(book).map(|book| book.sequence().get())
}

fn is_lost(event: &Event) -> bool {
    matches!(event, Event::Book(_, BookEvent::Lost { .. }))
}

/// Reads the messages that a text on a connection leads to.
fn heard(world: &mut Willing, conn: ConnId, text: &str) -> Option<String> {
    let input = Input::Text { conn, bytes: text.as_bytes() };
    let message = world.client.handle(world.now, input).into_message()?;
    Some(match message.decode().unwrap() {
        Message::MarkPrice(mark) => mark.mark_price.to_string(),
        other => format!("{other:?}"),
    })
}

#[test]
fn a_line_is_replaced_before_it_is_cut_and_the_book_stays_live() {
    let (mut world, book) = live(config(1));
    for _ in 0..200 {
        world.pass(HOUR);
        change(&mut world);
        assert_eq!(at(&world, book), Some(world.sequence));
    }
    let stats = *world.client.stats();
    assert_eq!((stats.change_overs, stats.reconnects), (8, 0), "each 22 to 23 h");
    assert_eq!((stats.gaps, stats.resyncs), (0, 0));
    assert!(!world.told.iter().any(is_lost));
    assert_eq!(world.conns.len(), 1);
    let audits = stats.audits as usize;
    assert_eq!(
        world.snapshots - audits,
        1,
        "none beyond the first, audits of a silent stream apart"
    );
    let confirmed =
        world.told.iter().filter(|e| matches!(e, Event::Topic(_, TopicEvent::Confirmed)));
    assert_eq!(confirmed.count(), 1, "to whoever listens it was carried all the time");
}

#[test]
fn the_old_line_is_kept_until_all_that_was_pushed_on_it_is_here() {
    let (mut world, book) = live(config(1));
    let old = *world.conns.keys().next().unwrap();
    change(&mut world);
    assert_eq!(world.client.replace_lines(world.now), Ok(1));
    assert_eq!(world.client.replace_lines(world.now), Ok(0), "it is under way");
    world.pass(SECOND);
    let new = *world.conns.keys().next_back().unwrap();
    assert_ne!(old, new);
    // The new one is ahead: what came before is still on its way on the old one.
    let late: Vec<String> = (0..5).map(|_| world.change(SYMBOL)).collect();
    let frame = world.change(SYMBOL);
    world.say(new, &frame);
    world.pass(SECOND / 2);
    assert_eq!(at(&world, book), Some(world.sequence - 6));
    assert!(world.conns.contains_key(&old));
    late.iter().for_each(|frame| world.say(old, frame));
    assert_eq!(at(&world, book), Some(world.sequence));
    world.pass(3 * SECOND);
    assert_eq!(world.conns.keys().collect::<Vec<_>>(), [&new]);
    assert!(!world.told.iter().any(is_lost));
    let replaced: Vec<_> = world
        .told
        .iter()
        .filter_map(|event| match event {
            Event::Line(line, LineEvent::Replacing { by, reason }) => Some((*line, *by, *reason)),
            _ => None,
        })
        .collect();
    let [(line, by, ReplaceReason::Asked)] = replaced[..] else { panic!("{replaced:?}") };
    let reason = DisconnectReason::Replaced;
    assert!(world.told.contains(&Event::Line(line, LineEvent::Down { conn: old, reason })));
    let lines: Vec<_> = world.client.lines().collect();
    assert_eq!((lines.len(), lines[0].id, lines[0].role), (1, by, LineRole::Public));
}

#[test]
fn an_old_line_that_ends_meanwhile_costs_nothing_once_the_new_one_carries() {
    let (mut world, book) = live(config(1));
    let old = *world.conns.keys().next().unwrap();
    world.client.replace_lines(world.now).unwrap();
    world.pass(SECOND);
    change(&mut world);
    world.lose(old);
    change(&mut world);
    assert_eq!(at(&world, book), Some(world.sequence));
    assert!(!world.told.iter().any(is_lost));
    world.pass(HOUR);
    assert_eq!((world.conns.len(), world.client.lines().count()), (1, 1));
}

/// Found by reading: the pong of before spoke for what was pushed after it.
#[test]
fn a_new_line_that_ends_and_comes_back_is_waited_for_anew() {
    let mut world = Willing::new(config(1), 300);
    world.client.subscribe(world.now, Channel::instrument(SYMBOL.parse().unwrap())).unwrap();
    world.pass(SECOND);
    let old = *world.conns.keys().next().unwrap();
    world.client.replace_lines(world.now).unwrap();
    world.pass(SECOND);
    let new = *world.conns.keys().next_back().unwrap();
    assert_ne!(old, new);
    world.lose(new);
    world.pass(2 * SECOND);
    let again = *world.conns.keys().next_back().unwrap();
    assert!(again != old && again != new);
    // Both have carried everything for less than 2 s: what is on its way on the old one still counts.
    assert!(world.conns.contains_key(&old));
    assert_eq!(heard(&mut world, old, &mark(1)).as_deref(), Some("1"));
    world.pass(5 * SECOND);
    assert_eq!(world.conns.keys().collect::<Vec<_>>(), [&again]);
}

#[test]
fn with_two_lines_either_may_end_at_any_moment() {
    let (mut world, book) = live(config(2));
    assert_eq!(world.conns.len(), 2);
    let roles: BTreeSet<_> = world.client.lines().map(|line| line.role).collect();
    assert_eq!(roles, BTreeSet::from([LineRole::Public, LineRole::Spare]));
    for n in 0..40 {
        change(&mut world);
        let conn = *world.conns.keys().nth(n % 2).unwrap();
        world.lose(conn);
        change(&mut world);
        assert_eq!(at(&world, book), Some(world.sequence));
        world.pass(100 * SECOND);
        assert_eq!(world.conns.len(), 2);
    }
    assert!(!world.told.iter().any(is_lost));
    assert_eq!(world.client.stats().reconnects, 40);
}

const PREFIX: &str = r#"{"topic":"/contract/instrument:LINKUSDTM","type":"message","subject":"mark.index.price","data":{"granularity":1000,"timestamp":1790000000000,"indexPrice":14.1,"markPrice":"#;

fn mark(price: u32) -> String {
    format!("{PREFIX}{price}}}}}")
}

/// Marks say nothing of where they stand: each comes once all the same, in order, over a planned change.
#[test]
fn what_has_no_sequence_is_handed_over_without_loss_or_repeat() {
    let mut world = Willing::new(config(1), 300);
    world.client.subscribe(world.now, Channel::instrument(SYMBOL.parse().unwrap())).unwrap();
    world.pass(SECOND);
    let old = *world.conns.keys().next().unwrap();
    world.client.replace_lines(world.now).unwrap();
    world.pass(SECOND);
    let new = *world.conns.keys().next_back().unwrap();
    let mut all = Vec::new();
    let mut say = |world: &mut Willing, conn, price| all.extend(heard(world, conn, &mark(price)));
    // The new line is ahead by one: the old one is not shut.
    [1, 2].into_iter().for_each(|price| say(&mut world, new, price));
    say(&mut world, old, 1);
    world.pass(5 * SECOND);
    assert!(world.conns.contains_key(&old), "2 was heard on the new line alone");
    say(&mut world, old, 2);
    // And now the old one is ahead.
    say(&mut world, old, 3);
    world.pass(5 * SECOND);
    assert!(!world.conns.contains_key(&old));
    [3, 4, 4, 5].into_iter().for_each(|price| say(&mut world, new, price));
    assert_eq!(all, ["1", "2", "3", "4", "4", "5"]);
    let missed = |event: &Event| matches!(event, Event::Topic(_, TopicEvent::MayHaveMissed));
    assert!(!world.told.iter().any(missed));
}

/// With two lines one of them is heard. What the other has said when that one ends suddenly may be missing.
#[test]
fn what_has_no_sequence_says_so_when_its_line_ends_suddenly() {
    let mut world = Willing::new(config(2), 300);
    world.client.subscribe(world.now, Channel::instrument(SYMBOL.parse().unwrap())).unwrap();
    world.pass(SECOND);
    let conns: Vec<_> = world.conns.keys().copied().collect();
    let missed = |world: &Willing| {
        let is = |event: &&Event| matches!(event, Event::Topic(_, TopicEvent::MayHaveMissed));
        world.told.iter().filter(is).count()
    };
    for ahead in [false, true] {
        let heard_on: Vec<_> =
            conns.iter().filter(|conn| heard(&mut world, **conn, &mark(7)).is_some()).collect();
        let Some(&&owner) = heard_on.first() else { break };
        if ahead {
            for conn in conns.iter().filter(|conn| **conn != owner) {
                assert_eq!(heard(&mut world, *conn, &mark(8)), None);
            }
        }
        let mut world = world.clone();
        world.told.clear();
        world.lose(owner);
        assert_eq!(missed(&world), usize::from(ahead));
    }
}
