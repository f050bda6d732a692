//! The doors of a hostile peer: one for REST, one for sockets, in front of a good exchange.
//!
//! ```text
//!  client ── REST ────> gate ── what the row does not spoil ──> exchange
//!         └─ socket ──> gate    while it is hostile; afterwards the exchange's own
//! ```

use std::io::{self, ErrorKind, Read as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use kucoin_futures_host::tls_config;
use kucoin_futures_sim::{Authority, Flaw};
use rustls::{ClientConfig, ServerConfig};

use super::frames::closes;
use super::guest::{End, Guest};
use super::io::Io;
use super::row::{Place, Row};
use crate::rig::{Rig, Wire};

/// What is knocked at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Door {
    Rest,
    Socket,
}

/// Spoils one thing for whoever comes, until it is told to be good.
pub(super) struct Gate {
    rest: SocketAddr,
    socket: SocketAddr,
    shared: Arc<Shared>,
}

/// The good exchange behind it.
pub(super) struct Exchange {
    addr: SocketAddr,
    tls: Option<Arc<ClientConfig>>,
}

struct Shared {
    row: &'static Row,
    exchange: Exchange,
    /// The right certificate, and the row's.
    tls: Option<[Arc<ServerConfig>; 2]>,
    is_good: AtomicBool,
    is_over: AtomicBool,
    closes: Mutex<Vec<u16>>,
}

/// Longest request.
const MAX_HEAD: usize = 64 << 10;

impl Exchange {
    pub(super) fn connect(&self) -> io::Result<Io> {
        Io::connect(self.addr, self.tls.as_ref())
    }
}

impl Gate {
    /// In front of this exchange.
    pub(super) fn new(row: &'static Row, rig: &Rig, wire: Wire) -> Self {
        let (tls, to_exchange) = match wire {
            Wire::Plain => (None, None),
            Wire::Tls => {
                let of_row = match row.place {
                    Place::Certificate(_, None) => Authority::new().unwrap().server(None),
                    Place::Certificate(_, flaw) => rig.authority().server(flaw),
                    _ => rig.authority().server(None),
                };
                let right = rig.authority().server(None::<Flaw>).unwrap();
                (Some([right, of_row.unwrap()]), Some(tls_config(&rig.roots()).unwrap()))
            }
        };
        let shared = Arc::new(Shared {
            row,
            exchange: Exchange { addr: rig.server.addr(), tls: to_exchange },
            tls,
            is_good: AtomicBool::new(false),
            is_over: AtomicBool::new(false),
            closes: Mutex::default(),
        });
        let [rest, socket] = [Door::Rest, Door::Socket].map(|door| open(&shared, door));
        Self { rest, socket, shared }
    }

    pub(super) const fn rest(&self) -> SocketAddr {
        self.rest
    }

    pub(super) const fn socket(&self) -> SocketAddr {
        self.socket
    }

    /// From now on nothing is spoilt.
    pub(super) fn be_good(&self) {
        self.shared.is_good.store(true, Ordering::Relaxed);
    }

    /// The codes that clients have closed their sockets with.
    pub(super) fn closes(&self) -> Vec<u16> {
        self.shared.closes.lock().unwrap().clone()
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::Relaxed);
        // They look up when somebody knocks.
        for door in [self.rest, self.socket] {
            let _ = TcpStream::connect(door);
        }
    }
}

fn open(shared: &Arc<Shared>, door: Door) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    let shared = Arc::clone(shared);
    std::thread::spawn(move || {
        for tcp in listener.incoming().flatten() {
            if shared.is_over.load(Ordering::Relaxed) {
                return;
            }
            let shared = Arc::clone(&shared);
            // How a client goes away is its own affair.
            std::thread::spawn(move || shared.serve(door, tcp).ok());
        }
    });
    addr
}

impl Shared {
    fn serve(&self, door: Door, tcp: TcpStream) -> io::Result<()> {
        let is_hostile = !self.is_good.load(Ordering::Relaxed);
        if is_hostile && self.row.place == Place::Greeting(door) {
            return self.act(Guest::new(Io::plain(tcp)?, String::new(), &self.exchange));
        }
        let is_shown = matches!(self.row.place, Place::Certificate(at, _) if at == door);
        let tls = self.tls.as_ref().map(
            |[right, of_row]| {
                if is_hostile && is_shown { of_row } else { right }
            },
        );
        let mut io = Io::accept(tcp, tls)?;
        let head = read_head(&mut io)?;
        let place = match door {
            Door::Socket => self.row.place,
            Door::Rest if head.contains("/bullet-") => Place::Token,
            Door::Rest if head.contains("/snapshot") => Place::Snapshot,
            Door::Rest => Place::Elsewhere,
        };
        let mut guest = Guest::new(io, head, &self.exchange);
        match door {
            _ if is_hostile && place == self.row.place => {}
            Door::Rest => return guest.forward(usize::MAX),
            Door::Socket => return guest.relay(usize::MAX),
        }
        if place == Place::Stream {
            guest.upgrade("")?;
            guest.welcome()?;
        }
        self.act(guest)
    }

    fn act(&self, mut guest: Guest<'_>) -> io::Result<()> {
        // Whoever has gone away may have said something before.
        let end = (self.row.act)(&mut guest).unwrap_or(End::Held);
        let heard = guest.leave(end)?;
        self.closes.lock().unwrap().extend(closes(&heard));
        Ok(())
    }
}

/// To the end of the request: no request here has a body.
fn read_head(io: &mut Io) -> io::Result<String> {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        if io.read(&mut byte)? == 0 || head.len() > MAX_HEAD {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        head.extend(byte);
    }
    String::from_utf8(head).map_err(io::Error::other)
}
