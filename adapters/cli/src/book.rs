//! `kcf book`: exact order books, as lines or as JSON.

use std::collections::BTreeMap;
use std::time::Duration;

use kucoin_futures_blocking::{BookUpdate, Feed, Next, Update};
use kucoin_futures_proto::book::Scope;
use kucoin_futures_proto::wire::Side;
use kucoin_futures_proto::{Book, Channel, Config, Event, Instant, Symbol, TopicId};
use serde_json::{Value, json};

use crate::args::BookArgs;
use crate::exit::{Failure, Kind};
use crate::out::{BAD, DIM, GOOD, Out};
use crate::stop::Stop;
use crate::words::{self, State};

/// People read at most so many lines a second and symbol.
const PAUSE: Duration = Duration::from_millis(250);

pub(crate) fn run(args: &BookArgs) -> Result<(), Failure> {
    let config = Config::with_rest(&args.url).map_err(|error| Failure::new(Kind::Usage, error))?;
    let mut feed = Feed::new(config).map_err(|error| Failure::new(Kind::Runtime, error))?;
    let waker = feed.waker();
    let stop = Stop::on_signal(move || waker.wake())?;
    let mut printer = Printer::new(args);
    for &symbol in &args.symbols {
        let topic = feed.subscribe(Channel::Level2(symbol));
        let topic = topic.map_err(|error| Failure::new(Kind::Usage, error))?;
        printer.rows.insert(topic, Row { symbol, epoch: 0, deltas: 0, shown: None, dead: false });
    }
    let clock = feed.clock();
    let end = args.span.map(|span| clock.now() + span);
    let mut reached = false;
    while !stop.is_asked() && !printer.rows.values().all(|row| row.dead) {
        let now = clock.now();
        if end.is_some_and(|end| end <= now) {
            break;
        }
        // What has come already is printed in one go; then the reader gets it, and we wait.
        let mut next = feed.next_within(Duration::ZERO);
        if matches!(next, Next::Quiet) {
            printer.out.flush()?;
            let rest = end.map_or(Duration::from_secs(3600), |end| end.since(now));
            next = feed.next_within(rest);
        }
        match next {
            Next::Ended => break,
            Next::Quiet => {}
            Next::Update(Update::Book(change)) => printer.change(now, &change)?,
            Next::Update(Update::State(event)) => {
                reached |= matches!(event, Event::LineUp { .. });
                printer.state(now, &event, &feed)?;
            }
            Next::Update(Update::Push(_)) => {}
        }
    }
    printer.end(&feed)?;
    feed.close();
    if printer.rows.values().all(|row| row.dead) {
        let text = "none of the symbols can be had: `GET /api/v1/contracts/active` lists them all";
        return Err(Failure::words(Kind::Usage, text));
    }
    if args.span.is_some() && !reached {
        let text =
            format!("no line to {} came up: see the reasons above, or RUST_LOG=debug", args.url);
        return Err(Failure::words(Kind::Network, text));
    }
    Ok(())
}

struct Printer<'a> {
    args: &'a BookArgs,
    out: Out,
    rows: BTreeMap<TopicId, Row>,
}

struct Row {
    symbol: Symbol,
    epoch: u32,
    deltas: u64,
    shown: Option<Instant>,
    dead: bool,
}

impl<'a> Printer<'a> {
    fn new(args: &'a BookArgs) -> Self {
        Self { args, out: Out::new(), rows: BTreeMap::new() }
    }

    fn change(&mut self, now: Instant, change: &BookUpdate<'_>) -> Result<(), Failure> {
        let Some(row) = self.rows.get_mut(&change.topic) else { return Ok(()) };
        row.deltas += 1;
        let Some(book) = change.book else { return Ok(()) };
        let due = self.args.digest_every.is_some_and(|n| row.deltas % n == 0);
        self.book(now, change.topic, book)?;
        if due {
            let symbol = self.rows.get(&change.topic).map(|row| row.symbol);
            self.out.json(&digest_json(book, symbol))?;
        }
        Ok(())
    }

    fn book(&mut self, now: Instant, topic: TopicId, book: &Book) -> Result<(), Failure> {
        let Some(row) = self.rows.get_mut(&topic) else { return Ok(()) };
        if self.args.json {
            let json = book_json(book, row.symbol, row.epoch, self.args.levels);
            self.out.json(&json)?;
        } else if row.shown.is_none_or(|shown| now.since(shown) >= PAUSE) {
            row.shown = Some(now);
            print_touch(&mut self.out, row.symbol, book)?;
        }
        Ok(())
    }

    fn state(&mut self, now: Instant, event: &Event, feed: &Feed) -> Result<(), Failure> {
        let Some(state) = State::of(event) else { return Ok(()) };
        let row = state.topic.and_then(|topic| self.rows.get_mut(&topic));
        let symbol = row.as_ref().map(|row| row.symbol);
        match (row, event) {
            (Some(row), Event::BookLive { epoch, .. }) => {
                row.epoch = epoch.get();
                row.shown = None;
            }
            (Some(row), Event::Rejected { .. }) => row.dead = true,
            _ => {}
        }
        if self.args.json {
            self.out.json(&state.json(symbol))?;
        } else {
            let style = if state.good { GOOD } else { BAD };
            let who = symbol.map_or_else(|| "line".into(), |symbol| symbol.to_string());
            let text = state.text();
            self.out.line(format_args!("{who:<12} {style}{text}{style:#}"))?;
        }
        // The book as it starts: a still market gives no change to show it with.
        let Event::BookLive { topic, .. } = *event else { return Ok(()) };
        feed.book(topic).map_or(Ok(()), |book| self.book(now, topic, book))
    }

    fn end(&mut self, feed: &Feed) -> Result<(), Failure> {
        if self.args.json {
            self.out.json(&words::summary(feed.stats()))?;
        } else {
            let text = words::summary_text(feed.stats());
            self.out.line(format_args!("{DIM}{text}{DIM:#}"))?;
        }
        self.out.flush()?;
        Ok(())
    }
}

fn print_touch(out: &mut Out, symbol: Symbol, book: &Book) -> Result<(), Failure> {
    let (bid, ask) = (words::best(book.best_bid()), words::best(book.best_ask()));
    let sequence = book.sequence();
    let [bids, asks] = [Side::Bid, Side::Ask].map(|side| book.complete_levels(side));
    out.line(format_args!(
        "{symbol:<12} {bid:>20} | {ask:<20} {DIM}at {sequence}, {bids} + {asks} levels{DIM:#}"
    ))?;
    Ok(())
}

fn book_json(book: &Book, symbol: Symbol, epoch: u32, levels: usize) -> Value {
    json!({
        "type": "book",
        "symbol": symbol.as_str(),
        "epoch": epoch,
        "sequence": book.sequence().get(),
        "bids": words::levels(book, Side::Bid, Scope::Complete, levels),
        "asks": words::levels(book, Side::Ask, Scope::Complete, levels),
        "bid_horizon": words::horizon(book, Side::Bid),
        "ask_horizon": words::horizon(book, Side::Ask),
        "ts_ms": book.ts_event().map(|ts| ts.as_millis()),
    })
}

fn digest_json(book: &Book, symbol: Option<Symbol>) -> Value {
    json!({
        "type": "digest",
        "symbol": symbol.map(|symbol| symbol.to_string()),
        "sequence": book.sequence().get(),
        "bid_horizon": words::horizon(book, Side::Bid),
        "ask_horizon": words::horizon(book, Side::Ask),
        "sha256": words::hex(&book.digest(Scope::Complete)),
    })
}
