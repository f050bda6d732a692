//! Deltas that cannot be decoded: a few are a resync each, many are a pause.

use core::time::Duration;

use crate::time::Instant;

/// Counts one book's undecodable deltas.
#[derive(Clone, Debug)]
pub(super) struct Poison {
    /// When the last ones came, oldest first.
    latest: [Option<Instant>; 3],
    paused_until: Instant,
}

impl Poison {
    pub(super) const fn new() -> Self {
        Self { latest: [None; 3], paused_until: Instant::ZERO }
    }

    /// Three within `pause` stop the book's resyncs for `pause`. What comes meanwhile does not
    /// prolong it, or a poison now and then would stop the book for good.
    pub(super) fn count(&mut self, now: Instant, pause: Duration) {
        if self.paused_until > now {
            return;
        }
        self.latest.rotate_left(1);
        if let Some(latest) = self.latest.last_mut() {
            *latest = Some(now);
        }
        let recent = |at: &Option<Instant>| at.is_some_and(|at| now.since(at) <= pause);
        if self.latest.iter().all(recent) {
            self.paused_until = now + pause;
            self.latest = [None; 3];
        }
    }

    /// No snapshot is to be asked for before this.
    pub(super) const fn paused_until(&self) -> Instant {
        self.paused_until
    }
}
