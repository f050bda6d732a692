//! The client: routes inputs to its components and gathers what they put out.

mod router;

use alloc::vec::Vec;

use crate::account::sync::AccountSync;
use crate::account::{Account, AccountStatus};
use crate::book::sync::{BookStatus, BookSync};
use crate::book::{Book, BookAge, LineShare};
use crate::channel::Channel;
use crate::command::Command;
use crate::config::Config;
use crate::context::Context;
use crate::error::Misuse;
use crate::event::AccountLostReason;
use crate::ids::{Epoch, LineId, RequestId, TopicId, WordsId};
use crate::input::Input;
use crate::limiter::BudgetUse;
use crate::line::{Line, LineStatus};
use crate::output::{Deadline, Output, TimeoutReason};
use crate::placement::{LineRole, Placement};
use crate::push::Push;
use crate::query::Query;
use crate::scheduler::RestScheduler;
use crate::stats::Stats;
use crate::time::Instant;
use crate::topics::{Interest, TopicStatus, Topics};
use router::{Comparison, Router};

/// A KuCoin Futures client without any I/O: bytes and times in, effects and events out.
///
/// See the [crate's documentation](crate) for the laws it keeps and the loop that drives it.
///
/// A clone goes its own way from there: the same inputs give the same outputs. It has the same names
/// for connections and requests, so only one of the two can be driven by real ones.
#[derive(Clone)]
pub struct Client {
    router: Router,
    closed: bool,
}

impl Client {
    /// A client that begins at `now`. `seed` decides jitter and connect ids: give every process
    /// another one, and a test always the same.
    #[must_use]
    pub fn new(now: Instant, seed: u64, config: Config) -> Self {
        let cx = Context::new(now, seed, config.in_order());
        let scheduler = RestScheduler::new(&cx.config);
        let placement = Placement::new(&cx.config);
        let account = AccountSync::new(&cx.config);
        let topics = Topics::default();
        let lines = Vec::new();
        let router = Router {
            cx,
            lines,
            placement,
            topics,
            scheduler,
            account,
            comparison: Comparison::default(),
            may_send: false,
            message: None,
        };
        Self { router, closed: false }
    }

    // Commands: these take `now` and may queue outputs.

    /// Wants a channel from now on, over all reconnects. Wanting it twice is wanting it once; a
    /// rejected one is tried again.
    ///
    /// Only marks it: frames are composed when outputs are drained, so that a hundred calls make
    /// one frame.
    ///
    /// # Errors
    /// [`Misuse::TooManyTopics`], [`Misuse::Closed`].
    pub fn subscribe(&mut self, now: Instant, channel: Channel) -> Result<TopicId, Misuse> {
        self.enter(now)?;
        if let Some(known) = self.router.topics.wanted_topic(channel) {
            return Ok(known);
        }
        let is_private = channel.is_private();
        if self.router.topics.wanted(is_private) >= self.router.placement.capacity(is_private) {
            return Err(Misuse::TooManyTopics);
        }
        let topic = self
            .router
            .topics
            .want(channel, &self.router.cx.config)
            .ok_or(Misuse::TooManyTopics)?;
        self.router.carry(topic, channel.kind());
        self.router.settle();
        Ok(topic)
    }

    /// Wants a topic no more. Its book is gone at once.
    ///
    /// # Errors
    /// [`Misuse::UnknownTopic`], [`Misuse::Closed`].
    pub fn unsubscribe(&mut self, now: Instant, topic: TopicId) -> Result<(), Misuse> {
        self.enter(now)?;
        if self.router.topics.get(topic).ok_or(Misuse::UnknownTopic)?.is_wanted() {
            // A line that carries it tells when it does not any more.
            let is_carried = self.router.is_carried(topic);
            self.router.end(topic, Interest::Ended);
            if !is_carried {
                self.router.on_carried_no_more(topic);
            }
        }
        self.router.settle();
        Ok(())
    }

    /// Asks the exchange something, once, under the budgets. The answer comes as a [`Push`] with
    /// this id, or as [`Event::QueryFailed`](crate::Event::QueryFailed).
    ///
    /// # Errors
    /// [`Misuse::TooManyQueries`], [`Misuse::Closed`].
    pub fn fetch(&mut self, now: Instant, query: Query) -> Result<RequestId, Misuse> {
        self.enter(now)?;
        let request = self.router.scheduler.want_query(&mut self.router.cx, query)?;
        self.router.settle();
        Ok(request)
    }

