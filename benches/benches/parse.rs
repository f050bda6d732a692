//! From the bytes of a level2 frame to symbol, sequence, side, exact price, size and time.
//!
//! On paper: a frame has 184 bytes. Reading each of them once, from memory, takes some 8 ns. A parser that
//! knows where things are compares 130 bytes of constants, 16 or 32 at a time, and reads 40 digits, 8 at
//! a time: some 300 instructions, 20 ns. A scanner that finds out where things are, byte by byte, needs
//! 100 ns. A general parser, which also has to check what it skips, needs two to three times that, and
//! vector instructions gain little on so short a text.
//!
//! In another key order nothing is where it was; where the order stays the same that can be learned.
//! In a random one it cannot.
//!
//! All rivals read the price exactly, into an `i64` of 1e-12; one of them also as `rust_decimal::Decimal`,
//! which is what people use.

#![allow(missing_docs, reason = "a benchmark")]

mod common;

use std::hint::black_box;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, criterion_group, criterion_main};
use kucoin_futures_bench::corpus::{Corpus, Frames, Layout, Shape, Spread};
use kucoin_futures_bench::number::Number;
use kucoin_futures_bench::parsers::{self, Parser, SerdeJson};
use kucoin_futures_bench::{ours, run};
use rust_decimal::Decimal;

fn rival<P: Parser, N: Number>(
    group: &mut BenchmarkGroup<'_, WallTime>,
    frames: &Frames,
    suffix: &str,
) {
    let mut parser = P::default();
    group.bench_function(format!("{}{suffix}", P::NAME), |bench| {
        bench.iter(|| {
            for frame in black_box(frames).iter() {
                let parsed = parser.parse::<N>(frame);
                black_box(parsed.is_some_and(|parsed| {
                    black_box(parsed);
                    true
                }));
            }
        });
    });
}

fn parse(criterion: &mut Criterion) {
    let corpus = corpus(200_000);
    for layout in Layout::ALL {
        all(criterion, layout.name(), &corpus.frames(layout));
    }
    // A frame that has just been received is in the cache; 200,000 of them are not.
    all(criterion, "usual, in cache", &self::corpus(2_000).frames(Layout::Usual));
}

fn corpus(changes: usize) -> Corpus {
    let changes = run::sized(changes);
    Corpus::new(Shape { symbols: 1, levels: 500, changes, spread: Spread::Touch, seed: 1 })
}

fn all(criterion: &mut Criterion, variant: &str, frames: &Frames) {
    let mut group = common::group(criterion, &format!("parse, {variant}"), frames.count());
    group.bench_function("floor: every byte read once", |bench| {
        bench.iter(|| {
            for frame in black_box(frames).iter() {
                black_box(parsers::floor(frame));
            }
        });
    });
    group.bench_function(ours::NAME, |bench| {
        let mut parser = ours::Parser::new();
        bench.iter(|| {
            for frame in black_box(frames).iter() {
                black_box(parser.parse(frame));
            }
        });
    });
    rival::<SerdeJson, i64>(&mut group, frames, "");
    rival::<SerdeJson, Decimal>(&mut group, frames, ", Decimal");
    #[cfg(feature = "rivals")]
    {
        rival::<parsers::SimdJson, i64>(&mut group, frames, "");
        rival::<parsers::SonicRs, i64>(&mut group, frames, "");
        rival::<parsers::Jiter, i64>(&mut group, frames, "");
    }
    group.finish();
}

criterion_group! { name = benches; config = common::settings(); targets = parse }
criterion_main!(benches);
