//! What it costs to have books when nothing comes: a timeout that is too early, and the next deadline.
//!
//! On paper: the deadline is the head of a heap and the outputs are empty, 10 to 20 ns; and the same
//! with one book and with 400, or a client with many books would burn a core on waking up.

#![allow(missing_docs, reason = "a benchmark")]

mod common;

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use kucoin_futures_bench::corpus::{Corpus, Shape, Spread};
use kucoin_futures_bench::ours::Live;

fn idle_poll(criterion: &mut Criterion) {
    let mut group = common::group(criterion, "idle poll", 1);
    group.measurement_time(Duration::from_millis(500));
    for symbols in [1, 10, 100, 400] {
        let shape = Shape { symbols, levels: 50, changes: 0, spread: Spread::Touch, seed: 1 };
        let mut live = Live::new(&Corpus::new(shape).markets);
        let plural = if symbols == 1 { "" } else { "s" };
        let name = format!("ours, {symbols} book{plural}");
        group.bench_function(name, |bench| bench.iter(|| black_box(&mut live).idle()));
    }
    group.finish();
}

criterion_group! { name = benches; config = common::settings(); targets = idle_poll }
criterion_main!(benches);
