//! An exchange, a network without finesse, and a client that a sink looks on at; in virtual time.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::Arc;
use std::time::Duration;

use kucoin_futures_data::{Moment, Sink};
use kucoin_futures_proto::{
    Channel, Client, Config, ConnId, Input, Instant, Output, PushTag, Query, RequestId,
    ResponseHead, SplitMix64, Symbol, TransportError, UnixNanos,
};
use kucoin_futures_sim::{
    Exchange, ExchangeConfig, Outgoing, Request, Response, ResponseFate, SessionId, World,
};

/// Where token responses send the client.
const ENDPOINT: &str = "ws://127.0.0.1/endpoint";
/// The longest that a packet takes one way, in ms.
const LATENCY_MS: u64 = 30;

/// A snapshot is cut at so many levels, so that a market that walks away soon leaves it.
const SNAPSHOT_LEVELS: usize = 120;

/// Of a client that knows where snapshots are cut.
pub fn client_config() -> Config {
    let mut config = World::client_config();
    config.book.snapshot_levels = SNAPSHOT_LEVELS;
    config.book.refresh_below = SNAPSHOT_LEVELS / 2;
    config
}

/// What is on its way.
enum Load {
    Connect(ConnId, String),
    Up(ConnId, Box<str>),
    Gone(ConnId),
    Request(RequestId, &'static str, String),
    Opened(ConnId),
    Down(ConnId, Arc<str>),
    Lost(ConnId, TransportError),
    Reply(RequestId, Response),
}

/// What keeps its order. The exchange puts each channel into a queue of its own: trades come a while after the changes
/// that they made.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Lane {
    Up,
    Down,
    Trades,
}

/// An output that was taken out of its turn, so that the client can be looked at with it.
enum Taken {
    Output(Output<'static>),
    Push(PushTag),
}

/// One run.
pub struct Run {
    exchange: Exchange,
    client: Client,
    now: Instant,
    /// What the wall clock is ahead of the exchange's, in ns.
    wall_ahead: i64,
    rng: SplitMix64,
    packets: BTreeMap<(Instant, u64), Load>,
    sent: u64,
    /// When the last packet of each connection arrives, by its lane.
    arrivals: BTreeMap<(ConnId, Lane), Instant>,
    closed: BTreeSet<ConnId>,
}

impl Run {
    /// A client without wishes, and an exchange with these faults whose clock begins then.
    pub fn new(seed: u64, unix_start: UnixNanos, rate: f64, faults: &str) -> Self {
        Self::with_client(client_config(), seed, unix_start, rate, faults)
    }

    /// The same with a client of this config.
    pub fn with_client(
        client: Config,
        seed: u64,
        unix_start: UnixNanos,
        rate: f64,
        faults: &str,
    ) -> Self {
        let mut config = ExchangeConfig::default();
        config.endpoint = ENDPOINT.into();
        config.unix_start = unix_start;
        config.rate = rate;
        config.snapshot_levels = SNAPSHOT_LEVELS;
        config.faults = faults.parse().unwrap();
        Self {
            exchange: Exchange::new(Instant::ZERO, seed, config),
            client: Client::new(Instant::ZERO, seed, client),
            now: Instant::ZERO,
            wall_ahead: 0,
            rng: SplitMix64::new(seed),
            packets: BTreeMap::new(),
            sent: 0,
            arrivals: BTreeMap::new(),
            closed: BTreeSet::new(),
        }
    }

    /// Sets the wall clock forth, or back.
    pub fn set_clock(&mut self, by_ms: i64) {
        self.wall_ahead += by_ms * 1_000_000;
    }

    pub fn subscribe(&mut self, channels: &[Channel]) {
        for channel in channels {
            self.client.subscribe(self.now, *channel).unwrap();
        }
    }

    pub fn ask(&mut self, query: Query) {
        self.client.fetch(self.now, query).unwrap();
    }

    pub fn begin(&self, sink: &mut dyn Sink) -> io::Result<()> {
        sink.on_start(&self.moment())
    }

    pub fn end(&self, sink: &mut dyn Sink) -> io::Result<()> {
        sink.on_end(&self.moment())
    }

    /// The client begins anew, so long after a crash.
    pub fn restart(&mut self, seed: u64, pause: Duration) {
        self.now = self.now + pause;
        self.exchange.tick(self.now);
        while self.exchange.poll_output().is_some() {}
        self.client = Client::new(self.now, seed, client_config());
        self.packets.clear();
    }

