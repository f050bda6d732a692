//! `GET /api/v1/kline/query`.

use super::{Request, Response};
use crate::exchange::Exchange;
use crate::interval::Interval;
use crate::market::Candle;

/// Rows of an answer at most; documents say 500, live there were 200.
const PAGE: usize = 200;

impl Exchange {
    /// `granularity` is in minutes, `from` and `to` in ms and both inclusive, of when candles begin.
    /// With `from` the oldest ones from there on, otherwise the newest ones up to `to`.
    pub(super) fn candles(&self, request: &Request<'_>) -> Response {
        let granularity = request.parameter("granularity").and_then(|text| text.parse().ok());
        let Some(interval) = granularity.and_then(Interval::of_minutes) else {
            return Response::refused(200, "300000", "Unsupported granularity");
        };
        let bound =
            |name: &str| request.parameter(name).map(|text| text.parse::<u64>()).transpose();
        let (Ok(from), Ok(to)) = (bound("from"), bound("to")) else {
            return Response::refused(400, "400100", "Parameter error");
        };
        let Some(market) = request.symbol().and_then(|symbol| self.markets.get(&symbol)) else {
            return Response::invalid_symbol();
        };
        let mut candles = market.candles(interval);
        candles.retain(|candle| {
            let start = candle.start * 1_000;
            from.is_none_or(|from| start >= from) && to.is_none_or(|to| start <= to)
        });
        let surplus = candles.len().saturating_sub(PAGE);
        let page = match from {
            Some(_) => candles.get(..candles.len() - surplus),
            None => candles.get(surplus..),
        };
        let rows: Vec<String> = page.unwrap_or_default().iter().map(row).collect();
        Response::data(&format!("[{}]", rows.join(",")))
    }
}

/// Start in ms, open, high, low, close, lots, turnover: all numbers, and not in the order of the stream.
fn row(candle: &Candle) -> String {
    let Candle { start, open, high, low, close, lots, turnover } = candle;
    format!("[{},{open},{high},{low},{close},{lots},{turnover}]", start * 1_000)
}
