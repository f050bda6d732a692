//! A socket's place in the poller, given up before the socket is.

use std::io;
use std::net::TcpStream;
use std::sync::Arc;

use polling::{Event, PollMode, Poller};

/// Owns a second handle of a stream for as long as the poller watches it.
#[derive(Debug)]
pub(crate) struct Registered {
    poller: Arc<Poller>,
    tcp: TcpStream,
    key: usize,
    /// Told of for as long as it lasts, or once after each call.
    mode: PollMode,
    /// What the poller looks for; `None`: nothing yet.
    asked: Option<bool>,
}

impl Registered {
    /// Starts watching, for nothing yet.
    pub(crate) fn new(poller: Arc<Poller>, tcp: &TcpStream, key: usize) -> io::Result<Self> {
        let tcp = tcp.try_clone()?;
        // Nobody waits while there is something to read: notices cannot pile up.
        let mode = if poller.supports_level() { PollMode::Level } else { PollMode::Oneshot };
        // SAFETY: the handle lives in `self` and is deleted from the poller in `drop`, before it is
        // closed.
        #[allow(unsafe_code, reason = "the poller wants a promise about the handle's life")]
        unsafe {
            poller.add_with_mode(&tcp, Event::none(key), mode)?;
        }
        Ok(Self { poller, tcp, key, mode, asked: None })
    }

    /// Asks for a notice: readable, and writable if `write`. No system call if that stands already.
    pub(crate) fn watch(&mut self, write: bool) -> io::Result<()> {
        if self.asked == Some(write) && self.mode == PollMode::Level {
            return Ok(());
        }
        let interest = if write { Event::all(self.key) } else { Event::readable(self.key) };
        self.poller.modify_with_mode(&self.tcp, interest, self.mode)?;
        self.asked = Some(write);
        Ok(())
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        if let Err(error) = self.poller.delete(&self.tcp) {
            tracing::debug!(%error, "poller");
        }
    }
}
