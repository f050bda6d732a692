//! The upgrade from HTTP/1.1 to WebSocket, client's side: bytes in, a verdict out, no I/O.
//!
//! ```text
//!  new ── request ──> peer
//!  take <── bytes ─── peer     100, 102, 103 ..: passed over, eight at most
//!    ├─ None: read on          101: its headers are checked (RFC 6455, section 4.1)
//!    ├─ Some(rest): done       any other status: refused
//!    └─ UpgradeError
//! ```
//!
//! The WebSocket library could do this, but takes `Connection: keep-alive, Upgrade` and answers before the
//! 101 for violations, which HTTP allows (RFC 9110, sections 7.6.1 and 15.2).

use kucoin_futures_proto::{Endpoint, ResponseHead, TransportError};
use tungstenite::handshake::client::generate_key;
use tungstenite::handshake::derive_accept_key;
use zeroize::Zeroizing;

/// What sockets and REST call themselves; firewalls in front of exchanges refuse who says nothing.
pub const USER_AGENT: &str = concat!("kucoin-futures/", env!("CARGO_PKG_VERSION"));

/// Longest head of an answer. A usual one has less than 2 KiB.
const MAX_HEAD: usize = 16 << 10;
/// Most headers in one.
const MAX_HEADERS: usize = 100;
/// Most answers before the one that counts.
const MAX_INTERIM: usize = 8;

/// Read at a time. What follows the head in the last one goes to a
/// [`TextFrameReader`](crate::TextFrameReader), which has room for more.
pub const UPGRADE_CHUNK: usize = 4 << 10;

/// An upgrade under way.
#[derive(Debug)]
pub struct Upgrade {
    /// What `Sec-WebSocket-Accept` has to be.
    accept: String,
    /// Of an answer that is not whole yet.
    head: Vec<u8>,
    interim: usize,
}

/// Why there is no WebSocket. No text of the peer's is in it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UpgradeError {
    /// The answer has another status than 101; what its headers say about limits is here, too.
    #[error("answered with HTTP {}", .0.status())]
    Refused(ResponseHead),
    /// A 101 without a header that it must have.
    #[error("the 101 has no header `{0}`")]
    Missing(&'static str),
    /// A 101 with a header that says something else than it must, or was not asked for.
    #[error("the 101 has a wrong header `{0}`")]
    Wrong(&'static str),
    /// A 101 of HTTP/1.0, which has none.
    #[error("the 101 is of HTTP/1.0")]
    OldVersion,
    /// Not HTTP.
    #[error("line {line} of the answer is not HTTP: {reason}")]
    Malformed {
        /// Counted from 1, which is the status.
        line: usize,
        /// What is wrong with it.
        reason: httparse::Error,
    },
    /// A head of more than 16 KiB.
    #[error("the head of the answer is too long")]
    TooLong,
    /// More than eight answers, none of which counts.
    #[error("too many interim answers")]
    TooManyInterim,
}

impl UpgradeError {
    /// Writes to the log what the core's word for it does not say, and returns that word.
    pub fn log(self, to: &Endpoint) -> TransportError {
        match self {
            Self::Refused(_) => tracing::debug!(host = to.host(), error = %self, "upgrade refused"),
            _ => tracing::warn!(host = to.host(), error = %self, "upgrade broken"),
        }
        self.into()
    }
}

impl From<UpgradeError> for TransportError {
    fn from(error: UpgradeError) -> Self {
        match error {
            UpgradeError::Refused(head) => {
                Self::Upgrade { status: head.status(), retry_after: head.retry_after() }
            }
            UpgradeError::TooLong => Self::TooLarge,
            UpgradeError::Missing(_)
            | UpgradeError::Wrong(_)
            | UpgradeError::OldVersion
            | UpgradeError::Malformed { .. }
            | UpgradeError::TooManyInterim => Self::Protocol,
        }
    }
}

impl Upgrade {
    /// Begins one; the request, which is to be sent first, contains the token.
    #[must_use]
    pub fn new(to: &Endpoint) -> (Self, Zeroizing<Vec<u8>>) {
        let key = generate_key();
        let accept = derive_accept_key(key.as_bytes());
        (Self { accept, head: Vec::new(), interim: 0 }, request(to.secret_url(), &key))
    }

    /// Takes what the peer sent. `None`: read on. `Some`: the connection is a WebSocket, and these bytes,
    /// a part of the last ones that were taken, are its first.
    ///
    /// # Errors
    /// There will be no WebSocket.
    pub fn take<'a>(&mut self, bytes: &'a [u8]) -> Result<Option<&'a [u8]>, UpgradeError> {
        let mut rest = bytes;
        loop {
            let before = self.head.len();
            self.head.extend_from_slice(rest);
            // A line that is not whole says nothing yet.
            if !rest.contains(&b'\n') {
                return self.wait();
            }
            let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
            let mut answer = httparse::Response::new(&mut headers);
            let len = match answer.parse(&self.head) {
                Ok(httparse::Status::Complete(len)) => len,
                Ok(httparse::Status::Partial) => return self.wait(),
                Err(reason) => return Err(malformed(&self.head, reason)),
            };
            if len > MAX_HEAD {
                return Err(UpgradeError::TooLong);
            }
            rest = rest.get(len.saturating_sub(before)..).unwrap_or_default();
            match answer.code {
                Some(101) => return check(&answer, &self.accept).map(|()| Some(rest)),
                Some(100..200) => {}
                _ => return Err(UpgradeError::Refused(head_of(&answer))),
            }
            self.head.clear();
            self.interim += 1;
            if self.interim > MAX_INTERIM {
                return Err(UpgradeError::TooManyInterim);
            }
        }
    }

    const fn wait<T>(&self) -> Result<Option<T>, UpgradeError> {
        if self.head.len() > MAX_HEAD { Err(UpgradeError::TooLong) } else { Ok(None) }
    }
}

