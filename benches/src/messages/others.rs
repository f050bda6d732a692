//! Channels whose data are objects of many keys, read by `serde_json`: strings borrowed, numbers as they
//! stand, both into exact decimals.

use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::Frame;
use crate::corpus::Feed;
use crate::number::Number;

/// What a frame says: every number and every word, in the order of the frame.
#[derive(Clone, PartialEq, Debug)]
#[allow(clippy::large_enum_variant, reason = "a box would cost the rival an allocation")]
pub enum Said<'a> {
    /// Sequence, time, and both sides.
    Depth(u64, u64, [Vec<(Decimal, u64)>; 2]),
    /// Mark and index price, and times.
    Mark([Decimal; 2], [u64; 2]),
    /// Prices, turnover and volume, and the time.
    Stats([Decimal; 8], u64),
    /// Start, prices and turnover, lots, and the time.
    Candle(u64, [Decimal; 5], u64, u64),
    /// An order.
    Order(Order<'a>),
    /// Words, numbers, lots and step of risk, times, flags.
    Position([&'a str; 5], [Decimal; 29], [i64; 2], [u64; 2], [bool; 3]),
    /// Currency, amounts, version and time.
    Wallet(&'a str, [Decimal; 13], [u64; 2]),
}

/// What an order says.
#[derive(Clone, PartialEq, Debug)]
pub struct Order<'a> {
    /// Ids of order, trade and client.
    pub ids: [&'a str; 3],
    /// Kind, side, position, liquidity, margin, what happened, fee, trade, status.
    pub words: [&'a str; 9],
    /// Canceled, whole, filled, of this fill, remaining.
    pub sizes: [u64; 5],
    /// Limit, and of this fill.
    pub prices: [Decimal; 2],
    /// When it was made and when this was said.
    pub times: [u64; 2],
}

#[derive(Deserialize)]
struct DepthData<'a> {
    #[serde(borrow)]
    bids: Vec<(&'a str, u64)>,
    #[serde(borrow)]
    asks: Vec<(&'a str, u64)>,
    sequence: u64,
    ts: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct MarkData<'a> {
    #[serde(borrow)]
    mark_price: &'a RawValue,
    #[serde(borrow)]
    index_price: &'a RawValue,
    granularity: u64,
    timestamp: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct StatsData<'a> {
    #[serde(borrow)]
    symbol: &'a str,
    #[serde(borrow)]
    high_price: &'a RawValue,
    #[serde(borrow)]
    last_price: &'a RawValue,
    #[serde(borrow)]
    low_price: &'a RawValue,
    #[serde(borrow, rename = "price24HoursBefore")]
    before: &'a RawValue,
    #[serde(borrow)]
    price_chg: &'a RawValue,
    #[serde(borrow)]
    price_chg_pct: &'a RawValue,
    #[serde(borrow)]
    turnover: &'a RawValue,
    #[serde(borrow)]
    volume: &'a RawValue,
    ts: u64,
}

#[derive(Deserialize)]
struct CandleData<'a> {
    #[serde(borrow)]
    symbol: &'a str,
    #[serde(borrow)]
    candles: [&'a str; 7],
    time: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OrderData<'a> {
    #[serde(borrow)]
    symbol: &'a str,
    order_type: &'a str,
    side: &'a str,
    canceled_size: &'a str,
    order_id: &'a str,
    position_side: &'a str,
    liquidity: &'a str,
    margin_mode: &'a str,
    #[serde(rename = "type")]
    change: &'a str,
    fee_type: &'a str,
    order_time: u64,
    size: &'a str,
    filled_size: &'a str,
    price: &'a str,
    match_price: &'a str,
    match_size: &'a str,
    remain_size: &'a str,
    trade_id: &'a str,
    client_oid: &'a str,
    trade_type: &'a str,
    status: &'a str,
    ts: u64,
}

macro_rules! position {
    ($($field:ident),*) => {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct PositionData<'a> {
            #[serde(borrow)]
            symbol: &'a str,
            settle_currency: &'a str,
            change_reason: &'a str,
            margin_mode: &'a str,
            position_side: &'a str,
            cross_mode: bool,
            auto_deposit: bool,
            is_open: bool,
            opening_timestamp: u64,
            current_timestamp: u64,
            current_qty: i64,
            risk_limit_level: i64,
            $(#[serde(borrow)] $field: &'a RawValue),*
        }

        impl PositionData<'_> {
            fn numbers(&self) -> Option<[Decimal; 29]> {
                Some([$(raw(self.$field)?),*])
            }
        }
    };
}

position!(
    maint_margin_req,
    risk_limit,
    real_leverage,
    delev_percentage,
    current_cost,
    current_comm,
    unrealised_cost,
    realised_cost,
    mark_price,
    mark_value,
    pos_cost,
    pos_cross,
    pos_init,
    pos_comm,
    pos_loss,
    pos_margin,
    pos_funding,
    pos_maint,
    maint_margin,
    avg_entry_price,
    liquidation_price,
    bankrupt_price,
    realised_gross_cost,
    realised_gross_pnl,
    realised_pnl,
    unrealised_pnl,
    unrealised_pnl_pcnt,
    unrealised_roe_pcnt,
    leverage
);

macro_rules! wallet {
    ($($field:ident),*) => {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct WalletData<'a> {
            #[serde(borrow)]
            currency: &'a str,
            version: &'a str,
            timestamp: &'a str,
            $($field: &'a str),*
        }

        impl WalletData<'_> {
            fn amounts(&self) -> Option<[Decimal; 13]> {
                Some([$(Decimal::read(self.$field)?),*])
            }
        }
    };
}

wallet!(
    cross_pos_margin,
    isolated_order_margin,
    hold_balance,
    equity,
    available_balance,
    isolated_pos_margin,
    max_withdraw_amount,
    wallet_balance,
    isolated_funding_fee_margin,
    cross_un_pnl,
    total_cross_margin,
    isolated_un_pnl,
    cross_order_margin
);

fn raw(number: &RawValue) -> Option<Decimal> {
    Decimal::read(number.get())
}

/// Reads a frame of one of these feeds; `None` if it is not what it should be.
#[must_use]
pub fn read(feed: Feed, frame: &[u8]) -> Option<Said<'_>> {
    match feed {
        Feed::TickerV2 | Feed::Execution => None,
        Feed::Depth5 | Feed::Depth50 => depth(frame),
        Feed::Mark => mark(frame),
        Feed::Stats => stats(frame),
        Feed::Candle => candle(frame),
        Feed::Order => order(frame),
        Feed::Position => position(frame),
        Feed::Wallet => wallet(frame),
    }
}

fn depth(frame: &[u8]) -> Option<Said<'_>> {
    let Frame { topic, data } = serde_json::from_slice::<Frame<'_, DepthData<'_>>>(frame).ok()?;
    topic.strip_prefix("/contractMarket/level2Depth")?.split_once(':')?;
    let side = |levels: Vec<(&str, u64)>| {
        let level = |(price, size): (&str, u64)| Some((Decimal::read(price)?, size));
        levels.into_iter().map(level).collect::<Option<Vec<_>>>()
    };
    Some(Said::Depth(data.sequence, data.ts, [side(data.bids)?, side(data.asks)?]))
}

fn mark(frame: &[u8]) -> Option<Said<'_>> {
    let Frame { topic, data } = serde_json::from_slice::<Frame<'_, MarkData<'_>>>(frame).ok()?;
    topic.strip_prefix("/contract/instrument:")?;
    let prices = [raw(data.mark_price)?, raw(data.index_price)?];
    Some(Said::Mark(prices, [data.granularity, data.timestamp]))
}

