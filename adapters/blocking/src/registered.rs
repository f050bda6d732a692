//! A socket's place in the poller, given up before the socket is.

use std::io;
use std::net::TcpStream;
use std::sync::Arc;

use polling::{Event, Poller};

/// Owns a second handle of a stream for as long as the poller watches it.
#[derive(Debug)]
pub(crate) struct Registered {
    poller: Arc<Poller>,
    tcp: TcpStream,
    key: usize,
}

impl Registered {
    /// Starts watching, for nothing yet.
    pub(crate) fn new(poller: Arc<Poller>, tcp: &TcpStream, key: usize) -> io::Result<Self> {
        let tcp = tcp.try_clone()?;
        // SAFETY: the handle lives in `self` and is deleted from the poller in `drop`, before it is
        // closed.
        #[allow(unsafe_code, reason = "the poller wants a promise about the handle's life")]
        unsafe {
            poller.add(&tcp, Event::none(key))?;
        }
        Ok(Self { poller, tcp, key })
    }

    /// Asks for one notice: readable, and writable if `write`.
    pub(crate) fn watch(&self, write: bool) -> io::Result<()> {
        let interest = if write { Event::all(self.key) } else { Event::readable(self.key) };
        self.poller.modify(&self.tcp, interest)
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        if let Err(error) = self.poller.delete(&self.tcp) {
            tracing::debug!(%error, "poller");
        }
    }
}
