//! All channels but level2: bytes in, a decoded message out, for ours through the whole client.
//!
//! Ours is a client with 200 topics: which line, what kind of frame, which topic, repeat or not, and the
//! message that its user decodes. "parse alone" is what it reads a frame with. A rival reads the frame
//! into borrowed structs and the prices into exact numbers, and looks whether topic and data name the same
//! contract; it has no topics, no repeats and no reconnects. Numbers without quotes it takes as they stand
//! (`RawValue`): as floats they would not be exact.
//!
//! On paper: 265 and 340 bytes, of which some 150 are compared, sixteen at a time, at a nanosecond each; nine
//! or ten numbers, prices and ids of 4 to 6 ns each; 10 ns for the symbol; the client around it 25.

#![allow(missing_docs, reason = "a benchmark")]

mod common;

use std::hint::black_box;

use criterion::measurement::WallTime;
use criterion::{BatchSize, BenchmarkGroup, Criterion, criterion_group, criterion_main};
use kucoin_futures_bench::corpus::{Corpus, Feed, Frames, Shape, Spread};
use kucoin_futures_bench::number::Number;
use kucoin_futures_bench::ours::{self, MessageParser, Messages};
use kucoin_futures_bench::{messages, parsers, run};
use rust_decimal::Decimal;

fn rival<N: Number>(
    group: &mut BenchmarkGroup<'_, WallTime>,
    name: &str,
    feed: Feed,
    frames: &Frames,
) {
    group.bench_function(name, |bench| {
        bench.iter(|| {
            for frame in black_box(frames).iter() {
                match feed {
                    Feed::TickerV2 => _ = black_box(&messages::ticker::<N>(frame)),
                    Feed::Execution => _ = black_box(&messages::trade::<N>(frame)),
                    _ => _ = black_box(&messages::others::read(feed, frame)),
                }
            }
        });
    });
}

fn all(criterion: &mut Criterion) {
    let changes = run::sized(200_000);
    let shape = Shape { symbols: 200, levels: 20, changes, spread: Spread::Touch, seed: 4 };
    let corpus = Corpus::new(shape);
    for feed in Feed::ALL {
        let frames = corpus.messages(feed);
        let name = format!("messages, {}", feed.name());
        let mut group = common::group(criterion, &name, frames.count());
        group.bench_function("floor: every byte read once", |bench| {
            bench.iter(|| {
                for frame in black_box(&frames).iter() {
                    black_box(parsers::floor(frame));
                }
            });
        });
        let new = || Messages::new(&corpus.markets, feed);
        let mut client = new();
        assert!(
            frames.iter().all(|frame| client.feed(frame, |_| ()).is_some()),
            "a frame was refused"
        );
        group.bench_function(ours::NAME, |bench| {
            let feed = |client: &mut Messages| {
                for frame in black_box(&frames).iter() {
                    let _ = client.feed(frame, |message| _ = black_box(message));
                }
            };
            bench.iter_batched_ref(new, feed, BatchSize::PerIteration);
        });
        group.bench_function("ours, parse alone", |bench| {
            let mut parser = MessageParser::new();
            bench.iter(|| {
                for frame in black_box(&frames).iter() {
                    let _ = black_box(&parser.parse(frame));
                }
            });
        });
        // Turnovers and balances have more digits than an i64.
        if matches!(feed, Feed::TickerV2 | Feed::Execution) {
            rival::<i64>(&mut group, "serde_json borrowed", feed, &frames);
        }
        rival::<Decimal>(&mut group, "serde_json borrowed, Decimal", feed, &frames);
        group.finish();
    }
}

criterion_group! { name = benches; config = common::settings(); targets = all }
criterion_main!(benches);
