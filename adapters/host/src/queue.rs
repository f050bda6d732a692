//! What a pump leaves for a reader who may be slow: bounded, and the pump never waits.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use kucoin_futures_proto::Event;

use crate::update::Item;

/// A queue of [`Item`]s between one pump and its readers, blocking or async. Cheap to clone.
///
/// It holds `cap` items. What comes when it is full is dropped and counted in an
/// [`Event::Lagged`] that stands in its place. Events of state are small, rare and what a reader
/// relies on: they are dropped only from twice the cap on.
#[derive(Clone)]
pub(crate) struct Queue {
    shared: Arc<Shared>,
    cap: usize,
}

struct Shared {
    state: Mutex<State>,
    ready: Condvar,
}

#[derive(Default)]
struct State {
    items: VecDeque<Item>,
    /// Of the tasks that wait.
    wakers: Vec<Waker>,
    ended: bool,
}

/// What a reader got.
#[derive(Debug)]
#[allow(clippy::exhaustive_enums, reason = "a reader should handle all three")]
pub enum Taken {
    /// The oldest item.
    Item(Item),
    /// Nothing came in that time.
    Quiet,
    /// The pump has ended and everything was read.
    Ended,
}

impl Queue {
    /// An empty queue for `cap` items, at least one.
    pub(crate) fn new(cap: usize) -> Self {
        let shared = Shared { state: Mutex::default(), ready: Condvar::new() };
        Self { shared: Arc::new(shared), cap: cap.max(1) }
    }

    /// Leaves an item, or counts it as dropped. Never waits for the reader.
    pub(crate) fn push(&self, item: Item) {
        let mut state = self.lock();
        let room = match item {
            Item::State(..) => self.cap.saturating_mul(2),
            Item::Delta(..) | Item::Push(_) => self.cap,
        };
        if state.items.len() < room {
            state.items.push_back(item);
        } else if let Some(Item::State(Event::Lagged { dropped }, _)) = state.items.back_mut() {
            *dropped = dropped.saturating_add(dropped_with(&item));
        } else {
            let dropped = dropped_with(&item);
            state.items.push_back(Item::State(Event::Lagged { dropped }, None));
        }
        self.wake(state);
    }

    /// Nothing will come any more.
    pub(crate) fn end(&self) {
        let mut state = self.lock();
        state.ended = true;
        self.wake(state);
    }

    /// Takes the oldest item, waiting for it for at most `limit`.
    pub(crate) fn take_within(&self, limit: Duration) -> Taken {
        let state = self.lock();
        let waited = self.shared.ready.wait_timeout_while(state, limit, |state| state.is_idle());
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        state.take()
    }

    /// Takes the oldest item; `None` once the pump has ended and everything was read.
    pub(crate) fn take(&self) -> Option<Item> {
        let waited = self.shared.ready.wait_while(self.lock(), |state| state.is_idle());
        waited.unwrap_or_else(PoisonError::into_inner).items.pop_front()
    }

    /// The same for a task, which is woken once there is more to say.
    pub(crate) fn poll_take(&self, cx: &Context<'_>) -> Poll<Option<Item>> {
        let mut state = self.lock();
        if state.is_idle() {
            if !state.wakers.iter().any(|waker| waker.will_wake(cx.waker())) {
                state.wakers.push(cx.waker().clone());
            }
            return Poll::Pending;
        }
        Poll::Ready(state.items.pop_front())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wake(&self, mut state: MutexGuard<'_, State>) {
        let wakers = std::mem::take(&mut state.wakers);
        let ended = state.ended;
        drop(state);
        if ended {
            self.shared.ready.notify_all();
        } else {
            self.shared.ready.notify_one();
        }
        wakers.into_iter().for_each(Waker::wake);
    }
}

impl State {
    fn is_idle(&self) -> bool {
        self.items.is_empty() && !self.ended
    }

    fn take(&mut self) -> Taken {
        match self.items.pop_front() {
            Some(item) => Taken::Item(item),
            None if self.ended => Taken::Ended,
            None => Taken::Quiet,
        }
    }
}

/// One, and what a `Lagged` that is dropped itself stands for.
const fn dropped_with(item: &Item) -> u32 {
    match item {
        Item::State(Event::Lagged { dropped }, _) => *dropped,
        Item::Delta(..) | Item::State(..) | Item::Push(_) => 1,
    }
}

impl fmt::Debug for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue")
            .field("cap", &self.cap)
            .field("len", &self.lock().items.len())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use kucoin_futures_proto::wire::{Delta, Side};
    use kucoin_futures_proto::{Lots, Price, Sequence, TopicEvent, TopicId};

