//! `kcf private`: what an account has, while that is known, and what happens to it.

mod line;
mod state;
mod updates;

use core::fmt::Display;
use std::collections::BTreeMap;
use std::time::Duration;

use kucoin_futures_host::{CredentialsError, credentials_from_env};
use kucoin_futures_proto::wire::{
    ChangeReason, Order, OrderUpdate, Page, PositionUpdate, StopOrderUpdate,
};
use kucoin_futures_proto::{
    Account, Channel, ChannelKind, Decimal, LoginError, Lots, Message, PageNumber, Price, Push,
    Query, Symbol,
};
use serde_json::{Value, json};

use crate::args::{Connect, PrivateArgs, PrivatePart};
use crate::board::Board;
use crate::exit::{Failure, Kind};
use crate::feed::Feed;
use crate::follow::{Ctx, Session, Show};
use crate::out::DIM;
use crate::refusal::Refusal;
use crate::words;

pub(crate) fn run(connect: &Connect, args: &PrivateArgs) -> Result<(), Failure> {
    let credentials = credentials_from_env().map_err(failure_of_credentials)?;
    let Some(credentials) = credentials else { return Err(no_credentials()) };
    let mut session = Session::open(connect, &args.run, 1, Some(credentials))?;
    let wanted = |part: &PrivatePart| args.only.is_empty() || args.only.contains(part);
    // All that it has, and whether that can be relied on.
    let parts =
        [PrivatePart::Orders, PrivatePart::StopOrders, PrivatePart::Positions, PrivatePart::Wallet];
    let is_followed = parts.iter().all(wanted);
    if is_followed {
        session.follow_account()?;
    }
    session
        .subscribe(PARTS.iter().filter(|(part, _)| wanted(part)).map(|(_, channel)| *channel))?;
    session.run(&mut Private { is_followed, positions: BTreeMap::new(), board: Board::new(HEADER) })
}

/// Keys that are there, and cannot be used.
pub(crate) fn failure_of_credentials(error: CredentialsError) -> Failure {
    let missing = matches!(error, CredentialsError::Incomplete(_));
    Failure::new(if missing { Kind::Auth } else { Kind::Usage }, error)
}

/// Nobody is asked: the exchange would say the same, less clearly.
fn no_credentials() -> Failure {
    let error = LoginError::NoCredentials;
    let advice = Refusal::of_login(error).advice.unwrap_or_default();
    Failure::words(Kind::Auth, format_args!("{error}\n{advice}"))
}

const PARTS: [(PrivatePart, Channel); 6] = [
    (PrivatePart::Orders, Channel::orders()),
    (PrivatePart::StopOrders, Channel::stop_orders()),
    (PrivatePart::Wallet, Channel::wallet()),
    (PrivatePart::Positions, Channel::positions()),
    (PrivatePart::MarginMode, Channel::margin_modes()),
    (PrivatePart::Leverage, Channel::cross_leverages()),
];

const HEADER: &str = "balances and positions";

/// Most rows of a page: documented are at most 1000.
const PAGE_SIZE: u16 = 1000;

struct Private {
    is_followed: bool,
    positions: BTreeMap<Symbol, Position>,
    board: Board,
}

/// What people want to know of one; what a message leaves out stays as it was.
#[derive(Default)]
struct Position {
    lots: Option<i64>,
    entry: Option<Decimal>,
    mark: Option<Decimal>,
    profit: Option<Decimal>,
    liquidation: Option<Decimal>,
}

impl Show for Private {
    /// The stream tells changes only; what there is, the client asks for if it follows the account.
    fn confirmed(&mut self, cx: &mut Ctx, channel: Channel) {
        if channel.kind() == ChannelKind::StopOrders && !self.is_followed {
            cx.ask(Query::StopOrders { symbol: None, page: page(1) });
        }
    }

    fn account(&mut self, cx: &mut Ctx, account: &Account) -> Result<(), Failure> {
        if cx.json {
            return cx.data(state::account(account));
        }
        for order in account.orders() {
            let (symbol, side, size, filled) = (order.symbol, order.side, order.size, order.filled);
            let price = order.price.map_or_else(|| "market".into(), |price| price.to_string());
            let id = order.id.escape_debug();
            cx.out.line(format_args!(
                "{symbol:<12} order {side} {price} x {size}, {filled} filled {DIM}{id}{DIM:#}"
            ))?;
        }
        for it in account.stop_orders() {
            let size = it.size.map_or(0, Lots::get);
            stop_order_row(cx, (it.symbol, &it.side, size), it.stop_price, it.id.escape_debug())?;
        }
        for it in account.positions() {
            let position = Position {
                lots: Some(it.qty),
                entry: it.avg_entry_price,
                mark: it.mark_price,
                profit: it.unrealised_pnl,
                liquidation: it.liquidation_price,
            };
            self.positions.insert(it.symbol, position);
            self.show_position(cx, it.symbol)?;
        }
        account
            .balances()
            .try_for_each(|it| self.show_balance(cx, it.currency.as_str(), it.equity, it.available))
    }

