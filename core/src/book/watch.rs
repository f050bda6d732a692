//! Tells a repeat from a restart: what one line says about one topic's sequence.

use crate::ids::Sequence;

/// A step back this far is never a repeat (repeats come from a short-lived queue).
const RESTART_STEP: u64 = 1024;
/// So many repeats in a row, with nothing new between, are a restarted counter.
const RESTART_REPEATS: u8 = 3;

/// The last sequence that one line has brought for one topic.
///
/// The exchange's counter may start lower after a maintenance. Whoever takes that for duplicates
/// freezes the book for good.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Watch {
    last: Option<Sequence>,
    repeats: u8,
}

/// What a frame's sequence means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Verdict {
    /// Higher than any before.
    New,
    /// Seen before.
    Repeat,
    /// The counter was restarted; everything known about it is void.
    Restarted,
}

impl Watch {
    /// Starts where the topic's known sequence stands: a new line is judged against the book.
    pub(crate) const fn starting_at(last: Option<Sequence>) -> Self {
        Self { last, repeats: 0 }
    }

    pub(crate) fn judge(&mut self, sequence: Sequence) -> Verdict {
        let Some(last) = self.last.filter(|&last| sequence <= last) else {
            *self = Self::starting_at(Some(sequence));
            return Verdict::New;
        };
        self.repeats = self.repeats.saturating_add(1);
        let step_back = last.get().saturating_sub(sequence.get());
        if step_back >= RESTART_STEP || self.repeats >= RESTART_REPEATS {
            *self = Self::starting_at(Some(sequence));
            return Verdict::Restarted;
        }
        Verdict::Repeat
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(watch: &mut Watch, sequence: u64) -> Verdict {
        watch.judge(Sequence::new(sequence))
    }

    #[test]
    fn a_few_repeats_are_repeats() {
        let mut watch = Watch::default();
        assert_eq!(judge(&mut watch, 10_000), Verdict::New);
        assert_eq!(judge(&mut watch, 10_000), Verdict::Repeat);
        assert_eq!(judge(&mut watch, 9_999), Verdict::Repeat);
        assert_eq!(judge(&mut watch, 10_001), Verdict::New, "something new resets the count");
        assert_eq!(judge(&mut watch, 10_000), Verdict::Repeat);
        assert_eq!(judge(&mut watch, 10_001), Verdict::Repeat);
        assert_eq!(judge(&mut watch, 10_002), Verdict::New);
    }

    #[test]
    fn three_in_a_row_are_a_restart() {
        let mut watch = Watch::starting_at(Some(Sequence::new(10_000)));
        assert_eq!(judge(&mut watch, 9_500), Verdict::Repeat);
        assert_eq!(judge(&mut watch, 9_501), Verdict::Repeat);
        assert_eq!(judge(&mut watch, 9_502), Verdict::Restarted);
        assert_eq!(judge(&mut watch, 9_503), Verdict::New, "counted from the new start");
    }

    #[test]
    fn a_long_step_back_is_a_restart_at_once() {
        let start = Watch::starting_at(Some(Sequence::new(10_000)));
        assert_eq!(judge(&mut start.clone(), 10_000 - 1024), Verdict::Restarted);
        assert_eq!(judge(&mut start.clone(), 10_000 - 1023), Verdict::Repeat);
    }
}
