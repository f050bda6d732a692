//! The arithmetic of a contract: lots, coins, values and ticks, exactly.

mod fill;
mod quotient;
#[cfg(test)]
mod tests;

use core::fmt;
use core::time::Duration;

use crate::currency::Currency;
use crate::error::WireError;
use crate::ids::Symbol;
use crate::num::{Decimal, Lots, Price};
use crate::time::UnixNanos;
use crate::wire::Contract;
pub use fill::ExpectedFill;
use quotient::{product, quotient, whole_quotient};

/// What a contract is, and what follows from that for sizes and prices. Made from a row of the contract list;
/// `Copy`, and valid as long as the exchange does not change its terms: make a new one every day.
///
/// A *linear* contract is a number of base coins per lot, priced and settled in its quote currency. An
/// *inverse* one is a number of quote units per lot, priced in quote and settled in its base coin.
///
/// Nothing is ever rounded but where a method says so, and what does not fit is an error.
///
/// ```
/// use kucoin_futures_proto::{ContractSpec, Lots, Price};
/// use kucoin_futures_proto::wire::Contracts;
///
/// let body = br#"{"code":"200000","data":[{"symbol":"ETHUSDTM","status":"Open","multiplier":0.01,
///     "tickSize":0.05,"lotSize":1,"isInverse":false,"settleCurrency":"USDT"}]}"#;
/// let row = Contracts::parse(body)?.iter().next().unwrap()?;
/// let spec = ContractSpec::new(&row)?;
/// let price: Price = "2000.1".parse()?;
/// assert_eq!(spec.base_amount(Lots::new(7), price).unwrap().to_string(), "0.07");
/// assert_eq!(spec.value(Lots::new(7), price).unwrap().to_string(), "140.007");
/// assert_eq!(spec.lots_within("150".parse()?, price).unwrap(), Lots::new(7));
/// assert!(spec.is_on_tick(price));
/// # Ok::<(), kucoin_futures_proto::WireError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ContractSpec {
    symbol: Symbol,
    kind: ContractKind,
    base: Option<Currency>,
    quote: Option<Currency>,
    settle: Option<Currency>,
    /// Base coins per lot, or quote units per lot; above zero.
    lot_amount: Decimal,
    tick: Price,
    lot: Lots,
    max_order: Option<Lots>,
    max_market_order: Option<Lots>,
    max_price: Option<Price>,
    is_dated: bool,
    expires: Option<UnixNanos>,
    settles: Option<UnixNanos>,
    funding_interval: Option<Duration>,
}

/// What a lot is an amount of.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[allow(clippy::exhaustive_enums, reason = "the exchange has no others")]
pub enum ContractKind {
    /// Of base coins; settled in quote currency.
    Linear,
    /// Of quote currency; settled in base coins.
    Inverse,
}

/// Why there is no number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum ContractError {
    /// It has more than 38 digits, or is larger than its type.
    Overflow,
    /// A price of zero values nothing.
    ZeroPrice,
    /// A value below zero buys nothing.
    Negative,
    /// Fewer lots than one may order.
    TooSmall {
        /// The fewest.
        least: Lots,
    },
    /// More lots than one may order.
    TooLarge {
        /// The most.
        most: Lots,
    },
    /// Lots between two steps.
    NotAStep {
        /// The step.
        step: Lots,
    },
    /// A price between two ticks.
    OffTick {
        /// The tick.
        tick: Price,
    },
    /// A price above the highest of an order.
    TooExpensive {
        /// The highest.
        most: Price,
    },
}

impl fmt::Display for ContractError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Overflow => f.write_str("a number that is too large"),
            Self::ZeroPrice => f.write_str("a price of zero"),
            Self::Negative => f.write_str("a value below zero"),
            Self::TooSmall { least } => write!(f, "fewer than {least} lots"),
            Self::TooLarge { most } => write!(f, "more than {most} lots"),
            Self::NotAStep { step } => write!(f, "not a multiple of {step} lots"),
            Self::OffTick { tick } => write!(f, "not a multiple of the tick {tick}"),
            Self::TooExpensive { most } => write!(f, "a price above {most}"),
        }
    }
}

impl core::error::Error for ContractError {}

impl ContractSpec {
    /// Decimals of a value that does not come to an end: 18, as many as the finest coin has.
    pub const VALUE_DECIMALS: u8 = 18;

