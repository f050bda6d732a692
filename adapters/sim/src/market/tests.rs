use std::collections::BTreeSet;

use super::*;

const AT: UnixNanos = UnixNanos::from_nanos(1_790_000_000_000_000_000);

fn market(name: &str, seed: u64) -> Market {
    let contract = Contract::named(name.parse().unwrap());
    Market::new(contract, seed, Sequence::new(1_700_000_000_000))
}

/// The readers of the core go by the digits of a size: all numbers of them have to occur.
#[test]
fn sizes_have_all_numbers_of_digits_and_no_more() {
    for (name, most) in [("YFIUSDTM", 3), ("10PEPEUSDTM", 10)] {
        let market = market(name, 1);
        let levels = market.truth().levels(Side::Bid).chain(market.truth().levels(Side::Ask));
        let seen: BTreeSet<u32> = levels.map(|level| level.size.get().ilog10() + 1).collect();
        assert!(seen.iter().copied().eq(1..=most), "{name}: {seen:?}");
    }
}

#[test]
fn the_market_lives_deep_uncrossed_and_moving() {
    let mut market = market("XBTUSDTM", 1);
    let start = market.price();
    let (mut lowest, mut highest) = (start, start);
    for _ in 0..100_000 {
        market.step(AT);
        let best = |side| market.truth().levels(side).next().unwrap().price;
        assert!(best(Side::Bid) < best(Side::Ask));
        lowest = lowest.min(market.price());
        highest = highest.max(market.price());
    }
    for side in [Side::Bid, Side::Ask] {
        let levels = market.truth().levels(side).count();
        assert!((1001..3000).contains(&levels), "{side} has {levels} levels");
    }
    let ticks = (highest.scaled() - lowest.scaled()) / market.contract.tick.scaled();
    assert!(ticks > 500, "it moved over {ticks} ticks only");
}

#[test]
fn the_past_can_be_asked_for() {
    let mut market = market("CHRUSDTM", 2);
    let mut past = vec![market.truth().clone()];
    let start = market.sequence().get();
    for _ in 0..500 {
        let (sequence, change) = market.step(AT);
        assert_eq!(market.changes_at(sequence).next(), Some(change));
        past.push(market.truth().clone());
    }
    for (back, truth) in past.iter().enumerate() {
        let sequence = Sequence::new(start + back as u64);
        assert_eq!(market.truths_at(sequence).next().as_ref(), Some(truth));
    }
    assert_eq!(market.truths_at(Sequence::new(start - 1)).next(), None);
    assert_eq!(market.truths_at(Sequence::new(start + 501)).next(), None);
}

#[test]
fn after_a_restart_a_sequence_has_two_truths() {
    let mut market = market("CHRUSDTM", 3);
    (0..100).for_each(|_| {
        market.step(AT);
    });
    let (last, book) = (market.sequence(), market.truth().clone());
    market.step_back(50);
    assert_eq!(market.truth(), &book);
    (0..50).for_each(|_| {
        market.step(AT);
    });
    assert_eq!(market.sequence(), last);
    let truths: Vec<_> = market.truths_at(last).collect();
    assert_eq!(truths, [market.truth().clone(), book]);
}

#[test]
fn the_past_reaches_over_a_restart() {
    let mut market = market("CHRUSDTM", 5);
    for _ in 0..100 {
        market.step(AT);
    }
    let (old, book) = (market.sequence(), market.truth().clone());
    market.step_back(5000);
    assert_eq!(market.past(0), (market.sequence(), book.clone(), None));
    for _ in 0..10 {
        market.step(AT);
    }
    assert_eq!(market.past(10), (old, book, Some(AT)), "the old run's number");
    assert_eq!(market.past(15).0.get(), old.get() - 5);
    assert_eq!(market.past(1_000).2, None, "the very beginning");
    let (last, book) = (market.sequence(), market.truth().clone());
    market.step_back(50);
    market.step(AT);
    assert_eq!(market.past(9), (Sequence::new(last.get() - 50), book, None), "a short step");
}

#[test]
fn the_same_seed_is_the_same_market() {
    let (mut a, mut b) = (market("ETHUSDTM", 4), market("ETHUSDTM", 4));
    (0..1000).for_each(|_| assert_eq!(a.step(AT), b.step(AT)));
}
