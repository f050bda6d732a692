//! `kcf consume`: books that somebody else publishes, over Redis or NATS.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use kucoin_futures_fanout::consumer::{Event, Limits, Stats};
use kucoin_futures_fanout::{Address, Consumer, EngineError, Source};
use kucoin_futures_host::{Clock, unix_now};
use kucoin_futures_proto::book::Scope;
use kucoin_futures_proto::{Book, Instant, Symbol};
use serde_json::{Value, json};

use crate::args::ConsumeArgs;
use crate::book::{book_json, digest_json, print_touch};
use crate::exit::Failure;
use crate::out::{BAD, DIM, GOOD, Out};
use crate::publish::{engine_url, failure};
use crate::stop::Stop;
use crate::words;

/// A signal is noticed within this time.
const WAIT: Duration = Duration::from_millis(100);
/// People read at most so many lines a second and symbol.
const PAUSE: Duration = Duration::from_millis(250);
/// What is missing is asked for, and new symbols are looked for, so often.
const ROUND: Duration = Duration::from_secs(1);
/// Between two attempts to reach the engine.
const RETRY: Duration = Duration::from_millis(500);

pub(crate) fn run(args: &ConsumeArgs) -> Result<(), Failure> {
    let url = engine_url(args.from.as_deref(), "--from")?;
    let address = Address::new(&url, &args.prefix, 0).map_err(failure)?;
    let mut source = address.source().map_err(failure)?;
    let stop = Stop::on_signal(|| {})?;
    let clock = Clock::new();
    let mut consuming = Consuming {
        args,
        clock,
        end: args.span.map(|span| clock.now() + span),
        stop,
        consumer: Consumer::new(Limits::default()),
        show: Shown::new(args),
        round: None,
    };
    args.symbols.iter().for_each(|symbol| consuming.consumer.follow(*symbol));
    let mut reached = false;
    let mut last: Option<EngineError> = None;
    while !consuming.is_over() {
        let result = source.connect();
        if result.is_ok() {
            (reached, last) = (true, None);
            consuming.show.engine(None, &address)?;
        }
        let result = result.and_then(|()| consuming.read(source.as_mut()));
        consuming.show.take_error()?;
        let Err(error) = result else { break };
        consuming.consumer.disconnected(&mut consuming.show);
        if last.as_ref() != Some(&error) {
            consuming.show.engine(Some(&error), &address)?;
        }
        if !reached && matches!(error, EngineError::Login { .. } | EngineError::Address(_)) {
            return Err(failure(error));
        }
        last = Some(error);
        consuming.stop.wait(RETRY);
    }
    consuming.show.summary(consuming.consumer.stats(), clock.now())?;
    match last {
        Some(error) if !reached => Err(failure(error)),
        _ => Ok(()),
    }
}

struct Consuming<'a> {
    args: &'a ConsumeArgs,
    clock: Clock,
    end: Option<Instant>,
    stop: Stop,
    consumer: Consumer,
    show: Shown<'a>,
    /// When to look for what is missing.
    round: Option<Instant>,
}

impl Consuming<'_> {
    fn is_over(&self) -> bool {
        self.stop.is_asked() || self.end.is_some_and(|end| end <= self.clock.now())
    }

    /// Until it is over, or the engine fails, or nobody reads what is printed.
    fn read(&mut self, source: &mut dyn Source) -> Result<(), EngineError> {
        let symbols: Vec<Symbol> = self.consumer.symbols().collect();
        source.follow(&symbols)?;
        self.round = None;
        while !self.is_over() && self.show.error.is_none() {
            let now = self.clock.now();
            if self.round.is_none_or(|round| round <= now) {
                self.round = Some(now + ROUND);
                self.look_around(source)?;
            }
            let due = self.consumer.poll_timeout();
            let left = due.map_or(WAIT, |due| due.since(self.clock.now()).min(WAIT));
            let Self { consumer, show, clock, .. } = self;
            source.poll(left, &mut |arrived| {
                show.now = clock.now();
                if let Err(error) = consumer.take(show.now, arrived.age, arrived.bytes, show) {
                    tracing::warn!(%error, "a message that cannot be read");
                }
            })?;
            show.now = clock.now();
            consumer.handle_timeout(show.now, show);
            show.rest(consumer);
        }
        Ok(())
    }

    /// Follows what is new, and asks for what is missing.
    fn look_around(&mut self, source: &mut dyn Source) -> Result<(), EngineError> {
        if self.args.all {
            let known: BTreeSet<Symbol> = self.consumer.symbols().collect();
            let mut new = source.published()?;
            new.retain(|symbol| !known.contains(symbol));
            new.iter().for_each(|symbol| self.consumer.follow(*symbol));
            source.follow(&new)?;
        }
        let wanting: Vec<Symbol> = self.consumer.wanting(self.clock.now()).collect();
        if wanting.is_empty() { Ok(()) } else { source.want(&wanting) }
    }
}

