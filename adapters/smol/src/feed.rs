//! The loop as one poll function: perform effects, take what has come, meet deadlines, wait.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker as TaskWaker, ready};
use std::time::Duration;

use async_tungstenite::WebSocketStream;
use atomic_waker::AtomicWaker;
use futures_rustls::rustls::ClientConfig;
use kucoin_futures_host::{
    Answer, Clock, Effect, Engine, FeedError, Heard, Item, Next, Options, Rest, Step, Update,
    Watch, tls_config,
};
use kucoin_futures_proto::{
    Book, BookStatus, Channel, Client, Config, ConnId, Input, Instant, Loss, Misuse, Query,
    RequestId, Stats, TopicId, TopicStatus,
};
use smol::{Task, Timer};
use tracing::Instrument as _;
use tracing::Span;

use crate::conn::Conn;
use crate::items::Items;
use crate::open::open;
use crate::pump::Pump;
use crate::socket::Socket;

/// Market data, pulled by [`Feed::next`].
#[derive(Debug)]
pub struct Feed {
    engine: Engine,
    watch: Watch,
    rest: Rest,
    tls: Arc<ClientConfig>,
    conns: Vec<Conn>,
    attempts: Vec<Attempt>,
    fetches: Vec<(RequestId, Task<Answer>)>,
    /// Connections that broke when they were written to: told in the next turn, like every loss.
    broken: Vec<(ConnId, Loss)>,
    timer: Timer,
    /// What the timer is set to; `None`: to nothing.
    armed: Option<Instant>,
    waker: Waker,
    waiting: bool,
    wakes: u64,
    /// Inputs since the executor last got a chance.
    streak: u32,
    span: Span,
}

/// Ends a wait from elsewhere.
#[derive(Clone, Debug, Default)]
pub struct Waker(Arc<Woken>);

#[derive(Debug, Default)]
struct Woken {
    asked: AtomicBool,
    task: AtomicWaker,
}

impl Waker {
    /// Lets the present or next [`Feed::next_within`] return [`Next::Quiet`], once there is nothing to
    /// tell.
    pub fn wake(&self) {
        self.0.asked.store(true, Ordering::Release);
        self.0.task.wake();
    }

    fn take(&self) -> bool {
        self.0.asked.load(Ordering::Relaxed) && self.0.asked.swap(false, Ordering::Acquire)
    }
}

struct Attempt {
    id: ConnId,
    opened: Pin<Box<dyn Future<Output = Result<WebSocketStream<Socket>, Loss>> + Send>>,
}

/// After so many inputs in a row other tasks of the executor have their turn.
const STREAK: u32 = 128;

/// What waiting came to.
#[derive(Clone, Copy)]
pub(crate) enum Waited {
    Step(Step),
    Quiet,
    Ended,
}

impl Feed {
    /// A feed with this config, public roots and no credentials. Connects once something is
    /// subscribed to and [`Feed::next`] is awaited.
    ///
    /// # Errors
    /// None today; see [`Feed::with_options`].
    pub fn new(config: Config) -> Result<Self, FeedError> {
        Self::with_options(Options::with_config(config))
    }

