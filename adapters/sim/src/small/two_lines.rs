//! Stories where two lines have carried the book.
//!
//! Each line brings a part of what was pushed, in order, and how far one is behind the other says nothing. So a story
//! is a way of the market on which both streams and the snapshots can be met, each in its own order. What no line
//! has brought, each repeat, each setting back and each old snapshot is a fault.

use std::collections::BTreeSet;

use super::market::{Level, PAST, Place, START};

/// A delta: its sequence, and the size of its level.
type Said = (u16, Level, u8);

/// What came on each line, and the snapshots.
#[derive(Clone, Debug, Default)]
pub(super) struct Streams {
    lines: [Vec<Said>; 2],
    pub(super) snapshots: Vec<Place>,
}

impl Streams {
    pub(super) fn add(&mut self, line: usize, said: Said) {
        if let Some(line) = self.lines.get_mut(line) {
            line.push(said);
        }
    }
}

/// Faults of a story beyond those that happened, after which no more are looked for.
const MOST_MORE: usize = 3;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct State {
    /// How much of each line, and of the snapshots, was met.
    at: [usize; 3],
    place: Place,
    past: [Place; 2],
    claimed: bool,
}

/// Whether there is a story in which the market was where the claim says.
pub(super) fn has_story(streams: &Streams, claim: Place, faults: usize) -> bool {
    let claimed = claim == START || PAST.contains(&claim);
    let mut todo = vec![State { at: [0; 3], place: START, past: PAST, claimed }];
    let mut known = BTreeSet::new();
    for _ in 0..=faults + MOST_MORE {
        let mut later = Vec::new();
        while let Some(state) = todo.pop() {
            if !known.insert(state) {
                continue;
            }
            if state.claimed && state.is_told(streams) {
                return true;
            }
            state.steps(streams, claim, &mut todo, &mut later);
        }
        todo = later;
    }
    false
}

impl State {
    fn is_told(&self, streams: &Streams) -> bool {
        let [one, other] = streams.lines.each_ref().map(Vec::len);
        self.at == [one, other, streams.snapshots.len()]
    }

    /// All that can come next: what is no fault to `now`, what is one to `later`.
    fn steps(&self, streams: &Streams, claim: Place, now: &mut Vec<Self>, later: &mut Vec<Self>) {
        let [one, other, snapshots] = self.at;
        for level in Level::ALL {
            let sizes = self.place.sizes.changed(level);
            let place = Place { sequence: self.place.sequence + 1, sizes };
            let said = (place.sequence, level, sizes.of(level));
            let meets = |line: usize, at: usize| {
                streams.lines.get(line).and_then(|line| line.get(at)) == Some(&said)
            };
            let next = self.go_to(place, claim);
            let (on_one, on_other) = (meets(0, one), meets(1, other));
            if on_one {
                now.push(Self { at: [one + 1, other, snapshots], ..next });
            }
            if on_other {
                now.push(Self { at: [one, other + 1, snapshots], ..next });
            }
            if on_one && on_other {
                now.push(Self { at: [one + 1, other + 1, snapshots], ..next });
            }
            later.push(next);
        }
        for by in [1, 2] {
            if let Some(sequence) = self.place.sequence.checked_sub(by) {
                later.push(self.go_to(Place { sequence, ..self.place }, claim));
            }
        }
        for (line, at) in [(0, one), (1, other)] {
            let said = streams.lines.get(line).map(Vec::as_slice).unwrap_or_default();
            let (before, next) = (at.checked_sub(1).and_then(|at| said.get(at)), said.get(at));
            if next.is_some() && next == before {
                let mut again = *self;
                again.at.get_mut(line).into_iter().for_each(|at| *at += 1);
                later.push(again);
            }
        }
        if let Some(shown) = streams.snapshots.get(snapshots) {
            let told = Self { at: [one, other, snapshots + 1], ..*self };
            if *shown == self.place {
                now.push(told);
            } else if self.past.contains(shown) {
                later.push(told);
            }
        }
    }

    fn go_to(&self, place: Place, claim: Place) -> Self {
        let claimed = self.claimed || place == claim;
        Self { place, past: [self.past[1], self.place], claimed, ..*self }
    }
}

#[cfg(test)]
mod tests {
    use super::super::market::Sizes;
    use super::*;

    const fn place(sequence: u16, a: u8, b: u8) -> Place {
        Place { sequence, sizes: Sizes { a, b } }
    }

    fn streams(one: &[Said], other: &[Said]) -> Streams {
        Streams { lines: [one.to_vec(), other.to_vec()], snapshots: vec![START] }
    }

    #[test]
    fn what_one_line_left_out_the_other_has_told() {
        let both = streams(&[(102, Level::B, 0)], &[(101, Level::A, 2)]);
        assert!(has_story(&both, place(102, 2, 0), 0));
        assert!(!has_story(&both, place(140, 1, 1), 0));
    }

    #[test]
    fn no_story_tells_what_both_lines_deny() {
        let both = streams(&[(101, Level::A, 2)], &[(101, Level::A, 2), (101, Level::A, 2)]);
        assert!(has_story(&both, place(101, 2, 1), 1), "a repeat");
        let third = streams(&[(101, Level::A, 3)], &[]);
        assert!(!has_story(&third, place(101, 2, 1), 3), "no such size");
    }
}
