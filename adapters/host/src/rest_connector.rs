//! How the REST client reaches a host: as sockets do, in place of ureq's own resolver and TCP.
//!
//! TLS stays ureq's, chained after this.

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use ureq::Error;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, LazyBuffers, NextTimeout, Transport,
};

use crate::addresses::Addresses;
use crate::clock::Clock;
use crate::dial::{Attempt, dial};

/// Resolves and connects.
#[derive(Clone, Debug)]
pub(crate) struct RestConnector(pub(crate) Addresses);

/// As many as ureq has room for.
const MAX_ADDRESSES: usize = 16;

impl Resolver for RestConnector {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, Error> {
        if self.0.is_by_system() {
            // It has a helper that keeps the time.
            return DefaultResolver::default().resolve(uri, config, timeout);
        }
        let host = uri.host().ok_or(Error::HostNotFound)?;
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let is_https = uri.scheme_str() == Some("https");
        let port = uri.port_u16().unwrap_or(if is_https { 443 } else { 80 });
        let found = self.0.lookup(host, port).map_err(|_| Error::HostNotFound)?;
        let mut resolved = self.empty();
        found.into_iter().take(MAX_ADDRESSES).for_each(|address| resolved.push(address));
        Ok(resolved)
    }
}

impl Connector for RestConnector {
    type Out = TcpTransport;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        _: Option<()>,
    ) -> Result<Option<TcpTransport>, Error> {
        let limit = time_left(details.timeout)?;
        let dialled = dial(&self.0, &details.addrs, limit, &Attempt::default());
        let tcp = dialled.map_err(|error| timed_out(error, details.timeout))?;
        let config = details.config;
        let buffers = LazyBuffers::new(config.input_buffer_size(), config.output_buffer_size());
        Ok(Some(TcpTransport { tcp, buffers }))
    }
}

/// What ureq's own does, which cannot be made of a stream.
#[derive(Debug)]
pub(crate) struct TcpTransport {
    tcp: TcpStream,
    buffers: LazyBuffers,
}

impl Transport for TcpTransport {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        let timeout = timeout.for_write();
        self.tcp.set_write_timeout(Some(time_left(timeout)?))?;
        let bytes = self.buffers.output().get(..amount).unwrap_or_default();
        self.tcp.write_all(bytes).map_err(|error| timed_out(error, timeout))
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        let timeout = timeout.for_read();
        let clock = Clock::new();
        let end = clock.now() + time_left(timeout)?;
        loop {
            // A signal ends a read early; it must not make it longer.
            let left = end.since(clock.now());
            if left.is_zero() {
                return Err(Error::Timeout(timeout.reason));
            }
            self.tcp.set_read_timeout(Some(left))?;
            match self.tcp.read(self.buffers.input_append_buf()) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                read => {
                    let count = read.map_err(|error| timed_out(error, timeout))?;
                    self.buffers.input_appended(count);
                    return Ok(count > 0);
                }
            }
        }
    }

    fn is_open(&mut self) -> bool {
        is_silent(&self.tcp).unwrap_or(false)
    }
}

/// Open, with nothing to read: what was not asked for cannot be an answer.
fn is_silent(tcp: &TcpStream) -> io::Result<bool> {
    tcp.set_nonblocking(true)?;
    let peeked = tcp.peek(&mut [0]);
    tcp.set_nonblocking(false)?;
    Ok(peeked.is_err_and(|error| error.kind() == ErrorKind::WouldBlock))
}

/// For requests without a limit; the core's have one.
const LONGEST: Duration = Duration::from_secs(3600);

fn time_left(timeout: NextTimeout) -> Result<Duration, Error> {
    if timeout.after.is_zero() {
        return Err(Error::Timeout(timeout.reason));
    }
    Ok((*timeout.after).min(LONGEST))
}

fn timed_out(error: io::Error, timeout: NextTimeout) -> Error {
    match error.kind() {
        ErrorKind::TimedOut | ErrorKind::WouldBlock => Error::Timeout(timeout.reason),
        _ => Error::Io(error),
    }
}
