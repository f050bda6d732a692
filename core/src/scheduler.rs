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
use crate::limiter::{BudgetKind, BudgetUse, SlidingWindow};
use crate::output::Output;
use crate::query::{Pool, Query, Resource};
use crate::rest_request::RestRequest;
use crate::server_clock::{ServerClock, TIME_IS_OFF};
use crate::session::clamp_stay;
use crate::time::{Instant, UnixNanos};
use crate::timers::Timer;
use crate::wire::{api_data, edge_code, refusal_text};

/// What a request in flight is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Purpose {
    Token(TokenFor),
    Snapshot(TopicId),
    /// What the user asked for under this name.
    Query(RequestId, Query),
    /// What the account has, in this round of asking.
    Account(Query, u32),
    /// The exchange's clock, because ours was found to be wrong.
    Clock {
        /// When it was asked for.
        asked: Instant,
    },
}

/// A line, and which kind of token it needs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct TokenFor {
    pub(crate) line: LineId,
    pub(crate) is_private: bool,
}

/// A request that was sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct InFlight {
    purpose: Purpose,
    /// It was signed by the exchange's own clock, as just learned: another 400002 is an answer.
    is_retry: bool,
}

/// A request that waits for the exchange's clock, and what it was answered.
#[derive(Clone, Copy, Debug)]
struct Held {
    purpose: Purpose,
    failure: RestError,
}

#[derive(Clone)]
pub(crate) struct RestScheduler {
    public: Budget,
    signed: Budget,
    tokens: SlidingWindow,
    /// Connection attempts; kept here because every attempt begins with a token.
    pub(crate) connects: SlidingWindow,
    in_flight: BTreeMap<RequestId, InFlight>,
    clock: ServerClock,
    /// Refused for their time; while some are, the clock is asked for.
    held: Vec<Held>,
    /// Questions about the account, and whether they are retries.
    account: VecDeque<(Query, u32, bool)>,
    snapshots_in_flight: usize,
    queries_in_flight: usize,
    tokens_wanted: VecDeque<(TokenFor, bool)>,
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
    /// With the name that the user knows, and whether they are retries.
    queries: VecDeque<(RequestId, Query, bool)>,
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
    /// It is live, and before long would not know its best any more.
    Refresh,
    /// It has never been live. It keeps so many deltas meanwhile: the fullest buffer is closest to overflowing.
    First(usize),
    /// It was live. Before all others, and a part of the budget is left to it: somebody counts on it.
    Again(usize),
}

