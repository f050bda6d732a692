//! `kcf verify`: each book once against a snapshot of the exchange's, while it is live.

use std::collections::BTreeMap;
use std::io::IsTerminal as _;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use kucoin_futures_host::{Next, Update, unix_now};
use kucoin_futures_proto::book::{Coverage, Scope};
use kucoin_futures_proto::wire::Side;
use kucoin_futures_proto::{
    Book, BookEvent, BookLostReason, Channel, Config, DisconnectReason, Event, LineEvent, Sequence,
    Symbol, TopicEvent, TopicId,
};
use serde_json::{Value, json};

use crate::args::{Connect, VerifyArgs};
use crate::exit::{Failure, Kind};
use crate::feed::Feed;
use crate::out::{BAD, GOOD, Out};
use crate::refusal::Refusal;
use crate::stop::Stop;
use crate::symbols;
use crate::words::{self, State};

pub(crate) fn run(connect: &Connect, args: &VerifyArgs) -> Result<(), Failure> {
    let usage = |error| Failure::new(Kind::Usage, error);
    let config = Config::with_rest(&args.url).map_err(usage)?;
    let mut feed = Feed::open(connect, config, None, None)?;
    let stop = Stop::on_signal(feed.waker())?;
    let symbols = match symbols::as_written(&args.contracts) {
        Some(symbols) => symbols,
        None => symbols::ask(&mut feed, &stop, &args.contracts)?.0,
    };
    let mut pending = BTreeMap::new();
    for symbol in symbols {
        let topic = feed.subscribe(Channel::level2(symbol)).map_err(usage)?;
        pending.insert(topic, Pending { symbol, reach: None });
    }
    let mut trial = Trial::new(args, pending);
    trial.wait(&mut feed, &stop)?;
    feed.close();
    trial.end(stop.is_asked())
}

/// A book without a verdict yet.
struct Pending {
    symbol: Symbol,
    /// How far it knew bids and asks when it was asked about; `None` while it is not live.
    reach: Option<[(Side, Coverage); 2]>,
}

/// All books that are asked about.
struct Trial<'a> {
    args: &'a VerifyArgs,
    pending: BTreeMap<TopicId, Pending>,
    out: Out,
    bar: ProgressBar,
    wanted: usize,
    equal: usize,
    differing: usize,
    rejected: usize,
    /// A line was up.
    reached: bool,
    unauthorized: bool,
    /// The last refusal, or why there was no line.
    trouble: Option<State>,
}

impl<'a> Trial<'a> {
    fn new(args: &'a VerifyArgs, pending: BTreeMap<TopicId, Pending>) -> Self {
        let wanted = pending.len();
        Self {
            args,
            pending,
            out: Out::new(),
            bar: progress(wanted, args.json),
            wanted,
            equal: 0,
            differing: 0,
            rejected: 0,
            reached: false,
            unauthorized: false,
            trouble: None,
        }
    }

    /// Until there is a verdict on each, or time is up.
    fn wait(&mut self, feed: &mut Feed, stop: &Stop) -> Result<(), Failure> {
        let clock = feed.clock();
        let end = clock.now() + self.args.timeout;
        while !self.pending.is_empty() && !stop.is_asked() && clock.now() < end {
            let event = match feed.next_within(end.since(clock.now())) {
                Next::Update(Update::State(event)) => event,
                Next::Update(_) | Next::Quiet => continue,
                Next::Ended => break,
            };
            self.on_event(&event, feed)?;
        }
        Ok(())
    }

    fn on_event(&mut self, event: &Event, feed: &mut Feed) -> Result<(), Failure> {
        let state = State::of(event, feed.words_of(event), |line| feed.line_role(line));
        let text = state.as_ref().map(State::text);
        self.trouble = state.filter(is_trouble).or_else(|| self.trouble.take());
        match *event {
            Event::Line(_, LineEvent::Up { .. }) => {
                (self.reached, self.unauthorized) = (true, false);
            }
            Event::Line(_, LineEvent::Down { reason, .. }) => {
                self.unauthorized = matches!(reason, DisconnectReason::Unauthorized { .. });
            }
            Event::Topic(topic, TopicEvent::Rejected { .. }) => {
                self.rejected += usize::from(self.pending.contains_key(&topic));
                return self.no_verdict(topic, &text.unwrap_or_else(|| "rejected".into()));
            }
            Event::Book(topic, BookEvent::Live { .. }) => self.ask(topic, feed),
            Event::Book(topic, BookEvent::Verified { sequence, .. }) => {
                return feed.book(topic).map_or(Ok(()), |book| self.equal(topic, sequence, book));
            }
            Event::Book(topic, BookEvent::NotVerified(reason)) => {
                return self.no_verdict(topic, &reason.to_string());
            }
            Event::Book(topic, BookEvent::Lost { reason, .. }) => {
                return self.on_lost(topic, reason);
            }
            _ => {}
        }
        Ok(())
    }

    fn ask(&mut self, topic: TopicId, feed: &mut Feed) {
        let Some(pending) = self.pending.get_mut(&topic) else { return };
        let reach = |book: &Book| [Side::Bid, Side::Ask].map(|side| (side, book.reach(side)));
        // One that is lost already is asked about once it is live again.
        pending.reach = feed.verify(topic).ok().and_then(|()| feed.book(topic)).map(reach);
    }

    // Verdicts.

