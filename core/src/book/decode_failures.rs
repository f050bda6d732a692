//! Deltas that cannot be decoded: a few are a resync each, many are a pause.

use core::time::Duration;

use crate::time::Instant;

/// Counts one book's undecodable deltas.
#[derive(Clone, Debug)]
pub(super) struct DecodeFailures {
    /// When the last ones came, oldest first.
    latest: [Option<Instant>; 3],
    paused_until: Instant,
}

impl DecodeFailures {
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

#[cfg(test)]
mod tests {
    use super::*;

    const PAUSE: Duration = Duration::from_secs(60);

    fn count(poison: &mut DecodeFailures, seconds: &[u64]) -> Option<u64> {
        for second in seconds {
            poison.count(Instant::ZERO + Duration::from_secs(*second), PAUSE);
        }
        let paused = poison.paused_until().since(Instant::ZERO).as_secs();
        (paused > 0).then_some(paused)
    }

    #[test]
    fn three_within_the_span_are_a_pause() {
        assert_eq!(count(&mut DecodeFailures::new(), &[100, 130]), None, "two are not");
        assert_eq!(
            count(&mut DecodeFailures::new(), &[100, 130, 160]),
            Some(220),
            "just within it"
        );
        assert_eq!(count(&mut DecodeFailures::new(), &[100, 130, 161]), None, "just not");
        assert_eq!(count(&mut DecodeFailures::new(), &[100, 130, 161, 190]), Some(250));
    }

    #[test]
    fn what_comes_meanwhile_does_not_prolong_a_pause_and_what_comes_after_it_counts_anew() {
        let mut poison = DecodeFailures::new();
        assert_eq!(count(&mut poison, &[100, 100, 100]), Some(160));
        assert_eq!(count(&mut poison, &[120, 140, 159]), Some(160));
        assert_eq!(count(&mut poison, &[160, 160]), Some(160), "those before are forgotten");
        assert_eq!(count(&mut poison, &[160]), Some(220));
    }
}
