//! One line: a connection that is renewed for ever, what it carries, and its budget.

use alloc::boxed::Box;
use alloc::format;
use core::time::Duration;

use crate::channel::Channel;
use crate::context::Context;
use crate::endpoint::Endpoint;
use crate::error::{TransportError, WireError};
use crate::ids::{ConnId, LineId, Symbol, TopicId};
use crate::keepalive::{Keepalive, KeepaliveAction, PingTiming};
use crate::limiter::SlidingWindow;
use crate::output::{DisconnectReason, Event, Output, RestError};
use crate::session::{Cause, Phase, Retry, Session};
use crate::subscription::{AckOutcome, Subscriptions};
use crate::time::Instant;
use crate::timers::{LineTimer, Timer};
use crate::topics::{TopicStatus, Topics};
use crate::wire::encode::{self, Command};
use crate::wire::{
    Ack, Bullet, Decoded, Delta, DeltaParser, ErrorFrame, ErrorKind, MessageParser, Pong, Server,
    Welcome,
};

#[derive(Clone)]
pub(crate) struct Line {
    id: LineId,
    session: Session,
    /// The present connection, from `Open` on.
    conn: Option<ConnId>,
    connect_id: Box<str>,
    /// A checked endpoint that waits for the budget of connection attempts.
    endpoint: Option<Box<Endpoint>>,
    wants_token: bool,
    /// What was learned of one connection mostly holds for the next.
    parser: DeltaParser,
    messages: MessageParser,
    keepalive: Keepalive,
    subs: Subscriptions,
    sends: SlidingWindow,
    /// Nothing is to be sent, pings apart, until the timer `Send` comes.
    send_paused: bool,
    frame_ids: u64,
    /// When the last binary messages came, oldest first.
    binaries: [Option<Instant>; 3],
}

/// A burst of binary messages within this time costs the connection.
const BINARY_SPAN: Duration = Duration::from_secs(60);
/// The exchange counts client messages over 10 s, as they arrive. What was sent in two bursts may arrive
/// closer together, if the first was held up on its way: a second more.
const SEND_SPAN: Duration = Duration::from_secs(11);
/// How long sending rests after a 509 about its rate: the span that the exchange counts over.
const TOO_FAST_REST: Duration = Duration::from_secs(10);

impl Line {
    pub(crate) fn new(id: LineId, cx: &Context) -> Self {
        Self {
            id,
            session: Session::new(&cx.config),
            conn: None,
            connect_id: Box::default(),
            endpoint: None,
            wants_token: false,
            parser: DeltaParser::new(),
            messages: MessageParser::new(),
            keepalive: Keepalive::new(default_timing(cx)),
            subs: Subscriptions::new(&cx.config),
            sends: SlidingWindow::new(cx.config.sends_per_10s, SEND_SPAN),
            send_paused: false,
            frame_ids: 0,
            binaries: [None; 3],
        }
    }

    pub(crate) const fn id(&self) -> LineId {
        self.id
    }

    pub(crate) fn is(&self, conn: ConnId) -> bool {
        self.conn == Some(conn)
    }

    pub(crate) const fn is_ready(&self) -> bool {
        matches!(self.session.phase(), Phase::Ready)
    }

    pub(crate) const fn is_greeting(&self) -> bool {
        matches!(self.session.phase(), Phase::Greeting)
    }

    /// Whether `compose` would send something.
    pub(crate) fn has_output(&self) -> bool {
        self.is_ready() && !self.send_paused && self.subs.has_work()
    }

    /// Takes the wish for a token, to be granted or refused later.
    pub(crate) const fn take_token_wish(&mut self) -> bool {
        core::mem::replace(&mut self.wants_token, false)
    }

    // Deltas.

    /// Reads a delta for one of our topics, the fast way. `None`: look at the frame in general.
    #[inline]
    pub(crate) fn read_delta(&self, bytes: &[u8]) -> Option<(TopicId, Delta)> {
        if !self.is_ready() {
            return None;
        }
        let (known, delta) = self.parser.read(bytes)?;
        Some((TopicId::new(known.tag()), delta))
    }

    /// Reads a delta for one of our topics that looks like others, but not like the last one of its
    /// symbol, if there was one.
    pub(crate) fn match_delta(
        &mut self,
        bytes: &[u8],
        topics: &Topics,
    ) -> Option<(TopicId, Delta)> {
        if !self.is_ready() {
            return None;
        }
        let (met, delta) = self.parser.match_layout(bytes)?;
        let topic = topics.route(Channel::Level2(met.symbol))?;
        self.parser.remember(met, delta.sequence, topic.get());
        Some((topic, delta))
    }

