//! A feed of whichever runtime was asked for, for commands that run on one thread.

use std::time::Duration;

use kucoin_futures_blocking as blocking;
use kucoin_futures_host::{Clock, FeedError, Latencies, Next, Options, Roots};
use kucoin_futures_proto::auth::Credentials;
use kucoin_futures_proto::{
    Account, AccountStatus, Book, BookAge, BookStatus, BudgetUse, Channel, Config, Epoch, Event,
    LineId, LineRole, LineStatus, Misuse, Query, RequestId, Stats, Tap, TopicId, TopicStatus,
};
use kucoin_futures_smol as on_smol;

use crate::args::{Connect, Runtime};
use crate::exit::{Failure, Kind};

pub(crate) enum Feed {
    Blocking(blocking::Feed),
    Smol(on_smol::Feed),
}

/// Both have the same methods.
macro_rules! either {
    ($self:ident, $feed:ident => $call:expr) => {
        match $self {
            Self::Blocking($feed) => $call,
            Self::Smol($feed) => $call,
        }
    };
}

impl Feed {
    pub(crate) fn open(
        connect: &Connect,
        config: Config,
        credentials: Option<Credentials>,
        tap: Option<Box<dyn Tap>>,
    ) -> Result<Self, Failure> {
        let mut options = Options::with_config(config);
        options.credentials = credentials;
        options.tap = tap;
        options.roots = roots(connect)?;
        match connect.runtime {
            Runtime::Blocking => blocking::Feed::with_options(options).map(Self::Blocking),
            Runtime::Smol => on_smol::Feed::with_options(options).map(Self::Smol),
        }
        .map_err(|error| match error {
            FeedError::Tls(_) => Failure::new(Kind::Usage, error),
            error => Failure::new(Kind::Runtime, error),
        })
    }

    pub(crate) fn subscribe(&mut self, channel: Channel) -> Result<TopicId, Misuse> {
        either!(self, feed => feed.subscribe(channel))
    }

    pub(crate) fn unsubscribe(&mut self, topic: TopicId) -> Result<(), Misuse> {
        either!(self, feed => feed.unsubscribe(topic))
    }

    pub(crate) fn fetch(&mut self, query: Query) -> Result<RequestId, Misuse> {
        either!(self, feed => feed.fetch(query))
    }

    pub(crate) fn verify(&mut self, topic: TopicId) -> Result<(), Misuse> {
        either!(self, feed => feed.verify(topic))
    }

    pub(crate) fn follow_account(&mut self) -> Result<(), Misuse> {
        either!(self, feed => feed.follow_account())
    }

    pub(crate) const fn account(&self) -> Option<&Account> {
        either!(self, feed => feed.account())
    }

    pub(crate) const fn account_status(&self) -> AccountStatus {
        either!(self, feed => feed.account_status())
    }

    pub(crate) fn next_within(&mut self, limit: Duration) -> Next<'_> {
        match self {
            Self::Blocking(feed) => feed.next_within(limit),
            Self::Smol(feed) => smol::block_on(feed.next_within(limit)),
        }
    }

    pub(crate) fn close(&mut self) {
        either!(self, feed => feed.close());
    }

    pub(crate) fn book(&self, topic: TopicId) -> Option<&Book> {
        either!(self, feed => feed.book(topic))
    }

    pub(crate) fn book_status(&self, topic: TopicId) -> Option<BookStatus> {
        either!(self, feed => feed.book_status(topic))
    }

    /// The present run of a live book.
    pub(crate) fn book_epoch(&self, topic: TopicId) -> Option<Epoch> {
        either!(self, feed => feed.book_epoch(topic))
    }

    /// How old what is known of a live book may be.
    pub(crate) fn book_age(&self, topic: TopicId) -> Option<BookAge> {
        either!(self, feed => feed.book_age(topic))
    }

    /// How long changes of books were on their way.
    pub(crate) const fn latencies(&self) -> &Latencies {
        either!(self, feed => feed.latencies())
    }

    pub(crate) fn status(&self, topic: TopicId) -> TopicStatus {
        either!(self, feed => feed.status(topic))
    }

    /// The lines that there are.
    pub(crate) fn lines(&self) -> Vec<LineStatus> {
        either!(self, feed => feed.lines().collect())
    }

    /// How much of each budget is in use.
    pub(crate) fn budgets(&self) -> Vec<BudgetUse> {
        either!(self, feed => feed.budgets().collect())
    }

    /// What the line that an event names is there for.
    pub(crate) fn line_role(&self, line: LineId) -> Option<LineRole> {
        either!(self, feed => feed.line_role(line))
    }

    /// What the exchange said, if the event tells that it refused something.
    pub(crate) fn words_of(&self, event: &Event) -> Option<&str> {
        let words = event.refusal()?.words?;
        either!(self, feed => feed.words(words))
    }

    pub(crate) const fn stats(&self) -> &Stats {
        either!(self, feed => feed.stats())
    }

    /// What is told to Prometheus, with the books of these topics.
    pub(crate) fn metrics(&self, books: impl IntoIterator<Item = TopicId>) -> String {
        either!(self, feed => feed.metrics(books))
    }

    pub(crate) const fn clock(&self) -> Clock {
        either!(self, feed => feed.clock())
    }

    /// What a signal's thread ends a wait with.
    pub(crate) fn waker(&self) -> Box<dyn Fn() + Send> {
        match self {
            Self::Blocking(feed) => {
                let waker = feed.waker();
                Box::new(move || waker.wake())
            }
            Self::Smol(feed) => {
                let waker = feed.waker();
                Box::new(move || waker.wake())
            }
        }
    }
}

pub(crate) fn roots(connect: &Connect) -> Result<Roots, Failure> {
    let Some(path) = &connect.ca else { return Ok(Roots::Public) };
    let fail = |error: &dyn std::fmt::Display| {
        let text = format_args!("--ca {}: {error}", path.display());
        Failure::words(Kind::Usage, text)
    };
    let pem = std::fs::read(path).map_err(|error| fail(&error))?;
    Roots::from_pem(&pem).map_err(|error| fail(&error))
}
