//! What stands in the `data` of level2, tickers and trades, in any order.
//!
//! Two ways that say the same. The usual one reads an object once and keeps the value of each key
//! that some channel uses as it stands ([`Fields::collect`]); what it means is asked for by name
//! afterwards. It only ever succeeds: an escaped key, a key twice, or a value that means nothing and
//! the object is read again, key by key in its own order ([`Fields::walk`]), which finds the error
//! or, if only keys of other channels were odd, the values.

use super::scan::Scanner;
use super::swar;
use super::text::Text;
use super::walk::{self, Kind, Token};
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
    pub(crate) ts: UnixNanos,
}

impl Position {
    /// Of data that cannot be decoded as a whole; `None` if it does not say where it stands.
    pub(crate) fn of_data(data: &[u8]) -> Option<Self> {
        let position = |fields: &Fields<'_>| Self::of(fields).ok_or(WireError::Unexpected);
        Fields::parse(data, &[Key::Sequence, Key::Ts], position).ok()
    }

    /// The same of data that was read.
    pub(super) fn of(fields: &Fields<'_>) -> Option<Self> {
        Some(Self { sequence: fields.sequence().ok()?, ts: fields.ts().ok()? })
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
}

/// No value: one that is there does not begin with the frame.
const NONE: Token = Token { start: 0, end: 0, kind: Kind::Other };

impl<'a> Fields<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, tokens: [NONE; Key::ALL.len()] }
    }

    /// Reads an object of which these keys are used.
    pub(super) fn parse<T>(
        data: &'a [u8],
        keys: &[Key],
        assemble: impl Fn(&Self) -> Result<T, WireError>,
    ) -> Result<T, WireError> {
        let mut fields = Self::new(data);
        if let Some(end) = fields.collect(walk::space(data, 0), 1)
            && walk::is_end(data, end)
            && let Ok(whole) = assemble(&fields)
        {
            return Ok(whole);
        }
        assemble(&Self::walk(data, keys)?)
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
        match key {
            Key::Symbol => self.symbol().map(drop),
            Key::Sequence | Key::Ts => self.integer(key).map(drop),
            Key::Side => self.taker_side().map(drop),
            Key::Price | Key::BidPrice | Key::AskPrice => self.price(key).map(drop),
            Key::Size | Key::BidSize | Key::AskSize => self.size(key).map(drop),
            Key::TradeId | Key::TakerOrderId | Key::MakerOrderId | Key::Change => {
                self.text(key).map(drop)
            }
            Key::Timestamp => self.millis().map(drop),
            Key::Bids | Key::Asks => self.array(key).map(drop),
        }
    }

    fn optional(&self, key: Key) -> Option<Token> {
        self.tokens.get(key as usize).copied().filter(|token| *token != NONE)
    }

    fn required(&self, key: Key) -> Result<Token, WireError> {
        self.optional(key).ok_or_else(|| WireError::Missing { field: key.name() })
    }

    /// The digits of a number, or of a string that should hold one: both occur for prices.
    fn digits(&self, key: Key) -> Result<&'a [u8], WireError> {
        let Token { start, end, kind } = self.required(key)?;
        match kind {
            Kind::Text | Kind::Number => Ok(self.bytes.get(start..end).unwrap_or_default()),
            Kind::Escaped | Kind::Other => Err(WireError::WrongType { field: key.name() }),
        }
    }

    /// An unsigned integer in plain digits. `1.0`, `1e3` and `"1"` are not that.
    fn integer(&self, key: Key) -> Result<u64, WireError> {
        if self.required(key)?.kind != Kind::Number {
            return Err(WireError::WrongType { field: key.name() });
        }
        let digits = self.digits(key)?;
        let long = || core::str::from_utf8(digits).ok()?.parse().ok();
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
    pub(super) fn array(&self, key: Key) -> Result<&'a [u8], WireError> {
        let Token { start, end, kind } = self.required(key)?;
        let text = self.bytes.get(start..end).filter(|text| text.starts_with(b"["));
        text.filter(|_| kind == Kind::Other)
            .ok_or_else(|| WireError::WrongType { field: key.name() })
    }

    pub(super) fn symbol(&self) -> Result<Symbol, WireError> {
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

    /// Nanoseconds on the wire.
    pub(super) fn ts(&self) -> Result<UnixNanos, WireError> {
        self.integer(Key::Ts).map(UnixNanos::from_nanos)
    }

    /// Milliseconds on the wire.
    pub(super) fn millis(&self) -> Result<Option<UnixNanos>, WireError> {
        if self.optional(Key::Timestamp).is_none() {
            return Ok(None);
        }
        let field = Key::Timestamp.name();
        let time = UnixNanos::from_millis(self.integer(Key::Timestamp)?);
        time.map(Some).ok_or(WireError::OutOfRange { field })
    }
}
