//! By whose clock requests are signed: the adapter's, until the exchange finds it wrong.

use core::time::Duration;

use crate::rest_request::Sign;
use crate::time::{Instant, UnixNanos};

/// The exchange refuses what is signed more than 5 s off its own clock, with 400002. Its clock is then asked
/// for, and held against ours.
#[derive(Clone, Debug)]
pub(crate) struct ServerClock {
    /// What its clock showed, and when by ours.
    known: Option<(UnixNanos, Instant)>,
}

/// The code for a time that is too far off.
pub(crate) const TIME_IS_OFF: u32 = 400_002;

impl ServerClock {
    /// Nothing was found wrong yet.
    pub(crate) const fn new() -> Self {
        Self { known: None }
    }

    /// By what time to sign.
    pub(crate) fn sign(&self, now: Instant) -> Sign {
        match self.known {
            None => Sign::WallClock,
            Some((server, at)) => {
                let passed = u64::try_from(now.since(at).as_millis()).unwrap_or(u64::MAX);
                Sign::At { unix_ms: server.as_millis().saturating_add(passed) }
            }
        }
    }

    /// Takes in what the exchange said, between the question and the answer: it looked at its clock about half
    /// way.
    pub(crate) fn learn(&mut self, server: UnixNanos, asked: Instant, now: Instant) {
        let way: Duration = now.since(asked) / 2;
        self.known = Some((server, asked + way));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exchanges_clock_goes_on_with_ours() {
        let at = |ms: u64| Instant::ZERO + Duration::from_millis(ms);
        let mut clock = ServerClock::new();
        assert_eq!(clock.sign(at(1)), Sign::WallClock);
        let server = UnixNanos::from_millis(1_790_000_000_000).unwrap();
        clock.learn(server, at(1_000), at(1_400));
        assert_eq!(clock.sign(at(1_200)), Sign::At { unix_ms: 1_790_000_000_000 });
        assert_eq!(clock.sign(at(61_200)), Sign::At { unix_ms: 1_790_000_060_000 });
        assert_eq!(clock.sign(at(0)), Sign::At { unix_ms: 1_790_000_000_000 }, "not before");
    }
}
