//! A client, its adapter, the exchange and a checker, moved step by step.

mod exchange;
pub(crate) mod market;
pub(crate) mod seen;
pub(crate) mod step;

use std::collections::BTreeMap;
use std::time::Duration;

use kucoin_futures_proto::{
    Channel, Client, Config, ConnId, Input, Instant, Misuse, Output, Query, RequestId,
    ResponseHead, TimeoutReason, TopicId, TransportError,
};
use kucoin_futures_sim::OutputChecker;
use proptest::sample::Index;

use crate::edited::edited;
use exchange::Conn;
use market::{Change, Market};
use seen::Seen;
use step::{Body, SYMBOLS, Step, pick};

const MS: Duration = Duration::from_millis(1);
const HOUR: Duration = Duration::from_secs(3600);
const NAMES: [&str; SYMBOLS] = ["LINKUSDTM", "AVAXUSDTM", "10PEPEUSDTM"];

/// When outputs are drained.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Drain {
    Always,
    /// After steps picked by these bits.
    Sometimes(u64),
    /// At the very end.
    Never,
}

/// What else is said to the client, and must change nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Noise {
    None,
    EarlyTimeouts,
    Stale,
}

pub(crate) struct World {
    pub(crate) client: Client,
    pub(crate) checker: OutputChecker,
    pub(crate) seen: Seen,
    pub(crate) log: Vec<Output<'static>>,
    /// Pushes as they were decoded.
    pub(crate) pushes: Vec<String>,
    now: Instant,
    /// The latest time the client was told.
    latest: Instant,
    levels: usize,
    markets: [Market; SYMBOLS],
    topics: Vec<(TopicId, Channel)>,
    requests: Vec<(RequestId, String)>,
    /// When the snapshots on their way were asked for.
    snapshots: BTreeMap<RequestId, Instant>,
    dead_requests: Vec<RequestId>,
    conn: Option<Conn>,
    dead_conns: Vec<ConnId>,
    closed: bool,
}

impl World {
    pub(crate) fn new(config: Config) -> Self {
        let now = Instant::ZERO + HOUR;
        let client = Client::new(now, 11, config);
        Self {
            checker: OutputChecker::new(client.config()),
            seen: Seen::default(),
            levels: client.config().book.snapshot_levels,
            client,
            log: Vec::new(),
            pushes: Vec::new(),
            now,
            latest: now,
            markets: NAMES.map(Market::new),
            topics: Vec::new(),
            requests: Vec::new(),
            snapshots: BTreeMap::new(),
            dead_requests: Vec::new(),
            conn: None,
            dead_conns: Vec::new(),
            closed: false,
        }
    }

    pub(crate) fn run(&mut self, steps: &[Step], drain: Drain, noise: Noise) {
        for (n, step) in steps.iter().enumerate() {
            let drains = match drain {
                Drain::Always => true,
                Drain::Sometimes(bits) => bits >> (n % 64) & 1 == 1,
                Drain::Never => false,
            };
            if drains {
                self.make(noise, n);
            }
            self.step(step);
            if drains {
                self.drain();
                self.check_live();
            }
            if drain == Drain::Always {
                self.check_snapshots();
            }
            self.check_books();
            self.checker.check_stats(self.client.stats()).unwrap();
        }
        self.drain();
        self.check_books();
    }

