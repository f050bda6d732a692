//! A book as its rows say it: in step with what is written, and not with the client, which may be further.
//!
//! ```text
//!   unknown  --Live-->  waiting  --what is shown has reached the client's book-->  live
//!   live     --Delta, Verified-->  live
//!   live     --outputs missing-->  waiting
//!   any      --Lost, a new client-->  unknown
//! ```
//!
//! The levels are only ever taken from the client's book when what was shown has come to where it is: a book that is
//! further may have been lost in between and be of another run of the counter.

use std::io;
use std::time::Duration;

use kucoin_futures_proto::book::{Apply, Book, Coverage, Scope};
use kucoin_futures_proto::wire::{Delta, Side};
use kucoin_futures_proto::{
    BookDelayReason, BookEvent, BookLostReason, Epoch, Evidence, Sequence, Symbol, UnixNanos,
};

use super::manifest::{Gap, Horizon, Interval, Place, Point, Widened};
use super::row::{LAST, LOST, LevelRow, Row, Stamp, snapshot};
use super::set::{DataSet, Look};

/// A book, as far as its rows go.
pub(super) struct BookTrack {
    symbol: Symbol,
    state: State,
}

enum State {
    Unknown,
    Waiting {
        epoch: Epoch,
        /// The sequence that was shown last; `None` if that is not known.
        shown: Option<Sequence>,
    },
    Live(Box<Live>),
}

struct Live {
    book: Book,
    epoch: Epoch,
    /// The client knows more levels, at a place that is not shown yet.
    wants_more: bool,
    /// When the last row was received.
    received: UnixNanos,
    /// When a digest was last noted.
    noted: UnixNanos,
}

/// What a book is told with.
pub(super) struct At<'a> {
    pub(super) received: UnixNanos,
    /// The client's own book, if it is live: after the whole input.
    pub(super) client: Option<&'a Book>,
    /// How often a digest is noted.
    pub(super) checkpoint_every: Duration,
}

impl BookTrack {
    pub(super) const fn new(symbol: Symbol) -> Self {
        Self { symbol, state: State::Unknown }
    }

