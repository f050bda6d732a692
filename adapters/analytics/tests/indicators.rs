//! Every indicator over any inputs with gaps anywhere: what it says is valid is what its formula, written down plainly
//! and over all at once, says of the inputs since the last gap.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "tests"
)]

use std::fmt::Debug;
use std::time::Duration;

use kucoin_futures_analytics::candle::Grid;
use kucoin_futures_analytics::{
    Atr, Bollinger, BookMeans, Ema, Fill, Indicator, Macd, Microprice, OrderFlowImbalance, Reading,
    RealisedVolatility, RollingVwap, Rsi, SessionVwap, Sma, Touch, Traded, TrueRangeInput,
    Valuation,
};
use kucoin_futures_proto::book::Level;
use kucoin_futures_proto::{ContractKind, Decimal, Lots, Price, UnixNanos};
use proptest::prelude::*;

mod batch;

const S: u64 = 1_000_000_000;

/// What happens: time passes, and then an input or a gap.
type Steps = Vec<(u64, Option<(Price, u64)>)>;

fn units(units: u64) -> Price {
    Price::from_scaled(i64::try_from(units).unwrap()).unwrap()
}

fn steps() -> impl Strategy<Value = Steps> {
    let near = (63_000_000..63_000_900_u64).prop_map(|price| units(price * 1_000_000_000));
    let any = (1..i64::MAX as u64).prop_map(units);
    // A price from far away now and then: whatever it leaves behind in a sum is seen.
    let price = prop_oneof![20 => near, 1 => any];
    let input = prop_oneof![12 => (price, 1..2_000_u64).prop_map(Some), 1 => Just(None)];
    // Whole half seconds, so that edges of windows are met.
    let passed = (0..7_u64).prop_map(|halves| halves * S / 2);
    proptest::collection::vec((passed, input), 0..90)
}

/// What a batch has said, and how far it may be off, relatively.
trait Close: Debug {
    fn is_close(&self, other: &Self) -> bool;
}

impl Close for Price {
    fn is_close(&self, other: &Self) -> bool {
        self == other
    }
}

impl Close for i128 {
    fn is_close(&self, other: &Self) -> bool {
        self == other
    }
}

/// A number, and the size of what it was computed from: near zero it can be no more exact than that.
#[derive(Clone, Copy, Debug)]
struct Of(f64, f64);

impl Close for Of {
    fn is_close(&self, other: &Self) -> bool {
        (self.0 - other.0).abs() <= 1e-12 * self.1.max(other.1)
    }
}

/// Runs an indicator over steps, and holds each word against `batch` of the inputs since the last gap; and, digit for
/// digit, against an indicator that has seen nothing but them.
fn check<I: Indicator<Output: PartialEq + Debug>, V: Close>(
    make: impl Fn() -> I,
    steps: &Steps,
    input: impl Fn(Price, u64, usize) -> I::Input,
    say: impl Fn(I::Output) -> V,
    batch: impl Fn(&[(UnixNanos, Price, u64, usize)]) -> Option<V>,
) -> Result<(), TestCaseError> {
    let (mut indicator, mut fresh) = (make(), make());
    let mut now = 1_790_000_000 * S;
    let mut since_gap = Vec::new();
    // What a number may depend on while it is stale: all since it began.
    let mut all = Vec::new();
    let (mut gap, mut had_value) = (None, false);
    for (number, (passed, step)) in steps.iter().enumerate() {
        now += passed;
        let at = UnixNanos::from_nanos(now);
        let reading = match step {
            Some((price, size)) => {
                since_gap.push((at, *price, *size, number));
                all.push((at, *price, *size, number));
                fresh.push(at, input(*price, *size, number));
                indicator.push(at, input(*price, *size, number))
            }
            None => {
                indicator.on_gap(at);
                indicator.on_gap(at);
                fresh = make();
                since_gap.clear();
                gap = had_value.then_some(at);
                if !had_value {
                    all.clear();
                }
                indicator.reading()
            }
        };
        let expected = batch(&since_gap);
        let afresh = fresh.reading();
        prop_assert_eq!(reading.valid(), afresh.valid());
        match reading {
            Reading::Valid { value, valid_since } => {
                let (value, expected) = (say(value), expected.unwrap());
                prop_assert!(value.is_close(&expected), "{:?} for {:?}", value, expected);
                prop_assert_eq!(Some(valid_since), since_gap.first().map(|input| input.0));
                if gap.take().is_some() {
                    all.clone_from(&since_gap);
                }
                had_value = true;
            }
            Reading::Stale { gap: said, value } => {
                let mut unaware = make();
                for (at, price, size, number) in &all {
                    unaware.push(*at, input(*price, *size, *number));
                }
                let unaware = unaware.reading();
                prop_assert_eq!(Some(&value), unaware.valid(), "as if nothing were missing");
                prop_assert!(expected.is_none(), "stale, and could be valid: {:?}", expected);
                prop_assert_eq!(Some(said), gap);
            }
            Reading::Warming { needed } => {
                prop_assert!(expected.is_none(), "warming, and could be valid: {:?}", expected);
                prop_assert!(needed > 0);
                prop_assert!(
                    gap.is_none(),
                    "a stale number goes on until a valid one takes its place"
                );
                had_value = false;
            }
        }
    }
    Ok(())
}

