//! The book of one symbol, out of what its publishers say.

use std::collections::VecDeque;
use std::time::Duration;

use kucoin_futures_proto::book::Apply;
use kucoin_futures_proto::wire::Delta;
use kucoin_futures_proto::{Book, Instant, Sequence, Symbol};

use super::compare::{agree, is_wider};
use super::track::{Place, Track};
use super::{Event, Limits, LostReason, Observer, PublisherStatus, Stats};
use crate::message::{Body, Deltas, Heartbeat, Lost, Message, Snapshot};

/// One symbol's book and its publishers.
#[derive(Debug)]
pub struct Replica {
    symbol: Symbol,
    limits: Limits,
    shown: Option<Shown>,
    /// Live runs so far.
    epoch: u32,
    tracks: Vec<Track>,
    /// Publishers differed, or one doubts what it said: nothing is live before all of them agree.
    in_dispute: bool,
    /// Why it is not live.
    why: Option<LostReason>,
}

/// The book, live or about to be.
#[derive(Debug)]
struct Shown {
    book: Book,
    /// Its latest changes, the last one at the book's sequence.
    recent: VecDeque<Delta>,
    is_live: bool,
}

/// What became of an attempt to join.
enum Joining {
    Joined,
    /// The book and the track are not at one sequence yet.
    Waits,
    Differs(Sequence),
}

/// What all steps need.
struct Cx<'a> {
    now: Instant,
    stats: &'a mut Stats,
    observer: &'a mut dyn Observer,
}

impl Shown {
    /// What was said at a sequence, if it is kept.
    fn said_at(&self, sequence: Sequence) -> Option<Delta> {
        let first = self.recent.front()?.sequence;
        let at = usize::try_from(sequence.get().checked_sub(first.get())?).ok()?;
        self.recent.get(at).copied()
    }

    /// Takes the next change.
    fn apply(&mut self, delta: &Delta, keep: usize) -> bool {
        if !matches!(self.book.apply(delta), Apply::Applied) {
            return false;
        }
        if self.recent.len() >= keep.max(1) {
            self.recent.pop_front();
        }
        self.recent.push_back(*delta);
        true
    }
}

impl Replica {
    /// One that has heard nothing yet.
    #[must_use]
    pub const fn new(symbol: Symbol, limits: Limits) -> Self {
        Self {
            symbol,
            limits,
            shown: None,
            epoch: 0,
            tracks: Vec::new(),
            in_dispute: false,
            why: None,
        }
    }

    /// Takes a message of its symbol: see [`Consumer::take`](super::Consumer::take).
    pub fn take(
        &mut self,
        now: Instant,
        age: Duration,
        message: &Message,
        stats: &mut Stats,
        observer: &mut dyn Observer,
    ) {
        let mut cx = Cx { now, stats, observer };
        let age = u64::try_from(age.as_nanos()).unwrap_or(u64::MAX);
        let heard = now.as_nanos().checked_sub(age).map(Instant::from_nanos);
        self.refresh(&mut cx);
        let (at, hole) = match self.find(message, now, heard) {
            Found::Track(at, hole) => (at, hole),
            Found::Repeat => {
                cx.stats.repeats += 1;
                return;
            }
            Found::NoRoom => return,
        };
        if hole.is_some() {
            cx.stats.holes += 1;
        }
        match (&message.body, hole) {
            (Body::Snapshot(snapshot), hole) => {
                self.on_snapshot(&mut cx, at, message.epoch, snapshot, hole);
            }
            (body, hole) => {
                if let Some(reason) = hole {
                    self.leave(&mut cx, at, reason);
                }
                self.on_other(&mut cx, at, message.epoch, body);
            }
        }
        self.refresh(&mut cx);
    }

    /// Looks at the clock.
    pub fn handle_timeout(&mut self, now: Instant, observer: &mut dyn Observer) {
        let mut unused = super::EMPTY;
        self.refresh(&mut Cx { now, stats: &mut unused, observer });
    }

