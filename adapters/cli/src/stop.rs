//! Ctrl-C and its relatives: the first one ends cleanly, the second one at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::exit::{Failure, Kind};
use crate::terminal;

/// Says whether it is time to stop.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Listens for signals; `notify` is called when one comes.
    pub(crate) fn on_signal(notify: impl Fn() + Send + 'static) -> Result<Self, Failure> {
        let stop = Self::default();
        let asked = stop.clone();
        ctrlc::set_handler(move || {
            if asked.0.swap(true, Ordering::Relaxed) {
                // Whatever is in the way of a clean end: the terminal must be usable.
                let _ = terminal::give_back();
                std::process::exit(130);
            }
            notify();
        })
        .map_err(|error| Failure::new(Kind::Runtime, error))?;
        Ok(stop)
    }

    /// As if a signal had come.
    pub(crate) fn ask(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_asked(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
