//! A client that somebody may look on at.

use std::fmt;
use std::ops::{Deref, DerefMut};

use kucoin_futures_proto::{Client, Command, Config, Input, Instant, Output, Push, Tap};

/// Makes somebody who looks on at a client, by its number, whenever there is another one: also when it is replaced.
pub struct Taps(Box<dyn FnMut(usize) -> Option<Box<dyn Tap>>>);

impl Taps {
    /// By this function. `None`: nobody does.
    #[must_use]
    pub fn new(make: impl FnMut(usize) -> Option<Box<dyn Tap>> + 'static) -> Self {
        Self(Box::new(make))
    }

    pub(super) fn make(&mut self, number: usize) -> Option<Box<dyn Tap>> {
        (self.0)(number)
    }
}

impl Default for Taps {
    fn default() -> Self {
        Self::new(|_| None)
    }
}

impl fmt::Debug for Taps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Taps(..)")
    }
}

/// A client with who looks on.
#[derive(Debug)]
pub(super) struct Tapped {
    client: Client,
    tap: Option<Box<dyn Tap>>,
}

impl Tapped {
    pub(super) fn new(
        now: Instant,
        seed: u64,
        config: &Config,
        mut tap: Option<Box<dyn Tap>>,
    ) -> Self {
        if let Some(tap) = &mut tap {
            tap.on_start(now, seed, config);
        }
        Self { client: Client::new(now, seed, config.clone()), tap }
    }

    /// Gives it a command, by a function that is called with it.
    pub(super) fn command<R>(
        &mut self,
        now: Instant,
        command: Command,
        call: impl FnOnce(&mut Client, Instant) -> R,
    ) -> R {
        if let Some(tap) = &mut self.tap {
            tap.on_command(now, command);
        }
        call(&mut self.client, now)
    }

    /// Gives it an input; its outputs stay in it, but for the message.
    pub(super) fn handle<'a>(&'a mut self, now: Instant, input: Input<'a>) -> Option<Push<'a>> {
        if let Some(tap) = &mut self.tap {
            tap.on_input(now, &input);
        }
        let push = self.client.handle(now, input).into_message();
        if let (Some(tap), Some(push)) = (&mut self.tap, push) {
            tap.on_output(&Output::Push(push));
        }
        push
    }

    /// From now on outputs are taken, until there are no more.
    pub(super) fn begin_poll(&mut self) {
        if let Some(tap) = &mut self.tap {
            tap.on_poll();
        }
    }

    pub(super) fn poll_output(&mut self) -> Option<Output<'static>> {
        let output = self.client.poll_output()?;
        if let Some(tap) = &mut self.tap {
            tap.on_output(&output);
        }
        Some(output)
    }
}

impl Deref for Tapped {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

/// For what nobody looks on at.
impl DerefMut for Tapped {
    fn deref_mut(&mut self) -> &mut Client {
        &mut self.client
    }
}
