//! What one line carries: topics wanted, asked for, confirmed; frames batched, acks matched.
//!
//! A frame holds up to 100 symbols of one channel and is answered by one ack, by id. An error for a
//! batch says nothing about which symbol is to blame: the batch is halved until that one stands
//! alone.

use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::vec::Vec;

use crate::channel::ChannelKind;
use crate::config::Config;
use crate::ids::TopicId;
use crate::time::Instant;
use crate::wire::ErrorKind;
use crate::wire::encode::Command;

/// A topic on this line. The greater, the further it has come.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum SubscriptionState {
    /// Refused with this code, and to be asked for again. Its place is kept, and its stream may go on all
    /// the same: an earlier request was obeyed, and its ack was lost.
    Refused { code: u32 },
    /// In `wants`, not asked for yet.
    Queued,
    /// In a batch that is not answered yet; `reverse` if the opposite is wanted by now.
    Asked { reverse: bool },
    /// The ack has come.
    Confirmed,
}

/// Topics of one channel in one frame.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Batch {
    pub(crate) command: Command,
    pub(crate) kind: ChannelKind,
    pub(crate) topics: Vec<TopicId>,
    /// Ids of all tries: a late ack of an earlier one counts.
    ids: Vec<u64>,
    deadline: Instant,
}

/// What an answer or its absence means.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum AckOutcome {
    /// The batch is through.
    Done(Batch),
    /// The exchange says that there is no such topic, or none for us.
    Refused(TopicId),
    /// There is no room for this topic.
    Rejected(TopicId),
    /// It will be asked again.
    Again,
    /// It was asked often enough: the line is of no use.
    GiveUp,
    /// It belongs to no request of ours.
    Unknown,
}

#[derive(Clone, Debug)]
pub(crate) struct Subscriptions {
    carried: BTreeMap<TopicId, SubscriptionState>,
    /// To be batched; sorted so that ends come first and one channel's topics stand together.
    wants: BTreeSet<(Command, ChannelKind, TopicId)>,
    /// To be sent as they are.
    resend: VecDeque<Batch>,
    sent: Vec<Batch>,
    /// Both are lowered when the server teaches less, and stay so over reconnects.
    symbols_per_frame: usize,
    topics_per_line: usize,
    retries: usize,
}

impl Subscriptions {
    pub(crate) const fn new(config: &Config) -> Self {
        Self {
            carried: BTreeMap::new(),
            wants: BTreeSet::new(),
            resend: VecDeque::new(),
            sent: Vec::new(),
            symbols_per_frame: config.budgets.symbols_per_frame,
            topics_per_line: config.budgets.topics_per_line,
            retries: config.timeouts.ack_retries as usize,
        }
    }

    /// How far a topic has come; `None` if it is not carried.
    pub(crate) fn state(&self, topic: TopicId) -> Option<SubscriptionState> {
        self.carried.get(&topic).copied()
    }

