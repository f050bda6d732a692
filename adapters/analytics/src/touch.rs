//! Best bid and best ask.

use kucoin_futures_proto::book::{Best, Level};
use kucoin_futures_proto::wire::TickerV2;
use kucoin_futures_proto::{Book, Price};

/// Where best bid and best ask meet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(clippy::exhaustive_structs, reason = "made by callers, out of whatever they have")]
pub struct Touch {
    /// Highest bid.
    pub bid: Level,
    /// Lowest ask.
    pub ask: Level,
}

impl Touch {
    /// Of a book; `None` if one of both is not known or not there.
    #[must_use]
    pub fn of_book(book: &Book) -> Option<Self> {
        match (book.best_bid(), book.best_ask()) {
            (Best::Level(bid), Best::Level(ask)) => Some(Self { bid, ask }),
            _ => None,
        }
    }

    /// Of a ticker; `None` if one of both is not there.
    #[must_use]
    pub fn of_ticker(ticker: &TickerV2) -> Option<Self> {
        Some(Self { bid: ticker.best_bid?, ask: ticker.best_ask? })
    }

    /// What is between both, in quote currency; zero if they are equal, `None` if the bid is above the ask.
    #[must_use]
    pub fn spread(&self) -> Option<Price> {
        Price::from_scaled(self.ask.price.scaled().checked_sub(self.bid.price.scaled())?)
    }

    /// Between both, nearer to the one with fewer lots, rounded down to 12 decimals; `None` if both have none.
    #[must_use]
    pub fn microprice(&self) -> Option<Price> {
        let weighed = |price: Price, lots: u64| {
            u128::from(price.scaled().unsigned_abs()).checked_mul(u128::from(lots))
        };
        let (bid, ask) = (self.bid.size.get(), self.ask.size.get());
        let sum = weighed(self.bid.price, ask)?.checked_add(weighed(self.ask.price, bid)?)?;
        let units = sum.checked_div(u128::from(bid).checked_add(u128::from(ask))?)?;
        Price::from_scaled(i64::try_from(units).ok()?)
    }
}
