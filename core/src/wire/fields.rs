//! What stands in the `data` of level2, tickers, trades and depths, in any order.
//!
//! Two ways that say the same. The usual one reads an object once and keeps the value of each key
//! that some channel uses as it stands ([`Fields::collect`]); what it means is asked for by name
//! afterwards. It only ever succeeds: an escaped key, a key twice, or a value that means nothing and
//! the object is read again, key by key in its own order ([`Fields::walk`]), which finds the error
//! or, if only keys of other channels were odd, the values.

use core::cell::Cell;

use super::exchange_time::{Time, Unit};
use super::scan::Scanner;
use super::swar;
use super::text::Text;
use super::walk::{self, Kind, Token};
use crate::book::Level;
use crate::error::WireError;
use crate::ids::{Sequence, Symbol};
use crate::num::{Lots, Price};
use crate::time::UnixNanos;

/// Who came to take what was offered.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[allow(clippy::exhaustive_enums, reason = "there is no third")]
pub enum TakerSide {
    /// The taker bought: the price is one that was asked. `buy` on the wire.
    Buy,
    /// The taker sold: the price is one that was bid. `sell` on the wire.
    Sell,
}

impl core::fmt::Display for TakerSide {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Buy => "buy",
            Self::Sell => "sell",
        })
    }
}

/// Where a message of a channel other than level2 stands: enough to tell a repeat.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Position {
    pub(crate) sequence: Sequence,
    pub(crate) ts: Option<UnixNanos>,
}

impl Position {
    /// Of data that cannot be decoded as a whole; `None` if it does not say where it stands.
    pub(crate) fn of_data(data: &[u8]) -> Option<Self> {
        let position = |fields: &Fields<'_>| Self::of(fields).ok_or(WireError::Unexpected);
        Fields::parse(data, &[Key::Sequence, Key::Ts], position).ok()
    }

    /// Whether it says so.
    pub(crate) fn is_later_than(&self, other: Self) -> bool {
        self.ts.zip(other.ts).is_some_and(|(ts, other)| ts > other)
    }

    /// The same of data that was read.
    pub(super) fn of(fields: &Fields<'_>) -> Option<Self> {
        Some(Self { sequence: fields.sequence().ok()?, ts: fields.time_in_either(Key::Ts) })
    }
}

/// The keys that some channel uses.
macro_rules! keys {
    ($($key:ident = $name:literal),*) => {
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub(crate) enum Key { $($key),* }

        impl Key {
            const ALL: &[Self] = &[$(Self::$key),*];

            pub(super) const fn name(self) -> &'static str {
                match self { $(Self::$key => $name),* }
            }
        }
    };
}

keys! {
    Symbol = "symbol",
    Sequence = "sequence",
    Side = "side",
    Price = "price",
    Size = "size",
    BidPrice = "bestBidPrice",
    BidSize = "bestBidSize",
    AskPrice = "bestAskPrice",
    AskSize = "bestAskSize",
    TradeId = "tradeId",
    TakerOrderId = "takerOrderId",
    MakerOrderId = "makerOrderId",
    Ts = "ts",
    Change = "change",
    Timestamp = "timestamp",
    Bids = "bids",
    Asks = "asks"
}

impl Key {
    /// By length first, so that one or two comparisons of words are left.
    #[inline]
    pub(super) fn of(name: &[u8]) -> Option<Self> {
        let is = |key: Self| (name == key.name().as_bytes()).then_some(key);
        match name.len() {
            2 => is(Self::Ts),
            4 => (is(Self::Size).or_else(|| is(Self::Side)))
                .or_else(|| is(Self::Bids).or_else(|| is(Self::Asks))),
            5 => is(Self::Price),
            6 => is(Self::Symbol).or_else(|| is(Self::Change)),
            7 => is(Self::TradeId),
            8 => is(Self::Sequence),
            9 => is(Self::Timestamp),
            11 => is(Self::BidSize).or_else(|| is(Self::AskSize)),
            12 => (is(Self::BidPrice).or_else(|| is(Self::AskPrice)))
                .or_else(|| is(Self::TakerOrderId).or_else(|| is(Self::MakerOrderId))),
            _ => None,
        }
    }
}

/// The values of an object, by key, and the bytes that they stand in.
pub(crate) struct Fields<'a> {
    bytes: &'a [u8],
    tokens: [Token; Key::ALL.len()],
    /// A time stands there that cannot be read.
    has_odd_time: Cell<bool>,
}

/// No value: one that is there does not begin with the frame.
const NONE: Token = Token { start: 0, end: 0, kind: Kind::Other };

