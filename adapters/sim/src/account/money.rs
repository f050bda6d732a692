//! Amounts of an account, exact.

use core::fmt;
use core::iter::Sum;
use core::ops::{Add, AddAssign, Neg, Sub, SubAssign};

use kucoin_futures_proto::{Decimal, Price};

/// An amount in units of 1e-18 of a currency: a price (1e-12) times lots times a multiplier (1e-6)
/// is whole in it, and so is every sum. The largest is about 1.7e20.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Money(i128);

/// Decimals of [`Money`].
const SCALE: u32 = 18;
/// Decimals of rates and multipliers.
const RATE_SCALE: i16 = 6;

impl Money {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// That many whole units of the currency.
    #[must_use]
    pub const fn whole(units: i64) -> Self {
        Self(units as i128 * 10_i128.pow(SCALE))
    }

    /// An amount that is written as a decimal; `None` if it is finer than 1e-18 or does not fit.
    #[must_use]
    pub fn of(value: Decimal) -> Option<Self> {
        let power = i16::from(value.exponent()) + 18;
        let factor = 10_i128.checked_pow(u32::try_from(power).ok()?)?;
        value.mantissa().checked_mul(factor).map(Self)
    }

    /// In units of 1e-18.
    #[must_use]
    pub const fn units(self) -> i128 {
        self.0
    }

    /// The same amount as the wire's decimal.
    #[must_use]
    pub fn decimal(self) -> Decimal {
        Decimal::new(self.0, -18).unwrap_or(Decimal::ZERO)
    }

    /// What `lots` at `price` are worth, in quote currency.
    pub(crate) fn value(price: Price, lots: u64, multiplier: Millionths) -> Self {
        Self(i128::from(price.scaled()) * i128::from(lots) * i128::from(multiplier.0))
    }

    /// Times a rate; what is finer than the unit is cut off.
    pub(crate) const fn times(self, rate: Millionths) -> Self {
        Self(self.0 * rate.0 as i128 / 1_000_000)
    }

    /// Times `part / whole`; what is finer than the unit is cut off.
    pub(crate) const fn part(self, part: u64, whole: u64) -> Self {
        if whole == 0 { Self::ZERO } else { Self(split(self.0, part as i128, whole as i128)) }
    }

    /// Divided, with 10 decimals, rounded: margins are kept so, see `posInit` in captures of 2025.
    pub(crate) const fn over(self, divisor: u32) -> Self {
        let unit = 100_000_000_i128;
        let divisor = if divisor == 0 { 1 } else { divisor as i128 } * unit;
        Self((self.0 + divisor / 2).div_euclid(divisor) * unit)
    }

    /// Down to 8 decimals, towards less: what funding pays or costs.
    pub(crate) const fn floor_8(self) -> Self {
        let unit = 10_000_000_000_i128;
        Self(self.0.div_euclid(unit) * unit)
    }

    /// The ratio of two amounts with so many decimals; zero if there is nothing to divide by.
    pub(crate) fn ratio(self, other: Self, decimals: u8) -> Decimal {
        let scale = 10_i128.pow(u32::from(decimals));
        let ratio = split(self.0, scale, other.0);
        i8::try_from(decimals).ok().and_then(|d| Decimal::new(ratio, -d)).unwrap_or(Decimal::ZERO)
    }

    /// The price at which `lots` are worth this, with 8 decimals.
    pub(crate) fn price_of(self, lots: u64, multiplier: Millionths) -> Decimal {
        let unit = i128::from(lots) * i128::from(multiplier.0);
        let price = if unit == 0 { 0 } else { self.0 / unit };
        Decimal::new(price / 10_000, -8).unwrap_or(Decimal::ZERO)
    }

    pub(crate) const fn abs(self) -> Self {
        Self(self.0.abs())
    }

    pub(crate) const fn is_negative(self) -> bool {
        self.0 < 0
    }

    pub(crate) const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// With the sign of a side: what is bought costs, what is sold brings in.
    pub(crate) const fn signed(self, buys: bool) -> Self {
        if buys { self } else { Self(-self.0) }
    }
}

/// `value * part / whole` without overflow where the result fits: the whole part and the rest apart.
const fn split(value: i128, part: i128, whole: i128) -> i128 {
    if whole == 0 {
        return 0;
    }
    (value / whole) * part + (value % whole) * part / whole
}

/// A rate or a multiplier in units of 1e-6.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct Millionths(pub(crate) i64);

impl Millionths {
    /// `None` if it is finer, or not above zero: contracts that settle in their base coin.
    pub(crate) fn of(value: Decimal) -> Option<Self> {
        let power = i16::from(value.exponent()) + RATE_SCALE;
        let factor = 10_i128.checked_pow(u32::try_from(power).ok()?)?;
        let units = value.mantissa().checked_mul(factor)?;
        i64::try_from(units).ok().filter(|units| *units > 0).map(Self)
    }

    pub(crate) fn decimal(self) -> Decimal {
        Decimal::new(i128::from(self.0), -6).unwrap_or(Decimal::ZERO)
    }
}

impl Add for Money {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl Sub for Money {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }
}

impl Neg for Money {
    type Output = Self;

    fn neg(self) -> Self {
        Self(-self.0)
    }
}

impl AddAssign for Money {
    fn add_assign(&mut self, other: Self) {
        self.0 += other.0;
    }
}

impl SubAssign for Money {
    fn sub_assign(&mut self, other: Self) {
        self.0 -= other.0;
    }
}

impl Sum for Money {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, Add::add)
    }
}

/// Shortest plain form: no exponent, no trailing zeros.
impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.decimal().fmt(f)
    }
}

impl fmt::Debug for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.decimal().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn money(text: &str) -> Money {
        let value: Decimal = text.parse().unwrap();
        Money(value.mantissa() * 10_i128.pow(u32::try_from(18 + value.exponent()).unwrap()))
    }

    #[test]
    fn a_value_is_price_times_lots_times_multiplier() {
        let multiplier = Millionths::of("0.001".parse().unwrap()).unwrap();
        let value = Money::value("40125.7".parse().unwrap(), 3, multiplier);
        assert_eq!(value, money("120.3771"));
        assert_eq!(value.times(Millionths(600)), money("0.07222626"));
        assert_eq!(value.price_of(3, multiplier).to_string(), "40125.7");
        assert_eq!(Millionths::of("-1".parse().unwrap()), None, "settles in its base coin");
    }

    #[test]
    fn what_does_not_divide_is_rounded_where_the_exchange_rounds() {
        assert_eq!(money("40").over(3), money("13.3333333333"));
        assert_eq!(money("20").over(3), money("6.6666666667"));
        assert_eq!(money("-0.000000011").floor_8(), money("-0.00000002"));
        assert_eq!(money("10").part(1, 3).0 * 3 + 1, money("10").0);
        assert_eq!(money("1").ratio(money("8"), 4).to_string(), "0.125");
    }
}
