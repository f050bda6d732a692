//! One spawned feed, and those who read it: events in order, books at the event handed out last, answers to queries.
//!
//! Nothing here knows the interpreter. Whoever waits has let go of it before.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::Duration;

use kucoin_futures_blocking::{Feed, Item, Message, Options, Pump, Taken};
use kucoin_futures_host::Clock;
use kucoin_futures_proto::{
    BookEvent, Channel, Event, Instant, Query, Refusal, RequestId, RestError, TopicId,
};

use crate::backlog::Backlog;
use crate::fault::Fault;
use crate::mirror::{Copied, Topics};

/// What is shared by all who hold a feed.
pub(crate) struct Shared {
    /// Shared once more with commands that empty the queue while the feed stands still.
    pump: Arc<Pump>,
    state: Mutex<State>,
    /// Held by the one who takes from the queue, so that events stay in order.
    taking: Mutex<()>,
    /// Something was taken, or another one may take now.
    news: Condvar,
    /// Somebody iterates.
    is_read: AtomicBool,
    /// What waits are measured by: the feed's own.
    clock: Clock,
}

#[derive(Default)]
pub(crate) struct State {
    /// Taken from the queue, and not handed out.
    backlog: Backlog,
    pub(crate) topics: Topics,
    /// How many events were handed out: the number of the last one.
    handed: u64,
    replies: BTreeMap<RequestId, Result<Message, Unanswered>>,
    /// Nobody waits for their answers any more.
    given_up: BTreeSet<RequestId>,
    /// Their mirrors have lost their place.
    strayed: Vec<TopicId>,
    is_ended: bool,
    /// Counts what waiters are woken for.
    news: u64,
}

/// Why there is no answer.
struct Unanswered {
    reason: RestError,
    refusal: Option<Refusal>,
    words: Option<Box<str>>,
}

/// Something to hand out.
#[derive(Debug)]
pub(crate) struct Out {
    pub(crate) channel: Option<Channel>,
    pub(crate) item: Item,
}

/// What there is at once.
pub(crate) enum Ready {
    Out(Out),
    /// There is something, and a book has to be asked for before it is handed out.
    Slow,
    Nothing,
    Ended,
}

/// The right to iterate, given back when it is dropped.
pub(crate) struct Reading<'a>(&'a AtomicBool);

impl<'a> Reading<'a> {
    /// One at a time may iterate. `what` is read.
    pub(crate) fn begin(is_read: &'a AtomicBool, what: &str) -> Result<Self, Fault> {
        if is_read.swap(true, Ordering::Acquire) {
            return Err(Fault::Misuse(format!(
                "another thread or task is reading this {what}: let one read and hand on what others need, or make a {what} for each"
            )));
        }
        Ok(Self(is_read))
    }
}

impl Drop for Reading<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

impl Shared {
    /// Lets a feed run.
    pub(crate) fn start(options: Options, cap: usize) -> Result<Self, Fault> {
        let clock = options.clock;
        let feed = Feed::with_options(options)?;
        let pump = feed.spawn(cap).map_err(|error| Fault::Misuse(format!("no thread: {error}")))?;
        Ok(Self {
            pump: Arc::new(pump),
            state: Mutex::new(State { backlog: Backlog::new(cap), ..State::default() }),
            taking: Mutex::default(),
            news: Condvar::new(),
            is_read: AtomicBool::new(false),
            clock,
        })
    }

    pub(crate) fn now(&self) -> Instant {
        self.clock.now()
    }

    /// How long it is until then.
    pub(crate) fn until(&self, then: Instant) -> Duration {
        then.since(self.now())
    }

    pub(crate) fn pump(&self) -> &Pump {
        &self.pump
    }

    /// What is locked while the feed's thread is asked: not to be waited for with the interpreter's lock.
    pub(crate) const fn state(&self) -> &Mutex<State> {
        &self.state
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Subscribes. What comes of the topic is not handed out before it is known here.
    pub(crate) fn subscribe(&self, channel: Channel) -> Result<TopicId, Fault> {
        let mut state = self.lock();
        let topic = self.pump.subscribe(channel)?;
        state.topics.add(topic, channel);
        Ok(topic)
    }

    /// One at a time may iterate.
    pub(crate) fn begin_reading(&self) -> Result<Reading<'_>, Fault> {
        Reading::begin(&self.is_read, "feed")
    }

    /// The next event, if it is there and can be handed out without waiting for anybody.
    pub(crate) fn ready(&self, state: &mut State) -> Ready {
        if !state.strayed.is_empty() {
            return Ready::Slow;
        }
        let item = match state.backlog.pop() {
            Some(item) => item,
            None => match self.take_now(state) {
                Some(item) => item,
                None if state.is_ended => return Ready::Ended,
                None => return Ready::Nothing,
            },
        };
        if wants_copy(&item) {
            state.backlog.put_back(item);
            return Ready::Slow;
        }
        Ready::Out(state.hand_out(item))
    }