/// Near zero a difference of averages is as exact as the largest price.
fn highest(all: &[(UnixNanos, Price, u64, usize)]) -> f64 {
    batch::prices(all).into_iter().fold(0.0, f64::max)
}

/// Both sides move on their own, and often stay.
fn touch(price: Price, size: u64, number: usize) -> Touch {
    let level = |price, size| Level { price: units(price), size: Lots::new(size) };
    let (bid, ask) = (1_000 + number as u64 % 3, 1_010 + price.scaled() as u64 / 1_000_000_000 % 3);
    Touch { bid: level(bid, size), ask: level(ask, 1 + size * 31 % 977) }
}

fn fill(price: Price, size: u64, _: usize) -> Traded {
    Fill { price, size: Lots::new(size) }.into()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    #[test]
    fn sma_is_its_batch(steps in steps(), n in 1..9_u32) {
        check(|| Sma::new(n).unwrap(), &steps, |p, _, _| p, |v| v, |all| batch::sma(all, n as usize))?;
    }

    #[test]
    fn ema_is_its_batch(steps in steps(), n in 1..9_u32) {
        let say = |v: f64| Of(v, 0.0);
        check(|| Ema::new(n).unwrap(), &steps, |p, _, _| p, say, |all| {
            batch::ema(&batch::prices(all), n as usize).last().map(|v| Of(*v, highest(all)))
        })?;
    }

    #[test]
    fn rsi_is_its_batch(steps in steps(), n in 2..9_u32) {
        let say = |v: f64| Of(v, 100.0);
        check(|| Rsi::new(n).unwrap(), &steps, |p, _, _| p, say, |all| {
            batch::rsi(all, n as usize).map(|v| Of(v, 100.0))
        })?;
    }

    #[test]
    fn atr_is_its_batch(steps in steps(), n in 1..9_u32) {
        let input = |price: Price, size: u64, _: usize| TrueRangeInput {
            high: units((price.scaled() as u64).saturating_add(size * 1_000_000).min(i64::MAX as u64)),
            low: units((price.scaled() as u64).saturating_sub(size * 900_000)),
            close: price,
        };
        check(|| Atr::new(n).unwrap(), &steps, input, |v| Of(v, v), |all| {
            let candles: Vec<_> = all.iter().map(|(_, p, s, n)| input(*p, *s, *n)).collect();
            batch::atr(&candles, n as usize).map(|v| Of(v, v))
        })?;
    }

    #[test]
    fn bollinger_bands_are_their_batch(steps in steps(), n in 2..9_u32) {
        check(|| Bollinger::new(n, 2.0).unwrap(), &steps, |p, _, _| p,
            |bands| [Of(bands.middle, bands.middle), Of(bands.deviation, bands.deviation),
                Of(bands.upper - bands.lower, 1e3 * bands.middle)],
            |all| batch::deviation(all, n as usize).map(|(mean, deviation)| {
                [Of(mean, mean), Of(deviation, deviation), Of(4.0 * deviation, 0.0)]
            }))?;
    }

    #[test]
    fn macd_is_its_batch(steps in steps(), fast in 1..4_u32, more in 1..4_u32, signal in 1..4_u32) {
        let slow = fast + more;
        let of = |v: f64| Of(v, 0.0);
        check(|| Macd::new(fast, slow, signal).unwrap(), &steps, |p, _, _| p,
            |v| [of(v.macd), of(v.signal), of(v.histogram)],
            |all| batch::macd(&batch::prices(all), [fast, slow, signal].map(|n| n as usize))
                .map(|lines| lines.map(|v| Of(v, highest(all)))))?;
    }

    #[test]
    fn volatility_is_its_batch(steps in steps(), n in 1..9_u32) {
        check(|| RealisedVolatility::new(n).unwrap(), &steps, |p, _, _| p, |v| Of(v, v), |all| {
            batch::volatility(all, n as usize).map(|v| Of(v, 0.0))
        })?;
        let year = (365.0 * 86_400.0 / (60.0 * f64::from(n))).sqrt();
        let annualised = || RealisedVolatility::annualised(n, Duration::from_secs(60)).unwrap();
        check(annualised, &steps, |p, _, _| p, |v| Of(v, v), |all| {
            batch::volatility(all, n as usize).map(|v| Of(v * year, 0.0))
        })?;
    }

    #[test]
    fn vwap_is_its_batch(steps in steps(), n in 1..9_u32, span in 1..9_u64) {
        for kind in [ContractKind::Linear, ContractKind::Inverse] {
            check(|| RollingVwap::of_last(kind, n).unwrap(), &steps, fill, |v| v, |all| {
                batch::vwap(kind, all.get(all.len().checked_sub(n as usize)?..)?)
            })?;
            let spanned = || RollingVwap::of_span(kind, Duration::from_secs(span)).unwrap();
            check(spanned, &steps, fill, |v| v, |all| batch::vwap(kind, batch::within(all, span * S)?))?;
        }
    }

    #[test]
    fn order_flow_is_its_batch(steps in steps(), n in 1..9_u32, span in 1..9_u64) {
        let touches = |all: &[(UnixNanos, Price, u64, usize)]| -> Vec<(u64, Touch)> {
            all.iter().map(|(at, p, s, n)| (at.as_nanos(), touch(*p, *s, *n))).collect()
        };
        check(|| OrderFlowImbalance::of_last(n).unwrap(), &steps, touch, |v| v, |all| {
            let flows = batch::flows(&touches(all));
            let last = flows.get(flows.len().checked_sub(n as usize)?..)?;
            Some(last.iter().map(|flow| flow.1).sum())
        })?;
        let spanned = || OrderFlowImbalance::of_span(Duration::from_secs(span)).unwrap();
        check(spanned, &steps, touch, |v| v, |all| {
            let begin = all.last()?.0.as_nanos() - span * S;
            let flows = batch::flows(&touches(all));
            (all[0].0.as_nanos() <= begin)
                .then(|| flows.iter().filter(|flow| flow.0 > begin).map(|flow| flow.1).sum())
        })?;
    }

    #[test]
    fn microprice_is_its_batch(steps in steps()) {
        check(Microprice::new, &steps, touch, |v| v, |all| {
            let (_, price, size, number) = *all.last()?;
            batch::microprice(touch(price, size, number))
        })?;
    }

    #[test]
    fn means_over_time_are_sums_over_nanoseconds(
        steps in proptest::collection::vec((0..30_u64, proptest::option::weighted(0.9, (0..4_u64, 0..9_u64))), 0..60),
        span in 1..40_u64,
    ) {
        let mut means = BookMeans::new(Duration::from_nanos(span), 3).unwrap();
        // The state in each nanosecond since the last gap.
        let mut states: Vec<(u64, u64)> = Vec::new();
        let (mut now, mut last) = (1_000, None);
        for (passed, step) in steps {
            now += passed;
            let at = UnixNanos::from_nanos(now);
            if let Some(last) = last {
                states.extend((0..passed).map(|_| last));
            }
            let reading = match step {
                Some((spread, lots)) => {
                    last = Some((spread, lots));
                    means.observe(at, Some(&batch::book(spread, lots))).unwrap()
                }
                None => {
                    states.clear();
                    last = None;
                    means.observe(at, None).unwrap_err();
                    means.reading()
                }
            };
            let window = states.len().checked_sub(span as usize).map(|from| &states[from..]);
            prop_assert_eq!(reading.valid().is_some(), window.is_some());
            if let Some((mean, window)) = reading.valid().zip(window) {
                let spread: u64 = window.iter().map(|state| state.0 + 1).sum();
                let lots: u64 = window.iter().map(|state| state.1 + 3).sum();
                let expected = Decimal::new(i128::from(spread * 1_000_000_000_000 / span), -12);
                prop_assert_eq!(Some(mean.spread), expected);
                prop_assert_eq!(mean.bid_lots, lots as f64 / span as f64);
                prop_assert_eq!(mean.ask_lots, (7 * window.len()) as f64 / span as f64);
            }
        }
    }

    #[test]
    fn a_session_is_whole_or_stale(steps in steps()) {
        let grid = Grid::every(Duration::from_secs(11)).unwrap();
        let mut vwap = SessionVwap::of_grid(ContractKind::Linear, grid);
        let mut now = 1_790_000_000 * S;
        let mut all: Vec<(UnixNanos, Option<(Price, u64)>)> = Vec::new();
        for (passed, step) in steps {
            now += passed;
            let at = UnixNanos::from_nanos(now);
            all.push((at, step));
            let reading = match step {
                Some((price, size)) => vwap.push(at, fill(price, size, 0)),
                None => {
                    vwap.on_gap(at);
                    continue;
                }
            };
            let start = grid.start_of(at);
            let first = all.iter().position(|(at, _)| *at >= start).unwrap();
            let inside = || all[first..].iter().filter_map(|(at, fill)| fill.map(|f| (*at, f.0, f.1, 0)));
            // Whole: a fill before the begin, and no gap since the last of those.
            let before = all[..first].iter().rposition(|(_, fill)| fill.is_some());
            let is_whole = before.is_some_and(|at| all[at..].iter().all(|(_, fill)| fill.is_some()));
            let expected = batch::vwap(ContractKind::Linear, &inside().collect::<Vec<_>>());
            prop_assert_eq!(reading.value(), expected.as_ref());
            prop_assert_eq!(reading.valid().is_some(), is_whole, "{:?}", all);
            if let Reading::Stale { gap, .. } = reading {
                let missed = all[before.unwrap_or(0)..].iter().rfind(|(_, fill)| fill.is_none());
                let first = all.iter().find(|(_, fill)| fill.is_some());
                prop_assert_eq!(Some(gap), missed.or(first).map(|(at, _)| *at));
            }
        }
    }
}

