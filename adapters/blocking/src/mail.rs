//! What helper threads bring: a channel that costs one load while it is empty.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};

/// The receiving end.
pub(crate) struct Mail<T> {
    post: Post<T>,
    received: Receiver<T>,
}

/// A sending end.
pub(crate) struct Post<T> {
    sender: Sender<T>,
    /// Something was sent since the mail was last found empty.
    raised: Arc<AtomicBool>,
}

impl<T> Mail<T> {
    pub(crate) fn new() -> Self {
        let (sender, received) = channel();
        Self { post: Post { sender, raised: Arc::default() }, received }
    }

    pub(crate) const fn post(&self) -> &Post<T> {
        &self.post
    }

    /// The oldest that is there. Asked for with every message of the market, and nearly always in
    /// vain: so a flag is looked at, and the channel only behind it.
    #[inline]
    pub(crate) fn take(&self) -> Option<T> {
        if self.post.raised.load(Ordering::Acquire) { self.receive() } else { None }
    }

    fn receive(&self) -> Option<T> {
        // Lowered before the look: what comes after it is announced again.
        self.post.raised.swap(false, Ordering::AcqRel);
        let taken = self.received.try_recv().ok()?;
        self.post.raised.store(true, Ordering::Release);
        Some(taken)
    }
}

impl<T> Post<T> {
    /// Nobody may be left to take it; that is nothing to us.
    pub(crate) fn send(&self, item: T) {
        let _ = self.sender.send(item);
        self.raised.store(true, Ordering::Release);
    }
}

impl<T> fmt::Debug for Mail<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mail").finish_non_exhaustive()
    }
}

impl<T> Clone for Post<T> {
    fn clone(&self) -> Self {
        Self { sender: self.sender.clone(), raised: Arc::clone(&self.raised) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_sent_is_taken_in_order() {
        let mail = Mail::new();
        assert_eq!(mail.take(), None::<u32>);
        (0..3).for_each(|item| mail.post().send(item));
        let taken: Vec<u32> = std::iter::from_fn(|| mail.take()).collect();
        assert_eq!(taken, [0, 1, 2]);
    }

    #[test]
    fn nothing_is_overlooked_while_others_send() {
        const EACH: u32 = 20_000;
        let mail = Mail::new();
        let senders = [(); 2].map(|()| {
            let post = mail.post().clone();
            std::thread::spawn(move || (0..EACH).for_each(|item| post.send(item)))
        });
        let mut taken = 0;
        while taken < 2 * EACH {
            taken += u32::from(mail.take().is_some());
        }
        senders.into_iter().for_each(|sender| sender.join().unwrap());
        assert_eq!(mail.take(), None);
    }
}
