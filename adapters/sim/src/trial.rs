//! Puts somebody else's order book on trial: any gap handling, not only that of this project.
//!
//! A [`Contender`] is a book with its way of coming by it. [`try_book`] gives it the exchange, the
//! network and the faults of a [`Scenario`](crate::Scenario), all in virtual time, and a session that
//! is nobody's concern here: token, connection, welcome, subscription, pings, and another try after
//! every loss. What the contender does is the rest: when to ask for a snapshot, what to make of it,
//! when to believe its book. After everything that it is told it is asked for its [`View`], and the
//! view is held against the exchange's true history.
//!
//! * Faults of the exchange, of REST and of the transport happen as in a [`World`](crate::World);
//!   those of a client's clock and caller are left out.
//! * One book is tried: that of the scenario's first contract, and there is one contender.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use kucoin_futures_proto::book::Coverage;
use kucoin_futures_proto::wire::Side;
use kucoin_futures_proto::{Price, Sequence, Symbol};

use crate::market::Market;
use crate::truth::Truth;

mod arena;

pub use arena::try_book;

/// A book that is kept by somebody.
///
/// It is told what happens in the order in which it happens. Each answer says whether it wants a
/// snapshot; there is one request at a time, and no two within 10 ms.
pub trait Contender {
    /// A connection is up and the subscription of this book is confirmed. Deltas follow.
    fn on_connected(&mut self, symbol: Symbol) -> Ask;

    /// A message of the book's topic, as it came: perhaps again, perhaps behind a gap, perhaps
    /// nothing that can be understood.
    fn on_frame(&mut self, text: &str) -> Ask;

    /// A snapshot was asked for, and this came with HTTP status 200: the body, whatever it is.
    fn on_snapshot(&mut self, body: &str) -> Ask;

    /// A snapshot was asked for, and another status came, or nothing at all. By default, asks again
    /// after a second.
    fn on_failed_snapshot(&mut self, status: Option<u16>) -> Ask {
        let _ = status;
        Ask::SnapshotAfter(Duration::from_secs(1))
    }

    /// The connection is gone, and a snapshot that was asked for will not come.
    fn on_disconnected(&mut self);

    /// What it vouches for at present; `None`: it does not say that its book is live.
    fn view(&self) -> Option<View>;
}

/// Whether a contender wants a snapshot.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(clippy::exhaustive_enums, reason = "all that can be asked for")]
pub enum Ask {
    /// Nothing new: what was asked for before still is.
    Nothing,
    /// Now.
    Snapshot,
    /// After so long.
    SnapshotAfter(Duration),
}

