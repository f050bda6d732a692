//! What is in a recording: which books were live when, what is missing, and the worst minutes.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use kucoin_futures_proto::{
    BookEvent, BookLostReason, ChannelKind, Event, LineEvent, Output, Sequence, Symbol, TopicEvent,
    TopicId, UnixNanos,
};

use crate::sink::{Moment, Sink};

/// What a recording holds, by the client that it drives. A [`Sink`]: show it a replay.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Summary {
    /// When the first client began, by the wall clock of the recorder; `None` if nothing was shown.
    pub from: Option<UnixNanos>,
    /// When the latest input came.
    pub to: Option<UnixNanos>,
    /// What was subscribed to, by contract.
    pub symbols: BTreeMap<Symbol, SymbolSummary>,
    /// What happened in each minute in which anything did, by the number of minutes since 1970.
    pub minutes: BTreeMap<u64, Minute>,
    /// Connections that were up.
    pub lines: u64,
    /// Connections that have ended.
    pub lines_down: u64,
    /// Times at which messages of a topic without a sequence may have been missed.
    pub may_have_missed: u64,
    /// Deltas that were applied and not told, because nobody took them.
    pub lagged: u64,
    topics: BTreeMap<TopicId, Topic>,
}

/// What there is of a contract.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct SymbolSummary {
    /// Changes of its book while that was live.
    pub deltas: u64,
    /// Trades.
    pub trades: u64,
    /// Other messages.
    pub messages: u64,
    /// When its book was live.
    pub live: Vec<LiveInterval>,
    /// When it was not, after it had been.
    pub gaps: Vec<BookGap>,
}

/// A time during which a book was live.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct LiveInterval {
    /// From when.
    pub from: UnixNanos,
    /// Until when; `None`: to the end of the recording.
    pub to: Option<UnixNanos>,
    /// Where it began.
    pub first: Sequence,
    /// How far it came.
    pub last: Sequence,
}

/// A time during which a book that had been live was not.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct BookGap {
    /// From when.
    pub from: UnixNanos,
    /// Until when; `None`: to the end of the recording.
    pub to: Option<UnixNanos>,
    /// The last sequence before it.
    pub after: Sequence,
    /// Where the book went on; what lies between the two is not in the recording as changes of a live book.
    pub before: Option<Sequence>,
    /// Why.
    pub reason: BookLostReason,
}

/// What happened in a minute.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct Minute {
    /// Changes of live books.
    pub deltas: u64,
    /// Other messages.
    pub messages: u64,
    /// Books that were lost.
    pub lost: u64,
}

#[derive(Clone, Copy, Debug)]
struct Topic {
    symbol: Symbol,
    kind: ChannelKind,
}

impl SymbolSummary {
    /// For how long its book was live, in all, if the recording ends then.
    #[must_use]
    pub fn time_live(&self, end: UnixNanos) -> Duration {
        let spans = self.live.iter().map(|interval| {
            let to = interval.to.unwrap_or(end);
            to.as_nanos().saturating_sub(interval.from.as_nanos())
        });
        Duration::from_nanos(spans.fold(0, u64::saturating_add))
    }

    fn end_live(&mut self, at: UnixNanos) {
        if let Some(interval) = self.live.last_mut() {
            interval.to.get_or_insert(at);
        }
    }
}

impl Summary {
    /// The minutes in which most books were lost, the worst first; those in which none was are not among them.
    #[must_use]
    pub fn worst_minutes(&self, most: usize) -> Vec<(u64, Minute)> {
        let bad = self.minutes.iter().filter(|(_, minute)| minute.lost > 0);
        let mut bad: Vec<_> = bad.map(|(at, minute)| (*at, *minute)).collect();
        bad.sort_by_key(|(at, minute)| (std::cmp::Reverse(minute.lost), *at));
        bad.truncate(most);
        bad
    }

    fn minute(&mut self, at: UnixNanos) -> &mut Minute {
        self.minutes.entry(at.as_nanos() / 60_000_000_000).or_default()
    }

    fn topic(&mut self, moment: &Moment<'_>, topic: TopicId) -> Option<Topic> {
        if let Some(known) = self.topics.get(&topic) {
            return Some(*known);
        }
        let channel = moment.client.channel(topic)?;
        let known = Topic { symbol: channel.symbol()?, kind: channel.kind() };
        self.topics.insert(topic, known);
        self.symbols.entry(known.symbol).or_default();
        Some(known)
    }

    fn on_book(&mut self, moment: &Moment<'_>, topic: TopicId, event: BookEvent) {
        let Some(Topic { symbol, .. }) = self.topic(moment, topic) else { return };
        let at = moment.received;
        let Some(book) = self.symbols.get_mut(&symbol) else { return };
        match event {
            BookEvent::Delta(delta) => {
                book.deltas += 1;
                if let Some(interval) = book.live.last_mut() {
                    interval.last = delta.sequence;
                }
                self.minute(at).deltas += 1;
            }
            BookEvent::Live { sequence, .. } => {
                if let Some(gap) = book.gaps.last_mut().filter(|gap| gap.to.is_none()) {
                    (gap.to, gap.before) = (Some(at), Some(sequence));
                }
                let interval = LiveInterval { from: at, to: None, first: sequence, last: sequence };
                book.live.push(interval);
            }
            BookEvent::Lost { reason, .. } => {
                book.end_live(at);
                // It is not wanted any more: nothing is missing.
                if reason == BookLostReason::Unsubscribed {
                    return;
                }
                if let Some(interval) = book.live.last() {
                    let after = interval.last;
                    book.gaps.push(BookGap { from: at, to: None, after, before: None, reason });
                }
                self.minute(at).lost += 1;
            }
            _ => {}
        }
    }
}

impl Sink for Summary {
    fn on_start(&mut self, moment: &Moment<'_>) -> io::Result<()> {
        self.from.get_or_insert(moment.received);
        self.to = Some(moment.received);
        self.topics.clear();
        Ok(())
    }

    fn on_output(&mut self, moment: &Moment<'_>, output: &Output<'_>) -> io::Result<()> {
        self.to = Some(moment.received);
        match *output {
            Output::Event(Event::Book(topic, event)) => self.on_book(moment, topic, event),
            Output::Event(Event::Line(_, LineEvent::Up { .. })) => self.lines += 1,
            Output::Event(Event::Line(_, LineEvent::Down { .. })) => self.lines_down += 1,
            Output::Event(Event::Topic(topic, event)) => {
                self.topic(moment, topic);
                self.may_have_missed += u64::from(event == TopicEvent::MayHaveMissed);
            }
            Output::Event(Event::Lagged { dropped }) => self.lagged += u64::from(dropped),
            Output::Push(push) => {
                let Some(topic) = push.topic() else { return Ok(()) };
                let Some(topic) = self.topic(moment, topic) else { return Ok(()) };
                if let Some(symbol) = self.symbols.get_mut(&topic.symbol) {
                    match topic.kind {
                        ChannelKind::Execution => symbol.trades += 1,
                        _ => symbol.messages += 1,
                    }
                }
                self.minute(moment.received).messages += 1;
            }
            _ => {}
        }
        Ok(())
    }

    /// A client has ended: what comes after it is another one's.
    fn on_end(&mut self, moment: &Moment<'_>) -> io::Result<()> {
        self.to = Some(moment.received);
        for symbol in self.symbols.values_mut() {
            symbol.end_live(moment.received);
        }
        Ok(())
    }
}
