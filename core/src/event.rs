//! What happened to lines, topics, books and queries, and why.

mod reason;

use core::fmt;
use core::time::Duration;

use serde::Serialize;

use crate::currency::Currency;
use crate::ids::{ConnId, Epoch, LineId, RequestId, Sequence, TopicId, WordsId};
use crate::wire::Delta;

pub use reason::{
    AccountDelayReason, AccountLostReason, BookDelayReason, BookLostReason, DisconnectReason,
    LoginError, ReplaceReason, RestError,
};

/// Something that a user may want to know. Small and `Copy`; in the order of the causes.
///
/// ```text
///   Line    Waiting*  TokenFailed*  ->  Up?  ->  Behind*  Replacing?  ->  Down   once for each connection,
///                                                              also when we closed it;
///                                                              or LoginRefused, and no more
///   Topic   Refused*  ->  Confirmed  ->  (Idle  ->  Active)*  Renewed*  ->  Unsubscribed | Rejected
///                      Refused*, Confirmed: again after a Down
///                      MayHaveMissed: a topic without a book is carried again after a Down
///   Book    Delayed*  ->  Live  ->  (Delta | Verified)*  ->  Lost   once for each epoch
///                                  each one more than the one before
///   query   a push, or QueryFailed
///   any     Lagged: in place of deltas and delays that were not drained
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[non_exhaustive]
pub enum Event {
    /// Of a connection to the exchange.
    Line(LineId, LineEvent),
    /// Of a subscription.
    Topic(TopicId, TopicEvent),
    /// Of the book of a level2 topic.
    Book(TopicId, BookEvent),
    /// Of the account that is followed.
    Account(AccountEvent),
    /// A query could not be answered.
    QueryFailed {
        /// The query.
        request: RequestId,
        /// Why.
        reason: RestError,
    },
    /// The exchange states times in a way that cannot be read. Each counts as absent, and the first of each
    /// place is told; [`Stats::odd_times`](crate::Stats::odd_times) counts them.
    OddTime(TimePlace),
    /// So many deltas (and delays) were not reported because nobody drained the outputs. Books are
    /// exact all the same: read them. That a counter was set back is among what is reported, once a book.
    Lagged {
        /// How many.
        dropped: u32,
    },
}

impl Event {
    /// The topic that it is about.
    #[must_use]
    pub const fn topic(&self) -> Option<TopicId> {
        match *self {
            Self::Topic(topic, _) | Self::Book(topic, _) => Some(topic),
            Self::Line(..)
            | Self::Account(_)
            | Self::QueryFailed { .. }
            | Self::OddTime(_)
            | Self::Lagged { .. } => None,
        }
    }
}

const _: () = assert!(size_of::<Event>() <= 64, "events are copied around");

/// Where a time stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[non_exhaustive]
pub enum TimePlace {
    /// `timestamp` of a level2 delta, in milliseconds.
    Delta,
    /// `ts` of a ticker, a trade or a depth.
    Message,
    /// `ts` of a snapshot, in nanoseconds.
    Snapshot,
    /// `timestamp` of a pong, in microseconds.
    Pong,
}

impl fmt::Display for TimePlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Delta => "`timestamp` of a delta",
            Self::Message => "`ts` of a message",
            Self::Snapshot => "`ts` of a snapshot",
            Self::Pong => "`timestamp` of a pong",
        })
    }
}

/// What happens to a line.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[non_exhaustive]
pub enum LineEvent {
    /// The line waits before its next attempt.
    Waiting {
        /// How long.
        delay: Duration,
        /// Failures in a row. A refusal that names its own wait is none.
        failures: u32,
    },
    /// There was no token to be had.
    TokenFailed(RestError),
    /// The account cannot be used. What is private is rejected and not asked for again until somebody subscribes
    /// anew: whoever goes on with a refused key loses it, or the address.
    LoginRefused {
        /// Why.
        error: LoginError,
        /// What the exchange said.
        words: Option<WordsId>,
    },
    /// The welcome arrived: the line is ready.
    Up {
        /// Its connection.
        conn: ConnId,
    },
    /// Another line is to take its place, and opens. Both carry its topics for a while; then this one ends with
    /// [`DisconnectReason::Replaced`].
    Replacing {
        /// The other one.
        by: LineId,
        /// Why.
        reason: ReplaceReason,
    },
    /// Of what another line has brought, too, it left out more or brought half much later, since lines were last
    /// compared ([`Lines::compare_every`](crate::config::Lines::compare_every)). One that is so twice in a row is
    /// replaced, one line in 10 min at most.
    Behind {
        /// Deltas that it brought.
        brought: u64,
        /// So many of them [`Lines::most_lag`](crate::config::Lines::most_lag) later than another line.
        late: u64,
        /// Deltas that it left out.
        missed: u64,
    },
    /// A connection ended, or could not be made.
    Down {
        /// Its connection.
        conn: ConnId,
        /// Why.
        reason: DisconnectReason,
    },
}

