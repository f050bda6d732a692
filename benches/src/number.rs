//! Prices as rivals read them: exact fixed point, an exact decimal type, or a float.

use rust_decimal::Decimal;

use crate::corpus::Units;

/// A price type that reads the text of a price.
pub trait Number: Copy {
    /// Reads `90631.2`.
    fn read(text: &str) -> Option<Self>;
}

/// Exact, in units of 1e-12: the least that exactness costs a rival.
impl Number for Units {
    fn read(text: &str) -> Option<Self> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let places = 12_u32.checked_sub(u32::try_from(fraction.len()).ok()?)?;
        let digits = whole.bytes().chain(fraction.bytes()).try_fold(0, |value, byte| {
            let digit = byte.wrapping_sub(b'0');
            if digit > 9 {
                None
            } else {
                Self::checked_mul(value, 10)?.checked_add(Self::from(digit))
            }
        });
        digits?.checked_mul(10_i64.pow(places))
    }
}

impl Number for Decimal {
    fn read(text: &str) -> Option<Self> {
        Self::from_str_exact(text).ok()
    }
}

/// Not exact; some books take nothing else.
impl Number for f64 {
    fn read(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}