fn stats(frame: &[u8]) -> Option<Said<'_>> {
    let Frame { topic, data } = serde_json::from_slice::<Frame<'_, StatsData<'_>>>(frame).ok()?;
    let numbers = [
        raw(data.high_price)?,
        raw(data.last_price)?,
        raw(data.low_price)?,
        raw(data.before)?,
        raw(data.price_chg)?,
        raw(data.price_chg_pct)?,
        raw(data.turnover)?,
        raw(data.volume)?,
    ];
    let is_its = topic.strip_prefix("/contractMarket/snapshot:")? == data.symbol;
    is_its.then_some(Said::Stats(numbers, data.ts))
}

fn candle(frame: &[u8]) -> Option<Said<'_>> {
    let Frame { topic, data } = serde_json::from_slice::<Frame<'_, CandleData<'_>>>(frame).ok()?;
    let (symbol, _) = topic.strip_prefix("/contractMarket/limitCandle:")?.split_once('_')?;
    let [start, open, close, high, low, turnover, lots] = data.candles;
    let prices = [
        Decimal::read(open)?,
        Decimal::read(close)?,
        Decimal::read(high)?,
        Decimal::read(low)?,
        Decimal::read(turnover)?,
    ];
    let said = Said::Candle(start.parse().ok()?, prices, lots.parse().ok()?, data.time);
    (symbol == data.symbol).then_some(said)
}

fn order(frame: &[u8]) -> Option<Said<'_>> {
    let Frame { topic, data } = serde_json::from_slice::<Frame<'_, OrderData<'_>>>(frame).ok()?;
    let size = |text: &str| text.parse::<u64>().ok();
    let order = Order {
        ids: [data.order_id, data.trade_id, data.client_oid],
        words: [
            data.order_type,
            data.side,
            data.position_side,
            data.liquidity,
            data.margin_mode,
            data.change,
            data.fee_type,
            data.trade_type,
            data.status,
        ],
        sizes: [
            size(data.canceled_size)?,
            size(data.size)?,
            size(data.filled_size)?,
            size(data.match_size)?,
            size(data.remain_size)?,
        ],
        prices: [Decimal::read(data.price)?, Decimal::read(data.match_price)?],
        times: [data.order_time, data.ts],
    };
    let is_its = topic.strip_prefix("/contractMarket/tradeOrders:")? == data.symbol;
    is_its.then_some(Said::Order(order))
}

fn position(frame: &[u8]) -> Option<Said<'_>> {
    let Frame { topic, data } =
        serde_json::from_slice::<Frame<'_, PositionData<'_>>>(frame).ok()?;
    let words = [
        data.symbol,
        data.settle_currency,
        data.change_reason,
        data.margin_mode,
        data.position_side,
    ];
    let said = Said::Position(
        words,
        data.numbers()?,
        [data.current_qty, data.risk_limit_level],
        [data.opening_timestamp, data.current_timestamp],
        [data.cross_mode, data.auto_deposit, data.is_open],
    );
    (topic.strip_prefix("/contract/position:")? == data.symbol).then_some(said)
}

fn wallet(frame: &[u8]) -> Option<Said<'_>> {
    let Frame { topic, data } = serde_json::from_slice::<Frame<'_, WalletData<'_>>>(frame).ok()?;
    topic.strip_prefix("/contractAccount/wallet")?;
    let counts = [data.version.parse().ok()?, data.timestamp.parse().ok()?];
    Some(Said::Wallet(data.currency, data.amounts()?, counts))
}

#[cfg(test)]
mod tests;
