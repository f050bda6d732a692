//! Exchange, network and client under one virtual clock: no sleeping, no threads.
//!
//! The network keeps TCP's promises: within one connection nothing is lost and nothing overtakes.
//! What it adds is time, drawn from the seed.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::sync::Arc;
use std::time::Duration;

use kucoin_futures_proto::{
    Client, Config, ConnId, Event, Fetch, Head, Input, Instant, Loss, Output, RequestId, SplitMix64,
};

use crate::config::ExchangeConfig;
use crate::exchange::{Exchange, Outgoing, SessionId};
use crate::fault::Fault;
use crate::oracle::{Oracle, Violation};
use crate::rest::Request;

/// Something that happened in the world, in order.
#[derive(Clone, PartialEq, Eq, Debug)]
#[allow(clippy::exhaustive_enums, reason = "what a client says, or what was done to it")]
pub enum Happening {
    /// The client reported it.
    Client(Event),
    /// The client handed out a message of a topic.
    Push(Box<[u8]>),
    /// The exchange was told to.
    Fault(Fault),
}

/// One run.
#[derive(Debug)]
pub struct World {
    /// The client; read it, and give it commands through [`World::command`].
    pub client: Client,
    /// The exchange; its state may be looked at and broken at will.
    pub exchange: Exchange,
    /// Checks every event of the client.
    pub oracle: Oracle,
    now: Instant,
    rng: SplitMix64,
    latency: Duration,
    packets: BinaryHeap<Reverse<Packet>>,
    sent: u64,
    /// When the last packet of each connection arrives, to and from the exchange.
    arrivals: BTreeMap<(ConnId, Way), Instant>,
    closed: BTreeMap<ConnId, ()>,
    happenings: Vec<(Instant, Happening)>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Way {
    Up,
    Down,
}

#[derive(Debug)]
struct Packet {
    at: Instant,
    order: u64,
    load: Load,
}

impl PartialEq for Packet {
    fn eq(&self, other: &Self) -> bool {
        (self.at, self.order) == (other.at, other.order)
    }
}

impl Eq for Packet {}

impl PartialOrd for Packet {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Packet {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.order).cmp(&(other.at, other.order))
    }
}

#[derive(Debug)]
enum Load {
    Connect(ConnId, String),
    Opened(ConnId),
    Up(ConnId, Box<str>),
    Gone(ConnId),
    Down(ConnId, Arc<str>),
    Lost(ConnId, Loss),
    Request(Box<Fetch>),
    Reply(RequestId, Head, String),
}

impl World {
    /// A world that begins at zero. `latency` is the longest time a packet takes one way.
    #[must_use]
    pub fn new(seed: u64, config: Config, exchange: ExchangeConfig, latency: Duration) -> Self {
        let mut rng = SplitMix64::new(seed);
        let exchange = ExchangeConfig { endpoint: ENDPOINT.into(), ..exchange };
        Self {
            exchange: Exchange::new(Instant::ZERO, rng.next_u64(), exchange),
            client: Client::new(Instant::ZERO, rng.next_u64(), config),
            oracle: Oracle::default(),
            now: Instant::ZERO,
            rng,
            latency,
            packets: BinaryHeap::new(),
            sent: 0,
            arrivals: BTreeMap::new(),
            closed: BTreeMap::new(),
            happenings: Vec::new(),
        }
    }

    /// The config of a client that talks to this world's exchange.
    #[must_use]
    pub fn client_config() -> Config {
        let mut config = Config::default();
        if let Ok(local) = Config::with_rest("http://127.0.0.1") {
            config.rest = local.rest;
        }
        config
    }

    /// The present.
    #[must_use]
    pub const fn now(&self) -> Instant {
        self.now
    }

    /// What has happened since this was last called.
    pub fn take_happenings(&mut self) -> Vec<(Instant, Happening)> {
        std::mem::take(&mut self.happenings)
    }

    /// Gives the client a command.
    ///
    /// # Errors
    /// The oracle found a broken promise.
    pub fn command<T>(
        &mut self,
        command: impl FnOnce(&mut Client, Instant) -> T,
    ) -> Result<T, Violation> {
        let result = command(&mut self.client, self.now);
        self.drain()?;
        Ok(result)
    }

    /// Breaks something at the exchange.
    pub fn inject(&mut self, fault: Fault) {
        self.exchange.inject(self.now, fault);
        self.drain_exchange();
    }

    /// Lets time pass.
    ///
    /// # Errors
    /// The oracle found a broken promise.
    pub fn run_for(&mut self, span: Duration) -> Result<(), Violation> {
        let end = self.now + span;
        while let Some(next) = self.next_event().filter(|next| *next <= end) {
            self.now = self.now.max(next);
            self.step()?;
        }
        self.now = end;
        Ok(())
    }

    /// Lets time pass until something is true, or `limit` is over; says which.
    ///
    /// # Errors
    /// The oracle found a broken promise.
    pub fn run_until(
        &mut self,
        limit: Duration,
        mut done: impl FnMut(&Client, &Exchange) -> bool,
    ) -> Result<bool, Violation> {
        let end = self.now + limit;
        while !done(&self.client, &self.exchange) {
            let Some(next) = self.next_event().filter(|next| *next <= end) else {
                self.now = end;
                return Ok(false);
            };
            self.now = self.now.max(next);
            self.step()?;
        }
        Ok(true)
    }

    fn next_event(&self) -> Option<Instant> {
        let packet = self.packets.peek().map(|Reverse(packet)| packet.at);
        let client = self.client.poll_timeout().map(|deadline| deadline.at);
        [packet, client, self.exchange.poll_timeout()].into_iter().flatten().min()
    }

