//! What an account's owner may ask for.

use kucoin_futures_proto::wire::Side;
use kucoin_futures_proto::{Price, Symbol};

use super::check::refused;
use super::json::Json;
use super::margin::{MAINTENANCE, MAKER_FEE, TAKER_FEE};
use super::money::{Millionths, Money};
use super::rest::{Answer, Call, symbol_of};
use super::rows::buy_or_sell;
use super::settings::RISK_LEVELS;
use super::state::{AccountChange, MarginMode, Order, OrderId, Position, Terms};
use super::{Account, Refused};
use crate::contract::java_number;
use crate::exchange::Exchange;

const NOT_FOUND: &str = "error.getOrder.orderNotExist";
/// Rows of a page when none are asked for, and at most.
const PAGE: (u64, u64) = (50, 1000);

fn account<'a>(exchange: &'a Exchange, call: &Call<'_>) -> Result<&'a Account, Refused> {
    match exchange.accounts.get(call.who) {
        Some(account) => Ok(account),
        None => refused("411100", "User is frozen"),
    }
}

pub(super) fn bullet(exchange: &mut Exchange, call: &Call<'_>) -> Answer {
    let user = account(exchange, call)?.user_id.clone();
    Ok(exchange.bullet(call.now, Some(user)))
}

/// What a list may be narrowed down by.
struct Filter {
    symbol: Option<Symbol>,
    side: Option<String>,
    from_ms: u64,
    to_ms: u64,
}

impl Filter {
    fn of(call: &Call<'_>) -> Result<Self, Refused> {
        Ok(Self {
            symbol: call.symbol()?,
            side: call.query("side"),
            from_ms: call.number("startAt", 0)?,
            to_ms: call.number("endAt", u64::MAX)?,
        })
    }

    fn takes(&self, terms: &Terms, ms: u64) -> bool {
        self.symbol.is_none_or(|symbol| symbol == terms.symbol)
            && self.side.as_deref().is_none_or(|side| side == buy_or_sell(terms.side))
            && (self.from_ms..=self.to_ms).contains(&ms)
    }
}

/// One page of rows that are there in full.
fn page(call: &Call<'_>, rows: &[String]) -> Answer {
    let size = call.number("pageSize", PAGE.0)?.clamp(1, PAGE.1);
    let page = call.number("currentPage", 1)?.max(1);
    let total = rows.len() as u64;
    let skip = usize::try_from((page - 1).saturating_mul(size)).unwrap_or(usize::MAX);
    let items: Vec<&str> = rows.iter().skip(skip).take(size as usize).map(String::as_str).collect();
    Ok(Json::new()
        .raw("currentPage", page)
        .raw("pageSize", size)
        .raw("totalNum", total)
        .raw("totalPage", total.div_ceil(size))
        .raw("items", format_args!("[{}]", items.join(",")))
        .end())
}

fn array(rows: &[String]) -> String {
    format!("[{}]", rows.join(","))
}

/// Newest first.
pub(super) fn orders(exchange: &mut Exchange, call: &Call<'_>) -> Answer {
    let (account, filter) = (account(exchange, call)?, Filter::of(call)?);
    let takes = |order: &&Order| filter.takes(&order.terms, order.created.as_millis());
    let active = account.state.orders.values().rev().filter(takes);
    let done = account.done.values().rev().filter(takes);
    let rows: Vec<String> = match call.query("status").as_deref() {
        Some("active" | "open") => active.map(|order| account.order_row(order)).collect(),
        Some("done") => done.map(|order| account.order_row(order)).collect(),
        None => active.chain(done).map(|order| account.order_row(order)).collect(),
        Some(_) => return refused("400100", "status parameter invalid."),
    };
    page(call, &rows)
}

fn one_order(account: &Account, is_it: impl Fn(OrderId, &Terms) -> bool) -> Answer {
    let orders = account.state.orders.values().chain(account.done.values());
    let mut orders = orders.filter(|order| is_it(order.id, &order.terms));
    let mut stops = account.state.stops.values().filter(|stop| is_it(stop.id, &stop.terms));
    match (orders.next(), stops.next()) {
        (Some(order), _) => Ok(account.order_row(order)),
        (None, Some(stop)) => Ok(account.stop_row(stop)),
        (None, None) => refused("100001", NOT_FOUND),
    }
}

pub(super) fn order(exchange: &mut Exchange, call: &Call<'_>) -> Answer {
    let id = call.key.parse::<OrderId>().ok();
    one_order(account(exchange, call)?, |of, _| Some(of) == id)
}

