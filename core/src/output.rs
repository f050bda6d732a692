//! What the core tells an adapter: effects to perform, events to report.

use alloc::boxed::Box;
use core::fmt;
use core::time::Duration;

use crate::book::Evidence;
use crate::endpoint::Endpoint;
use crate::error::{TransportError, WireError};
use crate::ids::{ConnId, Epoch, LineId, RequestId, Sequence, TopicId};
use crate::push::Push;
use crate::rest_request::RestRequest;
use crate::time::Instant;
use crate::wire::{Delta, ErrorKind, Side};

/// One thing to do or to report. Exhaustive, so that a new effect fails to compile in every adapter.
#[derive(Clone, PartialEq, Eq, Debug)]
#[allow(clippy::exhaustive_enums, reason = "an adapter must not overlook an effect")]
pub enum Output<'a> {
    /// For the user.
    Event(Event),
    /// For the user: a message of a topic, or the answer to a query. Only a [`Turn`](crate::Turn) has one.
    Push(Push<'a>),
    /// Send a text message. Never before `Opened`, never after `Close`.
    Send {
        /// On this connection.
        conn: ConnId,
        /// The message.
        text: Box<str>,
    },
    /// Connect and upgrade; answer with `Opened` or `Lost`.
    Open {
        /// The name of the attempt.
        conn: ConnId,
        /// Where to.
        to: Box<Endpoint>,
    },
    /// Drop this connection, open or opening. Nothing need be answered.
    Close {
        /// Which.
        conn: ConnId,
    },
    /// Make a REST request; answer with `Reply` or `Failed`.
    Fetch(Box<RestRequest>),
}

/// Something that a user may want to know. Small and `Copy`; in the order of the causes.
///
/// ```text
///   line   LineWaiting*  TokenFailed*  ->  LineUp?  ->  LineDown       once for each connection, also when
///                                                                     we closed it
///   topic  Confirmed  ->  (Idle  ->  Active)*  ->  Unsubscribed | Rejected
///                     MayHaveMissed: a topic without a book is carried again after a LineDown
///   book   BookDelayed*  ->  BookLive  ->  Delta*  ->  BookLost       once for each epoch
///                                          each one more than the one before
///   query  a push, or QueryFailed
///   any    Lagged: in place of deltas and delays that were not drained
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Event {
    /// The welcome arrived: the line is ready.
    LineUp {
        /// Which line.
        line: LineId,
        /// Its connection.
        conn: ConnId,
    },
    /// A connection ended, or could not be made.
    LineDown {
        /// Which line.
        line: LineId,
        /// Its connection.
        conn: ConnId,
        /// Why.
        reason: DisconnectReason,
    },
    /// There was no token to be had.
    TokenFailed {
        /// Which line.
        line: LineId,
        /// Why.
        reason: RestError,
    },
    /// The line waits before its next attempt.
    LineWaiting {
        /// Which line.
        line: LineId,
        /// How long.
        delay: Duration,
        /// Failures in a row. A refusal that names its own wait is none.
        failures: u32,
    },
    /// The exchange confirmed the subscription.
    Confirmed {
        /// Of this topic.
        topic: TopicId,
    },
    /// The topic cannot be had; it is not tried again until `subscribe` is called anew.
    Rejected {
        /// This topic.
        topic: TopicId,
        /// The exchange's code: 404 and the like from the stream, 200003 from REST.
        code: u32,
    },
    /// A topic that is not wanted any more is not carried any more: the exchange confirmed it, or the
    /// connection ended.
    Unsubscribed {
        /// Of this topic.
        topic: TopicId,
    },
    /// A confirmed topic has said nothing for [`Timeouts::silence`](crate::config::Timeouts::silence):
    /// a still market, a symbol that does not exist, or a subscription that the server lost.
    Idle {
        /// This topic.
        topic: TopicId,
    },
    /// A topic that was silent speaks again.
    Active {
        /// This topic.
        topic: TopicId,
    },
    /// The book equals the exchange's at `sequence` from here on.
    BookLive {
        /// Its topic.
        topic: TopicId,
        /// This run of the book.
        epoch: Epoch,
        /// Where it starts.
        sequence: Sequence,
    },
    /// The live book took one change.
    Delta {
        /// Its topic.
        topic: TopicId,
        /// The change.
        delta: Delta,
    },
    /// The book is not the exchange's any more and cannot be read.
    BookLost {
        /// Its topic.
        topic: TopicId,
        /// The run that ended.
        epoch: Epoch,
        /// Why.
        reason: BookLostReason,
    },
    /// A book that is not live takes longer than usual to become so.
    BookDelayed {
        /// Its topic.
        topic: TopicId,
        /// Why.
        reason: BookDelayReason,
    },
    /// A query could not be answered.
    QueryFailed {
        /// The query.
        request: RequestId,
        /// Why.
        reason: RestError,
    },
    /// Messages of a topic without a book may have been missed: the line that carried it was down
    /// and it is carried again. (A book says by its epoch that it was lost.)
    MayHaveMissed {
        /// Its topic.
        topic: TopicId,
    },
    /// So many deltas (and delays) were not reported because nobody drained the outputs. Books are
    /// exact all the same: read them.
    Lagged {
        /// How many.
        dropped: u32,
    },
}

