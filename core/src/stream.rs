//! A topic without a book: what to hand out, what was seen before, when something may be missing.

use crate::wire::Position;

/// Remembers the newest message of a topic, over all lines and reconnects: after a reconnect the
/// exchange may push again what it pushed before, and a trade must not be counted twice.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Stream {
    newest: Option<Position>,
    repeats: u32,
    interrupted: bool,
}

/// A step back this far is a restarted counter, and so are this many repeats in a row: what is
/// pushed again comes from a short-lived queue.
const RESTART: u64 = 1024;

impl Stream {
    /// Whether a message is one to hand out; `position` is `None` for one that does not say where it
    /// stands.
    ///
    /// A lower sequence with a later time is a counter that was set back, not a repeat.
    pub(crate) fn is_new(&mut self, position: Option<Position>) -> bool {
        let Some(at) = position else { return true };
        let repeat = self.newest.is_some_and(|newest| {
            at.sequence <= newest.sequence
                && at.ts <= newest.ts
                && newest.sequence.get().saturating_sub(at.sequence.get()) < RESTART
        });
        if repeat && u64::from(self.repeats) < RESTART {
            self.repeats = self.repeats.saturating_add(1);
            return false;
        }
        self.repeats = 0;
        self.newest = Some(at);
        true
    }

    /// A line that carried the topic is down.
    pub(crate) const fn interrupt(&mut self) {
        self.interrupted = true;
    }

    /// The topic is carried (again): whether messages may have been missed since it last was.
    pub(crate) const fn resume(&mut self) -> bool {
        core::mem::replace(&mut self.interrupted, false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::Sequence;
    use crate::time::UnixNanos;

    fn take(stream: &mut Stream, sequence: u64, ts: u64) -> bool {
        let (sequence, ts) = (Sequence::new(sequence), UnixNanos::from_nanos(ts));
        stream.is_new(Some(Position { sequence, ts }))
    }

    fn after(sequence: u64, ts: u64) -> Stream {
        let mut stream = Stream::default();
        assert!(take(&mut stream, sequence, ts));
        stream
    }

    #[test]
    fn what_is_pushed_again_is_a_repeat_however_much_it_is() {
        let mut stream = after(5_000, 90);
        let again = (4_500..=5_000).filter(|&sequence| take(&mut stream, sequence, 80));
        assert_eq!(again.count(), 0);
        assert!(take(&mut stream, 5_001, 90), "several trades may share a time");
    }

    #[test]
    fn a_lower_sequence_with_a_later_time_is_a_restarted_counter() {
        let mut stream = after(5_000, 90);
        assert!(take(&mut stream, 4_999, 91));
        assert!(take(&mut stream, 5_000, 92), "of the new run");
        assert!(!take(&mut stream, 5_000, 92));
    }

    /// A clock that was set back together with the counter must not silence the topic for good.
    #[test]
    fn far_back_or_for_long_is_a_restarted_counter_whatever_the_time() {
        assert!(take(&mut after(5_000, 90), 5_000 - 1024, 1));
        let mut stream = after(5_000, 90);
        let silent = (0..2_000).take_while(|_| !take(&mut stream, 4_900, 1)).count();
        assert_eq!(silent, 1024);
    }

    #[test]
    fn without_a_position_everything_is_new() {
        let mut stream = after(5, 5);
        assert!(stream.is_new(None) && stream.is_new(None));
    }
}
