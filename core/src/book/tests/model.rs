//! The book against the exchange's whole truth, of which a snapshot shows only the top.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::vec::Vec;

use proptest::prelude::*;

use super::*;

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 2000,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_book_never_says_more_than_it_knows(
        truth in truth(),
        cut in 1_usize..24,
        changes in prop::collection::vec(change(), 0..120),
    ) {
        let mut pair = Pair::new(truth, cut, usize::MAX);
        let reach = [Side::Bid, Side::Ask].map(|side| pair.book.reach(side));
        pair.check()?;
        for change in changes {
            pair.apply(change);
            pair.check()?;
            let still = [Side::Bid, Side::Ask].map(|side| pair.book.reach(side));
            prop_assert_eq!(still, reach, "deltas never move a horizon");
        }
    }

    #[test]
    fn a_pruned_book_never_says_more_than_it_knows(
        truth in truth(),
        cut in 1_usize..24,
        most in 1_usize..24,
        changes in prop::collection::vec(change(), 0..120),
    ) {
        let mut pair = Pair::new(truth, cut, most);
        pair.check()?;
        for change in changes {
            let before = [Side::Bid, Side::Ask].map(|side| pair.book.reach(side));
            pair.apply(change);
            pair.check()?;
            for (before, side) in before.into_iter().zip([Side::Bid, Side::Ask]) {
                prop_assert!(pair.book.held_levels(side) <= most);
                let after = pair.book.reach(side);
                // A horizon comes in for want of room alone, and no further than it must.
                let full = pair.book.complete_levels(side) == most;
                prop_assert!(after == before || (full && is_nearer(side, after, before)));
            }
        }
    }

    #[test]
    fn a_book_is_the_same_whatever_is_repeated_or_missed_on_the_way(
        truth in truth(),
        changes in prop::collection::vec((change(), 0_u64..4), 0..40),
    ) {
        let mut pair = Pair::new(truth, 8, usize::MAX);
        let mut disturbed = pair.book.clone();
        for (change, noise) in changes {
            let delta = pair.apply(change);
            let other = Delta { size: Lots::new(99), ..delta };
            let back = Sequence::new(delta.sequence.get() - 1 - noise);
            let ahead = Sequence::new(delta.sequence.get() + 1 + noise);
            prop_assert_eq!(disturbed.apply(&Delta { sequence: back, ..other }), Apply::Repeat);
            let gap = Apply::Gap { expected: delta.sequence };
            prop_assert_eq!(disturbed.apply(&Delta { sequence: ahead, ..other }), gap);
            prop_assert_eq!(disturbed.apply(&delta), Apply::Applied);
            prop_assert_eq!(&disturbed, &pair.book);
        }
    }
}

/// Prices in ticks, so that sides meet and cross often.
type Ticks = BTreeMap<i64, u64>;

#[derive(Clone, Copy, Debug)]
struct Change {
    side: Side,
    tick: i64,
    size: u64,
}

fn change() -> impl Strategy<Value = Change> {
    let side = prop_oneof![Just(Side::Bid), Just(Side::Ask)];
    let size = prop_oneof![2 => Just(0_u64), 3 => 1_u64..50];
    (side, 0_i64..60, size).prop_map(|(side, tick, size)| Change { side, tick, size })
}

fn truth() -> impl Strategy<Value = [Ticks; 2]> {
    let side = || prop::collection::btree_map(1_i64..60, 1_u64..50, 0..40);
    (side(), side()).prop_map(|(bids, asks)| [bids, asks])
}

/// A book, and what it should be.
struct Pair {
    truth: [Ticks; 2],
    book: Book,
    /// The most that may be claimed: the tick to which the snapshot showed everything.
    shown_to: [Option<i64>; 2],
    sequence: u64,
}

const START: u64 = 1_655_000_000_300;

