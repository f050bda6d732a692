//! The REST side: a pure function of the request and the exchange's state.

use std::time::Duration;

use kucoin_futures_proto::auth::hmac_base64;
use kucoin_futures_proto::book::{Coverage, Level};
use kucoin_futures_proto::wire::Side;
use kucoin_futures_proto::{Decimal, Instant, Lots, Price, Sequence, Symbol};
use serde_json::Value;

use crate::contract::java;
use crate::contract::row::Present;
use crate::exchange::Exchange;
use crate::market::Market;
use crate::quota::QUOTA;
use crate::trade::Trade;
use crate::trouble::HttpTrouble;
use crate::truth::Truth;

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
}

impl<'a> Request<'a> {
    /// A request without headers and body.
    #[must_use]
    pub const fn new(method: &'a str, target: &'a str) -> Self {
        Self { method, target, headers: &[], body: "" }
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

    fn path(&self) -> &'a str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// A query parameter. Values here never need decoding.
    fn query(&self, name: &str) -> Option<&'a str> {
        let (_, query) = self.target.split_once('?')?;
        query.split('&').filter_map(|pair| pair.split_once('=')).find(|p| p.0 == name).map(|p| p.1)
    }

    fn header(&self, name: &str) -> Option<&'a str> {
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
    fn json(status: u16, body: String) -> Self {
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

    fn data(data: &str) -> Self {
        Self::json(200, format!(r#"{{"code":"200000","data":{data}}}"#))
    }

    fn page(status: u16, body: &str) -> Self {
        Self { content_type: "text/html", ..Self::json(status, body.into()) }
    }

    /// Business errors come with HTTP 200 as often as not, and with either key first.
    /// An engine that is being restarted, for a snapshot.
    pub(crate) fn restarting() -> Self {
        Self::refused(200, "300000", "The system is being upgraded.")
    }

    fn refused(status: u16, code: &str, text: &str) -> Self {
        Self::json(status, format!(r#"{{"msg":"{text}","code":"{code}"}}"#))
    }
}

/// A signed request's time may be off by this much.
const CLOCK_TOLERANCE_MS: u64 = 5_000;

fn limit_headers(left: u32, reset: Duration) -> Vec<(&'static str, String)> {
    vec![
        ("gw-ratelimit-limit", QUOTA.to_string()),
        ("gw-ratelimit-remaining", left.to_string()),
        ("gw-ratelimit-reset", reset.as_millis().to_string()),
    ]
}

fn too_many(headers: Vec<(&'static str, String)>) -> Response {
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
        self.strike(word, request.query("symbol").and_then(|s| s.parse().ok()));
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
        let weight = match path {
            "/api/v1/bullet-public" | "/api/v1/bullet-private" => 10,
            "/api/v1/level2/depth20" | "/api/v1/level2/depth100" | "/api/v1/trade/history" => 5,
            "/api/v1/status" => 4,
            "/api/v1/ticker" => 2,
            _ => 3,
        };
        if path == "/api/v1/timestamp" {
            // Listed with a weight, but answered without the headers.
            return Response::data(&self.unix(now).as_millis().to_string());
        }
        let (fits, left, reset) = self.quota.take(now, weight);
        if !fits {
            return too_many(limit_headers(left, reset));
        }
        Response { headers: limit_headers(left, reset), ..self.route(now, request) }
    }

    fn route(&mut self, now: Instant, request: &Request<'_>) -> Response {
        match (request.method, request.path()) {
            ("POST", "/api/v1/bullet-public") => self.bullet(now, false),
            ("POST", "/api/v1/bullet-private") => match self.check_signature(now, request) {
                Ok(()) => self.bullet(now, true),
                Err(refusal) => refusal,
            },
            ("GET", "/api/v1/level2/snapshot") => {
                self.snapshot(now, request, self.config.snapshot_levels, true)
            }
            ("GET", "/api/v1/level2/depth20") => self.snapshot(now, request, 20, false),
            ("GET", "/api/v1/level2/depth100") => self.snapshot(now, request, 100, false),
            ("GET", "/api/v1/ticker") => self.ticker(now, request),
            ("GET", "/api/v1/trade/history") => self.trades(request),
            ("GET", "/api/v1/contracts/active") => self.contracts(now),
            ("GET", "/api/v1/status") => Response::data(r#"{"msg":"","status":"open"}"#),
            ("GET", path) if path.starts_with("/api/v1/contracts/") => self.contract(now, path),
            _ => Response::json(
                404,
                r#"{"code":"404","msg":"Not Found","retry":false,"success":false}"#.into(),
            ),
        }
    }

    fn bullet(&mut self, now: Instant, private: bool) -> Response {
        let token = self.tokens.issue(now, &mut self.rng, private);
        self.counts.tokens += 1;
        let servers = self.instance_servers();
        Response::data(&format!(r#"{{"token":"{token}","instanceServers":[{servers}]}}"#))
    }

    fn instance_servers(&mut self) -> String {
        let absurd = self.troubles.absurd_pings.take().map(|_| {
            self.strike("absurd-pings", None);
            let at = self.rng.below(ABSURD.len() as u64) as usize;
            ABSURD.get(at).copied().unwrap_or("0")
        });
        let (interval, timeout) = (self.config.ping_interval, self.config.ping_timeout);
        let pings = absurd.map_or_else(
            || {
                let (interval, timeout) = (interval.as_millis(), timeout.as_millis());
                format!(r#","pingInterval":{interval},"pingTimeout":{timeout}"#)
            },
            |absurd| match absurd {
                "" => String::new(),
                absurd => format!(r#","pingInterval":{absurd},"pingTimeout":{absurd}"#),
            },
        );
        let (endpoint, encrypt) = (&self.config.endpoint, self.config.endpoint.starts_with("wss"));
        let good = format!(
            r#"{{"endpoint":"{endpoint}","encrypt":{encrypt},"protocol":"websocket"{pings}}}"#
        );
        let bad = BAD_ENDPOINTS.map(|endpoint| {
            let endpoint = Value::from(endpoint);
            format!(r#"{{"endpoint":{endpoint},"encrypt":true,"protocol":"websocket"{pings}}}"#)
        });
        if self.troubles.only_bad_servers.take().is_some() {
            self.strike("only-bad-servers", None);
            bad.join(",")
        } else if self.troubles.bad_servers.take().is_some() {
            self.strike("bad-servers", None);
            format!("{},{good}", bad.join(","))
        } else {
            good
        }
    }

    /// In the exchange's own order: headers, time, key, passphrase, signature.
    fn check_signature(&self, now: Instant, request: &Request<'_>) -> Result<(), Response> {
        let header = |name| {
            request.header(name).ok_or_else(|| {
                let text = "Please check the header of your request for KC-API-KEY, KC-API-SIGN, KC-API-TIMESTAMP, KC-API-PASSPHRASE.";
                Response::refused(400, "400001", text)
            })
        };
        let (key, sign) = (header("KC-API-KEY")?, header("KC-API-SIGN")?);
        let (time, passphrase) = (header("KC-API-TIMESTAMP")?, header("KC-API-PASSPHRASE")?);
        let version = request.header("KC-API-KEY-VERSION").unwrap_or("1");
        let refused = |code, text| Err(Response::refused(400, code, text));
        let server_ms = self.unix(now).as_millis();
        if time.parse::<u64>().map_or(true, |ms| ms.abs_diff(server_ms) > CLOCK_TOLERANCE_MS) {
            return refused("400002", "Invalid KC-API-TIMESTAMP");
        }
        let account = &self.config.account;
        if key != account.key {
            return refused("400003", "KC-API-KEY not exists");
        }
        match version {
            "2" | "3" => {}
            "1" => return refused("400008", "The V1 key is no longer supported by this API"),
            _ => return refused("400009", "Invalid KC-API-KEY-VERSION"),
        }
        if passphrase != hmac_base64(&account.secret, &account.passphrase) {
            return refused("400004", "Invalid KC-API-PASSPHRASE");
        }
        let text = format!("{time}{}{}{}", request.method, request.target, request.body);
        if sign != hmac_base64(&account.secret, &text) {
            return refused("400005", "Invalid KC-API-SIGN");
        }
        Ok(())
    }

    fn snapshot(
        &mut self,
        now: Instant,
        request: &Request<'_>,
        levels: usize,
        may_be_stale: bool,
    ) -> Response {
        let symbol = request.query("symbol").and_then(|symbol| symbol.parse().ok());
        let Some(market) = symbol.and_then(|symbol: Symbol| self.markets.get(&symbol)) else {
            return Response::refused(200, "200003", "Invalid symbol.");
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
        if !(may_be_stale && self.troubles.stale.take(name)) {
            let body = snapshot_body(market, sequence, market.truth(), levels, stated(ts));
            return Response::data(&body);
        }
        let (past, truth, at) = market.past(self.stale_by(name, market));
        let body = snapshot_body(market, past, &truth, levels, stated(at.unwrap_or(ts)));
        self.on_stale_snapshot(name, past);
        Response::data(&body)
    }

    fn ticker(&self, now: Instant, request: &Request<'_>) -> Response {
        let symbol = request.query("symbol").and_then(|symbol| symbol.parse::<Symbol>().ok());
        let Some(market) = symbol.and_then(|symbol| self.markets.get(&symbol)) else {
            return Response::refused(200, "200003", "Invalid symbol.");
        };
        let best = |side| market.truth().levels(side).next().unwrap_or(NOTHING);
        let touch = [best(Side::Bid), best(Side::Ask)];
        // Before the first trade: something of the right shape.
        let last = market.trades().next_back().cloned();
        let last = last.unwrap_or_else(|| Trade::none(touch[0].price, self.unix(now)));
        Response::data(&last.ticker_data(market.contract().symbol, touch))
    }

    /// The last 100, newest first.
    fn trades(&self, request: &Request<'_>) -> Response {
        let symbol = request.query("symbol").and_then(|symbol| symbol.parse::<Symbol>().ok());
        let Some(market) = symbol.and_then(|symbol| self.markets.get(&symbol)) else {
            return Response::refused(200, "200003", "Invalid symbol.");
        };
        let rows: Vec<String> = market.trades().rev().map(Trade::history_row).collect();
        Response::data(&format!("[{}]", rows.join(",")))
    }

    fn contracts(&self, now: Instant) -> Response {
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

    fn contract(&self, now: Instant, path: &str) -> Response {
        let symbol = path.rsplit('/').next().and_then(|name| name.parse::<Symbol>().ok());
        match symbol.and_then(|symbol| self.markets.get(&symbol)) {
            Some(market) => Response::data(&self.contract_row(now, market)),
            None => {
                let text = "The contract information you requested does not exist.";
                Response::refused(200, "404000", text)
            }
        }
    }

    /// Not the exchange's: for checks from outside. Answers at once, faults or not.
    fn digest_page(&self, request: &Request<'_>) -> Response {
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

/// Where nobody should go who was promised KuCoin.
const BAD_ENDPOINTS: [&str; 6] = [
    "wss://ws-api-futures.kucoin.com.evil.example/endpoint",
    "wss://evilkucoin.com/",
    "ws://ws-api-futures.kucoin.com/",
    "wss://kucoin.com@203.0.113.7/",
    "https://127.0.0.1/",
    "wss://127.0.0.1\r\nX: y/",
];
/// What token responses say when they make no sense; nothing at all among it.
const ABSURD: [&str; 7] = ["0", "1", "-1", "18446744073709551616", "\"18000\"", "null", ""];

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

fn number(price: Price) -> String {
    java(Decimal::from(price))
}
