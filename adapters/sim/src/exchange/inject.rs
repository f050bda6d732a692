//! What a fault does at the exchange when its time has come.

use std::sync::Arc;
use std::time::Duration;

use kucoin_futures_proto::wire::Side;
use kucoin_futures_proto::{Instant, Symbol};

use super::state::{Exchange, Later, Outgoing, SessionId};
use crate::fault::{Fault, Refusal, Target};
use crate::market::Market;
use crate::session::{error_frame, server_id};
use crate::topic::{Feed, Topic};
use crate::trouble::{HttpTrouble, Next, PushTrouble, Troubles};

/// What an engine takes to restart, at the very least: what it does then is later by the exchange's own times
/// than what neighbours may disagree by.
const RESTART: Duration = Duration::from_millis(10);
const DAY: Duration = Duration::from_secs(24 * 3600);

impl Exchange {
    /// Breaks something now. What needs a [`World`](crate::World) is only reported.
    pub fn inject(&mut self, now: Instant, fault: Fault) {
        self.outgoing.push_back(Outgoing::Injected(fault));
        if let Some((trouble, next)) = HttpTrouble::of(&fault) {
            self.troubles.http.insert(trouble, (fault.word(), next));
            return;
        }
        if let Some(target) = fault.target() {
            for symbol in self.hit(target) {
                self.inject_at(now, symbol, fault);
            }
            return;
        }
        let troubles = &mut self.troubles;
        match fault {
            Fault::WithholdPongs { span } => troubles.no_pongs_until = Some(now + span),
            Fault::Refuse { span } => troubles.refused_until = Some(now + span),
            Fault::Freeze { span } => {
                troubles.frozen_until = Some(now + span);
                self.strike_sessions("freeze");
            }
            Fault::Flap { span } => {
                troubles.flapping_until = Some(now + span);
                self.end_all("flap", |id| Outgoing::Close(id, 1001, "Bye"));
            }
            Fault::SlowConnect { delay, count } => troubles.slow_connects = Next::new(count, delay),
            Fault::LateWelcome { delay, count } => troubles.late_welcomes = Next::new(count, delay),
            Fault::NoWelcome { count } => troubles.no_welcomes = Next::times(count),
            Fault::TwoWelcomes { count } => troubles.two_welcomes = Next::times(count),
            Fault::WrongWelcome { count } => troubles.wrong_welcomes = Next::times(count),
            Fault::LateAck { delay, count } => troubles.late_acks = Next::new(count, delay),
            Fault::NoAck { count } => troubles.no_acks = Next::times(count),
            Fault::TwoAcks { count } => troubles.two_acks = Next::times(count),
            Fault::StrangeAck { count } => troubles.strange_acks = Next::times(count),
            Fault::SwapAcks { count } => troubles.swapped_acks = Next::times(count),
            Fault::LatePong { delay, count } => troubles.late_pongs = Next::new(count, delay),
            Fault::WrongPong { count } => troubles.wrong_pongs = Next::times(count),
            Fault::BadServers { count } => troubles.bad_servers = Next::times(count),
            Fault::OnlyBadServers { count } => troubles.only_bad_servers = Next::times(count),
            Fault::AbsurdPings { count } => troubles.absurd_pings = Next::times(count),
            Fault::RefuseRequest { error, count } => {
                troubles.refused_requests = Some((error, Next::times(count)));
            }
            Fault::ExpireToken { count } => self.tokens.expire(now, count),
            Fault::Error { error } => self.send_error(error),
            Fault::Close { code } => self.end_all("close", |id| Outgoing::Close(id, code, "Bye")),
            Fault::CloseOne { code } => self.end_oldest(code),
            Fault::Reset {} => self.end_all("reset", Outgoing::Reset),
            _ => {}
        }
    }

    /// Breaks something of one book.
    fn inject_at(&mut self, now: Instant, symbol: Symbol, fault: Fault) {
        let one = core::iter::once(symbol);
        match fault {
            Fault::Drop { count, .. } => self.troubles.dropped.add(one, count),
            Fault::Malformed { count, .. } => self.troubles.malformed.add(one, count),
            Fault::PushDrop { count, .. }
            | Fault::PushRepeat { count, .. }
            | Fault::PushMalformed { count, .. }
            | Fault::PushSubject { count, .. }
            | Fault::PushOld { count, .. } => {
                let trouble = PushTrouble::of(&fault);
                if let Some(trouble) = trouble {
                    self.troubles.pushes.entry(trouble).or_default().add(one, count);
                }
            }
            Fault::StaleSnapshot { count, .. } => self.troubles.stale.add(one, count),
            Fault::OtherSnapshot { count, .. } => self.troubles.other.add(one, count),
            Fault::Lie { count, .. } => self.troubles.lies.add(one, count),
            Fault::Repeat { count, .. } => self.repeat(symbol, count),
            Fault::StepBack { step, .. } => {
                self.step(now, symbol, fault, |market| market.step_back(step));
            }
            Fault::StepAhead { step, .. } => {
                self.step(now, symbol, fault, |market| market.step_ahead(step));
            }
            Fault::HoldBack { span, .. } => {
                self.strike("hold-back", Some(symbol));
                self.troubles.held_back.insert(symbol, now + span);
                self.note(now + span, Later::Release(symbol));
            }
            Fault::Mute { span, .. } => self.mute(now, symbol, span),
            Fault::OneSided { .. } => {
                let side = self.a_side();
                self.empty(now, symbol, side);
                self.strike("one-sided", Some(symbol));
            }
            Fault::Hollow { .. } => {
                self.empty(now, symbol, Side::Bid);
                self.empty(now, symbol, Side::Ask);
                self.strike("hollow", Some(symbol));
            }
            Fault::Cross { span, .. } => self.cross(now, symbol, span),
            Fault::Rally { count, .. } => {
                let eaten = self.a_side();
                for _ in 0..count {
                    self.make(symbol, now, |market, unix| market.walk(unix, eaten));
                }
                self.strike("rally", Some(symbol));
            }
            _ => {}
        }
    }

