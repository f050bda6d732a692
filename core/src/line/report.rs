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
    /// The exchange says with this code and in these words that a topic cannot be had. It is not carried any
    /// more, unless it is put off.
    Refused { topic: TopicId, code: u32, words: Option<WordsId> },
    /// The account cannot be used, as this code and these words say.
    LoginRefused { code: u32, words: Option<WordsId> },
    /// There is no room for a topic, as this code says.
    Rejected { topic: TopicId, code: u32, words: Option<WordsId> },
}
