//! What an order would get out of a book, in money.

use super::quotient::{difference, product, quotient, sum};
use super::{ContractError, ContractKind, ContractSpec};
use crate::book::{Book, Level, Scope, SweepEnd};
use crate::num::{Decimal, Lots, Price};
use crate::wire::Side;

/// What an order would get at once, if nothing moved.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct ExpectedFill {
    /// Lots taken.
    pub lots: Lots,
    /// What they are worth, in settle currency: linear exactly, inverse each level cut after 18 decimals.
    pub value: Decimal,
    /// The price at which as many lots are worth as much, cut after 18 decimals; `None` if nothing is taken.
    pub average: Option<Decimal>,
    /// The worst price taken; `None` if nothing is.
    pub worst: Option<Price>,
    /// Why it ends. At the horizon the rest of the order would get something, nobody knows at what price.
    pub end: SweepEnd,
}

impl ContractSpec {
    /// What an order for so many lots gets from `side` of the contract's book: one to buy takes asks.
    ///
    /// # Errors
    /// [`ContractError::Overflow`].
    pub fn fill(&self, book: &Book, side: Side, lots: Lots) -> Result<ExpectedFill, ContractError> {
        let sweep = book.sweep(side, lots);
        let (value, average) = match self.kind {
            ContractKind::Linear => {
                let notional = sweep.notional().ok_or(ContractError::Overflow)?;
                let average = quotient(notional, super::whole(sweep.lots), Self::VALUE_DECIMALS);
                (product(notional, self.lot_amount), average)
            }
            ContractKind::Inverse => {
                let value = self.value_of(book, side, sweep.lots)?;
                (Some(value), quotient(self.amount(sweep.lots)?, value, Self::VALUE_DECIMALS))
            }
        };
        Ok(ExpectedFill {
            lots: sweep.lots,
            value: value.ok_or(ContractError::Overflow)?,
            average: average.filter(|_| sweep.lots > Lots::ZERO),
            worst: sweep.worst,
            end: sweep.end,
        })
    }

    /// The same for as many lots, a multiple of [`min_order`](Self::min_order), as are worth no more than `value` in
    /// settle currency.
    ///
    /// # Errors
    /// [`ContractError::Negative`], [`ContractError::Overflow`].
    pub fn fill_value(
        &self,
        book: &Book,
        side: Side,
        value: Decimal,
    ) -> Result<ExpectedFill, ContractError> {
        if value.is_negative() {
            return Err(ContractError::Negative);
        }
        let (mut left, mut lots) = (value, 0_u64);
        let mut end = book.end_of(side);
        for Level { price, size } in book.levels(side, Scope::Complete) {
            let most = self.whole_lots(left, price).ok_or(ContractError::Overflow)?;
            // More than can be counted is more than any level has.
            let most = u64::try_from(most).unwrap_or(u64::MAX);
            let taken = size.get().min(most);
            lots = lots.checked_add(taken).ok_or(ContractError::Overflow)?;
            if most < size.get() {
                end = SweepEnd::Filled;
                break;
            }
            let cost = self.cost(Lots::new(taken), price)?;
            left = difference(left, cost).ok_or(ContractError::Overflow)?;
            if left.is_negative() {
                left = Decimal::ZERO;
            }
        }
        let odd = lots.checked_rem(self.lot.get()).unwrap_or(0);
        let fill = self.fill(book, side, Lots::new(lots.saturating_sub(odd)))?;
        Ok(ExpectedFill { end, ..fill })
    }

    /// What so many lots of one side are worth, the best first.
    fn value_of(&self, book: &Book, side: Side, lots: Lots) -> Result<Decimal, ContractError> {
        let (mut left, mut value) = (lots.get(), Decimal::ZERO);
        for Level { price, size } in book.levels(side, Scope::Complete) {
            let taken = size.get().min(left);
            left = left.saturating_sub(taken);
            let worth = self.value(Lots::new(taken), price)?;
            value = sum(value, worth).ok_or(ContractError::Overflow)?;
            if left == 0 {
                break;
            }
        }
        Ok(value)
    }

    /// What lots cost at most: exactly, or of inverse contracts rounded up after 18 decimals.
    fn cost(&self, lots: Lots, price: Price) -> Result<Decimal, ContractError> {
        let value = self.value(lots, price)?;
        if self.kind == ContractKind::Linear {
            return Ok(value);
        }
        let unit = Decimal::new(1, -(Self::VALUE_DECIMALS as i8)).unwrap_or(Decimal::ZERO);
        let is_exact = product(value, price.into()) == Some(self.amount(lots)?);
        let cost = if is_exact { Some(value) } else { sum(value, unit) };
        cost.ok_or(ContractError::Overflow)
    }
}
