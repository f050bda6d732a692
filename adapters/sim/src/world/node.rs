//! One client with its machine: a network, a clock, somebody who drives it, and its judges.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use kucoin_futures_proto::{
    AccountStatus, BookEvent, BookLostReason, Channel, Client, Command, Config, ConnId, Event,
    Input, Instant, LineEvent, LineRole, LineStatus, Misuse, Output, PushTag, ResponseHead, Symbol,
    Tap, TopicId,
};

use super::driver::Driver;
use super::happenings::{Happenings, WorldEvent};
use super::net::{Address, Asked, Load, Net, Way, Weather};
use super::tapped::Tapped;
use crate::exchange::{About, Exchange};
use crate::fault::{Fault, Target};
use crate::judge::{AccountChecker, Arrival, MessageChecker, Moment, ProtocolChecker, topic_in};
use crate::ledger::Ledger;
use crate::oracle::{Oracle, Violation};
use crate::trace::Trace;

/// What a node may touch of the world.
pub(super) struct Cx<'a> {
    pub(super) now: Instant,
    pub(super) net: &'a mut Net,
    pub(super) exchange: &'a Exchange,
    pub(super) ledger: &'a mut Ledger,
    pub(super) trace: &'a mut Trace,
    pub(super) happenings: &'a mut Happenings,
}

#[derive(Debug)]
pub(super) struct Node {
    pub(super) address: Address,
    pub(super) client: Tapped,
    pub(super) config: Config,
    pub(super) oracle: Oracle,
    pub(super) weather: Weather,
    pub(super) driver: Driver,
    /// What is subscribed, or was.
    pub(super) wants: BTreeMap<Channel, Want>,
    /// Since when books have been fetched anew because the market came near their horizon.
    pub(super) refreshing: BTreeMap<TopicId, Instant>,
    /// The run of its counter that each book's latest delta was of, on each connection that is there.
    heard: BTreeMap<(Symbol, ConnId), usize>,
    /// When each book was live for the first time.
    first_live: BTreeMap<Symbol, Instant>,
    judge: ProtocolChecker,
    pub(super) accounts: AccountChecker,
    /// Whether it follows the account of the exchange.
    follows: bool,
    /// What its machine's wall clock is off by.
    pub(super) clock_off_ms: i64,
    /// The connection of the account.
    private: Option<ConnId>,
    /// What was sent on each connection that has not arrived.
    pub(super) on_way: BTreeMap<ConnId, i64>,
    pub(super) messages: MessageChecker,
    closed: BTreeSet<ConnId>,
    /// What arrived while the machine slept.
    inbox: VecDeque<Load>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Want {
    pub(super) topic: Option<TopicId>,
    pub(super) on: bool,
}

/// A book that has been live for so long has taught what its exchange's clocks are apart by.
const LEARNS: Duration = Duration::from_secs(6);
/// What a driver needs to come to itself after it was at fault.
const RECOVERY: Duration = Duration::from_secs(2);

impl Node {
    pub(super) fn new(
        address: Address,
        now: Instant,
        seed: u64,
        config: Config,
        tap: Option<Box<dyn Tap>>,
    ) -> Self {
        let client = Tapped::new(now, seed, &config, tap);
        Self {
            address,
            oracle: Oracle::default(),
            judge: ProtocolChecker::new(client.config()),
            messages: MessageChecker::default(),
            client,
            config,
            weather: Weather::default(),
            driver: Driver::default(),
            wants: BTreeMap::new(),
            refreshing: BTreeMap::new(),
            heard: BTreeMap::new(),
            first_live: BTreeMap::new(),
            accounts: AccountChecker::default(),
            follows: false,
            clock_off_ms: 0,
            private: None,
            on_way: BTreeMap::new(),
            closed: BTreeSet::new(),
            inbox: VecDeque::new(),
        }
    }

    pub(super) fn wakes(&self, now: Instant) -> Option<Instant> {
        let inbox = (!self.inbox.is_empty()).then(|| self.driver.asleep_until.max(now));
        let client = self.driver.wakes(&self.client, now);
        [inbox, client].into_iter().flatten().min()
    }

    /// Gives the client a command.
    pub(super) fn command<T>(
        &mut self,
        cx: &mut Cx<'_>,
        command: impl FnOnce(&mut Tapped, Instant) -> T,
    ) -> Result<T, Violation> {
        let at = self.tell(cx.now);
        let result = command(&mut self.client, at);
        self.drain_if_due(cx)?;
        Ok(result)
    }

