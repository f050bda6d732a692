//! The small trader that owns an account: what it does, and when, is drawn from the seed.

use std::time::Duration;

use kucoin_futures_proto::wire::Side;
use kucoin_futures_proto::{Instant, Price, Symbol};

use super::Account;
use super::desk::opposite;
use super::money::Money;
use super::state::{MarginMode, OrderId, StopPriceType, Terms, TimeInForce, TradeType, Trigger};
use crate::exchange::Exchange;

/// Orders, and stop orders, that it lets wait at a time.
const MOST_WAITING: usize = 12;
/// Of what it has, an order may be worth so much: one in so many parts.
const PARTS: u64 = 12;

impl Account {
    /// How long it does nothing now; `None`: for ever.
    pub(super) fn draw_pause(&mut self) -> Option<Duration> {
        let mean = Duration::from_secs(60).checked_div(self.config.activity)?;
        Some(self.rng.up_to(mean * 2).max(Duration::from_nanos(1)))
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.rng.below(bound)
    }

    fn one_of<T: Copy>(&mut self, list: &[T]) -> Option<T> {
        let at = self.rng.below(list.len() as u64) as usize;
        list.get(at).copied()
    }

    fn waiting(&self) -> Vec<OrderId> {
        self.state.orders.keys().copied().collect()
    }
}

impl Exchange {
    /// The trader's turn. What is refused was not done.
    pub(super) fn act(&mut self, now: Instant, who: usize) {
        let Some(account) = self.accounts.get_mut(who) else { return };
        let symbols: Vec<Symbol> = account.listings.keys().copied().collect();
        let (Some(symbol), act) = (account.one_of(&symbols), account.below(100)) else { return };
        let (orders, stops) = (account.waiting(), account.state.stops.len());
        let held: Vec<Symbol> = account.state.positions.keys().copied().collect();
        match act {
            0..30 if orders.len() < MOST_WAITING => self.act_limit(now, who, symbol),
            30..42 => self.act_market(now, who, symbol),
            42..47 => self.act_close(now, who, &held),
            47..52 => self.act_reduce(now, who, &held),
            52..58 if stops < MOST_WAITING => self.act_stop(now, who, symbol),
            58..62 => self.act_cancel_stop(now, who),
            62..68 => self.act_shrink(now, who, &orders),
            68..74 => self.act_set(now, who, symbol, &held),
            74..77 => self.act_hold(now, who, symbol),
            77..79 => orders.into_iter().for_each(|id| self.cancel_lots(now, who, id, u64::MAX)),
            _ => {
                let one = self.accounts.get_mut(who).and_then(|account| account.one_of(&orders));
                if let Some(id) = one {
                    self.cancel_lots(now, who, id, u64::MAX);
                }
            }
        }
    }

    /// What an order of this trader looks like; without a price yet.
    fn draw_terms(&mut self, now: Instant, who: usize, symbol: Symbol) -> Option<Terms> {
        let price = self.mark(now, symbol)?;
        let account = self.accounts.get_mut(who)?;
        let listing = account.listing(symbol)?;
        let side = if account.below(2) == 0 { Side::Bid } else { Side::Ask };
        let margin_mode = account.state.margin_mode(symbol);
        let leverage = match margin_mode {
            MarginMode::Isolated => 1 + account.below(8) as u32,
            MarginMode::Cross => account.state.cross_leverage(symbol),
        };
        let parts = 1 + account.below(PARTS);
        let most = account.available(listing.currency).part(parts, PARTS * PARTS);
        let lots = most.units() / listing.value(price, 1).units().max(1);
        let size = u64::try_from(lots).unwrap_or(0).min(100_000);
        let client_oid = format!("{:016x}", account.rng.next_u64());
        let post_only = account.below(8) == 0;
        let time_in_force = match account.below(12) {
            0 => TimeInForce::Ioc,
            1 => TimeInForce::Fok,
            _ => TimeInForce::Gtc,
        };
        Some(Terms {
            symbol,
            side,
            price: None,
            size,
            client_oid,
            remark: String::new(),
            leverage,
            margin_mode,
            time_in_force,
            post_only: post_only && time_in_force == TimeInForce::Gtc,
            reduce_only: false,
            close: false,
            hidden: false,
            trade_type: TradeType::Trade,
        })
    }

    /// So many ticks away from the best of the other side: below zero is across.
    fn away(&self, symbol: Symbol, side: Side, ticks: i64) -> Option<Price> {
        let market = self.markets.get(&symbol)?;
        let facing = market.truth().levels(opposite(side)).next()?.price;
        let step = market.contract().tick.scaled().checked_mul(ticks)?;
        let price = match side {
            Side::Bid => facing.scaled().checked_sub(step)?,
            Side::Ask => facing.scaled().checked_add(step)?,
        };
        Price::from_scaled(price).filter(|price| *price > Price::ZERO)
    }

    /// Near the touch mostly, far away or across it sometimes.
    fn act_limit(&mut self, now: Instant, who: usize, symbol: Symbol) {
        let Some(terms) = self.draw_terms(now, who, symbol) else { return };
        let Some(account) = self.accounts.get_mut(who) else { return };
        let ticks = match account.below(10) {
            0..=5 => 1 + account.below(4) as i64,
            6..=7 => 20 + account.below(400) as i64,
            _ => -(account.below(6) as i64),
        };
        if let Some(price) = self.away(symbol, terms.side, ticks) {
            let _ = self.place(now, who, Terms { price: Some(price), ..terms });
        }
    }

