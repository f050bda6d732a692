//! Holds what comes out of a client against the laws that concern outputs.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::time::Duration;

use kucoin_futures_proto::{
    BookDelayReason, BookEvent, Config, ConnId, Epoch, Event, Input, Instant, LineEvent, Output,
    RequestId, Sequence, Stats, TopicEvent, TopicId,
};
use serde_json::Value;

macro_rules! laws {
    ($($law:ident: $number:expr, $says:literal;)+) => {
        /// What an [`OutputChecker`] holds outputs against.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
        #[non_exhaustive]
        pub enum Law {
            $(#[doc = concat!($says, ".")] $law,)+
        }

        impl Law {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$law),+];

            /// Its number in the documentation of the core; `None` where that says it elsewhere, of
            /// an output, a counter or a setting.
            #[must_use]
            pub const fn number(self) -> Option<u8> {
                match self { $(Self::$law => $number,)+ }
            }

            /// What it says.
            #[must_use]
            pub const fn says(self) -> &'static str {
                match self { $(Self::$law => $says,)+ }
            }
        }
    };
}

laws! {
    OneOpen: Some(5), "Each connection has one `Open`";
    OneUp: Some(5), "A connection is up once, after its `Open`";
    OneShut: Some(5), "A connection is shut once, after its `Open`";
    OneDown: Some(5), "Each connection has one `Down`, after its `Close`";
    SentWhileUp: Some(5), "Texts are sent between `Up` and `Close` only";
    SentToNoneLost: Some(5), "Nothing is sent on a connection that was reported as lost";
    SentWithId: None, "A text is JSON and has a number as its id";
    SentInTime: None, "At most 100 texts are sent on a connection in ten seconds";
    SymbolsPerFrame: None, "No text names more symbols than `Budgets::symbols_per_frame`";
    EpochsCount: Some(5), "The epochs of a book count up by one, and each ends before the next begins";
    DeltasFollow: Some(5), "Each delta is the next one of a live book, or a later one after a `Lagged`";
    LostWasLive: Some(5), "The epoch that is lost is the one that was live";
    RequestsOnce: None, "Each REST request is asked for once";
    PausesInBounds: None, "A refused topic is asked for again after 1 ms at least and `Backoff::cap` at most";
    AnsweredOnce: None, "Each query has an id of its own and one answer";
    BooksAsTold: None, "A book can be read just while its events say that it is live, and where";
    RowsAddUp: None, "The rows of `Stats` add up to its `messages`";
    QueueCap: Some(9), "At most `Queues::events` deltas and delays wait to be drained";
    LaggedCounted: Some(9), "What every `Lagged` says adds up to `Stats::lagged`";
    AllOver: Some(10), "Once the client is closed, every connection is over";
    AllAnswered: Some(10), "Once the client is closed, every query is answered";
    NoneLive: Some(10), "Once the client is closed, no book is live";
}

impl fmt::Display for Law {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(number) = self.number() {
            write!(f, "law {number}: ")?;
        }
        f.write_str(self.says())
    }
}

/// A law that outputs have broken, and by what.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{law}; but {what}")]
pub struct BrokenLaw {
    law: Law,
    what: String,
}

impl BrokenLaw {
    /// Which law.
    #[must_use]
    pub const fn law(&self) -> Law {
        self.law
    }
}

/// Follows the outputs of one client, from its first one on, and says which [`Law`] they break.
///
/// It knows nothing of the exchange: any history will do, sensible or not. Tell it of every topic
/// and query that the client was asked for and of every input, give it what is drained, and ask the
/// rest of it whenever the client is drained.
#[derive(Clone, Debug)]
pub struct OutputChecker {
    symbols_per_frame: usize,
    max_queued_events: usize,
    longest_pause: Duration,
    conns: BTreeMap<ConnId, Life>,
    /// Those that were reported to the client as lost.
    lost: BTreeSet<ConnId>,
    books: BTreeMap<TopicId, Run>,
    queries: BTreeSet<RequestId>,
    /// Queries that have been asked, answered or not.
    asked: BTreeSet<RequestId>,
    requests: BTreeSet<RequestId>,
    /// When texts were sent on each connection that is not over.
    sends: BTreeMap<ConnId, VecDeque<Instant>>,
    lagged: u64,
    /// Books that may be ahead of what was said of them.
    ahead: BTreeSet<TopicId>,
}

