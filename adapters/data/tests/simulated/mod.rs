//! A tape without a recording: a client of the simulated exchange, driven in virtual time, and driven again.

#![allow(dead_code, reason = "not everybody who has a tape uses everything")]

use std::collections::VecDeque;
use std::io;
use std::time::Duration;

use kucoin_futures_data::serve::Tape;
use kucoin_futures_data::{Moment, Sink};
use kucoin_futures_proto::{
    Channel, Client, Config, ConnId, Input, Instant, Output, PushTag, Query, RequestId,
    ResponseHead, TransportError, UnixNanos,
};
use kucoin_futures_sim::{
    Contract, Exchange, ExchangeConfig, Outgoing, Request, Response, SessionId, World,
};

/// What takes its time from the exchange to the client.
const LATENCY: Duration = Duration::from_millis(2);

/// What is recorded.
#[derive(Clone)]
pub(crate) struct Session {
    pub(crate) exchange: ExchangeConfig,
    pub(crate) config: Config,
    pub(crate) channels: Vec<Channel>,
    /// Each once a minute, and at the start.
    pub(crate) queries: Vec<Query>,
    pub(crate) length: Duration,
}

impl Session {
    /// Books of these contracts, and the list of contracts.
    pub(crate) fn of(symbols: &[&str], length: Duration) -> Self {
        let mut exchange = ExchangeConfig::default();
        let symbols: Vec<_> = symbols.iter().map(|symbol| symbol.parse().unwrap()).collect();
        exchange.contracts = symbols.iter().map(|symbol| Contract::named(*symbol)).collect();
        for contract in &mut exchange.contracts {
            // A change to the size that is there looks like a counter that was set back: this makes none.
            contract.size_digits = 12;
        }
        Self {
            exchange,
            config: World::client_config(),
            channels: symbols.into_iter().map(Channel::level2).collect(),
            queries: vec![Query::Contracts],
            length,
        }
    }
}

/// What is on its way to the client.
enum Load {
    Opened(ConnId),
    Refused(ConnId),
    Text(ConnId, Box<str>),
    Closed(ConnId, u16),
    Reply(RequestId, Box<Response>),
    Ask,
    Timeout,
}

/// A tape, its machine included.
pub(crate) struct SimulatedTape {
    session: Session,
    exchange: Exchange,
    client: Client,
    now: Instant,
    /// In order of their arrival.
    inbox: VecDeque<(Instant, Load)>,
    has_begun: bool,
}

/// An output that outlives its turn.
enum Kept {
    Said(Output<'static>),
    Push(PushTag),
}

impl SimulatedTape {
    pub(crate) fn new(session: Session) -> Self {
        let now = Instant::ZERO + Duration::from_secs(1);
        let exchange = Exchange::new(now, 5, session.exchange.clone());
        let client = Client::new(now, 6, session.config.clone());
        Self { session, exchange, client, now, inbox: VecDeque::new(), has_begun: false }
    }

    fn end(&self) -> Instant {
        Instant::ZERO + Duration::from_secs(1) + self.session.length
    }

    fn unix(&self, at: Instant) -> UnixNanos {
        self.exchange.unix(at)
    }

    /// Lets the exchange go on until something of it is on its way, or the client is due.
    fn prepare(&mut self) {
        loop {
            let client = self.client.poll_timeout().map(|deadline| deadline.at);
            let inbox = self.inbox.front().map(|(at, _)| *at);
            let next = [client, inbox, Some(self.end())].into_iter().flatten().min();
            match self.exchange.poll_timeout().filter(|at| next.is_some_and(|next| *at <= next)) {
                Some(at) => {
                    self.exchange.tick(at);
                    self.fetch_outgoing(at);
                }
                None => return,
            }
        }
    }

    fn fetch_outgoing(&mut self, now: Instant) {
        let at = now + LATENCY;
        while let Some(outgoing) = self.exchange.poll_output() {
            let load = match outgoing {
                Outgoing::Send(id, text, _) => Load::Text(conn(id), (&*text).into()),
                Outgoing::Close(id, code, _) => Load::Closed(conn(id), code),
                Outgoing::Reset(id) => Load::Closed(conn(id), 1006),
                Outgoing::Injected(_) => continue,
            };
            self.post(at, load);
        }
    }

    /// Behind all that arrives before it, or with it.
    fn post(&mut self, at: Instant, load: Load) {
        let behind = self.inbox.partition_point(|(other, _)| *other <= at);
        self.inbox.insert(behind, (at, load));
    }

    fn due(&self) -> Option<Instant> {
        let client = self.client.poll_timeout().map(|deadline| deadline.at.max(self.now));
        let inbox = self.inbox.front().map(|(at, _)| *at);
        let due = [client, inbox].into_iter().flatten().min()?;
        (due < self.end()).then_some(due)
    }

