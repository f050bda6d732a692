//! What an account is at a time, and what changes it.

use std::collections::BTreeMap;

use kucoin_futures_proto::wire::Side;
use kucoin_futures_proto::{Decimal, Price, Symbol, UnixNanos};

use super::money::Money;

/// The name of an order; a stop order keeps it when it is triggered. Unique in an exchange.
pub type OrderId = u64;

/// How margin is put up for a contract.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
#[allow(clippy::exhaustive_enums, reason = "the exchange has these two")]
pub enum MarginMode {
    /// Each position has its own.
    #[default]
    Isolated,
    /// All of a currency share the balance.
    Cross,
}

impl MarginMode {
    /// As the wire has it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Isolated => "ISOLATED",
            Self::Cross => "CROSS",
        }
    }
}

/// Where an order came from.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub enum TradeType {
    /// The account's own doing.
    #[default]
    Trade,
    /// The exchange closes a position whose margin is used up.
    Liquidation,
}

impl TradeType {
    /// As the wire has it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Trade => "trade",
            Self::Liquidation => "liquid",
        }
    }
}

/// How long an order waits.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[allow(clippy::exhaustive_enums, reason = "the exchange has these three")]
pub enum TimeInForce {
    /// Until it is cancelled.
    #[default]
    Gtc,
    /// Not at all: what does not match is cancelled.
    Ioc,
    /// All or nothing, at once.
    Fok,
}

impl TimeInForce {
    /// As the wire has it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Gtc => "GTC",
            Self::Ioc => "IOC",
            Self::Fok => "FOK",
        }
    }
}

/// What is wanted of an order.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Terms {
    /// The contract.
    pub symbol: Symbol,
    /// [`Side::Bid`] buys.
    pub side: Side,
    /// The limit; `None`: a market order.
    pub price: Option<Price>,
    /// In lots.
    pub size: u64,
    /// The client's name for it; empty if it has none.
    pub client_oid: String,
    /// The client's note; empty if there is none.
    pub remark: String,
    /// How much larger than its margin the position may be.
    pub leverage: u32,
    /// How its margin is put up.
    pub margin_mode: MarginMode,
    /// How long it waits.
    pub time_in_force: TimeInForce,
    /// Cancelled if it would match at once.
    pub post_only: bool,
    /// Never opens a position.
    pub reduce_only: bool,
    /// Closes the whole position.
    pub close: bool,
    /// The size is not shown; only said back.
    pub hidden: bool,
    /// Whose doing it is.
    pub trade_type: TradeType,
}

/// An order in the book, or one that was.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Order {
    /// Its name.
    pub id: OrderId,
    /// What was asked for.
    pub terms: Terms,
    /// Lots that were matched.
    pub filled: u64,
    /// Lots that were cancelled. What is neither matched nor cancelled waits in the book.
    pub canceled: u64,
    /// What the matched lots were worth.
    pub filled_value: Money,
    /// Whether it was a stop order.
    pub stop: Option<Trigger>,
    /// When it was taken on.
    pub created: UnixNanos,
    /// When it last changed.
    pub updated: UnixNanos,
    /// When it ended; `None` while it waits.
    pub ended: Option<UnixNanos>,
}

impl Order {
    /// Lots that still wait.
    #[must_use]
    pub const fn remaining(&self) -> u64 {
        self.terms.size - self.filled - self.canceled
    }

    /// Whether it is in the book.
    #[must_use]
    pub const fn is_active(&self) -> bool {
        self.ended.is_none()
    }
}

/// Which price a stop order watches.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(clippy::exhaustive_enums, reason = "the exchange has these three")]
pub enum StopPriceType {
    /// The last trade.
    Trade,
    /// The mark price.
    Mark,
    /// The index price.
    Index,
}

impl StopPriceType {
    /// As the wire has it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Trade => "TP",
            Self::Mark => "MP",
            Self::Index => "IP",
        }
    }
}

