//! The loop: perform effects, take what has come, meet deadlines, wait.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use kucoin_futures_host::{
    Answer, Attempt, Clock, Effect, Engine, FeedError, Heard, Item, Next, Options, Rest, Socket,
    Step, Update, Watch, connect, tls_config,
};
use kucoin_futures_proto::{
    Book, BookStatus, Channel, Client, Config, ConnId, Endpoint, Fetch, Input, Instant, Loss,
    Misuse, Query, RequestId, Stats, TopicId, TopicStatus,
};
use polling::{Events, Poller};
use rustls::ClientConfig;
use tracing::Span;
use tungstenite::WebSocket;

use crate::conn::{Conn, key_of};
use crate::mail::Mail;
use crate::pump::Pump;

/// Market data, pulled by [`Feed::next`].
#[derive(Debug)]
pub struct Feed {
    engine: Engine,
    watch: Watch,
    rest: Rest,
    tls: Arc<ClientConfig>,
    poller: Arc<Poller>,
    events: Events,
    woken: Arc<AtomicBool>,
    wakes: u64,
    conns: Vec<Conn>,
    attempts: BTreeMap<ConnId, Attempt>,
    arrivals: Mail<Arrival>,
    span: Span,
}

/// Ends a wait from another thread.
#[derive(Clone, Debug)]
pub struct Waker {
    poller: Arc<Poller>,
    woken: Arc<AtomicBool>,
}

impl Waker {
    /// Lets the present or next [`Feed::next_within`] return [`Next::Quiet`], once there is nothing to
    /// tell.
    pub fn wake(&self) {
        self.woken.store(true, Ordering::Release);
        if let Err(error) = self.poller.notify() {
            tracing::warn!(%error, "cannot wake the feed");
        }
    }
}

/// After so many things that were nothing to tell, the caller's limit is looked at.
const TURNS: u32 = 64;

/// From a helper thread.
enum Arrival {
    Opened(ConnId, Box<WebSocket<Socket>>),
    NotOpened(ConnId, Loss),
    Answer(RequestId, Answer),
}

/// What waiting came to.
#[derive(Clone, Copy)]
pub(crate) enum Waited {
    Step(Step),
    Quiet,
    Ended,
}

impl Feed {
    /// A feed with this config, public roots and no credentials. Connects once something is
    /// subscribed to.
    ///
    /// # Errors
    /// The system has no poller for us.
    pub fn new(config: Config) -> Result<Self, FeedError> {
        Self::with_options(Options::with_config(config))
    }

    /// A feed with everything said.
    ///
    /// # Errors
    /// The system has no poller for us, or the roots cannot be used.
    pub fn with_options(options: Options) -> Result<Self, FeedError> {
        let tls = tls_config(&options.roots)?;
        let (engine, clock, rest) = options.parts();
        Ok(Self {
            engine,
            watch: Watch::new(clock),
            rest,
            tls,
            poller: Arc::new(Poller::new()?),
            events: Events::new(),
            woken: Arc::default(),
            wakes: 0,
            conns: Vec::new(),
            attempts: BTreeMap::new(),
            arrivals: Mail::new(),
            span: tracing::info_span!("feed", runtime = "blocking"),
        })
    }

    /// Wants a channel, over all reconnects.
    ///
    /// # Errors
    /// See [`Client::subscribe`].
    pub fn subscribe(&mut self, channel: Channel) -> Result<TopicId, Misuse> {
        self.command(|client, now| client.subscribe(now, channel))
    }

    /// Wants a topic no more.
    ///
    /// # Errors
    /// See [`Client::unsubscribe`].
    pub fn unsubscribe(&mut self, topic: TopicId) -> Result<(), Misuse> {
        self.command(|client, now| client.unsubscribe(now, topic))
    }

    /// Asks the exchange something, once; the answer comes as an [`Update::Push`].
    ///
    /// # Errors
    /// See [`Client::fetch`].
    pub fn fetch(&mut self, query: Query) -> Result<RequestId, Misuse> {
        self.command(|client, now| client.fetch(now, query))
    }

    /// Ends everything. What was reported already can still be had from [`Feed::next`].
    pub fn close(&mut self) {
        self.engine.close(self.watch.now());
        self.perform_effects();
        self.conns.drain(..).for_each(Conn::shut);
    }

