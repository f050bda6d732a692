//! Numbers for people: rounded, which those for machines never are.

use kucoin_futures_proto::Decimal;

/// To so many places behind the point, half away from zero: `-0.125` to two is `-0.13`.
pub(crate) fn rounded(value: Decimal, places: u8) -> String {
    let Some(units) = units(value, places) else { return value.to_string() };
    let sign = if units < 0 { "-" } else { "" };
    let digits = units.unsigned_abs();
    let (places, unit) = (usize::from(places), 10_u128.pow(u32::from(places)));
    match places {
        0 => format!("{sign}{digits}"),
        _ => format!("{sign}{}.{:0places$}", digits / unit, digits % unit),
    }
}

/// A part of one as per cent, without the sign for that: `0.0123` is `1.23`.
pub(crate) fn percent(value: Decimal, places: u8) -> String {
    rounded(shifted(value, 2), places)
}

/// With the sign of the value, also if it is positive, and if nothing of it is left: `-0.00` is a little less than
/// nothing.
pub(crate) fn signed_percent(value: Decimal, places: u8) -> String {
    let text = percent(value, places);
    match value.mantissa().signum() {
        1 => format!("+{text}"),
        -1 if !text.starts_with('-') => format!("-{text}"),
        _ => text,
    }
}

/// In thousands, millions or billions: `1234567.8` is `1.23M`.
pub(crate) fn short(value: Decimal) -> String {
    let whole = units(value, 0).unwrap_or(i128::MAX).unsigned_abs();
    let (power, letter) = match whole {
        0..1_000 => (0, ""),
        1_000..1_000_000 => (-3, "k"),
        1_000_000..1_000_000_000 => (-6, "M"),
        _ => (-9, "B"),
    };
    format!("{}{letter}", rounded(shifted(value, power), 2))
}

/// How often `10^-places` is in it, rounded; `None` if that cannot be held.
fn units(value: Decimal, places: u8) -> Option<i128> {
    let power = i32::from(value.exponent()) + i32::from(places);
    let unit = 10_i128.checked_pow(power.unsigned_abs());
    if power >= 0 {
        return value.mantissa().checked_mul(unit?);
    }
    let Some(unit) = unit else { return Some(0) };
    let rest = value.mantissa() % unit;
    let up = i128::from(rest.unsigned_abs() >= unit.unsigned_abs() / 2) * rest.signum();
    Some(value.mantissa() / unit + up)
}

fn shifted(value: Decimal, power: i8) -> Decimal {
    let exponent = value.exponent().checked_add(power);
    exponent.and_then(|exponent| Decimal::new(value.mantissa(), exponent)).unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn what_is_rounded_is_rounded_half_away_from_zero() {
        for (text, places, expected) in [
            ("0.125", 2, "0.13"),
            ("-0.125", 2, "-0.13"),
            ("0.1249999", 2, "0.12"),
            ("12", 2, "12.00"),
            ("-0.001", 2, "0.00"),
            ("1.0E-5", 0, "0"),
            ("1e-90", 3, "0.000"),
            ("2.5", 0, "3"),
            ("99.996", 2, "100.00"),
        ] {
            assert_eq!(rounded(number(text), places), expected, "{text}");
        }
        assert_eq!(rounded(number("1e38"), 2), format!("1{}", "0".repeat(38)), "too large: exact");
    }

    #[test]
    fn rates_are_per_cent_and_amounts_are_short() {
        assert_eq!(percent(number("0.0001"), 4), "0.0100");
        assert_eq!(signed_percent(number("0.0123"), 2), "+1.23");
        assert_eq!(signed_percent(number("-0.0123"), 2), "-1.23");
        assert_eq!(signed_percent(number("-0.00001"), 2), "-0.00");
        assert_eq!(signed_percent(number("0.00001"), 2), "+0.00");
        assert_eq!(signed_percent(number("0.0"), 2), "0.00");
        assert_eq!(short(number("999")), "999.00");
        assert_eq!(short(number("1234567.8")), "1.23M");
        assert_eq!(short(number("-1500")), "-1.50k");
        assert_eq!(short(number("62000000000")), "62.00B");
    }
}
