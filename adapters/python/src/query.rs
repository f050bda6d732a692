//! What can be asked, by its name.

use kucoin_futures_proto::{
    Channel, Currency, Granularity, Interval, PageNumber, Query, SeriesPart, Symbol, TimeRange,
    UnixNanos,
};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::fault::Fault;
use crate::to_py::FromPy;

/// What a query can be told besides its name.
#[derive(Debug)]
pub(crate) struct Terms {
    symbol: Option<String>,
    granularity: Option<String>,
    start_ns: Option<u64>,
    end_ns: Option<u64>,
    levels: Option<u32>,
    number: Option<u32>,
    size: Option<u16>,
    offset_ns: Option<u64>,
    max_count: Option<u8>,
    currency: Option<String>,
}

impl Terms {
    /// Those that are named.
    pub(crate) fn new(given: &Bound<'_, PyDict>) -> PyResult<Self> {
        Ok(Self {
            symbol: term(given, "symbol")?,
            granularity: term(given, "granularity")?,
            start_ns: term(given, "start_ns")?,
            end_ns: term(given, "end_ns")?,
            levels: term(given, "levels")?,
            number: term(given, "number")?,
            size: term(given, "size")?,
            offset_ns: term(given, "offset_ns")?,
            max_count: term(given, "max_count")?,
            currency: term(given, "currency")?,
        })
    }

    /// The query that is called so.
    pub(crate) fn query(&self, name: &str) -> Result<Query, Fault> {
        Ok(match name {
            "server_time" => Query::ServerTime,
            "contracts" => Query::Contracts,
            "contract" => Query::Contract { symbol: self.symbol()? },
            "ticker" => Query::Ticker { symbol: self.symbol()? },
            "all_tickers" => Query::AllTickers,
            "depth" => match self.levels {
                Some(20) => Query::Depth20 { symbol: self.symbol()? },
                Some(100) => Query::Depth100 { symbol: self.symbol()? },
                _ => return Err(Fault::Misuse("a depth has 20 or 100 levels".into())),
            },
            "trades" => Query::Trades { symbol: self.symbol()? },
            "klines" => Query::Klines {
                symbol: self.symbol()?,
                granularity: self.granularity()?,
                range: self.range(),
            },
            "mark_price" => Query::MarkPrice { symbol: self.symbol()? },
            "funding_rate" => Query::FundingRate { symbol: self.symbol()? },
            "funding_history" => match (self.start_ns, self.end_ns) {
                (Some(from), Some(to)) => Query::FundingHistory {
                    symbol: self.symbol()?,
                    from: UnixNanos::from_nanos(from),
                    to: UnixNanos::from_nanos(to),
                },
                _ => {
                    return Err(Fault::Misuse(
                        "a funding history needs start_ns and end_ns".into(),
                    ));
                }
            },
            "index" => Query::IndexPrices { symbol: self.symbol()?, part: self.part() },
            "interest" => Query::InterestRates { symbol: self.symbol()?, part: self.part() },
            "premium" => Query::Premiums { symbol: self.symbol()?, part: self.part() },
            "status" => Query::ServiceStatus,
            "orders" => Query::Orders { symbol: self.symbol_if_any()?, page: self.page() },
            "stop_orders" => Query::StopOrders { symbol: self.symbol_if_any()?, page: self.page() },
            "positions" => match self.symbol_if_any()? {
                Some(symbol) => Query::Position { symbol },
                None => Query::Positions,
            },
            "overview" => Query::AccountOverview { currency: self.currency()? },
            "recent_fills" => Query::RecentFills,
            "fills" => Query::Fills {
                symbol: self.symbol_if_any()?,
                range: self.range(),
                page: self.page(),
            },
            other => return Err(Fault::Misuse(format!("there is no query {other:?}"))),
        })
    }

    fn symbol_if_any(&self) -> Result<Option<Symbol>, Fault> {
        Ok(self.symbol.as_deref().map(str::parse).transpose()?)
    }