    pub(super) fn on_event(
        &mut self,
        set: &mut DataSet,
        at: &At<'_>,
        event: &BookEvent,
    ) -> io::Result<()> {
        match *event {
            BookEvent::Live { epoch, sequence } => {
                self.end(set, at.received, "a new epoch began")?;
                self.state = State::Waiting { epoch, shown: Some(sequence) };
                self.begin_if_reached(set, at, None)
            }
            BookEvent::Delta(delta) => self.on_delta(set, at, &delta),
            BookEvent::Verified { is_wider, .. } => self.on_verified(set, at, is_wider),
            BookEvent::Lost { reason, .. } => {
                self.end(set, at.received, &reason.to_string())?;
                if let BookLostReason::SequenceReset(evidence) = reason {
                    self.note_restart(set, evidence);
                }
                Ok(())
            }
            BookEvent::Delayed(BookDelayReason::SequenceReset(evidence)) => {
                self.note_restart(set, evidence);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Outputs are missing: what is written ends here, and goes on once it is known where the client's book is.
    pub(super) fn on_outputs_missing(
        &mut self,
        set: &mut DataSet,
        received: UnixNanos,
        why: &str,
    ) -> io::Result<()> {
        let epoch = match &self.state {
            State::Unknown => return Ok(()),
            State::Waiting { epoch, .. } => *epoch,
            State::Live(live) => live.epoch,
        };
        self.end(set, received, why)?;
        self.state = State::Waiting { epoch, shown: None };
        Ok(())
    }

    /// A live book begins the files of a new day with a snapshot, so that each can be read alone.
    pub(super) fn on_new_files(
        &mut self,
        set: &mut DataSet,
        received: UnixNanos,
    ) -> io::Result<()> {
        let State::Live(live) = &mut self.state else { return Ok(()) };
        live.received = received;
        write_snapshot(set, self.symbol, live)
    }

    /// Notes a digest where a file ends.
    pub(super) fn on_file_end(&self, set: &mut DataSet) {
        if let State::Live(live) = &self.state {
            set.note_digest(self.symbol, || live.look(), Place::FileEnd);
        }
    }

    /// From here on nothing is known, if anything was.
    pub(super) fn end(
        &mut self,
        set: &mut DataSet,
        received: UnixNanos,
        reason: &str,
    ) -> io::Result<()> {
        let State::Live(live) = core::mem::replace(&mut self.state, State::Unknown) else {
            return Ok(());
        };
        set.note_digest(self.symbol, || live.look(), Place::IntervalEnd);
        let history = set.history(self.symbol);
        let last = live.point();
        if let Some(interval) = history.intervals.last_mut() {
            interval.to = Some(last);
            interval.ended = Some(reason.to_owned());
        }
        history.gaps.push(Gap {
            after_epoch: live.epoch.get(),
            last,
            lost_ns: received.as_nanos(),
            reason: reason.to_owned(),
            next_epoch: None,
            first: None,
            missing: None,
            counter_restarted: None,
        });
        let stamp = Stamp { received, exchange: None };
        let (sequence, epoch) = (live.book.sequence(), live.epoch);
        let row = LevelRow { stamp, sequence, epoch, flags: LOST | LAST, level: None };
        set.write(self.symbol, &Row::Level(row)).map(drop)
    }

    /// What is written when the export ends: a live book is so to the last.
    pub(super) fn close(&mut self, set: &mut DataSet) {
        self.on_file_end(set);
        if let State::Live(live) = core::mem::replace(&mut self.state, State::Unknown)
            && let Some(interval) = set.history(self.symbol).intervals.last_mut()
        {
            interval.to = Some(live.point());
            interval.ended = Some("the data end".to_owned());
        }
    }

    /// Begins an interval, if what was shown last is where the client's book is. `delta`: what that was.
    fn begin_if_reached(
        &mut self,
        set: &mut DataSet,
        at: &At<'_>,
        delta: Option<&Delta>,
    ) -> io::Result<()> {
        let State::Waiting { epoch, shown: Some(shown) } = self.state else { return Ok(()) };
        let Some(book) = at.client.filter(|book| book.sequence() == shown) else { return Ok(()) };
        let said = delta.and_then(|delta| delta.ts_event);
        if said.is_some() && said != book.ts_event() {
            return Ok(());
        }
        let received = at.received;
        let (book, noted) = (book.clone(), received);
        let live = Live { book, epoch, wants_more: false, received, noted };
        let first = live.point();
        if let Some(gap) = self.open_gap(set) {
            gap.close(epoch, first);
        }
        set.history(self.symbol).intervals.push(Interval {
            epoch: epoch.get(),
            from: first,
            to: None,
            horizon: horizon(&live.book),
            deltas: 0,
            ended: None,
        });
        write_snapshot(set, self.symbol, &live)?;
        self.state = State::Live(Box::new(live));
        Ok(())
    }

    fn on_delta(&mut self, set: &mut DataSet, at: &At<'_>, delta: &Delta) -> io::Result<()> {
        match &mut self.state {
            State::Unknown => Ok(()),
            State::Waiting { shown, .. } => {
                *shown = Some(delta.sequence);
                self.begin_if_reached(set, at, Some(delta))
            }
            State::Live(_) => self.on_live_delta(set, at, delta),
        }
    }

    fn on_live_delta(&mut self, set: &mut DataSet, at: &At<'_>, delta: &Delta) -> io::Result<()> {
        let State::Live(live) = &mut self.state else { return Ok(()) };
        // Not among rows that a reader cannot tell apart by their time.
        let pause = at.received.as_nanos().saturating_sub(live.noted.as_nanos());
        if u128::from(pause) >= at.checkpoint_every.as_nanos() && live.received < at.received {
            set.note_digest(self.symbol, || live.look(), Place::Checkpoint);
            live.noted = at.received;
        }
        match live.book.apply(delta) {
            Apply::Applied => {}
            _ => {
                self.on_outputs_missing(set, at.received, "deltas were not shown")?;
                return self.on_delta(set, at, delta);
            }
        }
        live.received = at.received;
        let is_last = at.client.is_none_or(|book| book.sequence() <= delta.sequence);
        let row = LevelRow {
            stamp: Stamp { received: at.received, exchange: delta.ts_event },
            sequence: delta.sequence,
            epoch: live.epoch,
            flags: if is_last { LAST } else { 0 },
            level: Some((delta.side, delta.price, delta.size)),
        };
        set.write(self.symbol, &Row::Level(row))?;
        if let Some(interval) = set.history(self.symbol).intervals.last_mut() {
            interval.deltas += 1;
        }
        self.compare(set, at)
    }

    fn on_verified(&mut self, set: &mut DataSet, at: &At<'_>, is_wider: bool) -> io::Result<()> {
        let State::Live(live) = &mut self.state else { return Ok(()) };
        live.wants_more |= is_wider;
        let is_same = at.client.is_none_or(|book| {
            book.sequence() != live.book.sequence()
                || is_wider
                || book.digest(Scope::Complete) == live.book.digest(Scope::Complete)
        });
        if is_same { self.compare(set, at) } else { self.on_difference(set, at) }
    }

    /// Holds the book of the rows against the client's, where the two are at the same place; takes over what that
    /// knows besides.
    fn compare(&mut self, set: &mut DataSet, at: &At<'_>) -> io::Result<()> {
        let State::Live(live) = &mut self.state else { return Ok(()) };
        let is_there = |book: &&Book| book.sequence() == live.book.sequence();
        let Some(book) = at.client.filter(is_there) else { return Ok(()) };
        if book.ts_event() != live.book.ts_event() {
            return self.on_difference(set, at);
        }
        if core::mem::take(&mut live.wants_more) {
            live.book = book.clone();
            live.received = at.received;
            let (at, horizon) = (live.point(), horizon(book));
            write_snapshot(set, self.symbol, live)?;
            set.history(self.symbol).widened.push(Widened { at, horizon });
        }
        Ok(())
    }

    /// The two have come the same way: if they differ, rows are missing or wrong.
    fn on_difference(&mut self, set: &mut DataSet, at: &At<'_>) -> io::Result<()> {
        self.on_outputs_missing(set, at.received, "the rows do not make the client's book")
    }

    /// The counter was set back, since the book was last live.
    fn note_restart(&self, set: &mut DataSet, evidence: Evidence) {
        if let Some(gap) = self.open_gap(set) {
            gap.counter_restarted.get_or_insert_with(|| evidence.to_string());
        }
    }

    /// The gap that the book is in.
    fn open_gap<'a>(&self, set: &'a mut DataSet) -> Option<&'a mut Gap> {
        let gap = set.history(self.symbol).gaps.last_mut()?;
        gap.first.is_none().then_some(gap)
    }
}

impl Live {
    const fn point(&self) -> Point {
        Point { received_ns: self.received.as_nanos(), sequence: self.book.sequence().get() }
    }

