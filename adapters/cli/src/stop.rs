//! Ctrl-C and its relatives: the first one ends cleanly, the second one at once.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::exit::{Failure, Kind};
use crate::terminal;

/// Says whether it is time to stop.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stop {
    asked: Arc<AtomicBool>,
    notify: Arc<Mutex<Notify>>,
    changed: Arc<Condvar>,
}

/// What ends a wait.
#[derive(Default)]
struct Notify(Option<Box<dyn Fn() + Send>>);

impl fmt::Debug for Notify {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Notify(..)")
    }
}

impl Stop {
    /// Listens for signals; `notify` is called when one comes.
    pub(crate) fn on_signal(notify: impl Fn() + Send + 'static) -> Result<Self, Failure> {
        let stop = Self::default();
        stop.notify_by(notify);
        let theirs = stop.clone();
        ctrlc::set_handler(move || {
            if theirs.asked.swap(true, Ordering::Relaxed) {
                // Whatever is in the way of a clean end: the terminal must be usable.
                let _ = terminal::give_back();
                std::process::exit(130);
            }
            if let Notify(Some(notify)) = &*theirs.lock() {
                notify();
            }
            theirs.changed.notify_all();
        })
        .map_err(|error| Failure::new(Kind::Runtime, error))?;
        Ok(stop)
    }

    /// From now on this is called when a signal comes.
    pub(crate) fn notify_by(&self, notify: impl Fn() + Send + 'static) {
        *self.lock() = Notify(Some(Box::new(notify)));
    }

    /// Waits so long, or until it is time to stop.
    pub(crate) fn wait(&self, span: Duration) {
        let goes_on = |_: &mut Notify| !self.is_asked();
        let _ = self.changed.wait_timeout_while(self.lock(), span, goes_on);
    }

    fn lock(&self) -> MutexGuard<'_, Notify> {
        self.notify.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// As if a signal had come.
    pub(crate) fn ask(&self) {
        self.asked.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_asked(&self) -> bool {
        self.asked.load(Ordering::Relaxed)
    }
}
