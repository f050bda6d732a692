//! All REST requests of a client, under their shared budgets: tokens first, then snapshots, then
//! what the user asked for.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::vec::Vec;
use core::time::Duration;

use serde_json::value::RawValue;

use crate::config::Config;
use crate::context::Context;
use crate::error::Misuse;
use crate::event::{Event, RestError};
use crate::ids::{LineId, RequestId, Symbol, TopicId};
use crate::input::ResponseHead;
use crate::limiter::SlidingWindow;
use crate::output::Output;
use crate::query::{Pool, Query, Resource};
use crate::rest_request::RestRequest;
use crate::session::clamp_stay;
use crate::time::Instant;
use crate::timers::Timer;
use crate::wire::{api_data, edge_code, refusal_text};

/// What a request in flight is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Purpose {
    Token(LineId),
    Snapshot(TopicId),
    Query(Query),
}

#[derive(Clone)]
pub(crate) struct RestScheduler {
    public: Budget,
    signed: Budget,
    tokens: SlidingWindow,
    /// Connection attempts; kept here because every attempt begins with a token.
    pub(crate) connects: SlidingWindow,
    in_flight: BTreeMap<RequestId, Purpose>,
    snapshots_in_flight: usize,
    queries_in_flight: usize,
    lines: VecDeque<LineId>,
    snapshots: BTreeSet<TopicId>,
    /// Snapshots that were asked for and whose books do not know it yet.
    asked: Vec<(TopicId, RequestId)>,
    /// Something changed since the budgets were last looked at.
    stirred: bool,
}

/// What may be asked for out of a pool, and what waits for that.
#[derive(Clone)]
struct Budget {
    weights: SlidingWindow,
    blocked_until: Instant,
    queries: VecDeque<(RequestId, Query)>,
}

/// A book that waits for its turn to ask for a snapshot.
pub(crate) struct Demand {
    pub(crate) symbol: Symbol,
    pub(crate) urgency: Urgency,
}

/// Which of the books that wait is the first to ask.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Urgency {
    /// It is live, and to be held against the snapshot. Half of the budget is left to others.
    Audit,
    /// It keeps so many deltas meanwhile: the fullest buffer is closest to overflowing.
    Buffered(usize),
}

/// Both pools count over this time.
const WEIGHT_SPAN: Duration = Duration::from_secs(30);
const MINUTE: Duration = Duration::from_secs(60);
/// An adapter that overruns the time for a request by this much will not answer any more.
const SLACK: Duration = Duration::from_secs(1);
/// Most jitter on top of what a 429 asks for.
const RESET_JITTER: Duration = Duration::from_millis(250);

impl Budget {
    const fn new(weight: u32) -> Self {
        Self {
            weights: SlidingWindow::new(weight, WEIGHT_SPAN),
            blocked_until: Instant::ZERO,
            queries: VecDeque::new(),
        }
    }

    /// When something of this weight may be asked for, so that `reserve` is left to others.
    fn ready_at(&mut self, now: Instant, weight: u32, reserve: u32) -> Instant {
        self.weights.ready_at(now, weight, reserve).max(self.blocked_until)
    }
}

impl Purpose {
    /// Whose budget it counts against.
    fn pool(self) -> Pool {
        match self {
            Self::Token(_) | Self::Snapshot(_) => Pool::Public,
            Self::Query(query) => query.pool(),
        }
    }
}

impl RestScheduler {
    pub(crate) const fn new(config: &Config) -> Self {
        Self {
            public: Budget::new(config.budgets.rest_weight_per_30s),
            signed: Budget::new(config.budgets.signed_weight_per_30s),
            tokens: SlidingWindow::new(config.budgets.tokens_per_min, MINUTE),
            connects: SlidingWindow::new(config.budgets.connects_per_min, MINUTE),
            in_flight: BTreeMap::new(),
            snapshots_in_flight: 0,
            queries_in_flight: 0,
            lines: VecDeque::new(),
            snapshots: BTreeSet::new(),
            asked: Vec::new(),
            stirred: false,
        }
    }

    pub(crate) fn want_token(&mut self, line: LineId) {
        self.lines.push_back(line);
        self.stirred = true;
    }

    pub(crate) fn want_snapshot(&mut self, topic: TopicId) {
        self.snapshots.insert(topic);
        self.stirred = true;
    }

    pub(crate) fn want_query(
        &mut self,
        cx: &mut Context,
        query: Query,
    ) -> Result<RequestId, Misuse> {
        let waiting = self.public.queries.len().saturating_add(self.signed.queries.len());
        if waiting >= cx.config.queues.queries {
            return Err(Misuse::TooManyQueries);
        }
        let request = cx.new_request();
        self.budget(query.pool()).queries.push_back((request, query));
        self.stirred = true;
        Ok(request)
    }

