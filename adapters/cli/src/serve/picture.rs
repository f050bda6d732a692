//! What the page shows, in JSON.
//!
//! A part says all there is of what it covers, or all since what was said before: so whoever misses nothing shows what
//! is true, and whoever reads slowly is told less often. The page is told each part whole at first.

use kucoin_futures_proto::book::Scope;
use kucoin_futures_proto::wire::{Side, TakerSide};
use kucoin_futures_proto::{Instant, Symbol, TopicId, UnixNanos};
use serde_json::{Map, Value, json};

use super::depth;
use super::desk::About;
use super::history::Histories;
use super::rows::Rows;
use super::trail::{Point, Trails};
use crate::feed::Feed;
use crate::monitor::{Contract, Delays, Line, LogRow, Monitor, Mood, Resync};
use crate::words;

/// Levels of each side in the ladder.
pub(crate) const LADDER: usize = 12;
/// Trades and rows of the log that are shown.
const TRADES: usize = 30;
const LOG: usize = 80;
/// Times without a book: all that are kept. A line is drawn across those that are not told.
const RESYNCS: usize = 200;

/// What a page was told, so that it need not be told again.
#[derive(Debug, Default)]
pub(crate) struct Told {
    rows: u64,
    points: u64,
    /// Begin of the last candle, which may have grown since.
    candle: Option<UnixNanos>,
    /// How often the exchange had told candles.
    history: u64,
    /// How many there were, and whether the last was over.
    resyncs: Option<(u64, bool)>,
    /// When the last row of the log was said, and how many there were.
    log: Option<(Instant, usize)>,
}

/// What all pictures of one moment are made of.
#[derive(Clone, Copy)]
pub(crate) struct Scene<'a> {
    pub(crate) monitor: &'a Monitor,
    pub(crate) feed: &'a Feed,
    pub(crate) about: &'a About,
    pub(crate) rows: &'a Rows,
    pub(crate) trails: &'a Trails,
    pub(crate) histories: &'a Histories,
}

impl Scene<'_> {
    /// Everything, for a page that knows nothing yet.
    pub(crate) fn whole(self, symbol: Symbol, topic: TopicId) -> (Value, Told) {
        let mut told = Told::default();
        let mut picture = self.update(symbol, topic, &mut told, true);
        if let Some(fields) = picture.as_object_mut() {
            fields.insert("type".into(), "state".into());
        }
        (picture, told)
    }

    /// What has changed since, of one contract, and with `all` of everything.
    pub(crate) fn update(
        self,
        symbol: Symbol,
        topic: TopicId,
        told: &mut Told,
        all: bool,
    ) -> Value {
        let mut fields = Map::new();
        fields.insert("type".into(), "update".into());
        fields.insert("at_ms".into(), self.monitor.looked.wall.as_millis().into());
        if all {
            fields.insert("feed".into(), self.feed());
            fields.insert("lines".into(), self.lines());
            let (rows, version) = self.rows.since(told.rows);
            fields.insert("rows".into(), rows);
            told.rows = version;
        }
        if let Some(log) = self.log(told) {
            fields.insert("log".into(), log);
        }
        if let Some(contract) = self.monitor.contract(symbol) {
            fields.insert("detail".into(), self.detail(contract, topic, told));
        }
        Value::Object(fields)
    }

    fn feed(self) -> Value {
        let (monitor, stats) = (self.monitor, &self.monitor.stats);
        let live = monitor.contracts().filter(|contract| contract.is_live()).count();
        let lines = monitor.lines();
        json!({
            "version": env!("CARGO_PKG_VERSION"),
            "exchange": self.about.exchange,
            "runtime": self.about.runtime,
            "started_ms": monitor.looked.wall_of(monitor.started.at).as_millis(),
            "live": live,
            "wanted": monitor.contracts().len(),
            "messages": stats.messages,
            "rate": monitor.rate.per_second().round(),
            "deltas": stats.deltas,
            "gaps": stats.gaps,
            "resyncs": stats.resyncs,
            "reconnects": stats.reconnects,
            "change_overs": stats.change_overs,
            "snapshots": stats.snapshots,
            "malformed": stats.malformed,
            "received": delays(&lines.to_received),
            "applied": delays(&lines.to_applied),
            "budgets": lines.budgets.iter().map(|budget| json!({
                "name": budget.kind.name(),
                "used": budget.used,
                "limit": budget.limit,
                "held_ms": words::millis(budget.held_for),
            })).collect::<Value>(),
        })
    }

    fn lines(self) -> Value {
        let monitor = self.monitor;
        monitor.lines().all.iter().map(|row| line(row, monitor)).collect()
    }

    /// The end of it, if there is anything new.
    fn log(self, told: &mut Told) -> Option<Value> {
        let log = self.monitor.log();
        let (count, last) = (log.len(), self.monitor.log().next_back());
        let state = last.map(|last| (last.when.at, count));
        if state == told.log {
            return None;
        }
        told.log = state;
        Some(log.skip(count.saturating_sub(LOG)).map(said).collect())
    }

    fn detail(self, contract: &Contract, topic: TopicId, told: &mut Told) -> Value {
        let book = self.feed.book(topic);
        let (points, taken) = self.trails.since(contract.symbol, told.points);
        let points: Value = points.map(point).collect();
        told.points = taken;
        let mut detail = json!({
            "symbol": contract.symbol.as_str(),
            "live": contract.is_live(),
            "state": contract.state(),
            "since_ms": self.monitor.looked.wall_of(contract.since.at).as_millis(),
            "stale": contract.stale.is_any(),
            "stale_mark": contract.stale.marks,
            "stale_funding": contract.stale.funding,
            "stale_day": contract.stale.day,
            "stale_trades": contract.stale.trades,
            "epoch": contract.epoch,
            "sequence": book.map(|book| book.sequence().get()),
            "ts_ms": book.and_then(|book| book.ts_event()).map(UnixNanos::as_millis),
            "bids": book.map(|book| words::levels(book, Side::Bid, Scope::Complete, LADDER)),
            "asks": book.map(|book| words::levels(book, Side::Ask, Scope::Complete, LADDER)),
            "depth": book.map(depth::json),
            "snapshot_ms": contract.age.map(|age| words::millis(age.since_snapshot)),
            "proof_age_ms": contract.age.map(|age| words::millis(age.since_proof)),
            "settled": words::exact_if_any(
                contract.funding.settled.map(|rate| crate::numbers::signed_percent(rate, 4))
            ),
            "high": words::exact_if_any(contract.day.high),
            "low": words::exact_if_any(contract.day.low),
            "trades": trades(contract),
            "points": points,
            "candles": self.candles(contract, told),
        });
        let resyncs =
            contract.resyncs.back().map(|last| (contract.resync_count, last.live.is_some()));
        if let Some(fields) = detail.as_object_mut()
            && (resyncs != told.resyncs || resyncs.is_none())
        {
            told.resyncs = resyncs;
            let skipped = contract.resyncs.len().saturating_sub(RESYNCS);
            fields.insert(
                "resyncs".into(),
                contract.resyncs.iter().skip(skipped).map(resync).collect(),
            );
        }
        detail
    }

    /// `[begin in ms, open, high, low, close, lots, whole]`: from the last one on that was told, or all if the
    /// exchange has told more.
    fn candles(self, contract: &Contract, told: &mut Told) -> Value {
        let version = self.histories.version(contract.symbol);
        let from =
            told.candle.filter(|_| version == told.history).unwrap_or(UnixNanos::from_nanos(0));
        told.history = version;
        let candles = self.histories.candles(contract, from);
        if let Some((last, _)) = candles.last_key_value() {
            told.candle = Some(*last);
        }
        candles.into_values().collect()
    }
}