fn request(url: &str, key: &str) -> Zeroizing<Vec<u8>> {
    let url = url.split_once("://").map_or(url, |(_, rest)| rest);
    let (host, target) = url.split_at(url.find(['/', '?']).unwrap_or(url.len()));
    let slash = if target.starts_with('/') { "" } else { "/" };
    let parts = [
        ["GET ", slash, target, " HTTP/1.1"],
        ["Host: ", host, "", ""],
        ["User-Agent: ", USER_AGENT, "", ""],
        ["Connection: Upgrade", "", "", ""],
        ["Upgrade: websocket", "", "", ""],
        ["Sec-WebSocket-Version: 13", "", "", ""],
        ["Sec-WebSocket-Key: ", key, "", ""],
        [""; 4],
    ];
    // So that the token is in one place and can be wiped there.
    let len = parts.iter().flatten().map(|part| part.len()).sum::<usize>();
    let mut request = Zeroizing::new(Vec::with_capacity(len + 2 * parts.len()));
    for line in parts {
        line.iter().for_each(|part| request.extend_from_slice(part.as_bytes()));
        request.extend_from_slice(b"\r\n");
    }
    request
}

fn check(answer: &httparse::Response<'_, '_>, accept: &str) -> Result<(), UpgradeError> {
    if answer.version != Some(1) {
        return Err(UpgradeError::OldVersion);
    }
    expect(answer, "Upgrade", |value| value.eq_ignore_ascii_case(b"websocket"))?;
    // A list, in as many headers as the peer likes.
    let mut tokens = values(answer, "Connection").flat_map(|value| value.split(|&b| b == b','));
    if !tokens.any(|token| token.trim_ascii().eq_ignore_ascii_case(b"upgrade")) {
        expect(answer, "Connection", |_| false)?;
    }
    expect(answer, "Sec-WebSocket-Accept", |value| value == accept.as_bytes())?;
    // Neither was offered.
    for name in ["Sec-WebSocket-Extensions", "Sec-WebSocket-Protocol"] {
        if values(answer, name).any(|value| !value.is_empty()) {
            return Err(UpgradeError::Wrong(name));
        }
    }
    Ok(())
}

/// The header is there, and right as often as it is.
fn expect(
    answer: &httparse::Response<'_, '_>,
    name: &'static str,
    right: impl Fn(&[u8]) -> bool,
) -> Result<(), UpgradeError> {
    if values(answer, name).next().is_none() {
        return Err(UpgradeError::Missing(name));
    }
    if values(answer, name).all(right) { Ok(()) } else { Err(UpgradeError::Wrong(name)) }
}

fn values<'a>(
    answer: &'a httparse::Response<'_, '_>,
    name: &'a str,
) -> impl Iterator<Item = &'a [u8]> {
    let named = answer.headers.iter().filter(move |header| header.name.eq_ignore_ascii_case(name));
    named.map(|header| header.value.trim_ascii())
}

fn head_of(answer: &httparse::Response<'_, '_>) -> ResponseHead {
    let mut head = ResponseHead::new(answer.code.unwrap_or_default());
    for header in answer.headers.iter() {
        if let Ok(value) = str::from_utf8(header.value) {
            head.header(header.name, value);
        }
    }
    head
}

/// Finds the first line without which it would still be the beginning of an answer.
fn malformed(head: &[u8], reason: httparse::Error) -> UpgradeError {
    let ends = head.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1);
    let line = ends.take_while(|end| is_beginning(head.get(..*end).unwrap_or_default())).count();
    UpgradeError::Malformed { line: line + 1, reason }
}

fn is_beginning(head: &[u8]) -> bool {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    httparse::Response::new(&mut headers).parse(head).is_ok()
}

#[cfg(test)]
mod tests;
