//! What stands before every market: tokens, sessions and their limits, subscriptions, and who may ask at all.
//!
//! The [`Exchange`](crate::Exchange) has the same parts and lets faults at them; this is for a venue whose markets come
//! from elsewhere.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use kucoin_futures_proto::{Instant, SplitMix64, UnixNanos};

use crate::account::{is_private, signed_headers};
use crate::config::{ExchangeConfig, Limits};
use crate::exchange::{About, Outgoing, PushForm, SessionId};
use crate::quota::Quota;
use crate::rest::{self, Request, Response};
use crate::session::{
    Reply, ReplyContext, Session, ack_frame, error_frame, pong_frame, server_id, welcome_frame,
};
use crate::token::{Tokens, Visitor, admit, token_data};
use crate::topic::Topic;

/// The gateway of a [`Venue`](crate::Venue): it answers what is not about a market, and knows who listens to what. Pure:
/// it knows no socket and reads no clock. Nobody can log in.
///
/// ```
/// use kucoin_futures_proto::{Instant, UnixNanos};
/// use kucoin_futures_sim::{ExchangeConfig, Gateway, Outgoing, Request, Response, SessionId};
///
/// let (now, unix) = (Instant::ZERO, UnixNanos::from_nanos(1_790_000_000_000_000_000));
/// let mut gateway = Gateway::new(1, &ExchangeConfig::default());
/// let bullet = Request::new("POST", "/api/v1/bullet-public");
/// let answer = gateway.http(now, unix, &bullet, |_| Response::not_found());
/// assert!(answer.body.contains("instanceServers"));
/// assert!(gateway.connect(now, SessionId(1), "token=stale"), "refused on the stream");
/// let Some(Outgoing::Send(_, frame, _)) = gateway.poll_output() else { panic!() };
/// assert!(frame.contains("token is invalid"));
/// ```
#[derive(Debug)]
pub struct Gateway {
    limits: Limits,
    endpoint: String,
    pings: [Duration; 2],
    token_lifetime: Duration,
    session_lifetime: Duration,
    tokens: Tokens,
    quotas: BTreeMap<Option<IpAddr>, Quota>,
    sessions: BTreeMap<SessionId, Session>,
    rng: SplitMix64,
    outgoing: VecDeque<Outgoing>,
    violations: u64,
}

impl Gateway {
    /// One with the pings, lifetimes and limits of `config`; nothing else in it is looked at. `seed` draws tokens.
    #[must_use]
    pub fn new(seed: u64, config: &ExchangeConfig) -> Self {
        Self {
            limits: config.limits.clone(),
            endpoint: config.endpoint.clone(),
            pings: [config.ping_interval, config.ping_timeout],
            token_lifetime: config.token_lifetime,
            session_lifetime: config.session_lifetime,
            tokens: Tokens::default(),
            quotas: BTreeMap::new(),
            sessions: BTreeMap::new(),
            rng: SplitMix64::new(seed),
            outgoing: VecDeque::new(),
            violations: 0,
        }
    }

    /// As [`Venue::set_endpoint`](crate::Venue::set_endpoint).
    pub fn set_endpoint(&mut self, endpoint: String) {
        self.endpoint = endpoint;
    }

    /// As [`Venue::connect`](crate::Venue::connect).
    pub fn connect(&mut self, now: Instant, id: SessionId, query: &str) -> bool {
        let visitor = Visitor::of(query);
        let standing = self.tokens.standing(now, &visitor.token);
        let is_full = self.sessions.len() >= self.limits.sessions;
        let full = is_full.then_some(self.limits.sessions);
        let server_id = server_id(&mut self.rng);
        match admit(standing, full) {
            Ok(admitted) => {
                let ends = admitted.granted + self.session_lifetime;
                self.sessions.insert(id, Session::new(now, admitted.user, ends));
                let connect_id = visitor.connect_id.unwrap_or(server_id);
                self.send(id, welcome_frame(&connect_id).into());
            }
            Err((code, text)) => {
                self.send(id, error_frame(&server_id, code, &text).into());
                self.outgoing.push_back(Outgoing::Close(id, 1000, ""));
            }
        }
        true
    }

