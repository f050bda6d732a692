//! The volume weighted average price.

use core::time::Duration;

use ethnum::U256;
use kucoin_futures_proto::{ContractKind, Decimal, Lots, Price, UnixNanos};

use crate::indicator::{Formula, Guarded, ParameterError};
use crate::tick::Tick;
use crate::valuation::Valuation;
use crate::window::Window;

/// Lots that were traded at a price.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(clippy::exhaustive_structs, reason = "made by callers, out of whatever they have")]
pub struct Fill {
    /// In quote currency.
    pub price: Price,
    /// Lots traded.
    pub size: Lots,
}

impl From<&Tick> for Fill {
    fn from(tick: &Tick) -> Self {
        Self { price: tick.price, size: tick.size }
    }
}

/// What was traded, as averages over volume take it: a fill, or all of a candle.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Traded(Amount);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Amount {
    Fill(Fill),
    Sum(Weighed),
}

impl Traded {
    /// A candle without trades: no lots, and no price.
    pub const NOTHING: Self = Self(Amount::Sum(Weighed { lots: 0, value: U256::ZERO }));

    /// Lots and what they were worth, as a candle states them: in quote currency, in coins of an inverse contract. `None`
    /// if that is below zero or has too many digits.
    ///
    /// Exact for a linear contract. The turnover of an inverse one is itself cut somewhere; averages are as right as it
    /// is.
    #[must_use]
    pub fn of_turnover(worth: &Valuation, lots: Lots, turnover: Decimal) -> Option<Self> {
        let lot = worth.lot_amount();
        let scale = match worth.kind() {
            ContractKind::Linear => 12,
            ContractKind::Inverse => 24,
        };
        let power = i16::from(turnover.exponent()).checked_sub(i16::from(lot.exponent()))?;
        let power = power.checked_add(scale)?;
        let shift = U256::new(10).checked_pow(u32::from(power.unsigned_abs()))?;
        let turnover = U256::new(u128::try_from(turnover.mantissa()).ok()?);
        let lot = U256::new(u128::try_from(lot.mantissa()).ok()?);
        let value = if power >= 0 {
            turnover.checked_mul(shift)?.checked_div(lot)?
        } else {
            turnover.checked_div(lot.checked_mul(shift)?)?
        };
        Some(Self(Amount::Sum(Weighed { lots: lots.get(), value })))
    }
}

impl From<Fill> for Traded {
    fn from(fill: Fill) -> Self {
        Self(Amount::Fill(fill))
    }
}

impl From<&Tick> for Traded {
    fn from(tick: &Tick) -> Self {
        Self::from(Fill::from(tick))
    }
}

/// The average price of the last `n` fills (or candles: what is pushed), or of those of a span of time, weighted by what
/// they were of.
///
/// *Linear*: the sum of price x lots by the sum of lots; both exact, rounded down once to 12 decimals. *Inverse*: the
/// sum of lots by the sum of lots / price, because there a lot is an amount of quote currency; each quotient is cut to 24
/// decimals and the result rounded down to 12, so it is the true average rounded down, or the unit above. The
/// multiplier cancels out.
///
/// Warm-up: `n`, or a span since the first fill; and no number where nothing was traded in the window. A fill of an
/// inverse contract at a price of zero has no worth: everything begins anew after it.
#[derive(Clone, Debug)]
pub struct RollingVwap {
    window: Window<Weighed>,
    sums: Sums,
}

impl RollingVwap {
    /// Of the last `n` fills, 1 to 65 536.
    ///
    /// # Errors
    /// [`ParameterError`] for another number.
    pub fn of_last(kind: ContractKind, n: u32) -> Result<Guarded<Self>, ParameterError> {
        Ok(Guarded::new(Self { window: Window::last(n)?, sums: Sums::new(kind) }))
    }

    /// Of the fills later than a span before the last one, or before what
    /// [`on_time`](crate::Indicator::on_time) was told.
    ///
    /// # Errors
    /// [`ParameterError`] for a span of zero or of more than 584 years.
    pub fn of_span(kind: ContractKind, span: Duration) -> Result<Guarded<Self>, ParameterError> {
        Ok(Guarded::new(Self { window: Window::span(span)?, sums: Sums::new(kind) }))
    }
}

