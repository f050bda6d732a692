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
    conns: Vec<Conn>,
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
            conns: Vec::new(),
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

    #[allow(clippy::too_many_lines, reason = "an arm for each step")]
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
            Step::Refuse(at, refusal) => {
                if self.conns.iter().all(|conn| conn.unanswered.is_empty()) {
                    return self.say(|conn| Some(conn.refuse(*at, *refusal)));
                }
                self.say(|conn| (!conn.unanswered.is_empty()).then(|| conn.refuse(*at, *refusal)));
            }
            Step::Pong(right) => self.say(|conn| conn.pong(*right)),
            Step::Move(at, change, arrives) => {
                let frame = self.markets[*at].change(*change);
                if *arrives {
                    self.push(&level2(*at), &frame);
                }
            }
            Step::Repeat(at, back) => {
                if let Some(frame) = self.markets[*at].earlier(*back) {
                    self.push(&level2(*at), &frame);
                }
            }
            Step::Restart(at, forward) => self.markets[*at].restart(*forward),
            Step::Poison(at) => {
                let frame = self.markets[*at].change(Change { bid: true, tick: 1, size: 1 });
                self.catch_up();
                self.push(&level2(*at), &edited(&frame, ",buy,1", ",buy,1.5"));
                let of_symbol = |(_, channel): &&(TopicId, Channel)| {
                    channel.symbol().unwrap().as_str() == NAMES[*at]
                };
                for (topic, _) in self.topics.iter().filter(of_symbol) {
                    assert!(self.client.book(*topic).is_none(), "readable after poison");
                }
            }
            Step::Ticker(at) => {
                let topic = format!("/contractMarket/tickerV2:{}", NAMES[*at]);
                self.push(&topic, &self.markets[*at].ticker());
            }
            Step::Garbage(bytes) => {
                let conn = self.conns.first().map(|conn| conn.id);
                self.input(Input::Text { conn: conn.unwrap_or(ConnId::new(0)), bytes });
            }
            Step::Binary => {
                if let Some(conn) = self.conns.first().map(|conn| conn.id) {
                    self.input(Input::Binary { conn });
                }
            }
            Step::OpenFails(at) | Step::Lost(at) => self.lose(*at),
            Step::Lag(at) => {
                if let Some(at) = pick(*at, self.conns.len()) {
                    self.conns[at].late.get_or_insert_default();
                }
            }
        }
    }

    /// The next sensible thing.
    fn go_on(&mut self, change: Change) {
        if !self.requests.is_empty() {
            return self.reply(0, &Body::Right(change.tick as usize % 4));
        }
        if let Some(conn) = self.conns.iter_mut().find(|conn| !conn.opened) {
            conn.opened = true;
            let conn = conn.id;
            return self.input(Input::Opened { conn });
        }
        if self.conns.iter().any(|conn| !conn.welcomed) {
            return self.say(|conn| (!conn.welcomed).then(|| conn.welcome(true)));
        }
        if let Some(conn) = self.conns.iter_mut().find(|conn| !conn.unanswered.is_empty()) {
            let ack = format!(r#"{{"id":"{}","type":"ack"}}"#, conn.unanswered.remove(0));
            let conn = conn.id;
            return self.text_on(conn, &ack);
        }
        if self.conns.is_empty() {
            return if self.topics.is_empty() { self.subscribe(0) } else { self.due(0) };
        }
        self.say(|conn| conn.pong(true));
        self.catch_up();
        let at = change.tick as usize % SYMBOLS;
        self.step(&Step::Move(at, change, true));
    }

    /// What is late arrives.
    fn catch_up(&mut self) {
        let late: Vec<_> =
            self.conns.iter_mut().filter_map(|conn| Some((conn.id, conn.late.take()?))).collect();
        for (conn, texts) in late {
            texts.iter().for_each(|text| self.text_on(conn, text));
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
        if let Some(which) = pick(at, self.conns.len()) {
            let conn = self.conns.remove(which).id;
            self.dead_conns.push(conn);
            self.input(Input::Lost { conn, error: losses[at.index(4)] });
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

    /// What the exchange says on the first connection that has something to say.
    fn say(&mut self, what: impl FnMut(&mut Conn) -> Option<String>) {
        let mut what = what;
        let said = self.conns.iter_mut().find_map(|conn| Some((conn.id, what(conn)?)));
        if let Some((conn, text)) = said {
            self.text_on(conn, &text);
        }
    }

    /// A push of a topic goes to whoever asked for it; one that nobody has asked for, to the first.
    fn push(&mut self, topic: &str, text: &str) {
        let asked = |conn: &&mut Conn| conn.topics.contains(topic);
        let first = self.conns.first().map(|conn| conn.id);
        let mut to: Vec<_> = Vec::new();
        for conn in self.conns.iter_mut().filter(asked) {
            match &mut conn.late {
                Some(late) => late.push_back(text.to_owned()),
                None => to.push(conn.id),
            }
        }
        let nobody = !self.conns.iter().any(|conn| conn.topics.contains(topic));
        to.extend(first.filter(|_| nobody));
        to.into_iter().for_each(|conn| self.text_on(conn, text));
    }

    fn text_on(&mut self, conn: ConnId, text: &str) {
        self.input(Input::Text { conn, bytes: text.as_bytes() });
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
            let welcomed = self.conns.iter().any(|conn| conn.welcomed);
            assert!(readable.is_none() || welcomed, "no line carries it");
        }
    }

    fn take_note(&mut self, output: &Output<'_>) {
        match output {
            Output::Push(_) => panic!("a message outside of its turn"),
            Output::Open { conn, to } => self.conns.push(Conn::new(*conn, to)),
            Output::Close { conn } => {
                let before = self.conns.len();
                self.conns.retain(|known| known.id != *conn);
                if self.conns.len() < before {
                    self.dead_conns.push(*conn);
                }
            }
            Output::Send { conn, text } => {
                if let Some(known) = self.conns.iter_mut().find(|known| known.id == *conn) {
                    known.take(text);
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

fn level2(at: usize) -> String {
    format!("/contractMarket/level2:{}", NAMES[at])
}