pub(super) fn order_by_client_oid(exchange: &mut Exchange, call: &Call<'_>) -> Answer {
    let Some(name) = call.query("clientOid") else {
        return refused("400100", "clientOid parameter cannot be empty.");
    };
    one_order(account(exchange, call)?, |_, terms| terms.client_oid == name)
}

pub(super) fn stop_orders(exchange: &mut Exchange, call: &Call<'_>) -> Answer {
    let (account, filter) = (account(exchange, call)?, Filter::of(call)?);
    let stops = account.state.stops.values().rev();
    let stops = stops.filter(|stop| filter.takes(&stop.terms, stop.created.as_millis()));
    page(call, &stops.map(|stop| account.stop_row(stop)).collect::<Vec<_>>())
}

/// The latest 1000 of a day.
pub(super) fn recent_done(exchange: &mut Exchange, call: &Call<'_>) -> Answer {
    let (account, filter) = (account(exchange, call)?, Filter::of(call)?);
    let since = exchange.unix(call.now).as_millis().saturating_sub(DAY_MS);
    let done = account.done.values().rev().filter(|order| order.updated.as_millis() >= since);
    let done = done.filter(|order| filter.takes(&order.terms, order.created.as_millis()));
    Ok(array(&done.take(1000).map(|order| account.order_row(order)).collect::<Vec<_>>()))
}

const DAY_MS: u64 = 24 * 3_600_000;

pub(super) fn fills(exchange: &mut Exchange, call: &Call<'_>) -> Answer {
    let (account, filter) = (account(exchange, call)?, Filter::of(call)?);
    let order = call.query("orderId").map(|id| id.parse::<OrderId>().unwrap_or(0));
    let fills = account.fills.iter().rev();
    let fills = fills
        .filter(|fill| filter.takes(&fill.terms, fill.at.as_millis()))
        .filter(|fill| order.is_none_or(|order| order == fill.order));
    page(call, &fills.map(|fill| account.fill_row(fill)).collect::<Vec<_>>())
}

/// The latest 1000 of a day.
pub(super) fn recent_fills(exchange: &mut Exchange, call: &Call<'_>) -> Answer {
    let (account, filter) = (account(exchange, call)?, Filter::of(call)?);
    let since = exchange.unix(call.now).as_millis().saturating_sub(DAY_MS);
    let fills = account.fills.iter().rev().filter(|fill| fill.at.as_millis() >= since);
    let fills = fills.filter(|fill| filter.takes(&fill.terms, fill.at.as_millis()));
    Ok(array(&fills.take(1000).map(|fill| account.fill_row(fill)).collect::<Vec<_>>()))
}

pub(super) fn open_order_value(exchange: &mut Exchange, call: &Call<'_>) -> Answer {
    let (account, symbol) = (account(exchange, call)?, call.must_symbol()?);
    let Some(listing) = account.listing(symbol) else {
        return refused("100003", "Contract parameter invalid.");
    };
    let sum = |side: Side| {
        let of = |order: &&Order| order.terms.symbol == symbol && order.terms.side == side;
        account.state.orders.values().filter(of).fold((0, Money::ZERO), |(lots, cost), order| {
            let price = order.terms.price.unwrap_or(Price::ZERO);
            (lots + order.remaining(), cost + listing.value(price, order.remaining()))
        })
    };
    let ((buy, buy_cost), (sell, sell_cost)) = (sum(Side::Bid), sum(Side::Ask));
    Ok(Json::new()
        .raw("openOrderBuySize", buy)
        .raw("openOrderSellSize", sell)
        .quoted("openOrderBuyCost", buy_cost)
        .quoted("openOrderSellCost", sell_cost)
        .text("settleCurrency", listing.currency)
        .end())
}

pub(super) fn positions(exchange: &mut Exchange, call: &Call<'_>) -> Answer {
    let (account, at) = (account(exchange, call)?, exchange.unix(call.now));
    let currency = call.query("currency");
    let of = |position: &&Position| {
        let listing = account.listing(position.symbol);
        currency.is_none() || listing.map(|listing| listing.currency) == currency.as_deref()
    };
    let held = account.state.positions.values().filter(of);
    Ok(array(&held.map(|position| account.position_row(position, at)).collect::<Vec<_>>()))
}

/// A contract without a position shows one of nothing.
pub(super) fn position(exchange: &mut Exchange, call: &Call<'_>) -> Answer {
    let symbol = call.must_symbol()?;
    let at = exchange.moment(call.now);
    let mark = exchange.mark(call.now, symbol);
    let account = account(exchange, call)?;
    if account.listing(symbol).is_none() {
        return refused("100003", "Contract parameter invalid.");
    }
    let held = account.state.positions.get(&symbol).cloned();
    let position = held.unwrap_or_else(|| account.no_position(at, symbol, mark));
    Ok(account.position_row(&position, at.unix))
}