    fn begin(&mut self) -> Vec<Kept> {
        self.has_begun = true;
        for channel in self.session.channels.clone() {
            self.client.subscribe(self.now, channel).unwrap();
        }
        self.ask()
    }

    fn ask(&mut self) -> Vec<Kept> {
        for query in self.session.queries.clone() {
            self.client.fetch(self.now, query).unwrap();
        }
        self.post(self.now + Duration::from_secs(60), Load::Ask);
        core::iter::from_fn(|| self.client.poll_output()).map(Kept::Said).collect()
    }

    fn perform(&mut self, output: &Output<'_>) {
        let (now, at) = (self.now, self.now + LATENCY);
        match output {
            Output::Open { conn, to } => {
                let (_, query) = to.secret_url().split_once('?').unwrap();
                let is_open = self.exchange.connect(now, session(*conn), query);
                let load = if is_open { Load::Opened(*conn) } else { Load::Refused(*conn) };
                self.post(at, load);
            }
            Output::Send { conn, text } => self.exchange.receive(now, session(*conn), text),
            Output::Close { conn } => self.exchange.lost(session(*conn)),
            Output::Fetch(fetch) => {
                let request = Request::new(fetch.method().as_str(), fetch.path());
                let response = self.exchange.http(now, &request);
                self.post(at, Load::Reply(fetch.request(), Box::new(response)));
            }
            Output::Event(_) | Output::Push(_) => {}
        }
        self.fetch_outgoing(now);
    }
}

impl Tape for SimulatedTape {
    fn next_at(&self) -> Option<UnixNanos> {
        if self.has_begun {
            self.due().map(|due| self.unix(due))
        } else {
            Some(self.unix(self.now))
        }
    }

    fn step(&mut self, sink: &mut dyn Sink) -> io::Result<()> {
        let mut bytes = Vec::new();
        let outputs = if self.has_begun {
            let Some(due) = self.due() else { return Ok(()) };
            self.now = due;
            let arrived = self.inbox.front().is_some_and(|(at, _)| *at <= due);
            let load = if arrived { self.inbox.pop_front() } else { None };
            let load = load.map_or(Load::Timeout, |(_, load)| load);
            if matches!(load, Load::Ask) { self.ask() } else { self.tell(&load, &mut bytes) }
        } else {
            let moment = Moment::new(self.now, self.unix(self.now), &self.client);
            sink.on_start(&moment)?;
            self.begin()
        };
        let moment = Moment::new(self.now, self.unix(self.now), &self.client);
        for output in &outputs {
            match output {
                Kept::Said(output) => sink.on_output(&moment, output)?,
                Kept::Push(tag) => sink.on_output(&moment, &Output::Push(tag.on(&bytes)))?,
            }
        }
        for output in outputs {
            if let Kept::Said(output) = output {
                self.perform(&output);
            }
        }
        self.prepare();
        Ok(())
    }

    fn rewind(&mut self) -> io::Result<()> {
        *self = Self::new(self.session.clone());
        Ok(())
    }
}

impl SimulatedTape {
    fn tell(&mut self, load: &Load, bytes: &mut Vec<u8>) -> Vec<Kept> {
        let error = |code| TransportError::Closed { code: Some(code) };
        let input = match load {
            Load::Opened(conn) => Input::Opened { conn: *conn },
            Load::Refused(conn) => Input::Lost { conn: *conn, error: TransportError::Refused },
            Load::Text(conn, text) => {
                bytes.extend(text.as_bytes());
                Input::Text { conn: *conn, bytes }
            }
            Load::Closed(conn, code) => Input::Lost { conn: *conn, error: error(*code) },
            Load::Reply(request, response) => {
                bytes.extend(response.body.as_bytes());
                let head = ResponseHead::new(response.status);
                Input::Reply { request: *request, head, body: bytes }
            }
            Load::Ask | Load::Timeout => Input::Timeout,
        };
        let mut turn = self.client.handle(self.now, input);
        let mut outputs = Vec::new();
        while let Some(output) = turn.next() {
            outputs.push(match output {
                Output::Push(push) => Kept::Push(push.tag()),
                Output::Event(event) => Kept::Said(Output::Event(event)),
                Output::Send { conn, text } => Kept::Said(Output::Send { conn, text }),
                Output::Open { conn, to } => Kept::Said(Output::Open { conn, to }),
                Output::Close { conn } => Kept::Said(Output::Close { conn }),
                Output::Fetch(fetch) => Kept::Said(Output::Fetch(fetch)),
            });
        }
        outputs
    }
}

const fn session(conn: ConnId) -> SessionId {
    SessionId(conn.get() as u64)
}

const fn conn(id: SessionId) -> ConnId {
    ConnId::new(id.0 as u32)
}