    /// Of a row of the contract list.
    ///
    /// # Errors
    /// [`WireError::OutOfRange`] for a multiplier of zero or of the wrong sign (inverse contracts have one below
    /// zero), a tick or a lot of zero; [`WireError::TooPrecise`] for a tick of more than 12 decimals,
    /// [`WireError::NotWhole`] for a part of a lot, [`WireError::Negative`].
    pub fn new(row: &Contract<'_>) -> Result<Self, WireError> {
        let kind = if row.is_inverse { ContractKind::Inverse } else { ContractKind::Linear };
        let out = |field| WireError::OutOfRange { field };
        let multiplier = row.multiplier.mantissa();
        let is_right = if row.is_inverse { multiplier < 0 } else { multiplier > 0 };
        let lot_amount = multiplier
            .checked_abs()
            .filter(|_| is_right)
            .and_then(|mantissa| Decimal::new(mantissa, row.multiplier.exponent()));
        let tick = Price::from_decimal(row.tick_size, "tickSize")?;
        let lot = Lots::from_decimal(row.lot_size, "lotSize")?;
        Ok(Self {
            symbol: row.symbol,
            kind,
            base: row.base_currency,
            quote: row.quote_currency,
            settle: row.settle_currency,
            lot_amount: lot_amount.ok_or_else(|| out("multiplier"))?,
            tick: Some(tick).filter(|tick| *tick > Price::ZERO).ok_or_else(|| out("tickSize"))?,
            lot: Some(lot).filter(|lot| *lot > Lots::ZERO).ok_or_else(|| out("lotSize"))?,
            max_order: row.max_order_size,
            max_market_order: row.max_market_order_size,
            max_price: row.max_price.and_then(|price| Price::from_decimal(price, "maxPrice").ok()),
            is_dated: row.is_dated(),
            expires: row.expires,
            settles: row.settles,
            funding_interval: row.current_funding_interval.or(row.funding_interval),
        })
    }

    // Terms.

    /// Its name.
    #[must_use]
    pub const fn symbol(&self) -> Symbol {
        self.symbol
    }

    /// Linear or inverse.
    #[must_use]
    pub const fn kind(&self) -> ContractKind {
        self.kind
    }

    /// The coin that is priced.
    #[must_use]
    pub const fn base(&self) -> Option<Currency> {
        self.base
    }

    /// What prices are in.
    #[must_use]
    pub const fn quote(&self) -> Option<Currency> {
        self.quote
    }

    /// What values are in: the quote currency, or the coin of an inverse contract.
    #[must_use]
    pub const fn settle(&self) -> Option<Currency> {
        self.settle
    }

    /// What a lot is an amount of: base coins, or quote units of an inverse contract. Above zero.
    #[must_use]
    pub const fn lot_amount(&self) -> Decimal {
        self.lot_amount
    }

    /// Smallest price step. Above zero.
    #[must_use]
    pub const fn tick(&self) -> Price {
        self.tick
    }

    /// Smallest order, and the step to the next one. Above zero.
    #[must_use]
    pub const fn min_order(&self) -> Lots {
        self.lot
    }

    /// Largest limit order.
    #[must_use]
    pub const fn max_order(&self) -> Option<Lots> {
        self.max_order
    }

    /// Largest market order.
    #[must_use]
    pub const fn max_market_order(&self) -> Option<Lots> {
        self.max_market_order
    }

    /// Highest price of an order.
    #[must_use]
    pub const fn max_price(&self) -> Option<Price> {
        self.max_price
    }

    /// Whether it was made to end on a day. A perpetual one may end, too: see [`ContractSpec::expires`].
    #[must_use]
    pub const fn is_dated(&self) -> bool {
        self.is_dated
    }

    /// When its last trade is. Of a perpetual one: when it is delisted.
    #[must_use]
    pub const fn expires(&self) -> Option<UnixNanos> {
        self.expires
    }

    /// When a dated one is settled.
    #[must_use]
    pub const fn settles(&self) -> Option<UnixNanos> {
        self.settles
    }

    /// From one settlement of funding to the next; `None` for dated ones.
    #[must_use]
    pub const fn funding_interval(&self) -> Option<Duration> {
        self.funding_interval
    }

    // Lots and values.

    /// What lots are an amount of: base coins, or quote units of an inverse contract. Exact.
    ///
    /// # Errors
    /// [`ContractError::Overflow`].
    pub fn amount(&self, lots: Lots) -> Result<Decimal, ContractError> {
        product(self.lot_amount, whole(lots)).ok_or(ContractError::Overflow)
    }

    /// What lots are in base coins. Exact for linear contracts, whatever the price; for inverse ones this is
    /// their [`value`](Self::value).
    ///
    /// # Errors
    /// [`ContractError::Overflow`], [`ContractError::ZeroPrice`] for inverse contracts.
    pub fn base_amount(&self, lots: Lots, price: Price) -> Result<Decimal, ContractError> {
        match self.kind {
            ContractKind::Linear => self.amount(lots),
            ContractKind::Inverse => self.value(lots, price),
        }
    }

