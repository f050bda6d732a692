//! The client: routes inputs to its components and gathers what they put out.

mod frames;
mod turn;

use crate::book::Book;
use crate::book::sync::{BookStatus, BookSync};
use crate::channel::Channel;
use crate::config::Config;
use crate::context::Context;
use crate::error::{Misuse, TransportError};
use crate::ids::{ConnId, LineId, RequestId, TopicId};
use crate::input::{Input, ResponseHead};
use crate::line::{Line, LineEvent};
use crate::output::{BookDelayReason, Deadline, Event, Output, RestError, TimeoutReason};
use crate::push::{PushTag, Query};
use crate::scheduler::{Purpose, RestScheduler, parse_envelope};
use crate::stats::Stats;
use crate::subscription::SubscriptionState;
use crate::time::Instant;
use crate::timers::{LineTimer, Timer, TopicTimer};
use crate::topics::{Interest, Topic, TopicStatus, Topics};
use crate::wire::Bullet;

use alloc::vec::Vec;

pub use turn::Turn;

/// A KuCoin Futures client without any I/O: bytes and times in, effects and events out.
///
/// See the [crate's documentation](crate) for the laws it keeps and the loop that drives it.
///
/// A clone goes its own way from there: the same inputs give the same outputs. It has the same names
/// for connections and requests, so only one of the two can be driven by real ones.
#[derive(Clone)]
pub struct Client {
    cx: Context,
    lines: Vec<Line>,
    topics: Topics,
    scheduler: RestScheduler,
    /// The message that the latest input held, if it held one.
    message: Option<PushTag>,
    closed: bool,
}

/// The exchange's code for a symbol that it does not list; comes with HTTP 200.
const UNKNOWN_SYMBOL: u32 = 200_003;

impl Client {
    /// A client that begins at `now`. `seed` decides jitter and connect ids: give every process
    /// another one, and a test always the same.
    #[must_use]
    pub fn new(now: Instant, seed: u64, config: Config) -> Self {
        let cx = Context::new(now, seed, config.in_order());
        let scheduler = RestScheduler::new(&cx.config);
        let lines = [Line::new(LineId::new(0), &cx)].into();
        Self { cx, lines, topics: Topics::default(), scheduler, message: None, closed: false }
    }

    // Commands: these take `now` and may queue outputs.

    /// Wants a channel from now on, over all reconnects. Wanting it twice is wanting it once; a
    /// rejected one is tried again.
    ///
    /// Only marks it: frames are composed when outputs are drained, so that a hundred calls make
    /// one frame.
    ///
    /// # Errors
    /// [`Misuse::TooManyTopics`], [`Misuse::Closed`].
    pub fn subscribe(&mut self, now: Instant, channel: Channel) -> Result<TopicId, Misuse> {
        self.enter(now)?;
        if let Some(known) = self.topics.route(channel) {
            return Ok(known);
        }
        if self.topics.wanted() >= self.cx.config.topics_per_line {
            return Err(Misuse::TooManyTopics);
        }
        let topic = self.topics.want(channel, &self.cx.config).ok_or(Misuse::TooManyTopics)?;
        if let Some(line) = self.lines.first_mut() {
            line.start();
            line.subscribe(topic, channel.kind());
        }
        self.settle();
        Ok(topic)
    }

    /// Wants a topic no more. Its book is gone at once.
    ///
    /// # Errors
    /// [`Misuse::UnknownTopic`], [`Misuse::Closed`].
    pub fn unsubscribe(&mut self, now: Instant, topic: TopicId) -> Result<(), Misuse> {
        self.enter(now)?;
        if self.topics.get(topic).ok_or(Misuse::UnknownTopic)?.is_wanted() {
            self.end(topic, Interest::Ended);
            self.on_carried_no_more(topic);
        }
        self.settle();
        Ok(())
    }

    /// Asks the exchange something, once, under the budgets. The answer comes as a [`Push`] with
    /// this id, or as [`Event::QueryFailed`].
    ///
    /// # Errors
    /// [`Misuse::TooManyQueries`], [`Misuse::Closed`].
    pub fn fetch(&mut self, now: Instant, query: Query) -> Result<RequestId, Misuse> {
        self.enter(now)?;
        let request = self.scheduler.want_query(&mut self.cx, query)?;
        self.settle();
        Ok(request)
    }

    /// Ends everything. Drain the outputs once more; after that nothing comes any more.
    pub fn close(&mut self, now: Instant) {
        if self.enter(now).is_err() {
            return;
        }
        self.topics.drop_all(&mut self.cx);
        for line in &mut self.lines {
            line.close(&mut self.cx);
        }
        self.route();
        self.scheduler.close(&mut self.cx);
        self.cx.timers.clear_all();
        self.closed = true;
    }

