//! Candles by the clock.

use alloc::vec::Vec;

use kucoin_futures_proto::{Price, Sequence, UnixNanos};

use super::{Candle, CandleEvent, Grid, Order, Running, Seed, SeedError, Trail};
use crate::tick::Tick;
use crate::valuation::Valuation;

/// Puts trades together to candles of one length.
///
/// **Input.** Each trade once, as the stream brings it or a join of history and stream; a trade may come later than
/// others (its sequence tells). Whoever learns that trades may be missing calls [`on_gap`](Self::on_gap) before the
/// first one after: at `MayHaveMissed` of the stream, at `Hole` and `NewRun` of a `TradeJoin`.
///
/// **When a candle is over.** By the first trade of a later interval, or by [`on_time`](Self::on_time). What comes
/// for it after that is told as [`Late`](CandleEvent::Late), and changes nothing that was told. The exchange's times
/// of neighbours may be out of order by a millisecond: a trade that is overtaken over the end of an interval is late,
/// too.
///
/// **What is whole.** A candle that begins more than 10 ms after a trade since which nothing was missed: so not the
/// first one, nor the one in which a gap lies, nor the one of the first trade after it. A trade that comes for the
/// running candle out of turn is put where its sequence belongs. A counter that was set back (a lower sequence, more
/// than 10 ms later) is a gap.
///
/// Times are believed. One from far ahead ends the running candle, and what comes after it is late until then: told, and
/// in no candle. Whoever doubts the times makes a new builder.
///
/// Nothing is allocated but what events need in the caller's list. A trade costs O(1), and O(candles) where it fills
/// empty ones.
///
/// ```
/// use kucoin_futures_analytics::candle::{CandleBuilder, CandleEvent, Grid};
/// use kucoin_futures_analytics::{Tick, Valuation};
/// use kucoin_futures_proto::wire::TakerSide;
/// use kucoin_futures_proto::{Interval, Lots, Sequence, UnixNanos};
///
/// let valuation = Valuation::linear("0.001".parse()?)?;
/// let mut candles = CandleBuilder::new(Grid::of(Interval::Min1).unwrap(), valuation);
/// let mut events = Vec::new();
/// for (second, price) in [(59, "63000.1"), (61, "63000.5"), (62, "62999.9"), (121, "63001")] {
///     let trade = Tick {
///         time: UnixNanos::from_millis(second * 1000),
///         sequence: Sequence::new(second),
///         taker_side: TakerSide::Buy,
///         price: price.parse()?,
///         size: Lots::new(3),
///     };
///     candles.push(&trade, &mut events);
/// }
/// let [CandleEvent::Closed(first), CandleEvent::Closed(second)] = &events[..] else { panic!() };
/// assert!(!first.is_whole && second.is_whole);
/// assert_eq!((second.open.to_string(), second.close.to_string()), ("63000.5".into(), "62999.9".into()));
/// assert_eq!((second.lots, second.turnover.unwrap().to_string()), (6, "378.0012".into()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct CandleBuilder {
    grid: Grid,
    valuation: Valuation,
    fills_empty: bool,
    running: Option<Running>,
    trail: Trail,
    /// Every interval that begins before was told.
    told_until: Option<UnixNanos>,
    last_close: Option<Price>,
    /// Nothing may be missing since the last price that was taken.
    is_price_known: bool,
    /// The last trade that history has counted.
    contained: Option<Sequence>,
}

/// Empty intervals that are told as candles, in a row: a week of minutes. More are one
/// [`Empty`](CandleEvent::Empty).
pub const MOST_FILLED: u64 = 10_080;

impl CandleBuilder {
    /// That has taken nothing yet.
    #[must_use]
    pub fn new(grid: Grid, valuation: Valuation) -> Self {
        Self {
            grid,
            valuation,
            fills_empty: false,
            running: None,
            trail: Trail::default(),
            told_until: None,
            last_close: None,
            is_price_known: false,
            contained: None,
        }
    }

    /// Tells intervals in which *surely* nothing was traded as candles without lots, all prices the last close, and
    /// not as [`Empty`](CandleEvent::Empty). What may have been missed is never filled.
    #[must_use]
    pub const fn filling_empty(mut self) -> Self {
        self.fills_empty = true;
        self
    }

    /// Begins with the candle of the present interval as history has it. Every trade after
    /// [`Seed::through`] has to be pushed then; those before may be, and are left out.
    ///
    /// # Errors
    /// [`SeedError`]; nothing is changed then.
    pub fn seed(&mut self, seed: &Seed) -> Result<(), SeedError> {
        if self.grid.start_of(seed.start) != seed.start {
            return Err(SeedError::OffGrid);
        }
        let ends = [seed.open, seed.close];
        if ends.iter().any(|price| *price < seed.low || *price > seed.high) {
            return Err(SeedError::Impossible);
        }
        let is_running = self.running.is_some_and(|running| running.start() == seed.start);
        match self.told_until.filter(|_| !is_running) {
            Some(until) if seed.start < until => return Err(SeedError::Told),
            Some(until) if seed.start > until || self.running.is_some() => {
                return Err(SeedError::Ahead);
            }
            _ => {}
        }
        if self.trail.last_sequence().is_some_and(|last| last > seed.through) {
            return Err(SeedError::Behind);
        }
        let end = self.grid.end_of(seed.start);
        self.running = Some(Running::of_seed(seed, end));
        self.told_until = Some(end);
        self.contained = Some(seed.through);
        self.is_price_known = true;
        // Until a trade says more, none of this interval is of a new run.
        self.trail.jump_to(seed.through, end);
        self.trail.resume(seed.start);
        Ok(())
    }

