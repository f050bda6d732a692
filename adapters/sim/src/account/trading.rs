//! What an account's owner may do.

use kucoin_futures_proto::wire::Side;
use kucoin_futures_proto::{Decimal, Price, Symbol};
use serde_json::Value;

use super::check::{Refused, refused};
use super::json::Json;
use super::money::Money;
use super::rest::{Answer, Call, bool_of, decimal_of, symbol_of, text_of};
use super::state::{MarginMode, OrderId, StopPriceType, Terms, TimeInForce, TradeType, Trigger};
use super::{Account, Order};
use crate::exchange::Exchange;

const NOT_CANCELABLE: (&str, &str) = ("100004", "The order cannot be canceled.");

pub(super) fn place(exchange: &mut Exchange, call: &Call<'_>) -> Answer {
    let body = call.body()?;
    let id = place_one(exchange, call, &body)?;
    Ok(placed(id, &body))
}

/// Everything is checked, nothing is done.
pub(super) fn test(exchange: &mut Exchange, call: &Call<'_>) -> Answer {
    let body = call.body()?;
    let terms = read_terms(exchange, call, &body)?;
    read_trigger(&body)?;
    exchange.check_order(call.who, &terms)?;
    Ok(placed(exchange.unix(call.now).as_nanos(), &body))
}

fn placed(id: OrderId, body: &Value) -> String {
    let json = Json::new().quoted("orderId", id);
    json.text("clientOid", &text_of(body, "clientOid").unwrap_or_default()).end()
}

/// Take profit and stop loss: one stop order for each price that is named.
pub(super) fn place_take_profit(exchange: &mut Exchange, call: &Call<'_>) -> Answer {
    let body = call.body()?;
    let terms = read_terms(exchange, call, &body)?;
    let of = read_stop_price_type(&body)?;
    let mut id = None;
    for (name, up) in [("triggerStopUpPrice", true), ("triggerStopDownPrice", false)] {
        let Some(price) = decimal_of(&body, name)? else { continue };
        let trigger = Trigger { up, price: price_from(price, name)?, of };
        id = Some(exchange.place_stop(call.now, call.who, terms.clone(), trigger)?);
    }
    match id {
        Some(id) => Ok(placed(id, &body)),
        None => Ok(placed(exchange.place(call.now, call.who, terms)?, &body)),
    }
}

/// Each has an answer of its own.
pub(super) fn place_several(exchange: &mut Exchange, call: &Call<'_>) -> Answer {
    let body = call.body()?;
    let Some(orders) = body.as_array().filter(|orders| (1..=20).contains(&orders.len())) else {
        return refused("400100", "There must be 1 to 20 orders.");
    };
    let mut rows = Vec::new();
    for order in orders {
        let done = place_one(exchange, call, order);
        let json = Json::new();
        let json = match &done {
            Ok(id) => json.quoted("orderId", id),
            Err(_) => json.raw("orderId", "null"),
        };
        let (code, text) = match &done {
            Ok(_) => ("200000", "success"),
            Err(refused) => (refused.code, refused.text.as_str()),
        };
        let json = json
            .text("clientOid", &text_of(order, "clientOid").unwrap_or_default())
            .text("symbol", &text_of(order, "symbol").unwrap_or_default());
        rows.push(json.text("code", code).text("msg", text).end());
    }
    Ok(format!("[{}]", rows.join(",")))
}

fn place_one(exchange: &mut Exchange, call: &Call<'_>, body: &Value) -> Result<OrderId, Refused> {
    let terms = read_terms(exchange, call, body)?;
    match read_trigger(body)? {
        Some(trigger) => exchange.place_stop(call.now, call.who, terms, trigger),
        None => exchange.place(call.now, call.who, terms),
    }
}

fn read_trigger(body: &Value) -> Result<Option<Trigger>, Refused> {
    let up = match text_of(body, "stop").as_deref() {
        None => return Ok(None),
        Some("up") => true,
        Some("down") => false,
        Some(_) => return refused("100001", "stop parameter invalid."),
    };
    let Some(price) = decimal_of(body, "stopPrice")? else {
        return refused("100001", "stopPrice parameter cannot be empty.");
    };
    let of = read_stop_price_type(body)?;
    Ok(Some(Trigger { up, price: price_from(price, "stopPrice")?, of }))
}

