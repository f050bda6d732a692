//! A decoded change into a book; the best and the first ten levels out of it.
//!
//! On paper: a sorted vector whose best level is last moves some ten levels of 16 bytes for a change near
//! the touch, after a binary search over 500: nine steps that the processor guesses wrong half of the
//! time, 25 ns. A tree has the same steps and its nodes besides: 40 ns, and twice that if each comparison
//! is one of 128-bit decimals with a scale. A vector with a place for every tick has one address to
//! compute: 5 ns, plus what it costs to find the next best one when the best goes. Where changes fall
//! anywhere in a deep book, every structure also pays for memory that it has not touched lately.
//!
//! The best is one or two loads on each side, 1 to 2 ns for both; ten levels of both sides are twenty
//! steps of whatever the structure's step is.

#![allow(missing_docs, reason = "a benchmark")]

mod common;

use std::hint::black_box;
use std::time::Duration;

use criterion::measurement::WallTime;
use criterion::{BatchSize, BenchmarkGroup, Criterion, criterion_group, criterion_main};
#[cfg(feature = "rivals")]
use kucoin_futures_bench::books;
use kucoin_futures_bench::books::{Book, SortedVec, Tree};
use kucoin_futures_bench::corpus::{Corpus, Market, Shape, Spread};
use kucoin_futures_bench::number::Number;
use kucoin_futures_bench::{ours, run};
use rust_decimal::Decimal;

type Group<'a> = BenchmarkGroup<'a, WallTime>;

/// Something to be done with each rival.
trait Each {
    fn with<B: Book>(&mut self);
}

fn for_each_rival(each: &mut impl Each) {
    each.with::<Tree<i64>>();
    each.with::<Tree<Decimal>>();
    each.with::<SortedVec>();
    #[cfg(feature = "rivals")]
    {
        each.with::<books::HftRoi>();
        each.with::<books::HftBTree>();
        each.with::<books::HftHashMap>();
        each.with::<books::Barter>();
        each.with::<books::Nautilus>();
    }
}

/// A corpus of one market.
struct Story {
    corpus: Corpus,
    market: Market,
}

impl Story {
    fn new(levels: usize, spread: Spread) -> Option<Self> {
        let changes = run::sized(200_000);
        let corpus = Corpus::new(Shape { symbols: 1, levels, changes, spread, seed: 1 });
        let market = corpus.markets.first()?.clone();
        Some(Self { corpus, market })
    }

    fn changes<N: Number>(&self) -> Vec<(bool, N, u64)> {
        let changes = self.corpus.changes.iter();
        let changes = changes.filter_map(|change| {
            let price = N::read(&self.market.price_text(change.price))?;
            Some((change.bid, price, change.size))
        });
        changes.collect()
    }

    fn end_of<B: Book>(&self) -> B {
        let mut book = B::load(&self.market);
        for (bid, price, size) in self.changes() {
            book.set(bid, price, size);
        }
        assert_eq!(book.held(), self.market.after(), "{} went astray", B::NAME);
        book
    }

    fn end_of_ours(&self) -> kucoin_futures_proto::Book {
        let mut book = ours::load(&self.market);
        for delta in self.corpus.changes.iter().filter_map(ours::delta) {
            assert!(ours::apply(&mut book, &delta), "a change was refused");
        }
        assert_eq!(ours::held(&book), self.market.after(), "ours went astray");
        book
    }
}

struct Apply<'a, 'b>(&'a Story, &'a mut Group<'b>);

impl Each for Apply<'_, '_> {
    fn with<B: Book>(&mut self) {
        let Self(story, group) = self;
        drop(story.end_of::<B>());
        let changes = story.changes::<B::Price>();
        group.bench_function(B::NAME, |bench| {
            let apply = |book: &mut B| {
                for &(bid, price, size) in &changes {
                    book.set(bid, price, size);
                }
            };
            bench.iter_batched_ref(|| B::load(&story.market), apply, BatchSize::PerIteration);
        });
    }
}

fn apply(criterion: &mut Criterion) {
    let stories = [
        ("2 x 500", 500, Spread::Touch),
        ("2 x 5000", 5000, Spread::Touch),
        ("flat 2 x 500", 500, Spread::Flat),
        ("flat 2 x 5000", 5000, Spread::Flat),
    ];
    for (name, levels, spread) in stories {
        let Some(story) = Story::new(levels, spread) else { continue };
        let changes = story.corpus.changes.len();
        let mut group = common::group(criterion, &format!("apply, {name}"), changes);
        drop(story.end_of_ours());
        let deltas: Vec<_> = story.corpus.changes.iter().filter_map(ours::delta).collect();
        group.bench_function(ours::NAME, |bench| {
            let book = ours::load(&story.market);
            let apply = |book: &mut kucoin_futures_proto::Book| {
                for delta in &deltas {
                    black_box(ours::apply(book, delta));
                }
            };
            bench.iter_batched_ref(|| book.clone(), apply, BatchSize::PerIteration);
        });
        for_each_rival(&mut Apply(&story, &mut group));
        group.finish();
    }
}

struct ReadBest<'a, 'b>(&'a Story, &'a mut Group<'b>);

impl Each for ReadBest<'_, '_> {
    fn with<B: Book>(&mut self) {
        let book = self.0.end_of::<B>();
        self.1.bench_function(B::NAME, |bench| bench.iter(|| black_box(&book).best()));
    }
}

struct ReadTop<'a, 'b>(&'a Story, &'a mut Group<'b>);

impl Each for ReadTop<'_, '_> {
    fn with<B: Book>(&mut self) {
        let book = self.0.end_of::<B>();
        self.1.bench_function(B::NAME, |bench| bench.iter(|| black_box(&book).top()));
    }
}

fn read(criterion: &mut Criterion) {
    let Some(story) = Story::new(500, Spread::Touch) else { return };
    let book = story.end_of_ours();
    let mut group = common::group(criterion, "read, best of both sides", 1);
    group.measurement_time(Duration::from_millis(500));
    group.bench_function(ours::NAME, |bench| bench.iter(|| ours::best(black_box(&book))));
    for_each_rival(&mut ReadBest(&story, &mut group));
    group.finish();
    let mut group = common::group(criterion, "read, top 10 of both sides", 1);
    group.measurement_time(Duration::from_millis(500));
    group.bench_function(ours::NAME, |bench| bench.iter(|| ours::top(black_box(&book))));
    for_each_rival(&mut ReadTop(&story, &mut group));
    group.finish();
}

criterion_group! { name = benches; config = common::settings(); targets = apply, read }
criterion_main!(benches);
