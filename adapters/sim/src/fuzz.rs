//! Bodies of the fuzz targets: plain functions, so that ordinary tests can run them, too.

use kucoin_futures_proto::{Decimal, Lots, Price};

/// Any text: numbers that are read come back from their own text, and the three types agree.
///
/// # Panics
/// A promise is broken.
pub fn decimal(bytes: &[u8]) {
    let Ok(text) = core::str::from_utf8(bytes) else { return };
    let Ok(value) = text.parse::<Decimal>() else {
        assert!(text.parse::<Price>().is_err(), "a price that is no decimal: {text}");
        assert!(text.parse::<Lots>().is_err(), "a size that is no decimal: {text}");
        return;
    };
    assert_eq!(value.to_string().parse::<Decimal>(), Ok(value), "{text}");
    assert_eq!(value.cmp(&value), core::cmp::Ordering::Equal);
    if let Ok(price) = text.parse::<Price>() {
        assert_eq!(Decimal::from(price), value, "{text}");
        assert_eq!(price.to_string(), value.to_string(), "{text}");
    }
    if let Ok(lots) = text.parse::<Lots>() {
        assert_eq!(lots.to_string(), value.to_string(), "{text}");
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn decimal_holds_for_numbers_and_for_noise(
            number in "-?[0-9]{0,40}(\\.[0-9]{0,40})?([eE][+-]?[0-9]{0,4})?",
            noise: Vec<u8>,
        ) {
            super::decimal(number.as_bytes());
            super::decimal(&noise);
        }
    }
}
