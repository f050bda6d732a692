//! Spread and depth of a book, over time.

use alloc::collections::VecDeque;
use core::time::Duration;

use kucoin_futures_proto::book::{Best, KnownLots};
use kucoin_futures_proto::wire::Side;
use kucoin_futures_proto::{Book, Decimal, UnixNanos};

use crate::indicator::{Formula, Guarded, Indicator, ParameterError};
use crate::reading::Reading;
use crate::window::nanos;

/// What a book is like at one moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct BookSample {
    /// Best ask less best bid, in units of 1e-12 of quote currency; below zero while the book is crossed.
    pub spread: i64,
    /// Lots of the best bids.
    pub bid_lots: u64,
    /// Lots of the best asks.
    pub ask_lots: u64,
}

/// What a book does not say.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Unknown {
    /// There is no live book.
    Book,
    /// The best of a side: beyond the horizon, or there is none.
    Best(Side),
    /// That many levels of a side: they reach beyond the horizon.
    Depth(Side),
}

impl BookSample {
    /// Of a book, with the lots of the best so many levels of each side. A side that is known to have fewer has what
    /// it has.
    ///
    /// # Errors
    /// [`Unknown`]: what is beyond the horizon is never taken for nothing.
    pub fn new(book: Option<&Book>, levels: usize) -> Result<Self, Unknown> {
        let book = book.ok_or(Unknown::Book)?;
        let best = |best, side| match best {
            Best::Level(level) => Ok(level.price.scaled()),
            Best::Empty | Best::Unknown => Err(Unknown::Best(side)),
        };
        let bid: i64 = best(book.best_bid(), Side::Bid)?;
        let ask: i64 = best(book.best_ask(), Side::Ask)?;
        let lots = |side| match book.lots_of(side, levels) {
            KnownLots::Exactly(lots) => Ok(lots.get()),
            KnownLots::AtLeast(_) => Err(Unknown::Depth(side)),
        };
        let (bid_lots, ask_lots) = (lots(Side::Bid)?, lots(Side::Ask)?);
        // Both are zero or more.
        Ok(Self { spread: ask.wrapping_sub(bid), bid_lots, ask_lots })
    }
}

/// Means over a span of time.
#[derive(Clone, Copy, PartialEq, Debug)]
#[non_exhaustive]
pub struct BookMean {
    /// Of best ask less best bid in quote currency; exact, rounded down to 12 decimals.
    pub spread: Decimal,
    /// Of the lots of the best bids.
    pub bid_lots: f64,
    /// Of the lots of the best asks.
    pub ask_lots: f64,
}

/// Spread and depth of a book, each state weighted with the time that it lasted within the last span. The sums are exact
/// integers of nanoseconds; lots err by 2 units in the last place.
///
/// Warm-up: the span. A state lasts until the next one, or until [`on_time`](Indicator::on_time): what stands is only
/// known to go on as long as somebody says so. While the book is not live, or does not show what is asked for, nothing
/// is known of it: [`observe`](Guarded::observe) takes that for a gap, and means are stale until a span without any is
/// over.
#[derive(Clone, Debug)]
pub struct BookMeans {
    levels: usize,
    span: u64,
    /// When each state began, and what it was.
    states: VecDeque<(u64, BookSample)>,
    first: u64,
    now: u64,
    /// From when on the sums are.
    begin: u64,
    sums: Integral,
}

/// Sums over time. They wrap around: what is left in them in the end fits.
#[derive(Clone, Copy, Default, Debug)]
struct Integral {
    spread: i128,
    bid_lots: u128,
    ask_lots: u128,
}

impl Integral {
    const fn add(&mut self, sample: BookSample, nanos: u64) {
        let time = nanos as u128;
        self.spread = self.spread.wrapping_add((sample.spread as i128).wrapping_mul(time as i128));
        self.bid_lots = self.bid_lots.wrapping_add((sample.bid_lots as u128).wrapping_mul(time));
        self.ask_lots = self.ask_lots.wrapping_add((sample.ask_lots as u128).wrapping_mul(time));
    }

