//! The data of `snapshot` and `limitCandle` frames: 24 h figures, candles.

use core::fmt;
use core::str::FromStr;
use core::time::Duration;

use super::object::{Entry, Millis, Nanos, Read, object};
use super::scan::Scanner;
use super::usual;
use crate::error::{Misuse, WireError};
use crate::ids::Symbol;
use crate::num::{Decimal, Lots};
use crate::time::UnixNanos;

object! {
    /// Figures of a contract over the last 24 h; every 5 s. Subject `snapshot.24h`.
    pub struct Stats24h {
        /// Highest price traded.
        high_price: Option<Decimal> = "highPrice";
        /// Of the last trade.
        last_price: Option<Decimal> = "lastPrice";
        /// Lowest price traded.
        low_price: Option<Decimal> = "lowPrice";
        /// Of the last trade before the 24 h.
        price_24h_before: Option<Decimal> = "price24HoursBefore";
        /// Last price less that one.
        price_change: Option<Decimal> = "priceChg";
        /// The same as part of the price before: `0.01` is 1 %.
        price_change_ratio: Option<Decimal> = "priceChgPct";
        /// The contract.
        symbol: Option<Symbol> = "symbol";
        /// When, from nanoseconds. One that cannot be read is none.
        ts_event: Option<UnixNanos> = "ts" by Nanos;
        /// Value traded: quote currency; of inverse contracts coins.
        turnover: Option<Decimal> = "turnover";
        /// Size traded: *base coins and not lots*; of inverse contracts lots, which are USD.
        volume: Option<Decimal> = "volume";
        /// The current funding rate; sent since 2026.
        funding_rate: Option<Decimal> = "fundingRate";
    }
}

/// A candle as it stands; pushed each second in which something was traded. Subject `candle.stick`.
///
/// There is no closed flag: the last push of an interval is its final state. The order of the array is that
/// of the stream, which is not that of REST; turnover and lots stand in the order that was measured against
/// REST in 2026, and not in the one that the documentation names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct CandleUpdate {
    /// The contract.
    pub symbol: Symbol,
    /// How long it is; `None` if read without its topic.
    pub interval: Option<Interval>,
    /// When it begins, from seconds.
    pub start: UnixNanos,
    /// First price.
    pub open: Decimal,
    /// Last price.
    pub close: Decimal,
    /// Highest price.
    pub high: Decimal,
    /// Lowest price.
    pub low: Decimal,
    /// Value traded, quote currency; of inverse contracts coins.
    pub turnover: Decimal,
    /// Size traded, lots.
    pub volume: Lots,
    /// When it was said, from milliseconds. One that cannot be read is none.
    pub ts_event: Option<UnixNanos>,
}

object! {
    /// What a candle's frame holds.
    struct Stick {
        /// The contract.
        symbol: Symbol = "symbol";
        /// The array.
        candles: Columns = "candles";
        /// When.
        ts_event: Option<UnixNanos> = "time" by Millis;
    }
}

/// The entries of a candle that are read, in the order of the stream.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Columns {
    start: UnixNanos,
    /// Open, close, high, low, turnover.
    numbers: [Decimal; 5],
    volume: Lots,
}

impl CandleUpdate {
    /// Reads the `data` object of a `limitCandle` frame, for example `{"symbol":"LINKUSDTM",
    /// "candles":["1790000040","15.1","15.3","15.4","15.05","30210.5","1990"],"time":1790000059213}`:
    /// start, open, close, high, low, turnover, lots.
    ///
    /// # Errors
    /// A missing, repeated or ill-typed key, less than seven entries, or a number that its type cannot hold.
    pub fn parse(data: &[u8]) -> Result<Self, WireError> {
        Stick::parse(data).map(Self::of)
    }

    /// See [`object!`].
    pub(crate) fn in_place(bytes: &[u8], at: usize) -> Option<(Self, usize)> {
        Stick::in_place(bytes, at).map(|(stick, end)| (Self::of(stick), end))
    }

    /// See [`object!`].
    pub(crate) fn skip(bytes: &[u8], at: usize) -> Option<usize> {
        Stick::skip(bytes, at)
    }

