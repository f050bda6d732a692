//! A feed that runs on a thread of its own, whatever its reader does.

use std::io;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use kucoin_futures_host::{Item, Queue, Taken};
use kucoin_futures_proto::{Channel, Misuse, Query, RequestId, TopicId};

use crate::feed::{Feed, Waited, Waker};

/// The reader's end of a feed that [`Feed::spawn`] put on a thread.
///
/// The thread keeps the line, however long the reader stays away. What does not fit into the queue
/// is dropped and counted: an [`Event::Lagged`](kucoin_futures_proto::Event::Lagged) stands in its
/// place. The books themselves stay exact: read them with [`Pump::with`]. Dropping the pump closes
/// the feed.
#[derive(Debug)]
pub struct Pump {
    queue: Queue,
    commands: Sender<Command>,
    waker: Waker,
    thread: Option<JoinHandle<()>>,
}

/// So many commands run between two steps of the feed.
const COMMANDS: usize = 16;

/// Runs between two steps of the feed.
type Command = Box<dyn FnOnce(&mut Feed) + Send>;

impl Pump {
    pub(crate) fn spawn(feed: Feed, cap: usize) -> io::Result<Self> {
        let queue = Queue::new(cap);
        let (commands, received) = channel();
        let waker = feed.waker();
        let run = {
            let ends = Ends(queue.clone());
            move || run(feed, &received, &ends.0)
        };
        let thread = std::thread::Builder::new().name("kucoin-feed".into()).spawn(run)?;
        Ok(Self { queue, commands, waker, thread: Some(thread) })
    }

    /// Waits for the next item; `None` once the feed is closed and all was read.
    #[must_use]
    pub fn take(&self) -> Option<Item> {
        self.queue.take()
    }

    /// Waits for the next item, but no longer than `limit`.
    #[must_use]
    pub fn take_within(&self, limit: Duration) -> Taken {
        self.queue.take_within(limit)
    }

    /// Does something with the feed on its thread, between two updates, and waits for the result:
    /// the way to its books. Be quick there; the line waits meanwhile.
    ///
    /// ```no_run
    /// # use kucoin_futures_blocking::Pump;
    /// # fn show(pump: &Pump, topic: kucoin_futures_proto::TopicId)
    /// # -> Result<(), kucoin_futures_proto::Misuse> {
    /// let touch = pump.with(move |feed| {
    ///     feed.book(topic).map(|book| (book.sequence(), book.best_bid(), book.best_ask()))
    /// })?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Misuse::Closed`].
    pub fn with<T: Send + 'static>(
        &self,
        look: impl FnOnce(&mut Feed) -> T + Send + 'static,
    ) -> Result<T, Misuse> {
        let (reply, replied) = channel();
        let command: Command = Box::new(move |feed| {
            // Whoever asked may be gone.
            let _ = reply.send(look(feed));
        });
        self.commands.send(command).map_err(|_| Misuse::Closed)?;
        self.waker.wake();
        replied.recv().map_err(|_| Misuse::Closed)
    }

    /// Wants a channel, over all reconnects.
    ///
    /// # Errors
    /// See [`Client::subscribe`](kucoin_futures_proto::Client::subscribe).
    pub fn subscribe(&self, channel: Channel) -> Result<TopicId, Misuse> {
        self.with(move |feed| feed.subscribe(channel))?
    }

    /// Wants a topic no more.
    ///
    /// # Errors
    /// See [`Client::unsubscribe`](kucoin_futures_proto::Client::unsubscribe).
    pub fn unsubscribe(&self, topic: TopicId) -> Result<(), Misuse> {
        self.with(move |feed| feed.unsubscribe(topic))?
    }

    /// Asks the exchange something, once; the answer comes as an [`Item::Push`].
    ///
    /// # Errors
    /// See [`Client::fetch`](kucoin_futures_proto::Client::fetch).
    pub fn fetch(&self, query: Query) -> Result<RequestId, Misuse> {
        self.with(move |feed| feed.fetch(query))?
    }

    /// Ends everything. What was queued already can still be read.
    pub fn close(&self) {
        // Closed already is closed.
        let _ = self.with(Feed::close);
    }
}

impl Drop for Pump {
    fn drop(&mut self) {
        self.close();
        if let Some(thread) = self.thread.take() {
            // A panic over there was printed already.
            let _ = thread.join();
        }
    }
}

fn run(mut feed: Feed, commands: &Receiver<Command>, queue: &Queue) {
    loop {
        // Each command wakes the feed, which then has nothing to tell for once. A few at a time: whoever
        // asks without end must not keep the line waiting. After as many as that there may be more, and
        // their wake-up may be spent.
        let ran = commands.try_iter().take(COMMANDS).map(|command| command(&mut feed)).count();
        if ran == COMMANDS {
            feed.waker().wake();
        }
        match feed.step(None) {
            Waited::Step(step) => {
                if let Some(item) = feed.own(step) {
                    queue.push(item);
                }
            }
            Waited::Quiet => {}
            Waited::Ended => return,
        }
    }
}

/// Ends the queue also when a command panics: nobody may be left waiting.
struct Ends(Queue);

impl Drop for Ends {
    fn drop(&mut self) {
        self.0.end();
    }
}
