//! Where orders come in: checked, matched with the book, rested in it, cancelled.

use kucoin_futures_proto::wire::Side;
use kucoin_futures_proto::{Instant, Price, Symbol};

use super::check::{MOST_LOTS, MOST_ORDERS, Refused, check_price, refused};
use super::event::{Event, Reason};
use super::fill::Match;
use super::money::Money;
use super::state::{
    AccountChange, MarginMode, Order, OrderId, StopEnd, StopOrder, Terms, TimeInForce, Trigger,
};
use super::{Account, Accounts, Moment};
use crate::exchange::{Cause, Exchange};
use crate::market::Market;
use crate::trade::Trade;
use crate::truth::Change;

impl Accounts {
    /// The lots that accounts' orders lose by a change, in the order in which they came.
    pub(crate) fn struck(
        &self,
        symbol: Symbol,
        market: &Market,
        change: &Change,
    ) -> Vec<(OrderId, u64)> {
        let resting = market.resting(change.side, change.price);
        let mut lost = resting.saturating_sub(change.after);
        if lost == 0 {
            return Vec::new();
        }
        let waits = |order: &&Order| {
            let terms = &order.terms;
            terms.symbol == symbol && terms.side == change.side && terms.price == Some(change.price)
        };
        let orders = self.list.iter().flat_map(|account| account.state.orders.values());
        let mut orders: Vec<_> =
            orders.filter(waits).map(|order| (order.id, order.remaining())).collect();
        orders.sort_unstable();
        let mut struck = Vec::new();
        for (id, lots) in orders {
            let lots = lots.min(lost);
            if lots > 0 {
                struck.push((id, lots));
                lost -= lots;
            }
        }
        struck
    }
}

impl Exchange {
    pub(super) fn moment(&self, now: Instant) -> Moment {
        Moment { now, unix: self.unix(now) }
    }

    /// Whether an order could be taken on; with the size that it would have.
    pub(super) fn check_order(&self, who: usize, terms: &Terms) -> Result<u64, Refused> {
        let Some(market) = self.markets.get(&terms.symbol) else {
            return refused("100003", "Contract parameter invalid.");
        };
        self.accounts.get(who).map_or(Ok(0), |account| account.check(terms, market))
    }

    /// An order comes in.
    pub(super) fn place(
        &mut self,
        now: Instant,
        who: usize,
        terms: Terms,
    ) -> Result<OrderId, Refused> {
        let size = self.check_order(who, &terms)?;
        let id = self.accounts.next_id();
        self.take_on(now, who, id, Terms { size, ..terms }, None);
        Ok(id)
    }

    /// A stop order comes in.
    pub(super) fn place_stop(
        &mut self,
        now: Instant,
        who: usize,
        terms: Terms,
        trigger: Trigger,
    ) -> Result<OrderId, Refused> {
        let at = self.moment(now);
        let Some(account) = self.accounts.get(who) else { return Ok(0) };
        let Some(listing) = account.listing(terms.symbol) else {
            return refused("100003", "Contract parameter invalid.");
        };
        check_price(trigger.price, &listing)?;
        if let Some(price) = terms.price {
            check_price(price, &listing)?;
        }
        if (terms.size == 0 && !terms.close) || terms.size > MOST_LOTS {
            return refused("100001", "Quantity parameter cannot be empty.");
        }
        let waiting = account.state.stops.len();
        if waiting >= MOST_ORDERS {
            let text = format!(
                "Stop order quantity limit exceeded (limit: {MOST_ORDERS}, current: {waiting})"
            );
            return refused("300004", text);
        }
        let id = self.accounts.next_id();
        let stop = StopOrder { id, terms, trigger, created: at.unix };
        if let Some(account) = self.accounts.get_mut(who) {
            account.events.push(Event::Stop(stop.clone(), None, at.unix));
            account.record(at, AccountChange::Stop(stop));
        }
        self.flush(now);
        Ok(id)
    }

    /// A stop order's price has come.
    pub(super) fn trigger(&mut self, now: Instant, who: usize, stop: StopOrder) {
        let at = self.moment(now);
        let checked = self.check_order(who, &stop.terms);
        let end = match &checked {
            Ok(_) => StopEnd::Triggered,
            Err(refused) if refused.code == "300003" => StopEnd::Failed("Balance insufficient"),
            Err(_) => StopEnd::Failed("The order was refused"),
        };
        if let Some(account) = self.accounts.get_mut(who) {
            account.events.push(Event::Stop(stop.clone(), Some(end), at.unix));
            account.record(at, AccountChange::StopEnded(stop.clone(), end));
        }
        if let Ok(size) = checked {
            let terms = Terms { size, ..stop.terms };
            self.take_on(now, who, stop.id, terms, Some(stop.trigger));
        }
        self.flush(now);
    }

