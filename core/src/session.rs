//! The life of one connection after another.
//!
//! ```text
//!  Idle --wanted--> Token --granted--> Opening --opened--> Greeting --welcome--> Ready
//!                    ^ ^                  |                   |                    |
//!                    | |                  +------ failed -----+------ failed ------+
//!                    | |                                      |
//!                    | +-- first 401 since the last welcome --+
//!                    |                                        v
//!                    +------------- wait over ------------ Waiting      (any) --close--> Closed
//!
//!  Token --login refused--> Idle
//! ```
//!
//! Every attempt begins with a fresh token: one that has been used, or has aged, is refused.

use core::time::Duration;

use crate::backoff::Backoff;
use crate::config::Config;
use crate::error::TransportError;
use crate::event::{DisconnectReason, RestError};
use crate::rng::SplitMix64;
use crate::time::Instant;
use crate::wire::ErrorKind;

/// Where a line stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Phase {
    /// Nothing is wanted of it yet.
    Idle,
    /// A token is asked for.
    Token,
    /// The adapter connects.
    Opening,
    /// Connected; nothing may be sent before the welcome.
    Greeting,
    /// Welcomed: in use.
    Ready,
    /// Backing off.
    Waiting,
    /// For good.
    Closed,
}

/// What moves a line from phase to phase.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Cause {
    Wanted,
    Granted,
    Opened,
    Welcomed,
    /// Failed, and the retry is a new token at once.
    Renew,
    Failed,
    WaitOver,
    /// The account cannot be used: nothing is wanted until somebody asks anew.
    LoginRefused,
    Close,
}

/// The whole table. Everything that changes the phase goes through it.
const fn next(phase: Phase, cause: Cause) -> Phase {
    use Phase::{Closed, Greeting, Idle, Opening, Ready, Token, Waiting};
    match (cause, phase) {
        (Cause::Close, _) | (_, Closed) => Closed,
        (Cause::Wanted, Idle) => Token,
        (Cause::Granted, Token) => Opening,
        (Cause::Opened, Opening) => Greeting,
        (Cause::Welcomed, Greeting) => Ready,
        (Cause::Renew, Opening | Greeting | Ready) => Token,
        (Cause::Failed, Token | Opening | Greeting | Ready) => Waiting,
        (Cause::WaitOver, Waiting) => Token,
        (Cause::LoginRefused, Token) => Idle,
        (_, same) => same,
    }
}

/// The phase, and what decides how a failure is answered.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    phase: Phase,
    backoff: Backoff,
    reset_after: Duration,
    ready_since: Option<Instant>,
    /// When the first of the failures in a row came.
    failing_since: Option<Instant>,
    /// A 401 has come since the last welcome: the next one is a failure like any other.
    refused_once: bool,
}

/// How a failure is answered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Retry {
    NewToken,
    Wait(Duration),
}

/// For no longer a line stays away while what it carried has one line left: closed one after the other each 10 s, both
/// would be away at once with waits that double. The budget of attempts, 20 a minute, holds all the same.
const LONGEST_ALONE: Duration = Duration::from_secs(4);

/// Bounds for how long a server may tell us to stay away.
const SHORTEST_STAY: Duration = Duration::from_secs(1);
const LONGEST_STAY: Duration = Duration::from_secs(300);

impl Session {
    pub(crate) const fn new(config: &Config) -> Self {
        Self {
            phase: Phase::Idle,
            backoff: Backoff::new(config.backoff.base, config.backoff.cap),
            reset_after: config.backoff.reset_after,
            ready_since: None,
            failing_since: None,
            refused_once: false,
        }
    }

    pub(crate) const fn phase(&self) -> Phase {
        self.phase
    }

    /// Since when it is in use.
    pub(crate) const fn ready_since(&self) -> Option<Instant> {
        self.ready_since
    }

    /// Failures in a row.
    pub(crate) const fn failures(&self) -> u32 {
        self.backoff.failures()
    }

    /// Moves along the table; says whether anything moved.
    pub(crate) fn on(&mut self, cause: Cause) -> bool {
        let before = self.phase;
        self.phase = next(before, cause);
        self.phase != before
    }

    pub(crate) fn on_welcome(&mut self, now: Instant) {
        self.on(Cause::Welcomed);
        self.refused_once = false;
        // planted: connect-forgives
        self.ready_since = Some(now);
    }

    /// The connection ended or was not to be had. `is_pressing`: what it carried has one line left.
    pub(crate) fn on_down(
        &mut self,
        now: Instant,
        rng: &mut SplitMix64,
        reason: DisconnectReason,
        is_pressing: bool,
    ) -> Retry {
        // A connect proves little; only time in use shows that the failures are over.
        let ready_for = self.ready_since.take().map_or(Duration::ZERO, |since| now.since(since));
        if ready_for >= self.reset_after {
            self.backoff.reset();
            self.failing_since = None;
        }
        // planted: endless-renewal
        if matches!(reason, DisconnectReason::Unauthorized { .. })
            && !core::mem::replace(&mut self.refused_once, true)
        {
            self.on(Cause::Renew);
            return Retry::NewToken;
        }
        self.on(Cause::Failed);
        Retry::Wait(match named_wait(reason) {
            Some(stay) => self.stay_away(rng, stay),
            None if is_pressing && !is_lasting(reason) => self.fail_within(now, rng, LONGEST_ALONE),
            None => self.fail(now, rng, is_lasting(reason)),
        })
    }

