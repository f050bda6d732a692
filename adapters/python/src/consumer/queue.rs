//! What the engine's thread hands to the reader: bounded, and books at the event handed out last.
//!
//! Nothing here knows the interpreter. Whoever waits has let go of it before.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use kucoin_futures_fanout::consumer::Stats;
use kucoin_futures_host::Clock;
use kucoin_futures_proto::wire::Delta;
use kucoin_futures_proto::{Book, Epoch, Instant, Symbol};

use crate::fault::Fault;
use crate::mirror::Mirror;

/// A book that is live, and which run of it.
pub(crate) type Run = (Epoch, Book);

/// Something to hand out.
#[derive(Debug)]
pub(crate) enum Item {
    Change(Symbol, Delta),
    /// With the book as it is then.
    Live(Symbol, Epoch, Box<Book>),
    /// The same.
    Wider(Symbol, Box<Book>),
    Lost(Symbol, u32, String),
    /// So many are missing here, and the books after them.
    Lagged(u32, Vec<(Symbol, Option<Run>)>),
    /// Whether the engine can be reached: `engine_up` or `engine_down`, and what is to be said about it.
    Engine(&'static str, String),
}

/// What there is at once.
pub(crate) enum Ready {
    Item(Item),
    Nothing,
    Ended,
}

/// Between the thread that reads the engine and whoever reads events.
pub(crate) struct Queue {
    state: Mutex<State>,
    /// Something was put in, or it is over.
    news: Condvar,
    /// Somebody iterates.
    is_read: AtomicBool,
    clock: Clock,
}

pub(crate) struct State {
    items: VecDeque<Item>,
    cap: usize,
    /// Left out since the queue was full.
    dropped: u32,
    mirrors: BTreeMap<Symbol, Arc<Mirror>>,
    is_all: bool,
    stats: Stats,
    is_closed: bool,
    /// The thread puts nothing in any more.
    is_ended: bool,
}

impl Queue {
    /// For `cap` items, at least one. `is_all`: symbols beside these may come.
    pub(crate) fn new(cap: usize, symbols: &[Symbol], is_all: bool) -> Self {
        let state = State {
            items: VecDeque::new(),
            cap: cap.max(1),
            dropped: 0,
            mirrors: symbols.iter().map(|symbol| (*symbol, Mirror::new(*symbol))).collect(),
            is_all,
            stats: Stats::default(),
            is_closed: false,
            is_ended: false,
        };
        Self {
            state: Mutex::new(state),
            news: Condvar::new(),
            is_read: AtomicBool::new(false),
            clock: Clock::new(),
        }
    }

    pub(crate) const fn clock(&self) -> Clock {
        self.clock
    }

    pub(crate) fn now(&self) -> Instant {
        self.clock.now()
    }

    pub(crate) const fn is_read(&self) -> &AtomicBool {
        &self.is_read
    }