    /// Takes one input. Total: whatever comes, it neither fails nor panics.
    ///
    /// The [`Turn`] says in order what came of it: drain it.
    pub fn handle<'a>(&'a mut self, now: Instant, input: Input<'a>) -> Turn<'a> {
        self.message = None;
        let (mut bytes, mut before) = (&[][..], 0);
        // A delta of a book leaves nothing to pass on.
        let mut is_delta = false;
        if self.enter(now).is_ok() {
            match input {
                Input::Timeout => {}
                Input::Text(conn, text) => {
                    bytes = text;
                    is_delta = self.on_text(conn, text);
                }
                Input::Opened(conn) => self.on_line(conn, Line::on_opened),
                Input::Binary(conn) => {
                    self.cx.stats.binary = self.cx.stats.binary.saturating_add(1);
                    self.on_line(conn, Line::on_binary);
                }
                Input::Lost(conn, loss) => self.on_line(conn, |line, cx| line.on_lost(cx, loss)),
                Input::Reply(request, head, body) => {
                    bytes = body;
                    self.on_reply(request, head, body);
                }
                Input::Failed(request, loss) => self.on_failed(request, RestError::Lost(loss)),
            }
            before = self.cx.outbox.len();
            if !is_delta || self.is_due() {
                self.run_timers();
                self.settle();
            }
        }
        Turn::new(self, bytes, before)
    }

    // Outputs.