/// Without what would move a terminal's cursor.
fn plain(text: &str) -> String {
    let shown = |c: char| if c.is_control() { c.escape_default().collect() } else { vec![c] };
    text.chars().flat_map(shown).collect()
}

/// What is printed.
struct Shown<'a> {
    args: &'a ConsumeArgs,
    out: Out,
    now: Instant,
    rows: BTreeMap<Symbol, Row>,
    /// The longest time that a book was not live which had been.
    not_live: Duration,
    /// Some book was.
    was_live: bool,
    /// Nobody reads any more.
    error: Option<Failure>,
}

#[derive(Default)]
struct Row {
    epoch: u32,
    changes: u64,
    shown: Option<Instant>,
    /// It changed since.
    held: bool,
    lost_at: Option<Instant>,
}

impl kucoin_futures_fanout::consumer::Observer for Shown<'_> {
    fn on_event(&mut self, symbol: Symbol, event: &Event, book: Option<&Book>) {
        if self.error.is_none()
            && let Err(error) = self.event(symbol, event, book)
        {
            self.error = Some(error);
        }
    }
}

impl<'a> Shown<'a> {
    fn new(args: &'a ConsumeArgs) -> Self {
        Self {
            args,
            out: Out::new(),
            now: Instant::ZERO,
            rows: BTreeMap::new(),
            not_live: Duration::ZERO,
            was_live: false,
            error: None,
        }
    }

    fn take_error(&mut self) -> Result<(), Failure> {
        self.error.take().map_or(Ok(()), Err)
    }

    fn event(&mut self, symbol: Symbol, event: &Event, book: Option<&Book>) -> Result<(), Failure> {
        let row = self.rows.entry(symbol).or_default();
        match (event, book) {
            (Event::Live { epoch, sequence }, Some(book)) => {
                row.epoch = *epoch;
                row.shown = None;
                self.was_live = true;
                let away = row.lost_at.take().map_or(Duration::ZERO, |at| self.now.since(at));
                self.not_live = self.not_live.max(away);
                self.state(symbol, "live", &format!("epoch {epoch} at {sequence}"))?;
                self.book(symbol, book, None)
            }
            (Event::Change(_), Some(book)) => {
                row.changes += 1;
                match self.args.digest_every {
                    Some(every) if row.changes.is_multiple_of(every) => self.digest(symbol, book),
                    Some(_) => Ok(()),
                    None => self.book(symbol, book, None),
                }
            }
            (Event::Widened { .. }, Some(book)) if self.args.json => {
                self.book(symbol, book, Some("wider"))
            }
            (Event::Lost { reason, .. }, _) => {
                row.lost_at = Some(self.now);
                row.held = false;
                // There are words of somebody else in it.
                self.state(symbol, "lost", &plain(&reason.to_string()))
            }
            _ => Ok(()),
        }
    }

    /// What is printed is to be seen; the last of a burst, too, as soon as it may be.
    fn rest(&mut self, consumer: &Consumer) {
        let held: Vec<Symbol> =
            self.rows.iter().filter(|(_, row)| row.held).map(|(symbol, _)| *symbol).collect();
        let now = self.now;
        let mut result = Ok(());
        for symbol in held {
            if let (Ok(()), Some(book)) = (&result, consumer.book(symbol, now)) {
                result = self.book(symbol, book, None);
            }
        }
        let result = result.and_then(|()| Ok(self.out.flush()?));
        if let Err(error) = result {
            self.error.get_or_insert(error);
        }
    }

