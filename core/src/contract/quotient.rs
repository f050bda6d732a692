//! Products and quotients of decimals. `None` is what does not fit into 38 digits, never a wrapped number.

use crate::num::Decimal;

/// Exact.
pub(super) fn product(a: Decimal, b: Decimal) -> Option<Decimal> {
    let (mantissa, power) = match a.mantissa().checked_mul(b.mantissa()) {
        Some(mantissa) => (mantissa, 0),
        // A five of the one and a two of the other make a ten, which need not be multiplied out.
        None => reduced_product(a.mantissa(), b.mantissa())?,
    };
    let exponent = i16::from(a.exponent()).checked_add(i16::from(b.exponent()))?;
    decimal(mantissa, exponent.checked_add(power)?)
}

/// A product without some of its tens, and how many.
fn reduced_product(mut a: i128, mut b: i128) -> Option<(i128, i16)> {
    let mut tens = 0_i16;
    while a % 5 == 0 && b % 2 == 0 {
        (a, b, tens) = (a / 5, b / 2, tens.checked_add(1)?);
    }
    while a % 2 == 0 && b % 5 == 0 {
        (a, b, tens) = (a / 2, b / 5, tens.checked_add(1)?);
    }
    Some((a.checked_mul(b)?, tens))
}

/// `a / b` of decimals that are not below zero, with at most so many decimals: exact if it comes to an end
/// within them, else rounded down. `None` also for `b` of zero.
pub(super) fn quotient(a: Decimal, b: Decimal, decimals: u8) -> Option<Decimal> {
    // Digit by digit, so that no numerator has to be made larger than it is.
    let mut value = a.mantissa().checked_div(b.mantissa())?;
    let mut rest = a.mantissa().checked_rem(b.mantissa())?;
    let mut exponent = i16::from(a.exponent()).checked_sub(i16::from(b.exponent()))?;
    let last = i16::from(decimals).checked_neg()?;
    while rest != 0 && exponent > last {
        rest = rest.checked_mul(10)?;
        value = value.checked_mul(10)?.checked_add(rest.checked_div(b.mantissa())?)?;
        rest = rest.checked_rem(b.mantissa())?;
        exponent = exponent.checked_sub(1)?;
    }
    while exponent < last {
        value /= 10;
        exponent = exponent.checked_add(1)?;
    }
    decimal(value, exponent)
}

/// The whole part of `a / b`, of decimals that are not below zero.
pub(super) fn whole_quotient(a: Decimal, b: Decimal) -> Option<i128> {
    quotient(a, b, 0)?.scaled(0)
}

fn decimal(mantissa: i128, exponent: i16) -> Option<Decimal> {
    // Brought to lowest terms before the exponent has to fit.
    let (mut mantissa, mut exponent) = (mantissa, exponent);
    while exponent < i16::from(i8::MIN) && mantissa % 10 == 0 && mantissa != 0 {
        (mantissa, exponent) = (mantissa / 10, exponent.checked_add(1)?);
    }
    if mantissa == 0 {
        return Some(Decimal::ZERO);
    }
    Decimal::new(mantissa, i8::try_from(exponent).ok()?)
}

/// `a + b`, exact.
pub(super) fn sum(a: Decimal, b: Decimal) -> Option<Decimal> {
    together(a, b, i128::checked_add)
}

/// `a - b`, exact.
pub(super) fn difference(a: Decimal, b: Decimal) -> Option<Decimal> {
    together(a, b, i128::checked_sub)
}

/// Of both as so many of the unit that is finer.
fn together(a: Decimal, b: Decimal, of: fn(i128, i128) -> Option<i128>) -> Option<Decimal> {
    let finer = a.exponent().min(b.exponent()).min(0);
    let scale = finer.unsigned_abs();
    Decimal::new(of(a.scaled(scale)?, b.scaled(scale)?)?, finer)
}