impl<const N: usize> Close for [Of; N] {
    fn is_close(&self, other: &Self) -> bool {
        self.iter().zip(other).all(|(a, b)| a.is_close(b))
    }
}

#[test]
fn a_session_that_was_anchored_is_whole_at_once() {
    let mut vwap = SessionVwap::anchored(ContractKind::Linear);
    let at = |seconds: u64| UnixNanos::from_nanos(seconds * S);
    assert!(vwap.push(at(1), fill("5".parse().unwrap(), 1, 0)).is_stale());
    vwap.anchor(at(2));
    vwap.push(at(3), fill("7".parse().unwrap(), 1, 0));
    let said = vwap.push(at(4), fill("8".parse().unwrap(), 3, 0));
    assert_eq!(
        (said.valid().unwrap().to_string(), said.valid_since()),
        ("7.75".into(), Some(at(3)))
    );
}

#[test]
fn a_time_from_far_ahead_does_not_hold_a_window_for_ever() {
    let second = Duration::from_secs(1);
    let mut vwap = RollingVwap::of_span(ContractKind::Linear, second).unwrap();
    let mut means = BookMeans::new(second, 1).unwrap();
    let times = [0, 1, 2, 9_000_000, 3, 4, 5].map(|seconds| UnixNanos::from_nanos(seconds * S));
    let said = times.map(|at| {
        let book = batch::book(1, at.as_nanos() / S);
        let mean = means.observe(at, Some(&book)).unwrap().valid().map(|mean| mean.bid_lots);
        let price = units(1_000 + at.as_nanos() / S);
        (vwap.push(at, fill(price, 1, 0)).valid().map(|price| price.scaled()), mean)
    });
    let expected = [(None, None), (Some(1_001), Some(1.0)), (Some(1_002), Some(2.0))];
    assert_eq!(said[..3], expected);
    assert_eq!(said[4..], [(None, None), (Some(1_004), Some(4.0)), (Some(1_005), Some(5.0))]);
}

