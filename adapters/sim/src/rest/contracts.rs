//! Contracts, their marks and funding.

use kucoin_futures_proto::{Instant, Symbol};

use super::{Request, Response};
use crate::contract::java_number;
use crate::contract::row::{DAILY_INTEREST, FUNDING_CAP, FUNDING_FLOOR, Present};
use crate::exchange::Exchange;
use crate::market::{Market, decimal};

/// Mark prices were 0.4 to 1.6 s old when they arrived (2026).
const MARK_AGE_MS: u64 = 400;
/// Rows of a list of settled rates at most.
const MOST_RATES: usize = 100;

fn not_supported(what: &str) -> Response {
    Response::refused(200, "415000", &format!("{what} is not supported"))
}

impl Exchange {
    fn market_named(&self, name: &str) -> Option<&Market> {
        self.markets.get(&name.parse::<Symbol>().ok()?)
    }

    pub(super) fn contracts(&self, now: Instant) -> Response {
        let rows = self.markets.values().map(|market| self.contract_row(now, market));
        Response::data(&format!("[{}]", rows.collect::<Vec<_>>().join(",")))
    }

    fn contract_row(&self, now: Instant, market: &Market) -> String {
        let at = self.unix(now);
        market.contract().row(&Present {
            now_ms: at.as_millis(),
            marks: market.marks(at),
            day: market.day(at),
            open_interest: market.open_interest(),
            funding: market.funding_at(at),
        })
    }

    pub(super) fn contract(&self, now: Instant, name: &str) -> Response {
        match self.market_named(name) {
            Some(market) => Response::data(&self.contract_row(now, market)),
            None => {
                let text = "The contract information you requested does not exist.";
                Response::refused(200, "404000", text)
            }
        }
    }

    pub(super) fn mark_price(&self, now: Instant, name: &str) -> Response {
        let Some(market) = self.market_named(name) else { return not_supported("mark price") };
        let at_ms = self.unix(now).as_millis().saturating_sub(MARK_AGE_MS);
        let at = kucoin_futures_proto::UnixNanos::from_nanos(at_ms * 1_000_000);
        let marks = market.marks(at);
        Response::data(&format!(
            r#"{{"symbol":"{name}","granularity":1000,"timePoint":{},"value":{},"indexPrice":{}}}"#,
            marks.at.as_millis(),
            java_number(marks.mark.into()),
            java_number(marks.index.into())
        ))
    }

    /// Of the interval that runs: never late, as the list of contracts is.
    pub(super) fn funding_rate(&self, now: Instant, name: &str) -> Response {
        let now_ms = self.unix(now).as_millis();
        let running = self.market_named(name).and_then(|market| {
            let funding = market.funding();
            let (start, interval) = (funding.last_settlement(now_ms)?, funding.interval_ms()?);
            Some(format!(
                concat!(
                    r#"{{"symbol":"{}","granularity":{},"timePoint":{},"value":{},"#,
                    r#""dailyInterestRate":{},"fundingRateCap":{},"fundingRateFloor":{},"#,
                    r#""period":1,"fundingTime":{},"lastTimeFundingRate":{}}}"#
                ),
                market.contract().rate_symbol(),
                interval,
                start,
                java_number(decimal(funding.estimate(now_ms / 60_000))),
                DAILY_INTEREST,
                FUNDING_CAP,
                FUNDING_FLOOR,
                start + interval,
                java_number(decimal(funding.charged(start)))
            ))
        });
        running.map_or_else(|| not_supported("funding rate"), |data| Response::data(&data))
    }

    /// What was charged from `from` to `to`, both inclusive and in ms; newest first.
    pub(super) fn funding_rates(&self, now: Instant, request: &Request<'_>) -> Response {
        let number = |name: &str| request.parameter(name)?.parse::<u64>().ok();
        let (Some(symbol), Some(from), Some(to)) = (request.symbol(), number("from"), number("to"))
        else {
            return Response::refused(400, "400100", "Parameter error");
        };
        let Some(market) = self.markets.get(&symbol) else { return not_supported("funding rate") };
        let funding = market.funding();
        let last = funding.last_settlement(to.min(self.unix(now).as_millis()));
        let step = funding.interval_ms().unwrap_or(u64::MAX);
        let times = core::iter::successors(last, |time| time.checked_sub(step));
        let rows: Vec<String> = times
            .take_while(|time| *time >= from)
            .take(MOST_RATES)
            .map(|time| {
                let rate = java_number(decimal(funding.charged(time)));
                format!(r#"{{"symbol":"{symbol}","fundingRate":{rate},"timepoint":{time}}}"#)
            })
            .collect();
        Response::data(&format!("[{}]", rows.join(",")))
    }

    /// What was traded in 24 hours, in USD: contracts of all kinds together.
    pub(crate) fn trade_statistics(&self, now: Instant) -> String {
        let at = self.unix(now);
        let whole = |market: &Market| -> i128 {
            let turnover = market.day(at).turnover;
            let coins =
                if market.contract().is_inverse() { market.marks(at).mark.scaled() } else { 0 };
            let ten = 10_i128.saturating_pow(u32::from(turnover.exponent().unsigned_abs()));
            let whole = if turnover.exponent() < 0 {
                turnover.mantissa() / ten
            } else {
                turnover.mantissa().saturating_mul(ten)
            };
            if coins == 0 { whole } else { whole.saturating_mul(coins.into()) / 1_000_000_000_000 }
        };
        let total: i128 = self.markets.values().map(whole).sum();
        format!(r#"{{"turnoverOf24h":{total}}}"#)
    }
}
