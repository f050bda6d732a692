//! One more trade or candle into an indicator, its number read each time; other libraries over the same walk.
//!
//! On paper: a sum of 128 bits is two additions for what comes and two for what goes, and a mean of it one division of a
//! word by a small number, 5 ns; an exponential average is three operations that wait for each other, 4 ns; a root is 6 ns
//! and a logarithm 10. Exact sums of squares are three products of two words each, 10 ns, and twice that where they do
//! not fit into 128 bits. A quotient of two words by one is 15 ns, and an inverse contract needs three. Knowing about
//! gaps is one branch that is always guessed right.
//!
//! What rivals leave out: their numbers are floats throughout, their sums drift, and they know of no gaps. `ta` keeps
//! what it has added in a float and takes it off again; `yata` begins with as many copies of the first price, so that its
//! first numbers are of prices that never were.

#![allow(missing_docs, reason = "a benchmark")]

mod common;

use std::hint::black_box;
use std::time::Duration;

use criterion::measurement::WallTime;
use criterion::{BatchSize, BenchmarkGroup, Criterion, criterion_group, criterion_main};
use kucoin_futures_analytics::bar::{BarBuilder, BarRule};
use kucoin_futures_analytics::candle::{CandleBuilder, Grid};
use kucoin_futures_analytics::{
    Atr, Bollinger, BookMeans, Ema, Indicator, Macd, Microprice, OrderFlowImbalance,
    ParameterError, RealisedVolatility, RollingVwap, Rsi, SessionVwap, Sma, Tick, Touch, Traded,
    TrueRangeInput, Valuation,
};
use kucoin_futures_bench::ours::NAME as OURS;
use kucoin_futures_bench::run;
use kucoin_futures_proto::book::Level;
use kucoin_futures_proto::wire::TakerSide;
use kucoin_futures_proto::{
    Book, ContractKind, Interval, Lots, Price, Sequence, SplitMix64, UnixNanos,
};
use ta::Next;
use yata::core::Method;

type Group<'a> = BenchmarkGroup<'a, WallTime>;

const MS: u64 = 1_000_000;

/// A random walk in ticks of 0.1, a trade every 10 ms.
fn walk() -> Vec<Tick> {
    let mut rng = SplitMix64::new(1);
    let mut price = 630_000_u64;
    let ticks = (0..run::sized(100_000) as u64).filter_map(|number| {
        price = (price + rng.below(5)).saturating_sub(2).max(1);
        Some(Tick {
            time: Some(time(number)),
            sequence: Sequence::new(number + 1),
            taker_side: if rng.below(2) == 0 { TakerSide::Buy } else { TakerSide::Sell },
            price: Price::from_scaled(i64::try_from(price * 100_000_000_000).ok()?)?,
            size: Lots::new(1 + rng.below(50)),
        })
    });
    ticks.collect()
}

fn time(number: u64) -> UnixNanos {
    UnixNanos::from_nanos(1_790_000_000_000 * MS + number * 10 * MS)
}

fn floats(ticks: &[Tick]) -> Vec<f64> {
    ticks.iter().map(|tick| tick.price.scaled() as f64 / 1e12).collect()
}

/// The whole walk into a new one; memory is there before.
fn ours<I: Indicator + Clone>(
    group: &mut Group<'_>,
    name: &str,
    ticks: &[Tick],
    make: impl Fn() -> Result<I, ParameterError>,
    input: impl Fn(&Tick) -> I::Input,
) where
    I::Input: Copy,
{
    let inputs: Vec<_> = ticks.iter().filter_map(|tick| Some((tick.time?, input(tick)))).collect();
    let Ok(indicator) = make() else { return };
    group.bench_function(name, |bench| {
        let walk = |indicator: &mut I| {
            for &(at, input) in &inputs {
                black_box(indicator.push(at, input));
            }
        };
        bench.iter_batched_ref(|| indicator.clone(), walk, BatchSize::PerIteration);
    });
}

fn rival<V>(group: &mut Group<'_>, name: &str, prices: &[f64], mut next: impl FnMut(f64) -> V) {
    group.bench_function(name, |bench| {
        bench.iter(|| {
            for &price in prices {
                black_box(next(price));
            }
        });
    });
}