    /// As [`Venue::receive`](crate::Venue::receive). `unix`: the time that a pong states. True if that was a request
    /// to listen to something.
    pub fn receive(&mut self, now: Instant, unix: UnixNanos, id: SessionId, text: &str) -> bool {
        let Some(session) = self.sessions.get_mut(&id) else { return false };
        // No market of its own: where a book stands is the venue's business.
        let markets = BTreeMap::new();
        let context =
            ReplyContext { limits: &self.limits, refusal: None, deaf: false, markets: &markets };
        for reply in session.on_text(now, &mut self.rng, context, text) {
            self.violations += u64::from(matches!(reply, Reply::Close(..)));
            self.perform(unix, id, reply);
        }
        text.contains(r#"subscribe""#)
    }

    /// As [`Venue::lost`](crate::Venue::lost).
    pub fn lost(&mut self, id: SessionId) {
        self.sessions.remove(&id);
    }

    /// Closes what has been silent for too long, or has lasted as long as any may.
    pub fn tick(&mut self, now: Instant, unix: UnixNanos) {
        while self.poll_timeout().is_some_and(|due| due <= now) {
            let overdue = self.sessions.iter_mut().filter(|(_, session)| session.deadline() <= now);
            let replies: Vec<_> =
                overdue.map(|(id, session)| (*id, session.on_deadline(now))).collect();
            for (id, reply) in replies {
                self.perform(unix, id, reply);
            }
        }
    }

    /// When `tick` has something to do.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.sessions.values().map(Session::deadline).min()
    }

    /// What is to be carried out; `None` once drained.
    pub fn poll_output(&mut self) -> Option<Outgoing> {
        self.outgoing.pop_front()
    }

    /// Answers a request: tokens, the clock, what would have to be signed and cannot be, and what exceeds the limit of
    /// an address. Everything else is `market`'s.
    pub fn http(
        &mut self,
        now: Instant,
        unix: UnixNanos,
        request: &Request<'_>,
        market: impl FnOnce(&Request<'_>) -> Response,
    ) -> Response {
        let path = request.path();
        if path == "/api/v1/timestamp" {
            return Response::data(&unix.as_millis().to_string());
        }
        if is_private(path) {
            // Whose it is cannot be said, and so neither whether its time or signature is right.
            let unknown = || Response::refused(400, "400003", "KC-API-KEY not exists");
            return signed_headers(request).err().unwrap_or_else(unknown);
        }
        let quota = self.quotas.entry(request.peer).or_default();
        let (fits, left, reset) = quota.take(now, rest::weight(path));
        let headers = rest::limit_headers(left, reset);
        if !fits {
            self.violations += 1;
            return rest::too_many(headers);
        }
        let answer = match (request.method, path) {
            ("POST", "/api/v1/bullet-public") => Response::data(&self.bullet(now)),
            ("GET", _) => market(request),
            _ => Response::not_found(),
        };
        Response { headers, ..answer }
    }

    /// Pushes a frame to whoever listens to a topic.
    pub fn push(&mut self, topic: Topic, frame: &Arc<str>) {
        let listening = self.sessions.iter().filter(|(_, session)| session.listens_to(topic));
        let send = |id| Outgoing::Send(id, Arc::clone(frame), About::Push(PushForm::Usual));
        self.outgoing.extend(listening.map(|(id, _)| send(*id)));
    }

    /// Whether anybody listens to a topic.
    #[must_use]
    pub fn is_heard(&self, topic: Topic) -> bool {
        self.sessions.values().any(|session| session.listens_to(topic))
    }

    /// All that somebody listens to.
    #[must_use]
    pub fn topics(&self) -> BTreeSet<Topic> {
        self.sessions.values().flat_map(Session::topics).collect()
    }

    /// Closes the connections on which somebody listens to a topic, as the exchange does when it is restarted; `None`:
    /// all. Says how many those were.
    pub fn cut(&mut self, topic: Option<Topic>) -> usize {
        let is_hit = |session: &Session| topic.is_none_or(|topic| session.listens_to(topic));
        let hit = self.sessions.iter().filter(|(_, session)| is_hit(session));
        let ids: Vec<SessionId> = hit.map(|(id, _)| *id).collect();
        for id in &ids {
            self.sessions.remove(id);
            self.outgoing.push_back(Outgoing::Close(*id, 1001, "Bye"));
        }
        ids.len()
    }

    /// Connections that are open.
    #[must_use]
    pub fn sessions(&self) -> usize {
        self.sessions.len()
    }

    /// How often a client exceeded a limit.
    #[must_use]
    pub const fn violations(&self) -> u64 {
        self.violations
    }

    fn bullet(&mut self, now: Instant) -> String {
        let token = self.tokens.issue(now, now + self.token_lifetime, &mut self.rng, None);
        token_data(&token, &self.endpoint, self.pings)
    }

    fn perform(&mut self, unix: UnixNanos, id: SessionId, reply: Reply) {
        match reply {
            Reply::Send(text) => self.send(id, text.into()),
            Reply::Ack(request) => self.send(id, ack_frame(&request).into()),
            Reply::Pong(ping) => {
                self.send(id, pong_frame(&ping, unix.as_nanos() / 1_000).into());
            }
            Reply::Close(code, reason) => {
                self.sessions.remove(&id);
                self.outgoing.push_back(Outgoing::Close(id, code, reason));
            }
        }
    }

    fn send(&mut self, id: SessionId, text: Arc<str>) {
        self.outgoing.push_back(Outgoing::Send(id, text, About::Session));
    }
}