#[test]
fn a_late_fill_is_of_no_session_and_a_wrong_time_of_none_for_long() {
    let grid = Grid::every(Duration::from_secs(100)).unwrap();
    let mut vwap = SessionVwap::of_grid(ContractKind::Linear, grid);
    let mut push = |second: u64, price: &str| {
        vwap.push(UnixNanos::from_nanos(second * S), fill(price.parse().unwrap(), 1, 0))
    };
    push(1_050, "5");
    push(1_100, "6");
    assert_eq!(push(1_099, "9").valid().unwrap().to_string(), "6", "of the session before");
    assert_eq!(push(9_999, "50").valid().unwrap().to_string(), "50");
    let said = push(1_101, "8");
    assert!(said.is_stale() && said.value().unwrap().to_string() == "8", "{said:?}");
    assert_eq!(push(1_200, "7").valid().unwrap().to_string(), "7");
}

#[test]
fn what_a_flat_market_says() {
    let price: Price = "63000.1".parse().unwrap();
    let at = UnixNanos::from_nanos(1);
    let (mut rsi, mut bands) = (Rsi::new(3).unwrap(), Bollinger::new(3, 2.0).unwrap());
    for _ in 0..9 {
        rsi.push(at, price);
        bands.push(at, price);
    }
    assert_eq!(rsi.reading(), Reading::Warming { needed: 1 }, "nothing has moved");
    assert_eq!(bands.reading().valid().unwrap().deviation, 0.0);
    assert_eq!(bands.reading().valid().unwrap().middle, 63000.1);
}

