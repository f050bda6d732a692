//! The name of a currency.

use core::fmt;
use core::str::FromStr;

use crate::error::Misuse;
use crate::ids::Symbol;
use crate::text_serde::serde_as_text;

/// A currency as the exchange writes it, such as `USDT`. Bitcoin is `XBT` here.
///
/// 1 to 23 characters out of `A-Z a-z 0-9 . _ -`, as a [`Symbol`]; kept inline, `Copy`.
///
/// ```
/// use kucoin_futures_proto::Currency;
/// let currency: Currency = "USDT".parse()?;
/// assert_eq!(currency.as_str(), "USDT");
/// assert!("US DT".parse::<Currency>().is_err());
/// # Ok::<(), kucoin_futures_proto::Misuse>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency(Symbol);

impl Currency {
    /// Takes a name as written.
    ///
    /// # Errors
    /// [`Misuse::InvalidCurrency`] if it is empty, too long, or could break out of an address.
    pub fn new(text: &str) -> Result<Self, Misuse> {
        Symbol::new(text).map(Self).map_err(|_| Misuse::InvalidCurrency)
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl FromStr for Currency {
    type Err = Misuse;

    fn from_str(text: &str) -> Result<Self, Misuse> {
        Self::new(text)
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

serde_as_text!(Currency, "the name of a currency");

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}