const _: () = assert!(size_of::<Event>() <= 64, "events are copied around");

/// Why a connection ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum DisconnectReason {
    /// The transport ended.
    Lost(TransportError),
    /// No connection within [`Timeouts::connect`](crate::config::Timeouts::connect).
    ConnectTimeout,
    /// No welcome within [`Timeouts::welcome`](crate::config::Timeouts::welcome).
    WelcomeTimeout,
    /// The welcome answered another connect id.
    WrongWelcome,
    /// The token was refused; every attempt gets a fresh one.
    Unauthorized,
    /// No pong in time: the peer is gone, whatever TCP says.
    PongTimeout,
    /// A request was not answered, sent again, and still not answered.
    AckTimeout,
    /// The machine slept, or nobody drove the client: the deadlines are long past.
    Suspended,
    /// The server refused the connection or what we sent.
    Refused {
        /// Its code.
        code: u32,
        /// Its meaning.
        kind: ErrorKind,
    },
    /// Three binary messages within a minute.
    Binary,
    /// The client was closed.
    Closed,
}

/// Why a live book stopped being live.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum BookLostReason {
    /// Deltas are missing.
    Gap {
        /// The sequence that had to come.
        expected: Sequence,
        /// The sequence that came.
        got: Sequence,
    },
    /// A delta of this book could not be decoded.
    Poisoned(WireError),
    /// The exchange's counter was set back: its engine was restarted.
    SequenceReset(Evidence),
    /// The market came near the end of what the snapshot covered.
    Horizon(Side),
    /// Best bid at or above best ask for too long.
    Crossed,
    /// The connection ended.
    LineDown,
    /// Nobody wants the book any more.
    Unsubscribed,
}

/// Why a book takes long to become live.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum BookDelayReason {
    /// The snapshot is older than the first buffered delta.
    SnapshotTooOld {
        /// Of the snapshot.
        snapshot: Sequence,
    },
    /// The snapshot may be of another run of the exchange's counter than the deltas, and is kept for up to
    /// 5 s: what the stream says next settles it.
    SnapshotDeferred {
        /// Of the snapshot.
        snapshot: Sequence,
        /// What speaks for that.
        evidence: Evidence,
    },
    /// The snapshot is older than what the book had reached, or may be of another run of the exchange's
    /// counter than the deltas; another one is asked for.
    SnapshotDoubted {
        /// Of the snapshot.
        snapshot: Sequence,
        /// What speaks for that.
        evidence: Evidence,
    },
    /// The snapshot could not be had.
    SnapshotFailed(RestError),
    /// The snapshot was not of this symbol, or not a snapshot.
    SnapshotMalformed(WireError),
    /// More deltas came than are buffered; all of them were dropped and buffering began anew.
    Overflow,
    /// Deltas are missing in what was buffered; buffering began anew.
    Gap,
    /// A delta could not be decoded; buffering began anew.
    Poisoned(WireError),
    /// The exchange's counter was set back; buffering began anew.
    SequenceReset(Evidence),
}

