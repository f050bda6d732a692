//! Connecting: resolution, TCP, TLS, upgrade. Dropping the future gives the attempt up.

use std::io::ErrorKind;
use std::sync::Arc;

use async_tungstenite::WebSocketStream;
use async_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use futures_lite::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use futures_rustls::TlsConnector;
use futures_rustls::client::TlsStream;
use futures_rustls::rustls::ClientConfig;
use futures_rustls::rustls::pki_types::ServerName;
use kucoin_futures_host::{Addresses, UPGRADE_CHUNK, Upgrade, io_error};
use kucoin_futures_proto::{Endpoint, TransportError};
use smol::net::TcpStream;

use crate::dial::dial;
use crate::socket::Socket;

/// Connects and upgrades, for a transport of one's own on smol's sockets; [`Sockets`](crate::Sockets) does so itself. Has
/// no deadline: the core's covers all of it. `caps`: usually
/// [`websocket_config`](kucoin_futures_host::websocket_config).
///
/// # Errors
/// What the core wants to hear in `Input::Lost`.
pub async fn connect(
    to: Box<Endpoint>,
    tls: Arc<ClientConfig>,
    addresses: Addresses,
    caps: WebSocketConfig,
) -> Result<WebSocketStream<Socket>, TransportError> {
    let mut tcp = reach(&to, addresses).await?;
    let socket = if to.is_tls() {
        let mut tls = start_tls(&to, tls, tcp).await?;
        let first = upgrade(&to, &mut tls).await?;
        Socket::tls(tls, &first)
    } else {
        let first = upgrade(&to, &mut tcp).await?;
        Socket::plain(tcp, &first)
    };
    Ok(WebSocketStream::from_raw_socket(socket, Role::Client, Some(caps)).await)
}

async fn reach(to: &Endpoint, addresses: Addresses) -> Result<TcpStream, TransportError> {
    let (host, port) = (Box::<str>::from(to.host()), to.port());
    let resolver = addresses.clone();
    let of_host = smol::unblock(move || resolver.lookup(&host, port)).await;
    let of_host = of_host.map_err(|error| {
        tracing::debug!(host = to.host(), %error, "no address");
        TransportError::Dns
    })?;
    dial(&addresses, &of_host).await.map_err(|error| io_error(&error))
}

/// Returns what came with the end of the answer: the first frames.
async fn upgrade(
    to: &Endpoint,
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
) -> Result<Vec<u8>, TransportError> {
    let (mut upgrade, request) = Upgrade::new(to);
    stream.write_all(&request).await.map_err(|error| io_error(&error))?;
    stream.flush().await.map_err(|error| io_error(&error))?;
    let mut bytes = vec![0; UPGRADE_CHUNK];
    loop {
        let count = stream.read(&mut bytes).await.map_err(|error| io_error(&error))?;
        if count == 0 {
            return Err(TransportError::Eof);
        }
        let here = bytes.get(..count).unwrap_or_default();
        if let Some(first) = upgrade.take(here).map_err(|error| error.log(to))? {
            return Ok(first.to_vec());
        }
    }
}

async fn start_tls(
    to: &Endpoint,
    tls: Arc<ClientConfig>,
    tcp: TcpStream,
) -> Result<TlsStream<TcpStream>, TransportError> {
    let name = ServerName::try_from(to.host().to_owned()).map_err(|_| TransportError::Tls)?;
    match TlsConnector::from(tls).connect(name, tcp).await {
        Ok(stream) => Ok(stream),
        Err(error) => {
            if error.kind() == ErrorKind::InvalidData {
                tracing::warn!(host = to.host(), %error, "TLS refused");
            }
            Err(io_error(&error))
        }
    }
}
