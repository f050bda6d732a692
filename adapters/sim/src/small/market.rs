//! The tiny market: two bids and an ask, a counter, and every place it has been.

use kucoin_futures_proto::Instant;

/// The part of the book that changes: the first bid has one lot or two, the second is there or not.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Sizes {
    pub(super) a: u8,
    pub(super) b: u8,
}

impl Sizes {
    /// All four.
    pub(super) const ALL: [Self; 4] =
        [Self { a: 1, b: 0 }, Self { a: 1, b: 1 }, Self { a: 2, b: 0 }, Self { a: 2, b: 1 }];

    /// After the next change of a level.
    pub(super) const fn changed(self, level: Level) -> Self {
        match level {
            Level::A => Self { a: 3 - self.a, ..self },
            Level::B => Self { b: 1 - self.b, ..self },
        }
    }

    pub(super) const fn of(self, level: Level) -> u8 {
        match level {
            Level::A => self.a,
            Level::B => self.b,
        }
    }

    /// With a level of this size.
    pub(super) const fn with(self, level: Level, size: u8) -> Self {
        match level {
            Level::A => Self { a: size, ..self },
            Level::B => Self { b: size, ..self },
        }
    }
}

/// A bid.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Level {
    A,
    B,
}

impl Level {
    pub(super) const ALL: [Self; 2] = [Self::A, Self::B];
}

/// The market at one sequence: what a live book claims, and what a snapshot shows.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Place {
    pub(super) sequence: u16,
    pub(super) sizes: Sizes,
}

/// Most places: those before the start, and one for each letter.
const MOST: usize = 16;

/// Where the market is and was.
#[derive(Clone, Copy, Debug)]
pub(super) struct Market {
    places: [(Place, Instant); MOST],
    len: usize,
}

/// Before the client came: what an old snapshot may show.
pub(super) const PAST: [Place; 2] = [
    Place { sequence: 98, sizes: Sizes { a: 2, b: 0 } },
    Place { sequence: 99, sizes: Sizes { a: 1, b: 0 } },
];
/// Where the client found it.
pub(super) const START: Place = Place { sequence: 100, sizes: Sizes { a: 1, b: 1 } };

impl Market {
    pub(super) fn new(now: Instant) -> Self {
        let mut market = Self { places: [(START, now); MOST], len: 0 };
        PAST.into_iter().chain([START]).for_each(|place| market.go_to(place, now));
        market
    }

    pub(super) fn place(&self) -> Place {
        self.past(0).0
    }

    /// Where it was so many changes ago, and when it came there.
    #[allow(clippy::indexing_slicing, reason = "there are three places from the start")]
    pub(super) fn past(&self, changes: usize) -> (Place, Instant) {
        self.places[self.len - 1 - changes]
    }

    /// Whether it ever was there, in whatever run of its counter.
    pub(super) fn was_at(&self, place: Place) -> bool {
        self.places.iter().take(self.len).any(|(known, _)| *known == place)
    }

    pub(super) fn change(&mut self, level: Level, now: Instant) {
        let Place { sequence, sizes } = self.place();
        self.go_to(Place { sequence: sequence + 1, sizes: sizes.changed(level) }, now);
    }

    /// The counter is set back; the book stays.
    pub(super) fn set_back(&mut self, by: u16, now: Instant) {
        let Place { sequence, sizes } = self.place();
        self.go_to(Place { sequence: sequence - by, sizes }, now);
    }

    fn go_to(&mut self, place: Place, now: Instant) {
        if self.len == MOST {
            // Only the last three are ever looked at when histories go on for long.
            self.places.rotate_left(1);
            self.len -= 1;
        }
        if let Some(next) = self.places.get_mut(self.len) {
            *next = (place, now);
            self.len += 1;
        }
    }
}