    fn make(&mut self, noise: Noise, n: usize) {
        let is_early = self.client.poll_timeout().is_none_or(|d| d.at > self.latest);
        if noise == Noise::None || !is_early {
            return;
        }
        // Where none has died yet, one that never was.
        let conn = self.dead_conns.first().copied().unwrap_or(ConnId::new(u32::MAX));
        let id = self.dead_requests.first().copied().unwrap_or(RequestId::new(u32::MAX));
        let input = match (noise, n % 6) {
            (Noise::Stale, 0) => Input::Text { conn, bytes: b"{\"type\":\"x\"}" },
            (Noise::Stale, 1) => Input::Opened { conn },
            (Noise::Stale, 2) => Input::Lost { conn, error: TransportError::Eof },
            (Noise::Stale, 3) => Input::Binary { conn },
            (Noise::Stale, 4) => Input::Failed { request: id, error: TransportError::Reset },
            (Noise::Stale, 5) => {
                Input::Reply { request: id, head: ResponseHead::new(429), body: b"{}" }
            }
            _ => Input::Timeout,
        };
        let deadline = self.client.poll_timeout();
        let counted = |client: &Client| client.stats().stale + client.stats().stale_inputs;
        let counts = u64::from(input != Input::Timeout && !self.closed);
        let expected = counted(&self.client) + 2 * counts;
        for again in ["", " again"] {
            assert_eq!(self.client.handle(self.latest, input).into_message(), None);
            assert_eq!(self.client.poll_output(), None, "{input:?} is nothing{again}");
            assert_eq!(self.client.poll_timeout(), deadline, "and puts off nothing{again}");
        }
        assert_eq!(counted(&self.client), expected, "law 7: counted, each time");
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::GoOn(change) => self.go_on(*change),
            Step::Wait(ms) => self.now = self.now + *ms * MS,
            Step::Due(late) => self.due(*late),
            Step::Timeout => self.input(Input::Timeout),
            Step::ClockBack(ms) => {
                let back = self.now.as_nanos().saturating_sub(u64::from(*ms) * 1_000_000);
                self.now = Instant::from_nanos(back);
            }
            Step::ClockFar(hours) => self.now = self.now + *hours * HOUR,
            Step::ClockEnd(seconds) => {
                self.now = Instant::from_nanos(u64::MAX - u64::from(*seconds) * 1_000_000_000);
            }
            Step::Subscribe(at) => self.subscribe(*at),
            Step::Unsubscribe(at) => self.unsubscribe(*at),
            Step::Fetch(time) => self.fetch(*time),
            Step::Close => {
                self.latest = self.latest.max(self.now);
                self.client.close(self.now);
                self.closed = true;
            }
            Step::Reply(at, body) => {
                if let Some(at) = pick(*at, self.requests.len()) {
                    self.reply(at, body);
                }
            }
            Step::Welcome(right) => self.say(|conn| Some(conn.welcome(*right))),
            Step::Refuse(at, refusal) => self.say(|conn| Some(conn.refuse(*at, *refusal))),
            Step::Pong(right) => self.say(|conn| conn.pong(*right)),
            Step::Move(at, change, arrives) => {
                let frame = self.markets[*at].change(*change);
                if *arrives {
                    self.text(&frame);
                }
            }
            Step::Repeat(at, back) => {
                if let Some(frame) = self.markets[*at].earlier(*back) {
                    self.text(&frame);
                }
            }
            Step::Restart(at, forward) => self.markets[*at].restart(*forward),
            Step::Poison(at) => {
                let frame = self.markets[*at].change(Change { bid: true, tick: 1, size: 1 });
                self.text(&edited(&frame, ",buy,1", ",buy,1.5"));
                let of_symbol = |(_, channel): &&(TopicId, Channel)| {
                    channel.symbol().unwrap().as_str() == NAMES[*at] && self.conn.is_some()
                };
                for (topic, _) in self.topics.iter().filter(of_symbol) {
                    assert!(self.client.book(*topic).is_none(), "readable after poison");
                }
            }
            Step::Ticker(at) => self.text(&self.markets[*at].ticker()),
            Step::Garbage(bytes) => {
                let conn = self.conn.as_ref().map(|conn| conn.id);
                self.input(Input::Text { conn: conn.unwrap_or(ConnId::new(0)), bytes });
            }
            Step::Binary => {
                if let Some(conn) = &self.conn {
                    self.input(Input::Binary { conn: conn.id });
                }
            }
            Step::OpenFails(at) | Step::Lost(at) => self.lose(*at),
        }
    }

    /// The next sensible thing.
    fn go_on(&mut self, change: Change) {
        let stage = self.conn.as_ref().map(|c| (c.id, c.opened, c.welcomed, c.unanswered.first()));
        match stage {
            _ if !self.requests.is_empty() => self.reply(0, &Body::Right(change.tick as usize % 4)),
            Some((id, false, ..)) => {
                self.conn.as_mut().unwrap().opened = true;
                self.input(Input::Opened { conn: id });
            }
            Some((_, _, false, _)) => self.say(|conn| Some(conn.welcome(true))),
            Some((_, _, _, Some(id))) => {
                let ack = format!(r#"{{"id":"{id}","type":"ack"}}"#);
                self.conn.as_mut().unwrap().unanswered.remove(0);
                self.text(&ack);
            }
            Some(_) => {
                self.say(|conn| conn.pong(true));
                let at = change.tick as usize % SYMBOLS;
                self.step(&Step::Move(at, change, true));
            }
            None if self.topics.is_empty() => self.subscribe(0),
            None => self.due(0),
        }
    }

    fn due(&mut self, late_ms: u32) {
        let due = self.client.poll_timeout();
        if let Some(due) = due {
            self.now = self.now.max(due.at + late_ms * MS);
        }
        self.input(Input::Timeout);
    }

    fn subscribe(&mut self, at: usize) {
        let symbol = NAMES[at % SYMBOLS].parse().unwrap();
        let channel =
            if at < SYMBOLS { Channel::level2(symbol) } else { Channel::ticker_v2(symbol) };
        self.latest = self.latest.max(self.now);
        match self.client.subscribe(self.now, channel) {
            Ok(topic) => {
                assert!(!self.closed);
                self.checker.on_topic(topic);
                if !self.topics.iter().any(|(known, _)| *known == topic) {
                    self.topics.push((topic, channel));
                }
            }
            Err(misuse) => assert!(misuse == Misuse::TooManyTopics || self.closed, "{misuse:?}"),
        }
    }

    fn unsubscribe(&mut self, at: Index) {
        if let Some(at) = pick(at, self.topics.len()) {
            self.latest = self.latest.max(self.now);
            let ended = self.client.unsubscribe(self.now, self.topics[at].0);
            assert_eq!(ended.is_err(), self.closed);
        }
    }

    fn fetch(&mut self, time: bool) {
        self.latest = self.latest.max(self.now);
        let query = if time { Query::ServerTime } else { Query::Contracts };
        let asked = self.client.fetch(self.now, query);
        assert_eq!(asked == Err(Misuse::Closed), self.closed);
        if let Ok(query) = asked {
            self.checker.on_query(query).unwrap();
        }
    }

    fn lose(&mut self, at: Index) {
        let losses = [
            TransportError::Eof,
            TransportError::Refused,
            TransportError::Closed { code: Some(1012) },
            TransportError::Upgrade { status: 401, retry_after: None },
        ];
        if let Some(conn) = self.conn.take() {
            self.dead_conns.push(conn.id);
            self.input(Input::Lost { conn: conn.id, error: losses[at.index(4)] });
        }
    }

    fn reply(&mut self, at: usize, body: &Body) {
        let (request, path) = self.requests.remove(at);
        self.snapshots.remove(&request);
        self.dead_requests.push(request);
        match exchange::reply(&path, body, &self.markets, self.levels) {
            Some((head, text)) => self.input(Input::Reply { request, head, body: text.as_bytes() }),
            None => self.input(Input::Failed { request, error: TransportError::TimedOut }),
        }
    }

    /// What the exchange says on the connection, if there is one.
    fn say(&mut self, what: impl FnOnce(&mut Conn) -> Option<String>) {
        if let Some(text) = self.conn.as_mut().and_then(what) {
            self.text(&text);
        }
    }

    fn text(&mut self, text: &str) {
        if let Some(conn) = &self.conn {
            self.input(Input::Text { conn: conn.id, bytes: text.as_bytes() });
        }
    }

    fn input(&mut self, input: Input<'_>) {
        self.latest = self.latest.max(self.now);
        self.seen.input(&input);
        self.checker.on_input(&input);
        if let Some(push) = self.client.handle(self.now, input).into_message() {
            assert!(!self.closed);
            if let Some(query) = push.request() {
                self.checker.on_answer(query).unwrap();
            }
            self.pushes.push(format!("{:?}", push.decode()));
        }
    }

    fn drain(&mut self) {
        let before = self.log.len();
        loop {
            let due = self.client.poll_timeout();
            assert_eq!(self.client.poll_timeout(), due, "law 4: asking changes nothing");
            let Some(output) = self.client.poll_output() else { break };
            let due_now = due.is_some_and(|deadline| deadline.at <= self.latest);
            assert!(due_now, "law 2: due while outputs are queued");
            self.seen.output(&output);
            self.take_note(&output);
            self.log.push(output);
            assert!(self.log.len() < before + 10_000, "there is no end to it");
        }
        assert_eq!(self.client.poll_output(), None, "drained is drained");
        self.checker.on_outputs(self.latest, &self.log[before..]).unwrap();
        self.checker.check_lagged(self.client.stats()).unwrap();
        let reason = self.client.poll_timeout().map(|deadline| deadline.reason);
        assert_ne!(reason, Some(TimeoutReason::Outputs), "law 2: only while outputs are queued");
    }

    /// How many topics were ever wanted.
    pub(crate) fn topics(&self) -> usize {
        self.topics.len()
    }

    /// Law 3, to be asked after a drain that followed an input.
    pub(crate) fn is_overdue(&self) -> bool {
        self.client.poll_timeout().is_some_and(|deadline| deadline.at <= self.latest)
    }

    /// After a drain: a book can be read just when the events say that it is live, and where.
    pub(crate) fn check_live(&self) {
        for (topic, _) in &self.topics {
            let readable = self.client.book(*topic).map(|book| book.sequence());
            self.checker.check_book(*topic, readable).unwrap();
            let welcomed = self.conn.as_ref().is_some_and(|conn| conn.welcomed);
            assert!(readable.is_none() || welcomed, "no line carries it");
        }
    }

    fn take_note(&mut self, output: &Output<'_>) {
        match output {
            Output::Push(_) => panic!("a message outside of its turn"),
            Output::Open { conn, to } => {
                let connect_id = to.secret_url().split_once("&connectId=").unwrap().1.into();
                let (unanswered, ping) = (Vec::new(), None);
                let (opened, welcomed) = (false, false);
                self.conn =
                    Some(Conn { id: *conn, connect_id, opened, welcomed, unanswered, ping });
            }
            Output::Close { conn } => {
                if self.conn.take_if(|present| present.id == *conn).is_some() {
                    self.dead_conns.push(*conn);
                }
            }
            Output::Send { conn, text } => {
                if let Some(present) = self.conn.as_mut().filter(|present| present.id == *conn) {
                    let (id, is_ping) = id_of(text);
                    if is_ping { present.ping = Some(id) } else { present.unanswered.push(id) }
                }
            }
            Output::Fetch(fetch) => {
                self.requests.push((fetch.request(), fetch.path().to_owned()));
                if fetch.path().contains("/snapshot?") {
                    self.snapshots.insert(fetch.request(), self.latest);
                }
            }
            Output::Event(_) => {}
        }
    }

    /// Law 9. One that has taken longer than it may is not on its way any more.
    fn check_snapshots(&mut self) {
        let config = self.client.config();
        let longest = config.timeouts.fetch.saturating_add(Duration::from_secs(1));
        self.snapshots.retain(|_, asked| self.latest.since(*asked) < longest);
        assert!(self.snapshots.len() <= config.budgets.snapshots_in_flight, "too many snapshots");
    }

    fn check_books(&self) {
        for (topic, channel) in &self.topics {
            let Some(book) = self.client.book(*topic) else { continue };
            let symbol = channel.symbol().unwrap();
            let market = self.markets.iter().find(|market| market.symbol == symbol.as_str());
            assert!(market.unwrap().vouches_for(book), "{symbol} was never like {book:?}");
        }
    }
}

/// The id of a text that was sent, and whether it is a ping.
fn id_of(text: &str) -> (u64, bool) {
    let json: serde_json::Value = serde_json::from_str(text).unwrap();
    let id = json["id"].as_str().unwrap().parse().unwrap();
    (id, json["type"] == "ping")
}
