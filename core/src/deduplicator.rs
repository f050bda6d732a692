//! A topic without a book: what to hand out, what was seen before, when something may be missing.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::time::Duration;

use crate::hand_over::HandOver;
use crate::ids::{LineId, Sequence};
use crate::time::Instant;
use crate::wire::Position;

/// Remembers what a topic has brought, over all lines and reconnects: after a reconnect the exchange
/// may push again what it pushed before, and a trade must not be counted twice.
///
/// Of several lines that carry a topic whose messages say where they stand, the first copy of each is new. A
/// topic whose messages do not is heard on one of them, its owner, until that one carries it no more.
#[derive(Clone, Debug)]
pub(crate) struct Deduplicator {
    /// Messages that come late are new, too, if they were not seen.
    each: bool,
    newest: Option<Position>,
    /// The sequences handed out last, in the order of their coming; of trades only.
    recent: VecDeque<Sequence>,
    /// The lines that carry the topic: it was confirmed there, or has spoken. The first is the owner.
    sources: Vec<Source>,
    /// What the owner and the next in line have said of it, if its messages do not say where they stand.
    hand_over: HandOver,
    interrupted: bool,
}

/// What one line has brought of a topic.
#[derive(Clone, Copy, Debug)]
struct Source {
    line: LineId,
    /// When the exchange confirmed the topic on it.
    confirmed_at: Option<Instant>,
    /// All that was pushed on other lines before it carried the topic has arrived.
    is_vouched: bool,
    /// The first that it has brought, and the highest.
    first: Option<Sequence>,
    highest: Option<Sequence>,
    /// Repeats in a row, counted only of what is not beyond that.
    repeats: usize,
    /// Another line has shown that the counter was set back, and this one has not: what it brings is of the run
    /// before.
    is_former: bool,
}

/// So many sequences are remembered, and so many repeats in a row are a restarted counter: what is
/// pushed again comes from a short-lived queue.
const MEMORY: usize = 256;

/// For no longer a message is on its way on a line that answers its pings: 18 s between them, 10 s for a pong.
const LONGEST_ON_ITS_WAY: Duration = Duration::from_secs(30);

impl Deduplicator {
    /// Hands out what is newer than all before.
    pub(crate) fn of_latest() -> Self {
        Self::new(false)
    }

    /// Hands out each message, in whatever order they come.
    pub(crate) fn of_each() -> Self {
        Self::new(true)
    }

    fn new(each: bool) -> Self {
        Self {
            each,
            newest: None,
            recent: VecDeque::new(),
            sources: Vec::new(),
            hand_over: HandOver::default(),
            interrupted: false,
        }
    }

    /// Whether a message of a line is one to hand out; `position` is `None` for one that does not say where it
    /// stands.
    pub(crate) fn is_new(
        &mut self,
        line: LineId,
        position: Option<Position>,
        bytes: &[u8],
    ) -> bool {
        let Some(at) = position else {
            return self.is_new_of_owner(line, bytes);
        };
        // Judged before the line is looked up, so that this is done once for each message.
        let (is_repeat, newest) = (self.is_repeat(at), self.newest);
        let Some(source) = self.source(line) else { return false };
        let is_back = source.highest.is_some_and(|highest| at.sequence <= highest);
        if source.is_former {
            // What is not beyond this run, or was said after its newest, is of it.
            let is_of_this = newest
                .is_none_or(|newest| at.sequence <= newest.sequence || at.is_later_than(newest));
            if !is_back && !is_of_this {
                return false;
            }
            (source.is_former, source.first, source.highest) = (false, Some(at.sequence), None);
        }
        source.first = source.first.or(Some(at.sequence));
        source.highest = source.highest.max(Some(at.sequence));
        let repeats = source.repeats;
        // planted: repeat-is-new
        if is_repeat && repeats < MEMORY {
            if is_back {
                source.repeats = source.repeats.saturating_add(1);
            }
            return false;
        }
        source.repeats = 0;
        self.accept(line, at, repeats >= MEMORY);
        true
    }

    fn is_new_of_owner(&mut self, line: LineId, bytes: &[u8]) -> bool {
        let mut lines = self.sources.iter().map(|source| source.line);
        let (owner, next) = (lines.next(), lines.next());
        let is_owner = owner == Some(line);
        if next.is_some() && (is_owner || next == Some(line)) {
            self.hand_over.note(is_owner, bytes);
        }
        is_owner && self.hand_over.is_new(bytes)
    }

