//! A line is replaced by another before it has to end: no sequence is missed and no snapshot fetched.
//!
//! ```text
//!  due, or asked for ─> another line opens ─> it has every topic confirmed ─> a ping goes out on the old one
//!    ─> its pong is back, so all that the old one was pushed before is here; for 2 s both have carried
//!       everything; no book waits for anything, and nothing was said on the new one alone ─> the old one is shut
//! ```
//!
//! An old line that ends meanwhile is shut as soon as the new one is connected.

use alloc::vec::Vec;
use core::time::Duration;

use super::Router;
use crate::event::{Event, LineEvent, ReplaceReason};
use crate::ids::LineId;
use crate::line::Line;
use crate::time::Instant;
use crate::timers::{LineTimer, Timer};
use crate::topics::Topic;

/// How often it is looked whether everything has caught up, where nothing else says so.
const LOOK: Duration = Duration::from_millis(100);

/// For so long at most an old line is kept for what the new one does not confirm, or what has not caught up.
const LONGEST: Duration = Duration::from_secs(60);

impl Router {
    /// A line is to be replaced. False if it does not carry anything, or is being replaced.
    pub(crate) fn begin_change_over(&mut self, old: LineId, reason: ReplaceReason) -> bool {
        if !self.lines.get(old.index()).is_some_and(Line::is_ready) {
            return false;
        }
        let Some(by) = self.placement.open_successor(old) else { return false };
        self.cx.event(Event::Line(old, LineEvent::Replacing { by, reason }));
        self.start(by);
        true
    }

    /// Goes on with all that has been begun.
    pub(super) fn advance_change_overs(&mut self) {
        let begun: Vec<_> = self.placement.successions().collect();
        for (new, old) in begun {
            if self.is_over(new, old) {
                self.finish_change_over(new, old);
            }
        }
    }

    /// Whether an old line is needed no more.
    fn is_over(&mut self, new: LineId, old: LineId) -> bool {
        let up_since = self.lines.get(new.index()).and_then(Line::up_since);
        let Some(line) = self.lines.get_mut(old.index()) else { return false };
        let Some(up_since) = up_since else {
            // What was pushed before it carries everything anew is to be waited for anew.
            line.forget_probe();
            return false;
        };
        if !line.is_ready() {
            return true;
        }
        let end = up_since + LONGEST;
        if self.cx.now >= end {
            return true;
        }
        let look = Timer::Line(new, LineTimer::ChangeOver);
        if !self.is_carried_elsewhere(old) {
            self.look_again(look, end);
            return false;
        }
        let Some(line) = self.lines.get_mut(old.index()) else { return false };
        let overlap = self.cx.config.lines.overlap;
        let answered = line.probe(&mut self.cx);
        let is_drained = answered.is_some_and(|since| self.cx.now.since(since) >= overlap);
        let is_over = is_drained && line.carried().all(|topic| self.topics.is_caught_up(topic));
        if !is_over {
            self.look_again(look, (self.cx.now + LOOK).min(end));
            return false;
        }
        line.carried().for_each(|topic| self.topics.vouch(topic, new));
        true
    }

    /// Sets when to look again; a time that is set stands, so that a call that comes early puts nothing off.
    fn look_again(&mut self, look: Timer, at: Instant) {
        if self.cx.timers.get(look).is_none_or(|known| at < known) {
            self.cx.timers.set(look, at);
        }
    }

    /// Whether all that a line has confirmed, and that is wanted, another one has, too.
    fn is_carried_elsewhere(&self, line: LineId) -> bool {
        let Some(old) = self.lines.get(line.index()) else { return true };
        let has = |line: &Line, topic| self.carries(line, topic);
        let is_wanted = |topic| self.topics.get(topic).is_some_and(Topic::is_wanted);
        let mut topics = old.carried().filter(|&topic| has(old, topic) && is_wanted(topic));
        topics.all(|topic| self.lines.iter().any(|other| other.id() != line && has(other, topic)))
    }

    fn finish_change_over(&mut self, new: LineId, old: LineId) {
        self.placement.succeed(new);
        self.cx.timers.clear(Timer::Line(new, LineTimer::ChangeOver));
        self.cx.stats.change_overs = self.cx.stats.change_overs.saturating_add(1);
        if let Some(line) = self.lines.get_mut(old.index()) {
            line.retire(&mut self.cx);
        }
        self.route();
        self.place();
    }
}
