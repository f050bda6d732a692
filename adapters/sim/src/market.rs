//! One symbol's market: a living book with its true history.

use std::collections::VecDeque;

use kucoin_futures_proto::wire::Side;
use kucoin_futures_proto::{Price, Sequence, SplitMix64, UnixNanos};

use crate::contract::Contract;
use crate::trade::{KEPT, Tape, Trade};
use crate::truth::{Change, Truth};

mod bar;
mod figures;
mod funding;
mod hindsight;
mod marks;
mod noise;
mod past;
mod record;
mod resting;

pub use bar::{Candle, DayFigures};
pub use funding::FundingShown;
pub(crate) use funding::{Funding, decimal};
pub(crate) use hindsight::Fill;
pub use marks::Marks;
pub(crate) use record::Record;
use resting::Resting;

/// One run of the engine's counter: from its start or a restart on.
#[derive(Debug)]
struct Run {
    /// The book before the first change of `log`.
    last: Sequence,
    log: VecDeque<Change>,
}

/// Changes remembered per run: enough for every question about the recent past.
const HISTORY: usize = 1 << 20;
/// The direction of the market is drawn anew after so many changes.
const MOOD_CHANGES: u64 = 10_000;

/// A restart that changes the counter by less may go unnoticed for a while.
const FAR: u64 = 1024;

/// The engine of one symbol.
#[derive(Debug)]
pub struct Market {
    contract: Contract,
    rng: SplitMix64,
    now: Truth,
    runs: Vec<Run>,
    /// The final book of each earlier run.
    ends: Vec<Truth>,
    /// Which side is being eaten, if any.
    mood: Option<Side>,
    until_mood: u64,
    tape: Tape,
    record: Record,
    fills: hindsight::Fills,
    seed: u64,
    /// Lots of accounts' orders among the bids and the asks. They came last: others at the same price
    /// are matched before them.
    resting: Resting,
}

impl Market {
    /// A filled book whose counter stands at `start`.
    #[must_use]
    pub fn new(contract: Contract, seed: u64, start: Sequence) -> Self {
        let mut market = Self {
            contract,
            rng: SplitMix64::new(seed),
            now: Truth::default(),
            runs: vec![Run { last: start, log: VecDeque::new() }],
            ends: Vec::new(),
            mood: None,
            until_mood: 0,
            tape: Tape::new(seed, start),
            record: Record::default(),
            fills: hindsight::Fills::default(),
            // What is drawn for figures must not be what is drawn for the book.
            seed: seed.rotate_left(17) ^ 0x5851_f42d_4c95_7f2d,
            resting: Resting::default(),
        };
        market.fill();
        market
    }

    /// The contract.
    #[must_use]
    pub const fn contract(&self) -> &Contract {
        &self.contract
    }

    /// The last change's position.
    #[must_use]
    pub fn sequence(&self) -> Sequence {
        self.runs.last().map_or(Sequence::new(0), |run| run.last)
    }

    /// The book as it is now.
    #[must_use]
    pub const fn truth(&self) -> &Truth {
        &self.now
    }

    /// The middle of the market, on the side of the bids.
    #[must_use]
    pub fn price(&self) -> Price {
        let best = |side| self.now.levels(side).next().map(|level| level.price);
        best(Side::Bid).or_else(|| best(Side::Ask)).unwrap_or(self.contract.start)
    }

    /// The latest 100 trades, newest last; those of before the exchange opened included.
    pub fn trades(&self) -> impl DoubleEndedIterator<Item = &Trade> {
        let missing = KEPT - self.tape.recent().len().min(KEPT);
        let past = if missing > 0 { self.record.past_trades(&self.contract) } else { &[] };
        past.iter().skip(past.len().saturating_sub(missing)).chain(self.tape.recent())
    }