    /// When to look at the clock next; `None` while the book is not live.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.shown.as_ref().filter(|shown| shown.is_live)?;
        let joined = self.tracks.iter().filter(|track| track.is_joined());
        let last = joined.filter_map(|track| track.heard).max()?;
        // The first moment that is too late.
        Some(last + self.limits.silence + Duration::from_nanos(1))
    }

    /// Nobody is heard any more.
    pub fn disconnected(&mut self, observer: &mut dyn Observer) {
        for track in &mut self.tracks {
            track.heard = None;
        }
        self.say_lost(observer, LostReason::Disconnected);
    }

    /// The book, if it is live at this time.
    #[must_use]
    pub fn book(&self, now: Instant) -> Option<&Book> {
        let shown = self.shown.as_ref().filter(|shown| shown.is_live)?;
        self.is_heard(now).then_some(&shown.book)
    }

    /// Which live run this is, or was the last one; 0 before the first.
    #[must_use]
    pub const fn epoch(&self) -> u32 {
        self.epoch
    }

    /// Why it is not live, if it was.
    #[must_use]
    pub const fn why(&self) -> Option<&LostReason> {
        self.why.as_ref()
    }

    /// The publishers that are told apart.
    pub fn publishers(&self, now: Instant) -> impl Iterator<Item = PublisherStatus> + '_ {
        self.tracks.iter().map(move |track| PublisherStatus {
            publisher: track.publisher,
            number: track.number,
            epoch: track.epoch,
            has_joined: track.is_joined(),
            silent_for: track.heard.map(|heard| now.since(heard)),
            age: track.age,
        })
    }

    /// Whether it waits for a snapshot of a publisher that is there, or knows of none.
    #[must_use]
    pub fn wants_snapshot(&self, now: Instant) -> bool {
        let waits = |track: &Track| {
            track.is_cold() && track.claims_live && track.is_fresh(now, self.limits.silence)
        };
        self.book(now).is_none() || self.tracks.iter().any(waits)
    }

    /// The track that says this, and what of it is missing before.
    fn find(&mut self, message: &Message, now: Instant, heard: Option<Instant>) -> Found {
        let Message { publisher, number, .. } = *message;
        let known = self.tracks.iter().position(|track| track.publisher == publisher);
        if let Some(at) = known
            && let Some(track) = self.tracks.get_mut(at)
        {
            if number <= track.number {
                return Found::Repeat;
            }
            let expected = track.number.saturating_add(1);
            (track.number, track.heard) = (number, track.heard.max(heard));
            let hole = (number != expected).then_some(LostReason::Hole { expected, got: number });
            return Found::Track(at, hole);
        }
        if self.tracks.len() >= self.limits.publishers {
            // Whoever was not heard of for longest, and is not needed, makes room.
            let silent = |(_, track): &(usize, &Track)| {
                !track.is_joined() && !track.is_fresh(now, self.limits.silence)
            };
            let oldest = self.tracks.iter().enumerate().filter(silent);
            let Some((at, _)) = oldest.min_by_key(|(_, track)| track.heard) else {
                return Found::NoRoom;
            };
            self.tracks.remove(at);
        }
        self.tracks.push(Track::new(publisher, number, heard));
        Found::Track(self.tracks.len() - 1, None)
    }

    fn on_other(&mut self, cx: &mut Cx<'_>, at: usize, epoch: u32, body: &Body) {
        let Some(track) = self.tracks.get_mut(at) else { return };
        match body {
            Body::Snapshot(_) => {}
            Body::Deltas(deltas) => {
                track.claims_live = true;
                if track.is_cold() {
                    return;
                }
                if track.epoch != epoch {
                    return self.leave(cx, at, LostReason::Restarted);
                }
                self.on_deltas(cx, at, deltas);
            }
            Body::Lost(Lost { reason, is_doubt }) => {
                track.claims_live = false;
                let reason = LostReason::Publisher(reason.clone());
                match is_doubt {
                    true => self.dispute(cx, reason),
                    false => self.leave(cx, at, reason),
                }
            }
            Body::Lagged { count } => {
                cx.stats.lagged = cx.stats.lagged.saturating_add(*count);
                self.leave(cx, at, LostReason::Lagged { count: *count });
            }
            Body::Heartbeat(beat) => self.on_heartbeat(cx, at, epoch, beat),
            Body::End => {
                track.claims_live = false;
                self.leave(cx, at, LostReason::Ended);
            }
        }
    }

    fn on_heartbeat(&mut self, cx: &mut Cx<'_>, at: usize, epoch: u32, beat: &Heartbeat) {
        let Some(track) = self.tracks.get_mut(at) else { return };
        track.claims_live = beat.sequence.is_some();
        track.age = Some(Duration::from_millis(beat.age_ms));
        if track.is_cold() {
            return;
        }
        if track.epoch != epoch {
            return self.leave(cx, at, LostReason::Restarted);
        }
        // Whoever has told all that it says it told is where it says it is.
        if track.told() != beat.sequence {
            self.leave(cx, at, LostReason::Nonsense);
        }
    }

    fn on_snapshot(
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

    fn on_deltas(&mut self, cx: &mut Cx<'_>, at: usize, deltas: &Deltas) {
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
    fn join_others(&mut self, cx: &mut Cx<'_>, but: usize) {
        for at in 0..self.tracks.len() {
            if at != but && self.tracks.get(at).is_some_and(Track::is_apart) {
                self.join(cx, at);
            }
        }
    }

    /// Lets a track that is apart join, if it is at the book's sequence, or can be brought there.
    fn join(&mut self, cx: &mut Cx<'_>, at: usize) {
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

    /// Nothing that was said can be gone on with.
    fn dispute(&mut self, cx: &mut Cx<'_>, reason: LostReason) {
        self.in_dispute = true;
        for track in &mut self.tracks {
            track.place = Place::Cold;
        }
        self.lose(cx, reason);
    }

    /// A track cannot be gone on with before its next snapshot.
    fn leave(&mut self, cx: &mut Cx<'_>, at: usize, reason: LostReason) {
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

    fn lose(&mut self, cx: &mut Cx<'_>, reason: LostReason) {
        self.say_lost(cx.observer, reason);
        self.shown = None;
    }

    /// It is not live any more, if it was.
    fn say_lost(&mut self, observer: &mut dyn Observer, reason: LostReason) {
        let Some(shown) = &mut self.shown else { return };
        if std::mem::take(&mut shown.is_live) {
            self.why = Some(reason.clone());
            let event = Event::Lost { epoch: self.epoch, reason };
            observer.on_event(self.symbol, &event, None);
        }
    }

    /// There is no book: that of a publisher that has one becomes it, if there is one; of several, of the one that was
    /// heard of last.
    fn adopt(&mut self, cx: &mut Cx<'_>) {
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
    fn is_heard(&self, now: Instant) -> bool {
        let silence = self.limits.silence;
        self.tracks.iter().any(|track| track.is_joined() && track.is_fresh(now, silence))
    }

    /// What the time, and who was heard of, mean for what is live.
    fn refresh(&mut self, cx: &mut Cx<'_>) {
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

    fn go_live(&mut self, cx: &mut Cx<'_>) {
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

/// Which track a message belongs to.
enum Found {
    /// This one, and why what came before it cannot be gone on with.
    Track(usize, Option<LostReason>),
    /// It came before.
    Repeat,
    /// More publishers than are told apart.
    NoRoom,
}

/// The same change. Times are not compared: they change no book.
fn says_same(one: &Delta, other: &Delta) -> bool {
    (one.side, one.price, one.size) == (other.side, other.price, other.size)
}
