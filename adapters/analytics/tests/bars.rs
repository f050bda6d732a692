//! Bars that are over when something is full, against sums over all trades.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

use kucoin_futures_analytics::bar::{BarBuilder, BarRule, ImbalanceConfig};
use kucoin_futures_analytics::candle::{Candle, CandleEvent};
use kucoin_futures_analytics::{ParameterError, Tick, Valuation};
use kucoin_futures_proto::wire::TakerSide;
use kucoin_futures_proto::{Decimal, Lots, Price, Sequence, UnixNanos};
use proptest::prelude::*;

fn tick(sequence: u64, price: u64, size: u64) -> Tick {
    Tick {
        time: UnixNanos::from_millis(1_790_000_000_000 + sequence * 20),
        sequence: Sequence::new(sequence),
        taker_side: if price.is_multiple_of(3) { TakerSide::Sell } else { TakerSide::Buy },
        price: Price::from_scaled((price * 100_000_000_000) as i64).unwrap(),
        size: Lots::new(size),
    }
}

fn ticks() -> impl Strategy<Value = Vec<Tick>> {
    proptest::collection::vec((630_000..630_050_u64, 1..40_u64), 0..150).prop_map(|trades| {
        trades.into_iter().zip(1..).map(|((price, size), n)| tick(n, price, size)).collect()
    })
}

fn valuation() -> Valuation {
    Valuation::linear("0.001".parse().unwrap()).unwrap()
}

/// Closed bars and the one that is not full.
fn bars(rule: BarRule, ticks: &[Tick]) -> (Vec<Candle>, Option<Candle>) {
    let mut builder = BarBuilder::new(rule, valuation()).unwrap();
    let mut events = Vec::new();
    ticks.iter().for_each(|tick| builder.push(tick, &mut events));
    let closed = events.iter().map(|event| match event {
        CandleEvent::Closed(bar) => *bar,
        other => panic!("{other:?}"),
    });
    (closed.collect(), builder.running())
}

/// Each trade is in one bar; each closed bar is full with its last trade, and was not before it.
fn check(
    rule: BarRule,
    ticks: &[Tick],
    is_full: impl Fn(&[Tick]) -> bool,
) -> Result<(), TestCaseError> {
    let (closed, running) = bars(rule, ticks);
    let mut from = 0;
    for bar in closed.iter().chain(&running) {
        let trades = &ticks[from..from + bar.trades.unwrap() as usize];
        from += trades.len();
        prop_assert!(!is_full(&trades[..trades.len() - 1]));
        prop_assert_eq!(is_full(trades), bar.is_closed);
        let prices = || trades.iter().map(|tick| tick.price);
        let ends = [prices().next(), prices().max(), prices().min(), prices().next_back()];
        prop_assert_eq!(ends.map(Option::unwrap), [bar.open, bar.high, bar.low, bar.close]);
        prop_assert_eq!(bar.lots, lots(trades));
        prop_assert_eq!(bar.turnover, Decimal::new(units(trades), -15));
        let times = [trades.first(), trades.last()].map(|tick| tick.unwrap().time.unwrap());
        prop_assert_eq!(times, [bar.start, bar.end]);
        prop_assert!(bar.is_whole);
    }
    prop_assert_eq!(from, ticks.len());
    Ok(())
}

fn lots(ticks: &[Tick]) -> u128 {
    ticks.iter().map(|tick| u128::from(tick.size.get())).sum()
}

