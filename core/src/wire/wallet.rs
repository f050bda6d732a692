//! The data of `wallet`, `marginMode` and `crossLeverage` frames.

use super::object::{Entry, Millis, Read, find, object};
use super::order::MarginMode;
use super::scan::Scanner;
use super::text::Text;
use super::walk::Token;
use crate::error::WireError;
use crate::ids::Symbol;
use crate::num::Decimal;
use crate::time::UnixNanos;

object! {
    /// The balance of one currency, whole. Subject `walletBalance.change`. Amounts are of that currency.
    pub struct WalletUpdate<'a> {
        /// Margin of the cross positions.
        cross_pos_margin: Option<Decimal> = "crossPosMargin";
        /// Margin of the orders of isolated contracts.
        isolated_order_margin: Option<Decimal> = "isolatedOrderMargin";
        /// Held for withdrawals and transfers.
        hold_balance: Option<Decimal> = "holdBalance";
        /// Wallet balance and unrealised profit.
        equity: Option<Decimal> = "equity";
        /// Rises with each change of the balance.
        version: Option<u64> = "version";
        /// What new orders may use.
        available_balance: Decimal = "availableBalance";
        /// Margin of the isolated positions.
        isolated_pos_margin: Option<Decimal> = "isolatedPosMargin";
        /// What may be withdrawn; sent since 2025.
        max_withdraw_amount: Option<Decimal> = "maxWithdrawAmount";
        /// Deposits and realised profit.
        wallet_balance: Option<Decimal> = "walletBalance";
        /// Funding fees of isolated positions, from their margin.
        isolated_funding_fee_margin: Option<Decimal> = "isolatedFundingFeeMargin";
        /// Unrealised profit of the cross positions.
        cross_unrealised_pnl: Option<Decimal> = "crossUnPnl";
        /// What the cross positions are held by together.
        total_cross_margin: Option<Decimal> = "totalCrossMargin";
        /// Which currency.
        currency: Text<'a> = "currency";
        /// Unrealised profit of the isolated positions.
        isolated_unrealised_pnl: Option<Decimal> = "isolatedUnPnl";
        /// Margin of the orders of cross contracts.
        cross_order_margin: Option<Decimal> = "crossOrderMargin";
        /// When, from milliseconds. One that cannot be read is none.
        ts_event: Option<UnixNanos> = "timestamp" by Millis;
    }
}

object! {
    /// One part of a balance. Subjects `orderMargin.change`, `availableBalance.change` and
    /// `withdrawHold.change`: deprecated, and sent no more once an account was switched to cross margin.
    ///
    /// Which part, its fields say: one of the three is there, with `hold_balance` beside the second.
    pub struct BalanceUpdate<'a> {
        /// Margin of the orders.
        order_margin: Option<Decimal> = "orderMargin";
        /// What new orders may use.
        available_balance: Option<Decimal> = "availableBalance";
        /// Held in all.
        hold_balance: Option<Decimal> = "holdBalance";
        /// Held for withdrawals.
        withdraw_hold: Option<Decimal> = "withdrawHold";
        /// Which currency.
        currency: Text<'a> = "currency";
        /// When, from milliseconds. One that cannot be read is none.
        ts_event: Option<UnixNanos> = "timestamp" by Millis;
    }
}

/// The margin modes of contracts, of those that have changed. Subject `user.config` of `marginMode`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct MarginModes<'a>(&'a [u8]);

impl<'a> MarginModes<'a> {
    /// Reads the `data` object of a `marginMode` frame, for example `{"LINKUSDTM":"CROSS"}`.
    ///
    /// # Errors
    /// A key that is no symbol, or a value that is no text.
    pub fn parse(data: &'a [u8]) -> Result<Self, WireError> {
        each(data, |entry| MarginMode::read(entry).map(drop))?;
        Ok(Self(data))
    }

    /// Contract by contract, in the order in which they stand.
    pub fn iter(&self) -> impl Iterator<Item = (Symbol, MarginMode)> + use<'a> {
        // It was read before, without an error.
        entries(self.0).filter_map(|(symbol, entry)| Some((symbol, MarginMode::read(entry).ok()?)))
    }
}

/// The leverage of contracts with cross margin, of those that have changed. Subject `user.config` of
/// `crossLeverage`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct CrossLeverages<'a>(&'a [u8]);

impl<'a> CrossLeverages<'a> {
    /// Reads the `data` object of a `crossLeverage` frame, for example `{"LINKUSDTM":{"leverage":"8"}}`. The
    /// leverage was a number in older documentation.
    ///
    /// # Errors
    /// A key that is no symbol, or a value without a leverage.
    pub fn parse(data: &'a [u8]) -> Result<Self, WireError> {
        each(data, |entry| leverage(entry).map(drop))?;
        Ok(Self(data))
    }

    /// Contract by contract, in the order in which they stand: position value by margin.
    pub fn iter(&self) -> impl Iterator<Item = (Symbol, Decimal)> + use<'a> {
        // It was read before, without an error.
        entries(self.0).filter_map(|(symbol, entry)| Some((symbol, leverage(entry).ok()?)))
    }
}

fn leverage(entry: Entry<'_>) -> Result<Decimal, WireError> {
    const FIELD: &str = "leverage";
    let inner = entry.nested(b'{')?;
    let [token] = find(inner, &[&[FIELD]])?;
    Decimal::read(Entry::new(inner, token, FIELD))
}

/// Reads every value of an object whose keys are symbols.
fn each<'a>(
    data: &'a [u8],
    mut read: impl FnMut(Entry<'a>) -> Result<(), WireError>,
) -> Result<(), WireError> {
    let mut reader = SymbolMap::new(data)?;
    while let Some((_, entry)) = reader.next()? {
        read(entry)?;
    }
    reader.scanner.end()
}

fn entries(data: &[u8]) -> impl Iterator<Item = (Symbol, Entry<'_>)> {
    let mut reader = SymbolMap::new(data).ok();
    core::iter::from_fn(move || reader.as_mut()?.next().ok()?)
}

/// An object whose keys are symbols.
struct SymbolMap<'a> {
    data: &'a [u8],
    scanner: Scanner<'a>,
    first: bool,
}

impl<'a> SymbolMap<'a> {
    fn new(data: &'a [u8]) -> Result<Self, WireError> {
        let mut scanner = Scanner::of_text(data);
        scanner.object()?;
        Ok(Self { data, scanner, first: true })
    }

    fn next(&mut self) -> Result<Option<(Symbol, Entry<'a>)>, WireError> {
        let Some(name) = self.scanner.key(&mut self.first)? else { return Ok(None) };
        let mut room = [0; Symbol::MAX_LEN];
        let symbol = name.resolve(&mut room).and_then(|name| Symbol::new(name).ok());
        let symbol = symbol.ok_or(WireError::Malformed { field: "symbol" })?;
        self.scanner.space();
        let start = self.scanner.at();
        let value = self.scanner.value()?;
        let token = Token::of(value, start, self.scanner.at());
        Ok(Some((symbol, Entry::new(self.data, token, "data"))))
    }
}
