//! What an adapter tells the core.

use core::fmt;
use core::time::Duration;

use serde::{Deserialize, Serialize};

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
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ResponseHead {
    status: u16,
    reset_ms: Option<u64>,
    retry_after_s: Option<u64>,
    /// `Retry-After` as a date, and `Date`: seconds since 1970, by the server's clock.
    retry_at: Option<u64>,
    date: Option<u64>,
}

impl ResponseHead {
    /// A head with this HTTP status and no headers.
    #[must_use]
    pub const fn new(status: u16) -> Self {
        Self { status, reset_ms: None, retry_after_s: None, retry_at: None, date: None }
    }

    /// Takes in one header; those that mean nothing here are ignored. Names in any case.
    pub fn header(&mut self, name: &str, value: &str) {
        if name.eq_ignore_ascii_case("gw-ratelimit-reset") {
            self.reset_ms = value.trim().parse().ok();
        } else if name.eq_ignore_ascii_case("retry-after") {
            self.retry_after_s = value.trim().parse().ok();
            self.retry_at = http_date(value);
        } else if name.eq_ignore_ascii_case("date") {
            self.date = http_date(value);
        }
    }

    /// The HTTP status.
    #[must_use]
    pub const fn status(&self) -> u16 {
        self.status
    }

    /// How long the server asks us to stay away: `gw-ratelimit-reset` in milliseconds, or
    /// `Retry-After` in seconds or as a date, which is held against the reply's own `Date` (never seen from
    /// KuCoin, but its edge may send it).
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        let reset = self.reset_ms.map(Duration::from_millis);
        let until = || Some(self.retry_at?.saturating_sub(self.date?));
        reset.or_else(|| self.retry_after_s.or_else(until).map(Duration::from_secs))
    }
}

/// `Sun, 29 Nov 2026 15:14:54 GMT` in seconds since 1970; of RFC 9110's three forms the one that is written
/// today.
fn http_date(text: &str) -> Option<u64> {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let mut words = text.split_ascii_whitespace();
    let mut word = || words.next();
    let (_weekday, day, month, year, time) = (word()?, word()?, word()?, word()?, word()?);
    let number = |text: &str, most: u64| text.parse::<u64>().ok().filter(|number| *number <= most);
    let (day, year) = (number(day, 31)?, number(year, 9999)?);
    let month = 1 + MONTHS.iter().position(|name| *name == month)? as u64;
    let mut parts = time.split(':');
    let mut part = |most| number(parts.next()?, most);
    let seconds = part(23)? * 3600 + part(59)? * 60 + part(60)?;
    // Years that begin in March end with the day that leap years add.
    let year = year.checked_sub(u64::from(month < 3))?;
    let months = (month + 9) % 12;
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (months * 153 + 2) / 5 + day - 1;
    // From the first of March of the year zero to 1970.
    Some(days.checked_sub(719_468)? * 86_400 + seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_held_against_the_date_of_the_reply() {
        let head = |after: &str, date: &str| {
            let mut head = ResponseHead::new(503);
            head.header("retry-after", after);
            head.header("Date", date);
            head.retry_after().map(|after| after.as_secs())
        };
        let now = "Sun, 29 Nov 2026 15:14:54 GMT";
        assert_eq!(head("Sun, 29 Nov 2026 15:16:00 GMT", now), Some(66));
        assert_eq!(head("Mon, 01 Mar 2027 00:00:00 GMT", now), Some(91 * 86_400 + 31_506));
        assert_eq!(head("Sun, 29 Nov 2026 15:00:00 GMT", now), Some(0), "it is over");
        assert_eq!(head("66", now), Some(66));
        for none in [
            "soon",
            "-1",
            "Sun, 29 Foo 2026 15:16:00 GMT",
            "29 Nov 2026",
            "Sun, 29 Nov 2026 25:00:00 GMT",
        ] {
            assert_eq!(head(none, now), None, "{none}");
        }
        assert_eq!(head("Sun, 29 Nov 2026 15:16:00 GMT", ""), None, "by which clock?");
    }

    #[test]
    fn dates_are_those_of_the_calendar() {
        for (text, seconds) in [
            ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
            ("Tue, 29 Feb 2000 12:00:00 GMT", 951_825_600),
            ("Sun, 29 Nov 2026 15:14:54 GMT", 1_795_965_294),
            ("Fri, 31 Dec 2100 23:59:59 GMT", 4_133_980_799),
        ] {
            assert_eq!(http_date(text), Some(seconds), "{text}");
        }
    }
}
