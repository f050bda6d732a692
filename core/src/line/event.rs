//! What a line tells the client.

use core::time::Duration;

use crate::ids::{ConnId, TopicId};
use crate::output::{DisconnectReason, RestError};

/// What a line tells the client, who passes it on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum LineEvent {
    /// An attempt to connect begins with a token.
    NeedToken,
    /// There was none.
    TokenFailed(RestError),
    /// The welcome has come: topics can be subscribed to.
    Up(ConnId),
    /// A connection is over. `Dropped` follows for each topic that it carried.
    Down(ConnId, DisconnectReason),
    /// The next attempt has to wait.
    Waiting { delay: Duration, failures: u32 },
    /// The exchange confirmed a subscription, or had done so before.
    Confirmed(TopicId),
    /// A topic is not carried any more, because that was wanted.
    Ended(TopicId),
    /// A topic is not carried any more, because the connection is over.
    Dropped(TopicId),
    /// A topic cannot be had, for the reason that this code stands for.
    Rejected(TopicId, u32),
}
