//! Which book is shown, and whether it is live.

use std::collections::VecDeque;

use kucoin_futures_proto::Instant;

use super::{Cx, Replica, Shown};
use crate::consumer::track::{Place, Track};
use crate::consumer::{Event, LostReason, Observer};

impl Replica {
    /// Nothing that was said can be gone on with.
    pub(super) fn dispute(&mut self, cx: &mut Cx<'_>, reason: LostReason) {
        self.in_dispute = true;
        for track in &mut self.tracks {
            track.place = Place::Cold;
            track.reached = None;
        }
        self.lose(cx, reason);
    }

    /// A track cannot be gone on with before its next snapshot.
    pub(super) fn leave(&mut self, cx: &mut Cx<'_>, at: usize, reason: LostReason) {
        let Some(track) = self.tracks.get_mut(at) else { return };
        let was_joined = track.is_joined();
        track.place = Place::Cold;
        if !was_joined {
            return;
        }
        if !self.tracks.iter().any(Track::is_joined) {
            self.lose(cx, reason);
            self.adopt(cx);
        } else if !self.is_heard(cx.now) {
            // The others are silent: this one's going is what ends it.
            self.say_lost(cx.observer, reason);
        }
    }

    pub(super) fn lose(&mut self, cx: &mut Cx<'_>, reason: LostReason) {
        self.say_lost(cx.observer, reason);
        self.shown = None;
    }

    /// It is not live any more, if it was.
    pub(super) fn say_lost(&mut self, observer: &mut dyn Observer, reason: LostReason) {
        let Some(shown) = &mut self.shown else { return };
        if std::mem::take(&mut shown.is_live) {
            self.why = Some(reason.clone());
            self.asks = None;
            let event = Event::Lost { epoch: self.epoch, reason };
            observer.on_event(self.symbol, &event, None);
        }
    }

    /// There is no book: that of a publisher that has one becomes it, if there is one; of several, of the one that was
    /// heard of last.
    pub(super) fn adopt(&mut self, cx: &mut Cx<'_>) {
        let apart = self.tracks.iter().enumerate().filter(|(_, track)| track.is_apart());
        let Some((at, _)) = apart.max_by_key(|(_, track)| track.heard) else { return };
        let Some(track) = self.tracks.get_mut(at) else { return };
        let place = std::mem::replace(&mut track.place, Place::Cold);
        let Place::Apart { base, pending } = place else { return };
        let mut shown = Shown { book: *base, recent: VecDeque::new(), is_live: false };
        if !pending.iter().all(|delta| shown.apply(delta, self.limits.recent)) {
            return;
        }
        track.place = Place::Joined { at: shown.book.sequence() };
        self.shown = Some(shown);
        self.join_others(cx, at);
    }

    /// Whether a publisher that has joined was heard of in time.
    pub(super) fn is_heard(&self, now: Instant) -> bool {
        let silence = self.limits.silence;
        self.tracks.iter().any(|track| track.is_joined() && track.is_fresh(now, silence))
    }

    /// What the time, and who was heard of, mean for what is live.
    pub(super) fn refresh(&mut self, cx: &mut Cx<'_>) {
        let is_heard = self.is_heard(cx.now);
        let Some(shown) = &self.shown else { return };
        if is_heard && shown.is_live {
            return;
        }
        if is_heard {
            return self.go_live(cx);
        }
        self.say_lost(cx.observer, LostReason::Silent);
        let silence = self.limits.silence;
        let others = |track: &Track| track.is_apart() && track.is_fresh(cx.now, silence);
        if self.tracks.iter().any(others) {
            for track in self.tracks.iter_mut().filter(|track| track.is_joined()) {
                track.place = Place::Cold;
            }
            self.shown = None;
            self.adopt(cx);
            if self.is_heard(cx.now) {
                self.go_live(cx);
            }
        }
    }

    pub(super) fn go_live(&mut self, cx: &mut Cx<'_>) {
        let silence = self.limits.silence;
        let disagrees = |track: &Track| {
            track.claims_live && !track.is_joined() && track.is_fresh(cx.now, silence)
        };
        if self.in_dispute && self.tracks.iter().any(disagrees) {
            return;
        }
        let Some(shown) = &mut self.shown else { return };
        shown.is_live = true;
        self.in_dispute = false;
        self.why = None;
        self.epoch = self.epoch.saturating_add(1);
        let event = Event::Live { epoch: self.epoch, sequence: shown.book.sequence() };
        cx.observer.on_event(self.symbol, &event, Some(&shown.book));
    }
}
