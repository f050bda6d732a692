//! The system's errors in the core's words.

use std::io::{self, ErrorKind};

use kucoin_futures_proto::TransportError;

/// How a socket ended, or was not to be had.
#[must_use]
pub fn io_error(error: &io::Error) -> TransportError {
    match error.kind() {
        ErrorKind::ConnectionRefused => TransportError::Refused,
        ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted | ErrorKind::BrokenPipe => {
            TransportError::Reset
        }
        ErrorKind::UnexpectedEof => TransportError::Eof,
        // A read timeout of a blocking socket is one or the other, by system.
        ErrorKind::TimedOut | ErrorKind::WouldBlock => TransportError::TimedOut,
        // What the reader of frames says of a message that has too many parts.
        ErrorKind::FileTooLarge => TransportError::TooLarge,
        // rustls reports a refused certificate as bad data.
        ErrorKind::InvalidData => TransportError::Tls,
        _ if is_lookup(error) => TransportError::Dns,
        _ => TransportError::Other,
    }
}

/// A name that was not found has no kind of its own: on Unix the standard library says so in words,
/// on Windows the system's code does (`WSAHOST_NOT_FOUND`, `WSATRY_AGAIN`, `WSANO_RECOVERY`,
/// `WSANO_DATA`).
fn is_lookup(error: &io::Error) -> bool {
    match error.raw_os_error() {
        Some(code) => cfg!(windows) && (11_001..=11_004).contains(&code),
        None => error.to_string().starts_with("failed to lookup address information"),
    }
}
