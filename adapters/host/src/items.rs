//! A feed as an iterator or a stream: it cannot lend, so what it yields is owned.

use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;
use kucoin_futures_proto::{Book, TopicId};

use crate::feed::{Feed, block};
use crate::transport::{Async, Blocking, Transport};
use crate::update::Item;

/// Yields what happens, one owned [`Item`] after the other, until the feed is closed: an iterator that
/// blocks, or a stream.
#[derive(Debug)]
pub struct Items<T: Transport, M = <T as Transport>::Mode> {
    feed: Feed<T, M>,
}

impl<T: Transport> Items<T> {
    /// The book of a level2 topic, while it is live: as it is after the item that was yielded last.
    #[must_use]
    pub fn book(&self, topic: TopicId) -> Option<&Book> {
        self.feed.book(topic)
    }

    /// The feed, to be read.
    #[must_use]
    pub const fn feed(&self) -> &Feed<T> {
        &self.feed
    }

    /// The feed, for commands.
    pub const fn feed_mut(&mut self) -> &mut Feed<T> {
        &mut self.feed
    }

    /// The feed back.
    #[must_use]
    pub fn into_feed(self) -> Feed<T> {
        self.feed
    }
}

impl<T: Transport<Mode = Async>> Feed<T, Async> {
    /// The feed as a stream of owned items.
    #[must_use]
    pub const fn into_stream(self) -> Items<T> {
        Items { feed: self }
    }
}

impl<T: Transport<Mode = Async> + Unpin> Stream for Items<T, Async> {
    type Item = Item;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Item>> {
        self.get_mut().feed.poll_next_item(cx)
    }
}

impl<T: Transport<Mode = Blocking>> Iterator for Items<T, Blocking> {
    type Item = Item;

    fn next(&mut self) -> Option<Item> {
        block(|cx| self.feed.poll_next_item(cx))
    }
}

impl<T: Transport<Mode = Blocking>> IntoIterator for Feed<T, Blocking> {
    type Item = Item;
    type IntoIter = Items<T>;

    fn into_iter(self) -> Items<T> {
        Items { feed: self }
    }
}