fn read_stop_price_type(body: &Value) -> Result<StopPriceType, Refused> {
    match text_of(body, "stopPriceType").as_deref() {
        None | Some("TP") => Ok(StopPriceType::Trade),
        Some("MP") => Ok(StopPriceType::Mark),
        Some("IP") => Ok(StopPriceType::Index),
        Some(_) => refused("100001", "stopPriceType parameter invalid."),
    }
}

fn price_from(value: Decimal, name: &str) -> Result<Price, Refused> {
    match value.to_string().parse() {
        Ok(price) => Ok(price),
        Err(_) => refused("100001", format!("{name} parameter invalid.")),
    }
}

/// Whole lots: a size such as 1.0 is refused as the exchange's parser refuses it.
fn read_size(exchange: &Exchange, body: &Value, symbol: Symbol) -> Result<u64, Refused> {
    if let Some(text) = text_of(body, "size") {
        return text.parse().or_else(|_| {
            let text = format!(
                "JSON parse error: Cannot deserialize value of type `java.lang.Integer` from String \"{text}\": not a valid `java.lang.Integer` value"
            );
            refused("100000", text)
        });
    }
    // In base currency, which a lot is so much of.
    let Some(quantity) = decimal_of(body, "qty")? else { return Ok(0) };
    let multiplier = exchange.market(symbol).map(|market| market.contract().multiplier);
    let lots = multiplier.and_then(|multiplier| whole_ratio(quantity, multiplier));
    lots.map_or_else(|| refused("100001", "qty parameter invalid."), Ok)
}

/// How many times one goes into the other, if that is a whole number.
fn whole_ratio(value: Decimal, unit: Decimal) -> Option<u64> {
    let least = value.exponent().min(unit.exponent());
    let scaled = |of: Decimal| {
        let power = u32::try_from(i16::from(of.exponent()) - i16::from(least)).ok()?;
        of.mantissa().checked_mul(10_i128.checked_pow(power)?)
    };
    let (value, unit) = (scaled(value)?, scaled(unit)?);
    let ratio = value.checked_div(unit).filter(|_| value.checked_rem(unit) == Some(0))?;
    u64::try_from(ratio).ok()
}

fn read_terms(exchange: &Exchange, call: &Call<'_>, body: &Value) -> Result<Terms, Refused> {
    let Some(symbol) = text_of(body, "symbol") else {
        return refused("100003", "Contract parameter invalid.");
    };
    let symbol = symbol_of(&symbol)?;
    let Some(client_oid) = text_of(body, "clientOid").filter(|name| name.len() <= 40) else {
        return refused("100001", "clientOid parameter invalid.");
    };
    let close = bool_of(body, "closeOrder");
    let state = exchange.accounts.get(call.who).map(Account::state);
    let held = state.and_then(|state| state.positions.get(&symbol)).map_or(0, |held| held.qty);
    let side = match text_of(body, "side").as_deref() {
        Some("buy") => Side::Bid,
        Some("sell") => Side::Ask,
        // What closes a position says by itself which way.
        None if close && held != 0 => {
            if held > 0 {
                Side::Ask
            } else {
                Side::Bid
            }
        }
        _ => return refused("100001", "side parameter invalid."),
    };
    let price = match text_of(body, "type").as_deref() {
        Some("market") => None,
        None | Some("limit") => match decimal_of(body, "price")? {
            Some(price) => Some(price_from(price, "price")?),
            None => return refused("100001", "price parameter cannot be empty."),
        },
        Some(_) => return refused("100001", "type parameter invalid."),
    };
    let margin_mode = match text_of(body, "marginMode").as_deref() {
        None | Some("ISOLATED") => MarginMode::Isolated,
        Some("CROSS") => MarginMode::Cross,
        Some(_) => return refused("100001", "marginMode parameter invalid."),
    };
    let cross = state.map_or(1, |state| state.cross_leverage(symbol));
    let leverage = match (margin_mode, text_of(body, "leverage")) {
        (MarginMode::Cross, _) => cross,
        (MarginMode::Isolated, None) => 1,
        // Written as 3, "3" or 3.0.
        (MarginMode::Isolated, Some(text)) => text.trim_end_matches(".0").parse().unwrap_or(0),
    };
    let time_in_force = match text_of(body, "timeInForce").as_deref() {
        None | Some("GTC") => TimeInForce::Gtc,
        Some("IOC") => TimeInForce::Ioc,
        Some("FOK") => TimeInForce::Fok,
        Some(_) => return refused("100001", "timeInForce parameter invalid."),
    };
    Ok(Terms {
        symbol,
        side,
        price,
        size: read_size(exchange, body, symbol)?,
        client_oid,
        remark: text_of(body, "remark").unwrap_or_default(),
        leverage,
        margin_mode,
        time_in_force,
        post_only: bool_of(body, "postOnly") && price.is_some(),
        reduce_only: bool_of(body, "reduceOnly"),
        close,
        hidden: bool_of(body, "hidden"),
        trade_type: TradeType::Trade,
    })
}

