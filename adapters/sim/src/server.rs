//! A venue on loopback: HTTP and WebSocket on one port, in real time, for any client.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
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
use crate::exchange::Exchange;
use crate::fault::Fault;

mod deflate;
mod deflated;
mod flood;
mod http;
mod session;
mod shared;
mod venue;

pub use flood::Flood;
pub use shared::{Clock, QUEUE};
use shared::{Item, Shared, State};
pub use venue::Venue;

/// What a server proves itself with: see [`Authority::server`](crate::Authority::server).
pub type TlsConfig = Arc<ServerConfig>;

/// Could not listen.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {addr} (try port 0 to let the system choose)")]
pub struct ServerError {
    addr: SocketAddr,
    source: io::Error,
}

/// A venue that listens, a simulated exchange where nothing else is said. Stops when dropped.
pub struct Server<V: Venue = Exchange> {
    addr: SocketAddr,
    secure: bool,
    shared: Arc<Shared<V>>,
    stop: Option<Sender<Infallible>>,
    thread: Option<JoinHandle<()>>,
}

/// The market is moved at most so often; what is due meanwhile goes out together.
const BEAT: Duration = Duration::from_millis(1);

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
        Self::open(addr, clock, None, |now| Exchange::new(now, seed, config))
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
        Self::open(addr, clock, Some(tls), |now| Exchange::new(now, seed, config))
    }

    /// Breaks something now.
    pub fn inject(&self, fault: Fault) {
        self.with(|exchange, now| exchange.inject(now, fault));
    }

    /// The faults that took effect since this was last called.
    pub fn take_injected(&self) -> Vec<(Instant, Fault)> {
        std::mem::take(&mut self.shared.lock().injected)
    }

    /// Pours a recording into every connection that is open. Without TLS; a connection with it is
    /// closed.
    pub fn pour(&self, flood: &Arc<Flood>) {
        let state = self.shared.lock();
        for session in state.sessions.values() {
            // Full or gone: it will not miss this.
            let _ = session.try_send(Item::Flood(Arc::clone(flood)));
        }
    }
}

impl<V: Venue> Server<V> {
    /// Listens on `addr` and makes the venue now; with `tls` over TLS: `https` and `wss`.
    ///
    /// # Errors
    /// The address is taken or not ours.
    pub fn open(
        addr: SocketAddr,
        clock: Clock,
        tls: Option<TlsConfig>,
        make: impl FnOnce(Instant) -> V,
    ) -> Result<Self, ServerError> {
        let fail = |source| ServerError { addr, source };
        let listener = smol::block_on(TcpListener::bind(addr)).map_err(fail)?;
        let addr = listener.local_addr().map_err(fail)?;
        let mut venue = make(clock());
        let secure = tls.is_some();
        venue.set_endpoint(format!("ws{}://{addr}/", if secure { "s" } else { "" }));
        let state = State {
            venue,
            sessions: BTreeMap::new(),
            next_session: 0,
            injected: Vec::new(),
            dropped: 0,
        };
        let (tls, frozen_until) = (tls.map(TlsAcceptor::from), AtomicU64::new(0));
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

    /// Looks at the venue, brought up to the present.
    pub fn with<T>(&self, look: impl FnOnce(&mut V, Instant) -> T) -> T {
        let mut state = self.shared.lock();
        let now = (self.shared.clock)();
        state.tick(now);
        let result = look(&mut state.venue, now);
        state.carry(&self.shared, now);
        result
    }

    /// Frames that slow readers missed.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.shared.lock().dropped
    }
}

impl<V: Venue> Drop for Server<V> {
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

impl<V: Venue> fmt::Debug for Server<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("addr", &self.addr).finish_non_exhaustive()
    }
}

/// The whole server, until `stopped` is closed.
async fn serve<V: Venue>(
    shared: &Arc<Shared<V>>,
    listener: &TcpListener,
    stopped: &Receiver<Infallible>,
) {
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
async fn beat<V: Venue>(shared: &Shared<V>) {
    loop {
        let pause = {
            let mut state = shared.lock();
            let now = (shared.clock)();
            state.tick(now);
            state.carry(shared, now);
            let due = state.venue.poll_timeout();
            due.map_or(Duration::from_millis(50), |due| due.since((shared.clock)()))
        };
        // Never long: a fault that is injected meanwhile may bring something forward.
        Timer::after(pause.clamp(BEAT, Duration::from_millis(50))).await;
    }
}
