//! How a publisher's stream and the book come together.

use std::collections::VecDeque;

use kucoin_futures_proto::Sequence;
use kucoin_futures_proto::book::Apply;
use kucoin_futures_proto::wire::Delta;

use super::{Cx, Replica};
use crate::consumer::compare::{agree, is_wider};
use crate::consumer::track::{Place, Track};
use crate::consumer::{Event, LostReason};
use crate::message::{Deltas, Snapshot};

/// What became of an attempt to join.
enum Joining {
    Joined,
    /// The book and the track are not at one sequence yet.
    Waits,
    Differs(Sequence),
}

impl Replica {
    pub(super) fn on_snapshot(
        &mut self,
        cx: &mut Cx<'_>,
        at: usize,
        epoch: u32,
        snapshot: &Snapshot,
        hole: Option<LostReason>,
    ) {
        let book = snapshot.book();
        let Some(track) = self.tracks.get_mut(at) else { return };
        track.claims_live = true;
        // Sequences of one run grow, so this one is of another run of the exchange's counter, and nobody knows since when.
        if track.reached.is_some_and(|reached| snapshot.sequence < reached) {
            self.dispute(cx, LostReason::SetBack);
        }
        let Some(track) = self.tracks.get_mut(at) else { return };
        track.reach(Some(snapshot.sequence));
        track.has_hole = false;
        let reason = match &hole {
            Some(hole) => hole.clone(),
            None if track.epoch != epoch => LostReason::Restarted,
            None => LostReason::Nonsense,
        };
        // It is about to join with what it said before; this says no more.
        if hole.is_none()
            && track.epoch == epoch
            && track.is_apart()
            && track.told() == Some(snapshot.sequence)
        {
            return;
        }
        track.epoch = epoch;
        let Some(book) = book else {
            cx.stats.bad_snapshots += 1;
            return self.leave(cx, at, LostReason::Nonsense);
        };
        track.place = Place::Apart { base: Box::new(book), pending: VecDeque::new() };
        if self.shown.is_none() {
            return self.adopt(cx);
        }
        self.join(cx, at);
        // It was the only one, and what it says now does not follow from what it said.
        if !self.tracks.iter().any(Track::is_joined) {
            self.lose(cx, reason);
            self.adopt(cx);
        }
    }

    pub(super) fn on_deltas(&mut self, cx: &mut Cx<'_>, at: usize, deltas: &Deltas) {
        for delta in deltas.iter() {
            let Some(track) = self.tracks.get_mut(at) else { return };
            let follows = track.told().and_then(Sequence::next) == Some(delta.sequence);
            if track.is_cold() {
                return;
            }
            if !follows {
                return self.leave(cx, at, LostReason::Nonsense);
            }
            match &mut track.place {
                Place::Cold => return,
                Place::Apart { base, pending } => {
                    pending.push_back(delta);
                    if pending.len() > self.limits.pending
                        && let Some(first) = pending.pop_front()
                        && !matches!(base.apply(&first), Apply::Applied)
                    {
                        return self.leave(cx, at, LostReason::Nonsense);
                    }
                    self.join(cx, at);
                }
                Place::Joined { .. } => self.on_joined(cx, at, &delta),
            }
        }
    }

    /// A publisher that has joined says a change: the book's next one, or what it has already.
    fn on_joined(&mut self, cx: &mut Cx<'_>, at: usize, delta: &Delta) {
        let (Some(track), Some(shown)) = (self.tracks.get_mut(at), &mut self.shown) else { return };
        let reached = shown.book.sequence();
        if delta.sequence <= reached {
            match shown.said_at(delta.sequence) {
                Some(said) if says_same(&said, delta) => {
                    track.place = Place::Joined { at: delta.sequence };
                    cx.stats.copies += 1;
                }
                Some(_) => self.conflict(cx, at, delta.sequence),
                // It is too far behind to be compared: its next snapshot will tell.
                None => self.leave(cx, at, LostReason::Nonsense),
            }
            return;
        }
        if !shown.apply(delta, self.limits.recent) {
            return self.leave(cx, at, LostReason::Nonsense);
        }
        track.place = Place::Joined { at: delta.sequence };
        cx.stats.changes += 1;
        if shown.is_live {
            cx.observer.on_event(self.symbol, &Event::Change(*delta), Some(&shown.book));
        }
        if self.tracks.iter().any(Track::is_apart) {
            self.join_others(cx, at);
        }
    }