fn averages(criterion: &mut Criterion) {
    let ticks = walk();
    let floats = floats(&ticks);
    let first = floats.first().copied().unwrap_or_default();
    let price = |tick: &Tick| tick.price;

    let mut group = common::group(criterion, "analytics, sma 20", ticks.len());
    ours(&mut group, OURS, &ticks, || Sma::new(20), price);
    if let Ok(mut sma) = ta::indicators::SimpleMovingAverage::new(20) {
        rival(&mut group, "ta", &floats, |price| sma.next(price));
    }
    if let Ok(mut sma) = yata::methods::SMA::new(20, &first) {
        rival(&mut group, "yata", &floats, |price| sma.next(&price));
    }
    group.finish();

    let mut group = common::group(criterion, "analytics, ema 20", ticks.len());
    ours(&mut group, OURS, &ticks, || Ema::new(20), price);
    if let Ok(mut ema) = ta::indicators::ExponentialMovingAverage::new(20) {
        rival(&mut group, "ta", &floats, |price| ema.next(price));
    }
    if let Ok(mut ema) = yata::methods::EMA::new(20, &first) {
        rival(&mut group, "yata", &floats, |price| ema.next(&price));
    }
    group.finish();

    let mut group = common::group(criterion, "analytics, macd 12 26 9", ticks.len());
    ours(&mut group, OURS, &ticks, || Macd::new(12, 26, 9), price);
    if let Ok(mut macd) = ta::indicators::MovingAverageConvergenceDivergence::new(12, 26, 9) {
        rival(&mut group, "ta", &floats, |price| macd.next(price));
    }
    group.finish();
}

fn spreads(criterion: &mut Criterion) {
    let ticks = walk();
    let floats = floats(&ticks);
    let first = floats.first().copied().unwrap_or_default();
    let price = |tick: &Tick| tick.price;

    let mut group = common::group(criterion, "analytics, rsi 14", ticks.len());
    ours(&mut group, OURS, &ticks, || Rsi::new(14), price);
    if let Ok(mut rsi) = ta::indicators::RelativeStrengthIndex::new(14) {
        rival(&mut group, "ta (no Wilder)", &floats, |price| rsi.next(price));
    }
    group.finish();

    let mut group = common::group(criterion, "analytics, bollinger 20", ticks.len());
    ours(&mut group, OURS, &ticks, || Bollinger::new(20, 2.0), price);
    if let Ok(mut bands) = ta::indicators::BollingerBands::new(20, 2.0) {
        rival(&mut group, "ta", &floats, |price| bands.next(price));
    }
    if let Ok(mut deviation) = yata::methods::StDev::new(20, &first) {
        rival(&mut group, "yata (deviation alone)", &floats, |price| deviation.next(&price));
    }
    group.finish();

    let mut group = common::group(criterion, "analytics, atr 14", ticks.len());
    let candle = |tick: &Tick| TrueRangeInput {
        high: Price::from_scaled(tick.price.scaled() + 200_000_000_000).unwrap_or_default(),
        low: tick.price,
        close: tick.price,
    };
    ours(&mut group, OURS, &ticks, || Atr::new(14), candle);
    if let Ok(mut atr) = ta::indicators::AverageTrueRange::new(14) {
        rival(&mut group, "ta (no Wilder)", &floats, |price| {
            let bar = ta::DataItem::builder().open(price).high(price + 0.2).low(price);
            bar.close(price).volume(1.0).build().map(|bar| atr.next(&bar))
        });
    }
    group.finish();

    let mut group = common::group(criterion, "analytics, volatility 60", ticks.len());
    ours(&mut group, OURS, &ticks, || RealisedVolatility::new(60), price);
    group.finish();
}

