//! Where exact numbers become statistics, and nowhere else.

use ethnum::U256;
use kucoin_futures_proto::Price;

/// Units of a price in one of quote currency.
pub(crate) const UNITS: f64 = 1e12;

/// The price as the nearest `f64` if it has no more than 6 decimals, within one unit in the last place otherwise.
#[inline]
pub(crate) fn of_price(price: Price) -> f64 {
    of_units(price.scaled())
}

/// A difference of prices, likewise.
#[inline]
pub(crate) fn of_units(units: i64) -> f64 {
    const MICRO: i64 = 1_000_000;
    // Both numbers are exact then, and the division rounds once.
    if units % MICRO == 0 { (units / MICRO) as f64 / 1e6 } else { units as f64 / UNITS }
}

/// Rounded twice at most.
#[inline]
pub(crate) fn of_wide(value: U256) -> f64 {
    let (high, low) = value.into_words();
    if high == 0 { low as f64 } else { high as f64 * TWO_TO_128 + low as f64 }
}

const TWO_TO_128: f64 = 340_282_366_920_938_463_463_374_607_431_768_211_456.0;
