//! A decimal number of any size the exchange sends, kept as its digits.

use core::cmp::Ordering;
use core::fmt;
use core::str::FromStr;

use crate::error::WireError;

/// `mantissa * 10^exponent`, exact, in lowest terms (no trailing zero in the mantissa).
///
/// For everything that is neither a book price nor a size: rates, turnover, multipliers. Read with
/// JSON's number grammar, also out of a string; exponent forms such as `1.0E-5` and `0E-8` occur
/// on the wire. Up to 38 significant digits.
///
/// ```
/// use kucoin_futures_proto::Decimal;
/// let rate: Decimal = "1.0E-5".parse()?;
/// assert_eq!(rate.to_string(), "0.00001");
/// assert_eq!("110110.10".parse::<Decimal>()?, "110110.1".parse()?);
/// # Ok::<(), kucoin_futures_proto::WireError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Decimal {
    // In two words and with a byte that is never anything else: an `Option` of it needs no more room, half of what
    // it would need around an `i128`. Messages have up to thirty.
    high: i64,
    low: u64,
    exponent: i8,
    niche: Niche,
}

/// A byte of which all other values are left to `Option`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
#[repr(u8)]
enum Niche {
    #[default]
    Number,
}

impl Decimal {
    /// Zero.
    pub const ZERO: Self = Self::of_parts(0, 0);

    const fn of_parts(mantissa: i128, exponent: i8) -> Self {
        Self { high: (mantissa >> 64) as i64, low: mantissa as u64, exponent, niche: Niche::Number }
    }

    /// `mantissa * 10^exponent`, brought to lowest terms.
    ///
    /// `None` if the lowest terms need an exponent beyond 127.
    #[must_use]
    pub const fn new(mut mantissa: i128, exponent: i8) -> Option<Self> {
        if mantissa == 0 {
            return Some(Self::ZERO);
        }
        let mut exponent = exponent as i16;
        while mantissa % 10 == 0 {
            mantissa /= 10;
            exponent = exponent.saturating_add(1);
        }
        if exponent > i8::MAX as i16 {
            return None;
        }
        Some(Self::of_parts(mantissa, exponent as i8))
    }

    /// All significant digits, with the sign.
    #[must_use]
    pub const fn mantissa(self) -> i128 {
        (self.high as i128) << 64 | self.low as i128
    }

    /// The power of ten that the mantissa is multiplied with.
    #[must_use]
    pub const fn exponent(self) -> i8 {
        self.exponent
    }

    /// Whether it is below zero.
    #[must_use]
    pub const fn is_negative(self) -> bool {
        self.high < 0
    }

    /// Mantissa and exponent, if the first is short.
    pub(crate) fn short_parts(self) -> Option<(i64, i8)> {
        Some((i64::try_from(self.mantissa()).ok()?, self.exponent))
    }

    /// Of what [`short_parts`](Self::short_parts) gave.
    pub(crate) const fn of_short_parts(mantissa: i64, exponent: i8) -> Self {
        Self::of_parts(mantissa as i128, exponent)
    }

    /// Of digits of which so many, nineteen at most, stand behind the point.
    pub(crate) const fn of_digits(is_negative: bool, mut digits: u64, places: u8) -> Self {
        if digits == 0 {
            return Self::ZERO;
        }
        let mut exponent = (places as i8).wrapping_neg();
        while digits.is_multiple_of(10) {
            digits /= 10;
            exponent = exponent.wrapping_add(1);
        }
        let mantissa = digits as i128;
        Self::of_parts(if is_negative { mantissa.wrapping_neg() } else { mantissa }, exponent)
    }

    /// `self * 10^scale` as an integer; `None` if that is not whole or does not fit.
    pub(crate) fn scaled(self, scale: u8) -> Option<i128> {
        let power = i16::from(self.exponent).checked_add(i16::from(scale))?;
        if self.mantissa() == 0 {
            return Some(0);
        }
        let factor = 10_i128.checked_pow(u32::try_from(power).ok()?)?;
        self.mantissa().checked_mul(factor)
    }

    /// Reads JSON's number grammar: `-? (0 | [1-9][0-9]*) (. [0-9]+)? ([eE] [+-]? [0-9]+)?`.
    pub(crate) fn parse(text: &[u8]) -> Option<Self> {
        let (negative, rest) = match text.split_first()? {
            (b'-', rest) => (true, rest),
            _ => (false, text),
        };
        let (whole, rest) = split_digits(rest);
        if whole.is_empty() || (whole.len() > 1 && whole.first() == Some(&b'0')) {
            return None;
        }
        let (fraction, rest) = match rest.split_first() {
            Some((b'.', rest)) => match split_digits(rest) {
                ([], _) => return None,
                split => split,
            },
            _ => (&[][..], rest),
        };
        let power = parse_exponent(rest)?;

        let digits = match short_digits(whole, fraction) {
            Some(digits) => digits,
            None => {
                let mut digits = Digits::default();
                whole.iter().chain(fraction).try_for_each(|&digit| digits.push(digit))?;
                digits
            }
        };
        if digits.value == 0 {
            return Some(Self::ZERO);
        }
        let places = i64::try_from(fraction.len()).ok()?;
        let exponent = power.checked_sub(places)?.checked_add(i64::from(digits.zeros))?;
        let mantissa = if negative { digits.value.checked_neg()? } else { digits.value };
        Some(Self::of_parts(mantissa, i8::try_from(exponent).ok()?))
    }
}

