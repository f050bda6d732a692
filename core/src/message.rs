//! What a message says, once it is decoded.

use alloc::boxed::Box;

use crate::channel::Channel;
use crate::ids::Symbol;
use crate::time::UnixNanos;
use crate::wire::{
    AccountOverview, BalanceUpdate, CandleUpdate, Contract, Contracts, CrossLeverages, Depth,
    Execution, Fill, FundingRate, FundingSettlement, IndexPrice, Kline, MarginModes, MarkPrice,
    OpenPosition, Order, OrderUpdate, Page, PositionSettlement, PositionUpdate, RestFundingRate,
    RestMarkPrice, RestTicker, RestTrade, RiskLimitUpdate, Rows, Series, SeriesPoint,
    ServiceStatus, SettledFunding, Snapshot, Stats24h, StopOrderUpdate, Text, Ticker, TickerV2,
    WalletUpdate,
};

/// A decoded message. The large ones of those that come seldom are on the heap, so that the others are moved in few
/// steps.
#[derive(Debug)]
#[non_exhaustive]
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
    Wallet(Box<WalletUpdate<'a>>),
    /// A part of a balance of the account's; deprecated by the exchange.
    Balance(BalanceUpdate<'a>),
    /// A position of the account's.
    Position(Box<PositionUpdate<'a>>),
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
    /// The answer to [`Query::Contract`](crate::Query::Contract).
    Contract(Box<Contract<'a>>),
    /// The answer to [`Query::Ticker`](crate::Query::Ticker).
    RestTicker(RestTicker<'a>),
    /// The answer to [`Query::AllTickers`](crate::Query::AllTickers).
    AllTickers(Rows<'a, RestTicker<'a>>),
    /// The answer to [`Query::Depth20`](crate::Query::Depth20) and [`Query::Depth100`](crate::Query::Depth100).
    PartialBook(Snapshot),
    /// The answer to [`Query::Trades`](crate::Query::Trades).
    Trades(Rows<'a, RestTrade<'a>>),
    /// The answer to [`Query::Klines`](crate::Query::Klines).
    Klines(Rows<'a, Kline>),
    /// The answer to [`Query::MarkPrice`](crate::Query::MarkPrice).
    RestMarkPrice(RestMarkPrice),
    /// The answer to [`Query::FundingRate`](crate::Query::FundingRate).
    RestFundingRate(Box<RestFundingRate>),
    /// The answer to [`Query::FundingHistory`](crate::Query::FundingHistory).
    FundingHistory(Rows<'a, SettledFunding>),
    /// The answer to [`Query::IndexPrices`](crate::Query::IndexPrices).
    IndexPrices(Series<'a, IndexPrice<'a>>),
    /// The answer to [`Query::InterestRates`](crate::Query::InterestRates).
    InterestRates(Series<'a, SeriesPoint>),
    /// The answer to [`Query::Premiums`](crate::Query::Premiums).
    Premiums(Series<'a, SeriesPoint>),
    /// The answer to [`Query::ServiceStatus`](crate::Query::ServiceStatus).
    ServiceStatus(ServiceStatus<'a>),
    /// The answer to [`Query::Orders`](crate::Query::Orders).
    Orders(Page<'a, Order<'a>>),
    /// The answer to [`Query::StopOrders`](crate::Query::StopOrders).
    StopOrders(Page<'a, Order<'a>>),
    /// The answer to [`Query::Positions`](crate::Query::Positions) and
    /// [`Query::Position`](crate::Query::Position).
    Positions(Rows<'a, OpenPosition<'a>>),
    /// The answer to [`Query::AccountOverview`](crate::Query::AccountOverview).
    AccountOverview(Box<AccountOverview>),
    /// The answer to [`Query::RecentFills`](crate::Query::RecentFills).
    RecentFills(Rows<'a, Fill<'a>>),
    /// The answer to [`Query::Fills`](crate::Query::Fills).
    Fills(Page<'a, Fill<'a>>),
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
    #[allow(clippy::wildcard_enum_match_arm, reason = "the answers to queries are many")]
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
            Self::Contract(contract) => Some(contract.symbol),
            Self::RestTicker(ticker) => Some(ticker.symbol),
            Self::PartialBook(book) => Some(book.symbol),
            Self::RestMarkPrice(mark) => Some(mark.symbol),
            // Of whatever topic it came with, or of what was asked for, or of many.
            _ => None,
        }
    }
}
