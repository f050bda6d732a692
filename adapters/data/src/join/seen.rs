//! What was handed out, as far as it is remembered.

use std::collections::VecDeque;

use super::trade::Mark;
use kucoin_futures_proto::Sequence;

/// The trades handed out last.
#[derive(Debug)]
pub(super) struct Seen {
    /// In the order of their handing out.
    recent: VecDeque<Mark>,
    /// The same of the runs before.
    former: VecDeque<Mark>,
    most: usize,
    /// The one that the next one comes after.
    newest: Option<Mark>,
    /// The latest time of this run: of neighbours the first may be the later.
    latest: Option<Mark>,
    /// Nothing is known of what is not beyond it: it was forgotten.
    floor: Option<Sequence>,
    /// The first one of this run of the counter that was handed out.
    first: Option<Mark>,
}

/// How a trade stands to what was handed out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Standing {
    /// It comes after all.
    Next,
    /// It comes after all, and the counter was set back before.
    NewRun,
    /// It was handed out.
    Known,
    /// It belongs before the newest, and was not handed out.
    Late,
    /// Too long ago to say whether it was.
    Past,
}

impl Seen {
    pub(super) fn new(most: usize) -> Self {
        let (recent, former) = (VecDeque::new(), VecDeque::new());
        Self { recent, former, most, newest: None, latest: None, floor: None, first: None }
    }

    pub(super) const fn newest(&self) -> Option<Mark> {
        self.newest
    }

    /// Of a row of history: it may be of a run before, whatever its sequence.
    pub(super) fn standing_of_row(&self, of: Mark) -> Standing {
        let is_behind = |newest: Mark| of.sequence > newest.sequence && newest.is_later(of);
        let is_former = self.first.is_some_and(|first| first.is_later(of));
        if is_former || self.newest.is_some_and(is_behind) {
            return Standing::Past;
        }
        self.standing(of)
    }

    /// Of a trade of the stream: one of a higher sequence is not passed over, whatever its time, unless it is one of the
    /// run before that is pushed once more.
    pub(super) fn standing(&self, of: Mark) -> Standing {
        let Some(newest) = self.newest else { return Standing::Next };
        if of.sequence > newest.sequence {
            let is_known = newest.is_later(of) && self.former.iter().any(|known| known.is(of));
            return if is_known { Standing::Known } else { Standing::Next };
        }
        if self.first.is_some_and(|first| first.is_later(of)) {
            return Standing::Past;
        }
        if self.recent.iter().rev().any(|known| known.is(of)) {
            return Standing::Known;
        }
        if self.latest.is_some_and(|latest| of.is_later(latest)) {
            return Standing::NewRun;
        }
        let is_forgotten = match (self.floor, self.recent.front()) {
            (Some(floor), _) => of.sequence <= floor,
            // What came before the first one was never to be handed out.
            (None, Some(first)) => of.sequence < first.sequence,
            (None, None) => true,
        };
        if is_forgotten { Standing::Past } else { Standing::Late }
    }

    /// It is handed out, standing so.
    pub(super) fn add(&mut self, mark: Mark, standing: Standing) {
        if standing == Standing::NewRun {
            self.former.append(&mut self.recent);
            let surplus = self.former.len().saturating_sub(self.most);
            self.former.drain(..surplus);
            (self.latest, self.floor, self.first) = (None, None, None);
        }
        self.first = self.first.or(Some(mark));
        if standing != Standing::Late {
            self.newest = Some(mark);
        }
        if self.latest.is_none_or(|latest| mark.time > latest.time) {
            self.latest = Some(mark);
        }
        if self.recent.len() >= self.most {
            let forgotten = self.recent.pop_front().map(|forgotten| forgotten.sequence);
            self.floor = self.floor.max(forgotten);
        }
        self.recent.push_back(mark);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kucoin_futures_proto::UnixNanos;

    fn mark(sequence: u64, ms: u64) -> Mark {
        Mark { sequence: Sequence::new(sequence), time: UnixNanos::from_millis(ms) }
    }

    fn of(marks: &[(u64, u64)], most: usize) -> Seen {
        let mut seen = Seen::new(most);
        for (sequence, ms) in marks {
            let mark = mark(*sequence, *ms);
            let standing = seen.standing(mark);
            seen.add(mark, standing);
        }
        seen
    }

    #[test]
    fn what_is_known_late_and_past() {
        let seen = of(&[(10, 100), (20, 100), (40, 200)], 8);
        assert_eq!(seen.standing(mark(41, 200)), Standing::Next);
        assert_eq!(seen.standing(mark(20, 100)), Standing::Known);
        assert_eq!(seen.standing(mark(30, 150)), Standing::Late);
        assert_eq!(seen.standing(mark(9, 90)), Standing::Past);
    }

    #[test]
    fn what_was_forgotten_is_past_even_behind_a_late_one() {
        // 15 came late, and is remembered longer than 20 and 30.
        let seen = of(&[(10, 100), (20, 100), (30, 100), (15, 100), (40, 200), (50, 200)], 3);
        assert_eq!(seen.standing(mark(20, 100)), Standing::Past);
        assert_eq!(seen.standing(mark(30, 100)), Standing::Past);
        assert_eq!(seen.standing(mark(45, 200)), Standing::Late);
    }

    #[test]
    fn a_counter_that_was_set_back() {
        let mut seen = of(&[(10, 100), (20, 200)], 8);
        // Also onto a sequence that was there.
        assert_eq!(seen.standing(mark(10, 9_000)), Standing::NewRun);
        seen.add(mark(10, 9_000), Standing::NewRun);
        assert_eq!(seen.standing(mark(11, 9_000)), Standing::Next);
        assert_eq!(seen.standing_of_row(mark(25, 300)), Standing::Past, "of the run before");
        assert_eq!(seen.standing(mark(20, 200)), Standing::Known, "of the run before");
        assert_eq!(seen.standing(mark(25, 300)), Standing::Next, "a time that is wrong");
        assert_eq!(seen.standing(mark(9, 300)), Standing::Past, "of the run before");
        // Behind a hole that a turn lies in, too: sequences alone would put it last.
        let seen = of(&[(10, 100), (20, 9_000)], 8);
        assert_eq!(seen.standing_of_row(mark(25, 300)), Standing::Past);
        assert_eq!(
            seen.standing_of_row(mark(21, 8_999)),
            Standing::Next,
            "a millisecond is nothing"
        );
    }
}