    /// Ends every query that was not answered.
    pub(crate) fn close(&mut self, cx: &mut Context) {
        let asked = core::mem::take(&mut self.in_flight).into_iter();
        let asked = asked.filter(|(_, purpose)| matches!(purpose, Purpose::Query(_)));
        let [public, signed] = [&mut self.public, &mut self.signed]
            .map(|budget| core::mem::take(&mut budget.queries).into_iter());
        let waiting = public.chain(signed).map(|(request, _)| request);
        for request in asked.map(|(request, _)| request).chain(waiting) {
            cx.event(Event::QueryFailed { request, reason: RestError::Closed });
        }
    }

    /// A budget may have freed up.
    pub(crate) const fn stir(&mut self) {
        self.stirred = true;
    }

    /// Asks for all that the budgets allow, and sets the time to look again. `demand_of` says what the book
    /// of a topic waits for, `None` once it does not.
    #[inline]
    pub(crate) fn pump(&mut self, cx: &mut Context, demand_of: impl Fn(TopicId) -> Option<Demand>) {
        if core::mem::replace(&mut self.stirred, false) {
            self.pump_all(cx, demand_of);
        }
    }

    /// A book whose snapshot was asked for since this was last called, and the request.
    #[inline]
    pub(crate) fn poll_asked(&mut self) -> Option<(TopicId, RequestId)> {
        self.asked.pop()
    }

    fn pump_all(&mut self, cx: &mut Context, demand_of: impl Fn(TopicId) -> Option<Demand>) {
        let waits = [
            self.pump_tokens(cx),
            self.pump_snapshots(cx, demand_of),
            self.pump_queries(cx, Pool::Public),
            self.pump_queries(cx, Pool::Signed),
        ];
        match waits.into_iter().flatten().min() {
            Some(at) => cx.timers.set(Timer::RestScheduler, at),
            None => cx.timers.clear(Timer::RestScheduler),
        }
    }

    fn pump_tokens(&mut self, cx: &mut Context) -> Option<Instant> {
        while let Some(&line) = self.lines.front() {
            let resource = Resource::BulletPublic;
            let ready = self
                .public
                .ready_at(cx.now, resource.route().weight, 0)
                .max(self.tokens.ready_at(cx.now, 1, 0))
                .max(self.connects.ready_at(cx.now, 1, 0));
            // planted: tokens-unlimited
            if ready > cx.now {
                return Some(ready);
            }
            self.lines.pop_front();
            self.tokens.record(cx.now, 1);
            let request = cx.new_request();
            self.send(cx, request, Purpose::Token(line), resource);
        }
        None
    }

    fn pump_snapshots(
        &mut self,
        cx: &mut Context,
        demand_of: impl Fn(TopicId) -> Option<Demand>,
    ) -> Option<Instant> {
        self.snapshots.retain(|&topic| demand_of(topic).is_some());
        while self.snapshots_in_flight < cx.config.budgets.snapshots_in_flight {
            let idle = self.snapshots.iter().rev().filter(|&&topic| !self.is_asked(topic));
            let idle = idle.filter_map(|&topic| Some((topic, demand_of(topic)?)));
            let (topic, demand) = idle.max_by_key(|(_, demand)| demand.urgency)?;
            let reserve = match demand.urgency {
                Urgency::Audit => cx.config.budgets.rest_weight_per_30s / 2,
                Urgency::Buffered(_) => 0,
            };
            let resource = Resource::Snapshot(demand.symbol.as_str());
            let ready = self.public.ready_at(cx.now, resource.route().weight, reserve);
            if ready > cx.now {
                return Some(ready);
            }
            self.snapshots.remove(&topic);
            let request = cx.new_request();
            self.send(cx, request, Purpose::Snapshot(topic), resource);
            self.snapshots_in_flight = self.snapshots_in_flight.saturating_add(1);
            self.asked.push((topic, request));
        }
        None
    }

    /// A request whose answer is of no use any more is waited for all the same: one at a time.
    fn is_asked(&self, topic: TopicId) -> bool {
        self.in_flight.values().any(|purpose| *purpose == Purpose::Snapshot(topic))
    }

