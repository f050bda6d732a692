//! Books, tickers and trades.

use kucoin_futures_proto::book::{Coverage, Level};
use kucoin_futures_proto::wire::Side;
use kucoin_futures_proto::{Decimal, Instant, Lots, Price, Sequence, Symbol};
use serde_json::Value;

use super::{Request, Response};
use crate::contract::java_number;
use crate::exchange::Exchange;
use crate::market::Market;
use crate::trade::Trade;
use crate::truth::Truth;

impl Exchange {
    pub(super) fn snapshot(
        &mut self,
        now: Instant,
        request: &Request<'_>,
        levels: usize,
        may_be_stale: bool,
    ) -> Response {
        let Some(market) = request.symbol().and_then(|symbol| self.markets.get(&symbol)) else {
            return Response::invalid_symbol();
        };
        self.counts.snapshots += u64::from(may_be_stale);
        let name = market.contract().symbol;
        let (sequence, ts) = (market.sequence(), self.unix_of_snapshot(now, name));
        let clocks = self.config.clocks;
        let stated = |at| clocks.of_snapshot(at);
        if may_be_stale && self.troubles.other.take(name) {
            let other = self.markets.values().find(|other| other.contract().symbol != name);
            let other = other.unwrap_or(market);
            let body = snapshot_body(other, other.sequence(), other.truth(), levels, stated(ts));
            self.strike("other-snapshot", Some(name));
            return Response::data(&body);
        }
        if may_be_stale && self.troubles.lies.take(name) {
            let mut truth = market.truth().clone();
            spoil_one(&mut truth, levels);
            let body = snapshot_body(market, sequence, &truth, levels, stated(ts));
            self.strike("lie", Some(name));
            return Response::data(&body);
        }
        if !(may_be_stale && self.troubles.stale.take(name)) {
            let body = snapshot_body(market, sequence, market.truth(), levels, stated(ts));
            return Response::data(&body);
        }
        let (past, truth, at) = market.past(self.stale_by(name, market));
        let body = snapshot_body(market, past, &truth, levels, stated(at.unwrap_or(ts)));
        self.on_stale_snapshot(name, past);
        Response::data(&body)
    }

    pub(super) fn ticker(&self, now: Instant, request: &Request<'_>) -> Response {
        let Some(market) = request.symbol().and_then(|symbol| self.markets.get(&symbol)) else {
            return Response::invalid_symbol();
        };
        Response::data(&self.ticker_row(now, market))
    }

    pub(super) fn tickers(&self, now: Instant) -> Response {
        let rows: Vec<String> =
            self.markets.values().map(|market| self.ticker_row(now, market)).collect();
        Response::data(&format!("[{}]", rows.join(",")))
    }

    /// Its sequence is the book's; everything else but the touch is of the last trade.
    fn ticker_row(&self, now: Instant, market: &Market) -> String {
        let best = |side| market.truth().levels(side).next().unwrap_or(NOTHING);
        let touch = [best(Side::Bid), best(Side::Ask)];
        // A market without a past: something of the right shape.
        let last = market.trades().next_back().cloned();
        let last = last.unwrap_or_else(|| Trade::none(market.last_price(), self.unix(now)));
        last.ticker_data(market.contract().symbol, market.sequence(), touch)
    }

    /// The last 100, newest first.
    pub(super) fn trades(&self, request: &Request<'_>) -> Response {
        let Some(market) = request.symbol().and_then(|symbol| self.markets.get(&symbol)) else {
            return Response::invalid_symbol();
        };
        let rows: Vec<String> = market.trades().rev().map(Trade::history_row).collect();
        Response::data(&format!("[{}]", rows.join(",")))
    }

    /// Not the exchange's: for checks from outside. Answers at once, faults or not.
    pub(super) fn digest_page(&self, request: &Request<'_>) -> Response {
        let answer = || -> Result<String, &'static str> {
            let symbol = request.query("symbol").ok_or("symbol is missing")?;
            let symbol: Symbol = symbol.parse().map_err(|_| "symbol is malformed")?;
            let market = self.markets.get(&symbol).ok_or("symbol is not listed")?;
            let sequence = request.query("sequence").ok_or("sequence is missing")?;
            let sequence = sequence.parse().map_err(|_| "sequence is not a number")?;
            let bids = parse_reach(request.query("bid_horizon"))?;
            let asks = parse_reach(request.query("ask_horizon"))?;
            let truths = market.truths_at(Sequence::new(sequence));
            let mut digests = truths.map(|truth| truth.digest(bids, asks));
            let digest = digests.next().ok_or("sequence is ahead of the market, or too old")?;
            // After a restart of the counter, a sequence may have been passed before.
            let earlier = Value::from(digests.collect::<Vec<_>>());
            Ok(format!(
                r#"{{"symbol":"{symbol}","sequence":{sequence},"sha256":"{digest}","earlier_runs":{earlier}}}"#
            ))
        };
        match answer() {
            Ok(body) => Response::json(200, body),
            Err(problem) => Response::json(400, format!(r#"{{"error":{}}}"#, Value::from(problem))),
        }
    }
}

/// What a side without levels is shown as.
const NOTHING: Level = Level { price: Price::ZERO, size: Lots::new(0) };

/// Absent, empty or `null` means without limit.
fn parse_reach(text: Option<&str>) -> Result<Coverage, &'static str> {
    match text {
        None | Some("" | "null") => Ok(Coverage::All),
        Some(price) => price.parse().map(Coverage::To).map_err(|_| "a horizon is not a price"),
    }
}

fn snapshot_body(
    market: &Market,
    sequence: Sequence,
    truth: &Truth,
    levels: usize,
    ms: Option<u64>,
) -> String {
    let side = |side| -> String {
        let level = |level: Level| format!("[{},{}]", number(level.price), level.size);
        truth.levels(side).take(levels).map(level).collect::<Vec<_>>().join(",")
    };
    let time = ms.map(|ms| format!(r#","ts":{ms}000000"#)).unwrap_or_default();
    format!(
        r#"{{"sequence":{sequence},"symbol":"{}","bids":[{}],"asks":[{}]{time}}}"#,
        market.contract().symbol,
        side(Side::Bid),
        side(Side::Ask)
    )
}

/// Another size for the level in the middle of the bids, or of the asks if there are no bids: far from where the
/// market would soon put it right.
fn spoil_one(truth: &mut Truth, levels: usize) {
    let Truth { bids, asks } = truth;
    let middle = |count: usize| count.min(levels) / 2;
    let [bid, ask] = [bids.len(), asks.len()].map(middle);
    let level = bids.values_mut().rev().nth(bid).or_else(|| asks.values_mut().nth(ask));
    if let Some(size) = level {
        *size += 1;
    }
}

fn number(price: Price) -> String {
    java_number(Decimal::from(price))
}