    /// Follows the account: its open orders, stop orders, positions and balances can be read from
    /// [`account`](Self::account) once [`AccountEvent::Live`](crate::AccountEvent::Live) has said so.
    ///
    /// Wants the topics that it is kept from: [`Channel::orders`], [`Channel::stop_orders`],
    /// [`Channel::positions`] and [`Channel::wallet`], whose messages are handed out, too. Following it twice is
    /// following it once.
    ///
    /// # Errors
    /// [`Misuse::TooManyTopics`], [`Misuse::Closed`].
    pub fn follow_account(&mut self, now: Instant) -> Result<(), Misuse> {
        // The first of them is what is asked for once more to see that all has come.
        let channels =
            [Channel::orders(), Channel::stop_orders(), Channel::positions(), Channel::wallet()];
        let mut topics = Vec::new();
        for channel in channels {
            let topic = self.subscribe(now, channel)?;
            let is_carried = matches!(self.status(topic), TopicStatus::Confirmed { .. });
            topics.push((topic, is_carried));
        }
        self.router.account.follow(&self.router.cx, topics);
        self.router.settle();
        Ok(())
    }

    /// Follows the account no more, and unsubscribes the topics that it was kept from.
    ///
    /// # Errors
    /// [`Misuse::Closed`].
    pub fn unfollow_account(&mut self, now: Instant) -> Result<(), Misuse> {
        self.enter(now)?;
        let topics: Vec<_> = self.router.account.topics().collect();
        self.router.account.stop(&mut self.router.cx, AccountLostReason::Unfollowed);
        topics.into_iter().try_for_each(|topic| self.unsubscribe(now, topic))
    }

    /// Holds a live book against a snapshot, once: [`BookEvent::Verified`](crate::BookEvent::Verified) says that they
    /// agree and where, [`BookLostReason::Diverged`](crate::BookLostReason::Diverged) what differs (and the book is
    /// made anew), [`BookEvent::NotVerified`](crate::BookEvent::NotVerified) that there was no verdict. It stays live
    /// meanwhile.
    ///
    /// # Errors
    /// [`Misuse::UnknownTopic`], also of a topic without a book, [`Misuse::NotLive`], [`Misuse::Closed`].
    pub fn verify(&mut self, now: Instant, topic: TopicId) -> Result<(), Misuse> {
        self.enter(now)?;
        let book = self.router.topics.book_mut(topic).ok_or(Misuse::UnknownTopic)?;
        let is_live = book.verify(&mut self.router.cx);
        self.router.settle();
        if is_live { Ok(()) } else { Err(Misuse::NotLive) }
    }

    /// Replaces every line that is up, as each is before the exchange would cut it: another one opens, carries the
    /// same topics, and the old one is shut once nothing can be missed. For a caller who wants that at a time of his
    /// own. Says how many are being replaced; [`Stats::change_overs`](crate::Stats::change_overs) counts those
    /// that were.
    ///
    /// # Errors
    /// [`Misuse::Closed`].
    pub fn replace_lines(&mut self, now: Instant) -> Result<usize, Misuse> {
        self.enter(now)?;
        let lines: Vec<_> = self.lines().filter(|line| line.replaces.is_none()).collect();
        let begin = |line: &LineStatus| {
            self.router.begin_change_over(line.id, crate::event::ReplaceReason::Asked)
        };
        let begun = lines.iter().map(begin).filter(|begun| *begun).count();
        self.router.settle();
        Ok(begun)
    }

    /// Ends everything. Drain the outputs once more; after that nothing comes any more.
    pub fn close(&mut self, now: Instant) {
        if self.enter(now).is_err() {
            return;
        }
        self.router.account.stop(&mut self.router.cx, AccountLostReason::Unfollowed);
        self.router.topics.drop_all(&mut self.router.cx);
        for line in &mut self.router.lines {
            line.close(&mut self.router.cx);
        }
        self.router.route();
        self.router.scheduler.close(&mut self.router.cx);
        self.router.cx.timers.clear_all();
        self.closed = true;
    }

    /// One of the commands above, as a value: for recordings, and for commands that come from elsewhere.
    ///
    /// # Errors
    /// Those of the command.
    pub fn command(&mut self, now: Instant, command: Command) -> Result<(), Misuse> {
        match command {
            Command::Subscribe { channel } => self.subscribe(now, channel).map(drop),
            Command::Unsubscribe { topic } => self.unsubscribe(now, topic),
            Command::Fetch { query } => self.fetch(now, query).map(drop),
            Command::FollowAccount => self.follow_account(now),
            Command::UnfollowAccount => self.unfollow_account(now),
            Command::Verify { topic } => self.verify(now, topic),
            Command::ReplaceLines => self.replace_lines(now).map(drop),
            Command::Close => {
                self.close(now);
                Ok(())
            }
        }
    }

