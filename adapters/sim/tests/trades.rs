//! Trades: what vanishes at the touch is taken, and every channel tells it alike.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "tests"
)]

use std::time::Duration;

use kucoin_futures_proto::wire::{Delta, Execution, Frame, Side, TakerSide, Ticker};
use kucoin_futures_proto::{Channel, ChannelKind, Instant, Symbol, UnixNanos};
use kucoin_futures_sim::{
    Contract, Exchange, ExchangeConfig, Interval, Outgoing, Request, SessionId,
};
use serde_json::Value;

const SESSION: SessionId = SessionId(1);

/// All frames of one symbol over some changes, by channel.
struct Told {
    exchange: Exchange,
    symbol: Symbol,
    frames: Vec<Box<str>>,
}

fn told(changes: u32) -> Told {
    let mut config = ExchangeConfig::default();
    config.rate = 0.0;
    let mut now = Instant::ZERO;
    let mut exchange = Exchange::new(now, 5, config);
    let body = exchange.http(now, &Request::new("POST", "/api/v1/bullet-public")).body;
    let body: Value = serde_json::from_str(&body).unwrap();
    let query = format!("token={}", body["data"]["token"].as_str().unwrap());
    assert!(exchange.connect(now, SESSION, &query));
    let symbol: Symbol = "XBTUSDTM".parse().unwrap();
    for channel in ["level2", "execution", "ticker"] {
        let topic = format!("/contractMarket/{channel}:{symbol}");
        let text = format!(r#"{{"id":"1","type":"subscribe","topic":"{topic}"}}"#);
        exchange.receive(now, SESSION, &text);
    }
    for _ in 0..changes {
        now = now + Duration::from_millis(1);
        exchange.change(symbol, now);
    }
    let mut frames = Vec::new();
    while let Some(outgoing) = exchange.poll_output() {
        if let Outgoing::Send(_, text, _) = outgoing {
            frames.push((*text).into());
        }
    }
    Told { exchange, symbol, frames }
}

fn message(text: &str) -> Option<(Channel, &[u8])> {
    match Frame::parse(text.as_bytes()).unwrap() {
        Frame::Message(message) => Some((message.channel()?, message.data)),
        _ => None,
    }
}

#[test]
fn every_trade_explains_what_the_delta_before_it_took_from_the_touch() {
    let told = told(20_000);
    let (mut delta, mut trades, mut takers, mut last) = (None, 0, 0, None);
    let (mut order, mut filled) = (None, 0);
    for frame in &told.frames {
        let Some((channel, data)) = message(frame) else { continue };
        match channel.kind() {
            ChannelKind::Level2 => (delta, order, filled) = (Delta::parse(data).ok(), None, 0),
            ChannelKind::Execution => {
                let trade = Execution::parse(data).unwrap();
                let delta = delta.unwrap();
                let taker = if delta.side == Side::Bid { TakerSide::Sell } else { TakerSide::Buy };
                assert_eq!((trade.price, trade.taker_side), (delta.price, taker));
                let market = told.exchange.market(told.symbol).unwrap();
                let change = market.changes_at(delta.sequence).next().unwrap();
                filled += trade.size.get();
                assert!(trade.size.get() > 0 && filled <= change.before - change.after);
                assert!(last < Some(trade.sequence), "they rise");
                last = Some(trade.sequence);
                takers += u32::from(order.is_none());
                assert!(
                    order.is_none() || order == trade.taker_order_id,
                    "one taker, several makers"
                );
                order = trade.taker_order_id;
                trades += 1;
            }
            _ => {}
        }
    }
    assert!(takers > 500 && trades > takers * 5 / 4, "{trades} fills of {takers} takers");
    assert_eq!(told.exchange.counts().trades, u64::from(trades));
}

#[test]
fn ticker_and_execution_tell_the_same_trades() {
    let told = told(5_000);
    let frames = || told.frames.iter().filter_map(|frame| message(frame));
    let executions =
        frames().filter(|(channel, _)| matches!(channel.kind(), ChannelKind::Execution));
    let executions = executions.map(|(_, data)| Execution::parse(data).unwrap());
    let tickers = frames().filter(|(channel, _)| matches!(channel.kind(), ChannelKind::Ticker));
    let tickers: Vec<_> = tickers.map(|(_, data)| Ticker::parse(data).unwrap()).collect();
    for (trade, ticker) in executions.zip(&tickers) {
        assert_eq!((trade.sequence, trade.price), (ticker.sequence, ticker.price));
        assert_eq!((trade.size, trade.taker_side), (ticker.size, ticker.taker_side));
        assert!(ticker.best_bid.unwrap().price < ticker.best_ask.unwrap().price);
    }
    assert_eq!(tickers.len() as u64, told.exchange.counts().trades);
}

#[test]
fn the_last_hundred_trades_can_be_asked_for_newest_first() {
    let mut told = told(5_000);
    let target = format!("/api/v1/trade/history?symbol={}", told.symbol);
    let now = Instant::ZERO + Duration::from_secs(6);
    let body = told.exchange.http(now, &Request::new("GET", &target)).body;
    let body: Value = serde_json::from_str(&body).unwrap();
    let rows = body["data"].as_array().unwrap();
    let sequences: Vec<_> = rows.iter().map(|row| row["sequence"].as_u64().unwrap()).collect();
    assert!(sequences.len() == 100 && sequences.is_sorted_by(|a, b| a > b), "{sequences:?}");
    let frames = told.frames.iter().rev();
    let last = frames.filter_map(|frame| message(frame)).find_map(|(channel, data)| {
        matches!(channel.kind(), ChannelKind::Execution).then(|| Execution::parse(data).unwrap())
    });
    let (last, row) = (last.unwrap(), &rows[0]);
    assert_eq!(row["tradeId"], last.trade_id.to_string());
    assert_eq!(row["price"], last.price.to_string());
    assert_eq!(
        (&row["size"], &row["ts"]),
        (&last.size.get().into(), &last.ts_event.unwrap().as_nanos().into())
    );
    let refused = Request::new("GET", "/api/v1/trade/history?symbol=NOPEUSDTM");
    assert!(told.exchange.http(now, &refused).body.contains("200003"));
}

/// What the exchange answers with.
fn data(exchange: &mut Exchange, target: &str) -> Value {
    let body = exchange.http(Instant::ZERO, &Request::new("GET", target)).body;
    serde_json::from_str::<Value>(&body).unwrap()["data"].take()
}

#[test]
fn there_were_trades_before_the_exchange_opened_and_all_that_tell_of_them_agree() {
    for symbol in ["XBTUSDTM", "CHRUSDTM", "10PEPEUSDTM", "XBTUSDM"] {
        let mut config = ExchangeConfig::default();
        config.contracts = vec![Contract::named(symbol.parse().unwrap())];
        config.rate = 0.0;
        let opened = config.unix_start;
        let mut exchange = Exchange::new(Instant::ZERO, 7, config);
        let rows = data(&mut exchange, &format!("/api/v1/trade/history?symbol={symbol}"));
        let rows = rows.as_array().unwrap();
        assert_eq!(rows.len(), 100);
        let field = |key: &str| rows.iter().map(|row| row[key].as_u64().unwrap()).collect();
        let (sequences, times): (Vec<u64>, Vec<u64>) = (field("sequence"), field("ts"));
        assert!(sequences.is_sorted_by(|a, b| a > b) && times.is_sorted_by(|a, b| a > b));
        assert!(times[0] < opened.as_nanos() && opened.as_nanos() - times[0] < 60_000_000_000);

        let ticker = data(&mut exchange, &format!("/api/v1/ticker?symbol={symbol}"));
        for key in ["tradeId", "price", "size", "side", "ts"] {
            assert_eq!(ticker[key], rows[0][key], "{key}");
        }
        // Candles of whole minutes are what the rows of these minutes add up to.
        let market = exchange.market(symbol.parse().unwrap()).unwrap();
        let trades: Vec<_> = market.trades().collect();
        let second = |at: UnixNanos| at.as_millis() / 60_000 * 60;
        let first = second(trades[0].at);
        let mut compared = 0;
        for candle in market.candles(Interval::Min1).iter().filter(|candle| candle.start > first) {
            let of_it = trades.iter().filter(|trade| second(trade.at) == candle.start);
            let of_it: Vec<_> = of_it.collect();
            assert_eq!((candle.open, candle.close), (of_it[0].price, of_it.last().unwrap().price));
            assert_eq!(candle.high, of_it.iter().map(|trade| trade.price).max().unwrap());
            assert_eq!(candle.low, of_it.iter().map(|trade| trade.price).min().unwrap());
            let lots: u128 = of_it.iter().map(|trade| u128::from(trade.size.get())).sum();
            assert_eq!(candle.lots, lots);
            compared += 1;
        }
        assert!(compared >= 1, "{symbol}: {compared}");
        assert_eq!(market.last_price(), trades[99].price);
        let day = market.day(opened);
        assert_eq!(day.last, trades[99].price);
        // The next one comes after them, and counts as the first that there was to push.
        let (mut now, last) = (Instant::ZERO, sequences[0]);
        while exchange.counts().trades == 0 {
            now = now + Duration::from_millis(1);
            exchange.change(symbol.parse().unwrap(), now);
        }
        let market = exchange.market(symbol.parse().unwrap()).unwrap();
        let made = exchange.counts().trades as usize;
        let latest: Vec<u64> = market.trades().map(|trade| trade.sequence.get()).collect();
        assert!(latest.len() == 100 && latest.is_sorted_by(|a, b| a < b));
        assert!(latest[100 - made] > last && latest[99 - made] == last);
    }
}
