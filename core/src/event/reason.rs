//! Why things happen: what the exchange said, what failed, and what can be done about it.

use core::fmt;
use core::time::Duration;

use serde::Serialize;

use crate::account::AccountPart;
use crate::book::Evidence;
use crate::error::{TransportError, WireError};
use crate::ids::{Sequence, WordsId};
use crate::num::{Lots, Price};
use crate::wire::{ErrorKind, Side};

/// Why an account stopped being live.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[non_exhaustive]
pub enum AccountLostReason {
    /// A topic of it is not carried any more.
    LineDown,
    /// Something was said that cannot be read.
    Undecodable(WireError),
    /// A topic of it cannot be had.
    Rejected,
    /// It has more of these than are kept
    /// ([`AccountLimits`](crate::config::AccountLimits)); all is asked for anew after a pause.
    TooMany(AccountPart),
    /// It is not followed any more.
    Unfollowed,
}

/// Why an account takes long to become live.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[non_exhaustive]
pub enum AccountDelayReason {
    /// Something that it has could not be had; all is asked for anew after a pause.
    Failed(RestError),
    /// Something was said meanwhile that cannot be read; all is asked for anew after a pause.
    Undecodable(WireError),
    /// More happened meanwhile than is kept; all is asked for anew after a pause.
    Overflow,
    /// Its orders have more pages than may be asked for, or changed so much that they had to be read too often
    /// ([`AccountLimits::max_pages`](crate::config::AccountLimits::max_pages)); all is asked for anew after a
    /// pause.
    TooManyPages,
    /// It has more of these than are kept
    /// ([`AccountLimits`](crate::config::AccountLimits)); all is asked for anew after a pause.
    TooMany(AccountPart),
}

impl fmt::Display for AccountLostReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LineDown => f.write_str("the line is down"),
            Self::Undecodable(error) => write!(f, "undecodable: {error}"),
            Self::Rejected => f.write_str("it cannot be had"),
            Self::TooMany(part) => write!(f, "more {part} than are kept"),
            Self::Unfollowed => f.write_str("not followed any more"),
        }
    }
}

impl fmt::Display for AccountDelayReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(failure) => write!(f, "not to be had: {failure}"),
            Self::Undecodable(error) => write!(f, "undecodable: {error}"),
            Self::Overflow => f.write_str("too much has changed meanwhile"),
            Self::TooManyPages => f.write_str("more pages of orders than may be asked for"),
            Self::TooMany(part) => write!(f, "more {part} than are kept"),
        }
    }
}

/// Why a connection ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
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
    Unauthorized {
        /// What the server said, if it did so on the stream.
        words: Option<WordsId>,
    },
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
        /// What it said.
        words: Option<WordsId>,
    },
    /// Three binary messages within a minute.
    Binary,
    /// Another line has taken its place.
    Replaced,
    /// The client was closed.
    Closed,
}

/// Why a line is replaced.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[non_exhaustive]
pub enum ReplaceReason {
    /// It has been up for [`Lines::life`](crate::config::Lines::life), and the exchange would cut it soon.
    Age,
    /// [`Client::replace_lines`](crate::Client::replace_lines) was called.
    Asked,
    /// It was behind another line, as [`LineEvent::Behind`](crate::LineEvent::Behind) has told, for a second time.
    Behind,
    /// It goes on to bring nothing of a topic, though that was asked for anew, as [`TopicEvent::Renewed`](crate::TopicEvent::Renewed) has
    /// told.
    Silent,
}

impl fmt::Display for ReplaceReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Age => "it is old",
            Self::Asked => "that was asked for",
            Self::Behind => "it is behind another line",
            Self::Silent => "it is silent",
        })
    }
}

/// Why a live book stopped being live.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
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
    /// The market has left what is known of this side: no snapshot could be had in time.
    Horizon(Side),
    /// Best bid at or above best ask for too long.
    Crossed,
    /// The stream had fallen silent, and the exchange's book has moved on: the exchange does not push it here
    /// any more. It is subscribed again.
    LeftBehind {
        /// Where the exchange's book was.
        exchange: Sequence,
    },
    /// A snapshot that was brought to the same sequence says something else: of all such levels the best.
    Diverged {
        /// Where.
        side: Side,
        /// The level.
        price: Price,
        /// What the book had there; zero: nothing.
        held: Lots,
        /// What the exchange has.
        exchange: Lots,
    },
    /// The connection ended.
    LineDown,
    /// Nobody wants the book any more.
    Unsubscribed,
}

