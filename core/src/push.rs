//! Messages for the user that stand in a frame: handed out borrowed, decoded when wanted.

use serde::ser::{Serialize, SerializeStruct as _, Serializer};

use crate::error::WireError;
use crate::ids::{RequestId, TopicId};
use crate::message::Message;
use crate::query::Query;
use crate::wire::{Values, read_message};

/// A message as it lies in the caller's own buffer. Copies nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Push<'a> {
    tag: &'a PushTag,
    bytes: &'a [u8],
}

/// What a message is, without its bytes: lets an adapter keep the frame and lend the push later.
///
/// It holds the numbers of a message, and where its texts stand in the frame: some 100 bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PushTag(Kind);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Topic(TopicId, Kept),
    Reply(RequestId, Query),
}

/// What a message of a topic was found to say when it came, in a frame of what look; `None`: it is read
/// when it is asked for.
type Kept = Option<(Look, Result<Values, WireError>)>;

/// By what bytes are told from others: their number, and some of them. Whoever puts a tag on other
/// bytes than those it came with is found out, nearly always.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Look {
    len: u32,
    mix: u32,
}

impl PushTag {
    /// Of a message of a topic in a frame of these bytes.
    #[inline]
    pub(crate) fn of_topic(
        topic: TopicId,
        values: Option<Result<Values, WireError>>,
        bytes: &[u8],
    ) -> Self {
        Self(Kind::Topic(topic, values.map(|values| (Look::of(bytes), values))))
    }

    /// Of the reply to a query.
    pub(crate) const fn of_query(request: RequestId, query: Query) -> Self {
        Self(Kind::Reply(request, query))
    }

    /// The push that lies in `bytes`: the bytes of the input that gave this tag. On any others it
    /// decodes what they say, or, if they look very much alike, what it said.
    #[must_use]
    pub const fn on<'a>(&'a self, bytes: &'a [u8]) -> Push<'a> {
        Push { tag: self, bytes }
    }
}

impl<'a> Push<'a> {
    /// What it is, to be put on the bytes again later.
    #[must_use]
    pub const fn tag(&self) -> PushTag {
        *self.tag
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

    /// What was asked; `None` for a message of a topic.
    #[must_use]
    pub const fn query(&self) -> Option<Query> {
        match self.tag.0 {
            Kind::Topic(..) => None,
            Kind::Reply(_, query) => Some(query),
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
        match &self.tag.0 {
            Kind::Topic(_, Some((look, values))) if *look == Look::of(self.bytes) => {
                (*values)?.message(self.bytes)
            }
            Kind::Topic(..) => read_message(self.bytes),
            Kind::Reply(_, query) => query.decode(self.bytes),
        }
    }
}

/// As the name of what it belongs to and the whole frame or body; what it says follows from these.
impl Serialize for Push<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut parts = serializer.serialize_struct("Push", 3)?;
        parts.serialize_field("topic", &self.topic())?;
        parts.serialize_field("request", &self.request())?;
        parts.serialize_field("bytes", &Bytes(self.bytes))?;
        parts.end()
    }
}

/// In one piece, and not one by one.
struct Bytes<'a>(&'a [u8]);

impl Serialize for Bytes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self.0)
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