    /// The oldest of the queue that is no answer to a query.
    fn take_now(&self, state: &mut State) -> Option<Item> {
        let _taking = match self.taking.try_lock() {
            Ok(taking) => taking,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            // Whoever takes puts it into the backlog.
            Err(TryLockError::WouldBlock) => return None,
        };
        loop {
            match self.pump.take_within(Duration::ZERO) {
                Taken::Item(item) => {
                    let item = state.keep_answer(item);
                    if item.is_some() {
                        return item;
                    }
                    self.tell(state);
                }
                Taken::Ended => {
                    state.is_ended = true;
                    self.tell(state);
                    return None;
                }
                Taken::Quiet => return None,
            }
        }
    }

    /// The next event when [`ready`](Self::ready) said that a book has to be asked for. `None`: to be asked again.
    pub(crate) fn hand_out_slowly(&self) -> Option<Out> {
        let is_lag =
            matches!(self.lock().backlog.front(), Some(Item::State(Event::Lagged { .. }, _)));
        // Before the state, as by whoever waits.
        let taking = is_lag.then(|| self.taking.lock().unwrap_or_else(PoisonError::into_inner));
        let mut state = self.lock();
        while let Some(topic) = state.strayed.pop() {
            let copied = self.copy(topic);
            let at = state.handed;
            if let Some(mirror) = state.topics.mirror(topic) {
                mirror.lock().replace(copied, at);
            }
        }
        let item = state.backlog.pop()?;
        if taking.is_none() && matches!(item, Item::State(Event::Lagged { .. }, _)) {
            // There was nothing when it was looked at, and another one has put this there since.
            state.backlog.put_back(item);
            return None;
        }
        let at = state.handed.saturating_add(1);
        match item {
            Item::State(Event::Book(topic, BookEvent::Live { epoch, .. }), _) => {
                if let Some(mirror) = state.topics.mirror(topic) {
                    if mirror.lock().contains(at) {
                        mirror.lock().begun(epoch);
                    } else {
                        let copied = self.copy(topic);
                        mirror.lock().live(epoch, copied, at);
                    }
                }
            }
            Item::State(Event::Book(topic, BookEvent::Verified { is_wider: true, .. }), _) => {
                if let Some(mirror) = state.topics.mirror(topic)
                    && !mirror.lock().contains(at)
                {
                    let copied = self.copy(topic);
                    mirror.lock().widen(copied, at);
                }
            }
            Item::State(Event::Lagged { .. }, _) => self.copy_all(&mut state, at),
            _ => {}
        }
        Some(state.hand_out(item))
    }

    /// The book as the feed has it now.
    fn copy(&self, topic: TopicId) -> Copied {
        let copied =
            self.pump.with(move |feed| feed.book_epoch(topic).zip(feed.book(topic).cloned()));
        copied.ok().flatten()
    }

    /// Events are missing from the one with this number on: takes every book anew, and with the feed standing still
    /// all that is in the queue, so that it is known which events the copies contain. The caller has the right to
    /// take.
    fn copy_all(&self, state: &mut State, at: u64) {
        let stale = |topics: &Topics| topics.mirrors().any(|(_, it)| !it.lock().contains(at));
        if !stale(&state.topics) {
            return;
        }
        let topics: Vec<TopicId> = state.topics.mirrors().map(|(topic, _)| topic).collect();
        let pump = Arc::clone(&self.pump);
        let looked = self.pump.with(move |feed| {
            let left: Vec<Item> = std::iter::from_fn(|| match pump.take_within(Duration::ZERO) {
                Taken::Item(item) => Some(item),
                Taken::Quiet | Taken::Ended => None,
            })
            .collect();
            let copied = topics
                .into_iter()
                .map(|topic| (topic, feed.book_epoch(topic).zip(feed.book(topic).cloned())));
            (left, copied.collect::<Vec<(TopicId, Copied)>>())
        });
        let Ok((left, copied)) = looked else {
            // Closed: no book is live any more.
            for (_, mirror) in state.topics.mirrors() {
                mirror.lock().lose("the feed was closed".into());
            }
            return;
        };
        for item in left {
            state.keep(item);
        }
        // What is dropped from here on is not in the copies.
        state.backlog.close_lag();
        // The one that says that events are missing is not in the backlog any more.
        let cut = at.saturating_add(state.backlog.len() as u64);
        for (topic, book) in copied {
            if let Some(mirror) = state.topics.mirror(topic) {
                mirror.lock().replace(book, cut);
            }
        }
        self.tell(state);
    }

