//! A client in the tiny market: whoever drives it does everything at once and right.

use std::collections::VecDeque;
use std::time::Duration;

use kucoin_futures_proto::book::{Best, Scope};
use kucoin_futures_proto::wire::Side;
use kucoin_futures_proto::{
    BookEvent, BookStatus, Channel, Client, ConnId, Event, Input, Instant, Output, RequestId,
    ResponseHead, TopicId, TransportError,
};

use super::letters::{LONGEST, Letter, Times};
use super::market::{Level, Market, Place, Sizes};
use super::two_lines::Streams;
use crate::world::{ENDPOINT, World};

/// What the client was given, as far as it says anything about the market.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Heard {
    /// A delta, and whether its time is that of its coming.
    Delta { sequence: u16, level: Level, size: u8, is_fresh: bool },
    /// A snapshot, and whether its time is that of its coming.
    Snapshot { place: Place, is_fresh: bool },
}

/// A delta as it was pushed.
#[derive(Clone, Copy, Debug)]
struct Pushed {
    sequence: u16,
    level: Level,
    size: u8,
    at: Instant,
}

/// Client, market and everything between.
#[derive(Clone)]
pub(super) struct Life {
    times: Times,
    client: Client,
    topic: TopicId,
    now: Instant,
    /// The connection of each line.
    conns: [Option<ConnId>; 2],
    lines: u8,
    /// What is on its way on the second line.
    late: VecDeque<Pushed>,
    /// What each line has brought, and the snapshots that came.
    streams: Streams,
    /// A snapshot is asked for.
    asked: Option<RequestId>,
    market: Market,
    last: Option<Pushed>,
    letters: ([Letter; LONGEST], usize),
    heard: ([Heard; LONGEST + 1], usize),
    /// The latest letter made the client say something of the book.
    has_claimed: bool,
    problem: Option<&'static str>,
}

const SYMBOL: &str = "XBTUSDTM";
const SECOND: Duration = Duration::from_secs(1);
/// The exchange's calendar when the client's clock stands at zero.
const UNIX_MS: u64 = 1_790_000_000_000;
/// A client that has to be called more often than this in a few seconds does not rest.
const MOST_WAITS: usize = 1_000;
const PRICES: [&str; 2] = ["102", "101"];
/// A book must be live again this long after the last fault: ten snapshots that are refused, at most
/// half a minute apart, and what a stream takes to be believed.
const LONGEST_RECOVERY: Duration = Duration::from_secs(360);

impl Life {
    /// A client whose book is live.
    pub(super) fn new(times: Times, lines: u8) -> Self {
        let now = Instant::ZERO + SECOND;
        let mut config = World::client_config();
        config.lines.per_topic = lines;
        let mut client = Client::new(now, 1, config);
        let symbol = SYMBOL.parse().ok().map(Channel::level2);
        let topic = symbol.and_then(|channel| client.subscribe(now, channel).ok());
        let start = super::market::START;
        let mut life = Self {
            times,
            client,
            topic: topic.unwrap_or(TopicId::new(0)),
            now,
            conns: [None; 2],
            lines,
            late: VecDeque::new(),
            streams: Streams::default(),
            asked: None,
            market: Market::new(now),
            last: None,
            letters: ([Letter::Time; LONGEST], 0),
            heard: ([Heard::Snapshot { place: start, is_fresh: true }; LONGEST + 1], 0),
            has_claimed: false,
            problem: None,
        };
        life.drain();
        life.ask();
        life.snapshot(0);
        life.now = life.now + times.step();
        life
    }

    pub(super) fn letters(&self) -> &[Letter] {
        self.letters.0.get(..self.letters.1).unwrap_or_default()
    }

    pub(super) fn heard(&self) -> &[Heard] {
        self.heard.0.get(..self.heard.1).unwrap_or_default()
    }

    pub(super) const fn streams(&self) -> &Streams {
        &self.streams
    }

    pub(super) const fn market(&self) -> &Market {
        &self.market
    }

