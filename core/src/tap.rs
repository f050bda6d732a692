//! Who looks on while a client is driven.

use core::fmt;

use crate::command::Command;
use crate::config::Config;
use crate::input::Input;
use crate::output::Output;
use crate::time::Instant;

/// Is shown all that a client is told and all that it puts out, in order, by whoever drives it: for recordings. It
/// must be quick and must not fail: the client waits for it.
///
/// Another client that is told the same puts out the same:
///
/// ```text
/// on_start                  Client::new
/// on_command                Client::command
/// on_input                  Client::handle
///   on_output                 its Turn, one after the other; or the message alone (Turn::into_message)
///   on_drained                if the turn was asked until it had no more
/// on_poll                   Client::poll_output is about to be called until it has no more
///   on_output
///   on_drained                if it has no more; it may be left out
/// ```
///
/// A [`Output::Open`] holds a token, and so does the [`Input::Reply`] with a bullet response: whoever writes
/// something down leaves those out.
pub trait Tap: fmt::Debug + Send {
    /// A client is made.
    fn on_start(&mut self, now: Instant, seed: u64, config: &Config);
    /// It is about to be told this, whatever comes of it.
    fn on_command(&mut self, now: Instant, command: Command);
    /// It is about to be told this.
    fn on_input(&mut self, now: Instant, input: &Input<'_>);
    /// It has put this out.
    fn on_output(&mut self, output: &Output<'_>);
    /// The turn of the latest input, or the client itself since `on_poll`, was asked until it had no more.
    fn on_drained(&mut self);
    /// It is about to be asked for all outputs that there are, outside of a turn.
    fn on_poll(&mut self);
}
