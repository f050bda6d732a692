//! The topics of a client: what is wanted, what state it is in, where its frames go.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::time::Duration;

use crate::backoff::Backoff;
use crate::book::LineShare;
use crate::book::sync::{BookStatus, BookSync};
use crate::channel::{Channel, ChannelKind, Delivery};
use crate::config::Config;
use crate::context::Context;
use crate::deduplicator::Deduplicator;
use crate::error::WireError;
use crate::event::{Event, TopicEvent};
use crate::ids::{LineId, TopicId, WordsId};
use crate::line_set::LineSet;
use crate::pace::Pace;
use crate::scheduler::Demand;
use crate::stats::Disposition;
use crate::subscription::SubscriptionState;
use crate::time::Instant;
use crate::timers::{Timer, TopicTimer};
use crate::wire::{Delta, Position, Route, Routing};

/// How far the subscription to a topic has come, on the line where it has come furthest.
///
/// ```text
///              a line is ready          the exchange's ack
///   Wanted ----------------> Pending --------------------> Confirmed { silent: false }
///    ^  ^                       |                             |  nothing for 60 s | ^ a message
///    |  |    the line is down   |    the line is down         |                   v |
///    |  +-----------------------+-----------------------------+---- Confirmed { silent: true }
///    |
///    | subscribe              an error for this topic: Rejected { code }; or, if it has brought
///    |                        something within 24 h, Refused { code }, and Pending again after a pause
///    +---- Unsubscribed, Rejected      unsubscribe, from anywhere: Unsubscribed
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(clippy::exhaustive_enums, reason = "the states of a subscription")]
pub enum TopicStatus {
    /// Will be asked for as soon as a line is ready.
    Wanted,
    /// Asked for, not confirmed yet.
    Pending,
    /// Refused although it has brought something within 24 h, and asked for again after a pause:
    /// [`TopicEvent::Refused`] said for how long. Its stream may go on.
    Refused {
        /// With this code.
        code: u32,
    },
    /// The exchange confirmed it.
    Confirmed {
        /// Nothing has been heard for long, as [`TopicEvent::Idle`] has told. The
        /// exchange confirms symbols that do not exist, too, and then says nothing for ever.
        silent: bool,
    },
    /// Refused for good.
    Rejected {
        /// With this code.
        code: u32,
    },
    /// Not wanted (any more).
    Unsubscribed,
}

/// In this order in memory: what every frame needs lies together.
#[derive(Clone)]
#[repr(C)]
pub(crate) struct Topic {
    pub(crate) interest: Interest,
    /// Lines that were asked for it since it is wanted: what others bring of it is not taken.
    lines: LineSet,
    /// When it last brought something; zero if never.
    pub(crate) heard_at: Instant,
    state: TopicState,
    pub(crate) channel: Channel,
    /// When a line last confirmed it.
    confirmed_at: Instant,
    /// When it was last subscribed once more because it was silent.
    renewed_at: Option<Instant>,
    /// Of its book.
    pace: Pace,
    /// Of the pauses between refusals in a row. Of the topic and not of a line: over a reconnect the
    /// exchange lists what it listed before.
    refusals: Backoff,
}

/// For so long what a topic has brought speaks for its symbol: a maintenance of the exchange, during which it
/// lists nothing, takes hours; a contract that has ended says nothing for ever.
pub(crate) const EVIDENCE: Duration = Duration::from_secs(24 * 3600);

/// What the user wants of a topic. How far it has come on a line, that line knows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Interest {
    /// It is wanted; `is_silent` if it was reported as that.
    Wanted { is_silent: bool },
    /// It cannot be had, for the reason that this code stands for.
    Rejected { code: u32 },
    /// Nothing (any more).
    Ended,
}

#[derive(Clone)]
#[allow(clippy::large_enum_variant, reason = "a book on the heap is one more place to wait for")]
enum TopicState {
    Book(BookSync),
    Deduplicator(Deduplicator),
}

/// All topics that were ever wanted; an id is a position here.
#[derive(Clone, Default)]
pub(crate) struct Topics {
    list: Vec<Topic>,
    by_channel: BTreeMap<Channel, TopicId>,
    /// How many are wanted, public and private.
    wanted: [usize; 2],
}

