//! Events of lines, topics, books and the account, in words.

use kucoin_futures_proto::{
    AccountEvent, BookEvent, Channel, DisconnectReason, Event, LineEvent, TopicEvent,
};
use pyo3::prelude::*;

use crate::events::{
    AccountLive, AccountLost, BookLive, BookLost, BookVerified, Delta, Lagged, MayHaveMissed, State,
};

/// What an event is called, and what there is to say about it.
type News = (&'static str, String);

/// An event that is no message, as Python has it.
pub(crate) fn event<'py>(
    py: Python<'py>,
    channel: Option<Channel>,
    event: &Event,
    words: Option<&str>,
) -> PyResult<Bound<'py, PyAny>> {
    let symbol = channel.and_then(|channel| channel.symbol());
    let topic = channel.map(|channel| channel.to_string());
    match (*event, symbol) {
        (Event::Book(_, BookEvent::Delta(delta)), Some(symbol)) => {
            Ok(Bound::new(py, Delta::of(symbol, &delta))?.into_any())
        }
        (Event::Book(_, BookEvent::Live { epoch, sequence }), Some(symbol)) => {
            let (epoch, sequence) = (epoch.get(), sequence.get());
            Ok(Bound::new(py, BookLive { symbol, epoch, sequence })?.into_any())
        }
        (Event::Book(_, BookEvent::Lost { epoch, reason }), Some(symbol)) => {
            let (epoch, reason) = (epoch.get(), reason.to_string());
            Ok(Bound::new(py, BookLost { symbol, epoch, reason })?.into_any())
        }
        (Event::Book(_, BookEvent::Verified { sequence, is_wider }), Some(symbol)) => {
            let sequence = sequence.get();
            Ok(Bound::new(py, BookVerified { symbol, sequence, is_wider })?.into_any())
        }
        (Event::Account(AccountEvent::Live { epoch }), _) => {
            Ok(Bound::new(py, AccountLive { epoch: epoch.get() })?.into_any())
        }
        (Event::Account(AccountEvent::Lost { epoch, reason }), _) => {
            let (epoch, reason) = (epoch.get(), reason.to_string());
            Ok(Bound::new(py, AccountLost { epoch, reason })?.into_any())
        }
        (Event::Lagged { dropped }, _) => Ok(Bound::new(py, Lagged { dropped })?.into_any()),
        (Event::Topic(_, TopicEvent::MayHaveMissed), _) => {
            let topic = topic.unwrap_or_default();
            Ok(Bound::new(py, MayHaveMissed { topic, symbol })?.into_any())
        }
        (event, _) => {
            let (kind, text) = news(&event);
            let refusal = event.refusal();
            let line = match event {
                Event::Line(line, _) => Some(line.get()),
                _ => None,
            };
            let state = State {
                kind: kind.into(),
                text,
                topic,
                symbol,
                line,
                status: refusal.and_then(|it| it.status),
                code: refusal.and_then(|it| it.code),
                words: words.map(str::to_owned),
            };
            Ok(Bound::new(py, state)?.into_any())
        }
    }
}

fn news(event: &Event) -> News {
    match event {
        Event::Line(_, event) => of_line(event),
        Event::Topic(_, event) => of_topic(event),
        Event::Book(_, BookEvent::NotVerified(reason)) => ("not_verified", reason.to_string()),
        Event::Book(_, BookEvent::Delayed(reason)) => ("delayed", reason.to_string()),
        Event::Account(event) => of_account(event),
        Event::OddTime(place) => ("odd_time", format!("{place} cannot be read")),
        Event::QueryFailed { reason, .. } => ("query_failed", reason.to_string()),
        event => ("other", format!("{event:?}")),
    }
}

fn of_line(event: &LineEvent) -> News {
    match event {
        LineEvent::Up { .. } => ("line_up", String::new()),
        LineEvent::Down { reason: DisconnectReason::Replaced, .. } => {
            ("line_down", "another one has taken its place".into())
        }
        LineEvent::Down { reason, .. } => ("line_down", reason.to_string()),
        LineEvent::Replacing { by, reason } => {
            ("replacing", format!("line {} takes its place: {reason}", by.get()))
        }
        LineEvent::Behind { brought, late, missed } => {
            let text = format!("of {brought} deltas {late} came late, and {missed} not at all");
            ("line_behind", text)
        }
        LineEvent::TokenFailed(reason) => ("no_token", reason.to_string()),
        LineEvent::LoginRefused { error, .. } => ("login_refused", error.to_string()),
        LineEvent::Waiting { delay, failures } => {
            let (wait, next) = (delay.as_millis(), failures.saturating_add(1));
            ("line_waiting", format!("{wait} ms before attempt {next}"))
        }
        event => ("line_other", format!("{event:?}")),
    }
}

fn of_topic(event: &TopicEvent) -> News {
    match event {
        TopicEvent::Confirmed => ("confirmed", String::new()),
        TopicEvent::Refused { code, delay, .. } => {
            ("refused", format!("code {code}; asked again in {} ms", delay.as_millis()))
        }
        TopicEvent::Rejected { code, .. } => {
            let text = format!(
                "code {code}: check the symbol; it is not asked for again until you subscribe anew"
            );
            ("rejected", text)
        }
        TopicEvent::Idle => ("silent", "nothing was heard for long".into()),
        TopicEvent::Renewed { line } => {
            ("subscribed_again", format!("nothing comes on line {}", line.get()))
        }
        TopicEvent::Active => ("heard", String::new()),
        TopicEvent::Unsubscribed => ("unsubscribed", String::new()),
        event => ("topic_other", format!("{event:?}")),
    }
}

fn of_account(event: &AccountEvent) -> News {
    match event {
        AccountEvent::Delayed(reason) => ("account_delayed", reason.to_string()),
        AccountEvent::FillsRecovered { count } => {
            ("fills_recovered", format!("{count} that no stream had told"))
        }
        AccountEvent::BalanceRefused { currency, code } => {
            ("balance_refused", format!("code {code}: no balance of {currency}"))
        }
        AccountEvent::Refused { error, .. } => ("account_refused", error.to_string()),
        event => ("account_other", format!("{event:?}")),
    }
}
