//! What the exchange says of an account, in pieces that can be kept: from the stream, and from REST.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::ToString;

use super::{AccountFill, Balance, OpenOrder, Position, StopOrder};
use crate::currency::Currency;
use crate::error::WireError;
use crate::ids::Symbol;
use crate::message::Message;
use crate::num::{Decimal, Lots, Price};
use crate::wire::{
    AccountOverview, BalanceUpdate, Fill, Liquidity, MarginMode, OpenPosition, Order, OrderSide,
    OrderStatus, OrderType, OrderUpdate, PositionSide, PositionUpdate, Side, StopDirection,
    StopOrderChange, StopOrderUpdate, StopPriceType, Text, WalletUpdate,
};

/// What has become of one thing.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    Order { order: Box<OpenOrder>, is_over: bool, fill: Option<Box<AccountFill>> },
    StopOrder { order: Box<StopOrder>, is_over: bool },
    Position(Box<PositionPatch>),
    Balance(Box<BalancePatch>),
}

/// A position, or what has changed of it.
#[derive(Clone, Debug)]
pub(crate) struct PositionPatch {
    new: Position,
    /// What is not said has not changed.
    qty: Option<i64>,
    is_open: Option<bool>,
}

/// A balance, or a part of it.
#[derive(Clone, Debug)]
pub(crate) struct BalancePatch(Balance);

fn owned(text: Text<'_>) -> Box<str> {
    text.to_string().into_boxed_str()
}

impl Change {
    /// What a message of the stream changes; `None` if that is nothing that is kept.
    #[allow(clippy::wildcard_enum_match_arm, reason = "of most messages nothing is kept")]
    pub(crate) fn of_message(message: &Message<'_>) -> Result<Option<Self>, WireError> {
        Ok(match message {
            Message::Order(order) => Some(Self::of_order(order)),
            Message::StopOrder(order) => Some(Self::of_stop_order(order)?),
            Message::Position(position) => {
                PositionPatch::of_update(position).map(|patch| Self::Position(Box::new(patch)))
            }
            Message::Wallet(wallet) => {
                Some(Self::Balance(Box::new(BalancePatch::of_wallet(wallet)?)))
            }
            Message::Balance(balance) => {
                Some(Self::Balance(Box::new(BalancePatch::of_part(balance)?)))
            }
            _ => None,
        })
    }

    fn of_order(update: &OrderUpdate<'_>) -> Self {
        let filled = update.filled_size.unwrap_or_default();
        let canceled = update.canceled_size.unwrap_or_default();
        let size = update.size.unwrap_or(filled);
        // What a message names as canceled may be of that message alone.
        let rest = size.get().saturating_sub(filled.get()).saturating_sub(canceled.get());
        let remaining = update.remain_size.or_else(|| Some(Lots::new(rest)));
        let fill = update.fill().zip(update.trade_id).map(|((price, size), trade_id)| {
            Box::new(AccountFill {
                trade_id: owned(trade_id),
                order_id: owned(update.order_id),
                symbol: update.symbol,
                side: update.side,
                price,
                size,
                liquidity: update.liquidity,
                ts_event: update.ts_event,
            })
        });
        let order = OpenOrder {
            id: owned(update.order_id),
            client_oid: update.client_oid.map(owned),
            symbol: update.symbol,
            side: update.side,
            order_type: update.order_type,
            price: update.price.filter(|price| *price != Price::ZERO),
            size,
            filled,
            remaining,
            status: update.status,
            ts_event: update.ts_event,
        };
        Self::Order { order: Box::new(order), is_over: update.is_over(), fill }
    }

