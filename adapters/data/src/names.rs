//! The names of files.

use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

/// How the files of recordings end.
pub(crate) const EXTENSION: &str = "kcr";

/// `20261130T131807.123Z` of milliseconds since 1970, in UTC; in the order of names is in the order of time.
pub(crate) fn session_name(millis: u64) -> String {
    let time = UNIX_EPOCH + Duration::from_millis(millis);
    humantime::format_rfc3339_millis(time).to_string().replace(['-', ':'], "")
}

/// `SESSION.SEGMENT.kcr`; in the order of names is in the order of time.
pub(crate) fn segment_name(session: &str, segment: u32) -> String {
    format!("{session}.{segment:06}.{EXTENSION}")
}

/// Whether a file is named like a segment.
pub(crate) fn is_segment(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == EXTENSION)
}

#[cfg(test)]
mod tests {
    use super::session_name;

    #[test]
    fn sessions_are_named_after_the_time() {
        for (millis, text) in [
            (0, "19700101T000000.000Z"),
            (951_825_600_001, "20000229T120000.001Z"),
            (1_796_044_687_123, "20261130T131807.123Z"),
            (u64::MAX / 1_000_000, "25540721T233433.709Z"),
        ] {
            assert_eq!(session_name(millis), text);
        }
    }
}