/// When a stop order becomes an order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Trigger {
    /// When the price is at or above; otherwise at or below.
    pub up: bool,
    /// The price.
    pub price: Price,
    /// Of what.
    pub of: StopPriceType,
}

impl Trigger {
    /// `up` or `down`.
    #[must_use]
    pub const fn direction(&self) -> &'static str {
        if self.up { "up" } else { "down" }
    }
}

/// A stop order that waits.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct StopOrder {
    /// Its name.
    pub id: OrderId,
    /// The order that it becomes.
    pub terms: Terms,
    /// When.
    pub trigger: Trigger,
    /// When it was taken on.
    pub created: UnixNanos,
}

/// How a stop order ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum StopEnd {
    /// It became an order.
    Triggered,
    /// It was to become an order, which was refused: why.
    Failed(&'static str),
    /// It was cancelled.
    Canceled,
}

/// What an account has of a contract. All amounts in the currency that it settles in.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Position {
    /// The contract.
    pub symbol: Symbol,
    /// Lots; below zero: sold.
    pub qty: i64,
    /// What the lots cost that it has; below zero: what they brought in.
    pub cost: Money,
    /// What all its matches since it was opened cost, less what they brought in.
    pub current_cost: Money,
    /// What closing parts of it has brought since it was opened, fees and funding apart.
    pub gross: Money,
    /// Fees paid since it was opened.
    pub fees: Money,
    /// Funding received since it was opened, less what was paid.
    pub funding: Money,
    /// When it was opened.
    pub opened: UnixNanos,
    /// How its margin is put up.
    pub margin_mode: MarginMode,
    /// How much larger it may be than its margin.
    pub leverage: u32,
    /// Margin that was added to an isolated one.
    pub added: Money,
    /// Whether margin is added by itself.
    pub auto_deposit: bool,
    /// The mark price that it was last valued at.
    pub mark: Price,
}

/// What an account has of a currency, at the time it was last told.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Balance {
    /// What was deposited, plus what closing brought, less fees, plus funding.
    pub wallet: Money,
    /// Of it, set aside for a transfer.
    pub hold: Money,
    /// What new orders may use.
    pub available: Money,
    /// The wallet and what all positions would bring at their marks.
    pub equity: Money,
    /// What serves as margin for all cross positions.
    pub total_cross: Money,
    /// Used by cross positions.
    pub cross_positions: Money,
    /// Used by orders that would open cross positions.
    pub cross_orders: Money,
    /// What cross positions would bring.
    pub cross_unrealised: Money,
    /// Used by isolated positions.
    pub isolated_positions: Money,
    /// Used by orders that would open isolated positions.
    pub isolated_orders: Money,
    /// What isolated positions would bring.
    pub isolated_unrealised: Money,
    /// Counts the changes of this currency.
    pub version: u64,
    /// When it was told.
    pub at: UnixNanos,
}

/// One match of one order.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Fill {
    /// The trade's name, as the public stream has it.
    pub trade: u64,
    /// The order.
    pub order: OrderId,
    /// What was wanted of it.
    pub terms: Terms,
    /// Where.
    pub price: Price,
    /// Lots.
    pub size: u64,
    /// What they were worth.
    pub value: Money,
    /// The fee for what opened a position.
    pub open_fee: Money,
    /// The fee for what closed one.
    pub close_fee: Money,
    /// What closing brought, fees apart.
    pub gross: Money,
    /// Whether it met what waited; otherwise it waited itself.
    pub is_taker: bool,
    /// When.
    pub at: UnixNanos,
}

/// Funding of one position at one settlement.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Settlement {
    /// The contract.
    pub symbol: Symbol,
    /// Lots, with their sign.
    pub qty: i64,
    /// The time of the settlement, in ms since the epoch.
    pub settled_ms: u64,
    /// The rate charged.
    pub rate: Decimal,
    /// The mark price.
    pub mark: Price,
    /// What the position was worth at it, with its sign.
    pub value: Money,
    /// Received; below zero: paid.
    pub fee: Money,
    /// How its margin is put up.
    pub margin_mode: MarginMode,
    /// When it was charged.
    pub at: UnixNanos,
}

