//! What is counted of one client.

use std::collections::VecDeque;
use std::time::Duration;

use kucoin_futures_proto::Instant;

use super::CONNECTS_PER_MINUTE;

const MINUTE: Duration = Duration::from_secs(60);

/// What is counted of one client, from the beginning; attempts from the loss on.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) attempts: u64,
    /// Whether it went over a limit.
    pub(super) is_over: bool,
    /// Since when it is live again.
    pub(super) back: Option<Instant>,
    /// Its attempts of the last minute.
    lately: VecDeque<Instant>,
}

impl Tally {
    /// It connects, or tries to.
    pub(super) fn on_connect(&mut self, now: Instant) {
        self.attempts += 1;
        while self.lately.front().is_some_and(|at| now.since(*at) >= MINUTE) {
            self.lately.pop_front();
        }
        self.lately.push_back(now);
        self.is_over |= self.lately.len() > CONNECTS_PER_MINUTE;
    }

    /// A request of it was answered with this status.
    pub(super) const fn on_answer(&mut self, status: u16) {
        self.is_over |= status == 429;
    }

    /// The lines are lost: attempts count from here, and limits go on.
    pub(super) const fn on_loss(&mut self) {
        self.attempts = 0;
        self.back = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_one_of_any_minute() {
        let at = |ms: u64| Instant::from_nanos(ms * 1_000_000);
        let mut tally = Tally::default();
        (0..30).for_each(|n| tally.on_connect(at(n * 2_000)));
        assert!(!tally.is_over, "thirty in 58 s");
        tally.on_connect(at(60_000));
        assert!(!tally.is_over, "the first is a minute old");
        tally.on_connect(at(61_999));
        assert!(tally.is_over, "thirty-one in less than a minute");
        let mut tally = Tally::default();
        tally.on_answer(200);
        assert!(!tally.is_over);
        tally.on_answer(429);
        assert!(tally.is_over);
    }
}
