//! Frame by frame: how long the slow ones take.
//!
//! Ours (the whole client, 200 topics live) and `serde_json` + `HashMap` + `BTreeMap` of `Decimal` take
//! the same frames in turns of a few hundred, so that whatever else the machine does meets both alike.
//! Each frame is timed by itself; what the timer alone takes is measured in the same turns, and its median is
//! taken off. Percentiles are of one round, from fresh books to the end of the corpus, and what is
//! reported is the median over the rounds.
//!
//! The first frame of each symbol is not among them, for neither: ours learns from it, once for each
//! connection, how the others look. That takes 3 to 4 us, and would be one frame in 500 here.
//!
//! On paper: the median is the pipeline's mean. One frame in a hundred moves the touch or meets a book that
//! is in no cache; one in a thousand meets both, or makes a tree split a node, which allocates: some 80 ns
//! for us, and 500 to 700 for the rival. Beyond that it is the machine that is measured.

#![allow(missing_docs, reason = "a benchmark")]

use std::hint::black_box;
use std::time::Instant;

use kucoin_futures_bench::baseline::Baseline;
use kucoin_futures_bench::books::Tree;
use kucoin_futures_bench::corpus::{Corpus, Layout, Shape, Spread};
use kucoin_futures_bench::ours::Live;
use kucoin_futures_bench::parsers::SerdeJson;
use kucoin_futures_bench::report::{Latency, Tail};
use kucoin_futures_bench::run;
use rust_decimal::Decimal;

const ROUNDS: usize = 9;
const TURN: usize = 500;

#[allow(clippy::disallowed_methods, reason = "this benchmark reads a clock for each frame")]
fn now() -> Instant {
    Instant::now()
}

/// Durations in nanoseconds.
#[derive(Default)]
struct Samples(Vec<u64>);

impl Samples {
    #[inline]
    fn time<T>(&mut self, work: impl FnOnce() -> T) {
        let start = now();
        black_box(work());
        let taken = now().duration_since(start);
        self.0.push(u64::try_from(taken.as_nanos()).unwrap_or(u64::MAX));
    }

    fn tail(mut self) -> [u64; 3] {
        self.0.sort_unstable();
        let last = self.0.len().saturating_sub(1);
        [500, 990, 999].map(|per_mille| self.0.get(last * per_mille / 1000).copied().unwrap_or(0))
    }
}

type Usual = Baseline<SerdeJson, Tree<Decimal>>;

/// One round: the percentiles of ours, of the rival, and of nothing.
fn round(corpus: &Corpus, frames: &[&[u8]]) -> [[u64; 3]; 3] {
    let mut live = Live::new(&corpus.markets);
    let mut usual = Usual::new(&corpus.markets);
    let [mut ours, mut rival, mut nothing] = [const { Samples(Vec::new()) }; 3];
    for samples in [&mut ours, &mut rival, &mut nothing] {
        samples.0.reserve(frames.len());
    }
    let mut known = vec![false; corpus.markets.len()];
    let firsts = corpus.changes.iter().map(|change| {
        known.get_mut(change.market).is_some_and(|known| !std::mem::replace(known, true))
    });
    let firsts: Vec<bool> = firsts.collect();
    let turns = frames.chunks(TURN).zip(firsts.chunks(TURN));
    for (turn, (frames, firsts)) in turns.enumerate() {
        // Who comes first brings the frames into the cache for the other.
        for ours_now in [turn % 2 == 0, turn % 2 != 0] {
            for (frame, is_first) in frames.iter().zip(firsts) {
                match (is_first, ours_now) {
                    (true, true) => drop(black_box(live.feed(frame))),
                    (true, false) => drop(black_box(usual.feed(frame))),
                    (false, true) => ours.time(|| live.feed(black_box(frame))),
                    (false, false) => rival.time(|| usual.feed(black_box(frame))),
                }
            }
        }
        for _ in frames {
            nothing.time(|| ());
        }
    }
    [ours, rival, nothing].map(Samples::tail)
}

fn median(values: impl Iterator<Item = u64>) -> u64 {
    let mut values: Vec<_> = values.collect();
    values.sort_unstable();
    values.get(values.len() / 2).copied().unwrap_or(0)
}

fn main() -> std::io::Result<()> {
    run::begin();
    let changes = run::sized(100_000);
    let shape = Shape { symbols: 200, levels: 500, changes, spread: Spread::Touch, seed: 2 };
    let corpus = Corpus::new(shape);
    let frames = corpus.frames(Layout::Usual);
    let frames: Vec<_> = frames.iter().collect();
    let rounds = if run::is_trial() { 1 } else { ROUNDS };
    let rounds: Vec<_> = (0..rounds).map(|_| round(&corpus, &frames)).collect();
    let timer = median(rounds.iter().map(|[_, _, [timer, ..]]| *timer));
    let tail = |pick: fn(&[[u64; 3]; 3]) -> [u64; 3]| {
        let at = |at: fn([u64; 3]) -> u64| {
            median(rounds.iter().map(|round| at(pick(round)))).saturating_sub(timer)
        };
        Tail { p50: at(|[p50, ..]| p50), p99: at(|[_, p99, _]| p99), p999: at(|[.., p999]| p999) }
    };
    let latency =
        Latency { timer, ours: tail(|[ours, ..]| *ours), rival: tail(|[_, rival, _]| *rival) };
    if run::is_trial() { Ok(()) } else { latency.save() }
}
