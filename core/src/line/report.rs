//! What a line reports to the client.

use crate::event::LineEvent;
use crate::ids::{TopicId, WordsId};

/// What a line reports to the client, who passes it on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum LineReport {
    /// For the user. With `Up` topics can be subscribed to; after `Down`, `Dropped` follows for each
    /// topic that the connection carried.
    Event(LineEvent),
    /// An attempt to connect begins with a token.
    NeedToken,
    /// The exchange confirmed a subscription, or had done so before.
    Confirmed(TopicId),
    /// A topic is not carried any more, because that was wanted.
    Ended(TopicId),
    /// A topic is not carried any more, because the connection is over.
    Dropped(TopicId),
    /// A topic cannot be had, for the reason that this code stands for and these words say.
    Rejected { topic: TopicId, code: u32, words: Option<WordsId> },
}
