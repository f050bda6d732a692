//! Counters. Every text message is counted in exactly one of the rows that say so.

/// What a client has seen and done since it was made.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct Stats {
    /// Text messages received, of any kind. The sum of all rows marked *one of `messages`*.
    pub messages: u64,
    /// Deltas applied to a live book as they came. *One of `messages`.*
    pub deltas: u64,
    /// Deltas kept for a book that waits for its snapshot. *One of `messages`.*
    pub buffered: u64,
    /// Frames of a topic that had been seen before. *One of `messages`.*
    pub repeats: u64,
    /// Deltas that the snapshot contained already. *One of `messages`.*
    pub covered: u64,
    /// Deltas that could not be decoded. *One of `messages`.*
    pub poisoned: u64,
    /// Messages handed out as a `Push`. *One of `messages`.*
    pub pushes: u64,
    /// Welcomes, pongs and acks that were expected. *One of `messages`.*
    pub control: u64,
    /// Welcomes, pongs and acks that nothing was waiting for. *One of `messages`.*
    pub unsolicited: u64,
    /// Error frames. *One of `messages`.*
    pub errors: u64,
    /// Messages of a topic that nobody wants (any more). *One of `messages`.*
    pub unwanted: u64,
    /// Frames of a type that is not known. *One of `messages`.*
    pub unknown: u64,
    /// Text that is not a frame. *One of `messages`.*
    pub malformed: u64,
    /// Text messages of connections that are gone. *One of `messages`.*
    pub stale: u64,

    /// Binary messages.
    pub binary: u64,
    /// Inputs other than text for connections or requests that are gone.
    pub stale_inputs: u64,
    /// Times the caller's clock went backwards.
    pub clock_backwards: u64,
    /// Missing runs of deltas.
    pub gaps: u64,
    /// Times a live book was lost for another reason than unsubscribing or closing.
    pub resyncs: u64,
    /// Connections that were ready and ended, other than by closing or being replaced.
    pub reconnects: u64,
    /// Lines that took the place of others.
    pub change_overs: u64,
    /// Tokens received.
    pub tokens: u64,
    /// Tokens that the server refused.
    pub unauthorized: u64,
    /// Snapshots received and usable.
    pub snapshots: u64,
    /// Snapshots that were too old.
    pub snapshots_too_old: u64,
    /// Live books that were held against a snapshot, because their stream had fallen silent.
    pub audits: u64,
    /// REST requests that failed.
    pub failed_fetches: u64,
    /// Pings sent.
    pub pings: u64,
    /// Pongs that answered one.
    pub pongs: u64,
    /// Times that cannot be read, and count as absent.
    pub odd_times: u64,
    /// Deltas that were not reported because outputs were not drained.
    pub lagged: u64,
}

/// What became of a text message. Each has one, and is counted by it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use = "a message is counted by it"]
pub(crate) enum Disposition {
    /// A delta, applied to a live book.
    Applied,
    /// A delta, kept for a book that waits for its snapshot.
    Buffered,
    /// Seen before.
    Repeat,
    /// A delta that the snapshot contained.
    Covered,
    /// A delta that could not be decoded.
    Poisoned,
    /// A message for the user.
    Pushed,
    /// A welcome, pong or ack that was expected.
    Control,
    /// A welcome, pong or ack that was not.
    Unsolicited,
    /// An error frame.
    Error,
    /// Of a topic that is not wanted.
    Unwanted,
    /// Of an unknown type.
    Unknown,
    /// Not a frame.
    Malformed,
    /// Of a connection that is gone.
    Stale,
}

impl Stats {
    /// Counts a text message.
    #[inline]
    pub(crate) fn count(&mut self, disposition: Disposition) {
        self.messages = self.messages.wrapping_add(1);
        let row = match disposition {
            Disposition::Applied => &mut self.deltas,
            Disposition::Buffered => &mut self.buffered,
            Disposition::Repeat => &mut self.repeats,
            Disposition::Covered => &mut self.covered,
            Disposition::Poisoned => &mut self.poisoned,
            Disposition::Pushed => &mut self.pushes,
            Disposition::Control => &mut self.control,
            Disposition::Unsolicited => &mut self.unsolicited,
            Disposition::Error => &mut self.errors,
            Disposition::Unwanted => &mut self.unwanted,
            Disposition::Unknown => &mut self.unknown,
            Disposition::Malformed => &mut self.malformed,
            Disposition::Stale => &mut self.stale,
        };
        // planted: repeats-uncounted
        *row = row.wrapping_add(1);
    }
}
