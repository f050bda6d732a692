//! The loop: perform outputs, meet deadlines, take one thing that happened, wait.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use kucoin_futures_host::{
    Answer, BookUpdate, Clock, Rest, Roots, TlsError, Update, random_seed, tls_config,
};
use kucoin_futures_proto::auth::Credentials;
use kucoin_futures_proto::{
    Book, BookStatus, Channel, Client, Config, ConnId, Endpoint, Event, Fetch, Input, Instant,
    Loss, Misuse, Output, PushTag, Query, RequestId, Stats, TopicId, TopicStatus,
};
use polling::{Events, Poller};
use rustls::ClientConfig;
use tungstenite::{Utf8Bytes, WebSocket};

use crate::conn::{Conn, Heard, key_of};
use crate::open::{Attempt, open};
use crate::socket::Socket;

/// Market data, pulled by [`Feed::next`].
#[derive(Debug)]
pub struct Feed {
    client: Client,
    clock: Clock,
    rest: Rest,
    tls: Arc<ClientConfig>,
    poller: Arc<Poller>,
    events: Events,
    woken: Arc<AtomicBool>,
    conns: Vec<Conn>,
    attempts: BTreeMap<ConnId, Attempt>,
    arrivals: Receiver<Arrival>,
    helpers: Sender<Arrival>,
    /// What the core reported and nobody has been told yet.
    reported: VecDeque<Event>,
    /// A message for the user, and whether it was lent already.
    push: Option<(PushTag, Bytes)>,
    lent: bool,
    closed: bool,
}

/// Everything a feed can be told at its start.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Options {
    /// What the core keeps to.
    pub config: Config,
    /// Whose certificates are believed.
    pub roots: Roots,
    /// For signed requests.
    pub credentials: Option<Credentials>,
    /// For jitter and connect ids; drawn from the system if absent.
    pub seed: Option<u64>,
}