    fn book(&mut self, symbol: Symbol, book: &Book, why: Option<&str>) -> Result<(), Failure> {
        let row = self.rows.entry(symbol).or_default();
        if self.args.json {
            let mut line = book_json(book, symbol, row.epoch, self.args.levels);
            if let (Some(why), Some(fields)) = (why, line.as_object_mut()) {
                fields.insert("why".into(), why.into());
            }
            return self.data(line);
        }
        if row.shown.is_some_and(|shown| self.now.since(shown) < PAUSE) {
            row.held = true;
            return Ok(());
        }
        (row.shown, row.held) = (Some(self.now), false);
        print_touch(&mut self.out, symbol, book)
    }

    fn digest(&mut self, symbol: Symbol, book: &Book) -> Result<(), Failure> {
        if self.args.json {
            return self.data(digest_json(book, Some(symbol)));
        }
        let (at, digest) = (book.sequence(), words::hex(&book.digest(Scope::Complete)));
        Ok(self.out.line(format_args!("{symbol:<12} {DIM}digest at {at}: {digest}{DIM:#}"))?)
    }

    fn state(&mut self, symbol: Symbol, state: &str, reason: &str) -> Result<(), Failure> {
        if self.args.json {
            return self.state_json(json!(symbol.as_str()), state, reason);
        }
        let style = if state == "live" { GOOD } else { BAD };
        Ok(self.out.line(format_args!("{symbol:<12} {style}{state}: {reason}{style:#}"))?)
    }

    /// Whether the engine can be reached.
    fn engine(&mut self, error: Option<&EngineError>, address: &Address) -> Result<(), Failure> {
        let (state, reason) = match error {
            None => ("engine_up", address.to_string()),
            Some(error) => ("engine_down", error.to_string()),
        };
        if self.args.json {
            self.state_json(Value::Null, state, &reason)?;
        } else {
            let style = if error.is_none() { GOOD } else { BAD };
            let state = state.replace('_', " ");
            self.out.line(format_args!("{:<12} {style}{state}: {reason}{style:#}", "engine"))?;
        }
        Ok(self.out.flush()?)
    }

    fn state_json(&mut self, symbol: Value, state: &str, reason: &str) -> Result<(), Failure> {
        let at_ms = unix_now().as_millis();
        self.data(json!({"type": "state", "at_ms": at_ms, "symbol": symbol, "state": state, "reason": reason}))
    }

    fn data(&mut self, mut line: Value) -> Result<(), Failure> {
        if let Some(fields) = line.as_object_mut() {
            fields.insert("at_ns".into(), unix_now().as_nanos().into());
        }
        Ok(self.out.json(&line)?)
    }

    fn summary(&mut self, stats: &Stats, now: Instant) -> Result<(), Failure> {
        let away = self.rows.values().filter_map(|row| row.lost_at).map(|at| now.since(at));
        let not_live_ms = words::millis(away.max().unwrap_or_default().max(self.not_live));
        if self.args.json {
            self.out.json(&json!({
                "type": "summary",
                "messages": stats.messages,
                "changes": stats.changes,
                "copies": stats.copies,
                "repeats": stats.repeats,
                "malformed": stats.malformed,
                "holes": stats.holes,
                "lagged": stats.lagged,
                "bad_snapshots": stats.bad_snapshots,
                "conflicts": stats.conflicts,
                "agreed": stats.agreed,
                "crowded_out": stats.crowded_out,
                "not_live_ms": not_live_ms,
            }))?;
        } else {
            self.out.line(format_args!(
                "{DIM}{} messages, {} changes, {} copies; {} holes, {} left out, {} conflicts; \
                 a book was not live for {not_live_ms} ms at most{DIM:#}",
                stats.messages,
                stats.changes,
                stats.copies,
                stats.holes,
                stats.lagged,
                stats.conflicts
            ))?;
            if !self.was_live {
                let text = "no book was live: does anybody publish it, and with the same --prefix?";
                self.out.line(format_args!("{BAD}{text}{BAD:#}"))?;
            }
        }
        Ok(self.out.flush()?)
    }
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn what_a_publisher_says_does_not_move_the_cursor() {
        assert_eq!(plain("gap\u{1b}[2J\r\n\u{9b}K"), "gap\\u{1b}[2J\\r\\n\\u{9b}K");
    }
}
