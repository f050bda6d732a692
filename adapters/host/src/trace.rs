//! What happens to lines, topics and books, as spans and events of `tracing`, for every runtime.
//!
//! ```text
//! span `feed`  runtime                       as long as the feed: the transport's, with its `open` and `fetch`
//!   span `line`    line role conn            from the welcome to the end of the connection
//!   span `outage`  symbol epoch              from when a live book is lost until it is live again, or not wanted
//! ```
//!
//! Which events there are, at which level and with what, is a table in `docs/watching.md`.
//!
//! A change-over is a `line is being replaced` that ends in a `line down` because another line has taken its place.
//! Nothing is said for a delta or a message. `said` are the exchange's words, fit to be shown
//! ([`Client::words`](kucoin_futures_proto::Client::words)); no token, key or signature is among what the client
//! reports. Events come when they are told, times are those of the input that they came of.

use std::collections::BTreeMap;
use std::time::Duration;

use kucoin_futures_proto::{
    AccountEvent, BookEvent, BookLostReason, Client, ConnId, Event, Instant, LineEvent, LineId,
    LineRole, Symbol, TopicEvent, TopicId,
};
use tracing::{Span, debug, info, info_span, warn};

/// What goes on, and since when.
#[derive(Debug)]
pub(crate) struct Trace {
    feed: Span,
    lines: BTreeMap<LineId, Line>,
    books: BTreeMap<TopicId, Book>,
}

/// A line that is up.
#[derive(Debug)]
struct Line {
    conn: ConnId,
    span: Span,
    since: Instant,
}

/// A book that is live, or was.
#[derive(Debug)]
enum Book {
    Live { since: Instant },
    Lost { since: Instant, outage: Span },
}

impl Default for Trace {
    fn default() -> Self {
        Self::new(Span::none())
    }
}

impl Trace {
    /// Under the span of the feed.
    pub(crate) const fn new(feed: Span) -> Self {
        Self { feed, lines: BTreeMap::new(), books: BTreeMap::new() }
    }

    /// Something is told that is no delta.
    #[cold]
    pub(crate) fn on_event(&mut self, client: &Client, now: Instant, event: Event) {
        let said = event.refusal().and_then(|refusal| client.words(refusal.words?));
        let feed = &self.feed;
        match event {
            Event::Line(line, event) => self.on_line(client, now, line, event, said),
            Event::Topic(topic, event) => self.on_topic(client, topic, event, said),
            Event::Book(topic, event) => {
                if let Some(symbol) = client.channel(topic).and_then(|channel| channel.symbol()) {
                    self.on_book(now, topic, symbol, event, said);
                }
            }
            Event::Account(event) => self.on_account(event, said),
            Event::QueryFailed { request, reason } => {
                debug!(parent: feed, request = request.get(), %reason, said, "query failed");
            }
            Event::OddTime(place) => info!(parent: feed, %place, "a time that cannot be read"),
            Event::Lagged { dropped } => info!(parent: feed, dropped, "events were dropped"),
            other => debug!(parent: feed, ?other, "event"),
        }
    }

    fn on_line(
        &mut self,
        client: &Client,
        now: Instant,
        id: LineId,
        event: LineEvent,
        said: Option<&str>,
    ) {
        let (feed, line, role) = (&self.feed, id.get(), client.line_role(id).map(LineRole::name));
        match event {
            LineEvent::Up { conn } => {
                let span = info_span!(parent: feed, "line", line, role, conn = conn.get());
                info!(parent: &span, "line up");
                self.lines.insert(id, Line { conn, span, since: now });
            }
            LineEvent::Down { conn, reason } => {
                if self.lines.get(&id).is_none_or(|up| up.conn != conn) {
                    let conn = conn.get();
                    return info!(parent: feed, line, role, conn, %reason, said, "line not up");
                }
                if let Some(up) = self.lines.remove(&id) {
                    let up_ms = millis(now.since(up.since));
                    info!(parent: &up.span, %reason, up_ms, said, "line down");
                }
            }
            LineEvent::Replacing { by, reason } => {
                let span = self.lines.get(&id).map_or(feed, |up| &up.span);
                info!(parent: span, line, by = by.get(), %reason, "line is being replaced");
            }
            LineEvent::Behind { brought, late, missed } => {
                let span = self.lines.get(&id).map_or(feed, |up| &up.span);
                info!(parent: span, line, brought, late, missed, "line is behind");
            }
            LineEvent::Waiting { delay, failures } => {
                let delay_ms = millis(delay);
                debug!(parent: feed, line, role, delay_ms, failures, "line waits");
            }
            LineEvent::TokenFailed(reason) => {
                info!(parent: feed, line, role, %reason, said, "no token");
            }
            LineEvent::LoginRefused { error, .. } => {
                warn!(parent: feed, line, role, reason = %error, said, "login refused");
            }
            other => debug!(parent: feed, line, role, ?other, "line"),
        }
    }

