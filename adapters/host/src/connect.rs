//! Connecting, blocking: resolution, TCP, TLS, upgrade. For a helper thread.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use kucoin_futures_proto::{Endpoint, TransportError};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};
use tungstenite::WebSocket;
use tungstenite::protocol::Role;

use crate::addresses::Addresses;
use crate::dial::{Attempt, dial};
use crate::io_error::io_error;
use crate::socket::Socket;
use crate::upgrade::{UPGRADE_CHUNK, Upgrade};
use crate::websocket::websocket_config;

/// For all addresses together, and for each read and write of the handshakes; the core's deadline covers the whole.
const STEP_TIMEOUT: Duration = Duration::from_secs(10);

/// Connects and upgrades; the socket comes back non-blocking. May take as long as it takes: the
/// core's deadline comes as [`Attempt::abandon`].
///
/// # Errors
/// What the core wants to hear in `Input::Lost`.
pub fn connect(
    to: &Endpoint,
    tls: &Arc<ClientConfig>,
    addresses: &Addresses,
    attempt: &Attempt,
) -> Result<WebSocket<Socket>, TransportError> {
    let of_host = addresses.lookup(to.host(), to.port()).map_err(|error| {
        tracing::debug!(host = to.host(), %error, "no address");
        TransportError::Dns
    })?;
    let limited = |tcp: &TcpStream, limit| {
        tcp.set_read_timeout(limit)?;
        tcp.set_write_timeout(limit)
    };
    let tcp = dial(addresses, &of_host, STEP_TIMEOUT, attempt).map_err(|error| io_error(&error))?;
    limited(&tcp, Some(STEP_TIMEOUT)).map_err(|error| io_error(&error))?;
    let socket = if to.is_tls() {
        let mut tls = start_tls(to, tls, tcp)?;
        let first = upgrade(to, &mut tls)?;
        Socket::tls(tls, &first)
    } else {
        let mut tcp = tcp;
        let first = upgrade(to, &mut tcp)?;
        Socket::plain(tcp, &first)
    };
    let ready = limited(socket.tcp(), None).and_then(|()| socket.tcp().set_nonblocking(true));
    ready.map_err(|error| io_error(&error))?;
    Ok(WebSocket::from_raw_socket(socket, Role::Client, Some(websocket_config())))
}

/// Returns what came with the end of the answer: the first frames.
fn upgrade(to: &Endpoint, stream: &mut (impl Read + Write)) -> Result<Vec<u8>, TransportError> {
    let (mut upgrade, request) = Upgrade::new(to);
    let sent = stream.write_all(&request).and_then(|()| stream.flush());
    sent.map_err(|error| io_error(&error))?;
    let mut bytes = [0; UPGRADE_CHUNK];
    loop {
        let count = match stream.read(&mut bytes) {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            read => read.map_err(|error| io_error(&error))?,
        };
        if count == 0 {
            return Err(TransportError::Eof);
        }
        let here = bytes.get(..count).unwrap_or_default();
        let taken = upgrade.take(here).map_err(|error| error.log(to))?;
        if let Some(first) = taken {
            return Ok(first.to_vec());
        }
    }
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
