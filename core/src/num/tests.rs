use std::cmp::Ordering;
use std::format;
use std::string::{String, ToString};

use proptest::prelude::*;

use super::{Decimal, Lots, Price};
use crate::error::WireError;

const FIELD: &str = "price";

#[test]
fn one_price_may_be_written_in_many_ways() {
    let many_zeros = format!("84474.{}", "0".repeat(400));
    for text in ["84474.0", "8.4474E4", "8.4474e+4", "844740e-1", "84474.000000000000000"] {
        assert_eq!(price(text), price("84474"), "{text}");
    }
    assert_eq!(price(&many_zeros), price("84474"));
    assert_eq!(price("84474").unwrap().to_string(), "84474");
    for zero in ["0", "0.0", "-0", "0E-8", "0e400"] {
        assert_eq!(price(zero), Ok(Price::ZERO), "{zero}");
    }
}

#[test]
fn whatever_is_not_a_plain_decimal_is_refused() {
    let endless = "7".repeat(400);
    for text in [
        "", " ", "-", "+", ".", "NaN", "nan", "inf", "-inf", "Infinity", "+1", ".5", "1.", "-.5",
        "00.1", "01", "-01", "1e", "1e+", "e5", "1.e5", "1e1.5", "1e5 ", " 1", "1 ", "1_000",
        "1,5", "0x10", "1.2.3", "--1", "1-", "１", "1\0", "1e999", "1e-999", &endless,
    ] {
        assert!(text.parse::<Decimal>().is_err(), "{text:?} as a decimal");
        assert!(price(text).is_err(), "{text:?} as a price");
        assert!(lots(text).is_err(), "{text:?} as a size");
    }
}

#[test]
fn a_price_says_why_it_is_refused() {
    for (text, error) in [
        ("-1", WireError::Negative { field: FIELD }),
        ("-0.000000000001", WireError::Negative { field: FIELD }),
        ("0.0000000000001", WireError::TooPrecise { field: FIELD }),
        ("1.0000000000001", WireError::TooPrecise { field: FIELD }),
        ("1e999", WireError::OutOfRange { field: FIELD }),
        ("9223372.036854775808", WireError::OutOfRange { field: FIELD }),
        ("10000000", WireError::OutOfRange { field: FIELD }),
        ("x", WireError::OutOfRange { field: FIELD }),
    ] {
        assert_eq!(price(text), Err(error), "{text}");
    }
    assert_eq!(price("9223372.036854775807"), Ok(Price::MAX));
    assert_eq!(price("0.000000000001").unwrap().scaled(), 1, "the unit");
    assert_eq!(price("0.0000000000010").unwrap().scaled(), 1, "zeros beyond the scale are none");
    assert_eq!(Price::from_scaled(-1), None);
}

#[test]
fn a_size_is_whole_or_refused() {
    for (text, size) in [("0", 0), ("12", 12), ("12.0", 12), ("1.2E1", 12), ("120e-1", 12)] {
        assert_eq!(lots(text), Ok(Lots::new(size)), "{text}");
    }
    assert_eq!(lots("18446744073709551615"), Ok(Lots::new(u64::MAX)));
    let field = "size";
    for (text, error) in [
        ("0.5", WireError::NotWhole { field }),
        ("12.01", WireError::NotWhole { field }),
        ("1e-1", WireError::NotWhole { field }),
        ("-1", WireError::Negative { field }),
        ("-0.5", WireError::Negative { field }),
        ("18446744073709551616", WireError::OutOfRange { field }),
        ("1e20", WireError::OutOfRange { field }),
        ("1e100", WireError::OutOfRange { field }),
    ] {
        assert_eq!(lots(text), Err(error), "{text}");
    }
}

#[test]
fn lowest_terms_have_no_trailing_zero() {
    let half = Decimal::new(500, -3).unwrap();
    assert_eq!((half.mantissa(), half.exponent()), (5, -1));
    assert_eq!(Decimal::new(0, 99), Some(Decimal::ZERO));
    assert_eq!(Decimal::new(10, 127), None, "1e128");
    assert_eq!(Decimal::new(10, 126), Decimal::new(1, 127));
    let long = "1e127".parse::<Decimal>().unwrap().to_string();
    assert_eq!(long, format!("1{}", "0".repeat(127)));
}

