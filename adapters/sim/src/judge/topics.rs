//! What a client says of its topics, held against what was delivered of them.

use std::collections::BTreeMap;
use std::time::Duration;

use kucoin_futures_proto::book::Best;
use kucoin_futures_proto::{
    BookDelayReason, BookEvent, BookLostReason, BookStatus, Client, Config, ConnId, Event, Instant,
    Sequence, Symbol, TopicEvent, TopicId, TopicStatus,
};

use super::carriage::Carriage;

pub(super) type Verdict = Result<(), String>;

pub(super) const SECOND: Duration = Duration::from_secs(1);
/// What pings may be off by when nobody is to blame.
pub(super) const SLACK: Duration = Duration::from_millis(100);
/// A live book may be ahead of its stream for so long: twice what the client may take to notice.
const LONGEST_BEHIND: Duration = Duration::from_secs(12);
/// What is missing on one connection may still come on another for so long.
const HOLE_GRACE: Duration = Duration::from_millis(250);
/// The same, where a connection that has joined is ahead of the others.
const JOIN_GRACE: Duration = Duration::from_secs(2);

/// The topics of one client.
#[derive(Debug, Default)]
pub(super) struct Topics {
    books: BTreeMap<Symbol, Followed>,
    /// Confirmed topics, by their names on the wire.
    voices: BTreeMap<String, Voice>,
    /// Where each book came to, and whether a restart was owned up to since.
    reached: BTreeMap<TopicId, (Sequence, bool)>,
    /// Since when each live book has been crossed.
    crossed: BTreeMap<TopicId, Instant>,
    /// A book has become live since it was last looked at what carries it.
    fresh: bool,
}

/// A topic with a book.
#[derive(Debug)]
struct Followed {
    topic: TopicId,
    /// Its name on the wire.
    name: String,
    stream: Stream,
}

/// A delta, and how it came.
#[derive(Clone, Copy)]
pub(super) struct Delivered {
    pub(super) conn: ConnId,
    pub(super) symbol: Symbol,
    pub(super) sequence: Sequence,
    pub(super) sound: bool,
}