/// Why a REST request did not give what it should.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum RestError {
    /// The transport ended or time ran out.
    Lost(TransportError),
    /// Too many requests: HTTP 429 or 403, or one of the exchange's codes for it.
    RateLimited {
        /// How long the server asks us to stay away, if it says.
        retry_after: Option<Duration>,
    },
    /// Another HTTP status than 200, without a code of the exchange.
    Http {
        /// The status.
        status: u16,
    },
    /// The exchange's own error code; comes with HTTP 200, too.
    Api {
        /// The code.
        code: u32,
    },
    /// The body is not what it should be.
    Wire(WireError),
    /// The client was closed before there was an answer.
    Closed,
}

/// The earliest time at which the client wants to be called, and what for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Deadline {
    /// When to call `handle(_, Input::Timeout)`.
    pub at: Instant,
    /// What for: for logs and tests.
    pub reason: TimeoutReason,
}

impl Deadline {
    pub(crate) const fn new(at: Instant, reason: TimeoutReason) -> Self {
        Self { at, reason }
    }
}

/// What a deadline is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum TimeoutReason {
    /// Outputs are waiting: drain them.
    Outputs,
    /// A line's phase ends: connecting, waiting for a welcome, backing off, or waiting for a budget.
    Phase,
    /// A ping is due.
    Ping,
    /// A pong is overdue.
    Pong,
    /// An ack is overdue.
    Ack,
    /// A budget frees up.
    Budget,
    /// A REST request takes too long.
    Fetch,
    /// A snapshot is to be asked for.
    Snapshot,
    /// A book has been crossed for too long.
    Crossed,
    /// A topic may have fallen silent.
    Silence,
}

impl fmt::Display for DisconnectReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lost(loss) => loss.fmt(f),
            Self::ConnectTimeout => f.write_str("no connection in time"),
            Self::WelcomeTimeout => f.write_str("no welcome in time"),
            Self::WrongWelcome => f.write_str("the welcome was meant for another connection"),
            Self::Unauthorized => f.write_str("the token was refused"),
            Self::PongTimeout => f.write_str("no pong in time"),
            Self::AckTimeout => f.write_str("a subscription was never answered"),
            Self::Suspended => f.write_str("the deadlines are long past: the machine slept"),
            Self::Refused { code, kind } => write!(f, "refused by the server: {code} {kind:?}"),
            Self::Binary => f.write_str("binary messages"),
            Self::Closed => f.write_str("closed by us"),
        }
    }
}

impl fmt::Display for BookLostReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gap { expected, got } => write!(f, "gap: expected {expected}, got {got}"),
            Self::Poisoned(error) => write!(f, "undecodable delta: {error}"),
            Self::SequenceReset(evidence) => write!(f, "the sequence was set back: {evidence}"),
            Self::Horizon(side) => write!(f, "the {side} side came near its horizon"),
            Self::Crossed => f.write_str("crossed for too long"),
            Self::LineDown => f.write_str("the line is down"),
            Self::Unsubscribed => f.write_str("unsubscribed"),
        }
    }
}

impl fmt::Display for BookDelayReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SnapshotTooOld { snapshot } => write!(f, "snapshot {snapshot} is too old"),
            Self::SnapshotDeferred { snapshot, evidence } => {
                write!(f, "snapshot {snapshot} waits for the stream: {evidence}")
            }
            Self::SnapshotDoubted { snapshot, evidence } => {
                write!(f, "snapshot {snapshot} is not believed: {evidence}")
            }
            Self::SnapshotFailed(failure) => write!(f, "no snapshot: {failure}"),
            Self::SnapshotMalformed(error) => write!(f, "unusable snapshot: {error}"),
            Self::Overflow => f.write_str("too many deltas before the snapshot"),
            Self::Gap => f.write_str("gap before the snapshot"),
            Self::Poisoned(error) => write!(f, "undecodable delta: {error}"),
            Self::SequenceReset(evidence) => write!(f, "the sequence was set back: {evidence}"),
        }
    }
}

impl fmt::Display for RestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lost(loss) => loss.fmt(f),
            Self::RateLimited { retry_after: Some(after) } => {
                write!(f, "rate limited for {} ms", after.as_millis())
            }
            Self::RateLimited { retry_after: None } => f.write_str("rate limited"),
            Self::Http { status } => write!(f, "HTTP {status}"),
            Self::Api { code } => write!(f, "refused with code {code}"),
            Self::Wire(error) => error.fmt(f),
            Self::Closed => f.write_str("the client was closed"),
        }
    }
}
