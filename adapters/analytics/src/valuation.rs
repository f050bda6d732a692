//! What fills are worth, added up exactly.

use kucoin_futures_proto::{ContractKind, ContractSpec, Decimal, Lots, Price};

use crate::indicator::ParameterError;

/// How lots and a price become a turnover.
///
/// *Linear*: the sum of price x lots x multiplier in quote currency, exact. *Inverse*: the sum of lots x multiplier /
/// price in coins, each fill cut to 12 decimals before it is added, as the exchange's simulation does it; the sum of
/// `n` fills is so at most `n` x 1e-12 coins too small.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Valuation {
    kind: ContractKind,
    /// Base coins per lot, or quote units per lot; above zero.
    lot_amount: Decimal,
}

/// Units of [`Valuation::units`]: prices and coins alike have 12 decimals.
const EXPONENT: i8 = -(Price::SCALE as i8);

impl Valuation {
    /// Of a linear contract with so many base coins per lot.
    ///
    /// # Errors
    /// [`ParameterError::NotPositive`] unless that is above zero.
    pub fn linear(multiplier: Decimal) -> Result<Self, ParameterError> {
        Self::of_amount(ContractKind::Linear, multiplier)
    }

    /// Of an inverse contract with so many quote units per lot; of the contract list's multiplier, which is below
    /// zero, without the sign.
    ///
    /// # Errors
    /// [`ParameterError::NotPositive`] unless that is above zero.
    pub fn inverse(multiplier: Decimal) -> Result<Self, ParameterError> {
        Self::of_amount(ContractKind::Inverse, multiplier)
    }

    /// Of a contract.
    ///
    /// # Errors
    /// [`ParameterError::NotPositive`]: none that is listed.
    pub fn new(spec: &ContractSpec) -> Result<Self, ParameterError> {
        let lot = spec.amount(Lots::new(1)).map_err(|_| ParameterError::TooLarge)?;
        Self::of_amount(spec.kind(), lot)
    }

    fn of_amount(kind: ContractKind, lot_amount: Decimal) -> Result<Self, ParameterError> {
        if lot_amount > Decimal::ZERO {
            Ok(Self { kind, lot_amount })
        } else {
            Err(ParameterError::NotPositive)
        }
    }

    /// Linear or inverse.
    #[must_use]
    pub const fn kind(&self) -> ContractKind {
        self.kind
    }

    /// Base coins per lot, quote units per lot of an inverse contract; above zero.
    #[must_use]
    pub const fn lot_amount(&self) -> Decimal {
        self.lot_amount
    }

    /// What a fill is worth, in a unit of its own: to be added up, and told by [`Self::turnover`]. `None` if it is
    /// too large, or an inverse contract was traded at a price of zero.
    #[inline]
    pub(crate) fn units(&self, price: Price, size: Lots) -> Option<i128> {
        let (price, lots) = (i128::from(price.scaled()), i128::from(size.get()));
        match self.kind {
            ContractKind::Linear => lots.checked_mul(price),
            ContractKind::Inverse => {
                // Lots x amount / price, in units of 1e-12 of both.
                let power = i16::from(self.lot_amount.exponent()).checked_add(24)?;
                let amount = lots.checked_mul(self.lot_amount.mantissa())?;
                scaled(amount, power)?.checked_div(price)
            }
        }
    }

    /// In quote currency; in coins for an inverse contract. `None` if it has more than 38 digits.
    pub(crate) fn turnover(&self, units: i128) -> Option<Decimal> {
        match self.kind {
            ContractKind::Linear => {
                let mantissa = units.checked_mul(self.lot_amount.mantissa())?;
                Decimal::new(mantissa, EXPONENT.checked_add(self.lot_amount.exponent())?)
            }
            ContractKind::Inverse => Decimal::new(units, EXPONENT),
        }
    }

    /// The least number of units that are worth an amount. `None` if they cannot be counted.
    pub(crate) fn units_of(&self, value: Decimal) -> Option<i128> {
        let power = i16::from(value.exponent()).checked_add(i16::from(Price::SCALE))?;
        match self.kind {
            ContractKind::Linear => {
                let power = power.checked_sub(i16::from(self.lot_amount.exponent()))?;
                let lot = self.lot_amount.mantissa();
                if power >= 0 {
                    ceil(scaled(value.mantissa(), power)?, lot)
                } else {
                    ceil(value.mantissa(), scaled(lot, power.checked_neg()?)?)
                }
            }
            ContractKind::Inverse if power >= 0 => scaled(value.mantissa(), power),
            ContractKind::Inverse => ceil(value.mantissa(), scaled(1, power.checked_neg()?)?),
        }
    }
}

/// `value * 10^power`, as far as it is a whole number that fits.
fn scaled(value: i128, power: i16) -> Option<i128> {
    value.checked_mul(10_i128.checked_pow(u32::try_from(power).ok()?)?)
}

fn ceil(value: i128, by: i128) -> Option<i128> {
    let whole = value.checked_div(by)?;
    let rest = value.checked_rem(by)?;
    whole.checked_add(i128::from(rest > 0))
}

/// The exact sum; `None` if it has more than 38 digits.
pub(crate) fn sum(a: Decimal, b: Decimal) -> Option<Decimal> {
    let ([a, b], unit) = lined_up(a, b)?;
    Decimal::new(a.checked_add(b)?, unit)
}

/// Both in units of the finer one, and its exponent.
pub(crate) fn lined_up(a: Decimal, b: Decimal) -> Option<([i128; 2], i8)> {
    let unit = match (a == Decimal::ZERO, b == Decimal::ZERO) {
        (true, _) => b.exponent(),
        (_, true) => a.exponent(),
        _ => a.exponent().min(b.exponent()),
    };
    let of = |value: Decimal| {
        if value == Decimal::ZERO {
            return Some(0);
        }
        scaled(value.mantissa(), i16::from(value.exponent()).checked_sub(i16::from(unit))?)
    };
    Some(([of(a)?, of(b)?], unit))
}

/// A price of decimal text; `None` if it is negative, too large or has more than 12 decimals.
pub(crate) fn price(value: Decimal) -> Option<Price> {
    let power = i16::from(value.exponent()).checked_add(i16::from(Price::SCALE))?;
    let units = if value == Decimal::ZERO { 0 } else { scaled(value.mantissa(), power)? };
    Price::from_scaled(i64::try_from(units).ok()?)
}
