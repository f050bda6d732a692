//! Tells a repeat from a restart: what one line says about one topic's sequence.

use crate::ids::Sequence;

/// A step back this far is never a repeat (repeats come from a short-lived queue).
const RESTART_STEP: u64 = 1024;
/// So many repeats in a row, with nothing new between, are a restarted counter.
const RESTART_REPEATS: u8 = 3;

const RECENT: usize = RESTART_REPEATS as usize - 1;

/// The last sequence that one line has brought for one topic, and what the last messages said.
///
/// The exchange's counter may start lower after a maintenance. Whoever takes that for duplicates
/// freezes the book for good, or puts two different streams together.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Watch<T> {
    last: Option<Sequence>,
    repeats: u8,
    /// The newest messages, in a ring. A counter set back further than these reach brings enough
    /// repeats in a row to be told by their number.
    recent: [Option<(Sequence, T)>; RECENT],
    /// Where the newest one is.
    newest: usize,
}

/// What a frame's sequence means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Verdict {
    /// Higher than any before.
    New,
    /// Seen before.
    Repeat,
    /// Not higher than what was known of the topic when the line began, and the line itself has
    /// brought nothing higher yet: what it says must be compared with what was known.
    Before,
    /// The counter was restarted; everything known about it is void.
    Restarted,
}

impl<T: Copy + PartialEq> Watch<T> {
    /// Starts where the topic's known sequence stands: a new line is judged against the book.
    pub(crate) const fn starting_at(last: Option<Sequence>) -> Self {
        Self { last, repeats: 0, recent: [None; RECENT], newest: 0 }
    }

    /// Whether a repeat came last: it may be the first sign of a restart.
    pub(crate) const fn is_in_doubt(&self) -> bool {
        self.repeats > 0
    }

    /// What the newest message said.
    pub(crate) fn newest(&self) -> Option<T> {
        let (_, content) = self.recent.get(self.newest).copied()??;
        Some(content)
    }

    /// Whether this sequence follows the last one.
    #[inline]
    pub(crate) fn is_next(&self, sequence: Sequence) -> bool {
        self.last.and_then(Sequence::next) == Some(sequence)
    }

    /// Judges a message at `sequence` that says `content`.
    pub(crate) fn judge(&mut self, sequence: Sequence, content: T) -> Verdict {
        let Some(last) = self.last.filter(|&last| sequence <= last) else {
            self.accept(sequence, content);
            return Verdict::New;
        };
        self.repeats = self.repeats.saturating_add(1);
        let step_back = last.get().saturating_sub(sequence.get());
        // The same sequence with another content belongs to another run of the counter.
        let known = self.recent.iter().flatten().find(|(known, _)| *known == sequence);
        let differs = known.is_some_and(|(_, known)| *known != content);
        // planted: restart-unseen
        if step_back >= RESTART_STEP || self.repeats >= RESTART_REPEATS || differs {
            return self.restart(sequence, content);
        }
        // planted: first-words-are-repeats
        if self.newest().is_none() { Verdict::Before } else { Verdict::Repeat }
    }

    /// Starts anew with this message.
    pub(crate) fn restart(&mut self, sequence: Sequence, content: T) -> Verdict {
        *self = Self::starting_at(None);
        self.accept(sequence, content);
        Verdict::Restarted
    }

    /// Takes a message that is new.
    #[inline]
    pub(crate) fn accept(&mut self, sequence: Sequence, content: T) {
        self.last = Some(sequence);
        self.repeats = 0;
        self.newest = self.newest.wrapping_add(1) % RECENT;
        if let Some(newest) = self.recent.get_mut(self.newest) {
            *newest = Some((sequence, content));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(watch: &mut Watch<u64>, sequence: u64) -> Verdict {
        watch.judge(Sequence::new(sequence), sequence)
    }

    #[test]
    fn a_few_repeats_are_repeats() {
        let mut watch = Watch::starting_at(None);
        assert_eq!(judge(&mut watch, 10_000), Verdict::New);
        assert_eq!(judge(&mut watch, 10_000), Verdict::Repeat);
        assert!(watch.is_in_doubt());
        assert_eq!(judge(&mut watch, 9_999), Verdict::Repeat);
        assert_eq!(judge(&mut watch, 10_001), Verdict::New, "something new resets the count");
        assert!(!watch.is_in_doubt());
        assert_eq!(judge(&mut watch, 10_000), Verdict::Repeat);
        assert_eq!(judge(&mut watch, 10_001), Verdict::Repeat);
        assert_eq!(judge(&mut watch, 10_002), Verdict::New);
    }

    #[test]
    fn three_in_a_row_are_a_restart() {
        let mut watch = Watch::starting_at(None);
        assert_eq!(judge(&mut watch, 10_000), Verdict::New);
        assert_eq!(judge(&mut watch, 9_500), Verdict::Repeat);
        assert_eq!(judge(&mut watch, 9_501), Verdict::Repeat);
        assert_eq!(judge(&mut watch, 9_502), Verdict::Restarted);
        assert_eq!(judge(&mut watch, 9_503), Verdict::New, "counted from the new start");
    }

    #[test]
    fn a_long_step_back_is_a_restart_at_once() {
        let start = Watch::starting_at(Some(Sequence::new(10_000)));
        assert_eq!(judge(&mut start.clone(), 10_000 - 1024), Verdict::Restarted);
        assert_eq!(judge(&mut start.clone(), 10_000 - 1023), Verdict::Before);
    }

    #[test]
    fn what_a_line_has_not_brought_itself_is_no_repeat_of_its_own() {
        let mut watch = Watch::starting_at(Some(Sequence::new(10_000)));
        assert_eq!(judge(&mut watch, 9_999), Verdict::Before);
        assert_eq!(judge(&mut watch, 10_000), Verdict::Before);
        assert_eq!(judge(&mut watch.clone(), 10_000), Verdict::Restarted, "three in a row");
        assert_eq!(judge(&mut watch, 10_001), Verdict::New);
        assert_eq!(judge(&mut watch, 10_000), Verdict::Repeat, "the line is ahead of it now");
    }

    /// A counter set back by one or two brings too few repeats to be told by their number.
    #[test]
    fn the_same_sequence_with_another_content_is_a_restart_at_once() {
        for back in [0, 1] {
            let mut watch = Watch::starting_at(None);
            (100..200).for_each(|sequence| assert_eq!(judge(&mut watch, sequence), Verdict::New));
            let sequence = Sequence::new(199 - back);
            assert_eq!(watch.judge(sequence, 7), Verdict::Restarted);
            assert_eq!(watch.judge(sequence, 7), Verdict::Repeat, "of the new run");
        }
    }
}
