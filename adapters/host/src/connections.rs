//! The open connections of a transport.

use std::ops::Range;
use std::task::{Context, Poll};

use kucoin_futures_proto::{ConnId, TransportError};

use crate::transport::Incoming;
use crate::websocket::WsRead;

/// One open WebSocket. No function here waits.
pub trait Connection {
    /// The next message that is there already. `Pending`: there is none, and an async connection has
    /// left `cx` with its socket.
    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<Received>;

    /// The bytes of a [`Received::Text`], until the next `poll_read`.
    fn text(&self, at: Range<usize>) -> &[u8];

    /// Whether a whole frame was read already, so that the next `poll_read` reads nothing from the socket. For
    /// measurements alone; one that does not know says no, and each of its frames counts as a read.
    fn has_frame(&self) -> bool {
        false
    }

    /// Sends a message, or keeps what the socket does not take and sends that when it does.
    ///
    /// # Errors
    /// The connection is broken.
    fn send(&mut self, text: &str) -> Result<(), TransportError>;

    /// Sends a close frame if the socket takes it, and drops the connection.
    fn shut(self);
}

/// What a connection has read.
#[derive(Debug)]
#[allow(clippy::exhaustive_enums, reason = "the two ways out of a socket")]
pub enum Received {
    /// A whole text message, by its place in the socket's buffer.
    Text(Range<usize>),
    /// Anything else, by way of the WebSocket library.
    Other(WsRead),
}

/// The open connections of a transport, by id.
#[derive(Debug)]
pub struct Connections<C> {
    open: Vec<(ConnId, C)>,
    /// Connections that broke while they were written to, until the next `poll_input`.
    broken: Vec<(ConnId, TransportError)>,
}

impl<C: Connection> Connections<C> {
    /// Adds a connection that was upgraded.
    pub fn insert(&mut self, id: ConnId, connection: C) {
        self.open.push((id, connection));
    }

    /// All of them.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (ConnId, &mut C)> {
        self.open.iter_mut().map(|(id, connection)| (*id, connection))
    }

    /// The next input: the first connection that has something is read until it has nothing, then the
    /// one after it. A connection whose end is reported is dropped.
    #[inline]
    pub fn poll_input(&mut self, cx: &mut Context<'_>) -> Poll<Incoming<'_>> {
        if let Some((id, error)) = self.broken.pop() {
            return Poll::Ready(Incoming::Lost(id, error));
        }
        let mut open = self.open.iter_mut().enumerate();
        let found = open.find_map(|(at, (id, connection))| match connection.poll_read(cx) {
            Poll::Ready(received) => Some((at, *id, received)),
            Poll::Pending => None,
        });
        match found {
            Some((at, id, Received::Text(range))) => {
                let text = self.open.get(at).map(|(_, connection)| connection.text(range));
                Poll::Ready(Incoming::Text(id, text.unwrap_or_default()))
            }
            Some((at, id, Received::Other(read))) => {
                if read.is_end() {
                    self.open.swap_remove(at);
                }
                Poll::Ready(Incoming::Read(id, read))
            }
            None => Poll::Pending,
        }
    }

    /// Whether a frame was read already and waits: [`Transport::has_frame`](crate::Transport::has_frame).
    #[must_use]
    #[inline]
    pub fn has_frame(&self) -> bool {
        self.open.iter().any(|(_, connection)| connection.has_frame())
    }

    /// Performs [`Effect::Send`](crate::Effect::Send); a failure is the next input.
    pub fn send(&mut self, id: ConnId, text: &str) {
        let Some((_, connection)) = self.open.iter_mut().find(|(of, _)| *of == id) else { return };
        if let Err(error) = connection.send(text) {
            self.open.retain(|(of, _)| *of != id);
            self.broken.push((id, error));
        }
    }

    /// Performs [`Effect::Close`](crate::Effect::Close) for a connection that is open.
    pub fn shut(&mut self, id: ConnId) {
        if let Some(at) = self.open.iter().position(|(of, _)| *of == id) {
            self.open.swap_remove(at).1.shut();
        }
    }

    /// Shuts all of them.
    pub fn close(&mut self) {
        self.open.drain(..).for_each(|(_, connection)| connection.shut());
    }
}

impl<C> Default for Connections<C> {
    fn default() -> Self {
        Self { open: Vec::new(), broken: Vec::new() }
    }
}