    fn of(stick: Stick) -> Self {
        let Stick { symbol, candles: Columns { start, numbers, volume }, ts_event } = stick;
        let [open, close, high, low, turnover] = numbers;
        let interval = None;
        // planted: columns-of-rest
        Self { symbol, interval, start, open, close, high, low, turnover, volume, ts_event }
    }
}

/// In a second.
const NANOS: u64 = 1_000_000_000;
const CANDLES: &str = "candles";

impl Read<'_> for Columns {
    fn read(entry: Entry<'_>) -> Result<Self, WireError> {
        const OUT_OF_RANGE: WireError = WireError::OutOfRange { field: CANDLES };
        let mut scanner = Scanner::of_text(entry.nested(b'[')?);
        scanner.array()?;
        let mut first = true;
        let mut next = || -> Result<&[u8], WireError> {
            if !scanner.element(&mut first)? {
                return Err(WireError::Malformed { field: CANDLES });
            }
            scanner.value()?.digits(CANDLES)
        };
        let number = |text: &[u8]| Decimal::parse(text).ok_or(OUT_OF_RANGE);
        let start = number(next()?)?.scaled(9).and_then(|ns| u64::try_from(ns).ok());
        let start = start.map(UnixNanos::from_nanos).ok_or(OUT_OF_RANGE)?;
        let mut numbers = [Decimal::ZERO; 5];
        for column in &mut numbers {
            *column = number(next()?)?;
        }
        Ok(Self { start, numbers, volume: Lots::parse(next()?, CANDLES)? })
    }

    fn usual(data: &[u8], at: usize) -> Option<(Self, usize)> {
        let behind =
            |at: usize, byte: u8| (data.get(at) == Some(&byte)).then(|| at.wrapping_add(1));
        let (start, end) = usual::integer(data, behind(at, b'[')?)?;
        let mut at = behind(end, b',')?;
        let mut numbers = [Decimal::ZERO; 5];
        for column in &mut numbers {
            let (number, end) = usual::decimal(data, at)?;
            (*column, at) = (number, behind(end, b',')?);
        }
        let (volume, end) = usual::integer(data, at)?;
        let start = UnixNanos::from_nanos(start.checked_mul(NANOS)?);
        Some((Self { start, numbers, volume: Lots::new(volume) }, behind(end, b']')?))
    }
}

macro_rules! intervals {
    ($($variant:ident = $word:literal, $seconds:expr, $doc:literal;)*) => {
        /// How long a candle of the stream is.
        ///
        /// ```
        /// use kucoin_futures_proto::Interval;
        /// let interval: Interval = "4hour".parse()?;
        /// assert_eq!(interval, Interval::Hour4);
        /// # Ok::<(), kucoin_futures_proto::Misuse>(())
        /// ```
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        #[non_exhaustive]
        pub enum Interval {
            $(#[doc = $doc] $variant,)*
        }

        impl Interval {
            /// Every interval, the shortest first.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// As topics have it: `1min`, `4hour`, `1week`.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),* }
            }

            /// How long it is; `None` for a month.
            #[must_use]
            pub const fn duration(self) -> Option<Duration> {
                let seconds: u64 = match self { $(Self::$variant => $seconds),* };
                if seconds == 0 { None } else { Some(Duration::from_secs(seconds)) }
            }
        }
    };
}

intervals! {
    Min1 = "1min", 60, "A minute.";
    Min3 = "3min", 180, "3 minutes.";
    Min5 = "5min", 300, "5 minutes.";
    Min15 = "15min", 900, "15 minutes.";
    Min30 = "30min", 1_800, "30 minutes.";
    Hour1 = "1hour", 3_600, "An hour.";
    Hour2 = "2hour", 7_200, "2 hours.";
    Hour4 = "4hour", 14_400, "4 hours.";
    Hour8 = "8hour", 28_800, "8 hours.";
    Hour12 = "12hour", 43_200, "12 hours.";
    Day1 = "1day", 86_400, "A day.";
    Week1 = "1week", 604_800, "A week.";
    Month1 = "1month", 0, "A month of the calendar.";
}

impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Interval {
    type Err = Misuse;

    fn from_str(text: &str) -> Result<Self, Misuse> {
        let known = Self::ALL.iter().copied().find(|interval| interval.as_str() == text);
        known.ok_or(Misuse::InvalidInterval)
    }
}
