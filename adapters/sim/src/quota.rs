//! The rate limiter of the public pool.

use std::time::Duration;

use kucoin_futures_proto::Instant;

/// So much weight per window, counted from the first request.
const WINDOW: Duration = Duration::from_secs(30);
/// Weight per address.
pub(crate) const QUOTA: u32 = 2000;

/// What an address has used.
#[derive(Debug, Default)]
pub(crate) struct Quota {
    since: Option<Instant>,
    used: u32,
}

impl Quota {
    /// Takes `weight` and says what is left and when the window ends; `Err` if it is used up.
    pub(crate) fn take(&mut self, now: Instant, weight: u32) -> (bool, u32, Duration) {
        let since = self.since.filter(|since| *since + WINDOW > now).unwrap_or_else(|| {
            self.used = 0;
            now
        });
        self.since = Some(since);
        let fits = self.used + weight <= QUOTA;
        if fits {
            self.used += weight;
        }
        (fits, QUOTA - self.used, (since + WINDOW).since(now))
    }
}
