use std::vec::Vec;

use proptest::prelude::*;

use super::*;
use crate::rng::SplitMix64;
use sorted::Sorted;

mod sorted;

/// What happens to a side.
#[derive(Clone, Debug)]
enum Op {
    Set(i64, u64),
    Load(Vec<(i64, u64)>, usize),
}

/// Prices in units of 1e-12: near each other, far apart, on finer and finer ticks, anywhere.
fn price() -> impl Strategy<Value = i64> {
    const TICK: i64 = 100_000_000_000;
    prop_oneof![
        12 => (899_900_i64..900_100).prop_map(|ticks| ticks * TICK),
        4 => (800_000_i64..1_000_000).prop_map(|ticks| ticks * TICK),
        4 => (1_i64..200).prop_map(|ticks| ticks * 31 * TICK),
        2 => (1_799_900_i64..1_800_100).prop_map(|halves| halves * TICK / 2),
        1 => (8_999_000_i64..9_001_000).prop_map(|tenths| tenths * TICK / 10),
        1 => 1_i64..=i64::MAX,
        1 => Just(i64::MAX),
        1 => Just(1_i64),
        1 => Just(0_i64),
    ]
}

fn size() -> impl Strategy<Value = u64> {
    prop_oneof![4 => Just(0_u64), 5 => 1_u64..50, 1 => Just(u64::MAX)]
}

fn op() -> impl Strategy<Value = Op> {
    let levels = prop::collection::btree_map(price(), 1_u64..50, 0..40);
    let levels =
        levels.prop_map(|levels| levels.into_iter().filter(|(price, _)| *price > 0).collect());
    prop_oneof![
        60 => (price(), size()).prop_map(|(price, size)| Op::Set(price, size)),
        1 => (levels, 1_usize..50).prop_map(|(levels, cut)| Op::Load(levels, cut)),
    ]
}

fn level((price, size): (i64, u64)) -> Level {
    Level { price: Price::from_scaled(price).unwrap(), size: Lots::new(size) }
}

/// A side and what it should be.
struct Pair {
    side: Side,
    pages: BookSide,
    sorted: Sorted,
}

impl Pair {
    fn new(side: Side, max_levels: usize) -> Self {
        Self { side, pages: BookSide::new(side, max_levels), sorted: Sorted::new(side, max_levels) }
    }

    fn apply(&mut self, op: &Op) {
        match op {
            Op::Set(price, size) => {
                let Level { price, size } = level((*price, *size));
                self.pages.set(price, size);
                self.sorted.set(price, size);
            }
            Op::Load(levels, cut) => {
                let mut levels: Vec<Level> = levels.iter().copied().map(level).collect();
                if self.side == Side::Bid {
                    levels.reverse();
                }
                Loading::load(&mut self.pages, &levels, *cut, false);
                self.sorted.load(&levels, *cut);
            }
        }
    }

    fn check(&self) {
        assert_eq!(self.pages.held_len(), self.sorted.held_len());
        assert_eq!(self.pages.complete_len(), self.sorted.complete_len());
        assert_eq!(self.pages.reach(), self.sorted.reach());
        assert_eq!(self.pages.best(), self.sorted.best());
        for scope in [Scope::Held, Scope::Complete] {
            let (ours, theirs) = (self.pages.levels(scope), self.sorted.levels(scope));
            assert!(ours.eq(theirs), "{scope:?}");
        }
    }

