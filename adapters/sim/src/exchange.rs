//! The exchange as one pure state machine: time and bytes in, frames and closes out.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use kucoin_futures_proto::wire::Side;
use kucoin_futures_proto::{Instant, Price, Sequence, SplitMix64, Symbol, UnixNanos};

use crate::config::ExchangeConfig;
use crate::fault::{Entry, Fault, Plan};
use crate::market::Market;
use crate::quota::Quota;
use crate::session::{Feed, Progress, Reply, ReplyContext, Session, error_frame, server_id};
use crate::token::{Standing, Tokens};
use crate::trouble::Troubles;
use crate::truth::Change;
use frames::{delta_frame, spoil, ticker_frame};

mod answers;
mod frames;
mod inject;

/// The name of a connection, given by whoever carries its bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct SessionId(pub u64);

/// What the exchange does.
#[derive(Clone, PartialEq, Eq, Debug)]
#[allow(clippy::exhaustive_enums, reason = "whoever carries the bytes must not overlook one")]
pub enum Outgoing {
    /// A text frame, with what it is about: for reports and checks, nothing to carry.
    Send(SessionId, Arc<str>, About),
    /// A close frame and the end; code 1006: the end without a frame.
    Close(SessionId, u16, &'static str),
    /// A reset, in the middle of a frame where that can be done.
    Reset(SessionId),
    /// A scripted fault took effect: for reports, nothing to carry.
    Injected(Fault),
}

/// What a frame is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(clippy::exhaustive_enums, reason = "a check must not overlook one")]
pub enum About {
    /// The session: welcomes, acks, pongs, errors.
    Session,
    /// A change of a book.
    Delta {
        /// Whose.
        symbol: Symbol,
        /// Which.
        sequence: Sequence,
        /// Whether it can be decoded.
        sound: bool,
    },
    /// A ticker or a trade.
    Other,
}

/// A scripted fault met something: a request, a frame, a connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct FaultHit {
    /// The fault's word.
    pub word: &'static str,
    /// The symbol that was hit, if it was one.
    pub symbol: Option<Symbol>,
}

/// What comes later.
#[derive(Debug)]
enum Later {
    /// Scripted.
    Fault(Entry),
    /// A frame that was held up.
    Send(SessionId, Arc<str>),
    /// An ack that let another one pass.
    Parked(SessionId),
    /// The end of a connection that was accepted for nothing.
    Close(SessionId),
    /// A level that was put across the market goes away.
    Uncross(Symbol, Side, Price),
    /// Pushes of a book that were held back go out.
    Release(Symbol),
    /// A subscription that was lost is found again.
    Unmute(Symbol),
    /// An engine that was restarted makes its first change.
    Requote(Symbol),
}

/// What the exchange has seen.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct Counts {
    /// Tokens given out.
    pub tokens: u64,
    /// Connections that were opened.
    pub connects: u64,
    /// REST requests.
    pub requests: u64,
    /// Full snapshots served.
    pub snapshots: u64,
    /// Level changes made.
    pub changes: u64,
    /// Trades made.
    pub trades: u64,
    /// Frames pushed, to all connections.
    pub pushed: u64,
    /// Client frames received.
    pub received: u64,
    /// Times a client exceeded a limit.
    pub violations: u64,
}

/// The simulated exchange.
#[derive(Debug)]
pub struct Exchange {
    pub(crate) config: ExchangeConfig,
    pub(crate) markets: BTreeMap<Symbol, Market>,
    pub(crate) tokens: Tokens,
    pub(crate) quota: Quota,
    pub(crate) rng: SplitMix64,
    pub(crate) counts: Counts,
    pub(crate) troubles: Troubles,
    started: Instant,
    now: Instant,
    sessions: BTreeMap<SessionId, Session>,
    outgoing: VecDeque<Outgoing>,
    /// When each market changes next.
    pulses: BTreeMap<Symbol, Instant>,
    /// In the order of their times; the number keeps those of one time in the order they came.
    agenda: BTreeMap<(Instant, u64), Later>,
    noted: u64,
    /// The last delta of each book, for faults that repeat it.
    last_frames: BTreeMap<Symbol, Delta>,
    held: BTreeMap<Symbol, Vec<Delta>>,
    muted: BTreeMap<Symbol, Vec<(SessionId, Progress)>>,
    parked: Option<(SessionId, String)>,
    /// Until when each engine was being restarted.
    restarted: BTreeMap<Symbol, Instant>,
    pub(crate) strikes: Vec<FaultHit>,
}

