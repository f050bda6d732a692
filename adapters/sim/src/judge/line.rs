//! What is held against one line: how it waits.

use std::time::Duration;

use kucoin_futures_proto::config::Backoff;
use kucoin_futures_proto::{DisconnectReason, Instant};

use super::fetches::LONGEST_STAY;
use super::topics::Verdict;

/// One line.
#[derive(Debug, Default)]
pub(super) struct LineWatch {
    /// Failures in a row that the client owned up to, and whether it has been in use for long since.
    failures: u32,
    pub(super) proven: bool,
    /// The exchange named the time of the next wait: no failure.
    pub(super) named: bool,
    refused: u32,
}

impl LineWatch {
    pub(super) fn on_up(&mut self, late: bool) {
        // Since when, nobody can tell any more.
        self.proven |= late;
        self.refused = 0;
    }

    /// Its connection is down.
    pub(super) fn on_down(&mut self, reason: DisconnectReason) -> Verdict {
        if !is_failure(reason) {
            // What uses its number next is another line.
            *self = Self::default();
            return Ok(());
        }
        if matches!(reason, DisconnectReason::Unauthorized { .. }) {
            self.refused += 1;
            if self.refused > 2 {
                return Err("a third refused token without any wait".into());
            }
        }
        Ok(())
    }

    pub(super) fn on_waiting(
        &mut self,
        (at, late): (Instant, bool),
        (delay, failures): (Duration, u32),
        may_wait_until: Instant,
        backoff: &Backoff,
    ) -> Verdict {
        self.refused = self.refused.min(1);
        let named = core::mem::take(&mut self.named);
        let before = if core::mem::take(&mut self.proven) { 0 } else { self.failures };
        let expected = before + u32::from(!named);
        // Whether a connection had been in use for long is not known where outputs were left lying.
        if failures < expected || (named && failures > self.failures.max(expected)) {
            return Err(format!("{failures} failures in a row, but there were {expected}"));
        }
        self.failures = failures;
        let base = backoff.base.max(Duration::from_millis(1));
        let doubled = if named { 0 } else { failures.saturating_sub(1) };
        let bound = base.saturating_mul(2_u32.saturating_pow(doubled));
        let stay = may_wait_until.since(at) + LONGEST_STAY * u32::from(late);
        let bound = bound.min(backoff.cap).max(Duration::from_millis(1)) + stay;
        if delay > bound || delay.is_zero() {
            return Err(format!("waits {delay:?} after {failures} failures; at most {bound:?}"));
        }
        Ok(())
    }
}

/// Whether a line goes on after this. One that does not ended because that was wanted.
const fn is_failure(reason: DisconnectReason) -> bool {
    matches!(
        reason,
        DisconnectReason::Lost(_)
            | DisconnectReason::ConnectTimeout
            | DisconnectReason::WelcomeTimeout
            | DisconnectReason::WrongWelcome
            | DisconnectReason::Unauthorized { .. }
            | DisconnectReason::PongTimeout
            | DisconnectReason::AckTimeout
            | DisconnectReason::Suspended
            | DisconnectReason::Refused { .. }
            | DisconnectReason::Binary
    )
}
