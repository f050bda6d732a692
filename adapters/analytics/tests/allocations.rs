//! Once warm, and once a gap was recovered from, nothing allocates: counted, not claimed.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

use std::time::Duration;

use allocation_counter::measure;
use kucoin_futures_analytics::bar::{BarBuilder, BarRule, ImbalanceConfig};
use kucoin_futures_analytics::candle::{CandleBuilder, Grid};
use kucoin_futures_analytics::{
    Atr, Bollinger, BookMeans, Ema, Indicator, Macd, Microprice, OrderFlowImbalance,
    RealisedVolatility, RollingVwap, Rsi, SessionVwap, Sma, Tick, Touch, Traded, TrueRangeInput,
    Valuation,
};
use kucoin_futures_proto::book::Level;
use kucoin_futures_proto::wire::TakerSide;
use kucoin_futures_proto::{
    Book, ContractKind, Interval, Lots, Price, Sequence, SplitMix64, UnixNanos,
};

const TICKS: u64 = 20_000;
const MS: u64 = 1_000_000;

/// A random walk of trades, 10 ms apart.
fn walk(from: u64) -> impl Iterator<Item = Tick> {
    let mut rng = SplitMix64::new(from + 1);
    let mut price = 630_000_u64;
    (from..from + TICKS).map(move |number| {
        price = (price + rng.below(5)).saturating_sub(2).max(1);
        Tick {
            time: Some(UnixNanos::from_nanos(1_790_000_000_000 * MS + number * 10 * MS)),
            sequence: Sequence::new(number),
            taker_side: if rng.below(2) == 0 { TakerSide::Buy } else { TakerSide::Sell },
            price: Price::from_scaled((price * 100_000_000_000) as i64).unwrap(),
            size: Lots::new(1 + rng.below(50)),
        }
    })
}

fn run<I: Indicator>(indicator: &mut I, from: u64, input: fn(&Tick) -> I::Input) {
    for tick in walk(from) {
        indicator.push(tick.time.unwrap(), input(&tick));
    }
}

/// Warms up, goes through a gap, and counts.
fn check<I: Indicator>(name: &str, mut indicator: I, input: fn(&Tick) -> I::Input) {
    run(&mut indicator, 0, input);
    let gap = UnixNanos::from_nanos(1_790_000_300_000 * MS);
    indicator.on_gap(gap);
    run(&mut indicator, TICKS, input);
    let counted = measure(|| {
        run(&mut indicator, 2 * TICKS, input);
        indicator.on_gap(gap);
        run(&mut indicator, 3 * TICKS, input);
    });
    assert_eq!(counted.count_total, 0, "{name}");
    assert!(indicator.reading().valid().is_some(), "{name} has recovered");
}

fn price(tick: &Tick) -> Price {
    tick.price
}

fn fill(tick: &Tick) -> Traded {
    Traded::from(tick)
}

fn touch(tick: &Tick) -> Touch {
    let level = |price, size| Level { price, size };
    let ask = Price::from_scaled(tick.price.scaled() + 100_000_000_000).unwrap();
    Touch { bid: level(tick.price, tick.size), ask: level(ask, Lots::new(7)) }
}

#[test]
fn indicators_allocate_nothing_when_warm() {
    let (linear, inverse) = (ContractKind::Linear, ContractKind::Inverse);
    let second = Duration::from_secs(1);
    check("sma", Sma::new(20).unwrap(), price);
    check("ema", Ema::new(20).unwrap(), price);
    check("rsi", Rsi::new(14).unwrap(), price);
    check("bollinger", Bollinger::new(20, 2.0).unwrap(), price);
    check("macd", Macd::new(12, 26, 9).unwrap(), price);
    check("volatility", RealisedVolatility::new(60).unwrap(), price);
    check("vwap of n", RollingVwap::of_last(linear, 100).unwrap(), fill);
    check("vwap of a span", RollingVwap::of_span(inverse, second).unwrap(), fill);
    check("order flow of n", OrderFlowImbalance::of_last(100).unwrap(), touch);
    check("order flow of a span", OrderFlowImbalance::of_span(second).unwrap(), touch);
    check("microprice", Microprice::new(), touch);
    check("atr", Atr::new(14).unwrap(), |tick| TrueRangeInput {
        high: tick.price,
        low: tick.price,
        close: tick.price,
    });
}

#[test]
fn a_session_allocates_nothing() {
    let grid = Grid::of(Interval::Min1).unwrap();
    let counted = measure(|| {
        let mut session = SessionVwap::of_grid(ContractKind::Inverse, grid);
        run(&mut session, 0, fill);
    });
    assert_eq!(counted.count_total, 0);
}

#[test]
fn candles_and_bars_allocate_nothing_but_the_callers_list() {
    let valuation = Valuation::linear("0.001".parse().unwrap()).unwrap();
    let mut candles = CandleBuilder::new(Grid::of(Interval::Min1).unwrap(), valuation);
    let imbalance = ImbalanceConfig {
        expected_ticks: 50,
        expected_imbalance: 0.2,
        bars: 20,
        least_ticks: 10,
        most_ticks: 500,
    };
    let value = BarRule::Value("500".parse().unwrap());
    let rules = [BarRule::Ticks(9), BarRule::Lots(99), value, BarRule::Imbalance(imbalance)];
    let mut bars = rules.map(|rule| BarBuilder::new(rule, valuation).unwrap());
    let mut events = Vec::with_capacity(64);
    let mut closed = 0;
    let counted = measure(|| {
        for tick in walk(0) {
            candles.push(&tick, &mut events);
            bars.iter_mut().for_each(|bars| bars.push(&tick, &mut events));
            closed += events.len();
            events.clear();
        }
    });
    assert_eq!(counted.count_total, 0);
    assert!(closed > 3_000, "{closed}");
}

#[test]
fn means_of_a_book_allocate_nothing_when_warm() {
    let mut books = Vec::new();
    for lots in 1..50 {
        let mut book = Book::new(1000, usize::MAX);
        let body = format!(
            r#"{{"code":"200000","data":{{"sequence":1,"symbol":"XBTUSDTM","bids":[[100,{lots}]],
            "asks":[[101,4]],"ts":1790000000000000000}}}}"#
        );
        book.read(body.as_bytes()).unwrap();
        books.push(book);
    }
    let mut means = BookMeans::new(Duration::from_secs(1), 5).unwrap();
    let mut look = |from: u64| {
        for number in from..from + 5_000 {
            let at = UnixNanos::from_nanos(number * 10 * MS);
            let book = books.get(number as usize % 49);
            // Now and then there is no book.
            let _ = means.observe(at, book.filter(|_| number % 4_000 != 0));
        }
        means.reading().valid().is_some()
    };
    assert!(look(1) && look(5_001));
    let mut is_valid = false;
    let counted = measure(|| is_valid = look(10_001));
    assert_eq!((counted.count_total, is_valid), (0, true));
}
