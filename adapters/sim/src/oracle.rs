//! Holds the books of a client to the promise: sees its events and its books, and knows the truth.

use std::collections::{BTreeMap, BTreeSet};

use kucoin_futures_proto::book::{Best, Book, Coverage, Level, Scope};
use kucoin_futures_proto::wire::{Delta, Side};
use kucoin_futures_proto::{BookEvent, Client, Epoch, Event, Lots, Sequence, TopicId};

use crate::exchange::Exchange;
use crate::market::Market;
use crate::truth::Truth;

/// A broken promise. The text says which and where.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0}")]
pub struct Violation(String);

impl Violation {
    pub(crate) const fn new(text: String) -> Self {
        Self(text)
    }
}

/// Follows the events of one client.
///
/// For each live book it carries the truth along, one change per event, and compares the whole book
/// with it when it becomes live and at every 64th change.
#[derive(Debug, Default)]
pub struct Oracle {
    live: BTreeMap<TopicId, Run>,
    epochs: BTreeMap<TopicId, Epoch>,
    /// Books to be compared once all events are in.
    dirty: BTreeSet<TopicId>,
    /// Deltas were dropped: books are ahead of what was said.
    lagged: bool,
    checks: u64,
    deltas: u64,
}

#[derive(Debug)]
struct Run {
    epoch: Epoch,
    sequence: Sequence,
    deltas: u64,
    /// What the book may be: one for each run of the exchange's counter that fits so far.
    truths: Vec<(usize, Truth)>,
}

/// The whole book is compared at every so many deltas, and whenever one becomes live.
const FULL_CHECK: u64 = 64;

impl Oracle {
    /// Whole books compared so far.
    #[must_use]
    pub const fn checks(&self) -> u64 {
        self.checks
    }

    /// Deltas compared so far.
    #[must_use]
    pub const fn deltas(&self) -> u64 {
        self.deltas
    }

