//! When a connection comes how far, as a feed's tap sees it.

use std::sync::{Arc, Mutex, PoisonError};

use kucoin_futures_proto::{Command, Config, Input, Instant, Output, Tap};

/// When each was reached, the last time; shared with the tap.
#[derive(Clone, Debug, Default)]
pub(super) struct Steps(Arc<Mutex<Marks>>);

/// By the feed's clock.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Marks {
    now: Option<Instant>,
    /// What was asked for last before the connection: a token.
    pub(super) token_asked: Option<Instant>,
    pub(super) opening: Option<Instant>,
    pub(super) opened: Option<Instant>,
}

impl Steps {
    pub(super) fn marks(&self) -> Marks {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, note: impl FnOnce(&mut Marks)) {
        note(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

impl Tap for Steps {
    fn on_start(&mut self, _: Instant, _: u64, _: &Config) {}

    fn on_command(&mut self, now: Instant, _: Command) {
        self.note(|marks| marks.now = Some(now));
    }

    fn on_input(&mut self, now: Instant, input: &Input<'_>) {
        self.note(|marks| {
            marks.now = Some(now);
            if matches!(input, Input::Opened { .. }) {
                marks.opened = Some(now);
            }
        });
    }

    fn on_output(&mut self, output: &Output<'_>) {
        self.note(|marks| match output {
            Output::Fetch(_) if marks.opening.is_none() => marks.token_asked = marks.now,
            Output::Open { .. } => marks.opening = marks.now,
            _ => {}
        });
    }

    fn on_drained(&mut self) {}

    fn on_poll(&mut self) {}
}
