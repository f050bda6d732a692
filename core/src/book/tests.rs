use std::format;
use std::string::String;
use std::vec::Vec;

use super::{Apply, Best, Book, Coverage, Level, Scope};
use crate::ids::{Sequence, Symbol};
use crate::num::{Lots, Price};
use crate::time::UnixNanos;
use crate::wire::{Delta, Side, Snapshot};

mod model;

#[test]
fn the_worked_example() {
    let mut book = Book::new(1000, 5000);
    book.load(&snapshot(16, &[("14.20", 56), ("14.1", 15)], &[("14.3", 3), ("14.4", 32)]));
    assert_eq!(book.apply(&delta(17, Side::Bid, "14.1", 44)), Apply::Applied);
    assert_eq!(book.apply(&delta(18, Side::Ask, "14.4", 0)), Apply::Applied);
    assert_eq!(shown(&book, Side::Bid), "14.2*56 14.1*44");
    assert_eq!(shown(&book, Side::Ask), "14.3*3");
    assert_eq!(book.sequence(), Sequence::new(18));
}

#[test]
fn repeats_and_gaps_change_nothing() {
    let mut book = Book::new(1000, 5000);
    book.load(&snapshot(16, &[("14.2", 56)], &[("14.3", 3)]));
    let before = book.clone();
    for seen in [0, 1, 15, 16] {
        let ts_event = Some(UnixNanos::from_nanos(u64::MAX));
        let repeat = Delta { ts_event, ..delta(seen, Side::Bid, "14.2", 1) };
        assert_eq!(book.apply(&repeat), Apply::Repeat, "{seen}, however late its time");
    }
    for far in [18, 19, u64::MAX] {
        let gap = Apply::Gap { expected: Sequence::new(17) };
        assert_eq!(book.apply(&delta(far, Side::Bid, "14.2", 1)), gap, "{far}");
    }
    assert_eq!(book, before);
}

#[test]
fn the_sequence_may_come_to_its_end() {
    let mut book = Book::new(1000, 5000);
    book.load(&snapshot(u64::MAX - 1, &[], &[("14.3", 3)]));
    assert_eq!(book.apply(&delta(u64::MAX, Side::Bid, "1", 1)), Apply::Applied);
    assert_eq!(book.apply(&delta(u64::MAX, Side::Bid, "1", 2)), Apply::Repeat);
    assert_eq!(book.apply(&delta(0, Side::Bid, "1", 2)), Apply::Repeat);
}

#[test]
fn what_changes_no_level_still_counts() {
    let mut book = Book::new(1000, 5000);
    book.load(&snapshot(16, &[("14.2", 56)], &[("14.3", 3)]));
    for (sequence, price, size) in [(17, "14.1", 0), (18, "0", 0), (19, "0", 7), (20, "0.0", 1)] {
        assert_eq!(book.apply(&delta(sequence, Side::Bid, price, size)), Apply::Applied, "{price}");
    }
    assert_eq!(shown(&book, Side::Bid), "14.2*56");
    assert_eq!(book.sequence(), Sequence::new(20));
}

#[test]
fn a_level_is_found_whichever_way_its_price_is_written() {
    let mut book = Book::new(1000, 5000);
    book.load(&snapshot(16, &[("84474.0", 5)], &[("84474.50", 6)]));
    assert_eq!(book.apply(&delta(17, Side::Bid, "84474", 0)), Apply::Applied);
    assert_eq!(book.apply(&delta(18, Side::Ask, "8.44745E4", 0)), Apply::Applied);
    assert_eq!((book.held_levels(Side::Bid), book.held_levels(Side::Ask)), (0, 0));
}

#[test]
fn a_side_shorter_than_the_cut_is_known_whole() {
    let mut book = Book::new(2, 5000);
    book.load(&snapshot(16, &[("14.2", 56)], &[]));
    assert_eq!((book.reach(Side::Bid), book.reach(Side::Ask)), (Coverage::All, Coverage::All));
    assert_eq!(book.best_ask(), Best::Empty, "and this is no guess");
}

#[test]
fn a_side_as_long_as_the_cut_is_known_to_its_last_level() {
    let mut book = Book::new(2, 5000);
    book.load(&snapshot(16, &[("14.2", 56), ("14.1", 7)], &[("14.3", 3), ("14.4", 4), ("15", 1)]));
    assert_eq!(book.reach(Side::Bid), Coverage::To(price("14.1")));
    assert_eq!(
        book.reach(Side::Ask),
        Coverage::To(price("15")),
        "longer than expected: cut as well"
    );
}

#[test]
fn beyond_the_horizon_the_best_is_not_known() {
    let mut book = Book::new(2, 5000);
    book.load(&snapshot(16, &[("14.2", 56), ("14.1", 7)], &[("15", 1)]));
    assert_eq!(book.apply(&delta(17, Side::Bid, "14", 9)), Apply::Applied);
    assert_eq!(book.apply(&delta(18, Side::Bid, "14.2", 0)), Apply::Applied);
    assert_eq!(book.apply(&delta(19, Side::Bid, "14.1", 0)), Apply::Applied);
    assert_eq!(book.best_bid(), Best::Unknown, "14 is held, but 14.05 may stand before it");
    assert_eq!((book.complete_levels(Side::Bid), book.held_levels(Side::Bid)), (0, 1));
    assert!(!book.is_crossed());
    assert_eq!(book.apply(&delta(20, Side::Bid, "14.3", 2)), Apply::Applied);
    assert_eq!(book.best_bid(), Best::Level(level("14.3", 2)), "the market came back");
}