    /// Looks at one event, in order. [`Oracle::settle`] must follow once the client is drained.
    ///
    /// # Errors
    /// The first promise found broken.
    pub fn on_event(
        &mut self,
        client: &Client,
        exchange: &Exchange,
        event: &Event,
    ) -> Result<(), Violation> {
        match *event {
            Event::Book(topic, BookEvent::Live { epoch, sequence }) => {
                if self.live.contains_key(&topic) {
                    return fail(client, topic, sequence, "live again without having been lost");
                }
                if self.epochs.insert(topic, epoch).is_some_and(|before| before >= epoch) {
                    return fail(client, topic, sequence, "an epoch that is not new");
                }
                let truths = truths_at(client, exchange, topic, sequence);
                self.live.insert(topic, Run { epoch, sequence, deltas: 0, truths });
                self.dirty.insert(topic);
                Ok(())
            }
            Event::Book(topic, BookEvent::Delta(delta)) => {
                self.on_delta(client, exchange, topic, &delta)
            }
            Event::Book(topic, BookEvent::Lost { epoch, .. }) => {
                self.dirty.remove(&topic);
                match self.live.remove(&topic) {
                    Some(run) if run.epoch == epoch => Ok(()),
                    _ => fail(client, topic, Sequence::new(0), "lost without having been live"),
                }
            }
            Event::Lagged { .. } => {
                self.lagged = true;
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// The client is drained: its books are where its events say, and are what they must be.
    ///
    /// # Errors
    /// The first promise found broken.
    pub fn settle(&mut self, client: &Client, exchange: &Exchange) -> Result<(), Violation> {
        if core::mem::take(&mut self.lagged) {
            let topics: Vec<TopicId> = self.live.keys().copied().collect();
            for topic in topics {
                self.catch_up(client, exchange, topic)?;
            }
        }
        while let Some(topic) = self.dirty.pop_first() {
            self.check(client, topic)?;
        }
        Ok(())
    }

    /// Compares every live book with the truth.
    ///
    /// # Errors
    /// The first promise found broken.
    pub fn check_all(&mut self, client: &Client) -> Result<(), Violation> {
        let live: Vec<TopicId> = self.live.keys().copied().collect();
        live.into_iter().try_for_each(|topic| self.check(client, topic))
    }

    /// Whether the live book is of the exchange's present run of the counter.
    #[must_use]
    pub fn is_of_present(&self, client: &Client, exchange: &Exchange, topic: TopicId) -> bool {
        let present = market_of(client, exchange, topic).map(|market| market.runs() - 1);
        let run = self.live.get(&topic);
        run.is_some_and(|run| run.truths.iter().any(|(run, _)| Some(*run) == present))
    }

    fn on_delta(
        &mut self,
        client: &Client,
        exchange: &Exchange,
        topic: TopicId,
        delta: &Delta,
    ) -> Result<(), Violation> {
        let sequence = delta.sequence;
        let Some(run) = self.live.get_mut(&topic) else {
            return fail(client, topic, sequence, "a delta of a book that is not live");
        };
        if run.sequence.next() != Some(sequence) {
            if self.lagged {
                // Something was not said; where the book is by now will be seen when it settles.
                run.truths.clear();
                run.sequence = sequence;
                return Ok(());
            }
            return fail(client, topic, sequence, "does not follow the delta before it");
        }
        run.sequence = sequence;
        run.deltas += 1;
        self.deltas += 1;
        if run.deltas % FULL_CHECK == 0 {
            self.dirty.insert(topic);
        }
        let market = market_of(client, exchange, topic);
        run.truths.retain_mut(|(of, truth)| {
            let change = market.and_then(|market| market.change_of(*of, sequence));
            let is_true = change.is_some_and(|change| {
                (change.side, change.price, change.after)
                    == (delta.side, delta.price, delta.size.get())
            });
            truth.set(delta.side, delta.price, delta.size.get());
            is_true
        });
        if run.truths.is_empty() && !self.lagged {
            return fail(client, topic, sequence, "the exchange made another change");
        }
        Ok(())
    }

    /// Deltas were not said: the book itself says where it is.
    fn catch_up(
        &mut self,
        client: &Client,
        exchange: &Exchange,
        topic: TopicId,
    ) -> Result<(), Violation> {
        let Some(book) = client.book(topic) else {
            return fail(client, topic, Sequence::new(0), "said to be live, and is not");
        };
        let sequence = book.sequence();
        if let Some(run) = self.live.get_mut(&topic) {
            run.sequence = sequence;
            run.truths = truths_at(client, exchange, topic, sequence);
            self.dirty.insert(topic);
        }
        Ok(())
    }

    fn check(&mut self, client: &Client, topic: TopicId) -> Result<(), Violation> {
        let Some(run) = self.live.get_mut(&topic) else { return Ok(()) };
        let sequence = run.sequence;
        let Some(book) = client.book(topic) else {
            return fail(client, topic, sequence, "said to be live, and is not");
        };
        self.checks += 1;
        if book.sequence() != sequence {
            return fail(client, topic, book.sequence(), "not where its events say");
        }
        let mut problem = String::from("the exchange never was there");
        run.truths.retain(|(_, truth)| match compare(book, truth) {
            Ok(()) => true,
            Err(found) => {
                problem = found;
                false
            }
        });
        if run.truths.is_empty() { fail(client, topic, sequence, &problem) } else { Ok(()) }
    }
}

/// Compares a book with the truth at its sequence.
///
/// # Errors
/// What differs, in words.
pub fn compare(book: &Book, truth: &Truth) -> Result<(), String> {
    let level = |(&price, &size)| Level { price, size: Lots::new(size) };
    compare_side(book, truth, Side::Bid, truth.bids.iter().rev().map(level))?;
    compare_side(book, truth, Side::Ask, truth.asks.iter().map(level))
}

fn compare_side(
    book: &Book,
    truth: &Truth,
    side: Side,
    mut levels: impl Iterator<Item = Level>,
) -> Result<(), String> {
    let reach = book.reach(side);
    let within = |level: &Level| match (reach, side) {
        (Coverage::All, _) => true,
        (Coverage::To(horizon), Side::Bid) => level.price >= horizon,
        (Coverage::To(horizon), Side::Ask) => level.price <= horizon,
    };
    let mut first = None;
    for complete in book.levels(side, Scope::Complete) {
        let expected = levels.next().filter(within);
        if expected != Some(complete) {
            return Err(format!("{side} {complete:?} inside the horizon should be {expected:?}"));
        }
        first = first.or(expected);
    }
    if let Some(missing) = levels.next().filter(within) {
        return Err(format!("{side} {missing:?} inside the horizon is missing"));
    }
    for beyond in book.levels(side, Scope::Held).skip(book.complete_levels(side)) {
        if truth.size(side, beyond.price) != beyond.size.get() {
            return Err(format!("the {side} at {} beyond the horizon is wrong", beyond.price));
        }
    }
    let best = match side {
        Side::Bid => book.best_bid(),
        Side::Ask => book.best_ask(),
    };
    let expected = match (first, reach) {
        (Some(level), _) => Best::Level(level),
        (None, Coverage::All) => Best::Empty,
        (None, Coverage::To(_)) => Best::Unknown,
    };
    if best == expected {
        Ok(())
    } else {
        Err(format!("the best {side} is {expected:?}, not {best:?}"))
    }
}

fn truths_at(
    client: &Client,
    exchange: &Exchange,
    topic: TopicId,
    sequence: Sequence,
) -> Vec<(usize, Truth)> {
    let Some(market) = market_of(client, exchange, topic) else { return Vec::new() };
    let runs = 0..market.runs();
    runs.filter_map(|run| Some((run, market.truth_of(run, sequence)?))).collect()
}

fn market_of<'a>(client: &Client, exchange: &'a Exchange, topic: TopicId) -> Option<&'a Market> {
    exchange.market(client.channel(topic)?.symbol()?)
}

fn fail(
    client: &Client,
    topic: TopicId,
    sequence: Sequence,
    problem: &str,
) -> Result<(), Violation> {
    let symbol = client.channel(topic).and_then(|channel| channel.symbol());
    let symbol = symbol.map_or_else(|| "a stranger".into(), |symbol| symbol.to_string());
    Err(Violation(format!("book of {symbol} at {sequence}: {problem}")))
}