    pub(super) fn subscribe(
        &mut self,
        cx: &mut Cx<'_>,
        channel: Channel,
    ) -> Result<Result<TopicId, Misuse>, Violation> {
        self.judge.on_subscribe(channel);
        let at = self.tell(cx.now);
        let command = Command::Subscribe { channel };
        let topic = self.client.command(at, command, |client, at| client.subscribe(at, channel));
        if topic.is_ok() {
            self.judge.on_subscribed(channel);
        }
        self.drain_if_due(cx)?;
        if let Ok(topic) = topic {
            self.messages.on_subscribed(topic, channel);
        }
        self.wants.insert(channel, Want { topic: topic.ok(), on: true });
        Ok(topic)
    }

    pub(super) fn follow_account(
        &mut self,
        cx: &mut Cx<'_>,
    ) -> Result<Result<(), Misuse>, Violation> {
        self.follows = true;
        let follow = Command::FollowAccount;
        self.command(cx, |client, at| client.command(at, follow, Client::follow_account))
    }

    /// Whether it follows an account, and its clock's error.
    pub(super) fn follows(&self) -> Option<i64> {
        self.follows.then_some(self.clock_off_ms)
    }

    /// Whether its account is live, if it follows it.
    pub(super) fn is_account_well(&self) -> bool {
        // Idle: a topic of it was rejected, which is told.
        !self.follows || self.client.account_status() != AccountStatus::Syncing
    }

    fn unsubscribe(&mut self, cx: &mut Cx<'_>, channel: Channel) -> Result<(), Violation> {
        let Some(want) = self.wants.get_mut(&channel) else { return Ok(()) };
        want.on = false;
        self.judge.on_unsubscribe(channel);
        let Some(topic) = want.topic else { return Ok(()) };
        self.messages.on_unsubscribed(topic);
        let command = Command::Unsubscribe { topic };
        let unsubscribe = |client: &mut Client, at| client.unsubscribe(at, topic);
        let ended = self.command(cx, |client, at| client.command(at, command, unsubscribe))?;
        ended.map_err(|misuse| Violation::new(format!("{channel:?} unsubscribed: {misuse}")))
    }

    /// A fault of the client's surroundings.
    pub(super) fn break_it(&mut self, cx: &mut Cx<'_>, fault: Fault) -> Result<(), Violation> {
        let now = cx.now;
        match fault {
            Fault::StallUp { span } => self.weather.stalled[0] = now + span,
            Fault::StallDown { span } => self.weather.stalled[1] = now + span,
            Fault::Lag { delay, span } => self.weather.lag = (delay, now + span),
            Fault::ClockBack { by } => self.driver.clock_back(by),
            Fault::ClockLeap { by } => {
                self.driver.clock_leap(by);
                self.judge.leap(by);
            }
            Fault::Sleep { span } => self.driver.asleep_until = now + span,
            Fault::LateTimeouts { by, span } => self.driver.late_timeouts(now, by, span),
            Fault::EarlyTimeouts { count } => {
                for _ in 0..count {
                    self.early_timeout(cx)?;
                }
            }
            Fault::Undrained { count } => self.driver.undrained(now, count),
            Fault::SlowConsumer { span } => self.driver.slow_consumer(now, span),
            Fault::Toggle { target } => self.toggle(cx, target)?,
            _ => return Ok(()),
        }
        if let Some(span) = excuse(&fault) {
            self.judge.excuse(self.driver.clock(now) + span + RECOVERY);
        }
        cx.ledger.strike(fault.word(), None);
        Ok(())
    }

    fn toggle(&mut self, cx: &mut Cx<'_>, target: Target) -> Result<(), Violation> {
        let hit: Vec<(Channel, bool)> = self
            .wants
            .iter()
            .filter(|(channel, _)| channel.symbol().is_some_and(|symbol| target.hits(symbol)))
            .map(|(channel, want)| (*channel, want.on))
            .collect();
        for (channel, on) in hit {
            if on {
                self.unsubscribe(cx, channel)?;
            } else {
                // Too many topics is an answer, too.
                let _ = self.subscribe(cx, channel)?;
            }
        }
        Ok(())
    }