    /// Counts a failure and says how long to wait, at most.
    fn fail_within(&mut self, now: Instant, rng: &mut SplitMix64, most: Duration) -> Duration {
        let failing_for = now.since(*self.failing_since.get_or_insert(now));
        self.backoff.next_within(rng, failing_for.min(most))
    }

    /// A server that says how long to stay away works: that long is waited, with jitter on top, and it is no
    /// failure in the row.
    fn stay_away(&self, rng: &mut SplitMix64, stay: Duration) -> Duration {
        clamp_stay(stay).saturating_add(self.backoff.jitter(rng))
    }

    /// Counts a failure and says how long to wait.
    fn fail(&mut self, now: Instant, rng: &mut SplitMix64, is_lasting: bool) -> Duration {
        if is_lasting {
            self.failing_since.get_or_insert(now);
            self.backoff.next_long(rng)
        } else {
            self.fail_within(now, rng, Duration::MAX)
        }
    }

    /// There was no token.
    pub(crate) fn on_no_token(
        &mut self,
        now: Instant,
        rng: &mut SplitMix64,
        reason: RestError,
    ) -> Retry {
        self.on(Cause::Failed);
        Retry::Wait(match reason {
            // planted: named-wait-counts
            RestError::RateLimited { retry_after: Some(stay), .. } => self.stay_away(rng, stay),
            RestError::Lost(error) => self.fail(now, rng, error == TransportError::Tls),
            RestError::RateLimited { retry_after: None, .. }
            | RestError::Http { .. }
            | RestError::Api { .. }
            | RestError::Wire(_)
            | RestError::Closed => self.fail(now, rng, false),
        })
    }
}

/// What a server asks for, within reason.
pub(crate) fn clamp_stay(stay: Duration) -> Duration {
    stay.clamp(SHORTEST_STAY, LONGEST_STAY)
}

/// How long a refused upgrade asks to stay away.
const fn named_wait(reason: DisconnectReason) -> Option<Duration> {
    let DisconnectReason::Lost(TransportError::Upgrade { status, retry_after }) = reason else {
        return None;
    };
    if matches!(status, 403 | 429 | 503) { retry_after } else { None }
}