/// One change of an account: always the whole new value of what has changed.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum AccountChange {
    /// An order waits, or its numbers changed, or it ended.
    Order(Order),
    /// A stop order waits.
    Stop(StopOrder),
    /// A stop order has ended.
    StopEnded(StopOrder, StopEnd),
    /// A position; one without lots is closed.
    Position(Position),
    /// A position is valued anew.
    Mark(Symbol, Price),
    /// A balance was told.
    Balance(&'static str, Balance),
    /// Contracts' margin is put up in another way.
    MarginMode(Symbol, MarginMode),
    /// The leverage of cross positions of a contract.
    CrossLeverage(Symbol, u32),
    /// The risk limit level of isolated positions of a contract.
    RiskLimit(Symbol, u32),
    /// A match; what it changes follows.
    Fill(Fill),
    /// A funding; what it changes follows.
    Settlement(Settlement),
}

/// What an account is at a time.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct AccountState {
    /// Orders that wait in the book.
    pub orders: BTreeMap<OrderId, Order>,
    /// Stop orders that wait.
    pub stops: BTreeMap<OrderId, StopOrder>,
    /// Positions that are open.
    pub positions: BTreeMap<Symbol, Position>,
    /// By currency.
    pub balances: BTreeMap<&'static str, Balance>,
    /// Where it is not isolated.
    pub margin_modes: BTreeMap<Symbol, MarginMode>,
    /// Where it was set.
    pub cross_leverages: BTreeMap<Symbol, u32>,
    /// Where it was set.
    pub risk_limits: BTreeMap<Symbol, u32>,
}

impl AccountState {
    /// How a contract's margin is put up.
    #[must_use]
    pub fn margin_mode(&self, symbol: Symbol) -> MarginMode {
        self.margin_modes.get(&symbol).copied().unwrap_or_default()
    }

    /// The leverage of a contract's cross positions.
    #[must_use]
    pub fn cross_leverage(&self, symbol: Symbol) -> u32 {
        self.cross_leverages.get(&symbol).copied().unwrap_or(CROSS_LEVERAGE)
    }

    /// The risk limit level of a contract.
    #[must_use]
    pub fn risk_limit(&self, symbol: Symbol) -> u32 {
        self.risk_limits.get(&symbol).copied().unwrap_or(1)
    }

    /// Lets a change have happened.
    pub fn apply(&mut self, change: &AccountChange) {
        match change {
            AccountChange::Order(order) if order.is_active() => {
                self.orders.insert(order.id, order.clone());
            }
            AccountChange::Order(order) => {
                self.orders.remove(&order.id);
            }
            AccountChange::Stop(stop) => {
                self.stops.insert(stop.id, stop.clone());
            }
            AccountChange::StopEnded(stop, _) => {
                self.stops.remove(&stop.id);
            }
            AccountChange::Position(position) if position.qty == 0 => {
                self.positions.remove(&position.symbol);
            }
            AccountChange::Position(position) => {
                self.positions.insert(position.symbol, position.clone());
            }
            AccountChange::Mark(symbol, price) => {
                if let Some(position) = self.positions.get_mut(symbol) {
                    position.mark = *price;
                }
            }
            AccountChange::Balance(currency, balance) => {
                self.balances.insert(currency, balance.clone());
            }
            AccountChange::MarginMode(symbol, mode) => {
                self.margin_modes.insert(*symbol, *mode);
            }
            AccountChange::CrossLeverage(symbol, leverage) => {
                self.cross_leverages.insert(*symbol, *leverage);
            }
            AccountChange::RiskLimit(symbol, level) => {
                self.risk_limits.insert(*symbol, *level);
            }
            AccountChange::Fill(_) | AccountChange::Settlement(_) => {}
        }
    }
}

/// The leverage of cross positions until it is changed.
const CROSS_LEVERAGE: u32 = 3;