    /// Lets time pass.
    pub fn run_for(&mut self, span: Duration, sink: &mut dyn Sink) -> io::Result<()> {
        let end = self.now + span;
        self.poll(sink)?;
        while let Some(next) = self.next().filter(|next| *next <= end) {
            self.now = self.now.max(next);
            self.exchange.tick(self.now);
            self.carry();
            while let Some(packet) = self.packets.first_entry().filter(|p| p.key().0 <= self.now) {
                let load = packet.remove();
                self.deliver(load, sink)?;
                self.carry();
            }
            if self.client.poll_timeout().is_some_and(|deadline| deadline.at <= self.now) {
                self.handle(Input::Timeout, &[], sink)?;
            }
        }
        self.now = end;
        Ok(())
    }

    /// Lets time pass until a request for a snapshot is on its way.
    pub fn run_to_snapshot(&mut self, sink: &mut dyn Sink) -> io::Result<()> {
        let is_it =
            |load: &Load| matches!(load, Load::Request(.., path) if path.contains("level2"));
        while !self.packets.values().any(is_it) {
            self.run_for(Duration::from_millis(1), sink)?;
        }
        Ok(())
    }

    /// Lets time pass in which nobody drains the client: what it has put out is shown afterwards.
    pub fn run_undrained(&mut self, span: Duration, sink: &mut dyn Sink) -> io::Result<()> {
        let end = self.now + span;
        while let Some(next) = self.exchange.poll_timeout().filter(|next| *next <= end) {
            self.now = self.now.max(next);
            self.exchange.tick(self.now);
            self.carry();
            while let Some(packet) = self.packets.first_entry().filter(|p| p.key().0 <= self.now) {
                match packet.remove() {
                    Load::Down(conn, text) => {
                        let input = Input::Text { conn, bytes: text.as_bytes() };
                        let _ = self.client.handle(self.now, input);
                    }
                    Load::Reply(request, reply) => {
                        let (head, body) = (ResponseHead::new(reply.status), reply.body.as_bytes());
                        let _ = self.client.handle(self.now, Input::Reply { request, head, body });
                    }
                    other => self.deliver(other, sink)?,
                }
            }
        }
        self.now = end;
        self.poll(sink)
    }

    fn next(&self) -> Option<Instant> {
        let packet = self.packets.first_key_value().map(|((at, _), _)| *at);
        let client = self.client.poll_timeout().map(|deadline| deadline.at);
        [packet, client, self.exchange.poll_timeout()].into_iter().flatten().min()
    }

    fn received(&self) -> UnixNanos {
        let unix = self.exchange.unix(self.now).as_nanos();
        UnixNanos::from_nanos(unix.saturating_add_signed(self.wall_ahead))
    }

    fn moment(&self) -> Moment<'_> {
        Moment::new(self.now, self.received(), &self.client)
    }

    fn post(&mut self, order: Option<(ConnId, Lane)>, load: Load) {
        let mut at = self.now + Duration::from_micros(self.rng.below(LATENCY_MS * 1000));
        if let Some((_, Lane::Trades)) = order {
            at = at + Duration::from_millis(50);
        }
        if let Some(order) = order {
            at = at.max(self.arrivals.get(&order).copied().unwrap_or(at));
            self.arrivals.insert(order, at);
        }
        self.sent += 1;
        self.packets.insert((at, self.sent), load);
    }

