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
    /// The best five levels.
    Depth5,
    /// The best fifty levels.
    Depth50,
    /// Mark and index price.
    Mark,
    /// Figures of a day.
    Stats,
    /// Candles.
    Candle,
    /// Orders of an account.
    Order,
    /// Positions of an account.
    Position,
    /// Balances of an account.
    Wallet,
}

impl Feed {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::TickerV2,
        Self::Execution,
        Self::Depth5,
        Self::Depth50,
        Self::Mark,
        Self::Stats,
        Self::Candle,
        Self::Order,
        Self::Position,
        Self::Wallet,
    ];

    /// As the exchange names it, or nearly so.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::TickerV2 => "tickerV2",
            Self::Execution => "execution",
            Self::Depth5 => "level2Depth5",
            Self::Depth50 => "level2Depth50",
            Self::Mark => "mark.index.price",
            Self::Stats => "snapshot.24h",
            Self::Candle => "limitCandle",
            Self::Order => "tradeOrders",
            Self::Position => "position.change",
            Self::Wallet => "wallet",
        }
    }

    /// One change in so many becomes a message: long frames are fewer, so that they take as much memory.
    const fn step(self) -> usize {
        match self {
            Self::Depth50 => 10,
            Self::Position => 4,
            Self::Depth5 | Self::Order | Self::Wallet => 2,
            Self::TickerV2 | Self::Execution | Self::Mark | Self::Stats | Self::Candle => 1,
        }
    }
}

/// Nanoseconds of a message, whose change has milliseconds: with all its digits, so that it is new.
const fn nanos(change: &Change) -> u64 {
    change.timestamp * 1_000_000 + change.sequence % 1_000_000
}

/// The frames of all changes, as the exchange writes them today.
pub(super) fn frames(markets: &[Market], changes: &[Change], feed: Feed) -> Frames {
    let texts = changes.iter().step_by(feed.step()).filter_map(|change| {
        let market = markets.get(change.market)?;
        Some(write(market, change, feed))
    });
    Frames::of_texts(texts)
}

fn write(market: &Market, change: &Change, feed: Feed) -> String {
    match feed {
        Feed::TickerV2 | Feed::Execution => ticker_or_trade(market, change, feed),
        Feed::Depth5 => depth(market, change, 5),
        Feed::Depth50 => depth(market, change, 50),
        Feed::Mark => mark(market, change),
        Feed::Stats => stats(market, change),
        Feed::Candle => candle(market, change),
        Feed::Order => order(market, change),
        Feed::Position => position(market, change),
        Feed::Wallet => wallet(change),
    }
}

fn ticker_or_trade(market: &Market, change: &Change, feed: Feed) -> String {
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
    let _ = if feed == Feed::TickerV2 {
        write!(
            text,
            r#""bestBidSize":{size},"bestBidPrice":"{below}","bestAskPrice":"{above}","bestAskSize":{},"ts":{ts}}}}}"#,
            size + 1
        )
    } else {
        write!(
            text,
            r#""side":"{side}","size":{size},"price":"{below}","takerOrderId":"{taker}","makerOrderId":"{maker}","tradeId":"{sequence}","ts":{ts}}}}}"#
        )
    };
    text
}

/// The levels around a price, each a tick from the next.
fn depth(market: &Market, change: &Change, levels: i64) -> String {
    let Change { sequence, size, price, timestamp, .. } = change;
    let side = |direction: i64| {
        let level = |n: i64| {
            let at = price + direction * n * market.tick;
            format!("[\"{}\",{}]", market.price_text(at), (size + n as u64 * 677) % 9_973 + 1)
        };
        let first = i64::from(direction > 0);
        (first..levels + first).map(level).collect::<Vec<_>>().join(",")
    };
    format!(
        r#"{{"topic":"/contractMarket/level2Depth{levels}:{}","type":"message","subject":"level2","sn":{timestamp},"data":{{"bids":[{}],"sequence":{sequence},"timestamp":{timestamp},"ts":{timestamp},"asks":[{}]}}}}"#,
        market.symbol,
        side(-1),
        side(1)
    )
}

fn mark(market: &Market, change: &Change) -> String {
    let Change { price, timestamp, .. } = change;
    let (symbol, mark) = (&market.symbol, market.price_text(*price));
    let index = market.price_text(price + market.tick);
    format!(
        r#"{{"topic":"/contract/instrument:{symbol}","type":"message","subject":"mark.index.price","data":{{"markPrice":{mark},"indexPrice":{index},"granularity":1000,"timestamp":{timestamp}}}}}"#
    )
}

