//! Holds what comes out of a client against the laws that concern outputs.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use kucoin_futures_proto::{
    Config, ConnId, Epoch, Event, Input, Instant, Output, Sequence, Stats, TopicId,
};

pub(crate) struct Judge {
    symbols_per_frame: usize,
    conns: BTreeMap<ConnId, Life>,
    /// Those that the adapter has reported as lost.
    lost: BTreeSet<ConnId>,
    books: BTreeMap<TopicId, Run>,
    sends: VecDeque<Instant>,
    pub(crate) lagged: u64,
    /// Books whose next delta need not be the next one, because something was not reported.
    may_jump: BTreeSet<TopicId>,
    /// Names of all kinds of output that were seen.
    pub(crate) seen: BTreeSet<String>,
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
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            symbols_per_frame: config.symbols_per_frame,
            conns: BTreeMap::new(),
            lost: BTreeSet::new(),
            books: BTreeMap::new(),
            sends: VecDeque::new(),
            lagged: 0,
            may_jump: BTreeSet::new(),
            seen: BTreeSet::new(),
        }
    }

    pub(crate) fn knows(&mut self, topic: TopicId) {
        self.books.entry(topic).or_insert(Run::Not(0));
    }

    pub(crate) fn on_input(&mut self, input: &Input<'_>) {
        self.seen.insert(name(&format!("{input:?}")));
        if let Input::Lost(conn, _) = input {
            self.lost.insert(*conn);
        }
    }

    pub(crate) fn on_output(&mut self, now: Instant, output: &Output) {
        match output {
            Output::Event(event) => {
                self.seen.insert(name_of(event));
                self.on_event(event);
            }
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
                assert!(!self.lost.contains(conn), "sent to the dead");
                id_of(text);
                assert!(
                    text.split(',').count() <= self.symbols_per_frame.saturating_add(4),
                    "{text}"
                );
                self.sends.push_back(now);
                self.sends.retain(|at| now.since(*at) < Duration::from_secs(10));
                assert!(self.sends.len() <= 100, "too fast");
            }
            Output::Fetch(_) => {}
        }
    }

    fn on_event(&mut self, event: &Event) {
        match *event {
            Event::LineUp { conn, .. } => {
                assert_eq!(self.conns.insert(conn, Life::Up), Some(Life::Asked));
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
                let may_jump = self.may_jump.remove(&topic);
                assert!(follows || may_jump, "{delta:?} after {last:?}");
                self.books.insert(topic, Run::Live(epoch, delta.sequence));
            }
            Event::BookLost { topic, epoch, .. } => {
                let before = self.books.insert(topic, Run::Not(epoch.get()));
                assert!(matches!(before, Some(Run::Live(e, _)) if Epoch::new(e) == epoch));
            }
            Event::Lagged { dropped } => {
                self.lagged += u64::from(dropped);
                self.may_jump = self.books.keys().copied().collect();
            }
            _ => {}
        }
    }

    /// Every connection that was opened is over.
    pub(crate) fn all_over(&self) -> bool {
        self.conns.values().all(|life| *life == Life::Over)
    }

    /// The live books, by the events.
    pub(crate) fn is_live_at(&self, topic: TopicId) -> Option<Sequence> {
        if let Some(Run::Live(_, sequence)) = self.books.get(&topic) {
            Some(*sequence)
        } else {
            None
        }
    }

    pub(crate) fn check_stats(&self, stats: &Stats) {
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
}

/// The id of a text that was sent, and whether it is a ping.
pub(crate) fn id_of(text: &str) -> (u64, bool) {
    let json: serde_json::Value = serde_json::from_str(text).unwrap();
    let id = json["id"].as_str().unwrap().parse().unwrap();
    (id, json["type"] == "ping")
}

/// Kind and reason of an event, without its numbers.
fn name_of(event: &Event) -> String {
    match event {
        Event::LineDown { reason, .. } => format!("LineDown {}", name(&format!("{reason:?}"))),
        Event::BookLost { reason, .. } => format!("BookLost {}", name(&format!("{reason:?}"))),
        Event::BookDelayed { reason, .. } => {
            format!("BookDelayed {}", name(&format!("{reason:?}")))
        }
        Event::NoToken { reason, .. } => format!("NoToken {}", name(&format!("{reason:?}"))),
        other => name(&format!("{other:?}")),
    }
}

fn name(debug: &str) -> String {
    debug.split([' ', '(', '{']).next().unwrap_or_default().into()
}
