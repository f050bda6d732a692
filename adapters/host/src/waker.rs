//! Ends a feed's wait from elsewhere.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task;

/// Ends a wait of its feed from another thread or task, such as a signal handler's. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Waker {
    asked: Arc<AtomicBool>,
    transport: task::Waker,
}

impl Waker {
    pub(crate) fn new(transport: task::Waker) -> Self {
        Self { asked: Arc::default(), transport }
    }

    /// Lets the present or next `next_within` return [`Next::Quiet`](crate::Next::Quiet), once there is
    /// nothing to tell. `next` goes on waiting.
    pub fn wake(&self) {
        self.asked.store(true, Ordering::Release);
        self.transport.wake_by_ref();
    }

    pub(crate) fn is_asked(&self) -> bool {
        self.asked.load(Ordering::Acquire)
    }

    /// Whether it was used since this was last called.
    pub(crate) fn take(&self) -> bool {
        self.asked.load(Ordering::Relaxed) && self.asked.swap(false, Ordering::Acquire)
    }
}
