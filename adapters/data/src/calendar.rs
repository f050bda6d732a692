//! Times as names of files.

/// `20261130T131807.123Z` of milliseconds since 1970, in UTC. Sorts by time until the year 9999.
pub(crate) fn stamp(millis: u64) -> String {
    let (seconds, millis) = (millis / 1_000, millis % 1_000);
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = date(days);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}.{millis:03}Z")
}

/// Year, month and day of a day since 1970. Years that begin in March end with the day that leap years add.
pub(crate) const fn date(days: u64) -> (u64, u64, u64) {
    // From the first of March of the year zero, in cycles of 400 years.
    let days = days + 719_468;
    let (cycle, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = cycle * 400 + year;
    (if month <= 2 { year + 1 } else { year }, month, day)
}

#[cfg(test)]
mod tests {
    use super::stamp;

    #[test]
    fn times_are_those_of_the_calendar() {
        for (millis, text) in [
            (0, "19700101T000000.000Z"),
            (951_825_600_001, "20000229T120000.001Z"),
            (1_796_044_687_123, "20261130T131807.123Z"),
            (4_133_980_799_999, "21001231T235959.999Z"),
        ] {
            assert_eq!(stamp(millis), text);
        }
    }
}
