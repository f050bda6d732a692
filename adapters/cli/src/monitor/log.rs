//! What was said last.

use std::collections::VecDeque;

use super::Moment;

/// Something that was said.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct LogRow {
    pub(crate) when: Moment,
    /// A contract, `line 2`, `account`.
    pub(crate) who: String,
    pub(crate) text: String,
    pub(crate) mood: Mood,
}

/// What kind of news it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Mood {
    Good,
    Bad,
    /// Broken on purpose.
    Fault,
    Plain,
}

/// Puts a row behind the others; the oldest goes if there are more than `most` then.
pub(crate) fn keep<T>(rows: &mut VecDeque<T>, row: T, most: usize) {
    while rows.len() >= most.max(1) {
        rows.pop_front();
    }
    rows.push_back(row);
}
