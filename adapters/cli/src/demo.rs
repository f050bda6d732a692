//! `kcf demo`: a simulated exchange and the real client over loopback sockets, with faults.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use kucoin_futures_blocking::{Feed, Next, Update};
use kucoin_futures_host::{Clock, unix_now};
use kucoin_futures_proto::book::Scope;
use kucoin_futures_proto::wire::Side;
use kucoin_futures_proto::{
    BookStatus, Channel, Config, Delay, Down, Event, FetchFailure, Instant, Loss, ResyncReason,
    Symbol, TopicId,
};
use kucoin_futures_sim::{Contract, ExchangeConfig, Fault, Server, Target};
use serde_json::json;

use crate::args::DemoArgs;
use crate::exit::{Failure, Kind};
use crate::out::{BAD, DIM, FAULT, GOOD, Out};
use crate::stop::Stop;
use crate::words::{self, State};

const SYMBOLS: [&str; 3] = ["XBTUSDTM", "ETHUSDTM", "CHRUSDTM"];
/// Changes a second, of each market.
const RATE: f64 = 100.0;
/// The real exchange says 18 s and 10 s: too slow for a short show.
const PING_INTERVAL: Duration = Duration::from_millis(1000);
const PING_TIMEOUT: Duration = Duration::from_millis(1000);
/// The default is 1 s: for the same reason.
const BACKOFF_BASE: Duration = Duration::from_millis(250);
const SHORTEST: Duration = Duration::from_secs(5);
/// The top of each book is shown so often.
const SHOW_EVERY: Duration = Duration::from_secs(1);
/// Books get this long to recover before the verdict.
const RECOVERY: Duration = Duration::from_secs(20);

/// One thing that is broken on purpose.
struct Act {
    /// When, as a share of the whole time.
    at: f64,
    title: &'static str,
    faults: Vec<Fault>,
    /// The event by which the client shows that it has noticed.
    notices: fn(&Event) -> bool,
    broken: Option<Instant>,
    noticed: Option<Instant>,
    healed: Option<Instant>,
}

fn acts(symbol: Symbol) -> Vec<Act> {
    let target = Target::One(symbol);
    let act = |at, title, faults: &[Fault], notices| Act {
        at,
        title,
        faults: faults.to_vec(),
        notices,
        broken: None,
        noticed: None,
        healed: None,
    };
    vec![
        act(0.10, "a delta is lost", &[Fault::Drop { target, count: 1 }], |event| {
            matches!(event, Event::BookLost { reason: ResyncReason::Gap { .. }, .. })
        }),
        act(
            0.25,
            "pongs are withheld",
            &[Fault::WithholdPongs { span: Duration::from_millis(1500) }],
            |event| matches!(event, Event::LineDown { reason: Down::PongTimeout, .. }),
        ),
        act(
            0.55,
            "the token expires",
            &[Fault::ExpireToken { count: 1 }, Fault::Close { code: 1001 }],
            |event| matches!(event, Event::LineDown { reason: Down::Unauthorized, .. }),
        ),
        act(
            0.72,
            "a delta is lost, and REST says 429",
            &[
                Fault::TooManyRequests { reset: Duration::from_millis(1000), count: 1 },
                Fault::Drop { target, count: 1 },
            ],
            |event| {
                let limited = |failure| matches!(failure, FetchFailure::RateLimited { .. });
                matches!(event, Event::BookDelayed { reason: Delay::SnapshotFailed(failure), .. }
                    if limited(*failure))
            },
        ),
        act(0.88, "the connection is closed", &[Fault::Close { code: 1000 }], |event| {
            matches!(
                event,
                Event::LineDown { reason: Down::Lost(Loss::Closed { code: Some(1000) }), .. }
            )
        }),
    ]
}

pub(crate) fn run(args: &DemoArgs) -> Result<(), Failure> {
    if args.span < SHORTEST {
        return Err(Failure::words(Kind::Usage, "a demo needs at least 5s: try `--for 10s`"));
    }
    let symbols: Vec<Symbol> = SYMBOLS.iter().filter_map(|symbol| symbol.parse().ok()).collect();
    let clock = Clock::new();
    let server = start_server(args, &symbols, clock)?;
    let mut config =
        Config::with_rest(&server.url()).map_err(|error| Failure::new(Kind::Runtime, error))?;
    config.backoff_base = BACKOFF_BASE;
    let mut feed = Feed::new(config).map_err(|error| Failure::new(Kind::Runtime, error))?;
    let waker = feed.waker();
    let stop = Stop::on_signal(move || waker.wake())?;
    let mut topics = BTreeMap::new();
    for &symbol in &symbols {
        let topic = feed.subscribe(Channel::Level2(symbol));
        topics.insert(topic.map_err(|error| Failure::new(Kind::Runtime, error))?, symbol);
    }
    let first = symbols.first().copied();
    let acts = first.map_or_else(Vec::new, acts);
    let mut show =
        Show { args, out: Out::new(), clock, server, topics, acts, shown: Instant::ZERO };
    show.open()?;
    show.play(&mut feed, &stop)?;
    let books = show.settle(&mut feed, &stop)?;
    show.close(&feed, &books)?;
    feed.close();
    show.verdict(&books, &stop)
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

struct Show<'a> {
    args: &'a DemoArgs,
    out: Out,
    clock: Clock,
    server: Server,
    topics: BTreeMap<TopicId, Symbol>,
    acts: Vec<Act>,
    shown: Instant,
}