impl Topics {
    /// Wants a channel; `None` in place of an id would need 2^32 topics.
    pub(crate) fn want(&mut self, channel: Channel, config: &Config) -> Option<TopicId> {
        if let Some(&topic) = self.by_channel.get(&channel) {
            let known = self.list.get_mut(topic.index())?;
            if !known.is_wanted() {
                known.interest = Interest::Wanted { is_silent: false };
                let wanted = self.count(channel);
                *wanted = wanted.saturating_add(1);
            }
            return Some(topic);
        }
        let topic = TopicId::new(u32::try_from(self.list.len()).ok()?);
        let state = match channel.kind().delivery() {
            Delivery::Book => TopicState::Book(BookSync::new(topic, config)),
            Delivery::Latest => TopicState::Deduplicator(Deduplicator::of_latest()),
            Delivery::EachOnce | Delivery::Pass => {
                TopicState::Deduplicator(Deduplicator::of_each())
            }
        };
        let interest = Interest::Wanted { is_silent: false };
        self.list.push(Topic {
            channel,
            interest,
            lines: LineSet::EMPTY,
            heard_at: Instant::ZERO,
            confirmed_at: Instant::ZERO,
            renewed_at: None,
            pace: Pace::default(),
            state,
            refusals: Backoff::new(config.backoff.base, config.backoff.cap),
        });
        self.by_channel.insert(channel, topic);
        let wanted = self.count(channel);
        *wanted = wanted.saturating_add(1);
        Some(topic)
    }

    /// How many public ones are wanted, or private ones.
    pub(crate) const fn wanted(&self, is_private: bool) -> usize {
        let [public, private] = self.wanted;
        if is_private { private } else { public }
    }

    const fn count(&mut self, channel: Channel) -> &mut usize {
        let [public, private] = &mut self.wanted;
        if channel.is_private() { private } else { public }
    }

    /// Ends the interest in a topic, for this reason.
    pub(crate) fn deactivate(&mut self, cx: &mut Context, topic: TopicId, last: Interest) {
        let Some(entry) = self.list.get_mut(topic.index()) else { return };
        if entry.is_wanted() {
            let [public, private] = &mut self.wanted;
            let wanted = if entry.channel.is_private() { private } else { public };
            *wanted = wanted.saturating_sub(1);
        }
        entry.interest = last;
        entry.lines = LineSet::EMPTY;
        entry.refusals.reset();
        cx.timers.clear(Timer::Topic(topic, TopicTimer::Silence));
        cx.timers.clear(Timer::Topic(topic, TopicTimer::Subscribe));
        match &mut entry.state {
            TopicState::Book(book) => book.stop(cx),
            TopicState::Deduplicator(dedup) => dedup.rest(),
        }
    }

    pub(crate) fn drop_all(&mut self, cx: &mut Context) {
        for topic in self.ids() {
            self.deactivate(cx, topic, Interest::Ended);
        }
    }

    /// A line is asked for a topic, or to end it: its channel. What a line brings that is to end is not heard, though
    /// the topic may be wanted again by then: nobody knows where it breaks off.
    pub(crate) fn on_asked(
        &mut self,
        topic: TopicId,
        line: LineId,
        is_heard: bool,
    ) -> Option<Channel> {
        let entry = self.list.get_mut(topic.index())?;
        if is_heard {
            entry.lines.insert(line);
        } else {
            entry.lines.remove(line);
        }
        Some(entry.channel)
    }

    /// A topic is wanted again on a line that was not asked to end it yet.
    pub(crate) fn on_kept(&mut self, topic: TopicId, line: LineId) {
        if let Some(entry) = self.list.get_mut(topic.index()) {
            entry.lines.insert(line);
        }
    }

    /// Whether what a line brings of a topic is heard: it was asked for it since it is wanted.
    pub(crate) fn is_heard_on(&self, topic: TopicId, line: LineId) -> bool {
        self.get(topic).is_some_and(|entry| entry.lines.has(line))
    }

    /// A line carries a topic that is wanted; `elsewhere` if another one does, too.
    pub(crate) fn on_confirmed(
        &mut self,
        cx: &mut Context,
        topic: TopicId,
        line: LineId,
        elsewhere: bool,
    ) {
        let Some(entry) = self.list.get_mut(topic.index()).filter(|entry| entry.is_wanted()) else {
            return;
        };
        entry.refusals.reset();
        // A topic that is silent on one line does not become heard by being carried on another.
        if !elsewhere {
            entry.interest = Interest::Wanted { is_silent: false };
            entry.confirmed_at = cx.now;
            let due = cx.now + cx.config.timeouts.silence;
            cx.timers.set(Timer::Topic(topic, TopicTimer::Silence), due);
            cx.event(Event::Topic(topic, TopicEvent::Confirmed));
        }
        match &mut entry.state {
            TopicState::Book(book) => book.on_confirmed(cx, line),
            TopicState::Deduplicator(dedup) => {
                if dedup.on_confirmed(cx.now, line) {
                    // planted: missed-untold
                    cx.event(Event::Topic(topic, TopicEvent::MayHaveMissed));
                }
            }
        }
    }