    /// The book has moved on: others may be at its sequence now.
    pub(super) fn join_others(&mut self, cx: &mut Cx<'_>, but: usize) {
        for at in 0..self.tracks.len() {
            if at != but && self.tracks.get(at).is_some_and(Track::is_apart) {
                self.join(cx, at);
            }
        }
    }

    /// Lets a track that is apart join, if it is at the book's sequence, or can be brought there.
    pub(super) fn join(&mut self, cx: &mut Cx<'_>, at: usize) {
        match self.try_join(cx, at) {
            Joining::Waits => {}
            Joining::Differs(sequence) => self.conflict(cx, at, sequence),
            Joining::Joined => {
                let Some(track) = self.tracks.get_mut(at) else { return };
                let place = std::mem::replace(&mut track.place, Place::Cold);
                let Place::Apart { base, pending } = place else { return };
                track.place = Place::Joined { at: base.sequence() };
                for delta in pending {
                    if !self.tracks.get(at).is_some_and(Track::is_joined) {
                        return;
                    }
                    self.on_joined(cx, at, &delta);
                }
            }
        }
    }

    fn try_join(&mut self, cx: &mut Cx<'_>, at: usize) -> Joining {
        let (Some(shown), Some(track)) = (&mut self.shown, self.tracks.get_mut(at)) else {
            return Joining::Waits;
        };
        let Place::Apart { base, pending } = &mut track.place else { return Joining::Waits };
        let reached = shown.book.sequence();
        let brought = loop {
            let next = match base.sequence() {
                at if at > reached => return Joining::Waits,
                at if at == reached => break base.as_ref().clone(),
                at => at.next(),
            };
            if let Some(next) = next.filter(|next| shown.said_at(*next).is_some()) {
                let mut book = base.as_ref().clone();
                let from = shown.recent.iter().skip_while(|delta| delta.sequence < next);
                from.for_each(|delta| {
                    let _ = book.apply(delta);
                });
                break book;
            }
            // What is said first of these is not kept any more: its own changes bring it nearer.
            let Some(delta) = pending.pop_front() else { return Joining::Waits };
            let _ = base.apply(&delta);
        };
        if !agree(&brought, &shown.book) {
            return Joining::Differs(reached);
        }
        cx.stats.agreed += 1;
        if is_wider(&brought, &shown.book) {
            shown.book = brought;
            if shown.is_live {
                let event = Event::Widened { sequence: reached };
                cx.observer.on_event(self.symbol, &event, Some(&shown.book));
            }
        }
        Joining::Joined
    }

    /// A track says something else than the book. One that says something else than it said itself is believed its
    /// newer word, and nobody is doubted for what a dead one once said.
    fn conflict(&mut self, cx: &mut Cx<'_>, at: usize, sequence: Sequence) {
        let reason = LostReason::Conflict { sequence };
        let silence = self.limits.silence;
        if self.tracks.get(at).is_some_and(|track| !track.is_fresh(cx.now, silence)) {
            return self.leave(cx, at, reason);
        }
        cx.stats.conflicts += 1;
        if self.is_heard(cx.now) {
            return self.dispute(cx, reason);
        }
        for track in self.tracks.iter_mut().filter(|track| track.is_joined()) {
            track.place = Place::Cold;
        }
        self.lose(cx, reason);
        self.adopt(cx);
    }
}

/// The same change. Times are not compared: they change no book.
fn says_same(one: &Delta, other: &Delta) -> bool {
    (one.side, one.price, one.size) == (other.side, other.price, other.size)
}
