//! What a market says of itself beside its book.

use kucoin_futures_proto::{Price, UnixNanos};

use super::marks::Reference;
use super::past::Opening;
use super::{Candle, DayFigures, Funding, FundingShown, Market, Marks, Record};
use crate::interval::Interval;

impl Market {
    /// The same market, with a past that ends where the exchange opens.
    #[must_use]
    pub(crate) fn opened_at(mut self, at: UnixNanos) -> Self {
        let opening = Opening { at, place: self.tape.place() };
        self.record = Record::opened_at(&self.contract, self.seed, opening);
        self
    }

    pub(crate) const fn funding(&self) -> Funding {
        Funding {
            seed: self.seed,
            every: self.contract.funding_hours,
            offset: self.contract.funding_offset,
        }
    }

    /// What the list of contracts shows of funding; `None` for a contract that has none.
    #[must_use]
    pub fn funding_at(&self, at: UnixNanos) -> Option<FundingShown> {
        self.funding().shown(at.as_millis())
    }

    /// Mark and index of the second that holds `at`. For the last hour, or longer in a quiet market.
    #[must_use]
    pub fn marks(&self, at: UnixNanos) -> Marks {
        let reference = Reference {
            contract: &self.contract,
            record: &self.record,
            funding: self.funding(),
            seed: self.seed,
        };
        reference.marks(at.as_millis() / 1_000)
    }

    /// All candles of an interval, oldest first, those of before the exchange opened included; stretches
    /// without trades have none.
    ///
    /// Candles below an hour go back 6000 minutes or more, below a day 200 times 12 hours, others years.
    #[must_use]
    pub fn candles(&self, interval: Interval) -> Vec<Candle> {
        self.record.candles(&self.contract, interval)
    }

    /// The candle that holds the last trade since the exchange opened.
    #[must_use]
    pub fn last_candle(&self, interval: Interval) -> Option<Candle> {
        self.record.last_candle(&self.contract, interval)
    }

    /// The last 24 hours: the minute that holds `at`, as far as it has come, and the 1439 before.
    #[must_use]
    pub fn day(&self, at: UnixNanos) -> DayFigures {
        self.record.day(&self.contract, at)
    }

    /// In lots.
    #[must_use]
    pub const fn open_interest(&self) -> u64 {
        self.record.open_interest()
    }

    /// When the last trade was, of those since the exchange opened.
    #[must_use]
    pub fn last_trade_at(&self) -> Option<UnixNanos> {
        self.record.last().map(|(at, _)| at)
    }

    /// The price of the last trade, which may be one of before the exchange opened.
    #[must_use]
    pub fn last_price(&self) -> Price {
        self.record.last().map_or(self.contract.start, |(_, price)| price)
    }
}
