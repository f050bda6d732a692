//! The only place that reads a clock.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use kucoin_futures_proto::{Instant, UnixNanos};

/// A monotonic clock that counts the time the machine was asleep, from when it was made.
///
/// Rust's own does not on Linux: after a night in a bag, every deadline would look fresh and a dead
/// connection alive.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    start: u64,
    slept: Option<Sleep>,
}

/// Lets a clock believe that the machine slept: for tests.
#[derive(Clone, Copy, Debug)]
pub struct Sleep(&'static AtomicU64);

impl Sleep {
    /// The clock is further on by this much from now on, and nothing else is.
    pub fn pass(&self, time: Duration) {
        let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        self.0.fetch_add(nanos, Ordering::Relaxed);
    }
}

impl Clock {
    /// A clock that starts at zero now.
    #[must_use]
    pub fn new() -> Self {
        Self { start: nanos(), slept: None }
    }

    /// A clock whose machine can be put to sleep: for tests. Each call leaks eight bytes.
    #[must_use]
    pub fn sleepy() -> (Self, Sleep) {
        let sleep = Sleep(Box::leak(Box::default()));
        (Self { slept: Some(sleep), ..Self::new() }, sleep)
    }

    /// Time since the clock was made.
    #[must_use]
    pub fn now(&self) -> Instant {
        Instant::from_nanos(nanos().saturating_sub(self.start).saturating_add(self.slept()))
    }

    /// Another number whenever the system's tick has moved on, or the machine slept in a test.
    #[inline]
    fn tick(&self) -> Option<u64> {
        coarse_nanos().map(|nanos| nanos.wrapping_add(self.slept()))
    }

    #[inline]
    fn slept(&self) -> u64 {
        self.slept.map_or(0, |sleep| sleep.0.load(Ordering::Relaxed))
    }
}

/// A clock for those who need the time for every message: read once, it is good for as long as the
/// system's tick, a few milliseconds, because a look at the tick costs a quarter of one at the clock.
#[derive(Clone, Copy, Debug)]
pub struct CachedClock {
    clock: Clock,
    now: Instant,
    /// When `now` was read; `None`: the system has no tick to look at.
    tick: Option<u64>,
}

impl CachedClock {
    /// Looks at the clock.
    #[must_use]
    pub fn new(clock: Clock) -> Self {
        Self { clock, now: clock.now(), tick: clock.tick() }
    }

    /// The clock.
    #[must_use]
    pub const fn clock(&self) -> Clock {
        self.clock
    }

    /// The time, to the nanosecond.
    pub fn now(&mut self) -> Instant {
        // In this order: a tick in between makes the next look a real one.
        self.tick = self.clock.tick();
        self.now = self.clock.now();
        self.now
    }

    /// The time at the last look, which is not more than a tick ago. Never before what [`CachedClock::now`]
    /// has said.
    #[inline]
    pub fn recent(&mut self) -> Instant {
        if self.tick.is_some() && self.tick == self.clock.tick() { self.now } else { self.now() }
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::new()
    }
}

/// The wall clock: for signatures, and for nothing that decides behaviour.
#[must_use]
pub fn unix_now() -> UnixNanos {
    #[allow(clippy::disallowed_methods, reason = "this is the host's wall clock")]
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UnixNanos::from_nanos(u64::try_from(since.as_nanos()).unwrap_or(u64::MAX))
}

/// The time that processors have spent on the calling thread, in user and in kernel mode: for
/// measurements. `None` where the system does not say.
#[must_use]
pub fn thread_time() -> Option<Duration> {
    #[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
    {
        use rustix::time::{ClockId, clock_gettime};
        let time = clock_gettime(ClockId::ThreadCPUTime);
        let (seconds, nanos) = (u64::try_from(time.tv_sec), u32::try_from(time.tv_nsec));
        Some(Duration::new(seconds.ok()?, nanos.ok()?))
    }
    #[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
    None
}

/// Linux: `CLOCK_BOOTTIME`. On Apple's systems `CLOCK_MONOTONIC` goes on during sleep.
#[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
fn nanos() -> u64 {
    use rustix::time::{ClockId, clock_gettime};
    #[cfg(target_vendor = "apple")]
    const CLOCK: ClockId = ClockId::Monotonic;
    #[cfg(not(target_vendor = "apple"))]
    const CLOCK: ClockId = ClockId::Boottime;
    let time = clock_gettime(CLOCK);
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    let nanos = u64::try_from(time.tv_nsec).unwrap_or(0);
    seconds.saturating_mul(1_000_000_000).saturating_add(nanos)
}

/// Does not count sleep, and need not: it goes on at the first tick after it.
#[cfg(any(target_os = "linux", target_os = "android"))]
#[inline]
fn coarse_nanos() -> Option<u64> {
    use rustix::time::{ClockId, clock_gettime};
    let time = clock_gettime(ClockId::MonotonicCoarse);
    let (seconds, nanos) = (u64::try_from(time.tv_sec), u64::try_from(time.tv_nsec));
    Some(seconds.ok()?.wrapping_mul(1_000_000_000).wrapping_add(nanos.ok()?))
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
const fn coarse_nanos() -> Option<u64> {
    None
}

/// Windows' performance counter goes on during sleep; elsewhere this is the best there is.
#[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
fn nanos() -> u64 {
    use std::sync::LazyLock;
    #[allow(clippy::disallowed_methods, reason = "this is the host's clock")]
    static START: LazyLock<std::time::Instant> = LazyLock::new(std::time::Instant::now);
    u64::try_from(START.elapsed().as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_goes_forwards_from_zero() {
        let clock = Clock::new();
        let (a, b) = (clock.now(), clock.now());
        assert!(a <= b && b.as_nanos() < 60_000_000_000);
    }

    #[test]
    fn a_cached_clock_is_never_far_behind_and_never_goes_back() {
        let (clock, sleep) = Clock::sleepy();
        let mut cached = CachedClock::new(clock);
        let mut last = cached.now();
        for _ in 0..100_000 {
            let (recent, now) = (cached.recent(), clock.now());
            assert!(recent >= last && now.since(recent) < Duration::from_secs(1));
            last = recent;
        }
        sleep.pass(Duration::from_secs(3600));
        assert!(cached.recent().since(last) >= Duration::from_secs(3600));
    }
}