    /// A deadline that has not come changes nothing.
    fn early_timeout(&mut self, cx: &mut Cx<'_>) -> Result<(), Violation> {
        let before = self.client.poll_timeout();
        let at = self.tell(cx.now);
        if before.is_some_and(|deadline| deadline.at <= self.driver.told()) {
            return Ok(());
        }
        let _ = self.client.handle(at, Input::Timeout);
        if self.client.poll_timeout() != before {
            return self.fail(cx, "a timeout that came early changed the deadline");
        }
        self.drain_if_due(cx)
    }

    /// The time for the next call. A clock that went back and catches up passes over deadlines.
    fn tell(&mut self, now: Instant) -> Instant {
        let (at, caught_up) = self.driver.tell(now);
        if caught_up {
            self.judge.excuse(at + RECOVERY);
        }
        at
    }

    /// Whether the latest delta of a book on a connection that is there was of this run of its counter.
    pub(super) fn has_heard(&self, symbol: Symbol, run: usize) -> bool {
        self.heard.iter().any(|((of, _), heard)| *of == symbol && *heard == run)
    }

    /// Whether a topic that is confirmed is so on as many connections as it should be.
    pub(super) fn check_spread(&self, channel: Channel) -> Result<(), String> {
        self.judge.check_spread(&self.client, channel)
    }

    /// Whether it had a book for long enough to know the exchange's clocks.
    pub(super) fn knows(&self, now: Instant, symbol: Symbol) -> bool {
        self.first_live.get(&symbol).is_some_and(|at| now.since(*at) > LEARNS)
    }

    /// Something arrives.
    pub(super) fn arrive(&mut self, cx: &mut Cx<'_>, load: Load) -> Result<(), Violation> {
        if cx.now < self.driver.asleep_until {
            self.inbox.push_back(load);
            return Ok(());
        }
        self.feed(cx, load)
    }

    /// Does what is due, if anything is.
    pub(super) fn wake(&mut self, cx: &mut Cx<'_>) -> Result<bool, Violation> {
        if self.wakes(cx.now).is_none_or(|at| at > cx.now) {
            return Ok(false);
        }
        if self.inbox.is_empty() || cx.net.flip() {
            self.timeout(cx)?;
        }
        while let Some(load) = self.inbox.pop_front() {
            self.feed(cx, load)?;
        }
        Ok(true)
    }

    fn timeout(&mut self, cx: &mut Cx<'_>) -> Result<(), Violation> {
        let at = self.tell(cx.now);
        let _ = self.client.handle(at, Input::Timeout);
        let chance = cx.net.flip();
        self.driver.draw_lateness(cx.now, chance);
        if !self.driver.may_drain(cx.now) {
            return Ok(());
        }
        self.drain(cx)?;
        if self.client.poll_timeout().is_some_and(|deadline| deadline.at <= at) {
            return self.fail(cx, "wants to be called again at once");
        }
        Ok(())
    }

    fn feed(&mut self, cx: &mut Cx<'_>, load: Load) -> Result<(), Violation> {
        // What arrives on a connection that was shut on our side reaches nobody.
        if let Load::Opened(conn) | Load::Down(conn, ..) | Load::Lost(conn, _) = &load
            && self.closed.contains(conn)
        {
            return Ok(());
        }
        if let Load::Down(conn, _, About::Delta { symbol, run, .. }) = &load {
            self.heard.insert((*symbol, *conn), *run);
        }
        let at = self.tell(cx.now);
        let before = *self.client.stats();
        let mut text = None;
        match load {
            Load::Opened(conn) => {
                self.judge.on_opened(self.driver.told(), conn);
                let _ = self.client.handle(at, Input::Opened { conn });
            }
            Load::Down(conn, frame, about) => {
                self.judge.on_text(self.driver.told(), conn, &frame, about);
                if let Some(on_way) = self.on_way.get_mut(&conn) {
                    *on_way -= 1;
                }
                self.messages.on_text();
                let input = Input::Text { conn, bytes: frame.as_bytes() };
                let push = self.client.handle(at, input);
                cx.happenings.push(cx.now, || Some(WorldEvent::Push(push?.bytes().into())));
                let tag = push.map(|push| push.tag());
                text = Some(((conn, frame, about), tag));
            }
            Load::Lost(conn, error) => {
                let _ = self.client.handle(at, Input::Lost { conn, error });
                self.close(cx, conn);
            }
            Load::Reply(request, reply) => {
                self.judge.on_reply(self.moment(cx), request, &reply);
                let mut head = ResponseHead::new(reply.status);
                reply.headers.iter().for_each(|(name, value)| head.header(name, value));
                let body = reply.body.as_bytes();
                let push = self.client.handle(at, Input::Reply { request, head, body });
                cx.happenings.push(cx.now, || Some(WorldEvent::Push(push?.bytes().into())));
            }
            Load::Failed(request, error) => {
                self.judge.on_failed(request);
                let _ = self.client.handle(at, Input::Failed { request, error });
            }
            Load::Connect(..) | Load::Up(..) | Load::Gone(_) | Load::Request(_) => return Ok(()),
        }
        cx.ledger.on_stats(&before, self.client.stats());
        self.drain_if_due(cx)?;
        if let Some(((conn, frame, about), tag)) = text {
            let told = self.driver.told();
            let late = self.driver.left_lying;
            let found = self.judge.after_text(told, &self.client, (conn, &frame, about), late);
            found.or_else(|problem| self.fail(cx, &problem))?;
            let is_stale = self.client.stats().stale != before.stale;
            return self.judge_message(cx, (conn, &frame, about), tag, is_stale);
        }
        Ok(())
    }

