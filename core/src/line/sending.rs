//! What a line sends, within its budget.

use super::limits::NO_ROOM;
use super::{Line, LineReport, count};
use crate::channel::Channel;
use crate::context::Context;
use crate::ids::TopicId;
use crate::subscription::Batch;
use crate::time::Instant;
use crate::timers::LineTimer;
use crate::wire::encode::{self, Command};

impl Line {
    /// Composes the next frame, if there is one and the budget allows it. `channel_of` says the channel
    /// of a topic, and is told whether what comes of it is wanted.
    pub(crate) fn compose(
        &mut self,
        cx: &mut Context,
        mut channel_of: impl FnMut(TopicId, bool) -> Option<Channel>,
    ) {
        let Some(conn) = self.conn.filter(|_| self.has_output()) else { return };
        // planted: pings-starved
        let ready = self.sends.ready_at(cx.now, 1, cx.config.budgets.sends_kept_for_pings);
        if ready > cx.now {
            return self.hold(cx, ready);
        }
        self.frame_ids = self.frame_ids.wrapping_add(1);
        let id = self.frame_ids;
        match self.subs.next_batch(id, cx.now + cx.config.timeouts.ack) {
            None => {}
            // Words came with the refusals that it was learned from, if any.
            Some(Err(topic)) => {
                self.report(LineReport::Rejected { topic, code: NO_ROOM, words: None });
            }
            Some(Ok(batch)) => {
                let Batch { command, kind, topics, .. } = batch.clone();
                let channels = topics.into_iter().filter_map(|topic| {
                    channel_of(topic, command == Command::Subscribe && self.is_asked(topic))
                });
                let keys = channels.map(|channel| channel.key());
                cx.send(conn, encode::command(id, command, kind, keys));
                self.sends.record(cx.now, 1);
                self.arm_ack(cx);
            }
        }
    }

    pub(super) fn hold(&mut self, cx: &mut Context, until: Instant) {
        self.send_paused = true;
        cx.timers.set(self.timer(LineTimer::Send), until);
    }

    pub(super) fn ping(&mut self, cx: &mut Context, next: Instant) {
        let Some(conn) = self.conn else { return };
        let ready = self.sends.ready_at(cx.now, 1, 0);
        if ready > cx.now {
            return cx.timers.set(self.timer(LineTimer::Ping), ready);
        }
        self.frame_ids = self.frame_ids.wrapping_add(1);
        let id = self.frame_ids;
        cx.send(conn, encode::ping(id));
        self.sends.record(cx.now, 1);
        self.keepalive.on_ping_sent(id);
        self.on_ping_sent();
        count(&mut cx.stats.pings);
        cx.timers.set(self.timer(LineTimer::Ping), next);
        let timeout = self.keepalive.timing().timeout;
        // planted: no-pong-deadline
        cx.timers.set(self.timer(LineTimer::Pong), cx.now + timeout);
    }
}