fn canceled(ids: &[OrderId]) -> String {
    let ids: Vec<String> = ids.iter().map(|id| format!("\"{id}\"")).collect();
    Json::new().raw("cancelledOrderIds", format_args!("[{}]", ids.join(","))).end()
}

pub(super) fn cancel(exchange: &mut Exchange, call: &Call<'_>) -> Answer {
    let id = call.key.parse().unwrap_or(0);
    exchange.cancel(call.now, call.who, id)?;
    Ok(canceled(&[id]))
}

pub(super) fn cancel_by_client_oid(exchange: &mut Exchange, call: &Call<'_>) -> Answer {
    let (name, symbol) = (crate::exchange::percent_decode(call.key), call.symbol()?);
    let id = id_of(exchange, call, &name, symbol);
    let Some(id) = id else { return refused(NOT_CANCELABLE.0, NOT_CANCELABLE.1) };
    exchange.cancel(call.now, call.who, id)?;
    Ok(Json::new().text("clientOid", &name).end())
}

fn id_of(
    exchange: &Exchange,
    call: &Call<'_>,
    name: &str,
    symbol: Option<Symbol>,
) -> Option<OrderId> {
    let state = exchange.accounts.get(call.who)?.state();
    let is_it = |terms: &Terms| {
        terms.client_oid == name && symbol.is_none_or(|symbol| symbol == terms.symbol)
    };
    let order = state.orders.values().find(|order| is_it(&order.terms)).map(|order| order.id);
    let stop = || state.stops.values().find(|stop| is_it(&stop.terms)).map(|stop| stop.id);
    order.or_else(stop)
}

pub(super) fn cancel_all(exchange: &mut Exchange, call: &Call<'_>) -> Answer {
    let symbol = call.symbol()?;
    let state = exchange.accounts.get(call.who).map(Account::state);
    let of = |order: &&Order| symbol.is_none_or(|symbol| symbol == order.terms.symbol);
    let orders = state.map(|state| state.orders.values().filter(of).map(|o| o.id).collect());
    cancel_each(exchange, call, orders.unwrap_or_default())
}

pub(super) fn cancel_all_stops(exchange: &mut Exchange, call: &Call<'_>) -> Answer {
    let symbol = call.symbol()?;
    let state = exchange.accounts.get(call.who).map(Account::state);
    let stops = state.map(|state| {
        let stops = state.stops.values();
        let of = stops.filter(|stop| symbol.is_none_or(|symbol| symbol == stop.terms.symbol));
        of.map(|stop| stop.id).collect()
    });
    cancel_each(exchange, call, stops.unwrap_or_default())
}

fn cancel_each(exchange: &mut Exchange, call: &Call<'_>, ids: Vec<OrderId>) -> Answer {
    for id in &ids {
        exchange.cancel(call.now, call.who, *id)?;
    }
    Ok(canceled(&ids))
}

/// By `orderIdsList`, or by `clientOidsList` of objects with `symbol` and `clientOid`.
pub(super) fn cancel_several(exchange: &mut Exchange, call: &Call<'_>) -> Answer {
    let body = call.body()?;
    let list = |name: &str| body.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
    let mut rows = Vec::new();
    for id in list("orderIdsList") {
        let text = id.as_str().unwrap_or_default();
        let done = exchange.cancel(call.now, call.who, text.parse().unwrap_or(0));
        let json = Json::new().text("orderId", text).raw("clientOid", "null");
        rows.push(outcome(json, done));
    }
    for named in list("clientOidsList") {
        let name = text_of(&named, "clientOid").unwrap_or_default();
        let symbol = text_of(&named, "symbol").map(|text| symbol_of(&text)).transpose()?;
        let done = match id_of(exchange, call, &name, symbol) {
            Some(id) => exchange.cancel(call.now, call.who, id),
            None => refused(NOT_CANCELABLE.0, NOT_CANCELABLE.1),
        };
        let json = Json::new().raw("orderId", "null").text("clientOid", &name);
        rows.push(outcome(json, done));
    }
    Ok(format!("[{}]", rows.join(",")))
}