    /// A feed with everything said.
    ///
    /// # Errors
    /// The roots cannot be used.
    pub fn with_options(options: Options) -> Result<Self, FeedError> {
        let tls = tls_config(&options.roots)?;
        let (engine, clock, rest) = options.parts();
        Ok(Self {
            engine,
            watch: Watch::new(clock),
            rest,
            tls,
            conns: Vec::new(),
            attempts: Vec::new(),
            fetches: Vec::new(),
            broken: Vec::new(),
            timer: Timer::never(),
            armed: None,
            waker: Waker::default(),
            waiting: false,
            wakes: 0,
            streak: 0,
            span: tracing::info_span!("feed", runtime = "smol"),
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

    /// Ends everything, without waiting. What was reported already can still be had from
    /// [`Feed::next`].
    pub fn close(&mut self) {
        self.engine.close(self.watch.now());
        self.perform_effects();
        self.hang_up();
    }

    /// Waits for the next update; `None` once the feed is closed and all was told. May be dropped
    /// and called again: nothing is lost.
    #[allow(clippy::should_implement_trait, reason = "an iterator cannot lend")]
    pub async fn next(&mut self) -> Option<Update<'_>> {
        let step = poll_fn(|cx| self.poll_next_step(cx)).await?;
        self.engine.lend(step)
    }

    /// Waits for the next update, but no longer than `limit`.
    pub async fn next_within(&mut self, limit: Duration) -> Next<'_> {
        let until = self.watch.now() + limit;
        match poll_fn(|cx| self.poll_step(cx, Some(until))).await {
            Waited::Ended => Next::Ended,
            Waited::Quiet => Next::Quiet,
            Waited::Step(step) => self.engine.lend(step).map_or(Next::Quiet, Next::Update),
        }
    }

    /// The feed as a stream of owned items.
    #[must_use]
    pub const fn into_stream(self) -> Items {
        Items::new(self)
    }

    /// Lets the feed run on a task of smol's own executor, and the caller read when it suits: see
    /// [`Pump`]. `cap` bounds what waits; 4096 is a good start.
    #[must_use]
    pub fn spawn(self, cap: usize) -> Pump {
        let (pump, run) = self.pump(cap);
        smol::spawn(run).detach();
        pump
    }

    /// The same for any executor: the future must be polled by it, as a task of its own.
    pub fn pump(self, cap: usize) -> (Pump, impl Future<Output = ()> + Send + 'static) {
        Pump::new(self, cap)
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

    /// Something to end waits with from elsewhere, such as a signal handler's thread.
    #[must_use]
    pub fn waker(&self) -> Waker {
        self.waker.clone()
    }

    /// Effects wait for the next step: a hundred subscriptions in a row make one frame.
    fn command<T>(&mut self, command: impl FnOnce(&mut Client, Instant) -> T) -> T {
        command(self.engine.client_mut(), self.watch.now())
    }

    pub(crate) fn poll_next_step(&mut self, cx: &mut Context<'_>) -> Poll<Option<Step>> {
        loop {
            match ready!(self.poll_step(cx, None)) {
                Waited::Step(step) => return Poll::Ready(Some(step)),
                Waited::Quiet => {}
                Waited::Ended => return Poll::Ready(None),
            }
        }
    }

    pub(crate) fn own(&self, step: Step) -> Option<Item> {
        self.engine.own(step)
    }

    /// Goes on until there is something to tell, or it is time to stop waiting for that.
    pub(crate) fn poll_step(
        &mut self,
        cx: &mut Context<'_>,
        until: Option<Instant>,
    ) -> Poll<Waited> {
        self.wakes += u64::from(std::mem::take(&mut self.waiting));
        loop {
            if let Some(step) = self.engine.step() {
                return Poll::Ready(Waited::Step(step));
            }
            if self.engine.is_closed() {
                return Poll::Ready(Waited::Ended);
            }
            self.streak += 1;
            if self.streak > STREAK {
                self.streak = 0;
                // Much may come that is nothing to tell.
                if self.waker.take() || self.is_over(until) {
                    return Poll::Ready(Waited::Quiet);
                }
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            let now = self.watch.recent();
            if self.turn(now, cx) {
                self.perform_effects();
                continue;
            }
            // Only after a turn: whoever wakes without end must not keep the line waiting.
            if self.waker.take() || self.is_over(until) {
                return Poll::Ready(Waited::Quiet);
            }
            if self.poll_wait(until, cx).is_pending() {
                self.streak = 0;
                self.waiting = true;
                return Poll::Pending;
            }
        }
    }

    /// Takes one thing that has come or is due; false if there is none. What has come goes first: a
    /// caller who was away for long must not lose what arrived in time.
    fn turn(&mut self, now: Instant, cx: &mut Context<'_>) -> bool {
        if let Some((id, loss)) = self.broken.pop() {
            self.engine.input(now, Input::Lost(id, loss));
            return true;
        }
        self.take_answer(now, cx)
            || self.take_attempt(now, cx)
            || self.take_message(now, cx)
            || self.engine.meet_deadline(self.watch.now())
    }

    fn is_over(&mut self, until: Option<Instant>) -> bool {
        until.is_some_and(|until| until <= self.watch.now())
    }

    fn take_answer(&mut self, now: Instant, cx: &mut Context<'_>) -> bool {
        let ready =
            self.fetches.iter_mut().enumerate().find_map(|(at, (_, task))| {
                match Pin::new(task).poll(cx) {
                    Poll::Ready(answer) => Some((at, answer)),
                    Poll::Pending => None,
                }
            });
        let Some((at, answer)) = ready else { return false };
        let (request, _) = self.fetches.swap_remove(at);
        self.engine.answer(now, request, answer);
        true
    }

    fn take_attempt(&mut self, now: Instant, cx: &mut Context<'_>) -> bool {
        let ready = self.attempts.iter_mut().enumerate().find_map(|(at, attempt)| {
            match attempt.opened.as_mut().poll(cx) {
                Poll::Ready(opened) => Some((at, opened)),
                Poll::Pending => None,
            }
        });
        let Some((at, opened)) = ready else { return false };
        let id = self.attempts.swap_remove(at).id;
        match opened {
            Ok(websocket) => {
                self.conns.push(Conn::new(id, websocket));
                self.engine.input(now, Input::Opened(id));
            }
            Err(loss) => self.engine.input(now, Input::Lost(id, loss)),
        }
        true
    }

    fn take_message(&mut self, now: Instant, cx: &mut Context<'_>) -> bool {
        let (mut at, mut other) = (0, None);
        for conn in &mut self.conns {
            let id = conn.id();
            match conn.poll_text(cx) {
                Poll::Ready(Some(text)) => {
                    self.engine.text(now, id, text);
                    return true;
                }
                Poll::Ready(None) => {
                    if let Poll::Ready(heard) = conn.poll_read(cx) {
                        other = Some((id, heard));
                        break;
                    }
                }
                Poll::Pending => {}
            }
            at += 1;
        }
        let Some((id, heard)) = other else { return false };
        match heard {
            Heard::Text(text) => self.engine.text(now, id, &text),
            Heard::Binary => self.engine.input(now, Input::Binary(id)),
            Heard::Control => {
                self.engine.meet_deadline(now);
            }
            Heard::Closed(loss) | Heard::Lost(loss) => {
                self.conns.swap_remove(at);
                self.engine.input(now, Input::Lost(id, loss));
            }
        }
        true
    }

    fn perform_effects(&mut self) {
        while let Some(effect) = self.engine.next_effect() {
            match effect {
                Effect::Send(conn, text) => self.send(conn, &text),
                Effect::Open(id, to) => {
                    let span =
                        tracing::info_span!(parent: &self.span, "open", conn = id.get(), %to);
                    let opened = open(to, Arc::clone(&self.tls)).instrument(span);
                    self.attempts.push(Attempt { id, opened: Box::pin(opened) });
                }
                Effect::Shut(id) => self.shut(id),
                Effect::Fetch(fetch) => {
                    let (rest, request) = (self.rest.clone(), fetch.request());
                    let span =
                        tracing::info_span!(parent: &self.span, "fetch", path = fetch.path());
                    let task = smol::unblock(move || span.in_scope(|| rest.perform(&fetch)));
                    self.fetches.push((request, task));
                }
            }
        }
    }

    fn send(&mut self, id: ConnId, text: &str) {
        let Some(at) = self.conns.iter().position(|conn| conn.id() == id) else { return };
        let sent = self.conns.get_mut(at).map_or(Ok(()), |conn| conn.send(text));
        if let Err(loss) = sent {
            self.conns.swap_remove(at);
            self.broken.push((id, loss));
        }
    }

    fn shut(&mut self, id: ConnId) {
        self.attempts.retain(|attempt| attempt.id != id);
        if let Some(at) = self.conns.iter().position(|conn| conn.id() == id) {
            // Nobody waits for how it ends.
            let mut cx = Context::from_waker(TaskWaker::noop());
            self.conns.swap_remove(at).shut(&mut cx);
        }
    }

    fn hang_up(&mut self) {
        self.attempts.clear();
        let mut cx = Context::from_waker(TaskWaker::noop());
        self.conns.drain(..).for_each(|conn| conn.shut(&mut cx));
    }

    /// Sockets and helpers are set to wake this task; sets the waker and the timer, too. Ready:
    /// there is something to do already.
    fn poll_wait(&mut self, until: Option<Instant>, cx: &mut Context<'_>) -> Poll<()> {
        self.waker.0.task.register(cx.waker());
        if self.waker.0.asked.load(Ordering::Acquire) {
            return Poll::Ready(());
        }
        let next = self.engine.deadline().into_iter().chain(until).min();
        if self.armed != next {
            self.armed = next;
            match next {
                Some(next) => self.timer.set_after(next.since(self.watch.now())),
                None => self.timer = Timer::never(),
            }
        }
        if Pin::new(&mut self.timer).poll(cx).is_ready() {
            // It may be early by our own clock: it is set anew then.
            self.armed = None;
            return Poll::Ready(());
        }
        Poll::Pending
    }
}

impl std::fmt::Debug for Attempt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Attempt({:?})", self.id)
    }
}

/// Connections are told goodbye; attempts end.
impl Drop for Feed {
    fn drop(&mut self) {
        self.hang_up();
    }
}
