//! Changes as tickers and trades: the same prices, sizes and symbols in another frame.

use std::fmt::Write as _;

use super::layout::Frames;
use super::market::Market;
use super::shape::Change;

/// A channel without a book.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Feed {
    /// Best bid and offer.
    TickerV2,
    /// Trades.
    Execution,
}

impl Feed {
    /// Both of them.
    pub const ALL: [Self; 2] = [Self::TickerV2, Self::Execution];

    /// As the exchange names it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::TickerV2 => "tickerV2",
            Self::Execution => "execution",
        }
    }
}

/// Nanoseconds of a message, whose change has milliseconds: with all its digits, so that it is new.
const fn nanos(change: &Change) -> u64 {
    change.timestamp * 1_000_000 + change.sequence % 1_000_000
}

/// The frames of all changes, as the exchange writes them today.
pub(super) fn frames(markets: &[Market], changes: &[Change], feed: Feed) -> Frames {
    let texts = changes.iter().filter_map(|change| {
        let market = markets.get(change.market)?;
        Some(write(market, change, feed))
    });
    Frames::of_texts(texts)
}

fn write(market: &Market, change: &Change, feed: Feed) -> String {
    let Change { sequence, size, bid, price, .. } = change;
    let (symbol, channel, ts) = (&market.symbol, feed.name(), nanos(change));
    let subject = if feed == Feed::TickerV2 { channel } else { "match" };
    let mut text = format!(
        r#"{{"topic":"/contractMarket/{channel}:{symbol}","type":"message","subject":"{subject}","sn":{sequence},"data":{{"symbol":"{symbol}","sequence":{sequence},"#
    );
    let (below, above) = (market.price_text(*price), market.price_text(price + market.tick));
    let side = if *bid { "buy" } else { "sell" };
    // Order ids have eighteen digits today.
    let (taker, maker) = (235_919_387_779_985_408 + sequence, 235_919_387_000_000_000 + sequence);
    let _ = match feed {
        Feed::TickerV2 => write!(
            text,
            r#""bestBidSize":{size},"bestBidPrice":"{below}","bestAskPrice":"{above}","bestAskSize":{},"ts":{ts}}}}}"#,
            size + 1
        ),
        Feed::Execution => write!(
            text,
            r#""side":"{side}","size":{size},"price":"{below}","takerOrderId":"{taker}","makerOrderId":"{maker}","tradeId":"{sequence}","ts":{ts}}}}}"#
        ),
    };
    text
}
