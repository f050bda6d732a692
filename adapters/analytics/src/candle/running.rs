//! A candle that still grows, and the order of trades.

use kucoin_futures_proto::wire::TakerSide;
use kucoin_futures_proto::{Decimal, Sequence, UnixNanos};

use super::{Candle, Grid, Seed};
use crate::tick::Tick;
use crate::valuation::{Valuation, sum};

/// A candle that is not over.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Running {
    candle: Candle,
    /// Of trades, in the units of the valuation.
    units: Option<i128>,
    /// What history has said.
    before: Option<Decimal>,
    /// Whose price the open and the close are; none of one that history has said, which stands at its end for good.
    ends: [Option<Sequence>; 2],
    /// Whether the open is history's.
    is_seeded: bool,
}

impl Running {
    /// A candle that begins with a trade.
    pub(crate) fn new(
        start: UnixNanos,
        end: UnixNanos,
        is_whole: bool,
        tick: &Tick,
        valuation: &Valuation,
    ) -> Self {
        let price = tick.price;
        let candle = Candle {
            start,
            end,
            open: price,
            high: price,
            low: price,
            close: price,
            lots: 0,
            turnover: None,
            trades: Some(0),
            taker_buy_lots: Some(0),
            first_sequence: Some(tick.sequence),
            last_sequence: Some(tick.sequence),
            is_closed: false,
            is_whole,
        };
        let ends = [Some(tick.sequence); 2];
        let mut running =
            Self { candle, units: Some(0), before: Some(Decimal::ZERO), ends, is_seeded: false };
        running.add(tick, valuation);
        running
    }

    /// A candle that begins as history has it.
    pub(crate) fn of_seed(seed: &Seed, end: UnixNanos) -> Self {
        let candle = Candle {
            start: seed.start,
            end,
            open: seed.open,
            high: seed.high,
            low: seed.low,
            close: seed.close,
            lots: seed.lots,
            turnover: None,
            trades: None,
            taker_buy_lots: None,
            first_sequence: None,
            last_sequence: Some(seed.through),
            is_closed: false,
            is_whole: true,
        };
        let ends = [None, Some(seed.through)];
        Self { candle, units: Some(0), before: seed.turnover, ends, is_seeded: true }
    }

    /// Takes in a trade, wherever it stands among the others.
    #[inline]
    pub(crate) fn add(&mut self, tick: &Tick, valuation: &Valuation) {
        let candle = &mut self.candle;
        candle.high = candle.high.max(tick.price);
        candle.low = candle.low.min(tick.price);
        candle.lots = candle.lots.saturating_add(u128::from(tick.size.get()));
        candle.trades = candle.trades.map(|trades| trades.saturating_add(1));
        if tick.taker_side == TakerSide::Buy {
            let lots = u128::from(tick.size.get());
            candle.taker_buy_lots = candle.taker_buy_lots.map(|sum| sum.saturating_add(lots));
        }
        let units = valuation.units(tick.price, tick.size);
        self.units = self.units.zip(units).and_then(|(sum, units)| sum.checked_add(units));
        let [first, last] = &mut self.ends;
        if last.is_none_or(|last| tick.sequence >= last) {
            (candle.close, *last) = (tick.price, Some(tick.sequence));
        } else if !self.is_seeded && first.is_some_and(|first| tick.sequence < first) {
            (candle.open, *first) = (tick.price, Some(tick.sequence));
        }
        candle.first_sequence = candle.first_sequence.map(|first| first.min(tick.sequence));
        candle.last_sequence = candle.last_sequence.max(Some(tick.sequence));
    }

    /// From here on sequences are of another run: what comes now is later than all there is.
    pub(crate) const fn on_new_run(&mut self) {
        // Nothing of this candle can come before a sequence of zero.
        self.ends = [Some(Sequence::new(0)), None];
    }

    /// Something may be missing in it.
    pub(crate) const fn doubt(&mut self) {
        self.candle.is_whole = false;
    }

