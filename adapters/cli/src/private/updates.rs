//! What an account's stream says, as JSON: every field that a message has.

use kucoin_futures_proto::wire::{
    BalanceUpdate, OrderUpdate, PositionSettlement, PositionUpdate, RiskLimitUpdate,
    StopOrderUpdate, WalletUpdate,
};
use serde_json::Value;

use super::line::{line, lots};
use crate::words::{exact, exact_if_any, nanos};

pub(super) fn order(it: &OrderUpdate<'_>) -> Value {
    line(
        "order",
        Some(it.symbol),
        [
            ("order_type", exact_if_any(it.order_type)),
            ("side", exact(it.side)),
            ("canceled_size_lots", lots(it.canceled_size)),
            ("order_id", exact(it.order_id)),
            ("position_side", exact_if_any(it.position_side)),
            ("liquidity", exact_if_any(it.liquidity)),
            ("margin_mode", exact_if_any(it.margin_mode)),
            ("change", exact(it.change)),
            ("fee_type", exact_if_any(it.fee_type)),
            ("order_time_ns", nanos(it.order_time)),
            ("size_lots", lots(it.size)),
            ("filled_size_lots", lots(it.filled_size)),
            ("price", exact_if_any(it.price)),
            ("match_price", exact_if_any(it.match_price)),
            ("match_size_lots", lots(it.match_size)),
            ("remain_size_lots", lots(it.remain_size)),
            ("trade_id", exact_if_any(it.trade_id)),
            ("client_oid", exact_if_any(it.client_oid)),
            ("trade_type", exact_if_any(it.trade_type)),
            ("status", exact(it.status)),
            ("old_size_lots", lots(it.old_size)),
            ("all_canceled_size_lots", lots(it.all_canceled_size)),
            ("ts_ns", nanos(it.ts_event)),
        ],
    )
}

pub(super) fn stop_order(it: &StopOrderUpdate<'_>) -> Value {
    line(
        "stop_order",
        Some(it.symbol),
        [
            ("created_at_ns", nanos(it.created_at)),
            ("margin_mode", exact_if_any(it.margin_mode)),
            ("order_id", exact(it.order_id)),
            ("order_price", exact_if_any(it.order_price)),
            ("side", exact(it.side)),
            ("size_lots", lots(it.size)),
            ("stop", exact_if_any(it.stop)),
            ("stop_price", exact_if_any(it.stop_price)),
            ("stop_price_type", exact_if_any(it.stop_price_type)),
            ("ts_ns", nanos(it.ts_event)),
            ("change", exact(it.change)),
            ("position_side", exact_if_any(it.position_side)),
            ("trigger_success", Value::from(it.trigger_success)),
            ("error", exact_if_any(it.error)),
        ],
    )
}

pub(super) fn wallet(it: &WalletUpdate<'_>) -> Value {
    line(
        "wallet",
        None,
        [
            ("cross_pos_margin", exact_if_any(it.cross_pos_margin)),
            ("isolated_order_margin", exact_if_any(it.isolated_order_margin)),
            ("hold_balance", exact_if_any(it.hold_balance)),
            ("equity", exact_if_any(it.equity)),
            ("version", Value::from(it.version)),
            ("available_balance", exact(it.available_balance)),
            ("isolated_pos_margin", exact_if_any(it.isolated_pos_margin)),
            ("max_withdraw_amount", exact_if_any(it.max_withdraw_amount)),
            ("wallet_balance", exact_if_any(it.wallet_balance)),
            ("isolated_funding_fee_margin", exact_if_any(it.isolated_funding_fee_margin)),
            ("cross_unrealised_pnl", exact_if_any(it.cross_unrealised_pnl)),
            ("total_cross_margin", exact_if_any(it.total_cross_margin)),
            ("currency", exact(it.currency)),
            ("isolated_unrealised_pnl", exact_if_any(it.isolated_unrealised_pnl)),
            ("cross_order_margin", exact_if_any(it.cross_order_margin)),
            ("ts_ns", nanos(it.ts_event)),
        ],
    )
}

pub(super) fn balance(it: &BalanceUpdate<'_>) -> Value {
    line(
        "balance",
        None,
        [
            ("order_margin", exact_if_any(it.order_margin)),
            ("available_balance", exact_if_any(it.available_balance)),
            ("hold_balance", exact_if_any(it.hold_balance)),
            ("withdraw_hold", exact_if_any(it.withdraw_hold)),
            ("currency", exact(it.currency)),
            ("ts_ns", nanos(it.ts_event)),
        ],
    )
}