    fn carry(&mut self) {
        while let Some(outgoing) = self.exchange.poll_output() {
            let conn = |id: SessionId| ConnId::new(u32::try_from(id.0).unwrap());
            match outgoing {
                Outgoing::Send(id, text, _) => {
                    let is_trade = text.contains(r#""subject":"match""#);
                    let lane = if is_trade { Lane::Trades } else { Lane::Down };
                    self.post(Some((conn(id), lane)), Load::Down(conn(id), text));
                }
                Outgoing::Close(id, ..) => {
                    let load = Load::Lost(conn(id), TransportError::Eof);
                    self.post(Some((conn(id), Lane::Down)), load);
                }
                Outgoing::Reset(id) => {
                    self.post(None, Load::Lost(conn(id), TransportError::Reset));
                }
                Outgoing::Injected(_) => {}
            }
        }
    }

    fn deliver(&mut self, load: Load, sink: &mut dyn Sink) -> io::Result<()> {
        let session = |conn: ConnId| SessionId(conn.get().into());
        match load {
            Load::Connect(conn, query) => {
                let is_open = self.exchange.connect(self.now, session(conn), &query);
                let refused = Load::Lost(conn, TransportError::Refused);
                let load = if is_open { Load::Opened(conn) } else { refused };
                self.post(Some((conn, Lane::Down)), load);
            }
            Load::Up(conn, text) => self.exchange.receive(self.now, session(conn), &text),
            Load::Gone(conn) => self.exchange.lost(session(conn)),
            Load::Request(request, method, path) => {
                let response = self.exchange.http(self.now, &Request::new(method, &path));
                assert_eq!(response.fate, ResponseFate::Whole, "no faults of REST here");
                self.post(None, Load::Reply(request, response));
            }
            Load::Opened(conn) | Load::Down(conn, _) | Load::Lost(conn, _)
                if self.closed.contains(&conn) => {}
            Load::Opened(conn) => self.handle(Input::Opened { conn }, &[], sink)?,
            Load::Down(conn, text) => {
                let bytes = text.as_bytes();
                self.handle(Input::Text { conn, bytes }, bytes, sink)?;
            }
            Load::Lost(conn, error) => {
                self.closed.insert(conn);
                self.handle(Input::Lost { conn, error }, &[], sink)?;
            }
            Load::Reply(request, reply) => {
                let mut head = ResponseHead::new(reply.status);
                reply.headers.iter().for_each(|(name, value)| head.header(name, value));
                let body = reply.body.as_bytes();
                self.handle(Input::Reply { request, head, body }, body, sink)?;
            }
        }
        Ok(())
    }

    fn handle(&mut self, input: Input<'_>, bytes: &[u8], sink: &mut dyn Sink) -> io::Result<()> {
        let mut taken = Vec::new();
        let mut turn = self.client.handle(self.now, input);
        while let Some(output) = turn.next() {
            taken.push(match output {
                Output::Push(push) => Taken::Push(push.tag()),
                Output::Event(event) => Taken::Output(Output::Event(event)),
                Output::Send { conn, text } => Taken::Output(Output::Send { conn, text }),
                Output::Open { conn, to } => Taken::Output(Output::Open { conn, to }),
                Output::Close { conn } => Taken::Output(Output::Close { conn }),
                Output::Fetch(request) => Taken::Output(Output::Fetch(request)),
            });
        }
        self.show(taken, bytes, sink)
    }

    fn poll(&mut self, sink: &mut dyn Sink) -> io::Result<()> {
        let taken: Vec<_> = std::iter::from_fn(|| self.client.poll_output()).collect();
        self.show(taken.into_iter().map(Taken::Output).collect(), &[], sink)
    }

    fn show(&mut self, taken: Vec<Taken>, bytes: &[u8], sink: &mut dyn Sink) -> io::Result<()> {
        for taken in taken {
            match taken {
                Taken::Push(tag) => {
                    sink.on_output(&self.moment(), &Output::Push(tag.on(bytes)))?;
                }
                Taken::Output(output) => {
                    sink.on_output(&self.moment(), &output)?;
                    self.perform(output);
                }
            }
        }
        Ok(())
    }

    fn perform(&mut self, output: Output<'static>) {
        match output {
            Output::Event(_) | Output::Push(_) => {}
            Output::Open { conn, to } => {
                let query = to.secret_url().split_once('?').map_or("", |(_, query)| query);
                self.post(Some((conn, Lane::Up)), Load::Connect(conn, query.into()));
            }
            Output::Send { conn, text } => self.post(Some((conn, Lane::Up)), Load::Up(conn, text)),
            Output::Close { conn } => {
                self.closed.insert(conn);
                self.post(Some((conn, Lane::Up)), Load::Gone(conn));
            }
            Output::Fetch(fetch) => {
                let (method, path) = (fetch.method().as_str(), fetch.path().to_owned());
                self.post(None, Load::Request(fetch.request(), method, path));
            }
        }
    }
}

/// Sinks that look on at the same.
pub struct Many<'a>(pub Vec<&'a mut dyn Sink>);

impl Sink for Many<'_> {
    fn on_start(&mut self, moment: &Moment<'_>) -> io::Result<()> {
        self.0.iter_mut().try_for_each(|sink| sink.on_start(moment))
    }

    fn on_output(&mut self, moment: &Moment<'_>, output: &Output<'_>) -> io::Result<()> {
        self.0.iter_mut().try_for_each(|sink| sink.on_output(moment, output))
    }

    fn on_end(&mut self, moment: &Moment<'_>) -> io::Result<()> {
        self.0.iter_mut().try_for_each(|sink| sink.on_end(moment))
    }
}

/// The contract of that name.
pub fn symbol(name: &str) -> Symbol {
    name.parse().unwrap()
}
