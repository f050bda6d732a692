//! What can be asked for once, by REST, and what it is answered with.

mod table;

use alloc::boxed::Box;
use alloc::string::String;
use core::fmt;

use serde::{Deserialize, Serialize};

use crate::currency::Currency;
use crate::error::WireError;
use crate::ids::Symbol;
use crate::message::Message;
use crate::time::UnixNanos;
use crate::wire::{
    AccountOverview, Contract, Contracts, Page, RestFundingRate, RestMarkPrice, RestTicker, Rows,
    Series, ServiceStatus, Snapshot, parse_server_time,
};

pub(crate) use table::{Pool, Resource};

/// Something to be asked for once, by [`Client::fetch`](crate::Client::fetch).
///
/// Each says what it is answered with. Requests for an account are signed by the adapter, and have a budget of
/// their own ([`Budgets::signed_weight_per_30s`](crate::config::Budgets::signed_weight_per_30s)). Times are
/// sent in milliseconds, rounded down.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Query {
    /// The exchange's clock: [`Message::ServerTime`].
    ServerTime,
    /// All tradable contracts: [`Message::Contracts`].
    Contracts,
    /// One contract: [`Message::Contract`].
    Contract {
        /// Which.
        symbol: Symbol,
    },
    /// Its last trade, best bid and offer: [`Message::RestTicker`].
    Ticker {
        /// Of which contract.
        symbol: Symbol,
    },
    /// The same of all contracts: [`Message::AllTickers`].
    AllTickers,
    /// The best 20 levels of both sides: [`Message::PartialBook`]. No base for a book: use a level2 topic.
    Depth20 {
        /// Of which contract.
        symbol: Symbol,
    },
    /// The best 100 levels of both sides: [`Message::PartialBook`].
    Depth100 {
        /// Of which contract.
        symbol: Symbol,
    },
    /// Its last 100 trades, the newest first: [`Message::Trades`].
    Trades {
        /// Of which contract.
        symbol: Symbol,
    },
    /// Candles: [`Message::Klines`]. At most 200 at a time (measured; documented are 500): with only a
    /// beginning the first ones from there, with only an end the last ones up to there, with neither the
    /// newest.
    Klines {
        /// Of a contract, or of an index or premium, such as `.KXBTUSDT`.
        symbol: Symbol,
        /// What one candle stands for.
        granularity: Granularity,
        /// When they begin.
        range: TimeRange,
    },
    /// What positions are valued at: [`Message::RestMarkPrice`].
    MarkPrice {
        /// Of which contract.
        symbol: Symbol,
    },
    /// The estimate of its next funding: [`Message::RestFundingRate`].
    FundingRate {
        /// Of which contract.
        symbol: Symbol,
    },
    /// What funding was charged: [`Message::FundingHistory`].
    FundingHistory {
        /// Of which contract.
        symbol: Symbol,
        /// The first settlement.
        from: UnixNanos,
        /// The last one.
        to: UnixNanos,
    },
    /// An index over time: [`Message::IndexPrices`]. An unknown one has no points.
    IndexPrices {
        /// Of the index, such as `.KXBTUSDT`.
        symbol: Symbol,
        /// Which part.
        part: SeriesPart,
    },
    /// An interest rate over time: [`Message::InterestRates`].
    InterestRates {
        /// Of the rate, such as `.XBTINT`.
        symbol: Symbol,
        /// Which part.
        part: SeriesPart,
    },
    /// A premium over time: [`Message::Premiums`].
    Premiums {
        /// Of the premium, such as `.XBTUSDTMPI`.
        symbol: Symbol,
        /// Which part.
        part: SeriesPart,
    },
    /// Whether there is trading at all: [`Message::ServiceStatus`].
    ServiceStatus,
    /// Signed. Orders that can still be filled: [`Message::Orders`].
    Orders {
        /// Of which contract; `None`: of all.
        symbol: Option<Symbol>,
        /// Which page.
        page: PageNumber,
    },
    /// Signed. Stop orders that were not triggered yet: [`Message::StopOrders`].
    StopOrders {
        /// Of which contract; `None`: of all.
        symbol: Option<Symbol>,
        /// Which page.
        page: PageNumber,
    },
    /// Signed. All open positions: [`Message::Positions`].
    Positions,
    /// Signed. The positions in one contract, of which there are two when it is held both ways:
    /// [`Message::Positions`].
    Position {
        /// In which contract.
        symbol: Symbol,
    },
    /// Signed. What the account has: [`Message::AccountOverview`].
    AccountOverview {
        /// In which currency.
        currency: Currency,
    },
    /// Signed. The fills of the last 24 hours, up to 1000 of them: [`Message::RecentFills`].
    RecentFills,
    /// Signed. Fills: [`Message::Fills`]. A range is at most 7 days long; without one the last 24 hours.
    Fills {
        /// Of which contract; `None`: of all.
        symbol: Option<Symbol>,
        /// When they were.
        range: TimeRange,
        /// Which page.
        page: PageNumber,
    },
}

/// A stretch of time, open where it has no end.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
pub struct TimeRange {
    /// The first moment.
    pub from: Option<UnixNanos>,
    /// The last one.
    pub to: Option<UnixNanos>,
}

/// Which part of a series.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
pub struct SeriesPart {
    /// When its points were.
    pub range: TimeRange,
    /// Goes on behind this point: the last one of the part before.
    pub offset: Option<UnixNanos>,
    /// Most points. `None` is the exchange's 10; it documents at most 100.
    pub max_count: Option<u8>,
}

