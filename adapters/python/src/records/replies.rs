//! What queries about the market are answered with: the fields of `replies.py`.

use kucoin_futures_proto::wire::{
    Contract, IndexComponent, IndexPrice, Kline, RestFundingRate, RestMarkPrice, RestTicker,
    RestTrade, SeriesPoint, ServiceStatus, SettledFunding,
};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyType};

use super::{Record, name, record};
use crate::to_py::ToPy as _;

record! {
    Contract<'_>: "replies", "Contract",
    [
        symbol, display_symbol, root_symbol, kind, first_open as first_open_ns,
        expires as expires_ns, settles as settles_ns, base_currency, display_base_currency,
        quote_currency, settle_currency, max_order_size, max_market_order_size, max_price,
        lot_size, tick_size, index_tick_size, multiplier, initial_margin, maintenance_margin,
        max_risk_limit, min_risk_limit, risk_step, maker_fee_rate, taker_fee_rate,
        taker_fixed_fee, maker_fixed_fee, settlement_fee, is_deleverage, is_quanto, is_inverse,
        mark_method, fair_method, funding_base_symbol, funding_quote_symbol, funding_rate_symbol,
        index_symbol, settlement_symbol, status, funding_fee_rate, predicted_funding_fee_rate,
        daily_interest_rate, funding_interval as funding_interval_ms, funding_rate_cap,
        funding_rate_floor, period, funding_cycle_start as funding_cycle_start_ns,
        current_funding_interval as current_funding_interval_ms, open_interest, turnover_24h,
        volume_24h, mark_price, index_price, last_trade_price,
        next_funding_in as next_funding_in_ms, next_funding as next_funding_ns, max_leverage,
        source_exchanges, premium_symbol_1m, premium_symbol_8h, funding_base_symbol_1m,
        funding_quote_symbol_1m, low_price_24h, high_price_24h, price_change_rate_24h,
        price_change_24h, k, m, f, mmr_limit, mmr_leverage_constant, supports_cross, buy_limit,
        sell_limit, adjusted_k, adjusted_m, adjusted_mmr_leverage_constant, adjusts as adjusts_ns,
        cross_risk_limit, market_stage, becomes_perpetual as becomes_perpetual_ns,
        order_price_range, market_type, asset_class, sub_market_type, last_funding_rate,
    ]
}

record! {
    RestTicker<'_>: "replies", "RestTicker",
    [
        symbol, sequence, taker_side, price, size, trade_id, best_bid, best_ask,
        traded as traded_ns,
    ]
}

record! {
    RestTrade<'_>: "replies", "RestTrade",
    [
        sequence, trade_id, maker_order_id, taker_order_id, time as time_ns, size, price,
        taker_side,
    ]
}

record! {
    Kline: "replies", "Kline",
    [
        start as start_ns, open, high, low, close, volume, turnover,
    ]
}

record! {
    RestMarkPrice: "replies", "RestMarkPrice",
    [
        symbol, granularity as granularity_ms, time as time_ns, value, index_price,
    ]
}

record! {
    RestFundingRate: "replies", "RestFundingRate",
    [
        rate_symbol, interval as interval_ms, interval_start as interval_start_ns, value,
        predicted_value, daily_interest_rate, cap, floor, period,
        next_settlement as next_settlement_ns, last_rate,
    ]
}

record! {
    SettledFunding: "replies", "SettledFunding",
    [
        symbol, rate, time as time_ns,
    ]
}

record! {
    IndexPrice<'_>: "replies", "IndexPrice",
    [
        symbol, granularity as granularity_ms, time as time_ns, value, components,
    ]
}

record! {
    IndexComponent<'_>: "replies", "IndexComponent",
    [
        exchange, exchange_name, price, weight,
    ]
}

record! {
    SeriesPoint: "replies", "SeriesPoint",
    [
        symbol, granularity as granularity_ms, time as time_ns, value,
    ]
}

record! {
    ServiceStatus<'_>: "replies", "ServiceStatus",
    [
        message, status,
    ]
}
