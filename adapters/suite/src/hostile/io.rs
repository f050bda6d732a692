//! A connection of a hostile peer, with or without TLS.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, ServerConfig, ServerConnection, StreamOwned};

/// No peer outlives its row by more.
const LONGEST_READ: Duration = Duration::from_secs(20);
/// For a client that does not read.
const LONGEST_WRITE: Duration = Duration::from_secs(5);

pub(super) enum Io {
    Plain(TcpStream),
    Server(Box<StreamOwned<ServerConnection, TcpStream>>),
    Client(Box<StreamOwned<ClientConnection, TcpStream>>),
}

impl Io {
    pub(super) fn plain(tcp: TcpStream) -> io::Result<Self> {
        tcp.set_nodelay(true)?;
        tcp.set_read_timeout(Some(LONGEST_READ))?;
        tcp.set_write_timeout(Some(LONGEST_WRITE))?;
        Ok(Self::Plain(tcp))
    }

    /// Takes a client in.
    pub(super) fn accept(tcp: TcpStream, tls: Option<&Arc<ServerConfig>>) -> io::Result<Self> {
        let plain = Self::plain(tcp)?;
        match (plain, tls) {
            (Self::Plain(tcp), Some(config)) => {
                let tls = ServerConnection::new(Arc::clone(config)).map_err(io::Error::other)?;
                Ok(Self::Server(Box::new(StreamOwned::new(tls, tcp))))
            }
            (plain, _) => Ok(plain),
        }
    }

    /// Connects to the exchange.
    pub(super) fn connect(to: SocketAddr, tls: Option<&Arc<ClientConfig>>) -> io::Result<Self> {
        let plain = Self::plain(TcpStream::connect(to)?)?;
        match (plain, tls) {
            (Self::Plain(tcp), Some(config)) => {
                let name = ServerName::from(to.ip());
                let tls =
                    ClientConnection::new(Arc::clone(config), name).map_err(io::Error::other)?;
                Ok(Self::Client(Box::new(StreamOwned::new(tls, tcp))))
            }
            (plain, _) => Ok(plain),
        }
    }

    pub(super) fn tcp(&self) -> &TcpStream {
        match self {
            Self::Plain(tcp) => tcp,
            Self::Server(tls) => &tls.sock,
            Self::Client(tls) => &tls.sock,
        }
    }

    /// Reads, also where nothing can be written any more: over TLS a plain read would try that first.
    pub(super) fn hear(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let Self::Server(tls) = self else { return self.read(to) };
        loop {
            match tls.conn.reader().read(to) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                read => return read,
            }
            if tls.conn.read_tls(&mut tls.sock)? == 0 {
                return Ok(0);
            }
            tls.conn.process_new_packets().map_err(io::Error::other)?;
        }
    }

    /// Says over TLS that there is no more, so that an end is none of somebody else's making.
    pub(super) fn finish(&mut self) -> io::Result<()> {
        if let Self::Server(tls) = self {
            tls.conn.send_close_notify();
        }
        self.flush()
    }
}

impl Read for Io {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(tcp) => tcp.read(to),
            Self::Server(tls) => tls.read(to),
            Self::Client(tls) => tls.read(to),
        }
    }
}

impl Write for Io {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(tcp) => tcp.write(bytes),
            Self::Server(tls) => tls.write(bytes),
            Self::Client(tls) => tls.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(tcp) => tcp.flush(),
            Self::Server(tls) => tls.flush(),
            Self::Client(tls) => tls.flush(),
        }
    }
}