/// A frame of a book.
#[derive(Clone, Debug)]
struct Delta {
    frame: Arc<str>,
    /// Of the counter.
    run: usize,
    sequence: Sequence,
    sound: bool,
}

impl Exchange {
    /// An exchange that opens at `now`. The seed decides everything that is drawn.
    #[must_use]
    pub fn new(now: Instant, seed: u64, mut config: ExchangeConfig) -> Self {
        let mut rng = SplitMix64::new(seed);
        let start_ms = config.unix_start.as_millis();
        let mut markets = BTreeMap::new();
        let mut pulses = BTreeMap::new();
        for contract in &config.contracts {
            // Counters look like times in milliseconds, a little in the past.
            let start = Sequence::new(start_ms - 40_000_000_000 - rng.below(1_000_000_000));
            let symbol = contract.symbol;
            markets.insert(symbol, Market::new(contract.clone(), rng.next_u64(), start));
            pulses.insert(symbol, now);
        }
        let faults = core::mem::take(&mut config.faults);
        let mut exchange = Self {
            config,
            markets,
            tokens: Tokens::default(),
            quota: Quota::default(),
            rng,
            counts: Counts::default(),
            troubles: Troubles::default(),
            started: now,
            now,
            sessions: BTreeMap::new(),
            outgoing: VecDeque::new(),
            pulses,
            agenda: BTreeMap::new(),
            noted: 0,
            last_frames: BTreeMap::new(),
            held: BTreeMap::new(),
            muted: BTreeMap::new(),
            parked: None,
            restarted: BTreeMap::new(),
            strikes: Vec::new(),
        };
        exchange.script(now, &faults);
        exchange
    }

    /// Sets the address that token responses name: known only once a server listens.
    pub fn set_endpoint(&mut self, endpoint: String) {
        self.config.endpoint = endpoint;
    }

    /// Sets what token responses say of pings from now on.
    pub const fn set_pings(&mut self, interval: Duration, timeout: Duration) {
        self.config.ping_interval = interval;
        self.config.ping_timeout = timeout;
    }

    /// Level changes a second from now on, of each symbol.
    pub fn set_rate(&mut self, rate: f64) {
        self.config.rate = rate;
        // Nothing is made up for.
        self.pulses.values_mut().for_each(|pulse| *pulse = (*pulse).max(self.now));
    }

    /// Adds faults; their times count from `now`.
    pub fn script(&mut self, now: Instant, plan: &Plan) {
        for entry in &plan.entries {
            self.note(now + entry.at, Later::Fault(*entry));
        }
    }

    /// What scripted faults have met since this was last called.
    pub fn take_strikes(&mut self) -> Vec<FaultHit> {
        core::mem::take(&mut self.strikes)
    }

    /// The last few tokens given out: they must be found nowhere but in the address of a connection.
    #[must_use]
    pub fn latest_tokens(&self) -> &[String] {
        self.tokens.latest()
    }

    pub(crate) fn strike(&mut self, word: &'static str, symbol: Option<Symbol>) {
        self.strikes.push(FaultHit { word, symbol });
    }

    fn note(&mut self, at: Instant, later: Later) {
        self.noted += 1;
        self.agenda.insert((at, self.noted), later);
    }

    /// Connections that are open.
    #[must_use]
    pub fn sessions(&self) -> usize {
        self.sessions.len()
    }

    /// The market of a symbol.
    #[must_use]
    pub fn market(&self, symbol: Symbol) -> Option<&Market> {
        self.markets.get(&symbol)
    }

    /// What was seen so far.
    #[must_use]
    pub const fn counts(&self) -> Counts {
        self.counts
    }

