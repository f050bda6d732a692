//! What is replayed.

use std::io;

use kucoin_futures_proto::UnixNanos;

use crate::sink::Sink;

/// A recording that is gone through input by input.
pub trait Tape {
    /// When the next input was received, by the wall clock of who recorded; `None` at the end.
    fn next_at(&self) -> Option<UnixNanos>;

    /// Applies the next input, and shows its outputs to the sink. Nothing at the end.
    ///
    /// # Errors
    /// The recording cannot be read, or is damaged here.
    fn step(&mut self, sink: &mut dyn Sink) -> io::Result<()>;

    /// From the beginning again.
    ///
    /// # Errors
    /// The recording cannot be read.
    fn rewind(&mut self) -> io::Result<()>;
}
