//! The REST side: a pure function of the request and the exchange's state.

use std::net::IpAddr;
use std::time::Duration;

use kucoin_futures_proto::{Instant, Symbol};

use crate::account::Permission;
use crate::exchange::{Exchange, percent_decode};
use crate::quota::QUOTA;
use crate::trouble::HttpTrouble;

mod books;
mod candles;
mod contracts;
mod indices;
mod tokens;

/// An HTTP request, as far as the exchange looks at it.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Request<'a> {
    /// Upper case.
    pub method: &'a str,
    /// With the query.
    pub target: &'a str,
    /// Names in any case.
    pub headers: &'a [(&'a str, &'a str)],
    /// As sent.
    pub body: &'a str,
    /// Where it comes from, if that is known: keys may be bound to addresses, and weight is counted by them.
    pub peer: Option<IpAddr>,
}

impl<'a> Request<'a> {
    /// A request without headers and body.
    #[must_use]
    pub const fn new(method: &'a str, target: &'a str) -> Self {
        Self { method, target, headers: &[], body: "", peer: None }
    }

    /// The same with headers.
    #[must_use]
    pub const fn with_headers(self, headers: &'a [(&'a str, &'a str)]) -> Self {
        Self { headers, ..self }
    }

    /// The same with a body.
    #[must_use]
    pub const fn with_body(self, body: &'a str) -> Self {
        Self { body, ..self }
    }

    /// The same from an address.
    #[must_use]
    pub const fn with_peer(self, peer: IpAddr) -> Self {
        Self { peer: Some(peer), ..self }
    }

    /// The target without its query.
    #[must_use]
    pub fn path(&self) -> &'a str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// A query parameter, as it was sent.
    #[must_use]
    pub fn query(&self, name: &str) -> Option<&'a str> {
        let (_, query) = self.target.split_once('?')?;
        query.split('&').filter_map(|pair| pair.split_once('=')).find(|p| p.0 == name).map(|p| p.1)
    }

    /// A query parameter, decoded; `None` if it is empty.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<String> {
        self.query(name).map(percent_decode).filter(|value| !value.is_empty())
    }

    /// The parameter `symbol`, if it is one.
    #[must_use]
    pub fn symbol(&self) -> Option<Symbol> {
        self.parameter("symbol")?.parse().ok()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&'a str> {
        self.headers
            .iter()
            .find(|header| header.0.eq_ignore_ascii_case(name))
            .map(|header| header.1)
    }
}

/// What is answered.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// `application/json`, or `text/html` for pages from the edge.
    pub content_type: &'static str,
    /// Rate limits, where the exchange says them.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: String,
    /// The time from each byte of the body to the next; `None`: all at once.
    pub drip: Option<Duration>,
    /// How late it is sent.
    pub delay: Duration,
    /// Whether it arrives at all.
    pub fate: ResponseFate,
}

/// What becomes of an answer on its way.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[allow(clippy::exhaustive_enums, reason = "whoever carries answers must know them all")]
pub enum ResponseFate {
    /// It arrives.
    #[default]
    Whole,
    /// The connection was refused: there is none.
    Refused,
    /// It never comes.
    Never,
    /// It is cut off in the middle.
    Cut,
    /// It has more bytes than anyone should read.
    Giant,
}

impl Response {
    /// There is no such path.
    #[must_use]
    pub fn not_found() -> Self {
        let body = r#"{"code":"404","msg":"Not Found","retry":false,"success":false}"#;
        Self::json(404, body.into())
    }

    /// There is no such contract: for books, tickers and trades.
    #[must_use]
    pub fn invalid_symbol() -> Self {
        Self::refused(200, "200003", "Invalid symbol.")
    }

    /// This body.
    #[must_use]
    pub fn json(status: u16, body: String) -> Self {
        Self {
            status,
            content_type: "application/json",
            headers: Vec::new(),
            body,
            drip: None,
            delay: Duration::ZERO,
            fate: ResponseFate::Whole,
        }
    }