/// What happens to a topic.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[non_exhaustive]
pub enum TopicEvent {
    /// The exchange confirmed the subscription, on the first line. (On a second one, or once more to an account that
    /// asks only to see that all has come, is not told.)
    Confirmed,
    /// The exchange refuses a topic that has brought something within the last 24 h, or that an account is kept
    /// from and was carried within that time: during an upgrade of the exchange no symbol exists. It is asked for
    /// again after a pause, and its book is left alone: its stream may go on.
    Refused {
        /// The exchange's code: 404 and the like.
        code: u32,
        /// The pause: drawn evenly up to a bound that doubles with each refusal in a row, as
        /// [`Backoff`](crate::config::Backoff) has it; at least 1 ms. A reconnect in between asks, too.
        delay: Duration,
        /// What it said.
        words: Option<WordsId>,
    },
    /// The topic cannot be had; it is not tried again until `subscribe` is called anew.
    Rejected {
        /// The exchange's code: 404 and the like from the stream, 200003 from REST, both only if what
        /// [`Refused`](Self::Refused) names does not speak for the topic; 509 if there is no room for it.
        code: u32,
        /// What it said.
        words: Option<WordsId>,
    },
    /// A confirmed topic has said nothing for [`Timeouts::silence`](crate::config::Timeouts::silence), or for fifty
    /// times the usual pause of its book if that is less, and at least 10 s:
    /// a still market, a symbol that does not exist, or a subscription that the server lost. A live book
    /// is then held against a snapshot, again after each such time.
    Idle,
    /// A confirmed topic is subscribed once more on a line: nothing comes there, though another line, or the
    /// exchange's snapshot, shows that there is something to say. If that does not help, the line is replaced.
    Renewed {
        /// The line.
        line: LineId,
    },
    /// A topic that was silent speaks again.
    Active,
    /// Messages of a topic without a book may have been missed: the line that carried it was down
    /// and it is carried again, or another one goes on with it and nothing proves that it has all. (A book says by its
    /// epoch that it was lost.)
    MayHaveMissed,
    /// A topic that is not wanted any more is not carried any more: the exchange confirmed it, or the
    /// connection ended.
    Unsubscribed,
}

/// What happens to a book.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[non_exhaustive]
pub enum BookEvent {
    /// A book that is not live takes longer than usual to become so.
    Delayed(BookDelayReason),
    /// The book equals the exchange's at `sequence` from here on.
    Live {
        /// This run of the book.
        epoch: Epoch,
        /// Where it starts.
        sequence: Sequence,
    },
    /// The live book took one change.
    Delta(Delta),
    /// The live book was held against a snapshot, brought to the same sequence: they agree on all that both know.
    Verified {
        /// Where both were.
        sequence: Sequence,
        /// The book knows more than before: what it knew, and what the snapshot did. Whoever keeps a copy takes it anew.
        is_wider: bool,
    },
    /// [`Client::verify`](crate::Client::verify) came to no verdict: five snapshots were of no use, the last for this
    /// reason.
    NotVerified(BookDelayReason),
    /// The book is not the exchange's any more and cannot be read.
    Lost {
        /// The run that ended.
        epoch: Epoch,
        /// Why.
        reason: BookLostReason,
    },
}

/// What happens to the account that is followed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[non_exhaustive]
pub enum AccountEvent {
    /// It takes longer than usual to become live.
    Delayed(AccountDelayReason),
    /// Fills that no stream had told: they happened while no line carried the account. They are among
    /// [`Account::fills`](crate::Account::fills) once it is live.
    FillsRecovered {
        /// How many.
        count: u32,
    },
    /// There is no balance of a currency that is asked for
    /// ([`AccountLimits::currencies`](crate::config::AccountLimits::currencies)); the account is live without it.
    BalanceRefused {
        /// Which.
        currency: Currency,
        /// The exchange's code.
        code: u32,
    },
    /// What is read of it is the exchange's from here on.
    Live {
        /// This run of it.
        epoch: Epoch,
    },
    /// It cannot be read any more.
    Lost {
        /// The run that ended.
        epoch: Epoch,
        /// Why.
        reason: AccountLostReason,
    },
    /// It cannot be had; it is not tried again until it is followed anew.
    Refused {
        /// Why.
        error: LoginError,
        /// What the exchange said.
        words: Option<WordsId>,
    },
}