    /// A line is refused a topic. True if it is to be put off: it is wanted, and it has brought something
    /// lately, which says more than a single answer.
    pub(crate) fn on_refused(
        &mut self,
        cx: &mut Context,
        topic: TopicId,
        line: LineId,
        code: u32,
        words: Option<WordsId>,
    ) -> bool {
        let Some(entry) = self.list.get_mut(topic.index()) else { return false };
        // planted: one-refusal-rejects
        if !entry.is_wanted() || !entry.speaks_for_itself(cx.now) {
            return false;
        }
        let delay = entry.refusals.next(&mut cx.rng);
        // planted: refused-for-good
        cx.pause(topic, delay);
        cx.event(Event::Topic(topic, TopicEvent::Refused { code, delay, words }));
        entry.goes_on(cx, line);
        true
    }

    /// A line carries a topic no more; `elsewhere` if another one has it confirmed. True if something may be
    /// missing between the two.
    pub(crate) fn on_dropped(
        &mut self,
        cx: &mut Context,
        topic: TopicId,
        line: LineId,
        elsewhere: bool,
    ) -> bool {
        let Some(entry) = self.list.get_mut(topic.index()) else { return false };
        entry.lines.remove(line);
        if !elsewhere && entry.is_wanted() {
            entry.interest = Interest::Wanted { is_silent: false };
            cx.timers.clear(Timer::Topic(topic, TopicTimer::Silence));
        }
        match &mut entry.state {
            TopicState::Book(book) => {
                book.on_line_lost(cx, line);
                false
            }
            TopicState::Deduplicator(dedup) => {
                let has_missed = dedup.drop_line(cx.now, line);
                if has_missed {
                    cx.event(Event::Topic(topic, TopicEvent::MayHaveMissed));
                }
                has_missed
            }
        }
    }

    /// Whether a topic is heard on this line alone, if its messages do not say where they stand.
    pub(crate) fn is_owner(&self, topic: TopicId, line: LineId) -> bool {
        match self.get(topic).map(|entry| &entry.state) {
            Some(TopicState::Deduplicator(dedup)) => dedup.is_owner(line),
            Some(TopicState::Book(_)) | None => false,
        }
    }

    /// All that other lines were pushed of a topic before this one carried it has arrived.
    pub(crate) fn vouch(&mut self, topic: TopicId, line: LineId) {
        if let Some(TopicState::Deduplicator(dedup)) =
            self.list.get_mut(topic.index()).map(|entry| &mut entry.state)
        {
            dedup.vouch(line);
        }
    }

    /// Whether all that a topic's lines have brought has been put together.
    pub(crate) fn is_caught_up(&self, topic: TopicId) -> bool {
        match self.get(topic).map(|entry| &entry.state) {
            Some(TopicState::Deduplicator(dedup)) => dedup.is_caught_up(),
            Some(TopicState::Book(book)) => book.is_caught_up(),
            None => true,
        }
    }

    /// The topic of a channel, if it is wanted.
    pub(crate) fn wanted_topic(&self, channel: Channel) -> Option<TopicId> {
        let topic = *self.by_channel.get(&channel)?;
        self.get(topic)?.is_wanted().then_some(topic)
    }

    /// A line brought a delta. `frame` is what says it and nothing else, or nothing: a copy that another line
    /// brings is known by it.
    #[inline]
    pub(crate) fn on_delta(
        &mut self,
        cx: &mut Context,
        line: LineId,
        topic: TopicId,
        delta: Delta,
        frame: &[u8],
    ) -> Disposition {
        match self.heard(cx, line, topic) {
            Some(TopicState::Book(book)) => book.on_delta(cx, line, delta, frame),
            Some(TopicState::Deduplicator(_)) | None => Disposition::Unwanted,
        }
    }