    fn on_topic(&mut self, client: &Client, id: TopicId, event: TopicEvent, said: Option<&str>) {
        let feed = &self.feed;
        let topic = client.channel(id).map(tracing::field::display);
        match event {
            TopicEvent::Confirmed => debug!(parent: feed, topic, "topic confirmed"),
            TopicEvent::Idle => debug!(parent: feed, topic, "topic is silent"),
            TopicEvent::Active => debug!(parent: feed, topic, "topic speaks again"),
            TopicEvent::Renewed { line } => {
                info!(parent: feed, topic, line = line.get(), "topic subscribed again");
            }
            TopicEvent::MayHaveMissed => info!(parent: feed, topic, "messages may be missing"),
            TopicEvent::Refused { code, delay, .. } => {
                let delay_ms = millis(delay);
                info!(parent: feed, topic, code, delay_ms, said, "topic refused");
            }
            TopicEvent::Rejected { code, .. } => {
                warn!(parent: feed, topic, code, said, "topic rejected");
                self.books.remove(&id);
            }
            TopicEvent::Unsubscribed => {
                debug!(parent: feed, topic, "topic ended");
                self.books.remove(&id);
            }
            other => debug!(parent: feed, topic, ?other, "topic"),
        }
    }

    fn on_book(
        &mut self,
        now: Instant,
        topic: TopicId,
        symbol: Symbol,
        event: BookEvent,
        said: Option<&str>,
    ) {
        let feed = &self.feed;
        let outage = match self.books.get(&topic) {
            Some(Book::Lost { outage, .. }) => outage,
            Some(Book::Live { .. }) | None => feed,
        };
        match event {
            BookEvent::Live { epoch, sequence } => {
                let outage_ms = match self.books.get(&topic) {
                    Some(Book::Lost { since, .. }) => Some(millis(now.since(*since))),
                    Some(Book::Live { .. }) | None => None,
                };
                let (epoch, sequence) = (epoch.get(), sequence.get());
                info!(parent: outage, %symbol, epoch, sequence, outage_ms, "book live");
                self.books.insert(topic, Book::Live { since: now });
            }
            BookEvent::Lost { epoch, reason } => {
                let live_ms = match self.books.remove(&topic) {
                    Some(Book::Live { since }) => Some(millis(now.since(since))),
                    Some(Book::Lost { .. }) | None => None,
                };
                let epoch = epoch.get();
                if reason == BookLostReason::Unsubscribed {
                    return info!(parent: feed, %symbol, epoch, %reason, live_ms, "book lost");
                }
                let outage = info_span!(parent: feed, "outage", %symbol, epoch);
                info!(parent: &outage, %symbol, epoch, %reason, live_ms, "book lost");
                self.books.insert(topic, Book::Lost { since: now, outage });
            }
            BookEvent::Delayed(reason) => {
                debug!(parent: outage, %symbol, %reason, said, "book delayed");
            }
            BookEvent::Verified { sequence, is_wider } => {
                debug!(parent: feed, %symbol, sequence = sequence.get(), is_wider, "book verified");
            }
            BookEvent::NotVerified(reason) => {
                debug!(parent: feed, %symbol, %reason, said, "book not verified");
            }
            BookEvent::Delta(_) => {}
            other => debug!(parent: feed, %symbol, ?other, "book"),
        }
    }

    fn on_account(&self, event: AccountEvent, said: Option<&str>) {
        let feed = &self.feed;
        match event {
            AccountEvent::Live { epoch } => {
                info!(parent: feed, epoch = epoch.get(), "account live");
            }
            AccountEvent::Lost { epoch, reason } => {
                info!(parent: feed, epoch = epoch.get(), %reason, "account lost");
            }
            AccountEvent::Delayed(reason) => {
                debug!(parent: feed, %reason, said, "account delayed");
            }
            AccountEvent::FillsRecovered { count } => {
                info!(parent: feed, count, "account fills recovered");
            }
            AccountEvent::BalanceRefused { currency, code } => {
                info!(parent: feed, %currency, code, "account balance refused");
            }
            AccountEvent::Refused { error, .. } => {
                warn!(parent: feed, reason = %error, said, "account refused");
            }
            other => debug!(parent: feed, ?other, "account"),
        }
    }
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}
