//! A race of connects, blocking: all of them under one poller.

use std::io::{self, ErrorKind};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use mio::{Events, Interest, Poll, Registry, Token, Waker};

use crate::addresses::Addresses;
use crate::clock::Clock;
use crate::happy_eyeballs::{Move, Race};

/// Lets another thread give up an attempt that is under way.
#[derive(Clone, Debug, Default)]
pub struct Attempt {
    abandoned: Arc<AtomicBool>,
    stage: Arc<Mutex<Stage>>,
}

/// What it waits for.
#[derive(Debug, Default)]
enum Stage {
    #[default]
    Lookup,
    Race(Waker),
    Handshake(TcpStream),
}

impl Attempt {
    /// Ends the attempt: whatever it waits for fails now. A resolver cannot be interrupted: it fails once
    /// that is back.
    pub fn abandon(&self) {
        let stage = self.stage.lock().unwrap_or_else(PoisonError::into_inner);
        self.abandoned.store(true, Ordering::Relaxed);
        // It may be over already. A waker that is dropped wakes nobody: it stays where it is.
        let _ = match &*stage {
            Stage::Lookup => Ok(()),
            Stage::Race(waker) => waker.wake(),
            Stage::Handshake(tcp) => tcp.shutdown(Shutdown::Both),
        };
    }

    fn is_abandoned(&self) -> bool {
        self.abandoned.load(Ordering::Relaxed)
    }

    /// From now on `abandon` ends this; it may have come before.
    fn enter(&self, next: Stage) -> io::Result<()> {
        let mut stage = self.stage.lock().unwrap_or_else(PoisonError::into_inner);
        if self.is_abandoned() {
            return Err(ErrorKind::TimedOut.into());
        }
        *stage = next;
        Ok(())
    }
}

/// What the poller calls the attempt, and what all connects.
const ATTEMPT: Token = Token(0);
const CONNECTS: Token = Token(1);

/// Connects to the first of these addresses that answers; the stream comes back blocking.
pub(crate) fn dial(
    addresses: &Addresses,
    of_host: &[SocketAddr],
    limit: Duration,
    attempt: &Attempt,
) -> io::Result<TcpStream> {
    let clock = Clock::new();
    let end = clock.now() + limit;
    let poll = Poll::new()?;
    attempt.enter(Stage::Race(Waker::new(poll.registry(), ATTEMPT)?))?;
    let race = addresses.race(clock.now(), of_host);
    let mut dial = Dial { poll, race, connects: Vec::new() };
    let connect = loop {
        let now = clock.now();
        if attempt.is_abandoned() || now >= end {
            return Err(ErrorKind::TimedOut.into());
        }
        match dial.race.next(now) {
            Move::Start(address) => dial.start(address),
            Move::Over(error) => return Err(error),
            Move::Wait(until) => {
                let until = until.map_or(end, |until| until.min(end));
                if let Some(connect) = dial.wait(until.since(now))? {
                    break connect;
                }
            }
        }
    };
    dial.race.won(connect.address);
    let tcp = connect.finish(dial.poll.registry())?;
    attempt.enter(Stage::Handshake(tcp.try_clone()?))?;
    Ok(tcp)
}

struct Dial {
    poll: Poll,
    race: Race,
    connects: Vec<Connect>,
}

impl Dial {
    fn start(&mut self, address: SocketAddr) {
        match Connect::start(address, self.poll.registry()) {
            Ok(connect) => self.connects.push(connect),
            Err(error) => self.race.failed(address, error),
        }
    }

    /// Waits until something happens; returns a connect that is through.
    fn wait(&mut self, limit: Duration) -> io::Result<Option<Connect>> {
        match self.poll.poll(&mut Events::with_capacity(16), Some(limit)) {
            Err(error) if error.kind() != ErrorKind::Interrupted => return Err(error),
            _ => {}
        }
        let mut at = 0;
        while let Some(connect) = self.connects.get(at) {
            match connect.result() {
                None => at += 1,
                Some(Ok(())) => return Ok(Some(self.connects.swap_remove(at))),
                Some(Err(error)) => {
                    let address = self.connects.swap_remove(at).address;
                    self.race.failed(address, error);
                }
            }
        }
        Ok(None)
    }
}