    /// A line brought a frame that has not been read. True if it is the same as another line has brought, and with
    /// that a repeat. Otherwise nothing is known of it.
    #[inline(never)]
    pub(crate) fn take_same(
        &mut self,
        cx: &mut Context,
        line: LineId,
        topic: TopicId,
        frame: &[u8],
    ) -> bool {
        let Some(entry) = self.carried(line, topic) else { return false };
        let TopicState::Book(book) = &mut entry.state else { return false };
        let is_same = book.take_same(cx.now, line, frame);
        if is_same {
            entry.on_heard(cx, topic);
        }
        is_same
    }

    /// A line brought something for a book that is no delta.
    pub(crate) fn on_bad_delta(
        &mut self,
        cx: &mut Context,
        line: LineId,
        topic: TopicId,
        error: WireError,
    ) -> Disposition {
        match self.heard(cx, line, topic) {
            Some(TopicState::Book(book)) => book.on_undecodable(cx, line, error),
            Some(TopicState::Deduplicator(_)) | None => Disposition::Unwanted,
        }
    }

    /// A line brought a message for the user; `position` is `None` for one that does not say where it
    /// stands.
    pub(crate) fn on_message(
        &mut self,
        cx: &mut Context,
        line: LineId,
        topic: TopicId,
        position: Option<Position>,
        bytes: &[u8],
    ) -> Disposition {
        let Some(TopicState::Deduplicator(dedup)) = self.heard(cx, line, topic) else {
            return Disposition::Unwanted;
        };
        // Data may come before the ack.
        if dedup.resume(line) {
            cx.event(Event::Topic(topic, TopicEvent::MayHaveMissed));
        }
        if dedup.is_new(line, position, bytes) { Disposition::Pushed } else { Disposition::Repeat }
    }

    /// A wanted topic has spoken, on a line that was asked for it.
    #[inline]
    fn heard(&mut self, cx: &mut Context, line: LineId, topic: TopicId) -> Option<&mut TopicState> {
        let entry = self.carried(line, topic)?;
        entry.on_heard(cx, topic);
        Some(&mut entry.state)
    }

    /// A wanted topic, if this line was asked for it.
    #[inline]
    fn carried(&mut self, line: LineId, topic: TopicId) -> Option<&mut Topic> {
        let entry = self.list.get_mut(topic.index())?;
        // planted: any-line-carries
        if !entry.is_wanted() || !entry.lines.has(line) {
            return None;
        }
        Some(entry)
    }

    pub(crate) fn on_silence_due(&mut self, cx: &mut Context, topic: TopicId) {
        let Some(entry) = self.list.get_mut(topic.index()) else { return };
        let timer = Timer::Topic(topic, TopicTimer::Silence);
        // Re-armed here and not per frame: frames only note the time.
        let longest = cx.config.timeouts.silence;
        let limit = entry.pace.limit(longest);
        let due = entry.heard_at.max(entry.confirmed_at) + limit;
        if due > cx.now {
            if let TopicState::Book(book) = &entry.state {
                entry.pace.look(book.book().map(|book| (entry.heard_at, book.sequence())));
            }
            cx.timers.set(timer, due);
            return;
        }
        entry.pace.on_silent(limit.saturating_mul(2).min(longest));
        if entry.interest == (Interest::Wanted { is_silent: false }) {
            entry.interest = Interest::Wanted { is_silent: true };
            // planted: silence-untold
            cx.event(Event::Topic(topic, TopicEvent::Idle));
        }
        if let TopicState::Book(book) = &mut entry.state {
            // planted: silence-believed
            book.on_silence(cx);
            cx.timers.set(timer, cx.now + longest);
        }
    }

    /// A topic is subscribed once more, because it was silent. True if it has brought nothing since that was last
    /// done.
    pub(crate) fn on_renewed(&mut self, now: Instant, topic: TopicId) -> bool {
        let Some(entry) = self.list.get_mut(topic.index()) else { return false };
        let before = entry.renewed_at.replace(now);
        before.is_some_and(|before| entry.heard_at <= before)
    }

    pub(crate) fn get(&self, topic: TopicId) -> Option<&Topic> {
        self.list.get(topic.index())
    }

    pub(crate) fn book(&self, topic: TopicId) -> Option<&BookSync> {
        match &self.get(topic)?.state {
            TopicState::Book(book) => Some(book),
            TopicState::Deduplicator(_) => None,
        }
    }

    pub(crate) fn book_mut(&mut self, topic: TopicId) -> Option<&mut BookSync> {
        match &mut self.list.get_mut(topic.index())?.state {
            TopicState::Book(book) => Some(book),
            TopicState::Deduplicator(_) => None,
        }
    }

