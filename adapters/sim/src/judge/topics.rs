//! What a client says of its topics, held against what was delivered of them.

use std::collections::BTreeMap;
use std::time::Duration;

use kucoin_futures_proto::book::Best;
use kucoin_futures_proto::{
    BookDelayReason, BookEvent, BookLostReason, BookStatus, Client, Config, Event, Instant,
    Sequence, Symbol, TopicEvent, TopicId, TopicStatus,
};

pub(super) type Verdict = Result<(), String>;

pub(super) const SECOND: Duration = Duration::from_secs(1);
/// What pings may be off by when nobody is to blame.
pub(super) const SLACK: Duration = Duration::from_millis(100);
/// A live book may be ahead of its stream for so long: twice what the client may take to notice.
const LONGEST_BEHIND: Duration = Duration::from_secs(12);

/// The topics of one client.
#[derive(Debug, Default)]
pub(super) struct Topics {
    books: BTreeMap<Symbol, (TopicId, Stream)>,
    /// Confirmed topics, by their names on the wire.
    voices: BTreeMap<String, Voice>,
    /// Where each book came to, and whether a restart was owned up to since.
    reached: BTreeMap<TopicId, (Sequence, bool)>,
    /// Since when each live book has been crossed.
    crossed: BTreeMap<TopicId, Instant>,
}

/// What was delivered of one book, and what became of it.
#[derive(Clone, Copy, Debug, Default)]
struct Stream {
    /// Deltas that are waiting for a snapshot.
    waiting: u64,
    /// For how long all that came was behind the live book.
    behind: Duration,
    behind_at: Option<Instant>,
}

/// When a confirmed topic spoke last, and whether the client says that it is silent.
#[derive(Clone, Copy, Debug)]
struct Voice {
    topic: TopicId,
    at: Instant,
    silent: bool,
}

impl Topics {
    /// A symbol is subscribed or unsubscribed.
    pub(super) fn on_command(&mut self, symbol: Symbol) {
        if let Some((topic, stream)) = self.books.get_mut(&symbol) {
            *stream = Stream::default();
            self.reached.remove(topic);
        }
        self.voices.retain(|name, _| !is_of(name, symbol));
    }

    pub(super) fn on_line_down(&mut self) {
        self.voices.clear();
        self.crossed.clear();
        self.forget_streams();
    }

    /// What was delivered is not known to have been dealt with.
    pub(super) fn forget_streams(&mut self) {
        self.books.values_mut().for_each(|(_, stream)| *stream = Stream::default());
    }

    /// A message is about to be handed in on the connection that is in use.
    pub(super) fn on_text(&mut self, at: Instant, text: &str) {
        if let Some(voice) = topic_in(text).and_then(|name| self.voices.get_mut(name)) {
            voice.at = at;
        }
    }

    /// A topic that was said to be silent has spoken, and the client was drained.
    pub(super) fn check_voice(&self, text: &str) -> Verdict {
        match topic_in(text).and_then(|name| self.voices.get_key_value(name)) {
            Some((name, voice)) if voice.silent => {
                Err(format!("{name} speaks again, and nobody is told"))
            }
            _ => Ok(()),
        }
    }

    /// A delta was dealt with, and as many were kept; no more than `most` may wait. One more is not
    /// worth an alarm: a delta that settles what a snapshot waited for is counted as kept, and goes with
    /// the buffer if that is settled against it.
    pub(super) fn after_delta(
        &mut self,
        at: Instant,
        client: &Client,
        (symbol, sequence, sound): (Symbol, Sequence, bool),
        (buffered, most): (u64, u64),
    ) -> Verdict {
        let Some((topic, stream)) = self.books.get_mut(&symbol) else { return Ok(()) };
        stream.waiting += buffered;
        if stream.waiting > most.saturating_add(1) {
            return Err(format!("{symbol}: {} deltas are waiting", stream.waiting));
        }
        let Some(book) = client.book(*topic) else {
            *stream = Stream { waiting: stream.waiting, ..Stream::default() };
            return Ok(());
        };
        if !sound {
            return Err(format!("{symbol}: live after a delta that could not be decoded"));
        }
        if book.sequence() < sequence {
            let at = book.sequence();
            return Err(format!("{symbol}: live at {at} after delta {sequence} had arrived"));
        }
        stream
            .follow(at, book.sequence() == sequence)
            .map_err(|behind| format!("{symbol}: live and not moving for {behind:?}"))
    }

    /// A delta was told.
    pub(super) fn on_delta(&mut self, topic: TopicId, sequence: Sequence) {
        if let Some((reached, _)) = self.reached.get_mut(&topic) {
            *reached = sequence;
        }
    }

