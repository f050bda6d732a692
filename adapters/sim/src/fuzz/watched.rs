//! A client with its adapter and a checker: everything that is done to it is held against the laws.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use kucoin_futures_proto::book::{Apply, Book};
use kucoin_futures_proto::{
    BookEvent, Channel, Client, Config, ConnId, Event, Input, Instant, Output, Query, RequestId,
    ResponseHead, Sequence, TopicId,
};

use super::market::{CONTRACTS, Market, SYMBOLS, TIME, TOKEN};
use crate::output_checker::OutputChecker;

pub(super) struct Watched {
    pub(super) client: Client,
    pub(super) log: Vec<Output<'static>>,
    /// Messages of topics and answers to queries, decoded.
    pub(super) pushes: Vec<String>,
    /// What the adapter's clock says; it may run backwards.
    pub(super) now: Instant,
    /// The latest time that the client was told.
    pub(super) latest: Instant,
    pub(super) markets: [Market; 3],
    pub(super) topics: Vec<TopicId>,
    /// In flight, with their paths.
    pub(super) requests: Vec<(RequestId, String)>,
    /// Those that are there, the oldest first.
    pub(super) conns: Vec<Conn>,
    checker: OutputChecker,
    /// Books as the events alone make them.
    mirrors: BTreeMap<TopicId, Book>,
    closed: bool,
}

/// A connection, and what was sent on it.
pub(super) struct Conn {
    pub(super) id: ConnId,
    pub(super) connect_id: String,
    pub(super) opened: bool,
    pub(super) welcomed: bool,
    pub(super) unanswered: Vec<String>,
    pub(super) ping: Option<String>,
    /// Topics that are pushed on it.
    topics: BTreeSet<String>,
    /// Topics that it was ever asked for.
    asked: BTreeSet<String>,
    /// What it brings comes late: here it waits.
    pub(super) late: Option<VecDeque<String>>,
}

impl Conn {
    fn new(id: ConnId, connect_id: &str) -> Self {
        Self {
            id,
            connect_id: connect_id.into(),
            opened: false,
            welcomed: false,
            unanswered: Vec::new(),
            ping: None,
            topics: BTreeSet::new(),
            asked: BTreeSet::new(),
            late: None,
        }
    }

    /// Takes what was sent on it.
    fn take(&mut self, text: &str) {
        let mut words = text.split('"').skip(3).step_by(4);
        let id = words.next().unwrap_or_default().to_owned();
        let (kind, topic) = (words.next(), words.next().unwrap_or_default());
        if kind == Some("ping") {
            self.ping = Some(id);
            return;
        }
        self.unanswered.push(id);
        let (prefix, symbols) = topic.split_once(':').unwrap_or_default();
        for symbol in symbols.split(',') {
            let topic = format!("{prefix}:{symbol}");
            if kind == Some("subscribe") {
                self.topics.insert(topic.clone());
                self.asked.insert(topic);
            } else {
                self.topics.remove(&topic);
            }
        }
    }
}

/// More outputs at once than any history here can lead to.
const ENDLESS: usize = 10_000;

impl Watched {
    pub(super) fn new(config: Config) -> Self {
        let now = Instant::ZERO + Duration::from_secs(3600);
        let client = Client::new(now, 11, config);
        Self {
            checker: OutputChecker::new(client.config()),
            client,
            log: Vec::new(),
            pushes: Vec::new(),
            now,
            latest: now,
            markets: SYMBOLS.map(Market::new),
            topics: Vec::new(),
            requests: Vec::new(),
            conns: Vec::new(),
            mirrors: BTreeMap::new(),
            closed: false,
        }
    }

    // Commands.

    pub(super) fn subscribe(&mut self, channel: Channel) {
        self.enter();
        let Ok(topic) = self.client.subscribe(self.now, channel) else { return };
        assert!(!self.closed);
        assert_eq!(self.client.channel(topic), Some(channel));
        self.checker.on_topic(topic);
        if !self.topics.contains(&topic) {
            self.topics.push(topic);
        }
    }

    pub(super) fn unsubscribe(&mut self, topic: TopicId) {
        self.enter();
        let result = self.client.unsubscribe(self.now, topic);
        assert_eq!(result.is_ok(), !self.closed && self.topics.contains(&topic));
        assert!(result.is_err() || self.client.book(topic).is_none(), "its book is gone at once");
    }

    pub(super) fn fetch(&mut self, query: Query) {
        self.enter();
        if let Ok(request) = self.client.fetch(self.now, query) {
            assert!(!self.closed);
            self.checker.on_query(request).unwrap();
        }
    }