    pub(super) const fn problem(&self) -> Option<&'static str> {
        self.problem
    }

    /// What the latest letter made the client claim, if anything.
    pub(super) fn claim(&self) -> Option<Place> {
        if self.has_claimed { self.shown() } else { None }
    }

    pub(super) fn describe(&self) -> String {
        let Place { sequence, sizes } = self.market.place();
        let book = self.shown().map_or_else(
            || format!("{:?}", self.client.book_status(self.topic)),
            |shown| {
                let known = if self.market.was_at(shown) { "" } else { " WRONG" };
                format!(
                    "live at {}: a {} b {}{known}",
                    shown.sequence, shown.sizes.a, shown.sizes.b
                )
            },
        );
        format!("market {sequence}: a {} b {}  client {book}", sizes.a, sizes.b)
    }

    /// Lives one letter; false if it changes nothing.
    pub(super) fn live(&mut self, letter: Letter) -> bool {
        self.has_claimed = false;
        let happened = match letter {
            Letter::ChangeA => self.change(Level::A),
            Letter::ChangeB => self.change(Level::B),
            Letter::LostA => self.lose(Level::A),
            Letter::LostB => self.lose(Level::B),
            Letter::Repeat => self.repeat(),
            Letter::Back1 => self.set_back(1),
            Letter::Back2 => self.set_back(2),
            Letter::Snapshot => self.ask() && self.snapshot(0),
            Letter::Snapshot1 => self.ask() && self.snapshot(1),
            Letter::Snapshot2 => self.ask() && self.snapshot(2),
            Letter::Reconnect => self.reconnect(0),
            Letter::Late => self.bring_late(),
            Letter::Skip => self.late.pop_front().is_some(),
            Letter::Reconnect2 => {
                self.late.clear();
                self.reconnect(1)
            }
            Letter::Time => {
                self.pass(self.now + SECOND + SECOND / 10);
                true
            }
        };
        if let Some(next) = self.letters.0.get_mut(self.letters.1) {
            *next = letter;
            self.letters.1 += 1;
        }
        self.pass(self.now + self.times.step());
        self.look();
        happened
    }

    /// The exchange goes on without any fault: how long until the book is live and, if the market
    /// moves, goes with it. `None`: too long.
    pub(super) fn recover(mut self, moving: bool) -> Option<Duration> {
        let start = self.now;
        while self.bring_late() {}
        let mut in_a_row = 0;
        for turn in 0.. {
            if self.asked.is_some() {
                self.snapshot(0);
            }
            // In a still market nothing more is said: whether a live book is right was judged before.
            let is_well = self.shown().is_some_and(|shown| !moving || shown == self.market.place());
            in_a_row = if is_well { in_a_row + 1 } else { 0 };
            if in_a_row == 4 || (!moving && is_well) {
                return Some(self.now.since(start));
            }
            if self.now.since(start) > LONGEST_RECOVERY {
                return None;
            }
            if moving {
                self.change(if turn % 3 == 0 { Level::B } else { Level::A });
                self.bring_late();
            }
            self.pass_until_asked(self.now + SECOND);
        }
        None
    }

    // What the exchange does.

    fn change(&mut self, level: Level) -> bool {
        let pushed = self.make(level);
        self.push(pushed);
        true
    }

    fn lose(&mut self, level: Level) -> bool {
        self.make(level);
        true
    }

    /// A change, and its delta. It is on its way on the second line.
    fn make(&mut self, level: Level) -> Pushed {
        self.market.change(level, self.now);
        let Place { sequence, sizes } = self.market.place();
        let pushed = Pushed { sequence, level, size: sizes.of(level), at: self.now };
        if self.lines > 1 {
            self.late.push_back(pushed);
        }
        pushed
    }

    fn bring_late(&mut self) -> bool {
        let Some(pushed) = self.late.pop_front() else { return false };
        self.push_on(1, pushed);
        true
    }

    fn repeat(&mut self) -> bool {
        let Some(last) = self.last else { return false };
        self.push(last);
        true
    }

    fn set_back(&mut self, by: u16) -> bool {
        self.market.set_back(by, self.now);
        true
    }

    fn push(&mut self, pushed: Pushed) {
        self.last = Some(pushed);
        let Pushed { sequence, level, size, at } = pushed;
        self.hear(Heard::Delta { sequence, level, size, is_fresh: at == self.now });
        self.push_on(0, pushed);
    }

    fn push_on(&mut self, line: usize, pushed: Pushed) {
        let Pushed { sequence, level, size, at } = pushed;
        let Some(conn) = self.conns.get(line).copied().flatten() else { return };
        self.streams.add(line, (sequence, level, size));
        let [a, b] = PRICES;
        let price = if level == Level::A { a } else { b };
        let time = self.stamp(",\"timestamp\":", at, "");
        let frame = format!(
            concat!(
                r#"{{"topic":"/contractMarket/level2:{}","type":"message","subject":"level2","#,
                r#""sn":{},"data":{{"sequence":{},"change":"{},buy,{}"{}}}}}"#
            ),
            SYMBOL, sequence, sequence, price, size, time
        );
        self.input(Input::Text { conn, bytes: frame.as_bytes() });
    }

    /// Answers what was asked; false if the market is not that old.
    fn snapshot(&mut self, changes: usize) -> bool {
        let Some(request) = self.asked.take() else { return false };
        let (place, came) = self.market.past(changes);
        // The present is stamped with the present, the past with its last change.
        let at = if changes == 0 { self.now } else { came };
        self.hear(Heard::Snapshot { place, is_fresh: at == self.now });
        self.streams.snapshots.push(place);
        let (Place { sequence, sizes }, [a, b]) = (place, PRICES);
        let second = if sizes.b == 0 { String::new() } else { format!(",[{b},{}]", sizes.b) };
        let time = self.stamp(",\"ts\":", at, "000000");
        let body = format!(
            concat!(
                r#"{{"code":"200000","data":{{"sequence":{},"symbol":"{}","#,
                r#""bids":[[{},{}]{}],"asks":[[103,1]]{}}}}}"#
            ),
            sequence, SYMBOL, a, sizes.a, second, time
        );
        self.input(Input::Reply { request, head: ResponseHead::new(200), body: body.as_bytes() });
        true
    }

    fn stamp(&self, key: &str, at: Instant, unit: &str) -> String {
        if self.times == Times::Absent {
            return String::new();
        }
        format!("{key}{}{unit}", UNIX_MS + at.as_nanos() / 1_000_000)
    }

    fn hear(&mut self, heard: Heard) {
        if let Some(next) = self.heard.0.get_mut(self.heard.1) {
            *next = heard;
            self.heard.1 += 1;
        }
    }

    // What an adapter does.

    fn reconnect(&mut self, line: usize) -> bool {
        let Some(gone) = self.conns.get_mut(line).and_then(Option::take) else { return false };
        if self.lines == 1 {
            self.asked = None;
        }
        self.input(Input::Lost { conn: gone, error: TransportError::Eof });
        for _ in 0..64 {
            if self.conns.get(line).copied().flatten().is_some() {
                break;
            }
            self.wait();
        }
        true
    }

    /// Whether a snapshot is asked for, now or once it is time to.
    fn ask(&mut self) -> bool {
        for _ in 0..64 {
            let wants = self.client.book_status(self.topic) == Some(BookStatus::Buffering);
            if self.asked.is_some() || !wants {
                break;
            }
            self.wait();
        }
        self.asked.is_some()
    }

    fn wait(&mut self) {
        if let Some(deadline) = self.client.poll_timeout() {
            self.now = self.now.max(deadline.at);
            self.input(Input::Timeout);
        }
    }

    fn pass(&mut self, until: Instant) {
        for _ in 0..MOST_WAITS {
            if self.client.poll_timeout().is_none_or(|deadline| deadline.at > until) {
                self.now = until;
                return;
            }
            self.wait();
        }
        self.problem = Some("no rest");
        self.now = until;
    }

    fn pass_until_asked(&mut self, until: Instant) {
        for _ in 0..MOST_WAITS {
            let due = self.client.poll_timeout().is_some_and(|deadline| deadline.at <= until);
            if self.asked.is_some() || !due {
                break;
            }
            self.wait();
        }
        if self.asked.is_none() {
            self.now = until;
        }
    }

    fn input(&mut self, input: Input<'_>) {
        let _ = self.client.handle(self.now, input);
        self.drain();
    }

    fn drain(&mut self) {
        while let Some(output) = self.client.poll_output() {
            match output {
                Output::Event(Event::Book(_, BookEvent::Live { .. } | BookEvent::Delta(_))) => {
                    self.has_claimed = true;
                }
                Output::Event(_) | Output::Push(_) | Output::Close { .. } => {}
                Output::Fetch(fetch) if fetch.path().starts_with("/api/v1/level2") => {
                    self.asked = Some(fetch.request());
                }
                Output::Fetch(fetch) => {
                    let body = format!(
                        concat!(
                            r#"{{"code":"200000","data":{{"token":"t","instanceServers":[{{"#,
                            r#""endpoint":"{}","encrypt":false,"protocol":"websocket","#,
                            r#""pingInterval":18000,"pingTimeout":10000}}]}}}}"#
                        ),
                        ENDPOINT
                    );
                    let _ = self.client.handle(
                        self.now,
                        Input::Reply {
                            request: fetch.request(),
                            head: ResponseHead::new(200),
                            body: body.as_bytes(),
                        },
                    );
                }
                Output::Open { conn, to } => {
                    let id = to.secret_url().rsplit('=').next().unwrap_or_default();
                    let welcome = format!(r#"{{"id":"{id}","type":"welcome"}}"#);
                    // The one that is without.
                    if let Some(place) = self.conns.iter_mut().find(|known| known.is_none()) {
                        *place = Some(conn);
                    }
                    let _ = self.client.handle(self.now, Input::Opened { conn });
                    let _ = self
                        .client
                        .handle(self.now, Input::Text { conn, bytes: welcome.as_bytes() });
                }
                Output::Send { conn, text } => {
                    let id = text.split('"').nth(3).unwrap_or_default();
                    let kind = if text.contains("\"ping\"") { "pong" } else { "ack" };
                    let answer = format!(r#"{{"id":"{id}","type":"{kind}"}}"#);
                    let _ = self
                        .client
                        .handle(self.now, Input::Text { conn, bytes: answer.as_bytes() });
                }
            }
        }
    }

    /// What must hold of whatever is shown.
    fn look(&mut self) {
        let Some(book) = self.client.book(self.topic) else { return };
        let best = |best| matches!(best, Best::Level(_));
        if !best(book.best_bid()) || !best(book.best_ask()) {
            self.problem = Some("live without a best");
        }
        if book.is_crossed() {
            self.problem = Some("crossed");
        }
    }

    fn shown(&self) -> Option<Place> {
        let book = self.client.book(self.topic)?;
        let size = |price: &str| {
            let mut levels = book.levels(Side::Bid, Scope::Held);
            let level = levels.find(|level| price.parse() == Ok(level.price));
            level.map_or(0, |level| level.size.get() as u8)
        };
        let [a, b] = PRICES;
        let sizes = Sizes { a: size(a), b: size(b) };
        Some(Place { sequence: book.sequence().get() as u16, sizes })
    }
}
