//! An exchange, a network without finesse, and a client that a sink looks on at; in virtual time.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::Arc;
use std::time::Duration;

use kucoin_futures_data::{Moment, Sink};
use kucoin_futures_proto::{
    Channel, Client, ConnId, Input, Instant, Output, PushTag, Query, RequestId, ResponseHead,
    SplitMix64, Symbol, TransportError, UnixNanos,
};
use kucoin_futures_sim::{
    Exchange, ExchangeConfig, Outgoing, Request, Response, ResponseFate, SessionId, World,
};

/// Where token responses send the client.
const ENDPOINT: &str = "ws://127.0.0.1/endpoint";
/// The longest that a packet takes one way, in ms.
const LATENCY_MS: u64 = 30;

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
    /// When the last packet of each connection arrives, by direction.
    arrivals: BTreeMap<(ConnId, bool), Instant>,
    closed: BTreeSet<ConnId>,
}

impl Run {
    /// A client without wishes, and an exchange with these faults whose clock begins then.
    pub fn new(seed: u64, unix_start: UnixNanos, rate: f64, faults: &str) -> Self {
        let mut config = ExchangeConfig::default();
        config.endpoint = ENDPOINT.into();
        config.unix_start = unix_start;
        config.rate = rate;
        config.faults = faults.parse().unwrap();
        Self {
            exchange: Exchange::new(Instant::ZERO, seed, config),
            client: Client::new(Instant::ZERO, seed, World::client_config()),
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

    /// The client begins anew, as after a crash.
    pub fn restart(&mut self, seed: u64) {
        self.client = Client::new(self.now, seed, World::client_config());
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

    /// The next delta is held up, and those after it: all are drained at once when it is over.
    pub fn run_undrained(&mut self, span: Duration, sink: &mut dyn Sink) -> io::Result<()> {
        let end = self.now + span;
        while let Some((&(at, _), _)) = self.packets.first_key_value() {
            if at > end {
                break;
            }
            self.now = self.now.max(at);
            let (_, load) = self.packets.pop_first().unwrap();
            match load {
                Load::Down(conn, text) => {
                    let input = Input::Text { conn, bytes: text.as_bytes() };
                    let _ = self.client.handle(self.now, input);
                }
                other => self.deliver(other, sink)?,
            }
            self.exchange.tick(self.now);
            self.carry();
        }
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

    fn post(&mut self, order: Option<(ConnId, bool)>, load: Load) {
        let mut at = self.now + Duration::from_micros(self.rng.below(LATENCY_MS * 1000));
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
                    self.post(Some((conn(id), false)), Load::Down(conn(id), text));
                }
                Outgoing::Close(id, ..) => {
                    let load = Load::Lost(conn(id), TransportError::Eof);
                    self.post(Some((conn(id), false)), load);
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
                self.post(Some((conn, false)), load);
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
                self.post(Some((conn, true)), Load::Connect(conn, query.into()));
            }
            Output::Send { conn, text } => self.post(Some((conn, true)), Load::Up(conn, text)),
            Output::Close { conn } => {
                self.closed.insert(conn);
                self.post(Some((conn, true)), Load::Gone(conn));
            }
            Output::Fetch(fetch) => {
                let (method, path) = (fetch.method().as_str(), fetch.path().to_owned());
                self.post(None, Load::Request(fetch.request(), method, path));
            }
        }
    }
}

/// Two sinks that look on at the same.
pub struct Both<'a>(pub &'a mut dyn Sink, pub &'a mut dyn Sink);

impl Sink for Both<'_> {
    fn on_start(&mut self, moment: &Moment<'_>) -> io::Result<()> {
        self.0.on_start(moment)?;
        self.1.on_start(moment)
    }

    fn on_output(&mut self, moment: &Moment<'_>, output: &Output<'_>) -> io::Result<()> {
        self.0.on_output(moment, output)?;
        self.1.on_output(moment, output)
    }

    fn on_end(&mut self, moment: &Moment<'_>) -> io::Result<()> {
        self.0.on_end(moment)?;
        self.1.on_end(moment)
    }
}

/// The contract of that name.
pub fn symbol(name: &str) -> Symbol {
    name.parse().unwrap()
}
