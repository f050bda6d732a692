//! Events, books and counters in words and in JSON: one vocabulary for all commands.

use kucoin_futures_host::unix_now;
use kucoin_futures_proto::book::{Best, Coverage, Level, Scope};
use kucoin_futures_proto::wire::Side;
use kucoin_futures_proto::{
    Book, BookEvent, Event, LineEvent, Stats, Symbol, TopicEvent, TopicId, UnixNanos,
};
use serde_json::{Value, json};

use crate::refusal::Refusal;

/// A change of state: whose, its name, why, and what the exchange said if it refused something.
pub(crate) struct State {
    pub(crate) topic: Option<TopicId>,
    pub(crate) name: &'static str,
    pub(crate) reason: Option<String>,
    pub(crate) refusal: Option<Refusal>,
    /// Whether it is what one hopes for.
    pub(crate) good: bool,
}

impl State {
    /// `None` for events that are no change of state. `message`: the words that the event names.
    pub(crate) fn of(event: &Event, message: Option<&str>) -> Option<Self> {
        let state = |good, name, reason| {
            let refusal = Refusal::of(event, message);
            Some(Self { topic: event.topic(), name, reason, refusal, good })
        };
        match *event {
            Event::Line(_, LineEvent::Up { .. }) => state(true, "line_up", None),
            Event::Line(_, LineEvent::Down { reason, .. }) => {
                state(false, "line_down", Some(reason.to_string()))
            }
            Event::Line(_, LineEvent::TokenFailed(reason)) => {
                state(false, "no_token", Some(reason.to_string()))
            }
            Event::Line(_, LineEvent::Waiting { delay, failures, .. }) => {
                let reason = format!("{} ms before attempt {}", delay.as_millis(), failures + 1);
                state(false, "line_waiting", Some(reason))
            }
            Event::Topic(_, TopicEvent::Confirmed) => state(true, "confirmed", None),
            Event::Topic(_, TopicEvent::Refused { code, delay, .. }) => {
                let again = format!("code {code}; asked again in {} ms", delay.as_millis());
                state(false, "refused", Some(again))
            }
            Event::Topic(_, TopicEvent::Rejected { code, .. }) => {
                state(false, "rejected", Some(format!("code {code}")))
            }
            Event::Topic(_, TopicEvent::Unsubscribed) => state(true, "unsubscribed", None),
            Event::Topic(_, TopicEvent::Idle) => state(false, "silent", None),
            Event::Topic(_, TopicEvent::Active) => state(true, "heard", None),
            Event::Topic(_, TopicEvent::MayHaveMissed) => state(false, "may_have_missed", None),
            Event::Book(_, BookEvent::Live { epoch, sequence }) => {
                state(true, "live", Some(format!("epoch {} at {sequence}", epoch.get())))
            }
            Event::Book(_, BookEvent::Lost { reason, .. }) => {
                state(false, "lost", Some(reason.to_string()))
            }
            Event::Book(_, BookEvent::Delayed(reason)) => {
                state(false, "delayed", Some(reason.to_string()))
            }
            Event::OddTime(place) => {
                state(false, "odd_time", Some(format!("{place} cannot be read")))
            }
            Event::Lagged { dropped } => {
                state(false, "lagged", Some(format!("{dropped} were not shown")))
            }
            _ => None,
        }
    }

    pub(crate) fn json(&self, symbol: Option<Symbol>) -> Value {
        let mut line = json!({
            "type": "state",
            "at_ms": unix_now().as_millis(),
            "symbol": symbol.map(|symbol| symbol.to_string()),
            "state": self.name,
            "reason": self.reason,
        });
        if let (Some(refusal), Some(fields)) = (&self.refusal, line.as_object_mut()) {
            refusal.add_to(fields);
        }
        line
    }

    /// For people: `lost: gap: expected 5, got 7`, or `rejected: code 200003: Invalid symbol.`
    pub(crate) fn text(&self) -> String {
        let mut text = self.name.replace('_', " ");
        let message = self.refusal.as_ref().and_then(|refusal| refusal.message.as_ref());
        for part in self.reason.iter().chain(message) {
            text.push_str(": ");
            text.push_str(part);
        }
        text
    }

    /// What can be done about it.
    pub(crate) fn advice(&self) -> Option<&'static str> {
        self.refusal.as_ref().and_then(|refusal| refusal.advice)
    }
}

/// `["63000.1",12]`: the price exact, as text.
pub(crate) fn level(level: Level) -> Value {
    json!([level.price.to_string(), level.size.get()])
}

/// The best levels of a side.
pub(crate) fn levels(book: &Book, side: Side, scope: Scope, count: usize) -> Value {
    book.levels(side, scope).take(count).map(level).collect()
}

/// The price to which a side is complete; null if it is so without limit.
pub(crate) fn horizon(book: &Book, side: Side) -> Value {
    match book.reach(side) {
        Coverage::All => Value::Null,
        Coverage::To(price) => Value::from(price.to_string()),
    }
}

/// Lower-case hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// `63000.1 x 12`.
pub(crate) fn best(best: Best) -> String {
    match best {
        Best::Level(level) => format!("{} x {}", level.price, level.size),
        Best::Empty => "empty".into(),
        Best::Unknown => "beyond the horizon".into(),
    }
}

/// UTC, to the millisecond: `14:03:59.120`; dashes if there is none.
pub(crate) fn time_of_day(at: impl Into<Option<UnixNanos>>) -> String {
    let Some(at) = at.into() else { return "--:--:--.---".into() };
    let ms = at.as_millis() % 86_400_000;
    let (seconds, ms) = (ms / 1000, ms % 1000);
    format!("{:02}:{:02}:{:02}.{ms:03}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// What a run comes to.
pub(crate) fn summary(stats: &Stats) -> Value {
    json!({
        "type": "summary",
        "messages": stats.messages,
        "deltas": stats.deltas,
        "pushes": stats.pushes,
        "repeats": stats.repeats,
        "gaps": stats.gaps,
        "resyncs": stats.resyncs,
        "reconnects": stats.reconnects,
        "tokens": stats.tokens,
    })
}

/// The same for people.
pub(crate) fn summary_text(stats: &Stats) -> String {
    format!(
        "{} messages, {} deltas, {} pushes; {} gaps, {} resyncs, {} reconnects, {} tokens",
        stats.messages,
        stats.deltas,
        stats.pushes,
        stats.gaps,
        stats.resyncs,
        stats.reconnects,
        stats.tokens
    )
}
