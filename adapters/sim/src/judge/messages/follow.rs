//! What is held against what came before: books from one sequence to the next, candles, settlements.

use kucoin_futures_proto::wire::{CandleUpdate, FundingSettlement};
use kucoin_futures_proto::{Message, Sequence, Symbol, UnixNanos};

use super::{Arrival, Candle, Heard};
use crate::interval::Interval;
use crate::judge::topics::Verdict;
use crate::market::Market;
use crate::truth::Truth;

/// The book of one market, carried along from message to message.
#[derive(Debug, Default)]
pub(super) struct Followed {
    /// Of which run of the counter, and where.
    at: Option<(usize, Sequence)>,
    truth: Truth,
}

/// Further than that a book is made anew.
const FAR: u64 = 4_096;

impl Followed {
    /// Whether, in some run of the counter, the book at this sequence is as asked for.
    pub(super) fn is(
        &mut self,
        market: &Market,
        sequence: Sequence,
        fits: impl Fn(usize, &Truth) -> bool,
    ) -> bool {
        if let Some(run) = self.go_on(market, sequence)
            && fits(run, &self.truth)
        {
            return true;
        }
        (0..market.runs()).rev().any(|run| {
            let Some(truth) = market.truth_of(run, sequence) else { return false };
            let is_it = fits(run, &truth);
            if is_it {
                (self.at, self.truth) = (Some((run, sequence)), truth);
            }
            is_it
        })
    }

    /// Goes on to this sequence, if that is in the same run and not far; which run that is.
    fn go_on(&mut self, market: &Market, sequence: Sequence) -> Option<usize> {
        let (run, at) = self.at.take()?;
        let steps = sequence.get().checked_sub(at.get()).filter(|steps| *steps < FAR)?;
        for step in 1..=steps {
            let change = market.change_of(run, Sequence::new(at.get() + step))?;
            self.truth.set(change.side, change.price, change.after);
        }
        self.at = Some((run, sequence));
        Some(run)
    }
}

impl Heard {
    /// Holds a message against those before it.
    pub(super) fn follow(
        &mut self,
        arrival: &Arrival<'_>,
        (symbol, market): (Symbol, &Market),
        message: &Message<'_>,
    ) -> Verdict {
        match message {
            Message::MarkPrice(mark) => self.on_time(mark.ts_event),
            Message::FundingRate(rate) => self.on_time(rate.ts_event),
            Message::Stats24h(stats) => self.on_time(stats.ts_event),
            Message::Candle(candle) => {
                self.on_time(candle.ts_event)?;
                let lost_at = arrival.exchange.lost_push_at(symbol);
                self.on_candle(lost_at, market, candle)
            }
            Message::FundingBegin(settlement) => {
                self.on_time(settlement.ts_event)?;
                self.begun.extend(settlement.funding_time.map(|at| (symbol, at)));
                Ok(())
            }
            Message::FundingEnd(settlement) => {
                self.on_time(settlement.ts_event)?;
                self.on_end(symbol, settlement)
            }
            _ => Ok(()),
        }
    }

    /// On one connection the exchange's clock does not go back, and an older one says nothing any more.
    fn on_time(&mut self, at: Option<UnixNanos>) -> Verdict {
        let before = core::mem::replace(&mut self.said, at);
        if at < before {
            return Err(format!("goes back from {before:?} to {at:?}"));
        }
        Ok(())
    }

    /// A settlement that ends has begun, if the topic was heard at the time.
    fn on_end(&self, symbol: Symbol, settlement: &FundingSettlement) -> Verdict {
        let due = settlement.funding_time;
        let was_carried = self.carried.zip(due).is_some_and(|(carried, due)| carried <= due);
        if was_carried && self.begun.get(&symbol).copied() != due {
            return Err(format!("funding of {symbol} ends that did not begin: {settlement:?}"));
        }
        Ok(())
    }

    /// A candle does not lose anything, and the last one of a bar has all of it, if nothing was lost.
    fn on_candle(
        &mut self,
        lost_at: Option<UnixNanos>,
        market: &Market,
        candle: &CandleUpdate,
    ) -> Verdict {
        let (start, volume) = (candle.start, candle.volume.get());
        let before = self.candle.replace(Candle { start, volume });
        let Some(before) = before else { return Ok(()) };
        if start < before.start || (start == before.start && volume < before.volume) {
            return Err(format!("{candle:?} after {before:?}"));
        }
        if start == before.start || lost_at.is_some_and(|at| at >= before.start) {
            return Ok(());
        }
        let interval = candle.interval.and_then(|interval| Interval::named(interval.as_str()));
        let second = before.start.as_nanos() / 1_000_000_000;
        let closed = interval.and_then(|interval| {
            // All that was traded, however late.
            market.candles_at(interval, second, UnixNanos::from_nanos(u64::MAX))?.pop()
        });
        let was_carried = self.carried.is_some_and(|carried| carried <= before.start);
        match closed {
            Some(closed) if was_carried && closed.lots != u128::from(before.volume) => {
                Err(format!("{before:?} was the last one of {closed:?}"))
            }
            _ => Ok(()),
        }
    }
}
