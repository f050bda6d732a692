//! One WebSocket in the feed's hands.

use std::io::{self, ErrorKind};
use std::sync::Arc;

use kucoin_futures_proto::{ConnId, Loss};
use polling::Poller;
use tungstenite::{Error, Message, Utf8Bytes, WebSocket};

use crate::open::loss;
use crate::registered::Registered;
use crate::socket::Socket;

#[derive(Debug)]
pub(crate) struct Conn {
    id: ConnId,
    /// Before the socket: it must leave the poller first.
    registered: Registered,
    websocket: WebSocket<Socket>,
    /// There may be more to read without waiting.
    readable: bool,
    /// Not everything could be sent: the socket must become writable first.
    unsent: bool,
}

/// What a connection has to say.
#[derive(Debug)]
pub(crate) enum Heard {
    Text(Utf8Bytes),
    Binary,
    Lost(Loss),
    Nothing,
}

impl Conn {
    pub(crate) fn new(
        id: ConnId,
        websocket: WebSocket<Socket>,
        poller: &Arc<Poller>,
    ) -> io::Result<Self> {
        let key = key_of(id);
        let registered = Registered::new(Arc::clone(poller), websocket.get_ref().tcp(), key)?;
        Ok(Self { id, registered, websocket, readable: true, unsent: false })
    }

    pub(crate) const fn id(&self) -> ConnId {
        self.id
    }

    pub(crate) const fn is_readable(&self) -> bool {
        self.readable
    }

    /// The poller has news of this connection.
    pub(crate) fn on_event(&mut self) {
        self.readable = true;
        if self.unsent {
            // What goes wrong here is heard at the next read.
            let _ = self.flush();
        }
    }

    /// The next message, without waiting.
    pub(crate) fn read(&mut self) -> Heard {
        match self.websocket.read() {
            Ok(Message::Text(text)) => Heard::Text(text),
            Ok(Message::Binary(_)) => Heard::Binary,
            Ok(Message::Close(frame)) => {
                let code = frame.map(|frame| frame.code.into());
                let _ = self.flush();
                Heard::Lost(Loss::Closed { code })
            }
            // A ping of the server's is answered by the library; the answer must be sent.
            Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_)) => {
                let _ = self.flush();
                Heard::Nothing
            }
            Err(Error::Io(error)) if error.kind() == ErrorKind::WouldBlock => {
                self.readable = false;
                Heard::Nothing
            }
            Err(Error::Io(error)) if error.kind() == ErrorKind::Interrupted => Heard::Nothing,
            Err(error) => Heard::Lost(loss(&error)),
        }
    }

    /// Sends a message, or keeps what cannot be sent yet.
    pub(crate) fn send(&mut self, text: &str) -> Result<(), Loss> {
        match self.websocket.write(Message::text(text)) {
            Ok(()) => self.flush(),
            Err(Error::Io(error)) if error.kind() == ErrorKind::WouldBlock => self.flush(),
            Err(error) => Err(loss(&error)),
        }
    }

    /// Says goodbye, as far as that goes without waiting.
    pub(crate) fn shut(mut self) {
        let _ = self.websocket.close(None);
        let _ = self.websocket.flush();
    }

    /// Asks the poller for the next notice.
    pub(crate) fn watch(&self) -> io::Result<()> {
        self.registered.watch(self.unsent)
    }

    fn flush(&mut self) -> Result<(), Loss> {
        match self.websocket.flush() {
            Ok(()) => {
                self.unsent = false;
                Ok(())
            }
            Err(Error::Io(error)) if error.kind() == ErrorKind::WouldBlock => {
                self.unsent = true;
                Ok(())
            }
            Err(error) => Err(loss(&error)),
        }
    }
}

/// The poller's name for a connection; its own uses `usize::MAX`.
pub(crate) const fn key_of(id: ConnId) -> usize {
    id.get() as usize
}