/// A connect under way.
struct Connect {
    address: SocketAddr,
    tcp: mio::net::TcpStream,
}

impl Connect {
    fn start(address: SocketAddr, registry: &Registry) -> io::Result<Self> {
        let mut tcp = mio::net::TcpStream::connect(address)?;
        registry.register(&mut tcp, CONNECTS, Interest::WRITABLE)?;
        Ok(Self { address, tcp })
    }

    /// How it ended; `None`: not yet.
    fn result(&self) -> Option<io::Result<()>> {
        match self.tcp.take_error() {
            Ok(None) => {}
            Ok(Some(error)) | Err(error) => return Some(Err(error)),
        }
        match self.tcp.peer_addr() {
            Ok(_) => Some(Ok(())),
            Err(error) if error.kind() == ErrorKind::NotConnected => None,
            Err(error) => Some(Err(error)),
        }
    }

    fn finish(mut self, registry: &Registry) -> io::Result<TcpStream> {
        registry.deregister(&mut self.tcp)?;
        let tcp = TcpStream::from(self.tcp);
        tcp.set_nonblocking(false)?;
        tcp.set_nodelay(true)?;
        Ok(tcp)
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use socket2::{Domain, Socket, Type};

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(5);
    const SHORT: Duration = Duration::from_millis(300);

    /// Neither accepts nor refuses: its queue is full.
    fn black_hole() -> (SocketAddr, Vec<TcpStream>, Socket) {
        let listener = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        listener.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
        listener.listen(0).unwrap();
        let addr = listener.local_addr().unwrap().as_socket().unwrap();
        let knock = || TcpStream::connect_timeout(&addr, Duration::from_millis(50)).ok();
        (addr, std::iter::from_fn(knock).take(100).collect(), listener)
    }

    fn took(dialled: impl FnOnce() -> io::Result<TcpStream>) -> (Duration, Option<ErrorKind>) {
        let clock = Clock::new();
        let failure = dialled().err().map(|error| error.kind());
        (clock.now().since(kucoin_futures_proto::Instant::ZERO), failure)
    }

    #[test]
    fn an_abandoned_race_ends_at_once() {
        let (hole, addresses, attempt) = (black_hole(), Addresses::default(), Attempt::default());
        let abandoner = std::thread::spawn({
            let attempt = attempt.clone();
            move || {
                while !matches!(*attempt.stage.lock().unwrap(), Stage::Race(_)) {
                    std::thread::yield_now();
                }
                attempt.abandon();
            }
        });
        let (time, failure) = took(|| dial(&addresses, &[hole.0], PATIENCE, &attempt));
        abandoner.join().unwrap();
        assert_eq!(failure, Some(ErrorKind::TimedOut));
        assert!(time < PATIENCE / 2, "{time:?}");
        let (_, failure) = took(|| dial(&addresses, &[hole.0], PATIENCE, &attempt));
        assert_eq!(failure, Some(ErrorKind::TimedOut), "it stays abandoned");
    }

    #[test]
    fn a_race_takes_its_limit_and_no_longer() {
        let (hole, addresses, attempt) = (black_hole(), Addresses::default(), Attempt::default());
        let (time, failure) = took(|| dial(&addresses, &[hole.0], SHORT, &attempt));
        assert_eq!(failure, Some(ErrorKind::TimedOut));
        assert!(time >= SHORT && time < PATIENCE, "{time:?}");
    }

    #[test]
    fn a_refusal_passes_the_turn_on_at_once() {
        let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let open = TcpListener::bind("127.0.0.1:0").unwrap();
        let (addresses, attempt) = (Addresses::default(), Attempt::default());
        let (_, failure) = took(|| dial(&addresses, &[closed], PATIENCE, &attempt));
        assert_eq!(failure, Some(ErrorKind::ConnectionRefused));
        let both = [closed, open.local_addr().unwrap()];
        // Nothing is remembered: the closed one comes first.
        let (time, failure) = took(|| dial(&Addresses::default(), &both, PATIENCE, &attempt));
        assert!(failure.is_none() && time < Duration::from_millis(90), "{failure:?} {time:?}");
    }
}