    fn look(&self) -> Look {
        Look {
            at: self.point(),
            epoch: self.epoch.get(),
            horizon: horizon(&self.book),
            sha256: self.book.digest(Scope::Complete),
        }
    }
}

impl Gap {
    fn close(&mut self, epoch: Epoch, first: Point) {
        self.next_epoch = Some(epoch.get());
        self.first = Some(first);
        // Another client saw the same time: nothing is between the two.
        if first.received_ns < self.last.received_ns {
            return;
        }
        if first.sequence < self.last.sequence {
            self.counter_restarted.get_or_insert_with(|| "the sequence went back".to_owned());
        }
        if self.counter_restarted.is_none() && first.sequence > self.last.sequence {
            self.missing = Some((self.last.sequence.saturating_add(1), first.sequence));
        }
    }
}

fn horizon(book: &Book) -> Horizon {
    let to = |side| match book.reach(side) {
        Coverage::All => None,
        Coverage::To(price) => Some(price.to_string()),
    };
    Horizon { bids_to: to(Side::Bid), asks_to: to(Side::Ask) }
}

fn write_snapshot(set: &mut DataSet, symbol: Symbol, live: &Live) -> io::Result<()> {
    let (book, epoch) = (&live.book, live.epoch);
    let stamp = Stamp { received: live.received, exchange: book.ts_event() };
    for (flags, level) in snapshot(book) {
        let row = LevelRow { stamp, sequence: book.sequence(), epoch, flags, level };
        set.write(symbol, &Row::Level(row))?;
    }
    Ok(())
}
