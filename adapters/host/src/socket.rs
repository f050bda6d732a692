//! A TCP stream with or without TLS.

use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::ops::Range;
use std::task::Poll;

use rustls::{ClientConnection, StreamOwned};

use crate::text_frame_reader::TextFrameReader;

/// The stream under a WebSocket.
#[derive(Debug)]
pub struct Socket {
    source: Source,
    reader: TextFrameReader,
}

#[derive(Debug)]
struct Source {
    stream: Stream,
    supply: Supply,
}

#[derive(Debug)]
enum Stream {
    /// Without TLS: loopback only.
    Plain(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

/// What is known of bytes that the system may have for us.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Supply {
    /// Nobody says when there are more: each read asks.
    Unwatched,
    /// There may be some.
    Open,
    /// The last read took all; the poller will tell of more.
    Dry,
}

impl Socket {
    /// `first`: what was read of it with the answer to the upgrade.
    pub(crate) fn plain(tcp: TcpStream, first: &[u8]) -> Self {
        Self::new(Stream::Plain(tcp), first)
    }

    /// `first`: what was read of it with the answer to the upgrade.
    pub(crate) fn tls(tls: StreamOwned<ClientConnection, TcpStream>, first: &[u8]) -> Self {
        Self::new(Stream::Tls(Box::new(tls)), first)
    }

    fn new(stream: Stream, first: &[u8]) -> Self {
        let source = Source { stream, supply: Supply::Unwatched };
        Self { source, reader: TextFrameReader::new(first) }
    }

    /// The next message, if it is here or can be read without waiting, is text, and nothing that the
    /// library must see. It lies in [`Socket::text`] until the next call. `None`: read from the
    /// WebSocket, which will find what is here or say why there is nothing.
    #[inline]
    pub fn take_text(&mut self) -> Option<Range<usize>> {
        match self.reader.poll_text(|space| Poll::Ready(self.source.read(space))) {
            Poll::Ready(taken) => taken,
            Poll::Pending => None,
        }
    }

    /// A message that was taken, by its place.
    #[must_use]
    #[inline]
    pub fn text(&self, taken: Range<usize>) -> &[u8] {
        self.reader.text(taken)
    }

    /// Whether a whole frame is here that was read already.
    #[must_use]
    #[inline]
    pub fn has_frame(&self) -> bool {
        self.reader.has_frame()
    }

    /// The TCP stream, for timeouts, pollers and options.
    #[must_use]
    pub const fn tcp(&self) -> &TcpStream {
        match &self.source.stream {
            Stream::Plain(tcp) => tcp,
            Stream::Tls(tls) => &tls.sock,
        }
    }

    /// There may be something to read. Whoever calls this whenever a poller says so, and once at the
    /// start, saves the system call that would only say that there is no more: after a read that did
    /// not fill its buffer, the next one "would block" without asking.
    pub const fn on_readable(&mut self) {
        self.source.supply = Supply::Open;
    }
}

impl Source {
    fn read(&mut self, space: &mut [u8]) -> io::Result<usize> {
        if self.supply == Supply::Dry {
            return Err(ErrorKind::WouldBlock.into());
        }
        match &mut self.stream {
            Stream::Plain(tcp) => {
                let count = tcp.read(space)?;
                // The end is no shortage: it is there to be read again.
                let short = count < space.len() && count > 0;
                if short && self.supply == Supply::Open {
                    self.supply = Supply::Dry;
                }
                Ok(count)
            }
            // A record at a time: a short read says nothing.
            Stream::Tls(tls) => tls.read(space),
        }
    }
}

/// Not beyond the end of a frame: see [`TextFrameReader`].
impl Read for Socket {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        match self.reader.poll_read(to, |space| Poll::Ready(self.source.read(space))) {
            Poll::Ready(read) => read,
            Poll::Pending => Err(ErrorKind::WouldBlock.into()),
        }
    }
}

impl Write for Socket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.source.stream {
            Stream::Plain(tcp) => tcp.write(bytes),
            Stream::Tls(tls) => tls.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.source.stream {
            Stream::Plain(tcp) => tcp.flush(),
            Stream::Tls(tls) => tls.flush(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    fn pair() -> (TcpStream, Socket) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let peer = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        (peer, Socket::plain(listener.accept().unwrap().0, b""))
    }

    fn next_text(socket: &mut Socket) -> Option<&[u8]> {
        socket.take_text().map(|taken| socket.text(taken))
    }

    #[test]
    fn after_a_short_read_a_watched_socket_waits_for_its_poller() {
        let (mut peer, mut socket) = pair();
        for watched in [false, true] {
            if watched {
                socket.on_readable();
            }
            peer.write_all(b"\x81\x03one").unwrap();
            assert_eq!(next_text(&mut socket).unwrap(), b"one");
            peer.write_all(b"\x81\x03two").unwrap();
            if watched {
                assert_eq!(next_text(&mut socket), None);
                let error = socket.read(&mut [0; 8]).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::WouldBlock);
                socket.on_readable();
            }
            assert_eq!(next_text(&mut socket).unwrap(), b"two");
        }
        drop(peer);
        socket.on_readable();
        assert_eq!(next_text(&mut socket), None);
        for _ in 0..2 {
            assert_eq!(socket.read(&mut [0; 8]).unwrap(), 0, "the end stays the end");
        }
    }

    #[test]
    fn after_a_full_read_there_may_be_more() {
        let (mut peer, mut socket) = pair();
        socket.tcp().set_nonblocking(true).unwrap();
        socket.on_readable();
        let count = 100_000;
        let sender = std::thread::spawn(move || {
            peer.write_all(&b"\x81\x03one".repeat(count)).unwrap();
            peer
        });
        let mut heard = 0;
        while heard < count {
            match next_text(&mut socket) {
                Some(text) => {
                    assert_eq!(text, b"one");
                    heard += 1;
                }
                None => {
                    let stopped = socket.read(&mut [0; 8]);
                    assert_eq!(stopped.unwrap_err().kind(), ErrorKind::WouldBlock);
                    socket.on_readable();
                }
            }
        }
        sender.join().unwrap();
    }
}
