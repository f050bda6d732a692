//! What happens below is passed on here: frames and replies down, what lines tell up, nothing sideways.

mod carrying;
mod change_over;
mod comparing;
mod replies;

use crate::account::sync::AccountSync;
use crate::book::sync::BookSync;
use crate::context::Context;
use crate::error::{TransportError, WireError};
use crate::event::{Event, LineEvent, ReplaceReason, RestError, TimePlace, TopicEvent};
use crate::ids::{ConnId, LineId, TopicId, WordsId};
use crate::input::Input;
use crate::line::{Line, LineReport};
use crate::placement::Placement;
use crate::push::PushTag;
use crate::scheduler::{RestScheduler, TokenFor};
use crate::stats::Disposition;
use crate::timers::{LineTimer, Timer, TopicTimer};
use crate::topics::{Interest, Topic, Topics};
use crate::wire::{Decoded, NOT_KEPT};

use alloc::vec::Vec;
pub(super) use comparing::Comparison;

/// The components of a client.
#[derive(Clone)]
pub(super) struct Router {
    pub(super) cx: Context,
    pub(super) lines: Vec<Line>,
    pub(super) placement: Placement,
    pub(super) topics: Topics,
    pub(super) scheduler: RestScheduler,
    pub(super) account: AccountSync,
    pub(super) comparison: Comparison,
    /// A line may have something to send. Looked at after each frame: no frame of a topic gives a line work.
    pub(super) may_send: bool,
    /// The message that the latest input held, if it held one.
    pub(super) message: Option<PushTag>,
}

impl Router {
    /// Takes an input. True: it was a message of a topic, which leaves nothing to pass on.
    #[inline]
    pub(super) fn take(&mut self, input: Input<'_>) -> bool {
        match input {
            Input::Timeout => {}
            Input::Text { conn, bytes: text } => return self.on_text(conn, text),
            Input::Opened { conn } => self.on_line(conn, Line::on_opened),
            Input::Binary { conn } => {
                self.cx.stats.binary = self.cx.stats.binary.saturating_add(1);
                self.on_line(conn, Line::on_binary);
            }
            Input::Lost { conn, error } => self.on_line(conn, |line, cx| line.on_lost(cx, error)),
            Input::Reply { request, head, body } => self.on_reply(request, head, body),
            Input::Failed { request, error } => self.on_failed(request, RestError::Lost(error)),
        }
        false
    }

    // Frames.

    /// Takes a text message. True: it was one of a topic.
    #[inline]
    fn on_text(&mut self, conn: ConnId, bytes: &[u8]) -> bool {
        let Self { cx, lines, topics, .. } = self;
        let Some(line) = lines.iter().find(|line| line.is(conn)) else {
            cx.stats.count(Disposition::Stale);
            return false;
        };
        let Some(found) = line.find_delta(bytes) else { return self.on_other(conn, bytes) };
        // Where each topic is on several lines every other frame is a copy, and need not be read.
        let are_several = cx.config.lines.per_topic > 1;
        if are_several && topics.take_same(cx, line.id(), found.topic(), bytes) {
            cx.stats.count(Disposition::Repeat);
            return true;
        }
        let Some(delta) = found.read(bytes) else { return self.on_other(conn, bytes) };
        let disposition = topics.on_delta(cx, line.id(), found.topic(), delta, bytes);
        cx.stats.count(disposition);
        true
    }

    /// A frame that does not look like the last delta of its symbol. Apart from those, which are most and
    /// should not wait for what this needs.
    #[inline(never)]
    fn on_other(&mut self, conn: ConnId, bytes: &[u8]) -> bool {
        let Self { cx, lines, topics, account, message, .. } = self;
        let Some(line) = lines.iter_mut().find(|line| line.is(conn)) else { return false };
        let decoded = line.decode(bytes, topics);
        let is_of_topic = !matches!(decoded, Decoded::Control(_));
        let disposition = match decoded {
            Decoded::Delta(topic, delta, has_odd_time) => {
                if has_odd_time {
                    cx.on_odd_time(TimePlace::Delta);
                }
                // A copy of it has that time, too, which is to be counted again.
                let frame = if has_odd_time { NOT_KEPT } else { bytes };
                topics.on_delta(cx, line.id(), topic, delta, frame)
            }
            Decoded::BadDelta(topic, error) => topics.on_bad_delta(cx, line.id(), topic, error),
            Decoded::Message(topic, said) => {
                if said.has_odd_time {
                    cx.on_odd_time(TimePlace::Message);
                }
                let disposition = topics.on_message(cx, line.id(), topic, said.position, bytes);
                if disposition == Disposition::Pushed {
                    if account.listens_to(topic) {
                        let values = said.values.unwrap_or(Err(WireError::Unexpected));
                        account.on_message(cx, values.and_then(|values| values.message(bytes)));
                    }
                    *message = Some(PushTag::of_topic(topic, said.values, bytes));
                }
                disposition
            }
            Decoded::Control(frame) => line.on_control(cx, frame),
            Decoded::Unwanted => Disposition::Unwanted,
            Decoded::Malformed => Disposition::Malformed,
        };
        self.cx.stats.count(disposition);
        is_of_topic
    }

    // Time.

    #[inline]
    pub(super) fn is_due(&self) -> bool {
        self.cx.timers.earliest().is_some_and(|(at, _)| at <= self.cx.now)
    }

