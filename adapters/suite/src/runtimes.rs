//! The adapters, as the suite sees them.

use std::time::Duration;

use kucoin_futures_blocking as blocking;
use kucoin_futures_host::{Clock, FeedError, Item, Next, Options, Taken};
use kucoin_futures_proto::book::LineShare;
use kucoin_futures_proto::{
    Book, BookStatus, Channel, LineId, LineStatus, Misuse, Query, RequestId, Stats, TopicId,
    TopicStatus, WordsId,
};
use kucoin_futures_smol as on_smol;
use smol::future::FutureExt as _;
use smol::stream::StreamExt as _;

use crate::feed::{Feed, Pump};

/// What all feeds have under the same name.
macro_rules! alike {
    () => {
        fn with_options(options: Options) -> Result<Self, FeedError> {
            Self::with_options(options)
        }

        fn subscribe(&mut self, channel: Channel) -> Result<TopicId, Misuse> {
            self.subscribe(channel)
        }

        fn fetch(&mut self, query: Query) -> Result<RequestId, Misuse> {
            self.fetch(query)
        }

        fn verify(&mut self, topic: TopicId) -> Result<(), Misuse> {
            self.verify(topic)
        }

        fn replace_lines(&mut self) -> Result<usize, Misuse> {
            self.replace_lines()
        }

        fn lines(&self) -> Vec<LineStatus> {
            self.lines().collect()
        }

        fn shares(&self, topic: TopicId) -> Vec<(LineId, LineShare)> {
            self.shares(topic).map(|(line, share)| (line, *share)).collect()
        }

        fn close(&mut self) {
            self.close();
        }

        fn book(&self, topic: TopicId) -> Option<&Book> {
            self.book(topic)
        }

        fn status(&self, topic: TopicId) -> TopicStatus {
            self.status(topic)
        }

        fn book_status(&self, topic: TopicId) -> Option<BookStatus> {
            self.book_status(topic)
        }

        fn words(&self, words: WordsId) -> Option<&str> {
            self.words(words)
        }

        fn stats(&self) -> &Stats {
            self.stats()
        }

        fn wakes(&self) -> u64 {
            self.wakes()
        }

        fn clock(&self) -> Clock {
            self.clock()
        }

        fn waker(&self) -> Box<dyn Fn() + Send> {
            let waker = self.waker();
            Box::new(move || waker.wake())
        }
    };
}

impl Feed for blocking::Feed {
    type Pump = blocking::Pump;

    alike!();

    fn next_within(&mut self, limit: Duration) -> Next<'_> {
        self.next_within(limit)
    }

    fn spawn(self, cap: usize) -> blocking::Pump {
        self.spawn(cap).expect("the system has a thread")
    }

    fn items<T>(
        self,
        topic: TopicId,
        look: impl Fn(Option<&Book>) -> T,
        mut each: impl FnMut(Item, T) -> bool,
    ) {
        let mut items = self.into_iter();
        while let Some(item) = items.next() {
            let seen = look(items.book(topic));
            if !each(item, seen) {
                return;
            }
        }
    }
}

impl Pump<blocking::Feed> for blocking::Pump {
    fn take_within(&self, limit: Duration) -> Taken {
        self.take_within(limit)
    }

    fn with<T: Send + 'static>(
        &self,
        look: impl FnOnce(&mut blocking::Feed) -> T + Send + 'static,
    ) -> Result<T, Misuse> {
        self.with(look)
    }

    fn verify(&self, topic: TopicId) -> Result<(), Misuse> {
        self.verify(topic)
    }

    fn replace_lines(&self) -> Result<usize, Misuse> {
        self.replace_lines()
    }

    fn close(&self) {
        self.close();
    }
}

impl Feed for on_smol::Feed {
    type Pump = on_smol::Pump;

    alike!();

    fn next_within(&mut self, limit: Duration) -> Next<'_> {
        smol::block_on(self.next_within(limit))
    }

    fn spawn(self, cap: usize) -> on_smol::Pump {
        self.spawn(cap)
    }

    fn items<T>(
        self,
        topic: TopicId,
        look: impl Fn(Option<&Book>) -> T,
        mut each: impl FnMut(Item, T) -> bool,
    ) {
        smol::block_on(async {
            let mut items = self.into_stream();
            while let Some(item) = items.next().await {
                let seen = look(items.book(topic));
                if !each(item, seen) {
                    return;
                }
            }
        });
    }
}

impl Pump<on_smol::Feed> for on_smol::Pump {
    fn take_within(&self, limit: Duration) -> Taken {
        let item = async { self.take().await.map_or(Taken::Ended, Taken::Item) };
        let late = async {
            smol::Timer::after(limit).await;
            Taken::Quiet
        };
        smol::block_on(item.or(late))
    }

    fn with<T: Send + 'static>(
        &self,
        look: impl FnOnce(&mut on_smol::Feed) -> T + Send + 'static,
    ) -> Result<T, Misuse> {
        smol::block_on(self.with(look))
    }

    fn verify(&self, topic: TopicId) -> Result<(), Misuse> {
        smol::block_on(self.verify(topic))
    }

    fn replace_lines(&self) -> Result<usize, Misuse> {
        smol::block_on(self.replace_lines())
    }

    fn close(&self) {
        self.close();
    }
}
