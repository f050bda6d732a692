//! What people ask of a book besides its levels: how much, how far, at what price. Allocates nothing, and says where the
//! book ends: what lies beyond the horizon is not known, and never taken for nothing.

use super::{Best, Book, Coverage, Level, Scope};
use crate::num::{Decimal, Lots, Price};
use crate::wire::Side;

/// A number of lots, as far as the book is known.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(clippy::exhaustive_enums, reason = "known, or known in part")]
pub enum KnownLots {
    /// So many, and no more.
    Exactly(Lots),
    /// So many up to the horizon; what is beyond is not known.
    AtLeast(Lots),
}

impl KnownLots {
    /// The number, if it is known.
    #[must_use]
    pub const fn exactly(self) -> Option<Lots> {
        match self {
            Self::Exactly(lots) => Some(lots),
            Self::AtLeast(_) => None,
        }
    }

    /// The number, or less.
    #[must_use]
    pub const fn at_least(self) -> Lots {
        match self {
            Self::Exactly(lots) | Self::AtLeast(lots) => lots,
        }
    }
}

/// Why an order takes no more.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(clippy::exhaustive_enums, reason = "done, or stopped by one of two ends")]
pub enum SweepEnd {
    /// It has what it was for.
    Filled,
    /// The side is known completely, and all of it was taken.
    Exhausted,
    /// The horizon: what is beyond it is not known.
    Horizon,
}

/// What an order would take off one side of a book, best price first, if nothing moved.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Sweep {
    /// Lots taken.
    pub lots: Lots,
    /// The worst price taken; `None` if nothing is.
    pub worst: Option<Price>,
    /// Why it ends.
    pub end: SweepEnd,
    /// Lots times price, in units of 1e-12; `None` if it is too large.
    notional: Option<u128>,
}

impl Sweep {
    /// The sum of lots times price, exactly: times the contract's multiplier it is the value of a *linear* contract.
    /// `None` if it is too large for a `Decimal`.
    #[must_use]
    pub fn notional(&self) -> Option<Decimal> {
        Decimal::new(i128::try_from(self.notional?).ok()?, PRICE_EXPONENT)
    }

    /// The average price of a *linear* contract, rounded down to 12 decimals; `None` if nothing is taken. For an
    /// inverse one, whose lots are worth more the lower the price is, see
    /// [`ContractSpec::fill`](crate::ContractSpec::fill).
    #[must_use]
    pub fn average(&self) -> Option<Price> {
        let units = self.notional?.checked_div(u128::from(self.lots.get()))?;
        Price::from_scaled(i64::try_from(units).ok()?)
    }
}

/// A price counts units of 1e-12.
const PRICE_EXPONENT: i8 = -(Price::SCALE as i8);

impl Book {
    /// What an order for so many lots takes off `side`: one to buy takes asks.
    ///
    /// ```
    /// use kucoin_futures_proto::book::{Book, SweepEnd};
    /// use kucoin_futures_proto::wire::Side;
    /// use kucoin_futures_proto::Lots;
    ///
    /// let mut book = Book::new(1000, usize::MAX);
    /// book.read(
    ///     br#"{"code":"200000","data":{"sequence":41,"symbol":"ETHUSDTM","bids":[],
    ///     "asks":[[2417.5,4],[2418.5,4]],"ts":1790000000000000000}}"#,
    /// )?;
    /// let sweep = book.sweep(Side::Ask, Lots::new(5));
    /// assert_eq!(sweep.average().unwrap().to_string(), "2417.7");
    /// assert_eq!(sweep.worst.unwrap().to_string(), "2418.5");
    /// assert_eq!(book.sweep(Side::Ask, Lots::new(9)).end, SweepEnd::Exhausted);
    /// # Ok::<(), kucoin_futures_proto::WireError>(())
    /// ```
    #[must_use]
    pub fn sweep(&self, side: Side, lots: Lots) -> Sweep {
        let mut left = lots.get();
        let mut sweep =
            Sweep { lots: Lots::ZERO, worst: None, end: SweepEnd::Filled, notional: Some(0) };
        let mut levels = self.levels(side, Scope::Complete);
        while left > 0 {
            let Some(Level { price, size }) = levels.next() else {
                sweep.end = self.end_of(side);
                return sweep;
            };
            let taken = size.get().min(left);
            left = left.saturating_sub(taken);
            sweep.lots = Lots::new(sweep.lots.get().saturating_add(taken));
            sweep.worst = Some(price);
            let value = u128::from(taken).checked_mul(u128::from(price.units()));
            sweep.notional =
                sweep.notional.zip(value).and_then(|(sum, value)| sum.checked_add(value));
        }
        sweep
    }

