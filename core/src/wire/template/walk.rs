//! A frame, walked along a template.

use super::hole::{self, SymbolKey};
use super::shape::{Block, Hole, Template};
use crate::book::Level;
use crate::channel::ChannelKind;
use crate::ids::{Sequence, Symbol};
use crate::num::{Lots, Price};
use crate::time::UnixNanos;
use crate::wire::exchange_time::EARLIEST;
use crate::wire::swar;
use crate::wire::values::{Orders, Place, Touch, Trade, Values};
use crate::wire::{TakerSide, TickerV2};

/// What was found in the holes of a frame.
pub(super) struct Holes {
    pub(super) key: SymbolKey,
    symbol_at: usize,
    symbol_end: usize,
    sequence: Option<u64>,
    side: TakerSide,
    prices: [Price; 3],
    sizes: [Lots; 3],
    ids: [Option<Place>; 3],
    ts: Option<UnixNanos>,
}

impl Template {
    /// Reads a frame that looks like this.
    #[inline]
    pub(super) fn walk(&self, frame: &[u8]) -> Option<Holes> {
        let mut holes = Holes {
            key: [0; 3],
            symbol_at: 0,
            symbol_end: 0,
            sequence: None,
            side: TakerSide::Buy,
            prices: [Price::ZERO; 3],
            sizes: [Lots::ZERO; 3],
            ids: [None; 3],
            ts: None,
        };
        let (mut at, mut blocks) = (0_usize, &*self.blocks);
        for step in &self.steps {
            let (literal, rest) = blocks.split_at_checked(usize::from(step.blocks))?;
            if !stands_at(literal, frame, at) {
                return None;
            }
            blocks = rest;
            at = at.wrapping_add(usize::from(step.literal_len));
            at = holes.read(step.hole, frame, at)?;
        }
        Some(holes)
    }
}

/// Whether a literal stands there.
#[inline]
fn stands_at(literal: &[Block], frame: &[u8], at: usize) -> bool {
    let (mut differ, mut at) = (0, at);
    for block in literal {
        differ |= match swar::pair_at(frame, at) {
            Some(pair) => block.differ(pair),
            None => block.differ_near_end(frame, at),
        };
        at = at.wrapping_add(16);
    }
    differ == 0
}

impl Holes {
    /// Reads a hole, and says where it ends.
    #[inline]
    fn read(&mut self, hole: Hole, frame: &[u8], at: usize) -> Option<usize> {
        let end = match hole {
            Hole::End => return (at == frame.len()).then_some(at),
            Hole::Symbol => return self.read_symbol(frame, at),
            Hole::Sequence => {
                let (sequence, end) = hole::integer(frame, at)?;
                self.sequence = Some(sequence);
                end
            }
            Hole::Ts => {
                let (ts, end) = hole::integer(frame, at)?;
                // One that is none is told of, which is not done here.
                self.ts = Some(UnixNanos::from_nanos(ts)).filter(|ts| *ts >= EARLIEST);
                self.ts?;
                end
            }
            Hole::Side => {
                let (side, end) = hole::side(frame, at)?;
                self.side = side;
                end
            }
            Hole::Price(which) => {
                let (price, end) = hole::price::<b'"'>(frame, at)?;
                *self.prices.get_mut(which as usize)? = price;
                end
            }
            Hole::BarePrice(which) => {
                let (price, end) = hole::price::<b','>(frame, at)?;
                *self.prices.get_mut(which as usize)? = price;
                end
            }
            Hole::Size(which) => {
                let (size, end) = hole::size(frame, at)?;
                *self.sizes.get_mut(which as usize)? = size;
                end
            }
            Hole::Id(which) => {
                let end = hole::text(frame, at)?;
                *self.ids.get_mut(which as usize)? = Some(Place::new(at, end)?);
                end
            }
            Hole::Text => hole::text(frame, at)?,
            Hole::Number => hole::number(frame, at)?,
        };
        Some(end)
    }

    /// There are two of them, in whatever order, with the same bytes.
    #[inline]
    fn read_symbol(&mut self, frame: &[u8], at: usize) -> Option<usize> {
        let (key, end) = hole::symbol(frame, at)?;
        if self.symbol_end == 0 {
            (self.key, self.symbol_at, self.symbol_end) = (key, at, end);
        }
        (self.key == key).then_some(end)
    }

    /// The symbol, if it is one.
    #[cold]
    pub(super) fn symbol(&self, frame: &[u8]) -> Option<Symbol> {
        let text = frame.get(self.symbol_at..self.symbol_end)?;
        Symbol::new(core::str::from_utf8(text).ok()?).ok()
    }

    /// The message, put together: what its channel must have was there when the template was learned.
    #[inline]
    pub(super) fn values(&self, kind: ChannelKind, symbol: Symbol) -> Option<Values> {
        let ([price, bid, ask], ts_event) = (self.prices, self.ts);
        let [size, bid_size, ask_size] = self.sizes;
        let best = |price, size| (price != Price::ZERO).then_some(Level { price, size });
        let touch = Touch { bid: best(bid, bid_size), ask: best(ask, ask_size) };
        if kind == ChannelKind::TickerV2 {
            return Some(Values::TickerV2(TickerV2 {
                symbol,
                sequence: self.sequence.map(Sequence::new),
                best_bid: touch.bid,
                best_ask: touch.ask,
                ts_event,
            }));
        }
        let [trade_id, taker, maker] = self.ids;
        let [taker, maker] = [taker, maker].map(|id| id.filter(|id| !id.is_empty()));
        let (sequence, trade_id) = (Sequence::new(self.sequence?), trade_id?);
        let trade =
            Trade { symbol, taker_side: self.side, trade_id, sequence, price, size, ts_event };
        Some(if kind == ChannelKind::Ticker {
            Values::Ticker(trade, touch)
        } else {
            Values::Execution(trade, Orders { taker, maker })
        })
    }
}
