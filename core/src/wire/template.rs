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
mod shape;
mod symbols;
mod walk;

use alloc::vec::Vec;

use super::message::{Content, read_message};
use super::values::Values;
use crate::channel::{Channel, ChannelKey};
use crate::error::WireError;
use crate::message::Message;
use shape::Template;
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
/// assert_eq!(ticker.best_ask.map(|ask| ask.price.to_string()).unwrap_or_default(), "2417.55");
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
            && let Ok(message) = values.message(frame)
        {
            return Ok(message);
        }
        self.scan(frame)
    }

    #[cold]
    fn scan<'a>(&mut self, frame: &'a [u8]) -> Result<Message<'a>, WireError> {
        if let Some((named, Content::Message(_, Some(values)), _)) = Content::read(frame, |_| None)
        {
            if !values.is_learned() {
                return values.message(frame);
            }
            self.learn(frame, named.channel);
            if let Ok(message) = values.message(frame) {
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
                let tag = tag(Channel::new(kind, ChannelKey::Symbol(symbol))?)?;
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

#[cfg(test)]
mod tests;
