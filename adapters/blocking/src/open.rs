//! Connecting on a helper thread: resolution, TCP, TLS, upgrade.

use std::io::{self, ErrorKind};
use std::net::{Shutdown, TcpStream, ToSocketAddrs as _};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use kucoin_futures_host::io_loss;
use kucoin_futures_proto::{Endpoint, Loss};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};
use tungstenite::handshake::HandshakeError;
use tungstenite::protocol::WebSocketConfig;
use tungstenite::{Error, WebSocket};

use crate::socket::Socket;

/// Longest message accepted; the longest real one has about 2 KiB. The library's default is 64 MiB.
const MAX_MESSAGE: usize = 1 << 20;
/// Unsent bytes after which the peer counts as stuck. The library's default is without limit.
const MAX_UNSENT: usize = 256 << 10;
/// For one address and for one read of the handshake; the core's deadline covers the whole.
const STEP_TIMEOUT: Duration = Duration::from_secs(10);

/// Lets the feed give up an attempt that is under way.
#[derive(Clone, Debug, Default)]
pub(crate) struct Attempt {
    abandoned: Arc<AtomicBool>,
    tcp: Arc<Mutex<Option<TcpStream>>>,
}

impl Attempt {
    /// Ends the attempt: whatever it waits for fails now.
    pub(crate) fn abandon(&self) {
        let mut held = self.tcp.lock().unwrap_or_else(PoisonError::into_inner);
        self.abandoned.store(true, Ordering::Relaxed);
        if let Some(tcp) = held.take() {
            // It may be closed already.
            let _ = tcp.shutdown(Shutdown::Both);
        }
    }

    fn is_abandoned(&self) -> bool {
        self.abandoned.load(Ordering::Relaxed)
    }

    /// From now on `abandon` reaches the stream; it may have come before.
    fn hold(&self, tcp: &TcpStream) -> io::Result<()> {
        let mut held = self.tcp.lock().unwrap_or_else(PoisonError::into_inner);
        if self.is_abandoned() {
            return Err(ErrorKind::TimedOut.into());
        }
        *held = Some(tcp.try_clone()?);
        Ok(())
    }
}

/// Connects and upgrades; the socket comes back non-blocking.
pub(crate) fn open(
    to: &Endpoint,
    tls: &Arc<ClientConfig>,
    attempt: &Attempt,
) -> Result<WebSocket<Socket>, Loss> {
    let tcp = connect(to, attempt)?;
    let socket = if to.is_tls() {
        Socket::Tls(Box::new(start_tls(to, tls, tcp)?))
    } else {
        Socket::Plain(tcp)
    };
    let config = WebSocketConfig::default()
        .max_message_size(Some(MAX_MESSAGE))
        .max_frame_size(Some(MAX_MESSAGE))
        .write_buffer_size(0)
        .max_write_buffer_size(MAX_UNSENT);
    let upgraded = tungstenite::client::client_with_config(to.secret_url(), socket, Some(config));
    let (websocket, _) = upgraded.map_err(|error| match error {
        HandshakeError::Failure(error) => loss(&error),
        // A read timeout on a blocking socket.
        HandshakeError::Interrupted(_) => Loss::TimedOut,
    })?;
    let tcp = websocket.get_ref().tcp();
    let ready = tcp
        .set_read_timeout(None)
        .and_then(|()| tcp.set_write_timeout(None))
        .and_then(|()| tcp.set_nonblocking(true));
    ready.map_err(|error| io_loss(&error))?;
    Ok(websocket)
}

fn connect(to: &Endpoint, attempt: &Attempt) -> Result<TcpStream, Loss> {
    let addresses = (to.host(), to.port()).to_socket_addrs().map_err(|_| Loss::Dns)?;
    let mut failure = Loss::Dns;
    for address in addresses {
        if attempt.is_abandoned() {
            return Err(Loss::TimedOut);
        }
        match TcpStream::connect_timeout(&address, STEP_TIMEOUT).and_then(|tcp| {
            tcp.set_nodelay(true)?;
            tcp.set_read_timeout(Some(STEP_TIMEOUT))?;
            tcp.set_write_timeout(Some(STEP_TIMEOUT))?;
            attempt.hold(&tcp)?;
            Ok(tcp)
        }) {
            Ok(tcp) => return Ok(tcp),
            Err(error) => failure = io_loss(&error),
        }
    }
    Err(failure)
}

fn start_tls(
    to: &Endpoint,
    config: &Arc<ClientConfig>,
    mut tcp: TcpStream,
) -> Result<StreamOwned<ClientConnection, TcpStream>, Loss> {
    let name = ServerName::try_from(to.host().to_owned()).map_err(|_| Loss::Tls)?;
    let mut tls = ClientConnection::new(Arc::clone(config), name).map_err(|_| Loss::Tls)?;
    while tls.is_handshaking() {
        tls.complete_io(&mut tcp).map_err(|error| match error.kind() {
            ErrorKind::InvalidData => {
                tracing::warn!(host = to.host(), %error, "TLS refused");
                Loss::Tls
            }
            _ => io_loss(&error),
        })?;
    }
    Ok(StreamOwned::new(tls, tcp))
}

/// The end of a connection, in the core's words.
pub(crate) fn loss(error: &Error) -> Loss {
    use tungstenite::error::ProtocolError;
    match error {
        Error::ConnectionClosed | Error::AlreadyClosed => Loss::Closed { code: None },
        Error::Io(error) => io_loss(error),
        Error::Tls(_) => Loss::Tls,
        Error::Capacity(_) => Loss::TooLarge,
        Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => Loss::Eof,
        Error::Protocol(ProtocolError::HandshakeIncomplete) => Loss::Eof,
        Error::Protocol(_) | Error::Utf8(_) | Error::AttackAttempt => Loss::Protocol,
        Error::WriteBufferFull(_) => Loss::Clogged,
        Error::Http(response) => Loss::Upgrade { status: response.status().as_u16() },
        Error::Url(_) | Error::HttpFormat(_) => Loss::Other,
    }
}
