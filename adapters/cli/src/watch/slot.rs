//! A place for one thing: who puts something there never waits, and who takes it gets the latest.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Shared by the one who puts and the one who takes.
pub(super) struct Slot<T>(Arc<Shared<T>>);

struct Shared<T> {
    content: Mutex<Content<T>>,
    changed: Condvar,
}

struct Content<T> {
    latest: Option<T>,
    /// Nobody puts anything any more.
    is_closed: bool,
}

/// What there was to take.
pub(super) enum Taken<T> {
    Some(T),
    /// Nothing new.
    None,
    /// Nothing, and there will not be.
    Closed,
}

impl<T> Clone for Slot<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Slot<T> {
    pub(super) fn new() -> Self {
        let content = Mutex::new(Content { latest: None, is_closed: false });
        Self(Arc::new(Shared { content, changed: Condvar::new() }))
    }

    /// In the place of what nobody has taken.
    pub(super) fn put(&self, item: T) {
        let before = self.lock().latest.replace(item);
        self.0.changed.notify_all();
        // Outside the lock: it may be large.
        drop(before);
    }

    pub(super) fn close(&self) {
        self.lock().is_closed = true;
        self.0.changed.notify_all();
    }

    /// Waits so long for something, or for the end.
    pub(super) fn take_within(&self, limit: Duration) -> Taken<T> {
        let is_empty = |content: &mut Content<T>| content.latest.is_none() && !content.is_closed;
        let waited = self.0.changed.wait_timeout_while(self.lock(), limit, is_empty);
        let (mut content, _) = waited.unwrap_or_else(PoisonError::into_inner);
        match content.latest.take() {
            Some(item) => Taken::Some(item),
            None if content.is_closed => Taken::Closed,
            None => Taken::None,
        }
    }

    /// Held for a moment only, and never while anything is written.
    fn lock(&self) -> MutexGuard<'_, Content<T>> {
        self.0.content.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_is_taken_once_and_before_the_end() {
        let slot = Slot::new();
        assert!(matches!(slot.take_within(Duration::ZERO), Taken::None));
        slot.put(1);
        slot.put(2);
        slot.close();
        assert!(matches!(slot.take_within(Duration::ZERO), Taken::Some(2)));
        assert!(matches!(slot.take_within(Duration::ZERO), Taken::Closed));
    }
}
