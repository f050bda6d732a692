//! The time that a disk is waited for. What a client does never depends on it: its times are those that it was told.

#![allow(clippy::disallowed_methods, reason = "a thread that writes keeps its own time")]

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use kucoin_futures_proto::UnixNanos;

/// Monotonic.
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// The system's wall clock.
pub(crate) fn unix_now() -> UnixNanos {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UnixNanos::from_nanos(u64::try_from(since.as_nanos()).unwrap_or(u64::MAX))
}
