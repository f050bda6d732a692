//! `kcf publish`: exact books for others, over Redis or NATS.

use std::collections::BTreeMap;
use std::time::Duration;

use kucoin_futures_fanout::outbox::{BookView, OutboxLimits};
use kucoin_futures_fanout::publisher::PublisherStatus;
use kucoin_futures_fanout::share::Group;
use kucoin_futures_fanout::{Address, EngineError, Publisher, PublisherOptions};
use kucoin_futures_host::BookUpdate;
use kucoin_futures_proto::{BookEvent, BookLostReason, Channel, Event, Instant, Symbol, TopicId};
use serde_json::{Value, json};

use crate::args::{Connect, PublishArgs};
use crate::exit::{Failure, Kind};
use crate::feed::Feed;
use crate::follow::{Ctx, News, Session, Show};
use crate::out::{BAD, DIM, GOOD};

/// Signs of life are looked after so often.
const BEAT: Duration = Duration::from_millis(100);
/// It is said so often how it goes.
const TELL: Duration = Duration::from_secs(1);

pub(crate) fn run(connect: &Connect, args: &PublishArgs) -> Result<(), Failure> {
    let url = engine_url(args.to.as_deref(), "--to")?;
    let history = usize::try_from(args.history).unwrap_or(usize::MAX);
    let address = Address::new(&url, &args.prefix, history).map_err(failure)?;
    let group = args.group.clone().map(|name| Group::new(name, args.replicas.into()));
    if let Some(group) = &group {
        // The same rules as for a prefix.
        Address::new(&url, &group.name, history).map_err(failure)?;
    }
    let limits = OutboxLimits {
        bytes: usize::try_from(args.queue).unwrap_or(usize::MAX) << 20,
        snapshot_messages: u64::from(args.history) / 2,
        ..OutboxLimits::default()
    };
    let mut session = Session::open(connect, &args.stream.run, args.stream.lines, None)?;
    let symbols = session.symbols(&args.stream.contracts)?;
    let options = PublisherOptions { encoding: args.encoding.into(), limits, group };
    let is_shared = options.group.is_some();
    let publisher = Publisher::start(address.engine().map_err(failure)?, options)?;
    if !is_shared {
        session.subscribe(symbols.iter().copied().map(Channel::level2))?;
        symbols.iter().for_each(|symbol| publisher.add(*symbol));
    }
    let mut show = Publishing {
        publisher,
        address,
        symbols,
        is_shared,
        shared: Vec::new(),
        looked: None,
        topics: BTreeMap::new(),
        beat: None,
        is_due: false,
        told: None,
        status: PublisherStatus::default(),
    };
    session.run(&mut show)?;
    let status = show.publisher.status();
    match status.error {
        Some(error) if status.connects == 0 && args.stream.run.span.is_some() => {
            Err(failure(error))
        }
        _ => Ok(()),
    }
}

/// Where the engine is: as an option says, or else the environment.
pub(crate) fn engine_url(option: Option<&str>, name: &str) -> Result<String, Failure> {
    let url = option.map(str::to_owned).or_else(|| std::env::var("KCF_ENGINE").ok());
    url.ok_or_else(|| {
        let text = format!(
            "which engine? {name} redis://HOST:6379 or nats://HOST:4222, or the same in KCF_ENGINE"
        );
        Failure::words(Kind::Usage, text)
    })
}

/// What went wrong with an engine, and the exit code for it.
pub(crate) fn failure(error: EngineError) -> Failure {
    let kind = match error {
        EngineError::Address(_) => Kind::Usage,
        EngineError::Unreachable { .. } => Kind::Network,
        EngineError::Login { .. } => Kind::Auth,
        EngineError::Protocol { .. } => Kind::Runtime,
    };
    Failure::new(kind, error)
}

struct Publishing {
    publisher: Publisher,
    address: Address,
    /// All that are meant.
    symbols: Vec<Symbol>,
    /// With others: then only some of them are published here.
    is_shared: bool,
    /// Which.
    shared: Vec<Symbol>,
    /// When that was last looked at.
    looked: Option<Instant>,
    topics: BTreeMap<Symbol, TopicId>,
    beat: Option<Instant>,
    /// A book is to be told whole as soon as nothing more waits.
    is_due: bool,
    told: Option<Instant>,
    /// As it was told last.
    status: PublisherStatus,
}

impl Show for Publishing {
    fn change(&mut self, cx: &mut Ctx, change: &BookUpdate<'_>) -> Result<(), Failure> {
        if let Some(symbol) = cx.symbol(change.topic) {
            self.publisher.change(symbol, &change.delta);
        }
        Ok(())
    }

    fn live(
        &mut self,
        cx: &mut Ctx,
        topic: TopicId,
        event: &Event,
        _: &Feed,
    ) -> Result<(), Failure> {
        if let (Some(symbol), Event::Book(_, BookEvent::Live { epoch, .. })) =
            (cx.symbol(topic), event)
        {
            self.topics.insert(symbol, topic);
            self.publisher.live(symbol, epoch.get());
            // Told whole as soon as nothing more waits.
            self.is_due = true;
        }
        Ok(())
    }

