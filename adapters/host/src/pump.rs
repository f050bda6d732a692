//! A feed that runs on a thread or task of its own, whatever its reader does.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};
use std::thread::JoinHandle;
use std::time::Duration;

use async_channel::Receiver;
use futures_core::Stream;
use kucoin_futures_proto::{Channel, Misuse, Query, RequestId, TopicId};

use crate::feed::{Feed, Limit, Waited, block};
use crate::mailbox::{Mailbox, Sender};
use crate::queue::{Queue, Taken};
use crate::transport::{Async, Blocking, Transport};
use crate::update::Item;
use crate::waker::Waker;

/// The reader's end of a feed that runs by itself: [`Feed::spawn`](Feed#method.spawn) puts it on a
/// thread or a task. On tasks it is also a stream of owned items.
///
/// The feed keeps the line, however long the reader stays away. What does not fit into the queue
/// is dropped and counted: an [`Event::Lagged`](kucoin_futures_proto::Event::Lagged) stands in its
/// place. The books themselves stay exact: read them by `with`. Dropping the pump closes the feed; on
/// threads it also waits for the thread to end.
///
/// A feed that is gone, because it was closed, its task was dropped or a command panicked, ends the
/// queue after what is in it, and every command is answered by [`Misuse::Closed`].
#[derive(Debug)]
pub struct Pump<T: Transport, M: 'static = <T as Transport>::Mode> {
    queue: Queue,
    commands: Sender<Command<T, M>>,
    waker: Waker,
    thread: Option<JoinHandle<()>>,
}

/// Runs between two steps of the feed.
type Command<T, M> = Box<dyn FnOnce(&mut Feed<T, M>) + Send>;

/// At most this many commands run between two steps of the feed.
const COMMANDS: usize = 16;

/// The executor of an async transport.
pub trait Spawn: Transport<Mode = Async> {
    /// Lets a task run on the runtime's own executor, detached.
    fn spawn(task: impl Future<Output = ()> + Send + 'static);
}

impl<T: Transport> Pump<T> {
    fn start(feed: Feed<T>, cap: usize) -> (Self, impl Future<Output = ()> + Send + 'static) {
        let (queue, commands) = (Queue::new(cap), Mailbox::default());
        let (sender, waker) = (commands.sender().clone(), feed.waker());
        let pump = Self { queue: queue.clone(), commands: sender, waker, thread: None };
        (pump, run(feed, Ends { commands, queue }))
    }
}

impl<T: Transport, M: 'static> Pump<T, M> {
    /// Sends a command; its result comes through the channel, which is closed if it never does.
    fn command<R: Send + 'static>(
        &self,
        look: impl FnOnce(&mut Feed<T, M>) -> R + Send + 'static,
    ) -> Result<Receiver<R>, Misuse> {
        let (reply, replied) = async_channel::bounded(1);
        let sent = self.commands.send(Box::new(move |feed| {
            // The one who asked may be gone.
            let _ = reply.try_send(look(feed));
        }));
        self.waker.wake();
        if sent { Ok(replied) } else { Err(Misuse::Closed) }
    }
}

/// The commands of a pump: functions that wait for the result, or async ones.
macro_rules! commands {
    (($($function:tt)+), ($($receive:tt)+), ($($wait:tt)*)) => {
        /// Does something with the feed where it runs, between two updates, and waits for the result:
        /// the way to its books. Be quick there; the line waits meanwhile.
        ///
        /// # Errors
        /// [`Misuse::Closed`].
        pub $($function)+ with<R: Send + 'static>(
            &self,
            look: impl FnOnce(&mut Feed<T>) -> R + Send + 'static,
        ) -> Result<R, Misuse> {
            self.command(look)?.$($receive)+.map_err(|_| Misuse::Closed)
        }

        /// Wants a channel, over all reconnects.
        ///
        /// # Errors
        /// See [`Client::subscribe`](kucoin_futures_proto::Client::subscribe).
        pub $($function)+ subscribe(&self, channel: Channel) -> Result<TopicId, Misuse> {
            self.with(move |feed| feed.subscribe(channel))$($wait)*?
        }

        /// Wants a topic no more.
        ///
        /// # Errors
        /// See [`Client::unsubscribe`](kucoin_futures_proto::Client::unsubscribe).
        pub $($function)+ unsubscribe(&self, topic: TopicId) -> Result<(), Misuse> {
            self.with(move |feed| feed.unsubscribe(topic))$($wait)*?
        }

        /// Asks the exchange something, once; the answer comes as an [`Item::Push`].
        ///
        /// # Errors
        /// See [`Client::fetch`](kucoin_futures_proto::Client::fetch).
        pub $($function)+ fetch(&self, query: Query) -> Result<RequestId, Misuse> {
            self.with(move |feed| feed.fetch(query))$($wait)*?
        }

        /// Holds a live book against a snapshot, once; what comes of it is told as an [`Item::State`].
        ///
        /// # Errors
        /// See [`Client::verify`](kucoin_futures_proto::Client::verify).
        pub $($function)+ verify(&self, topic: TopicId) -> Result<(), Misuse> {
            self.with(move |feed| feed.verify(topic))$($wait)*?
        }

        /// Replaces every line that is up by a new one, without a book leaving live. How many are being replaced.
        ///
        /// # Errors
        /// See [`Client::replace_lines`](kucoin_futures_proto::Client::replace_lines).
        pub $($function)+ replace_lines(&self) -> Result<usize, Misuse> {
            self.with(move |feed| feed.replace_lines())$($wait)*?
        }
    };
}

