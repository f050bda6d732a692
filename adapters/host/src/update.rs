//! What feeds hand out.

use bytes::Bytes;
use kucoin_futures_proto::wire::Delta;
use kucoin_futures_proto::{Book, Event, Push, PushTag, TopicId};

/// The next thing that happened. Lent: look at it before asking for the one after.
#[derive(Clone, Copy, Debug)]
#[allow(clippy::exhaustive_enums, reason = "a user should handle all three")]
pub enum Update<'a> {
    /// A live book changed by one level.
    Book(BookUpdate<'a>),
    /// Anything else that the core reports: lines going up and down, books becoming live and being
    /// lost, topics confirmed and refused. [`Feed::words`](crate::Feed::words) has what the exchange said.
    State(Event),
    /// A message of another channel, or the answer to a query.
    Push(Push<'a>),
}

/// One change of one live book.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct BookUpdate<'a> {
    /// Its topic.
    pub topic: TopicId,
    /// The change.
    pub delta: Delta,
    /// The book as it can be read now: at the delta's sequence or further. `None` if it has been
    /// lost meanwhile; the event that says so follows.
    pub book: Option<&'a Book>,
}

impl<'a> BookUpdate<'a> {
    pub(crate) const fn new(topic: TopicId, delta: Delta, book: Option<&'a Book>) -> Self {
        Self { topic, delta, book }
    }
}

/// The same as an [`Update`], to be kept: what iterators, streams and pumps yield. It holds no book;
/// ask whoever yielded it.
#[derive(Clone, Debug)]
#[allow(clippy::exhaustive_enums, reason = "a user should handle all three")]
pub enum Item {
    /// A live book changed by one level.
    Delta(TopicId, Delta),
    /// Anything else that the core reports, and what the exchange said about it, if it refused something:
    /// [`Client::words`](kucoin_futures_proto::Client::words).
    State(Event, Option<Box<str>>),
    /// A message of another channel, or the answer to a query.
    Push(Message),
}

/// A push with its bytes. Cheap to clone.
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    tag: PushTag,
    bytes: Bytes,
}

impl Message {
    pub(crate) const fn new(tag: PushTag, bytes: Bytes) -> Self {
        Self { tag, bytes }
    }

    /// The push that lies in it, to be decoded.
    #[must_use]
    pub fn push(&self) -> Push<'_> {
        self.tag.on(&self.bytes)
    }
}

impl std::fmt::Debug for Message {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.push().fmt(f)
    }
}
