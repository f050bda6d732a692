//! What queries about an account are answered with: the fields of `signed.py`.

use kucoin_futures_proto::wire::{AccountOverview, Fill, OpenPosition, Order, Side, TakerSide};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyType};

use super::{Record, name, record};
use crate::to_py::ToPy as _;

/// As orders and fills name their side.
const fn taker_side(side: Side) -> TakerSide {
    match side {
        Side::Bid => TakerSide::Buy,
        Side::Ask => TakerSide::Sell,
    }
}

record! {
    Order<'_>: "signed", "Order",
    [
        id, symbol, kind, side by taker_side, price, size, value, filled_value, filled_size,
        self_trade_prevention, stop, stop_price_kind, stop_triggered, stop_price, time_in_force,
        post_only, hidden, iceberg, leverage, force_hold, close_order, visible_size, client_id,
        remark, is_active, cancel_exists, created as created_ns, updated as updated_ns,
        ended as ended_ns, placed as placed_ns, settle_currency, margin_mode, mean_price,
        position_side, status, reduce_only,
    ]
}

record! {
    Fill<'_>: "signed", "Fill",
    [
        symbol, trade_id, order_id, side by taker_side, liquidity, forced_taker, price, size,
        value, open_fee, close_fee, stop, fee_rate, fixed_fee, fee_currency, traded as traded_ns,
        sub_trade_kind, margin_mode, open_fee_tax, close_fee_tax, position_side, settle_currency,
        display_kind, fee, order_kind, trade_kind, created as created_ns,
    ]
}

record! {
    OpenPosition<'_>: "signed", "OpenPosition",
    [
        id, symbol, auto_deposit, is_cross, maintenance_margin_rate, risk_limit, real_leverage,
        deleverage_rank, opened as opened_ns, time as time_ns, quantity, current_cost,
        current_fees, unrealised_cost, realised_gross_cost, realised_cost, is_open, mark_price,
        mark_value, position_cost, added_margin, initial_margin, fee_margin, margin_loss, margin,
        margin_funding, maintenance_margin, margin_balance, realised_gross_profit,
        realised_profit, unrealised_profit, unrealised_profit_rate, unrealised_return,
        entry_price, liquidation_price, bankrupt_price, settle_currency, is_inverse,
        maintenance_rate, margin_mode, position_side, leverage, trade_fees, funding_fees, tax,
        cumulative_trade_fees, cumulative_funding_fees, cumulative_tax, withdrawn_profit,
        risk_limit_level,
    ]
}

record! {
    AccountOverview: "signed", "AccountOverview",
    [
        equity, unrealised_profit, margin_balance, position_margin, order_margin, frozen,
        available, currency, risk_ratio, max_withdrawal, available_margin,
    ]
}
