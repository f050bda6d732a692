//! `kcf ticker` and `kcf trades`: messages as lines or as JSON.

use kucoin_futures_proto::book::Level;
use kucoin_futures_proto::wire::{Execution, TakerSide, Text, Ticker, TickerV2};
use kucoin_futures_proto::{Channel, Message, Push};
use serde_json::{Value, json};

use crate::args::{Connect, TickerArgs, TradesArgs};
use crate::exit::Failure;
use crate::follow::{Ctx, Show, follow};
use crate::out::{BAD, DIM, GOOD};
use crate::words;

pub(crate) fn ticker(connect: &Connect, args: &TickerArgs) -> Result<(), Failure> {
    let channel = if args.bbo { Channel::ticker_v2 } else { Channel::ticker };
    follow(connect, &args.stream, channel, &mut Ticks)
}

pub(crate) fn trades(connect: &Connect, args: &TradesArgs) -> Result<(), Failure> {
    follow(connect, &args.stream, Channel::execution, &mut Ticks)
}

struct Ticks;

impl Show for Ticks {
    fn message(
        &mut self,
        cx: &mut Ctx,
        _: &Push<'_>,
        message: &Message<'_>,
    ) -> Result<(), Failure> {
        match message {
            Message::Execution(trade) => show_trade(cx, trade),
            Message::Ticker(ticker) => show_ticker(cx, ticker),
            Message::TickerV2(ticker) => show_bbo(cx, ticker),
            _ => Ok(()),
        }
    }
}

fn show_trade(cx: &mut Ctx, trade: &Execution<'_>) -> Result<(), Failure> {
    if cx.json {
        let id = |id: Option<Text<'_>>| id.map(|id| id.to_string());
        return cx.data(json!({
            "type": "trade",
            "symbol": trade.symbol.as_str(),
            "sequence": trade.sequence.get(),
            "taker_side": trade.taker_side.to_string(),
            "price": trade.price.to_string(),
            "size": trade.size.get(),
            "trade_id": trade.trade_id.to_string(),
            "taker_order_id": id(trade.taker_order_id),
            "maker_order_id": id(trade.maker_order_id),
            "ts_ns": words::nanos(trade.ts_event),
        }));
    }
    let (symbol, price, size) = (trade.symbol, trade.price.to_string(), trade.size);
    let (style, side) = taker(trade.taker_side);
    let at = words::time_of_day(trade.ts_event);
    Ok(cx.out.line(format_args!(
        "{symbol:<12} {DIM}{at}{DIM:#}  {style}{side:<4}{style:#} {price:>14} x {size}"
    ))?)
}

fn show_ticker(cx: &mut Ctx, ticker: &Ticker<'_>) -> Result<(), Failure> {
    if cx.json {
        return cx.data(json!({
            "type": "ticker",
            "symbol": ticker.symbol.as_str(),
            "sequence": ticker.sequence.get(),
            "taker_side": ticker.taker_side.to_string(),
            "price": ticker.price.to_string(),
            "size": ticker.size.get(),
            "trade_id": ticker.trade_id.to_string(),
            "bid": pair(ticker.best_bid),
            "ask": pair(ticker.best_ask),
            "ts_ns": words::nanos(ticker.ts_event),
        }));
    }
    let (symbol, price, size) = (ticker.symbol, ticker.price.to_string(), ticker.size);
    let (style, side) = taker(ticker.taker_side);
    let (bid, ask) = (shown(ticker.best_bid), shown(ticker.best_ask));
    Ok(cx.out.line(format_args!(
        "{symbol:<12} {style}{side:<4}{style:#} {price:>12} x {size:<6} {DIM}{bid:>20} | {ask}{DIM:#}"
    ))?)
}

fn show_bbo(cx: &mut Ctx, ticker: &TickerV2) -> Result<(), Failure> {
    if cx.json {
        return cx.data(json!({
            "type": "ticker",
            "symbol": ticker.symbol.as_str(),
            "sequence": ticker.sequence.map(|sequence| sequence.get()),
            "bid": pair(ticker.best_bid),
            "ask": pair(ticker.best_ask),
            "ts_ns": words::nanos(ticker.ts_event),
        }));
    }
    let (symbol, at) = (ticker.symbol, words::time_of_day(ticker.ts_event));
    let (bid, ask) = (shown(ticker.best_bid), shown(ticker.best_ask));
    Ok(cx.out.line(format_args!("{symbol:<12} {DIM}{at}{DIM:#}  {bid:>20} | {ask}"))?)
}

/// `["63000.1",12]`, or null for an empty side.
fn pair(best: Option<Level>) -> Value {
    best.map_or(Value::Null, words::level)
}

fn shown(best: Option<Level>) -> String {
    best.map_or_else(|| "empty".into(), |best| format!("{} x {}", best.price, best.size))
}

const fn taker(side: TakerSide) -> (anstyle::Style, &'static str) {
    match side {
        TakerSide::Buy => (GOOD, "buy"),
        TakerSide::Sell => (BAD, "sell"),
    }
}