    /// Topics that were confirmed, asked for or put off.
    pub(crate) fn carried(&self) -> impl Iterator<Item = TopicId> + '_ {
        self.carried.keys().copied()
    }

    /// Forgets everything but the limits that were learned: the connection is gone.
    pub(crate) fn clear(&mut self) {
        self.carried.clear();
        self.wants.clear();
        self.resend.clear();
        self.sent.clear();
    }

    /// Wants a topic; true if it is confirmed already.
    pub(crate) fn subscribe(&mut self, topic: TopicId, kind: ChannelKind) -> bool {
        match self.carried.get_mut(&topic) {
            None => {
                self.carried.insert(topic, SubscriptionState::Queued);
                self.wants.insert((Command::Subscribe, kind, topic));
                false
            }
            Some(SubscriptionState::Confirmed) => {
                self.wants.remove(&(Command::Unsubscribe, kind, topic));
                true
            }
            Some(SubscriptionState::Asked { .. }) => {
                self.set_reverse(topic, Command::Subscribe);
                false
            }
            Some(SubscriptionState::Refused { .. }) => {
                self.wants.remove(&(Command::Unsubscribe, kind, topic));
                self.carried.insert(topic, SubscriptionState::Queued);
                self.wants.insert((Command::Subscribe, kind, topic));
                false
            }
            Some(SubscriptionState::Queued) => false,
        }
    }

    /// A topic that was refused a moment ago is still wanted. Nothing is sent until `subscribe` is called
    /// anew.
    pub(crate) fn put_off(&mut self, topic: TopicId, code: u32) {
        self.carried.entry(topic).or_insert(SubscriptionState::Refused { code });
    }

    /// Wants a topic no more; true if the line does not carry it any longer.
    pub(crate) fn unsubscribe(&mut self, topic: TopicId, kind: ChannelKind) -> bool {
        match self.carried.get_mut(&topic) {
            None => true,
            Some(SubscriptionState::Queued) => {
                self.carried.remove(&topic);
                self.wants.remove(&(Command::Subscribe, kind, topic));
                true
            }
            Some(SubscriptionState::Confirmed | SubscriptionState::Refused { .. }) => {
                self.wants.remove(&(Command::Subscribe, kind, topic));
                self.wants.insert((Command::Unsubscribe, kind, topic));
                false
            }
            Some(SubscriptionState::Asked { .. }) => {
                self.set_reverse(topic, Command::Unsubscribe);
                false
            }
        }
    }

    /// Asks once more for a topic that is confirmed: the server has lost it.
    pub(crate) fn renew(&mut self, topic: TopicId, kind: ChannelKind) {
        let ends = self.wants.contains(&(Command::Unsubscribe, kind, topic));
        if self.state(topic) == Some(SubscriptionState::Confirmed) && !ends {
            self.wants.insert((Command::Subscribe, kind, topic));
        }
    }

    /// `wanted` is what is wanted of a topic in an unanswered batch.
    fn set_reverse(&mut self, topic: TopicId, wanted: Command) {
        let batch =
            self.sent.iter().chain(&self.resend).find(|batch| batch.topics.contains(&topic));
        let reverse = batch.is_some_and(|batch| batch.command != wanted);
        self.carried.insert(topic, SubscriptionState::Asked { reverse });
    }

    /// Whether there is a frame to send.
    pub(crate) fn has_work(&self) -> bool {
        !self.resend.is_empty() || !self.wants.is_empty()
    }

    /// The next frame's batch under the id `id`; `Err` is a topic for which there is no room.
    pub(crate) fn next_batch(
        &mut self,
        id: u64,
        deadline: Instant,
    ) -> Option<Result<&Batch, TopicId>> {
        let mut batch = match self.resend.pop_front() {
            Some(batch) => batch,
            None => match self.gather()? {
                Ok(batch) => batch,
                Err(topic) => return Some(Err(topic)),
            },
        };
        batch.ids.push(id);
        batch.deadline = deadline;
        self.sent.push(batch);
        self.sent.last().map(Ok)
    }

    fn gather(&mut self) -> Option<Result<Batch, TopicId>> {
        let &(command, kind, topic) = self.wants.first()?;
        // planted: endless-frame
        let mut room = self.symbols_per_frame;
        if command == Command::Subscribe {
            // Ends go out first, and the server reads in order: what is being ended makes room.
            let ends = self.sent.iter().filter(|batch| batch.command == Command::Unsubscribe);
            let ending: usize = ends.map(|batch| batch.topics.len()).sum();
            let on_line = self.on_line().saturating_sub(ending);
            room = room.min(self.topics_per_line.saturating_sub(on_line));
            // One that is asked for once more has its room.
            let is_known = self.state(topic) == Some(SubscriptionState::Confirmed);
            room = room.max(usize::from(is_known));
            if room == 0 {
                self.wants.pop_first();
                self.carried.remove(&topic);
                return Some(Err(topic));
            }
        }
        let mut topics = Vec::new();
        while let Some(&want) = self.wants.first() {
            if topics.len() == room || (want.0, want.1) != (command, kind) {
                break;
            }
            self.wants.pop_first();
            self.carried.insert(want.2, SubscriptionState::Asked { reverse: false });
            topics.push(want.2);
        }
        Some(Ok(Batch { command, kind, topics, ids: Vec::new(), deadline: Instant::ZERO }))
    }

    /// When the oldest unanswered frame is overdue.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.sent.iter().map(|batch| batch.deadline).min()
    }

    pub(crate) fn on_ack(&mut self, id: Option<u64>) -> AckOutcome {
        match self.take(id) {
            // planted: ack-for-all
            Some(batch) => self.done(batch),
            None => AckOutcome::Unknown,
        }
    }

    fn done(&mut self, batch: Batch) -> AckOutcome {
        for &topic in &batch.topics {
            let reverse =
                self.carried.get(&topic) == Some(&SubscriptionState::Asked { reverse: true });
            match (batch.command, reverse) {
                (Command::Subscribe, _) => {
                    self.carried.insert(topic, SubscriptionState::Confirmed);
                    if reverse {
                        self.wants.insert((Command::Unsubscribe, batch.kind, topic));
                    }
                }
                (Command::Unsubscribe, false) => {
                    self.carried.remove(&topic);
                }
                (Command::Unsubscribe, true) => {
                    self.carried.insert(topic, SubscriptionState::Queued);
                    self.wants.insert((Command::Subscribe, batch.kind, topic));
                }
            }
        }
        AckOutcome::Done(batch)
    }

    /// An error frame about a request.
    pub(crate) fn on_error(&mut self, id: Option<u64>, kind: ErrorKind) -> AckOutcome {
        // The id may be one that the server made: with a single open request there is no doubt.
        // One of ours that is settled already is another matter: a resent request is refused twice.
        let only = match self.sent.as_slice() {
            [only] if id.is_none() => only.ids.last().copied(),
            _ => None,
        };
        let Some(batch) = self.take(id.or(only)) else {
            return AckOutcome::Unknown;
        };
        if batch.command == Command::Unsubscribe {
            // Whatever it was that could not be ended, it is not there.
            return self.done(batch);
        }
        // A number that explains the refusal is believed; otherwise some of the batch may fit.
        if let ErrorKind::TooManyTopics { limit: Some(limit) } = kind {
            let limit = limit as usize;
            if limit > 0 && limit < self.on_line().min(self.topics_per_line.saturating_add(1)) {
                return self.learn_topics(limit, batch);
            }
        }
        match (kind, batch.topics.as_slice()) {
            (_, &[topic]) => {
                self.carried.remove(&topic);
                if kind == ErrorKind::Topic {
                    AckOutcome::Refused(topic)
                } else {
                    AckOutcome::Rejected(topic)
                }
            }
            _ => {
                if kind == ErrorKind::TooManyPerFrame {
                    self.symbols_per_frame = (batch.topics.len() / 2).max(1);
                }
                self.split(batch)
            }
        }
    }

    /// Back into the queue, where there is room for fewer now.
    fn learn_topics(&mut self, limit: usize, batch: Batch) -> AckOutcome {
        self.topics_per_line = limit;
        for &topic in &batch.topics {
            if self.carried.get(&topic) == Some(&SubscriptionState::Asked { reverse: true }) {
                self.carried.remove(&topic);
            } else {
                self.carried.insert(topic, SubscriptionState::Queued);
                self.wants.insert((batch.command, batch.kind, topic));
            }
        }
        AckOutcome::Again
    }

    /// Topics that the server may count on this line.
    fn on_line(&self) -> usize {
        let queued = self.carried.values().filter(|c| **c == SubscriptionState::Queued).count();
        self.carried.len().saturating_sub(queued)
    }

    fn split(&mut self, mut batch: Batch) -> AckOutcome {
        let rest = batch.topics.split_off(batch.topics.len() / 2);
        batch.ids.clear();
        let other = Batch { topics: rest, ..batch.clone() };
        self.resend.push_back(batch);
        self.resend.push_back(other);
        AckOutcome::Again
    }

    /// The deadline has come: what is overdue goes out again, until it has been often enough.
    pub(crate) fn on_overdue(&mut self, now: Instant) -> AckOutcome {
        let Some(at) = self.sent.iter().position(|batch| batch.deadline <= now) else {
            return AckOutcome::Unknown;
        };
        let batch = self.sent.remove(at);
        if batch.ids.len() > self.retries {
            return AckOutcome::GiveUp;
        }
        self.resend.push_back(batch);
        AckOutcome::Again
    }

    fn take(&mut self, id: Option<u64>) -> Option<Batch> {
        let id = id?;
        let has = |batch: &Batch| batch.ids.contains(&id);
        if let Some(at) = self.sent.iter().position(has) {
            return Some(self.sent.remove(at));
        }
        let at = self.resend.iter().position(has)?;
        self.resend.remove(at)
    }
}

#[cfg(test)]
mod tests;