    /// The trades that explain a change that [`Market::step`] has just made, already on the tape:
    /// what vanished at the touch was taken, more often than not.
    pub fn take(&mut self, change: &Change) -> Vec<Trade> {
        let gone = change.before.saturating_sub(change.after);
        let better = match change.side {
            Side::Bid => {
                self.now.bids.range(change.price..).any(|(price, _)| *price > change.price)
            }
            Side::Ask => self.now.asks.range(..change.price).next().is_some(),
        };
        if gone == 0 || better {
            return Vec::new();
        }
        let trades = self.tape.take(change, gone);
        for trade in &trades {
            self.record.on_trade(&self.contract, trade);
            self.fills.add(trade.clone(), self.now.touch());
        }
        trades
    }

    /// Makes one change, drawn, and returns it with its sequence.
    pub fn step(&mut self, at: UnixNanos) -> (Sequence, Change) {
        let (side, price, after) = self.draw();
        self.put(at, side, price, after)
    }

    /// Makes this change. A level that is not there can be removed: the counter goes on.
    pub fn put(
        &mut self,
        at: UnixNanos,
        side: Side,
        price: Price,
        after: u64,
    ) -> (Sequence, Change) {
        let before = self.now.size(side, price);
        let after = self.with_resting(side, price, after);
        let change = Change { side, price, before, after, at };
        self.now.set(side, price, after);
        let Some(run) = self.runs.last_mut() else { return (Sequence::new(0), change) };
        run.last = run.last.next().unwrap_or(run.last);
        run.log.push_back(change);
        if run.log.len() > HISTORY {
            run.log.pop_front();
        }
        (run.last, change)
    }

    /// Restarts the engine: the book stays, the counter goes back by `step`.
    pub fn step_back(&mut self, step: u64) {
        self.restart_at(self.sequence().get().saturating_sub(step));
    }

    /// A maintenance: the book stays, the counter goes on `step` further.
    pub fn step_ahead(&mut self, step: u64) {
        self.restart_at(self.sequence().get().saturating_add(step));
    }

    fn restart_at(&mut self, last: u64) {
        self.ends.push(self.now.clone());
        self.runs.push(Run { last: Sequence::new(last), log: VecDeque::new() });
    }

    /// The runs of the counter so far; the present one is the last.
    #[must_use]
    pub const fn runs(&self) -> usize {
        self.runs.len()
    }

    /// The highest sequence in some runs of the counter.
    pub(crate) fn highest(&self, runs: core::ops::Range<usize>) -> Sequence {
        let runs = self.runs.get(runs).unwrap_or_default();
        runs.iter().map(|run| run.last).max().unwrap_or(Sequence::new(0))
    }

    /// The lowest sequence in some runs of the counter.
    pub(crate) fn lowest(&self, runs: core::ops::Range<usize>) -> Option<Sequence> {
        let start = |run: &Run| run.last.get().saturating_sub(run.log.len() as u64);
        self.runs.get(runs).unwrap_or_default().iter().map(start).min().map(Sequence::new)
    }

