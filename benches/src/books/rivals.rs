//! Books of libraries, each through its own public interface.

use std::fmt;

use barter_data::books::{Asks, Bids, Level as BarterLevel, OrderBookSide};
use hftbacktest::depth::{
    BTreeMarketDepth, HashMapMarketDepth, L2MarketDepth, MarketDepth, ROIVectorMarketDepth,
};
use nautilus_model::data::BookOrder;
use nautilus_model::enums::{BookType, OrderSide};
use nautilus_model::identifiers::InstrumentId;
use nautilus_model::orderbook::{BookLevel, OrderBook as NautilusBook};
use nautilus_model::types::{Price as NautilusPrice, Quantity};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;

use super::{Book, TOP, mix, units};
use crate::corpus::{Level, Market, Units};
use crate::number::Number;

/// A depth of `hftbacktest` with what is needed to read it out.
pub struct Hft<D> {
    depth: D,
    tick: Units,
    /// Ticks that can hold a level.
    range: (i64, i64),
}

/// A vector with a place for every tick of a fixed band.
pub type HftRoi = Hft<ROIVectorMarketDepth>;
/// A tree from tick to size.
pub type HftBTree = Hft<BTreeMarketDepth>;
/// A hash map from tick to size.
pub type HftHashMap = Hft<HashMapMarketDepth>;

impl<D> fmt::Debug for Hft<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hft").field("range", &self.range).finish_non_exhaustive()
    }
}

/// A price as the float that these books take.
fn float(price: Units) -> f64 {
    price as f64 / 1e12
}

impl<D: MarketDepth + L2MarketDepth> Hft<D> {
    fn new(market: &Market, depth: impl FnOnce(f64, f64, f64) -> D) -> Self {
        let (lowest, highest) = market.range();
        let depth = depth(float(market.tick), float(lowest), float(highest));
        Self { depth, tick: market.tick, range: (lowest / market.tick, highest / market.tick) }
    }

    fn set_level(&mut self, bid: bool, price: f64, size: u64) {
        if bid {
            self.depth.update_bid_depth(price, size as f64, 0);
        } else {
            self.depth.update_ask_depth(price, size as f64, 0);
        }
    }

    fn best_levels(&self) -> (f64, f64, f64, f64) {
        let depth = &self.depth;
        (depth.best_bid(), depth.best_bid_qty(), depth.best_ask(), depth.best_ask_qty())
    }

    /// Levels of a side, best first, by asking tick after tick: there is no other way that all have.
    fn walk(&self, bid: bool) -> impl Iterator<Item = (i64, u64)> + '_ {
        let (lowest, highest) = self.range;
        let count = highest - lowest + 1;
        let (first, step) =
            if bid { (self.depth.best_bid_tick(), -1) } else { (self.depth.best_ask_tick(), 1) };
        let ticks = (0..count).map(move |at| first.saturating_add(at * step));
        let inside = ticks.take_while(move |tick| (lowest..=highest).contains(tick));
        inside.filter_map(move |tick| {
            let size = if bid {
                self.depth.bid_qty_at_tick(tick)
            } else {
                self.depth.ask_qty_at_tick(tick)
            };
            (size > 0.0).then_some((tick, size as u64))
        })
    }

    fn sum_top(&self) -> u64 {
        let levels = self.walk(true).take(TOP).chain(self.walk(false).take(TOP));
        levels.fold(0, |sum, (tick, size)| sum.wrapping_add(mix(tick as u64, size)))
    }

    fn all(&self) -> [Vec<Level>; 2] {
        let level = |(tick, size)| (tick * self.tick, size);
        [true, false].map(|bid| self.walk(bid).map(level).collect())
    }
}

macro_rules! hft {
    ($depth:ty, $name:literal, $new:expr) => {
        impl Book for Hft<$depth> {
            const NAME: &'static str = $name;
            type Price = f64;

            fn empty(market: &Market) -> Self {
                Self::new(market, $new)
            }

            fn set(&mut self, bid: bool, price: f64, size: u64) {
                self.set_level(bid, price, size);
            }

            fn best(&self) -> impl Sized + use<> {
                self.best_levels()
            }

            fn top(&self) -> u64 {
                self.sum_top()
            }

            fn held(&self) -> [Vec<Level>; 2] {
                self.all()
            }
        }
    };
}

