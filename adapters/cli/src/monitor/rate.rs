//! How many a second.

use std::time::Duration;

use kucoin_futures_proto::Instant;

/// Of something that is counted elsewhere.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Rate {
    /// As it was counted when the present stretch began.
    count: u64,
    since: Instant,
    per_second: f64,
}

/// Looked at more often, it stays as it is.
const STRETCH: Duration = Duration::from_secs(1);

impl Rate {
    /// Nothing was counted yet.
    pub(crate) const fn new(now: Instant) -> Self {
        Self { count: 0, since: now, per_second: 0.0 }
    }

    /// So many there are now.
    pub(crate) fn look(&mut self, now: Instant, count: u64) {
        let passed = now.since(self.since);
        if passed >= STRETCH {
            self.per_second = count.saturating_sub(self.count) as f64 / passed.as_secs_f64();
            (self.count, self.since) = (count, now);
        }
    }

    /// Over the last stretch of a second or more that is complete; zero before the first one is.
    pub(crate) const fn per_second(&self) -> f64 {
        self.per_second
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_that_of_the_last_complete_stretch() {
        let at = |ms: u64| Instant::from_nanos(ms * 1_000_000);
        let mut rate = Rate::new(at(0));
        rate.look(at(999), 500);
        assert!(rate.per_second() == 0.0, "not complete yet");
        rate.look(at(2000), 500);
        assert!((rate.per_second() - 250.0).abs() < 1e-9);
        rate.look(at(2500), 9000);
        assert!((rate.per_second() - 250.0).abs() < 1e-9, "it does not jump with each look");
        rate.look(at(4000), 500);
        assert!(rate.per_second() == 0.0, "nothing came");
    }
}