    /// An unknown word for what has happened may be its end: that is not to be guessed.
    fn of_stop_order(update: &StopOrderUpdate<'_>) -> Result<Self, WireError> {
        let is_over = match update.change {
            StopOrderChange::Open => false,
            StopOrderChange::Triggered | StopOrderChange::Canceled => true,
            StopOrderChange::Other => return Err(WireError::Malformed { field: "type" }),
        };
        let order = StopOrder {
            id: owned(update.order_id),
            client_oid: None,
            symbol: update.symbol,
            side: update.side,
            price: update.order_price.filter(|price| *price != Price::ZERO),
            size: update.size,
            stop: update.stop,
            stop_price: update.stop_price,
            stop_price_type: update.stop_price_type,
            margin_mode: update.margin_mode,
            position_side: update.position_side,
            ts_event: update.ts_event,
        };
        Ok(Self::StopOrder { order: Box::new(order), is_over })
    }
}

impl StopOrder {
    /// Of a row of REST.
    pub(crate) fn of_row(row: &Order<'_>) -> Result<Self, WireError> {
        let price = row.price.map(|price| Price::from_decimal(price, "price")).transpose()?;
        let stop_price = row.stop_price.map(|price| Price::from_decimal(price, "stopPrice"));
        Ok(Self {
            id: owned(row.id),
            client_oid: row.client_id.map(owned),
            symbol: row.symbol,
            side: side(row.side),
            price: price.filter(|price| *price != Price::ZERO),
            size: Some(row.size),
            stop: row.stop.map(StopDirection::of),
            stop_price: stop_price.transpose()?,
            stop_price_type: row.stop_price_kind.map(StopPriceType::of),
            margin_mode: row.margin_mode.map(MarginMode::of),
            position_side: row.position_side.map(PositionSide::of),
            ts_event: row.updated,
        })
    }
}

impl OpenOrder {
    /// Of a row of REST.
    pub(crate) fn of_row(row: &Order<'_>) -> Result<Self, WireError> {
        let price = row.price.map(|price| Price::from_decimal(price, "price")).transpose()?;
        let filled = row.filled_size.unwrap_or_default();
        let unfilled = Lots::new(row.size.get().saturating_sub(filled.get()));
        let is_cut = row.cancel_exists == Some(true);
        Ok(Self {
            id: owned(row.id),
            client_oid: row.client_id.map(owned),
            symbol: row.symbol,
            side: side(row.side),
            order_type: row.kind.map(OrderType::of),
            price: price.filter(|price| *price != Price::ZERO),
            size: row.size,
            filled,
            remaining: Some(unfilled).filter(|_| !is_cut),
            status: OrderStatus::Open,
            ts_event: row.updated,
        })
    }
}

impl AccountFill {
    /// Of a row of REST.
    pub(crate) fn of_row(row: &Fill<'_>) -> Self {
        Self {
            trade_id: owned(row.trade_id),
            order_id: owned(row.order_id),
            symbol: row.symbol,
            side: side(row.side),
            price: row.price,
            size: row.size,
            liquidity: row.liquidity.map(Liquidity::of),
            ts_event: row.traded,
        }
    }
}

const fn side(side: Side) -> OrderSide {
    match side {
        Side::Bid => OrderSide::Buy,
        Side::Ask => OrderSide::Sell,
    }
}

impl PositionPatch {
    /// `None`: it does not say of which contract.
    fn of_update(update: &PositionUpdate<'_>) -> Option<Self> {
        let new = Position {
            symbol: update.symbol?,
            side: update.position_side.unwrap_or(PositionSide::Both),
            qty: update.current_qty.unwrap_or_default(),
            avg_entry_price: update.avg_entry_price,
            mark_price: update.mark_price,
            mark_value: update.mark_value,
            cost: update.pos_cost,
            margin: update.pos_margin,
            unrealised_pnl: update.unrealised_pnl,
            realised_pnl: update.realised_pnl,
            liquidation_price: update.liquidation_price,
            leverage: update.leverage.or(update.real_leverage),
            margin_mode: update.margin_mode,
            ts_event: update.ts_event,
        };
        Some(Self { new, qty: update.current_qty, is_open: update.is_open })
    }