    fn equal(&mut self, topic: TopicId, at: Sequence, book: &Book) -> Result<(), Failure> {
        let Some(Pending { symbol, reach: Some(reach) }) = self.pending.remove(&topic) else {
            return Ok(());
        };
        self.equal += 1;
        // What it has learned from the snapshot was held against nothing.
        let [bids, asks] = reach.map(|(side, reach)| (levels_within(book, side, reach), reach));
        let known = format!("{}, {}", side_text(bids, "bids"), side_text(asks, "asks"));
        let text = format!("{GOOD}equal{GOOD:#} at sequence {at} ({known})");
        let line = json!({
            "verdict": "equal", "sequence": at.get(),
            "bids": bids.0, "bid_horizon": horizon(bids.1),
            "asks": asks.0, "ask_horizon": horizon(asks.1),
        });
        self.tell(symbol, &text, line)
    }

    fn on_lost(&mut self, topic: TopicId, reason: BookLostReason) -> Result<(), Failure> {
        let BookLostReason::Diverged { side, price, held, exchange } = reason else {
            if let Some(pending) = self.pending.get_mut(&topic) {
                pending.reach = None;
            }
            return Ok(());
        };
        let Some(Pending { symbol, .. }) = self.pending.remove(&topic) else { return Ok(()) };
        self.differing += 1;
        let text = format!("{BAD}differs{BAD:#}: {reason}");
        let line = json!({
            "verdict": "differs", "reason": reason.to_string(),
            "side": side.to_string(), "price": price.to_string(),
            "held": held.get(), "exchange": exchange.get(),
        });
        self.tell(symbol, &text, line)
    }

    fn no_verdict(&mut self, topic: TopicId, reason: &str) -> Result<(), Failure> {
        let Some(Pending { symbol, .. }) = self.pending.remove(&topic) else { return Ok(()) };
        let text = format!("{BAD}no verdict{BAD:#}: {reason}");
        self.tell(symbol, &text, json!({ "verdict": null, "reason": reason }))
    }

    /// A line of output above the bar, which goes on by one.
    fn tell(&mut self, symbol: Symbol, text: &str, verdict: Value) -> Result<(), Failure> {
        self.bar.inc(1);
        let Self { bar, out, args, .. } = self;
        bar.suspend(|| {
            if args.json {
                let mut line = json!({ "type": "verify", "symbol": symbol.as_str() });
                if let (Some(fields), Value::Object(more)) = (line.as_object_mut(), verdict) {
                    fields.extend(more);
                    fields.insert("at_ns".into(), unix_now().as_nanos().into());
                }
                out.json(&line)?;
            } else {
                out.line(format_args!("{symbol} {text}"))?;
            }
            Ok(out.flush()?)
        })
    }

    /// What it comes to.
    fn end(mut self, is_stopped: bool) -> Result<(), Failure> {
        let why = if is_stopped { "stopped before there was one" } else { "none in time" };
        while let Some((&topic, pending)) = self.pending.first_key_value() {
            let what = if pending.reach.is_some() { "live, but " } else { "not live; " };
            self.no_verdict(topic, &format!("{what}{why}"))?;
        }
        self.bar.finish_and_clear();
        let Self { wanted, equal, differing, rejected, .. } = self;
        if differing > 0 {
            let text = format!("{differing} of {wanted} books are not the exchange's");
            return Err(Failure::words(Kind::Integrity, text));
        }
        if equal == wanted {
            return Ok(());
        }
        let last = self.last_words();
        if rejected == wanted {
            let text = format!("none of the books can be had: `kcf contracts` lists them{last}");
            return Err(Failure::words(Kind::Usage, text));
        }
        if self.reached || is_stopped {
            let text = format!("no verdict on {} of {wanted} books{last}", wanted - equal);
            return Err(Failure::words(Kind::Runtime, text));
        }
        let refusal = self.trouble.as_ref().and_then(|state| state.refusal.as_ref());
        let credentials = refusal.is_some_and(Refusal::is_about_credentials);
        let kind = if self.unauthorized || credentials { Kind::Auth } else { Kind::Network };
        let text = format!("no line to {} came up: see RUST_LOG=debug{last}", self.args.url);
        Err(Failure::words(kind, text))
    }

    /// What went wrong last, and what can be done about it.
    fn last_words(&self) -> String {
        let Some(state) = &self.trouble else { return String::new() };
        let advice = state.advice().map(|advice| format!("\n{advice}")).unwrap_or_default();
        format!("\n{}{advice}", state.text())
    }
}

/// Whether it may be why there is no verdict.
fn is_trouble(state: &State) -> bool {
    state.refusal.is_some() || matches!(state.name, "no_token" | "line_down")
}

fn progress(books: usize, json: bool) -> ProgressBar {
    if json || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(books as u64);
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos} of {len} books, {elapsed}") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

fn levels_within(book: &Book, side: Side, reach: Coverage) -> usize {
    let is_within = |price| match (reach, side) {
        (Coverage::All, _) => true,
        (Coverage::To(end), Side::Bid) => price >= end,
        (Coverage::To(end), Side::Ask) => price <= end,
    };
    book.levels(side, Scope::Complete).take_while(|level| is_within(level.price)).count()
}

/// `412 bids to 62000.1`, or `all 412 bids`.
fn side_text((levels, reach): (usize, Coverage), name: &str) -> String {
    match reach {
        Coverage::All => format!("all {levels} {name}"),
        Coverage::To(price) => format!("{levels} {name} to {price}"),
    }
}

/// Null if it is complete without limit.
fn horizon(reach: Coverage) -> Value {
    match reach {
        Coverage::All => Value::Null,
        Coverage::To(price) => words::exact(price),
    }
}