/// Where a connection is in its life, as far as outputs show it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Life {
    Asked,
    Up,
    Shut,
    Over,
}

/// Where a book is in its runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Run {
    /// Not live, after so many epochs.
    Not(Epoch),
    Live(Epoch, Sequence),
}

/// What the exchange allows, whatever the client was told.
const MOST_SENDS: usize = 100;
const SENDS_PER: Duration = Duration::from_secs(10);

const SHORTEST_PAUSE: Duration = Duration::from_millis(1);

type Verdict = Result<(), BrokenLaw>;

fn hold(law: Law, holds: bool, but: impl FnOnce() -> String) -> Verdict {
    if holds { Ok(()) } else { Err(BrokenLaw { law, what: but() }) }
}

impl OutputChecker {
    /// For a client with this config: the one that [`Client::config`] gives back, which has been
    /// brought in order.
    ///
    /// [`Client::config`]: kucoin_futures_proto::Client::config
    #[must_use]
    pub const fn new(config: &Config) -> Self {
        Self {
            symbols_per_frame: config.budgets.symbols_per_frame,
            max_queued_events: config.queues.events,
            longest_pause: config.backoff.cap,
            conns: BTreeMap::new(),
            lost: BTreeSet::new(),
            books: BTreeMap::new(),
            queries: BTreeSet::new(),
            asked: BTreeSet::new(),
            requests: BTreeSet::new(),
            sends: BTreeMap::new(),
            lagged: 0,
            ahead: BTreeSet::new(),
        }
    }

    /// Deltas and delays that were not reported, by the events.
    #[must_use]
    pub const fn lagged(&self) -> u64 {
        self.lagged
    }

    // What the client is told.

    /// A topic was subscribed to, for the first time or again.
    pub fn on_topic(&mut self, topic: TopicId) {
        self.books.entry(topic).or_insert(Run::Not(Epoch::new(0)));
    }

    /// A query was asked.
    ///
    /// # Errors
    /// Another one had this id.
    pub fn on_query(&mut self, query: RequestId) -> Result<(), BrokenLaw> {
        self.queries.insert(query);
        hold(Law::AnsweredOnce, self.asked.insert(query), || format!("{query:?} was asked twice"))
    }

    /// An input is about to be handled.
    pub fn on_input(&mut self, input: &Input<'_>) {
        // One that was never opened may be in the future.
        if let Input::Lost { conn, .. } = input
            && self.conns.contains_key(conn)
        {
            self.lost.insert(*conn);
        }
    }

    /// A query's answer was handed out.
    ///
    /// # Errors
    /// Nothing waited for it.
    pub fn on_answer(&mut self, query: RequestId) -> Result<(), BrokenLaw> {
        self.answered(query)
    }

    fn answered(&mut self, query: RequestId) -> Verdict {
        let waited = self.queries.remove(&query);
        hold(Law::AnsweredOnce, waited, || format!("nothing waited for the answer to {query:?}"))
    }

    // What the client says.

    /// All that was drained at once; `now` is the latest time that the client was told.
    ///
    /// # Errors
    /// The first law that is broken.
    pub fn on_outputs(&mut self, now: Instant, outputs: &[Output<'_>]) -> Result<(), BrokenLaw> {
        // That a counter was set back is kept, once for each book.
        let mut resets = BTreeSet::new();
        let foldable = |output: &&Output<'_>| match output {
            Output::Event(Event::Book(topic, BookEvent::Delayed(reason))) => {
                !(matches!(reason, BookDelayReason::SequenceReset(_)) && resets.insert(*topic))
            }
            other => matches!(other, Output::Event(Event::Book(_, BookEvent::Delta(_)))),
        };
        let queued = outputs.iter().filter(foldable).count();
        hold(Law::QueueCap, queued <= self.max_queued_events, || format!("there were {queued}"))?;
        outputs.iter().try_for_each(|output| self.on_output(now, output))
    }

