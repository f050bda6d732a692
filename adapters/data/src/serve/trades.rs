//! The last trades of a contract, as the recording has told them.

use std::collections::VecDeque;

use kucoin_futures_proto::book::Level;
use kucoin_futures_proto::wire::{Execution, RestTicker, RestTrade, TakerSide, Text, Ticker};
use kucoin_futures_proto::{Lots, Price, Sequence, Symbol, UnixNanos};
use serde_json::Value;

/// The exchange's list has so many.
const KEPT: usize = 100;
/// What a side without levels is shown as in a ticker.
const NOTHING: Level = Level { price: Price::ZERO, size: Lots::ZERO };

/// A trade.
#[derive(Clone, Debug)]
struct Trade {
    /// `None`: only a ticker has told it, which says nothing of its own counter.
    sequence: Option<Sequence>,
    taker_side: TakerSide,
    price: Price,
    size: Lots,
    trade_id: String,
    taker_order: Option<String>,
    maker_order: Option<String>,
    at: Option<UnixNanos>,
}

/// What has been traded.
#[derive(Debug, Default)]
pub(super) struct Trades {
    /// The latest last.
    list: VecDeque<Trade>,
    /// The latest one, if a ticker or the list has told it.
    last: Option<Trade>,
}

impl Trades {
    pub(super) fn on_execution(&mut self, told: &Execution<'_>) {
        let trade = Trade {
            sequence: Some(told.sequence),
            taker_side: told.taker_side,
            price: told.price,
            size: told.size,
            trade_id: owned(told.trade_id),
            taker_order: told.taker_order_id.map(owned),
            maker_order: told.maker_order_id.map(owned),
            at: told.ts_event,
        };
        self.last = Some(trade.clone());
        self.push(trade);
    }

    pub(super) fn on_ticker(&mut self, told: &Ticker<'_>) {
        self.last = Some(Trade {
            sequence: Some(told.sequence),
            taker_side: told.taker_side,
            price: told.price,
            size: told.size,
            trade_id: owned(told.trade_id),
            taker_order: None,
            maker_order: None,
            at: told.ts_event,
        });
    }

    /// The answer to a query. What the stream has told is not older.
    pub(super) fn on_rest_ticker(&mut self, told: &RestTicker<'_>) {
        let (Some(taker_side), Some(price), Some(size), Some(trade_id)) =
            (told.taker_side, told.price, told.size, told.trade_id)
        else {
            return;
        };
        let is_older = |last: &Trade| last.at > told.traded;
        if !self.last.as_ref().is_some_and(is_older) {
            let trade_id = owned(trade_id);
            let (taker_order, maker_order) = (None, None);
            let (sequence, at) = (None, told.traded);
            let trade =
                Trade { sequence, taker_side, price, size, trade_id, taker_order, maker_order, at };
            self.last = Some(trade);
        }
    }

    /// The answer to a query, the newest first: what lies before what is known goes in front of it.
    pub(super) fn on_history<'a>(&mut self, rows: impl Iterator<Item = RestTrade<'a>>) {
        for told in rows {
            let first = self.list.front().and_then(|trade| trade.sequence);
            if first.is_some_and(|first| told.sequence >= first) || self.list.len() == KEPT {
                continue;
            }
            let trade = Trade {
                sequence: Some(told.sequence),
                taker_side: told.taker_side,
                price: told.price,
                size: told.size,
                trade_id: told.trade_id.map(owned).unwrap_or_default(),
                taker_order: told.taker_order_id.map(owned),
                maker_order: told.maker_order_id.map(owned),
                at: told.time,
            };
            if self.last.is_none() {
                self.last = Some(trade.clone());
            }
            self.list.push_front(trade);
        }
    }

    fn push(&mut self, trade: Trade) {
        if self.list.len() == KEPT {
            self.list.pop_front();
        }
        self.list.push_back(trade);
    }

    /// The rows of `GET /api/v1/trade/history`, the newest first; `None` if nothing has been told.
    pub(super) fn history(&self) -> Option<String> {
        let rows: Vec<String> = self.list.iter().rev().map(Trade::row).collect();
        (!rows.is_empty()).then(|| format!("[{}]", rows.join(",")))
    }

    /// The data of `GET /api/v1/ticker`; `None` before the first trade.
    pub(super) fn ticker(
        &self,
        symbol: Symbol,
        sequence: Sequence,
        touch: [Option<Level>; 2],
    ) -> Option<String> {
        let last = self.last.as_ref()?;
        let [bid, ask] = touch.map(|level| level.unwrap_or(NOTHING));
        Some(format!(
            concat!(
                r#"{{"symbol":"{}","sequence":{},"side":"{}","size":{},"price":"{}","#,
                r#""bestBidSize":{},"bestBidPrice":"{}","bestAskPrice":"{}","tradeId":{},"#,
                r#""bestAskSize":{}{}}}"#
            ),
            symbol,
            sequence,
            last.taker_side,
            last.size,
            last.price,
            bid.size,
            bid.price,
            ask.price,
            Value::from(last.trade_id.as_str()),
            ask.size,
            last.ts()
        ))
    }
}

impl Trade {
    fn ts(&self) -> String {
        self.at.map(|at| format!(r#","ts":{}"#, at.as_nanos())).unwrap_or_default()
    }

    fn row(&self) -> String {
        let Self { taker_side, price, size, trade_id, taker_order, maker_order, .. } = self;
        let text = |text: &Option<String>| Value::from(text.as_deref().unwrap_or_default());
        format!(
            concat!(
                r#"{{"sequence":{},"contractId":1,"tradeId":{},"makerOrderId":{},"#,
                r#""takerOrderId":{}{},"size":{},"price":"{}","side":"{}"}}"#
            ),
            self.sequence.map_or(0, Sequence::get),
            Value::from(trade_id.as_str()),
            text(maker_order),
            text(taker_order),
            self.ts(),
            size,
            price,
            taker_side
        )
    }
}

fn owned(text: Text<'_>) -> String {
    text.chars().collect()
}