    /// A client connects. `query` is what follows the `?` of the address, percent-encoded or not.
    ///
    /// `false`: refused before any upgrade. Otherwise the first frame is a welcome or an error.
    pub fn connect(&mut self, now: Instant, id: SessionId, query: &str) -> bool {
        self.tick(now);
        if now < self.troubles.refused_until {
            self.strike("refuse", None);
            return false;
        }
        self.counts.connects += 1;
        let parameter = |name: &str| {
            let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
            pairs.filter(|(key, _)| *key == name).map(|(_, value)| percent_decode(value)).next()
        };
        let standing = self.tokens.standing(now, &parameter("token").unwrap_or_default());
        let full = self.sessions.len() >= self.config.limits.sessions;
        let refusal = match standing {
            Standing::Unknown => Some((401, "token is invalid".into())),
            Standing::Expired => {
                self.strike("expire-token", None);
                Some((401, "token is expired".into()))
            }
            Standing::Valid { .. } if full => {
                let most = self.config.limits.sessions;
                Some((509, format!("exceed max session count limitation of {most}")))
            }
            Standing::Valid { .. } => None,
        };
        if let Some((code, text)) = refusal {
            let frame = error_frame(&server_id(&mut self.rng), code, &text);
            self.send(id, frame.into());
            self.outgoing.push_back(Outgoing::Close(id, 1000, ""));
            return true;
        }
        let private = standing == Standing::Valid { private: true };
        let lifetime = self.config.session_lifetime;
        self.sessions.insert(id, Session::new(now, private, lifetime));
        let connect_id = parameter("connectId").unwrap_or_else(|| server_id(&mut self.rng));
        self.welcome(now, id, &connect_id);
        if now < self.troubles.flapping_until {
            self.strike("flap", None);
            self.note(now + FLAP, Later::Close(id));
        }
        true
    }

    /// A text frame of a client.
    pub fn receive(&mut self, now: Instant, id: SessionId, text: &str) {
        self.tick(now);
        let Some(session) = self.sessions.get_mut(&id) else { return };
        self.counts.received += 1;
        let is_request = text.contains(r#"subscribe""#);
        let refusal = self.troubles.take_refusal_if(is_request);
        let unanswered = is_request && self.troubles.no_acks.take().is_some();
        let deaf = unanswered && self.rng.below(2) == 0;
        let markets = &self.markets;
        let mood = ReplyContext { limits: &self.config.limits, refusal, deaf, markets };
        let replies = session.on_text(now, &mut self.rng, mood, text);
        if let Some(refusal) = refusal {
            self.strike(refusal.as_refusal(), None);
        }
        if unanswered {
            self.strike("no-ack", None);
        }
        for reply in replies {
            self.counts.violations += u64::from(matches!(reply, Reply::Close(..)));
            if !(unanswered && matches!(reply, Reply::Ack(_))) {
                self.perform(now, id, reply);
            }
        }
    }

    /// A connection is gone.
    pub fn lost(&mut self, id: SessionId) {
        self.sessions.remove(&id);
    }

    /// Lets everything happen that is due.
    pub fn tick(&mut self, now: Instant) {
        self.now = self.now.max(now);
        while let Some(due) = self.poll_timeout().filter(|due| *due <= self.now) {
            self.run_agenda(due);
            self.run_sessions(due);
            self.run_markets(due);
        }
    }

    /// What is to be carried out; `None` once drained.
    pub fn poll_output(&mut self) -> Option<Outgoing> {
        self.outgoing.pop_front()
    }

    /// When `tick` has something to do.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let pulse = self.pulses.values().filter(|_| self.config.rate > 0.0).min();
        let agenda = self.agenda.first_key_value().map(|((at, _), _)| *at);
        let session = self.sessions.values().map(Session::deadline).min();
        [pulse.copied(), agenda, session].into_iter().flatten().min()
    }

    /// Until when connections stand still: whoever carries the bytes must see to it.
    #[must_use]
    pub const fn frozen_until(&self) -> Instant {
        self.troubles.frozen_until
    }

    /// How late the answer to the connection that was just accepted is to come.
    pub fn take_connect_delay(&mut self) -> Duration {
        let delay = self.troubles.slow_connects.take();
        if delay.is_some() {
            self.strike("slow-connect", None);
        }
        delay.unwrap_or_default()
    }