hft!(ROIVectorMarketDepth, "hftbacktest ROI vector", |tick, lowest, highest| {
    ROIVectorMarketDepth::new(tick, 1.0, lowest, highest)
});
hft!(BTreeMarketDepth, "hftbacktest BTree", |tick, _, _| BTreeMarketDepth::new(tick, 1.0));
hft!(HashMapMarketDepth, "hftbacktest HashMap", |tick, _, _| HashMapMarketDepth::new(tick, 1.0));

/// `barter-data`: sorted vectors of decimals, best first. The sides are used by themselves: the whole
/// book takes a change only as another book, which would cost it an allocation more.
#[derive(Debug)]
pub struct Barter {
    bids: OrderBookSide<Bids>,
    asks: OrderBookSide<Asks>,
}

impl Book for Barter {
    const NAME: &'static str = "barter-data";
    type Price = Decimal;

    fn empty(_: &Market) -> Self {
        Self { bids: OrderBookSide::default(), asks: OrderBookSide::default() }
    }

    fn set(&mut self, bid: bool, price: Decimal, size: u64) {
        let level = BarterLevel { price, amount: Decimal::from(size) };
        if bid {
            self.bids.upsert(&[level]);
        } else {
            self.asks.upsert(&[level]);
        }
    }

    fn best(&self) -> impl Sized + use<> {
        (self.bids.best().copied(), self.asks.best().copied())
    }

    fn top(&self) -> u64 {
        let levels = self.bids.levels().iter().take(TOP);
        let levels = levels.chain(self.asks.levels().iter().take(TOP));
        levels.fold(0, |sum, level| {
            let (price, amount) = (level.price.mantissa(), level.amount.mantissa());
            sum.wrapping_add(mix(price as u64, amount as u64))
        })
    }

    fn held(&self) -> [Vec<Level>; 2] {
        let level = |level: &BarterLevel| (units(level.price), level.amount.to_u64().unwrap_or(0));
        let [bids, asks] = [self.bids.levels(), self.asks.levels()];
        [bids, asks].map(|levels| levels.iter().map(level).collect())
    }
}

/// `nautilus-model`: trees of levels, each a map of orders; here with one order a level.
#[derive(Debug)]
pub struct Nautilus(NautilusBook);

impl Number for NautilusPrice {
    fn read(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

impl Book for Nautilus {
    const NAME: &'static str = "nautilus-model";
    type Price = NautilusPrice;

    fn empty(market: &Market) -> Self {
        let instrument = InstrumentId::from(format!("{}.KUCOIN", market.symbol).as_str());
        Self(NautilusBook::new(instrument, BookType::L2_MBP))
    }

    fn set(&mut self, bid: bool, price: NautilusPrice, size: u64) {
        let side = if bid { OrderSide::Buy } else { OrderSide::Sell };
        // Whole lots; their unit is 1e-9.
        let size = Quantity::from_raw(size * 1_000_000_000, 0);
        let order = BookOrder::new(side, price, size, 0);
        if size.is_zero() {
            self.0.delete(order, 0, 0, 0.into());
        } else {
            self.0.update(order, 0, 0, 0.into());
        }
    }

    fn best(&self) -> impl Sized + use<> {
        let book = &self.0;
        let bid = (book.best_bid_price(), book.best_bid_size());
        (bid, (book.best_ask_price(), book.best_ask_size()))
    }

    fn top(&self) -> u64 {
        let levels = self.0.bids(Some(TOP)).chain(self.0.asks(Some(TOP)));
        levels.fold(0, |sum, level| {
            sum.wrapping_add(mix(level.price.value.raw as u64, level.size_raw()))
        })
    }

    fn held(&self) -> [Vec<Level>; 2] {
        let level = |level: &BookLevel| {
            // Prices have 9 decimals here.
            (level.price.value.raw * 1000, level.size_raw() / 1_000_000_000)
        };
        [self.0.bids(None).map(level).collect(), self.0.asks(None).map(level).collect()]
    }
}
