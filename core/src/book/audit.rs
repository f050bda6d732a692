//! A live book is held against a snapshot, and learns from it how far it can see.
//!
//! The deltas of the book are recorded from when the snapshot is asked for, so that the two can be brought to one
//! sequence, whichever is ahead. A still market and a subscription that the exchange has lost look the same on the
//! stream; a book that the market has walked away from is as exact as before and knows less and less.

use alloc::boxed::Box;

use super::Book;
use super::level::Scope;
use crate::ids::{RequestId, Sequence};
use crate::num::{Lots, Price};
use crate::wire::{Side, SnapshotHead};

/// Why a book is held against a snapshot. The later, the more depends on it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Cause {
    /// It is time again.
    Schedule,
    /// Its stream has said nothing for long.
    Silence,
    /// The user wants to know.
    Asked,
    /// The market has come near the end of what it knows.
    Horizon,
}

#[derive(Clone, Default)]
enum State {
    #[default]
    Idle,
    /// To be asked for once the spacing of requests allows.
    Scheduled,
    /// The scheduler asks when the budgets allow.
    Due,
    InFlight(RequestId),
    /// The snapshot is ahead: the stream may be on its way. Where the book was when it came.
    Ahead {
        snapshot: Box<Book>,
        book: Sequence,
    },
}

/// The audit of one live book.
#[derive(Clone, Default)]
pub(super) struct Audit {
    state: State,
    cause: Option<Cause>,
    /// The deltas of the book are kept.
    is_recording: bool,
    /// Snapshots that were of no use, in a row.
    tries: u32,
    /// The latest snapshot that was behind the book, where the book was, and how many in a row were.
    behind: Option<(Sequence, Sequence, u32)>,
}

/// Where a book and a snapshot of the same sequence say different things.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Difference {
    pub(super) side: Side,
    pub(super) price: Price,
    pub(super) held: Lots,
    pub(super) exchange: Lots,
}

impl Audit {
    /// A reason to ask for a snapshot. True if none is under way.
    pub(super) fn start(&mut self, cause: Cause) -> bool {
        self.cause = self.cause.max(Some(cause));
        let is_idle = matches!(self.state, State::Idle);
        if is_idle {
            self.state = State::Scheduled;
            self.tries = 0;
        }
        is_idle
    }

    /// The most that depends on the one that is under way.
    pub(super) const fn cause(&self) -> Option<Cause> {
        self.cause
    }

    /// The time of a request has come. True if there is one to be made.
    pub(super) fn on_due(&mut self) -> bool {
        let is_scheduled = matches!(self.state, State::Scheduled);
        if is_scheduled {
            self.state = State::Due;
        }
        is_scheduled
    }

    pub(super) const fn is_due(&self) -> bool {
        matches!(self.state, State::Due)
    }

    pub(super) fn on_asked(&mut self, request: RequestId) {
        self.state = State::InFlight(request);
        self.is_recording = true;
    }

    pub(super) fn awaits(&self, request: RequestId) -> bool {
        matches!(self.state, State::InFlight(asked) if asked == request)
    }

    /// Whether each delta that is applied is to be kept, and looked at.
    #[inline]
    pub(super) const fn is_recording(&self) -> bool {
        self.is_recording
    }

    /// The snapshot that was asked for was of no use: how often that was so now.
    pub(super) const fn on_useless(&mut self) -> u32 {
        self.tries = self.tries.saturating_add(1);
        self.tries
    }

    /// Another one is to be asked for. What is recorded goes on: the next one may be as old.
    pub(super) fn retry(&mut self) {
        self.state = State::Scheduled;
    }

    /// It is over without a verdict. How far snapshots were behind is remembered.
    pub(super) fn end(&mut self) {
        let behind = self.behind;
        *self = Self { behind, ..Self::default() };
    }

    /// It is over with a verdict, or the book is not live any more.
    pub(super) fn reset(&mut self) {
        *self = Self::default();
    }

    /// A snapshot is ahead of the book: it is kept until the stream comes after it.
    pub(super) fn on_ahead(&mut self, snapshot: Book, book: Sequence) {
        self.behind = None;
        self.state = State::Ahead { snapshot: Box::new(snapshot), book };
    }

    /// The snapshot that waited for the book to come this far.
    pub(super) fn take_reached(&mut self, sequence: Sequence) -> Option<Book> {
        let State::Ahead { snapshot, .. } = &self.state else { return None };
        if snapshot.sequence() > sequence {
            return None;
        }
        let State::Ahead { snapshot, .. } = core::mem::take(&mut self.state) else { return None };
        Some(*snapshot)
    }

    /// The time is over in which the stream could come after the exchange: where that was, and whether the book
    /// has not moved at all.
    pub(super) fn give_up_waiting(&mut self, book: &Book) -> Option<(Sequence, bool)> {
        let State::Ahead { snapshot, book: at } = &self.state else { return None };
        let found = (snapshot.sequence(), *at == book.sequence());
        self.state = State::Idle;
        Some(found)
    }

    /// A snapshot is behind all that is recorded. A service that lags is behind for once, or hands out one and the
    /// same snapshot for a while; one that moves and stays behind a book whose stream is silent, or so many in a
    /// row, know a later run of the counter, whose market may be as still as the stream. True if that is so.
    pub(super) fn stays_behind(
        &mut self,
        at: Sequence,
        snapshot: &SnapshotHead,
        patience: u32,
    ) -> bool {
        let before = self.behind.filter(|(_, book, _)| *book == at);
        let moves = before.is_some_and(|(before, ..)| snapshot.sequence > before);
        let count = before.map_or(0, |(.., count)| count).saturating_add(1);
        self.behind = Some((snapshot.sequence, at, count));
        moves || count >= patience
    }
}

/// The first level, from the touch, on which a book and a snapshot differ where both know what is there.
pub(super) fn first_difference(book: &Book, snapshot: &Book) -> Option<Difference> {
    [Side::Bid, Side::Ask].into_iter().find_map(|side| {
        let differing = |one: &Book, other: &Book| {
            let mut levels = one.levels(side, Scope::Held);
            let differs =
                |known: Lots, price| other.size_at(side, price).is_some_and(|size| size != known);
            levels.find(|level| differs(level.size, level.price)).map(|level| level.price)
        };
        // A level that is missing here shows there, and the other way round.
        let found = [differing(book, snapshot), differing(snapshot, book)].into_iter().flatten();
        let best = if side == Side::Bid { found.max() } else { found.min() };
        let price = best?;
        let size = |of: &Book| of.size_at(side, price).unwrap_or(Lots::ZERO);
        Some(Difference { side, price, held: size(book), exchange: size(snapshot) })
    })
}