    /// An event that may be about a topic.
    pub(super) fn on_event(&mut self, at: Instant, client: &Client, event: &Event) -> Verdict {
        match *event {
            Event::Topic(topic, TopicEvent::Idle) => self.say(topic, true),
            Event::Topic(topic, TopicEvent::Active) => self.say(topic, false),
            Event::Topic(topic, TopicEvent::Rejected { .. } | TopicEvent::Unsubscribed) => {
                self.voices.retain(|_, voice| voice.topic != topic);
                self.reached.remove(&topic);
            }
            Event::Topic(topic, TopicEvent::Confirmed) => {
                // A caller who drains late may have dropped it meanwhile.
                let is_carried = matches!(client.status(topic), TopicStatus::Confirmed { .. });
                if let Some(channel) = client.channel(topic).filter(|_| is_carried) {
                    let voice = Voice { topic, at, silent: false };
                    self.voices.insert(channel.to_string(), voice);
                }
                self.know(client, topic);
            }
            Event::Book(topic, BookEvent::Live { sequence, .. }) => {
                self.know(client, topic);
                return self.on_live(topic, sequence);
            }
            Event::Book(topic, BookEvent::Lost { reason, .. }) => {
                self.on_buffer_gone(topic, matches!(reason, BookLostReason::SequenceReset(_)));
                if reason == BookLostReason::Unsubscribed {
                    self.reached.remove(&topic);
                }
            }
            Event::Book(
                topic,
                BookEvent::Delayed(
                    reason @ (BookDelayReason::Overflow
                    | BookDelayReason::Gap
                    | BookDelayReason::Poisoned(_)
                    | BookDelayReason::SequenceReset(_)),
                ),
            ) => self.on_buffer_gone(topic, matches!(reason, BookDelayReason::SequenceReset(_))),
            // What was dropped may have been about any book.
            Event::Lagged { .. } => {
                self.reached.clear();
                self.forget_streams();
            }
            _ => {}
        }
        Ok(())
    }

    fn say(&mut self, topic: TopicId, silent: bool) {
        let its = self.voices.values_mut().filter(|voice| voice.topic == topic);
        its.for_each(|voice| voice.silent = silent);
    }

    /// A topic with a book: nothing waits for it.
    fn know(&mut self, client: &Client, topic: TopicId) {
        if let Some(symbol) = client.channel(topic).and_then(|channel| channel.symbol())
            && client.book_status(topic).is_some()
        {
            let known = self.books.entry(symbol);
            known.or_insert_with(|| (topic, Stream::default())).1.waiting = 0;
        }
    }

    /// A new run of a book begins where the last one ended, or further; or a restart was owned up to.
    fn on_live(&mut self, topic: TopicId, sequence: Sequence) -> Verdict {
        match self.reached.insert(topic, (sequence, false)) {
            Some((reached, false)) if sequence < reached => Err(format!(
                "{topic:?}: live at {sequence} after {reached}, without a word of a restart"
            )),
            _ => Ok(()),
        }
    }

    fn on_buffer_gone(&mut self, topic: TopicId, restarted: bool) {
        if let Some((_, told)) = self.reached.get_mut(&topic) {
            *told |= restarted;
        }
        let known = self.books.values_mut().find(|(known, _)| *known == topic);
        if let Some((_, stream)) = known {
            *stream = Stream::default();
        }
    }

    /// A topic that says nothing is said to be silent.
    pub(super) fn check_silence(&self, at: Instant, limit: Duration) -> Verdict {
        let unsaid = |(_, voice): &(&String, &Voice)| !voice.silent && at.since(voice.at) > limit;
        match self.voices.iter().find(unsaid) {
            Some((name, voice)) => {
                let silence = at.since(voice.at);
                Err(format!("{name} has been silent for {silence:?}, and nobody is told"))
            }
            None => Ok(()),
        }
    }

    /// A live book knows its best, and is not crossed for long.
    pub(super) fn check_books(
        &mut self,
        at: Instant,
        client: &Client,
        config: &Config,
        excused: bool,
    ) -> Verdict {
        for (symbol, (topic, _)) in &self.books {
            let Some(book) = client.book(*topic) else {
                self.crossed.remove(topic);
                continue;
            };
            let unknown = [book.best_bid(), book.best_ask()].contains(&Best::Unknown);
            if unknown && config.book.refresh_below > 0 {
                return Err(format!("{symbol}: live, and its best is not known"));
            }
            if !book.is_crossed() || excused {
                self.crossed.remove(topic);
                continue;
            }
            let crossed_for = at.since(*self.crossed.entry(*topic).or_insert(at));
            if crossed_for > config.book.crossed_for + SLACK {
                return Err(format!("{symbol}: live and crossed for {crossed_for:?}"));
            }
        }
        Ok(())
    }

    /// Without a connection there is no live book.
    pub(super) fn check_down(&self, client: &Client) -> Verdict {
        for (symbol, (topic, _)) in &self.books {
            if client.book(*topic).is_some() || client.book_status(*topic) == Some(BookStatus::Live)
            {
                return Err(format!("{symbol}: live without a connection"));
            }
        }
        Ok(())
    }
}

/// Whether a topic is of this symbol.
pub(super) fn is_of(name: &str, symbol: Symbol) -> bool {
    let key = name.split_once(':').and_then(|(_, key)| key.strip_prefix(symbol.as_str()));
    key.is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
}

/// The topic that a frame names.
pub(super) fn topic_in(frame: &str) -> Option<&str> {
    frame.split_once(r#""topic":""#)?.1.split('"').next()
}

impl Stream {
    /// A delta met a live book; `moved` if it is where the book is now.
    fn follow(&mut self, at: Instant, moved: bool) -> Result<(), Duration> {
        if moved {
            *self = Self { waiting: self.waiting, ..Self::default() };
            return Ok(());
        }
        let pause = self.behind_at.replace(at).map_or(Duration::ZERO, |before| at.since(before));
        self.behind += pause.min(SECOND);
        if self.behind > LONGEST_BEHIND { Err(self.behind) } else { Ok(()) }
    }
}
