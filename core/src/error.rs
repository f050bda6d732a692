//! Three families of error that are never mixed: the caller's mistakes, the peer's bytes, and the
//! end of a transport.

use core::fmt;
use core::time::Duration;

use serde::{Deserialize, Serialize};

/// A mistake of the caller, returned by the command that was called. Nothing has changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Misuse {
    /// A symbol is 1 to 23 characters out of `A-Z a-z 0-9 . _ -`.
    InvalidSymbol,
    /// Not one of the candles' lengths: see [`Interval::ALL`](crate::Interval::ALL).
    InvalidInterval,
    /// A currency is 1 to 23 characters out of `A-Z a-z 0-9 . _ -`.
    InvalidCurrency,
    /// More topics than [`Lines::at_most`](crate::config::Lines::at_most) lines carry, of
    /// [`Budgets::topics_per_line`](crate::config::Budgets::topics_per_line) each; an account has one.
    TooManyTopics,
    /// The [`TopicId`](crate::TopicId) is not one of this client's.
    UnknownTopic,
    /// The book is not live: there is nothing to hold against the exchange's.
    NotLive,
    /// More queries are waiting than [`Queues::queries`](crate::config::Queues::queries).
    TooManyQueries,
    /// The client was closed; make a new one.
    Closed,
    /// A REST base must be `https://host[:port]`, or `http://` on a loopback address.
    InvalidRestBase,
    /// Not the topic of a [`Channel`](crate::Channel).
    InvalidTopic,
}

impl fmt::Display for Misuse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::InvalidSymbol => {
                "not a symbol: use 1 to 23 characters out of A-Z a-z 0-9 . _ - (for example XBTUSDTM)"
            }
            Self::InvalidInterval => {
                "not a length of candles: use 1min 3min 5min 15min 30min 1hour 2hour 4hour 8hour 12hour 1day 1week 1month"
            }
            Self::InvalidCurrency => "not a currency (for example USDT; Bitcoin is XBT)",
            Self::TooManyTopics => "too many topics for all lines: unsubscribe some, or raise Lines::at_most",
            Self::UnknownTopic => "this topic id belongs to another client, or has no book",
            Self::NotLive => "the book is not live: wait for BookEvent::Live",
            Self::TooManyQueries => "too many queries are waiting: drain replies before asking more",
            Self::Closed => "the client was closed: make a new one",
            Self::InvalidTopic => "not a topic that is known (for example /contractMarket/level2:XBTUSDTM)",
            Self::InvalidRestBase => {
                "not a usable REST base: use https://HOST[:PORT], or http:// on a loopback address"
            }
        })
    }
}

impl core::error::Error for Misuse {}

/// Bytes of the peer that do not say what they should. Reported, counted, never trusted.
///
/// `field` is the key as the exchange writes it. The text itself is never kept: it may be hostile
/// and it may hold a token.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[non_exhaustive]
pub enum WireError {
    /// Not JSON from byte `at` on (an HTML page, a cut-off body, a broken escape).
    NotJson {
        /// Offset of the first byte that does not fit.
        at: u32,
    },
    /// Nested deeper than 16 levels.
    TooDeep,
    /// A required key is absent.
    Missing {
        /// The key.
        field: &'static str,
    },
    /// A key that is used stands twice.
    Duplicate {
        /// The key.
        field: &'static str,
    },
    /// A value of another JSON type, or a number in a form that is not allowed here.
    WrongType {
        /// The key.
        field: &'static str,
    },
    /// Not a decimal number, or one that its type cannot hold.
    OutOfRange {
        /// The key.
        field: &'static str,
    },
    /// A price with a digit other than zero beyond twelve decimals.
    TooPrecise {
        /// The key.
        field: &'static str,
    },
    /// A size that is not a whole number of lots.
    NotWhole {
        /// The key.
        field: &'static str,
    },
    /// A negative price or size.
    Negative {
        /// The key.
        field: &'static str,
    },
    /// A side other than `buy` and `sell`, or a `change` without exactly three parts.
    Malformed {
        /// The key.
        field: &'static str,
    },
    /// Longer than the cap for it.
    TooLong {
        /// The key.
        field: &'static str,
    },
    /// Speaks of something else than was asked for.
    Mismatch {
        /// The key.
        field: &'static str,
    },
    /// Two sizes for one price.
    Contradiction {
        /// The key.
        field: &'static str,
    },
    /// Levels that are not strictly ordered.
    Disordered {
        /// The key.
        field: &'static str,
    },
    /// No entry of `instanceServers` may be connected to.
    NoUsableServer,
    /// A frame or body of a kind that this call does not decode.
    Unexpected,
}

