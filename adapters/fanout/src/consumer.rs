//! Books out of messages, without I/O: a consumer is told what came and what time it is, and says which books are live.
//!
//! ```text
//!              .--- publisher A: Cold ── snapshot ──> Apart ── equal to the book ──> Joined ──.
//!   messages ──+                  ^                                                   │       +──> one book a symbol
//!              '--- publisher B   '── a hole, Lagged, Lost, End, another epoch <──────┘       │
//!                                                                                     live, changes, lost
//! ```
//!
//! What is promised: **a book that is said to be live equals the exchange's at its sequence, at every price inside its
//! reach**, if its publishers keep that promise. So a book
//!
//! 1. begins with a snapshot whose levels have the digest that it states;
//! 2. takes changes one by one: the next sequence or none, from whichever publisher says it first;
//! 3. takes them only from publishers that have *joined* it: whose own snapshot, brought to the same sequence, was
//!    equal wherever both know the side, and whose messages had no hole since. What they repeat must be the same;
//! 4. is given up when the last publisher that had joined it is gone, lost its own, left something out, or was not
//!    heard of for [`Limits::silence`]: then that of another publisher begins, if there is one;
//! 5. is given up when two publishers differ at one sequence, or one says that what it said is in doubt, or may have said
//!    so in messages that are missing, or tells a book of before what it has told. Then nothing is live until all who
//!    claim to be so agree.
//!
//! Each publisher is judged by the number in its messages, so nothing that an engine loses is unseen, and each change by
//! the exchange's sequence, so two publishers need to know nothing of each other.

mod compare;
mod replica;
mod track;

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use kucoin_futures_proto::wire::Delta;
use kucoin_futures_proto::{Book, Instant, Sequence, Symbol};

use crate::message::{DecodeError, Message, PublisherId};
pub use replica::Replica;

/// What a consumer tolerates and keeps.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// A publisher that was not heard of for longer is taken for dead. Default 5 s; publishers say something each
    /// second.
    pub silence: Duration,
    /// Changes that are kept, of each book, to bring a snapshot of before to the present. Default 4096.
    pub recent: usize,
    /// Changes of a publisher that are kept until the book has come as far. Default 4096.
    pub pending: usize,
    /// Publishers of one symbol that are told apart at a time. Default 8.
    pub publishers: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { silence: Duration::from_secs(5), recent: 4096, pending: 4096, publishers: 8 }
    }
}

/// What happens to a book.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Event {
    /// It equals the exchange's at `sequence` from here on.
    Live {
        /// Which live run this is, counted here from 1 for each symbol.
        epoch: u32,
        /// Where it starts.
        sequence: Sequence,
    },
    /// It took one change, the next one.
    Change(Delta),
    /// It reaches further than before, and has not changed otherwise.
    Widened {
        /// Where it is.
        sequence: Sequence,
    },
    /// It is not known to be the exchange's any more, and cannot be read.
    Lost {
        /// The run that ended.
        epoch: u32,
        /// Why.
        reason: LostReason,
    },
}

/// Why a book is not live any more.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum LostReason {
    /// Messages of the only publisher are missing.
    Hole {
        /// The number that had to come.
        expected: u64,
        /// The number that came.
        got: u64,
    },
    /// The publisher left changes out because its engine was too slow.
    Lagged {
        /// How many.
        count: u64,
    },
    /// Nothing was heard of any publisher for [`Limits::silence`].
    Silent,
    /// The publisher's own book is lost; in its words.
    Publisher(String),
    /// The publisher ended.
    Ended,
    /// Two publishers say different things about one sequence.
    Conflict {
        /// Which one.
        sequence: Sequence,
    },
    /// The publisher began another run of its book.
    Restarted,
    /// The publisher's book begins before what it has told already.
    SetBack,
    /// What the publisher said does not follow from what it said before, or is no book.
    Nonsense,
    /// The engine could not be reached, so what is live cannot be known.
    Disconnected,
}

impl fmt::Display for LostReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hole { expected, got } => {
                write!(f, "messages are missing: expected number {expected}, got {got}")
            }
            Self::Lagged { count } => {
                write!(f, "the publisher left out {count} changes: its engine was too slow")
            }
            Self::Silent => f.write_str("no publisher is heard of"),
            Self::Publisher(reason) => write!(f, "the publisher's is lost: {reason}"),
            Self::Ended => f.write_str("the publisher ended"),
            Self::Conflict { sequence } => write!(f, "two publishers differ at {sequence}"),
            Self::SetBack => f.write_str("the publisher's book was set back"),
            Self::Restarted => f.write_str("the publisher began anew"),
            Self::Nonsense => f.write_str("what the publisher says does not fit together"),
            Self::Disconnected => f.write_str("the engine cannot be reached"),
        }
    }
}

/// What is told what happens, with the book as it is then; none if it is lost.
pub trait Observer {
    /// Something happened.
    fn on_event(&mut self, symbol: Symbol, event: &Event, book: Option<&Book>);
}

impl<F: FnMut(Symbol, &Event, Option<&Book>)> Observer for F {
    fn on_event(&mut self, symbol: Symbol, event: &Event, book: Option<&Book>) {
        self(symbol, event, book);
    }
}