fn outcome(json: Json, done: Result<(), Refused>) -> String {
    match done {
        Ok(()) => json.text("code", "200").text("msg", "success").end(),
        Err(refused) => json.text("code", refused.code).text("msg", &refused.text).end(),
    }
}

fn body_symbol(body: &Value) -> Result<Symbol, Refused> {
    symbol_of(&text_of(body, "symbol").unwrap_or_default())
}

/// Lets the owner set something; an account that is gone refuses nothing.
fn set<T>(
    exchange: &mut Exchange,
    call: &Call<'_>,
    set: impl FnOnce(&mut Account, super::Moment) -> Result<T, Refused>,
) -> Result<Option<T>, Refused> {
    exchange.set(call.now, call.who, set).transpose()
}

pub(super) fn change_margin_mode(exchange: &mut Exchange, call: &Call<'_>) -> Answer {
    let body = call.body()?;
    let symbol = body_symbol(&body)?;
    let mode = match text_of(&body, "marginMode").as_deref() {
        Some("ISOLATED") => MarginMode::Isolated,
        Some("CROSS") => MarginMode::Cross,
        _ => return refused("100001", "marginMode parameter invalid."),
    };
    set(exchange, call, |account, at| account.set_margin_mode(at, symbol, mode))?;
    Ok(Json::new().text("symbol", symbol.as_str()).text("marginMode", mode.as_str()).end())
}

pub(super) fn change_cross_leverage(exchange: &mut Exchange, call: &Call<'_>) -> Answer {
    let body = call.body()?;
    let symbol = body_symbol(&body)?;
    let leverage = text_of(&body, "leverage").and_then(|text| text.parse().ok()).unwrap_or(0);
    set(exchange, call, |account, at| account.set_cross_leverage(at, symbol, leverage))?;
    Ok("true".into())
}

pub(super) fn change_risk_limit(exchange: &mut Exchange, call: &Call<'_>) -> Answer {
    let body = call.body()?;
    let symbol = body_symbol(&body)?;
    let level = text_of(&body, "level").and_then(|text| text.parse().ok()).unwrap_or(0);
    set(exchange, call, |account, at| account.set_risk_limit(at, symbol, level))?;
    Ok("true".into())
}

fn read_margin(body: &Value, name: &str) -> Result<Money, Refused> {
    let value = decimal_of(body, name)?.and_then(Money::of);
    match value.filter(|margin| !margin.is_negative() && !margin.is_zero()) {
        Some(margin) => Ok(margin),
        None => refused("100001", format!("{name} parameter invalid.")),
    }
}

/// Margin is added to a position, or is to be added by itself.
pub(super) fn change_margin(exchange: &mut Exchange, call: &Call<'_>) -> Answer {
    let body = call.body()?;
    let symbol = body_symbol(&body)?;
    match call.key {
        "deposit-margin" => {
            let margin = read_margin(&body, "margin")?;
            let held = set(exchange, call, |account, at| account.add_margin(at, symbol, margin))?;
            let (account, at) = (exchange.accounts.get(call.who), exchange.unix(call.now));
            let row = held.zip(account).map(|(held, account)| account.position_row(&held, at));
            Ok(row.unwrap_or_else(|| "null".into()))
        }
        "auto-deposit-status" => {
            let status = bool_of(&body, "status");
            set(exchange, call, |account, at| account.set_auto_deposit(at, symbol, status))?;
            Ok("true".into())
        }
        _ => refused("404", "Not Found"),
    }
}

pub(super) fn withdraw_margin(exchange: &mut Exchange, call: &Call<'_>) -> Answer {
    let body = call.body()?;
    let symbol = body_symbol(&body)?;
    let margin = read_margin(&body, "withdrawAmount")?;
    set(exchange, call, |account, at| account.add_margin(at, symbol, -margin))?;
    Ok(format!("\"{margin}\""))
}
