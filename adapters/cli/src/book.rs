//! `kcf book`: exact order books, as lines or as JSON.

use std::collections::BTreeMap;
use std::time::Duration;

use kucoin_futures_host::BookUpdate;
use kucoin_futures_proto::book::Scope;
use kucoin_futures_proto::wire::Side;
use kucoin_futures_proto::{Book, BookEvent, Channel, Event, Instant, Symbol, TopicId};
use serde_json::{Value, json};

use crate::args::{BookArgs, Connect};
use crate::exit::Failure;
use crate::feed::Feed;
use crate::follow::{Ctx, Show, follow};
use crate::lines;
use crate::out::{DIM, Out};
use crate::words;

/// People read at most so many lines a second and symbol.
const PAUSE: Duration = Duration::from_millis(250);
/// Machines hear of the lines so often.
const BEAT: Duration = Duration::from_secs(1);

pub(crate) fn run(connect: &Connect, args: &BookArgs) -> Result<(), Failure> {
    let mut books = Books { args, rows: BTreeMap::new(), beat: None };
    follow(connect, &args.stream, Channel::level2, &mut books)
}

struct Books<'a> {
    args: &'a BookArgs,
    rows: BTreeMap<TopicId, Row>,
    /// When the lines are due to be told.
    beat: Option<Instant>,
}

#[derive(Default)]
struct Row {
    epoch: u32,
    deltas: u64,
    shown: Option<Instant>,
    /// It changed since.
    held: bool,
}

impl Show for Books<'_> {
    fn change(&mut self, cx: &mut Ctx, change: &BookUpdate<'_>) -> Result<(), Failure> {
        let row = self.rows.entry(change.topic).or_default();
        row.deltas += 1;
        let due = self.args.digest_every.is_some_and(|n| row.deltas.is_multiple_of(n));
        let Some(book) = change.book else { return Ok(()) };
        self.book(cx, change.topic, book)?;
        if due {
            let symbol = cx.symbol(change.topic);
            if cx.json {
                cx.data(digest_json(book, symbol))?;
            } else if let Some(symbol) = symbol {
                let (at, digest) = (book.sequence(), words::hex(&book.digest(Scope::Complete)));
                cx.out.line(format_args!("{symbol:<12} {DIM}digest at {at}: {digest}{DIM:#}"))?;
            }
        }
        Ok(())
    }

    /// The last of a burst is shown, too, as soon as it may be.
    fn rest(&mut self, cx: &mut Ctx, feed: &Feed) -> Result<Option<Duration>, Failure> {
        let mut wait = None;
        let held: Vec<TopicId> = self.held().collect();
        for topic in held {
            let Some(book) = feed.book(topic) else { continue };
            self.book(cx, topic, book)?;
            wait = Some(PAUSE);
        }
        Ok(wait.filter(|_| self.held().next().is_some()))
    }

    /// A still market gives no change to show the book with.
    fn live(
        &mut self,
        cx: &mut Ctx,
        topic: TopicId,
        event: &Event,
        feed: &Feed,
    ) -> Result<(), Failure> {
        let row = self.rows.entry(topic).or_default();
        row.shown = None;
        if let Event::Book(_, BookEvent::Live { epoch, .. }) = event {
            row.epoch = epoch.get();
        }
        feed.book(topic).map_or(Ok(()), |book| self.book(cx, topic, book))
    }

    /// Whole, as when it became live, and of the same epoch. People see no difference.
    fn widened(&mut self, cx: &mut Ctx, topic: TopicId, feed: &Feed) -> Result<(), Failure> {
        let (Some(symbol), Some(book)) = (cx.symbol(topic), feed.book(topic)) else {
            return Ok(());
        };
        if !cx.json {
            return Ok(());
        }
        let epoch = self.rows.entry(topic).or_default().epoch;
        let mut line = book_json(book, symbol, epoch, self.args.levels);
        if let Some(fields) = line.as_object_mut() {
            fields.insert("why".into(), "wider".into());
        }
        cx.data(line)
    }

    fn beat(&mut self, cx: &mut Ctx, feed: &Feed) -> Result<Option<Duration>, Failure> {
        if !cx.json {
            return Ok(None);
        }
        let due = *self.beat.get_or_insert(cx.now + BEAT);
        if cx.now < due {
            return Ok(Some(due.since(cx.now)));
        }
        self.beat = Some(cx.now + BEAT);
        cx.data(lines::json(&feed.lines(), cx.now))?;
        Ok(Some(BEAT))
    }
}

impl Books<'_> {
    fn book(&mut self, cx: &mut Ctx, topic: TopicId, book: &Book) -> Result<(), Failure> {
        let (Some(symbol), row) = (cx.symbol(topic), self.rows.entry(topic).or_default()) else {
            return Ok(());
        };
        if cx.json {
            cx.data(book_json(book, symbol, row.epoch, self.args.levels))?;
        } else if row.shown.is_none_or(|shown| cx.now.since(shown) >= PAUSE) {
            (row.shown, row.held) = (Some(cx.now), false);
            print_touch(&mut cx.out, symbol, book)?;
        } else {
            row.held = true;
        }
        Ok(())
    }

    /// Books that changed since they were last shown.
    fn held(&self) -> impl Iterator<Item = TopicId> + '_ {
        self.rows.iter().filter(|(_, row)| row.held).map(|(topic, _)| *topic)
    }
}

pub(crate) fn print_touch(out: &mut Out, symbol: Symbol, book: &Book) -> Result<(), Failure> {
    let (bid, ask) = (words::best(book.best_bid()), words::best(book.best_ask()));
    let sequence = book.sequence();
    let [bids, asks] = [Side::Bid, Side::Ask].map(|side| book.complete_levels(side));
    out.line(format_args!(
        "{symbol:<12} {bid:>20} | {ask:<20} {DIM}at {sequence}, {bids} + {asks} levels{DIM:#}"
    ))?;
    Ok(())
}

/// The best five levels of both sides.
pub(crate) fn touch_json(book: &Book, symbol: Symbol) -> Value {
    json!({
        "type": "book",
        "symbol": symbol.as_str(),
        "sequence": book.sequence().get(),
        "bids": words::levels(book, Side::Bid, Scope::Complete, 5),
        "asks": words::levels(book, Side::Ask, Scope::Complete, 5),
        "ts_ns": words::nanos(book.ts_event()),
    })
}

pub(crate) fn book_json(book: &Book, symbol: Symbol, epoch: u32, levels: usize) -> Value {
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
        "ts_ns": words::nanos(book.ts_event()),
    })
}

pub(crate) fn digest_json(book: &Book, symbol: Option<Symbol>) -> Value {
    json!({
        "type": "digest",
        "symbol": symbol.map(|symbol| symbol.to_string()),
        "sequence": book.sequence().get(),
        "bid_horizon": words::horizon(book, Side::Bid),
        "ask_horizon": words::horizon(book, Side::Ask),
        "sha256": words::hex(&book.digest(Scope::Complete)),
    })
}