    pub(crate) const fn state(&self) -> &Mutex<State> {
        &self.state
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes what came, empties `items`, and never waits. What does not fit is dropped; `books` are fetched once there is
    /// room again, and have to be as they are after `items`.
    pub(crate) fn put(
        &self,
        items: &mut Vec<Item>,
        stats: Stats,
        books: impl FnOnce() -> Vec<(Symbol, Option<Run>)>,
    ) {
        let mut state = self.lock();
        state.stats = stats;
        let was_empty = state.items.is_empty();
        for item in items.drain(..) {
            state.push(item);
        }
        if state.dropped > 0 && state.items.len() <= state.cap / 2 {
            let dropped = std::mem::take(&mut state.dropped);
            state.items.push_back(Item::Lagged(dropped, books()));
        }
        if was_empty && !state.items.is_empty() {
            self.news.notify_all();
        }
    }

    /// Symbols are followed from here on.
    pub(crate) fn follow(&self, symbols: &[Symbol]) {
        let mut state = self.lock();
        for symbol in symbols {
            state.mirrors.entry(*symbol).or_insert_with(|| Mirror::new(*symbol));
        }
    }

    /// Waits until there is something to hand out, but no longer than `limit`. Whether there is, or never will be.
    pub(crate) fn wait(&self, limit: Duration) -> bool {
        let is_quiet = |state: &mut State| state.items.is_empty() && !state.is_ended;
        let waited = self.news.wait_timeout_while(self.lock(), limit, is_quiet);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        !is_quiet(&mut state)
    }

    /// For the engine's thread: whether it is over, at the latest after `limit`.
    pub(crate) fn pause(&self, limit: Duration) -> bool {
        let is_open = |state: &mut State| !state.is_closed;
        let waited = self.news.wait_timeout_while(self.lock(), limit, is_open);
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        state.is_closed
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.lock().is_closed
    }

    /// Asks the engine's thread to end.
    pub(crate) fn close(&self) {
        self.lock().is_closed = true;
        self.news.notify_all();
    }

    /// The engine's thread has ended. What is there can still be read, and no book after it.
    pub(crate) fn end(&self) {
        let mut state = self.lock();
        state.is_ended = true;
        if state.dropped > 0 {
            let dropped = std::mem::take(&mut state.dropped);
            let books = state.symbols().map(|symbol| (symbol, None)).collect();
            state.items.push_back(Item::Lagged(dropped, books));
        }
        if state.items.is_empty() {
            state.lose_all();
        }
        drop(state);
        self.news.notify_all();
    }
}

impl State {
    /// The next item, with the books brought to it.
    pub(crate) fn next(&mut self) -> Ready {
        let Some(mut item) = self.items.pop_front() else {
            if self.is_ended {
                self.lose_all();
                return Ready::Ended;
            }
            return Ready::Nothing;
        };
        match &mut item {
            Item::Change(symbol, delta) => {
                if let Some(mirror) = self.mirrors.get(symbol) {
                    // Whatever did not follow would lose the book.
                    mirror.lock().apply(delta, 1);
                }
            }
            Item::Live(symbol, epoch, book) => {
                let run = (*epoch, Book::clone(book));
                self.mirror_of(*symbol).lock().replace(Some(run), 0);
            }
            Item::Wider(symbol, book) => {
                let mut held = self.mirror_of(*symbol).lock();
                let run = (Epoch::new(held.epoch()), Book::clone(book));
                held.replace(Some(run), 0);
            }
            Item::Lost(symbol, _, reason) => {
                self.mirror_of(*symbol).lock().lose(reason.clone());
            }
            Item::Lagged(_, books) => {
                for (symbol, run) in std::mem::take(books) {
                    self.mirror_of(symbol).lock().replace(run, 0);
                }
            }
            Item::Engine(..) => {}
        }
        Ready::Item(item)
    }

    /// The mirror of a symbol that is followed; none if it may come to be.
    pub(crate) fn mirror(&self, symbol: Symbol) -> Result<Option<Arc<Mirror>>, Fault> {
        match self.mirrors.get(&symbol) {
            Some(mirror) => Ok(Some(Arc::clone(mirror))),
            None if self.is_all => Ok(None),
            None => Err(Fault::Misuse(format!(
                "the book of {symbol} is not followed: name it when the consumer is made"
            ))),
        }
    }

    pub(crate) fn symbols(&self) -> impl Iterator<Item = Symbol> + '_ {
        self.mirrors.keys().copied()
    }

    pub(crate) const fn stats(&self) -> Stats {
        self.stats
    }

    fn mirror_of(&mut self, symbol: Symbol) -> &Arc<Mirror> {
        self.mirrors.entry(symbol).or_insert_with(|| Mirror::new(symbol))
    }

    fn push(&mut self, item: Item) {
        // Whether the engine is there is said seldom, and what a reader who waits wants to know.
        let cap = match item {
            Item::Engine(..) => self.cap.saturating_mul(2),
            // After a hole nothing fits before the books are told anew.
            _ if self.dropped > 0 => 0,
            _ => self.cap,
        };
        if self.items.len() < cap {
            self.items.push_back(item);
        } else {
            self.dropped = self.dropped.saturating_add(1);
        }
    }

    fn lose_all(&self) {
        for mirror in self.mirrors.values() {
            mirror.lock().lose("the consumer was closed".into());
        }
    }
}
