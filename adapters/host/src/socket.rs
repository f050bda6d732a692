//! A TCP stream with or without TLS.

use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;

use rustls::{ClientConnection, StreamOwned};

/// The stream under a WebSocket.
#[derive(Debug)]
pub struct Socket {
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
    pub(crate) const fn plain(tcp: TcpStream) -> Self {
        Self { stream: Stream::Plain(tcp), supply: Supply::Unwatched }
    }

    pub(crate) fn tls(tls: StreamOwned<ClientConnection, TcpStream>) -> Self {
        Self { stream: Stream::Tls(Box::new(tls)), supply: Supply::Unwatched }
    }

    /// The TCP stream, for timeouts, pollers and options.
    #[must_use]
    pub const fn tcp(&self) -> &TcpStream {
        match &self.stream {
            Stream::Plain(tcp) => tcp,
            Stream::Tls(tls) => &tls.sock,
        }
    }

    /// There may be something to read. Whoever calls this whenever a poller says so, and once at the
    /// start, saves the system call that would only say that there is no more: after a read that did
    /// not fill its buffer, the next one "would block" without asking.
    pub const fn on_readable(&mut self) {
        self.supply = Supply::Open;
    }
}

impl Read for Socket {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.supply == Supply::Dry {
            return Err(ErrorKind::WouldBlock.into());
        }
        match &mut self.stream {
            Stream::Plain(tcp) => {
                let read = tcp.read(buffer)?;
                // The end is no shortage: it is there to be read again.
                let short = read < buffer.len() && read > 0;
                if short && self.supply == Supply::Open {
                    self.supply = Supply::Dry;
                }
                Ok(read)
            }
            // A record at a time: a short read says nothing.
            Stream::Tls(tls) => tls.read(buffer),
        }
    }
}

impl Write for Socket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.stream {
            Stream::Plain(tcp) => tcp.write(bytes),
            Stream::Tls(tls) => tls.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.stream {
            Stream::Plain(tcp) => tcp.flush(),
            Stream::Tls(tls) => tls.flush(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn after_a_short_read_a_watched_socket_waits_for_its_poller() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut peer = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let mut socket = Socket::plain(listener.accept().unwrap().0);
        let mut buffer = [0; 8];
        for watched in [false, true] {
            if watched {
                socket.on_readable();
            }
            peer.write_all(b"one").unwrap();
            assert_eq!(socket.read(&mut buffer).unwrap(), 3);
            peer.write_all(b"two").unwrap();
            if watched {
                let error = socket.read(&mut buffer).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::WouldBlock);
                socket.on_readable();
            }
            assert_eq!(socket.read(&mut buffer).unwrap(), 3);
        }
        drop(peer);
        socket.on_readable();
        for _ in 0..2 {
            assert_eq!(socket.read(&mut buffer).unwrap(), 0, "the end stays the end");
        }
    }

    #[test]
    fn after_a_full_read_there_may_be_more() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut peer = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let mut socket = Socket::plain(listener.accept().unwrap().0);
        socket.on_readable();
        peer.write_all(b"onetwo").unwrap();
        let mut buffer = [0; 3];
        socket.read_exact(&mut buffer).unwrap();
        assert_eq!(socket.read(&mut buffer).unwrap(), 3);
    }
}
