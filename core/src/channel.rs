//! What can be subscribed to. A channel is a row of one table and a decoder in `wire`.

use alloc::boxed::Box;
use core::fmt;
use core::str::FromStr;

use crate::error::{Misuse, WireError};
use crate::ids::Symbol;
use crate::message::Message;
use crate::text_serde::serde_as_text;
use crate::wire::{
    BalanceUpdate, CandleUpdate, CrossLeverages, Data, Depth, Execution, Fields, FundingRate,
    FundingSettlement, Interval, Kept, Key, MarginModes, MarkPrice, OrderUpdate,
    PositionSettlement, PositionUpdate, RiskLimitUpdate, Stats24h, StopOrderUpdate, Text, Ticker,
    TickerV2, WalletUpdate, depth, execution, skip_object, ticker,
};

/// A channel of one contract, of one contract and interval, or of everything there is.
///
/// ```
/// use kucoin_futures_proto::{Channel, ChannelKind, Interval};
/// let channel = Channel::level2("XBTUSDTM".parse()?);
/// assert_eq!(channel.to_string(), "/contractMarket/level2:XBTUSDTM");
/// let candles = Channel::candles("XBTUSDTM".parse()?, Interval::Hour1);
/// assert_eq!(candles.to_string(), "/contractMarket/limitCandle:XBTUSDTM_1hour");
/// assert_eq!(Channel::orders().kind(), ChannelKind::Orders);
/// assert!(Channel::orders().is_private());
/// assert_eq!("/contractMarket/level2:XBTUSDTM".parse(), Ok(channel));
/// # Ok::<(), kucoin_futures_proto::Misuse>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Channel {
    kind: ChannelKind,
    key: ChannelKey,
}

/// Which of the topics of a kind.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[non_exhaustive]
pub enum ChannelKey {
    /// The only one.
    All,
    /// That of a contract.
    Symbol(Symbol),
    /// The candles of a contract of this length.
    Candle(Symbol, Interval),
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
    /// Each is handed out as it comes: they have no sequence.
    Pass,
}

/// Who may hear a channel.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Access {
    Public,
    /// The owner of an account.
    Private,
}

/// What follows the prefix of a topic.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Shape {
    /// Nothing.
    All,
    /// A colon and a symbol.
    Symbol,
    /// A colon, a symbol, an underscore and an interval.
    Candle,
}

/// All there is to know of a channel.
struct Row {
    /// Its topics, up to the colon.
    prefix: &'static str,
    access: Access,
    shape: Shape,
    delivery: Delivery,
    /// What its messages are about, each read in its own way. A channel with one, or with two names of one, takes
    /// a message that says none for that.
    subjects: &'static [(&'static str, Read)],
}

/// Walks over data that begins at a place in a frame and says where it ends; keeps what it says if that is little.
/// `None` says nothing.
pub(crate) type Skim = fn(&[u8], usize, &mut Option<Kept>) -> Option<usize>;

/// Walks over the data, which is read when it is asked for.
macro_rules! skip {
    ($data:ident) => {
        |bytes, at, _| $data::skip(bytes, at)
    };
}

/// Reads the data, and keeps it.
macro_rules! keep {
    ($data:ident) => {
        |bytes, at, kept| match $data::in_place(bytes, at) {
            Some((data, end)) => {
                *kept = (&data).into();
                Some(end)
            }
            None => $data::skip(bytes, at),
        }
    };
}

