//! What an account is told, as frames of its private channels.

use kucoin_futures_proto::{Symbol, UnixNanos};

use super::Account;
use super::event::{Event, OrderEvent};
use super::json::Json;
use super::money::Money;
use super::rows::{buy_or_sell, kind_of, liquidity, price_of, ts};
use super::state::{Balance, Order, Position, Settlement, StopEnd, StopOrder};
use crate::exchange::Exchange;
use crate::topic::{Feed, Topic};

impl Exchange {
    /// Tells an account what has happened to it since the last time.
    pub(super) fn tell(&mut self, who: usize) {
        let Some(account) = self.accounts.get_mut(who) else { return };
        let events = core::mem::take(&mut account.events);
        let user = account.user_id.clone();
        if events.is_empty() || !self.is_logged_in(&user) {
            return;
        }
        for event in events {
            let Some(account) = self.accounts.get(who) else { return };
            let (topics, subject, data) = account.frame(&event);
            for (topic, own_subject) in topics.into_iter().flatten() {
                let subject = own_subject.unwrap_or(subject);
                self.push_private(&user, topic, subject, || data.clone());
            }
        }
    }
}

/// One or two topics; some have a subject of their own.
type Topics = [Option<(Topic, Option<&'static str>)>; 2];

const fn only(feed: Feed) -> Topics {
    [Some((Topic::all(feed), None)), None]
}

const fn positions(symbol: Symbol) -> Topics {
    [Some((Topic::one(Feed::Position, symbol), None)), Some((Topic::all(Feed::PositionAll), None))]
}

impl Account {
    /// Where an event is told, under which subject, and the data.
    fn frame(&self, event: &Event) -> (Topics, &'static str, String) {
        match event {
            Event::Order(order, kind) => {
                let one = Topic::one(Feed::TradeOrders, order.terms.symbol);
                let topics = [
                    Some((Topic::all(Feed::TradeOrders), None)),
                    Some((one, Some("symbolOrderChange"))),
                ];
                (topics, "orderChange", order_data(order, *kind))
            }
            Event::Stop(stop, end, at) => {
                (only(Feed::AdvancedOrders), "stopOrder", stop_data(stop, *end, *at))
            }
            Event::Position(position, reason, at) => {
                let json = self.position_fields(Json::new(), position, *at);
                let data = json.text("changeReason", reason.as_str()).end();
                (positions(position.symbol), "position.change", data)
            }
            Event::Mark(position, at) => {
                (positions(position.symbol), "position.change", self.mark_data(position, *at))
            }
            Event::Settlement(settlement) => {
                let data = self.settlement_data(settlement);
                (positions(settlement.symbol), "position.settlement", data)
            }
            Event::RiskLimit(symbol, outcome) => {
                let (level, text) = outcome.map_or_else(|failed| failed, |level| (level, ""));
                let data = Json::new()
                    .raw("success", outcome.is_ok())
                    .raw("riskLimitLevel", level)
                    .text("msg", text)
                    .end();
                (positions(*symbol), "position.adjustRiskLimit", data)
            }
            Event::Wallet(currency, balance) => {
                (only(Feed::Wallet), "walletBalance.change", wallet_data(currency, balance))
            }
            Event::OrderMargin(currency, margin, at) => {
                let json = Json::new().money("orderMargin", *margin);
                (only(Feed::Wallet), "orderMargin.change", old_data(json, currency, *at))
            }
            Event::Available(currency, [available, hold], at) => {
                let json = Json::new().money("availableBalance", *available);
                let json = json.money("holdBalance", *hold);
                (only(Feed::Wallet), "availableBalance.change", old_data(json, currency, *at))
            }
            Event::WithdrawHold(currency, hold, at) => {
                let json = Json::new().money("withdrawHold", *hold);
                (only(Feed::Wallet), "withdrawHold.change", old_data(json, currency, *at))
            }
            Event::MarginMode(symbol, mode) => {
                let data = Json::new().text(symbol.as_str(), mode.as_str()).end();
                (only(Feed::MarginMode), "user.config", data)
            }
            Event::CrossLeverage(symbol, leverage) => {
                let leverage = Json::new().quoted("leverage", leverage).end();
                let data = Json::new().raw(symbol.as_str(), leverage).end();
                (only(Feed::CrossLeverage), "user.config", data)
            }
        }
    }

    /// The short form: no symbol, the topic says it.
    fn mark_data(&self, position: &Position, at: UnixNanos) -> String {
        let Some(listing) = self.listing(position.symbol) else { return "{}".into() };
        let unrealised = position.unrealised(&listing);
        let left = position.margin() + unrealised;
        let own = left - position.closing_fee();
        Json::new()
            .number("markPrice", position.mark.into())
            .money("markValue", position.mark_value(&listing))
            .money("maintMargin", left)
            .number("realLeverage", position.mark_value(&listing).abs().ratio(own, 10))
            .money("unrealisedPnl", unrealised)
            .number("unrealisedRoePcnt", unrealised.ratio(position.initial_margin(), 4))
            .number("unrealisedPnlPcnt", unrealised.ratio(position.cost.abs(), 4))
            .raw("delevPercentage", "0.10")
            .raw("currentTimestamp", at.as_millis())
            .text("settleCurrency", listing.currency)
            .text("changeReason", "markPriceChange")
            .end()
    }

    fn settlement_data(&self, settlement: &Settlement) -> String {
        let currency = self.listing(settlement.symbol).map_or("", |listing| listing.currency);
        Json::new()
            .raw("fundingTime", settlement.settled_ms)
            .raw("qty", settlement.qty)
            .number("markPrice", settlement.mark.into())
            .number("fundingRate", settlement.rate)
            .money("fundingFee", settlement.fee)
            .raw("ts", settlement.at.as_nanos())
            .text("settleCurrency", currency)
            .text("positionSide", "BOTH")
            .text("marginMode", settlement.margin_mode.as_str())
            .end()
    }
}

fn order_data(order: &Order, event: OrderEvent) -> String {
    let terms = &order.terms;
    let status = match event {
        OrderEvent::Match { is_taker: true, .. } => "match",
        OrderEvent::Filled | OrderEvent::Canceled => "done",
        _ => "open",
    };
    let json = Json::new()
        .text("symbol", terms.symbol.as_str())
        .text("orderType", kind_of(terms))
        .text("side", buy_or_sell(terms.side))
        .quoted("canceledSize", order.canceled)
        .quoted("orderId", order.id)
        .text("positionSide", "BOTH")
        .text("marginMode", terms.margin_mode.as_str())
        .text("type", event.as_str())
        .raw("orderTime", order.created.as_nanos())
        .quoted("size", terms.size)
        .quoted("filledSize", order.filled)
        .quoted("price", price_of(terms))
        .quoted("remainSize", order.remaining())
        .text("tradeType", terms.trade_type.as_str())
        .text("status", status)
        .raw("ts", ts(order.updated));
    let json = match event {
        OrderEvent::Match { price, size, trade, is_taker } => json
            .text("liquidity", liquidity(is_taker))
            .text("feeType", if is_taker { "takerFee" } else { "makerFee" })
            .quoted("matchPrice", price)
            .quoted("matchSize", size)
            .quoted("tradeId", trade),
        OrderEvent::Update { old_size } => json.quoted("oldSize", old_size),
        OrderEvent::Open => json.text("liquidity", "maker"),
        OrderEvent::Filled | OrderEvent::Canceled => json.quoted("allCanceledSize", order.canceled),
    };
    match terms.client_oid.as_str() {
        "" => json.end(),
        name => json.text("clientOid", name).end(),
    }
}

fn stop_data(stop: &StopOrder, end: Option<StopEnd>, at: UnixNanos) -> String {
    let terms = &stop.terms;
    let kind = match end {
        None => "open",
        Some(StopEnd::Triggered | StopEnd::Failed(_)) => "triggered",
        Some(StopEnd::Canceled) => "cancel",
    };
    let json = Json::new()
        .raw("createdAt", stop.created.as_millis())
        .text("marginMode", terms.margin_mode.as_str())
        .quoted("orderId", stop.id);
    let json = match terms.price {
        Some(price) => json.quoted("orderPrice", price),
        None => json.raw("orderPrice", "null"),
    };
    let json = json
        .text("orderType", "stop")
        .text("side", buy_or_sell(terms.side))
        .text("positionSide", "BOTH")
        .raw("size", terms.size)
        .text("stop", stop.trigger.direction())
        .quoted("stopPrice", stop.trigger.price)
        .text("stopPriceType", stop.trigger.of.as_str())
        .text("symbol", terms.symbol.as_str())
        .raw("ts", at.as_nanos())
        .text("type", kind);
    match end {
        Some(StopEnd::Triggered) => json.raw("triggerSuccess", true).end(),
        Some(StopEnd::Failed(why)) => json.raw("triggerSuccess", false).text("error", why).end(),
        Some(StopEnd::Canceled) | None => json.end(),
    }
}

fn wallet_data(currency: &str, balance: &Balance) -> String {
    Json::new()
        .quoted("crossPosMargin", balance.cross_positions)
        .quoted("isolatedOrderMargin", balance.isolated_orders)
        .quoted("holdBalance", balance.hold)
        .quoted("equity", balance.equity)
        .quoted("version", balance.version)
        .quoted("availableBalance", balance.available)
        .quoted("isolatedPosMargin", balance.isolated_positions)
        .quoted("maxWithdrawAmount", balance.available)
        .quoted("walletBalance", balance.wallet)
        .quoted("isolatedFundingFeeMargin", Money::ZERO)
        .quoted("crossUnPnl", balance.cross_unrealised)
        .quoted("totalCrossMargin", balance.total_cross)
        .text("currency", currency)
        .quoted("isolatedUnPnl", balance.isolated_unrealised)
        .quoted("crossOrderMargin", balance.cross_orders)
        .quoted("timestamp", balance.at.as_millis())
        .end()
}

fn old_data(json: Json, currency: &str, at: UnixNanos) -> String {
    json.text("currency", currency).raw("timestamp", at.as_millis()).end()
}
