//! Exchange and client: breaks one thing after the other, follows what is said, compares the books.

use std::sync::Arc;
use std::time::Duration;

use kucoin_futures_host::{Clock, Next, Update, unix_now};
use kucoin_futures_proto::book::Scope;
use kucoin_futures_proto::wire::Side;
use kucoin_futures_proto::{BookStatus, Channel, Config, Event, Instant, Message, Symbol, TopicId};
use kucoin_futures_sim::{Contract, ExchangeConfig, Server};

use crate::args::{Connect, DemoArgs};
use crate::demo::acts::acts;
use crate::demo::scene::{BookRow, KEPT, LineState, Scene, Verdict};
use crate::demo::screen::Wish;
use crate::demo::view::View;
use crate::exit::{Failure, Kind};
use crate::feed::Feed;
use crate::monitor::{Depth, Mood};
use crate::stop::Stop;
use crate::words;

/// Changes a second, of each market.
const RATE: f64 = 100.0;
/// The real exchange says 18 s and 10 s: too slow for a short show.
const PING_INTERVAL: Duration = Duration::from_millis(1000);
const PING_TIMEOUT: Duration = Duration::from_millis(1000);
/// The defaults are 1 s, 60 s, 60 s and 10 s: for the same reason.
const BACKOFF_BASE: Duration = Duration::from_millis(250);
const BACKOFF_CAP: Duration = Duration::from_secs(4);
const BACKOFF_RESET_AFTER: Duration = Duration::from_secs(1);
const FETCH_TIMEOUT: Duration = Duration::from_millis(1500);
/// Books get this long to recover before the verdict.
const RECOVERY: Duration = Duration::from_secs(20);
/// A view is shown the scene so often.
const FRAME: Duration = Duration::from_millis(66);

pub(crate) struct Stage {
    pub(crate) scene: Scene,
    server: Server,
    feed: Feed,
    clock: Clock,
    start: Instant,
    next_frame: Instant,
    /// Repeats counted when the present act began.
    repeats: u64,
}

impl Stage {
    /// Opens the exchange and subscribes: books of all symbols, trades of the first.
    pub(crate) fn set(
        connect: &Connect,
        args: &DemoArgs,
        symbols: &[Symbol],
    ) -> Result<Self, Failure> {
        let runtime = |error| Failure::new(Kind::Runtime, error);
        let clock = Clock::new();
        let server = start_server(args, symbols, clock)?;
        let mut config = Config::with_rest(&server.url()).map_err(runtime)?;
        config.backoff.base = BACKOFF_BASE;
        config.backoff.cap = BACKOFF_CAP;
        config.backoff.reset_after = BACKOFF_RESET_AFTER;
        config.timeouts.fetch = FETCH_TIMEOUT;
        let mut feed = Feed::open(connect, config, None, None)?;
        let mut books = Vec::new();
        for &symbol in symbols {
            let topic = feed.subscribe(Channel::level2(symbol)).map_err(runtime)?;
            let status = BookStatus::Idle;
            books.push(BookRow { topic, symbol, status, lost_at: None, depth: None });
        }
        let first = symbols.first().copied();
        let traded = match first {
            Some(first) => {
                Some((feed.subscribe(Channel::execution(first)).map_err(runtime)?, first))
            }
            None => None,
        };
        let now = clock.now();
        let scene = Scene {
            runtime: connect.runtime.name(),
            url: server.url(),
            span: args.span,
            now,
            line: LineState::Starting,
            books,
            traded,
            trades: Default::default(),
            log: Default::default(),
            resyncs: Vec::new(),
            acts: first.map_or_else(Vec::new, |first| acts(first, args.span)),
            stats: *feed.stats(),
        };
        Ok(Self { scene, server, feed, clock, start: now, next_frame: now, repeats: 0 })
    }

    pub(crate) fn waker(&self) -> Box<dyn Fn() + Send> {
        self.feed.waker()
    }

    /// The time that the user asked for: breaks one thing after another, each once the one before
    /// has healed. Takes longer where healing does.
    pub(crate) fn play(&mut self, view: &mut View, stop: &Stop) -> Result<(), Failure> {
        let end = self.start + self.scene.span;
        while !stop.is_asked() {
            let now = self.clock.now();
            let over = now >= end && self.scene.acts.iter().all(|act| act.healed.is_some());
            if over || now >= end + RECOVERY {
                break;
            }
            self.break_what_is_due(view)?;
            self.follow(view, stop)?;
        }
        Ok(())
    }

    /// Faults are over: waits until every book is live, then compares.
    pub(crate) fn settle(&mut self, view: &mut View, stop: &Stop) -> Result<Vec<Verdict>, Failure> {
        self.server.with(|exchange, _| exchange.heal());
        let end = self.clock.now() + RECOVERY;
        while !stop.is_asked() && self.clock.now() < end && !self.scene.all_live() {
            self.follow(view, stop)?;
        }
        self.look();
        let books = self.scene.books.iter();
        Ok(books.map(|row| self.compare(row.topic, row.symbol)).collect())
    }

    /// The client says goodbye.
    pub(crate) fn end(&mut self) {
        self.feed.close();
    }

