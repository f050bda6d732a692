//! The network: what is on its way, and when it arrives.
//!
//! It keeps TCP's promises: within one connection nothing is lost and nothing overtakes. What it
//! adds is time.

use std::cmp::{Ordering, Reverse};
use std::collections::{BTreeMap, BinaryHeap};
use std::sync::Arc;
use std::time::Duration;

use kucoin_futures_proto::auth::{Credentials, KeyVersion};
use kucoin_futures_proto::{
    ConnId, Instant, RequestId, RestRequest, Sign, SplitMix64, TransportError,
};

use crate::exchange::{About, SessionId};
use crate::rest::{Response, ResponseFate};

/// The name of a client in the network; one that takes another's place gets its own.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Address(pub(crate) u32);

impl Address {
    pub(crate) const fn session(self, conn: ConnId) -> SessionId {
        SessionId((self.0 as u64) << 32 | conn.get() as u64)
    }

    pub(crate) const fn of(id: SessionId) -> (Self, ConnId) {
        (Self((id.0 >> 32) as u32), ConnId::new(id.0 as u32))
    }
}

/// The direction of a connection.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Way {
    Up,
    Down,
}

/// What is on its way.
#[derive(Debug)]
pub(crate) enum Load {
    Connect(ConnId, String),
    Up(ConnId, Box<str>),
    Gone(ConnId),
    Request(Asked),
    Opened(ConnId),
    Down(ConnId, Arc<str>, About),
    Lost(ConnId, TransportError),
    Reply(RequestId, Box<Response>),
    Failed(RequestId, TransportError),
}

/// A REST request, as far as anybody on its way looks at it.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) request: RequestId,
    pub(crate) method: &'static str,
    pub(crate) path: String,
    /// Those of a signed request.
    pub(crate) headers: Vec<(&'static str, String)>,
    /// Whoever asks gives up after this.
    pub(crate) timeout: Duration,
}

impl Asked {
    /// As an adapter makes it whose wall clock shows this.
    pub(crate) fn new(fetch: &RestRequest, unix_ms: u64) -> Self {
        let at = match fetch.sign() {
            Sign::No => None,
            Sign::WallClock => Some(unix_ms),
            Sign::At { unix_ms } => Some(unix_ms),
        };
        let (method, path) = (fetch.method().as_str(), fetch.path());
        let signed = at.map(|at| credentials().sign(at, method, path, ""));
        let headers = signed.iter().flat_map(|signed| signed.iter());
        let headers = headers.map(|(name, value)| (name, value.to_string())).collect();
        let (request, timeout) = (fetch.request(), fetch.timeout());
        Self { request, method, path: path.into(), headers, timeout }
    }
}

/// Those of the account that every exchange has.
fn credentials() -> Credentials {
    let [key, secret, passphrase] = ["sim-key", "sim-secret", "sim-passphrase"].map(String::from);
    Credentials::new(key, secret, passphrase, KeyVersion::V3)
}

/// A load with its address and its time.
#[derive(Debug)]
pub(crate) struct Packet {
    at: Instant,
    order: u64,
    pub(crate) address: Address,
    pub(crate) load: Load,
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
pub(crate) struct Weather {
    /// Until when nothing moves, by direction.
    pub(crate) stalled: [Instant; 2],
    /// Everything takes up to so much longer, until then.
    pub(crate) lag: (Duration, Instant),
}

impl Default for Weather {
    fn default() -> Self {
        Self { stalled: [Instant::ZERO; 2], lag: (Duration::ZERO, Instant::ZERO) }
    }
}

#[derive(Debug)]
pub(crate) struct Net {
    rng: SplitMix64,
    latency: Duration,
    packets: BinaryHeap<Reverse<Packet>>,
    sent: u64,
    /// When the last packet of each connection arrives.
    arrivals: BTreeMap<(Address, ConnId, Way), Instant>,
}

impl Net {
    /// `latency` is the longest time a packet takes one way.
    pub(crate) const fn new(seed: u64, latency: Duration) -> Self {
        Self {
            rng: SplitMix64::new(seed),
            latency,
            packets: BinaryHeap::new(),
            sent: 0,
            arrivals: BTreeMap::new(),
        }
    }

    pub(crate) fn next(&self) -> Option<Instant> {
        self.packets.peek().map(|Reverse(packet)| packet.at)
    }

    pub(crate) fn take_due(&mut self, now: Instant) -> Option<Packet> {
        self.next().filter(|at| *at <= now)?;
        self.packets.pop().map(|Reverse(packet)| packet)
    }

    /// Whether something happens that is a matter of chance.
    pub(crate) const fn flip(&mut self) -> bool {
        self.rng.below(2) == 0
    }

    /// When something that is sent now arrives.
    pub(crate) fn arrival(&mut self, now: Instant, weather: &Weather) -> Instant {
        let (lag, until) = weather.lag;
        let extra = if now < until { self.rng.up_to(lag) } else { Duration::ZERO };
        now + self.rng.up_to(self.latency) + extra
    }

    /// Sends on a connection: not before `earliest`, and behind all that was sent before.
    pub(crate) fn send(
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
    pub(crate) fn forget(&mut self, address: Address, conn: ConnId) {
        self.arrivals.remove(&(address, conn, Way::Up));
        self.arrivals.remove(&(address, conn, Way::Down));
    }

    /// Sends beside all connections.
    pub(crate) fn post(&mut self, at: Instant, address: Address, load: Load) {
        self.sent += 1;
        self.packets.push(Reverse(Packet { at, order: self.sent, address, load }));
    }

    /// Sends an answer on its way, as far as an adapter would let it come.
    pub(crate) fn answer(
        &mut self,
        now: Instant,
        weather: &Weather,
        address: Address,
        asked: &Asked,
        response: Response,
    ) {
        let (request, given_up) = (asked.request, now + asked.timeout);
        let mut at = self.arrival(now, weather);
        let load = match response.fate {
            ResponseFate::Refused => Load::Failed(request, TransportError::Refused),
            ResponseFate::Giant => Load::Failed(request, TransportError::TooLarge),
            ResponseFate::Never => {
                at = given_up;
                Load::Failed(request, TransportError::TimedOut)
            }
            ResponseFate::Cut if self.flip() => Load::Failed(request, TransportError::Eof),
            ResponseFate::Cut => {
                let half = response.body.len() / 2;
                let body = response.body.get(..half).unwrap_or_default().to_owned();
                Load::Reply(request, Box::new(Response { body, ..response }))
            }
            ResponseFate::Whole => {
                let bytes = u32::try_from(response.body.len()).unwrap_or(u32::MAX);
                let drip = response.drip.map_or(Duration::ZERO, |pause| pause * bytes);
                at = at + response.delay + drip;
                // Most adapters give up in time; one that does not must do no harm.
                if at > given_up && self.flip() {
                    at = given_up;
                    Load::Failed(request, TransportError::TimedOut)
                } else {
                    Load::Reply(request, Box::new(response))
                }
            }
        };
        self.post(at, address, load);
    }
}
