//! tungstenite's words in the core's.

use std::io::ErrorKind;

use bytes::Bytes;
use kucoin_futures_proto::{ConnId, Input, TransportError};
use tungstenite::protocol::WebSocketConfig;
use tungstenite::protocol::frame::coding::CloseCode;
use tungstenite::{Error, Message};

use crate::io_error::io_error;

/// Longest message accepted; the longest real one has about 2 KiB. The library's default is 64 MiB.
const MAX_MESSAGE: usize = 1 << 20;
/// Read at a time: some eighty level2 frames. The library's default is 128 KiB, cleared at each read.
const READ_BUFFER: usize = 16 << 10;
/// Unsent bytes after which the peer counts as stuck. The library's default is without limit.
const MAX_UNSENT: usize = 256 << 10;

/// Caps for both directions; every write goes out at once.
#[must_use]
pub fn websocket_config() -> WebSocketConfig {
    WebSocketConfig::default()
        .max_message_size(Some(MAX_MESSAGE))
        .max_frame_size(Some(MAX_MESSAGE))
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(0)
        .max_write_buffer_size(MAX_UNSENT)
}

/// What the WebSocket library made of a read.
#[derive(Debug)]
#[allow(clippy::exhaustive_enums, reason = "an adapter must handle all of them")]
pub enum WsRead {
    /// A text message.
    Text(Bytes),
    /// A binary message.
    Binary,
    /// A ping or a pong of the WebSocket layer; the library has an answer that must be flushed.
    Control,
    /// A close frame: flush the answer; the connection is over.
    Closed(TransportError),
    /// The connection is over.
    Lost(TransportError),
}

impl WsRead {
    /// Sorts a result that is not "would block".
    #[must_use]
    #[inline]
    pub fn from_read(read: Result<Message, Error>) -> Self {
        match read {
            Ok(Message::Text(text)) => Self::Text(text.into()),
            Ok(Message::Binary(_)) => Self::Binary,
            Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_)) => Self::Control,
            Ok(Message::Close(frame)) => {
                Self::Closed(TransportError::Closed { code: frame.map(|frame| frame.code.into()) })
            }
            Err(error) => Self::Lost(websocket_error(&error)),
        }
    }

    /// Whether the connection is over.
    #[must_use]
    pub const fn is_end(&self) -> bool {
        matches!(self, Self::Closed(_) | Self::Lost(_))
    }

    /// What to tell a client that is driven by hand. An early `Timeout` is harmless.
    #[must_use]
    pub fn to_input(&self, conn: ConnId) -> Input<'_> {
        match self {
            Self::Text(text) => Input::Text { conn, bytes: text },
            Self::Binary => Input::Binary { conn },
            Self::Control => Input::Timeout,
            Self::Closed(error) | Self::Lost(error) => Input::Lost { conn, error: *error },
        }
    }
}

/// What to close a connection with after a read that failed (RFC 6455, section 7.4.1): the library leaves that to whoever
/// reads. `None`: the peer broke no rule, or is gone.
#[must_use]
pub fn websocket_close_code(error: &Error) -> Option<CloseCode> {
    use tungstenite::error::ProtocolError;
    match error {
        Error::Capacity(_) => Some(CloseCode::Size),
        Error::Io(error) if error.kind() == ErrorKind::FileTooLarge => Some(CloseCode::Size),
        Error::Utf8(_) => Some(CloseCode::Invalid),
        Error::Protocol(
            ProtocolError::ResetWithoutClosingHandshake
            | ProtocolError::HandshakeIncomplete
            | ProtocolError::SendAfterClosing
            | ProtocolError::ReceivedAfterClosing,
        ) => None,
        Error::Protocol(_) => Some(CloseCode::Protocol),
        _ => None,
    }
}

/// The end of a connection, or of an attempt at one.
#[must_use]
pub fn websocket_error(error: &Error) -> TransportError {
    use tungstenite::error::ProtocolError;
    match error {
        Error::ConnectionClosed | Error::AlreadyClosed => TransportError::Closed { code: None },
        Error::Io(error) => io_error(error),
        Error::Tls(_) => TransportError::Tls,
        Error::Capacity(_) => TransportError::TooLarge,
        Error::Protocol(
            ProtocolError::ResetWithoutClosingHandshake | ProtocolError::HandshakeIncomplete,
        ) => TransportError::Eof,
        Error::Protocol(_) | Error::Utf8(_) | Error::AttackAttempt => TransportError::Protocol,
        Error::WriteBufferFull(_) => TransportError::Clogged,
        Error::Http(response) => {
            TransportError::Upgrade { status: response.status().as_u16(), retry_after: None }
        }
        Error::Url(_) | Error::HttpFormat(_) => TransportError::Other,
    }
}

#[cfg(test)]
mod tests {
    use tungstenite::error::{CapacityError, ProtocolError};

    use super::*;

    #[test]
    fn who_broke_a_rule_is_told_which_and_who_is_gone_is_told_nothing() {
        let size = Error::Capacity(CapacityError::MessageTooLong { size: 2, max_size: 1 });
        let parts = Error::Io(ErrorKind::FileTooLarge.into());
        let text = Error::Utf8("x".into());
        let masked = Error::Protocol(ProtocolError::MaskedFrameFromServer);
        let told = [(size, 1009), (parts, 1009), (text, 1007), (masked, 1002)];
        for (error, code) in told {
            assert_eq!(websocket_close_code(&error).map(u16::from), Some(code), "{error}");
        }
        let gone = [
            Error::ConnectionClosed,
            Error::Io(ErrorKind::ConnectionReset.into()),
            Error::Protocol(ProtocolError::ResetWithoutClosingHandshake),
            Error::Protocol(ProtocolError::ReceivedAfterClosing),
        ];
        for error in gone {
            assert_eq!(websocket_close_code(&error), None, "{error}");
        }
    }
}
