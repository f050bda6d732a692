//! A tape, a clock, the market so far and a gateway in front of it: what the server carries.

use std::fmt;

use kucoin_futures_proto::{Instant, UnixNanos};
use kucoin_futures_sim::{Gateway, Outgoing, Request, Response, SessionId, Venue};

use super::clock::{ReplayClock, Speed};
use super::market::{Market, Showing};
use super::tape::Tape;
use super::{ReplayStatus, answers, control};

/// Inputs that are applied at a time before requests have their turn again; silently, it is quicker.
const AT_A_TIME: usize = 2_000;
const SILENTLY: usize = 20_000;
/// As fast as it goes: until so many frames wait for the slowest reader.
const BACKLOG: usize = 4_096;
/// Depths are pushed so often, by the exchange's clock.
const DEPTHS_NS: u64 = 100_000_000;

/// A replay as a pure state machine.
pub(super) struct Replay {
    tape: Box<dyn Tape + Send>,
    pub(super) clock: ReplayClock,
    pub(super) market: Market,
    gateway: Gateway,
    now: Instant,
    /// When the first input was received.
    began: UnixNanos,
    /// The latest that was received of all that was applied.
    reached: UnixNanos,
    /// Everything before this is applied without being shown.
    seeking: Option<UnixNanos>,
    /// When depths are pushed next, if anybody listens to some.
    next_depths: Option<UnixNanos>,
    /// Frames wait for a reader, and are not to become more.
    is_choked: bool,
    failed: Option<String>,
}

/// What comes next.
enum Due {
    Input,
    Depths(UnixNanos),
}

impl Replay {
    /// One that stands at the beginning of the tape, which was received at `began`.
    pub(super) fn new(
        tape: Box<dyn Tape + Send>,
        gateway: Gateway,
        began: UnixNanos,
        clock: ReplayClock,
        now: Instant,
    ) -> Self {
        Self {
            tape,
            clock,
            market: Market::default(),
            gateway,
            now,
            began,
            reached: began,
            seeking: None,
            next_depths: None,
            is_choked: false,
            failed: None,
        }
    }

    /// What time it is in the recording. Where it cannot keep up with its clock, or is at its end, the clock does not
    /// go ahead of it.
    pub(super) fn position(&self) -> UnixNanos {
        let by_clock = self.clock.at(self.now).unwrap_or(self.reached);
        match self.next_at() {
            _ if self.seeking.is_some() => self.reached,
            Some(next) => by_clock.min(next).max(self.began),
            None => self.reached,
        }
    }

    pub(super) fn status(&self) -> ReplayStatus {
        ReplayStatus {
            began: self.began,
            position: self.position(),
            speed: self.clock.speed(),
            is_paused: self.clock.is_paused(),
            is_seeking: self.seeking.is_some(),
            has_ended: self.next_at().is_none(),
            error: self.failed.clone(),
            connections: self.gateway.sessions(),
            violations: self.gateway.violations(),
        }
    }

    pub(super) fn set_speed(&mut self, speed: Speed) {
        let at = self.position();
        self.clock.set_speed(self.now, at, speed);
    }

    pub(super) fn set_paused(&mut self, is_paused: bool) {
        let at = self.position();
        if is_paused != self.clock.is_paused() {
            self.clock.set_paused(self.now, at, is_paused);
        }
    }

    /// Goes to a moment without showing what lies between. Backward it begins anew, and every connection is closed:
    /// nobody could tell that what comes is older than what came.
    pub(super) fn seek(&mut self, to: UnixNanos) {
        if to < self.reached {
            self.gateway.cut(None);
            self.market.clear();
            self.reached = self.began;
            self.failed = self.tape.rewind().err().map(|error| error.to_string());
        }
        self.seeking = Some(to);
    }

    /// When the next input was received; `None` at the end.
    fn next_at(&self) -> Option<UnixNanos> {
        if self.failed.is_some() { None } else { self.tape.next_at() }
    }