/// Failures that another quick attempt will not mend.
const fn is_lasting(reason: DisconnectReason) -> bool {
    matches!(
        reason,
        DisconnectReason::Lost(
            TransportError::Tls
                | TransportError::Closed { code: Some(1012 | 1013) }
                | TransportError::Upgrade { status: 403 | 429, .. }
        ) | DisconnectReason::Refused { kind: ErrorKind::Busy | ErrorKind::NotUnderstood, .. }
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session() -> Session {
        let mut session = Session::new(&Config::default());
        session.on(Cause::Wanted);
        session
    }

    fn welcome(session: &mut Session, now: Instant) {
        session.on(Cause::Granted);
        session.on(Cause::Opened);
        session.on_welcome(now);
        assert_eq!(session.phase(), Phase::Ready);
    }

    #[test]
    fn nothing_but_the_next_step_moves_a_phase() {
        let mut session = session();
        for cause in [Cause::Opened, Cause::Welcomed, Cause::WaitOver, Cause::Wanted] {
            assert!(!session.on(cause), "{cause:?} in Token");
        }
        assert!(session.on(Cause::Close));
        for cause in [Cause::Wanted, Cause::Granted, Cause::Failed, Cause::Renew] {
            assert!(!session.on(cause), "{cause:?} in Closed");
        }
    }

    #[test]
    fn only_the_first_refused_token_is_renewed_at_once() {
        let (mut session, mut rng) = (session(), SplitMix64::new(1));
        welcome(&mut session, Instant::ZERO);
        let unauthorized = DisconnectReason::Unauthorized { words: None };
        let now = Instant::from_nanos(1);
        assert_eq!(session.on_down(now, &mut rng, unauthorized, false), Retry::NewToken);
        session.on(Cause::Granted);
        assert!(matches!(session.on_down(now, &mut rng, unauthorized, false), Retry::Wait(_)));
    }

    #[test]
    fn connecting_does_not_reset_the_backoff_a_minute_ready_does() {
        let (mut session, mut rng) = (session(), SplitMix64::new(1));
        let mut now = Instant::ZERO;
        for failures in 1..4 {
            welcome(&mut session, now);
            now = now + Duration::from_secs(59);
            session.on_down(now, &mut rng, DisconnectReason::Lost(TransportError::Eof), false);
            assert_eq!(session.failures(), failures, "accepted and dropped");
            session.on(Cause::WaitOver);
        }
        welcome(&mut session, now);
        now = now + Duration::from_secs(60);
        session.on_down(now, &mut rng, DisconnectReason::Lost(TransportError::Eof), false);
        assert_eq!(session.failures(), 1);
    }

    #[test]
    fn a_wait_is_no_longer_than_the_trouble_has_lasted() {
        for seed in 0..200 {
            let (mut session, mut rng) = (session(), SplitMix64::new(seed));
            let (start, mut now) = (Instant::from_nanos(7), Instant::from_nanos(7));
            for _ in 0..12 {
                let reason = RestError::Http { status: 503, words: None };
                let Retry::Wait(delay) = session.on_no_token(now, &mut rng, reason) else {
                    panic!()
                };
                let lasted = now.since(start).max(Duration::from_secs(1));
                assert!(delay <= lasted, "{delay:?} after {lasted:?}");
                now = now + delay;
                session.on(Cause::WaitOver);
            }
            assert_eq!(session.failures(), 12);
        }
    }

    #[test]
    fn what_will_not_pass_quickly_is_waited_out_longer() {
        let refused = |kind| DisconnectReason::Refused { code: 1, kind, words: None };
        let lasting = [
            DisconnectReason::Lost(TransportError::Tls),
            DisconnectReason::Lost(TransportError::Closed { code: Some(1012) }),
            DisconnectReason::Lost(TransportError::Closed { code: Some(1013) }),
            DisconnectReason::Lost(TransportError::Upgrade { status: 403, retry_after: None }),
            DisconnectReason::Lost(TransportError::Upgrade { status: 429, retry_after: None }),
            refused(ErrorKind::Busy),
            refused(ErrorKind::NotUnderstood),
        ];
        let passing = [
            DisconnectReason::Lost(TransportError::Eof),
            DisconnectReason::Lost(TransportError::Closed { code: Some(1001) }),
            DisconnectReason::Lost(TransportError::Upgrade { status: 502, retry_after: None }),
            DisconnectReason::PongTimeout,
            refused(ErrorKind::PingTimeout),
        ];
        let failures = |reason| {
            let (mut session, mut rng) = (session(), SplitMix64::new(1));
            welcome(&mut session, Instant::ZERO);
            session.on_down(Instant::ZERO, &mut rng, reason, false);
            session.failures()
        };
        assert!(lasting.iter().all(|&reason| failures(reason) == 5), "as after four failures");
        assert!(passing.iter().all(|&reason| failures(reason) == 1));
    }

    #[test]
    fn what_a_refused_upgrade_asks_for_is_waited_out_and_is_no_failure() {
        let (mut session, mut rng) = (session(), SplitMix64::new(1));
        let waits = |seconds: u64| Duration::from_secs(seconds)..=Duration::from_secs(seconds + 1);
        for (status, stay, expected) in [(429, 7, 7), (503, 7, 7), (403, 0, 1), (503, 9999, 300)] {
            let retry_after = Some(Duration::from_secs(stay));
            let refused = DisconnectReason::Lost(TransportError::Upgrade { status, retry_after });
            let Retry::Wait(delay) = session.on_down(Instant::ZERO, &mut rng, refused, false)
            else {
                panic!("{status}")
            };
            assert!(waits(expected).contains(&delay), "{status}: {delay:?}");
            assert_eq!(session.failures(), 0);
            session.on(Cause::WaitOver);
        }
        // Whatever else it says, a 502 is a failure.
        let retry_after = Some(Duration::from_secs(7));
        let broken = DisconnectReason::Lost(TransportError::Upgrade { status: 502, retry_after });
        session.on_down(Instant::ZERO, &mut rng, broken, false);
        assert_eq!(session.failures(), 1);
    }

    #[test]
    fn what_a_429_asks_for_is_waited_out_with_jitter_and_is_no_failure() {
        for seed in 0..50 {
            let stay = Duration::from_millis(2500);
            let limited = |retry_after| RestError::RateLimited {
                retry_after,
                status: 429,
                code: None,
                words: None,
            };
            let (mut session, mut rng) = (session(), SplitMix64::new(seed));
            for _ in 0..10 {
                let Retry::Wait(delay) =
                    session.on_no_token(Instant::ZERO, &mut rng, limited(Some(stay)))
                else {
                    panic!()
                };
                assert!(delay > stay && delay <= stay + Duration::from_secs(1), "{delay:?}");
                assert_eq!(session.failures(), 0);
                session.on(Cause::WaitOver);
            }
            let unnamed = limited(None);
            let late = Instant::ZERO + Duration::from_secs(3600);
            let retry = session.on_no_token(late, &mut rng, unnamed);
            assert_eq!(session.failures(), 1, "a refusal that names no wait");
            let Retry::Wait(delay) = retry else { panic!() };
            assert!(
                delay <= Duration::from_secs(1),
                "the first failure, however long ago they came"
            );
        }
    }
}
