//! A TCP stream with or without TLS, under the WebSocket library and beside it.

use std::io;
use std::ops::Range;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_lite::{AsyncRead, AsyncWrite};
use futures_rustls::client::TlsStream;
use kucoin_futures_host::TextFrameReader;
use smol::net::TcpStream;

/// The stream under a WebSocket.
#[derive(Debug)]
pub struct Socket {
    stream: Stream,
    reader: TextFrameReader,
}

#[derive(Debug)]
enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Stream {
    fn poll_read(&mut self, cx: &mut Context<'_>, to: &mut [u8]) -> Poll<io::Result<usize>> {
        match self {
            Self::Plain(tcp) => Pin::new(tcp).poll_read(cx, to),
            Self::Tls(tls) => Pin::new(tls).poll_read(cx, to),
        }
    }
}

impl Socket {
    /// `first`: what was read of it with the answer to the upgrade.
    pub(crate) fn plain(tcp: TcpStream, first: &[u8]) -> Self {
        Self { stream: Stream::Plain(tcp), reader: TextFrameReader::new(first) }
    }

    /// `first`: what was read of it with the answer to the upgrade.
    pub(crate) fn tls(tls: TlsStream<TcpStream>, first: &[u8]) -> Self {
        Self { stream: Stream::Tls(Box::new(tls)), reader: TextFrameReader::new(first) }
    }

    /// The next message, if it is one of those that the library need not see; it lies in
    /// [`Socket::text`] until the next call. `None`: read from the WebSocket, which will find what is
    /// here or say why there is nothing.
    pub fn poll_text(&mut self, cx: &mut Context<'_>) -> Poll<Option<Range<usize>>> {
        self.reader.poll_text(|space| self.stream.poll_read(cx, space))
    }

    /// Whether a whole frame is here that was read already.
    #[must_use]
    pub fn has_frame(&self) -> bool {
        self.reader.has_frame()
    }

    /// A message that was taken, by its place.
    #[must_use]
    pub fn text(&self, taken: Range<usize>) -> &[u8] {
        self.reader.text(taken)
    }
}

/// Not beyond the end of a frame: see [`TextFrameReader`].
impl AsyncRead for Socket {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        to: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let Self { stream, reader } = self.get_mut();
        reader.poll_read(to, |space| stream.poll_read(cx, space))
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
