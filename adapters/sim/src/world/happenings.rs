//! What is told of a run.

use kucoin_futures_proto::{Event, Instant};

use crate::fault::Fault;

/// Something that happened in the world, in order.
#[derive(Clone, PartialEq, Eq, Debug)]
#[allow(clippy::exhaustive_enums, reason = "what a client says, or what was done to it")]
pub enum WorldEvent {
    /// The client reported it.
    Client(Event),
    /// The client handed out a message of a topic, or a reply.
    Push(Box<[u8]>),
    /// A scripted fault's time came.
    Fault(Fault),
}

/// What is remembered of the first client, if anything is.
#[derive(Debug, Default)]
pub(super) struct Happenings {
    pub(super) list: Vec<(Instant, WorldEvent)>,
    pub(super) off: bool,
}

impl Happenings {
    pub(super) fn push(&mut self, now: Instant, happening: impl FnOnce() -> Option<WorldEvent>) {
        if !self.off {
            self.list.extend(happening().map(|happening| (now, happening)));
        }
    }
}
