//! One WebSocket in the feed's hands.

use std::io::{self, ErrorKind};
use std::sync::Arc;

use kucoin_futures_host::{Heard, Socket, websocket_loss};
use kucoin_futures_proto::{ConnId, Loss};
use polling::Poller;
use tungstenite::{Error, Message, WebSocket};

use crate::registered::Registered;

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

impl Conn {
    pub(crate) fn new(
        id: ConnId,
        mut websocket: WebSocket<Socket>,
        poller: &Arc<Poller>,
    ) -> io::Result<Self> {
        let key = key_of(id);
        websocket.get_mut().on_readable();
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
        self.websocket.get_mut().on_readable();
        if self.unsent {
            // What goes wrong here is heard at the next read.
            let _ = self.flush();
        }
    }

    /// The next message, if it is one of the usual ones and can be had without waiting. `None`: see
    /// [`Conn::read`].
    #[inline]
    pub(crate) fn text(&mut self) -> Option<&[u8]> {
        self.websocket.get_mut().text()
    }

    /// What else there is to hear without waiting; `None`: nothing now.
    pub(crate) fn read(&mut self) -> Option<Heard> {
        let read = match self.websocket.read() {
            Err(Error::Io(error)) if error.kind() == ErrorKind::WouldBlock => {
                self.readable = false;
                return None;
            }
            Err(Error::Io(error)) if error.kind() == ErrorKind::Interrupted => return None,
            read => read,
        };
        let heard = Heard::from_read(read);
        if let Heard::Control | Heard::Closed(_) = heard {
            // The library's answer. What goes wrong here is heard at the next read.
            let _ = self.flush();
        }
        Some(heard)
    }

    /// Sends a message, or keeps what cannot be sent yet.
    pub(crate) fn send(&mut self, text: &str) -> Result<(), Loss> {
        match self.websocket.write(Message::text(text)) {
            Ok(()) => self.flush(),
            Err(Error::Io(error)) if error.kind() == ErrorKind::WouldBlock => self.flush(),
            Err(error) => Err(websocket_loss(&error)),
        }
    }

    /// Says goodbye, as far as that goes without waiting.
    pub(crate) fn shut(mut self) {
        let _ = self.websocket.close(None);
        let _ = self.websocket.flush();
    }

    /// Asks the poller for the next notice.
    pub(crate) fn watch(&mut self) -> io::Result<()> {
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
            Err(error) => Err(websocket_loss(&error)),
        }
    }
}

/// The poller's name for a connection; its own uses `usize::MAX`.
pub(crate) const fn key_of(id: ConnId) -> usize {
    id.get() as usize
}
