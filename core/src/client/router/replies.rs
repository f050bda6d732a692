//! Answers of REST, passed on to who asked.

use super::Router;
use crate::event::{BookDelayReason, Event, RestError};
use crate::ids::{LineId, RequestId, TopicId, WordsId};
use crate::input::ResponseHead;
use crate::push::PushTag;
use crate::scheduler::{Purpose, TokenFor, open_envelope, parse_envelope};
use crate::wire::{Bullet, parse_server_time};

/// The exchange's code for a symbol that it does not list; comes with HTTP 200.
const UNKNOWN_SYMBOL: u32 = 200_003;

impl Router {
    pub(super) fn on_reply(&mut self, request: RequestId, head: ResponseHead, body: &[u8]) {
        let Some((purpose, is_retry)) = self.scheduler.finish(&mut self.cx, request) else {
            return self.count_stale();
        };
        if let Purpose::Snapshot(topic) = purpose
            && self.on_snapshot(topic, request, head, body)
        {
            return;
        }
        let data = match open_envelope(&mut self.cx, head, body) {
            Ok(data) => data,
            Err(failure) if self.scheduler.hold(purpose, is_retry, failure) => return,
            Err(failure) => return self.on_no_answer(request, purpose, failure),
        };
        match purpose {
            Purpose::Query(asked, query) => self.message = Some(PushTag::of_query(asked, query)),
            Purpose::Clock { asked } => match parse_server_time(body) {
                Ok(server) => self.scheduler.on_clock(&self.cx, asked, server),
                Err(error) => self.on_no_answer(request, purpose, RestError::Wire(error)),
            },
            Purpose::Token(TokenFor { line, .. }) => {
                let bullet = Bullet::parse(data).map_err(RestError::Wire);
                if let Err(failure) = bullet {
                    self.scheduler.on_failure(&mut self.cx, purpose, failure);
                }
                self.on_token(line, bullet);
            }
            Purpose::Account(query, round) => {
                self.account.on_answer(&mut self.cx, query, round, body);
            }
            // Nobody waits for it any more.
            Purpose::Snapshot(_) => {}
        }
    }

    pub(super) fn on_failed(&mut self, request: RequestId, failure: RestError) {
        match self.scheduler.finish(&mut self.cx, request) {
            Some((purpose, _)) => self.on_no_answer(request, purpose, failure),
            None => self.count_stale(),
        }
    }

    pub(super) fn on_no_answer(&mut self, request: RequestId, purpose: Purpose, reason: RestError) {
        self.scheduler.on_failure(&mut self.cx, purpose, reason);
        match purpose {
            Purpose::Query(request, _) => self.cx.event(Event::QueryFailed { request, reason }),
            Purpose::Token(TokenFor { line, .. }) => self.on_token(line, Err(reason)),
            Purpose::Account(query, round) => {
                self.account.on_no_answer(&mut self.cx, query, round, reason);
            }
            Purpose::Clock { .. } => {
                for (purpose, failure) in self.scheduler.take_held() {
                    self.on_no_answer(request, purpose, failure);
                }
            }
            Purpose::Snapshot(topic) => {
                let awaited = self.topics.book(topic).is_some_and(|book| book.awaits(request));
                if !awaited {
                    return;
                }
                // During an upgrade of the exchange no symbol exists for REST, and the streams go on.
                let speaks = self
                    .topics
                    .get(topic)
                    .is_some_and(|entry| entry.speaks_for_itself(self.cx.now));
                if let RestError::Api { code: UNKNOWN_SYMBOL, words, .. } = reason
                    && !speaks
                {
                    return self.on_unknown_symbol(topic, words);
                }
                if let Some(book) = self.topics.book_mut(topic) {
                    book.on_no_snapshot(&mut self.cx, BookDelayReason::SnapshotFailed(reason));
                }
            }
        }
    }

    /// The stream confirms any symbol; REST knows better.
    pub(super) fn on_unknown_symbol(&mut self, topic: TopicId, words: Option<WordsId>) {
        self.on_rejected(topic, UNKNOWN_SYMBOL, words);
    }

    pub(super) fn on_token(&mut self, line: LineId, token: Result<Bullet, RestError>) {
        if let Some(line) = self.lines.get_mut(line.index()) {
            line.on_token(&mut self.cx, &mut self.scheduler.connects, token);
        }
    }

    /// False: it is no snapshot, or nobody waits for it; an error of the exchange is still to be
    /// looked for.
    pub(super) fn on_snapshot(
        &mut self,
        topic: TopicId,
        request: RequestId,
        head: ResponseHead,
        body: &[u8],
    ) -> bool {
        let Some(symbol) = self.topics.get(topic).and_then(|entry| entry.channel.symbol()) else {
            return false;
        };
        let Some(book) = self.topics.book_mut(topic).filter(|book| book.awaits(request)) else {
            return false;
        };
        if head.status() != 200 {
            return false;
        }
        match book.on_snapshot(&mut self.cx, symbol, body) {
            Ok(()) => {
                self.renew(topic);
                true
            }
            Err(_) if parse_envelope(head, body).is_err() => false,
            Err(error) => {
                book.on_no_snapshot(&mut self.cx, BookDelayReason::SnapshotMalformed(error));
                true
            }
        }
    }
}
