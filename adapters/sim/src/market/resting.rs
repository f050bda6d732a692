//! Orders of accounts among the levels of a book.

use std::collections::BTreeMap;

use kucoin_futures_proto::Price;
use kucoin_futures_proto::wire::Side;

use super::Market;
use crate::trade::Trade;
use crate::truth::Change;

/// Lots by price. They came last: others at the same price are matched before them.
#[derive(Debug, Default)]
pub(super) struct Resting {
    bids: BTreeMap<Price, u64>,
    asks: BTreeMap<Price, u64>,
}

impl Resting {
    const fn of(&self, side: Side) -> &BTreeMap<Price, u64> {
        match side {
            Side::Bid => &self.bids,
            Side::Ask => &self.asks,
        }
    }

    const fn of_mut(&mut self, side: Side) -> &mut BTreeMap<Price, u64> {
        match side {
            Side::Bid => &mut self.bids,
            Side::Ask => &mut self.asks,
        }
    }
}

impl Market {
    /// The size that a level gets which is to get `after`: accounts' orders do not vanish, so that behind
    /// the touch, where nobody takes, only others can be cancelled.
    pub(super) fn with_resting(&self, side: Side, price: Price, after: u64) -> u64 {
        let own = self.resting(side, price);
        let is_behind = || self.now.levels(side).next().is_some_and(|best| best.price != price);
        if own > after && is_behind() { own } else { after }
    }

    /// The trades of a change that took lots of accounts' orders, or that an account's order made.
    pub(crate) fn take_for(
        &mut self,
        change: &Change,
        taker: Option<u64>,
        makers: &[(u64, u64)],
    ) -> Vec<Trade> {
        let gone = change.before.saturating_sub(change.after);
        for (_, lots) in makers {
            self.leave(change.side, change.price, *lots);
        }
        let trades = self.tape.take_for(change, gone, taker, makers);
        for trade in &trades {
            self.record.on_trade(&self.contract, trade);
            self.fills.add(trade.clone(), self.now.touch());
        }
        trades
    }

    /// Lots of accounts' orders at a price.
    pub(crate) fn resting(&self, side: Side, price: Price) -> u64 {
        self.resting.of(side).get(&price).copied().unwrap_or(0)
    }

    /// Lots of an account's order wait here from now on; the level does not know yet.
    pub(crate) fn rest(&mut self, side: Side, price: Price, lots: u64) {
        *self.resting.of_mut(side).entry(price).or_default() += lots;
    }

    /// They wait no more.
    pub(crate) fn leave(&mut self, side: Side, price: Price, lots: u64) {
        let left = self.resting(side, price).saturating_sub(lots);
        let resting = self.resting.of_mut(side);
        if left == 0 {
            resting.remove(&price);
        } else {
            resting.insert(price, left);
        }
    }
}
