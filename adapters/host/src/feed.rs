//! The loop: take what has come, meet the deadline, perform effects, wait.

use std::future::poll_fn;
use std::marker::PhantomData;
use std::task::{self, Context, Poll, ready};
use std::time::Duration;

use kucoin_futures_proto::book::LineShare;
use kucoin_futures_proto::{
    Account, AccountStatus, Book, BookAge, BookStatus, BudgetUse, Channel, Client, Command, Config,
    Epoch, Instant, LineId, LineRole, LineStatus, Misuse, Query, RequestId, Stats, TopicId,
    TopicStatus, WordsId,
};

use crate::clock::{CachedClock, Clock};
use crate::engine::{Engine, Step};
use crate::latencies::Latencies;
use crate::options::{FeedError, Next, Options};
use crate::tls::tls_config;
use crate::transport::{Async, Blocking, Incoming, Transport};
use crate::update::{Item, Update};
use crate::waker::Waker;

/// Market data, pulled by `next`: on threads it blocks, on tasks it is awaited.
///
/// A feed runs only inside `next` and `next_within`. [`Feed::spawn`](Feed#method.spawn) lets it run by
/// itself, and it can be an iterator or a stream of owned [`Item`]s.
///
/// `T` is the runtime, and `M` always its [`Transport::Mode`]: it is a parameter of its own so that
/// `next` can have two signatures. Both are drivers of one poll function. A task is polled by its
/// executor when it is woken; a thread polls again at once, because its transport has waited by the time
/// a poll returns. So the order of things, and what a dropped future or a waker means, is decided once.
///
/// Whatever the runtime:
///
/// * What has come is taken before what is due: a caller who was away for long loses nothing that
///   arrived in time.
/// * All effects are performed before anything is shown.
/// * Dropping the feed sends a close frame on every connection.
#[derive(Debug)]
pub struct Feed<T: Transport, M = <T as Transport>::Mode> {
    engine: Engine,
    clock: CachedClock,
    transport: T,
    waker: Waker,
    /// Set while the transport waits.
    waiting: bool,
    wakes: u64,
    /// Inputs and timeouts since the last wait, or since the executor or the limit was looked at.
    streak: u32,
    mode: PhantomData<fn() -> M>,
}

/// After this many inputs without a wait, other tasks of the executor get a turn, and the caller's waker
/// and limit are looked at.
const STREAK: u32 = 128;

/// Why a poll is over.
#[derive(Clone, Copy)]
pub(crate) enum Waited {
    /// There is something to tell.
    Step(Step),
    /// The limit is reached, or a waker was used.
    Quiet,
    /// The feed is closed and everything was told.
    Ended,
}

/// How long a caller waits, counted from when there is nothing more to take. Default: for ever.
#[derive(Default)]
pub(crate) struct Limit {
    span: Option<Duration>,
    until: Option<Instant>,
}

impl Limit {
    const fn new(span: Duration) -> Self {
        Self { span: Some(span), until: None }
    }

    fn until(&mut self, now: Instant) -> Option<Instant> {
        self.until = self.until.or_else(|| Some(now + self.span?));
        self.until
    }
}

impl<T: Transport> Feed<T> {
    /// A feed with this config, public roots and no credentials. It connects once something is
    /// subscribed to and `next` is called.
    ///
    /// # Errors
    /// The system has no poller left.
    pub fn new(config: Config) -> Result<Self, FeedError> {
        Self::with_options(Options::with_config(config))
    }

    /// A feed with these options.
    ///
    /// # Errors
    /// The system has no poller left, or the roots cannot be used.
    pub fn with_options(options: Options) -> Result<Self, FeedError> {
        let tls = tls_config(&options.roots)?;
        let (mut engine, clock, rest) = options.into_parts();
        let transport = T::new(tls, rest)?;
        engine.trace_under(transport.span());
        Ok(Self {
            engine,
            clock: CachedClock::new(clock),
            waker: Waker::new(transport.waker()),
            transport,
            waiting: false,
            wakes: 0,
            streak: 0,
            mode: PhantomData,
        })
    }
}

