//! What is held against requests: how often, how many at a time, and what tokens say.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use kucoin_futures_proto::{Config, Instant, RequestId, RestRequest, Sign, Symbol};
use serde_json::Value;

use super::topics::{SECOND, Verdict};
use super::window::Window;
use crate::rest::Response;

/// What is known of a client's requests.
#[derive(Debug)]
pub(super) struct Fetches {
    tokens: Window,
    weights: Window,
    asked: BTreeMap<Symbol, Instant>,
    in_flight: BTreeMap<RequestId, (Asked, Instant)>,
    /// Until when the exchange asked for quiet: its public side, and that of the account.
    blocked_until: [Instant; 2],
    /// Requests that were signed.
    signed: BTreeSet<RequestId>,
    /// The same, with answers to requests that the client may have given up.
    may_wait_until: Instant,
    /// What each token that was granted says of pings.
    granted: BTreeMap<String, Pings>,
}

/// What a request is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Asked {
    Token,
    Snapshot,
    Other,
}

/// What a token response says of pings.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Pings {
    pub(super) interval: Duration,
    pub(super) timeout: Duration,
}

/// Whatever a token response says, pings and pongs may not take longer.
const LONGEST_PINGS: Duration = Duration::from_secs(60);
/// Bounds for how long the exchange may tell us to stay away.
const SHORTEST_STAY: Duration = SECOND;
pub(super) const LONGEST_STAY: Duration = Duration::from_secs(300);
/// An adapter gives up a request at its time, the client a second later.
const REQUEST_SLACK: Duration = SECOND;

impl Fetches {
    pub(super) fn new(config: &Config) -> Self {
        let minute = Duration::from_secs(60);
        Self {
            tokens: Window::new(config.budgets.tokens_per_min.into(), minute),
            weights: Window::new(config.budgets.rest_weight_per_30s.into(), minute / 2),
            asked: BTreeMap::new(),
            in_flight: BTreeMap::new(),
            blocked_until: [Instant::ZERO; 2],
            signed: BTreeSet::new(),
            may_wait_until: Instant::ZERO,
            granted: BTreeMap::new(),
        }
    }

    /// Until when the exchange may have asked for quiet.
    pub(super) const fn may_wait_until(&self) -> Instant {
        self.may_wait_until
    }

    /// What a token says of pings.
    pub(super) fn pings(&self, token: &str) -> Pings {
        self.granted.get(token).copied().unwrap_or(Pings::LONGEST)
    }

    pub(super) fn on_reply(
        &mut self,
        at: Instant,
        (request, reply): (RequestId, &Response),
        config: &Config,
    ) {
        let known = self.in_flight.remove(&request);
        let was_signed = self.signed.remove(&request);
        let reset = reply.headers.iter().find(|(name, _)| *name == "gw-ratelimit-reset");
        let reset = reset.filter(|_| reply.status == 429).and_then(|(_, ms)| ms.parse().ok());
        let stay = reset.map(|ms| Duration::from_millis(ms).clamp(SHORTEST_STAY, LONGEST_STAY));
        let until = stay.map_or(Instant::ZERO, |stay| at + stay);
        self.may_wait_until = self.may_wait_until.max(until);
        let limit = config.timeouts.fetch + REQUEST_SLACK;
        // What came too late the client may have given up, or not: nothing is known of such a token.
        let Some((asked, _)) = known.filter(|(_, since)| *since + limit > at) else { return };
        // Whichever of them an edge without a code means, it means at least this one.
        if let Some(blocked) = self.blocked_until.get_mut(usize::from(was_signed)) {
            *blocked = until.max(*blocked);
        }
        if asked == Asked::Token {
            let body: Value = serde_json::from_str(&reply.body).unwrap_or_default();
            let token = body.pointer("/data/token").and_then(Value::as_str);
            self.granted.extend(token.map(|token| (token.into(), Pings::of(&body))));
        }
    }

    pub(super) fn on_failed(&mut self, request: RequestId) {
        self.in_flight.remove(&request);
    }

    /// Something is asked for; `excused` if whoever drives the client may be to blame.
    pub(super) fn on_fetch(
        &mut self,
        (at, late, excused): (Instant, bool, bool),
        fetch: &RestRequest,
        config: &Config,
    ) -> Verdict {
        let is_signed = fetch.sign() != Sign::No;
        if is_signed {
            self.signed.insert(fetch.request());
        }
        let blocked = self.blocked_until.get(usize::from(is_signed));
        if blocked.is_some_and(|until| at < *until) && !excused {
            return Err(format!("asked for {} while told to stay away", fetch.path()));
        }
        let symbol = fetch.path().strip_prefix("/api/v1/level2/snapshot?symbol=");
        let symbol = symbol.and_then(|symbol| symbol.parse::<Symbol>().ok());
        let is_token = fetch.path().starts_with("/api/v1/bullet");
        let asked = match symbol {
            Some(_) => Asked::Snapshot,
            None if is_token => Asked::Token,
            None => Asked::Other,
        };
        self.note(at, late, fetch, asked);
        let snapshots = self.in_flight.values().filter(|(a, _)| *a == Asked::Snapshot).count();
        if snapshots > config.budgets.snapshots_in_flight && !excused {
            return Err(format!("{snapshots} snapshots in flight"));
        }
        let last = symbol.and_then(|symbol| self.asked.insert(symbol, at));
        if late {
            self.asked.clear();
            self.tokens.clear();
            self.weights.clear();
            return Ok(());
        }
        let spacing = config.book.snapshot_spacing;
        if last.is_some_and(|last| at.since(last) < spacing) {
            return Err(format!("two snapshots within {spacing:?}: {}", fetch.path()));
        }
        if is_token && self.tokens.exceeds(at, 1) {
            return Err("too many tokens in a minute".into());
        }
        if !is_signed && self.weights.exceeds(at, if is_token { 10 } else { 3 }) {
            return Err("more REST weight in 30 s than there is".into());
        }
        Ok(())
    }

    /// A request is on its way.
    fn note(&mut self, at: Instant, late: bool, fetch: &RestRequest, asked: Asked) {
        let limit = fetch.timeout() + REQUEST_SLACK;
        self.in_flight.retain(|_, (_, since)| *since + limit > at);
        // The client may have given up by itself what was sent so late.
        if !late {
            self.in_flight.insert(fetch.request(), (asked, at));
        }
    }
}

impl Pings {
    const LONGEST: Self = Self { interval: LONGEST_PINGS, timeout: LONGEST_PINGS };

    /// What a token response says of pings, where it makes sense; else the longest that may come of it.
    fn of(body: &Value) -> Self {
        let servers = body.pointer("/data/instanceServers").and_then(Value::as_array);
        let last = servers.and_then(|servers| servers.last());
        let said = |name: &str| {
            let said = last.and_then(|server| server.get(name)).and_then(Value::as_u64);
            match said.map(Duration::from_millis) {
                Some(said) if (SECOND..=LONGEST_PINGS).contains(&said) => said,
                _ => LONGEST_PINGS,
            }
        };
        Self { interval: said("pingInterval"), timeout: said("pingTimeout") }
    }
}
