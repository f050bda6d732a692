//! The data of `instrument` and `announcement` frames: mark and index price, funding.

use core::time::Duration;

use super::object::{Entry, Millis, Read, ReadBy, object};
use crate::error::WireError;
use crate::ids::Symbol;
use crate::num::Decimal;
use crate::time::UnixNanos;

object! {
    /// Mark and index price of a contract; once a second. Subject `mark.index.price`.
    ///
    /// On a quiet contract the mark price equals the last trade for minutes: that they are equal says
    /// nothing of how fresh either is.
    pub struct MarkPrice {
        /// The contract: of the topic, the message does not say.
        symbol: Option<Symbol> = "symbol";
        /// What positions are valued and liquidated by; quote currency.
        mark_price: Decimal = "markPrice";
        /// What the mark price leans on: the price elsewhere; quote currency.
        index_price: Decimal = "indexPrice";
        /// From one to the next: 1 s (`granularity`, from milliseconds).
        interval: Option<Duration> = "granularity" by Span;
        /// When, from milliseconds. One that cannot be read is none.
        ts_event: Option<UnixNanos> = "timestamp" by Millis;
    }
}

object! {
    /// A funding rate of a contract. Subject `funding.rate`.
    ///
    /// With an interval of a minute it is the running estimate, which is *not* the rate that will be
    /// charged; with the contract's own interval (8, 4 or 1 h) it is the settled one.
    pub struct FundingRate {
        /// The contract: of the topic, the message does not say.
        symbol: Option<Symbol> = "symbol";
        /// Part of a position's value that longs pay shorts for one funding interval: `0.0001` is 0.01 %.
        funding_rate: Decimal = "fundingRate";
        /// From one such message to the next (`granularity`, from milliseconds): 60 s for the estimate.
        interval: Option<Duration> = "granularity" by Span;
        /// Undocumented; 1 in every capture of 2025 and later.
        period: Option<i64> = "period";
        /// When, from milliseconds. One that cannot be read is none.
        ts_event: Option<UnixNanos> = "timestamp" by Millis;
    }
}

object! {
    /// A settlement of funding begins or ends. Subjects `funding.begin` and `funding.end`.
    ///
    /// Of one contract each; contracts settle every 8, 4 or 1 h, each by its own grid.
    pub struct FundingSettlement {
        /// The contract.
        symbol: Option<Symbol> = "symbol";
        /// The settlement: when it was due, from milliseconds. One that cannot be read is none.
        funding_time: Option<UnixNanos> = "fundingTime" by Millis;
        /// What is charged: part of a position's value, paid by longs if positive.
        funding_rate: Decimal = "fundingRate";
        /// When this was said, from milliseconds. One that cannot be read is none.
        ts_event: Option<UnixNanos> = "timestamp" by Millis;
    }
}

/// A span in milliseconds.
struct Span;

impl ReadBy for Span {
    type Value = Option<Duration>;

    fn read(entry: Entry<'_>) -> Result<Self::Value, WireError> {
        Ok(Option::<u64>::read(entry)?.map(Duration::from_millis))
    }

    fn usual(bytes: &[u8], at: usize) -> Option<(Self::Value, usize)> {
        let (span, end) = Option::<u64>::usual(bytes, at)?;
        Some((span.map(Duration::from_millis), end))
    }
}

impl FundingRate {
    /// Whether it is the running estimate, and not a settled rate: one that is said every minute.
    #[must_use]
    pub fn is_estimate(&self) -> bool {
        // planted: estimate-is-charged
        self.interval.is_none_or(|interval| interval < Duration::from_secs(3600))
    }
}
