//! One line: a connection that is renewed for ever, what it carries, and its budget.

mod limits;
mod replacing;
mod report;
mod sending;
mod status;

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::format;

use crate::channel::ChannelKind;
use crate::config::Lines;
use crate::context::Context;
use crate::endpoint::Endpoint;
use crate::error::{TransportError, WireError};
use crate::event::{DisconnectReason, LineEvent, LoginError, RestError, TimePlace};
use crate::ids::{ConnId, LineId, TopicId, WordsId};
use crate::keepalive::{Keepalive, KeepaliveAction, PingTiming};
use crate::limiter::SlidingWindow;
use crate::output::Output;
use crate::session::{Cause, Phase, Retry, Session};
use crate::stats::Disposition;
use crate::subscription::{AckOutcome, SubscriptionState, Subscriptions};
use crate::time::Instant;
use crate::timers::{LineTimer, Timer};
use crate::wire::encode::Command;
use crate::wire::{
    Ack, Bullet, Decoded, Decoder, ErrorFrame, ErrorKind, FoundDelta, Frame, Pong, Routing, Server,
    Welcome,
};
pub(crate) use limits::NO_ROOM;
use limits::{MOST_BINARIES, SEND_SPAN, SHORTEST_LIFE, TOO_FAST_REST};
use replacing::Probe;
pub(crate) use report::LineReport;
pub use status::LineStatus;

#[derive(Clone)]
pub(crate) struct Line {
    id: LineId,
    /// Of an account: its tokens are signed for.
    is_private: bool,
    session: Session,
    /// The present connection, from `Open` on.
    conn: Option<ConnId>,
    connect_id: Box<str>,
    /// A checked endpoint that waits for the budget of connection attempts.
    endpoint: Option<Box<Endpoint>>,
    /// What was learned of one connection mostly holds for the next.
    decoder: Decoder,
    keepalive: Keepalive,
    subs: Subscriptions,
    sends: SlidingWindow,
    /// Nothing is to be sent, pings apart, until the timer `Send` comes.
    send_paused: bool,
    frame_ids: u64,
    /// Binary messages: more than these cost the connection.
    binaries: SlidingWindow,
    /// While it is replaced.
    probe: Probe,
    /// When the exchange last said something about the connection: a pong, an ack. Its messages only note the time of
    /// their topic.
    answered_at: Instant,
    /// What has happened and the client has not been told yet, oldest first.
    reports: VecDeque<LineReport>,
}

impl Line {
    pub(crate) fn new(id: LineId, is_private: bool, cx: &Context) -> Self {
        Self {
            id,
            is_private,
            session: Session::new(&cx.config),
            conn: None,
            connect_id: Box::default(),
            endpoint: None,
            decoder: Decoder::new(),
            keepalive: Keepalive::new(PingTiming::new(None, None, &cx.config)),
            subs: Subscriptions::new(&cx.config),
            sends: SlidingWindow::new(cx.config.budgets.sends_per_10s, SEND_SPAN),
            send_paused: false,
            frame_ids: 0,
            binaries: MOST_BINARIES,
            probe: Probe::None,
            answered_at: Instant::ZERO,
            reports: VecDeque::new(),
        }
    }

    pub(crate) const fn id(&self) -> LineId {
        self.id
    }

    pub(crate) const fn is_private(&self) -> bool {
        self.is_private
    }

    pub(crate) fn is(&self, conn: ConnId) -> bool {
        self.conn == Some(conn)
    }

    pub(crate) const fn conn(&self) -> Option<ConnId> {
        self.conn
    }

    pub(crate) const fn is_ready(&self) -> bool {
        matches!(self.session.phase(), Phase::Ready)
    }

    /// Whether `compose` would send something.
    pub(crate) fn has_output(&self) -> bool {
        self.is_ready() && !self.send_paused && self.subs.has_work()
    }

