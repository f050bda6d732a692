//! What streams say: the fields of `messages.py`.

use std::ops::Deref;

use kucoin_futures_proto::wire::{
    BalanceUpdate, CandleUpdate, FundingRate, FundingSettlement, MarkPrice, OrderUpdate,
    PositionSettlement, PositionUpdate, RiskLimitUpdate, Stats24h, StopOrderUpdate, WalletUpdate,
};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyType};

use super::{Record, name, record};
use crate::to_py::ToPy as _;

/// Data that is the same for two classes.
macro_rules! named {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        pub(crate) struct $name<'a>(pub(crate) &'a FundingSettlement);

        impl Deref for $name<'_> {
            type Target = FundingSettlement;

            fn deref(&self) -> &FundingSettlement {
                self.0
            }
        }
    };
}

named! {
    /// One that begins.
    FundingBegin
}

named! {
    /// One that has ended.
    FundingEnd
}

record! {
    OrderUpdate<'_>: "messages", "OrderUpdate",
    [
        symbol, order_type, side, canceled_size, order_id, position_side, liquidity, margin_mode,
        change, fee_type, order_time as order_time_ns, size, filled_size, price, match_price,
        match_size, remain_size, trade_id, client_oid, trade_type, status, old_size,
        all_canceled_size, ts_event as ts_ns,
    ]
}

record! {
    StopOrderUpdate<'_>: "messages", "StopOrderUpdate",
    [
        created_at as created_at_ns, margin_mode, order_id, order_price, side, size, stop,
        stop_price, stop_price_type, symbol, ts_event as ts_ns, change, position_side,
        trigger_success, error,
    ]
}

record! {
    WalletUpdate<'_>: "messages", "WalletUpdate",
    [
        cross_pos_margin, isolated_order_margin, hold_balance, equity, version, available_balance,
        isolated_pos_margin, max_withdraw_amount, wallet_balance, isolated_funding_fee_margin,
        cross_unrealised_pnl, total_cross_margin, currency, isolated_unrealised_pnl,
        cross_order_margin, ts_event as ts_ns,
    ]
}

record! {
    BalanceUpdate<'_>: "messages", "BalanceUpdate",
    [
        order_margin, available_balance, hold_balance, withdraw_hold, currency, ts_event as ts_ns,
    ]
}

record! {
    PositionUpdate<'_>: "messages", "PositionUpdate",
    [
        symbol, maint_margin_req, risk_limit, real_leverage, cross_mode, deleverage_percentage,
        opening_time as opening_time_ns, auto_deposit, ts_event as ts_ns, current_qty,
        current_cost, current_comm, unrealised_cost, realised_cost, is_open, mark_price,
        mark_value, pos_cost, pos_cross, pos_init, pos_comm, pos_loss, pos_margin, pos_funding,
        pos_maint, maint_margin, avg_entry_price, liquidation_price, bankrupt_price,
        settle_currency, change_reason, risk_limit_level, realised_gross_cost, realised_gross_pnl,
        realised_pnl, unrealised_pnl, unrealised_pnl_ratio, unrealised_roe_ratio, leverage,
        margin_mode, position_side, tax, deal_comm, funding_fee, agg_rate,
    ]
}

record! {
    PositionSettlement<'_>: "messages", "PositionSettlement",
    [
        symbol, mark_price, qty, position_side, margin_mode, settle_currency,
        funding_time as funding_time_ns, funding_rate, funding_fee, ts_event as ts_ns,
    ]
}

record! {
    RiskLimitUpdate<'_>: "messages", "RiskLimitUpdate",
    [
        symbol, msg, success, risk_limit_level,
    ]
}

record! {
    MarkPrice: "messages", "MarkPrice",
    [
        symbol, mark_price, index_price, interval as interval_ms, ts_event as ts_ns,
    ]
}

record! {
    FundingRate: "messages", "FundingRate",
    [
        symbol, funding_rate, interval as interval_ms, period, ts_event as ts_ns,
    ]
}

record! {
    FundingBegin<'_>: "messages", "FundingBegin",
    [
        symbol, funding_time as funding_time_ns, funding_rate, ts_event as ts_ns,
    ]
}

record! {
    FundingEnd<'_>: "messages", "FundingEnd",
    [
        symbol, funding_time as funding_time_ns, funding_rate, ts_event as ts_ns,
    ]
}

record! {
    Stats24h: "messages", "Stats24h",
    [
        high_price, last_price, low_price, price_24h_before, price_change, price_change_ratio,
        symbol, ts_event as ts_ns, turnover, volume, funding_rate,
    ]
}

record! {
    CandleUpdate: "messages", "Candle",
    [
        symbol, interval, start as start_ns, open, close, high, low, turnover, volume,
        ts_event as ts_ns,
    ]
}