    /// What was asked for: the JSON of `data`.
    #[must_use]
    pub fn data(data: &str) -> Self {
        Self::json(200, format!(r#"{{"code":"200000","data":{data}}}"#))
    }

    fn page(status: u16, body: &str) -> Self {
        Self { content_type: "text/html", ..Self::json(status, body.into()) }
    }

    /// An engine that is being restarted, for a snapshot.
    pub(crate) fn restarting() -> Self {
        Self::refused(200, "300000", "The system is being upgraded.")
    }

    /// An error; `text` as it stands in a JSON string. Business errors come with HTTP 200 as often as not, and with
    /// either key first.
    #[must_use]
    pub fn refused(status: u16, code: &str, text: &str) -> Self {
        Self::json(status, format!(r#"{{"msg":"{text}","code":"{code}"}}"#))
    }
}

pub(crate) fn limit_headers(left: u32, reset: Duration) -> Vec<(&'static str, String)> {
    vec![
        ("gw-ratelimit-limit", QUOTA.to_string()),
        ("gw-ratelimit-remaining", left.to_string()),
        ("gw-ratelimit-reset", reset.as_millis().to_string()),
    ]
}

pub(crate) fn too_many(headers: Vec<(&'static str, String)>) -> Response {
    Response { headers, ..Response::refused(429, "429000", "Too Many Requests") }
}

const SERVER_ERRORS: [u16; 4] = [500, 502, 503, 504];
/// What comes with HTTP 200: broken over there, too many requests, and a location that is not served.
const API_ERRORS: [(&str, &str); 4] = [
    ("500000", "Internal Server Error"),
    ("200002", "Too Many Requests"),
    ("429000", "Too Many Requests"),
    ("400302", "This service is not available in your country."),
];

const PAGE: &str =
    "<!DOCTYPE html><html><head><title>Just a moment</title></head><body>Please wait</body></html>";

impl Exchange {
    /// Answers a REST request.
    pub fn http(&mut self, now: Instant, request: &Request<'_>) -> Response {
        self.tick(now);
        if request.path() == "/_sim/digest" {
            return self.digest_page(request);
        }
        self.counts.requests += 1;
        let Some((trouble, word, by)) = self.troubles.take_http() else {
            return self.answer(now, request);
        };
        self.strike(word, request.symbol());
        match trouble {
            HttpTrouble::Refused => {
                Response { fate: ResponseFate::Refused, ..Response::page(503, "") }
            }
            HttpTrouble::Never => Response { fate: ResponseFate::Never, ..Response::page(503, "") },
            HttpTrouble::Html => Response::page(200, PAGE),
            HttpTrouble::Empty => Response::json(200, String::new()),
            HttpTrouble::TooMany => too_many(limit_headers(0, by)),
            HttpTrouble::TooManyBare => too_many(Vec::new()),
            HttpTrouble::Forbidden => Response::page(403, PAGE),
            HttpTrouble::Banned => Response::page(429, "error code: 1015"),
            HttpTrouble::ServerError => {
                let at = self.rng.below(SERVER_ERRORS.len() as u64) as usize;
                Response::page(SERVER_ERRORS.get(at).copied().unwrap_or(500), PAGE)
            }
            HttpTrouble::ApiError => {
                let at = self.rng.below(API_ERRORS.len() as u64) as usize;
                let error = API_ERRORS.get(at).copied();
                let (code, text) = error.unwrap_or(("500000", "Internal Server Error"));
                Response::refused(200, code, text)
            }
            HttpTrouble::Giant => {
                Response { fate: ResponseFate::Giant, ..self.answer(now, request) }
            }
            HttpTrouble::Cut => Response { fate: ResponseFate::Cut, ..self.answer(now, request) },
            HttpTrouble::Late => Response { delay: by, ..self.answer(now, request) },
            HttpTrouble::Drip => Response { drip: Some(by), ..self.answer(now, request) },
        }
    }

    fn answer(&mut self, now: Instant, request: &Request<'_>) -> Response {
        let path = request.path();
        let weight = weight(path);
        if path == "/api/v1/timestamp" {
            // Listed with a weight, but answered without the headers.
            return Response::data(&self.unix(now).as_millis().to_string());
        }
        if let Some(response) = self.private(now, request) {
            return response;
        }
        let (fits, left, reset) = self.quotas.entry(request.peer).or_default().take(now, weight);
        if !fits {
            return too_many(limit_headers(left, reset));
        }
        Response { headers: limit_headers(left, reset), ..self.route(now, request) }
    }

    fn route(&mut self, now: Instant, request: &Request<'_>) -> Response {
        match (request.method, request.path()) {
            ("POST", "/api/v1/bullet-public") => Response::data(&self.bullet(now, None)),
            ("GET", path) => self.get(now, path, request),
            _ if is_signed(request.path()) => self
                .signer(now, request, Permission::General)
                .err()
                .unwrap_or_else(Response::not_found),
            _ => Response::not_found(),
        }
    }

    fn get(&mut self, now: Instant, path: &str, request: &Request<'_>) -> Response {
        match path {
            "/api/v1/level2/snapshot" => {
                self.snapshot(now, request, self.config.snapshot_levels, true)
            }
            "/api/v1/level2/depth20" => self.snapshot(now, request, 20, false),
            "/api/v1/level2/depth100" => self.snapshot(now, request, 100, false),
            "/api/v1/level2/depth50" => {
                Response::json(404, r#"{"code":"404","msg":"not exist"}"#.into())
            }
            "/api/v1/ticker" => self.ticker(now, request),
            "/api/v1/allTickers" => self.tickers(now),
            "/api/v1/trade/history" => self.trades(request),
            "/api/v1/contracts/active" => self.contracts(now),
            "/api/v1/kline/query" => self.candles(request),
            "/api/v1/contract/funding-rates" => self.funding_rates(now, request),
            "/api/v1/index/query" => self.index_query(now, request),
            "/api/v1/interest/query" => self.interest_query(now, request),
            "/api/v1/premium/query" => self.premium_query(now, request),
            "/api/v1/status" => Response::data(r#"{"msg":"","status":"open"}"#),
            path if is_signed(path) => self
                .signer(now, request, Permission::General)
                .err()
                .unwrap_or_else(Response::not_found),
            path => {
                let symbol = |head: &str, tail: &str| {
                    path.strip_prefix(head)?.strip_suffix(tail).filter(|key| !key.contains('/'))
                };
                if let Some(symbol) = symbol("/api/v1/contracts/", "") {
                    self.contract(now, symbol)
                } else if let Some(symbol) = symbol("/api/v1/mark-price/", "/current") {
                    self.mark_price(now, symbol)
                } else if let Some(symbol) = symbol("/api/v1/funding-rate/", "/current") {
                    self.funding_rate(now, symbol)
                } else {
                    Response::not_found()
                }
            }
        }
    }
}

/// As the page of each call has it (2025). `timestamp` is listed with 2 and takes none.
pub(crate) fn weight(path: &str) -> u32 {
    match path {
        "/api/v1/bullet-public" => 10,
        "/api/v1/level2/depth20"
        | "/api/v1/level2/depth100"
        | "/api/v1/trade/history"
        | "/api/v1/allTickers"
        | "/api/v1/contract/funding-rates" => 5,
        "/api/v1/status" => 4,
        "/api/v1/ticker"
        | "/api/v1/index/query"
        | "/api/v1/interest/query"
        | "/api/v1/premium/query" => 2,
        path if path.starts_with("/api/v1/funding-rate/") => 2,
        _ => 3,
    }
}

/// What only an account may ask: refused without keys before anything else is looked at.
const SIGNED: [&str; 16] = [
    "/api/v1/orders",
    "/api/v3/orders",
    "/api/v1/st-orders",
    "/api/v1/stopOrders",
    "/api/v1/recentDoneOrders",
    "/api/v1/fills",
    "/api/v1/recentFills",
    "/api/v1/openOrderStatistics",
    "/api/v1/position",
    "/api/v2/",
    "/api/v1/history-positions",
    "/api/v1/account-overview",
    "/api/v1/transaction-history",
    "/api/v1/funding-history",
    "/api/v1/trade-fees",
    "/api/v1/margin/",
];

pub(crate) fn is_signed(path: &str) -> bool {
    SIGNED.iter().any(|head| path.starts_with(head))
        || path.starts_with("/api/v1/contracts/risk-limit/")
}