    use super::*;

    const TOPIC: TopicId = TopicId::new(0);

    fn delta(sequence: u64) -> Item {
        let sequence = Sequence::new(sequence);
        Item::Delta(TOPIC, Delta::new(sequence, Side::Bid, Price::ZERO, Lots::new(1)))
    }

    /// Everything that waits, as text: sequences of deltas, `-n` for n dropped, `!` for other states.
    fn drained(queue: &Queue) -> Vec<String> {
        std::iter::from_fn(|| match queue.take_within(Duration::ZERO) {
            Taken::Item(Item::Delta(_, delta)) => Some(delta.sequence.to_string()),
            Taken::Item(Item::State(Event::Lagged { dropped }, _)) => Some(format!("-{dropped}")),
            Taken::Item(_) => Some("!".into()),
            Taken::Quiet | Taken::Ended => None,
        })
        .collect()
    }

    #[test]
    fn what_does_not_fit_is_counted_where_it_is_missing() {
        let queue = Queue::new(3);
        (1..=5).for_each(|sequence| queue.push(delta(sequence)));
        assert!(matches!(queue.take(), Some(Item::Delta(..))), "1");
        queue.push(delta(6));
        assert_eq!(drained(&queue), ["2", "3", "-3"], "a lag takes a place until it is read");
        queue.push(delta(7));
        assert_eq!(drained(&queue), ["7"]);
    }

    #[test]
    fn events_of_state_have_room_of_their_own() {
        let queue = Queue::new(2);
        let heard = || Item::State(Event::Topic(TOPIC, TopicEvent::Active), None);
        (1..=3).for_each(|sequence| queue.push(delta(sequence)));
        queue.push(heard());
        queue.push(delta(4));
        assert_eq!(drained(&queue), ["1", "2", "-1", "!", "-1"]);
        (0..100).for_each(|_| queue.push(heard()));
        assert_eq!(drained(&queue), ["!", "!", "!", "!", "-96"], "but not without end");
    }

    #[test]
    fn lags_add_up() {
        let queue = Queue::new(1);
        queue.push(Item::State(Event::Lagged { dropped: 5 }, None));
        queue.push(delta(1));
        queue.push(Item::State(Event::Topic(TOPIC, TopicEvent::Active), None));
        queue.push(Item::State(Event::Lagged { dropped: 7 }, None));
        assert_eq!(drained(&queue), ["-6", "!", "-7"]);
    }

    #[test]
    fn an_end_is_told_to_everyone_who_waits() {
        let queue = Queue::new(4);
        let readers = [0, 1].map(|_| {
            let queue = queue.clone();
            std::thread::spawn(move || queue.take().is_none())
        });
        let mut tasks = [0, 1].map(|_| Arc::new(Woken::default()));
        for task in &mut tasks {
            let waker = Waker::from(Arc::clone(task));
            assert!(queue.poll_take(&Context::from_waker(&waker)).is_pending());
        }
        queue.end();
        assert!(readers.into_iter().all(|reader| reader.join().unwrap()));
        assert!(tasks.iter().all(|task| task.0.load(std::sync::atomic::Ordering::Relaxed)));
    }

    #[derive(Default)]
    struct Woken(std::sync::atomic::AtomicBool);

    impl std::task::Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.store(true, std::sync::atomic::Ordering::Relaxed);
        }
    }

    #[test]
    fn an_end_is_told_after_everything_else_and_wakes_whoever_waits() {
        let queue = Queue::new(4);
        let reader = {
            let queue = queue.clone();
            std::thread::spawn(move || (queue.take().is_some(), queue.take().is_some()))
        };
        queue.push(delta(1));
        queue.end();
        assert_eq!(reader.join().unwrap(), (true, false));
        assert!(matches!(queue.take_within(Duration::ZERO), Taken::Ended));
        let cx = Context::from_waker(Waker::noop());
        assert!(matches!(queue.poll_take(&cx), Poll::Ready(None)));
    }
}