    /// What a line has brought of all books, beside others.
    pub(crate) fn share_of(&self, line: LineId) -> LineShare {
        let mut sum = LineShare::default();
        for entry in &self.list {
            if let TopicState::Book(book) = &entry.state {
                let its = book.shares().filter(|(of, _)| *of == line);
                its.for_each(|(_, share)| sum.add(share));
            }
        }
        sum
    }

    /// Lines were compared.
    pub(crate) fn on_compared(&mut self) {
        for entry in &mut self.list {
            if let TopicState::Book(book) = &mut entry.state {
                book.on_compared();
            }
        }
    }

    /// Every topic that is wanted.
    pub(crate) fn wanted_kinds(&self) -> impl Iterator<Item = (TopicId, ChannelKind)> + '_ {
        let all = self.ids().zip(&self.list).filter(|(_, entry)| entry.is_wanted());
        all.map(|(topic, entry)| (topic, entry.channel.kind()))
    }

    /// Every id there is.
    fn ids(&self) -> impl Iterator<Item = TopicId> + use<> {
        (0..u32::try_from(self.list.len()).unwrap_or(u32::MAX)).map(TopicId::new)
    }
}

impl Routing for Topics {
    fn route(&self, channel: Channel) -> Option<Route> {
        let own = self.wanted_topic(channel).map(|topic| Route { topic, is_own: true });
        own.or_else(|| Some(Route { topic: self.wanted_topic(channel.of_all()?)?, is_own: false }))
    }

    fn is_wanted(&self, topic: TopicId) -> bool {
        self.get(topic).is_some_and(Topic::is_wanted)
    }
}

impl Topic {
    pub(crate) const fn is_wanted(&self) -> bool {
        matches!(self.interest, Interest::Wanted { .. })
    }

    /// What the user is told, by the state of the line on which the topic has come furthest.
    pub(crate) fn status(&self, on_lines: Option<SubscriptionState>) -> TopicStatus {
        match (self.interest, on_lines) {
            (Interest::Ended, _) => TopicStatus::Unsubscribed,
            (Interest::Rejected { code }, _) => TopicStatus::Rejected { code },
            (Interest::Wanted { is_silent }, Some(SubscriptionState::Confirmed)) => {
                TopicStatus::Confirmed { silent: is_silent }
            }
            (Interest::Wanted { .. }, Some(SubscriptionState::Asked { reverse: false })) => {
                TopicStatus::Pending
            }
            (Interest::Wanted { .. }, Some(SubscriptionState::Refused { code })) => {
                TopicStatus::Refused { code }
            }
            (Interest::Wanted { .. }, _) => TopicStatus::Wanted,
        }
    }

    /// Whether its symbol exists, whatever a single answer says: it has brought something lately.
    pub(crate) fn speaks_for_itself(&self, now: Instant) -> bool {
        self.heard_at > Instant::ZERO && now.since(self.heard_at) < EVIDENCE
    }

    /// A stream that comes without a confirmation carries its book as well as one that is confirmed: the
    /// snapshot that the book waits for need not wait for the exchange to list the symbol.
    fn goes_on(&mut self, cx: &mut Context, line: LineId) {
        if let TopicState::Book(book) = &mut self.state
            && book.status() == BookStatus::Buffering
        {
            book.on_confirmed(cx, line);
        }
    }

    /// What its book waits for, if it waits for its turn to ask for a snapshot.
    pub(crate) fn demand(&self) -> Option<Demand> {
        match &self.state {
            TopicState::Book(book) => {
                Some(Demand { symbol: self.channel.symbol()?, urgency: book.urgency()? })
            }
            TopicState::Deduplicator(_) => None,
        }
    }

    pub(crate) fn book_status(&self) -> Option<BookStatus> {
        match &self.state {
            TopicState::Book(book) => Some(book.status()),
            TopicState::Deduplicator(_) => None,
        }
    }

    #[inline]
    fn on_heard(&mut self, cx: &mut Context, topic: TopicId) {
        self.heard_at = cx.now;
        if self.interest == (Interest::Wanted { is_silent: true }) {
            self.interest = Interest::Wanted { is_silent: false };
            let due = cx.now + cx.config.timeouts.silence;
            cx.timers.set(Timer::Topic(topic, TopicTimer::Silence), due);
            // planted: speech-untold
            cx.event(Event::Topic(topic, TopicEvent::Active));
        }
    }
}
