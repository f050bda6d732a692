//! Messages for the user that stand in a frame: handed out borrowed, decoded when wanted.

use crate::channel::Channel;
use crate::error::WireError;
use crate::ids::{RequestId, TopicId};
use crate::time::UnixNanos;
use crate::wire::{Contracts, Execution, Frame, MessageFrame, Ticker, TickerV2, parse_server_time};

/// A message as it lies in the caller's own buffer. Copies nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Push<'a> {
    tag: PushTag,
    bytes: &'a [u8],
}

/// What a message is, without its bytes: lets an adapter keep the frame and lend the push later.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PushTag(Kind);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Topic(TopicId),
    Reply(RequestId, Query),
}

/// Something to be asked for once, by [`Client::fetch`](crate::Client::fetch).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Query {
    /// The exchange's clock.
    ServerTime,
    /// All tradable contracts.
    Contracts,
}

/// A decoded message.
#[derive(Debug)]
#[non_exhaustive]
pub enum Message<'a> {
    /// Best bid and offer.
    TickerV2(TickerV2),
    /// Last trade with best bid and offer.
    Ticker(Ticker<'a>),
    /// A trade.
    Execution(Execution<'a>),
    /// The answer to [`Query::ServerTime`].
    ServerTime(UnixNanos),
    /// The answer to [`Query::Contracts`].
    Contracts(Contracts<'a>),
}

impl PushTag {
    /// The push that lies in `bytes`: the bytes of the input that gave this tag.
    #[must_use]
    pub const fn on(self, bytes: &[u8]) -> Push<'_> {
        Push { tag: self, bytes }
    }
}

impl<'a> Push<'a> {
    pub(crate) const fn new(kind: Kind, bytes: &'a [u8]) -> Self {
        Self { tag: PushTag(kind), bytes }
    }

    /// What it is, to be put on the bytes again later.
    #[must_use]
    pub const fn tag(&self) -> PushTag {
        self.tag
    }

    /// The topic it belongs to; `None` for the answer to a query.
    #[must_use]
    pub const fn topic(&self) -> Option<TopicId> {
        match self.tag.0 {
            Kind::Topic(topic) => Some(topic),
            Kind::Reply(..) => None,
        }
    }

    /// The query it answers; `None` for a message of a topic.
    #[must_use]
    pub const fn request(&self) -> Option<RequestId> {
        match self.tag.0 {
            Kind::Topic(_) => None,
            Kind::Reply(request, _) => Some(request),
        }
    }

    /// The whole frame or body.
    #[must_use]
    pub const fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Reads the message.
    ///
    /// # Errors
    /// Its fields are not what they should be. The envelope was checked before.
    pub fn decode(&self) -> Result<Message<'a>, WireError> {
        match self.tag.0 {
            Kind::Topic(_) => {
                let Frame::Message(message) = Frame::parse(self.bytes)? else {
                    return Err(WireError::Unexpected);
                };
                decode_message(message)
            }
            Kind::Reply(_, Query::ServerTime) => {
                parse_server_time(self.bytes).map(Message::ServerTime)
            }
            Kind::Reply(_, Query::Contracts) => {
                Contracts::parse(self.bytes).map(Message::Contracts)
            }
        }
    }
}

fn decode_message(frame: MessageFrame<'_>) -> Result<Message<'_>, WireError> {
    let channel = frame.channel().ok_or(WireError::Unexpected)?;
    let (message, symbol) = match channel {
        Channel::TickerV2(_) => {
            let ticker = TickerV2::parse(frame.data)?;
            (Message::TickerV2(ticker), ticker.symbol)
        }
        Channel::Ticker(_) => {
            let ticker = Ticker::parse(frame.data)?;
            (Message::Ticker(ticker), ticker.symbol)
        }
        Channel::Execution(_) => {
            let execution = Execution::parse(frame.data)?;
            (Message::Execution(execution), execution.symbol)
        }
        Channel::Level2(_) => return Err(WireError::Unexpected),
    };
    if symbol == channel.symbol() {
        Ok(message)
    } else {
        Err(WireError::Mismatch { field: "symbol" })
    }
}