    /// The exchange's clock.
    #[must_use]
    pub fn unix(&self, now: Instant) -> UnixNanos {
        let passed = now.since(self.started).as_nanos() as u64;
        UnixNanos::from_nanos(self.config.unix_start.as_nanos() + passed)
    }

    fn run_agenda(&mut self, due: Instant) {
        let is_due = |at: &(Instant, u64)| at.0 <= due;
        let Some(entry) = self.agenda.first_entry().filter(|entry| is_due(entry.key())) else {
            return;
        };
        let ((when, _), later) = entry.remove_entry();
        match later {
            Later::Fault(entry) => {
                if let Some(every) = entry.every {
                    self.note(when + every, Later::Fault(entry));
                }
                self.inject(due, entry.fault);
            }
            Later::Send(id, frame) => self.send_if_open(id, frame),
            Later::Parked(id) => {
                if let Some((_, frame)) = self.parked.take_if(|(parked, _)| *parked == id) {
                    self.send_if_open(id, frame.into());
                }
            }
            Later::Close(id) => {
                if self.sessions.remove(&id).is_some() {
                    self.outgoing.push_back(Outgoing::Close(id, 1001, "Bye"));
                }
            }
            Later::Uncross(symbol, side, price) => {
                self.make(symbol, due, |market, unix| market.put(unix, side, price, 0));
            }
            Later::Release(symbol) => self.release(due, symbol),
            Later::Unmute(symbol) => self.unmute(symbol),
            Later::Requote(symbol) => self.requote(due, symbol),
        }
    }

    fn run_sessions(&mut self, due: Instant) {
        let overdue = self.sessions.iter_mut().filter(|(_, session)| session.deadline() <= due);
        let replies: Vec<_> = overdue
            .map(|(id, session)| (*id, session.is_old(due), session.on_deadline(due)))
            .collect();
        for (id, is_old, reply) in replies {
            if is_old {
                self.strike(DAY_CUT, None);
            }
            self.perform(due, id, reply);
        }
    }

    fn run_markets(&mut self, due: Instant) {
        if self.config.rate <= 0.0 {
            return;
        }
        let pulsing: Vec<Symbol> =
            self.pulses.iter().filter(|(_, at)| **at <= due).map(|(symbol, _)| *symbol).collect();
        for symbol in pulsing {
            let mean = Duration::from_secs_f64(1.0 / self.config.rate);
            let pause = self.rng.up_to(mean * 2).max(Duration::from_nanos(1));
            let at = self.pulses.get(&symbol).copied().unwrap_or(due);
            self.pulses.insert(symbol, at + pause);
            self.change(symbol, at);
        }
    }

    /// Makes one change in a market and pushes what follows from it.
    pub fn change(&mut self, symbol: Symbol, at: Instant) {
        self.make(symbol, at, Market::step);
    }

    /// Makes the change that `step` makes, and pushes what follows from it.
    fn make(
        &mut self,
        symbol: Symbol,
        at: Instant,
        step: impl FnOnce(&mut Market, UnixNanos) -> (Sequence, Change),
    ) {
        let unix = self.unix(at);
        let Some(market) = self.markets.get_mut(&symbol) else { return };
        let before = market.truth().touch();
        let (sequence, change) = step(market, unix);
        let (trades, after) = (market.take(&change), market.truth().touch());
        self.counts.changes += 1;
        self.push_delta(at, symbol, sequence, change);
        if let (true, Some(after)) = (before != after, after) {
            self.push(Feed::TickerV2, symbol, || {
                ticker_frame(symbol, sequence, after, unix).into()
            });
        }
        for trade in trades {
            self.counts.trades += 1;
            self.push(Feed::Execution, symbol, || trade.execution_frame(symbol).into());
            if let Some(touch) = after {
                self.push(Feed::Ticker, symbol, || trade.ticker_frame(symbol, touch).into());
            }
        }
    }

