//! The door: so many connections in any one second, and no more.

use std::collections::VecDeque;
use std::time::Duration;

use kucoin_futures_proto::{Instant, SplitMix64, TransportError};

use super::Crowd;

const SECOND: Duration = Duration::from_secs(1);

/// Lets everybody in until it is told to count.
#[derive(Debug)]
pub(super) struct Door {
    per_second: usize,
    refusals: Vec<TransportError>,
    rng: SplitMix64,
    counts: bool,
    /// When those came who were let in within the last second.
    admitted: VecDeque<Instant>,
    refused: u64,
}

impl Door {
    pub(super) fn new(crowd: &Crowd, seed: u64) -> Self {
        Self {
            per_second: crowd.per_second,
            refusals: crowd.refusals.clone(),
            rng: SplitMix64::new(seed),
            counts: false,
            admitted: VecDeque::new(),
            refused: 0,
        }
    }

    /// From now on the limit is in force.
    pub(super) const fn count(&mut self) {
        self.counts = true;
    }

    pub(super) const fn refused(&self) -> u64 {
        self.refused
    }

    /// Somebody knocks. Whoever is refused takes up no room.
    pub(super) fn knock(&mut self, now: Instant) -> Result<(), TransportError> {
        if !self.counts {
            return Ok(());
        }
        while self.admitted.front().is_some_and(|at| now.since(*at) >= SECOND) {
            self.admitted.pop_front();
        }
        if self.admitted.len() < self.per_second {
            self.admitted.push_back(now);
            return Ok(());
        }
        self.refused += 1;
        let at = self.rng.below(self.refusals.len().max(1) as u64) as usize;
        Err(self.refusals.get(at).copied().unwrap_or(TransportError::Reset))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_second_takes_in_so_many_and_the_others_hear_each_refusal() {
        let crowd = Crowd { per_second: 3, ..Crowd::default() };
        let mut door = Door::new(&crowd, 1);
        let at = |ms: u64| Instant::from_nanos(ms * 1_000_000);
        assert!((0..100).all(|_| door.knock(at(0)).is_ok()), "before it counts");
        door.count();
        let admitted =
            [0, 400, 800, 900, 999, 1000, 1399, 1400, 1401].map(|ms| door.knock(at(ms)).is_ok());
        assert_eq!(admitted, [true, true, true, false, false, true, false, true, false]);
        assert_eq!(door.refused(), 4);
        let heard: Vec<_> = (0..100).filter_map(|_| door.knock(at(1402)).err()).collect();
        assert_eq!(heard.len(), 100);
        assert!(crowd.refusals.iter().all(|refusal| heard.contains(refusal)));
    }
}
