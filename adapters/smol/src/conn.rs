//! One WebSocket in the feed's hands.

use std::ops::Range;
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};

use async_tungstenite::WebSocketStream;
use async_tungstenite::tungstenite::protocol::CloseFrame;
use async_tungstenite::tungstenite::{Error, Message, Utf8Bytes};
use futures_core::Stream as _;
use futures_util::Sink;
use kucoin_futures_host::{Connection, Received, WsRead, websocket_close_code, websocket_error};
use kucoin_futures_proto::TransportError;

use crate::socket::Socket;

#[derive(Debug)]
pub(crate) struct Conn {
    websocket: WebSocketStream<Socket>,
    /// Not everything was sent: flush before waiting.
    unsent: bool,
}

impl Conn {
    pub(crate) const fn new(websocket: WebSocketStream<Socket>) -> Self {
        Self { websocket, unsent: false }
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let flushed = self.sink().poll_flush(cx);
        self.unsent = flushed.is_pending();
        flushed
    }

    /// Tells a peer that broke a rule which one, if the socket takes it: nobody waits for how it ends.
    fn say_why(&mut self, cx: &mut Context<'_>, error: &Error) {
        if let Some(code) = websocket_close_code(error) {
            let frame = CloseFrame { code, reason: Utf8Bytes::default() };
            let _ = self.sink().start_send(Message::Close(Some(frame)));
            let _ = self.poll_flush(cx);
        }
    }

    fn sink(&mut self) -> Pin<&mut impl Sink<Message, Error = Error>> {
        Pin::new(&mut self.websocket)
    }
}

impl Connection for Conn {
    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<Received> {
        if self.unsent {
            // What goes wrong here is heard by a read.
            let _ = self.poll_flush(cx);
        }
        if let Some(text) = ready!(self.websocket.get_mut().poll_text(cx)) {
            return Poll::Ready(Received::Text(text));
        }
        let read = ready!(Pin::new(&mut self.websocket).poll_next(cx));
        let read = read.unwrap_or(Err(Error::ConnectionClosed));
        if let Err(error) = &read {
            self.say_why(cx, error);
        }
        let read = WsRead::from_read(read);
        if let WsRead::Control | WsRead::Closed(_) = read {
            // The library's answer.
            let _ = self.poll_flush(cx);
        }
        Poll::Ready(Received::Other(read))
    }

    fn text(&self, at: Range<usize>) -> &[u8] {
        self.websocket.get_ref().text(at)
    }

    #[inline]
    fn has_frame(&self) -> bool {
        self.websocket.get_ref().has_frame()
    }

    /// It goes out at the next read at the latest.
    fn send(&mut self, text: &str) -> Result<(), TransportError> {
        self.unsent = true;
        let sent = self.sink().start_send(Message::text(text));
        sent.map_err(|error| websocket_error(&error))
    }

    fn shut(mut self) {
        // Nobody waits for how it ends.
        let _ = self.sink().poll_close(&mut Context::from_waker(Waker::noop()));
    }
}
