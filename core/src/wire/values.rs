//! What a message says that is read when it comes, borrowing nothing: its numbers, and where in the frame its texts
//! and levels stand; of any other, where its data stands.

use super::depth::DepthPlaces;
use super::fields::{Position, TakerSide};
use super::kept::Kept;
use super::message::DataPlace;
use super::text::Text;
use super::{Execution, Ticker, TickerV2};
use crate::book::Level;
use crate::error::WireError;
use crate::ids::{Sequence, Symbol};
use crate::message::Message;
use crate::num::{Lots, Price};
use crate::time::UnixNanos;

/// What a message of a channel without a book says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Values {
    TickerV2(TickerV2),
    Ticker(Trade, Touch),
    Execution(Trade, Orders),
    Depth5(DepthPlaces),
    Depth50(DepthPlaces),
    /// Of another channel, read when it came.
    Kept(Kept),
    /// Of another channel, read when it is asked for.
    Later(DataPlace),
}

/// A trade, as `ticker` and `execution` have it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Trade {
    pub(super) symbol: Symbol,
    pub(super) taker_side: TakerSide,
    pub(super) trade_id: Place,
    pub(super) sequence: Sequence,
    pub(super) price: Price,
    pub(super) size: Lots,
    pub(super) ts_event: Option<UnixNanos>,
}

/// Best bid and offer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Touch {
    pub(super) bid: Option<Level>,
    pub(super) ask: Option<Level>,
}

/// The ids of the orders that met.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Orders {
    pub(super) taker: Option<Place>,
    pub(super) maker: Option<Place>,
}

/// Where a text stands without its quotes, in a frame of less than 64 KiB.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) struct Place {
    start: u16,
    end: u16,
    is_escaped: bool,
}

impl Place {
    /// Of an unescaped text; `None` if it is too far out.
    #[inline]
    pub(super) fn new(start: usize, end: usize) -> Option<Self> {
        let (start, end) = (u16::try_from(start).ok()?, u16::try_from(end).ok()?);
        Some(Self { start, end, is_escaped: false })
    }

    /// Whether nothing stands there.
    #[inline]
    pub(super) const fn is_empty(self) -> bool {
        self.start == self.end
    }

    /// Of a text that lies in these bytes.
    pub(super) fn of(text: Text<'_>, bytes: &[u8]) -> Option<Self> {
        let start = text.raw().as_ptr().addr().checked_sub(bytes.as_ptr().addr())?;
        let place = Self::new(start, start.checked_add(text.raw().len())?)?;
        Some(Self { is_escaped: text.is_escaped(), ..place })
    }

    /// The text that stands there; `None` if these bytes have none.
    pub(super) fn text(self, bytes: &[u8]) -> Option<Text<'_>> {
        let raw = bytes.get(usize::from(self.start)..usize::from(self.end))?;
        Some(Text::checked(core::str::from_utf8(raw).ok()?, self.is_escaped))
    }

    /// The bytes of a text without escapes.
    pub(super) fn unescaped(self, bytes: &[u8]) -> Option<&[u8]> {
        let raw = bytes.get(usize::from(self.start)..usize::from(self.end));
        raw.filter(|_| !self.is_escaped)
    }

    /// The same of several. They mostly stand side by side: their encoding is looked at once for all.
    fn texts<const N: usize>(
        places: [Option<Self>; N],
        bytes: &[u8],
    ) -> Option<[Option<Text<'_>>; N]> {
        let there = || places.iter().flatten();
        let start = usize::from(there().map(|place| place.start).min()?);
        let end = usize::from(there().map(|place| place.end).max()?);
        let all = core::str::from_utf8(bytes.get(start..end)?).ok()?;
        let mut texts = [None; N];
        for (text, place) in texts.iter_mut().zip(places) {
            let Some(place) = place else { continue };
            let from = usize::from(place.start).checked_sub(start)?;
            let raw = all.get(from..usize::from(place.end).checked_sub(start)?)?;
            *text = Some(Text::checked(raw, place.is_escaped));
        }
        Some(texts)
    }
}

