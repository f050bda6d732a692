//! What waits for an engine: bounded, and whole by symbol.
//!
//! A feed puts in what it sees and never waits; the engine's thread takes as much as it can carry. Where there is no room,
//! all that waits of that symbol is dropped, and counted: once there is room again, `Lagged` says so in the stream, and a
//! fresh snapshot follows. So a slow engine costs a consumer its book for a moment, and never gives it a wrong one.

mod stream;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use kucoin_futures_proto::wire::Delta;
use kucoin_futures_proto::{Book, Instant, Sequence, Symbol, UnixNanos};

use crate::message::{Body, Heartbeat, Lost, Message, PublisherId, Snapshot};
use stream::{CHANGE, Content, Entry, SMALL, Stream};

/// How a publisher keeps its streams.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OutboxLimits {
    /// What waits for the engine takes this many bytes of memory at most, more or less. Default 32 MiB.
    pub bytes: usize,
    /// A book is told whole after so long, so that who comes later need not wait longer. Default 10 s.
    pub snapshot_every: Duration,
    /// And after so many messages of it: fewer than an engine keeps. Default 5000. Of several publishers that are known
    /// to share a stream each takes its part of it.
    pub snapshot_messages: u64,
    /// Something is said of each symbol so often. Default 1 s.
    pub heartbeat_every: Duration,
    /// A snapshot that is asked for is not given more often. Default 1 s.
    pub answer_every: Duration,
}

impl Default for OutboxLimits {
    fn default() -> Self {
        Self {
            bytes: 32 << 20,
            snapshot_every: Duration::from_secs(10),
            snapshot_messages: 5000,
            heartbeat_every: Duration::from_secs(1),
            answer_every: Duration::from_secs(1),
        }
    }
}

/// What a publisher knows of a book that can be read now.
#[derive(Clone, Copy, Debug)]
pub struct BookView<'a> {
    /// The book.
    pub book: &'a Book,
    /// Which run of it.
    pub epoch: u32,
    /// For how long nothing has proved that it is heard.
    pub age: Duration,
}

/// The streams of one publisher.
#[derive(Debug)]
pub struct Outbox {
    publisher: PublisherId,
    limits: OutboxLimits,
    streams: BTreeMap<Symbol, Stream>,
    used: usize,
    /// The symbol that was taken of last: the next batch begins after it, so that no symbol waits for all others.
    turn: Option<Symbol>,
    /// Publishers that fill the same streams.
    sharing: u64,
    stats: OutboxStats,
}

/// What became of what was put in.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct OutboxStats {
    /// Messages that were taken for the engine.
    pub messages: u64,
    /// Changes among them.
    pub changes: u64,
    /// Whole books among them.
    pub snapshots: u64,
    /// Changes that there was no room for, or that an engine may have lost.
    pub lagged: u64,
}

/// A book that is to be told whole.
#[derive(Debug)]
pub(crate) struct Due<'a> {
    pub(crate) symbol: Symbol,
    pub(crate) epoch: u32,
    book: &'a Book,
}

impl Due<'_> {
    /// What takes long.
    pub(crate) fn snapshot(&self) -> Snapshot {
        Snapshot::of(self.book)
    }
}

impl Outbox {
    /// One without symbols.
    #[must_use]
    pub fn new(publisher: PublisherId, limits: OutboxLimits) -> Self {
        let (streams, stats) = (BTreeMap::new(), OutboxStats::default());
        Self { publisher, limits, streams, used: 0, turn: None, sharing: 1, stats }
    }

    /// Publishes a symbol from here on.
    pub fn add(&mut self, symbol: Symbol) {
        self.streams.entry(symbol).or_default().is_ended = false;
    }

