//! How an account comes to be known, by the same idea as a book: listen, ask, put one on the other.
//!
//! ```text
//!  Idle --followed--> Waiting --all topics carried--> Asking --all answered--> Settling --caught up--> Live
//!                      ^   ^                            |  ^                       |                     |
//!                      |   |             failed: a pause+--+                       |                     |
//!                      |   +--------------- a topic is not carried any more -------+---------------------+
//!                      +-- not followed any more, or refused: Idle, from anywhere
//! ```
//!
//! Nothing on these streams has a sequence, and nothing is pushed again. So what is heard from the moment of
//! the first question on is kept, and put on the answers in its order: for each thing the last word of the
//! stream stands, whenever its answer was made. A word that was older than an answer is followed by the
//! newer one; that it has arrived is known once the exchange has acknowledged a request that was sent behind
//! all answers, because a connection keeps its order.

mod answers;

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::time::Duration;

use super::round::{List, Round};
use super::{Account, AccountStatus, Change};
use crate::backoff::Backoff;
use crate::config::Config;
use crate::context::Context;
use crate::error::WireError;
use crate::event::{AccountDelayReason, AccountEvent, AccountLostReason, Event};
use crate::ids::{Epoch, TopicId};
use crate::message::Message;
use crate::query::Query;
use crate::time::Instant;
use crate::timers::Timer;
use crate::topics::EVIDENCE;

/// The machine around an [`Account`].
#[derive(Clone)]
pub(crate) struct AccountSync {
    phase: Phase,
    /// Those that it is kept from.
    topics: Vec<Source>,
    account: Account,
    /// Questions that were not handed on yet.
    questions: VecDeque<Query>,
    /// Counts the rounds: an answer to a question of an earlier one is of no use.
    round: u32,
    wants_barrier: bool,
    /// The round in which a topic was asked for once more, until that is acknowledged: an acknowledgement that
    /// was asked for in an earlier round stands behind none of the answers of this one.
    barrier: Option<u32>,
    /// Its acknowledgement says no more than that: the topic is carried all the while.
    is_barrier_alone: bool,
    backoff: Backoff,
}

/// A topic that an account is kept from.
#[derive(Clone)]
struct Source {
    topic: TopicId,
    is_carried: bool,
    /// Until when it was carried, as far as is known.
    carried_at: Option<Instant>,
    /// Of the pauses between refusals in a row.
    refusals: Backoff,
}

#[derive(Clone)]
enum Phase {
    Idle,
    Waiting,
    /// Asking has failed: a pause.
    Pausing,
    Asking(Round),
    /// All is answered. What is heard is kept for as long as a list may have to be read once more.
    Settling(Round),
    Live,
}

/// The epoch of an account that was never live.
const NEVER: Epoch = Epoch::new(0);