/// A feed that could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FeedError {
    /// The system has no poller for us.
    #[error("cannot watch sockets: {0}")]
    Poller(#[from] io::Error),
    /// The roots cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

/// What [`Feed::next_within`] came back with.
#[derive(Debug)]
#[allow(clippy::exhaustive_enums, reason = "a user should handle all three")]
pub enum Next<'a> {
    /// Something happened.
    Update(Update<'a>),
    /// Nothing happened in that time, or a [`Waker`] was used.
    Quiet,
    /// The feed was closed; nothing will happen any more.
    Ended,
}

/// Ends a wait from another thread.
#[derive(Clone, Debug)]
pub struct Waker {
    poller: Arc<Poller>,
    woken: Arc<AtomicBool>,
}

impl Waker {
    /// Lets the present or next [`Feed::next_within`] return [`Next::Quiet`].
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

/// The bytes that a push lies in.
#[derive(Debug)]
enum Bytes {
    Frame(Utf8Bytes),
    Body(Vec<u8>),
}

/// `Copy`, so that it does not hold on to the feed while the loop goes on.
#[derive(Clone, Copy)]
enum Step {
    Event(Event),
    Push(PushTag),
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
        Self::with_options(Options { config, ..Options::default() })
    }

    /// A feed with everything said.
    ///
    /// # Errors
    /// The system has no poller for us, or the roots cannot be used.
    pub fn with_options(options: Options) -> Result<Self, FeedError> {
        let clock = Clock::new();
        let seed = options.seed.unwrap_or_else(random_seed);
        let (helpers, arrivals) = channel();
        Ok(Self {
            client: Client::new(clock.now(), seed, options.config),
            clock,
            rest: Rest::new(&options.roots, options.credentials),
            tls: tls_config(&options.roots)?,
            poller: Arc::new(Poller::new()?),
            events: Events::new(),
            woken: Arc::default(),
            conns: Vec::new(),
            attempts: BTreeMap::new(),
            arrivals,
            helpers,
            reported: VecDeque::new(),
            push: None,
            lent: false,
            closed: false,
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
        self.command(Client::close);
        self.perform_outputs();
        self.closed = true;
        self.conns.drain(..).for_each(Conn::shut);
    }

    /// Waits for the next update; `None` once the feed is closed and all was told.
    #[allow(clippy::should_implement_trait, reason = "an iterator cannot lend")]
    pub fn next(&mut self) -> Option<Update<'_>> {
        let step = loop {
            match self.step(None) {
                Step::Ended => return None,
                Step::Quiet => {}
                step => break step,
            }
        };
        self.lend(step)
    }

    /// Waits for the next update, but no longer than `limit`.
    pub fn next_within(&mut self, limit: Duration) -> Next<'_> {
        let until = self.clock.now() + limit;
        match self.step(Some(until)) {
            Step::Ended => Next::Ended,
            Step::Quiet => Next::Quiet,
            step => self.lend(step).map_or(Next::Quiet, Next::Update),
        }
    }

    /// The book of a level2 topic, while it is live.
    #[must_use]
    pub fn book(&self, topic: TopicId) -> Option<&Book> {
        self.client.book(topic)
    }

    /// How far the subscription to a topic has come.
    #[must_use]
    pub fn status(&self, topic: TopicId) -> TopicStatus {
        self.client.status(topic)
    }

    /// Where the book of a topic stands; `None` if the topic has no book.
    #[must_use]
    pub fn book_status(&self, topic: TopicId) -> Option<BookStatus> {
        self.client.book_status(topic)
    }

    /// The channel of a topic.
    #[must_use]
    pub fn channel(&self, topic: TopicId) -> Option<Channel> {
        self.client.channel(topic)
    }

    /// The counters.
    #[must_use]
    pub const fn stats(&self) -> &Stats {
        self.client.stats()
    }

    /// The feed's clock, for those who schedule next to it.
    #[must_use]
    pub const fn clock(&self) -> Clock {
        self.clock
    }

    /// Something to end waits with from another thread, such as a signal handler's.
    #[must_use]
    pub fn waker(&self) -> Waker {
        Waker { poller: Arc::clone(&self.poller), woken: Arc::clone(&self.woken) }
    }

    /// Effects wait for the next step: a hundred subscriptions in a row make one frame.
    fn command<T>(&mut self, command: impl FnOnce(&mut Client, Instant) -> T) -> T {
        command(&mut self.client, self.clock.now())
    }

    fn lend(&self, step: Step) -> Option<Update<'_>> {
        match step {
            Step::Event(Event::Delta { topic, delta }) => {
                let book = self.client.book(topic);
                Some(Update::Book(BookUpdate::new(topic, delta, book)))
            }
            Step::Event(event) => Some(Update::State(event)),
            Step::Push(tag) => {
                let bytes = match &self.push.as_ref()?.1 {
                    Bytes::Frame(frame) => frame.as_bytes(),
                    Bytes::Body(body) => body,
                };
                Some(Update::Push(tag.on(bytes)))
            }
            Step::Quiet | Step::Ended => None,
        }
    }

    /// Goes on until there is something to tell.
    fn step(&mut self, until: Option<Instant>) -> Step {
        if std::mem::take(&mut self.lent) {
            self.push = None;
        }
        let mut turns = 0_u32;
        loop {
            if let Some(event) = self.reported.pop_front() {
                return Step::Event(event);
            }
            if let Some((tag, _)) = self.push {
                self.lent = true;
                return Step::Push(tag);
            }
            if self.closed {
                return Step::Ended;
            }
            if self.woken.swap(false, Ordering::Acquire) {
                return Step::Quiet;
            }
            let now = self.clock.now();
            let over = until.is_some_and(|until| until <= now);
            if self.turn(now) {
                turns += 1;
                // Much may come that is nothing to tell.
                if over && turns.is_multiple_of(TURNS) {
                    return Step::Quiet;
                }
                continue;
            }
            if over {
                return Step::Quiet;
            }
            self.wait(now, until);
        }
    }

    /// Takes one thing that has come or is due; false if there is none. What has come goes first: a
    /// caller who was away for long must not lose what arrived in time.
    fn turn(&mut self, now: Instant) -> bool {
        if let Ok(arrival) = self.arrivals.try_recv() {
            self.on_arrival(now, arrival);
            return true;
        }
        let Some(at) = self.conns.iter().position(Conn::is_readable) else {
            return self.meet_deadline(now);
        };
        let Some(conn) = self.conns.get_mut(at) else { return false };
        let id = conn.id();
        match conn.read() {
            Heard::Nothing => {
                self.meet_deadline(now);
            }
            Heard::Text(text) => {
                let push = self.client.handle_input(now, Input::Text(id, text.as_bytes()));
                if let Some(tag) = push.map(|push| push.tag()) {
                    self.push = Some((tag, Bytes::Frame(text)));
                }
                self.perform_outputs();
            }
            Heard::Binary => self.input(now, Input::Binary(id)),
            Heard::Lost(loss) => {
                self.conns.swap_remove(at);
                self.input(now, Input::Lost(id, loss));
            }
        }
        true
    }

    /// The core meets its deadlines with every input; here nothing else has come.
    fn meet_deadline(&mut self, now: Instant) -> bool {
        let due = self.client.poll_timeout().is_some_and(|deadline| deadline.at <= now);
        if due {
            self.input(now, Input::Timeout);
        }
        due
    }

    fn on_arrival(&mut self, now: Instant, arrival: Arrival) {
        match arrival {
            Arrival::Answer(request, Answer::Failed(loss)) => {
                self.input(now, Input::Failed(request, loss));
            }
            Arrival::Answer(request, Answer::Reply(head, body)) => {
                let push = self.client.handle_input(now, Input::Reply(request, head, &body));
                if let Some(tag) = push.map(|push| push.tag()) {
                    self.push = Some((tag, Bytes::Body(body)));
                }
                self.perform_outputs();
            }
            Arrival::NotOpened(id, loss) => {
                self.attempts.remove(&id);
                self.input(now, Input::Lost(id, loss));
            }
            Arrival::Opened(id, websocket) => {
                // Given up meanwhile: dropping it closes it.
                if self.attempts.remove(&id).is_none() {
                    return;
                }
                match Conn::new(id, *websocket, &self.poller) {
                    Ok(conn) => {
                        self.conns.push(conn);
                        self.input(now, Input::Opened(id));
                    }
                    Err(error) => {
                        tracing::error!(%error, "cannot watch a socket");
                        self.input(now, Input::Lost(id, Loss::Other));
                    }
                }
            }
        }
    }

    fn input(&mut self, now: Instant, input: Input<'_>) {
        // None of these carries a message.
        let _ = self.client.handle_input(now, input);
        self.perform_outputs();
    }

    /// Performs all effects and keeps all events.
    fn perform_outputs(&mut self) {
        while let Some(output) = self.client.poll_output() {
            match output {
                Output::Event(event) => self.reported.push_back(event),
                Output::Send { conn, text } => self.send(conn, &text),
                Output::Open { conn, to } => self.open(conn, to),
                Output::Shut { conn } => self.shut(conn),
                Output::Fetch(fetch) => self.fetch_on_thread(fetch),
            }
        }
    }

    fn send(&mut self, id: ConnId, text: &str) {
        let Some(at) = self.conns.iter().position(|conn| conn.id() == id) else { return };
        let sent = self.conns.get_mut(at).map_or(Ok(()), |conn| conn.send(text));
        if let Err(loss) = sent {
            self.conns.swap_remove(at);
            // Told in the next turn, like every other loss.
            let _ = self.helpers.send(Arrival::NotOpened(id, loss));
        }
    }

    fn open(&mut self, id: ConnId, to: Box<Endpoint>) {
        tracing::debug!(?id, %to, "open");
        let attempt = Attempt::default();
        self.attempts.insert(id, attempt.clone());
        let tls = Arc::clone(&self.tls);
        let failed = Arrival::NotOpened(id, Loss::Other);
        self.on_thread("open", failed, move || match open(&to, &tls, &attempt) {
            Ok(websocket) => Arrival::Opened(id, Box::new(websocket)),
            Err(loss) => Arrival::NotOpened(id, loss),
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
        self.on_thread("rest", failed, move || Arrival::Answer(request, rest.perform(&fetch)));
    }

    /// Lets a helper do something slow; `failed` is the answer if there can be no helper.
    fn on_thread(
        &self,
        name: &str,
        failed: Arrival,
        work: impl FnOnce() -> Arrival + Send + 'static,
    ) {
        let (helpers, poller) = (self.helpers.clone(), Arc::clone(&self.poller));
        let spawned = std::thread::Builder::new().name(format!("kucoin-{name}")).spawn(move || {
            // The feed may be gone.
            let _ = helpers.send(work());
            let _ = poller.notify();
        });
        if let Err(error) = spawned {
            tracing::error!(%error, "cannot start a thread");
            let _ = self.helpers.send(failed);
        }
    }

    /// Sleeps until a socket, a helper, a waker, a deadline or `until` has something for us.
    fn wait(&mut self, now: Instant, until: Option<Instant>) {
        for conn in &self.conns {
            if let Err(error) = conn.watch() {
                tracing::error!(%error, "cannot watch a socket");
            }
        }
        let deadline = self.client.poll_timeout().map(|deadline| deadline.at);
        let next = deadline.into_iter().chain(until).min();
        let timeout = next.map(|next| next.since(now));
        self.events.clear();
        if let Err(error) = self.poller.wait(&mut self.events, timeout) {
            tracing::error!(%error, "cannot wait for sockets");
        }
        for event in self.events.iter() {
            let conn = self.conns.iter_mut().find(|conn| key_of(conn.id()) == event.key);
            if let Some(conn) = conn {
                conn.on_event();
            }
        }
    }
}
