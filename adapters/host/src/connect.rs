//! Connecting, blocking: resolution, TCP, TLS, upgrade. For a helper thread.

use std::io::{self, ErrorKind};
use std::net::{Shutdown, TcpStream, ToSocketAddrs as _};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use kucoin_futures_proto::{Endpoint, TransportError};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};
use tungstenite::WebSocket;
use tungstenite::handshake::HandshakeError;

use crate::io_error::io_error;
use crate::socket::Socket;
use crate::websocket::{websocket_config, websocket_error};

/// For one address and for one read of the handshake; the core's deadline covers the whole.
const STEP_TIMEOUT: Duration = Duration::from_secs(10);

/// For an address that is not the last one: a dead one must not use up the time of the others.
pub const ADDRESS_TIMEOUT: Duration = Duration::from_secs(3);

/// Lets another thread give up an attempt that is under way.
#[derive(Clone, Debug, Default)]
pub struct Attempt {
    abandoned: Arc<AtomicBool>,
    tcp: Arc<Mutex<Option<TcpStream>>>,
}

impl Attempt {
    /// Ends the attempt: whatever it waits for fails now.
    pub fn abandon(&self) {
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

/// Connects and upgrades; the socket comes back non-blocking. May take as long as it takes: the
/// core's deadline comes as [`Attempt::abandon`].
///
/// # Errors
/// What the core wants to hear in `Input::Lost`.
pub fn connect(
    to: &Endpoint,
    tls: &Arc<ClientConfig>,
    attempt: &Attempt,
) -> Result<WebSocket<Socket>, TransportError> {
    let tcp = connect_tcp(to, attempt)?;
    let socket =
        if to.is_tls() { Socket::tls(start_tls(to, tls, tcp)?) } else { Socket::plain(tcp) };
    let config = Some(websocket_config());
    let upgraded = tungstenite::client::client_with_config(to.secret_url(), socket, config);
    let (websocket, _) = upgraded.map_err(|error| match error {
        HandshakeError::Failure(error) => websocket_error(&error),
        // A read timeout on a blocking socket.
        HandshakeError::Interrupted(_) => TransportError::TimedOut,
    })?;
    let tcp = websocket.get_ref().tcp();
    let ready = tcp
        .set_read_timeout(None)
        .and_then(|()| tcp.set_write_timeout(None))
        .and_then(|()| tcp.set_nonblocking(true));
    ready.map_err(|error| io_error(&error))?;
    Ok(websocket)
}

fn connect_tcp(to: &Endpoint, attempt: &Attempt) -> Result<TcpStream, TransportError> {
    let addresses: Vec<_> =
        (to.host(), to.port()).to_socket_addrs().map_err(|_| TransportError::Dns)?.collect();
    let mut failure = TransportError::Dns;
    for (at, address) in addresses.iter().enumerate() {
        let last = at + 1 == addresses.len();
        let limit = if last { STEP_TIMEOUT } else { ADDRESS_TIMEOUT };
        if attempt.is_abandoned() {
            return Err(TransportError::TimedOut);
        }
        match TcpStream::connect_timeout(address, limit).and_then(|tcp| {
            tcp.set_nodelay(true)?;
            tcp.set_read_timeout(Some(STEP_TIMEOUT))?;
            tcp.set_write_timeout(Some(STEP_TIMEOUT))?;
            attempt.hold(&tcp)?;
            Ok(tcp)
        }) {
            Ok(tcp) => return Ok(tcp),
            Err(error) => failure = io_error(&error),
        }
    }
    Err(failure)
}

fn start_tls(
    to: &Endpoint,
    config: &Arc<ClientConfig>,
    mut tcp: TcpStream,
) -> Result<StreamOwned<ClientConnection, TcpStream>, TransportError> {
    let name = ServerName::try_from(to.host().to_owned()).map_err(|_| TransportError::Tls)?;
    let mut tls =
        ClientConnection::new(Arc::clone(config), name).map_err(|_| TransportError::Tls)?;
    while tls.is_handshaking() {
        tls.complete_io(&mut tcp).map_err(|error| match error.kind() {
            ErrorKind::InvalidData => {
                tracing::warn!(host = to.host(), %error, "TLS refused");
                TransportError::Tls
            }
            _ => io_error(&error),
        })?;
    }
    Ok(StreamOwned::new(tls, tcp))
}