    /// Reads a ticker or a trade of one of our topics that looks like earlier ones.
    pub(crate) fn read_message(
        &mut self,
        bytes: &[u8],
        topics: &Topics,
    ) -> Option<(TopicId, Decoded)> {
        if !self.is_ready() {
            return None;
        }
        let tag = |channel| topics.route(channel).map(TopicId::get);
        let (tag, decoded) = self.messages.read(bytes, tag)?;
        Some((TopicId::new(tag), decoded))
    }

    /// Learns how this connection writes the messages of a channel.
    pub(crate) fn learn_message(&mut self, bytes: &[u8], channel: Channel) {
        self.messages.learn(bytes, channel);
    }

    /// Learns how this connection writes the deltas of a symbol.
    pub(crate) fn learn_delta(
        &mut self,
        bytes: &[u8],
        symbol: Symbol,
        delta: Delta,
        topic: TopicId,
    ) {
        self.parser.learn(bytes, symbol, delta, topic.get());
    }

    // Commands.

    /// Something is to be carried: an idle line starts.
    pub(crate) fn start(&mut self) {
        if self.session.on(Cause::Wanted) {
            self.wants_token = true;
        }
    }

    pub(crate) fn subscribe(&mut self, cx: &mut Context, topics: &mut Topics, topic: TopicId) {
        let Some(kind) = topics.get(topic).map(|entry| entry.channel.kind()) else { return };
        if self.is_ready() && self.subs.subscribe(topic, kind) {
            topics.on_confirmed(cx, topic, self.id);
        }
    }

    pub(crate) fn unsubscribe(&mut self, cx: &mut Context, topics: &Topics, topic: TopicId) {
        let Some(kind) = topics.get(topic).map(|entry| entry.channel.kind()) else { return };
        if self.subs.unsubscribe(topic, kind) {
            cx.event(Event::Unsubscribed { topic });
        }
    }

    pub(crate) fn close(&mut self, cx: &mut Context, topics: &mut Topics) {
        self.disconnect(cx, topics, DisconnectReason::Closed);
        self.session.on(Cause::Close);
    }

    // The way to a connection.

    pub(crate) fn on_token(
        &mut self,
        cx: &mut Context,
        connects: &mut SlidingWindow,
        token: Result<Bullet, RestError>,
    ) {
        if self.session.phase() != Phase::Token {
            return;
        }
        let endpoint = token.and_then(|bullet| {
            cx.stats.tokens = cx.stats.tokens.saturating_add(1);
            self.choose_endpoint(cx, &bullet).ok_or(RestError::Wire(WireError::NoUsableServer))
        });
        match endpoint {
            Ok(endpoint) => {
                self.session.on(Cause::Granted);
                self.endpoint = Some(Box::new(endpoint));
                self.open(cx, connects);
            }
            Err(reason) => {
                cx.event(Event::TokenFailed { line: self.id, reason });
                let retry = self.session.on_no_token(cx.now, &mut cx.rng, reason);
                self.apply(cx, retry);
            }
        }
    }

    /// The first usable server; after failures the others have their turn.
    fn choose_endpoint(&mut self, cx: &mut Context, bullet: &Bullet) -> Option<Endpoint> {
        self.connect_id = format!("{:016x}", cx.rng.next_u64()).into_boxed_str();
        let usable = |server: &Server| {
            Endpoint::assemble(
                &server.endpoint,
                &bullet.token,
                &self.connect_id,
                &cx.config.allowed_hosts,
                cx.config.rest.is_loopback(),
            )
        };
        let turn = self.session.failures() as usize % bullet.servers.len().max(1);
        let order = bullet.servers.iter().cycle().skip(turn).take(bullet.servers.len());
        let (server, endpoint) = order.filter_map(|s| usable(s).map(|e| (s, e))).next()?;
        let timing =
            PingTiming::new(server.ping_interval_ms, server.ping_timeout_ms, default_timing(cx));
        self.keepalive = Keepalive::new(timing);
        Some(endpoint)
    }

