//! A trade of either side, owned.

use kucoin_futures_proto::wire::{Execution, RestTrade, TakerSide, Text};
use kucoin_futures_proto::{Lots, Price, Sequence, UnixNanos};

/// One trade: a taker's order met one maker's.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Trade {
    /// Its place among the trades of its contract. Rises, by one or by more.
    pub sequence: Sequence,
    /// Who took.
    pub taker_side: TakerSide,
    /// In quote currency.
    pub price: Price,
    /// Lots traded.
    pub size: Lots,
    /// When; `None` if that cannot be read.
    pub time: Option<UnixNanos>,
    /// The exchange's name for it; this one and the next two are `None` if absent or longer than 64 bytes.
    pub trade_id: Option<Box<str>>,
    /// The order that took.
    pub taker_order_id: Option<Box<str>>,
    /// The order that was taken.
    pub maker_order_id: Option<Box<str>>,
}

/// Where a trade stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Mark {
    /// Among the trades of its contract.
    pub sequence: Sequence,
    /// When; `None` if that cannot be read.
    pub time: Option<UnixNanos>,
}

/// Two sides may state one time with unlike resolutions, and neighbours may be out of order by a millisecond. An
/// engine that is started anew takes longer.
const SAME_NANOS: u64 = 10_000_000;
/// Of ids: today they have 18 digits.
const LONGEST_ID: usize = 64;

impl Trade {
    /// Where it stands.
    #[must_use]
    pub const fn mark(&self) -> Mark {
        Mark { sequence: self.sequence, time: self.time }
    }
}

impl Mark {
    /// Whether both are of the same trade. A sequence that comes back at another time is not.
    pub(super) fn is(self, other: Self) -> bool {
        self.sequence == other.sequence && !self.is_later(other) && !other.is_later(self)
    }

    /// Whether its time is later, by more than two sides may differ.
    pub(super) fn is_later(self, than: Self) -> bool {
        let (Some(time), Some(than)) = (self.time, than.time) else { return false };
        time.as_nanos() > than.as_nanos().saturating_add(SAME_NANOS)
    }

    /// Whether it stands before the other one: by sequence, or by time if the counter was set back in between.
    pub(super) fn is_before(self, other: Self) -> bool {
        if self.sequence < other.sequence { !self.is_later(other) } else { other.is_later(self) }
    }
}

impl From<&Execution<'_>> for Trade {
    fn from(trade: &Execution<'_>) -> Self {
        Self {
            sequence: trade.sequence,
            taker_side: trade.taker_side,
            price: trade.price,
            size: trade.size,
            time: trade.ts_event,
            trade_id: owned(Some(trade.trade_id)),
            taker_order_id: owned(trade.taker_order_id),
            maker_order_id: owned(trade.maker_order_id),
        }
    }
}

impl From<&RestTrade<'_>> for Trade {
    fn from(trade: &RestTrade<'_>) -> Self {
        Self {
            sequence: trade.sequence,
            taker_side: trade.taker_side,
            price: trade.price,
            size: trade.size,
            time: trade.time,
            trade_id: owned(trade.trade_id),
            taker_order_id: owned(trade.taker_order_id),
            maker_order_id: owned(trade.maker_order_id),
        }
    }
}

fn owned(id: Option<Text<'_>>) -> Option<Box<str>> {
    let id = id.filter(|id| id.raw().len() <= LONGEST_ID)?;
    Some(id.to_string().into_boxed_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(sequence: u64, ms: u64) -> Mark {
        Mark { sequence: Sequence::new(sequence), time: UnixNanos::from_millis(ms) }
    }

    #[test]
    fn a_sequence_that_comes_back_later_is_another_trade() {
        assert!(mark(5, 100).is(mark(5, 101)));
        assert!(!mark(5, 100).is(mark(5, 9_000)));
        assert!(!mark(5, 100).is(mark(6, 100)));
        let timeless = Mark { time: None, ..mark(5, 0) };
        assert!(timeless.is(mark(5, 100)) && mark(5, 100).is(timeless));
    }

    #[test]
    fn sequences_order_unless_the_counter_was_set_back() {
        assert!(mark(5, 100).is_before(mark(6, 100)) && !mark(6, 100).is_before(mark(5, 100)));
        // A millisecond out of order is nothing.
        assert!(mark(5, 101).is_before(mark(6, 100)) && !mark(6, 100).is_before(mark(5, 101)));
        assert!(
            mark(900, 100).is_before(mark(5, 9_000)) && !mark(5, 9_000).is_before(mark(900, 100))
        );
        assert!(!mark(5, 100).is_before(mark(5, 100)));
    }
}
