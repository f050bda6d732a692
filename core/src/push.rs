//! Messages for the user that stand in a frame: handed out borrowed, decoded when wanted.

use crate::error::WireError;
use crate::ids::{RequestId, TopicId};
use crate::time::UnixNanos;
use crate::wire::{
    Contracts, Decoded, Execution, Ticker, TickerV2, parse_server_time, read_message,
};

/// A message as it lies in the caller's own buffer. Copies nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Push<'a> {
    tag: PushTag,
    bytes: &'a [u8],
}

/// What a message is, without its bytes: lets an adapter keep the frame and lend the push later.
///
/// It holds the numbers of a message, and where its texts stand in the frame: some 100 bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PushTag(Kind);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Topic(TopicId, Said),
    Reply(RequestId, Query),
}

/// What a message of a topic was found to say when it came.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Said {
    /// So far nothing: it is read when it is asked for.
    Unread,
    /// This, in a frame of that look.
    Read(Look, Result<Decoded, WireError>),
}

/// By what bytes are told from others: their number, and some of them. Whoever puts a tag on other
/// bytes than those it came with is found out, nearly always.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Look {
    len: u32,
    mix: u32,
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
    /// The push that lies in `bytes`: the bytes of the input that gave this tag. On any others it
    /// decodes what they say, or, if they look very much alike, what it said.
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
            Kind::Topic(topic, _) => Some(topic),
            Kind::Reply(..) => None,
        }
    }

    /// The query it answers; `None` for a message of a topic.
    #[must_use]
    pub const fn request(&self) -> Option<RequestId> {
        match self.tag.0 {
            Kind::Topic(..) => None,
            Kind::Reply(request, _) => Some(request),
        }
    }

    /// The whole frame or body.
    #[must_use]
    pub const fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The message. One of a topic was read when it came; this only puts it together.
    ///
    /// # Errors
    /// Its fields are not what they should be. The envelope was checked before.
    #[inline]
    pub fn decode(&self) -> Result<Message<'a>, WireError> {
        match self.tag.0 {
            Kind::Topic(_, said) => said.message(self.bytes),
            Kind::Reply(_, Query::ServerTime) => {
                parse_server_time(self.bytes).map(Message::ServerTime)
            }
            Kind::Reply(_, Query::Contracts) => {
                Contracts::parse(self.bytes).map(Message::Contracts)
            }
        }
    }
}

impl Said {
    /// Keeps what was read out of these bytes.
    #[inline]
    pub(crate) fn of(bytes: &[u8], read: Result<Decoded, WireError>) -> Self {
        Self::Read(Look::of(bytes), read)
    }

    /// The same of a message that was not read in one go.
    pub(crate) fn again(bytes: &[u8], read: Result<Message<'_>, WireError>) -> Self {
        match read.map(|message| Decoded::of(&message, bytes)) {
            Ok(Some(decoded)) => Self::of(bytes, Ok(decoded)),
            Ok(None) => Self::Unread,
            Err(error) => Self::of(bytes, Err(error)),
        }
    }

    #[inline]
    fn message(self, bytes: &[u8]) -> Result<Message<'_>, WireError> {
        match self {
            Self::Read(look, read) if look == Look::of(bytes) => {
                read?.message(bytes).ok_or(WireError::Unexpected)
            }
            Self::Read(..) | Self::Unread => read_message(bytes),
        }
    }
}

impl Look {
    #[inline]
    fn of(bytes: &[u8]) -> Self {
        // The ends, and the middle: sequence and time differ from message to message.
        let first = bytes.first_chunk().copied().map_or(0, u64::from_le_bytes);
        let last = bytes.last_chunk().copied().map_or(0, u64::from_le_bytes);
        let (_, second) = bytes.split_at_checked(bytes.len() / 2).unwrap_or_default();
        let middle = second.first_chunk().copied().map_or(0, u64::from_le_bytes);
        let mix = (first ^ last.rotate_left(17) ^ middle.rotate_left(31))
            .wrapping_mul(0x9e37_79b9_7f4a_7c15);
        Self { len: bytes.len() as u32, mix: (mix >> 32) as u32 }
    }
}