    /// Connects as soon as the budget of attempts allows.
    fn open(&mut self, cx: &mut Context, connects: &mut SlidingWindow) {
        let ready = connects.ready_at(cx.now, 1, 0);
        if ready > cx.now {
            return cx.timers.set(self.timer(LineTimer::Phase), ready);
        }
        // planted: token-twice
        let Some(to) = self.endpoint.take() else { return };
        connects.record(cx.now, 1);
        let conn = cx.new_conn();
        self.conn = Some(conn);
        // planted: sends-bunched
        self.sends = SlidingWindow::new(cx.config.sends_per_10s, SEND_SPAN);
        cx.effect(Output::Open { conn, to });
        cx.timers.set(self.timer(LineTimer::Phase), cx.now + cx.config.connect_timeout);
    }

    pub(crate) fn on_opened(&mut self, cx: &mut Context) {
        if self.session.on(Cause::Opened) {
            // planted: endless-greeting
            cx.timers.set(self.timer(LineTimer::Phase), cx.now + cx.config.welcome_timeout);
        } else {
            cx.stats.stale_inputs = cx.stats.stale_inputs.saturating_add(1);
        }
    }

    pub(crate) fn on_lost(&mut self, cx: &mut Context, topics: &mut Topics, loss: TransportError) {
        let refused = loss == TransportError::Upgrade { status: 401 };
        let reason =
            if refused { DisconnectReason::Unauthorized } else { DisconnectReason::Lost(loss) };
        self.fail(cx, topics, reason);
    }

    // Frames.

    pub(crate) fn on_welcome(
        &mut self,
        cx: &mut Context,
        topics: &mut Topics,
        welcome: Welcome<'_>,
    ) {
        let Some(conn) = self.conn.filter(|_| self.is_greeting()) else {
            return count(&mut cx.stats.unsolicited);
        };
        count(&mut cx.stats.control);
        // planted: any-welcome
        if welcome.id.is_some_and(|id| !id.is(&self.connect_id)) {
            return self.fail(cx, topics, DisconnectReason::WrongWelcome);
        }
        self.session.on_welcome(cx.now);
        cx.event(Event::LineUp { line: self.id, conn });
        cx.timers.clear(self.timer(LineTimer::Phase));
        let interval = self.keepalive.timing().interval;
        // planted: no-first-ping
        cx.timers.set(self.timer(LineTimer::Ping), cx.now + interval);
        for topic in topics.ids() {
            let Some(entry) = topics.get(topic).filter(|entry| entry.is_wanted()) else { continue };
            // planted: no-resubscribe
            self.subs.subscribe(topic, entry.channel.kind());
        }
    }

    pub(crate) fn on_pong(&mut self, cx: &mut Context, pong: Pong<'_>) {
        if !self.keepalive.on_pong(pong.id.and_then(|id| id.counter())) {
            return count(&mut cx.stats.unsolicited);
        }
        count(&mut cx.stats.control);
        count(&mut cx.stats.pongs);
        cx.timers.clear(self.timer(LineTimer::Pong));
    }

    pub(crate) fn on_ack(&mut self, cx: &mut Context, topics: &mut Topics, ack: Ack<'_>) {
        let answer = self.subs.on_ack(ack.id.and_then(|id| id.counter()));
        if answer == AckOutcome::Unknown {
            return count(&mut cx.stats.unsolicited);
        }
        count(&mut cx.stats.control);
        self.settle(cx, topics, answer, 0);
    }

    pub(crate) fn on_error(
        &mut self,
        cx: &mut Context,
        topics: &mut Topics,
        error: ErrorFrame<'_>,
    ) {
        count(&mut cx.stats.errors);
        let (code, kind) = (error.code, error.kind);
        let refused = DisconnectReason::Refused { code, kind };
        let id = error.id.and_then(|id| id.counter());
        match kind {
            ErrorKind::Unauthorized => self.fail(cx, topics, DisconnectReason::Unauthorized),
            _ if self.is_greeting() => self.fail(cx, topics, refused),
            ErrorKind::Topic | ErrorKind::TooManyPerFrame | ErrorKind::TooManyTopics { .. } => {
                let answer = self.subs.on_error(id, kind);
                self.settle(cx, topics, answer, code);
            }
            ErrorKind::TooFast => self.hold(cx, cx.now + TOO_FAST_REST),
            ErrorKind::PingTimeout | ErrorKind::Busy | ErrorKind::NotUnderstood => {
                self.fail(cx, topics, refused);
            }
            // A passing trouble: what was asked for is asked again when its ack is overdue.
            ErrorKind::System => {}
        }
    }