fn units(ticks: &[Tick]) -> i128 {
    ticks.iter().map(|tick| i128::from(tick.price.scaled()) * i128::from(tick.size.get())).sum()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn bars_are_full_and_no_fuller(ticks in ticks(), n in 1..30_u64, amount in 1..400_u64) {
        check(BarRule::Ticks(n), &ticks, |bar| bar.len() as u64 >= n)?;
        check(BarRule::Lots(u128::from(amount)), &ticks, |bar| lots(bar) >= u128::from(amount))?;
        let value = Decimal::new(i128::from(amount) * 10_037, -2).unwrap();
        check(BarRule::Value(value), &ticks, |bar| {
            Decimal::new(units(bar), -15).unwrap() >= value
        })?;
    }

    #[test]
    fn imbalance_bars_follow_what_is_written_of_them(ticks in ticks(), start in 2..40_u32) {
        let config = ImbalanceConfig {
            expected_ticks: start,
            expected_imbalance: 0.5,
            bars: 3,
            least_ticks: 2,
            most_ticks: 60,
        };
        let (closed, _) = bars(BarRule::Imbalance(config), &ticks);
        let (mut expected_ticks, mut expected_sign) = (f64::from(start), 0.5_f64);
        let (mut sum, mut count, mut lengths) = (0.0_f64, 0.0_f64, Vec::new());
        for tick in &ticks {
            sum += if tick.taker_side == TakerSide::Buy { 1.0 } else { -1.0 };
            count += 1.0;
            if sum.abs() >= (expected_ticks * expected_sign.abs()).max(1.0) {
                lengths.push(count as u64);
                // Rounded as it is written, or a threshold may be met a hair earlier.
                expected_ticks = (expected_ticks + 0.5 * (count - expected_ticks)).clamp(2.0, 60.0);
                expected_sign += 0.5 * (sum / count - expected_sign);
                (sum, count) = (0.0, 0.0);
            }
        }
        let said: Vec<u64> = closed.iter().map(|bar| bar.trades.unwrap()).collect();
        prop_assert_eq!(said, lengths);
    }
}

#[test]
fn a_bar_with_a_gap_goes_on_and_is_not_whole() {
    let mut builder = BarBuilder::new(BarRule::Ticks(2), valuation()).unwrap();
    let mut events = Vec::new();
    // Between two bars: whoever has the one before does not have all that is before this one.
    builder.on_gap();
    for sequence in 1..=3 {
        builder.push(&tick(sequence, 10, 1), &mut events);
    }
    builder.on_gap();
    assert!(!builder.running().unwrap().is_whole);
    for sequence in 9..=11 {
        builder.push(&tick(sequence, 10, 1), &mut events);
    }
    let whole: Vec<bool> = events
        .iter()
        .map(|event| if let CandleEvent::Closed(bar) = event { bar.is_whole } else { panic!() })
        .collect();
    assert_eq!(whole, [false, false, true]);
    builder.push(&tick(2, 10, 1), &mut events);
    assert!(matches!(events.last(), Some(CandleEvent::Late { candle_start: None, .. })));
}

#[test]
fn what_is_worth_a_hair_less_does_not_fill_a_bar() {
    let price = |text: &str| Tick { price: text.parse().unwrap(), ..tick(1, 1, 1) };
    for (text, closed) in [("333.333333333333", 0), ("333.333333333334", 1)] {
        let rule = BarRule::Value("1".parse().unwrap());
        let third = Valuation::linear("0.003".parse().unwrap()).unwrap();
        let mut builder = BarBuilder::new(rule, third).unwrap();
        let mut events = Vec::new();
        builder.push(&price(text), &mut events);
        assert_eq!(events.len(), closed, "{text}");
    }
}

#[test]
fn what_is_no_rule_is_refused() {
    let new = |rule| BarBuilder::new(rule, valuation()).unwrap_err();
    assert_eq!(new(BarRule::Ticks(0)), ParameterError::Zero);
    assert_eq!(new(BarRule::Lots(0)), ParameterError::Zero);
    assert_eq!(new(BarRule::Value(Decimal::ZERO)), ParameterError::NotPositive);
    let large = Decimal::new(1, 100).unwrap();
    assert_eq!(new(BarRule::Value(large)), ParameterError::TooLarge);
    let config = ImbalanceConfig {
        expected_ticks: 5,
        expected_imbalance: f64::NAN,
        bars: 3,
        least_ticks: 2,
        most_ticks: 60,
    };
    assert_eq!(new(BarRule::Imbalance(config)), ParameterError::NotPositive);
    let config = ImbalanceConfig { expected_ticks: 1, expected_imbalance: 0.5, ..config };
    assert_eq!(new(BarRule::Imbalance(config)), ParameterError::Order);
}
