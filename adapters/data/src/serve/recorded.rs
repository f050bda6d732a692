//! The sessions of a recording, one after the other, as what is served.

use std::io;

use kucoin_futures_proto::{Output, UnixNanos};

use super::Tape;
use crate::error::RecordingError;
use crate::reader::{Recording, Session};
use crate::replayer::Replayer;
use crate::sink::{Moment, Sink};

/// A recording to be [served](super::serve): each of its sessions is a client of its own, and between two of them
/// nothing is known.
#[derive(Debug)]
pub struct RecordingTape {
    sessions: Vec<Session>,
    /// Which of them is being replayed.
    number: usize,
    replayer: Option<Replayer>,
    next_at: Option<UnixNanos>,
}

impl RecordingTape {
    /// At its beginning.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn new(recording: &Recording) -> Result<Self, RecordingError> {
        let sessions = recording.sessions.clone();
        let mut tape = Self { sessions, number: 0, replayer: None, next_at: None };
        tape.begin(0)?;
        Ok(tape)
    }

    fn begin(&mut self, number: usize) -> Result<(), RecordingError> {
        self.number = number;
        self.replayer = self.sessions.get(number).map(Replayer::new);
        self.look()
    }

    /// Goes over to the next session at the end of one.
    fn look(&mut self) -> Result<(), RecordingError> {
        self.next_at = match &mut self.replayer {
            Some(replayer) => replayer.next_at()?,
            None => None,
        };
        Ok(())
    }

    fn try_step(&mut self, sink: &mut dyn Sink) -> Result<(), RecordingError> {
        let is_last = self.number + 1 >= self.sessions.len();
        let Some(replayer) = &mut self.replayer else { return Ok(()) };
        replayer.step(&mut Part { sink, is_last })?;
        self.look()?;
        while self.next_at.is_none() && self.number + 1 < self.sessions.len() {
            self.begin(self.number + 1)?;
        }
        Ok(())
    }
}

impl Tape for RecordingTape {
    fn next_at(&self) -> Option<UnixNanos> {
        self.next_at
    }

    fn step(&mut self, sink: &mut dyn Sink) -> io::Result<()> {
        self.try_step(sink).map_err(io::Error::other)
    }

    fn rewind(&mut self) -> io::Result<()> {
        self.begin(0).map_err(io::Error::other)
    }
}

/// One session of several: only the last one's end is the end.
struct Part<'a> {
    sink: &'a mut dyn Sink,
    is_last: bool,
}

impl Sink for Part<'_> {
    fn on_start(&mut self, moment: &Moment<'_>) -> io::Result<()> {
        self.sink.on_start(moment)
    }

    fn on_output(&mut self, moment: &Moment<'_>, output: &Output<'_>) -> io::Result<()> {
        self.sink.on_output(moment, output)
    }

    fn on_end(&mut self, moment: &Moment<'_>) -> io::Result<()> {
        if self.is_last { self.sink.on_end(moment) } else { Ok(()) }
    }
}