    /// The end, with what law 10 says about it.
    pub(super) fn close(&mut self) {
        self.enter();
        self.client.close(self.now);
        self.closed = true;
        self.drain();
        self.checker.check_end().unwrap();
        let stats = *self.client.stats();
        for input in [Input::Timeout, Input::Text { conn: ConnId::new(1), bytes: b"{}" }] {
            self.input(input);
        }
        assert_eq!(self.client.poll_output(), None, "law 10");
        assert_eq!(self.client.poll_timeout(), None, "law 10");
        assert_eq!(*self.client.stats(), stats, "law 10");
    }

    // Inputs.

    pub(super) fn input(&mut self, input: Input<'_>) {
        self.enter();
        self.checker.on_input(&input);
        if let Some(push) = self.client.handle(self.now, input).into_message() {
            assert!(!self.closed, "law 10");
            if let Some(request) = push.request() {
                self.checker.on_answer(request).unwrap();
            }
            let tag = push.tag();
            assert_eq!(tag.on(push.bytes()), push);
            self.pushes.push(format!("{:?}", push.decode()));
        }
        self.checker.check_stats(self.client.stats()).unwrap();
    }

    /// A text on the connection at that place, if there is one.
    pub(super) fn text(&mut self, at: usize, text: &[u8]) {
        if let Some(conn) = self.conns.get(at) {
            self.input(Input::Text { conn: conn.id, bytes: text });
        }
    }

