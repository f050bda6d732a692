//! What is asked of an order before it is taken on. Codes are those of the futures list; texts are as they
//! were seen, or of the kind.

use kucoin_futures_proto::{Price, Symbol};

use super::Account;
use super::desk::opposite;
use super::margin::{Listing, MAX_LEVERAGE};
use super::state::{Order, Terms};
use crate::market::Market;

/// Why something is not done: the code and the text of the answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Refused {
    pub(super) code: &'static str,
    pub(super) text: String,
}

pub(super) fn refused<T>(code: &'static str, text: impl Into<String>) -> Result<T, Refused> {
    Err(Refused { code, text: text.into() })
}

/// `maxOrderQty` of the contract list.
pub(super) const MOST_LOTS: u64 = 1_000_000;
/// Orders that may wait for each contract; stop orders apart.
pub(super) const MOST_ORDERS: usize = 100;

impl Account {
    /// Whether an order could be taken on, with the size that it then has.
    pub(super) fn check(&self, terms: &Terms, market: &Market) -> Result<u64, Refused> {
        let Some(listing) = self.listing(terms.symbol) else {
            return refused("100003", "Contract parameter invalid.");
        };
        if terms.size == 0 && !terms.close {
            return refused("100001", "Quantity parameter cannot be empty.");
        }
        if terms.size > MOST_LOTS {
            return refused("100001", format!("The order size cannot exceed {MOST_LOTS}."));
        }
        if let Some(price) = terms.price {
            check_price(price, &listing)?;
        }
        if terms.leverage == 0 || terms.leverage > MAX_LEVERAGE {
            return refused(
                "300016",
                format!("The leverage cannot be greater than {MAX_LEVERAGE}."),
            );
        }
        if terms.margin_mode != self.state.margin_mode(terms.symbol) {
            let text = "The order's margin mode does not match the selected one. Please switch and try again.";
            return refused("330005", text);
        }
        let of = |order: &&Order| order.terms.symbol == terms.symbol;
        let waiting = self.state.orders.values().filter(of).count();
        if waiting >= MOST_ORDERS {
            let text = format!(
                "Active order quantity limit exceeded (limit: {MOST_ORDERS}, current: {waiting})"
            );
            return refused("300001", text);
        }
        let taken = |order: &Order| order.terms.client_oid == terms.client_oid;
        if !terms.client_oid.is_empty() && self.state.orders.values().any(taken) {
            return refused("300018", "clientOid parameter repeated");
        }
        if terms.reduce_only || terms.close {
            return self.closable(terms);
        }
        self.check_balance(terms, &listing, market)?;
        Ok(terms.size)
    }

    /// So many lots of a position could still be closed by such an order.
    fn closable(&self, terms: &Terms) -> Result<u64, Refused> {
        let held = self.state.positions.get(&terms.symbol).map_or(0, |position| position.qty);
        let spoken_for: u64 = self.closing(terms.symbol).map(Order::remaining).sum();
        let free = held.unsigned_abs().saturating_sub(spoken_for);
        if held == 0 || (held > 0) == terms.buys() || free == 0 {
            return refused("300009", "No open positions to close.");
        }
        Ok(if terms.close { free } else { free.min(terms.size) })
    }

    /// Orders in the book that may only close.
    pub(super) fn closing(&self, symbol: Symbol) -> impl DoubleEndedIterator<Item = &Order> {
        let closes = move |order: &&Order| {
            order.terms.symbol == symbol && (order.terms.reduce_only || order.terms.close)
        };
        self.state.orders.values().filter(closes)
    }

    fn check_balance(
        &self,
        terms: &Terms,
        listing: &Listing,
        market: &Market,
    ) -> Result<(), Refused> {
        let facing = market.truth().levels(opposite(terms.side)).next();
        let Some(price) = terms.price.or_else(|| facing.map(|level| level.price)) else {
            return refused(
                "300008",
                "Unavailable to place the order, there's no contra order in the market.",
            );
        };
        let held = self.state.positions.get(&terms.symbol).map_or(0, |position| position.qty);
        let closes = held != 0 && (held > 0) != terms.buys();
        let closes = if closes { held.unsigned_abs() } else { 0 };
        let cost = terms.needs(listing, price, terms.size.saturating_sub(closes));
        if cost > self.available(listing.currency) {
            let text = format!("Balance insufficient. The order would cost {cost}.");
            return refused("300003", text);
        }
        Ok(())
    }
}

pub(super) fn check_price(price: Price, listing: &Listing) -> Result<(), Refused> {
    let most = 1_000_000_000_000_000_000;
    if price.scaled() > most {
        return refused("300011", "Order price cannot be higher than 1000000");
    }
    if price == Price::ZERO || price.scaled() % listing.tick.scaled().max(1) != 0 {
        let text = format!("Price parameter invalid: it must be a multiple of {}.", listing.tick);
        return refused("100001", text);
    }
    Ok(())
}