    /// Waits for the next update; `None` once the feed is closed and all was told.
    #[allow(clippy::should_implement_trait, reason = "an iterator cannot lend")]
    pub fn next(&mut self) -> Option<Update<'_>> {
        let step = self.next_step()?;
        self.engine.lend(step)
    }

    /// Waits for the next update, but no longer than `limit`.
    pub fn next_within(&mut self, limit: Duration) -> Next<'_> {
        match self.step(Some(limit)) {
            Waited::Ended => Next::Ended,
            Waited::Quiet => Next::Quiet,
            Waited::Step(step) => self.engine.lend(step).map_or(Next::Quiet, Next::Update),
        }
    }

    /// Lets the feed run on a thread of its own, and the caller read when it suits: see [`Pump`].
    /// `cap` bounds what waits; 4096 is a good start.
    ///
    /// # Errors
    /// The system has no thread for us.
    pub fn spawn(self, cap: usize) -> std::io::Result<Pump> {
        Pump::spawn(self, cap)
    }

    /// The book of a level2 topic, while it is live.
    #[must_use]
    pub fn book(&self, topic: TopicId) -> Option<&Book> {
        self.engine.client().book(topic)
    }

    /// How far the subscription to a topic has come.
    #[must_use]
    pub fn status(&self, topic: TopicId) -> TopicStatus {
        self.engine.client().status(topic)
    }

    /// Where the book of a topic stands; `None` if the topic has no book.
    #[must_use]
    pub fn book_status(&self, topic: TopicId) -> Option<BookStatus> {
        self.engine.client().book_status(topic)
    }

    /// The channel of a topic.
    #[must_use]
    pub fn channel(&self, topic: TopicId) -> Option<Channel> {
        self.engine.client().channel(topic)
    }

    /// The counters.
    #[must_use]
    pub const fn stats(&self) -> &Stats {
        self.engine.client().stats()
    }

    /// Times the feed woke up from waiting: an idle one does so for its deadlines only.
    #[must_use]
    pub const fn wakes(&self) -> u64 {
        self.wakes
    }

    /// The feed's clock, for those who schedule next to it.
    #[must_use]
    pub const fn clock(&self) -> Clock {
        self.watch.clock()
    }

    /// Something to end waits with from another thread, such as a signal handler's.
    #[must_use]
    pub fn waker(&self) -> Waker {
        Waker { poller: Arc::clone(&self.poller), woken: Arc::clone(&self.woken) }
    }

    /// Effects wait for the next step: a hundred subscriptions in a row make one frame.
    fn command<T>(&mut self, command: impl FnOnce(&mut Client, Instant) -> T) -> T {
        command(self.engine.client_mut(), self.watch.now())
    }

    fn next_step(&mut self) -> Option<Step> {
        loop {
            match self.step(None) {
                Waited::Step(step) => return Some(step),
                Waited::Quiet => {}
                Waited::Ended => return None,
            }
        }
    }

    /// The next thing to tell, to be kept.
    pub(crate) fn next_item(&mut self) -> Option<Item> {
        let step = self.next_step()?;
        self.engine.own(step)
    }

    pub(crate) fn own(&self, step: Step) -> Option<Item> {
        self.engine.own(step)
    }

    /// Goes on until there is something to tell, or it is time to stop waiting for that.
    pub(crate) fn step(&mut self, limit: Option<Duration>) -> Waited {
        let mut turns = 0_u32;
        let mut until = None;
        loop {
            if let Some(step) = self.engine.step() {
                return Waited::Step(step);
            }
            if self.engine.is_closed() {
                return Waited::Ended;
            }
            let woken = self.woken.load(Ordering::Acquire);
            let now = self.watch.recent();
            let busy = self.turn(now);
            if busy {
                self.perform_effects();
                turns += 1;
                if !turns.is_multiple_of(TURNS) {
                    continue;
                }
            }
            // Only after a turn: whoever wakes without end must not keep the line waiting. And not
            // after all there is: much may come that is nothing to tell.
            if until.is_none() {
                until = limit.map(|limit| self.watch.now() + limit);
            }
            if woken || until.is_some_and(|until| until <= self.watch.recent()) {
                self.woken.store(false, Ordering::Release);
                return Waited::Quiet;
            }
            if !busy {
                self.wait(until);
            }
        }
    }

    /// Takes one thing that has come or is due; false if there is none. What has come goes first: a
    /// caller who was away for long must not lose what arrived in time.
    fn turn(&mut self, now: Instant) -> bool {
        if let Some(arrival) = self.arrivals.take() {
            self.on_arrival(now, arrival);
            return true;
        }
        let Some(at) = self.conns.iter().position(Conn::is_readable) else {
            return self.engine.meet_deadline(self.watch.now());
        };
        let Some(conn) = self.conns.get_mut(at) else { return false };
        let id = conn.id();
        if let Some(text) = conn.text() {
            self.engine.text(now, id, text);
            return true;
        }
        match conn.read() {
            None | Some(Heard::Control) => {
                self.engine.meet_deadline(self.watch.now());
            }
            Some(Heard::Text(text)) => self.engine.text(now, id, &text),
            Some(Heard::Binary) => self.engine.input(now, Input::Binary(id)),
            Some(Heard::Closed(loss) | Heard::Lost(loss)) => {
                self.conns.swap_remove(at);
                self.engine.input(now, Input::Lost(id, loss));
            }
        }
        true
    }

    fn on_arrival(&mut self, now: Instant, arrival: Arrival) {
        match arrival {
            Arrival::Answer(request, answer) => self.engine.answer(now, request, answer),
            Arrival::NotOpened(id, loss) => {
                self.attempts.remove(&id);
                self.engine.input(now, Input::Lost(id, loss));
            }
            Arrival::Opened(id, websocket) => {
                // Given up meanwhile: dropping it closes it.
                if self.attempts.remove(&id).is_none() {
                    return;
                }
                match Conn::new(id, *websocket, &self.poller) {
                    Ok(conn) => {
                        self.conns.push(conn);
                        self.engine.input(now, Input::Opened(id));
                    }
                    Err(error) => {
                        tracing::error!(parent: &self.span, %error, "cannot watch a socket");
                        self.engine.input(now, Input::Lost(id, Loss::Other));
                    }
                }
            }
        }
    }

    fn perform_effects(&mut self) {
        while let Some(effect) = self.engine.next_effect() {
            match effect {
                Effect::Send(conn, text) => self.send(conn, &text),
                Effect::Open(conn, to) => self.open(conn, to),
                Effect::Shut(conn) => self.shut(conn),
                Effect::Fetch(fetch) => self.fetch_on_thread(fetch),
            }
        }
    }

    fn send(&mut self, id: ConnId, text: &str) {
        let Some(at) = self.conns.iter().position(|conn| conn.id() == id) else { return };
        let sent = self.conns.get_mut(at).map_or(Ok(()), |conn| conn.send(text));
        if let Err(loss) = sent {
            self.conns.swap_remove(at);
            // Told in the next turn, like every other loss.
            self.arrivals.post().send(Arrival::NotOpened(id, loss));
        }
    }

    fn open(&mut self, id: ConnId, to: Box<Endpoint>) {
        let attempt = Attempt::default();
        self.attempts.insert(id, attempt.clone());
        let tls = Arc::clone(&self.tls);
        let failed = Arrival::NotOpened(id, Loss::Other);
        let span = tracing::info_span!(parent: &self.span, "open", conn = id.get(), %to);
        self.on_thread("open", span, failed, move || match connect(&to, &tls, &attempt) {
            Ok(websocket) => {
                tracing::debug!("open");
                Arrival::Opened(id, Box::new(websocket))
            }
            Err(loss) => {
                tracing::debug!(%loss, "not open");
                Arrival::NotOpened(id, loss)
            }
        });
    }

    fn shut(&mut self, id: ConnId) {
        if let Some(attempt) = self.attempts.remove(&id) {
            attempt.abandon();
        }
        if let Some(at) = self.conns.iter().position(|conn| conn.id() == id) {
            self.conns.swap_remove(at).shut();
        }
    }

    fn fetch_on_thread(&self, fetch: Box<Fetch>) {
        let (rest, request) = (self.rest.clone(), fetch.request());
        let failed = Arrival::Answer(request, Answer::Failed(Loss::Other));
        let span = tracing::info_span!(parent: &self.span, "fetch", path = fetch.path());
        self.on_thread("rest", span, failed, move || {
            Arrival::Answer(request, rest.perform(&fetch))
        });
    }

    /// Lets a helper do something slow; `failed` is the answer if there can be no helper.
    fn on_thread(
        &self,
        name: &str,
        span: Span,
        failed: Arrival,
        work: impl FnOnce() -> Arrival + Send + 'static,
    ) {
        let (post, poller) = (self.arrivals.post().clone(), Arc::clone(&self.poller));
        let spawned = std::thread::Builder::new().name(format!("kucoin-{name}")).spawn(move || {
            post.send(span.in_scope(work));
            // The feed may be gone.
            let _ = poller.notify();
        });
        if let Err(error) = spawned {
            tracing::error!(parent: &self.span, %error, "cannot start a thread");
            self.arrivals.post().send(failed);
        }
    }

    /// Sleeps until a socket, a helper, a waker, a deadline or `until` has something for us.
    fn wait(&mut self, until: Option<Instant>) {
        let span = &self.span;
        for conn in &mut self.conns {
            if let Err(error) = conn.watch() {
                tracing::error!(parent: span, %error, "cannot watch a socket");
            }
        }
        let next = self.engine.deadline().into_iter().chain(until).min();
        let timeout = next.map(|next| next.since(self.watch.now()));
        self.events.clear();
        if let Err(error) = self.poller.wait(&mut self.events, timeout) {
            tracing::error!(parent: &self.span, %error, "cannot wait for sockets");
        }
        self.wakes += 1;
        // However short it was.
        self.watch.now();
        for event in self.events.iter() {
            let conn = self.conns.iter_mut().find(|conn| key_of(conn.id()) == event.key);
            if let Some(conn) = conn {
                conn.on_event();
            }
        }
    }
}

/// Connections are told goodbye, attempts and waits of helpers end.
impl Drop for Feed {
    fn drop(&mut self) {
        std::mem::take(&mut self.attempts).values().for_each(Attempt::abandon);
        self.conns.drain(..).for_each(Conn::shut);
    }
}
