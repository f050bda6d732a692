//! The system's errors in the core's words.

use std::io::{self, ErrorKind};

use kucoin_futures_proto::Loss;

/// How a socket ended, or was not to be had.
#[must_use]
pub fn io_loss(error: &io::Error) -> Loss {
    match error.kind() {
        ErrorKind::ConnectionRefused => Loss::Refused,
        ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted | ErrorKind::BrokenPipe => {
            Loss::Reset
        }
        ErrorKind::UnexpectedEof => Loss::Eof,
        // A read timeout of a blocking socket is one or the other, by system.
        ErrorKind::TimedOut | ErrorKind::WouldBlock => Loss::TimedOut,
        // rustls reports a refused certificate as bad data.
        ErrorKind::InvalidData => Loss::Tls,
        _ => Loss::Other,
    }
}
