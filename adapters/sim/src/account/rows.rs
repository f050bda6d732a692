//! Orders, positions and matches as the exchange writes them, on the wire and in REST alike.

use kucoin_futures_proto::wire::Side;
use kucoin_futures_proto::{Decimal, UnixNanos};

use super::Account;
use super::json::Json;
use super::margin::{Listing, MAINTENANCE, MAKER_FEE, TAKER_FEE};
use super::money::Money;
use super::settings::risk_level;
use super::state::{Fill, MarginMode, Order, Position, StopOrder, Terms, TradeType, Trigger};

pub(super) const fn buy_or_sell(side: Side) -> &'static str {
    match side {
        Side::Bid => "buy",
        Side::Ask => "sell",
    }
}

/// A price that may be none: market orders show 0.
pub(super) fn price_of(terms: &Terms) -> Decimal {
    terms.price.map_or(Decimal::ZERO, Decimal::from)
}

pub(super) const fn kind_of(terms: &Terms) -> &'static str {
    if terms.price.is_some() { "limit" } else { "market" }
}

/// Times of the engine: to the millisecond, written in nanoseconds.
pub(super) fn ts(at: UnixNanos) -> String {
    format!("{}000000", at.as_millis())
}

impl Account {
    /// A row of `GET /api/v1/orders`.
    pub(super) fn order_row(&self, order: &Order) -> String {
        let terms = &order.terms;
        let listing = self.listing(terms.symbol);
        let value = match (terms.price, listing) {
            (Some(price), Some(listing)) => listing.value(price, terms.size),
            _ => order.filled_value,
        };
        let average = listing.map_or(Decimal::ZERO, |listing| {
            order.filled_value.price_of(order.filled, listing.multiplier)
        });
        let (is_active, ended) = (order.is_active(), order.ended);
        terms_fields(Json::new(), order.id, terms)
            .quoted("value", value)
            .quoted("dealValue", order.filled_value)
            .raw("dealSize", order.filled)
            .text("stp", "")
            .with(|json| stop_fields(json, order.stop.as_ref(), order.stop.is_some()))
            .with(|json| common_fields(json, terms))
            .raw("isActive", is_active)
            .raw("cancelExist", order.canceled > 0)
            .raw("createdAt", order.created.as_millis())
            .raw("updatedAt", order.updated.as_millis())
            .raw("endAt", ended.map_or_else(|| "null".into(), |at| at.as_millis().to_string()))
            .raw("orderTime", order.created.as_nanos())
            .text("settleCurrency", listing.map_or("", |listing| listing.currency))
            .text("marginMode", terms.margin_mode.as_str())
            .quoted("avgDealPrice", average)
            .text("positionSide", "BOTH")
            .raw("filledSize", order.filled)
            .quoted("filledValue", order.filled_value)
            .text("status", if is_active { "open" } else { "done" })
            .raw("reduceOnly", terms.reduce_only)
            .end()
    }

    /// A row of `GET /api/v1/stopOrders`.
    pub(super) fn stop_row(&self, stop: &StopOrder) -> String {
        let terms = &stop.terms;
        let listing = self.listing(terms.symbol);
        let value = match (terms.price, listing) {
            (Some(price), Some(listing)) => listing.value(price, terms.size),
            _ => Money::ZERO,
        };
        terms_fields(Json::new(), stop.id, terms)
            .quoted("value", value)
            .quoted("dealValue", 0)
            .raw("dealSize", 0)
            .text("stp", "")
            .with(|json| stop_fields(json, Some(&stop.trigger), false))
            .with(|json| common_fields(json, terms))
            .raw("isActive", true)
            .raw("cancelExist", false)
            .raw("createdAt", stop.created.as_millis())
            .raw("updatedAt", stop.created.as_millis())
            .raw("endAt", "null")
            .raw("orderTime", stop.created.as_nanos())
            .text("settleCurrency", listing.map_or("", |listing| listing.currency))
            .text("marginMode", terms.margin_mode.as_str())
            .quoted("avgDealPrice", 0)
            .text("positionSide", "BOTH")
            .raw("filledSize", 0)
            .quoted("filledValue", 0)
            .text("status", "open")
            .raw("reduceOnly", terms.reduce_only)
            .end()
    }

    /// A row of `GET /api/v1/fills`.
    pub(super) fn fill_row(&self, fill: &Fill) -> String {
        let currency = self.listing(fill.terms.symbol).map_or("", |listing| listing.currency);
        let rate = if fill.is_taker { TAKER_FEE } else { MAKER_FEE };
        let kind = kind_of(&fill.terms);
        Json::new()
            .text("symbol", fill.terms.symbol.as_str())
            .quoted("tradeId", fill.trade)
            .quoted("orderId", fill.order)
            .text("side", buy_or_sell(fill.terms.side))
            .text("liquidity", liquidity(fill.is_taker))
            .raw("forceTaker", fill.terms.trade_type == TradeType::Liquidation)
            .quoted("price", fill.price)
            .raw("size", fill.size)
            .quoted("value", fill.value)
            .quoted("openFeePay", fill.open_fee)
            .quoted("closeFeePay", fill.close_fee)
            .text("stop", "")
            .quoted("feeRate", rate.decimal())
            .quoted("fixFee", 0)
            .text("feeCurrency", currency)
            .raw("tradeTime", ts(fill.at))
            .raw("subTradeType", "null")
            .text("marginMode", fill.terms.margin_mode.as_str())
            .quoted("openFeeTaxPay", 0)
            .quoted("closeFeeTaxPay", 0)
            .text("positionSide", "BOTH")
            .text("settleCurrency", currency)
            .text("displayType", kind)
            .quoted("fee", fill.open_fee + fill.close_fee)
            .text("orderType", kind)
            .text("tradeType", fill.terms.trade_type.as_str())
            .raw("createdAt", fill.at.as_millis())
            .end()
    }

