//! A size of the book.

use core::fmt;
use core::str::FromStr;

use super::Decimal;
use serde::{Deserialize, Serialize};

use crate::error::WireError;

/// A size in whole lots (contracts). Not coins: a lot is `multiplier` coins, see `contracts/active`.
///
/// ```
/// use kucoin_futures_proto::Lots;
/// assert_eq!("12.0".parse::<Lots>()?, Lots::new(12));
/// assert!("0.5".parse::<Lots>().is_err());
/// # Ok::<(), kucoin_futures_proto::WireError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Lots(u64);

impl Lots {
    /// No lots: in a delta, "remove this level".
    pub const ZERO: Self = Self(0);

    /// That many lots.
    #[must_use]
    pub const fn new(lots: u64) -> Self {
        Self(lots)
    }

    /// The number of lots.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// Reads decimal text out of the key `field`; `12.0` is whole.
    pub(crate) fn parse(text: &[u8], field: &'static str) -> Result<Self, WireError> {
        let value = Decimal::parse(text).ok_or(WireError::OutOfRange { field })?;
        Self::from_decimal(value, field)
    }

    pub(crate) fn from_decimal(value: Decimal, field: &'static str) -> Result<Self, WireError> {
        if value.is_negative() {
            return Err(WireError::Negative { field });
        }
        if value.exponent() < 0 {
            return Err(WireError::NotWhole { field });
        }
        let lots = value.scaled(0).and_then(|lots| u64::try_from(lots).ok());
        lots.map(Self).ok_or(WireError::OutOfRange { field })
    }
}

impl FromStr for Lots {
    type Err = WireError;

    fn from_str(text: &str) -> Result<Self, WireError> {
        Self::parse(text.as_bytes(), "size")
    }
}

impl fmt::Display for Lots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Lots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
