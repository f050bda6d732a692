//! A feed that runs on a task of its own, whatever its reader does.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll};

use async_channel::{Receiver, Sender};
use futures_core::Stream;
use futures_lite::future::yield_now;
use kucoin_futures_host::{Item, Queue};
use kucoin_futures_proto::{Channel, Misuse, Query, RequestId, TopicId};

use crate::feed::{Feed, Waited, Waker};

/// The reader's end of a feed that [`Feed::spawn`] put on a task; a stream of owned items.
///
/// The task keeps the line, however long the reader stays away. What does not fit into the queue is
/// dropped and counted: an [`Event::Lagged`](kucoin_futures_proto::Event::Lagged) stands in its
/// place. The books themselves stay exact: read them with [`Pump::with`]. Dropping the pump closes
/// the feed.
#[derive(Debug)]
pub struct Pump {
    queue: Queue,
    commands: Sender<Command>,
    waker: Waker,
}

/// So many commands run between two steps of the feed.
const COMMANDS: usize = 16;

/// Runs between two steps of the feed.
type Command = Box<dyn FnOnce(&mut Feed) + Send>;

impl Pump {
    pub(crate) fn new(feed: Feed, cap: usize) -> (Self, impl Future<Output = ()> + Send + 'static) {
        let queue = Queue::new(cap);
        let (commands, received) = async_channel::unbounded();
        let pump = Self { queue: queue.clone(), commands, waker: feed.waker() };
        (pump, run(feed, Ends { commands: received, queue }))
    }

    /// Waits for the next item; `None` once the feed is closed and all was read. May be dropped and
    /// called again.
    pub async fn take(&self) -> Option<Item> {
        poll_fn(|cx| self.queue.poll_take(cx)).await
    }

    /// Does something with the feed in its task, between two updates, and waits for the result: the
    /// way to its books. Be quick there; the line waits meanwhile.
    ///
    /// # Errors
    /// [`Misuse::Closed`].
    pub async fn with<T: Send + 'static>(
        &self,
        look: impl FnOnce(&mut Feed) -> T + Send + 'static,
    ) -> Result<T, Misuse> {
        let (reply, replied) = async_channel::bounded(1);
        self.send(Box::new(move |feed| {
            // Whoever asked may be gone.
            let _ = reply.try_send(look(feed));
        }))?;
        replied.recv().await.map_err(|_| Misuse::Closed)
    }

    /// Wants a channel, over all reconnects.
    ///
    /// # Errors
    /// See [`Client::subscribe`](kucoin_futures_proto::Client::subscribe).
    pub async fn subscribe(&self, channel: Channel) -> Result<TopicId, Misuse> {
        self.with(move |feed| feed.subscribe(channel)).await?
    }

    /// Wants a topic no more.
    ///
    /// # Errors
    /// See [`Client::unsubscribe`](kucoin_futures_proto::Client::unsubscribe).
    pub async fn unsubscribe(&self, topic: TopicId) -> Result<(), Misuse> {
        self.with(move |feed| feed.unsubscribe(topic)).await?
    }

    /// Asks the exchange something, once; the answer comes as an [`Item::Push`].
    ///
    /// # Errors
    /// See [`Client::fetch`](kucoin_futures_proto::Client::fetch).
    pub async fn fetch(&self, query: Query) -> Result<RequestId, Misuse> {
        self.with(move |feed| feed.fetch(query)).await?
    }

    /// Ends everything, without waiting for it. What was queued already can still be read.
    pub fn close(&self) {
        // Closed already is closed.
        let _ = self.send(Box::new(Feed::close));
    }

    fn send(&self, command: Command) -> Result<(), Misuse> {
        self.commands.try_send(command).map_err(|_| Misuse::Closed)?;
        self.waker.wake();
        Ok(())
    }
}

impl Drop for Pump {
    fn drop(&mut self) {
        self.close();
    }
}

impl Stream for Pump {
    type Item = Item;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Item>> {
        self.queue.poll_take(cx)
    }
}

async fn run(mut feed: Feed, ends: Ends) {
    loop {
        // Each command wakes the feed, which then has nothing to tell for once. A few at a time: whoever
        // asks without end must not keep the line waiting. If more are left, their wake-up may be spent.
        for _ in 0..COMMANDS {
            let Ok(command) = ends.commands.try_recv() else { break };
            command(&mut feed);
        }
        if !ends.commands.is_empty() {
            feed.waker().wake();
        }
        match poll_fn(|cx| feed.poll_step(cx, None)).await {
            Waited::Step(step) => {
                if let Some(item) = feed.own(step) {
                    ends.queue.push(item);
                }
            }
            // Other tasks have their turn, too, while commands keep coming.
            Waited::Quiet => yield_now().await,
            Waited::Ended => break,
        }
    }
}

/// The task's ends of what it shares with the reader.
struct Ends {
    commands: Receiver<Command>,
    queue: Queue,
}

/// Also when the executor drops the task: nobody may be left waiting for an item, nor for the answer
/// to a command that came too late. The channel keeps those that are in it.
impl Drop for Ends {
    fn drop(&mut self) {
        self.commands.close();
        while self.commands.try_recv().is_ok() {}
        self.queue.end();
    }
}