    /// What has happened since this was last asked.
    #[inline]
    pub(crate) fn poll_report(&mut self) -> Option<(LineId, LineReport)> {
        Some((self.id, self.reports.pop_front()?))
    }

    fn report(&mut self, report: LineReport) {
        self.reports.push_back(report);
    }

    fn tell(&mut self, event: LineEvent) {
        self.report(LineReport::Event(event));
    }

    /// How far a topic has come on this line; `None` if it does not carry it.
    pub(crate) fn subscription(&self, topic: TopicId) -> Option<SubscriptionState> {
        self.subs.state(topic)
    }

    /// Whether it was asked for a topic that it is not to end.
    pub(crate) fn is_asked(&self, topic: TopicId) -> bool {
        let state = self.subscription(topic);
        matches!(
            state,
            Some(SubscriptionState::Asked { reverse: false } | SubscriptionState::Confirmed)
        )
    }

    // Frames.

    /// What seems to be a delta, and of which topic: for whoever may know it without reading it.
    #[inline]
    pub(crate) fn find_delta(&self, bytes: &[u8]) -> Option<FoundDelta<'_>> {
        if self.is_ready() { self.decoder.find_delta(bytes) } else { None }
    }

    /// Reads any other frame. `routing` says who wants what comes under a channel.
    pub(crate) fn decode<'a>(&mut self, bytes: &'a [u8], routing: &impl Routing) -> Decoded<'a> {
        if self.is_ready() {
            self.decoder.decode(bytes, routing)
        } else {
            Decoded::of_control(bytes)
        }
    }

    /// Takes a frame that concerns the connection.
    pub(crate) fn on_control(&mut self, cx: &mut Context, frame: Frame<'_>) -> Disposition {
        self.answered_at = cx.now;
        match frame {
            Frame::Welcome(welcome) => self.on_welcome(cx, welcome),
            Frame::Pong(pong) => self.on_pong(cx, pong),
            Frame::Ack(ack) => self.on_ack(cx, ack),
            Frame::Error(error) => {
                self.on_error(cx, error);
                Disposition::Error
            }
            Frame::Message(_) => Disposition::Unwanted,
            Frame::Other => Disposition::Unknown,
        }
    }

    // Commands.

    /// Something is to be carried: an idle line starts.
    pub(crate) fn start(&mut self) {
        if self.session.on(Cause::Wanted) {
            self.report(LineReport::NeedToken);
        }
    }

    /// Carries a topic from now on. Before the welcome this does nothing: then comes all that is wanted.
    pub(crate) fn subscribe(&mut self, topic: TopicId, kind: ChannelKind) {
        if self.is_ready() && self.subs.subscribe(topic, kind) {
            self.report(LineReport::Confirmed(topic));
        }
    }

    /// A topic that was refused is to be asked for again, later.
    pub(crate) fn put_off(&mut self, topic: TopicId, code: u32) {
        self.subs.put_off(topic, code);
    }

    /// The pause of a topic that was put off is over. After a reconnect it has been asked for already.
    pub(crate) fn ask_again(&mut self, topic: TopicId, kind: ChannelKind) {
        if matches!(self.subs.state(topic), Some(SubscriptionState::Refused { .. })) {
            self.subscribe(topic, kind);
        }
    }

    pub(crate) fn unsubscribe(&mut self, topic: TopicId, kind: ChannelKind) {
        if self.subs.state(topic).is_some() && self.subs.unsubscribe(topic, kind) {
            self.report(LineReport::Ended(topic));
        }
    }

    /// Asks once more for a topic that is confirmed.
    pub(crate) fn renew(&mut self, topic: TopicId, kind: ChannelKind) {
        if self.is_ready() {
            self.subs.renew(topic, kind);
        }
    }

    pub(crate) fn close(&mut self, cx: &mut Context) {
        self.disconnect(cx, DisconnectReason::Closed);
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
                self.tell(LineEvent::TokenFailed(reason));
                if let Some(error) = reason.login_error().filter(|_| self.is_private) {
                    return self.give_up(reason, error);
                }
                let retry = self.session.on_no_token(cx.now, &mut cx.rng, reason);
                self.apply(cx, retry);
            }
        }
    }

    /// Who asks again with a key that was refused loses it, or the address.
    fn give_up(&mut self, reason: RestError, error: LoginError) {
        self.session.on(Cause::LoginRefused);
        let words = reason.refusal().and_then(|refusal| refusal.words);
        self.tell(LineEvent::LoginRefused { error, words });
        self.report(LineReport::LoginRefused { code: error.code(), words });
    }

    /// The first usable server; after failures the others have their turn.
    fn choose_endpoint(&mut self, cx: &mut Context, bullet: &Bullet) -> Option<Endpoint> {
        self.connect_id = format!("{:016x}", cx.rng.next_u64()).into_boxed_str();
        let usable = |server: &Server| {
            let (hosts, is_loopback) =
                (&cx.config.endpoints.allowed_hosts, cx.config.endpoints.rest.is_loopback());
            let (url, token) = (&server.endpoint, &bullet.token);
            Endpoint::assemble(url, token, &self.connect_id, hosts, is_loopback)
        };
        let mut servers = bullet.servers_from(self.session.failures() as usize);
        let (server, endpoint) = servers.find_map(|server| Some((server, usable(server)?)))?;
        let (interval, timeout) = (server.ping_interval_ms, server.ping_timeout_ms);
        self.keepalive = Keepalive::new(PingTiming::new(interval, timeout, &cx.config));
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
        self.sends = SlidingWindow::new(cx.config.budgets.sends_per_10s, SEND_SPAN);
        cx.effect(Output::Open { conn, to });
        cx.timers.set(self.timer(LineTimer::Phase), cx.now + cx.config.timeouts.connect);
    }

    pub(crate) fn on_opened(&mut self, cx: &mut Context) {
        if self.session.on(Cause::Opened) {
            // planted: endless-greeting
            cx.timers.set(self.timer(LineTimer::Phase), cx.now + cx.config.timeouts.welcome);
        } else {
            cx.stats.stale_inputs = cx.stats.stale_inputs.saturating_add(1);
        }
    }

    pub(crate) fn on_lost(&mut self, cx: &mut Context, error: TransportError) {
        let refused = matches!(error, TransportError::Upgrade { status: 401, .. });
        let reason = if refused {
            DisconnectReason::Unauthorized { words: None }
        } else {
            DisconnectReason::Lost(error)
        };
        self.fail(cx, reason);
    }

    // Frames.

    fn on_welcome(&mut self, cx: &mut Context, welcome: Welcome<'_>) -> Disposition {
        let Some(conn) = self.conn.filter(|_| self.session.phase() == Phase::Greeting) else {
            return Disposition::Unsolicited;
        };
        // planted: any-welcome
        if welcome.id.is_some_and(|id| !id.is(&self.connect_id)) {
            self.fail(cx, DisconnectReason::WrongWelcome);
            return Disposition::Control;
        }
        self.session.on_welcome(cx.now);
        cx.lines_up = cx.lines_up.saturating_add(u32::from(!self.is_private));
        self.tell(LineEvent::Up { conn });
        cx.timers.clear(self.timer(LineTimer::Phase));
        let interval = self.keepalive.timing().interval;
        // planted: no-first-ping
        cx.timers.set(self.timer(LineTimer::Ping), cx.now + interval);
        let Lines { life, life_jitter, .. } = cx.config.lines;
        let age = life.saturating_sub(cx.rng.up_to(life_jitter));
        cx.timers.set(self.timer(LineTimer::Age), cx.now + age.max(SHORTEST_LIFE));
        Disposition::Control
    }

    fn on_pong(&mut self, cx: &mut Context, pong: Pong<'_>) -> Disposition {
        if pong.has_odd_time {
            cx.on_odd_time(TimePlace::Pong);
        }
        if !self.keepalive.on_pong(pong.id.and_then(|id| id.counter())) {
            return Disposition::Unsolicited;
        }
        count(&mut cx.stats.pongs);
        cx.timers.clear(self.timer(LineTimer::Pong));
        self.on_pong_taken(cx);
        Disposition::Control
    }

    fn on_ack(&mut self, cx: &mut Context, ack: Ack<'_>) -> Disposition {
        let outcome = self.subs.on_ack(ack.id.and_then(|id| id.counter()));
        if outcome == AckOutcome::Unknown {
            return Disposition::Unsolicited;
        }
        self.settle(cx, outcome, None);
        Disposition::Control
    }

    fn on_error(&mut self, cx: &mut Context, error: ErrorFrame<'_>) {
        let kind = error.kind;
        let id = error.id.and_then(|id| id.counter());
        match kind {
            ErrorKind::Unauthorized => {
                let words = cx.words.keep(error.text.chars());
                self.fail(cx, DisconnectReason::Unauthorized { words });
            }
            _ if self.session.phase() == Phase::Greeting => self.refuse(cx, error),
            ErrorKind::Topic | ErrorKind::TooManyPerFrame | ErrorKind::TooManyTopics { .. } => {
                let outcome = self.subs.on_error(id, kind);
                self.settle(cx, outcome, Some(error));
            }
            ErrorKind::TooFast => self.hold(cx, cx.now + TOO_FAST_REST),
            ErrorKind::PingTimeout | ErrorKind::Busy | ErrorKind::NotUnderstood => {
                self.refuse(cx, error);
            }
            // A passing trouble: what was asked for is asked again when its ack is overdue.
            ErrorKind::System => {}
        }
    }

    pub(crate) fn on_binary(&mut self, cx: &mut Context) {
        if self.binaries.ready_at(cx.now, 1, 0) > cx.now {
            return self.fail(cx, DisconnectReason::Binary);
        }
        self.binaries.record(cx.now, 1);
    }

    // Deadlines.

    /// A deadline that was meant for `due` has come.
    pub(crate) fn on_timer(
        &mut self,
        cx: &mut Context,
        connects: &mut SlidingWindow,
        timer: LineTimer,
        due: Instant,
    ) {
        match timer {
            LineTimer::Phase => self.on_phase_over(cx, connects),
            LineTimer::Ping => {
                let act = self.keepalive.on_ping_due(due, cx.now);
                self.act(cx, act);
            }
            LineTimer::Pong => {
                let act = self.keepalive.on_pong_due(due, cx.now);
                self.act(cx, act);
            }
            LineTimer::Ack => {
                let outcome = self.subs.on_overdue(cx.now);
                self.settle(cx, outcome, None);
            }
            LineTimer::Send => self.send_paused = false,
            // The client's affair.
            LineTimer::Age | LineTimer::ChangeOver => {}
        }
    }

    fn on_phase_over(&mut self, cx: &mut Context, connects: &mut SlidingWindow) {
        match self.session.phase() {
            Phase::Waiting => {
                self.session.on(Cause::WaitOver);
                self.report(LineReport::NeedToken);
            }
            Phase::Opening if self.endpoint.is_some() => self.open(cx, connects),
            Phase::Opening => self.fail(cx, DisconnectReason::ConnectTimeout),
            Phase::Greeting => self.fail(cx, DisconnectReason::WelcomeTimeout),
            Phase::Idle | Phase::Token | Phase::Ready | Phase::Closed => {}
        }
    }

    fn act(&mut self, cx: &mut Context, act: KeepaliveAction) {
        match act {
            KeepaliveAction::Ping { next } => self.ping(cx, next),
            KeepaliveAction::Skip { next } => cx.timers.set(self.timer(LineTimer::Ping), next),
            KeepaliveAction::Extend { until } => cx.timers.set(self.timer(LineTimer::Pong), until),
            KeepaliveAction::Dead => self.fail(cx, DisconnectReason::PongTimeout),
            KeepaliveAction::Suspended => self.fail(cx, DisconnectReason::Suspended),
        }
    }

    // Consequences.

    fn settle(&mut self, cx: &mut Context, outcome: AckOutcome, error: Option<ErrorFrame<'_>>) {
        match outcome {
            AckOutcome::Done(batch) => {
                let is_subscribed = batch.command == Command::Subscribe;
                let report = if is_subscribed { LineReport::Confirmed } else { LineReport::Ended };
                self.reports.extend(batch.topics.into_iter().map(report));
            }
            AckOutcome::Refused(topic) => {
                let (code, words) = said(cx, error);
                self.report(LineReport::Refused { topic, code, words });
            }
            AckOutcome::Rejected(topic) => {
                let (code, words) = said(cx, error);
                self.report(LineReport::Rejected { topic, code, words });
            }
            AckOutcome::GiveUp => return self.fail(cx, DisconnectReason::AckTimeout),
            AckOutcome::Again | AckOutcome::Unknown => {}
        }
        self.arm_ack(cx);
    }

    fn arm_ack(&self, cx: &mut Context) {
        let timer = self.timer(LineTimer::Ack);
        match self.subs.deadline() {
            // planted: no-ack-deadline
            Some(deadline) => cx.timers.set(timer, deadline),
            None => cx.timers.clear(timer),
        }
    }

    /// The server refuses the connection, or what was sent on it.
    fn refuse(&mut self, cx: &mut Context, error: ErrorFrame<'_>) {
        let (code, kind, words) = (error.code, error.kind, cx.words.keep(error.text.chars()));
        self.fail(cx, DisconnectReason::Refused { code, kind, words });
    }

    /// The connection is over; the session decides how to go on.
    fn fail(&mut self, cx: &mut Context, reason: DisconnectReason) {
        if matches!(reason, DisconnectReason::Unauthorized { .. }) {
            count(&mut cx.stats.unauthorized);
        }
        if self.is_ready() {
            count(&mut cx.stats.reconnects);
        }
        self.disconnect(cx, reason);
        // While another public line is up the exchange works, and each topic has one line left.
        let is_pressing = !self.is_private && cx.config.lines.per_topic > 1 && cx.lines_up > 0;
        let retry = self.session.on_down(cx.now, &mut cx.rng, reason, is_pressing);
        self.apply(cx, retry);
    }

    /// Leaves nothing of the connection behind.
    fn disconnect(&mut self, cx: &mut Context, reason: DisconnectReason) {
        for timer in LineTimer::ALL {
            cx.timers.clear(self.timer(timer));
        }
        if self.is_ready() {
            cx.lines_up = cx.lines_up.saturating_sub(u32::from(!self.is_private));
        }
        self.send_paused = false;
        self.probe = Probe::None;
        self.endpoint = None;
        self.binaries = MOST_BINARIES;
        if let Some(conn) = self.conn.take() {
            cx.cancel_sends(conn);
            cx.effect(Output::Close { conn });
            self.tell(LineEvent::Down { conn, reason });
        }
        self.reports.extend(self.subs.carried().map(LineReport::Dropped));
        self.subs.clear();
    }

    fn apply(&mut self, cx: &mut Context, retry: Retry) {
        match retry {
            Retry::NewToken => self.report(LineReport::NeedToken),
            Retry::Wait(delay) => {
                self.tell(LineEvent::Waiting { delay, failures: self.session.failures() });
                cx.timers.set(self.timer(LineTimer::Phase), cx.now + delay);
            }
        }
    }

    const fn timer(&self, timer: LineTimer) -> Timer {
        Timer::Line(self.id, timer)
    }
}

const fn count(counter: &mut u64) {
    *counter = counter.saturating_add(1);
}

/// The code and the words of a refusal.
fn said(cx: &mut Context, error: Option<ErrorFrame<'_>>) -> (u32, Option<WordsId>) {
    error.map_or((0, None), |error| (error.code, cx.words.keep(error.text.chars())))
}
