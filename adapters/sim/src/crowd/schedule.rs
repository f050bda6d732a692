//! When clients try again.

use std::time::Duration;

use kucoin_futures_proto::SplitMix64;

/// When a client that has lost its line tries again: this project's core, or as others are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Schedule {
    /// The real core with its defaults.
    Core,
    /// After 5 s, each time.
    Fixed,
    /// At once.
    Immediate,
    /// After 1, 2, 4 .. 60 s.
    Exponential,
    /// The same, each up to a tenth shorter or longer.
    Tenth,
    /// After a time drawn evenly from zero to 1, 2, 4 .. 60 s.
    FullJitter,
}

const FIXED: Duration = Duration::from_secs(5);
const FIRST: Duration = Duration::from_secs(1);
const LAST: Duration = Duration::from_secs(60);

impl Schedule {
    /// All of them, the core first.
    pub const ALL: &[Self] = &[
        Self::Core,
        Self::Fixed,
        Self::Immediate,
        Self::Exponential,
        Self::Tenth,
        Self::FullJitter,
    ];

    /// Its name in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Core => "core",
            Self::Fixed => "fixed",
            Self::Immediate => "immediate",
            Self::Exponential => "exponential",
            Self::Tenth => "exponential-10",
            Self::FullJitter => "full-jitter",
        }
    }

    /// The same in words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Core => "this core",
            Self::Fixed => "5 s, always",
            Self::Immediate => "at once",
            Self::Exponential => "1, 2, 4 .. 60 s",
            Self::Tenth => "1, 2, 4 .. 60 s, +-10 %",
            Self::FullJitter => "full jitter up to 60 s",
        }
    }

    /// The wait after so many failures in a row, the present one not counted. The core waits by itself.
    pub(super) fn wait(self, failures: u32, rng: &mut SplitMix64) -> Duration {
        let bound = FIRST.saturating_mul(2_u32.saturating_pow(failures)).min(LAST);
        match self {
            Self::Core | Self::Immediate => Duration::ZERO,
            Self::Fixed => FIXED,
            Self::Exponential => bound,
            Self::Tenth => bound - bound / 10 + rng.up_to(bound / 5),
            Self::FullJitter => rng.up_to(bound),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_what_they_are_called() {
        let mut rng = SplitMix64::new(1);
        let seconds = |schedule: Schedule, rng: &mut SplitMix64| {
            [0, 1, 5, 6, 40].map(|failures| schedule.wait(failures, rng).as_secs_f64())
        };
        assert!(seconds(Schedule::Exponential, &mut rng) == [1.0, 2.0, 32.0, 60.0, 60.0]);
        assert!(seconds(Schedule::Fixed, &mut rng) == [5.0; 5]);
        assert!(seconds(Schedule::Immediate, &mut rng) == [0.0; 5]);
        let waits = |schedule: Schedule, rng: &mut SplitMix64| {
            let mut waits: Vec<_> =
                (0..2000).map(|_| schedule.wait(9, rng).as_secs_f64()).collect();
            waits.sort_by(f64::total_cmp);
            (waits[0], waits[1000], waits[1999])
        };
        let (least, median, most) = waits(Schedule::Tenth, &mut rng);
        assert!((54.0..54.2).contains(&least) && (65.8..=66.0).contains(&most));
        assert!((59.0..61.0).contains(&median));
        let (least, median, most) = waits(Schedule::FullJitter, &mut rng);
        assert!(least < 0.2 && (28.0..32.0).contains(&median) && (59.8..=60.0).contains(&most));
    }
}
