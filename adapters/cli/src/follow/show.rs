//! What commands make of a feed.

use std::time::Duration;

use kucoin_futures_host::BookUpdate;
use kucoin_futures_proto::{
    Account, BookLostReason, Channel, Event, Instant, Message, Push, Query, TopicId, WireError,
};

use super::{Ctx, News};
use crate::exit::Failure;
use crate::feed::Feed;

/// What a command makes of the data; states are shown for all alike.
pub(crate) trait Show {
    /// Everything is subscribed, and nothing has come yet.
    fn begin(&mut self, _: &mut Ctx, _: &Feed) {}

    /// A live book changed.
    fn change(&mut self, _: &mut Ctx, _: &BookUpdate<'_>) -> Result<(), Failure> {
        Ok(())
    }

    /// A book became live, before anything in it changes.
    fn live(&mut self, _: &mut Ctx, _: TopicId, _: &Event, _: &Feed) -> Result<(), Failure> {
        Ok(())
    }

    /// A book is not live any more.
    fn lost(&mut self, _: &mut Ctx, _: TopicId, _: &BookLostReason) {}

    /// What is to be subscribed to now, for a command that does not want the same all the time; `None`: what is.
    fn wanted(&mut self, _: Instant) -> Option<Vec<Channel>> {
        None
    }

    /// A live book knows more than it did, of levels that did not change: whoever mirrors it takes it anew.
    fn widened(&mut self, _: &mut Ctx, _: TopicId, _: &Feed) -> Result<(), Failure> {
        Ok(())
    }

    /// Whatever else comes: what is told by the clock. Gives how long there is to wait for the next time.
    fn beat(&mut self, _: &mut Ctx, _: &Feed) -> Result<Option<Duration>, Failure> {
        Ok(None)
    }

    /// Nothing more has come for now: what was held back can be shown. Gives how long there is to
    /// wait for more of that.
    fn rest(&mut self, _: &mut Ctx, _: &Feed) -> Result<Option<Duration>, Failure> {
        Ok(None)
    }

    /// A change of state of a line, a topic, a book or the account, before it is printed.
    fn said(&mut self, _: &mut Ctx, _: &Event, _: &News) -> Result<(), Failure> {
        Ok(())
    }

    /// A message of a topic, or an answer, that cannot be read; [`missed`](Self::missed) or
    /// [`failed`](Self::failed) follows.
    fn unreadable(&mut self, _: &mut Ctx, _: &Push<'_>, _: WireError) {}

    /// A topic is carried from here on, for the first time or again: what was before can be asked for.
    fn confirmed(&mut self, _: &mut Ctx, _: Channel) {}

    /// Something of a topic may have been missed, or came and cannot be read: before what comes after it.
    fn missed(&mut self, _: &mut Ctx, _: Channel) {}

    /// What was asked is not answered.
    fn failed(&mut self, _: &mut Ctx, _: Query) {}

    /// Whether there is no use in going on.
    fn is_over(&self) -> bool {
        false
    }

    /// The account that is followed can be read, before anything in it changes.
    fn account(&mut self, _: &mut Ctx, _: &Account) -> Result<(), Failure> {
        Ok(())
    }

    /// A message came, or the answer to a query.
    fn message(&mut self, _: &mut Ctx, _: &Push<'_>, _: &Message<'_>) -> Result<(), Failure> {
        Ok(())
    }
}
