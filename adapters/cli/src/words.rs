//! Events, books and counters in words and in JSON: one vocabulary for all commands.

use std::cmp::Ordering;
use std::time::Duration;

use kucoin_futures_host::unix_now;
use kucoin_futures_proto::book::{Best, Coverage, Level, Scope};
use kucoin_futures_proto::wire::{Side, Text};
use kucoin_futures_proto::{
    AccountEvent, Book, BookEvent, Channel, Decimal, DisconnectReason, Event, LineEvent, LineId,
    LineRole, Stats, Symbol, TopicEvent, TopicId, UnixNanos,
};
use serde_json::{Value, json};

use crate::numbers;
use crate::out::{BAD, DIM, GOOD};
use crate::refusal::Refusal;

/// A change of state: whose, its name, why, and what the exchange said if it refused something.
pub(crate) struct State {
    pub(crate) topic: Option<TopicId>,
    /// Of the topic, once it is looked up.
    pub(crate) channel: Option<Channel>,
    line: Option<(LineId, LineRole)>,
    pub(crate) name: &'static str,
    pub(crate) reason: Option<String>,
    pub(crate) refusal: Option<Refusal>,
    pub(crate) tone: Tone,
}

/// What kind of news it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Tone {
    /// What one hopes for.
    Good,
    /// As it was planned.
    Calm,
    /// What one does not hope for.
    Bad,
}

impl Tone {
    /// How it is shown.
    pub(crate) const fn style(self) -> anstyle::Style {
        match self {
            Self::Good => GOOD,
            Self::Calm => DIM,
            Self::Bad => BAD,
        }
    }
}

impl State {
    /// `None` for events that are no change of state. `message`: the words that the event names.
    pub(crate) fn of(
        event: &Event,
        message: Option<&str>,
        role: impl Fn(LineId) -> Option<LineRole>,
    ) -> Option<Self> {
        let line = match event {
            Event::Line(line, _) => role(*line).map(|role| (*line, role)),
            _ => None,
        };
        let state = |tone, name, reason| {
            let refusal = Refusal::of(event, message);
            let topic = event.topic();
            Some(Self { topic, channel: None, line, name, reason, refusal, tone })
        };
        match *event {
            Event::Line(_, event) => {
                let (tone, name, reason) = line_news(&event)?;
                state(tone, name, reason)
            }
            Event::Topic(_, TopicEvent::Confirmed) => state(Tone::Good, "confirmed", None),
            Event::Topic(_, TopicEvent::Refused { code, delay, .. }) => {
                let again = format!("code {code}; asked again in {} ms", delay.as_millis());
                state(Tone::Bad, "refused", Some(again))
            }
            Event::Topic(_, TopicEvent::Rejected { code, .. }) => {
                state(Tone::Bad, "rejected", Some(format!("code {code}")))
            }
            Event::Topic(_, TopicEvent::Unsubscribed) => state(Tone::Good, "unsubscribed", None),
            Event::Topic(_, TopicEvent::Idle) => state(Tone::Bad, "silent", None),
            Event::Topic(_, TopicEvent::Renewed { line }) => {
                let reason = format!("nothing comes on line {}", line.get());
                state(Tone::Bad, "subscribed_again", Some(reason))
            }
            Event::Topic(_, TopicEvent::Active) => state(Tone::Good, "heard", None),
            Event::Topic(_, TopicEvent::MayHaveMissed) => state(Tone::Bad, "may_have_missed", None),
            Event::Book(_, event) => {
                let (tone, name, reason) = book_news(&event)?;
                state(tone, name, reason)
            }
            Event::Account(event) => {
                let (tone, name, reason) = account_news(&event)?;
                state(tone, name, reason)
            }
            Event::QueryFailed { reason, .. } => {
                state(Tone::Bad, "query_failed", Some(reason.to_string()))
            }
            Event::OddTime(place) => {
                state(Tone::Bad, "odd_time", Some(format!("{place} cannot be read")))
            }
            Event::Lagged { dropped } => {
                state(Tone::Bad, "lagged", Some(format!("{dropped} were not shown")))
            }
            _ => None,
        }
    }

    /// A topic of which nothing is heard until it is confirmed anew: its line is down.
    pub(crate) fn stale(topic: TopicId, channel: Channel) -> Self {
        Self {
            topic: Some(topic),
            channel: Some(channel),
            line: None,
            name: "stale",
            reason: Some("the line is down".into()),
            refusal: None,
            tone: Tone::Bad,
        }
    }

    pub(crate) fn json(&self, symbol: Option<Symbol>) -> Value {
        let at = unix_now();
        let mut line = json!({
            "type": "state",
            "at_ms": at.as_millis(),
            "at_ns": at.as_nanos(),
            "symbol": symbol.map(|symbol| symbol.to_string()),
            "state": self.name,
            "reason": self.reason,
        });
        if let Some(fields) = line.as_object_mut() {
            let mut add = |name: &str, value: Option<String>| {
                fields.extend(value.map(|value| (name.to_owned(), Value::from(value))));
            };
            add("line", self.line.map(|(_, role)| role.name().to_owned()));
            add("topic", self.channel.map(|channel| channel.to_string()));
        }
        if let (Some((line, _)), Some(fields)) = (self.line, line.as_object_mut()) {
            fields.insert("line_id".into(), line.get().into());
        }
        if let (Some(refusal), Some(fields)) = (&self.refusal, line.as_object_mut()) {
            refusal.add_to(fields);
        }
        line
    }

