//! Frame by frame: how long the slow ones take.
//!
//! Ours (the whole client, 200 topics live) and `serde_json` + `HashMap` + `BTreeMap` of `Decimal` take
//! the same frames in turns of a few hundred, so that whatever else the machine does meets both alike.
//! Each frame is timed by itself; what the timer alone takes is measured in the same turns, and its median is
//! taken off. Percentiles are of one round, from fresh books to the end of the corpus, and what is
//! reported is the median over the rounds.
//!
//! The first frame of each symbol is not among them, for neither: it comes once for each connection, meets
//! memory that nobody has touched yet, and would be one frame in 500 here. What p99.9 is with them is told,
//! too.
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
struct Samples {
    later: Vec<u64>,
    /// Of the first frame of each symbol.
    first: Vec<u64>,
}

/// p50, p99 and p99.9, and p99.9 with the first frames.
type Percentiles = [u64; 4];

impl Samples {
    #[inline]
    fn time<T>(&mut self, is_first: bool, work: impl FnOnce() -> T) {
        let start = now();
        black_box(work());
        let taken = now().duration_since(start);
        let samples = if is_first { &mut self.first } else { &mut self.later };
        samples.push(u64::try_from(taken.as_nanos()).unwrap_or(u64::MAX));
    }

    fn tail(mut self) -> Percentiles {
        self.later.sort_unstable();
        let at = |samples: &[u64], per_mille: usize| {
            let last = samples.len().saturating_sub(1);
            samples.get(last * per_mille / 1000).copied().unwrap_or(0)
        };
        let [p50, p99, p999] = [500, 990, 999].map(|per_mille| at(&self.later, per_mille));
        self.later.append(&mut self.first);
        self.later.sort_unstable();
        [p50, p99, p999, at(&self.later, 999)]
    }
}

type Usual = Baseline<SerdeJson, Tree<Decimal>>;

/// One round: the percentiles of ours, of the rival, and of nothing.
fn round(corpus: &Corpus, frames: &[&[u8]]) -> [Percentiles; 3] {
    let mut live = Live::new(&corpus.markets);
    let mut usual = Usual::new(&corpus.markets);
    let [mut ours, mut rival, mut nothing] = [(); 3].map(|()| Samples::default());
    for samples in [&mut ours, &mut rival, &mut nothing] {
        samples.later.reserve(frames.len());
        samples.first.reserve(corpus.markets.len());
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
            for (frame, &is_first) in frames.iter().zip(firsts) {
                if ours_now {
                    ours.time(is_first, || live.feed(black_box(frame)));
                } else {
                    rival.time(is_first, || usual.feed(black_box(frame)));
                }
            }
        }
        for _ in frames {
            nothing.time(false, || ());
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
    let [ours, rival] = [0, 1].map(|who| {
        let at = |which: usize| {
            let all = rounds.iter().filter_map(|round| round.get(who)?.get(which).copied());
            median(all).saturating_sub(timer)
        };
        Tail { p50: at(0), p99: at(1), p999: at(2), p999_with_firsts: at(3) }
    });
    let latency = Latency { timer, ours, rival };
    if run::is_trial() { Ok(()) } else { latency.save() }
}