    fn symbol(&self) -> Result<Symbol, Fault> {
        self.symbol_if_any()?.ok_or_else(|| Fault::Misuse("this query needs a symbol".into()))
    }

    fn currency(&self) -> Result<Currency, Fault> {
        Ok(Currency::new(self.currency.as_deref().unwrap_or("USDT"))?)
    }

    fn granularity(&self) -> Result<Granularity, Fault> {
        let name = self.granularity.as_deref().unwrap_or_default();
        let found = Granularity::ALL.into_iter().find(|known| known.to_string() == name);
        found.ok_or_else(|| kucoin_futures_proto::Misuse::InvalidInterval.into())
    }

    fn range(&self) -> TimeRange {
        TimeRange {
            from: self.start_ns.map(UnixNanos::from_nanos),
            to: self.end_ns.map(UnixNanos::from_nanos),
        }
    }

    fn part(&self) -> SeriesPart {
        SeriesPart {
            range: self.range(),
            offset: self.offset_ns.map(UnixNanos::from_nanos),
            max_count: self.max_count,
        }
    }

    const fn page(&self) -> PageNumber {
        PageNumber { number: self.number, size: self.size }
    }
}

fn term<T: FromPy>(given: &Bound<'_, PyDict>, name: &str) -> PyResult<Option<T>> {
    let term = given.get_item(name)?;
    Ok(term.as_ref().map(Option::<T>::from_py).transpose()?.flatten())
}

/// The channel that is called so.
pub(crate) fn channel(
    kind: &str,
    symbol: Option<&str>,
    interval: Option<&str>,
) -> Result<Channel, Fault> {
    let of = |make: fn(Symbol) -> Channel| -> Result<Channel, Fault> {
        let symbol = symbol.ok_or_else(|| Fault::Misuse(format!("{kind} needs a symbol")))?;
        Ok(make(symbol.parse()?))
    };
    let of_all = |all: Channel, one: fn(Symbol) -> Channel| match symbol {
        Some(_) => of(one),
        None => Ok(all),
    };
    match kind {
        "level2" => of(Channel::level2),
        "trades" => of(Channel::execution),
        "ticker" => of(Channel::ticker),
        "ticker_v2" => of(Channel::ticker_v2),
        "depth5" => of(Channel::depth5),
        "depth50" => of(Channel::depth50),
        "instrument" => of(Channel::instrument),
        "stats" => of(Channel::stats_24h),
        "candles" => {
            let interval: Interval = interval.unwrap_or_default().parse()?;
            let symbol = symbol.ok_or_else(|| Fault::Misuse("candles need a symbol".into()))?;
            Ok(Channel::candles(symbol.parse()?, interval))
        }
        "announcements" => of_all(Channel::announcements(), Channel::announcements_of),
        "orders" => of_all(Channel::orders(), Channel::orders_of),
        "positions" => of_all(Channel::positions(), Channel::positions_of),
        "stop_orders" => Ok(Channel::stop_orders()),
        "wallet" => Ok(Channel::wallet()),
        "margin_modes" => Ok(Channel::margin_modes()),
        "cross_leverages" => Ok(Channel::cross_leverages()),
        other => Err(Fault::Misuse(format!("there is no channel {other:?}"))),
    }
}

/// Whether it is a contract's name as the exchange writes it, so that nobody has to be asked: upper case and digits,
/// and an M at the end, or a month and a year behind that.
pub(crate) fn is_symbol(typed: &str) -> bool {
    let is_upper = typed.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
    let is_perpetual = ["USDTM", "USDCM", "USDM"].iter().any(|end| typed.ends_with(end));
    let is_dated = match typed.as_bytes() {
        [.., b'M', month, year, digit] => {
            month.is_ascii_uppercase() && year.is_ascii_digit() && digit.is_ascii_digit()
        }
        _ => false,
    };
    is_upper && (is_perpetual || is_dated)
}