    fn break_what_is_due(&mut self, view: &mut View) -> Result<(), Failure> {
        if !self.scene.all_live() {
            return Ok(());
        }
        let now = self.clock.now();
        let share = self.scene.span / u32::try_from(self.scene.acts.len()).unwrap_or(1).max(1);
        let next = self.scene.acts.iter().position(|act| act.healed.is_none());
        let Some(at) = next else { return Ok(()) };
        let due = self.start + share.mul_f64(at as f64 + 0.4);
        let Some(act) = self.scene.acts.get_mut(at).filter(|act| act.broken.is_none()) else {
            return Ok(());
        };
        if now < due {
            return Ok(());
        }
        act.broken = Some(now);
        let faults = act.faults.clone();
        let text = act.title.to_owned();
        self.scene.now = now;
        self.scene.say("BROKEN", text, Mood::Fault);
        self.repeats = self.feed.stats().repeats;
        view.broken(&self.scene, at)?;
        faults.into_iter().for_each(|fault| self.server.inject(fault));
        Ok(())
    }

    /// Takes one thing that the client says; shows the scene when it is time.
    fn follow(&mut self, view: &mut View, stop: &Stop) -> Result<(), Failure> {
        let now = self.clock.now();
        if now >= self.next_frame {
            self.next_frame = now + FRAME;
            self.look();
            if view.frame(&self.scene)? == Wish::End {
                stop.ask();
            }
        }
        let event = match self.feed.next_within(self.next_frame.since(now)) {
            Next::Update(Update::State(event)) => Some(event),
            Next::Update(Update::Push(push)) => {
                if let Ok(Message::Execution(trade)) = push.decode() {
                    self.scene.on_trade(&trade);
                }
                None
            }
            Next::Update(Update::Book(_)) | Next::Quiet | Next::Ended => None,
        };
        self.scene.now = self.clock.now();
        if let Some(event) = &event {
            self.look_at_books();
            if let Some(state) = self.scene.on_event(event, self.feed.words_of(event)) {
                view.state(&self.scene, &state)?;
            }
        }
        self.heal(view, event.as_ref())
    }

    fn heal(&mut self, view: &mut View, event: Option<&Event>) -> Result<(), Failure> {
        let (now, all_live) = (self.scene.now, self.scene.all_live());
        let repeats = self.feed.stats().repeats - self.repeats;
        let mut acts = self.scene.acts.iter_mut().enumerate();
        let open = acts.find(|(_, act)| act.broken.is_some() && act.healed.is_none());
        let Some((at, act)) = open else { return Ok(()) };
        if act.noticed.is_none() && act.is_noticed(event, repeats) {
            act.noticed = Some(now);
        }
        if act.noticed.is_none() || !all_live {
            return Ok(());
        }
        act.healed = Some(now);
        let took = act.broken.map_or(0, |broken| now.since(broken).as_millis());
        let text = format!("{}: all books live after {took} ms", act.title);
        self.scene.say("HEALED", text, Mood::Good);
        view.healed(&self.scene, at)
    }

    /// Brings the scene up to date.
    fn look(&mut self) {
        self.scene.now = self.clock.now();
        self.scene.stats = *self.feed.stats();
        self.look_at_books();
        for row in &mut self.scene.books {
            row.depth = self.feed.book(row.topic).map(|book| Depth::of(book, KEPT));
        }
    }

    fn look_at_books(&mut self) {
        for row in &mut self.scene.books {
            row.status = self.feed.book_status(row.topic).unwrap_or(BookStatus::Idle);
        }
    }

    fn compare(&self, topic: TopicId, symbol: Symbol) -> Verdict {
        let Some(book) = self.feed.book(topic) else {
            return Verdict { symbol, sequence: 0, equal: None, levels: 0 };
        };
        let ours = words::hex(&book.digest(Scope::Complete));
        let [bids, asks] = [Side::Bid, Side::Ask].map(|side| book.reach(side));
        let equal = self.server.with(|exchange, _| {
            let mut truths = exchange.market(symbol)?.truths_at(book.sequence());
            Some(truths.any(|truth| truth.digest(bids, asks) == ours))
        });
        let levels = book.complete_levels(Side::Bid) + book.complete_levels(Side::Ask);
        let equal = Some(equal.unwrap_or(false));
        Verdict { symbol, sequence: book.sequence().get(), equal, levels }
    }

    /// What the exit code says.
    pub(crate) fn judge(&self, books: &[Verdict], stop: &Stop) -> Result<(), Failure> {
        if books.iter().any(|book| book.equal == Some(false)) {
            let text =
                "a book differs from the exchange's: this must never happen, please report it";
            return Err(Failure::words(Kind::Integrity, text));
        }
        if stop.is_asked() {
            return Ok(());
        }
        if books.iter().any(|book| book.equal.is_none()) {
            return Err(Failure::words(Kind::Runtime, "a book did not become live again in time"));
        }
        if self.scene.acts.iter().any(|act| act.noticed.is_none() || act.healed.is_none()) {
            let text = "a fault was not noticed and healed in time";
            return Err(Failure::words(Kind::Runtime, text));
        }
        Ok(())
    }
}

fn start_server(args: &DemoArgs, symbols: &[Symbol], clock: Clock) -> Result<Server, Failure> {
    let mut exchange = ExchangeConfig::default();
    exchange.contracts = symbols.iter().map(|symbol| Contract::named(*symbol)).collect();
    exchange.rate = RATE;
    exchange.ping_interval = PING_INTERVAL;
    exchange.ping_timeout = PING_TIMEOUT;
    exchange.unix_start = unix_now();
    let now = Arc::new(move || clock.now());
    let server = Server::start(([127, 0, 0, 1], 0).into(), args.seed, exchange, now);
    server.map_err(|error| Failure::new(Kind::Runtime, error))
}
