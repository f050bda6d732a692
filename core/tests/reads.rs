//! How much, how far, at what price: against sums over a list of levels, and honest where the book ends.

#![allow(missing_docs, reason = "tests")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "tests"
)]

use kucoin_futures_proto::book::{Book, Coverage, KnownLots, Level, Scope, SweepEnd};
use kucoin_futures_proto::wire::{Contracts, Side, Snapshot};
use kucoin_futures_proto::{ContractSpec, Decimal, Lots, Price};
use proptest::prelude::*;

/// A book of 0.05 ticks around 2000, cut at so many levels a side.
fn book(sizes: &[Vec<u64>; 2], cut_at: usize) -> Book {
    let row = |side: usize, (at, size): (usize, &u64)| {
        let ticks = if side == 0 { 40_000 - at as i64 } else { 40_001 + at as i64 };
        format!("[{}.{:02},{size}]", ticks / 20, ticks % 20 * 5)
    };
    let side = |side: usize| {
        let rows: Vec<_> = sizes[side].iter().enumerate().map(|entry| row(side, entry)).collect();
        rows.join(",")
    };
    let body = format!(
        r#"{{"code":"200000","data":{{"sequence":7,"symbol":"ETHUSDTM","bids":[{}],"asks":[{}],
        "ts":1790000000000000000}}}}"#,
        side(0),
        side(1)
    );
    let mut book = Book::new(cut_at, usize::MAX);
    book.load(&Snapshot::parse(body.as_bytes()).unwrap());
    book
}

fn spec(multiplier: &str, is_inverse: bool, lot: u64) -> ContractSpec {
    let body = format!(
        r#"{{"code":"200000","data":[{{"symbol":"ETHUSDTM","status":"Open","multiplier":{multiplier},
        "tickSize":0.05,"lotSize":{lot},"isInverse":{is_inverse},"settleCurrency":"USDT"}}]}}"#
    );
    let rows = Contracts::parse(body.as_bytes()).unwrap();
    ContractSpec::new(&rows.iter().next().unwrap().unwrap()).unwrap()
}

fn sizes() -> impl Strategy<Value = [Vec<u64>; 2]> {
    let side = || prop::collection::vec(1_u64..1_000_000, 0..12);
    [side(), side()]
}

fn levels(book: &Book, side: Side) -> Vec<Level> {
    book.levels(side, Scope::Complete).collect()
}

