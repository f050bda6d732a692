//! A channel that costs one load while it is empty.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver};

/// Where other threads leave something for the thread or task that runs a feed: the results of helpers,
/// the commands of a pump's readers. First in, first out, without limit. When it is dropped, so is what
/// is left in it.
pub struct Mailbox<T> {
    sender: Sender<T>,
    received: Receiver<T>,
}

/// Puts items into a [`Mailbox`]. It wakes nobody: do that after sending.
pub struct Sender<T> {
    channel: mpsc::Sender<T>,
    /// Something was sent since the mailbox was last found empty.
    raised: Arc<AtomicBool>,
}

impl<T> Mailbox<T> {
    /// A sender, to be cloned.
    #[must_use]
    pub const fn sender(&self) -> &Sender<T> {
        &self.sender
    }

    /// Whether the next [`Mailbox::take`] yields nothing. May be false too often, never too seldom.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        !self.sender.raised.load(Ordering::Acquire)
    }

    /// The oldest item. Asked for with every message of the market, and nearly always in vain: so a flag
    /// is looked at, and the channel only if it is raised.
    #[inline]
    pub fn take(&self) -> Option<T> {
        if self.is_empty() { None } else { self.receive() }
    }

    fn receive(&self) -> Option<T> {
        // Lowered before the look: what comes after it raises it again.
        self.sender.raised.swap(false, Ordering::AcqRel);
        let taken = self.received.try_recv().ok()?;
        self.sender.raised.store(true, Ordering::Release);
        Some(taken)
    }
}

impl<T> Sender<T> {
    /// Leaves an item; false if the mailbox is gone, and the item with it.
    pub fn send(&self, item: T) -> bool {
        let sent = self.channel.send(item).is_ok();
        self.raised.store(true, Ordering::Release);
        sent
    }
}

impl<T> Default for Mailbox<T> {
    fn default() -> Self {
        let (channel, received) = mpsc::channel();
        Self { sender: Sender { channel, raised: Arc::default() }, received }
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        Self { channel: self.channel.clone(), raised: Arc::clone(&self.raised) }
    }
}

impl<T> fmt::Debug for Mailbox<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mailbox").field("is_empty", &self.is_empty()).finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_sent_is_taken_in_order() {
        let mailbox = Mailbox::default();
        assert_eq!(mailbox.take(), None::<u32>);
        assert!((0..3).all(|item| mailbox.sender().send(item)));
        let taken: Vec<u32> = std::iter::from_fn(|| mailbox.take()).collect();
        assert_eq!(taken, [0, 1, 2]);
        assert!(mailbox.is_empty());
    }

    #[test]
    fn a_mailbox_that_is_dropped_drops_what_is_in_it_and_refuses_more() {
        let (mailbox, item) = (Mailbox::default(), Arc::new(()));
        let sender = mailbox.sender().clone();
        assert!(sender.send(Arc::clone(&item)));
        drop(mailbox);
        assert!(!sender.send(Arc::clone(&item)));
        assert_eq!(Arc::strong_count(&item), 1);
    }

    #[test]
    fn nothing_is_overlooked_while_others_send() {
        const EACH: u32 = 20_000;
        let mailbox = Mailbox::default();
        let senders = [(); 2].map(|()| {
            let sender = mailbox.sender().clone();
            std::thread::spawn(move || assert!((0..EACH).all(|item| sender.send(item))))
        });
        let mut taken = 0;
        while taken < 2 * EACH {
            taken += u32::from(mailbox.take().is_some());
        }
        senders.into_iter().for_each(|sender| sender.join().unwrap());
        assert_eq!(mailbox.take(), None);
    }
}