impl Values {
    /// Keeps a message that was read out of these bytes; `None` if it is not one of a topic, or if a
    /// text of it is too far out.
    #[allow(clippy::wildcard_enum_match_arm, reason = "the others are read when asked for")]
    pub(crate) fn of(message: &Message<'_>, bytes: &[u8]) -> Option<Self> {
        Some(match message {
            Message::TickerV2(ticker) => Self::TickerV2(*ticker),
            Message::Ticker(ticker) => {
                let trade = Trade {
                    symbol: ticker.symbol,
                    taker_side: ticker.taker_side,
                    trade_id: Place::of(ticker.trade_id, bytes)?,
                    sequence: ticker.sequence,
                    price: ticker.price,
                    size: ticker.size,
                    ts_event: ticker.ts_event,
                };
                let touch = Touch { bid: ticker.best_bid, ask: ticker.best_ask };
                Self::Ticker(trade, touch)
            }
            Message::Execution(execution) => {
                let trade = Trade {
                    symbol: execution.symbol,
                    taker_side: execution.taker_side,
                    trade_id: Place::of(execution.trade_id, bytes)?,
                    sequence: execution.sequence,
                    price: execution.price,
                    size: execution.size,
                    ts_event: execution.ts_event,
                };
                let order = |text| each(text, |text| Place::of(text, bytes));
                let taker = order(execution.taker_order_id)?;
                Self::Execution(trade, Orders { taker, maker: order(execution.maker_order_id)? })
            }
            Message::Depth5(depth) => Self::Depth5(DepthPlaces::of(depth, bytes)?),
            Message::Depth50(depth) => Self::Depth50(DepthPlaces::of(depth, bytes)?),
            _ => return None,
        })
    }

    /// The message, with its texts out of these bytes; `None` if they have none there.
    #[inline]
    pub(crate) fn message(self, bytes: &[u8]) -> Result<Message<'_>, WireError> {
        if let Self::Later(place) = self {
            return place.read(bytes);
        }
        self.put_together(bytes)
    }

    /// The same of what was read when it came.
    #[inline]
    fn put_together(self, bytes: &[u8]) -> Result<Message<'_>, WireError> {
        // A message is large: it is written once, where it is wanted.
        const NONE: WireError = WireError::Unexpected;
        Ok(match self {
            Self::Later(_) => return Err(NONE),
            Self::TickerV2(ticker) => Message::TickerV2(ticker),
            Self::Kept(kept) => kept.message(),
            Self::Depth5(depth) => Message::Depth5(depth.on(bytes).ok_or(NONE)?),
            Self::Depth50(depth) => Message::Depth50(depth.on(bytes).ok_or(NONE)?),
            Self::Ticker(trade, touch) => Message::Ticker(Ticker {
                symbol: trade.symbol,
                sequence: trade.sequence,
                taker_side: trade.taker_side,
                price: trade.price,
                size: trade.size,
                trade_id: trade.trade_id.text(bytes).ok_or(NONE)?,
                best_bid: touch.bid,
                best_ask: touch.ask,
                ts_event: trade.ts_event,
            }),
            Self::Execution(trade, orders) => {
                let places = [Some(trade.trade_id), orders.taker, orders.maker];
                let [trade_id, taker_order_id, maker_order_id] =
                    Place::texts(places, bytes).ok_or(NONE)?;
                Message::Execution(Execution {
                    symbol: trade.symbol,
                    sequence: trade.sequence,
                    taker_side: trade.taker_side,
                    price: trade.price,
                    size: trade.size,
                    trade_id: trade_id.ok_or(NONE)?,
                    taker_order_id,
                    maker_order_id,
                    ts_event: trade.ts_event,
                })
            }
        })
    }

    /// Whether frames like this one are worth a layout of their own.
    pub(crate) const fn is_learned(&self) -> bool {
        matches!(self, Self::TickerV2(_) | Self::Ticker(..) | Self::Execution(..))
    }

    /// Where it stands, if it says so.
    #[inline]
    pub(crate) fn position(&self) -> Option<Position> {
        let (sequence, ts) = match self {
            Self::TickerV2(ticker) => (ticker.sequence?, ticker.ts_event),
            Self::Ticker(trade, _) | Self::Execution(trade, _) => (trade.sequence, trade.ts_event),
            Self::Depth5(depth) | Self::Depth50(depth) => (depth.sequence?, depth.ts_event),
            Self::Kept(_) | Self::Later(_) => return None,
        };
        Some(Position { sequence, ts })
    }
}

/// What becomes of something that need not be there, but if it is must become something.
fn each<T, U>(item: Option<T>, make: impl FnOnce(T) -> Option<U>) -> Option<Option<U>> {
    match item {
        Some(item) => make(item).map(Some),
        None => Some(None),
    }
}