    /// What a line is called by people.
    pub(crate) fn line_name(&self) -> String {
        match self.line {
            Some((_, LineRole::Private)) => "private line".into(),
            Some((line, _)) if line.get() > 0 => format!("line {}", line.get()),
            _ => "line".into(),
        }
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

/// What kind of news it is, its name, and why.
type News = (Tone, &'static str, Option<String>);

fn line_news(event: &LineEvent) -> Option<News> {
    Some(match event {
        LineEvent::Up { .. } => (Tone::Good, "line_up", None),
        LineEvent::Replacing { by, reason } => {
            let reason = format!("line {} takes its place: {reason}", by.get());
            (Tone::Calm, "replacing", Some(reason))
        }
        LineEvent::Behind { brought, late, missed } => {
            let reason = format!("of {brought} deltas {late} came late, and {missed} not at all");
            (Tone::Bad, "line_behind", Some(reason))
        }
        LineEvent::Down { reason, .. } => {
            let is_planned = *reason == DisconnectReason::Replaced;
            let tone = if is_planned { Tone::Calm } else { Tone::Bad };
            (tone, "line_down", Some(reason.to_string()))
        }
        LineEvent::TokenFailed(reason) => (Tone::Bad, "no_token", Some(reason.to_string())),
        LineEvent::LoginRefused { error, .. } => {
            (Tone::Bad, "login_refused", Some(error.to_string()))
        }
        LineEvent::Waiting { delay, failures, .. } => {
            let reason = format!("{} ms before attempt {}", delay.as_millis(), failures + 1);
            (Tone::Bad, "line_waiting", Some(reason))
        }
        _ => return None,
    })
}

fn book_news(event: &BookEvent) -> Option<News> {
    Some(match event {
        BookEvent::Live { epoch, sequence } => {
            (Tone::Good, "live", Some(format!("epoch {} at {sequence}", epoch.get())))
        }
        // One that says no more than the book did is no news.
        BookEvent::Verified { sequence, is_wider: true } => {
            let reason = format!("at {sequence}; it reaches further than before");
            (Tone::Good, "verified", Some(reason))
        }
        BookEvent::NotVerified(reason) => (Tone::Bad, "not_verified", Some(reason.to_string())),
        BookEvent::Lost { reason, .. } => (Tone::Bad, "lost", Some(reason.to_string())),
        BookEvent::Delayed(reason) => (Tone::Bad, "delayed", Some(reason.to_string())),
        _ => return None,
    })
}

fn account_news(event: &AccountEvent) -> Option<News> {
    Some(match event {
        AccountEvent::Live { epoch } => {
            (Tone::Good, "account_live", Some(format!("epoch {}", epoch.get())))
        }
        AccountEvent::Lost { reason, .. } => (Tone::Bad, "account_lost", Some(reason.to_string())),
        AccountEvent::Delayed(reason) => (Tone::Bad, "account_delayed", Some(reason.to_string())),
        AccountEvent::FillsRecovered { count } => {
            (Tone::Good, "fills_recovered", Some(format!("{count} that no stream had told")))
        }
        AccountEvent::Refused { error, .. } => {
            (Tone::Bad, "account_refused", Some(error.to_string()))
        }
        _ => return None,
    })
}

/// A text of the exchange's, or of whoever named an order: harmless on a terminal.
pub(crate) fn plain(text: Text<'_>) -> String {
    text.chars()
        .flat_map(|c| if c.is_control() { c.escape_default().collect() } else { vec![c] })
        .collect()
}

/// A change as part of what was: `+1.23 %`, and in which colour.
pub(crate) fn change(ratio: Option<Decimal>) -> (anstyle::Style, String) {
    let Some(ratio) = ratio else { return (DIM, "-".into()) };
    let style = match ratio.cmp(&Decimal::ZERO) {
        Ordering::Less => BAD,
        Ordering::Equal => DIM,
        Ordering::Greater => GOOD,
    };
    (style, format!("{} %", numbers::signed_percent(ratio, 2)))
}

/// A number as text: exact.
pub(crate) fn exact(number: impl std::fmt::Display) -> Value {
    Value::from(number.to_string())
}

/// The same of one that may be absent.
pub(crate) fn exact_if_any(number: Option<impl std::fmt::Display>) -> Value {
    number.map_or(Value::Null, exact)
}

/// Milliseconds, and no part of one is none.
pub(crate) fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX)
}

/// Nanoseconds since 1970.
pub(crate) fn nanos(at: Option<UnixNanos>) -> Value {
    at.map_or(Value::Null, |at| at.as_nanos().into())
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
        "change_overs": stats.change_overs,
        "tokens": stats.tokens,
    })
}

/// The same for people.
pub(crate) fn summary_text(stats: &Stats) -> String {
    format!(
        "{} messages, {} deltas, {} pushes; {} gaps, {} resyncs, {} reconnects, {} lines replaced, {} tokens",
        stats.messages,
        stats.deltas,
        stats.pushes,
        stats.gaps,
        stats.resyncs,
        stats.reconnects,
        stats.change_overs,
        stats.tokens
    )
}
