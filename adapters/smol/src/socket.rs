//! A TCP stream with or without TLS, under the WebSocket library and beside it.

use std::io;
use std::ops::Range;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_lite::{AsyncRead, AsyncWrite};
use futures_rustls::client::TlsStream;
use kucoin_futures_host::Inlet;
use smol::net::TcpStream;

#[derive(Debug)]
pub(crate) struct Socket {
    stream: Stream,
    inlet: Inlet,
    /// Why there was nothing to read, if the library has yet to hear of it.
    stopped: Option<io::Result<usize>>,
}

#[derive(Debug)]
enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Socket {
    pub(crate) fn plain(tcp: TcpStream) -> Self {
        Self::new(Stream::Plain(tcp))
    }

    pub(crate) fn tls(tls: TlsStream<TcpStream>) -> Self {
        Self::new(Stream::Tls(Box::new(tls)))
    }

    fn new(stream: Stream) -> Self {
        Self { stream, inlet: Inlet::new(), stopped: None }
    }

    /// The next message, if it is one of those that the library need not see. `None`: read from the
    /// WebSocket, which will find what is here or say why there is nothing. Lent until the next call.
    pub(crate) fn poll_text(&mut self, cx: &mut Context<'_>) -> Poll<Option<&[u8]>> {
        let taken = match self.inlet.take_text() {
            Some(taken) => Some(taken),
            None => ready!(self.poll_read_text(cx)),
        };
        Poll::Ready(taken.map(|taken| self.inlet.bytes(taken)))
    }

    fn poll_read_text(&mut self, cx: &mut Context<'_>) -> Poll<Option<Range<usize>>> {
        while self.stopped.is_none() && !self.inlet.has_more() {
            match ready!(self.poll_fill(cx)) {
                Ok(count) if count > 0 => {
                    if let Some(taken) = self.inlet.take_text() {
                        return Poll::Ready(Some(taken));
                    }
                }
                stopped => self.stopped = Some(stopped),
            }
        }
        Poll::Ready(None)
    }

    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let space = self.inlet.space();
        let count = match &mut self.stream {
            Stream::Plain(tcp) => Pin::new(tcp).poll_read(cx, space),
            Stream::Tls(tls) => Pin::new(tls).poll_read(cx, space),
        };
        let count = ready!(count)?;
        self.inlet.filled(count);
        Poll::Ready(Ok(count))
    }
}

/// Not beyond the end of a frame: see [`Inlet`].
impl AsyncRead for Socket {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        to: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let socket = self.get_mut();
        // What is here then is the beginning of a message, which may yet become whole here.
        if let Some(stopped) = socket.stopped.take() {
            return Poll::Ready(stopped);
        }
        loop {
            let passed = socket.inlet.pass(to);
            if passed > 0 || ready!(socket.poll_fill(cx))? == 0 {
                return Poll::Ready(Ok(passed));
            }
        }
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match &mut self.get_mut().stream {
            Stream::Plain(tcp) => Pin::new(tcp).poll_write(cx, bytes),
            Stream::Tls(tls) => Pin::new(tls).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().stream {
            Stream::Plain(tcp) => Pin::new(tcp).poll_flush(cx),
            Stream::Tls(tls) => Pin::new(tls).poll_flush(cx),
        }
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().stream {
            Stream::Plain(tcp) => Pin::new(tcp).poll_close(cx),
            Stream::Tls(tls) => Pin::new(tls).poll_close(cx),
        }
    }
}