    /// What is published.
    pub fn symbols(&self) -> impl Iterator<Item = Symbol> + '_ {
        self.streams.iter().filter(|(_, stream)| !stream.is_ended).map(|(symbol, _)| *symbol)
    }

    /// Publishes a symbol no more: its stream says so.
    pub fn end(&mut self, symbol: Symbol) {
        let Some(stream) = self.streams.get_mut(&symbol) else { return };
        if !std::mem::replace(&mut stream.is_ended, true) {
            (stream.epoch, stream.told) = (None, None);
            self.used += stream.push(Body::End);
        }
    }

    /// A book is live, in another run than before: it is told whole at the next [`beat`](Self::beat).
    pub fn live(&mut self, symbol: Symbol, epoch: u32) {
        let Some(stream) = self.streams.get_mut(&symbol).filter(|stream| !stream.is_ended) else {
            return;
        };
        (stream.epoch, stream.last_epoch) = (Some(epoch), epoch);
        stream.told = None;
        stream.needs_snapshot = true;
    }

    /// A live book took a change.
    pub fn change(&mut self, symbol: Symbol, delta: &Delta) {
        let Some(stream) = self.streams.get_mut(&symbol).filter(|it| it.epoch.is_some()) else {
            return;
        };
        if stream.needs_snapshot {
            // It is in the snapshot that is to come. Nothing is left out of what was not begun yet.
            if stream.told.is_some() {
                stream.lagged += 1;
                self.stats.lagged += 1;
            }
            return;
        }
        if stream.told.is_some_and(|told| delta.sequence <= told) {
            return;
        }
        if stream.told.and_then(Sequence::next) != Some(delta.sequence)
            || self.used + SMALL + CHANGE > self.limits.bytes
        {
            let (dropped, freed) = stream.drop_waiting();
            stream.lagged += 1;
            self.stats.lagged += dropped + 1;
            self.used = self.used.saturating_sub(freed);
            return;
        }
        self.used += stream.push_delta(delta);
    }

    /// A book is not live any more.
    pub fn lost(&mut self, symbol: Symbol, reason: &str, is_doubt: bool) {
        let Some(stream) = self.streams.get_mut(&symbol).filter(|stream| !stream.is_ended) else {
            return;
        };
        if stream.epoch.take().is_some() {
            stream.told = None;
            stream.is_doubted |= is_doubt;
            self.used += stream.push(Body::Lost(Lost::new(reason, is_doubt)));
        }
    }

    /// What was told of a book before is in doubt, and it is not live now: found while it was synchronised anew.
    pub fn doubt(&mut self, symbol: Symbol, reason: &str) {
        let Some(stream) = self.streams.get_mut(&symbol).filter(|stream| !stream.is_ended) else {
            return;
        };
        if std::mem::replace(&mut stream.is_doubted, true) {
            return;
        }
        (stream.epoch, stream.told) = (None, None);
        self.used += stream.push(Body::Lost(Lost::new(reason, true)));
    }

    /// A book reaches further than before.
    pub fn widened(&mut self, symbol: Symbol) {
        if let Some(stream) = self.streams.get_mut(&symbol) {
            stream.is_asked = true;
            stream.snapshot_at = None;
        }
    }

    /// So many publishers, this one among them, share what an engine keeps of a symbol: it is told whole more often.
    pub fn share(&mut self, publishers: u64) {
        self.sharing = publishers.max(1);
    }

    /// Somebody asks for a snapshot.
    pub fn ask(&mut self, symbol: Symbol) {
        if let Some(stream) = self.streams.get_mut(&symbol) {
            stream.is_asked = true;
        }
    }

    /// What is due by the clock: signs of life, and books that are to be told whole. To be called a few times a second,
    /// by whoever drives the feed and nobody else: a feed that is stuck must not be said to live. Best where nothing that
    /// the feed has seen is still to be put in: a book that is further on than its stream is not told again.
    pub fn beat<'a>(
        &mut self,
        now: Instant,
        sent: UnixNanos,
        view: impl Fn(Symbol) -> Option<BookView<'a>>,
    ) {
        for due in self.due(now, &view) {
            let (symbol, epoch) = (due.symbol, due.epoch);
            self.tell(now, symbol, epoch, due.snapshot());
        }
        self.say(now, sent, view);
    }

    /// The books that are to be told whole now, as far as there is room for them. Making a snapshot of one takes long
    /// enough to be done outside of a lock.
    pub(crate) fn due<'a>(
        &self,
        now: Instant,
        view: &impl Fn(Symbol) -> Option<BookView<'a>>,
    ) -> Vec<Due<'a>> {
        let mut used = self.used;
        let snapshot_messages = (self.limits.snapshot_messages / self.sharing).max(1);
        let limits = OutboxLimits { snapshot_messages, ..self.limits };
        let is_due = |(symbol, stream): (&Symbol, &Stream)| {
            let view = view(*symbol).filter(|view| stream.epoch == Some(view.epoch))?;
            let room = stream.room(&limits, used)?;
            let is_due = stream.needs_snapshot
                || stream.is_due(now, &limits) && stream.told == Some(view.book.sequence());
            let size = SMALL * 3 + Snapshot::size_of(view.book);
            if !is_due || size > room {
                return None;
            }
            used += size;
            Some(Due { symbol: *symbol, epoch: view.epoch, book: view.book })
        };
        self.streams.iter().filter_map(is_due).collect()
    }

    /// Puts a whole book in, if it is still what its stream needs.
    pub(crate) fn tell(&mut self, now: Instant, symbol: Symbol, epoch: u32, snapshot: Snapshot) {
        let Some(stream) = self.streams.get_mut(&symbol) else { return };
        let is_next = stream.needs_snapshot || stream.told == Some(snapshot.sequence);
        let has_room = stream
            .room(&self.limits, self.used)
            .is_some_and(|room| snapshot.size() + 3 * SMALL <= room);
        if stream.epoch == Some(epoch) && is_next && has_room {
            self.used += stream.tell(now, snapshot);
        }
    }

    /// Signs of life.
    pub(crate) fn say<'a>(
        &mut self,
        now: Instant,
        sent: UnixNanos,
        view: impl Fn(Symbol) -> Option<BookView<'a>>,
    ) {
        let limits = self.limits;
        for (symbol, stream) in self.streams.iter_mut().filter(|(_, stream)| !stream.is_ended) {
            let is_due = stream.said_at.is_none_or(|at| now.since(at) >= limits.heartbeat_every);
            if is_due && self.used + 2 * SMALL <= limits.bytes {
                stream.said_at = Some(now);
                let view = view(*symbol).filter(|view| stream.epoch == Some(view.epoch));
                let sequence = stream.told.filter(|_| !stream.needs_snapshot);
                let age_ms = view.map_or(0, |view| view.age.as_millis() as u64);
                self.used += stream.push(Body::Heartbeat(Heartbeat { sequence, age_ms, sent }));
            }
        }
    }

    /// Takes up to `most` messages for the engine, of each symbol in order, and of all symbols in turn.
    pub fn take(&mut self, most: usize, taken: &mut Vec<Message>) {
        self.take_bytes(most, usize::MAX, taken);
    }

    /// The same, up to the message with which it is more than so many bytes of memory.
    pub(crate) fn take_bytes(&mut self, most: usize, bytes: usize, taken: &mut Vec<Message>) {
        let mut sum = 0;
        use std::ops::Bound::{Excluded, Unbounded};
        let publisher = self.publisher;
        let split = self.turn.map_or(Unbounded, Excluded);
        let after = self.streams.range((split, Unbounded)).map(|(symbol, _)| *symbol);
        let before = self.streams.keys().copied().take_while(|symbol| Some(*symbol) <= self.turn);
        let symbols: Vec<Symbol> = after.chain(before).collect();
        for symbol in symbols {
            let Some(stream) = self.streams.get_mut(&symbol) else { continue };
            while taken.len() < most
                && sum < bytes
                && let Some(entry) = stream.waiting.pop_front()
            {
                let (size, epoch) = (entry.size(), entry.epoch);
                stream.used = stream.used.saturating_sub(size);
                self.used = self.used.saturating_sub(size);
                sum += size;
                self.stats.changes += entry.changes();
                let Some(body) = entry.body() else { continue };
                self.stats.messages += 1;
                self.stats.snapshots += u64::from(matches!(body, Body::Snapshot(_)));
                stream.number += 1;
                let number = stream.number;
                self.turn = Some(symbol);
                taken.push(Message { symbol, publisher, number, epoch, body });
            }
            if taken.len() >= most || sum >= bytes {
                return;
            }
        }
    }

    /// Nobody knows what the engine has of these: each symbol among them, and all that waits, is told anew.
    pub fn engine_failed(&mut self, unsure: &[Message]) {
        let mut ends = BTreeSet::new();
        for message in unsure {
            let Some(stream) = self.streams.get_mut(&message.symbol) else { continue };
            match &message.body {
                Body::Deltas(deltas) => {
                    stream.lagged += deltas.changes.len() as u64;
                    self.stats.lagged += deltas.changes.len() as u64;
                }
                Body::Lagged { count } => stream.lagged += count,
                Body::Lost(lost) if lost.is_doubt => stream.owes_doubt = Some(lost.clone()),
                Body::End => drop(ends.insert(message.symbol)),
                _ => {}
            }
        }
        for (symbol, stream) in &mut self.streams {
            let is_end = |entry: &Entry| matches!(entry.content, Content::Other(Body::End));
            let owes_end = ends.contains(symbol) || stream.waiting.iter().any(is_end);
            self.stats.lagged += stream.drop_waiting().0;
            if stream.is_ended && owes_end {
                stream.push(Body::End);
            }
        }
        self.used = self.streams.values().map(|stream| stream.used).sum();
    }

    /// Whether something waits for the engine.
    #[must_use]
    pub const fn is_waiting(&self) -> bool {
        self.used > 0
    }

    /// What became of what was put in.
    #[must_use]
    pub const fn stats(&self) -> &OutboxStats {
        &self.stats
    }
}

#[cfg(test)]
mod tests;
