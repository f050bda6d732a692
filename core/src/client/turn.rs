//! What came of one input, in order.

use super::Client;
use crate::output::Output;
use crate::push::Push;

/// What came of one input: effects to perform, events, and the message for the user that stood in the
/// frame, in the order of their causes.
///
/// Drain it. Outputs that are left in it stay in the client and come with the next turn, or from
/// [`Client::poll_output`]; a message that is left in it is lost, because it lies in the caller's bytes.
#[derive(Debug)]
#[must_use = "effects wait in it to be performed, and a message that is not taken is lost"]
pub struct Turn<'a> {
    client: &'a mut Client,
    /// Where a message lies, if the client has one.
    bytes: &'a [u8],
    /// Outputs that come before it.
    before: usize,
    is_told: bool,
}

impl<'a> Turn<'a> {
    #[inline]
    pub(super) const fn new(client: &'a mut Client, bytes: &'a [u8], before: usize) -> Self {
        Self { client, bytes, before, is_told: false }
    }

    /// The next output; `None` once the turn and the client are drained. Lent: look at it before asking
    /// for the one after.
    #[inline]
    #[allow(clippy::should_implement_trait, reason = "no iterator lends")]
    pub fn next(&mut self) -> Option<Output<'_>> {
        if self.client.message.is_some() && !self.is_told {
            if self.before == 0 || self.client.cx.outbox.is_empty() {
                self.is_told = true;
                return Some(Output::Push(self.client.message.as_ref()?.on(self.bytes)));
            }
            self.before = self.before.saturating_sub(1);
        }
        self.client.poll_output()
    }

    /// The message alone, whether it was lent before or not. What was not drained stays in the client, for
    /// a caller who drains after several inputs.
    #[must_use]
    pub fn into_message(self) -> Option<Push<'a>> {
        Some(self.client.message.as_ref()?.on(self.bytes))
    }

    /// The client, as it is after the whole input: its books may be further than the output that was lent
    /// last.
    #[must_use]
    pub const fn client(&self) -> &Client {
        self.client
    }
}