/// What was delivered of one book, and what became of it.
#[derive(Clone, Copy, Debug, Default)]
struct Stream {
    /// Deltas that are waiting for a snapshot.
    waiting: u64,
    /// For how long all that came was behind the live book.
    behind: Duration,
    behind_at: Option<Instant>,
    /// A delta that the live book has not come to, and until when it may wait for what is missing.
    held: Option<(Sequence, Instant)>,
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
        if let Some(book) = self.books.get_mut(&symbol) {
            book.stream = Stream::default();
            self.reached.remove(&book.topic);
        }
        self.voices.retain(|name, _| !is_of(name, symbol));
    }

    /// A connection is about to be over: what nobody else carries has ended with it.
    pub(super) fn on_down(&mut self, conn: ConnId, carriage: &Carriage) {
        let may_carry =
            |name: &str| carriage.carries(conn, name) || carriage.is_doubtful(conn, name);
        self.voices.retain(|name, _| !may_carry(name) || carriage.is_confirmed_beside(conn, name));
        let Self { books, crossed, .. } = self;
        let carried = books.values_mut().filter(|book| may_carry(&book.name));
        carried.for_each(|book| book.end_with(conn, carriage, crossed));
    }

    /// A connection does not carry a topic any more.
    pub(super) fn on_ended(&mut self, conn: ConnId, name: &str, carriage: &Carriage) {
        let Self { books, crossed, .. } = self;
        if let Some(book) = books.values_mut().find(|book| book.name == name) {
            book.end_with(conn, carriage, crossed);
        }
    }

    /// What was delivered is not known to have been dealt with.
    pub(super) fn forget_streams(&mut self) {
        self.books.values_mut().for_each(|book| book.stream = Stream::default());
    }

    /// A message of a topic is about to be handed in, on a connection that carries it.
    pub(super) fn on_text(&mut self, at: Instant, name: &str) {
        if let Some(voice) = self.voices.get_mut(name) {
            voice.at = at;
        }
    }

    /// A topic that was said to be silent has spoken, and the client was drained.
    pub(super) fn check_voice(&self, name: &str) -> Verdict {
        match self.voices.get(name) {
            Some(voice) if voice.silent => Err(format!("{name} speaks again, and nobody is told")),
            _ => Ok(()),
        }
    }

    /// A delta was dealt with, and as many were kept; no more than `most` may wait. One more is not
    /// worth an alarm: a delta that settles what a snapshot waited for is counted as kept, and goes with
    /// the buffer if that is settled against it.
    pub(super) fn after_delta(
        &mut self,
        at: Instant,
        (client, carriage): (&Client, &Carriage),
        delta: Delivered,
        (buffered, most): (u64, u64),
    ) -> Verdict {
        let Delivered { conn, symbol, sequence, sound } = delta;
        let Some(Followed { topic, name, stream }) = self.books.get_mut(&symbol) else {
            return Ok(());
        };
        stream.waiting += buffered;
        if stream.waiting > most.saturating_add(1) {
            return Err(format!("{symbol}: {} deltas are waiting", stream.waiting));
        }
        let Some(book) = client.book(*topic) else {
            *stream = Stream { waiting: stream.waiting, ..Stream::default() };
            return Ok(());
        };
        let is_shared = carriage.is_carried_beside(conn, name);
        if !sound && !is_shared {
            return Err(format!("{symbol}: live after a delta that could not be decoded"));
        }
        let is_ahead = book.sequence() < sequence;
        if is_ahead && !is_shared {
            let at = book.sequence();
            return Err(format!("{symbol}: live at {at} after delta {sequence} had arrived"));
        }
        // What is held is no snapshot's business.
        stream.waiting = 0;
        if is_ahead && sound {
            let first = carriage.first(conn, name).unwrap_or(at);
            let grace = if at.since(first) < JOIN_GRACE { JOIN_GRACE } else { HOLE_GRACE };
            stream.held.get_or_insert((sequence, at + grace + SLACK));
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
                self.fresh = true;
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
        let Some(channel) = client.channel(topic) else { return };
        if let Some(symbol) = channel.symbol()
            && client.book_status(topic).is_some()
        {
            let fresh = || Followed { topic, name: channel.to_string(), stream: Stream::default() };
            self.books.entry(symbol).or_insert_with(fresh).stream.waiting = 0;
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
        if let Some(book) = self.books.values_mut().find(|book| book.topic == topic) {
            book.stream = Stream::default();
        }
    }

    /// A topic that says nothing is said to be silent, while anybody carries it.
    pub(super) fn check_silence(
        &self,
        at: Instant,
        limit: Duration,
        carriage: &Carriage,
    ) -> Verdict {
        let unsaid = |(name, voice): &(&String, &Voice)| {
            !voice.silent && at.since(voice.at) > limit && carriage.is_carried(name)
        };
        match self.voices.iter().find(unsaid) {
            Some((name, voice)) => {
                let silence = at.since(voice.at);
                Err(format!("{name} has been silent for {silence:?}, and nobody is told"))
            }
            None => Ok(()),
        }
    }

    /// A live book knows its best, is not crossed for long, and does not wait for long.
    pub(super) fn check_books(
        &mut self,
        at: Instant,
        client: &Client,
        config: &Config,
        excused: bool,
    ) -> Verdict {
        for (symbol, Followed { topic, stream, .. }) in &mut self.books {
            let Some(book) = client.book(*topic) else {
                self.crossed.remove(topic);
                stream.held = None;
                continue;
            };
            stream.held.take_if(|(held, _)| book.sequence() >= *held);
            if let Some((held, _)) = stream.held.filter(|(_, until)| at > *until && !excused) {
                let at = book.sequence();
                return Err(format!("{symbol}: live at {at} long after delta {held} had arrived"));
            }
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

    /// Without a connection that carries it no book is live.
    pub(super) fn check_carried(&mut self, client: &Client, carriage: &mut Carriage) -> Verdict {
        let may_have_changed = carriage.take_shrunk() || core::mem::take(&mut self.fresh);
        if !may_have_changed && !carriage.is_empty() {
            return Ok(());
        }
        for (symbol, Followed { topic, name, .. }) in &self.books {
            let is_live = client.book_status(*topic) == Some(BookStatus::Live);
            if (is_live || client.book(*topic).is_some()) && !carriage.may_be_carried(name) {
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
pub(crate) fn topic_in(frame: &str) -> Option<&str> {
    frame.split_once(r#""topic":""#)?.1.split('"').next()
}

impl Followed {
    /// A connection does not bring it any more: what it brought is gone, unless another one brings it, too.
    fn end_with(
        &mut self,
        conn: ConnId,
        carriage: &Carriage,
        crossed: &mut BTreeMap<TopicId, Instant>,
    ) {
        if !carriage.is_brought_beside(conn, &self.name) {
            crossed.remove(&self.topic);
            self.stream = Stream::default();
        }
    }
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
