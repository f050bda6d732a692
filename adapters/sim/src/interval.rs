//! The lengths of candles, by the names that the stream and REST have for them.

/// How long a candle lasts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[allow(missing_docs, reason = "the names say it")]
#[non_exhaustive]
pub enum Interval {
    Min1,
    Min3,
    Min5,
    Min15,
    Min30,
    Hour1,
    Hour2,
    Hour4,
    Hour8,
    Hour12,
    Day1,
    Week1,
    /// Thirty days: REST calls it 43200 minutes.
    Month1,
}

/// The epoch was a Thursday; weeks begin on Mondays, so the first one began in 1970 on the 5th.
const FIRST_MONDAY: u64 = 4 * 1440;

impl Interval {
    /// All of them, shortest first.
    pub const ALL: [Self; 13] = [
        Self::Min1,
        Self::Min3,
        Self::Min5,
        Self::Min15,
        Self::Min30,
        Self::Hour1,
        Self::Hour2,
        Self::Hour4,
        Self::Hour8,
        Self::Hour12,
        Self::Day1,
        Self::Week1,
        Self::Month1,
    ];

    /// The interval that a topic names, such as `15min` or `1week`.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|interval| interval.name() == name)
    }

    /// The interval of so many minutes: 1, 3, 5, 15, 30, 60, 120, 240, 480, 720, 1440, 10080, 43200.
    #[must_use]
    pub fn of_minutes(minutes: u64) -> Option<Self> {
        Self::ALL.into_iter().find(|interval| interval.minutes() == minutes)
    }

    /// Name in a topic, and minutes, by which `kline/query` names it.
    const fn row(self) -> (&'static str, u64) {
        match self {
            Self::Min1 => ("1min", 1),
            Self::Min3 => ("3min", 3),
            Self::Min5 => ("5min", 5),
            Self::Min15 => ("15min", 15),
            Self::Min30 => ("30min", 30),
            Self::Hour1 => ("1hour", 60),
            Self::Hour2 => ("2hour", 120),
            Self::Hour4 => ("4hour", 240),
            Self::Hour8 => ("8hour", 480),
            Self::Hour12 => ("12hour", 720),
            Self::Day1 => ("1day", 1440),
            Self::Week1 => ("1week", 10_080),
            Self::Month1 => ("1month", 43_200),
        }
    }

    /// Its name in a topic.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.row().0
    }

    /// How many minutes it lasts.
    #[must_use]
    pub const fn minutes(self) -> u64 {
        self.row().1
    }

    /// The minute since the epoch in which the candle began that holds this minute.
    #[must_use]
    pub const fn start_of(self, minute: u64) -> u64 {
        let offset = if let Self::Week1 = self { FIRST_MONDAY } else { 0 };
        minute - minute.saturating_sub(offset) % self.minutes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_minutes_are_unique() {
        for interval in Interval::ALL {
            assert_eq!(Interval::named(interval.name()), Some(interval));
            assert_eq!(Interval::of_minutes(interval.minutes()), Some(interval));
        }
        assert_eq!((Interval::named("2min"), Interval::of_minutes(2)), (None, None));
    }

    #[test]
    fn weeks_begin_on_mondays() {
        // 2026-09-22, a Tuesday, 00:07.
        let tuesday = 20_718 * 1440 + 7;
        assert_eq!(Interval::Week1.start_of(tuesday), 20_717 * 1440);
        assert_eq!(Interval::Day1.start_of(tuesday), 20_718 * 1440);
    }
}
