//! Holds what comes out of a client against the laws that concern the order of outputs.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use kucoin_futures_proto::{
    Config, ConnId, Event, Input, Instant, Output, RequestId, Sequence, Stats, TopicId,
};

pub(super) struct Judge {
    max_queued_events: usize,
    conns: BTreeMap<ConnId, Life>,
    /// Those that were reported to the client as lost.
    lost: BTreeSet<ConnId>,
    books: BTreeMap<TopicId, Run>,
    queries: BTreeSet<RequestId>,
    fetches: BTreeSet<RequestId>,
    sends: VecDeque<Instant>,
    lagged: u64,
    /// Books whose next delta need not be the next one, because something was not reported.
    may_jump: BTreeSet<TopicId>,
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
    Not(u32),
    Live(u32, Sequence),
}

impl Judge {
    pub(super) fn new(config: &Config) -> Self {
        Self {
            max_queued_events: config.max_queued_events,
            conns: BTreeMap::new(),
            lost: BTreeSet::new(),
            books: BTreeMap::new(),
            queries: BTreeSet::new(),
            fetches: BTreeSet::new(),
            sends: VecDeque::new(),
            lagged: 0,
            may_jump: BTreeSet::new(),
        }
    }

    pub(super) fn knows(&mut self, topic: TopicId) {
        self.books.entry(topic).or_insert(Run::Not(0));
    }

    pub(super) fn awaits(&mut self, query: RequestId) {
        assert!(self.queries.insert(query), "{query:?} twice");
    }

    /// A query has its answer, and this is the only one.
    pub(super) fn is_answered(&mut self, query: RequestId) {
        assert!(self.queries.remove(&query), "{query:?} was not waited for");
    }

    pub(super) fn on_input(&mut self, input: &Input<'_>) {
        // One that was never opened may be in the future.
        if let Input::Lost(conn, _) = input
            && self.conns.contains_key(conn)
        {
            self.lost.insert(*conn);
        }
    }

    /// Laws 5 and 9, over all that was drained at once.
    pub(super) fn on_outputs(&mut self, now: Instant, outputs: &[Output]) {
        let foldable = |output: &&Output| {
            matches!(output, Output::Event(Event::Delta { .. } | Event::BookDelayed { .. }))
        };
        assert!(outputs.iter().filter(foldable).count() <= self.max_queued_events, "law 9");
        for output in outputs {
            self.on_output(now, output);
        }
    }

    fn on_output(&mut self, now: Instant, output: &Output) {
        match output {
            Output::Event(event) => self.on_event(event),
            Output::Open { conn, .. } => {
                let before = self.conns.insert(*conn, Life::Asked);
                assert_eq!(before, None, "law 5: one Open");
                self.sends.clear();
            }
            Output::Shut { conn } => {
                let before = self.conns.insert(*conn, Life::Shut);
                assert!(matches!(before, Some(Life::Asked | Life::Up)), "{conn:?} was {before:?}");
            }
            Output::Send { conn, text } => {
                assert_eq!(self.conns.get(conn), Some(&Life::Up), "sent outside of its life");
                assert!(!self.lost.contains(conn), "sent to the dead: {text}");
                self.sends.push_back(now);
                self.sends.retain(|at| now.since(*at) < Duration::from_secs(10));
                assert!(self.sends.len() <= 100, "too fast");
            }
            Output::Fetch(fetch) => assert!(self.fetches.insert(fetch.request()), "{fetch:?}"),
        }
    }

    fn on_event(&mut self, event: &Event) {
        match *event {
            Event::LineUp { conn, .. } => {
                assert_eq!(self.conns.insert(conn, Life::Up), Some(Life::Asked), "law 5");
            }
            Event::LineDown { conn, .. } => {
                let before = self.conns.insert(conn, Life::Over);
                assert_eq!(before, Some(Life::Shut), "law 5: one LineDown");
            }
            Event::BookLive { topic, epoch, sequence } => {
                let before = self.books.insert(topic, Run::Live(epoch.get(), sequence));
                assert_eq!(before, Some(Run::Not(epoch.get() - 1)), "epochs count");
            }
            Event::Delta { topic, delta } => {
                let Some(Run::Live(epoch, last)) = self.books.get(&topic).copied() else {
                    panic!("a delta of a book that is not live: {delta:?}")
                };
                let follows = last.next() == Some(delta.sequence);
                assert!(self.may_jump.remove(&topic) || follows, "{delta:?} after {last:?}");
                self.books.insert(topic, Run::Live(epoch, delta.sequence));
            }
            Event::BookLost { topic, epoch, .. } => {
                let before = self.books.insert(topic, Run::Not(epoch.get()));
                let right = matches!(before, Some(Run::Live(live, _)) if live == epoch.get());
                assert!(right, "{epoch:?} was lost, after {before:?}");
            }
            Event::QueryFailed { request, .. } => self.is_answered(request),
            Event::Lagged { dropped } => {
                self.lagged += u64::from(dropped);
                self.may_jump = self.books.keys().copied().collect();
            }
            _ => {}
        }
    }

    /// After a drain: a book can be read just when the events say that it is live, and where.
    pub(super) fn check_readable(&self, topic: TopicId, readable: Option<Sequence>) {
        let live = match self.books.get(&topic) {
            Some(Run::Live(_, sequence)) => Some(*sequence),
            _ => None,
        };
        assert_eq!(readable.is_some(), live.is_some(), "{topic:?}");
        assert!(self.lagged > 0 || readable == live, "{topic:?}: {readable:?}, not {live:?}");
    }

    /// The counters' rows add up.
    pub(super) fn check_stats(stats: &Stats) {
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
        assert_eq!(rows.iter().sum::<u64>(), stats.messages, "{stats:?}");
    }

    /// Law 10: every connection that was opened is over, every query answered, no book live.
    pub(super) fn check_end(&self, stats: &Stats) {
        assert!(self.conns.values().all(|life| *life == Life::Over), "{:?}", self.conns);
        assert!(self.queries.is_empty(), "{:?}", self.queries);
        assert!(self.books.values().all(|run| matches!(run, Run::Not(_))), "{:?}", self.books);
        assert_eq!(self.lagged, stats.lagged);
    }
}
