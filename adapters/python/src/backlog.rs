//! What was taken from a feed's queue before its reader asked for it: bounded as the queue is.

use std::collections::VecDeque;

use kucoin_futures_blocking::Item;
use kucoin_futures_proto::Event;

/// Items that wait for the one who reads, because somebody else took them while waiting for an answer.
///
/// It holds as many as the queue. What comes when it is full is dropped and counted in an [`Event::Lagged`] that stands
/// in its place. Events of state are what a reader relies on: they are dropped only from twice that on.
#[derive(Debug, Default)]
pub(crate) struct Backlog {
    items: VecDeque<Item>,
    cap: usize,
    /// Books were copied after what the last item counts was dropped: it counts no more.
    is_lag_closed: bool,
}

impl Backlog {
    /// An empty one for `cap` items, at least one.
    pub(crate) fn new(cap: usize) -> Self {
        Self { cap: cap.max(1), ..Self::default() }
    }

    pub(crate) fn len(&self) -> usize {
        self.items.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    pub(crate) fn front(&self) -> Option<&Item> {
        self.items.front()
    }

    pub(crate) fn pop(&mut self) -> Option<Item> {
        self.items.pop_front()
    }

    /// Puts back what was popped last.
    pub(crate) fn put_back(&mut self, item: Item) {
        self.items.push_front(item);
    }

    /// Adds an item, or counts it as dropped.
    pub(crate) fn push(&mut self, item: Item) {
        let room = match item {
            Item::State(..) => self.cap.saturating_mul(2),
            Item::Delta(..) | Item::Push(_) => self.cap,
        };
        if self.items.len() < room {
            self.items.push_back(item);
            self.is_lag_closed = false;
            return;
        }
        let more = dropped_with(&item);
        match self.items.back_mut() {
            Some(Item::State(Event::Lagged { dropped }, _)) if !self.is_lag_closed => {
                *dropped = dropped.saturating_add(more);
            }
            _ => {
                let lagged = Event::Lagged { dropped: more };
                self.items.push_back(Item::State(lagged, None));
                self.is_lag_closed = false;
            }
        }
    }

    /// What is dropped from here on is counted by itself: books are copied anew where that is told.
    pub(crate) fn close_lag(&mut self) {
        self.is_lag_closed = true;
    }
}

/// One, and what a `Lagged` that is dropped itself stands for.
const fn dropped_with(item: &Item) -> u32 {
    match item {
        Item::State(Event::Lagged { dropped }, _) => *dropped,
        Item::Delta(..) | Item::State(..) | Item::Push(_) => 1,
    }
}