impl<T: Transport, M> Feed<T, M> {
    /// Wants a channel, over all reconnects. The frame goes out with the next call of `next`: a hundred
    /// subscriptions in a row make one.
    ///
    /// # Errors
    /// See [`Client::subscribe`](kucoin_futures_proto::Client::subscribe).
    pub fn subscribe(&mut self, channel: Channel) -> Result<TopicId, Misuse> {
        let command = Command::Subscribe { channel };
        self.command(command, |client, now| client.subscribe(now, channel))
    }

    /// Wants a topic no more.
    ///
    /// # Errors
    /// See [`Client::unsubscribe`](kucoin_futures_proto::Client::unsubscribe).
    pub fn unsubscribe(&mut self, topic: TopicId) -> Result<(), Misuse> {
        let command = Command::Unsubscribe { topic };
        self.command(command, |client, now| client.unsubscribe(now, topic))
    }

    /// Asks the exchange something, once; the answer comes as an [`Update::Push`].
    ///
    /// # Errors
    /// See [`Client::fetch`](kucoin_futures_proto::Client::fetch).
    pub fn fetch(&mut self, query: Query) -> Result<RequestId, Misuse> {
        self.command(Command::Fetch { query }, |client, now| client.fetch(now, query))
    }

    /// Holds a live book against a snapshot, once. What comes of it is told:
    /// [`Verified`](kucoin_futures_proto::BookEvent::Verified),
    /// [`Diverged`](kucoin_futures_proto::BookLostReason::Diverged) (and the book is made anew), or
    /// [`NotVerified`](kucoin_futures_proto::BookEvent::NotVerified). It stays live meanwhile.
    ///
    /// # Errors
    /// See [`Client::verify`](kucoin_futures_proto::Client::verify).
    pub fn verify(&mut self, topic: TopicId) -> Result<(), Misuse> {
        self.command(Command::Verify { topic }, |client, now| client.verify(now, topic))
    }

    /// Replaces every line that is up by a new one, without a book leaving live: for a time of the caller's own,
    /// before the exchange cuts them. How many are being replaced.
    ///
    /// # Errors
    /// See [`Client::replace_lines`](kucoin_futures_proto::Client::replace_lines).
    pub fn replace_lines(&mut self) -> Result<usize, Misuse> {
        self.command(Command::ReplaceLines, Client::replace_lines)
    }

    /// Follows the account of the credentials that the feed was made with: see
    /// [`Client::follow_account`](kucoin_futures_proto::Client::follow_account).
    ///
    /// # Errors
    /// See there.
    pub fn follow_account(&mut self) -> Result<(), Misuse> {
        self.command(Command::FollowAccount, Client::follow_account)
    }

    /// Follows the account no more.
    ///
    /// # Errors
    /// See [`Client::unfollow_account`](kucoin_futures_proto::Client::unfollow_account).
    pub fn unfollow_account(&mut self) -> Result<(), Misuse> {
        self.command(Command::UnfollowAccount, Client::unfollow_account)
    }

    fn command<R>(&mut self, command: Command, call: impl FnOnce(&mut Client, Instant) -> R) -> R {
        self.engine.command(self.clock.now(), command, call)
    }

    /// The account that is followed, while it is live.
    #[must_use]
    pub const fn account(&self) -> Option<&Account> {
        self.engine.client().account()
    }

    /// How far the account has come.
    #[must_use]
    pub const fn account_status(&self) -> AccountStatus {
        self.engine.client().account_status()
    }

    /// Ends everything, without waiting. `next` still tells what was reported before, then `None`.
    pub fn close(&mut self) {
        self.engine.close(self.clock.now());
        self.perform_effects();
        self.transport.close();
    }

    /// The book of a level2 topic, while it is live.
    #[must_use]
    pub fn book(&self, topic: TopicId) -> Option<&Book> {
        self.engine.client().book(topic)
    }

    /// Which run of a live book can be read now; `None` while it is not live. See
    /// [`Client::book_epoch`](kucoin_futures_proto::Client::book_epoch).
    #[must_use]
    pub fn book_epoch(&self, topic: TopicId) -> Option<Epoch> {
        self.engine.client().book_epoch(topic)
    }

    /// How far the subscription to a topic has come.
    #[must_use]
    pub fn status(&self, topic: TopicId) -> TopicStatus {
        self.engine.client().status(topic)
    }

