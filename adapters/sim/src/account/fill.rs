//! What a match does to an order, a position and a balance.

use kucoin_futures_proto::{Price, Symbol};

use super::event::{Event, OrderEvent, Reason};
use super::margin::{Listing, MAKER_FEE, TAKER_FEE};
use super::money::{Millionths, Money};
use super::state::{
    AccountChange, Fill, MarginMode, Order, OrderId, Position, Settlement, Terms, TradeType,
};
use super::{Account, Moment, push_kept};

/// One match, from an order's side.
#[derive(Clone, Copy, Debug)]
pub(super) struct Match {
    pub(super) order: OrderId,
    pub(super) trade: u64,
    pub(super) price: Price,
    pub(super) size: u64,
    pub(super) is_taker: bool,
}

impl Account {
    /// An order was matched.
    pub(super) fn on_match(&mut self, at: Moment, hit: Match) {
        let Some(mut order) = self.state.orders.get(&hit.order).cloned() else { return };
        let Some(listing) = self.listing(order.terms.symbol) else { return };
        let value = listing.value(hit.price, hit.size);
        order.filled += hit.size;
        order.filled_value += value;
        order.updated = at.unix;
        let is_filled = order.remaining() == 0;
        let Match { price, size, trade, is_taker, .. } = hit;
        let event = OrderEvent::Match { price, size, trade, is_taker };
        self.events.push(Event::Order(order.clone(), event));
        order.ended = is_filled.then_some(at.unix);
        self.record_order(at, order.clone());
        self.fill(at, &listing, &order.terms, hit);
        self.tell_balance(at, listing.currency);
        if is_filled {
            self.events.push(Event::Order(order, OrderEvent::Filled));
        }
    }

    fn fill(&mut self, at: Moment, listing: &Listing, terms: &Terms, hit: Match) {
        let rate = if hit.is_taker { TAKER_FEE } else { MAKER_FEE };
        let held = self.state.positions.get(&terms.symbol).map_or(0, |position| position.qty);
        let closes = held != 0 && (held > 0) != terms.buys();
        let closed = if closes { hit.size.min(held.unsigned_abs()) } else { 0 };
        let opened = hit.size - closed;
        let [close_value, open_value] = [closed, opened].map(|lots| listing.value(hit.price, lots));
        let [close_fee, open_fee] = [close_value, open_value].map(|value| value.times(rate));
        let gross = self.close(at, terms, closed, close_value, close_fee);
        self.open(at, terms, opened, open_value, open_fee);
        if let Some(purse) = self.purses.get_mut(listing.currency) {
            purse.wallet += gross - close_fee - open_fee;
        }
        let fill = Fill {
            trade: hit.trade,
            order: hit.order,
            terms: terms.clone(),
            price: hit.price,
            size: hit.size,
            value: close_value + open_value,
            open_fee,
            close_fee,
            gross,
            is_taker: hit.is_taker,
            at: at.unix,
        };
        push_kept(&mut self.fills, fill.clone());
        self.record(at, AccountChange::Fill(fill));
    }

    /// Closes so many lots of a position; says what that brought.
    fn close(&mut self, at: Moment, terms: &Terms, lots: u64, value: Money, fee: Money) -> Money {
        let position = self.state.positions.get(&terms.symbol).filter(|_| lots > 0);
        let Some(mut position) = position.cloned() else { return Money::ZERO };
        let flow = value.signed(terms.buys());
        let cost = position.cost.part(lots, position.qty.unsigned_abs());
        // What was paid for these lots, and what was paid to be rid of them.
        let gross = -(cost + flow);
        let lots = i64::try_from(lots).unwrap_or(i64::MAX);
        position.qty += if terms.buys() { lots } else { -lots };
        position.cost -= cost;
        position.current_cost += flow;
        position.gross += gross;
        position.fees += fee;
        if position.qty == 0 {
            position.added = Money::ZERO;
        }
        self.change_position(at, position, reason(terms));
        gross
    }

    /// Opens a position, or adds to it.
    fn open(&mut self, at: Moment, terms: &Terms, lots: u64, value: Money, fee: Money) {
        if lots == 0 {
            return;
        }
        let held = self.state.positions.get(&terms.symbol).cloned();
        let mut position = held.unwrap_or_else(|| self.new_position(at, terms));
        let flow = value.signed(terms.buys());
        let lots = i64::try_from(lots).unwrap_or(i64::MAX);
        position.qty += if terms.buys() { lots } else { -lots };
        position.cost += flow;
        position.current_cost += flow;
        position.fees += fee;
        self.change_position(at, position, reason(terms));
    }