    fn act_market(&mut self, now: Instant, who: usize, symbol: Symbol) {
        if let Some(terms) = self.draw_terms(now, who, symbol) {
            let time_in_force = TimeInForce::Gtc;
            let _ = self.place(now, who, Terms { time_in_force, post_only: false, ..terms });
        }
    }

    /// What closes a position that it has, without a price.
    fn closing_terms(&mut self, now: Instant, who: usize, held: &[Symbol]) -> Option<Terms> {
        let account = self.accounts.get_mut(who)?;
        let symbol = account.one_of(held)?;
        let terms = self.draw_terms(now, who, symbol)?;
        let position = self.accounts.get(who)?.state.positions.get(&symbol)?;
        Some(Terms {
            side: if position.is_long() { Side::Ask } else { Side::Bid },
            size: position.qty.unsigned_abs(),
            time_in_force: TimeInForce::Gtc,
            post_only: false,
            ..terms
        })
    }

    fn act_close(&mut self, now: Instant, who: usize, held: &[Symbol]) {
        if let Some(terms) = self.closing_terms(now, who, held) {
            let _ = self.place(now, who, Terms { close: true, size: 0, ..terms });
        }
    }

    /// Waits to close: what is left is cut when the position shrinks.
    fn act_reduce(&mut self, now: Instant, who: usize, held: &[Symbol]) {
        let Some(terms) = self.closing_terms(now, who, held) else { return };
        if let Some(price) = self.away(terms.symbol, terms.side, 3) {
            let _ = self.place(now, who, Terms { reduce_only: true, price: Some(price), ..terms });
        }
    }

    fn act_stop(&mut self, now: Instant, who: usize, symbol: Symbol) {
        let Some(terms) = self.draw_terms(now, who, symbol) else { return };
        let Some(account) = self.accounts.get_mut(who) else { return };
        let (up, is_limit) = (account.below(2) == 0, account.below(2) == 0);
        let of = match account.below(3) {
            0 => StopPriceType::Trade,
            1 => StopPriceType::Mark,
            _ => StopPriceType::Index,
        };
        let ticks = 2 + account.below(30) as i64;
        let side = if up { Side::Ask } else { Side::Bid };
        let Some(price) = self.away(symbol, side, ticks) else { return };
        let terms = Terms { price: is_limit.then_some(price), post_only: false, ..terms };
        let _ = self.place_stop(now, who, terms, Trigger { up, price, of });
    }

    fn act_cancel_stop(&mut self, now: Instant, who: usize) {
        let Some(account) = self.accounts.get_mut(who) else { return };
        let stops: Vec<OrderId> = account.state.stops.keys().copied().collect();
        if let Some(id) = account.one_of(&stops) {
            let _ = self.cancel(now, who, id);
        }
    }

    /// Part of an order is cancelled: the rest keeps its place.
    fn act_shrink(&mut self, now: Instant, who: usize, orders: &[OrderId]) {
        let Some(account) = self.accounts.get_mut(who) else { return };
        let Some(id) = account.one_of(orders) else { return };
        let left = account.state.orders.get(&id).map_or(0, super::Order::remaining);
        if left > 1 {
            let lots = 1 + account.below(left - 1);
            self.cancel_lots(now, who, id, lots);
        }
    }

    fn act_set(&mut self, now: Instant, who: usize, symbol: Symbol, held: &[Symbol]) {
        let Some(account) = self.accounts.get_mut(who) else { return };
        let act = account.below(6);
        let one = account.one_of(held);
        let level = 1 + account.below(9) as u32;
        let leverage = 1 + account.below(10) as u32;
        let switch = match account.state.margin_mode(symbol) {
            MarginMode::Isolated => MarginMode::Cross,
            MarginMode::Cross => MarginMode::Isolated,
        };
        let _ = self.set(now, who, |account, at| match (act, one) {
            (0, Some(held)) => account.set_risk_limit(at, held, level),
            (0, None) => account.set_risk_limit(at, symbol, level),
            (1, Some(held)) => {
                account.add_margin(at, held, Money::whole(i64::from(level))).map(|_| ())
            }
            (2, Some(held)) => account.set_auto_deposit(at, held, level.is_multiple_of(2)),
            (3, _) => account.set_cross_leverage(at, symbol, leverage),
            _ => account.set_margin_mode(at, symbol, switch),
        });
    }

    /// A transfer begins, or is given up.
    fn act_hold(&mut self, now: Instant, who: usize, symbol: Symbol) {
        let _ = self.set(now, who, |account, at| {
            let Some(listing) = account.listing(symbol) else { return };
            let held = account.purses.get(listing.currency).map_or(Money::ZERO, |p| p.hold);
            let hold = if held.is_zero() {
                account.available(listing.currency).part(1, 20).floor_8()
            } else {
                Money::ZERO
            };
            account.set_hold(at, listing.currency, hold);
        });
    }
}
