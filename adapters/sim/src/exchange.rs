//! The exchange as one pure state machine: time and bytes in, frames and closes out.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use kucoin_futures_proto::book::Level;
use kucoin_futures_proto::wire::Side;
use kucoin_futures_proto::{Instant, Sequence, SplitMix64, Symbol, UnixNanos};

use crate::config::ExchangeConfig;
use crate::fault::{Entry, Fault, Plan, Target};
use crate::market::{Change, Market};
use crate::rest::Quota;
use crate::session::{Feed, Reply, Session, error_frame, server_id};
use crate::token::{Standing, Tokens};
use crate::trouble::{Next, Troubles};

/// The name of a connection, given by whoever carries its bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct SessionId(pub u64);

/// What the exchange does.
#[derive(Clone, PartialEq, Eq, Debug)]
#[allow(clippy::exhaustive_enums, reason = "whoever carries the bytes must not overlook one")]
pub enum Outgoing {
    /// A text frame.
    Send(SessionId, Arc<str>),
    /// A close frame and the end; code 1006: the end without a frame.
    Close(SessionId, u16, &'static str),
    /// A reset, in the middle of a frame where that can be done.
    Reset(SessionId),
    /// A scripted fault took effect: for reports, nothing to carry.
    Injected(Fault),
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
    /// When each market changes next, and when each scripted fault comes.
    pulses: BTreeMap<Symbol, Instant>,
    script: Vec<(Instant, Entry)>,
    last_frames: BTreeMap<Symbol, Arc<str>>,
}

impl Exchange {
    /// An exchange that opens at `now`. The seed decides everything that is drawn.
    #[must_use]
    pub fn new(now: Instant, seed: u64, config: ExchangeConfig) -> Self {
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
        let script = config.faults.entries.iter().map(|entry| (now + entry.at, *entry)).collect();
        Self {
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
            script,
            last_frames: BTreeMap::new(),
        }
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
        self.script.extend(plan.entries.iter().map(|entry| (now + entry.at, *entry)));
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
            Standing::Expired => Some((401, "token is expired".into())),
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
        self.sessions.insert(id, Session::new(now, private));
        let connect_id = parameter("connectId").unwrap_or_else(|| server_id(&mut self.rng));
        let connect_id = serde_json::Value::from(connect_id);
        self.send(id, format!(r#"{{"id":{connect_id},"type":"welcome"}}"#).into());
        true
    }

    /// A text frame of a client.
    pub fn receive(&mut self, now: Instant, id: SessionId, text: &str) {
        self.tick(now);
        let unix_us = self.unix(now).as_nanos() / 1_000;
        let pongs = now >= self.troubles.no_pongs_until;
        let Some(session) = self.sessions.get_mut(&id) else { return };
        self.counts.received += 1;
        let limits = &self.config.limits;
        for reply in session.on_text(now, unix_us, &mut self.rng, limits, pongs, text) {
            self.counts.violations += u64::from(matches!(reply, Reply::Close(..)));
            self.perform(id, reply);
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
            self.run_script(due);
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
        let script = self.script.iter().map(|(at, _)| at).min();
        let session = self.sessions.values().map(Session::deadline).min();
        [pulse.copied(), script.copied(), session].into_iter().flatten().min()
    }

    /// Breaks something now.
    pub fn inject(&mut self, now: Instant, fault: Fault) {
        self.outgoing.push_back(Outgoing::Injected(fault));
        match fault {
            Fault::Drop { target, count } => {
                let hit = self.hit(target);
                self.troubles.held_back.add(hit, count);
            }
            Fault::Repeat { target, count } => {
                let hit: Vec<Symbol> = self.hit(target).collect();
                for symbol in hit {
                    let frame = self.last_frames.get(&symbol).cloned();
                    for frame in frame.iter().cycle().take(count as usize * frame.iter().len()) {
                        self.push(Feed::Level2, symbol, frame);
                    }
                }
            }
            Fault::StepBack { target, step } => {
                let hit: Vec<Symbol> = self.hit(target).collect();
                for symbol in hit {
                    self.last_frames.remove(&symbol);
                    if let Some(market) = self.markets.get_mut(&symbol) {
                        market.step_back(step);
                    }
                }
            }
            Fault::StaleSnapshot { target, count } => {
                let hit = self.hit(target);
                self.troubles.stale.add(hit, count);
            }
            Fault::WithholdPongs { span } => self.troubles.no_pongs_until = now + span,
            Fault::Close { code } => self.end_all(|id| Outgoing::Close(id, code, "Bye")),
            Fault::Reset => self.end_all(Outgoing::Reset),
            Fault::ExpireToken { count } => self.tokens.expire(now, count),
            Fault::Refuse { span } => self.troubles.refused_until = now + span,
            Fault::Freeze { span } => self.troubles.frozen_until = now + span,
            Fault::TooManyRequests { reset, count } => {
                self.troubles.too_many = Next::new(count, reset);
            }
            Fault::Html { count } => self.troubles.html = Next::new(count, Duration::ZERO),
            Fault::Drip { pause, count } => self.troubles.drip = Next::new(count, pause),
            Fault::SlowConnect { delay, count } => {
                self.troubles.slow_connects = Next::new(count, delay);
            }
        }
    }

    /// Ends all faults, scripted and lasting.
    pub fn heal(&mut self) {
        self.script.clear();
        self.troubles = Troubles::default();
        self.tokens.heal();
    }

    /// Until when connections stand still: whoever carries the bytes must see to it.
    #[must_use]
    pub const fn frozen_until(&self) -> Instant {
        self.troubles.frozen_until
    }

    /// How late the answer to the connection that was just accepted is to come.
    pub fn take_connect_delay(&mut self) -> Duration {
        self.troubles.slow_connects.take().unwrap_or_default()
    }

    /// The exchange's clock.
    #[must_use]
    pub fn unix(&self, now: Instant) -> UnixNanos {
        let passed = now.since(self.started).as_nanos() as u64;
        UnixNanos::from_nanos(self.config.unix_start.as_nanos() + passed)
    }

    fn end_all(&mut self, end: impl Fn(SessionId) -> Outgoing) {
        self.outgoing.extend(core::mem::take(&mut self.sessions).into_keys().map(end));
    }

    fn hit(&self, target: Target) -> impl Iterator<Item = Symbol> + use<> {
        let hit: Vec<_> = self.markets.keys().copied().filter(|s| target.hits(*s)).collect();
        hit.into_iter()
    }

    fn run_script(&mut self, due: Instant) {
        let Some(at) = self.script.iter().position(|(at, _)| *at <= due) else { return };
        let (when, entry) = self.script.remove(at);
        if let Some(every) = entry.every {
            self.script.push((when + every, entry));
        }
        self.inject(due, entry.fault);
    }

    fn run_sessions(&mut self, due: Instant) {
        let overdue = self.sessions.iter_mut().filter(|(_, session)| session.deadline() <= due);
        let replies: Vec<_> =
            overdue.map(|(id, session)| (*id, session.on_deadline(due))).collect();
        for (id, reply) in replies {
            self.perform(id, reply);
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
        let unix = self.unix(at);
        let Some(market) = self.markets.get_mut(&symbol) else { return };
        let before = best(market);
        let (sequence, change) = market.step(unix);
        let (trades, after) = (market.take(&change), best(market));
        self.counts.changes += 1;
        let frame: Arc<str> = delta_frame(symbol, sequence, change, unix).into();
        if !self.troubles.held_back.take(symbol) {
            self.push(Feed::Level2, symbol, &frame);
        }
        self.last_frames.insert(symbol, frame);
        if let (true, Some(after)) = (before != after, after) {
            let frame: Arc<str> = ticker_frame(symbol, sequence, after, unix).into();
            self.push(Feed::TickerV2, symbol, &frame);
        }
        for trade in trades {
            self.counts.trades += 1;
            let frame: Arc<str> = trade.execution_frame(symbol).into();
            self.push(Feed::Execution, symbol, &frame);
            if let Some(touch) = after {
                let frame: Arc<str> = trade.ticker_frame(symbol, touch).into();
                self.push(Feed::Ticker, symbol, &frame);
            }
        }
    }

    fn push(&mut self, feed: Feed, symbol: Symbol, frame: &Arc<str>) {
        let listening = self.sessions.iter().filter(|(_, s)| s.listens_to(feed, symbol));
        let before = self.outgoing.len();
        self.outgoing.extend(listening.map(|(id, _)| Outgoing::Send(*id, Arc::clone(frame))));
        self.counts.pushed += (self.outgoing.len() - before) as u64;
    }

    fn perform(&mut self, id: SessionId, reply: Reply) {
        match reply {
            Reply::Send(text) => self.send(id, text.into()),
            Reply::Close(code, reason) => {
                self.sessions.remove(&id);
                self.outgoing.push_back(Outgoing::Close(id, code, reason));
            }
        }
    }

    fn send(&mut self, id: SessionId, text: Arc<str>) {
        self.outgoing.push_back(Outgoing::Send(id, text));
    }
}

/// Best bid and best ask.
pub(crate) type Touch = [Level; 2];

fn best(market: &Market) -> Option<Touch> {
    let best = |side| market.truth().levels(side).next();
    Some([best(Side::Bid)?, best(Side::Ask)?])
}

fn delta_frame(symbol: Symbol, sequence: Sequence, change: Change, unix: UnixNanos) -> String {
    let side = match change.side {
        Side::Bid => "buy",
        Side::Ask => "sell",
    };
    format!(
        concat!(
            r#"{{"topic":"{}:{}","type":"message","subject":"level2","sn":{},"#,
            r#""data":{{"sequence":{},"change":"{},{},{}","timestamp":{}}}}}"#
        ),
        Feed::Level2.prefix(),
        symbol,
        sequence,
        sequence,
        change.price,
        side,
        change.after,
        unix.as_millis()
    )
}

fn ticker_frame(symbol: Symbol, sequence: Sequence, [bid, ask]: Touch, unix: UnixNanos) -> String {
    format!(
        concat!(
            r#"{{"topic":"{}:{}","type":"message","subject":"tickerV2","sn":{},"#,
            r#""data":{{"symbol":"{}","sequence":{},"bestBidSize":{},"bestBidPrice":"{}","#,
            r#""bestAskPrice":"{}","bestAskSize":{},"ts":{}000000}}}}"#
        ),
        Feed::TickerV2.prefix(),
        symbol,
        sequence,
        symbol,
        sequence,
        bid.size,
        bid.price,
        ask.price,
        ask.size,
        unix.as_millis()
    )
}

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