/// On threads.
impl<T: Transport<Mode = Blocking>> Feed<T, Blocking> {
    /// Lets the feed run on a thread of its own, and the caller read when it suits: see [`Pump`].
    /// `cap` bounds the items that wait; 4096 is a good start.
    ///
    /// # Errors
    /// The system has no thread left.
    pub fn spawn(self, cap: usize) -> io::Result<Pump<T>> {
        let (mut pump, run) = Pump::start(self, cap);
        let thread = std::thread::Builder::new().name("kucoin-feed".into()).spawn(move || {
            let mut run = pin!(run);
            block(|cx| run.as_mut().poll(cx));
        })?;
        pump.thread = Some(thread);
        Ok(pump)
    }
}

/// On threads.
impl<T: Transport<Mode = Blocking>> Pump<T, Blocking> {
    /// Waits for the next item; `None` once the feed is closed and everything was read.
    #[must_use]
    pub fn take(&self) -> Option<Item> {
        self.queue.take()
    }

    /// Waits for the next item, but no longer than `limit`.
    #[must_use]
    pub fn take_within(&self, limit: Duration) -> Taken {
        self.queue.take_within(limit)
    }

    commands!((fn), (recv_blocking()), ());

    /// Ends everything, and waits for that. What was queued already can still be read.
    pub fn close(&self) {
        // Closed already is closed.
        let _ = self.with(Feed::close);
    }
}

/// On tasks.
impl<T: Transport<Mode = Async>> Feed<T, Async> {
    /// Lets the feed run on a task of the runtime's own executor, and the caller read when it suits: see
    /// [`Pump`]. `cap` bounds the items that wait; 4096 is a good start.
    #[must_use]
    pub fn spawn(self, cap: usize) -> Pump<T>
    where
        T: Spawn,
    {
        let (pump, run) = self.pump(cap);
        T::spawn(run);
        pump
    }

    /// The same for any executor: the future must be polled by it, as a task of its own.
    pub fn pump(self, cap: usize) -> (Pump<T>, impl Future<Output = ()> + Send + 'static) {
        Pump::start(self, cap)
    }
}

/// On tasks.
impl<T: Transport<Mode = Async>> Pump<T, Async> {
    /// Waits for the next item; `None` once the feed is closed and everything was read. May be dropped
    /// and called again.
    pub async fn take(&self) -> Option<Item> {
        poll_fn(|cx| self.queue.poll_take(cx)).await
    }

    commands!((async fn), (recv().await), (.await));

    /// Ends everything, without waiting for it. What was queued already can still be read.
    pub fn close(&self) {
        // Closed already is closed.
        let _ = self.command(Feed::close);
    }
}

impl<T: Transport<Mode = Async>> Stream for Pump<T, Async> {
    type Item = Item;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Item>> {
        self.queue.poll_take(cx)
    }
}

impl<T: Transport, M: 'static> Drop for Pump<T, M> {
    fn drop(&mut self) {
        // Closed already is closed.
        self.commands.send(Box::new(Feed::close));
        self.waker.wake();
        if let Some(thread) = self.thread.take() {
            // A panic over there was printed already.
            let _ = thread.join();
        }
    }
}

/// The thread or task: commands, then one step of the feed into the queue.
async fn run<T: Transport>(mut feed: Feed<T>, ends: Ends<T, T::Mode>) {
    poll_fn(move |cx| {
        loop {
            // Each command wakes the feed, which then has nothing to tell for once. A few at a time:
            // commands without end must not keep the line waiting. After that many there may be more,
            // and their wake-up may be spent.
            let taken = std::iter::from_fn(|| ends.commands.take()).take(COMMANDS);
            if taken.map(|command| command(&mut feed)).count() == COMMANDS {
                feed.waker().wake();
            }
            match ready!(feed.poll_step(cx, &mut Limit::default())) {
                Waited::Step(step) => {
                    feed.own(step).into_iter().for_each(|item| ends.queue.push(item))
                }
                Waited::Quiet => {
                    // Other tasks have their turn, too, while commands keep coming.
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                Waited::Ended => return Poll::Ready(()),
            }
        }
    })
    .await;
}

/// The feed's ends of what it shares with the reader.
struct Ends<T: Transport, M> {
    commands: Mailbox<Command<T, M>>,
    queue: Queue,
}

/// Also when a command panics, or the executor drops the task: nobody is left waiting for an item. A
/// command that came too late is dropped with its mailbox, and so is the channel of its result.
impl<T: Transport, M> Drop for Ends<T, M> {
    fn drop(&mut self) {
        self.queue.end();
    }
}