    const fn remove(&mut self, sample: BookSample, nanos: u64) {
        let time = nanos as u128;
        self.spread = self.spread.wrapping_sub((sample.spread as i128).wrapping_mul(time as i128));
        self.bid_lots = self.bid_lots.wrapping_sub((sample.bid_lots as u128).wrapping_mul(time));
        self.ask_lots = self.ask_lots.wrapping_sub((sample.ask_lots as u128).wrapping_mul(time));
    }
}

/// 36 years: with it every sum fits.
const LONGEST: u64 = 1 << 60;

impl BookMeans {
    /// Over the last span of time, to 36 years; depth is that of the best so many levels of each side.
    ///
    /// # Errors
    /// [`ParameterError`] for another span, or no levels.
    pub fn new(span: Duration, levels: usize) -> Result<Guarded<Self>, ParameterError> {
        let span = nanos(span)?;
        if levels == 0 {
            return Err(ParameterError::Zero);
        }
        if span > LONGEST {
            return Err(ParameterError::TooLarge);
        }
        Ok(Guarded::new(Self {
            levels,
            span,
            states: VecDeque::new(),
            first: 0,
            now: 0,
            begin: 0,
            sums: Integral::default(),
        }))
    }

    fn advance(&mut self, at: u64) {
        let Some((_, last)) = self.states.back().copied() else { return };
        let passed = at.saturating_sub(self.now);
        self.now = self.now.max(at);
        self.sums.add(last, passed);
        let begin = self.now.saturating_sub(self.span).max(self.begin);
        while let Some((_, state)) = self.states.front().copied() {
            let end = self.states.get(1).map_or(self.now, |(start, _)| *start);
            let is_over = end <= begin && self.states.len() > 1;
            let until = if is_over { end } else { begin };
            self.sums.remove(state, until.saturating_sub(self.begin));
            self.begin = self.begin.max(until);
            if !is_over {
                break;
            }
            self.states.pop_front();
        }
    }
}

impl Formula for BookMeans {
    type Input = BookSample;
    type Output = BookMean;

    fn push(&mut self, at: UnixNanos, sample: BookSample) {
        let at = at.as_nanos();
        // From more than a span before: one of both times is wrong, and the later one may be long in coming.
        if at.saturating_add(self.span) < self.now {
            self.reset();
        }
        if self.states.is_empty() {
            (self.first, self.now, self.begin) = (at, at, at);
            self.states.push_back((at, sample));
            return;
        }
        self.advance(at);
        match self.states.back_mut() {
            Some((_, last)) if *last == sample => {}
            Some((start, last)) if *start == self.now => *last = sample,
            _ => self.states.push_back((self.now, sample)),
        }
    }

    fn on_time(&mut self, at: UnixNanos) {
        self.advance(at.as_nanos());
    }

    fn value(&self) -> Option<BookMean> {
        if self.states.is_empty() || self.now.saturating_sub(self.first) < self.span {
            return None;
        }
        let spread = self.sums.spread.checked_div_euclid(i128::from(self.span))?;
        let mean = |sum: u128| sum as f64 / self.span as f64;
        Some(BookMean {
            spread: Decimal::new(spread, -12)?,
            bid_lots: mean(self.sums.bid_lots),
            ask_lots: mean(self.sums.ask_lots),
        })
    }

    fn warm_up(&self) -> u32 {
        1
    }

    fn taken(&self) -> u32 {
        0
    }

    fn reset(&mut self) {
        self.states.clear();
        self.sums = Integral::default();
    }
}

impl Guarded<BookMeans> {
    /// Looks at a book: after each change, or as often as one likes. One that is not live is `None`.
    ///
    /// # Errors
    /// [`Unknown`] if the book does not say it: a gap, which [`reading`](Indicator::reading) shows.
    pub fn observe(
        &mut self,
        at: UnixNanos,
        book: Option<&Book>,
    ) -> Result<Reading<BookMean>, Unknown> {
        match BookSample::new(book, self.formula().levels) {
            Ok(sample) => Ok(self.push(at, sample)),
            Err(unknown) => {
                self.on_time(at);
                self.on_gap(at);
                Err(unknown)
            }
        }
    }
}