/// What a live book says: where it stands and what it holds.
///
/// Every level that it shows must be right, and every level of the exchange's that is within what
/// it claims to know completely must be shown. Without a word about that it claims the whole book.
///
/// ```
/// use kucoin_futures_sim::trial::View;
///
/// let view = View::at(1_754_773_435_025)
///     .bid("62998.8", 12)
///     .ask("62999.6", 79)
///     .bids_down_to("62998.8") // nothing is said of what lies below
///     .asks_up_to("62999.6"); // nor of what lies above
/// # let _ = view;
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct View {
    sequence: Sequence,
    bids: Claim,
    asks: Claim,
    /// A text that is no price.
    odd: Option<String>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
struct Claim {
    levels: BTreeMap<Price, u64>,
    /// Nothing: only what is shown is claimed.
    reach: Option<Coverage>,
}

impl View {
    /// An empty book that stands at this sequence.
    #[must_use]
    pub const fn at(sequence: u64) -> Self {
        Self { sequence: Sequence::new(sequence), bids: Claim::ALL, asks: Claim::ALL, odd: None }
    }

    /// With this bid: a price as text, exactly, and whole lots.
    #[must_use]
    pub fn bid(mut self, price: &str, size: u64) -> Self {
        if let Some(price) = self.price(price) {
            self.bids.levels.insert(price, size);
        }
        self
    }

    /// With this ask.
    #[must_use]
    pub fn ask(mut self, price: &str, size: u64) -> Self {
        if let Some(price) = self.price(price) {
            self.asks.levels.insert(price, size);
        }
        self
    }

    /// Only from the best bid to this price does it claim to know every bid.
    #[must_use]
    pub fn bids_down_to(mut self, price: &str) -> Self {
        self.bids.reach = self.price(price).map(Coverage::To);
        self
    }

    /// Only from the best ask to this price does it claim to know every ask.
    #[must_use]
    pub fn asks_up_to(mut self, price: &str) -> Self {
        self.asks.reach = self.price(price).map(Coverage::To);
        self
    }

    /// It claims that what it shows is right, and nothing of what it does not show.
    #[must_use]
    pub const fn incomplete(mut self) -> Self {
        (self.bids.reach, self.asks.reach) = (None, None);
        self
    }

    fn price(&mut self, text: &str) -> Option<Price> {
        let price = text.parse().ok();
        if price.is_none() && self.odd.is_none() {
            self.odd = Some(format!("`{text}` is no price"));
        }
        price
    }

    /// Compares with all books that stood at its sequence, one for each run of the counter.
    fn check(&self, market: &Market) -> Result<(), String> {
        self.odd.clone().map_or(Ok(()), Err)?;
        let mut problem = None;
        for truth in market.truths_at(self.sequence) {
            match self.compare(&truth, Side::Bid).and_then(|()| self.compare(&truth, Side::Ask)) {
                Ok(()) => return Ok(()),
                Err(found) => problem = problem.or(Some(found)),
            }
        }
        Err(problem.unwrap_or_else(|| "the exchange never was there".into()))
    }

    fn compare(&self, truth: &Truth, side: Side) -> Result<(), String> {
        let claim = match side {
            Side::Bid => &self.bids,
            Side::Ask => &self.asks,
        };
        let mut wrong = claim.levels.iter().filter(|(at, size)| truth.size(side, **at) != **size);
        let wrong = match side {
            Side::Bid => wrong.next_back(),
            Side::Ask => wrong.next(),
        };
        if let Some((price, size)) = wrong {
            return Err(match truth.size(side, *price) {
                0 => format!("there is no {side} at {price}, and it shows {size}"),
                is => format!("the {side} at {price} is {is}, and it shows {size}"),
            });
        }
        let Some(reach) = claim.reach else { return Ok(()) };
        let mut within = truth.levels_within(side, reach);
        within.find(|level| !claim.levels.contains_key(&level.price)).map_or(Ok(()), |missing| {
            Err(format!("the {side} at {} is {}, and it shows none", missing.price, missing.size))
        })
    }
}

impl Claim {
    const ALL: Self = Self { levels: BTreeMap::new(), reach: Some(Coverage::All) };
}

/// What became of a trial, or of several.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct Trial {
    /// Trials: 1, or those that were added.
    pub trials: u64,
    /// Those in which it lied.
    pub caught: u64,
    /// Those in which, once the faults were over, it was live with the truth in the scenario's time.
    pub recovered: u64,
    /// Messages of the book that the contender was shown.
    pub frames: u64,
    /// Snapshots that it was shown.
    pub snapshots: u64,
    /// Times it lost its connection.
    pub losses: u64,
    /// Views compared with the truth.
    pub compared: u64,
    /// Views that were not true.
    pub lies: u64,
    /// The first of them.
    pub first_lie: Option<Lie>,
    /// Virtual time during which it said that it was live.
    pub live: Duration,
    /// Virtual time during which it did not.
    pub blind: Duration,
    /// Times it said again that it was live, after it had not.
    pub resyncs: u64,
    /// The longest time during which the exchange had gone on and a view that was said to be live
    /// had not: of a view that is true and old.
    pub behind: Duration,
    /// How often each kind of fault met something of its.
    pub struck: BTreeMap<&'static str, u64>,
}

impl Trial {
    /// Adds another trial's numbers.
    pub fn add(&mut self, other: &Self) {
        self.trials += other.trials;
        self.caught += other.caught;
        self.recovered += other.recovered;
        self.frames += other.frames;
        self.snapshots += other.snapshots;
        self.losses += other.losses;
        self.compared += other.compared;
        self.lies += other.lies;
        self.live += other.live;
        self.blind += other.blind;
        self.resyncs += other.resyncs;
        self.behind = self.behind.max(other.behind);
        if self.first_lie.is_none() {
            self.first_lie.clone_from(&other.first_lie);
        }
        for (word, count) in &other.struck {
            *self.struck.entry(word).or_default() += count;
        }
    }
}

/// A view that was not true.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Lie {
    /// When it was said, since the start.
    pub at: Duration,
    /// The sequence at which the book was said to stand.
    pub sequence: Sequence,
    /// What was wrong with it.
    pub problem: String,
    /// The last fault that had met something by then, and when: suspect, not convicted.
    pub after: Option<(Duration, &'static str)>,
}

impl fmt::Display for Lie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (at, sequence, problem) = (self.at.as_secs_f64(), self.sequence, &self.problem);
        write!(f, "at {at:.3} s, live at sequence {sequence}: {problem}")?;
        self.after.map_or(Ok(()), |(at, word)| {
            write!(f, " (the last fault was `{word}` at {:.3} s)", at.as_secs_f64())
        })
    }
}
