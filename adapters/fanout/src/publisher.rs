//! A publisher: what a feed sees goes to an engine, by a thread of its own.
//!
//! ```text
//!   feed's thread    live, change, lost, beat ──> Outbox (bounded, under a lock, never waits)
//!   engine's thread  takes what waits ──> encodes ──> Engine::publish
//!                    an error: connects anew, and every book is told whole
//! ```

use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use kucoin_futures_host::{Clock, unix_now};
use kucoin_futures_proto::wire::Delta;
use kucoin_futures_proto::{BookDelayReason, BookLostReason, Instant, Symbol};

use crate::engine::{Engine, EngineError};
use crate::message::{Encoding, PublisherId};
use crate::outbox::{BookView, Outbox, OutboxLimits, OutboxStats};
use crate::share::{Group, Members};

/// Messages that go to an engine at once.
const BATCH: usize = 512;
/// And so many bytes, about: between two batches others are told that this worker is there.
const BATCH_BYTES: usize = 1 << 20;
/// Wants are looked for, and a group is told that this worker is there, so often.
const ROUND: Duration = Duration::from_millis(250);
/// Before the first and the longest pause between two attempts to reach an engine that takes something.
const PAUSES: [Duration; 2] = [Duration::from_millis(100), Duration::from_secs(2)];
/// Once it is over what waits goes out for so long; then it is left out, and the end of each stream is told.
const GOODBYE: Duration = Duration::from_secs(2);

/// Publishes books. Ends its streams when it is dropped.
#[derive(Debug)]
pub struct Publisher {
    shared: Arc<Shared>,
    clock: Clock,
    thread: Option<JoinHandle<()>>,
}

/// What a publisher is made with.
#[derive(Clone, Debug)]
pub struct PublisherOptions {
    /// How messages are written.
    pub encoding: Encoding,
    /// How the streams are kept.
    pub limits: OutboxLimits,
    /// Whom symbols are shared with.
    pub group: Option<Group>,
}

/// How a publisher's engine stands.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct PublisherStatus {
    /// What became of what was put in.
    pub outbox: OutboxStats,
    /// Whether the engine is connected.
    pub is_connected: bool,
    /// How often it was connected to.
    pub connects: u64,
    /// What was wrong last, while it is not connected.
    pub error: Option<EngineError>,
}

struct Shared {
    state: Mutex<State>,
    /// Something waits, or it is over.
    changed: Condvar,
}

struct State {
    outbox: Outbox,
    status: PublisherStatus,
    is_over: bool,
    members: Option<Members>,
    /// When the feed's thread last gave a sign of life.
    beaten: Option<Instant>,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Shared(..)")
    }
}

impl Publisher {
    /// Starts the engine's thread, which connects by itself.
    ///
    /// # Errors
    /// The system has no thread left.
    pub fn start(engine: Box<dyn Engine>, options: PublisherOptions) -> std::io::Result<Self> {
        let (clock, publisher) = (Clock::new(), PublisherId::random());
        let members = options.group.clone().map(|group| Members::new(group, publisher));
        let state = State {
            outbox: Outbox::new(publisher, options.limits),
            status: PublisherStatus::default(),
            is_over: false,
            members,
            beaten: None,
        };
        let shared = Arc::new(Shared { state: Mutex::new(state), changed: Condvar::new() });
        let driver = Driver {
            shared: Arc::clone(&shared),
            engine,
            encoding: options.encoding,
            group: options.group,
            publisher,
            clock,
            has_carried: false,
        };
        let builder = std::thread::Builder::new().name("fanout-engine".into());
        let thread = Some(builder.spawn(move || driver.run())?);
        Ok(Self { shared, clock, thread })
    }

    /// Publishes a symbol from here on.
    pub fn add(&self, symbol: Symbol) {
        self.shared.lock().outbox.add(symbol);
    }

    /// Publishes a symbol no more.
    pub fn end(&self, symbol: Symbol) {
        self.put(|outbox, _| outbox.end(symbol));
    }

    /// A book is live, in this run, as the feed's event says: it is told whole at the next [`beat`](Self::beat).
    pub fn live(&self, symbol: Symbol, epoch: u32) {
        self.put(|outbox, _| outbox.live(symbol, epoch));
    }

    /// A live book took a change.
    pub fn change(&self, symbol: Symbol, delta: &Delta) {
        self.put(|outbox, _| outbox.change(symbol, delta));
    }

    /// A book is not live any more.
    pub fn lost(&self, symbol: Symbol, reason: &BookLostReason) {
        let is_doubt = matches!(
            reason,
            BookLostReason::SequenceReset(_)
                | BookLostReason::Diverged { .. }
                | BookLostReason::Crossed
        );
        self.put(|outbox, _| outbox.lost(symbol, &reason.to_string(), is_doubt));
    }

    /// A book is not live for longer, which may say that what was told before is in doubt.
    pub fn delayed(&self, symbol: Symbol, reason: &BookDelayReason) {
        if matches!(reason, BookDelayReason::SequenceReset(_)) {
            self.put(|outbox, _| outbox.doubt(symbol, &reason.to_string()));
        }
    }

    /// A book reaches further than before.
    pub fn widened(&self, symbol: Symbol) {
        self.put(|outbox, _| outbox.widened(symbol));
    }

