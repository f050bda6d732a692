//! What an account has: its open orders, positions, balances and recent fills, kept from the streams.

mod change;
mod round;
pub(crate) mod sync;

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, VecDeque};
use core::fmt;

use serde::Serialize;

use crate::book::Resting;
use crate::config::AccountLimits;
use crate::currency::Currency;
use crate::ids::{Epoch, Symbol};
use crate::num::{Decimal, Lots, Price};
use crate::time::UnixNanos;
use crate::wire::{
    Liquidity, MarginMode, OrderSide, OrderStatus, OrderType, PositionSide, Side, StopDirection,
    StopPriceType,
};
pub(crate) use change::Change;
use round::List;

/// The account while it is live: what the exchange said last of each thing.
///
/// Prices are in quote currency, sizes in lots; costs, margins and profit in settlement currency.
#[derive(Clone, Debug)]
pub struct Account {
    epoch: Epoch,
    orders: BTreeMap<Box<str>, OpenOrder>,
    stop_orders: BTreeMap<Box<str>, StopOrder>,
    positions: BTreeMap<(Symbol, PositionSide), Position>,
    balances: BTreeMap<Currency, Balance>,
    fills: VecDeque<AccountFill>,
}

/// An order that rests in the book, or is about to.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct OpenOrder {
    /// The exchange's name for it.
    pub id: Box<str>,
    /// The user's name for it.
    pub client_oid: Option<Box<str>>,
    /// The contract.
    pub symbol: Symbol,
    /// Which side it is on.
    pub side: OrderSide,
    /// Limit or market.
    pub order_type: Option<OrderType>,
    /// Its limit; `None` for a market order.
    pub price: Option<Price>,
    /// What was ordered.
    pub size: Lots,
    /// What was filled of it.
    pub filled: Lots,
    /// What still rests. `None`: a part of it was canceled before the stream was heard, and REST does not say
    /// how much; the next word of the stream will.
    pub remaining: Option<Lots>,
    /// What it is now.
    pub status: OrderStatus,
    /// When the exchange last said so: of the stream from nanoseconds, of REST from milliseconds.
    pub ts_event: Option<UnixNanos>,
}

/// An order that waits for a price. It is in no book until then.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct StopOrder {
    /// The exchange's name for it; the order that it becomes has the same.
    pub id: Box<str>,
    /// The user's name for it. `None`, too, if only the stream has told of it, which does not say.
    pub client_oid: Option<Box<str>>,
    /// The contract.
    pub symbol: Symbol,
    /// Which side it is on.
    pub side: OrderSide,
    /// The limit of the order that it becomes; `None` for a market order.
    pub price: Option<Price>,
    /// What it is for, lots; `None` or zero if it closes a position.
    pub size: Option<Lots>,
    /// Whether it waits for the price to rise or to fall.
    pub stop: Option<StopDirection>,
    /// The price that it waits for.
    pub stop_price: Option<Price>,
    /// Which price it looks at.
    pub stop_price_type: Option<StopPriceType>,
    /// Isolated or cross.
    pub margin_mode: Option<MarginMode>,
    /// Which position it is for.
    pub position_side: Option<PositionSide>,
    /// When the exchange last said so: of the stream from nanoseconds, of REST from milliseconds.
    pub ts_event: Option<UnixNanos>,
}

/// A position that is open.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Position {
    /// The contract.
    pub symbol: Symbol,
    /// Which of its positions.
    pub side: PositionSide,
    /// Its size in lots; negative if it is short.
    pub qty: i64,
    /// Average price of entry.
    pub avg_entry_price: Option<Decimal>,
    /// What it is valued by, as last said.
    pub mark_price: Option<Decimal>,
    /// Its value at the mark price.
    pub mark_value: Option<Decimal>,
    /// Its value at the entry price.
    pub cost: Option<Decimal>,
    /// Its margin; isolated only.
    pub margin: Option<Decimal>,
    /// Profit of what is open, at the mark price.
    pub unrealised_pnl: Option<Decimal>,
    /// Profit of what was closed, less fees and funding.
    pub realised_pnl: Option<Decimal>,
    /// Where it is liquidated.
    pub liquidation_price: Option<Decimal>,
    /// Value by margin.
    pub leverage: Option<Decimal>,
    /// Isolated or cross.
    pub margin_mode: Option<MarginMode>,
    /// When the exchange last said so, from milliseconds.
    pub ts_event: Option<UnixNanos>,
}

