//! A race of connects, as one future. Dropping it drops them all.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use kucoin_futures_host::{Addresses, Clock, Move};
use smol::Timer;
use smol::net::TcpStream;

/// Connects to the first of these addresses that answers. The core's deadline limits it.
pub(crate) async fn dial(addresses: &Addresses, of_host: &[SocketAddr]) -> io::Result<TcpStream> {
    let clock = Clock::new();
    let mut race = addresses.race(clock.now(), of_host);
    let mut connects: Vec<Connect> = Vec::new();
    loop {
        let now = clock.now();
        let until = match race.next(now) {
            Move::Start(address) => {
                connects.push(Connect::start(address));
                continue;
            }
            Move::Wait(until) => until,
            Move::Over(error) => return Err(error),
        };
        let mut timer = until.map_or_else(Timer::never, |until| Timer::after(until.since(now)));
        let ended = poll_fn(|cx| match poll_any(&mut connects, cx) {
            Poll::Ready(ended) => Poll::Ready(Some(ended)),
            Poll::Pending => Pin::new(&mut timer).poll(cx).map(|_| None),
        });
        match ended.await {
            None => {}
            Some((address, Err(error))) => race.failed(address, error),
            Some((address, Ok(tcp))) => {
                race.won(address);
                tcp.set_nodelay(true)?;
                return Ok(tcp);
            }
        }
    }
}

struct Connect {
    address: SocketAddr,
    tcp: Pin<Box<dyn Future<Output = io::Result<TcpStream>> + Send>>,
}

impl Connect {
    fn start(address: SocketAddr) -> Self {
        Self { address, tcp: Box::pin(TcpStream::connect(address)) }
    }
}

/// Takes one that has ended.
fn poll_any(
    connects: &mut Vec<Connect>,
    cx: &mut Context<'_>,
) -> Poll<(SocketAddr, io::Result<TcpStream>)> {
    let ended = connects.iter_mut().enumerate().find_map(|(at, connect)| {
        match connect.tcp.as_mut().poll(cx) {
            Poll::Ready(tcp) => Some((at, tcp)),
            Poll::Pending => None,
        }
    });
    match ended {
        Some((at, tcp)) => Poll::Ready((connects.swap_remove(at).address, tcp)),
        None => Poll::Pending,
    }
}