    /// To be called some times a second by whoever drives the feed, and nobody else: signs of life, and books that are to
    /// be told whole. Best where nothing that the feed has seen is still to be put in: a book that is further on than what
    /// was told of it is not told again.
    pub fn beat<'a>(&self, view: impl Fn(Symbol) -> Option<BookView<'a>>) {
        let (now, sent) = (self.clock.now(), unix_now());
        let mut state = self.shared.lock();
        state.beaten = Some(now);
        // While the engine is away a book would be made ready in vain: it is told whole after that in any case.
        let due = match state.status.is_connected {
            true => state.outbox.due(now, &view),
            false => Vec::new(),
        };
        drop(state);
        // Outside of the lock: a large book takes a while, and the engine's thread has what it needs meanwhile.
        for due in due {
            let (symbol, epoch, snapshot) = (due.symbol, due.epoch, due.snapshot());
            self.put(|outbox, now| outbox.tell(now, symbol, epoch, snapshot));
        }
        self.put(|outbox, now| outbox.say(now, sent, view));
    }

    /// Which of these symbols fall to this worker now; all of them without a group.
    #[must_use]
    pub fn shares(&self, symbols: &[Symbol]) -> Vec<Symbol> {
        let now = self.clock.now();
        match &mut self.shared.lock().members {
            Some(members) => members.shares(now, symbols),
            None => symbols.to_vec(),
        }
    }

    /// How the engine stands.
    #[must_use]
    pub fn status(&self) -> PublisherStatus {
        let state = self.shared.lock();
        PublisherStatus { outbox: *state.outbox.stats(), ..state.status.clone() }
    }

    fn put(&self, call: impl FnOnce(&mut Outbox, Instant)) {
        let now = self.clock.now();
        let mut state = self.shared.lock();
        let was_waiting = state.outbox.is_waiting();
        call(&mut state.outbox, now);
        let is_new = !was_waiting && state.outbox.is_waiting();
        drop(state);
        if is_new {
            self.shared.changed.notify_one();
        }
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        let symbols: Vec<Symbol> = state.outbox.symbols().collect();
        symbols.into_iter().for_each(|symbol| state.outbox.end(symbol));
        state.is_over = true;
        drop(state);
        self.shared.changed.notify_one();
        if let Some(thread) = self.thread.take() {
            // Calls of engines end; a panic over there was printed already.
            let _ = thread.join();
        }
    }
}

/// The engine's thread.
struct Driver {
    shared: Arc<Shared>,
    engine: Box<dyn Engine>,
    encoding: Encoding,
    group: Option<Group>,
    publisher: PublisherId,
    clock: Clock,
    /// The engine took something since it was connected to: one that lets everybody in and takes nothing is waited for
    /// as one that is away.
    has_carried: bool,
}

impl Driver {
    fn run(mut self) {
        let [first, longest] = PAUSES;
        let mut pause = first;
        loop {
            let result = self.engine.connect().and_then(|()| {
                let mut state = self.shared.lock();
                state.status.is_connected = true;
                state.status.connects += 1;
                state.status.error = None;
                drop(state);
                self.has_carried = false;
                self.carry()
            });
            let Err(error) = result else { return };
            if std::mem::take(&mut self.has_carried) {
                pause = first;
            }
            tracing::warn!(%error, "the engine takes nothing");
            let mut state = self.shared.lock();
            // What was put in before is of the past by the time that somebody takes it.
            state.outbox.engine_failed(&[]);
            state.status.is_connected = false;
            state.status.error = Some(error);
            if state.is_over {
                return;
            }
            let is_not_over = |state: &mut State| !state.is_over;
            let _ = self.shared.changed.wait_timeout_while(state, pause, is_not_over);
            pause = (pause * 2).min(longest);
        }
    }

    /// Until it is over, or the engine fails.
    fn carry(&mut self) -> Result<(), EngineError> {
        let mut batch = Vec::new();
        let mut round = self.clock.now();
        let mut goodbye = None;
        loop {
            batch.clear();
            if self.clock.now() >= round {
                self.round(false)?;
                round = self.clock.now() + ROUND;
            }
            let waits = |state: &mut State| !state.outbox.is_waiting() && !state.is_over;
            let left = round.since(self.clock.now());
            let waited = self.shared.changed.wait_timeout_while(self.shared.lock(), left, waits);
            let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
            let now = self.clock.now();
            if state.is_over && now.since(*goodbye.get_or_insert(now)) > GOODBYE {
                state.outbox.engine_failed(&[]);
            }
            state.outbox.take_bytes(BATCH, BATCH_BYTES, &mut batch);
            let is_over = state.is_over && batch.is_empty();
            drop(state);
            if is_over {
                return self.round(true);
            }
            if batch.is_empty() {
                continue;
            }
            if let Err(error) = self.engine.publish(&batch, self.encoding) {
                self.shared.lock().outbox.engine_failed(&batch);
                return Err(error);
            }
            self.has_carried = true;
        }
    }

    /// Who asks for what, and who else is there.
    fn round(&mut self, is_ending: bool) -> Result<(), EngineError> {
        let beaten = self.shared.lock().beaten;
        // A worker whose feed hangs is left out, as one that was killed is.
        let is_alive = |group: &&Group| {
            is_ending || beaten.is_some_and(|at| self.clock.now().since(at) <= group.life)
        };
        if let Some(group) = self.group.as_ref().filter(is_alive) {
            let workers =
                self.engine.announce(&group.name, self.publisher, group.life, is_ending)?;
            let now = self.clock.now();
            if let Some(members) = &mut self.shared.lock().members {
                members.heard(now, workers);
            }
        }
        let wanted = self.engine.wanted()?;
        let sharing = self.engine.sharing();
        let mut state = self.shared.lock();
        state.outbox.share(sharing);
        wanted.into_iter().for_each(|symbol| state.outbox.ask(symbol));
        Ok(())
    }
}
