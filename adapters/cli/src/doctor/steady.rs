//! A live book for some seconds: what happens meanwhile that the client mends, and whether the exchange has the same.

use std::collections::BTreeMap;
use std::time::Duration;

use kucoin_futures_host::{Next, Update, unix_now};
use kucoin_futures_proto::{
    BookEvent, BookLostReason, BookStatus, Channel, Event, LineEvent, Message, Stats, Symbol,
    TopicEvent, TopicId, UnixNanos,
};

use super::{Finding, Report};
use crate::exit::{Failure, Kind};
use crate::feed::Feed;
use crate::words::{State, Tone};

/// What is looked at here, in order.
pub(super) const CHECKS: [&str; 2] = ["steady", "verify"];

/// Changes that are later than this, by the clocks of both sides, are told.
const LATE: Duration = Duration::from_millis(500);

/// Kinds of trouble that are told one by one; of more there is a number.
const TOLD: usize = 3;

/// Watches, and tells what there was to see.
pub(super) fn look(
    report: &mut Report,
    feed: &mut Feed,
    topic: TopicId,
    symbol: Symbol,
    span: Duration,
) -> Result<(), Failure> {
    let mut watch = Watch { deltas: feed.stats().deltas, ..Watch::default() };
    // What else is pushed may be ill while the book is well.
    for channel in [Channel::execution(symbol), Channel::ticker_v2(symbol), Channel::ticker(symbol)]
    {
        let more = feed.subscribe(channel).map_err(|error| Failure::new(Kind::Usage, error))?;
        watch.topics.insert(more, channel);
    }
    watch.follow(feed, topic, span);
    report.tell(&watch.steady(feed, topic, symbol, span))?;
    report.tell(&watch.verify(symbol))
}

#[derive(Default)]
struct Watch {
    /// That had come before.
    deltas: u64,
    /// How late the latest of them came, by both clocks.
    latest: Duration,
    topics: BTreeMap<TopicId, Channel>,
    /// What went wrong, in words, and how often.
    troubles: BTreeMap<String, u32>,
    /// Messages that cannot be read, and the last reason.
    unreadable: u64,
    unreadable_why: Option<String>,
    unknown: u64,
    /// A verdict was asked for.
    asked: bool,
    verdict: Option<Held>,
}

/// What came of holding the book against a snapshot.
enum Held {
    Equal,
    Differs(String),
    NotAnswered(String),
}

impl Watch {
    fn follow(&mut self, feed: &mut Feed, topic: TopicId, span: Duration) {
        let clock = feed.clock();
        let end = clock.now() + span;
        loop {
            let now = clock.now();
            // A verdict that was asked for is waited for as long again.
            let is_due = now >= end && (!self.is_pending() || now >= end + span);
            if is_due {
                return;
            }
            if !self.asked {
                self.asked = feed.verify(topic).is_ok();
            }
            let until = if now < end { end } else { end + span };
            self.step(feed, topic, until.since(now));
        }
    }

    const fn is_pending(&self) -> bool {
        self.asked && self.verdict.is_none()
    }

    fn step(&mut self, feed: &mut Feed, topic: TopicId, left: Duration) {
        let event = match feed.next_within(left) {
            Next::Update(Update::State(event)) => event,
            Next::Update(Update::Push(push)) => {
                match push.decode() {
                    Ok(Message::Unknown(_)) => self.unknown += 1,
                    Ok(_) => {}
                    Err(error) => {
                        self.unreadable += 1;
                        self.unreadable_why = Some(error.to_string());
                    }
                }
                return;
            }
            Next::Update(Update::Book(change)) => {
                let at = change.book.and_then(|book| book.ts_event()).map(UnixNanos::as_nanos);
                let late = at.map_or(0, |at| unix_now().as_nanos().saturating_sub(at));
                self.latest = self.latest.max(Duration::from_nanos(late));
                return;
            }
            Next::Quiet | Next::Ended => return,
        };
        match event {
            // What has differed once is not made well by the book that is made anew.
            Event::Book(of, BookEvent::Verified { .. })
                if of == topic && !matches!(self.verdict, Some(Held::Differs(_))) =>
            {
                self.verdict = Some(Held::Equal);
            }
            Event::Book(of, BookEvent::NotVerified(reason)) if of == topic => {
                self.verdict.get_or_insert_with(|| Held::NotAnswered(reason.to_string()));
            }
            Event::Book(of, BookEvent::Lost { reason, .. }) if of == topic => {
                if let BookLostReason::Diverged { .. } = reason {
                    self.verdict = Some(Held::Differs(reason.to_string()));
                } else if self.is_pending() {
                    // Asked again once it is live.
                    self.asked = false;
                }
            }
            _ => {}
        }
        self.note(feed, &event);
    }