/// Why a book takes long to become live.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
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
    /// The snapshot is ahead of the stream, which has not come after it within 2 s. (Of an audit.)
    SnapshotAhead {
        /// Of the snapshot.
        snapshot: Sequence,
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
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[non_exhaustive]
pub enum RestError {
    /// The transport ended or time ran out.
    Lost(TransportError),
    /// Too many requests: HTTP 429 or 403, or one of the exchange's codes for it.
    RateLimited {
        /// How long the server asks us to stay away, if it says.
        retry_after: Option<Duration>,
        /// The HTTP status.
        status: u16,
        /// The exchange's code, or the edge's (1015).
        code: Option<u32>,
        /// What it said.
        words: Option<WordsId>,
    },
    /// Another HTTP status than 200, without a code of the exchange.
    Http {
        /// The status.
        status: u16,
        /// What the exchange said.
        words: Option<WordsId>,
    },
    /// The exchange's own error code; comes with HTTP 200, too.
    Api {
        /// The code.
        code: u32,
        /// The HTTP status.
        status: u16,
        /// What the exchange said.
        words: Option<WordsId>,
    },
    /// The body is not what it should be.
    Wire(WireError),
    /// The client was closed before there was an answer.
    Closed,
}

/// Why an account cannot be used. To be mended by its owner, not by asking again.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[non_exhaustive]
pub enum LoginError {
    /// The adapter has no credentials.
    NoCredentials,
    /// Headers are missing that a signed request has: 400001.
    HeadersMissing,
    /// The exchange does not know the key: 400003.
    UnknownKey,
    /// The passphrase is not the key's: 400004.
    WrongPassphrase,
    /// The secret is not the key's: 400005.
    WrongSignature,
    /// The key may not be used from this address: 400006.
    AddressNotAllowed,
    /// The key lacks the permission `General`: 400007.
    PermissionMissing,
    /// The version of the key is another one, or is not supported any more: 400008 and 400009.
    WrongKeyVersion,
    /// The account is frozen: 411100.
    AccountFrozen,
}

impl LoginError {
    /// The exchange's code for it. Without credentials: that of missing headers.
    #[must_use]
    pub const fn code(self) -> u32 {
        match self {
            Self::NoCredentials | Self::HeadersMissing => 400_001,
            Self::UnknownKey => 400_003,
            Self::WrongPassphrase => 400_004,
            Self::WrongSignature => 400_005,
            Self::AddressNotAllowed => 400_006,
            Self::PermissionMissing => 400_007,
            Self::WrongKeyVersion => 400_009,
            Self::AccountFrozen => 411_100,
        }
    }
}

/// What to do about it.
impl fmt::Display for LoginError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoCredentials => "no credentials: set the key, its secret and its passphrase",
            Self::HeadersMissing => "the signature did not arrive: is a proxy between?",
            Self::UnknownKey => "the key is unknown: was it deleted, or is it of another site?",
            Self::WrongPassphrase => "the passphrase is not the one that the key was made with",
            Self::WrongSignature => "the secret is not the key's",
            Self::AddressNotAllowed => "the key may not be used from this address: see its IP list",
            Self::PermissionMissing => "the key lacks the permission General",
            Self::WrongKeyVersion => "the key is of another version: try 2 or 3",
            Self::AccountFrozen => "the account is frozen: ask the exchange's support",
        })
    }
}

