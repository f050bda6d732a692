//! Addresses that neither accept nor refuse.

use std::net::{SocketAddr, TcpStream};

use kucoin_futures_host::Resolve;
use socket2::{Domain, Socket, Type};

use crate::rig::MS;

/// A listener whose queue is full: the system drops whoever knocks.
pub(crate) struct BlackHole {
    addr: SocketAddr,
    _listener: Socket,
    _queued: Vec<TcpStream>,
}

impl BlackHole {
    fn new() -> Self {
        let listener = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        listener.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
        listener.listen(0).unwrap();
        let addr = listener.local_addr().unwrap().as_socket().unwrap();
        let knock = || TcpStream::connect_timeout(&addr, 50 * MS).ok();
        let queued: Vec<_> = std::iter::from_fn(knock).take(100).collect();
        assert!(queued.len() < 100, "this system takes everybody in");
        Self { addr, _listener: listener, _queued: queued }
    }

    /// So many, each with an address of its own.
    pub(crate) fn many(count: usize) -> Vec<Self> {
        (0..count).map(|_| Self::new()).collect()
    }
}

/// `localhost` has these addresses, whatever the port, with the good one at the end if there is one.
pub(crate) fn localhost_at(holes: &[BlackHole], good: Option<SocketAddr>) -> Resolve {
    let all: Vec<_> = holes.iter().map(|hole| hole.addr).chain(good).collect();
    Resolve::by(move |host, _| {
        assert_eq!(host, "localhost");
        Ok(all.clone())
    })
}
