//! An exchange on loopback: HTTP and WebSocket on one port, in real time, for any client.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use async_channel::{Receiver, Sender};
use futures_lite::FutureExt as _;
use futures_rustls::TlsAcceptor;
use futures_rustls::rustls::ServerConfig;
use kucoin_futures_proto::Instant;
use smol::net::TcpListener;
use smol::{LocalExecutor, Timer};

use crate::config::ExchangeConfig;
use crate::exchange::{Exchange, Outgoing, SessionId};
use crate::fault::Fault;

mod flood;
mod http;
mod session;

pub use flood::Flood;

/// A clock that the server reads: monotonic, any start.
pub type Clock = Arc<dyn Fn() -> Instant + Send + Sync>;

/// Could not listen.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {addr} (try port 0 to let the system choose)")]
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
/// Connections that stand still are looked at so often.
const THAW: Duration = Duration::from_millis(20);
/// The market is moved at most so often; what is due meanwhile goes out together.
const BEAT: Duration = Duration::from_millis(1);

struct Shared {
    clock: Clock,
    tls: Option<TlsAcceptor>,
    /// Looked at with every frame, so without the lock.
    frozen_until: AtomicU64,
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
    Reset,
    Flood(Arc<Flood>),
}

/// An accepted connection, with what it is to be sent. Gone from the exchange when dropped.
struct Seat {
    shared: Arc<Shared>,
    id: SessionId,
    items: Receiver<Item>,
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.sessions.remove(&self.id);
        state.exchange.lost(self.id);
    }
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
        let frozen_until = AtomicU64::new(0);
        let shared = Arc::new(Shared { clock, tls, frozen_until, state: Mutex::new(state) });
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
        state.carry(&self.shared, now);
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
        self.shared.frozen_until.store(0, Ordering::Relaxed);
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
    /// A place for a connection, and how late its upgrade is to be answered; `None`: refused.
    fn open(self: &Arc<Self>, query: &str) -> Option<(Seat, Duration)> {
        let mut state = self.lock();
        let now = (self.clock)();
        state.next_session += 1;
        let id = SessionId(state.next_session);
        let (sender, items) = async_channel::bounded(QUEUE);
        state.sessions.insert(id, sender);
        let accepted = state.exchange.connect(now, id, query);
        state.carry(self, now);
        if !accepted {
            state.sessions.remove(&id);
            return None;
        }
        let delay = state.exchange.take_connect_delay();
        Some((Seat { shared: Arc::clone(self), id, items }, delay))
    }

    /// While connections stand still, waits.
    async fn thawed(&self) {
        while (self.clock)().as_nanos() < self.frozen_until.load(Ordering::Relaxed) {
            Timer::after(THAW).await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Hands out what the exchange said.
    fn carry(&mut self, shared: &Shared, now: Instant) {
        shared.frozen_until.store(self.exchange.frozen_until().as_nanos(), Ordering::Relaxed);
        while let Some(outgoing) = self.exchange.poll_output() {
            match outgoing {
                Outgoing::Send(id, text, _) => {
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
                Outgoing::Reset(id) => {
                    if let Some(session) = self.sessions.remove(&id) {
                        let _ = session.try_send(Item::Reset);
                    }
                }
                Outgoing::Injected(fault) => self.injected.push((now, fault)),
            }
        }
        // Nobody counts what they hit here.
        self.exchange.take_strikes();
    }
}

/// The whole server, until `stopped` is closed.
async fn serve(shared: &Arc<Shared>, listener: &TcpListener, stopped: &Receiver<Infallible>) {
    let executor = LocalExecutor::new();
    let accept = async {
        loop {
            match listener.accept().await {
                Ok((stream, _)) => {
                    executor.spawn(http::connection(Arc::clone(shared), stream)).detach();
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
            state.carry(shared, now);
            let due = state.exchange.poll_timeout();
            due.map_or(Duration::from_millis(50), |due| due.since((shared.clock)()))
        };
        // Never long: a fault that is injected meanwhile may bring something forward.
        Timer::after(pause.clamp(BEAT, Duration::from_millis(50))).await;
    }
}
