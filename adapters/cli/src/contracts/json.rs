//! A contract as JSON: every field that it has, numbers exact and times in nanoseconds.

use std::time::Duration;

use kucoin_futures_proto::Lots;
use kucoin_futures_proto::wire::{Contract, Text};
use serde_json::{Map, Value};

use crate::words::{exact, exact_if_any, nanos};

/// All fields, in the exchange's order, under the names of `wire::Contract`; those in lots, milliseconds and
/// nanoseconds say so.
pub(super) fn contract(row: &Contract<'_>) -> Value {
    let mut object = Map::new();
    object.insert("type".into(), "contract".into());
    let mut add = |name: &str, value: Value| {
        object.insert(name.to_owned(), value);
    };
    first(row, &mut add);
    second(row, &mut add);
    last(row, &mut add);
    Value::Object(object)
}

fn first(row: &Contract<'_>, add: &mut impl FnMut(&str, Value)) {
    add("symbol", exact(row.symbol));
    add("display_symbol", text(row.display_symbol));
    add("root_symbol", text(row.root_symbol));
    add("kind", text(row.kind));
    add("first_open_ns", nanos(row.first_open));
    add("expires_ns", nanos(row.expires));
    add("settles_ns", nanos(row.settles));
    add("base_currency", exact_if_any(row.base_currency));
    add("display_base_currency", text(row.display_base_currency));
    add("quote_currency", exact_if_any(row.quote_currency));
    add("settle_currency", exact_if_any(row.settle_currency));
    add("max_order_size_lots", lots(row.max_order_size));
    add("max_market_order_size_lots", lots(row.max_market_order_size));
    add("max_price", exact_if_any(row.max_price));
    add("lot_size", exact(row.lot_size));
    add("tick_size", exact(row.tick_size));
    add("index_tick_size", exact_if_any(row.index_tick_size));
    add("multiplier", exact(row.multiplier));
    add("initial_margin", exact_if_any(row.initial_margin));
    add("maintenance_margin", exact_if_any(row.maintenance_margin));
    add("max_risk_limit", exact_if_any(row.max_risk_limit));
    add("min_risk_limit", exact_if_any(row.min_risk_limit));
    add("risk_step", exact_if_any(row.risk_step));
    add("maker_fee_rate", exact_if_any(row.maker_fee_rate));
    add("taker_fee_rate", exact_if_any(row.taker_fee_rate));
    add("taker_fixed_fee", exact_if_any(row.taker_fixed_fee));
    add("maker_fixed_fee", exact_if_any(row.maker_fixed_fee));
    add("settlement_fee", exact_if_any(row.settlement_fee));
}

fn second(row: &Contract<'_>, add: &mut impl FnMut(&str, Value)) {
    add("is_deleverage", Value::from(row.is_deleverage));
    add("is_quanto", Value::from(row.is_quanto));
    add("is_inverse", Value::from(row.is_inverse));
    add("mark_method", text(row.mark_method));
    add("fair_method", text(row.fair_method));
    add("funding_base_symbol", exact_if_any(row.funding_base_symbol));
    add("funding_quote_symbol", exact_if_any(row.funding_quote_symbol));
    add("funding_rate_symbol", exact_if_any(row.funding_rate_symbol));
    add("index_symbol", exact_if_any(row.index_symbol));
    add("settlement_symbol", exact_if_any(row.settlement_symbol));
    add("status", text(Some(row.status)));
    add("funding_fee_rate", exact_if_any(row.funding_fee_rate));
    add("predicted_funding_fee_rate", exact_if_any(row.predicted_funding_fee_rate));
    add("daily_interest_rate", exact_if_any(row.daily_interest_rate));
    add("funding_interval_ms", span(row.funding_interval));
    add("funding_rate_cap", exact_if_any(row.funding_rate_cap));
    add("funding_rate_floor", exact_if_any(row.funding_rate_floor));
    add("period", Value::from(row.period));
    add("funding_cycle_start_ns", nanos(row.funding_cycle_start));
    add("current_funding_interval_ms", span(row.current_funding_interval));
    add("open_interest_lots", lots(row.open_interest));
    add("turnover_24h", exact_if_any(row.turnover_24h));
    add("volume_24h", exact_if_any(row.volume_24h));
    add("mark_price", exact_if_any(row.mark_price));
    add("index_price", exact_if_any(row.index_price));
    add("last_trade_price", exact_if_any(row.last_trade_price));
    add("next_funding_in_ms", span(row.next_funding_in));
    add("next_funding_ns", nanos(row.next_funding));
}

fn last(row: &Contract<'_>, add: &mut impl FnMut(&str, Value)) {
    add("max_leverage", exact_if_any(row.max_leverage));
    add(
        "source_exchanges",
        row.source_exchanges.iter().map(|name| name.to_string()).collect::<Value>(),
    );
    add("premium_symbol_1m", exact_if_any(row.premium_symbol_1m));
    add("premium_symbol_8h", exact_if_any(row.premium_symbol_8h));
    add("funding_base_symbol_1m", exact_if_any(row.funding_base_symbol_1m));
    add("funding_quote_symbol_1m", exact_if_any(row.funding_quote_symbol_1m));
    add("low_price_24h", exact_if_any(row.low_price_24h));
    add("high_price_24h", exact_if_any(row.high_price_24h));
    add("price_change_rate_24h", exact_if_any(row.price_change_rate_24h));
    add("price_change_24h", exact_if_any(row.price_change_24h));
    add("k", exact_if_any(row.k));
    add("m", exact_if_any(row.m));
    add("f", exact_if_any(row.f));
    add("mmr_limit", exact_if_any(row.mmr_limit));
    add("mmr_leverage_constant", exact_if_any(row.mmr_leverage_constant));
    add("supports_cross", Value::from(row.supports_cross));
    add("buy_limit", exact_if_any(row.buy_limit));
    add("sell_limit", exact_if_any(row.sell_limit));
    add("adjusted_k", exact_if_any(row.adjusted_k));
    add("adjusted_m", exact_if_any(row.adjusted_m));
    add("adjusted_mmr_leverage_constant", exact_if_any(row.adjusted_mmr_leverage_constant));
    add("adjusts_ns", nanos(row.adjusts));
    add("cross_risk_limit", exact_if_any(row.cross_risk_limit));
    add("market_stage", text(row.market_stage));
    add("becomes_perpetual_ns", nanos(row.becomes_perpetual));
    add("order_price_range", exact_if_any(row.order_price_range));
    add("market_type", text(row.market_type));
    add("asset_class", text(row.asset_class));
    add("sub_market_type", text(row.sub_market_type));
    add("last_funding_rate", exact_if_any(row.last_funding_rate));
}

fn text(text: Option<Text<'_>>) -> Value {
    text.map_or(Value::Null, |text| text.to_string().into())
}

fn lots(lots: Option<Lots>) -> Value {
    lots.map_or(Value::Null, |lots| lots.get().into())
}

fn span(span: Option<Duration>) -> Value {
    let millis = span.and_then(|span| u64::try_from(span.as_millis()).ok());
    Value::from(millis)
}