    fn on_output(&mut self, now: Instant, output: &Output<'_>) -> Verdict {
        match output {
            Output::Event(event) => self.on_event(event),
            Output::Push(push) => push.request().map_or(Ok(()), |query| self.answered(query)),
            Output::Open { conn, .. } => {
                let before = self.conns.insert(*conn, Life::Asked);
                hold(Law::OneOpen, before.is_none(), || was(conn, before))
            }
            Output::Close { conn } => {
                let before = self.conns.insert(*conn, Life::Shut);
                let right = matches!(before, Some(Life::Asked | Life::Up));
                hold(Law::OneShut, right, || was(conn, before))
            }
            Output::Send { conn, text } => self.on_send(now, *conn, text),
            Output::Fetch(fetch) => {
                let fresh = self.requests.insert(fetch.request());
                hold(Law::RequestsOnce, fresh, || format!("{fetch:?} comes again"))
            }
        }
    }

    fn on_send(&mut self, now: Instant, conn: ConnId, text: &str) -> Verdict {
        let life = self.conns.get(&conn).copied();
        hold(Law::SentWhileUp, life == Some(Life::Up), || was(&conn, life))?;
        hold(Law::SentToNoneLost, !self.lost.contains(&conn), || format!("{conn:?}: {text}"))?;
        let json: Value = serde_json::from_str(text).unwrap_or_default();
        let word = |key: &str| json.get(key).and_then(Value::as_str).unwrap_or_default();
        let has_id = word("id").parse::<u64>().is_ok();
        hold(Law::SentWithId, has_id, || format!("{conn:?}: {text}"))?;
        let symbols = word("topic").split(',').count();
        hold(Law::SymbolsPerFrame, symbols <= self.symbols_per_frame, || text.into())?;
        let sends = self.sends.entry(conn).or_default();
        sends.push_back(now);
        sends.retain(|at| now.since(*at) < SENDS_PER);
        hold(Law::SentInTime, sends.len() <= MOST_SENDS, || format!("{conn:?}: {text}"))
    }

    fn on_event(&mut self, event: &Event) -> Verdict {
        match *event {
            Event::Line(_, LineEvent::Up { conn, .. }) => {
                let before = self.conns.insert(conn, Life::Up);
                hold(Law::OneUp, before == Some(Life::Asked), || was(&conn, before))
            }
            Event::Line(_, LineEvent::Down { conn, .. }) => {
                self.sends.remove(&conn);
                let before = self.conns.insert(conn, Life::Over);
                hold(Law::OneDown, before == Some(Life::Shut), || was(&conn, before))
            }
            Event::Book(topic, BookEvent::Live { epoch, sequence }) => {
                // A `Lagged` stands behind all that became live before it.
                self.ahead.remove(&topic);
                let before = self.books.insert(topic, Run::Live(epoch, sequence));
                let right = matches!(before, Some(Run::Not(last)) if follows(last, epoch));
                hold(Law::EpochsCount, right, || format!("{event:?} came after {before:?}"))
            }
            Event::Book(topic, BookEvent::Delta(delta)) => {
                let before = self.books.get(&topic).copied();
                let Some(Run::Live(epoch, last)) = before else {
                    let but = || format!("{event:?} came after {before:?}");
                    return hold(Law::DeltasFollow, false, but);
                };
                let may_jump = self.ahead.remove(&topic);
                let next = last.next() == Some(delta.sequence);
                self.books.insert(topic, Run::Live(epoch, delta.sequence));
                let right = next || (may_jump && delta.sequence > last);
                hold(Law::DeltasFollow, right, || format!("{event:?} came after {last}"))
            }
            Event::Book(topic, BookEvent::Lost { epoch, .. }) => {
                self.ahead.remove(&topic);
                let before = self.books.insert(topic, Run::Not(epoch));
                let right = matches!(before, Some(Run::Live(live, _)) if live == epoch);
                hold(Law::LostWasLive, right, || format!("{event:?} came after {before:?}"))
            }
            Event::Topic(_, TopicEvent::Refused { delay, .. }) => {
                let bounds = SHORTEST_PAUSE..=self.longest_pause.max(SHORTEST_PAUSE);
                hold(Law::PausesInBounds, bounds.contains(&delay), || format!("{event:?}"))
            }
            Event::QueryFailed { request, .. } => self.on_answer(request),
            Event::Lagged { dropped } => {
                self.lagged = self.lagged.saturating_add(dropped.into());
                let live = |run: &Run| matches!(run, Run::Live(..));
                let live = self.books.iter().filter(|(_, run)| live(run));
                self.ahead = live.map(|(topic, _)| *topic).collect();
                Ok(())
            }
            _ => Ok(()),
        }
    }

