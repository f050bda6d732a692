//! How the time of a recording passes: faster, slower, not at all, or as fast as it goes.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use kucoin_futures_proto::{Instant, UnixNanos};

/// How fast a recording is replayed: 0.001 to 1000 times as fast as it was recorded, or as fast as it goes.
///
/// ```
/// use kucoin_futures_data::serve::Speed;
/// assert_eq!("2.5".parse::<Speed>()?.to_string(), "2.5");
/// assert_eq!("10x".parse::<Speed>()?, Speed::times(10).unwrap());
/// assert_eq!("max".parse::<Speed>()?, Speed::MAX);
/// assert!("0".parse::<Speed>().is_err());
/// # Ok::<(), kucoin_futures_data::serve::SpeedError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Speed(Option<Thousandths>);

type Thousandths = u32;

const LARGEST: Thousandths = 1_000_000;

/// No speed: neither `max` nor a number from 0.001 to 1000 with at most three decimals.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("a speed is `max`, or a number from 0.001 to 1000 with at most three decimals")]
#[non_exhaustive]
pub struct SpeedError;

impl Speed {
    /// As fast as it goes, and as the slowest client reads.
    pub const MAX: Self = Self(None);
    /// As it was recorded.
    pub const REAL: Self = Self(Some(1_000));

    /// So many times as fast; `None` if that is not 1 to 1000.
    #[must_use]
    pub fn times(times: u32) -> Option<Self> {
        Self::of(times.checked_mul(1_000)?)
    }

    /// How long it takes to replay so much of a recording.
    #[must_use]
    pub fn takes(self, span: Duration) -> Duration {
        let nanos = self.0.map_or(0, |thousandths| scaled(span, 1_000, thousandths));
        Duration::from_nanos(nanos)
    }

    fn of(thousandths: Thousandths) -> Option<Self> {
        (1..=LARGEST).contains(&thousandths).then_some(Self(Some(thousandths)))
    }
}

impl Default for Speed {
    fn default() -> Self {
        Self::REAL
    }
}

impl FromStr for Speed {
    type Err = SpeedError;

    fn from_str(text: &str) -> Result<Self, SpeedError> {
        if text == "max" {
            return Ok(Self::MAX);
        }
        let text = text.strip_suffix('x').unwrap_or(text);
        let (whole, part) = text.split_once('.').unwrap_or((text, ""));
        let is_plain = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
        if part.len() > 3 || !is_plain(whole) || !is_plain(part) {
            return Err(SpeedError);
        }
        let thousandths = format!("{whole}{part:0<3}").parse().map_err(|_| SpeedError)?;
        Self::of(thousandths).ok_or(SpeedError)
    }
}

impl fmt::Display for Speed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(thousandths) = self.0 else { return f.pad("max") };
        let text = format!("{}.{:03}", thousandths / 1_000, thousandths % 1_000);
        f.pad(text.trim_end_matches('0').trim_end_matches('.'))
    }
}

/// The clock of a replay: what time it is in the recording, and when a moment of it comes. Pure.
#[derive(Clone, Copy, Debug)]
pub(super) struct ReplayClock {
    speed: Speed,
    is_paused: bool,
    /// Since when it runs as it does now, and from where.
    since: Instant,
    from: UnixNanos,
}

impl ReplayClock {
    pub(super) const fn new(now: Instant, from: UnixNanos, speed: Speed, is_paused: bool) -> Self {
        Self { speed, is_paused, since: now, from }
    }

    pub(super) const fn speed(&self) -> Speed {
        self.speed
    }

    pub(super) const fn is_paused(&self) -> bool {
        self.is_paused
    }

    pub(super) fn is_unbounded(&self) -> bool {
        self.speed == Speed::MAX && !self.is_paused
    }

