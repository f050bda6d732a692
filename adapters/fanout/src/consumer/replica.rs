//! The book of one symbol, out of what its publishers say.

mod joining;
mod standing;

use std::collections::VecDeque;
use std::time::Duration;

use kucoin_futures_proto::book::Apply;
use kucoin_futures_proto::wire::Delta;
use kucoin_futures_proto::{Book, Instant, Sequence, Symbol};

use super::track::Track;
use super::{Limits, LostReason, Observer, PublisherStatus, Stats};
use crate::message::{Body, Heartbeat, Lost, Message};

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
    /// When to ask for a snapshot again, and how long to wait then.
    asks: Option<(Instant, Duration)>,
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

/// The first and the longest pause between two requests for a snapshot.
const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(60);

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
            asks: None,
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
            Found::NoRoom => {
                cx.stats.crowded_out += 1;
                return;
            }
        };
        if hole.is_some() {
            cx.stats.holes += 1;
        }
        self.doubt_hole(&mut cx, at, message.epoch, hole.as_ref());
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

    /// Whether to ask for a snapshot now: at once, then after 1, 2, 4 s and so on up to a minute. Each is told to all who
    /// read, and publishers tell whole books from time to time anyway.
    pub(super) fn asks(&mut self, now: Instant) -> bool {
        if !self.wants_snapshot(now) {
            self.asks = None;
            return false;
        }
        let pause = match self.asks {
            Some((due, _)) if now < due => return false,
            Some((_, pause)) => (pause * 2).min(LONGEST),
            None => FIRST,
        };
        self.asks = Some((now + pause, pause));
        true
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
            // Whoever was not heard of for longest makes room: what it said is not live whether it has joined or not.
            let silent = |(_, track): &(usize, &Track)| !track.is_fresh(now, self.limits.silence);
            let oldest = self.tracks.iter().enumerate().filter(silent);
            let Some((at, _)) = oldest.min_by_key(|(_, track)| (track.is_joined(), track.heard))
            else {
                return Found::NoRoom;
            };
            self.tracks.remove(at);
        }
        self.tracks.push(Track::new(publisher, number, heard));
        Found::Track(self.tracks.len() - 1, None)
    }

    /// If messages of a run are missing and another run of its book begins, one of them may have been a doubt.
    fn doubt_hole(&mut self, cx: &mut Cx<'_>, at: usize, epoch: u32, hole: Option<&LostReason>) {
        let Some(track) = self.tracks.get_mut(at) else { return };
        track.has_hole |= hole.is_some();
        if track.epoch == epoch || track.epoch == 0 {
            return;
        }
        if std::mem::take(&mut track.has_hole) {
            track.epoch = epoch;
            self.dispute(cx, hole.cloned().unwrap_or(LostReason::Restarted));
        }
    }

    fn on_other(&mut self, cx: &mut Cx<'_>, at: usize, epoch: u32, body: &Body) {
        let Some(track) = self.tracks.get_mut(at) else { return };
        match body {
            Body::Snapshot(_) => {}
            Body::Deltas(deltas) => {
                track.claims_live = true;
                track.reach(Some(deltas.last()));
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
        track.reach(beat.sequence);
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
