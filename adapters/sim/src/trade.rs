//! Trades: what was taken at the touch, and the frames that say so.

use std::collections::VecDeque;

use kucoin_futures_proto::wire::{Side, TakerSide};
use kucoin_futures_proto::{Lots, Price, Sequence, SplitMix64, Symbol, UnixNanos};

use crate::truth::{Change, Touch};

/// One fill.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Trade {
    /// Its place among the trades of its contract; also its id. Rises, not always by one.
    pub sequence: Sequence,
    /// Who took.
    pub taker_side: TakerSide,
    /// Where.
    pub price: Price,
    /// How many lots.
    pub size: Lots,
    /// When.
    pub at: UnixNanos,
    pub(crate) taker_order: u64,
    pub(crate) maker_order: u64,
}

/// The trades of one contract.
#[derive(Debug)]
pub(crate) struct Tape {
    rng: SplitMix64,
    last: Sequence,
    orders: u64,
    recent: VecDeque<Trade>,
}

/// Where a tape stands: the last trade, and the last order that was named.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) last: Sequence,
    pub(crate) orders: u64,
}

/// Trades kept: as many as the exchange's history shows.
pub(crate) const KEPT: usize = 100;
/// Of ten reductions at the touch, so many are trades; the others are cancelled orders.
const TRADES_IN_TEN: u64 = 7;
/// Makers that one taker meets at most.
const MOST_MAKERS: u64 = 3;

impl Tape {
    /// `start` is near the book's counter, as it is on the real one: whoever mixes them up must
    /// find out by other means.
    pub(crate) fn new(seed: u64, start: Sequence) -> Self {
        let mut rng = SplitMix64::new(!seed);
        let last = Sequence::new(start.get() + 1_000_000_000 + rng.below(1_000_000));
        let orders = 240_000_000_000_000_000 + rng.below(1 << 50);
        Self { rng, last, orders, recent: VecDeque::new() }
    }

    pub(crate) const fn place(&self) -> Place {
        Place { last: self.last, orders: self.orders }
    }

    pub(crate) fn recent(&self) -> impl DoubleEndedIterator<Item = &Trade> + ExactSizeIterator {
        self.recent.iter()
    }

    /// The fills of one taker who took `lots`, or none if they were cancelled.
    pub(crate) fn take(&mut self, change: &Change, lots: u64) -> Vec<Trade> {
        if self.rng.below(10) >= TRADES_IN_TEN {
            return Vec::new();
        }
        let taker_order = self.order();
        self.meet(change, lots, taker_order)
    }

    /// The fills of one taker who took `lots`, the last of them from these orders, which came last: of
    /// each order so many, in one or two parts. `taker`: whose order it was, if that is known.
    pub(crate) fn take_for(
        &mut self,
        change: &Change,
        lots: u64,
        taker: Option<u64>,
        makers: &[(u64, u64)],
    ) -> Vec<Trade> {
        let taker = taker.unwrap_or_else(|| self.order());
        let known: u64 = makers.iter().map(|(_, lots)| *lots).sum();
        let others = lots.saturating_sub(known);
        let mut fills = if others > 0 { self.meet(change, others, taker) } else { Vec::new() };
        for (maker, lots) in makers {
            let first = 1 + self.rng.below(*lots);
            let parts = [first, lots - first].into_iter().filter(|part| *part > 0);
            fills.extend(parts.map(|part| self.fill(change, part, taker, Some(*maker))));
        }
        fills
    }

    /// The fills of a taker with others.
    fn meet(&mut self, change: &Change, lots: u64, taker_order: u64) -> Vec<Trade> {
        let mut fills = Vec::new();
        let mut left = lots;
        for makers in (1..=1 + self.rng.below(MOST_MAKERS)).rev() {
            let size = if makers == 1 { left } else { 1 + self.rng.below(left) };
            left -= size;
            fills.push(self.fill(change, size, taker_order, None));
            if left == 0 {
                break;
            }
        }
        fills
    }