    /// Pushes a change of a book, unless a fault has other plans for it.
    fn push_delta(&mut self, at: Instant, symbol: Symbol, sequence: Sequence, change: Change) {
        if self.troubles.dropped.take(symbol) {
            return self.strike("drop", Some(symbol));
        }
        let sound = !self.troubles.malformed.take(symbol);
        let mut frame = delta_frame(symbol, sequence, change);
        if !sound {
            self.strike("malformed", Some(symbol));
            frame = spoil(&mut self.rng, &frame);
        }
        let run = self.market(symbol).map_or(0, |market| market.runs() - 1);
        let delta = Delta { frame: frame.into(), run, sequence, sound };
        if self.troubles.held_back.get(&symbol).is_some_and(|until| at < *until) {
            return self.held.entry(symbol).or_default().push(delta);
        }
        self.push_frame(symbol, &delta);
        self.last_frames.insert(symbol, delta);
    }

    fn push_frame(&mut self, symbol: Symbol, delta: &Delta) {
        let about = About::Delta { symbol, sequence: delta.sequence, sound: delta.sound };
        let Some(market) = self.markets.get(&symbol) else { return };
        for (id, session) in &mut self.sessions {
            if session.takes(market, (delta.run, delta.sequence), delta.sound) {
                self.outgoing.push_back(Outgoing::Send(*id, Arc::clone(&delta.frame), about));
                self.counts.pushed += 1;
            }
        }
    }

    /// The frame is composed only if anybody listens.
    fn push(&mut self, feed: Feed, symbol: Symbol, frame: impl FnOnce() -> Arc<str>) {
        let mut listening =
            self.sessions.iter().filter(|(_, s)| s.listens_to(feed, symbol)).peekable();
        if listening.peek().is_none() {
            return;
        }
        let (before, frame) = (self.outgoing.len(), frame());
        let sends = listening.map(|(id, _)| Outgoing::Send(*id, Arc::clone(&frame), About::Other));
        self.outgoing.extend(sends);
        self.counts.pushed += (self.outgoing.len() - before) as u64;
    }

    fn perform(&mut self, now: Instant, id: SessionId, reply: Reply) {
        match reply {
            Reply::Send(text) => self.send(id, text.into()),
            Reply::Ack(request) => self.acknowledge(now, id, &request),
            Reply::Pong(ping) => self.pong(now, id, &ping),
            Reply::Close(code, reason) => {
                self.sessions.remove(&id);
                self.outgoing.push_back(Outgoing::Close(id, code, reason));
            }
        }
    }

    /// How far back a stale snapshot may be. Not right in front of where a reader has begun: of
    /// another run of the counter, nobody could tell that the two do not belong together.
    pub(crate) fn stale_by(&self, symbol: Symbol, market: &Market) -> usize {
        let back = self.config.stale_by;
        let misleads = |back: usize| {
            let (sequence, ..) = market.past(back);
            self.sessions.values().any(|session| session.begins_behind(symbol, sequence))
        };
        (0..=back).rev().find(|back| !misleads(*back)).unwrap_or(0)
    }

    /// The time that a snapshot of the present is stamped with: not before the engine was up.
    pub(crate) fn unix_of_snapshot(&self, now: Instant, symbol: Symbol) -> UnixNanos {
        self.unix(self.restarted.get(&symbol).map_or(now, |up| now.max(*up)))
    }

    /// Whether the stream of a book stands still somewhere, because its next delta would deceive a
    /// reader who has not noticed a restart of the counter.
    pub(crate) fn withholds(&self, symbol: Symbol, of: impl Fn(SessionId) -> bool) -> bool {
        self.sessions.iter().any(|(id, session)| of(*id) && session.withholds(symbol))
    }

    pub(crate) fn on_stale_snapshot(&mut self, symbol: Symbol, sequence: Sequence) {
        self.sessions.values_mut().for_each(|s| s.on_stale_snapshot(symbol, sequence));
        self.strike("stale-snapshot", Some(symbol));
    }
}

/// The word for connections that have lasted as long as any may.
pub(crate) const DAY_CUT: &str = "day-cut";
/// Connections that are accepted for nothing end after this.
const FLAP: Duration = Duration::from_millis(50);

/// Tokens may come raw or percent-encoded. `+` stays a plus: tokens hold none, ids may.
fn percent_decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let code = tail.get(..2).filter(|_| first == b'%');
        let code = code.and_then(|hex| core::str::from_utf8(hex).ok());
        match code.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = tail.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
