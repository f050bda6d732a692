//! What can be subscribed to. A channel is a row of one table and a decoder in `wire`.

use core::fmt;

use crate::error::WireError;
use crate::ids::Symbol;
use crate::message::Message;
use crate::wire::{
    Depth, Execution, Fields, Key, Text, Ticker, TickerV2, depth, execution, ticker,
};

/// A public channel of one contract.
///
/// ```
/// use kucoin_futures_proto::{Channel, ChannelKind};
/// let channel = Channel::level2("XBTUSDTM".parse()?);
/// assert_eq!(channel.to_string(), "/contractMarket/level2:XBTUSDTM");
/// assert_eq!((channel.kind(), channel.symbol().as_str()), (ChannelKind::Level2, "XBTUSDTM"));
/// # Ok::<(), kucoin_futures_proto::Misuse>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Channel {
    kind: ChannelKind,
    symbol: Symbol,
}

/// What is done with the messages of a channel.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Delivery {
    /// They change a book.
    Book,
    /// The newest matters: what is older than what was handed out is of no use.
    Latest,
    /// Each is handed out once, in whatever order they come.
    EachOnce,
}

/// All there is to know of a channel.
struct Row {
    /// Its topics, up to the colon.
    prefix: &'static str,
    delivery: Delivery,
    /// The keys that its data is read from.
    keys: &'static [Key],
    read: Read,
}

/// Puts the data of a message of a channel together.
type Read = for<'a> fn(&Fields<'a>) -> Result<Message<'a>, WireError>;

macro_rules! channels {
    ($($(#[$doc:meta])* $kind:ident, $new:ident, $topic:literal, $delivery:ident, $keys:expr, $read:expr;)*) => {
        /// A channel without its symbol: topics of one kind share a subscribe frame.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        #[non_exhaustive]
        pub enum ChannelKind {
            $($(#[$doc])* $kind),*
        }

        impl ChannelKind {
            pub(crate) const ALL: &[Self] = &[$(Self::$kind),*];

            const fn row(self) -> &'static Row {
                match self {
                    $(Self::$kind => &Row {
                        prefix: concat!("/contractMarket/", $topic),
                        delivery: Delivery::$delivery,
                        keys: $keys,
                        read: $read,
                    }),*
                }
            }
        }

        impl Channel {
            $($(#[$doc])*
            #[must_use]
            pub const fn $new(symbol: Symbol) -> Self {
                Self { kind: ChannelKind::$kind, symbol }
            })*
        }
    };
}

channels! {
    /// Every change of every price level: the source of the [`Book`](crate::Book).
    Level2, level2, "level2", Book, &[], |_| Err(WireError::Unexpected);
    /// Best bid and offer in real time: [`Message::TickerV2`].
    TickerV2, ticker_v2, "tickerV2", Latest, &ticker::V2_KEYS,
        |fields| TickerV2::assemble(fields).map(Message::TickerV2);
    /// Last trade with best bid and offer, once per trade; the exchange advises the other two:
    /// [`Message::Ticker`].
    Ticker, ticker, "ticker", Latest, &ticker::V1_KEYS,
        |fields| Ticker::assemble(fields).map(Message::Ticker);
    /// The best five levels of both sides, whole, at most every 100 ms by the documentation:
    /// [`Message::Depth5`].
    Depth5, depth5, "level2Depth5", Latest, &depth::KEYS,
        |fields| Depth::assemble(fields).map(Message::Depth5);
    /// Every trade: [`Message::Execution`].
    Execution, execution, "execution", EachOnce, &execution::KEYS,
        |fields| Execution::assemble(fields).map(Message::Execution);
}

/// Longest topic that is unescaped; one that needs no unescaping may be of any length.
const MAX_TOPIC: usize = 96;

impl Channel {
    /// This channel of a contract.
    #[must_use]
    pub const fn new(kind: ChannelKind, symbol: Symbol) -> Self {
        Self { kind, symbol }
    }

    /// Which channel, of whatever contract.
    #[must_use]
    pub const fn kind(&self) -> ChannelKind {
        self.kind
    }

    /// The contract.
    #[must_use]
    pub const fn symbol(&self) -> Symbol {
        self.symbol
    }

    /// The channel that a pushed topic belongs to.
    pub(crate) fn from_text(topic: Text<'_>) -> Option<Self> {
        let mut room = [0; MAX_TOPIC];
        let topic = topic.resolve(&mut room)?;
        ChannelKind::ALL.iter().find_map(|&kind| {
            let symbol = topic.strip_prefix(kind.prefix())?.strip_prefix(':')?;
            Some(Self { kind, symbol: Symbol::new(symbol).ok()? })
        })
    }

    /// Puts the data of a message together. Topic and data have to speak of the same contract.
    pub(crate) fn read<'a>(&self, fields: &Fields<'a>) -> Result<Message<'a>, WireError> {
        let message = (self.kind.row().read)(fields)?;
        match message.symbol() {
            Some(symbol) if symbol != self.symbol => Err(WireError::Mismatch { field: "symbol" }),
            _ => Ok(message),
        }
    }
}

impl ChannelKind {
    pub(crate) const fn prefix(self) -> &'static str {
        self.row().prefix
    }

    pub(crate) const fn delivery(self) -> Delivery {
        self.row().delivery
    }

    pub(crate) const fn keys(self) -> &'static [Key] {
        self.row().keys
    }
}

/// The topic string, for example `/contractMarket/level2:XBTUSDTM`.
impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind.prefix(), self.symbol)
    }
}