    /// What a line has brought. Nearly always there is one: the first is looked at first.
    #[inline]
    fn source(&mut self, line: LineId) -> Option<&mut Source> {
        let is_it = |source: &Source| source.line == line;
        let at = match self.sources.first() {
            Some(first) if is_it(first) => 0,
            _ => self.sources.iter().position(is_it)?,
        };
        self.sources.get_mut(at)
    }

    /// A lower sequence with a later time is of a counter that was set back, and no repeat.
    fn is_repeat(&self, at: Position) -> bool {
        let Some(newest) = self.newest else { return false };
        // Of several lines one may still bring what was before a reset.
        let is_outdated = self.sources.len() > 1 && !self.each && newest.is_later_than(at);
        if is_outdated {
            return true;
        }
        if at.sequence > newest.sequence || at.is_later_than(newest) {
            return false;
        }
        // What is older than all that is remembered is taken for seen.
        !self.each
            || self.recent.contains(&at.sequence)
            || self.recent.iter().all(|&known| known > at.sequence)
    }

    fn accept(&mut self, line: LineId, at: Position, is_endless: bool) {
        let late = self.newest.is_some_and(|newest| at.sequence < newest.sequence);
        let restarted = late && (is_endless || self.newest.is_some_and(|n| at.is_later_than(n)));
        if restarted {
            self.recent.clear();
            for source in &mut self.sources {
                source.is_former = source.line != line;
            }
            if let Some(source) = self.source(line) {
                (source.first, source.highest) = (Some(at.sequence), Some(at.sequence));
            }
        }
        if restarted || !late {
            self.newest = Some(at);
        }
        if self.each {
            // planted: trades-remembered
            if self.recent.len() == MEMORY {
                self.recent.pop_front();
            }
            self.recent.push_back(at.sequence);
        }
    }

    /// A line carries the topic no more. True if another one goes on with it, and something may be missing in
    /// between.
    pub(crate) fn drop_line(&mut self, now: Instant, line: LineId) -> bool {
        let was_owner = self.is_owner(line);
        let Some(at) = self.sources.iter().position(|source| source.line == line) else {
            return false;
        };
        let gone = self.sources.remove(at);
        if let [only] = self.sources.as_mut_slice() {
            only.is_former = false;
        }
        let is_covered = self.sources.iter().any(|source| source.covers(&gone, now));
        let has_met = self.hand_over.has_met();
        let is_heard = if was_owner {
            !self.hand_over.change_owner()
        } else {
            self.hand_over.keep_owner();
            true
        };
        if self.sources.is_empty() {
            self.interrupted = true;
            self.hand_over = HandOver::default();
            return false;
        }
        let goes_on = gone.highest.is_none() && !was_owner;
        !(is_heard && (is_covered || has_met || goes_on))
    }

    /// All that other lines were pushed before this one carried the topic has arrived.
    pub(crate) fn vouch(&mut self, line: LineId) {
        if let Some(source) = self.source(line) {
            source.is_vouched = true;
        }
    }

    /// Whether the topic is heard on this line, if its messages do not say where they stand.
    pub(crate) fn is_owner(&self, line: LineId) -> bool {
        self.sources.first().is_some_and(|owner| owner.line == line)
    }

    /// Whether the next in line has said nothing that the owner has not said.
    pub(crate) fn is_caught_up(&self) -> bool {
        !self.hand_over.is_behind()
    }

    /// A line carries the topic, by its ack or by what it says: whether messages may have been missed
    /// since one last did.
    #[inline]
    pub(crate) fn resume(&mut self, line: LineId) -> bool {
        if self.source(line).is_none() {
            self.begin(line);
        }
        core::mem::replace(&mut self.interrupted, false)
    }

    #[cold]
    fn begin(&mut self, line: LineId) {
        self.sources.push(Source {
            line,
            confirmed_at: None,
            is_vouched: false,
            first: None,
            highest: None,
            repeats: 0,
            is_former: false,
        });
    }

    /// The exchange has confirmed the topic on a line; otherwise as `resume`.
    pub(crate) fn on_confirmed(&mut self, now: Instant, line: LineId) -> bool {
        let has_missed = self.resume(line);
        if let Some(source) = self.source(line) {
            source.confirmed_at = source.confirmed_at.or(Some(now));
        }
        has_missed
    }

