//! Sockets and timers of `async-io`; the `blocking` pool for REST and the resolver.

use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use async_tungstenite::WebSocketStream;
use atomic_waker::AtomicWaker;
use futures_rustls::rustls::ClientConfig;
use kucoin_futures_host::{
    Async, Connections, Effect, Incoming, Mailbox, Rest, Spawn, Transport, websocket_config,
};
use kucoin_futures_proto::{ConnId, Instant, TransportError};
use smol::Timer;
use tracing::{Instrument as _, Span};

use crate::conn::Conn;
use crate::open::connect;
use crate::socket::Socket;

/// The I/O of a [`Feed`](crate::Feed) on tasks. The feed's own task reads the sockets, connects, and is
/// woken by them and by a timer; REST requests run on the `blocking` pool.
#[derive(Debug)]
pub struct Sockets {
    tls: Arc<ClientConfig>,
    rest: Rest,
    conns: Connections<Conn>,
    attempts: Vec<Attempt>,
    fetched: Mailbox<Incoming<'static>>,
    timer: Timer,
    /// What the timer is set to; `None`: to nothing.
    armed: Option<Instant>,
    task: Arc<LastTask>,
    span: Span,
}

struct Attempt {
    id: ConnId,
    opened: Pin<Box<dyn Future<Output = Result<WebSocketStream<Socket>, TransportError>> + Send>>,
}

/// Wakes the task that waited last.
#[derive(Debug, Default)]
struct LastTask(AtomicWaker);

impl Wake for LastTask {
    fn wake(self: Arc<Self>) {
        self.0.wake();
    }
}

impl Transport for Sockets {
    type Mode = Async;

    fn new(tls: Arc<ClientConfig>, rest: Rest) -> io::Result<Self> {
        Ok(Self {
            tls,
            rest,
            conns: Connections::default(),
            attempts: Vec::new(),
            fetched: Mailbox::default(),
            timer: Timer::never(),
            armed: None,
            task: Arc::default(),
            span: tracing::info_span!("feed", runtime = "smol"),
        })
    }

    #[inline]
    fn poll_input(&mut self, cx: &mut Context<'_>) -> Poll<Incoming<'_>> {
        match self.fetched.take().or_else(|| self.take_attempt(cx)) {
            Some(incoming) => Poll::Ready(incoming),
            None => self.conns.poll_input(cx),
        }
    }

    fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::Send(id, text) => self.conns.send(id, &text),
            Effect::Open(id, to) => {
                let span = tracing::info_span!(parent: &self.span, "open", conn = id.get(), %to);
                let addresses = self.rest.addresses().clone();
                let tls = Arc::clone(&self.tls);
                let opened = connect(to, tls, addresses, websocket_config()).instrument(span);
                self.attempts.push(Attempt { id, opened: Box::pin(opened) });
            }
            Effect::Close(id) => {
                self.attempts.retain(|attempt| attempt.id != id);
                self.conns.shut(id);
            }
            Effect::Fetch(fetch) => {
                let (rest, sender, waker) =
                    (self.rest.clone(), self.fetched.sender().clone(), self.waker());
                let span = tracing::info_span!(parent: &self.span, "fetch", path = fetch.path());
                let work = move || {
                    let outcome = span.in_scope(|| rest.perform(&fetch));
                    // The feed may be gone.
                    sender.send(Incoming::Rest(fetch.request(), outcome));
                    waker.wake();
                };
                smol::unblock(work).detach();
            }
        }
    }

    /// Sockets and attempts know the task since they were polled in vain.
    fn wait(&mut self, cx: &mut Context<'_>, now: Instant, until: Option<Instant>) {
        self.task.0.register(cx.waker());
        if self.armed != until {
            self.armed = until;
            match until {
                Some(until) => self.timer.set_after(until.since(now)),
                None => self.timer = Timer::never(),
            }
        }
        let due = Pin::new(&mut self.timer).poll(cx).is_ready();
        if due {
            // It may be early by the feed's clock: it is set anew then.
            self.armed = None;
        }
        // What came before the task was registered woke nobody.
        if due || !self.fetched.is_empty() {
            cx.waker().wake_by_ref();
        }
    }

    fn close(&mut self) {
        self.attempts.clear();
        self.conns.close();
    }

    fn waker(&self) -> Waker {
        Waker::from(Arc::clone(&self.task))
    }

    #[inline]
    fn has_frame(&self) -> bool {
        self.conns.has_frame()
    }

    fn span(&self) -> Span {
        self.span.clone()
    }
}

impl Spawn for Sockets {
    fn spawn(task: impl Future<Output = ()> + Send + 'static) {
        smol::spawn(task).detach();
    }
}

impl Sockets {
    fn take_attempt(&mut self, cx: &mut Context<'_>) -> Option<Incoming<'static>> {
        let mut attempts = self.attempts.iter_mut().enumerate();
        let (at, opened) =
            attempts.find_map(|(at, attempt)| match attempt.opened.as_mut().poll(cx) {
                Poll::Ready(opened) => Some((at, opened)),
                Poll::Pending => None,
            })?;
        let id = self.attempts.swap_remove(at).id;
        Some(match opened {
            Ok(websocket) => {
                self.conns.insert(id, Conn::new(websocket));
                Incoming::Opened(id)
            }
            Err(error) => Incoming::Lost(id, error),
        })
    }
}

impl fmt::Debug for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Attempt({:?})", self.id)
    }
}
