//! What the feeds of all adapters hand out.

use std::hash::{BuildHasher as _, Hasher as _};

use kucoin_futures_proto::wire::Delta;
use kucoin_futures_proto::{Book, Event, Push, TopicId};

/// The next thing that happened. Lent: look at it before asking for the one after.
#[derive(Clone, Copy, Debug)]
#[allow(clippy::exhaustive_enums, reason = "a user should handle all three")]
pub enum Update<'a> {
    /// A live book changed by one level.
    Book(BookUpdate<'a>),
    /// Anything else that the core reports: lines going up and down, books becoming live and being
    /// lost, topics confirmed and refused.
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
    /// For adapters.
    #[must_use]
    pub const fn new(topic: TopicId, delta: Delta, book: Option<&'a Book>) -> Self {
        Self { topic, delta, book }
    }
}

/// A seed from the operating system's randomness: for jitter and connect ids, not for secrets.
#[must_use]
pub fn random_seed() -> u64 {
    std::hash::RandomState::new().build_hasher().finish()
}