    fn message(
        &mut self,
        cx: &mut Ctx,
        push: &Push<'_>,
        message: &Message<'_>,
    ) -> Result<(), Failure> {
        match message {
            Message::StopOrders(page) => {
                if let Some(page) = next_page(page) {
                    cx.ask(Query::StopOrders { symbol: None, page });
                }
                page.rows.iter().flatten().try_for_each(|order| resting_stop_order(cx, &order))
            }
            _ if cx.json => match json_of(message) {
                Some(line) => cx.data(line),
                None => each_setting(message).into_iter().try_for_each(|(_, line)| cx.data(line)),
            },
            _ => self.row(cx, push, message),
        }
    }

    fn rest(&mut self, cx: &mut Ctx, _: &Feed) -> Result<Option<Duration>, Failure> {
        self.board.rest(cx)
    }
}

fn page(number: u32) -> PageNumber {
    PageNumber { number: Some(number), size: Some(PAGE_SIZE) }
}

fn next_page<'a>(of: &Page<'a, Order<'a>>) -> Option<PageNumber> {
    let (number, pages) = (of.number?, of.total_pages?);
    let next = u32::try_from(number + 1).ok()?;
    (number < pages).then(|| page(next))
}

fn json_of(message: &Message<'_>) -> Option<Value> {
    Some(match message {
        Message::Order(order) => updates::order(order),
        Message::StopOrder(order) => updates::stop_order(order),
        Message::Wallet(wallet) => updates::wallet(wallet),
        Message::Balance(balance) => updates::balance(balance),
        Message::Position(position) => updates::position(position),
        Message::PositionSettlement(settlement) => updates::settlement(settlement),
        Message::RiskLimit(update) => updates::risk_limit(update),
        _ => return None,
    })
}

/// What was set of which contracts, for people and for machines.
fn each_setting(message: &Message<'_>) -> Vec<(String, Value)> {
    match message {
        Message::MarginModes(modes) => modes
            .iter()
            .map(|(symbol, mode)| {
                let line = json!({
                    "type": "margin_mode", "symbol": symbol.as_str(), "margin_mode": mode.as_str(),
                });
                (format!("{symbol:<12} margin mode is {mode}"), line)
            })
            .collect(),
        Message::CrossLeverages(leverages) => leverages
            .iter()
            .map(|(symbol, leverage)| {
                let exact = words::exact(leverage);
                let line =
                    json!({"type": "leverage", "symbol": symbol.as_str(), "leverage": exact});
                (format!("{symbol:<12} cross leverage is {leverage}"), line)
            })
            .collect(),
        _ => Vec::new(),
    }
}

fn resting_stop_order(cx: &mut Ctx, order: &Order<'_>) -> Result<(), Failure> {
    if cx.json {
        return cx.data(state::stop_order(order));
    }
    let what = (order.symbol, &order.side as &dyn Display, order.size.get());
    stop_order_row(cx, what, order.stop_price, words::plain(order.id))
}

fn stop_order_row(
    cx: &mut Ctx,
    (symbol, side, size): (Symbol, &dyn Display, u64),
    stop: Option<impl Display>,
    id: impl Display,
) -> Result<(), Failure> {
    let stop = stop.map_or_else(|| "-".into(), |price| price.to_string());
    Ok(cx.out.line(format_args!(
        "{symbol:<12} stop order {side} {size} lots at {stop} {DIM}{id}{DIM:#}"
    ))?)
}

impl Private {
    fn row(&mut self, cx: &mut Ctx, push: &Push<'_>, message: &Message<'_>) -> Result<(), Failure> {
        match message {
            Message::Order(order) => show_order(cx, order),
            Message::StopOrder(order) => show_stop_order(cx, order),
            Message::Wallet(wallet) => {
                let currency = words::plain(wallet.currency);
                self.show_balance(cx, &currency, wallet.equity, Some(wallet.available_balance))
            }
            Message::Balance(balance) => {
                let currency = words::plain(balance.currency);
                match balance.available_balance {
                    Some(available) => self.show_balance(cx, &currency, None, Some(available)),
                    None => Ok(()),
                }
            }
            Message::Position(position) => self.position(cx, push, position),
            Message::PositionSettlement(settlement) => {
                let symbol = settlement.symbol.map(|symbol| symbol.to_string()).unwrap_or_default();
                let (fee, rate) = (settlement.funding_fee, settlement.funding_rate);
                let currency = settlement.settle_currency.map(words::plain).unwrap_or_default();
                let at = words::time_of_day(settlement.ts_event);
                Ok(cx.out.line(format_args!(
                    "{symbol:<12} {DIM}{at}{DIM:#} funding {fee} {currency} at {rate}"
                ))?)
            }
            Message::RiskLimit(update) => {
                let symbol = update.symbol.map(|symbol| symbol.to_string()).unwrap_or_default();
                let said = update.msg.map(words::plain).unwrap_or_default();
                let word = if update.success { "changed" } else { "not changed" };
                Ok(cx.out.line(format_args!("{symbol:<12} risk limit {word} {said}"))?)
            }
            _ => each_setting(message)
                .into_iter()
                .try_for_each(|(text, _)| Ok(cx.out.line(format_args!("{text}"))?)),
        }
    }

