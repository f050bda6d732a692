//! A live book whose stream has fallen silent is held against a snapshot.
//!
//! A still market and a subscription that the exchange has lost look the same on the stream, and pings go on
//! in both.

use super::Book;
use super::level::Scope;
use crate::ids::{RequestId, Sequence};
use crate::wire::{Side, SnapshotHead};

/// How far the audit of a live book is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum State {
    #[default]
    Idle,
    /// The scheduler asks when the budgets allow.
    Due,
    InFlight(RequestId),
    /// The exchange was ahead: the stream may be on its way.
    Waiting {
        book: Sequence,
        exchange: Sequence,
    },
}

/// The audit of one live book.
#[derive(Clone, Debug, Default)]
pub(super) struct Audit {
    state: State,
    /// The latest snapshot that was behind the book, where the book was, and how many in a row were.
    behind: Option<(Sequence, Sequence, u32)>,
}

/// What an audit has shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Finding {
    /// Nothing speaks against the book.
    Sound,
    /// The exchange is ahead: it is to be seen whether the stream comes after it.
    Ahead,
    /// The exchange says something else at the same sequence.
    Differs,
    /// Snapshots stay behind a stream that is silent: the counter was set back.
    StaysBehind,
}

impl Audit {
    pub(super) fn start(&mut self) {
        if self.state == State::Idle {
            self.state = State::Due;
        }
    }

    pub(super) fn is_due(&self) -> bool {
        self.state == State::Due
    }

    pub(super) fn on_asked(&mut self, request: RequestId) {
        self.state = State::InFlight(request);
    }

    pub(super) fn awaits(&self, request: RequestId) -> bool {
        self.state == State::InFlight(request)
    }

    /// No snapshot was to be had; the next silence asks again.
    pub(super) fn give_up(&mut self) {
        self.state = State::Idle;
    }

    /// The book is not live any more.
    pub(super) fn reset(&mut self) {
        *self = Self::default();
    }

    /// Holds a live book against the snapshot that was loaded into `other`. So many in a row that are behind it
    /// and all the same are taken: the market of a new run may be as still as the stream.
    pub(super) fn judge(
        &mut self,
        book: &Book,
        other: &Book,
        snapshot: &SnapshotHead,
        patience: u32,
    ) -> Finding {
        self.state = State::Idle;
        let (at, exchange) = (book.sequence(), snapshot.sequence);
        if exchange < at {
            return self.on_behind(at, exchange, patience);
        }
        self.behind = None;
        if exchange > at {
            self.state = State::Waiting { book: at, exchange };
            return Finding::Ahead;
        }
        if agree(book, other) { Finding::Sound } else { Finding::Differs }
    }

    /// A service that lags is behind for once, or hands out one and the same snapshot for a while. One that moves
    /// and stays behind a book whose stream is silent knows a later run of the counter.
    fn on_behind(&mut self, at: Sequence, exchange: Sequence, patience: u32) -> Finding {
        let before = self.behind.filter(|(_, book, _)| *book == at);
        let moves = before.is_some_and(|(before, ..)| exchange > before);
        let count = before.map_or(0, |(.., count)| count).saturating_add(1);
        self.behind = Some((exchange, at, count));
        if moves || count >= patience { Finding::StaysBehind } else { Finding::Sound }
    }

    /// The time is over in which the stream could come after the exchange: where that was, if the book has not
    /// moved at all.
    pub(super) fn left_behind_at(&mut self, book: &Book) -> Option<Sequence> {
        match core::mem::take(&mut self.state) {
            State::Waiting { book: at, exchange } if at == book.sequence() => Some(exchange),
            State::Waiting { .. } | State::Idle | State::Due | State::InFlight(_) => None,
        }
    }
}

/// Whether two books at one sequence say the same where both are complete.
fn agree(one: &Book, other: &Book) -> bool {
    let covers = |one: &Book, other: &Book, side: Side| {
        one.levels(side, Scope::Held)
            .all(|level| other.size_at(side, level.price).is_none_or(|size| size == level.size))
    };
    [Side::Bid, Side::Ask]
        .into_iter()
        .all(|side| covers(one, other, side) && covers(other, one, side))
}