    /// What lots are worth at a price, in settle currency.
    ///
    /// Linear: lots x multiplier x price, exact. Inverse: lots x multiplier / price, exact if that comes to an
    /// end within 18 decimals ([`Self::VALUE_DECIMALS`]), otherwise rounded down to them.
    ///
    /// # Errors
    /// [`ContractError::Overflow`], [`ContractError::ZeroPrice`] for inverse contracts.
    pub fn value(&self, lots: Lots, price: Price) -> Result<Decimal, ContractError> {
        let amount = self.amount(lots)?;
        match self.kind {
            ContractKind::Linear => product(amount, price.into()).ok_or(ContractError::Overflow),
            ContractKind::Inverse if price == Price::ZERO => Err(ContractError::ZeroPrice),
            ContractKind::Inverse => {
                quotient(amount, price.into(), Self::VALUE_DECIMALS).ok_or(ContractError::Overflow)
            }
        }
    }

    /// The most lots, a multiple of [`min_order`](Self::min_order), that are worth no more than `value` at
    /// this price: rounded down, by the exact value and not by what [`value`](Self::value) rounds it to. May
    /// be none, and may be more than one order may have.
    ///
    /// # Errors
    /// [`ContractError::Negative`], [`ContractError::ZeroPrice`], [`ContractError::Overflow`].
    pub fn lots_within(&self, value: Decimal, price: Price) -> Result<Lots, ContractError> {
        if value.is_negative() {
            return Err(ContractError::Negative);
        }
        if price == Price::ZERO {
            return Err(ContractError::ZeroPrice);
        }
        let lots = self.whole_lots(value, price);
        let lots = lots.and_then(|lots| u64::try_from(lots).ok()).ok_or(ContractError::Overflow)?;
        let odd = lots.checked_rem(self.lot.get()).unwrap_or(0);
        Ok(Lots::new(lots.saturating_sub(odd)))
    }

    /// The most whole lots that are worth no more than `value`, whatever step orders have; `None` if they cannot be
    /// counted.
    fn whole_lots(&self, value: Decimal, price: Price) -> Option<i128> {
        match self.kind {
            ContractKind::Linear => whole_quotient(value, product(self.lot_amount, price.into())?),
            ContractKind::Inverse => whole_quotient(product(value, price.into())?, self.lot_amount),
        }
    }

    // Orders.

    /// Whether a limit order may have so many lots.
    ///
    /// # Errors
    /// [`ContractError::TooSmall`], [`ContractError::TooLarge`], [`ContractError::NotAStep`].
    pub fn check_order(&self, lots: Lots) -> Result<(), ContractError> {
        self.check_lots(lots, self.max_order)
    }

    /// Whether a market order may.
    ///
    /// # Errors
    /// As for [`check_order`](Self::check_order).
    pub fn check_market_order(&self, lots: Lots) -> Result<(), ContractError> {
        self.check_lots(lots, self.max_market_order.or(self.max_order))
    }

    fn check_lots(&self, lots: Lots, most: Option<Lots>) -> Result<(), ContractError> {
        if lots < self.lot {
            return Err(ContractError::TooSmall { least: self.lot });
        }
        if let Some(most) = most.filter(|most| lots > *most) {
            return Err(ContractError::TooLarge { most });
        }
        if lots.get().checked_rem(self.lot.get()) != Some(0) {
            return Err(ContractError::NotAStep { step: self.lot });
        }
        Ok(())
    }

    /// Whether an order may have this price.
    ///
    /// # Errors
    /// [`ContractError::ZeroPrice`], [`ContractError::TooExpensive`], [`ContractError::OffTick`].
    pub fn check_price(&self, price: Price) -> Result<(), ContractError> {
        if price == Price::ZERO {
            return Err(ContractError::ZeroPrice);
        }
        if let Some(most) = self.max_price.filter(|most| price > *most) {
            return Err(ContractError::TooExpensive { most });
        }
        if !self.is_on_tick(price) {
            return Err(ContractError::OffTick { tick: self.tick });
        }
        Ok(())
    }

    /// Whether a price is a multiple of the tick; zero is one.
    #[must_use]
    pub fn is_on_tick(&self, price: Price) -> bool {
        self.beyond_tick(price) == 0
    }

    /// The highest multiple of the tick that is not above a price.
    #[must_use]
    pub fn tick_below(&self, price: Price) -> Price {
        Price::from_scaled(price.scaled().saturating_sub(self.beyond_tick(price))).unwrap_or(price)
    }

    /// The lowest multiple of the tick that is not below a price.
    ///
    /// # Errors
    /// [`ContractError::Overflow`] if that is above [`Price::MAX`].
    pub fn tick_above(&self, price: Price) -> Result<Price, ContractError> {
        let beyond = self.beyond_tick(price);
        if beyond == 0 {
            return Ok(price);
        }
        let above = price.scaled().checked_add(self.tick.scaled().saturating_sub(beyond));
        above.and_then(Price::from_scaled).ok_or(ContractError::Overflow)
    }

    /// How far a price is above the tick below it, in units of 1e-12.
    fn beyond_tick(&self, price: Price) -> i64 {
        price.scaled().checked_rem(self.tick.scaled()).unwrap_or(0)
    }
}

fn whole(lots: Lots) -> Decimal {
    Decimal::new(i128::from(lots.get()), 0).unwrap_or(Decimal::ZERO)
}
