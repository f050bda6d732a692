//! What the core tells an adapter: effects to perform, what to report, when to call again.

use alloc::boxed::Box;

use serde::Serialize;

use crate::endpoint::Endpoint;
use crate::event::Event;
use crate::ids::ConnId;
use crate::push::Push;
use crate::rest_request::RestRequest;
use crate::time::Instant;

/// One thing to do or to report. Exhaustive, so that a new effect fails to compile in every adapter.
///
/// Serialized it holds all that it says but the token of an [`Endpoint`]: two runs of a client are the same if this
/// is.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
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
    /// A line is to be replaced, or about to replace another.
    ChangeOver,
    /// Lines that carry the same are to be compared.
    Comparison,
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
    /// What one of several lines has left out, no other one has brought.
    Hole,
    /// A live book is to be held against a snapshot.
    Audit,
    /// A topic may have fallen silent.
    Silence,
    /// A topic that was refused is to be asked for again.
    Subscribe,
    /// What the account has is to be asked for anew.
    Account,
}