    pub(crate) fn on_binary(&mut self, cx: &mut Context, topics: &mut Topics) {
        self.binaries.rotate_left(1);
        if let Some(latest) = self.binaries.last_mut() {
            *latest = Some(cx.now);
        }
        let recent = |at: &Option<Instant>| at.is_some_and(|at| cx.now.since(at) <= BINARY_SPAN);
        if self.binaries.iter().all(recent) {
            self.fail(cx, topics, DisconnectReason::Binary);
        }
    }

    // Sending.

    /// Composes the next frame, if there is one and the budget allows it.
    pub(crate) fn compose(&mut self, cx: &mut Context, topics: &mut Topics) {
        let Some(conn) = self.conn.filter(|_| self.has_output()) else { return };
        // planted: pings-starved
        let ready = self.sends.ready_at(cx.now, 1, cx.config.sends_kept_for_pings);
        if ready > cx.now {
            return self.hold(cx, ready);
        }
        let id = self.next_id();
        match self.subs.next_batch(id, cx.now + cx.config.ack_timeout) {
            None => {}
            Some(Err(topic)) => self.reject(cx, topics, topic, NO_ROOM),
            Some(Ok(batch)) => {
                let symbols = batch.topics.iter().filter_map(|&t| topics.get(t));
                let symbols: alloc::vec::Vec<_> = symbols.map(|t| t.channel.symbol()).collect();
                let prefix = batch.kind.prefix();
                cx.send(conn, encode::command(id, batch.command, prefix, symbols.iter()));
                if batch.command == Command::Subscribe {
                    batch.topics.iter().for_each(|&topic| topics.on_asked(topic));
                }
                self.sends.record(cx.now, 1);
                self.arm_ack(cx);
            }
        }
    }

    fn hold(&mut self, cx: &mut Context, until: Instant) {
        self.send_paused = true;
        cx.timers.set(self.timer(LineTimer::Send), until);
    }

    fn ping(&mut self, cx: &mut Context, next: Instant) {
        let Some(conn) = self.conn else { return };
        let ready = self.sends.ready_at(cx.now, 1, 0);
        if ready > cx.now {
            return cx.timers.set(self.timer(LineTimer::Ping), ready);
        }
        let id = self.next_id();
        cx.send(conn, encode::ping(id));
        self.sends.record(cx.now, 1);
        self.keepalive.on_ping_sent(id);
        count(&mut cx.stats.pings);
        cx.timers.set(self.timer(LineTimer::Ping), next);
        let timeout = self.keepalive.timing().timeout;
        // planted: no-pong-deadline
        cx.timers.set(self.timer(LineTimer::Pong), cx.now + timeout);
    }

    // Deadlines.

    /// A deadline that was meant for `due` has come.
    pub(crate) fn on_timer(
        &mut self,
        cx: &mut Context,
        topics: &mut Topics,
        connects: &mut SlidingWindow,
        timer: LineTimer,
        due: Instant,
    ) {
        match timer {
            LineTimer::Phase => self.on_phase_over(cx, topics, connects),
            LineTimer::Ping => {
                let act = self.keepalive.on_ping_due(due, cx.now);
                self.act(cx, topics, act);
            }
            LineTimer::Pong => {
                let act = self.keepalive.on_pong_due(due, cx.now);
                self.act(cx, topics, act);
            }
            LineTimer::Ack => {
                let answer = self.subs.on_overdue(cx.now);
                self.settle(cx, topics, answer, 0);
            }
            LineTimer::Send => self.send_paused = false,
        }
    }

    fn on_phase_over(
        &mut self,
        cx: &mut Context,
        topics: &mut Topics,
        connects: &mut SlidingWindow,
    ) {
        match self.session.phase() {
            Phase::Waiting => {
                self.session.on(Cause::WaitOver);
                self.wants_token = true;
            }
            Phase::Opening if self.endpoint.is_some() => self.open(cx, connects),
            Phase::Opening => self.fail(cx, topics, DisconnectReason::ConnectTimeout),
            Phase::Greeting => self.fail(cx, topics, DisconnectReason::WelcomeTimeout),
            Phase::Idle | Phase::Token | Phase::Ready | Phase::Closed => {}
        }
    }

    fn act(&mut self, cx: &mut Context, topics: &mut Topics, act: KeepaliveAction) {
        match act {
            KeepaliveAction::Ping { next } => self.ping(cx, next),
            KeepaliveAction::Skip { next } => cx.timers.set(self.timer(LineTimer::Ping), next),
            KeepaliveAction::Extend { until } => cx.timers.set(self.timer(LineTimer::Pong), until),
            KeepaliveAction::Dead => self.fail(cx, topics, DisconnectReason::PongTimeout),
            KeepaliveAction::Suspended => self.fail(cx, topics, DisconnectReason::Suspended),
        }
    }