/// Newer: a list, empty without a position.
pub(super) fn position_v2(exchange: &mut Exchange, call: &Call<'_>) -> Answer {
    let symbol = call.must_symbol()?;
    let (account, at) = (account(exchange, call)?, exchange.unix(call.now));
    let held = account.state.positions.get(&symbol);
    let rows = held.map(|position| account.position_row(position, at));
    Ok(array(&rows.into_iter().collect::<Vec<_>>()))
}

/// Newest first.
pub(super) fn closed_positions(exchange: &mut Exchange, call: &Call<'_>) -> Answer {
    let (account, symbol) = (account(exchange, call)?, call.symbol()?);
    let closed = account.history.iter().rev().filter_map(|(_, change)| match change {
        AccountChange::Position(position) if position.qty == 0 => Some(position),
        _ => None,
    });
    let closed = closed.filter(|position| symbol.is_none_or(|symbol| symbol == position.symbol));
    let row = |position: &Position| {
        let currency = account.listing(position.symbol).map_or("", |listing| listing.currency);
        Json::new()
            .quoted("closeId", position.opened.as_nanos())
            .text("userId", &account.user_id)
            .text("symbol", position.symbol.as_str())
            .text("settleCurrency", currency)
            .quoted("leverage", position.leverage)
            .text("type", "CLOSE")
            .quoted("pnl", position.gross - position.fees + position.funding)
            .quoted("realisedGrossCost", -position.gross)
            .quoted("tradeFee", position.fees)
            .quoted("fundingFee", position.funding)
            .raw("openTime", position.opened.as_millis())
            .text("marginMode", position.margin_mode.as_str())
            .end()
    };
    page(call, &closed.map(row).collect::<Vec<_>>())
}

/// What contracts are settled in elsewhere: an account has nothing of that, and may ask all the same.
const SETTLED_IN: [&str; 3] = ["USDT", "USDC", "XBT"];

pub(super) fn overview(exchange: &mut Exchange, call: &Call<'_>) -> Answer {
    let account = account(exchange, call)?;
    // The default of the page; where it is not traded here, the first that is.
    let currency = call.query("currency").unwrap_or_else(|| "USDT".into());
    let known = account.purses.keys().chain(&SETTLED_IN).copied().find(|known| *known == currency);
    let Some(known) = known else {
        return refused("100001", "There are invalid parameters");
    };
    let balance = account.balance_or_none(exchange.unix(call.now), known);
    let unrealised = balance.isolated_unrealised + balance.cross_unrealised;
    let needed: Money = account.maintenance(&currency);
    let equity = balance.equity;
    Ok(Json::new()
        .text("currency", &currency)
        .money("accountEquity", equity)
        .money("unrealisedPNL", unrealised)
        .money("marginBalance", balance.wallet)
        .money("positionMargin", balance.isolated_positions + balance.cross_positions)
        .money("orderMargin", balance.isolated_orders + balance.cross_orders)
        .money("frozenFunds", balance.hold)
        .money("availableBalance", balance.available)
        .number("riskRatio", needed.ratio(equity, 10))
        .money("maxWithdrawAmount", balance.available)
        .money("availableMargin", balance.available)
        .end())
}

pub(super) fn funding_history(exchange: &mut Exchange, call: &Call<'_>) -> Answer {
    let (account, symbol) = (account(exchange, call)?, call.symbol()?);
    let of = account.settlements.iter().rev();
    let of = of.filter(|settled| symbol.is_none_or(|symbol| symbol == settled.symbol));
    let row = |settled: &super::Settlement| {
        let currency = account.listing(settled.symbol).map_or("", |listing| listing.currency);
        Json::new()
            .raw("id", settled.at.as_nanos())
            .text("symbol", settled.symbol.as_str())
            .raw("timePoint", settled.settled_ms)
            .number("fundingRate", settled.rate)
            .number("markPrice", settled.mark.into())
            .raw("positionQty", settled.qty)
            .money("positionCost", settled.value)
            .money("funding", settled.fee)
            .text("settleCurrency", currency)
            .text("context", "{}")
            .text("marginMode", settled.margin_mode.as_str())
            .end()
    };
    let most = call.number("maxCount", 10)?.clamp(1, 100) as usize;
    let offset = call.number("offset", 0)?;
    let of = of.filter(|settled| offset == 0 || settled.at.as_nanos() < offset);
    let rows: Vec<String> = of.map(row).take(most + 1).collect();
    let shown = rows.get(..rows.len().min(most)).unwrap_or_default();
    let has_more = rows.len() > most;
    Ok(Json::new().raw("dataList", array(shown)).raw("hasMore", has_more).end())
}

