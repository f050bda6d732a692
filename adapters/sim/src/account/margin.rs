//! What positions and orders need, and what is left: pure functions of an account's state.
//!
//! The formulas are those that captures of 2024 and 2025 add up by, to the last digit: initial margin
//! is cost over leverage to 10 decimals; an isolated position also sets its closing fee aside; a cross
//! one is margined at its mark; equity is the wallet and what all positions would bring.

use kucoin_futures_proto::wire::Side;
use kucoin_futures_proto::{Decimal, Price, UnixNanos};

use super::money::{Millionths, Money};
use super::state::{AccountState, Balance, MarginMode, Order, Position, Terms};
use crate::contract::Contract;
use crate::contract::name::Name;

/// What a contract's matches cost: the fees of VIP 0.
pub(crate) const MAKER_FEE: Millionths = Millionths(200);
/// See [`MAKER_FEE`].
pub(crate) const TAKER_FEE: Millionths = Millionths(600);
/// Of a position's cost, what must be left of its margin: `maintainMargin` of the contract list.
pub(crate) const MAINTENANCE: Millionths = Millionths(5_000);
/// `maxLeverage` of the contract list.
pub(crate) const MAX_LEVERAGE: u32 = 100;

/// What a contract means for amounts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Listing {
    pub(crate) currency: &'static str,
    pub(crate) multiplier: Millionths,
    pub(crate) tick: Price,
}

impl Listing {
    /// `None` if it settles in its base coin: accounts do not trade those.
    pub(crate) fn of(contract: &Contract) -> Option<Self> {
        let multiplier = Millionths::of(contract.multiplier)?;
        let currency = Name::of(contract.symbol.as_str()).quote;
        Some(Self { currency, multiplier, tick: contract.tick })
    }

    pub(crate) fn value(&self, price: Price, lots: u64) -> Money {
        Money::value(price, lots, self.multiplier)
    }
}

impl Position {
    /// Whether it is one of bought lots.
    #[must_use]
    pub const fn is_long(&self) -> bool {
        self.qty > 0
    }

    /// What it is worth at its mark, with its sign.
    pub(crate) fn mark_value(&self, listing: &Listing) -> Money {
        listing.value(self.mark, self.qty.unsigned_abs()).signed(self.is_long())
    }

    /// What closing it at its mark would bring.
    pub(crate) fn unrealised(&self, listing: &Listing) -> Money {
        self.mark_value(listing) - self.cost
    }

    /// `posInit`.
    pub(crate) const fn initial_margin(&self) -> Money {
        self.cost.abs().over(self.leverage)
    }

    /// `posComm`: the fee for closing it, at worst.
    pub(crate) fn closing_fee(&self) -> Money {
        (self.cost.abs() + self.initial_margin()).times(TAKER_FEE)
    }

    /// `posMargin`.
    pub(crate) fn margin(&self) -> Money {
        self.initial_margin() + self.closing_fee() + self.added
    }

    /// `posMaint`: with less than this left it is closed by the exchange.
    pub(crate) fn maintenance(&self) -> Money {
        self.cost.abs().times(MAINTENANCE) + self.closing_fee()
    }

    /// What it takes of the balance: an isolated one its margin, a cross one according to its mark.
    pub(crate) fn taken(&self, listing: &Listing) -> Money {
        match self.margin_mode {
            MarginMode::Isolated => self.margin(),
            MarginMode::Cross => self.mark_value(listing).abs().over(self.leverage),
        }
    }

    /// `avgEntryPrice`.
    pub(crate) fn entry(&self, listing: &Listing) -> Decimal {
        self.cost.abs().price_of(self.qty.unsigned_abs(), listing.multiplier)
    }

    /// `bankruptPrice`: where its margin is gone.
    pub(crate) fn bankrupt(&self, listing: &Listing) -> Decimal {
        let margin = self.initial_margin() + self.added;
        self.price_at(listing, margin)
    }

    /// `liquidationPrice`: where only the maintenance margin is left.
    pub(crate) fn liquidation(&self, listing: &Listing) -> Decimal {
        let margin = self.initial_margin() + self.added - self.cost.abs().times(MAINTENANCE);
        self.price_at(listing, margin)
    }

    fn price_at(&self, listing: &Listing, loss: Money) -> Decimal {
        let value = self.cost.abs() - loss.signed(self.is_long());
        let value = if value.is_negative() { Money::ZERO } else { value };
        value.price_of(self.qty.unsigned_abs(), listing.multiplier)
    }
}

impl Terms {
    pub(crate) const fn buys(&self) -> bool {
        matches!(self.side, Side::Bid)
    }

    /// What `lots` of it need at `price`: nothing for those that only close.
    pub(crate) fn needs(&self, listing: &Listing, price: Price, lots: u64) -> Money {
        if self.reduce_only || self.close {
            return Money::ZERO;
        }
        let value = listing.value(price, lots);
        value.over(self.leverage) + value.times(TAKER_FEE)
    }
}

impl Order {
    fn needs(&self, listing: &Listing) -> Money {
        self.terms
            .price
            .map_or(Money::ZERO, |price| self.terms.needs(listing, price, self.remaining()))
    }
}

impl AccountState {
    /// The balance of a currency that follows from the rest of the state.
    pub(crate) fn balance(
        &self,
        listing: impl Fn(kucoin_futures_proto::Symbol) -> Option<Listing>,
        (currency, wallet, hold): (&'static str, Money, Money),
        (version, at): (u64, UnixNanos),
    ) -> Balance {
        let mut balance = Balance {
            wallet,
            hold,
            available: Money::ZERO,
            equity: Money::ZERO,
            total_cross: Money::ZERO,
            cross_positions: Money::ZERO,
            cross_orders: Money::ZERO,
            cross_unrealised: Money::ZERO,
            isolated_positions: Money::ZERO,
            isolated_orders: Money::ZERO,
            isolated_unrealised: Money::ZERO,
            version,
            at,
        };
        let of = |symbol| listing(symbol).filter(|listing| listing.currency == currency);
        for position in self.positions.values() {
            let Some(listing) = of(position.symbol) else { continue };
            let (taken, unrealised) = (position.taken(&listing), position.unrealised(&listing));
            match position.margin_mode {
                MarginMode::Isolated => {
                    balance.isolated_positions += taken;
                    balance.isolated_unrealised += unrealised;
                }
                MarginMode::Cross => {
                    balance.cross_positions += taken;
                    balance.cross_unrealised += unrealised;
                }
            }
        }
        for order in self.orders.values() {
            let Some(listing) = of(order.terms.symbol) else { continue };
            match order.terms.margin_mode {
                MarginMode::Isolated => balance.isolated_orders += order.needs(&listing),
                MarginMode::Cross => balance.cross_orders += order.needs(&listing),
            }
        }
        let isolated = balance.isolated_positions + balance.isolated_orders;
        balance.total_cross = wallet - isolated - hold + balance.cross_unrealised;
        let available = balance.total_cross - balance.cross_positions - balance.cross_orders;
        balance.available = available.max(Money::ZERO);
        balance.equity = wallet + balance.isolated_unrealised + balance.cross_unrealised;
        balance
    }
}
