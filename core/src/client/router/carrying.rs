//! What is carried where: topics find lines, and lose them.

use super::Router;
use crate::channel::ChannelKind;
use crate::event::{Event, TopicEvent};
use crate::ids::{LineId, TopicId, WordsId};
use crate::line::Line;
use crate::placement::LineRole;
use crate::subscription::SubscriptionState;
use crate::topics::{Interest, Topic};

impl Router {
    /// A topic is wanted from now on.
    pub(crate) fn carry(&mut self, topic: TopicId, kind: ChannelKind) {
        self.placement.add(topic, kind.is_private());
        self.place();
        // One that was refused its login rests until something of it is wanted again.
        for line in self.lines.iter_mut().filter(|line| line.is_private() == kind.is_private()) {
            if self.placement.carries(line.id()) {
                line.start();
            }
        }
    }

    /// Asks for a topic where it is at home from now on, and on the line that is about to take its place. Not on
    /// others that carry it, too: one of them may have been refused it, and wait.
    fn ask_for(&mut self, topic: TopicId, kind: ChannelKind, home: LineId) {
        for line in [Some(home), self.placement.successor(home)].into_iter().flatten() {
            if let Some(line) = self.lines.get_mut(line.index()).filter(|line| line.is_ready()) {
                line.subscribe(topic, kind);
                if line.is_asked(topic) {
                    self.topics.on_kept(topic, line.id());
                }
            }
        }
    }

    /// Finds lines for the topics that wait for one, and opens more where there is no room.
    pub(super) fn place(&mut self) {
        for set in LineRole::ALL {
            while self.placement.wants_line(set) {
                let Some(line) = self.placement.open(set) else { break };
                self.start(line);
            }
            self.fill(set);
            while let Some(topic) = self.placement.homeless(set) {
                if self.placement.give_up(set, topic) {
                    self.on_rejected(topic, crate::line::NO_ROOM, None);
                }
            }
        }
    }

    /// A line is put to use that was free, or is new.
    pub(super) fn start(&mut self, line: LineId) {
        let Some(set) = self.placement.role_of(line) else { return };
        if self.lines.len() == line.index() {
            self.lines.push(Line::new(line, set.is_private(), &self.cx));
        }
        if let Some(line) = self.lines.get_mut(line.index()) {
            line.start();
        }
    }

    /// Gives the connected lines of a set their share of what waits.
    fn fill(&mut self, set: LineRole) {
        for at in 0..self.lines.len() {
            let line = self.lines.get(at).filter(|line| line.is_ready()).map(Line::id);
            let Some(line) = line.filter(|&line| self.placement.role_of(line) == Some(set)) else {
                continue;
            };
            while let Some(topic) = self.placement.place_on(line) {
                let Some(kind) = self.topics.get(topic).map(|entry| entry.channel.kind()) else {
                    continue;
                };
                self.ask_for(topic, kind, line);
            }
        }
    }

    /// A line that has just come up carries what is at home on it, and takes its share of what waits.
    pub(super) fn on_up(&mut self, id: LineId) {
        self.placement.on_up(id);
        let Self { placement, topics, lines, .. } = self;
        let Some(line) = lines.get_mut(id.index()) else { return };
        for topic in placement.topics_of(id) {
            let Some(kind) = topics.get(topic).map(|entry| entry.channel.kind()) else { continue };
            // planted: no-resubscribe
            line.subscribe(topic, kind);
        }
        self.place();
    }

    /// There is no room for a topic on a line: it moves to another.
    pub(super) fn on_no_room(
        &mut self,
        line: LineId,
        topic: TopicId,
        code: u32,
        words: Option<WordsId>,
    ) {
        self.on_dropped(line, topic);
        if !self.topics.get(topic).is_some_and(Topic::is_wanted) {
            return;
        }
        self.placement.on_no_room(line, topic);
        // What is said of it elsewhere does not say why, and this does.
        let set = self.placement.role_of(line);
        if let Some(set) = set.filter(|&set| self.placement.homeless(set) == Some(topic))
            && self.placement.give_up(set, topic)
        {
            self.on_rejected(topic, code, words);
        }
        self.place();
    }

