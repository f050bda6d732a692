//! Texts that are like another one but for a piece. The core's own tests include this file, too, and
//! have no prelude of std.

use std::string::String;

/// The text with `to` in the place of `from`.
///
/// # Panics
/// `from` does not stand there just once: the test would not say what it seems to say.
#[track_caller]
pub(crate) fn edited(text: &str, from: &str, to: &str) -> String {
    edited_times(1, text, from, to)
}

/// The text with `to` in the place of each `from`.
///
/// # Panics
/// `from` does not stand there so many times.
#[track_caller]
pub(crate) fn edited_times(times: usize, text: &str, from: &str, to: &str) -> String {
    assert_eq!(text.matches(from).count(), times, "{from:?} in {text}");
    text.replace(from, to)
}