impl Pair {
    fn new(truth: [Ticks; 2], cut: usize, most: usize) -> Self {
        let [bids, asks] = [Side::Bid, Side::Ask].map(|side| {
            let mut levels = best_first(&truth, side);
            levels.truncate(cut);
            levels
        });
        let shown_to = [&bids, &asks].map(|side| {
            let worst = side.last().filter(|_| side.len() >= cut);
            worst.map(|level| level.price.scaled())
        });
        let mut book = Book::new(cut, most);
        book.load(&Snapshot {
            symbol: Symbol::new("LINKUSDTM").unwrap(),
            sequence: Sequence::new(START),
            bids,
            asks,
            ts_event: None,
            bids_are_cut: false,
            asks_are_cut: false,
        });
        Self { truth, book, shown_to, sequence: START }
    }

    fn apply(&mut self, change: Change) -> Delta {
        let ticks = &mut self.truth[index(change.side)];
        if change.size == 0 || change.tick == 0 {
            ticks.remove(&change.tick);
        } else {
            ticks.insert(change.tick, change.size);
        }
        self.sequence += 1;
        let price = Price::from_scaled(change.tick).unwrap();
        let sequence = Sequence::new(self.sequence);
        let delta = Delta::new(sequence, change.side, price, Lots::new(change.size));
        assert_eq!(self.book.apply(&delta), Apply::Applied);
        delta
    }

    fn check(&self) -> Result<(), TestCaseError> {
        for side in [Side::Bid, Side::Ask] {
            let truth = best_first(&self.truth, side);
            let reach = self.book.reach(side);
            let within = |level: &&Level| match (reach, side) {
                (Coverage::All, _) => true,
                (Coverage::To(horizon), Side::Bid) => level.price >= horizon,
                (Coverage::To(horizon), Side::Ask) => level.price <= horizon,
            };
            let known: Vec<Level> = truth.iter().filter(within).copied().collect();
            let complete: Vec<Level> = self.book.levels(side, Scope::Complete).collect();
            prop_assert_eq!(&complete, &known, "complete inside the horizon");
            prop_assert_eq!(self.book.complete_levels(side), known.len());

            let held: Vec<Level> = self.book.levels(side, Scope::Held).collect();
            prop_assert_eq!(self.book.held_levels(side), held.len());
            prop_assert!(held.iter().all(|level| truth.contains(level)), "held levels are true");
            prop_assert!(held.starts_with(&complete), "best first, the complete ones before all");

            let best = match (known.first(), reach) {
                (Some(level), _) => Best::Level(*level),
                (None, Coverage::All) => Best::Empty,
                (None, Coverage::To(_)) => Best::Unknown,
            };
            let says = if side == Side::Bid { self.book.best_bid() } else { self.book.best_ask() };
            prop_assert_eq!(says, best);
            if let Some(limit) = self.shown_to[index(side)] {
                let limit = Coverage::To(Price::from_scaled(limit).unwrap());
                prop_assert!(reach == limit || is_nearer(side, reach, limit));
            }
        }
        let crossed = match (self.book.best_bid(), self.book.best_ask()) {
            (Best::Level(bid), Best::Level(ask)) => bid.price >= ask.price,
            _ => false,
        };
        prop_assert_eq!(self.book.is_crossed(), crossed);
        Ok(())
    }
}

fn index(side: Side) -> usize {
    usize::from(side == Side::Ask)
}

fn best_first(truth: &[Ticks; 2], side: Side) -> Vec<Level> {
    let levels = truth[index(side)].iter().map(|(&tick, &size)| Level {
        price: Price::from_scaled(tick).unwrap(),
        size: Lots::new(size),
    });
    let mut levels: Vec<Level> = levels.collect();
    if side == Side::Bid {
        levels.sort_by_key(|level| Reverse(level.price));
    }
    levels
}

/// Whether a horizon is strictly nearer to the touch than another.
fn is_nearer(side: Side, a: Coverage, b: Coverage) -> bool {
    match (a, b) {
        (Coverage::All, _) => false,
        (Coverage::To(_), Coverage::All) => true,
        (Coverage::To(a), Coverage::To(b)) => {
            if side == Side::Bid {
                a > b
            } else {
                a < b
            }
        }
    }
}
