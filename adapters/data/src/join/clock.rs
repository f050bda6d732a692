//! The exchange's time, from what it said last.

use std::time::Duration;

use kucoin_futures_proto::{Instant, UnixNanos};

/// A lower bound of the exchange's clock: what it said was said some time before it was heard.
#[derive(Clone, Copy, Debug)]
pub(super) struct ExchangeClock {
    heard: Instant,
    time: UnixNanos,
}

impl ExchangeClock {
    pub(super) const fn new(heard: Instant, time: UnixNanos) -> Self {
        Self { heard, time }
    }

    pub(super) fn time(self, now: Instant) -> UnixNanos {
        self.time.saturating_add(now.since(self.heard))
    }

    pub(super) fn age(self, now: Instant) -> Duration {
        now.since(self.heard)
    }

    /// When it will be known to have come to a time, and when it will be so old.
    pub(super) fn when(self, time: UnixNanos, or_age: Duration) -> Instant {
        let away = time.as_nanos().saturating_sub(self.time.as_nanos());
        (self.heard + Duration::from_nanos(away)).min(self.heard + or_age)
    }
}

/// Arithmetic that stops at the ends of the range.
pub(super) trait Saturating {
    fn saturating_add(self, span: Duration) -> Self;
    fn saturating_sub(self, span: Duration) -> Self;
}

impl Saturating for UnixNanos {
    fn saturating_add(self, span: Duration) -> Self {
        Self::from_nanos(self.as_nanos().saturating_add(nanos(span)))
    }

    fn saturating_sub(self, span: Duration) -> Self {
        Self::from_nanos(self.as_nanos().saturating_sub(nanos(span)))
    }
}

/// At most 584 years.
pub(super) fn nanos(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}
