//! An exchange on loopback: HTTP and WebSocket on one port, in real time, for any client.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use async_channel::{Receiver, Sender};
use async_tungstenite::WebSocketStream;
use async_tungstenite::tungstenite::handshake::derive_accept_key;
use async_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use async_tungstenite::tungstenite::protocol::{CloseFrame, Message, Role, WebSocketConfig};
use futures_lite::{FutureExt as _, StreamExt as _};
use futures_rustls::TlsAcceptor;
use futures_rustls::rustls::ServerConfig;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONNECTION, CONTENT_TYPE, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, UPGRADE};
use hyper::service::service_fn;
use hyper::upgrade::Upgraded;
use kucoin_futures_proto::Instant;
use smol::net::{TcpListener, TcpStream};
use smol::{LocalExecutor, Timer};
use smol_hyper::rt::FuturesIo;

use crate::config::ExchangeConfig;
use crate::exchange::{Exchange, Outgoing, SessionId};
use crate::fault::Fault;
use crate::rest::{Request, Response};
use crate::stream::Stream;

/// A clock that the server reads: monotonic, any start.
pub type Clock = Arc<dyn Fn() -> Instant + Send + Sync>;

/// Could not listen.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {addr}: {source} (try port 0 to let the system choose)")]
pub struct ServerError {
    addr: SocketAddr,
    source: io::Error,
}

/// A simulated exchange that listens. Stops when dropped.
pub struct Server {
    addr: SocketAddr,
    secure: bool,
    shared: Arc<Shared>,
    stop: Option<Sender<Infallible>>,
    thread: Option<JoinHandle<()>>,
}

/// Frames that wait for a slow reader; beyond that they are dropped, as the real exchange does.
const QUEUE: usize = 1 << 16;
/// Largest client frame and request body.
const MAX_INCOMING: usize = 1 << 20;
/// The market is moved at most so often; what is due meanwhile goes out together.
const BEAT: Duration = Duration::from_millis(1);

struct Shared {
    clock: Clock,
    tls: Option<TlsAcceptor>,
    state: Mutex<State>,
}

struct State {
    exchange: Exchange,
    sessions: BTreeMap<SessionId, Sender<Item>>,
    next_session: u64,
    injected: Vec<(Instant, Fault)>,
    dropped: u64,
}

enum Item {
    Text(Arc<str>),
    Close(u16, &'static str),
}

impl Server {
    /// Listens on `addr` and opens the exchange now.
    ///
    /// # Errors
    /// The address is taken or not ours.
    pub fn start(
        addr: SocketAddr,
        seed: u64,
        config: ExchangeConfig,
        clock: Clock,
    ) -> Result<Self, ServerError> {
        Self::listen(addr, seed, config, clock, None)
    }

    /// The same over TLS: `https` and `wss`.
    ///
    /// # Errors
    /// The address is taken or not ours.
    pub fn start_tls(
        addr: SocketAddr,
        seed: u64,
        config: ExchangeConfig,
        clock: Clock,
        tls: Arc<ServerConfig>,
    ) -> Result<Self, ServerError> {
        Self::listen(addr, seed, config, clock, Some(TlsAcceptor::from(tls)))
    }

    fn listen(
        addr: SocketAddr,
        seed: u64,
        config: ExchangeConfig,
        clock: Clock,
        tls: Option<TlsAcceptor>,
    ) -> Result<Self, ServerError> {
        let fail = |source| ServerError { addr, source };
        let listener = smol::block_on(TcpListener::bind(addr)).map_err(fail)?;
        let addr = listener.local_addr().map_err(fail)?;
        let mut exchange = Exchange::new(clock(), seed, config);
        let secure = tls.is_some();
        exchange.set_endpoint(format!("ws{}://{addr}/", if secure { "s" } else { "" }));
        let state = State {
            exchange,
            sessions: BTreeMap::new(),
            next_session: 0,
            injected: Vec::new(),
            dropped: 0,
        };
        let shared = Arc::new(Shared { clock, tls, state: Mutex::new(state) });
        let (stop, stopped) = async_channel::bounded(1);
        let thread = {
            let shared = Arc::clone(&shared);
            let run = move || smol::block_on(serve(&shared, &listener, &stopped));
            std::thread::Builder::new().name("sim-server".into()).spawn(run).map_err(fail)?
        };
        Ok(Self { addr, secure, shared, stop: Some(stop), thread: Some(thread) })
    }