pub(super) fn trade_fees(_: &mut Exchange, call: &Call<'_>) -> Answer {
    Ok(Json::new()
        .text("symbol", call.must_symbol()?.as_str())
        .quoted("takerFeeRate", TAKER_FEE.decimal())
        .quoted("makerFeeRate", MAKER_FEE.decimal())
        .end())
}

pub(super) fn trade_statistics(exchange: &mut Exchange, call: &Call<'_>) -> Answer {
    Ok(exchange.trade_statistics(call.now))
}

pub(super) fn risk_limits(exchange: &mut Exchange, call: &Call<'_>) -> Answer {
    let symbol = symbol_of(call.key)?;
    if account(exchange, call)?.listing(symbol).is_none() {
        return refused("100003", "Contract parameter invalid.");
    }
    let mut least = 0;
    let row = |(level, most, leverage): (u32, u32, u32)| {
        let initial = Millionths(1_000_000 / i64::from(leverage));
        let json = Json::new()
            .text("symbol", symbol.as_str())
            .raw("level", level)
            .raw("maxRiskLimit", most)
            .raw("minRiskLimit", core::mem::replace(&mut least, most))
            .raw("maxLeverage", leverage)
            .raw("initialMargin", java_number(initial.decimal()))
            .raw("maintainMargin", java_number(MAINTENANCE.decimal()));
        json.end()
    };
    Ok(array(&RISK_LEVELS.into_iter().map(row).collect::<Vec<_>>()))
}

pub(super) fn max_withdraw_margin(exchange: &mut Exchange, call: &Call<'_>) -> Answer {
    let symbol = call.must_symbol()?;
    let held = account(exchange, call)?.state.positions.get(&symbol);
    Ok(format!("\"{}\"", held.map_or(Money::ZERO, |position| position.added)))
}

pub(super) fn margin_mode(exchange: &mut Exchange, call: &Call<'_>) -> Answer {
    let symbol = call.must_symbol()?;
    let mode = account(exchange, call)?.state.margin_mode(symbol);
    Ok(Json::new().text("symbol", symbol.as_str()).text("marginMode", mode.as_str()).end())
}

/// One way: there are no positions of two sides here.
pub(super) fn position_mode(_: &mut Exchange, _: &Call<'_>) -> Answer {
    Ok(Json::new().raw("positionMode", 0).end())
}

pub(super) fn cross_leverage(exchange: &mut Exchange, call: &Call<'_>) -> Answer {
    let symbol = call.must_symbol()?;
    let leverage = account(exchange, call)?.state.cross_leverage(symbol);
    Ok(Json::new().text("symbol", symbol.as_str()).quoted("leverage", leverage).end())
}

pub(super) fn max_open_size(exchange: &mut Exchange, call: &Call<'_>) -> Answer {
    let (account, symbol) = (account(exchange, call)?, call.must_symbol()?);
    let Some(listing) = account.listing(symbol) else {
        return refused("100003", "Contract parameter invalid.");
    };
    let price = call.query("price").and_then(|text| text.parse::<Price>().ok());
    let leverage = call.number("leverage", 1)?.clamp(1, 100) as u32;
    let one = listing.value(price.unwrap_or(Price::ZERO), 1);
    let one = one.over(leverage) + one.times(TAKER_FEE);
    let available = account.available(listing.currency);
    let lots = if one.is_zero() { 0 } else { available.units() / one.units() };
    Ok(Json::new()
        .text("symbol", symbol.as_str())
        .raw("maxBuyOpenSize", lots)
        .raw("maxSellOpenSize", lots)
        .end())
}

impl Account {
    /// What all positions of a currency must have left.
    fn maintenance(&self, currency: &str) -> Money {
        let of = |symbol| self.listing(symbol).filter(|listing| listing.currency == currency);
        let positions = self.state.positions.values();
        positions.filter(|p| of(p.symbol).is_some()).map(Position::maintenance).sum()
    }

    fn no_position(&self, at: super::Moment, symbol: Symbol, mark: Option<Price>) -> Position {
        let margin_mode = self.state.margin_mode(symbol);
        let leverage = match margin_mode {
            MarginMode::Isolated => 1,
            MarginMode::Cross => self.state.cross_leverage(symbol),
        };
        let position = self.empty_position(at, symbol, (margin_mode, leverage));
        Position { mark: mark.unwrap_or(position.mark), ..position }
    }
}
