//! Where hosts are, and which of their addresses to try first.

use std::fmt;
use std::io::{self, ErrorKind};
use std::net::{IpAddr, SocketAddr, ToSocketAddrs as _};
use std::sync::Arc;

use kucoin_futures_proto::Instant;

use crate::happy_eyeballs::{FailedAddresses, Race};

/// What gives the addresses of a host. Default: the system's resolver.
#[derive(Clone, Default)]
pub struct Resolve(Option<Arc<Lookup>>);

type Lookup = dyn Fn(&str, u16) -> io::Result<Vec<SocketAddr>> + Send + Sync;

impl Resolve {
    /// Asks this in place of the system: to pin addresses, or to ask a resolver of your own. It gets host
    /// and port, of sockets and of REST, for each connect and each request; certificates are still checked
    /// against the host. It may block, but what it takes is not limited. No address, or an error: the host
    /// is not known. At most sixteen addresses are used for REST.
    ///
    /// ```
    /// use std::net::ToSocketAddrs;
    ///
    /// let pinned = kucoin_futures_host::Resolve::by(|host, port| match host {
    ///     "api-futures.kucoin.com" => Ok(vec![([192, 0, 2, 1], port).into()]),
    ///     _ => (host, port).to_socket_addrs().map(Iterator::collect),
    /// });
    /// ```
    #[must_use]
    pub fn by(
        lookup: impl Fn(&str, u16) -> io::Result<Vec<SocketAddr>> + Send + Sync + 'static,
    ) -> Self {
        Self(Some(Arc::new(lookup)))
    }

    fn lookup(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        if let Ok(ip) = host.parse::<IpAddr>() {
            return Ok(vec![(ip, port).into()]);
        }
        let found = match &self.0 {
            Some(lookup) => lookup(host, port),
            None => (host, port).to_socket_addrs().map(Iterator::collect),
        }?;
        if found.is_empty() { Err(ErrorKind::NotFound.into()) } else { Ok(found) }
    }
}

impl fmt::Debug for Resolve {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Resolve(by a function)" } else { "Resolve(system)" })
    }
}

/// What is known of addresses: a resolver, and a memory of those that did not answer. Sockets and REST of
/// a feed share one; cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Addresses {
    resolve: Resolve,
    failed: FailedAddresses,
}

impl Addresses {
    /// Nothing has failed yet.
    #[must_use]
    pub fn new(resolve: Resolve) -> Self {
        Self { resolve, failed: FailedAddresses::default() }
    }

    /// The addresses of a host, at least one. Blocks for as long as the resolver does.
    ///
    /// # Errors
    /// The host is not known, or the resolver cannot be asked.
    pub fn lookup(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        self.resolve.lookup(host, port)
    }

    /// Whether nobody but the system is asked.
    pub(crate) fn is_by_system(&self) -> bool {
        self.resolve.0.is_none()
    }

    /// The order and the times in which these addresses of one host are to be tried.
    #[must_use]
    pub fn race(&self, now: Instant, addresses: &[SocketAddr]) -> Race {
        Race::new(now, addresses, &self.failed)
    }
}
