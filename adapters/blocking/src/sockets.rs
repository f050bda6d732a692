//! Sockets under a poller; a helper thread for everything that takes long.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use kucoin_futures_host::{
    Attempt, Blocking, Connections, Effect, Incoming, Mailbox, Rest, RestOutcome, Socket,
    Transport, connect,
};
use kucoin_futures_proto::{ConnId, Endpoint, Instant, RestRequest, TransportError};
use polling::{Events, Poller};
use rustls::ClientConfig;
use tracing::Span;
use tungstenite::WebSocket;

use crate::conn::{Conn, key_of};

/// The I/O of a [`Feed`](crate::Feed) on threads. The caller's thread reads the sockets, and waits for
/// them in the system's poller; a helper thread each resolves, connects and upgrades, or makes a REST
/// request.
#[derive(Debug)]
pub struct Sockets {
    tls: Arc<ClientConfig>,
    rest: Rest,
    poller: Arc<Poller>,
    events: Events,
    conns: Connections<Conn>,
    attempts: BTreeMap<ConnId, Attempt>,
    done: Mailbox<Done>,
    span: Span,
}

/// What a helper thread comes back with.
#[derive(Debug)]
enum Done {
    Opened(ConnId, Box<WebSocket<Socket>>),
    Other(Incoming<'static>),
}

impl Transport for Sockets {
    type Mode = Blocking;

    fn new(tls: Arc<ClientConfig>, rest: Rest) -> io::Result<Self> {
        Ok(Self {
            tls,
            rest,
            poller: Arc::new(Poller::new()?),
            events: Events::new(),
            conns: Connections::default(),
            attempts: BTreeMap::new(),
            done: Mailbox::default(),
            span: tracing::info_span!("feed", runtime = "blocking"),
        })
    }

    #[inline]
    fn poll_input(&mut self, cx: &mut Context<'_>) -> Poll<Incoming<'_>> {
        while let Some(done) = self.done.take() {
            if let Some(incoming) = self.on_done(done) {
                return Poll::Ready(incoming);
            }
        }
        self.conns.poll_input(cx)
    }

    fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::Send(id, text) => self.conns.send(id, &text),
            Effect::Open(id, to) => self.open(id, to),
            Effect::Close(id) => {
                if let Some(attempt) = self.attempts.remove(&id) {
                    attempt.abandon();
                }
                self.conns.shut(id);
            }
            Effect::Fetch(fetch) => self.fetch(fetch),
        }
    }

    fn wait(&mut self, _: &mut Context<'_>, now: Instant, until: Option<Instant>) {
        let span = &self.span;
        for (_, conn) in self.conns.iter_mut() {
            if let Err(error) = conn.watch() {
                tracing::error!(parent: span, %error, "cannot watch a socket");
            }
        }
        let timeout = until.map(|until| until.since(now));
        self.events.clear();
        if let Err(error) = self.poller.wait(&mut self.events, timeout) {
            tracing::error!(parent: &self.span, %error, "cannot wait for sockets");
        }
        for event in self.events.iter() {
            if let Some((_, conn)) = self.conns.iter_mut().find(|(id, _)| key_of(*id) == event.key)
            {
                conn.on_event();
            }
        }
    }

    fn close(&mut self) {
        std::mem::take(&mut self.attempts).values().for_each(Attempt::abandon);
        self.conns.close();
    }

    fn waker(&self) -> Waker {
        Waker::from(Arc::new(Notify(Arc::clone(&self.poller))))
    }

    #[inline]
    fn has_frame(&self) -> bool {
        self.conns.has_frame()
    }

    fn span(&self) -> Span {
        self.span.clone()
    }
}

impl Sockets {
    fn on_done(&mut self, done: Done) -> Option<Incoming<'static>> {
        let (id, websocket) = match done {
            Done::Other(incoming) => {
                if let Incoming::Lost(id, _) = incoming {
                    self.attempts.remove(&id);
                }
                return Some(incoming);
            }
            Done::Opened(id, websocket) => (id, websocket),
        };
        // Given up meanwhile: dropping it closes it.
        self.attempts.remove(&id)?;
        Some(match Conn::new(id, *websocket, &self.poller) {
            Ok(conn) => {
                self.conns.insert(id, conn);
                Incoming::Opened(id)
            }
            Err(error) => {
                tracing::error!(parent: &self.span, %error, "cannot watch a socket");
                Incoming::Lost(id, TransportError::Other)
            }
        })
    }

    fn open(&mut self, id: ConnId, to: Box<Endpoint>) {
        let attempt = Attempt::default();
        self.attempts.insert(id, attempt.clone());
        let (tls, addresses) = (Arc::clone(&self.tls), self.rest.addresses().clone());
        let failed = Done::Other(Incoming::Lost(id, TransportError::Other));
        let span = tracing::info_span!(parent: &self.span, "open", conn = id.get(), %to);
        self.on_thread("open", span, failed, move || {
            match connect(&to, &tls, &addresses, &attempt) {
                Ok(websocket) => {
                    tracing::debug!("open");
                    Done::Opened(id, Box::new(websocket))
                }
                Err(error) => {
                    tracing::debug!(%error, "not open");
                    Done::Other(Incoming::Lost(id, error))
                }
            }
        });
    }

    fn fetch(&self, fetch: Box<RestRequest>) {
        let (rest, request) = (self.rest.clone(), fetch.request());
        let done = move |outcome| Done::Other(Incoming::Rest(request, outcome));
        let span = tracing::info_span!(parent: &self.span, "fetch", path = fetch.path());
        let failed = done(RestOutcome::Failed(TransportError::Other));
        self.on_thread("rest", span, failed, move || done(rest.perform(&fetch)));
    }

    /// Lets a helper do something slow; `failed` is the result if there can be no helper.
    fn on_thread(
        &self,
        name: &str,
        span: Span,
        failed: Done,
        work: impl FnOnce() -> Done + Send + 'static,
    ) {
        let (sender, waker) = (self.done.sender().clone(), self.waker());
        let spawned = std::thread::Builder::new().name(format!("kucoin-{name}")).spawn(move || {
            // The feed may be gone.
            sender.send(span.in_scope(work));
            waker.wake();
        });
        if let Err(error) = spawned {
            tracing::error!(parent: &self.span, %error, "cannot start a thread");
            self.done.sender().send(failed);
        }
    }
}

/// Ends a wait of its poller, also one that is yet to begin.
struct Notify(Arc<Poller>);

impl Wake for Notify {
    fn wake(self: Arc<Self>) {
        if let Err(error) = self.0.notify() {
            tracing::warn!(%error, "cannot wake the feed");
        }
    }
}
