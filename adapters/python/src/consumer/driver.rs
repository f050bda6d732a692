//! The thread that reads an engine, and drives the machine that makes books of it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use kucoin_futures_fanout::consumer::{Event, Limits, Observer};
use kucoin_futures_fanout::{Consumer, EngineError, Source};
use kucoin_futures_host::Clock;
use kucoin_futures_proto::{Book, Epoch, Instant, Symbol};

use super::queue::{Item, Queue, Run};

/// Being closed is noticed within this time.
const WAIT: Duration = Duration::from_millis(100);
/// What is missing is asked for, and new symbols are looked for, so often.
const ROUND: Duration = Duration::from_secs(1);
/// Between two attempts to reach the engine.
const RETRY: Duration = Duration::from_millis(500);

pub(crate) struct Driver {
    queue: Arc<Queue>,
    source: Box<dyn Source>,
    /// The engine's address as it may be shown.
    shown: String,
    consumer: Consumer,
    is_all: bool,
    clock: Clock,
    told: Told,
}

/// Whoever waits is told, even if the thread panics.
impl Drop for Driver {
    fn drop(&mut self) {
        self.queue.end();
    }
}

impl Driver {
    pub(crate) fn new(
        queue: Arc<Queue>,
        source: Box<dyn Source>,
        shown: String,
        symbols: &[Symbol],
        is_all: bool,
    ) -> Self {
        let mut consumer = Consumer::new(Limits::default());
        symbols.iter().for_each(|symbol| consumer.follow(*symbol));
        let clock = queue.clock();
        Self { queue, source, shown, consumer, is_all, clock, told: Told::default() }
    }

    /// Lets it run until the queue is closed.
    pub(crate) fn start(self) -> std::io::Result<JoinHandle<()>> {
        std::thread::Builder::new().name("kcf-consumer".into()).spawn(move || self.run())
    }

    fn run(mut self) {
        let mut last: Option<EngineError> = None;
        while !self.queue.is_closed() {
            let Err(error) = self.connect(&mut last).and_then(|()| self.read()) else { return };
            self.consumer.disconnected(&mut self.told);
            if last.as_ref() != Some(&error) {
                self.told.0.push(Item::Engine("engine_down", error.to_string()));
            }
            last = Some(error);
            self.hand_over();
            if self.queue.pause(RETRY) {
                return;
            }
        }
    }

    fn connect(&mut self, last: &mut Option<EngineError>) -> Result<(), EngineError> {
        self.source.connect()?;
        *last = None;
        self.told.0.push(Item::Engine("engine_up", self.shown.clone()));
        self.hand_over();
        let symbols: Vec<Symbol> = self.consumer.symbols().collect();
        self.source.follow(&symbols)
    }

    /// Until it is closed, or the engine fails.
    fn read(&mut self) -> Result<(), EngineError> {
        let mut round: Option<Instant> = None;
        while !self.queue.is_closed() {
            let now = self.clock.now();
            if round.is_none_or(|round| round <= now) {
                round = Some(now + ROUND);
                self.look_around()?;
            }
            let due = self.consumer.poll_timeout();
            let left = due.map_or(WAIT, |due| due.since(self.clock.now()).min(WAIT));
            let Self { source, consumer, clock, told, .. } = self;
            let polled = source.poll(left, &mut |arrived| {
                // What cannot be read is counted, and missed by its number.
                let _ = consumer.take(clock.now(), arrived.age, arrived.bytes, told);
            });
            // What came before an error counts.
            self.hand_over();
            polled?;
        }
        Ok(())
    }

    /// Follows what is new, and asks for what is missing.
    fn look_around(&mut self) -> Result<(), EngineError> {
        if self.is_all {
            let known: BTreeSet<Symbol> = self.consumer.symbols().collect();
            let mut new = self.source.published()?;
            new.retain(|symbol| !known.contains(symbol));
            new.iter().for_each(|symbol| self.consumer.follow(*symbol));
            self.queue.follow(&new);
            self.source.follow(&new)?;
        }
        let wanting: Vec<Symbol> = self.consumer.wanting(self.clock.now()).collect();
        if wanting.is_empty() { Ok(()) } else { self.source.want(&wanting) }
    }

    /// Gives the reader what came, with what the clock says of it.
    fn hand_over(&mut self) {
        let now = self.clock.now();
        self.consumer.handle_timeout(now, &mut self.told);
        let consumer = &self.consumer;
        let books = || consumer.symbols().map(|it| (it, run(consumer, it, now))).collect();
        self.queue.put(&mut self.told.0, *consumer.stats(), books);
    }
}

/// The book of a symbol, if it is live.
fn run(consumer: &Consumer, symbol: Symbol, now: Instant) -> Option<Run> {
    let epoch = Epoch::new(consumer.replica(symbol)?.epoch());
    Some((epoch, consumer.book(symbol, now)?.clone()))
}

/// What happened since it was handed over.
#[derive(Default)]
struct Told(Vec<Item>);

impl Observer for Told {
    fn on_event(&mut self, symbol: Symbol, event: &Event, book: Option<&Book>) {
        let item = match (event, book) {
            (Event::Change(delta), _) => Item::Change(symbol, *delta),
            (Event::Live { epoch, .. }, Some(book)) => {
                Item::Live(symbol, Epoch::new(*epoch), Box::new(book.clone()))
            }
            (Event::Widened { .. }, Some(book)) => Item::Wider(symbol, Box::new(book.clone())),
            (Event::Lost { epoch, reason }, _) => Item::Lost(symbol, *epoch, reason.to_string()),
            // Neither is told without a book.
            (Event::Live { .. } | Event::Widened { .. }, None) => return,
        };
        self.0.push(item);
    }
}
