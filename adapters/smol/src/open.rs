//! Connecting: resolution, TCP, TLS, upgrade. Dropping the future gives the attempt up.

use std::io::ErrorKind;
use std::sync::Arc;

use async_tungstenite::{WebSocketStream, client_async_with_config};
use futures_lite::FutureExt as _;
use futures_lite::future::pending;
use futures_rustls::TlsConnector;
use futures_rustls::rustls::ClientConfig;
use futures_rustls::rustls::pki_types::ServerName;
use kucoin_futures_host::{ADDRESS_TIMEOUT, io_error, websocket_config, websocket_error};
use kucoin_futures_proto::{Endpoint, TransportError};
use smol::Timer;
use smol::net::{TcpStream, resolve};

use crate::socket::Socket;

pub(crate) async fn open(
    to: Box<Endpoint>,
    tls: Arc<ClientConfig>,
) -> Result<WebSocketStream<Socket>, TransportError> {
    let tcp = connect(&to).await?;
    let socket = if to.is_tls() { start_tls(&to, tls, tcp).await? } else { Socket::plain(tcp) };
    let config = Some(websocket_config());
    let upgraded = client_async_with_config(to.secret_url(), socket, config).await;
    upgraded.map(|(websocket, _)| websocket).map_err(|error| websocket_error(&error))
}

/// The core's deadline covers all of it.
async fn connect(to: &Endpoint) -> Result<TcpStream, TransportError> {
    let addresses = resolve((to.host(), to.port())).await.map_err(|_| TransportError::Dns)?;
    let mut failure = TransportError::Dns;
    for (at, address) in addresses.iter().enumerate() {
        let last = at + 1 == addresses.len();
        let late = async {
            if last {
                return pending().await;
            }
            Timer::after(ADDRESS_TIMEOUT).await;
            Err(ErrorKind::TimedOut.into())
        };
        let tcp = TcpStream::connect(*address).or(late).await;
        match tcp.and_then(|tcp| tcp.set_nodelay(true).map(|()| tcp)) {
            Ok(tcp) => return Ok(tcp),
            Err(error) => failure = io_error(&error),
        }
    }
    Err(failure)
}

async fn start_tls(
    to: &Endpoint,
    tls: Arc<ClientConfig>,
    tcp: TcpStream,
) -> Result<Socket, TransportError> {
    let name = ServerName::try_from(to.host().to_owned()).map_err(|_| TransportError::Tls)?;
    match TlsConnector::from(tls).connect(name, tcp).await {
        Ok(stream) => Ok(Socket::tls(stream)),
        Err(error) => {
            if error.kind() == ErrorKind::InvalidData {
                tracing::warn!(host = to.host(), %error, "TLS refused");
            }
            Err(io_error(&error))
        }
    }
}