    /// Everything that is due now.
    fn step(&mut self) -> Result<(), Violation> {
        self.exchange.tick(self.now);
        self.drain_exchange();
        while self.packets.peek().is_some_and(|Reverse(packet)| packet.at <= self.now) {
            let Some(Reverse(packet)) = self.packets.pop() else { break };
            self.deliver(packet.load)?;
        }
        if self.client.poll_timeout().is_some_and(|deadline| deadline.at <= self.now) {
            self.client.handle_input(self.now, Input::Timeout);
            self.drain()?;
        }
        Ok(())
    }

    fn deliver(&mut self, load: Load) -> Result<(), Violation> {
        match load {
            Load::Connect(conn, query) => {
                if self.exchange.connect(self.now, session_of(conn), &query) {
                    // What comes after it is not earlier than it.
                    let at = self.arrival() + self.exchange.take_connect_delay();
                    self.arrivals.insert((conn, Way::Down), at);
                    self.send(conn, Way::Down, Load::Opened(conn));
                } else {
                    self.send(conn, Way::Down, Load::Lost(conn, Loss::Refused));
                }
                self.drain_exchange();
            }
            Load::Up(conn, text) => {
                self.exchange.receive(self.now, session_of(conn), &text);
                self.drain_exchange();
            }
            Load::Gone(conn) => self.exchange.lost(session_of(conn)),
            Load::Request(fetch) => {
                let request = Request::new(fetch.method().as_str(), fetch.path());
                let response = self.exchange.http(self.now, &request);
                let mut head = Head::new(response.status);
                response.headers.iter().for_each(|(name, value)| head.header(name, value));
                let bytes = u32::try_from(response.body.len()).unwrap_or(u32::MAX);
                let drip = response.drip.map_or(Duration::ZERO, |pause| pause * bytes);
                let at = self.arrival() + drip;
                self.post(at, Load::Reply(fetch.request(), head, response.body));
            }
            Load::Opened(conn) => self.input(conn, Input::Opened(conn))?,
            Load::Down(conn, text) => self.input(conn, Input::Text(conn, text.as_bytes()))?,
            Load::Lost(conn, loss) => {
                self.input(conn, Input::Lost(conn, loss))?;
                self.closed.insert(conn, ());
            }
            Load::Reply(request, head, body) => {
                self.feed(Input::Reply(request, head, body.as_bytes()))?;
            }
        }
        Ok(())
    }

    /// What arrives on a connection that was shut on our side reaches nobody.
    fn input(&mut self, conn: ConnId, input: Input<'_>) -> Result<(), Violation> {
        if self.closed.contains_key(&conn) { Ok(()) } else { self.feed(input) }
    }

    fn feed(&mut self, input: Input<'_>) -> Result<(), Violation> {
        let push = self.client.handle_input(self.now, input).map(|push| push.bytes().into());
        self.drain()?;
        self.happenings.extend(push.map(|bytes| (self.now, Happening::Push(bytes))));
        Ok(())
    }

    fn drain(&mut self) -> Result<(), Violation> {
        let mut events = Vec::new();
        while let Some(output) = self.client.poll_output() {
            match output {
                Output::Event(event) => events.push(event),
                Output::Open { conn, to } => {
                    let query = to.secret_url().split_once('?').map_or("", |(_, query)| query);
                    self.send(conn, Way::Up, Load::Connect(conn, query.into()));
                }
                Output::Send { conn, text } => self.send(conn, Way::Up, Load::Up(conn, text)),
                Output::Shut { conn } => {
                    self.closed.insert(conn, ());
                    self.send(conn, Way::Up, Load::Gone(conn));
                }
                Output::Fetch(fetch) => {
                    let at = self.arrival();
                    self.post(at, Load::Request(fetch));
                }
            }
        }
        for event in events {
            self.happenings.push((self.now, Happening::Client(event)));
            self.oracle.on_event(&self.client, &self.exchange, &event)?;
        }
        Ok(())
    }

    fn drain_exchange(&mut self) {
        while let Some(outgoing) = self.exchange.poll_output() {
            match outgoing {
                Outgoing::Send(id, text) => {
                    let conn = conn_of(id);
                    self.send(conn, Way::Down, Load::Down(conn, text));
                }
                Outgoing::Close(id, code, _) => {
                    let loss =
                        if code == 1006 { Loss::Eof } else { Loss::Closed { code: Some(code) } };
                    let conn = conn_of(id);
                    self.send(conn, Way::Down, Load::Lost(conn, loss));
                }
                Outgoing::Reset(id) => {
                    let conn = conn_of(id);
                    self.send(conn, Way::Down, Load::Lost(conn, Loss::Reset));
                }
                Outgoing::Injected(fault) => {
                    self.happenings.push((self.now, Happening::Fault(fault)));
                }
            }
        }
    }

    /// Within one connection and way, nothing overtakes; while connections stand still, nothing
    /// arrives.
    fn send(&mut self, conn: ConnId, way: Way, load: Load) {
        let last = self.arrivals.get(&(conn, way)).copied().unwrap_or(Instant::ZERO);
        let at = self.arrival().max(last).max(self.exchange.frozen_until());
        self.arrivals.insert((conn, way), at);
        self.post(at, load);
    }

    fn arrival(&mut self) -> Instant {
        self.now + self.rng.up_to(self.latency)
    }

    fn post(&mut self, at: Instant, load: Load) {
        self.sent += 1;
        self.packets.push(Reverse(Packet { at, order: self.sent, load }));
    }
}

const ENDPOINT: &str = "ws://127.0.0.1/endpoint";

const fn session_of(conn: ConnId) -> SessionId {
    SessionId(conn.get() as u64)
}

const fn conn_of(id: SessionId) -> ConnId {
    ConnId::new(id.0 as u32)
}
