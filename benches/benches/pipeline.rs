//! Bytes in, best bid and ask out: the whole client, and what people assemble out of libraries.
//!
//! Ours is everything that `Client` does with a frame: which line, what kind of frame, which book, repeat
//! or gap, the change, the event that says so, and the timers. With 200 level2 topics live, as a
//! user has them; "1 symbol" is a client with one. A rival is a parser, a `HashMap` from symbol to book, a
//! gap check and the book. Both read best bid and ask after each frame.
//!
//! On paper: parse 20 ns and apply 7; a lookup of the book by its symbol's 8 to 14 bytes 5 ns; an event
//! through the queue, 100 bytes in and out, 5 ns. With 200 books, 200 x 30 KiB do not fit into the second
//! level cache: one or two misses of some 10 ns, for every rival alike. The usual way is 270 ns of parsing and
//! 85 of trees, a SipHash of the symbol (15 ns), and more misses.

#![allow(missing_docs, reason = "a benchmark")]

mod common;

use std::hint::black_box;

use criterion::measurement::WallTime;
use criterion::{BatchSize, BenchmarkGroup, Criterion, criterion_group, criterion_main};
use kucoin_futures_bench::baseline::Baseline;
use kucoin_futures_bench::books::{Book, SortedVec, Tree};
use kucoin_futures_bench::corpus::{Corpus, Frames, Layout, Level, Shape, Spread};
use kucoin_futures_bench::ours::{self, Live};
use kucoin_futures_bench::parsers::{Parser, SerdeJson};
use kucoin_futures_bench::run;
use rust_decimal::Decimal;

/// The books at the end of a corpus.
fn ends(corpus: &Corpus) -> Vec<Option<[Vec<Level>; 2]>> {
    corpus.markets.iter().map(|market| Some(market.after())).collect()
}

fn whole(group: &mut BenchmarkGroup<'_, WallTime>, corpus: &Corpus, frames: &Frames) {
    let mut live = Live::new(&corpus.markets);
    assert!(frames.iter().all(|frame| live.feed(frame).is_some()), "a frame was refused");
    assert!(live.held() == ends(corpus), "ours went astray");
    group.bench_function(ours::NAME, |bench| {
        let feed = |live: &mut Live| {
            for frame in black_box(frames).iter() {
                black_box(live.feed(frame));
            }
        };
        bench.iter_batched_ref(|| Live::new(&corpus.markets), feed, BatchSize::PerIteration);
    });
}

/// Without a client around it, and told which book a frame is for: what is left to be saved.
fn bare(group: &mut BenchmarkGroup<'_, WallTime>, corpus: &Corpus, frames: &Frames) {
    let books: Vec<_> = corpus.markets.iter().map(ours::load).collect();
    group.bench_function("ours, bare parse and apply", |bench| {
        let mut parser = ours::Parser::new();
        let feed = |books: &mut Vec<kucoin_futures_proto::Book>| {
            for (frame, change) in black_box(frames).iter().zip(&corpus.changes) {
                let Some(read) = parser.parse(frame) else { continue };
                let Some(book) = books.get_mut(change.market) else { continue };
                black_box(ours::apply(book, &read.delta));
                black_box(ours::best(book));
            }
        };
        bench.iter_batched_ref(|| books.clone(), feed, BatchSize::PerIteration);
    });
}

fn rival<P: Parser, B: Book>(
    group: &mut BenchmarkGroup<'_, WallTime>,
    corpus: &Corpus,
    frames: &Frames,
) {
    let mut baseline = Baseline::<P, B>::new(&corpus.markets);
    assert!(frames.iter().all(|frame| baseline.feed(frame).is_some()), "a frame was refused");
    assert!(baseline.held(&corpus.markets) == ends(corpus), "{} went astray", B::NAME);
    group.bench_function(format!("{} + {}", P::NAME, B::NAME), |bench| {
        let feed = |baseline: &mut Baseline<P, B>| {
            for frame in black_box(frames).iter() {
                black_box(baseline.feed(frame).is_some_and(|best| {
                    black_box(best);
                    true
                }));
            }
        };
        let new = || Baseline::new(&corpus.markets);
        bench.iter_batched_ref(new, feed, BatchSize::PerIteration);
    });
}

fn pipeline(criterion: &mut Criterion) {
    for symbols in [1, 200] {
        let changes = run::sized(200_000);
        let shape = Shape { symbols, levels: 500, changes, spread: Spread::Touch, seed: 2 };
        let corpus = Corpus::new(shape);
        let frames = corpus.frames(Layout::Usual);
        let plural = if symbols == 1 { "" } else { "s" };
        let name = format!("pipeline, {symbols} symbol{plural}");
        let mut group = common::group(criterion, &name, frames.count());
        whole(&mut group, &corpus, &frames);
        bare(&mut group, &corpus, &frames);
        rival::<SerdeJson, Tree<Decimal>>(&mut group, &corpus, &frames);
        rival::<SerdeJson, SortedVec>(&mut group, &corpus, &frames);
        #[cfg(feature = "rivals")]
        {
            use kucoin_futures_bench::books::{Barter, HftRoi, Nautilus};
            use kucoin_futures_bench::parsers::SonicRs;
            rival::<SerdeJson, Barter>(&mut group, &corpus, &frames);
            rival::<SerdeJson, Nautilus>(&mut group, &corpus, &frames);
            rival::<SonicRs, SortedVec>(&mut group, &corpus, &frames);
            rival::<SonicRs, HftRoi>(&mut group, &corpus, &frames);
        }
        group.finish();
    }
}

criterion_group! { name = benches; config = common::settings(); targets = pipeline }
criterion_main!(benches);
