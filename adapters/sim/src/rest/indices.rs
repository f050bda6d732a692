//! Lists that go back in time, page by page: index prices, interest rates, premiums.

use kucoin_futures_proto::{Decimal, Instant, Price, UnixNanos};

use super::{Request, Response};
use crate::contract::java_number;
use crate::contract::name::Name;
use crate::exchange::Exchange;
use crate::market::Market;

/// Rows of a page if `maxCount` does not say, and at most.
const USUAL: usize = 10;
const MOST: usize = 100;

/// Lists begin so long before the exchange opened, in ms: whoever asks at once has some pages. What was
/// the index then is drawn around the price that the market opened at.
const BEFORE: u64 = 3_600_000;

/// Sources of an index: weight in percent, and ticks of the index that its price is off. Weighted they
/// make the index.
const SOURCES: [(&str, &str, i64, i64); 3] =
    [("okex", "OKX", 50, 2), ("binance", "Binance", 30, -2), ("kucoin", "KuCoin", 20, -2)];

/// Which rows of a grid of times are asked for.
struct Page {
    /// In ms, both inclusive; the grid's step.
    from: u64,
    to: u64,
    step: u64,
    newest_first: bool,
    most: usize,
}

impl Page {
    /// `begin`: there is nothing before.
    fn of(request: &Request<'_>, step: u64, begin: u64, now: u64) -> Self {
        let number = |name: &str| request.parameter(name)?.parse::<u64>().ok();
        let newest_first = request.parameter("reverse").is_none_or(|reverse| reverse != "false");
        let mut from = number("startAt").unwrap_or(begin).max(begin);
        let mut to = number("endAt").unwrap_or(now).min(now);
        // A page goes on where the last one, whose last row is named, ended.
        match number("offset") {
            Some(last) if newest_first => to = to.min(last.saturating_sub(1)),
            Some(last) => from = from.max(last.saturating_add(1)),
            None => {}
        }
        let most = number("maxCount").map_or(USUAL, |most| most as usize).clamp(1, MOST);
        Self { from: from.next_multiple_of(step), to: to - to % step, step, newest_first, most }
    }

    /// The times of the page, and whether there are more.
    fn times(&self) -> (Vec<u64>, bool) {
        if self.from > self.to {
            return (Vec::new(), false);
        }
        let all = (self.to - self.from) / self.step + 1;
        let count = (self.most as u64).min(all);
        let time = |at: u64| match self.newest_first {
            true => self.to - at * self.step,
            false => self.from + at * self.step,
        };
        ((0..count).map(time).collect(), count < all)
    }

    fn answer(&self, row: impl Fn(u64) -> String) -> Response {
        let (times, more) = self.times();
        let rows: Vec<String> = times.into_iter().map(row).collect();
        Response::data(&format!(r#"{{"dataList":[{}],"hasMore":{more}}}"#, rows.join(",")))
    }
}

/// What is not known has no rows.
fn nothing() -> Response {
    Response::data(r#"{"dataList":[],"hasMore":false}"#)
}

const fn unix(ms: u64) -> UnixNanos {
    UnixNanos::from_nanos(ms * 1_000_000)
}

impl Exchange {
    fn page(&self, now: Instant, request: &Request<'_>, step: u64) -> Page {
        let begin = self.config.unix_start.as_millis().saturating_sub(BEFORE);
        Page::of(request, step, begin, self.unix(now).as_millis())
    }

    /// `.KXBTUSDT`: each second.
    pub(super) fn index_query(&self, now: Instant, request: &Request<'_>) -> Response {
        let name = request.parameter("symbol").unwrap_or_default();
        let of_it = |market: &&Market| market.contract().index_symbol() == name;
        let Some(market) = self.markets.values().find(of_it) else { return nothing() };
        let tick = market.contract().index_tick().scaled();
        self.page(now, request, 1_000).answer(|ms| {
            let index = market.marks(unix(ms)).index;
            let source = |(exchange, shown, weight, off): (&str, &str, i64, i64)| {
                let price = Price::from_scaled(index.scaled() + off * tick).unwrap_or(index);
                format!(
                    r#"{{"exchange":"{exchange}","exchangeName":"{shown}","price":{},"weight":{}}}"#,
                    java_number(price.into()),
                    java_number(Decimal::new(weight.into(), -2).unwrap_or_default())
                )
            };
            format!(
                concat!(
                    r#"{{"symbol":"{}","granularity":1000,"timePoint":{},"value":{},"#,
                    r#""decomposionList":[{}]}}"#
                ),
                name,
                ms,
                java_number(index.into()),
                SOURCES.map(source).join(",")
            )
        })
    }

    /// `.XBTINT`, `.USDTINT`: each minute. Of coins nothing, of money what the contracts name.
    pub(super) fn interest_query(&self, now: Instant, request: &Request<'_>) -> Response {
        let name = request.parameter("symbol").unwrap_or_default();
        let currency = name.strip_prefix('.').and_then(|name| name.strip_suffix("INT"));
        let mut names = self.markets.values().map(|m| Name::of(m.contract().symbol.as_str()));
        let of_it = names.find_map(|name| match currency {
            Some(currency) if currency == name.base => Some("0.0"),
            Some(currency) if currency == name.quote => Some("3.0E-4"),
            _ => None,
        });
        let Some(rate) = of_it else { return nothing() };
        self.page(now, request, 60_000).answer(|ms| {
            format!(r#"{{"symbol":"{name}","granularity":60000,"timePoint":{ms},"value":{rate}}}"#)
        })
    }

    /// `.XBTUSDTMPI`: what the contract costs above its index, each minute, in millionths.
    pub(super) fn premium_query(&self, now: Instant, request: &Request<'_>) -> Response {
        let name = request.parameter("symbol").unwrap_or_default();
        let contract = name.strip_prefix('.').and_then(|name| name.strip_suffix("PI"));
        let of_it = |market: &&Market| Some(market.contract().symbol.as_str()) == contract;
        let Some(market) = self.markets.values().find(of_it) else { return nothing() };
        self.page(now, request, 60_000).answer(|ms| {
            let marks = market.marks(unix(ms));
            let index = i128::from(marks.index.scaled()).max(1);
            let premium = (i128::from(marks.last.scaled()) - index) * 1_000_000 / index;
            let premium = java_number(Decimal::new(premium, -6).unwrap_or_default());
            format!(
                r#"{{"symbol":"{name}","granularity":60000,"timePoint":{ms},"value":{premium}}}"#
            )
        })
    }
}