    /// Holds what was handed out of a frame, or was not, against the truth.
    fn judge_message(
        &mut self,
        cx: &mut Cx<'_>,
        (conn, frame, about): (ConnId, &str, About),
        tag: Option<PushTag>,
        is_stale: bool,
    ) -> Result<(), Violation> {
        let About::Push(form) = about else {
            return match tag {
                Some(_) => self.fail(cx, "a message out of a frame that holds none"),
                None => Ok(()),
            };
        };
        let name = topic_in(frame).unwrap_or_default();
        let arrival = Arrival {
            client: &self.client,
            exchange: cx.exchange,
            now: cx.exchange.unix(cx.now),
            frame,
            form,
            push: tag.as_ref().map(|tag| tag.on(frame.as_bytes())),
            is_stale: is_stale || !self.judge.carries(conn, name),
            conn,
            is_shared: self.judge.is_shared(conn, name),
            carriers: self.judge.carriers(name),
            is_late: self.driver.left_lying,
        };
        match self.messages.on_push(&arrival) {
            Ok(found) => {
                cx.ledger.on_message(found);
                Ok(())
            }
            Err(problem) => self.fail(cx, &problem),
        }
    }

    fn drain_if_due(&mut self, cx: &mut Cx<'_>) -> Result<(), Violation> {
        if self.driver.may_drain(cx.now) { self.drain(cx) } else { Ok(()) }
    }

    fn drain(&mut self, cx: &mut Cx<'_>) -> Result<(), Violation> {
        let is_late = self.driver.left_lying;
        if is_late {
            self.messages.forget_events();
        }
        self.client.begin_poll();
        while let Some(output) = self.client.poll_output() {
            cx.trace.output(cx.now, &output);
            if let Output::Event(event) = &output {
                let now = (cx.exchange.unix(cx.now), &*self.client);
                let ends_with = |conn, name: &str| self.judge.ends_with(conn, name);
                self.messages.on_event(now, event, ends_with);
            }
            let moment = self.moment(cx);
            let found = self.judge.on_output(moment, &self.client, &output);
            found.or_else(|problem| self.fail(cx, &problem))?;
            self.perform(cx, output)?;
        }
        if is_late {
            self.messages.forget_events();
        }
        self.oracle.settle(&self.client, cx.exchange)?;
        let found = self.judge.settle(self.moment(cx), &self.client);
        self.driver.left_lying = false;
        found.or_else(|problem| self.fail(cx, &problem))?;
        // While a line of it is replaced there are two.
        let mut lines = self.client.lines().filter(|line| line.role.is_private());
        let has_all =
            |line: LineStatus| line.conn.is_none_or(|conn| self.on_way.get(&conn) == Some(&0));
        let is_up = self.private.is_some();
        if is_up && lines.all(has_all) && self.inbox.is_empty() {
            let found = self.accounts.check(&self.client, cx.exchange);
            return found.or_else(|problem| self.fail(cx, &problem));
        }
        Ok(())
    }

