//! A feed as an iterator: it cannot lend, so what it yields is owned.

use kucoin_futures_host::Item;
use kucoin_futures_proto::{Book, TopicId};

use crate::feed::Feed;

/// Yields what happens, one owned [`Item`] after the other, until the feed is closed. Blocks.
#[derive(Debug)]
pub struct Items {
    feed: Feed,
}

impl Items {
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

impl Iterator for Items {
    type Item = Item;

    fn next(&mut self) -> Option<Item> {
        self.feed.next_item()
    }
}

impl IntoIterator for Feed {
    type Item = Item;
    type IntoIter = Items;

    fn into_iter(self) -> Items {
        Items { feed: self }
    }
}