    fn new_position(&self, at: Moment, terms: &Terms) -> Position {
        let leverage = match terms.margin_mode {
            MarginMode::Isolated => terms.leverage,
            MarginMode::Cross => self.state.cross_leverage(terms.symbol),
        };
        self.empty_position(at, terms.symbol, (terms.margin_mode, leverage))
    }

    /// A position of nothing yet.
    pub(super) fn empty_position(
        &self,
        at: Moment,
        symbol: Symbol,
        (margin_mode, leverage): (MarginMode, u32),
    ) -> Position {
        Position {
            symbol,
            qty: 0,
            cost: Money::ZERO,
            current_cost: Money::ZERO,
            gross: Money::ZERO,
            fees: Money::ZERO,
            funding: Money::ZERO,
            opened: at.unix,
            margin_mode,
            leverage,
            added: Money::ZERO,
            auto_deposit: false,
            mark: self.marks.get(&symbol).copied().unwrap_or_default(),
        }
    }

    pub(super) fn change_position(&mut self, at: Moment, position: Position, reason: Reason) {
        self.events.push(Event::Position(position.clone(), reason, at.unix));
        self.record(at, AccountChange::Position(position));
    }

    /// What is left of an order is cancelled, or only `lots` of it.
    pub(super) fn on_cancel(&mut self, at: Moment, id: OrderId, lots: u64) {
        let Some(mut order) = self.state.orders.get(&id).cloned() else { return };
        let old_size = order.terms.size - order.canceled;
        order.canceled += lots.min(order.remaining());
        order.updated = at.unix;
        let is_over = order.remaining() == 0;
        order.ended = is_over.then_some(at.unix);
        let event = if is_over { OrderEvent::Canceled } else { OrderEvent::Update { old_size } };
        let symbol = order.terms.symbol;
        self.record_order(at, order.clone());
        self.events.push(Event::Order(order, event));
        if let Some(listing) = self.listing(symbol) {
            self.tell_balance(at, listing.currency);
        }
    }

    /// An order waits in the book.
    pub(super) fn on_open(&mut self, at: Moment, id: OrderId) {
        let Some(order) = self.state.orders.get(&id).cloned() else { return };
        let symbol = order.terms.symbol;
        self.events.push(Event::Order(order, OrderEvent::Open));
        if let Some(listing) = self.listing(symbol) {
            self.tell_balance(at, listing.currency);
        }
    }

    /// An order was taken on; whether it will wait is not known yet.
    pub(super) fn on_accepted(&mut self, at: Moment, order: Order) {
        self.record_order(at, order);
    }

    /// Funding is settled for a position; the rate is in millionths.
    pub(super) fn on_funding(&mut self, at: Moment, symbol: Symbol, settled_ms: u64, rate: i64) {
        let Some(listing) = self.listing(symbol) else { return };
        let Some(mut position) = self.state.positions.get(&symbol).cloned() else { return };
        let rate = Millionths(rate);
        let value = position.mark_value(&listing);
        let fee = (-value.times(rate)).floor_8();
        position.funding += fee;
        if let Some(purse) = self.purses.get_mut(listing.currency) {
            purse.wallet += fee;
        }
        let settlement = Settlement {
            symbol,
            qty: position.qty,
            settled_ms,
            rate: rate.decimal(),
            mark: position.mark,
            value,
            fee,
            margin_mode: position.margin_mode,
            at: at.unix,
        };
        push_kept(&mut self.settlements, settlement.clone());
        self.events.push(Event::Settlement(settlement.clone()));
        self.record(at, AccountChange::Settlement(settlement));
        self.record(at, AccountChange::Position(position));
        self.tell_balance(at, listing.currency);
    }

    /// A position is valued anew.
    pub(super) fn on_mark(&mut self, at: Moment, symbol: Symbol, mark: Price) {
        self.marks.insert(symbol, mark);
        let Some(position) = self.state.positions.get(&symbol) else { return };
        if position.mark == mark {
            return;
        }
        let position = Position { mark, ..position.clone() };
        self.record(at, AccountChange::Mark(symbol, mark));
        self.events.push(Event::Mark(position, at.unix));
    }
}

const fn reason(terms: &Terms) -> Reason {
    match terms.trade_type {
        TradeType::Trade => Reason::PositionChange,
        TradeType::Liquidation => Reason::Liquidation,
    }
}