fn volumes(criterion: &mut Criterion) {
    let ticks = walk();
    let fill = |tick: &Tick| Traded::from(tick);
    let kinds = [(OURS, ContractKind::Linear), ("ours, inverse", ContractKind::Inverse)];
    let mut group = common::group(criterion, "analytics, vwap 100", ticks.len());
    for (name, kind) in kinds {
        ours(&mut group, name, &ticks, || RollingVwap::of_last(kind, 100), fill);
    }
    group.finish();
    let mut group = common::group(criterion, "analytics, vwap 1 s", ticks.len());
    for (name, kind) in kinds {
        let span = || RollingVwap::of_span(kind, Duration::from_secs(1));
        ours(&mut group, name, &ticks, span, fill);
    }
    group.finish();
    let mut group = common::group(criterion, "analytics, vwap session", ticks.len());
    for (name, kind) in kinds {
        let day = || Ok(SessionVwap::of_grid(kind, Grid::every(Duration::from_secs(86_400))?));
        ours(&mut group, name, &ticks, day, fill);
    }
    group.finish();
}

fn touches(criterion: &mut Criterion) {
    let ticks = walk();
    let touch = |tick: &Tick| {
        let ask = Price::from_scaled(tick.price.scaled() + 100_000_000_000).unwrap_or_default();
        let level = |price, size| Level { price, size };
        Touch { bid: level(tick.price, tick.size), ask: level(ask, Lots::new(7)) }
    };
    let mut group = common::group(criterion, "analytics, order flow 100", ticks.len());
    ours(&mut group, OURS, &ticks, || OrderFlowImbalance::of_last(100), touch);
    group.finish();
    let mut group = common::group(criterion, "analytics, microprice", ticks.len());
    ours(&mut group, OURS, &ticks, || Ok(Microprice::new()), touch);
    group.finish();
}

fn candles(criterion: &mut Criterion) {
    let ticks = walk();
    let Ok(multiplier) = "0.001".parse() else { return };
    let Ok(valuation) = Valuation::linear(multiplier) else { return };
    let Some(minute) = Grid::of(Interval::Min1) else { return };
    let mut group = common::group(criterion, "analytics, 1 min candles", ticks.len());
    group.bench_function(OURS, |bench| {
        bench.iter(|| {
            let mut candles = CandleBuilder::new(minute, valuation);
            let mut events = Vec::with_capacity(ticks.len());
            for tick in &ticks {
                candles.push(tick, &mut events);
            }
            events.len()
        });
    });
    group.finish();
    let mut group = common::group(criterion, "analytics, 1000 lot bars", ticks.len());
    group.bench_function(OURS, |bench| {
        bench.iter(|| {
            let mut events = Vec::with_capacity(ticks.len());
            let mut bars = BarBuilder::new(BarRule::Lots(1_000), valuation);
            if let Ok(bars) = &mut bars {
                for tick in &ticks {
                    bars.push(tick, &mut events);
                }
            }
            events.len()
        });
    });
    group.finish();
}

fn books(criterion: &mut Criterion) {
    let books: Vec<Book> = (1..=16).filter_map(book).collect();
    let looks = run::sized(100_000);
    let mut group = common::group(criterion, "analytics, book means 1 s", looks);
    let Ok(mut means) = BookMeans::new(Duration::from_secs(1), 5) else { return };
    let mut number = 0;
    group.bench_function(OURS, |bench| {
        bench.iter(|| {
            for book in books.iter().cycle().take(looks) {
                number += 1;
                black_box(means.observe(time(number), Some(book))).ok();
            }
        });
    });
    group.finish();
}

/// Ten levels a side.
fn book(lots: u64) -> Option<Book> {
    let side = |sign: i64| {
        let levels = (1..=10).map(|level| format!("[{},{lots}]", 63_000 + sign * level));
        levels.collect::<Vec<_>>().join(",")
    };
    let body = format!(
        r#"{{"code":"200000","data":{{"sequence":1,"symbol":"XBTUSDTM","bids":[{}],"asks":[{}],"ts":1790000000000000000}}}}"#,
        side(-1),
        side(1)
    );
    let mut book = Book::new(1000, usize::MAX);
    book.read(body.as_bytes()).ok()?;
    Some(book)
}

criterion_group! {
    name = benches;
    config = common::settings();
    targets = averages, spreads, volumes, touches, candles, books
}
criterion_main!(benches);