fn line(row: &Line, monitor: &Monitor) -> Value {
    let status = &row.status;
    let up = status.up_since.map(|since| monitor.looked.wall_of(since).as_millis());
    json!({
        "name": row.name(),
        "role": status.role.name(),
        "up_ms": up,
        "topics": status.topics,
        "replaces": status.replaces.map(|line| line.get()),
        "first": status.share.first,
        "later": status.share.later,
        "missed": status.share.missed,
        "wins": row.wins(),
        "lag_us": row.lag_us,
        "said": row.said.as_ref().map(|(when, text, mood)| json!({
            "at_ms": when.wall.as_millis(), "text": text, "mood": mood_name(*mood),
        })),
    })
}

fn delays(delays: &Delays) -> Value {
    let micros = |span: Option<std::time::Duration>| span.map(|span| span.as_micros() as u64);
    json!({ "count": delays.count, "p50_us": micros(delays.p50), "p99_us": micros(delays.p99) })
}

fn said(row: &LogRow) -> Value {
    json!({
        "at_ms": row.when.wall.as_millis(),
        "who": row.who,
        "text": row.text,
        "mood": mood_name(row.mood),
    })
}

const fn mood_name(mood: Mood) -> &'static str {
    match mood {
        Mood::Good => "good",
        Mood::Bad => "bad",
        Mood::Fault => "fault",
        Mood::Plain => "plain",
    }
}

/// `[at_ms, bid, ask]`; null where it was not known.
fn point(point: &Point) -> Value {
    json!([point.at.as_millis(), words::exact_if_any(point.bid), words::exact_if_any(point.ask),])
}

/// The newest first.
fn trades(contract: &Contract) -> Value {
    let trades = contract.trades.iter().rev().take(TRADES);
    trades
        .map(|trade| {
            let side = match trade.side {
                TakerSide::Buy => "buy",
                TakerSide::Sell => "sell",
            };
            let at = trade.at.map(UnixNanos::as_millis);
            json!([at, side, trade.price.to_string(), trade.size.get()])
        })
        .collect()
}

/// `[lost in ms, live again in ms, reason, took in ms]`: the clock on the wall may have been set in between.
fn resync(resync: &Resync) -> Value {
    let live = resync.live.map(|live| live.wall.as_millis());
    json!([resync.lost.wall.as_millis(), live, resync.reason, resync.took().map(words::millis)])
}
