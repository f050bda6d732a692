//! The body of a REST snapshot, 1000 levels a side, into a book.
//!
//! Ours ends with a book that can be read and changed; rivals end with two vectors, sorted as they came and
//! still to be put into some book.
//!
//! On paper: 2000 levels of some 14 bytes are 28 KB. A general parser makes a sequence, a float and an integer
//! of each, at 40 to 60 ns: 100 us, and more where a decimal is made of the text. With the digits read eight
//! at a time, and nothing in between, a level can cost 10 ns: 20 us.

#![allow(missing_docs, reason = "a benchmark")]

mod common;

use std::fmt;
use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use kucoin_futures_bench::corpus::{Corpus, Shape, Spread};
use kucoin_futures_bench::ours;
use rust_decimal::Decimal;
use serde::de::{Deserialize, Deserializer, Error};
use serde_json::value::RawValue;

#[derive(serde::Deserialize)]
struct Body<'a, N> {
    #[serde(borrow)]
    data: Data<'a, N>,
}

#[derive(serde::Deserialize)]
struct Data<'a, N> {
    sequence: u64,
    symbol: &'a str,
    bids: Vec<(N, u64)>,
    asks: Vec<(N, u64)>,
    ts: u64,
}

impl<N: fmt::Debug> Data<'_, N> {
    fn use_up(self) {
        black_box((self.sequence, self.symbol, self.ts, self.bids, self.asks));
    }
}

/// A decimal of exactly what is written; by way of a float it would not be.
#[derive(Debug)]
struct Exact(Decimal);

impl<'de> Deserialize<'de> for Exact {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&RawValue>::deserialize(deserializer)?;
        Decimal::from_str_exact(raw.get()).map(Self).map_err(Error::custom)
    }
}

fn snapshot(criterion: &mut Criterion) {
    let shape = Shape { symbols: 1, levels: 1000, changes: 0, spread: Spread::Touch, seed: 1 };
    let corpus = Corpus::new(shape);
    let Some(market) = corpus.markets.first() else { return };
    let body = market.body.as_bytes();
    assert_eq!(ours::held(&ours::load(market)), market.before, "ours went astray");
    let mut group = common::group(criterion, "snapshot, 2 x 1000", 1);
    group.bench_function(ours::NAME, |bench| {
        let mut book = ours::empty_book();
        bench.iter(|| ours::load_body(black_box(&mut book), black_box(body)));
    });
    group.bench_function("serde_json into Vec<(f64, u64)>", |bench| {
        bench.iter(|| {
            let body = serde_json::from_slice::<Body<'_, f64>>(black_box(body));
            body.is_ok_and(|body| {
                body.data.use_up();
                true
            })
        });
    });
    group.bench_function("serde_json into Vec<(Decimal, u64)>", |bench| {
        bench.iter(|| {
            let body = serde_json::from_slice::<Body<'_, Exact>>(black_box(body));
            body.is_ok_and(|body| {
                black_box(body.data.bids.first().map(|(price, _)| price.0));
                body.data.use_up();
                true
            })
        });
    });
    #[cfg(feature = "rivals")]
    group.bench_function("sonic-rs into Vec<(f64, u64)>", |bench| {
        bench.iter(|| {
            let body = sonic_rs::from_slice::<Body<'_, f64>>(black_box(body));
            body.is_ok_and(|body| {
                body.data.use_up();
                true
            })
        });
    });
    group.finish();
}

criterion_group! { name = benches; config = common::settings(); targets = snapshot }
criterion_main!(benches);