    /// An order that was found good: it is matched, and what is left waits or is cancelled.
    pub(super) fn take_on(
        &mut self,
        now: Instant,
        who: usize,
        id: OrderId,
        terms: Terms,
        stop: Option<Trigger>,
    ) {
        let at = self.moment(now);
        self.value_anew(at, who, terms.symbol);
        let (symbol, side, price) = (terms.symbol, terms.side, terms.price);
        let (force, post_only, size) = (terms.time_in_force, terms.post_only, terms.size);
        let order = Order {
            id,
            terms,
            filled: 0,
            canceled: 0,
            filled_value: Money::ZERO,
            stop,
            created: at.unix,
            updated: at.unix,
            ended: None,
        };
        let Some(account) = self.accounts.get_mut(who) else { return };
        account.on_accepted(at, order);
        let reach = self.reach(symbol, side, price);
        let is_in_vain = (post_only && reach > 0) || (force == TimeInForce::Fok && reach < size);
        if !is_in_vain {
            self.match_with_book(now, who, id);
        }
        let left = self.remaining(who, id);
        let may_rest = force == TimeInForce::Gtc && !is_in_vain;
        match price.filter(|_| may_rest && left > 0) {
            Some(price) => self.rest(now, who, id, (symbol, side, price)),
            None if left > 0 => {
                if let Some(account) = self.accounts.get_mut(who) {
                    account.on_cancel(at, id, left);
                }
            }
            None => {}
        }
        self.trim(now, who, symbol);
        self.flush(now);
    }

    /// Lots that such an order could meet at once.
    fn reach(&self, symbol: Symbol, side: Side, limit: Option<Price>) -> u64 {
        let Some(market) = self.markets.get(&symbol) else { return 0 };
        let levels = market.truth().levels(opposite(side));
        levels.take_while(|level| meets(side, limit, level.price)).map(|l| l.size.get()).sum()
    }

    fn remaining(&self, who: usize, id: OrderId) -> u64 {
        let order = self.accounts.get(who).and_then(|account| account.state.orders.get(&id));
        order.map_or(0, Order::remaining)
    }

    fn match_with_book(&mut self, now: Instant, who: usize, id: OrderId) {
        loop {
            let order = self.accounts.get(who).and_then(|account| account.state.orders.get(&id));
            let Some(order) = order else { return };
            let (symbol, side, limit) = (order.terms.symbol, order.terms.side, order.terms.price);
            let (left, facing) = (order.remaining(), opposite(side));
            let Some(market) = self.markets.get(&symbol) else { return };
            let Some(level) = market.truth().levels(facing).next() else { return };
            if left == 0 || !meets(side, limit, level.price) {
                return;
            }
            let after = level.size.get().saturating_sub(left);
            self.make_because(symbol, now, Cause::Taker(id), |market, unix| {
                market.put(unix, facing, level.price, after)
            });
        }
    }

    fn rest(&mut self, now: Instant, who: usize, id: OrderId, at: (Symbol, Side, Price)) {
        let (symbol, side, price) = at;
        let lots = self.remaining(who, id);
        let moment = self.moment(now);
        if let Some(market) = self.markets.get_mut(&symbol) {
            market.rest(side, price, lots);
        }
        if let Some(account) = self.accounts.get_mut(who) {
            account.on_open(moment, id);
        }
        self.make_because(symbol, now, Cause::Quiet, |market, unix| {
            let size = market.truth().size(side, price) + lots;
            market.put(unix, side, price, size)
        });
    }

    /// Cancels so many lots of an order that waits; all that are left if there are fewer.
    pub(super) fn cancel_lots(&mut self, now: Instant, who: usize, id: OrderId, lots: u64) {
        let order = self.accounts.get(who).and_then(|account| account.state.orders.get(&id));
        let Some((terms, left)) = order.map(|order| (order.terms.clone(), order.remaining()))
        else {
            return;
        };
        let (lots, symbol, side) = (lots.min(left), terms.symbol, terms.side);
        let Some(price) = terms.price else { return };
        let at = self.moment(now);
        if let Some(market) = self.markets.get_mut(&symbol) {
            market.leave(side, price, lots);
        }
        if let Some(account) = self.accounts.get_mut(who) {
            account.on_cancel(at, id, lots);
        }
        self.make_because(symbol, now, Cause::Quiet, |market, unix| {
            let size = market.truth().size(side, price).saturating_sub(lots);
            market.put(unix, side, price, size)
        });
        self.flush(now);
    }

    /// Cancels an order or a stop order.
    pub(super) fn cancel(&mut self, now: Instant, who: usize, id: OrderId) -> Result<(), Refused> {
        let at = self.moment(now);
        let Some(account) = self.accounts.get_mut(who) else { return Ok(()) };
        if let Some(stop) = account.state.stops.get(&id).cloned() {
            account.events.push(Event::Stop(stop.clone(), Some(StopEnd::Canceled), at.unix));
            account.record(at, AccountChange::StopEnded(stop, StopEnd::Canceled));
            self.flush(now);
            return Ok(());
        }
        if !account.state.orders.contains_key(&id) {
            return refused("100004", "The order cannot be canceled.");
        }
        self.cancel_lots(now, who, id, u64::MAX);
        Ok(())
    }