impl RestError {
    /// Why the account cannot be used, if that is the reason. A time that is too far off (400002) is none: the
    /// client asks for the exchange's clock and tries once more by itself.
    #[must_use]
    pub const fn login_error(&self) -> Option<LoginError> {
        Some(match self {
            Self::Lost(TransportError::NoCredentials) => LoginError::NoCredentials,
            Self::Api { code: 400_001, .. } => LoginError::HeadersMissing,
            Self::Api { code: 400_003, .. } => LoginError::UnknownKey,
            Self::Api { code: 400_004, .. } => LoginError::WrongPassphrase,
            Self::Api { code: 400_005, .. } => LoginError::WrongSignature,
            Self::Api { code: 400_006, .. } => LoginError::AddressNotAllowed,
            Self::Api { code: 400_007, .. } => LoginError::PermissionMissing,
            Self::Api { code: 400_008 | 400_009, .. } => LoginError::WrongKeyVersion,
            Self::Api { code: 411_100, .. } => LoginError::AccountFrozen,
            Self::Lost(_)
            | Self::RateLimited { .. }
            | Self::Http { .. }
            | Self::Api { .. }
            | Self::Wire(_)
            | Self::Closed => return None,
        })
    }

    /// Whether the exchange does not know the symbol that was asked for. It says so with HTTP 200, and with
    /// another code in each place: 200003 for tickers, books, trades and snapshots, 404000 for a contract,
    /// 415000 for mark price and funding rate (with another status these two mean what their numbers say).
    /// Index, interest rate and premium have an empty series instead.
    ///
    /// During an upgrade of the exchange no symbol may be known for a while.
    #[must_use]
    pub const fn is_unknown_symbol(&self) -> bool {
        matches!(
            self,
            Self::Api { code: 200_003, .. }
                | Self::Api { code: 404_000 | 415_000, status: 200, .. }
        )
    }

    /// Whether the exchange does not take a parameter: 300000, which candles of an unsupported granularity are
    /// answered with, and 400100. An engine that is being restarted says 300000, too, to whoever asks for a
    /// snapshot: for a request that was right before, ask again later.
    #[must_use]
    pub const fn is_illegal_parameter(&self) -> bool {
        matches!(self, Self::Api { code: 300_000 | 400_100, .. })
    }
}

impl fmt::Display for DisconnectReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lost(error) => error.fmt(f),
            Self::ConnectTimeout => f.write_str("no connection in time"),
            Self::WelcomeTimeout => f.write_str("no welcome in time"),
            Self::WrongWelcome => f.write_str("the welcome was meant for another connection"),
            Self::Unauthorized { .. } => f.write_str("the token was refused"),
            Self::PongTimeout => f.write_str("no pong in time"),
            Self::AckTimeout => f.write_str("a subscription was never answered"),
            Self::Suspended => f.write_str("the deadlines are long past: the machine slept"),
            Self::Refused { code, kind, .. } => write!(f, "refused by the server: {code} {kind:?}"),
            Self::Binary => f.write_str("binary messages"),
            Self::Replaced => f.write_str("another line has taken its place"),
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
            Self::Horizon(side) => write!(f, "the {side} side left its horizon"),
            Self::Crossed => f.write_str("crossed for too long"),
            Self::LeftBehind { exchange } => {
                write!(f, "nothing came any more, and the exchange is at {exchange}")
            }
            Self::Diverged { side, price, held, exchange } => {
                write!(
                    f,
                    "the exchange has {exchange} lots at {price} on the {side} side, not {held}"
                )
            }
            Self::LineDown => f.write_str("the line is down"),
            Self::Unsubscribed => f.write_str("unsubscribed"),
        }
    }
}

impl fmt::Display for BookDelayReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SnapshotAhead { snapshot } => {
                write!(
                    f,
                    "the snapshot at {snapshot} is ahead of the stream, which does not come after it"
                )
            }
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
            Self::Lost(error) => error.fmt(f),
            Self::RateLimited { retry_after, status, code, .. } => {
                f.write_str("rate limited")?;
                if let Some(after) = retry_after {
                    write!(f, " for {} ms", after.as_millis())?;
                }
                match code {
                    Some(code) => write!(f, " (HTTP {status}, code {code})"),
                    None => write!(f, " (HTTP {status})"),
                }
            }
            Self::Http { status, .. } => write!(f, "HTTP {status}"),
            Self::Api { code, status, .. } => write!(f, "refused with code {code} (HTTP {status})"),
            Self::Wire(error) => error.fmt(f),
            Self::Closed => f.write_str("the client was closed"),
        }
    }
}