    /// `maker`: whose order it was, if that is known.
    fn fill(&mut self, change: &Change, size: u64, taker_order: u64, maker: Option<u64>) -> Trade {
        self.last = Sequence::new(self.last.get() + 1 + self.rng.below(3));
        let trade = Trade {
            sequence: self.last,
            taker_side: match change.side {
                Side::Bid => TakerSide::Sell,
                Side::Ask => TakerSide::Buy,
            },
            price: change.price,
            size: Lots::new(size),
            at: change.at,
            taker_order,
            maker_order: maker.unwrap_or_else(|| self.order()),
        };
        if self.recent.len() == KEPT {
            self.recent.pop_front();
        }
        self.recent.push_back(trade.clone());
        trade
    }

    fn order(&mut self) -> u64 {
        self.orders += 1 + self.rng.below(1_000);
        self.orders
    }
}

impl Trade {
    /// What a contract without trades shows in their place.
    pub(crate) const fn none(price: Price, at: UnixNanos) -> Self {
        Self {
            sequence: Sequence::new(0),
            taker_side: TakerSide::Buy,
            price,
            size: Lots::new(0),
            at,
            taker_order: 0,
            maker_order: 0,
        }
    }

    /// Millisecond resolution, written in nanoseconds.
    fn ts(&self) -> String {
        format!("{}000000", self.at.as_millis())
    }

    pub(crate) fn execution_frame(&self, symbol: Symbol) -> String {
        let Self { sequence, taker_side, price, size, taker_order, maker_order, .. } = self;
        let ts = self.ts();
        format!(
            concat!(
                r#"{{"topic":"/contractMarket/execution:{symbol}","type":"message","subject":"match","#,
                r#""sn":{sequence},"data":{{"symbol":"{symbol}","sequence":{sequence},"#,
                r#""side":"{taker_side}","size":{size},"price":"{price}","#,
                r#""takerOrderId":"{taker_order}","makerOrderId":"{maker_order}","#,
                r#""tradeId":"{sequence}","ts":{ts}}}}}"#
            ),
            symbol = symbol,
            sequence = sequence,
            taker_side = taker_side,
            size = size,
            price = price,
            taker_order = taker_order,
            maker_order = maker_order,
            ts = ts
        )
    }

    pub(crate) fn ticker_frame(&self, symbol: Symbol, touch: Touch) -> String {
        format!(
            concat!(
                r#"{{"topic":"/contractMarket/ticker:{symbol}","type":"message","subject":"ticker","#,
                r#""sn":{sequence},"data":{data}}}"#
            ),
            symbol = symbol,
            sequence = self.sequence,
            data = self.ticker_data(symbol, self.sequence, touch)
        )
    }

    /// The data of a `ticker` frame, whose sequence is the trade's, and of `GET /api/v1/ticker`, whose
    /// sequence is the book's.
    pub(crate) fn ticker_data(
        &self,
        symbol: Symbol,
        sequence: Sequence,
        [bid, ask]: Touch,
    ) -> String {
        let Self { sequence: trade, taker_side, price, size, .. } = self;
        let ts = self.ts();
        format!(
            concat!(
                r#"{{"symbol":"{symbol}","sequence":{sequence},"side":"{taker_side}","size":{size},"#,
                r#""price":"{price}","bestBidSize":{bid_size},"bestBidPrice":"{bid_price}","#,
                r#""bestAskPrice":"{ask_price}","tradeId":"{trade}","#,
                r#""bestAskSize":{ask_size},"ts":{ts}}}"#
            ),
            symbol = symbol,
            trade = trade,
            sequence = sequence,
            taker_side = taker_side,
            size = size,
            price = price,
            bid_size = bid.size,
            bid_price = bid.price,
            ask_price = ask.price,
            ask_size = ask.size,
            ts = ts
        )
    }

    /// A row of `GET /api/v1/trade/history`.
    pub(crate) fn history_row(&self) -> String {
        let Self { sequence, taker_side, price, size, taker_order, maker_order, .. } = self;
        let ts = self.ts();
        format!(
            concat!(
                r#"{{"sequence":{sequence},"contractId":1,"tradeId":"{sequence}","#,
                r#""makerOrderId":"{maker_order}","takerOrderId":"{taker_order}","ts":{ts},"#,
                r#""size":{size},"price":"{price}","side":"{taker_side}"}}"#
            ),
            sequence = sequence,
            taker_side = taker_side,
            size = size,
            price = price,
            taker_order = taker_order,
            maker_order = maker_order,
            ts = ts
        )
    }
}
