//! Whole frames of tickers and trades: by templates first, the scanner for everything else.
//!
//! Two frames of a channel differ in the symbol, in numbers, prices and ids. What they have in common is
//! remembered as a template: literals, with a hole between one and the next.
//!
//! ```text
//! {"topic":"/contractMarket/tickerV2:______","type":"message","subject":"tickerV2","sn":____,"data":{
//! "symbol":"______","sequence":____,"bestBidSize":__,"bestBidPrice":"____","bestAskPrice":"____",
//! "bestAskSize":__,"ts":____}}
//! ```
//!
//! A frame is walked along a template: a literal is compared, a hole is read up to its end, and so on.
//! Nothing is assumed about the order of keys, white space or further keys: all of it is learned from
//! frames that the scanner has accepted. Why both ways say the same:
//!
//! 1. The literals are bytes of a frame that the scanner has accepted, in the same order. All keys stand in
//!    them, with all brackets, colons and commas, and every quote; and so do values of other types.
//! 2. A hole that stands between quotes takes printable ASCII without quote and backslash, and the next
//!    literal begins with the quote: it is one string without an escape.
//! 3. A hole without quotes takes digits that do not begin with a zero, or what the decimal reader accepts,
//!    which is the grammar of a JSON number; the next literal begins with what ends a number.
//! 4. So the tokens are the same in the same order, and no key stands twice that did not before.
//! 5. What a hole means is read by the rules of [`Price`](crate::Price), [`Lots`](crate::Lots) and the
//!    integers, or by a shorter way that is sure to say the same; and both symbols have the same bytes,
//!    which were looked at when they were first seen.
//!
//! Everything else (an escape, another type, another side, another length of an array) is a surprise, and
//! left to the scanner. Which of the two has read a frame cannot be told from what it says.

mod hole;
mod learn;
mod symbols;

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::message::{Content, read_message};
use super::swar;
use super::values::{Orders, Place, Touch, Trade, Values};
use super::{TakerSide, TickerV2};
use crate::channel::{Channel, ChannelKind};
use crate::error::WireError;
use crate::ids::{Sequence, Symbol};
use crate::message::Message;
use crate::num::{Lots, Price};
use crate::time::UnixNanos;
use hole::SymbolKey;
use symbols::Symbols;

/// Reads the tickers and trades of one connection, and learns how that connection writes them.
///
/// Says what [`Frame::parse`](super::Frame::parse) and the `parse` of the message say. A connection that
/// changes its mind is learned anew; one that writes every frame differently is read by the scanner.
/// Remembers eight templates, about 1 KiB each, and a thousand symbols.
///
/// ```
/// use kucoin_futures_proto::Message;
/// use kucoin_futures_proto::wire::MessageParser;
///
/// let mut parser = MessageParser::new();
/// let frame = br#"{"topic":"/contractMarket/tickerV2:ETHUSDTM","type":"message","subject":"tickerV2",
///     "data":{"symbol":"ETHUSDTM","sequence":41,"bestBidSize":7,"bestBidPrice":"2417.5",
///     "bestAskPrice":"2417.55","bestAskSize":9,"ts":1790000000123000000}}"#;
/// let Message::TickerV2(ticker) = parser.parse(frame)? else { panic!() };
/// assert_eq!(ticker.best_ask_price.to_string(), "2417.55");
/// # Ok::<(), kucoin_futures_proto::WireError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct MessageParser {
    known: Vec<Known>,
    symbols: Symbols,
    /// Frames read by templates since the last attempt to learn.
    read: u32,
    /// Frames read by the scanner since then, and how many it takes until the next attempt.
    scanned: u32,
    wait: u32,
}

/// A template, and how many frames were read by it lately.
#[derive(Clone, Debug)]
struct Known {
    template: Template,
    uses: u32,
}

/// Templates remembered: three channels, with and without a key or two.
const MAX_TEMPLATES: usize = 8;
/// Longest wait before the next attempt to learn, in frames read by the scanner.
const LONGEST_WAIT: u32 = 1024;
/// Learning has paid off if so many times as many frames were read by templates as by the scanner.
const PAID_OFF: u32 = 8;

