//! The exchange as one pure state machine: time and bytes in, frames and closes out.

use std::time::Duration;

use kucoin_futures_proto::{Instant, Sequence, Symbol, UnixNanos};

use crate::market::Market;
use crate::session::{Reply, ReplyContext, Session, error_frame, server_id};
use crate::token::{Standing, Visitor, admit};
use state::Later;

mod answers;
mod beats;
mod figures;
mod frames;
mod inject;
mod pushes;
mod spoil;
mod state;

pub use figures::depth_frame;
pub use frames::{delta_frame, ticker_frame};
pub(crate) use pushes::Cause;
pub use state::{About, Counts, Exchange, FaultHit, Outgoing, PushForm, SessionId};

impl Exchange {
    /// A client connects. `query` is what follows the `?` of the address, percent-encoded or not.
    ///
    /// `false`: refused before any upgrade. Otherwise the first frame is a welcome or an error.
    pub fn connect(&mut self, now: Instant, id: SessionId, query: &str) -> bool {
        self.tick(now);
        if Some(now) < self.troubles.refused_until {
            self.strike("refuse", None);
            return false;
        }
        self.counts.connects += 1;
        let visitor = Visitor::of(query);
        let standing = self.tokens.standing(now, &visitor.token);
        if standing == Standing::Expired {
            self.strike("expire-token", None);
        }
        let is_full = self.sessions.len() >= self.config.limits.sessions;
        let full = is_full.then_some(self.config.limits.sessions);
        let admitted = match admit(standing, full) {
            Ok(admitted) => admitted,
            Err((code, text)) => {
                let frame = error_frame(&server_id(&mut self.rng), code, &text);
                self.send(id, frame.into());
                self.outgoing.push_back(Outgoing::Close(id, 1000, ""));
                return true;
            }
        };
        let ends = admitted.granted + self.config.session_lifetime;
        self.sessions.insert(id, Session::new(now, admitted.user, ends));
        let connect_id = visitor.connect_id.unwrap_or_else(|| server_id(&mut self.rng));
        self.welcome(now, id, &connect_id);
        if Some(now) < self.troubles.flapping_until {
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
        if is_request {
            self.forget_depths();
            self.wind(now);
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
            self.run_beats(due);
            self.run_agenda(due);
            self.run_sessions(due);
            self.run_markets(due);
            self.run_accounts(due);
        }
    }

    /// When `tick` has something to do.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let pulse = self.pulses.values().filter(|_| self.config.rate > 0.0).min();
        let agenda = self.agenda.first_key_value().map(|((at, _), _)| *at);
        let session = self.sessions.values().map(Session::deadline).min();
        let accounts = self.accounts.deadline();
        let clocks = [pulse.copied(), agenda, session, self.next_beat, accounts];
        clocks.into_iter().flatten().min()
    }

    /// How late the answer to the connection that was just accepted is to come.
    pub fn take_connect_delay(&mut self) -> Duration {
        let delay = self.troubles.slow_connects.take();
        if delay.is_some() {
            self.strike("slow-connect", None);
        }
        delay.unwrap_or_default()
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

    /// The run of a book's counter, if it began within so long.
    pub(crate) fn new_run(&self, now: Instant, symbol: Symbol, within: Duration) -> Option<usize> {
        self.restarted.get(&symbol).filter(|up| now.since(**up) < within)?;
        Some(self.markets.get(&symbol)?.runs() - 1)
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
pub(crate) fn percent_decode(text: &str) -> String {
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