/// This part of the budget is left to books that were live, while a whole market is fetched for the first time.
const LEFT_TO_LOST: u32 = 20;

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
            Self::Token(token) if token.is_private => Pool::Signed,
            Self::Token(_) | Self::Snapshot(_) | Self::Clock { .. } => Pool::Public,
            Self::Query(_, query) | Self::Account(query, _) => query.pool(),
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
            clock: ServerClock::new(),
            held: Vec::new(),
            account: VecDeque::new(),
            snapshots_in_flight: 0,
            queries_in_flight: 0,
            tokens_wanted: VecDeque::new(),
            snapshots: BTreeSet::new(),
            asked: Vec::new(),
            stirred: false,
        }
    }

    pub(crate) fn want_token(&mut self, token: TokenFor) {
        self.tokens_wanted.push_back((token, false));
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
        self.budget(query.pool()).queries.push_back((request, query, false));
        self.stirred = true;
        Ok(request)
    }

    /// Ends every query that was not answered.
    pub(crate) fn close(&mut self, cx: &mut Context) {
        let in_flight = core::mem::take(&mut self.in_flight).into_values();
        let held = core::mem::take(&mut self.held).into_iter().map(|held| held.purpose);
        let asked = in_flight.map(|sent| sent.purpose).chain(held);
        let asked = asked.filter_map(|purpose| match purpose {
            Purpose::Query(request, _) => Some(request),
            Purpose::Token(_)
            | Purpose::Snapshot(_)
            | Purpose::Account(..)
            | Purpose::Clock { .. } => None,
        });
        let [public, signed] = [&mut self.public, &mut self.signed]
            .map(|budget| core::mem::take(&mut budget.queries).into_iter());
        let waiting = public.chain(signed).map(|(request, ..)| request);
        for request in asked.chain(waiting) {
            cx.event(Event::QueryFailed { request, reason: RestError::Closed });
        }
    }

    /// How much of each budget is in use.
    pub(crate) fn budgets(&self, now: Instant) -> [BudgetUse; 4] {
        let pool = |budget: &Budget, kind| BudgetUse {
            held_for: budget.blocked_until.since(now),
            ..budget.weights.in_use(now, kind)
        };
        [
            pool(&self.public, BudgetKind::PublicWeight),
            pool(&self.signed, BudgetKind::SignedWeight),
            self.tokens.in_use(now, BudgetKind::Tokens),
            self.connects.in_use(now, BudgetKind::Connects),
        ]
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
            self.pump_clock(cx),
            self.pump_tokens(cx),
            self.pump_snapshots(cx, demand_of),
            self.pump_account(cx),
            self.pump_queries(cx, Pool::Public),
            self.pump_queries(cx, Pool::Signed),
        ];
        match waits.into_iter().flatten().min() {
            Some(at) => cx.timers.set(Timer::RestScheduler, at),
            None => cx.timers.clear(Timer::RestScheduler),
        }
    }

    fn pump_clock(&mut self, cx: &mut Context) -> Option<Instant> {
        let is_asked = |sent: &InFlight| matches!(sent.purpose, Purpose::Clock { .. });
        if self.held.is_empty() || self.in_flight.values().any(is_asked) {
            return None;
        }
        let resource = Resource::Query(Query::ServerTime);
        let ready = self.public.ready_at(cx.now, resource.route().weight, 0);
        if ready > cx.now {
            return Some(ready);
        }
        let request = cx.new_request();
        self.send(cx, request, Purpose::Clock { asked: cx.now }, false, resource);
        None
    }

    fn pump_tokens(&mut self, cx: &mut Context) -> Option<Instant> {
        let mut earliest = None;
        let mut at = 0;
        // Those of the other kind need not wait behind one whose quota is used up.
        while let Some(&(token, is_retry)) = self.tokens_wanted.get(at) {
            let resource =
                if token.is_private { Resource::BulletPrivate } else { Resource::BulletPublic };
            let route = resource.route();
            let ready = self
                .budget(route.pool)
                .ready_at(cx.now, route.weight, 0)
                .max(self.tokens.ready_at(cx.now, 1, 0))
                .max(self.connects.ready_at(cx.now, 1, 0));
            // planted: tokens-unlimited
            if ready > cx.now {
                earliest = Some(earliest.map_or(ready, |other: Instant| other.min(ready)));
                at = at.saturating_add(1);
                continue;
            }
            self.tokens_wanted.remove(at);
            self.tokens.record(cx.now, 1);
            let request = cx.new_request();
            self.send(cx, request, Purpose::Token(token), is_retry, resource);
        }
        earliest
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
                Urgency::First(_) => cx.config.budgets.rest_weight_per_30s / LEFT_TO_LOST,
                Urgency::Refresh | Urgency::Again(_) => 0,
            };
            let resource = Resource::Snapshot(demand.symbol.as_str());
            let ready = self.public.ready_at(cx.now, resource.route().weight, reserve);
            if ready > cx.now {
                return Some(ready);
            }
            self.snapshots.remove(&topic);
            let request = cx.new_request();
            self.send(cx, request, Purpose::Snapshot(topic), false, resource);
            self.snapshots_in_flight = self.snapshots_in_flight.saturating_add(1);
            self.asked.push((topic, request));
        }
        None
    }

    /// A request whose answer is of no use any more is waited for all the same: one at a time.
    fn is_asked(&self, topic: TopicId) -> bool {
        self.in_flight.values().any(|sent| sent.purpose == Purpose::Snapshot(topic))
    }

    pub(crate) fn want_account(&mut self, query: Query, round: u32) {
        self.account.push_back((query, round, false));
        self.stirred = true;
    }

    fn pump_account(&mut self, cx: &mut Context) -> Option<Instant> {
        while let Some(&(query, round, is_retry)) = self.account.front() {
            let resource = Resource::Query(query);
            let route = resource.route();
            let ready = self.budget(route.pool).ready_at(cx.now, route.weight, 0);
            if ready > cx.now {
                return Some(ready);
            }
            self.account.pop_front();
            let request = cx.new_request();
            self.send(cx, request, Purpose::Account(query, round), is_retry, resource);
        }
        None
    }

    fn pump_queries(&mut self, cx: &mut Context, pool: Pool) -> Option<Instant> {
        while self.queries_in_flight < cx.config.budgets.queries_in_flight {
            let budget = self.budget(pool);
            let &(asked, query, is_retry) = budget.queries.front()?;
            let resource = Resource::Query(query);
            let ready = budget.ready_at(cx.now, resource.route().weight, 0);
            if ready > cx.now {
                return Some(ready);
            }
            budget.queries.pop_front();
            self.queries_in_flight = self.queries_in_flight.saturating_add(1);
            // A retry is another request; its answer has the name that the user knows.
            let request = if is_retry { cx.new_request() } else { asked };
            self.send(cx, request, Purpose::Query(asked, query), is_retry, resource);
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
        is_retry: bool,
        resource: Resource<'_>,
    ) {
        let route = resource.route();
        self.budget(route.pool).weights.record(cx.now, route.weight);
        self.in_flight.insert(request, InFlight { purpose, is_retry });
        let timeout = cx.config.timeouts.fetch;
        // planted: endless-request
        cx.timers.set(Timer::Request(request), cx.now + timeout + SLACK);
        cx.effect(Output::Fetch(Box::new(RestRequest::new(
            request,
            &cx.config.endpoints.rest,
            timeout,
            resource,
            self.clock.sign(cx.now),
        ))));
    }

    /// A request came to its end; `None` if it is not one of ours any more.
    pub(crate) fn finish(
        &mut self,
        cx: &mut Context,
        request: RequestId,
    ) -> Option<(Purpose, bool)> {
        let InFlight { purpose, is_retry } = self.in_flight.remove(&request)?;
        cx.timers.clear(Timer::Request(request));
        match purpose {
            Purpose::Token(_) | Purpose::Account(..) | Purpose::Clock { .. } => {}
            Purpose::Snapshot(_) => {
                self.snapshots_in_flight = self.snapshots_in_flight.saturating_sub(1);
            }
            Purpose::Query(..) => {
                self.queries_in_flight = self.queries_in_flight.saturating_sub(1);
            }
        }
        self.stirred = true;
        Some((purpose, is_retry))
    }

    /// A request was refused. True if that was for its time: the exchange's clock is asked for, and then the
    /// request is made once more.
    pub(crate) fn hold(&mut self, purpose: Purpose, is_retry: bool, failure: RestError) -> bool {
        let is_off = matches!(failure, RestError::Api { code: TIME_IS_OFF, .. });
        if !is_off || is_retry || purpose.pool() != Pool::Signed {
            return false;
        }
        self.held.push(Held { purpose, failure });
        self.stirred = true;
        true
    }

    /// The exchange has said its time: what was refused for ours is asked for once more.
    pub(crate) fn on_clock(&mut self, cx: &Context, asked: Instant, server: UnixNanos) {
        self.clock.learn(server, asked, cx.now);
        for held in core::mem::take(&mut self.held) {
            match held.purpose {
                Purpose::Token(token) => self.tokens_wanted.push_front((token, true)),
                Purpose::Query(asked, query) => {
                    self.budget(query.pool()).queries.push_front((asked, query, true));
                }
                Purpose::Account(query, round) => self.account.push_front((query, round, true)),
                Purpose::Snapshot(_) | Purpose::Clock { .. } => {}
            }
        }
        self.stirred = true;
    }

    /// What waits for the exchange's clock, which could not be had, and what it was answered.
    pub(crate) fn take_held(&mut self) -> impl Iterator<Item = (Purpose, RestError)> + use<> {
        core::mem::take(&mut self.held).into_iter().map(|held| (held.purpose, held.failure))
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
