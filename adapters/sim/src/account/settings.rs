//! What an account's owner sets: margin modes, leverage, risk limits, margin, transfers.

use kucoin_futures_proto::{Instant, Symbol};

use super::check::{Refused, refused};
use super::event::{Event, Reason};
use super::margin::MAX_LEVERAGE;
use super::money::Money;
use super::state::{AccountChange, MarginMode, Position};
use super::{Account, Moment};
use crate::exchange::Exchange;

/// Levels of risk limit, with what a position may be worth at most and its leverage: made up, in the
/// proportions of the real ones.
pub(super) const RISK_LEVELS: [(u32, u32, u32); 9] = [
    (1, 100_000, 100),
    (2, 500_000, 75),
    (3, 1_000_000, 50),
    (4, 2_000_000, 30),
    (5, 3_000_000, 20),
    (6, 5_000_000, 10),
    (7, 8_000_000, 5),
    (8, 12_000_000, 3),
    (9, 20_000_000, 2),
];

pub(super) fn risk_level(level: u32) -> Option<(u32, u32, u32)> {
    RISK_LEVELS.into_iter().find(|row| row.0 == level)
}

const NO_POSITION: &str = "No open positions to close.";

impl Account {
    fn is_listed(&self, symbol: Symbol) -> Result<(), Refused> {
        match self.listing(symbol) {
            Some(_) => Ok(()),
            None => refused("100003", "Contract parameter invalid."),
        }
    }

    pub(super) fn set_margin_mode(
        &mut self,
        at: Moment,
        symbol: Symbol,
        mode: MarginMode,
    ) -> Result<(), Refused> {
        self.is_listed(symbol)?;
        let orders = self.state.orders.values().any(|order| order.terms.symbol == symbol);
        let stops = self.state.stops.values().any(|stop| stop.terms.symbol == symbol);
        if self.state.positions.contains_key(&symbol) || orders || stops {
            let text =
                "Please close all your open positions and orders before switching the margin mode.";
            return refused("330004", text);
        }
        if self.state.margin_mode(symbol) != mode {
            self.has_crossed |= mode == MarginMode::Cross;
            self.record(at, AccountChange::MarginMode(symbol, mode));
            self.events.push(Event::MarginMode(symbol, mode));
        }
        Ok(())
    }

    pub(super) fn set_cross_leverage(
        &mut self,
        at: Moment,
        symbol: Symbol,
        leverage: u32,
    ) -> Result<(), Refused> {
        self.is_listed(symbol)?;
        if leverage == 0 || leverage > MAX_LEVERAGE {
            return refused(
                "300016",
                format!("The leverage cannot be greater than {MAX_LEVERAGE}."),
            );
        }
        self.record(at, AccountChange::CrossLeverage(symbol, leverage));
        self.events.push(Event::CrossLeverage(symbol, leverage));
        let held = self.state.positions.get(&symbol).cloned();
        if let Some(position) = held.filter(|held| held.margin_mode == MarginMode::Cross) {
            self.change(at, Position { leverage, ..position }, Reason::MarginChange);
        }
        Ok(())
    }

    /// Refused if the position would need more margin than there is; that is told, not answered.
    pub(super) fn set_risk_limit(
        &mut self,
        at: Moment,
        symbol: Symbol,
        level: u32,
    ) -> Result<(), Refused> {
        self.is_listed(symbol)?;
        let Some((_, _, most)) = risk_level(level) else {
            return refused("100005", "contractRiskLimitNotExist");
        };
        let held = self.state.positions.get(&symbol).cloned();
        let held = held.filter(|held| held.margin_mode == MarginMode::Isolated);
        if let Some(position) = held {
            let (leverage, before) = (position.leverage.min(most), position.margin());
            let changed = Position { leverage, ..position };
            let more = changed.margin() - before;
            let currency = self.listing(symbol).map_or("", |listing| listing.currency);
            if more > self.available(currency) {
                let text = "Insufficient balance. Cannot increase margin.";
                self.events.push(Event::RiskLimit(symbol, Err((level, text))));
                return Ok(());
            }
            self.record(at, AccountChange::RiskLimit(symbol, level));
            self.events.push(Event::RiskLimit(symbol, Ok(level)));
            self.change(at, changed, Reason::RiskLimit);
            return Ok(());
        }
        self.record(at, AccountChange::RiskLimit(symbol, level));
        self.events.push(Event::RiskLimit(symbol, Ok(level)));
        Ok(())
    }

    /// Adds margin to an isolated position, or takes away what was added (below zero).
    pub(super) fn add_margin(
        &mut self,
        at: Moment,
        symbol: Symbol,
        margin: Money,
    ) -> Result<Position, Refused> {
        let held = self.state.positions.get(&symbol).cloned();
        let held = held.filter(|held| held.margin_mode == MarginMode::Isolated);
        let (Some(mut position), Some(listing)) = (held, self.listing(symbol)) else {
            return refused("300009", NO_POSITION);
        };
        if margin > self.available(listing.currency) || (position.added + margin).is_negative() {
            return refused(
                "300003",
                format!("Balance insufficient. The order would cost {margin}."),
            );
        }
        position.added += margin;
        self.change(at, position.clone(), Reason::MarginChange);
        Ok(position)
    }

    pub(super) fn set_auto_deposit(
        &mut self,
        at: Moment,
        symbol: Symbol,
        auto_deposit: bool,
    ) -> Result<(), Refused> {
        let Some(position) = self.state.positions.get(&symbol).cloned() else {
            return refused("300009", NO_POSITION);
        };
        self.change_position(at, Position { auto_deposit, ..position }, Reason::AutoDeposit);
        Ok(())
    }

    /// Sets so much of a currency aside for a transfer; nothing: the transfer was given up.
    pub(super) fn set_hold(&mut self, at: Moment, currency: &'static str, hold: Money) {
        if let Some(purse) = self.purses.get_mut(currency) {
            purse.hold = hold;
        }
        self.tell_balance(at, currency);
    }
}

impl Exchange {
    /// Lets an account's owner set something, and tells what follows.
    pub(super) fn set<T>(
        &mut self,
        now: Instant,
        who: usize,
        set: impl FnOnce(&mut Account, Moment) -> T,
    ) -> Option<T> {
        let at = self.moment(now);
        let done = self.accounts.get_mut(who).map(|account| set(account, at));
        self.flush(now);
        done
    }
}