    pub(crate) const fn start(&self) -> UnixNanos {
        self.candle.start
    }

    pub(crate) const fn end(&self) -> UnixNanos {
        self.candle.end
    }

    /// Of a bar: its last trade was at this time.
    pub(crate) fn extend_to(&mut self, time: UnixNanos) {
        self.candle.end = self.candle.end.max(time);
    }

    pub(crate) const fn lots(&self) -> u128 {
        self.candle.lots
    }

    pub(crate) const fn trades(&self) -> Option<u64> {
        self.candle.trades
    }

    pub(crate) const fn units(&self) -> Option<i128> {
        self.units
    }

    pub(crate) const fn first_sequence(&self) -> Option<Sequence> {
        self.candle.first_sequence
    }

    /// As it stands.
    pub(crate) fn candle(&self, valuation: &Valuation, is_closed: bool) -> Candle {
        let traded = self.units.and_then(|units| valuation.turnover(units));
        let turnover = self.before.zip(traded).and_then(|(before, traded)| sum(before, traded));
        Candle { turnover, is_closed, ..self.candle }
    }
}

/// How far the trades of a stream have come.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Trail {
    /// The furthest trade: sequence and time.
    last: Option<(Sequence, UnixNanos)>,
    /// All trades after this time were taken; `None` since something may have been missed.
    complete_after: Option<UnixNanos>,
}

/// Where a trade stands among those before.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Order {
    /// After all.
    Next,
    /// The furthest one again.
    Repeat,
    /// Before another one.
    Behind,
    /// After all, though its sequence is not: the counter was set back.
    NewRun,
}

/// Neighbours may be out of order by milliseconds. An engine that is started anew takes longer.
const SAME_NANOS: u64 = 10_000_000;

impl Trail {
    /// Where a trade stands, and takes it for seen.
    pub(crate) fn follow(&mut self, sequence: Sequence, time: UnixNanos) -> Order {
        let order = match self.last {
            None => Order::Next,
            Some((last, _)) if sequence > last => Order::Next,
            Some((_, at)) if time > later(at) => Order::NewRun,
            Some((last, _)) if sequence == last => Order::Repeat,
            Some(_) => Order::Behind,
        };
        match order {
            // What comes late says nothing of what the stream has missed meanwhile.
            Order::Repeat | Order::Behind => {}
            Order::NewRun => {
                self.last = Some((sequence, time));
                self.complete_after = None;
            }
            Order::Next => self.last = Some((sequence, time)),
        }
        order
    }

    /// The trade after all others was taken: nothing after it is missing, until something is said.
    pub(crate) fn complete_from(&mut self, time: UnixNanos) {
        self.complete_after.get_or_insert(time);
    }

    /// All trades after this time will come.
    pub(crate) fn resume(&mut self, time: UnixNanos) {
        self.complete_after = Some(self.complete_after.map_or(time, |after| after.min(time)));
    }

    /// Something may have been missed.
    pub(crate) const fn doubt(&mut self) {
        self.complete_after = None;
    }

    /// Whether nothing from this time on was missed.
    pub(crate) fn is_complete_from(&self, start: UnixNanos) -> bool {
        self.complete_after.is_some_and(|after| start > later(after))
    }

    /// When the first interval begins from which on nothing was missed.
    pub(crate) fn first_complete(&self, grid: Grid) -> Option<UnixNanos> {
        Some(grid.end_of(grid.start_of(later(self.complete_after?))))
    }

    /// The furthest trade's sequence.
    pub(crate) fn last_sequence(&self) -> Option<Sequence> {
        self.last.map(|(sequence, _)| sequence)
    }

    /// Takes trades to this one for seen.
    pub(crate) fn jump_to(&mut self, sequence: Sequence, time: UnixNanos) {
        self.last = self.last.max(Some((sequence, time)));
    }
}

/// What is surely later.
const fn later(time: UnixNanos) -> UnixNanos {
    UnixNanos::from_nanos(time.as_nanos().saturating_add(SAME_NANOS))
}
