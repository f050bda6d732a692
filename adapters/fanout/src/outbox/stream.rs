//! What waits of one symbol, and what was told of it.

use std::collections::VecDeque;

use kucoin_futures_proto::wire::Delta;
use kucoin_futures_proto::{Instant, Sequence};

use super::OutboxLimits;
use crate::message::{Body, Deltas, Lost, MAX_CHANGES, Snapshot};

#[derive(Debug, Default)]
pub(super) struct Stream {
    pub(super) waiting: VecDeque<Entry>,
    /// Bytes of these.
    pub(super) used: usize,
    /// Of the last message that was taken.
    pub(super) number: u64,
    /// The run that is told; `None` while the book is not live.
    pub(super) epoch: Option<u32>,
    pub(super) last_epoch: u32,
    /// Up to where it was put in.
    pub(super) told: Option<Sequence>,
    /// Left out and not said yet.
    pub(super) lagged: u64,
    /// Nothing can be put in before a snapshot is.
    pub(super) needs_snapshot: bool,
    /// Somebody asked for one.
    pub(super) is_asked: bool,
    pub(super) snapshot_at: Option<Instant>,
    pub(super) since_snapshot: u64,
    pub(super) said_at: Option<Instant>,
    /// Of a doubt that was dropped, or that an engine may have lost: it is said before anything else is.
    pub(super) owes_doubt: Option<Lost>,
    /// A doubt was put in since a book was told: another one would say nothing new, and cost the books of others again.
    pub(super) is_doubted: bool,
    /// It is over. It is kept for its number: what begins anew under the same name must not look like a repeat.
    pub(super) is_ended: bool,
}

#[derive(Debug)]
pub(super) struct Entry {
    pub(super) epoch: u32,
    pub(super) content: Content,
}

#[derive(Debug)]
pub(super) enum Content {
    Deltas(Vec<Delta>),
    Other(Body),
}

/// Bytes of a change in memory.
pub(super) const CHANGE: usize = size_of::<Delta>();
/// Bytes of what is small.
pub(super) const SMALL: usize = 64;

impl Entry {
    pub(super) fn size(&self) -> usize {
        match &self.content {
            Content::Deltas(deltas) => SMALL + deltas.len() * CHANGE,
            Content::Other(Body::Snapshot(snapshot)) => SMALL + snapshot.size(),
            Content::Other(_) => SMALL,
        }
    }

    pub(super) fn changes(&self) -> u64 {
        match &self.content {
            Content::Deltas(deltas) => deltas.len() as u64,
            Content::Other(_) => 0,
        }
    }

    pub(super) fn body(self) -> Option<Body> {
        match self.content {
            Content::Deltas(deltas) => Deltas::of(&deltas).map(Body::Deltas),
            Content::Other(body) => Some(body),
        }
    }
}

impl Stream {
    /// Puts something in, after a doubt that is owed; how many bytes it takes.
    pub(super) fn push(&mut self, body: Body) -> usize {
        match self.owes_doubt.take() {
            Some(lost) => self.put(Body::Lost(lost)) + self.put(body),
            None => self.put(body),
        }
    }

    pub(super) fn put(&mut self, body: Body) -> usize {
        let entry =
            Entry { epoch: self.epoch.unwrap_or(self.last_epoch), content: Content::Other(body) };
        let size = entry.size();
        self.used += size;
        self.waiting.push_back(entry);
        self.since_snapshot += 1;
        size
    }

    /// Puts a change in, with those that wait if it may.
    pub(super) fn push_delta(&mut self, delta: &Delta) -> usize {
        self.told = Some(delta.sequence);
        if let Some(Entry { content: Content::Deltas(deltas), .. }) = self.waiting.back_mut()
            && deltas.len() < MAX_CHANGES
        {
            deltas.push(*delta);
            self.used += CHANGE;
            return CHANGE;
        }
        let epoch = self.epoch.unwrap_or(self.last_epoch);
        let entry = Entry { epoch, content: Content::Deltas(vec![*delta]) };
        let size = entry.size();
        self.used += size;
        self.waiting.push_back(entry);
        self.since_snapshot += 1;
        size
    }

    /// Says what was left out, and the whole book.
    pub(super) fn tell(&mut self, now: Instant, snapshot: Snapshot) -> usize {
        let mut size = 0;
        if let count @ 1.. = std::mem::take(&mut self.lagged) {
            size += self.push(Body::Lagged { count });
        }
        self.needs_snapshot = false;
        self.is_asked = false;
        self.is_doubted = false;
        self.told = Some(snapshot.sequence);
        size += self.push(Body::Snapshot(Box::new(snapshot)));
        (self.snapshot_at, self.since_snapshot) = (Some(now), 0);
        size
    }

    /// Bytes that its next snapshot may take; `None` if none. What has dropped something waits until the engine has
    /// taken half of all that waits, or it would be dropped again at once.
    pub(super) fn room(&self, limits: &OutboxLimits, used: usize) -> Option<usize> {
        let is_late = self.needs_snapshot && self.told.is_some();
        let most = if is_late { limits.bytes / 2 } else { limits.bytes };
        most.checked_sub(used).filter(|_| !self.is_ended)
    }

    pub(super) fn is_due(&self, now: Instant, limits: &OutboxLimits) -> bool {
        let Some(at) = self.snapshot_at else { return true };
        let since = now.since(at);
        since >= limits.snapshot_every
            || self.since_snapshot >= limits.snapshot_messages
            || self.is_asked && since >= limits.answer_every
    }

    /// Drops all that waits: how many changes that was, and how many bytes. That a book was lost is said in any case, and
    /// a doubt is owed even if the book is live again.
    pub(super) fn drop_waiting(&mut self) -> (u64, usize) {
        let (mut changes, mut lost) = (0, None);
        for entry in std::mem::take(&mut self.waiting) {
            changes += entry.changes();
            let epoch = entry.epoch;
            match entry.content {
                Content::Other(Body::Lagged { count }) => self.lagged += count,
                Content::Other(Body::Lost(said)) => {
                    if said.is_doubt {
                        self.owes_doubt = Some(said.clone());
                    }
                    lost = Some(Entry { epoch, content: Content::Other(Body::Lost(said)) });
                }
                _ => {}
            }
        }
        if self.epoch.is_none()
            && let Some(lost) = lost
        {
            let doubt = self.owes_doubt.take().map(|doubt| Content::Other(Body::Lost(doubt)));
            let content = doubt.unwrap_or(lost.content);
            self.waiting.push_back(Entry { epoch: lost.epoch, content });
        }
        self.lagged += changes;
        self.needs_snapshot = true;
        let before = std::mem::replace(&mut self.used, self.waiting.iter().map(Entry::size).sum());
        (changes, before.saturating_sub(self.used))
    }
}
