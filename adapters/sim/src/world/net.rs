//! The network: what is on its way, and when it arrives.
//!
//! It keeps TCP's promises: within one connection nothing is lost and nothing overtakes. What it
//! adds is time.

use std::cmp::{Ordering, Reverse};
use std::collections::{BTreeMap, BinaryHeap};
use std::sync::Arc;
use std::time::Duration;

use kucoin_futures_proto::{ConnId, Fetch, Instant, Loss, RequestId, SplitMix64};

use crate::exchange::{About, SessionId};
use crate::rest::Response;

/// The name of a client in the network; one that takes another's place gets its own.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Address(pub(super) u32);

impl Address {
    pub(super) const fn session(self, conn: ConnId) -> SessionId {
        SessionId((self.0 as u64) << 32 | conn.get() as u64)
    }

    pub(super) const fn of(id: SessionId) -> (Self, ConnId) {
        (Self((id.0 >> 32) as u32), ConnId::new(id.0 as u32))
    }
}

/// The direction of a connection.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Way {
    Up,
    Down,
}

/// What is on its way.
#[derive(Debug)]
pub(super) enum Load {
    Connect(ConnId, String),
    Up(ConnId, Box<str>),
    Gone(ConnId),
    Request(Box<Fetch>),
    Opened(ConnId),
    Down(ConnId, Arc<str>, About),
    Lost(ConnId, Loss),
    Reply(RequestId, Box<Response>),
    Failed(RequestId, Loss),
}

/// A load with its address and its time.
#[derive(Debug)]
pub(super) struct Packet {
    at: Instant,
    order: u64,
    pub(super) address: Address,
    pub(super) load: Load,
}

impl PartialEq for Packet {
    fn eq(&self, other: &Self) -> bool {
        (self.at, self.order) == (other.at, other.order)
    }
}

impl Eq for Packet {}

impl PartialOrd for Packet {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Packet {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.at, self.order).cmp(&(other.at, other.order))
    }
}

/// How a client's packets fare at present.
#[derive(Clone, Copy, Debug)]
pub(super) struct Weather {
    /// Until when nothing moves, by direction.
    pub(super) stalled: [Instant; 2],
    /// Everything takes up to so much longer, until then.
    pub(super) lag: (Duration, Instant),
}

impl Default for Weather {
    fn default() -> Self {
        Self { stalled: [Instant::ZERO; 2], lag: (Duration::ZERO, Instant::ZERO) }
    }
}

#[derive(Debug)]
pub(super) struct Net {
    rng: SplitMix64,
    latency: Duration,
    packets: BinaryHeap<Reverse<Packet>>,
    sent: u64,
    /// When the last packet of each connection arrives.
    arrivals: BTreeMap<(Address, ConnId, Way), Instant>,
}

impl Net {
    /// `latency` is the longest time a packet takes one way.
    pub(super) const fn new(seed: u64, latency: Duration) -> Self {
        Self {
            rng: SplitMix64::new(seed),
            latency,
            packets: BinaryHeap::new(),
            sent: 0,
            arrivals: BTreeMap::new(),
        }
    }

    pub(super) fn next(&self) -> Option<Instant> {
        self.packets.peek().map(|Reverse(packet)| packet.at)
    }

    pub(super) fn take_due(&mut self, now: Instant) -> Option<Packet> {
        self.next().filter(|at| *at <= now)?;
        self.packets.pop().map(|Reverse(packet)| packet)
    }

    /// Whether something happens that is a matter of chance.
    pub(super) const fn flip(&mut self) -> bool {
        self.rng.below(2) == 0
    }

    /// When something that is sent now arrives.
    pub(super) fn arrival(&mut self, now: Instant, weather: &Weather) -> Instant {
        let (lag, until) = weather.lag;
        let extra = if now < until { self.rng.up_to(lag) } else { Duration::ZERO };
        now + self.rng.up_to(self.latency) + extra
    }

    /// Sends on a connection: not before `earliest`, and behind all that was sent before.
    pub(super) fn send(
        &mut self,
        now: Instant,
        weather: &Weather,
        (address, conn, way): (Address, ConnId, Way),
        earliest: Instant,
        load: Load,
    ) {
        let last = self.arrivals.get(&(address, conn, way)).copied().unwrap_or(Instant::ZERO);
        let stalled = match way {
            Way::Up => weather.stalled[0],
            Way::Down => weather.stalled[1],
        };
        let at = self.arrival(now, weather).max(last).max(stalled).max(earliest);
        self.arrivals.insert((address, conn, way), at);
        self.post(at, address, load);
    }

    /// A connection is over: nothing will be sent on it any more.
    pub(super) fn forget(&mut self, address: Address, conn: ConnId) {
        self.arrivals.remove(&(address, conn, Way::Up));
        self.arrivals.remove(&(address, conn, Way::Down));
    }

    /// Sends beside all connections.
    pub(super) fn post(&mut self, at: Instant, address: Address, load: Load) {
        self.sent += 1;
        self.packets.push(Reverse(Packet { at, order: self.sent, address, load }));
    }
}