/// Puts the data of a message together.
#[derive(Clone, Copy)]
pub(crate) enum Read {
    /// A change of a book.
    Delta,
    /// A ticker, a trade or a depth, from the keys that these share, when it comes: what it says is kept.
    Fields(&'static [Key], for<'a> fn(&Fields<'a>) -> Result<Message<'a>, WireError>),
    /// Everything else: what its data says when it comes, and where that ends, and the message when it is asked
    /// for.
    Data(Skim, for<'a> fn(&Data<'a>) -> Result<Message<'a>, WireError>),
}

macro_rules! channels {
    ($(
        $(#[$doc:meta])*
        $kind:ident, $new:ident, $access:ident $shape:ident, $topic:literal, $delivery:ident,
        [$($subject:literal => $read:expr),+];
    )*) => {
        /// A channel without its key: topics of one kind share a subscribe frame.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        #[non_exhaustive]
        pub enum ChannelKind {
            $($(#[$doc])* $kind),*
        }

        impl ChannelKind {
            /// Every kind there is.
            pub const ALL: &[Self] = &[$(Self::$kind),*];

            const fn row(self) -> &'static Row {
                match self {
                    $(Self::$kind => &Row {
                        prefix: $topic,
                        access: Access::$access,
                        shape: Shape::$shape,
                        delivery: Delivery::$delivery,
                        subjects: &[$(($subject, $read)),+],
                    }),*
                }
            }
        }

        impl Channel {
            $(constructor! { $shape, $kind, $new, $(#[$doc])* })*
        }
    };
}

macro_rules! constructor {
    (All, $kind:ident, $new:ident, $(#[$doc:meta])*) => {
        $(#[$doc])*
        #[must_use]
        pub const fn $new() -> Self {
            Self { kind: ChannelKind::$kind, key: ChannelKey::All }
        }
    };
    (Symbol, $kind:ident, $new:ident, $(#[$doc:meta])*) => {
        $(#[$doc])*
        #[must_use]
        pub const fn $new(symbol: Symbol) -> Self {
            Self { kind: ChannelKind::$kind, key: ChannelKey::Symbol(symbol) }
        }
    };
    (Candle, $kind:ident, $new:ident, $(#[$doc:meta])*) => {
        $(#[$doc])*
        #[must_use]
        pub const fn $new(symbol: Symbol, interval: Interval) -> Self {
            Self { kind: ChannelKind::$kind, key: ChannelKey::Candle(symbol, interval) }
        }
    };
}

/// The subjects of both channels of positions.
const POSITION_CHANGE: Read = Read::Data(skip!(PositionUpdate), |data| {
    let mut position = PositionUpdate::parse(data.bytes)?;
    data.fill(&mut position.symbol)?;
    Ok(Message::Position(Box::new(position)))
});
const POSITION_SETTLEMENT: Read = Read::Data(skip!(PositionSettlement), |data| {
    let mut settlement = PositionSettlement::parse(data.bytes)?;
    data.fill(&mut settlement.symbol)?;
    Ok(Message::PositionSettlement(settlement))
});
const RISK_LIMIT: Read = Read::Data(skip!(RiskLimitUpdate), |data| {
    let mut update = RiskLimitUpdate::parse(data.bytes)?;
    data.fill(&mut update.symbol)?;
    Ok(Message::RiskLimit(update))
});
/// The subjects of both channels of announcements.
const FUNDING_BEGIN: Read =
    Read::Data(skip!(FundingSettlement), |data| settlement(data).map(Message::FundingBegin));
const FUNDING_END: Read =
    Read::Data(skip!(FundingSettlement), |data| settlement(data).map(Message::FundingEnd));
/// The subjects of both channels of orders: each is taken under either topic.
const ORDER: Read = Read::Data(skip!(OrderUpdate), |data| {
    let order = OrderUpdate::parse(data.bytes)?;
    data.check(order.symbol)?;
    Ok(Message::Order(order))
});
/// The older subjects of the wallet.
const BALANCE: Read =
    Read::Data(skip!(BalanceUpdate), |data| BalanceUpdate::parse(data.bytes).map(Message::Balance));

fn settlement(data: &Data<'_>) -> Result<FundingSettlement, WireError> {
    let mut settlement = FundingSettlement::parse(data.bytes)?;
    data.fill(&mut settlement.symbol)?;
    Ok(settlement)
}

channels! {
    /// Every change of every price level: the source of the [`Book`](crate::Book).
    Level2, level2, Public Symbol, "/contractMarket/level2", Book, ["level2" => Read::Delta];
    /// Best bid and offer in real time: [`Message::TickerV2`].
    TickerV2, ticker_v2, Public Symbol, "/contractMarket/tickerV2", Latest,
        ["tickerV2" => Read::Fields(&ticker::V2_KEYS, |fields| {
            TickerV2::assemble(fields).map(Message::TickerV2)
        })];
    /// Last trade with best bid and offer, once per trade; the exchange advises the other two:
    /// [`Message::Ticker`].
    Ticker, ticker, Public Symbol, "/contractMarket/ticker", Latest,
        ["ticker" => Read::Fields(&ticker::V1_KEYS, |fields| {
            Ticker::assemble(fields).map(Message::Ticker)
        })];
    /// The best five levels of both sides, whole, at most every 100 ms by the documentation:
    /// [`Message::Depth5`].
    Depth5, depth5, Public Symbol, "/contractMarket/level2Depth5", Latest,
        ["level2" => Read::Fields(&depth::KEYS, |fields| {
            Depth::assemble(fields).map(Message::Depth5)
        })];
    /// The best fifty levels of both sides, whole, at most every 100 ms by the documentation:
    /// [`Message::Depth50`].
    Depth50, depth50, Public Symbol, "/contractMarket/level2Depth50", Latest,
        ["level2" => Read::Fields(&depth::KEYS, |fields| {
            Depth::assemble(fields).map(Message::Depth50)
        })];
    /// Every trade: [`Message::Execution`].
    Execution, execution, Public Symbol, "/contractMarket/execution", EachOnce,
        ["match" => Read::Fields(&execution::KEYS, |fields| {
            Execution::assemble(fields).map(Message::Execution)
        })];
    /// Mark and index price each second, the running estimate of the funding rate each minute:
    /// [`Message::MarkPrice`], [`Message::FundingRate`].
    Instrument, instrument, Public Symbol, "/contract/instrument", Pass,
        ["mark.index.price" => Read::Data(keep!(MarkPrice), |data| {
            let mut mark = MarkPrice::parse(data.bytes)?;
            data.fill(&mut mark.symbol)?;
            Ok(Message::MarkPrice(mark))
        }), "funding.rate" => Read::Data(skip!(FundingRate), |data| {
            let mut rate = FundingRate::parse(data.bytes)?;
            data.fill(&mut rate.symbol)?;
            Ok(Message::FundingRate(rate))
        })];
    /// Settlements of funding of all contracts: [`Message::FundingBegin`], [`Message::FundingEnd`].
    Announcements, announcements, Public All, "/contract/announcement", Pass,
        ["funding.begin" => FUNDING_BEGIN, "funding.end" => FUNDING_END];
    /// The same of one contract.
    AnnouncementsOf, announcements_of, Public Symbol, "/contract/announcement", Pass,
        ["funding.begin" => FUNDING_BEGIN, "funding.end" => FUNDING_END];
    /// Figures of the last 24 h, every 5 s: [`Message::Stats24h`].
    Stats24h, stats_24h, Public Symbol, "/contractMarket/snapshot", Pass,
        ["snapshot.24h" => Read::Data(skip!(Stats24h), |data| {
            let mut stats = Stats24h::parse(data.bytes)?;
            data.fill(&mut stats.symbol)?;
            Ok(Message::Stats24h(stats))
        })];
    /// Candles as they grow, once a second while there are trades: [`Message::Candle`].
    Candles, candles, Public Candle, "/contractMarket/limitCandle", Pass,
        ["candle.stick" => Read::Data(keep!(CandleUpdate), |data| {
            let mut candle = CandleUpdate::parse(data.bytes)?;
            data.check(candle.symbol)?;
            candle.interval = data.channel.interval();
            Ok(Message::Candle(candle))
        })];
    /// What becomes of the account's orders, of all contracts: [`Message::Order`].
    Orders, orders, Private All, "/contractMarket/tradeOrders", Pass,
        ["orderChange" => ORDER, "symbolOrderChange" => ORDER];
    /// The same of one contract.
    OrdersOf, orders_of, Private Symbol, "/contractMarket/tradeOrders", Pass,
        ["symbolOrderChange" => ORDER, "orderChange" => ORDER];
    /// What becomes of the account's stop orders: [`Message::StopOrder`].
    StopOrders, stop_orders, Private All, "/contractMarket/advancedOrders", Pass,
        ["stopOrder" => Read::Data(skip!(StopOrderUpdate), |data| {
            StopOrderUpdate::parse(data.bytes).map(Message::StopOrder)
        })];
    /// The account's balances: [`Message::Wallet`], and [`Message::Balance`] until the first switch to cross
    /// margin.
    Wallet, wallet, Private All, "/contractAccount/wallet", Pass,
        ["walletBalance.change" => Read::Data(skip!(WalletUpdate), |data| {
            WalletUpdate::parse(data.bytes).map(Box::new).map(Message::Wallet)
        }), "orderMargin.change" => BALANCE, "availableBalance.change" => BALANCE,
            "withdrawHold.change" => BALANCE];
    /// The account's positions, of all contracts: [`Message::Position`], [`Message::PositionSettlement`],
    /// [`Message::RiskLimit`].
    Positions, positions, Private All, "/contract/positionAll", Pass,
        ["position.change" => POSITION_CHANGE, "position.settlement" => POSITION_SETTLEMENT,
            "position.adjustRiskLimit" => RISK_LIMIT];
    /// The same of one contract.
    PositionsOf, positions_of, Private Symbol, "/contract/position", Pass,
        ["position.change" => POSITION_CHANGE, "position.settlement" => POSITION_SETTLEMENT,
            "position.adjustRiskLimit" => RISK_LIMIT];
    /// The margin mode of contracts, when it is switched: [`Message::MarginModes`].
    MarginModes, margin_modes, Private All, "/contract/marginMode", Pass,
        ["user.config" => Read::Data(|bytes, at, _| skip_object(bytes, at), |data| {
            MarginModes::parse(data.bytes).map(Message::MarginModes)
        })];
    /// The leverage of contracts with cross margin, when it is changed: [`Message::CrossLeverages`].
    CrossLeverages, cross_leverages, Private All, "/contract/crossLeverage", Pass,
        ["user.config" => Read::Data(|bytes, at, _| skip_object(bytes, at), |data| {
            CrossLeverages::parse(data.bytes).map(Message::CrossLeverages)
        })];
}

impl FromStr for Channel {
    type Err = Misuse;

    fn from_str(topic: &str) -> Result<Self, Misuse> {
        Self::from_bytes(topic.as_bytes()).ok_or(Misuse::InvalidTopic)
    }
}

serde_as_text!(Channel, "a topic");

/// Longest topic that is unescaped; one that needs no unescaping may be of any length.
const MAX_TOPIC: usize = 96;

impl Channel {
    /// The topic of a kind with this key; `None` if the kind has no such topics.
    #[must_use]
    pub const fn new(kind: ChannelKind, key: ChannelKey) -> Option<Self> {
        match (kind.row().shape, key) {
            (Shape::All, ChannelKey::All)
            | (Shape::Symbol, ChannelKey::Symbol(_))
            | (Shape::Candle, ChannelKey::Candle(..)) => Some(Self { kind, key }),
            _ => None,
        }
    }

    /// Which channel, of whatever contract.
    #[must_use]
    pub const fn kind(&self) -> ChannelKind {
        self.kind
    }

    /// Which of the kind's topics.
    #[must_use]
    pub const fn key(&self) -> ChannelKey {
        self.key
    }

    /// The contract, if it is of one.
    #[must_use]
    pub const fn symbol(&self) -> Option<Symbol> {
        match self.key {
            ChannelKey::All => None,
            ChannelKey::Symbol(symbol) | ChannelKey::Candle(symbol, _) => Some(symbol),
        }
    }

    /// The length of its candles, if it has some.
    #[must_use]
    pub const fn interval(&self) -> Option<Interval> {
        match self.key {
            ChannelKey::Candle(_, interval) => Some(interval),
            ChannelKey::All | ChannelKey::Symbol(_) => None,
        }
    }

    /// Whether it needs an account.
    #[must_use]
    pub const fn is_private(&self) -> bool {
        self.kind.is_private()
    }

    /// The channel that a pushed topic belongs to.
    pub(crate) fn from_text(topic: Text<'_>) -> Option<Self> {
        let mut room = [0; MAX_TOPIC];
        Self::from_bytes(topic.resolve(&mut room)?.as_bytes())
    }

    /// The same of a topic without escapes.
    pub(crate) fn from_bytes(topic: &[u8]) -> Option<Self> {
        // Asked for more often than all others together.
        if let Some(rest) = topic.strip_prefix(ChannelKind::Level2.prefix().as_bytes())
            && let Some(symbol) = rest.strip_prefix(b":")
        {
            let key = ChannelKey::Symbol(Symbol::of_bytes(symbol)?);
            return Some(Self { kind: ChannelKind::Level2, key });
        }
        let (prefix, key) = match topic.iter().position(|&byte| byte == b':') {
            Some(colon) => (topic.get(..colon)?, topic.get(colon.wrapping_add(1)..)),
            None => (topic, None),
        };
        let is_it = |kind: &&ChannelKind| kind.prefix().as_bytes() == prefix;
        ChannelKind::ALL.iter().filter(is_it).find_map(|&kind| {
            let key = match (kind.row().shape, key) {
                (Shape::All, None) => ChannelKey::All,
                (Shape::Symbol, Some(symbol)) => ChannelKey::Symbol(Symbol::of_bytes(symbol)?),
                (Shape::Candle, Some(key)) => {
                    let (symbol, interval) = core::str::from_utf8(key).ok()?.rsplit_once('_')?;
                    ChannelKey::Candle(Symbol::new(symbol).ok()?, interval.parse().ok()?)
                }
                _ => return None,
            };
            Some(Self { kind, key })
        })
    }

    /// The channel of everything that has the messages of this one, too. The exchange was seen to push what is
    /// of one contract under a topic of it to those who asked for all.
    #[allow(clippy::wildcard_enum_match_arm, reason = "the others are of all or of one")]
    pub(crate) const fn of_all(&self) -> Option<Self> {
        let kind = match self.kind {
            ChannelKind::AnnouncementsOf => ChannelKind::Announcements,
            ChannelKind::OrdersOf => ChannelKind::Orders,
            ChannelKind::PositionsOf => ChannelKind::Positions,
            _ => return None,
        };
        Some(Self { kind, key: ChannelKey::All })
    }

    /// Puts the data of a message together that was read by its keys. Topic and data have to speak of the same
    /// contract.
    pub(crate) fn assemble<'a>(
        &self,
        read: for<'b> fn(&Fields<'b>) -> Result<Message<'b>, WireError>,
        fields: &Fields<'a>,
    ) -> Result<Message<'a>, WireError> {
        let message = read(fields)?;
        // planted: data-of-another
        match (message.symbol(), self.symbol()) {
            (Some(said), Some(symbol)) if said != symbol => {
                Err(WireError::Mismatch { field: "symbol" })
            }
            _ => Ok(message),
        }
    }

    /// How to read a message about this; `None` if no version of the exchange that is known says such a thing.
    pub(crate) fn reader(&self, subject: Option<Text<'_>>) -> Option<Read> {
        match subject {
            Some(subject) if subject.plain().is_none() => {
                let subjects = self.kind.row().subjects;
                subjects.iter().find(|(known, _)| subject.is(known)).map(|(_, read)| *read)
            }
            subject => self.kind.reader(subject.map(|subject| subject.raw().as_bytes())),
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

    /// The same for a subject without escapes.
    #[inline]
    pub(crate) fn reader(self, subject: Option<&[u8]>) -> Option<Read> {
        let subjects = self.row().subjects;
        // planted: subject-guessed
        match (subject, subjects) {
            (None, [(_, read)]) => Some(*read),
            // Both of their subjects say the same.
            (None, [(_, read), _]) if matches!(self, Self::Orders | Self::OrdersOf) => Some(*read),
            (None, _) => None,
            (Some(subject), _) => {
                let is_it = |(known, _): &&(&str, Read)| known.as_bytes() == subject;
                subjects.iter().find(is_it).map(|(_, read)| *read)
            }
        }
    }

    /// The keys that its data is read from when it comes.
    pub(crate) const fn keys(self) -> &'static [Key] {
        match self.row().subjects {
            [(_, Read::Fields(keys, _)), ..] => keys,
            _ => &[],
        }
    }

    /// How to walk over its data when it comes, if that is not read from its keys: by the keys of what its messages are
    /// about first, and by any others.
    pub(crate) const fn skim(self) -> Option<Skim> {
        match self.row().subjects {
            [(_, Read::Data(skim, _)), ..] => Some(*skim),
            _ => None,
        }
    }

    /// Whether a message is about the first of what it has messages about.
    pub(crate) fn is_first(self, subject: Option<&[u8]>) -> bool {
        match (subject, self.row().subjects) {
            (Some(subject), [(first, _), ..]) => subject == first.as_bytes(),
            (None, subjects) => subjects.len() == 1,
            (Some(_), []) => false,
        }
    }

    /// Whether it needs an account.
    #[must_use]
    pub const fn is_private(self) -> bool {
        matches!(self.row().access, Access::Private)
    }
}

impl ChannelKey {
    /// What stands behind the prefix and the colon of a topic; nothing for everything.
    pub(crate) fn write(&self, out: &mut impl fmt::Write) -> fmt::Result {
        match self {
            Self::All => Ok(()),
            Self::Symbol(symbol) => write!(out, "{symbol}"),
            Self::Candle(symbol, interval) => write!(out, "{symbol}_{interval}"),
        }
    }
}

/// The topic string, for example `/contractMarket/level2:XBTUSDTM`.
impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.prefix())?;
        if self.key != ChannelKey::All {
            f.write_str(":")?;
        }
        self.key.write(f)
    }
}
