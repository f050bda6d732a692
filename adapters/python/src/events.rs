//! The events that come often, and those that say what is known, as classes of their own.

use kucoin_futures_proto::wire::{Side, TakerSide};
use kucoin_futures_proto::{Decimal, Price, Symbol};
use pyo3::prelude::*;
use pyo3::types::{PyTuple, PyType};

use crate::event_class::event_class;
use crate::level::Level;
use crate::to_py::{FromPy, ToPy, float};

event_class! {
    /// A live book changed by one level.
    Delta { symbol: Symbol, sequence: u64, side: Side, price: Price, size: u64, ts_ns: Option<u64> }
    more {
        /// The price in units of 1e-12: exact, and cheaper than a `Decimal`.
        #[getter]
        const fn price_scaled(&self) -> i64 {
            self.price.scaled()
        }

        /// The nearest float.
        #[getter]
        fn price_float(&self) -> f64 {
            float(&self.price.to_string())
        }
    }
}

event_class! {
    /// From here on the book equals the exchange's.
    BookLive { symbol: Symbol, epoch: u32, sequence: u64 }
}

event_class! {
    /// The book is not the exchange's any more.
    BookLost { symbol: Symbol, epoch: u32, reason: String }
}

event_class! {
    /// The live book was held against a snapshot, and the two agree.
    BookVerified { symbol: Symbol, sequence: u64, is_wider: bool }
}

event_class! {
    /// From here on the account is the exchange's.
    AccountLive { epoch: u32 }
}

event_class! {
    /// The account is not known any more.
    AccountLost { epoch: u32, reason: String }
}

event_class! {
    /// So many events are missing here, because they were read too slowly. Books are exact all the same.
    Lagged { dropped: u32 }
}

event_class! {
    /// Messages of a topic without a book may be missing here: its line was down.
    MayHaveMissed { topic: String, symbol: Option<Symbol> }
}

event_class! {
    /// Anything else that happens to lines, topics and the account.
    State {
        kind: String,
        text: String,
        topic: Option<String>,
        symbol: Option<Symbol>,
        line: Option<u32>,
        status: Option<u16>,
        code: Option<u32>,
        words: Option<String>,
    }
}

event_class! {
    /// A trade.
    Trade {
        symbol: Symbol,
        sequence: u64,
        side: TakerSide,
        price: Price,
        size: u64,
        trade_id: String,
        taker_order_id: Option<String>,
        maker_order_id: Option<String>,
        ts_ns: Option<u64>,
    }
    more {
        /// The price in units of 1e-12: exact, and cheaper than a `Decimal`.
        #[getter]
        const fn price_scaled(&self) -> i64 {
            self.price.scaled()
        }

        /// The nearest float.
        #[getter]
        fn price_float(&self) -> f64 {
            float(&self.price.to_string())
        }
    }
}

event_class! {
    /// The last trade with best bid and offer.
    Ticker {
        symbol: Symbol,
        sequence: u64,
        side: TakerSide,
        price: Price,
        size: u64,
        trade_id: String,
        best_bid: Option<Level>,
        best_ask: Option<Level>,
        ts_ns: Option<u64>,
    }
    more {
        /// The price in units of 1e-12: exact, and cheaper than a `Decimal`.
        #[getter]
        const fn price_scaled(&self) -> i64 {
            self.price.scaled()
        }

        /// The nearest float.
        #[getter]
        fn price_float(&self) -> f64 {
            float(&self.price.to_string())
        }
    }
}

event_class! {
    /// Best bid and offer.
    TickerV2 {
        symbol: Symbol,
        sequence: Option<u64>,
        best_bid: Option<Level>,
        best_ask: Option<Level>,
        ts_ns: Option<u64>,
    }
}

event_class! {
    /// The best levels of both sides, whole.
    Depth {
        symbol: Symbol,
        levels: u32,
        sequence: Option<u64>,
        bids: Vec<Level>,
        asks: Vec<Level>,
        ts_ns: Option<u64>,
    }
}

event_class! {
    /// What it would take to take so much of a side.
    Sweep {
        side: Side,
        lots: u64,
        worst: Option<Price>,
        average: Option<Price>,
        notional: Option<Decimal>,
        end: String,
    }
}
