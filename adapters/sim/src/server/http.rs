//! HTTP on one connection: REST, and the upgrade to a WebSocket.

use std::convert::Infallible;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use async_tungstenite::tungstenite::handshake::derive_accept_key;
use futures_lite::StreamExt as _;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, Limited, StreamBody};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::header::{
    CONNECTION, CONTENT_TYPE, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_EXTENSIONS, SEC_WEBSOCKET_KEY,
    UPGRADE,
};
use hyper::service::service_fn;
use smol::Timer;
use smol::net::TcpStream;
use smol_hyper::rt::FuturesIo;

use super::shared::{MAX_INCOMING, Shared};
use super::venue::Venue;
use super::{deflate, session};
use crate::rest::{Request, Response, ResponseFate};
use crate::stream::Stream;

type HttpBody = UnsyncBoxBody<Bytes, io::Error>;
type HttpResponse = hyper::Response<HttpBody>;

pub(super) async fn connection<V: Venue>(shared: Arc<Shared<V>>, tcp: TcpStream) {
    let _ = tcp.set_nodelay(true);
    let peer = tcp.peer_addr().ok().map(|peer| peer.ip());
    let stream = match &shared.tls {
        None => Stream::Plain(tcp),
        Some(tls) => match tls.accept(tcp).await {
            Ok(tls) => Stream::Tls(Box::new(tls)),
            Err(error) => return tracing::debug!(%error, "TLS refused"),
        },
    };
    let service = service_fn(|request| {
        let shared = Arc::clone(&shared);
        async move { Ok::<_, Infallible>(answer(&shared, peer, request).await) }
    });
    let http = hyper::server::conn::http1::Builder::new();
    let connection = http.serve_connection(FuturesIo::new(stream), service).with_upgrades();
    if let Err(error) = connection.await {
        tracing::debug!(%error, "connection ended");
    }
}

async fn answer<V: Venue>(
    shared: &Arc<Shared<V>>,
    peer: Option<IpAddr>,
    request: hyper::Request<Incoming>,
) -> HttpResponse {
    let wants_upgrade = request
        .headers()
        .get(UPGRADE)
        .is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"websocket"));
    if wants_upgrade { upgrade(shared, request).await } else { rest(shared, peer, request).await }
}

async fn rest<V: Venue>(
    shared: &Shared<V>,
    peer: Option<IpAddr>,
    request: hyper::Request<Incoming>,
) -> HttpResponse {
    let (head, body) = request.into_parts();
    let body = match Limited::new(body, MAX_INCOMING).collect().await {
        Ok(body) => body.to_bytes(),
        Err(_) => return plain(413),
    };
    let headers: Vec<(&str, &str)> = head
        .headers
        .iter()
        .filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)))
        .collect();
    let body = String::from_utf8_lossy(&body);
    let target = head.uri.path_and_query().map_or("/", |target| target.as_str());
    let request =
        Request::new(head.method.as_str(), target).with_headers(&headers).with_body(&body);
    let request = Request { peer, ..request };
    let response = {
        let mut state = shared.lock();
        let now = (shared.clock)();
        let response = state.venue.http(now, &request);
        state.carry(shared, now);
        response
    };
    let status = response.status;
    tracing::debug!(method = %head.method, path = head.uri.path(), status, "rest");
    Timer::after(response.delay).await;
    if response.fate == ResponseFate::Never {
        // Whoever asked gives up some day, and takes this future with the connection.
        std::future::pending::<()>().await;
    }
    http_response(response)
}

fn http_response(response: Response) -> HttpResponse {
    let mut builder = hyper::Response::builder()
        .status(response.status)
        .header(CONTENT_TYPE, response.content_type);
    for (name, value) in response.headers {
        builder = builder.header(name, value);
    }
    let body = match (response.fate, response.drip) {
        (ResponseFate::Whole | ResponseFate::Never, None) => whole(response.body),
        (ResponseFate::Whole | ResponseFate::Never, Some(pause)) => dripping(response.body, pause),
        (ResponseFate::Refused, _) => broken(""),
        (ResponseFate::Cut, _) => broken(&response.body),
        (ResponseFate::Giant, _) => endless(),
    };
    builder.body(body).unwrap_or_else(|_| plain(500))
}

fn whole(body: impl Into<Bytes>) -> HttpBody {
    Full::from(body.into()).map_err(|never| match never {}).boxed_unsync()
}

/// Half of the body, and then the connection ends.
fn broken(body: &str) -> HttpBody {
    let half = body.as_bytes().get(..body.len() / 2).unwrap_or_default().to_vec();
    let end = Err(io::Error::other("cut off, as scripted"));
    let parts = futures_lite::stream::iter([Ok(Frame::data(Bytes::from(half))), end]);
    StreamBody::new(parts).boxed_unsync()
}

/// More than anyone should read: 64 MiB.
fn endless() -> HttpBody {
    let part = Bytes::from(vec![b' '; 64 << 10]);
    let parts = (0..1024).map(move |_| Ok(Frame::data(part.clone())));
    StreamBody::new(futures_lite::stream::iter(parts)).boxed_unsync()
}

fn dripping(body: String, pause: Duration) -> HttpBody {
    let bytes = futures_lite::stream::iter(body.into_bytes()).then(move |byte| async move {
        Timer::after(pause).await;
        Ok(Frame::data(Bytes::from(vec![byte])))
    });
    StreamBody::new(bytes).boxed_unsync()
}

fn plain(status: u16) -> HttpResponse {
    let mut response = HttpResponse::new(whole(Bytes::new()));
    *response.status_mut() = hyper::StatusCode::from_u16(status).unwrap_or_default();
    response
}

async fn upgrade<V: Venue>(
    shared: &Arc<Shared<V>>,
    mut request: hyper::Request<Incoming>,
) -> HttpResponse {
    let Some(key) = request.headers().get(SEC_WEBSOCKET_KEY) else { return plain(400) };
    let accept = derive_accept_key(key.as_bytes());
    let query = request.uri().query().unwrap_or_default().to_owned();
    let offers = request.headers().get_all(SEC_WEBSOCKET_EXTENSIONS).iter();
    let agreed = offers.filter_map(|offer| offer.to_str().ok()).find_map(deflate::agree);
    let deflate = agreed.is_some();
    let Some((seat, delay)) = shared.open(&query) else { return plain(503) };
    // A client that gives up meanwhile takes this future, and so its seat, with it.
    Timer::after(delay).await;
    shared.thawed().await;
    let upgraded = hyper::upgrade::on(&mut request);
    let task = async move {
        match upgraded.await {
            Ok(upgraded) => session::run(&seat, upgraded, deflate).await,
            Err(error) => tracing::debug!(%error, "upgrade failed"),
        }
    };
    smol::spawn(task).detach();
    let mut response = hyper::Response::builder();
    if let Some(agreed) = agreed {
        response = response.header(SEC_WEBSOCKET_EXTENSIONS, agreed);
    }
    response
        .status(101)
        .header(CONNECTION, "Upgrade")
        .header(UPGRADE, "websocket")
        .header(SEC_WEBSOCKET_ACCEPT, accept)
        .body(whole(Bytes::new()))
        .unwrap_or_else(|_| plain(500))
}
