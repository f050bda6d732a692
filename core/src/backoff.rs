//! When to try again: a pure schedule with full jitter.

use core::time::Duration;

use crate::rng::SplitMix64;

/// Delays drawn evenly from `0..=min(cap, base * 2^n)` for the n-th failure in a row, at least 1 ms.
///
/// Full jitter, because a thousand clients that lost the same server must not come back together.
/// It is reset by whoever knows that the failures are over, not by a mere connect.
#[derive(Clone, Debug)]
pub(crate) struct Backoff {
    base: Duration,
    cap: Duration,
    failures: u32,
}

const AT_LEAST: Duration = Duration::from_millis(1);

impl Backoff {
    pub(crate) const fn new(base: Duration, cap: Duration) -> Self {
        Self { base, cap, failures: 0 }
    }

    /// Failures since the last reset.
    pub(crate) const fn failures(&self) -> u32 {
        self.failures
    }

    /// Counts a failure and says how long to wait.
    pub(crate) fn next(&mut self, rng: &mut SplitMix64) -> Duration {
        self.next_within(rng, Duration::MAX)
    }

    /// The same, but no longer than things have been failing for, or the base if that is longer: what
    /// was over after ten seconds shall not be waited for another forty.
    pub(crate) fn next_within(&mut self, rng: &mut SplitMix64, failing_for: Duration) -> Duration {
        let bound = self.bound().min(failing_for.max(self.base).max(AT_LEAST));
        self.failures = self.failures.saturating_add(1);
        rng.up_to(bound).max(AT_LEAST)
    }

    /// The same for failures that will not pass quickly: the bound starts at a quarter of the cap.
    pub(crate) fn next_long(&mut self, rng: &mut SplitMix64) -> Duration {
        // From 32 failures on the bound grows no further, whatever the cap.
        while self.failures < u32::BITS && self.bound() < self.cap / 4 {
            self.failures = self.failures.saturating_add(1);
        }
        self.next(rng)
    }

    /// What is added to a wait that somebody else has named: drawn evenly up to the base, so that those
    /// who were told the same do not come back together. No failure.
    pub(crate) fn jitter(&self, rng: &mut SplitMix64) -> Duration {
        rng.up_to(self.base.min(self.cap)).max(AT_LEAST)
    }

    pub(crate) const fn reset(&mut self) {
        self.failures = 0;
    }

    fn bound(&self) -> Duration {
        let factor = 2_u32.saturating_pow(self.failures);
        self.base.max(AT_LEAST).saturating_mul(factor).min(self.cap)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn the_bound_doubles_to_the_cap() {
        let mut backoff = Backoff::new(SECOND, SECOND * 60);
        let mut rng = SplitMix64::new(1);
        let bounds: [u64; 8] = core::array::from_fn(|_| {
            let bound = backoff.bound().as_secs();
            let delay = backoff.next(&mut rng);
            assert!(delay >= AT_LEAST && delay <= Duration::from_secs(bound));
            bound
        });
        assert_eq!(bounds, [1, 2, 4, 8, 16, 32, 60, 60]);
        backoff.reset();
        assert_eq!(backoff.bound(), SECOND);
    }

    #[test]
    fn jitter_is_full_the_mean_is_half_the_bound() {
        let mut rng = SplitMix64::new(2);
        let total: Duration =
            (0..10_000).map(|_| Backoff::new(SECOND, SECOND).next(&mut rng)).sum();
        let mean = total / 10_000;
        assert!(mean.abs_diff(SECOND / 2) < SECOND / 50, "{mean:?}");
    }

    #[test]
    fn a_long_failure_starts_at_a_quarter_of_the_cap() {
        let mut backoff = Backoff::new(SECOND, SECOND * 60);
        backoff.next_long(&mut SplitMix64::new(3));
        assert_eq!(backoff.failures(), 5, "the bound was 16 s");
        let mut backoff = Backoff::new(SECOND * 15, SECOND * 60);
        backoff.next_long(&mut SplitMix64::new(3));
        assert_eq!(backoff.failures(), 1, "the bound was a quarter already");
    }

    #[test]
    fn never_ends_and_never_overflows() {
        let mut backoff = Backoff::new(Duration::ZERO, Duration::ZERO);
        backoff.failures = u32::MAX;
        assert_eq!(backoff.next(&mut SplitMix64::new(4)), AT_LEAST);
        let mut backoff = Backoff::new(SECOND, Duration::MAX);
        assert!(backoff.next_long(&mut SplitMix64::new(5)) >= AT_LEAST);
        assert_eq!(backoff.failures(), 33, "2^32 is where it stops to grow");
    }
}
