//! What stands in the `data` of level2, tickers and trades, in any order.
//!
//! Two ways that say the same. The usual one reads an object once and keeps the value of each key
//! that some channel uses as it stands ([`Fields::collect`]); what it means is asked for by name
//! afterwards. It only ever succeeds: an escaped key, a key twice, or a value that means nothing and
//! the object is read again, key by key in its own order ([`Fields::walk`]), which finds the error
//! or, if only keys of other channels were odd, the values.

use super::scan::{Scanner, Value};
use super::text::Text;
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
    pub(crate) fn peek(data: &[u8]) -> Option<Self> {
        let position =
            |fields: &Fields<'_>| Ok(Self { sequence: fields.sequence()?, ts: fields.ts()? });
        Fields::parse(data, &[Key::Sequence, Key::Ts], position).ok()
    }
}

/// The keys that some channel uses.
macro_rules! keys {
    ($($key:ident = $name:literal),*) => {
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub(super) enum Key { $($key),* }

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
    Timestamp = "timestamp"
}

impl Key {
    /// By length first, so that one or two comparisons of words are left.
    #[inline]
    pub(super) fn of(name: &str) -> Option<Self> {
        let is = |key: Self| (name == key.name()).then_some(key);
        match name.len() {
            2 => is(Self::Ts),
            4 => is(Self::Size).or_else(|| is(Self::Side)),
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

/// The values of an object, by key.
#[derive(Default)]
pub(super) struct Fields<'a>([Option<Value<'a>>; Key::ALL.len()]);

/// What an object says, put together from its values.
pub(super) type Assemble<'a, T> = fn(&Fields<'a>) -> Result<T, WireError>;

impl<'a> Fields<'a> {
    /// Reads an object of which these keys are used.
    pub(super) fn parse<T>(
        data: &'a [u8],
        keys: &[Key],
        assemble: Assemble<'a, T>,
    ) -> Result<T, WireError> {
        let mut scanner = Scanner::of_text(data);
        let fields = Self::collect(&mut scanner).filter(|_| scanner.end().is_ok());
        match fields.map(|fields| assemble(&fields)) {
            Some(Ok(whole)) => Ok(whole),
            Some(Err(_)) | None => assemble(&Self::walk(data, keys)?),
        }
    }

    /// Reads an object once and keeps everything; `None` if it is unusual or wrong.
    #[inline]
    pub(super) fn collect(scanner: &mut Scanner<'a>) -> Option<Self> {
        let mut fields = Self::default();
        scanner.object().ok()?;
        let mut first = true;
        while let Some(name) = scanner.key(&mut first).ok()? {
            let value = scanner.value().ok()?;
            if let Some(key) = Key::of(name.plain()?) {
                let slot = fields.0.get_mut(key as usize)?;
                if slot.replace(value).is_some() {
                    return None;
                }
            }
        }
        Some(fields)
    }

    /// Reads those keys of an object, in the order in which they stand, up to the first that is wrong.
    #[cold]
    fn walk(data: &'a [u8], keys: &[Key]) -> Result<Self, WireError> {
        let mut fields = Self::default();
        let mut scanner = Scanner::of_text(data);
        scanner.object()?;
        let mut first = true;
        while let Some(name) = scanner.key(&mut first)? {
            let value = scanner.value()?;
            let Some(&key) = keys.iter().find(|key| name.is(key.name())) else { continue };
            let Some(slot) = fields.0.get_mut(key as usize) else { continue };
            let is_second = slot.replace(value).is_some();
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
        }
    }

    fn optional(&self, key: Key) -> Option<Value<'a>> {
        self.0.get(key as usize).copied().flatten()
    }

    fn required(&self, key: Key) -> Result<Value<'a>, WireError> {
        self.optional(key).ok_or(WireError::Missing { field: key.name() })
    }

    fn integer(&self, key: Key) -> Result<u64, WireError> {
        self.required(key)?.integer(key.name())
    }

    pub(super) fn price(&self, key: Key) -> Result<Price, WireError> {
        Price::parse(self.required(key)?.digits(key.name())?, key.name())
    }

    pub(super) fn size(&self, key: Key) -> Result<Lots, WireError> {
        Lots::parse(self.required(key)?.digits(key.name())?, key.name())
    }

    pub(super) fn text(&self, key: Key) -> Result<Text<'a>, WireError> {
        self.required(key)?.text(key.name())
    }

    pub(super) fn text_if_any(&self, key: Key) -> Result<Option<Text<'a>>, WireError> {
        self.optional(key).map(|value| value.text(key.name())).transpose()
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
        let Some(value) = self.optional(Key::Timestamp) else { return Ok(None) };
        let field = Key::Timestamp.name();
        let time = UnixNanos::from_millis(value.integer(field)?);
        time.map(Some).ok_or(WireError::OutOfRange { field })
    }
}