    /// Of a row of REST.
    pub(crate) fn of_row(row: &OpenPosition<'_>) -> Self {
        let new = Position {
            symbol: row.symbol,
            side: row.position_side.map_or(PositionSide::Both, PositionSide::of),
            qty: row.quantity,
            avg_entry_price: row.entry_price,
            mark_price: row.mark_price,
            mark_value: row.mark_value,
            cost: row.position_cost,
            margin: row.margin,
            unrealised_pnl: row.unrealised_profit,
            realised_pnl: row.realised_profit,
            liquidation_price: row.liquidation_price,
            leverage: row.leverage,
            margin_mode: row.margin_mode.map(MarginMode::of),
            ts_event: row.time,
        };
        Self { new, qty: Some(row.quantity), is_open: row.is_open }
    }

    pub(crate) fn apply(self, positions: &mut BTreeMap<(Symbol, PositionSide), Position>) {
        let Self { new, qty, is_open } = self;
        let key = (new.symbol, new.side);
        if is_open == Some(false) || qty == Some(0) {
            positions.remove(&key);
            return;
        }
        let Some(known) = positions.get_mut(&key) else {
            // What says no size is about a position that is over.
            if qty.is_some() {
                positions.insert(key, new);
            }
            return;
        };
        known.qty = qty.unwrap_or(known.qty);
        let or = |new: Option<Decimal>, old: Option<Decimal>| new.or(old);
        known.avg_entry_price = or(new.avg_entry_price, known.avg_entry_price);
        known.mark_price = or(new.mark_price, known.mark_price);
        known.mark_value = or(new.mark_value, known.mark_value);
        known.cost = or(new.cost, known.cost);
        known.margin = or(new.margin, known.margin);
        known.unrealised_pnl = or(new.unrealised_pnl, known.unrealised_pnl);
        known.realised_pnl = or(new.realised_pnl, known.realised_pnl);
        known.liquidation_price = or(new.liquidation_price, known.liquidation_price);
        known.leverage = or(new.leverage, known.leverage);
        known.margin_mode = new.margin_mode.or(known.margin_mode);
        known.ts_event = new.ts_event.or(known.ts_event);
    }
}

impl BalancePatch {
    fn of_wallet(update: &WalletUpdate<'_>) -> Result<Self, WireError> {
        Ok(Self(Balance {
            currency: currency(update.currency)?,
            equity: update.equity,
            wallet_balance: update.wallet_balance,
            available: Some(update.available_balance),
            hold: update.hold_balance,
            version: update.version,
            ts_event: update.ts_event,
        }))
    }

    fn of_part(update: &BalanceUpdate<'_>) -> Result<Self, WireError> {
        Ok(Self(Balance {
            currency: currency(update.currency)?,
            equity: None,
            wallet_balance: None,
            available: update.available_balance,
            hold: update.withdraw_hold,
            version: None,
            ts_event: update.ts_event,
        }))
    }

    /// Of a reply of REST.
    pub(crate) const fn of_overview(overview: &AccountOverview) -> Self {
        Self(Balance {
            currency: overview.currency,
            equity: Some(overview.equity),
            wallet_balance: overview.margin_balance,
            available: overview.available,
            hold: overview.frozen,
            version: None,
            ts_event: None,
        })
    }

    pub(crate) fn apply(self, balances: &mut BTreeMap<Currency, Balance>) {
        let Self(new) = self;
        let Some(known) = balances.get_mut(&new.currency) else {
            balances.insert(new.currency, new);
            return;
        };
        known.equity = new.equity.or(known.equity);
        known.wallet_balance = new.wallet_balance.or(known.wallet_balance);
        known.available = new.available.or(known.available);
        known.hold = new.hold.or(known.hold);
        known.version = new.version.or(known.version);
        known.ts_event = new.ts_event.or(known.ts_event);
    }
}

fn currency(text: Text<'_>) -> Result<Currency, WireError> {
    let mut room = [0; Symbol::MAX_LEN];
    let name = text.resolve(&mut room).and_then(|name| Currency::new(name).ok());
    name.ok_or(WireError::Malformed { field: "currency" })
}
