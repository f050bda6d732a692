//! The volume weighted average price since an anchor.

use kucoin_futures_proto::{ContractKind, Price, UnixNanos};

use super::vwap::{Sums, Traded};
use crate::candle::Grid;
use crate::indicator::Indicator;
use crate::reading::Reading;

/// The average price of all fills since the session began, weighted as in [`RollingVwap`](super::RollingVwap). A
/// session begins where an interval of a grid does (a day of the exchange's is the usual one), or where
/// [`anchor`](Self::anchor) says. Warm-up: one fill.
///
/// A number is valid if every fill of the session is in it. In the session of the first fill, and in one with a gap in
/// it or at its begin, it is therefore stale until the next session begins: it is not the average *since the anchor*,
/// and waiting does not make it so. A fill that comes late, from before the session, is not of it and left out; one from
/// before the session before begins everything anew.
#[derive(Clone, Debug)]
pub struct SessionVwap {
    grid: Option<Grid>,
    /// When the session began, if that is known.
    session: Option<UnixNanos>,
    sums: Sums,
    first: Option<UnixNanos>,
    /// Where something may be missing in the session.
    missing: Option<UnixNanos>,
    /// Nothing came since: it may reach into the next session.
    is_open: bool,
}

impl SessionVwap {
    /// With a session for each interval of a grid.
    #[must_use]
    pub const fn of_grid(kind: ContractKind, grid: Grid) -> Self {
        Self::new(kind, Some(grid))
    }

    /// With sessions that begin where [`anchor`](Self::anchor) says. Stale until it first does.
    #[must_use]
    pub const fn anchored(kind: ContractKind) -> Self {
        Self::new(kind, None)
    }

    const fn new(kind: ContractKind, grid: Option<Grid>) -> Self {
        Self {
            grid,
            session: None,
            sums: Sums::new(kind),
            first: None,
            missing: None,
            is_open: true,
        }
    }

    /// A session begins now: every fill from here on will be taken. With a grid it ends where an interval does.
    pub fn anchor(&mut self, at: UnixNanos) {
        self.begin(at);
        self.is_open = false;
        self.missing = None;
    }

    /// When the present session began; `None` before the first.
    #[must_use]
    pub const fn session(&self) -> Option<UnixNanos> {
        self.session
    }

    fn begin(&mut self, at: UnixNanos) {
        self.session = Some(at);
        self.sums.clear();
        self.first = None;
        // What was missing up to now is of the session before; a gap that is not over reaches into this one.
        if !self.is_open {
            self.missing = None;
        }
    }

    /// Goes to the session that a time is in. Whether that is the present one, or there is none to go to.
    fn move_to(&mut self, at: UnixNanos) -> bool {
        if let Some(session) = self.session.filter(|session| at < *session) {
            let length = self.grid.map_or(u64::MAX, |grid| grid.length_nanos());
            if at.as_nanos().saturating_add(length) >= session.as_nanos() {
                return false;
            }
            // One of both times is wrong, and the later one may be long in coming.
            (self.session, self.is_open) = (None, true);
        }
        if let Some(start) = self.grid.map(|grid| grid.start_of(at))
            && self.session.is_none_or(|session| session < start)
        {
            self.begin(start);
        }
        true
    }
}

impl Indicator for SessionVwap {
    type Input = Traded;
    type Output = Price;

    fn push(&mut self, at: UnixNanos, fill: Traded) -> Reading<Price> {
        if !self.move_to(at) {
            return self.reading();
        }
        if core::mem::take(&mut self.is_open) {
            self.missing.get_or_insert(at);
        }
        match self.sums.weigh(fill) {
            Some(weighed) => self.sums.add(weighed),
            // It has no worth: the sum lacks it.
            None => self.missing = Some(at),
        }
        self.first.get_or_insert(at);
        self.reading()
    }

    fn on_gap(&mut self, at: UnixNanos) {
        self.missing = Some(at);
        self.is_open = true;
    }

    fn on_time(&mut self, at: UnixNanos) -> Reading<Price> {
        self.move_to(at);
        self.reading()
    }

    fn reading(&self) -> Reading<Price> {
        match (self.sums.average(), self.missing, self.first) {
            (Some(value), Some(gap), _) => Reading::Stale { value, gap },
            (Some(value), None, Some(valid_since)) => Reading::Valid { value, valid_since },
            _ => Reading::Warming { needed: 1 },
        }
    }

    fn warm_up(&self) -> u32 {
        1
    }
}
