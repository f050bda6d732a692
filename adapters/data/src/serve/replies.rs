//! What the exchange has answered in the recording: the latest of each path, and candles by their beginning.

use std::collections::BTreeMap;

use kucoin_futures_proto::wire::CandleUpdate;
use kucoin_futures_proto::{Granularity, Query, Symbol};
use kucoin_futures_sim::{Request, Response};
use serde::Deserialize;
use serde_json::value::RawValue;

/// Rows of an answer at most; documents say 500, live there were 200.
const PAGE: usize = 200;
/// Candles of one length that are kept: a month of hours, three days of minutes.
const KEPT: usize = 5_000;

/// The latest answers.
#[derive(Debug, Default)]
pub(super) struct Replies {
    /// By path and query, its parameters in alphabetical order.
    bodies: BTreeMap<String, String>,
    /// The rows of the list of contracts.
    contracts: BTreeMap<String, Box<RawValue>>,
    /// The rows of candles, by their beginning in ms; of a symbol and a length in minutes.
    candles: BTreeMap<(Symbol, u32), BTreeMap<u64, String>>,
}

#[derive(Deserialize)]
struct List<'a> {
    #[serde(borrow)]
    data: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct Named<'a> {
    #[serde(borrow)]
    symbol: &'a str,
}

impl Replies {
    /// An answer came that the recorded client has understood.
    pub(super) fn on_reply(&mut self, query: &Query, body: &[u8]) {
        let Ok(body) = core::str::from_utf8(body) else { return };
        let rows = serde_json::from_str::<List<'_>>(body).map(|list| list.data);
        match (query, rows) {
            (Query::Contracts, Ok(rows)) => {
                let named = |row: &&RawValue| {
                    let name: Named<'_> = serde_json::from_str(row.get()).ok()?;
                    Some((name.symbol.to_owned(), (*row).to_owned()))
                };
                self.contracts = rows.iter().filter_map(named).collect();
            }
            (Query::Klines { symbol, granularity, .. }, Ok(rows)) => {
                let key = (*symbol, granularity.minutes());
                for row in rows {
                    let columns: Vec<&RawValue> =
                        serde_json::from_str(row.get()).unwrap_or_default();
                    let start = columns.first().and_then(|start| start.get().parse().ok());
                    if let Some(start) = start {
                        self.keep_candle(key, start, row.get().to_owned());
                    }
                }
            }
            _ => {}
        }
        self.bodies.insert(in_order(&query.target()), body.to_owned());
    }

    /// A candle, as it stands.
    pub(super) fn on_candle(&mut self, told: &CandleUpdate) {
        let Some(interval) = told.interval else { return };
        let is_it = |granularity: &&Granularity| granularity.to_string() == interval.as_str();
        let Some(granularity) = Granularity::ALL.iter().find(is_it) else { return };
        let CandleUpdate { open, high, low, close, volume, turnover, .. } = told;
        let start = told.start.as_millis();
        let row = format!("[{start},{open},{high},{low},{close},{volume},{turnover}]");
        self.keep_candle((told.symbol, granularity.minutes()), start, row);
    }

    fn keep_candle(&mut self, key: (Symbol, u32), start: u64, row: String) {
        let series = self.candles.entry(key).or_default();
        series.insert(start, row);
        if series.len() > KEPT {
            series.pop_first();
        }
    }

    /// The latest answer to the same request.
    pub(super) fn body(&self, target: &str) -> Option<Response> {
        Some(Response::json(200, self.bodies.get(&in_order(target))?.clone()))
    }

    /// The row of a contract; `None` if it is not listed, or no list is known.
    pub(super) fn contract(&self, symbol: &str) -> Option<Response> {
        self.contracts.get(symbol).map(|row| Response::data(row.get()))
    }

    /// Whether a contract is listed; `None` if no list is known.
    pub(super) fn is_listed(&self, symbol: &str) -> Option<bool> {
        (!self.contracts.is_empty()).then(|| self.contracts.contains_key(symbol))
    }

    /// Candles, as far as they are known; `None` if none of those that are asked for is.
    pub(super) fn candles(&self, request: &Request<'_>) -> Option<Response> {
        let minutes = request.parameter("granularity").and_then(|text| text.parse().ok());
        let is_offered = |minutes: &u32| Granularity::ALL.iter().any(|g| g.minutes() == *minutes);
        let Some(minutes) = minutes.filter(is_offered) else {
            return Some(Response::refused(200, "300000", "Unsupported granularity"));
        };
        let bound =
            |name: &str| request.parameter(name).map(|text| text.parse::<u64>()).transpose();
        let (Ok(from), Ok(to)) = (bound("from"), bound("to")) else {
            return Some(Response::refused(400, "400100", "Parameter error"));
        };
        let series = self.candles.get(&(request.symbol()?, minutes))?;
        let is_asked =
            |start: u64| from.is_none_or(|from| start >= from) && to.is_none_or(|to| start <= to);
        let rows: Vec<&str> = series
            .iter()
            .filter(|(start, _)| is_asked(**start))
            .map(|(_, row)| row.as_str())
            .collect();
        if rows.is_empty() {
            return None;
        }
        // With a beginning the first ones from there, otherwise the last ones.
        let surplus = rows.len().saturating_sub(PAGE);
        let page = match from {
            Some(_) => rows.get(..rows.len() - surplus),
            None => rows.get(surplus..),
        };
        Some(Response::data(&format!("[{}]", page.unwrap_or_default().join(","))))
    }
}

/// Path and query, with the parameters in alphabetical order: clients have their own.
fn in_order(target: &str) -> String {
    let Some((path, query)) = target.split_once('?') else { return target.to_owned() };
    let mut parameters: Vec<&str> = query.split('&').collect();
    parameters.sort_unstable();
    format!("{path}?{}", parameters.join("&"))
}