    /// Waits until something was taken or another may take, but no longer than `limit`.
    pub(crate) fn wait(&self, limit: Duration) {
        let seen = self.lock().news;
        match self.taking.try_lock() {
            Ok(taking) => {
                let taken = self.pump.take_within(limit);
                let mut state = self.lock();
                match taken {
                    Taken::Item(item) => state.keep(item),
                    Taken::Ended => state.is_ended = true,
                    Taken::Quiet => {}
                }
                drop(taking);
                self.tell(&mut state);
            }
            Err(_) => {
                let state = self.lock();
                let is_old = |state: &mut State| state.news == seen;
                drop(self.news.wait_timeout_while(state, limit, is_old));
            }
        }
    }

    /// Whether there is something to hand out, or never will be.
    pub(crate) fn has_next(&self) -> bool {
        let mut state = self.lock();
        if state.backlog.is_empty()
            && let Some(item) = self.take_now(&mut state)
        {
            state.backlog.push(item);
        }
        !state.backlog.is_empty() || state.is_ended
    }

    /// Asks something; the answer is fetched by [`answer`](Self::answer).
    pub(crate) fn ask(&self, query: Query) -> Result<RequestId, Fault> {
        Ok(self.pump.fetch(query)?)
    }

    /// The answer, if it has come. Waits no longer than `slice` for it.
    pub(crate) fn answer(
        &self,
        request: RequestId,
        slice: Duration,
    ) -> Option<Result<Message, Fault>> {
        let until = self.now() + slice;
        loop {
            {
                let mut state = self.lock();
                if let Some(answer) = state.replies.remove(&request) {
                    return Some(
                        answer.map_err(|it| Fault::of_query(&it.reason, it.refusal, it.words)),
                    );
                }
                if state.is_ended {
                    return Some(Err(Fault::Closed));
                }
            }
            let left = self.until(until);
            if left.is_zero() {
                return None;
            }
            self.wait(left);
        }
    }

    /// Nobody waits for this answer any more.
    pub(crate) fn give_up(&self, request: RequestId) {
        let mut state = self.lock();
        if state.replies.remove(&request).is_none() {
            state.given_up.insert(request);
        }
    }

    /// Ends everything. What was told before can still be read.
    pub(crate) fn close(&self) {
        self.pump.close();
    }

    fn tell(&self, state: &mut State) {
        state.news = state.news.wrapping_add(1);
        self.news.notify_all();
    }
}

/// Whether a book has to be asked for before it is handed out.
const fn wants_copy(item: &Item) -> bool {
    matches!(
        item,
        Item::State(
            Event::Lagged { .. }
                | Event::Book(
                    _,
                    BookEvent::Live { .. } | BookEvent::Verified { is_wider: true, .. }
                ),
            _
        )
    )
}

impl State {
    /// Puts what was taken where it belongs.
    fn keep(&mut self, item: Item) {
        let item = self.keep_answer(item);
        if let Some(item) = item {
            self.backlog.push(item);
        }
    }

    /// Keeps the answer to a query for whoever asked; anything else is given back.
    fn keep_answer(&mut self, item: Item) -> Option<Item> {
        let (request, answer) = match item {
            Item::Push(message) => match message.push().request() {
                Some(request) => (request, Ok(message)),
                None => return Some(Item::Push(message)),
            },
            Item::State(event, words) => match event {
                Event::QueryFailed { request, reason } => {
                    (request, Err(Unanswered { reason, refusal: event.refusal(), words }))
                }
                _ => return Some(Item::State(event, words)),
            },
            item @ Item::Delta(..) => return Some(item),
        };
        if !self.given_up.remove(&request) {
            self.replies.insert(request, answer);
        }
        None
    }

    /// Brings the mirrors to an event, and gives it out.
    #[inline]
    fn hand_out(&mut self, item: Item) -> Out {
        self.handed = self.handed.saturating_add(1);
        let topic = match &item {
            Item::Delta(topic, delta) => {
                if let Some(mirror) = self.topics.mirror(*topic)
                    && !mirror.lock().apply(delta, self.handed)
                {
                    self.strayed.push(*topic);
                }
                Some(*topic)
            }
            Item::State(event, _) => {
                if let Event::Book(topic, BookEvent::Lost { epoch, reason }) = event
                    && let Some(mirror) = self.topics.mirror(*topic)
                {
                    mirror.lock().over(*epoch, reason.to_string());
                }
                event.topic()
            }
            Item::Push(message) => message.push().topic(),
        };
        Out { channel: topic.and_then(|topic| self.topics.channel(topic)), item }
    }
}
