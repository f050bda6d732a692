//! Tickers and trades read by `serde_json`: the usual way, done well.

pub mod others;

use serde::Deserialize;

use crate::number::Number;

/// What a `tickerV2` frame says.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Ticker<'a, N> {
    /// The contract.
    pub symbol: &'a str,
    /// Position in its stream.
    pub sequence: u64,
    /// Price and size of the best bid, then of the best ask.
    pub touch: [(N, u64); 2],
    /// Nanoseconds since 1970.
    pub ts: u64,
}

/// What an `execution` frame says.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Trade<'a, N> {
    /// The contract.
    pub symbol: &'a str,
    /// Position in its stream.
    pub sequence: u64,
    /// Whether the taker bought.
    pub buy: bool,
    /// Of the trade.
    pub price: N,
    /// Of the trade.
    pub size: u64,
    /// Of the trade, of the order that took, and of the one that was taken.
    pub ids: [&'a str; 3],
    /// Nanoseconds since 1970.
    pub ts: u64,
}

#[derive(Deserialize)]
struct Frame<'a, D> {
    #[serde(borrow)]
    topic: &'a str,
    data: D,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TickerData<'a> {
    #[serde(borrow)]
    symbol: &'a str,
    sequence: u64,
    best_bid_size: u64,
    best_bid_price: &'a str,
    best_ask_price: &'a str,
    best_ask_size: u64,
    ts: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TradeData<'a> {
    #[serde(borrow)]
    symbol: &'a str,
    sequence: u64,
    side: &'a str,
    size: u64,
    price: &'a str,
    taker_order_id: &'a str,
    maker_order_id: &'a str,
    trade_id: &'a str,
    ts: u64,
}

/// Reads a `tickerV2` frame; `None` if it is not what it should be.
#[must_use]
pub fn ticker<N: Number>(frame: &[u8]) -> Option<Ticker<'_, N>> {
    let Frame { topic, data } = serde_json::from_slice::<Frame<'_, TickerData<'_>>>(frame).ok()?;
    let TickerData { symbol, sequence, ts, .. } = data;
    let bid = (N::read(data.best_bid_price)?, data.best_bid_size);
    let ask = (N::read(data.best_ask_price)?, data.best_ask_size);
    let is_its = topic.strip_prefix("/contractMarket/tickerV2:")? == symbol;
    is_its.then_some(Ticker { symbol, sequence, touch: [bid, ask], ts })
}

/// Reads an `execution` frame; `None` if it is not what it should be.
#[must_use]
pub fn trade<N: Number>(frame: &[u8]) -> Option<Trade<'_, N>> {
    let Frame { topic, data } = serde_json::from_slice::<Frame<'_, TradeData<'_>>>(frame).ok()?;
    let TradeData { symbol, sequence, size, ts, .. } = data;
    let buy = match data.side {
        "buy" => true,
        "sell" => false,
        _ => return None,
    };
    let (price, ids) =
        (N::read(data.price)?, [data.trade_id, data.taker_order_id, data.maker_order_id]);
    let is_its = topic.strip_prefix("/contractMarket/execution:")? == symbol;
    is_its.then_some(Trade { symbol, sequence, buy, price, size, ids, ts })
}

#[cfg(test)]
mod tests {
    use kucoin_futures_proto::Message;

    use super::{Ticker, Trade, ticker, trade};
    use crate::corpus::{Corpus, Feed, Shape, Spread};
    use crate::ours::{MessageParser, Messages};

    #[test]
    fn ours_and_the_rival_read_every_message_and_say_the_same() {
        let shape = Shape { symbols: 6, levels: 50, changes: 400, spread: Spread::Touch, seed: 3 };
        let corpus = Corpus::new(shape);
        for feed in [Feed::TickerV2, Feed::Execution] {
            let (mut client, mut parser) =
                (Messages::new(&corpus.markets, feed), MessageParser::new());
            for frame in corpus.messages(feed).iter() {
                let theirs = match feed {
                    Feed::TickerV2 => format!("{:?}", ticker::<i64>(frame).unwrap()),
                    _ => format!("{:?}", trade::<i64>(frame).unwrap()),
                };
                assert_eq!(said(&parser.parse(frame).unwrap()), theirs);
                assert_eq!(client.feed(frame, said).unwrap(), theirs);
            }
        }
    }

    fn said(message: &Message<'_>) -> String {
        match message {
            Message::TickerV2(t) => {
                let best = |level: kucoin_futures_proto::book::Level| {
                    (level.price.scaled(), level.size.get())
                };
                let (bid, ask) = (best(t.best_bid.unwrap()), best(t.best_ask.unwrap()));
                let sequence = t.sequence.unwrap().get();
                let ts = t.ts_event.unwrap().as_nanos();
                format!(
                    "{:?}",
                    Ticker { symbol: t.symbol.as_str(), sequence, touch: [bid, ask], ts }
                )
            }
            Message::Execution(t) => {
                let ids = [Some(t.trade_id), t.taker_order_id, t.maker_order_id];
                let said = Trade {
                    symbol: t.symbol.as_str(),
                    sequence: t.sequence.get(),
                    buy: t.taker_side == kucoin_futures_proto::wire::TakerSide::Buy,
                    price: t.price.scaled(),
                    size: t.size.get(),
                    ids: ids.map(|id| id.unwrap().plain().unwrap()),
                    ts: t.ts_event.unwrap().as_nanos(),
                };
                format!("{said:?}")
            }
            other => panic!("{other:?}"),
        }
    }
}