    /// A message of a topic comes on each connection that was asked for it; one that nobody has asked for, on the
    /// first.
    pub(super) fn push(&mut self, frame: &str) {
        let (_, topic) = frame.split_once(r#""topic":""#).unwrap_or_default();
        let topic = topic.split('"').next().unwrap_or_default();
        if !self.conns.iter().any(|conn| conn.topics.contains(topic)) {
            return self.text(0, frame.as_bytes());
        }
        for at in 0..self.conns.len() {
            let Some(conn) = self.conns.get_mut(at) else { break };
            if !conn.topics.contains(topic) {
                continue;
            }
            match &mut conn.late {
                Some(late) => late.push_back(frame.to_owned()),
                None => self.text(at, frame.as_bytes()),
            }
        }
    }

    /// What is late arrives.
    pub(super) fn catch_up(&mut self) {
        for at in 0..self.conns.len() {
            let late = self.conns.get_mut(at).and_then(|conn| conn.late.take());
            late.into_iter().flatten().for_each(|text| self.text(at, text.as_bytes()));
        }
    }

    pub(super) fn reply(&mut self, at: usize, head: ResponseHead, body: &[u8]) {
        let (request, _) = self.requests.remove(at);
        self.input(Input::Reply { request, head, body });
    }

    /// What the exchange would answer to the request at that place.
    pub(super) fn answer(&self, at: usize, back: u64) -> String {
        let path = &self.requests[at].1;
        if let Some((_, symbol)) = path.split_once("?symbol=") {
            let market = self.markets.iter().find(|market| market.symbol == symbol);
            return market.expect("a symbol of ours").snapshot(back);
        }
        match path.as_str() {
            "/api/v1/timestamp" => TIME.into(),
            "/api/v1/contracts/active" => CONTRACTS.into(),
            _ => TOKEN.into(),
        }
    }

    /// To the deadline, or past it; what is due is done then, and the next deadline is later.
    pub(super) fn due(&mut self, late: Duration) {
        if let Some(due) = self.client.poll_timeout() {
            self.now = self.now.max(due.at + late);
        }
        self.input(Input::Timeout);
        self.drain();
        assert!(!self.is_overdue(), "law 3: {:?}", self.client.poll_timeout());
    }

    /// The next sensible thing that the other side does; with nothing to do, the market moves.
    pub(super) fn go_on(&mut self, bits: u8) {
        if !self.requests.is_empty() {
            let body = self.answer(0, u64::from(bits % 4));
            return self.reply(0, ResponseHead::new(200), body.as_bytes());
        }
        if self.conns.is_empty() {
            return self.due(Duration::ZERO);
        }
        if let Some(conn) = self.conns.iter_mut().find(|conn| !conn.opened) {
            conn.opened = true;
            let id = conn.id;
            return self.input(Input::Opened { conn: id });
        }
        if let Some(at) = self.conns.iter().position(|conn| !conn.welcomed) {
            return self.welcome(at);
        }
        if let Some(at) = self.conns.iter().position(|conn| !conn.unanswered.is_empty()) {
            let ack = format!(r#"{{"id":"{}","type":"ack"}}"#, self.conns[at].unanswered.remove(0));
            return self.text(at, ack.as_bytes());
        }
        if let Some(at) = self.conns.iter().position(|conn| conn.ping.is_some()) {
            let id = self.conns[at].ping.take().unwrap_or_default();
            let pong = format!(r#"{{"id":"{id}","type":"pong","timestamp":1791500000250000}}"#);
            return self.text(at, pong.as_bytes());
        }
        self.catch_up();
        let at = usize::from(bits % 3);
        let frame = self.markets[at].change(bits);
        self.push(&frame);
    }

    /// Whether the other side owes the client nothing.
    pub(super) fn is_quiet(&self) -> bool {
        let quiet = |c: &Conn| c.welcomed && c.unanswered.is_empty() && c.ping.is_none();
        self.requests.is_empty() && self.conns.iter().all(quiet)
    }

    pub(super) fn welcome(&mut self, at: usize) {
        let Some(conn) = self.conns.get_mut(at) else { return };
        conn.welcomed |= conn.opened;
        let text = format!(r#"{{"id":"{}","type":"welcome"}}"#, conn.connect_id);
        self.text(at, text.as_bytes());
    }

    fn enter(&mut self) {
        self.latest = self.latest.max(self.now);
    }

    // Outputs.

    /// A deadline has come, as far as the client knows.
    pub(super) fn is_overdue(&self) -> bool {
        self.client.poll_timeout().is_some_and(|deadline| deadline.at <= self.latest)
    }

    pub(super) fn drain(&mut self) {
        let due = self.client.poll_timeout();
        let before = self.log.len();
        while let Some(output) = self.client.poll_output() {
            self.take_note(&output);
            self.log.push(output);
            assert!(self.log.len() < before + ENDLESS, "there is no end to it");
        }
        assert!(self.client.poll_output().is_none());
        let new = &self.log[before..];
        let due = due.is_some_and(|deadline| deadline.at <= self.latest);
        assert!(new.is_empty() || due, "law 2: due while outputs are queued");
        self.checker.on_outputs(self.latest, new).unwrap();
        self.checker.check_lagged(self.client.stats()).unwrap();
        self.check_books();
    }

    fn take_note(&mut self, output: &Output<'_>) {
        match output {
            Output::Open { conn, to } => {
                let (_, connect_id) =
                    to.secret_url().split_once("&connectId=").expect("it has an id");
                self.conns.push(Conn::new(*conn, connect_id));
            }
            Output::Close { conn } => self.conns.retain(|present| present.id != *conn),
            Output::Send { conn, text } => {
                let present = self.conns.iter_mut().find(|present| present.id == *conn);
                present.into_iter().for_each(|present| present.take(text));
            }
            Output::Fetch(fetch) => self.requests.push((fetch.request(), fetch.path().into())),
            Output::Event(event) => self.mirror(event),
            Output::Push(_) => panic!("a message outside of its turn"),
        }
    }

    /// Events tell the whole story of a book from where it is live.
    fn mirror(&mut self, event: &Event) {
        let words = event.refusal().and_then(|refusal| self.client.words(refusal.words?));
        assert!(words.is_none_or(|text| !text.is_empty() && text.len() <= 256), "{words:?}");
        assert!(words.is_none_or(|text| !text.contains(char::is_control)), "{words:?}");
        match event {
            Event::Book(topic, BookEvent::Live { .. } | BookEvent::Lost { .. }) => {
                self.mirrors.remove(topic);
            }
            Event::Lagged { .. } => self.mirrors.clear(),
            Event::Book(topic, BookEvent::Delta(delta)) => {
                if let Some(book) = self.mirrors.get_mut(topic) {
                    assert_eq!(book.apply(delta), Apply::Applied, "{delta:?}");
                }
            }
            _ => {}
        }
    }

    fn check_books(&mut self) {
        for topic in &self.topics {
            let book = self.client.book(*topic);
            let sequence: Option<Sequence> = book.map(Book::sequence);
            self.checker.check_book(*topic, sequence).unwrap();
            let Some(book) = book else { continue };
            let name = self.client.channel(*topic).map(|channel| channel.to_string());
            let name = name.unwrap_or_default();
            let carries = |conn: &Conn| conn.welcomed && conn.asked.contains(&name);
            assert!(self.conns.iter().any(carries), "no line carries it");
            let mirror = self.mirrors.entry(*topic).or_insert_with(|| book.clone());
            assert!(mirror == book, "{topic:?}: {mirror:?} by its events, {book:?} to read");
        }
    }
}
