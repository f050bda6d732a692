//! A live book whose stream says nothing.

use core::time::Duration;

use super::{BookSync, State};
use crate::book::Book;
use crate::book::audit::Finding;
use crate::book::lineage::Evidence;
use crate::book::request::Request;
use crate::context::Context;
use crate::event::BookLostReason;
use crate::timers::{Timer, TopicTimer};
use crate::wire::SnapshotHead;

/// From an audit that found the exchange ahead, for so long the stream may come after it: longer than a frame is
/// on its way on a line that answers its pings, and short beside the silence before.
const GRACE: Duration = Duration::from_secs(2);

impl BookSync {
    /// The stream of a topic has said nothing for long.
    pub(crate) fn on_silence(&mut self, cx: &Context) {
        if self.is_live() && self.pacing.is_spaced(cx) {
            self.audit.start();
        }
    }

    /// A live book is held against a snapshot that was loaded into another one.
    pub(super) fn on_audit(&mut self, cx: &mut Context, other: &Book, snapshot: &SnapshotHead) {
        cx.stats.audits = cx.stats.audits.saturating_add(1);
        let patience = cx.config.book.snapshot_patience;
        match self.audit.judge(&self.book, other, snapshot, patience) {
            Finding::Sound => {}
            Finding::Ahead => {
                let timer = Timer::Topic(self.topic, TopicTimer::LeftBehind);
                cx.timers.set(timer, cx.now + GRACE);
            }
            Finding::Differs => self.resync(cx, BookLostReason::Diverged),
            Finding::StaysBehind => {
                self.on_new_run(cx, Evidence::SnapshotsStayBehind);
                self.await_renewal(cx);
            }
        }
    }

    /// The time is over in which the stream of a live book could come after the exchange.
    pub(crate) fn on_left_behind(&mut self, cx: &mut Context) {
        if let Some(exchange) = self.audit.left_behind_at(&self.book) {
            self.leave(cx, State::Idle, BookLostReason::LeftBehind { exchange });
            self.await_renewal(cx);
        }
    }

    /// No snapshot before the exchange has confirmed the topic anew: it would be older than the first delta.
    fn await_renewal(&mut self, cx: &mut Context) {
        self.pacing.cancel(cx);
        self.state = State::Buffering(Request::NotConfirmed);
        self.needs_renewal = true;
    }

    /// Whether the topic is to be subscribed once more; asked once.
    pub(crate) const fn poll_renewal(&mut self) -> bool {
        core::mem::replace(&mut self.needs_renewal, false)
    }
}
