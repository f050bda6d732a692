//! Candles of a minute, made of the trades that come.

use std::collections::VecDeque;

use kucoin_futures_analytics::candle::{Candle, CandleBuilder, CandleEvent, Grid};
use kucoin_futures_analytics::{Tick, Valuation};
use kucoin_futures_proto::wire::Execution;
use kucoin_futures_proto::{Decimal, Interval};

use super::log::keep;

/// Three hours of them are kept.
const KEPT: usize = 180;

/// The last candles of a contract. Minutes without a trade have none, and where a trade may have been missed a candle
/// is not whole.
#[derive(Clone, Debug, Default)]
pub(crate) struct Minutes {
    /// Once there is a trade.
    builder: Option<CandleBuilder>,
    closed: VecDeque<Candle>,
    said: Vec<CandleEvent>,
}

impl Minutes {
    pub(super) fn on_trade(&mut self, trade: &Execution<'_>) {
        if self.builder.is_none() {
            self.builder = builder();
        }
        let Some(builder) = &mut self.builder else { return };
        builder.push(&Tick::from(trade), &mut self.said);
        for event in self.said.drain(..) {
            if let CandleEvent::Closed(candle) = event {
                keep(&mut self.closed, candle, KEPT);
            }
        }
    }

    /// Trades may have been missed.
    pub(super) fn on_gap(&mut self) {
        if let Some(builder) = &mut self.builder {
            builder.on_gap();
        }
    }

    /// In the order of time; the last one may be growing still.
    pub(crate) fn candles(&self) -> impl Iterator<Item = Candle> + '_ {
        let running = self.builder.as_ref().and_then(CandleBuilder::running);
        self.closed.iter().copied().chain(running)
    }
}

/// What a lot is worth is not asked: nobody is shown a turnover of a minute.
fn builder() -> Option<CandleBuilder> {
    let valuation = Valuation::linear(Decimal::new(1, 0)?).ok()?;
    Some(CandleBuilder::new(Grid::of(Interval::Min1)?, valuation))
}
