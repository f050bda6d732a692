//! A feed as a stream: it cannot lend, so what it yields is owned.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use kucoin_futures_host::Item;
use kucoin_futures_proto::{Book, TopicId};

use crate::feed::Feed;

/// Yields what happens, one owned [`Item`] after the other, until the feed is closed.
#[derive(Debug)]
pub struct Items {
    feed: Feed,
}

impl Items {
    pub(crate) const fn new(feed: Feed) -> Self {
        Self { feed }
    }

    /// The book of a level2 topic, while it is live.
    #[must_use]
    pub fn book(&self, topic: TopicId) -> Option<&Book> {
        self.feed.book(topic)
    }

    /// The feed, to be read.
    #[must_use]
    pub const fn feed(&self) -> &Feed {
        &self.feed
    }

    /// The feed, for commands.
    pub const fn feed_mut(&mut self) -> &mut Feed {
        &mut self.feed
    }

    /// The feed back.
    #[must_use]
    pub fn into_feed(self) -> Feed {
        self.feed
    }
}

impl Stream for Items {
    type Item = Item;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Item>> {
        let feed = &mut self.get_mut().feed;
        let step = ready!(feed.poll_next_step(cx));
        Poll::Ready(step.and_then(|step| feed.own(step)))
    }
}