/// Significant digits so far; zeros are held back until another digit proves them significant, so
/// that any number of trailing zeros fits.
#[derive(Default)]
struct Digits {
    value: i128,
    zeros: u32,
}

impl Digits {
    fn push(&mut self, digit: u8) -> Option<()> {
        if digit == b'0' {
            if self.value != 0 {
                self.zeros = self.zeros.checked_add(1)?;
            }
            return Some(());
        }
        for _ in 0..core::mem::take(&mut self.zeros) {
            self.value = self.value.checked_mul(10)?;
        }
        let digit = i128::from(digit.wrapping_sub(b'0'));
        self.value = self.value.checked_mul(10)?.checked_add(digit)?;
        Some(())
    }
}

/// Digits that surely fit into 64 bits: the usual case, without wide arithmetic.
fn short_digits(whole: &[u8], fraction: &[u8]) -> Option<Digits> {
    if whole.len().checked_add(fraction.len())? > 18 {
        return None;
    }
    let digits = whole.iter().chain(fraction);
    let value = digits.fold(0_u64, |sum, digit| {
        sum.wrapping_mul(10).wrapping_add(u64::from(digit.wrapping_sub(b'0')))
    });
    let (mut value, mut zeros) = (value, 0_u32);
    while value != 0 && value % 10 == 0 {
        value /= 10;
        zeros = zeros.wrapping_add(1);
    }
    Some(Digits { value: i128::from(value), zeros })
}

fn split_digits(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text.iter().position(|b| !b.is_ascii_digit()).unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or((text, &[]))
}

/// An absent exponent is 0. Absurd ones are cut to a value that no number can be in range with.
fn parse_exponent(text: &[u8]) -> Option<i64> {
    let Some((b'e' | b'E', rest)) = text.split_first() else {
        return text.is_empty().then_some(0);
    };
    let (negative, rest) = match rest.split_first()? {
        (b'-', rest) => (true, rest),
        (b'+', rest) => (false, rest),
        _ => (false, rest),
    };
    let (digits, rest) = split_digits(rest);
    if digits.is_empty() || !rest.is_empty() {
        return None;
    }
    let size = digits.iter().fold(0_i64, |sum, digit| {
        sum.saturating_mul(10).saturating_add(i64::from(digit.wrapping_sub(b'0'))).min(1 << 40)
    });
    Some(if negative { size.saturating_neg() } else { size })
}

impl FromStr for Decimal {
    type Err = WireError;

    fn from_str(text: &str) -> Result<Self, WireError> {
        Self::parse(text.as_bytes()).ok_or(WireError::OutOfRange { field: "decimal" })
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        let sign = |d: &Self| d.mantissa().signum();
        let by_sign = sign(self).cmp(&sign(other));
        if by_sign != Ordering::Equal || self.mantissa() == 0 {
            return by_sign;
        }
        let by_size = magnitude(*self).cmp(&magnitude(*other)).then_with(|| {
            // Equal position of the first digit: line the shorter mantissa up with the longer.
            let (a, b) = (self.mantissa().unsigned_abs(), other.mantissa().unsigned_abs());
            let shift = self.exponent.abs_diff(other.exponent);
            let up = |v: u128| 10_u128.checked_pow(u32::from(shift)).and_then(|f| v.checked_mul(f));
            if self.exponent >= other.exponent {
                up(a).map_or(Ordering::Greater, |a| a.cmp(&b))
            } else {
                up(b).map_or(Ordering::Less, |b| a.cmp(&b))
            }
        });
        if self.mantissa() > 0 { by_size } else { by_size.reverse() }
    }
}

/// The power of ten of the first digit.
fn magnitude(value: Decimal) -> i64 {
    let digits = value.mantissa().unsigned_abs().checked_ilog10().unwrap_or(0);
    i64::from(digits).saturating_add(i64::from(value.exponent))
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Shortest plain form: no exponent, no trailing zeros.
impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.mantissa() < 0 {
            f.write_str("-")?;
        }
        let digits = self.mantissa().unsigned_abs();
        if self.exponent >= 0 {
            write!(f, "{digits}")?;
            return (0..self.exponent).try_for_each(|_| f.write_str("0"));
        }
        let places = usize::from(self.exponent.unsigned_abs());
        let unit = u32::try_from(places).ok().and_then(|places| 10_u128.checked_pow(places));
        let (whole, part) = match unit {
            Some(unit) => (
                digits.checked_div(unit).unwrap_or_default(),
                digits.checked_rem(unit).unwrap_or_default(),
            ),
            None => (0, digits),
        };
        write!(f, "{whole}.{part:0places$}")
    }
}

impl fmt::Debug for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