    /// What time it is in the recording; `None`: as late as it has come.
    pub(super) fn at(&self, now: Instant) -> Option<UnixNanos> {
        if self.is_paused {
            return Some(self.from);
        }
        let passed = scaled(now.since(self.since), self.speed.0?, 1_000);
        Some(UnixNanos::from_nanos(self.from.as_nanos().saturating_add(passed)))
    }

    /// When a moment of the recording comes; `None`: not while it is paused.
    pub(super) fn due(&self, moment: UnixNanos) -> Option<Instant> {
        if self.is_paused {
            return None;
        }
        let Some(thousandths) = self.speed.0 else { return Some(self.since) };
        let ahead = Duration::from_nanos(moment.as_nanos().saturating_sub(self.from.as_nanos()));
        // Rounded up: it is not due before.
        let wait = scaled(ahead, 1_000, thousandths).saturating_add(1);
        Some(self.since + Duration::from_nanos(wait))
    }

    /// Goes on from here, as before. `at`: where it has come to.
    pub(super) const fn restart(&mut self, now: Instant, at: UnixNanos) {
        self.since = now;
        self.from = at;
    }

    pub(super) const fn set_speed(&mut self, now: Instant, at: UnixNanos, speed: Speed) {
        self.restart(now, at);
        self.speed = speed;
    }

    pub(super) const fn set_paused(&mut self, now: Instant, at: UnixNanos, is_paused: bool) {
        self.restart(now, at);
        self.is_paused = is_paused;
    }
}

/// A duration times a ratio, in nanoseconds.
fn scaled(span: Duration, times: u32, by: u32) -> u64 {
    let nanos = span.as_nanos().saturating_mul(times.into()) / u128::from(by.max(1));
    u64::try_from(nanos).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: u64 = 1_000_000_000;

    fn wall(seconds: u64) -> Instant {
        Instant::from_nanos(seconds * S)
    }

    const fn unix(seconds: u64) -> UnixNanos {
        UnixNanos::from_nanos(seconds * S)
    }

    #[test]
    fn speeds_go_there_and_back() {
        for text in ["0.001", "0.1", "1", "2.5", "10", "99.999", "1000", "max"] {
            assert_eq!(text.parse::<Speed>().unwrap().to_string(), text);
        }
        for text in ["", "x", "0", "0.000", "-1", "+1", "1e3", "1000.001", "1001", "0.0001", "Max"]
        {
            assert_eq!(text.parse::<Speed>(), Err(SpeedError), "{text}");
        }
    }

    #[test]
    fn moments_come_when_the_clock_says_that_they_have() {
        for speed in ["0.1", "1", "7.3", "100"] {
            let clock = ReplayClock::new(wall(50), unix(1_000), speed.parse().unwrap(), false);
            for moment in [unix(1_000), unix(1_001), UnixNanos::from_nanos(1_234_567_890_123)] {
                let due = clock.due(moment).unwrap();
                assert!(clock.at(due).unwrap() >= moment, "{speed}: not before");
                let early = Instant::from_nanos(due.as_nanos() - 30);
                assert!(clock.at(early).unwrap() <= moment, "{speed}: not long after");
            }
        }
    }

    #[test]
    fn a_change_of_pace_begins_where_the_clock_is() {
        let mut clock = ReplayClock::new(wall(0), unix(100), Speed::REAL, false);
        assert_eq!(clock.at(wall(5)), Some(unix(105)));
        clock.set_speed(wall(5), unix(105), Speed::times(10).unwrap());
        assert_eq!(clock.at(wall(7)), Some(unix(125)));
        clock.set_paused(wall(7), unix(125), true);
        assert_eq!((clock.at(wall(99)), clock.due(unix(126))), (Some(unix(125)), None));
        clock.set_paused(wall(99), unix(125), false);
        assert_eq!(clock.at(wall(100)), Some(unix(135)));
        clock.set_speed(wall(100), unix(135), Speed::MAX);
        assert_eq!((clock.at(wall(101)), clock.due(unix(999))), (None, Some(wall(100))));
    }
}
