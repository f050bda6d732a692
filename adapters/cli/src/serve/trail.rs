//! Where best bid and best ask were, once a second: what a chart shows of the time before somebody looked.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use kucoin_futures_proto::book::Best;
use kucoin_futures_proto::{Instant, Price, Symbol, TopicId, UnixNanos};

use crate::feed::Feed;

/// Of few contracts half an hour is kept, of many ten minutes: 700 of them are some ten megabytes then.
const KEPT: usize = 1800;
const KEPT_OF_MANY: usize = 600;
const FEW: usize = 50;
const PAUSE: Duration = Duration::from_secs(1);

/// Best bid and best ask at a time; `None` if that side was empty, or the book was not live.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Point {
    pub(crate) at: UnixNanos,
    pub(crate) bid: Option<Price>,
    pub(crate) ask: Option<Price>,
}

/// Of all contracts.
#[derive(Debug, Default)]
pub(crate) struct Trails {
    due: Option<Instant>,
    /// How many points were taken of each; the last `kept` are held.
    taken: u64,
    points: BTreeMap<Symbol, VecDeque<Point>>,
}

impl Trails {
    /// Takes a point of each book, if it is time; gives how long there is to wait for the next.
    pub(crate) fn look(
        &mut self,
        feed: &Feed,
        now: Instant,
        wall: impl FnOnce() -> UnixNanos,
        books: impl Iterator<Item = (TopicId, Symbol)>,
    ) -> Duration {
        let due = *self.due.get_or_insert(now);
        if now < due {
            return due.since(now);
        }
        self.due = Some(now + PAUSE);
        let (at, most) = (wall(), self.most());
        for (topic, symbol) in books {
            let book = feed.book(topic);
            let bid = book.and_then(|book| price(book.best_bid()));
            let ask = book.and_then(|book| price(book.best_ask()));
            let points = self.points.entry(symbol).or_default();
            if points.len() >= most {
                points.pop_front();
            }
            points.push_back(Point { at, bid, ask });
        }
        self.taken += 1;
        PAUSE
    }

    /// Those of a contract that were taken since `count` had been, and how many there are now: what to say next time.
    pub(crate) fn since(&self, symbol: Symbol, count: u64) -> (impl Iterator<Item = &Point>, u64) {
        let points = self.points.get(&symbol);
        let held = points.map_or(0, VecDeque::len);
        let new = usize::try_from(self.taken.saturating_sub(count)).unwrap_or(held).min(held);
        (points.into_iter().flat_map(move |points| points.iter().skip(held - new)), self.taken)
    }

    fn most(&self) -> usize {
        if self.points.len() <= FEW { KEPT } else { KEPT_OF_MANY }
    }
}

fn price(best: Best) -> Option<Price> {
    match best {
        Best::Level(level) => Some(level.price),
        Best::Empty | Best::Unknown => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_asks_again_is_told_what_is_new_and_not_more_than_is_held() {
        let symbol: Symbol = "XBTUSDTM".parse().unwrap();
        let at = |n: u64| Point { at: UnixNanos::from_nanos(n), bid: None, ask: None };
        let points = BTreeMap::from([(symbol, (5..10).map(at).collect::<VecDeque<_>>())]);
        let trails = Trails { due: None, taken: 10, points };
        let told = |count| {
            let (points, taken) = trails.since(symbol, count);
            assert_eq!(taken, 10);
            points.map(|point| point.at.as_nanos()).collect::<Vec<_>>()
        };
        assert_eq!(told(0), [5, 6, 7, 8, 9], "the first five are not held any more");
        assert_eq!(told(4), [5, 6, 7, 8, 9]);
        assert_eq!(told(8), [8, 9]);
        assert!(told(10).is_empty());
        assert_eq!(trails.since("ETHUSDTM".parse().unwrap(), 0).0.count(), 0);
    }
}