impl Formula for RollingVwap {
    type Input = Traded;
    type Output = Price;

    #[inline]
    fn push(&mut self, at: UnixNanos, fill: Traded) {
        let Self { window, sums } = self;
        match sums.weigh(fill) {
            Some(weighed) => {
                sums.add(weighed);
                window.push(at, weighed, |old| sums.remove(old));
            }
            None => self.reset(),
        }
    }

    fn on_time(&mut self, at: UnixNanos) {
        let Self { window, sums } = self;
        window.advance(at, |old| sums.remove(old));
    }

    #[inline]
    fn value(&self) -> Option<Price> {
        if self.window.is_full() { self.sums.average() } else { None }
    }

    fn warm_up(&self) -> u32 {
        self.window.warm_up()
    }

    fn taken(&self) -> u32 {
        self.window.taken()
    }

    fn reset(&mut self) {
        self.window.clear();
        self.sums.clear();
    }
}

/// A fill, and what it adds.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) struct Weighed {
    lots: u64,
    /// Price x lots in units of 1e-12, or lots / price in units of 1e-24.
    value: U256,
}

#[derive(Clone, Debug)]
pub(super) struct Sums {
    kind: ContractKind,
    lots: u128,
    value: U256,
}

impl Sums {
    pub(super) const fn new(kind: ContractKind) -> Self {
        Self { kind, lots: 0, value: U256::ZERO }
    }

    /// `None` for a price of zero that would have to be divided by.
    #[inline]
    pub(super) fn weigh(&self, traded: Traded) -> Option<Weighed> {
        let fill = match traded.0 {
            Amount::Fill(fill) => fill,
            Amount::Sum(weighed) => return Some(weighed),
        };
        let (price, lots) = (u128::from(fill.price.scaled().unsigned_abs()), fill.size.get());
        let value = match self.kind {
            ContractKind::Linear => U256::new(price.wrapping_mul(u128::from(lots))),
            ContractKind::Inverse => inverse(u128::from(lots), price)?,
        };
        Some(Weighed { lots, value })
    }

    #[inline]
    pub(super) fn add(&mut self, fill: Weighed) {
        self.lots = self.lots.wrapping_add(u128::from(fill.lots));
        self.value = self.value.wrapping_add(fill.value);
    }

    #[inline]
    fn remove(&mut self, fill: Weighed) {
        self.lots = self.lots.wrapping_sub(u128::from(fill.lots));
        self.value = self.value.wrapping_sub(fill.value);
    }

    /// `None` if nothing was traded.
    #[inline]
    pub(super) fn average(&self) -> Option<Price> {
        let lots = U256::new(self.lots);
        let units = match self.kind {
            ContractKind::Linear => quotient(self.value, lots)?,
            ContractKind::Inverse => {
                quotient(lots.checked_mul(U256::new(10_u128.pow(36)))?, self.value)?
            }
        };
        Price::from_scaled(i64::try_from(units).ok()?)
    }

    pub(super) const fn clear(&mut self) {
        (self.lots, self.value) = (0, U256::ZERO);
    }
}

/// Rounded down; with half the width where that holds both, which is usual.
#[inline]
fn quotient(value: U256, by: U256) -> Option<U256> {
    match (value.into_words(), by.into_words()) {
        ((0, value), (0, by)) => Some(U256::new(value.checked_div(by)?)),
        _ => value.checked_div(by),
    }
}

/// `lots x 10^36 / price`, rounded down: 18 decimals at a time, as on paper.
fn inverse(lots: u128, price: u128) -> Option<U256> {
    const STEP: u128 = 10_u128.pow(18);
    // Below 2^64 x 2^60, and 2^63 x 2^60.
    let upper = lots.wrapping_mul(STEP);
    let rest = upper.checked_rem(price)?;
    let lower = rest.wrapping_mul(STEP).checked_div(price)?;
    let upper = U256::new(upper.checked_div(price)?);
    Some(upper.wrapping_mul(U256::new(STEP)).wrapping_add(U256::new(lower)))
}