/// What there is of a currency. Amounts are of that currency.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Balance {
    /// Which.
    pub currency: Currency,
    /// Wallet balance and unrealised profit.
    pub equity: Option<Decimal>,
    /// Deposits and realised profit.
    pub wallet_balance: Option<Decimal>,
    /// What new orders may use.
    pub available: Option<Decimal>,
    /// Held for withdrawals and transfers.
    pub hold: Option<Decimal>,
    /// Rises with each change; `None` until the stream has said one.
    pub version: Option<u64>,
    /// When the exchange said so, from milliseconds; `None` if REST did, which says no time.
    pub ts_event: Option<UnixNanos>,
}

/// A fill of an order of the account's.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct AccountFill {
    /// The trade's name, the same as in `execution`.
    pub trade_id: Box<str>,
    /// The order that was filled.
    pub order_id: Box<str>,
    /// The contract.
    pub symbol: Symbol,
    /// Which side the order is on.
    pub side: OrderSide,
    /// Of the trade.
    pub price: Decimal,
    /// Lots filled.
    pub size: Lots,
    /// Whether the order made or took.
    pub liquidity: Option<Liquidity>,
    /// When, from nanoseconds.
    pub ts_event: Option<UnixNanos>,
}

/// What an account has many of.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[non_exhaustive]
pub enum AccountPart {
    /// Open orders.
    Orders,
    /// Orders that wait for a price.
    StopOrders,
    /// Open positions.
    Positions,
    /// Balances.
    Balances,
}

impl fmt::Display for AccountPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Orders => "open orders",
            Self::StopOrders => "stop orders",
            Self::Positions => "positions",
            Self::Balances => "balances",
        })
    }
}

/// How far the account's state has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(clippy::exhaustive_enums, reason = "the states to a reader")]
pub enum AccountStatus {
    /// Nobody follows it.
    Idle,
    /// It is not carried yet, or what it has is asked for.
    Syncing,
    /// It can be read.
    Live,
}

/// Fills that are remembered: as many as `GET /api/v1/recentFills` shows.
const MOST_FILLS: usize = 1000;

impl Account {
    /// Nothing is known, and `fills` were.
    pub(crate) const fn unknown(epoch: Epoch, fills: VecDeque<AccountFill>) -> Self {
        Self {
            epoch,
            orders: BTreeMap::new(),
            stop_orders: BTreeMap::new(),
            positions: BTreeMap::new(),
            balances: BTreeMap::new(),
            fills,
        }
    }

    /// This run of the state: one more after each loss.
    #[must_use]
    pub const fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// The open orders, by their names.
    pub fn orders(&self) -> impl ExactSizeIterator<Item = &OpenOrder> {
        self.orders.values()
    }

    /// The order that the exchange calls so, if it is open.
    #[must_use]
    pub fn order(&self, id: &str) -> Option<&OpenOrder> {
        self.orders.get(id)
    }

    /// The orders that wait for a price, by their names. None of them is among [`orders`](Self::orders).
    pub fn stop_orders(&self) -> impl ExactSizeIterator<Item = &StopOrder> {
        self.stop_orders.values()
    }

    /// The stop order that the exchange calls so, if it waits.
    #[must_use]
    pub fn stop_order(&self, id: &str) -> Option<&StopOrder> {
        self.stop_orders.get(id)
    }

    /// The open positions, by contract.
    pub fn positions(&self) -> impl ExactSizeIterator<Item = &Position> {
        self.positions.values()
    }

