//! Several who look on.

use kucoin_futures_proto::{Command, Config, Input, Instant, Output, Tap};

/// Shows everything to each, in order.
#[derive(Debug)]
pub(crate) struct Taps(Vec<Box<dyn Tap>>);

impl Taps {
    pub(crate) fn of(taps: impl IntoIterator<Item = Box<dyn Tap>>) -> Self {
        Self(taps.into_iter().collect())
    }
}

impl Tap for Taps {
    fn on_start(&mut self, now: Instant, seed: u64, config: &Config) {
        self.0.iter_mut().for_each(|tap| tap.on_start(now, seed, config));
    }

    fn on_command(&mut self, now: Instant, command: Command) {
        self.0.iter_mut().for_each(|tap| tap.on_command(now, command));
    }

    fn on_input(&mut self, now: Instant, input: &Input<'_>) {
        self.0.iter_mut().for_each(|tap| tap.on_input(now, input));
    }

    fn on_output(&mut self, output: &Output<'_>) {
        self.0.iter_mut().for_each(|tap| tap.on_output(output));
    }

    fn on_drained(&mut self) {
        self.0.iter_mut().for_each(|tap| tap.on_drained());
    }

    fn on_poll(&mut self) {
        self.0.iter_mut().for_each(|tap| tap.on_poll());
    }
}