    /// Where it listens.
    #[must_use]
    pub const fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The base of its REST interface, for example `http://127.0.0.1:40123`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http{}://{}", if self.secure { "s" } else { "" }, self.addr)
    }

    /// Looks at the exchange, brought up to the present.
    pub fn with<T>(&self, look: impl FnOnce(&mut Exchange, Instant) -> T) -> T {
        let mut state = self.shared.lock();
        let now = (self.shared.clock)();
        state.exchange.tick(now);
        let result = look(&mut state.exchange, now);
        state.carry(now);
        result
    }

    /// Breaks something now.
    pub fn inject(&self, fault: Fault) {
        self.with(|exchange, now| exchange.inject(now, fault));
    }

    /// The faults that took effect since this was last called.
    pub fn take_injected(&self) -> Vec<(Instant, Fault)> {
        std::mem::take(&mut self.shared.lock().injected)
    }

    /// Frames that slow readers missed.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.shared.lock().dropped
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.take();
        // Their tasks end when nobody can send to them any more.
        self.shared.lock().sessions.clear();
        if let Some(thread) = self.thread.take() {
            // A panic over there was printed already.
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("addr", &self.addr).finish_non_exhaustive()
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Hands out what the exchange said.
    fn carry(&mut self, now: Instant) {
        while let Some(outgoing) = self.exchange.poll_output() {
            match outgoing {
                Outgoing::Send(id, text) => {
                    let session = self.sessions.get(&id);
                    if session.is_some_and(|session| session.try_send(Item::Text(text)).is_err()) {
                        self.dropped += 1;
                    }
                }
                Outgoing::Close(id, code, reason) => {
                    if let Some(session) = self.sessions.remove(&id) {
                        // Full or gone: dropping the sender ends the session as well.
                        let _ = session.try_send(Item::Close(code, reason));
                    }
                }
                Outgoing::Injected(fault) => self.injected.push((now, fault)),
            }
        }
    }

    fn open(&mut self, now: Instant, query: &str) -> Option<(SessionId, Receiver<Item>)> {
        self.next_session += 1;
        let id = SessionId(self.next_session);
        let (sender, receiver) = async_channel::bounded(QUEUE);
        self.sessions.insert(id, sender);
        let accepted = self.exchange.connect(now, id, query);
        self.carry(now);
        if !accepted {
            self.sessions.remove(&id);
        }
        accepted.then_some((id, receiver))
    }
}

/// The whole server, until `stopped` is closed.
async fn serve(shared: &Arc<Shared>, listener: &TcpListener, stopped: &Receiver<Infallible>) {
    let executor = LocalExecutor::new();
    let accept = async {
        loop {
            match listener.accept().await {
                Ok((stream, _)) => {
                    executor.spawn(connection(Arc::clone(shared), stream)).detach();
                }
                Err(error) => {
                    tracing::warn!(%error, "cannot accept");
                    Timer::after(Duration::from_millis(50)).await;
                }
            }
        }
    };
    let stop = async {
        let _ = stopped.recv().await;
    };
    executor.run(stop.or(accept).or(beat(shared))).await;
}

/// Moves the market.
async fn beat(shared: &Shared) {
    loop {
        let pause = {
            let mut state = shared.lock();
            let now = (shared.clock)();
            state.exchange.tick(now);
            state.carry(now);
            let due = state.exchange.poll_timeout();
            due.map_or(Duration::from_millis(50), |due| due.since((shared.clock)()))
        };
        // Never long: a fault that is injected meanwhile may bring something forward.
        Timer::after(pause.clamp(BEAT, Duration::from_millis(50))).await;
    }
}

async fn connection(shared: Arc<Shared>, tcp: TcpStream) {
    let _ = tcp.set_nodelay(true);
    let stream = match &shared.tls {
        None => Stream::Plain(tcp),
        Some(tls) => match tls.accept(tcp).await {
            Ok(tls) => Stream::Tls(Box::new(tls)),
            Err(error) => return tracing::debug!(%error, "TLS refused"),
        },
    };
    let service = service_fn(|request| {
        let shared = Arc::clone(&shared);
        async move { Ok::<_, Infallible>(answer(&shared, request).await) }
    });
    let http = hyper::server::conn::http1::Builder::new();
    let connection = http.serve_connection(FuturesIo::new(stream), service).with_upgrades();
    if let Err(error) = connection.await {
        tracing::debug!(%error, "connection ended");
    }
}

type HttpResponse = hyper::Response<Full<Bytes>>;

async fn answer(shared: &Arc<Shared>, request: hyper::Request<Incoming>) -> HttpResponse {
    let wants_upgrade = request
        .headers()
        .get(UPGRADE)
        .is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"websocket"));
    if wants_upgrade { upgrade(shared, request) } else { rest(shared, request).await }
}