impl MessageParser {
    /// Knows nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads a whole frame.
    ///
    /// # Errors
    /// [`WireError::Unexpected`] for a frame of another kind, otherwise those of
    /// [`Frame::parse`](super::Frame::parse) and of the message; [`WireError::Mismatch`] if topic and data
    /// name two contracts.
    #[inline]
    pub fn parse<'a>(&mut self, frame: &'a [u8]) -> Result<Message<'a>, WireError> {
        if let Some((_, values)) = self.read(frame, |_| Some(0))
            && let Some(message) = values.message(frame)
        {
            return Ok(message);
        }
        self.scan(frame)
    }

    #[cold]
    fn scan<'a>(&mut self, frame: &'a [u8]) -> Result<Message<'a>, WireError> {
        if let Some((channel, Content::Message(_, Some(values)))) = Content::read(frame) {
            self.learn(frame, channel);
            if let Some(message) = values.message(frame) {
                return Ok(message);
            }
        }
        read_message(frame)
    }

    /// Reads a frame that looks like earlier ones, and says the tag of its channel, which `tag` gives it
    /// when it is new. `None`: leave it to the scanner.
    #[inline]
    pub(crate) fn read(
        &mut self,
        frame: &[u8],
        tag: impl FnOnce(Channel) -> Option<u32>,
    ) -> Option<(u32, Values)> {
        let found = |known: &mut Known| {
            let holes = known.template.walk(frame)?;
            known.uses = known.uses.saturating_add(1);
            Some((known.template.kind, holes))
        };
        let (kind, holes) = self.known.iter_mut().find_map(found)?;
        self.read = self.read.saturating_add(1);
        let (symbol, tag) = match self.symbols.find(holes.key, kind) {
            Some(known) => known,
            None => {
                let symbol = holes.symbol(frame)?;
                let tag = tag(Channel::new(kind, symbol))?;
                self.symbols.insert(holes.key, kind, symbol, tag);
                (symbol, tag)
            }
        };
        Some((tag, holes.values(kind, symbol)?))
    }

    /// Learns from a frame that the scanner has read as a message of this channel; not every time.
    pub(crate) fn learn(&mut self, frame: &[u8], channel: Channel) {
        self.scanned = self.scanned.saturating_add(1);
        if self.scanned < self.wait {
            return;
        }
        let has_paid_off = self.read > self.scanned.saturating_mul(PAID_OFF);
        self.wait = if has_paid_off { 1 } else { self.wait.saturating_mul(2).min(LONGEST_WAIT) };
        self.wait = self.wait.max(1);
        (self.read, self.scanned) = (0, 0);
        let Some(template) = learn::template(frame, channel.kind()) else { return };
        if self.known.iter().any(|known| known.template == template) {
            return;
        }
        let new = Known { template, uses: 0 };
        if self.known.len() < MAX_TEMPLATES {
            self.known.push(new);
        } else if let Some(least) = self.known.iter_mut().min_by_key(|known| known.uses) {
            *least = new;
            self.known.iter_mut().for_each(|known| known.uses /= 2);
        }
    }
}

/// What the frames of a channel have in common.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Template {
    kind: ChannelKind,
    steps: Box<[Step]>,
    /// The literals of all steps, each in blocks of its own.
    blocks: Box<[Block]>,
}

/// A literal and the hole behind it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Step {
    literal_len: u16,
    blocks: u8,
    hole: Hole,
}

/// Sixteen bytes of a literal, in words; fewer at its end.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
struct Block {
    want: [u64; 2],
    /// All ones where the literal has a byte.
    mask: [u64; 2],
}

/// What stands between two literals.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Hole {
    /// The frame's end.
    End,
    Symbol,
    Sequence,
    Ts,
    Side,
    /// A price between quotes.
    Price(Which),
    /// A price as a number.
    BarePrice(Which),
    Size(Which),
    Id(Id),
    /// A text that is not used.
    Text,
    /// A whole number that is not used.
    Number,
}

/// Whose price or size it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Which {
    Trade,
    Bid,
    Ask,
}

/// Which id it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Id {
    Trade,
    TakerOrder,
    MakerOrder,
}

/// What was found in the holes of a frame.
struct Holes {
    key: SymbolKey,
    symbol_at: usize,
    symbol_end: usize,
    sequence: Option<u64>,
    side: TakerSide,
    prices: [Price; 3],
    sizes: [Lots; 3],
    ids: [Option<Place>; 3],
    ts: u64,
}

impl Template {
    /// Reads a frame that looks like this.
    #[inline]
    fn walk(&self, frame: &[u8]) -> Option<Holes> {
        let mut holes = Holes {
            key: [0; 3],
            symbol_at: 0,
            symbol_end: 0,
            sequence: None,
            side: TakerSide::Buy,
            prices: [Price::ZERO; 3],
            sizes: [Lots::ZERO; 3],
            ids: [None; 3],
            ts: 0,
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

impl Block {
    #[inline]
    const fn differ(&self, pair: [u64; 2]) -> u64 {
        (pair[0] ^ self.want[0]) & self.mask[0] | (pair[1] ^ self.want[1]) & self.mask[1]
    }

    /// The same where the frame may end before the block does. What is not there is no byte of a literal,
    /// which has no zeros.
    #[inline(never)]
    fn differ_near_end(&self, frame: &[u8], at: usize) -> u64 {
        let word = |at: usize| hole::word(frame, at).unwrap_or(0);
        self.differ([word(at), word(at.wrapping_add(8))])
    }
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
                self.ts = ts;
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
    fn symbol(&self, frame: &[u8]) -> Option<Symbol> {
        let text = frame.get(self.symbol_at..self.symbol_end)?;
        Symbol::new(core::str::from_utf8(text).ok()?).ok()
    }

    /// The message, put together: what its channel must have was there when the template was learned.
    #[inline]
    fn values(&self, kind: ChannelKind, symbol: Symbol) -> Option<Values> {
        let ts_event = UnixNanos::from_nanos(self.ts);
        let [price, bid_price, ask_price] = self.prices;
        let [size, bid_size, ask_size] = self.sizes;
        if kind == ChannelKind::TickerV2 {
            return Some(Values::TickerV2(TickerV2 {
                symbol,
                sequence: self.sequence.map(Sequence::new),
                best_bid_price: bid_price,
                best_bid_size: bid_size,
                best_ask_price: ask_price,
                best_ask_size: ask_size,
                ts_event,
            }));
        }
        let [trade_id, taker, maker] = self.ids;
        let (sequence, trade_id) = (Sequence::new(self.sequence?), trade_id?);
        let trade =
            Trade { symbol, taker_side: self.side, trade_id, sequence, price, size, ts_event };
        Some(if kind == ChannelKind::Ticker {
            Values::Ticker(trade, Touch { bid_price, bid_size, ask_price, ask_size })
        } else {
            Values::Execution(trade, Orders { taker, maker })
        })
    }
}

#[cfg(test)]
mod tests;