fn stats(market: &Market, change: &Change) -> String {
    let Change { price, sequence, size, .. } = change;
    let text = |ticks: i64| market.price_text(price + ticks * market.tick);
    let (symbol, ts) = (&market.symbol, nanos(change));
    let (high, low, before, change) = (text(310), text(-200), text(21), text(0));
    format!(
        r#"{{"topic":"/contractMarket/snapshot:{symbol}","type":"message","subject":"snapshot.24h","id":"673ab3fff4088b{sequence:010}","data":{{"highPrice":{high},"lastPrice":{change},"lowPrice":{low},"price24HoursBefore":{before},"priceChg":-0.{:04},"priceChgPct":0.00{:02},"symbol":"{symbol}","ts":{ts},"turnover":5{:08}.048217{:04},"volume":{}.46}}}}"#,
        size % 8_999 + 1_001,
        size % 89 + 11,
        sequence % 100_000_000,
        size % 8_999 + 1_001,
        size + 5_834
    )
}

fn candle(market: &Market, change: &Change) -> String {
    let Change { price, timestamp, size, .. } = change;
    let text = |ticks: i64| market.price_text(price + ticks * market.tick);
    let (symbol, start) = (&market.symbol, timestamp / 60_000 * 60);
    let (open, close, high, low) = (text(0), text(3), text(9), text(-7));
    format!(
        r#"{{"topic":"/contractMarket/limitCandle:{symbol}_1min","type":"message","data":{{"symbol":"{symbol}","candles":["{start}","{open}","{close}","{high}","{low}","108{size}.7836","{size}"],"time":{timestamp}}},"subject":"candle.stick"}}"#
    )
}

fn order(market: &Market, change: &Change) -> String {
    let Change { price, sequence, size, .. } = change;
    let (symbol, ts, at) = (&market.symbol, nanos(change), market.price_text(*price));
    let (order, whole) = (358_721_557_000_000_000 + sequence, size + 3);
    format!(
        r#"{{"topic":"/contractMarket/tradeOrders:{symbol}","type":"message","subject":"symbolOrderChange","userId":"67f914adc8d0110001ca099e","channelType":"private","data":{{"symbol":"{symbol}","orderType":"limit","side":"buy","canceledSize":"0","orderId":"{order}","positionSide":"BOTH","liquidity":"taker","marginMode":"CROSS","type":"match","feeType":"takerFee","orderTime":{ts},"size":"{whole}","filledSize":"{size}","price":"{at}","matchPrice":"{at}","matchSize":"{size}","remainSize":"3","tradeId":"{sequence}","clientOid":"c-{sequence}","tradeType":"trade","status":"match","ts":{ts}}}}}"#
    )
}

fn position(market: &Market, change: &Change) -> String {
    let Change { price, size, timestamp, .. } = change;
    let text = |ticks: i64| market.price_text(price + ticks * market.tick);
    let (symbol, now) = (&market.symbol, timestamp);
    let (at, entry, far, gone) = (text(0), text(30), text(-150), text(-170));
    let small = size % 8_999 + 1_001;
    format!(
        r#"{{"topic":"/contract/position:{symbol}","type":"message","data":{{"symbol":"{symbol}","maintMarginReq":0.005,"riskLimit":500000,"realLeverage":4.968559{small},"crossMode":false,"delevPercentage":0.21,"openingTimestamp":{now},"autoDeposit":true,"currentTimestamp":{now},"currentQty":{size},"currentCost":91.{small},"currentComm":0.0917{small},"unrealisedCost":91.6945,"realisedCost":-0.0721{small},"isOpen":true,"markPrice":{at},"markValue":91.8{small},"posCost":91.6945,"posCross":0,"posInit":18.3389,"posComm":0.0660{small},"posLoss":0,"posMargin":18.4049{small},"posFunding":0,"posMaint":0.563462{small},"maintMargin":18.5502{small},"avgEntryPrice":{entry},"liquidationPrice":{far},"bankruptPrice":{gone},"settleCurrency":"USDT","changeReason":"positionChange","riskLimitLevel":2,"realisedGrossCost":-0.1639,"realisedGrossPnl":0.1639,"realisedPnl":0.0721{small},"unrealisedPnl":0.14529,"unrealisedPnlPcnt":0.0016,"unrealisedRoePcnt":0.0079,"leverage":4.968559{small},"marginMode":"ISOLATED","positionSide":"BOTH"}},"subject":"position.change","userId":"633559791e1cbc0001f319bc","channelType":"private"}}"#
    )
}

fn wallet(change: &Change) -> String {
    let Change { sequence, size, timestamp, .. } = change;
    let small = size % 8_999 + 1_001;
    format!(
        r#"{{"topic":"/contractAccount/wallet","type":"message","subject":"walletBalance.change","id":"673b0bb925b4bc0001fadfef","userId":"633559791e1cbc0001f319bc","channelType":"private","data":{{"crossPosMargin":"38.512339{small}","isolatedOrderMargin":"18.1188","holdBalance":"0","equity":"81.27362{small}","version":"{sequence}","availableBalance":"26.14428{small}","isolatedPosMargin":"36.8098{small}","maxWithdrawAmount":"26.14428{small}","walletBalance":"81.07292{small}","isolatedFundingFeeMargin":"0","crossUnPnl":"-0.0{small}","totalCrossMargin":"26.14428{small}","currency":"USDT","isolatedUnPnl":"0.{small}","crossOrderMargin":"0","timestamp":"{timestamp}"}}}}"#
    )
}
