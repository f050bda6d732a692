//! What an account has, as JSON.

use kucoin_futures_proto::wire::Order;
use kucoin_futures_proto::{Account, Balance, OpenOrder, Position, StopOrder};
use serde_json::{Value, json};

use super::line::{line, lots};
use crate::words::{exact, exact_if_any, nanos};

/// A row of the open stop orders.
pub(super) fn stop_order(it: &Order<'_>) -> Value {
    line(
        "stop_order",
        Some(it.symbol),
        [
            ("source", Value::from("rest")),
            ("id", exact(it.id)),
            ("kind", exact_if_any(it.kind)),
            ("side", exact(it.side)),
            ("price", exact_if_any(it.price)),
            ("size_lots", lots(Some(it.size))),
            ("value", exact_if_any(it.value)),
            ("filled_value", exact_if_any(it.filled_value)),
            ("filled_size_lots", lots(it.filled_size)),
            ("self_trade_prevention", exact_if_any(it.self_trade_prevention)),
            ("stop", exact_if_any(it.stop)),
            ("stop_price_kind", exact_if_any(it.stop_price_kind)),
            ("stop_triggered", Value::from(it.stop_triggered)),
            ("stop_price", exact_if_any(it.stop_price)),
            ("time_in_force", exact_if_any(it.time_in_force)),
            ("post_only", Value::from(it.post_only)),
            ("hidden", Value::from(it.hidden)),
            ("iceberg", Value::from(it.iceberg)),
            ("leverage", exact_if_any(it.leverage)),
            ("force_hold", Value::from(it.force_hold)),
            ("close_order", Value::from(it.close_order)),
            ("visible_size_lots", lots(it.visible_size)),
            ("client_id", exact_if_any(it.client_id)),
            ("remark", exact_if_any(it.remark)),
            ("is_active", Value::from(it.is_active)),
            ("cancel_exists", Value::from(it.cancel_exists)),
            ("created_ns", nanos(it.created)),
            ("updated_ns", nanos(it.updated)),
            ("ended_ns", nanos(it.ended)),
            ("placed_ns", nanos(it.placed)),
            ("settle_currency", exact_if_any(it.settle_currency)),
            ("margin_mode", exact_if_any(it.margin_mode)),
            ("mean_price", exact_if_any(it.mean_price)),
            ("position_side", exact_if_any(it.position_side)),
            ("status", exact_if_any(it.status)),
            ("reduce_only", Value::from(it.reduce_only)),
        ],
    )
}

/// All that an account has.
pub(super) fn account(account: &Account) -> Value {
    json!({
        "type": "account",
        "epoch": account.epoch().get(),
        "orders": account.orders().map(order).collect::<Value>(),
        "stop_orders": account.stop_orders().map(waiting).collect::<Value>(),
        "positions": account.positions().map(position).collect::<Value>(),
        "balances": account.balances().map(balance).collect::<Value>(),
    })
}

fn order(it: &OpenOrder) -> Value {
    line(
        "order",
        Some(it.symbol),
        [
            ("order_id", Value::from(&*it.id)),
            ("client_oid", Value::from(it.client_oid.as_deref())),
            ("side", exact(it.side)),
            ("order_type", exact_if_any(it.order_type)),
            ("price", exact_if_any(it.price)),
            ("size_lots", lots(Some(it.size))),
            ("filled_size_lots", lots(Some(it.filled))),
            ("remain_size_lots", lots(it.remaining)),
            ("status", exact(it.status)),
            ("ts_ns", nanos(it.ts_event)),
        ],
    )
}

/// Named as the stream names its fields.
fn waiting(it: &StopOrder) -> Value {
    line(
        "stop_order",
        Some(it.symbol),
        [
            ("order_id", Value::from(&*it.id)),
            ("client_oid", Value::from(it.client_oid.as_deref())),
            ("order_price", exact_if_any(it.price)),
            ("side", exact(it.side)),
            ("size_lots", lots(it.size)),
            ("stop", exact_if_any(it.stop)),
            ("stop_price", exact_if_any(it.stop_price)),
            ("stop_price_type", exact_if_any(it.stop_price_type)),
            ("margin_mode", exact_if_any(it.margin_mode)),
            ("position_side", exact_if_any(it.position_side)),
            ("ts_ns", nanos(it.ts_event)),
        ],
    )
}

fn position(it: &Position) -> Value {
    line(
        "position",
        Some(it.symbol),
        [
            ("position_side", exact(it.side)),
            ("current_qty", Value::from(it.qty)),
            ("avg_entry_price", exact_if_any(it.avg_entry_price)),
            ("mark_price", exact_if_any(it.mark_price)),
            ("mark_value", exact_if_any(it.mark_value)),
            ("pos_cost", exact_if_any(it.cost)),
            ("pos_margin", exact_if_any(it.margin)),
            ("unrealised_pnl", exact_if_any(it.unrealised_pnl)),
            ("realised_pnl", exact_if_any(it.realised_pnl)),
            ("liquidation_price", exact_if_any(it.liquidation_price)),
            ("leverage", exact_if_any(it.leverage)),
            ("margin_mode", exact_if_any(it.margin_mode)),
            ("ts_ns", nanos(it.ts_event)),
        ],
    )
}

fn balance(it: &Balance) -> Value {
    line(
        "wallet",
        None,
        [
            ("currency", exact(it.currency)),
            ("equity", exact_if_any(it.equity)),
            ("wallet_balance", exact_if_any(it.wallet_balance)),
            ("available_balance", exact_if_any(it.available)),
            ("hold_balance", exact_if_any(it.hold)),
            ("version", Value::from(it.version)),
            ("ts_ns", nanos(it.ts_event)),
        ],
    )
}
