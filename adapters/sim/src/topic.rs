//! The table of channels: what their topics look like, and who may listen.

use std::fmt;
use std::str::FromStr;

use kucoin_futures_proto::{Channel, Symbol};

use crate::interval::Interval;

/// A channel that is pushed here.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Feed {
    Level2,
    Depth5,
    Depth50,
    TickerV2,
    Ticker,
    Execution,
    Instrument,
    Announcement,
    Snapshot,
    Candle,
    TradeOrders,
    AdvancedOrders,
    Wallet,
    Position,
    PositionAll,
    MarginMode,
    CrossLeverage,
}

/// What follows the prefix of a channel's topics.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Keys {
    /// `:XBTUSDTM`, always.
    Symbol,
    /// `:XBTUSDTM_1min`, always.
    Candle,
    /// Nothing.
    Nothing,
    /// Nothing, or `:XBTUSDTM`.
    Either,
}

struct Row {
    prefix: &'static str,
    keys: Keys,
    /// Only for whoever has logged in.
    private: bool,
}

const fn public(prefix: &'static str, keys: Keys) -> Row {
    Row { prefix, keys, private: false }
}

const fn private(prefix: &'static str, keys: Keys) -> Row {
    Row { prefix, keys, private: true }
}

impl Feed {
    const ALL: [Self; 17] = [
        Self::Level2,
        Self::Depth5,
        Self::Depth50,
        Self::TickerV2,
        Self::Ticker,
        Self::Execution,
        Self::Instrument,
        Self::Announcement,
        Self::Snapshot,
        Self::Candle,
        Self::TradeOrders,
        Self::AdvancedOrders,
        Self::Wallet,
        Self::Position,
        Self::PositionAll,
        Self::MarginMode,
        Self::CrossLeverage,
    ];

    const fn row(self) -> Row {
        match self {
            Self::Level2 => public("/contractMarket/level2", Keys::Symbol),
            Self::Depth5 => public("/contractMarket/level2Depth5", Keys::Symbol),
            Self::Depth50 => public("/contractMarket/level2Depth50", Keys::Symbol),
            Self::TickerV2 => public("/contractMarket/tickerV2", Keys::Symbol),
            Self::Ticker => public("/contractMarket/ticker", Keys::Symbol),
            Self::Execution => public("/contractMarket/execution", Keys::Symbol),
            Self::Instrument => public("/contract/instrument", Keys::Symbol),
            // Some documents name it with symbols, some without: both work.
            Self::Announcement => public("/contract/announcement", Keys::Either),
            Self::Snapshot => public("/contractMarket/snapshot", Keys::Symbol),
            Self::Candle => public("/contractMarket/limitCandle", Keys::Candle),
            Self::TradeOrders => private("/contractMarket/tradeOrders", Keys::Either),
            Self::AdvancedOrders => private("/contractMarket/advancedOrders", Keys::Nothing),
            Self::Wallet => private("/contractAccount/wallet", Keys::Nothing),
            Self::Position => private("/contract/position", Keys::Symbol),
            Self::PositionAll => private("/contract/positionAll", Keys::Nothing),
            Self::MarginMode => private("/contract/marginMode", Keys::Nothing),
            Self::CrossLeverage => private("/contract/crossLeverage", Keys::Nothing),
        }
    }

    pub(crate) const fn prefix(self) -> &'static str {
        self.row().prefix
    }

    pub(crate) const fn is_private(self) -> bool {
        self.row().private
    }
}

/// What a topic of a channel is about.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Key {
    /// Everything.
    All,
    One(Symbol),
    Candle(Symbol, Interval),
}

/// One thing that a session may listen to: a topic string of one key, such as `/contractMarket/level2:XBTUSDTM`.
///
/// ```
/// use kucoin_futures_proto::Channel;
/// use kucoin_futures_sim::Topic;
/// let topic: Topic = "/contractMarket/level2Depth5:XBTUSDTM".parse()?;
/// assert_eq!(topic.symbol().unwrap().as_str(), "XBTUSDTM");
/// assert_eq!(topic.depth(), Some(5));
/// assert_eq!(Topic::of(Channel::depth5("XBTUSDTM".parse().unwrap())), Some(topic));
/// # Ok::<(), kucoin_futures_sim::TopicError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Topic {
    pub(crate) feed: Feed,
    pub(crate) key: Key,
}

/// Why a topic string names nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum BadTopic {
    /// No channel has that name, or it does not take a key, or needs one.
    Unknown,
    /// A symbol or an interval is none.
    Malformed,
    /// More keys than may be named at a time.
    TooMany,
}

impl Topic {
    /// A channel as a whole.
    pub(crate) const fn all(feed: Feed) -> Self {
        Self { feed, key: Key::All }
    }