    // What the client shows once it is drained.

    /// Where the client's book of a topic can be read, if it can.
    ///
    /// # Errors
    /// The events say something else.
    pub fn check_book(&self, topic: TopicId, readable: Option<Sequence>) -> Result<(), BrokenLaw> {
        let told = match self.books.get(&topic) {
            Some(Run::Live(_, sequence)) => Some(*sequence),
            _ => None,
        };
        let ahead = self.ahead.contains(&topic)
            && readable.is_some_and(|readable| told.is_some_and(|told| readable > told));
        hold(Law::BooksAsTold, ahead || readable == told, || {
            format!("{topic:?} can be read at {readable:?} and was told to be at {told:?}")
        })
    }

    /// The client's counters.
    ///
    /// # Errors
    /// They do not add up.
    pub fn check_stats(&self, stats: &Stats) -> Result<(), BrokenLaw> {
        let rows = [
            stats.deltas,
            stats.buffered,
            stats.repeats,
            stats.covered,
            stats.poisoned,
            stats.pushes,
            stats.control,
            stats.unsolicited,
            stats.errors,
            stats.unwanted,
            stats.unknown,
            stats.malformed,
            stats.stale,
        ];
        let sum: u64 = rows.iter().sum();
        hold(Law::RowsAddUp, sum == stats.messages, || format!("{sum} are in {stats:?}"))
    }

    /// The counters of a client that has been drained.
    ///
    /// # Errors
    /// They do not say what the events said.
    pub fn check_lagged(&self, stats: &Stats) -> Result<(), BrokenLaw> {
        let (told, counted) = (self.lagged, stats.lagged);
        hold(Law::LaggedCounted, told == counted, || format!("{told} told, {counted} counted"))
    }

    /// The client was closed and drained.
    ///
    /// # Errors
    /// Something is not over.
    pub fn check_end(&self) -> Result<(), BrokenLaw> {
        let over = self.conns.values().all(|life| *life == Life::Over);
        hold(Law::AllOver, over, || format!("{:?}", self.conns))?;
        hold(Law::AllAnswered, self.queries.is_empty(), || format!("{:?}", self.queries))?;
        let dead = self.books.values().all(|run| matches!(run, Run::Not(_)));
        hold(Law::NoneLive, dead, || format!("{:?}", self.books))
    }
}

fn was(conn: &ConnId, before: Option<Life>) -> String {
    match before {
        Some(life) => format!("{conn:?} was {life:?}"),
        None => format!("{conn:?} was never opened"),
    }
}

fn follows(last: Epoch, next: Epoch) -> bool {
    last.get().checked_add(1) == Some(next.get())
}

#[cfg(test)]
mod tests;