    /// Ends all faults, scripted and lasting. Connections that are made from now on live their day.
    pub fn heal(&mut self) {
        let now = self.now;
        self.config.session_lifetime = DAY;
        self.agenda.retain(|_, later| !matches!(later, Later::Fault(_)));
        self.troubles = Troubles::default();
        self.tokens.heal();
        for symbol in self.hit(Target::All) {
            self.release(now, symbol);
            self.unmute(symbol);
        }
    }

    fn hit(&self, target: Target) -> Vec<Symbol> {
        self.markets.keys().copied().filter(|symbol| target.hits(*symbol)).collect()
    }

    /// Pushes what was held back, unless it is to wait longer by now.
    pub(super) fn release(&mut self, now: Instant, symbol: Symbol) {
        if self.troubles.held_back.get(&symbol).is_some_and(|until| now < *until) {
            return;
        }
        self.troubles.held_back.remove(&symbol);
        for delta in self.held.remove(&symbol).unwrap_or_default() {
            self.push_frame(symbol, &delta);
            self.last_frames.insert(symbol, delta);
        }
    }

    pub(super) fn unmute(&mut self, symbol: Symbol) {
        for (id, last) in self.muted.remove(&symbol).unwrap_or_default() {
            if let Some(session) = self.sessions.get_mut(&id) {
                session.remember(Topic::one(Feed::Level2, symbol), last);
            }
        }
    }

    fn mute(&mut self, now: Instant, symbol: Symbol, span: Duration) {
        let sessions = self.sessions.iter_mut();
        let hit: Vec<_> = sessions
            .filter_map(|(id, session)| {
                Some((*id, session.forget(Topic::one(Feed::Level2, symbol))?))
            })
            .collect();
        if !hit.is_empty() {
            self.strike("mute", Some(symbol));
            self.muted.entry(symbol).or_default().extend(hit);
            self.note(now + span, Later::Unmute(symbol));
        }
    }

    fn repeat(&mut self, symbol: Symbol, count: u32) {
        let Some(delta) = self.last_frames.get(&symbol).cloned() else { return };
        for _ in 0..count {
            self.push_frame(symbol, &delta);
        }
        self.strike("repeat", Some(symbol));
    }

    fn step(&mut self, now: Instant, symbol: Symbol, fault: Fault, step: impl FnOnce(&mut Market)) {
        self.last_frames.remove(&symbol);
        let up = now + RESTART;
        self.restarted.insert(symbol, up);
        self.pulses.entry(symbol).and_modify(|pulse| *pulse = up.max(*pulse));
        self.note(up, Later::Requote(symbol));
        if let Some(market) = self.markets.get_mut(&symbol) {
            step(market);
            self.strike(fault.word(), Some(symbol));
        }
    }

    /// The first change of a new run is one of the touch: what happens beyond everybody's horizon would
    /// contradict nobody's snapshot.
    pub(super) fn requote(&mut self, now: Instant, symbol: Symbol) {
        let Some(truth) = self.market(symbol).map(Market::truth) else { return };
        let best = |side| truth.levels(side).next().map(|level| (side, level));
        let Some((side, level)) = best(Side::Bid).or_else(|| best(Side::Ask)) else { return };
        let size = if level.size.get() == 1 { 2 } else { level.size.get() - 1 };
        self.make(symbol, now, |market, unix| market.put(unix, side, level.price, size));
    }

    fn cross(&mut self, now: Instant, symbol: Symbol, span: Duration) {
        let side = self.a_side();
        let price = self.market(symbol).and_then(|market| market.crossing(side));
        let Some(price) = price else { return };
        self.make(symbol, now, |market, unix| market.put(unix, side, price, 7));
        self.note(now + span, Later::Uncross(symbol, side, price));
        self.strike("cross", Some(symbol));
    }

    fn empty(&mut self, now: Instant, symbol: Symbol, side: Side) {
        let Some(market) = self.markets.get(&symbol) else { return };
        let prices: Vec<_> = market.truth().levels(side).map(|level| level.price).collect();
        for price in prices {
            self.make(symbol, now, |market, unix| market.put(unix, side, price, 0));
        }
    }

    fn a_side(&mut self) -> Side {
        if self.rng.below(2) == 0 { Side::Bid } else { Side::Ask }
    }

    fn send_error(&mut self, error: Refusal) {
        let (code, text) = error.code_and_text();
        let frame: Arc<str> = error_frame(&server_id(&mut self.rng), code, text).into();
        let open: Vec<SessionId> = self.sessions.keys().copied().collect();
        for id in open {
            self.strike(error.as_error(), None);
            self.send(id, Arc::clone(&frame));
        }
    }

    fn strike_sessions(&mut self, word: &'static str) {
        for _ in 0..self.sessions.len() {
            self.strike(word, None);
        }
    }

    /// Ends the connection that has been open longest. Whoever opens it again is the youngest then.
    fn end_oldest(&mut self, code: u16) {
        let oldest = self.sessions.iter().min_by_key(|(id, session)| (session.opened(), **id));
        let Some((&id, _)) = oldest else { return };
        self.sessions.remove(&id);
        self.strike("close-one", None);
        self.outgoing.push_back(Outgoing::Close(id, code, "Bye"));
    }

    fn end_all(&mut self, word: &'static str, end: impl Fn(SessionId) -> Outgoing) {
        self.strike_sessions(word);
        self.outgoing.extend(core::mem::take(&mut self.sessions).into_keys().map(end));
    }
}