impl fmt::Display for WireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotJson { at } => write!(f, "not JSON at byte {at}"),
            Self::TooDeep => f.write_str("nested too deeply"),
            Self::Missing { field } => write!(f, "no `{field}`"),
            Self::Duplicate { field } => write!(f, "`{field}` stands twice"),
            Self::WrongType { field } => write!(f, "`{field}` has the wrong type"),
            Self::OutOfRange { field } => write!(f, "`{field}` is not a number in range"),
            Self::TooPrecise { field } => write!(f, "`{field}` has more than 12 decimals"),
            Self::NotWhole { field } => write!(f, "`{field}` is not whole"),
            Self::Negative { field } => write!(f, "`{field}` is negative"),
            Self::Malformed { field } => write!(f, "`{field}` is malformed"),
            Self::TooLong { field } => write!(f, "`{field}` is too long"),
            Self::Mismatch { field } => write!(f, "`{field}` is not the one asked for"),
            Self::Contradiction { field } => write!(f, "`{field}` has two sizes for one price"),
            Self::Disordered { field } => write!(f, "`{field}` is not in order"),
            Self::NoUsableServer => f.write_str("no server that may be connected to"),
            Self::Unexpected => f.write_str("a message of another kind"),
        }
    }
}

impl core::error::Error for WireError {}

/// How a transport ended, in the adapter's words. What to do about it is the core's business.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub enum TransportError {
    /// The name could not be resolved.
    Dns,
    /// The peer refused the connection.
    Refused,
    /// Nothing happened in time.
    TimedOut,
    /// The certificate or the TLS handshake failed. Never retried without verification.
    Tls,
    /// The HTTP upgrade was answered with another status.
    Upgrade {
        /// The HTTP status.
        status: u16,
        /// How long the server asks us to stay away, if it says:
        /// [`ResponseHead::retry_after`](crate::ResponseHead::retry_after).
        retry_after: Option<Duration>,
    },
    /// A WebSocket close frame arrived.
    Closed {
        /// Its code; `None` if it carried none (1005).
        code: Option<u16>,
    },
    /// The stream ended without a close frame (1006).
    Eof,
    /// The connection was reset.
    Reset,
    /// More bytes than allowed.
    TooLarge,
    /// The peer broke the rules of HTTP or WebSocket.
    Protocol,
    /// We could not send: the peer stopped reading and our buffer is full.
    Clogged,
    /// The request must be signed and the adapter has no credentials.
    NoCredentials,
    /// Anything else; the adapter's log has the details.
    Other,
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dns => f.write_str("the host name was not found"),
            Self::Refused => f.write_str("connection refused"),
            Self::TimedOut => f.write_str("timed out"),
            Self::Tls => f.write_str("TLS failed"),
            Self::Upgrade { status, .. } => {
                write!(f, "the upgrade was answered with HTTP {status}")
            }
            Self::Closed { code: Some(code) } => write!(f, "closed by the server ({code})"),
            Self::Closed { code: None } => f.write_str("closed by the server"),
            Self::Eof => f.write_str("the stream ended without a close"),
            Self::Reset => f.write_str("connection reset"),
            Self::TooLarge => f.write_str("more bytes than allowed"),
            Self::Protocol => f.write_str("the peer broke the protocol"),
            Self::Clogged => f.write_str("the peer stopped reading"),
            Self::NoCredentials => f.write_str("no credentials to sign with"),
            Self::Other => f.write_str("transport failure"),
        }
    }
}

impl core::error::Error for TransportError {}
