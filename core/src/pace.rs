//! How fast the stream of a book usually is, and so for how long it may say nothing before somebody looks.

use core::time::Duration;

use crate::ids::Sequence;
use crate::time::Instant;

/// The usual time between two deltas of a book. Counted by how far the book has come from one look to the next, so
/// that a delta costs nothing.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Pace {
    /// Where the book was at the last look, and since when.
    last: Option<(Instant, Sequence)>,
    /// The usual time between two deltas, as far as it is known.
    usual: Option<Duration>,
}

/// A stream that is silent for so many times its usual pause is looked at.
const PAUSES: u32 = 50;

/// It may be silent for so long in any case: markets come in bursts.
const LEAST: Duration = Duration::from_secs(10);

impl Pace {
    /// A look at where the live book is, and since when it is there; `None` if there is none. The pause that it is in
    /// counts once it is over: it may be the one to be noticed.
    pub(crate) fn look(&mut self, live: Option<(Instant, Sequence)>) {
        let (before, now) = (core::mem::replace(&mut self.last, live), live);
        if let (Some((from, before)), Some((at, now))) = (before, now) {
            let deltas = u32::try_from(now.get().saturating_sub(before.get())).unwrap_or(u32::MAX);
            let pause = at.since(from).checked_div(deltas);
            pause.into_iter().for_each(|pause| self.settle(pause));
        }
    }

    /// It was silent for as long as it may be: a false alarm, if the book is right, is not to come again soon.
    pub(crate) fn on_silent(&mut self, longest: Duration) {
        self.last = None;
        self.settle(longest / PAUSES);
    }

    /// Slow streams are believed at once, and a faster one over several looks.
    fn settle(&mut self, pause: Duration) {
        let known = self.usual.map_or(Duration::ZERO, |usual| usual / 8 * 7);
        self.usual = Some(pause.max(known));
    }

    /// For how long the stream may say nothing; `longest` while nothing is known of it.
    pub(crate) fn limit(&self, longest: Duration) -> Duration {
        let usual = self.usual.map(|usual| usual.saturating_mul(PAUSES).max(LEAST));
        usual.unwrap_or(longest).min(longest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const MINUTE: Duration = Duration::from_secs(60);

    /// Looks every ten seconds at a book that moves so much in between.
    fn after(pace: &mut Pace, begin: u64, deltas: &[u64]) -> Duration {
        let mut sequence = 500;
        for (look, deltas) in deltas.iter().enumerate() {
            sequence += deltas;
            let now = Instant::ZERO + SECOND * u32::try_from(begin + 10 * look as u64).unwrap();
            pace.look(Some((now, Sequence::new(sequence))));
        }
        pace.limit(MINUTE)
    }

    #[test]
    fn nothing_is_known_before_the_second_look() {
        assert_eq!(after(&mut Pace::default(), 0, &[0]), MINUTE);
    }

    #[test]
    fn a_fast_stream_is_looked_at_soon_and_a_slow_one_late() {
        assert_eq!(after(&mut Pace::default(), 0, &[0, 1_000]), LEAST);
        assert_eq!(after(&mut Pace::default(), 0, &[0, 25]), SECOND * 20);
        assert_eq!(after(&mut Pace::default(), 0, &[0, 1]), MINUTE);
        assert_eq!(after(&mut Pace::default(), 0, &[0, 0]), MINUTE);
        assert_eq!(after(&mut Pace::default(), 0, &[0, 1_000, 0, 0]), LEAST, "the pause goes on");
    }

    #[test]
    fn a_lull_is_remembered_for_a_while() {
        let lull = [0, 1_000, 5, 1_000];
        assert_eq!(after(&mut Pace::default(), 0, &lull), MINUTE);
        let mut pace = Pace::default();
        let later = after(&mut pace, 0, &[lull.as_slice(), &[1_000; 7]].concat());
        assert!(later > SECOND * 34 && later < SECOND * 35, "(7/8)^8 of 100 s: {later:?}");
        pace.on_silent(MINUTE);
        assert_eq!(pace.limit(MINUTE), MINUTE);
    }
}