    /// The books that stood at `sequence`: one for each run of the counter that passed it, the
    /// present run's first. Empty if that is ahead of us or too long ago.
    pub fn truths_at(&self, sequence: Sequence) -> impl Iterator<Item = Truth> + '_ {
        (0..self.runs.len()).rev().filter_map(move |run| self.truth_of(run, sequence))
    }

    /// The book that stood at `sequence` in a run of the counter; they are numbered from 0.
    #[must_use]
    pub fn truth_of(&self, run: usize, sequence: Sequence) -> Option<Truth> {
        let end = if run + 1 == self.runs.len() { &self.now } else { self.ends.get(run)? };
        let run = self.runs.get(run)?;
        let back = usize::try_from(run.last.get().checked_sub(sequence.get())?).ok()?;
        let kept = run.log.len().checked_sub(back)?;
        let mut truth = end.clone();
        for change in run.log.range(kept..).rev() {
            truth.set(change.side, change.price, change.before);
        }
        Some(truth)
    }

    /// The changes that had this sequence, one for each run of the counter, the present run's first.
    pub fn changes_at(&self, sequence: Sequence) -> impl Iterator<Item = Change> + '_ {
        (0..self.runs.len()).rev().filter_map(move |run| self.change_of(run, sequence))
    }

    /// The change that had this sequence in a run of the counter.
    #[must_use]
    pub fn change_of(&self, run: usize, sequence: Sequence) -> Option<Change> {
        let run = self.runs.get(run)?;
        let back = usize::try_from(run.last.get().checked_sub(sequence.get())?).ok()?;
        run.log.get(run.log.len().checked_sub(back)?.checked_sub(1)?).copied()
    }

    /// The book as it stood `back` changes ago, or as far back as is remembered, with the sequence
    /// and the time of its last change. Looks over restarts of the counter: what lags behind knows
    /// nothing of them. Not over those that changed it by little: a snapshot of before may then fit
    /// the deltas of after exactly, and nobody could tell by anything.
    #[must_use]
    pub fn past(&self, back: usize) -> (Sequence, Truth, Option<UnixNanos>) {
        let mut back = back;
        let mut truth = self.now.clone();
        let mut sequence = self.sequence();
        let mut runs = self.runs.iter().rev().peekable();
        while let Some(run) = runs.next() {
            let steps = back.min(run.log.len());
            let kept = run.log.len() - steps;
            let present = back == 0;
            for change in run.log.range(kept..).rev() {
                truth.set(change.side, change.price, change.before);
            }
            back -= steps;
            sequence = Sequence::new(run.last.get().saturating_sub(steps as u64));
            if let Some(last) = kept.checked_sub(1).and_then(|last| run.log.get(last)) {
                return (sequence, truth, Some(last.at));
            }
            let near = |before: &&Run| before.last.get().abs_diff(sequence.get()) < FAR;
            if present || runs.peek().is_some_and(near) {
                break;
            }
        }
        (sequence, truth, None)
    }

    /// Takes the best of one side, or lets the other side follow: one step of a market that walks.
    pub fn walk(&mut self, at: UnixNanos, eaten: Side) -> (Sequence, Change) {
        let best = |market: &Self, side| market.now.levels(side).next().map(|level| level.price);
        let (gone, follower) = (best(self, eaten), opposite(eaten));
        let next = self.away(follower, self.opposite_touch(follower), 1);
        match (gone, next) {
            (Some(price), _) if self.len(eaten) > 5 && self.rng.below(2) == 0 => {
                self.put(at, eaten, price, 0)
            }
            (_, Some(price)) => {
                let size = self.size();
                self.put(at, follower, price, size)
            }
            _ => self.step(at),
        }
    }

    /// A price that crosses the other side, if that has one.
    #[must_use]
    pub fn crossing(&self, side: Side) -> Option<Price> {
        let touch = self.now.levels(opposite(side)).next()?.price;
        self.away(opposite(side), touch, 1).or(Some(touch))
    }

    fn fill(&mut self) {
        let mut ticks = [1_i64, 0];
        for _ in 0..self.contract.depth {
            for (side, ticks) in [Side::Ask, Side::Bid].into_iter().zip(&mut ticks) {
                let size = self.size();
                if let Some(price) = self.away(side, self.contract.start, *ticks) {
                    self.now.set(side, price, size);
                }
                *ticks += 1 + self.rng.below(2) as i64;
            }
        }
    }

    /// What changes next: near the touch mostly, everywhere sometimes.
    fn draw(&mut self) -> (Side, Price, u64) {
        self.turn_mood();
        let eaten = self.mood.filter(|_| self.rng.below(4) == 0);
        if let Some(change) = eaten.and_then(|eaten| self.drift(eaten)) {
            return change;
        }
        let side = if self.rng.below(2) == 0 { Side::Bid } else { Side::Ask };
        let len = self.len(side);
        let thin = len < self.contract.depth;
        let (kind, distance) = (self.rng.below(100), self.distance(thin));
        // What is taken at the touch must come back somewhere, or the book runs dry.
        if kind < if thin { 55 } else { 25 } || len < 5 {
            let touch = self.opposite_touch(side);
            if let Some(price) = self.away(side, touch, distance + 1) {
                return (side, price, self.size());
            }
        }
        let touch = self.now.levels(side).next().map_or(self.contract.start, |level| level.price);
        let aim = self.away(side, touch, distance).unwrap_or(touch);
        let price = self.existing(side, aim).unwrap_or(touch);
        let remove = kind >= if thin { 80 } else { 60 } && len > 1;
        (side, price, if remove { 0 } else { self.size() })
    }

    /// The market moves: one side's best is taken, or the other side follows by a tick.
    fn drift(&mut self, eaten: Side) -> Option<(Side, Price, u64)> {
        let follower = opposite(eaten);
        // A side that was eaten far down gets time to fill up again.
        if self.len(eaten) * 10 < self.contract.depth * 9 || self.len(eaten) < 5 {
            return None;
        }
        if self.rng.below(2) == 0 {
            return Some((eaten, self.now.levels(eaten).next()?.price, 0));
        }
        let price = self.away(follower, self.opposite_touch(follower), 1)?;
        Some((follower, price, self.size()))
    }

    fn turn_mood(&mut self) {
        self.until_mood = match self.until_mood.checked_sub(1) {
            Some(left) => left,
            None => {
                self.mood = match self.rng.below(3) {
                    0 => Some(Side::Bid),
                    1 => Some(Side::Ask),
                    _ => None,
                };
                self.rng.below(MOOD_CHANGES)
            }
        };
    }

    /// Ticks from the touch: close by, in the middle field, or as deep as the book goes.
    fn distance(&mut self, thin: bool) -> i64 {
        let bound = match self.rng.below(10) {
            0..=3 => 6,
            4..=6 if !thin => 6,
            4..=5 => 60,
            7 => 60,
            _ => 2 * self.contract.depth as u64,
        };
        self.rng.below(bound) as i64
    }

    /// Each number of digits is as likely as any other: small orders are many, and large ones occur.
    fn size(&mut self) -> u64 {
        let digits = 1 + self.rng.below(u64::from(self.contract.size_digits.clamp(1, 18)));
        1 + self.rng.below(10_u64.pow(digits as u32) - 1)
    }

    /// The price `ticks` away from `from`, outwards on `side`; `None` below one tick.
    fn away(&self, side: Side, from: Price, ticks: i64) -> Option<Price> {
        let step = self.contract.tick.scaled().checked_mul(ticks)?;
        let price = match side {
            Side::Bid => from.scaled().checked_sub(step)?,
            Side::Ask => from.scaled().checked_add(step)?,
        };
        Price::from_scaled(price).filter(|price| *price > Price::ZERO)
    }

    /// The level at or beyond `aim`.
    fn existing(&self, side: Side, aim: Price) -> Option<Price> {
        match side {
            Side::Bid => self.now.bids.range(..=aim).next_back().map(|(price, _)| *price),
            Side::Ask => self.now.asks.range(aim..).next().map(|(price, _)| *price),
        }
    }

    fn opposite_touch(&self, side: Side) -> Price {
        let other = self.now.levels(opposite(side)).next();
        other.map_or_else(|| self.price(), |level| level.price)
    }

    fn len(&self, side: Side) -> usize {
        match side {
            Side::Bid => self.now.bids.len(),
            Side::Ask => self.now.asks.len(),
        }
    }
}

const fn opposite(side: Side) -> Side {
    match side {
        Side::Bid => Side::Ask,
        Side::Ask => Side::Bid,
    }
}

#[cfg(test)]
mod tests;