    fn said(&mut self, cx: &mut Ctx, event: &Event, _: &News) -> Result<(), Failure> {
        if let Event::Book(topic, BookEvent::Delayed(reason)) = event
            && let Some(symbol) = cx.symbol(*topic)
        {
            self.publisher.delayed(symbol, reason);
        }
        Ok(())
    }

    fn lost(&mut self, cx: &mut Ctx, topic: TopicId, reason: &BookLostReason) {
        if let Some(symbol) = cx.symbol(topic) {
            self.publisher.lost(symbol, reason);
        }
    }

    fn widened(&mut self, cx: &mut Ctx, topic: TopicId, _: &Feed) -> Result<(), Failure> {
        if let Some(symbol) = cx.symbol(topic) {
            self.publisher.widened(symbol);
        }
        Ok(())
    }

    fn wanted(&mut self, now: Instant) -> Option<Vec<Channel>> {
        if !self.is_shared || self.looked.is_some_and(|looked| now.since(looked) < BEAT) {
            return None;
        }
        self.looked = Some(now);
        let shares = self.publisher.shares(&self.symbols);
        for symbol in &self.shared {
            if !shares.contains(symbol) {
                self.publisher.end(*symbol);
                self.topics.remove(symbol);
            }
        }
        shares.iter().for_each(|symbol| self.publisher.add(*symbol));
        self.shared = shares;
        Some(self.shared.iter().copied().map(Channel::level2).collect())
    }

    /// Where the feed never rests.
    fn beat(&mut self, cx: &mut Ctx, feed: &Feed) -> Result<Option<Duration>, Failure> {
        if self.beat.is_none_or(|beaten| beaten + BEAT * 2 <= cx.now) {
            self.look(cx, feed)?;
        }
        Ok(Some(BEAT))
    }

    /// All that the feed has seen was put in, so each stream is where its book is.
    fn rest(&mut self, cx: &mut Ctx, feed: &Feed) -> Result<Option<Duration>, Failure> {
        let due = self.beat.map_or(cx.now, |beaten| beaten + BEAT);
        if self.is_due || due <= cx.now {
            self.look(cx, feed)?;
            return Ok(Some(BEAT));
        }
        Ok(Some(due.since(cx.now)))
    }
}

impl Publishing {
    fn look(&mut self, cx: &mut Ctx, feed: &Feed) -> Result<(), Failure> {
        (self.beat, self.is_due) = (Some(cx.now), false);
        let topics = &self.topics;
        self.publisher.beat(|symbol| view(feed, *topics.get(&symbol)?));
        self.tell(cx)
    }

    /// Whether the engine is there, whenever that changes; and to machines how it goes.
    fn tell(&mut self, cx: &mut Ctx) -> Result<(), Failure> {
        let status = self.publisher.status();
        let is_news = status.connects != self.status.connects || status.error != self.status.error;
        if is_news {
            self.say(cx, &status)?;
        }
        if cx.json && (is_news || self.told.is_none_or(|told| cx.now.since(told) >= TELL)) {
            self.told = Some(cx.now);
            cx.data(self.json(&status))?;
        }
        self.status = status;
        Ok(())
    }

    fn say(&self, cx: &mut Ctx, status: &PublisherStatus) -> Result<(), Failure> {
        let address = &self.address;
        let (style, text) = match &status.error {
            Some(error) => (BAD, error.to_string()),
            None => (GOOD, format!("publishing to {address}")),
        };
        if !cx.json {
            cx.out.line(format_args!("{:<12} {style}{text}{style:#}", "engine"))?;
            if status.outbox.lagged > self.status.outbox.lagged {
                let count = status.outbox.lagged;
                cx.out
                    .line(format_args!("{:<12} {DIM}{count} changes left out so far{DIM:#}", ""))?;
            }
        }
        Ok(cx.out.flush()?)
    }

    fn json(&self, status: &PublisherStatus) -> Value {
        json!({
            "type": "publishing",
            "to": self.address.to_string(),
            "connected": status.is_connected,
            "connects": status.connects,
            "error": status.error.as_ref().map(ToString::to_string),
            "messages": status.outbox.messages,
            "changes": status.outbox.changes,
            "snapshots": status.outbox.snapshots,
            "lagged": status.outbox.lagged,
            "symbols": if self.is_shared { self.shared.len() } else { self.symbols.len() },
        })
    }
}

/// A book that is live, as it can be read now.
fn view(feed: &Feed, topic: TopicId) -> Option<BookView<'_>> {
    let (book, epoch) = (feed.book(topic)?, feed.book_epoch(topic)?);
    let age = feed.book_age(topic)?.since_proof;
    Some(BookView { book, epoch: epoch.get(), age })
}
