use super::story::{Explained, explain, fits_exactly};
use super::*;
use life::Heard;
use market::{Level, Place, Sizes};

/// Claims whose cheapest story needs more faults than what happened, in all histories of five letters.
/// A better rule about restarts lowers these; nothing may raise them.
const COSTLIER: [(Times, u64); 4] =
    [(Times::Absent, 2), (Times::Close, 2), (Times::Plausible, 2), (Times::Clear, 2)];

#[test]
fn every_short_history_is_justified_and_comes_back() {
    for (times, costlier) in COSTLIER {
        let report = explore(Extent::new(5, times));
        assert!(report.is_sound(), "times {}: {report}", times.name());
        assert!(report.costlier_claims() <= costlier, "times {}: {report}", times.name());
        assert!(report.histories > 60_000 && report.claims > 7_000, "{report}");
        let judged = report.as_likely + report.costlier_claims();
        assert_eq!(report.wrong, judged, "each wrong claim is of one kind: {report}");
        assert!(report.as_likely > 150, "some things no client can tell: {report}");
    }
}

#[test]
fn every_short_history_of_two_lines_is_justified_and_comes_back() {
    for times in [Times::Absent, Times::Plausible] {
        let report = explore(Extent::new(4, times).on_two_lines());
        assert!(report.is_sound(), "times {}: {report}", times.name());
        assert!(report.histories > 10_000 && report.claims > 900, "{report}");
    }
}

#[test]
fn the_same_letters_are_the_same_history_and_unknown_ones_are_named() {
    let told = tell("back-1 lost-a b", Times::Close).unwrap();
    assert_eq!(told.lines().count(), 4);
    assert!(told.lines().last().unwrap().contains("live at 101: a 1 b 0 WRONG"), "{told}");
    assert_eq!(tell("back-1 lost-a b", Times::Close).unwrap(), told);
    assert!(tell("back-7", Times::Close).unwrap_err().starts_with("`back-7` is none of a, b, "));
}

#[test]
fn letters_that_change_nothing_are_not_followed() {
    let told = tell("repeat snapshot", Times::Clear).unwrap();
    let nothing = told.lines().filter(|line| line.ends_with("changes nothing")).count();
    assert_eq!(nothing, 2, "no delta has come, and nobody asks for a snapshot: {told}");
}

// Stories.

const fn place(sequence: u16, a: u8, b: u8) -> Place {
    Place { sequence, sizes: Sizes { a, b } }
}

const fn snapshot(place: Place) -> Heard {
    Heard::Snapshot { place, is_fresh: true }
}

const fn delta(sequence: u16, level: Level, size: u8) -> Heard {
    Heard::Delta { sequence, level, size, is_fresh: true }
}

const BEGINNING: Heard = snapshot(place(100, 1, 1));

#[test]
fn what_is_plainly_said_is_explained_without_any_fault() {
    let heard = [BEGINNING, delta(101, Level::A, 2), delta(102, Level::B, 0)];
    for claim in [place(100, 1, 1), place(101, 2, 1), place(102, 2, 0)] {
        assert_eq!(explain(&heard, claim, 0), Explained::AsLikely, "{claim:?}");
        assert!(fits_exactly(&heard, claim, 0));
    }
}

#[test]
fn each_kind_of_fault_costs_one() {
    let lost = [BEGINNING, delta(102, Level::B, 0)];
    assert_eq!(explain(&lost, place(102, 2, 0), 1), Explained::AsLikely);
    assert_eq!(explain(&lost, place(102, 2, 0), 0), Explained::Costlier(1));
    let set_back = [BEGINNING, delta(99, Level::A, 2)];
    assert_eq!(explain(&set_back, place(99, 2, 1), 0), Explained::Costlier(1));
    let repeat = [BEGINNING, delta(101, Level::A, 2), delta(101, Level::A, 2)];
    assert_eq!(explain(&repeat, place(101, 2, 1), 0), Explained::Costlier(1));
    let old = [BEGINNING, delta(101, Level::A, 2), snapshot(place(100, 1, 1))];
    assert_eq!(explain(&old, place(101, 2, 1), 0), Explained::Costlier(1));
}

#[test]
fn what_never_was_is_never_explained() {
    let heard = [BEGINNING, delta(101, Level::A, 2)];
    assert_eq!(explain(&heard, place(101, 1, 1), 0), Explained::Costlier(2), "a change too many");
    assert_eq!(explain(&heard, place(140, 1, 1), 0), Explained::Never, "far away");
    let a_third = [BEGINNING, delta(101, Level::A, 1)];
    assert_eq!(explain(&a_third, place(101, 1, 0), 0), Explained::FromAnywhere, "no change at all");
}

#[test]
fn an_exact_clock_refutes_a_repeat_that_is_new() {
    let stale = Heard::Delta { sequence: 101, level: Level::A, size: 2, is_fresh: false };
    for (again, fits) in [(stale, true), (delta(101, Level::A, 2), false)] {
        let heard = [BEGINNING, delta(101, Level::A, 2), again, delta(102, Level::A, 1)];
        let claim = place(102, 1, 1);
        assert_eq!(explain(&heard, claim, 1), Explained::AsLikely, "a repeat");
        assert_eq!(fits_exactly(&heard, claim, 1), fits, "{again:?}");
    }
}
