//! What a caller tells the core, as a value.

use serde::{Deserialize, Serialize};

use crate::channel::Channel;
use crate::ids::TopicId;
use crate::query::Query;

/// A call of one of the client's commands, for [`Client::command`](crate::Client::command). With
/// [`Input`](crate::Input)s, and the times of both, this is all that a client can be told: a recorded session is a list
/// of them. Exhaustive for that reason.
///
/// ```
/// use kucoin_futures_proto::{Channel, Client, Command, Config, Instant};
/// let mut client = Client::new(Instant::ZERO, 42, Config::default());
/// let channel = Channel::level2("XBTUSDTM".parse()?);
/// client.command(Instant::ZERO, Command::Subscribe { channel })?;
/// assert!(client.poll_output().is_some(), "a token is asked for");
/// # Ok::<(), kucoin_futures_proto::Misuse>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case")]
#[allow(clippy::exhaustive_enums, reason = "a recording must be able to hold every command")]
pub enum Command {
    /// [`Client::subscribe`](crate::Client::subscribe).
    Subscribe {
        /// To this.
        channel: Channel,
    },
    /// [`Client::unsubscribe`](crate::Client::unsubscribe).
    Unsubscribe {
        /// From this.
        topic: TopicId,
    },
    /// [`Client::fetch`](crate::Client::fetch).
    Fetch {
        /// What is asked.
        query: Query,
    },
    /// [`Client::follow_account`](crate::Client::follow_account).
    FollowAccount,
    /// [`Client::unfollow_account`](crate::Client::unfollow_account).
    UnfollowAccount,
    /// [`Client::verify`](crate::Client::verify).
    Verify {
        /// The book of this.
        topic: TopicId,
    },
    /// [`Client::replace_lines`](crate::Client::replace_lines).
    ReplaceLines,
    /// [`Client::close`](crate::Client::close).
    Close,
}
