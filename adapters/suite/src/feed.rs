//! What all adapters have in common.

use std::time::Duration;

use kucoin_futures_host::{Clock, FeedError, Item, Next, Options, Taken};
use kucoin_futures_proto::book::LineShare;
use kucoin_futures_proto::{
    Book, BookStatus, Channel, LineId, LineStatus, Misuse, Query, RequestId, Stats, TopicId,
    TopicStatus, WordsId,
};

/// A feed of any runtime, driven from the thread of a test.
#[allow(missing_docs, reason = "as the feeds of the adapters have it")]
pub trait Feed: Sized + 'static {
    type Pump: Pump<Self> + Sync;

    fn with_options(options: Options) -> Result<Self, FeedError>;
    fn subscribe(&mut self, channel: Channel) -> Result<TopicId, Misuse>;
    fn fetch(&mut self, query: Query) -> Result<RequestId, Misuse>;
    fn verify(&mut self, topic: TopicId) -> Result<(), Misuse>;
    fn replace_lines(&mut self) -> Result<usize, Misuse>;
    fn lines(&self) -> Vec<LineStatus>;
    fn shares(&self, topic: TopicId) -> Vec<(LineId, LineShare)>;
    fn close(&mut self);
    fn next_within(&mut self, limit: Duration) -> Next<'_>;
    fn book(&self, topic: TopicId) -> Option<&Book>;
    fn status(&self, topic: TopicId) -> TopicStatus;
    fn book_status(&self, topic: TopicId) -> Option<BookStatus>;
    fn words(&self, words: WordsId) -> Option<&str>;
    fn stats(&self) -> &Stats;
    fn wakes(&self) -> u64;
    fn clock(&self) -> Clock;
    /// What another thread can end a wait with.
    fn waker(&self) -> Box<dyn Fn() + Send>;
    fn spawn(self, cap: usize) -> Self::Pump;
    /// The feed as an iterator or a stream; what `look` makes of the book of `topic` comes with each
    /// item.
    fn items<T>(
        self,
        topic: TopicId,
        look: impl Fn(Option<&Book>) -> T,
        each: impl FnMut(Item, T) -> bool,
    );
}

/// The reader's end of a feed that was spawned.
#[allow(missing_docs, reason = "as the pumps of the adapters have it")]
pub trait Pump<F> {
    fn take_within(&self, limit: Duration) -> Taken;
    fn with<T: Send + 'static>(
        &self,
        look: impl FnOnce(&mut F) -> T + Send + 'static,
    ) -> Result<T, Misuse>;
    fn verify(&self, topic: TopicId) -> Result<(), Misuse>;
    fn replace_lines(&self) -> Result<usize, Misuse>;
    fn close(&self);
}