#[test]
fn pruning_pulls_the_horizon_in() {
    let mut book = Book::new(1000, 3);
    book.load(&snapshot(16, &[("14.2", 1), ("14.1", 1), ("14", 1), ("13.9", 1)], &[("15", 1)]));
    assert_eq!(shown(&book, Side::Bid), "14.2*1 14.1*1 14*1", "cut on loading, too");
    assert_eq!(book.reach(Side::Bid), Coverage::To(price("14")));
    assert_eq!(book.apply(&delta(17, Side::Bid, "14.3", 1)), Apply::Applied);
    assert_eq!(shown(&book, Side::Bid), "14.3*1 14.2*1 14.1*1");
    assert_eq!(book.reach(Side::Bid), Coverage::To(price("14.1")));
    assert_eq!(book.reach(Side::Ask), Coverage::All);
}

#[test]
fn no_book_is_so_small_that_it_must_lie() {
    let mut book = Book::new(1000, 0);
    book.load(&snapshot(16, &[("14.2", 1), ("14.1", 1)], &[("15", 1)]));
    assert_ne!((book.best_bid(), book.reach(Side::Bid)), (Best::Empty, Coverage::All));
    assert_eq!(book.apply(&delta(17, Side::Ask, "14.9", 1)), Apply::Applied);
    assert_ne!((book.best_ask(), book.reach(Side::Ask)), (Best::Empty, Coverage::All));
}

#[test]
fn locked_and_crossed_books_say_so() {
    for (ask, crossed) in [("14.3", false), ("14.2", true), ("14.1", true)] {
        let mut book = Book::new(1000, 5000);
        book.load(&snapshot(16, &[("14.2", 1)], &[("15", 1)]));
        assert_eq!(book.apply(&delta(17, Side::Ask, ask, 1)), Apply::Applied);
        assert_eq!(book.is_crossed(), crossed, "{ask}");
    }
}

#[test]
fn times_are_those_of_the_last_change_that_had_one() {
    let mut book = Book::new(1000, 5000);
    let mut first = snapshot(16, &[], &[("15", 1)]);
    first.ts_event = Some(UnixNanos::from_nanos(9));
    book.load(&first);
    let timed = |sequence, ts| Delta { ts_event: ts, ..delta(sequence, Side::Bid, "14", 1) };
    for (sequence, ts, expected) in [(17, None, 9), (18, Some(30), 30), (19, Some(29), 29)] {
        let ts = ts.map(UnixNanos::from_nanos);
        assert_eq!(book.apply(&timed(sequence, ts)), Apply::Applied);
        assert_eq!(book.ts_event(), Some(UnixNanos::from_nanos(expected)));
    }
}

#[test]
fn the_digest_is_the_hash_of_one_line_per_level() {
    let mut book = Book::new(2, 5000);
    // printf 'b 14.205 30\nb 14.2 7\na 14.21 12\na 15 900000000000\n' | sha256sum
    let asks = [("14.210", 12), ("15.0", 900_000_000_000)];
    book.load(&snapshot(16, &[("14.205", 30), ("14.20", 7)], &asks));
    let held = "303634813a609de6067e7f1afd644d942021dcef73577c5deea7bf3858093d78";
    assert_eq!(hex(book.digest(Scope::Held)), held);
    assert_eq!(hex(book.digest(Scope::Complete)), held);

    // Without the line `b 14.2 7`, which is now beyond the horizon.
    book.load(&snapshot(17, &[("14.21", 1), ("14.205", 30)], &asks));
    assert_eq!(book.apply(&delta(18, Side::Bid, "14.2", 7)), Apply::Applied);
    assert_eq!(book.apply(&delta(19, Side::Bid, "14.21", 0)), Apply::Applied);
    let complete = "55d3449911e7f5c0d2f371bd4699a53d4db8a2bdb9ada2d6bd61594a367f2558";
    assert_eq!(hex(book.digest(Scope::Complete)), complete);
    assert_eq!(hex(book.digest(Scope::Held)), held);

    // printf '' | sha256sum
    let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    assert_eq!(hex(Book::new(2, 2).digest(Scope::Held)), empty);
}

fn price(text: &str) -> Price {
    text.parse().unwrap()
}

fn level(text: &str, size: u64) -> Level {
    Level { price: price(text), size: Lots::new(size) }
}

fn snapshot(sequence: u64, bids: &[(&str, u64)], asks: &[(&str, u64)]) -> Snapshot {
    let levels = |side: &[(&str, u64)]| side.iter().map(|(p, size)| level(p, *size)).collect();
    Snapshot {
        symbol: Symbol::new("LINKUSDTM").unwrap(),
        sequence: Sequence::new(sequence),
        bids: levels(bids),
        asks: levels(asks),
        ts_event: None,
        bids_are_cut: false,
        asks_are_cut: false,
    }
}

fn delta(sequence: u64, side: Side, at: &str, size: u64) -> Delta {
    Delta::new(Sequence::new(sequence), side, price(at), Lots::new(size))
}

fn shown(book: &Book, side: Side) -> String {
    let held: Vec<_> =
        book.levels(side, Scope::Held).map(|l| format!("{}*{}", l.price, l.size)).collect();
    held.join(" ")
}

fn hex(digest: [u8; 32]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}
