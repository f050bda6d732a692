//! Numbers that wander and are the same whenever, and in whatever order, they are asked for.

use kucoin_futures_proto::SplitMix64;

/// A walk without memory: at every `period`-th step it has a drawn value, in between it goes straight
/// from one to the next.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Noise {
    pub(crate) seed: u64,
    /// In steps; at least 1.
    pub(crate) period: u64,
    /// Values are within this, both ways.
    pub(crate) reach: i64,
}

impl Noise {
    pub(crate) fn at(self, step: u64) -> i64 {
        let (knot, into) = (step / self.period, (step % self.period) as i64);
        let (from, to) = (self.knot(knot), self.knot(knot + 1));
        from + (to - from) * into / self.period as i64
    }

    fn knot(self, knot: u64) -> i64 {
        let mut rng = SplitMix64::new(self.seed ^ knot.wrapping_mul(0xd6e8_feb8_6659_fd93));
        rng.below(2 * self.reach as u64 + 1) as i64 - self.reach
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_wanders_within_its_reach_and_never_jumps() {
        let noise = Noise { seed: 7, period: 10, reach: 500 };
        let values: Vec<i64> = (0..10_000).map(|step| noise.at(step)).collect();
        assert!(values.iter().all(|value| value.abs() <= 500));
        assert!(values.iter().any(|value| *value > 400) && values.iter().any(|v| *v < -400));
        assert!(values.windows(2).all(|two| (two[1] - two[0]).abs() <= 101));
    }
}