    /// The next thing to do or to report; `None` once drained. Call it until then after every command; a
    /// [`Turn`] does so by itself. Never a [`Output::Push`].
    #[inline]
    pub fn poll_output(&mut self) -> Option<Output<'static>> {
        loop {
            if let Some(output) = self.cx.outbox.pop() {
                return Some(output);
            }
            // Each turn uses up some work or finds the budget exhausted.
            let line = self.lines.iter_mut().find(|line| line.has_output())?;
            line.compose(&mut self.cx, |topic| Some(self.topics.get(topic)?.channel));
            self.route();
        }
    }

    /// When to call `handle` with `Timeout`, and what for. O(1); changes only by `&mut` calls.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Deadline> {
        if !self.cx.outbox.is_empty() || self.lines.iter().any(Line::has_output) {
            return Some(Deadline::new(self.cx.now, TimeoutReason::Outputs));
        }
        // planted: early-deadline
        let (at, timer) = self.cx.timers.earliest()?;
        Some(Deadline::new(at, reason(timer)))
    }

    // Reading.

    /// The book of a level2 topic, while it is live.
    #[must_use]
    pub fn book(&self, topic: TopicId) -> Option<&Book> {
        self.topics.book(topic)?.book()
    }

    /// How far the subscription to a topic has come. An id of another client is `Unsubscribed`.
    #[must_use]
    pub fn status(&self, topic: TopicId) -> TopicStatus {
        let on_lines = self.lines.iter().filter_map(|line| line.subscription(topic)).max();
        let entry = self.topics.get(topic);
        entry.map_or(TopicStatus::Unsubscribed, |entry| entry.status(on_lines))
    }

    /// Where the book of a topic stands; `None` if the topic has no book.
    #[must_use]
    pub fn book_status(&self, topic: TopicId) -> Option<BookStatus> {
        self.topics.get(topic)?.book_status()
    }

    /// The channel of a topic; `None` for an id of another client.
    #[must_use]
    pub fn channel(&self, topic: TopicId) -> Option<Channel> {
        self.topics.get(topic).map(|entry| entry.channel)
    }

    /// The counters.
    #[must_use]
    pub const fn stats(&self) -> &Stats {
        &self.cx.stats
    }

    /// What the client keeps to, with contradictions resolved.
    #[must_use]
    pub const fn config(&self) -> &Config {
        &self.cx.config
    }

    // Replies.

    fn on_reply(&mut self, request: RequestId, head: ResponseHead, body: &[u8]) {
        let Some(purpose) = self.scheduler.finish(&mut self.cx, request) else {
            return self.count_stale();
        };
        if let Purpose::Snapshot(topic) = purpose
            && self.on_snapshot(topic, request, head, body)
        {
            return;
        }
        let data = match parse_envelope(head, body) {
            Ok(data) => data,
            Err(failure) => return self.on_no_answer(request, purpose, failure),
        };
        match purpose {
            Purpose::Query(query) => self.message = Some(PushTag::of_query(request, query)),
            Purpose::Token(line) => {
                let bullet = Bullet::parse(data).map_err(RestError::Wire);
                if let Err(failure) = bullet {
                    self.scheduler.on_failure(&mut self.cx, failure);
                }
                self.on_token(line, bullet);
            }
            // Nobody waits for it any more.
            Purpose::Snapshot(_) => {}
        }
    }

    fn on_failed(&mut self, request: RequestId, failure: RestError) {
        match self.scheduler.finish(&mut self.cx, request) {
            Some(purpose) => self.on_no_answer(request, purpose, failure),
            None => self.count_stale(),
        }
    }

    fn on_no_answer(&mut self, request: RequestId, purpose: Purpose, reason: RestError) {
        self.scheduler.on_failure(&mut self.cx, reason);
        match purpose {
            Purpose::Query(_) => self.cx.event(Event::QueryFailed { request, reason }),
            Purpose::Token(line) => self.on_token(line, Err(reason)),
            Purpose::Snapshot(topic) => {
                let awaited = self.topics.book(topic).is_some_and(|book| book.awaits(request));
                if !awaited {
                    return;
                }
                if reason == (RestError::Api { code: UNKNOWN_SYMBOL }) {
                    return self.on_unknown_symbol(topic);
                }
                if let Some(book) = self.topics.book_mut(topic) {
                    book.on_no_snapshot(&mut self.cx, BookDelayReason::SnapshotFailed(reason));
                }
            }
        }
    }

    /// The stream confirms any symbol; REST knows better.
    fn on_unknown_symbol(&mut self, topic: TopicId) {
        self.end(topic, Interest::Rejected { code: UNKNOWN_SYMBOL });
        self.cx.event(Event::Rejected { topic, code: UNKNOWN_SYMBOL });
    }

    fn on_token(&mut self, line: LineId, token: Result<Bullet, RestError>) {
        if let Some(line) = self.lines.get_mut(line.index()) {
            line.on_token(&mut self.cx, &mut self.scheduler.connects, token);
        }
    }

    /// False: it is no snapshot, or nobody waits for it; an error of the exchange is still to be
    /// looked for.
    fn on_snapshot(
        &mut self,
        topic: TopicId,
        request: RequestId,
        head: ResponseHead,
        body: &[u8],
    ) -> bool {
        let Some(symbol) = self.topics.get(topic).map(|entry| entry.channel.symbol()) else {
            return false;
        };
        let Some(book) = self.topics.book_mut(topic).filter(|book| book.awaits(request)) else {
            return false;
        };
        if head.status() != 200 {
            return false;
        }
        match book.on_snapshot(&mut self.cx, symbol, body) {
            Ok(()) => true,
            Err(_) if parse_envelope(head, body).is_err() => false,
            Err(error) => {
                book.on_no_snapshot(&mut self.cx, BookDelayReason::SnapshotMalformed(error));
                true
            }
        }
    }

    // Time.

    #[inline]
    fn is_due(&self) -> bool {
        self.cx.timers.earliest().is_some_and(|(at, _)| at <= self.cx.now)
    }

    fn run_timers(&mut self) {
        while let Some((due, timer)) = self.cx.timers.take_due(self.cx.now) {
            match timer {
                Timer::Line(line, timer) => {
                    let connects = &mut self.scheduler.connects;
                    if let Some(line) = self.lines.get_mut(line.index()) {
                        line.on_timer(&mut self.cx, connects, timer, due);
                    }
                    self.route();
                }
                Timer::Topic(topic, timer) => self.on_topic_timer(topic, timer),
                Timer::Request(request) => {
                    self.on_failed(request, RestError::Lost(TransportError::TimedOut));
                }
                Timer::RestScheduler => self.scheduler.stir(),
            }
        }
    }

    fn on_topic_timer(&mut self, topic: TopicId, timer: TopicTimer) {
        match timer {
            TopicTimer::Silence => self.topics.on_silence_due(&mut self.cx, topic),
            TopicTimer::Crossed => {
                if let Some(book) = self.topics.book_mut(topic) {
                    book.on_crossed_for_long(&mut self.cx);
                }
            }
            TopicTimer::Snapshot => {
                if self.topics.book_mut(topic).is_some_and(BookSync::on_snapshot_due) {
                    self.scheduler.want_snapshot(topic);
                }
            }
        }
    }

    // Plumbing.

    fn enter(&mut self, now: Instant) -> Result<(), Misuse> {
        if self.closed {
            return Err(Misuse::Closed);
        }
        self.cx.advance(now);
        Ok(())
    }

    /// Passes on what components want of each other.
    fn settle(&mut self) {
        self.route();
        let topics = &self.topics;
        self.scheduler.pump(&mut self.cx, |topic| topics.get(topic)?.demand());
        while let Some((topic, request)) = self.scheduler.poll_asked() {
            if let Some(book) = self.topics.book_mut(topic) {
                book.on_asked(&self.cx, request);
            }
        }
    }

    /// Passes on what has happened on lines, in that order: the only way from a line to anything else.
    fn route(&mut self) {
        for at in 0..self.lines.len() {
            while let Some((line, event)) = self.lines.get_mut(at).and_then(Line::poll_event) {
                self.on_line_event(line, event);
            }
        }
    }

    fn on_line_event(&mut self, line: LineId, event: LineEvent) {
        match event {
            LineEvent::NeedToken => self.scheduler.want_token(line),
            LineEvent::TokenFailed(reason) => self.cx.event(Event::TokenFailed { line, reason }),
            LineEvent::Up(conn) => {
                self.cx.event(Event::LineUp { line, conn });
                let Some(line) = self.lines.get_mut(line.index()) else { return };
                for (topic, kind) in self.topics.wanted_kinds() {
                    // planted: no-resubscribe
                    line.subscribe(topic, kind);
                }
            }
            LineEvent::Down(conn, reason) => self.cx.event(Event::LineDown { line, conn, reason }),
            LineEvent::Waiting { delay, failures } => {
                self.cx.event(Event::LineWaiting { line, delay, failures });
            }
            LineEvent::Confirmed(topic) => self.topics.on_confirmed(&mut self.cx, topic, line),
            LineEvent::Ended(topic) => self.on_carried_no_more(topic),
            LineEvent::Dropped(topic) => {
                let confirmed = Some(SubscriptionState::Confirmed);
                let elsewhere = self.lines.iter().any(|line| line.subscription(topic) == confirmed);
                // planted: books-outlive-line
                self.topics.on_dropped(&mut self.cx, topic, line, elsewhere);
                self.on_carried_no_more(topic);
            }
            LineEvent::Rejected(topic, code) => {
                if self.topics.get(topic).is_some_and(Topic::is_wanted) {
                    self.end(topic, Interest::Rejected { code });
                    self.cx.event(Event::Rejected { topic, code });
                } else {
                    self.on_carried_no_more(topic);
                }
            }
        }
    }

    /// Nothing is wanted of a topic any more, for this reason.
    fn end(&mut self, topic: TopicId, last: Interest) {
        let Some(kind) = self.topics.get(topic).map(|entry| entry.channel.kind()) else { return };
        self.topics.deactivate(&mut self.cx, topic, last);
        self.lines.iter_mut().for_each(|line| line.unsubscribe(topic, kind));
    }

    /// A topic that is not wanted and that no line carries has ended, whatever ended it.
    fn on_carried_no_more(&mut self, topic: TopicId) {
        let is_wanted = self.topics.get(topic).is_some_and(Topic::is_wanted);
        if !is_wanted && self.lines.iter().all(|line| line.subscription(topic).is_none()) {
            self.cx.event(Event::Unsubscribed { topic });
        }
    }

    /// Tells the line of a connection something, if there is one.
    fn on_line(&mut self, conn: ConnId, tell: impl FnOnce(&mut Line, &mut Context)) {
        match self.lines.iter_mut().find(|line| line.is(conn)) {
            Some(line) => tell(line, &mut self.cx),
            None => self.count_stale(),
        }
    }

    /// An input for a connection or a request that is gone.
    const fn count_stale(&mut self) {
        self.cx.stats.stale_inputs = self.cx.stats.stale_inputs.saturating_add(1);
    }
}

const fn reason(timer: Timer) -> TimeoutReason {
    match timer {
        Timer::Line(_, LineTimer::Phase) => TimeoutReason::Phase,
        Timer::Line(_, LineTimer::Ping) => TimeoutReason::Ping,
        Timer::Line(_, LineTimer::Pong) => TimeoutReason::Pong,
        Timer::Line(_, LineTimer::Ack) => TimeoutReason::Ack,
        Timer::Line(_, LineTimer::Send) | Timer::RestScheduler => TimeoutReason::Budget,
        Timer::Topic(_, TopicTimer::Snapshot) => TimeoutReason::Snapshot,
        Timer::Topic(_, TopicTimer::Crossed) => TimeoutReason::Crossed,
        Timer::Topic(_, TopicTimer::Silence) => TimeoutReason::Silence,
        Timer::Request(_) => TimeoutReason::Fetch,
    }
}

impl core::fmt::Debug for Client {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Client").field("now", &self.cx.now).finish_non_exhaustive()
    }
}
