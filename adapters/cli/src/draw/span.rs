//! Spans of time for people.

use std::time::Duration;

/// `340 us`, `12 ms`, `8.2 s`, `3:12 min`, `26:03 h`: three digits or so, cut and not rounded.
pub(crate) fn span(span: Duration) -> String {
    let (seconds, micros) = (span.as_secs(), span.as_micros());
    match (seconds, micros) {
        (0, 0..1_000) => format!("{micros} us"),
        (0, _) => format!("{} ms", span.as_millis()),
        (1..10, _) => format!("{seconds}.{} s", span.subsec_millis() / 100),
        (10..120, _) => format!("{seconds} s"),
        (120..3_600, _) => format!("{}:{:02} min", seconds / 60, seconds % 60),
        _ => format!("{}:{:02} h", seconds / 3_600, seconds / 60 % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_short_and_never_rounded_up() {
        for (micros, text) in [
            (0, "0 us"),
            (999, "999 us"),
            (999_999, "999 ms"),
            (1_990_000, "1.9 s"),
            (119_999_999, "119 s"),
            (192_000_000, "3:12 min"),
            (93_780_000_000, "26:03 h"),
        ] {
            assert_eq!(span(Duration::from_micros(micros)), text);
        }
    }
}