/// What a consumer has met, for all symbols.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Stats {
    /// Messages that were read.
    pub messages: u64,
    /// Messages of symbols that nobody wants.
    pub unwanted: u64,
    /// Messages that could not be read.
    pub malformed: u64,
    /// Messages that had come before.
    pub repeats: u64,
    /// Changes that books took.
    pub changes: u64,
    /// Changes that another publisher had said before, and alike.
    pub copies: u64,
    /// Times that messages of a publisher were missing.
    pub holes: u64,
    /// Changes that publishers say they left out.
    pub lagged: u64,
    /// Snapshots that were no book.
    pub bad_snapshots: u64,
    /// Times that two publishers differed.
    pub conflicts: u64,
    /// Snapshots that were held against a book at the same sequence, and were equal.
    pub agreed: u64,
    /// Messages of publishers beyond [`Limits::publishers`], all of whom are heard of.
    pub crowded_out: u64,
}

/// The books of several symbols.
#[derive(Debug)]
pub struct Consumer {
    limits: Limits,
    replicas: BTreeMap<Symbol, Replica>,
    stats: Stats,
}

impl Consumer {
    /// One that wants no book yet.
    #[must_use]
    pub const fn new(limits: Limits) -> Self {
        Self { limits, replicas: BTreeMap::new(), stats: EMPTY }
    }

    /// Wants the book of a symbol.
    pub fn follow(&mut self, symbol: Symbol) {
        let limits = self.limits;
        self.replicas.entry(symbol).or_insert_with(|| Replica::new(symbol, limits));
    }

    /// What is wanted.
    pub fn symbols(&self) -> impl Iterator<Item = Symbol> + '_ {
        self.replicas.keys().copied()
    }

    /// Takes a message that came from an engine. `age` is how long ago it was given to the engine, by the engine's
    /// clock: what was said long ago is no sign of life.
    ///
    /// # Errors
    /// It is no message. Nothing is done with it but that it is counted: what is missing will be seen by its number.
    pub fn take(
        &mut self,
        now: Instant,
        age: Duration,
        bytes: &[u8],
        observer: &mut dyn Observer,
    ) -> Result<(), DecodeError> {
        let message = Message::decode(bytes).inspect_err(|_| self.stats.malformed += 1)?;
        self.take_message(now, age, &message, observer);
        Ok(())
    }

    /// The same, decoded.
    pub fn take_message(
        &mut self,
        now: Instant,
        age: Duration,
        message: &Message,
        observer: &mut dyn Observer,
    ) {
        self.stats.messages += 1;
        match self.replicas.get_mut(&message.symbol) {
            Some(replica) => replica.take(now, age, message, &mut self.stats, observer),
            None => self.stats.unwanted += 1,
        }
    }

    /// Looks at the clock: who was not heard of for too long is taken for dead.
    pub fn handle_timeout(&mut self, now: Instant, observer: &mut dyn Observer) {
        for replica in self.replicas.values_mut() {
            replica.handle_timeout(now, observer);
        }
    }

    /// When to look at the clock next; `None` while nothing is live.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.replicas.values().filter_map(Replica::poll_timeout).min()
    }

    /// The engine cannot be reached: no book is live until something is heard again. What messages were missed
    /// meanwhile their numbers will say.
    pub fn disconnected(&mut self, observer: &mut dyn Observer) {
        for replica in self.replicas.values_mut() {
            replica.disconnected(observer);
        }
    }

    /// The book of a symbol, if it is live at this time.
    #[must_use]
    pub fn book(&self, symbol: Symbol, now: Instant) -> Option<&Book> {
        self.replicas.get(&symbol)?.book(now)
    }

    /// What is known of a symbol.
    #[must_use]
    pub fn replica(&self, symbol: Symbol) -> Option<&Replica> {
        self.replicas.get(&symbol)
    }

    /// Symbols to ask for a snapshot of now: those that wait for one of a publisher that is there. One that does not
    /// become live is named again after 1, 2, 4 s and so on up to a minute.
    pub fn wanting(&mut self, now: Instant) -> impl Iterator<Item = Symbol> + use<> {
        let replicas = self.replicas.iter_mut();
        let wanting: Vec<Symbol> =
            replicas.filter_map(|(symbol, replica)| replica.asks(now).then_some(*symbol)).collect();
        // All of them are named, whether the iterator is read to its end or not.
        wanting.into_iter()
    }

    /// What was met so far.
    #[must_use]
    pub const fn stats(&self) -> &Stats {
        &self.stats
    }
}

const EMPTY: Stats = Stats {
    messages: 0,
    unwanted: 0,
    malformed: 0,
    repeats: 0,
    changes: 0,
    copies: 0,
    holes: 0,
    lagged: 0,
    bad_snapshots: 0,
    conflicts: 0,
    agreed: 0,
    crowded_out: 0,
};

/// How a publisher of a symbol stands, as a consumer sees it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PublisherStatus {
    /// Which run of which publisher.
    pub publisher: PublisherId,
    /// Its last message.
    pub number: u64,
    /// The run of its book.
    pub epoch: u32,
    /// Whether the book takes its changes.
    pub has_joined: bool,
    /// How long ago it was heard of; `None`: before this consumer began, or before the engine could not be reached.
    pub silent_for: Option<Duration>,
    /// For how long, as it last said, nothing had proved that it hears the exchange.
    pub age: Option<Duration>,
}
