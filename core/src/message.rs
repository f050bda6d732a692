//! What a message says, once it is decoded.

use crate::channel::Channel;
use crate::ids::Symbol;
use crate::time::UnixNanos;
use crate::wire::{
    BalanceUpdate, CandleUpdate, Contracts, CrossLeverages, Depth, Execution, FundingRate,
    FundingSettlement, MarginModes, MarkPrice, OrderUpdate, PositionSettlement, PositionUpdate,
    RiskLimitUpdate, Stats24h, StopOrderUpdate, Text, Ticker, TickerV2, WalletUpdate,
};

/// A decoded message.
#[derive(Debug)]
#[non_exhaustive]
#[allow(clippy::large_enum_variant, reason = "lent on the stack, one at a time; nothing keeps one")]
pub enum Message<'a> {
    /// Best bid and offer.
    TickerV2(TickerV2),
    /// Last trade with best bid and offer.
    Ticker(Ticker<'a>),
    /// The best five levels of both sides.
    Depth5(Depth<'a>),
    /// The best fifty levels of both sides.
    Depth50(Depth<'a>),
    /// A trade.
    Execution(Execution<'a>),
    /// Mark and index price.
    MarkPrice(MarkPrice),
    /// A funding rate: the running estimate, or what was settled.
    FundingRate(FundingRate),
    /// A settlement of funding begins.
    FundingBegin(FundingSettlement),
    /// A settlement of funding has ended.
    FundingEnd(FundingSettlement),
    /// Figures of the last 24 h.
    Stats24h(Stats24h),
    /// A candle, as it stands.
    Candle(CandleUpdate),
    /// Something has happened to an order of the account's.
    Order(OrderUpdate<'a>),
    /// Something has happened to a stop order of the account's.
    StopOrder(StopOrderUpdate<'a>),
    /// A balance of the account's, whole.
    Wallet(WalletUpdate<'a>),
    /// A part of a balance of the account's; deprecated by the exchange.
    Balance(BalanceUpdate<'a>),
    /// A position of the account's.
    Position(PositionUpdate<'a>),
    /// Funding was charged on a position of the account's.
    PositionSettlement(PositionSettlement<'a>),
    /// The answer to a change of a position's risk limit.
    RiskLimit(RiskLimitUpdate<'a>),
    /// Margin modes that were switched.
    MarginModes(MarginModes<'a>),
    /// Leverages that were changed.
    CrossLeverages(CrossLeverages<'a>),
    /// Of a topic that is wanted, about something that this version does not know.
    Unknown(UnknownMessage<'a>),
    /// The answer to [`Query::ServerTime`](crate::Query::ServerTime).
    ServerTime(UnixNanos),
    /// The answer to [`Query::Contracts`](crate::Query::Contracts).
    Contracts(Contracts<'a>),
}

/// A message whose subject this version does not know, as it stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct UnknownMessage<'a> {
    /// What it came under.
    pub channel: Channel,
    /// What it says that it is about.
    pub subject: Option<Text<'a>>,
    /// Its `data`: JSON.
    pub data: &'a [u8],
}

impl Message<'_> {
    /// The contract that it is about, if it says one.
    #[must_use]
    pub const fn symbol(&self) -> Option<Symbol> {
        match self {
            Self::TickerV2(ticker) => Some(ticker.symbol),
            Self::Ticker(ticker) => Some(ticker.symbol),
            Self::Execution(execution) => Some(execution.symbol),
            Self::MarkPrice(mark) => mark.symbol,
            Self::FundingRate(rate) => rate.symbol,
            Self::FundingBegin(settlement) | Self::FundingEnd(settlement) => settlement.symbol,
            Self::Stats24h(stats) => stats.symbol,
            Self::Candle(candle) => Some(candle.symbol),
            Self::Order(order) => Some(order.symbol),
            Self::StopOrder(order) => Some(order.symbol),
            Self::Position(position) => position.symbol,
            Self::PositionSettlement(settlement) => settlement.symbol,
            Self::RiskLimit(update) => update.symbol,
            Self::Unknown(message) => message.channel.symbol(),
            // Of whatever topic it came with, or of none.
            Self::Depth5(_)
            | Self::Depth50(_)
            | Self::Wallet(_)
            | Self::Balance(_)
            | Self::MarginModes(_)
            | Self::CrossLeverages(_)
            | Self::ServerTime(_)
            | Self::Contracts(_) => None,
        }
    }
}
