//! Pings on schedule, whatever the traffic, and a deadline for each pong.
//!
//! The server counts *our* frames: incoming data does not keep a connection alive, and a client
//! that pings only when it is idle is cut off by a busy feed.

use core::time::Duration;

use crate::config::Config;
use crate::num::Decimal;
use crate::time::Instant;

/// A deadline found this late is put off once, so that bytes already in the socket can answer.
const GRACE: Duration = Duration::from_secs(1);

/// Bounds for what the token response says: absurd values must neither spin nor sleep for ever.
const SHORTEST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(60);

/// The timing that a token response asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct PingTiming {
    pub(crate) interval: Duration,
    pub(crate) timeout: Duration,
}

impl PingTiming {
    /// Takes the response's milliseconds where they are numbers, cut to 1 to 60 s.
    pub(crate) fn new(
        interval_ms: Option<Decimal>,
        timeout_ms: Option<Decimal>,
        config: &Config,
    ) -> Self {
        let clamp = |ms: Option<Decimal>, default: Duration| {
            ms.map_or(default, to_duration).clamp(SHORTEST, LONGEST)
        };
        Self {
            interval: clamp(interval_ms, config.timeouts.ping_interval),
            timeout: clamp(timeout_ms, config.timeouts.pong),
        }
    }
}

fn to_duration(ms: Decimal) -> Duration {
    if ms.is_negative() {
        return Duration::ZERO;
    }
    let nanos = ms.scaled(6).and_then(|nanos| u64::try_from(nanos).ok());
    // What is no whole number of nanoseconds is absurd as well: too long, or next to nothing.
    let absurd = if ms > Decimal::ZERO && ms.exponent() < 0 { 0 } else { u64::MAX };
    Duration::from_nanos(nanos.unwrap_or(absurd))
}

/// One connection's heartbeat.
#[derive(Clone, Debug)]
pub(crate) struct Keepalive {
    timing: PingTiming,
    /// Id of the ping that has not been answered, and whether its deadline was put off already.
    awaiting: Option<(u64, bool)>,
}

/// What a deadline calls for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum KeepaliveAction {
    /// Send a ping; the one after is due then.
    Ping { next: Instant },
    /// The last ping is still unanswered; look again then.
    Skip { next: Instant },
    /// Look again then: an answer may be waiting in the socket.
    Extend { until: Instant },
    /// The peer is gone.
    Dead,
    /// So late that the machine must have slept: the peer has given us up.
    Suspended,
}

impl Keepalive {
    pub(crate) const fn new(timing: PingTiming) -> Self {
        Self { timing, awaiting: None }
    }

    pub(crate) const fn timing(&self) -> PingTiming {
        self.timing
    }

    /// A ping that was due at `due` comes up at `now`.
    pub(crate) fn on_ping_due(&self, due: Instant, now: Instant) -> KeepaliveAction {
        if self.slept(due, now) {
            return KeepaliveAction::Suspended;
        }
        // Counted from when it was due, so that late calls do not add up.
        let mut next = due + self.timing.interval;
        if next <= now {
            next = now + self.timing.interval;
        }
        if self.awaiting.is_some() {
            KeepaliveAction::Skip { next }
        } else {
            KeepaliveAction::Ping { next }
        }
    }

    /// Whether a ping has not been answered yet.
    pub(crate) const fn is_awaiting(&self) -> bool {
        self.awaiting.is_some()
    }

    pub(crate) const fn on_ping_sent(&mut self, id: u64) {
        self.awaiting = Some((id, false));
    }

    /// Whether the pong answers our ping. Any other pong changes nothing.
    pub(crate) fn on_pong(&mut self, id: Option<u64>) -> bool {
        // planted: any-pong
        let ours = self.awaiting.is_some_and(|(awaited, _)| id == Some(awaited));
        if ours {
            self.awaiting = None;
        }
        ours
    }

    /// The deadline `due` of a pong comes up at `now`.
    pub(crate) fn on_pong_due(&mut self, due: Instant, now: Instant) -> KeepaliveAction {
        if self.slept(due, now) {
            return KeepaliveAction::Suspended;
        }
        match &mut self.awaiting {
            Some((_, put_off)) if now.since(due) > GRACE && !*put_off => {
                *put_off = true;
                KeepaliveAction::Extend { until: now + GRACE }
            }
            _ => KeepaliveAction::Dead,
        }
    }

    fn slept(&self, due: Instant, now: Instant) -> bool {
        now.since(due) > self.timing.timeout * 2
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEFAULT: PingTiming =
        PingTiming { interval: Duration::from_secs(18), timeout: Duration::from_secs(10) };

    fn at(seconds: u64) -> Instant {
        Instant::ZERO + Duration::from_secs(seconds)
    }

    fn millis(text: &str) -> Duration {
        PingTiming::new(Decimal::parse(text.as_bytes()), None, &Config::default()).interval
    }

    #[test]
    fn absurd_intervals_are_cut_and_absent_ones_replaced() {
        assert_eq!(millis("18000"), Duration::from_secs(18));
        assert_eq!(millis("1500.5"), Duration::from_micros(1_500_500));
        for low in ["0", "1", "-1", "1e-30"] {
            assert_eq!(millis(low), SHORTEST, "{low}");
        }
        for high in ["60001", "18446744073709551616", "1e100"] {
            assert_eq!(millis(high), LONGEST, "{high}");
        }
        assert_eq!(PingTiming::new(None, None, &Config::default()), DEFAULT);
    }

    #[test]
    fn pings_are_counted_from_when_they_were_due() {
        let keepalive = Keepalive::new(DEFAULT);
        let beat = keepalive.on_ping_due(at(18), at(19));
        assert_eq!(
            beat,
            KeepaliveAction::Ping { next: at(36) },
            "not 37: lateness does not add up"
        );
        assert_eq!(keepalive.on_ping_due(at(18), at(38)), KeepaliveAction::Ping { next: at(56) });
    }

    #[test]
    fn only_the_matching_pong_counts() {
        let mut keepalive = Keepalive::new(DEFAULT);
        keepalive.on_ping_sent(7);
        assert!(!keepalive.on_pong(Some(6)) && !keepalive.on_pong(None));
        assert_eq!(keepalive.on_ping_due(at(18), at(18)), KeepaliveAction::Skip { next: at(36) });
        assert!(keepalive.on_pong(Some(7)));
        assert!(!keepalive.on_pong(Some(7)), "a second pong answers nothing");
    }

    #[test]
    fn a_deadline_met_in_time_is_final_a_late_one_is_put_off_once() {
        let mut keepalive = Keepalive::new(DEFAULT);
        keepalive.on_ping_sent(1);
        assert_eq!(keepalive.clone().on_pong_due(at(28), at(29)), KeepaliveAction::Dead);
        assert_eq!(
            keepalive.on_pong_due(at(28), at(30)),
            KeepaliveAction::Extend { until: at(31) }
        );
        assert_eq!(keepalive.on_pong_due(at(31), at(33)), KeepaliveAction::Dead);
    }

    #[test]
    fn long_past_deadlines_mean_that_the_machine_slept() {
        let mut keepalive = Keepalive::new(DEFAULT);
        keepalive.on_ping_sent(1);
        assert_eq!(keepalive.on_pong_due(at(28), at(49)), KeepaliveAction::Suspended);
        assert_eq!(Keepalive::new(DEFAULT).on_ping_due(at(18), at(39)), KeepaliveAction::Suspended);
    }
}