impl<'a> Fields<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, tokens: [NONE; Key::ALL.len()], has_odd_time: Cell::new(false) }
    }

    /// Reads an object of which these keys are used.
    pub(super) fn parse<T>(
        data: &'a [u8],
        keys: &[Key],
        assemble: impl Fn(&Self) -> Result<T, WireError>,
    ) -> Result<T, WireError> {
        Self::parse_with_time(data, keys, assemble).map(|(whole, _)| whole)
    }

    /// The same, and whether a time stands there that cannot be read.
    pub(super) fn parse_with_time<T>(
        data: &'a [u8],
        keys: &[Key],
        assemble: impl Fn(&Self) -> Result<T, WireError>,
    ) -> Result<(T, bool), WireError> {
        let mut fields = Self::new(data);
        if let Some(end) = fields.collect(walk::space(data, 0), 1)
            && walk::is_end(data, end)
            && let Ok(whole) = assemble(&fields)
        {
            return Ok((whole, fields.has_odd_time()));
        }
        let fields = Self::walk(data, keys)?;
        Ok((assemble(&fields)?, fields.has_odd_time()))
    }

    /// Reads the object that begins at `at` and keeps everything; `None` if it is unusual or wrong. Its
    /// depth is 1 if it does not stand in another one.
    #[inline]
    pub(super) fn collect(&mut self, at: usize, depth: u32) -> Option<usize> {
        let (bytes, tokens) = (self.bytes, &mut self.tokens);
        walk::object(bytes, at, |name, at| {
            let (token, end) = walk::value(bytes, at, depth)?;
            if let Some(key) = Key::of(name) {
                let slot = tokens.get_mut(key as usize)?;
                if *slot != NONE {
                    return None;
                }
                *slot = token;
            }
            Some(end)
        })
    }

    /// Reads those keys of an object, in the order in which they stand, up to the first that is wrong.
    #[cold]
    fn walk(data: &'a [u8], keys: &[Key]) -> Result<Self, WireError> {
        let mut fields = Self::new(data);
        let mut scanner = Scanner::of_text(data);
        scanner.object()?;
        let mut first = true;
        while let Some(name) = scanner.key(&mut first)? {
            scanner.space();
            let start = scanner.at();
            let value = scanner.value()?;
            let Some(&key) = keys.iter().find(|key| name.is(key.name())) else { continue };
            let Some(slot) = fields.tokens.get_mut(key as usize) else { continue };
            let is_second = *slot != NONE;
            *slot = Token::of(value, start, scanner.at());
            fields.check(key)?;
            if is_second {
                return Err(WireError::Duplicate { field: key.name() });
            }
        }
        scanner.end()?;
        Ok(fields)
    }

    /// Whether the value of a key means something.
    fn check(&self, key: Key) -> Result<(), WireError> {
        if self.optional(key).is_none() {
            return Ok(());
        }
        match key {
            Key::Symbol => self.symbol().map(drop),
            Key::Sequence => self.integer(key).map(drop),
            Key::Side => self.taker_side().map(drop),
            Key::Price | Key::BidPrice | Key::AskPrice => self.price(key).map(drop),
            Key::Size | Key::BidSize | Key::AskSize => self.size(key).map(drop),
            Key::TradeId | Key::TakerOrderId | Key::MakerOrderId | Key::Change => {
                self.text(key).map(drop)
            }
            Key::Ts | Key::Timestamp => Ok(()),
            Key::Bids | Key::Asks => self.array(key).map(drop),
        }
    }

    /// The value of a key; `None` if it is absent or null.
    fn there(&self, key: Key) -> Option<Token> {
        let token = *self.tokens.get(key as usize)?;
        let is_null = || self.bytes.get(token.start..token.end) == Some(b"null");
        (token != NONE && !(token.kind == Kind::Other && is_null())).then_some(token)
    }

    /// The same of a value that need not be there: an empty text is none, either.
    fn optional(&self, key: Key) -> Option<Token> {
        self.there(key).filter(|token| token.kind != Kind::Text || token.start < token.end)
    }

    fn required(&self, key: Key) -> Result<Token, WireError> {
        self.there(key).ok_or_else(|| WireError::Missing { field: key.name() })
    }

    /// The digits of a number, or of a string that should hold one: both occur for prices.
    fn digits(&self, key: Key) -> Result<&'a [u8], WireError> {
        let Token { start, end, kind } = self.required(key)?;
        match kind {
            Kind::Text | Kind::Number => Ok(self.bytes.get(start..end).unwrap_or_default()),
            Kind::Escaped | Kind::Other => Err(WireError::WrongType { field: key.name() }),
        }
    }

    /// An unsigned integer in plain digits, also as a string. `1.0` and `1e3` are not that.
    fn integer(&self, key: Key) -> Result<u64, WireError> {
        let digits = self.digits(key)?;
        let long = || {
            let is_plain = digits.iter().all(u8::is_ascii_digit);
            core::str::from_utf8(digits).ok().filter(|_| is_plain)?.parse().ok()
        };
        let value = swar::whole_number(digits).or_else(long);
        value.ok_or_else(|| WireError::OutOfRange { field: key.name() })
    }

    pub(super) fn price(&self, key: Key) -> Result<Price, WireError> {
        let text = self.digits(key)?;
        swar::usual_price(text).map_or_else(|| Price::parse(text, key.name()), Ok)
    }

    pub(super) fn size(&self, key: Key) -> Result<Lots, WireError> {
        let text = self.digits(key)?;
        let lots = swar::whole_number(text).map(Lots::new);
        lots.map_or_else(|| Lots::parse(text, key.name()), Ok)
    }

    /// The bytes of a text without escapes.
    pub(super) fn usual_text(&self, key: Key) -> Option<&'a [u8]> {
        let Token { start, end, kind } = self.there(key)?;
        self.bytes.get(start..end).filter(|_| kind == Kind::Text)
    }

    pub(super) fn text(&self, key: Key) -> Result<Text<'a>, WireError> {
        let Token { start, end, kind } = self.required(key)?;
        let escaped = match kind {
            Kind::Text => false,
            Kind::Escaped => true,
            Kind::Number | Kind::Other => {
                return Err(WireError::WrongType { field: key.name() });
            }
        };
        let text = self.bytes.get(start..end).unwrap_or_default();
        Ok(Text::checked(core::str::from_utf8(text).unwrap_or_default(), escaped))
    }

    pub(super) fn text_if_any(&self, key: Key) -> Result<Option<Text<'a>>, WireError> {
        self.optional(key).map(|_| self.text(key)).transpose()
    }

    /// The text of an array.
    fn array(&self, key: Key) -> Result<&'a [u8], WireError> {
        let Token { start, end, kind } = self.required(key)?;
        let text = self.bytes.get(start..end).filter(|text| text.starts_with(b"["));
        text.filter(|_| kind == Kind::Other)
            .ok_or_else(|| WireError::WrongType { field: key.name() })
    }

    pub(super) fn array_if_any(&self, key: Key) -> Result<Option<&'a [u8]>, WireError> {
        self.optional(key).map(|_| self.array(key)).transpose()
    }

    pub(super) fn symbol(&self) -> Result<Symbol, WireError> {
        if let Some(symbol) = self.usual_text(Key::Symbol).and_then(Symbol::of_bytes) {
            return Ok(symbol);
        }
        let mut room = [0; Symbol::MAX_LEN];
        let text = self.text(Key::Symbol)?.resolve(&mut room);
        text.and_then(|text| Symbol::new(text).ok()).ok_or(WireError::Malformed { field: "symbol" })
    }

    pub(super) fn taker_side(&self) -> Result<TakerSide, WireError> {
        let text = self.text(Key::Side)?;
        match () {
            () if text.is("buy") => Ok(TakerSide::Buy),
            () if text.is("sell") => Ok(TakerSide::Sell),
            () => Err(WireError::Malformed { field: "side" }),
        }
    }

    pub(super) fn sequence(&self) -> Result<Sequence, WireError> {
        self.integer(Key::Sequence).map(Sequence::new)
    }

    pub(super) fn sequence_if_any(&self) -> Result<Option<Sequence>, WireError> {
        self.optional(Key::Sequence).map(|_| self.sequence()).transpose()
    }

    /// The best of a side; `None` if it is empty: without a price, or with one of zero.
    pub(super) fn best(&self, price: Key, size: Key) -> Result<Option<Level>, WireError> {
        self.check(size)?;
        let level = || Ok(Level { price: self.price(price)?, size: self.size(size)? });
        let level = self.optional(price).map(|_| level()).transpose()?;
        Ok(level.filter(|level| level.price != Price::ZERO))
    }

    /// A time; `None` if it is absent, or cannot be read.
    pub(super) fn time(&self, key: Key, unit: Unit) -> Option<UnixNanos> {
        let Token { start, end, kind } = self.optional(key)?;
        let text = self.bytes.get(start..end).unwrap_or_default();
        let time = match kind {
            Kind::Text | Kind::Number => Time::of_digits(text, unit),
            Kind::Escaped | Kind::Other => Time::Odd,
        };
        if time == Time::Odd {
            self.has_odd_time.set(true);
        }
        time.known()
    }

    /// A time in milliseconds, or in nanoseconds.
    pub(super) fn time_in_either(&self, key: Key) -> Option<UnixNanos> {
        let was_odd = self.has_odd_time.get();
        // planted: old-time-unread
        self.time(key, Unit::Millis).or_else(|| {
            self.has_odd_time.set(was_odd);
            self.time(key, Unit::Nanos)
        })
    }

    /// Whether a time that was asked for stands there and cannot be read.
    pub(super) fn has_odd_time(&self) -> bool {
        self.has_odd_time.get()
    }
}
