//! Messages that are read when they come, and kept in few bytes until they are asked for.

use core::time::Duration;

use super::MarkPrice;
use super::statistics::{CandleUpdate, Interval};
use crate::channel::Channel;
use crate::ids::Symbol;
use crate::message::Message;
use crate::num::{Decimal, Lots};
use crate::time::UnixNanos;

/// What such a message says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kept {
    Mark(KeptMark),
    Candle(KeptCandle),
}

/// A [`MarkPrice`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct KeptMark {
    symbol: Option<Symbol>,
    /// Mark and index price.
    prices: Compact<2>,
    interval: Option<Duration>,
    ts_event: Option<UnixNanos>,
}

/// A [`CandleUpdate`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct KeptCandle {
    symbol: Symbol,
    interval: Option<Interval>,
    start: UnixNanos,
    /// Open, close, high, low, turnover.
    numbers: Compact<5>,
    volume: Lots,
    ts_event: Option<UnixNanos>,
}

/// Decimals of up to eighteen digits, as nearly all are, in nine bytes each.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Compact<const N: usize> {
    mantissas: [i64; N],
    exponents: [i8; N],
}

impl<const N: usize> Compact<N> {
    fn of(numbers: [Decimal; N]) -> Option<Self> {
        let mut compact = Self { mantissas: [0; N], exponents: [0; N] };
        let places = compact.mantissas.iter_mut().zip(&mut compact.exponents);
        for ((mantissa, exponent), number) in places.zip(numbers) {
            (*mantissa, *exponent) = number.short_parts()?;
        }
        Some(compact)
    }

    fn numbers(self) -> [Decimal; N] {
        let mut numbers = [Decimal::ZERO; N];
        let parts = self.mantissas.into_iter().zip(self.exponents);
        for (number, (mantissa, exponent)) in numbers.iter_mut().zip(parts) {
            *number = Decimal::of_short_parts(mantissa, exponent);
        }
        numbers
    }
}

impl From<&MarkPrice> for Option<Kept> {
    fn from(mark: &MarkPrice) -> Self {
        Some(Kept::Mark(KeptMark {
            symbol: mark.symbol,
            prices: Compact::of([mark.mark_price, mark.index_price])?,
            interval: mark.interval,
            ts_event: mark.ts_event,
        }))
    }
}

impl From<&CandleUpdate> for Option<Kept> {
    fn from(candle: &CandleUpdate) -> Self {
        let CandleUpdate { open, close, high, low, turnover, .. } = *candle;
        Some(Kept::Candle(KeptCandle {
            symbol: candle.symbol,
            interval: candle.interval,
            start: candle.start,
            numbers: Compact::of([open, close, high, low, turnover])?,
            volume: candle.volume,
            ts_event: candle.ts_event,
        }))
    }
}

impl Kept {
    /// Makes it a message of this channel; false if it is one of another contract.
    pub(super) fn put_under(&mut self, channel: Channel) -> bool {
        match self {
            Self::Mark(mark) => {
                mark.symbol = mark.symbol.or_else(|| channel.symbol());
                mark.symbol == channel.symbol()
            }
            Self::Candle(candle) => {
                candle.interval = channel.interval();
                Some(candle.symbol) == channel.symbol()
            }
        }
    }

    /// The message.
    #[inline]
    pub(super) fn message<'a>(self) -> Message<'a> {
        match self {
            Self::Mark(KeptMark { symbol, prices, interval, ts_event }) => {
                let [mark_price, index_price] = prices.numbers();
                Message::MarkPrice(MarkPrice {
                    symbol,
                    mark_price,
                    index_price,
                    interval,
                    ts_event,
                })
            }
            Self::Candle(KeptCandle { symbol, interval, start, numbers, volume, ts_event }) => {
                let [open, close, high, low, turnover] = numbers.numbers();
                Message::Candle(CandleUpdate {
                    symbol,
                    interval,
                    start,
                    open,
                    close,
                    high,
                    low,
                    turnover,
                    volume,
                    ts_event,
                })
            }
        }
    }
}
