//! How long ago a live book was last heard of.

use core::time::Duration;

/// How long ago a live book was heard of, and known to be right: see [`Client::book_age`](crate::Client::book_age).
///
/// A book that nothing was pushed for is quiet, or cut off. Its line tells the two apart: pings go out every 18 s and
/// must be answered within 10 s, so while a line has the topic confirmed, `since_proof` is 28 s at most (or what the
/// token response says in place of these); after that the line is down and the book is not live. That the exchange
/// answers and does not push any more is not seen by that: a book that is silent for longer than usual is held against
/// a snapshot, after [`Timeouts::silence`](crate::config::Timeouts::silence) at the latest, and `since_snapshot` says when that was done.
///
/// Counted from when something was received, not from when the exchange said it: what it is late by is not in it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct BookAge {
    /// Since something was pushed for the book, on any line: a delta, or a copy of one. `None`: never.
    pub since_delta: Option<Duration>,
    /// Since the book and a snapshot were found to be equal: the one that it became live with, or that of the last
    /// audit, [`BookEvent::Verified`](crate::BookEvent::Verified).
    pub since_snapshot: Duration,
    /// Since the latest of these two, and of the last answer (a pong, an ack) on a line that has the topic confirmed.
    pub since_proof: Duration,
}
