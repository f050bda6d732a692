//! One WebSocket in the feed's hands.

use std::io::{self, ErrorKind};
use std::ops::Range;
use std::sync::Arc;
use std::task::{Context, Poll};

use kucoin_futures_host::{
    Connection, Received, Socket, WsRead, websocket_close_code, websocket_error,
};
use kucoin_futures_proto::{ConnId, TransportError};
use polling::Poller;
use tungstenite::protocol::CloseFrame;
use tungstenite::{Error, Message, Utf8Bytes, WebSocket};

use crate::registered::Registered;

#[derive(Debug)]
pub(crate) struct Conn {
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
        Ok(Self { registered, websocket, readable: true, unsent: false })
    }

    /// The poller says that the socket is readable or writable.
    pub(crate) fn on_event(&mut self) {
        self.readable = true;
        self.websocket.get_mut().on_readable();
        if self.unsent {
            // What goes wrong here is heard at the next read.
            let _ = self.flush();
        }
    }

    /// Asks the poller for the next notice.
    pub(crate) fn watch(&mut self) -> io::Result<()> {
        self.registered.watch(self.unsent)
    }

    fn read_other(&mut self) -> Poll<Received> {
        let read = loop {
            match self.websocket.read() {
                Err(Error::Io(error)) if error.kind() == ErrorKind::WouldBlock => {
                    self.readable = false;
                    return Poll::Pending;
                }
                Err(Error::Io(error)) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => {
                    self.say_why(&error);
                    break WsRead::from_read(Err(error));
                }
                read => break WsRead::from_read(read),
            }
        };
        if let WsRead::Control | WsRead::Closed(_) = read {
            // The library's answer. What goes wrong here is heard at the next read.
            let _ = self.flush();
        }
        Poll::Ready(Received::Other(read))
    }

    /// Tells a peer that broke a rule which one, if the socket takes it: nobody waits for how it ends.
    fn say_why(&mut self, error: &Error) {
        if let Some(code) = websocket_close_code(error) {
            let _ = self.websocket.close(Some(CloseFrame { code, reason: Utf8Bytes::default() }));
        }
    }

    fn flush(&mut self) -> Result<(), TransportError> {
        match self.websocket.flush() {
            Ok(()) => {
                self.unsent = false;
                Ok(())
            }
            Err(Error::Io(error)) if error.kind() == ErrorKind::WouldBlock => {
                self.unsent = true;
                Ok(())
            }
            Err(error) => Err(websocket_error(&error)),
        }
    }
}

impl Connection for Conn {
    #[inline]
    fn poll_read(&mut self, _: &mut Context<'_>) -> Poll<Received> {
        if !self.readable {
            return Poll::Pending;
        }
        match self.websocket.get_mut().take_text() {
            Some(text) => Poll::Ready(Received::Text(text)),
            None => self.read_other(),
        }
    }

    #[inline]
    fn text(&self, at: Range<usize>) -> &[u8] {
        self.websocket.get_ref().text(at)
    }

    #[inline]
    fn has_frame(&self) -> bool {
        self.websocket.get_ref().has_frame()
    }

    fn send(&mut self, text: &str) -> Result<(), TransportError> {
        match self.websocket.write(Message::text(text)) {
            Ok(()) => self.flush(),
            Err(Error::Io(error)) if error.kind() == ErrorKind::WouldBlock => self.flush(),
            Err(error) => Err(websocket_error(&error)),
        }
    }

    fn shut(mut self) {
        let _ = self.websocket.close(None);
        let _ = self.websocket.flush();
    }
}

/// The poller's name for a connection; its own uses `usize::MAX`.
pub(crate) const fn key_of(id: ConnId) -> usize {
    id.get() as usize
}