/// A price in twentieths of a unit.
fn ticks(price: Price) -> i128 {
    i128::from(price.scaled()) / 50_000_000_000
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1_000) })]

    #[test]
    fn a_sweep_takes_the_best_first_and_says_why_it_ends(
        sizes in sizes(), cut_at in 1_usize..15, lots in 0_u64..6_000_000, is_bid in any::<bool>(),
    ) {
        let book = book(&sizes, cut_at);
        let side = if is_bid { Side::Bid } else { Side::Ask };
        let sweep = book.sweep(side, Lots::new(lots));
        let (mut left, mut worst, mut sum) = (lots, None, 0_i128);
        for level in levels(&book, side) {
            let taken = left.min(level.size.get());
            if taken > 0 {
                (left, worst) = (left - taken, Some(level.price));
                sum += i128::from(taken) * ticks(level.price);
            }
        }
        prop_assert_eq!((sweep.lots, sweep.worst), (Lots::new(lots - left), worst));
        prop_assert_eq!(sweep.notional(), Decimal::new(sum * 5, -2));
        let end = match (left, book.reach(side)) {
            (0, _) => SweepEnd::Filled,
            (_, Coverage::All) => SweepEnd::Exhausted,
            (_, Coverage::To(_)) => SweepEnd::Horizon,
        };
        prop_assert_eq!(sweep.end, end);
        match sweep.average() {
            None => prop_assert_eq!(lots - left, 0),
            Some(average) => {
                let exact = i128::from(average.scaled()) * i128::from(lots - left);
                let over = sum * 50_000_000_000 - exact;
                prop_assert!((0..i128::from(lots - left)).contains(&over));
            }
        }
    }

    #[test]
    fn what_is_known_is_exact_and_the_rest_at_least_so_much(
        sizes in sizes(), cut_at in 1_usize..15, at in -3_i64..16, count in 0_usize..14,
    ) {
        let (cut, whole) = (book(&sizes, cut_at), book(&sizes, 1_000));
        for side in [Side::Bid, Side::Ask] {
            let twentieths = if side == Side::Bid { 40_000 - at } else { 40_001 + at };
            let price = Price::from_scaled(twentieths * 50_000_000_000).unwrap();
            let reads = [
                (cut.lots_to(side, price), whole.lots_to(side, price)),
                (cut.lots_of(side, count), whole.lots_of(side, count)),
            ];
            // A side with as many rows as a snapshot has may go on behind them.
            let rows = sizes[usize::from(side == Side::Ask)].len();
            let known = [rows < cut_at || at < rows as i64, rows < cut_at || count <= rows];
            for ((said, truth), known) in reads.into_iter().zip(known) {
                prop_assert_eq!(said.exactly().is_some(), known);
                let truth = truth.exactly().unwrap();
                match said {
                    KnownLots::Exactly(lots) => prop_assert_eq!(lots, truth),
                    KnownLots::AtLeast(lots) => prop_assert!(lots <= truth),
                }
                prop_assert!(said.at_least() <= truth);
            }
            let own: u64 = sizes[usize::from(side == Side::Ask)].iter().take(count).sum();
            prop_assert_eq!(whole.lots_of(side, count).exactly(), Some(Lots::new(own)));
        }
    }

    #[test]
    fn mid_microprice_and_imbalance_lie_where_they_should(sizes in sizes(), cut_at in 1_usize..15) {
        let book = book(&sizes, cut_at);
        let (bids, asks) = (levels(&book, Side::Bid), levels(&book, Side::Ask));
        let is_two_sided = !bids.is_empty() && !asks.is_empty();
        prop_assert_eq!(book.mid().is_some(), is_two_sided);
        prop_assert_eq!(book.microprice().is_some(), is_two_sided);
        if let (Some(micro), Some(bid), Some(ask)) = (book.microprice(), bids.first(), asks.first()) {
            prop_assert!(bid.price <= micro && micro < ask.price);
            // More to buy than to sell: nearer to the ask.
            let mid = book.mid().unwrap();
            prop_assert!(bid.size == ask.size || (micro >= mid) == (bid.size > ask.size) || micro == mid);
        }
        if let Some(imbalance) = book.imbalance(1) {
            let (bid, ask) = (sizes[0].first().copied(), sizes[1].first().copied());
            let (bid, ask) = (i128::from(bid.unwrap_or(0)), i128::from(ask.unwrap_or(0)));
            let units = imbalance.mantissa() * 10_i128.pow((18 + i32::from(imbalance.exponent())) as u32);
            prop_assert_eq!(units, (bid - ask) * 1_000_000_000_000_000_000 / (bid + ask));
        }
    }

    #[test]
    fn a_fill_is_worth_what_its_levels_are(
        sizes in sizes(), cut_at in 1_usize..15, lots in 0_u64..6_000_000, is_inverse in any::<bool>(),
    ) {
        let (book, spec) = (book(&sizes, cut_at), spec(if is_inverse { "-1" } else { "0.01" }, is_inverse, 1));
        let fill = spec.fill(&book, Side::Ask, Lots::new(lots)).unwrap();
        let (mut left, mut value) = (lots, 0_i128);
        for level in levels(&book, Side::Ask) {
            let taken = left.min(level.size.get());
            left -= taken;
            value += if is_inverse {
                i128::from(taken) * 20 * 1_000_000_000_000_000_000 / ticks(level.price)
            } else {
                i128::from(taken) * ticks(level.price) * 5
            };
        }
        let truth = if is_inverse { Decimal::new(value, -18) } else { Decimal::new(value, -4) };
        prop_assert_eq!(Some(fill.value), truth);
        prop_assert_eq!(fill.average.is_some(), lots > left);
        if let Some(average) = fill.average {
            let (best, worst) = (levels(&book, Side::Ask)[0].price, fill.worst.unwrap());
            // Cut after 18 decimals it may be just below the best; of cut values just above the worst.
            let hair = Decimal::new(1, -9).unwrap();
            prop_assert!(average >= minus(best.into(), hair) && average <= plus(worst.into(), hair));
        }
    }

    #[test]
    fn a_fill_for_a_value_is_the_most_that_it_buys(
        sizes in sizes(), cut_at in 1_usize..15, value in 0_i128..40_000_000_000, is_inverse in any::<bool>(),
        lot in prop::sample::select(&[1_u64, 10, 250][..]),
    ) {
        let (book, spec) = (book(&sizes, cut_at), spec(if is_inverse { "-1" } else { "0.01" }, is_inverse, lot));
        let value = Decimal::new(value, if is_inverse { -8 } else { -2 }).unwrap();
        let fill = spec.fill_value(&book, Side::Bid, value).unwrap();
        prop_assert!(fill.value <= value);
        prop_assert_eq!(fill.lots.get() % lot, 0);
        let more = spec.fill(&book, Side::Bid, Lots::new(fill.lots.get() + lot)).unwrap();
        match fill.end {
            SweepEnd::Filled => prop_assert!(more.value > value, "{:?} {:?}", fill, more),
            end => {
                prop_assert!(more.lots.get() - fill.lots.get() < lot);
                prop_assert_eq!(more.end, end);
            }
        }
    }
}

fn plus(a: Decimal, b: Decimal) -> Decimal {
    scaled(a).checked_add(scaled(b)).and_then(|sum| Decimal::new(sum, -18)).unwrap()
}

fn minus(a: Decimal, b: Decimal) -> Decimal {
    Decimal::new(scaled(a) - scaled(b), -18).unwrap()
}

fn scaled(a: Decimal) -> i128 {
    a.mantissa() * 10_i128.pow((18 + i32::from(a.exponent())) as u32)
}

#[test]
fn an_inverse_fill_is_averaged_by_what_lots_are_worth() {
    let body = br#"{"code":"200000","data":{"sequence":7,"symbol":"ETHUSDM","bids":[],
        "asks":[[1000,100],[2000,100]],"ts":1790000000000000000}}"#;
    let mut book = Book::new(1000, usize::MAX);
    book.read(body).unwrap();
    let fill = spec("-1", true, 1).fill(&book, Side::Ask, Lots::new(200)).unwrap();
    // 0.1 and 0.05 coins for 200 units: not 1500, as a linear contract would have it.
    assert_eq!(fill.value.to_string(), "0.15");
    assert_eq!(fill.average.unwrap().to_string(), "1333.333333333333333333");
    assert_eq!(book.sweep(Side::Ask, Lots::new(200)).average().unwrap().to_string(), "1500");
}