    /// What frames and REST say of a position; REST puts an id before it, frames a reason behind.
    pub(super) fn position_fields(&self, json: Json, position: &Position, at: UnixNanos) -> Json {
        let Some(listing) = self.listing(position.symbol) else { return json };
        let isolated = position.margin_mode == MarginMode::Isolated;
        let level = self.state.risk_limit(position.symbol);
        let realised_cost = position.fees - position.gross - position.funding;
        let unrealised = position.unrealised(&listing);
        let cost = position.cost.abs();
        json.text("symbol", position.symbol.as_str())
            .raw("crossMode", !isolated)
            .raw("maintMarginReq", MAINTENANCE.decimal())
            .raw("delevPercentage", if position.qty == 0 { "0" } else { "0.10" })
            .raw("openingTimestamp", position.opened.as_millis())
            .raw("currentTimestamp", at.as_millis())
            .raw("currentQty", position.qty)
            .money("currentCost", position.current_cost)
            .money("currentComm", position.fees)
            .money("unrealisedCost", position.cost)
            .money("realisedGrossCost", -position.gross)
            .money("realisedCost", realised_cost)
            .raw("isOpen", position.qty != 0)
            .number("markPrice", position.mark.into())
            .money("markValue", position.mark_value(&listing))
            .money("posCost", position.cost)
            .money("posInit", position.initial_margin())
            .with(
                |json| {
                    if isolated { isolated_fields(json, position, &listing, level) } else { json }
                },
            )
            .money("posMargin", position.taken(&listing))
            .money("posMaint", position.maintenance())
            .money("realisedGrossPnl", position.gross)
            .money("realisedPnl", -realised_cost)
            .money("unrealisedPnl", unrealised)
            .number("unrealisedPnlPcnt", unrealised.ratio(cost, 4))
            .number("unrealisedRoePcnt", unrealised.ratio(position.initial_margin(), 4))
            .number("avgEntryPrice", position.entry(&listing))
            .number("liquidationPrice", position.liquidation(&listing))
            .number("bankruptPrice", position.bankrupt(&listing))
            .text("settleCurrency", listing.currency)
            .text("marginMode", position.margin_mode.as_str())
            .text("positionSide", "BOTH")
            .raw("leverage", position.leverage)
            .money("dealComm", -position.fees)
            .money("fundingFee", position.funding)
            .raw("tax", 0)
    }

    /// An element of `GET /api/v1/positions`.
    pub(super) fn position_row(&self, position: &Position, at: UnixNanos) -> String {
        // One for each contract, for ever, as far as captures show.
        let id = 400_000_000_000_000_000_u64
            + self.listings.keys().position(|s| *s == position.symbol).unwrap_or(0) as u64;
        let json = Json::new().quoted("id", id);
        self.position_fields(json, position, at)
            .raw("isInverse", false)
            .raw("maintainMargin", MAINTENANCE.decimal())
            .end()
    }
}

pub(super) const fn liquidity(is_taker: bool) -> &'static str {
    if is_taker { "taker" } else { "maker" }
}

fn terms_fields(json: Json, id: u64, terms: &Terms) -> Json {
    json.quoted("id", id)
        .text("symbol", terms.symbol.as_str())
        .text("type", kind_of(terms))
        .text("side", buy_or_sell(terms.side))
        .quoted("price", price_of(terms))
        .raw("size", terms.size)
}

fn stop_fields(json: Json, trigger: Option<&Trigger>, triggered: bool) -> Json {
    let json = json
        .text("stop", trigger.map_or("", Trigger::direction))
        .text("stopPriceType", trigger.map_or("", |trigger| trigger.of.as_str()))
        .raw("stopTriggered", triggered);
    match trigger {
        Some(trigger) => json.quoted("stopPrice", trigger.price),
        None => json.raw("stopPrice", "null"),
    }
}

fn common_fields(json: Json, terms: &Terms) -> Json {
    let json = json
        .text("timeInForce", terms.time_in_force.as_str())
        .raw("postOnly", terms.post_only)
        .raw("hidden", terms.hidden)
        .raw("iceberg", false)
        .quoted("leverage", terms.leverage)
        .raw("forceHold", false)
        .raw("closeOrder", terms.close)
        .raw("visibleSize", 0)
        .text("clientOid", &terms.client_oid);
    let json = match terms.remark.as_str() {
        "" => json.raw("remark", "null"),
        remark => json.text("remark", remark),
    };
    json.text("tags", "")
}

fn isolated_fields(json: Json, position: &Position, listing: &Listing, level: u32) -> Json {
    let left = position.margin() + position.unrealised(listing);
    let own = left - position.closing_fee();
    let limit = risk_level(level).map_or(0, |row| row.1);
    let json = json
        .raw("riskLimit", limit)
        .raw("riskLimitLevel", level)
        .number("realLeverage", position.mark_value(listing).abs().ratio(own, 10))
        .raw("autoDeposit", position.auto_deposit)
        .money("posComm", position.closing_fee())
        .raw("posLoss", 0)
        .raw("posFunding", "0E-8")
        .money("maintMargin", left);
    if position.added.is_zero() {
        json.raw("posCross", "0E-8")
    } else {
        json.money("posCross", position.added)
    }
}