    /// A line carries a topic no more, because that was wanted; meanwhile it may be wanted again.
    pub(super) fn on_ended(&mut self, line: LineId, topic: TopicId) {
        let known = self.lines.get(line.index()).and_then(|line| line.subscription(topic));
        if known.is_none() {
            self.on_dropped(line, topic);
        }
    }

    /// A line carries a topic, as the exchange has confirmed.
    pub(super) fn on_confirmed(&mut self, line: LineId, topic: TopicId) {
        // It may have ended meanwhile, and be wanted again on another line.
        if !self.topics.is_heard_on(topic, line) {
            return;
        }
        let mut others = self.lines.iter().filter(|other| other.id() != line);
        let elsewhere = others.any(|other| self.carries(other, topic));
        let was_owner = self.topics.is_owner(topic, line);
        if !self.account.awaits(topic) || !was_owner {
            self.topics.on_confirmed(&mut self.cx, topic, line, elsewhere);
        }
        // What an account waits for comes on the line that it is heard on.
        if was_owner || !elsewhere {
            self.account.on_confirmed(&mut self.cx, topic);
        }
    }

    /// A line carries a topic no more.
    pub(super) fn on_dropped(&mut self, line: LineId, topic: TopicId) {
        let elsewhere = self.is_confirmed(topic);
        let was_owner = self.topics.is_owner(topic, line);
        // planted: books-outlive-line
        let has_missed = self.topics.on_dropped(&mut self.cx, topic, line, elsewhere);
        if !elsewhere || has_missed {
            self.account.on_dropped(&mut self.cx, topic);
        }
        if elsewhere && was_owner {
            self.account.on_other_line(&mut self.cx, topic);
        }
        self.on_carried_no_more(topic);
    }

    /// The pause of a topic that was refused is over.
    pub(super) fn ask_again(&mut self, topic: TopicId) {
        let Some(entry) = self.topics.get(topic).filter(|entry| entry.is_wanted()) else { return };
        let kind = entry.channel.kind();
        let Self { lines, placement, .. } = self;
        let homes = lines.iter_mut().filter(|line| placement.is_placed_on(topic, line.id()));
        homes.for_each(|line| line.ask_again(topic, kind));
    }

    /// Nothing is wanted of a topic any more, for this reason.
    pub(crate) fn end(&mut self, topic: TopicId, last: Interest) {
        let Some(kind) = self.topics.get(topic).map(|entry| entry.channel.kind()) else { return };
        self.topics.deactivate(&mut self.cx, topic, last);
        self.account.on_rejected(&mut self.cx, topic);
        self.placement.remove(topic);
        self.lines.iter_mut().for_each(|line| line.unsubscribe(topic, kind));
    }

    /// A topic that is not wanted and that no line carries has ended, whatever ended it.
    pub(crate) fn on_carried_no_more(&mut self, topic: TopicId) {
        let is_wanted = self.topics.get(topic).is_some_and(Topic::is_wanted);
        if !is_wanted && !self.is_carried(topic) {
            self.cx.event(Event::Topic(topic, TopicEvent::Unsubscribed));
        }
    }

    /// Whether a line carries a topic, or is about to.
    pub(crate) fn is_carried(&self, topic: TopicId) -> bool {
        self.lines.iter().any(|line| line.subscription(topic).is_some())
    }

    /// Whether a line carries a topic, as the exchange has confirmed.
    pub(super) fn is_confirmed(&self, topic: TopicId) -> bool {
        self.lines.iter().any(|line| self.carries(line, topic))
    }

    /// Whether a topic is wanted, and not from this line.
    pub(super) fn is_elsewhere(&self, topic: TopicId, line: LineId) -> bool {
        let is_wanted = self.topics.get(topic).is_some_and(Topic::is_wanted);
        is_wanted && !self.placement.is_placed_on(topic, line)
    }

    /// Whether this line carries a topic, and is heard.
    pub(super) fn carries(&self, line: &Line, topic: TopicId) -> bool {
        line.subscription(topic) == Some(SubscriptionState::Confirmed)
            && self.topics.is_heard_on(topic, line.id())
    }
}