    /// The lines, as they are now.
    pub fn lines(&self) -> impl Iterator<Item = LineStatus> + '_ {
        self.engine.client().lines()
    }

    /// What the line that an event names is there for.
    #[must_use]
    pub fn line_role(&self, line: LineId) -> Option<LineRole> {
        self.engine.client().line_role(line)
    }

    /// What each line has brought of a book that several carry: who was first, and by how much. Empty while one line
    /// is all there is.
    pub fn shares(&self, topic: TopicId) -> impl Iterator<Item = (LineId, &LineShare)> {
        self.engine.client().shares(topic)
    }

    /// How long ago a live book was heard of, and known to be right, as of now; `None` while it is not live. See
    /// [`BookAge`].
    #[must_use]
    pub fn book_age(&self, topic: TopicId) -> Option<BookAge> {
        self.engine.client().book_age(self.clock.clock().now(), topic)
    }

    /// How much of each budget is in use now: weight of REST, tokens, connects, and the messages of each line.
    pub fn budgets(&self) -> impl Iterator<Item = BudgetUse> + '_ {
        self.engine.client().budgets(self.clock.clock().now())
    }

    /// How long changes of books were on their way: to us, and through us.
    #[must_use]
    pub const fn latencies(&self) -> &Latencies {
        self.engine.latencies()
    }

    /// All that [`metrics`](crate::metrics) tells, as of now, with the books of these topics.
    #[cfg(feature = "metrics")]
    #[must_use]
    pub fn metrics(&self, books: impl IntoIterator<Item = TopicId>) -> String {
        let now = self.clock.clock().now();
        crate::metrics::encode(self.engine.client(), now, self.engine.latencies(), books)
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

    /// What the exchange said, as [`Event::refusal`](kucoin_futures_proto::Event::refusal) names it: see
    /// [`Client::words`](kucoin_futures_proto::Client::words).
    #[must_use]
    pub fn words(&self, words: WordsId) -> Option<&str> {
        self.engine.client().words(words)
    }

    /// The counters.
    #[must_use]
    pub const fn stats(&self) -> &Stats {
        self.engine.client().stats()
    }

    /// How often the feed woke up from waiting: an idle one does so for its deadlines only.
    #[must_use]
    pub const fn wakes(&self) -> u64 {
        self.wakes
    }

    /// The feed's clock, for those who schedule next to it.
    #[must_use]
    pub const fn clock(&self) -> Clock {
        self.clock.clock()
    }

    /// What another thread or task can end a wait with.
    #[must_use]
    pub fn waker(&self) -> Waker {
        self.waker.clone()
    }

    /// Goes on until there is something to tell, or the caller no longer waits for that. `Pending`: the
    /// transport waits, or other tasks are due for a turn. Dropping the future that polls loses nothing.
    pub(crate) fn poll_step(&mut self, cx: &mut Context<'_>, limit: &mut Limit) -> Poll<Waited> {
        if std::mem::take(&mut self.waiting) {
            self.wakes += 1;
        }
        loop {
            if let Some(step) = self.engine.step() {
                return Poll::Ready(Waited::Step(step));
            }
            if self.engine.is_closed() {
                return Poll::Ready(Waited::Ended);
            }
            // What has come goes before what is due.
            let busy = self.take_input(cx) || self.engine.handle_timeout(self.clock.now());
            if busy {
                self.perform_effects();
                if self.engine.latencies().is_within_read() && !self.transport.has_frame() {
                    self.end_read();
                }
                self.streak += 1;
                if self.streak < STREAK {
                    continue;
                }
                self.clock.now();
            }
            self.streak = 0;
            // Only after an input: wake-ups without end must not keep the line waiting. And not after
            // the last input: there may be many that are nothing to tell.
            let now = self.clock.recent();
            let until = limit.until(now);
            if self.waker.take() || until.is_some_and(|until| until <= now) {
                return Poll::Ready(Waited::Quiet);
            }
            if busy {
                cx.waker().wake_by_ref();
            } else {
                self.wait(cx, now, until);
            }
            return Poll::Pending;
        }
    }

    pub(crate) fn poll_next_step(&mut self, cx: &mut Context<'_>) -> Poll<Option<Step>> {
        loop {
            match ready!(self.poll_step(cx, &mut Limit::default())) {
                Waited::Step(step) => return Poll::Ready(Some(step)),
                Waited::Quiet => {}
                Waited::Ended => return Poll::Ready(None),
            }
        }
    }

    /// The next thing to tell, to be kept.
    pub(crate) fn poll_next_item(&mut self, cx: &mut Context<'_>) -> Poll<Option<Item>> {
        let step = ready!(self.poll_next_step(cx));
        Poll::Ready(step.and_then(|step| self.engine.own(step)))
    }

    pub(crate) fn own(&self, step: Step) -> Option<Item> {
        self.engine.own(step)
    }

    fn take_input(&mut self, cx: &mut Context<'_>) -> bool {
        // However short the wait was, and whatever the caller has done meanwhile.
        let now = if self.engine.latencies().is_within_read() {
            self.clock.recent()
        } else {
            let now = self.clock.now();
            self.engine.latencies_mut().on_read(now);
            now
        };
        let Poll::Ready(incoming) = self.transport.poll_input(cx) else {
            self.end_read();
            return false;
        };
        let is_frame = matches!(incoming, Incoming::Text(..) | Incoming::Read(..));
        self.engine.handle(now, incoming);
        if is_frame {
            self.engine.latencies_mut().on_frame();
        }
        true
    }

    /// Nothing is left of what was read from the sockets.
    fn end_read(&mut self) {
        let now = if self.engine.latencies().has_frames() {
            self.clock.now()
        } else {
            self.clock.recent()
        };
        self.engine.latencies_mut().on_read_over(now);
    }

    fn perform_effects(&mut self) {
        while let Some(effect) = self.engine.next_effect() {
            self.transport.perform(effect);
        }
    }

    fn wait(&mut self, cx: &mut Context<'_>, now: Instant, until: Option<Instant>) {
        self.waiting = true;
        let until = self.engine.deadline().into_iter().chain(until).min();
        self.transport.wait(cx, now, until);
        // It may have been used before the transport knew which task to wake.
        if self.waker.is_asked() {
            cx.waker().wake_by_ref();
        }
    }

    fn show(&self, waited: Waited) -> Next<'_> {
        match waited {
            Waited::Ended => Next::Ended,
            Waited::Quiet => Next::Quiet,
            Waited::Step(step) => self.engine.lend(step).map_or(Next::Quiet, Next::Update),
        }
    }
}