    /// How many lots stand on `side` from the touch to a price, inclusive.
    #[must_use]
    pub fn lots_to(&self, side: Side, price: Price) -> KnownLots {
        let is_within = |level: &Level| match side {
            Side::Bid => level.price >= price,
            Side::Ask => level.price <= price,
        };
        let sum = sum(self.levels(side, Scope::Complete).take_while(is_within));
        let is_known = match (self.reach(side), side) {
            (Coverage::All, _) => true,
            (Coverage::To(horizon), Side::Bid) => price >= horizon,
            (Coverage::To(horizon), Side::Ask) => price <= horizon,
        };
        if is_known { KnownLots::Exactly(sum) } else { KnownLots::AtLeast(sum) }
    }

    /// How many lots the best so many levels of `side` have together.
    #[must_use]
    pub fn lots_of(&self, side: Side, levels: usize) -> KnownLots {
        let sum = sum(self.levels(side, Scope::Complete).take(levels));
        let is_known = self.complete_levels(side) >= levels || self.reach(side) == Coverage::All;
        if is_known { KnownLots::Exactly(sum) } else { KnownLots::AtLeast(sum) }
    }

    /// The middle between best bid and best ask, rounded down to 12 decimals; `None` if one is not known or not there.
    #[must_use]
    pub fn mid(&self) -> Option<Price> {
        let (bid, ask) = self.touch()?;
        let sum = bid.price.units().checked_add(ask.price.units())?;
        Price::from_scaled(i64::try_from(sum / 2).ok()?)
    }

    /// Between best bid and best ask, nearer to the one with fewer lots, where the next trade is likelier to be: bid
    /// price times ask size and ask price times bid size, by both sizes. Rounded down to 12 decimals; `None` if one is
    /// not known or not there.
    #[must_use]
    pub fn microprice(&self) -> Option<Price> {
        let (bid, ask) = self.touch()?;
        let weighed = |price: Price, size: Lots| {
            u128::from(price.units()).checked_mul(u128::from(size.get()))
        };
        let sum = weighed(bid.price, ask.size)?.checked_add(weighed(ask.price, bid.size)?)?;
        let sizes = u128::from(bid.size.get()).checked_add(u128::from(ask.size.get()))?;
        Price::from_scaled(i64::try_from(sum.checked_div(sizes)?).ok()?)
    }

    /// The lots of the best so many bids less those of as many asks, by both: from -1, where nobody buys, to 1. Cut
    /// after 18 decimals; `None` if a side is not known that far, or both are empty.
    #[must_use]
    pub fn imbalance(&self, levels: usize) -> Option<Decimal> {
        const DECIMALS: i8 = 18;
        const ONE: i128 = 10_i128.pow(DECIMALS as u32);
        let side = |side| Some(i128::from(self.lots_of(side, levels).exactly()?.get()));
        let (bids, asks) = (side(Side::Bid)?, side(Side::Ask)?);
        let difference = bids.checked_sub(asks)?.checked_mul(ONE)?;
        Decimal::new(difference.checked_div(bids.checked_add(asks)?)?, -DECIMALS)
    }

    /// Best bid and best ask.
    fn touch(&self) -> Option<(Level, Level)> {
        match (self.best_bid(), self.best_ask()) {
            (Best::Level(bid), Best::Level(ask)) => Some((bid, ask)),
            _ => None,
        }
    }

    /// What lies behind the last level that is known.
    pub(crate) const fn end_of(&self, side: Side) -> SweepEnd {
        match self.reach(side) {
            Coverage::All => SweepEnd::Exhausted,
            Coverage::To(_) => SweepEnd::Horizon,
        }
    }
}

/// Sizes of the exchange are far from what a `u64` holds; beyond that it is the most there is.
fn sum(levels: impl Iterator<Item = Level>) -> Lots {
    Lots::new(levels.fold(0, |sum: u64, level| sum.saturating_add(level.size.get())))
}