/// Which page of a list.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
pub struct PageNumber {
    /// From 1; `None` is the first.
    pub number: Option<u32>,
    /// Most rows of it: documented are at most 1000. `None` is the exchange's 50.
    pub size: Option<u16>,
}

/// What a candle stands for. The documentation lists all but 3 minutes and a month, which the exchange
/// accepts; of anything else it says 300000.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Granularity {
    /// A minute.
    Min1,
    /// 3 minutes.
    Min3,
    /// 5 minutes.
    Min5,
    /// 15 minutes.
    Min15,
    /// 30 minutes.
    Min30,
    /// An hour.
    Hour1,
    /// 2 hours.
    Hour2,
    /// 4 hours.
    Hour4,
    /// 8 hours.
    Hour8,
    /// 12 hours.
    Hour12,
    /// A day.
    Day1,
    /// A week.
    Week1,
    /// A month of the calendar.
    Month1,
}

impl Granularity {
    /// All of them, the shortest first.
    pub const ALL: [Self; 13] = [
        Self::Min1,
        Self::Min3,
        Self::Min5,
        Self::Min15,
        Self::Min30,
        Self::Hour1,
        Self::Hour2,
        Self::Hour4,
        Self::Hour8,
        Self::Hour12,
        Self::Day1,
        Self::Week1,
        Self::Month1,
    ];

    /// As the exchange counts it: a month has 43200 minutes there.
    #[must_use]
    pub const fn minutes(self) -> u32 {
        match self {
            Self::Min1 => 1,
            Self::Min3 => 3,
            Self::Min5 => 5,
            Self::Min15 => 15,
            Self::Min30 => 30,
            Self::Hour1 => 60,
            Self::Hour2 => 120,
            Self::Hour4 => 240,
            Self::Hour8 => 480,
            Self::Hour12 => 720,
            Self::Day1 => 1440,
            Self::Week1 => 10_080,
            Self::Month1 => 43_200,
        }
    }
}

/// Such as `15min`, `4hour`, `1month`: as candles are named in topics.
impl fmt::Display for Granularity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Min1 => "1min",
            Self::Min3 => "3min",
            Self::Min5 => "5min",
            Self::Min15 => "15min",
            Self::Min30 => "30min",
            Self::Hour1 => "1hour",
            Self::Hour2 => "2hour",
            Self::Hour4 => "4hour",
            Self::Hour8 => "8hour",
            Self::Hour12 => "12hour",
            Self::Day1 => "1day",
            Self::Week1 => "1week",
            Self::Month1 => "1month",
        })
    }
}

impl Query {
    /// Whether the adapter needs credentials to ask it.
    #[must_use]
    pub fn is_signed(&self) -> bool {
        self.pool() == Pool::Signed
    }

    /// Path and query, as they are asked for.
    ///
    /// ```
    /// use kucoin_futures_proto::Query;
    /// let query = Query::Depth20 { symbol: "XBTUSDTM".parse()? };
    /// assert_eq!(query.target(), "/api/v1/level2/depth20?symbol=XBTUSDTM");
    /// # Ok::<(), kucoin_futures_proto::Misuse>(())
    /// ```
    #[must_use]
    pub fn target(&self) -> String {
        let mut target = String::new();
        Resource::Query(*self).write(&mut target);
        target
    }

    /// The budget that it counts against.
    pub(crate) fn pool(&self) -> Pool {
        Resource::Query(*self).route().pool
    }

    /// What a body says that answers it.
    pub(crate) fn decode<'a>(&self, body: &'a [u8]) -> Result<Message<'a>, WireError> {
        Ok(match self {
            Self::ServerTime => Message::ServerTime(parse_server_time(body)?),
            Self::Contracts => Message::Contracts(Contracts::parse(body)?),
            Self::Contract { .. } => Message::Contract(Box::new(Contract::parse(body)?)),
            Self::Ticker { .. } => Message::RestTicker(RestTicker::parse(body)?),
            Self::AllTickers => Message::AllTickers(Rows::parse(body)?),
            Self::Depth20 { .. } | Self::Depth100 { .. } => {
                Message::PartialBook(Snapshot::parse(body)?)
            }
            Self::Trades { .. } => Message::Trades(Rows::parse(body)?),
            Self::Klines { .. } => Message::Klines(Rows::parse(body)?),
            Self::MarkPrice { .. } => Message::RestMarkPrice(RestMarkPrice::parse(body)?),
            Self::FundingRate { .. } => {
                Message::RestFundingRate(Box::new(RestFundingRate::parse(body)?))
            }
            Self::FundingHistory { .. } => Message::FundingHistory(Rows::parse(body)?),
            Self::IndexPrices { .. } => Message::IndexPrices(Series::parse(body)?),
            Self::InterestRates { .. } => Message::InterestRates(Series::parse(body)?),
            Self::Premiums { .. } => Message::Premiums(Series::parse(body)?),
            Self::ServiceStatus => Message::ServiceStatus(ServiceStatus::parse(body)?),
            Self::Orders { .. } => Message::Orders(Page::parse(body)?),
            Self::StopOrders { .. } => Message::StopOrders(Page::parse(body)?),
            Self::Positions | Self::Position { .. } => {
                Message::Positions(Rows::parse_one_or_many(body)?)
            }
            Self::AccountOverview { .. } => {
                Message::AccountOverview(Box::new(AccountOverview::parse(body)?))
            }
            Self::RecentFills => Message::RecentFills(Rows::parse(body)?),
            Self::Fills { .. } => Message::Fills(Page::parse(body)?),
        })
    }
}