    fn note(&mut self, feed: &Feed, event: &Event) {
        // That comes of what was told before.
        if matches!(event, Event::Line(_, LineEvent::Waiting { .. })) {
            return;
        }
        let state = State::of(event, feed.words_of(event), |line| feed.line_role(line));
        let Some(state) = state.filter(|state| state.tone == Tone::Bad) else { return };
        let place = match event {
            Event::Topic(of, TopicEvent::MayHaveMissed | TopicEvent::Refused { .. }) => {
                self.topics.get(of).map(|channel| format!(" ({channel})")).unwrap_or_default()
            }
            _ => String::new(),
        };
        *self.troubles.entry(format!("{}{place}", kind_of(&state.text()))).or_default() += 1;
    }

    fn steady(&self, feed: &Feed, topic: TopicId, symbol: Symbol, span: Duration) -> Finding {
        let seen = self.seen(feed.stats());
        let seconds = span.as_secs_f32();
        let stats = feed.stats();
        if self.unreadable + stats.malformed + stats.poisoned > 0 {
            let why = self.unreadable_why.iter().map(|why| format!(" ({why})")).collect::<String>();
            let text = format!("{symbol}: {}{why}", seen.join(", "));
            let advice = "the exchange says something in another way than before, or something in between changes it: \
                is there a newer kcf? --record keeps the evidence";
            return Finding::bad("steady", Kind::Integrity, text, advice);
        }
        if feed.book_status(topic) != Some(BookStatus::Live) {
            let text = format!("{symbol}: not live after {seconds} s: {}", seen.join(", "));
            let advice = "kcf goes on by itself; if that is so for long: another network, --lines 2, or the exchange";
            return Finding::bad("steady", Kind::Network, text, advice);
        }
        if seen.is_empty() {
            let deltas = stats.deltas - self.deltas;
            let text = format!("{symbol}: live for {seconds} s, {deltas} changes, nothing wrong");
            return Finding::fine("steady", text);
        }
        let text = format!("{symbol}: live for now, and before: {}", seen.join(", "));
        let advice = "kcf mends that by itself; if it goes on: another network, --lines 2, or the exchange; --record keeps the \
             evidence";
        Finding::note("steady", text, advice)
    }

    /// What went wrong, the most frequent first, and what was counted.
    fn seen(&self, now: &Stats) -> Vec<String> {
        let mut troubles: Vec<_> = self.troubles.iter().collect();
        troubles.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        let more = troubles.len().saturating_sub(TOLD);
        let told = troubles.iter().take(TOLD).map(|(text, count)| format!("{count} x {text}"));
        let mut seen: Vec<String> = told.collect();
        if more > 0 {
            seen.push(format!("{more} other kinds of trouble"));
        }
        let counts = [
            (now.malformed, "messages that are no frames"),
            (now.poisoned, "changes that cannot be read"),
            (self.unreadable, "messages that cannot be read"),
            (self.unknown, "messages of an unknown subject"),
            (now.unknown, "frames of an unknown type"),
            (now.repeats, "repeated messages"),
            (now.unsolicited, "answers to nothing"),
            (now.errors, "errors"),
            (now.snapshots_too_old, "snapshots that were too old"),
            (now.failed_fetches, "requests that failed"),
        ];
        let counts = counts.iter().filter(|(count, _)| *count > 0);
        seen.extend(counts.map(|(count, what)| format!("{count} {what}")));
        if self.latest > LATE {
            seen.push(format!("changes that came up to {} ms late", self.latest.as_millis()));
        }
        seen
    }

    fn verify(&self, symbol: Symbol) -> Finding {
        match &self.verdict {
            Some(Held::Equal) => {
                Finding::fine("verify", format!("{symbol}: equal to a snapshot of the exchange's"))
            }
            Some(Held::Differs(why)) => Finding::bad(
                "verify",
                Kind::Integrity,
                format!("{symbol}: {why}"),
                "the exchange says two things of one moment: `kcf verify` says if that is still so; please report it, with --record",
            ),
            Some(Held::NotAnswered(why)) => Finding::note(
                "verify",
                format!("{symbol}: no verdict: {why}"),
                "kcf asks again by itself; `kcf verify` asks until there is one",
            ),
            None => Finding::skipped("verify", "no snapshot to hold it against came in time"),
        }
    }
}

/// Without the numbers that make each of a kind another text: the first and second part of what is said.
fn kind_of(text: &str) -> String {
    let mut parts = text.splitn(3, ": ");
    let kind: Vec<_> = parts.by_ref().take(2).collect();
    kind.join(": ")
}
