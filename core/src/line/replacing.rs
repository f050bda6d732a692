//! What a line does while it is replaced by another.

use super::Line;
use crate::context::Context;
use crate::event::DisconnectReason;
use crate::ids::TopicId;
use crate::session::Session;
use crate::time::Instant;
use crate::timers::LineTimer;

/// Whether all that was sent here before another line took over has arrived: a pong comes behind it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) enum Probe {
    #[default]
    None,
    /// A ping is to go out as soon as none is open; asked for then.
    Wanted(Instant),
    Sent(Instant),
    /// The pong is here.
    Answered(Instant),
}

impl Line {
    /// Sees to it that all that was pushed here until now arrives. Once it has: since when it is waited for.
    pub(crate) fn probe(&mut self, cx: &mut Context) -> Option<Instant> {
        if self.probe == Probe::None {
            self.probe = Probe::Wanted(cx.now);
            self.ping_for_probe(cx);
        }
        if let Probe::Answered(since) = self.probe { Some(since) } else { None }
    }

    /// What arrives from now on is to be waited for, too.
    pub(crate) const fn forget_probe(&mut self) {
        self.probe = Probe::None;
    }

    /// Since when it is in use.
    pub(crate) const fn up_since(&self) -> Option<Instant> {
        self.session.ready_since()
    }

    /// Sends a ping between those of the schedule.
    pub(super) fn ping_for_probe(&mut self, cx: &mut Context) {
        if matches!(self.probe, Probe::Wanted(_)) && !self.keepalive.is_awaiting() {
            let next = cx.timers.get(self.timer(LineTimer::Ping)).unwrap_or(cx.now);
            self.ping(cx, next);
        }
    }

    pub(super) const fn on_ping_sent(&mut self) {
        if let Probe::Wanted(since) = self.probe {
            self.probe = Probe::Sent(since);
        }
    }

    pub(super) fn on_pong_taken(&mut self, cx: &mut Context) {
        if let Probe::Sent(since) = self.probe {
            self.probe = Probe::Answered(since);
        }
        self.ping_for_probe(cx);
    }

    /// Topics that it carries, or has asked for.
    pub(crate) fn carried(&self) -> impl Iterator<Item = TopicId> + '_ {
        self.subs.carried()
    }

    /// Another line carries what it did: it is free for other uses.
    pub(crate) fn retire(&mut self, cx: &mut Context) {
        self.disconnect(cx, DisconnectReason::Replaced);
        self.session = Session::new(&cx.config);
    }
}