/// On threads.
impl<T: Transport<Mode = Blocking>> Feed<T, Blocking> {
    /// Waits for the next update; `None` once the feed is closed and everything was told.
    #[allow(clippy::should_implement_trait, reason = "an iterator cannot lend")]
    pub fn next(&mut self) -> Option<Update<'_>> {
        let step = block(|cx| self.poll_next_step(cx))?;
        self.engine.lend(step)
    }

    /// Waits for the next update, but no longer than `limit`.
    pub fn next_within(&mut self, limit: Duration) -> Next<'_> {
        // Nobody else is due for a turn: what came with earlier calls is no reason to end this one.
        self.streak = 0;
        let mut limit = Limit::new(limit);
        let waited = block(|cx| self.poll_step(cx, &mut limit));
        self.show(waited)
    }
}

/// On tasks.
impl<T: Transport<Mode = Async>> Feed<T, Async> {
    /// Waits for the next update; `None` once the feed is closed and everything was told. The future may
    /// be dropped and asked for again: nothing is lost.
    #[allow(clippy::should_implement_trait, reason = "an iterator cannot lend")]
    pub async fn next(&mut self) -> Option<Update<'_>> {
        let step = poll_fn(|cx| self.poll_next_step(cx)).await?;
        self.engine.lend(step)
    }

    /// Waits for the next update, but no longer than `limit`. May be dropped like [`Feed::next`].
    pub async fn next_within(&mut self, limit: Duration) -> Next<'_> {
        let mut limit = Limit::new(limit);
        let waited = poll_fn(|cx| self.poll_step(cx, &mut limit)).await;
        self.show(waited)
    }
}

/// Connections are sent a close frame; attempts end.
impl<T: Transport, M> Drop for Feed<T, M> {
    fn drop(&mut self) {
        self.transport.close();
    }
}

/// Polls on a thread: whenever the answer is `Pending`, a blocking transport has waited already.
pub(crate) fn block<R>(mut poll: impl FnMut(&mut Context<'_>) -> Poll<R>) -> R {
    let mut cx = Context::from_waker(task::Waker::noop());
    loop {
        if let Poll::Ready(result) = poll(&mut cx) {
            return result;
        }
    }
}
