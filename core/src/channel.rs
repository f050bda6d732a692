//! What can be subscribed to.

use core::fmt;

use crate::ids::Symbol;
use crate::wire::Text;

/// A public channel of one contract.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[non_exhaustive]
pub enum Channel {
    /// Every change of every price level: the source of the [`Book`](crate::Book).
    Level2(Symbol),
    /// Best bid and offer in real time.
    TickerV2(Symbol),
    /// Last trade with best bid and offer, once per trade; the exchange advises the other two.
    Ticker(Symbol),
    /// Every trade.
    Execution(Symbol),
}

impl Channel {
    /// The contract.
    #[must_use]
    pub const fn symbol(&self) -> Symbol {
        match *self {
            Self::Level2(symbol)
            | Self::TickerV2(symbol)
            | Self::Ticker(symbol)
            | Self::Execution(symbol) => symbol,
        }
    }

    pub(crate) const fn kind(&self) -> ChannelKind {
        match self {
            Self::Level2(_) => ChannelKind::Level2,
            Self::TickerV2(_) => ChannelKind::TickerV2,
            Self::Ticker(_) => ChannelKind::Ticker,
            Self::Execution(_) => ChannelKind::Execution,
        }
    }

    /// The channel that a pushed topic belongs to.
    pub(crate) fn from_text(topic: Text<'_>) -> Option<Self> {
        let mut room = [0; MAX_TOPIC];
        let topic = topic.resolve(&mut room)?;
        ChannelKind::ALL.into_iter().find_map(|kind| {
            let symbol = topic.strip_prefix(kind.prefix())?.strip_prefix(':')?;
            Some(kind.of(Symbol::new(symbol).ok()?))
        })
    }
}

/// The topic string, for example `/contractMarket/level2:XBTUSDTM`.
impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind().prefix(), self.symbol())
    }
}

/// A channel without its symbol: topics of one kind share a subscribe frame.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum ChannelKind {
    Level2,
    TickerV2,
    Ticker,
    Execution,
}

/// Longest topic that is unescaped; one that needs no unescaping may be of any length.
const MAX_TOPIC: usize = 96;

pub(crate) const LEVEL2: &str = "/contractMarket/level2";
const TICKER_V2: &str = "/contractMarket/tickerV2";
const TICKER: &str = "/contractMarket/ticker";
const EXECUTION: &str = "/contractMarket/execution";

impl ChannelKind {
    const ALL: [Self; 4] = [Self::Level2, Self::TickerV2, Self::Ticker, Self::Execution];

    /// This channel of a contract.
    pub(crate) const fn of(self, symbol: Symbol) -> Channel {
        match self {
            Self::Level2 => Channel::Level2(symbol),
            Self::TickerV2 => Channel::TickerV2(symbol),
            Self::Ticker => Channel::Ticker(symbol),
            Self::Execution => Channel::Execution(symbol),
        }
    }

    pub(crate) const fn prefix(self) -> &'static str {
        match self {
            Self::Level2 => LEVEL2,
            Self::TickerV2 => TICKER_V2,
            Self::Ticker => TICKER,
            Self::Execution => EXECUTION,
        }
    }
}
