//! What happens to accounts by the clock: marks, stops, funding, liquidation, the trader's turn.

use std::time::Duration;

use kucoin_futures_proto::{Instant, Price, Symbol};

use super::state::{StopOrder, StopPriceType};
use super::{Account, Accounts, Moment};
use crate::exchange::Exchange;

/// Marks are published each second.
const TICK: Duration = Duration::from_secs(1);

/// When positions and stops are looked at next.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Watch {
    next: Option<Instant>,
    /// When they were last looked at, in ms since the epoch: settlements since then are due.
    looked: u64,
}

impl Accounts {
    /// When something happens by the clock.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let acts = self.list.iter().filter_map(|account| account.next_act);
        acts.chain(self.watch.next).min()
    }
}

impl Account {
    fn is_watched(&self) -> bool {
        !self.state.positions.is_empty() || !self.state.stops.is_empty()
    }
}

impl Exchange {
    pub(crate) fn run_accounts(&mut self, due: Instant) {
        if self.accounts.watch.next.is_some_and(|next| next <= due) {
            self.accounts.watch.next = None;
            self.look(due);
        }
        for who in 0..self.accounts.list.len() {
            let is_due = |at: &Instant| *at <= due;
            if let Some(at) = self.accounts.get(who).and_then(|a| a.next_act.filter(is_due)) {
                self.act(due, who);
                if let Some(account) = self.accounts.get_mut(who) {
                    account.next_act = account.draw_pause().map(|pause| at + pause);
                }
            }
        }
        self.flush(due);
    }

    /// The mark price of this second.
    pub(super) fn mark(&self, now: Instant, symbol: Symbol) -> Option<Price> {
        let market = self.markets.get(&symbol)?;
        Some(market.marks(self.unix(now)).mark)
    }

    /// The settlement of funding since this time, and its rate in millionths.
    fn settlement_since(&self, ms: u64, at: Moment, symbol: Symbol) -> Option<(u64, i64)> {
        let funding = self.markets.get(&symbol)?.funding();
        let settled = funding.last_settlement(at.unix.as_millis())?;
        (settled > ms).then(|| (settled, funding.charged(settled)))
    }

    fn look(&mut self, now: Instant) {
        let at = self.moment(now);
        let looked = core::mem::replace(&mut self.accounts.watch.looked, at.unix.as_millis());
        for who in 0..self.accounts.list.len() {
            let held = self.accounts.get(who).map(|a| a.state.positions.keys().copied().collect());
            let held: Vec<Symbol> = held.unwrap_or_default();
            for symbol in &held {
                let Some(mark) = self.mark(now, *symbol) else { continue };
                let settlement = self.settlement_since(looked, at, *symbol);
                let Some(account) = self.accounts.get_mut(who) else { continue };
                account.on_mark(at, *symbol, mark);
                if let Some((settled, rate)) = settlement {
                    account.on_funding(at, *symbol, settled, rate);
                }
            }
            for symbol in self.exhausted(who) {
                self.liquidate(now, who, symbol);
            }
            for stop in self.due_stops(now, who) {
                self.trigger(now, who, stop);
            }
        }
    }

    fn due_stops(&self, now: Instant, who: usize) -> Vec<StopOrder> {
        let Some(account) = self.accounts.get(who) else { return Vec::new() };
        let is_due = |stop: &&StopOrder| {
            let market = self.markets.get(&stop.terms.symbol);
            let price = market.and_then(|market| match stop.trigger.of {
                StopPriceType::Trade => market.trades().next_back().map(|trade| trade.price),
                StopPriceType::Mark => Some(market.marks(self.unix(now)).mark),
                StopPriceType::Index => Some(market.marks(self.unix(now)).index),
            });
            price.is_some_and(|price| match stop.trigger.up {
                true => price >= stop.trigger.price,
                false => price <= stop.trigger.price,
            })
        };
        account.state.stops.values().filter(is_due).cloned().collect()
    }

    /// Sets the next look if there is anything to look at, and tells what has happened.
    pub(super) fn flush(&mut self, now: Instant) {
        let is_watched = self.accounts.list.iter().any(Account::is_watched);
        if is_watched && self.accounts.watch.next.is_none() {
            self.accounts.watch.next = Some(now + TICK);
            self.accounts.watch.looked = self.unix(now).as_millis();
        }
        if !is_watched {
            self.accounts.watch.next = None;
        }
        for who in 0..self.accounts.list.len() {
            self.tell(who);
        }
    }
}
