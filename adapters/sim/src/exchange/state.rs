//! What the exchange is made of, and what it says.

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use kucoin_futures_proto::wire::Side;
use kucoin_futures_proto::{Instant, Price, Sequence, SplitMix64, Symbol, UnixNanos};

use super::beats::LastDepth;
use crate::account::{Account, Accounts, Moment};
use crate::config::ExchangeConfig;
use crate::fault::{Entry, Fault, Plan};
use crate::market::Market;
use crate::quota::Quota;
use crate::session::{Progress, Session};
use crate::token::Tokens;
use crate::topic::Topic;
use crate::trouble::Troubles;

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
        /// In which run of the counter; they are numbered from 0.
        run: usize,
        /// Which.
        sequence: Sequence,
        /// Whether it can be decoded.
        sound: bool,
    },
    /// Anything else that is pushed: a ticker, a trade, a candle.
    Push(PushForm),
}

/// What became of a push that is no delta, on its way out of the exchange.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(clippy::exhaustive_enums, reason = "a check must not overlook one")]
pub enum PushForm {
    /// Nothing: it says what is true, as it is said today.
    Usual,
    /// It says what is true, as it was said some years ago.
    Old,
    /// Its subject is one that nobody knows; its data are those of the known one.
    Unknown,
    /// It is no message of its topic: no JSON, no data, or data of another contract.
    Unreadable,
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
pub(super) enum Later {
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
    /// Of each address; whoever has none shares one.
    pub(crate) quotas: BTreeMap<Option<IpAddr>, Quota>,
    pub(crate) rng: SplitMix64,
    pub(crate) counts: Counts,
    pub(crate) troubles: Troubles,
    pub(crate) accounts: Accounts,
    started: Instant,
    /// When the clock brings something, if anybody listens.
    pub(super) next_beat: Option<Instant>,
    pub(super) last_depths: BTreeMap<Topic, LastDepth>,
    /// When a push of each symbol, no delta, was lost or spoiled last.
    pub(super) lost_pushes: BTreeMap<Symbol, Instant>,
    pub(super) now: Instant,
    pub(super) sessions: BTreeMap<SessionId, Session>,
    pub(super) outgoing: VecDeque<Outgoing>,
    /// When each market changes next.
    pub(super) pulses: BTreeMap<Symbol, Instant>,
    /// In the order of their times; the number keeps those of one time in the order they came.
    pub(super) agenda: BTreeMap<(Instant, u64), Later>,
    noted: u64,
    /// The last delta of each book, for faults that repeat it.
    pub(super) last_frames: BTreeMap<Symbol, Delta>,
    pub(super) held: BTreeMap<Symbol, Vec<Delta>>,
    pub(super) muted: BTreeMap<Symbol, Vec<(SessionId, Progress)>>,
    pub(super) parked: Option<(SessionId, String)>,
    /// Until when each engine was being restarted.
    pub(super) restarted: BTreeMap<Symbol, Instant>,
    strikes: Vec<FaultHit>,
}

/// A frame of a book.
#[derive(Clone, Debug)]
pub(super) struct Delta {
    pub(super) frame: Arc<str>,
    /// Of the counter.
    pub(super) run: usize,
    pub(super) sequence: Sequence,
    pub(super) sound: bool,
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
            let market = Market::new(contract.clone(), rng.next_u64(), start);
            markets.insert(symbol, market.opened_at(config.unix_start));
            pulses.insert(symbol, now);
        }
        let faults = core::mem::take(&mut config.faults);
        let opened = Moment { now, unix: config.unix_start };
        let accounts = core::mem::take(&mut config.accounts);
        let accounts = Accounts::new(accounts, &config.contracts, seed, opened);
        let mut exchange = Self {
            config,
            markets,
            tokens: Tokens::default(),
            quotas: BTreeMap::new(),
            rng,
            counts: Counts::default(),
            troubles: Troubles::default(),
            accounts,
            started: now,
            next_beat: None,
            last_depths: BTreeMap::new(),
            lost_pushes: BTreeMap::new(),
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

    pub(super) fn note(&mut self, at: Instant, later: Later) {
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

    /// The account with this key, as it truly is.
    #[must_use]
    pub fn account(&self, key: &str) -> Option<&Account> {
        self.accounts.by_key(key)
    }

    /// What was seen so far.
    #[must_use]
    pub const fn counts(&self) -> Counts {
        self.counts
    }

    /// What is to be carried out; `None` once drained.
    pub fn poll_output(&mut self) -> Option<Outgoing> {
        self.outgoing.pop_front()
    }

    /// Until when connections stand still: whoever carries the bytes must see to it.
    #[must_use]
    pub const fn frozen_until(&self) -> Instant {
        if let Some(until) = self.troubles.frozen_until { until } else { Instant::ZERO }
    }

    /// The exchange's clock.
    #[must_use]
    pub fn unix(&self, now: Instant) -> UnixNanos {
        let passed = now.since(self.started).as_nanos() as u64;
        UnixNanos::from_nanos(self.config.unix_start.as_nanos() + passed)
    }

    /// When a push of a symbol that is no delta was lost or spoiled last, by the exchange's clock.
    pub(crate) fn lost_push_at(&self, symbol: Symbol) -> Option<UnixNanos> {
        self.lost_pushes.get(&symbol).map(|at| self.unix(*at))
    }

    pub(super) fn send(&mut self, id: SessionId, text: Arc<str>) {
        self.outgoing.push_back(Outgoing::Send(id, text, About::Session));
    }

    pub(super) fn send_if_open(&mut self, id: SessionId, text: Arc<str>) {
        if self.sessions.contains_key(&id) {
            self.send(id, text);
        }
    }
}