    fn step(&mut self, is_silent: bool) {
        let Some(at) = self.next_at() else { return };
        let Self { market, gateway, .. } = self;
        let mut showing = Showing { market, gateway, is_silent };
        if let Err(error) = self.tape.step(&mut showing) {
            self.failed = Some(error.to_string());
        }
        // Its wall clock may have been set back.
        self.reached = self.reached.max(at);
    }

    /// Goes on with a seek; true if it has not come to its end.
    fn seek_on(&mut self) -> bool {
        let Some(to) = self.seeking else { return false };
        for _ in 0..SILENTLY {
            if self.next_at().is_none_or(|next| next >= to) {
                self.seeking = None;
                let end = self.next_at().map_or(self.reached, |_| to.max(self.began));
                self.clock.restart(self.now, end);
                self.wind();
                return false;
            }
            self.step(true);
        }
        true
    }

    /// Sets when depths are pushed next, if anybody listens to some.
    fn wind(&mut self) {
        let is_wanted = self.next_at().is_some()
            && self.gateway.topics().iter().any(|topic| topic.depth().is_some());
        let next = (self.position().as_nanos() / DEPTHS_NS + 1) * DEPTHS_NS;
        self.next_depths = is_wanted.then(|| UnixNanos::from_nanos(next));
    }

    /// What is due, if anything is.
    fn due(&self) -> Option<Due> {
        let Some(next) = self.next_at() else {
            // The last ones are shown at the end.
            return self.next_depths.map(|_| Due::Depths(self.reached));
        };
        let is_due = |at| self.clock.due(at).is_some_and(|due| due <= self.now);
        match self.next_depths {
            Some(depths) if depths <= next => is_due(depths).then_some(Due::Depths(depths)),
            _ => is_due(next).then_some(Due::Input),
        }
    }
}

impl Venue for Replay {
    fn set_endpoint(&mut self, endpoint: String) {
        self.gateway.set_endpoint(endpoint);
    }

    fn connect(&mut self, now: Instant, id: SessionId, query: &str) -> bool {
        self.now = self.now.max(now);
        self.gateway.connect(now, id, query)
    }

    fn receive(&mut self, now: Instant, id: SessionId, text: &str) {
        self.now = self.now.max(now);
        let unix = self.position();
        if self.gateway.receive(now, unix, id, text) {
            self.market.forget_depths();
            self.wind();
        }
    }

    fn lost(&mut self, id: SessionId) {
        self.gateway.lost(id);
    }

    fn tick(&mut self, now: Instant, backlog: usize) {
        self.now = self.now.max(now);
        let unix = self.position();
        self.gateway.tick(now, unix);
        self.is_choked = self.clock.is_unbounded() && backlog > BACKLOG;
        if self.seek_on() || self.is_choked {
            return;
        }
        for _ in 0..AT_A_TIME {
            match self.due() {
                Some(Due::Input) => self.step(false),
                Some(Due::Depths(at)) => {
                    self.reached = self.reached.max(at);
                    self.market.push_depths(&mut self.gateway, at);
                    self.next_depths = None;
                    self.wind();
                }
                None => return,
            }
        }
    }

    fn poll_timeout(&self) -> Option<Instant> {
        let moments = [self.next_at(), self.next_depths];
        let due = moments.into_iter().flatten().filter_map(|at| self.clock.due(at)).min();
        let now = self.seeking.map(|_| self.now);
        [due, now, self.gateway.poll_timeout()].into_iter().flatten().min()
    }

    fn http(&mut self, now: Instant, request: &Request<'_>) -> Response {
        self.now = self.now.max(now);
        if let Some(command) = request.path().strip_prefix("/_replay/") {
            return control::answer(self, command, request);
        }
        let unix = self.position();
        let market = self.seeking.is_none().then_some(&self.market);
        self.gateway.http(now, unix, request, |request| answers::get(market, request))
    }

    fn poll_output(&mut self) -> Option<Outgoing> {
        self.gateway.poll_output()
    }
}

impl fmt::Debug for Replay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Replay").field("status", &self.status()).finish_non_exhaustive()
    }
}