impl AccountSync {
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            phase: Phase::Idle,
            topics: Vec::new(),
            account: Account::unknown(NEVER, VecDeque::new()),
            questions: VecDeque::new(),
            round: 0,
            wants_barrier: false,
            barrier: None,
            is_barrier_alone: false,
            backoff: Backoff::new(config.backoff.base, config.book.snapshot_backoff_cap),
        }
    }

    /// The account, while it can be read.
    pub(crate) const fn account(&self) -> Option<&Account> {
        if matches!(self.phase, Phase::Live) { Some(&self.account) } else { None }
    }

    pub(crate) const fn status(&self) -> AccountStatus {
        match self.phase {
            Phase::Idle => AccountStatus::Idle,
            Phase::Waiting | Phase::Pausing | Phase::Asking(_) | Phase::Settling(_) => {
                AccountStatus::Syncing
            }
            Phase::Live => AccountStatus::Live,
        }
    }

    /// The topics that it is kept from.
    pub(crate) fn topics(&self) -> impl Iterator<Item = TopicId> + '_ {
        self.topics.iter().map(|source| source.topic)
    }

    pub(crate) fn listens_to(&self, topic: TopicId) -> bool {
        self.topics.iter().any(|source| source.topic == topic)
    }

    /// Follows the account by these topics; those that are carried already are said to be.
    pub(crate) fn follow(&mut self, cx: &Context, topics: Vec<(TopicId, bool)>) {
        if matches!(self.phase, Phase::Idle) {
            let source = |(topic, is_carried)| Source {
                topic,
                is_carried,
                carried_at: Some(cx.now).filter(|_| is_carried),
                refusals: Backoff::new(cx.config.backoff.base, cx.config.backoff.cap),
            };
            self.topics = topics.into_iter().map(source).collect();
            self.phase = Phase::Waiting;
            self.begin_if_carried(cx);
        }
    }

    /// Follows it no more, because of this.
    pub(crate) fn stop(&mut self, cx: &mut Context, reason: AccountLostReason) {
        self.lose(cx, reason);
        self.phase = Phase::Idle;
        self.barrier = None;
        self.topics.clear();
    }

    /// A line carries a topic: for the first time, or, asked for once more, in order behind all before.
    pub(crate) fn on_confirmed(&mut self, cx: &mut Context, topic: TopicId) {
        let Some(source) = self.topics.iter_mut().find(|source| source.topic == topic) else {
            return;
        };
        (source.is_carried, source.carried_at) = (true, Some(cx.now));
        source.refusals.reset();
        let is_barrier = self.is_barrier(topic);
        let asked_in = if is_barrier { self.barrier.take() } else { None };
        match self.phase {
            Phase::Waiting => self.begin_if_carried(cx),
            Phase::Settling(_) if asked_in == Some(self.round) => self.on_caught_up(cx),
            Phase::Settling(_) => self.wants_barrier |= is_barrier,
            Phase::Idle | Phase::Pausing | Phase::Asking(_) | Phase::Live => {}
        }
    }

    /// A topic is not carried any more.
    pub(crate) fn on_dropped(&mut self, cx: &mut Context, topic: TopicId) {
        let Some(source) = self.topics.iter_mut().find(|source| source.topic == topic) else {
            return;
        };
        if core::mem::take(&mut source.is_carried) {
            source.carried_at = Some(cx.now);
        }
        self.barrier = None;
        self.lose(cx, AccountLostReason::LineDown);
        self.phase = Phase::Waiting;
    }

    /// A topic is heard on another line from now on: what is asked for to come behind all that was said has to be
    /// asked for there.
    pub(crate) fn on_other_line(&mut self, cx: &mut Context, topic: TopicId) {
        let was_asked = self.is_barrier(topic) && self.barrier.take().is_some();
        self.on_confirmed(cx, topic);
        self.wants_barrier |= was_asked && matches!(self.phase, Phase::Settling(_));
    }

    /// A topic cannot be had.
    pub(crate) fn on_rejected(&mut self, cx: &mut Context, topic: TopicId) {
        if self.listens_to(topic) {
            self.stop(cx, AccountLostReason::Rejected);
        }
    }

    /// A line is refused a topic of it. For how long to put that off; `None` if nothing speaks for the topic: no
    /// line has carried it lately.
    pub(crate) fn put_off(&mut self, cx: &mut Context, topic: TopicId) -> Option<Duration> {
        let source = self.topics.iter_mut().find(|source| source.topic == topic)?;
        let carried_at = if source.is_carried { Some(cx.now) } else { source.carried_at };
        // As what a topic has brought speaks for its symbol: a quiet account brings nothing.
        carried_at.filter(|at| cx.now.since(*at) < EVIDENCE)?;
        Some(source.refusals.next(&mut cx.rng))
    }

    /// A line is refused a topic: its next confirmation is news.
    pub(crate) fn on_refused(&mut self, topic: TopicId) {
        self.is_barrier_alone &= !self.is_barrier(topic);
    }

    /// Whether the next confirmation of a topic was asked for here and is no news to anybody else.
    pub(crate) fn awaits(&self, topic: TopicId) -> bool {
        self.is_barrier_alone && self.barrier.is_some() && self.is_barrier(topic)
    }

    fn is_barrier(&self, topic: TopicId) -> bool {
        self.topics.first().is_some_and(|source| source.topic == topic)
    }

    /// A topic of it has spoken.
    pub(crate) fn on_message(&mut self, cx: &mut Context, message: Result<Message<'_>, WireError>) {
        match message.and_then(|message| Change::of_message(&message)) {
            Ok(Some(change)) => self.on_change(cx, change),
            Ok(None) => {}
            Err(error) => self.on_undecodable(cx, error),
        }
    }

    fn on_change(&mut self, cx: &mut Context, change: Change) {
        let most = cx.config.queues.account_changes;
        match &mut self.phase {
            Phase::Live => {
                self.account.apply(change);
                if let Some(part) = self.account.excess(&cx.config.account) {
                    self.lose(cx, AccountLostReason::TooMany(part));
                    self.pause(cx);
                }
            }
            Phase::Asking(round) | Phase::Settling(round) if round.heard.len() >= most => {
                self.delay(cx, AccountDelayReason::Overflow);
            }
            Phase::Asking(round) => {
                round.note(&change);
                round.heard.push(change);
            }
            Phase::Settling(round) => {
                let is_moved = round.note(&change);
                if round.is_paged() {
                    round.heard.push(change.clone());
                }
                self.account.apply(change);
                if is_moved {
                    self.read_again(cx);
                } else {
                    self.check_size(cx);
                }
            }
            // What it says is asked for later.
            Phase::Idle | Phase::Waiting | Phase::Pausing => {}
        }
    }

    /// Something has changed, and nobody knows what.
    fn on_undecodable(&mut self, cx: &mut Context, error: WireError) {
        match self.phase {
            Phase::Live => {
                self.lose(cx, AccountLostReason::Undecodable(error));
                self.pause(cx);
            }
            Phase::Asking(_) | Phase::Settling(_) => {
                self.delay(cx, AccountDelayReason::Undecodable(error));
            }
            Phase::Idle | Phase::Waiting | Phase::Pausing => {}
        }
    }

    // Asking.

    fn begin_if_carried(&mut self, cx: &Context) {
        if self.topics.iter().all(|source| source.is_carried) {
            self.begin(cx);
        }
    }

    /// Asks for everything.
    fn begin(&mut self, cx: &Context) {
        self.round = self.round.wrapping_add(1);
        let epoch = self.account.epoch;
        let fills = core::mem::take(&mut self.account.fills);
        self.account = Account::unknown(epoch, fills);
        self.questions.clear();
        let lists = [List::Orders.page(1), List::StopOrders.page(1)];
        self.questions.extend(lists.into_iter().chain([Query::Positions, Query::RecentFills]));
        let overviews = cx.config.account.currencies.iter();
        self.questions.extend(overviews.map(|&currency| Query::AccountOverview { currency }));
        self.phase = Phase::Asking(Round::new(self.questions.len()));
    }

    /// A question to be asked, and the round that it is of.
    pub(crate) fn poll_question(&mut self) -> Option<(Query, u32)> {
        Some((self.questions.pop_front()?, self.round))
    }

    /// A topic of it is to be asked for once more, behind all that was answered.
    pub(crate) fn poll_barrier(&mut self) -> Option<TopicId> {
        // One at a time: while it is not acknowledged, asking again says nothing new.
        if self.barrier.is_some() || !core::mem::take(&mut self.wants_barrier) {
            return None;
        }
        self.barrier = Some(self.round);
        self.topics.first().map(|source| source.topic)
    }

    /// Whether its topic is carried while it is asked for once more.
    pub(crate) const fn on_barrier(&mut self, is_carried: bool) {
        self.is_barrier_alone = is_carried;
    }

    fn on_caught_up(&mut self, cx: &mut Context) {
        self.phase = Phase::Live;
        self.backoff.reset();
        self.account.epoch = Epoch::new(self.account.epoch.get().saturating_add(1));
        cx.event(Event::Account(AccountEvent::Live { epoch: self.account.epoch }));
    }

    // Losing.

    /// Leaves what it was doing behind.
    fn lose(&mut self, cx: &mut Context, reason: AccountLostReason) {
        if matches!(self.phase, Phase::Live) {
            let epoch = self.account.epoch;
            cx.event(Event::Account(AccountEvent::Lost { epoch, reason }));
        }
        self.questions.clear();
        self.wants_barrier = false;
        cx.timers.clear(Timer::Account);
    }

    /// It takes longer than usual.
    fn delay(&mut self, cx: &mut Context, reason: AccountDelayReason) {
        cx.event(Event::Account(AccountEvent::Delayed(reason)));
        self.questions.clear();
        self.wants_barrier = false;
        self.pause(cx);
    }

    fn pause(&mut self, cx: &mut Context) {
        let delay = self.backoff.next(&mut cx.rng);
        self.phase = Phase::Pausing;
        cx.timers.set(Timer::Account, cx.now + delay);
    }

    /// The pause is over.
    pub(crate) fn on_pause_over(&mut self, cx: &Context) {
        if matches!(self.phase, Phase::Pausing) {
            self.begin(cx);
        }
    }
}
