//! Bars that are over when something is full, and not by the clock: see [`BarBuilder`].

mod imbalance;

use alloc::vec::Vec;

use kucoin_futures_proto::Decimal;

use crate::candle::{Candle, CandleEvent, Order, Running, Trail};
use crate::indicator::ParameterError;
use crate::tick::Tick;
use crate::valuation::Valuation;
use imbalance::Imbalance;
pub use imbalance::ImbalanceConfig;

/// When a bar is over. The trade that fills it is its last one, whole: none is split.
#[derive(Clone, Copy, PartialEq, Debug)]
#[non_exhaustive]
pub enum BarRule {
    /// After so many trades.
    Ticks(u64),
    /// When so many lots were traded.
    Lots(u128),
    /// When so much was turned over: quote currency, or coins of an inverse contract.
    Value(Decimal),
    /// When takers of one side outnumber the other by as many trades as is not expected.
    Imbalance(ImbalanceConfig),
}

/// Puts trades together to bars by count, volume, value or imbalance (M. Lopez de Prado, *Advances in Financial
/// Machine Learning*, 2018, chapter 2).
///
/// Input and gaps are those of a [`CandleBuilder`](crate::candle::CandleBuilder), but for what follows from there
/// being no clock: a bar that a gap lies in, or between it and the bar before, goes on to its end and is not whole; the
/// first bar begins with the first trade, and is whole. A trade that comes late is put into the running bar if its sequence lies there, and told as
/// [`Late`](CandleEvent::Late) if not.
#[derive(Clone, Debug)]
pub struct BarBuilder {
    rule: Rule,
    valuation: Valuation,
    running: Option<Running>,
    trail: Trail,
    /// Trades may be missing before the next bar.
    is_doubted: bool,
}

#[derive(Clone, Debug)]
enum Rule {
    Ticks(u64),
    Lots(u128),
    /// In the units of the valuation.
    Value(i128),
    Imbalance(Imbalance),
}

impl BarBuilder {
    /// That has taken nothing yet.
    ///
    /// # Errors
    /// [`ParameterError`] for an amount of zero or below, one that is too large to count, or what
    /// [`ImbalanceConfig`] does not allow.
    pub fn new(rule: BarRule, valuation: Valuation) -> Result<Self, ParameterError> {
        let rule = match rule {
            BarRule::Ticks(0) | BarRule::Lots(0) => return Err(ParameterError::Zero),
            BarRule::Ticks(ticks) => Rule::Ticks(ticks),
            BarRule::Lots(lots) => Rule::Lots(lots),
            BarRule::Value(value) if value <= Decimal::ZERO => {
                return Err(ParameterError::NotPositive);
            }
            BarRule::Value(value) => {
                Rule::Value(valuation.units_of(value).ok_or(ParameterError::TooLarge)?)
            }
            BarRule::Imbalance(config) => Rule::Imbalance(Imbalance::new(config)?),
        };
        let (running, trail) = (None, Trail::default());
        Ok(Self { rule, valuation, running, trail, is_doubted: false })
    }

    /// Takes a trade, and appends the bar that it ends to `out`.
    pub fn push(&mut self, trade: &Tick, out: &mut Vec<CandleEvent>) {
        let Some(time) = trade.time else {
            out.push(CandleEvent::Timeless { trade: *trade });
            self.on_gap();
            return;
        };
        match self.trail.follow(trade.sequence, time) {
            Order::Repeat => return,
            Order::Behind if !self.is_in_running(trade) => {
                out.push(CandleEvent::Late { trade: *trade, candle_start: None });
                return;
            }
            Order::NewRun => {
                self.on_gap();
                if let Some(running) = &mut self.running {
                    running.on_new_run();
                }
            }
            Order::Next | Order::Behind => {}
        }
        let running = match &mut self.running {
            Some(running) => {
                running.add(trade, &self.valuation);
                running
            }
            None => {
                let is_whole = !core::mem::take(&mut self.is_doubted);
                self.running.insert(Running::new(time, time, is_whole, trade, &self.valuation))
            }
        };
        running.extend_to(time);
        if self.rule.is_full(running, trade) {
            let bar = running.candle(&self.valuation, true);
            self.running = None;
            self.rule.on_bar(&bar);
            out.push(CandleEvent::Closed(bar));
        }
    }

    /// Trades may be missing between the last one and the next one. Idempotent.
    pub const fn on_gap(&mut self) {
        match &mut self.running {
            Some(running) => running.doubt(),
            None => self.is_doubted = true,
        }
    }

    /// The bar that is not full yet.
    #[must_use]
    pub fn running(&self) -> Option<Candle> {
        Some(self.running?.candle(&self.valuation, false))
    }

    /// Whether a late trade lies between those of the running bar.
    fn is_in_running(&self, trade: &Tick) -> bool {
        let first = self.running.and_then(|running| running.first_sequence());
        first.is_some_and(|first| trade.sequence > first)
    }
}

impl Rule {
    /// Whether the bar is full, with this trade in it.
    fn is_full(&mut self, bar: &Running, trade: &Tick) -> bool {
        match self {
            Self::Ticks(ticks) => bar.trades() >= Some(*ticks),
            Self::Lots(lots) => bar.lots() >= *lots,
            // What is too large to count has more than there is to reach.
            Self::Value(units) => bar.units().is_none_or(|sum| sum >= *units),
            Self::Imbalance(imbalance) => imbalance.is_full(trade.taker_side),
        }
    }

    /// The bar was over.
    fn on_bar(&mut self, bar: &Candle) {
        if let Self::Imbalance(imbalance) = self {
            imbalance.on_bar(bar.is_whole);
        }
    }
}