    fn position(
        &mut self,
        cx: &mut Ctx,
        push: &Push<'_>,
        update: &PositionUpdate<'_>,
    ) -> Result<(), Failure> {
        let Some(symbol) = update.symbol.or_else(|| cx.symbol_of(push)) else { return Ok(()) };
        let position = self.positions.entry(symbol).or_default();
        position.lots = update.current_qty.or(position.lots);
        position.entry = update.avg_entry_price.or(position.entry);
        position.mark = update.mark_price.or(position.mark);
        position.profit = update.unrealised_pnl.or(position.profit);
        position.liquidation = update.liquidation_price.or(position.liquidation);
        // Valued anew each second: a line for each is no news.
        if !cx.out.has_table() && update.change_reason == Some(ChangeReason::MarkPrice) {
            return Ok(());
        }
        self.show_position(cx, symbol)
    }

    fn show_position(&mut self, cx: &mut Ctx, symbol: Symbol) -> Result<(), Failure> {
        let Some(position) = self.positions.get(&symbol) else { return Ok(()) };
        let text = |number: Option<Decimal>| number.map_or_else(|| "-".into(), |n| n.to_string());
        let lots = position.lots.unwrap_or_default();
        let [entry, mark, profit, liquidation] =
            [position.entry, position.mark, position.profit, position.liquidation].map(text);
        let row = format!(
            "{symbol:<12} {lots:>8} lots at {entry}, mark {mark}, unrealised {profit}, liquidation {liquidation}"
        );
        self.board.show(cx, &format!("positionAll {symbol}"), row)
    }

    fn show_balance(
        &mut self,
        cx: &mut Ctx,
        currency: &str,
        equity: Option<Decimal>,
        available: Option<Decimal>,
    ) -> Result<(), Failure> {
        let text = |number: Option<Decimal>| number.map_or_else(|| "-".into(), |n| n.to_string());
        let [equity, available] = [equity, available].map(text);
        let row = format!("{currency:<12} equity {equity}, available {available}");
        self.board.show(cx, &format!("wallet {currency}"), row)
    }
}

fn show_order(cx: &mut Ctx, order: &OrderUpdate<'_>) -> Result<(), Failure> {
    let (symbol, side, change) = (order.symbol, order.side, order.change);
    let at = words::time_of_day(order.ts_event);
    // Market orders are said to have none, or zero.
    let price = order.price.filter(|price| *price > Price::ZERO);
    let price = price.map_or_else(|| "market".into(), |price| price.to_string());
    let lots = |lots: Option<Lots>| lots.map_or(0, |lots| lots.get());
    let (size, filled) = (lots(order.size), lots(order.filled_size));
    let fill = order.fill().map(|(price, size)| format!(", now {size} at {price}"));
    let (fill, id) = (fill.unwrap_or_default(), words::plain(order.order_id));
    Ok(cx.out.line(format_args!(
        "{symbol:<12} {DIM}{at}{DIM:#} order {change}: {side} {price} x {size}, {filled} filled{fill} \
         {DIM}{id}{DIM:#}"
    ))?)
}

fn show_stop_order(cx: &mut Ctx, order: &StopOrderUpdate<'_>) -> Result<(), Failure> {
    let (symbol, side, change) = (order.symbol, order.side, order.change);
    let at = words::time_of_day(order.ts_event);
    let stop = order.stop_price.map_or_else(|| "-".into(), |price| price.to_string());
    let way = order.stop.map(|way| format!(" {way}")).unwrap_or_default();
    let (size, id) = (order.size.map_or(0, |lots| lots.get()), words::plain(order.order_id));
    Ok(cx.out.line(format_args!(
        "{symbol:<12} {DIM}{at}{DIM:#} stop order {change}: {side} {size} lots at {stop}{way} {DIM}{id}{DIM:#}"
    ))?)
}