    fn check_at(&self, price: i64) {
        let price = Price::from_scaled(price).unwrap();
        assert_eq!(self.pages.size_at(price), self.sorted.size_at(price));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn pages_hold_what_a_sorted_list_holds(
        side in prop_oneof![Just(Side::Bid), Just(Side::Ask)],
        max_levels in prop_oneof![3 => Just(usize::MAX), 1 => 1_usize..40],
        ops in prop::collection::vec(op(), 0..400),
    ) {
        let mut pair = Pair::new(side, max_levels);
        for op in &ops {
            pair.apply(op);
            pair.check();
            if let Op::Set(price, _) = op {
                pair.check_at(*price);
            }
        }
    }
}

/// A side of `levels` levels around 90000 with a tick of 0.1, its best at `best` ticks.
fn filled(side: Side, best: i64, levels: i64, rng: &mut SplitMix64) -> (Pair, Vec<i64>) {
    let outwards = if side == Side::Bid { -1 } else { 1 };
    let ticks: Vec<i64> = (0..levels)
        .scan(best, |at, _| {
            *at += outwards * (1 + rng.below(10) as i64);
            Some(*at)
        })
        .collect();
    let levels = ticks.iter().map(|tick| (tick * TICK, 7)).collect();
    let mut pair = Pair::new(side, usize::MAX);
    let levels: Vec<(i64, u64)> = levels;
    let ascending = if side == Side::Bid { levels.into_iter().rev().collect() } else { levels };
    pair.apply(&Op::Load(ascending, usize::MAX));
    (pair, ticks)
}

const TICK: i64 = 100_000_000_000;

/// A market that jumps by a tenth, with 5000 levels a side: no level is moved, and of the pages no
/// more than are put in or dropped at once.
#[test]
fn a_market_that_jumps_moves_no_level_and_few_pages() {
    let rng = &mut SplitMix64::new(5);
    for side in [Side::Bid, Side::Ask] {
        for jump in [90_000, -90_000] {
            let (mut pair, mut old) = filled(side, 900_000, 5000, rng);
            let outwards = if side == Side::Bid { -1 } else { 1 };
            let mut most = 0;
            let mut set = |pair: &mut Pair, tick: i64, size| {
                let before = pair.pages.pages.moved;
                pair.apply(&Op::Set(tick * TICK, size));
                most = most.max(pair.pages.pages.moved - before);
            };
            // New levels come where the market is now, old ones go in any order.
            for n in 0..5000 {
                let at = rng.below(old.len() as u64) as usize;
                set(&mut pair, 900_000 + jump + outwards * (1 + 3 * n), 5);
                set(&mut pair, old.swap_remove(at), 0);
                if n % 100 == 0 {
                    pair.check();
                }
            }
            pair.check();
            assert!(most <= MOVED, "{side:?} by {jump}: {most}");
        }
    }
}

/// Sixteen bridges of 64 pages: what one delta may put in. What a fall drops is counted, too, and is
/// less here.
const MOVED: usize = 16 * 64;

/// A market that wanders over a thousand times its width leaves nothing behind.
#[test]
fn memory_is_bounded_by_the_levels() {
    let rng = &mut SplitMix64::new(6);
    for side in [Side::Bid, Side::Ask] {
        let (mut pair, mut held) = filled(side, 900_000, 500, rng);
        for n in 0..100_000 {
            let tick = 900_000 + n * 7 % 1_000_000 + rng.below(3000) as i64;
            pair.apply(&Op::Set(tick * TICK, 1 + rng.below(9)));
            held.push(tick);
            let at = rng.below(held.len() as u64) as usize;
            pair.apply(&Op::Set(held.swap_remove(at) * TICK, 0));
        }
        pair.check();
        let (pages, slots) = pair.pages.pages.used();
        assert!(pages <= 4 * 510 + 64, "{pages} pages");
        assert!(slots <= 510, "{slots} slots");
    }
}

/// A book that was wide once does not keep the room of that.
#[test]
fn a_side_that_is_loaded_anew_gives_back_what_it_does_not_need() {
    let rng = &mut SplitMix64::new(8);
    for side in [Side::Bid, Side::Ask] {
        let mut pair = Pair::new(side, usize::MAX);
        let narrow: Vec<(i64, u64)> = (0..500).map(|n| ((900_000 + n) * TICK, 1)).collect();
        for _ in 0..20 {
            for n in 0..2000 {
                pair.apply(&Op::Set((900_000 + n * 37) * TICK, 1));
            }
            assert!(pair.pages.pages.used().1 >= 2000);
            pair.apply(&Op::Load(narrow.clone(), usize::MAX));
            let (_, slots) = pair.pages.pages.used();
            assert!((17..=60).contains(&slots), "{slots} slots for 16 or 17 pages");
            // What is kept is good for what comes.
            for _ in 0..200 {
                pair.apply(&Op::Set((899_000 + rng.below(3000) as i64) * TICK, rng.below(5)));
            }
            pair.check();
        }
    }
}

/// The finer price of all would need more pages than fit, were they not sparse.
#[test]
fn one_odd_price_makes_the_grid_finer_and_changes_nothing_else() {
    let rng = &mut SplitMix64::new(7);
    let (mut pair, _) = filled(Side::Bid, 900_000, 1000, rng);
    pair.apply(&Op::Set(900_001 * TICK + 1, 3));
    pair.check();
    pair.apply(&Op::Set(900_001 * TICK + 1, 0));
    pair.check();
    for n in 0..1000 {
        pair.apply(&Op::Set((899_000 + n) * TICK, rng.below(3)));
    }
    pair.check();
}

#[test]
fn a_removal_between_ticks_removes_nothing() {
    let mut pair = Pair::new(Side::Ask, usize::MAX);
    for op in [Op::Set(10 * TICK, 1), Op::Set(20 * TICK, 2), Op::Set(15 * TICK + 1, 0)] {
        pair.apply(&op);
        pair.check();
    }
    assert_eq!(
        pair.pages.grid.key(Price::from_scaled(15 * TICK + 1).unwrap()),
        None,
        "as coarse as before"
    );
}
