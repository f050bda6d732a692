//! Every REST request in one place: its way, its weight, whose budget it counts against, how much of its
//! answer is read, and its parameters.

use alloc::string::String;
use core::fmt::Write as _;

use super::{PageNumber, Query, SeriesPart, TimeRange};
use crate::rest_request::Method;
use crate::time::UnixNanos;

/// What is fetched.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Resource<'a> {
    BulletPublic,
    BulletPrivate,
    Snapshot(&'a str),
    Query(Query),
}

/// Whose quota a request counts against.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Pool {
    /// The address's: 2000 in 30 s.
    Public,
    /// The account's: 2000 in 30 s without a VIP level. Signed.
    Signed,
}

/// A row of the table.
pub(crate) struct Route {
    pub(crate) method: Method,
    /// `{}` stands for the symbol.
    pub(crate) path: &'static str,
    pub(crate) weight: u32,
    pub(crate) pool: Pool,
    pub(crate) max_body: usize,
}

/// Body caps. One thing: a token has about 500 bytes, a contract 3 KB, 100 levels 4 KB.
const SMALL: usize = 64 << 10;
/// A page: 100 trades have 25 KB, 500 candles 40 KB, 100 points of an index 50 KB.
const MEDIUM: usize = 1 << 20;
/// All of something: a full snapshot has 40 KB, the contract list 1.4 MB, 1000 orders 1 MB.
const LARGE: usize = 8 << 20;

const fn get(path: &'static str, weight: u32, pool: Pool, max_body: usize) -> Route {
    Route { method: Method::Get, path, weight, pool, max_body }
}

const fn post(path: &'static str, weight: u32, pool: Pool) -> Route {
    Route { method: Method::Post, path, weight, pool, max_body: SMALL }
}

impl Resource<'_> {
    /// Its row. Weights: the exchange's documentation of 2026. Those of funding history and of the account
    /// are half of what ccxt counts with, out of 4000 in 30 s; so are 10 for 100 levels, and 5 and 3 for
    /// interest rates and premiums, where a list of the exchange's has 5, 2 and 2: the higher one counts.
    pub(crate) const fn route(&self) -> Route {
        use Pool::{Public, Signed};
        match self {
            Self::BulletPublic => post("/api/v1/bullet-public", 10, Public),
            Self::BulletPrivate => post("/api/v1/bullet-private", 10, Signed),
            Self::Snapshot(_) => get("/api/v1/level2/snapshot", 3, Public, LARGE),
            Self::Query(query) => match query {
                Query::ServerTime => get("/api/v1/timestamp", 2, Public, SMALL),
                Query::Contracts => get("/api/v1/contracts/active", 3, Public, LARGE),
                Query::Contract { .. } => get("/api/v1/contracts/{}", 3, Public, SMALL),
                Query::Ticker { .. } => get("/api/v1/ticker", 2, Public, SMALL),
                Query::AllTickers => get("/api/v1/allTickers", 5, Public, LARGE),
                Query::Depth20 { .. } => get("/api/v1/level2/depth20", 5, Public, SMALL),
                Query::Depth100 { .. } => get("/api/v1/level2/depth100", 10, Public, SMALL),
                Query::Trades { .. } => get("/api/v1/trade/history", 5, Public, MEDIUM),
                Query::Klines { .. } => get("/api/v1/kline/query", 3, Public, MEDIUM),
                Query::MarkPrice { .. } => get("/api/v1/mark-price/{}/current", 3, Public, SMALL),
                Query::FundingRate { .. } => {
                    get("/api/v1/funding-rate/{}/current", 2, Public, SMALL)
                }
                Query::FundingHistory { .. } => {
                    get("/api/v1/contract/funding-rates", 5, Public, MEDIUM)
                }
                Query::IndexPrices { .. } => get("/api/v1/index/query", 2, Public, MEDIUM),
                Query::InterestRates { .. } => get("/api/v1/interest/query", 5, Public, MEDIUM),
                Query::Premiums { .. } => get("/api/v1/premium/query", 3, Public, MEDIUM),
                Query::ServiceStatus => get("/api/v1/status", 4, Public, SMALL),
                Query::Orders { .. } => get("/api/v1/orders", 2, Signed, LARGE),
                Query::StopOrders { .. } => get("/api/v1/stopOrders", 6, Signed, LARGE),
                Query::Positions => get("/api/v1/positions", 2, Signed, LARGE),
                Query::Position { .. } => get("/api/v2/position", 2, Signed, SMALL),
                Query::AccountOverview { .. } => get("/api/v1/account-overview", 5, Signed, SMALL),
                Query::RecentFills => get("/api/v1/recentFills", 3, Signed, LARGE),
                Query::Fills { .. } => get("/api/v1/fills", 5, Signed, LARGE),
            },
        }
    }

    /// Writes path and query behind a base. Nothing in them needs an escape: symbols and currencies consist
    /// of letters, digits, dots, dashes and underscores.
    pub(crate) fn write(&self, url: &mut String) {
        let path = self.route().path;
        if let Some((before, behind)) = path.split_once("{}") {
            url.push_str(before);
            self.with_symbol(|symbol| url.push_str(symbol));
            url.push_str(behind);
            return;
        }
        url.push_str(path);
        let mut parameters = Parameters { url, has_any: false };
        self.with_symbol(|symbol| parameters.text("symbol", symbol));
        if let Self::Query(query) = self {
            query.write(&mut parameters);
        }
    }

    fn with_symbol(&self, mut take: impl FnMut(&str)) {
        match self {
            Self::Snapshot(symbol) => take(symbol),
            Self::Query(query) => {
                if let Some(symbol) = query.symbol() {
                    take(symbol.as_str());
                }
            }
            Self::BulletPublic | Self::BulletPrivate => {}
        }
    }
}