    /// Takes a trade, and appends what it ends to `out`.
    pub fn push(&mut self, trade: &Tick, out: &mut Vec<CandleEvent>) {
        let Some(time) = trade.time else {
            out.push(CandleEvent::Timeless { trade: *trade });
            self.doubt();
            return;
        };
        let order = self.trail.follow(trade.sequence, time);
        match order {
            Order::NewRun => {
                self.contained = None;
                if let Some(running) = &mut self.running {
                    running.doubt();
                    running.on_new_run();
                }
            }
            Order::Repeat => return,
            Order::Next | Order::Behind => {}
        }
        if self.contained.is_some_and(|through| trade.sequence <= through) {
            return;
        }
        let start = self.grid.start_of(time);
        match &mut self.running {
            Some(running) if running.start() == start => running.add(trade, &self.valuation),
            _ if self.told_until.is_some_and(|until| start < until) => {
                // It is in no candle, and yet the last price.
                if order != Order::Behind {
                    self.last_close = Some(trade.price);
                }
                out.push(CandleEvent::Late { trade: *trade, candle_start: Some(start) });
            }
            _ => self.open(start, trade, out),
        }
        if matches!(order, Order::Next | Order::NewRun) {
            self.trail.complete_from(time);
            self.is_price_known = true;
        }
    }

    /// Trades may be missing between the last one and the next one. Idempotent.
    pub fn on_gap(&mut self) {
        self.doubt();
    }

    /// From this time of the exchange on nothing is missed: a subscription is confirmed since before, say. Without
    /// it only the first trade shows that the stream is back.
    pub fn on_complete_since(&mut self, time: UnixNanos) {
        self.trail.resume(time);
        if self.told_until.is_none() {
            self.told_until = Some(self.grid.start_of(time));
        }
    }

    /// All trades before this time of the exchange were pushed: ends what ends by then, and tells of intervals
    /// without a trade. Trades that are still on their way come late; how long they may be only the caller knows.
    pub fn on_time(&mut self, time: UnixNanos, out: &mut Vec<CandleEvent>) {
        if self.running.is_some_and(|running| running.end() <= time) {
            self.close(out);
        }
        let start = self.grid.start_of(time);
        if self.running.is_none() {
            self.tell_untraded(start, out);
        }
    }

    /// The candle that still grows.
    #[must_use]
    pub fn running(&self) -> Option<Candle> {
        Some(self.running?.candle(&self.valuation, false))
    }

    /// Begins the candle of a later interval.
    fn open(&mut self, start: UnixNanos, trade: &Tick, out: &mut Vec<CandleEvent>) {
        self.close(out);
        self.tell_untraded(start, out);
        let is_whole = self.trail.is_complete_from(start);
        let end = self.grid.end_of(start);
        self.running = Some(Running::new(start, end, is_whole, trade, &self.valuation));
        self.told_until = Some(end);
    }

    fn close(&mut self, out: &mut Vec<CandleEvent>) {
        if let Some(running) = self.running.take() {
            let candle = running.candle(&self.valuation, true);
            self.last_close = self.is_price_known.then_some(candle.close);
            out.push(CandleEvent::Closed(candle));
        }
    }

    /// Tells of the intervals without a trade from the last one told to `to`.
    fn tell_untraded(&mut self, to: UnixNanos, out: &mut Vec<CandleEvent>) {
        let Some(from) = self.told_until.filter(|from| *from < to) else { return };
        self.told_until = Some(to);
        // What began before the stream was complete is not known, and the rest is.
        let known = self.known_from(from, to);
        if from < known {
            out.push(CandleEvent::Unknown { from, to: known });
        }
        if known == to {
            return;
        }
        match self.last_close.filter(|_| self.fills_empty) {
            Some(price) if self.grid.count(known, to) <= MOST_FILLED => {
                self.fill(known, to, price, out);
            }
            _ => out.push(CandleEvent::Empty { from: known, to }),
        }
    }

    /// The first begin in a stretch since which nothing was missed; its end if there is none.
    fn known_from(&self, from: UnixNanos, to: UnixNanos) -> UnixNanos {
        if self.trail.is_complete_from(from) {
            return from;
        }
        let first = self.trail.first_complete(self.grid);
        first.map_or(to, |first| first.clamp(from, to))
    }

    fn fill(&self, from: UnixNanos, to: UnixNanos, price: Price, out: &mut Vec<CandleEvent>) {
        let mut start = from;
        while start < to {
            let end = self.grid.end_of(start);
            out.push(CandleEvent::Closed(Candle::empty(start, end, price)));
            start = end;
        }
    }

    fn doubt(&mut self) {
        self.trail.doubt();
        // What an interval without a trade is filled with.
        (self.last_close, self.is_price_known) = (None, false);
        if let Some(running) = &mut self.running {
            running.doubt();
        }
    }
}
