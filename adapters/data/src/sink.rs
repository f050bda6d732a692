//! What looks on while a recording is replayed, or while a feed runs.

use std::io;

use kucoin_futures_proto::{Client, Instant, Output, UnixNanos};

/// When something was put out, and by whom.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Moment<'a> {
    /// By the monotonic clock of the machine that recorded, in nanoseconds since a start of its own.
    pub now: Instant,
    /// By its wall clock: when the input was received that this came of.
    pub received: UnixNanos,
    /// The client as it is after the whole input: its books may be further than the output that is shown.
    pub client: &'a Client,
}

impl<'a> Moment<'a> {
    /// Of these parts.
    #[must_use]
    pub const fn new(now: Instant, received: UnixNanos, client: &'a Client) -> Self {
        Self { now, received, client }
    }
}

/// Takes what a client puts out, in order, and makes files of it.
pub trait Sink {
    /// A client begins, after another one or as the first: nothing is known any more.
    ///
    /// # Errors
    /// Those of the file system.
    fn on_start(&mut self, moment: &Moment<'_>) -> io::Result<()>;

    /// The client has put something out.
    ///
    /// # Errors
    /// Those of the file system.
    fn on_output(&mut self, moment: &Moment<'_>, output: &Output<'_>) -> io::Result<()>;

    /// That was all: files are completed. `moment` is that of the last input.
    ///
    /// # Errors
    /// Those of the file system.
    fn on_end(&mut self, moment: &Moment<'_>) -> io::Result<()>;
}

/// Looks at nothing.
impl Sink for () {
    fn on_start(&mut self, _: &Moment<'_>) -> io::Result<()> {
        Ok(())
    }

    fn on_output(&mut self, _: &Moment<'_>, _: &Output<'_>) -> io::Result<()> {
        Ok(())
    }

    fn on_end(&mut self, _: &Moment<'_>) -> io::Result<()> {
        Ok(())
    }
}