    // Consequences.

    fn settle(&mut self, cx: &mut Context, topics: &mut Topics, answer: AckOutcome, code: u32) {
        match answer {
            AckOutcome::Done(batch) if batch.command == Command::Subscribe => {
                for topic in batch.topics {
                    topics.on_confirmed(cx, topic, self.id);
                }
            }
            AckOutcome::Done(batch) => {
                batch.topics.iter().for_each(|&topic| end(cx, topics, topic));
            }
            AckOutcome::Rejected(topic) => {
                end(cx, topics, topic);
                self.reject(cx, topics, topic, code);
            }
            AckOutcome::GiveUp => return self.fail(cx, topics, DisconnectReason::AckTimeout),
            AckOutcome::Again | AckOutcome::Unknown => {}
        }
        self.arm_ack(cx);
    }

    fn reject(&self, cx: &mut Context, topics: &mut Topics, topic: TopicId, code: u32) {
        if topics.get(topic).is_some_and(|entry| entry.is_wanted()) {
            topics.deactivate(cx, topic, TopicStatus::Rejected { code });
            cx.event(Event::Rejected { topic, code });
        }
    }

    fn arm_ack(&self, cx: &mut Context) {
        let timer = self.timer(LineTimer::Ack);
        match self.subs.deadline() {
            // planted: no-ack-deadline
            Some(deadline) => cx.timers.set(timer, deadline),
            None => cx.timers.clear(timer),
        }
    }

    /// The connection is over; the session decides how to go on.
    fn fail(&mut self, cx: &mut Context, topics: &mut Topics, reason: DisconnectReason) {
        if reason == DisconnectReason::Unauthorized {
            count(&mut cx.stats.unauthorized);
        }
        if self.is_ready() {
            count(&mut cx.stats.reconnects);
        }
        let retry = self.session.on_down(cx.now, &mut cx.rng, reason);
        self.disconnect(cx, topics, reason);
        self.apply(cx, retry);
    }

    /// Leaves nothing of the connection behind.
    fn disconnect(&mut self, cx: &mut Context, topics: &mut Topics, reason: DisconnectReason) {
        for timer in
            [LineTimer::Phase, LineTimer::Ping, LineTimer::Pong, LineTimer::Ack, LineTimer::Send]
        {
            cx.timers.clear(self.timer(timer));
        }
        for topic in self.subs.carried() {
            end(cx, topics, topic);
        }
        self.subs.clear();
        self.send_paused = false;
        self.wants_token = false;
        self.endpoint = None;
        self.binaries = [None; 3];
        if let Some(conn) = self.conn.take() {
            cx.cancel_sends(conn);
            cx.effect(Output::Close { conn });
            cx.event(Event::LineDown { line: self.id, conn, reason });
        }
        // planted: books-outlive-line
        topics.on_line_down(cx, self.id);
    }

    fn apply(&mut self, cx: &mut Context, retry: Retry) {
        match retry {
            Retry::NewToken => self.wants_token = true,
            Retry::Wait(delay) => {
                let failures = self.session.failures();
                cx.event(Event::LineWaiting { line: self.id, delay, failures });
                cx.timers.set(self.timer(LineTimer::Phase), cx.now + delay);
            }
        }
    }

    const fn next_id(&mut self) -> u64 {
        self.frame_ids = self.frame_ids.wrapping_add(1);
        self.frame_ids
    }

    const fn timer(&self, timer: LineTimer) -> Timer {
        Timer::Line(self.id, timer)
    }
}

/// A topic that nobody wants is not carried any more: whatever ended it, it has ended.
fn end(cx: &mut Context, topics: &Topics, topic: TopicId) {
    if topics.get(topic).is_some_and(|entry| !entry.is_wanted()) {
        cx.event(Event::Unsubscribed { topic });
    }
}

/// The code for "no room on this line", as the exchange has it.
const NO_ROOM: u32 = 509;

const fn default_timing(cx: &Context) -> PingTiming {
    PingTiming { interval: cx.config.ping_interval, timeout: cx.config.ping_timeout }
}

const fn count(counter: &mut u64) {
    *counter = counter.saturating_add(1);
}