pub(super) fn position(it: &PositionUpdate<'_>) -> Value {
    line(
        "position",
        it.symbol,
        [
            ("maint_margin_req", exact_if_any(it.maint_margin_req)),
            ("risk_limit", exact_if_any(it.risk_limit)),
            ("real_leverage", exact_if_any(it.real_leverage)),
            ("cross_mode", Value::from(it.cross_mode)),
            ("deleverage_percentage", exact_if_any(it.deleverage_percentage)),
            ("opening_time_ns", nanos(it.opening_time)),
            ("auto_deposit", Value::from(it.auto_deposit)),
            ("ts_ns", nanos(it.ts_event)),
            ("current_qty", Value::from(it.current_qty)),
            ("current_cost", exact_if_any(it.current_cost)),
            ("current_comm", exact_if_any(it.current_comm)),
            ("unrealised_cost", exact_if_any(it.unrealised_cost)),
            ("realised_cost", exact_if_any(it.realised_cost)),
            ("is_open", Value::from(it.is_open)),
            ("mark_price", exact_if_any(it.mark_price)),
            ("mark_value", exact_if_any(it.mark_value)),
            ("pos_cost", exact_if_any(it.pos_cost)),
            ("pos_cross", exact_if_any(it.pos_cross)),
            ("pos_init", exact_if_any(it.pos_init)),
            ("pos_comm", exact_if_any(it.pos_comm)),
            ("pos_loss", exact_if_any(it.pos_loss)),
            ("pos_margin", exact_if_any(it.pos_margin)),
            ("pos_funding", exact_if_any(it.pos_funding)),
            ("pos_maint", exact_if_any(it.pos_maint)),
            ("maint_margin", exact_if_any(it.maint_margin)),
            ("avg_entry_price", exact_if_any(it.avg_entry_price)),
            ("liquidation_price", exact_if_any(it.liquidation_price)),
            ("bankrupt_price", exact_if_any(it.bankrupt_price)),
            ("settle_currency", exact_if_any(it.settle_currency)),
            ("change_reason", exact_if_any(it.change_reason)),
            ("risk_limit_level", Value::from(it.risk_limit_level)),
            ("realised_gross_cost", exact_if_any(it.realised_gross_cost)),
            ("realised_gross_pnl", exact_if_any(it.realised_gross_pnl)),
            ("realised_pnl", exact_if_any(it.realised_pnl)),
            ("unrealised_pnl", exact_if_any(it.unrealised_pnl)),
            ("unrealised_pnl_ratio", exact_if_any(it.unrealised_pnl_ratio)),
            ("unrealised_roe_ratio", exact_if_any(it.unrealised_roe_ratio)),
            ("leverage", exact_if_any(it.leverage)),
            ("margin_mode", exact_if_any(it.margin_mode)),
            ("position_side", exact_if_any(it.position_side)),
            ("tax", exact_if_any(it.tax)),
            ("deal_comm", exact_if_any(it.deal_comm)),
            ("funding_fee", exact_if_any(it.funding_fee)),
            ("agg_rate", exact_if_any(it.agg_rate)),
        ],
    )
}

pub(super) fn settlement(it: &PositionSettlement<'_>) -> Value {
    line(
        "funding_charge",
        it.symbol,
        [
            ("mark_price", exact(it.mark_price)),
            ("qty", Value::from(it.qty)),
            ("position_side", exact_if_any(it.position_side)),
            ("margin_mode", exact_if_any(it.margin_mode)),
            ("settle_currency", exact_if_any(it.settle_currency)),
            ("funding_time_ns", nanos(it.funding_time)),
            ("funding_rate", exact(it.funding_rate)),
            ("funding_fee", exact(it.funding_fee)),
            ("ts_ns", nanos(it.ts_event)),
        ],
    )
}

pub(super) fn risk_limit(it: &RiskLimitUpdate<'_>) -> Value {
    line(
        "risk_limit",
        it.symbol,
        [
            ("msg", exact_if_any(it.msg)),
            ("success", Value::from(it.success)),
            ("risk_limit_level", Value::from(it.risk_limit_level)),
        ],
    )
}
