//! The corpus: a market that is drawn from a seed, its books, and the frames that change them.
//!
//! No recording is in the repository, so what a recording would show is modelled, with every number
//! stated here, in [`Shape`] and in the market model:
//!
//! * **Books.** Ticks are occupied at random: at the touch every second one, then one in five (a real
//!   book of `XBTUSDTM` begins 84476.9, .8, .2, .1, 84475.5, 84474.1, .0), and fewer with the distance;
//!   500 levels reach over some 4000 ticks, 5000 over 100,000.
//! * **Changes.** 44 % remove a level, as many insert one, the rest change a size; so a book keeps its
//!   size. With [`Spread::Touch`] 93 % fall where the best 20 levels are expected, more of them the
//!   nearer to the touch; with [`Spread::Flat`] every level is as likely as any other. What the real
//!   concentration is, nobody publishes: the two are brackets.
//! * **Moves.** With one change in fifty the touch moves by a tick or two, now and then by a hundred:
//!   what stands in the way is removed first, and what was vacated is filled behind it, so no book is
//!   ever crossed.
//! * **Sizes** are log-uniform, 1 to 100,000 lots.
//! * **Symbols.** One, or many with a Zipf distribution (the first of 200 gets one frame in six). Ticks
//!   from 0.1 at 90,000 to 1e-8 at 0.002.
//!
//! Frames lie in one buffer, one behind the other, and a run reads them once from front to back: they
//! come from memory, as on a busy socket, and not from the first-level cache.

mod layout;
mod market;
mod messages;
mod shape;

use kucoin_futures_proto::SplitMix64;

pub use layout::{Frames, Layout};
pub use market::Market;
pub use messages::Feed;
pub use shape::{Change, Level, Shape, Spread, Units};
use shape::{START_MS, unit};

/// Markets and the changes that they went through.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Corpus {
    /// Books before and after.
    pub markets: Vec<Market>,
    /// In the order of their frames.
    pub changes: Vec<Change>,
}

impl Corpus {
    /// Draws a corpus.
    #[must_use]
    pub fn new(shape: Shape) -> Self {
        let mut rng = SplitMix64::new(shape.seed);
        let mut markets: Vec<Market> =
            (0..shape.symbols).map(|rank| Market::new(rank, &shape, &mut rng)).collect();
        let zipf = Zipf::new(shape.symbols);
        let changes = (0..shape.changes).filter_map(|at| {
            let market = zipf.draw(&mut rng);
            let (sequence, bid, price, size) = markets.get_mut(market)?.change(&mut rng);
            let timestamp = START_MS + at as u64 / 4;
            Some(Change { market, sequence, timestamp, price, size, bid })
        });
        let changes = changes.collect();
        Self { markets, changes }
    }

    /// The frames of all changes in this layout.
    #[must_use]
    pub fn frames(&self, layout: Layout) -> Frames {
        Frames::new(&self.markets, &self.changes, layout)
    }

    /// The same prices and sizes as messages of another channel.
    #[must_use]
    pub fn messages(&self, feed: Feed) -> Frames {
        messages::frames(&self.markets, &self.changes, feed)
    }
}

/// Draws ranks so that rank `n` comes in proportion to `1 / (n + 1)`.
struct Zipf(Vec<f64>);

impl Zipf {
    fn new(ranks: usize) -> Self {
        let sums = (1..=ranks).scan(0.0, |sum, rank| {
            *sum += 1.0 / rank as f64;
            Some(*sum)
        });
        Self(sums.collect())
    }

    fn draw(&self, rng: &mut SplitMix64) -> usize {
        let total = self.0.last().copied().unwrap_or(0.0);
        let at = unit(rng) * total;
        self.0.partition_point(|&sum| sum <= at).min(self.0.len().saturating_sub(1))
    }
}

#[cfg(test)]
mod tests;
