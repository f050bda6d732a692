//! `kcf depth`, `kcf candles` and `kcf stats`: a row for each contract.

use std::time::Duration;

use kucoin_futures_proto::book::Level;
use kucoin_futures_proto::wire::{CandleUpdate, Depth, Levels, Stats24h};
use kucoin_futures_proto::{Channel, Decimal, Lots, Message, Push, Symbol};
use serde_json::{Value, json};

use crate::args::{CandlesArgs, Connect, DepthArgs, DepthLevels, StatsArgs};
use crate::board::Board;
use crate::exit::Failure;
use crate::feed::Feed;
use crate::follow::{Ctx, Show, follow};
use crate::numbers;
use crate::out::{BAD, DIM, GOOD};
use crate::{studies, words};

pub(crate) fn depth(connect: &Connect, args: &DepthArgs) -> Result<(), Failure> {
    let channel = match args.levels {
        DepthLevels::Five => Channel::depth5,
        DepthLevels::Fifty => Channel::depth50,
    };
    follow(connect, &args.stream, channel, &mut Market::new(DEPTH))
}

pub(crate) fn candles(connect: &Connect, args: &CandlesArgs) -> Result<(), Failure> {
    if !args.indicators.is_empty() {
        return studies::run(connect, args);
    }
    let channel = |symbol| Channel::candles(symbol, args.interval);
    follow(connect, &args.stream, channel, &mut Market::new(CANDLES))
}

pub(crate) fn stats(connect: &Connect, args: &StatsArgs) -> Result<(), Failure> {
    follow(connect, &args.stream, Channel::stats_24h, &mut Market::new(STATS))
}

const DEPTH: &str =
    "symbol       time          lots bid                bid | ask                lots asked";
const CANDLES: &str =
    "symbol       begins                open         high          low        close         lots";
const STATS: &str =
    "symbol               last   change         low         high     volume   turnover    funding";

struct Market {
    board: Board,
}

impl Market {
    const fn new(header: &'static str) -> Self {
        Self { board: Board::new(header) }
    }
}

impl Show for Market {
    fn message(
        &mut self,
        cx: &mut Ctx,
        push: &Push<'_>,
        message: &Message<'_>,
    ) -> Result<(), Failure> {
        let Some(symbol) = cx.symbol_of(push) else { return Ok(()) };
        let (line, row) = match message {
            Message::Depth5(depth) if cx.json => (depth_json(symbol, 5, depth), String::new()),
            Message::Depth50(depth) if cx.json => (depth_json(symbol, 50, depth), String::new()),
            Message::Candle(candle) if cx.json => (candle_json(candle), String::new()),
            Message::Stats24h(stats) if cx.json => (stats_json(symbol, stats), String::new()),
            Message::Depth5(depth) | Message::Depth50(depth) => {
                (Value::Null, depth_row(symbol, depth))
            }
            Message::Candle(candle) => (Value::Null, candle_row(candle)),
            Message::Stats24h(stats) => (Value::Null, stats_row(symbol, stats)),
            _ => return Ok(()),
        };
        if cx.json { cx.data(line) } else { self.board.show(cx, symbol.as_str(), row) }
    }

    fn rest(&mut self, cx: &mut Ctx, _: &Feed) -> Result<Option<Duration>, Failure> {
        self.board.rest(cx)
    }
}

fn depth_json(symbol: Symbol, levels: u8, depth: &Depth<'_>) -> Value {
    let side = |levels: Levels<'_>| levels.iter().map(words::level).collect::<Value>();
    json!({
        "type": "depth",
        "symbol": symbol.as_str(),
        "levels": levels,
        "sequence": depth.sequence.map(|sequence| sequence.get()),
        "bids": side(depth.bids),
        "asks": side(depth.asks),
        "ts_ns": words::nanos(depth.ts_event),
    })
}

fn depth_row(symbol: Symbol, depth: &Depth<'_>) -> String {
    let lots = |levels: Levels<'_>| {
        levels.iter().map(|level| level.size.get()).fold(0, u64::saturating_add)
    };
    let best = |level: Option<Level>| {
        level.map_or_else(|| "empty".into(), |l| format!("{} x {}", l.price, l.size))
    };
    let (bid, ask) = (best(depth.bids.iter().next()), best(depth.asks.iter().next()));
    let (bids, asks) = (lots(depth.bids), lots(depth.asks));
    let at = words::time_of_day(depth.ts_event);
    format!("{symbol:<12} {DIM}{at}{DIM:#} {bids:>9} {bid:>18} | {ask:<18} {asks}")
}

fn candle_json(candle: &CandleUpdate) -> Value {
    json!({
        "type": "candle",
        "symbol": candle.symbol.as_str(),
        "interval": candle.interval.map(|interval| interval.as_str()),
        "start_ns": candle.start.as_nanos(),
        "open": words::exact(candle.open),
        "high": words::exact(candle.high),
        "low": words::exact(candle.low),
        "close": words::exact(candle.close),
        "volume_lots": candle.volume.get(),
        "turnover": words::exact(candle.turnover),
        "ts_ns": words::nanos(candle.ts_event),
    })
}

fn candle_row(candle: &CandleUpdate) -> String {
    let CandleUpdate { symbol, open, high, low, close, volume, .. } = candle;
    let style = if close < open { BAD } else { GOOD };
    let [open, high, low, close] = [open, high, low, close].map(Decimal::to_string);
    let (at, lots) = (words::time_of_day(candle.start), Lots::get(*volume));
    format!(
        "{symbol:<12} {DIM}{at}{DIM:#} {open:>12} {high:>12} {low:>12} {style}{close:>12}{style:#} {lots:>12}"
    )
}

fn stats_json(symbol: Symbol, stats: &Stats24h) -> Value {
    json!({
        "type": "stats",
        "symbol": symbol.as_str(),
        "last_price": words::exact_if_any(stats.last_price),
        "high_price": words::exact_if_any(stats.high_price),
        "low_price": words::exact_if_any(stats.low_price),
        "price_24h_before": words::exact_if_any(stats.price_24h_before),
        "price_change": words::exact_if_any(stats.price_change),
        "price_change_ratio": words::exact_if_any(stats.price_change_ratio),
        "volume": words::exact_if_any(stats.volume),
        "turnover": words::exact_if_any(stats.turnover),
        "funding_rate": words::exact_if_any(stats.funding_rate),
        "ts_ns": words::nanos(stats.ts_event),
    })
}

fn stats_row(symbol: Symbol, stats: &Stats24h) -> String {
    let price =
        |price: Option<Decimal>| price.map_or_else(|| "-".into(), |price| price.to_string());
    let [last, low, high] = [stats.last_price, stats.low_price, stats.high_price].map(price);
    let (style, change) = words::change(stats.price_change_ratio);
    let short = |value: Option<Decimal>| value.map_or_else(|| "-".into(), numbers::short);
    let [volume, turnover] = [stats.volume, stats.turnover].map(short);
    let funding = stats.funding_rate.map(|rate| numbers::percent(rate, 4) + " %");
    let funding = funding.unwrap_or_else(|| "-".into());
    format!(
        "{symbol:<12} {last:>12} {style}{change:>8}{style:#} {low:>11} {high:>12} {volume:>10} \
         {turnover:>10} {funding:>10}"
    )
}