    fn perform(&mut self, cx: &mut Cx<'_>, output: Output<'static>) -> Result<(), Violation> {
        match output {
            Output::Event(event) => {
                let symbol = event.topic().and_then(|topic| self.client.channel(topic));
                cx.ledger.on_event(&event, symbol.and_then(|channel| channel.symbol()));
                cx.happenings.push(cx.now, || Some(WorldEvent::Client(event)));
                self.note_refresh(cx.now, &event);
                if let Event::Line(line, LineEvent::Up { conn }) = event
                    && self.client.line_role(line).is_some_and(LineRole::is_private)
                {
                    self.private = Some(conn);
                }
                self.oracle.on_event(&self.client, cx.exchange, &event)?;
            }
            // Its text was noted when it came.
            Output::Push(_) => {}
            Output::Open { conn, to } => {
                let query = to.secret_url().split_once('?').map_or("", |(_, query)| query);
                self.send(cx, conn, Load::Connect(conn, query.into()));
            }
            Output::Send { conn, text } => self.send(cx, conn, Load::Up(conn, text)),
            Output::Close { conn } => {
                self.send(cx, conn, Load::Gone(conn));
                self.close(cx, conn);
            }
            Output::Fetch(fetch) => {
                let at = cx.net.arrival(cx.now, &self.weather);
                let unix_ms = cx.exchange.unix(cx.now).as_millis();
                let asked = Asked::new(&fetch, unix_ms.saturating_add_signed(self.clock_off_ms));
                cx.net.post(at, self.address, Load::Request(asked));
            }
        }
        Ok(())
    }

    fn note_refresh(&mut self, now: Instant, event: &Event) {
        match *event {
            Event::Book(topic, BookEvent::Lost { reason: BookLostReason::Horizon(_), .. }) => {
                self.refreshing.insert(topic, now);
            }
            Event::Book(topic, BookEvent::Lost { .. } | BookEvent::Live { .. }) => {
                self.refreshing.remove(&topic);
            }
            _ => {}
        }
        if let Event::Book(topic, BookEvent::Live { .. }) = *event
            && let Some(symbol) = self.client.channel(topic).and_then(|channel| channel.symbol())
        {
            self.first_live.entry(symbol).or_insert(now);
        }
    }

    fn send(&self, cx: &mut Cx<'_>, conn: ConnId, load: Load) {
        let way = (self.address, conn, Way::Up);
        cx.net.send(cx.now, &self.weather, way, cx.exchange.frozen_until(), load);
    }

    fn close(&mut self, cx: &mut Cx<'_>, conn: ConnId) {
        self.closed.insert(conn);
        self.heard.retain(|(_, on), _| *on != conn);
        cx.net.forget(self.address, conn);
    }

    /// Closes the client for good and looks whether that is what it does.
    pub(super) fn end(&mut self, cx: &mut Cx<'_>) -> Result<(), Violation> {
        let at = self.tell(cx.now);
        self.client.command(at, Command::Close, Client::close);
        self.drain(cx)?;
        // The end of all time, and something from a past life.
        let end = Instant::from_nanos(u64::MAX);
        let _ = self.client.handle(end, Input::Timeout);
        let _ = self.client.handle(at, Input::Text { conn: ConnId::new(1), bytes: b"{}" });
        if self.client.poll_output().is_some() {
            return self.fail(cx, "a closed client still says something");
        }
        let found = self.judge.check_end(&self.client);
        found.or_else(|problem| self.fail(cx, &problem))
    }

    fn moment<'a>(&self, cx: &Cx<'a>) -> Moment<'a> {
        Moment { at: self.driver.told(), exchange: cx.exchange, late: self.driver.left_lying }
    }

    fn fail(&self, cx: &Cx<'_>, problem: &str) -> Result<(), Violation> {
        Err(Violation::new(format!("client {} at {:?}: {problem}", self.address.0, cx.now)))
    }
}

/// For how long deadlines may be missed because of a fault.
const fn excuse(fault: &Fault) -> Option<Duration> {
    match *fault {
        Fault::Sleep { span } | Fault::SlowConsumer { span } => Some(span),
        Fault::LateTimeouts { by, span } => Some(span.saturating_add(by)),
        // Past its deadlines at once, and no longer. One that goes back stands still for the client,
        // and is excused when it catches up.
        Fault::ClockLeap { .. } => Some(Duration::ZERO),
        Fault::Undrained { .. } => Some(Duration::from_secs(5)),
        _ => None,
    }
}