    /// What trades of a market mean for accounts.
    pub(crate) fn settle(&mut self, now: Instant, symbol: Symbol, trades: &[Trade]) {
        if trades.is_empty() || self.accounts.list.iter().all(|a| a.state.orders.is_empty()) {
            return;
        }
        let at = self.moment(now);
        let mut struck = Vec::new();
        for trade in trades {
            for (order, is_taker) in [(trade.maker_order, false), (trade.taker_order, true)] {
                let Some(who) = self.accounts.owner(order) else { continue };
                let Some(account) = self.accounts.get_mut(who) else { continue };
                let (price, size) = (trade.price, trade.size.get());
                let trade = trade.sequence.get();
                account.on_match(at, Match { order, trade, price, size, is_taker });
                if !is_taker {
                    struck.push(who);
                }
            }
        }
        struck.dedup();
        for who in struck {
            self.trim(now, who, symbol);
        }
        self.flush(now);
    }

    /// Orders that may only close are cut to what there is to close, the latest first.
    fn trim(&mut self, now: Instant, who: usize, symbol: Symbol) {
        let Some(account) = self.accounts.get(who) else { return };
        let held = account.state.positions.get(&symbol).map_or(0, |position| position.qty);
        let mut free = held.unsigned_abs();
        let mut cuts = Vec::new();
        for order in account.closing(symbol) {
            let opens = held == 0 || (held > 0) == order.terms.buys();
            let keeps = if opens { 0 } else { order.remaining().min(free) };
            free -= keeps;
            cuts.push((order.id, order.remaining() - keeps));
        }
        for (id, lots) in cuts.into_iter().filter(|(_, lots)| *lots > 0) {
            self.cancel_lots(now, who, id, lots);
        }
    }

    /// The mark that new positions of a contract begin with.
    fn value_anew(&mut self, at: Moment, who: usize, symbol: Symbol) {
        let Some(mark) = self.mark(at.now, symbol) else { return };
        if let Some(account) = self.accounts.get_mut(who) {
            account.on_mark(at, symbol, mark);
        }
    }

    /// The exchange closes a position whose margin is used up: first what could add to it.
    pub(super) fn liquidate(&mut self, now: Instant, who: usize, symbol: Symbol) {
        let Some(account) = self.accounts.get(who) else { return };
        let of = |order: &&Order| order.terms.symbol == symbol;
        let orders: Vec<_> = account.state.orders.values().filter(of).map(|o| o.id).collect();
        for id in orders {
            self.cancel_lots(now, who, id, u64::MAX);
        }
        let Some(account) = self.accounts.get(who) else { return };
        let Some(position) = account.state.positions.get(&symbol) else { return };
        let terms = Terms {
            symbol,
            side: if position.is_long() { Side::Ask } else { Side::Bid },
            price: None,
            size: position.qty.unsigned_abs(),
            client_oid: String::new(),
            remark: String::new(),
            leverage: position.leverage,
            margin_mode: position.margin_mode,
            time_in_force: TimeInForce::Gtc,
            post_only: false,
            reduce_only: true,
            close: true,
            hidden: false,
            trade_type: super::TradeType::Liquidation,
        };
        let id = self.accounts.next_id();
        self.take_on(now, who, id, terms, None);
    }

    /// Everything that an account has of cross margin in a currency, if that is used up.
    pub(super) fn exhausted(&self, who: usize) -> Vec<Symbol> {
        let Some(account) = self.accounts.get(who) else { return Vec::new() };
        let is_exhausted = |symbol: Symbol| {
            let position = account.state.positions.get(&symbol)?;
            let listing = account.listing(symbol)?;
            Some(match position.margin_mode {
                MarginMode::Isolated => {
                    position.margin() + position.unrealised(&listing) < position.maintenance()
                }
                MarginMode::Cross => {
                    let needed = account.cross_maintenance(listing.currency);
                    account.balance(account.opened, listing.currency)?.total_cross < needed
                }
            })
        };
        let symbols = account.state.positions.keys().copied();
        symbols.filter(|symbol| is_exhausted(*symbol) == Some(true)).collect()
    }
}

impl Account {
    /// What must be left for all cross positions of a currency.
    pub(super) fn cross_maintenance(&self, currency: &str) -> Money {
        let of = |symbol| self.listing(symbol).filter(|listing| listing.currency == currency);
        let positions = self.state.positions.values();
        let cross = positions.filter(|position| position.margin_mode == MarginMode::Cross);
        cross.filter(|p| of(p.symbol).is_some()).map(super::Position::maintenance).sum()
    }

    pub(super) fn change(&mut self, at: Moment, position: super::Position, reason: Reason) {
        let symbol = position.symbol;
        self.change_position(at, position, reason);
        if let Some(listing) = self.listing(symbol) {
            self.tell_balance(at, listing.currency);
        }
    }
}

fn meets(side: Side, limit: Option<Price>, price: Price) -> bool {
    limit.is_none_or(|limit| match side {
        Side::Bid => price <= limit,
        Side::Ask => price >= limit,
    })
}

pub(super) const fn opposite(side: Side) -> Side {
    match side {
        Side::Bid => Side::Ask,
        Side::Ask => Side::Bid,
    }
}