    /// Takes one input. Total: whatever comes, it neither fails nor panics.
    ///
    /// The [`Turn`] says in order what came of it: drain it.
    pub fn handle<'a>(&'a mut self, now: Instant, input: Input<'a>) -> Turn<'a> {
        self.router.message = None;
        let (mut bytes, mut before) = (&[][..], 0);
        if self.enter(now).is_ok() {
            if let Input::Text { bytes: said, .. } | Input::Reply { body: said, .. } = input {
                bytes = said;
            }
            let is_of_topic = self.router.take(input);
            before = self.router.cx.outbox.len();
            if !is_of_topic || self.router.is_due() {
                self.router.run_timers();
                self.router.settle();
            }
        }
        Turn::new(self, bytes, before)
    }

    // Outputs.

    /// The next thing to do or to report; `None` once drained. Call it until then after every command; a
    /// [`Turn`] does so by itself. Never a [`Output::Push`].
    #[inline]
    pub fn poll_output(&mut self) -> Option<Output<'static>> {
        loop {
            if let Some(output) = self.router.cx.outbox.pop() {
                return Some(output);
            }
            // Each turn uses up some work or finds the budget exhausted.
            if !self.router.may_send {
                return None;
            }
            let Some(line) = self.router.lines.iter_mut().find(|line| line.has_output()) else {
                self.router.may_send = false;
                return None;
            };
            let (id, topics) = (line.id(), &mut self.router.topics);
            line.compose(&mut self.router.cx, |topic, is_heard| {
                topics.on_asked(topic, id, is_heard)
            });
            self.router.settle();
        }
    }

    /// When to call `handle` with `Timeout`, and what for. O(1); changes only by `&mut` calls.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Deadline> {
        let has_work = self.router.may_send && self.router.lines.iter().any(Line::has_output);
        if !self.router.cx.outbox.is_empty() || has_work {
            return Some(Deadline::new(self.router.cx.now, TimeoutReason::Outputs));
        }
        // planted: early-deadline
        let (at, timer) = self.router.cx.timers.earliest()?;
        Some(Deadline::new(at, timer.reason()))
    }

    // Reading.

    /// The book of a level2 topic, while it is live.
    #[must_use]
    pub fn book(&self, topic: TopicId) -> Option<&Book> {
        self.router.topics.book(topic)?.book()
    }

    /// Which run of a live book can be read now, as its [`Live`](crate::BookEvent::Live) said; `None` while it is not
    /// live. For whoever takes a copy of the book: it may be further than the event that was taken last.
    #[must_use]
    pub fn book_epoch(&self, topic: TopicId) -> Option<Epoch> {
        self.router.topics.book(topic)?.live_epoch()
    }

    /// The account that is followed, while it is live.
    #[must_use]
    pub const fn account(&self) -> Option<&Account> {
        self.router.account.account()
    }

    /// How far the account has come.
    #[must_use]
    pub const fn account_status(&self) -> AccountStatus {
        self.router.account.status()
    }

    /// How far the subscription to a topic has come. An id of another client is `Unsubscribed`.
    #[must_use]
    pub fn status(&self, topic: TopicId) -> TopicStatus {
        let heard = self
            .router
            .lines
            .iter()
            .filter(|line| self.router.topics.is_heard_on(topic, line.id()));
        let on_lines = heard.filter_map(|line| line.subscription(topic)).max();
        let entry = self.router.topics.get(topic);
        entry.map_or(TopicStatus::Unsubscribed, |entry| entry.status(on_lines))
    }

    /// Where the book of a topic stands; `None` if the topic has no book.
    #[must_use]
    pub fn book_status(&self, topic: TopicId) -> Option<BookStatus> {
        self.router.topics.get(topic)?.book_status()
    }

    /// How long ago a live book was heard of, and known to be right; `None` while it is not live, and for a topic
    /// without a book. It only looks: unlike commands with a time it queues nothing.
    ///
    /// ```
    /// use kucoin_futures_proto::{Channel, Client, Config, Instant};
    ///
    /// let now = Instant::ZERO;
    /// let mut client = Client::new(now, 42, Config::default());
    /// let topic = client.subscribe(now, Channel::level2("XBTUSDTM".parse()?))?;
    /// assert_eq!(client.book_age(now, topic), None, "not live yet");
    /// # Ok::<(), kucoin_futures_proto::Misuse>(())
    /// ```
    #[must_use]
    pub fn book_age(&self, now: Instant, topic: TopicId) -> Option<BookAge> {
        let heard_at = self.router.topics.get(topic)?.heard_at;
        let agreed_at = self.router.topics.book(topic)?.agreed_at()?;
        let answers = self.router.lines.iter().filter_map(|line| line.answered_at(topic));
        let proof = answers.fold(heard_at.max(agreed_at), Instant::max);
        Some(BookAge {
            since_delta: (heard_at > Instant::ZERO).then(|| now.since(heard_at)),
            since_snapshot: now.since(agreed_at),
            since_proof: now.since(proof),
        })
    }

    /// The channel of a topic; `None` for an id of another client.
    #[must_use]
    pub fn channel(&self, topic: TopicId) -> Option<Channel> {
        self.router.topics.get(topic).map(|entry| entry.channel)
    }

    /// The lines, as they are now: those that carry something, and those that are about to.
    pub fn lines(&self) -> impl Iterator<Item = LineStatus> + '_ {
        let placement = &self.router.placement;
        self.router.lines.iter().filter_map(|line| {
            let role = placement.role_of(line.id()).filter(|_| !placement.is_free(line.id()))?;
            let share = self.router.topics.share_of(line.id());
            Some(line.status(role, placement.predecessor(line.id()), share))
        })
    }

    /// How much of each budget is in use: those of REST and of connecting, and that of each line that is up. It only
    /// looks: unlike commands with a time it queues nothing.
    pub fn budgets(&self, now: Instant) -> impl Iterator<Item = BudgetUse> + '_ {
        let lines = self.router.lines.iter().filter_map(move |line| line.messages(now));
        self.router.scheduler.budgets(now).into_iter().chain(lines)
    }

    /// What each line has brought of a book that several carry, since they do: who was first, and by how much.
    pub fn shares(&self, topic: TopicId) -> impl Iterator<Item = (LineId, &LineShare)> {
        self.router.topics.book(topic).into_iter().flat_map(BookSync::shares)
    }

    /// What the line that an event names is there for; `None` for one of another client.
    #[must_use]
    pub fn line_role(&self, line: LineId) -> Option<LineRole> {
        self.router.placement.role_of(line)
    }

    /// What the exchange said, as an event names it ([`Event::refusal`](crate::Event::refusal)); `None` once 32
    /// newer ones have come. Fit to be shown: at most 256 bytes, without control and invisible characters,
    /// and with `***` in place of words of more than 32 letters that could be a token or a signature.
    #[must_use]
    pub fn words(&self, words: WordsId) -> Option<&str> {
        self.router.cx.words.get(words)
    }

    /// The counters.
    #[must_use]
    pub const fn stats(&self) -> &Stats {
        &self.router.cx.stats
    }

    /// What the client keeps to, with contradictions resolved.
    #[must_use]
    pub const fn config(&self) -> &Config {
        &self.router.cx.config
    }

    fn enter(&mut self, now: Instant) -> Result<(), Misuse> {
        if self.closed {
            return Err(Misuse::Closed);
        }
        self.router.cx.advance(now);
        Ok(())
    }
}