impl Query {
    /// The contract, index or rate that it is about, if it is about one.
    #[must_use]
    pub const fn symbol(&self) -> Option<crate::Symbol> {
        match self {
            Self::Contract { symbol }
            | Self::Ticker { symbol }
            | Self::Depth20 { symbol }
            | Self::Depth100 { symbol }
            | Self::Trades { symbol }
            | Self::Klines { symbol, .. }
            | Self::MarkPrice { symbol }
            | Self::FundingRate { symbol }
            | Self::FundingHistory { symbol, .. }
            | Self::IndexPrices { symbol, .. }
            | Self::InterestRates { symbol, .. }
            | Self::Premiums { symbol, .. }
            | Self::Position { symbol } => Some(*symbol),
            Self::Orders { symbol, .. }
            | Self::StopOrders { symbol, .. }
            | Self::Fills { symbol, .. } => *symbol,
            Self::ServerTime
            | Self::Contracts
            | Self::AllTickers
            | Self::ServiceStatus
            | Self::Positions
            | Self::AccountOverview { .. }
            | Self::RecentFills => None,
        }
    }

    /// Its parameters besides the symbol.
    fn write(&self, to: &mut Parameters<'_>) {
        match self {
            Self::Klines { granularity, range, .. } => {
                to.number("granularity", Some(granularity.minutes()));
                to.range("from", "to", *range);
            }
            Self::FundingHistory { from, to: end, .. } => {
                to.range("from", "to", TimeRange { from: Some(*from), to: Some(*end) });
            }
            Self::IndexPrices { part, .. }
            | Self::InterestRates { part, .. }
            | Self::Premiums { part, .. } => {
                let SeriesPart { range, offset, max_count } = *part;
                to.range("startAt", "endAt", range);
                to.number("offset", offset.map(UnixNanos::as_millis));
                to.number("maxCount", max_count);
            }
            Self::Orders { page, .. } => {
                to.text("status", "active");
                to.page(*page);
            }
            Self::StopOrders { page, .. } => to.page(*page),
            Self::Fills { range, page, .. } => {
                to.range("startAt", "endAt", *range);
                to.page(*page);
            }
            Self::AccountOverview { currency } => to.text("currency", currency.as_str()),
            Self::ServerTime
            | Self::Contracts
            | Self::Contract { .. }
            | Self::Ticker { .. }
            | Self::AllTickers
            | Self::Depth20 { .. }
            | Self::Depth100 { .. }
            | Self::Trades { .. }
            | Self::MarkPrice { .. }
            | Self::FundingRate { .. }
            | Self::ServiceStatus
            | Self::Positions
            | Self::Position { .. }
            | Self::RecentFills => {}
        }
    }
}

/// Parameters behind a path.
struct Parameters<'a> {
    url: &'a mut String,
    has_any: bool,
}

impl Parameters<'_> {
    fn text(&mut self, name: &str, value: &str) {
        self.url.push(if core::mem::replace(&mut self.has_any, true) { '&' } else { '?' });
        self.url.push_str(name);
        self.url.push('=');
        self.url.push_str(value);
    }

    fn number(&mut self, name: &str, value: Option<impl Into<u64>>) {
        if let Some(value) = value {
            self.text(name, "");
            // Writing into a string does not fail.
            let _ = write!(self.url, "{}", value.into());
        }
    }

    fn range(&mut self, from: &str, to: &str, range: TimeRange) {
        self.number(from, range.from.map(UnixNanos::as_millis));
        self.number(to, range.to.map(UnixNanos::as_millis));
    }

    fn page(&mut self, page: PageNumber) {
        self.number("currentPage", page.number);
        self.number("pageSize", page.size);
    }
}
