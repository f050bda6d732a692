//! What brings too little is asked anew, and then replaced.
//!
//! Of the lines that carry the same topics one may lag, or leave out what the other brings; a subscription may be
//! lost on one of them, or at the exchange. What the other line or a snapshot has shown is evidence; that a stream
//! says nothing is none.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;
use core::time::Duration;

use super::Router;
use crate::book::LineShare;
use crate::book::sync::BookSync;
use crate::event::{Event, LineEvent, ReplaceReason, TopicEvent};
use crate::ids::{ConnId, LineId, TopicId};
use crate::line::Line;
use crate::time::Instant;
use crate::timers::Timer;

/// A line that has brought less is not judged: a moment would settle it.
const LEAST: u64 = 100;

/// As much of one topic on one line, and nothing on the other, means that the subscription is lost there.
const LEAST_OF_TOPIC: u64 = 20;

/// One in so many may be left out: the other line brings it.
const MISSED_OF: u64 = 100;

/// Between two replacements: where the next one is as bad, it is not the line.
const SPACING: Duration = Duration::from_secs(600);

/// What was found when lines were compared.
#[derive(Clone, Debug, Default)]
pub(in crate::client) struct Comparison {
    /// Connections that were behind.
    behind: Vec<ConnId>,
    /// Topics that were asked for anew on a connection.
    renewed: BTreeSet<(ConnId, TopicId)>,
    /// When a line was last replaced for what is looked for here.
    replaced_at: Option<Instant>,
}

/// What a line has brought of all that another one carries, too, since the last comparison.
#[derive(Clone, Debug, Default)]
struct Weighed {
    own: LineShare,
    missed_by_others: u64,
    /// Topics of which it has brought nothing.
    silent: Vec<TopicId>,
}

impl Weighed {
    fn late(&self, most_lag: Duration) -> u64 {
        self.own.lag.at_least(most_lag)
    }

    fn is_behind(&self, most_lag: Duration) -> bool {
        let (brought, missed) = (self.own.brought(), self.own.missed);
        let is_late = self.late(most_lag) > brought / 2;
        let leaves_out = missed > brought / MISSED_OF && missed / 2 > self.missed_by_others;
        brought >= LEAST && (is_late || leaves_out)
    }
}

impl Router {
    /// There may be something to compare from now on.
    pub(super) fn await_comparison(&mut self) {
        let lines = &self.cx.config.lines;
        let is_wanted = lines.per_topic > 1 && lines.compare_every > Duration::ZERO;
        if is_wanted && self.cx.timers.get(Timer::Comparison).is_none() {
            self.cx.timers.set(Timer::Comparison, self.cx.now + lines.compare_every);
        }
    }

    /// Holds the lines that carry the same against each other.
    pub(super) fn compare_lines(&mut self) {
        let replaced_at = self.comparison.replaced_at;
        let fresh = Comparison { replaced_at, ..Comparison::default() };
        let before = core::mem::replace(&mut self.comparison, fresh);
        for at in 0..self.lines.len() {
            let Some(line) = self.lines.get(at).filter(|line| line.is_ready()) else { continue };
            let (id, conn) = (line.id(), line.conn());
            if let Some(conn) = conn.filter(|_| self.is_settled(id)) {
                let weighed = self.weigh(line);
                self.judge(&before, (id, conn), &weighed);
            }
        }
        self.topics.on_compared();
        if self.lines.iter().any(Line::is_ready) {
            self.await_comparison();
        }
    }

    /// Whether a line neither replaces another one, nor is replaced.
    fn is_settled(&self, line: LineId) -> bool {
        self.placement.carries(line) && self.placement.successor(line).is_none()
    }

    fn weigh(&self, line: &Line) -> Weighed {
        let mut weighed = Weighed::default();
        for topic in line.carried().filter(|&topic| self.carries(line, topic)) {
            let Some(book) = self.topics.book(topic) else { continue };
            let (mut own, mut other) = (LineShare::default(), LineShare::default());
            for (of, share) in book.lately() {
                if of == line.id() { own = share } else { other.add(&share) }
            }
            if own.brought() == 0 && other.brought() >= LEAST_OF_TOPIC {
                weighed.silent.push(topic);
            }
            weighed.own.add(&own);
            weighed.missed_by_others = weighed.missed_by_others.saturating_add(other.missed);
        }
        weighed
    }

    fn judge(&mut self, before: &Comparison, (line, conn): (LineId, ConnId), weighed: &Weighed) {
        let most_lag = self.cx.config.lines.most_lag;
        if weighed.is_behind(most_lag) {
            let (brought, missed) = (weighed.own.brought(), weighed.own.missed);
            let late = weighed.late(most_lag);
            self.cx.event(Event::Line(line, LineEvent::Behind { brought, late, missed }));
            self.comparison.behind.push(conn);
            if before.behind.contains(&conn) && self.replace_for(line, ReplaceReason::Behind) {
                return;
            }
        }
        for &topic in &weighed.silent {
            let was_renewed = before.renewed.contains(&(conn, topic));
            if was_renewed && self.replace_for(line, ReplaceReason::Silent) {
                return;
            }
            self.comparison.renewed.insert((conn, topic));
            self.renew_on(line, topic);
        }
    }

    /// Replaces a line that brings too little. False if that was done a moment ago: it did not help.
    fn replace_for(&mut self, line: LineId, reason: ReplaceReason) -> bool {
        let next = self.comparison.replaced_at.map(|at| at + SPACING);
        let may = next.is_none_or(|next| self.cx.now >= next);
        let is_begun = may && self.begin_change_over(line, reason);
        if is_begun {
            self.comparison.replaced_at = Some(self.cx.now);
        }
        is_begun
    }

    /// Asks for a topic once more on every line, if its book was found to be pushed no more; where that was done
    /// before and has not helped, the lines are replaced, one after the other.
    pub(super) fn renew(&mut self, topic: TopicId) {
        if !self.topics.book_mut(topic).is_some_and(BookSync::poll_renewal) {
            return;
        }
        let is_again = self.topics.on_renewed(self.cx.now, topic);
        let on = self.lines.iter().filter(|line| self.carries(line, topic));
        let on: Vec<_> = on.map(Line::id).collect();
        for line in on {
            self.renew_on(line, topic);
            if is_again {
                self.replace_for(line, ReplaceReason::Silent);
            }
        }
    }

    fn renew_on(&mut self, line: LineId, topic: TopicId) {
        let Some(kind) = self.topics.get(topic).map(|entry| entry.channel.kind()) else { return };
        if let Some(known) = self.lines.get_mut(line.index()) {
            known.renew(topic, kind);
            self.cx.event(Event::Topic(topic, TopicEvent::Renewed { line }));
        }
    }
}
