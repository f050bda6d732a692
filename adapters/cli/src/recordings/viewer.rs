//! Shows what a replayed client says, as the streaming commands show what a live one does.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use kucoin_futures_data::{Moment, Sink};
use kucoin_futures_proto::{BookEvent, Event, Instant, Output, TopicId, UnixNanos};
use serde_json::json;

use super::info::time;
use crate::out::{DIM, Out};
use crate::words::{self, State};

/// People read at most so many lines a second of recorded time and symbol.
const PAUSE: Duration = Duration::from_millis(250);

/// From where on something is shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum From {
    Start,
    Time(UnixNanos),
    /// A book stands there, or further.
    Sequence(u64),
}

/// Prints.
pub(super) struct Viewer<'a> {
    out: &'a mut Out,
    json: bool,
    from: From,
    /// When each book was shown last.
    shown: BTreeMap<TopicId, Instant>,
}

impl<'a> Viewer<'a> {
    pub(super) const fn new(out: &'a mut Out, json: bool, from: From) -> Self {
        Self { out, json, from, shown: BTreeMap::new() }
    }

    /// Whether what comes then is shown.
    pub(super) fn is_shown(&self, at: UnixNanos) -> bool {
        match self.from {
            From::Start => true,
            From::Time(from) => at >= from,
            From::Sequence(_) => false,
        }
    }

    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    fn book(&mut self, moment: &Moment<'_>, topic: TopicId) -> io::Result<()> {
        let symbol = moment.client.channel(topic).and_then(|channel| channel.symbol());
        let (Some(symbol), Some(book)) = (symbol, moment.client.book(topic)) else { return Ok(()) };
        if self.json {
            let mut line = crate::book::touch_json(book, symbol);
            if let Some(fields) = line.as_object_mut() {
                fields.insert("at_ns".into(), moment.received.as_nanos().into());
            }
            return self.out.json(&line);
        }
        let is_due = |shown: &Instant| moment.now.since(*shown) >= PAUSE;
        if self.shown.get(&topic).is_none_or(is_due) {
            self.shown.insert(topic, moment.now);
            let (bid, ask) = (words::best(book.best_bid()), words::best(book.best_ask()));
            let (at, sequence) = (time(moment.received), book.sequence());
            self.out.line(format_args!(
                "{at} {symbol:<12} {bid:>20} | {ask:<20} {DIM}at {sequence}{DIM:#}"
            ))?;
        }
        Ok(())
    }

    fn state(&mut self, moment: &Moment<'_>, event: &Event) -> io::Result<()> {
        let said = event.refusal().and_then(|refusal| moment.client.words(refusal.words?));
        let state = State::of(event, said, |line| moment.client.line_role(line));
        let Some(mut state) = state else { return Ok(()) };
        let channel = state.topic.and_then(|topic| moment.client.channel(topic));
        state.channel = channel;
        let symbol = channel.and_then(|channel| channel.symbol());
        let at = moment.received;
        if self.json {
            let mut line = state.json(symbol);
            if let Some(fields) = line.as_object_mut() {
                fields.insert("at_ms".into(), (at.as_nanos() / 1_000_000).into());
            }
            return self.out.json(&line);
        }
        let who = symbol.map_or_else(|| state.line_name(), |symbol| symbol.to_string());
        let (style, text, at) = (state.tone.style(), state.text(), time(at));
        self.out.line(format_args!("{at} {who:<12} {style}{text}{style:#}"))
    }
}

impl Sink for Viewer<'_> {
    fn on_start(&mut self, moment: &Moment<'_>) -> io::Result<()> {
        self.shown.clear();
        if self.json {
            let at = moment.received.as_nanos() / 1_000_000;
            return self.out.json(&json!({ "type": "started", "at_ms": at }));
        }
        Ok(())
    }

    fn on_output(&mut self, moment: &Moment<'_>, output: &Output<'_>) -> io::Result<()> {
        let Output::Event(event) = output else { return Ok(()) };
        if let (From::Sequence(from), Event::Book(topic, _)) = (self.from, event)
            && moment.client.book(*topic).is_some_and(|book| book.sequence().get() >= from)
        {
            self.from = From::Start;
        }
        if !self.is_shown(moment.received) {
            return Ok(());
        }
        match event {
            Event::Book(topic, BookEvent::Delta(_)) => self.book(moment, *topic),
            Event::Book(topic, BookEvent::Live { .. }) => {
                self.state(moment, event)?;
                self.shown.remove(topic);
                self.book(moment, *topic)
            }
            event => self.state(moment, event),
        }
    }

    fn on_end(&mut self, _: &Moment<'_>) -> io::Result<()> {
        self.out.flush()
    }
}
