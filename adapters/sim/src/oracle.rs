//! Holds a client to its promise: sees its events and its books, and knows the truth.

use std::collections::BTreeMap;

use kucoin_futures_proto::book::{Best, Book, Reach, Scope};
use kucoin_futures_proto::wire::{Delta, Side};
use kucoin_futures_proto::{Client, Epoch, Event, Sequence, Symbol, TopicId};

use crate::exchange::Exchange;
use crate::market::{Market, Truth};

/// A broken promise. The text says which and where.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{symbol} at {sequence}: {problem}")]
pub struct Violation {
    symbol: Symbol,
    sequence: Sequence,
    problem: String,
}

/// Follows the events of one client.
#[derive(Debug, Default)]
pub struct Oracle {
    live: BTreeMap<TopicId, Run>,
    epochs: BTreeMap<TopicId, Epoch>,
    checks: u64,
    deltas: u64,
}

#[derive(Clone, Copy, Debug)]
struct Run {
    epoch: Epoch,
    sequence: Sequence,
    deltas: u64,
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

    /// Looks at one event, in order, after the outputs of the call that caused it were drained.
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
            Event::BookLive { topic, epoch, sequence } => {
                let fail = |problem: &str| fail(client, topic, sequence, problem);
                if self.live.contains_key(&topic) {
                    return fail("live again without having been lost");
                }
                if self.epochs.insert(topic, epoch).is_some_and(|before| before >= epoch) {
                    return fail("an epoch that is not new");
                }
                self.live.insert(topic, Run { epoch, sequence, deltas: 0 });
                self.check(client, exchange, topic)
            }
            Event::Delta { topic, delta } => self.on_delta(client, exchange, topic, &delta),
            Event::BookLost { topic, epoch, .. } => match self.live.remove(&topic) {
                Some(run) if run.epoch == epoch => Ok(()),
                _ => fail(client, topic, Sequence::new(0), "lost without having been live"),
            },
            _ => Ok(()),
        }
    }

    /// Compares every live book with the truth.
    ///
    /// # Errors
    /// The first promise found broken.
    pub fn check_all(&mut self, client: &Client, exchange: &Exchange) -> Result<(), Violation> {
        let live: Vec<TopicId> = self.live.keys().copied().collect();
        live.into_iter().try_for_each(|topic| self.check(client, exchange, topic))
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
            return fail(client, topic, sequence, "does not follow the delta before it");
        }
        run.sequence = sequence;
        run.deltas += 1;
        self.deltas += 1;
        let full = run.deltas % FULL_CHECK == 0;
        let market = market_of(client, exchange, topic);
        let true_one = market.is_some_and(|market| {
            market.changes_at(sequence).any(|change| {
                (change.side, change.price, change.after)
                    == (delta.side, delta.price, delta.size.get())
            })
        });
        if !true_one {
            return fail(client, topic, sequence, "the exchange made another change");
        }
        if full { self.check(client, exchange, topic) } else { Ok(()) }
    }

    /// The book as it can be read now: it may be ahead of the event in hand, never behind.
    fn check(
        &mut self,
        client: &Client,
        exchange: &Exchange,
        topic: TopicId,
    ) -> Result<(), Violation> {
        let Some(book) = client.book(topic) else { return Ok(()) };
        self.checks += 1;
        let Some(market) = market_of(client, exchange, topic) else {
            return fail(client, topic, book.sequence(), "there is no such market");
        };
        let mut problem = String::from("the exchange never was there");
        for truth in market.truths_at(book.sequence()) {
            match compare(book, &truth) {
                Ok(()) => return Ok(()),
                Err(found) => problem = found,
            }
        }
        fail(client, topic, book.sequence(), &problem)
    }
}

/// Compares a book with the truth at its sequence.
///
/// # Errors
/// What differs, in words.
pub fn compare(book: &Book, truth: &Truth) -> Result<(), String> {
    for side in [Side::Bid, Side::Ask] {
        let reach = book.reach(side);
        let complete = book.levels(side, Scope::Complete);
        if !complete.eq(truth.levels_within(side, reach)) {
            return Err(format!("the {side}s differ inside the horizon {reach:?}"));
        }
        for level in book.levels(side, Scope::Held) {
            if truth.size(side, level.price) != level.size.get() {
                return Err(format!("the {side} at {} beyond the horizon is wrong", level.price));
            }
        }
        let best = match side {
            Side::Bid => book.best_bid(),
            Side::Ask => book.best_ask(),
        };
        let known = truth.levels_within(side, reach).next();
        let expected = match (known, reach) {
            (Some(level), _) => Best::Level(level),
            (None, Reach::All) => Best::Empty,
            (None, Reach::To(_)) => Best::Beyond,
        };
        if best != expected {
            return Err(format!("the best {side} is {expected:?}, not {best:?}"));
        }
    }
    Ok(())
}

fn market_of<'a>(client: &Client, exchange: &'a Exchange, topic: TopicId) -> Option<&'a Market> {
    exchange.market(client.channel(topic)?.symbol())
}

fn fail(
    client: &Client,
    topic: TopicId,
    sequence: Sequence,
    problem: &str,
) -> Result<(), Violation> {
    let symbol = client.channel(topic).map(|channel| channel.symbol());
    let symbol = symbol.or_else(|| "UNKNOWN".parse().ok());
    match symbol {
        Some(symbol) => Err(Violation { symbol, sequence, problem: problem.into() }),
        None => Ok(()),
    }
}
