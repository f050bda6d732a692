//! Stories: histories of the tiny market that fit what a client was given.
//!
//! A story is a way through all that was heard, in order. Between what is heard the market may change
//! unheard, or its counter be set back; what is heard is the next change, a repeat of the delta before
//! it, or a snapshot of where the market is or was one or two changes ago. Each change that was not
//! heard, each setting back, each repeat and each old snapshot is a fault. The cheapest story is found
//! by going through all of them, those with fewer faults first.

use std::collections::BTreeSet;

use super::life::Heard;
use super::market::{Level, PAST, Place, START, Sizes};

/// How a claim can be explained.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Explained {
    /// By a story with no more faults than what happened.
    AsLikely,
    /// By one with so many more.
    Costlier(usize),
    /// Only by one that begins elsewhere than where the market began.
    FromAnywhere,
    /// By none.
    Never,
}

/// Faults of a story beyond those that happened, after which no more are looked for.
const MOST_MORE: usize = 2;
/// Faults of a story that begins anywhere.
const MOST_FROM_ANYWHERE: usize = 6;

/// How the claim is explained, where `faults` faults happened.
pub(super) fn explain(heard: &[Heard], claim: Place, faults: usize) -> Explained {
    let start = [State { at: 0, place: START, past: PAST, claimed: claim == START }];
    // The past may be claimed, too: it is where old snapshots come from.
    let known = PAST.contains(&claim);
    let search = Search { heard, claim, exact: false };
    match search
        .cheapest(start.map(|s| State { claimed: s.claimed | known, ..s }), faults + MOST_MORE)
    {
        Some(cost) if cost <= faults => Explained::AsLikely,
        Some(cost) => Explained::Costlier(cost - faults),
        None if search.cheapest(anywhere(heard, claim), MOST_FROM_ANYWHERE).is_some() => {
            Explained::FromAnywhere
        }
        None => Explained::Never,
    }
}

/// Whether there is a story with no more faults than what happened in which what has the time of its
/// coming is new, and nothing else is.
pub(super) fn fits_exactly(heard: &[Heard], claim: Place, faults: usize) -> bool {
    let search = Search { heard, claim, exact: true };
    let known = PAST.contains(&claim) || claim == START;
    let start = [State { at: 0, place: START, past: PAST, claimed: known }];
    search.cheapest(start, faults).is_some()
}

/// Every beginning: anywhere near what was heard, with any two changes before.
fn anywhere(heard: &[Heard], claim: Place) -> impl Iterator<Item = State> {
    let of = |heard: &Heard| match *heard {
        Heard::Delta { sequence, .. } => sequence,
        Heard::Snapshot { place, .. } => place.sequence,
    };
    let sequences = heard.iter().map(of).chain([claim.sequence]);
    let (low, high) = sequences.fold((u16::MAX, 0), |(low, high), s| (low.min(s), high.max(s)));
    let places =
        (low - 3..=high + 3).flat_map(|sequence| Sizes::ALL.map(|sizes| Place { sequence, sizes }));
    places.flat_map(move |place| {
        let befores = before(place).flat_map(|two| before(two).map(move |one| [one, two]));
        befores.map(move |past| {
            let claimed = claim == place || past.contains(&claim);
            State { at: 0, place, past, claimed }
        })
    })
}

/// Where the market can have been one change or one setting back before.
fn before(place: Place) -> impl Iterator<Item = Place> {
    let changed = Level::ALL.into_iter().map(move |level| Place {
        sequence: place.sequence - 1,
        sizes: place.sizes.changed(level),
    });
    let set_back =
        [1, 2].into_iter().map(move |by| Place { sequence: place.sequence + by, ..place });
    changed.chain(set_back)
}

/// A point in a story.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct State {
    /// How much was heard.
    at: usize,
    place: Place,
    /// The two places before it, older first.
    past: [Place; 2],
    /// The market has been where the claim says.
    claimed: bool,
}

struct Search<'a> {
    heard: &'a [Heard],
    claim: Place,
    exact: bool,
}

impl Search<'_> {
    /// The fewest faults of a story, up to a number.
    fn cheapest(&self, start: impl IntoIterator<Item = State>, most: usize) -> Option<usize> {
        let mut known: BTreeSet<State> = BTreeSet::new();
        let mut todo: Vec<State> = start.into_iter().collect();
        for cost in 0..=most {
            let mut later = Vec::new();
            while let Some(state) = todo.pop() {
                if !known.insert(state) {
                    continue;
                }
                if state.claimed && state.at == self.heard.len() {
                    return Some(cost);
                }
                todo.extend(self.hear(state));
                self.faults(state, &mut later);
            }
            todo = later;
        }
        None
    }

    /// What comes next is no fault.
    fn hear(&self, state: State) -> Option<State> {
        match *self.heard.get(state.at)? {
            Heard::Delta { sequence, level, size, is_fresh } => {
                let next = sequence == state.place.sequence + 1
                    && size == state.place.sizes.changed(level).of(level)
                    && (is_fresh || !self.exact);
                let sizes = state.place.sizes.with(level, size);
                next.then(|| self.go_to(state, Place { sequence, sizes }, 1))
            }
            Heard::Snapshot { place, is_fresh } => {
                let present = place == state.place && (is_fresh || !self.exact);
                present.then_some(State { at: state.at + 1, ..state })
            }
        }
    }

    /// What a fault makes of it.
    fn faults(&self, state: State, later: &mut Vec<State>) {
        let Place { sequence, sizes } = state.place;
        for level in Level::ALL {
            let place = Place { sequence: sequence + 1, sizes: sizes.changed(level) };
            later.push(self.go_to(state, place, 0));
        }
        for by in [1, 2] {
            if let Some(sequence) = sequence.checked_sub(by) {
                later.push(self.go_to(state, Place { sequence, sizes }, 0));
            }
        }
        let is_repeated = match self.heard.get(state.at) {
            Some(Heard::Delta { sequence, level, size, is_fresh }) => {
                let before = self.heard.get(..state.at).unwrap_or_default().iter().rev();
                let last = before.filter_map(|heard| match *heard {
                    Heard::Delta { sequence, level, size, .. } => Some((sequence, level, size)),
                    Heard::Snapshot { .. } => None,
                });
                let same = last.take(1).any(|last| last == (*sequence, *level, *size));
                same && !(self.exact && *is_fresh)
            }
            Some(Heard::Snapshot { place, is_fresh }) => {
                state.past.contains(place) && !(self.exact && *is_fresh)
            }
            None => false,
        };
        if is_repeated {
            later.push(State { at: state.at + 1, ..state });
        }
    }

    fn go_to(&self, state: State, place: Place, heard: usize) -> State {
        State {
            at: state.at + heard,
            place,
            past: [state.past[1], state.place],
            claimed: state.claimed || place == self.claim,
        }
    }
}
