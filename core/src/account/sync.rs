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

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use super::change::{BalancePatch, PositionPatch};
use super::round::{List, Round};
use super::{Account, AccountFill, AccountStatus, Change, OpenOrder, StopOrder};
use crate::backoff::Backoff;
use crate::config::Config;
use crate::context::Context;
use crate::error::WireError;
use crate::event::{
    AccountDelayReason, AccountEvent, AccountLostReason, Event, LoginError, RestError,
};
use crate::ids::{Epoch, TopicId};
use crate::message::Message;
use crate::query::Query;
use crate::timers::Timer;

/// The machine around an [`Account`].
#[derive(Clone)]
pub(crate) struct AccountSync {
    phase: Phase,
    /// Those that it is kept from, and whether each is carried.
    topics: Vec<(TopicId, bool)>,
    account: Account,
    /// Questions that were not handed on yet.
    questions: VecDeque<Query>,
    /// Counts the rounds: an answer to a question of an earlier one is of no use.
    round: u32,
    wants_barrier: bool,
    /// The round in which a topic was asked for once more, until that is acknowledged: an acknowledgement that
    /// was asked for in an earlier round stands behind none of the answers of this one.
    barrier: Option<u32>,
    backoff: Backoff,
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
/// What a currency that an account cannot have is answered with: the codes for parameters.
const NO_SUCH_PARAMETER: [u32; 2] = [100_001, 400_100];

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
        self.topics.iter().map(|(topic, _)| *topic)
    }

    pub(crate) fn listens_to(&self, topic: TopicId) -> bool {
        self.topics.iter().any(|(known, _)| *known == topic)
    }

    /// Follows the account by these topics; those that are carried already are said to be.
    pub(crate) fn follow(&mut self, cx: &Context, topics: Vec<(TopicId, bool)>) {
        if matches!(self.phase, Phase::Idle) {
            self.topics = topics;
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
        let Some(known) = self.topics.iter_mut().find(|(known, _)| *known == topic) else { return };
        known.1 = true;
        let is_barrier = self.topics.first().is_some_and(|(barrier, _)| *barrier == topic);
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
        let Some(known) = self.topics.iter_mut().find(|(known, _)| *known == topic) else { return };
        known.1 = false;
        self.barrier = None;
        self.lose(cx, AccountLostReason::LineDown);
        self.phase = Phase::Waiting;
    }

    /// A topic cannot be had.
    pub(crate) fn on_rejected(&mut self, cx: &mut Context, topic: TopicId) {
        if self.listens_to(topic) {
            self.stop(cx, AccountLostReason::Rejected);
        }
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
        if self.topics.iter().all(|(_, is_carried)| *is_carried) {
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

    /// An answer came.
    pub(crate) fn on_answer(&mut self, cx: &mut Context, query: Query, round: u32, body: &[u8]) {
        if round != self.round || !matches!(self.phase, Phase::Asking(_)) {
            return;
        }
        let most_pages = cx.config.account.max_pages;
        match query.decode(body).and_then(|answer| self.take_answer(&answer)) {
            Ok(Some((list, page))) => match self.ask_page(list, page, most_pages) {
                Ok(()) => self.on_answered(cx),
                Err(reason) => self.delay(cx, reason),
            },
            Ok(None) => self.on_answered(cx),
            Err(error) => self.delay(cx, AccountDelayReason::Failed(RestError::Wire(error))),
        }
    }

    /// There is no answer.
    pub(crate) fn on_no_answer(
        &mut self,
        cx: &mut Context,
        query: Query,
        round: u32,
        reason: RestError,
    ) {
        if round != self.round || !matches!(self.phase, Phase::Asking(_)) {
            return;
        }
        match (reason.login_error(), query, reason) {
            (Some(error), ..) => self.refuse(cx, error),
            // One currency that the account has not must not stand in the way of all others.
            (None, Query::AccountOverview { currency }, RestError::Api { code, .. })
                if NO_SUCH_PARAMETER.contains(&code) =>
            {
                cx.event(Event::Account(AccountEvent::BalanceRefused { currency, code }));
                self.on_answered(cx);
            }
            (None, ..) => self.delay(cx, AccountDelayReason::Failed(reason)),
        }
    }

    fn refuse(&mut self, cx: &mut Context, error: LoginError) {
        cx.event(Event::Account(AccountEvent::Refused(error)));
        self.stop(cx, AccountLostReason::Rejected);
    }

    /// Takes in an answer; the page that is to be asked for next, if there is one.
    #[allow(clippy::wildcard_enum_match_arm, reason = "nothing else was asked for")]
    fn take_answer(&mut self, answer: &Message<'_>) -> Result<Option<(List, u64)>, WireError> {
        let Phase::Asking(round) = &mut self.phase else { return Ok(None) };
        match answer {
            Message::Positions(rows) => {
                for row in rows.iter() {
                    PositionPatch::of_row(&row?).apply(&mut self.account.positions);
                }
            }
            Message::Orders(page) => {
                for row in page.rows.iter() {
                    let order = OpenOrder::of_row(&row?)?;
                    self.account.orders.insert(order.id.clone(), order);
                }
                let next = round.turn_page(List::Orders, page.number, page.total_pages);
                return Ok(next.map(|next| (List::Orders, next)));
            }
            Message::StopOrders(page) => {
                for row in page.rows.iter() {
                    let order = StopOrder::of_row(&row?)?;
                    self.account.stop_orders.insert(order.id.clone(), order);
                }
                let next = round.turn_page(List::StopOrders, page.number, page.total_pages);
                return Ok(next.map(|next| (List::StopOrders, next)));
            }
            Message::RecentFills(rows) => {
                let rows = rows.iter().collect::<Result<Vec<_>, _>>()?;
                // The newest stands first.
                for row in rows.iter().rev() {
                    let is_new = self.account.remember(AccountFill::of_row(row));
                    round.new_fills = round.new_fills.saturating_add(u32::from(is_new));
                }
            }
            Message::AccountOverview(overview) => {
                BalancePatch::of_overview(overview).apply(&mut self.account.balances);
            }
            _ => return Err(WireError::Unexpected),
        }
        Ok(None)
    }

    fn ask_page(&mut self, list: List, number: u64, most: u32) -> Result<(), AccountDelayReason> {
        let Phase::Asking(round) = &mut self.phase else { return Ok(()) };
        if round.pages >= most {
            return Err(AccountDelayReason::TooManyPages);
        }
        // There are no more pages than may be asked for.
        let number = u32::try_from(number).map_err(|_| AccountDelayReason::TooManyPages)?;
        self.questions.push_back(list.page(number));
        round.pages = round.pages.saturating_add(1);
        round.open = round.open.saturating_add(1);
        Ok(())
    }

    fn on_answered(&mut self, cx: &mut Context) {
        let Phase::Asking(round) = &mut self.phase else { return };
        round.open = round.open.saturating_sub(1);
        let is_done = round.open == 0;
        if !self.check_size(cx) || !is_done {
            return;
        }
        self.settle(cx);
    }

    /// All is answered: reads a list again of which a row may have been passed over, or waits for what the stream
    /// has said.
    fn settle(&mut self, cx: &mut Context) {
        let Phase::Asking(round) = &mut self.phase else { return };
        if let Some(list) = round.take_moved() {
            self.account.clear(list);
            if let Err(reason) = self.ask_page(list, 1, cx.config.account.max_pages) {
                self.delay(cx, reason);
            }
            return;
        }
        let new_fills = core::mem::take(&mut round.new_fills);
        let mut round = core::mem::replace(round, Round::new(0));
        for change in &round.heard {
            self.account.apply(change.clone());
        }
        if !round.is_paged() {
            round.heard = Vec::new();
        }
        self.phase = Phase::Settling(round);
        self.wants_barrier = true;
        if new_fills > 0 && self.account.epoch != NEVER {
            cx.event(Event::Account(AccountEvent::FillsRecovered { count: new_fills }));
        }
        self.check_size(cx);
    }

    /// Something of a list has ended that was read in pages. What was heard so far is put on its rows once more.
    fn read_again(&mut self, cx: &mut Context) {
        let Phase::Settling(round) = &mut self.phase else { return };
        self.phase = Phase::Asking(core::mem::replace(round, Round::new(0)));
        self.wants_barrier = false;
        // What was asked for behind the earlier answers says nothing of these.
        self.round = self.round.wrapping_add(1);
        self.settle(cx);
    }

    /// False: the account has more than is kept, and that was said.
    fn check_size(&mut self, cx: &mut Context) -> bool {
        match self.account.excess(&cx.config.account) {
            Some(part) => {
                self.delay(cx, AccountDelayReason::TooMany(part));
                false
            }
            None => true,
        }
    }

    /// A topic of it is to be asked for once more, behind all that was answered.
    pub(crate) fn poll_barrier(&mut self) -> Option<TopicId> {
        // One at a time: while it is not acknowledged, asking again says nothing new.
        if self.barrier.is_some() || !core::mem::take(&mut self.wants_barrier) {
            return None;
        }
        self.barrier = Some(self.round);
        self.topics.first().map(|(topic, _)| *topic)
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
