//! A price of the book.

use core::fmt;
use core::str::FromStr;

use super::Decimal;
use serde::{Deserialize, Serialize};

use crate::error::WireError;

/// An exact price in quote currency, zero or more, with up to 12 decimals and up to 9.2 million.
///
/// One private scale for all symbols, so that no tick size has to be known: the finest tick listed
/// is 1e-8 and the exchange's `maxPrice` is 1e6. `84474`, `84474.0` and `8.4474E4` are one price.
///
/// ```
/// use kucoin_futures_proto::Price;
/// let price: Price = "84474.0".parse()?;
/// assert_eq!(price, "84474".parse()?);
/// assert_eq!(price.to_string(), "84474");
/// assert!("-1".parse::<Price>().is_err());
/// # Ok::<(), kucoin_futures_proto::WireError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Price(i64);

impl Price {
    /// Decimals kept: the unit of [`Price::scaled`] is 1e-12.
    pub const SCALE: u8 = 12;
    /// Zero, which no level ever has.
    pub const ZERO: Self = Self(0);
    /// The largest price: about 9.2 million.
    pub const MAX: Self = Self(i64::MAX);

    /// From a number of 1e-12 units; `None` if it is negative.
    #[must_use]
    pub const fn from_scaled(units: i64) -> Option<Self> {
        if units < 0 { None } else { Some(Self(units)) }
    }

    /// The price in units of 1e-12. Sums of products belong in `i128`.
    #[must_use]
    pub const fn scaled(self) -> i64 {
        self.0
    }

    /// The same number, which is never negative.
    pub(crate) const fn units(self) -> u64 {
        self.0 as u64
    }

    /// From such a number, which is below 2^63.
    pub(crate) const fn from_units(units: u64) -> Self {
        debug_assert!(units <= i64::MAX as u64, "no price is that high");
        Self(units as i64)
    }

    /// Reads decimal text out of the key `field`.
    pub(crate) fn parse(text: &[u8], field: &'static str) -> Result<Self, WireError> {
        let decimal = Decimal::parse(text).ok_or(WireError::OutOfRange { field })?;
        Self::from_decimal(decimal, field)
    }

    pub(crate) fn from_decimal(value: Decimal, field: &'static str) -> Result<Self, WireError> {
        if value.is_negative() {
            return Err(WireError::Negative { field });
        }
        if i16::from(value.exponent()) < -i16::from(Self::SCALE) {
            return Err(WireError::TooPrecise { field });
        }
        let units = value.scaled(Self::SCALE).and_then(|units| i64::try_from(units).ok());
        units.map(Self).ok_or(WireError::OutOfRange { field })
    }
}

impl From<Price> for Decimal {
    fn from(price: Price) -> Self {
        Self::new(i128::from(price.0), -12).unwrap_or(Self::ZERO)
    }
}

impl FromStr for Price {
    type Err = WireError;

    fn from_str(text: &str) -> Result<Self, WireError> {
        Self::parse(text.as_bytes(), "price")
    }
}

/// Shortest plain form: no exponent, no trailing zeros.
impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&Decimal::from(*self), f)
    }
}

impl fmt::Debug for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