    /// The position in a contract, if it is open.
    #[must_use]
    pub fn position(&self, symbol: Symbol, side: PositionSide) -> Option<&Position> {
        self.positions.get(&(symbol, side))
    }

    /// The balances, by currency.
    pub fn balances(&self) -> impl ExactSizeIterator<Item = &Balance> {
        self.balances.values()
    }

    /// What there is of a currency.
    #[must_use]
    pub fn balance(&self, currency: Currency) -> Option<&Balance> {
        self.balances.get(&currency)
    }

    /// The last fills, up to 1000, each once, in the order in which they were learned.
    pub fn fills(&self) -> impl ExactSizeIterator<Item = &AccountFill> + DoubleEndedIterator {
        self.fills.iter()
    }

    /// What rests of one's own in the book of a contract, where no stop order is yet; of an order of which nobody knows
    /// how much was canceled, the most that may rest. See [`Book::without`](crate::Book::without).
    #[must_use]
    pub fn resting(&self, symbol: Symbol) -> Resting {
        let mut resting = Resting::default();
        for order in self.orders.values().filter(|order| order.symbol == symbol) {
            let side = match order.side {
                OrderSide::Buy => Side::Bid,
                OrderSide::Sell => Side::Ask,
                OrderSide::Other => continue,
            };
            if let (OrderStatus::Open, Some(price)) = (order.status, order.price) {
                resting.add(side, price, order.most_remaining());
            }
        }
        resting
    }

    /// Takes in what the exchange said.
    pub(crate) fn apply(&mut self, change: Change) {
        match change {
            Change::Order { order, is_over, fill } => {
                if is_over {
                    self.orders.remove(&order.id);
                } else {
                    self.orders.insert(order.id.clone(), *order);
                }
                if let Some(fill) = fill {
                    self.remember(*fill);
                }
            }
            Change::StopOrder { order, is_over: true } => {
                // planted: stop-order-stays
                self.stop_orders.remove(&order.id);
            }
            Change::StopOrder { mut order, is_over: false } => {
                let known = self.stop_orders.remove(&order.id);
                order.client_oid = order.client_oid.or_else(|| known?.client_oid);
                self.stop_orders.insert(order.id.clone(), *order);
            }
            Change::Position(patch) => patch.apply(&mut self.positions),
            Change::Balance(patch) => patch.apply(&mut self.balances),
        }
    }

    /// What there is more of than is kept.
    pub(crate) fn excess(&self, limits: &AccountLimits) -> Option<AccountPart> {
        let parts = [
            (self.orders.len(), limits.max_orders, AccountPart::Orders),
            (self.stop_orders.len(), limits.max_stop_orders, AccountPart::StopOrders),
            (self.positions.len(), limits.max_positions, AccountPart::Positions),
            (self.balances.len(), limits.max_balances, AccountPart::Balances),
        ];
        parts.into_iter().find(|(len, most, _)| len > most).map(|(.., part)| part)
    }

    fn clear(&mut self, list: List) {
        match list {
            List::Orders => self.orders.clear(),
            List::StopOrders => self.stop_orders.clear(),
        }
    }

    /// Remembers a fill. False: it is known; after a reconnect the exchange may say again what it said.
    pub(crate) fn remember(&mut self, fill: AccountFill) -> bool {
        let is_same = |known: &AccountFill| {
            known.trade_id == fill.trade_id && known.order_id == fill.order_id
        };
        if self.fills.iter().rev().any(is_same) {
            return false;
        }
        if self.fills.len() >= MOST_FILLS {
            self.fills.pop_front();
        }
        self.fills.push_back(fill);
        true
    }
}

impl OpenOrder {
    /// What rests of it, at most.
    #[must_use]
    pub fn most_remaining(&self) -> Lots {
        let unfilled = self.size.get().saturating_sub(self.filled.get());
        self.remaining.unwrap_or_else(|| Lots::new(unfilled))
    }
}
