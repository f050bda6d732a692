//! Numbers as text.

use kucoin_futures_proto::{Decimal, Lots, Price};

use super::json::{is_number, units};

/// Any text: numbers that are read come back from their own text, the three types agree, and price
/// and size are what the digits say on paper.
///
/// # Panics
/// A promise is broken.
pub fn decimal(bytes: &[u8]) {
    let Ok(text) = core::str::from_utf8(bytes) else { return };
    let price = text.parse::<Price>();
    let lots = text.parse::<Lots>();
    assert_eq!(
        price.map(|price| price.scaled().unsigned_abs()).ok(),
        units(text, 12, i64::MAX as u64)
    );
    assert_eq!(lots.map(Lots::get).ok(), units(text, 0, u64::MAX), "{text}");
    let Ok(value) = text.parse::<Decimal>() else {
        assert!(price.is_err(), "a price that is no decimal: {text}");
        assert!(lots.is_err(), "a size that is no decimal: {text}");
        return;
    };
    assert!(is_number(text), "{text}");
    assert_eq!(value.to_string().parse::<Decimal>(), Ok(value), "{text}");
    assert_eq!(value.cmp(&value), core::cmp::Ordering::Equal);
    if let Ok(price) = price {
        assert_eq!(Decimal::from(price), value, "{text}");
        assert_eq!(price.to_string(), value.to_string(), "{text}");
    }
    if let Ok(lots) = lots {
        assert_eq!(lots.to_string(), value.to_string(), "{text}");
    }
}