async fn rest(shared: &Shared, request: hyper::Request<Incoming>) -> HttpResponse {
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
    let mut state = shared.lock();
    let now = (shared.clock)();
    let response = state.exchange.http(now, &request);
    state.carry(now);
    tracing::debug!(method = %head.method, path = head.uri.path(), status = response.status, "rest");
    http_response(response)
}

fn http_response(response: Response) -> HttpResponse {
    let mut builder = hyper::Response::builder()
        .status(response.status)
        .header(CONTENT_TYPE, response.content_type);
    for (name, value) in response.headers {
        builder = builder.header(name, value);
    }
    builder.body(Full::from(response.body)).unwrap_or_else(|_| plain(500))
}

fn plain(status: u16) -> HttpResponse {
    let mut response = HttpResponse::default();
    *response.status_mut() = hyper::StatusCode::from_u16(status).unwrap_or_default();
    response
}

fn upgrade(shared: &Arc<Shared>, mut request: hyper::Request<Incoming>) -> HttpResponse {
    let Some(key) = request.headers().get(SEC_WEBSOCKET_KEY) else { return plain(400) };
    let accept = derive_accept_key(key.as_bytes());
    let query = request.uri().query().unwrap_or_default().to_owned();
    let opened = {
        let mut state = shared.lock();
        let now = (shared.clock)();
        state.open(now, &query)
    };
    let Some((id, items)) = opened else { return plain(503) };
    let upgraded = hyper::upgrade::on(&mut request);
    let task = {
        let shared = Arc::clone(shared);
        async move {
            match upgraded.await {
                Ok(upgraded) => session(&shared, id, items, upgraded).await,
                Err(error) => tracing::debug!(%error, "upgrade failed"),
            }
            let mut state = shared.lock();
            state.sessions.remove(&id);
            state.exchange.lost(id);
        }
    };
    smol::spawn(task).detach();
    hyper::Response::builder()
        .status(101)
        .header(CONNECTION, "Upgrade")
        .header(UPGRADE, "websocket")
        .header(SEC_WEBSOCKET_ACCEPT, accept)
        .body(Full::default())
        .unwrap_or_else(|_| plain(500))
}

/// One WebSocket, until either end closes it.
async fn session(shared: &Shared, id: SessionId, items: Receiver<Item>, upgraded: Upgraded) {
    let Ok(parts) = upgraded.downcast::<FuturesIo<Stream>>() else { return };
    let config = WebSocketConfig::default()
        .max_message_size(Some(MAX_INCOMING))
        .max_frame_size(Some(MAX_INCOMING));
    let stream = WebSocketStream::from_partially_read(
        parts.io.into_inner(),
        parts.read_buf.into(),
        Role::Server,
        Some(config),
    );
    let (mut sender, mut receiver) = stream.await.split();
    let write = async {
        while let Ok(item) = items.recv().await {
            let sent = match item {
                Item::Text(text) => sender.send(Message::text(&*text)).await,
                Item::Close(1006, _) => return,
                Item::Close(code, reason) => {
                    let frame = CloseFrame { code: CloseCode::from(code), reason: reason.into() };
                    // The peer gets a moment to read it and answer.
                    let _ = sender.close(Some(frame)).await;
                    Timer::after(Duration::from_millis(500)).await;
                    return;
                }
            };
            if sent.is_err() {
                return;
            }
        }
    };
    let read = async {
        while let Some(Ok(message)) = receiver.next().await {
            if let Message::Text(text) = message {
                let mut state = shared.lock();
                let now = (shared.clock)();
                state.exchange.receive(now, id, text.as_str());
                state.carry(now);
            }
        }
    };
    write.or(read).await;
}