/// How a book compares with the exchange's.
struct Verdict {
    symbol: Symbol,
    sequence: u64,
    /// `None`: it is not live.
    equal: Option<bool>,
    levels: usize,
}

impl Show<'_> {
    fn open(&mut self) -> Result<(), Failure> {
        let url = self.server.url();
        if self.args.json {
            let symbols: Vec<&str> = self.topics.values().map(Symbol::as_str).collect();
            self.out.json(&json!({"type": "demo", "url": url, "symbols": symbols}))?;
        } else {
            self.out.line(format_args!(
                "A simulated exchange at {url}, the real client, real sockets, no network.\n\
                 {DIM}Every {} s something breaks. Left: seconds; right: what the client says.{DIM:#}\n",
                self.args.span.as_secs_f64() / self.acts.len().max(1) as f64
            ))?;
        }
        Ok(self.out.flush()?)
    }

    /// The time that the user asked for: breaks one thing after another, each once the one before
    /// has healed. Takes longer where healing does.
    fn play(&mut self, feed: &mut Feed, stop: &Stop) -> Result<(), Failure> {
        let start = self.clock.now();
        let end = start + self.args.span;
        while !stop.is_asked() {
            let now = self.clock.now();
            let over = now >= end && self.acts.iter().all(|act| act.healed.is_some());
            if over || now >= end + RECOVERY {
                break;
            }
            self.break_what_is_due(start, now, feed)?;
            self.follow(feed, Duration::from_millis(50))?;
            if now.since(self.shown) >= SHOW_EVERY {
                self.shown = now;
                self.show_books(feed)?;
            }
        }
        Ok(())
    }

    /// Faults are over: waits until every book is live, then compares.
    fn settle(&mut self, feed: &mut Feed, stop: &Stop) -> Result<Vec<Verdict>, Failure> {
        self.server.with(|exchange, _| exchange.heal());
        let end = self.clock.now() + RECOVERY;
        while !stop.is_asked() && self.clock.now() < end && !self.all_live(feed) {
            self.follow(feed, Duration::from_millis(50))?;
        }
        Ok(self.topics.iter().map(|(topic, symbol)| self.compare(feed, *topic, *symbol)).collect())
    }

    fn break_what_is_due(
        &mut self,
        start: Instant,
        now: Instant,
        feed: &Feed,
    ) -> Result<(), Failure> {
        if !self.all_live(feed) {
            return Ok(());
        }
        let next = self.acts.iter_mut().find(|act| act.healed.is_none());
        if let Some(act) = next.filter(|act| act.broken.is_none()) {
            if now < start + self.args.span.mul_f64(act.at) {
                return Ok(());
            }
            act.broken = Some(now);
            let faults: Vec<String> = act.faults.iter().map(ToString::to_string).collect();
            let (faults, title, at) = (faults.join("; "), act.title, seconds(now));
            if self.args.json {
                let at_ms = millis(now);
                let line =
                    json!({"type": "fault", "at_ms": at_ms, "title": title, "fault": faults});
                self.out.json(&line)?;
            } else {
                self.out.line(format_args!(
                    "{at}  {FAULT}BROKEN       {title}{FAULT:#} {DIM}({faults}){DIM:#}"
                ))?;
            }
            for fault in &act.faults {
                self.server.inject(*fault);
            }
        }
        Ok(())
    }

    /// Takes what the client says, for at most `limit`.
    fn follow(&mut self, feed: &mut Feed, limit: Duration) -> Result<(), Failure> {
        let event = match feed.next_within(limit) {
            Next::Update(Update::State(event)) => event,
            Next::Update(Update::Book(_) | Update::Push(_)) | Next::Quiet | Next::Ended => {
                return Ok(self.out.flush()?);
            }
        };
        let now = self.clock.now();
        if let Some(state) = State::of(&event) {
            let symbol = state.topic.and_then(|topic| self.topics.get(&topic)).copied();
            if self.args.json {
                self.out.json(&state.json(symbol))?;
            } else {
                let style = if state.good { GOOD } else { BAD };
                let who = symbol.map_or_else(|| "line".into(), |symbol| symbol.to_string());
                let (at, text) = (seconds(now), state.text());
                self.out.line(format_args!("{at}  {who:<12} {style}{text}{style:#}"))?;
            }
        }
        let all_live = self.all_live(feed);
        for act in self.acts.iter_mut().filter(|act| act.broken.is_some()) {
            if act.noticed.is_none() && (act.notices)(&event) {
                act.noticed = Some(now);
            }
            if act.noticed.is_some() && act.healed.is_none() && all_live {
                act.healed = Some(now);
                let title = act.title;
                if !self.args.json {
                    let at = seconds(now);
                    let took = act.broken.map_or(0, |broken| now.since(broken).as_millis());
                    self.out.line(format_args!(
                        "{at}  {GOOD}HEALED       {title}: all books live after {took} ms{GOOD:#}"
                    ))?;
                }
            }
        }
        Ok(self.out.flush()?)
    }

    fn show_books(&mut self, feed: &Feed) -> io::Result<()> {
        if self.args.json {
            return Ok(());
        }
        let at = seconds(self.shown);
        for (topic, symbol) in &self.topics {
            match feed.book(*topic) {
                Some(book) => {
                    let (bid, ask) = (words::best(book.best_bid()), words::best(book.best_ask()));
                    let sequence = book.sequence();
                    self.out.line(format_args!(
                        "{at}  {symbol:<12} {bid:>16} | {ask:<16} {DIM}at {sequence}{DIM:#}"
                    ))?;
                }
                None => {
                    let status = feed.book_status(*topic);
                    self.out.line(format_args!(
                        "{at}  {symbol:<12} {DIM}not live: {}{DIM:#}",
                        status_word(status)
                    ))?;
                }
            }
        }
        Ok(())
    }

    fn all_live(&self, feed: &Feed) -> bool {
        self.topics.keys().all(|topic| feed.book(*topic).is_some())
    }

    fn compare(&self, feed: &Feed, topic: TopicId, symbol: Symbol) -> Verdict {
        let Some(book) = feed.book(topic) else {
            return Verdict { symbol, sequence: 0, equal: None, levels: 0 };
        };
        let ours = words::hex(&book.digest(Scope::Complete));
        let [bids, asks] = [Side::Bid, Side::Ask].map(|side| book.reach(side));
        let equal = self.server.with(|exchange, _| {
            let truth = exchange.market(symbol)?.truths_at(book.sequence()).next()?;
            Some(truth.digest(bids, asks) == ours)
        });
        let levels = book.complete_levels(Side::Bid) + book.complete_levels(Side::Ask);
        let equal = Some(equal.unwrap_or(false));
        Verdict { symbol, sequence: book.sequence().get(), equal, levels }
    }

    fn close(&mut self, feed: &Feed, books: &[Verdict]) -> Result<(), Failure> {
        if self.args.json {
            return self.close_json(feed, books);
        }
        self.out.line(format_args!("\nVerdict"))?;
        for act in &self.acts {
            let since = |at: Option<Instant>| {
                Some(at?.since(act.broken?).as_millis()).map(|took| format!("{took} ms"))
            };
            let (noticed, healed) = (since(act.noticed), since(act.healed));
            let good = noticed.is_some() && healed.is_some();
            let style = if good { GOOD } else { BAD };
            let or = |text: Option<String>| text.unwrap_or_else(|| "never".into());
            self.out.line(format_args!(
                "  {style}{:<36}{style:#} seen after {:>8}, healed after {:>8}",
                act.title,
                or(noticed),
                or(healed)
            ))?;
        }
        for book in books {
            let (style, verdict) = match book.equal {
                Some(true) => (GOOD, "equal to the exchange's"),
                Some(false) => (BAD, "DIFFERS from the exchange's"),
                None => (BAD, "not live"),
            };
            self.out.line(format_args!(
                "  {:<12} {style}{verdict}{style:#} at sequence {} inside the horizon ({} levels)",
                book.symbol, book.sequence, book.levels
            ))?;
        }
        let text = words::summary_text(feed.stats());
        self.out.line(format_args!("  {DIM}{text}{DIM:#}"))?;
        Ok(self.out.flush()?)
    }

    fn close_json(&mut self, feed: &Feed, books: &[Verdict]) -> Result<(), Failure> {
        self.out.json(&words::summary(feed.stats()))?;
        for act in &self.acts {
            let since = |at: Option<Instant>| Some(at?.since(act.broken?).as_millis() as u64);
            self.out.json(&json!({
                "type": "healed", "title": act.title,
                "seen_after_ms": since(act.noticed), "live_after_ms": since(act.healed),
            }))?;
        }
        for book in books {
            self.out.json(&json!({
                "type": "verdict", "symbol": book.symbol.as_str(), "sequence": book.sequence,
                "live": book.equal.is_some(), "equal": book.equal, "levels": book.levels,
            }))?;
        }
        Ok(self.out.flush()?)
    }

    fn verdict(&self, books: &[Verdict], stop: &Stop) -> Result<(), Failure> {
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
        if self.acts.iter().any(|act| act.noticed.is_none() || act.healed.is_none()) {
            return Err(Failure::words(
                Kind::Runtime,
                "a fault was not noticed and healed in time",
            ));
        }
        Ok(())
    }
}

const fn status_word(status: Option<BookStatus>) -> &'static str {
    match status {
        Some(BookStatus::Idle) | None => "not subscribed yet",
        Some(BookStatus::Buffering) => "waiting for a snapshot",
        Some(BookStatus::Replaying) => "replaying",
        Some(BookStatus::Live) => "live",
        Some(BookStatus::Stale) => "the line is down",
    }
}

fn seconds(at: Instant) -> String {
    format!("{:>6.2}", at.as_nanos() as f64 / 1e9)
}

const fn millis(at: Instant) -> u64 {
    at.as_nanos() / 1_000_000
}