#[test]
fn warm_ups_are_what_they_are_said_to_be() {
    fn inputs<I: Indicator<Input = Price>>(mut indicator: I) -> (u32, u32) {
        let mut said = Vec::new();
        for n in 0..100_u64 {
            let price = units(1_000_000 + n * n % 7);
            let reading = indicator.push(UnixNanos::from_nanos(n), price);
            if let Reading::Warming { needed } = reading {
                said.push(needed);
            } else {
                break;
            }
        }
        let counted = said.len() as u32 + 1;
        assert_eq!(said, (1..counted).rev().collect::<Vec<_>>(), "one less each time");
        (counted, indicator.warm_up())
    }
    assert_eq!(inputs(Sma::new(20).unwrap()), (20, 20));
    assert_eq!(inputs(Ema::new(20).unwrap()), (20, 20));
    assert_eq!(inputs(Rsi::new(14).unwrap()), (15, 15));
    assert_eq!(inputs(Bollinger::new(20, 2.0).unwrap()), (20, 20));
    assert_eq!(inputs(Macd::new(12, 26, 9).unwrap()), (34, 34));
    assert_eq!(inputs(RealisedVolatility::new(20).unwrap()), (21, 21));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    /// What candles state of their trades is enough for an average over volume.
    #[test]
    fn an_average_of_candles_is_that_of_their_fills(
        fills in proptest::collection::vec((1..1_000_000_000_000_000_u64, 1..100_000_u64), 1..60),
        per_candle in 1..7_usize,
        lot in 1..50_000_i128,
    ) {
        let lot = Decimal::new(lot, -5).unwrap();
        let worth = Valuation::linear(lot).unwrap();
        let mut by_fill = RollingVwap::of_last(ContractKind::Linear, fills.len() as u32).unwrap();
        let candles: Vec<_> = fills.chunks(per_candle).collect();
        let mut by_candle = RollingVwap::of_last(ContractKind::Linear, candles.len() as u32).unwrap();
        let at = UnixNanos::from_nanos(1);
        for candle in candles {
            let (mut lots, mut value) = (0, 0_i128);
            for &(price, size) in candle {
                let _ = by_fill.push(at, Fill { price: units(price), size: Lots::new(size) }.into());
                lots += size;
                value += i128::from(price) * i128::from(size);
            }
            let turnover = Decimal::new(value * lot.mantissa(), lot.exponent() - 12).unwrap();
            let traded = Traded::of_turnover(&worth, Lots::new(lots), turnover).unwrap();
            let _ = by_candle.push(at, traded);
        }
        let (fills, candles) = (by_fill.reading(), by_candle.reading());
        prop_assert!(fills.valid().is_some());
        prop_assert_eq!(fills.valid(), candles.valid());
    }
}

#[test]
fn an_average_of_candles_settled_in_coins_is_near_that_of_their_fills() {
    // A lot is a dollar: 10 of them at 40 000 and 30 at 50 000 are 0.00025 and 0.0006 coins.
    let worth = Valuation::inverse("1".parse().unwrap()).unwrap();
    let turnover = "0.00085".parse().unwrap();
    let traded = Traded::of_turnover(&worth, Lots::new(40), turnover).unwrap();
    let mut vwap = RollingVwap::of_last(ContractKind::Inverse, 1).unwrap();
    let said = vwap.push(UnixNanos::from_nanos(1), traded);
    assert_eq!(said.valid().unwrap().to_string(), "47058.823529411764");
    assert_eq!(Traded::of_turnover(&worth, Lots::new(40), "-1".parse().unwrap()), None);
    assert_eq!(Traded::of_turnover(&worth, Lots::new(40), "1e60".parse().unwrap()), None);
}
