//! From the bytes of a level2 frame to sequence, side, exact price and size.
//!
//! Expectation on paper: a frame has 185 bytes. A scanner that looks at each byte a few times needs
//! some 100 ns; a general parser that also builds what it skips, two to three times that.
//! Compare within one run: between runs and machines the numbers move by far more than the ratios.

#![allow(missing_docs, clippy::expect_used, reason = "a benchmark")]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use kucoin_futures_bench::frames;
use kucoin_futures_proto::wire::{Delta, Frame};
use serde::Deserialize;

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    topic: &'a str,
    data: Data<'a>,
}

#[derive(Deserialize)]
struct Data<'a> {
    sequence: u64,
    #[serde(borrow)]
    change: &'a str,
    timestamp: u64,
}

fn parse(criterion: &mut Criterion) {
    let corpus = frames("XBTUSDTM", 10_000, 1);
    let mut group = criterion.benchmark_group("parse");
    group.throughput(Throughput::Elements(corpus.len() as u64));
    group.bench_function("floor: read every byte", |bench| {
        bench.iter(|| {
            let sum =
                |frame: &[u8]| frame.iter().fold(0_u64, |sum, &b| sum.wrapping_add(u64::from(b)));
            corpus.iter().for_each(|frame| {
                black_box(sum(black_box(frame)));
            });
        });
    });
    group.bench_function("kucoin-futures-proto: scanner", |bench| {
        bench.iter(|| {
            for frame in &corpus {
                let Ok(Frame::Message(message)) = Frame::parse(black_box(frame)) else { continue };
                black_box(Delta::parse(message.data).expect("a delta"));
            }
        });
    });
    group.bench_function("rival: serde_json borrowed, price as f64", |bench| {
        bench.iter(|| {
            for frame in &corpus {
                let frame: Envelope<'_> =
                    serde_json::from_slice(black_box(frame)).expect("a frame");
                let mut parts = frame.data.change.split(',');
                let mut part = || parts.next().expect("three parts");
                let (price, side, size) = (part(), part(), part());
                let price: f64 = price.parse().expect("a price");
                let size: u64 = size.parse().expect("a size");
                black_box((
                    frame.topic,
                    frame.data.sequence,
                    frame.data.timestamp,
                    price,
                    side,
                    size,
                ));
            }
        });
    });
    group.finish();
}

criterion_group!(benches, parse);
criterion_main!(benches);