    pub(super) fn run_timers(&mut self) {
        while let Some((due, timer)) = self.cx.timers.take_due(self.cx.now) {
            match timer {
                Timer::Line(line, LineTimer::Age) => {
                    self.begin_change_over(line, ReplaceReason::Age);
                }
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
                Timer::Account => self.account.on_pause_over(&self.cx),
                Timer::Comparison => self.compare_lines(),
            }
        }
    }

    fn on_topic_timer(&mut self, topic: TopicId, timer: TopicTimer) {
        match timer {
            TopicTimer::Subscribe => self.ask_again(topic),
            TopicTimer::Silence => {
                self.topics.on_silence_due(&mut self.cx, topic);
            }
            TopicTimer::LeftBehind => {
                if let Some(book) = self.topics.book_mut(topic) {
                    book.on_left_behind(&mut self.cx);
                }
                self.renew(topic);
            }
            TopicTimer::Hole => {
                if let Some(book) = self.topics.book_mut(topic) {
                    book.on_hole_due(&mut self.cx);
                }
            }
            TopicTimer::Audit => {
                if let Some(book) = self.topics.book_mut(topic) {
                    book.on_audit_due(&mut self.cx);
                }
            }
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

    // What components want of each other.

    /// Passes on what components want of each other.
    pub(super) fn settle(&mut self) {
        self.may_send = true;
        self.route();
        if self.placement.has_successions() {
            self.advance_change_overs();
        }
        self.settle_account();
        let topics = &self.topics;
        self.scheduler.pump(&mut self.cx, |topic| topics.get(topic)?.demand());
        while let Some((topic, request)) = self.scheduler.poll_asked() {
            if let Some(book) = self.topics.book_mut(topic) {
                book.on_asked(&self.cx, request);
            }
        }
    }

    /// Passes on what the account wants of others.
    fn settle_account(&mut self) {
        while let Some((query, round)) = self.account.poll_question() {
            self.scheduler.want_account(query, round);
        }
        if let Some(topic) = self.account.poll_barrier()
            && let Some(kind) = self.topics.get(topic).map(|entry| entry.channel.kind())
        {
            self.account.on_barrier(self.is_confirmed(topic));
            // In order behind what is heard: on the line that it is heard on.
            let owner = self.lines.iter_mut().find(|line| self.topics.is_owner(topic, line.id()));
            owner.into_iter().for_each(|line| line.renew(topic, kind));
        }
    }

    /// Passes on what has happened on lines, in that order: the only way from a line to anything else.
    pub(super) fn route(&mut self) {
        while let Some((line, report)) = self.lines.iter_mut().find_map(Line::poll_report) {
            self.on_report(line, report);
        }
    }

    fn on_report(&mut self, line: LineId, report: LineReport) {
        match report {
            LineReport::Event(event) => {
                self.cx.event(Event::Line(line, event));
                if matches!(event, LineEvent::Up { .. }) {
                    self.on_up(line);
                    self.await_comparison();
                } else if matches!(event, LineEvent::Down { .. }) {
                    self.placement.on_down(line);
                }
            }
            LineReport::NeedToken => {
                let is_private = self.lines.get(line.index()).is_some_and(Line::is_private);
                self.scheduler.want_token(TokenFor { line, is_private });
            }
            LineReport::LoginRefused { code, words } => self.on_login_refused(code, words),
            LineReport::Confirmed(topic) => self.on_confirmed(line, topic),
            LineReport::Ended(topic) => self.on_ended(line, topic),
            LineReport::Dropped(topic) => self.on_dropped(line, topic),
            // It was to end there, and found another home meanwhile.
            LineReport::Refused { topic, .. } | LineReport::Rejected { topic, .. }
                if self.is_elsewhere(topic, line) =>
            {
                self.on_dropped(line, topic);
            }
            LineReport::Refused { topic, code, words } => {
                self.account.on_refused(topic);
                let is_put_off = self.topics.on_refused(&mut self.cx, topic, line, code, words)
                    || self.put_off(topic, code, words);
                if !is_put_off {
                    self.on_rejected(topic, code, words);
                    self.topics.on_dropped(&mut self.cx, topic, line, false);
                } else if let Some(line) = self.lines.get_mut(line.index()) {
                    line.put_off(topic, code);
                }
            }
            LineReport::Rejected { topic, code, words } => {
                self.on_no_room(line, topic, code, words);
            }
        }
    }

    /// Asks for a topic of the account again after a pause, if it was carried lately.
    fn put_off(&mut self, topic: TopicId, code: u32, words: Option<WordsId>) -> bool {
        let Some(delay) = self.account.put_off(&mut self.cx, topic) else { return false };
        self.cx.pause(topic, delay);
        self.cx.event(Event::Topic(topic, TopicEvent::Refused { code, delay, words }));
        true
    }

    /// A topic cannot be had; one that is not wanted any more has ended with that.
    fn on_rejected(&mut self, topic: TopicId, code: u32, words: Option<WordsId>) {
        if self.topics.get(topic).is_some_and(Topic::is_wanted) {
            self.end(topic, Interest::Rejected { code });
            self.cx.event(Event::Topic(topic, TopicEvent::Rejected { code, words }));
        } else {
            self.on_carried_no_more(topic);
        }
    }

    /// The account cannot be used: nothing of it can be had until somebody subscribes anew.
    fn on_login_refused(&mut self, code: u32, words: Option<WordsId>) {
        let wanted: Vec<_> = self.topics.wanted_kinds().collect();
        for (topic, _) in wanted.into_iter().filter(|(_, kind)| kind.is_private()) {
            self.on_rejected(topic, code, words);
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
