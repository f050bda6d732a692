//! From prices to neighbouring numbers: the tick of a side, inferred from its prices.

use crate::num::Price;
use crate::wire::Side;

/// Counts prices in ticks, better prices higher.
///
/// No tick is told from outside. It is the greatest common divisor of all prices there are, so every
/// price on the side has a number. One that has none makes the grid finer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Grid {
    tick: u64,
    /// `tick` without its factors of two, inverted modulo 2^64: multiplies where one would divide.
    inverse: u64,
    /// How many factors of two it has.
    twos: u32,
    /// The highest number of ticks that a price can have.
    most: u64,
    /// All ones where a lower price is the better one.
    mirror: u64,
}

impl Grid {
    /// Of a side without any price yet.
    pub(super) const fn new(side: Side) -> Self {
        let mirror = match side {
            Side::Bid => 0,
            Side::Ask => u64::MAX,
        };
        // Every price is on the finest grid.
        Self { mirror, ..Self::of_tick(1, 0) }
    }

    /// In units of a price.
    const fn of_tick(tick: u64, mirror: u64) -> Self {
        let twos = tick.trailing_zeros();
        let odd = tick.wrapping_shr(twos);
        // Newton's iteration doubles the bits that are right: an odd number is its own inverse in
        // the lowest three, and five steps make 96 of them.
        let mut inverse = odd;
        let mut step = 0;
        while step < 5 {
            inverse = inverse.wrapping_mul(2_u64.wrapping_sub(odd.wrapping_mul(inverse)));
            step += 1;
        }
        let most = match u64::MAX.checked_div(tick) {
            Some(most) => most,
            None => 0,
        };
        Self { tick, inverse, twos, most, mirror }
    }

    /// The same side, in ticks of this price.
    pub(super) const fn with_tick(self, tick: Price) -> Self {
        Self::of_tick(tick.units(), self.mirror)
    }

    /// The number of a price; `None` if it lies between ticks.
    #[inline]
    pub(super) const fn key(&self, price: Price) -> Option<u64> {
        // A multiple of the odd factor gives the quotient, any other number something larger than
        // every quotient; factors of two that are missing become the highest bits.
        let units = price.units();
        let ticks = units.wrapping_mul(self.inverse).rotate_right(self.twos);
        if ticks <= self.most { Some(ticks ^ self.mirror) } else { None }
    }

    /// The price of a number that [`key`](Self::key) gave.
    #[inline]
    pub(super) const fn price(&self, key: u64) -> Price {
        Price::from_units((key ^ self.mirror).wrapping_mul(self.tick))
    }

    /// What turns a number into ticks, and the price of so many.
    #[inline]
    pub(super) fn ticks(&self) -> (u64, impl Fn(u64) -> Price + use<>) {
        let tick = self.tick;
        (self.mirror, move |ticks: u64| Price::from_units(ticks.wrapping_mul(tick)))
    }

    /// A price as a number that is higher for better ones, whatever the tick.
    #[inline]
    pub(super) const fn rank(&self, price: Price) -> u64 {
        price.units() ^ self.mirror
    }

    /// The coarsest grid with all its prices, and this one.
    pub(super) fn joined_by(&self, price: Price) -> Self {
        let (mut a, mut b) = (self.tick, price.units());
        while b != 0 {
            (a, b) = (b, a.checked_rem(b).unwrap_or(0));
        }
        Self::of_tick(a, self.mirror)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn multiples_of_the_tick_have_numbers_and_nothing_else(
            tick in prop_oneof![1_i64..1_000_000_000_000_000, Just(1), Just(100_000_000_000)],
            ticks in 0_i64..9_000,
            off in 0_i64..1_000_000,
        ) {
            let price = |units| Price::from_scaled(units).unwrap();
            for side in [Side::Bid, Side::Ask] {
                let grid = Grid::new(side).with_tick(price(tick));
                let on = grid.key(price(tick * ticks)).unwrap();
                prop_assert_eq!(grid.price(on), price(tick * ticks));
                let next = grid.key(price(tick * (ticks + 1))).unwrap();
                prop_assert_eq!(next > on, side == Side::Bid);
                let beside = grid.key(price(tick * ticks + off));
                prop_assert_eq!(beside.is_some(), off % tick == 0);
                let finer = grid.joined_by(price(tick * ticks + off));
                prop_assert!(finer.key(price(tick * ticks + off)).is_some());
                prop_assert!(finer.key(price(tick)).is_some());
            }
        }
    }
}