    /// Nobody is interested any more: nothing can be missed.
    pub(crate) fn rest(&mut self) {
        self.sources.clear();
        self.hand_over = HandOver::default();
        self.interrupted = false;
    }
}

impl Source {
    /// Whether nothing that another line was pushed before this one carried the topic can have been on its way when
    /// that one ended: this one carried it first, or its first words had been heard there, or it has for long.
    fn covers(&self, gone: &Self, now: Instant) -> bool {
        let Some(since) = self.confirmed_at else { return false };
        let has_met = self.first.is_some_and(|first| gone.highest >= Some(first));
        let was_first = gone.confirmed_at.is_some_and(|at| since <= at);
        self.is_vouched || was_first || has_met || now.since(since) >= LONGEST_ON_ITS_WAY
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::UnixNanos;

    fn take(stream: &mut Deduplicator, sequence: u64, ts: u64) -> bool {
        take_on(stream, 0, sequence, ts)
    }

    fn take_on(stream: &mut Deduplicator, line: u32, sequence: u64, ts: u64) -> bool {
        let (sequence, ts) = (Sequence::new(sequence), Some(UnixNanos::from_nanos(ts)));
        stream.resume(LineId::new(line));
        stream.is_new(LineId::new(line), Some(Position { sequence, ts }), b"")
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
        let line = LineId::new(0);
        assert!(stream.is_new(line, None, b"a") && stream.is_new(line, None, b"a"));
    }

    #[test]
    fn of_two_lines_the_first_copy_is_new_however_far_the_other_is_behind() {
        for stream in [Deduplicator::of_latest(), Deduplicator::of_each()] {
            let mut stream = after(stream, 1_000..2_000);
            let again = (1_000..2_000).filter(|n| take_on(&mut stream, 1, *n, *n));
            assert_eq!(again.count(), 0, "a thousand repeats in a row are no restart: they go on");
            assert!(take_on(&mut stream, 1, 2_000, 2_000));
            assert!(!take(&mut stream, 2_000, 2_000));
        }
    }

    #[test]
    fn what_one_line_left_out_the_other_brings() {
        let mut trades = after(Deduplicator::of_each(), [100, 103].into_iter());
        let taken = [100, 101, 102, 103].map(|n| take_on(&mut trades, 1, n, n));
        assert_eq!(taken, [false, true, true, false]);
    }

    #[test]
    fn a_line_that_is_still_in_the_run_before_is_not_heard() {
        for stream in [Deduplicator::of_latest(), Deduplicator::of_each()] {
            let mut stream = after(stream, 4_900..5_000);
            assert!(!take_on(&mut stream, 1, 4_998, 4_998));
            assert!(take(&mut stream, 100, 5_001), "set back");
            assert!(!take_on(&mut stream, 1, 5_000, 5_000), "of the run before");
            assert!(!take_on(&mut stream, 1, 100, 5_001), "it has arrived in this one");
            assert!(take_on(&mut stream, 1, 101, 5_002));
            assert!(!take(&mut stream, 101, 5_002));
        }
    }

    #[test]
    fn without_a_position_one_line_is_heard_until_it_ends() {
        let (one, other) = (LineId::new(0), LineId::new(1));
        let mut stream = Deduplicator::of_each();
        let now = Instant::ZERO;
        assert!(!stream.on_confirmed(now, one) && !stream.on_confirmed(now, other));
        let mut said = Vec::new();
        for (line, text) in [(one, "a"), (other, "a"), (other, "b"), (one, "b"), (one, "c")] {
            if stream.is_new(line, None, text.as_bytes()) {
                said.push(text);
            }
        }
        assert_eq!(said, ["a", "b", "c"]);
        assert!(stream.is_caught_up());
        assert!(!stream.drop_line(now, one), "all that the other one has said was said");
        assert!(!stream.is_new(other, None, b"c"), "that was said");
        assert!(stream.is_new(other, None, b"c"), "and this is another one");
        stream.resume(one);
        assert!(!stream.is_new(one, None, b"d"));
        assert!(!stream.is_caught_up());
        assert!(stream.drop_line(now, other), "the other one will never say it");
    }
}
