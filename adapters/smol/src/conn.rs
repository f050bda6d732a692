//! One WebSocket in the feed's hands.

use std::pin::Pin;
use std::task::{Context, Poll};

use async_tungstenite::WebSocketStream;
use async_tungstenite::tungstenite::{Error, Message};
use futures_core::Stream as _;
use futures_util::Sink;
use kucoin_futures_host::{Heard, websocket_loss};
use kucoin_futures_proto::{ConnId, Loss};

use crate::socket::Socket;

#[derive(Debug)]
pub(crate) struct Conn {
    id: ConnId,
    websocket: WebSocketStream<Socket>,
    /// Not everything was sent: flush before waiting.
    unsent: bool,
}

impl Conn {
    pub(crate) const fn new(id: ConnId, websocket: WebSocketStream<Socket>) -> Self {
        Self { id, websocket, unsent: false }
    }

    pub(crate) const fn id(&self) -> ConnId {
        self.id
    }

    /// The next message, if it is one of the usual ones; the task is woken when there is more.
    /// `None`: see [`Conn::poll_read`].
    pub(crate) fn poll_text(&mut self, cx: &mut Context<'_>) -> Poll<Option<&[u8]>> {
        if self.unsent {
            // What goes wrong here is heard by a read.
            let _ = self.poll_flush(cx);
        }
        self.websocket.get_mut().poll_text(cx)
    }

    /// What else there is to hear; the task is woken when there is more.
    pub(crate) fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<Heard> {
        let read = match Pin::new(&mut self.websocket).poll_next(cx) {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(read) => read.unwrap_or(Err(Error::ConnectionClosed)),
        };
        let heard = Heard::from_read(read);
        if let Heard::Control | Heard::Closed(_) = heard {
            // The library's answer.
            let _ = self.poll_flush(cx);
        }
        Poll::Ready(heard)
    }

    /// Queues a message; it goes out at the next read or flush at the latest.
    pub(crate) fn send(&mut self, text: &str) -> Result<(), Loss> {
        self.unsent = true;
        let sent = self.sink().start_send(Message::text(text));
        sent.map_err(|error| websocket_loss(&error))
    }

    /// Says goodbye, as far as that goes without waiting.
    pub(crate) fn shut(mut self, cx: &mut Context<'_>) {
        let _ = self.sink().poll_close(cx);
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let flushed = self.sink().poll_flush(cx);
        self.unsent = flushed.is_pending();
        flushed
    }

    fn sink(&mut self) -> Pin<&mut impl Sink<Message, Error = Error>> {
        Pin::new(&mut self.websocket)
    }
}