#[test]
fn the_longest_mantissa_is_ordered_too() {
    let longest = Decimal::new(i128::MAX, 0).unwrap();
    for (text, order) in [("9e38", Ordering::Less), ("1e38", Ordering::Greater)] {
        assert_eq!(longest.cmp(&text.parse().unwrap()), order, "{text}");
        assert_eq!(text.parse::<Decimal>().unwrap().cmp(&longest), order.reverse(), "{text}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_decimal_means_what_its_digits_say(text in number()) {
        let parsed: Decimal = text.parse().unwrap();
        prop_assert_eq!(parsed.to_string(), canonical(&text));
    }

    #[test]
    fn a_decimal_survives_being_shown(mantissa: i128, exponent in -100_i8..=80) {
        // The least mantissa alone has no counterpart of the other sign.
        let decimal = Decimal::new(mantissa.max(-i128::MAX), exponent).unwrap();
        prop_assert_eq!(decimal.to_string().parse(), Ok(decimal));
    }

    #[test]
    fn decimals_are_ordered_as_their_digits_are(
        (a, b) in prop_oneof![(number(), number()), near()],
    ) {
        let ours = a.parse::<Decimal>().unwrap().cmp(&b.parse().unwrap());
        prop_assert_eq!(ours, compare(&canonical(&a), &canonical(&b)), "{} and {}", a, b);
    }

    #[test]
    fn a_price_survives_being_shown_and_keeps_its_order(a in 0..=i64::MAX, b in 0..=i64::MAX) {
        let (low, high) = (Price::from_scaled(a).unwrap(), Price::from_scaled(b).unwrap());
        prop_assert_eq!(price(&low.to_string()), Ok(low));
        prop_assert_eq!(low.cmp(&high), Decimal::from(low).cmp(&Decimal::from(high)));
        prop_assert_eq!(Decimal::from(low).to_string(), low.to_string());
    }

    #[test]
    fn a_price_is_its_decimal_in_units_of_the_scale(text in "[0-9]{1,9}(\\.[0-9]{1,14})?") {
        let digits = canonical(&text);
        let (whole, part) = digits.split_once('.').unwrap_or((&digits, ""));
        let expected = (part.len() <= 12).then(|| format!("{whole}{part:0<12}").parse().ok());
        let text = if text.starts_with('0') { digits.clone() } else { text };
        prop_assert_eq!(price(&text).ok().map(Price::scaled), expected.flatten());
    }

    #[test]
    fn text_of_any_kind_is_read_or_refused_as_json_does(text in "[-+.eE0-9 ]{0,12}") {
        let json = serde_json::from_str::<Json<'_>>(&text).is_ok_and(|json| json.get() == text);
        let ours = text.parse::<Decimal>().is_ok();
        // Only size may come between the two: the grammar is the same.
        prop_assert!(!ours || json, "{} is no number", text);
        let small = text.len() <= 9 && !text.contains(['e', 'E']);
        prop_assert!(!small || ours == json, "{} is a number", text);
    }
}

type Json<'a> = &'a serde_json::value::RawValue;

fn price(text: &str) -> Result<Price, WireError> {
    text.parse()
}

fn lots(text: &str) -> Result<Lots, WireError> {
    text.parse()
}

/// Numbers of up to 38 digits in all.
fn number() -> impl Strategy<Value = String> {
    "-?(0|[1-9][0-9]{0,18})(\\.[0-9]{1,19})?([eE][+-]?[0-9]{1,2})?"
}

/// Pairs that differ late or not at all, so that order is not decided by the first digit.
fn near() -> impl Strategy<Value = (String, String)> {
    ("-?[1-9]", "[0-9]{0,20}", 0_u8..20, "[0-9]?", "[0-9]?").prop_map(|(head, tail, e, x, y)| {
        (format!("{head}{tail}{x}e-{e}"), format!("{head}{tail}{y}e-{e}"))
    })
}

/// What a number is on paper: move the point, strip zeros.
fn canonical(text: &str) -> String {
    let (digits, power) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let power: i32 = power.parse().unwrap();
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits), |digits| ("-", digits));
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let pad = "0".repeat(130);
    let all = format!("{pad}{whole}{part}{pad}");
    let point = pad.len() + whole.len();
    let point = point.checked_add_signed(power as isize).unwrap();
    let (whole, part) = all.split_at(point);
    let (whole, part) = (whole.trim_start_matches('0'), part.trim_end_matches('0'));
    match (whole, part) {
        ("", "") => "0".into(),
        (whole, "") => format!("{sign}{whole}"),
        ("", part) => format!("{sign}0.{part}"),
        (whole, part) => format!("{sign}{whole}.{part}"),
    }
}

/// Compares what `canonical` gave, as text.
fn compare(a: &str, b: &str) -> Ordering {
    let sign = |text: &str| if text == "0" { 0 } else { 1 - 2 * i8::from(text.starts_with('-')) };
    let by_sign = sign(a).cmp(&sign(b));
    if by_sign != Ordering::Equal || a == "0" {
        return by_sign;
    }
    let split = |text: &str| {
        let text = text.trim_start_matches('-');
        let (whole, part) = text.split_once('.').unwrap_or((text, ""));
        (whole.len(), String::from(whole), String::from(part))
    };
    let by_size = split(a).cmp(&split(b));
    if sign(a) > 0 { by_size } else { by_size.reverse() }
}