    /// A channel of one symbol.
    pub(crate) const fn one(feed: Feed, symbol: Symbol) -> Self {
        Self { feed, key: Key::One(symbol) }
    }

    pub(crate) const fn candle(symbol: Symbol, interval: Interval) -> Self {
        Self { feed: Feed::Candle, key: Key::Candle(symbol, interval) }
    }

    /// That of a client's channel; `None` if it is not known here.
    #[must_use]
    pub fn of(channel: Channel) -> Option<Self> {
        channel.to_string().parse().ok()
    }

    /// How many levels a side it shows, if it shows the best ones of a book: 5 or 50.
    #[must_use]
    pub const fn depth(&self) -> Option<usize> {
        match self.feed {
            Feed::Depth5 => Some(5),
            Feed::Depth50 => Some(50),
            _ => None,
        }
    }

    /// The symbol that it is about, if it is about one.
    #[must_use]
    pub const fn symbol(&self) -> Option<Symbol> {
        match self.key {
            Key::All => None,
            Key::One(symbol) | Key::Candle(symbol, _) => Some(symbol),
        }
    }

    /// The channel that a topic string names, before its keys are looked at.
    pub(crate) fn feed_of(text: &str) -> Option<Feed> {
        let prefix = text.split_once(':').map_or(text, |(prefix, _)| prefix);
        Feed::ALL.into_iter().find(|feed| feed.prefix() == prefix)
    }

    /// Reads a topic string, which may name several keys: `prefix:A,B`.
    pub(crate) fn read_list(text: &str, most: usize) -> Result<Vec<Self>, BadTopic> {
        let feed = Self::feed_of(text).ok_or(BadTopic::Unknown)?;
        let list = text.split_once(':').map(|(_, list)| list);
        let (keys, list) = match (feed.row().keys, list) {
            (Keys::Nothing | Keys::Either, None) => return Ok(vec![Self::all(feed)]),
            (Keys::Nothing, Some(_)) | (Keys::Symbol | Keys::Candle, None) => {
                return Err(BadTopic::Unknown);
            }
            (keys, Some(list)) => (keys, list),
        };
        let words: Vec<&str> = list.split(',').collect();
        if words.len() > most {
            return Err(BadTopic::TooMany);
        }
        let read = |word: &str| match keys {
            Keys::Candle => {
                let (symbol, interval) = word.rsplit_once('_')?;
                Some(Self::candle(symbol.parse().ok()?, Interval::named(interval)?))
            }
            _ => Some(Self::one(feed, word.parse().ok()?)),
        };
        words.into_iter().map(read).collect::<Option<Vec<_>>>().ok_or(BadTopic::Malformed)
    }
}

/// A topic string that names nothing, or several things at a time.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("this names no single topic of the exchange's")]
#[non_exhaustive]
pub struct TopicError;

impl FromStr for Topic {
    type Err = TopicError;

    fn from_str(text: &str) -> Result<Self, TopicError> {
        let list = Self::read_list(text, 1).map_err(|_| TopicError)?;
        list.into_iter().next().ok_or(TopicError)
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let prefix = self.feed.prefix();
        match self.key {
            Key::All => f.write_str(prefix),
            Key::One(symbol) => write!(f, "{prefix}:{symbol}"),
            Key::Candle(symbol, interval) => write!(f, "{prefix}:{symbol}_{}", interval.name()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topic_strings_go_there_and_back() {
        for text in [
            "/contractMarket/level2Depth50:XBTUSDTM",
            "/contractMarket/limitCandle:10PEPEUSDTM_1month",
            "/contract/announcement",
            "/contract/announcement:XBTUSDTM",
            "/contract/positionAll",
        ] {
            let [topic] = Topic::read_list(text, 100).unwrap().try_into().unwrap();
            assert_eq!(topic.to_string(), text);
        }
        let two = Topic::read_list("/contractMarket/limitCandle:A_1min,B_1hour", 2).unwrap();
        assert_eq!(two.last().unwrap().to_string(), "/contractMarket/limitCandle:B_1hour");
    }

    #[test]
    fn what_names_nothing_is_told_apart() {
        for (text, bad) in [
            ("/contractMarket/level2Depth20:A", BadTopic::Unknown),
            ("/contractMarket/level2", BadTopic::Unknown),
            ("/contractAccount/wallet:A", BadTopic::Unknown),
            ("/contractMarket/level2:A,", BadTopic::Malformed),
            ("/contractMarket/limitCandle:A_2min", BadTopic::Malformed),
            ("/contractMarket/limitCandle:A", BadTopic::Malformed),
            ("/contractMarket/level2:A,B,C", BadTopic::TooMany),
        ] {
            assert_eq!(Topic::read_list(text, 2), Err(bad), "{text}");
        }
    }
}
