//! What an adapter tells the core.

use core::fmt;
use core::time::Duration;

use crate::error::TransportError;
use crate::ids::{ConnId, RequestId};

/// Everything that can happen to a client. Exhaustive, so that a recorded session is a list of
/// these.
#[derive(Clone, Copy, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "a recording must be able to hold every input")]
pub enum Input<'a> {
    /// The deadline of `poll_timeout` has come; early and late are harmless.
    Timeout,
    /// The upgrade is done: frames may be exchanged.
    Opened {
        /// On this connection.
        conn: ConnId,
    },
    /// A text message arrived.
    Text {
        /// On this connection.
        conn: ConnId,
        /// The message, not yet known to be UTF-8.
        bytes: &'a [u8],
    },
    /// A binary message arrived; there are none in this protocol.
    Binary {
        /// On this connection.
        conn: ConnId,
    },
    /// The connection could not be made, or has ended.
    Lost {
        /// Which.
        conn: ConnId,
        /// Why.
        error: TransportError,
    },
    /// A REST reply, whatever its status.
    Reply {
        /// To this request.
        request: RequestId,
        /// Its status and what its headers say.
        head: ResponseHead,
        /// Its body, which may be hostile and may hold a token.
        body: &'a [u8],
    },
    /// There will be no reply.
    Failed {
        /// To this request.
        request: RequestId,
        /// Why.
        error: TransportError,
    },
}

/// Shows sizes in place of bytes: a reply may hold a token.
impl fmt::Debug for Input<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Timeout => f.write_str("Timeout"),
            Self::Opened { conn } => write!(f, "Opened({conn:?})"),
            Self::Text { conn, bytes } => write!(f, "Text({conn:?}, {} bytes)", bytes.len()),
            Self::Binary { conn } => write!(f, "Binary({conn:?})"),
            Self::Lost { conn, error } => write!(f, "Lost({conn:?}, {error:?})"),
            Self::Reply { request, head, body } => {
                write!(f, "Reply({request:?}, {head:?}, {} bytes)", body.len())
            }
            Self::Failed { request, error } => write!(f, "Failed({request:?}, {error:?})"),
        }
    }
}

/// The head of a REST reply: its status, and what its headers say about limits.
///
/// ```
/// use core::time::Duration;
/// use kucoin_futures_proto::ResponseHead;
/// let mut head = ResponseHead::new(429);
/// head.header("GW-RateLimit-Reset", "1178");
/// assert_eq!(head.retry_after(), Some(Duration::from_millis(1178)));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ResponseHead {
    status: u16,
    reset_ms: Option<u64>,
    retry_after_s: Option<u64>,
}

impl ResponseHead {
    /// A head with this HTTP status and no headers.
    #[must_use]
    pub const fn new(status: u16) -> Self {
        Self { status, reset_ms: None, retry_after_s: None }
    }

    /// Takes in one header; those that mean nothing here are ignored. Names in any case.
    pub fn header(&mut self, name: &str, value: &str) {
        if name.eq_ignore_ascii_case("gw-ratelimit-reset") {
            self.reset_ms = value.trim().parse().ok();
        } else if name.eq_ignore_ascii_case("retry-after") {
            self.retry_after_s = value.trim().parse().ok();
        }
    }

    /// The HTTP status.
    #[must_use]
    pub const fn status(&self) -> u16 {
        self.status
    }

    /// How long the server asks us to stay away: `gw-ratelimit-reset` in milliseconds, or
    /// `Retry-After` in seconds (never seen from KuCoin, but its edge may send it).
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        let reset = self.reset_ms.map(Duration::from_millis);
        reset.or_else(|| self.retry_after_s.map(Duration::from_secs))
    }
}
