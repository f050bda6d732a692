//! A topic without a book: what to hand out, what was seen before, when something may be missing.

use alloc::collections::VecDeque;

use crate::ids::Sequence;
use crate::wire::Position;

/// Remembers what a topic has brought, over all lines and reconnects: after a reconnect the exchange
/// may push again what it pushed before, and a trade must not be counted twice.
#[derive(Clone, Debug)]
pub(crate) struct Deduplicator {
    /// Messages that come late are new, too, if they were not seen.
    each: bool,
    newest: Option<Position>,
    /// The sequences handed out last, in the order of their coming; of trades only.
    recent: VecDeque<Sequence>,
    /// Repeats in a row.
    repeats: usize,
    /// A line carries the topic: it was confirmed there, or has spoken.
    carried: bool,
    interrupted: bool,
}

/// So many sequences are remembered, and so many repeats in a row are a restarted counter: what is
/// pushed again comes from a short-lived queue.
const MEMORY: usize = 256;

impl Deduplicator {
    /// Hands out what is newer than all before.
    pub(crate) const fn of_latest() -> Self {
        Self::new(false)
    }

    /// Hands out each message, in whatever order they come.
    pub(crate) const fn of_each() -> Self {
        Self::new(true)
    }

    const fn new(each: bool) -> Self {
        Self {
            each,
            newest: None,
            recent: VecDeque::new(),
            repeats: 0,
            carried: false,
            interrupted: false,
        }
    }

    /// Whether a message is one to hand out; `position` is `None` for one that does not say where it
    /// stands.
    pub(crate) fn is_new(&mut self, position: Option<Position>) -> bool {
        let Some(at) = position else { return true };
        // planted: repeat-is-new
        if self.is_repeat(at) && self.repeats < MEMORY {
            self.repeats = self.repeats.saturating_add(1);
            return false;
        }
        self.accept(at);
        true
    }

    /// A lower sequence with a later time is of a counter that was set back, and no repeat.
    fn is_repeat(&self, at: Position) -> bool {
        let Some(newest) = self.newest else { return false };
        if at.sequence > newest.sequence || at.is_later_than(newest) {
            return false;
        }
        // What is older than all that is remembered is taken for seen.
        !self.each
            || self.recent.contains(&at.sequence)
            || self.recent.iter().all(|&known| known > at.sequence)
    }

    fn accept(&mut self, at: Position) {
        let late = self.newest.is_some_and(|newest| at.sequence < newest.sequence);
        let restarted =
            late && (self.repeats >= MEMORY || self.newest.is_some_and(|n| at.is_later_than(n)));
        if restarted {
            self.recent.clear();
        }
        if restarted || !late {
            self.newest = Some(at);
        }
        self.repeats = 0;
        if self.each {
            // planted: trades-remembered
            if self.recent.len() == MEMORY {
                self.recent.pop_front();
            }
            self.recent.push_back(at.sequence);
        }
    }

    /// A line is down.
    pub(crate) const fn interrupt(&mut self) {
        self.interrupted |= core::mem::replace(&mut self.carried, false);
    }

    /// The topic is carried, by its ack or by what it says: whether messages may have been missed
    /// since it last was.
    pub(crate) const fn resume(&mut self) -> bool {
        self.carried = true;
        core::mem::replace(&mut self.interrupted, false)
    }

    /// Nobody is interested any more: nothing can be missed.
    pub(crate) const fn rest(&mut self) {
        self.carried = false;
        self.interrupted = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::UnixNanos;

    fn take(stream: &mut Deduplicator, sequence: u64, ts: u64) -> bool {
        let (sequence, ts) = (Sequence::new(sequence), Some(UnixNanos::from_nanos(ts)));
        stream.is_new(Some(Position { sequence, ts }))
    }

    fn after(stream: Deduplicator, sequences: impl Iterator<Item = u64>) -> Deduplicator {
        let mut stream = stream;
        sequences.for_each(|sequence| assert!(take(&mut stream, sequence, sequence)));
        stream
    }

    #[test]
    fn what_is_pushed_again_is_a_repeat_however_far_back() {
        for stream in [Deduplicator::of_latest(), Deduplicator::of_each()] {
            let mut stream = after(stream, (0..1_000).map(|n| 160 * n));
            let again = (800..1_000).filter(|n| take(&mut stream, 160 * n, 160 * n));
            assert_eq!(again.count(), 0);
            assert!(!take(&mut stream, 160, 160), "older than all that is remembered");
            assert!(take(&mut stream, 160_001, 159_840), "several may share a time");
        }
    }

    #[test]
    fn a_trade_that_comes_late_is_told_and_a_ticker_that_does_is_not() {
        let mut trades = after(Deduplicator::of_each(), [100, 102, 104].into_iter());
        assert!(take(&mut trades, 103, 103));
        assert!(!take(&mut trades, 103, 103), "once");
        assert!(take(&mut trades, 105, 105));
        let mut tickers = after(Deduplicator::of_latest(), [100, 102].into_iter());
        assert!(!take(&mut tickers, 101, 101));
    }

    #[test]
    fn a_lower_sequence_with_a_later_time_is_a_restarted_counter() {
        for stream in [Deduplicator::of_latest(), Deduplicator::of_each()] {
            let mut stream = after(stream, 4_900..5_000);
            assert!(take(&mut stream, 4_950, 5_001));
            assert!(take(&mut stream, 4_951, 5_002), "of the new run");
            assert!(!take(&mut stream, 4_951, 5_002));
        }
    }

    /// A clock that was set back together with the counter must not silence the topic for good.
    #[test]
    fn repeats_for_long_are_a_restarted_counter_whatever_the_time() {
        for stream in [Deduplicator::of_latest(), Deduplicator::of_each()] {
            let mut stream = after(stream, 4_900..5_000);
            let silent = (0..2_000).take_while(|n| !take(&mut stream, 100 + n, 1)).count();
            assert_eq!(silent, MEMORY);
            assert!(take(&mut stream, 1_000, 2), "and then it goes on");
        }
    }

    #[test]
    fn without_a_position_everything_is_new() {
        let mut stream = after(Deduplicator::of_each(), 5..6);
        assert!(stream.is_new(None) && stream.is_new(None));
    }
}
