//! What is told of a line.

use super::Line;
use crate::book::LineShare;
use crate::ids::{ConnId, LineId, TopicId};
use crate::limiter::{BudgetKind, BudgetUse};
use crate::placement::LineRole;
use crate::subscription::SubscriptionState;
use crate::time::Instant;

/// A line as it is now: see [`Client::lines`](crate::Client::lines).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct LineStatus {
    /// By what events name it. The number of a line that is over is given to a later one.
    pub id: LineId,
    /// What it is there for.
    pub role: LineRole,
    /// The line that it is about to replace.
    pub replaces: Option<LineId>,
    /// Its connection, once the exchange has welcomed it.
    pub conn: Option<ConnId>,
    /// Since when.
    pub up_since: Option<Instant>,
    /// Topics that were asked for on this connection, confirmed or not.
    pub topics: usize,
    /// What it has brought of the books that another line carries, too: since both do.
    pub share: LineShare,
}

impl Line {
    pub(crate) fn status(
        &self,
        role: LineRole,
        replaces: Option<LineId>,
        share: LineShare,
    ) -> LineStatus {
        LineStatus {
            id: self.id,
            role,
            replaces,
            conn: self.conn.filter(|_| self.is_ready()),
            up_since: self.session.ready_since(),
            topics: self.subs.carried().count(),
            share,
        }
    }

    /// How much of the budget of its connection is in use; `None` without one that is ready.
    pub(crate) fn messages(&self, now: Instant) -> Option<BudgetUse> {
        self.is_ready().then(|| self.sends.in_use(now, BudgetKind::Messages(self.id)))
    }

    /// When the exchange last answered on this connection; `None` unless it has confirmed the topic there.
    pub(crate) fn answered_at(&self, topic: TopicId) -> Option<Instant> {
        let is_confirmed = self.subscription(topic) == Some(SubscriptionState::Confirmed);
        is_confirmed.then_some(self.answered_at)
    }
}
