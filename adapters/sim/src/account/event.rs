//! What an account is told, before it becomes frames.

use kucoin_futures_proto::{Price, Symbol, UnixNanos};

use super::money::Money;
use super::state::{Balance, MarginMode, Order, Position, Settlement, StopEnd, StopOrder};

/// One thing that private channels tell.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Event {
    Order(Order, OrderEvent),
    Stop(StopOrder, Option<StopEnd>, UnixNanos),
    Position(Position, Reason, UnixNanos),
    /// The short form: the position is only valued anew.
    Mark(Position, UnixNanos),
    Settlement(Settlement),
    RiskLimit(Symbol, Result<u32, (u32, &'static str)>),
    Wallet(&'static str, Balance),
    /// Old: margin of orders.
    OrderMargin(&'static str, Money, UnixNanos),
    /// Old: what is available, and what is held.
    Available(&'static str, [Money; 2], UnixNanos),
    /// Old: what is held for a transfer.
    WithdrawHold(&'static str, Money, UnixNanos),
    MarginMode(Symbol, MarginMode),
    CrossLeverage(Symbol, u32),
}

/// What happened to an order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum OrderEvent {
    Open,
    Match {
        price: Price,
        size: u64,
        trade: u64,
        is_taker: bool,
    },
    Filled,
    Canceled,
    /// Part of it was cancelled; it had so many lots before.
    Update {
        old_size: u64,
    },
}

impl OrderEvent {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Match { .. } => "match",
            Self::Filled => "filled",
            Self::Canceled => "canceled",
            Self::Update { .. } => "update",
        }
    }
}

/// Why a position changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Reason {
    PositionChange,
    MarginChange,
    Liquidation,
    AutoDeposit,
    RiskLimit,
}

impl Reason {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::PositionChange => "positionChange",
            Self::MarginChange => "marginChange",
            Self::Liquidation => "liquidation",
            Self::AutoDeposit => "autoAppendMarginStatusChange",
            Self::RiskLimit => "changeRiskLimit",
        }
    }
}

/// The old subjects that say what has changed of a balance.
pub(crate) fn old_subjects(
    currency: &'static str,
    before: Option<&Balance>,
    balance: &Balance,
) -> Vec<Event> {
    let orders = |of: &Balance| of.isolated_orders + of.cross_orders;
    let (at, mut events) = (balance.at, Vec::new());
    if before.map(orders) != Some(orders(balance)) {
        events.push(Event::OrderMargin(currency, orders(balance), at));
    }
    let free = |of: &Balance| [of.available, of.hold];
    if before.map(free) != Some(free(balance)) {
        events.push(Event::Available(currency, free(balance), at));
    }
    if before.map(|of| of.hold) != Some(balance.hold) {
        events.push(Event::WithdrawHold(currency, balance.hold, at));
    }
    events
}