    fn pump_queries(&mut self, cx: &mut Context, pool: Pool) -> Option<Instant> {
        while self.queries_in_flight < cx.config.budgets.queries_in_flight {
            let budget = self.budget(pool);
            let &(request, query) = budget.queries.front()?;
            let resource = Resource::Query(query);
            let ready = budget.ready_at(cx.now, resource.route().weight, 0);
            if ready > cx.now {
                return Some(ready);
            }
            budget.queries.pop_front();
            self.queries_in_flight = self.queries_in_flight.saturating_add(1);
            self.send(cx, request, Purpose::Query(query), resource);
        }
        None
    }

    const fn budget(&mut self, pool: Pool) -> &mut Budget {
        match pool {
            Pool::Public => &mut self.public,
            Pool::Signed => &mut self.signed,
        }
    }

    fn send(
        &mut self,
        cx: &mut Context,
        request: RequestId,
        purpose: Purpose,
        resource: Resource<'_>,
    ) {
        let route = resource.route();
        self.budget(route.pool).weights.record(cx.now, route.weight);
        self.in_flight.insert(request, purpose);
        let timeout = cx.config.timeouts.fetch;
        // planted: endless-request
        cx.timers.set(Timer::Request(request), cx.now + timeout + SLACK);
        cx.effect(Output::Fetch(Box::new(RestRequest::new(
            request,
            &cx.config.endpoints.rest,
            timeout,
            resource,
        ))));
    }

    /// A request came to its end; `None` if it is not one of ours any more.
    pub(crate) fn finish(&mut self, cx: &mut Context, request: RequestId) -> Option<Purpose> {
        let purpose = self.in_flight.remove(&request)?;
        cx.timers.clear(Timer::Request(request));
        match purpose {
            Purpose::Token(_) => {}
            Purpose::Snapshot(_) => {
                self.snapshots_in_flight = self.snapshots_in_flight.saturating_sub(1);
            }
            Purpose::Query(_) => {
                self.queries_in_flight = self.queries_in_flight.saturating_sub(1);
            }
        }
        self.stirred = true;
        Some(purpose)
    }

    /// A refusal that names a time concerns everything that counts against the same quota. One of the edge, which
    /// knows no accounts, concerns everything that goes out from this address.
    pub(crate) fn on_failure(&mut self, cx: &mut Context, purpose: Purpose, failure: RestError) {
        cx.stats.failed_fetches = cx.stats.failed_fetches.saturating_add(1);
        if let RestError::RateLimited { retry_after: Some(stay), code, .. } = failure {
            let until = cx.now + clamp_stay(stay) + cx.rng.up_to(RESET_JITTER);
            let (pool, is_of_edge) = (purpose.pool(), code.is_none_or(|code| code == EDGE_LIMIT));
            for other in [Pool::Public, Pool::Signed] {
                if other == pool || is_of_edge {
                    let budget = self.budget(other);
                    // planted: wait-ignored
                    budget.blocked_until = budget.blocked_until.max(until);
                }
            }
        }
    }
}

/// The code of the edge's limiter, which counts by address.
const EDGE_LIMIT: u32 = 1015;

/// What a reply says; what the exchange says to a person goes with a refusal.
pub(crate) fn open_envelope<'a>(
    cx: &mut Context,
    head: ResponseHead,
    body: &'a [u8],
) -> Result<&'a RawValue, RestError> {
    parse_envelope(head, body).map_err(|failure| {
        let text = failure.refusal().and_then(|_| refusal_text(body));
        failure.with_words(text.and_then(|text| cx.words.keep(text.chars())))
    })
}

/// What a reply says, whichever way it says it.
pub(crate) fn parse_envelope(head: ResponseHead, body: &[u8]) -> Result<&RawValue, RestError> {
    /// 429000: quota used up; 200002: the older limiter.
    const TOO_MANY: [u32; 3] = [429_000, 200_002, EDGE_LIMIT];
    let (data, status, words) = (api_data(body), head.status(), None);
    let code = match data {
        Ok(Ok(_)) => None,
        Ok(Err(code)) => Some(code),
        Err(_) => edge_code(body),
    };
    let limited = RestError::RateLimited { retry_after: head.retry_after(), status, code, words };
    match (data, status) {
        (Ok(Ok(data)), 200) => Ok(data),
        (_, 429) => Err(limited),
        // Whoever says how long works, and wants to be left alone.
        (_, 503) if head.retry_after().is_some() => Err(limited),
        (Ok(Err(code)), _) if TOO_MANY.contains(&code) => Err(limited),
        (Ok(Err(code)), _) => Err(RestError::Api { code, status, words }),
        (Err(error), 200) => Err(RestError::Wire(error)),
        // Without a code of the exchange, 403 is the edge saying "too many".
        (Err(_), 403) => Err(limited),
        (_, status) => Err(RestError::Http { status, words }),
    }
}