/// What came of one input: effects to perform, events, and the message for the user that stood in the
/// frame, in the order of their causes.
///
/// Drain it. Outputs that are left in it stay in the client and come with the next turn, or from
/// [`Client::poll_output`]; a message that is left in it is lost, because it lies in the caller's bytes.
#[derive(Debug)]
#[must_use = "effects wait in it to be performed, and a message that is not taken is lost"]
pub struct Turn<'a> {
    client: &'a mut Client,
    /// Where a message lies, if the client has one.
    bytes: &'a [u8],
    /// Outputs that come before it.
    before: usize,
    is_told: bool,
}

impl<'a> Turn<'a> {
    #[inline]
    const fn new(client: &'a mut Client, bytes: &'a [u8], before: usize) -> Self {
        Self { client, bytes, before, is_told: false }
    }

    /// The next output; `None` once the turn and the client are drained. Lent: look at it before asking
    /// for the one after.
    #[inline]
    #[allow(clippy::should_implement_trait, reason = "no iterator lends")]
    pub fn next(&mut self) -> Option<Output<'_>> {
        if self.client.router.message.is_some() && !self.is_told {
            if self.before == 0 || self.client.router.cx.outbox.is_empty() {
                self.is_told = true;
                return Some(Output::Push(self.client.router.message.as_ref()?.on(self.bytes)));
            }
            self.before = self.before.saturating_sub(1);
        }
        self.client.poll_output()
    }

    /// The message alone, whether it was lent before or not. What was not drained stays in the client, for
    /// a caller who drains after several inputs.
    #[must_use]
    pub fn into_message(self) -> Option<Push<'a>> {
        Some(self.client.router.message.as_ref()?.on(self.bytes))
    }

    /// The client, as it is after the whole input: its books may be further than the output that was lent
    /// last.
    #[must_use]
    pub const fn client(&self) -> &Client {
        self.client
    }
}

impl core::fmt::Debug for Client {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Client").field("now", &self.router.cx.now).finish_non_exhaustive()
    }
}
